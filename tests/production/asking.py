"""The command line in this process, for commands that start none."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

from click.shell_completion import ShellComplete
from click.testing import CliRunner, Result

from production.cli import produce


def ask(*arguments: str | Path, code: int = 0) -> Result:
    """Run `produce` and compare how it ends. What it does to ^C is undone."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        found = CliRunner().invoke(produce, [str(one) for one in arguments], prog_name="produce", env={"COLUMNS": "200"})
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert found.exit_code == code, (found.stdout, found.stderr, found.exception)
    return found


def told(*arguments: str | Path, code: int = 0) -> Any:
    """What `--json` gives: the whole of stdout."""
    return json.loads(ask(*arguments, "--json", code=code).stdout)


def completed(words: list[str], begun: str) -> list[str]:
    """What a shell offers after ``words`` for a word that is begun."""
    return [item.value for item in ShellComplete(produce, {}, "produce", "_PRODUCE_COMPLETE").get_completions(words, begun)]
