"""The store is kept within its limit, and the machine is looked at."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from production.commands.command import FAILED, MISSING, OK, as_json, echo_json, guarded, in_folder, right_now, width

if TYPE_CHECKING:
    from production.terminal import Terminal


@click.command()
@in_folder
@click.option("--limit", metavar="SIZE", callback=lambda *said: _as_size(said[-1]), help="Keep no more than this, as 20 GB, 500 MB or 0.")
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
def gc(folder: Path, limit: int | None, dry_run: bool) -> None:
    """Keep the store within its limit: remove what was not used for longest.

    The store holds what builds made on the way (chunks, measurements, pictures); whatever is removed is made again when it is needed. Finished
    episodes are not touched. The limit is store.limit in configs/show.yaml, 20 GB if it says nothing; a build that ends above it does this by itself.
    """
    from production.terminal import Terminal

    terminal = Terminal()
    sys.exit(guarded(terminal, folder, lambda: _gc(terminal, folder, limit, dry_run)))


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
    wanted, store, now = project.show.store.limit if limit is None else limit, project.root / FOLDER, right_now().timestamp()
    if dry_run:
        click.echo("\n".join(gc.in_lines(gc.preview(store, wanted, now), wanted, done=False)))
    else:
        swept = gc.sweep(store, wanted, now, lambda: terminal.line("waiting: another produce is at work"))
        click.echo("\n".join(gc.in_lines(swept, wanted)))
    return OK


@click.command("doctor")
@in_folder
@as_json
def doctor_(folder: Path, as_json: bool) -> None:
    """Say what builds need of this machine, what is missing, and how to get it. Ends with 0 when builds would work, with 4 when a tool is missing."""
    from production.terminal import Terminal

    terminal = Terminal()
    sys.exit(guarded(terminal, folder, lambda: _doctor(terminal, folder, as_json)))


def _doctor(terminal: Terminal, folder: Path, as_json: bool) -> int:
    from production import doctor

    found = doctor.examined(folder, sys.stdout.encoding if sys.stdout else "utf-8", width())
    lacking = [one for one in found if one.status in (doctor.MISSING, doctor.BROKEN)]
    if as_json:
        echo_json({"ok": not lacking, "findings": [one.as_json() for one in found]})
    else:
        for one in found:
            click.echo(one.line())
        terminal.line(f"builds do not work here: {', '.join(one.name for one in lacking)}" if lacking else "builds work here")
    return OK if not lacking else MISSING if any(one.status == doctor.MISSING for one in lacking) else FAILED
