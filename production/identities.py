"""What becomes of the locks: when feeds are published, when an episode is published anew, when a show moves here from elsewhere. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from feeds import lock
from feeds.identity import podcast_guid
from feeds.lock import Entry, Lock, Release
from feeds.model import Enclosure
from feeds.reader import Seen, SeenChannel
from production import sheets
from production.errors import Problem, StepFailed, StepsFailed
from production.feed import Feed
from production.model import Episode, Location, Project, Series, Show


def recorded(project: Project, feeds: Iterable[Feed], held: Mapping[str, Lock]) -> dict[str, Lock]:
    """The locks, by feed, once these feeds are published. ``held`` are those that there are."""
    found = dict(held)
    for feed in feeds:
        found.setdefault(feed.of.slug, Lock(feed.channel.guid))
        for item in feed.items:
            episode = next(one for one in project.episodes if one.number == item.episode)
            known = feed.known.get(item.episode) or Entry(item.episode, item.guid, episode.date, item.published, ())
            built = feed.built.get(item.episode)
            entry = known.released(built.release) if built else known
            # An episode stays in the lock of the series that it was first published in.
            home = next((slug for slug, one in held.items() if one.entry(entry.number)), episode.series)
            series = next((one for one in project.series if one.slug == home), project.series_of(episode))
            before = found.get(series.slug) or Lock(podcast_guid(sheets.feed_url(project, series)))
            found[series.slug] = before.having(entry)
    return found


def republished(episode: Episode, held: Mapping[str, Lock], *, keep_guid: bool) -> tuple[str, Lock]:
    """The feed whose lock changes, and that lock, when an episode is published anew with the date that its config says now. Raises StepFailed."""
    for slug, one in held.items():
        entry = one.entry(episode.number)
        if entry is None:
            continue
        moment = sheets.published(episode)
        if keep_guid and entry.date == episode.date:
            raise StepFailed(f"{episode.id}: republish", "neither its date nor its guid would change", hint="give its config another date first")
        change = lock.redated if keep_guid else lock.republished
        return slug, one.having(change(entry, episode.date, moment))
    raise StepFailed(f"{episode.id}: republish", "it was never published", hint="publish it: produce publish")


@dataclass(frozen=True)
class Adopted:
    """What a feed from elsewhere says of the show's episodes: the locks that come of it, by feed, and lines for people."""

    locks: dict[str, Lock]
    lines: tuple[str, ...]


def adopted(project: Project, of: Series | Show, channel: SeenChannel, items: Iterable[Seen], held: Mapping[str, Lock], source: Location) -> Adopted:
    """Take guids, dates and addresses of a published feed over. Raises StepsFailed for every item that is no episode of ours, or known otherwise."""
    found = dict(held)
    lines: list[str] = []
    problems: list[Problem] = []
    guid = channel.guid or podcast_guid(channel.feed_url or sheets.feed_url(project, of))
    if of.slug in found and found[of.slug].guid != guid:
        problems.append(Problem(source, f"its podcast:guid is {guid}, {of.slug} has {found[of.slug].guid}", "it is another feed: adopt it as that"))
    found[of.slug] = replace(found.get(of.slug) or Lock(guid), guid=guid)
    taken: dict[int, Seen] = {}
    for item in items:
        episode = _episode_of(project, of, item)
        problem = _unfit(item, episode, taken)
        if episode is None or problem:
            problems.append(
                Problem(replace(source, line=item.line), problem or "", "mend the config's number or title, or take the item out of the feed")
            )
            continue
        taken[episode.number] = item
        entry = _entry(episode, item)
        home = next((slug for slug, one in found.items() if one.entry(episode.number)), episode.series)
        before = found.get(home) or Lock(podcast_guid(sheets.feed_url(project, project.series_of(episode))))
        known = before.entry(episode.number)
        if known is not None and known.guid != entry.guid:
            problems.append(
                Problem(replace(source, line=item.line), f"{episode.id} is published already, with the guid {known.guid}", "keep one of them")
            )
            continue
        found[home] = before.having(known or entry)
        lines.append(f"{episode.id}: {entry.guid}, {entry.published.isoformat()}" + ("" if known is None else " (known)"))
        if entry.published.date() != episode.date:
            lines.append(f"{episode.id}: its config says {episode.date.isoformat()}; subscribers go on seeing {entry.published.date().isoformat()}")
    if problems:
        raise StepsFailed(problems)
    return Adopted(found, tuple(lines))


def _unfit(item: Seen, episode: Episode | None, taken: Mapping[int, Seen]) -> str:
    if episode is None:
        return f"no episode has its number or its title: {item.title!r}"
    if episode.number in taken:
        return f"a second item is {episode.id}: {item.title!r}"
    if not item.guid or item.published is None or item.enclosure_url is None:
        return f"{episode.id} has no guid, date or enclosure: {item.title!r}"
    if not item.enclosure_length:
        return f"the enclosure of {episode.id} has no length: {item.title!r}"
    return ""


def _episode_of(project: Project, of: Series | Show, item: Seen) -> Episode | None:
    """By its number, which may be counted through the show or within the series; else by its title."""
    ours = [one for one in project.episodes if isinstance(of, Show) or one.series == of.slug]
    by_title = [one for one in ours if one.title.casefold() == item.title.casefold()]
    if len(by_title) == 1:
        return by_title[0]
    return next((one for one in ours if one.number == item.episode), None)


def _entry(episode: Episode, item: Seen) -> Entry:
    assert item.guid
    assert item.published
    assert item.enclosure_url
    enclosure = Enclosure(item.enclosure_url, item.enclosure_length or 0, item.enclosure_type or "audio/mpeg")
    release = Release(enclosure, duration=item.duration or round((episode.minutes or 1) * 60), image=item.image, chapters_url=item.chapters_url)
    published = item.published if item.published.utcoffset() is not None else item.published.replace(tzinfo=dt.UTC)
    return Entry(episode.number, item.guid, episode.date, published, (release,))
