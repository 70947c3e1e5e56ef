"""Somebody speaks, a pause, or something else: told from curves, of sounds whose truth is known."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from audio import jingle, loudness, speech
from audio.profile import Profile, Profiler
from audio.sides import apart
from audio.speech import OTHER, PAUSE, SPEECH
from audio.units import RATE
from tests.audio import sounds

Classes = NDArray[np.int8]


def profile(sound: NDArray[np.floating]) -> Profile:
    profiler = Profiler(sound.shape[1], 2)
    profiler.add(apart(sounds.single(sound)))
    return profiler.profile()


def told(sound: NDArray[np.floating]) -> Classes:
    known = profile(sound)
    return speech.tell(known.level, known.momentary, known.treble)


def share(classes: Classes, kind: int) -> float:
    return float((classes == kind).mean())


def noise(seconds: float, level: float = 0.1) -> NDArray[np.float64]:
    return level * np.random.default_rng(4).standard_normal((round(seconds * RATE), 1))


@lru_cache(maxsize=1)
def _intro() -> NDArray[np.float64]:
    return np.asarray(jingle.render("intro"), dtype="f8")[:1].T


def music(seconds: float) -> NDArray[np.float64]:
    """The builtin music, again and again."""
    return np.resize(_intro(), (round(seconds * RATE), 1))


def modem(seconds: float) -> NDArray[np.float64]:
    """Digital radio as a receiver gives it: 17 carriers of 18 ms symbols with a prefix of 2 ms, in noise, fading, and clicking into another gain."""
    random = np.random.default_rng(7)
    symbol, prefix = RATE * 18 // 1000, RATE * 2 // 1000
    tones = np.exp(2j * np.pi * np.outer(np.arange(-prefix, symbol), 19 + np.arange(17)) / symbol)
    bits = random.integers(0, 4, (round(seconds * RATE) // (symbol + prefix), 17))
    clean = np.real(np.exp(1j * np.pi / 2 * bits) @ tones.T).reshape(-1)
    at = np.arange(len(clean)) / RATE
    found = clean * (1 + 0.5 * np.sin(2 * np.pi * at / 11)) + 1.5 * random.standard_normal(len(clean))
    return np.asarray(0.02 * found * np.minimum(1, 0.4 + (at % 7.3)))[:, None]


@pytest.mark.parametrize("level", [0.1, 0.004], ids=["near", "far from the microphone"])
def test_a_voice_is_speech_at_any_level(level: float) -> None:
    classes = told(sounds.speech(40, level=level))
    assert share(classes, SPEECH) > 0.6
    assert share(classes, OTHER) == 0


@pytest.mark.parametrize("sound", [noise, lambda seconds: sounds.tone(seconds, 220.0), music, modem], ids=["noise", "a tone", "music", "a modem"])
def test_what_goes_on_without_syllables_is_something_else(sound: Callable[[float], NDArray[np.float64]]) -> None:
    classes = told(sound(40))
    assert share(classes, SPEECH) == 0
    assert share(classes, OTHER) > 0.9


def test_music_between_two_passages_of_speech_is_told_from_them() -> None:
    whole = np.concatenate((sounds.speech(60), music(40), sounds.speech(60, seed=3)))
    classes = told(whole)
    assert share(classes[:500], SPEECH) > 0.6
    assert share(classes[1100:], SPEECH) > 0.6
    assert share(classes[680:920], OTHER) > 0.9


def test_silence_is_a_pause_and_nothing_is_known_of_its_room() -> None:
    classes = told(np.zeros((20 * RATE, 1)))
    assert share(classes, PAUSE) == 1
    assert speech.floor(profile(np.zeros((20 * RATE, 1))).level, classes) == loudness.FLOOR
    assert speech.speech_level(np.zeros(200, "f4"), classes) == loudness.SILENCE


def test_of_a_few_seconds_it_is_taken_for_granted() -> None:
    assert share(told(sounds.speech(3)), SPEECH) > 0.5


def test_a_pause_is_no_speech_and_says_how_quiet_the_room_is() -> None:
    whole = sounds.speech(30) + noise(30, 10 ** (-62 / 20))
    whole[12 * RATE : 15 * RATE] = noise(3, 10 ** (-62 / 20))
    known, classes = profile(whole), told(whole)
    assert share(classes[123:147], PAUSE) == 1
    quiet = profile(noise(3, 10 ** (-62 / 20))).momentary[10:].mean()
    assert speech.floor(known.level, classes) == pytest.approx(quiet, abs=1.5)


def test_speech_is_measured_without_its_pauses_and_without_music() -> None:
    talk = sounds.speech(60)
    alone, mixed = profile(talk), profile(np.concatenate((talk, np.zeros((30 * RATE, 1)), 0.2 * music(40))))
    wanted = speech.speech_level(alone.momentary, told(talk))
    found = speech.speech_level(mixed.momentary, speech.tell(mixed.level, mixed.momentary, mixed.treble))
    assert found == pytest.approx(wanted, abs=0.5)


def test_it_says_one_thing_for_each_tenth_of_a_second() -> None:
    for seconds in (0.05, 0.25, 5.0, 5.05, 11.3):
        known = profile(sounds.speech(max(seconds, 0.3))[: round(seconds * RATE)])
        assert len(speech.tell(known.level, known.momentary, known.treble)) == len(known.momentary)


@pytest.mark.slow
@pytest.mark.process
def test_real_voices_are_speech(tmp_path: Path) -> None:
    media = Path(os.environ.get("PRODUCE_MEDIA", "/nowhere"))
    if not (media / "speech").is_dir():
        pytest.skip("PRODUCE_MEDIA names no folder with speech")
    from audio import measure, sources
    from audio.pcm import Take

    heard: dict[str, float] = {}
    for path in sorted((media / "speech").iterdir()):
        if path.suffix not in (".wav", ".flac", ".mp3", ".ogg", ".m4a"):
            continue
        found, pcm = measure.measure(Take(sources.probe(path), 2), measure.Cut(), tmp_path)
        pcm.close()
        heard[path.name] = share(speech.tell(found.profile.level, found.profile.momentary, found.profile.treble), SPEECH)
    assert len(heard) > 10
    missed = {name for name, spoken in heard.items() if spoken < 0.3}
    # Its name stands among voices, and what it holds is a modem's signal.
    assert missed == {"codec2-vk2tpm_004.wav"}


def test_runs_of_speech_are_by_turns_silent_and_spoken_and_a_breath_is_no_silence() -> None:
    classes = np.array([0] * 5 + [speech.SPEECH] * 20 + [0] * 6 + [speech.SPEECH] * 4 + [speech.OTHER] * 7 + [speech.SPEECH] * 3, dtype="i1")
    assert speech.spoken(classes) == (5, 30, 7, 3, 0)
    assert speech.spoken(classes[:5]) == (5,)
    assert speech.spoken(classes[5:8]) == (0, 3, 0)
