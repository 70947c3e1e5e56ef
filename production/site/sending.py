"""The listener's pages on their way to a target: those for the web, of what was published, in the order in which they may appear there."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

from feeds.lock import Lock
from feeds.pages import OutgoingPage
from feeds.targets.base import Needed
from production import releases
from production.feed import Feed
from production.model import Project
from production.site import said, shelf
from production.site.page import File
from production.site.views import INDEX, episode_path
from production.store import Store, disk_errors, locked

_ORDER = ("assets", "covers", "episodes", "series")
"""The folders of the site: what pages are made with, and pages before those that lead to them. What stands in none of them, last."""


def pages(
    project: Project,
    build: Path,
    store: Store,
    now: dt.datetime,
    held: Mapping[str, Lock],
    read: Callable[[str], bytes | None],
    *,
    dry_run: bool,
) -> tuple[OutgoingPage, ...]:
    """Make the pages, under build/public-site/ unless it is a dry run. ``held`` are the locks of what is published by then, ``read`` gives what
    stands under a public path. Raises what `feed.made` raises, and StepsFailed when a page cannot be made.
    """
    folder = build / shelf.PUBLIC
    with disk_errors(folder), locked(store.root / "locks" / f"{folder.name}.lock"):
        made = shelf.published(project, build, store, now, held)
        said.fetch(project, made, store, read)
        files, needs = shelf.files_of(project, made, store), _needs(project, made)
        if dry_run:
            return _ordered(_page(file, data, partial(bytes, data), needs) for file, data in shelf.bytes_of(files, folder, store))
        paths = shelf.bring(files, folder, store)
        return _ordered(_page(file, paths[file.path].read_bytes(), paths[file.path].read_bytes, needs) for file in files)


def _page(file: File, data: bytes, read: Callable[[], bytes], needs: Mapping[str, Needed]) -> OutgoingPage:
    need = needs.get(file.path)
    return OutgoingPage(file.path, len(data), hashlib.sha256(data).hexdigest(), file.type, read, (need,) if need else ())


def _ordered(found: Iterable[OutgoingPage]) -> tuple[OutgoingPage, ...]:
    return tuple(sorted(found, key=_rank))


def _rank(page: OutgoingPage) -> tuple[int, bool]:
    folder, inside, _ = page.path.partition("/")
    return (_ORDER.index(folder) if inside else len(_ORDER), page.path == INDEX)


def _needs(project: Project, made: Feed) -> dict[str, Needed]:
    """The sound that each episode's page plays, by the page's path, where it is published under the show's own address."""
    base, names = releases.url_of(project, ""), {one.number: one.id for one in project.episodes}
    return {
        episode_path(names[item.episode]): Needed(item.enclosure.url.removeprefix(base), item.enclosure.length)
        for item in made.items
        if item.enclosure.url.startswith(base)
    }
