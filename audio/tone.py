"""Room tone: a stretch of a recording in which nothing is heard but the room, to be looped under a gap. Pure, in steps of 10 ms."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from audio.speech import PAUSE, SPEECH
from audio.units import Lufs

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Singles = NDArray[np.float32]
    Flags = NDArray[np.bool_]

_PER_BLOCK = 10
_CELL = 5
"""Steps that are looked at together: a room is no more even than 50 ms show it."""
_LENGTHS = (60, 50, 40, 30, 24, 20, 16, 12, 10, 8)
"""Cells in the stretches that are tried: 3 s to 0.4 s."""
_FROM_SPEECH = 3
"""Cells kept away from speech (150 ms): a word begins before it is loud, and rings on."""
_FROM_OTHER = 10
_GATED = -90.0
"""LUFS. What is quieter is no room but a gate or nothing."""
_EVEN = 4.0
"""dB between the loudest and the quietest 100 ms of a stretch, at most: so none is far over 3 dB from the whole."""
_CREST = 6.0
"""dB by which the highest peak may stand out from the usual one: 2 to 4 dB in noise, over 10 dB at a click."""
_HISS = 5.0
"""dB by which 10 ms may be brighter than the rest: a breath, lips, cloth or paper are by 10 dB."""
_DARK = 18.0
"""So far under the level treble is not heard, however it changes."""
_UNUSUAL = 3.0
"""dB by which a stretch may differ from the usual pause."""
_PER_HALF = 1.5
"""dB less even that a stretch of twice the length may be."""
_TRIED = 2_000
"""Stretches of one length to choose from, evenly taken from all there are."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """The steps [start, end) of a recording, and their loudness."""

    start: int
    end: int
    level: Lufs


def find(level: Singles, peak: Singles, treble: Singles, classes: NDArray[np.int8]) -> Stretch | None:
    """The longest and most even stretch, of 0.4 to 3 s, of what the pauses of a recording sound like.

    ``level`` (LUFS), ``peak`` and ``treble`` (dBFS) are of each 10 ms, ``classes`` of each 100 ms. None for a recording in which nobody speaks or
    nobody pauses, and for one whose pauses are silence: gated, or put together from pieces.
    """
    import numpy as np

    count = len(level) // _CELL
    free = _free(classes, count)
    if not free.any():
        return None
    cells = _cells(level, peak, treble, count)
    heard = level[: count * _CELL].reshape(-1, _CELL).min(axis=1) > _GATED
    if _mostly_silent(free, heard):
        return None
    free &= heard
    usual: float | None = None
    best: tuple[float, int, int, float] | None = None
    for length in reversed(_LENGTHS):
        if length > count or not len((found := _even(free, cells, length)).at):
            break
        if usual is None:
            # Half of what pauses hold may be no room, so the even ones tell how it sounds; but they may be few, and loud or quiet by chance.
            quiet, middle = 10 * np.log10(np.percentile(cells.energy[free], (25, 50)))
            usual = float(np.clip(np.median(found.level), quiet, middle))
        near = np.abs(found.level - usual) < _UNUSUAL
        if not near.any():
            continue
        cost = np.where(near, found.spread + np.abs(found.level - usual) + _PER_HALF * math.log2(_LENGTHS[0] / length), np.inf)
        which = int(cost.argmin())
        if best is None or cost[which] <= best[0]:
            best = float(cost[which]), int(found.at[which]), length, float(found.level[which])
    if best is None:
        return None
    _, at, length, loudness = best
    return Stretch(at * _CELL, (at + length) * _CELL, Lufs(round(loudness, 2)))


def _free(classes: NDArray[np.int8], count: int) -> Flags:
    """Which cells are pause, and far enough from anything else; none of a recording without speech."""
    import numpy as np

    free = np.zeros(count, bool)
    if not (classes == SPEECH).any():
        return free
    each = np.repeat(classes, _PER_BLOCK // _CELL)[:count]
    free[: len(each)] = each == PAUSE
    for away, taken in ((_FROM_SPEECH, each == SPEECH), (_FROM_OTHER, (each != SPEECH) & (each != PAUSE))):
        for edge, side in ((np.flatnonzero(taken[1:] > taken[:-1]) + 1, -1), (np.flatnonzero(taken[:-1] > taken[1:]), 1)):
            for step in range(1, away + 1):
                near = edge + side * step
                free[near[(near >= 0) & (near < count)]] = False
    return free


@dataclass(frozen=True, slots=True, eq=False)
class _Cells:
    """Of each 50 ms: energy, that of the treble, that of the treble in its brightest step, and the highest peak in dBFS."""

    energy: Singles
    bright: Singles
    brightest: Singles
    peak: Singles


def _cells(level: Singles, peak: Singles, treble: Singles, count: int) -> _Cells:
    import numpy as np

    whole, bright = (np.power(np.float32(10), curve[: count * _CELL] * np.float32(0.1)).reshape(-1, _CELL) for curve in (level, treble))
    return _Cells(whole.mean(axis=1), bright.mean(axis=1), bright.max(axis=1), peak[: count * _CELL].reshape(-1, _CELL).max(axis=1))


def _mostly_silent(free: Flags, heard: Flags) -> bool:
    """Whether pauses are silence more often than not; silence before the first sound and after the last is no pause."""
    import numpy as np

    sounding = np.flatnonzero(heard)
    if not len(sounding):
        return True
    within = slice(int(sounding[0]), int(sounding[-1]) + 1)
    return bool(2 * np.count_nonzero(free[within] & heard[within]) <= np.count_nonzero(free[within]))


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """Stretches of one length: the cell that each begins with, its loudness, and dB between its loudest and its quietest 100 ms."""

    at: NDArray[np.intp]
    level: Singles
    spread: Singles


def _even(free: Flags, cells: _Cells, length: int) -> _Found:
    """Every stretch of ``length`` cells that is even in level, without a click, a breath or a rustle."""
    import numpy as np

    total = np.concatenate(([0], np.cumsum(free, dtype="i4")))
    at = np.flatnonzero(total[length:] - total[:-length] == length)
    at = at[:: 1 + len(at) // _TRIED]

    def inside(values: Singles) -> Singles:
        found: Singles = np.lib.stride_tricks.sliding_window_view(values, length)[at]
        return found

    energy, peaks = inside(cells.energy), inside(cells.peak)
    whole = energy.mean(axis=1)
    # Over 100 ms, wherever they begin.
    pairs = (energy[:, 1:] + energy[:, :-1]) / 2
    spread = 10 * np.log10(pairs.max(axis=1) / pairs.min(axis=1))
    usual = np.maximum(inside(cells.bright).mean(axis=1) * 10 ** (_HISS / 10), whole * 10 ** (-_DARK / 10))
    good = (spread < _EVEN) & (peaks.max(axis=1) - peaks.mean(axis=1) < _CREST) & (inside(cells.brightest).max(axis=1) < usual)
    return _Found(at[good], 10 * np.log10(whole[good]), spread[good])
