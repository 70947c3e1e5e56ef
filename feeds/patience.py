"""How long anything on a network may take, and how often it is tried: a server that hangs, drips or breaks off never keeps us for ever.

Three limits, each for what the one before does not see. A connection's own timeouts (`Patience.connect`, `Patience.answer`) end a silence. `bounded`
ends what never falls silent and never gets on: it runs the work in a thread of its own, looks at how far that is, and leaves it behind. `again`
repeats what may go well the next time, a few times only.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from feeds.errors import TargetStalled, TargetUnreachable

Found = TypeVar("Found")
Moved = Callable[[int], None]
"""Is told how many bytes of the work are done; the same number again is a sign of life too."""

_LOOK_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Patience:
    """``connect``, ``answer`` and ``stall`` in seconds, ``slowest`` in bytes a second; ``pause`` are the seconds before the second attempt, and
    twice as many before each further one.
    """

    connect: float = 10.0
    answer: float = 30.0
    stall: float = 90.0
    slowest: int = 4096
    attempts: int = 4
    pause: float = 1.0

    def whole(self, length: int) -> float:
        """The seconds that work on so many bytes may take at all."""
        return 2 * self.stall + length / self.slowest


class _Work(Generic[Found]):
    """Something that is being done in another thread."""

    def __init__(self) -> None:
        self.ended = threading.Event()
        self.moved_at = time.monotonic()
        self.done = 0
        self.found: list[Found] = []
        self.failed: BaseException | None = None

    def moved(self, done: int) -> None:
        self.moved_at = time.monotonic()
        self.done = max(self.done, done)

    def run(self, work: Callable[[Moved], Found]) -> None:
        try:
            self.found.append(work(self.moved))
        except BaseException as error:
            self.failed = error
        finally:
            self.ended.set()


def bounded(
    what: str,
    work: Callable[[Moved], Found],
    patience: Patience,
    *,
    length: int = 0,
    watch: Callable[[int], None] = lambda _: None,
) -> Found:
    """What ``work`` gives, in a bounded time. ``watch`` is told of its progress a few times a second, in the thread of the caller.

    Raises whatever ``work`` raises, and TargetStalled when nothing moved for `Patience.stall`, or all of it takes longer than `Patience.whole`.
    """
    under_way: _Work[Found] = _Work()
    begun = time.monotonic()
    threading.Thread(target=under_way.run, args=(work,), daemon=True).start()
    while not under_way.ended.wait(min(_LOOK_SECONDS, patience.stall)):
        watch(under_way.done)
        now = time.monotonic()
        if now - under_way.moved_at > patience.stall:
            raise TargetStalled(f"{what}: nothing moved for {patience.stall:g} s")
        if now - begun > patience.whole(length):
            raise TargetStalled(f"{what}: not done after {patience.whole(length):.0f} s")
    if under_way.failed is not None:
        raise under_way.failed
    watch(under_way.done)
    return under_way.found[0]


def again(work: Callable[[], Found], patience: Patience, say: Callable[[str], None]) -> Found:
    """What ``work`` gives, tried up to `Patience.attempts` times while it raises TargetUnreachable; the last of these is raised."""
    for attempt in range(1, patience.attempts):
        try:
            return work()
        except TargetStalled:
            raise
        except TargetUnreachable as error:
            pause = patience.pause * 2 ** (attempt - 1)
            say(f"{error}; trying again in {pause:g} s")
            time.sleep(pause)
    return work()
