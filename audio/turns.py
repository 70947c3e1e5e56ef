"""Whose turn it is on tracks that lie on one clock, and how far each is turned down while only others speak. Pure, in steps of 10 ms.

A voice is told from its bleed by where it is louder: each track is compared with the others, both by their own speech, and with how loud the others'
bleed usually is in it. In doubt somebody speaks: a word that is lost is worse than bleed that is heard.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from audio.profile import STEPS_PER_BLOCK

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Doubles = NDArray[np.float64]
    Bools = NDArray[np.bool_]

RECIPE = 1
"""Raised when the same levels would be gated otherwise."""
SILENT = -120.0

# -- who speaks: dB, and blocks of 100 ms --------------------------------------------------------------------------------------------

_OWN = 0.98
_DEEPEST = 26.0
"""dB under a track's own speech where the end of a word is lost in any room."""
_OVER_NOISE = 5.0
_CLEARLY, _LOUDLY = 6.0, -12.0
"""When another speaks alone: so much louder than this one, and no further under its own speech."""
_USUALLY = 0.6
"""Part of the way down to the usual bleed at which a voice is no bleed any more."""
_LEAST, _MOST = 3.0, 24.0
_RINGS = 3
"""Blocks that a room sounds on after a voice."""
_SHORTEST = 2
"""A single block is a click."""
_BREATH = 6
_BEFORE, _AFTER = 3, 4
"""Blocks around what is said that are left open."""

# -- the gate ------------------------------------------------------------------------------------------------------------------------

_WORTH = 8
"""Blocks for which closing is worth it."""
_OPENS, _CLOSES = 20.0, 40.0
"""Steps of 10 ms that the way takes."""


def speaking(levels: Sequence[Floats]) -> Bools:
    """For each track and each 100 ms whether its own speaker speaks, with some room before and after.

    ``levels`` are the loudness of each 10 ms of every track on one clock, all of one length; `SILENT` where there is no track.
    """
    import numpy as np

    loud = np.stack([_blocks(level) for level in levels])
    noise = np.array([float(np.percentile(row[row > SILENT + 1], 10)) if (row > SILENT + 1).any() else SILENT for row in loud])
    own = loud - np.array([[float(np.quantile(row[row > SILENT + 1], _OWN)) if (row > SILENT + 1).any() else 0.0] for row in loud])
    said = np.zeros(loud.shape, bool)
    for one in range(len(loud)):
        said[one] = (own[one] > -_DEEPEST) & (loud[one] > noise[one] + _OVER_NOISE)
        for other in range(len(loud)):
            if other != one:
                rings = _held(own[other])
                said[one] &= own[one] - rings > -_bleeds(own[one], own[other])
    return np.stack([_widened(_steady(row)) for row in said])


def _blocks(level: Floats) -> Doubles:
    import numpy as np

    count = len(level) // STEPS_PER_BLOCK
    energy = 10 ** (level[: count * STEPS_PER_BLOCK].astype("f8") / 10)
    found: Doubles = 10 * np.log10(energy.reshape(count, STEPS_PER_BLOCK).mean(axis=1))
    return found


def _held(own: Doubles) -> Doubles:
    """A level with what a room makes of it: it lasts for some blocks, and falls by 5 dB in each."""
    import numpy as np

    held = own.copy()
    for block in range(1, _RINGS + 1):
        held[block:] = np.maximum(held[block:], own[:-block] - 5.0 * block)
    held[:-1] = np.maximum(held[:-1], own[1:] - 3.0)
    return held


def _bleeds(mine: Doubles, theirs: Doubles) -> float:
    """By how many dB a track is under another, both by their own speech, from where on it holds nothing but the other's bleed."""
    import numpy as np

    alone = (theirs > _LOUDLY) & (theirs - mine > _CLEARLY)
    if np.count_nonzero(alone) < 5:
        return _CLEARLY
    return float(np.clip(_USUALLY * np.median((theirs - mine)[alone]), _LEAST, _MOST))


def _steady(said: Bools) -> Bools:
    """Without clicks, and with the breaths between words."""
    import numpy as np

    found = said.copy()
    edges = np.flatnonzero(np.diff(said, prepend=False, append=False))
    for begin, end in zip(edges[::2], edges[1::2], strict=True):
        near = np.count_nonzero(said[max(0, begin - _BREATH) : end + _BREATH])
        if near < _SHORTEST:
            found[begin:end] = False
    edges = np.flatnonzero(np.diff(found, prepend=False, append=False))
    for end, begin in zip(edges[1::2], edges[2::2], strict=False):
        if begin - end <= _BREATH:
            found[end:begin] = True
    return found


def _widened(said: Bools) -> Bools:
    import numpy as np

    total = np.concatenate(([0], np.cumsum(said)))
    at = np.arange(len(said))
    found: Bools = total[np.minimum(at + _BEFORE + 1, len(said))] > total[np.maximum(at - _AFTER, 0)]
    return found


def gate(said: Bools, most: float, steps: int) -> Doubles:
    """Gain in dB of every track in each of ``steps`` of 10 ms: 0, and -``most`` while others speak and this one does not.

    Where nobody speaks it stays as it was, so that rooms do not come and go between words. The way up ends before the first word, the way down begins
    after the last one.
    """
    import numpy as np

    curves = np.zeros((len(said), steps))
    if most <= 0:
        return curves
    for one in range(len(said)):
        others = np.delete(said, one, axis=0).any(axis=0)
        shut = _kept(np.where(said[one], 0, np.where(others, 1, -1)))
        edges = np.flatnonzero(np.diff(shut, prepend=False, append=False))
        for begin, end in zip(edges[::2], edges[1::2], strict=True):
            if end - begin < _WORTH:
                shut[begin:end] = False
        # What is left over after the last whole block is as that was.
        curves[one] = _sloped(np.repeat(shut, STEPS_PER_BLOCK), most, steps)
    return curves


def _kept(state: NDArray[np.int64]) -> Bools:
    """1 where a track is shut, 0 where it is open; -1 says nothing, and it stays as it was (open, at first)."""
    import numpy as np

    last = np.maximum.accumulate(np.where(state >= 0, np.arange(len(state)), -1))
    found: Bools = (last >= 0) & (state[np.maximum(last, 0)] == 1)
    return found


def _sloped(shut: Bools, most: float, steps: int) -> Doubles:
    """Down where it is shut, all the way up wherever it is open."""
    import numpy as np

    shut = shut[:steps]
    shut = np.pad(shut, (0, steps - len(shut)), mode="edge") if len(shut) else np.zeros(steps, bool)
    at = np.arange(steps)
    since = at - np.maximum.accumulate(np.where(~shut, at, -steps - 100))
    until = np.minimum.accumulate(np.where(~shut, at, 2 * steps + 100)[::-1])[::-1] - at
    found: Doubles = -most * np.minimum(1.0, np.minimum(since / _CLOSES, until / _OPENS))
    return np.round(found, 2) + 0.0
