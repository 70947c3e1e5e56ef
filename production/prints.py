"""Recordings that are there twice: in one episode, within a section, or as a section of another episode that was measured in this project.

``prints/EPISODE.json`` in the store says what every episode's sections were when it was last built; their prints are entries of the store.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from audio import prints
from audio.editmap import before_cuts
from audio.findings import Finding
from audio.prints import Print, Same
from audio.units import RATE, Samples, seconds
from production.clock import clock
from production.findings import Noted
from production.model import Project
from production.plan import Plan
from production.store import Store, digest, write
from production.survey import Fact, Surveyor

_FOLDER = "prints"
_MOSTLY = 0.8
"""Of a section: what has so much of another one is that one."""
_SHORTEST = round(prints.SHORTEST * RATE)


@dataclass(frozen=True)
class _Section:
    """A section of an episode: the entry of its print, its file, and what of the file (by its digest) sounds: samples [start, end)."""

    print: str
    content: str
    file: str
    start: int
    end: int


def repeats(project: Project, planned: Plan, store: Store, surveyor: Surveyor) -> Iterator[Noted]:
    """Say what is there twice, and remember what this episode consists of."""
    own = {fact.input.name: fact for fact in planned.facts if fact.input.kind == "section" and not fact.input.scratch}
    sections = {name: _section(fact, store, surveyor) for name, fact in own.items()}
    others = _others(project, planned.episode.id, store)
    path = store.root / _FOLDER / f"{planned.episode.id}.json"
    write(path, json.dumps({name: vars(one) for name, one in sections.items()}, indent=0, sort_keys=True).encode())
    everybody = [(name, vars(one)) for name, one in (*sections.items(), *others.items())]
    key = digest("repeats", prints.RECIPE, list(sections), everybody)
    kept = store.value(key)
    if kept is None:
        loaded = {name: read for name, one in (*sections.items(), *others.items()) if (read := _print(store, one.print)) is not None}
        kept = [list(one) for one in _same(sections, others, own, loaded)]
        # One that is gone may come again, and nothing else would say so.
        if len(loaded) == len(everybody):
            store.put_value(key, kept)
    for said in kept:
        yield _noted(Same(*said), own, others)


def _section(fact: Fact, store: Store, surveyor: Surveyor) -> _Section:
    key = digest("print", prints.RECIPE, fact.profile)
    if not store.has(key):
        store.put(key, prints.print_of(surveyor.profile(fact)).packed().encode())
    # Without its cuts, a file is another one: then it is only told by its sound.
    content = fact.profile if fact.input.beside.stretches else fact.digest
    return _Section(key, content, fact.input.label, fact.measured.start, fact.measured.end)


def _others(project: Project, but: str, store: Store) -> dict[str, _Section]:
    """The sections of the other episodes, as "episode section"; only those that the configs still have."""
    found: dict[str, _Section] = {}
    for episode in project.episodes:
        if episode.id == but:
            continue
        with contextlib.suppress(OSError, ValueError, TypeError):
            said = json.loads((store.root / _FOLDER / f"{episode.id}.json").read_text("utf-8"))
            slugs = [section.slug for section in episode.sections]
            found |= {f"{episode.id} {slug}": _Section(**said[slug]) for slug in slugs if slug in said}
    return found


def _same(sections: Mapping[str, _Section], others: Mapping[str, _Section], own: Mapping[str, Fact], loaded: Mapping[str, Print]) -> list[Same]:
    found: list[Same] = []
    known: set[tuple[str, str]] = set()
    listed = [*sections.items(), *others.items()]
    for index, (one, here) in enumerate(sections.items()):
        for other, there in listed[index + 1 :]:
            start, end = max(here.start, there.start), min(here.end, there.end)
            # Several sections may be cut out of one file: only what two of them have in common is there twice.
            if here.content == there.content and end - start >= min(_SHORTEST, (here.end - here.start) // 2):
                known.add((one, other))
                # Within recordings, as matches are said: from the first decoded sample.
                origin = own[one].take.start
                found.append(Same(one, other, Samples(start - origin), Samples(end - origin), Samples(start)))
    mine = {name: loaded[name] for name in sections if name in loaded}
    matches = prints.same(mine, {name: loaded[name] for name in others if name in loaded})
    return found + [one for one in matches if (one.one, one.other) not in known]


def _print(store: Store, key: str) -> Print | None:
    data = store.get(key)
    return None if data is None else Print.unpacked(data.decode())


def _noted(same: Same, own: Mapping[str, Fact], others: Mapping[str, _Section]) -> Noted:
    fact = own[same.one]
    start, end = (Samples(fact.take.start + at) for at in (same.start, same.end))
    length = seconds(end - start)
    within = fact.measured.end - fact.measured.start
    what = "all of it" if end - start > _MOSTLY * within else f"{clock(length)} of it"
    if same.other in others:
        detector, words = "borrowed", f"{what} is the recording of {same.other}"
    elif same.one == same.other:
        there = before_cuts(fact.take.start + same.there, fact.input.beside.stretches)
        detector, words = "repeated", f"{clock(length)} of it come again at {clock(seconds(there))} of the recording"
    else:
        detector, words = "repeated", f"{what} is in {same.other}, too"
    return Noted(Finding(detector, "warning", start, end, round(length, 1), "s", words), "recording", fact.input.name)
