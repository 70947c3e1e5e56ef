from __future__ import annotations

import math

import numpy as np
import pytest

from audio.limiter import limited
from audio.sides import apart
from audio.truepeak import TruePeak
from audio.units import RATE, Db

CEILING = Db(-2.0)


def through(samples: np.ndarray, ceiling: Db = CEILING, start: int = 0, end: int | None = None) -> np.ndarray:
    """The stretch [start, end) as it comes out."""
    singles = samples.astype("<f4")

    def read(first: int, last: int) -> np.ndarray:
        assert 0 <= first < last <= len(singles)
        return singles[first:last].copy()

    blocks = list(limited(read, len(singles), ceiling, start, end))
    return np.concatenate(blocks) if blocks else singles[:0]


def voice_like(seconds: float, level: float, seed: int = 1, channels: int = 2) -> np.ndarray:
    generator = np.random.default_rng(seed)
    count = round(seconds * RATE)
    spectrum = np.fft.rfft(generator.standard_normal((count, channels)), axis=0)
    hertz = np.fft.rfftfreq(count, 1 / RATE)
    spectrum *= (np.exp(-hertz / 2500) * (hertz > 80))[:, None]
    sound = np.fft.irfft(spectrum, count, axis=0)
    syllables = 0.55 + 0.45 * np.sin(2 * np.pi * 4 * np.arange(count) / RATE)[:, None]
    return (sound / np.abs(sound).max() * syllables * level).astype("f4")


def true_peak(samples: np.ndarray) -> float:
    peak = TruePeak(20_000.0)
    peak.add(apart(samples.astype("<f4")))
    return peak.value


def test_what_stays_under_the_ceiling_passes_untouched() -> None:
    quiet = voice_like(2.5, 0.5)
    assert (through(quiet) == quiet).all()


@pytest.mark.parametrize("level", [0.9, 2.0, 8.0])
def test_nothing_comes_out_over_the_ceiling_not_even_between_samples(level: float) -> None:
    loud = voice_like(5, level)
    out = through(loud)
    assert out.shape == loud.shape
    assert true_peak(out) <= CEILING + 0.05


def test_a_single_peak_is_taken_down_and_everything_far_from_it_is_left_alone() -> None:
    sound = voice_like(4, 0.3)
    sound[RATE * 2 : RATE * 2 + 20] = 1.5 * np.hanning(20)[:, None]
    out = through(sound)
    touched = np.flatnonzero((out != sound).any(axis=1))
    # 5 ms before, and until the release has died away after.
    assert touched[0] >= RATE * 2 - 0.007 * RATE
    assert touched[-1] <= RATE * 2 + 1.3 * RATE
    assert true_peak(out) <= CEILING + 0.05


def test_the_gain_never_jumps() -> None:
    # A constant signal shows the gain itself: peaks are planted on it, and the gain moves by less than 0.1 dB from sample to sample.
    sound = np.full((3 * RATE, 1), 0.25)
    for at in (RATE - 3, RATE, 2 * RATE + 17):
        sound[at] = 3.0
    gain = through(sound)[:, 0] / sound[:, 0].astype("f4")
    assert gain.min() < 0.3
    assert np.abs(np.diff(20 * np.log10(gain))).max() < 0.1


BLOCK = 2 * RATE
"""What the gain is computed on at once."""


def shouted(channels: int) -> np.ndarray:
    """Nine seconds that need the limiter now and then: far apart, close together, across the edges of blocks, and not at all."""
    sound = voice_like(9.3, 0.5, channels=channels)
    for at, level in ((0, 3.0), (RATE, 4.0), (BLOCK - 40, 2.5), (BLOCK - 1, 6.0), (BLOCK + 3, 5.0), (3 * BLOCK - 700, 100.0), (4 * BLOCK + 900, 2.0)):
        sound[at : at + 30] *= level
    sound[2 * BLOCK + RATE : 2 * BLOCK + RATE * 3 // 2] *= 6
    return sound


EDGES = sorted({max(0, block * BLOCK + near) for block in range(5) for near in (-BLOCK // 2, -1153, -241, -16, -1, 0, 1, 12, 240, 5000)})


@pytest.mark.parametrize("channels", [1, 2])
def test_where_one_begins_to_read_changes_no_bit(channels: int) -> None:
    sound = shouted(channels)
    whole = through(sound)
    assert (whole != sound).any(axis=1).mean() > 0.2
    assert (whole == sound).all(axis=1).mean() > 0.2
    for start in EDGES:
        for end in (start + 1, start + 1152, start + BLOCK + 77):
            stretch = through(sound, start=start, end=min(end, len(sound)))
            assert stretch.tobytes() == whole[start:end].tobytes(), (start, end)


@pytest.mark.parametrize("after", [-300, -17, -1, 0, 1, 17, 50, 100, 200, 239, 240, 241, 300])
def test_a_peak_near_the_edge_of_a_block_is_seen_from_both_sides(after: int) -> None:
    sound = voice_like(5, 0.3)
    at = BLOCK + after
    sound[at - 6 : at + 6] = 3.0 * np.hanning(12)[:, None]
    out = through(sound)
    assert true_peak(out) <= CEILING + 0.05
    gain = np.abs(out[:, 0]) / np.maximum(np.abs(sound[:, 0]), 1e-9)
    heard = np.abs(sound[:, 0]) > 1e-3
    # it comes down over 5 ms and not at once
    assert gain[heard & (np.arange(len(sound)) < at - 600)].min() > 0.999
    assert 0.3 < gain[at - 140 : at - 110][heard[at - 140 : at - 110]].min() < 0.95


@pytest.mark.parametrize("seed", range(4))
def test_any_stretch_of_any_loud_sound_is_that_of_the_whole(seed: int) -> None:
    generator = np.random.default_rng(seed)
    sound = voice_like(generator.uniform(5, 13), 10 ** generator.uniform(-0.3, 1.5), seed)
    whole = through(sound)
    for _ in range(25):
        start, end = sorted(generator.integers(0, len(sound) + 1, 2).tolist())
        assert through(sound, start=start, end=end).tobytes() == whole[start:end].tobytes(), (start, end)


def test_what_is_read_again_for_a_stretch_is_the_block_before_it() -> None:
    asked: list[tuple[int, int]] = []

    def read(first: int, last: int) -> np.ndarray:
        asked.append((first, last))
        return np.full((last - first, 1), 0.9, dtype="<f4")

    list(limited(read, 100 * BLOCK, CEILING, 50 * BLOCK + 5, 51 * BLOCK))
    assert min(first for first, _ in asked) > 49 * BLOCK - 100
    assert max(last for _, last in asked) < 51 * BLOCK + 1000


@pytest.mark.parametrize("count", [0, 1, 5, 100, RATE, BLOCK - 1, BLOCK, BLOCK + 1, BLOCK + 520])
def test_any_length_comes_out_as_it_went_in(count: int) -> None:
    assert len(through(voice_like(5, 4.0)[:count])) == count


def test_one_limited_channel_takes_the_other_with_it() -> None:
    both = voice_like(2, 0.4)
    both[RATE, 0] = 2.0
    out = through(both)
    gain = out[RATE - 100 : RATE + 100] / both[RATE - 100 : RATE + 100]
    assert np.abs(gain[:, 0] - gain[:, 1]).max() < 1e-4


def test_the_ceiling_is_in_decibels_of_full_scale() -> None:
    tone = np.sin(2 * math.pi * 440 * np.arange(2 * RATE) / RATE)[:, None]
    assert true_peak(through(tone, ceiling=Db(-6.0))[RATE // 2 : -RATE // 2]) == pytest.approx(-6.0, abs=0.1)
