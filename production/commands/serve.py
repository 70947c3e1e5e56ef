"""The show is served to this machine."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from production.commands.command import OK, guarded, in_folder

if TYPE_CHECKING:
    from production.terminal import Terminal

_PORT = 8350


@click.command()
@in_folder
@click.option("--port", type=click.IntRange(0, 65535), default=_PORT, help=f"The port of 127.0.0.1 to listen on ({_PORT}); 0 takes one that is free.")
def serve(folder: Path, port: int) -> None:
    """Let podcast apps on this machine subscribe to the show as it will be published, until ^C.

    Every feed holds whatever is built, whenever its date is; a new build, config or lock is seen at once. Nobody on another machine is answered.
    """
    from production.terminal import Terminal

    terminal = Terminal()
    sys.exit(guarded(terminal, folder, lambda: _serve(terminal, folder, port)))


def _serve(terminal: Terminal, folder: Path, port: int) -> int:
    from production import serve
    from production.web import Server

    with Server(port) as server:
        site = serve.Site(folder, server.address, terminal.line)
        click.echo("\n".join(site.feeds()))
        terminal.line(f"feeds to subscribe to; what is in them: {server.address}; ^C ends it")
        # Somebody has to end it: it has then done what was asked for, and 130 would say that it was cut short.
        with contextlib.suppress(KeyboardInterrupt):
            server.serve(site.find, terminal.line)
    return OK
