"""An episode's script in Markdown -> its outline: title, spoken sections with their minutes, what was left out and why.

Nothing here gives up on a script but where there is none in it: whatever is odd is told with its line, and the rest is read.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from production.authoring import markdown, minutes, parts, titles
from production.authoring.manuscript import Manuscript, opened
from production.authoring.markdown import Heading, plain
from production.authoring.minutes import Span
from production.errors import Problem
from production.model import FormatPart

MOST_SECTIONS = 255
"""As many as there can be chapters."""
MOST_POINTS = 10
MOST_MINUTES = 600

_LINES_UNDER = 3
_SUMMARY_MOST = 400
_SAID = re.compile(r"\W*(?:\w+\s+)?(series|episode|number|date|published|summary|description)\W*[:=]\W*(\S.*)", re.IGNORECASE)
_OF_A_SERIES = re.compile(r"\b(?:series|season)\b(?!.*\()", re.IGNORECASE)
_SPEAKER = re.compile(r"[^:]{1,40}:")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True)
class Spoken:
    """A section that is spoken. ``sure``: its words say which part of the format it is."""

    title: str
    part: FormatPart
    sure: bool
    minutes: float | None
    line: int
    points: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Left:
    """A heading of the sections' level that is no section."""

    title: str
    reason: str
    line: int


@dataclass(frozen=True, slots=True)
class Outline:
    """What a script says. ``series`` are the words that name it there; ``minutes`` is the length that the script gives itself."""

    title: str = ""
    number: int | None = None
    series: str = ""
    date: dt.date | None = None
    minutes: float | None = None
    summary: str = ""
    sections: tuple[Spoken, ...] = ()
    left: tuple[Left, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def planned(self) -> float:
        """The minutes of the sections that have any."""
        return sum(section.minutes or 0.0 for section in self.sections)


def read(path: Path, data: bytes) -> Outline:
    """The outline of a script; ``path`` is for the locations. Raises ConfigError when it is too large or holds no section."""
    return _Reader(opened(path, data)).read()


@dataclass(frozen=True, slots=True)
class _Part:
    """A heading of the sections' level, and the deeper ones under it."""

    heading: Heading
    title: str
    said: float | Span | None
    below: tuple[Heading, ...]


class _Reader:
    def __init__(self, manuscript: Manuscript) -> None:
        self.manuscript = manuscript

    def read(self) -> Outline:
        front = self.manuscript.front
        page = markdown.read(self.manuscript.body)
        if page.unclosed:
            self.manuscript.warn(
                page.unclosed, "this code fence is never closed: no heading after it is seen", "close it with a line of ``` of its own"
            )
        if not page.headings:
            raise self.manuscript.unusable(1, "no heading in this script", "sections are headings: ## Cold Open (8 minutes)")
        head, listed = self._sorted(page.headings)
        usage = titles.usage_of(page.texts)
        said = {**_said_in(head), **front}
        title, number = titles.episode_title(head[0].text) if head else ("", None)
        facts = [one.heading for one in listed if parts.why_unspoken(titles.whole_title(one.title)) == parts.METADATA]
        own = _own_minutes([*head, *facts], front)
        hours = self._in_hours(listed, own)
        sections, left = self._sections(listed, usage, hours)
        if not sections:
            raise self.manuscript.unusable(
                listed[0].heading.line if listed else 1, "no heading in this script is spoken", "a section is a heading: ## Title"
            )
        return Outline(
            title=titles.one_line(front.get("title", "")) or titles.section_title(title, usage),
            number=_number(said.get("episode") or said.get("number") or "") or number,
            series=" ".join([said.get("series", ""), *(one.text for one in head[1:])]).strip(),
            date=_date(said.get("date") or said.get("published") or ""),
            minutes=own,
            summary=_summary(said, head, listed),
            sections=tuple(sections),
            left=(*(Left(one.text, "a line under the title", one.line) for one in head[1:]), *left),
            problems=tuple(sorted(self.manuscript.problems, key=lambda problem: problem.location)),
        )

    # headings -> sections

    def _sorted(self, headings: Sequence[Heading]) -> tuple[list[Heading], list[_Part]]:
        """The title and the lines under it, if there are any, and the sections with what stands under each."""
        rest = list(headings)
        head = [rest.pop(0)] if rest[0].level == 1 and len(rest) > 1 and minutes.in_heading(rest[0].text)[1] is None else []
        levels = [heading.level for heading in rest]
        level = next((one for one in sorted(set(levels)) if sum(other <= one for other in levels) > 1), min(levels))
        if head and not head[0].texts and len(rest) > 1 and rest[0].level == level >= rest[1].level and _OF_A_SERIES.search(rest[0].text):
            # `## Pattern Mastery Series - Premium Deep Dive` right under the title
            head.append(rest.pop(0))
        starts = [at for at, heading in enumerate(rest) if heading.level <= level]
        ends = [*starts[1:], len(rest)]
        return head, [_Part(rest[a], *minutes.in_heading(rest[a].text), tuple(rest[a + 1 : b])) for a, b in zip(starts, ends, strict=True)]

    def _sections(self, listed: Sequence[_Part], usage: titles.Usage, hours: bool) -> tuple[list[Spoken], list[Left]]:
        spoken: list[Spoken] = []
        left: list[Left] = []
        reached = 0.0
        for one in listed:
            line = one.heading.line
            title = titles.section_title(one.title, usage)
            if not title:
                left.append(Left(one.heading.text or "(empty)", "it has no words", line))
                continue
            length, reached = self._length(one, hours, reached)
            why = parts.why_unspoken(titles.whole_title(one.title))
            # Whoever plans minutes for it means to speak it; among the facts about an episode stand the minutes of the whole.
            if why and (length is None or why == parts.METADATA):
                left.append(Left(titles.whole_title(one.title), why, line))
                continue
            if len(spoken) == MOST_SECTIONS:
                raise self.manuscript.unusable(line, f"more than {MOST_SECTIONS} sections", "players know no more chapters; join some")
            part, sure = parts.part_of(title, first=not spoken)
            spoken.append(Spoken(title, part, sure, length, line, tuple(_points(one.below, usage))))
        return spoken, left

    def _length(self, one: _Part, hours: bool, reached: float) -> tuple[float | None, float]:
        """How long a section is, and where the last that said from when to when has ended."""
        line = one.heading.line
        below = next((found for text in _lines_under(one.heading) if (found := minutes.under(text)) is not None), None)
        if isinstance(one.said, Span):
            start, end = one.said.minutes(hours=hours)
            if end <= start:
                self.manuscript.warn(line, f"{one.said.start}-{one.said.end} ends before it begins", "its minutes are left out")
                return self._in_bounds(below, line), reached
            if start < reached:
                self.manuscript.warn(line, f"{one.said.start} is before the end of a section above", "its minutes are counted as they are written")
            return self._in_bounds(round(end - start, 2), line), max(end, reached)
        if one.said is not None and below is not None and one.said != below:
            self.manuscript.warn(line, f"the heading says {one.said:g} minutes, the line under it {below:g}", "the heading's are taken")
        return self._in_bounds(one.said if one.said is not None else below, line), reached

    def _in_bounds(self, length: float | None, line: int) -> float | None:
        if length is not None and not 0 < length <= MOST_MINUTES:
            self.manuscript.warn(line, f"{length:g} minutes are no length of a section", "its minutes are left out")
            return None
        return length

    def _in_hours(self, listed: Sequence[_Part], own: float | None) -> bool:
        """Whether ``1:30`` is an hour and a half in this script: when only so its times come near to the length that it gives itself."""
        spans = [one.said for one in listed if isinstance(one.said, Span)]
        if not spans or not own:
            return False
        last = {hours: max(span.minutes(hours=hours)[1] for span in spans) for hours in (False, True)}
        return abs(last[True] - own) < abs(last[False] - own)


def _own_minutes(headings: Sequence[Heading], front: Mapping[str, str]) -> float | None:
    """How long the whole is, as the script says itself."""
    said = front.get("duration") or front.get("minutes") or front.get("length") or ""
    found = float(said) if re.fullmatch(r"[0-9]{1,3}", said) else minutes.amount(said)
    lines = (line for heading in headings for text in heading.texts for line in text.split("\n"))
    found = found or next((length for line in lines if (length := minutes.under(line)) is not None), None)
    return found if found is not None and 0 < found <= MOST_MINUTES else None


def _lines_under(heading: Heading) -> Iterator[str]:
    lines = [line for text in heading.texts for line in text.split("\n") if line.strip()]
    yield from lines[:_LINES_UNDER]


def _points(below: Sequence[Heading], usage: titles.Usage) -> Iterator[str]:
    """The headings right under a section, as what is talked about there."""
    level = min((heading.level for heading in below), default=0)
    found = (titles.section_title(minutes.in_heading(heading.text)[0], usage) for heading in below if heading.level == level)
    yield from [point for point in found if point and not parts.why_unspoken(point)][:MOST_POINTS]


def _said_in(head: Sequence[Heading]) -> dict[str, str]:
    lines = (line for heading in head for text in heading.texts for line in text.split("\n"))
    found = (_SAID.fullmatch(plain(line)) for line in lines if len(line) < 500)
    return {one[1].lower(): one[2].strip() for one in reversed([one for one in found if one])}


def _number(text: str) -> int | None:
    found = re.match(r"\s*#?\s*(\d{1,6})\b", text)
    return int(found[1]) if found else None


def _date(text: str) -> dt.date | None:
    found = _DATE.search(text)
    try:
        return dt.date.fromisoformat(found[0]) if found else None
    except ValueError:
        return None


def _summary(said: dict[str, str], head: Sequence[Heading], listed: Sequence[_Part]) -> str:
    """What the script says in short: under that name, or in the first prose under its first headings."""
    found = said.get("summary") or said.get("description")
    if found:
        return _shortened(titles.one_line(plain(found)))
    headings = [*head, *(one.heading for one in listed[:2])]
    texts = (titles.one_line(plain(text)) for heading in headings for text in heading.texts if "\n" not in text and len(text) < 5000)
    return _shortened(next((text for text in texts if _is_prose(text)), ""))


def _is_prose(text: str) -> bool:
    return len(text.split()) > 8 and text[0].isalpha() and not _SPEAKER.match(text) and text.endswith((".", "!", "?")) and minutes.under(text) is None


def _shortened(text: str) -> str:
    """Whole sentences while they fit."""
    if len(text) <= _SUMMARY_MOST:
        return text
    cut = max(text.rfind(f"{mark} ", 0, _SUMMARY_MOST) for mark in ".!?")
    return text[: cut + 1] if cut > 0 else text[: _SUMMARY_MOST - 1].rsplit(" ", 1)[0] + "…"
