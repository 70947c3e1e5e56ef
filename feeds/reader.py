"""Any feed, ours or another's, read without trusting it: bytes in, what apps find in it out. Pure.

Safe: no entity is expanded, nothing is fetched, and a document type is refused, since no feed needs one and every known attack on XML begins there.
libxml2's own limits on depth, on the length of a text and on what entities may grow to stay on.

Tolerant: what a feed lacks, or says so that nobody can read it, is None or "" here. Whether that breaks a rule is for `check` to say.
"""

from __future__ import annotations

import datetime as dt
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Final

from lxml import etree

from feeds.errors import FeedUnreadable
from feeds.namespace import ATOM, CONTENT, ITUNES, PODCAST, PSC

MOST_BYTES: Final = 50_000_000
"""A feed of 10,000 episodes with long notes stays below; what is larger would only keep the machine busy."""
FIRST_NAME_OF_PODCAST: Final = "https://github.com/Podcastindex-org/podcast-namespace/blob/main/docs/1.0.md"
"""The podcast namespace's name before it had an address of its own: older feeds use it, and it means the same."""

_CLOCK: Final = re.compile(r"([0-9]{1,7}(?::[0-5]?[0-9]){0,2})(?:\.([0-9]{1,9}))?")
_WHOLE: Final = re.compile(r"[0-9]{1,15}")
_BLOCK: Final = re.compile(r"</?(?:p|li|br|ul|ol|div|h[1-6]|tr|td|pre|blockquote)\b[^<>]*>", re.IGNORECASE)
_TAG: Final = re.compile(r"<[^<>]*>")
_TIMESTAMP: Final = re.compile(r"[\s(\[*•-]*((?:[0-9]{1,2}:)?[0-9]{1,3}:[0-5][0-9])(?![0-9:])[)\]]?[\s:|.–—-]*(\S.*)")


@dataclass(frozen=True, slots=True)
class Seen:
    """One item of a feed as it stands there. Texts are stripped, and "" when there are none; ``published`` is timezone-aware, UTC where the feed
    names no zone; ``duration`` is whole seconds; ``enclosure_length`` bytes; ``psc_chapters`` the number of Simple Chapters; ``line`` that of the
    element, from 1.
    """

    guid: str | None
    title: str
    link: str | None
    published_text: str | None
    published: dt.datetime | None
    enclosure_url: str | None
    enclosure_length: int | None
    enclosure_type: str | None
    duration: int | None
    season: int | None
    episode: int | None
    image: str | None
    chapters_url: str | None
    description: str
    content: str
    psc_chapters: int
    line: int

    @property
    def identity(self) -> str | None:
        """What apps know the item by: its guid, or the URL of its file where it has none."""
        return self.guid or self.enclosure_url


@dataclass(frozen=True, slots=True)
class SeenChannel:
    """A feed as it stands there, less its items. ``guid`` is the podcast:guid, ``feed_url`` the address in its atom self link, ``kind`` the
    itunes:type; ``line`` that of the channel's element, from 1.
    """

    title: str
    description: str
    link: str | None
    feed_url: str | None
    new_feed_url: str | None
    guid: str | None
    image: str | None
    language: str | None
    author: str | None
    owner_email: str | None
    category: str | None
    explicit: str | None
    kind: str | None
    line: int


# -- reading ---------------------------------------------------------------------------------------------------------------------


def parse(data: bytes) -> Any:
    """The root element of a feed, of whatever kind it is. Raises FeedUnreadable with the place of what is wrong."""
    if len(data) > MOST_BYTES:
        raise FeedUnreadable(f"is {len(data)} bytes long; {MOST_BYTES} are the most", 1, 1)
    try:
        root = etree.fromstring(data, _parser())
    except etree.XMLSyntaxError as error:
        line, column = error.position
        raise FeedUnreadable(error.msg or "is empty", max(line or 1, 1), max(column or 1, 1)) from error
    except (etree.LxmlError, LookupError, ValueError) as error:
        raise FeedUnreadable(f"is no XML ({error})", 1, 1) from error
    if root.getroottree().docinfo.doctype:
        raise FeedUnreadable("declares a document type, which no feed needs and no app trusts", 1, 1)
    return root


def _parser() -> Any:
    """A new one each time: lxml's parsers are not shared between threads. Comments are dropped, or they would cut texts in two."""
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        recover=False,
        remove_comments=True,
        remove_pis=True,
    )


def channel_of(root: Any) -> Any:
    """The channel's element; None when the document is no RSS."""
    return root.find("channel") if root.tag == "rss" else None


def channel(root: Any) -> SeenChannel:
    """What the feed says of itself; of a document that is no RSS, nothing."""
    found = channel_of(root)
    element: Any = etree.Element("channel") if found is None else found
    return SeenChannel(
        title=text(element, "title") or "",
        description=text(element, "description") or "",
        link=text(element, "link"),
        feed_url=_self(element),
        new_feed_url=text(element, f"{{{ITUNES}}}new-feed-url"),
        guid=next((said(one) for one in podcast(element, "guid")), None),
        image=attribute(element, f"{{{ITUNES}}}image", "href") or text(element, "image/url"),
        language=text(element, "language"),
        author=text(element, f"{{{ITUNES}}}author"),
        owner_email=text(element, f"{{{ITUNES}}}owner/{{{ITUNES}}}email"),
        category=attribute(element, f"{{{ITUNES}}}category", "text"),
        explicit=text(element, f"{{{ITUNES}}}explicit"),
        kind=text(element, f"{{{ITUNES}}}type"),
        line=element.sourceline or 1,
    )


def items(root: Any) -> tuple[Seen, ...]:
    """The items of a feed in its own order; of a document that is no RSS, none."""
    found = channel_of(root)
    return () if found is None else tuple(item(one) for one in found.findall("item"))


def item(element: Any) -> Seen:
    """What one item says."""
    published = text(element, "pubDate")
    return Seen(
        guid=text(element, "guid"),
        title=text(element, "title") or text(element, f"{{{ITUNES}}}title") or "",
        link=text(element, "link"),
        published_text=published,
        published=moment(published or ""),
        enclosure_url=attribute(element, "enclosure", "url"),
        enclosure_length=whole(attribute(element, "enclosure", "length")),
        enclosure_type=attribute(element, "enclosure", "type"),
        duration=_seconds(text(element, f"{{{ITUNES}}}duration")),
        season=_number(element, "season"),
        episode=_number(element, "episode"),
        image=attribute(element, f"{{{ITUNES}}}image", "href"),
        chapters_url=next((one.get("url") for one in podcast(element, "chapters")), None),
        description=text(element, "description") or "",
        content=text(element, f"{{{CONTENT}}}encoded") or "",
        psc_chapters=len(element.findall(f"{{{PSC}}}chapters/{{{PSC}}}chapter")),
        line=element.sourceline or 1,
    )


def _self(element: Any) -> str | None:
    for link in element.findall(f"{{{ATOM}}}link"):
        if link.get("rel") == "self" and link.get("href"):
            return str(link.get("href"))
    return None


def _number(element: Any, name: str) -> int | None:
    found = whole(text(element, f"{{{ITUNES}}}{name}"))
    return found if found is not None else next((whole(said(one)) for one in podcast(element, name)), None)


# -- elements --------------------------------------------------------------------------------------------------------------------


def podcast(element: Any, name: str) -> list[Any]:
    """The children of that name in the podcast namespace, under either of its names."""
    return [one for space in (PODCAST, FIRST_NAME_OF_PODCAST) for one in element.findall(f"{{{space}}}{name}")]


def said(element: Any) -> str | None:
    """The stripped text of an element, or None when it says nothing."""
    return "".join(element.itertext()).strip() or None


def text(element: Any, path: str) -> str | None:
    """The stripped text of the first child at that path, or None."""
    found = element.find(path)
    return None if found is None else said(found)


def attribute(element: Any, path: str, name: str) -> str | None:
    """A stripped attribute of the first child at that path, or None."""
    found = element.find(path)
    return None if found is None else (found.get(name) or "").strip() or None


# -- values ----------------------------------------------------------------------------------------------------------------------


def whole(value: str | None) -> int | None:
    """A whole number of plain digits, or None."""
    return int(value) if value is not None and _WHOLE.fullmatch(value) else None


def clock(value: str | None) -> int | None:
    """Milliseconds of ``3600``, ``60:00``, ``1:00:00`` or ``1:00:00.500`` (Normal Play Time, RFC 2326); None for anything else."""
    found = _CLOCK.fullmatch(value or "")
    if found is None:
        return None
    seconds = 0
    for part in found[1].split(":"):
        seconds = seconds * 60 + int(part)
    return seconds * 1000 + int((found[2] or "0").ljust(3, "0")[:3])


def moment(value: str) -> dt.datetime | None:
    """A date of RFC 2822 as most apps read it: one without a zone is in UTC. None when it is none."""
    try:
        found = parsedate_to_datetime(value)
        found = found if found.utcoffset() is not None else found.replace(tzinfo=dt.UTC)
        # a moment in the year 1 or 9999 may have none in UTC, and could not be compared
        found.astimezone(dt.UTC)
    except (IndexError, OverflowError, TypeError, ValueError):
        return None
    return found


def timestamps(notes: str) -> tuple[tuple[int, str], ...]:
    """The lines of show notes, plain or HTML, that begin with a time and go on with a title, as Spotify and YouTube read chapters from them:
    milliseconds and title.
    """
    plain = html.unescape(_TAG.sub("", _BLOCK.sub("\n", notes)))
    return tuple(_timestamps(plain))


def _timestamps(plain: str) -> Iterator[tuple[int, str]]:
    for line in plain.splitlines():
        found = _TIMESTAMP.fullmatch(line)
        start = clock(found[1]) if found else None
        if found and start is not None:
            yield start, found[2].strip()


def _seconds(value: str | None) -> int | None:
    ms = clock(value)
    return None if ms is None else ms // 1000
