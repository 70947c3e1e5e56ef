"""Loudness of a whole from the blocks of its parts, against the values that EBU Tech 3341 states for its test signals."""

from __future__ import annotations

import math
import re
import subprocess

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audio import loudness
from audio.meter import Meter
from audio.sides import apart
from audio.units import RATE
from tests.audio.sounds import raw, single, speech


def seconds_of(*stretches: tuple[float, float]) -> list[float]:
    """Blocks of (LUFS, seconds)."""
    return [level for level, length in stretches for _ in range(round(length * loudness.BLOCKS_PER_SECOND))]


@pytest.mark.parametrize(
    ("blocks", "expected"),
    [
        (seconds_of((-23, 20)), -23.0),
        (seconds_of((-33, 20)), -33.0),
        (seconds_of((-36, 10), (-23, 60), (-36, 10)), -23.0),
        (seconds_of((-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)), -23.0),
        (seconds_of((-26, 20), (-20, 20.1), (-26, 20)), -23.0),
    ],
)
def test_the_signals_of_tech_3341_measure_what_it_says(blocks: list[float], expected: float) -> None:
    assert loudness.integrated(blocks) == pytest.approx(expected, abs=0.1)


def test_silence_has_no_loudness() -> None:
    assert loudness.integrated([]) == -math.inf
    assert loudness.integrated([-120.0, -70.0]) == -math.inf
    assert loudness.integrated([-120.0, -69.9]) == pytest.approx(-69.9)


@settings(max_examples=40)
@given(st.lists(st.lists(st.floats(-120, 0), max_size=30), min_size=1, max_size=5))
def test_the_whole_lies_between_its_quietest_and_its_loudest_block_in_any_order(parts: list[list[float]]) -> None:
    blocks = [block for part in parts for block in part]
    whole = loudness.integrated(blocks)
    audible = [block for block in blocks if block > -70]
    if audible:
        assert min(audible) - 1e-9 <= whole <= max(audible) + 1e-9
    assert loudness.integrated(reversed(blocks)) == pytest.approx(whole)


def test_short_term_loudness_is_the_mean_energy_of_three_seconds() -> None:
    found = loudness.short_term(np.array(seconds_of((-23, 5), (-33, 5))))
    assert len(found) == 100
    assert (found[:29] == loudness.FLOOR).all()
    assert found[29:50] == pytest.approx(-23.0)
    # half of the window lies in either
    assert found[63] == pytest.approx(10 * math.log10((10**-2.3 + 10**-3.3) / 2), abs=0.3)
    assert found[80:] == pytest.approx(-33.0)
    assert (loudness.short_term(np.full(29, -20.0)) == loudness.FLOOR).all()
    assert loudness.short_term(np.full(50, loudness.FLOOR)) == pytest.approx(loudness.FLOOR)


@pytest.mark.parametrize(
    ("blocks", "expected"),
    [
        (seconds_of((-20, 20), (-30, 20)), 10.0),
        (seconds_of((-20, 20), (-15, 20)), 5.0),
        (seconds_of((-40, 20), (-20, 20)), 20.0),
        (seconds_of((-50, 20), (-35, 20), (-20, 20), (-35, 20), (-50, 20)), 15.0),
    ],
)
def test_the_range_of_the_signals_of_tech_3342_is_what_it_says(blocks: list[float], expected: float) -> None:
    # it allows 1 LU
    assert loudness.loudness_range(loudness.short_term(np.array(blocks))) == pytest.approx(expected, abs=0.3)


def test_silence_has_no_range() -> None:
    assert loudness.loudness_range(np.full(100, loudness.FLOOR)) is None
    assert loudness.loudness_range(np.zeros(0)) is None
    assert loudness.loudness_range(np.full(3, -23.0)) == 0.0


@pytest.mark.process
def test_the_range_is_the_one_that_another_meter_gives(ffmpeg: str) -> None:
    piece = speech(5, 2)
    sound = np.concatenate([piece * factor for factor in (1, 1, 0.2, 0.2, 2, 2, 0.5, 0.5, 0.8, 0.8)])
    meter = Meter(2)
    meter.add(apart(single(sound)))
    head = [ffmpeg, "-nostdin", "-hide_banner", "-f", "f32le", "-ar", str(RATE), "-ac", "2", "-i", "pipe:0"]
    said = subprocess.run([*head, "-af", "ebur128=framelog=verbose", "-f", "null", "-"], input=raw(sound), check=True, capture_output=True)
    theirs = re.search(r"LRA: +([\d.]+) LU", said.stderr.decode().split("Summary:")[1])
    assert theirs
    assert float(theirs[1]) > 8
    assert loudness.loudness_range(loudness.short_term(meter.blocks)) == pytest.approx(float(theirs[1]), abs=0.5)
