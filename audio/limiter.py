"""A true-peak limiter for samples on their way to the encoder.

Where nothing reaches the ceiling, samples pass untouched. Where something does, the gain is taken down over the 5 ms before it and comes back with a
time constant of 80 ms. Peaks between samples are seen (by interpolation, next to samples that come near the ceiling). ffmpeg's `alimiter`
was measured first: at 48 kHz it let peaks through that were 1.7 dB over its limit once they were decoded; at twice the rate it cost
0.23 of an encode.

The gain is computed in steps of 16 samples on blocks of two seconds that are counted from the first sample: where one begins to read changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from audio.truepeak import REACH, between
from audio.units import RATE, Db

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Doubles = NDArray[np.float64]

RECIPE = 2
"""Part of the key of what is rendered: raised when the same samples would come out otherwise."""
_STEP = 16
_ATTACK = 15
"""Steps (5 ms) over which the gain goes down."""
_RELEASE = RATE * 80 // 1000 // _STEP
_NEAR = 0.7
"""Share of the ceiling from which a sample is looked beside: what lies between lower ones exceeds it only in sound above 12 kHz."""
_BLOCK = 2 * RATE
"""Twenty-five time constants of the release: what happened before it is forgotten to the last bit."""
_AHEAD = (2 * _ATTACK + 2) * _STEP
"""Samples that must be known after a block before its gain is."""


Read = Callable[[int, int], "Floats"]
"""Gives samples [start, end) as float32 of shape (n, channels)."""


def limited(read: Read, length: int, ceiling: Db, start: int = 0, end: int | None = None) -> Iterator[Floats]:
    """The stretch [start, end) of ``length`` samples, none of them (nor between them) over ``ceiling`` dBFS, a block at a time.

    What is given out does not depend on where it begins: the block before is looked at as well, and nothing lasts longer than that.
    """
    import numpy as np

    end = length if end is None else end
    limiter = _Limiter(10 ** (ceiling / 20))
    for at in range(max(0, start // _BLOCK - 1) * _BLOCK, end, _BLOCK):
        size = min(_BLOCK, length - at)
        known = read(max(0, at - REACH), min(length, at + size + _AHEAD))
        if at < REACH:
            known = np.concatenate((np.zeros((REACH - at, known.shape[1]), dtype=np.float32), known))
        block = limiter.block(known, size)
        if at + size > start:
            yield block[max(0, start - at) : end - at]


class _Limiter:
    def __init__(self, ceiling: float) -> None:
        self._ceiling = ceiling
        self._release: float = 0.0
        """Gain reduction (natural log) of the last step before this block, already released."""
        self._before: Doubles | None = None
        """The reductions of the steps before this block, into which the smoothing reaches back; None at the start."""

    def block(self, known: Floats, size: int) -> Floats:
        """Limit ``size`` samples, of which ``known`` has REACH more before them, and what comes after them."""
        import numpy as np

        samples = known[REACH:]
        needed = self._needed(known)
        if needed is None and self._release < 1e-5 and (self._before is None or not self._before.any()):
            self._release, self._before = 0.0, np.zeros(_ATTACK)
            return samples[:size]
        steps = -(-len(samples) // _STEP)
        if needed is None:
            needed = np.zeros(steps)
        own = -(-size // _STEP)
        held = _ahead(needed)[: own + 1]
        reduction = self._released(held)
        # At the very start there was nothing to go down from: the gain begins where the first peaks need it.
        before = np.full(_ATTACK, reduction[0]) if self._before is None else self._before
        trail = np.concatenate((before, reduction))
        smooth = np.convolve(trail, np.full(_ATTACK, 1 / _ATTACK), "valid")
        gain = _between_edges(np.exp(-smooth).astype("f4"), size)
        self._release = float(reduction[own - 1])
        self._before = trail[own : own + _ATTACK]
        out = np.empty_like(samples[:size])
        for channel in range(out.shape[1]):
            # Much quicker than one product that has to spread the gain over the channels.
            np.multiply(samples[:size, channel], gain, out=out[:, channel])
        return out

    def _needed(self, known: Floats) -> Doubles | None:
        """Reduction (natural log) that each step needs by itself; None when no step needs any. ``known`` begins REACH samples early."""
        import numpy as np

        near_enough = self._ceiling * _NEAR
        if known.max() < near_enough and known.min() > -near_enough:
            return None
        size = np.abs(known[:, 0])
        for channel in range(1, known.shape[1]):
            np.maximum(size, np.abs(known[:, channel]), out=size)
        near = np.flatnonzero(size[REACH:] >= near_enough) + REACH
        if not len(near):
            return None
        peaks = size[near]
        inside = near < len(known) - REACH
        for channel in range(known.shape[1]):
            column = np.ascontiguousarray(known[:, channel])
            if inside.any():
                peaks[inside] = np.maximum(peaks[inside], between(column, near[inside]))
        over = peaks > self._ceiling
        if not over.any():
            return None
        needed = np.zeros(-(-(len(known) - REACH) // _STEP))
        np.maximum.at(needed, (near[over] - REACH) // _STEP, np.log(peaks[over] / self._ceiling))
        return needed

    def _released(self, held: Doubles) -> Doubles:
        """The largest of what is held now and what was held before, decayed."""
        import numpy as np

        at = np.arange(1, len(held) + 1) / _RELEASE
        with np.errstate(divide="ignore"):
            decayed = np.log(np.concatenate(([self._release], held))) + np.concatenate(([0.0], at))
        out: Doubles = np.exp(np.maximum.accumulate(decayed)[1:] - at)
        out[out < 1e-6] = 0.0
        return out


def _between_edges(edges: Floats, size: int) -> Floats:
    """One value for each of ``size`` samples: straight lines between the values at the edges of steps."""
    import numpy as np

    steps = -(-size // _STEP)
    edges = np.concatenate((edges, np.full(max(0, steps + 1 - len(edges)), edges[-1], dtype=np.float32)))
    way = np.arange(_STEP, dtype=np.float32) / _STEP
    lines = (edges[1 : steps + 1] - edges[:steps])[:, None] * way
    lines += edges[:steps, None]
    return np.asarray(lines.reshape(-1)[:size], dtype=np.float32)


def _ahead(needed: Doubles) -> Doubles:
    """The largest need within the attack before it, one step to spare on either side for the lines between steps."""
    import numpy as np

    wide = np.concatenate((needed, np.zeros(_ATTACK + 1)))
    # A step's need must stand when its first sample sounds and still when its last one does.
    late = np.concatenate(([0.0], needed))[: len(needed)]
    held = np.maximum(needed, late)
    for step in range(1, _ATTACK + 1):
        held = np.maximum(held, wide[step : step + len(needed)])
    return held
