"""A copy of a recording with stretches cut out of it, at exact samples: what is kept is as long as before, and only some milliseconds beside a cut
sound otherwise.

What stands before a cut fades out over its first sample and what stands after it fades in over its last one, both with equal power: half of the fade
takes place in what is kept, half in what is cut. So a cut is not heard as a click, and a sample that is kept stands where it was, less what was cut.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from audio import ffmpeg, measure, wav
from audio.editmap import Stretch
from audio.errors import SourceUnreadable
from audio.pcm import Pcm, Take
from audio.units import RATE, Samples, seconds

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from audio.source import Source

    Floats = NDArray[np.float32]

RECIPE = 1
"""Raised when the same cuts would give other samples."""
HALF = RATE // 200
"""Half of a crossfade, at most: 5 ms."""
_SHORTEST = RATE // 10
"""Less than so much sound left is nothing left."""
_BEYOND = RATE // 20
"""A cut may end so much after the recording: editors and decoders count the last samples of an MP3 in different ways."""
_BLOCK = 10 * RATE


def cut(
    source: Source,
    cuts: Sequence[Stretch],
    path: Path,
    *,
    channels: int = 2,
    until: Samples | None = None,
    folder: Path | None = None,
    progress: Callable[[float], None] = lambda _: None,
) -> Samples:
    """Write a recording without its ``cuts``, which rise and do not overlap, to ``path``: a WAV of 32-bit floats at 48 kHz. Gives its length.

    ``until`` is the out point, in the recording's own samples. ``progress`` is told seconds done. Raises SourceUnreadable when the recording is not
    whole, when a cut ends after it, when it does, or when nothing would be left; FfmpegFailed, Cancelled; OSError when it cannot be written.
    """
    with closing(Pcm(Take(source, channels), folder or path.parent)) as pcm:
        complaints = pcm.decode(lambda _: progress(seconds(pcm.samples)))
        measure.check_whole(source, measure.Cut(), pcm.samples, complaints)
        _check(source, cuts, pcm.samples, until)
        pieces = kept(pcm.samples, cuts)
        length = Samples(sum(end - start for start, end in pieces))
        with path.open("wb") as file:
            wav.begin(file, pcm.take.held, length)
            for block in _blocks(pcm, pieces):
                file.write(block.astype("<f4", copy=False).tobytes())
            file.flush()
            os.fsync(file.fileno())
        return length


def kept(length: int, cuts: Sequence[Stretch]) -> tuple[Stretch, ...]:
    """The stretches of a recording that its cuts leave."""
    # A cut that the recording is a little too short for ends with it.
    edges = [Samples(0), *(Samples(min(edge, length)) for one in cuts for edge in one), Samples(length)]
    return tuple((start, end) for start, end in zip(edges[::2], edges[1::2], strict=True) if start < end)


def _check(source: Source, cuts: Sequence[Stretch], length: Samples, until: Samples | None) -> None:
    for number, (start, end) in enumerate(cuts):
        if end > length + _BEYOND:
            words = f"{seconds(length):.2f} s long; this cut, from {seconds(start):g} to {seconds(end):g} s, ends after it"
            raise SourceUnreadable(source.path, words, "leave the end away with `out`", point="cut", number=number)
    if until is not None and until > length:
        raise SourceUnreadable(
            source.path, f"ends at {seconds(length):.2f} s, before the out point ({seconds(until):g} s)", "move `out`", point="out"
        )
    if sum(min(end, until or end) - start for start, end in kept(length, cuts) if until is None or start < until) < _SHORTEST:
        raise SourceUnreadable(source.path, "its cuts leave nothing of it", "cut less", point="cut")


def _blocks(pcm: Pcm, pieces: Sequence[Stretch]) -> Iterator[Floats]:
    """What is kept, with each join crossfaded."""
    halves = [_half(before, after) for before, after in pairwise(pieces)]
    for number, (start, end) in enumerate(pieces):
        before, after = halves[number - 1] if number else 0, halves[number] if number < len(halves) else 0
        for at in range(start + before, end - after, _BLOCK):
            ffmpeg.stop_if_cancelled()
            yield pcm.read(at, min(at + _BLOCK, end - after))
        if after:
            yield _join(pcm, end, pieces[number + 1][0], after)


def _half(before: Stretch, after: Stretch) -> int:
    """Half of the crossfade of two pieces: no more than half of either, nor than was cut between them."""
    return min(HALF, (before[1] - before[0]) // 2, (after[1] - after[0]) // 2, after[0] - before[1])


def _join(pcm: Pcm, out: int, into: int, half: int) -> Floats:
    """The samples around a cut from ``out`` to ``into``."""
    import numpy as np

    angle = (np.arange(2 * half, dtype=np.float32) + np.float32(0.5)) * np.float32(np.pi / 4 / half)
    leaving, entering = pcm.read(out - half, out + half), pcm.read(into - half, into + half)
    mixed: Floats = leaving * np.cos(angle)[:, None] + entering * np.sin(angle)[:, None]
    return mixed
