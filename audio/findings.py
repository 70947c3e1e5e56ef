"""What is wrong with a sound, as a value: where, how much of it, and how badly a listener hears it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from audio.units import RATE, Samples

Severity = Literal["note", "warning", "error"]
SEVERITIES: tuple[Severity, ...] = ("note", "warning", "error")
MOST = 100
"""Findings of one detector in one sound, at most: those that lie near each other become one."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault. [start, end) are samples from the first one of the recording or of the programme, ``figure`` is what was measured, in ``unit``.

    ``severity`` goes by what is heard: a note is hardly noticed, a warning is, an error was forbidden. ``words`` say it for people.
    """

    detector: str
    severity: Severity
    start: Samples
    end: Samples
    figure: float
    unit: str
    words: str


def worse(one: Severity, other: Severity) -> Severity:
    return max(one, other, key=SEVERITIES.index)


def stretches(marks: Sequence[tuple[int, int]], within: int) -> list[tuple[int, int]]:
    """Stretches [start, end) in order, those that are no further apart than ``within`` as one."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(marks):
        if found and start - found[-1][1] <= within:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def thinned(found: Sequence[Finding], most: int = MOST) -> list[Finding]:
    """At most so many findings of a detector, in order: neighbours are put together until they are few enough, and the worse one speaks for both."""
    listed = sorted(found, key=lambda one: (one.start, one.end))
    within = RATE
    while len(listed) > most:
        fewer: list[Finding] = []
        for one in listed:
            if fewer and one.start - fewer[-1].end <= within:
                last = fewer[-1]
                says = max(last, one, key=lambda each: (SEVERITIES.index(each.severity), each.figure))
                fewer[-1] = replace(says, start=last.start, end=max(last.end, one.end))
            else:
                fewer.append(one)
        listed, within = fewer, within * 2
    return listed
