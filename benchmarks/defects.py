"""Defects to plant into speech, each where it is heard: what the sentinels are tried with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Chance = np.random.Generator


@dataclass(frozen=True)
class Planted:
    """Samples of shape (length, channels) with a defect in seconds [start, end)."""

    sound: Floats
    start: float
    end: float


Plant = Callable[[Floats, int, Chance], Planted]
"""Makes a defect in mono speech at some rate."""


def _levels(speech: Floats, rate: int) -> Floats:
    """RMS of each 10 ms in dBFS."""
    step = rate // 100
    rows = speech[: len(speech) // step * step].reshape(-1, step)
    found: Floats = 10 * np.log10((rows**2).mean(axis=1) + 1e-12)
    return found


def _spoken(speech: Floats, rate: int, chance: Chance, length: float) -> int:
    """The sample of a place at which somebody speaks before and after ``length`` seconds."""
    return _sample(_places(speech, rate, length), rate, chance)


def _places(speech: Floats, rate: int, length: float) -> NDArray[np.int64]:
    levels = _levels(speech, rate)
    loud = levels > np.percentile(levels, 90) - 15
    after = max(1, round(length * 100)) + 1
    return np.flatnonzero(loud[50 : -after - 50] & loud[50 + after : -50]) + 50


def _sample(places: NDArray[np.int64], rate: int, chance: Chance) -> int:
    return int(chance.choice(places)) * (rate // 100) + int(chance.integers(rate // 100))


def clipped(speech: Floats, rate: int, chance: Chance) -> Planted:
    """Two seconds in which the input was driven 6 to 12 dB too far."""
    start = _spoken(speech[:-rate], rate, chance, 1.0)
    here = slice(start, start + 2 * rate)
    sound = speech.copy()
    limit = float(np.abs(speech).max())
    peak = float(np.percentile(np.abs(speech[here]), 99.9))
    sound[here] = np.clip(speech[here] * limit / peak * 10 ** (chance.uniform(6, 12) / 20), -limit, limit)
    return Planted(sound[:, None], start / rate, start / rate + 2)


def hole(speech: Floats, rate: int, chance: Chance) -> Planted:
    """Nothing for 5 ms to 2 s within speech, as many short ones as long ones: zeros, or, one time in four, the last sample held."""
    length = 10 ** chance.uniform(np.log10(0.005), np.log10(2))
    start = _spoken(speech, rate, chance, length)
    sound = speech.copy()
    sound[start : start + round(length * rate)] = speech[start - 1] if chance.random() < 0.25 else 0
    return Planted(sound[:, None], start / rate, start / rate + length)


def clicked(speech: Floats, rate: int, chance: Chance) -> Planted:
    """5 to 50 ms that were lost or, as often, one wrong sample of up to half of full scale, where it is heard: it jumps ten times as far as anything
    within 10 ms.
    """
    places, around, losing = _places(speech, rate, 0.05), rate // 100, chance.random() < 0.5
    steps = np.abs(np.diff(speech))
    while True:
        start = _sample(places, rate, chance)
        end = start + int(chance.uniform(0.005, 0.05) * rate) if losing else start
        wrong = chance.uniform(0.05, 0.5)
        jump = abs(speech[end] - speech[start - 1]) if losing else wrong
        if jump > 10 * max(steps[start - around : start - 1].max(), steps[end : end + around].max()):
            break
        # Not every voice has a place where a stretch can be lost.
        losing = losing and chance.random() < 0.999
    sound = np.concatenate((speech[:start], speech[end:]))
    if not losing:
        sound[start] -= np.copysign(wrong, speech[start])
    return Planted(sound[:, None], start / rate, start / rate)


def dead(speech: Floats, rate: int, chance: Chance) -> Planted:
    """One side is gone for four to eight seconds."""
    length = float(chance.uniform(4, 8))
    start = _spoken(speech[: -round(length * rate)], rate, chance, 0.1)
    sides = np.stack((speech, speech * 0.95), axis=1)
    sides[start : start + round(length * rate), int(chance.integers(2))] *= 1e-4
    return Planted(sides, start / rate, start / rate + length)


def inverted(speech: Floats, rate: int, _chance: Chance) -> Planted:
    """One side upside down, with a little of a room of its own."""
    other = -0.9 * speech + 0.03 * np.roll(speech, rate // 300)
    return Planted(np.stack((speech, other), axis=1), 0.0, len(speech) / rate)


def hummed(speech: Floats, rate: int, chance: Chance) -> Planted:
    """Mains with five harmonics, as heard (A-weighted) 35 to 45 dB under the voice; a loud room hides what is more than 15 dB under it."""
    mains = int(chance.choice((50, 60)))
    time = np.arange(len(speech)) / rate
    hum, heard = np.zeros(len(speech)), 0.0
    for n in range(1, 7):
        hum += 10 ** (-n / 5) * np.sin(2 * np.pi * mains * n * time + chance.uniform(0, 6))
        heard += 10 ** (-2 * n / 5) / 2 * _as_heard(mains * n)
    levels = _levels(speech, rate)
    voice = 10 * np.log10((10 ** (levels[levels > np.percentile(levels, 90) - 20] / 10)).mean())
    room = float(np.percentile(levels[levels > -95], 10))
    gain = 10 ** (max(voice - chance.uniform(35, 45), room - 15) / 20) / np.sqrt(heard)
    return Planted((speech + hum * gain)[:, None], 0.0, len(speech) / rate)


def _as_heard(hertz: float) -> float:
    """Power of a tone by A-weighting (IEC 61672), to that at 1 kHz."""
    f = hertz**2
    curve = 12194**2 * f**2 / ((f + 20.6**2) * np.sqrt((f + 107.7**2) * (f + 737.9**2)) * (f + 12194**2))
    return float(1.2589 * curve) ** 2


def silent(speech: Floats, rate: int, chance: Chance) -> Planted:
    """11 to 15 seconds in which nobody speaks and the room goes on."""
    levels = _levels(speech, rate)
    quiet = speech[: len(levels) * (rate // 100)].reshape(-1, rate // 100)[levels < np.percentile(levels[levels > -95], 15)]
    noise = chance.standard_normal(round(chance.uniform(11, 15) * rate)) * float(np.sqrt((quiet**2).mean()) + 1e-5)
    start = _spoken(speech, rate, chance, 0.1)
    return Planted(np.concatenate((speech[:start], noise, speech[start:]))[:, None], start / rate, (start + len(noise)) / rate)


PLANTS: dict[str, Plant] = {
    "clipping": clipped,
    "dropout": hole,
    "click": clicked,
    "channel": dead,
    "phase": inverted,
    "hum": hummed,
    "silence": silent,
}
"""By the detector that has to find it."""
