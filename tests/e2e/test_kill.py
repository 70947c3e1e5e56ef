"""A run that ends early, at any moment and in any way, leaves nothing half done and nothing running."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from tests.e2e import project
from tests.e2e.conftest import TAKES

pytestmark = pytest.mark.process

KILLS = 6


# -- killed ----------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Renewal:
    """A finished episode whose recordings have all changed since: what is there, what is to be, and how long it takes."""

    root: Path
    before: dict[str, bytes]
    after: dict[str, bytes]
    seconds: float


@pytest.fixture(scope="module")
def renewal(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Renewal:
    root = project.copied(built, tmp_path_factory.mktemp("renewal") / "show")
    for take in TAKES:
        project.record(replace(take, hertz=take.hertz + 200, seconds=take.seconds + 1.3), project.recordings(root))
    with project.edited(root) as config:
        config["title"] = "Other tones"
    undisturbed = project.copied(root, root.parent / "undisturbed")
    begun = time.monotonic()
    project.produce(undisturbed)
    return Renewal(root, project.published(root), project.published(undisturbed), time.monotonic() - begun)


def _moments() -> list[float]:
    """Shares of a whole run: one in each stretch of it, wherever in the stretch the seed says."""
    chance = random.Random(14)
    return [round((number + chance.random()) / KILLS, 3) for number in range(KILLS)]


@pytest.mark.parametrize("moment", _moments())
def test_killed_at_any_moment_it_leaves_whole_files_and_the_next_run_ends_as_if_nothing_had_happened(
    moment: float, renewal: Renewal, tmp_path: Path
) -> None:
    root = project.copied(renewal.root, tmp_path / "show")
    child = project.start(root)
    time.sleep(moment * renewal.seconds)
    project.stop(child, signal.SIGKILL)
    assert project.gone_within(root, 2) == []
    for name, data in project.published(root).items():
        if not name.endswith(".part"):
            assert data in (renewal.before.get(name), renewal.after.get(name)), f"{name} is neither the old one nor the new one"
    assert set(renewal.before) <= set(project.published(root))
    project.produce(root)
    assert project.published(root) == renewal.after


def test_killed_while_it_writes_the_finished_file_it_leaves_no_litter_for_good(renewal: Renewal, tmp_path: Path) -> None:
    root = project.copied(renewal.root, tmp_path / "show")
    folder = root / "build" / project.EPISODE
    child = project.start(root)
    _wait(child, lambda: any(folder.glob(".*.mp3.*.part")))
    project.stop(child, signal.SIGKILL)
    assert any(folder.glob(".*.mp3.*.part")), "it was not killed in time: this test shows nothing"
    assert project.mp3(root).read_bytes() == renewal.before["episode-01/episode-01.mp3"]
    project.produce(root)
    # The name of every file is in here: a half-written one would be too many.
    assert project.published(root) == renewal.after


def _wait(child: subprocess.Popen[str], until: Callable[[], bool], seconds: float = 60) -> None:
    """Look again and again, until it is so."""
    end = time.monotonic() + seconds
    while not until():
        assert child.poll() is None, f"it ended before its time: {project.finished(child)}"
        assert time.monotonic() < end, "what was waited for did not come"
        time.sleep(0.002)


# -- interrupted -----------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def long(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with enough to do: two recordings of two minutes, not yet built."""
    root = project.unbuilt(built, tmp_path_factory.mktemp("long") / "show")
    with project.edited(root) as config:
        del config["sections"][2]
    for take in TAKES[:2]:
        noise = np.random.default_rng(take.hertz).standard_normal((24_000 * 110, 1)) * 0.05
        project.save(noise, project.recordings(root) / take.file, rate=24_000)
    return root


def _surveying(root: Path, said: list[str]) -> bool:
    return not said and len(project.programs_of(root)) > 1


def _encoding(_root: Path, said: list[str]) -> bool:
    return any("chunks to encode" in line for line in said)


def _proving(root: Path, _said: list[str]) -> bool:
    return any((root / "build" / project.EPISODE).glob(".*.mp3.*.part"))


@pytest.mark.parametrize(
    ("stage", "number"),
    [(_surveying, signal.SIGHUP), (_encoding, signal.SIGINT), (_encoding, signal.SIGTERM), (_proving, signal.SIGINT)],
)
def test_interrupted_at_any_stage_it_ends_at_once_and_leaves_nothing(
    stage: Callable[[Path, list[str]], bool], number: signal.Signals, long: Path, tmp_path: Path
) -> None:
    root = long if stage is _proving else project.unbuilt(long, tmp_path / "show")
    log = tmp_path / "said.txt"
    child = project.start(root, project.EPISODE, log=log)
    _wait(child, lambda: stage(root, log.read_text("utf-8").splitlines()))
    time.sleep(0.3)
    asked = time.monotonic()
    found = project.stop(child, number)
    assert found.code == 130, log.read_text("utf-8")
    assert time.monotonic() - asked < 2
    assert log.read_text("utf-8").endswith("interrupted; what was finished is kept, and the next run goes on from there\n")
    assert project.programs_of(root) == []
    folder = root / "build" / project.EPISODE
    assert [path.name for path in folder.glob("*")] == []
    assert list((root / "build" / ".store" / "tmp").iterdir()) == []


def test_interrupted_while_it_reads_a_huge_recording_it_ends_at_once(show: Path) -> None:
    with (project.recordings(show) / TAKES[0].file).open("r+b") as file:
        file.truncate(8 << 30)
    child = project.start(show)
    _wait(child, lambda: _reads(child.pid, TAKES[0].file))
    asked = time.monotonic()
    assert project.stop(child, signal.SIGINT).code == 130
    assert time.monotonic() - asked < 2


def _reads(process: int, name: str) -> bool:
    folder = Path(f"/proc/{process}/fd")
    if not folder.is_dir():
        pytest.skip("there is no /proc to look into")
    try:
        return any(path.resolve().name == name for path in folder.iterdir())
    except OSError:
        return False


def test_interrupted_before_it_has_begun_it_says_130_too(show: Path) -> None:
    # The signal comes while the command line is being read: nothing has been started that would have to be ended.
    setup = "\n".join(
        (
            "import os, sys",
            "def hit(event, args):",
            "    event == 'import' and args[0] == 'production.terminal' and os.kill(os.getpid(), 2)",
            "sys.addaudithook(hit)",
        )
    )
    found = project.finished(project.start(show, setup=setup))
    assert (found.code, found.said) == (130, "")
