"""Generated files that are written only when something they were made from has changed: a note of the last time says what each was made from."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from production.store import digest_bytes, write

Bring = Callable[[Path, str, Callable[[], bytes]], None]
"""See that a file is there as it is made from what a key stands for; it is made only if it was of another key, or is no longer as it was written."""


@contextmanager
def remade(note: Path) -> Iterator[Bring]:
    """Bring files up to date by the note at this path. What was brought is noted also when one of them fails; others are forgotten."""
    before, after = _noted(note), dict[str, object]()

    def bring(path: Path, key: str, make: Callable[[], bytes]) -> None:
        name = _name(path, note)
        found = [key, _sum(path)]
        if before.get(name) != found:
            data = make()
            write(path, data)
            found = [key, digest_bytes(data)]
        after[name] = found

    try:
        yield bring
    finally:
        write(note, json.dumps(after, indent=0).encode())


def as_made(note: Path) -> Callable[[Path, str], bool]:
    """Whether a file is there as it was made from what a key stands for, by the note at this path."""
    before = _noted(note)
    return lambda path, key: before.get(_name(path, note)) == [key, _sum(path)]


def _name(path: Path, note: Path) -> str:
    """Not its whole path, so that a project that was moved is not made again."""
    return Path(os.path.relpath(path, note.parent)).as_posix()


def _noted(note: Path) -> dict[str, object]:
    try:
        found = json.loads(note.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _sum(path: Path) -> str:
    try:
        return digest_bytes(path.read_bytes())
    except OSError:
        return ""
