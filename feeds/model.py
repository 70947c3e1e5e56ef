"""The nouns of a feed. Plain frozen values: where they come from is the conductor's business."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Enclosure:
    """The file a subscriber downloads: absolute URL, length in bytes, MIME type."""

    url: str
    length: int
    type: str = "audio/mpeg"


@dataclass(frozen=True, slots=True)
class Alternate:
    """The same episode as another file (podcast:alternateEnclosure). ``bitrate`` in bits per second, ``sha256`` in hexadecimal."""

    url: str
    length: int
    type: str
    bitrate: int
    sha256: str
    title: str
    default: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is heard or was at work; ``role`` and ``group`` are words of the podcast taxonomy, in lower case."""

    name: str
    role: str = "host"
    group: str = "cast"
    link: str | None = None
    image: str | None = None


@dataclass(frozen=True, slots=True)
class Chapter:
    """A mark: ``start`` in milliseconds from the beginning of the file."""

    start: int
    title: str
    link: str | None = None
    image: str | None = None


@dataclass(frozen=True, slots=True)
class Transcript:
    """What is said, as a file: ``type`` is text/vtt, application/x-subrip, application/json, text/html or text/plain."""

    url: str
    type: str
    language: str


@dataclass(frozen=True, slots=True)
class Soundbite:
    """A passage that makes somebody want to hear the rest: ``start`` and ``duration`` in seconds."""

    start: float
    duration: float
    title: str = ""


@dataclass(frozen=True, slots=True)
class Funding:
    """Where listeners can give money, and the words for it."""

    url: str
    text: str


@dataclass(frozen=True, slots=True)
class License:
    """An SPDX identifier in lower case, or a name of one's own with the address of its text."""

    name: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One episode in a feed. ``published`` is timezone-aware; ``duration`` is whole seconds; ``guid`` never changes once published.

    ``description`` is plain text, ``content`` the show notes as harmless HTML (see `notes`), "" for none. ``season_name`` is what apps show in
    place of the season's number.
    """

    guid: str
    title: str
    description: str
    enclosure: Enclosure
    published: dt.datetime
    duration: int
    season: int
    season_name: str
    episode: int
    link: str | None = None
    image: str | None = None
    chapters_url: str | None = None
    explicit: bool = False
    keywords: tuple[str, ...] = ()
    content: str = ""
    persons: tuple[Person, ...] = ()
    chapters: tuple[Chapter, ...] = ()
    transcripts: tuple[Transcript, ...] = ()
    soundbites: tuple[Soundbite, ...] = ()
    alternates: tuple[Alternate, ...] = ()


@dataclass(frozen=True, slots=True)
class Channel:
    """A feed: one series of the show, or the whole show. ``feed_url`` is where the feed itself will be found; ``guid`` is its podcast:guid, which
    a move to another address does not change; ``image`` an absolute .jpg/.png URL; ``hub`` the WebSub hub that is told of news.

    ``season`` is the one that all of its items belong to; None for the whole show.
    """

    title: str
    description: str
    link: str
    feed_url: str
    guid: str
    image: str
    language: str
    author: str
    owner_name: str
    owner_email: str
    copyright: str
    category: str
    subcategory: str | None
    explicit: bool
    season: int | None = None
    hub: str | None = None
    persons: tuple[Person, ...] = ()
    funding: tuple[Funding, ...] = ()
    license: License | None = None
