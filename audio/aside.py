"""Work in a Python process of its own, on what another program writes.

Python does one thing at a time however many threads it has, and hearing sound is thousands of small things a second: two stretches that are heard in
one process take nearly as long as one after the other. So what ffmpeg decodes goes straight into another Python, which answers on its stdout.
Its pipes are ours: when we die, however we die, it ends with its next answer, and ffmpeg with it.
"""

from __future__ import annotations

import base64
import importlib
import os
import pickle
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, Concatenate, ParamSpec, TypeVar

from audio import ffmpeg, memory
from audio.errors import FfmpegFailed

LONG_SECONDS, LONGEST_SECONDS = 120.0, 1800.0
"""Sound of these lengths may be heard by a process of its own. That takes a fifth of a second to start, and with longer sound too much memory: what
is known of it is kept by both, and together they are to stay under 250 MB.
"""
_BEGIN = "import sys; sys.path.insert(0, sys.argv.pop(1)); from audio import aside; aside.serve(*sys.argv[1:])"
"""What the other Python is told: the same code as ours, wherever that lies."""
_SAID, _FAILED, _DONE = "said", "failed", "done"

P = ParamSpec("P")
T = TypeVar("T")


def worth(seconds: float | None) -> bool:
    """Whether so much sound (None: unknown) is to be heard by another process, where that is free to be chosen."""
    # Where Python does not know its own program, there is no other one.
    return bool(sys.executable) and seconds is not None and LONG_SECONDS <= seconds <= LONGEST_SECONDS


def work(
    function: Callable[Concatenate[IO[bytes], P], Iterator[T]], decoder: ffmpeg.Process, inherited: Sequence[int], *words: P.args, **none: P.kwargs
) -> Iterator[T]:
    """What ``function`` yields in a process of its own, as it comes: a function of a module, given what ``decoder`` writes, and ``words``.

    The process has the open files ``inherited``, under the same numbers. Raises OSError as it is raised there, RuntimeError with the traceback of
    anything else, FfmpegFailed when somebody killed the process, Cancelled.
    """
    assert not none
    said = base64.b64encode(pickle.dumps(words)).decode()
    argv = [sys.executable, "-c", _BEGIN, str(Path(__file__).resolve().parent.parent), function.__module__, function.__name__, said]
    with ffmpeg.Process(argv, stdin=decoder.stdout, inherited=inherited) as process:
        # Else ffmpeg would not notice that nobody listens any more.
        decoder.stdout.close()
        try:
            for kind, value in _answers(process.stdout):
                if kind == _FAILED:
                    raise value
                if kind == _SAID:
                    yield value
            process.finish()
        except EOFError:
            try:
                process.finish()
            except FfmpegFailed as error:
                if error.returncode < 0:
                    raise
                raise RuntimeError(f"{function.__name__} failed in a process of its own:\n{error.stderr_tail}") from None
            raise RuntimeError(f"{function.__name__} ended without an answer in a process of its own") from None


def _answers(stream: IO[bytes]) -> Iterator[tuple[str, Any]]:
    """Until the last one. Raises EOFError when that does not come."""
    kind = ""
    while kind != _DONE:
        try:
            # Our own code wrote it, a moment ago.
            kind, value = pickle.load(stream)
        except pickle.UnpicklingError:
            raise EOFError from None
        yield kind, value


def serve(module: str, function: str, said: str) -> None:
    """The other process."""
    memory.give_back()
    memory.one_thread_each()
    with os.fdopen(0, "rb", closefd=False) as incoming, os.fdopen(1, "wb", closefd=False) as outgoing:

        def answer(kind: str, value: object = None) -> None:
            pickle.dump((kind, value), outgoing, pickle.HIGHEST_PROTOCOL)
            outgoing.flush()

        try:
            for value in getattr(importlib.import_module(module), function)(incoming, *pickle.loads(base64.b64decode(said))):
                answer(_SAID, value)
            answer(_DONE)
        except BrokenPipeError:
            # Nobody waits for an answer any more.
            os._exit(1)
        except OSError as error:
            answer(_FAILED, OSError(error.errno, error.strerror))
