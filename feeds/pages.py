"""The listener's pages on a target: what differs is replaced, what is a page no more is removed, and what is not ours is left alone.

Unlike files, pages keep their names and change. What we put there stands in a list beside them (`LIST`), by name and sha256: that is how we know a
page of ours from a file of somebody else. The list is written before the first page changes, with what is about to be put there, and after the last,
with what is there. So whatever a killed run has put there is known for ours, and the next run finishes it.

Each page is the old one or the new one for whoever reads it. They appear in the order in which they are given, and what is gone is removed last.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from feeds.errors import NotAsSent, PathRefused, PublishError
from feeds.targets.base import MOST_BYTES, MOST_NAMES, Found, Needed, Text, checked
from feeds.turn import SMALL, Progress, Turn, data_of

LIST: Final = "pages.json"
"""The list of our pages, beside them: ``{"by": "produce publish", "pages": {"index.html": ["<sha256>"]}}``. Of a page that a killed run may have
changed, both states.
"""
_BY: Final = "produce publish"
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_SHOWN: Final = 3
_ATTEMPTS: Final = 2

Known = Mapping[str, tuple[str, ...]]
"""What the list says: the sha256 of what we have put under each path."""


@dataclass(frozen=True, slots=True)
class OutgoingPage:
    """A page, or something that pages are made with: ``path`` from the folder of the pages on, ``length`` and ``sha256`` of what ``read`` gives.

    ``needs`` are the files that it names and that must be on the target before it is.
    """

    path: str
    length: int
    sha256: str
    type: str
    read: Callable[[], bytes]
    needs: tuple[Needed, ...] = ()


@dataclass(frozen=True, slots=True)
class Site:
    """The pages of a show in a folder of a target, "" for its root. ``make`` gives all of them, in the order in which they are to appear, the index
    last; it is given what reads a small file of the target, and may raise PublishError.
    """

    folder: str
    make: Callable[[Callable[[str], bytes | None]], tuple[OutgoingPage, ...]]

    def at(self, path: str) -> str:
        """The public path of a page."""
        return f"{self.folder}/{path}" if self.folder else path


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the pages, as public paths; in a dry run what would. After ``failed``, some may be the new ones and some the old ones."""

    replaced: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    failed: PublishError | None = None


@dataclass(frozen=True, slots=True)
class _Change:
    """A page that is to take the place of what was read as ``was``."""

    page: OutgoingPage
    was: Text | None


def check_folder(site: Site) -> None:
    """Raises PathRefused for a folder that pages must not be in."""
    first = checked(site.at(LIST)).split("/")[0]
    if first.lower() == "feeds":
        raise PathRefused(f"{site.folder!r} is no folder for pages: the feeds stand there")


def bring(turn: Turn, site: Site, taken: Container[str], *, dry_run: bool = False) -> Outcome:
    """Let the pages on the target be those of the site. ``taken`` are paths of files that are on the target already, and no pages.

    Whatever goes wrong is in the outcome: the feeds stand. A dry run only looks.
    """
    try:
        pages = site.make(lambda path: data_of(turn.read(path)))
        _check(site, pages, taken)
        listed = turn.read(site.at(LIST))
        known = _read_list(turn, site, listed)
        changes = _differing(turn, site, pages, known)
        gone = tuple(_gone(turn, site, pages, known, taken))
        turn.check_needs((need for change in changes for need in change.page.needs), taken, "page")
        if not dry_run:
            _change(turn, site, pages, changes, gone, listed, known)
    except PublishError as error:
        return Outcome(failed=error)
    replaced = tuple(site.at(change.page.path) for change in changes)
    return Outcome(replaced, tuple(path for page in pages if (path := site.at(page.path)) not in replaced), tuple(map(site.at, gone)))


def _check(site: Site, pages: tuple[OutgoingPage, ...], taken: Container[str]) -> None:
    for page in pages:
        path = checked(site.at(page.path))
        if path in taken or page.path == LIST:
            raise PathRefused(f"{path} is in the place of something else")
        if not 0 < page.length <= MOST_BYTES or not _SHA256.fullmatch(page.sha256):
            raise PathRefused(f"{path} is {page.length} bytes long; a page is not empty, and {MOST_BYTES} bytes at most")
    if not 0 < len(pages) == len({page.path for page in pages}) <= MOST_NAMES:
        raise PathRefused("there is no page, or two have the same name")


# -- the list ---------------------------------------------------------------------------------------------------------------------


def _read_list(turn: Turn, site: Site, listed: Text | None) -> Known:
    if listed is None:
        return {}
    try:
        said = json.loads(listed.data)
        known = {checked(path): tuple(sums) for path, sums in said["pages"].items()}
        sound = said["by"] == _BY and all(isinstance(one, str) and _SHA256.fullmatch(one) for sums in known.values() for one in sums)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, PathRefused):
        sound = False
    if not sound:
        hint = "move it away, or keep the pages in another folder"
        raise PublishError(f"{site.at(LIST)} on {turn.target.where} is not the list of pages that is kept there", hint)
    return known


def _write_list(turn: Turn, site: Site, pages: Known, was: Text | None) -> Text | None:
    """Gives the list as it is there now."""
    data = json.dumps({"by": _BY, "pages": pages}, indent=1, sort_keys=True).encode() + b"\n"
    if data_of(was) == data:
        return was
    turn.replace(site.at(LIST), data, "application/json", was)
    there = turn.read(site.at(LIST))
    if data_of(there) != data:
        raise NotAsSent(site.at(LIST), "what can be read from the target is not the list that was sent")
    return there


# -- what is to be done -----------------------------------------------------------------------------------------------------------


def _differing(turn: Turn, site: Site, pages: tuple[OutgoingPage, ...], known: Known) -> list[_Change]:
    """The pages that are not there as they should be. Raises PublishError when somebody else's files are in their places.

    What the list names with this sha256 alone, and has its length (and its type and checksum, where the target knows them), is not read.
    """
    paths = [site.at(page.path) for page in pages]
    found = turn.call("looking at the pages", lambda moved: turn.target.look(paths, moved), SMALL * len(paths))
    changes: list[_Change] = []
    others: list[str] = []
    for page, path in zip(pages, paths, strict=True):
        there = found.get(path)
        if there is None:
            changes.append(_Change(page, None))
        elif known.get(page.path) != (page.sha256,) or not _fits(there, page):
            was = turn.read(path)
            same = was is not None and _sum(was.data) == page.sha256
            if not same and was is not None and page.path not in known:
                others.append(path)
            elif not same or not _typed(there, page):
                changes.append(_Change(page, was))
    if others:
        more = f" (and {len(others) - _SHOWN} more)" if len(others) > _SHOWN else ""
        said = f"{turn.target.where} holds {', '.join(others[:_SHOWN])}{more}, which produce publish did not put there"
        raise PublishError(said, "move them away, or keep the pages in another folder (pages: FOLDER)")
    return changes


def _fits(found: Found, page: OutgoingPage) -> bool:
    return found.length == page.length and found.sha256 in (None, page.sha256) and _typed(found, page)


def _typed(found: Found, page: OutgoingPage) -> bool:
    return found.type is None or _bare(found.type) == _bare(page.type)


def _bare(media_type: str) -> str:
    return media_type.split(";")[0].strip().lower()


def _sum(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _gone(turn: Turn, site: Site, pages: tuple[OutgoingPage, ...], known: Known, taken: Container[str]) -> Iterator[str]:
    """What the list names, is no page any more, and still is what we put there."""
    wanted = {page.path for page in pages}
    for path in sorted(set(known) - wanted):
        public = site.at(path)
        there = turn.read(public)
        if there is None:
            continue
        if public in taken or public.startswith("feeds/") or _sum(there.data) not in known[path]:
            turn.warn(f"{public} is no page any more, and not what was put there: it is left alone")
        else:
            yield path


# -- doing it ---------------------------------------------------------------------------------------------------------------------


def _change(
    turn: Turn, site: Site, pages: tuple[OutgoingPage, ...], changes: list[_Change], gone: tuple[str, ...], listed: Text | None, known: Known
) -> None:
    wanted = {page.path: (page.sha256,) for page in pages}
    if not changes and not gone and known == wanted:
        return
    turn.still_alone()
    if changes or gone:
        either = {path: tuple(dict.fromkeys((*known.get(path, ()), *wanted.get(path, ())))) for path in {*known, *wanted}}
        listed = _write_list(turn, site, either, listed)
        total = sum(change.page.length for change in changes)
        done = 0
        for change in changes:
            _put(turn, site.at(change.page.path), change)
            done += change.page.length
            turn.progress(Progress(site.at(change.page.path), change.page.length, change.page.length, done, total))
        turn.still_alone()
        for path in gone:
            _remove(turn, site.at(path))
    _write_list(turn, site, wanted, listed)
    if changes:
        turn.check_public(site.at(pages[-1].path), pages[-1].read(), "page")


def _remove(turn: Turn, path: str) -> None:
    turn.call(f"removing {path}", lambda _: turn.target.remove(path))
    turn.say(f"removed {path}")


def _put(turn: Turn, path: str, change: _Change) -> None:
    """Replace a page, and read it back. Raises NotAsSent when it is another one twice."""
    page, there = change.page, change.was
    data = page.read()
    if (len(data), _sum(data)) != (page.length, page.sha256):
        raise PublishError(f"{path} is no longer what it was when it was made", "run again")
    for _ in range(_ATTEMPTS):
        turn.replace(path, data, page.type, there)
        there = turn.read(path)
        if data_of(there) == data:
            return
    raise NotAsSent(path, "what can be read from the target is not the page that was sent")
