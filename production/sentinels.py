"""Sentinels over an episode: every recording, what is there twice, lengths, the joins, and the finished file.

What is found in a recording is kept beside its profile: a title or a gap that changes judges nothing again.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from audio import sentinels
from audio.findings import Finding, Severity
from audio.profile import STEP, Profile, to_curve
from audio.sentinels import Subject
from audio.units import RATE, Samples
from production.findings import Noted
from production.lengths import lengths
from production.model import Project
from production.plan import Plan
from production.prints import repeats
from production.proof import Proof
from production.store import Store, digest
from production.survey import Fact, Surveyor

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RECIPE = 1
"""Raised when the same facts would be judged otherwise here."""
_EDGE_SECONDS = 60
_NOTHING_LEFT = -80.0
"""LUFS under which an encoder may leave digital silence."""
_GAP_SECONDS = 1
_JUMP = 8.0
_HEARD, _NOTICED = -55.0, -65.0
"""LUFS of a room in the programme from which its coming or going is heard, and from which it is noticed with headphones."""
_OVER = 0.0


@dataclass(frozen=True, slots=True)
class _Known:
    """What is kept of a recording: its findings, the noise of its room where it begins and ends (LUFS, as recorded and levelled), and where it is so
    quiet (samples) that an encoder may leave nothing.
    """

    findings: tuple[Finding, ...]
    opens: float | None
    closes: float | None
    silent: tuple[tuple[int, int], ...]

    @classmethod
    def kept(cls, said: dict[str, Any]) -> _Known:
        silent = tuple((start, end) for start, end in said["silent"])
        return cls(tuple(Finding(**one) for one in said["findings"]), said["opens"], said["closes"], silent)


@dataclass(frozen=True)
class Watched:
    """What is known before anything is rendered: findings, and where recordings are silent by themselves (samples, by section)."""

    noted: tuple[Noted, ...]
    silent: Mapping[str, tuple[tuple[int, int], ...]]


def of_recordings(project: Project, planned: Plan, store: Store, surveyor: Surveyor) -> Watched:
    """What is wrong with the recordings and where they meet, before anything is rendered. Raises SourceUnreadable."""
    facts = [fact for fact in planned.facts if fact.input.kind == "section"]
    known = {fact.input.name: _known(fact, store, surveyor) for fact in facts if not fact.input.scratch}
    noted = (
        *(Noted(found, "recording", name) for name, one in known.items() for found in one.findings),
        *lengths(planned),
        *repeats(project, planned, store, surveyor),
        *_joins(planned, facts, known),
    )
    return Watched(noted, {name: one.silent for name, one in known.items()})


def _known(fact: Fact, store: Store, surveyor: Surveyor) -> _Known:
    subject = _subject(fact)
    ride = fact.measured.strip.ride
    key = digest("findings", RECIPE, sentinels.RECIPE, fact.profile, fact.flaws, asdict(subject), ride)
    kept = store.value(key)
    if kept is not None:
        return _Known.kept(kept)
    profile = surveyor.profile(fact)
    first, last = ((at - fact.take.start) // STEP for at in (subject.start, subject.end))
    level = _levelled(profile, ride)[first:last]
    edge = _EDGE_SECONDS * RATE // STEP
    judged = sentinels.judge(profile, surveyor.flaws(fact), subject)
    rooms = [sentinels.room(part, subject) for part in (level[:edge], level[-edge:])]
    found = _Known(judged, rooms[0], rooms[1], _silent(profile, fact.take.start))
    store.put_value(key, asdict(found))
    return found


def _subject(fact: Fact) -> Subject:
    found, wishes = fact.measured, fact.input.wishes
    repaired = found.strip.side is not None
    voiced = found.voiced and wishes.chain != "none"
    return Subject(fact.take.start, found.start, found.end, found.loudness, found.noise, voiced, repaired)


def _levelled(profile: Profile, ride: str) -> NDArray[np.float32]:
    moves = to_curve(ride)
    return profile.level[: len(moves)] + moves if len(moves) else profile.level


def _silent(profile: Profile, origin: Samples) -> tuple[tuple[int, int], ...]:
    runs = sentinels.runs(profile.level < _NOTHING_LEFT)
    return tuple((origin + start * STEP, origin + end * STEP) for start, end in runs if end - start >= _GAP_SECONDS * 50)


def _joins(planned: Plan, facts: list[Fact], known: dict[str, _Known]) -> Iterator[Noted]:
    """Rooms that are much louder than the one before, or quieter, once both voices are as loud as each other."""
    for before, after in pairwise(facts):
        if before.input.name not in known or after.input.name not in known:
            continue
        closes, opens = known[before.input.name].closes, known[after.input.name].opens
        if closes is None or opens is None or not (before.measured.voiced and after.measured.voiced):
            continue
        rooms = [level + planned.materials[fact.input.name].edit.gain for level, fact in ((closes, before), (opens, after))]
        jump = rooms[1] - rooms[0]
        if abs(jump) > _JUMP and max(rooms) > _NOTICED:
            severity: Severity = "warning" if max(rooms) > _HEARD else "note"
            start = planned.programme.find(after.input.name).start
            words = f"its room is {abs(jump):.0f} dB {'louder' if jump > 0 else 'quieter'} than that of {before.input.name}"
            yield Noted(Finding("join", severity, start, start, round(jump, 1), "dB", words), "programme", after.input.name)


def of_the_file(planned: Plan, proof: Proof, watched: Watched) -> Iterator[Noted]:
    """What is wrong with the finished file, as it was decoded."""
    if proof.true_peak > _OVER and math.isfinite(proof.true_peak):
        worst = max(proof.peaks, key=lambda name: proof.peaks[name])
        placed = planned.programme.find(worst)
        words = f"peaks of the decoded file are {proof.true_peak:.1f} dB over full scale: many players clip them"
        yield Noted(
            Finding("over", "warning", placed.start, placed.end, round(proof.true_peak, 2), "dBTP", words), "programme", _section(planned, worst)
        )
    sections = [one for one in planned.programme.placed if one.segment.kind == "section"]
    for start, end in proof.silent:
        for placed in sections:
            first, last = max(start, placed.start), min(end, placed.end)
            name, length = placed.segment.name, (last - first) / RATE
            recorded = planned.materials[name].edit.start + first - placed.start
            quiet = any(a < recorded + last - first and b > recorded for a, b in watched.silent.get(name, ()))
            if length >= _GAP_SECONDS and not quiet:
                words = f"digital silence for {length:.1f} s in the finished file"
                yield Noted(Finding("gap", "warning", Samples(first), Samples(last), round(length, 1), "s", words), "programme", name)
    for start, end, lost in proof.lost:
        within = next((one.segment.name for one in sections if one.start < end and one.end > start), None)
        words = f"on one loudspeaker {-lost:.0f} dB of the finished file are lost for {(end - start) / RATE:.0f} s"
        yield Noted(Finding("phase", "warning", Samples(start), Samples(end), round(lost, 1), "dB", words), "programme", within)


def _section(planned: Plan, name: str) -> str | None:
    return name if planned.fact(name).input.kind == "section" else None
