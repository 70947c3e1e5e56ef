"""Sound as it is compared: 8 kHz, 300 to 3400 Hz, every band of every 32 ms brought to one level. What is left is its fine structure.

So a voice that is heard in another's microphone, 30 dB under it and coloured by the room, counts as much as the voice that is near; and of who speaks
when, which two tracks of a conversation always share, nothing is left to be mistaken for the same sound.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from audio.units import RATE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

WHITE_RATE = 8_000
"""Samples per second of what is compared."""
DOWN = RATE // WHITE_RATE
_FRAME, _HOP = 256, 128
_LOWEST, _HIGHEST = 10, 109
"""Bins of 31 Hz that are kept."""
_AROUND = 4
"""Bins on either side that share a level: 280 Hz together, less than a formant and more than a harmonic."""
_SILENCE = 1e-9
"""Mean square in a bin's neighbourhood (of a frame of 1.0 full scale) under which there is only digital silence."""
_AT_ONCE = 512
_BYTES = 4


class Whitened:
    """The whitened samples of one track, in a temporary without a name: they grow by `add`, and may be read once `finish` was called."""

    def __init__(self, folder: Path) -> None:
        self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115  closed by `close`
        self._rest: list[Floats] = []
        self._waiting = 0
        self._tail: Floats | None = None
        self._heard = 0

    @property
    def samples(self) -> int:
        """How many there are, at 8 kHz."""
        return self._heard // DOWN

    def add(self, samples: Floats) -> None:
        """Take a stretch of one channel at 48 kHz; nothing of it is kept."""
        self._rest.append(samples.copy())
        self._waiting += len(samples)
        self._heard += len(samples)
        if self._waiting >= (_AT_ONCE + 2) * _HOP * DOWN:
            self._work()

    def finish(self) -> None:
        """Everything was heard."""
        import numpy as np

        self.add(np.zeros(2 * _FRAME * DOWN, "f4"))
        self._heard -= 2 * _FRAME * DOWN
        self._work()

    def _work(self) -> None:
        import numpy as np

        known = np.concatenate(self._rest) if self._rest else np.zeros(0, "f4")
        frames = (len(known) - _FRAME * DOWN) // (_HOP * DOWN) + 1
        if frames < 1:
            return
        for first in range(0, frames, _AT_ONCE):
            count = min(_AT_ONCE, frames - first)
            stretch = known[first * _HOP * DOWN : (first + count - 1) * _HOP * DOWN + _FRAME * DOWN]
            self._write(_overlapped(_white(stretch), self._tail_of()))
        rest = known[frames * _HOP * DOWN :].copy()
        self._rest, self._waiting = [rest], len(rest)

    def _tail_of(self) -> Floats:
        import numpy as np

        return np.zeros(_HOP, "f4") if self._tail is None else self._tail

    def _write(self, found: Floats) -> None:
        self._tail = found[-_HOP:].copy()
        left = memoryview(found[:-_HOP].tobytes())
        while left:
            left = left[self._file.write(left) :]

    def read(self, first: int, last: int) -> Floats:
        """Samples [first, last), silence where there are none."""
        import numpy as np

        low, high = max(0, min(first, self.samples)), max(0, min(last, self.samples))
        data = b""
        while len(data) < (high - low) * _BYTES:
            part = os.pread(self._file.fileno(), (high - low) * _BYTES - len(data), low * _BYTES + len(data))
            if not part:
                break
            data += part
        found = np.frombuffer(data, "<f4")
        if low == first and len(found) == last - first:
            return found
        whole = np.zeros(last - first, "f4")
        at = max(0, low - first) if high > low else 0
        whole[at : at + len(found)] = found
        return whole

    def close(self) -> None:
        self._file.close()


def _white(samples: Floats) -> Floats:
    """Frames of a stretch at 48 kHz, whitened, at 8 kHz; windowed so that they overlap to the whole."""
    import numpy as np

    window = np.sqrt(np.hanning(_FRAME * DOWN + 1)[:-1]).astype("f4")
    frames = np.lib.stride_tricks.sliding_window_view(samples, _FRAME * DOWN)[:: _HOP * DOWN] * window
    spectrum = np.fft.rfft(np.nan_to_num(frames, nan=0.0, posinf=0.0, neginf=0.0), axis=1)[:, _LOWEST : _HIGHEST + 1]
    power = spectrum.real**2 + spectrum.imag**2
    total = np.cumsum(np.pad(power.astype("f8"), ((0, 0), (_AROUND + 1, _AROUND)), mode="constant"), axis=1)
    around = 2 * _AROUND + 1
    near = (total[:, around:] - total[:, :-around]) / around
    kept = np.zeros((len(frames), _FRAME // 2 + 1), "c8")
    kept[:, _LOWEST : _HIGHEST + 1] = spectrum * np.where(near > _SILENCE, 1 / np.sqrt(np.maximum(near, _SILENCE)), 0.0)
    # As many bins as are kept of a frame of white noise make a sample's mean square 1.
    scale = _FRAME / (2 * np.sqrt(_HIGHEST - _LOWEST + 1))
    small = np.sqrt(np.hanning(_FRAME + 1)[:-1])
    found: Floats = (np.fft.irfft(kept, _FRAME, axis=1) * (small * scale)).astype("f4")
    return found


def _overlapped(frames: Floats, tail: Floats) -> Floats:
    """Frames added up; the last half of a frame waits for the next one."""
    import numpy as np

    out = np.zeros((len(frames) + 1) * _HOP, "f4")
    out[:_HOP] = tail
    out[: len(frames) * _HOP] += frames[:, :_HOP].reshape(-1)
    out[_HOP:] += frames[:, _HOP:].reshape(-1)
    return out
