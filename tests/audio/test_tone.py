"""Room tone: what is found is the room and nothing else, and where a recording offers none there is none."""

from __future__ import annotations

import os
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from audio import tone
from audio.profile import STEP, Profiler
from audio.speech import OTHER, PAUSE, SPEECH
from audio.tone import Stretch
from audio.units import RATE
from tests.audio.sounds import Sound

Classes = NDArray[np.int8]
MEDIA = Path(os.environ.get("PRODUCE_MEDIA", "/nowhere"))


def found_in(sound: Sound, classes: Classes) -> Stretch | None:
    profiler = Profiler(sound.shape[1], 2)
    for at in range(0, len(sound), RATE):
        profiler.add([np.ascontiguousarray(side, "f4") for side in sound[at : at + RATE].T])
    profile = profiler.profile()
    return tone.find(profile.level, profile.peak, profile.treble, classes)


def recording(seconds: float, *pauses: tuple[float, float], room: float = 1e-3, seed: int = 8) -> tuple[Sound, Classes]:
    """Loud noise for a voice, in a room whose noise is pink, silent from and until these seconds."""
    chance = np.random.default_rng(seed)
    count = round(seconds * RATE)
    frequency = np.fft.rfftfreq(count, 1 / RATE)
    pink = np.fft.irfft(np.fft.rfft(chance.standard_normal(count)) / np.sqrt(np.maximum(frequency, 50)), count)
    wave = room * pink / pink.std()
    classes = np.full(round(seconds * 10), SPEECH, "i1")
    voice = 0.1 * chance.standard_normal(count)
    for begin, end in pauses:
        classes[round(begin * 10) : round(end * 10)] = PAUSE
        voice[round(begin * RATE) : round(end * RATE)] = 0
    return (wave + voice)[:, None], classes


def within(stretch: Stretch | None, begin: float, end: float) -> bool:
    return stretch is not None and begin * 100 <= stretch.start and stretch.end <= end * 100


def test_the_longest_pause_is_taken_at_its_distance_from_speech() -> None:
    sound, classes = recording(12, (1, 1.5), (4, 6), (9, 9.8))
    stretch = found_in(sound, classes)
    assert within(stretch, 4.15, 5.85)
    assert stretch is not None
    assert stretch.end - stretch.start >= 120
    # -60 dBFS in both channels, and what K-weighting adds to this noise
    assert stretch.level == pytest.approx(-56.3, abs=0.5)


def test_no_more_than_three_seconds_are_taken() -> None:
    sound, classes = recording(14, (2, 12))
    stretch = found_in(sound, classes)
    assert stretch is not None
    assert stretch.end - stretch.start == 300


def click(sound: Sound) -> Sound:
    sound[RATE // 2] += 0.02
    return sound


def breath(sound: Sound) -> Sound:
    count = len(sound)
    shape = np.sin(np.linspace(0, np.pi, RATE // 4))
    sound[count // 3 : count // 3 + len(shape), 0] += 0.005 * shape * np.random.default_rng(2).standard_normal(len(shape))
    return sound


def page(sound: Sound) -> Sound:
    shape = np.exp(-np.arange(RATE // 10) / RATE * 40)
    sound[RATE : RATE + len(shape), 0] += 0.01 * shape * np.diff(np.random.default_rng(3).standard_normal(len(shape) + 1))
    return sound


def swelling(sound: Sound) -> Sound:
    return sound * 10 ** (np.linspace(-8, 8, len(sound)) / 20)[:, None]


@pytest.mark.parametrize("spoil", [click, breath, page, swelling])
def test_a_pause_with_something_in_it_is_left_alone(spoil: object) -> None:
    assert callable(spoil)
    sound, classes = recording(12, (2, 4), (8, 9.2))
    sound[2 * RATE : 4 * RATE] = spoil(sound[2 * RATE : 4 * RATE])
    # what is not spoilt of the pause may be used; what is spoilt is not
    stretch = found_in(sound, classes)
    assert stretch is not None
    spoilt = {click: (2.48, 2.52), breath: (2.72, 2.86), page: (3.0, 3.05), swelling: (2.0, 4.0)}[spoil]
    assert stretch.end <= spoilt[0] * 100 or stretch.start >= spoilt[1] * 100


def test_a_pause_that_is_quieter_than_the_others_is_not_how_the_room_sounds() -> None:
    sound, classes = recording(20, (2, 3), (6, 7), (10, 11), (14, 15.5))
    sound[14 * RATE : 31 * RATE // 2] *= 0.2
    stretch = found_in(sound, classes)
    assert stretch is not None
    assert stretch.end <= 1100
    assert stretch.level == pytest.approx(-56.3, abs=0.5)


def pauses(count: int) -> tuple[NDArray[np.float32], Classes]:
    """Loudness of as many pauses of a second, each after two seconds of speech, and the classes."""
    classes = np.tile(np.repeat(np.array([SPEECH, PAUSE], "i1"), (20, 10)), count)
    return np.where(np.repeat(classes, 10) == SPEECH, -20, -60).astype("f4"), classes


@pytest.mark.parametrize("change", [-12, 12])
def test_where_the_only_even_pause_is_unlike_the_others_there_is_none(change: float) -> None:
    level, classes = pauses(6)
    uneven = level + 6 * np.sin(np.arange(len(level)) / 8).astype("f4")
    assert tone.find(uneven, uneven, uneven, classes) is None
    uneven[500:600] = -60
    assert tone.find(uneven, uneven, uneven, classes) is not None
    uneven[500:600] += change
    assert tone.find(uneven, uneven, uneven, classes) is None


def test_a_rustle_that_only_the_treble_shows_is_no_room() -> None:
    level, classes = pauses(1)
    treble = level - 8
    assert tone.find(level, level, treble, classes) is not None
    treble[240:285:15] += 9
    assert tone.find(level, level, treble, classes) is None
    # so dark a room that it is not heard
    assert tone.find(level, level, treble - 25, classes) is not None


def test_room_beside_music_keeps_further_away_from_it() -> None:
    sound, classes = recording(10, (3, 5))
    classes[50:80] = OTHER
    assert within(found_in(sound, classes), 3.15, 4.5)


def test_silence_before_the_first_sound_does_not_hide_the_room() -> None:
    sound, classes = recording(12, (4, 5.5))
    silence = np.zeros((8 * RATE, 1))
    stretch = found_in(np.concatenate((silence, sound, silence)), np.concatenate((np.zeros(80, "i1"), classes, np.zeros(80, "i1"))))
    assert within(stretch, 12.15, 13.35)


def test_a_recording_that_offers_none_gives_none() -> None:
    pauses = (2.0, 3.5), (6.0, 7.5)
    # silence, and a gate that lets next to nothing through
    for room in (0.0, 1e-6):
        assert found_in(*recording(10, *pauses, room=room)) is None
    # speech without a pause, and pauses too short to stand 150 ms away from it
    assert found_in(*recording(8)) is None
    assert found_in(*recording(8, (2, 2.6), (4, 4.6))) is None
    # nobody speaks
    sound, classes = recording(8, (0, 8))
    assert found_in(sound, classes) is None
    assert found_in(sound, np.full_like(classes, OTHER)) is None
    assert found_in(sound[:0], classes[:0]) is None
    # a third of a second, and a word
    short = np.full(35, -60, "f4")
    assert tone.find(short, short, short, np.array([PAUSE, PAUSE, PAUSE], "i1")) is None
    assert tone.find(short, short, short, np.array([SPEECH, PAUSE, PAUSE], "i1")) is None
    # pauses full of something else
    sound, classes = recording(8, (2, 6))
    sound[2 * RATE : 6 * RATE] *= (1 + 0.9 * np.sin(np.arange(4 * RATE) / RATE * 2 * np.pi * 4))[:, None] * 10
    assert found_in(sound, classes) is None


def test_pauses_that_are_cut_to_silence_more_often_than_not_are_silence() -> None:
    sound, classes = recording(16, (2, 3), (5, 6), (8, 9), (11, 12))
    for begin in (2, 5, 8):
        sound[begin * RATE : (begin + 1) * RATE] = 0
    assert found_in(sound, classes) is None
    # one of them is not: the room is still there
    sound, classes = recording(16, (2, 3), (5, 6), (8, 9), (11, 12))
    sound[2 * RATE : 3 * RATE] = 0
    assert found_in(sound, classes) is not None


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(0, 3000), st.floats(0, 6), st.floats(0.005, 0.3))
def test_whatever_is_found_is_pause_and_nothing_else(seed: int, steps: int, spread: float, change: float) -> None:
    chance = np.random.default_rng(seed)
    blocks = steps // 10
    classes = (np.cumsum(chance.random(blocks) < change) % 2 * chance.integers(1, 3)).astype("i1")
    level = chance.normal(-60, spread, steps).astype("f4")
    stretch = tone.find(level, level + 12, level - 6, classes)
    if stretch is not None:
        assert 40 <= stretch.end - stretch.start <= 300
        near = classes[max(0, (stretch.start - 15) // 10) : -(-(stretch.end + 15) // 10)]
        assert (near == PAUSE).all()
        assert level[stretch.start : stretch.end].min() > -90
        assert stretch.level == pytest.approx(10 * np.log10(np.mean(10 ** (level[stretch.start : stretch.end] / 10.0))), abs=0.02)
    assert tone.find(level, level + 12, level - 6, classes) == stretch


def test_three_hours_are_searched_in_no_time() -> None:
    chance = np.random.default_rng(4)
    classes = np.repeat((chance.random(10_800) < 0.7).astype("i1"), 10)
    level = np.where(np.repeat(classes, 10) == SPEECH, -18, -60) + chance.normal(0, 0.8, 1_080_000)
    level = level.astype("f4")
    began = time.process_time()
    assert tone.find(level, level + 12, level - 6, classes) is not None
    assert time.process_time() - began < 1
    tracemalloc.start()
    tone.find(level, level + 12, level - 6, classes)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 25_000_000


@pytest.mark.process
@pytest.mark.skipif(not (MEDIA / "speech").is_dir(), reason="PRODUCE_MEDIA names no folder with speech")
def test_a_gap_filled_with_real_room_tone_is_even(ffmpeg: str) -> None:
    import subprocess

    for name in ("librivox-sonnet-p002.mp3", "jfk.flac", "two_cities-48k.wav"):
        path = MEDIA / "speech" / name
        raw = subprocess.run(
            [ffmpeg, "-v", "error", "-i", path, "-f", "f32le", "-ar", "48000", "-ac", "1", "-"], capture_output=True, check=True
        ).stdout
        sound = np.frombuffer(raw, "<f4").astype("f8")[:, None]
        blocks = sound[: len(sound) // (RATE // 10) * (RATE // 10), 0].reshape(-1, RATE // 10)
        loud = 10 * np.log10((blocks**2).mean(axis=1) + 1e-12)
        classes = (loud > np.percentile(loud, 75) - 18).astype("i1")
        stretch = found_in(sound, classes)
        assert stretch is not None, name
        room = sound[stretch.start * STEP : stretch.end * STEP, 0]
        tenths = 10 * np.log10((room[: len(room) // 4800 * 4800].reshape(-1, 4800) ** 2).mean(axis=1))
        assert tenths.max() - tenths.min() < 6, name
        assert np.abs(room).max() < 6 * room.std(), name
