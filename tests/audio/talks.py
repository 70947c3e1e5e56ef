"""Conversations for tests: voices on one clock, and what recorders with clocks of their own make of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from audio.align import Track
from audio.profile import Profiler
from audio.sides import apart
from audio.units import RATE
from audio.whiten import Whitened
from tests.audio.sounds import speech

Mono = NDArray[np.float64]


def monologues(seconds: float, count: int, seed: int = 1) -> list[Mono]:
    """Speakers who do not listen; their RMS is 0.1."""
    return [speech(seconds, seed=seed + one)[:, 0] for one in range(count)]


def turns(monologue: Sequence[Mono], whose: Sequence[int], turn: float = 4.0) -> list[Mono]:
    """Speakers who take turns of so many seconds, again and again in the order of ``whose``."""
    at = np.array(whose)[(np.arange(len(monologue[0])) / RATE / turn).astype(int) % len(whose)]
    return [voice * np.convolve((at == one).astype("f4"), np.full(480, 1 / 480), "same") for one, voice in enumerate(monologue)]


def recorded(
    said: Sequence[Mono],
    who: int,
    *,
    offset: float = 0.0,
    drift: float = 0.0,
    bleed: Mapping[int, float] | None = None,
    way: float = 0.0,
    seconds: float | None = None,
    level: float = 0.0,
    noise: float = -75.0,
) -> Mono:
    """What the recorder of speaker ``who`` holds, which was started at ``offset`` and whose clock is ``drift`` ppm too fast.

    ``bleed`` is the dB at which others are heard, later by ``way`` seconds; ``level`` moves everything but the noise, in dB.
    """
    length = round((len(said[0]) / RATE - offset if seconds is None else seconds) * RATE * (1 + drift * 1e-6))
    clock = np.arange(len(said[0])) / RATE
    moments = offset + np.arange(length) / RATE / (1 + drift * 1e-6)
    sound = np.interp(moments, clock, said[who], left=0, right=0)
    for other, decibels in (bleed or {}).items():
        sound += 10 ** (decibels / 20) * np.interp(moments - way, clock, said[other], left=0, right=0)
    return sound * 10 ** (level / 20) + 10 ** (noise / 20) * np.random.default_rng(len(sound) + who).standard_normal(length)


def listened(sound: Mono, folder: Path) -> Track:
    """A track as it is compared."""
    samples = sound.astype("f4")
    white, profiler = Whitened(folder), Profiler(1, 2)
    for at in range(0, len(samples), 70_000):
        white.add(samples[at : at + 70_000])
        profiler.add(apart(samples[at : at + 70_000, None]))
    white.finish()
    return Track(white, profiler.profile().level)
