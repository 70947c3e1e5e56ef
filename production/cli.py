"""The command line: argv -> pipeline -> exit code. Click only; everything heavy is imported when it is needed."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from production.terminal import Terminal

OK, FAILED, CONFIG, BUG, MISSING, INTERRUPTED = 0, 1, 2, 3, 4, 130


class Verbs(click.Group):
    """A first word that is no command is a target: `produce episode-14` means `produce build episode-14`."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.commands:
            args = ["build", *args]
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        # `produce --scratch episode-14` and `produce -C show episode-14`: options may stand before the target.
        if args and args[0].startswith("-") and args[0] not in ("--help", "--version", "-h") and not any(a in self.commands for a in args):
            args = ["build", *args]
        return super().parse_args(ctx, args)


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="distributed-systems-podcast", prog_name="produce")
def produce() -> None:
    """Turn recorded sections and a YAML file into a finished, navigable podcast episode.

    \b
    produce episode-14                 build one episode
    produce episode-14 --scratch       speak placeholders for missing recordings
    produce pattern-mastery            build every episode of a series
    produce all                        build the whole show
    """


@produce.command()
@click.argument("targets", nargs=-1, required=True)
@click.option("-C", "folder", type=click.Path(path_type=Path), default=Path(), help="Work in this project folder (it holds configs/).")
@click.option("--scratch", is_flag=True, help="Speak a placeholder for each missing recording.")
@click.option("--replace", is_flag=True, help="Let a scratch build take the place of one made from recordings.")
@click.option("-j", "--jobs", type=click.IntRange(1, 64), default=None, help="Cores to use (all of them).")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors and results.")
def build(targets: Sequence[str], folder: Path, scratch: bool, replace: bool, jobs: int | None, quiet: bool) -> None:
    """Build TARGETS: episode ids, paths of their YAML files, series, or 'all'."""
    from production.terminal import Terminal

    terminal = Terminal(quiet=quiet)
    sys.exit(_guarded(terminal, folder, lambda: _build(terminal, targets, folder, scratch, replace, jobs or _cores())))


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _build(terminal: Terminal, targets: Sequence[str], folder: Path, scratch: bool, replace: bool, jobs: int) -> int:
    from production import memory
    from production.errors import ConfigError, StepFailed, StepsFailed, StoreError
    from production.pipeline import Builder, Options
    from production.targets import choose
    from production.watch import Watch

    memory.give_back()
    project, episodes = choose(folder, targets)
    builder = Builder(project, Options(jobs, scratch, replace), Watch(terminal.progress, terminal.line))
    code = OK
    for episode in episodes:
        try:
            result = builder.episode(episode)
        except (ConfigError, StepsFailed, StepFailed) as error:
            # The other episodes are none the worse for it.
            code = max(code, _tell(terminal, error, project.root))
            continue
        for warning in result.warnings:
            terminal.line(f"{episode.id}: warning: {warning}")
        terminal.line(f"{episode.id}: {result.done}")
        click.echo(str(result.path))
    for series in project.series:
        if any(episode.series == series.slug for episode in episodes):
            try:
                builder.feed(series)
            except (StepFailed, StoreError) as error:
                code = max(code, _tell(terminal, error, project.root))
    terminal.close()
    return code


def _guarded(terminal: Terminal, folder: Path, work: Any) -> int:
    """Run ``work`` and turn what it raises into words and an exit code."""
    from audio import ffmpeg
    from audio.errors import AudioError, FfmpegMissing, VoiceMissing
    from production.errors import ProduceError

    signal.signal(signal.SIGINT, _interrupt)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return int(work())
    except (KeyboardInterrupt, ffmpeg.Cancelled):
        ffmpeg.cancel()
        terminal.error("interrupted; what was finished is kept, and the next run goes on from there")
        return INTERRUPTED
    except (FfmpegMissing, VoiceMissing) as error:
        terminal.error(f"error: {error}")
        return MISSING
    except ProduceError as error:
        # A folder that is no project is named: `configs` alone would not say whose.
        return _tell(terminal, error, folder if (folder / "configs").is_dir() else None)
    except AudioError as error:
        terminal.error(f"error: {error}")
        command = getattr(error, "command", None)
        if command:
            terminal.error(f"  = the command was: {command}\n  = it said: {error.stderr_tail}")  # type: ignore[attr-defined]
        return FAILED
    except Exception:
        terminal.error(f"this is a bug in produce; its log is in {_log(folder)}")
        return BUG
    finally:
        terminal.close()


def _interrupt(_number: int, _frame: object) -> None:
    from audio import ffmpeg

    # Children die first: the threads that wait for them then end by themselves.
    ffmpeg.cancel()
    raise KeyboardInterrupt


def _log(folder: Path) -> str:
    text = traceback.format_exc()
    path = folder / "build" / "produce-bug.log"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError:
        sys.stderr.write(text)
        return "the lines above"
    return str(path)


def _tell(terminal: Terminal, error: Any, root: Path | None) -> int:
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


def main() -> None:
    """The entry point of `produce`."""
    for number in (signal.SIGINT, signal.SIGTERM):
        # Until a command takes over, nothing runs that would have to be ended; click by itself would end with 1.
        signal.signal(number, lambda *_: sys.exit(INTERRUPTED))
    produce(prog_name="produce")
