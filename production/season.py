"""How far each episode is: planned, recorded in part, scratch, built, published. Nothing is decoded, and no config is read that is known already."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audio.units import RATE
from production import receipts
from production.clock import clock
from production.minutes import Minutes
from production.model import Episode, Project
from production.recordings import recorded

STATES = ("planned", "recorded", "scratch", "built", "published")


@dataclass(frozen=True, slots=True)
class Standing:
    """One episode. ``recorded`` of ``sections`` recordings are there; ``length`` is that of its file in seconds, None when there is none."""

    episode: Episode
    state: str
    recorded: int
    length: float | None

    @property
    def sections(self) -> int:
        return len(self.episode.sections)

    def as_json(self) -> dict[str, Any]:
        one = self.episode
        return {
            "id": one.id,
            "number": one.number,
            "series": one.series,
            "title": one.title,
            "date": one.date.isoformat(),
            "state": self.state,
            "recorded": self.recorded,
            "sections": self.sections,
            "length_s": self.length,
            "planned_minutes": Minutes.of(one).as_json(),
        }


def standings(project: Project, build: Path, published: Collection[int]) -> tuple[Standing, ...]:
    """Every episode in order. ``published`` are the numbers of those that were."""
    return tuple(_standing(project, build, one, one.number in published) for one in project.episodes)


def _standing(project: Project, build: Path, episode: Episode, published: bool) -> Standing:
    there = sum(path is not None for path in recorded(project, episode).values())
    folder = build / episode.id
    receipt = receipts.read(folder)
    name = f"{episode.id}.mp3"
    if receipt and (name not in receipt.outputs or receipt.size_of(folder, name) is None):
        receipt = None
    state = "scratch" if receipt and receipt.scratch else "built" if receipt else "recorded" if there else "planned"
    return Standing(episode, "published" if published else state, there, receipt.samples / RATE if receipt else None)


def in_lines(project: Project, every: Sequence[Standing], width: int) -> Iterator[str]:
    """A table by series for people, ``width`` columns wide."""
    for series in project.series:
        here = [one for one in every if one.episode.series == series.slug]
        if here:
            yield f"{series.title} (season {series.season}): {_counted(here)}"
            yield from (_line(one, width) for one in here)


def _line(one: Standing, width: int) -> str:
    minutes = Minutes.of(one.episode).planned
    length = clock(one.length) if one.length is not None else f"{minutes:g} min" if minutes else ""
    part = f"{one.recorded} of {one.sections}"
    line = f"  {one.episode.id:12} {one.state:9} {part:>8} {length:>8}  {one.episode.date}  {one.episode.title}"
    return line if len(line) <= width else f"{line[: width - 1]}…"


def _counted(every: Iterable[Standing]) -> str:
    states = [one.state for one in every]
    return ", ".join(f"{states.count(state)} {state}" for state in STATES if state in states)
