"""One pass over a recording: how long it really is, how loud, how high its peaks are, and where its silence ends.

The pass streams: what it decodes stands in a temporary file, from which the edges are looked at again and the segment is rendered.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from audio import leveling, loudness
from audio.clips import silent_edges
from audio.errors import SourceUnreadable
from audio.meter import Meter
from audio.pcm import Pcm, Take
from audio.sides import Sides, after, apart
from audio.units import RATE, Db, Lufs, Samples, samples_from_seconds, seconds

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from audio.leveling import Level
    from audio.source import Source

    Singles = NDArray[np.float32]
    Doubles = NDArray[np.float64]

EDGE_SECONDS = 20
"""Looked at closely at either end; silence that lasts longer is followed in the envelope of peaks, in steps of 10 ms."""
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


def measure(take: Take, cut: Cut, level: Level, folder: Path, progress: Callable[[float], None] = lambda _: None) -> tuple[Measured, Pcm]:
    """Decode a take once; gives what was found and the decoded samples, which the caller closes. ``progress`` is told seconds done.

    Raises SourceUnreadable when it is shorter than its container says, shorter than the in point, broken, or silent.
    """
    # A mono recording is heard from both sides of a stereo programme: its loudness is measured as it will sound.
    meter = Meter(take.held, dual=take.held < take.channels)
    peaks = _Peaks()
    pcm = Pcm(take, folder)

    def listen(samples: Singles) -> None:
        sides = apart(samples)
        meter.add(sides)
        peaks.add(sides)
        progress(seconds(pcm.samples))

    try:
        complaints = pcm.decode(listen)
        _check_length(take.source, cut, pcm.samples, complaints)
        return _found(pcm, cut, level, meter.blocks, peaks.values), pcm
    except BaseException:
        pcm.close()
        raise


def guess(take: Take, size: int) -> Measured:
    """What a take of a file of ``size`` bytes will most likely measure, from what its container says: its length, and nothing else to rely on."""
    # Where no length is declared: as long as a 128 kb/s MP3 of that size, or as 16-bit samples.
    coded = take.source.codec.startswith(("mp3", "aac", "opus", "vorbis"))
    bytes_per_second = 16_000 if coded else take.source.rate * take.source.channels * 2
    whole = samples_from_seconds(take.source.declared or size / bytes_per_second)
    end = Samples(min(whole, whole if take.end is None else take.end))
    start = Samples(min(take.start, end))
    return Measured(Samples(end - start), start, end, Lufs(-23.0), Db(-3.0), Db(0.0))


class _Peaks:
    """The highest absolute sample (linear) in each 10 ms."""

    def __init__(self) -> None:
        self._rest: Sides = []
        self._found: list[Singles] = []

    def add(self, sides: Sides) -> None:
        sides = after(self._rest, sides)
        whole = len(sides[0]) // leveling.STEP * leveling.STEP
        self._rest = [side[whole:].copy() for side in sides] if whole < len(sides[0]) else []
        if whole:
            self._found.append(_highest([side[:whole].reshape(-1, leveling.STEP) for side in sides]))

    @property
    def values(self) -> Singles:
        import numpy as np

        rest = [_highest([side.reshape(1, -1) for side in self._rest])] if self._rest else []
        return np.concatenate([*self._found, *rest]) if self._found or rest else np.zeros(0, "f4")


def _highest(sides: Sides) -> Singles:
    """The highest absolute value in each row of all sides."""
    import numpy as np

    return np.max([np.maximum(rows.max(axis=1), -rows.min(axis=1)) for rows in sides], axis=0)  # type: ignore[no-any-return]


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


def _found(pcm: Pcm, cut: Cut, level: Level, blocks: Doubles, peaks: Singles) -> Measured:
    import numpy as np

    length = pcm.samples
    loudest = blocks.max(initial=loudness.FLOOR)
    if loudest < _SILENT:
        why = f"silent: nothing in it is louder than {_SILENT:g} LUFS"
        raise SourceUnreadable(pcm.take.source.path, why, "is it the right file, and the right channel?")
    lead = trail = Samples(0)
    if cut.trim:
        edge = min(length, EDGE_SECONDS * RATE)
        whole = loudness.integrated(blocks[3:] if len(blocks) > 3 else blocks)
        lead, trail = silent_edges(pcm.read(0, edge), pcm.read(length - edge, length), peaks, whole, cut.air)
        if lead + trail >= length:
            lead = trail = Samples(0)
    # Steps of 10 ms from the first whole one to the last; their blocks of 100 ms lie on the same edges.
    first, last = -(-lead // _BLOCK), (length - trail) // _BLOCK
    kept = blocks[first + 3 : last] if last > first + 3 else np.full(1, loudest)
    steps = _BLOCK // leveling.STEP
    # Under 400 ms no block is whole: the highest of the momentary values is the best there is.
    if loudness.integrated(kept) == loudness.SILENCE:
        kept = np.full(1, loudest)
    level_found = loudness.integrated(kept)
    highest = loudness.decibels(float(peaks.max()))
    # The first three blocks reach back before the cut and are not counted; their steps must not be either.
    gain = (
        leveling.gain(np.concatenate((np.full(3, -120.0), kept)), peaks[first * steps : last * steps], level)
        if last > first + 3
        else Db(min(level.target - level_found, level.max_gain))
    )
    return Measured(length, Samples(cut.start + lead), Samples(cut.start + length - trail), level_found, highest, Db(round(gain, 2)))
