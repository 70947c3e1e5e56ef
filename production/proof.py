"""The finished file, heard: what each stretch of it measures and where each section was found, decoded from its own frames.

Nothing here is what was asked for. A stretch whose bytes were proven before is not decoded again.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from typing import IO

from audio import loudness, render, verify
from audio.pcm import Pcm
from audio.units import FRAME, RATE, Db, Lufs, Samples
from audio.verify import Landing
from production import curves, sessions
from production.hearing import Hearing
from production.plan import Plan
from production.store import Store, digest, digest_bytes
from production.watch import Watch

RECIPE = 7
"""Raised when the same frames would be proven otherwise."""
_SECONDS = 4
_LATE_SAMPLES = RATE // 1000
_ALIKE = 0.5
"""Below this likeness the place found is a guess (noise, or too little sound), and is not judged."""


@dataclass(frozen=True)
class Proof:
    """What was heard of the finished file: integrated loudness (gated over all blocks), true peak and loudness range (LU; None: silence) of the
    whole, loudness of each section, where each section was found (None: it opens with silence), and the highest true peak near each segment.
    ``silent`` and ``lost`` are as `verify.silences` and `verify.losses` say.
    """

    loudness: Lufs
    true_peak: Db
    sections: dict[str, Lufs]
    landings: dict[str, Landing | None]
    peaks: dict[str, Db]
    range: float | None = None
    silent: Sequence[tuple[int, int]] = ()
    lost: Sequence[tuple[int, int, float]] = ()

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
        yield from (words for fact in planned.facts for words in sessions.warnings(fact))
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
            silent, lost = ([tuple(one) for one in kept[name]] for name in ("silent", "lost"))
            return Proof(Lufs(kept["loudness"]), Db(kept["true_peak"]), kept["sections"], landings, kept["peaks"], kept["range"], silent, lost)
        proof = _Reader(self, planned, finished, offset, sha256).proof(names)
        self.store.put_value(key, asdict(proof))
        return proof


class _Reader:
    """Proves one finished file."""

    def __init__(self, prover: Prover, planned: Plan, finished: IO[bytes], offset: int, sha256: str) -> None:
        self.prover, self.store, self.planned, self.sha256 = prover, prover.store, planned, sha256
        self.hearing = Hearing(prover.store, finished, offset, planned.fmt, planned.build, partial(prover.watch.proven, planned.episode.id))

    def proof(self, names: list[str]) -> Proof:
        planned = self.planned
        parts = verify.slices(planned.runs, planned.chunks, planned.programme.length)
        with ThreadPoolExecutor(self.prover.jobs) as threads:
            # The short looks last: they fill what a core would otherwise wait for the other.
            slices, looks = self.hearing.all(parts, threads), threads.map(self.landing, names)
            heard = tuple(slices)
            landings = dict(zip(names, looks, strict=True))
        found = curves.assembled(parts, heard, planned.programme.length)
        curves.keep(found, self.store, curves.key(self.sha256, [part.first for part in parts], planned.build))
        placed = {name: planned.programme.find(name) for name in names}
        segments = [one for one in planned.programme.placed if one.segment.kind != "tone"]
        return Proof(
            loudness.integrated(block for one in heard for block in one.blocks),
            max((one.true_peak for one in heard), default=Db(-math.inf)),
            {name: loudness.integrated(verify.section_blocks(parts, heard, at.start, at.end)) for name, at in placed.items()},
            landings,
            {one.segment.name: verify.highest(parts, heard, one.start, one.end) for one in segments},
            loudness.loudness_range(found.short_term),
            verify.silences(parts, heard),
            verify.losses(parts, heard),
        )

    def landing(self, name: str) -> Landing | None:
        planned, material = self.planned, self.planned.materials[name]
        start = planned.programme.find(name).start
        length = Samples(min(material.edit.length, _SECONDS * RATE))
        frames, first = self.hearing.around(start, length)
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
