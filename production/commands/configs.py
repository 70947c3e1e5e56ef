"""What the configs say, and what they may say: explained, described for editors, changed."""

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


@click.command("set")
@click.argument("target", shell_complete=words.configs)
@click.argument("assignments", metavar="KEY=VALUE...", nargs=-1, required=True, shell_complete=words.assignments)
@in_folder
@click.option("--dry-run", is_flag=True, help="Only show what would change.")
def set_(target: str, assignments: Sequence[str], folder: Path, dry_run: bool) -> None:
    """Change values in the config of TARGET (an episode, a series, or show): comments and layout stay.

    \b
    produce set episode-14 title="Events, all the way down" sections.cold-open.gap=3
    produce set show defaults.loudness.target=apple
    produce set episode-14 layout.gap=             removes the key

    The whole project is checked with it first; what would not pass is not written.
    """
    from production.terminal import Terminal

    terminal = Terminal()
    sys.exit(guarded(terminal, folder, lambda: _set(terminal, target, assignments, folder, dry_run)))


def _set(terminal: Terminal, target: str, assignments: Sequence[str], folder: Path, dry_run: bool) -> int:
    from production import edit, setting

    change = setting.prepared(folder, target, assignments)
    name = shown(change.path, folder)
    for line in edit.difference(name, change.before, change.after):
        click.echo(line)
    if change.before == change.after:
        terminal.line(f"{name}: that is what it says already")
    elif not dry_run:
        change.save()
    return OK
