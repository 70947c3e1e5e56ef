"""Whether apps and directories will take a feed: bytes in, broken rules out. The rules are data, in `rules`; here is what finds what breaks them.

Pure, and for any feed: it believes nothing that `rss` made sure of, so it is a second opinion on our own feeds and a first one on a feed that is
adopted. What cannot be seen in the feed (whether a file is there, how large a picture is) is not looked at.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Final
from urllib.parse import urlsplit

from feeds import reader
from feeds.errors import FeedUnreadable
from feeds.namespace import ATOM, CHAPTERS_TYPE, CONTENT, ITUNES, PODCAST, PSC
from feeds.reader import Seen
from feeds.rules import CATEGORIES, GROUPS, HTML, MEDIA, MEDIUMS, RULES, TRANSCRIPTS, Broken, Rule

__all__ = ["RULES", "Broken", "Rule", "check"]

DESCRIPTION_BYTES: Final = 4000
VALUE_CHARACTERS: Final = 255
SHORT_CHARACTERS: Final = 128
LABEL_CHARACTERS: Final = 32
YOUTUBE_TITLE_CHARACTERS: Final = 100
SPOTIFY_BYTES: Final = 200_000_000
ACAST_BYTES: Final = 150_000_000
CHAPTER_CHARACTERS: Final = 40
FEWEST_CHAPTERS: Final = 3
SPOTIFY_CHAPTER_MS: Final = 30_000
YOUTUBE_CHAPTER_MS: Final = 10_000
SOUNDBITE_SECONDS: Final = (15.0, 120.0)

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DATE: Final = re.compile(
    r"(?:(Mon|Tue|Wed|Thu|Fri|Sat|Sun),[ ]+)?[0-9]{1,2}[ ]+(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[ ]+[0-9]{4}[ ]+"
    r"[0-9]{2}:[0-9]{2}(?::[0-9]{2})?[ ]+(?:[+-][0-9]{4}|UT|GMT|[ECMP][SD]T)"
)
_NOT_IN_A_URL: Final = re.compile(r'[^!-~]|[<>"\\^`{|}]|%(?![0-9A-Fa-f]{2})')
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2}(-[A-Za-z0-9]{2,8})*")
_EMAIL: Final = re.compile(r"[!-?A-~]+@[!-?A-~]+\.[!-?A-~]+")
_UUID5: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.IGNORECASE)
_DECIMAL: Final = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
_TAG: Final = re.compile(r"</?([A-Za-z][A-Za-z0-9]*)")
_NUMBERED: Final = re.compile(
    r"(?:\#?[0-9]{1,4}\s*[:.)|–—-](?=\s)|\#[0-9]+\b|(?:episode|ep\.?|folge|season)\s*\#?[0-9]+\b|s[0-9]{1,2}\s*e[0-9]{1,4}\b)", re.IGNORECASE
)
_DIGESTS: Final = {"sha256": 32, "sha384": 48, "sha512": 64}
"""Algorithms of subresource integrity (W3C), and the length of their digests in bytes."""


def check(data: bytes, now: dt.datetime | None = None) -> tuple[Broken, ...]:
    """Every rule that a feed breaks, in the order of its lines. ``now`` is timezone-aware and tells what is in the future; None: that is not checked.

    A feed that is no XML, or no RSS, breaks one rule and no other.
    """
    try:
        root = reader.parse(data)
    except FeedUnreadable as error:
        return (Broken(RULES["xml"], None, error.why, error.line, "write the feed with an XML library, or mend what stands at that place"),)
    channel = reader.channel_of(root)
    if channel is None or root.get("version") != "2.0" or len(root.findall("channel")) > 1:
        return (_broken("rss-version", root, f"the root is <{_name(root)}>, and no RSS 2.0", "write RSS 2.0: Atom and others are read by few apps"),)
    items = [(element, reader.item(element)) for element in channel.findall("item")]
    found = [*_document(root), *_channel(channel), *_list(channel, items, now)]
    for element, one in items:
        found += _item(element, one, reader.text(channel, "title") or "")
    return tuple(sorted(found, key=lambda one: (one.line, one.rule.id, one.message)))


def _broken(rule: str, element: Any, message: str, hint: str, item: str | None = None) -> Broken:
    return Broken(RULES[rule], item, message, element.sourceline or 1, hint)


def _name(element: Any) -> str:
    """An element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


# -- the feed as a whole ---------------------------------------------------------------------------------------------------------


def _document(root: Any) -> Iterator[Broken]:
    declared = set(root.nsmap.values())
    wanted = {"itunes": {ITUNES}, "podcast": {PODCAST, reader.FIRST_NAME_OF_PODCAST}, "atom": {ATOM}}
    if missing := [name for name, spaces in wanted.items() if not spaces & declared]:
        yield _broken("psp-namespaces", root, f"the root does not declare {', '.join(missing)}", "declare them in <rss>")
    if reader.FIRST_NAME_OF_PODCAST in declared:
        yield _broken("pi-namespace", root, "the podcast namespace has the name of its first document", f'say xmlns:podcast="{PODCAST}"')
    encoding = (root.getroottree().docinfo.encoding or "UTF-8").upper()
    if encoding not in ("UTF-8", "UTF8", "ASCII", "US-ASCII"):
        yield _broken("psp-utf-8", root, f"the feed is {encoding}", "write it as UTF-8")


def _channel(channel: Any) -> Iterator[Broken]:
    if missing := [name for name in ("title", "link", "description") if not reader.text(channel, name)]:
        yield _broken("rss-channel", channel, f"the channel has no {', no '.join(missing)}", "all three are required")
    yield from _values(channel, None)
    yield from _urls([one for one in channel if one.tag != "item"], None)
    yield from _description(channel, None)
    yield from _dates(channel, None)
    yield from _apple_channel(channel)
    yield from _podcast_channel(channel)
    if not any(one.get("rel") == "self" and one.get("href") for one in channel.findall(f"{{{ATOM}}}link")):
        yield _broken("psp-self", channel, "the channel does not name its own address", '<atom:link rel="self" type="application/rss+xml" href="…"/>')
    email = reader.text(channel, f"{{{ITUNES}}}owner/{{{ITUNES}}}email")
    if not email or not _EMAIL.fullmatch(email):
        yield _broken("youtube-owner", channel, "the channel names no owner's e-mail address", "itunes:owner with an itunes:email that is read")


def _apple_channel(channel: Any) -> Iterator[Broken]:
    language = reader.text(channel, "language")
    if not language or not _LANGUAGE.fullmatch(language):
        yield _broken(
            "apple-language", channel, f"the language is {language!r}" if language else "the channel has no language", "such as en or en-GB"
        )
    if not reader.attribute(channel, f"{{{ITUNES}}}image", "href"):
        yield _broken("apple-image", channel, "the channel has no itunes:image", "a square JPEG or PNG of 1400 to 3000 pixels")
    yield from _image(channel, None)
    yield from _categories(channel)
    if not reader.text(channel, f"{{{ITUNES}}}explicit"):
        yield _broken("apple-explicit", channel, "the channel does not say itunes:explicit", "true or false")
    yield from _explicit(channel, None)
    if not reader.text(channel, f"{{{ITUNES}}}author"):
        yield _broken("apple-author", channel, "the channel has no itunes:author", "name who makes the show")
    kind = channel.find(f"{{{ITUNES}}}type")
    if kind is not None and (reader.said(kind) or "").lower() not in ("episodic", "serial"):
        yield _broken("apple-type", kind, f"the show's type is {reader.said(kind)!r}", "episodic or serial")


def _categories(channel: Any) -> Iterator[Broken]:
    tag = f"{{{ITUNES}}}category"
    found = channel.findall(tag)
    if not found:
        yield _broken("apple-category", channel, "the channel has no itunes:category", "one of Apple's list")
    for one in found:
        name = one.get("text") or ""
        if name not in CATEGORIES:
            yield _broken("apple-category-name", one, f"Apple has no category {name!r}", _nearest(name, CATEGORIES))
            continue
        for inner in one.findall(tag):
            if (inner.get("text") or "") not in CATEGORIES[name]:
                message = f"Apple's category {name!r} has no subcategory {inner.get('text')!r}"
                yield _broken("apple-category-name", inner, message, _nearest(inner.get("text") or "", sorted(CATEGORIES[name])))


def _nearest(name: str, known: Any) -> str:
    same = [one for one in known if one.casefold() == name.casefold()]
    return f"write {same[0]!r}" if same else f"one of: {', '.join(known)}" if known else "leave it out: the category has none"


def _podcast_channel(channel: Any) -> Iterator[Broken]:
    guids = reader.podcast(channel, "guid")
    if not guids:
        yield _broken("psp-podcast-guid", channel, "the channel has no podcast:guid", "UUIDv5 of the feed's first URL, which moves with the feed")
    for one in guids:
        if not _UUID5.fullmatch(reader.said(one) or ""):
            yield _broken("pi-guid", one, f"the podcast:guid is no UUID of version 5: {reader.said(one)!r}", "UUIDv5 of the feed's first URL")
    locks = reader.podcast(channel, "locked")
    if not locks:
        yield _broken("psp-locked", channel, "the channel has no podcast:locked", "yes, unless the feed is being moved to another host")
    for one in locks:
        if reader.said(one) not in ("yes", "no"):
            yield _broken("pi-locked", one, f"podcast:locked is {reader.said(one)!r}", "yes or no")
        if not _EMAIL.fullmatch(one.get("owner") or ""):
            yield _broken("pi-locked-owner", one, "podcast:locked names no owner by e-mail", 'owner="…"')
    for one in reader.podcast(channel, "medium"):
        medium = reader.said(one) or ""
        if medium not in MEDIUMS and medium != "mixed" and not (medium.endswith("L") and medium[:-1] in MEDIUMS):
            yield _broken("pi-medium", one, f"podcast:medium is {medium!r}", f"one of: {', '.join(sorted(MEDIUMS))}")
    yield from _podcast_anywhere(channel, None)


def _list(channel: Any, items: Sequence[tuple[Any, Seen]], now: dt.datetime | None) -> Iterator[Broken]:
    """What is wrong between items."""
    if not items:
        yield _broken("apple-items", channel, "the feed has no item", "submit it with the first episode")
    yield from _twice("rss-duplicate-guid", "guid", items, [one.guid for _, one in items])
    yield from _twice("apple-duplicate-enclosure", "enclosure", items, [one.enclosure_url for _, one in items])
    dated = [(element, one, one.published) for element, one in items if one.published is not None]
    for (_, _, former), (element, one, later) in pairwise(dated):
        if later > former:
            yield _broken("rss-order", element, f"the item is newer than the one before it: {one.published_text}", "newest first", one.identity)
            break
    for element, one, published in dated:
        if now is not None and published > now:
            yield _broken("rss-future", element, f"the item is dated in the future: {one.published_text}", "publish it when it is time", one.identity)
    yield from _numbers(channel, items)


def _twice(rule: str, what: str, items: Sequence[tuple[Any, Seen]], values: Sequence[str | None]) -> Iterator[Broken]:
    first: dict[str, Seen] = {}
    for (element, one), value in zip(items, values, strict=True):
        if value is not None and first.setdefault(value, one) is not one:
            yield _broken(rule, element, f"the item of line {first[value].line} has the same {what}: {value}", "each item has its own", one.identity)


def _numbers(channel: Any, items: Sequence[tuple[Any, Seen]]) -> Iterator[Broken]:
    if (reader.text(channel, f"{{{ITUNES}}}type") or "").lower() != "serial":
        return
    seasons = any(element.find(f"{{{ITUNES}}}season") is not None for element, _ in items)
    for element, one in items:
        if (reader.text(element, f"{{{ITUNES}}}episodeType") or "full").lower() != "full":
            continue
        if element.find(f"{{{ITUNES}}}episode") is None:
            yield _broken("apple-serial", element, "an episode of a serial show has no itunes:episode", "number it", one.identity)
        if seasons and element.find(f"{{{ITUNES}}}season") is None:
            yield _broken("apple-season", element, "other episodes say a season, this one does not", "itunes:season", one.identity)


# -- an item ---------------------------------------------------------------------------------------------------------------------


def _item(element: Any, one: Seen, show: str) -> Iterator[Broken]:
    who = one.identity
    if not one.title and not one.description:
        yield _broken("rss-item", element, "the item has neither title nor description", "both, for apps to show", who)
    elif not one.title:
        yield _broken("apple-item-title", element, "the item has no title", "name it", who)
    elif not one.description:
        yield _broken("apple-item-description", element, "the item has no description", "a sentence or two", who)
    yield from _title(element, one, show)
    yield from _description(element, who)
    yield from _identity(element, one)
    yield from _dates(element, who)
    yield from _values(element, who)
    yield from _urls(element, who)
    yield from _enclosure(element, one)
    yield from _apple_item(element, one)
    yield from _podcast_anywhere(element, who)
    yield from _podcast_item(element, one)
    yield from _chapters(element, one)


def _title(element: Any, one: Seen, show: str) -> Iterator[Broken]:
    numbered = _NUMBERED.match(one.title)
    if numbered or (one.episode is not None and re.match(rf"0*{one.episode}(?![\w.,%-])", one.title)):
        yield _broken(
            "apple-title-number", element, f"the title begins with a number: {one.title!r}", "itunes:episode and itunes:season", one.identity
        )
    if show and show.casefold() in one.title.casefold():
        yield _broken("apple-title-show", element, f"the title repeats the show's: {one.title!r}", "apps show both", one.identity)
    if len(one.title) > YOUTUBE_TITLE_CHARACTERS or "<" in one.title or ">" in one.title:
        message = f"YouTube cannot take the title as it is ({len(one.title)} characters): {one.title!r}"
        yield _broken("youtube-title", element, message, f"at most {YOUTUBE_TITLE_CHARACTERS}, without < and >", one.identity)


def _identity(element: Any, one: Seen) -> Iterator[Broken]:
    if not one.guid:
        yield _broken("psp-guid", element, "the item has no guid", "any text that never changes, such as a UUID", one.identity)
    elif element.find("guid").get("isPermaLink", "true") == "true" and _url_fault(one.guid) is not None:
        yield _broken("rss-permalink", element.find("guid"), f"the guid is said to be a URL: {one.guid}", 'isPermaLink="false"', one.identity)
    if not one.link:
        yield _broken("psp-item-link", element, "the item has no link", "its page on the site", one.identity)


def _enclosure(element: Any, one: Seen) -> Iterator[Broken]:
    found = element.findall("enclosure")
    if not found:
        yield _broken("apple-enclosure", element, "the item has no enclosure", "without one it is no episode", one.identity)
        return
    if len(found) > 1:
        yield _broken("rss-one-enclosure", found[1], f"the item has {len(found)} enclosures", "podcast:alternateEnclosure for others", one.identity)
    file = found[0]
    if not one.enclosure_url or not one.enclosure_length or not one.enclosure_type:
        wrong = [name for name, value in (("url", one.enclosure_url), ("length", one.enclosure_length), ("type", one.enclosure_type)) if not value]
        yield _broken("rss-enclosure", file, f"the enclosure has no usable {', '.join(wrong)}", "url, length in bytes, type", one.identity)
    yield from _size(file, one)
    if one.enclosure_url:
        yield from _media(file, one, one.enclosure_url)


def _size(file: Any, one: Seen) -> Iterator[Broken]:
    size = one.enclosure_length or 0
    for rule, name, most in (("spotify-size", "Spotify", SPOTIFY_BYTES), ("acast-size", "Acast", ACAST_BYTES)):
        if size > most:
            message = f"the file is {size / 1e6:.1f} MB; {name} is reported to take {most // 1_000_000} MB"
            yield _broken(rule, file, message, "a lower bitrate, or mono", one.identity)


def _media(file: Any, one: Seen, url: str) -> Iterator[Broken]:
    path = _path(url)
    extension = next((ending for ending in MEDIA if path.endswith(ending)), None)
    if extension is None:
        yield _broken("apple-media", file, f"the enclosure's extension is none that Apple lists: {url}", f"one of: {', '.join(MEDIA)}", one.identity)
    elif one.enclosure_type and one.enclosure_type not in MEDIA[extension]:
        message = f"the enclosure is {extension}, and said to be {one.enclosure_type}"
        yield _broken("apple-media-type", file, message, " or ".join(sorted(MEDIA[extension])), one.identity)
    if (one.enclosure_type or "").startswith("video/"):
        yield _broken("youtube-audio", file, f"the enclosure is {one.enclosure_type}", "upload the video, or a feed of sound", one.identity)


def _apple_item(element: Any, one: Seen) -> Iterator[Broken]:
    who = one.identity
    if one.published_text is None:
        yield _broken("apple-date", element, "the item has no pubDate", "when it was published", who)
    duration = element.find(f"{{{ITUNES}}}duration")
    if duration is None:
        yield _broken("apple-duration", element, "the item has no itunes:duration", "in seconds", who)
    elif not one.duration:
        yield _broken("apple-duration-form", duration, f"the duration cannot be read: {reader.said(duration)!r}", "in seconds, such as 10801", who)
    elif reader.whole(reader.said(duration)) is None:
        yield _broken("apple-duration-seconds", duration, f"the duration is {reader.said(duration)}", f"write {one.duration}", who)
    yield from _image(element, who)
    if one.image is None:
        yield _broken("psp-item-image", element, "the item has no itunes:image", "a cover of its own; apps show the show's instead", who)
    if reader.text(element, f"{{{ITUNES}}}explicit") is None:
        yield _broken("psp-item-explicit", element, "the item does not say itunes:explicit", "true or false", who)
    yield from _explicit(element, who)
    for name in ("season", "episode"):
        number = element.find(f"{{{ITUNES}}}{name}")
        if number is not None and not reader.whole(reader.said(number)):
            yield _broken("apple-number", number, f"itunes:{name} is {reader.said(number)!r}", "a whole number from 1 on", who)
    kind = element.find(f"{{{ITUNES}}}episodeType")
    if kind is not None and (reader.said(kind) or "").lower() not in ("full", "trailer", "bonus"):
        yield _broken("apple-episode-type", kind, f"the episode's type is {reader.said(kind)!r}", "full, trailer or bonus", who)


def _podcast_item(element: Any, one: Seen) -> Iterator[Broken]:
    who = one.identity
    for season in reader.podcast(element, "season"):
        if reader.whole(reader.said(season)) is None or len(season.get("name") or "") > SHORT_CHARACTERS:
            yield _broken("pi-season", season, f"podcast:season is {reader.said(season)!r}, {season.get('name')!r}", "a number; a short name", who)
    for episode in reader.podcast(element, "episode"):
        if not _DECIMAL.fullmatch(reader.said(episode) or "") or len(episode.get("display") or "") > LABEL_CHARACTERS:
            yield _broken("pi-episode", episode, f"podcast:episode is {reader.said(episode)!r}, {episode.get('display')!r}", "a number; a label", who)
    for chapters in reader.podcast(element, "chapters"):
        if not chapters.get("url") or not chapters.get("type"):
            yield _broken("pi-chapters", chapters, "podcast:chapters has no url or no type", f'url and type="{CHAPTERS_TYPE}"', who)
        elif chapters.get("type") != CHAPTERS_TYPE:
            yield _broken("pi-chapters-type", chapters, f"podcast:chapters has the type {chapters.get('type')!r}", CHAPTERS_TYPE, who)
    transcripts = reader.podcast(element, "transcript")
    if not transcripts:
        yield _broken("psp-transcript", element, "the item has no podcast:transcript", "text/vtt is read by most apps", who)
    for transcript in transcripts:
        if not transcript.get("url") or transcript.get("type") not in TRANSCRIPTS:
            message = f"podcast:transcript has the type {transcript.get('type')!r}"
            yield _broken("pi-transcript", transcript, message, f"url, and one of: {', '.join(sorted(TRANSCRIPTS))}", who)
    for soundbite in reader.podcast(element, "soundbite"):
        yield from _soundbite(soundbite, one)
    for alternate in reader.podcast(element, "alternateEnclosure"):
        yield from _alternate(alternate, who)


def _soundbite(bite: Any, one: Seen) -> Iterator[Broken]:
    start, length = (bite.get(name) or "" for name in ("startTime", "duration"))
    if not _DECIMAL.fullmatch(start) or not _DECIMAL.fullmatch(length) or float(length) == 0:
        yield _broken(
            "pi-soundbite", bite, f"a soundbite starts at {start!r} and lasts {length!r}", "startTime and duration in seconds", one.identity
        )
        return
    if one.duration and float(start) + float(length) > one.duration:
        message = f"a soundbite ends at {float(start) + float(length):g} s, the episode at {one.duration} s"
        yield _broken("pi-soundbite", bite, message, "choose a passage of this episode", one.identity)
    shortest, longest = SOUNDBITE_SECONDS
    if not shortest <= float(length) <= longest or len(reader.said(bite) or "") > SHORT_CHARACTERS:
        yield _broken(
            "pi-soundbite-length", bite, f"a soundbite lasts {float(length):g} s", f"{shortest:g} to {longest:g} s; a short title", one.identity
        )


def _alternate(alternate: Any, who: str | None) -> Iterator[Broken]:
    sources = [one for one in reader.podcast(alternate, "source") if one.get("uri")]
    if not alternate.get("type") or not sources:
        yield _broken("pi-alternate", alternate, "an alternateEnclosure has no type or no source", "a type, and a podcast:source with a uri", who)
    if len(alternate.get("title") or "") > LABEL_CHARACTERS:
        yield _broken("pi-alternate-title", alternate, f"the title is {len(alternate.get('title'))} characters long", "such as 'Opus, 48 kb/s'", who)
    digests = reader.podcast(alternate, "integrity")
    if not digests or not all(_is_integrity(one.get("type"), one.get("value") or "") for one in digests):
        yield _broken("pi-integrity", alternate, "an alternateEnclosure cannot be verified", 'type="sri" and value="sha256-…" in base64', who)


def _is_integrity(kind: str | None, value: str) -> bool:
    if kind != "sri":
        return kind == "pgp-signature" and bool(value)
    algorithm, _, digest = value.partition("-")
    try:
        return len(base64.b64decode(digest, validate=True)) == _DIGESTS.get(algorithm)
    except (binascii.Error, ValueError):
        return False


# -- chapters --------------------------------------------------------------------------------------------------------------------


def _chapters(element: Any, one: Seen) -> Iterator[Broken]:
    listed = element.find(f"{{{PSC}}}chapters")
    simple = [] if listed is None else listed.findall(f"{{{PSC}}}chapter")
    marks = [(reader.clock(chapter.get("start")), (chapter.get("title") or "").strip()) for chapter in simple]
    for chapter, (start, title) in zip(simple, marks, strict=True):
        if start is None:
            yield _broken("psc-start", chapter, f"a chapter starts at {chapter.get('start')!r}", "such as 00:12:30.500", one.identity)
        if not title:
            yield _broken("psc-title", chapter, "a chapter has no title", "name it", one.identity)
    lines = reader.timestamps(one.description) or reader.timestamps(one.content)
    timed = [(start, title) for start, title in marks if start is not None]
    if listed is not None:
        yield from _simple(listed, timed, one)
        if lines and len(lines) != len(simple):
            message = f"{len(simple)} chapters in psc:chapters, {len(lines)} times in the notes"
            yield _broken("psc-count", listed, message, "one list, in every form", one.identity)
    yield from _spotify(element if listed is None else listed, timed or list(lines), one)
    yield from _youtube(element, reader.timestamps(one.description), one)


def _simple(listed: Any, marks: Sequence[tuple[int, str]], one: Seen) -> Iterator[Broken]:
    starts = [start for start, _ in marks]
    if any(later <= former for former, later in pairwise(starts)):
        yield _broken("psc-order", listed, "chapters do not ascend", "sort them by start", one.identity)
    if starts and min(starts) != 0:
        yield _broken("psc-first", listed, f"the first chapter starts at {min(starts) / 1000:g} s", "start it at 0", one.identity)
    if one.duration and any(start >= one.duration * 1000 for start in starts):
        yield _broken("psc-end", listed, f"a chapter starts after the end, which is at {one.duration} s", "chapters of this file", one.identity)


def _spotify(element: Any, marks: Sequence[tuple[int, str]], one: Seen) -> Iterator[Broken]:
    if not marks:
        return
    if len(marks) < FEWEST_CHAPTERS:
        yield _broken("spotify-chapters", element, f"{len(marks)} chapters", f"{FEWEST_CHAPTERS} or more, or none", one.identity)
    long = [title for _, title in marks if len(title) > CHAPTER_CHARACTERS]
    if long:
        message = f"{len(long)} of {len(marks)} titles of chapters are longer than {CHAPTER_CHARACTERS} characters, such as {long[0]!r}"
        yield _broken("spotify-chapter-title", element, message, "the first words say what it is about", one.identity)
    short = sum(0 < later - former < SPOTIFY_CHAPTER_MS for (former, _), (later, _) in pairwise(marks))
    if short:
        message = f"{short} of {len(marks)} chapters last less than {SPOTIFY_CHAPTER_MS // 1000} s"
        yield _broken("spotify-chapter-length", element, message, "join them with the next", one.identity)


def _youtube(element: Any, lines: Sequence[tuple[int, str]], one: Seen) -> Iterator[Broken]:
    starts = [start for start, _ in lines]
    if not starts:
        return
    near = any(later - former < YOUTUBE_CHAPTER_MS for former, later in pairwise(starts))
    if len(starts) < FEWEST_CHAPTERS or starts[0] != 0 or near:
        yield _broken(
            "youtube-chapters", element, "the times in the description become no chapters", "from 0:00, ascending, three or more", one.identity
        )


# -- anywhere --------------------------------------------------------------------------------------------------------------------


def _description(element: Any, who: str | None) -> Iterator[Broken]:
    found = element.find("description")
    if found is None:
        return
    words = reader.said(found) or ""
    size = len(words.encode())
    if size > DESCRIPTION_BYTES:
        yield _broken("apple-description-length", found, f"the description is {size} bytes long", f"at most {DESCRIPTION_BYTES}", who)
    other = sorted({tag.lower() for tag in _TAG.findall(words)} - HTML)
    if other:
        yield _broken("psp-html", found, f"the description holds <{'>, <'.join(other)}>", f"only {', '.join(sorted(HTML))}", who)


def _dates(element: Any, who: str | None) -> Iterator[Broken]:
    for name in ("pubDate", "lastBuildDate"):
        found = element.find(name)
        date = None if found is None else reader.said(found)
        if date is None:
            continue
        moment, form = reader.moment(date), _DATE.fullmatch(date)
        if moment is None or form is None:
            yield _broken("rss-date", found, f"{name} is no date of RFC 2822: {date!r}", "such as Mon, 01 Jan 2024 06:00:00 +0000", who)
        elif form[1] and form[1] != _DAYS[moment.weekday()]:
            yield _broken("rss-date", found, f"{name} is a {_DAYS[moment.weekday()]}: {date!r}", "the day of the week of that date, or none", who)


def _image(element: Any, who: str | None) -> Iterator[Broken]:
    for one in element.findall(f"{{{ITUNES}}}image"):
        url = one.get("href") or ""
        if url and not _path(url).endswith((".jpg", ".jpeg", ".png")):
            yield _broken("apple-image-file", one, f"the image is neither .jpg nor .png: {url}", "a JPEG or PNG under that extension", who)


def _explicit(element: Any, who: str | None) -> Iterator[Broken]:
    found = element.find(f"{{{ITUNES}}}explicit")
    if found is not None and (reader.said(found) or "") not in ("true", "false", ""):
        yield _broken("apple-explicit", found, f"itunes:explicit is {reader.said(found)!r}", "true or false", who)


def _podcast_anywhere(element: Any, who: str | None) -> Iterator[Broken]:
    """Elements of the podcast namespace that stand in a channel or in an item."""
    for person in reader.podcast(element, "person"):
        name = reader.said(person) or ""
        if not 0 < len(name) <= SHORT_CHARACTERS:
            yield _broken("pi-person", person, f"the name of a person is {len(name)} characters long", f"1 to {SHORT_CHARACTERS}", who)
        role, group = person.get("role") or "host", person.get("group") or "cast"
        if role != role.lower() or group not in GROUPS:
            yield _broken("pi-person-words", person, f"a person is {role!r} of {group!r}", "such as 'host' of 'cast', in lower case", who)
    for funding in reader.podcast(element, "funding"):
        words = reader.said(funding) or ""
        if not funding.get("url") or not 0 < len(words) <= SHORT_CHARACTERS:
            yield _broken("pi-funding", funding, f"podcast:funding says {words[:SHORT_CHARACTERS]!r}", "a url, and a few words for it", who)
    for one in reader.podcast(element, "license"):
        name = reader.said(one) or ""
        known = name.startswith("cc") or name in ("arr", "pod-v4v-1.0")
        if not 0 < len(name) <= SHORT_CHARACTERS or name != name.lower() or not (known or one.get("url")):
            yield _broken(
                "pi-license", one, f"podcast:license is {name[:SHORT_CHARACTERS]!r}", "such as cc-by-nc-4.0; one of your own with its url", who
            )


def _values(element: Any, who: str | None) -> Iterator[Broken]:
    """Blanks around values, and values that are too long."""
    short = {"title", "copyright", "category", f"{{{ITUNES}}}title", f"{{{ITUNES}}}author"}
    for one in element:
        value = one.text or ""
        if len(one) or one.tag in ("description", f"{{{CONTENT}}}encoded"):
            continue
        if value != value.strip():
            yield _broken("psp-blanks", one, f"{_name(one)} has blanks around its value", "nothing between the tags but the value", who)
        if one.tag in short and len(value) > VALUE_CHARACTERS:
            yield _broken("psp-length", one, f"{_name(one)} is {len(value)} characters long", f"at most {VALUE_CHARACTERS}", who)


def _urls(elements: Any, who: str | None) -> Iterator[Broken]:
    """Every URL in these elements and below them."""
    for top in elements:
        for one in top.iter():
            for url in _urls_of(one):
                # other ways to the file than the web are what a source is for
                other = _name(one) == "source" and not url.lower().startswith(("http:", "https:"))
                fault = None if other else _url_fault(url)
                if fault is not None:
                    yield _broken("rss-url", one, f"{_name(one)} {fault}: {url!r}", "an absolute https URL, percent-encoded", who)
                elif url.lower().startswith("http:"):
                    yield _broken("apple-https", one, f"{_name(one)} is not https: {url}", "https, and a redirect from http", who)


def _urls_of(element: Any) -> Iterator[str]:
    for name in ("href", "url", "uri", "img", "image", "src"):
        if value := element.get(name):
            yield value
    if element.tag in ("link", "url", "comments", f"{{{ITUNES}}}new-feed-url") and (value := reader.said(element)):
        yield value


def _url_fault(url: str) -> str | None:
    if _NOT_IN_A_URL.search(url):
        return "holds what a URL must percent-encode"
    try:
        parts = urlsplit(url)
        absolute = parts.scheme in ("https", "http") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        absolute = False
    return None if absolute else "is no absolute URL"


def _path(url: str) -> str:
    try:
        return urlsplit(url).path.lower()
    except ValueError:
        return url.lower()
