"""Our extension of feedgen: what feedgen lacks, and what it gets wrong.

It lacks the podcast namespace (podcastindex.org/namespace/1.0), Podlove Simple Chapters and the link to a hub. It gets wrong, and so this module
writes instead:

- dates: feedgen formats them between two ``setlocale`` calls, which change the locale of the whole process and of every thread in it;
- ``lastBuildDate``: feedgen fills in the clock when none is given;
- ``itunes:explicit``: feedgen accepts yes, no and clean, Apple wants true or false;
- ``itunes:season`` and ``itunes:episode``: feedgen drops a 0;
- ``itunes:image``: feedgen drops (channel) or refuses (item) what does not end in lower-case .jpg or .png;
- ``content:encoded``: feedgen writes a CDATA section, which ends where notes say ``]]>``.
"""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Sequence
from email.utils import format_datetime
from typing import Any, Final

from feedgen.feed import FeedGenerator  # type: ignore[import-untyped, unused-ignore]
from feedgen.util import xml_elem  # type: ignore[import-untyped, unused-ignore]

from feeds.model import Alternate, Channel, Chapter, Item, Person

ITUNES: Final = "http://www.itunes.com/dtds/podcast-1.0.dtd"
PODCAST: Final = "https://podcastindex.org/namespace/1.0"
ATOM: Final = "http://www.w3.org/2005/Atom"
CONTENT: Final = "http://purl.org/rss/1.0/modules/content/"
PSC: Final = "http://podlove.org/simple-chapters"
CHAPTERS_TYPE: Final = "application/json+chapters"


def rfc_2822(moment: dt.datetime) -> str:
    """A timezone-aware moment as ``Mon, 01 Jan 2024 06:00:00 +0000``: in UTC, so that equal moments read equal, and always in English."""
    return format_datetime(moment.astimezone(dt.UTC))


class _NoDate(dt.datetime):
    """A date that counts as absent: feedgen writes ``lastBuildDate`` only when its date is true, and has no other way to take it back."""

    def __bool__(self) -> bool:
        return False


class ChannelExtension:
    """Adds to ``<channel>``: lastBuildDate, itunes:explicit, itunes:image, the hub, podcast:guid, locked, medium, person, funding, license."""

    def __init__(self) -> None:
        self._channel: Channel | None = None
        self._built: dt.datetime | None = None

    def describe(self, channel: Channel, built: dt.datetime | None) -> None:
        """Say what to write. ``built`` is the newest item's date, or None for a feed that has no item yet."""
        self._channel = channel
        self._built = built

    def extend_ns(self) -> dict[str, str]:
        return {"podcast": PODCAST, "psc": PSC}

    def extend_rss(self, rss: Any) -> None:
        channel = self._channel
        if channel is None:
            return
        parent = rss[0]
        if self._built is not None:
            _add(parent, "lastBuildDate", rfc_2822(self._built))
        _add(parent, f"{{{ITUNES}}}explicit", _true_or_false(channel.explicit))
        _add(parent, f"{{{ITUNES}}}image", href=channel.image)
        if channel.hub is not None:
            _add(parent, f"{{{ATOM}}}link", href=channel.hub, rel="hub")
        _add(parent, f"{{{PODCAST}}}guid", channel.guid)
        _add(parent, f"{{{PODCAST}}}locked", "yes", owner=channel.owner_email)
        _add(parent, f"{{{PODCAST}}}medium", "podcast")
        _persons(parent, channel.persons)
        for one in channel.funding:
            _add(parent, f"{{{PODCAST}}}funding", one.text, url=one.url)
        if channel.license is not None:
            _add(parent, f"{{{PODCAST}}}license", channel.license.name, url=channel.license.url)


class ItemExtension:
    """Adds to ``<item>``: pubDate, itunes:explicit, image, season, episode; content:encoded; podcast:season, episode, chapters, person, transcript,
    soundbite, alternateEnclosure; psc:chapters.
    """

    def __init__(self) -> None:
        self._item: Item | None = None

    def describe(self, item: Item) -> None:
        """Say what to write."""
        self._item = item

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
        _add(parent, f"{{{PODCAST}}}season", str(item.season), name=item.season_name)
        _add(parent, f"{{{PODCAST}}}episode", str(item.episode))
        if item.chapters_url is not None:
            _add(parent, f"{{{PODCAST}}}chapters", url=item.chapters_url, type=CHAPTERS_TYPE)
        if item.content:
            _add(parent, f"{{{CONTENT}}}encoded", item.content)
        _persons(parent, item.persons)
        for said in item.transcripts:
            _add(parent, f"{{{PODCAST}}}transcript", url=said.url, type=said.type, language=said.language)
        for bite in item.soundbites:
            _add(parent, f"{{{PODCAST}}}soundbite", bite.title or None, startTime=_seconds(bite.start), duration=_seconds(bite.duration))
        for other in item.alternates:
            _alternate(parent, other)
        if item.chapters:
            _simple_chapters(parent, item.chapters)


def generator() -> Any:
    """A feedgen ``FeedGenerator`` with no clock in it, its own extension as ``.podcast`` and ours as ``.house`` (on entries too)."""
    feed = FeedGenerator()
    feed.lastBuildDate(_NoDate(1970, 1, 1, tzinfo=dt.UTC))
    feed.load_extension("podcast", atom=False)
    feed.register_extension("house", ChannelExtension, ItemExtension, atom=False)
    return feed


def _persons(parent: Any, persons: Sequence[Person]) -> None:
    for one in persons:
        _add(parent, f"{{{PODCAST}}}person", one.name, role=one.role, group=one.group, href=one.link, img=one.image)


def _alternate(parent: Any, other: Alternate) -> None:
    attributes = {"type": other.type, "length": str(other.length), "bitrate": str(other.bitrate), "title": other.title}
    element = _add(parent, f"{{{PODCAST}}}alternateEnclosure", **attributes, default="true" if other.default else None)
    _add(element, f"{{{PODCAST}}}source", uri=other.url)
    digest = base64.b64encode(bytes.fromhex(other.sha256)).decode("ascii")
    _add(element, f"{{{PODCAST}}}integrity", type="sri", value=f"sha256-{digest}")


def _simple_chapters(parent: Any, chapters: Sequence[Chapter]) -> None:
    listed = _add(parent, f"{{{PSC}}}chapters", version="1.2")
    for one in chapters:
        _add(listed, f"{{{PSC}}}chapter", start=_clock(one.start), title=one.title, href=one.link, image=one.image)


def _clock(ms: int) -> str:
    """Normal Play Time as Simple Chapters want it: ``hh:mm:ss.mmm``."""
    seconds, ms = divmod(ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}.{ms:03}"


def _seconds(value: float) -> str:
    """To a millisecond, without zeros at the end."""
    return f"{value:.3f}".rstrip("0").rstrip(".")


def _add(parent: Any, tag: str, text: str | None = None, **attributes: str | None) -> Any:
    """A new element; what is None is left out."""
    element = xml_elem(tag, parent)
    element.text = text
    element.attrib.update({name: value for name, value in attributes.items() if value is not None})
    return element


def _true_or_false(value: bool) -> str:
    return "true" if value else "false"
