"""All checks of the project with one command: ``python -m tests [--fast | --slow] [pytest arguments]``.

Plainly: ruff, mypy, import-linter, and every test that is not slow. ``--slow`` adds the slow ones; ``--fast`` runs only the tests that
start no program. Every check runs, whatever the others said; the exit code is not 0 when any of them failed.

The tests run on all cores, each file of them on one (``-n0``, ``-p no:xdist`` and plain ``pytest`` run them one after the other), and beside
the other checks. What is said stays in order: each check whole, then the tests, whose summary is the last of it.
"""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHON = sys.executable

CHECKS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("ruff check", (PYTHON, "-m", "ruff", "check", ".")),
    ("ruff format --check", (PYTHON, "-m", "ruff", "format", "--check", "--output-format", "concise", ".")),
    ("mypy --strict", (PYTHON, "-m", "mypy", "--strict", "production", "audio", "feeds", "benchmarks")),
    ("import-linter", (PYTHON, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command(['--no-logo'])")),
)
"""Headings and command lines; each runs in the root of the project."""

SELECTIONS = {"--fast": ("-m", "not process and not slow"), "--slow": (), "": ("-m", "not slow")}
"""What pytest is told about markers. A later ``-m`` of the caller's own wins over these."""

# By files, because what several tests of a file start from is built once for them; in the order of collection, which conftest.py minds.
# Not more than 4, because each worker builds anew what all tests start from.
WORKERS = ("-n", "auto", "--maxprocesses", "4", "--dist", "loadfile", "--no-loadscope-reorder")
"""What pytest is told about processes to run the tests in. A later ``-n`` of the caller's own wins over these."""


def split_mode(arguments: Sequence[str]) -> tuple[str, list[str]]:
    """The mode ("--fast", "--slow" or "") and what is left for pytest; the last mode wins."""
    modes = [a for a in arguments if a in ("--fast", "--slow")]
    return (modes[-1] if modes else ""), [a for a in arguments if a not in ("--fast", "--slow")]


def pytest_command(mode: str, rest: Sequence[str]) -> tuple[str, ...]:
    workers = () if any("no:xdist" in word for word in rest) else WORKERS
    colour = ("--color", "yes") if sys.stdout.isatty() else ()
    return (PYTHON, "-m", "pytest", *SELECTIONS[mode], *workers, *colour, *rest)


def say(line: str) -> None:
    print(f"\n{line}", flush=True)


def run(heading: str, command: Sequence[str]) -> int:
    say(f"== {heading} ==")
    return subprocess.run(command, cwd=ROOT, check=False, stdin=subprocess.DEVNULL).returncode


@contextmanager
def beside(command: Sequence[str]) -> Iterator[tuple[subprocess.Popen[bytes], Iterator[bytes]]]:
    """A program that runs from now on, and what it says, which waits until it is read."""
    said: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0) as process:

        def listen() -> None:
            assert process.stdout is not None
            while piece := process.stdout.read(1 << 16):
                said.put(piece)
            said.put(b"")

        threading.Thread(target=listen, daemon=True).start()
        yield process, iter(said.get, b"")


def main(arguments: Sequence[str]) -> int:
    mode, rest = split_mode(arguments)
    checks = () if mode == "--fast" else CHECKS
    with beside(pytest_command(mode, rest)) as (tests, said):
        codes = {heading: run(heading, command) for heading, command in checks}
        failed = [heading for heading, code in codes.items() if code]
        if failed:
            # said before what the tests say, so that their summary stays the last line
            say(f"{' and '.join(failed)} failed: the run will fail, whatever the tests say")
        say("== pytest ==")
        for piece in said:
            sys.stdout.buffer.write(piece)
            sys.stdout.flush()
    return tests.returncode or int(bool(failed))


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.exit(main(sys.argv[1:]))
