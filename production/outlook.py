"""What a build would do, as a value and as text: which chunks are there, why others are not, how large the file will be and how long it takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from audio import tags
from audio.runs import Chunk
from audio.units import FRAME, RATE
from production import plan, sessions
from production.clock import clock, signed
from production.job import Job
from production.minutes import Minutes
from production.pace import Pace
from production.plan import Plan
from production.receipts import Receipt
from production.store import Store
from production.survey import GUESSED


@dataclass(frozen=True)
class Row:
    """One segment: where it starts and how long it is (seconds), of how many chunks it is part, how many of those are there, and why not all."""

    name: str
    start: float
    length: float
    planned_minutes: float | None
    chunks: int
    kept: int
    why: str

    @property
    def over(self) -> float | None:
        """By how many seconds it is longer than planned; less than 0: shorter."""
        return None if self.planned_minutes is None else self.length - self.planned_minutes * 60


@dataclass(frozen=True)
class Outlook:
    """An episode's plan against what is there. ``size`` is in bytes, ``seconds`` what it will take; with ``guessed`` segments, both are guesses."""

    episode: str
    path: Path
    done: bool
    length: float
    rows: tuple[Row, ...]
    reasons: tuple[str, ...]
    chunks: int
    missing: int
    encode: float
    size: int
    guessed: tuple[str, ...]
    tracks: tuple[str, ...]
    seconds: float
    measured_pace: bool
    minutes: Minutes
    steps: tuple[str, ...]

    def lines(self) -> Iterator[str]:
        """The outlook in words, one line each."""
        if self.done:
            yield f"{self.episode}: nothing to do: {clock(self.length)}, {_megabytes(self.size)}"
            yield from self._minutes()
            yield from (f"  {words}" for words in self.tracks)
            return
        yield f"{self.episode}: {clock(self.length)}, {self.missing} of {self.chunks} chunks to encode ({clock(self.encode)})"
        for reason in self.reasons:
            yield f"  because {reason}"
        yield from self._minutes()
        yield f"  {'segment':24} {'start':>8} {'length':>8} {'planned':>8} {'over':>9}  {'chunks':9}"
        for row in self.rows:
            asked = f"{row.planned_minutes:g} min" if row.planned_minutes else ""
            over = "" if row.over is None else signed(row.over)
            there = f"{row.kept} of {row.chunks}"
            yield f"  {row.name:24} {clock(row.start):>8} {clock(row.length):>8} {asked:>8} {over:>9}  {there:9} {row.why}".rstrip()
        yield from (f"  {words}" for words in self.tracks)
        yield f"  steps: {', '.join(self.steps)}"
        yield f"  size: about {_megabytes(self.size)} ({self._unmeasured()})" if self.guessed else f"  size: {_megabytes(self.size)}"
        yield f"  time: about {clock(self.seconds)}" + ("" if self.measured_pace else " (a guess: nothing was built here before)")

    def as_json(self) -> dict[str, Any]:
        """The same for programs: lengths in seconds, sizes in bytes."""
        rows = [
            {
                "name": row.name,
                "start_s": row.start,
                "length_s": row.length,
                "planned_minutes": row.planned_minutes,
                "over_s": row.over,
                "chunks": row.chunks,
                "chunks_kept": row.kept,
                "why": row.why or None,
            }
            for row in self.rows
        ]
        return {
            "id": self.episode,
            "path": self.path.as_posix(),
            "done": self.done,
            "reasons": list(self.reasons),
            "steps": list(self.steps),
            "length_s": self.length,
            "size_bytes": self.size,
            "time_s": self.seconds,
            "time_is_a_guess": not self.measured_pace,
            "chunks": self.chunks,
            "chunks_to_encode": self.missing,
            "not_measured": list(self.guessed),
            "planned_minutes": self.minutes.as_json(),
            "segments": rows,
        }

    def _minutes(self) -> Iterator[str]:
        if told := self.minutes.told():
            yield f"  plan: {told}"
        if self.minutes.planned is not None:
            over = self.length - self.minutes.planned * 60
            yield f"  length: {clock(self.length)} of {self.minutes.planned:g} min planned ({signed(over)}){self._sections()}"

    def _sections(self) -> str:
        """How many sections are longer and shorter than planned by a minute or more."""
        off = [row.over for row in self.rows if row.over is not None]
        longer, shorter = sum(over >= 60 for over in off), sum(over <= -60 for over in off)
        return f"; {longer} sections are a minute longer or more, {shorter} shorter" if longer or shorter else ""

    def _unmeasured(self) -> str:
        some = ", ".join(self.guessed) if len(self.guessed) <= 3 else f"{len(self.guessed)} segments"
        return f"not measured yet: {some}"


def outlook(wanted: Job, before: Receipt | None, store: Store) -> Outlook:
    """Compare a job with what its folder and the store hold."""
    planned = wanted.plan
    guessed = tuple(fact.input.name for fact in planned.facts if fact.samples == GUESSED)
    done = not guessed and before is not None and before.fingerprint == wanted.fingerprint and before.intact(wanted.folder)
    basis = _without_guesses(wanted.basis, before, guessed)
    reasons = plan.reasons(before.basis if before else None, basis) or ["an output is missing or was changed"]
    chunks = [chunk for parts in planned.chunks for chunk in parts]
    same = before is not None and before.sounds_as(wanted.audio, wanted.target)
    missing = {chunk for chunk in chunks if not same and (_sounds(planned, chunk) & set(guessed) or not store.has(planned.keys[chunk]))}
    encode = sum(chunk.last - chunk.first for chunk in missing) * FRAME / RATE
    pace = Pace.of(store)
    unmeasured = sum(fact.samples == GUESSED for fact in planned.facts)
    measure = sum(fact.measured.length for fact in planned.facts if fact.samples == GUESSED) / RATE
    return Outlook(
        episode=planned.episode.id,
        path=wanted.target,
        done=done,
        length=planned.programme.length / RATE,
        rows=tuple(_rows(planned, missing, before.basis["segments"] if before else {}, basis["segments"])),
        reasons=() if done else tuple(reasons),
        chunks=len(chunks),
        missing=len(missing),
        encode=encode,
        size=len(tags.render(wanted.sheet)) + (planned.frames + 1) * planned.fmt.frame_bytes,
        guessed=guessed,
        tracks=tuple(words for fact in planned.facts for words in sessions.lines(fact)),
        seconds=0.0 if done else pace.seconds(measure=measure, encode=encode, whole=planned.programme.length / RATE),
        measured_pace=pace.measured,
        minutes=Minutes.of(planned.episode),
        steps=() if done else tuple(_steps(planned, unmeasured, len(missing), same=same)),
    )


def _steps(planned: Plan, measure: int, encode: int, *, same: bool) -> Iterator[str]:
    """What a build does, in order."""
    if measure:
        yield f"measure {measure} recording(s)"
    if encode:
        yield f"encode {encode} chunk(s)"
    yield "copy the frames of the finished file" if same else "join"
    yield from ("tag", "prove")
    yield from (name for name, bitrate in asdict(planned.episode.settings.formats).items() if bitrate)
    yield from ("chapters, cover and report", "feeds")


def _sounds(planned: Plan, chunk: Chunk) -> set[str]:
    return set(chunk.heard(planned.runs[chunk.run]))


def _without_guesses(basis: dict[str, Any], before: Receipt | None, guessed: tuple[str, ...]) -> dict[str, Any]:
    """The basis, with a guessed segment's figures as they were: what is not known yet is no reason."""
    old = before.basis.get("segments", {}) if before else {}
    known = ("file", "content", "gap")
    segments = {
        name: {**old.get(name, {}), **{key: values[key] for key in known}} if name in guessed else values
        for name, values in basis["segments"].items()
    }
    return {**basis, "segments": segments}


def _rows(planned: Plan, missing: set[Chunk], old: dict[str, Any], now: dict[str, Any]) -> Iterator[Row]:
    minutes = {section.slug: section.minutes for section in planned.episode.sections}
    for placed in (one for one in planned.programme.placed if one.segment.kind != "tone"):
        name = placed.segment.name
        own = [chunk for parts in planned.chunks for chunk in parts if name in _sounds(planned, chunk)]
        lacking = [chunk for chunk in own if chunk in missing]
        why = ""
        if lacking and name not in old:
            why = "new"
        elif lacking:
            changed = plan.segment_reasons(name, old[name], now[name])
            why = "; ".join(reason.removeprefix(f"{name}: ") for reason in changed) or "to be encoded otherwise, or no longer in the store"
        yield Row(name, placed.start / RATE, placed.segment.length / RATE, minutes.get(name), len(own), len(own) - len(lacking), why)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
