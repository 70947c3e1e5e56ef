"""Our extension of feedgen: what feedgen lacks, and what it gets wrong.

It lacks the podcast namespace (podcastindex.org/namespace/1.0). It gets wrong, and so this module writes instead:

- dates: feedgen formats them between two ``setlocale`` calls, which change the locale of the whole process and of every thread in it;
- ``lastBuildDate``: feedgen fills in the clock when none is given;
- ``itunes:explicit``: feedgen accepts yes, no and clean, Apple wants true or false;
- ``itunes:season`` and ``itunes:episode``: feedgen drops a 0;
- ``itunes:image``: feedgen drops (channel) or refuses (item) what does not end in lower-case .jpg or .png.
"""

from __future__ import annotations

import datetime as dt
from email.utils import format_datetime
from typing import Any, Final

from feedgen.feed import FeedGenerator  # type: ignore[import-untyped, unused-ignore]
from feedgen.util import xml_elem  # type: ignore[import-untyped, unused-ignore]

from feeds.identity import podcast_guid
from feeds.model import Channel, Item

ITUNES: Final = "http://www.itunes.com/dtds/podcast-1.0.dtd"
PODCAST: Final = "https://podcastindex.org/namespace/1.0"
CHAPTERS_TYPE: Final = "application/json+chapters"


def rfc_2822(moment: dt.datetime) -> str:
    """A timezone-aware moment as ``Mon, 01 Jan 2024 06:00:00 +0000``: in UTC, so that equal moments read equal, and always in English."""
    return format_datetime(moment.astimezone(dt.UTC))


class _NoDate(dt.datetime):
    """A date that counts as absent: feedgen writes ``lastBuildDate`` only when its date is true, and has no other way to take it back."""

    def __bool__(self) -> bool:
        return False


class ChannelExtension:
    """Adds to ``<channel>``: lastBuildDate, itunes:explicit, itunes:image, podcast:guid, podcast:locked, podcast:medium."""

    def __init__(self) -> None:
        self._channel: Channel | None = None
        self._built: dt.datetime | None = None

    def describe(self, channel: Channel, built: dt.datetime | None) -> None:
        """Say what to write. ``built`` is the newest item's date, or None for a feed that has no item yet."""
        self._channel = channel
        self._built = built

    def extend_ns(self) -> dict[str, str]:
        return {"podcast": PODCAST}

    def extend_rss(self, rss: Any) -> None:
        channel = self._channel
        if channel is None:
            return
        parent = rss[0]
        if self._built is not None:
            _add(parent, "lastBuildDate", rfc_2822(self._built))
        _add(parent, f"{{{ITUNES}}}explicit", _true_or_false(channel.explicit))
        _add(parent, f"{{{ITUNES}}}image", href=channel.image)
        _add(parent, f"{{{PODCAST}}}guid", podcast_guid(channel.feed_url))
        _add(parent, f"{{{PODCAST}}}locked", "yes", owner=channel.owner_email)
        _add(parent, f"{{{PODCAST}}}medium", "podcast")


class ItemExtension:
    """Adds to ``<item>``: pubDate, itunes:explicit, image, season, episode, and podcast:season, episode, chapters."""

    def __init__(self) -> None:
        self._item: Item | None = None
        self._season_name = ""

    def describe(self, item: Item, season_name: str) -> None:
        """Say what to write. ``season_name`` is what apps show in place of the season's number."""
        self._item = item
        self._season_name = season_name

    def extend_rss(self, parent: Any) -> None:
        item = self._item
        if item is None:
            return
        _add(parent, "pubDate", rfc_2822(item.published))
        _add(parent, f"{{{ITUNES}}}explicit", _true_or_false(item.explicit))
        if item.image is not None:
            _add(parent, f"{{{ITUNES}}}image", href=item.image)
        _add(parent, f"{{{ITUNES}}}season", str(item.season))
        _add(parent, f"{{{ITUNES}}}episode", str(item.episode))
        _add(parent, f"{{{PODCAST}}}season", str(item.season), name=self._season_name)
        _add(parent, f"{{{PODCAST}}}episode", str(item.episode))
        if item.chapters_url is not None:
            _add(parent, f"{{{PODCAST}}}chapters", url=item.chapters_url, type=CHAPTERS_TYPE)


def generator() -> Any:
    """A feedgen ``FeedGenerator`` with no clock in it, its own extension as ``.podcast`` and ours as ``.house`` (on entries too)."""
    feed = FeedGenerator()
    feed.lastBuildDate(_NoDate(1970, 1, 1, tzinfo=dt.UTC))
    feed.load_extension("podcast", atom=False)
    feed.register_extension("house", ChannelExtension, ItemExtension, atom=False)
    return feed


def _add(parent: Any, tag: str, text: str | None = None, **attributes: str) -> None:
    element = xml_elem(tag, parent)
    element.text = text
    element.attrib.update(attributes)


def _true_or_false(value: bool) -> str:
    return "true" if value else "false"
