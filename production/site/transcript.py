"""What is said in an episode, from the file that its config names: WebVTT, SRT, the podcast namespace's JSON and HTML, or plain text. Pure.

Tolerant of what programs write (hours left out, commas for points, styles, positions, words as single cues), and never silent about what it cannot
read: that would be missing from the page.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from feeds import notes
from production.errors import ConfigError, Problem
from production.model import Location

_TIME: Final = r"(?:([0-9]+):)?([0-9]{1,2}):([0-9]{1,2})(?:[.,]([0-9]{1,3}))?"
_TIMING: Final = re.compile(rf"\s*{_TIME}\s*-->\s*{_TIME}(?:\s.*)?")
_VOICE: Final = re.compile(r"<v(?:\.[^\s>]*)?\s+([^>]+)>")
_MARKUP: Final = re.compile(r"</?[a-zA-Z0-9][^>]*>|\{\\[^}]*\}")
_NO_CUES: Final = ("NOTE", "STYLE", "REGION")
_MOST_PROBLEMS: Final = 5
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
    text = _decoded(path, data)
    kind = path.suffix.lower()
    if kind == ".html":
        return Transcript(html=notes.cleaned(text).strip())
    if kind == ".txt":
        return Transcript(tuple(Paragraph(" ".join(one.split())) for one in re.split(r"\n\s*\n", text) if one.strip()))
    cues = tuple(_segments(path, text) if kind == ".json" else _cues(path, text))
    if not cues:
        raise ConfigError([_problem(path, 1, "holds nothing that is said", "it should have cues with their times")])
    return Transcript(tuple(_joined(cues, marks)))


def _decoded(path: Path, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ConfigError([_problem(path, line, "is not in UTF-8", "save it as UTF-8")]) from error


def _problem(path: Path, line: int, message: str, hint: str, shown: str | None = None, column: int = 1) -> Problem:
    return Problem(Location(path, line, column), f"transcript: {message}", hint, shown)


# -- WebVTT and SRT --------------------------------------------------------------------------------------------------------------


def _cues(path: Path, text: str) -> Iterator[Paragraph]:
    problems: list[Problem] = []
    for first, lines in _blocks(text):
        if lines[0].startswith("WEBVTT") or lines[0].split()[0] in _NO_CUES:
            continue
        # A cue may begin with its name, or its number.
        at = next((at for at, line in enumerate(lines[:2]) if "-->" in line), None)
        found = None if at is None else _TIMING.fullmatch(lines[at])
        if at is None or found is None:
            where = at or 0
            message = "these words have no time" if at is None else "a time that cannot be read"
            problems.append(_problem(path, first + where, message, "write 00:01:02.500 --> 00:01:05.000 above them", lines[where]))
            continue
        said = "\n".join(lines[at + 1 :])
        voice = _VOICE.search(said)
        words = " ".join(html.unescape(_MARKUP.sub("", said)).split())
        if words:
            yield Paragraph(words, _seconds(*found.groups()[:4]), html.unescape(voice[1]).strip() if voice else "")
    if problems:
        raise ConfigError(problems[:_MOST_PROBLEMS])


def _blocks(text: str) -> Iterator[tuple[int, list[str]]]:
    """Lines that stand together, each group with the number of its first line."""
    found: list[str] = []
    for number, line in enumerate([*text.split("\n"), ""], 1):
        if line.strip():
            found.append(line)
        elif found:
            yield number - len(found), found
            found = []


def _seconds(hours: str | None, minutes: str, seconds: str, parts: str | None) -> float:
    return int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds) + int((parts or "0").ljust(3, "0")) / 1000


# -- JSON ------------------------------------------------------------------------------------------------------------------------


def _segments(path: Path, text: str) -> Iterator[Paragraph]:
    hint = 'it should hold {"version": "1.0.0", "segments": [{"startTime": 0.5, "body": "..."}]}'
    try:
        said: Any = json.loads(text)
    except json.JSONDecodeError as error:
        line = text.split("\n")[error.lineno - 1]
        raise ConfigError([_problem(path, error.lineno, error.msg, hint, line, error.colno)]) from error
    except RecursionError as error:
        raise ConfigError([_problem(path, 1, "is nested too deeply", hint)]) from error
    segments = said.get("segments") if isinstance(said, dict) else None
    if not isinstance(segments, list):
        raise ConfigError([_problem(path, 1, "has no segments", hint)])
    problems: list[Problem] = []
    for number, one in enumerate(segments, 1):
        start, body, speaker = (one.get(name) for name in ("startTime", "body", "speaker")) if isinstance(one, dict) else (None, None, None)
        if isinstance(start, bool) or not isinstance(start, int | float) or not 0 <= start < 1e6 or not isinstance(body, str):
            problems.append(_problem(path, 1, f"segments, item {number}: needs a startTime in seconds, and a body", hint))
        elif words := " ".join(body.split()):
            yield Paragraph(words, float(start), speaker.strip() if isinstance(speaker, str) else "")
    if problems:
        raise ConfigError(problems[:_MOST_PROBLEMS])


# -- for reading -----------------------------------------------------------------------------------------------------------------


def _joined(cues: Sequence[Paragraph], marks: Sequence[float]) -> Iterator[Paragraph]:
    """Cues of seconds as paragraphs of a minute: a new one for another speaker, a new chapter, and after a sentence when it has become long."""
    words: list[str] = []
    start, speaker, named = 0.0, "", ""
    for cue in cues:
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
