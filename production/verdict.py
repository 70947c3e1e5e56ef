"""What the finished file's loudness is held to, what is changed when it misses, and when that is given up. Pure.

Targets are met by the file as listeners decode it: the whole within 0.3 LU of its target, sections within 1 LU of each other, no true peak over
the ceiling. A section whose level somebody fixed (``gain``, ``chain: none``) or that nobody speaks in is left as it is, and is no reason to fail.
Nor is what shares a chunk with a section that is not to be touched: peaks are known of chunks.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from statistics import median

from audio.units import FRAME, Db, Lufs
from production import mix
from production.mix import Trim
from production.plan import Plan
from production.proof import Proof
from production.survey import Fact

ROUNDS = 3
"""So often a programme is corrected at most."""
WHOLE_LU = 0.3
BETWEEN_SECTIONS_LU = 1.0
_OFF = 0.4
"""A section further than this from its target is corrected: two of them can then not be more than 1 LU apart."""
_NEARLY = 0.25
_MOST = 2.0
"""Sections are taken this far from their target, in LU, where the whole needs it: music in a short programme is quieter than they are."""
_TO_SPARE = 0.1
"""A peak is taken this far under its ceiling, in dB: the encoder moves it again."""


def correctable(planned: Plan) -> set[str]:
    """The sections whose level is ours to decide."""
    most = planned.episode.settings.loudness.max_gain
    return {fact.input.name for fact in planned.facts if fact.input.kind == "section" and _ours(fact) and fact.measured.gain < most}


def _ours(fact: Fact) -> bool:
    wishes = fact.input.wishes
    return wishes.chain != "none" and wishes.gain is None and (fact.measured.voiced or wishes.chain == "linear")


def corrections(planned: Plan, proof: Proof) -> dict[str, Trim]:
    """What has to change, by segment, to be added to what was changed before; nothing when the file is as it should be, or nothing would help."""
    gains = _moves(planned, proof)
    lower = {name: Db(-round(over + _TO_SPARE, 2)) for name, over in _over(planned, proof).items()}
    # A quiet segment in a chunk with a loud one has nothing that a lower ceiling would take down.
    names = gains.keys() | {name for name, by in lower.items() if _bites(planned, name, by)}
    return {name: Trim(Db(round(gains.get(name, 0.0), 2)), lower.get(name, Db(0.0))) for name in sorted(names)}


def _moves(planned: Plan, proof: Proof) -> dict[str, float]:
    """By how many dB sections are to be moved."""
    target = planned.episode.settings.loudness.target
    levels = _levels(planned, proof)
    if not levels:
        return {}
    middle, missing = median(levels.values()), target - proof.loudness
    if not _everything(planned):
        return {name: target - level for name, level in levels.items() if abs(target - level) > _OFF}
    if max(levels.values()) - min(levels.values()) > 2 * _OFF:
        # Where the whole is right, what is off is brought to the others.
        goal = middle if abs(missing) <= _NEARLY else target
        return {name: goal - level for name, level in levels.items() if abs(goal - level) > _OFF}
    move = max(target - _MOST - middle, min(target + _MOST - middle, missing))
    return dict.fromkeys(levels, move) if min(abs(move), abs(missing)) > _NEARLY else {}


def _everything(planned: Plan) -> bool:
    """Whether the level of every section is ours to decide, and so that of the whole."""
    ours = correctable(planned)
    return all(fact.input.name in ours for fact in planned.facts if fact.input.kind == "section")


def _levels(planned: Plan, proof: Proof) -> dict[str, Lufs]:
    """The loudness of the sections that are ours to decide; of one under 400 ms nothing is known."""
    return {name: proof.sections[name] for name in sorted(correctable(planned)) if math.isfinite(proof.sections[name])}


def _over(planned: Plan, proof: Proof) -> dict[str, float]:
    """By how many dB segments are over the ceiling, as far as those are their own peaks and ours to take down."""
    most = planned.episode.settings.loudness.true_peak
    untouched = {fact.input.name for fact in planned.facts if fact.input.wishes.chain == "none"}
    excused = set(untouched)
    for run, parts in zip(planned.runs, planned.chunks, strict=True):
        for chunk in parts:
            inside = {part.name for part in run.parts if part.offset < chunk.last * FRAME and part.offset + part.length > chunk.first * FRAME}
            highest = max((proof.peaks[name] for name in inside & untouched), default=Db(-math.inf))
            excused |= {name for name in inside & proof.peaks.keys() if proof.peaks[name] <= highest}
    return {name: peak - most for name, peak in proof.peaks.items() if peak > most and name not in excused}


def _bites(planned: Plan, name: str, by: Db) -> bool:
    """Whether another ceiling changes a segment."""
    edit, trim = planned.materials[name].edit, planned.trims.get(name, Trim())
    return edit.ceiling is not None or mix.reaches(planned.fact(name), edit.gain, Db(mix.ceiling_of(planned.episode) + trim.ceiling + by))


def added(before: Mapping[str, Trim], more: Mapping[str, Trim]) -> dict[str, Trim]:
    """Two corrections as one."""
    nothing = Trim()
    return {
        name: Trim(
            Db(round(before.get(name, nothing).gain + more.get(name, nothing).gain, 2)),
            Db(round(before.get(name, nothing).ceiling + more.get(name, nothing).ceiling, 2)),
        )
        for name in sorted(before.keys() | more.keys())
    }


def misses(planned: Plan, proof: Proof) -> Iterator[str]:
    """In which ways the file is not as it should be, as far as that is ours to decide."""
    wanted = planned.episode.settings.loudness
    if _everything(planned) and abs(proof.loudness - wanted.target) > WHOLE_LU:
        yield f"the programme is at {proof.loudness:.2f} LUFS, asked were {wanted.target:g} within {WHOLE_LU:g}"
    levels = _levels(planned, proof)
    if levels and max(levels.values()) - min(levels.values()) > BETWEEN_SECTIONS_LU:
        quiet, loud = min(levels, key=levels.__getitem__), max(levels, key=levels.__getitem__)
        yield f"{loud} is {levels[loud] - levels[quiet]:.2f} LU louder than {quiet}; {BETWEEN_SECTIONS_LU:g} are allowed"
    for name in _over(planned, proof):
        yield f"{name}: true peak is {proof.peaks[name]:.2f} dBTP, asked were at most {wanted.true_peak:g}"


def remedy(planned: Plan, proof: Proof) -> str:
    """What can be done about a file that misses: in a short programme it may be the music that pulls the whole away from its target."""
    by_hand = "say a section's gain, or chain: linear, if it is no voice"
    settings, off = planned.episode.settings, proof.loudness - planned.episode.settings.loudness.target
    music = any(fact.input.kind in ("intro", "outro", "sting") for fact in planned.facts)
    if music and abs(off) > WHOLE_LU and off * (settings.music.level - settings.loudness.target) > 0:
        return f"its music is at {settings.music.level:g} LUFS: say a music.level nearer to {settings.loudness.target:g}; or {by_hand}"
    return by_hand
