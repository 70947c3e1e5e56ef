"""Feeds and what they name, on their way to a target: what is sent, what subscribers will see of it, and what is refused.

The locks are written when every file is there and before the first feed changes: what a killed run leaves is a lock that knows too much, never a feed
that nobody remembers.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from feeds import apps, check, diff, reader, web
from feeds.diff import Changes
from feeds.errors import ExtraMissing, FeedUnreadable, ProgramMissing, PublishError
from feeds.lock import Lock
from feeds.patience import Patience
from feeds.publish import Report, publish
from feeds.rules import Broken
from feeds.targets import Where, open_target
from feeds.targets.base import Needed, Outgoing, OutgoingFeed, Target
from feeds.turn import Progress
from production import feed, identities, locks, media, releases, sheets, webpages
from production.clock import clock
from production.errors import ConfigError, Problem, StepFailed, StepsFailed, ToolMissing
from production.feed import Feed
from production.model import Location, Place, Project, Series, Show
from production.store import Store, disk_errors, write

_SHOWN = 3
"""Problems of one kind that are told each by itself."""


@dataclass(frozen=True)
class Ready:
    """Feeds as they would be published: each with its text, and the files that they name and that are here."""

    project: Project
    feeds: tuple[Feed, ...]
    texts: Mapping[str, bytes]
    files: tuple[Outgoing, ...]
    held: Mapping[str, Lock]

    def broken(self, now: dt.datetime) -> Iterator[tuple[str, Broken]]:
        """The rules that the feeds break, each with the feed's name."""
        for slug, text in self.texts.items():
            yield from ((slug, one) for one in check.check(text, now))


def ready(project: Project, wanted: Sequence[Series | Show], build: Path, store: Store, now: dt.datetime) -> Ready:
    """Make the feeds, and gather what is published with them. Raises what `feed.made` and `feed.rendered` raise."""
    made = tuple(feed.made(project, one, build, store, now) for one in wanted)
    texts = {one.of.slug: feed.rendered(project, one) for one in made}
    files: dict[str, Outgoing] = {}
    for one in made:
        cover = _cover(project, one, build)
        files[cover.path] = cover
        for item in one.items:
            found = one.built.get(item.episode)
            for file in found.files if found else ():
                files[file.path] = file
    return Ready(project, made, texts, tuple(files.values()), locks.all_of(project))


def _cover(project: Project, one: Feed, build: Path) -> Outgoing:
    """The feed's cover, which stands beside the feed under build/."""
    path = build / "feeds" / f"{one.of.slug}.jpg"
    with disk_errors(path):
        write(path, one.cover)
    public = one.channel.image.removeprefix(releases.url_of(project, ""))
    return Outgoing(path, public, len(one.cover), releases.JPEG, one.cover_sha256)


def changes(made: Ready, slug: str, before: bytes | None) -> Changes:
    """What subscribers of a feed will see. Raises StepFailed when what was published before cannot be read."""
    try:
        return diff.diff(before, made.texts[slug])
    except FeedUnreadable as error:
        hint = "look at it; if it is none of ours, use another target"
        raise StepFailed(f"feed {slug}", f"what is published there is no feed: {error}", hint=hint) from error


def published(project: Project, place: Place, made: Ready) -> dict[str, bytes]:
    """The feeds as they stand on a target. Raises StepFailed."""
    with contextlib.closing(opened(project, place)) as target, said(place):
        found = {slug: target.read(f"feeds/{slug}.xml") for slug in made.texts}
    return {slug: text.data for slug, text in found.items() if text}


def fetched(source: str) -> bytes:
    """A feed from a file, or from a web address. Raises StepFailed."""
    try:
        if not source.startswith(("https://", "http://")):
            with open(source, "rb") as file:
                return file.read(reader.MOST_BYTES + 1)
        answer = web.ask("GET", source, Patience(), most=reader.MOST_BYTES + 1)
    except OSError as error:
        raise StepFailed("feed", f"{source}: {error.strerror or error}", hint="name a saved feed, or its address") from error
    except PublishError as error:
        raise StepFailed("feed", str(error), hint="save it, and name the file") from error
    if answer.status != 200:
        raise StepFailed("feed", f"{source}: the server answers {answer.status}", hint="save it, and name the file")
    return answer.body


def save(made: Ready, build: Path) -> None:
    """Put the feeds under build/, where problems name their lines."""
    for slug, text in made.texts.items():
        path = build / "feeds" / f"{slug}.xml"
        with disk_errors(path):
            write(path, text)


def shown(made: Ready) -> Iterator[str]:
    """What each app will show of the episodes, each once, as lines."""
    for one in made.feeds:
        if isinstance(one.of, Show) and len(made.feeds) > 1:
            continue
        seen = {item.episode: item for item in reader.items(reader.parse(made.texts[one.of.slug]))}
        for item in one.items:
            marks = [(mark.start, mark.title, mark.image is not None) for mark in item.chapters]
            for app in apps.shown(seen[item.episode], marks, item.enclosure.length):
                yield f"episode {item.episode}: {app.line()}"


# -- sending ---------------------------------------------------------------------------------------------------------------------


def place_of(project: Project, name: str | None) -> Place:
    """The target of that name, or the only one. Raises ConfigError."""
    places = project.show.targets
    where = project.where("show", "targets") or project.where("show") or Location(project.root)
    if not places:
        hint = "write under targets: a name, a kind (folder, s3, sftp, webdav, rsync), and where it is"
        raise ConfigError([Problem(where, "no target to publish to", hint)])
    if name is None and len(places) == 1:
        return places[0]
    known = ", ".join(place.name for place in places)
    if name is None:
        raise ConfigError([Problem(where, f"there are several targets: {known}", "say which one: --to NAME")])
    found = next((place for place in places if place.name == name), None)
    if found is None:
        raise ConfigError([Problem(where, f"there is no target {name!r}", f"there are: {known}")])
    return found


def opened(project: Project, place: Place) -> Target:
    """The target, connected. Raises StepFailed."""
    path = place.path or ""
    if path and (place.kind == "folder" or (place.kind == "rsync" and not place.host)):
        path = str(project.root / path)
    where = Where(
        place.kind,
        path=path,
        host=place.host or "",
        user=place.user or "",
        port=place.port or 0,
        url=place.url or "",
        bucket=place.bucket or "",
        prefix=place.prefix or "",
        endpoint=place.endpoint or "",
        region=place.region or "",
        public_url=place.public or "",
    )
    with said(place):
        return open_target(where)


def send(
    made: Ready,
    target: Target,
    place: Place,
    *,
    now: dt.datetime,
    removing: bool,
    dry_run: bool,
    say: Callable[[str], None],
    show: Callable[[str, float, float], None],
    pages: webpages.Pages | None = None,
) -> Report:
    """Publish, with the listener's ``pages`` where they are kept there. ``say`` is told what subscribers will see. Raises StepsFailed for what must
    not be published, StepFailed for what the target did; what went wrong with the pages, `webpages.failed` gives.
    """
    _refuse_broken(made, now)
    with said(place):
        before = {slug: target.read(f"feeds/{slug}.xml") for slug in made.texts}
    problems: list[Problem] = []
    for slug in made.texts:
        there = before[slug]
        found = changes(made, slug, there.data if there else None)
        for line in found.lines():
            say(f"{slug}: {line}")
        problems += _refused(made, slug, found, removing=removing)
    if problems:
        raise StepsFailed(problems)
    after = identities.recorded(made.project, made.feeds, made.held)

    def remember() -> None:
        for slug, lock in after.items():
            if lock != made.held.get(slug):
                locks.save(made.project, slug, lock)

    begun = time.monotonic()
    with said(place):
        return publish(
            target,
            made.files,
            [_outgoing(made, one) for one in made.feeds],
            site=None if place.pages is None or pages is None else webpages.site(made.project, place, pages, after if dry_run else None),
            before_feeds=remember,
            say=say,
            progress=lambda state: show(_label(state, time.monotonic() - begun), state.done, state.total),
            dry_run=dry_run,
        )


def _refuse_broken(made: Ready, now: dt.datetime) -> None:
    broken = [(slug, one) for slug, one in (*made.broken(now), *_media(made)) if one.rule.severity == "error"]
    if broken:
        raise StepsFailed(_problem(made, slug, one) for slug, one in broken)


def _problem(made: Ready, slug: str, one: Broken, more: str = "") -> Problem:
    build = made.project.root / "build"
    # What breaks a rule of files has no line in the feed, and stands in the episode's folder.
    where = Location(build / "feeds" / f"{slug}.xml", one.line, 1) if one.line else Location(build / str(one.item))
    return Problem(where, f"{one.rule.id}: {one.message}{more}", f"{one.hint} ({one.rule.source})", severity=one.rule.severity)


def problems_of(made: Ready, now: dt.datetime) -> list[Problem]:
    """Everything that the feeds' rules say, worst first; what is the same of many items once, and what one feed said of an item not again."""
    said = set[tuple[str, str]]()
    groups: dict[tuple[str, str], list[Broken]] = {}
    for slug, one in (*made.broken(now), *_media(made)):
        if one.item is None or (one.rule.id, one.item) not in said:
            groups.setdefault((slug, one.rule.id), []).append(one)
        if one.item is not None:
            said.add((one.rule.id, one.item))
    found: list[Problem] = []
    for (slug, _), alike in groups.items():
        shown, left = (alike, 0) if len(alike) <= _SHOWN else (alike[:1], len(alike) - 1)
        found += [_problem(made, slug, one, f" (and {left} more like it)" if left else "") for one in shown]
    return sorted(found, key=lambda one: (one.severity != "error", str(one.location.path), one.location.line))


def _media(made: Ready) -> Iterator[tuple[str, Broken]]:
    """The rules that files of the episodes break, with the name of the feed that they are in."""
    done = set[int]()
    for one in made.feeds:
        for item in one.items:
            found = one.built.get(item.episode)
            if found is not None and item.episode not in done:
                done.add(item.episode)
                episode = next(episode for episode in made.project.episodes if episode.number == item.episode)
                yield from ((one.of.slug, broken) for broken in media.broken(episode, found))


def _refused(made: Ready, slug: str, found: Changes, *, removing: bool) -> Iterator[Problem]:
    """What would be seen by subscribers and was hardly meant."""
    at = Location(locks.path_of(made.project, slug))
    former = {guid for one in made.held.values() for entry in one.entries for guid in entry.former}
    for both in found.replaced:
        if both.was.identity not in former:
            message = f"the feed there knows {both.now.title!r} by another guid: {both.was.identity}"
            yield Problem(at, message, "save that feed and take it over first: produce adopt FEED")
    if not removing:
        for one in found.removed:
            hint = "bring its config back, or say --allow-removal"
            yield Problem(at, f"{one.title!r} would leave the feed", hint)


def _outgoing(made: Ready, one: Feed) -> OutgoingFeed:
    """A feed, and what it names that another machine has sent."""
    base, sent = releases.url_of(made.project, ""), {file.path for file in made.files}
    urls = {item.enclosure.url: item.enclosure.length for item in one.items}
    needs = (Needed(path, length) for url, length in urls.items() if url.startswith(base) and (path := url.removeprefix(base)) not in sent)
    return OutgoingFeed(one.of.slug, made.texts[one.of.slug], sheets.feed_url(made.project, one.of), made.project.show.hub, tuple(needs))


def _label(state: Progress, took: float) -> str:
    """What is being sent, and how quickly since the beginning; how long it takes still, the terminal says."""
    rate = f", {state.done / 1e6 / took:.1f} MB/s" if took > 1 else ""
    return f"sending {Path(state.path).name} {state.sent / 1e6:.1f} of {state.length / 1e6:.1f} MB{rate}"


@contextlib.contextmanager
def said(place: Place) -> Iterator[None]:
    """Turn what a target says into a failed step that names it, and what is not installed into what to install."""
    try:
        yield
    except (ExtraMissing, ProgramMissing) as error:
        raise ToolMissing(f"target {place.name}: {error}" + (f"; {error.hint}" if error.hint else "")) from error
    except PublishError as error:
        raise StepFailed(f"target {place.name}", str(error), hint=error.hint) from error


def in_lines(report: Report, took: float) -> list[str]:
    """For people."""
    would = "would be " if report.dry_run else ""
    lines = [f"warning: {one}" for one in report.warnings]
    if report.sent:
        rate = f", {report.sent_bytes / 1e6 / took:.1f} MB/s" if took > 1 and not report.dry_run else ""
        lines.append(f"{len(report.sent)} files {would}sent ({report.sent_bytes / 1e6:.1f} MB{'' if report.dry_run else f' in {clock(took)}'}{rate})")
    lines.append(f"{len(report.already)} files were there already")
    lines += [f"{path} {would}replaced" for path in report.replaced]
    lines += [f"{path} is as it was" for path in report.unchanged]
    return [*lines, *webpages.in_lines(report.pages, dry_run=report.dry_run)] if report.pages else lines
