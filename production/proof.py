"""The finished file, heard: what each stretch of it measures and where each section was found, decoded from its own frames.

Nothing here is what was asked for. A stretch whose bytes were proven before is not decoded again.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import IO

from audio import loudness, render, verify
from audio.units import FRAME, RATE, Db, Lufs, Samples
from audio.verify import Heard, Landing, Slice
from production.plan import Plan
from production.store import Store, digest, digest_bytes
from production.watch import Watch

_SECONDS = 4
_LATE_SAMPLES = RATE // 1000
_ALIKE = 0.5
"""Below this likeness the place found is a guess (noise, or too little sound), and is not judged."""


@dataclass(frozen=True)
class Proof:
    """What was heard of the finished file: slices with their measurements, and where each section was found (None: it opens with silence)."""

    slices: tuple[Slice, ...]
    heard: tuple[Heard, ...]
    landings: dict[str, Landing | None]

    @property
    def loudness(self) -> Lufs:
        """Integrated loudness of the whole, gated over all blocks."""
        return loudness.integrated(block for one in self.heard for block in one.blocks)

    @property
    def true_peak(self) -> Db:
        return max((one.true_peak for one in self.heard), default=Db(-math.inf))

    def section_loudness(self, start: Samples, end: Samples) -> Lufs:
        return loudness.integrated(verify.section_blocks(self.slices, self.heard, start, end))

    def warnings(self, planned: Plan) -> Iterator[str]:
        """What a producer should know before publishing: marks that do not land, loudness or peaks off the target."""
        wanted = planned.episode.settings.loudness
        for name, found in self.landings.items():
            if found and found.likeness >= _ALIKE and abs(found.offset) > _LATE_SAMPLES:
                yield f"{name}: its chapter mark is off by {found.offset * 1000 / RATE:+.1f} ms"
        if abs(self.loudness - wanted.target) > 0.5:
            yield f"the programme is at {self.loudness:.1f} LUFS, asked were {wanted.target:g}"
        if self.true_peak > wanted.true_peak:
            yield f"true peak is {self.true_peak:.1f} dBTP, asked were at most {wanted.true_peak:g}"
        if planned.episode.minutes:
            minutes = planned.programme.length / RATE / 60
            if not planned.scratch and abs(minutes - planned.episode.minutes) > 0.1 * planned.episode.minutes:
                yield f"{minutes:.0f} minutes long, planned were {planned.episode.minutes:g}"


def prove(planned: Plan, finished: IO[bytes], offset: int, store: Store, jobs: int, watch: Watch) -> Proof:
    """Decode the finished file, whose audio frames begin at byte ``offset``, and say what is in it. Raises FfmpegFailed."""
    reader = _Reader(planned, finished, offset, store, watch)
    parts = verify.slices(planned.runs, planned.chunks, planned.programme.length)
    names = [fact.input.name for fact in planned.facts if fact.input.kind == "section"]
    with ThreadPoolExecutor(jobs) as pool:
        heard = tuple(pool.map(reader.hear, parts))
        landings = dict(zip(names, pool.map(reader.landing, names), strict=True))
    return Proof(parts, heard, landings)


class _Reader:
    """Reads stretches of one finished file from several threads."""

    def __init__(self, planned: Plan, finished: IO[bytes], offset: int, store: Store, watch: Watch) -> None:
        self.planned, self.finished, self.offset, self.store, self.watch = planned, finished, offset, store, watch
        self.guard = threading.Lock()

    def hear(self, part: Slice) -> Heard:
        with self.guard:
            frames = verify.read(self.finished, self.offset, part, self.planned.fmt)
        key = digest("heard", 3, digest_bytes(frames), min(part.first, verify.WARM_UP), part.last - part.first, self.planned.build)
        kept = self.store.value(key)
        if kept is None:
            found = verify.hear(frames, part, self.planned.fmt, self.store.scratch)
            self.store.put_value(key, asdict(found))
        else:
            found = Heard(tuple(kept["blocks"]), Db(kept["true_peak"]))
        self.watch.proven(self.planned.episode.id, (part.last - part.first) * FRAME)
        return found

    def landing(self, name: str) -> Landing | None:
        planned, material = self.planned, self.planned.materials[name]
        start = planned.programme.find(name).start
        length = Samples(min(material.edit.length, _SECONDS * RATE))
        with self.guard:
            frames, first = verify.around(self.finished, self.offset, start, length, planned.fmt)
        key = digest("landing", 2, digest_bytes(frames), start - first * FRAME, length, planned.contents[name])
        kept = self.store.value(key)
        if kept is not None:
            return Landing(**kept) if kept else None
        found = verify.landing(frames, first, start, render.beginning(material, length), planned.fmt, self.store.scratch)
        self.store.put_value(key, asdict(found) if found else {})
        return found


def offset_ms(found: Landing | None) -> float | None:
    return None if found is None or found.likeness < _ALIKE else round(found.offset * 1000 / RATE, 3)
