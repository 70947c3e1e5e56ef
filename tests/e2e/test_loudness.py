"""The loop around the finished file: what it measures is held to what was asked, or is not delivered."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.e2e import project
from tests.e2e.conftest import TAKES
from tests.e2e.project import Take

pytestmark = pytest.mark.process

FREE = tuple(replace(take, gain=None) for take in TAKES)
"""Takes whose level is for the build to find."""


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory, ffmpeg: str) -> tuple[Path, str]:
    """An episode of seconds, and what was said when it was built: the silence at the edges of its sections takes part of its loudness."""
    root = project.make(tmp_path_factory.mktemp("heard") / "show", FREE, ffmpeg=ffmpeg)
    return root, project.produce(root).said


def corrections(said: str) -> list[tuple[str, float]]:
    return [(name, float(gain)) for name, gain in re.findall(r": (\w+): ([+-][\d.]+) dB, ceiling", said)]


def test_what_the_finished_file_is_missing_is_made_up_for(heard: tuple[Path, str], ffmpeg: str) -> None:
    root, said = heard
    assert {name for name, _ in corrections(said)} == {"alpha", "bravo", "charlie"}
    sound = project.decoded(project.mp3(root), ffmpeg)
    assert project.loudness(sound, ffmpeg) == pytest.approx(-16, abs=0.35)
    levels = [project.loudness(sound[one["section_start_samples"] : one["section_end_samples"]], ffmpeg) for one in project.report(root)["chapters"]]
    assert max(levels) - min(levels) < 1
    assert project.report(root)["measured"]["true_peak_dbtp"] <= -1
    # as it was asked, and said so
    assert project.report(root)["warnings"] == []
    for one in project.report(root)["segments"]:
        assert one["gain_db"] == pytest.approx(one["recorded_lufs"] * -1 - 16, abs=0.5)


def test_what_was_corrected_once_is_not_heard_again(heard: tuple[Path, str], tmp_path: Path) -> None:
    root = project.copied(heard[0], tmp_path / "show")
    assert "nothing to do" in project.produce(root).said
    with project.edited(root) as config:
        config["title"] = "Another"
    said = project.produce(root).said
    assert corrections(said) == []
    assert "0 of 3 chunks to encode" in said


def test_a_build_from_scratch_is_corrected_to_the_same_bytes(heard: tuple[Path, str], tmp_path: Path) -> None:
    root = project.unbuilt(heard[0], tmp_path / "elsewhere" / "show")
    assert corrections(project.produce(root, project.EPISODE, "--jobs", "1").said) == corrections(heard[1])
    assert project.published(root) == project.published(heard[0])


def test_a_section_that_cannot_be_as_loud_as_the_others_is_not_delivered(show: Path, built: Path) -> None:
    # knocks: what is lifted of them, the limiter takes away
    knocks = np.zeros((6 * project.RATE, 1))
    knocks[:: project.RATE // 4] = 0.9
    project.save(knocks, project.recordings(show) / TAKES[1].file)
    with project.edited(show) as config:
        for section in config["sections"]:
            section.pop("gain", None)
    found = project.produce(show, code=1)
    assert "loudness: " in found.said
    assert re.search(r"\w+ is [\d.]+ LU louder than bravo; 1 are allowed", found.said)
    assert "say a section's gain" in found.said
    # and what was there is there
    assert project.published(show) == project.published(built)
    with project.edited(show) as config:
        config["sections"][1]["gain"] = 3
    project.produce(show)
    assert [one["gain_db"] for one in project.report(show)["segments"]][1] == 3


def test_a_loud_recording_stays_under_the_ceiling_once_it_is_decoded(tmp_path: Path, ffmpeg: str) -> None:
    # noise with knocks, at a bitrate that moves peaks far
    root = project.make(tmp_path / "show", [Take("noise", 1000, 6.0)], ffmpeg=ffmpeg, defaults={"encoding": {"bitrate": 64}})
    chance = np.random.default_rng(14)
    noise = 0.05 * chance.standard_normal((8 * project.RATE, 1))
    noise[:: project.RATE // 3] += 0.9
    project.save(np.clip(noise, -1, 1), project.recordings(root) / "noise.wav")
    project.produce(root)
    assert project.report(root)["measured"]["true_peak_dbtp"] <= -1
    assert project.report(root)["measured"]["integrated_lufs"] == pytest.approx(-16, abs=0.3)
