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
_BLOCK = 64
_BLOCKS = STEP // _BLOCK

Section = tuple[tuple[float, float, float], tuple[float, float, float]]
"""Coefficients (b, a) of a second-order filter, a[0] = 1."""


class Matrices(NamedTuple):
    """The filter over a block of 64 samples, with n states: ``own`` (64, 64) what its samples make of themselves, ``heard`` (n, 64) what the state
    adds, ``kept`` (64, n) what the block leaves in the state; over the 75 blocks of a step: ``carried`` from each block's leavings to the states at
    all 76 edges, ``begun`` (n, 76*n) from the first state to the same, ``onward`` (n, n) from one step's first state to the next one's.
    """

    own: Floats
    heard: Floats
    kept: Floats
    carried: Floats
    begun: Floats
    onward: Doubles


def filtered(samples: Floats, sections: tuple[Section, ...], state: Doubles | None = None) -> tuple[Floats, Doubles]:
    """One channel (whole steps) after a cascade of filters, as rows of 64 samples, and the state at the end.

    For filters that have forgotten, 300 ms later, what they heard: a step's first state needs the three steps before it, and no other.
    """
    import numpy as np

    m = matrices(sections)
    states = len(m.heard)
    left = (samples.reshape(-1, _BLOCK) @ m.kept).reshape(-1, states * _BLOCKS)
    edges = left @ m.carried
    last = edges[:, -states:].astype("f8")
    first = np.zeros(states) if state is None else state
    starts = np.vstack((first, last))
    for _ in range(3):
        starts[1:] = last + starts[:-1] @ m.onward
    held = edges[:, :-states] + starts[:-1].astype("f4") @ m.begun[:, :-states]
    out: Floats = samples.reshape(-1, _BLOCK) @ m.own
    out += held.reshape(-1, states) @ m.heard
    return out, starts[-1]


@lru_cache(maxsize=8)
def matrices(sections: tuple[Section, ...]) -> Matrices:
    import numpy as np

    a, b, c, d = _cascade(sections)
    states = len(b)
    powers = [np.eye(states)]
    for _ in range(_BLOCK):
        powers.append(powers[-1] @ a)
    response = np.array([d, *(float(c @ power @ b) for power in powers[: _BLOCK - 1])])
    own = np.zeros((_BLOCK, _BLOCK))
    for at in range(_BLOCK):
        own[at, at:] = response[: _BLOCK - at]
    heard = np.array([c @ power for power in powers[:_BLOCK]]).T
    kept = np.array([powers[_BLOCK - 1 - at] @ b for at in range(_BLOCK)])
    step = powers[_BLOCK]
    edges = [np.eye(states)]
    for _ in range(_BLOCKS):
        edges.append(edges[-1] @ step)
    carried = np.zeros((_BLOCKS * states, (_BLOCKS + 1) * states))
    for block in range(_BLOCKS):
        for edge in range(block + 1, _BLOCKS + 1):
            carried[block * states : (block + 1) * states, edge * states : (edge + 1) * states] = edges[edge - 1 - block].T
    begun = np.hstack([power.T for power in edges])

    def single(matrix: Doubles) -> Floats:
        return np.ascontiguousarray(matrix, dtype=np.float32)

    return Matrices(single(own), single(heard), single(kept), single(carried), single(begun), np.ascontiguousarray(edges[-1].T))


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
