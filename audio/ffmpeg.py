"""The one place where processes start: finding ffmpeg, running it, and ending it.

Every child gets no terminal (`-nostdin`, stdin closed or a file), its stderr drained into a tail that the error shows, and its result on a pipe
that we hold: when we die, however we die, the pipe breaks and ffmpeg ends by itself. `cancel` kills everything that runs at once.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import IO

from audio.errors import AudioError, FfmpegFailed, FfmpegMissing

READ_BYTES = 1 << 18
PIPE_BYTES = 1 << 20
_TAIL_LINES = 40


class Cancelled(AudioError):
    """The run was interrupted; the process was killed."""


_running: set[subprocess.Popen[bytes]] = set()
# Entered again when ^C arrives while the main thread is inside: the handler kills what runs.
_guard = threading.RLock()
_cancelled = threading.Event()


def cancel() -> None:
    """Kill every running child and let no new one start: ^C means now."""
    _cancelled.set()
    with _guard:
        for process in _running:
            with contextlib.suppress(OSError):
                process.kill()


def stop_if_cancelled() -> None:
    """For long work without a process: raises Cancelled once `cancel` was called."""
    if _cancelled.is_set():
        raise Cancelled("interrupted")


@lru_cache(maxsize=1)
def find() -> str:
    """The ffmpeg to use: ``$FFMPEG_BINARY``, else the one on PATH, else the one that `imageio-ffmpeg` carries.

    Raises FfmpegMissing with the remedies when there is none.
    """
    wanted = os.environ.get("FFMPEG_BINARY")
    if wanted:
        found = shutil.which(wanted)
        if not found:
            raise FfmpegMissing(f"$FFMPEG_BINARY is {wanted!r}, which is not a program; name one that is, or unset it")
        return found
    found = shutil.which("ffmpeg")
    if found:
        return found
    try:
        import imageio_ffmpeg
    except ImportError:
        raise FfmpegMissing("no ffmpeg: install it, or name one in $FFMPEG_BINARY, or `pip install 'distributed-systems-podcast[ffmpeg]'`") from None
    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise FfmpegMissing(f"the carried ffmpeg does not run here: {error}") from None


@lru_cache(maxsize=4)
def version(binary: str) -> str:
    """The build in words that tell one from another: its version line and its configuration, digested by callers.

    Raises FfmpegMissing when this is no ffmpeg, or one that cannot make MP3.
    """
    # The full text differs per build: version, compiler, every library's version and every configure flag.
    text = _answer([binary, "-hide_banner", "-version"])
    if not text.startswith("ffmpeg version"):
        raise FfmpegMissing(f"{binary} is no ffmpeg: asked for its version, it does not give one; {_REMEDY}")
    if "Encoder libmp3lame" not in _answer([binary, "-hide_banner", "-h", "encoder=libmp3lame"]):
        raise FfmpegMissing(f"{binary} was built without libmp3lame and cannot make MP3; {_REMEDY}")
    return text


_REMEDY = "name another in $FFMPEG_BINARY, or unset it, or `pip install 'distributed-systems-podcast[ffmpeg]'`"


def _answer(argv: Sequence[str]) -> str:
    try:
        return capture(argv).decode("utf-8", "replace").strip()
    except FfmpegFailed:
        return ""


def version_number(text: str) -> str:
    """``5.1.9-0+deb12u1`` from ``ffmpeg version 5.1.9-0+deb12u1 Copyright ...``."""
    words = text.split()
    return words[2] if len(words) > 2 else "unknown"


def _widen(pipe: IO[bytes]) -> None:
    """A larger pipe, where the system has that: samples pass with a fraction of the switches between the two processes."""
    set_size = getattr(fcntl, "F_SETPIPE_SZ", None)
    if set_size is not None:
        with contextlib.suppress(OSError):
            fcntl.fcntl(pipe, set_size, PIPE_BYTES)


class Process:
    """A running ffmpeg, or another program of ours. Use as a context manager; leaving it early kills the process.

    ``metadata`` is True when the command holds `METADATA_FD`: what it writes there is kept, and `text` gives it after the end.
    ``tail`` is how many lines of stderr are kept; None keeps all of them. ``inherited`` are descriptors that the program has, too.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        stdin: IO[bytes] | None = None,
        metadata: bool = False,
        tail: int | None = _TAIL_LINES,
        inherited: Sequence[int] = (),
    ) -> None:
        if _cancelled.is_set():
            raise Cancelled("interrupted")
        self.argv = list(argv)
        self._tail: deque[str] = deque(maxlen=tail)
        self._text: list[bytes] = []
        self._threads: list[threading.Thread] = []
        read_end = write_end = -1
        if metadata:
            read_end, write_end = os.pipe()
            self.argv = [word.replace(METADATA_FD, str(write_end)) for word in self.argv]
        try:
            self._process = subprocess.Popen(
                self.argv,
                stdin=stdin if stdin is not None else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=(write_end, *inherited) if metadata else inherited,
                # Its own group: the terminal's ^C reaches us alone, and we decide how children end.
                start_new_session=True,
            )
        except OSError as error:
            if metadata:
                os.close(read_end)
            raise FfmpegMissing(f"{self.argv[0]} cannot be started: {error.strerror}") from error
        finally:
            if metadata:
                os.close(write_end)
        _widen(self.stdout)
        with _guard:
            _running.add(self._process)
        if _cancelled.is_set():
            self._process.kill()
        assert self._process.stderr is not None
        self._drain(self._process.stderr, self._tail_line)
        if metadata:
            self._drain(os.fdopen(read_end, "rb"), self._text.append)

    def _tail_line(self, line: bytes) -> None:
        self._tail.append(line.decode("utf-8", "replace").rstrip())

    def _drain(self, stream: IO[bytes], take: Callable[[bytes], None]) -> None:
        def work() -> None:
            with stream:
                for line in stream:
                    take(line)

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        self._threads.append(thread)

    @property
    def stdout(self) -> IO[bytes]:
        assert self._process.stdout is not None
        return self._process.stdout

    @property
    def stderr_lines(self) -> list[str]:
        return [line for line in self._tail if line]

    def blocks(self, size: int = READ_BYTES) -> Iterator[bytes]:
        """What it writes to stdout, as it comes."""
        while block := self.stdout.read(size):
            yield block

    def wait(self) -> int:
        """Wait for the end and give the exit code; everything it said has then been read."""
        code = self._process.wait()
        for thread in self._threads:
            thread.join()
        return code

    def finish(self) -> None:
        """Wait for the end; raises FfmpegFailed when it was not a good one, Cancelled when we were interrupted."""
        code = self.wait()
        if _cancelled.is_set():
            raise Cancelled("interrupted")
        if code:
            raise FfmpegFailed(self.argv, code, "\n".join(self.stderr_lines))

    def text(self) -> bytes:
        """Everything written to the metadata pipe; whole only after `finish`."""
        return b"".join(self._text)

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self.stdout.close()
        self.wait()
        with _guard:
            _running.discard(self._process)


METADATA_FD = "METADATA-FD"
"""Stands in a filter's ``file=pipe:`` option for a descriptor whose number is only known at the start."""


def capture(argv: Sequence[str], *, stdin: IO[bytes] | None = None) -> bytes:
    """Run to the end and give all of stdout. Raises FfmpegFailed."""
    with Process(argv, stdin=stdin) as process:
        out = b"".join(process.blocks())
        process.finish()
        return out


def complaints(argv: Sequence[str]) -> str:
    """Run to the end and give all of stderr, whatever the exit code: ``ffmpeg -i FILE`` describes a file this way."""
    # Not only its tail: a file's length stands before its chapters, and those may be many.
    with Process(argv, tail=None) as process:
        for _ in process.blocks():
            pass
        process.wait()
        if _cancelled.is_set():
            raise Cancelled("interrupted")
        return "\n".join(process.stderr_lines)


def spooled(data: bytes, folder: Path) -> IO[bytes]:
    """``data`` as a file for stdin, in a temporary without a name: nothing is left of it however we end. The caller closes it."""
    file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  handed on open
    file.write(data)
    file.seek(0)
    return file


def url(path: Path) -> str:
    """A path as ffmpeg takes it without mistaking a colon for a protocol."""
    return f"file:{path}"


def through(argv: Sequence[str], blocks: Iterable[bytes | memoryview], take: Callable[[bytes], None]) -> int:
    """Run to the end on ``blocks``, handed in as they come; ``take`` gets what comes out, in a thread of its own. Gives how many bytes went in.

    Raises FfmpegFailed, Cancelled, and whatever ``blocks`` or ``take`` raise; the process is then killed.
    """
    read_end, write_end = os.pipe()
    try:
        with os.fdopen(read_end, "rb") as stdin:
            _widen(stdin)
            process = Process(argv, stdin=stdin)
    except BaseException:
        os.close(write_end)
        raise
    with process:
        failed: list[BaseException] = []

        def drain() -> None:
            try:
                for block in process.blocks():
                    take(block)
            except BaseException as error:
                failed.append(error)
                process._process.kill()

        thread = threading.Thread(target=drain, daemon=True)
        thread.start()
        try:
            taken = _hand_in(write_end, blocks)
        except BaseException:
            process._process.kill()
            raise
        finally:
            os.close(write_end)
            thread.join()
        if failed:
            raise failed[0]
        process.finish()
        if taken is None:
            raise FfmpegFailed(argv, 0, "it ended before it had heard everything")
        return taken


def _hand_in(descriptor: int, blocks: Iterable[bytes | memoryview]) -> int | None:
    """Write all of it; None when nobody was left to read."""
    taken = 0
    for block in blocks:
        rest = memoryview(block)
        while rest:
            try:
                written = os.write(descriptor, rest)
            except BrokenPipeError:
                return None
            taken += written
            rest = rest[written:]
    return taken
