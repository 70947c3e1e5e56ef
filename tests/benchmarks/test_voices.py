"""Where words begin and end is found without asking what is measured, and what is missing of them is seen."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import material, voices
from benchmarks.voices import WORD
from tests.audio import sounds
from tests.audio.sounds import RATE

ROOM = 10 ** (-60 / 20)


def said(start: float, end: float, seconds: float = 10.0) -> np.ndarray:
    """A voice in a room that speaks from ``start`` to ``end`` (seconds)."""
    sound = np.random.default_rng(2).standard_normal(round(seconds * RATE)) * ROOM
    # without the breaths of the other tests' voice, and with both its ends loud
    voice = np.resize(sounds.speech(2)[RATE // 2 : RATE, 0], round((end - start) * RATE))
    sound[round(start * RATE) : round(end * RATE)] += voice
    return sound


@pytest.mark.parametrize(("start", "end"), [(1.0, 8.0), (0.0, 10.0), (0.4, 9.95)])
def test_speech_is_found_where_it_is(start: float, end: float) -> None:
    begins, ends = voices.spoken(said(start, end))
    assert begins == pytest.approx(start * RATE, abs=RATE // 20)
    assert ends == pytest.approx(end * RATE, abs=RATE // 20)


def test_what_is_missing_of_a_word_is_missing_from_its_energy() -> None:
    sound = said(1.0, 8.0)
    begins, _ = voices.spoken(sound)
    cut = sound.copy()
    cut[: begins + WORD // 2] = 0
    assert voices.energy(sound, begins) - voices.energy(cut, begins) > 2
    assert voices.energy(sound, -WORD) < -100


@pytest.mark.process
def test_every_recording_is_a_section_of_both_episodes(tmp_path: Path) -> None:
    takes = [tmp_path / "A Voice_1.wav", tmp_path / "b.wav"]
    silent = voices.project(tmp_path / "show", takes[:1], takes[1:])
    assert silent == ["b", "noise"]
    for episode in (voices.CHAINED, voices.PLAIN):
        config = json.loads((tmp_path / "show" / "configs" / "episodes" / f"{episode}.yaml").read_text("utf-8"))
        assert [section["slug"] for section in config["sections"]] == ["a-voice-1", "b", "noise"]
        assert {section.get("gain") for section in config["sections"][1:]} == ({0} if episode == voices.PLAIN else {None})
    assert len(list((tmp_path / "show" / "configs" / "episodes").iterdir())) == 2
    assert material.read_config(tmp_path / "show" / "configs" / "show.yaml")["title"]
