"""Prints: the same speech is recognised at another level, from another place on, in another format; other speech is not."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
from numpy.typing import NDArray

from audio import prints
from audio.prints import Print
from audio.profile import Profiler
from audio.units import RATE
from benchmarks.sounds import Speaker

Floats = NDArray[np.float64]


@lru_cache(maxsize=4)
def voice(seed: int) -> Floats:
    return Speaker(seed).speech(50)


def print_of(sound: Floats) -> Print:
    profiler = Profiler(1, 2)
    profiler.add([np.ascontiguousarray(sound, "f4")])
    return prints.print_of(profiler.profile())


def shared(sound: Floats, *others: int) -> list[prints.Same]:
    return prints.same({"one": print_of(sound)}, {f"voice {seed}": print_of(voice(seed)) for seed in others})


def test_a_stretch_of_another_recording_is_found_at_another_level_and_place() -> None:
    noise = np.random.default_rng(1).standard_normal(30 * RATE) * 1e-3
    # not on a step's edge, quieter, and in noise: as after an encoder
    taken = voice(1)[10 * RATE + 217 : 40 * RATE + 217] * 0.4 + noise
    (found,) = shared(np.concatenate((voice(0)[: 15 * RATE], taken)), 1, 2)
    assert (found.one, found.other) == ("one", "voice 1")
    assert found.start / RATE == pytest.approx(15, abs=3)
    assert found.end / RATE == pytest.approx(45, abs=3)
    assert (found.there - found.start) / RATE == pytest.approx(-5, abs=0.05)


def test_a_stretch_that_comes_twice_is_found_once() -> None:
    (found,) = shared(np.concatenate((voice(0)[: 30 * RATE], voice(1)[: 8 * RATE], voice(0)[2 * RATE : 28 * RATE])))
    assert (found.one, found.other) == ("one", "one")
    assert (found.there - found.start) / RATE == pytest.approx(36, abs=0.05)
    assert (found.end - found.start) / RATE == pytest.approx(26, abs=4)


def test_less_than_twenty_seconds_are_no_matter() -> None:
    assert shared(np.concatenate((voice(0)[: 20 * RATE], voice(1)[: 14 * RATE])), 1) == []


def test_other_speech_is_other_speech() -> None:
    assert shared(voice(0), 1, 2, 3) == []


def test_what_is_steady_is_like_nothing() -> None:
    time = np.arange(60 * RATE) / RATE
    beat = np.sin(2 * np.pi * 440 * time) * (np.sin(2 * np.pi * 2 * time) > 0)
    assert prints.same({"tone": print_of(np.sin(2 * np.pi * 440 * time)), "beat": print_of(beat), "nothing": print_of(time * 0)}, {}) == []


def test_what_is_kept_is_what_was_found() -> None:
    one = print_of(voice(0))
    again = Print.unpacked(one.packed())
    np.testing.assert_array_equal(again.peaks, one.peaks)
    np.testing.assert_array_equal(again.loudness, one.loudness)
    # ten bytes a second or so
    assert len(one.packed()) < 50 * 20
