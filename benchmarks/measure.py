"""Runs a command and says what it cost: time, work, memory of the whole process tree, and room on the disk.

Memory and room are sampled: more often at first (a build with nothing to do is over in a fraction of a second), memory five times a second later.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

PROC = Path("/proc")
OFTEN, SELDOM, AT_FIRST = 0.02, 0.2, 2.0
"""Seconds between two looks at memory while a command is younger than the third, and later."""
DISK_OFTEN, DISK_SELDOM = 0.1, 1.0
"""The same for two looks at the disk, which cost up to a fortieth of a second each: who uses all cores would be slowed down by being looked at."""
_TAIL = 8
_BLOCK = 512
"""Bytes of a block as stat() counts them."""


class Failed(Exception):
    """A command that is measured did not end well; the message holds its last line, ``said`` the last few."""

    def __init__(self, message: str, said: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.said = tuple(said[-_TAIL:])


@dataclass(frozen=True)
class Figures:
    """What one run cost.

    ``cpu_s`` is user and system time of all its processes, ``busy`` their share of all cores. ``memory_mb`` is the highest sum of the tree's
    resident memory, None where the system does not say (no /proc). ``disk_mb`` is the most that the run took in its folder, open files without
    a name included; ``left_mb`` what it left there. ``elsewhere`` is the share of all cores that other programs had meanwhile, None where the
    system does not say: much of it, and the times are not to be trusted. MB are 10^6 bytes.
    """

    wall_s: float
    cpu_s: float
    busy: float
    memory_mb: float | None
    disk_mb: float
    left_mb: float
    elsewhere: float | None

    def as_json(self) -> dict[str, float | None]:
        return {name: value if value is None else round(value, 3) for name, value in asdict(self).items()}


class Meter:
    """Measures the commands of one contender, one after the other, as one run. Everything they write lies under ``folder``."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._environment = dict(environment)
        self._wall = self._cpu = 0.0
        self._memory = self._disk = 0
        self._others = 0.0
        self._before = held(folder, ())

    def run(self, argv: Sequence[str], *, cwd: Path | None = None, limited: bool = False) -> str:
        """Run one command to its end and give what it wrote to stderr. Raises Failed.

        ``limited``: it gets no more address space than the machine has memory, so that it fails by itself and takes nothing else with it.
        """
        log = self._folder / "stderr.txt"
        with log.open("wb") as err:
            worked, started = everybodys_work(), time.perf_counter()
            process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=err, cwd=cwd, env=self._environment)
            if limited:
                _limit(process.pid)
            code, cpu = self._finish(process)
            self._wall += time.perf_counter() - started
        self._cpu += cpu
        self._others += everybodys_work() - worked - cpu
        # Results are for everybody: they name no folder of this machine.
        said = log.read_text("utf-8", "replace").replace(str(self._folder), "…")
        log.unlink()
        if code:
            lines = [line.rstrip() for line in said.splitlines() if line.strip()]
            raise Failed((f"ended by signal {-code}" if code < 0 else f"exit code {code}") + (f": {lines[-1].strip()}" if lines else ""), lines)
        return said

    def _finish(self, process: subprocess.Popen[bytes]) -> tuple[int, float]:
        over = threading.Event()
        watcher = threading.Thread(target=self._watch, args=(process.pid, over))
        watcher.start()
        try:
            # Not Popen.wait: this also says what the process and all its descendants used.
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        except BaseException:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()
            raise
        finally:
            over.set()
            watcher.join()
        return process.returncode, usage.ru_utime + usage.ru_stime

    def _watch(self, pid: int, over: threading.Event) -> None:
        started, looked = time.monotonic(), -1.0
        while True:
            age = time.monotonic() - started
            pids = tree(pid)
            self._memory = max(self._memory, resident(pids))
            if age - looked >= (DISK_OFTEN if age < AT_FIRST else DISK_SELDOM) or looked < 0:
                looked = age
                self._disk = max(self._disk, held(self._folder, pids))
            if over.wait(OFTEN if age < AT_FIRST else SELDOM):
                return

    def figures(self) -> Figures:
        """What the commands so far cost together."""
        left = held(self._folder, ())
        memory = self._memory / 1e6 if PROC.is_dir() else None
        disk = max(0, self._disk - self._before, left - self._before)
        all_cores = self._wall * cores()
        others = max(0.0, self._others) / all_cores if (PROC / "stat").is_file() else None
        return Figures(self._wall, self._cpu, self._cpu / all_cores, memory, disk / 1e6, (left - self._before) / 1e6, others)


def _limit(pid: int) -> None:
    # On other systems the limit could only be set before the program starts, in a forked copy of ourselves.
    if sys.platform == "linux":
        import resource

        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        with contextlib.suppress(OSError, ValueError):
            resource.prlimit(pid, resource.RLIMIT_AS, (memory, memory))


def cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def everybodys_work() -> float:
    """Seconds that all programs of this machine have worked since it started, and that other machines took from it; 0 without /proc."""
    try:
        with open(PROC / "stat") as file:
            user, nice, system, _idle, _waiting, interrupts, soft, stolen = map(int, file.readline().split()[1:9])
    except (OSError, ValueError):
        return 0.0
    return (user + nice + system + interrupts + soft + stolen) / os.sysconf("SC_CLK_TCK")


# -- processes -------------------------------------------------------------------------------------------------------------------


def tree(pid: int) -> list[int]:
    """A process and all its descendants; those that end meanwhile may be missing."""
    found, waiting = [], [pid]
    while waiting:
        one = waiting.pop()
        found.append(one)
        with contextlib.suppress(OSError):
            for thread in os.listdir(f"{PROC}/{one}/task"):
                with contextlib.suppress(OSError), open(f"{PROC}/{one}/task/{thread}/children") as file:
                    waiting += map(int, file.read().split())
    return found


def resident(pids: Iterable[int]) -> int:
    """Bytes of resident memory of these processes together; no less than any of them ever had at once. 0 where there is no /proc."""
    found = {pid: status for pid in pids if (status := _status(pid))}
    # A child that has not become its program yet still lives in its parent's memory: that is there once.
    own = [one for one in found.values() if not _same_memory(one, found.get(one["PPid"], {}))]
    return max(sum(one.get("VmRSS", 0) for one in own), max((one.get("VmHWM", 0) for one in own), default=0)) * 1024


def _same_memory(child: Mapping[str, int], parent: Mapping[str, int]) -> bool:
    return all(child.get(name) == parent.get(name) for name in ("VmPeak", "VmHWM", "VmExe", "VmLib"))


def _status(pid: int) -> dict[str, int]:
    """Numbers that the system keeps of a process, memory in KiB; nothing once it is gone."""
    try:
        text = Path(f"{PROC}/{pid}/status").read_text("utf-8", "replace")
    except OSError:
        return {}
    pairs = (line.split(":", 1) for line in text.splitlines() if line.startswith(("PPid:", "Vm")))
    return {name: int(value.split()[0]) for name, value in pairs}


# -- disk ------------------------------------------------------------------------------------------------------------------------


def held(folder: Path, pids: Iterable[int]) -> int:
    """Bytes that a folder takes on the disk, with the nameless files which these processes hold open on the same disk.

    Without /proc nobody says what those are, and everything in use on that disk is counted: only differences mean something.
    """
    if not PROC.is_dir():
        return shutil.disk_usage(folder).used
    device = folder.stat().st_dev
    nameless = {
        status.st_ino: status.st_blocks * _BLOCK for pid in pids for status in _open_files(pid) if not status.st_nlink and status.st_dev == device
    }
    return sum(nameless.values()) + sum(status.st_blocks * _BLOCK for status in _files(folder))


def _files(folder: Path) -> Iterator[os.stat_result]:
    # What is removed while we look is no file of ours any more.
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _files(Path(entry.path))
            else:
                with contextlib.suppress(OSError):
                    yield entry.stat(follow_symlinks=False)


def _open_files(pid: int) -> Iterator[os.stat_result]:
    with contextlib.suppress(OSError):
        for number in os.listdir(f"{PROC}/{pid}/fd"):
            with contextlib.suppress(OSError):
                status = os.stat(f"{PROC}/{pid}/fd/{number}")
                if stat.S_ISREG(status.st_mode):
                    yield status
