"""build/feeds/<series>.xml from the receipts of what was built. A scratch build is never in a feed."""

from __future__ import annotations

from pathlib import Path

from feeds import rss
from feeds.errors import FeedRuleBroken
from feeds.model import Item
from production import receipts, sheets
from production.errors import StepFailed
from production.model import Project, Series
from production.store import Store, disk_errors, write


def write_feed(project: Project, series: Series, build: Path, store: Store) -> Path:
    """The series' feed and its cover; gives the feed's path. Raises StepFailed when a rule that every app insists on is broken."""
    listed = [found for episode in project.episodes if episode.series == series.slug and (found := _item(project, build, episode.id))]
    try:
        data = rss.render(sheets.channel(project, series), listed)
    except FeedRuleBroken as error:
        where = project.where(series.slug) if error.item is None else None
        raise StepFailed(f"feed {series.slug}", str(error), where=where, hint="mend the config that says so and run again") from error
    path = build / "feeds" / f"{series.slug}.xml"
    with disk_errors(path):
        write(path, data)
        write(path.with_suffix(".jpg"), sheets.series_cover(project, series, _colour(project, series), store))
    return path


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


def _colour(project: Project, series: Series) -> str:
    """The colour of the series: what its first episode inherits."""
    own = [e for e in project.episodes if e.series == series.slug]
    return min(own, key=lambda e: e.number).settings.artwork.colour if own else "#1f4e79"
