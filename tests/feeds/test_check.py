"""Every rule is broken alone, by a small edit of a feed that breaks none."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds.check import RULES, check
from feeds.rss import render
from feeds.rules import CATEGORIES
from tests.feeds.samples import CHANNEL, FIRST, GOOD, SECOND, SITE, edited

LONG_AFTER = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)
PODCAST = "https://podcastindex.org/namespace/1.0"
FILE = f"{SITE}/media/02.mp3"
ENCLOSURE = f'<enclosure url="{FILE}" length="120000002" type="audio/mpeg"/>'
DESCRIPTION = "<description>Notes of part 2.</description>"
TITLE = "<title>Chaos in Production</title>"
CHAPTER = '<psc:chapter start="00:10:00.000" title="Principles of 2"/>'
NEWER = "<pubDate>Fri, 08 Mar 2024 06:00:00 +0000</pubDate>"


@dataclass(frozen=True)
class Row:
    """An edit that breaks a rule. ``also`` are rules that cannot but break with it; ``now`` when the feed is looked at."""

    rule: str
    edits: tuple[tuple[str, str], ...]
    also: frozenset[str] = frozenset()
    now: dt.datetime = LONG_AFTER


def row(rule: str, *edits: tuple[str, str], also: str = "", now: dt.datetime = LONG_AFTER) -> Row:
    return Row(rule, edits, frozenset(also.split()), now)


def without(*texts: str) -> tuple[tuple[str, str], ...]:
    return tuple((text, "") for text in texts)


def titled(title: str) -> tuple[str, str]:
    return TITLE, f"<title>{title}</title>"


def duration(value: str) -> tuple[str, str]:
    return "<itunes:duration>10800</itunes:duration>", value and f"<itunes:duration>{value}</itunes:duration>"


TABLE = [
    row("xml", ("</rss>", "")),
    row("xml", ("<rss ", "<!DOCTYPE rss><rss ")),
    row("xml", ("Chaos in Production", "Chaos & Production")),
    row("xml", ("Chaos in Production", "Chaos&nbsp;in")),
    row("rss-version", ('version="2.0"', 'version="0.91"')),
    row("rss-version", ("<rss ", "<feed "), ("</rss>", "</feed>")),
    row("rss-version", ("</channel>", "</channel><channel/>")),
    row("rss-channel", *without(f"<link>{SITE}/show</link>")),
    row("rss-channel", *without("<title>Distributed Systems Podcast</title>")),
    row("rss-item", *without(TITLE, DESCRIPTION)),
    row("rss-enclosure", ('length="120000002"', 'length="115 MB"')),
    row("rss-enclosure", ('length="120000002"', 'length="0"')),
    row("rss-enclosure", ('length="120000002" type="audio/mpeg"', 'length="120000002"')),
    row("rss-one-enclosure", (ENCLOSURE, f'{ENCLOSURE}<enclosure url="{SITE}/b.mp3" length="1" type="audio/mpeg"/>')),
    row("rss-date", (NEWER, "<pubDate>2024-03-08T06:00:00Z</pubDate>")),
    row("rss-date", (NEWER, "<pubDate>Mon, 08 Mar 2024 06:00:00 +0000</pubDate>")),
    row("rss-date", (NEWER, "<pubDate>Fre, 08 Mär 2024 06:00:00 +0000</pubDate>")),
    row("rss-date", (NEWER, "<pubDate>Fri, 08 Mar 24 06:00:00 +0000</pubDate>")),
    row("rss-date", ("<lastBuildDate>Fri, 08 Mar", "<lastBuildDate>08.03.")),
    row("rss-duplicate-guid", (FIRST.guid, SECOND.guid)),
    row("rss-permalink", ('isPermaLink="false"', 'isPermaLink="true"')),
    row("rss-permalink", (' isPermaLink="false"', "")),
    row("rss-future", now=dt.datetime(2024, 3, 8, 5, 59, tzinfo=dt.UTC)),
    row("rss-order", ("<pubDate>Fri, 08 Mar 2024", "<pubDate>Sun, 08 Mar 2020")),
    row("rss-url", (FILE, f"{SITE}/media/0 2.mp3")),
    row("rss-url", (FILE, f"{SITE}/media/100%.mp3")),
    row("rss-url", (FILE, f"{SITE}/média/02.mp3")),
    row("rss-url", (FILE, "/media/02.mp3")),
    row("rss-url", (FILE, "https://[::1/02.mp3")),
    row("rss-url", (FILE, "https:///02.mp3")),
    row("rss-url", (f"{SITE}/covers/02.jpg", "covers/02.jpg")),
    row("rss-url", (f"<link>{SITE}/show/2", "<link>show/2")),
    row("apple-language", ("<language>en</language>", "<language>English</language>")),
    row("apple-language", *without("<language>en</language>")),
    row("apple-image", *without(f'<itunes:image href="{SITE}/covers/show.png"/>')),
    row("apple-image-file", ("covers/show.png", "covers/show.webp")),
    row("apple-image-file", ("covers/02.jpg", "covers/02")),
    row("apple-category", *without('<itunes:category text="Technology"/>')),
    row("apple-category-name", ('text="Technology"', 'text="technology"')),
    row(
        "apple-category-name",
        ('<itunes:category text="Technology"/>', '<itunes:category text="News"><itunes:category text="Gadgets"/></itunes:category>'),
    ),
    row("apple-explicit", ("<itunes:explicit>false</itunes:explicit>", "<itunes:explicit>no</itunes:explicit>")),
    row("apple-explicit", *without("<itunes:explicit>false</itunes:explicit>")),
    row("apple-explicit", ("<itunes:explicit>true</itunes:explicit>", "<itunes:explicit>clean</itunes:explicit>")),
    row("apple-author", *without("<itunes:author>The Editors</itunes:author>")),
    row("apple-type", ("<itunes:type>serial", "<itunes:type>series")),
    row("apple-serial", *without("<itunes:episode>2</itunes:episode>")),
    row("apple-season", *without("<itunes:season>1</itunes:season>")),
    row("apple-number", ("<itunes:episode>2</itunes:episode>", "<itunes:episode>0</itunes:episode>")),
    row("apple-number", ("<itunes:season>1</itunes:season>", "<itunes:season>one</itunes:season>")),
    row("apple-episode-type", ("<itunes:episodeType>full", "<itunes:episodeType>special")),
    row("apple-item-title", *without(TITLE)),
    row("apple-title-number", titled("14: Chaos")),
    row("apple-title-number", titled("2 Chaos")),
    row("apple-title-number", titled("#14 Chaos")),
    row("apple-title-number", titled("Episode 14: Chaos")),
    row("apple-title-number", titled("Ep. 14 Chaos")),
    row("apple-title-number", titled("S01E02 Chaos")),
    row("apple-title-show", titled("Chaos (Distributed Systems Podcast)")),
    row("apple-description-length", (DESCRIPTION, f"<description>{'é' * 2000}!</description>")),
    row("apple-item-description", *without(DESCRIPTION)),
    row("apple-enclosure", *without(ENCLOSURE)),
    row("apple-media", (FILE, f"{SITE}/media/02.ogg")),
    row("apple-media-type", (ENCLOSURE, ENCLOSURE.replace("audio/mpeg", "audio/x-m4a"))),
    row("apple-duplicate-enclosure", (FILE, f"{SITE}/media/01.mp3")),
    row("apple-date", *without(NEWER)),
    row("apple-duration", duration("")),
    row("apple-duration-form", duration("three hours")),
    row("apple-duration-form", duration("0")),
    row("apple-duration-form", duration("1:99:00")),
    row("apple-duration-seconds", duration("3:00:00")),
    row("apple-https", (FILE, FILE.replace("https", "http"))),
    row("psp-namespaces", (f' xmlns:podcast="{PODCAST}"', ""), ("<channel>", f'<channel xmlns:podcast="{PODCAST}">')),
    row("psp-utf-8", ("encoding='UTF-8'", "encoding='ISO-8859-1'")),
    row("psp-self", ('rel="self"', 'rel="via"')),
    row("psp-locked", *without('<podcast:locked owner="editors@podcast.example">yes</podcast:locked>')),
    row("psp-podcast-guid", *without(f"<podcast:guid>{CHANNEL.guid}</podcast:guid>")),
    row("psp-guid", *without(f'<guid isPermaLink="false">{SECOND.guid}</guid>')),
    row("psp-item-link", *without(f"<link>{SITE}/show/2</link>")),
    row("psp-item-image", *without(f'<itunes:image href="{SITE}/covers/02.jpg"/>')),
    row("psp-item-explicit", *without("<itunes:explicit>true</itunes:explicit>")),
    row("psp-transcript", *without(f'<podcast:transcript url="{SITE}/media/02.vtt" type="text/vtt" language="en"/>')),
    row("psp-blanks", titled(" Chaos")),
    row("psp-blanks", (f"{SECOND.guid}<", f"{SECOND.guid}\n<")),
    row("psp-length", ("2026 The Editors", "x" * 256)),
    row("psp-html", (DESCRIPTION, "<description>&lt;table&gt;a&lt;/table&gt;</description>")),
    row("psp-html", (DESCRIPTION, "<description>Why &lt;Now&gt; is none</description>")),
    row("pi-namespace", (PODCAST, "https://github.com/Podcastindex-org/podcast-namespace/blob/main/docs/1.0.md")),
    row("pi-guid", (CHANNEL.guid, "9b024349-ccf0-4f69-a609-6b82873eab3c")),
    row("pi-locked", (">yes<", ">true<")),
    row("pi-locked-owner", (' owner="editors@podcast.example"', "")),
    row("pi-locked-owner", ('owner="editors@podcast.example"', 'owner="the editors"')),
    row("pi-medium", ("<podcast:medium>podcast", "<podcast:medium>radio")),
    row("pi-person", ("Ada Example</podcast:person>", "</podcast:person>")),
    row("pi-person", ("Grace Example", "x" * 129)),
    row("pi-person-words", ('role="host"', 'role="Host"')),
    row("pi-person-words", ('group="cast"', 'group="crew"')),
    row("pi-season", ('name="Foundational"', f'name="{"x" * 129}"')),
    row("pi-season", ('Foundational">1<', 'Foundational">one<')),
    row("pi-episode", ("<podcast:episode>2</podcast:episode>", "<podcast:episode>two</podcast:episode>")),
    row("pi-episode", ("<podcast:episode>2", f'<podcast:episode display="{"x" * 33}">2')),
    row("pi-chapters-type", ('type="application/json+chapters"', 'type="application/json"')),
    row("pi-chapters", (' type="application/json+chapters"', "")),
    row("pi-chapters", (f'url="{SITE}/media/02.chapters.json"', "")),
    row("pi-transcript", ('type="text/vtt"', 'type="text/markdown"')),
    row("pi-soundbite", ('startTime="60"', 'startTime="10790"')),
    row("pi-soundbite", ('startTime="60"', 'startTime="1:00"')),
    row("pi-soundbite-length", ('startTime="60" duration="30"', 'startTime="60" duration="3"')),
    row("pi-soundbite-length", ("Why light is slow", "x" * 129)),
    row("pi-funding", ("Support the show", "")),
    row("pi-funding", ("Support the show", "x" * 129)),
    row("pi-alternate", *without(f'<podcast:source uri="{SITE}/media/02.opus"/>')),
    row("pi-alternate", ('<podcast:alternateEnclosure type="audio/opus"', "<podcast:alternateEnclosure")),
    row("pi-alternate-title", ('title="Opus, 48 kb/s"', f'title="{"x" * 33}"')),
    row("pi-integrity", ('value="sha256-', 'value="sha256-q')),
    row("pi-integrity", ('value="sha256-', 'value="md5-')),
    row("pi-license", ("cc-by-nc-4.0", "CC-BY-NC-4.0")),
    row("pi-license", ("cc-by-nc-4.0", "our own terms")),
    row("psc-start", ('start="00:10:00.000"', 'start="ten minutes"')),
    row("psc-start", ('start="00:10:00.000"', 'start="00:61:00"')),
    row("psc-title", ('title="Principles of 2"', "")),
    row("psc-order", ('start="00:10:00.000"', 'start="01:30:00.000"')),
    row("psc-first", ('start="00:00:00.000"', 'start="00:00:01.000"')),
    row("psc-end", ('start="02:00:00.000"', 'start="03:00:00.000"')),
    row("psc-count", *without('<psc:chapter start="00:10:00.000" title="Principles of 1"/>')),
    row("spotify-size", ('length="120000002"', 'length="200000001"'), also="acast-size"),
    row("acast-size", ('length="120000002"', 'length="172800000"')),
    row("spotify-chapters", *without(CHAPTER, '<psc:chapter start="01:00:00.000" title="Practice of 2"/>')),
    row("spotify-chapter-title", ("Principles of 2", "Principles, and what became of them later")),
    row("spotify-chapter-length", ('start="00:10:00.000"', 'start="00:00:29.999"')),
    row("youtube-owner", *without("<itunes:email>editors@podcast.example</itunes:email>")),
    row("youtube-owner", ("<itunes:email>editors@podcast.example", "<itunes:email>editors")),
    row("youtube-audio", (ENCLOSURE, ENCLOSURE.replace(".mp3", ".mp4").replace("audio/mpeg", "video/mp4"))),
    row("youtube-title", titled("x" * 101)),
    row("youtube-title", titled("Why &lt;Now&gt; is none")),
    row("youtube-chapters", (DESCRIPTION, "<description>01:00 a\n09:00 b\n12:00 c\n1:15:00 d</description>")),
    row("youtube-chapters", (DESCRIPTION, "<description>0:00 a\n0:09 b\n12:00 c\n1:15:00 d</description>")),
    row("youtube-chapters", (DESCRIPTION, "<description>0:00 a\n12:00 b\n9:00 c\n1:15:00 d</description>")),
]
ELSEWHERE = {"apple-items"}
"""Rules that have a test of their own."""


def ids(feed: bytes, now: dt.datetime | None = LONG_AFTER) -> set[str]:
    return {one.rule.id for one in check(feed, now)}


def test_the_good_feed_breaks_no_rule() -> None:
    assert check(GOOD, LONG_AFTER) == ()


@pytest.mark.parametrize("one", TABLE, ids=lambda one: one.rule)
def test_a_broken_feed_breaks_exactly_that_rule(one: Row) -> None:
    broken = check(edited(*one.edits), one.now)
    assert {found.rule.id for found in broken} == {one.rule} | one.also, broken
    assert all(found.line >= 1 and found.message and found.hint for found in broken)


def test_every_rule_has_a_row() -> None:
    rows = {one.rule for one in TABLE} | ELSEWHERE
    assert set(RULES) - rows == set()
    assert rows - set(RULES) == set()


def test_every_rule_says_who_asks_for_it_and_where() -> None:
    assert all(rule.source.startswith("https://") and rule.text.endswith(".") for rule in RULES.values())
    assert {rule.asks for rule in RULES.values()} >= {"apple", "spotify", "youtube", "podcast-index", "psp-1", "rss"}
    assert {rule.severity for rule in RULES.values()} == {"error", "warning"}


def test_a_feed_without_items_is_accepted_by_nobody() -> None:
    assert ids(render(CHANNEL, ())) == {"apple-items"}


def test_what_is_found_names_the_item_and_the_line_of_the_element() -> None:
    feed = edited((FILE, f"{SITE}/media/02.ogg"))
    (found,) = check(feed, LONG_AFTER)
    assert found.item == SECOND.guid
    assert f"{SITE}/media/02.ogg" in feed.decode().splitlines()[found.line - 1]
    (channel,) = check(edited(("covers/show.png", "covers/show.gif")), LONG_AFTER)
    assert channel.item is None


def test_an_item_without_a_guid_is_named_by_its_file() -> None:
    (found,) = check(edited((f'<guid isPermaLink="false">{SECOND.guid}</guid>', "")), LONG_AFTER)
    assert found.item == FILE


def test_what_is_no_xml_is_told_with_its_place() -> None:
    (found,) = check(b"<rss version='2.0'>\n<channel>\n</chanel></rss>", None)
    assert (found.rule.id, found.line) == ("xml", 3)


def test_without_a_now_nothing_is_in_the_future() -> None:
    assert check(GOOD) == ()


def test_findings_stand_in_the_order_of_the_feed() -> None:
    lines = [one.line for one in check(edited((FILE, "x"), ("covers/show.png", "x"), ("covers/01.jpg", "x")), LONG_AFTER)]
    assert lines == sorted(lines)
    assert len(lines) >= 4


def test_a_feed_in_one_line_is_checked_as_well() -> None:
    flat = re.sub(rb">\s+<", b"><", GOOD)
    assert check(flat, LONG_AFTER) == ()
    assert ids(flat.replace(FIRST.guid.encode(), SECOND.guid.encode())) == {"rss-duplicate-guid"}


@pytest.mark.parametrize(
    "title",
    ["The $440 Million Lie", "3-Phase Commit", "99.99% Available", "2024 in Review", "Seasons Change", "Episodes of Failure", "S3 from Within"],
)
def test_titles_that_hold_numbers_of_other_things_pass(title: str) -> None:
    assert ids(edited(titled(title))) == set()


@pytest.mark.parametrize("medium", ["music", "course", "podcastL", "mixed"])
def test_every_medium_of_the_namespace_passes(medium: str) -> None:
    assert ids(edited(("<podcast:medium>podcast", f"<podcast:medium>{medium}"))) == set()


def test_other_ways_to_a_file_than_the_web_pass() -> None:
    ours = f'<podcast:source uri="{SITE}/media/02.opus"/>'
    assert ids(edited((ours, f'{ours}<podcast:source uri="ipfs://QmX33FYehk6ckGQ6g1D9D3FqZPix5JpKstKQKbaS8quUFb"/>'))) == set()


def test_chapters_in_a_description_that_youtube_takes_pass() -> None:
    assert ids(edited((DESCRIPTION, "<description>0:00 a\n9:00 b\n1:12:00 c\n2:15:00 d</description>"))) == set()


def test_a_pgp_signature_and_a_licence_of_ones_own_pass() -> None:
    assert ids(edited(('type="sri" value="', 'type="pgp-signature" value="'))) == set()
    assert ids(edited(("<podcast:license>cc-by-nc-4.0", f'<podcast:license url="{SITE}/terms">our own terms'))) == set()


@pytest.mark.parametrize(
    "edit",
    [
        (DESCRIPTION, f"<description>{'é' * 2000}</description>"),
        titled("x" * 100),
        ("2026 The Editors", "x" * 255),
        ("Principles of 2", "x" * 40),
        ('start="00:10:00.000"', 'start="00:00:30.000"'),
        ('start="02:00:00.000"', 'start="02:59:59.999"'),
        ('length="120000002"', 'length="150000000"'),
        ('name="Foundational"', f'name="{"x" * 128}"'),
        ("Grace Example", "x" * 128),
        ("Support the show", "x" * 128),
        ("<podcast:episode>2", f'<podcast:episode display="{"x" * 32}">2'),
        ('title="Opus, 48 kb/s"', f'title="{"x" * 32}"'),
        ('startTime="60" duration="30"', 'startTime="10680" duration="120"'),
        ('startTime="60" duration="30"', 'startTime="0" duration="15"'),
        (DESCRIPTION, "<description>0:00 a\n0:10 b\n0:20 c\n0:30 d</description>"),
    ],
    ids=lambda edit: edit[0][:24],
)
def test_what_is_just_allowed_passes(edit: tuple[str, str]) -> None:
    assert ids(edited(edit)) == set()


def test_what_is_published_this_very_moment_is_not_in_the_future() -> None:
    assert ids(GOOD, SECOND.published) == set()


def test_apples_categories_are_complete() -> None:
    assert len(CATEGORIES) == 19
    assert sum(len(inner) for inner in CATEGORIES.values()) == 91


@settings(max_examples=150)
@given(
    st.integers(0, len(GOOD)),
    st.integers(0, 400),
    st.binary(max_size=12) | st.sampled_from([b"<", b">", b"</item>", b"<item>", b"&#0;", b"\xff", b'"']),
)
def test_no_damage_to_a_feed_raises(at: int, length: int, other: bytes) -> None:
    check(GOOD[:at] + other + GOOD[at + length :], LONG_AFTER)


WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters='<&"\ufffe\uffff'), max_size=40)
PLACES = [
    (NEWER, "<pubDate>{}</pubDate>"),
    duration("{}"),
    titled("{}"),
    (DESCRIPTION, "<description>{}</description>"),
    ("<language>en", "<language>{}"),
    (CHANNEL.guid, "{}"),
    ("<itunes:episode>2", "<itunes:episode>{}"),
    ('startTime="60"', 'startTime="{}"'),
    ('start="00:10:00.000"', 'start="{}"'),
    (FILE, "{}"),
    ('length="120000002"', 'length="{}"'),
    ('value="sha256-', 'value="{}-'),
    ('text="Technology"', 'text="{}"'),
]


@settings(max_examples=150)
@given(st.sampled_from(PLACES), WORDS | st.text("0123456789:.,+-", max_size=20))
def test_no_value_raises(place: tuple[str, str], value: str) -> None:
    old, new = place
    check(edited((old, new.replace("{}", value))), LONG_AFTER)
