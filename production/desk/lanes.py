"""What is heard when in a finished episode: speech, music, beds, the tone of rooms, gaps, and the joins between them. Pure; in seconds.

Reports of earlier versions say less: what they do not say is in no lane.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from audio.units import RATE

Span = tuple[float, float]
_TENTH = 10
_NAMES = {"intro": "intro", "outro": "outro", "sting": "sting"}


@dataclass(frozen=True, slots=True)
class Lanes:
    """``spoken`` is None where the report does not say when somebody speaks."""

    spoken: tuple[Span, ...] | None
    music: tuple[Span, ...]
    bed: tuple[Span, ...]
    tone: tuple[Span, ...]
    gaps: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Join:
    """Where one thing ends and the next begins: where that begins, the seconds between them, and what they are."""

    at: float
    pause: float
    before: str
    after: str


def lanes(report: Mapping[str, Any]) -> Lanes:
    """What a report says. Raises LookupError, TypeError or ValueError when it is no report."""
    heard = _placed(report)
    length = int(report["audio"]["samples"])
    spoken: list[Span] | None = None
    for one in heard:
        if (runs := one.get("speech_tenths")) is not None:
            spoken = [*(spoken or ()), *_spoken(_begins(one) / RATE, runs)]
    music = [(_begins(one), _ends(one)) for one in heard if one["kind"] != "section"]
    music += [span for one in heard for span in _under(one, frozenset(_NAMES))]
    return Lanes(
        None if spoken is None else tuple(spoken),
        _seconds(music),
        _seconds(span for one in heard for span in _under(one, frozenset({"bed"}))),
        _seconds((int(start), int(end)) for start, end in report.get("room_tone", ())),
        _seconds(_gaps([(_begins(one), _ends(one)) for one in heard], length)),
    )


def joins(report: Mapping[str, Any]) -> tuple[Join, ...]:
    """In the order of the programme. Sections are called what their chapters are called."""
    titles = {one["slug"]: str(one["title"]) for one in report["chapters"]}
    return tuple(
        Join(_begins(after) / RATE, (_begins(after) - _ends(before)) / RATE, _name(before, titles), _name(after, titles))
        for before, after in pairwise(_placed(report))
    )


def _placed(report: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return sorted((one for one in report["segments"] if "start_samples" in one), key=_begins)


def _begins(one: Mapping[str, Any]) -> int:
    return int(one["start_samples"])


def _ends(one: Mapping[str, Any]) -> int:
    return int(one["start_samples"]) + int(one["samples"])


def _name(one: Mapping[str, Any], titles: Mapping[str, str]) -> str:
    return titles.get(one["name"]) or _NAMES.get(one["kind"], str(one["name"]))


def _spoken(begins: float, runs: Iterable[int]) -> Iterator[Span]:
    at = 0
    for number, run in enumerate(runs):
        if number % 2:
            yield round(begins + at / _TENTH, 3), round(begins + (at + run) / _TENTH, 3)
        at += run


def _under(one: Mapping[str, Any], kinds: frozenset[str]) -> Iterator[tuple[int, int]]:
    for layer in one.get("under", ()):
        if layer["kind"] in kinds:
            start = _begins(one) + int(layer["at_samples"])
            yield start, start + int(layer["samples"])


def _gaps(heard: Iterable[tuple[int, int]], length: int) -> Iterator[tuple[int, int]]:
    at = 0
    for start, end in sorted(heard):
        if start > at:
            yield at, start
        at = max(at, end)
    if length > at > 0:
        yield at, length


def _seconds(spans: Iterable[tuple[int, int]]) -> tuple[Span, ...]:
    return tuple((round(start / RATE, 3), round(end / RATE, 3)) for start, end in sorted(spans))
