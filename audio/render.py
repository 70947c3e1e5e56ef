"""A segment as it sounds, and the input of a chunk made of segments and silence: gain, fades and limiter over decoded samples, from anywhere.

Any stretch of a segment comes out the same wherever reading began, so chunks are rendered by whoever encodes them, in any order.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import IO, TYPE_CHECKING

from audio.limiter import limited
from audio.pcm import Take
from audio.strip import UNTOUCHED, Strip, Tape, curve, lines, times
from audio.units import RATE, Db, Samples

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from audio.pcm import Pcm
    from audio.runs import Chunk, Run

    Floats = NDArray[np.float32]

RECIPE = 4
"""Part of the key of what is rendered: raised when the same samples would come out otherwise."""
_SILENCE = bytes(1 << 16)


@dataclass(frozen=True, slots=True)
class Edit:
    """What is done to a recording: the stretch [start, end) of its samples at 48 kHz, the channel strip, one linear ``gain`` in dB, a peak limiter
    with its ``ceiling`` in dBFS (None: it never reaches it), and fades in samples. ``channels`` is the programme's count.

    ``known`` is how many samples the recording has, counted from the take's in point.
    """

    start: Samples
    end: Samples
    gain: Db
    ceiling: Db | None
    fade_in: Samples
    fade_out: Samples
    channels: int
    strip: Strip = UNTOUCHED
    known: Samples = Samples(0)

    @property
    def length(self) -> Samples:
        return Samples(self.end - self.start)


@dataclass(frozen=True, slots=True)
class Under:
    """A recording that sounds under a segment: music, the tail of what came before, the tone of a room. ``samples`` names its decoded samples.

    It is heard for ``length`` samples from sample ``at`` of the segment on (negative: it began before), beginning with its own sample ``first``.
    When it comes to ``end``, it goes round from ``start``; over the ``lap`` samples before, what stands before ``start`` is faded in (equal power).
    ``gain`` in dB; ``duck`` is a curve from its own beginning on; fades are equal-power (quarter sine), in samples. ``start``, ``end`` and ``first``
    are counted from the take's in point, ``known`` is how many samples there are.
    """

    samples: str
    take: Take
    known: Samples
    first: Samples
    start: Samples
    end: Samples
    lap: Samples
    at: Samples
    length: Samples
    gain: Db
    fade_in: Samples = Samples(0)
    fade_out: Samples = Samples(0)
    duck: str = ""
    strip: Strip = UNTOUCHED


@dataclass(frozen=True, slots=True)
class Material:
    """What a segment is made of: a decoded recording, what is done to it, and what sounds under it. ``samples`` names the decoded samples.

    Without a take there is only what sounds under it, for the length of the edit.
    """

    take: Take | None
    edit: Edit
    samples: str = ""
    under: tuple[Under, ...] = ()

    @property
    def takes(self) -> dict[str, Take]:
        """Everything that has to be decoded for it, by name."""
        own = {self.samples: self.take} if self.take else {}
        return own | {one.samples: one.take for one in self.under}


Decoded = Callable[[str, Take], "Pcm"]
"""Gives the decoded samples of a take, by their name."""


def sounding(material: Material, decoded: Decoded, start: int, end: int) -> Iterator[Floats]:
    """Samples [start, end) of a segment as it sounds, in blocks of shape (n, channels of the programme). Raises SourceUnreadable."""
    edit = material.edit
    mixed = _mixed(material, decoded)
    if edit.ceiling is None:
        yield from (_spread(mixed(at, min(at + RATE, end)), edit.channels) for at in range(start, end, RATE))
    else:
        for block in limited(mixed, edit.length, edit.ceiling, start, end):
            yield _spread(block, edit.channels)


def _spread(block: Floats, channels: int) -> Floats:
    """A mono recording goes to both sides at full level (dual mono)."""
    import numpy as np

    if block.shape[1] == channels:
        return block
    # Several times as quick as numpy's own repetition of such short rows.
    spread = np.empty((len(block), channels), dtype=block.dtype)
    for channel in range(channels):
        spread[:, channel] = block[:, 0]
    return spread


def _mixed(material: Material, decoded: Decoded) -> Callable[[int, int], Floats]:
    """Gives any stretch of a segment before the limiter."""
    import numpy as np

    edit = material.edit
    voice = _voice(material.take, edit, decoded(material.samples, material.take)) if material.take else None
    layers = [_Layer(one, decoded) for one in material.under]

    def mixed(first: int, last: int) -> Floats:
        samples = voice(first, last) if voice else np.zeros((last - first, edit.channels), dtype="f4")
        for layer in layers:
            samples = layer.under(samples, first, last, edit.channels)
        return samples

    return mixed


def _voice(take: Take, edit: Edit, pcm: Pcm) -> Callable[[int, int], Floats]:
    origin = edit.start - take.start
    tape = Tape(pcm, edit.known or edit.end - take.start, edit.strip, edit.gain)

    def edited(first: int, last: int) -> Floats:
        samples = tape.read(origin + first, origin + last)
        _fade(samples, edit, first, last)
        return samples

    return edited


class _Layer:
    """What sounds under a segment. Its recording is opened when it is first heard."""

    def __init__(self, one: Under, decoded: Decoded) -> None:
        self._one = one
        self._decoded = decoded
        self._tape: Tape | None = None

    def under(self, samples: Floats, first: int, last: int, channels: int) -> Floats:
        """``samples`` [first, last) of the segment with this under them."""
        one = self._one
        begins, ends = max(first, one.at), min(last, one.at + one.length)
        if begins >= ends:
            return samples
        samples = _spread(samples, channels)
        samples[begins - first : ends - first] += _spread(self._heard(begins - one.at, ends - one.at), channels)
        return samples

    def _heard(self, first: int, last: int) -> Floats:
        import numpy as np

        one = self._one
        if self._tape is None:
            self._tape = Tape(self._decoded(one.samples, one.take), one.known, one.strip, one.gain)
        parts = [self._round(a, b) for a, b in _rounds(one, first, last)]
        samples = parts[0] if len(parts) == 1 else np.concatenate(parts)
        gains = lines(curve(one.duck), Db(0.0), first, last) if one.duck else None
        for fade in (_rise(one.fade_in, first, last), _rise(one.fade_out, one.length - last, one.length - first)[::-1]):
            if fade.size:
                gains = fade if gains is None else gains * fade
        return samples if gains is None else times(samples, gains)

    def _round(self, first: int, last: int) -> Floats:
        """A stretch of the recording that lies within one round; over the seam, with the beginning of the next round."""
        import numpy as np

        one = self._one
        assert self._tape is not None
        samples = self._tape.read(first, last)
        seam = one.end - one.lap
        if one.lap and last > seam:
            at = max(first, seam)
            turn = (np.arange(at - seam, last - seam) * (math.pi / 2 / one.lap)).astype("f8")
            samples[at - first :] = times(samples[at - first :], np.cos(turn).astype("f4"))
            samples[at - first :] += times(
                self._tape.read(at - seam + one.start - one.lap, last - seam + one.start - one.lap), np.sin(turn).astype("f4")
            )
        return samples


def _rounds(one: Under, first: int, last: int) -> Iterator[tuple[int, int]]:
    """The stretches of the recording that are heard in [first, last) of a layer's life."""
    at = one.first + first
    left = last - first
    while left > 0:
        if at >= one.end:
            at = one.start + (at - one.end) % (one.end - one.start)
        size = min(left, one.end - at)
        yield at, at + size
        at += size
        left -= size


def _rise(length: int, first: int, last: int) -> Floats:
    """The gain of a fade-in at samples [first, last) of what is faded; empty where it is over."""
    import numpy as np

    if first >= length:
        return np.zeros(0, dtype="f4")
    return np.sin(np.minimum(np.arange(first, last), length) * (math.pi / 2 / length)).astype("f4")


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


def fill(file: IO[bytes], chunk: Chunk, run: Run, materials: dict[str, Material], decoded: Decoded, channels: int, make_up: Db) -> None:
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
        for block in sounding(materials[part.name], decoded, first - part.offset, last - part.offset):
            file.write(np.multiply(block, scale, out=block).data)
        at = last
    _rest(file, end - at, channels)


def _rest(file: IO[bytes], samples: int, channels: int) -> None:
    left = samples * channels * 4
    while left > 0:
        left -= file.write(_SILENCE[:left])


def beginning(material: Material, pcm: Pcm, samples: int) -> Floats:
    """The first samples of a segment's own recording, as they sound in the programme but for what is under them."""
    import numpy as np

    edit = material.edit
    blocks = list(sounding(replace(material, under=()), lambda _name, _take: pcm, 0, min(samples, edit.length)))
    return np.concatenate(blocks) if blocks else np.zeros((0, edit.channels), dtype=np.float32)
