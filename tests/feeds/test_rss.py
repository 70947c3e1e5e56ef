"""Feeds are read back with programs that are not ours: lxml, feedparser and podcastparser.

The golden files are renewed with ``UPDATE_GOLDEN=1 pytest tests/feeds``; read the difference before keeping it.
"""

from __future__ import annotations

import calendar
import datetime as dt
import io
import locale
import os
import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import feedparser  # type: ignore[import-untyped, unused-ignore]
import podcastparser  # type: ignore[import-untyped, unused-ignore]
import pytest
from lxml import etree  # type: ignore[import-untyped, unused-ignore]

from feeds.errors import FeedRuleBroken
from feeds.identity import episode_guid, podcast_guid
from feeds.model import Alternate, Channel, Chapter, Enclosure, Funding, Item, License, Person, Soundbite, Transcript
from feeds.rss import DESCRIPTION_BYTES, render

GOLDEN = Path(__file__).parent / "golden"
NAMES = {
    "content": "http://purl.org/rss/1.0/modules/content/",
    "psc": "http://podlove.org/simple-chapters",
    "atom": "http://www.w3.org/2005/Atom",
    "itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",
    "podcast": "https://podcastindex.org/namespace/1.0",
}
FIRST_NAME_OF_PODCAST = b"https://github.com/Podcastindex-org/podcast-namespace/blob/main/docs/1.0.md"
SITE = "https://podcast.example"

CHANNEL = Channel(
    title="Distributed Systems Podcast: Foundational",
    description="The physics & the people under every distributed system.",
    link=f"{SITE}/foundational",
    feed_url=f"{SITE}/feeds/foundational.xml",
    guid=podcast_guid(f"{SITE}/feeds/foundational.xml"),
    image=f"{SITE}/covers/foundational.png",
    language="en",
    author="The Distributed Systems Podcast",
    owner_name="Editors",
    owner_email="editors@podcast.example",
    copyright="© 2024 The Editors",
    category="Technology",
    subcategory=None,
    explicit=False,
    season=1,
)


def an_item(number: int, title: str, published: dt.datetime, **changes: Any) -> Item:
    plain = Item(
        guid=episode_guid("distributed-systems", number),
        title=title,
        description=f"<p>Notes of part {number}.</p>",
        enclosure=Enclosure(f"{SITE}/media/{number:02}-3f9a.mp3", 172_800_000 + number),
        published=published,
        duration=10_800 + number,
        season=1,
        season_name="Foundational",
        episode=number,
    )
    return replace(plain, **changes)


ITEMS = (
    an_item(
        1,
        "The Speed of Light Constraint",
        dt.datetime(2024, 1, 1, 6, tzinfo=dt.UTC),
        link=f"{SITE}/foundational/1",
        image=f"{SITE}/covers/01.jpg",
        chapters_url=f"{SITE}/media/01-3f9a.chapters.json",
        keywords=("latency", "R&D"),
    ),
    an_item(2, "Chaos Theory in Production", dt.datetime(2024, 3, 8, 6, tzinfo=dt.UTC), explicit=True),
    an_item(
        3,
        'The $440 Million "Lie": Why <Now> Doesn\'t Exist & More',
        dt.datetime(2024, 5, 15, 23, 30, 0, 999_999, tzinfo=dt.timezone(dt.timedelta(hours=-7))),
        description="<p>First line &amp; second.</p>\n<ul><li>a ]]> b</li></ul>",
    ),
)


FULL_CHANNEL = replace(
    CHANNEL,
    hub="https://hub.example/",
    persons=(Person("Ann", link=f"{SITE}/ann", image=f"{SITE}/ann.jpg"),),
    funding=(Funding(f"{SITE}/give", "Keep us going"),),
    license=License("cc-by-4.0"),
)
FULL_ITEM = replace(
    ITEMS[0],
    content="<p>Notes, <strong>bold</strong> &amp; ]]&gt;</p>",
    persons=(Person("Ann"), Person("Bob & Co", "guest")),
    chapters=(Chapter(0, "One"), Chapter(3_723_004, "Two ]]> <b>", f"{SITE}/two?a=1&b=2", f"{SITE}/two.jpg")),
    transcripts=(Transcript(f"{SITE}/1.vtt", "text/vtt", "en"),),
    soundbites=(Soundbite(61.5, 30, "Why clocks lie"),),
    alternates=(
        Alternate(ITEMS[0].enclosure.url, ITEMS[0].enclosure.length, "audio/mpeg", 128_000, "0" * 64, "MP3", default=True),
        Alternate(f"{SITE}/1.m4a", 7, "audio/mp4", 96_000, "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824", "AAC"),
    ),
)


def tree(xml: bytes) -> Any:
    return etree.fromstring(xml, etree.XMLParser(resolve_entities=False, no_network=True))


def texts(xml: bytes, path: str) -> list[str]:
    return [str(found) for found in tree(xml).xpath(path, namespaces=NAMES)]


def one(xml: bytes, path: str) -> str:
    (found,) = texts(xml, path)
    return found


def by_feedparser(xml: bytes) -> list[tuple[Any, ...]]:
    parsed = feedparser.parse(io.BytesIO(xml), sanitize_html=False)
    assert not parsed.bozo, parsed.get("bozo_exception")
    return [
        (e.title, e.id, e.enclosures[0].href, int(e.enclosures[0].length), e.enclosures[0].type, calendar.timegm(e.published_parsed))
        for e in parsed.entries
    ]


def by_podcastparser(xml: bytes) -> list[tuple[Any, ...]]:
    parsed = podcastparser.parse(CHANNEL.feed_url, io.BytesIO(xml))
    return [
        (e["title"], e["guid"], e["enclosures"][0]["url"], e["enclosures"][0]["file_size"], e["enclosures"][0]["mime_type"], e["published"])
        for e in parsed["episodes"]
    ]


def meant(*items: Item) -> list[tuple[Any, ...]]:
    """What any reader should find, in this order."""
    return [(i.title, i.guid, i.enclosure.url, i.enclosure.length, i.enclosure.type, int(i.published.timestamp())) for i in items]


# -- what is written ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "items"), [("three-items", ITEMS), ("no-items", ())])
def test_the_feed_is_the_golden_one_byte_for_byte(name: str, items: tuple[Item, ...]) -> None:
    golden = GOLDEN / f"{name}.xml"
    xml = render(CHANNEL, items)
    if os.environ.get("UPDATE_GOLDEN") == "1":
        golden.write_bytes(xml)
    assert xml.decode() == golden.read_bytes().decode()


def test_feedparser_finds_the_same_titles_guids_enclosures_and_dates_newest_first() -> None:
    assert by_feedparser(render(CHANNEL, ITEMS)) == meant(ITEMS[2], ITEMS[1], ITEMS[0])


def test_podcastparser_finds_the_same_and_offers_a_serial_show_from_its_first_episode() -> None:
    # it sorts by date itself: oldest first when itunes:type is serial, newest first otherwise
    assert by_podcastparser(render(CHANNEL, ITEMS)) == meant(*ITEMS)


def test_podcastparser_finds_the_rest_of_the_item() -> None:
    # it knows the podcast namespace by its first name only; the specification calls the two identical and asks writers for the new one
    xml = render(CHANNEL, ITEMS).replace(NAMES["podcast"].encode(), FIRST_NAME_OF_PODCAST)
    parsed = podcastparser.parse(CHANNEL.feed_url, io.BytesIO(xml))
    first = parsed["episodes"][0]
    assert (parsed["type"], parsed["link"], parsed["cover_url"], parsed["explicit"]) == ("serial", CHANNEL.link, CHANNEL.image, False)
    assert (first["total_time"], first["number"], first["season"], first["type"]) == (10_801, 1, 1, "full")
    assert first["chapters_json_url"] == ITEMS[0].chapters_url
    assert first["episode_art_url"] == ITEMS[0].image
    assert [e["explicit"] for e in parsed["episodes"]] == [False, True, False]


def test_the_channel_links_to_the_site_and_names_itself_in_an_atom_link() -> None:
    xml = render(CHANNEL, ITEMS)
    assert one(xml, "/rss/channel/link/text()") == CHANNEL.link
    assert one(xml, "/rss/channel/atom:link[@rel='self']/@href") == CHANNEL.feed_url


def test_a_subcategory_stands_inside_its_category() -> None:
    xml = render(replace(CHANNEL, category="Society & Culture", subcategory="Documentary"), ())
    assert one(xml, "//itunes:category[@text='Society & Culture']/itunes:category/@text") == "Documentary"


def test_last_build_date_is_the_newest_items_and_absent_without_items() -> None:
    assert one(render(CHANNEL, ITEMS), "//lastBuildDate/text()") == "Thu, 16 May 2024 06:30:00 +0000"
    assert texts(render(CHANNEL, ()), "//lastBuildDate") == []


def test_season_and_episode_nought_are_written() -> None:
    xml = render(replace(CHANNEL, season=0), [replace(ITEMS[0], season=0, episode=0)])
    assert texts(xml, "//itunes:season/text() | //podcast:season/text()") == ["0", "0"]
    assert texts(xml, "//itunes:episode/text() | //podcast:episode/text()") == ["0", "0"]


@pytest.mark.parametrize("ending", ["cover.jpg", "cover.JPEG", "cover.png", "cover.png?v=2"])
def test_every_usual_image_url_reaches_the_feed(ending: str) -> None:
    url = f"{SITE}/{ending}"
    xml = render(replace(CHANNEL, image=url), [replace(ITEMS[0], image=url)])
    assert texts(xml, "//itunes:image/@href") == [url, url]


@pytest.mark.parametrize(
    ("title", "read_as"),
    [
        ("Lies & <b>truths</b> ]]> &amp; <![CDATA[x]]>", None),
        ("Chaos 🔥 👩‍👩‍👧 in \u202bعربي עברית\u202c production", None),
        ("A\x00B\x1b[31mC\x07\ufffe\ud800D\x9f", "AB[31mCD"),
        ("  two\r\nlines\tand\x0ba\u2028half ", "two lines and a half"),
        ("Prix\xa0: 10\xa0€", None),
    ],
    ids=["markup", "emoji-and-rtl", "controls", "blanks", "no-break-space"],
)
def test_a_hostile_title_arrives_as_text(title: str, read_as: str | None) -> None:
    expected = title if read_as is None else read_as
    xml = render(replace(CHANNEL, title=title), [replace(ITEMS[0], title=title, description=title, season_name=title)])
    assert texts(xml, "//title/text()") == [expected, expected]
    assert one(xml, "//podcast:season/@name") == expected
    assert [by_podcastparser(xml)[0][1:]] == [m[1:] for m in meant(ITEMS[0])]
    assert not feedparser.parse(io.BytesIO(xml)).bozo


def test_a_description_keeps_its_markup_and_its_lines() -> None:
    xml = render(CHANNEL, [replace(ITEMS[2], description="<p>a &amp; b</p>\r\n<p>\x0cc ]]></p>\n")])
    assert one(xml, "//item/description/text()") == "<p>a &amp; b</p>\n<p>\nc ]]></p>"


# -- same input, same bytes -----------------------------------------------------------------------------------------------------


def test_the_order_of_the_input_is_not_in_the_bytes_even_when_dates_are_equal() -> None:
    together = [replace(item, published=ITEMS[0].published) for item in ITEMS]
    assert [r[1] for r in by_feedparser(render(CHANNEL, together))] == [i.guid for i in reversed(ITEMS)]
    shuffled = list(together)
    random.Random(7).shuffle(shuffled)
    assert render(CHANNEL, shuffled) == render(CHANNEL, together)


def test_equal_moments_in_two_time_zones_give_equal_bytes() -> None:
    abroad = [replace(i, published=i.published.astimezone(dt.timezone(dt.timedelta(hours=5, minutes=45)))) for i in ITEMS]
    assert render(CHANNEL, abroad) == render(CHANNEL, ITEMS)


@pytest.fixture
def time_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    def change(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield change
    monkeypatch.undo()
    time.tzset()


def test_the_machines_time_zone_is_not_in_the_bytes(time_zone: Callable[[str], None]) -> None:
    time_zone("UTC0")
    here = render(CHANNEL, ITEMS)
    time_zone("XYZ-11:30")
    assert time.timezone == -41_400
    assert render(CHANNEL, ITEMS) == here


def test_the_machines_locale_is_not_in_the_bytes() -> None:
    here = render(CHANNEL, ITEMS)
    before = locale.setlocale(locale.LC_TIME)
    for name in ("de_DE.UTF-8", "fr_FR.UTF-8", "ja_JP.UTF-8", "es_ES.UTF-8", "pt_BR.UTF-8"):
        try:
            locale.setlocale(locale.LC_TIME, name)
        except locale.Error:
            continue
        try:
            assert render(CHANNEL, ITEMS) == here
        finally:
            locale.setlocale(locale.LC_TIME, before)
        return
    pytest.skip("this machine has no locale whose day names are not English")


def test_the_locale_of_the_process_is_never_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> str:
        raise AssertionError("setlocale was called: not safe with threads")

    monkeypatch.setattr(locale, "setlocale", refuse)
    assert texts(render(CHANNEL, ITEMS), "//pubDate/text()")[-1] == "Mon, 01 Jan 2024 06:00:00 +0000"


def test_threads_do_not_disturb_one_another() -> None:
    channels = [replace(CHANNEL, title=f"Show {n}") for n in range(8)]
    alone = [render(channel, ITEMS) for channel in channels]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda channel: render(channel, ITEMS), channels)) == alone


# -- rules ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"title": " \x00 "}, "title is empty"),
        ({"description": ""}, "description is empty"),
        ({"description": "é" * (DESCRIPTION_BYTES // 2) + "!"}, "description is 4001 bytes long"),
        ({"enclosure": Enclosure("media/01.mp3", 1)}, "enclosure is no absolute"),
        ({"enclosure": Enclosure("//podcast.example/01.mp3", 1)}, "enclosure is no absolute"),
        ({"enclosure": Enclosure("file:///srv/01.mp3", 1)}, "enclosure is no absolute"),
        ({"enclosure": Enclosure("https:///01.mp3", 1)}, "enclosure is no absolute"),
        ({"enclosure": Enclosure("https://[::1/01.mp3", 1)}, "enclosure is no absolute"),
        ({"enclosure": Enclosure(f"{SITE}/a b.mp3", 1)}, "must percent-encode"),
        ({"enclosure": Enclosure(f"{SITE}/é.mp3", 1)}, "must percent-encode"),
        ({"enclosure": Enclosure(f"{SITE}/100%.mp3", 1)}, "must percent-encode"),
        ({"enclosure": Enclosure(f"{SITE}/01.mp3", 0)}, "length is 0 bytes"),
        ({"enclosure": Enclosure(f"{SITE}/01.mp3", -1)}, "length is -1 bytes"),
        ({"enclosure": Enclosure(f"{SITE}/01.mp3", 1, "mp3")}, "no audio or video type"),
        ({"published": dt.datetime(2024, 1, 1, 6)}, "no time zone"),
        ({"published": dt.datetime(1, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=9)))}, "cannot be written as RFC 2822"),
        ({"published": dt.datetime(9999, 12, 31, 23, tzinfo=dt.timezone(dt.timedelta(hours=-9)))}, "cannot be written as RFC 2822"),
        ({"duration": 0}, "duration is 0 s"),
        ({"season": 2}, "of season 2, the channel of season 1"),
        ({"season_name": ""}, "season_name is empty"),
        ({"season_name": "n" * 129}, "longer than 128 characters"),
        ({"content": "x" * 100_001}, "show notes are 100001 bytes long"),
        ({"persons": (Person("Ann", link="ann"),)}, "person's link is no absolute"),
        ({"persons": (Person(" "),)}, "person's name is empty"),
        ({"chapters": (Chapter(5, "b"), Chapter(0, "a"))}, "chapters do not follow each other"),
        ({"chapters": (Chapter(0, "a"), Chapter(0, "b"))}, "chapters do not follow each other"),
        ({"chapters": (Chapter(0, ""),)}, "chapter's title is empty"),
        ({"chapters": (Chapter(0, "a", link="javascript:x"),)}, "chapter's link is no absolute"),
        ({"transcripts": (Transcript(f"{SITE}/t.pdf", "application/pdf", "en"),)}, "none that apps know"),
        ({"soundbites": (Soundbite(10_799, 30),)}, "ends after the episode"),
        ({"alternates": (Alternate(f"{SITE}/1.m4a", 0, "audio/mp4", 1, "0" * 64, "AAC"),)}, "length is 0 bytes"),
        ({"alternates": (Alternate(f"{SITE}/1.m4a", 1, "audio/mp4", 1, "0", "AAC"),)}, "sha256 is none"),
        ({"episode": -1}, "episode number is negative"),
        ({"link": "/foundational/1"}, "link is no absolute"),
        ({"chapters_url": "01.json"}, "chapters_url is no absolute"),
        ({"image": "covers/01.jpg"}, "image is no absolute"),
        ({"image": f"{SITE}/01.webp"}, "neither .jpg nor .png"),
        ({"keywords": ("raft", " ")}, "keyword is empty"),
        ({"guid": "a\x00b"}, "guid holds control characters"),
    ],
)
def test_an_item_that_breaks_a_rule_is_refused_by_name(changes: dict[str, Any], rule: str) -> None:
    broken = replace(ITEMS[1], **changes)
    with pytest.raises(FeedRuleBroken) as refused:
        render(CHANNEL, [ITEMS[0], broken])
    assert rule in refused.value.rule
    assert refused.value.item == broken.guid


def test_an_item_without_a_guid_is_named_by_its_number() -> None:
    with pytest.raises(FeedRuleBroken, match=r"^episode 2: the guid is empty"):
        render(CHANNEL, [replace(ITEMS[1], guid="")])


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"title": ""}, "title is empty"),
        ({"description": "x" * (DESCRIPTION_BYTES + 1)}, "description is 4001 bytes long"),
        ({"link": "podcast.example"}, "link is no absolute"),
        ({"feed_url": "feeds/foundational.xml"}, "feed_url is no absolute"),
        ({"image": f"{SITE}/cover"}, "neither .jpg nor .png"),
        ({"language": "English"}, "no language tag"),
        ({"author": "\n"}, "author is empty"),
        ({"owner_name": ""}, "owner_name is empty"),
        ({"owner_email": "editors"}, "no e-mail address"),
        ({"category": ""}, "category is empty"),
        ({"category": 'Tech"nology'}, "double quote"),
        ({"subcategory": ""}, "subcategory is empty"),
        ({"guid": "917393E3-1B1E-5CEF-ACE4-EDAA54E1F810"}, "guid is no UUID in lower case"),
        ({"hub": "hub"}, "hub is no absolute"),
        ({"funding": (Funding(f"{SITE}/give", "n" * 129),)}, "longer than 128 characters"),
        ({"license": License("ours", "license.html")}, "license is no absolute"),
    ],
)
def test_a_channel_that_breaks_a_rule_is_refused(changes: dict[str, Any], rule: str) -> None:
    with pytest.raises(FeedRuleBroken) as refused:
        render(replace(CHANNEL, **changes), ITEMS)
    assert rule in refused.value.rule
    assert refused.value.item is None


def test_the_feed_of_the_whole_show_holds_every_season_by_its_name() -> None:
    items = [replace(ITEMS[0], season=season, season_name=name, guid=name, episode=season) for season, name in ((1, "One"), (2, "Two"))]
    xml = render(replace(CHANNEL, season=None), items)
    assert sorted(texts(xml, "//podcast:season/@name")) == ["One", "Two"]
    with pytest.raises(FeedRuleBroken, match="season is negative"):
        render(replace(CHANNEL, season=None), [replace(ITEMS[0], season=-1)])


def test_everything_that_the_podcast_namespace_has_words_for_is_said() -> None:
    xml = render(FULL_CHANNEL, [FULL_ITEM])
    said = {
        "/rss/channel/atom:link[@rel='hub']/@href": "https://hub.example/",
        "/rss/channel/podcast:person": "Ann",
        "/rss/channel/podcast:person/@role": "host",
        "/rss/channel/podcast:funding/@url": f"{SITE}/give",
        "/rss/channel/podcast:license": "cc-by-4.0",
        "//item/podcast:person[@role='guest']": "Bob & Co",
        "//item/podcast:transcript/@type": "text/vtt",
        "//item/podcast:soundbite/@startTime": "61.5",
        "//item/podcast:soundbite/@duration": "30",
        "//item/podcast:soundbite": "Why clocks lie",
        "//item/podcast:alternateEnclosure[@default='true']/@type": "audio/mpeg",
        "//item/podcast:alternateEnclosure[@title='AAC']/podcast:source/@uri": f"{SITE}/1.m4a",
        "//item/podcast:alternateEnclosure[@title='AAC']/podcast:integrity/@value": "sha256-LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=",
        "//item/psc:chapters/psc:chapter[2]/@start": "01:02:03.004",
        "//item/psc:chapters/psc:chapter[2]/@title": "Two ]]> <b>",
    }
    found = {path: "".join(texts(xml, path if "@" in path.rsplit("/", 1)[1] and not path.endswith("]") else f"{path}/text()")) for path in said}
    assert found == said
    assert one(xml, "//content:encoded/text()") == FULL_ITEM.content


def test_feedparser_reads_the_notes_and_the_chapters_as_they_were_meant() -> None:
    (entry,) = feedparser.parse(io.BytesIO(render(FULL_CHANNEL, [FULL_ITEM])), sanitize_html=False).entries
    assert entry.content[0].value == FULL_ITEM.content
    (episode,) = podcastparser.parse(CHANNEL.feed_url, io.BytesIO(render(FULL_CHANNEL, [FULL_ITEM])))["episodes"]
    assert [(one["start"], one["title"]) for one in episode["chapters"]] == [(0, "One"), (3723, "Two ]]> <b>")]


@pytest.mark.slow
def test_ten_thousand_items_take_ten_times_what_a_thousand_take() -> None:
    took = {}
    for count in (1_000, 10_000):
        items = [replace(FULL_ITEM, guid=str(n), episode=n) for n in range(count)]
        begun = time.process_time()
        xml = render(FULL_CHANNEL, items)
        took[count] = time.process_time() - begun
        assert xml.count(b"<item>") == count
    assert took[10_000] < 16 * took[1_000]


def test_a_guid_or_a_number_used_twice_is_refused() -> None:
    with pytest.raises(FeedRuleBroken, match="the guid appears twice"):
        render(CHANNEL, [ITEMS[0], replace(ITEMS[1], guid=ITEMS[0].guid)])
    with pytest.raises(FeedRuleBroken, match="episode 1 appears twice"):
        render(CHANNEL, [ITEMS[0], replace(ITEMS[1], episode=1)])


def test_a_description_of_exactly_the_limit_passes_whole() -> None:
    description = "é" * (DESCRIPTION_BYTES // 2)
    assert one(render(CHANNEL, [replace(ITEMS[0], description=description)]), "//item/description/text()") == description


# -- identity -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["https://", "http://", "HTTPS://", "feed://", ""])
@pytest.mark.parametrize("slashes", ["", "/", "//"])
def test_the_podcast_guid_is_the_one_of_the_specifications_example(scheme: str, slashes: str) -> None:
    assert podcast_guid(f"{scheme}mp3s.nashownotes.com/pc20rss.xml{slashes}") == "917393e3-1b1e-5cef-ace4-edaa54e1f810"


def test_episode_guids_stay_what_they_were_when_first_published() -> None:
    assert [episode_guid("distributed-systems", number) for number in (1, 14)] == [
        "248fb866-d107-5d32-85ea-deefa97f8175",
        "6f03cede-32b1-5701-8d1a-cbd76e792088",
    ]
    assert len({episode_guid("distributed-systems", number) for number in range(1, 36)}) == 35
    assert episode_guid("https://podcast.example/feed/", 1) == episode_guid("http://podcast.example/feed", 1)


def test_nothing_and_a_negative_number_have_no_identity() -> None:
    with pytest.raises(ValueError, match="no identity"):
        podcast_guid("https:///")
    with pytest.raises(ValueError, match="not negative"):
        episode_guid("distributed-systems", -1)
