"""The site under build/: what changed is written, what is no more is removed, and what could not be made is said."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from production import feed, releases
from production.errors import ConfigError, Problem, StepFailed, StepsFailed
from production.feed import Feed
from production.inputs import source_line
from production.model import Episode, Location, Project
from production.remade import remade
from production.site import pages
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
    made = feed.made(project, project.show, build, store, now)
    if public:
        made = pages.published(project, made, store)
    addresses = Addresses({} if public else _beside(project, made, build), project.show.site or "")
    return _write(tuple(pages.files(project, made, store, addresses)), folder, store.root / f"{folder.name}.json")


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


def _write(files: tuple[File, ...], folder: Path, note: Path) -> dict[str, Path]:
    problems: list[Problem] = []
    with remade(note) as bring:
        for file in files:
            try:
                bring(folder / file.path, file.key, file.make)
            except (ConfigError, StepFailed) as error:
                problems += _problems(error, folder)
    _remove_others(folder, {file.path for file in files})
    if problems:
        raise StepsFailed(problems)
    return {file.path: folder / file.path for file in files}


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
