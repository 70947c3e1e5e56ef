"""Facts about the inputs, found once: digest, container, length, loudness. Cached by what the file is, not by what it is called."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from audio import ffmpeg, graph, measure, sources
from audio.errors import SourceUnreadable
from audio.leveling import Level
from audio.measure import Cut, Measured
from audio.source import Source
from production.inputs import Input
from production.store import Store, digest, write

_BLOCK = 1 << 20
_RECIPE = 2
"""Raised when a measurement would come out otherwise for a reason that its command line does not show."""


@dataclass(frozen=True, slots=True)
class Fact:
    """An input and what is known of it. ``digest`` is that of the file's bytes."""

    input: Input
    digest: str
    source: Source
    measured: Measured


class Seen:
    """Digests of files that have not changed since: same path, size, times and inode. Also remembers the encoder's build."""

    def __init__(self, store: Store) -> None:
        self._path = store.root / "seen.json"
        self._guard = threading.Lock()
        try:
            self._known: dict[str, list[object]] = json.loads(self._path.read_text())
        except (OSError, ValueError):
            self._known = {}
        self._fresh = False

    def of(self, path: Path, kind: str, make: Callable[[Path], str]) -> str:
        """``make(path)``, or what it gave when the file last looked like this."""
        status = path.stat()
        stamp: list[object] = [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]
        name = f"{kind}:{path.resolve()}"
        with self._guard:
            known = self._known.get(name)
        if known and known[:-1] == stamp:
            return str(known[-1])
        value = make(path)
        with self._guard:
            self._known[name] = [*stamp, value]
            self._fresh = True
        return value

    def save(self) -> None:
        if self._fresh:
            write(self._path, json.dumps(self._known, sort_keys=True, indent=0).encode())


def encoder_build(seen: Seen) -> str:
    """The full build text of the ffmpeg in use, without starting it when it has not changed."""
    binary = Path(os.path.realpath(ffmpeg.find()))
    return seen.of(binary, "build", lambda path: ffmpeg.version(str(path)))


def _digest_file(path: Path) -> str:
    total = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            ffmpeg.stop_if_cancelled()
            total.update(block)
    return total.hexdigest()


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An input that cannot be used, and why: kept, so that all of them are reported at once."""

    input: Input
    error: SourceUnreadable


Progress = Callable[[Input, float, float | None], None]


def survey(
    inputs: Sequence[Input],
    store: Store,
    seen: Seen,
    channels: int,
    level: Callable[[Input], Level],
    build: str,
    jobs: int,
    progress: Progress = lambda _input, _seconds, _of: None,
) -> tuple[tuple[Fact, ...], tuple[Unreadable, ...]]:
    """Facts about every input, in order, and those that have none because they cannot be read. ``progress`` is told seconds measured, of how many."""
    with ThreadPoolExecutor(jobs) as pool:
        first: dict[tuple[Path, Cut, Level], Input] = {}
        for one in inputs:
            first.setdefault((one.path, one.cut, level(one)), one)
        futures = {key: pool.submit(_fact, one, store, seen, channels, key[-1], build, progress) for key, one in first.items()}
        facts: list[Fact] = []
        unreadable: list[Unreadable] = []
        for one in inputs:
            found = futures[one.path, one.cut, level(one)].result()
            if isinstance(found, SourceUnreadable):
                unreadable.append(Unreadable(one, found))
            else:
                facts.append(replace(found, input=one))
    seen.save()
    return tuple(facts), tuple(unreadable)


def _fact(one: Input, store: Store, seen: Seen, channels: int, level: Level, build: str, progress: Progress) -> Fact | SourceUnreadable:
    try:
        if one.path.exists() and not one.path.is_file():
            # A pipe would be waited for, and nothing would ever come.
            return SourceUnreadable(one.path, "a folder, or something else that is no file, has this name", "put the recording in its place")
        try:
            content = seen.of(one.path, "file", _digest_file)
        except OSError as error:
            return SourceUnreadable(one.path, error.strerror or str(error), "make it a readable file")
        source = _probed(one.path, content, store, build)
        # The command says how it is decoded, the path says nothing.
        argv = graph.measure("", replace(source, path=Path()), channels, one.cut.start, one.cut.end)
        key = digest("measure", content, build, argv, asdict(one.cut), asdict(level), measure.EDGE_SECONDS, _RECIPE)
        kept = store.value(key)
        if kept is None:
            found = measure.measure(source, channels, one.cut, level, lambda done: progress(one, done, source.declared))
            store.put_value(key, asdict(found))
        else:
            found = Measured(**kept)
        return Fact(one, content, source, found)
    except SourceUnreadable as error:
        return error


def _probed(path: Path, content: str, store: Store, build: str) -> Source:
    key = digest("probe", 2, content, build)
    kept = store.value(key)
    if kept is None:
        source = sources.probe(path)
        store.put_value(key, {**asdict(source), "path": ""})
        return source
    return Source(**{**kept, "path": path})
