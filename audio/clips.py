"""Where speech begins and ends in short decoded clips. The only `import pydub`, which here does what it is good at: slicing and scanning seconds.

A clip is raw 32-bit float samples at 48 kHz that ffmpeg decoded; pydub never opens a file.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from audio.units import RATE, Lufs, Samples

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from pydub import AudioSegment

    Singles = NDArray[np.float32]

_STEP_MS = 5
_FLOOR_DBFS = -72.0
"""Anything quieter than this is silence on every recording."""
_ABOVE_NOISE_DB = 6.0
_BELOW_SPEECH_DB = 22.0
"""The threshold never comes nearer to the voice than this: a soft consonant lies 15 to 20 dB under it."""
_RELEASE_MS = 100
"""Kept at tails: a word dies away more slowly than it begins."""


def clip(samples: Singles) -> AudioSegment:
    """Samples of shape (n, channels) as pydub has them: 32-bit integers."""
    import numpy as np

    with warnings.catch_warnings():
        # pydub says at import that it cannot find ffmpeg, and audioop that it will leave Python 3.13 (where audioop-lts stands in).
        warnings.simplefilter("ignore")
        from pydub import AudioSegment

    # A second at a time: in double precision all of it would be the largest thing that a build holds.
    data = bytearray()
    for at in range(0, len(samples), RATE):
        piece = np.rint(samples[at : at + RATE].astype("f8") * 2147483648.0)
        data += np.clip(piece, -2147483648, 2147483647).astype("<i4").tobytes()
    return AudioSegment(data=data, sample_width=4, frame_rate=RATE, channels=samples.shape[1])


def silent_edges(head: AudioSegment, tail: AudioSegment, peaks: Singles, speech: Lufs) -> tuple[Samples, Samples]:
    """How many samples of silence there are at the start and at the end of a recording.

    ``head`` and ``tail`` are clips of its first seconds and, backwards, of its last ones, ``peaks`` the highest samples of the whole in dBFS
    in steps of 10 ms, ``speech`` its integrated loudness. A word's tail, which dies away more slowly than it began, is no silence.
    """
    threshold = _threshold(head, tail, speech)
    lead, trail = _leading(head, threshold, peaks), _leading(tail, threshold, peaks[::-1]) - _RELEASE_MS
    return _ms_to_samples(lead), _ms_to_samples(max(0, trail))


def _leading(clip: AudioSegment, threshold: float, peaks: Singles) -> int:
    """Milliseconds before the first sound over ``threshold`` dBFS: to 5 ms within the clip, to 10 ms by the peaks beyond it."""
    from pydub.silence import detect_leading_silence

    found = int(detect_leading_silence(clip, silence_threshold=threshold, chunk_size=_STEP_MS))
    if found < len(clip):
        return found
    loud = (peaks > threshold).nonzero()[0]
    return max(len(clip), int(loud[0]) * 10) if len(loud) else len(clip)


def _threshold(first: AudioSegment, last: AudioSegment, speech: Lufs) -> float:
    """Over the room's noise, but far under the voice; in a noisy room that means less is cut, never a syllable."""
    levels = sorted(clip[at : at + 50].dBFS for clip in (first, last) for at in range(0, max(1, len(clip) - 49), 50))
    noise = levels[len(levels) // 10] if levels else _FLOOR_DBFS
    return max(_FLOOR_DBFS, min(noise + _ABOVE_NOISE_DB, speech - _BELOW_SPEECH_DB))


def _ms_to_samples(ms: int) -> Samples:
    return Samples(ms * RATE // 1000)
