"""Flat tops: where a waveform stands still at its height, as it does when a converter, a preamplifier or a limit of numbers cut it off.

A peak of a voice is round. Within half a percent of its height lies an eighth of its breadth (where it is over 0.7 of its height), of a peak that was
cut off a quarter or more. A resampler hides that, for between the samples of the recording it swings over; so the recording's own samples are
interpolated back before they are compared. Lossy encoders make flat tops rough; their breadth near the top remains.
"""

from __future__ import annotations

import math
from array import array
from functools import lru_cache
from typing import TYPE_CHECKING

from audio.units import RATE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Counts = NDArray[np.int32]

COLUMNS = 4
"""Of a peak: its step, its height (hundredths of dBFS), whether it stands still (0 or 1), its breadth at 0.93 by that at 0.6 (percent)."""

_STEP = RATE // 100
_REACH = 80
"""Samples on either side of a peak that are looked at."""
_QUIETEST, _SHARE = 0.03, 0.6
"""Peaks that are looked at: over -30 dBFS, and over so much of the highest one lately, which is forgotten by 1 dB a second."""
_FORGOTTEN = 0.9
_AT_ONCE = 256
_LOBE_SECONDS = 0.0012
_STILL, _FEWEST, _PART = 0.004, 3, 0.25
_ROUND = 33
"""Percent under which a peak is round: the recorded samples need not be asked."""
_LOBE, _NEAR_TOP, _LOW = 0.7, 0.93, 0.6
_TAPS = 16


class Tops:
    """Takes one side of a recording of ``rate`` Hz, decoded at 48 kHz, second by second, from its sample ``origin`` on."""

    def __init__(self, rate: int, origin: int) -> None:
        self._rate = rate
        self._at = origin - _REACH
        self._before: Floats | None = None
        self._highest = 0.0
        self._steps = 0
        self._waiting: list[tuple[Floats, Counts, NDArray[np.int64], Floats]] = []
        self._rows = 0
        self._found = array("i")

    def add(self, second: Floats) -> None:
        """The next whole seconds. Peaks are looked for up to 1.7 ms before their end."""
        import numpy as np

        before = np.zeros(2 * _REACH, "f4") if self._before is None else self._before
        tape = np.concatenate((before, second))
        self._before = tape[-2 * _REACH :].copy()
        for at in range(0, len(second), RATE):
            self._look(tape[at : at + RATE + 2 * _REACH])

    def _look(self, tape: Floats) -> None:
        import numpy as np

        rows = tape[_REACH:-_REACH].reshape(-1, _STEP)
        peaks = np.maximum(rows.max(axis=1), -rows.min(axis=1))
        self._highest = max(float(peaks.max()), self._highest * _FORGOTTEN)
        chosen = np.flatnonzero(peaks >= max(_QUIETEST, _SHARE * self._highest))
        if len(chosen):
            places = chosen * _STEP + np.abs(rows[chosen]).argmax(axis=1)
            windows = tape[places[:, None] + np.arange(2 * _REACH + 1)]
            self._waiting.append((windows, (chosen + self._steps).astype("i4"), places + self._at, peaks[chosen]))
            self._rows += len(chosen)
        self._steps += len(rows)
        self._at += len(rows) * _STEP
        if self._rows >= _AT_ONCE:
            self._judge()

    def _judge(self) -> None:
        import numpy as np

        if not self._waiting:
            return
        windows, steps, places, peaks = (np.concatenate(parts) for parts in zip(*self._waiting, strict=True))
        self._waiting, self._rows = [], 0
        windows /= (peaks * np.sign(windows[:, _REACH]))[:, None]
        breadth = 100 * _breadth(windows, _NEAR_TOP) // np.maximum(1, _breadth(windows, _LOW))
        flat = np.zeros(len(windows), "?")
        broad = breadth >= _ROUND
        flat[broad] = self._flat(windows[broad], places[broad])
        heights = np.rint(2000 * np.log10(peaks))
        self._found.frombytes(np.stack((steps, heights, flat, breadth), axis=1).astype("i4").tobytes())

    def _flat(self, windows: Floats, places: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether each peak stands still; the windows around them are at a scale at which they are 1."""
        import numpy as np

        if not len(windows):
            return np.zeros(0, "?")
        recorded = _recorded(windows, places, self._rate) if self._rate < RATE else windows[:, _REACH - _reach(RATE) : _REACH + _reach(RATE) + 1]
        middle = recorded.shape[1] // 2
        # What swings over between the recorded samples is not their height.
        recorded /= recorded[:, middle - 1 : middle + 2].max(axis=1, keepdims=True)
        still = _longest(np.abs(recorded - 1) < _STILL)
        found: NDArray[np.bool_] = (still >= _FEWEST) & (still >= _PART * _breadth(recorded, _LOBE))
        return found

    def table(self) -> Counts:
        """All peaks that were looked at, in order."""
        import numpy as np

        self._judge()
        return np.frombuffer(self._found, "i4").reshape(-1, COLUMNS) if self._found else np.zeros((0, COLUMNS), "i4")


def _reach(rate: int) -> int:
    return max(8, int(rate * _LOBE_SECONDS))


def _breadth(windows: Floats, level: float) -> Counts:
    """Neighbouring samples around the middle that are over ``level``."""
    import numpy as np

    middle = windows.shape[1] // 2
    under = windows < level
    under[:, 0] = under[:, -1] = True
    found: Counts = (under[:, middle:].argmax(axis=1) + under[:, middle::-1].argmax(axis=1) - 1).astype("i4")
    return np.maximum(found, 0)


def _longest(marks: NDArray[np.bool_]) -> Counts:
    """The longest run of marks in each row."""
    import numpy as np

    run, longest = np.zeros(len(marks), "i4"), np.zeros(len(marks), "i4")
    for column in marks.T:
        run = (run + 1) * column
        np.maximum(longest, run, out=longest)
    return longest


def _recorded(windows: Floats, places: NDArray[np.int64], rate: int) -> Floats:
    """The samples that were recorded at ``rate``, around the middle of each window; a sample at 48 kHz lies at ``places`` of the recording."""
    import numpy as np

    common = math.gcd(rate, RATE)
    up, down = RATE // common, rate // common
    reach = min(_reach(rate), (_REACH - _TAPS - 2) * down // up)
    nearest = (places * down + up // 2) // up
    position = (nearest[:, None] + np.arange(-reach, reach + 1)) * up
    local = position // down - places[:, None] + _REACH
    taps = np.lib.stride_tricks.sliding_window_view(windows, 2 * _TAPS, axis=1)
    gathered = taps[np.arange(len(windows))[:, None], local - _TAPS + 1]
    found: Floats = np.einsum("nkt,nkt->nk", gathered, _phases(down)[position % down])
    return found


@lru_cache(maxsize=4)
def _phases(count: int) -> Floats:
    """Interpolators (windowed sinc, Kaiser) for each fraction of a sample, of 32 taps."""
    import numpy as np

    at = np.arange(1 - _TAPS, _TAPS + 1)[None, :] - np.arange(count)[:, None] / count
    taps = np.sinc(at) * np.i0(7.0 * np.sqrt(np.clip(1 - (at / _TAPS) ** 2, 0, None)))
    return np.asarray(taps / taps.sum(axis=1, keepdims=True), dtype="f4")
