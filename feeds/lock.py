"""The lock of a feed: what was published under which name, so that nothing that apps know an episode by changes by accident. Pure: text in, text out.

There is one for each feed, a small file that is committed beside the configs. It holds the feed's podcast:guid, and for every published episode its
guid, the moment of its first publication, and each release: the files that subscribers were given, oldest first. Whatever else the configs say of an
episode may change; these may not, but by `republished`.

A release also holds what the feed says of its files, so that a machine that never built an episode writes the same feed.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

from feeds.errors import IdentityChanged, LockDamaged
from feeds.identity import next_guid
from feeds.model import Alternate, Chapter, Enclosure, Transcript

VERSION = 1


@dataclass(frozen=True, slots=True)
class Release:
    """The files of one publication of an episode. ``sha256`` is that of the enclosure, "" when it was adopted from another feed; ``duration`` is in
    whole seconds.
    """

    enclosure: Enclosure
    duration: int
    sha256: str = ""
    image: str | None = None
    chapters_url: str | None = None
    chapters: tuple[Chapter, ...] = ()
    transcripts: tuple[Transcript, ...] = ()
    alternates: tuple[Alternate, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """A published episode. ``date`` is what its config said when it was published, ``published`` the moment that the feed says, ``former`` are guids
    that it had before it was published anew.
    """

    number: int
    guid: str
    date: dt.date
    published: dt.datetime
    releases: tuple[Release, ...]
    former: tuple[str, ...] = ()

    def released(self, release: Release) -> Entry:
        """The entry with this release as the newest; itself when it is that already."""
        if self.releases and self.releases[-1] == release:
            return self
        # The same file again, of which the feed says something else: no new release of it.
        before = self.releases[:-1] if self.releases and self.releases[-1].enclosure.url == release.enclosure.url else self.releases
        return replace(self, releases=(*before, release))


@dataclass(frozen=True, slots=True)
class Lock:
    """What is known of a feed by those who subscribe to it. ``entries`` are in the order of their numbers."""

    guid: str
    entries: tuple[Entry, ...] = ()

    def entry(self, number: int) -> Entry | None:
        return next((one for one in self.entries if one.number == number), None)

    def having(self, entry: Entry) -> Lock:
        """The lock with this entry in the place of the one of its number."""
        others = (one for one in self.entries if one.number != entry.number)
        return replace(self, entries=tuple(sorted((*others, entry), key=lambda one: one.number)))


def identified(entries: Iterable[Entry], number: int, date: dt.date) -> Entry | None:
    """What is known of an episode; None when it was never published. ``entries`` are those of all series of the show.

    Raises IdentityChanged when its config now says another date: apps would sort it anew, and some would take it for another episode.
    """
    found = next((one for one in entries if one.number == number), None)
    if found is not None and found.date != date:
        raise IdentityChanged(number, "date", found.date.isoformat(), date.isoformat())
    return found


def redated(entry: Entry, date: dt.date, published: dt.datetime) -> Entry:
    """The entry with another date: apps sort it anew, and hardly any downloads it again."""
    return replace(entry, date=date, published=published)


def republished(entry: Entry, date: dt.date, published: dt.datetime) -> Entry:
    """The entry as a new episode: another guid and the date given. Every subscriber is given it again."""
    return replace(redated(entry, date, published), guid=next_guid(entry.guid), former=(*entry.former, entry.guid))


# -- as text ---------------------------------------------------------------------------------------------------------------------


def text(lock: Lock) -> bytes:
    """As JSON that a person can read and git can merge: equal locks are equal bytes."""
    said = {"version": VERSION, "guid": lock.guid, "episodes": [_entry(one) for one in lock.entries]}
    return (json.dumps(said, indent=1, ensure_ascii=False) + "\n").encode()


def _entry(one: Entry) -> dict[str, Any]:
    said = asdict(one) | {"date": one.date.isoformat(), "published": one.published.isoformat()}
    return _bare(said)


def _bare(said: dict[str, Any]) -> dict[str, Any]:
    """Without what is not there: most episodes have no transcript and no other file."""
    return {name: _listed(value) for name, value in said.items() if not (value is None or value is False or value in ("", (), []))}


def _listed(value: Any) -> Any:
    if isinstance(value, dict):
        return _bare(value)
    return [_listed(one) for one in value] if isinstance(value, (list, tuple)) else value


def parse(data: bytes) -> Lock:
    """What `text` gave. Raises LockDamaged with the place of what is wrong."""
    try:
        said = json.loads(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise LockDamaged("is no UTF-8 text", 1, 1) from error
    except json.JSONDecodeError as error:
        raise LockDamaged(error.msg, error.lineno, error.colno) from error
    except RecursionError as error:
        raise LockDamaged("is nested too deeply", 1, 1) from error
    if not isinstance(said, dict) or said.get("version") != VERSION:
        raise LockDamaged(f"is no lock of version {VERSION}", 1, 1)
    try:
        lock = Lock(said["guid"], tuple(_as_entry(one) for one in said["episodes"]))
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise LockDamaged(f"does not hold what a lock holds ({error})", 1, 1) from error
    numbers = [one.number for one in lock.entries]
    if numbers != sorted(set(numbers)):
        raise LockDamaged("has an episode twice, or not in order", 1, 1)
    return lock


def _as_entry(said: dict[str, Any]) -> Entry:
    published = dt.datetime.fromisoformat(said["published"])
    if published.utcoffset() is None:
        raise ValueError("a moment without a time zone")
    return Entry(
        number=int(said["number"]),
        guid=str(said["guid"]),
        date=dt.date.fromisoformat(said["date"]),
        published=published,
        releases=tuple(_as_release(one) for one in said.get("releases", ())),
        former=tuple(said.get("former", ())),
    )


def _as_release(said: dict[str, Any]) -> Release:
    nouns: dict[str, Any] = {"chapters": Chapter, "transcripts": Transcript, "alternates": Alternate}
    listed: dict[str, Any] = {name: tuple(noun(**one) for one in said.get(name, ())) for name, noun in nouns.items()}
    plain = {name: said[name] for name in ("sha256", "image", "chapters_url") if name in said}
    return Release(Enclosure(**said["enclosure"]), int(said["duration"]), **plain, **listed)
