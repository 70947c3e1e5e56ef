"""A folder of this machine as a target: of a web server that runs here, or of a disk that is mounted.

The lock is the operating system's (flock) and goes with the process, however it ends. Everything is synced before it is renamed, the folder after.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from feeds.errors import FeedOvertaken, PathRefused, PublishError, TargetRefused, TargetUnreachable
from feeds.patience import Moved
from feeds.targets.base import BLOCK, LOCK, MOST_BYTES, MOST_NAMES, Found, Outgoing, Text, aside, digest_from, mark_of, whole

_SAID_NO = {
    errno.ENOSPC: "free some room there and run again: what was sent is kept",
    errno.EDQUOT: "free some room there and run again: what was sent is kept",
    errno.EFBIG: "raise the limit for the size of files (ulimit -f)",
    errno.EROFS: "make the file system writable",
    errno.EACCES: "make the folder writable",
    errno.EPERM: "make the folder writable",
    errno.ENOTDIR: "something that is no folder is in its place: move it away",
    errno.EISDIR: "a folder is in the place of a file: move it away",
    errno.EEXIST: "something that is no folder is in its place: move it away",
    errno.ELOOP: "a symbolic link is in the place of a folder: remove it",
}


@contextlib.contextmanager
def _disk_errors(path: Path) -> Iterator[None]:
    """What a disk says, as what can be done about it: a full one will be full again, a mounted one may come back."""
    try:
        yield
    except OSError as error:
        message = f"{error.filename2 or error.filename or path}: {error.strerror or error}"
        if error.errno in _SAID_NO:
            raise TargetRefused(message, _SAID_NO[error.errno]) from error
        raise TargetUnreachable(message) from error


class Folder:
    """A folder; it is made when the first file is sent."""

    lock: str = LOCK

    def __init__(self, root: Path, public_url: str | None = None) -> None:
        self.root = root.absolute()
        self.where = str(root)
        self.public_url = public_url
        self.caveats: list[str] = []
        self._lock: IO[bytes] | None = None

    def _place(self, path: str, *, make: bool = False) -> Path:
        """Where a path is. Raises PathRefused when a symbolic link leads out of the folder."""
        place = self.root / path
        root = self.root.resolve()
        if make and place.parent.resolve().is_relative_to(root):
            place.parent.mkdir(parents=True, exist_ok=True)
        if not place.parent.resolve().is_relative_to(root):
            raise PathRefused(f"{path} leads out of {self.root}: a symbolic link is on the way")
        return place

    def look(self, paths: Sequence[str], moved: Moved) -> dict[str, Found]:
        found = {}
        with _disk_errors(self.root):
            for path in paths:
                moved(0)
                with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                    said = self._place(path).lstat()
                    if stat.S_ISREG(said.st_mode):
                        found[path] = Found(said.st_size)
        return found

    def send(self, file: Outgoing, moved: Moved) -> None:
        with _disk_errors(self.root), file.local.open("rb") as source:
            part = self._place(aside(file.path), make=True)
            with _opened(part) as sink:
                begun = sink.seek(0, os.SEEK_END)
                if begun > file.length:
                    begun = sink.seek(0)
                    sink.truncate()
                source.seek(begun)
                moved(begun)
                while block := source.read(BLOCK):
                    sink.write(block)
                    begun += len(block)
                    moved(begun)
                sink.flush()
                os.fsync(sink.fileno())

    def proof(self, file: Outgoing, moved: Moved) -> Found:
        with _disk_errors(self.root), self._place(aside(file.path)).open("rb") as part:
            return digest_from(part, moved, file.length)

    def land(self, file: Outgoing) -> None:
        with _disk_errors(self.root):
            place = self._place(file.path, make=True)
            os.replace(self._place(aside(file.path)), place)
            _sync(place.parent)

    def drop(self, file: Outgoing) -> None:
        self.remove(aside(file.path))

    def read(self, path: str) -> Text | None:
        with _disk_errors(self.root):
            try:
                with self._place(path).open("rb") as file:
                    return Text(whole(path, file.read(MOST_BYTES + 1)))
            except (FileNotFoundError, NotADirectoryError):
                return None

    def replace(self, path: str, data: bytes, media_type: str, was: Text | None) -> None:
        del media_type
        with _disk_errors(self.root):
            place = self._place(path, make=True)
            fresh = self._place(aside(path, mark_of(data)))
            try:
                with _opened(fresh) as file:
                    file.truncate()
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                there = self.read(path)
                if there is not None and (was is None or there.data != was.data):
                    raise FeedOvertaken(path)
                os.replace(fresh, place)
            except BaseException:
                with contextlib.suppress(OSError):
                    fresh.unlink()
                raise
            _sync(place.parent)

    def names(self, folder: str) -> list[str]:
        with _disk_errors(self.root):
            try:
                with os.scandir(self._place(f"{folder}/x").parent) as entries:
                    listed = [entry.name for entry, _ in zip(entries, range(MOST_NAMES), strict=False) if entry.is_file(follow_symlinks=False)]
            except (FileNotFoundError, NotADirectoryError):
                return []
        return sorted(listed)

    def remove(self, path: str) -> None:
        with _disk_errors(self.root), contextlib.suppress(FileNotFoundError):
            self._place(path).unlink()

    # -- alone ---------------------------------------------------------------------------------------------------------------------

    def take(self, mine: bytes) -> bytes | None:
        if self._lock is not None:
            return None
        with _disk_errors(self.root):
            file = _opened(self._place(LOCK, make=True))
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                with file:
                    return file.read(MOST_BYTES)
            except BaseException:
                file.close()
                raise
            self._lock = file
            file.truncate()
            file.write(mine)
            file.flush()
            return None

    def take_over(self, mine: bytes, theirs: bytes) -> bytes | None:
        del theirs
        return self.take(mine)

    def held(self, mine: bytes) -> bool:
        """Ours until we let it go, unless somebody removed the file and another one is in its place."""
        there = self.read(LOCK)
        return self._lock is not None and there is not None and there.data == mine

    def release(self, mine: bytes) -> None:
        del mine
        file, self._lock = self._lock, None
        if file is not None:
            with file, _disk_errors(self.root):
                file.seek(0)
                file.truncate()

    def close(self) -> None:
        file, self._lock = self._lock, None
        if file is not None:
            file.close()


def _opened(path: Path) -> IO[bytes]:
    """A file to read and to write that is made when it is not there, and is no symbolic link. Raises OSError."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise PublishError(f"{path} is no file")
        return os.fdopen(descriptor, "r+b")
    except BaseException:
        os.close(descriptor)
        raise


def _sync(folder: Path) -> None:
    """What was renamed in a folder stays renamed when the power goes."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        # Not every file system has this for folders.
        with contextlib.suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
