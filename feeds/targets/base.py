"""What a target is: a place that files and feeds are published to, as `feeds.publish` speaks to it.

A target does one thing at a time, as it is told, and never shows half of anything: a file is first sent to where nobody looks (`Target.send`), proven
there (`Target.proof`), and then appears whole (`Target.land`). Order, repetition and what is proven by what are the publisher's business.

A target raises nothing but a PublishError for whatever its server, disk or library does: TargetUnreachable when the same may go well the next time.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, Protocol

from feeds.errors import FeedOvertaken, PathRefused, PublishError, TargetUnreachable
from feeds.patience import Moved

LOCK: Final = ".publish.lock"
"""Where a publisher says that it is at work."""
FEED_TYPE: Final = "application/rss+xml"
MOST_BYTES: Final = 50_000_000
"""Of anything that is read into memory: feeds and locks. What is longer is none."""
MOST_NAMES: Final = 10_000
BLOCK: Final = 1 << 18
NAME_DIGITS: Final = 12
"""How much of a file's digest its name carries at least."""

_NOT_IN_A_PATH: Final = re.compile(r'[\x00-\x1f\x7f-\x9f\\:*?"<>|%#]')


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A file to be published: ``path`` from the root of the target on, ``length`` in bytes, ``sha256`` in hexadecimal."""

    local: Path
    path: str
    length: int
    type: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Needed:
    """A file that a feed names and that must be on the target before the feed is."""

    path: str
    length: int


@dataclass(frozen=True, slots=True)
class OutgoingFeed:
    """A feed to be published as ``feeds/<slug>.xml``. ``url`` is its public address and ``hub`` the WebSub hub to be told; ``needs`` is what it names
    and is not among the files of the same publishing.
    """

    slug: str
    data: bytes
    url: str = ""
    hub: str | None = None
    needs: tuple[Needed, ...] = ()

    @property
    def path(self) -> str:
        return f"feeds/{self.slug}.xml"


@dataclass(frozen=True, slots=True)
class Found:
    """What is on a target. ``type`` and ``sha256`` are None where the target does not know them."""

    length: int
    type: str | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """A small file as it was read. ``version`` is what the target itself tells one state from another by, "" when it does not."""

    data: bytes
    version: str = ""


class Target(Protocol):
    """``where`` names the target to people and holds no secret; ``public_url`` is the address of its root for everybody, or None. ``caveats`` is what
    was found out about it on the way that people should know, ``lock`` the path where a publisher says that it is at work.
    """

    where: str
    public_url: str | None
    caveats: list[str]
    lock: str

    def look(self, paths: Sequence[str], moved: Moved) -> dict[str, Found]:
        """What is under these paths; those that are not there are left out."""

    def send(self, file: Outgoing, moved: Moved) -> None:
        """Bring the bytes to where `land` takes them from, going on where an earlier attempt was cut off, if that is possible."""

    def proof(self, file: Outgoing, moved: Moved) -> Found:
        """What was brought, by reading it back or by what the target itself computed; always with its sha256."""

    def land(self, file: Outgoing) -> None:
        """Let what was brought appear under its path, whole."""

    def drop(self, file: Outgoing) -> None:
        """Forget what was brought."""

    def read(self, path: str) -> Text | None:
        """A small file, or None when there is none. Raises TargetRefused when it is larger than `MOST_BYTES`."""

    def replace(self, path: str, data: bytes, media_type: str, was: Text | None) -> None:
        """Put a small file in the place of the one that was read as ``was``, at once for whoever reads it. Raises FeedOvertaken if it is another."""

    def names(self, folder: str) -> list[str]:
        """The names of the files in a folder, nothing when there is none."""

    def remove(self, path: str) -> None:
        """Remove a file; nothing happens when there is none."""

    def take(self, mine: bytes) -> bytes | None:
        """Become the only publisher: None, or what the one wrote who is it already; nothing when it has not written yet, or no longer is."""

    def take_over(self, mine: bytes, theirs: bytes) -> bytes | None:
        """Become the only publisher in the place of one that has ended without saying so: None, or what another one wrote."""

    def held(self, mine: bytes) -> bool:
        """Whether we are the only publisher still."""

    def release(self, mine: bytes) -> None:
        """Be no longer the only publisher."""

    def close(self) -> None:
        """End every connection, whatever is under way on it."""


class Readable(Protocol):
    """Whatever gives bytes as a file does; b"" at the end."""

    def read(self, size: int, /) -> bytes: ...


class LockedByFile:
    """The lock of a target where a file can be created only if there is none: what it holds says who has it.

    Taking it over compares right before it replaces; two that do so in the same moment find out by `held`, which is asked before any feed changes.
    """

    where: str
    lock: str = LOCK

    def create(self, path: str, data: bytes) -> bool:
        """Put a small file where there is none; False when there is one."""
        raise NotImplementedError

    def read(self, path: str) -> Text | None:
        raise NotImplementedError

    def replace(self, path: str, data: bytes, media_type: str, was: Text | None) -> None:
        raise NotImplementedError

    def remove(self, path: str) -> None:
        raise NotImplementedError

    def take(self, mine: bytes) -> bytes | None:
        if self.create(self.lock, mine):
            return None
        there = self.read(self.lock)
        # An attempt whose answer was lost may have gone well.
        return None if there is not None and there.data == mine else (there.data if there else b"")

    def take_over(self, mine: bytes, theirs: bytes) -> bytes | None:
        there = self.read(self.lock)
        if there is None and theirs:
            return self.take(mine)
        if (there.data if there else b"") == theirs:
            with contextlib.suppress(FeedOvertaken):
                self.replace(self.lock, mine, "application/json", there)
            there = self.read(self.lock)
        return None if there is not None and there.data == mine else (there.data if there else b"")

    def held(self, mine: bytes) -> bool:
        there = self.read(self.lock)
        return there is not None and there.data == mine

    def release(self, mine: bytes) -> None:
        if self.held(mine):
            self.remove(self.lock)

    def stand_ready(self, fresh: str, path: str, data: bytes, was: Text | None) -> None:
        """See that a small file, brought aside as ``fresh``, may take the place of the one that was read as ``was``; else it is removed.

        Raises FeedOvertaken if another stands there, TargetUnreachable if it did not arrive whole.
        """
        arrived, there = self.read(fresh), self.read(path)
        overtaken = there is not None and (was is None or there.data != was.data)
        if overtaken or arrived is None or arrived.data != data:
            self.remove(fresh)
            if overtaken:
                raise FeedOvertaken(path)
            raise TargetUnreachable(f"{self.where}: {path} did not arrive whole")


def checked(path: str) -> str:
    """A public path as it is: names with slashes between them, from the root on. Raises PathRefused for whatever else.

    No name begins with a dot: those are ours, for what is under way.
    """
    names = path.split("/")
    if not path or len(path.encode("utf-8", "replace")) > 900 or any(len(name.encode("utf-8", "replace")) > 200 for name in names):
        raise PathRefused(f"{path[:80]!r} is no path to publish under: empty, or too long")
    if _NOT_IN_A_PATH.search(path) or any(unicodedata.category(letter) in ("Cf", "Cs", "Zl", "Zp") for letter in path):
        raise PathRefused(f"{path!r} is no path to publish under: it holds a character that addresses or file systems do not")
    if any(not name or name.startswith((".", "-", " ", "~")) or name.endswith((".", " ")) for name in names):
        raise PathRefused(f"{path!r} is no path to publish under: it must be relative, of names that begin with a letter or a digit")
    return path


def aside(path: str, mark: str = "part") -> str:
    """Where a file is while it is on its way: beside its place, hidden."""
    whole = PurePosixPath(path)
    return str(whole.with_name(f".{whole.name}.{mark}"))


def mark_of(data: bytes) -> str:
    """What tells the new state of a small file from any other, on its way."""
    return f"{hashlib.sha256(data).hexdigest()[:NAME_DIGITS]}.new"


def digest_from(file: Readable, moved: Moved, most: int, block_bytes: int = BLOCK) -> Found:
    """Length and checksum of what can be read, up to one byte more than ``most``: what goes on for ever is not the file that was sent."""
    sha256, length = hashlib.sha256(), 0
    while length <= most and (block := file.read(min(block_bytes, most + 1 - length))):
        sha256.update(block)
        length += len(block)
        moved(length)
    return Found(length, None, sha256.hexdigest())


def whole(path: str, data: bytes) -> bytes:
    """Data that was read up to one byte more than `MOST_BYTES`. Raises PublishError when there was more."""
    if len(data) > MOST_BYTES:
        raise PublishError(f"{path} on the target is larger than {MOST_BYTES} bytes")
    return data
