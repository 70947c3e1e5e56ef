"""One list of chapters in every form, and under every mark the section that it names: asked of other people's readers."""

from __future__ import annotations

import json
import re
import struct
import subprocess
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import require
from tests.e2e import project
from tests.e2e.conftest import TAKES
from tests.e2e.project import FRAME, RATE, Floats, Take

pytestmark = pytest.mark.process

MILLISECOND = RATE // 1000


@dataclass(frozen=True)
class Episode:
    """A finished episode, decoded."""

    root: Path
    takes: tuple[Take, ...]
    sound: Floats

    @property
    def folder(self) -> Path:
        return self.root / "build" / project.EPISODE

    @property
    def mp3(self) -> Path:
        return project.mp3(self.root)

    @property
    def starts(self) -> list[int]:
        """In ms, as the report has them."""
        return [chapter["start_samples"] // MILLISECOND for chapter in project.report(self.root)["chapters"]]

    @property
    def titles(self) -> list[str]:
        return [chapter["title"] for chapter in project.report(self.root)["chapters"]]


@pytest.fixture(scope="module", params=["plain", "music"])
def episode(request: pytest.FixtureRequest, built: Path, tmp_path_factory: pytest.TempPathFactory, ffmpeg: str) -> Episode:
    """The episode of three tones; and one with intro, stings, outro, trimmed sections and starts between whole seconds."""
    if request.param == "plain":
        return Episode(built, TAKES, project.decoded(project.mp3(built), ffmpeg))
    root = project.copied(built, tmp_path_factory.mktemp("music") / "show")
    for name, hertz in (("intro", 3100), ("sting", 3700), ("outro", 4300)):
        project.record(Take(name, hertz, 1.7 if name == "sting" else 2.3), root / "music", ffmpeg)
    with project.edited(root) as config:
        # As loud as the sections: there are seconds of them, and the whole is held to its target.
        config["music"] = {"level": -16, **{name: f"music/{name}.wav" for name in ("intro", "sting", "outro")}}
        config["layout"] = {"grid": 0, "gap": 1.111, "sting_lead": 0.4}
        config["trim"] = {"enabled": True}
        config["sections"][2]["sting"] = "none"
    project.produce(root)
    return Episode(root, TAKES, project.decoded(project.mp3(root), ffmpeg))


def test_the_list_names_every_section_in_order_and_starts_at_zero(episode: Episode) -> None:
    with project.edited(episode.root) as config:
        assert episode.titles == [section["title"] for section in config["sections"]]
    assert episode.starts[0] == 0
    assert episode.starts == sorted(set(episode.starts))
    assert len(episode.starts) == len(episode.takes)


def test_json_psc_and_description_hold_the_same_list(episode: Episode) -> None:
    in_json = json.loads((episode.folder / "chapters.json").read_text("utf-8"))["chapters"]
    assert [(round(c["startTime"] * 1000), c["title"]) for c in in_json] == list(zip(episode.starts, episode.titles, strict=True))
    assert [c["url"] for c in in_json] == [f"https://tones.example/{take.slug}" for take in episode.takes]
    in_psc = ET.fromstring((episode.folder / "chapters.psc.xml").read_bytes())
    assert [(_ms(c.attrib["start"]), c.attrib["title"]) for c in in_psc] == list(zip(episode.starts, episode.titles, strict=True))
    lines = [line.split(" ", 1) for line in (episode.folder / "description.txt").read_text("utf-8").splitlines()]
    assert [(_ms(clock), title) for clock, title in lines] == [(s // 1000 * 1000, t) for s, t in zip(episode.starts, episode.titles, strict=True)]


def _ms(clock: str) -> int:
    hours, minutes, seconds = clock.split(":")
    return round((int(hours) * 3600 + int(minutes) * 60 + float(seconds)) * 1000)


def test_ffprobe_lists_the_same_chapters(episode: Episode) -> None:
    found = json.loads(project.run(require("ffprobe"), "-v", "error", "-of", "json", "-show_chapters", "-show_format", episode.mp3))
    assert [c["tags"]["title"] for c in found["chapters"]] == episode.titles
    assert [round(float(c["start_time"]) * 1000) for c in found["chapters"]] == episode.starts
    ends = [*episode.starts[1:], round(len(episode.sound) / MILLISECOND)]
    assert [round(float(c["end_time"]) * 1000) for c in found["chapters"]] == ends


# eyeD3 takes TDAT (day and month) for a whole date, which Python 3.13 warns about.
@pytest.mark.filterwarnings("ignore:(?s).*day of month:DeprecationWarning")
def test_eyed3_lists_the_same_chapters(episode: Episode) -> None:
    eyed3 = pytest.importorskip("eyed3", reason="eyeD3 is not installed")
    tag = eyed3.load(episode.mp3).tag
    frames = tag.frame_set[b"CHAP"]
    assert [(frame.times.start, frame.title) for frame in frames] == list(zip(episode.starts, episode.titles, strict=True))
    (toc,) = list(tag.table_of_contents)
    assert toc.child_ids == [frame.element_id for frame in frames]


def test_mpv_lists_the_same_chapters(episode: Episode) -> None:
    count = len(episode.starts)
    fields = "".join(f"${{=chapter-list/{i}/time}}|${{chapter-list/{i}/title}}\\n" for i in range(count))
    message = f"--term-playing-msg=<<<${{chapter-list/count}}\\n{fields}>>>"
    shown = project.run(require("mpv"), "--no-config", "--vo=null", "--ao=null", "--no-video", "--length=0.1", message, episode.mp3).decode()
    said, *lines = shown.split("<<<")[1].split("\n>>>")[0].splitlines()
    assert int(said) == count
    times, titles = zip(*(line.split("|") for line in lines), strict=True)
    assert list(titles) == episode.titles
    # mpv counts from the first sample after the encoder's delay, where the tag counts from before it.
    assert [float(time) for time in times] == pytest.approx([start / 1000 - 1105 / RATE for start in episode.starts], abs=0.001)


def test_every_section_sounds_from_its_own_mark_on(episode: Episode) -> None:
    chapters = project.report(episode.root)["chapters"]
    assert [c["start_samples"] for c in chapters[1:]] == [c["section_start_samples"] for c in chapters[1:]]
    for chapter, take in zip(chapters, episode.takes, strict=True):
        for side in (0, 1):
            found = project.onset(episode.sound[:, side], take.hertz, chapter["section_start_samples"])
            assert abs(found - chapter["section_start_samples"]) <= MILLISECOND, take
            stopped = project.ending(episode.sound[:, side], take.hertz, chapter["section_end_samples"])
            assert abs(stopped - chapter["section_end_samples"]) <= MILLISECOND, take
    assert [c["found_offset_ms"] for c in chapters] == [0.0] * len(chapters)
    assert not [warning for warning in project.report(episode.root)["warnings"] if "mark" in warning]


def test_ffmpeg_and_mpg123_decode_exactly_the_samples_that_the_report_counts(episode: Episode) -> None:
    wanted = project.report(episode.root)["audio"]["samples"]
    assert len(episode.sound) == wanted
    raw = project.run(require("mpg123"), "-q", "-s", "-e", "s16", episode.mp3)
    assert len(raw) == wanted * 2 * 2


def test_mp3val_has_nothing_to_say(episode: Episode) -> None:
    done = subprocess.run([require("mp3val"), str(episode.mp3)], capture_output=True, text=True, timeout=60, check=False)
    assert not re.findall(r"^(?:WARNING|ERROR).*$", done.stdout + done.stderr, re.MULTILINE)
    frames = project.report(episode.root)["audio"]["frames"]
    assert f"{frames + 1} MPEG frames" in done.stdout


def test_the_info_header_counts_the_frames_and_bytes_that_are_there(episode: Episode) -> None:
    audio = project.without_tag(episode.mp3.read_bytes())
    assert audio[36:40] == b"Info"
    flags, frames, size = struct.unpack(">III", audio[40:52])
    assert flags & 3 == 3
    assert size == len(audio)
    # 128 kb/s at 48 kHz: 384 bytes each, every one of them with the same header.
    assert len(audio) == (frames + 1) * 384
    assert {audio[at : at + 3] for at in range(0, len(audio), 384)} == {b"\xff\xfb\x94"}
    delay, padding = audio[36 + 141] << 4 | audio[36 + 142] >> 4, (audio[36 + 142] & 15) << 8 | audio[36 + 143]
    assert frames * FRAME - delay - padding == len(episode.sound)


def test_the_report_names_the_file_that_is_there(episode: Episode) -> None:
    import hashlib

    data = episode.mp3.read_bytes()
    assert project.report(episode.root)["file"] == {"name": "episode-01.mp3", "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
