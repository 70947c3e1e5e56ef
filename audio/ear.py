"""Hears a recording while it is decoded, here or in a process of its own: its profile, and what is noted of its flaws."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, NamedTuple

from audio import aside, ffmpeg
from audio.pcm import Pcm, Take, Taking, taken
from audio.sides import Sides, apart
from audio.units import Samples

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from audio.flaws import Flaws, Inspector
    from audio.profile import Profile

    Floats = NDArray[np.float32]


_HERE = threading.Lock()
"""Held while a long take is heard in this process: one at a time is as quick here as anywhere, and takes no other Python's memory."""
_SELDOM = 16
"""Stretches of a second or two after which the other process says how far it is: some ten times a second."""


class Heard(NamedTuple):
    """What is known of a recording once it was heard; ``flaws`` where they were to be noted."""

    profile: Profile
    flaws: Flaws | None


@dataclass(frozen=True, slots=True)
class Asked:
    """What to hear in samples of ``held`` channels, of which the programme has ``channels``.

    ``noted`` is the rate (Hz) and the first sample (at 48 kHz) of the recording whose flaws are noted; None notes nothing.
    """

    held: int
    channels: int
    noted: tuple[int, Samples] | None = None

    @classmethod
    def of(cls, take: Take, *, noting: bool) -> Asked:
        return cls(take.held, take.channels, (take.source.rate, take.start) if noting else None)


class Ear:
    """Takes samples as they are decoded, of shape (n, channels); nothing of them is kept."""

    def __init__(self, asked: Asked) -> None:
        from audio.profile import Profiler

        self._profiler = Profiler(asked.held, asked.channels)
        self._inspector = _inspector(asked)

    def add(self, samples: Floats) -> Sides:
        """Hear a stretch; gives its sides."""
        sides = apart(samples)
        self._profiler.add(sides)
        if self._inspector is not None:
            self._inspector.add(sides)
        return sides

    def heard(self) -> Heard:
        """Once everything was heard; the silence at either end is not looked for."""
        return Heard(self._profiler.profile(), None if self._inspector is None else self._inspector.flaws())


def _inspector(asked: Asked) -> Inspector | None:
    if asked.noted is None:
        return None
    from audio.flaws import Inspector

    return Inspector(asked.held, *asked.noted)


def hear(pcm: Pcm, asked: Asked, progress: Callable[[], None], also: Callable[[Sides], None] | None = None) -> tuple[Heard, list[str]]:
    """Decode a take and hear it. Gives what was heard, and what ffmpeg complained of; ``progress`` is told whenever there are more samples.

    ``also`` hears the samples as they come, and must copy what it keeps. Without it, a long take that comes while another one is heard here is
    heard by a process of its own. Raises what `Pcm.decode` raises, and OSError when the samples cannot be written.
    """
    if also is not None or not aside.worth(pcm.take.source.declared):
        return _here(pcm, asked, progress, also)
    if _HERE.acquire(blocking=False):
        try:
            return _here(pcm, asked, progress, None)
        finally:
            _HERE.release()
    answer: list[Heard] = []
    complaints = pcm.decode(taking=_aside(asked, answer, progress))
    return answer[0], complaints


def _here(pcm: Pcm, asked: Asked, progress: Callable[[], None], also: Callable[[Sides], None] | None) -> tuple[Heard, list[str]]:
    ear = Ear(asked)

    def listen(samples: Floats) -> None:
        sides = ear.add(samples)
        if also is not None:
            also(sides)
        progress()

    complaints = pcm.decode(listen)
    return ear.heard(), complaints


def _aside(asked: Asked, answer: list[Heard], progress: Callable[[], None]) -> Taking:
    def taking(decoder: ffmpeg.Process, file: int) -> Iterator[int]:
        for said in aside.work(_hearing, decoder, (file,), file, asked):
            if isinstance(said, Heard):
                answer.append(said)
            else:
                yield said
                progress()

    return taking


def _hearing(stream: IO[bytes], file: int, asked: Asked) -> Iterator[int | Heard]:
    """In the other process: writes the samples, says how many bytes there are, and at the end what was heard."""
    ear, size = Ear(asked), 0
    for number, (size, samples) in enumerate(taken(stream, file, asked.held)):
        # Each answer wakes somebody.
        if number % _SELDOM == 0:
            yield size
        ear.add(samples)
    yield size
    yield ear.heard()
