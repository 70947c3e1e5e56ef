"""Interleaved samples as one array for each channel, and as one for both where both sides are the same: most speech is. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

_LOOK = 500
Sides = Sequence["Floats"]
"""One array of samples per channel, or a single one that stands for all of them."""


def apart(samples: Floats) -> Sides:
    """Samples of shape (n, channels), channel by channel."""
    import numpy as np

    sides = [np.ascontiguousarray(samples[:, channel]) for channel in range(samples.shape[1])]
    # Sides that differ do so soon, as a rule.
    if len(sides) == 2 and np.array_equal(sides[0][:_LOOK], sides[1][:_LOOK]) and np.array_equal(sides[0], sides[1]):
        sides.pop()
    return sides


def after(rest: Sides, sides: Sides) -> Sides:
    """What was left, and what came after it."""
    import numpy as np

    if not rest:
        return sides
    count = max(len(rest), len(sides))
    return [np.concatenate(pair) for pair in zip(as_many(rest, count), as_many(sides, count), strict=True)]


def as_many(sides: Sides, count: int) -> Sides:
    """A single side as ``count`` of them."""
    return sides if len(sides) == count else list(sides) * count
