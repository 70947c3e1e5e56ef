"""Decoded recordings: 48 kHz floats in a temporary without a name, read anywhere and from any thread while they are still being written.

A recording is decoded once, measured as it comes, and kept until the last chunk that sounds it was rendered. Nothing is left of the file however
we end, and nothing of it is in memory but the stretch that is looked at.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from audio import ffmpeg, graph
from audio.errors import FfmpegFailed, SourceUnreadable
from audio.units import RATE, Samples

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from audio.source import Source

    Floats = NDArray[np.float32]

_READ_BYTES = RATE * graph.SAMPLE_BYTES * 2
"""A second or two at once: it fits into a processor's cache."""


@dataclass(frozen=True, slots=True)
class Take:
    """What is decoded: the stretch [start, end) of a recording in samples at 48 kHz, with at most ``channels`` channels."""

    source: Source
    channels: int
    start: Samples = Samples(0)
    end: Samples | None = None

    @property
    def held(self) -> int:
        """Channels that the decoded samples have."""
        return min(self.source.channels, self.channels)


Taking = Callable[[ffmpeg.Process, int], Iterator[int]]
"""Writes what a process decodes into an open file, and gives after each stretch how many bytes there are."""


def taken(stream: IO[bytes], file: int, channels: int) -> Iterator[tuple[int, Floats]]:
    """Write decoded samples into an open file as they come; gives how many bytes there are, and each stretch, which is only there until the next."""
    import numpy as np

    frame, size = graph.SAMPLE_BYTES * channels, 0
    buffer = memoryview(bytearray(_READ_BYTES))
    while got := stream.readinto(buffer):  # type: ignore[attr-defined]
        block = buffer[: got // frame * frame]
        left = block
        while left:
            left = left[os.write(file, left) :]
        size += len(block)
        yield size, np.frombuffer(block, "<f4").reshape(-1, channels)


class Pcm:
    """The samples of a take, growing while they are decoded; float32 of shape (n, channels). Close it when nobody reads any more."""

    def __init__(self, take: Take, folder: Path) -> None:
        self.take = take
        self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115  closed by `close`
        self._frame = graph.SAMPLE_BYTES * take.held
        self._news = threading.Condition()
        self._samples = 0
        self._ended = False
        self._error: BaseException | None = None
        self._unwanted = False
        self._thread: threading.Thread | None = None

    @property
    def samples(self) -> Samples:
        """How many are there already."""
        return Samples(self._samples)

    @property
    def bytes(self) -> int:
        return self._samples * self._frame

    def read(self, start: int, end: int) -> Floats:
        """Samples [start, end), waiting until they are decoded. Raises SourceUnreadable when the recording ends before, or what decoding raised."""
        import numpy as np

        with self._news:
            self._news.wait_for(lambda: self._samples >= end or self._ended)
            if self._samples < end:
                raise self._error or SourceUnreadable(
                    self.take.source.path, "changed while it was read: it is shorter than when it was measured", "run again"
                )
        size, at = (end - start) * self._frame, start * self._frame
        data = os.pread(self._file.fileno(), size, at)
        while len(data) < size:
            data += os.pread(self._file.fileno(), size - len(data), at + len(data))
        return np.frombuffer(data, "<f4").reshape(-1, self.take.held)

    def decode(self, listen: Callable[[Floats], None] = lambda _: None, *, taking: Taking | None = None) -> list[str]:
        """Decode the whole take; ``listen`` is given each stretch as it comes, and must copy what it keeps. Gives what ffmpeg complained of.

        ``taking`` takes the samples instead, and nobody listens here. Raises SourceUnreadable, FfmpegFailed, Cancelled; whoever waits in `read` is
        given the same.
        """
        try:
            return self._decode(taking or self._here(listen))
        except FfmpegFailed as error:
            self._error = error
            if error.returncode < 0:
                raise  # killed by somebody: the recording is not to blame
            self._error = SourceUnreadable(self.take.source.path, f"cannot be decoded: {error.last_line}", "export it again")
            raise self._error from error
        except BaseException as error:
            self._error = error
            raise
        finally:
            with self._news:
                self._ended = True
                self._news.notify_all()

    def _decode(self, taking: Taking) -> list[str]:
        take = self.take
        with ffmpeg.Process(graph.decode(ffmpeg.find(), take.source, take.channels, take.start, take.end)) as process:
            for size in taking(process, self._file.fileno()):
                with self._news:
                    self._samples = size // self._frame
                    self._news.notify_all()
                if self._unwanted:
                    return []
            process.finish()
        return process.stderr_lines

    def _here(self, listen: Callable[[Floats], None]) -> Taking:
        def taking(process: ffmpeg.Process, file: int) -> Iterator[int]:
            for size, samples in taken(process.stdout, file, self.take.held):
                yield size
                listen(samples)

        return taking

    def start(self) -> None:
        """Decode in a thread of its own; `read` tells what came of it."""

        def work() -> None:
            # Whoever reads is given the error.
            with contextlib.suppress(BaseException):
                self.decode()

        self._thread = threading.Thread(target=work, daemon=True)
        self._thread.start()

    @classmethod
    @contextlib.contextmanager
    def opened(cls, take: Take, folder: Path) -> Iterator[Pcm]:
        """A take that is decoded for as long as the block lasts: for a look at its beginning."""
        pcm = cls(take, folder)
        try:
            pcm.start()
            yield pcm
        finally:
            pcm.close()

    def close(self) -> None:
        """Nobody reads any more; decoding that is still going on ends."""
        self._unwanted = True
        if self._thread is not None:
            self._thread.join()
        self._file.close()


class Pool:
    """Decoded takes by name, shared by the threads of a build.

    Those that a measurement leaves are kept up to ``budget`` bytes; one that is not there is decoded when it is asked for, and kept until its
    last reader has let it go.
    """

    def __init__(self, folder: Path, budget: int) -> None:
        self.folder = folder
        self._budget = budget
        self._guard = threading.Lock()
        self._kept: dict[str, Pcm] = {}

    def keep(self, name: str, pcm: Pcm) -> None:
        """Take over what was decoded, or close it when that would be more than the budget."""
        with self._guard:
            if name not in self._kept and sum(one.bytes for one in self._kept.values()) + pcm.bytes <= self._budget:
                self._kept[name] = pcm
                return
        pcm.close()

    def get(self, name: str, take: Take) -> Pcm:
        """The decoded take; decoding begins when it is not there."""
        with self._guard:
            found = self._kept.get(name)
            if found is None:
                found = self._kept[name] = Pcm(take, self.folder)
                found.start()
            return found

    def drop(self, name: str) -> None:
        """Nobody needs this one any more."""
        with self._guard:
            gone = self._kept.pop(name, None)
        if gone is not None:
            gone.close()

    def clear(self) -> None:
        for name in list(self._kept):
            self.drop(name)
