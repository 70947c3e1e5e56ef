"""The gain of a section: linear, and right after the limiter. Decided from the one pass that measured it, without rendering anything.

A limiter takes loudness away from what it holds down, so a gain that is right before it is too small after it. Its effect is foreseen from the
recording's peaks in steps of 10 ms: where gain lifts them over the ceiling they are held down, and recover as the limiter releases.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audio import loudness
from audio.loudness import BLOCKS_PER_SECOND
from audio.units import RATE, Db, Lufs

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Singles = NDArray[np.float32]

STEP = RATE // 100
"""Samples per step of the peak envelope: 10 ms."""
_STEPS_PER_BLOCK = 100 // BLOCKS_PER_SECOND
_WINDOW = 4 * _STEPS_PER_BLOCK
_RELEASE_STEPS = 8
_RECOVERED = 4 * _RELEASE_STEPS
_REACH = _RECOVERED + _WINDOW
"""Steps that a block depends on before it: what the limiter held down then, within the 400 ms that a block covers."""
_AT_ONCE = 600 * BLOCKS_PER_SECOND
_MOST_EXTRA = 3.0
"""What a limiter eats is made up for by this many dB at most: beyond it, it would be heard working."""
_CLOSE_ENOUGH = 0.02


@dataclass(frozen=True, slots=True)
class Level:
    """Where a segment's level ends: ``target`` in LUFS, the limiter's ``ceiling`` in dBFS, and the most it is lifted in dB."""

    target: Lufs
    ceiling: Db
    max_gain: Db


def gain(blocks: Floats, peaks: Singles, level: Level) -> Db:
    """The gain in dB, to a hundredth, that brings a recording to ``level.target`` after the limiter.

    ``blocks`` are its momentary loudness values (LUFS, every 100 ms), ``peaks`` its highest samples (linear) in steps of 10 ms.
    """
    linear = level.target - loudness.integrated(blocks)
    if not linear < level.max_gain:
        return Db(round(level.max_gain, 2))
    tried = linear
    for _ in range(8):
        missing = level.target - limited_loudness(blocks, peaks, tried, level.ceiling)
        if abs(missing) < _CLOSE_ENOUGH:
            break
        tried = min(tried + missing, linear + _MOST_EXTRA, level.max_gain)
    return Db(round(tried, 2))


def limited_loudness(blocks: Floats, peaks: Singles, applied: float, ceiling: Db) -> Lufs:
    """The integrated loudness to expect after ``applied`` dB of gain and a limiter at ``ceiling``."""
    import numpy as np

    if not len(peaks) or not len(blocks) or 20 * np.log10(max(float(peaks.max()), 1e-9)) + applied <= ceiling:
        return Lufs(loudness.integrated(blocks) + applied)
    # Ten minutes at a time, with what lies before them in reach: so it takes the same memory however long the recording is.
    count = min(len(peaks) // _STEPS_PER_BLOCK, len(blocks))
    lost = np.concatenate([_lost(peaks, at, min(at + _AT_ONCE, count), applied, ceiling) for at in range(0, count, _AT_ONCE)] or [np.zeros(0)])
    return loudness.integrated(blocks[:count] + applied + lost)


def _lost(peaks: Singles, first: int, last: int, applied: float, ceiling: Db) -> Floats:
    """What the limiter takes from blocks [first, last), in dB; never more than 0."""
    import numpy as np

    reach = min(first * _STEPS_PER_BLOCK, _REACH)
    near = peaks[first * _STEPS_PER_BLOCK - reach : last * _STEPS_PER_BLOCK].astype("f8")
    held = np.minimum(0.0, ceiling - 20 * np.log10(np.maximum(near, 1e-9)) - applied)
    if not held.any():
        return np.zeros(last - first)
    reduction = held.copy()
    for step in range(1, _RECOVERED):
        np.minimum(reduction[step:], held[:-step] * np.exp(-step / _RELEASE_STEPS), out=reduction[step:])
    energy = near**2 + 1e-18
    before, after = windows(energy, reach), windows(energy * 10 ** (reduction / 10), reach)
    lost: Floats = 10 * np.log10(after / before)
    return lost


def windows(energy: NDArray[np.floating], first: int = 0) -> Floats:
    """Sums of what 10 ms hold over the 400 ms that end with each 100 ms from step ``first`` on."""
    import numpy as np

    total = np.concatenate(([0.0], np.cumsum(energy, dtype="f8")))
    ends = np.arange(first + _STEPS_PER_BLOCK, len(energy) + 1, _STEPS_PER_BLOCK)
    # The floor keeps a window of silence, whose difference of sums may round to nothing, from dividing by it.
    sums: Floats = np.maximum(total[ends] - total[np.maximum(0, ends - _WINDOW)], 1e-18)
    return sums
