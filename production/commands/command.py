"""What all commands share: where they work, the exit code of whatever happens, what is told of it, and the clock."""

from __future__ import annotations

import datetime as dt
import errno
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from production.errors import Problem, ProduceError
    from production.terminal import Terminal

OK, FAILED, CONFIG, BUG, MISSING, INTERRUPTED = 0, 1, 2, 3, 4, 130

in_folder = click.option("-C", "folder", type=click.Path(path_type=Path), default=Path(), help="Work in this project folder (it holds configs/).")


as_json = click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")


def echo_json(value: object) -> None:
    """The one thing on stdout of a run that was asked for JSON: UTF-8, or ASCII in another locale. A name that is no text is in escapes."""
    import json

    unicode = str(getattr(sys.stdout, "encoding", "")).lower() == "utf-8"
    click.echo(json.dumps(value, indent=1, ensure_ascii=not unicode))


def width() -> int:
    """Columns of the terminal."""
    import shutil

    return shutil.get_terminal_size((120, 24)).columns


def shown(path: Path, root: Path) -> str:
    """A path as people write it: from the project folder, if it is in there."""
    return (path.relative_to(root) if path.is_relative_to(root) else path).as_posix()


def problem_json(problem: Problem, root: Path) -> dict[str, object]:
    """A problem, for programs; line 0 is the file as a whole."""
    where = problem.location
    said = {"severity": problem.severity, "path": shown(where.path, root), "line": where.line, "column": where.column}
    return {**said, "message": problem.message, "hint": problem.hint}


def problems_json(error: ProduceError, root: Path) -> list[dict[str, object]]:
    """What an error says, for programs."""
    from production.errors import Problem
    from production.model import Location

    alone = Problem(getattr(error, "where", None) or Location(root), str(error), getattr(error, "hint", ""))
    return [problem_json(one, root) for one in getattr(error, "problems", (alone,))]


def cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def right_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


_FULL = (errno.ENOSPC, errno.EDQUOT)
_KEPT = "what was finished is kept, and the next run goes on from there"


def guarded(terminal: Terminal, folder: Path, work: Any, *, interrupted: str = _KEPT) -> int:
    """Run ``work`` and turn what it raises into words and an exit code. ``interrupted`` says how things stand after a ^C."""
    from audio import ffmpeg
    from audio.errors import AudioError, DenoiserMissing, FfmpegMissing, TranscriberMissing, VoiceMissing
    from production.errors import ProduceError

    on_interruption(_interrupt)
    try:
        return int(work())
    except (KeyboardInterrupt, ffmpeg.Cancelled):
        ffmpeg.cancel()
        terminal.error(f"interrupted; {interrupted}")
        return INTERRUPTED
    except (DenoiserMissing, FfmpegMissing, TranscriberMissing, VoiceMissing) as error:
        terminal.error(f"error: {error}")
        return MISSING
    except ProduceError as error:
        # A folder that is no project is named: `configs` alone would not say whose.
        return tell(terminal, error, folder if (folder / "configs").is_dir() else None)
    except AudioError as error:
        terminal.error(f"error: {error}")
        command = getattr(error, "command", None)
        if command:
            terminal.error(f"  = the command was: {command}\n  = it said: {error.stderr_tail}")  # type: ignore[attr-defined]
        return FAILED
    except Exception as error:
        if isinstance(error, BrokenPipeError) and _nobody_reads():
            # `| head` has seen enough: click ends with 1, without a word.
            ffmpeg.cancel()
            raise
        if isinstance(error, OSError) and error.errno in _FULL:
            ffmpeg.cancel()
            if error.filename is None:
                # What it could not take is still in its buffer, and would fail again, and louder, at the end.
                os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            terminal.error(f"error: {error.filename or 'stdout'}: {error.strerror}\n  = hint: free some space")
            return FAILED
        terminal.error(f"this is a bug in produce; its log is in {_log(folder)}")
        return BUG
    finally:
        terminal.close()


def _nobody_reads() -> bool:
    """Whether stdout or stderr is a pipe whose other end is closed."""
    import select

    poll = select.poll()
    for number in (1, 2):
        poll.register(number, 0)
    return any(seen & (select.POLLERR | select.POLLHUP) for _, seen in poll.poll(0))


def on_interruption(handler: Callable[[int, object], None]) -> None:
    """What is done on ^C, when asked to end, and when the terminal is closed; under nohup that is nothing."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and not (name == "SIGHUP" and signal.getsignal(number) == signal.SIG_IGN):
            signal.signal(number, handler)


def _interrupt(_number: int, _frame: object) -> None:
    from audio import ffmpeg

    # Children die first: the threads that wait for them then end by themselves.
    ffmpeg.cancel()
    if "feeds.programs" in sys.modules:
        from feeds import programs

        programs.cancel()
    raise KeyboardInterrupt


def _log(folder: Path) -> str:
    import traceback

    text = traceback.format_exc()
    path = folder / "build" / "produce-bug.log"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError:
        sys.stderr.write(text)
        return "the lines above"
    return str(path)


def tell(terminal: Terminal, error: Any, root: Path | None) -> int:
    from production.errors import Problem
    from production.inputs import source_line
    from production.problems import format_problem, format_problems

    problems = getattr(error, "problems", None)
    if problems is not None:
        terminal.error(format_problems(problems, relative_to=root))
        terminal.error(f"{len(problems)} problem{'s' if len(problems) != 1 else ''}")
    elif getattr(error, "where", None):
        terminal.error(format_problem(Problem(error.where, str(error), error.hint, source_line(error.where)), relative_to=root))
    else:
        hint = getattr(error, "hint", "")
        terminal.error(f"error: {error}" + (f"\n  = hint: {hint}" if hint else ""))
    return int(error.exit_code)
