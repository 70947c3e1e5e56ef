"""Versions of installed distributions, without `importlib.metadata`: loading that takes longer than most of what asks for a version."""

from __future__ import annotations

import os
import re
import sys
from functools import cache


@cache
def version(distribution: str) -> str:
    """What `importlib.metadata.version` says. Raises its PackageNotFoundError."""
    wanted = _normal(distribution)
    for folder in sys.path:
        for name, number in _installed(folder):
            if name == wanted:
                return number
    from importlib import metadata

    # Installed in an older way than as a folder NAME-VERSION.dist-info, or not at all.
    return metadata.version(distribution)


@cache
def _installed(folder: str) -> tuple[tuple[str, str], ...]:
    try:
        entries = os.listdir(folder or os.curdir)
    except OSError:
        return ()
    found = (entry.removesuffix(".dist-info").partition("-") for entry in entries if entry.endswith(".dist-info"))
    return tuple((_normal(name), number) for name, _, number in found if number)


def _normal(name: str) -> str:
    """As the packaging standards (PEP 503) compare names."""
    return re.sub(r"[-_.]+", "-", name).lower()
