"""The one place of this package where programs start: rsync, ssh and the shell, without a terminal to ask anybody on.

Every program runs in a session of its own and ends with whoever waits for it; of its answer and of its complaints no more is kept than was asked for.
`cancel` ends them at once.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import IO

from feeds.errors import ProgramMissing, TargetUnreachable

MOST_BYTES = 32 << 20
_TAIL_BYTES = 8192
_READ_BYTES = 1 << 16

_running: dict[subprocess.Popen[bytes], object] = {}
_guard = threading.RLock()


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended: its exit code, what it wrote, and the end of what it complained of."""

    code: int
    out: bytes
    complaint: str


def cancel(owner: object = None) -> None:
    """End every program that runs, or those that were started for ``owner``."""
    with _guard:
        for process, its in _running.items():
            if owner is None or its is owner:
                _kill(process)


def find(name: str, hint: str) -> str:
    """The path of a program. Raises ProgramMissing."""
    found = shutil.which(name)
    if found is None:
        raise ProgramMissing(f"{name} is not installed", hint)
    return found


def run(
    argv: Sequence[str], *, data: bytes = b"", heard: Callable[[bytes], None] = lambda _: None, most: int = MOST_BYTES, owner: object = None
) -> Ended:
    """Run a program on ``data`` to its end. ``heard`` is given what it writes, as it comes. Raises ProgramMissing, TargetUnreachable."""
    with tempfile.TemporaryFile() as stdin:
        stdin.write(data)
        stdin.seek(0)
        process = _started(argv, stdin, owner)
        assert process.stdout is not None
        assert process.stderr is not None
        complaints = bytearray()
        listener = threading.Thread(target=_listen, args=(process.stderr, complaints), daemon=True)
        listener.start()
        out = bytearray()
        try:
            with process.stdout:
                # Not through the buffer, which waits until it is full.
                while block := os.read(process.stdout.fileno(), _READ_BYTES):
                    heard(block)
                    out += block
                    if len(out) > most:
                        raise TargetUnreachable(f"{argv[0]} answers without an end")
            code = process.wait()
        finally:
            _kill(process)
            process.wait()
            with _guard:
                _running.pop(process, None)
        # Whatever it started may hold the pipe for longer.
        listener.join(timeout=5)
        return Ended(code, bytes(out), complaints.decode("utf-8", "replace").strip())


def _started(argv: Sequence[str], stdin: IO[bytes], owner: object) -> subprocess.Popen[bytes]:
    # In the words that programs use in any country, so that what they say can be told apart.
    environment = {**os.environ, "LC_ALL": "C"}
    try:
        process = subprocess.Popen(
            argv, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0, start_new_session=True, env=environment
        )
    except OSError as error:
        raise ProgramMissing(f"{argv[0]} cannot be started: {error.strerror}") from error
    with _guard:
        _running[process] = owner
    return process


def _listen(stream: IO[bytes], kept: bytearray) -> None:
    """Keep the end of what a program complains of."""
    with stream, contextlib.suppress(OSError):
        while block := os.read(stream.fileno(), _READ_BYTES):
            kept += block
            del kept[:-_TAIL_BYTES]


def _kill(process: subprocess.Popen[bytes]) -> None:
    """With what it started in its turn: rsync starts ssh."""
    if process.poll() is None:
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
