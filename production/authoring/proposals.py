"""What is proposed for a new episode, from the episodes that there are: its number, its date, its length, and its sections. Pure."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from production.authoring.parts import PARTS
from production.errors import Problem
from production.files import CONFIGS
from production.model import FormatPart, Location, Project, Series

A_WEEK = dt.timedelta(days=7)
USUAL_MINUTES = 180.0
LEAST_MINUTES = float(len(PARTS))
"""One for each part of the format."""

SHARES: Mapping[FormatPart, float] = {
    "cold-open": 3.5,
    "first-principles": 18.6,
    "mathematics": 13.7,
    "implementation": 31.7,
    "case-study": 12.6,
    "failure-analysis": 12.2,
    "exercises": 7.6,
}
"""Per cent of an episode, where a show has planned none with all seven parts: those of the first thirty-five."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A section as it is meant. ``remark`` is said beside it, for whoever edits the file."""

    slug: str
    title: str
    part: FormatPart
    minutes: float | None = None
    points: tuple[str, ...] = ()
    remark: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Draft:
    """An episode as it is meant: what its file is to say."""

    number: int
    series: str
    title: str
    summary: str
    date: dt.date
    minutes: float | None
    sections: tuple[Planned, ...]

    @property
    def id(self) -> str:
        return f"episode-{self.number:02d}"


def next_number(project: Project, series: Series) -> int | None:
    """The first number after the series' last episode that nobody has, else the first free one; None when the series is full."""
    taken = {episode.number for episode in project.episodes}
    last = max((number for number in taken if number in series.numbers), default=0)
    free = [number for number in series.numbers if number not in taken]
    return next((number for number in free if number > last), free[0] if free else None)


def why_not(project: Project, series: Series, number: int) -> tuple[str, str]:
    """Why a series cannot have a number, and what to do; two empty texts when it can."""
    free = next_number(project, series)
    hint = f"{free} is the next free one" if free is not None else f"every number of {series.slug} is taken"
    if number not in series.numbers:
        owner = next((one.slug for one in project.series if number in one.numbers), "")
        return f"{series.slug} holds {series.episodes}, not {number}", f"{number} is in series {owner}; {hint}" if owner else hint
    taken = next((episode for episode in project.episodes if episode.number == number), None)
    return (f"there is an episode {number} already: {taken.title}", hint) if taken else ("", "")


def full(project: Project, series: Series) -> Problem:
    """That a series has no number left, where its numbers are said."""
    where = project.where(series.slug, "episodes") or Location(project.root / CONFIGS / "series" / f"{series.slug}.yaml")
    first, last = series.numbers[0], series.numbers[-1]
    beyond = any(last + 1 in one.numbers for one in project.series)
    hint = f"write {first}-{last + 1}" if not beyond else f"{last + 1} is in another series: take that one, or begin a new series"
    return Problem(where, f"series {series.slug} is full: all of {series.episodes} are taken", hint)


def next_date(project: Project, series: Series) -> dt.date | None:
    """A week after the last episode of the series, or of the show when the series has none; None when there is no episode at all."""
    mine = [episode.date for episode in project.episodes if episode.series == series.slug]
    last = max(mine or [episode.date for episode in project.episodes], default=None)
    return last + A_WEEK if last is not None and last < dt.date.max - A_WEEK else None


def usual_minutes(project: Project, series: Series) -> float:
    """The length that most episodes of the series are planned for, or most of the show."""
    for slugs in ({series.slug}, {one.slug for one in project.series}):
        planned = Counter(episode.minutes for episode in project.episodes if episode.series in slugs and episode.minutes)
        if planned:
            return min(planned, key=lambda length: (-planned[length], length))
    return USUAL_MINUTES


def shares(project: Project) -> Mapping[FormatPart, float]:
    """How the planned minutes of all episodes are spread over the seven parts; `SHARES` unless each part has some."""
    found: dict[FormatPart, float] = dict.fromkeys(PARTS, 0.0)
    for episode in project.episodes:
        for section in episode.sections:
            found[section.part] += section.minutes or 0.0
    return found if all(found.values()) else SHARES


def sections(length: float, spread: Mapping[FormatPart, float]) -> tuple[Planned, ...]:
    """One section for each part of the format. Their minutes are whole, at least one each, and together the ``length`` (rounded)."""
    return tuple(
        Planned(part, title, part, float(whole), remark=remark)
        for (part, (title, remark)), whole in zip(PARTS.items(), _whole(length, [spread[part] for part in PARTS]), strict=True)
    )


def _whole(length: float, weights: Sequence[float]) -> list[int]:
    """Whole numbers of at least 1 that add up to the length, in proportion to the weights (largest remainders)."""
    total = max(round(length), len(weights))
    room = total - len(weights)
    exact = [max(0.0, weight / sum(weights) * total - 1) for weight in weights]
    exact = [value * room / (sum(exact) or 1.0) for value in exact]
    found = [int(value) for value in exact]
    for at in sorted(range(len(exact)), key=lambda one: (found[one] - exact[one], one))[: room - sum(found)]:
        found[at] += 1
    return [value + 1 for value in found]
