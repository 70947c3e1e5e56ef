"""What the pipeline tells while it works. A plain object that counts; whoever shows it decides how. Thread-safe."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from audio.runs import Chunk
from audio.units import FRAME, RATE
from production.clock import clock
from production.inputs import Input
from production.plan import Plan

# What a second of programme costs in each step, relative to encoding it; measured on two cores.
_ENCODE, _PROVE = 1.0, 0.35


class Watch:
    """Progress of a run: ``show`` is called with (label, done, total) in seconds of encoding, ``line`` with whole lines to keep."""

    def __init__(self, show: Callable[[str, float, float], None] = lambda *_: None, line: Callable[[str], None] = lambda _: None) -> None:
        self._show, self.say = show, line
        self._guard = threading.Lock()
        self._episode = ""
        self._done = self._total = 0.0
        self._measured: dict[str, tuple[float, float]] = {}

    def begin(self, episode: str) -> None:
        self._episode, self._done, self._total, self._measured = episode, 0.0, 0.0, {}

    def measuring(self, one: Input, done_seconds: float, of_seconds: float | None) -> None:
        """A recording is being measured; how long it is may not be known."""
        with self._guard:
            self._measured[one.name] = (done_seconds, max(done_seconds, of_seconds or 0.0))
            done, total = (sum(column) for column in zip(*self._measured.values(), strict=True))
        length = f" of {clock(of_seconds)}" if of_seconds else ""
        # The bar is about the recordings met so far: each is opened when its turn comes.
        self._show(f"{self._episode}: measuring {one.label} {clock(done_seconds)}{length}", done, total)

    def reasons(self, reasons: Sequence[str]) -> None:
        """The plan is made: say why there is work."""
        for reason in reasons:
            self.say(f"{self._episode}: {reason}")

    def begin_encoding(self, missing: Sequence[Chunk], planned: Plan) -> None:
        """Say how much there is to encode."""
        encode = sum(chunk.last - chunk.first for chunk in missing) * FRAME / RATE
        everything = sum(len(parts) for parts in planned.chunks)
        self.say(f"{self._episode}: {len(missing)} of {everything} chunks to encode ({clock(encode)} of {clock(planned.programme.length / RATE)})")
        with self._guard:
            self._done, self._total = 0.0, encode * _ENCODE + encode * _PROVE

    def encoded(self, planned: Plan, chunk: Chunk) -> None:
        names = ", ".join(part.name for part in planned.runs[chunk.run].parts)
        run = planned.runs[chunk.run]
        share = 100 * chunk.last // max(1, run.frames)
        self._add((chunk.last - chunk.first) * FRAME / RATE * _ENCODE, f"{self._episode}: encoding {names} {share}%")

    def proven(self, episode: str, samples: int) -> None:
        self._add(samples / RATE * _PROVE, f"{episode}: decoding the finished file")

    def _add(self, amount: float, label: str) -> None:
        with self._guard:
            self._done = min(self._total, self._done + amount)
            done, total = self._done, self._total
        self._show(label, done, total)
