"""The site under build/: what changed is written, what is no more is removed, and what could not be made is said."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from feeds.lock import Lock
from production import feed, releases
from production.errors import ConfigError, Problem, StepFailed, StepsFailed
from production.feed import Feed
from production.inputs import source_line
from production.model import Episode, Location, Project
from production.remade import as_made, remade
from production.site import pages, said
from production.site.page import Addresses, File
from production.site.views import INDEX, episode_path, series_path
from production.store import Store

SITE, PUBLIC = "site", "public-site"
"""The folders under build/: for this machine, and for the web."""
_OURS = ("episodes", "series", "covers", "assets")


def write_site(project: Project, folder: Path, store: Store, now: dt.datetime, *, public: bool = False) -> dict[str, Path]:
    """Bring the site in a folder under build/ up to date; gives its files by their paths in it. ``public`` is the one to put on the web: what was
    published, where it was published. Raises what `feed.made` raises, and StepsFailed when a page cannot be made; the others are.
    """
    build = folder.parent
    if public:
        return bring(files_of(project, published(project, build, store, now), store), folder, store)
    made = feed.made(project, project.show, build, store, now)
    return bring(tuple(pages.files(project, made, store, Addresses(_beside(project, made, build), project.show.site or ""))), folder, store)


def published(project: Project, build: Path, store: Store, now: dt.datetime, locked: Mapping[str, Lock] | None = None) -> Feed:
    """What was published of the show, and is in its feed; ``locked`` as in `feed.made`, which says what is raised."""
    return pages.published(project, feed.made(project, project.show, build, store, now, locked), store)


def files_of(project: Project, made: Feed, store: Store) -> tuple[File, ...]:
    """The pages for the web, of what was published."""
    addresses = Addresses({}, project.show.site or "")
    return tuple(pages.files(project, made, store, addresses, partial(said.path_of, project, made, store)))


def pages_of(project: Project, files: Mapping[str, Path], words: Sequence[str], episodes: Sequence[Episode], *, whole: bool) -> list[Path]:
    """The pages that words of a command line mean: a series' page for the series, else those of the episodes, and the show's for the ``whole`` of it.
    Raises StepsFailed for episodes that have none, because they are not built, spoken by a placeholder, or not out yet.
    """
    series = {one.slug for one in project.series}
    found = [*([files[INDEX]] if whole else []), *(files[series_path(word)] for word in words if word in series)]
    named = [] if whole else [one for one in episodes if one.series not in words]
    lacking = [one for one in named if episode_path(one.id) not in files]
    if lacking:
        raise StepsFailed(
            Problem(
                project.where(one.id, "date") or Location(project.root),
                f"{one.id}: no page: it is not built from recordings, or not out yet ({one.date.isoformat()})",
                "what is not out yet is shown by produce serve",
            )
            for one in lacking
        )
    return found + [files[episode_path(one.id)] for one in named]


def _beside(project: Project, made: Feed, build: Path) -> dict[str, str]:
    """The files of what is built, as seen from build/, by the addresses that they will have."""
    return {releases.url_of(project, one.path): os.path.relpath(one.local, build) for found in made.built.values() for one in found.files}


def bring(files: tuple[File, ...], folder: Path, store: Store) -> dict[str, Path]:
    """Bring the files of a site in a folder under build/ up to date. Raises StepsFailed when one cannot be made; the others are."""
    problems: list[Problem] = []
    with remade(_note(folder, store)) as bring_file:
        for file in files:
            try:
                bring_file(folder / file.path, file.key, file.make)
            except (ConfigError, StepFailed) as error:
                problems += _problems(error, folder)
    _remove_others(folder, {file.path for file in files})
    if problems:
        raise StepsFailed(problems)
    return {file.path: folder / file.path for file in files}


def bytes_of(files: tuple[File, ...], folder: Path, store: Store) -> Iterator[tuple[File, bytes]]:
    """The same files, with nothing written. Raises StepsFailed at the first that cannot be made."""
    is_made = as_made(_note(folder, store))
    for file in files:
        path = folder / file.path
        try:
            yield file, path.read_bytes() if is_made(path, file.key) else file.make()
        except (ConfigError, StepFailed) as error:
            raise StepsFailed(_problems(error, folder)) from error


def _note(folder: Path, store: Store) -> Path:
    return store.root / f"{folder.name}.json"


def _problems(error: ConfigError | StepFailed, folder: Path) -> tuple[Problem, ...]:
    if isinstance(error, ConfigError):
        return error.problems
    where = error.where or Location(folder)
    return (Problem(where, str(error), error.hint, source_line(where)),)


def _remove_others(folder: Path, wanted: set[str]) -> None:
    """What is in our folders and no page of today: an episode that is not out any more, above all."""
    for name in _OURS:
        for path in (folder / name).glob("*"):
            if f"{name}/{path.name}" not in wanted and path.is_file():
                path.unlink()
