"""Music under speech: it goes round in its beat, and a voice always stands as far over it as was asked for."""

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

from audio import bed
from audio.bed import Loop
from audio.profile import STEP, Profile, Profiler
from audio.speech import OTHER, SPEECH
from audio.units import RATE
from tests.audio.sounds import Sound

Singles = NDArray[np.float32]
MEDIA = Path(os.environ.get("PRODUCE_MEDIA", "/nowhere"))

# -- a piece that goes round ------------------------------------------------------------------------------------------------------


def profile(sound: Sound) -> Profile:
    profiler = Profiler(sound.shape[1], 2)
    for at in range(0, len(sound), RATE):
        profiler.add([np.ascontiguousarray(side, "f4") for side in sound[at : at + RATE].T])
    return profiler.profile()


def loop_of(sound: Sound) -> Loop:
    found = profile(sound)
    return bed.loop(found.level, found.peak, found.treble)


def beaten(kind: str, tempo: float, seconds: float, *, begin: float = 0.3, seed: int = 5) -> tuple[Sound, list[int]]:
    """Clicks or drums in four at ``tempo`` beats a minute, and the samples that the beats begin with."""
    chance = np.random.default_rng(seed)
    count, beat = round(seconds * RATE), 60 / tempo * RATE
    t = np.arange(RATE * 3 // 10) / RATE
    kick = np.sin(2 * np.pi * (50 * t - np.exp(-t * 30))) * np.exp(-t * 14)
    snare = chance.standard_normal(len(t)) * np.exp(-t * 20) * 0.4
    hat = np.diff(chance.standard_normal(len(t) + 1)) * np.exp(-t * 60) * 0.15
    click = np.sin(2 * np.pi * 1000 * t) * np.exp(-t * 120)
    wave = chance.standard_normal(count + RATE) * 1e-4
    beats = [round(begin * RATE + n * beat) for n in range(int((seconds - begin) * RATE / beat) + 1)]
    for n, at in enumerate(beats):
        half = at + round(beat / 2)
        struck = {"click": [(at, click)], "drums": [(at, snare if n % 2 else kick), (at, hat), (half, hat)]}[kind]
        if kind == "drums" and n % 4 == 3:
            struck.append((half, kick))
        for place, sound in struck:
            if place < count:
                wave[place : place + len(t)] += sound
    return 0.4 * wave[:count, None], [at for at in beats if at < count]


def rounds(sound: Sound, where: Loop) -> tuple[Sound, int]:
    """What is heard: the piece up to its seam, and again from its start; and the sample that the seam is at."""
    start, end, lap = where.start * STEP, where.end * STEP, where.lap * STEP
    turn = ((np.arange(lap) + 0.5) / max(lap, 1) * np.pi / 2)[:, None]
    heard = sound[:end].copy()
    heard[end - lap :] = heard[end - lap :] * np.cos(turn) + sound[start - lap : start] * np.sin(turn)
    return np.concatenate((heard, sound[start:end])), end


TEMPI = (61.7, 72.0, 83.3, 97.0, 120.0, 133.1, 161.9, 178.0)


@pytest.mark.parametrize("kind", ["click", "drums"])
@pytest.mark.parametrize("tempo", TEMPI)
def test_the_beat_goes_on_across_the_seam(kind: str, tempo: float) -> None:
    sound, _ = beaten(kind, tempo, 20, begin=0.2 + tempo % 0.7)
    where = loop_of(sound)
    beats = (where.end - where.start) / (6000 / tempo)
    assert abs(beats - round(beats)) * 60 / tempo <= 0.01
    assert beats * 60 / tempo > 12


@pytest.mark.parametrize("tempo", TEMPI[1::3])
def test_drums_go_round_in_whole_bars(tempo: float) -> None:
    sound, _ = beaten("drums", tempo, 30, seed=11)
    where = loop_of(sound)
    bars = (where.end - where.start) / (4 * 6000 / tempo)
    assert abs(bars - round(bars)) * 4 * 60 / tempo <= 0.01


def test_the_beat_of_the_whole_piece_counts_where_its_ends_have_none() -> None:
    for seed in range(8):
        chance = np.random.default_rng(seed)
        level = chance.normal(-40, 1, 6000).astype("f4")
        # for ten seconds at either end somebody drums as he likes
        beats = np.arange(1000, 5000, 60)
        for at in (*beats, *chance.integers(0, 980, 17), *chance.integers(5000, 5980, 17)):
            level[at : at + 6] = -18 - 3 * np.arange(6)
        where = bed.loop(level, level + 10, level - 15)
        assert abs((where.end - where.start + 30) % 60 - 30) <= 6


@pytest.mark.parametrize("tempo", [66.6, 97.0, 150.0])
def test_clicks_are_heard_in_time_where_it_goes_round(tempo: float) -> None:
    sound, _ = beaten("click", tempo, 20)
    heard, seam = rounds(sound, loop_of(sound))
    loud = np.flatnonzero(np.abs(heard[:, 0]) > 0.15)
    clicks = loud[np.flatnonzero(np.diff(loud, prepend=-RATE) > RATE // 10)]
    apart = np.diff(clicks) / RATE
    assert clicks[0] < seam < clicks[-1]
    assert np.abs(apart - 60 / tempo).max() <= 0.011


def test_the_seam_lies_in_the_quiet_just_before_a_drum() -> None:
    sound, _ = beaten("drums", 97, 15)
    where, level = loop_of(sound), profile(sound).level
    assert where.lap == 5
    assert level[where.start + 1 : where.start + 4].mean() > level[where.start - 5 : where.start].mean() + 10


def test_fades_and_the_silence_at_the_end_are_left_out() -> None:
    sound, _ = beaten("drums", 120, 40)
    steps = np.arange(len(sound)) / RATE
    fade = np.interp(steps, [0, 6, 30, 38], [0, 1, 1, 0])[:, None]
    where = loop_of(np.concatenate((sound * fade, np.zeros((2 * RATE, 1)))))
    # 4 dB of a fade are heard by nobody; its second half is
    assert where.start >= 400
    assert where.end <= 3400
    assert where.end - where.start >= 2000


def test_what_keeps_on_alike_goes_round_almost_whole() -> None:
    sound, _ = beaten("drums", 97, 60)
    where = loop_of(sound)
    assert where.end - where.start >= 5200


def test_a_drone_gets_a_long_crossfade_at_one_level() -> None:
    chance = np.random.default_rng(3)
    t = np.arange(40 * RATE) / RATE
    swell = np.interp(t, [0, 5, 33, 40], [0, 1, 1, 0])
    drone = (0.2 * np.sin(2 * np.pi * 110 * t) + 0.1 * np.sin(2 * np.pi * 164.8 * t) + 0.01 * chance.standard_normal(len(t))) * swell
    where = loop_of(drone[:, None])
    level = profile(drone[:, None]).level
    assert where.lap == 150
    assert where.end - where.start > 2400
    assert abs(level[where.start - 150 : where.start].mean() - level[where.end - 150 : where.end].mean()) < 1


@pytest.mark.parametrize("steps", [0, 1, 4, 30, 100, 149, 150, 200, 350])
def test_a_short_piece_goes_round_nearly_whole(steps: int) -> None:
    level = (-20 + np.random.default_rng(steps).normal(0, 0.5, steps)).astype("f4")
    where = bed.loop(level, level + 12, level - 15)
    assert where.end - where.start >= 0.7 * steps
    assert where.start >= where.lap


def test_a_click_alone_is_not_made_a_buzz_and_a_note_that_dies_away_comes_again_as_a_whole() -> None:
    click = np.full(3000, -120, "f4")
    click[:5] = -10
    assert bed.loop(click, click, click).end == 150
    dying = (-10 - np.arange(3000) * 0.03).astype("f4")
    where = bed.loop(dying, dying, dying)
    assert where.end - where.start > 1200


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(1, 900), st.sampled_from([0.0, 0.3, 4.0, 25.0]), st.sampled_from([0.0, 0.05, -0.05]))
def test_any_piece_goes_round_within_itself(seed: int, steps: int, spread: float, slope: float) -> None:
    chance = np.random.default_rng(seed)
    level = np.clip(-30 + chance.normal(0, spread, steps) + slope * np.arange(steps), -120, 0).astype("f4")
    where = bed.loop(level, level + 10, level - 12)
    assert 0 <= where.lap <= where.start < where.end <= steps
    assert where.lap <= where.end - where.start
    assert bed.loop(level, level + 10, level - 12) == where


def test_three_hours_of_music_take_no_time_and_little_memory() -> None:
    level = (-20 + np.random.default_rng(1).normal(0, 4, 1_080_000)).astype("f4")
    tracemalloc.start()
    bed.loop(level, level, level)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 25_000_000
    began = time.process_time()
    bed.loop(level, level, level)
    assert time.process_time() - began < 1


@pytest.mark.process
@pytest.mark.skipif(not (MEDIA / "music").is_dir(), reason="PRODUCE_MEDIA names no folder with music")
def test_real_music_has_no_dip_and_no_bump_where_it_goes_round(ffmpeg: str) -> None:
    import subprocess

    tried = 0
    for path in sorted((MEDIA / "music").iterdir()):
        raw = subprocess.run(
            [ffmpeg, "-v", "error", "-i", path, "-f", "f32le", "-ar", "48000", "-ac", "2", "-"], capture_output=True, check=True
        ).stdout
        sound = np.frombuffer(raw, "<f4").reshape(-1, 2).astype("f8")
        if len(sound) < 20 * RATE:
            continue
        tried += 1
        where = loop_of(sound)
        assert where.end - where.start >= len(sound) / STEP / 3, path.name
        heard, seam = rounds(sound, where)
        # 100 ms at a time, from a second before the seam on: what is heard lies between what the piece has at the seam and what it has at the start
        near, at_end, at_start = (
            tenths(wave[max(0, at - RATE) : at + RATE // 2]) for wave, at in ((heard, seam), (sound, seam), (sound, where.start * STEP))
        )
        count = min(len(near), len(at_end), len(at_start))
        near, at_end, at_start = (values[-count:] if where.start * STEP >= RATE else values[:count] for values in (near, at_end, at_start))
        assert (near - np.maximum(at_end, at_start)).max() < 1.5, path.name
        assert (np.minimum(at_end, at_start) - near).max() < 1.5, path.name
    assert tried


def tenths(wave: Sound) -> NDArray[np.float64]:
    """dB of the 100 ms from each 10 ms on."""
    energy = (wave[: len(wave) // STEP * STEP] ** 2).sum(axis=1).reshape(-1, STEP).sum(axis=1)
    found: NDArray[np.float64] = 10 * np.log10(np.convolve(energy, np.ones(10), "valid") + 1e-9)
    return found


# -- under a voice ----------------------------------------------------------------------------------------------------------------


def spoken(seconds: float, *when: tuple[float, float]) -> NDArray[np.int8]:
    """Speech from and until these seconds."""
    classes = np.zeros(round(seconds * 10), "i1")
    for begin, end in when:
        classes[round(begin * 10) : round(end * 10)] = SPEECH
    return classes


def talk(classes: NDArray[np.int8], level: float = -16.0, spread: float = 4.0, seed: int = 2) -> Singles:
    """A voice that is as loud as that where it speaks, with syllables, and its room."""
    chance = np.random.default_rng(seed)
    syllables = np.repeat(chance.normal(0, spread, len(classes)), 10)
    return np.where(np.repeat(classes, 10) == SPEECH, level + syllables, -65).astype("f4")


def music(steps: int, level: float = -20.0, seed: int = 3) -> Singles:
    return (level + np.random.default_rng(seed).normal(0, 3, steps)).astype("f4")


def test_the_bed_is_down_before_the_first_word_and_up_again_after_the_last() -> None:
    classes = spoken(30, (10, 20))
    gain = bed.duck(talk(classes, spread=0), classes, np.full(3000, -20, "f4"))
    moving = np.flatnonzero((gain < -0.1) & (gain > gain[990] + 0.1))
    fall, rise = moving[moving < 1000], moving[moving > 2000]
    assert not gain[:900].any()
    assert gain[980] == pytest.approx(-16.5, abs=0.6)
    assert 30 <= len(fall) <= 50
    assert fall[-1] < 980
    assert gain[980:2120].max() - gain[980:2120].min() < 0.5
    assert rise[0] >= 2120
    assert 100 <= len(rise) <= 150
    assert not gain[2270:].any()


def test_a_breath_between_words_lifts_nothing_and_a_long_rest_does() -> None:
    classes = spoken(40, (5, 10), (12.5, 20), (30, 35))
    gain = bed.duck(talk(classes), classes, music(4000))
    between = gain[1000:1250]
    assert between.max() - between.min() < 3
    assert between.max() < -15
    assert not gain[2270:2900].any()


def test_the_bed_follows_the_speaker_and_not_his_syllables() -> None:
    classes = spoken(60, (0, 60))
    voice = talk(classes)
    voice[3000:] -= 12
    gain = bed.duck(voice, classes, music(6000, -20))
    assert np.abs(np.diff(gain)).max() < 0.1
    assert gain[1000:2500].mean() - gain[3500:5000].mean() == pytest.approx(12, abs=2)


def test_a_bed_that_is_quiet_enough_and_one_without_a_voice_play_as_they_are() -> None:
    classes = spoken(20, (5, 15))
    assert not bed.duck(talk(classes), classes, music(2000, -60)).any()
    assert not bed.duck(talk(classes), np.zeros(200, "i1"), music(2000)).any()
    assert not bed.duck(talk(classes), np.full(200, OTHER, "i1"), music(2000)).any()
    assert len(bed.duck(np.zeros(0, "f4"), np.zeros(0, "i1"), np.zeros(0, "f4"))) == 0


def test_a_second_is_measured_where_there_is_speech_in_it() -> None:
    classes = spoken(4, (0, 1), (2.5, 3))
    voice, under = talk(classes, spread=0), np.full(400, -40, "f4")
    found = bed.over_per_second(voice, classes, under)
    assert found[0] == pytest.approx(24, abs=0.5)
    assert np.isnan(found[[1, 3]]).all()
    # 400 ms at either edge of it are not all speech
    assert found[2] == pytest.approx(24 - 1, abs=0.1)
    # loud only where nobody speaks
    under[:200] = -10
    assert bed.over_per_second(voice, classes, under)[2] == found[2]
    # what cannot be heard is no speech
    assert np.isnan(bed.over_per_second(voice - 60, classes, under)).all()


def test_it_does_not_matter_where_the_seconds_begin() -> None:
    chance = np.random.default_rng(6)
    classes = np.concatenate((np.zeros(20, "i1"), (np.cumsum(chance.random(900) < 0.06) % 2).astype("i1")))
    voice, under = talk(classes, spread=8), music(len(classes) * 10)
    after = under + bed.duck(voice, classes, under)
    assert np.nanmin(bed.over_per_second(voice, classes, after)) < 20.5
    for cut in range(1, 10):
        assert np.nanmin(bed.over_per_second(voice[cut * 10 :], classes[cut:], after[cut * 10 :])) >= 19.99


@settings(max_examples=120)
@given(
    seed=st.integers(0, 2**32 - 1),
    steps=st.integers(1, 6000),
    over=st.sampled_from([6.0, 12.0, 20.0, 30.0]),
    change=st.floats(0.002, 0.5),
    spread=st.floats(0, 12),
    loud=st.floats(-45, 0),
    hold=st.sampled_from([0.0, 1.2, 3.0]),
)
def test_in_every_second_with_speech_the_voice_lies_as_far_over_the_bed_as_asked(
    seed: int, steps: int, over: float, change: float, spread: float, loud: float, hold: float
) -> None:
    chance = np.random.default_rng(seed)
    blocks = steps // 10
    classes = (np.cumsum(chance.random(blocks) < change) % 2 + (chance.random(blocks) < 0.02)).astype("i1")
    voice = talk(np.append(classes, 0), spread=spread, seed=seed)[:steps] + np.float32(chance.uniform(-10, 10))
    under = np.clip(np.repeat(chance.normal(loud, 6, blocks + 1), 10)[:steps], -120, 3).astype("f4")
    gain = bed.duck(voice, classes, under, over, hold=hold)
    found = bed.over_per_second(voice, classes, under + gain)
    assert len(found) == -(-steps // 100)
    assert len(gain) == steps
    assert (gain <= 0).all()
    if not np.isnan(found).all():
        assert np.nanmin(found) >= over - 0.1
    if steps > 1:
        assert np.abs(np.diff(gain)).max() <= 1.5


def test_three_hours_are_ducked_in_no_time() -> None:
    chance = np.random.default_rng(4)
    classes = np.repeat((chance.random(10_800) < 0.8).astype("i1"), 10)
    voice, under = talk(classes), music(1_080_000)
    began = time.process_time()
    bed.over_per_second(voice, classes, under + bed.duck(voice, classes, under))
    assert time.process_time() - began < 1
    tracemalloc.start()
    bed.duck(voice, classes, under)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 20_000_000
