"""What a recording is known by: levels of sounds whose level is known, however they come, and the same again after they were kept."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from audio.loudness import FLOOR
from audio.profile import STEP, Profile, Profiler, from_curve, to_curve
from audio.sides import apart
from audio.units import RATE, Samples
from tests.audio.sounds import Sound, single, speech, tone
from tests.audio.test_meter import changing, cut, measured

CURVES = ("peak", "level", "treble", "rumble")


def profile(sound: Sound, heard: int = 2, sizes: int | Sequence[int] = 65_536) -> Profile:
    profiler = Profiler(sound.shape[1], heard)
    for block in cut(single(sound), sizes):
        profiler.add(apart(block))
    return profiler.profile(Samples(17), Samples(23))


def same(one: Profile, other: Profile) -> bool:
    pairs = ((getattr(one, each.name), getattr(other, each.name)) for each in fields(Profile))
    return all(a.tobytes() == b.tobytes() if isinstance(a, np.ndarray) else a == b for a, b in pairs)


# -- sounds whose level is known --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("channels", "heard", "lufs"), [(2, 2, -23.0), (1, 2, -23.0), (1, 1, -26.01)])
def test_a_tone_is_as_loud_in_every_10_ms_as_the_standard_says(channels: int, heard: int, lufs: float) -> None:
    # BS.1770: 997 Hz at -23 dBFS on both sides is at -23 LUFS
    found = profile(tone(2, 997, channels, level=10 ** (-23 / 20)), heard)
    assert np.abs(found.level[20:] - lufs).max() < 0.1
    assert np.abs(found.momentary[5:] - lufs).max() < 0.05
    assert np.abs(found.peak + 23).max() < 0.05
    assert found.rms == pytest.approx([-26.01] * channels, abs=0.01)
    assert found.dc == pytest.approx([0.0] * channels, abs=1e-4)


def test_momentary_values_are_those_of_the_meter() -> None:
    sound = changing(4.03)
    assert profile(sound).momentary == pytest.approx(measured(sound), abs=0.006)


@pytest.mark.parametrize("pitch", [100, 300, 1000, 3000, 6500, 10_000, 20_000])
def test_treble_is_what_bends_quickly(pitch: float) -> None:
    found = profile(tone(1, pitch, level=0.25)).treble[:-1]
    # a sine's second difference is 4 sin^2(pi f / rate) of itself; at 6.5 kHz it keeps its RMS
    share = (math.sin(math.pi * pitch / RATE) / math.sin(math.pi * 6_500 / RATE)) ** 2
    # at 100 Hz there is one period in 10 ms, less what the difference needs
    assert np.abs(found - 20 * math.log10(0.25 / math.sqrt(2) * share)).max() < 0.1


def test_treble_of_noise_and_of_two_sides_is_their_mean() -> None:
    noise = 0.1 * np.random.default_rng(14).standard_normal((5 * RATE, 2))
    energy = 10 ** (profile(noise).treble / 10)
    # weights 1, -2, 1: six times the energy
    wanted = 0.01 * 6 / (4 * math.sin(math.pi * 6_500 / RATE) ** 2) ** 2
    assert 10 * math.log10(energy.mean() / wanted) == pytest.approx(0.0, abs=0.1)
    noise[:, 1] = 0
    half = 10 ** (profile(noise).treble / 10)
    assert 10 * math.log10(half.mean() / wanted) == pytest.approx(-3.01, abs=0.1)


def test_rumble_is_what_lies_under_a_voice() -> None:
    voice, low = tone(2, 300, level=0.3), tone(2, 10, level=0.1)
    assert profile(voice).rumble.max() < -90
    found = 10 ** (profile(voice + low + 0.2).rumble / 10)
    # the offset is no rumble; 10 Hz is there but for what is lost over 10 ms
    assert 10 * math.log10(found.mean()) == pytest.approx(20 * math.log10(0.1 / math.sqrt(2)), abs=0.2)


def test_offset_and_level_of_each_channel() -> None:
    sound = np.hstack((tone(3, 440, level=0.5) + 0.03, np.full((3 * RATE, 1), -0.001)))
    found = profile(sound)
    assert found.dc == pytest.approx([0.03, -0.001], abs=1e-6)
    assert found.rms == pytest.approx([10 * math.log10(0.125 + 0.0009), -60.0], abs=0.01)
    assert profile(np.hstack((tone(1, 440), np.zeros((RATE, 1))))).rms[1] == FLOOR


@pytest.mark.parametrize("seconds", [3.0, 3.777])
def test_one_channel_heard_from_both_sides_is_as_two_that_are_alike(seconds: float) -> None:
    once = speech(seconds)
    mono, stereo = profile(once), profile(np.repeat(once, 2, axis=1))
    for name in (*CURVES, "momentary"):
        assert getattr(mono, name) == pytest.approx(getattr(stereo, name), abs=0.011)
    assert stereo.dc == pytest.approx(mono.dc * 2)
    assert stereo.rms == mono.rms * 2


def test_silence_is_at_the_floor_and_so_is_what_is_no_number() -> None:
    sound = np.zeros((RATE, 2))
    for name in (*CURVES, "momentary"):
        assert set(getattr(profile(sound), name).tolist()) == {FLOOR}
    sound[30_000] = np.nan
    found = profile(sound)
    for name in (*CURVES, "momentary"):
        assert set(getattr(found, name).tolist()) == {FLOOR}


# -- however the samples come -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sizes", [480, 4801, RATE, (7, 100_000), (1, 479, 4800, 3)], ids=str)
@pytest.mark.parametrize("channels", [1, 2])
def test_how_the_samples_come_changes_nothing(channels: int, sizes: int | Sequence[int]) -> None:
    sound = (changing(3.05) if channels == 2 else speech(3.05)) + 0.01
    whole, found = profile(sound, sizes=1 << 40), profile(sound, sizes=sizes)
    assert (found.length, found.lead, found.trail) == (whole.length, 17, 23)
    for name in (*CURVES, "momentary"):
        assert getattr(found, name) == pytest.approx(getattr(whole, name), abs=0.011)
    assert found.dc == pytest.approx(whole.dc, abs=1e-7)
    assert found.rms == pytest.approx(whole.rms, abs=0.011)


@pytest.mark.parametrize("length", [0, 1, 2, STEP - 1, STEP, STEP + 1, 4799, 4800, 4801, 10 * RATE + 77])
@pytest.mark.parametrize("channels", [1, 2])
def test_of_any_length_there_is_a_value_for_every_10_ms_that_was_begun(channels: int, length: int) -> None:
    found = profile(np.full((length, channels), 0.25))
    assert found.length == length
    assert {len(getattr(found, name)) for name in CURVES} == {-(-length // STEP)}
    assert len(found.momentary) == length // 4800
    assert found.peak == pytest.approx([20 * math.log10(0.25)] * len(found.peak), abs=0.006)
    assert found.dc == pytest.approx([0.25 if length else 0.0] * channels)
    assert found.rms == pytest.approx([20 * math.log10(0.25) if length else FLOOR] * channels, abs=0.006)
    # an offset is no rumble, in the last step neither
    assert found.rumble.max(initial=FLOOR) < -100
    assert all(getattr(found, name).dtype == np.float32 for name in (*CURVES, "momentary"))


def test_what_the_meter_does_not_hear_at_the_end_has_a_level_too() -> None:
    sound = speech(2.99)
    shorter, longer = profile(sound[: -9 * STEP]).level, profile(sound).level
    steady = profile(tone(2.09, 997, 2, level=10 ** (-23 / 20))).level[-9:]
    assert np.abs(steady + 26.7).max() < 0.1
    assert shorter.tolist() == longer[: len(shorter)].tolist()
    left = longer[len(shorter) :]
    assert len(left) == 9
    # by its plain peak: within some dB of what it is when the meter hears it
    assert np.abs(left - profile(np.concatenate((sound, sound))).level[len(shorter) : len(longer)]).max() < 12


def test_values_are_hundredths() -> None:
    found = profile(changing(2.3))
    for name in (*CURVES, "momentary"):
        curve = getattr(found, name).astype("f8") * 100
        assert np.abs(curve - np.rint(curve)).max() < 2e-3


# -- kept -------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sound", [changing(3.05), speech(1.234) + 0.01, np.zeros((3000, 2)), np.zeros((0, 1))], ids=["stereo", "mono", "short", "none"]
)
def test_a_profile_that_was_kept_is_the_same(sound: Sound) -> None:
    once = profile(sound)
    again = Profile.unpacked(once.packed())
    assert same(again, once)
    assert again.packed() == once.packed()


@pytest.mark.parametrize("spoilt", [b"", b"x", b"12\n", b"99999999\n{}", b'2\n{}"', b'13\n{"counts": 1}abc', b"3\nnul", b"4\nnull"], ids=repr)
def test_anything_else_is_refused(spoilt: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  whatever it says of it
        Profile.unpacked(spoilt)


def test_an_hour_is_a_few_megabytes() -> None:
    chance = np.random.default_rng(1)
    curve: NDArray[np.float32] = chance.normal(-40, 12, 360_000).astype("f4")
    hour = Profile(Samples(3600 * RATE), curve, curve + 1, curve - 9, curve - 30, curve[:36_000], (0.0,), (-20.0,), Samples(0), Samples(0))
    # noise is the worst there is
    assert len(hour.packed()) < 3_000_000


def test_a_curve_that_does_nothing_is_no_text() -> None:
    assert from_curve(np.zeros(1000, "f4")) == from_curve(np.zeros(0, "f4")) == from_curve(np.full(5, 0.004, "f4")) == ""
    assert to_curve("").tolist() == []


@given(st.lists(st.integers(-30_000, 30_000), min_size=1).filter(any))
def test_a_curve_comes_back_from_its_text_to_the_hundredth(hundredths: list[int]) -> None:
    curve = (np.array(hundredths) / 100).astype("f4")
    text = from_curve(curve)
    assert text.isascii()
    assert to_curve(text).dtype == np.float32
    assert np.rint(to_curve(text).astype("f8") * 100).tolist() == hundredths
    # and the same text from what came back
    assert from_curve(to_curve(text)) == text


def test_what_changes_slowly_takes_little_room() -> None:
    hour = (6 * np.sin(np.arange(360_000) / 3000)).astype("f4")
    assert len(from_curve(hour)) < 30_000
