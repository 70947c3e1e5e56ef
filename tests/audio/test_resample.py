"""A track at another clock's pace: each sample where it belongs, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from audio.align import Place
from audio.resample import BLOCK, Paced
from audio.units import RATE

LENGTH = 4 * RATE


def paced(sound: np.ndarray, place: Place) -> Paced:
    return Paced(lambda first, last: sound[first:last], len(sound), sound.shape[1], place)


def sine(hertz: float, moments: np.ndarray) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * hertz * moments)


@pytest.mark.parametrize(("hertz", "under"), [(200, 95), (3_000, 85), (12_000, 85), (18_000, 80)])
@pytest.mark.parametrize(("offset", "drift"), [(0.123456, 60e-6), (-0.7, -90e-6)])
def test_a_sine_is_where_the_other_clock_has_it(hertz: float, under: float, offset: float, drift: float) -> None:
    sound = sine(hertz, np.arange(LENGTH) / RATE)[:, None].astype("f4")
    track = paced(sound, Place(offset, drift))
    for number in (1, 2, 5):
        moments = np.arange(number * BLOCK, (number + 1) * BLOCK) / RATE
        wrong = track.block(number)[:, 0] - sine(hertz, (moments - offset) * (1 + drift))
        # a click would be one sample that is far off: the worst one counts
        assert 20 * np.log10(np.abs(wrong).max() / 0.5) < -under + 10
        assert 20 * np.log10(np.sqrt(np.mean(wrong**2)) / 0.354) < -under


def test_hours_later_a_click_is_on_its_sample() -> None:
    """Three hours at 60 ppm: 648 ms that have to be made up for."""
    drift, hour = 60e-6, 3600 * RATE
    at = 3 * hour
    place = Place(-0.25, drift)
    exact = (at / RATE + 0.25) * (1 + drift) * RATE

    def read(first: int, last: int) -> np.ndarray:
        return np.sinc((np.arange(first, last) - exact) / 8)[:, None].astype("f4")

    track = Paced(read, 4 * hour, 1, place)
    found = track.block(at // BLOCK)[:, 0]
    assert at // BLOCK * BLOCK + int(found.argmax()) == at
    assert found.max() == pytest.approx(1.0, abs=1e-3)


def test_without_drift_whole_samples_are_moved_and_not_touched() -> None:
    sound = np.random.default_rng(1).standard_normal((LENGTH, 2)).astype("f4")
    # it begins before the first sample, so nothing fades
    moved = paced(sound, Place(-1000 / RATE)).block(1)
    assert np.array_equal(moved, sound[BLOCK + 1000 : 2 * BLOCK + 1000])


def test_before_and_after_a_track_is_silence_and_its_edges_fade() -> None:
    sound = np.ones((BLOCK, 1), "f4")
    track = paced(sound, Place(1.0 + 0.3 / RATE, 10e-6))
    blocks = [track.block(number)[:, 0] for number in range(5)]
    assert [float(np.abs(block).max()) > 0.001 for block in blocks] == [False, False, True, False, False]
    assert np.abs(blocks[2][:100]).max() < 0.05
    assert np.abs(np.diff(blocks[2])).max() < 0.01
    assert blocks[2][BLOCK // 2] == pytest.approx(1, abs=1e-4)
    # one that is there from the first sample on does not fade in
    assert paced(sound, Place(-0.1)).block(0)[0, 0] == 1
