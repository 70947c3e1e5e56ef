"""All checks of the project with one command: ``python -m tests [--fast | --slow] [pytest arguments]``.

Plainly: ruff, mypy, import-linter, and every test that is not slow. ``--slow`` adds the slow ones; ``--fast`` runs only the tests that
start no program. Every check runs, whatever the ones before it said; the exit code is not 0 when any of them failed.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
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


def split_mode(arguments: Sequence[str]) -> tuple[str, list[str]]:
    """The mode ("--fast", "--slow" or "") and what is left for pytest; the last mode wins."""
    modes = [a for a in arguments if a in ("--fast", "--slow")]
    return (modes[-1] if modes else ""), [a for a in arguments if a not in ("--fast", "--slow")]


def run(heading: str, command: Sequence[str]) -> int:
    print(f"\n== {heading} ==", flush=True)
    return subprocess.run(command, cwd=ROOT, check=False, stdin=subprocess.DEVNULL).returncode


def main(arguments: Sequence[str]) -> int:
    mode, rest = split_mode(arguments)
    checks = () if mode == "--fast" else CHECKS
    codes = {heading: run(heading, command) for heading, command in checks}
    failed = [heading for heading, code in codes.items() if code]
    if failed:
        # said before pytest, so that its summary stays the last line
        print(f"\n{' and '.join(failed)} failed: the run will fail, whatever the tests say", flush=True)
    tests = run("pytest", (PYTHON, "-m", "pytest", *SELECTIONS[mode], *rest))
    return tests or int(bool(failed))


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.exit(main(sys.argv[1:]))
