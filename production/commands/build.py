"""Episodes are built, listened into, and planned."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from production.commands import words
from production.commands.command import OK, as_json, cores, echo_json, guarded, in_folder, problems_json, right_now, tell

if TYPE_CHECKING:
    from production.model import Episode, Project
    from production.pipeline import Builder
    from production.store import Store
    from production.terminal import Terminal


@click.command()
@click.argument("targets", nargs=-1, required=True, shell_complete=words.targets)
@in_folder
@click.option("--scratch", is_flag=True, help="Speak a placeholder for each missing recording.")
@click.option("--replace", is_flag=True, help="Let a scratch build take the place of one made from recordings.")
@click.option("-j", "--jobs", type=click.IntRange(1, 64), default=None, help="Cores to use (all of them).")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors and results.")
@click.option("--preview", metavar="START+LENGTH", callback=lambda *said: _as_window(said[-1]), help="Only render a window, as 1:30:00+60.")
@click.option("--joins", is_flag=True, help="Only cut the seconds around all joins out of the finished file.")
@click.option("--strict", is_flag=True, help="Take what is wrong with recordings or the finished file for errors: nothing is replaced then.")
def build(
    targets: Sequence[str],
    folder: Path,
    scratch: bool,
    replace: bool,
    jobs: int | None,
    quiet: bool,
    preview: tuple[float, float] | None,
    joins: bool,
    strict: bool,
) -> None:
    """Build TARGETS: episode ids, paths of their YAML files, series, or 'all'."""
    from production.terminal import Terminal

    terminal = Terminal(quiet=quiet)
    if preview or joins:
        sys.exit(guarded(terminal, folder, lambda: _listen(terminal, targets, folder, scratch, jobs or cores(), preview)))
    sys.exit(guarded(terminal, folder, lambda: _build(terminal, targets, folder, _Wishes(jobs or cores(), scratch, replace, strict))))


@dataclass(frozen=True, slots=True)
class _Wishes:
    """What was asked for, before anything of the pipeline is loaded."""

    jobs: int
    scratch: bool
    replace: bool
    strict: bool


def _as_window(text: str | None) -> tuple[float, float] | None:
    from production.clock import window

    try:
        return None if text is None else window(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r}: {error}") from None


def _listen(terminal: Terminal, targets: Sequence[str], folder: Path, scratch: bool, jobs: int, preview: tuple[float, float] | None) -> int:
    from audio import memory
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


@click.command("plan")
@click.argument("targets", nargs=-1, required=True, shell_complete=words.targets)
@in_folder
@click.option("--scratch", is_flag=True, help="Count on a placeholder for each missing recording.")
@click.option("-j", "--jobs", type=click.IntRange(1, 64), default=None, help="Cores to use (all of them).")
@as_json
def plan_(targets: Sequence[str], folder: Path, scratch: bool, jobs: int | None, as_json: bool) -> None:
    """Say what building TARGETS would do, and why, how large the files will be and how long it takes. Nothing is built.

    Also the minutes that are planned against those that are recorded, of the whole and of each section.
    """
    from production.terminal import Terminal

    terminal = Terminal(quiet=False)
    sys.exit(guarded(terminal, folder, lambda: _plan(terminal, targets, folder, scratch, jobs or cores(), as_json)))


def _plan(terminal: Terminal, targets: Sequence[str], folder: Path, scratch: bool, jobs: int, as_json: bool) -> int:
    from audio import memory
    from production.errors import ConfigError, StepFailed, StepsFailed
    from production.minutes import Minutes
    from production.pipeline import Builder, Options
    from production.targets import choose
    from production.watch import Watch

    memory.one_thread_each()
    project, episodes = choose(folder, targets)
    builder = Builder(project, Options(jobs, scratch), Watch(terminal.progress, terminal.line))
    code = OK
    told: list[dict[str, Any]] = []
    for episode in episodes:
        try:
            with builder.store.using(lambda: terminal.line("waiting: produce gc is removing entries")):
                found = builder.look(episode)
            told.append(found.as_json())
            for line in () if as_json else found.lines():
                click.echo(line)
        except (ConfigError, StepsFailed, StepFailed) as error:
            minutes = Minutes.of(episode)
            told.append({"id": episode.id, "problems": problems_json(error, project.root), "planned_minutes": minutes.as_json()})
            # What is planned is known before anything is recorded.
            if not as_json and minutes.told():
                click.echo(f"{episode.id}: {minutes.told()}")
            code = max(code, tell(terminal, error, project.root))
    if as_json:
        echo_json({"episodes": told})
    return code


def _build(terminal: Terminal, targets: Sequence[str], folder: Path, wishes: _Wishes) -> int:
    from audio import memory
    from production.pipeline import Builder, Options
    from production.targets import choose
    from production.watch import Watch

    memory.give_back()
    memory.one_thread_each()
    project, episodes = choose(folder, targets)
    builder = Builder(project, Options(wishes.jobs, wishes.scratch, wishes.replace, wishes.strict), Watch(terminal.progress, terminal.line))
    with builder.store.using(lambda: terminal.line("waiting: produce gc is removing entries")):
        code = _build_each(terminal, builder, project, episodes)
    terminal.close()
    if builder.store.grown:
        _keep_to_limit(terminal, builder.store, project.show.store.limit)
    return code


def _build_each(terminal: Terminal, builder: Builder, project: Project, episodes: Sequence[Episode]) -> int:
    from production.errors import ConfigError, StepFailed, StepsFailed, StoreError
    from production.feed import feeds_of

    code = OK
    for episode in episodes:
        builder.store.begin()
        try:
            result = builder.episode(episode)
        except (ConfigError, StepsFailed, StepFailed) as error:
            # The other episodes are none the worse for it.
            code = max(code, tell(terminal, error, project.root))
            continue
        if result.reasons:
            from production import gc

            gc.note(builder.store, result.path.parent)
        for warning in result.warnings:
            terminal.line(f"{episode.id}: warning: {warning}")
        terminal.line(f"{episode.id}: {result.done}")
        click.echo(str(result.path))
        try:
            builder.desk(episode)
        except (ConfigError, StepFailed, StepsFailed, StoreError) as error:
            code = max(code, tell(terminal, error, project.root))
    changed = {episode.series for episode in episodes}
    for one in feeds_of(project):
        if one.slug in changed or one is project.show:
            try:
                builder.feed(one, right_now())
            except (ConfigError, StepFailed, StepsFailed, StoreError) as error:
                code = max(code, tell(terminal, error, project.root))
                if one is project.show:
                    # Its pages are made of it, and would say the same.
                    return code
    try:
        builder.site(right_now())
    except (ConfigError, StepFailed, StepsFailed, StoreError) as error:
        code = max(code, tell(terminal, error, project.root))
    return code


def _keep_to_limit(terminal: Terminal, store: Store, limit: int) -> None:
    from production import gc
    from production.errors import StoreError

    try:
        swept = gc.after_build(store, limit, right_now().timestamp())
    except StoreError as error:
        # What was asked for is built: this is no reason to call it failed.
        terminal.line(f"store: no room was made: {error}")
    else:
        if swept and swept.removed:
            terminal.line(gc.in_a_line(swept, limit))
