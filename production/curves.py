"""How loud and how high a finished file is in every 100 ms: what its waveform and its loudness over time are drawn from.

A build keeps them with what it heard. They are heard again when the store does not hold them any more, and are then the same to the last bit.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from audio import loudness, runs
from audio.mpeg import Format
from audio.units import FRAME, RATE, Samples
from audio.verify import Heard, Slice
from production.hearing import RECIPE as HEARD
from production.hearing import Hearing
from production.receipts import Receipt
from production.store import Store, digest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Singles = NDArray[np.float32]
    Doubles = NDArray[np.float64]

RECIPE = 1
"""Raised when the same slices would be put together otherwise."""
STEP = RATE // loudness.BLOCKS_PER_SECOND
"""Samples in a step: 100 ms."""


@dataclass(frozen=True, eq=False, slots=True)
class Curves:
    """A finished file in steps of 100 ms; dB in hundredths, at least -120. ``momentary`` is LUFS over the 400 ms that end with the step,
    ``peak`` the highest sample of any channel within it, in dBFS.
    """

    momentary: Singles
    peak: Singles

    @property
    def short_term(self) -> Doubles:
        """LUFS over the 3 s that end with each step."""
        return loudness.short_term(self.momentary)

    def packed(self) -> bytes:
        """As bytes, to be kept."""
        import numpy as np

        whole = np.rint(np.stack((self.momentary, self.peak)) * 100).astype("<i2")
        # Differences: what changes slowly takes less room.
        return zlib.compress(np.diff(whole, axis=1, prepend=np.int16(0)).astype("<i2").tobytes(), 6)

    @classmethod
    def unpacked(cls, data: bytes) -> Curves:
        """What `packed` gave."""
        import numpy as np

        both = np.cumsum(np.frombuffer(zlib.decompress(data), "<i2").reshape(2, -1), axis=1, dtype="<i2")
        return cls(*(both.astype("f4") / np.float32(100)))


def assembled(parts: Sequence[Slice], heard: Sequence[Heard], length: Samples) -> Curves:
    """The curves of a programme of ``length`` from what was heard of its slices. A slice that begins between two steps begins with the nearer one."""
    import numpy as np

    steps = -(-length // STEP)
    momentary, peak = (np.full(steps, np.nan) for _ in range(2))
    momentary[:3] = loudness.FLOOR
    for part, one in zip(parts, heard, strict=True):
        at = round(part.first * FRAME / STEP)
        # The first 400 ms of a file end with its fourth step.
        first = at if part.first else 3
        for curve, begin, values in ((momentary, first, one.blocks), (peak, at, one.peaks)):
            there = curve[begin : begin + len(values)]
            there[:] = values[: len(there)]
    return Curves(_filled(momentary), _filled(peak))


def _filled(values: Doubles) -> Singles:
    """The steps that no slice has a whole value of are as the ones before them."""
    import numpy as np

    known = np.maximum.accumulate(np.where(np.isnan(values), 0, np.arange(len(values))))
    # Of a negative zero, which comes of rounding, a positive one.
    whole = np.nan_to_num(np.rint(values[known] * 100), nan=loudness.FLOOR * 100) + 0.0
    return np.asarray(whole.astype("f4") / np.float32(100))


def key(sha256: str, starts: Sequence[int], build: str) -> str:
    """The entry of the curves of frames with this digest, heard in slices that begin at these frames, by this build of the decoder."""
    return digest("curves", RECIPE, HEARD, sha256, list(starts), build)


def keep(found: Curves, store: Store, name: str) -> None:
    store.put(name, found.packed())


def of(store: Store, finished: Path, receipt: Receipt, fmt: Format, build: str, jobs: int) -> Curves:
    """The curves of a finished file, from the store, or heard again. Raises FfmpegFailed, OSError."""
    frames = receipt.samples // FRAME
    # Builds of earlier versions did not write down how they were heard.
    starts = receipt.audio.get("slices") or list(range(0, frames, runs.CHUNK))
    name = key(receipt.audio["sha256"], starts, build)
    if (kept := store.get(name)) is not None:
        return Curves.unpacked(kept)
    parts = [Slice(first, last) for first, last in zip(starts, [*starts[1:], frames], strict=True)]
    with finished.open("rb") as file, ThreadPoolExecutor(jobs) as threads:
        heard = tuple(Hearing(store, file, int(receipt.audio["offset"]), fmt, build).all(parts, threads))
    found = assembled(parts, heard, Samples(receipt.samples))
    keep(found, store, name)
    return found
