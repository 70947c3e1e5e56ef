"""What the sentinels found, with its place in the programme: for the report, for the terminal, and for who says --strict. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from audio.editmap import before_cuts
from audio.findings import Finding
from audio.units import seconds
from production.clock import clock
from production.errors import Problem
from production.inputs import source_line
from production.model import Location
from production.plan import Plan

Item = Mapping[str, Any]
"""A finding as report.json holds it."""
_PRINTED = ("warning", "error")
_WORST = 3


@dataclass(frozen=True, slots=True)
class Noted:
    """A finding in the recording of a section, or in the programme; ``section`` is the slug it concerns, if it is one."""

    finding: Finding
    where: Literal["recording", "programme"]
    section: str | None = None


def items(planned: Plan, noted: Iterable[Noted]) -> list[dict[str, Any]]:
    """As report.json lists them: in the order of the programme, those that nobody hears where their section begins."""
    order = {placed.segment.name: index for index, placed in enumerate(planned.programme.placed)}
    listed = [_item(planned, one) for one in noted]
    return sorted(
        listed, key=lambda one: (order.get(one["section"] or "", -1), one["detector"], one["start_s"] or 0.0, one["recording_s"] or 0.0, one["words"])
    )


def _item(planned: Plan, noted: Noted) -> dict[str, Any]:
    found, section = noted.finding, noted.section
    start = recorded = None
    severity = found.severity
    if noted.where == "programme":
        start = seconds(found.start)
    else:
        assert section is not None
        fact = planned.fact(section)
        # What is listened to may be a copy without cuts; people look for it in their own file.
        recorded = seconds(before_cuts(found.start, fact.input.beside.stretches))
        measured = fact.measured
        if found.end > measured.start and found.start < measured.end:
            start = seconds(planned.programme.find(section).start + max(0, found.start - measured.start))
        else:
            # It was trimmed away: nobody hears it.
            severity = "note"
    return {
        "detector": found.detector,
        "severity": severity,
        "where": noted.where,
        "section": section,
        "file": planned.fact(section).input.label if section else f"{planned.episode.id}.mp3",
        "start_s": _rounded(start),
        "recording_s": _rounded(recorded),
        "length_s": _rounded(seconds(found.end - found.start)),
        "figure": round(found.figure, 2),
        "unit": found.unit,
        "words": found.words,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def printed(listed: Iterable[Item]) -> list[Item]:
    """Those that a producer is told of."""
    return [one for one in listed if one["severity"] in _PRINTED]


def lines(listed: Sequence[Item]) -> Iterator[str]:
    """Those that a producer is told of: one line for each kind in each section, with the worst three places of many."""
    groups: dict[tuple[str, str], list[Item]] = {}
    for one in printed(listed):
        groups.setdefault((one["section"] or one["file"], one["detector"]), []).append(one)
    for (name, detector), group in groups.items():
        yield f"{name}: {in_words(detector, group)}"


def problems(planned: Plan, listed: Sequence[Item], build: Path) -> list[Problem]:
    """The same as problems, each where the config asks for its section."""
    groups: dict[tuple[str | None, str], list[Item]] = {}
    for one in printed(listed):
        groups.setdefault((one["section"], one["detector"]), []).append(one)
    found: list[Problem] = []
    for (section, detector), group in groups.items():
        where = planned.fact(section).input.where if section else None
        name = section or planned.episode.id
        line = source_line(where) if where else None
        found.append(Problem(where or Location(build), f"{name}: {in_words(detector, group)}", _HINT, line))
    return found


_HINT = "listen to it, and mend it or build without --strict"


def in_words(detector: str, group: Sequence[Item]) -> str:
    """What was found of one kind in one section."""
    worst = sorted(group, key=lambda one: (-_badness(one), one["start_s"] or 0.0))
    if len(group) == 1:
        return f"{worst[0]['words']}{_place(worst[0])}"
    times = sorted(one["start_s"] or 0.0 for one in worst[:_WORST])
    said = [clock(time) for time in dict.fromkeys(round(time) for time in times)]
    places = said[0] if len(said) == 1 else f"{', '.join(said[:-1])} and {said[-1]}"
    return f"{detector} in {len(group)} places, the worst at {places} ({worst[0]['words']})"


def _badness(one: Item) -> float:
    """Of two findings of one detector the worse has more of it; hum and lost sides are worse the nearer they are."""
    return -float(one["figure"]) if one["detector"] == "hum" else abs(float(one["figure"]))


def _place(one: Item) -> str:
    if one["detector"] in _WHOLE:
        return ""
    recorded = f", {clock(one['recording_s'])} in {one['file']}" if one["where"] == "recording" else ""
    return f", at {clock(one['start_s'] or 0.0)}{recorded}"


_WHOLE = ("length", "swapped")
"""What is said of a section as a whole: its place says nothing."""
