"""A segment as it sounds, and the input of a chunk made of segments and silence: gain, fades and limiter over decoded samples, from anywhere.

Any stretch of a segment comes out the same wherever reading began, so chunks are rendered by whoever encodes them, in any order.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from audio.limiter import limited
from audio.pcm import Take
from audio.units import RATE, Db, Samples

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from audio.pcm import Pcm
    from audio.runs import Chunk, Run

    Floats = NDArray[np.float32]

RECIPE = 3
"""Part of the key of what is rendered: raised when the same samples would come out otherwise."""
_SILENCE = bytes(1 << 16)


@dataclass(frozen=True, slots=True)
class Edit:
    """What is done to a recording: the stretch [start, end) of its samples at 48 kHz, one linear ``gain`` in dB, a peak limiter with its
    ``ceiling`` in dBFS (None: it never reaches it), and fades in samples. ``channels`` is the programme's count.
    """

    start: Samples
    end: Samples
    gain: Db
    ceiling: Db | None
    fade_in: Samples
    fade_out: Samples
    channels: int

    @property
    def length(self) -> Samples:
        return Samples(self.end - self.start)


@dataclass(frozen=True, slots=True)
class Material:
    """What a segment is made of: a decoded recording and what is done to it."""

    take: Take
    edit: Edit


def sounding(pcm: Pcm, edit: Edit, start: int, end: int) -> Iterator[Floats]:
    """Samples [start, end) of a segment as it sounds, in blocks of shape (n, channels of the programme). Raises SourceUnreadable."""
    import numpy as np

    gain = np.float32(10 ** (edit.gain / 20))
    origin = edit.start - pcm.take.start

    def edited(first: int, last: int) -> Floats:
        samples = pcm.read(origin + first, origin + last) * gain
        _fade(samples, edit, first, last)
        return samples

    blocks: Iterator[Floats]
    if edit.ceiling is None:
        blocks = (edited(at, min(at + RATE, end)) for at in range(start, end, RATE))
    else:
        blocks = limited(edited, edit.length, edit.ceiling, start, end)
    for block in blocks:
        # A mono recording goes to both sides at full level (dual mono).
        yield block if block.shape[1] == edit.channels else np.repeat(block, edit.channels, axis=1)


def _fade(samples: Floats, edit: Edit, first: int, last: int) -> None:
    """Apply what of the fades falls into samples [first, last) of the segment."""
    import numpy as np

    if first < edit.fade_in:
        # The quarter sine is half up after a third of its length: a section that begins at once is not heard late.
        at = np.arange(first, min(last, edit.fade_in))
        samples[: len(at)] *= np.sin(at * (math.pi / 2 / edit.fade_in)).astype("f4")[:, None]
    falls = edit.length - edit.fade_out
    if last > falls:
        at = np.arange(max(first, falls), last)
        samples[len(samples) - len(at) :] *= (0.5 + 0.5 * np.cos((at - falls) * (math.pi / edit.fade_out))).astype("f4")[:, None]


def fill(file: IO[bytes], chunk: Chunk, run: Run, materials: dict[str, Material], decoded: Callable[[str], Pcm], channels: int, make_up: Db) -> None:
    """Write a chunk's input to ``file``, f32le: its stretch of the run's segments, silence before, between and after them.

    ``make_up`` dB undo what LAME takes off the level (see `encode.make_up`). Raises SourceUnreadable.
    """
    import numpy as np

    scale = np.float32(10 ** (make_up / 20))
    at, end = chunk.start_sample, chunk.start_sample + chunk.input_samples
    for part in run.parts:
        first, last = max(at, part.offset), min(end, part.offset + part.length)
        if first >= last:
            continue
        _rest(file, first - at, channels)
        for block in sounding(decoded(part.name), materials[part.name].edit, first - part.offset, last - part.offset):
            file.write((block * scale).data)
        at = last
    _rest(file, end - at, channels)


def _rest(file: IO[bytes], samples: int, channels: int) -> None:
    left = samples * channels * 4
    while left > 0:
        left -= file.write(_SILENCE[:left])


def beginning(pcm: Pcm, edit: Edit, samples: int) -> Floats:
    """The first samples of a segment as they sound in the programme."""
    import numpy as np

    blocks = list(sounding(pcm, edit, 0, min(samples, edit.length)))
    return np.concatenate(blocks) if blocks else np.zeros((0, edit.channels), dtype=np.float32)
