"""A true-peak limiter for samples on their way to the encoder.

Where nothing reaches the ceiling, samples pass untouched. Where something does, the gain is taken down over the 5 ms before it and comes back with a
time constant of 80 ms. Peaks between samples are seen (by interpolation, next to samples that come near the ceiling). ffmpeg's `alimiter`
was measured first: at 48 kHz it let peaks through that were 1.7 dB over its limit once they were decoded; at twice the rate it cost
0.23 of an encode.

The gain is computed in steps of 16 samples on blocks of one second that are counted from the first sample: how the samples arrive changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from audio.truepeak import REACH, between
from audio.units import RATE, Db

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Doubles = NDArray[np.float64]

RECIPE = 1
"""Part of the key of what is rendered: raised when the same samples would come out otherwise."""
_STEP = 16
_ATTACK = 15
"""Steps (5 ms) over which the gain goes down."""
_RELEASE = RATE * 80 // 1000 // _STEP
_NEAR = 0.7
"""Share of the ceiling from which a sample is looked beside: what lies between lower ones exceeds it only in sound above 12 kHz."""
_BLOCK = RATE
_AHEAD = (2 * _ATTACK + 2) * _STEP
"""Samples that must be known after a block before its gain is."""


def limited(blocks: Iterable[bytes], channels: int, ceiling: Db) -> Iterator[bytes]:
    """f32le in, f32le out, the same number of samples, none of them (nor between them) over ``ceiling`` dBFS."""
    frame = 4 * channels
    limiter = _Limiter(channels, 10 ** (ceiling / 20))
    waiting = bytearray()
    for block in blocks:
        waiting += block
        while len(waiting) >= (_BLOCK + _AHEAD) * frame:
            yield limiter.block(bytes(waiting[: (_BLOCK + _AHEAD) * frame]), _BLOCK)
            del waiting[: _BLOCK * frame]
    while waiting:
        size = min(_BLOCK, len(waiting) // frame)
        yield limiter.block(bytes(waiting[: (size + _AHEAD) * frame]), size)
        del waiting[: size * frame]


class _Limiter:
    def __init__(self, channels: int, ceiling: float) -> None:
        import numpy as np

        self._channels = channels
        self._ceiling = ceiling
        self._release: float = 0.0
        """Gain reduction (natural log) of the last step before this block, already released."""
        self._before: Doubles | None = None
        """The reductions of the steps before this block, into which the smoothing reaches back; None at the start."""
        self._context: Floats = np.zeros((REACH, channels), dtype=np.float32)

    def block(self, data: bytes, size: int) -> bytes:
        """Limit the first ``size`` samples; the rest is what comes after them."""
        import numpy as np

        samples = np.frombuffer(data, "<f4").reshape(-1, self._channels)
        known = np.concatenate((self._context, samples))
        self._context = known[size : size + REACH].copy() if len(known) >= size + REACH else known[-REACH:].copy()
        needed = self._needed(known)
        if needed is None and self._release < 1e-5 and (self._before is None or not self._before.any()):
            self._release, self._before = 0.0, np.zeros(_ATTACK)
            return data[: size * 4 * self._channels]
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
        return (samples[:size] * gain[:, None]).tobytes()

    def _needed(self, known: Floats) -> Doubles | None:
        """Reduction (natural log) that each step needs by itself; None when no step needs any. ``known`` begins REACH samples early."""
        import numpy as np

        near_enough = self._ceiling * _NEAR
        if known.max() < near_enough and known.min() > -near_enough:
            return None
        size = np.abs(known[:, 0])
        for channel in range(1, self._channels):
            size = np.maximum(size, np.abs(known[:, channel]))
        near = np.flatnonzero(size[REACH:] >= near_enough) + REACH
        if not len(near):
            return None
        peaks = size[near]
        inside = near < len(known) - REACH
        for channel in range(self._channels):
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
    lines = edges[:steps, None] + (edges[1 : steps + 1] - edges[:steps])[:, None] * way
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
