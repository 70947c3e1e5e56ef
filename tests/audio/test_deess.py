"""De-essing: what is sharp is taken down, by how much, and what is left alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from audio import deess
from audio.profile import Profiler, from_curve
from audio.sides import apart
from audio.speech import OTHER, PAUSE, SPEECH
from audio.strip import Strip, Tape
from audio.units import RATE, Db
from tests.audio.held import Held
from tests.audio.sounds import Sound, speech

Array = NDArray[np.float32]
VOICE = -20.0
EVERY = 70
"""Steps from one s to the next."""
LONG = 9


def voice(sharp: float, seconds: float = 20.0, loud: float = VOICE) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Level and treble of somebody who speaks at ``loud`` LUFS and whose s has ``sharp`` dB more treble than that; and which steps are an s."""
    steps = round(seconds * 10) * 10
    ess = np.arange(steps) % EVERY >= EVERY - LONG
    level = np.where(ess, loud + sharp + 3, loud).astype("f4")
    treble = np.where(ess, loud + sharp, loud - 27).astype("f4")
    return level, treble, ess


def classes(level: Array, kind: int = SPEECH) -> NDArray[np.int8]:
    return np.full(len(level) // 10, kind, dtype="i1")


@pytest.mark.parametrize("loud", [-14.0, -20.0, -45.0])
@pytest.mark.parametrize(("sharp", "taken"), [(-12.0, 0.0), (-7.0, 0.0), (-4.0, 1.5), (-1.0, 3.5), (6.0, 6.0)])
def test_an_ordinary_s_is_left_alone_and_a_sharp_one_is_tamed(sharp: float, taken: float, loud: float) -> None:
    level, treble, ess = voice(sharp, loud=loud)
    curve = deess.deess(level, treble, classes(level))
    assert curve[ess].mean() == pytest.approx(-taken, abs=0.6)
    # between them the band is as it was, but for the slopes
    away = np.convolve(ess, np.ones(11), "same") == 0
    assert (curve[away] == 0).all()


def test_no_more_is_taken_than_was_allowed() -> None:
    level, treble, _ = voice(12.0)
    assert [float(deess.deess(level, treble, classes(level), most).min()) for most in (0.0, 2.0, 6.0)] == [0.0, -2.0, -6.0]


@pytest.mark.parametrize("kind", [PAUSE, OTHER])
def test_what_nobody_speaks_in_keeps_its_treble(kind: int) -> None:
    level, treble, _ = voice(0.0)
    assert not deess.deess(level, treble, classes(level, kind)).any()
    both = np.concatenate((classes(level), classes(level, kind)))
    curve = deess.deess(np.tile(level, 2), np.tile(treble, 2), both)
    assert curve[: len(level)].any()
    assert not curve[len(level) + 5 :].any()


def test_a_click_and_the_tip_of_a_t_pass() -> None:
    level, treble, _ = voice(-20.0)
    level[100::100], treble[100::100] = -12, -14
    assert not deess.deess(level, treble, classes(level)).any()
    level[101::100], treble[101::100] = -12, -14
    assert deess.deess(level, treble, classes(level)).any()


def test_a_loud_vowel_with_much_treble_is_no_sibilant() -> None:
    level, treble, _ = voice(-20.0)
    treble[:] = level - 20
    level[500:508], treble[500:508] = VOICE + 8, VOICE - 4.5
    assert not deess.deess(level, treble, classes(level)).any()
    treble[500:508] = VOICE - 3
    assert deess.deess(level, treble, classes(level)).any()


def test_a_quiet_speaker_beside_a_loud_one_is_measured_by_what_is_around_him() -> None:
    level, treble, ess = voice(0.0)
    curve = deess.deess(np.concatenate((level, level - 12)), np.concatenate((treble, treble - 12)), np.tile(classes(level), 2))
    one, other = (curve[part][ess] for part in (slice(0, len(level)), slice(len(level), None)))
    assert one.mean() == pytest.approx(other.mean(), abs=0.4)


def test_loud_music_between_words_is_no_part_of_the_voice() -> None:
    level, treble, ess = voice(0.0)
    spoken = classes(level)
    spoken[20::30] = OTHER
    there = np.repeat(spoken == OTHER, 10)
    alone = deess.deess(level, treble, spoken)
    level[there], treble[there] = VOICE + 20, VOICE - 20
    beside = deess.deess(level, treble, spoken)
    assert alone[ess].any()
    assert np.array_equal(alone, beside)


def test_it_sets_in_and_lets_go_by_slopes() -> None:
    level, treble, ess = voice(3.0)
    curve = deess.deess(level, treble, classes(level))
    assert np.abs(np.diff(curve)).max() <= 1.51
    begins = int(np.flatnonzero(ess)[0])
    assert curve[begins] == curve[begins + LONG - 1] == curve.min()
    assert curve[begins - 5] == 0
    assert curve[begins + LONG + 5] == 0


def test_a_long_recording_is_treated_piece_by_piece_as_it_would_be_in_one(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = np.random.default_rng(14)
    level, treble, _ = voice(0.0)
    treble += chance.normal(0, 4, len(treble)).astype("f4")
    spoken = (np.arange(len(level) // 10) % 17 > 3).astype("i1")
    whole = deess.deess(level, treble, spoken)
    assert whole.any()
    monkeypatch.setattr(deess, "_AT_ONCE", 3)
    assert np.abs(deess.deess(level, treble, spoken) - whole).max() <= 0.0101


@pytest.mark.parametrize("steps", [0, 1, 9, 10, 11, 107])
def test_every_length_has_its_curve_and_silence_has_nothing_sharp(steps: int) -> None:
    silence = np.full(steps, -120.0, "f4")
    curve = deess.deess(silence, silence, np.full(steps // 10, SPEECH, "i1"))
    assert curve.dtype == np.float32
    assert curve.tolist() == [0.0] * steps


@settings(max_examples=150)
@given(
    st.lists(st.tuples(st.sampled_from([PAUSE, SPEECH, OTHER]), st.integers(1, 25), st.integers(-120, 0), st.integers(-50, 30)), max_size=12),
    st.integers(0, 9),
    st.sampled_from([0.0, 1.0, 6.0, 12.0]),
    st.integers(0, 1 << 32),
)
def test_whatever_comes_the_curve_keeps_its_bounds(runs: list[tuple[int, int, int, int]], rest: int, most: float, seed: int) -> None:
    chance = np.random.default_rng(seed)
    count = sum(blocks for _, blocks, _, _ in runs) * 10 + rest
    level = np.full(count, -30.0)
    treble = np.full(count, -30.0)
    spoken = np.zeros(count // 10, dtype="i1")
    at = 0
    for kind, blocks, lufs, brightness in runs:
        level[at * 10 : (at + blocks) * 10] = lufs
        treble[at * 10 : (at + blocks) * 10] = lufs + brightness
        spoken[at : at + blocks] = kind
        at += blocks
    level, treble = (np.clip(values + chance.normal(0, 6, count), -120, 300).astype("f4") for values in (level, treble))
    curve = deess.deess(level, treble, spoken, most)
    assert curve.shape == level.shape
    assert curve.dtype == np.float32
    assert np.isfinite(curve).all()
    assert (curve <= 0).all()
    assert (curve >= -most).all()
    assert np.abs(np.diff(curve)).max(initial=0.0) <= 1.511
    assert not np.signbit(curve[curve == 0]).any()
    assert np.array_equal(curve, np.rint(curve * 100).astype("f4") / np.float32(100))
    assert np.array_equal(curve, deess.deess(level.copy(), treble.copy(), spoken.copy(), most))
    # outside of speech only the way back
    said = np.append(np.repeat(spoken == SPEECH, 10), np.zeros(rest, dtype=bool))
    near = np.convolve(said, np.ones(19), "full")[9 : 9 + count] > 0 if count else said
    assert (curve[~near] == 0).all()


# -- through the strip, as one hears it -------------------------------------------------------------------------------------------


def band(sound: Sound, first: int, last: int) -> float:
    """Level above 4.5 kHz of steps [first, last), in dB."""
    part = sound[first * 480 : last * 480, 0]
    power = np.abs(np.fft.rfft(part)) ** 2
    return float(10 * np.log10(power[np.fft.rfftfreq(len(part), 1 / RATE) > 4500].sum()))


@pytest.mark.parametrize("channels", [1, 2])
def test_an_s_too_sharp_loses_treble_and_the_vowels_beside_it_do_not(channels: int) -> None:
    chance = np.random.default_rng(14)
    sound = speech(6, channels, level=0.1).copy()
    hiss = np.fft.rfft(chance.standard_normal(RATE // 10))
    hiss[np.fft.rfftfreq(RATE // 10, 1 / RATE) < 5000] = 0
    ess = np.fft.irfft(hiss)
    ess *= 0.14 / np.sqrt(np.mean(ess**2))
    places = (100, 250, 420)
    for at in places:
        sound[at * 480 : at * 480 + len(ess)] = ess[:, None]
    profiler = Profiler(channels, 2)
    profiler.add(apart(sound.astype("f4")))
    profile = profiler.profile()
    curve = deess.deess(profile.level, profile.treble, np.full(60, SPEECH, dtype="i1"))
    after = Tape(Held(sound), len(sound), Strip(deess=from_curve(curve)), Db(0.0)).read(0, len(sound)).astype("f8")
    for at in places:
        assert -7 < band(after, at + 1, at + 9) - band(sound, at + 1, at + 9) < -3
        assert band(after, at - 30, at - 6) == pytest.approx(band(sound, at - 30, at - 6), abs=0.05)
