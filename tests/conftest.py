"""The guards: what a test may touch, and the programs that some tests ask for a second opinion.

A test writes in the temporary folder only, and its home is there. Unless it is marked ``process`` it starts no program and opens no
connection; with the mark it may talk to this machine, never to another one. The guards listen to the interpreter's audit events, so no way
of importing a function gets past them, and a forbidden attempt fails the test even when the code under test swallowed the exception.
"""

from __future__ import annotations

import ipaddress
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import pytest

ROOT = Path(__file__).resolve().parent.parent
TEMPORARY = Path(tempfile.gettempdir()).resolve()

try:
    import hypothesis
except ImportError:  # one package's tests can run where only pytest is installed
    pass
else:
    # the same examples on every run and every machine, and no folder of its own in the tree
    os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", str(TEMPORARY / "hypothesis"))
    hypothesis.settings.register_profile("house", derandomize=True, database=None, deadline=None)
    hypothesis.settings.load_profile("house")


class Forbidden(BaseException):
    """A test did what it is not marked for. No ``Exception``, so that ``except Exception`` in the code under test does not hide it."""


@dataclass
class Watch:
    """What is being watched: ``test`` is None between tests; ``attempts`` are the forbidden things that were tried."""

    test: str | None = None
    marked: bool = False
    attempts: list[str] = field(default_factory=list)

    def begin(self, test: str, *, marked: bool) -> None:
        self.test, self.marked = test, marked
        self.attempts.clear()

    def end(self) -> None:
        self.test = None

    def forbid(self, what: str) -> NoReturn:
        self.attempts.append(what)
        raise Forbidden(f"{what}; in {self.test}")


watch = Watch()


# -- processes --------------------------------------------------------------------------------------------------------------------

STARTS = frozenset(
    {
        "subprocess.Popen",
        "os.posix_spawn",
        "os.fork",
        "os.forkpty",
        "os.exec",
        "os.spawn",
        "os.system",
        "os.startfile",
        "pty.spawn",
        "tests.fork_exec",
    }
)


def _audit_multiprocessing() -> None:
    """Give `multiprocessing`'s own way to start a program (spawn, forkserver) the event it lacks."""
    try:
        import _posixsubprocess
    except ImportError:  # not a POSIX system
        return
    fork_exec: Callable[..., int] = _posixsubprocess.fork_exec

    def audited(*arguments: Any) -> int:
        sys.audit("tests.fork_exec", arguments[0])
        return fork_exec(*arguments)

    _posixsubprocess.fork_exec = audited


def _check_start(event: str, arguments: tuple[Any, ...]) -> None:
    if not watch.marked:
        what = arguments[1] if event == "subprocess.Popen" else next(iter(arguments), "")
        watch.forbid(f"starts a process without the mark `process` ({event} {what!r})")


# -- network ----------------------------------------------------------------------------------------------------------------------

ADDRESSES = {
    "socket.connect": 1,
    "socket.bind": 1,
    "socket.sendto": 1,
    "socket.sendmsg": 1,
    "socket.getaddrinfo": 0,
    "socket.gethostbyname": 0,
    "socket.gethostbyaddr": 0,
}
"""Which argument of an event holds the address."""


def is_this_machine(address: object) -> bool:
    """Whether an address (a tuple, a host, the path of a Unix socket, or None) cannot leave this machine."""
    if isinstance(address, bytes):
        address = os.fsdecode(address)
    if isinstance(address, tuple):
        address = address[0]
    if not isinstance(address, str) or address == "localhost" or "/" in address:
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _check_address(event: str, arguments: tuple[Any, ...]) -> None:
    address = arguments[ADDRESSES[event]]
    if not is_this_machine(address):
        watch.forbid(f"leaves this machine ({event} {address!r})")
    if not watch.marked:
        watch.forbid(f"opens a connection without the mark `process` ({event} {address!r})")


# -- files ------------------------------------------------------------------------------------------------------------------------

CHANGES: dict[str, tuple[tuple[int, ...], int | None]] = {
    "os.mkdir": ((0,), 2),
    "os.remove": ((0,), 1),
    "os.rmdir": ((0,), 1),
    "os.rename": ((0, 1), 2),
    "os.link": ((1,), 3),
    "os.symlink": ((1,), 2),
    "os.truncate": ((0,), None),
}
"""Which arguments of an event are paths that change, and which is the open folder they are relative to (-1: none)."""
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def may_be_written(path: Path) -> bool:
    """Whether a test may change what is at ``path``: the temporary folder less the project, devices, the interpreter's caches."""
    # the folder is resolved and not the path: a symbolic link is itself, whatever it points at
    place = Path(os.path.realpath(path.parent), path.name)
    if place.is_relative_to(ROOT):
        renewing = os.environ.get("UPDATE_GOLDEN") == "1"
        return "__pycache__" in place.parts or (renewing and place.is_relative_to(ROOT / "tests") and "golden" in place.parts)
    return place.is_relative_to(TEMPORARY) or place.is_relative_to("/dev") or "__pycache__" in place.parts


def _check_files(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open":
        paths = (arguments[0],) if arguments[2] & WRITING else ()
    else:
        indexes, folder = CHANGES[event]
        # a name in an open folder is not looked at: shutil.rmtree empties folders so, after it was asked about the uppermost
        paths = tuple(arguments[i] for i in indexes) if folder is None or arguments[folder] == -1 else ()
    for path in paths:
        if isinstance(path, str | bytes | os.PathLike) and not may_be_written(Path(os.path.abspath(os.fsdecode(path)))):
            watch.forbid(f"changes a file outside the temporary folder ({event} {os.fsdecode(path)!r})")


# -- the hook ---------------------------------------------------------------------------------------------------------------------

GUARDS: dict[str, Callable[[str, tuple[Any, ...]], None]] = {
    **dict.fromkeys(STARTS, _check_start),
    **dict.fromkeys(ADDRESSES, _check_address),
    **dict.fromkeys(("open", *CHANGES), _check_files),
}


def _listen(event: str, arguments: tuple[Any, ...]) -> None:
    if watch.test is not None and event in GUARDS:
        GUARDS[event](event, arguments)


def pytest_configure() -> None:
    _audit_multiprocessing()
    sys.addaudithook(_listen)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole episodes first: they take longest, and begun last they would keep one worker while the others have nothing left to do."""
    items.sort(key=lambda item: not item.path.is_relative_to(ROOT / "tests" / "e2e"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    watch.begin(item.nodeid, marked=item.get_closest_marker("process") is not None)
    try:
        return (yield)
    finally:
        watch.end()


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[None]:
    """Importing a test, and with it the code under test, starts and writes nothing either."""
    watch.begin(f"import of {collector.nodeid}", marked=False)
    try:
        return (yield)
    finally:
        watch.end()


def complaint(attempts: list[str]) -> str:
    """What to say of forbidden things that were tried, or nothing."""
    return "".join(f"\nforbidden: this test {attempt}" for attempt in attempts)


@pytest.fixture(autouse=True)
def guarded(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A home of its own for each test, and a failure for what was forbidden and swallowed."""
    home = tmp_path_factory.mktemp("home")
    for name, value in {
        "HOME": home,
        "USERPROFILE": home,
        "XDG_CACHE_HOME": home / "cache",
        "XDG_CONFIG_HOME": home / "config",
        "XDG_DATA_HOME": home / "data",
        "XDG_STATE_HOME": home / "state",
    }.items():
        monkeypatch.setenv(name, str(value))
    yield
    if watch.attempts:
        pytest.fail(complaint(watch.attempts), pytrace=False)


# -- programs ---------------------------------------------------------------------------------------------------------------------


def require(program: str) -> str:
    """The path of a program, or a skip that says which one is missing; a failure instead when ``REQUIRE_TOOLS=1``."""
    found = shutil.which(program)
    if found:
        return found
    if os.environ.get("REQUIRE_TOOLS") == "1":
        pytest.fail(f"{program} is not installed, and REQUIRE_TOOLS=1 says that it must be", pytrace=False)
    pytest.skip(f"{program} is not installed")


@pytest.fixture(scope="session")
def ffmpeg() -> str:
    """An ffmpeg for tests marked ``process``: the machine's own, else the one of the [ffmpeg] extra."""
    found = shutil.which("ffmpeg")
    if found:
        return found
    import imageio_ffmpeg

    return str(imageio_ffmpeg.get_ffmpeg_exe())
