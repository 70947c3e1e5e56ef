from __future__ import annotations

import math

import numpy as np
import pytest

from audio.limiter import limited
from audio.truepeak import TruePeak
from audio.units import RATE, Db

CEILING = Db(-2.0)


def through(samples: np.ndarray, sizes: int = 100_000, ceiling: Db = CEILING) -> np.ndarray:
    data = samples.astype("<f4").tobytes()
    pieces = (data[at : at + sizes] for at in range(0, len(data), sizes))
    return np.frombuffer(b"".join(limited(pieces, samples.shape[1], ceiling)), "<f4").reshape(-1, samples.shape[1])


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
    peak = TruePeak(samples.shape[1], 20_000.0)
    peak.add(np.ascontiguousarray(samples, dtype="<f4").tobytes())
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


@pytest.mark.parametrize("size", [8 * 1_000, 8 * 48_000, 8 * 77_777 + 3])
def test_how_the_samples_arrive_changes_nothing(size: int) -> None:
    loud = voice_like(3.3, 3.0)
    assert (through(loud, size) == through(loud, 10_000_000)).all()


@pytest.mark.parametrize("count", [0, 1, 5, 100, RATE, RATE + 1])
def test_any_length_comes_out_as_it_went_in(count: int) -> None:
    assert len(through(voice_like(2, 4.0)[:count])) == count


def test_one_limited_channel_takes_the_other_with_it() -> None:
    both = voice_like(2, 0.4)
    both[RATE, 0] = 2.0
    out = through(both)
    gain = out[RATE - 100 : RATE + 100] / both[RATE - 100 : RATE + 100]
    assert np.abs(gain[:, 0] - gain[:, 1]).max() < 1e-4


def test_the_ceiling_is_in_decibels_of_full_scale() -> None:
    tone = np.sin(2 * math.pi * 440 * np.arange(2 * RATE) / RATE)[:, None]
    assert true_peak(through(tone, ceiling=Db(-6.0))[RATE // 2 : -RATE // 2]) == pytest.approx(-6.0, abs=0.1)
