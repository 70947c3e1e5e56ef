"""Loudness by ITU-R BS.1770-4: gating of 400 ms blocks, and how the blocks of parts make the figure of the whole. Pure.

Blocks are momentary loudness values in LUFS, one every 100 ms, as a meter gives them. Because gating only looks at blocks, the integrated loudness of
a programme needs no pass over the whole: the blocks of its parts are enough.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from audio.units import Db, Lufs

BLOCKS_PER_SECOND = 10
ABSOLUTE_GATE = -70.0
RELATIVE_GATE = -10.0
SILENCE = Lufs(-math.inf)
FLOOR = -120.0
"""Quieter blocks are given this value."""
OFFSET = -0.691


def _loudness(energy: float) -> Lufs:
    return Lufs(OFFSET + 10 * math.log10(energy)) if energy > 0 else SILENCE


def integrated(blocks: Iterable[float]) -> Lufs:
    """Gated loudness of 400 ms blocks; -inf when all of them lie under the absolute gate."""
    import numpy as np

    # Of ten hours there are 360 000: an array of them takes 3 MB, a list 12.
    found = blocks if isinstance(blocks, np.ndarray) else np.fromiter(blocks, "f8")
    energies = 10 ** ((found[found > ABSOLUTE_GATE] - OFFSET) / 10)
    if not len(energies):
        return SILENCE
    gate = energies.mean() * 10 ** (RELATIVE_GATE / 10)
    return _loudness(float(energies[energies > gate].mean()))


def decibels(amplitude: float) -> Db:
    """An amplitude (1.0 is full scale) in dB; -inf for silence."""
    return Db(20 * math.log10(amplitude)) if amplitude > 0 else Db(-math.inf)
