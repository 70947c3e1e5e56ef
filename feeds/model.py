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
class Item:
    """One episode in a feed. ``published`` is timezone-aware; ``duration`` is whole seconds; ``guid`` never changes once published."""

    guid: str
    title: str
    description: str
    enclosure: Enclosure
    published: dt.datetime
    duration: int
    season: int
    episode: int
    link: str | None = None
    image: str | None = None
    chapters_url: str | None = None
    explicit: bool = False
    keywords: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Channel:
    """A feed: one series of the show. ``feed_url`` is where the feed itself will be found; ``image`` an absolute .jpg/.png URL."""

    title: str
    description: str
    link: str
    feed_url: str
    image: str
    language: str
    author: str
    owner_name: str
    owner_email: str
    copyright: str
    category: str
    subcategory: str | None
    explicit: bool
    season: int
    season_name: str
