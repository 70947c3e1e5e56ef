"""The store is kept within a limit: what is least likely to be asked for again is removed. It can all be made again.

What no last build is made of goes first, and of that what was not used for longest: earlier takes, tries, measurements of recordings that
are gone. What the last finished build of an episode is made of goes only when that was not enough, again what was not used for longest first.

Times of use alone would do it the wrong way round: the chunks of an episode that was finished a year ago have the oldest times, and yet they
are what a new title or a mended section of it needs, while yesterday's tries have the newest and are needed by nobody. Nor can the times
be kept fresh by looking: a run that finds nothing to do looks at no chunk, and touching hundreds of entries would be the most of its work.
So each finished build leaves the names of everything it is made of in ``builds/`` (`note`). The record is a preference and not a
promise: the limit holds whatever it says, a record that is damaged or lost costs an order of removal and nothing else, and the record of
an episode whose build folder is gone no longer counts.

All who build hold the store's lock together, who removes holds it alone: a plan never loses what it counts on. Entries that vanish in
another way are misses, and made again.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from production import receipts
from production.sizes import said
from production.store import BUILDS, ENTRIES, FILES, LOCK, Store, disk_errors, locked, recorded, sum_key

_DAY_SECONDS = 24 * 3600
"""What was left half-written is kept as long: it may belong to a run that is alive."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that is kept: bytes, when it was last used (seconds, by the system's clock), and whether some last build is made of it."""

    path: str
    size: int
    used: float
    current: bool = False


@dataclass(frozen=True)
class Swept:
    """What was removed (or would be) and what remains, in entries and bytes. ``current`` counts the removed ones that a last build is made of,
    ``litter`` the half-written files of runs that were killed."""

    removed: int
    removed_bytes: int
    kept: int
    kept_bytes: int
    current: int = 0
    litter: int = 0


def condemned(entries: Iterable[Entry], limit: int) -> list[Entry]:
    """What goes, in its order, so that the rest is at most ``limit`` bytes. Pure."""
    entries = list(entries)
    excess = sum(one.size for one in entries) - limit
    going: list[Entry] = []
    for one in sorted(entries, key=lambda one: (one.current, one.used, one.path)):
        if excess <= 0:
            break
        going.append(one)
        excess -= one.size
    return going


def note(store: Store, folder: Path) -> None:
    """Write down what the build that was just finished in this folder is made of. Raises StoreError."""
    made = receipts.read(folder)
    if made:
        store.remember(folder.name, str(made.audio.get("name", "")))


def preview(root: Path, limit: int, now: float, used: Collection[str] = ()) -> Swept:
    """What `sweep` would do to the store in this folder. Raises StoreError."""
    with disk_errors(root):
        found = _look(root, now, used)
    return _told(found, condemned(found.entries, limit))


def sweep(root: Path, limit: int, now: float, waiting: Callable[[], None] = lambda: None, used: Collection[str] = ()) -> Swept:
    """Remove what the limit has no room for and what killed runs left. Waits until nobody builds. Raises StoreError.

    ``now`` is the time in seconds by the system's clock; what is named in ``used`` goes last, as if it were of a last build.
    """
    if not root.is_dir():
        return Swept(0, 0, 0, 0)
    with disk_errors(root), locked(root / LOCK, waiting):
        found = _look(root, now, used)
        going = condemned(found.entries, limit)
        for path in (*(one.path for one in going), *found.litter, *found.stale):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
        for folder in found.folders:
            # The system refuses unless it is empty.
            with contextlib.suppress(OSError):
                os.rmdir(folder)
    return _told(found, going)


def after_build(store: Store, limit: int, now: float) -> Swept | None:
    """What every run does at its end, once it no longer holds the store: a sweep, if it has put anything and that was too much.

    None when there was nothing to remove. Another run that is at work is left alone: it does the same at its end. What this run used goes last,
    finished or not: the next one goes on from there. Raises StoreError.
    """
    if not store.grown:
        return None
    ahead = preview(store.root, limit, now, store.used)
    if not ahead.removed and not ahead.litter:
        return None
    try:
        return sweep(store.root, limit, now, _give_up, store.used)
    except _Busy:
        return None


class _Busy(Exception):
    """Somebody is building."""


def _give_up() -> NoReturn:
    raise _Busy


# -- in words --------------------------------------------------------------------------------------------------------------------


def in_lines(swept: Swept, limit: int, *, done: bool = True) -> list[str]:
    """What came of a sweep, or would."""
    removed, remaining = ("removed", "remaining") if done else ("would be removed", "would remain")
    lines = [f"{removed}: {_entries(swept.removed)}, {said(swept.removed_bytes)}" if swept.removed else "nothing to remove"]
    if swept.current:
        lines.append(f"{swept.current} of them belong to the last build of an episode: what changes in it will take longer to build")
    if swept.litter:
        lines.append(f"{removed}: {swept.litter} half-written file(s) of killed runs")
    lines.append(f"{remaining}: {_entries(swept.kept)}, {said(swept.kept_bytes)} of at most {said(limit)}")
    return lines


def in_a_line(swept: Swept, limit: int) -> str:
    """The same for the end of a build."""
    line = f"store: {_entries(swept.removed)} removed ({said(swept.removed_bytes)}); remaining {said(swept.kept_bytes)} of at most {said(limit)}"
    return f"{line}; the last builds alone need more: raise store.limit in configs/show.yaml" if swept.current else line


def _entries(number: int) -> str:
    return f"{number} {'entry' if number == 1 else 'entries'}"


# -- what is there ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Found:
    entries: list[Entry]
    litter: list[str]
    stale: list[str]
    """Records of builds that are gone."""
    folders: list[str]


def _look(root: Path, now: float, used_now: Collection[str]) -> _Found:
    # Names are plain text all the way: there are tens of thousands, and a Path for each takes longer than asking the system about them.
    current, stale = _records(root)
    current.update(used_now)
    places = {name: [one.path for one in _listed(root / name) if one.is_dir(follow_symlinks=False)] for name in (ENTRIES, FILES)}
    entries, files = ({one.name: one for folder in places[name] for one in _listed(folder)} for name in (ENTRIES, FILES))
    used = {name: status for name, one in entries.items() if (status := _status(one))}
    kept = [Entry(entries[name].path, status.st_size, status.st_mtime, name in current) for name, status in used.items() if name[0] != "."]
    for name, one in files.items():
        if name[0] != "." and (status := _status(one)):
            # A generated file keeps the time it was made; its checksum is read whenever the file is used.
            last = used.get(sum_key(name.partition(".")[0]), status)
            kept.append(Entry(one.path, status.st_size, last.st_mtime, name in current))
    elsewhere = [one for folder in (root, root / "tmp", root / BUILDS) for one in _listed(folder)]
    litter = [one.path for one in (*entries.values(), *files.values(), *elsewhere) if _is_litter(one, now)]
    return _Found(kept, litter, stale, [folder for name in (ENTRIES, FILES) for folder in places[name]])


def _is_litter(one: os.DirEntry[str], now: float) -> bool:
    return one.name[0] == "." and one.name.endswith(".part") and (status := _status(one)) is not None and status.st_mtime < now - _DAY_SECONDS


def _records(root: Path) -> tuple[set[str], list[str]]:
    """The names that the last builds are made of, and the records of builds that are gone."""
    names: set[str] = set()
    stale: list[str] = []
    for one in _listed(root / BUILDS):
        build, _, suffix = one.name.partition(".")
        if build and suffix == "json":
            if not (root.parent / build / receipts.NAME).exists():
                stale.append(one.path)
            else:
                names.update(recorded(Path(one.path)))
    return names, stale


def _listed(folder: Path | str) -> list[os.DirEntry[str]]:
    with contextlib.suppress(FileNotFoundError), os.scandir(folder) as found:
        return list(found)
    return []


def _status(one: os.DirEntry[str]) -> os.stat_result | None:
    """Asked of the system once for each. None for what is no file, or has vanished meanwhile."""
    try:
        return one.stat(follow_symlinks=False) if one.is_file(follow_symlinks=False) else None
    except FileNotFoundError:
        return None


def _told(found: _Found, going: list[Entry]) -> Swept:
    removed = sum(one.size for one in going)
    return Swept(
        removed=len(going),
        removed_bytes=removed,
        kept=len(found.entries) - len(going),
        kept_bytes=sum(one.size for one in found.entries) - removed,
        current=sum(one.current for one in going),
        litter=len(found.litter),
    )
