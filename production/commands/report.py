"""What is built is drawn."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from production.commands import words
from production.commands.command import OK, cores, guarded, in_folder, tell

if TYPE_CHECKING:
    from production.terminal import Terminal


@click.command("report")
@click.argument("targets", nargs=-1, required=True, shell_complete=words.targets)
@in_folder
@click.option("-j", "--jobs", type=click.IntRange(1, 64), default=None, help="Cores to use (all of them).")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors and results.")
def report_(targets: Sequence[str], folder: Path, jobs: int | None, quiet: bool) -> None:
    """Draw what is built of TARGETS: for each episode a page and a picture, and for a series or 'all' its episodes beside each other."""
    from production.terminal import Terminal

    terminal = Terminal(quiet=quiet)
    sys.exit(guarded(terminal, folder, lambda: _report(terminal, targets, folder, jobs or cores())))


def _report(terminal: Terminal, targets: Sequence[str], folder: Path, jobs: int) -> int:
    from audio import memory
    from production import reporting
    from production.errors import StepFailed
    from production.pipeline import Builder, Options
    from production.targets import ALL, choose
    from production.watch import Watch

    memory.one_thread_each()
    project, episodes = choose(folder, targets)
    builder = Builder(project, Options(jobs), Watch(terminal.progress, terminal.line))
    reporter, sheets = reporting.Reporter(builder, terminal.line), reporting.sheets(project, targets, ALL)
    beside = {one.id for sheet in sheets for one in sheet.episodes}
    rows, code = [], OK
    with builder.store.using(lambda: terminal.line("waiting: produce gc is removing entries")):
        # Of a season, what is not built yet is told by its sheet.
        for episode in (one for one in episodes if one.id not in beside or reporter.built(one)):
            try:
                page, picture, row = reporter.episode(episode)
            except StepFailed as error:
                code = max(code, tell(terminal, error, project.root))
                continue
            click.echo(f"{page}\n{picture}")
            rows.append(row)
        if sheets and not rows:
            raise StepFailed("report", "nothing of it is built", hint="build it first: produce all")
        for sheet in sheets:
            for path in reporter.sheet(sheet, rows):
                click.echo(str(path))
    return code
