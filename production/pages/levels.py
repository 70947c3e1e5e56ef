"""The sections of one episode in rows: the level as recorded and as it is now, what was measured, and the length beside the plan. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from production.pages.drawing import Box, Drawing, Shape, Stroke, Words, ring, rule
from production.pages.facts import Episode, Section
from production.pages.painting import fitting, width
from production.pages.scales import NARROW, NORMAL, SMALL, TONES, Scale, plain, signed

_LEVELS = (-48.0, -8.0)
_FIGURES = ("gain", "noise", "peak", "range", "tone")


def sections(episode: Episode, wide: float) -> Drawing:
    """Of each section: its level as recorded and as it is now, what was measured, and its length beside the planned one."""
    return _rows_narrow(episode, wide) if wide < NARROW else _rows_wide(episode, wide)


def figures_of(one: Section) -> tuple[str, ...]:
    """Gain (dB), noise (LUFS), peak (dBFS), range (LU) and brightness (dB)."""
    return signed(one.gain), plain(one.noise), plain(one.peak), plain(one.range), plain(one.bright)


def _rows_wide(episode: Episode, wide: float) -> Drawing:
    pitch, top = 30, 44
    names, levels, figures, minutes = 0.0, wide * 0.24, wide * 0.565, wide * 0.86
    column = (minutes - figures - 20) / len(_FIGURES)
    across = Scale(*_LEVELS, levels, figures - 24)
    base = top + pitch * len(episode.sections)
    shapes: list[Shape] = _level_lines(episode, across, top - 8, base)
    for number, (name, unit) in enumerate(zip(_FIGURES, ("dB", "LUFS", "dBFS", "LU", "dB"), strict=True)):
        right = figures + (number + 1) * column
        shapes += [Words(right, 14, name, SMALL, "ink", "end"), Words(right, 28, unit, SMALL, "muted", "end")]
    shapes += [Words(minutes, 14, "minutes", SMALL), Words(minutes, 28, "planned: the mark", SMALL, "muted")]
    shapes += [Words(levels, 14, "level, recorded to finished", SMALL)]
    longest = _longest(episode)
    for number, one in enumerate(episode.sections):
        middle = top + pitch * number + pitch / 2 - 4
        shapes.append(rule(0, middle + pitch / 2, wide))
        shapes.append(Box(names, middle - 8, 20, 16, TONES[number % 2][0], 4))
        shapes.append(Words(names + 10, middle + 4, str(one.number), SMALL, "ground", "middle", bold=True))
        shapes.append(Words(names + 28, middle + 4.5, fitting(one.title, NORMAL, levels - names - 48), NORMAL))
        shapes += _dumbbell(one, across, middle)
        for place, words in enumerate(figures_of(one)):
            shapes.append(Words(figures + (place + 1) * column, middle + 4.5, words, NORMAL, "ink" if words != "–" else "muted", "end"))
        shapes += _bullet(one, longest, minutes, wide - 2, middle)
    return Drawing(wide, base + 4, tuple(shapes))


def _rows_narrow(episode: Episode, wide: float) -> Drawing:
    pitch, top = 66, 26
    across = Scale(*_LEVELS, 26, wide - 44)
    base = top + pitch * len(episode.sections)
    shapes: list[Shape] = _level_lines(episode, across, top - 8, base)
    longest = _longest(episode)
    for number, one in enumerate(episode.sections):
        line = top + pitch * number
        shapes.append(rule(0, line + pitch - 6, wide))
        shapes.append(Box(0, line, 20, 16, TONES[number % 2][0], 4))
        shapes.append(Words(10, line + 12, str(one.number), SMALL, "ground", "middle", bold=True))
        shapes.append(Box(26, line, min(width(one.title, NORMAL) * 1.05 + 4, wide - 26), 18, "panel"))
        shapes.append(Words(28, line + 12.5, fitting(one.title, NORMAL, wide - 32), NORMAL))
        shapes += _dumbbell(one, across, line + 28)
        shapes += _bullet(one, longest, 26, wide - 14, line + 47)
    return Drawing(wide, base, tuple(shapes))


def _level_lines(episode: Episode, across: Scale, top: float, base: float) -> list[Shape]:
    found: list[Shape] = []
    for level in (-40.0, -30.0, -20.0):
        found.append(Stroke(((across(level), top), (across(level), base)), "grid"))
        found.append(Words(across(level), top - 6, plain(level, 0), SMALL, "muted", "middle"))
    found.append(Stroke(((across(episode.target), top), (across(episode.target), base)), "target", 1.2, (5.0, 4.0)))
    found.append(Words(across(episode.target), top - 6, plain(episode.target, 0), SMALL, "target", "middle"))
    return found


def _dumbbell(one: Section, across: Scale, middle: float) -> Iterator[Shape]:
    """The level that a section had, and the one it has."""
    if one.before is None or one.after is None:
        yield Words(across.start, middle + 4, "silent", SMALL, "muted")
        return
    before, after = across(one.before), across(one.after)
    note = f"{one.title}: recorded at {plain(one.before)} LUFS, finished at {plain(one.after)} LUFS"
    yield Stroke(((before, middle), (after, middle)), "before", 2.0)
    yield ring(before, middle, 4.5, "before", note)
    yield ring(after, middle, 5.5, "wave", note)
    # On the side where there is room; beside the finished level only where the line does not come from.
    left, right = ("end", "start") if before <= after else ("start", "end")
    apart = 9 if before <= after else -9
    yield Words(before - apart, middle + 4, plain(one.before), SMALL, "muted", left)  # type: ignore[arg-type]
    yield Words(after + apart, middle + 4, plain(one.after), SMALL, "ink", right)  # type: ignore[arg-type]


def _longest(episode: Episode) -> float:
    return max((max(one.minutes, one.planned or 0.0) for one in episode.sections), default=1.0) or 1.0


def _bullet(one: Section, longest: float, left: float, right: float, middle: float) -> Iterator[Shape]:
    """How long a section is, as a bar, and how long it was planned, as a mark across it."""
    words = f"{one.minutes:.0f}" if one.minutes >= 10 else f"{one.minutes:.1f}"
    along = Scale(0.0, longest, left, right - 34)
    yield Box(left, middle - 5, max(1.0, along(one.minutes) - left), 10, "wave-soft", 2, f"{one.title}: {words} min")
    if one.planned:
        yield Box(along(one.planned) - 1, middle - 8, 2.5, 16, "target", 0, f"planned: {one.planned:g} min")
    yield Words(right, middle + 4, words, SMALL, "ink", "end")
