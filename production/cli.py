"""The command line: argv -> pipeline -> exit code. Click only; everything heavy is imported when it is needed."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from production.model import Episode, Project
    from production.pipeline import Builder
    from production.store import Store
    from production.terminal import Terminal

OK, FAILED, CONFIG, BUG, MISSING, INTERRUPTED = 0, 1, 2, 3, 4, 130
_TAKE_A_VALUE = ("-C", "-j", "--jobs", "--limit", "--preview")


class Verbs(click.Group):
    """A first word that is no command is a target: `produce episode-14` means `produce build episode-14`."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.commands:
            args = ["build", *args]
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        # `produce --scratch episode-14` and `produce -C show gc`: options may stand before the target and before the verb, which is the first
        # word that is neither an option nor the value of one.
        if args and args[0].startswith("-") and args[0] not in ("--help", "--version", "-h"):
            words = (i for i, word in enumerate(args) if not word.startswith("-") and args[max(0, i - 1)] not in _TAKE_A_VALUE)
            first = next(words, 0)
            args = [args[first], *args[:first], *args[first + 1 :]] if args[first] in self.commands else ["build", *args]
        return super().parse_args(ctx, args)


def _say_version(context: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        # click's own option loads importlib.metadata, which takes longer than everything else that this needs.
        from production.versions import version

        click.echo(f"produce, version {version('distributed-systems-podcast')}")
        context.exit()


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_say_version, help="Show the version and exit.")
def produce() -> None:
    """Turn recorded sections and a YAML file into a finished, navigable podcast episode.

    \b
    produce episode-14                 build one episode
    produce episode-14 --scratch       speak placeholders for missing recordings
    produce pattern-mastery            build every episode of a series
    produce all                        build the whole show
    produce plan episode-14            say what a build would do, and why
    produce gc                         make room: remove what has not been used for long
    """


@produce.command()
@click.argument("targets", nargs=-1, required=True)
@click.option("-C", "folder", type=click.Path(path_type=Path), default=Path(), help="Work in this project folder (it holds configs/).")
@click.option("--scratch", is_flag=True, help="Speak a placeholder for each missing recording.")
@click.option("--replace", is_flag=True, help="Let a scratch build take the place of one made from recordings.")
@click.option("-j", "--jobs", type=click.IntRange(1, 64), default=None, help="Cores to use (all of them).")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors and results.")
@click.option("--preview", metavar="START+LENGTH", callback=lambda *said: _as_window(said[-1]), help="Only render a window, as 1:30:00+60.")
@click.option("--joins", is_flag=True, help="Only cut the seconds around all joins out of the finished file.")
def build(
    targets: Sequence[str],
    folder: Path,
    scratch: bool,
    replace: bool,
    jobs: int | None,
    quiet: bool,
    preview: tuple[float, float] | None,
    joins: bool,
) -> None:
    """Build TARGETS: episode ids, paths of their YAML files, series, or 'all'."""
    from production.terminal import Terminal

    terminal = Terminal(quiet=quiet)
    if preview or joins:
        sys.exit(_guarded(terminal, folder, lambda: _listen(terminal, targets, folder, scratch, jobs or _cores(), preview)))
    sys.exit(_guarded(terminal, folder, lambda: _build(terminal, targets, folder, scratch, replace, jobs or _cores())))


def _as_window(text: str | None) -> tuple[float, float] | None:
    from production.clock import window

    try:
        return None if text is None else window(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r}: {error}") from None


def _listen(terminal: Terminal, targets: Sequence[str], folder: Path, scratch: bool, jobs: int, preview: tuple[float, float] | None) -> int:
    from production import memory
    from production.clock import clock
    from production.pipeline import Builder, Options
    from production.targets import choose
    from production.watch import Watch

    memory.give_back()
    memory.one_thread_each()
    project, episodes = choose(folder, targets)
    builder = Builder(project, Options(jobs, scratch), Watch(terminal.progress, terminal.line))
    with builder.store.using(lambda: terminal.line("waiting: produce gc is removing entries")):
        for episode in episodes:
            if preview:
                click.echo(str(builder.preview(episode, *preview)))
                continue
            path, begins = builder.joins(episode)
            click.echo(str(path))
            for at, start in begins:
                terminal.line(f"{clock(at)}  is {clock(start)} of {episode.id}")
    return OK


@produce.command("plan")
@click.argument("targets", nargs=-1, required=True)
@click.option("-C", "folder", type=click.Path(path_type=Path), default=Path(), help="Work in this project folder (it holds configs/).")
@click.option("--scratch", is_flag=True, help="Count on a placeholder for each missing recording.")
@click.option("-j", "--jobs", type=click.IntRange(1, 64), default=None, help="Cores to use (all of them).")
def plan_(targets: Sequence[str], folder: Path, scratch: bool, jobs: int | None) -> None:
    """Say what building TARGETS would do, and why, how large the files will be and how long it takes. Nothing is built."""
    from production.terminal import Terminal

    terminal = Terminal(quiet=False)
    sys.exit(_guarded(terminal, folder, lambda: _plan(terminal, targets, folder, scratch, jobs or _cores())))


def _plan(terminal: Terminal, targets: Sequence[str], folder: Path, scratch: bool, jobs: int) -> int:
    from production import memory
    from production.errors import ConfigError, StepFailed, StepsFailed
    from production.pipeline import Builder, Options
    from production.targets import choose
    from production.watch import Watch

    memory.one_thread_each()
    project, episodes = choose(folder, targets)
    builder = Builder(project, Options(jobs, scratch), Watch(terminal.progress, terminal.line))
    code = OK
    for episode in episodes:
        try:
            with builder.store.using(lambda: terminal.line("waiting: produce gc is removing entries")):
                found = builder.look(episode)
            for line in found.lines():
                click.echo(line)
        except (ConfigError, StepsFailed, StepFailed) as error:
            code = max(code, _tell(terminal, error, project.root))
    return code


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _build(terminal: Terminal, targets: Sequence[str], folder: Path, scratch: bool, replace: bool, jobs: int) -> int:
    from production import memory
    from production.pipeline import Builder, Options
    from production.targets import choose
    from production.watch import Watch

    memory.give_back()
    memory.one_thread_each()
    project, episodes = choose(folder, targets)
    builder = Builder(project, Options(jobs, scratch, replace), Watch(terminal.progress, terminal.line))
    with builder.store.using(lambda: terminal.line("waiting: produce gc is removing entries")):
        code = _build_each(terminal, builder, project, episodes)
    terminal.close()
    if builder.store.grown:
        _keep_to_limit(terminal, builder.store, project.show.store.limit)
    return code


def _build_each(terminal: Terminal, builder: Builder, project: Project, episodes: Sequence[Episode]) -> int:
    from production.errors import ConfigError, StepFailed, StepsFailed, StoreError

    code = OK
    for episode in episodes:
        builder.store.begin()
        try:
            result = builder.episode(episode)
        except (ConfigError, StepsFailed, StepFailed) as error:
            # The other episodes are none the worse for it.
            code = max(code, _tell(terminal, error, project.root))
            continue
        if result.reasons:
            from production import gc

            gc.note(builder.store, result.path.parent)
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
    return code


def _keep_to_limit(terminal: Terminal, store: Store, limit: int) -> None:
    from production import gc
    from production.errors import StoreError

    try:
        swept = gc.after_build(store, limit, time.time())
    except StoreError as error:
        # What was asked for is built: this is no reason to call it failed.
        terminal.line(f"store: no room was made: {error}")
    else:
        if swept and swept.removed:
            terminal.line(gc.in_a_line(swept, limit))


@produce.command()
@click.option("-C", "folder", type=click.Path(path_type=Path), default=Path(), help="Work in this project folder (it holds configs/).")
@click.option("--limit", metavar="SIZE", callback=lambda *said: _as_size(said[-1]), help="Keep no more than this, as 20 GB, 500 MB or 0.")
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
def gc(folder: Path, limit: int | None, dry_run: bool) -> None:
    """Keep the store within its limit: remove what was not used for longest.

    The store holds what builds made on the way (chunks, measurements, pictures); whatever is removed is made again when it is needed. Finished
    episodes are not touched. The limit is store.limit in configs/show.yaml, 20 GB if it says nothing; a build that ends above it does this by itself.
    """
    from production.terminal import Terminal

    terminal = Terminal()
    sys.exit(_guarded(terminal, folder, lambda: _gc(terminal, folder, limit, dry_run)))


def _as_size(text: str | None) -> int | None:
    from production.sizes import size

    try:
        return None if text is None else size(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no size: {error}") from None


def _gc(terminal: Terminal, folder: Path, limit: int | None, dry_run: bool) -> int:
    from production import gc
    from production.config import load_project
    from production.store import FOLDER

    project = load_project(folder)
    wanted, store, now = project.show.store.limit if limit is None else limit, project.root / FOLDER, time.time()
    if dry_run:
        click.echo("\n".join(gc.in_lines(gc.preview(store, wanted, now), wanted, done=False)))
    else:
        swept = gc.sweep(store, wanted, now, lambda: terminal.line("waiting: another produce is at work"))
        click.echo("\n".join(gc.in_lines(swept, wanted)))
    return OK


def _guarded(terminal: Terminal, folder: Path, work: Any) -> int:
    """Run ``work`` and turn what it raises into words and an exit code."""
    from audio import ffmpeg
    from audio.errors import AudioError, DenoiserMissing, FfmpegMissing, VoiceMissing
    from production.errors import ProduceError

    signal.signal(signal.SIGINT, _interrupt)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return int(work())
    except (KeyboardInterrupt, ffmpeg.Cancelled):
        ffmpeg.cancel()
        terminal.error("interrupted; what was finished is kept, and the next run goes on from there")
        return INTERRUPTED
    except (DenoiserMissing, FfmpegMissing, VoiceMissing) as error:
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
    from production import memory

    memory.collect_seldom()
    memory.switch_often()
    produce(prog_name="produce")
