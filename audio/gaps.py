"""Holes and clicks in a voice, found in what it does within each millisecond.

A voice sets in at once but dies away: its resonances lose a few dB in a millisecond, and where a low note crosses zero its slope is steepest.
A hole has two sharp edges, in the level and in the slope, and lies far under what is around it. A lossy encoder fills it with its noise, which hides
the edges of the slope; then what moves within each millisecond tells, apart from what stands still. A click is a millisecond whose third difference
stands alone between neighbours of 15 ms, while the voice goes on as it was: plosives and the pulses of a throat do not. Encoders smear it, over a
window of 9 ms; so neighbours that are nearer may be louder, as long as they fall off to both sides.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator
from typing import TYPE_CHECKING

from audio.units import RATE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Counts = NDArray[np.int32]
    Hole = tuple[int, int, float, float, float, float, float]
    """ms, length in ms, dB before, in most of and after it, dB of its lesser edge and of its depth."""

HOLE_COLUMNS = 7
"""Of a hole: where (ms), how long (ms), what is before, in most of and after it (tenths of dBFS), the lesser of its two edges, and its depth (tenths
of dB).
"""
CLICK_COLUMNS = 4
"""Of a click: where (ms), by how much it stands out (tenths of dB), how loud it is on the quieter side of it and in it (tenths of dBFS)."""

MS = RATE // 1000
_FALL = 15.0
_LONGEST = 2500
_QUIETEST = -65.0
_STEEPEST = 36.0
"""dB between the levels of a sound and of its slope, at most: it is that of 120 Hz."""
_MOST_OF_SLOPE = 20 * math.log10(MS / math.pi)
"""dB between the levels of what moves within a millisecond and of its slope, at most (Wirtinger's inequality)."""
_SHARP, _ENCODER_MS, _SHORTEST, _EDGE, _FILLED = 25.0, 26, 4, 20.0, 65.0
"""Holes told by what moves alone: no voice falls and rises again by so many dB within 2 ms. Within an encoder's window (1152 samples at 44.1 kHz) a
lesser edge tells, too, where it and the depth of what is between come to so many dB: to 56 in clean speech, to 63 in made voices.
"""
_SMEARED, _MOSTLY, _HEARD = 5, 25, 10
"""Milliseconds from which on a hole is as quiet as its quieter quarter (percent), and those on either side that tell how loud it is there."""
_AS_LOUD = 25.0
"""After a hole it sets in no more than so many dB quieter than before."""
_CLICK, _STEADY = 14.0, 10.0
_CLEAR, _CHANGE = 27.0, 40.0
"""What a click stands out by, and by how much the voice may grow with it: one that sets in makes clicks of its own (clean speech: up to 24), so only
a clear one may stand before a larger change; one that dies away makes none. Between sound and zeros it is no click but a cut.
"""
_NEXT_TO, _AROUND = 3, 15
_SMEAR = ((_NEXT_TO, 0.0), (6, 4.0), (8, 12.0))
"""Milliseconds from which on a click stands out, and by how much more if it was smeared: not at all, or both by the second and by the third."""
_LESS = 12.0
"""What is smeared stands out by so many dB less next to it: the burst of a plosive is as loud for some milliseconds."""
_NOTHING = 1e-14
_AT_ONCE = 16_384
_BEFORE, _AFTER = 20, _LONGEST + 20
"""Milliseconds that are looked at again with what comes after them, and those that have to be there before something is judged."""


class Gaps:
    """Takes one side, second by second."""

    def __init__(self) -> None:
        import numpy as np

        self._last = np.zeros(3, "f4")
        self._level, self._moving, self._slope, self._edge = (array("f", [_NOTHING] * _BEFORE) for _ in range(4))
        self._first = -_BEFORE
        self._holes, self._clicks = array("i"), array("i")

    def add(self, samples: Floats, energy: Floats, mean: Floats) -> None:
        """The next whole seconds, and the mean square and the mean of each of their milliseconds."""
        import numpy as np

        known = np.concatenate((self._last, samples))
        self._last = known[-3:].copy()
        slope = known[1:] - known[:-1]
        edge = slope[1:] - slope[:-1]
        edge = edge[1:] - edge[:-1]
        np.abs(edge, out=edge)
        slope = slope[2:]
        self._level.frombytes(energy.tobytes())
        self._moving.frombytes((energy - mean * mean).tobytes())
        self._slope.frombytes(mean_squares(slope, MS).tobytes())
        # Twice as quick as the highest of each of so many short rows.
        self._edge.frombytes(np.maximum.reduceat(edge, np.arange(0, len(edge), MS)).tobytes())
        if len(self._level) >= _AT_ONCE + _BEFORE + _AFTER:
            self._look(len(self._level) - _AFTER)

    def _look(self, until: int) -> None:
        """Judge what lies in the first ``until`` milliseconds that are kept, and forget them."""
        import numpy as np

        level, moving, slope = (decibels(np.array(curve)) for curve in (self._level, self._moving, self._slope))
        # What is left of a difference of two that are nearly the same is rounding.
        moving = np.minimum(moving, slope + np.float32(_MOST_OF_SLOPE))
        # What stands still is a hole, too, however high it stands.
        level = np.minimum(level, slope + np.float32(_STEEPEST))
        edge = decibels(np.array(self._edge) ** 2)
        for at, length, *said in sorted({*holes(level, slope), *filled(moving, level)}):
            if _BEFORE <= at < until:
                self._holes.extend((at + self._first, length, *(round(10 * value) for value in said)))
        for at, *found in clicks(level, edge):
            if _BEFORE <= at < until:
                self._clicks.extend((at + self._first, *(round(10 * value) for value in found)))
        for curve in (self._level, self._moving, self._slope, self._edge):
            del curve[: until - _BEFORE]
        self._first += until - _BEFORE

    def tables(self) -> tuple[Counts, Counts]:
        """The holes and the clicks, in order, once everything was heard."""
        import numpy as np

        for curve in (self._level, self._moving, self._slope, self._edge):
            curve.extend([_NOTHING] * _AFTER)
        self._look(len(self._level) - _AFTER)
        return tuple(  # type: ignore[return-value]
            np.array(found, "i4").reshape(-1, columns) for found, columns in ((self._holes, HOLE_COLUMNS), (self._clicks, CLICK_COLUMNS))
        )


def mean_squares(samples: Floats, length: int) -> Floats:
    """Of stretches of so many samples each."""
    import numpy as np

    rows = samples.reshape(-1, length)
    found: Floats = np.einsum("ij,ij->i", rows, rows)
    found *= np.float32(1 / length)
    return found


def decibels(power: Floats) -> Floats:
    import numpy as np

    # fmax: samples that are no numbers have no level.
    found: Floats = 10 * np.log10(np.fmax(power, np.float32(_NOTHING)))
    return found


def holes(level: Floats, slope: Floats) -> list[Hole]:
    """Where it is quiet between two edges that are sharp in both curves."""
    import numpy as np

    before, after, falls, rises = _edges(level)
    _, _, slope_falls, slope_rises = _edges(slope)
    return _between(level, level, (before, after, np.minimum(falls, slope_falls), np.minimum(rises, slope_rises)), _FALL)


def _edges(curve: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """What is before and after each millisecond, and by how much it falls and rises there."""
    before, after = _over(curve, -3, -1), _over(curve, 1, 3)
    return before, after, before - _over(curve, 1, 2), after - _over(curve, -2, -1)


def _between(level: Floats, loudness: Floats, edges: tuple[Floats, Floats, Floats, Floats], least: float) -> list[Hole]:
    """Where ``level`` is low between two edges of so many dB at least. How loud it is beside them is told by ``loudness``; a depth is not.

    A lesser edge that comes first hides those within: a voice dies away in steps.
    """
    import numpy as np

    before, after, falls, rises = edges
    highest, quietest = before - _FALL + 3, before - _AS_LOUD
    # What ends a hole has to be heard, too.
    ends = np.flatnonzero(rises[:-_HEARD] >= _FALL)
    found: list[Hole] = []
    last = -1
    for at, number in _begun(level, highest, np.flatnonzero((falls >= _FALL) & (before > _QUIETEST)), ends):
        if at <= last:
            continue
        inside, seen = -math.inf, at + 1
        for end in ends[number:].tolist():
            if end - at > _LONGEST:
                break
            inside, seen = max(inside, float(level[seen:end].max())), end
            if inside > highest[at]:
                break
            if after[end] >= quietest[at]:
                edge = float(min(falls[at], rises[end]))
                # The edge is seen some milliseconds ahead.
                last = end + int(np.argmax(level[end : end + 4] > inside + _FALL / 2))
                if edge < least:
                    break
                # An encoder smears what is beside a hole into it.
                mostly = float(np.percentile(level[at + 1 : end], _MOSTLY)) if last - at >= _SMEARED else inside
                beside = [slice(max(0, first), first + _HEARD) for first in (at - _HEARD, last + 1)]
                depth = min(float(level[side].max()) for side in beside) - mostly
                before_it, after_it = (float(loudness[side].max()) for side in beside)
                found.append((at, last - at, before_it, mostly, after_it, edge, depth))
                break
    return found


def _begun(level: Floats, highest: Floats, falls: NDArray[np.intp], ends: NDArray[np.intp]) -> Iterator[tuple[int, int]]:
    """Those ``falls`` after which it is low until the first of the ``ends`` at least, and the number of that one: a few of very many."""
    import numpy as np

    number = np.searchsorted(ends, falls + 2)
    falls, number = falls[number < len(ends)], number[number < len(ends)]
    if not len(falls):
        return
    inside = np.maximum.reduceat(level, np.stack((falls + 1, ends[number]), axis=1).ravel())[::2]
    low = (inside <= highest[falls]) & (ends[number] - falls <= _LONGEST)
    yield from zip(falls[low].tolist(), number[low].tolist(), strict=True)


def filled(moving: Floats, loudness: Floats) -> list[Hole]:
    """Holes that are none of a voice's, by the edges and the depth of what moves alone."""
    kept = []
    for hole in _between(moving, loudness, _edges(moving), _EDGE):
        _, length, *_, edge, depth = hole
        if (length >= _SHORTEST and edge >= _SHARP) or by_encoder(length, edge, depth):
            kept.append(hole)
    return kept


def by_encoder(length: int, edge: float, depth: float) -> bool:
    """Whether a hole of so many ms is one that an encoder filled, by its lesser edge and its depth in dB."""
    return _SHORTEST <= length < _ENCODER_MS and edge >= _EDGE and edge + depth >= _FILLED


def clicks(level: Floats, edge: Floats) -> list[tuple[int, float, float, float]]:
    """Milliseconds whose edge stands alone: (ms, dB over its surroundings, dBFS on the quieter side of it, and in it)."""
    import numpy as np

    by = _stands_out(edge)
    before, after = _over(level, -8, -_NEXT_TO), _over(level, _NEXT_TO, 8)
    louder = after - before
    steady = (np.abs(louder) < _CHANGE) & ((louder < _STEADY) | (by >= _CLEAR))
    alone = (by >= _CLICK) & (edge >= _over(edge, 1 - _NEXT_TO, _NEXT_TO - 1)) & steady
    own, beside = _over(level, -1, 1), np.minimum(before, after)
    return [(int(at), float(by[at]), float(beside[at]), float(own[at])) for at in np.flatnonzero(alone)]


def _stands_out(edge: Floats) -> Floats:
    """dB by which each millisecond stands out: of all beside it, or of all that an encoder's smear leaves."""
    import numpy as np

    around, over, last = np.full(len(edge), -140.0, "f4"), [], _AROUND
    for first, more in reversed(_SMEAR):
        around = np.maximum(around, np.maximum(_over(edge, -last, -first), _over(edge, first, last)))
        over.append(edge - around - np.float32(more))
        last = first - 1
    far, middle, near = over
    found: Floats = np.maximum(near, np.minimum(np.minimum(middle, far), near + np.float32(_LESS)))
    return found


def _over(curve: Floats, first: int, last: int) -> Floats:
    """The highest of curve[n + first] to curve[n + last], for each n; nothing is beyond its ends."""
    import numpy as np

    count = len(curve)
    padded = np.full(count + max(0, -first) + max(0, last), -140.0, "f4")
    padded[max(0, -first) : max(0, -first) + count] = curve
    found, reach = padded[first + max(0, -first) :], 1
    while reach < last - first + 1:
        # What is known of so many values is twice as much, moved by as many.
        step = min(reach, last - first + 1 - reach)
        found = np.maximum(found[:-step], found[step:])
        reach += step
    return found[:count]
