"""Noise reduction within a build: recordings of any form are cleaned, and those that are not whole are refused as without it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e import project
from tests.e2e.project import Take

pytestmark = pytest.mark.process

TAKES = [Take("alpha", 700, 6.0), Take("bravo", 1200, 6.0, form="mp3", channels=2), Take("charlie", 1700, 6.0, form="flac", rate=44_100)]


@pytest.fixture
def noisy(tmp_path: Path, ffmpeg: str) -> Path:
    root = project.make(tmp_path / "show", TAKES, ffmpeg=ffmpeg)
    with project.edited(root) as config:
        config["voice"] = {"denoise": "ffmpeg"}
    return root


def shortened(root: Path, frames: int) -> None:
    """Take frames off the end of the MP3, of which its header counts them still."""
    path = root / "recordings" / project.EPISODE / "bravo.mp3"
    path.write_bytes(path.read_bytes()[: -frames * 576])


def test_recordings_of_every_form_are_cleaned_and_keep_their_length(noisy: Path) -> None:
    project.produce(noisy)
    report = project.report(noisy)
    assert [round(60 * one["minutes"]) for one in report["chapters"]] == [6, 6, 6]
    assert all(one["found_offset_ms"] is None or abs(one["found_offset_ms"]) < 1 for one in report["chapters"])
    assert "nothing to do" in project.produce(noisy).said


def test_an_mp3_whose_header_counts_a_frame_too_many_is_good_with_it_as_without(noisy: Path) -> None:
    shortened(noisy, 2)
    project.produce(noisy)


def test_a_recording_that_was_cut_short_is_refused_with_it_as_without(noisy: Path) -> None:
    shortened(noisy, 60)
    refused = project.produce(noisy, code=1)
    assert "truncated" in refused.said
    assert "recordings/episode-01/bravo.mp3" in refused.said
