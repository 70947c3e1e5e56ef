"""A window is what the finished file holds there; the reel holds the seconds around the joins."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.e2e import project
from tests.e2e.conftest import TAKES
from tests.e2e.project import RATE, Floats

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, ffmpeg: str) -> Path:
    root = project.make(tmp_path_factory.mktemp("listen") / "show", TAKES, ffmpeg=ffmpeg)
    project.produce(root)
    return root


def window(root: Path, asked: str, ffmpeg: str) -> Floats:
    said = project.produce(root, project.EPISODE, "--preview", asked)
    path = root / "build" / project.EPISODE / "preview.wav"
    assert str(path.relative_to(root)) in said.out
    return project.decoded(path, ffmpeg)


def test_a_window_is_what_the_finished_file_holds_there(built: Path, ffmpeg: str) -> None:
    whole = project.decoded(project.mp3(built), ffmpeg)
    mark = project.report(built)["chapters"][1]["section_start_samples"]
    begin = mark / RATE - 1
    found = window(built, f"{begin:.3f}+2", ffmpeg)
    assert len(found) == 2 * RATE
    at = round(begin * RATE)
    there = whole[at : at + len(found)]
    # not a sample early or late, and nothing but what the encoder left out
    lags = [float(np.sum(np.roll(found, lag, axis=0) * there)) for lag in range(-3, 4)]
    assert int(np.argmax(lags)) == 3
    assert np.sum((found - there) ** 2) < 0.01 * np.sum(found**2)


def test_windows_that_overlap_are_the_same_samples(built: Path, ffmpeg: str) -> None:
    whole = window(built, "0+600", ffmpeg)
    assert len(whole) == project.report(built)["audio"]["samples"]
    for begin, length in ((0.5, 3.0), (1.234, 2.5), (3.0, 0.01)):
        part = window(built, f"{begin}+{length}", ffmpeg)
        first = round(begin * RATE)
        assert part.tobytes() == whole[first : first + len(part)].tobytes()


def test_a_window_needs_no_finished_file_and_leaves_none(built: Path, tmp_path: Path, ffmpeg: str) -> None:
    root = project.unbuilt(built, tmp_path / "show")
    assert len(window(root, "1+1", ffmpeg)) == RATE
    assert not project.mp3(root).exists()


def test_a_window_past_the_end_is_refused(built: Path) -> None:
    said = project.produce(built, project.EPISODE, "--preview", "1:00:00+10", code=1).said
    assert "the programme ends at" in said
    assert "write where it begins" in project.produce(built, project.EPISODE, "--preview", "10", code=2).said


def test_the_reel_holds_the_seconds_around_every_join(built: Path, ffmpeg: str) -> None:
    said = project.produce(built, project.EPISODE, "--joins")
    path = built / "build" / project.EPISODE / "joins.wav"
    assert str(path.relative_to(built)) in said.out
    whole, reel = project.decoded(project.mp3(built), ffmpeg), project.decoded(path, ffmpeg)
    # all joins of a few seconds lie so near to each other that it is one stretch
    edges = [edge for one in project.report(built)["segments"] for edge in (one["start_samples"], one["start_samples"] + one["samples"])]
    inner = [edge for edge in edges if 0 < edge < len(whole)]
    first, last = max(0, min(inner) - 3 * RATE), min(len(whole), max(inner) + 3 * RATE)
    assert len(reel) == last - first
    # a decoder that begins in the middle differs by rounding at most
    assert np.abs(reel - whole[first:last]).max() < 1e-4


def test_there_is_no_reel_of_what_is_not_built(built: Path, tmp_path: Path) -> None:
    root = project.unbuilt(built, tmp_path / "show")
    assert "build it first" in project.produce(root, project.EPISODE, "--joins", code=1).said
