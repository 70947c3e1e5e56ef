"""The channel strip: each of its parts does what it says and nothing else, and every sample is the same wherever reading began."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audio import blockfilter, strip
from audio.profile import STEP, from_curve
from audio.strip import UNTOUCHED, Strip, Tape
from audio.units import RATE, Db
from tests.audio.held import Held
from tests.audio.sounds import Sound, speech, tone
from tests.audio.test_blockfilter import recursion

LENGTH = 6 * RATE + 4321
BLOCK = 2 * RATE
"""What the high-pass works on at once."""
STEPS = -(-LENGTH // STEP)


def walk(low: float, high: float, seed: int) -> str:
    """A curve over the whole length that wanders between two levels."""
    knots = np.random.default_rng(seed).uniform(low, high, STEPS // 20 + 2)
    return from_curve(np.interp(np.arange(STEPS), np.arange(len(knots)) * 20, knots).astype("f4"))


def dips() -> str:
    """Sibilants: 60 to 120 ms of reduction here and there; one of them over the edge of a block, one at either end."""
    curve = np.zeros(STEPS, dtype="f4")
    for at in (0, 57, 195, 300, 396, 555, STEPS - 6):
        curve[at : at + 6 + at % 7] = -6.0
    return from_curve(curve)


CURVES = {"deess": dips(), "ride": walk(-5, 5, 14)}


def tape(sound: Sound, done: Strip, gain: float = 0.0) -> Tape:
    return Tape(Held(sound), len(sound), done, Db(gain))


def through(sound: Sound, done: Strip, gain: float = 0.0) -> np.ndarray:
    return tape(sound, done, gain).read(0, len(sound))


# -- from anywhere ----------------------------------------------------------------------------------------------------------------

COMBINATIONS = [
    (channels, Strip(side, dc[:channels], high_pass, CURVES["deess"] * deess, CURVES["ride"] * ride))
    for channels, side, dc, high_pass, deess, ride in product((1, 2), (None, 1), ((), (0.02, -0.03)), (0.0, 80.0), (0, 1), (0, 1))
    if channels == 2 or side is None
]


def named(combination: tuple[int, Strip]) -> str:
    channels, done = combination
    parts = [name for name in ("dc", "high_pass", "deess", "ride") if getattr(done, name)] + ["side"] * (done.side is not None)
    return " ".join([("mono", "stereo")[channels - 1], *(parts or ["untouched"])])


@cache
def recorded(channels: int) -> Sound:
    """A voice with hiss, on an offset; at first both sides are alike, as far as there are two."""
    sound = speech(LENGTH / RATE, channels) + 0.02 * np.random.default_rng(3).standard_normal((LENGTH, channels)) + 0.02
    sound[: BLOCK + 30_000] = sound[: BLOCK + 30_000, :1]
    return sound


@cache
def whole(channels: int, done: Strip) -> np.ndarray:
    return through(recorded(channels), done, -1.5)


near_edges = st.builds(lambda block, off: block * BLOCK + off, st.integers(0, 3), st.integers(-300, 300))
positions = st.one_of(st.integers(0, LENGTH), near_edges).map(lambda at: min(max(at, 0), LENGTH))
stretches = st.tuples(positions, positions).map(sorted).filter(lambda ends: ends[0] < ends[1])
short = st.builds(lambda at, size: [at, min(LENGTH, at + size)], positions.filter(lambda at: at < LENGTH), st.integers(1, 2000))


@pytest.mark.parametrize("combination", COMBINATIONS, ids=named)
@settings(max_examples=6)
@given(st.lists(st.one_of(stretches, short, short), min_size=2, max_size=4))
def test_any_stretch_is_that_stretch_of_the_whole(combination: tuple[int, Strip], asked: list[list[int]]) -> None:
    channels, done = combination
    # one after the other on the same tape, which keeps the blocks it has filtered
    same = tape(recorded(channels), done, -1.5)
    for first, last in asked:
        assert same.read(first, last).tobytes() == whole(channels, done)[first:last].tobytes()


@pytest.mark.parametrize("combination", COMBINATIONS, ids=named)
def test_every_part_is_heard(combination: tuple[int, Strip]) -> None:
    channels, done = combination
    found = whole(channels, done)
    assert found.shape == (LENGTH, channels)
    assert found.dtype == np.float32
    for part, nothing in (("side", None), ("dc", ()), ("high_pass", 0.0), ("deess", ""), ("ride", "")):
        if getattr(done, part) != nothing:
            without = whole(channels, replace(done, **{part: nothing}))
            # what a high-pass leaves of an offset is next to nothing
            at = slice(RATE // 2) if part == "dc" and done.high_pass else slice(None)
            assert np.abs(found - without)[at].max() > 1e-3


@pytest.mark.parametrize("channels", [1, 2])
def test_what_is_read_is_the_callers_own(channels: int) -> None:
    for done in (UNTOUCHED, Strip(high_pass=80.0), Strip(ride=CURVES["ride"]), Strip(deess=CURVES["deess"])):
        again = tape(recorded(channels), done)
        first = again.read(1000, 2000)
        wanted = first.tobytes()
        first[:] = 7.0
        assert again.read(1000, 2000).tobytes() == wanted


# -- the parts --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channels", [1, 2])
def test_the_untouched_strip_gives_the_very_samples(channels: int) -> None:
    sound = recorded(channels)
    assert through(sound, UNTOUCHED).tobytes() == Held(sound).sound.tobytes()


def test_a_gain_is_linear_and_is_the_same_with_a_curve() -> None:
    sound = recorded(1)
    for ride, db in (("", -7.3), (from_curve(np.full(STEPS, 2.0, "f4")), -5.3)):
        assert np.abs(through(sound, Strip(ride=ride), -7.3) - Held(sound).sound * 10 ** (db / 20)).max() < 1e-7


@pytest.mark.parametrize("side", [0, 1])
def test_the_channel_that_is_not_dead_stands_for_both(side: int) -> None:
    sound = np.hstack((tone(1, 440), tone(1, 1000)))
    found = through(sound, Strip(side=side))
    assert found[:, 0].tobytes() == found[:, 1].tobytes() == Held(sound).sound[:, side].tobytes()


def test_an_offset_is_taken_from_each_channel() -> None:
    sound = np.hstack((tone(1, 440) + 0.1, tone(1, 1000) - 0.05))
    found = through(sound, Strip(dc=(0.1, -0.05)))
    assert np.abs(found - np.hstack((tone(1, 440), tone(1, 1000)))).max() < 1e-7
    assert np.abs(found.mean(axis=0)).max() < 1e-6


def test_the_tone_of_a_room_is_repaired_and_does_not_follow_the_voice() -> None:
    everything = Strip(1, (0.1, 0.2), 80.0, CURVES["deess"], CURVES["ride"])
    assert everything.room == Strip(1, (0.1, 0.2), 80.0)


def level(samples: np.ndarray) -> float:
    """RMS in dBFS."""
    return 10 * math.log10(float(np.mean(np.square(samples, dtype="f8"))))


@pytest.mark.parametrize("pitch", [20, 40, 80, 200, 1000])
@pytest.mark.parametrize("corner", [40.0, 80.0, 120.0, 300.0])
def test_the_high_pass_is_a_butterworth_of_fourth_order(corner: float, pitch: float) -> None:
    sound = tone(5, pitch, level=0.7)
    # whole periods, with the edges of two blocks among them
    found = through(sound, Strip(high_pass=corner))[RATE:]
    wanted = -10 * math.log10(1 + (corner / pitch) ** 8)
    assert level(found) - level(sound[RATE:]) == pytest.approx(wanted, abs=0.1)


@pytest.mark.parametrize("corner", [40.0, 80.0])
def test_where_a_block_ends_nothing_is_heard_of_it(corner: float) -> None:
    # rumble and an offset are what a filter remembers longest
    sound = 0.05 * speech(4.5) + tone(4.5, 15, level=0.6) + 0.2
    wanted = recursion(Held(sound).sound[:, 0], blockfilter.high_pass(corner))
    assert np.abs(through(sound, Strip(high_pass=corner))[:, 0] - wanted).max() < 3e-6


@pytest.mark.parametrize(
    ("pitch", "least", "most"),
    [
        (100, -0.01, 0.01),
        (1000, -0.02, 0.01),
        (2000, -0.1, 0.01),
        (3000, -0.7, 0.0),
        (7000, -12.1, -11.5),
        (10_000, -12.1, -11.5),
        (16_000, -12.1, -11.5),
    ],
)
def test_the_de_esser_only_touches_what_lies_above_3_khz(pitch: float, least: float, most: float) -> None:
    sound = tone(1, pitch)
    found = through(sound, Strip(deess=from_curve(np.full(100, -12.0, "f4"))))
    assert least <= level(found[480:-480]) - level(sound[480:-480]) <= most


def test_where_the_de_esser_has_nothing_to_do_the_samples_are_the_very_samples() -> None:
    curve = np.zeros(STEPS, "f4")
    curve[100:110] = -6.0
    sound = recorded(2)
    found, plain = through(sound, Strip(deess=from_curve(curve))), Held(sound).sound
    # the lines begin in the middle of the step before, and end in the middle of the one after
    first, last = 99 * STEP + STEP // 2, 110 * STEP + STEP // 2
    assert found[: first + 1].tobytes() == plain[: first + 1].tobytes()
    assert found[last:].tobytes() == plain[last:].tobytes()
    assert (found[first + 1 : last] != plain[first + 1 : last]).any(axis=1).mean() > 0.99


# -- curves -----------------------------------------------------------------------------------------------------------------------


def test_between_knots_there_are_straight_lines() -> None:
    values = np.array([0.0, -6.0, 6.0, 3.0], "f4")
    found = strip.lines(values, Db(-1.0), 0, 4 * STEP).astype("f8")
    knots = 10 ** ((values.astype("f8") - 1) / 20)
    middles = np.arange(4) * STEP + STEP // 2
    assert found[middles] == pytest.approx(knots, rel=1e-6)
    assert np.abs(found / np.interp(np.arange(4 * STEP), middles, knots) - 1).max() < 1e-6
    # before the first and after the last it stays
    assert found[: STEP // 2] == pytest.approx(knots[0])
    assert found[middles[-1] :] == pytest.approx(knots[-1])


@settings(max_examples=40)
@given(st.integers(0, 10 * STEP - 1), st.integers(1, 5 * STEP))
def test_lines_are_the_same_from_anywhere(first: int, size: int) -> None:
    values = np.random.default_rng(1).uniform(-9, 9, 8).astype("f4")
    # a curve that is shorter than what it stands over stays as it ends
    wanted = strip.lines(values, Db(2.0), 0, 15 * STEP)
    assert strip.lines(values, Db(2.0), first, first + size).tobytes() == wanted[first : first + size].tobytes()


def test_a_ride_is_its_lines_times_the_samples() -> None:
    sound, curve = recorded(2), strip.curve(CURVES["ride"])
    wanted = Held(sound).sound.astype("f8") * np.interp(np.arange(LENGTH), np.arange(STEPS) * STEP + STEP // 2, 10 ** (curve / 20))[:, None]
    assert np.abs(through(sound, Strip(ride=CURVES["ride"])) - wanted).max() < 1e-5


def test_samples_times_gains_are_that_in_every_channel() -> None:
    samples, gains = Held(recorded(2)).sound[:1000], np.linspace(0, 2, 1000, dtype="f4")
    assert strip.times(samples, gains).tobytes() == (samples * gains[:, None]).tobytes()
