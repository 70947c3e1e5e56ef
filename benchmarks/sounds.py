"""Sound that an encoder and a loudness meter take for speech, and some for music: made from numbers, so that no recording is needed.

Speech is a source through a filter, syllable by syllable: pulses at the pitch of a voice, or noise, shaped by the resonances (formants) of a
mouth that goes from one vowel to the next; words, phrases, and pauses with the noise of a room. Nobody would mistake it for a person.
"""

from __future__ import annotations

import math
import wave
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Spectrum = NDArray[np.complexfloating[Any, Any]]

RATE = 48_000
_FFT = 1 << 14
_ROOM_DBFS = -66.0
_VOICED, _HISSED = 0.11, 0.035
"""Level (RMS, 1.0 is full scale) of a stressed vowel and of a consonant."""

VOWELS: tuple[tuple[float, ...], ...] = (
    (730, 1090, 2440, 3400, 4500),
    (530, 1840, 2480, 3500, 4500),
    (270, 2290, 3010, 3600, 4600),
    (570, 840, 2410, 3300, 4400),
    (300, 870, 2240, 3300, 4300),
    (490, 1350, 1690, 3300, 4300),
    (640, 1190, 2390, 3400, 4400),
)
"""Formants in Hz: the first three after Peterson and Barney (1952), the others as they usually lie."""
_WIDTHS = (80.0, 100.0, 140.0, 220.0, 300.0)
_HISS = ((4000.0, 9500.0), (2200.0, 6000.0), (1200.0, 8000.0), (5000.0, 14000.0))
"""Where the noise of consonants lies, in Hz."""


class Speaker:
    """One voice; ``seed`` decides its pitch, its mouth, and everything that it says."""

    def __init__(self, seed: int) -> None:
        self._chance = np.random.default_rng(seed)
        self._pitch = self._between(95, 210)
        self._hertz = np.fft.rfftfreq(_FFT, 1 / RATE)
        size = 1 + 0.16 * (self._pitch - 95) / 115
        self._mouths = [self._mouth([f * size for f in formants]) for formants in VOWELS]

    def speech(self, seconds: float) -> Floats:
        """Mono samples at 48 kHz, full scale 1.0."""
        length = round(seconds * RATE)
        said = self._chance.standard_normal(length) * 10 ** (_ROOM_DBFS / 20)
        at = round(0.25 * RATE)
        while at < length:
            words = int(self._chance.integers(3, 10))
            for word in range(words):
                # A phrase begins higher and louder than it ends.
                fall = 1.12 - 0.3 * word / words
                for _ in range(int(self._chance.integers(1, 4))):
                    sound = self._syllable(fall)
                    here = sound[: max(0, length - at)]
                    said[at : at + len(here)] += here
                    at += round(0.92 * len(sound))
                at += round(self._between(0.01, 0.07) * RATE)
            at += round((self._between(0.25, 0.7) if self._chance.random() < 0.8 else self._between(0.9, 1.8)) * RATE)
        return said

    def _between(self, low: float, high: float) -> float:
        return float(self._chance.uniform(low, high))

    def _mouth(self, formants: list[float]) -> Spectrum:
        """The response of resonators in cascade, with the slope of a glottis (-12 dB an octave) and of lips (+6 dB)."""
        f = self._hertz
        response: Spectrum = (f / 200) / (1 + (f / 250) ** 2) + 0j
        for centre, breadth in zip(formants, _WIDTHS, strict=True):
            response *= centre**2 / (centre**2 - f**2 + 1j * f * breadth)
        return response

    def _syllable(self, fall: float) -> Floats:
        vowel = self._vowel(round(self._between(0.08, 0.22) * RATE), fall)
        if self._chance.random() < 0.25:
            return vowel
        consonant = self._consonant(round(self._between(0.03, 0.11) * RATE))
        overlap = round(0.01 * RATE)
        whole = np.zeros(len(consonant) + len(vowel) - overlap)
        whole[: len(consonant)] += consonant
        whole[-len(vowel) :] += vowel
        return whole

    def _vowel(self, length: int, fall: float) -> Floats:
        pitch = self._pitch * fall * np.linspace(self._between(0.92, 1.1), self._between(0.86, 1.02), length)
        wobble = 1 + 0.01 * self._chance.standard_normal(length // 480 + 1).repeat(480)[:length]
        pulses = np.diff(np.floor(np.cumsum(pitch * wobble / RATE)), prepend=0.0)
        breath = self._chance.standard_normal(length) * 0.008
        source = np.fft.rfft(pulses + breath, _FFT)
        one, other = self._chance.integers(0, len(self._mouths), 2)
        way = np.linspace(0, 1, length)
        sound = (1 - way) * self._through(source, self._mouths[one], length) + way * self._through(source, self._mouths[other], length)
        return _level(sound * _edges(length, 0.02, 0.05), _VOICED * fall * 10 ** (-self._between(0, 9) / 20))

    def _consonant(self, length: int) -> Floats:
        low, high = _HISS[int(self._chance.integers(0, len(_HISS)))]
        f = self._hertz
        band = 1 / (1 + (low / np.maximum(f, 1)) ** 6) / (1 + (f / high) ** 6) + 0j
        noise = self._through(np.fft.rfft(self._chance.standard_normal(length), _FFT), band, length)
        if self._chance.random() < 0.4:
            # A plosive: silence while the mouth is closed, then a burst.
            noise *= np.where(np.arange(length) < 0.6 * length, 0, np.linspace(3, 0, length))
        return _level(noise * _edges(length, 0.004, 0.015), _HISSED * 10 ** (-self._between(0, 10) / 20))

    def _through(self, source: Spectrum, response: Spectrum, length: int) -> Floats:
        heard: Floats = np.fft.irfft(source * response, _FFT)[:length]
        return heard


def _edges(length: int, rise: float, fall: float) -> Floats:
    """An envelope with soft edges of so many seconds."""
    t = np.arange(length) / RATE
    up, down = np.clip(t / rise, 0, 1), np.clip((length / RATE - t) / fall, 0, 1)
    shape: Floats = np.sin(up * np.pi / 2) ** 2 * np.sin(down * np.pi / 2) ** 2
    return shape


def _level(sound: Floats, rms: float) -> Floats:
    return sound * (rms / max(math.sqrt(float(np.mean(sound**2))), 1e-9))


def chord(seconds: float, root: float) -> Floats:
    """Struck strings on ``root`` Hz, one after the other, dying away: shape (samples, 2)."""
    t = np.arange(round(seconds * RATE)) / RATE
    sides = np.zeros((len(t), 2))
    for i, step in enumerate((0, 7, 12, 16, 19)):
        since = np.maximum(t - 0.11 * i, 0)
        hertz = root * 2 ** (step / 12)
        tone = sum(np.sin(2 * np.pi * hertz * k * since) / k**1.5 for k in range(1, 7)) * np.exp(-2.2 * since / seconds)
        aside = (i - 2) / 5
        sides += np.stack(((0.5 - aside / 2) * tone, (0.5 + aside / 2) * tone), axis=1) * np.minimum(since / 0.004, 1)[:, None]
    faded: Floats = sides * 0.3 * _edges(len(t), 0.001, seconds / 5)[:, None] / max(float(np.abs(sides).max()), 1e-9)
    return faded


def save(sound: Floats, path: Path) -> None:
    """Write samples, of shape (length,) or (length, channels), as 16-bit WAV."""
    channels = 1 if sound.ndim == 1 else sound.shape[1]
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((channels, 2, RATE, 0, "NONE", ""))
        file.writeframes(np.rint(np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())
