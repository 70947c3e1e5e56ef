"""Answers and options as text -> what they mean, or why they cannot. Each raises ChoiceRefused, with what can be said instead."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator

from production.authoring import minutes as lengths
from production.authoring import proposals, titles
from production.authoring.script import MOST_MINUTES
from production.errors import ChoiceRefused, ConfigError, Problem
from production.files import CONFIGS
from production.model import Location, Project, Series
from production.problems import did_you_mean

MOST_TEXT = 4000
_NUMBER = re.compile(r"[0-9]{1,6}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def likely_series(project: Project, number: str | None, words: str) -> str:
    """The slug of the series that is meant, as far as that can be known: by a number, by words of a script, because there is one only."""
    if number is not None and _NUMBER.fullmatch(number):
        return next((one.slug for one in project.series if int(number) in one.numbers), "")
    folded = words.casefold()
    named = [one for one in project.series if one.title.casefold() in folded or one.slug in folded]
    if named:
        return max(named, key=lambda one: len(one.title)).slug
    return project.series[0].slug if len(project.series) == 1 else ""


def need_room(project: Project) -> None:
    """Some series has a number left; else raises ConfigError with the place of each that is full."""
    if not project.series:
        raise ConfigError(
            [Problem(Location(project.root / CONFIGS / "series"), "there is no series in this show", "write one: a slug, a season, a title")]
        )
    if all(proposals.next_number(project, one) is None for one in project.series):
        raise ConfigError(proposals.full(project, one) for one in project.series)


def series_lines(project: Project) -> Iterator[str]:
    """The series there are, each with its numbers and the next free one."""
    for one in project.series:
        free = proposals.next_number(project, one)
        yield f"  {one.slug}: {one.title}, {one.episodes}, " + ("full" if free is None else f"next is {free}")


def series(project: Project, text: str, number: str | None = None) -> Series:
    """The series of this slug; without a ``number`` that is wanted, it has one left."""
    slugs = [one.slug for one in project.series]
    known = f"there is {', '.join(slugs)}" if slugs else "there is no file in configs/series"
    found = next((one for one in project.series if one.slug == text), None)
    if found is None:
        raise ChoiceRefused(f"there is no series '{text}'" if text else "a series is needed", did_you_mean(text, slugs) or known)
    if number is None and proposals.next_number(project, found) is None:
        problem = proposals.full(project, found)
        raise ChoiceRefused(problem.message, f"{problem.location.path.name}:{problem.location.line}: {problem.hint}")
    return found


def number(project: Project, wanted: Series, text: str) -> int:
    """A number that the series holds and nobody has."""
    if not _NUMBER.fullmatch(text):
        raise ChoiceRefused(f"'{text}' is no number" if text else "a number is needed", f"{wanted.slug} holds {wanted.episodes}")
    message, hint = proposals.why_not(project, wanted, int(text))
    if message:
        raise ChoiceRefused(message, hint)
    return int(text)


def date(text: str) -> dt.date:
    """A day of the calendar."""
    try:
        if _DATE.fullmatch(text):
            return dt.date.fromisoformat(text)
    except ValueError:
        raise ChoiceRefused(f"{text} is not in the calendar") from None
    raise ChoiceRefused(f"'{text}' is no date" if text else "a date is needed", "write YYYY-MM-DD")


def minutes(text: str) -> float:
    """A length in minutes: ``180``, ``2.5 hours``, ``1 hour 30 minutes``."""
    found = float(text) if re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,3})?", text) else lengths.amount(text)
    if found is None:
        raise ChoiceRefused(f"'{text}' is no length" if text else "a length is needed", "write minutes, as 180, or 3 hours")
    if not proposals.LEAST_MINUTES <= found <= MOST_MINUTES:
        raise ChoiceRefused(f"{found:g} minutes are no length of an episode", f"it is {proposals.LEAST_MINUTES:g} to {MOST_MINUTES}")
    return found


def minutes_or_none(text: str) -> float | None:
    """The length of a section; nothing when it is not planned."""
    if not text:
        return None
    found = float(text) if re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,3})?", text) else lengths.amount(text)
    if found is None or not 0 < found <= MOST_MINUTES:
        raise ChoiceRefused(f"'{text}' is no length of a section", f"write minutes, up to {MOST_MINUTES}")
    return found


def text(said: str, what: str) -> str:
    """A text on one line, without anything that acts on a terminal or that no config may hold."""
    found = titles.one_line(said)
    if not found:
        raise ChoiceRefused(f"a {what} is needed")
    if len(found) > MOST_TEXT:
        raise ChoiceRefused(f"{len(found)} characters are no {what}", f"{MOST_TEXT} are the most")
    if found != " ".join(said.split()):
        raise ChoiceRefused(f"the {what} holds a control character", "type it without")
    return found
