"""Where one track lies on the clock of another: offset and drift, found from whatever both microphones heard.

A voice reaches the other microphone too (bleed), or both hear the same clap or loudspeaker. Windows of one whitened track are searched for in the
other; a line through where they are found is offset and drift, and how many windows agree with it says whether to believe it. Who speaks when says
nothing here: tracks that share turns and no sound are refused.

Bleed is late by the way that sound takes. Where each voice is heard in the other's microphone, one is late and the other one early by the same, and
the way is known and falls out. Where only one is, the way cannot be told from the offset, and is taken from a distance (`APART`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from audio import ffmpeg
from audio.profile import STEP
from audio.units import RATE
from audio.whiten import WHITE_RATE, Whitened

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Doubles = NDArray[np.float64]
    Ints = NDArray[np.int64]

RECIPE = 1
"""Raised when the same tracks would be found to lie otherwise."""
APART = 2.0
"""Metres between a microphone and the speaker who bleeds into it, where nobody says: across a table. From 0.3 to 3.7 m it is right within 5 ms."""
SOUND = 343.0
"""Metres that sound goes in a second."""
FEWEST = 3
"""Windows that must agree: any two lie on a line."""

# -- the search: seconds, unless it is said ------------------------------------------------------------------------------------------

_LOOK = 4
_MOST_LOOKS = 24
_KNOCK = 0.4
_MOST_KNOCKS = 8
"""Sharp sounds that are searched for by themselves: claps, for who wears headphones."""
_NEAR = 180
"""Recorders are started within this of each other; whatever is not found there is looked for everywhere."""
_BLOCK = 1 << 17
SURE = 7.0
"""How far over the rest (its RMS) the best place stands. In 77 pairs of recordings of strangers it was 5 to 8 and once 13, for one window in some
fifty; never did two agree."""
_SHARP = 10.0
"""The same of a sharp sound, which is short and like many others."""
_ROUGHLY = 0.03
"""Two windows agree when they say the same within this: each may be late or early by the way of some metres."""
_MOST_DRIFT = 400e-6
"""Two clocks of the worst kind that is sold."""
_APART_KNOCKS = 0.25

# -- the fit -------------------------------------------------------------------------------------------------------------------------

_BLOCKS = RATE // 10 // STEP
_SMOOTH = 5
"""Blocks of 100 ms."""
_ALONE = 6.0
"""dB by which one track is louder, both compared with their own speech, when its speaker speaks alone."""
_OWN = 0.98
_SPEAKING, _BOTH = -20.0, -15.0
"""dB to a track's own speech."""
_SHORTEST, _LONGEST = 10, 20
"""Blocks of a window in which one speaks alone."""
_MOST_WINDOWS = 100
_REACH = 0.06
_CLOSE = 1e-3
"""Windows agree with the line within this."""
_CLEAR = 5.0
"""How far a window's best place stands over what is not near it (RMS): with nothing in common it is 2.5 to 4.2, with bleed 18 dB under the other
voice 10 to 30."""
_BESIDE = 40
"""Samples at 8 kHz around the best place that are near it: 5 ms."""
_HALF = 0.5
"""Part of the clear windows that must agree."""
_KNOWN = 1e-3
"""Drift counts as known when over the whole track it is uncertain by less than this."""
_FINEST = 5e-5
"""No window is taken to be more exact: people move by centimetres."""


class Track(NamedTuple):
    """What is compared of a track: its whitened sound and the loudness of each 10 ms."""

    white: Whitened
    level: Floats


@dataclass(frozen=True, slots=True)
class Place:
    """Where a track lies on the first track's clock: it begins at ``offset`` seconds, and its clock is ``drift`` (parts in 1) too fast."""

    offset: float = 0.0
    drift: float = 0.0

    def within(self, seconds: Doubles) -> Doubles:
        """The moments of the track that belong to moments of the first one."""
        return (seconds - self.offset) * (1 + self.drift)

    def after(self, first: Place) -> Place:
        """Where it lies if this was its place on the clock of a track that itself lies at ``first``."""
        return Place(first.offset + self.offset / (1 + first.drift), (1 + self.drift) * (1 + first.drift) - 1)


@dataclass(frozen=True, slots=True)
class Found:
    """A place and what speaks for it: ``agreeing`` of ``windows`` lie within a millisecond of the line, and ``residual`` seconds off it (RMS);
    ``likeness`` is the correlation of what was compared there (median). ``way`` in seconds is how late bleed is, ``heard`` whether that was
    measured, from bleed in both directions. ``drifts``: the windows are far enough apart to tell the drift; else it is taken for none.
    """

    place: Place
    agreeing: int
    windows: int
    residual: float
    likeness: float
    way: float
    heard: bool
    drifts: bool


@dataclass(frozen=True, slots=True)
class Unrelated:
    """Why two tracks have no common clock that can be found: of ``windows``, ``agreeing`` clear ones said the same; the likeliest place stood
    ``best`` times over the RMS of all others, with a correlation of ``likeness``.
    """

    agreeing: int
    windows: int
    best: float
    likeness: float


class _Look(NamedTuple):
    """A stretch of one track that is searched for in the other, in samples at 8 kHz; ``forth``: it is of the first track."""

    start: int
    length: int
    forth: bool


class _Sight(NamedTuple):
    """Where a look was found: the moment on the first track, its length, and how much later it is in the other one (all in seconds)."""

    at: float
    length: float
    lag: float
    sure: float
    likeness: float


def align(first: Track, other: Track, apart: float | None = None) -> Found | Unrelated:
    """Find where ``other`` lies on the clock of ``first``. ``apart`` in metres is how far the speaker who bleeds is from the microphone."""
    looks = [*_looks(first, True), *_looks(other, False)]
    best = Unrelated(0, len(looks), 0.0, 0.0)
    for reach in (_NEAR, None):
        sights = _search(first, other, looks, reach)
        agreeing, rough = _agree([sight for sight in sights if sight.sure > (SURE if sight.length > _KNOCK else _SHARP)])
        if rough is not None:
            found = _fitted(first, other, *rough, (APART if apart is None else apart) / SOUND)
            if isinstance(found, Found):
                return found
            agreeing = found
        likeliest = max((sight for sight in sights if sight.length > _KNOCK), key=lambda sight: sight.sure, default=_Sight(0, 0, 0, 0, 0))
        if likeliest.sure >= best.best:
            best = Unrelated(agreeing, len(looks), likeliest.sure, likeliest.likeness)
        if max(first.white.samples, other.white.samples) <= _NEAR * WHITE_RATE:
            break
    return best


# -- the search ----------------------------------------------------------------------------------------------------------------------


def _looks(track: Track, forth: bool) -> list[_Look]:
    """The loudest stretch of every part of a track, and its sharpest sounds."""
    import numpy as np

    length = min(_LOOK * WHITE_RATE, track.white.samples)
    steps = length * RATE // WHITE_RATE // STEP
    level = np.maximum(track.level, -70.0).astype("f8")
    if not length or len(level) < steps or not steps:
        return []
    total = np.concatenate(([0.0], np.cumsum(level)))
    loud = total[steps:] - total[:-steps]
    count = min(_MOST_LOOKS, max(1, len(level) // steps))
    edges = np.linspace(0, len(loud), count + 1).astype(int)
    begins = [low + int(loud[low:high].argmax()) for low, high in pairwise(edges) if high > low]
    found = [_Look(begin * STEP * WHITE_RATE // RATE, length, forth) for begin in begins if loud[begin] > -69.0 * steps]
    return found + [_Look(at, round(_KNOCK * WHITE_RATE), forth) for at in _knocks(level)]


def _knocks(level: Doubles) -> list[int]:
    """Where sharp sounds begin: steps that are far louder than what was before, the loudest first, none close to another."""
    import numpy as np

    if len(level) < 20:
        return []
    before = np.lib.stride_tricks.sliding_window_view(level, 10).max(axis=1)
    rise = level[11:] - before[:-1][: len(level) - 11]
    chosen: list[int] = []
    for step in (np.argsort(-(rise + level[11:]), kind="stable")[:200] + 11).tolist():
        if all(abs(step - other) > _APART_KNOCKS * 100 for other in chosen):
            chosen.append(step)
        if len(chosen) == _MOST_KNOCKS:
            break
    return [max(0, step - 5) * STEP * WHITE_RATE // RATE for step in chosen]


def _search(first: Track, other: Track, looks: Sequence[_Look], reach: int | None) -> list[_Sight]:
    sights: list[_Sight] = []
    for forth, source, target in ((True, first, other), (False, other, first)):
        for length in sorted({look.length for look in looks if look.forth == forth}):
            chosen = [look for look in looks if look.forth == forth and look.length == length]
            for look, (place, sure, likeness) in zip(chosen, _best(source.white, target.white, chosen, reach), strict=True):
                here, there = look.start / WHITE_RATE, place / WHITE_RATE
                sights.append(
                    _Sight(here, length / WHITE_RATE, there - here, sure, likeness)
                    if forth
                    else _Sight(there, length / WHITE_RATE, here - there, sure, likeness)
                )
    return sights


def _best(source: Whitened, target: Whitened, looks: Sequence[_Look], reach: int | None) -> list[tuple[int, float, float]]:
    """Where each look fits best, how far over the rest that is, and the correlation there."""
    import numpy as np

    length = looks[0].length
    span = _BLOCK - length
    spectra, weights = [], []
    for look in looks:
        sound = source.read(look.start, look.start + length)
        spectra.append(np.conj(np.fft.rfft(sound, _BLOCK)).astype("c8"))
        weights.append(float(np.sqrt(np.vdot(sound, sound) * length)) or 1.0)
    places, tops = np.zeros(len(looks), "i8"), np.zeros(len(looks))
    squares, counts = np.zeros(len(looks)), np.zeros(len(looks))
    for at in range(-length, target.samples, span):
        touched = [
            index
            for index, look in enumerate(looks)
            if reach is None or (at < look.start + reach * WHITE_RATE and at + span > look.start - reach * WHITE_RATE)
        ]
        if not touched:
            continue
        ffmpeg.stop_if_cancelled()
        spectrum = np.fft.rfft(target.read(at, at + _BLOCK)).astype("c8")
        for index in touched:
            alike = np.fft.irfft(spectrum * spectra[index], _BLOCK)[:span]
            top = int(alike.argmax())
            squares[index] += float(np.vdot(alike, alike))
            counts[index] += np.count_nonzero(alike)
            if alike[top] > tops[index]:
                tops[index], places[index] = alike[top], at + top
    usual = np.sqrt(squares / np.maximum(counts, 1))
    return [(int(p), float(t / u) if u > 0 else 0.0, float(t / w)) for p, t, u, w in zip(places, tops, usual, weights, strict=True)]


def _agree(sights: Sequence[_Sight]) -> tuple[int, tuple[float, float, list[_Sight]] | None]:
    """How many sights agree; and the line (lag at 0 and slope) that they agree with, and these, when they are enough."""
    import numpy as np

    if not sights:
        return 0, None
    at, length, lag = np.array([(one.at, one.length, one.lag) for one in sights], "f8").T
    line, inside = _line(at, lag, _ROUGHLY, 30.0)
    agreeing = _different(at[inside], length[inside])
    return agreeing, (*line, [sights[index] for index in np.flatnonzero(inside).tolist()]) if agreeing >= FEWEST else None


def _different(begin: Doubles, length: Doubles) -> int:
    """How many stretches there are that have nothing in common: what is alike by chance for a moment is so in all that hold it."""
    end, count, last = begin + length, 0, -math.inf
    for index in end.argsort(kind="stable").tolist():
        if begin[index] >= last:
            count, last = count + 1, float(end[index])
    return count


def _line(at: Doubles, lag: Doubles, close: float, wide: float) -> tuple[tuple[float, float], NDArray[np.bool_]]:
    """The line through two of the points (or a level one through one) that most points are ``close`` to, fitted to these. Points that are less than
    ``wide`` seconds apart tell no slope.
    """
    import numpy as np

    one, two = np.triu_indices(len(at), 1)
    apart = at[two] - at[one]
    usable = np.abs(apart) > wide
    slopes = np.concatenate((np.zeros(len(at)), (lag[two] - lag[one])[usable] / apart[usable]))
    starts = np.concatenate((lag, lag[one][usable] - slopes[len(at) :] * at[one][usable]))
    possible = np.abs(slopes) <= _MOST_DRIFT
    slopes, starts = slopes[possible], starts[possible]
    counts = np.zeros(len(slopes), "i8")
    errors = np.zeros(len(slopes))
    for moment, late in zip(at.tolist(), lag.tolist(), strict=True):
        off = np.abs(late - starts - slopes * moment)
        counts += off < close
        errors += np.minimum(off, close)
    best = int(np.lexsort((errors, -counts))[0])
    inside = np.abs(lag - starts[best] - slopes[best] * at) < close
    if np.ptp(at[inside]) > wide:
        slope, start = np.polyfit(at[inside] - at[0], lag[inside], 1)
        if abs(slope) <= _MOST_DRIFT:
            return (float(start - slope * at[0]), float(slope)), inside
    return (float(np.mean(lag[inside] - slopes[best] * at[inside])), float(slopes[best])), inside


# -- the fit -------------------------------------------------------------------------------------------------------------------------


def _fitted(first: Track, other: Track, start: float, slope: float, seen: Sequence[_Sight], way: float) -> Found | int:
    """The exact place, from many short windows near where a line ``start`` + ``slope`` * t says; how many were clear when those are too few."""
    import numpy as np

    windows = _windows(first, other, start, slope, seen)
    sights = [_compared(first.white, other.white, at, length, start + slope * (at + length / 2)) for at, length, _ in windows]
    at, lag, alike, clear = np.array(sights, "f8").reshape(-1, 4).T
    length = np.array([length for _, length, _ in windows], "f8")
    side = np.array([side for _, _, side in windows], "i8")
    chosen = np.zeros(len(side), bool)
    for which in (1, -1):
        mine = np.flatnonzero((side == which) & (clear > _CLEAR))
        agreeing = _agreeing(at[mine], length[mine], lag[mine])
        chosen[mine[agreeing]] = True
    tried = int(np.count_nonzero(side))
    both = all(np.count_nonzero(chosen & (side == which)) >= FEWEST for which in (1, -1))
    if not chosen.any():
        # Neither hears the other: a sound from elsewhere, which is late in both.
        mine = np.flatnonzero((side == 0) & (clear > _CLEAR))
        chosen[mine[_agreeing(at[mine], length[mine], lag[mine])]] = True
        tried, way = int(np.count_nonzero(side == 0)), 0.0
    elif not both:
        # In one direction only: what is not enough in the other one is chance.
        chosen &= side == (1 if np.count_nonzero(chosen & (side > 0)) >= np.count_nonzero(chosen & (side < 0)) else -1)
        tried = int(np.count_nonzero(side == side[chosen][0]))
    if not chosen.any():
        return min(FEWEST - 1, int(np.count_nonzero(clear > _CLEAR)))
    return _solved(at[chosen], lag[chosen], side[chosen], alike[chosen], tried, way, both, len(other.level) * STEP / RATE)


def _agreeing(at: Doubles, length: Doubles, lag: Doubles) -> Ints:
    """Which of some windows, of which the middles are given, lie on one line; none when those are too few to mean anything."""
    import numpy as np

    if len(at) < FEWEST:
        return np.zeros(0, "i8")
    inside = np.flatnonzero(_line(at, lag, _CLOSE, 5.0)[1])
    begin = at - length / 2
    needed = max(FEWEST, _HALF * _different(begin, length))
    return inside if _different(begin[inside], length[inside]) >= needed else np.zeros(0, "i8")


def _solved(at: Doubles, lag: Doubles, side: Ints, alike: Doubles, tried: int, way: float, both: bool, length: float) -> Found:
    """Least squares for offset, drift and, where there are both directions, the way."""
    import numpy as np

    middle = float(at.mean())
    if not both:
        lag = lag - side * way
    columns = [np.ones(len(at)), at - middle, *([side.astype("f8")] if both else [])]

    def solve(use: Sequence[int]) -> tuple[Doubles, Doubles]:
        system = np.stack([columns[index] for index in use], axis=1)
        answer = np.linalg.lstsq(system, lag, rcond=None)[0]
        return answer, lag - system @ answer

    every = list(range(len(columns)))
    answer, rest = solve(every)
    residual = float(np.sqrt(np.mean(rest**2)))
    spread = float(np.sqrt(np.sum((at - middle) ** 2)))
    drifts = len(at) > len(columns) and spread > 0 and max(residual, _FINEST) / spread * length < _KNOWN
    slope = float(answer[1])
    if not drifts:
        answer, rest = solve([0, *every[2:]])
        residual, slope = float(np.sqrt(np.mean(rest**2))), 0.0
    if both:
        way = float(answer[-1])
    # What is later by start + slope * t lies where the moment 0 of the track is on the other clock.
    start = float(answer[0]) - slope * middle
    return Found(Place(-start / (1 + slope), slope), len(at), tried, residual, float(np.median(alike)), way, both, drifts)


def _windows(first: Track, other: Track, start: float, slope: float, seen: Sequence[_Sight]) -> list[tuple[float, float, int]]:
    """Stretches to compare, in seconds of the first track: the beginning, the length, and who speaks: 1 the first, -1 the other, 0 both or nobody."""
    import numpy as np

    count = len(first.level) // _BLOCKS
    moments = (np.arange(count * _BLOCKS) + 0.5) * STEP / RATE
    steps = np.floor((moments * (1 + slope) + start) * RATE / STEP).astype("i8")
    there = (steps >= 0) & (steps < len(other.level))
    heard = np.where(there, other.level[np.clip(steps, 0, len(other.level) - 1)], -120.0)
    mine, theirs = (_relative(level, there) for level in (first.level[: count * _BLOCKS], heard))
    inside = there.reshape(-1, _BLOCKS).all(axis=1)
    sides = np.full(count, 9)
    sides[inside & (np.minimum(mine, theirs) > _BOTH)] = 0
    sides[inside & (mine - theirs > _ALONE) & (mine > _SPEAKING)] = 1
    sides[inside & (theirs - mine > _ALONE) & (theirs > _SPEAKING)] = -1
    found: list[tuple[float, float, int]] = []
    edges = np.flatnonzero(np.diff(sides, prepend=8, append=8))
    for low, high in pairwise(edges):
        if sides[low] != 9:
            cuts = range(int(low), int(high), _LONGEST)
            found += [(at / 10, min(_LONGEST, int(high) - at) / 10, int(sides[low])) for at in cuts if int(high) - at >= _SHORTEST]
    kept: list[tuple[float, float, int]] = [(sight.at, sight.length, 0) for sight in seen]
    for which in (1, -1, 0):
        some = [one for one in found if one[2] == which]
        kept += [some[index] for index in np.unique(np.linspace(0, len(some) - 1, _MOST_WINDOWS).round().astype(int))] if some else []
    return kept


def _relative(level: Floats, there: NDArray[np.bool_]) -> Doubles:
    """Level of each 100 ms, smooth, in dB to the track's own speech: what its loudest fiftieth reaches, for a guest may say little."""
    import numpy as np

    energy = (10 ** (level.astype("f8") / 10)).reshape(-1, _BLOCKS).mean(axis=1)
    smooth = np.convolve(energy, np.full(_SMOOTH, 1 / _SMOOTH), "same") if len(energy) >= _SMOOTH else energy
    found: Doubles = 10 * np.log10(np.maximum(smooth, 1e-12))
    inside = found[there.reshape(-1, _BLOCKS).all(axis=1)]
    return found - (float(np.quantile(inside, _OWN)) if len(inside) else 0.0)


def _compared(first: Whitened, other: Whitened, at: float, length: float, lag: float) -> tuple[float, float, float, float]:
    """The middle of a window, by how much it is later in the other track, the correlation there, and how far that stands over what is not near."""
    import numpy as np

    reach = round(_REACH * WHITE_RATE)
    begin, count = round(at * WHITE_RATE), round(length * WHITE_RATE)
    there = begin + round(lag * WHITE_RATE)
    sound, room = first.read(begin, begin + count), other.read(there - reach, there + count + reach)
    size = 1 << (count + 2 * reach).bit_length()
    alike = np.fft.irfft(np.fft.rfft(room.astype("f8"), size) * np.conj(np.fft.rfft(sound.astype("f8"), size)), size)[: 2 * reach + 1]
    top = int(alike[1:-1].argmax()) + 1
    left, peak, right = (float(alike[top + step]) for step in (-1, 0, 1))
    bend = left - 2 * peak + right
    exact = top + (0.5 * (left - right) / bend if bend < 0 else 0.0)
    energy = float(np.vdot(sound, sound)) * float(np.vdot(room[top : top + count], room[top : top + count]))
    far = alike[np.abs(np.arange(len(alike)) - top) > _BESIDE]
    usual = float(np.sqrt(np.mean(far**2)))
    late = (there - begin - reach + exact) / WHITE_RATE
    return at + length / 2, late, peak / np.sqrt(energy) if energy > 0 else 0.0, peak / usual if usual > 0 else 0.0
