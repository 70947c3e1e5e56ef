"""The chunks that the store lacks: rendered and encoded on all cores, each into its own entry."""

from __future__ import annotations

import tempfile
import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from typing import IO

from audio import encode, ffmpeg, render
from audio.errors import SourceUnreadable
from audio.pcm import Pool
from audio.runs import CHUNK, Chunk
from production.errors import StepFailed
from production.plan import Plan
from production.store import Store
from production.watch import Watch


def encode_chunks(planned: Plan, wanted: Sequence[Chunk], store: Store, pool: Pool, jobs: int, watch: Watch) -> None:
    """Put the frames of every chunk into the store. A chunk's bytes depend on its input alone: neither order nor ``jobs`` changes them.

    Decoded recordings leave ``pool`` with the last chunk that sounds them. Raises StepFailed, FfmpegFailed, StoreError, Cancelled.
    """
    _Crew(planned, wanted, store, pool, watch).work(jobs)


class _Crew:
    def __init__(self, planned: Plan, wanted: Sequence[Chunk], store: Store, pool: Pool, watch: Watch) -> None:
        self.planned, self.store, self.pool, self.watch = planned, store, pool, watch
        # Short ones last: the fewer seconds a core has to wait for the other at the end.
        self.wanted = sorted(wanted, key=lambda chunk: planned.runs[chunk.run].frames < CHUNK // 2)
        self.guard = threading.Lock()
        self.readers = Counter(samples for chunk in wanted for samples in self._needs(chunk))
        self.failed = threading.Event()
        self.own, self.held = threading.local(), ExitStack()

    def work(self, jobs: int) -> None:
        for samples in {fact.samples for fact in self.planned.facts} - set(self.readers):
            self.pool.drop(samples)
        with self.held, ThreadPoolExecutor(jobs) as threads:
            tasks = [threads.submit(self._one, chunk) for chunk in self.wanted]
        self._tell(tasks)

    def _scratch(self) -> IO[bytes]:
        """A file without a name for what this thread renders, the same for all of its chunks: a new one takes twice as long to be written."""
        file: IO[bytes] | None = getattr(self.own, "file", None)
        if file is None:
            file = self.own.file = tempfile.TemporaryFile(dir=self.store.scratch)  # noqa: SIM115  closed with the others
            with self.guard:
                self.held.enter_context(file)
        return file

    def _needs(self, chunk: Chunk) -> set[str]:
        """The decoded recordings that are heard in a chunk."""
        return {samples for name in chunk.heard(self.planned.runs[chunk.run]) for samples in self.planned.materials[name].takes}

    def _one(self, chunk: Chunk) -> None:
        planned, run = self.planned, self.planned.runs[chunk.run]
        try:
            if self.failed.is_set():
                raise ffmpeg.Cancelled("another chunk failed")
            file = self._scratch()
            file.seek(0)
            render.fill(file, chunk, run, planned.materials, self.pool.get, planned.fmt.channels, planned.make_up)
            file.truncate()
            file.seek(0)
            frames = encode.encode(file, chunk, run, planned.fmt)
            self.store.put(planned.keys[chunk], frames)
            self.watch.encoded(planned, chunk)
        except BaseException:
            self.failed.set()
            raise
        finally:
            self._release(chunk)

    def _release(self, chunk: Chunk) -> None:
        needs = self._needs(chunk)
        with self.guard:
            self.readers.subtract(needs)
            done = [samples for samples in needs if not self.readers[samples]]
        for samples in done:
            self.pool.drop(samples)

    def _tell(self, tasks: Iterable[Future[None]]) -> None:
        """The first real failure is raised, those that only followed from it are not."""
        errors = [error for task in tasks if (error := task.exception())]
        for first in [*(e for e in errors if not isinstance(e, ffmpeg.Cancelled)), *errors][:1]:
            if isinstance(first, SourceUnreadable):
                raise StepFailed(f"{self.planned.episode.id}: render", str(first), hint=first.hint) from first
            raise first
