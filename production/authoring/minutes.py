"""The ways in which scripts write how long a part is. Pure; lengths are in minutes.

## Title (45 minutes)   ## Title (1 hour)   ## Title [45m]     in the heading
## Title (165:00-180:00)                                       from when to when, in the heading
*Estimated Duration: 45 minutes*      Duration: 1 hour         on a line under it
*[Duration: 8 minutes] - the night it broke*                   in brackets, under it
*[60 minutes of analysis]*
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_NUMBER = r"\d{1,4}(?:[.,]\d{1,3})?"
_UNIT = r"(?:hours?|hrs?|h|minutes?|mins?|m|seconds?|secs?|s)"
_PIECE = rf"(?:{_NUMBER}\s*(?:-|–|—|to)\s*)?{_NUMBER}[\s-]*{_UNIT}(?![a-z])\.?"
_AMOUNT = rf"(?:about|approx\.?|ca\.?|~|≈)?\s*{_PIECE}(?:(?:\s*,)?\s*(?:and\s+|&\s*)?{_PIECE}){{0,2}}(?:\s*\d{{1,2}}\b)?"
_CLOCK = r"\d{1,4}:\d{2}(?::\d{2})?"
_BRACKETED = re.compile(r"\s*(?:\(([^()\[\]]{1,60})\)|\[([^()\[\]]{1,60})\])")
_WHOLE = re.compile(rf"(?:(?:estimated|planned|total)\s+)?(?:(?:duration|length|runtime|time)\s*[:=]\s*)?({_AMOUNT})", re.IGNORECASE)
_FROM_TO = re.compile(rf"({_CLOCK})\s*(?:-|–|—|to)\s*({_CLOCK})", re.IGNORECASE)
_UNDER = re.compile(
    rf"(?:(?:estimated|expected|planned|approximate|total|episode|section|segment)\s+){{0,2}}(?:duration|length|runtime|running time|time)"
    rf"\s*[:=]\s*({_AMOUNT})(?=$|[\s(),;.\]|–—-])",
    re.IGNORECASE,
)
_IN_BRACKETS = re.compile(rf"\[({_AMOUNT})(?=[\s\],])(?!\s*(?:later|ago|earlier|before|after|pass|into|in)\b)[^\[\]]*\]", re.IGNORECASE)
_ONE = re.compile(rf"({_NUMBER})[\s-]*({_UNIT})(?![a-z])", re.IGNORECASE)
_BARE_END = re.compile(r"h[a-z]*\s*(\d{1,2})$", re.IGNORECASE)
_MARKS = re.compile(r"[*_`>#]+|^\s*(?:[-+•]|\d+[.)])\s+")
_OF_AN_HOUR = {"h": 1.0, "m": 1 / 60, "s": 1 / 3600}


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when, as it is written: whether ``1:30`` is a minute and a half or an hour and a half, other parts of the script tell."""

    start: str
    end: str

    def minutes(self, *, hours: bool) -> tuple[float, float]:
        """Both ends in minutes; ``hours``: two fields are hours and minutes."""
        return _clock(self.start, hours=hours), _clock(self.end, hours=hours)


def _clock(text: str, *, hours: bool) -> float:
    fields = [int(field) for field in text.split(":")]
    if len(fields) == 3:
        return fields[0] * 60 + fields[1] + fields[2] / 60
    return fields[0] * 60 + fields[1] if hours else fields[0] + fields[1] / 60


def amount(text: str) -> float | None:
    """``1 hour 15 minutes``, ``1.5 hours``, ``90 min``, ``1h30`` in minutes, if the whole text is that. Of a range, its longer end."""
    found = _WHOLE.fullmatch(text.strip())
    return _sum(found[1]) if found else None


def in_heading(title: str) -> tuple[str, float | Span | None]:
    """A heading without the length that it says, and that length."""
    for found in _BRACKETED.finditer(title):
        inner = (found[1] or found[2] or "").strip()
        span = _FROM_TO.fullmatch(inner)
        length = Span(span[1], span[2]) if span else amount(inner)
        if length is not None:
            return (title[: found.start()] + title[found.end() :]).strip(), length
    return title, None


def under(line: str) -> float | None:
    """What a line under a heading says of its length, if that is what the line is there for."""
    bare = _MARKS.sub("", line).strip()
    found = _UNDER.match(bare.lstrip("[(")) or _IN_BRACKETS.match(bare)
    return _sum(found[1]) if found else None


def _sum(text: str) -> float | None:
    hours = sum(float(number.replace(",", ".")) * _OF_AN_HOUR[unit[0].lower()] for number, unit in _ONE.findall(text))
    bare = _BARE_END.search(text)
    return round(hours * 60 + (int(bare[1]) if bare else 0), 2) or None
