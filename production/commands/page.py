"""The listener's pages are written, and the desks of who makes them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from production.commands import words
from production.commands.command import OK, cores, guarded, in_folder, right_now

if TYPE_CHECKING:
    from production.terminal import Terminal


@click.command()
@click.argument("targets", nargs=-1, required=True, shell_complete=words.targets)
@in_folder
@click.option("--public", is_flag=True, help="The pages to put on the web: of what was published, with the sound from there.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors and results.")
def page(targets: Sequence[str], folder: Path, public: bool, quiet: bool) -> None:
    """Bring the listener's pages under build/site/ up to date, and the review desks of the TARGETS (build/EPISODE/desk.html): episode ids, series, or
    'all'. Names both.
    """
    from production.terminal import Terminal

    terminal = Terminal(quiet=quiet)
    sys.exit(guarded(terminal, folder, lambda: _page(terminal, targets, folder, public)))


def _page(terminal: Terminal, words: Sequence[str], folder: Path, public: bool) -> int:
    from production.pipeline import Builder, Options
    from production.site import shelf
    from production.targets import ALL, choose
    from production.watch import Watch

    project, episodes = choose(folder, words)
    builder = Builder(project, Options(cores()), Watch(terminal.progress, terminal.line))
    with builder.store.using(lambda: terminal.line("waiting: produce gc is removing entries")):
        desks = [path for one in episodes if not public and (path := builder.desk(one))]
        for path in desks:
            click.echo(str(path))
        files = builder.site(right_now(), public=public)
    for path in shelf.pages_of(project, files, words, episodes, whole=ALL in words):
        click.echo(str(path))
    return OK
