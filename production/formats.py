"""The files beside the MP3: the same samples, the same chapters. Their sound is encoded once for each sound, and finished anew with each title."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from audio import further
from audio.further import SUFFIXES, Kind
from audio.pcm import Pool
from audio.tagsheet import TagSheet
from audio.units import Samples
from production import rendering
from production.errors import StepFailed
from production.model import Episode
from production.plan import Plan
from production.store import Store, digest, replacing

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

_WAITING = 4
"""Blocks (of a second or two) that wait for an encoder, at most."""


def wanted(episode: Episode) -> dict[Kind, int]:
    """The formats that an episode asks for, with their kb/s."""
    asked = episode.settings.formats
    both: dict[Kind, int] = {"m4a": asked.m4a, "opus": asked.opus}
    return {kind: rate for kind, rate in both.items() if rate}


def write(planned: Plan, sheet: TagSheet, store: Store, pool: Pool, folder: Path, together: ExitStack) -> dict[str, Path]:
    """Write the files next to their places, to be renamed when ``together`` ends; gives where each is by its name. Raises StepFailed, AudioError."""
    asked = wanted(planned.episode)
    sounds = _sounds(planned, asked, store, pool)
    written: dict[str, Path] = {}
    for kind, sound in sounds.items():
        name = f"{planned.episode.id}{SUFFIXES[kind]}"
        file = together.enter_context(replacing(folder / name))
        further.finish(kind, sound, file, sheet)
        file.flush()
        part = Path(file.name)
        if further.read_back(kind, part) != further.expected(kind, sheet):
            raise StepFailed(f"{planned.episode.id}: {name}", "what was written reads back differently", hint="this is a bug: please report it")
        written[name] = part
    return written


def _sounds(planned: Plan, asked: dict[Kind, int], store: Store, pool: Pool) -> dict[Kind, Path]:
    """The encoded programme in each format: from the store, or all that are missing in one pass over the samples."""
    keys = {kind: _key(planned, kind, rate) for kind, rate in asked.items()}
    found = {kind: path for kind, key in keys.items() if (path := store.kept(key, SUFFIXES[kind]))}
    missing = {kind: rate for kind, rate in asked.items() if kind not in found}
    if missing:
        for kind in missing:
            further.check(kind)
        channels = planned.fmt.channels
        with ExitStack() as together:
            parts = {kind: together.enter_context(store.making(keys[kind], SUFFIXES[kind])) for kind in missing}
            encoders: list[Callable[[Iterator[Floats]], None]] = [
                lambda blocks, kind=kind, rate=rate: further.encode(kind, blocks, channels, rate, parts[kind])  # type: ignore[misc]
                for kind, rate in missing.items()
            ]
            _to_all(rendering.sounds(planned, pool, Samples(0), planned.programme.length), encoders)
        found |= {kind: path for kind in missing if (path := store.kept(keys[kind], SUFFIXES[kind]))}
    return {kind: found[kind] for kind in asked}


def _key(planned: Plan, kind: Kind, rate: int) -> str:
    placed = [(planned.contents[one.segment.name], one.start) for one in planned.programme.placed]
    return digest("further", further.SOUND_RECIPE, kind, rate, planned.fmt.channels, placed, planned.programme.length, planned.build)


def asked_of(episode: Episode) -> object:
    """What the fingerprint of a build holds of them."""
    return [further.RECIPE, further.SOUND_RECIPE, asdict(episode.settings.formats)] if wanted(episode) else []


def _until_none(line: queue.Queue[Floats | None]) -> Iterator[Floats]:
    while (block := line.get()) is not None:
        yield block


def _to_all(blocks: Iterator[Floats], consumers: list[Callable[[Iterator[Floats]], None]]) -> None:
    """Hand every block to every consumer, each in a thread of its own. Raises what the first of them raises."""
    lines: list[queue.Queue[Floats | None]] = [queue.Queue(_WAITING) for _ in consumers]
    errors: list[BaseException] = []

    def work(consume: Callable[[Iterator[Floats]], None], line: queue.Queue[Floats | None]) -> None:
        blocks = _until_none(line)
        try:
            consume(blocks)
        except BaseException as error:
            errors.append(error)
        # Whoever fills the line must not wait for ever.
        for _ in blocks:
            pass

    threads = [threading.Thread(target=work, args=pair, daemon=True) for pair in zip(consumers, lines, strict=True)]
    for thread in threads:
        thread.start()
    try:
        for block in blocks:
            for line in lines:
                line.put(block)
            if errors:
                break
    finally:
        for line in lines:
            line.put(None)
        for thread in threads:
            thread.join()
    if errors:
        raise errors[0]
