"""What a build says of recordings with faults: a line for people, a list in the report, and no file for who is strict."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.sounds import Speaker
from tests.e2e import project
from tests.e2e.project import RATE, Take

pytestmark = pytest.mark.process

KEYS = ["detector", "severity", "where", "section", "file", "start_s", "recording_s", "length_s", "figure", "unit", "words"]
VOICE = {"voice": {"chain": "voice"}, "layout": {"room_tone": False}}


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory, ffmpeg: str) -> tuple[Path, str]:
    """An episode whose first section is clipped and has a hole, and whose second one holds 25 s of the first; and what was said of it."""
    root = project.make(tmp_path_factory.mktemp("faulty") / "show", [Take("alpha", 700), Take("bravo", 900)], ffmpeg=ffmpeg, defaults=VOICE)
    first, second = Speaker(1).speech(40), Speaker(2).speech(15)
    loud = int(np.argmax(np.abs(first[8 * RATE : 9 * RATE]))) + 8 * RATE
    copied = first[12 * RATE : 37 * RATE] * 0.7
    first[loud : loud + RATE // 20] = 0
    limit = float(np.abs(first).max())
    first[4 * RATE : 6 * RATE] = np.clip(first[4 * RATE : 6 * RATE] * 6, -limit, limit)
    project.save(first[:, None], project.recordings(root) / "alpha.wav")
    project.save(np.concatenate((second, copied))[:, None], project.recordings(root) / "bravo.wav")
    return root, project.produce(root).said


def test_faults_are_told_with_their_places(faulty: tuple[Path, str]) -> None:
    root, said = faulty
    told = [line for line in said.splitlines() if ": warning: " in line]
    assert any("alpha: clipped: " in line and "at 0:00:04, 0:00:04 in alpha.wav" in line for line in told)
    assert any("alpha: dropout: nothing for 5" in line and ("0:00:08 in alpha.wav" in line or "0:00:09 in alpha.wav" in line) for line in told)
    assert any("alpha: " in line and "of it is in bravo, too" in line for line in told)
    # and not again when nothing was done
    assert ": warning: " not in project.produce(root).said


def test_the_report_lists_them(faulty: tuple[Path, str]) -> None:
    found = project.report(faulty[0])["findings"]
    assert all(list(one) == KEYS for one in found)
    begins = {one["slug"]: one["section_start_samples"] / RATE for one in project.report(faulty[0])["chapters"]}
    clipped = next(one for one in found if one["detector"] == "clipping")
    assert (clipped["severity"], clipped["where"], clipped["section"], clipped["file"]) == ("warning", "recording", "alpha", "alpha.wav")
    assert 3.9 < clipped["recording_s"] < 6.1
    assert clipped["start_s"] == pytest.approx(begins["alpha"] + clipped["recording_s"], abs=0.3)
    repeated = next(one for one in found if one["detector"] == "repeated")
    assert repeated["recording_s"] == pytest.approx(12, abs=3)
    assert repeated["length_s"] == pytest.approx(25, abs=4)


def test_who_is_strict_is_given_no_file(faulty: tuple[Path, str], tmp_path: Path) -> None:
    root = project.copied(faulty[0], tmp_path / "show")
    before = project.times(root)
    # what is up to date was wrong before
    said = project.produce(root, project.EPISODE, "--strict", code=1).said
    assert "error: alpha: clipped: " in said
    assert "build without --strict" in said
    with project.edited(root) as config:
        config["sections"][0]["gain"] = 1.0
    assert "error: alpha: clipped: " in project.produce(root, project.EPISODE, "--strict", code=1).said
    assert project.mp3(root).stat().st_mtime_ns == before[str(project.mp3(root).relative_to(root / "build"))]
    # nothing was encoded for it
    assert project.chunks(root) == project.chunks(faulty[0])


def test_a_section_of_another_episode_is_recognised(faulty: tuple[Path, str], tmp_path: Path, ffmpeg: str) -> None:
    root = project.copied(faulty[0], tmp_path / "show")
    other = project.add_episode(root, 2, [Take("charlie", 500)], ffmpeg=ffmpeg)
    (project.recordings(root, other) / "charlie.wav").write_bytes((project.recordings(root) / "bravo.wav").read_bytes())
    assert "all of it is the recording of episode-01 bravo" in project.produce(root, other).said


def test_a_new_title_judges_nothing_again_and_says_the_same(faulty: tuple[Path, str], tmp_path: Path) -> None:
    root = project.copied(faulty[0], tmp_path / "show")
    with project.edited(root) as config:
        config["title"] = "Another"
    # a child that cannot decode anything would fail
    said = project.produce(root, setup="from audio import pcm; pcm.Pcm.decode = None").said
    assert "0 of " in said
    assert "alpha: clipped: " in said
    assert project.report(root)["findings"] == project.report(faulty[0])["findings"]
