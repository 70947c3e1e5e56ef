"""The finished file, heard: what each stretch of it measures and where each section was found, decoded from its own frames.

Nothing here is what was asked for. A stretch whose bytes were proven before is not decoded again.
"""

from __future__ import annotations

import math
import tempfile
import threading
from array import array
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import IO

from audio import loudness, render, verify
from audio.pcm import Pcm
from audio.units import FRAME, RATE, Db, Lufs, Samples
from audio.verify import Heard, Landing, Slice
from production.plan import Plan
from production.store import Store, digest, digest_bytes
from production.watch import Watch

RECIPE = 6
"""Raised when the same frames would be heard otherwise."""
_SECONDS = 4
_TOGETHER = 40_000
"""Frames (16 minutes) after which another decoder takes over: so that all cores have something to do until the end."""
_LATE_SAMPLES = RATE // 1000
_ALIKE = 0.5
"""Below this likeness the place found is a guess (noise, or too little sound), and is not judged."""


@dataclass(frozen=True)
class Proof:
    """What was heard of the finished file: integrated loudness (gated over all blocks) and true peak of the whole, loudness of each section,
    the highest true peak near each segment, and where each section was found (None: it opens with silence).
    """

    loudness: Lufs
    true_peak: Db
    sections: dict[str, Lufs]
    landings: dict[str, Landing | None]
    peaks: dict[str, Db]

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
        for fact in planned.facts:
            if fact.input.kind == "section" and fact.input.wishes.chain == "voice" and fact.input.wishes.gain is None and not fact.measured.voiced:
                yield f"{fact.input.name}: nobody seems to speak in it, so it is not lifted; if it is a voice, say chain: linear"
        if planned.episode.minutes:
            minutes = planned.programme.length / RATE / 60
            if not planned.scratch and abs(minutes - planned.episode.minutes) > 0.1 * planned.episode.minutes:
                yield f"{minutes:.0f} minutes long, planned were {planned.episode.minutes:g}"


@dataclass(frozen=True)
class Prover:
    """Hears finished files. What was proven once of the same frames is not decoded again."""

    store: Store
    jobs: int
    watch: Watch

    def prove(self, planned: Plan, finished: IO[bytes], offset: int, sha256: str) -> Proof:
        """Say what is in the finished file, whose frames begin at byte ``offset`` and have this ``sha256``. Raises FfmpegFailed."""
        names = [fact.input.name for fact in planned.facts if fact.input.kind == "section"]
        marks = [(name, planned.programme.find(name).start, planned.programme.find(name).end, planned.contents[name]) for name in names]
        key = digest("proof", RECIPE, sha256, marks, planned.build)
        kept = self.store.value(key)
        if kept is not None:
            landings = {name: Landing(**found) if found else None for name, found in kept["landings"].items()}
            return Proof(Lufs(kept["loudness"]), Db(kept["true_peak"]), kept["sections"], landings, kept["peaks"])
        proof = _Reader(self, planned, finished, offset).proof(names)
        self.store.put_value(key, asdict(proof))
        return proof


class _Reader:
    """Reads stretches of one finished file from several threads."""

    def __init__(self, prover: Prover, planned: Plan, finished: IO[bytes], offset: int) -> None:
        self.prover, self.store, self.planned, self.finished, self.offset = prover, prover.store, planned, finished, offset
        self.guard = threading.Lock()

    def proof(self, names: list[str]) -> Proof:
        planned = self.planned
        parts = verify.slices(planned.runs, planned.chunks, planned.programme.length)
        with ThreadPoolExecutor(self.prover.jobs) as threads:
            # The short looks last: they fill what a core would otherwise wait for the other.
            groups, looks = threads.map(self.hear, verify.together(parts, _TOGETHER)), threads.map(self.landing, names)
            heard = tuple(one for group in groups for one in group)
            landings = dict(zip(names, looks, strict=True))
        placed = {name: planned.programme.find(name) for name in names}
        segments = [one for one in planned.programme.placed if one.segment.kind != "tone"]
        return Proof(
            loudness.integrated(block for one in heard for block in one.blocks),
            max((one.true_peak for one in heard), default=Db(-math.inf)),
            {name: loudness.integrated(verify.section_blocks(parts, heard, at.start, at.end)) for name, at in placed.items()},
            landings,
            {one.segment.name: verify.highest(parts, heard, one.start, one.end) for one in segments},
        )

    def hear(self, group: Sequence[Slice]) -> list[Heard]:
        """What is heard of neighbouring slices; those that were not heard before are decoded together as far as they touch."""
        keys = {part: self._key(part) for part in group}
        found = {part: Heard(array("d", kept["blocks"]), Db(kept["true_peak"])) for part in group if (kept := self.store.value(keys[part]))}
        for part in found:
            self._proven(part)
        for missing in verify.together([part for part in group if part not in found], _TOGETHER):
            with self._frames(missing) as frames:
                for part, one in zip(missing, verify.hear(frames, missing, self.planned.fmt), strict=True):
                    self.store.put_value(keys[part], {"blocks": list(one.blocks), "true_peak": one.true_peak})
                    found[part] = one
                    self._proven(part)
        return [found[part] for part in group]

    def _key(self, part: Slice) -> str:
        with self.guard:
            frames = verify.read(self.finished, self.offset, part, self.planned.fmt)
        return digest("heard", RECIPE, digest_bytes(frames), min(part.first, verify.WARM_UP), part.last - part.first, self.planned.build)

    @contextmanager
    def _frames(self, parts: Sequence[Slice]) -> Iterator[IO[bytes]]:
        """The frames that neighbouring slices need, as a file."""
        with tempfile.TemporaryFile(dir=self.store.scratch) as file:
            with self.guard:
                verify.copy(self.finished, self.offset, parts, self.planned.fmt, file)
            file.seek(0)
            yield file

    def _proven(self, part: Slice) -> None:
        self.prover.watch.proven(self.planned.episode.id, (part.last - part.first) * FRAME)

    def landing(self, name: str) -> Landing | None:
        planned, material = self.planned, self.planned.materials[name]
        start = planned.programme.find(name).start
        length = Samples(min(material.edit.length, _SECONDS * RATE))
        with self.guard:
            frames, first = verify.around(self.finished, self.offset, start, length, planned.fmt)
        key = digest("landing", RECIPE, digest_bytes(frames), start - first * FRAME, length, planned.contents[name])
        kept = self.store.value(key)
        if kept is not None:
            return Landing(**kept) if kept else None
        if material.take is None:
            return None
        with Pcm.opened(material.take, self.store.scratch) as pcm:
            expected = render.beginning(material, pcm, length)
        found = verify.landing(frames, first, start, expected, planned.fmt, self.store.scratch)
        self.store.put_value(key, asdict(found) if found else {})
        return found


def offset_ms(found: Landing | None) -> float | None:
    return None if found is None or found.likeness < _ALIKE else round(found.offset * 1000 / RATE, 3)
