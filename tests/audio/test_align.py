"""Where tracks of one conversation lie: found to a fraction of a millisecond from bleed, and refused where there is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audio import align
from audio.align import Found, Place, Unrelated
from audio.units import RATE
from tests.audio.talks import Mono, listened, monologues, recorded, turns

SECONDS = 32.0
WAY = 0.009


@pytest.fixture(scope="module")
def three() -> list[Mono]:
    return monologues(SECONDS, 3)


@pytest.fixture(scope="module")
def said(three: list[Mono]) -> list[Mono]:
    return turns(three[:2], (0, 1))


def aligned(folder: Path, first: Mono, other: Mono, apart: float | None = None) -> Found | Unrelated:
    one, two = listened(first, folder), listened(other, folder)
    try:
        return align.align(one, two, apart)
    finally:
        one.white.close()
        two.white.close()


def off(found: Found | Unrelated, offset: float, drift: float) -> float:
    """Seconds by which the place is wrong, at most, over the whole session."""
    assert isinstance(found, Found)
    ends = np.array([max(0.0, offset), SECONDS])
    return float(np.abs(found.place.within(ends) - Place(offset, drift * 1e-6).within(ends)).max())


@pytest.mark.parametrize(
    ("offset", "drift", "more"),
    [(1.37, 40.0, {}), (-3.21, -80.0, {}), (0.5, 0.0, {"seconds": 20.0}), (7.0, 200.0, {"level": -20.0})],
    ids=["late", "early and slow", "ends early", "quiet and fast"],
)
def test_with_bleed_in_both_directions_the_way_falls_out(tmp_path: Path, said: list[Mono], offset: float, drift: float, more: dict[str, Any]) -> None:
    first = recorded(said, 0, bleed={1: -30}, way=WAY)
    found = aligned(tmp_path, first, recorded(said, 1, offset=offset, drift=drift, bleed={0: -30}, way=WAY, **more))
    assert off(found, offset, drift) < 0.0005
    assert isinstance(found, Found)
    assert found.heard
    assert found.way == pytest.approx(WAY, abs=2e-4)
    assert found.agreeing >= 0.8 * found.windows


@pytest.mark.parametrize("mine", [True, False], ids=["the other hears the first", "the first hears the other"])
def test_with_bleed_in_one_direction_the_way_is_taken_from_the_distance(tmp_path: Path, said: list[Mono], mine: bool) -> None:
    first = recorded(said, 0, bleed={} if mine else {1: -30}, way=WAY)
    other = recorded(said, 1, offset=1.37, drift=40, bleed={0: -30} if mine else {}, way=WAY)
    found = aligned(tmp_path, first, other)
    assert isinstance(found, Found)
    assert not found.heard
    assert found.way == pytest.approx(2 / 343)
    # 9 ms are 3.1 m: two metres are right within 5 ms
    assert off(found, 1.37, 40) == pytest.approx(WAY - 2 / 343, abs=3e-4)
    assert off(aligned(tmp_path, first, other, apart=WAY * 343), 1.37, 40) < 0.0003


def test_a_guest_who_says_little_is_no_less_his_own_speaker(tmp_path: Path, three: list[Mono]) -> None:
    said = turns(three[:2], (0, 0, 0, 0, 0, 0, 1, 0))
    found = aligned(tmp_path, recorded(said, 0), recorded(said, 1, offset=2.0, bleed={0: -30}, way=WAY), apart=WAY * 343)
    assert off(found, 2.0, 0) < 0.0005


def test_what_both_hear_from_elsewhere_comes_from_nowhere_in_particular(tmp_path: Path, three: list[Mono]) -> None:
    said = turns(three, (0, 2, 1))
    first, other = recorded(said, 0, bleed={2: 0}), recorded(said, 1, offset=4.0, drift=-60, bleed={2: 0})
    found = aligned(tmp_path, first, other)
    assert off(found, 4.0, -60) < 0.0005
    assert isinstance(found, Found)
    assert found.way == 0


def clapped(sound: Mono, moments: list[float], level: float) -> Mono:
    found = sound.copy()
    for number, moment in enumerate(moments):
        clap = np.random.default_rng(number).standard_normal(RATE // 5) * np.exp(-np.arange(RATE // 5) / (RATE / 30))
        found[round(moment * RATE) : round(moment * RATE) + len(clap)] += level * clap
    return found


def test_three_claps_are_enough_for_the_offset_and_not_for_the_drift(tmp_path: Path, said: list[Mono]) -> None:
    claps = [2.9, 3.5, 4.3]
    first, other = clapped(recorded(said, 0), claps, 0.6), clapped(recorded(said, 1, offset=1.25), [at - 1.25 for at in claps], 0.3)
    found = aligned(tmp_path, first, other)
    assert off(found, 1.25, 0) < 0.001
    assert isinstance(found, Found)
    assert not found.drifts
    assert found.place.drift == 0


def test_turns_without_a_common_sound_are_no_correlation(tmp_path: Path, said: list[Mono]) -> None:
    """Two who talk with each other and are in two rooms with headphones: who speaks when fits to the tenth of a second."""
    found = aligned(tmp_path, recorded(said, 0), recorded(said, 1))
    assert isinstance(found, Unrelated)
    assert found.best < align.SURE
    assert found.agreeing < align.FEWEST
    assert found.windows > 10


def test_a_hum_that_both_recorders_have_is_no_common_clock(tmp_path: Path, said: list[Mono]) -> None:
    hum = sum(0.01 / n * np.sin(2 * np.pi * 50 * n * np.arange(round(SECONDS * RATE)) / RATE + n) for n in range(1, 30))
    assert isinstance(aligned(tmp_path, recorded(said, 0) + hum, recorded(said, 1) + hum), Unrelated)


def test_a_track_of_another_day_is_refused_as_a_short_and_a_silent_one_are(tmp_path: Path, said: list[Mono], three: list[Mono]) -> None:
    first = recorded(said, 0, bleed={1: -30}, way=WAY)
    for other in (recorded(three, 2), said[1][: RATE // 2], np.zeros(5 * RATE), np.zeros(10)):
        assert isinstance(aligned(tmp_path, first, other), Unrelated)


def test_places_follow_one_another() -> None:
    first, second = Place(10.0, 50e-6), Place(-3.0, -20e-6)
    moments = np.array([0.0, 20.0, 5000.0])
    assert second.after(first).within(moments) == pytest.approx(second.within(first.within(moments)), abs=1e-9)


@pytest.mark.slow
def test_a_session_that_lies_minutes_off_is_found_with_its_drift(tmp_path: Path) -> None:
    said = turns(monologues(300.0, 2), (0, 1), 7.0)
    first = recorded(said, 0, bleed={1: -30}, way=WAY)
    other = recorded(said, 1, offset=200.0, drift=60, bleed={0: -30}, way=WAY)
    found = aligned(tmp_path, first, other)
    assert isinstance(found, Found)
    assert found.place.offset == pytest.approx(200.0, abs=5e-4)
    assert found.place.drift * 1e6 == pytest.approx(60, abs=2)
