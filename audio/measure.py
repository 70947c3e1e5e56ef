"""One pass over a recording: whether it is whole, and its profile.

The pass streams: what it decodes stands in a temporary file, from which the edges are looked at again and the segment is rendered.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from audio import loudness
from audio.clips import clip, silent_edges
from audio.ear import Asked, Heard, hear
from audio.errors import SourceUnreadable
from audio.pcm import Pcm, Take
from audio.profile import Profile
from audio.units import RATE, Lufs, Samples, seconds

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from audio.sides import Sides
    from audio.source import Source

    Singles = NDArray[np.float32]

EDGE_SECONDS = 20
"""Looked at closely at either end; silence that lasts longer is followed in the envelope of peaks, in steps of 10 ms."""
_ONE_AT_A_TIME = threading.Lock()
"""Held by who looks at edges: what two of them take at once would be the most that a build ever takes."""
_SILENT = Lufs(-60.0)
_ALLOWED_SHORTFALL = 0.25
_ALLOWED_LOSSLESS = 0.02
"""Seconds by which a recording may be shorter than its container says: encoders of lossy formats count their delay in different ways."""
_LOSSLESS = ("pcm_", "flac", "alac", "wavpack")
_HARMLESS = ("Header missing", "Invalid PCM packet")
_FOLLOWING = ("Error while decoding", "Error submitting packet", "Decoding error")
"""What ffmpeg adds to one of these. Half a sample at the end is no loss, and holes between MP3 frames have been looked for before."""
_NOISE = re.compile(r"^(\[[^\]]* @ 0x[0-9a-f]+\] ?)+| at PTS -?\d+")


@dataclass(frozen=True, slots=True)
class Cut:
    """In and out points (samples; None is the end), whether silence is trimmed, and the air that stays."""

    start: Samples = Samples(0)
    end: Samples | None = None
    trim: bool = True
    air: Samples = Samples(RATE * 15 // 100)


def measure(
    take: Take,
    cut: Cut,
    folder: Path,
    progress: Callable[[float], None] = lambda _: None,
    *,
    noting: bool = False,
    also: Callable[[Sides], None] | None = None,
) -> tuple[Heard, Pcm]:
    """Decode a take once; gives what was heard (its flaws with ``noting``) and the decoded samples, which the caller closes. ``progress`` is told
    seconds done.

    ``also`` hears the samples as they come, and must copy what it keeps. Without it, a long recording may be heard by a process of its own.

    Raises SourceUnreadable when it is shorter than its container says, shorter than the in point, broken, or silent.
    """
    pcm = Pcm(take, folder)
    try:
        heard, complaints = hear(pcm, Asked.of(take, noting=noting), lambda: progress(seconds(pcm.samples)), also)
        check_whole(take.source, cut, pcm.samples, complaints)
        return heard._replace(profile=_with_edges(heard.profile, pcm)), pcm
    except BaseException:
        pcm.close()
        raise


def _with_edges(profile: Profile, pcm: Pcm) -> Profile:
    """The profile with the silence at either end. Raises SourceUnreadable when there is nothing else."""
    blocks = profile.momentary
    if blocks.max(initial=loudness.FLOOR) < _SILENT:
        why = f"silent: nothing in it is louder than {_SILENT:g} LUFS"
        raise SourceUnreadable(pcm.take.source.path, why, "is it the right file, and the right channel?")
    length = pcm.samples
    edge = min(length, EDGE_SECONDS * RATE)
    whole = loudness.integrated(blocks[3:] if len(blocks) > 3 else blocks)
    with _ONE_AT_A_TIME:
        lead, trail = silent_edges(clip(pcm.read(0, edge)), clip(pcm.read(length - edge, length)[::-1]), profile.peak, whole)
    return replace(profile, lead=lead, trail=trail)


def check_whole(source: Source, cut: Cut, decoded: Samples, complaints: list[str]) -> None:
    """Raise SourceUnreadable when what was ``decoded`` of a recording, and what ffmpeg complained of meanwhile, say that it is not whole."""
    if not decoded:
        if cut.start:
            raise SourceUnreadable(source.path, f"ends before the in point ({seconds(cut.start):g} s)", "move `in`", point="in")
        raise SourceUnreadable(source.path, "holds no audio", "record or export it again")
    if cut.end is None or decoded < cut.end - cut.start:
        _check_end(source, cut, decoded)
    harmless = (*_HARMLESS, *_FOLLOWING) if source.codec.startswith(("mp3", "pcm_")) else _HARMLESS
    damage = [line for line in complaints if not any(words in line for words in harmless)]
    if damage:
        raise SourceUnreadable(source.path, f"damaged: {_NOISE.sub('', damage[0])}", "export it again; a damaged stretch would be heard as a dropout")


def _check_end(source: Source, cut: Cut, decoded: Samples) -> None:
    there = seconds(cut.start + decoded)
    if cut.end is not None and source.declared is None:
        raise SourceUnreadable(source.path, f"ends at {there:.2f} s, before the out point ({seconds(cut.end):g} s)", "move `out`", point="out")
    allowed = _ALLOWED_LOSSLESS if source.codec.startswith(_LOSSLESS) else _ALLOWED_SHORTFALL
    if source.declared is not None and there < source.declared - allowed:
        words = f"truncated or damaged: {source.declared:.2f} s are promised, {there:.2f} s could be decoded"
        raise SourceUnreadable(source.path, words, "copy or export it again")
    if cut.end is not None:
        raise SourceUnreadable(source.path, f"ends at {there:.2f} s, before the out point ({seconds(cut.end):g} s)", "move `out`", point="out")
