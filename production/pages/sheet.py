"""The season as a picture: a row an episode, a column a measure, with every value in its figure and at its place beside the others. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from production.pages.drawing import Box, Drawing, Shape, Stroke, Words, ring, rule
from production.pages.painting import fitting
from production.pages.scales import NORMAL, SMALL, Scale, plain, signed
from production.pages.season import LENGTH, MEASURES, Mark, Measure, Row, bounds, marks

_PITCH, _HEAD, _STRIP = 23, 40, 26
_FIGURE = 46
"""Pixels for a figure, before its strip."""
_SHOWN = 1.5
"""How many times what is ordinary a strip reaches to either side; what lies further is at its edge."""


def sheet(rows: Sequence[Row], wide: float) -> Drawing:
    """The rows in the order of the season."""
    out = marks(rows)
    title, first = 34.0, wide * 0.27
    column = (wide - first) / len(MEASURES)
    top = _HEAD + _STRIP + 10
    base = top + _PITCH * len(rows)
    shapes: list[Shape] = [Words(title, 14, "episode", SMALL, "ink")]
    for number, one in enumerate(rows):
        line = top + _PITCH * number
        if one.id in out:
            shapes.append(Box(0, line, wide, _PITCH, "tint"))
        shapes.append(rule(0, line + _PITCH, wide))
    for place, measure in enumerate(MEASURES):
        shapes += _column(rows, measure, out, first + place * column, column, top, base)
    for number, one in enumerate(rows):
        middle = top + _PITCH * number + 16
        marked = one.id in out
        shapes.append(Words(26, middle, str(one.number), NORMAL, "error" if marked else "muted", "end", marked))
        words = f"{one.title} (placeholders)" if one.scratch else one.title
        shapes.append(Words(title, middle, fitting(words, NORMAL, first - title - 52), NORMAL, "muted" if one.scratch else "ink"))
        shapes.append(Words(first - 4, middle, f"{one.minutes:.0f} min", SMALL, "muted", "end"))
    return Drawing(wide, base + 2, tuple(shapes))


def _column(
    rows: Sequence[Row], measure: Measure, out: dict[str, tuple[Mark, ...]], left: float, wide: float, top: float, base: float
) -> Iterator[Shape]:
    right = left + wide - 6
    yield Words(right, 14, measure.name, SMALL, "ink", "end")
    yield Words(right, 28, measure.unit, SMALL, "muted", "end")
    along = _scale(rows, measure, left + _FIGURE + 8, right - 4)
    known = bounds(rows, measure)
    if along and known:
        edges = along(known.middle - known.reach), along(known.middle + known.reach)
        yield Box(edges[0], _HEAD, edges[1] - edges[0], base - _HEAD, "ordinary")
        yield Stroke(((along(known.middle), _HEAD), (along(known.middle), base)), "before")
    for number, one in enumerate(rows):
        value = one.value(measure)
        marked = any(mark.measure is measure for mark in out.get(one.id, ()))
        middle = top + _PITCH * number + 16
        ink = "error" if marked else "muted" if value is None or one.scratch else "ink"
        yield Words(left + _FIGURE, middle, figure(measure, value), NORMAL, ink, "end", marked)
        if along and value is not None:
            # In its row, and among all others at the head of the column.
            dot = "error" if marked else "before" if one.scratch else "wave"
            yield ring(along(value), middle - 4.5, 4.5 if marked else 3.2, dot, f"{one.title}: {figure(measure, value)} {measure.unit}".rstrip())
            yield Box(along(value) - 0.75, _HEAD + 6, 1.5, _STRIP - 12, dot)


def _scale(rows: Sequence[Row], measure: Measure, left: float, right: float) -> Scale | None:
    known = [value for one in rows if (value := one.value(measure)) is not None]
    if not known:
        return None
    ordinary = bounds(rows, measure)
    if ordinary:
        reach = _SHOWN * ordinary.reach
        return Scale(ordinary.middle - reach, ordinary.middle + reach, left, right)
    middle = (min(known) + max(known)) / 2
    reach = max(measure.ordinary, max(known) - min(known))
    return Scale(middle - reach, middle + reach, left, right)


def figure(measure: Measure, value: float | None) -> str:
    """A value as it is written in the sheet."""
    return signed(value, measure.digits) if measure is LENGTH else plain(value, measure.digits)
