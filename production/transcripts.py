"""What is said in the episode, joined of the transcripts of its sections and re-timed through their edits. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from production import plan
from production.model import Episode
from production.plan import Plan

if TYPE_CHECKING:
    from audio.cues import Cue

RECIPE = 1
"""Raised when the same cues give other files."""


@dataclass(frozen=True)
class Spoken:
    """The cues of a programme by time; ``sections`` have some. How many were shortened at an edge, how many lie in what is not heard, and what to
    know.
    """

    cues: tuple[Cue, ...]
    sections: tuple[str, ...]
    clipped: int
    dropped: int
    notes: tuple[str, ...]


def spoken(planned: Plan) -> Spoken:
    """The transcripts of all sections as one."""
    facts = [fact for fact in planned.facts if fact.input.kind == "section"]
    if not any(fact.input.beside.cues for fact in facts):
        return Spoken((), (), 0, 0, ())
    from audio import subtitles

    parts = {
        fact.input.name: subtitles.retimed(
            fact.input.beside.cues, plan.edit_map(planned, fact.input.name), (fact.input.section.speaker if fact.input.section else None) or ""
        )
        for fact in facts
        if fact.input.beside.cues
    }
    cues = subtitles.joined([one.cues for one in parts.values()])
    lacking = [fact.input.name for fact in facts if fact.input.name not in parts]
    notes = []
    if cues and lacking:
        notes.append(f"there is no transcript of {', '.join(lacking)}: that of the episode is silent there")
    if cues and planned.episode.transcript:
        notes.append(f"transcript: {planned.episode.transcript} is not used: the sections have their own")
    return Spoken(cues, tuple(parts), sum(one.clipped for one in parts.values()), sum(one.dropped for one in parts.values()), tuple(notes))


def files(episode: Episode, said: Spoken) -> dict[str, bytes]:
    """The files beside the MP3, by name; none when nothing is said."""
    if not said.cues:
        return {}
    from audio import subtitles

    return {f"{episode.id}{suffix}": data for suffix, data in subtitles.files(said.cues).items()}
