"""How fast this machine was in its last builds, so that a plan can say how long the next one takes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from production.store import Store, digest

_KEY = digest("pace", 1)
_ENOUGH_SECONDS = 60.0
"""Of sound: less says more about starting programs than about the work."""


@dataclass(frozen=True)
class Pace:
    """Seconds of time for a second of sound: measuring a recording, encoding, and proving the finished file."""

    measure: float = 0.006
    encode: float = 0.012
    prove: float = 0.003
    measured: bool = False

    @classmethod
    def of(cls, store: Store) -> Pace:
        kept = store.value(_KEY)
        return cls(**kept) if kept else cls()

    def seconds(self, *, measure: float, encode: float, whole: float) -> float:
        """What a build takes that measures and encodes so many seconds of sound, in an episode of ``whole`` seconds."""
        # Starting, covers, joining and writing: a fixed part, and one for each second that is written.
        return 0.6 + 0.00006 * whole + self.measure * measure + (self.encode + self.prove) * encode


class Stopwatch:
    """Times the steps of one build."""

    def __init__(self) -> None:
        self._took: dict[str, tuple[float, float]] = {}

    @contextmanager
    def step(self, name: str, sound: Sequence[float]) -> Iterator[None]:
        """Time what the block does to stretches of ``sound`` (seconds), of which it may add some itself."""
        begun = time.monotonic()
        yield
        took, before = self._took.get(name, (0.0, 0.0))
        self._took[name] = took + time.monotonic() - begun, before + sum(sound)

    def keep(self, store: Store) -> None:
        """Remember what was long enough to tell something."""
        found = {name: took / sound for name, (took, sound) in self._took.items() if sound >= _ENOUGH_SECONDS}
        if found:
            store.put_value(_KEY, asdict(Pace.of(store)) | found | {"measured": True})
