"""What a second run does: as little as it can, and never anything else than a first run would have made."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from tests.e2e import project
from tests.e2e.conftest import TAKES
from tests.e2e.project import Take

pytestmark = pytest.mark.process

SHORT_CHUNKS = "from audio import runs; runs.CHUNK, runs.SHORTEST, runs.PREROLL = 80, 20, 60"
"""Sections of seconds are cut as sections of minutes are: into chunks that have to be joined."""


def chunks_to_encode(said: str) -> tuple[int, int]:
    found = re.search(r"(\d+) of (\d+) chunks to encode", said)
    assert found, said
    return int(found[1]), int(found[2])


def test_a_second_run_has_nothing_to_do_and_touches_no_file(show: Path) -> None:
    # The copied files are other files to the memory of what was digested: it is written once more.
    project.produce(show)
    before = project.times(show)
    found = project.produce(show)
    assert found.said == "episode-01: nothing to do\n"
    assert found.out == f"{project.mp3(show)}\n"
    assert project.times(show) == before


# -- changes ---------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Change:
    """Something that a producer changes, how many chunks that should cost, and a reason that should be given."""

    make: Callable[[Path], object]
    encoded: int
    of: int
    reason: str


def _title(root: Path) -> None:
    with project.edited(root) as config:
        config["sections"][1]["title"] = "Another title"


def _recording(root: Path) -> None:
    project.record(replace(TAKES[1], hertz=1300, seconds=7.9), project.recordings(root))


def _gap(root: Path) -> None:
    with project.edited(root) as config:
        config["sections"][2]["gap"] = 7
        config["layout"] = {"grid": 0}


def _removed(root: Path) -> None:
    with project.edited(root) as config:
        del config["sections"][1]


def _beheaded(root: Path) -> None:
    with project.edited(root) as config:
        del config["sections"][0]


def _swapped(root: Path) -> None:
    with project.edited(root) as config:
        config["sections"][1:] = reversed(config["sections"][1:])


def _artwork(root: Path) -> None:
    with project.edited(root) as config:
        config["artwork"] = {"colour": "#803010"}


CHANGES = {
    "a title": Change(_title, 0, 3, "chapters"),
    "a recording": Change(_recording, 1, 3, "bravo: bravo.wav changed"),
    "a gap": Change(_gap, 0, 3, "charlie: gap 2.0 -> 7.0"),
    "a section less": Change(_removed, 0, 2, "bravo is gone"),
    # What now opens the file has no silence before it that an encoder could start in.
    "the first section less": Change(_beheaded, 1, 2, "alpha is gone"),
    "another order": Change(_swapped, 0, 3, "episode-01: "),
    "the artwork": Change(_artwork, 0, 3, "cover: "),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_costs_what_it_touches_and_ends_as_a_build_from_scratch_would(name: str, show: Path, tmp_path: Path) -> None:
    change = CHANGES[name]
    chunks, audio = project.chunks(show), project.without_tag(project.mp3(show).read_bytes())
    change.make(show)
    found = project.produce(show)
    assert change.reason in found.said
    assert chunks_to_encode(found.said) == (change.encoded, change.of)
    now = project.chunks(show)
    assert {key: now[key] for key in chunks} == chunks
    assert len(now) - len(chunks) == change.encoded
    if name in ("a title", "the artwork"):
        assert project.without_tag(project.mp3(show).read_bytes()) == audio
    fresh = project.unbuilt(show, tmp_path / "elsewhere" / "fresh")
    project.produce(fresh)
    assert project.published(show) == project.published(fresh)


def test_a_title_is_changed_without_any_work_on_the_sound(show: Path) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in project.entries(show)}
    _title(show)
    project.produce(show)
    assert {path.name: path.stat().st_mtime_ns for path in project.entries(show)} == before


def test_a_chapter_image_that_is_gone_from_the_config_is_gone_from_the_build(show: Path, built: Path) -> None:
    pillow = pytest.importorskip("PIL.Image")
    pillow.new("RGB", (1400, 1400), "#204060").save(show / "image.png")
    with project.edited(show) as config:
        config["sections"][1]["image"] = "image.png"
    project.produce(show)
    assert "episode-01/images/bravo.jpg" in project.published(show)
    digits = hashlib.sha256(project.published(show)["episode-01/images/bravo.jpg"]).hexdigest()[:12]
    image = json.loads(project.published(show)["episode-01/chapters.json"])["chapters"][1]["img"]
    assert image.endswith(f"/episode-01/images/bravo-{digits}.jpg")
    with project.edited(show) as config:
        del config["sections"][1]["image"]
    project.produce(show)
    assert project.published(show) == project.published(built)


# -- damage ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "how"), [("episode-01.mp3", "deleted"), ("report.json", "deleted"), ("episode-01.mp3", "edited"), ("cover.jpg", "edited")]
)
def test_an_output_that_was_deleted_or_edited_is_made_again(name: str, how: str, show: Path, built: Path) -> None:
    path = show / "build" / project.EPISODE / name
    if how == "deleted":
        path.unlink()
    else:
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    found = project.produce(show)
    assert "an output is missing or was changed" in found.said
    assert chunks_to_encode(found.said) == (0, 3)
    assert project.published(show) == project.published(built)


def test_a_folder_that_was_copied_without_its_times_is_still_finished(show: Path) -> None:
    for path in (show / "build" / project.EPISODE).iterdir():
        os.utime(path, (1, 1))
    assert "nothing to do" in project.produce(show).said


def _damage(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) * 3 // 4] ^= 0x10
    path.write_bytes(data)


def test_a_store_in_which_everything_is_damaged_is_made_again(show: Path) -> None:
    with project.edited(show) as config:
        config["music"] = {"sting": "builtin"}
    project.produce(show)
    wanted = project.published(show)
    made = [*project.entries(show), *(path for path in (show / "build" / ".store" / "files").rglob("*") if path.is_file())]
    assert len(made) > 10
    for path in made:
        # Large pictures take a second each to draw, and are kept as everything else is.
        if path.read_bytes()[20:22] != b"\xff\xd8" or path.stat().st_size < 200_000:
            _damage(path)
    project.mp3(show).unlink()
    project.produce(show)
    assert project.published(show) == wanted


def test_one_damaged_chunk_is_encoded_again_and_no_other(show: Path, built: Path) -> None:
    chunks = project.chunks(show)
    (hurt, *_) = chunks
    (path,) = (entry for entry in project.entries(show) if entry.name == hurt)
    _damage(path)
    project.mp3(show).unlink()
    project.produce(show)
    now = project.chunks(show)
    assert {key for key in chunks if now[key] != chunks[key]} == {hurt}
    assert project.published(show) == project.published(built)


# -- the frames of the earlier build ----------------------------------------------------------------------------------------------


@pytest.fixture
def renamed(built: Path, tmp_path: Path) -> dict[str, bytes]:
    """What a title change makes of `built` when nothing is in its way."""
    root = project.copied(built, tmp_path / "renamed")
    _title(root)
    project.produce(root)
    return project.published(root)


def _hurt_sound(root: Path) -> None:
    """Flip a bit of the finished audio; size and time stay."""
    path = project.mp3(root)
    times, audio = path.stat(), project.without_tag(path.read_bytes())
    _damage(path)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert project.without_tag(path.read_bytes()) != audio


def _chunk_files(root: Path) -> list[Path]:
    names = project.chunks(root)
    return [entry for entry in project.entries(root) if entry.name in names]


def test_a_title_change_takes_over_the_old_frames_and_does_not_look_at_the_encoded_chunks(show: Path, renamed: dict[str, bytes]) -> None:
    # Damaged entries are removed by whoever reads them.
    files = _chunk_files(show)
    assert len(files) == 3
    for path in files:
        _damage(path)
    before, audio = [path.read_bytes() for path in files], project.without_tag(project.mp3(show).read_bytes())
    _title(show)
    assert chunks_to_encode(project.produce(show).said) == (0, 3)
    assert [path.read_bytes() for path in files] == before
    assert project.without_tag(project.mp3(show).read_bytes()) == audio
    assert project.published(show) == renamed


def test_a_title_change_needs_no_chunk_in_the_store(show: Path, renamed: dict[str, bytes]) -> None:
    for path in _chunk_files(show):
        path.unlink()
    _title(show)
    said = project.produce(show).said
    assert chunks_to_encode(said) == (0, 3)
    assert "nothing encoded" in said
    assert project.chunks(show) == {}
    assert project.published(show) == renamed


def test_old_frames_that_were_damaged_since_are_encoded_again_when_the_store_has_none(show: Path, renamed: dict[str, bytes]) -> None:
    _hurt_sound(show)
    for path in _chunk_files(show):
        path.unlink()
    _title(show)
    assert "3 chunk(s) encoded" in project.produce(show).said
    assert project.published(show) == renamed


def test_old_frames_that_were_damaged_since_are_not_taken_over(show: Path, renamed: dict[str, bytes]) -> None:
    _hurt_sound(show)
    # Its size and its time are what they were: nothing is to be done, as far as can be seen.
    assert "nothing to do" in project.produce(show).said
    _title(show)
    assert chunks_to_encode(project.produce(show).said) == (0, 3)
    assert project.published(show) == renamed


def test_old_frames_and_a_chunk_that_were_both_damaged_are_made_again(show: Path, renamed: dict[str, bytes]) -> None:
    _hurt_sound(show)
    _damage(_chunk_files(show)[0])
    _title(show)
    project.produce(show)
    assert project.published(show) == renamed


@pytest.mark.parametrize("how", ["gone", "cut off", "longer"])
def test_without_the_whole_old_file_its_frames_come_from_the_store(how: str, show: Path, renamed: dict[str, bytes]) -> None:
    path = project.mp3(show)
    if how == "gone":
        path.unlink()
    else:
        with path.open("ab") as file:
            file.write(bytes(384)) if how == "longer" else file.truncate(path.stat().st_size // 2)
    _title(show)
    assert chunks_to_encode(project.produce(show).said) == (0, 3)
    assert project.published(show) == renamed


def test_a_receipt_of_another_version_is_as_good_as_none(show: Path, built: Path) -> None:
    path = show / "build" / project.EPISODE / ".receipt.json"
    receipt = json.loads(path.read_text())
    del receipt["audio"]
    path.write_text(json.dumps(receipt))
    assert chunks_to_encode(project.produce(show).said) == (0, 3)
    assert project.published(show) == project.published(built)
    assert json.loads(path.read_text())["audio"]["sha256"]


# -- chunks and cores ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def joined(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The episode of `built`, encoded in many short chunks by one core."""
    root = project.unbuilt(built, tmp_path_factory.mktemp("joined") / "show")
    assert chunks_to_encode(project.produce(root, project.EPISODE, "--jobs", "1", setup=SHORT_CHUNKS).said)[0] >= 6
    return root


@pytest.mark.parametrize("jobs", ["2", "8"])
def test_the_number_of_cores_changes_no_byte(jobs: str, joined: Path, tmp_path: Path) -> None:
    root = project.unbuilt(joined, tmp_path / "show")
    project.produce(root, project.EPISODE, "--jobs", jobs, setup=SHORT_CHUNKS)
    assert project.published(root) == project.published(joined)


def test_joined_chunks_sound_like_one_encode(joined: Path, built: Path, ffmpeg: str) -> None:
    whole, pieces = (project.decoded(project.mp3(root), ffmpeg) for root in (built, joined))
    assert whole.shape == pieces.shape
    for placed in project.report(joined)["segments"]:
        inside = slice(placed["start_samples"], placed["start_samples"] + placed["samples"])
        noise = np.sqrt(np.mean((whole[inside] - pieces[inside]) ** 2)) / np.sqrt(np.mean(whole[inside] ** 2))
        assert 20 * np.log10(noise + 1e-9) < -50
        # and nowhere a click: in no millisecond is there a difference to be heard
        assert np.abs(whole[inside] - pieces[inside]).max() < 0.02


@pytest.mark.slow
def test_a_join_that_needs_a_longer_run_up_does_not_depend_on_earlier_builds(built: Path, tmp_path: Path) -> None:
    # One place to look for a join, and a sound whose frames fill the bit reservoir now more, now less.
    tight = "from audio import runs; runs.CHUNK, runs.SHORTEST, runs.PREROLL, runs.WIDE_PREROLL = 60, 20, 31, 59"
    root = project.unbuilt(built, tmp_path / "show")
    _uneven_noise(root)
    said = project.produce(root, setup=tight).said
    asked, first = chunks_to_encode(said)[1], set(project.chunks(root))
    # nothing was encoded again for its loudness
    assert "asks" not in said
    assert len(first) > asked, "no join was hard to find: this test shows nothing"
    assert "nothing to do" in project.produce(root, setup=tight).said
    with project.edited(root) as config:
        config["sections"].reverse()
    project.produce(root, setup=tight)
    fresh = project.unbuilt(root, tmp_path / "fresh")
    project.produce(fresh, setup=tight)
    assert project.published(root) == project.published(fresh)
    assert set(project.chunks(root)) - first <= set(project.chunks(fresh))


def _uneven_noise(root: Path) -> None:
    random = np.random.default_rng(16)
    with project.edited(root) as config:
        del config["sections"][2]
        for section in config["sections"]:
            # so that the limiter, whatever it does, does nothing here
            section["gain"] = 6
    for take in TAKES[:2]:
        samples = random.standard_normal(6 * project.RATE) * 0.05
        samples *= np.repeat(random.uniform(0.01, 1, 6 * 25), project.RATE // 25)
        project.save(samples.reshape(-1, 1), project.recordings(root) / take.file)


def test_runs_at_the_same_time_do_not_disturb_each_other(built: Path, tmp_path: Path, ffmpeg: str) -> None:
    root = project.unbuilt(built, tmp_path / "show")
    project.add_episode(root, 2, [Take("echo", 900, 3.0)], ffmpeg=ffmpeg)
    runs = [project.start(root, name) for name in ("episode-01", "episode-01", "episode-02")]
    ends = [project.finished(child) for child in runs]
    assert [end.code for end in ends] == [0, 0, 0], ends
    assert sorted("nothing to do" in end.said for end in ends[:2]) == [False, True]
    feeds = [f"feeds/{name}.xml" for name in (project.SERIES, project.SHOW)]
    found, alone = project.published(root), project.published(built)
    # What lists episodes lists the other one, too.
    own = [name for name in alone if name not in feeds and not name.startswith("site/")]
    assert {name: found[name] for name in own} == {name: alone[name] for name in own}
    # Whichever came last has seen what the others finished.
    assert [found[name].count(b"<enclosure ") for name in feeds] == [2, 2]
    assert all(f"episodes/episode-0{number}.html".encode() in found["site/index.html"] for number in (1, 2))
