"""Loudness meter: the K-weighted energy of every 100 ms (ITU-R BS.1770-4, at 48 kHz), and from it the momentary values that gating works on.

A recursive filter cannot be vectorised sample by sample, but over a block of samples it is one matrix: what the block itself sounds like, plus what
the filter still remembers. So the filter is written in its state-space form and runs as a few matrix products, several times as fast as a filter
process and its text output.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from audio.loudness import BLOCKS_PER_SECOND, FLOOR, OFFSET
from audio.sides import Sides, after, as_many
from audio.units import RATE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Doubles = NDArray[np.float64]

STEP = RATE // BLOCKS_PER_SECOND
"""Samples whose energy is one value: 100 ms."""
_SHELF = ((1.53512485958697, -2.69169618940638, 1.19839281085285), (1.0, -1.69065929318241, 0.73248077421585))
_HIGH_PASS = ((1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621))
"""The two filters of BS.1770-4, tables 1 and 2: coefficients (b, a) at 48 kHz."""
_BLOCK = 64
_BLOCKS = STEP // _BLOCK
_STEPS_IN_WINDOW = 4
_AT_ONCE = 10 * STEP
"""Samples filtered at once: what fits into a processor's cache goes twice as fast."""


class Meter:
    """Takes samples as they come and gives momentary loudness. ``dual`` hears one channel from both sides (+3 dB)."""

    def __init__(self, channels: int, *, dual: bool = False) -> None:
        self._channels = channels
        self._weight = 2.0 if dual and channels == 1 else 1.0
        self._rest: Sides = []
        self._states: Sequence[Doubles | None] = [None] * channels
        self._energies: list[Doubles] = []

    def add(self, sides: Sides) -> None:
        """Take a stretch of samples, as many as there are; nothing of them is kept."""
        sides = after(self._rest, sides)
        length = len(sides[0])
        whole = length // STEP * STEP
        self._rest = [side[whole:].copy() for side in sides] if whole < length else []
        for at in range(0, whole, _AT_ONCE):
            self._measure([side[at : min(at + _AT_ONCE, whole)] for side in sides])

    def _measure(self, sides: Sides) -> None:
        # One side stands for both for as long as the filter has heard nothing else.
        alike = len(sides) < self._channels and all(state is self._states[0] for state in self._states)
        found = [_weighted(side, state) for side, state in zip(sides if alike else as_many(sides, self._channels), self._states, strict=False)]
        self._states = [state for _, state in found] * (self._channels if alike else 1)
        energy: Doubles = sum(own for own, _ in found) * (self._channels if alike else 1)  # type: ignore[assignment]
        self._energies.append(energy * self._weight)

    @property
    def blocks(self) -> Doubles:
        """Momentary loudness in LUFS at the end of each whole 100 ms, over the 400 ms before it; at least -120.

        The first three reach back into the silence before the start.
        """
        import numpy as np

        if not self._energies:
            return np.zeros(0)
        energy = np.concatenate(([0.0] * (_STEPS_IN_WINDOW - 1), *self._energies))
        total = np.lib.stride_tricks.sliding_window_view(energy, _STEPS_IN_WINDOW).sum(axis=1) / (_STEPS_IN_WINDOW * STEP)
        with np.errstate(divide="ignore"):
            # fmax: samples that are no numbers have no loudness.
            values: Doubles = np.fmax(OFFSET + 10 * np.log10(total), FLOOR)
        return values


class _Matrices(NamedTuple):
    """The filter over a block of 64 samples: ``own`` (64, 64) what its samples make of themselves, ``heard`` (4, 64) what the state adds,
    ``kept`` (64, 4) what the block leaves in the state; over the 75 blocks of a step: ``carried`` from each block's leavings to the states at all
    76 edges, ``begun`` (4, 76*4) from the first state to the same, ``onward`` (4, 4) from one step's first state to the next one's.
    """

    own: Floats
    heard: Floats
    kept: Floats
    carried: Floats
    begun: Floats
    onward: Doubles


def _weighted(samples: Floats, state: Doubles | None) -> tuple[Doubles, Doubles]:
    """Energy of each 100 ms of one channel after K-weighting, and the filter's state at the end."""
    import numpy as np

    m = _matrices()
    blocks = samples.reshape(-1, _BLOCK)
    left = (blocks @ m.kept).reshape(-1, 4 * _BLOCKS)
    edges = left @ m.carried
    # What a filter remembers after 100 ms lies 200 dB under what it heard: a step's first state needs the step before it, and no other.
    last = edges[:, -4:].astype("f8")
    first = np.zeros(4) if state is None else state
    starts = np.vstack((first, last[0] + m.onward.T @ first if len(last) else first, last[1:] + last[:-1] @ m.onward))
    states = edges[:, :-4] + starts[:-1].astype("f4") @ m.begun[:, :-4]
    out = (blocks @ m.own + states.reshape(-1, 4) @ m.heard).reshape(-1, STEP)
    return np.einsum("ij,ij->i", out, out).astype("f8"), starts[-1]


@lru_cache(maxsize=1)
def _matrices() -> _Matrices:
    import numpy as np

    a, b, c, d = _cascade()
    powers = [np.eye(4)]
    for _ in range(_BLOCK):
        powers.append(powers[-1] @ a)
    response = np.array([d, *(float(c @ power @ b) for power in powers[: _BLOCK - 1])])
    own = np.zeros((_BLOCK, _BLOCK))
    for at in range(_BLOCK):
        own[at, at:] = response[: _BLOCK - at]
    heard = np.array([c @ power for power in powers[:_BLOCK]]).T
    kept = np.array([powers[_BLOCK - 1 - at] @ b for at in range(_BLOCK)])
    step = powers[_BLOCK]
    edges = [np.eye(4)]
    for _ in range(_BLOCKS):
        edges.append(edges[-1] @ step)
    carried = np.zeros((_BLOCKS * 4, (_BLOCKS + 1) * 4))
    for block in range(_BLOCKS):
        for edge in range(block + 1, _BLOCKS + 1):
            carried[block * 4 : block * 4 + 4, edge * 4 : edge * 4 + 4] = edges[edge - 1 - block].T
    begun = np.hstack([power.T for power in edges])

    def single(matrix: Doubles) -> Floats:
        return np.ascontiguousarray(matrix, dtype=np.float32)

    return _Matrices(single(own), single(heard), single(kept), single(carried), single(begun), np.ascontiguousarray(edges[-1].T))


def _cascade() -> tuple[Doubles, Doubles, Doubles, float]:
    """Both filters as one state-space system (A, b, c, d), in coordinates where noise fills every state equally.

    In the plain coordinates the high-pass keeps sums so large that single precision would lose the signal in their difference.
    """
    import numpy as np

    (b0, b1, b2), (_, a1, a2) = _SHELF
    (e0, e1, e2), (_, f1, f2) = _HIGH_PASS
    first = np.array([[-a1, -a2], [1.0, 0.0]])
    second = np.array([[-f1, -f2], [1.0, 0.0]])
    out_first, out_second = np.array([b1 - b0 * a1, b2 - b0 * a2]), np.array([e1 - e0 * f1, e2 - e0 * f2])
    enter = np.array([1.0, 0.0])
    a = np.block([[first, np.zeros((2, 2))], [np.outer(enter, out_first), second]])
    b = np.concatenate((enter, enter * b0))
    c = np.concatenate((e0 * out_first, out_second))
    # The states' covariance for white noise, by doubling: P = sum of A^k b b' A'^k.
    covariance, power = np.outer(b, b), a
    for _ in range(20):
        covariance = covariance + power @ covariance @ power.T
        power = power @ power
    root = np.linalg.cholesky(covariance)
    back = np.linalg.inv(root)
    return back @ a @ root, back @ b, c @ root, b0 * e0
