"""Times as people write and read them. Pure."""

from __future__ import annotations

import re

_TIME = re.compile(r"(?:(?:(\d{1,3}):)?(\d{1,3}):)?(\d{1,6}(?:\.\d{1,6})?)", re.ASCII)


def clock(seconds: float) -> str:
    """``1:02:03``."""
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"


def signed(seconds: float) -> str:
    """``+1:02:03``, ``-2:03``, ``+0:00``: a difference."""
    whole = abs(round(seconds))
    hours = f"{whole // 3600}:{whole // 60 % 60:02}" if whole >= 3600 else f"{whole // 60}"
    return f"{'-' if round(seconds) < 0 else '+'}{hours}:{whole % 60:02}"


def seconds(text: str) -> float:
    """``90``, ``1:30`` or ``1:30:00`` in seconds. Raises ValueError."""
    found = _TIME.fullmatch(text.strip())
    if not found:
        raise ValueError("write it as 90, 1:30 or 1:30:00")
    hours, minutes, rest = found.groups(default="0")
    return int(hours) * 3600 + int(minutes) * 60 + float(rest)


def window(text: str) -> tuple[float, float]:
    """``1:30:00+60``: where it begins, and how long it is, in seconds. Raises ValueError."""
    begins, plus, length = text.partition("+")
    if not plus:
        raise ValueError("write where it begins and how long it is, as 1:30:00+60")
    found = seconds(begins), seconds(length)
    if not found[1] > 0:
        raise ValueError("it has no length")
    return found
