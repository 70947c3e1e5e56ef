"""What was made is kept by what it was made from: a content-addressed store, and files that are whole or not there.

An entry's name is the digest of everything that determines its content. It is written to a temporary, synced and renamed; it begins with a
checksum that is compared when it is read, so a damaged entry is a miss, not a fault in an episode.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from production.errors import StoreError

_MAGIC = b"dsp1"
_SUM_BYTES = 16


def digest(*parts: object) -> str:
    """The key of a value made of plain data: same data, same key, on every machine."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.blake2b(text.encode(), digest_size=20).hexdigest()


def digest_bytes(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=20).hexdigest()


@contextlib.contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn what a disk can say into a StoreError with the next thing to do."""
    try:
        yield
    except OSError as error:
        # A renamed file has two names; the second is the one that people know.
        where = error.filename2 or error.filename or path
        hints = {
            errno.ENOSPC: "free some room and run again: what was finished is kept",
            errno.EDQUOT: "free some room and run again: what was finished is kept",
            errno.EFBIG: "raise the limit for the size of files (ulimit -f), or build where there is none",
            errno.EROFS: "make the file system writable, or use another folder with -C",
            errno.ENOTDIR: "something that is no folder is in its place: move it away",
            errno.EEXIST: "something that is no folder is in its place: move it away",
            errno.EISDIR: "a folder is in the place of a file: move it away",
            errno.EACCES: "make the folder writable, or use another with -C",
            errno.EPERM: "make the folder writable, or use another with -C",
        }
        raise StoreError(f"{where}: {error.strerror or error}", hints.get(error.errno or 0, "")) from error


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file that takes ``path``'s place when the block ends well: synced, then renamed. Otherwise nothing is left of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        os.close(descriptor)
        with open(name, "wb") as file:
            yield file
            synced(file)
        os.chmod(name, 0o666 & ~_UMASK)
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


def synced(file: IO[bytes]) -> None:
    """Everything written so far is on the disk, or raises."""
    file.flush()
    os.fsync(file.fileno())


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


# It can only be read by setting it, for the whole process: once, before there are threads.
_UMASK = _umask()


def holds(path: Path, data: bytes) -> bool:
    """Whether the file is there and is these bytes."""
    try:
        return path.stat().st_size == len(data) and path.read_bytes() == data
    except OSError:
        return False


def write(path: Path, data: bytes) -> bool:
    """Put ``data`` at ``path`` unless it is there already; whether anything was written."""
    if holds(path, data):
        return False
    with replacing(path) as file:
        file.write(data)
    return True


class Store:
    """The store of one project, in a folder of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.scratch = root / "tmp"
        self._sound: set[Path] = set()
        with disk_errors(root):
            self.scratch.mkdir(parents=True, exist_ok=True)
        self._clean_temporaries()

    def _clean_temporaries(self) -> None:
        # What a killed run left half-written. Younger ones may belong to a run that is alive.
        import time

        horizon = time.time() - 24 * 3600
        for left in self.root.glob("**/.*.part"):
            with contextlib.suppress(OSError):
                if left.stat().st_mtime < horizon:
                    left.unlink()

    def _path(self, key: str) -> Path:
        return self.root / "entries" / key[:2] / key

    def has(self, key: str) -> bool:
        return self._path(key).is_file()

    def get(self, key: str) -> bytes | None:
        """An entry's content, or None when it is missing or damaged."""
        try:
            data = self._path(key).read_bytes()
        except OSError:
            return None
        head, body = data[: len(_MAGIC) + _SUM_BYTES], data[len(_MAGIC) + _SUM_BYTES :]
        if head != _MAGIC + _checksum(body):
            with contextlib.suppress(OSError):
                self._path(key).unlink()
            return None
        return body

    def put(self, key: str, body: bytes) -> None:
        with disk_errors(self.root), replacing(self._path(key)) as file:
            file.write(_MAGIC + _checksum(body))
            file.write(body)

    def value(self, key: str) -> Any:
        """A JSON entry, or None."""
        body = self.get(key)
        return None if body is None else json.loads(body)

    def put_value(self, key: str, value: Any) -> None:
        self.put(key, json.dumps(value, separators=(",", ":"), allow_nan=True).encode())

    def file(self, key: str, suffix: str, make: Callable[[Path], None]) -> Path:
        """A file that other programs read (generated audio), made once by ``make(path)``; kept by its key, and made again when it is damaged."""
        path = self.root / "files" / key[:2] / f"{key}{suffix}"
        if path not in self._sound and not self._is_sound(key, path):
            with disk_errors(self.root):
                path.parent.mkdir(parents=True, exist_ok=True)
                part = path.with_name(f".{path.name}.{os.getpid()}.part")
                make(part)
                self.put_value(digest("file", key), digest_bytes(part.read_bytes()))
                with part.open("rb") as file:
                    os.fsync(file.fileno())
                os.replace(part, path)
        self._sound.add(path)
        return path

    def _is_sound(self, key: str, path: Path) -> bool:
        try:
            return bool(self.value(digest("file", key)) == digest_bytes(path.read_bytes()))
        except OSError:
            return False


def _checksum(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=_SUM_BYTES).digest()


@contextlib.contextmanager
def locked(path: Path, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Only one `produce` works on an episode at a time; a second one waits. The lock goes with the process, however it ends."""
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("ab")
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            waiting()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
