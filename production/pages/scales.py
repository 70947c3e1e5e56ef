"""What the charts of the pages have in common: how seconds and decibels become pixels, axes, and curves brought to one value a column."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from production.pages.drawing import Shape, Stroke, Words, rule

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.floating]
    Doubles = NDArray[np.float64]

SMALL, NORMAL, HEAD, TITLE = 11.5, 13.0, 15.0, 26.0
"""Sizes of type, in pixels."""
TONES = (("wave", "wave-soft"), ("other", "other-soft"))
"""The colours of chapters, by turns: strong and soft."""
NARROW = 700
"""Pixels under which a chart is made for a hand-held screen."""
_TICKS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)
_ROOM = 64
"""Pixels between two labels of an axis, at least."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Values [first, last] as pixels [start, end]; what lies outside is at the edge."""

    first: float
    last: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        share = (value - self.first) / (self.last - self.first)
        return self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)

    def of(self, values: Floats) -> Doubles:
        """The same of many."""
        import numpy as np

        share = (np.asarray(values, dtype="f8") - self.first) / (self.last - self.first)
        return np.asarray(self.start + np.clip(share, 0.0, 1.0) * (self.end - self.start))


def clock(seconds: float) -> str:
    """``1:02:03``, or ``2:03`` of less than an hour. Fractions are dropped: nothing is shown to begin before it does."""
    hours, rest = divmod(math.floor(seconds), 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


def signed(value: float | None, digits: int = 1) -> str:
    """``+1.2``, with a minus that is as wide as the plus; a dash for what is not known."""
    return "–" if value is None else f"{round(value, digits) + 0.0:+.{digits}f}".replace("-", "−")


def plain(value: float | None, digits: int = 1) -> str:
    """``1.2``, ``−1.2``; a dash for what is not known."""
    return "–" if value is None else f"{round(value, digits) + 0.0:.{digits}f}".replace("-", "−")


def time_axis(scale: Scale, base: float, seconds: float) -> Iterator[Shape]:
    """Ticks and their times under a chart that ends at ``base``."""
    room = abs(scale.end - scale.start)
    step = next((step for step in _TICKS if room * step / max(seconds, 1.0) >= _ROOM), _TICKS[-1])
    for number in range(int(seconds // step) + 1):
        at = scale(number * step)
        if at <= scale.end - 14 or number == 0:
            yield Stroke(((at, base), (at, base + 4)), "muted")
            yield Words(at, base + 16, clock(number * step), SMALL, "muted", "middle" if number else "start")


def level_axis(scale: Scale, left: float, right: float, values: tuple[float, ...]) -> Iterator[Shape]:
    """Level lines across a chart, and what they stand for to the left of it."""
    for value in values:
        yield rule(left, scale(value), right)
        yield Words(left - 6, scale(value) + 4, plain(value, 0), SMALL, "muted", "end")


def edges(count: int, columns: int) -> list[int]:
    """Where each of some columns begins in ``count`` values, and where the last ends; no column is empty."""
    columns = max(1, min(columns, count))
    return [count * column // columns for column in range(columns + 1)]


def folded(values: Floats, columns: int, how: np.ufunc) -> Doubles:
    """One value for each column: the highest, the lowest (np.maximum, np.minimum), or the mean (np.add)."""
    import numpy as np

    if not len(values):
        return np.zeros(0)
    at = edges(len(values), columns)
    found = how.reduceat(np.asarray(values, dtype="f8"), at[:-1])
    return np.asarray(found / np.diff(at) if how is np.add else found)


def spans(known: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """The stretches [first, last) in which something is known."""
    import numpy as np

    changes = np.flatnonzero(np.diff(np.concatenate(([False], known, [False])).astype("i1")))
    return [(int(first), int(last)) for first, last in pairwise(changes.tolist())][::2]
