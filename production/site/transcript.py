"""What is said in an episode, from the file that its config names, as paragraphs: cues with their times, HTML, or plain text. Pure.

Never silent about what it cannot read: that would be missing from the page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from audio import cues
from audio.errors import TextUnreadable
from audio.units import RATE
from feeds import notes
from production.errors import ConfigError, Problem
from production.model import Location

_LONG, _LONGEST = 40.0, 100.0
"""Seconds after which a paragraph ends with the sentence, and anyway."""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Something said: ``start`` in seconds, None where nobody wrote it down; ``speaker`` "" where it is not known, or the one before."""

    text: str
    start: float | None = None
    speaker: str = ""


@dataclass(frozen=True, slots=True)
class Transcript:
    """Paragraphs, or harmless HTML of a file that was HTML."""

    paragraphs: tuple[Paragraph, ...] = ()
    html: str = ""


def read(path: Path, data: bytes, marks: Sequence[float] = ()) -> Transcript:
    """The transcript in a file; no paragraph goes over a chapter's start (``marks``, in seconds). Raises ConfigError with what cannot be read."""
    kind = path.suffix.lower()
    if kind in cues.SUFFIXES:
        return Transcript(tuple(_joined(_cues(path, data), marks)))
    text = _decoded(path, data)
    if kind == ".html":
        return Transcript(html=notes.cleaned(text).strip())
    return Transcript(tuple(Paragraph(" ".join(one.split())) for one in re.split(r"\n\s*\n", text) if one.strip()))


def _cues(path: Path, data: bytes) -> Sequence[Paragraph]:
    try:
        found = cues.read(path.name, data)
    except TextUnreadable as error:
        raise _unreadable(path, data, error.line, error.column, error.why, error.hint) from error
    if not found:
        raise _unreadable(path, data, 1, 1, "holds nothing that is said", "it should have cues with their times")
    return [Paragraph(" ".join(one.text.split()), one.start / RATE, one.speaker) for one in found]


def _decoded(path: Path, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise _unreadable(path, data, line, 1, "is not in UTF-8", "save it as UTF-8") from error


def _unreadable(path: Path, data: bytes, line: int, column: int, why: str, hint: str) -> ConfigError:
    lines = data.decode("utf-8-sig", "replace").splitlines()
    shown = lines[line - 1] if 0 < line <= len(lines) else None
    return ConfigError([Problem(Location(path, line, column), f"transcript: {why}", hint, shown)])


# -- for reading -----------------------------------------------------------------------------------------------------------------


def _joined(said: Sequence[Paragraph], marks: Sequence[float]) -> Iterator[Paragraph]:
    """Cues of seconds as paragraphs of a minute: a new one for another speaker, a new chapter, and after a sentence when it has become long."""
    words: list[str] = []
    start, speaker, named = 0.0, "", ""
    for cue in said:
        at = cue.start or 0.0
        long = _LONGEST if not words or words[-1][-1] not in ".?!…”\"'" else _LONG
        other = bool(cue.speaker) and cue.speaker != speaker
        if words and (other or at - start >= long or any(start < mark <= at for mark in marks)):
            yield Paragraph(" ".join(words), start, named)
            named, words = "", []
        if not words:
            start = at
        if other:
            speaker = named = cue.speaker
        words.append(cue.text)
    yield Paragraph(" ".join(words), start, named)
