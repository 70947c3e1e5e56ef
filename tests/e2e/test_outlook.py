"""`produce plan`: what it says of a build before it, against what the build then does."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from subprocess import Popen

import pytest

from tests.e2e import project
from tests.e2e.conftest import TAKES

pytestmark = pytest.mark.process


def plan(root: Path, *words: str, code: int = 0) -> str:
    found = project.finished(_start(root, *words))
    assert found.code == code, found.said
    return found.out


def _start(root: Path, *words: str) -> Popen[str]:
    return project.start(root, project.EPISODE, *words, setup="import sys; sys.argv.insert(1, 'plan')")


def megabytes(said: str) -> float:
    found = re.search(r"([\d.]+) MB", said)
    assert found, said
    return float(found[1])


def test_nothing_is_built_and_nothing_is_left_but_what_a_build_would_keep(tmp_path: Path, ffmpeg: str) -> None:
    root = project.make(tmp_path / "show", TAKES, ffmpeg=ffmpeg)
    said = plan(root)
    assert "3 of 3 chunks to encode" in said
    assert "because not built before" in said
    assert "not measured yet: alpha, bravo, charlie" in said
    assert not project.mp3(root).exists()
    assert project.published(root) == {}
    assert project.chunks(root) == {}


def test_the_size_is_right_to_one_in_a_hundred_before_anything_was_decoded(tmp_path: Path, ffmpeg: str) -> None:
    takes = [replace(take, seconds=take.seconds * 10, form=form) for take, form in zip(TAKES, ("mp3", "flac", "m4a"), strict=True)]
    root = project.make(tmp_path / "show", takes, ffmpeg=ffmpeg)
    foreseen = megabytes(plan(root))
    project.produce(root)
    size = project.mp3(root).stat().st_size / 1e6
    assert foreseen == pytest.approx(size, rel=0.01, abs=0.06)
    assert megabytes(plan(root)) == pytest.approx(size, abs=0.051)


def test_what_is_finished_has_nothing_to_do(show: Path) -> None:
    assert plan(show).startswith("episode-01: nothing to do")


def test_a_changed_recording_is_the_only_miss_and_the_build_agrees(show: Path) -> None:
    project.record(replace(TAKES[1], hertz=1300), project.recordings(show))
    said = plan(show)
    assert "1 of 3 chunks to encode" in said
    (row,) = (line for line in said.splitlines() if line.strip().startswith("bravo"))
    assert "0 of 1" in row
    assert "bravo.wav changed" in row
    assert all("1 of 1" in line for line in said.splitlines() if line.strip().startswith(("alpha", "charlie")))
    assert "1 of 3 chunks to encode" in project.produce(show).said


def test_a_changed_title_encodes_nothing_and_says_which(show: Path) -> None:
    with project.edited(show) as config:
        config["title"] = "Another"
    said = plan(show)
    assert "0 of 3 chunks to encode" in said
    assert "because title: " in said


def test_a_longer_gap_moves_the_rest_and_encodes_nothing(show: Path) -> None:
    with project.edited(show) as config:
        config["sections"][2]["gap"] = 7
        config["layout"] = {"grid": 0}
    said = plan(show)
    assert "0 of 3 chunks to encode" in said
    assert "charlie: gap 2.0 -> 7.0" in said


def test_a_missing_recording_is_told_as_the_build_would(show: Path) -> None:
    (project.recordings(show) / TAKES[0].file).unlink()
    found = project.finished(_start(show))
    assert found.code == 2
    assert "the recording is missing" in found.said


def test_a_plan_waits_for_nobody(show: Path) -> None:
    with (show / "build" / ".store" / "locks" / f"{project.EPISODE}.lock").open("ab") as file:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX)
        assert "nothing to do" in plan(show)
