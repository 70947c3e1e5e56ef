"""A new episode's file is proven before it is there, and is written where no file is."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from production import config, files
from production.authoring import titles
from production.authoring.proposals import Draft, Planned
from production.authoring.script import Outline
from production.errors import ConfigError, Problem
from production.files import CONFIGS, File
from production.model import Episode, Location
from production.store import create, disk_errors

EPISODES = "episodes"


def path_of(root: Path, draft: Draft) -> Path:
    """Where the file of an episode belongs."""
    return root / CONFIGS / EPISODES / f"{draft.id}.yaml"


def from_script(outline: Outline) -> tuple[Planned, ...]:
    """The sections of a script, with names for their recordings."""
    found: list[Planned] = []
    for section in outline.sections:
        slug = titles.slug(section.title, {one.slug for one in found})
        remark = "" if section.sure else "a guess: its words do not say"
        found.append(Planned(slug, section.title, section.part, section.minutes, section.points, remark))
    return tuple(found)


def proven(root: Path, draft: Draft, text: str) -> None:
    """The project is read as it would be with the file in it, and the episode is what was meant.

    Raises ConfigError with what is wrong with the project then.
    """
    path = path_of(root, draft)
    found = files.find(root)
    if any(file.path.stem == draft.id for file in found.episodes):
        raise _taken(path)
    project = config.load(dataclasses.replace(found, episodes=(*found.episodes, File(path, text.encode("utf-8"))))).project
    said = _said(project.episode(draft.id))
    if said != draft:
        raise AssertionError(f"what was written is read as {said}, and {draft} was meant")


def _said(episode: Episode) -> Draft:
    """What a file says of what a draft holds."""
    return Draft(
        episode.number,
        episode.series,
        episode.title,
        episode.summary,
        episode.date,
        episode.minutes,
        tuple(Planned(one.slug, one.title, one.part, one.minutes, one.talking_points) for one in episode.sections),
    )


def write(root: Path, draft: Draft, text: str) -> Path:
    """Write the file, whole, where there is none. Raises ConfigError when there is one by now, StoreError when the disk does not let us."""
    path = path_of(root, draft)
    with disk_errors(path):
        created = create(path, text.encode("utf-8"))
    if not created:
        raise _taken(path)
    return path


def _taken(path: Path) -> ConfigError:
    hint = "run it again: the next free number is proposed"
    return ConfigError([Problem(Location(path), "there is such a file already, and it is left as it is", hint)])
