"""build/feeds/<feed>.xml from the configs, the receipts of what was built, and the locks of what was published: one feed for each series, and one for
the whole show.

The same input gives the same bytes, whatever the clock says: ``now`` only decides which episodes are out already. A scratch build is in no feed. An
episode that was published and is not built on this machine stays in its feed as it was published.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import feeds
from feeds import lock
from feeds.errors import FeedRuleBroken, IdentityChanged
from feeds.lock import Entry, Lock
from feeds.model import Channel, Item
from feeds.notes import NotesTooLong
from production import locks, releases, sheets
from production.errors import Problem, StepFailed, StepsFailed
from production.inputs import source_line
from production.model import Episode, Location, Project, Series, Show
from production.releases import Built
from production.remade import remade
from production.store import Store, digest, digest_bytes, disk_errors, write
from production.versions import version

LIBRARIES = ("feedgen", "lxml")


@dataclass(frozen=True)
class Feed:
    """A feed before it is text. ``built`` and ``known`` hold, by number, what is built here of its episodes and what was published of them."""

    of: Series | Show
    channel: Channel
    items: tuple[Item, ...]
    built: dict[int, Built]
    known: dict[int, Entry]
    cover: bytes
    cover_sha256: str


def feeds_of(project: Project) -> tuple[Series | Show, ...]:
    """Every feed of a show: one for each series, and the whole one last."""
    return (*project.series, project.show)


def made(project: Project, of: Series | Show, build: Path, store: Store, now: dt.datetime, locked: Mapping[str, Lock] | None = None) -> Feed:
    """A feed as it would be published now. ``locked`` are the locks by feed, if not those that there are. Raises StepsFailed for every episode whose
    identity would change, ConfigError for a damaged lock.
    """
    by_feed = locks.all_of(project) if locked is None else locked
    entries = tuple(entry for one in by_feed.values() for entry in one.entries)
    episodes = [episode for episode in project.episodes if isinstance(of, Show) or episode.series == of.slug]
    known = dict(_known(project, episodes, entries))
    built = {episode.number: found for episode in episodes if (found := releases.built(project, build, episode))}
    cover = sheets.feed_cover(project, of, store)
    sha256 = hashlib.sha256(cover).hexdigest()
    image = releases.address("feeds", f"{of.slug}.jpg", sha256)
    held = by_feed.get(of.slug)
    channel = sheets.channel(project, of, guid=held.guid if held else None, image=image)
    items = tuple(_items(project, episodes, built, known, store, now))
    return Feed(of, channel, items, built, known, cover, sha256)


def _known(project: Project, episodes: list[Episode], entries: tuple[Entry, ...]) -> Iterator[tuple[int, Entry]]:
    problems: list[Problem] = []
    for episode in episodes:
        try:
            entry = lock.identified(entries, episode.number, episode.date)
        except IdentityChanged as error:
            where = project.where(episode.id, error.what) or Location(project.root)
            hint = f"write {error.was} again; if all subscribers shall be given it anew: produce republish {episode.id}"
            problems.append(Problem(where, str(error), hint, source_line(where)))
            continue
        if entry is not None:
            yield episode.number, entry
    if problems:
        raise StepsFailed(problems)


def _items(
    project: Project, episodes: list[Episode], built: dict[int, Built], known: dict[int, Entry], store: Store, now: dt.datetime
) -> Iterator[Item]:
    for episode in episodes:
        entry = known.get(episode.number)
        found = built.get(episode.number)
        release = found.release if found else entry.releases[-1] if entry and entry.releases else None
        if release is None or (entry is None and sheets.published(episode) > now):
            continue
        try:
            yield sheets.item(project, episode, release, entry, store)
        except (NotesTooLong, OSError, UnicodeDecodeError) as error:
            where = project.where(episode.id, "notes")
            raise StepFailed(f"{episode.id}: notes", str(error), where=where, hint="show notes are a page of Markdown, in UTF-8") from error


def write_feed(project: Project, of: Series | Show, build: Path, store: Store, now: dt.datetime) -> Path:
    """Write a feed and its cover under build/feeds; gives the feed's path. Raises what `made` raises, and StepFailed when a rule is broken that every
    app insists on.
    """
    path = build / "feeds" / f"{of.slug}.xml"
    with disk_errors(path):
        found = made(project, of, build, store, now)
        _write(project, found, path, store.root / "feeds" / f"{of.slug}.json")
        write(path.with_suffix(".jpg"), found.cover)
    return path


def _write(project: Project, found: Feed, path: Path, note: Path) -> None:
    """Render the feed, unless the note of the last time says that it would come out as it is: loading feedgen takes longer than everything else."""
    key = digest("feed", _renderer(), repr(found.channel), [repr(item) for item in found.items])
    with remade(note) as bring:
        bring(path, key, lambda: rendered(project, found))


def rendered(project: Project, found: Feed) -> bytes:
    """The feed as XML. Raises StepFailed for a rule that is broken, where the config says so."""
    from feeds import rss

    try:
        return rss.render(found.channel, found.items)
    except FeedRuleBroken as error:
        number = next((item.episode for item in found.items if item.guid == error.item), None)
        name = next((episode.id for episode in project.episodes if episode.number == number), None) or (
            "show" if isinstance(found.of, Show) else found.of.slug
        )
        hint = "mend the config that says so and run again"
        raise StepFailed(f"feed {found.of.slug}", str(error), where=project.where(name), hint=hint) from error


def _renderer() -> str:
    """What makes the bytes of a feed besides what it says: our own code, and whose libraries it uses."""
    code = [digest_bytes(path.read_bytes()) for folder in feeds.__path__ for path in sorted(Path(folder).glob("*.py"))]
    return digest(code, [version(name) for name in LIBRARIES])
