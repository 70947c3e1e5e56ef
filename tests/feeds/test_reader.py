"""Feeds of strangers: whatever the bytes are, what comes out is what stands there, or FeedUnreadable."""

from __future__ import annotations

import datetime as dt
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds import reader
from feeds.errors import FeedError, FeedUnreadable
from tests.feeds.samples import CHANNEL, FIRST, GOOD, SECOND, SITE, edited

BARE = '<rss version="2.0"><channel>{}</channel></rss>'
ITUNES = 'xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"'


def only(inner: str) -> reader.Seen:
    """The one item of a feed that says nothing else."""
    (found,) = reader.items(reader.parse(BARE.format(f"<item {ITUNES}>{inner}</item>").encode()))
    return found


def entities(depth: int) -> str:
    """Entities that grow tenfold each time they are expanded."""
    inner = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, depth))
    return f'<!DOCTYPE rss [<!ENTITY e0 "ha">{inner}]>'


HOSTILE = {
    "billion laughs in a text": f'{entities(10)}<rss version="2.0"><channel><title>&e9;</title></channel></rss>',
    "billion laughs in an attribute": f'{entities(10)}<rss version="2.0"><channel a="&e9;"/></rss>',
    "quadratic blowup": f'<!DOCTYPE rss [<!ENTITY e "{"x" * 100_000}">]><rss><channel>{"&e;" * 1000}</channel></rss>',
    "an endless entity": '<!DOCTYPE rss [<!ENTITY a "&b;"><!ENTITY b "&a;">]><rss a="&a;"/>',
    "an entity from a file": '<!DOCTYPE rss [<!ENTITY e SYSTEM "file:///etc/passwd">]><rss><channel><title>&e;</title></channel></rss>',
    "an entity from the web": '<!DOCTYPE rss [<!ENTITY e SYSTEM "http://127.0.0.1:9/">]><rss><channel><title>&e;</title></channel></rss>',
    "a parameter entity": '<!DOCTYPE rss [<!ENTITY % p SYSTEM "file:///etc/passwd">%p;]><rss version="2.0"><channel/></rss>',
    "an external document type": '<!DOCTYPE rss SYSTEM "http://127.0.0.1:9/rss.dtd"><rss version="2.0"><channel/></rss>',
    "an empty document type": '<!DOCTYPE rss><rss version="2.0"><channel/></rss>',
    "an undefined entity": '<rss version="2.0"><channel><title>a&nbsp;b</title></channel></rss>',
    "deep nesting": "<a>" * 100_000 + "</a>" * 100_000,
    "deep nesting that never ends": "<a>" * 100_000,
    "many attributes of one name": "<rss " + 'a="1" ' * 1000 + "/>",
    "a control character": "<rss><channel><title>a\x00b</title></channel></rss>",
    "a control character by number": "<rss><channel><title>&#0;</title></channel></rss>",
    "an unbound prefix that ends wrong": "<rss><itunes:a></itunes:b></rss>",
    "nothing": "",
    "blanks": " \n ",
    "text": "no feed today",
    "HTML": "<html><body><p>404<br></body></html>",
    "JSON": '{"version": "https://jsonfeed.org/version/1.1"}',
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_is_hostile_or_no_xml_is_refused_at_once(text: str) -> None:
    started = time.process_time()
    with pytest.raises(FeedUnreadable) as refused:
        reader.parse(text.encode())
    assert refused.value.line >= 1
    assert refused.value.column >= 1
    assert refused.value.why
    assert isinstance(refused.value, FeedError)
    assert time.process_time() - started < 2


def test_no_file_is_read_for_a_feed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the secret")
    text = f'<!DOCTYPE rss [<!ENTITY e SYSTEM "{secret.as_uri()}">]><rss version="2.0"><channel><title>&e;</title></channel></rss>'
    with pytest.raises(FeedUnreadable) as refused:
        reader.parse(text.encode())
    assert "secret" not in str(refused.value)


def test_what_is_included_stays_an_element() -> None:
    text = BARE.format('<item><title xmlns:xi="http://www.w3.org/2001/XInclude">a<xi:include href="/etc/passwd" parse="text"/></title></item>')
    assert [one.title for one in reader.items(reader.parse(text.encode()))] == ["a"]


def test_a_feed_that_is_too_long_is_refused_before_it_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MOST_BYTES", len(GOOD) - 1)
    with pytest.raises(FeedUnreadable, match="bytes long"):
        reader.parse(GOOD)
    monkeypatch.setattr(reader, "MOST_BYTES", len(GOOD))
    assert len(reader.items(reader.parse(GOOD))) == 2


@pytest.mark.parametrize("share", [0.01, 0.3, 0.5, 0.9, 0.999])
def test_a_feed_that_was_cut_off_is_refused_where_it_ends(share: float) -> None:
    cut = GOOD.rstrip()[: int(len(GOOD.rstrip()) * share)]
    with pytest.raises(FeedUnreadable) as refused:
        reader.parse(cut)
    assert abs(refused.value.line - cut.count(b"\n") - 1) <= 1


def test_the_place_of_a_mistake_is_told() -> None:
    with pytest.raises(FeedUnreadable, match=r"^line 3, column [0-9]+: ") as refused:
        reader.parse(b"<rss>\n <channel>\n </chanel>\n</rss>")
    assert refused.value.line == 3


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16", "ISO-8859-1", "windows-1252"])
def test_a_feed_in_an_encoding_that_it_names_is_read(encoding: str) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?>{BARE.format("<title>Ünïcode</title>")}'
    assert reader.channel(reader.parse(text.encode(encoding))).title == "Ünïcode"


@pytest.mark.parametrize(
    ("declared", "data"),
    [("UTF-8", "é".encode("latin-1")), ("ascii", "é".encode()), ("UTF-16", b"e"), ("no-such-encoding", b"e"), ("", b"e"), ("UTF-8", b"\xed\xa0\x80")],
    ids=["latin-1 as UTF-8", "UTF-8 as ASCII", "UTF-8 as UTF-16", "unknown", "none", "a surrogate"],
)
def test_a_feed_that_lies_about_its_encoding_is_refused(declared: str, data: bytes) -> None:
    with pytest.raises(FeedUnreadable):
        reader.parse(b'<?xml version="1.0" encoding="' + declared.encode() + b'"?><rss><channel><title>' + data + b"</title></channel></rss>")


@settings(max_examples=200)
@given(st.binary(max_size=300) | st.text(alphabet="<>/!?[]&;\"'= abrs:\x00é\n-", max_size=200).map(lambda text: text.encode()))
def test_garbage_is_refused_and_nothing_else_happens(data: bytes) -> None:
    try:
        root = reader.parse(data)
    except FeedUnreadable:
        return
    reader.channel(root)
    reader.items(root)


# -- what is read ----------------------------------------------------------------------------------------------------------------


def test_our_own_feed_is_read_back_whole() -> None:
    root = reader.parse(GOOD)
    newer, older = reader.items(root)
    assert [newer.guid, older.guid] == [SECOND.guid, FIRST.guid]
    assert (newer.title, newer.link, newer.description, newer.content) == (SECOND.title, SECOND.link, SECOND.description, "")
    assert (newer.enclosure_url, newer.enclosure_length, newer.enclosure_type) == (SECOND.enclosure.url, 120_000_002, "audio/mpeg")
    assert (newer.published, newer.published_text) == (SECOND.published, "Fri, 08 Mar 2024 06:00:00 +0000")
    assert (newer.duration, newer.season, newer.episode, newer.image, newer.chapters_url) == (10_800, 1, 2, SECOND.image, SECOND.chapters_url)
    assert (newer.psc_chapters, older.psc_chapters) == (4, 4)
    assert older.content == FIRST.content
    assert GOOD.decode().splitlines()[newer.line - 1].strip() == "<item>"
    show = reader.channel(root)
    assert (show.title, show.link, show.feed_url, show.guid, show.image) == (
        CHANNEL.title,
        CHANNEL.link,
        CHANNEL.feed_url,
        CHANNEL.guid,
        CHANNEL.image,
    )
    assert (show.language, show.author, show.owner_email, show.category) == ("en", CHANNEL.author, CHANNEL.owner_email, "Technology")
    assert (show.kind, show.explicit, show.new_feed_url) == ("serial", "false", None)


def test_what_a_feed_lacks_is_none() -> None:
    empty = only("")
    assert empty.guid is None
    assert empty.published is None
    assert empty.duration is None
    assert (empty.title, empty.description, empty.content, empty.psc_chapters, empty.identity) == ("", "", "", 0, None)
    assert only("<enclosure/>").enclosure_url is None
    assert reader.channel(reader.parse(b"<rss/>")).title == ""


@pytest.mark.parametrize("text", ["<feed xmlns='http://www.w3.org/2005/Atom'><entry/></feed>", "<rss/>", "<opml version='2.0'/>"])
def test_a_document_that_is_no_rss_has_no_items(text: str) -> None:
    root = reader.parse(text.encode())
    assert reader.items(root) == ()
    assert reader.channel(root).feed_url is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("3600", 3600),
        ("1:00:00", 3600),
        ("60:00", 3600),
        ("01:00:00", 3600),
        ("90:30", 5430),
        ("0", 0),
        ("3599.9", 3599),
        (" 12 ", 12),
        ("1:60:00", None),
        ("1:00:00:00", None),
        ("-5", None),
        ("1h", None),
        ("٣", None),
        ("9" * 30, None),
        ("", None),
    ],
)
def test_durations(text: str, seconds: int | None) -> None:
    assert only(f"<itunes:duration>{text}</itunes:duration>").duration == seconds


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("Mon, 01 Jan 2024 06:00:00 +0000", dt.datetime(2024, 1, 1, 6, tzinfo=dt.UTC)),
        ("Mon, 01 Jan 2024 08:00:00 +0200", dt.datetime(2024, 1, 1, 6, tzinfo=dt.UTC)),
        ("Mon, 01 Jan 2024 06:00:00 GMT", dt.datetime(2024, 1, 1, 6, tzinfo=dt.UTC)),
        ("Mon, 01 Jan 2024 01:00:00 EST", dt.datetime(2024, 1, 1, 6, tzinfo=dt.UTC)),
        ("1 Jan 2024 06:00", dt.datetime(2024, 1, 1, 6, tzinfo=dt.UTC)),
        ("2024-01-01T06:00:00Z", None),
        ("Mon, 32 Jan 2024 06:00:00 +0000", None),
        ("Fri, 31 Dec 9999 23:00:00 -2300", None),
        ("soon", None),
    ],
)
def test_dates(text: str, moment: dt.datetime | None) -> None:
    found = only(f"<pubDate>{text}</pubDate>")
    assert found.published == moment
    assert found.published_text == text


@given(st.text(alphabet="MonTueJanFeb0123456789 :,+-GMTZ()", max_size=40))
def test_no_date_raises(text: str) -> None:
    found = reader.moment(text)
    assert found is None or found.utcoffset() is not None


@given(st.text(alphabet="0123456789:.", max_size=20))
def test_a_clock_never_raises_and_is_never_negative(text: str) -> None:
    assert (reader.clock(text) or 0) >= 0


def test_an_item_is_known_by_its_guid_or_by_its_file() -> None:
    assert only('<guid>g</guid><enclosure url="u"/>').identity == "g"
    assert only('<enclosure url="u"/>').identity == "u"


def test_comments_and_instructions_do_not_cut_a_text() -> None:
    assert only("<title>a<!-- b -->c<?d e?>f</title>").title == "acf"


def test_markup_in_a_title_is_read_as_its_text() -> None:
    assert only("<title>a <b>bold</b> claim</title>").title == "a bold claim"
    assert only("<title><![CDATA[ a & b ]]></title>").title == "a & b"


def test_the_podcast_namespace_is_known_by_both_of_its_names() -> None:
    old = edited(("https://podcastindex.org/namespace/1.0", reader.FIRST_NAME_OF_PODCAST))
    assert reader.channel(reader.parse(old)).guid == CHANNEL.guid
    assert reader.items(reader.parse(old))[0].chapters_url == SECOND.chapters_url


def test_a_number_of_the_podcast_namespace_stands_in_for_apples() -> None:
    text = edited(("<itunes:episode>2</itunes:episode>", ""), ("<itunes:season>1</itunes:season>", ""))
    newer = reader.items(reader.parse(text))[0]
    assert (newer.season, newer.episode) == (1, 2)


@pytest.mark.parametrize(
    ("notes", "found"),
    [
        ("00:00 Start\n12:30 Middle\n1:02:03 End", ((0, "Start"), (750_000, "Middle"), (3_723_000, "End"))),
        ("(00:00) Start", ((0, "Start"),)),
        ("00:00 - Start", ((0, "Start"),)),
        ("<p>0:00 Start<br>1:00 Next</p>", ((0, "Start"), (60_000, "Next"))),
        ("<ul><li>00:10:00 <a href='https://a.example/'>Linked</a></li></ul>", ((600_000, "Linked"),)),
        ("<p>00:00 A &amp; B</p>", ((0, "A & B"),)),
        ("We met at 10:30 that day", ()),
        ("10:75 no time", ()),
        ("00:00", ()),
        ("1:2:3:4 nothing", ()),
    ],
)
def test_times_in_notes(notes: str, found: tuple[tuple[int, str], ...]) -> None:
    assert reader.timestamps(notes) == found


def test_the_notes_that_we_write_hold_our_chapters() -> None:
    assert reader.timestamps(FIRST.content) == tuple((one.start, one.title) for one in FIRST.chapters)


@pytest.mark.parametrize("notes", ["<" * 200_000, "<p" * 100_000, "0:" * 100_000, "(" * 100_000, "00:00 " + "-" * 100_000, "&" * 100_000])
def test_no_notes_keep_the_machine_busy(notes: str) -> None:
    started = time.process_time()
    reader.timestamps(notes)
    assert time.process_time() - started < 1


def test_where_a_site_has_a_plain_image_it_is_the_channels() -> None:
    text = BARE.format(f"<image><url>{SITE}/a.png</url></image>")
    assert reader.channel(reader.parse(text.encode())).image == f"{SITE}/a.png"
