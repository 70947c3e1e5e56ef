"""What is said about a recording: which file says it, what is a cut, and where it cannot be read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audio.cues import Cue, Word
from audio.editmap import Stretch
from audio.measure import Cut
from audio.units import RATE, Samples
from production import beside as module
from production import inputs
from production.beside import Beside, beside
from production.errors import ConfigError
from production.model import Location, Project, Section
from production.store import Store
from tests.audio import cued
from tests.production.test_feed import SHOW
from tests.production.test_inputs import SERIES, of
from tests.production.test_plan import section


def seconds(*values: float) -> tuple[Samples, ...]:
    return tuple(Samples(round(value * RATE)) for value in values)


class Folder:
    """A project of one section and its recording."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.recordings = root / "recordings" / "episode-14"
        self.recordings.mkdir(parents=True)
        self.store = Store(root / "store")
        self.write("a.wav", cued.wav(np.zeros(9), 44_100, [(44_100, "Inside", 0), (88_200, "cut", 44_100)]))

    def write(self, name: str, data: bytes | str) -> Path:
        path = self.recordings / name
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return path

    def project(self, one: Section) -> Project:
        places = {"episode-14": {("sections", 0, "cut", n): Location(Path("e.yaml"), 10 + n, 5) for n in range(len(one.cut))}}
        return Project(self.root, SHOW, (SERIES,), (of(one),), places)

    def said(self, recording: str = "a.wav", **keys: Any) -> Beside:
        one = section("a", **keys)
        return beside(self.project(one), of(one), 0, self.recordings / recording, self.store)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def titles(found: Beside) -> tuple[str, list[str]]:
    return found.source, [one.title for one in found.markers]


def cuts(found: Beside) -> tuple[Stretch, ...]:
    return found.stretches


def test_a_file_beside_the_recording_comes_before_what_is_in_it(folder: Folder) -> None:
    assert titles(folder.said()) == ("embedded", ["Inside"])
    assert cuts(folder.said()) == (seconds(2, 3),)
    folder.write("a.psc.xml", "<c><chapter start='1' title='Podlove'/></c>")
    assert titles(folder.said()) == ("a.psc.xml", ["Podlove"])
    assert folder.said().cuts == ()
    folder.write("a.chapters.json", '{"chapters": [{"startTime": 1, "title": "JSON"}]}')
    assert titles(folder.said()) == ("a.chapters.json", ["JSON"])
    folder.write("a.csv", "#,Name,Start,End,Length\nM1,Reaper,44100,,\n")
    assert titles(folder.said()) == ("a.csv", ["Reaper"])
    # samples of a recording at its own rate
    assert folder.said().markers[0].start == RATE
    folder.write("a.txt", "Ask Ann about the third part\n")
    assert titles(folder.said()) == ("a.csv", ["Reaper"])
    folder.write("a.txt", "2\t2\tLater\n1\t1\tLabel\n")
    assert titles(folder.said()) == ("a.txt", ["Label", "Later"])


def test_a_section_says_where_its_markers_are(folder: Folder) -> None:
    folder.write("a.txt", "1\t1\tLabel\n")
    folder.write("other.txt", "1\t1\tOther\n")
    assert titles(folder.said(markers="recordings/episode-14/other.txt")) == ("other.txt", ["Other"])
    assert titles(folder.said(markers="embedded")) == ("embedded", ["Inside"])
    assert titles(folder.said(markers="none")) == ("", [])


def test_a_recording_that_is_none_says_nothing(folder: Folder) -> None:
    folder.write("b.flac", b"")
    assert folder.said("b.flac") == module.NOTHING
    assert folder.said("nowhere.mp3") == module.NOTHING
    # from a pipe nothing would ever come
    os.mkfifo(folder.recordings / "pipe.wav")
    assert folder.said("pipe.wav") == module.NOTHING


def test_chapters_of_an_mp3_are_read_once(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = b"CHAP\0\0\0\x27\0\0a\0" + bytes([0, 0, 4, 0, 0, 0, 9, 0]) + b"\xff" * 8 + b"TIT2\0\0\0\x07\0\0\x01\xff\xfeO\0k\0"
    folder.write("c.mp3", b"ID3\3\0\0\0\0\0" + bytes([len(frame)]) + frame + b"\xff\xfb")
    assert titles(folder.said("c.mp3")) == ("embedded", ["Ok"])
    monkeypatch.setattr(module.embedded, "chapters", lambda _: pytest.fail("read again"))
    assert folder.said("c.mp3").markers[0].start == Samples(1024 * 48)


def test_cuts_are_those_of_the_config_and_those_of_labels(folder: Folder) -> None:
    labels = folder.write("a.txt", "1\t2\tcut\n5\t6.5\tCut: a cough\n7\t7\tcut\n8\t9\tcutting\n9\t9.5\tcut it\n")
    found = folder.said(cut=((12.0, 13.0), (3.0, 4.0)))
    assert cuts(found) == (seconds(1, 2), seconds(3, 4), seconds(5, 6.5), seconds(12, 13))
    assert [one.where for one in found.cuts] == [
        Location(labels, 1, 1),
        Location(Path("e.yaml"), 11, 5),
        Location(labels, 2, 1),
        Location(Path("e.yaml"), 10, 5),
    ]
    # a place is nothing that can be cut out, and other words are other words
    assert titles(found)[1] == ["cut", "cutting", "cut it"]


def test_cuts_that_overlap_are_named_where_the_second_is_said(folder: Folder) -> None:
    labels = folder.write("a.txt", "1\t2\tcut\n1.5\t3\tcut\n")
    with pytest.raises(ConfigError) as caught:
        folder.said(cut=((2.5, 2.75),))
    assert [(one.location, one.hint) for one in caught.value.problems] == [
        (Location(labels, 2, 1), "the other is recordings/episode-14/a.txt:1"),
        (Location(Path("e.yaml"), 10, 5), "the other is recordings/episode-14/a.txt:2"),
    ]
    assert caught.value.problems[0].source_line == "1.5\t3\tcut"


def test_a_transcript_is_found_beside_the_recording_or_where_it_is_said(folder: Folder) -> None:
    assert folder.said().cues == ()
    word = '"words": [{"word": "Hi", "start": 1, "end": 2}]'
    folder.write("a.json", f'{{"segments": [{{"start": 1, "end": 2, "text": "Hi", {word}}}]}}')
    wanted = (Cue(*seconds(1, 2), "Hi", "", (Word("Hi", *seconds(1, 2)),)),)
    # the second time from what was kept
    assert [folder.said().cues for _ in range(2)] == [wanted, wanted]
    assert folder.said().transcript == "a.json"
    folder.write("a.srt", "00:00:03,000 --> 00:00:04,000\nSRT\n")
    assert folder.said().transcript == "a.srt"
    folder.write("a.vtt", "WEBVTT\n\n00:03.000 --> 00:04.000\n<v Ann>VTT\n")
    assert folder.said().cues == (Cue(*seconds(3, 4), "VTT", "Ann"),)
    assert folder.said(transcript="recordings/episode-14/a.srt").transcript == "a.srt"
    assert folder.said(transcript="none").cues == ()


def test_everything_that_cannot_be_read_is_named_at_once(folder: Folder) -> None:
    labels = folder.write("a.txt", "1\t1\tOne\nsoon\t2\tx\n")
    folder.write("b.wav", b"")
    spoken = folder.write("b.vtt", "WEBVT")
    one = of(section("a"), section("b"))
    with pytest.raises(ConfigError) as caught:
        inputs.inputs(Project(folder.root, SHOW, (SERIES,), (one,), {}), one, folder.store, scratch=False)
    assert [(one.location, one.source_line) for one in caught.value.problems] == [
        (Location(labels, 2, 1), "soon\t2\tx"),
        (Location(spoken, 1, 1), "WEBVT"),
    ]
    with pytest.raises(ConfigError, match="1 problem"):
        folder.said(transcript="recordings")


def test_in_and_out_are_times_of_the_recording_before_it_is_cut(folder: Folder) -> None:
    one = of(section("a", start=1.5, end=9.0, cut=((0.5, 1.0), (2.0, 4.0), (8.0, 12.0)), markers="none"))
    (found,) = inputs.inputs(Project(folder.root, SHOW, (SERIES,), (one,), {}), one, folder.store, scratch=False)
    assert (found.cut.start, found.cut.end) == seconds(1, 5.5)
    assert isinstance(found.cut, Cut)
