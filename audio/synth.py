"""Small synthesised instruments and the room they play in: a score in, two channels at 48 kHz out.

An instrument is a sum of partials that ring and die away. Such a partial is a complex exponential, and an exponential of a sum is a product:
exp(r (b + a)) = exp(r b) exp(r a). So a tone, laid out as a table with one row per block of samples, is one matrix product of what the
partials are at the head of each block and what becomes of them within any block: no sine is taken per sample.

There is no chance in it but the room's reflections, which come from a fixed seed: on one machine the same score always
gives the same samples, to the bit.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from audio.score import Piece
from audio.units import RATE

Sound = NDArray[np.float32]
Doubles = NDArray[np.float64]
Complex = NDArray[np.complexfloating]

PEAK = 10 ** (-6 / 20)
"""Sample peak of every piece: -6 dBFS leaves room for what a resampler or an encoder adds."""
TAU = 2 * math.pi

PLAYED = RATE // 2
"""Samples per second of the instruments and the room, none of which goes beyond 10 kHz. The last transform takes it to RATE."""
BLOCK = 128
"""Samples in a row of a tone's table."""
ROWS = 16
"""Rows per matrix product: few, so that a BLAS with threads does not wake them. They would spin for longer than the product takes."""


# -- partials --------------------------------------------------------------------------------------------------------------------


def _powers(rates: Complex, count: int) -> Complex:
    """exp(rate * i) for i < count, one row per rate: few exponentials, the rest are products of them."""
    step = math.isqrt(count) + 1
    coarse = np.exp(rates[:, None] * np.arange(0, count, step))
    fine = np.exp(rates[:, None] * np.arange(step))
    powers: Complex = (coarse[:, :, None] * fine[:, None, :]).reshape(len(rates), -1)[:, :count]
    return powers


def _rows(count: int) -> int:
    return -(-count // (BLOCK * ROWS)) * ROWS


def _ringing(rates: Complex, strengths: Complex | Doubles, count: int, swell: Doubles | None = None) -> Sound:
    """The first ``count`` samples of the sum of Im(strength * exp(rate * t)), rates in 1/s: minus the decay, plus i times the frequency.

    ``swell`` holds each partial's strength (columns) at the head of each block and at the end of the last; between them it goes in a line.
    """
    starts = _powers(rates * (BLOCK / PLAYED), _rows(count)).T * strengths
    within = _powers(rates / PLAYED, BLOCK)
    if swell is not None:
        starts = np.concatenate([starts * swell[:-1], starts * np.diff(swell, axis=0)], axis=1)
        within = np.concatenate([within, within * (np.arange(BLOCK) / BLOCK)])
    left = np.concatenate([starts.real, starts.imag], axis=1, dtype=np.float32).reshape(-1, ROWS, 2 * len(within))
    right = np.concatenate([within.imag, within.real], dtype=np.float32)
    sound: Sound = (left @ right).reshape(-1)[:count]
    return sound


@lru_cache(maxsize=32)
def _edge(count: int) -> Sound:
    """Half a raised cosine from 0 up to 1: its slope is zero at both ends, so nothing clicks."""
    return (0.5 - 0.5 * np.cos(np.linspace(0.0, math.pi, count))).astype(np.float32)


def _shaped(sound: Sound, attack: float, release: float, rate: int = PLAYED) -> Sound:
    rising, falling = (min(sound.shape[-1], max(2, round(seconds * rate))) for seconds in (attack, release))
    sound[..., :rising] *= _edge(rising)
    sound[..., -falling:] *= _edge(falling)[::-1]
    return sound


def _harmonics(hertz: float, most: int, ceiling: float = 9000.0) -> Doubles:
    return np.arange(1.0, 1 + max(1, min(most, int(ceiling / hertz))))


# -- instruments -----------------------------------------------------------------------------------------------------------------


def _pluck(hertz: float, seconds: float) -> Sound:
    """A soft string, picked at a fifth of its length: high partials die first, and lie a little sharp as on stiff strings."""
    n = _harmonics(hertz, 14)
    frequencies = n * hertz * np.sqrt(1 + 0.00012 * n * n)
    decays = 1.5 + 0.0022 * hertz + 0.95 * (n - 1)
    strengths = np.abs(np.sin(math.pi * n / 5.1)) / n**1.45
    return _shaped(_ringing(TAU * 1j * frequencies - decays, strengths, round((seconds + 0.6) * PLAYED)), 0.003, 0.5)


def _bell(hertz: float, seconds: float) -> Sound:
    """A celesta: a struck bar. Its second partial is almost three times the first, and gone soon."""
    ratios, strengths, decays = np.array([(1.0, 1.0, 1.9), (2.0, 0.22, 2.8), (2.76, 0.16, 6.0), (4.0, 0.10, 5.0), (5.4, 0.07, 13.0)]).T
    strengths = strengths * (ratios * hertz < 10_000)
    return _shaped(_ringing(TAU * 1j * ratios * hertz - decays, strengths, round((seconds + 1.4) * PLAYED)), 0.004, 0.9)


def _bass(hertz: float, seconds: float) -> Sound:
    n = _harmonics(hertz, 5, 700.0)
    return _shaped(_ringing(TAU * 1j * n * hertz - (0.7 + 0.9 * (n - 1)), 1 / n**1.6, round((seconds + 0.25) * PLAYED)), 0.012, 0.22)


def _pad(hertz: float, seconds: float) -> Sound:
    """Strings, as two channels: three players each, a few cents apart, different ones left and right; the tone opens slowly."""
    count = round((seconds + 1.1) * PLAYED)
    n = _harmonics(hertz, 8, 3600.0)
    swell = np.tile(_opening(count)[:, : n.size], 3)
    sound = np.empty((2, count), np.float32)
    for channel, players in enumerate(((-5.5, 0.7, 3.9), (-3.6, -0.9, 5.8))):
        rates = np.concatenate([TAU * 1j * n * hertz * 2 ** (cents / 1200) for cents in players])
        starts = np.concatenate([np.exp(1j * (2.4 * player + 0.9 * channel + 1.7 * n)) / n**1.9 for player in range(3)])
        sound[channel] = _ringing(rates, starts, count, swell)
    return _shaped(sound, 0.38, 1.0)


@lru_cache(maxsize=4)
def _opening(count: int) -> Doubles:
    """How far a tone of ``count`` samples has opened at the head of each block, for the first eight partials."""
    at = np.minimum(np.arange(_rows(count) + 1) * (BLOCK / count), 1.0)
    opening: Doubles = (0.45 + 0.55 * np.sin(math.pi * at))[:, None] ** (0.35 * np.arange(1, 9))
    return opening


@dataclass(frozen=True, slots=True)
class Instrument:
    play: Callable[[float, float], Sound]
    """A tone of so many hertz and seconds, and its dying away: one channel, or two as rows."""
    level: float
    room: float
    """How much of it the room hears: 0 is dry."""


INSTRUMENTS = {
    "bass": Instrument(_bass, 0.29, 0.04),
    "pad": Instrument(_pad, 0.030, 0.50),
    "pluck": Instrument(_pluck, 0.26, 0.34),
    "bell": Instrument(_bell, 0.17, 0.55),
}


# -- room and master -------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _room() -> Sound:
    """The answer of a medium hall, as two channels of unit energy at 48 kHz: noise from a fixed seed that decays faster the higher it is."""
    seconds, bands = 2.6, ((120.0, 500.0, 2.1), (500.0, 1600.0, 1.8), (1600.0, 4500.0, 1.2), (4500.0, 11_000.0, 0.6))
    count = round(seconds * PLAYED)
    noise = np.random.default_rng(20_240_517).standard_normal((2, round(seconds * RATE)))
    spectrum = np.fft.rfft(noise)[:, : count // 2 + 1].astype(np.complex64)
    octave = np.log2(np.maximum(np.fft.rfftfreq(count, 1 / PLAYED), 1.0))
    decays = _powers(np.array([-3 * math.log(10) / (decay * PLAYED) + 0j for *_, decay in bands]), count).real.astype(np.float32)
    room = np.zeros((2, count), np.float32)
    for (low, high, _), decay in zip(bands, decays, strict=True):
        inside = np.exp(-0.5 * ((octave - math.log2(low * high) / 2) / (0.5 * math.log2(high / low))) ** 2)
        room += np.fft.irfft(spectrum * inside.astype(np.float32), count, norm="ortho") * decay
    before = round(0.014 * PLAYED)
    room = np.concatenate([np.zeros((2, before), np.float32), room[:, :-before]], axis=1)
    room[:, before : before + round(0.02 * PLAYED)] *= _edge(round(0.02 * PLAYED))
    scaled: Sound = room * np.sqrt(RATE / PLAYED / np.sum(room**2, axis=1, keepdims=True))
    return scaled


def _fast_size(least: int) -> int:
    """A size from ``least`` on, at most an eighth larger, that has no prime factor above 5: a Fourier transform of such a size is fast."""
    return min(odd << (-(-least // odd) - 1).bit_length() for odd in (1, 3, 5, 9, 15, 25, 27, 45, 75, 81))


def _in_room(dry: Sound, send: Sound) -> Sound:
    """What is played and what the room answers to ``send``, at 48 kHz, without DC and with nothing below about 30 Hz: all in one spectrum."""
    room, factor = _room(), RATE // PLAYED
    # Half a second of silence, so that what the smooth high-pass spreads over the end does not come round to the start.
    size = _fast_size(dry.shape[1] + room.shape[1] + PLAYED // 2)
    low = (30.0 / np.maximum(np.fft.rfftfreq(size, 1 / PLAYED), 1e-3)) ** 6
    keep = (math.sqrt(factor) / (1 + low)).astype(np.float32)
    heard = np.empty((2, factor * dry.shape[1]), np.float32)
    for channel in range(2):
        # With this norm numpy stays in single precision; with none it goes through double, which takes three times as long.
        spectrum, answer, played = (np.fft.rfft(sound[channel], size, norm="ortho") for sound in (send, room, dry))
        answer *= np.float32(math.sqrt(size))
        spectrum *= answer
        spectrum += played
        spectrum *= keep
        # The longer transform reads zeros above the spectrum: the same sound at the higher rate.
        heard[channel] = np.fft.irfft(spectrum, factor * size, norm="ortho")[: heard.shape[1]]
    return heard


def _gains(pan: float, gain: float) -> Sound:
    """What a tone is multiplied by, left and right: constant power over all places. What is stereo already is tilted."""
    angle = (pan + 1) * math.pi / 4
    return (math.sqrt(2) * gain * np.array([[math.cos(angle)], [math.sin(angle)]])).astype(np.float32)


def _hertz(key: int) -> float:
    return float(440.0 * 2.0 ** ((key - 69) / 12))


def play(piece: Piece) -> Sound:
    """A piece as float32 of shape (2, samples) at 48 kHz, peak at -6 dBFS, first and last sample zero."""
    length = round(piece.seconds * PLAYED)
    dry, send, alone = (np.zeros((2, length), np.float32) for _ in range(3))
    beat = 60.0 / piece.tempo
    for part, notes in piece.parts:
        instrument = INSTRUMENTS[part]
        tones: dict[tuple[int, float], Sound] = {}
        alone[:] = 0.0
        for note in notes:
            if (note.key, note.length) not in tones:
                tones[note.key, note.length] = instrument.play(_hertz(note.key), note.length * beat)
            start = round(note.beat * beat * PLAYED)
            tone = tones[note.key, note.length][..., : length - start]
            alone[:, start : start + tone.shape[-1]] += tone * _gains(note.pan, instrument.level * note.loudness)
        dry += alone
        alone *= instrument.room
        send += alone
    sound = _in_room(dry, send)
    sound *= PEAK / np.max(np.abs(sound))
    return _shaped(sound, 0.01, piece.fade, RATE)
