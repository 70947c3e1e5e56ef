"""Stretches of a finished file, heard: decoded from its own frames, or found in the store when the same frames were heard before."""

from __future__ import annotations

import tempfile
import threading
from array import array
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from itertools import chain
from typing import IO

from audio import verify
from audio.mpeg import Format
from audio.units import FRAME, Db, Samples
from audio.verify import Heard, Slice
from production.store import Store, digest, digest_bytes

RECIPE = 8
"""Raised when the same frames would be heard otherwise."""
_TOGETHER = 40_000
"""Frames (16 minutes) after which another decoder takes over: so that all cores have something to do until the end."""


class Hearing:
    """Hears one finished file, whose frames begin at byte ``offset``, from several threads. ``build`` is the text of the decoder's;
    ``proven`` is told how many samples are done.
    """

    def __init__(
        self, store: Store, finished: IO[bytes], offset: int, fmt: Format, build: str, proven: Callable[[int], None] = lambda _: None
    ) -> None:
        self.store, self._fmt, self._build, self._proven = store, fmt, build, proven
        self._finished, self._offset = finished, offset
        self._guard = threading.Lock()

    def all(self, parts: Sequence[Slice], threads: Executor) -> Iterator[Heard]:
        """What is heard of every slice, in order. Raises FfmpegFailed."""
        return chain.from_iterable(threads.map(self._hear, verify.together(parts, _TOGETHER)))

    def around(self, start: Samples, length: Samples) -> tuple[bytes, int]:
        """As `verify.around`."""
        with self._guard:
            return verify.around(self._finished, self._offset, start, length, self._fmt)

    def _hear(self, group: Sequence[Slice]) -> list[Heard]:
        """What is heard of neighbouring slices; those that were not heard before are decoded together as far as they touch."""
        keys = {part: self._key(part) for part in group}
        found = {
            part: Heard(array("d", kept["blocks"]), Db(kept["true_peak"]), array("d", kept["peaks"]), array("d", kept["lost"]))
            for part in group
            if (kept := self.store.value(keys[part]))
        }
        for part in found:
            self._done(part)
        for missing in verify.together([part for part in group if part not in found], _TOGETHER):
            with self._frames(missing) as frames:
                for part, one in zip(missing, verify.hear(frames, missing, self._fmt), strict=True):
                    self.store.put_value(
                        keys[part],
                        {"blocks": list(one.blocks), "true_peak": one.true_peak, "peaks": list(one.peaks), "lost": list(one.lost)},
                    )
                    found[part] = one
                    self._done(part)
        return [found[part] for part in group]

    def _key(self, part: Slice) -> str:
        with self._guard:
            frames = verify.read(self._finished, self._offset, part, self._fmt)
        return digest("heard", RECIPE, digest_bytes(frames), min(part.first, verify.WARM_UP), part.last - part.first, self._build)

    @contextmanager
    def _frames(self, parts: Sequence[Slice]) -> Iterator[IO[bytes]]:
        """The frames that neighbouring slices need, as a file."""
        with tempfile.TemporaryFile(dir=self.store.scratch) as file:
            with self._guard:
                verify.copy(self._finished, self._offset, parts, self._fmt, file)
            file.seek(0)
            yield file

    def _done(self, part: Slice) -> None:
        self._proven((part.last - part.first) * FRAME)
