"""Sounds for tests: made from a seed, so that every run hears the same."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from audio import ffmpeg, graph
from audio.mpeg import DELAY
from audio.units import RATE, Samples

Sound = NDArray[np.float64]
"""Shape (samples, channels), 1.0 is full scale."""


@lru_cache(maxsize=8)
def speech(seconds: float, channels: int = 1, *, seed: int = 14, level: float = 0.1) -> Sound:
    """A voice without words: a gliding pitch and breath, with the spectrum, the syllables and the pauses of speech; its RMS is ``level``.

    Two channels are alike, as of one room. Not to be changed: others may be given the same.
    """
    count = round(seconds * RATE)
    generator = np.random.default_rng(seed)
    knots = np.arange(0, count + RATE // 8, RATE // 8)
    syllables, pitch = (np.interp(np.arange(count), knots, generator.uniform(*span, len(knots))) for span in ((-0.4, 1.0), (90.0, 160.0)))
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    voice = np.concatenate([_harmonics(phase[at : at + 8192]) for at in range(0, count, 8192)])
    frequency = np.fft.rfftfreq(count, 1 / RATE)
    shape = (frequency > 80) / (1 + (frequency / 700) ** 2)
    room = [np.fft.irfft(np.fft.rfft(generator.standard_normal(count)) * shape, count) for _ in range(2)]
    # a breath every two seconds
    loud = np.abs(syllables) * np.where(np.arange(count) % (2 * RATE) < 7 * RATE // 4, 1.0, 0.003)
    sides = [loud * (voice + room[0] + spread * room[1]) for spread in (0.3, -0.3)[:channels]]
    sound: Sound = np.stack(sides, axis=1)
    sound *= float(level / np.sqrt(np.mean(sound**2)))
    sound.flags.writeable = False
    return sound


def _harmonics(phase: NDArray[np.float64]) -> NDArray[np.float64]:
    """A voice's tone of 24 harmonics. Each sine is found from the two below it, which takes a tenth of the time of asking for it."""
    before, sine, turn = np.zeros_like(phase), np.sin(phase), 2 * np.cos(phase)
    found = np.zeros_like(phase)
    for n in range(1, 25):
        found += sine / (1 + (n * 120 / 700) ** 2)
        before, sine = sine, turn * sine - before
    return found


def tone(seconds: float, pitch: float, channels: int = 1, *, level: float = 0.25) -> Sound:
    wave = level * np.sin(2 * np.pi * pitch * np.arange(round(seconds * RATE)) / RATE)
    return np.repeat(wave[:, None], channels, axis=1)


def raw(sound: Sound) -> bytes:
    return single(sound).tobytes()


def single(sound: Sound) -> NDArray[np.float32]:
    return sound.astype("<f4")


def sound_of(data: bytes, channels: int) -> Sound:
    return np.frombuffer(data, "<f4").astype("f8").reshape(-1, channels)


def decoded(frames: bytes, channels: int, folder: Path) -> Sound:
    """What bare frames sound like, from the first sample that was encoded on."""
    path = folder / "frames.mp3"
    path.write_bytes(frames)
    with path.open("rb") as stdin:
        return sound_of(ffmpeg.capture(graph.decode_frames(ffmpeg.find(), Samples(DELAY), Samples(1 << 40)), stdin=stdin), channels)
