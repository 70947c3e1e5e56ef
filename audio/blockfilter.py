"""Recursive filters as matrix products.

A recursive filter cannot be vectorised sample by sample, but over a block of samples it is one matrix: what the block itself sounds like, plus what
the filter still remembers. In its state-space form it runs as a few matrix products, several times as fast as a filter process and its text output.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from audio.units import RATE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Doubles = NDArray[np.float64]

STEP = RATE // 10
"""Samples are taken in whole steps: 100 ms."""
_BLOCK = 32
_BLOCKS = 15
"""Blocks in a group."""
_GROUPS = 10
"""Groups in a step."""

assert _BLOCK * _BLOCKS * _GROUPS == STEP

Section = tuple[tuple[float, float, float], tuple[float, float, float]]
"""Coefficients (b, a) of a second-order filter, a[0] = 1."""


class Chain(NamedTuple):
    """How the filter's n states go through k stretches of sound: ``carried`` (k*n, (k+1)*n) from what each stretch leaves to the states at all edges,
    ``begun`` (n, k*n) from the first state to the states at which the stretches begin.
    """

    carried: Floats
    begun: Floats


class Matrices(NamedTuple):
    """The filter over a block of 32 samples, with n states: ``own`` (32, 32) what its samples make of themselves, ``heard`` (n, 32) what the state
    adds, ``kept`` (32, n) what the block leaves in the state; then how states go through the blocks of a group and the groups of a step;
    ``onward`` (n, n) from one step's first state to the next one's.
    """

    own: Floats
    heard: Floats
    kept: Floats
    group: Chain
    step: Chain
    onward: Doubles


def filtered(samples: Floats, sections: tuple[Section, ...], state: Doubles | None = None) -> tuple[Floats, Doubles]:
    """One channel (whole steps) after a cascade of filters, as rows of 32 samples, and the state at the end.

    For filters that have forgotten, 300 ms later, what they heard: a step's first state needs the three steps before it, and no other.
    """
    import numpy as np

    m = matrices(sections)
    states = len(m.heard)
    blocks = samples.reshape(-1, _BLOCK)
    # First from silence: what blocks leave at the edges of their group, and groups at the edges of their step.
    inside = (blocks @ m.kept).reshape(-1, _BLOCKS * states) @ m.group.carried
    edges = inside[:, -states:].reshape(-1, _GROUPS * states) @ m.step.carried
    last = edges[:, -states:].astype("f8")
    starts = np.vstack((np.zeros(states) if state is None else state, last))
    for _ in range(3):
        starts[1:] = last + starts[:-1] @ m.onward
    # Then what was there before, the other way round.
    groups = (edges[:, :-states] + starts[:-1].astype("f4") @ m.step.begun).reshape(-1, states)
    held = inside[:, :-states] + groups @ m.group.begun
    out: Floats = blocks @ m.own
    out += held.reshape(-1, states) @ m.heard
    return out, starts[-1]


@lru_cache(maxsize=8)
def matrices(sections: tuple[Section, ...]) -> Matrices:
    import numpy as np

    a, b, c, d = _cascade(sections)
    powers = [np.eye(len(b))]
    for _ in range(_BLOCK):
        powers.append(powers[-1] @ a)
    response = np.array([d, *(float(c @ power @ b) for power in powers[: _BLOCK - 1])])
    own = np.zeros((_BLOCK, _BLOCK))
    for at in range(_BLOCK):
        own[at, at:] = response[: _BLOCK - at]
    heard = np.array([c @ power for power in powers[:_BLOCK]]).T
    kept = np.array([powers[_BLOCK - 1 - at] @ b for at in range(_BLOCK)])
    group, after_group = _chain(powers[_BLOCK], _BLOCKS)
    step, after_step = _chain(after_group, _GROUPS)
    return Matrices(_single(own), _single(heard), _single(kept), group, step, np.ascontiguousarray(after_step.T))


def _chain(over: Doubles, count: int) -> tuple[Chain, Doubles]:
    """Through ``count`` stretches, each of which takes the state by the matrix ``over``; and the matrix of all of them."""
    import numpy as np

    states = len(over)
    powers = [np.eye(states)]
    for _ in range(count):
        powers.append(powers[-1] @ over)
    carried = np.zeros((count * states, (count + 1) * states))
    for left in range(count):
        for edge in range(left + 1, count + 1):
            carried[left * states : (left + 1) * states, edge * states : (edge + 1) * states] = powers[edge - 1 - left].T
    return Chain(_single(carried), _single(np.hstack([power.T for power in powers[:-1]]))), powers[-1]


def _single(matrix: Doubles) -> Floats:
    import numpy as np

    return np.ascontiguousarray(matrix, dtype=np.float32)


def _cascade(sections: tuple[Section, ...]) -> tuple[Doubles, Doubles, Doubles, float]:
    """All filters as one state-space system (A, b, c, d), in coordinates where noise fills every state equally.

    In the plain coordinates a high-pass keeps sums so large that single precision would lose the signal in their difference.
    """
    import numpy as np

    a, b, c, d = np.zeros((0, 0)), np.zeros(0), np.zeros(0), 1.0
    for (b0, b1, b2), (_, a1, a2) in sections:
        own, enter = np.array([[-a1, -a2], [1.0, 0.0]]), np.array([1.0, 0.0])
        out = np.array([b1 - b0 * a1, b2 - b0 * a2])
        a = np.block([[a, np.zeros((len(a), 2))], [np.outer(enter, c), own]])
        b = np.concatenate((b, enter * d))
        c, d = np.concatenate((b0 * c, out)), b0 * d
    # The states' covariance for white noise, by doubling: P = sum of A^k b b' A'^k.
    covariance, power = np.outer(b, b), a
    for _ in range(20):
        covariance = covariance + power @ covariance @ power.T
        power = power @ power
    root = np.linalg.cholesky(covariance)
    back = np.linalg.inv(root)
    return back @ a @ root, back @ b, c @ root, d


def high_pass(corner: float) -> tuple[Section, ...]:
    """A fourth-order Butterworth high-pass with its -3 dB at ``corner`` Hz (40 or more, see `filtered`)."""
    turn = 2 * math.pi * corner / RATE
    cos, sin = math.cos(turn), math.sin(turn)

    def section(sharpness: float) -> Section:
        alpha = sin / (2 * sharpness)
        whole = 1 + alpha
        edge = (1 + cos) / 2 / whole
        return (edge, -2 * edge, edge), (1.0, -2 * cos / whole, (1 - alpha) / whole)

    return tuple(section(1 / (2 * math.cos(math.pi * k / 8))) for k in (1, 3))
