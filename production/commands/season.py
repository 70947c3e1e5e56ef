"""How far the season is."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from production.commands import words
from production.commands.command import OK, as_json, echo_json, guarded, in_folder, width


@click.command("list")
@click.argument("targets", nargs=-1, shell_complete=words.targets)
@in_folder
@as_json
def list_(targets: Sequence[str], folder: Path, as_json: bool) -> None:
    """List the episodes of TARGETS (all of them if none is named): how far each is, how long, when it comes out."""
    from production.terminal import Terminal

    terminal = Terminal()
    sys.exit(guarded(terminal, folder, lambda: _list(targets, folder, as_json)))


def _list(targets: Sequence[str], folder: Path, as_json: bool) -> int:
    from production import season
    from production.files import CONFIGS
    from production.store import FOLDER
    from production.targets import ALL, choose

    project, chosen = choose(folder, targets or [ALL])
    ids = {one.id for one in chosen}
    published = set[int]()
    if (project.root / CONFIGS / "published").is_dir():
        from production import locks

        published = {entry.number for entry in locks.entries(project)}
    found = [one for one in season.standings(project, project.root / FOLDER.parent, published) if one.episode.id in ids]
    if as_json:
        echo_json({"episodes": [one.as_json() for one in found]})
    else:
        for line in season.in_lines(project, found, width()):
            click.echo(line)
    return OK
