"""What a recording is known by: how loud, high, bright and deep it is in every 10 ms. Everything that is decided of it is decided from this.

It is found while the recording is decoded, is a few megabytes for an hour, and is kept: another target, another chain or a bed under the voice
needs no second look at the recording.
"""

from __future__ import annotations

import json
import math
import zlib
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from audio.loudness import BLOCKS_PER_SECOND, FLOOR, OFFSET
from audio.meter import Meter
from audio.sides import Sides, after, as_many
from audio.units import RATE, Samples

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Doubles = NDArray[np.float64]

RECIPE = 2
"""Raised when the same recording would be described otherwise."""
STEP = RATE // 100
"""Samples in a step: 10 ms."""
STEPS_PER_BLOCK = 100 // BLOCKS_PER_SECOND
_SECOND_DIFFERENCE = 4 * math.sin(math.pi * 6_500 / RATE) ** 2
_CURVES = ("peak", "level", "treble", "rumble", "momentary")


@dataclass(frozen=True, eq=False, slots=True)
class Profile:
    """A decoded recording in steps of 10 ms; all values are dB in hundredths, and at least -120.

    ``peak`` is the highest sample in dBFS. ``level`` is the K-weighted loudness of the step by itself, in LUFS as it will sound in the programme.
    ``treble`` is the RMS of the second difference in dBFS, scaled so that a sine of 6.5 kHz keeps its own: sibilants stand out in it. ``rumble``
    is what lies under some 40 Hz, in dBFS. ``momentary`` is LUFS over the 400 ms that end with each 100 ms. ``dc`` (1.0 is full scale) and ``rms``
    (dBFS) are of each channel. ``lead`` and ``trail`` are the silence at either end.
    """

    length: Samples
    peak: Floats
    level: Floats
    treble: Floats
    rumble: Floats
    momentary: Floats
    dc: tuple[float, ...]
    rms: tuple[float, ...]
    lead: Samples
    trail: Samples

    def packed(self) -> bytes:
        """As bytes, to be kept."""
        import numpy as np

        said = {"length": self.length, "dc": self.dc, "rms": self.rms, "lead": self.lead, "trail": self.trail}
        curves = [np.rint(getattr(self, name) * 100).astype("<i2") for name in _CURVES]
        head = json.dumps({**said, "counts": [len(curve) for curve in curves]}).encode()
        return b"%d\n" % len(head) + head + zlib.compress(b"".join(curve.tobytes() for curve in curves), 1)

    @classmethod
    def unpacked(cls, data: bytes) -> Profile:
        """What `packed` gave. Raises ValueError for anything else."""
        import numpy as np

        try:
            size, rest = data.split(b"\n", 1)
            head = json.loads(rest[: int(size)])
            edges = np.cumsum([0, *head.pop("counts")])
            values = np.frombuffer(zlib.decompress(rest[int(size) :]), "<i2")
            curves = {name: values[a:b].astype("f4") / np.float32(100) for name, a, b in zip(_CURVES, edges, edges[1:], strict=False)}
            said: dict[str, Any] = {**head, "dc": tuple(head["dc"]), "rms": tuple(head["rms"]), **curves}
            return cls(**said)
        except (AttributeError, KeyError, TypeError, zlib.error) as error:
            raise ValueError("no profile") from error


class Profiler:
    """Takes samples as they are decoded. ``heard`` channels are those of the programme: one channel in two is as loud as both."""

    def __init__(self, channels: int, heard: int) -> None:
        self._channels = channels
        self._meter = Meter(channels, dual=channels < heard, fine=True)
        self._weight = float(heard)
        self._rest: Sides = []
        self._samples = 0
        # Arrays that grow: what comes in by the second would be kept in a hundred thousand small pieces.
        self._peak, self._treble, self._mean = array("f"), array("f"), array("f")
        self._means = [array("d") for _ in range(channels)]
        self._energy: Doubles | None = None

    def add(self, sides: Sides) -> None:
        """Take a stretch of samples; nothing of them is kept."""
        self._meter.add(sides)
        sides = after(self._rest, sides)
        whole = len(sides[0]) // STEP * STEP
        self._rest = [side[whole:].copy() for side in sides] if whole < len(sides[0]) else []
        if whole:
            self._look([side[:whole].reshape(-1, STEP) for side in sides])

    def _look(self, sides: Sides) -> None:
        import numpy as np

        count = self._channels
        self._samples += sides[0].size
        means = [rows.mean(axis=1) for rows in sides]
        treble = [_bends(rows) for rows in sides]
        self._peak.frombytes(np.max([np.maximum(rows.max(axis=1), -rows.min(axis=1)) for rows in sides], axis=0).tobytes())
        self._treble.frombytes(np.mean(treble, axis=0).tobytes())
        self._mean.frombytes(np.mean(means, axis=0).tobytes())
        energy = np.array([np.vdot(rows, rows) for rows in as_many(sides, count)], dtype="f8")
        self._energy = energy if self._energy is None else self._energy + energy
        for kept, mean in zip(self._means, as_many(means, count), strict=True):
            kept.append(float(mean.sum(dtype="f8")))

    def profile(self, lead: Samples = Samples(0), trail: Samples = Samples(0)) -> Profile:
        """What was heard, once everything was."""
        import numpy as np

        length = self._samples + (len(self._rest[0]) if self._rest else 0)
        if self._rest:
            # The last step is filled up with silence; its mean is that of the samples which are there.
            self._look([np.pad(side, (0, STEP - len(side))).reshape(1, STEP) for side in self._rest])
            self._mean[-1] *= STEP / len(self._rest[0])
            self._rest = []
        peak, treble, mean = (np.frombuffer(curve, "f4") if curve else np.zeros(0, "f4") for curve in (self._peak, self._treble, self._mean))
        dc = [float(np.sum(parts)) * STEP / max(1, length) for parts in self._means]
        energy = (np.zeros(self._channels) if self._energy is None else self._energy) / max(1, length)
        level = self._meter.fine
        # The meter hears whole blocks of 100 ms; what is left over is taken at its plain level.
        left = peak[len(level) :].astype("f8") ** 2 * self._weight / 4
        return Profile(
            Samples(length),
            peak=_hundredths(20, peak),
            level=_hundredths(10, np.concatenate((level, left)), OFFSET),
            treble=_hundredths(10, treble),
            rumble=_hundredths(20, np.abs(mean - np.float32(np.mean(dc)))),
            momentary=_rounded(self._meter.blocks),
            dc=tuple(dc),
            rms=tuple(round(float(10 * np.log10(value)), 2) if value > 1e-12 else FLOOR for value in energy),
            lead=lead,
            trail=trail,
        )


def _bends(rows: Floats) -> Floats:
    """Mean square of the second difference within each step."""
    import numpy as np

    # Of all samples in a row, which is twice as quick, but for those that lie across an edge.
    samples = rows.reshape(-1)
    bends = np.empty_like(samples)
    inner = bends[:-2]
    np.subtract(samples[2:], samples[1:-1], out=inner)
    inner -= samples[1:-1]
    inner += samples[:-2]
    bends = bends.reshape(-1, STEP)[:, :-2]
    found: Floats = np.einsum("ij,ij->i", bends, bends) / np.float32((STEP - 2) * _SECOND_DIFFERENCE**2)
    return found


def _hundredths(factor: int, values: NDArray[np.floating], offset: float = 0.0) -> Floats:
    """Linear values in dB."""
    import numpy as np

    with np.errstate(divide="ignore", invalid="ignore"):
        return _rounded(offset + factor * np.log10(values))


def _rounded(values: NDArray[np.floating]) -> Floats:
    import numpy as np

    # fmax: samples that are no numbers have no level.
    found: Floats = np.rint(np.minimum(np.fmax(values, FLOOR), 300.0) * 100).astype("f4") / np.float32(100)
    return found


def from_curve(values: Floats) -> str:
    """A curve in dB as text, in hundredths; `to_curve` gives it back. "" for a curve that is 0 throughout."""
    import base64

    import numpy as np

    whole = np.rint(values * 100).astype("<i2")
    if not whole.any():
        return ""
    # Differences: what changes slowly takes next to no room.
    return base64.b85encode(zlib.compress(np.diff(whole, prepend=np.int16(0)).astype("<i2").tobytes(), 6)).decode()


def to_curve(text: str) -> Floats:
    """dB of each step; empty for a curve that is 0 throughout."""
    import base64

    import numpy as np

    if not text:
        return np.zeros(0, "f4")
    steps = np.frombuffer(zlib.decompress(base64.b85decode(text)), "<i2")
    return np.asarray(np.cumsum(steps, dtype="<i2") / 100, dtype="f4")
