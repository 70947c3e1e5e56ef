"""The guards of conftest.py bite, and let pass what they should."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import ROOT, Forbidden, complaint, is_this_machine, require, watch

NOTHING = [sys.executable, "-c", ""]


@contextmanager
def bites(words: str) -> Iterator[None]:
    """The block is forbidden, and the attempt is not held against the test."""
    with pytest.raises(Forbidden, match=words):
        yield
    watch.attempts.clear()


def _in_asyncio() -> None:
    async def start() -> None:
        await asyncio.create_subprocess_exec(*NOTHING)

    asyncio.run(start())


def _forked() -> None:
    # never reached by a child: the guard speaks before the fork
    if os.fork() == 0:
        os._exit(0)


def _in_multiprocessing(method: str) -> Callable[[], None]:
    return lambda: multiprocessing.get_context(method).Process(target=print).start()


WAYS_TO_START: dict[str, Callable[[], object]] = {
    "subprocess.run": lambda: subprocess.run(NOTHING, check=True),
    "subprocess.Popen": lambda: subprocess.Popen(NOTHING),
    "os.system": lambda: os.system("true"),
    "os.popen": lambda: os.popen("true"),
    "asyncio": _in_asyncio,
}
if os.name == "posix":
    WAYS_TO_START |= {
        "os.posix_spawn": lambda: os.posix_spawn(NOTHING[0], NOTHING, {}),
        "os.spawnv": lambda: os.spawnv(os.P_NOWAIT, NOTHING[0], NOTHING),
        "os.fork": _forked,
        "os.execv": lambda: os.execv(NOTHING[0], NOTHING),
        "multiprocessing spawn": _in_multiprocessing("spawn"),
        "multiprocessing fork": _in_multiprocessing("fork"),
    }


@pytest.mark.parametrize("way", WAYS_TO_START)
def test_a_test_without_the_mark_starts_no_process(way: str) -> None:
    with bites("starts a process without the mark"):
        WAYS_TO_START[way]()


@pytest.mark.process
def test_a_test_with_the_mark_starts_processes() -> None:
    assert subprocess.run([*NOTHING[:2], "print('hello')"], check=True, capture_output=True, text=True).stdout == "hello\n"


def test_a_test_without_the_mark_opens_no_connection_not_even_to_this_machine() -> None:
    with socket.socket() as client, bites("opens a connection without the mark"):
        client.connect(("127.0.0.1", 9))
    with socket.socket() as server, bites("opens a connection without the mark"):
        server.bind(("127.0.0.1", 0))


@pytest.mark.process
def test_a_test_with_the_mark_talks_to_this_machine() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        client.sendall(b"hello")
        accepted, _ = server.accept()
        with accepted:
            assert accepted.recv(5) == b"hello"


@pytest.mark.process
def test_no_mark_lets_a_test_leave_this_machine() -> None:
    # 192.0.2.0/24 is set aside for documentation: were the guard blunt, nobody would be spoken to
    with bites("leaves this machine"):
        socket.create_connection(("192.0.2.1", 443), timeout=0.1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams, bites("leaves this machine"):
        datagrams.sendto(b"", ("192.0.2.1", 53))
    with socket.socket() as server, bites("leaves this machine"):
        server.bind(("0.0.0.0", 0))
    with bites("leaves this machine"):
        socket.getaddrinfo("podcast.invalid", 443)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (("127.0.0.1", 80), True),
        (("::1", 80, 0, 0), True),
        (("localhost", 80), True),
        ("/tmp/player.sock", True),
        (None, True),
        (("", 80), False),
        (("0.0.0.0", 80), False),
        (("10.0.0.1", 80), False),
        (("localhost.example", 80), False),
        ("example.org", False),
        (b"example.org", False),
    ],
)
def test_only_loopback_addresses_are_this_machine(address: object, expected: bool) -> None:
    assert is_this_machine(address) is expected


WAYS_TO_WRITE: dict[str, Callable[[Path], object]] = {
    "write_text": lambda there: (there / "new").write_text("x"),
    "append": lambda there: (there / "LICENSE").open("a"),
    "os.open": lambda there: os.open(there / "new", os.O_CREAT | os.O_WRONLY),
    "mkdir": lambda there: (there / "new").mkdir(),
    "unlink": lambda there: (there / "no-such-file").unlink(),
    "rmdir": lambda there: (there / "no-such-folder").rmdir(),
    "truncate": lambda there: os.truncate(there / "no-such-file", 0),
    "symlink": lambda there: (there / "new").symlink_to("LICENSE"),
    "move": lambda there: os.replace(Path(tempfile.gettempdir(), "no-such-file"), there / "no-such-file"),
    "mkstemp": lambda there: tempfile.mkstemp(dir=there),
}


@pytest.mark.parametrize("way", WAYS_TO_WRITE)
@pytest.mark.parametrize("there", [ROOT, Path("/no-such-root")], ids=["in the project", "elsewhere"])
def test_a_test_changes_nothing_outside_the_temporary_folder(way: str, there: Path) -> None:
    with bites("changes a file outside the temporary folder"):
        WAYS_TO_WRITE[way](there)
    assert not (ROOT / "new").exists()


def test_a_relative_path_is_not_a_way_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(ROOT)
    with bites("changes a file outside"):
        Path("new").write_text("x")
    (tmp_path / "door").symlink_to(ROOT)
    with bites("changes a file outside"):
        (tmp_path / "door" / "new").write_text("x")


def test_a_test_does_as_it_likes_in_its_temporary_folder(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "text").write_text("x")
    (tmp_path / "a").rename(tmp_path / "c")
    (tmp_path / "link").symlink_to(ROOT / "LICENSE")
    (tmp_path / "link").unlink()
    shutil.rmtree(tmp_path / "c")
    assert list(tmp_path.iterdir()) == []


def test_home_is_a_folder_of_the_tests_own(tmp_path_factory: pytest.TempPathFactory) -> None:
    mine = tmp_path_factory.getbasetemp()
    assert Path.home().is_relative_to(mine)
    assert Path(os.environ["XDG_CACHE_HOME"]).is_relative_to(Path.home())


def test_code_that_swallows_exceptions_does_not_hide_an_attempt() -> None:
    def careless() -> None:
        # a bare except: even a BaseException ends here
        with contextlib.suppress(BaseException):
            subprocess.run(NOTHING, check=True)

    elsewhere = threading.Thread(target=careless)
    elsewhere.start()
    elsewhere.join()
    assert "starts a process without the mark `process`" in complaint(watch.attempts)
    watch.attempts.clear()


@pytest.mark.process
@pytest.mark.parametrize("workers", [(), ("-n2", "--dist=load")], ids=["in one process", "in workers"])
def test_a_forbidden_attempt_fails_the_run_swallowed_or_not(workers: tuple[str, ...], tmp_path: Path) -> None:
    if workers:
        pytest.importorskip("xdist")
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = process\nfilterwarnings = error\n")
    (tmp_path / "conftest.py").write_text("from tests.conftest import *\n")
    (tmp_path / "test_inner.py").write_text(
        "import os, socket, warnings, pytest\n"
        "def test_innocent(): pass\n"
        "def test_open(): os.system('true')\n"
        "def test_swallowed():\n"
        "    try: os.system('true')\n"
        "    except BaseException: pass\n"
        "def test_connects(): socket.create_connection(('127.0.0.1', 9))\n"
        f"def test_writes(): open({str(ROOT / 'new')!r}, 'w')\n"
        "def test_warns(): warnings.warn('a warning')\n"
        "@pytest.mark.process\n"
        "def test_marked(): os.system('true')\n"
    )
    # no summary: where $CI is set it says every complaint in full a second time, elsewhere a cut one
    command = [sys.executable, "-m", "pytest", "-c", str(tmp_path / "pytest.ini"), "-p", "no:cacheprovider", "-rN", *workers, str(tmp_path)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    # each that tried something forbidden is told of when it ends, and all but the swallowing one had failed before that
    assert "4 failed, 3 passed, 4 errors" in result.stdout
    assert result.stdout.count("\nforbidden: this test starts a process without the mark `process`") == 2
    assert "\nforbidden: this test opens a connection without the mark `process`" in result.stdout
    assert "\nforbidden: this test changes a file outside the temporary folder" in result.stdout
    assert "UserWarning: a warning" in result.stdout
    assert not (ROOT / "new").exists()


def test_a_missing_program_is_a_skip_with_its_name_or_a_failure_on_demand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REQUIRE_TOOLS", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no-such-program is not installed"):
        require("no-such-program")
    monkeypatch.setenv("REQUIRE_TOOLS", "1")
    with pytest.raises(pytest.fail.Exception, match="no-such-program is not installed"):
        require("no-such-program")


def test_a_program_that_is_there_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "reader"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert require("reader") == str(program)


@pytest.mark.process
def test_the_ffmpeg_of_the_tests_runs(ffmpeg: str) -> None:
    said = subprocess.run([ffmpeg, "-version"], check=True, capture_output=True, text=True).stdout
    assert said.startswith("ffmpeg version ")
