"""Transcripts as programs write them, and what is said of those that cannot be read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from production.errors import ConfigError
from production.site.transcript import Paragraph, read

VTT = """WEBVTT - of something

STYLE
::cue { color: red }

NOTE nobody says this

1
00:00.500 --> 00:02.000 align:start position:0%
<v.loud Ada Lovelace>One &amp; <i>two</i></v>

00:00:02.000 --> 00:00:04.000
<00:00:02.500><c>three.</c>

01:02:03.250 --> 01:02:04.000
<v Grace>Four
five.
"""
SRT = "1\r\n00:00:00,500 --> 00:00:02,000\r\n{\\an8}One <b>two</b>\r\n\r\n2\r\n01:02:03,250 --> 01:02:04,000\r\nFour.\r\n"


def paragraphs(name: str, text: str, marks: tuple[float, ...] = ()) -> tuple[Paragraph, ...]:
    return read(Path(name), text.encode(), marks).paragraphs


def problems(name: str, text: str | bytes) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        read(Path(name), text if isinstance(text, bytes) else text.encode())
    return [f"{one.location}: {one.message}" for one in raised.value.problems]


def test_webvtt_is_read_with_its_times_and_voices() -> None:
    assert paragraphs("a.vtt", VTT) == (Paragraph("One & two three.", 0.5, "Ada Lovelace"), Paragraph("Four five.", 3723.25, "Grace"))


def test_srt_is_read_with_its_times() -> None:
    assert paragraphs("a.SRT", SRT) == (Paragraph("One two", 0.5), Paragraph("Four.", 3723.25))


def test_json_is_read_even_when_every_word_is_a_segment() -> None:
    segments = [
        {"startTime": at / 10, "endTime": (at + 1) / 10, "body": word, "speaker": "Ada"} for at, word in enumerate(["a", "fact", "is", "a", "fact."])
    ]
    text = json.dumps({"version": "1.0.0", "segments": [*segments, {"startTime": 9, "endTime": 9.5, "body": "So?", "speaker": "Grace"}]})
    assert paragraphs("a.json", text) == (Paragraph("a fact is a fact.", 0.0, "Ada"), Paragraph("So?", 9.0, "Grace"))


def test_text_keeps_its_paragraphs_and_html_nothing_that_acts() -> None:
    assert paragraphs("a.txt", "One\ntwo.\n\n\nThree.") == (Paragraph("One two."), Paragraph("Three."))
    found = read(Path("a.html"), b"<cite>Ada</cite><p onclick='x()'>Hello <script>alert(1)</script><a href='javascript:x'>you</a></p>").html
    assert "<p>Hello" in found
    assert not [one for one in ("script", "onclick", "alert") if one in found]


def test_a_paragraph_ends_with_a_sentence_or_a_chapter_and_before_it_is_too_long() -> None:
    cue = "\n\n00:{:02}:{:02}.000 --> 00:59:59.000\n{}"
    sentences = "WEBVTT" + "".join(cue.format(at // 60, at % 60, "It is so.") for at in range(0, 120, 10))
    assert [one.start for one in paragraphs("a.vtt", sentences)] == [0, 40, 80]
    assert [one.start for one in paragraphs("a.vtt", sentences, (0, 30))] == [0, 30, 70, 110]
    endless = "WEBVTT" + "".join(cue.format(at // 60, at % 60, "and") for at in range(0, 240, 10))
    assert [one.start for one in paragraphs("a.vtt", endless)] == [0, 100, 200]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.vtt", "WEBVTT\n\n00:00:01.000 -> 00:00:02.000\nHello", "a.vtt:3:1: transcript: a time was expected: from --> to"),
        ("a.vtt", "WEBVTT\n\none\n00:0x:01.000 --> 00:00:02.000\nHello", "a.vtt:4:1: transcript: is no time of a cue"),
        ("a.srt", "", "a.srt:1:1: transcript: holds nothing that is said"),
        ("a.json", '{"segments": [\n{"startTime": 1,}]}', "a.json:2:17: transcript: Illegal trailing comma|Expecting property name"),
        ("a.json", "[]", "a.json:1:1: transcript: is no JSON object"),
        ("a.json", '{"segments": [\n{"startTime": "1", "body": "x"}]}', "a.json:2:1: transcript: this segment does not say from when to when"),
        ("a.json", '{"segments": ' + "[" * 100_000, "a.json:1:1: transcript: is nested too deep"),
        ("a.txt", b"one\n\xff", "a.txt:2:1: transcript: is not in UTF-8"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_place(name: str, text: str | bytes, said: str) -> None:
    (found,) = problems(name, text)
    place, _, message = said.rpartition("transcript: ")
    assert any(one in found for one in message.split("|"))
    # Versions of Python differ in the column of a comma.
    assert found.startswith(place) or "comma" in message
