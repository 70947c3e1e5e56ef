"""Proof by decoding: what the finished file really holds, measured on its own frames.

The file is decoded in slices, one for each chunk that was encoded, each with a few seconds of the file before it so that the meter and the
bit reservoir have settled. The frames of a slice are a key: what was proven once of the same bytes is not decoded again.
"""

from __future__ import annotations

import math
from array import array
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

from audio import ffmpeg, graph, mpeg
from audio.findings import stretches
from audio.loudness import BLOCKS_PER_SECOND, FLOOR
from audio.meter import Meter
from audio.sides import Sides, after, apart
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
_PIECE = 1 << 20


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
    """Of one slice: momentary loudness every 100 ms (LUFS), the highest true peak (dBTP), the highest sample of any channel in every 100 ms that
    begins in it (dBFS, in hundredths), and what is lost of each second when both sides are heard from one loudspeaker (dB); nothing where they are
    the same all along.
    """

    blocks: array[float]
    true_peak: Db
    peaks: array[float]
    lost: array[float] = field(default_factory=lambda: array("d"))


def slices(runs: Sequence[Run], chunks: Sequence[Sequence[Chunk]], total: Samples) -> tuple[Slice, ...]:
    """One slice per chunk, together the whole programme; silence belongs to what came before it."""
    starts = [run.first + chunk.first for run, parts in zip(runs, chunks, strict=True) for chunk in parts]
    starts[0] = 0
    return tuple(Slice(first, last) for first, last in zip(starts, [*starts[1:], total // FRAME], strict=True))


def together(parts: Sequence[Slice], frames: int) -> Iterator[tuple[Slice, ...]]:
    """Slices in groups of neighbours; one ends once it has that many frames. To start a decoder costs as much as to decode more than a minute."""
    group: list[Slice] = []
    for part in parts:
        if group and (group[-1].last - group[0].first >= frames or part.first != group[-1].last):
            yield tuple(group)
            group = []
        group.append(part)
    if group:
        yield tuple(group)


def read(file: IO[bytes], audio_offset: int, part: Slice, fmt: Format) -> bytes:
    """The frames needed for a slice out of the finished file; ``audio_offset`` is where its first audio frame stands."""
    first, last = part.needed
    file.seek(audio_offset + first * fmt.frame_bytes)
    return file.read((last - first) * fmt.frame_bytes)


def copy(file: IO[bytes], audio_offset: int, parts: Sequence[Slice], fmt: Format, to: IO[bytes]) -> None:
    """The frames that neighbouring slices need, from the finished file to another."""
    first, last = Slice(parts[0].first, parts[-1].last).needed
    file.seek(audio_offset + first * fmt.frame_bytes)
    left = (last - first) * fmt.frame_bytes
    while left and (piece := file.read(min(left, _PIECE))):
        to.write(piece)
        left -= len(piece)


def hear(frames: IO[bytes], parts: Sequence[Slice], fmt: Format) -> Iterator[Heard]:
    """Decode neighbouring slices at once and measure each by itself, in order. ``frames`` is a file at the first frame that the first one needs,
    with no more in it than the last one needs.

    What is measured of a slice is the same whichever others are decoded with it. Raises FfmpegFailed.
    """
    first, _ = parts[0].needed
    warm = max(0, parts[0].first - WARM_UP)
    skip, length = Samples((warm - first) * FRAME + mpeg.DELAY), Samples((parts[-1].last - warm) * FRAME)
    with ffmpeg.Process(graph.decode_frames(ffmpeg.find(), skip, length), stdin=frames) as process:
        pcm = _Pcm(process.stdout, graph.SAMPLE_BYTES * fmt.channels)
        for part in parts:
            yield _measured(pcm, part, fmt)
        process.finish()


class _Pcm:
    """Decoded sound in the order of the programme, of which the last 3 s can be had again: the next slice's meter warms up on them."""

    def __init__(self, stream: IO[bytes], width: int) -> None:
        self._stream = stream
        self._width = width
        self._before = b""

    def blocks(self, part: Slice) -> Iterator[bytes]:
        """What a slice's meter hears, a second at a time. Every slice that follows another one begins with the last of what that one gave."""
        left = (part.last - max(0, part.first - WARM_UP)) * FRAME * self._width
        again, size = self._before[-min(WARM_UP, part.first) * FRAME * self._width :] if self._before else b"", RATE * self._width
        # As many seconds as the warm-up has, and one more that may not be whole.
        latest: deque[bytes] = deque(maxlen=WARM_UP * FRAME // RATE + 2)
        while left:
            block = again[: min(size, left)]
            again = again[len(block) :]
            if len(block) < min(size, left):
                block += self._stream.read(min(size, left) - len(block))
            if not block:
                break
            left -= len(block)
            latest.append(block)
            yield block
        self._before = b"".join(latest)


def _measured(pcm: _Pcm, part: Slice, fmt: Format) -> Heard:
    import numpy as np

    peak = TruePeak(_BANDWIDTH_HZ.get(fmt.bitrate // fmt.channels, 20_000.0))
    meter = Meter(fmt.channels)
    highest = _Peaks(min(part.first, WARM_UP) * FRAME)
    lost = array("d")
    for block in pcm.blocks(part):
        sides = apart(np.frombuffer(block, "<f4").reshape(-1, fmt.channels))
        peak.add(sides)
        meter.add(sides)
        highest.add(sides)
        lost.append(_lost(sides))
    # Where the file begins there is nothing to hear before it: only the blocks of the first 400 ms are not whole.
    warm_blocks = min(part.first, WARM_UP) * FRAME // _BLOCK if part.first else 3
    # As many whole seconds as the warm-up has are not the slice's own.
    own = lost[min(part.first, WARM_UP) * FRAME // RATE :]
    return Heard(array("d", meter.blocks[warm_blocks:]), peak.value, highest.decibels(), own if any(own) else array("d"))


_LEAST_LOST = -40.0


def _lost(sides: Sides) -> float:
    """What the mean of both sides has less than they have, in dB; 0 for one side, and for next to nothing."""
    import numpy as np

    if len(sides) < 2:
        return 0.0
    left, right, both = (float(np.vdot(a, b)) for a, b in ((sides[0], sides[0]), (sides[1], sides[1]), (sides[0], sides[1])))
    there = (left + right) / 2
    # -60 dBFS: under it nobody speaks.
    if there < 1e-6 * len(sides[0]):
        return 0.0
    return round(max(_LEAST_LOST, 10 * math.log10(max((there + both) / 2 / there, 1e-9))), 2)


class _Peaks:
    """The highest sample of every 100 ms, after the first ``skip`` samples."""

    def __init__(self, skip: int) -> None:
        self._skip = skip
        self._rest: Sides = []
        self._found = array("f")

    def add(self, sides: Sides) -> None:
        skipped = min(self._skip, len(sides[0]))
        self._skip -= skipped
        sides = after(self._rest, [side[skipped:] for side in sides])
        whole = len(sides[0]) // _BLOCK * _BLOCK
        self._rest = [side[whole:].copy() for side in sides] if whole < len(sides[0]) else []
        if whole:
            self._look([side[:whole].reshape(-1, _BLOCK) for side in sides])

    def _look(self, sides: Sides) -> None:
        import numpy as np

        found: Floats = np.max([np.maximum(rows.max(axis=1), -rows.min(axis=1)) for rows in sides], axis=0)
        self._found.frombytes(found.tobytes())

    def decibels(self) -> array[float]:
        """Once everything was added; the last 100 ms need not be whole."""
        import numpy as np

        if self._rest:
            self._look([side.reshape(1, -1) for side in self._rest])
            self._rest = []
        with np.errstate(divide="ignore"):
            levels = 20 * np.log10(np.array(self._found, dtype="f8"))
        return array("d", np.round(np.fmax(levels, FLOOR), 2))


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


_SILENT_LUFS, _SILENT_BLOCKS = -100.0, 10
_LOST_DB, _LOST_SECONDS = -6.0, 5


def silences(parts: Sequence[Slice], heard: Sequence[Heard]) -> list[tuple[int, int]]:
    """Stretches of a second and more of the programme in which there is nothing, in samples."""
    marks: list[tuple[int, int]] = []
    for part, found in zip(parts, heard, strict=True):
        skipped = 3 if part.first == 0 else 0
        for index, block in enumerate(found.blocks):
            if block <= _SILENT_LUFS:
                end = part.first * FRAME + (index + 1 + skipped) * _BLOCK
                marks.append((max(0, end - 4 * _BLOCK), end))
    return [(start, end) for start, end in stretches(marks, _BLOCK) if end - start >= _SILENT_BLOCKS * _BLOCK]


def losses(parts: Sequence[Slice], heard: Sequence[Heard]) -> list[tuple[int, int, float]]:
    """Stretches of five seconds and more of the programme that lose over 6 dB on one loudspeaker: (start, end, dB), in samples."""
    lost = {part.first * FRAME + second * RATE: value for part, found in zip(parts, heard, strict=True) for second, value in enumerate(found.lost)}
    marks = [(at, at + RATE) for at, value in lost.items() if value < _LOST_DB]
    return [
        (start, end, round(sum(inside) / len(inside), 2))
        for start, end in stretches(marks, 2 * RATE)
        if end - start >= _LOST_SECONDS * RATE and (inside := [value for at, value in lost.items() if start <= at < end])
    ]


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
