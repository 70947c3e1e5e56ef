"""What only the samples of a recording can tell of its faults, noted while it is decoded: flat tops, holes and clicks, hum, and how its sides agree.

Nothing is judged here. What is kept is small (some hundred kilobytes for an hour), and `audio.sentinels` decides from it and from the profile.
"""

from __future__ import annotations

import json
import zlib
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING

from audio.gaps import CLICK_COLUMNS, HOLE_COLUMNS, MS, Gaps, decibels, mean_squares
from audio.recipes import FLAWS
from audio.sides import Sides, after, as_many
from audio.tops import COLUMNS, Tops
from audio.units import RATE, Samples

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Counts = NDArray[np.int32]

RECIPE = FLAWS
HUM_SECONDS = 20
HUM_HZ = 1
"""Hertz from one line of a spectrum to the next."""
HUM_LINES = 400
SIDE_COLUMNS = 3
_FRAME, _HOP = 1000, 500
_HUM_STRETCH, _SHORTEST_HUM = HUM_SECONDS * 1000, 5000
_QUIET_PART = 20
"""Percentile of the spectra of 20 s that is kept of each line: what is always there is in it, a voice is not."""
_BLOCK = RATE // 10
_TABLES = {"tops": COLUMNS, "holes": HOLE_COLUMNS, "clicks": CLICK_COLUMNS, "sides": SIDE_COLUMNS, "hum": HUM_LINES}


@dataclass(frozen=True, eq=False, slots=True)
class Flaws:
    """Notes on what was decoded of a recording: ``length`` samples from its sample ``origin`` on. Times in the tables count from there.

    ``tops`` is as `tops.COLUMNS` says, ``holes`` and ``clicks`` as `gaps` does, of either side. ``sides`` (empty where they never differ) holds the
    mean square of left, right and their mean, of each 100 ms, and ``hum`` the quiet part of the spectrum of each 20 s (the last: of up to 40 s), in
    hundredths of dBFS.
    """

    origin: Samples
    length: Samples
    tops: Counts
    holes: Counts
    clicks: Counts
    sides: Counts
    hum: Counts

    def packed(self) -> bytes:
        """As bytes, to be kept."""
        tables = [getattr(self, name).astype("<i4") for name in _TABLES]
        head = json.dumps({"origin": self.origin, "length": self.length, "rows": [len(table) for table in tables]}).encode()
        return b"%d\n" % len(head) + head + zlib.compress(b"".join(table.tobytes() for table in tables), 1)

    @classmethod
    def unpacked(cls, data: bytes) -> Flaws:
        """What `packed` gave. Raises ValueError for anything else."""
        import numpy as np

        try:
            size, rest = data.split(b"\n", 1)
            head = json.loads(rest[: int(size)])
            values = np.frombuffer(zlib.decompress(rest[int(size) :]), "<i4")
            tables, at = {}, 0
            for (name, columns), rows in zip(_TABLES.items(), head["rows"], strict=True):
                tables[name] = values[at : at + rows * columns].reshape(rows, columns)
                at += rows * columns
            return cls(Samples(head["origin"]), Samples(head["length"]), **tables)
        except (KeyError, TypeError, zlib.error) as error:
            raise ValueError("no notes on flaws") from error


class Inspector:
    """Takes samples as they are decoded of a recording of ``rate`` Hz, beginning at its sample ``origin`` (counted at 48 kHz)."""

    def __init__(self, channels: int, rate: int, origin: Samples = Samples(0)) -> None:
        self._channels, self._rate, self._origin = channels, rate, origin
        self._rest: Sides = []
        self._length = 0
        self._ears = [_Ear(rate, origin)]
        self._sides = array("f")
        self._hum = _Hum()

    def add(self, sides: Sides) -> None:
        """Take a stretch of samples; nothing of them is kept. What is noted does not depend on how they are cut."""
        self._length += len(sides[0])
        sides = after(self._rest, sides)
        whole = len(sides[0]) // RATE * RATE
        self._rest = [side[whole:].copy() for side in sides] if whole < len(sides[0]) else []
        if whole:
            self._inspect([side[:whole] for side in sides])

    def _inspect(self, sides: Sides) -> None:
        import numpy as np

        if len(sides) > len(self._ears):
            # Until now one ear was enough for both.
            self._ears.append(self._ears[0].like())
        sides = as_many(sides, len(self._ears))
        energies = [mean_squares(side, MS) for side in sides]
        slow = [np.einsum("ij,j->i", side.reshape(-1, MS), np.full(MS, 1 / MS, "f4")) for side in sides]
        for ear, side, energy, mean in zip(self._ears, sides, energies, slow, strict=True):
            ear.add(side, energy, mean)
        self._hum.add(slow[0] if len(slow) == 1 else (slow[0] + slow[1]) * np.float32(0.5))
        if self._channels == 2:
            left, right = (energy.reshape(-1, 100).mean(axis=1) for energy in (energies[0], energies[-1]))
            rows = [side.reshape(-1, _BLOCK) for side in sides]
            both = left if len(rows) == 1 else (left + right) / 4 + np.einsum("ij,ij->i", *rows) / np.float32(2 * _BLOCK)
            self._sides.frombytes(np.stack((left, right, both), axis=1).astype("f4").tobytes())

    def flaws(self) -> Flaws:
        """What was noted, once everything was heard."""
        import numpy as np

        if self._rest:
            length = len(self._rest[0])
            self._inspect([np.pad(side, (0, RATE - length)) for side in self._rest])
            self._rest = []
        tables = [ear.tables() for ear in self._ears]
        tops, holes, clicks = (_in_order([found[index] for found in tables]) for index in range(3))
        differ = len(self._ears) > 1
        sides = _hundredths(np.array(self._sides if differ else (), "f4")).reshape(-1, SIDE_COLUMNS)
        return Flaws(self._origin, Samples(self._length), tops, holes, clicks, sides, self._hum.table())


class _Ear:
    """Hears one side."""

    def __init__(self, rate: int, origin: Samples) -> None:
        self._tops, self._gaps = Tops(rate, origin), Gaps()

    def like(self) -> _Ear:
        """Another one that has heard the same. What it found until now was found already."""
        import copy

        return copy.deepcopy(self)

    def add(self, samples: Floats, energy: Floats, mean: Floats) -> None:
        self._tops.add(samples)
        self._gaps.add(samples, energy, mean)

    def tables(self) -> tuple[Counts, Counts, Counts]:
        holes, clicks = self._gaps.tables()
        return self._tops.table(), holes, clicks


class _Hum:
    """Hears what is left of the recording at 1 kHz, for what is always there between 0 and 400 Hz."""

    def __init__(self) -> None:
        self._slow = array("f")
        self._found = array("i")

    def add(self, slow: Floats) -> None:
        self._slow.frombytes(slow.tobytes())
        # What is left at the end is too short to be told from a voice by itself: it is heard with the stretch before it.
        while len(self._slow) >= 2 * _HUM_STRETCH:
            self._listen(_HUM_STRETCH)

    def _listen(self, length: int) -> None:
        import numpy as np

        known = np.array(self._slow[:length], "f4")
        del self._slow[:length]
        # A sine keeps its mean square.
        window = np.hanning(_FRAME).astype("f4")
        window *= np.float32(np.sqrt(2) / window.sum())
        rows = np.lib.stride_tricks.sliding_window_view(known, _FRAME)[::_HOP]
        spectra = np.fft.rfft(rows * window, axis=1)[:, :HUM_LINES]
        quiet: Floats = np.percentile(spectra.real**2 + spectra.imag**2, _QUIET_PART, axis=0).astype("f4")
        self._found.frombytes(_hundredths(quiet).tobytes())

    def table(self) -> Counts:
        import numpy as np

        if len(self._slow) >= _SHORTEST_HUM:
            self._listen(len(self._slow))
        return np.array(self._found, "i4").reshape(-1, HUM_LINES)


def _hundredths(power: Floats) -> Counts:
    """dBFS of mean squares."""
    import numpy as np

    found: Counts = np.rint(100 * decibels(power)).astype("i4")
    return found


def _in_order(tables: list[Counts]) -> Counts:
    """The rows of both sides, by their first column; those that are the same once."""
    import numpy as np

    if len(tables) == 1:
        return tables[0]
    found: Counts = np.unique(np.concatenate(tables), axis=0)
    return found
