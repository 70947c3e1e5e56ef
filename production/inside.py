"""Markers inside recordings at their places in the programme: the second level of the chapters, and where it is asked for chapters like the others.
Pure.

A marker goes where its sound went. One in a cut, or in silence that was trimmed away before the first word, goes on to the next sample that sounds;
one after the last is dropped, and that is said. Those before the in point or after the out point are for another section, and are counted only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from audio.chapters import MAX_CHAPTERS
from audio.editmap import EditMap
from audio.marker import Marker
from audio.timeline import Chapter
from audio.units import RATE, Samples, samples_from_seconds
from production import plan
from production.model import Episode, Section
from production.plan import Plan

APART = RATE
"""Chapters that begin closer together than a second are one: lists for people count in seconds, and apps show no more."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A marker at its place in the programme: ``end`` where it is a stretch, ``source`` the file that holds it (or ``embedded``). ``moved``: it lay
    in what does not sound. ``chapter``: it is in the list.
    """

    title: str
    start: Samples
    end: Samples | None
    source: str
    link: str | None = None
    moved: bool = False
    chapter: bool = False


@dataclass(frozen=True)
class Inside:
    """The chapters of the file, those of the sections alone, the markers inside each section by time, and what became of others."""

    chapters: tuple[Chapter, ...]
    sections: tuple[Chapter, ...]
    markers: Mapping[str, tuple[Placed, ...]]
    outside: Mapping[str, int]
    """How many markers of a section's recording lie before its in point or after its out point: another section may be made of those."""
    notes: tuple[str, ...]


def inside(planned: Plan, sections: tuple[Chapter, ...]) -> Inside:
    """Place the markers of every section, and make the list of chapters. ``sections`` are those of the sections alone."""
    notes: list[str] = []
    markers: dict[str, tuple[Placed, ...]] = {}
    outside: dict[str, int] = {}
    room = MAX_CHAPTERS - len(sections)
    for chapter, section in zip(sections, _sections(planned.episode, sections), strict=True):
        fact = planned.fact(chapter.slug)
        within = [one for one in fact.input.beside.markers if _within(one, section)]
        if others := len(fact.input.beside.markers) - len(within):
            outside[chapter.slug] = others
        found = tuple(_placed(within, fact.input.beside.source, plan.edit_map(planned, chapter.slug), chapter, notes))
        if (section.inside or planned.episode.settings.chapters.inside) == "list":
            begins = planned.programme.find(chapter.slug).start
            found = tuple(_listed(found, chapter, begins, room, notes))
            room -= sum(one.chapter for one in found)
        if found:
            markers[chapter.slug] = found
    return Inside(tuple(_chapters(sections, markers)), sections, markers, outside, tuple(notes))


def _sections(episode: Episode, chapters: Sequence[Chapter]) -> Iterator[Section]:
    known = {section.slug: section for section in episode.sections}
    return (known[chapter.slug] for chapter in chapters)


def _within(marker: Marker, section: Section) -> bool:
    """Whether a marker lies between the in point and the out point."""
    return marker.start >= samples_from_seconds(section.start) and (section.end is None or marker.start < samples_from_seconds(section.end))


def _placed(found: Sequence[Marker], source: str, edit: EditMap, chapter: Chapter, notes: list[str]) -> Iterator[Placed]:
    before: Placed | None = None
    for marker in found:
        at = edit.onward(marker.start)
        if at is None or at >= chapter.end:
            notes.append(f"{chapter.slug}: marker {marker.title!r} lies in what is not heard of the recording; it is left out")
            continue
        one = _at(marker, at, edit, source)
        if before is not None and before.start == one.start and before.moved:
            # Of those that one cut brings together, the last says what is heard from there.
            notes.append(f"{chapter.slug}: marker {before.title!r} lies in a cut before {one.title!r}; it is left out")
        elif before is not None:
            yield before
        before = one
    if before is not None:
        yield before


def _at(marker: Marker, at: Samples, edit: EditMap, source: str) -> Placed:
    left = None if marker.end is None else edit.stretch(marker.start, marker.end)
    return Placed(marker.title, at, left[1] if left else None, source, marker.link, edit.at(marker.start) is None)


def _listed(found: Sequence[Placed], chapter: Chapter, begins: Samples, room: int, notes: list[str]) -> Iterator[Placed]:
    """The markers of a section, those that become chapters marked: none is less than a second from another chapter, and no more are taken than
    there is ``room`` for.
    """
    last = max(chapter.start, begins)
    for one, after in zip_longest(found, found[1:]):
        # One whose own sound was cut out gives way to one that is heard.
        gives_way = one.moved and after is not None and after.start - one.start < APART
        if one.start - last < APART or chapter.end - one.start < APART or gives_way:
            notes.append(f"{chapter.slug}: marker {one.title!r} is less than a second from another chapter; it is none itself")
            yield one
        elif room <= 0:
            notes.append(f"{chapter.slug}: marker {one.title!r} would be more than chapter {MAX_CHAPTERS}, and a file holds no more; it is none")
            yield one
        else:
            room, last = room - 1, one.start
            yield replace(one, chapter=True)


def _chapters(sections: Sequence[Chapter], markers: Mapping[str, Sequence[Placed]]) -> Iterator[Chapter]:
    """The sections' chapters, each up to the first that begins inside it."""
    for chapter in sections:
        inner = [one for one in markers.get(chapter.slug, ()) if one.chapter]
        ends = [*(one.start for one in inner), chapter.end]
        yield replace(chapter, end=ends[0])
        for number, (one, end) in enumerate(zip(inner, ends[1:], strict=True), 1):
            # A dot, which no section's name holds.
            yield Chapter(f"{chapter.slug}.{number}", one.title, one.start, end, one.link)
