"""Markers of every editor: as they export them, as people edit them, and as nobody should have written them."""

from __future__ import annotations

import codecs
import json
import struct
from pathlib import Path

import mutagen.id3
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from audio import embedded, markers
from audio.errors import TextUnreadable
from audio.marker import MOST, Marker
from audio.markers import read
from audio.units import RATE, Samples
from production import files
from tests.audio import cued

At = tuple[str, float, float | None]


def said(name: str, text: str, rate: int | None = RATE) -> list[At]:
    return [(one.title, one.start / RATE, None if one.end is None else one.end / RATE) for one in read(name, text.encode(), rate)]


# -- as they are exported ---------------------------------------------------------------------------------------------------------------

AUDACITY = "1.000000\t1.000000\tOne\n2.150000\t3,5\tTwo, a stretch\r\n\\\t-1.000000\t6334.588867\n4\t4\n5.5\tAs 1.2 wrote it\n\n"
REAPER = (
    '#,Name,Start,End,Length,Color\nM1,"One, two",0:01.500,,,FF0000\nR1,Part,1:02:03.25,1:02:04.000,0:00.750,\nM2,,12.5,,,\nM3,Hours,00:01:00,,,\n'
)
AUDITION = (
    "\ufeffName\tStart\tDuration\tTime Format\tType\tDescription\r\n"
    'Marker 01\t0:05.960\t0:00.000\tdecimal\tCue\t\r\nA "quoted one\t1:44:53.111\t0:02.500\tdecimal\tCue\tx\r\n'
)
CHAPTERS = json.dumps(
    {
        "version": "1.2.0",
        "title": "chapters",
        "chapters": [
            {"startTime": 0, "title": "Start", "url": "https://a.example/ü"},
            {"startTime": 4, "title": "Picture", "toc": False},
            {"startTime": 12.25, "endTime": 20, "title": "Two", "url": "nowhere"},
        ],
    }
)
PODLOVE = """<?xml version="1.0"?>
<rss xmlns:psc="http://podlove.org/simple-chapters"><psc:chapters version="1.2">
<psc:chapter start="0" title="Start &amp; go" href="https://a.example/"/><psc:chapter start="00:01:02.345" title=""/></psc:chapters></rss>"""


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("a.txt", AUDACITY, [("One", 1, None), ("Two, a stretch", 2.15, 3.5), ("Marker 3", 4, None), ("As 1.2 wrote it", 5.5, None)]),
        ("a.csv", REAPER, [("One, two", 1.5, None), ("Part", 3723.25, 3724), ("Marker 3", 12.5, None), ("Hours", 60, None)]),
        ("a.csv", AUDITION, [("Marker 01", 5.96, None), ('A "quoted one', 6293.111, 6295.611)]),
        ("a.CHAPTERS.json", CHAPTERS, [("Start", 0, None), ("Two", 12.25, 20)]),
        ("a.psc.xml", PODLOVE, [("Start & go", 0, None), ("Marker 2", 62.345, None)]),
        ("a.txt", "", []),
        ("a.csv", "\n\n", []),
        ("a.json", '{"chapters": [ ]}', []),
    ],
)
def test_what_an_editor_exports_is_read(name: str, text: str, wanted: list[At]) -> None:
    assert said(name, text) == wanted


def test_links_that_can_stand_in_a_chapter_are_kept() -> None:
    assert [one.link for one in read("a.json", CHAPTERS.encode())] == ["https://a.example/%C3%BC", None]
    assert [one.link for one in read("a.psc", PODLOVE.encode())] == ["https://a.example/", None]


def test_samples_are_those_of_the_recording() -> None:
    sheet = "#,Name,Start,End,Length\nR1,One,44100,66150,22050\n"
    assert said("a.csv", sheet, 44_100) == [("One", 1, 1.5)]
    with pytest.raises(TextUnreadable, match="rate is not known"):
        said("a.csv", sheet, None)


def test_utf_16_is_read_where_it_says_so() -> None:
    assert [one.title for one in read("a.txt", "1\t1\tÜber\n".encode("utf-16"))] == ["Über"]


def test_the_names_that_a_config_may_say_are_those_that_are_read() -> None:
    assert files.MARKERS == markers.ENDINGS
    with pytest.raises(ValueError, match="no file of markers"):
        read("a.doc", b"")


@pytest.mark.parametrize(
    ("text", "so"), [("1.5\t2\tx", True), ("\n 1,5\tx", True), ("Ask Ann about 3\tapples", False), ("", False), ("1. First", False)]
)
def test_notes_are_told_from_labels(text: str, so: bool) -> None:
    assert markers.looks_like_labels(text.encode()) is so


# -- what cannot be read ----------------------------------------------------------------------------------------------------------------

LAUGHS = '<!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;&b;">]>\n<chapters><chapter start="0" title="&c;"/></chapters>'


@pytest.mark.parametrize(
    ("name", "text", "where", "why"),
    [
        ("a.txt", "1\t2\tx\nsoon\t2\tx\n", (2, 1), "'soon' is no time"),
        ("a.txt", "1\tlater\tx\n", (1, 3), "'later' is no time"),
        ("a.txt", "5\t2\tx\n", (1, 3), "ends before it starts"),
        ("a.csv", "Title,Start\nx,1.0\n", (1, 1), "no list of markers"),
        ("a.csv", "#,Name,Start,End,Length\nM1,x,1.1.00,,\n", (2, 1), "counts bars"),
        ("a.csv", "#,Name,Start,End,Length\nM1,x,00:00:05:00,,\n", (2, 1), "frames of a picture"),
        ("a.csv", '#,Name,Start,End,Length\nM1,"a\nb",1.0,,\nM2,x,soon,,\n', (4, 1), "'soon' is no time"),
        ("a.csv", "#,Name,Start,End,Length\nM1,x\n", (2, 1), "'' is no time"),
        ("a.json", '{"chapters": [\n  {"startTime": 0},\n  {"startTime": "1"}]}', (3, 3), "no startTime"),
        ("a.json", '{"chapters": [\n {"startTime": NaN}]}', (2, 2), "no startTime"),
        ("a.json", '{"chapters": [7]}', (1, 15), "is no chapter"),
        ("a.json", '{"chapters": [{"startTime": 0}', (1, 31), "',' or ']'"),
        ("a.json", '{"chapters": [{"startTime": 0}]', (1, 32), "',' or '}'"),
        ("a.json", '{"chapters": []} x', (1, 18), "follows its end"),
        ("a.json", "[]", (1, 1), "no JSON object"),
        ("a.json", '{"version": 1}', (1, 1), "no list called chapters"),
        ("a.json", '{"chapters": ' + "[" * 100_000, (1, 1), "nested too deep"),
        ("a.json", '{"n": ' + "1" * 5000 + "}", (1, 1), "number that is too long"),
        ("a.psc.xml", "<chapters><chapter start='x'/></chapters>", (1, 1), "no time: 'x'"),
        ("a.psc.xml", "<chapters>\n<chapter", (2, 9), "is no XML"),
        ("a.psc.xml", LAUGHS, (1, 1), "document type"),
        ("a.psc.xml", "", (1, 1), "is no XML"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_place(name: str, text: str, where: tuple[int, int], why: str) -> None:
    with pytest.raises(TextUnreadable) as caught:
        read(name, text.encode(), RATE)
    assert why in caught.value.why
    assert (caught.value.line, caught.value.column) == where


def test_every_one_of_many_chapters_has_its_place() -> None:
    # As many as are taken, in less than a second: to count the lines anew for each would take minutes.
    many = "".join(f'  {{"startTime": {at},\n   "title": "x"}},\n' for at in range(MOST - 1))
    found = read("a.json", f'{{"chapters": [\n{many}  {{"startTime": {MOST}}}]}}'.encode())
    assert [one.line for one in found] == [2 + 2 * at for at in range(MOST)]


@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
def test_another_encoding_is_refused_where_it_shows(mark: bytes) -> None:
    with pytest.raises(TextUnreadable, match="UTF-8: byte 0xfc") as caught:
        read("a.txt", mark + "1\t1\tok\n2\t2\tf\xfcr\n".encode("latin-1"))
    assert (caught.value.line, caught.value.column) == (2, 6)


def test_floods_are_refused() -> None:
    with pytest.raises(TextUnreadable, match="more than 10,000 markers"):
        read("a.txt", b"1\t1\tx\n" * (MOST + 1))
    with pytest.raises(TextUnreadable, match="is larger than"):
        read("a.txt", b"1\t1\tx\n" * 800_000)


# -- whatever is in them ----------------------------------------------------------------------------------------------------------------

_PARTS = r"""1 1.5 0:01.5 99:99:99 -1 1e9 , " \\ #,Name,Start,End,Length Name\tStart\tDuration é {"chapters": [ ] { } "startTime": "title":
 NaN null <chapters> <chapter start=' title=' '/> </chapters> &a;"""
_words = st.sampled_from([*_PARTS.replace("\\t", "\t").replace("\n", "").split(" "), "\t", "\n", "\r", "\0"])
_texts = st.lists(_words | st.text(max_size=8), max_size=25).map("".join)


@pytest.mark.parametrize("name", ["a.txt", "a.csv", "a.json", "a.xml"])
@given(data=_texts.map(str.encode) | st.binary(max_size=60))
@settings(max_examples=60)
@example(data=b"\xff\xfe\n")
def test_no_file_crashes_a_reader(name: str, data: bytes) -> None:
    try:
        found = read(name, data, 44_100)
    except TextUnreadable as error:
        cued.is_in(error, data)
    else:
        assert all(one.title and one.start >= 0 and (one.end is None or one.end > one.start) for one in found)


# -- inside recordings ------------------------------------------------------------------------------------------------------------------

CUES = [(0, "Start", 0), (44_100, "Zwei ü", 22_050), (20_000, "", 0)]


@pytest.mark.parametrize("rf64", [False, True])
def test_cue_points_are_read_with_labels_and_lengths(tmp_path: Path, rf64: bool) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(cued.wav(np.zeros(50_001), 44_100, CUES, rf64=rf64))
    rate, found = embedded.wav(path)
    assert rate == 44_100
    third = Samples(round(20_000 * RATE / 44_100))
    assert found == (Marker("Start", Samples(0)), Marker("Marker 2", third), Marker("Zwei ü", Samples(RATE), Samples(RATE * 3 // 2)))


def test_a_loop_that_begins_at_a_cue_is_its_stretch(tmp_path: Path) -> None:
    loops = struct.pack("<9I", *[0] * 7, 1, 0) + struct.pack("<6I", 1, 0, 48_000, 96_000, 0, 0)
    path = tmp_path / "a.wav"
    path.write_bytes(cued.wav(np.zeros(4), RATE, [(48_000, "Region", 0)]) + cued.chunk(b"smpl", loops))
    assert embedded.wav(path)[1] == (Marker("Region", Samples(48_000), Samples(96_000)),)


def test_other_files_hold_none(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    path.write_bytes(b"fLaC" + bytes(40))
    assert embedded.wav(path) == (None, ())
    assert embedded.tag(path) == b""


def test_chapters_of_an_mp3_are_read(tmp_path: Path) -> None:
    tag = mutagen.id3.ID3()
    for n, (start, title) in enumerate([(2500, "Two"), (0, "One")]):
        sub = [mutagen.id3.TIT2(encoding=1, text=title)]
        tag.add(mutagen.id3.CHAP(element_id=f"c{n}", start_time=start, end_time=start + 1, start_offset=0, end_offset=0, sub_frames=sub))
    path = tmp_path / "a.mp3"
    path.write_bytes(b"")
    tag.save(path)
    raw = embedded.tag(path)
    assert embedded.chapters(raw) == (Marker("One", Samples(0)), Marker("Two", Samples(120_000)))
    # cut off, it says nothing
    path.write_bytes(raw[:40])
    assert embedded.tag(path) == b""


_wav = cued.wav(np.zeros(10), 44_100, CUES)
_edits = st.lists(st.tuples(st.integers(0, len(_wav) - 1), st.integers(0, 255)), max_size=6)


@given(edits=_edits, end=st.integers(0, len(_wav)))
@settings(max_examples=150)
@example(edits=[], end=len(_wav))
def test_no_damage_to_a_wav_crashes_its_reader(tmp_path_factory: pytest.TempPathFactory, edits: list[tuple[int, int]], end: int) -> None:
    data = bytearray(_wav)
    for at, value in edits:
        data[at] = value
    path = tmp_path_factory.getbasetemp() / "damaged.wav"
    path.write_bytes(data[:end])
    rate, found = embedded.wav(path)
    assert rate is None or rate > 0
    assert all(one.start >= 0 and one.title for one in found)


_tag = (lambda tag: b"ID3\3\0\0" + bytes([0, 0, len(tag) >> 7, len(tag) & 127]) + tag)(
    b"CHAP\0\0\0\x2f\0\0a\0" + struct.pack(">IIII", 5, 9, 0, 0) + b"TIT2\0\0\0\x07\0\0\x01\xff\xfeO\0k\0" + b"WXXX\0\0\0\2\0\0\0\0"
)


@given(edits=st.lists(st.tuples(st.integers(10, len(_tag) - 1), st.integers(0, 255)), max_size=6))
@settings(max_examples=100)
def test_no_damage_to_a_tag_crashes_its_reader(edits: list[tuple[int, int]]) -> None:
    data = bytearray(_tag)
    for at, value in edits:
        data[at] = value
    assert all(one.start >= 0 and one.title for one in embedded.chapters(bytes(data)))
