"""Loudness of a whole from the blocks of its parts, against the values that EBU Tech 3341 states for its test signals."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audio import loudness


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
