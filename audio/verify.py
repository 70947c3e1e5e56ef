"""Proof by decoding: what the finished file really holds, measured on its own frames.

The file is decoded in slices, one for each chunk that was encoded, each with a few seconds of the file before it so that the meter and the
bit reservoir have settled. The frames of a slice are a key: what was proven once of the same bytes is not decoded again.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from audio import ffmpeg, graph, mpeg
from audio.loudness import BLOCKS_PER_SECOND
from audio.meter import Meter
from audio.sides import apart
from audio.truepeak import TruePeak
from audio.units import FRAME, RATE, Db, Samples

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from audio.mpeg import Format
    from audio.runs import Chunk, Run

    Floats = NDArray[np.float32]

WARM_UP = 125
"""Frames (3 s) that the meter hears before a slice: its 400 ms window and its filters have then forgotten that they started here."""
RESERVOIR = 10
"""Frames decoded before that, because the first few lack the main data that stands before them."""
_BANDWIDTH_HZ = {32: 12_000.0, 40: 13_000.0, 48: 15_500.0, 56: 16_500.0, 64: 17_500.0}
"""Where LAME's low-pass ends (with some room), by kb/s per channel; above, it lets everything through that is heard."""
_BLOCK = RATE // BLOCKS_PER_SECOND


@dataclass(frozen=True, slots=True)
class Slice:
    """Programme frames [first, last): a stretch of the finished file."""

    first: int
    last: int

    @property
    def needed(self) -> tuple[int, int]:
        """The frames of the file to be read for it: warm-up before, one after (the decoder is late by up to 1105 samples)."""
        return max(0, self.first - WARM_UP - RESERVOIR), self.last + 1


@dataclass(frozen=True, slots=True)
class Heard:
    """Of one slice: momentary loudness every 100 ms (LUFS), and the highest true peak (dBTP)."""

    blocks: array[float]
    true_peak: Db


def slices(runs: Sequence[Run], chunks: Sequence[Sequence[Chunk]], total: Samples) -> tuple[Slice, ...]:
    """One slice per chunk, together the whole programme; silence belongs to what came before it."""
    starts = [run.first + chunk.first for run, parts in zip(runs, chunks, strict=True) for chunk in parts]
    starts[0] = 0
    return tuple(Slice(first, last) for first, last in zip(starts, [*starts[1:], total // FRAME], strict=True))


def read(file: IO[bytes], audio_offset: int, part: Slice, fmt: Format) -> bytes:
    """The frames needed for a slice out of the finished file; ``audio_offset`` is where its first audio frame stands."""
    first, last = part.needed
    file.seek(audio_offset + first * fmt.frame_bytes)
    return file.read((last - first) * fmt.frame_bytes)


def hear(frames: bytes, part: Slice, fmt: Format, folder: Path) -> Heard:
    """Decode and measure a slice. Raises FfmpegFailed."""
    import numpy as np

    peak = TruePeak(_BANDWIDTH_HZ.get(fmt.bitrate // fmt.channels, 20_000.0))
    meter = Meter(fmt.channels)
    first, _ = part.needed
    warm = max(0, part.first - WARM_UP)
    skip = Samples((warm - first) * FRAME + mpeg.DELAY)
    length = Samples((part.last - warm) * FRAME)
    argv = graph.decode_frames(ffmpeg.find(), skip, length)
    with ffmpeg.spooled(frames, folder) as stdin, ffmpeg.Process(argv, stdin=stdin) as process:
        for block in process.blocks(RATE * graph.SAMPLE_BYTES * fmt.channels):
            sides = apart(np.frombuffer(block, "<f4").reshape(-1, fmt.channels))
            peak.add(sides)
            meter.add(sides)
        process.finish()
    # Where the file begins there is nothing to hear before it: only the blocks of the first 400 ms are not whole.
    warm_blocks = (part.first - warm) * FRAME // _BLOCK if part.first else 3
    return Heard(array("d", meter.blocks[warm_blocks:]), peak.value)


_MARGIN = RATE // 20
_SILENT = 1e-4
_SAME = 5e-5
"""Likenesses that differ by less do not differ; half a millisecond of silence in the place of four seconds' first sound makes more."""


@dataclass(frozen=True, slots=True)
class Landing:
    """Where a section was found: ``offset`` in samples from its mark (positive is late), and how alike the sounds are (1.0 is the same)."""

    offset: Samples
    likeness: float


def around(file: IO[bytes], audio_offset: int, start: Samples, length: Samples, fmt: Format) -> tuple[bytes, int]:
    """The frames of the finished file that sound within [start, start + length) and a margin on either side; and the first one's number."""
    first = max(0, max(0, start - _MARGIN) // FRAME - RESERVOIR)
    last = (start + length + _MARGIN + mpeg.DELAY) // FRAME + 2
    file.seek(audio_offset + first * fmt.frame_bytes)
    return file.read((last - first) * fmt.frame_bytes), first


def landing(frames: bytes, first: int, start: Samples, expected: Floats, fmt: Format, folder: Path) -> Landing | None:
    """Decode the ``frames`` around a section's start (see `around`) and find the section's own first sounds in it by cross-correlation.

    ``expected`` is as rendered, before encoding. None when it is silence. Raises FfmpegFailed.
    """
    import numpy as np

    wanted = expected.mean(axis=1, dtype="f8")
    if float(np.abs(wanted).max(initial=0.0)) < _SILENT:
        return None
    begin = max(0, start - _MARGIN)
    skip = Samples(begin - first * FRAME + mpeg.DELAY)
    with ffmpeg.spooled(frames, folder) as stdin:
        raw = ffmpeg.capture(graph.decode_frames(ffmpeg.find(), skip, Samples(start - begin + len(wanted) + _MARGIN)), stdin=stdin)
    heard = np.frombuffer(raw, "<f4").reshape(-1, fmt.channels).mean(axis=1, dtype="f8")
    heard = np.pad(heard, (0, max(0, len(wanted) - len(heard))))
    size = len(heard) + len(wanted)
    score = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(wanted, size)), size)[: len(heard) - len(wanted) + 1]
    # Compared with the sound at that place: a steady tone would otherwise be found a few periods late, past its fade, where it is louder.
    sums = np.concatenate(([0.0], np.cumsum(heard**2)))
    energy = (sums[len(wanted) :] - sums[: -len(wanted)]) * float(np.sum(wanted**2))
    alike = score / np.sqrt(np.maximum(energy, 1e-6 * float(energy.max()) + 1e-30))
    # A tone without a fade is the same a period later: of places that are as good, the one nearest to the mark.
    equal = np.flatnonzero(alike >= alike.max() - _SAME)
    at = int(equal[np.argmin(np.abs(begin + equal - start))])
    return Landing(Samples(begin + at - start), round(float(alike[at]), 4))


def highest(parts: Sequence[Slice], heard: Sequence[Heard], start: Samples, end: Samples) -> Db:
    """The highest true peak of the slices that [start, end) of the programme lies in."""
    inside = (found.true_peak for part, found in zip(parts, heard, strict=True) if part.first * FRAME < end and part.last * FRAME > start)
    return max(inside, default=Db(-math.inf))


def section_blocks(parts: Sequence[Slice], heard: Sequence[Heard], start: Samples, end: Samples) -> Iterator[float]:
    """The 400 ms blocks that lie wholly within [start, end) of the programme."""
    for part, found in zip(parts, heard, strict=True):
        base = part.first * FRAME
        skipped = 3 if part.first == 0 else 0
        for index, block in enumerate(found.blocks):
            stop = base + (index + 1 + skipped) * _BLOCK
            if stop - 4 * _BLOCK >= start and stop <= end:
                yield block
