"""A complete feed that breaks no rule, and a way to break it."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from feeds.identity import episode_guid, podcast_guid
from feeds.model import Alternate, Channel, Chapter, Enclosure, Funding, Item, License, Person, Soundbite, Transcript
from feeds.notes import with_chapters
from feeds.rss import render

SITE = "https://podcast.example"
FEED_URL = f"{SITE}/feeds/show.xml"

CHANNEL = Channel(
    title="Distributed Systems Podcast",
    description="The physics & the people under every distributed system.",
    link=f"{SITE}/show",
    feed_url=FEED_URL,
    guid=podcast_guid(FEED_URL),
    image=f"{SITE}/covers/show.png",
    language="en",
    author="The Editors",
    owner_name="Editors",
    owner_email="editors@podcast.example",
    copyright="2026 The Editors",
    category="Technology",
    subcategory=None,
    explicit=False,
    hub=f"{SITE}/hub",
    persons=(Person("Ada Example", "host", "cast", f"{SITE}/ada", f"{SITE}/ada.jpg"),),
    funding=(Funding(f"{SITE}/support", "Support the show"),),
    license=License("cc-by-nc-4.0"),
)


def an_item(number: int, title: str, published: dt.datetime) -> Item:
    chapters = tuple(
        Chapter(start * 60_000, f"{name} of {number}") for start, name in ((0, "Cold open"), (10, "Principles"), (60, "Practice"), (120, "Questions"))
    )
    return Item(
        guid=episode_guid("distributed-systems", number),
        title=title,
        description=f"Notes of part {number}.",
        enclosure=Enclosure(f"{SITE}/media/{number:02}.mp3", 120_000_000 + number),
        published=published,
        duration=10_800,
        season=1,
        season_name="Foundational",
        episode=number,
        link=f"{SITE}/show/{number}",
        image=f"{SITE}/covers/{number:02}.jpg",
        chapters_url=f"{SITE}/media/{number:02}.chapters.json",
        persons=(Person("Grace Example", "guest", "cast"),),
        chapters=chapters,
        transcripts=(Transcript(f"{SITE}/media/{number:02}.vtt", "text/vtt", "en"),),
        soundbites=(Soundbite(60, 30, "Why light is slow"),),
        alternates=(Alternate(f"{SITE}/media/{number:02}.opus", 40_000_000, "audio/opus", 48_000, "ab" * 32, "Opus, 48 kb/s"),),
    )


_FIRST = an_item(1, "The Speed of Light Constraint", dt.datetime(2024, 1, 1, 6, tzinfo=dt.UTC))
FIRST = replace(_FIRST, content=with_chapters("<p>Notes.</p>", _FIRST.chapters))
"""Its notes hold the chapters too."""
SECOND = replace(an_item(2, "Chaos in Production", dt.datetime(2024, 3, 8, 6, tzinfo=dt.UTC)), explicit=True)
"""The newer one, so the first in the feed."""

GOOD = render(CHANNEL, (FIRST, SECOND))


def edited(*edits: tuple[str, str], feed: bytes = GOOD) -> bytes:
    """The feed with the first occurrence of each text replaced by another one. What is not there is an error of the test."""
    text = feed.decode()
    for old, new in edits:
        assert old in text, f"the feed does not hold {old!r}"
        text = text.replace(old, new, 1)
    return text.encode()
