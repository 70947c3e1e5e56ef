"""A marker as every reader gives it, and what all of them hold it to. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from audio.chapters import ascii_url, clean
from audio.errors import TagError, TextUnreadable
from audio.textfile import in_samples
from audio.units import Samples

MOST_BYTES = 4 << 20
MOST = 10_000
"""Markers of one recording: one in each second of three hours."""
MOST_TITLE = 500


@dataclass(frozen=True, slots=True)
class Marker:
    """A place in a recording, or a stretch of it where ``end`` is said: in samples at 48 kHz, whatever the recording's rate. ``line`` is where the
    file says it, 0 when it is no text.
    """

    title: str
    start: Samples
    end: Samples | None = None
    link: str | None = None
    line: int = 0


def numbered(found: Iterator[Marker]) -> tuple[Marker, ...]:
    """Markers with a title for each, up to the most that are taken. Raises TextUnreadable past that, and what ``found`` raises."""
    listed: list[Marker] = []
    for marker in found:
        if len(listed) == MOST:
            raise TextUnreadable(f"holds more than {MOST:,} markers", max(1, marker.line), 1, "is it the right file?")
        title = clean(marker.title)[:MOST_TITLE] or f"Marker {len(listed) + 1}"
        listed.append(Marker(title, marker.start, marker.end, marker.link, marker.line))
    return tuple(listed)


def seconds_of(value: object) -> Samples | None:
    """A JSON value as a time; None when it is none."""
    return in_samples(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def text_of(value: object) -> str:
    return value if isinstance(value, str) else ""


def address(value: object) -> str | None:
    """A link that can stand in every form of a chapter; None for anything else: a marker is not refused for it."""
    try:
        return ascii_url(value) if isinstance(value, str) and value else None
    except TagError:
        return None
