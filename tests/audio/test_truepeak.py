from __future__ import annotations

import math

import numpy as np
import pytest

from audio.sides import apart
from audio.truepeak import TruePeak
from audio.units import RATE


def highest(samples: np.ndarray, block: int = 100_000) -> float:
    peak = TruePeak(20_000.0)
    singles = samples.astype("<f4")
    for at in range(0, len(singles), block):
        peak.add(apart(singles[at : at + block]))
    return peak.value


def tone(hertz: float, phase: float, level: float = 0.5) -> np.ndarray:
    return level * np.sin(2 * np.pi * hertz * np.arange(RATE // 2) / RATE + phase)[:, None]


def test_a_quarter_rate_tone_peaks_between_its_samples() -> None:
    # Sampled at 45 degrees, every sample is 3 dB under the peak that lies between two of them.
    samples = tone(RATE / 4, math.pi / 4)
    assert 20 * math.log10(np.abs(samples).max()) == pytest.approx(-9.03, abs=0.01)
    assert highest(samples) == pytest.approx(-6.02, abs=0.1)


@pytest.mark.parametrize("hertz", [100, 997, 5_000, 11_000, 16_000, 19_000])
def test_a_tone_of_any_pitch_and_phase_is_read_within_the_standards_tolerance(hertz: float) -> None:
    for phase in np.linspace(0, np.pi, 7):
        # Onset and end of an unfaded tone ring: only its middle counts.
        assert highest(tone(hertz, phase) * np.hanning(RATE // 2)[:, None]) == pytest.approx(-6.02, abs=0.5)


def test_the_loudest_moment_is_found_wherever_the_blocks_are_cut() -> None:
    generator = np.random.default_rng(1)
    spectrum = np.fft.rfft(generator.standard_normal((40_000, 2)), axis=0)
    spectrum[int(len(spectrum) * 17 / 24) :] = 0
    noise = np.fft.irfft(spectrum, 40_000, axis=0) * 0.1
    noise[23_456] *= 8
    whole = highest(noise, 10_000_000)
    assert all(highest(noise, block) == pytest.approx(whole, abs=1e-4) for block in (5, 24, 127, 972, 8_192))


def test_nothing_is_missed_that_looking_everywhere_finds() -> None:
    generator = np.random.default_rng(2)
    spectrum = np.fft.rfft(generator.standard_normal(30_000))
    spectrum[int(len(spectrum) * 17 / 24) :] = 0
    noise = np.fft.irfft(spectrum, 30_000)
    # Sixteen times as many points by an exact method.
    padded = np.concatenate([np.fft.rfft(noise), np.zeros(15 * 15_000)])
    exact = 20 * math.log10(np.abs(np.fft.irfft(padded, 16 * 30_000) * 16).max())
    assert highest(noise[:, None]) == pytest.approx(exact, abs=0.25)


def test_silence_has_no_peak() -> None:
    assert highest(np.zeros((5_000, 2))) == -math.inf
