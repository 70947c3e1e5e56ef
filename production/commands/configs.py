"""What the configs say, and what they may say: explained, and described for editors."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from production.commands import words
from production.commands.command import CONFIG, OK, as_json, echo_json, guarded, in_folder, shown, width

if TYPE_CHECKING:
    from production.terminal import Terminal


@click.command("explain")
@click.argument("episode", shell_complete=words.episodes)
@click.argument("key", required=False, shell_complete=words.keys)
@in_folder
@as_json
def explain_(episode: str, key: str | None, folder: Path, as_json: bool) -> None:
    """Say each value of an EPISODE as it will be used, and the file and line it comes from.

    KEY is one value or a group of them: title, loudness, loudness.target, sections.cold-open.gap; sections[3] is the third.
    """
    from production.terminal import Terminal

    terminal = Terminal()
    sys.exit(guarded(terminal, folder, lambda: _explain(terminal, episode, key, folder, as_json)))


def _explain(terminal: Terminal, word: str, key: str | None, folder: Path, as_json: bool) -> int:
    from production import explain, recordings
    from production.targets import choose

    project, chosen = choose(folder, [word])
    every = []
    for one in chosen:
        files = {slug: shown(path, project.root) if path else None for slug, path in recordings.recorded(project, one).items()}
        found = explain.explained(project, one, files)
        try:
            every.append((one, explain.below(found, key) if key else found))
        except explain.UnknownKey as error:
            terminal.error(f"error: {error}\n  = hint: {error.hint}")
            return CONFIG
    if as_json:
        echo_json({one.id: [explain.as_json(value, project) for value in values] for one, values in every})
        return OK
    for one, values in every:
        if len(every) > 1:
            click.echo(f"{one.id}:")
        for line in explain.in_lines(values, project, width()):
            click.echo(line)
    return OK


@click.command("schema")
@click.argument("kinds", nargs=-1, type=click.Choice(["show", "series", "episode"]))
@in_folder
@click.option("--write", "writing", is_flag=True, help="Write them to configs/schema/, where the first line of a config names them.")
def schema_(kinds: Sequence[str], folder: Path, writing: bool) -> None:
    """Give the JSON Schema of config files, for editors: of show, series or episode files, or of all three."""
    from production.terminal import Terminal

    terminal = Terminal()
    sys.exit(guarded(terminal, folder, lambda: _schema(kinds, folder, writing)))


def _schema(kinds: Sequence[str], folder: Path, writing: bool) -> int:
    from production import json_schema
    from production.errors import ConfigError, Problem
    from production.files import CONFIGS
    from production.model import Location
    from production.store import disk_errors, write

    wanted = kinds or json_schema.KINDS
    if writing and not (folder / CONFIGS).is_dir():
        raise ConfigError([Problem(Location(folder / CONFIGS), f"no {CONFIGS}/ here", "use -C DIR to name the project folder")])
    if writing:
        for kind in wanted:
            path = json_schema.path_of(folder, kind)
            with disk_errors(path):
                write(path, json_schema.text(kind))
            click.echo(str(path))
    elif len(wanted) == 1:
        click.echo(json_schema.text(wanted[0]), nl=False)
    else:
        echo_json({kind: json_schema.document(kind) for kind in wanted})
    return OK
