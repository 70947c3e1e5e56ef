"""Loudness by ITU-R BS.1770-4: gating of 400 ms blocks, and how the blocks of parts make the figure of the whole. Pure.

Blocks are momentary loudness values in LUFS, one every 100 ms, as a meter gives them. Because gating only looks at blocks, the integrated loudness of
a programme needs no pass over the whole: the blocks of its parts are enough.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

from audio.units import Db, Lufs

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Doubles = NDArray[np.float64]

BLOCKS_PER_SECOND = 10
ABSOLUTE_GATE = -70.0
RELATIVE_GATE = -10.0
SILENCE = Lufs(-math.inf)
FLOOR = -120.0
"""Quieter blocks are given this value."""
OFFSET = -0.691
SHORT_TERM = 3 * BLOCKS_PER_SECOND
"""Steps of 100 ms in the window of short-term loudness."""
_RANGE_GATE = -20.0
_RANGE = (10.0, 95.0)
"""Percentiles between which the loudness range lies."""


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


def short_term(momentary: NDArray[np.floating]) -> Doubles:
    """Loudness in LUFS over the 3 s that end with each 100 ms, from momentary values; -120 where 3 s have not gone by yet.

    Momentary values overlap, so the edges of this window slope over 300 ms instead of being sharp.
    """
    import numpy as np

    # A momentary value reaches three steps back already.
    size = SHORT_TERM - 3
    found = np.full(len(momentary), FLOOR)
    if len(momentary) >= SHORT_TERM:
        sums = np.concatenate(([0.0], np.cumsum(10 ** (np.asarray(momentary, dtype="f8") / 10))))
        # Differences of sums are right to some -130 dB: what is less is none.
        means = np.maximum(sums[size:] - sums[:-size], 1e-12) / size
        found[SHORT_TERM - 1 :] = np.maximum(10 * np.log10(means[SHORT_TERM - size :]), FLOOR)
    return found


def loudness_range(short: NDArray[np.floating]) -> float | None:
    """Loudness range in LU (EBU Tech 3342) of short-term values; None when all of them lie under the absolute gate."""
    import numpy as np

    heard = short[short > ABSOLUTE_GATE]
    if not len(heard):
        return None
    gate = 10 * math.log10(float((10 ** (heard / 10)).mean())) + _RANGE_GATE
    low, high = np.percentile(heard[heard > gate], _RANGE)
    return round(float(high - low), 2)
