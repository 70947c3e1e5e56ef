"""What was made is kept by what it was made from: a content-addressed store, and files that are whole or not there.

An entry's name is the digest of everything that determines its content. It is written to a temporary, synced and renamed; it begins with a
checksum that is compared when it is read, so a damaged entry is a miss, not a fault in an episode.

    entries/xx/KEY           what was made
    files/xx/KEY.suffix      generated audio, whose checksum is an entry
    builds/NAME.json         the names of everything that the last finished build of an episode is made of
    locks/                   store.lock is held by all who build, and alone by who removes entries
    tmp/                     for whoever needs room for a while
    *.json                   what others remember of recordings and configs

An entry's time of change is when it was last used, give or take an hour. `gc` decides by that, and by ``builds/``, what is kept.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from production.errors import StoreError

FOLDER = Path("build", ".store")
"""Where the store of a project is, from the project's root."""
ENTRIES, FILES, BUILDS, LOCK = "entries", "files", "builds", Path("locks", "store.lock")

_MAGIC = b"dsp2"
_SUM_BYTES = 16
_USED_ANEW_SECONDS = 3600
_NO_ROOM = "free some room and run again: what was finished is kept (produce gc --limit SIZE frees what is only kept for later)"


def digest(*parts: object) -> str:
    """The key of a value made of plain data: same data, same key, on every machine."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.blake2b(text.encode(), digest_size=20).hexdigest()


def digest_bytes(data: bytes) -> str:
    # Processors have instructions for this one: twice as quick as blake2b on data that is long.
    return hashlib.sha256(data).hexdigest()[:40]


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file. Raises OSError."""
    with path.open("rb", buffering=0) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sum_key(key: str) -> str:
    """The entry that holds the checksum of the generated file of this key."""
    return digest("file", key)


@contextlib.contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn what a disk can say into a StoreError with the next thing to do."""
    try:
        yield
    except OSError as error:
        # A renamed file has two names; the second is the one that people know.
        where = error.filename2 or error.filename or path
        hints = {
            errno.ENOSPC: _NO_ROOM,
            errno.EDQUOT: _NO_ROOM,
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


def create(path: Path, data: bytes) -> bool:
    """Put ``data`` at ``path``, whole and synced, where nothing is yet; whether it was put there. What is there stays as it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            synced(file)
        os.chmod(name, 0o666 & ~_UMASK)
        try:
            # Of all who would put something here at this moment, one can: a new name takes nothing's place, as renaming does.
            os.link(name, path)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            return _create_there(path, data)
        return True
    except FileExistsError:
        return False
    finally:
        with contextlib.suppress(OSError):
            os.unlink(name)


_NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK})
"""What file systems say where a file has one name only (FAT)."""


def _create_there(path: Path, data: bytes) -> bool:
    with path.open("xb") as file:
        try:
            file.write(data)
            synced(file)
        except BaseException:
            with contextlib.suppress(OSError):
                path.unlink()
            raise
    return True


class Store:
    """The store of one project, in a folder of its own. Many threads and processes may use it at once.

    ``grown`` says whether anything was put: only then need anybody look at how large it is. ``used`` holds the names of whatever was put,
    found or only looked for.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.scratch = root / "tmp"
        self.grown = False
        self._sound: set[Path] = set()
        self.used: set[str] = set()
        self._since: set[str] = set()
        with disk_errors(root):
            self.scratch.mkdir(parents=True, exist_ok=True)

    @contextlib.contextmanager
    def using(self, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
        """Nothing is removed meanwhile: every build holds this, any number of them at once. Waits while entries are being removed."""
        with locked(self.root / LOCK, waiting, shared=True):
            yield

    def begin(self) -> None:
        """What is used from here on belongs to the build that is remembered next. For one build at a time."""
        self._since = set()

    def remember(self, build: str, sound: str = "") -> None:
        """Write down what was used since `begin`, put or only looked for: what the finished build of this name is made of.

        A build that takes the ``sound`` over from the one before looks at little of what that was made of: what the first with this sound used is
        kept too. Not for a run that finds nothing to do, which looks at even less.
        """
        path = self.root / BUILDS / f"{build}.json"
        before = _record(path)
        last = sorted(self._since)
        first = before["first"] if sound and before.get("sound") == sound else last
        with disk_errors(self.root):
            write(path, json.dumps({"sound": sound, "first": first, "last": last}, indent=0).encode())

    def _note(self, *names: str) -> None:
        self.used.update(names)
        self._since.update(names)

    def _path(self, key: str) -> Path:
        return self.root / ENTRIES / key[:2] / key

    def has(self, key: str) -> bool:
        found = self._path(key).is_file()
        if found:
            self._note(key)
        return found

    def get(self, key: str) -> bytes | None:
        """An entry's content, or None when it is missing or damaged."""
        path = self._path(key)
        try:
            # Without a buffer: the body is read into its own place and not copied.
            with path.open("rb", buffering=0) as file:
                head, body = file.read(len(_MAGIC) + _SUM_BYTES), file.read()
                used = os.fstat(file.fileno()).st_mtime
        except OSError:
            return None
        if head != _MAGIC + _checksum(body):
            with contextlib.suppress(OSError):
                path.unlink()
            return None
        self._note(key)
        # Either way, so that a clock that was wrong once does not count for ever.
        if abs(time.time() - used) > _USED_ANEW_SECONDS:
            with contextlib.suppress(OSError):
                os.utime(path)
        return body

    def put(self, key: str, body: bytes) -> None:
        with disk_errors(self.root), replacing(self._path(key)) as file:
            file.write(_MAGIC + _checksum(body))
            file.write(body)
        self.grown = True
        self._note(key)

    def value(self, key: str) -> Any:
        """A JSON entry, or None."""
        body = self.get(key)
        return None if body is None else json.loads(body)

    def put_value(self, key: str, value: Any) -> None:
        self.put(key, json.dumps(value, separators=(",", ":"), allow_nan=True).encode())

    def file(self, key: str, suffix: str, make: Callable[[Path], None]) -> Path:
        """A file that other programs read (generated audio), made once by ``make(path)``; kept by its key, and made again when it is damaged.

        Its own times stay as they are, or it would be taken for another file; the entry of its checksum has the time of its last use.
        """
        path = self.path_of(key, suffix)
        if path not in self._sound and not self._is_sound(key, path):
            with self.making(key, suffix) as part:
                make(part)
        self._sound.add(path)
        self._note(path.name, sum_key(key))
        return path

    @contextlib.contextmanager
    def making(self, key: str, suffix: str) -> Iterator[Path]:
        """A place for a file; it becomes that of ``key`` when the block ends well."""
        path = self.path_of(key, suffix)
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            with disk_errors(self.root):
                path.parent.mkdir(parents=True, exist_ok=True)
                yield part
                self.put_value(sum_key(key), sha256_of(part)[:40])
                with part.open("rb") as file:
                    os.fsync(file.fileno())
                os.replace(part, path)
        finally:
            with contextlib.suppress(OSError):
                part.unlink()

    def path_of(self, key: str, suffix: str) -> Path:
        """Where a generated file is, or will be."""
        return self.root / FILES / key[:2] / f"{key}{suffix}"

    def kept(self, key: str, suffix: str) -> Path | None:
        """A file that was made before, if it is there: for large ones whose readers notice damage by themselves."""
        path = self.path_of(key, suffix)
        if not path.is_file() or self.value(sum_key(key)) is None:
            return None
        self._note(path.name, sum_key(key))
        return path

    def _is_sound(self, key: str, path: Path) -> bool:
        try:
            return bool(self.value(sum_key(key)) == sha256_of(path)[:40])
        except OSError:
            return False


def recorded(path: Path) -> set[str]:
    """The names that `Store.remember` wrote. A damaged record is an empty one."""
    record = _record(path)
    return {*record.get("first", ()), *record.get("last", ())}


def _record(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(path.read_text("utf-8"))
        return {"sound": record["sound"], **{key: [str(name) for name in record[key]] for key in ("first", "last")}}
    except (OSError, ValueError, TypeError, LookupError):
        return {}


def _checksum(body: bytes) -> bytes:
    return hashlib.sha256(body).digest()[:_SUM_BYTES]


@contextlib.contextmanager
def locked(path: Path, waiting: Callable[[], None] = lambda: None, *, shared: bool = False) -> Iterator[None]:
    """Only one `produce` works on an episode at a time; a second one waits. The lock goes with the process, however it ends.

    Any number may hold it ``shared``, and then nobody holds it alone. ``waiting`` is called before a wait; if it raises, nothing is waited for.
    """
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("ab")
    with file:
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
        except OSError:
            waiting()
            fcntl.flock(file, kind)
        yield
