"""What was made, from what: read back to see whether anything is left to do, and by the feeds to know what is there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from production.store import sha256_of, write

NAME = ".receipt.json"


@dataclass(frozen=True)
class Receipt:
    """A finished build. ``fingerprint`` digests everything that was asked; ``outputs`` maps file names to [size, mtime in ns, sha256].

    ``audio`` says which frames the file holds (name), where they begin (offset in bytes), their sha256,
    their crc32, and the first frame of each slice in which they were heard.
    """

    fingerprint: str
    scratch: bool
    samples: int
    basis: dict[str, Any]
    audio: dict[str, Any]
    outputs: dict[str, list[Any]]

    def intact(self, folder: Path) -> bool:
        """Whether every output is still the file that was written: size and time are asked first, the bytes only of a file whose time differs."""
        return all(self.kept(folder, name) for name in self.outputs)

    def kept(self, folder: Path, name: str) -> bool:
        """The same of one output."""
        return _same(folder / name, *self.outputs[name])

    def sounds_as(self, audio: str, target: Path) -> bool:
        """Whether ``target`` is still the file that was written, and holds the frames that ``audio`` names."""
        return self.audio.get("name") == audio and self.size_of(target.parent, target.name) is not None

    def size_of(self, folder: Path, name: str) -> int | None:
        """The size of an output in bytes, or None when it is gone or of another size."""
        size = int(self.outputs[name][0])
        try:
            return size if (folder / name).stat().st_size == size else None
        except OSError:
            return None


def _same(path: Path, size: int, mtime: int, sha256: str) -> bool:
    try:
        status = path.stat()
        if status.st_size != size:
            return False
        if status.st_mtime_ns == mtime:
            return True
        # Copied or checked out: another time, and most often the same bytes.
        return sha256_of(path) == sha256
    except OSError:
        return False


def read(folder: Path) -> Receipt | None:
    try:
        return Receipt(**json.loads((folder / NAME).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def save(folder: Path, receipt: Receipt) -> None:
    write(folder / NAME, (json.dumps(vars(receipt), indent=1, sort_keys=True) + "\n").encode())


def stamp(folder: Path, name: str, sha256: str) -> list[Any]:
    status = (folder / name).stat()
    return [status.st_size, status.st_mtime_ns, sha256]
