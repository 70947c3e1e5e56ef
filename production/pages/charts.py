"""The charts of one episode over time: its waveform by chapter, its loudness, and its voice over the music. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from production.pages.drawing import Area, Box, Drawing, Point, Shape, Stroke, Words, rule
from production.pages.facts import Episode, Finding, Section
from production.pages.painting import fitting, width
from production.pages.scales import NARROW, NORMAL, SMALL, TONES, Scale, clock, folded, level_axis, plain, spans, time_axis

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Doubles = NDArray[np.float64]

_LEFT = 40
"""Pixels to the left of every chart over time, for what its lines stand for."""
_NAMES = 340
"""Pixels that a chapter's name and start may take."""
_LINE = 21
_MARK = 10
"""Pixels of the mark under a flagged moment."""
_ABOVE, _BELOW = 8, 19
"""How far the loudness chart reaches over and under the target, in LU."""


def _over_time(episode: Episode, wide: float) -> Scale:
    return Scale(0.0, max(episode.seconds, 0.1), _LEFT, wide - 2)


def _chapters(episode: Episode) -> list[tuple[Section, float, float]]:
    """Each chapter's section with its start and end in seconds."""
    starts = [one.start for one in episode.sections]
    return list(zip(episode.sections, starts, [*starts[1:], episode.seconds], strict=True))


# -- waveform ----------------------------------------------------------------------------------------------------------------------


def waveform(episode: Episode, wide: float) -> Drawing:
    """Peaks over time: the highest of each column softly, their mean strongly; chapters in two tones by turns, numbered, their names under it."""
    import numpy as np

    across = _over_time(episode, wide)
    top, high = 26.0, min(max(100.0, wide / 8), 190.0)
    middle, base = top + high / 2, top + high
    amplitude = 10 ** (episode.curves.peak.astype("f8") / 20)
    columns = int(across.end - across.start)
    highest, mean = folded(amplitude, columns, np.maximum), folded(amplitude, columns, np.add)
    shapes: list[Shape] = []
    for number, (_, start, end) in enumerate(_chapters(episode)):
        left, right = across(start), across(end)
        shapes.append(Box(left, top, right - left, high, "tint" if number % 2 else "panel"))
    for level in (0.0, -6.0, -12.0):
        reach = 10 ** (level / 20) * high / 2
        shapes += [rule(across.start, middle - reach, across.end), rule(across.start, middle + reach, across.end)]
        shapes.append(Words(across.start - 6, middle - reach + 4, plain(level, 0), SMALL, "muted", "end"))
    for number, (section, start, end) in enumerate(_chapters(episode)):
        first, last = (round(at / max(episode.seconds, 0.1) * len(highest)) for at in (start, end))
        for values, ink in zip((highest, mean), reversed(TONES[number % 2]), strict=True):
            note = f"{section.number} {section.title}, from {clock(section.start)}"
            shapes += _mirrored(values[first : last + 1], first, len(values), across, middle, high / 2, ink, note)
    shapes += _marks(episode, across, top, base)
    shapes += _flags(episode.findings, across, top, base)
    lane = 14.0 if any(one.start is not None for one in episode.findings) else 0
    shapes += time_axis(across, base + lane, episode.seconds)
    names, below = _names(episode, wide, base + lane + 44)
    return Drawing(wide, below, (*shapes, *names))


def _mirrored(values: Doubles, first: int, count: int, across: Scale, middle: float, reach: float, ink: str, note: str) -> Iterator[Shape]:
    """Heights above and under a middle line, as one area."""
    if not len(values):
        return
    pitch = (across.end - across.start) / count
    places = [across.start + (first + number) * pitch for number in range(len(values))]
    # Never thinner than a hair: silence is a line, and not nothing.
    heights = [max(min(float(value), 1.0) * reach, 0.4) for value in values]
    upper: list[Point] = [(x, middle - height) for x, height in zip(places, heights, strict=True)]
    yield Area((*upper, *((x, 2 * middle - y) for x, y in reversed(upper))), ink, note)


def _marks(episode: Episode, across: Scale, top: float, base: float) -> Iterator[Shape]:
    """Where chapters begin, with their numbers; a number that has no room is left out, the line stays."""
    free = -1.0
    for section in episode.sections:
        at, number = across(section.start), str(section.number)
        yield Stroke(((at, top - 6), (at, base)), "muted", 1.0)
        size = width(number, SMALL, bold=True) + 12
        if at >= free and at + size <= across.end + 2:
            yield Box(at, top - 22, size, 17, TONES[(section.number - 1) % 2][0], 4)
            yield Words(at + size / 2, top - 9.5, number, SMALL, "ground", "middle", bold=True)
            free = at + size + 2


def _flags(findings: Sequence[Finding], across: Scale, top: float, base: float) -> Iterator[Shape]:
    """Flagged moments: a thin line through the sound, and a mark under it. The gravest lie on top."""
    for severity in ("note", "warning", "error"):
        for one in findings:
            if one.severity == severity and one.start is not None:
                at, size = across(one.start), across(one.start + one.length) - across(one.start)
                yield Box(at, top, 1.0, base - top, severity)
                if size > _MARK:
                    # What goes on for long lies under the sound, so that the sound is seen.
                    yield Box(at, base + 4, size, 5, severity, 2, in_words(one))
                else:
                    middle = at + size / 2
                    yield Area(((middle, base + 2), (middle - _MARK / 2, base + 11), (middle + _MARK / 2, base + 11)), severity, in_words(one))


def in_words(one: Finding) -> str:
    where = "" if one.start is None else f" at {clock(one.start)}"
    return f"{one.severity}{where}: {one.words}"


def _names(episode: Episode, wide: float, top: float) -> tuple[list[Shape], float]:
    """The chapters' names in columns, and where they end."""
    columns = max(1, int((wide - _LEFT) // _NAMES))
    rows = -(-len(episode.sections) // columns)
    room = (wide - _LEFT) / columns
    shapes: list[Shape] = []
    for place, section in enumerate(episode.sections):
        left, base = _LEFT + place // rows * room, top + place % rows * _LINE
        start = clock(section.start)
        tail = width(start, SMALL) + 14
        shapes.append(Box(left, base - 12, 20, 16, TONES[place % 2][0], 4))
        shapes.append(Words(left + 10, base, str(section.number), SMALL, "ground", "middle", bold=True))
        shapes.append(Words(left + 28, base, fitting(section.title, NORMAL, room - 48 - tail), NORMAL))
        shapes.append(Words(left + room - 14, base, start, SMALL, "muted", "end"))
    return shapes, top + rows * _LINE - 8


# -- loudness ----------------------------------------------------------------------------------------------------------------------


def loudness(episode: Episode, wide: float) -> Drawing:
    """Momentary loudness as a ground, short-term loudness as a band from its lowest to its highest with its mean; the target and 1 LU around it."""
    import numpy as np

    across = _over_time(episode, wide)
    top, high = 8.0, 170.0 if wide >= NARROW else 130.0
    base = top + high
    up = Scale(episode.target - _BELOW, episode.target + _ABOVE, base, top)
    columns = int(across.end - across.start)
    shapes: list[Shape] = [Box(across.start, top, across.end - across.start, high, "panel")]
    lines = tuple(episode.target + step for step in (6, 0, -6, -12, -18))
    shapes.append(Box(across.start, up(episode.target + 1), across.end - across.start, up(episode.target - 1) - up(episode.target + 1), "band"))
    shapes += level_axis(up, across.start, across.end, lines)
    moving = up.of(folded(episode.curves.momentary, columns, np.maximum))
    pitch = (across.end - across.start) / max(len(moving), 1)
    places = [across.start + (number + 0.5) * pitch for number in range(len(moving))]
    for heights, foot, ink in ((moving, base, "momentary"), (np.clip(moving, up(episode.target + 1), None), up(episode.target - 1), "band-deep")):
        # The band is seen through the ground.
        shapes.append(Area(((across.start, foot), *zip(places, np.minimum(heights, foot).tolist(), strict=True), (across.end, foot)), ink))
    lowest, highest = (up.of(folded(episode.short, columns, how)) for how in (np.minimum, np.maximum))
    mean = up.of(10 * np.log10(folded(10 ** (episode.short / 10), columns, np.add)))
    for first, last in spans(highest < base):
        upper = list(zip(places[first:last], highest[first:last].tolist(), strict=True))
        lower = list(zip(places[first:last], lowest[first:last].tolist(), strict=True))
        if columns < len(episode.short):
            shapes.append(Area((*upper, *reversed(lower)), "short-soft"))
        shapes.append(Stroke(tuple(zip(places[first:last], mean[first:last].tolist(), strict=True)), "short", 1.4))
    shapes.append(Stroke(((across.start, up(episode.target)), (across.end, up(episode.target))), "target", 1.5, (6.0, 4.0)))
    shapes += [Stroke(((across(one.start), top), (across(one.start), base)), "muted", 0.5) for one in episode.sections]
    shapes += time_axis(across, base, episode.seconds)
    keys = (
        ("momentary, the highest", "momentary"),
        ("short-term (3 s)", "short"),
        (f"target {plain(episode.target, 0)} LUFS", "target"),
        ("±1 LU", "band"),
    )
    keyed, lowest_line = legend(keys, across.start, across.end, base + 36)
    return Drawing(wide, lowest_line + 8, (*shapes, *keyed))


def legend(keys: Sequence[tuple[str, str]], left: float, right: float, base: float) -> tuple[list[Shape], float]:
    """What the colours stand for, in as many lines as they need; gives where the last of them stands."""
    shapes: list[Shape] = []
    at = left
    for words, ink in keys:
        size = 17 + width(words, SMALL) * 1.06
        if at > left and at + size > right:
            at, base = left, base + 17
        shapes += [Box(at, base - 9, 12, 10, ink, 2), Words(at + 17, base, words, SMALL, "muted")]
        at += size + 16
    return shapes, base


# -- voice over music --------------------------------------------------------------------------------------------------------------

_MOST_OVER = 50.0


def over_music(episode: Episode, wide: float) -> Drawing | None:
    """By how many dB the voice lies over the music under it, the least of each column; None where no music plays under anybody."""
    import numpy as np

    across = _over_time(episode, wide)
    seconds = np.full(int(episode.seconds) + 2, np.inf)
    for one in episode.sections:
        first = int(one.begins)
        for number, value in enumerate(one.over):
            if value is not None and first + number < len(seconds):
                seconds[first + number] = value
    if not np.isfinite(seconds).any():
        return None
    asked = next((one.asked_over for one in episode.sections if one.asked_over is not None), None)
    top, high = 8.0, 110.0
    base = top + high
    up = Scale(0.0, _MOST_OVER, base, top)
    columns = min(int(across.end - across.start), len(seconds))
    least = folded(seconds, columns, np.minimum)
    shapes: list[Shape] = [Box(across.start, top, across.end - across.start, high, "panel"), *level_axis(up, across.start, across.end, (0, 20, 40))]
    pitch = (across.end - across.start) / columns
    for first, last in spans(np.isfinite(least)):
        for number in range(first, last):
            value = float(least[number])
            ink = "error" if asked is not None and value < asked - 0.05 else "music"
            left = across.start + number * pitch
            shapes.append(Box(left, up(value), max(pitch - (0.5 if pitch > 3 else 0), 0.8), base - up(value), ink))
    keys = [("voice over music, the least of each column (dB)", "music")]
    if asked is not None:
        shapes.append(Stroke(((across.start, up(asked)), (across.end, up(asked))), "target", 1.5, (6.0, 4.0)))
        keys += [(f"asked: {asked:g} dB", "target"), ("under it", "error")]
    shapes += time_axis(across, base, episode.seconds)
    keyed, lowest_line = legend(keys, across.start, across.end, base + 36)
    return Drawing(wide, lowest_line + 8, (*shapes, *keyed))
