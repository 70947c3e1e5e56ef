"""What a recording is recognised by, whoever encoded it again, changed its level or began it somewhere else: when its syllables come. Pure.

A print holds the places of the syllables' peaks, and the loudness of every 100 ms. Two recordings that share seven peaks in a row with the same six
distances may be the same there; many such places with one offset, and loudness that goes the same way, say that they are.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from audio.profile import STEP, STEPS_PER_BLOCK, Profile
from audio.recipes import PRINTS
from audio.units import Samples

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Counts = NDArray[np.int64]
    Doubles = NDArray[np.float64]

RECIPE = PRINTS
SHORTEST = 20.0
"""Seconds that have to be the same: less is a jingle, a phrase that is said twice, or chance."""
_SMOOTH = 9
_APART, _VALLEY = 15, 30
_DEEP = 5.0
_UNDER = 30.0
_INTERVALS, _GRID, _LONGEST = 6, 4, 250
_MOST = 16
"""What comes more often is a beat, or what every section begins with, and tells nothing."""
_SAME_OFFSET = 4
_NEXT, _FEWEST = 800, 6
"""Steps within which the next place with the same offset follows, and how many places there are at least."""
_SELF = 1000
"""Steps by which a stretch of a recording is repeated at least."""
_LOOK, _FURTHER = 25, 5
_ALIKE, _STILL_ALIKE = 0.9, 0.87
"""Correlation of loudness over a whole stretch, and over each two and a half seconds of it (blocks), which go on by half a second."""
_QUIETEST = -100


@dataclass(frozen=True, eq=False, slots=True)
class Print:
    """``peaks``: steps of 10 ms; ``loudness``: dB of each 100 ms. Both count from the first decoded sample."""

    peaks: Counts
    loudness: Counts

    def packed(self) -> str:
        """As text, to be kept."""
        import numpy as np

        data = len(self.peaks).to_bytes(4, "little") + np.diff(self.peaks, prepend=0).astype("<i4").tobytes() + self.loudness.astype("i1").tobytes()
        return base64.b85encode(zlib.compress(data, 6)).decode()

    @classmethod
    def unpacked(cls, text: str) -> Print:
        import numpy as np

        data = zlib.decompress(base64.b85decode(text))
        count = int.from_bytes(data[:4], "little")
        return cls(np.cumsum(np.frombuffer(data, "<i4", count, 4), dtype="i8"), np.frombuffer(data, "i1", offset=4 + 4 * count).astype("i8"))


class Same(NamedTuple):
    """Samples [start, end) of a recording, counted from its first decoded one, are the same as those of ``other`` from ``there`` on."""

    one: str
    other: str
    start: Samples
    end: Samples
    there: Samples


def print_of(profile: Profile) -> Print:
    import numpy as np

    level = np.maximum(profile.level, np.float32(_QUIETEST))
    smooth = 10 * np.log10(np.convolve(10 ** (level / 10), np.full(_SMOOTH, 1 / _SMOOTH), "same") + 1e-12)
    loudness = np.clip(np.rint(profile.momentary), _QUIETEST, 27).astype("i8")
    if len(smooth) < 2 * _VALLEY:
        return Print(np.zeros(0, "i8"), loudness)
    highest = _windowed(smooth, _APART, np.max)
    lowest = _windowed(smooth, _VALLEY, np.min)
    loud = smooth > np.percentile(smooth, 95) - _UNDER
    return Print(np.flatnonzero((smooth == highest) & (smooth - lowest > _DEEP) & loud).astype("i8"), loudness)


def _windowed(curve: Doubles, reach: int, of: object) -> Doubles:
    import numpy as np

    padded = np.pad(curve, reach, mode="edge")
    found: Doubles = of(np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1), axis=1)  # type: ignore[operator]
    return found


def same(prints: Mapping[str, Print], others: Mapping[str, Print]) -> list[Same]:
    """Stretches of at least 20 s that two of ``prints`` share, that one of them has twice, or that one has in common with one of ``others``.

    Of each two recordings, or each repetition, in order; the earlier name of ``prints`` comes first.
    """
    import numpy as np

    names = [*prints, *others]
    every = [*prints.values(), *others.values()]
    known = [_known(one.peaks) for one in every]
    hashes = np.concatenate([found for found, _ in known]) if known else np.zeros(0, "i8")
    owner = np.repeat(np.arange(len(known)), [len(found) for found, _ in known])
    at = np.concatenate([places for _, places in known]) if known else np.zeros(0, "i8")
    order = np.argsort(hashes, kind="stable")
    hashes, owner, at = hashes[order], owner[order], at[order]
    _, inverse, counts = np.unique(hashes, return_inverse=True, return_counts=True)
    rare = counts[inverse] <= _MOST
    hashes, owner, at = hashes[rare], owner[rare], at[rare]
    found: list[Same] = []
    for number, one in enumerate(prints.values()):
        pairs = _pairs(one.peaks, hashes, owner, at, number)
        for other in np.unique(pairs[:, 0]):
            places = pairs[pairs[:, 0] == other][:, 1:]
            if other == number:
                places = places[places[:, 1] - places[:, 0] >= _SELF]
            found += [Same(names[number], names[other], *stretch) for stretch in _stretches(places, one, every[other])]
    return found


def _intervals(peaks: Counts) -> Counts:
    """The distances from each peak to the next six, one to the other; shape (n, 6)."""
    import numpy as np

    if len(peaks) <= _INTERVALS:
        return np.zeros((0, _INTERVALS), "i8")
    return np.lib.stride_tricks.sliding_window_view(np.diff(peaks), _INTERVALS)


def _known(peaks: Counts) -> tuple[Counts, Counts]:
    """A number for each seven peaks, and where the first of them is."""
    import numpy as np

    intervals = _intervals(peaks)
    usable = (intervals < _LONGEST).all(axis=1)
    # What comes in a steady beat is like itself everywhere.
    usable &= np.ptp(intervals, axis=1) >= _GRID if len(intervals) else usable
    return _number(intervals[usable] // _GRID), peaks[: len(intervals)][usable]


def _number(quantised: Counts) -> Counts:
    import numpy as np

    found: Counts = quantised @ (64 ** np.arange(_INTERVALS, dtype="i8"))
    return found


def _pairs(peaks: Counts, hashes: Counts, owner: Counts, at: Counts, number: int) -> Counts:
    """(owner, place here, place there) of everything that may be the same, where the owner is no earlier one than ``number``.

    A peak is found 10 ms earlier or later after a recording was encoded again: each distance may fall into either of two bins.
    """
    import numpy as np

    intervals, places = _intervals(peaks), peaks[: max(0, len(peaks) - _INTERVALS)]
    low, high = (intervals - 1) // _GRID, (intervals + 1) // _GRID
    differ = low != high
    found: list[Counts] = [np.zeros((0, 3), "i8")]
    for choice in range(1 << _INTERVALS):
        bits = (choice >> np.arange(_INTERVALS)) & 1 == 1
        usable = (differ | ~bits).all(axis=1)
        wanted = _number(np.where(bits, high, low)[usable])
        first, last = np.searchsorted(hashes, wanted, "left"), np.searchsorted(hashes, wanted, "right")
        counts = last - first
        index = np.repeat(first - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
        here = np.repeat(places[usable], counts)
        kept = (owner[index] > number) | ((owner[index] == number) & (at[index] > here))
        found.append(np.stack((owner[index], here, at[index]), axis=1)[kept])
    return np.concatenate(found)


def _stretches(places: Counts, one: Print, other: Print) -> Iterator[tuple[Samples, Samples, Samples]]:
    import numpy as np

    offsets = places[:, 1] - places[:, 0]
    order = np.lexsort((places[:, 0], offsets // _SAME_OFFSET))
    places, offsets = places[order], offsets[order]
    group = offsets // _SAME_OFFSET
    edges = np.flatnonzero((np.diff(group) != 0) | (np.diff(places[:, 0]) > _NEXT)) + 1
    taken: list[tuple[int, int, int]] = []
    for part in np.split(np.arange(len(places)), edges):
        if len(part) < _FEWEST:
            continue
        offset = int(np.median(offsets[part]))
        first, last = int(places[part[0], 0]), int(places[part[-1], 0])
        if any(abs(offset - known) <= 2 * _SAME_OFFSET and first < end and last > start for start, end, known in taken):
            continue
        grown = _grown(one.loudness, other.loudness, first // STEPS_PER_BLOCK, last // STEPS_PER_BLOCK, round(offset / STEPS_PER_BLOCK))
        if grown is None:
            continue
        start, end = grown[0] * STEPS_PER_BLOCK, grown[1] * STEPS_PER_BLOCK
        taken.append((start, end, offset))
        yield Samples(start * STEP), Samples(end * STEP), Samples((start + offset) * STEP)


def _grown(one: Counts, other: Counts, first: int, last: int, offset: int) -> tuple[int, int] | None:
    """The stretch around blocks [first, last) in which loudness goes the same way; None when it is too short, or does not."""
    low, high = max(0, -offset), min(len(one), len(other) - offset)
    if high - low < SHORTEST * 10:
        return None
    pair = _windows(one, other, low, high, offset)
    first, last = max(first, low) - low, min(max(last, first + _LOOK), high) - low
    last += _FURTHER * _still(pair, last + _FURTHER - _LOOK, (high - low - last) // _FURTHER, 1)
    first -= _FURTHER * _still(pair, first - _FURTHER, first // _FURTHER, -1)
    here = slice(first + low, last + low)
    if last - first < SHORTEST * 10 or _likeness(one[None, here], other[None, here.start + offset : here.stop + offset])[0] < _ALIKE:
        return None
    return here.start, here.stop


def _windows(one: Counts, other: Counts, low: int, high: int, offset: int) -> tuple[Counts, Counts]:
    """Two and a half seconds from each block of [low, high) on that has them, of both."""
    import numpy as np

    return (
        np.lib.stride_tricks.sliding_window_view(one[low:high], _LOOK),
        np.lib.stride_tricks.sliding_window_view(other[low + offset : high + offset], _LOOK),
    )


def _still(pair: tuple[Counts, Counts], start: int, most: int, way: int) -> int:
    """How many windows, at most so many, are like each other, one after the other: from ``start`` on, each half a second further in one ``way``."""
    import numpy as np

    done, some = 0, 16
    while done < most:
        some = min(2 * some, most - done)
        # At an end, the last window that is whole.
        at = np.clip(start + way * _FURTHER * np.arange(done, done + some), 0, len(pair[0]) - 1)
        alike = _likeness(pair[0][at], pair[1][at]) >= _STILL_ALIKE
        if not alike.all():
            return done + int(np.argmin(alike))
        done += some
    return done


def _likeness(one: Counts, other: Counts) -> Doubles:
    """Of each row with the same row of the other."""
    import numpy as np

    a, b = (np.maximum(rows, rows.max(axis=1, keepdims=True) - 40).astype("f8") for rows in (one, other))
    a -= a.mean(axis=1, keepdims=True)
    b -= b.mean(axis=1, keepdims=True)
    energy = np.sqrt(np.einsum("ij,ij->i", a, a) * np.einsum("ij,ij->i", b, b))
    found: Doubles = np.where(energy > 0, np.einsum("ij,ij->i", a, b) / np.where(energy > 0, energy, 1), 0.0)
    return found
