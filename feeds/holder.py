"""Who holds a target: the text that a publisher leaves there while it works, and what another one can tell from it.

    {"host": "studio", "pid": 4711, "since": "2026-05-04T10:00:00+00:00", "machine": "..."}

The clock is asked here alone; it never reaches a feed.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
import os
import platform
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

STALE: Final = dt.timedelta(hours=12)
"""No publishing takes longer."""
MOST_BYTES: Final = 4096

_ours: set[bytes] = set()


@dataclass(frozen=True, slots=True)
class Holder:
    """A publisher at work. ``machine`` tells one running system from another of the same name."""

    host: str
    pid: int
    since: dt.datetime
    machine: str

    def __str__(self) -> str:
        return f"{self.host}, process {self.pid}, since {self.since:%Y-%m-%d %H:%M} UTC"


def ourselves() -> bytes:
    """The text of this process, another one each time; it counts as at work until `finished`."""
    said = {
        "host": platform.node() or "unknown",
        "pid": os.getpid(),
        "since": dt.datetime.now(dt.UTC).isoformat(timespec="microseconds"),
        "machine": _machine(),
        # two that begin in the same moment in one process
        "mark": time.monotonic_ns(),
    }
    text = json.dumps(said).encode()
    _ours.add(text)
    return text


def finished(text: bytes) -> None:
    """What this text stands for is no longer at work."""
    _ours.discard(text)


def read(text: bytes) -> Holder | None:
    """Who wrote this; None when nobody of our kind did."""
    try:
        said = json.loads(text[:MOST_BYTES])
        since = dt.datetime.fromisoformat(said["since"]).astimezone(dt.UTC)
        host = "".join(letter for letter in str(said["host"])[:100] if letter.isprintable())
        return Holder(host, int(said["pid"]), since, str(said["machine"]))
    except (ValueError, TypeError, LookupError, OverflowError, AttributeError):
        return None


def gone(text: bytes) -> bool:
    """Whether whoever wrote this has certainly ended: it was a process of this very system, and there is none of that number, or it is ourselves,
    and not at work.
    """
    holder = read(text)
    if holder is None or holder.machine != _machine() or holder.pid <= 0:
        return False
    if holder.pid == os.getpid():
        return text not in _ours
    try:
        os.kill(holder.pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def age(holder: Holder) -> dt.timedelta:
    """How long ago it began, by our clock; nothing for a moment to come."""
    return max(dt.datetime.now(dt.UTC) - holder.since, dt.timedelta())


def _machine() -> str:
    """One running system: another name, another start of the machine, or another container is another one."""
    parts = [platform.node(), str(os.getuid())]
    # Where the system says so.
    with contextlib.suppress(OSError):
        parts += [Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip(), os.readlink("/proc/self/ns/pid")]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
