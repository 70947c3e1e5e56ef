"""Show notes come out as they were meant, and hostile ones come out harmless."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.model import Chapter
from feeds.notes import MOST_BYTES, SCHEMES, TAGS, NotesTooLong, paragraph, rendered, with_chapters

HOSTILE = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=https://evil.example/x.js></SCRIPT>",
    "<img src=x onerror=alert(1)>",
    "<a href='javascript:alert(1)'>x</a>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:msgbox)",
    "<javascript:alert(1)>",
    '[x](https://a.example "t\\" onmouseover=\\"alert(1)")',
    "![x](javascript:alert(1))",
    '![x" onerror="alert(1)](https://a.example/p.png)',
    "<svg/onload=alert(1)>",
    "<iframe src=https://evil.example>",
    "<style>*{display:none}</style>",
    "<div><p><b onclick=alert(1)>nested</b></p></div>",
    "]]><script>alert(1)</script><![CDATA[",
    "<!-- <script> -->",
    "`<script>`",
    "```html\n<script>alert(1)</script>\n```",
    "[x]: javascript:alert(1)\n\n[x]",
    "<math><mi//xlink:href='data:x,<script>alert(1)</script>'>",
    "<<script>script>alert(1)<</script>/script>",
    "\x00<\x00script>",
]


class _Found(HTMLParser):
    """The tags and attributes that a browser would see."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, list[tuple[str, str | None]]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, attrs))


def seen(html: str) -> list[tuple[str, list[tuple[str, str | None]]]]:
    parser = _Found()
    parser.feed(html)
    parser.close()
    return parser.tags


def assert_harmless(html: str) -> None:
    for tag, attributes in seen(html):
        assert tag in TAGS
        for name, value in attributes:
            assert (tag, name) in {("a", "href"), ("a", "rel")}
            if name == "href":
                assert re.match(r"[a-z]+:|[^:]*$", value or "")
                assert ":" not in (value or "") or (value or "").split(":")[0] in SCHEMES


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_notes_come_out_harmless(text: str) -> None:
    assert_harmless(rendered(text))
    assert_harmless(rendered(f"before\n\n{text}\n\nafter"))
    assert "after" in rendered(f"before\n\n{text}\n\nafter")


@given(st.text(max_size=400) | st.lists(st.sampled_from(HOSTILE)).map(" ".join))
def test_whatever_is_written_comes_out_harmless(text: str) -> None:
    assert_harmless(rendered(text))


def test_what_people_write_comes_out_as_they_meant_it() -> None:
    text = "# Links\n\n- [Raft](https://raft.github.io/?a=1&b=2)\n- *Paxos* & **Zab**\n\n1. `x < y`\n\n> quoted\n\n![a picture](https://a.example/p.png)\n"
    assert rendered(text).replace("\n", "") == (
        '<h2>Links</h2><ul><li><a href="https://raft.github.io/?a=1&amp;b=2" rel="noopener nofollow">Raft</a></li>'
        "<li><em>Paxos</em> &amp; <strong>Zab</strong></li></ul><ol><li><code>x &lt; y</code></li></ol>"
        "<blockquote><p>quoted</p></blockquote><p>a picture</p>"
    )
    assert rendered("") == rendered(" \n ") == ""


def test_the_words_of_the_writer_are_never_lost() -> None:
    assert "alert(1)" in rendered("say `alert(1)` twice")
    assert "مرحبا" in rendered("**مرحبا** 👩‍💻")
    assert paragraph("a < b & c") == "<p>a &lt; b &amp; c</p>"


def test_notes_that_are_no_notes_are_refused() -> None:
    assert rendered("x" * MOST_BYTES)
    with pytest.raises(NotesTooLong, match="50001 bytes"):
        rendered("x" * (MOST_BYTES + 1))


def test_chapters_stand_under_the_notes_with_their_times() -> None:
    chapters = [Chapter(0, "Cold <Open>"), Chapter(3_723_999, "R&D", "https://a.example/?a=1&b=2"), Chapter(4_000_000, "x", "javascript:alert(1)")]
    assert with_chapters("<p>n</p>", chapters) == (
        "<p>n</p>\n<p>Chapters</p>\n<ul><li>00:00:00 Cold &lt;Open&gt;</li>"
        '<li>01:02:03 <a href="https://a.example/?a=1&amp;b=2">R&amp;D</a></li><li>01:06:40 x</li></ul>'
    )
    assert with_chapters("<p>n</p>", []) == "<p>n</p>"
