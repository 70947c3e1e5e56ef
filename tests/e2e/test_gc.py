"""`produce gc`, and the limit that every build keeps to: what is removed, what is said, and that no build is the worse for it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import pytest

from production import cli
from production.store import FOLDER, LOCK, Store, locked
from tests.e2e import project
from tests.e2e.conftest import TAKES
from tests.e2e.project import Take

pytestmark = pytest.mark.process


def store_bytes(root: Path) -> int:
    return sum(path.stat().st_size for path in _kept(root))


def _kept(root: Path) -> list[Path]:
    store = root / "build" / ".store"
    return [path for name in ("entries", "files") for path in (store / name).rglob("*") if path.is_file()]


def limited(root: Path, limit: Any) -> None:
    path = root / "configs" / "show.yaml"
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), "store": {"limit": limit}}), "utf-8")


def wait(until: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end, "what was waited for did not come"
        time.sleep(0.01)


def renewed(root: Path, *takes: Take) -> None:
    for take in takes:
        project.record(take, project.recordings(root))


# -- asked for -------------------------------------------------------------------------------------------------------------------


def test_a_store_within_its_limit_is_left_alone(show: Path) -> None:
    before = project.times(show)
    found = project.produce(show, "gc")
    kept = len(_kept(show))
    assert re.fullmatch(rf"nothing to remove\nremaining: {kept} entries, [0-9.]+ [kM]B of at most 20 GB\n", found.out)
    assert found.said == ""
    assert project.times(show) == before


def test_a_trial_run_says_what_would_go_and_the_next_build_makes_it_again(show: Path, built: Path) -> None:
    before = project.times(show)
    ahead = project.produce(show, "gc", "--limit", "0", "--dry-run")
    assert project.times(show) == before
    found = project.produce(show, "gc", "--limit", "0")
    assert found.out.splitlines()[0] == f"removed: {len(_kept(built))} entries, {ahead.out.splitlines()[0].split(', ')[1]}"
    assert ahead.out == found.out.replace("removed", "would be removed").replace("remaining", "would remain")
    assert _kept(show) == []
    assert project.published(show) == project.published(built)
    assert "nothing to do" in project.produce(show).said
    project.mp3(show).unlink()
    project.produce(show)
    assert project.published(show) == project.published(built)


def test_where_nothing_was_built_nothing_is_made(built: Path, tmp_path: Path) -> None:
    root = project.copied(built / "configs", tmp_path / "show" / "configs").parent
    assert project.produce(root, "gc").out == "nothing to remove\nremaining: 0 entries, 0 bytes of at most 20 GB\n"
    assert [path.name for path in root.iterdir()] == ["configs"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--limit", "lots"), 2, "'lots' is no size: write it as 20 GB or 500 MB"),
        (("--limit", "20"), 2, "'20' is no size: add the unit, as in 20 GB"),
    ],
)
def test_a_limit_that_is_none_is_refused(words: tuple[str, ...], code: int, said: str, show: Path) -> None:
    before = project.times(show)
    assert said in project.produce(show, "gc", *words, code=code).said
    assert project.times(show) == before


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["-C", "show", "gc"], ["gc", "-C", "show"]),
        (["-C", "gc", "gc", "--dry-run"], ["gc", "-C", "gc", "--dry-run"]),
        (["--limit", "0", "gc"], ["gc", "--limit", "0"]),
        (["-C", "gc", "episode-01"], ["build", "-C", "gc", "episode-01"]),
        (["-j", "2", "-C", "build", "episode-01"], ["build", "-j", "2", "-C", "build", "episode-01"]),
        (["--scratch"], ["build", "--scratch"]),
        (["gc", "-C", "show"], ["gc", "-C", "show"]),
        (["--version"], ["--version"]),
    ],
)
def test_options_may_stand_before_the_verb_and_their_values_are_none(words: list[str], meant: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[list[str]] = []
    monkeypatch.setattr(click.Group, "parse_args", lambda _group, _context, args: found.append(args))
    cli.produce.parse_args(click.Context(cli.produce), words)
    assert found == [meant]


def test_a_limit_in_the_configs_that_is_none_is_refused_with_its_place(show: Path) -> None:
    limited(show, "lots")
    found = project.produce(show, "gc", code=2)
    assert re.search(r"configs/show\.yaml:1:\d+: error: limit: should be a size, not the text 'lots'\n", found.said)
    assert "hint: write it as 20 GB or 500 MB" in found.said


# -- by itself -------------------------------------------------------------------------------------------------------------------


def test_a_build_that_ends_above_the_limit_makes_room_and_says_so_in_a_line(show: Path) -> None:
    tries = set(project.chunks(show))
    # A little more than there is: another build of the same length differs by some bytes.
    limit = store_bytes(show) + 20_000
    limited(show, limit)
    renewed(show, *(replace(take, hertz=take.hertz + 200) for take in TAKES))
    found = project.produce(show)
    (line,) = [line for line in found.said.splitlines() if line.startswith("store: ")]
    assert re.fullmatch(r"store: \d+ entries removed \([0-9.]+ kB\); remaining [0-9.]+ [kM]B of at most [0-9.]+ [kM]B", line)
    assert store_bytes(show) <= limit
    # what was made for the sound before went, what this build is made of did not
    assert not tries & set(project.chunks(show))
    assert project.produce(show).said == "episode-01: nothing to do\n"
    with project.edited(show) as config:
        config["title"] = "Another title"
    assert "0 of 3 chunks to encode" in project.produce(show).said


def test_a_limit_that_a_build_does_not_fit_into_costs_time_and_nothing_else(show: Path, built: Path) -> None:
    limited(show, 0)
    renewed(show, replace(TAKES[0], hertz=900))
    assert "raise store.limit in configs/show.yaml" in project.produce(show).said
    assert _kept(show) == []
    renewed(show, TAKES[0])
    project.produce(show)
    assert project.published(show) == project.published(built)


def test_the_finished_episode_outlives_what_was_tried_after_it(show: Path, ffmpeg: str) -> None:
    first = set(project.chunks(show))
    project.add_episode(show, 2, [Take("echo", 900, 3.0)], ffmpeg=ffmpeg)
    for hertz in (900, 1300, 1500):
        project.record(Take("echo", hertz, 3.0), project.recordings(show, "episode-02"))
        project.produce(show, "episode-02")
    tried = set(project.chunks(show)) - first
    assert len(tried) == 3
    # As if a year had gone by between the first episode and the second.
    for path in _kept(show):
        if path.name in first:
            _older(path, 365)
    # Room for all but one of the tries.
    others = [path for path in _kept(show) if path.name not in first | tried]
    for path in others:
        _older(path, -1)
    project.produce(show, "gc", "--limit", str(store_bytes(show) - 1))
    left = set(project.chunks(show))
    assert first <= left
    assert len(left & tried) == 2


def _older(path: Path, days: int) -> None:
    then = path.stat().st_mtime - days * 86_400
    os.utime(path, (then, then))


# -- several at once -------------------------------------------------------------------------------------------------------------


def test_it_waits_for_those_who_build_and_they_do_not_wait_for_each_other(show: Path, built: Path, tmp_path: Path) -> None:
    log = tmp_path / "said.txt"
    with Store(show / FOLDER).using():
        sweeping = project.start(show, "gc", "--limit", "0", log=log)
        wait(lambda: "another produce is at work" in log.read_text("utf-8"))
        # And the room that a build makes at its end is not waited for.
        limited(show, 0)
        project.mp3(show).unlink()
        assert "store:" not in project.produce(show).said
        assert len(_kept(show)) >= len(_kept(built))
        assert sweeping.poll() is None
    assert project.finished(sweeping).code == 0
    assert _kept(show) == []
    assert project.published(show) == project.published(built)


def test_a_build_waits_for_a_sweep_and_says_so(show: Path, tmp_path: Path) -> None:
    log = tmp_path / "said.txt"
    with locked(show / FOLDER / LOCK):
        build = project.start(show, log=log)
        wait(lambda: "waiting: produce gc is removing entries" in log.read_text("utf-8"))
        assert build.poll() is None
    assert project.finished(build).code == 0
    assert log.read_text("utf-8").endswith("episode-01: nothing to do\n")


def test_swept_all_the_time_builds_end_as_if_nothing_had_happened(built: Path, tmp_path: Path, ffmpeg: str) -> None:
    root = project.unbuilt(built, tmp_path / "show")
    project.add_episode(root, 2, [Take("echo", 900, 3.0)], ffmpeg=ffmpeg)
    undisturbed = project.unbuilt(root, tmp_path / "undisturbed")
    project.produce(undisturbed, "all")
    builds = [project.start(root, "episode-01"), project.start(root, "episode-02")]
    sweeps: list[subprocess.Popen[str]] = []
    while any(build.poll() is None for build in builds):
        sweeps.append(project.start(root, "gc", "--limit", "0"))
        project.finished(sweeps[-1])
    assert [sweep.returncode for sweep in sweeps] == [0] * len(sweeps)
    ends = [project.finished(build) for build in builds]
    assert [end.code for end in ends] == [0, 0], ends
    assert project.published(root) == project.published(undisturbed)


VANISHING = """
import os, shutil, sys
entries = sys.argv[2] + "/build/.store/entries"
hits = []
def hit(event, args):
    if event == "open" and isinstance(args[0], str) and "/.episode-01.mp3." in args[0] and not hits:
        hits.append(shutil.rmtree(entries))
        open(sys.argv[2] + "/hit", "w").close()
sys.addaudithook(hit)
"""
"""Everything goes at the moment at which the chunks are about to be joined, by a hand that knows of no lock."""


def test_entries_that_vanish_in_the_middle_of_a_build_are_made_again(built: Path, tmp_path: Path) -> None:
    root = project.unbuilt(built, tmp_path / "show")
    project.produce(root, setup=VANISHING)
    assert (root / "hit").exists(), "nothing vanished: this test shows nothing"
    assert project.published(root) == project.published(built)
