"""Transcripts of every kind: as programs write them, as people edit them, and as nobody should have written them; and through an edit to what apps
read.
"""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from audio import cues, subtitles
from audio.cues import Cue, Word, read
from audio.editmap import edited
from audio.errors import TextUnreadable
from audio.units import RATE, Samples
from production import files
from tests.audio import cued

Said = tuple[float, float, str, str]


def said(name: str, text: str) -> list[Said]:
    return [(one.start / RATE, one.end / RATE, one.text, one.speaker) for one in read(name, text.encode())]


def cue(start: float, end: float, text: str, speaker: str = "", words: tuple[Word, ...] = ()) -> Cue:
    return Cue(Samples(round(start * RATE)), Samples(round(end * RATE)), text, speaker, words)


# -- as they are written -----------------------------------------------------------------------------------------------------------------

VTT = """\
WEBVTT - by hand
Kind: captions

STYLE
::cue { color: red }

NOTE
not this

REGION
id:fred

intro
00:01.500 --> 00:00:03.000 align:start position:10%
<v.loud Ann Lee>Hello <i>there</i> &amp; <00:00:02.000>good day
<v Bob>Hi

00:00:04,000-->00:00:05.000
- and <c.yellow>more</c>
on two lines

01:02:03.004 --> 01:02:04.005

00:06.000 --> 00:07.000
last
"""
SRT = (
    "\ufeff1\r\n00:00:01,500 --> 00:00:03,000\r\n<i>Hello</i> {\\an8}there\r\non two lines\r\n\r\n\r\n"
    "00:00:04.000 --> 00:00:05.25\r\nno number\r\n3\r\n00:01:06,000 --> 00:01:07,000 X1:1\r\nno empty line before it\r\n\r\n4\r\n"
)
PODCAST = json.dumps(
    {
        "version": "1.0.0",
        "segments": [{"speaker": "Ann", "startTime": 0.5, "endTime": 0.75, "body": "And"}, {"startTime": 1, "endTime": 2, "body": " "}],
    }
)
WHISPER = json.dumps(
    {
        "text": "So it is",
        "segments": [
            {
                "id": 0,
                "seek": 0,
                "start": 0.0,
                "end": 1.5,
                "text": " So it is",
                "tokens": [1],
                "words": [{"word": " So", "start": 0.0, "end": 0.5}, {"word": " it is", "start": 0.5, "end": 1.5}],
            }
        ],
        "language": "en",
    }
)
CPP = json.dumps({"transcription": [{"timestamps": {"from": "00:00:01,000"}, "offsets": {"from": 1000, "to": 2040}, "text": " Now"}]})


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        (
            "a.vtt",
            VTT,
            [(1.5, 3, "Hello there & good day", "Ann Lee"), (1.5, 3, "Hi", "Bob"), (4, 5, "- and more\non two lines", ""), (6, 7, "last", "")],
        ),
        ("a.SRT", SRT, [(1.5, 3, "Hello there\non two lines", ""), (4, 5.25, "no number", ""), (66, 67, "no empty line before it", "")]),
        ("a.json", PODCAST, [(0.5, 0.75, "And", "Ann")]),
        ("a.json", WHISPER, [(0, 1.5, "So it is", "")]),
        ("a.json", CPP, [(1, 2.04, "Now", "")]),
        ("a.vtt", "WEBVTT", []),
        ("a.srt", "", []),
    ],
)
def test_what_programs_write_is_read(name: str, text: str, wanted: list[Said]) -> None:
    assert said(name, text) == wanted


def test_the_names_that_a_config_may_say_are_those_that_are_read() -> None:
    assert files.SPOKEN == cues.SUFFIXES
    with pytest.raises(ValueError, match="no transcript"):
        read("a.html", b"")


@pytest.mark.parametrize(
    ("name", "text", "where", "why"),
    [
        ("a.vtt", "1\n00:01.000 --> 00:02.000\nx", (1, 1), "is no WebVTT"),
        ("a.vtt", "WEBVTT\n\n00:01.000 --> soon\nx", (3, 1), "is no time"),
        ("a.vtt", "WEBVTT\n\n00:05.000 --> 00:02.000\nx", (3, 1), "ends before it starts"),
        ("a.vtt", "WEBVTT\n\n00:01.000 --> 00:02.000\nx\n\nstray words\n", (6, 1), "a time was expected"),
        ("a.srt", "1\n00:00:01,000 -> 00:00:02,000\nx\n", (1, 1), "a time was expected"),
        ("a.srt", "one\ntwo\n00:00:01,000 --> 00:00:02,000\nx\n", (1, 1), "a time was expected"),
        ("a.json", '{"segments": [\n {"startTime": 1, "endTime": "2", "body": "x"}]}', (2, 2), "from when to when"),
        ("a.json", '{"segments": [{"start": 2, "end": 1, "text": "x"}]}', (1, 15), "ends before it starts"),
        ("a.json", '{"transcription": [{"offsets": 7, "text": "x"}]}', (1, 20), "from when to when"),
        ("a.json", '{"segments": [3]}', (1, 15), "no segment"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_place(name: str, text: str, where: tuple[int, int], why: str) -> None:
    with pytest.raises(TextUnreadable) as caught:
        read(name, text.encode())
    assert why in caught.value.why
    assert (caught.value.line, caught.value.column) == where


def test_a_flood_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cues, "MOST", 100)
    with pytest.raises(TextUnreadable, match="more than 100 cues"):
        read("a.srt", b"00:00:01,000 --> 00:00:02,000\nx\n\n" * 101)


_PARTS = """WEBVTT 00:01.000 --> 00:00:02,000 99:99 <v_Ann> <v> < > &amp; &#0; NOTE STYLE 7 {"segments": {"transcription": [ ] { } "start": "end":
 "words": 1e400 -1 true , "offsets": "from":"""
_pieces = st.sampled_from([*(part.replace("_", " ") for part in _PARTS.split()), "\n", "\n\n", "\r\n", " --> ", "\0"])


@pytest.mark.parametrize(("name", "head"), [("a.vtt", "WEBVTT\n\n"), ("a.srt", ""), ("a.json", '{"segments":[')])
@given(text=st.lists(_pieces | st.text(max_size=6), max_size=25).map("".join), raw=st.none() | st.binary(max_size=60))
@settings(max_examples=80)
@example(text="", raw=b"\xff\xfe\n")
def test_no_file_crashes_a_reader(name: str, head: str, text: str, raw: bytes | None) -> None:
    data = (head + text).encode() if raw is None else raw
    try:
        found = read(name, data)
    except TextUnreadable as error:
        cued.is_in(error, data)
    else:
        assert all(one.text and 0 <= one.start <= one.end for one in found)
        # and whatever was read can be written, and read again
        for suffix, written in subtitles.files(found).items():
            read(f"a{suffix}", written)


# -- through an edit ---------------------------------------------------------------------------------------------------------------------

# Seconds 2 to 3 and 5 to 6 are cut out; of what is left, [1, 8) is placed at 100.
EDIT = edited(1 * RATE, 8 * RATE, [(Samples(2 * RATE), Samples(3 * RATE)), (Samples(5 * RATE), Samples(6 * RATE))], 100 * RATE)


@pytest.mark.parametrize(
    ("start", "end", "wanted"),
    [
        (1, 2, (100, 101)),
        (0, 1.5, (100, 100.5)),
        (3.25, 4.75, (101.25, 102.75)),
        # across a cut it goes on over it, into one it ends there, in one it is gone
        (1.5, 3.5, (100.5, 101.5)),
        (1.5, 2.5, (100.5, 101)),
        (2.5, 3.5, (101, 101.5)),
        (2.25, 2.75, None),
        (0, 1, None),
        (9, 20, (106, 107)),
        (10, 20, None),
        (4, 4, None),
        # less than a millisecond of it is left
        (0, 1.0003, None),
    ],
)
def test_a_cue_goes_where_its_words_went(start: float, end: float, wanted: tuple[float, float] | None) -> None:
    found = subtitles.retimed([cue(start, end, "x")], EDIT)
    assert [(one.start / RATE, one.end / RATE) for one in found.cues] == ([wanted] if wanted else [])
    assert found.dropped == (wanted is None)
    assert found.clipped == (wanted is not None and wanted[1] - wanted[0] != end - start)


def test_of_a_clipped_cue_the_words_that_are_left_are_kept_where_they_are_known() -> None:
    def words(space: str) -> tuple[Word, ...]:
        said = ((1.5, 1.75, "one"), (1.75, 2.5, "two"), (2.5, 2.75, "three"), (3, 3.5, "four"))
        return tuple(Word(space + text, Samples(round(start * RATE)), Samples(round(end * RATE))) for start, end, text in said)

    for space in (" ", ""):
        (found,) = subtitles.retimed([cue(1.5, 3.5, "one two three four", words=words(space))], EDIT).cues
        assert found.text == "one four"
    (whole,) = subtitles.retimed([cue(3.25, 3.5, "As it was", words=words(" "))], EDIT).cues
    assert whole.text == "As it was"


def test_who_speaks_is_said_by_the_cue_or_else_by_the_section() -> None:
    found = subtitles.retimed([cue(3, 4, "x"), cue(4, 5, "y", "Ann")], EDIT, "Bob")
    assert [one.speaker for one in found.cues] == ["Bob", "Ann"]


def test_sections_are_joined_by_time() -> None:
    a, b, c = cue(1, 3, "a"), cue(2, 3, "b"), cue(1, 2, "c")
    assert subtitles.joined([[a, b], [c]]) == (c, a, b)


SPOKEN = (
    cue(0.25, 1.5, "A <b> & --> c", "Ann & Co"),
    cue(2, 3.0004, "two\nlines", "Ann & Co"),
    cue(3723.004, 3724, "nobody"),
    cue(3724, 3725, "x", "Bo"),
)


def test_each_form_is_written_as_its_standard_has_it() -> None:
    found = subtitles.files(SPOKEN)
    assert list(found) == [".vtt", ".srt", ".transcript.json"]
    assert found[".vtt"].decode() == (
        "WEBVTT\n\n00:00:00.250 --> 00:00:01.500\n<v Ann &amp; Co>A &lt;b&gt; &amp; --&gt; c\n\n00:00:02.000 --> 00:00:03.000\n"
        "<v Ann &amp; Co>two\nlines\n\n01:02:03.004 --> 01:02:04.000\nnobody\n\n01:02:04.000 --> 01:02:05.000\n<v Bo>x\n"
    )
    assert found[".srt"].decode() == (
        "1\n00:00:00,250 --> 00:00:01,500\nAnn & Co: A <b> & -> c\n\n2\n00:00:02,000 --> 00:00:03,000\ntwo\nlines\n\n"
        "3\n01:02:03,004 --> 01:02:04,000\nnobody\n\n4\n01:02:04,000 --> 01:02:05,000\nBo: x\n"
    )
    assert json.loads(found[".transcript.json"]) == {
        "version": "1.0.0",
        "segments": [
            {"speaker": "Ann & Co", "startTime": 0.25, "endTime": 1.5, "body": "A <b> & --> c"},
            {"speaker": "Ann & Co", "startTime": 2, "endTime": 3, "body": "two\nlines"},
            {"startTime": 3723.004, "endTime": 3724, "body": "nobody"},
            {"speaker": "Bo", "startTime": 3724, "endTime": 3725, "body": "x"},
        ],
    }


def test_webvtt_and_json_are_read_back_as_they_were() -> None:
    whole = [Cue(one.start, Samples(one.end // 48 * 48), one.text, one.speaker) for one in SPOKEN]
    assert list(read("a.vtt", subtitles.to_vtt(SPOKEN))) == whole
    assert list(read("a.json", subtitles.to_json(SPOKEN))) == whole
