from __future__ import annotations

import json
import re
import unicodedata
import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audio.chapters import ascii_url, check_list, clean, clock, marks, to_description, to_json, to_psc
from audio.errors import TagError
from audio.timeline import Chapter
from audio.units import FRAME, Samples, ms

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=40)
TITLES = ANY_TEXT.filter(clean)
PSC = "{http://podlove.org/simple-chapters}"


def chapter(slug: str, title: str, start: int, end: int, link: str | None = None) -> Chapter:
    return Chapter(slug, title, Samples(start), Samples(end), link)


def back_to_back(titles: list[str], lengths: list[int]) -> list[Chapter]:
    """Chapters of whole frames, ``lengths`` frames each."""
    ends = [sum(lengths[: i + 1]) * FRAME for i in range(len(lengths))]
    spans = zip(titles, [0, *ends], ends, strict=False)
    return [chapter(f"part-{i}", title, start, end) for i, (title, start, end) in enumerate(spans)]


LISTS = st.lists(st.tuples(TITLES, st.integers(1, 500_000)), min_size=1, max_size=40).map(
    lambda pairs: back_to_back([t for t, _ in pairs], [n for _, n in pairs])
)

THREE = [
    chapter("cold-open", 'Cold "Open" & <more>', 0, 144_000),
    chapter("logs", "Logs\x00\n\x1bRésumé \U0001f469\u200d\U0001f4bb", 144_000, 144_000 + 26 * FRAME, "https://example.org/é?a=1&b=2"),
    chapter("end", "שלום", 144_000 + 26 * FRAME, 48_000 * 3600),
]


def test_json_is_version_1_2_0_with_exact_seconds() -> None:
    document = to_json(THREE, title="T", author="A", podcast="P", image_urls={"end": "https://example.org/end.jpg"})
    assert document.decode() == (
        """{
  "version": "1.2.0",
  "title": "T",
  "author": "A",
  "podcastName": "P",
  "chapters": [
    {
      "startTime": 0,
      "endTime": 3,
      "title": "Cold \\"Open\\" & <more>"
    },
    {
      "startTime": 3,
      "endTime": 3.624,
      "title": "Logs Résumé \U0001f469\u200d\U0001f4bb",
      "url": "https://example.org/%C3%A9?a=1&b=2"
    },
    {
      "startTime": 3.624,
      "endTime": 3600,
      "title": "שלום",
      "img": "https://example.org/end.jpg"
    }
  ]
}
"""
    )


def test_simple_chapters_are_version_1_2_with_escaped_attributes() -> None:
    assert to_psc(THREE, image_urls={"end": "https://example.org/end.jpg"}).decode() == (
        "<?xml version='1.0' encoding='utf-8'?>\n"
        '<psc:chapters xmlns:psc="http://podlove.org/simple-chapters" version="1.2">\n'
        '  <psc:chapter start="00:00:00.000" title="Cold &quot;Open&quot; &amp; &lt;more&gt;" />\n'
        '  <psc:chapter start="00:00:03.000" title="Logs Résumé \U0001f469\u200d\U0001f4bb" '
        'href="https://example.org/%C3%A9?a=1&amp;b=2" />\n'
        '  <psc:chapter start="00:00:03.624" title="שלום" image="https://example.org/end.jpg" />\n'
        "</psc:chapters>\n"
    )


def test_description_lines_cut_parts_of_a_second() -> None:
    assert to_description(THREE) == ('00:00:00 Cold "Open" & <more>\n00:00:03 Logs Résumé \U0001f469\u200d\U0001f4bb\n00:00:03 שלום')


@settings(max_examples=40, deadline=None)
@given(LISTS)
def test_every_form_holds_the_same_titles_at_the_same_starts(chapters: list[Chapter]) -> None:
    expected = [(ms(c.start), clean(c.title)) for c in chapters]
    listed = json.loads(to_json(chapters))["chapters"]
    assert [(round(c["startTime"] * 1000), c["title"]) for c in listed] == expected
    assert [a["endTime"] for a in listed[:-1]] == [b["startTime"] for b in listed[1:]]

    elements = ET.fromstring(to_psc(chapters)).findall(f"{PSC}chapter")
    assert [(e.get("start"), e.get("title")) for e in elements] == [(clock(start), title) for start, title in expected]

    lines = to_description(chapters).split("\n")
    assert lines == [f"{clock(start)[:-4]} {title}" for start, title in expected]
    assert [(m.start, m.title) for m in marks(chapters)] == expected


@given(st.integers(1, 10**12))
def test_json_times_carry_no_float_noise(samples: int) -> None:
    text = to_json([chapter("a", "A", 0, samples + 48)]).decode()
    found = re.search(r'"endTime": (\d+)(?:\.(\d{1,3}))?,\n', text)
    assert found
    assert int(found[1]) * 1000 + int((found[2] or "0").ljust(3, "0")) == ms(samples + 48)


@given(ANY_TEXT, st.booleans())
def test_cleaned_text_fits_every_container_and_is_stable(text: str, lines: bool) -> None:
    cleaned = clean(text, lines=lines)
    cleaned.encode("utf-16")
    bad = [c for c in cleaned if unicodedata.category(c) in ("Cc", "Cs") and not (lines and c in "\n\t")]
    assert bad == []
    assert clean(cleaned, lines=lines) == cleaned


def test_cleaning_keeps_direction_marks_and_composed_emoji_but_not_control_characters() -> None:
    kept = "\u200f\u202bשם\u202c \U0001f3f3\ufe0f\u200d\U0001f308"
    assert clean(kept) == kept
    assert clean("\ufeffA\x00B\tC\r\n\u2028D\x7f\ud800") == "AB C D"
    assert clean("one\r\ntwo\u2028three\x07", lines=True) == "one\ntwo\nthree"


@pytest.mark.parametrize(
    ("url", "ascii_form"),
    [
        ("https://example.org/a b?q=ü#ß", "https://example.org/a%20b?q=%C3%BC#%C3%9F"),
        ("https://example.org/already%20done/100%", "https://example.org/already%20done/100%25"),
        ("http://bücher.example:8080/x", "http://xn--bcher-kva.example:8080/x"),
        ("https://example.org", "https://example.org"),
        ("https://[::1]:443/?a=[1]&b='2'", "https://[::1]:443/?a=[1]&b='2'"),
    ],
)
def test_a_link_becomes_ascii_once_and_stays(url: str, ascii_form: str) -> None:
    assert ascii_url(url) == ascii_form
    assert ascii_url(ascii_form) == ascii_form


@pytest.mark.parametrize("url", ["", "example.org", "https://", "javascript:alert(1)", "https:///path", "https://a b/", f"https://{'ü' * 70}.org"])
def test_what_is_not_a_web_address_is_refused(url: str) -> None:
    with pytest.raises(TagError, match="not a web address"):
        ascii_url(url)


@pytest.mark.parametrize(
    ("chapters", "complaint"),
    [
        ([chapter("a", "A", 1152, 48_000)], r"first chapter \(a\) starts at 00:00:00.024"),
        ([chapter("a", " \x00\n", 0, 48_000)], r"chapter 1 \(a\) has no title"),
        ([chapter("a", "A", 0, 48_000), chapter("a", "B", 48_000, 96_000)], "'a' is empty or taken"),
        ([chapter("", "A", 0, 48_000)], "'' is empty or taken"),
        ([chapter("a", "A", 0, 20)], "a ends at 00:00:00.000, not after its start"),
        (
            [chapter("a", "A", 0, 96_000), chapter("b", "B", 48_000, 144_000)],
            "b starts at 00:00:01.000; chapter a before it ends at 00:00:02.000",
        ),
        ([chapter("a", "A", 0, 48_000), chapter("b", "B", 48_000, 24_000)], "b ends at 00:00:00.500, not after"),
        (back_to_back(["T"] * 256, [42] * 256), "256 chapters"),
    ],
)
def test_a_list_that_apps_would_show_differently_is_refused(chapters: list[Chapter], complaint: str) -> None:
    for form in (check_list, marks, to_json, to_psc, to_description):
        with pytest.raises(TagError, match=complaint):
            form(chapters)


def test_255_chapters_and_none_at_all_are_lists() -> None:
    many = back_to_back(["Same title"] * 255, [42] * 255)
    assert len(json.loads(to_json(many))["chapters"]) == 255
    assert all(a.end == b.start for a, b in pairwise(marks(many)))
    assert json.loads(to_json([])) == {"version": "1.2.0", "chapters": []}
    assert to_description([]) == ""


def test_clock_counts_past_a_hundred_hours() -> None:
    assert [clock(t) for t in (0, 59_999, 3_600_000 * 3 + 61_007, 3_600_000 * 120)] == [
        "00:00:00.000",
        "00:00:59.999",
        "03:01:01.007",
        "120:00:00.000",
    ]
