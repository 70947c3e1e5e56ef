"""What podcast apps will show of an episode as it would be published now, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from feeds.model import Channel, Item
from feeds.notes import NotesTooLong
from production import feed, releases, sheets
from production.errors import ProduceError
from production.feed import Feed
from production.model import Episode, Project
from production.store import Store

if TYPE_CHECKING:
    from feeds.apps import Shown

_COVER = "cover.jpg"


@dataclass(frozen=True, slots=True)
class Asked:
    """An episode's item, and the channel that it is in; or, in words, why there is none."""

    channel: Channel | None
    item: Item | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class App:
    """What one app shows. ``starts`` says how exactly chapters begin there; ``chapters`` are (seconds, title)."""

    name: str
    source: str
    visible: str
    cut: bool
    form: str
    starts: str
    chapters: tuple[tuple[float, str], ...]
    images: int
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Apps:
    """All of them. ``notes`` is what they are given as notes, in words; ``why`` there are none of them."""

    apps: tuple[App, ...]
    notes: str
    why: str = ""


def asked(project: Project, episode: Episode, build: Path, store: Store) -> Asked:
    """Cheap, and all that the apps' view of an episode depends on."""
    try:
        found = releases.built(project, build, episode)
        if found is None:
            return Asked(None, None, "an episode that a placeholder speaks in is in no feed")
        item = sheets.item(project, episode, found.release, None, store)
    except (ProduceError, NotesTooLong, OSError, UnicodeDecodeError) as error:
        return Asked(None, None, f"there is no feed: {error}")
    return Asked(sheets.channel(project, project.series_of(episode), guid=None, image=_COVER), item)


def apps(project: Project, episode: Episode, said: Asked) -> Apps:
    """Read from the feed as it would be rendered of this item alone."""
    if said.channel is None or said.item is None:
        return Apps((), "", said.why)
    from feeds import apps, reader

    alone = Feed(project.series_of(episode), said.channel, (said.item,), {}, {}, b"", "")
    try:
        seen = next(iter(reader.items(reader.parse(feed.rendered(project, alone)))))
    except ProduceError as error:
        return Apps((), "", f"there is no feed: {error}")
    marks = [(one.start, one.title, one.image is not None) for one in said.item.chapters]
    notes = f"{len(seen.content):,} characters of HTML as notes, and a summary of {len(seen.description):,}"
    return Apps(tuple(_app(one, said.item) for one in apps.shown(seen, marks, said.item.enclosure.length)), notes)


def _app(one: Shown, item: Item) -> App:
    whole = one.form == "the description" or (one.form == "JSON" and any("whole seconds" in remark for remark in one.app.remark.split(";")))
    chapters = tuple((mark.start // 1000 if whole else mark.start / 1000, mark.title) for mark in item.chapters[: one.chapters])
    early = max((mark.start % 1000 for mark in item.chapters[: one.chapters]), default=0) if whole else 0
    starts = f"in whole seconds, up to {early} ms early" if early else "in whole seconds, which these are" if whole else "to the millisecond"
    return App(
        one.app.name,
        one.app.source,
        one.visible,
        one.visible != item.title,
        one.form or "",
        starts if one.form else "",
        chapters,
        one.images,
        one.remarks,
    )
