"""Decoded samples that nobody had to decode."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from audio.pcm import Pcm, Take
from audio.source import Source
from audio.units import RATE, Samples
from tests.audio.sounds import Sound, single


class Held(Pcm):
    """The samples of a sound; ``start`` is the take's in point, and ``read`` counts from there as a decoded recording does."""

    def __init__(self, sound: Sound, start: int = 0) -> None:
        self.take = Take(Source(Path("/show/held.wav"), "pcm_f32le", RATE, sound.shape[1], None), 2, Samples(start))
        self.sound = single(sound)

    def read(self, start: int, end: int) -> np.ndarray:
        assert 0 <= start <= end <= len(self.sound)
        return self.sound[start:end].copy()
