"""An episode that is not recorded yet can be heard, and nobody can take it for a finished one."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from tests.conftest import require
from tests.e2e import project
from tests.e2e.project import Take

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(importlib.util.find_spec("hibari") is None, reason="the voice (the extra [scratch]) is not installed"),
]


@pytest.fixture(scope="module")
def scratch(built: Path, tmp_path_factory: pytest.TempPathFactory, ffmpeg: str) -> Path:
    """Beside the finished episode a second one, of whose two sections one is recorded."""
    root = project.copied(built, tmp_path_factory.mktemp("scratch") / "show")
    project.add_episode(root, 2, [Take("echo", 900, 3.0), Take("foxtrot", 1500, 3.0)], ffmpeg=ffmpeg)
    (project.recordings(root, "episode-02") / "foxtrot.wav").unlink()
    found = project.produce(root, "episode-02", code=2)
    assert "section 'foxtrot': the recording is missing: recordings/episode-02/foxtrot.wav" in found.said
    project.produce(root, "episode-02", "--scratch")
    return root


def _title(path: Path) -> str:
    found = json.loads(project.run(require("ffprobe"), "-v", "error", "-of", "json", "-show_format", path))
    return str(found["format"]["tags"]["title"])


def test_it_says_in_its_title_and_its_report_that_it_is_one(scratch: Path) -> None:
    assert _title(project.mp3(scratch, "episode-02")) == "[SCRATCH] Tones $ & “more” 2"
    found = project.report(scratch, "episode-02")
    assert found["scratch"] is True
    assert [(c["slug"], c["scratch"]) for c in found["chapters"]] == [("echo", False), ("foxtrot", True)]
    assert project.report(scratch)["scratch"] is False


def test_the_placeholder_speaks_at_the_level_of_the_recordings(scratch: Path, ffmpeg: str) -> None:
    sound = project.decoded(project.mp3(scratch, "episode-02"), ffmpeg)
    spoken = project.report(scratch, "episode-02")["chapters"][1]
    heard = sound[spoken["section_start_samples"] : spoken["section_end_samples"]]
    assert len(heard) > 2 * project.RATE
    assert project.loudness(heard, ffmpeg) == pytest.approx(-16, abs=1)
    assert project.goertzel(heard[:, 0], 1500).mean() < 0.05


def test_the_feed_holds_no_item_for_it(scratch: Path) -> None:
    feedparser = pytest.importorskip("feedparser", reason="feedparser is not installed")
    found = feedparser.parse((scratch / "build" / "feeds" / f"{project.SERIES}.xml").read_bytes())
    assert [entry.title for entry in found.entries] == ["Tones $ & “more” 1"]


def test_a_second_scratch_run_has_nothing_to_do(scratch: Path, tmp_path: Path) -> None:
    root = project.copied(scratch, tmp_path / "show")
    assert "nothing to do" in project.produce(root, "episode-02", "--scratch").said


def test_it_takes_the_place_of_a_finished_episode_only_when_told_to(scratch: Path, tmp_path: Path) -> None:
    root = project.copied(scratch, tmp_path / "show")
    before = project.published(root)
    hidden = project.recordings(root) / "bravo.wav"
    hidden.rename(tmp_path / "bravo.wav")
    found = project.produce(root, "episode-01", "--scratch", code=1)
    assert "placeholder narration would take its place" in found.said
    assert "--replace" in found.said
    assert project.published(root) == before
    project.produce(root, "episode-01", "--scratch", "--replace")
    assert _title(project.mp3(root)).startswith("[SCRATCH] ")
    assert (root / "build" / "feeds" / f"{project.SERIES}.xml").read_text("utf-8").count("<enclosure ") == 0
    (tmp_path / "bravo.wav").rename(hidden)
    # A finished episode needs no leave to take the place of a scratch one.
    project.produce(root, "episode-01")
    assert project.published(root) == before
