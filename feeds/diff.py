"""What subscribers will see when a feed takes the place of another: two feeds in, changes out. Pure.

Apps know an item by its guid. One with a guid that they do not know is a new episode, whatever its title, and every subscriber is given its file; one
with a guid that they know is the episode that they have, and most of them never look at its enclosure again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, Final

from feeds import reader
from feeds.reader import Seen, SeenChannel

SHOWN_CHARACTERS: Final = 60
"""How much of a value is told in a line."""

_NOT_SEEN: Final = frozenset({"line", "published_text", "guid"})
"""Of an item: where it stands, a date in other words, and what it is known by."""
_REASONS: Final = {
    "enclosure_url": "the same guid: most apps keep the file that they have, and only who downloads it from now on gets the new one",
    "published": "apps sort it anew",
    "feed_url": "subscribers follow by a permanent redirect from the old address, and by itunes:new-feed-url",
    "podcast_guid": "Podcast Index takes it for another podcast",
}
"""What a change of this field does, where it is not plain."""


@dataclass(frozen=True, slots=True)
class Change:
    """A value that is another one now. ``field`` is its name in `Seen` or `SeenChannel` (the channel's guid is ``podcast_guid``); None: not there."""

    field: str
    was: str | None
    now: str | None

    def line(self) -> str:
        reason = _REASONS.get(self.field)
        return f"{self.field}: {_short(self.was)} -> {_short(self.now)}{f' ({reason})' if reason else ''}"


@dataclass(frozen=True, slots=True)
class Changed:
    """An item that apps know, and that says something else now."""

    item: Seen
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Replaced:
    """An episode under another guid: gone for apps, and there once more as a new one."""

    was: Seen
    now: Seen


@dataclass(frozen=True, slots=True)
class Changes:
    """What is different. Items stand in the order of the feed that they are in; ``first`` says that there was no feed before."""

    first: bool
    channel: tuple[Change, ...]
    added: tuple[Seen, ...]
    removed: tuple[Seen, ...]
    replaced: tuple[Replaced, ...]
    changed: tuple[Changed, ...]

    def __bool__(self) -> bool:
        return bool(self.channel or self.added or self.removed or self.replaced or self.changed)

    @property
    def new_bytes(self) -> int:
        """What one subscriber who downloads every episode downloads of new ones; 0 for a length that a feed does not say."""
        return sum(one.enclosure_length or 0 for one in self.added)

    @property
    def repeated_bytes(self) -> int:
        """What one subscriber downloads again, of episodes that have another guid."""
        return sum(one.now.enclosure_length or 0 for one in self.replaced)

    def lines(self) -> list[str]:
        """For people: equal changes give equal lines."""
        return list(self._lines())

    def _lines(self) -> Iterator[str]:
        if self.first:
            yield "the first publication of this feed"
        for change in self.channel:
            yield f"channel: {change.line()}"
        for one in self.added:
            yield f"new: {_called(one)}, {_size(one.enclosure_length or 0)}"
        for both in self.replaced:
            yield (
                f"again: {_called(both.now)} has another guid ({both.was.identity} -> {both.now.identity}): "
                f"every subscriber downloads it once more, {_size(both.now.enclosure_length or 0)} each"
            )
        for changed in self.changed:
            for change in changed.changes:
                yield f"changed: {_called(changed.item)}: {change.line()}"
        for one in self.removed:
            yield f"removed: {_called(one)}; who has downloaded it keeps the file"
        if self.added or self.replaced:
            yield f"each subscriber downloads {_size(self.new_bytes + self.repeated_bytes)}, of that {_size(self.repeated_bytes)} again"
        elif not self:
            yield "nothing changes"

    def as_json(self) -> dict[str, Any]:
        """The same as plain values that JSON can hold."""
        return {
            "first": self.first,
            "channel": [_said(one) for one in self.channel],
            "added": [_item(one) for one in self.added],
            "removed": [_item(one) for one in self.removed],
            "replaced": [{"was": _item(one.was), "now": _item(one.now)} for one in self.replaced],
            "changed": [_item(one.item) | {"changes": [_said(change) for change in one.changes]} for one in self.changed],
            "new_bytes": self.new_bytes,
            "repeated_bytes": self.repeated_bytes,
        }


def diff(old: bytes | None, new: bytes) -> Changes:
    """What changes for subscribers when ``new`` takes the place of ``old``; None: there was no feed. Raises FeedUnreadable.

    Of items with one guid the first counts.
    """
    root = reader.parse(new)
    now = _known(reader.items(root))
    if old is None:
        return Changes(True, (), tuple(now.values()), (), (), ())
    before = reader.parse(old)
    was = _known(reader.items(before))
    added = [one for who, one in now.items() if who not in was]
    removed = [one for who, one in was.items() if who not in now]
    replaced = tuple(_replaced(added, removed))
    gone = {_key(one.was) for one in replaced}
    come = {_key(one.now) for one in replaced}
    both = [(was[who], one) for who, one in now.items() if who in was]
    return Changes(
        first=False,
        channel=tuple(_changes(reader.channel(before), reader.channel(root))),
        added=tuple(one for one in added if _key(one) not in come),
        removed=tuple(one for one in removed if _key(one) not in gone),
        replaced=replaced,
        changed=tuple(Changed(later, found) for former, later in both if (found := tuple(_changes(former, later)))),
    )


def _key(one: Seen) -> str:
    """What apps know an item by. One that has neither guid nor file is known by its title."""
    return one.identity or one.title


def _known(items: tuple[Seen, ...]) -> dict[str, Seen]:
    known: dict[str, Seen] = {}
    for one in items:
        known.setdefault(_key(one), one)
    return known


def _replaced(added: list[Seen], removed: list[Seen]) -> Iterator[Replaced]:
    """Each new item that is an old episode: the same number, or, where one of them has none, the same file."""
    numbers = {_number(one): one for one in reversed(removed) if one.episode is not None}
    files = {one.enclosure_url: one for one in reversed(removed) if one.enclosure_url is not None}
    taken: set[str] = set()
    for one in added:
        former = numbers.get(_number(one)) if one.episode is not None else None
        if former is None:
            same = files.get(one.enclosure_url or "")
            former = same if same is not None and None in (same.episode, one.episode) else None
        if former is not None and _key(former) not in taken:
            taken.add(_key(former))
            yield Replaced(former, one)


def _number(one: Seen) -> tuple[int | None, int | None]:
    return one.season, one.episode


def _changes(was: Seen | SeenChannel, now: Seen | SeenChannel) -> Iterator[Change]:
    is_item = isinstance(was, Seen)
    for one in fields(was):
        former, later = getattr(was, one.name), getattr(now, one.name)
        if former != later and one.name not in (_NOT_SEEN if is_item else {"line"}):
            yield Change("podcast_guid" if one.name == "guid" else one.name, _value(former), _value(later))


def _value(value: object) -> str | None:
    if value is None or value == "":
        return None
    # equal moments in two zones are one value
    return value.astimezone(dt.UTC).isoformat() if isinstance(value, dt.datetime) else str(value)


def _said(change: Change) -> dict[str, str | None]:
    return {"field": change.field, "was": change.was, "now": change.now}


def _item(one: Seen) -> dict[str, str | int | None]:
    return {"guid": one.guid, "title": one.title, "season": one.season, "episode": one.episode, "bytes": one.enclosure_length}


def _called(one: Seen) -> str:
    number = "" if one.episode is None else f"episode {one.episode}, "
    return f"{number}{one.title!r}" if one.title else f"{number}{one.identity}"


def _short(value: str | None) -> str:
    if value is None:
        return "none"
    line = " ".join(value.split())
    return line if len(line) <= SHOWN_CHARACTERS else f"{line[: SHOWN_CHARACTERS - 1]}…"


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
