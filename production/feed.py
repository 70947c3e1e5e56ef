"""build/feeds/<series>.xml from the receipts of what was built. A scratch build is never in a feed."""

from __future__ import annotations

import json
from pathlib import Path

import feeds
from feeds.errors import FeedRuleBroken
from feeds.model import Channel, Item
from production import receipts, sheets
from production.errors import StepFailed
from production.model import Project, Series
from production.store import Store, digest, digest_bytes, disk_errors, write
from production.versions import version

LIBRARIES = ("feedgen", "lxml")


def write_feed(project: Project, series: Series, build: Path, store: Store) -> Path:
    """The series' feed and its cover; gives the feed's path. Raises StepFailed when a rule that every app insists on is broken."""
    listed = [found for episode in project.episodes if episode.series == series.slug and (found := _item(project, build, episode.id))]
    path = build / "feeds" / f"{series.slug}.xml"
    with disk_errors(path):
        _write(project, series, listed, path, store.root / "feeds" / f"{series.slug}.json")
        write(path.with_suffix(".jpg"), sheets.series_cover(project, series, store))
    return path


def _write(project: Project, series: Series, listed: list[Item], path: Path, note: Path) -> None:
    """Render the feed, unless the note of the last time says that it would come out as it is: loading feedgen takes longer than everything else."""
    channel = sheets.channel(project, series)
    key = digest("feed", _renderer(), repr(channel), [repr(item) for item in listed])
    if _noted(note) == [key, _sum(path)]:
        return
    data = _rendered(project, series, channel, listed)
    write(path, data)
    write(note, json.dumps([key, digest_bytes(data)]).encode())


def _rendered(project: Project, series: Series, channel: Channel, listed: list[Item]) -> bytes:
    from feeds import rss

    try:
        return rss.render(channel, listed)
    except FeedRuleBroken as error:
        where = project.where(series.slug) if error.item is None else None
        raise StepFailed(f"feed {series.slug}", str(error), where=where, hint="mend the config that says so and run again") from error


def _renderer() -> str:
    """What makes the bytes of a feed besides what it says: our own code, and whose libraries it uses."""
    code = [digest_bytes(path.read_bytes()) for folder in feeds.__path__ for path in sorted(Path(folder).glob("*.py"))]
    return digest(code, [version(name) for name in LIBRARIES])


def _noted(note: Path) -> object:
    try:
        return json.loads(note.read_bytes())
    except (OSError, ValueError):
        return None


def _sum(path: Path) -> str:
    try:
        return digest_bytes(path.read_bytes())
    except OSError:
        return ""


def _item(project: Project, build: Path, episode_id: str) -> Item | None:
    folder = build / episode_id
    receipt = receipts.read(folder)
    if receipt is None or receipt.scratch:
        return None
    # Only the file that subscribers download must be there: an episode does not leave its feed because a picture beside it was lost.
    size = receipt.size_of(folder, f"{episode_id}.mp3")
    if size is None:
        return None
    return sheets.item(project, project.episode(episode_id), length=size, samples=receipt.samples)
