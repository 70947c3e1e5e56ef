"""Voices in rooms, by default settings: as loud as each other, with the room and no silence between them, and what is no voice as it was."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from tests.audio.sounds import Sound, speech
from tests.e2e import project
from tests.e2e.project import RATE, Floats, Take
from tests.e2e.test_start import SAY, loaded

pytestmark = pytest.mark.process

TAKES = (Take("ann", 0), Take("bob", 0), Take("hiss", 0), Take("raw", 0))
SECONDS = 14
DEFAULT: dict[str, dict[str, object]] = {"voice": {}, "trim": {}, "fades": {}, "layout": {"grid": 0}}
"""What the projects of the other tests say of these, unsaid."""


def spoken(seed: int, level: float, noise: float = -66.0) -> Sound:
    """Somebody who speaks three seconds out of four, in a room whose noise has this RMS in dBFS."""
    voice = speech(SECONDS, seed=seed, level=level)
    room = np.random.default_rng(seed).standard_normal(voice.shape) * 10 ** (noise / 20)
    speaks = np.arange(len(voice)) % (4 * RATE) < 3 * RATE
    return voice * speaks[:, None] + room


@pytest.fixture(scope="module")
def voices(tmp_path_factory: pytest.TempPathFactory, ffmpeg: str) -> Path:
    """A voice, a quieter one, a section of noise, and one that nobody is to touch; built."""
    root = project.make(tmp_path_factory.mktemp("voices") / "show", TAKES, ffmpeg=ffmpeg, defaults=DEFAULT)
    # without the highest treble, which the encoder leaves out
    hiss = np.convolve(np.random.default_rng(7).standard_normal(5 * RATE), np.ones(8), "same")[:, None]
    hiss *= 10 ** (-45 / 20) / hiss.std()
    for take, sound in zip(TAKES, (spoken(3, 0.05), spoken(4, 0.02), hiss, spoken(5, 0.01)), strict=True):
        project.save(sound, project.recordings(root) / take.file, "wav24", ffmpeg=ffmpeg)
    with project.edited(root) as config:
        config["sections"][3]["chain"] = "none"
    project.produce(root)
    return root


@pytest.fixture(scope="module")
def sound(voices: Path, ffmpeg: str) -> Floats:
    return project.decoded(project.mp3(voices), ffmpeg)


def segments(root: Path) -> dict[str, dict[str, object]]:
    return {one["name"]: one for one in project.report(root)["segments"]}


def heard(sound: Floats, root: Path, name: str) -> Floats:
    """What is under a section."""
    one = next(chapter for chapter in project.report(root)["chapters"] if chapter["slug"] == name)
    return sound[one["section_start_samples"] : one["section_end_samples"]]


def test_voices_are_as_loud_as_each_other(voices: Path, sound: Floats, ffmpeg: str) -> None:
    levels = [project.loudness(heard(sound, voices, name), ffmpeg) for name in ("ann", "bob")]
    assert levels == pytest.approx([-16, -16], abs=0.5)
    assert project.report(voices)["measured"]["true_peak_dbtp"] <= -1
    assert {segments(voices)[name]["chain"] for name in ("ann", "bob")} == {"voice"}


def test_noise_is_not_lifted_and_is_said_to_be_no_voice(voices: Path, sound: Floats) -> None:
    found = segments(voices)["hiss"]
    assert found["gain_db"] == 0
    assert str(found["chain"]).startswith("linear: nobody speaks in it")
    # as loud as it was recorded, on either side
    assert 20 * np.log10(heard(sound, voices, "hiss")[RATE:-RATE, 0].std()) == pytest.approx(-45, abs=0.5)


def test_no_sample_of_an_untouched_section_is_changed(voices: Path, sound: Floats) -> None:
    found, wanted = heard(sound, voices, "raw")[:, 0], spoken(5, 0.01)[:, 0]
    assert segments(voices)["raw"]["gain_db"] == 0
    begins = round(float(str(segments(voices)["raw"]["trimmed_head_s"])) * RATE)
    wanted = wanted[begins : begins + len(found)]
    assert np.sum(found * wanted) / np.sum(wanted**2) == pytest.approx(1.0, abs=0.01)


def test_between_two_rooms_there_is_no_silence_and_no_step(voices: Path, sound: Floats) -> None:
    one, other = (next(c for c in project.report(voices)["chapters"] if c["slug"] == name) for name in ("ann", "bob"))
    start, end = one["section_end_samples"], other["section_start_samples"]
    assert 1.9 * RATE < end - start < 2.1 * RATE
    for name in ("ann", "bob"):
        assert float(str(segments(voices)[name]["room_tone_s"])) >= 0.4
    gap = sound[start:end, 0]
    levels = 10 * np.log10(np.square(gap[: len(gap) // 4800 * 4800].reshape(-1, 4800)).mean(axis=1))
    # each room as loud as its own gain makes it: 8 dB and 16 dB over what was recorded
    rooms = [-66 + float(str(segments(voices)[name]["gain_db"])) for name in ("ann", "bob")]
    assert levels[:2].mean() == pytest.approx(rooms[0], abs=2.5)
    assert levels[-2:].mean() == pytest.approx(rooms[1], abs=2.5)
    assert np.abs(np.diff(levels)).max() < 3
    # a section that nobody is to touch gives no room, and beside noise there is none
    assert np.abs(sound[-RATE // 4 :]).max() < 1e-4


def test_what_is_finished_loads_nothing(voices: Path, tmp_path: Path) -> None:
    root = project.copied(voices, tmp_path / "show")
    project.produce(root)
    idle = project.produce(root, setup=SAY)
    assert "nothing to do" in idle.said
    assert loaded(idle.said) == []


def test_another_gap_costs_what_stands_beside_it_and_ends_as_a_build_from_scratch_would(voices: Path, tmp_path: Path) -> None:
    root = project.copied(voices, tmp_path / "show")
    chunks = project.chunks(root)
    with project.edited(root) as config:
        config["sections"][1]["gap"] = 5
    found = re.search(r"(\d+) of (\d+) chunks to encode", project.produce(root).said)
    assert found
    # the gap with the first seconds of what comes after it; the sections' own chunks are those of before
    assert int(found[1]) == 1
    assert {key: project.chunks(root)[key] for key in chunks} == chunks
    fresh = project.unbuilt(root, tmp_path / "elsewhere" / "fresh")
    project.produce(fresh, project.EPISODE, "--jobs", "1")
    assert project.published(root) == project.published(fresh)
