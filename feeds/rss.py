"""A channel and its items as a podcast feed: RSS 2.0 with the iTunes tags, an atom self link and the podcast namespace.

Pure: no clock, no locale, no time zone of the machine; equal input gives equal bytes, whatever order the items come in.

Decisions:

- ``itunes:type`` is ``serial``. The episodes are numbered and each series builds on what came before, so a new listener should be offered
  the first one; ``episodic`` would offer the newest. The file itself is still newest first: that is what apps expect when they poll.
- ``lastBuildDate`` is the newest item's date; a feed without items has none.
- A description over 4000 bytes is an error, not something to cut: only the writer of the notes knows what may go, and a cut through HTML
  breaks it.
- Control characters in text are dropped (XML 1.0 cannot hold them); in a GUID or a URL they are an error, because dropping them would
  name something else.
- Keywords become RSS ``<category>`` elements; Apple has withdrawn ``itunes:keywords``.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlsplit

from feeds.errors import FeedRuleBroken
from feeds.model import Channel, Chapter, Item, Person
from feeds.namespace import generator

GENERATOR: Final = "produce"
"""Without a version: a new release of the toolchain does not change a feed that says the same."""
DESCRIPTION_BYTES: Final = 4000
"""Apple's limit, counted in UTF-8."""
SHORT_CHARACTERS: Final = 128
"""The podcast namespace's limit for the name of a season or a person, and for the words of funding, licence and soundbite."""
CONTENT_BYTES: Final = 100_000
"""Our own: what is longer is no show notes, and several apps cut it."""
TRANSCRIPT_TYPES: Final = ("text/vtt", "application/x-subrip", "application/srt", "application/json", "text/html", "text/plain")

_LINE_BREAK: Final = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
_NOT_TEXT: Final = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_BLANKS: Final = re.compile("[ \t\n]+")
_NOT_IN_A_URL: Final = re.compile(r'[^!-~]|[<>"\\^`{|}]|%(?![0-9A-Fa-f]{2})')
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_EMAIL: Final = re.compile(r"[!-?A-~]+@[!-?A-~]+\.[!-?A-~]+")
_GUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_MEDIA_TYPE: Final = re.compile(r"(audio|video)/[A-Za-z0-9.+-]+")


def render(channel: Channel, items: Sequence[Item]) -> bytes:
    """The feed as indented UTF-8 XML with a declaration, newest item first; items of one moment by episode number, highest first.

    Raises FeedRuleBroken for the first rule that the channel or an item breaks.
    """
    channel = _checked_channel(channel)
    listed = sorted((_checked_item(item, channel) for item in items), key=_age, reverse=True)
    _check_unique(listed)
    feed = generator()
    _describe_channel(feed, channel, listed[0].published if listed else None)
    for item in listed:
        # feedgen's default puts each entry before the ones added earlier
        _describe_item(feed.add_entry(order="append"), item)
    xml: bytes = feed.rss_str(pretty=True)
    return xml


def _age(item: Item) -> tuple[dt.datetime, int, str]:
    return item.published, item.episode, item.guid


# -- into feedgen ---------------------------------------------------------------------------------------------------------------


def _describe_channel(feed: Any, channel: Channel, built: dt.datetime | None) -> None:
    feed.title(channel.title)
    feed.description(channel.description)
    # the last link given becomes the channel's <link>, so the feed's own address goes first
    feed.link(href=channel.feed_url, rel="self", type="application/rss+xml")
    feed.link(href=channel.link, rel="alternate")
    feed.language(channel.language)
    feed.copyright(channel.copyright)
    feed.generator(GENERATOR)
    feed.podcast.itunes_author(channel.author)
    feed.podcast.itunes_owner(name=channel.owner_name, email=channel.owner_email)
    feed.podcast.itunes_category({"cat": channel.category, "sub": channel.subcategory})
    feed.podcast.itunes_type("serial")
    feed.house.describe(channel, built)


def _describe_item(entry: Any, item: Item) -> None:
    entry.title(item.title)
    entry.description(item.description)
    entry.guid(item.guid, permalink=False)
    entry.enclosure(item.enclosure.url, item.enclosure.length, item.enclosure.type)
    if item.link is not None:
        entry.link(href=item.link, rel="alternate")
    for keyword in item.keywords:
        entry.category(term=keyword)
    entry.podcast.itunes_duration(item.duration)
    entry.podcast.itunes_episode_type("full")
    entry.house.describe(item)


# -- rules ----------------------------------------------------------------------------------------------------------------------


def _checked_channel(channel: Channel) -> Channel:
    """The channel with its texts cleaned. Raises FeedRuleBroken."""
    _check_url("link", channel.link)
    _check_url("feed_url", channel.feed_url)
    _check_image(channel.image)
    _require(_GUID.fullmatch(channel.guid), f"guid is no UUID in lower case: {channel.guid!r}")
    if channel.hub is not None:
        _check_url("hub", channel.hub)
    for money in channel.funding:
        _check_url("funding", money.url)
    if channel.license is not None and channel.license.url is not None:
        _check_url("license", channel.license.url)
    _require(_LANGUAGE.fullmatch(channel.language), f"the language is no language tag: {channel.language!r}")
    _require(_EMAIL.fullmatch(channel.owner_email), f"owner_email is no e-mail address: {channel.owner_email!r}")
    return replace(
        channel,
        title=_line("title", channel.title),
        description=_description(channel.description),
        author=_line("author", channel.author),
        owner_name=_line("owner_name", channel.owner_name),
        copyright=_one_line(channel.copyright),
        category=_category("category", channel.category),
        subcategory=None if channel.subcategory is None else _category("subcategory", channel.subcategory),
        persons=_checked_persons(channel.persons),
        funding=tuple(replace(one, text=_short("funding", one.text)) for one in channel.funding),
        license=None if channel.license is None else replace(channel.license, name=_short("license", channel.license.name)),
    )


def _checked_item(item: Item, channel: Channel) -> Item:
    """The item with its texts cleaned. Raises FeedRuleBroken with the item's GUID."""
    _require(item.guid, "the guid is empty", f"episode {item.episode}")
    guid = item.guid
    _require(_one_line(guid) == guid, "the guid holds control characters or stray blanks", guid)
    _require(item.published.utcoffset() is not None, "the date has no time zone", guid)
    _require(1900 <= item.published.year < 9999, f"the date cannot be written as RFC 2822: {item.published}", guid)
    _require(item.enclosure.length > 0, f"the enclosure's length is {item.enclosure.length} bytes", guid)
    _require(_MEDIA_TYPE.fullmatch(item.enclosure.type), f"the enclosure's type is no audio or video type: {item.enclosure.type!r}", guid)
    _require(item.duration > 0, f"the duration is {item.duration} s", guid)
    _require(item.season >= 0, f"the season is negative: {item.season}", guid)
    _require(channel.season in (None, item.season), f"the item is of season {item.season}, the channel of season {channel.season}", guid)
    _require(item.episode >= 0, f"the episode number is negative: {item.episode}", guid)
    _check_url("enclosure", item.enclosure.url, guid)
    if item.link is not None:
        _check_url("link", item.link, guid)
    if item.chapters_url is not None:
        _check_url("chapters_url", item.chapters_url, guid)
    if item.image is not None:
        _check_image(item.image, guid)
    for said in item.transcripts:
        _check_url("transcript", said.url, guid)
        _require(said.type in TRANSCRIPT_TYPES, f"the transcript's type is none that apps know: {said.type!r}", guid)
    for other in item.alternates:
        _check_url("alternate enclosure", other.url, guid)
        _require(other.length > 0, f"an alternate enclosure's length is {other.length} bytes", guid)
        _require(_SHA256.fullmatch(other.sha256), "an alternate enclosure's sha256 is none", guid)
    for bite in item.soundbites:
        _require(bite.start >= 0 and bite.duration > 0, "a soundbite lies before the beginning, or lasts no time", guid)
        _require(bite.start + bite.duration <= item.duration, f"a soundbite ends after the episode: {bite.start:g} s + {bite.duration:g} s", guid)
    return replace(
        item,
        title=_line("title", item.title, guid),
        description=_description(item.description, guid),
        season_name=_short("season_name", item.season_name, guid),
        content=_content(item.content, guid),
        persons=_checked_persons(item.persons, guid),
        chapters=_checked_chapters(item.chapters, guid),
        soundbites=tuple(replace(bite, title=bite.title and _short("soundbite's title", bite.title, guid)) for bite in item.soundbites),
        keywords=tuple(_line("keyword", keyword, guid) for keyword in item.keywords),
    )


def _checked_persons(persons: Sequence[Person], item: str | None = None) -> tuple[Person, ...]:
    for one in persons:
        for name, url in (("person's link", one.link), ("person's image", one.image)):
            if url is not None:
                _check_url(name, url, item)
    return tuple(replace(one, name=_short("person's name", one.name, item)) for one in persons)


def _checked_chapters(chapters: Sequence[Chapter], item: str) -> tuple[Chapter, ...]:
    starts = [one.start for one in chapters]
    _require(starts == sorted(set(starts)) and min(starts, default=0) >= 0, "chapters do not follow each other", item)
    for one in chapters:
        for name, url in (("chapter's link", one.link), ("chapter's image", one.image)):
            if url is not None:
                _check_url(name, url, item)
    return tuple(replace(one, title=_line("chapter's title", one.title, item)) for one in chapters)


def _content(text: str, item: str) -> str:
    cleaned = _clean(text).strip()
    size = len(cleaned.encode())
    _require(size <= CONTENT_BYTES, f"the show notes are {size} bytes long, the limit is {CONTENT_BYTES}", item)
    return cleaned


def _short(name: str, text: str, item: str | None = None) -> str:
    line = _line(name, text, item)
    _require(len(line) <= SHORT_CHARACTERS, f"{name} is longer than {SHORT_CHARACTERS} characters", item)
    return line


def _check_unique(items: Sequence[Item]) -> None:
    guids: set[str] = set()
    numbers: set[int] = set()
    for item in items:
        _require(item.guid not in guids, "the guid appears twice", item.guid)
        _require(item.episode not in numbers, f"episode {item.episode} appears twice", item.guid)
        guids.add(item.guid)
        numbers.add(item.episode)


def _check_url(name: str, url: str, item: str | None = None) -> None:
    _require(not _NOT_IN_A_URL.search(url), f"{name} holds characters that a URL must percent-encode: {url!r}", item)
    try:
        parts = urlsplit(url)
        absolute = parts.scheme in ("https", "http") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        absolute = False
    _require(absolute, f"{name} is no absolute http(s) URL: {url!r}", item)


def _check_image(url: str, item: str | None = None) -> None:
    _check_url("image", url, item)
    _require(urlsplit(url).path.lower().endswith((".jpg", ".jpeg", ".png")), f"image is neither .jpg nor .png: {url!r}", item)


def _category(name: str, text: str) -> str:
    line = _line(name, text)
    # feedgen looks categories up with an XPath literal in double quotes
    _require('"' not in line, f"{name} holds a double quote: {line!r}")
    return line


def _description(text: str, item: str | None = None) -> str:
    cleaned = _clean(text).strip()
    _require(cleaned, "description is empty", item)
    size = len(cleaned.encode())
    _require(size <= DESCRIPTION_BYTES, f"description is {size} bytes long, the limit is {DESCRIPTION_BYTES}", item)
    return cleaned


def _line(name: str, text: str, item: str | None = None) -> str:
    line = _one_line(text)
    _require(line, f"{name} is empty", item)
    return line


def _one_line(text: str) -> str:
    return _BLANKS.sub(" ", _clean(text)).strip()


def _clean(text: str) -> str:
    """The text with plain line feeds and without what XML 1.0 forbids or discourages."""
    return _NOT_TEXT.sub("", _LINE_BREAK.sub("\n", text))


def _require(holds: object, rule: str, item: str | None = None) -> None:
    if not holds:
        raise FeedRuleBroken(rule, item)
