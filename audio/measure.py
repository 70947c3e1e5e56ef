"""One pass over a recording: how long it really is, how loud, how high its peaks are, and where its silence ends.

The pass streams: of the samples only the first and last seconds are kept, for the search of the edges.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from audio import ffmpeg, graph, leveling, loudness
from audio.clips import silent_edges
from audio.errors import FfmpegFailed, SourceUnreadable
from audio.units import RATE, Db, Lufs, Samples, seconds

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from audio.leveling import Floats, Level
    from audio.source import Source

EDGE_SECONDS = 20
"""Kept of the first and the last samples; silence that lasts longer is followed in the envelope of peaks, in steps of 10 ms."""
_SILENT = Lufs(-60.0)
_ALLOWED_SHORTFALL = 0.25
_ALLOWED_LOSSLESS = 0.02
"""Seconds by which a recording may be shorter than its container says: encoders of lossy formats count their delay in different ways."""
_LOSSLESS = ("pcm_", "flac", "alac", "wavpack")
_HARMLESS = ("Header missing", "Invalid PCM packet")
_FOLLOWING = ("Error while decoding", "Error submitting packet", "Decoding error")
"""What ffmpeg adds to one of these. Half a sample at the end is no loss, and holes between MP3 frames have been looked for before."""
_NOISE = re.compile(r"^(\[[^\]]* @ 0x[0-9a-f]+\] ?)+| at PTS -?\d+")
_BLOCK = RATE // loudness.BLOCKS_PER_SECOND


@dataclass(frozen=True, slots=True)
class Measured:
    """What one pass found. Positions are samples at 48 kHz from the start of the recording.

    [start, end) is what sounds after trimming; ``length`` all that was decoded between the in and out points. ``loudness`` is integrated LUFS of
    [start, end) as it will sound in the programme, ``peak`` the highest sample in dBFS, ``gain`` what brings it to the level asked for, in dB.
    """

    length: Samples
    start: Samples
    end: Samples
    loudness: Lufs
    peak: Db
    gain: Db


@dataclass(frozen=True, slots=True)
class Cut:
    """In and out points (samples; None is the end), whether silence is trimmed, and the air that stays."""

    start: Samples = Samples(0)
    end: Samples | None = None
    trim: bool = True
    air: Samples = Samples(RATE * 15 // 100)


def measure(source: Source, channels: int, cut: Cut, level: Level, progress: Callable[[float], None] = lambda _: None) -> Measured:
    """Decode [in, out) of a recording once. ``progress`` is told seconds done.

    Raises SourceUnreadable when it is shorter than its container says, shorter than the in point, broken, or silent.
    """
    held = min(source.channels, channels)
    argv = graph.measure(ffmpeg.find(), source, channels, cut.start, cut.end)
    collector = _Collector(held)
    try:
        with ffmpeg.Process(argv, metadata=True) as process:
            for block in process.blocks():
                collector.add(block)
                progress(seconds(collector.samples))
            process.finish()
            blocks = loudness.parse_blocks(process.text())
            complaints = process.stderr_lines
    except FfmpegFailed as error:
        if error.returncode < 0:
            raise  # killed by somebody: the recording is not to blame
        raise SourceUnreadable(source.path, f"cannot be decoded: {error.last_line}", "export it again") from error
    _check_length(source, cut, collector.samples, complaints)
    return _found(source, cut, level, collector, blocks)


class _Collector:
    """Counts samples, finds the peak, keeps the edges."""

    def __init__(self, channels: int) -> None:
        self._frame_bytes = graph.SAMPLE_BYTES * channels
        self.channels = channels
        self._edge_bytes = EDGE_SECONDS * RATE * self._frame_bytes
        self._bytes = 0
        self._head: list[bytes] = []
        self._tail: deque[bytes] = deque()
        self._tail_bytes = 0
        self._rest = b""
        self._peaks: list[Floats] = []

    def add(self, block: bytes) -> None:
        import numpy as np

        if self._bytes < self._edge_bytes:
            self._head.append(block)
        self._bytes += len(block)
        self._tail.append(block)
        self._tail_bytes += len(block)
        while self._tail_bytes - len(self._tail[0]) >= self._edge_bytes:
            self._tail_bytes -= len(self._tail.popleft())
        data = self._rest + block
        step = leveling.STEP * self._frame_bytes
        whole = len(data) // step * step
        self._rest = data[whole:]
        if whole:
            self._peaks.append(_highest(np.frombuffer(data[:whole], "<f4").reshape(-1, leveling.STEP * self.channels)))

    @property
    def samples(self) -> Samples:
        return Samples(self._bytes // self._frame_bytes)

    @property
    def peaks(self) -> Floats:
        """The highest absolute sample (linear) in each 10 ms."""
        import numpy as np

        rest = np.frombuffer(self._rest[: len(self._rest) // 4 * 4], "<f4")
        return np.concatenate([*self._peaks, _highest(rest.reshape(1, -1))] if len(rest) else self._peaks or [np.zeros(0)])

    @property
    def head(self) -> bytes:
        return b"".join(self._head)[: self._edge_bytes]

    @property
    def tail(self) -> bytes:
        return b"".join(self._tail)[-self._edge_bytes :]


def _highest(rows: NDArray[np.float32]) -> Floats:
    import numpy as np

    highest: Floats = np.maximum(rows.max(axis=1), -rows.min(axis=1)).astype("f8")
    return highest


def _check_length(source: Source, cut: Cut, decoded: Samples, complaints: list[str]) -> None:
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


def _found(source: Source, cut: Cut, level: Level, collector: _Collector, blocks: list[float]) -> Measured:
    import numpy as np

    length = collector.samples
    whole = loudness.integrated(blocks[3:] or blocks)
    if max(blocks, default=-120.0) < _SILENT:
        raise SourceUnreadable(source.path, f"silent: nothing in it is louder than {_SILENT:g} LUFS", "is it the right file, and the right channel?")
    lead = trail = Samples(0)
    if cut.trim:
        lead, trail = silent_edges(collector.head, collector.tail, collector.peaks, collector.channels, whole, cut.air)
        if lead + trail >= length:
            lead = trail = Samples(0)
    # Steps of 10 ms from the first whole one to the last; their blocks of 100 ms lie on the same edges.
    first, last = -(-lead // _BLOCK), (length - trail) // _BLOCK
    kept = np.array(blocks[first + 3 : last] if last > first + 3 else [max(blocks)])
    steps = _BLOCK // leveling.STEP
    peaks = collector.peaks[first * steps : last * steps]
    # Under 400 ms no block is whole: the highest of the momentary values is the best there is.
    if loudness.integrated(kept.tolist()) == loudness.SILENCE:
        kept = np.array([max(blocks)])
    level_found = loudness.integrated(kept.tolist())
    highest = loudness.decibels(float(collector.peaks.max()))
    # The first three blocks reach back before the cut and are not counted; their steps must not be either.
    gain = (
        leveling.gain(np.concatenate((np.full(3, -120.0), kept)), peaks, level)
        if last > first + 3
        else Db(min(level.target - level_found, level.max_gain))
    )
    return Measured(length, Samples(cut.start + lead), Samples(cut.start + length - trail), level_found, highest, Db(round(gain, 2)))
