"""Recordings without a transcript get a draft of one."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from production.commands import words
from production.commands.command import OK, guarded, in_folder

if TYPE_CHECKING:
    from production.terminal import Terminal


@click.command()
@click.argument("targets", nargs=-1, required=True, shell_complete=words.targets)
@in_folder
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors and results.")
def transcribe(targets: Sequence[str], folder: Path, quiet: bool) -> None:
    """Write a draft of a transcript beside each recording of TARGETS that has none, heard on this machine (the [transcribe] extra).

    It is right about when something is said and often wrong about what: read it over. A build then takes it through every trim and cut into the feed.
    """
    from production.terminal import Terminal

    terminal = Terminal(quiet=quiet)
    sys.exit(guarded(terminal, folder, lambda: _transcribe(terminal, targets, folder)))


def _transcribe(terminal: Terminal, targets: Sequence[str], folder: Path) -> int:
    from production.store import FOLDER, Store
    from production.targets import choose
    from production.transcribing import drafts

    project, episodes = choose(folder, targets)
    store = Store(project.root / FOLDER)

    for episode in episodes:
        written = 0
        for path in drafts(project, episode, store, lambda name, done, of: terminal.progress(name, done, of or 0.0)):
            written += 1
            click.echo(str(path))
        terminal.line(
            f"{episode.id}: {written or 'no'} draft(s) written" + ("" if written else ": every recording has a transcript, or there is none")
        )
    return OK
