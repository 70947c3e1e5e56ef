"""The channel strip: what is done to a recorded voice, sample by sample, before it takes its place in the programme.

A strip is a value; what it does was decided from the recording's profile (`audio.chain`). It is applied to any stretch of the decoded
recording, and each sample comes out the same wherever reading began: the high-pass runs on blocks that are counted from the first sample, each
with a warm-up of its own, and everything else looks no further than some samples around.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from audio import blockfilter
from audio.profile import STEP, to_curve
from audio.units import RATE, Db

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from audio.pcm import Pcm

    Floats = NDArray[np.float32]

RECIPE = 2
"""Part of the key of what is rendered: raised when the same samples would come out otherwise."""
_BLOCK = 2 * RATE
_WARM_UP = 2 * blockfilter.STEP
_BAND_HZ = 4_500.0
_TAPS = 31
_REACH = _TAPS // 2


@dataclass(frozen=True, slots=True)
class Strip:
    """What is done, in this order; the default does nothing.

    ``side`` is the channel that stands for both when the other one is dead. ``dc`` is subtracted from each channel (1.0 is full scale).
    ``high_pass`` is a corner in Hz, 0 for none. ``deess`` and ``ride`` are curves as `profile.from_curve` writes them, with one value (dB) for
    the middle of each 10 ms from the first decoded sample on: the first for the band above 4.5 kHz, the second for everything.
    """

    side: int | None = None
    dc: tuple[float, ...] = ()
    high_pass: float = 0.0
    deess: str = ""
    ride: str = ""

    @property
    def room(self) -> Strip:
        """The same without what follows the voice: for the tone of its room."""
        return Strip(self.side, self.dc, self.high_pass)


UNTOUCHED = Strip()
"""The strip that does nothing."""


class Tape:
    """A decoded recording of ``length`` samples as it comes out of a strip and a linear ``gain`` in dB. For one thread."""

    def __init__(self, pcm: Pcm, length: int, strip: Strip, gain: Db) -> None:
        self._pcm = pcm
        self._length = length
        self._strip = strip
        self._gain = gain
        self._deess, self._ride = curve(strip.deess), curve(strip.ride)
        self._blocks: dict[int, Floats] = {}

    def read(self, first: int, last: int) -> Floats:
        """Samples [first, last), counted from the first decoded one; an array of the caller's own. Raises SourceUnreadable."""
        import numpy as np

        samples = self._with_less_sibilance(first, last) if self._hisses(first, last) else self._clean(first, last)
        if not len(self._ride):
            return samples * np.float32(10 ** (self._gain / 20))
        return times(samples, lines(self._ride, self._gain, first, last))

    def _clean(self, first: int, last: int) -> Floats:
        """After repair and high-pass."""
        import numpy as np

        if not self._strip.high_pass:
            return self._repaired(first, last)
        blocks = range(first // _BLOCK, (last - 1) // _BLOCK + 1)
        self._blocks = {at: block for at, block in self._blocks.items() if at in blocks}
        for at in blocks:
            if at not in self._blocks:
                self._blocks[at] = self._without_rumble(at * _BLOCK)
        parts = [self._blocks[at][max(0, first - at * _BLOCK) : last - at * _BLOCK] for at in blocks]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _without_rumble(self, start: int) -> Floats:
        """One block after the high-pass. All blocks are filtered in arrays of one shape, so that all are added up in the same order."""
        import numpy as np

        first, last = max(0, start - _WARM_UP), min(start + _BLOCK, self._length)
        samples = self._repaired(first, last)
        sections = blockfilter.high_pass(self._strip.high_pass)
        sides: list[Floats] = []
        for channel in range(samples.shape[1]):
            if channel and np.array_equal(samples[:, 0], samples[:, channel]):
                sides.append(sides[0])
                continue
            known = np.zeros(_WARM_UP + _BLOCK, dtype="f4")
            known[first - start + _WARM_UP : last - start + _WARM_UP] = samples[:, channel]
            out, _ = blockfilter.filtered(known, sections)
            sides.append(out.reshape(-1)[_WARM_UP : _WARM_UP + last - start])
        return np.stack(sides, axis=1)

    def _repaired(self, first: int, last: int) -> Floats:
        import numpy as np

        samples = self._pcm.read(first, last)
        if self._strip.side is not None:
            samples = np.repeat(samples[:, self._strip.side, None], samples.shape[1], axis=1)
        if any(self._strip.dc):
            samples = samples - np.array(self._strip.dc, dtype="f4")
        return samples

    def _hisses(self, first: int, last: int) -> bool:
        if not len(self._deess):
            return False
        a, b = _steps(first, last)
        return bool((self._deess[max(0, a) : b + 1] < 0).any())

    def _with_less_sibilance(self, first: int, last: int) -> Floats:
        """The band above 4.5 kHz turned down where the curve says so: the rest of the samples is left as it is."""
        import numpy as np

        before, after = max(0, first - _REACH), min(self._length, last + _REACH)
        known = np.pad(self._clean(before, after), ((before - first + _REACH, last + _REACH - after), (0, 0)))
        samples = known[_REACH : len(known) - _REACH].copy()
        less = lines(self._deess, Db(0.0), first, last) - np.float32(1)
        for a, b in _stretches(less < 0):
            samples[a:b] += times(_band(known[a : b + 2 * _REACH]), less[a:b])
        return samples


def _band(samples: Floats) -> Floats:
    """What lies above 4.5 kHz: a linear-phase high-pass. Gives as many samples less as its taps reach."""
    import numpy as np

    taps = _band_taps()
    count = len(samples) - 2 * _REACH
    found: Floats = samples[_REACH : _REACH + count] * taps[_REACH]
    # Sums of the same few terms in the same order for every sample: where the stretch begins makes no difference.
    for reach in range(1, _REACH + 1):
        both = samples[_REACH - reach : _REACH - reach + count] + samples[_REACH + reach : _REACH + reach + count]
        found += both * np.float32(taps[_REACH + reach])
    return found


@lru_cache(maxsize=1)
def _band_taps() -> Floats:
    import numpy as np

    at = np.arange(_TAPS) - _REACH
    low = np.sinc(2 * _BAND_HZ / RATE * at) * np.hamming(_TAPS)
    high = -low / low.sum()
    high[_REACH] += 1
    taps: Floats = high.astype("f4")
    return taps


def _stretches(marks: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Where marks are set, as [start, end)."""
    import numpy as np

    edges = np.flatnonzero(np.diff(marks, prepend=False, append=False))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


@lru_cache(maxsize=8)
def curve(text: str) -> Floats:
    """A curve's values; the same ones for all who render the same sections. Those of a whole episode of ten hours would be 30 MB."""
    return to_curve(text)


def _steps(first: int, last: int) -> tuple[int, int]:
    """The knots (middles of steps) on whose lines samples [first, last) lie: from the first one's number to the last one's."""
    return (first - STEP // 2) // STEP, (last - 1 - STEP // 2) // STEP + 1


def lines(values: Floats, gain: Db, first: int, last: int) -> Floats:
    """The linear gain at samples [first, last): straight lines between a curve's knots, which lie in the middles of its steps, raised by ``gain`` dB.

    Before the first knot and after the last one the curve stays as it is there.
    """
    import numpy as np

    a, b = _steps(first, last)
    knots = np.clip(np.arange(a, b + 1), 0, len(values) - 1)
    edges = (10 ** ((values[knots].astype("f8") + gain) / 20)).astype("f4")
    way = np.arange(STEP, dtype="f4") / np.float32(STEP)
    skipped = first - (a * STEP + STEP // 2)
    found: Floats = (edges[1:] - edges[:-1])[:, None] * way
    found += edges[:-1, None]
    return found.reshape(-1)[skipped : skipped + last - first]


def times(samples: Floats, gains: Floats) -> Floats:
    """Samples of shape (n, channels) times a gain for each; much quicker channel by channel than as one product that has to spread the gain."""
    import numpy as np

    out = np.empty_like(samples)
    for channel in range(samples.shape[1]):
        np.multiply(samples[:, channel], gains, out=out[:, channel])
    return out
