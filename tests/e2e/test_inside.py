"""Markers and cues go where their sound went: a burst of a tone of its own stands at each of them, and is looked for in the finished file.

Three recordings are cut, trimmed, taken from an in point and moved by gaps: a WAV at another rate with cue points and Whisper's JSON, a WAV with
labels (one of which is a cut) and WebVTT, and an MP3 with Reaper's list and SRT.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.audio import cued
from tests.conftest import require
from tests.e2e import project
from tests.e2e.project import RATE, Floats

pytestmark = pytest.mark.process

MILLISECOND = RATE // 1000
BURST = 0.14


@dataclass(frozen=True)
class Recording:
    """A recording of ``seconds`` with bursts: the frequency of each, and when it begins. ``gone`` are those that are not to be heard."""

    slug: str
    seconds: float
    bursts: dict[int, float]
    gone: tuple[int, ...]
    rate: int = RATE

    def sound(self) -> Floats:
        found = np.zeros(round(self.seconds * self.rate))
        for hertz, at in self.bursts.items():
            burst = project.tone(hertz, BURST, -12, self.rate)
            found[round(at * self.rate) :][: len(burst)] += burst
        return found


ALPHA = Recording("alpha", 14.0, {700: 1.0, 800: 3.5, 900: 6.2, 1000: 7.75, 1100: 12.345}, gone=(900,), rate=44_100)
BRAVO = Recording("bravo", 16.0, {1300: 1.0, 1400: 4.0, 1500: 6.5, 1600: 9.001, 1700: 12.0, 1800: 14.5}, gone=(1300, 1500, 1800))
CHARLIE = Recording("charlie", 9.0, {2100: 0.75, 2200: 3.21, 2300: 6.0}, gone=())
ALL = (ALPHA, BRAVO, CHARLIE)


def stamp(seconds: float, mark: str) -> str:
    whole = round(seconds * 1000)
    return f"{whole // 3600000:02}:{whole // 60000 % 60:02}:{whole // 1000 % 60:02}{mark}{whole % 1000:03}"


def record(root: Path, ffmpeg: str) -> None:
    folder = project.recordings(root)
    at = ALPHA.bursts.items()
    (folder / "alpha.wav").write_bytes(cued.wav(ALPHA.sound(), ALPHA.rate, [(round(t * ALPHA.rate), f"{hertz} Hz", 0) for hertz, t in at]))
    segments = [{"id": n, "start": t, "end": t + BURST, "text": f" {hertz} hertz"} for n, (hertz, t) in enumerate(at)]
    (folder / "alpha.json").write_text(json.dumps({"text": "", "segments": segments, "language": "en"}))

    project.save(BRAVO.sound()[:, None], folder / "bravo.wav")
    labels = [(t, t, f"{hertz} Hz") for hertz, t in BRAVO.bursts.items()] + [(5.75, 7.5, "cut: a cough")]
    (folder / "bravo.txt").write_text("".join(f"{start:.6f}\t{end:.6f}\t{text}\n" for start, end, text in sorted(labels)))
    cues = [f"{stamp(t, '.')} --> {stamp(t + BURST, '.')}\n<v Bo>{hertz} &amp; hertz" for hertz, t in BRAVO.bursts.items()]
    # This one begins before the cut and ends within it.
    cues.append("00:00:05.500 --> 00:00:06.000 align:start\nshort")
    (folder / "bravo.vtt").write_text("WEBVTT\n\nNOTE by hand\n\n" + "\n\n".join(cues))

    project.save(CHARLIE.sound()[:, None], folder / "charlie.mp3", "mp3", ffmpeg=ffmpeg)
    rows = "".join(f'M{n},"{hertz} Hz, marked",{t:.3f},,,\n' for n, (hertz, t) in enumerate(CHARLIE.bursts.items(), 1))
    (folder / "charlie.csv").write_text(f"#,Name,Start,End,Length,Color\n{rows}")
    spoken = [
        f"{n}\r\n{stamp(t, ',')} --> {stamp(t + BURST, ',')}\r\n{hertz} hertz\r\n\r\n" for n, (hertz, t) in enumerate(CHARLIE.bursts.items(), 1)
    ]
    (folder / "charlie.srt").write_bytes(b"\xef\xbb\xbf" + "".join(spoken).encode())


SECTIONS = {
    "alpha": {"trim": True, "cut": [["0:06.100", 7.1]], "speaker": "Al", "gain": 0},
    "bravo": {"in": "0:03", "out": 14, "gap": 2.7, "gain": 0},
    "charlie": {"gap": 1.3, "speaker": "Cy", "gain": 0},
}


@pytest.fixture(scope="module")
def marked(built: Path, tmp_path_factory: pytest.TempPathFactory, ffmpeg: str) -> Path:
    root = project.unbuilt(built, tmp_path_factory.mktemp("inside") / "show")
    for path in project.recordings(root).iterdir():
        path.unlink()
    record(root, ffmpeg)
    with project.edited(root) as config:
        # Gaps that fall on nothing round, and no grid; markers become chapters.
        config |= {"layout": {"grid": 0}, "chapters": {"inside": "list"}}
        for section in config["sections"]:
            section.update(SECTIONS[section["slug"]])
    project.produce(root)
    return root


@pytest.fixture(scope="module")
def sound(marked: Path, ffmpeg: str) -> Floats:
    return project.decoded(project.mp3(marked), ffmpeg)[:, 0]


@pytest.fixture
def show(marked: Path, tmp_path: Path) -> Path:
    return project.copied(marked, tmp_path / "show")


HEARD = sorted(hertz for one in ALL for hertz in one.bursts if hertz not in one.gone)
GONE = sorted(hertz for one in ALL for hertz in one.gone)


def is_at(sound: Floats, hertz: int, milliseconds: float) -> None:
    near = round(milliseconds * MILLISECOND)
    assert abs(project.onset(sound, hertz, near) - near) <= MILLISECOND, hertz


def hertz_of(text: str) -> int:
    return int("".join(filter(str.isdecimal, text)))


def test_what_was_cut_out_is_not_heard(sound: Floats) -> None:
    # Windows of 100 ms, so that the edges of other bursts are not taken for it; that it is found where it is says the first one heard.
    loudest = {hertz: project.goertzel(sound, hertz, RATE // 10).max() for hertz in (HEARD[0], *GONE)}
    assert loudest.pop(HEARD[0]) > 0.1
    assert max(loudest.values()) < 0.02


def test_every_marker_is_delivered_where_its_burst_sounds(marked: Path, sound: Floats) -> None:
    found = [marker for chapter in project.report(marked)["chapters"] for marker in chapter["markers"]]
    heard = [marker for marker in found if not marker.get("moved")]
    assert sorted(hertz_of(marker["title"]) for marker in heard) == HEARD
    for marker in heard:
        near = marker["start_samples"]
        assert marker["start_s"] == near / RATE
        assert abs(project.onset(sound, hertz_of(marker["title"]), near) - near) <= MILLISECOND, marker
    assert {marker["source"] for marker in found} == {"embedded", "bravo.txt", "charlie.csv"}
    # what lay in a cut goes on to what is heard next, and what lies outside in and out is for another section
    assert [hertz_of(marker["title"]) for marker in found if marker.get("moved")] == [900, 1500]
    assert [chapter["markers_outside"] for chapter in project.report(marked)["chapters"]] == [0, 2, 0]


def test_every_form_of_the_chapters_holds_the_markers(marked: Path, sound: Floats) -> None:
    folder = marked / "build" / project.EPISODE
    listed = json.loads((folder / "chapters.json").read_text("utf-8"))["chapters"]
    inner = [one for one in listed if one["title"].endswith((" Hz", "marked"))]
    # The first burst of a section is less than a second from its own chapter, and what was cut out before 1000 Hz from that.
    assert [hertz_of(one["title"]) for one in inner] == [800, 1000, 1100, 1400, 1500, 1600, 1700, 2200, 2300]
    for one in inner:
        if hertz_of(one["title"]) in HEARD:
            is_at(sound, hertz_of(one["title"]), one["startTime"] * 1000)
    starts = [round(one["startTime"] * 1000) for one in listed]
    assert starts[0] == 0
    said = json.loads(project.run(require("ffprobe"), "-v", "error", "-of", "json", "-show_chapters", project.mp3(marked)))["chapters"]
    assert [round(float(one["start_time"]) * 1000) for one in said] == starts
    assert [one["tags"]["title"] for one in said] == [one["title"] for one in listed]
    assert len((folder / "description.txt").read_text("utf-8").splitlines()) == len(listed)


@pytest.mark.parametrize("suffix", [".vtt", ".srt"])
def test_every_cue_is_delivered_where_its_burst_sounds(marked: Path, sound: Floats, suffix: str) -> None:
    path = marked / "build" / project.EPISODE / f"{project.EPISODE}{suffix}"
    raw = json.loads(project.run(require("ffprobe"), "-v", "error", "-of", "json", "-show_packets", "-show_data", path))["packets"]
    cues = [(float(one["pts_time"]) * 1000, float(one["duration_time"]), _text(one["data"])) for one in raw]
    assert sorted(hertz_of(text) for _, _, text in cues if "hertz" in text) == HEARD
    for start, length, text in cues:
        if "hertz" in text:
            is_at(sound, hertz_of(text), start)
            assert length == pytest.approx(BURST, abs=0.0011)
    # half a second, of which a quarter was cut out
    assert [round(length, 3) for _, length, text in cues if "short" in text] == [0.25]
    text = path.read_text("utf-8")
    assert [name in text for name in ("Al", "Bo", "Cy")] == [True] * 3


def _text(dump: str) -> str:
    """The bytes of ffprobe's dump of a packet."""
    return bytes.fromhex("".join(line[10:50].replace(" ", "") for line in dump.strip().splitlines())).decode()


def test_the_json_says_the_same_and_the_feed_names_all_three(marked: Path, sound: Floats) -> None:
    folder = marked / "build" / project.EPISODE
    said = json.loads((folder / f"{project.EPISODE}.transcript.json").read_text("utf-8"))
    assert said["version"] == "1.0.0"
    spoken = [one for one in said["segments"] if "hertz" in one["body"]]
    assert sorted(hertz_of(one["body"]) for one in spoken) == HEARD
    for one in spoken:
        is_at(sound, hertz_of(one["body"]), one["startTime"] * 1000)
    assert [one["speaker"] for one in spoken] == ["Al"] * 4 + ["Bo"] * 3 + ["Cy"] * 3
    counted = project.report(marked)["transcript"]
    # 900, 1300, 1500 and 1800 are gone; one cue ends in a cut
    assert counted == {"cues": 11, "sections": ["alpha", "bravo", "charlie"], "clipped": 1, "dropped": 4}
    feed = (marked / "build" / "feeds" / f"{project.SERIES}.xml").read_text("utf-8")
    kinds = ["text/vtt", "application/x-subrip", "application/json"]
    at = [feed.index(f'type="{kind}"') for kind in kinds]
    assert at == sorted(at)
    assert feed.count("<podcast:transcript ") == 3


def test_another_word_encodes_nothing(show: Path) -> None:
    path = project.recordings(show) / "bravo.vtt"
    path.write_text(path.read_text().replace("short", "long"))
    done = project.produce(show).said
    assert "nothing encoded" in done
    assert "bravo: transcript" in done
    assert "long" in (show / "build" / project.EPISODE / f"{project.EPISODE}.srt").read_text()
    labels = project.recordings(show) / "bravo.txt"
    labels.write_text(labels.read_text().replace("1400 Hz", "Fourteen"))
    assert "nothing encoded" in project.produce(show).said
    assert "Fourteen" in (show / "build" / project.EPISODE / "chapters.json").read_text("utf-8")
    assert "nothing to do" in project.produce(show).said


def test_another_cut_encodes_its_section_alone(show: Path) -> None:
    before = project.chunks(show)
    with project.edited(show) as config:
        config["sections"][2]["cut"] = [[1.5, 2.25]]
    done = project.produce(show).said
    assert "charlie: cut None -> [[1.5, 2.25]]" in done
    new = project.chunks(show).keys() - before.keys()
    assert len(new) == 1
    starts = [marker["start_samples"] for marker in project.report(show)["chapters"][2]["markers"]]
    assert starts[1] - starts[0] == round((3.21 - 0.75 - 0.75) * RATE)


def test_cuts_that_cannot_be_made_are_named_together(show: Path) -> None:
    with project.edited(show) as config:
        config["sections"][0] |= {"cut": [[1, 2], [20, 30]], "denoise": "ffmpeg"}
        config["sections"][2]["cut"] = [[0, 9]]
    said = project.produce(show, code=1).said
    assert "alpha: recordings/episode-01/alpha.wav: 14.00 s long; this cut, from 20 to 30 s, ends after it" in said
    assert "charlie: recordings/episode-01/charlie.mp3: its cuts leave nothing of it" in said
    lines = (show / "configs" / "episodes" / "episode-01.yaml").read_text("utf-8").splitlines()
    places = re.findall(r"^configs/episodes/episode-01.yaml:(\d+):", said, re.MULTILINE)
    assert [lines[int(number)].strip() for number in places] == ["20,", "0,"]


def test_what_cannot_be_read_is_named_with_its_line_before_anything_is_measured(show: Path) -> None:
    folder = project.recordings(show)
    (folder / "bravo.vtt").write_text("WEBVTT\n\n00:01.000 -> 00:02.000\nHello\n")
    (folder / "charlie.csv").write_text("#,Name,Start,End,Length\nM1,One,5.1.00,,\n")
    said = project.produce(show, code=2).said
    assert "recordings/episode-01/bravo.vtt:3:1: error: a time was expected" in said
    assert "    3 | 00:01.000 -> 00:02.000" in said
    assert "if it is something else, say transcript: none" in said
    assert "recordings/episode-01/charlie.csv:2:1: error: '5.1.00' counts bars" in said
