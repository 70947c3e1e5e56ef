"""Loudness meter: the K-weighted energy of every 100 ms (ITU-R BS.1770-4, at 48 kHz), and from it the momentary values that gating works on."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING

from audio.blockfilter import STEP, Section, filtered
from audio.loudness import BLOCKS_PER_SECOND, FLOOR, OFFSET
from audio.sides import Sides, after, as_many
from audio.units import RATE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Doubles = NDArray[np.float64]

assert RATE // BLOCKS_PER_SECOND == STEP
_SHELF: Section = ((1.53512485958697, -2.69169618940638, 1.19839281085285), (1.0, -1.69065929318241, 0.73248077421585))
_HIGH_PASS: Section = ((1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621))
"""The two filters of BS.1770-4, tables 1 and 2: coefficients (b, a) at 48 kHz."""
_STEPS = 10
_FINE = STEP // _STEPS
_STEPS_IN_WINDOW = 4
_AT_ONCE = 10 * STEP
"""Samples filtered at once: what fits into a processor's cache goes twice as fast."""


class Meter:
    """Takes samples as they come and gives momentary loudness. ``dual`` hears one channel from both sides (+3 dB).

    ``fine`` also keeps the energy of every 10 ms.
    """

    def __init__(self, channels: int, *, dual: bool = False, fine: bool = False) -> None:
        self._channels = channels
        self._weight = 2.0 if dual and channels == 1 else 1.0
        self._rest: Sides = []
        self._states: Sequence[Doubles | None] = [None] * channels
        # Arrays that grow: what comes in by the second would be kept in a hundred thousand small pieces.
        self._energies = array("d")
        self._fine = array("f") if fine else None

    def add(self, sides: Sides) -> None:
        """Take a stretch of samples, as many as there are; nothing of them is kept."""
        sides = after(self._rest, sides)
        length = len(sides[0])
        whole = length // STEP * STEP
        self._rest = [side[whole:].copy() for side in sides] if whole < length else []
        for at in range(0, whole, _AT_ONCE):
            self._measure([side[at : min(at + _AT_ONCE, whole)] for side in sides])

    def _measure(self, sides: Sides) -> None:
        import numpy as np

        # One side stands for both for as long as the filter has heard nothing else.
        alike = len(sides) < self._channels and all(state is self._states[0] for state in self._states)
        found = [_weighted(side, state) for side, state in zip(sides if alike else as_many(sides, self._channels), self._states, strict=False)]
        self._states = [state for _, state in found] * (self._channels if alike else 1)
        energy: Floats = sum(own for own, _ in found) * np.float32(self._weight * (self._channels if alike else 1))  # type: ignore[assignment]
        self._energies.frombytes(energy.reshape(-1, _STEPS).sum(axis=1, dtype="f8").tobytes())
        if self._fine is not None:
            self._fine.frombytes((energy / np.float32(_FINE)).tobytes())

    @property
    def fine(self) -> Floats:
        """Mean square of every 10 ms after K-weighting, summed over the channels, up to the last whole 100 ms."""
        import numpy as np

        return np.array(self._fine or (), dtype="f4")

    @property
    def blocks(self) -> Doubles:
        """Momentary loudness in LUFS at the end of each whole 100 ms, over the 400 ms before it; at least -120.

        The first three reach back into the silence before the start.
        """
        import numpy as np

        if not self._energies:
            return np.zeros(0)
        energy = np.concatenate(([0.0] * (_STEPS_IN_WINDOW - 1), self._energies))
        total = np.lib.stride_tricks.sliding_window_view(energy, _STEPS_IN_WINDOW).sum(axis=1) / (_STEPS_IN_WINDOW * STEP)
        with np.errstate(divide="ignore"):
            # fmax: samples that are no numbers have no loudness.
            values: Doubles = np.fmax(OFFSET + 10 * np.log10(total), FLOOR)
        return values


def _weighted(samples: Floats, state: Doubles | None) -> tuple[Floats, Doubles]:
    """Energy of each 10 ms of one channel after K-weighting, and the filter's state at the end."""
    import numpy as np

    # What the filter remembers after 100 ms lies 200 dB under what it heard.
    out, state = filtered(samples, (_SHELF, _HIGH_PASS), state)
    rows = out.reshape(-1, _FINE)
    energy: Floats = np.einsum("ij,ij->i", rows, rows)
    return energy, state
