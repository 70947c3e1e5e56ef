"""The locks of the feeds: configs/published/<feed>.json. Read before anything is said about an episode, written when something is published."""

from __future__ import annotations

from pathlib import Path

from feeds import lock
from feeds.errors import LockDamaged
from feeds.lock import Entry, Lock
from production.errors import ConfigError, Problem
from production.files import CONFIGS
from production.model import Location, Project
from production.store import disk_errors, write

FOLDER = "published"


def path_of(project: Project, feed: str) -> Path:
    return project.root / CONFIGS / FOLDER / f"{feed}.json"


def read(project: Project, feed: str) -> Lock | None:
    """What was published in a feed; None when nothing ever was. Raises ConfigError for a lock that cannot be read: nothing is guessed."""
    path = path_of(project, feed)
    try:
        return lock.parse(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError([Problem(Location(path), f"cannot be read: {error.strerror}", "it says what was published: bring it back")]) from error
    except LockDamaged as error:
        where = Location(path, error.line, error.column)
        raise ConfigError([Problem(where, error.why, f"bring {path.name} back from version control: it says what was published")]) from error


def all_of(project: Project) -> dict[str, Lock]:
    """Every lock that there is, by feed: those of the series, and the whole show's. Raises ConfigError."""
    return {slug: found for slug in (*(one.slug for one in project.series), project.show.slug) if (found := read(project, slug))}


def entries(project: Project) -> tuple[Entry, ...]:
    """Every published episode of the show, whichever series it was published in. Raises ConfigError."""
    return tuple(entry for one in all_of(project).values() for entry in one.entries)


def save(project: Project, feed: str, held: Lock) -> None:
    """Write a lock. Raises StoreError."""
    path = path_of(project, feed)
    with disk_errors(path):
        write(path, lock.text(held))
