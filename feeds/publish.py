"""Publishing: files and feeds to a target, in an order and with proofs that leave subscribers nothing broken at any moment.

Files have names that come from their content and never change; only feeds, and pages, are replaced. So whatever happens, and whenever we are killed,
a feed on the target is the old one or the new one, and everything that it names is there:

1. one publisher at a time has the target; what the feeds are now is read
2. audio, chapters, transcripts, pictures: each is sent aside, proven there by its checksum, and appears whole
3. what the feeds name and somebody else sent is looked for, and the public addresses are asked as apps ask them
4. the caller saves what was published (``before_feeds``)
5. each feed, after whatever it names: the old one is kept under feeds/previous/, and replaced if it still is what was read
6. the listener's pages, if they are kept there (`feeds.pages`): they name what the feeds name. What goes wrong with them changes no feed

What is there already is not sent again, so the run after one that was killed finishes it, and one after that sends nothing.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from feeds import holder, pages, web
from feeds.errors import FeedOvertaken, NotAsSent, NotServed, PathRefused, PublishError, TargetUnreachable
from feeds.pages import Outcome, Site
from feeds.patience import Patience, again, bounded
from feeds.targets.base import FEED_TYPE, MOST_BYTES, NAME_DIGITS, Found, Outgoing, OutgoingFeed, Target, Text, checked
from feeds.turn import SMALL, Progress, Turn, busy, data_of

PREVIOUS: Final = "feeds/previous"
"""Where the feeds that were replaced are kept: ``<slug>-<number>-<part of the sha256>.xml``, the newest with the highest number."""
KEPT: Final = 20
"""How many of each feed."""

_SLUG: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_DAMAGED_TWICE: Final = 2


@dataclass(frozen=True, slots=True)
class Report:
    """What was done, as public paths; in a dry run what would be. ``sent_bytes`` are those of the files in ``sent``; ``pages`` is None when no pages
    are kept there.
    """

    sent: tuple[str, ...] = ()
    already: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    sent_bytes: int = 0
    warnings: tuple[str, ...] = ()
    dry_run: bool = False
    pages: Outcome | None = None


def publish(
    target: Target,
    files: Sequence[Outgoing],
    feeds: Sequence[OutgoingFeed],
    *,
    site: Site | None = None,
    before_feeds: Callable[[], None] = lambda: None,
    say: Callable[[str], None] = lambda _: None,
    progress: Callable[[Progress], None] = lambda _: None,
    dry_run: bool = False,
    patience: Patience = Patience(),  # noqa: B008  frozen
) -> Report:
    """Publish files and then the feeds that name them. ``say`` is given lines for people, ``progress`` a few states a second.

    ``before_feeds`` is called when every file is there and before the first feed changes. A dry run only looks. Raises PublishError: the feeds are
    then what they were, but for those that `Report` of a further run calls unchanged. What goes wrong with the pages of the ``site`` the Report says.
    """
    run = _Run(target, say, progress, patience)
    ordered = _ordered(files)
    _check_feeds(feeds)
    if site is not None:
        pages.check_folder(site)
    if dry_run:
        return run.outlook(ordered, feeds, site)
    with run.alone():
        were = {feed.path: run.read(feed.path) for feed in feeds}
        changed = [feed for feed in feeds if data_of(were[feed.path]) != feed.data]
        sent = run.bring(ordered)
        run.check_named(ordered, changed)
        run.check_served(ordered if changed else sent, sent)
        before_feeds()
        for feed in changed:
            run.renew(feed, were[feed.path])
        for feed in changed:
            run.tell(feed)
        brought = run.pages(site, ordered)
    return run.report(ordered, sent, feeds, changed, brought)


def rollback(
    target: Target,
    slug: str,
    *,
    to: int | None = None,
    say: Callable[[str], None] = lambda _: None,
    patience: Patience = Patience(),  # noqa: B008  frozen
) -> str:
    """Put a feed back that was replaced: the last one that differs from the present one, or the one of this number. Gives the path it was kept under.

    The present one is kept in its turn, so a rollback of a rollback undoes it. Raises PublishError.
    """
    _check_slug(slug)
    run = _Run(target, say, lambda _: None, patience)
    with run.alone():
        path = f"feeds/{slug}.xml"
        present = run.read(path)
        for one in reversed(run.kept(slug)):
            if to not in (None, one.number):
                continue
            found = run.read(one.path)
            if found is None or not hashlib.sha256(found.data).hexdigest().startswith(one.digits):
                say(f"{one.path} is not what was kept there")
            elif present is None or found.data != present.data:
                run.renew(OutgoingFeed(slug, found.data), present)
                return one.path
    raise PublishError(f"{target.where} keeps no other feed of {slug}" + (f" with the number {to}" if to is not None else ""))


def unlock(target: Target, *, patience: Patience = Patience()) -> str:  # noqa: B008  frozen
    """Remove the lock of a publisher that has ended without removing it, from whatever machine. Gives who it was, "" when there is none."""
    there = bounded("looking for the lock", lambda _: target.read(target.lock), patience)
    if there is None:
        return ""
    mine = holder.ourselves()
    try:
        theirs = bounded("taking the lock over", lambda _: target.take_over(mine, there.data), patience)
        if theirs is not None:
            raise busy(target, theirs)
        bounded("removing the lock", lambda _: target.release(mine), patience)
    finally:
        holder.finished(mine)
    return str(holder.read(there.data) or "somebody") if there.data else ""


# -- what is asked for ------------------------------------------------------------------------------------------------------------


def _ordered(files: Iterable[Outgoing]) -> list[Outgoing]:
    """Audio, chapters, transcripts, pictures, each path once. Raises PathRefused."""
    listed: dict[str, Outgoing] = {}
    for file in files:
        checked(file.path)
        if not _SHA256.fullmatch(file.sha256) or file.sha256[:NAME_DIGITS] not in PurePosixPath(file.path).name:
            raise PathRefused(f"{file.path} does not carry the first {NAME_DIGITS} digits of its sha256: its content could change under its name")
        if file.path.startswith("feeds/") and file.path.endswith(".xml"):
            raise PathRefused(f"{file.path} is in the place of a feed")
        if file.length <= 0:
            raise PathRefused(f"{file.path} would be empty")
        if (other := listed.setdefault(file.path, file)).sha256 != file.sha256:
            raise PathRefused(f"{file.path} is asked for with two contents: {other.local} and {file.local}")
    return sorted(listed.values(), key=_rank)


def _rank(file: Outgoing) -> int:
    kind, _, name = file.type.partition("/")
    if kind in ("audio", "video"):
        return 0
    return 3 if kind == "image" else 1 if name == "json+chapters" else 2


def _check_feeds(feeds: Sequence[OutgoingFeed]) -> None:
    for feed in feeds:
        _check_slug(feed.slug)
        if not 0 < len(feed.data) <= MOST_BYTES:
            raise PublishError(f"{feed.path} is {len(feed.data)} bytes long; a feed is not empty, and {MOST_BYTES} bytes at most")
        for need in feed.needs:
            checked(need.path)
    if len({feed.slug for feed in feeds}) != len(feeds):
        raise PathRefused("two feeds have the same name")


def _check_slug(slug: str) -> None:
    if not _SLUG.fullmatch(slug):
        raise PathRefused(f"{slug!r} is no name of a feed: letters, digits, - and _")


# -- the run ----------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Kept:
    """A feed that was replaced."""

    number: int
    digits: str
    path: str


@dataclass(slots=True)
class _Run(Turn):
    """One publishing of files and feeds."""

    # -- files ---------------------------------------------------------------------------------------------------------------------

    def look(self, files: Sequence[Outgoing]) -> dict[str, Found]:
        """What is on the target of these files, as it is."""
        paths = [file.path for file in files]
        return self.call("looking at what is there", lambda moved: self.target.look(paths, moved), SMALL * len(paths)) if paths else {}

    def missing(self, files: Sequence[Outgoing]) -> list[Outgoing]:
        """Those that are not on the target with their length, and with their type and checksum where it knows them."""
        found = self.look(files)
        return [file for file in files if file.path not in found or _differs(found[file.path], file)]

    def bring(self, files: Sequence[Outgoing]) -> list[Outgoing]:
        """Send what is not there yet; gives what was sent."""
        waiting = self.missing(files)
        for file in waiting:
            _check_local(file)
        total = sum(file.length for file in waiting)
        done = 0
        for file in waiting:
            self._bring(file, done, total)
            done += file.length
        return waiting

    def _bring(self, file: Outgoing, done: int, total: int) -> None:
        highest = 0

        def watch(sent: int) -> None:
            nonlocal highest
            highest = max(highest, min(sent, file.length))
            self.progress(Progress(file.path, highest, file.length, done + highest, total))

        for attempt in range(1, _DAMAGED_TWICE + 1):
            try:
                again(lambda: self._send(file, watch), self.patience, self.say)
                break
            except NotAsSent as error:
                if attempt == _DAMAGED_TWICE:
                    raise
                self.say(f"{error}; sending it again")
        watch(file.length)
        self.say(f"sent {file.path}")

    def _send(self, file: Outgoing, watch: Callable[[int], None]) -> None:
        """One attempt; nothing is left to do when the one before came through and only its answer was lost."""
        what = f"sending {file.path}"
        found = self.bounded(what, lambda moved: self.target.look([file.path], moved)).get(file.path)
        if found is not None and not _differs(found, file):
            return
        self.bounded(what, lambda moved: self.target.send(file, moved), file.length, watch)
        proof = self.bounded(f"proving {file.path}", lambda moved: self.target.proof(file, moved), file.length)
        if why := _differs(proof, file, typed=False) or ("" if proof.sha256 else "the target does not say what it was sent"):
            self.bounded(f"removing {file.path}", lambda _: self.target.drop(file))
            raise NotAsSent(file.path, why)
        self.bounded(what, lambda _: self.target.land(file))
        found = self.bounded(f"proving {file.path}", lambda moved: self.target.look([file.path], moved)).get(file.path)
        # It stays where it is: what landed was proven, and the present feed may name it.
        if why := _differs(found, file) if found else "is not there after it was sent":
            raise NotAsSent(file.path, why)

    def check_named(self, files: Sequence[Outgoing], feeds: Sequence[OutgoingFeed]) -> None:
        """Whatever the feeds name besides these files is there. Raises PublishError."""
        self.check_needs((need for feed in feeds for need in feed.needs), {file.path for file in files}, "feed")

    def check_served(self, files: Sequence[Outgoing], sent: Sequence[Outgoing]) -> None:
        """Ask the public address of each file as apps do, when there is one: of what was there already, that of the audio. Raises NotServed."""
        base = self.target.public_url
        if base is None:
            return
        fresh = {file.path for file in sent}
        for file in files:
            if file.path not in fresh and _rank(file):
                continue
            url = web.address(base, file.path)
            try:
                lines = self._served(url, file)
            except TargetUnreachable as error:
                why = str(error).removeprefix(f"{url}: ")
                raise NotServed(url, why, "is the target's public address the right one? The feeds were not changed") from error
            for line in lines:
                self.warn(line)

    def _served(self, url: str, file: Outgoing) -> list[str]:
        return self.call(f"asking for {url}", lambda _: web.served(url, file.length, file.type, self.patience))

    # -- feeds ---------------------------------------------------------------------------------------------------------------------

    def renew(self, feed: OutgoingFeed, was: Text | None) -> None:
        """Put a feed in the place of the old one, which is kept. What is read back differs: the old one is put back, and NotAsSent raised."""
        if was is not None:
            self._keep(feed.slug, was)
        self.still_alone()
        self.replace(feed.path, feed.data, FEED_TYPE, was)
        there = self.read(feed.path)
        if data_of(there) != feed.data:
            with contextlib.suppress(FeedOvertaken):
                self.replace(feed.path, feed.data, FEED_TYPE, there)
            there = self.read(feed.path)
        if data_of(there) != feed.data:
            if was is not None and there is not None:
                self.replace(feed.path, was.data, FEED_TYPE, there)
            raise NotAsSent(feed.path, "what can be read from the target is not the feed that was sent")
        self.say(f"replaced {feed.path}" if was else f"published {feed.path}")
        self.check_public(feed.path, feed.data, "feed")

    def kept(self, slug: str) -> list[_Kept]:
        """The feeds that were replaced, oldest first."""
        pattern = re.compile(rf"{re.escape(slug)}-(\d{{1,9}})-([0-9a-f]{{{NAME_DIGITS}}})\.xml")
        names = self.call("looking at the kept feeds", lambda _: self.target.names(PREVIOUS))
        found = [(match, name) for name in names if (match := pattern.fullmatch(name))]
        return sorted((_Kept(int(match[1]), match[2], f"{PREVIOUS}/{name}") for match, name in found), key=lambda one: (one.number, one.digits))

    def _keep(self, slug: str, was: Text) -> None:
        kept = self.kept(slug)
        digits = hashlib.sha256(was.data).hexdigest()[:NAME_DIGITS]
        if not kept or kept[-1].digits != digits or data_of(self.read(kept[-1].path)) != was.data:
            path = f"{PREVIOUS}/{slug}-{kept[-1].number + 1 if kept else 1:04}-{digits}.xml"
            self.replace(path, was.data, FEED_TYPE, self.read(path))
            if data_of(self.read(path)) != was.data:
                raise NotAsSent(path, "the old feed could not be kept; the feed was not changed")
            kept.append(_Kept(0, digits, path))
        for one in kept[:-KEPT]:
            self._forget(one.path)

    def _forget(self, path: str) -> None:
        try:
            self.call(f"removing {path}", lambda _: self.target.remove(path))
        except PublishError as error:
            self.warn(f"{path} could not be removed: {error}")

    def tell(self, feed: OutgoingFeed) -> None:
        """Tell the feed's hub, if it has one. That it does not listen is no error: apps find the feed by themselves, later."""
        hub = feed.hub
        if not hub or not feed.url:
            return
        try:
            self.bounded(f"telling {hub}", lambda _: web.announce(hub, feed.url, self.patience))
            self.say(f"told {hub}")
        except PublishError as error:
            self.warn(str(error))

    def pages(self, site: Site | None, files: Sequence[Outgoing], *, dry_run: bool = False) -> Outcome | None:
        """Bring the listener's pages up to date, if they are kept there."""
        return None if site is None else pages.bring(self, site, {file.path for file in files}, dry_run=dry_run)

    # -- what is said of it ----------------------------------------------------------------------------------------------------------

    def outlook(self, files: Sequence[Outgoing], feeds: Sequence[OutgoingFeed], site: Site | None) -> Report:
        """What `publish` would do now; nothing is changed for it."""
        waiting = self.missing(files)
        for file in waiting:
            _check_local(file)
        changed = [feed for feed in feeds if data_of(self.read(feed.path)) != feed.data]
        self.check_named(files, changed)
        brought = self.pages(site, files, dry_run=True)
        return self.report(files, waiting, feeds, changed, brought, dry_run=True)

    def report(
        self,
        files: Sequence[Outgoing],
        sent: Sequence[Outgoing],
        feeds: Sequence[OutgoingFeed],
        changed: Sequence[OutgoingFeed],
        brought: Outcome | None,
        *,
        dry_run: bool = False,
    ) -> Report:
        gone = {file.path for file in sent}
        renewed = {feed.path for feed in changed}
        return Report(
            sent=tuple(file.path for file in sent),
            already=tuple(file.path for file in files if file.path not in gone),
            replaced=tuple(feed.path for feed in changed),
            unchanged=tuple(feed.path for feed in feeds if feed.path not in renewed),
            sent_bytes=sum(file.length for file in sent),
            warnings=tuple(self.warnings),
            dry_run=dry_run,
            pages=brought,
        )


def _differs(found: Found, file: Outgoing, *, typed: bool = True) -> str:
    """What of a file is otherwise on the target, as far as that knows it; "" when nothing is."""
    if found.length != file.length:
        return f"is {found.length} bytes long on the target, not {file.length}"
    if found.sha256 not in (None, file.sha256):
        return "is not what was sent: its checksum differs"
    if typed and found.type is not None and found.type.split(";")[0].strip().lower() != file.type:
        return f"is of type {found.type} on the target, not {file.type}"
    return ""


def _check_local(file: Outgoing) -> None:
    """The file that is sent is the one that was described. Raises PublishError."""
    try:
        with file.local.open("rb") as opened:
            length, sha256 = file.local.stat().st_size, hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise PublishError(f"{file.local} cannot be read: {error.strerror or error}", "build the episode again") from error
    if (length, sha256) != (file.length, file.sha256):
        raise PublishError(f"{file.local} is no longer what it was when it was built", "build the episode again")
