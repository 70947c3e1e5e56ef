"""What subscribers know episodes by: changed only by who means it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from production.commands import words
from production.commands.command import OK, guarded, in_folder

if TYPE_CHECKING:
    from production.terminal import Terminal


@click.command()
@click.argument("episode", shell_complete=words.episodes)
@in_folder
@click.option("--keep-guid", is_flag=True, help="Only take over the date of its config; hardly anybody downloads it again.")
def republish(episode: str, folder: Path, keep_guid: bool) -> None:
    """Let a published EPISODE appear as a new one: with another guid, and the date that its config says now.

    Every subscriber downloads it again once the feed is published. What is written is its series' file under configs/published/.
    """
    from production.terminal import Terminal

    terminal = Terminal()
    sys.exit(guarded(terminal, folder, lambda: _republish(terminal, episode, folder, keep_guid)))


def _republish(terminal: Terminal, word: str, folder: Path, keep_guid: bool) -> int:
    from production import identities, locks
    from production.targets import choose

    project, episodes = choose(folder, [word])
    for episode in episodes:
        slug, held = identities.republished(episode, locks.all_of(project), keep_guid=keep_guid)
        locks.save(project, slug, held)
        entry = held.entry(episode.number)
        assert entry is not None
        terminal.line(f"{episode.id}: guid {entry.guid}, {entry.published.isoformat()}")
        click.echo(str(locks.path_of(project, slug)))
    return OK


@click.command()
@click.argument("source", metavar="FEED")
@in_folder
@click.option(
    "--as", "name", metavar="SERIES", default=None, shell_complete=words.feed, help="The feed that it goes on as; the show's own if not said."
)
def adopt(source: str, folder: Path, name: str | None) -> None:
    """Take over guids, dates and addresses from a FEED, a file or an address, so that a show can move here and nobody downloads anything again."""
    from production.terminal import Terminal

    terminal = Terminal()
    sys.exit(guarded(terminal, folder, lambda: _adopt(terminal, source, folder, name)))


def _adopt(terminal: Terminal, source: str, folder: Path, name: str | None) -> int:
    from feeds import reader
    from feeds.errors import FeedUnreadable
    from production import identities, locks, publishing
    from production.errors import ConfigError, Problem
    from production.model import Location
    from production.targets import ALL, choose_feeds

    project, feeds = choose_feeds(folder, [name or ALL])
    # Of an address, its last name: a path has no room for more.
    where = Path(source) if Path(source).is_file() else Path(source.rstrip("/").rpartition("/")[2] or source)
    try:
        root = reader.parse(publishing.fetched(source))
    except FeedUnreadable as error:
        raise ConfigError([Problem(Location(where, error.line, error.column), error.why, "save the feed again")]) from error
    found = identities.adopted(project, feeds[-1], reader.channel(root), reader.items(root), locks.all_of(project), Location(where))
    for slug, held in found.locks.items():
        locks.save(project, slug, held)
        click.echo(str(locks.path_of(project, slug)))
    for line in found.lines:
        terminal.line(line)
    return OK
