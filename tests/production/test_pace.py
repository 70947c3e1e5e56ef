"""What is remembered of a build's speed, and what a plan makes of it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from production.pace import Pace, Stopwatch
from production.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def test_before_anything_was_built_the_pace_is_a_guess_that_says_so(store: Store) -> None:
    assert Pace.of(store) == Pace()
    assert not Pace.of(store).measured


def test_a_step_is_remembered_as_seconds_for_a_second_of_sound(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([10.0, 14.0, 20.0, 26.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    watch = Stopwatch()
    with watch.step("encode", [300.0]):
        pass
    with watch.step("encode", [150.0, 50.0]):
        pass
    watch.keep(store)
    found = Pace.of(store)
    assert found.encode == pytest.approx(10 / 500)
    assert found.measured
    assert (found.measure, found.prove) == (Pace().measure, Pace().prove)


def test_sound_that_a_step_finds_by_itself_counts(store: Store) -> None:
    watch, decoded = Stopwatch(), list[float]()
    with watch.step("measure", decoded):
        decoded.append(1000.0)
    watch.keep(store)
    assert 0 <= Pace.of(store).measure < Pace().measure


def test_a_few_seconds_of_sound_say_nothing_about_speed(store: Store) -> None:
    watch = Stopwatch()
    with watch.step("encode", [59.0]):
        pass
    watch.keep(store)
    assert Pace.of(store) == Pace()


def test_a_later_build_takes_the_place_of_the_step_that_it_timed_and_of_no_other(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 8.0, 10.0, 16.0, 20.0, 23.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    first, second = Stopwatch(), Stopwatch()
    with first.step("encode", [100.0]), first.step("prove", [100.0]):
        pass
    first.keep(store)
    with second.step("prove", [100.0]):
        pass
    second.keep(store)
    found = Pace.of(store)
    assert (found.encode, found.prove) == (pytest.approx(0.16), pytest.approx(0.03))


def test_more_to_encode_takes_longer_and_nothing_takes_hardly_any_time() -> None:
    pace = Pace()
    whole = 3 * 3600.0
    nothing = pace.seconds(measure=0, encode=0, whole=whole)
    section = pace.seconds(measure=1500, encode=1500, whole=whole)
    assert nothing < 2 < section < pace.seconds(measure=whole, encode=whole, whole=whole)
