"""Feeds are written, checked, compared, published and taken back."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from production.commands import words
from production.commands.command import CONFIG, FAILED, OK, as_json, cores, echo_json, guarded, in_folder, problem_json, right_now, tell

if TYPE_CHECKING:
    from feeds.lock import Lock
    from feeds.pages import OutgoingPage
    from production.terminal import Terminal


to_target = click.option(
    "--to",
    "name",
    metavar="TARGET",
    default=None,
    shell_complete=words.places,
    help="Which of the targets in configs/show.yaml; the only one if not said.",
)


@click.command("feed")
@click.argument("feeds", nargs=-1, required=True, shell_complete=words.feeds)
@in_folder
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors and results.")
def feed_(feeds: Sequence[str], folder: Path, quiet: bool) -> None:
    """Write the FEEDS: a series, the show, or 'all', from what is built and what was published. Nothing is sent anywhere."""
    from production.terminal import Terminal

    terminal = Terminal(quiet=quiet)
    sys.exit(guarded(terminal, folder, lambda: _feed(terminal, feeds, folder)))


def _feed(terminal: Terminal, words: Sequence[str], folder: Path) -> int:
    from production.errors import ProduceError
    from production.pipeline import Builder, Options
    from production.targets import choose_feeds
    from production.watch import Watch

    project, feeds = choose_feeds(folder, words)
    builder = Builder(project, Options(cores()), Watch(terminal.progress, terminal.line))
    code = OK
    with builder.store.using(lambda: terminal.line("waiting: produce gc is removing entries")):
        for one in feeds:
            try:
                click.echo(str(builder.feed(one, right_now())))
            except ProduceError as error:
                code = max(code, tell(terminal, error, project.root))
    return code


@click.command("check")
@click.argument("feeds", nargs=-1, shell_complete=words.feeds)
@in_folder
@click.option("--strict", is_flag=True, help="Fail for warnings too.")
@click.option("--apps", is_flag=True, help="Also say what each app will show of every episode.")
@as_json
def check_(feeds: Sequence[str], folder: Path, strict: bool, apps: bool, as_json: bool) -> None:
    """Check configs, recordings, artwork and FEEDS (all of them if none is named), without decoding or sending anything.

    What is not recorded yet is listed, and fails with --strict alone.
    """
    from production.terminal import Terminal

    terminal = Terminal()
    sys.exit(guarded(terminal, folder, lambda: _check(terminal, feeds, folder, strict, apps, as_json)))


def _check(terminal: Terminal, words: Sequence[str], folder: Path, strict: bool, apps: bool, as_json: bool) -> int:
    from production import publishing, stock
    from production.errors import ConfigError
    from production.inputs import source_line
    from production.minutes import Minutes
    from production.pipeline import BUILD
    from production.problems import format_problems
    from production.store import FOLDER, Store
    from production.targets import ALL, choose_feeds

    try:
        project, wanted = choose_feeds(folder, words or [ALL])
    except ConfigError as error:
        if as_json:
            problems = list(error.problems)
            echo_json(
                {"errors": len(problems), "warnings": 0, "problems": [problem_json(one, folder) for one in problems], "feeds": [], "episodes": []}
            )
            return CONFIG
        raise
    slugs = {one.slug for one in wanted}
    meant = [one for one in project.episodes if project.show.slug in slugs or one.series in slugs]
    there = stock.stock(project, meant, source_line)
    store, now = Store(project.root / FOLDER), right_now()
    with store.using(lambda: terminal.line("waiting: produce gc is removing entries")):
        made = publishing.ready(project, wanted, project.root / BUILD, store, now)
    publishing.save(made, project.root / BUILD)
    problems = [*there.problems, *publishing.problems_of(made, now)]
    errors = sum(one.severity == "error" for one in problems)
    if as_json:
        told = [
            {"id": one.episode.id, "recorded": one.recorded, "missing": one.missing, "planned_minutes": Minutes.of(one.episode).as_json()}
            for one in there.takes
        ]
        counted = {"errors": errors, "warnings": len(problems) - errors}
        listed = {"problems": [problem_json(one, project.root) for one in problems], "feeds": list(made.texts), "episodes": told}
        echo_json({**counted, **listed, **({"apps": list(publishing.shown(made))} if apps else {})})
    else:
        if problems:
            click.echo(format_problems(problems, relative_to=project.root))
        for line in (*there.lines(), *(publishing.shown(made) if apps else ())):
            click.echo(line)
        terminal.line(f"{errors} kind(s) of error, {len(problems) - errors} of warning, in {len(made.texts)} feed(s) and {len(meant)} episode(s)")
    return FAILED if errors or (strict and (problems or there.missing)) else OK


@click.command("diff")
@click.argument("feeds", nargs=-1, shell_complete=words.feeds)
@in_folder
@click.option(
    "--to", "name", metavar="TARGET", default=None, shell_complete=words.places, help="Against what is published there; the only target if not said."
)
@click.option("--against", type=click.Path(path_type=Path, exists=True, dir_okay=False), default=None, help="Against a saved feed instead.")
@as_json
def diff_(feeds: Sequence[str], folder: Path, name: str | None, against: Path | None, as_json: bool) -> None:
    """Say what subscribers of the FEEDS will see once they are published: new, changed and removed episodes, and what is downloaded again."""
    from production.terminal import Terminal

    terminal = Terminal()
    sys.exit(guarded(terminal, folder, lambda: _diff(terminal, feeds, folder, name, against, as_json)))


def _diff(terminal: Terminal, words: Sequence[str], folder: Path, name: str | None, against: Path | None, as_json: bool) -> int:
    from production import publishing
    from production.pipeline import BUILD
    from production.store import FOLDER, Store
    from production.targets import ALL, choose_feeds

    project, wanted = choose_feeds(folder, words or [ALL])
    if against and len(wanted) != 1:
        raise click.UsageError("a saved feed is one feed: name which one it is to be compared with")
    store = Store(project.root / FOLDER)
    with store.using(lambda: terminal.line("waiting: produce gc is removing entries")):
        made = publishing.ready(project, wanted, project.root / BUILD, store, right_now())
    before = {wanted[0].slug: against.read_bytes()} if against else publishing.published(project, publishing.place_of(project, name), made)
    found = {slug: publishing.changes(made, slug, before.get(slug)) for slug in made.texts}
    if as_json:
        echo_json({slug: one.as_json() for slug, one in found.items()})
    else:
        for slug, one in found.items():
            for line in one.lines():
                click.echo(f"{slug}: {line}")
    return OK


@click.command("publish")
@click.argument("feeds", nargs=-1, shell_complete=words.feeds)
@in_folder
@to_target
@click.option("--dry-run", is_flag=True, help="Only say what would be sent, and what subscribers would see.")
@click.option("--allow-removal", is_flag=True, help="Let published episodes leave their feed.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors and results.")
def publish_(feeds: Sequence[str], folder: Path, name: str | None, dry_run: bool, allow_removal: bool, quiet: bool) -> None:
    """Send the FEEDS (all of them if none is named) and what they name to a target: files first, each read back, then the feeds, and the listener's
    pages last, where the target keeps them (pages: FOLDER).
    """
    from production.terminal import Terminal

    terminal = Terminal(quiet=quiet)
    sys.exit(guarded(terminal, folder, lambda: _publish(terminal, feeds, folder, name, dry_run, allow_removal)))


def _publish(terminal: Terminal, words: Sequence[str], folder: Path, name: str | None, dry_run: bool, removing: bool) -> int:
    from production import publishing, webpages
    from production.pipeline import BUILD
    from production.store import FOLDER, Store
    from production.targets import ALL, choose_feeds

    project, wanted = choose_feeds(folder, words or [ALL])
    place = publishing.place_of(project, name)
    store, now, begun = Store(project.root / FOLDER), right_now(), time.monotonic()

    def using() -> contextlib.AbstractContextManager[None]:
        return store.using(lambda: terminal.line("waiting: produce gc is removing entries"))

    def pages(held: Mapping[str, Lock], read: Callable[[str], bytes | None]) -> tuple[OutgoingPage, ...]:
        from production.site import sending

        with using():
            return sending.pages(project, project.root / BUILD, store, now, held, read, dry_run=dry_run)

    with using():
        made = publishing.ready(project, wanted, project.root / BUILD, store, now)
    with contextlib.closing(publishing.opened(project, place)) as target:
        report = publishing.send(
            made, target, place, now=now, removing=removing, dry_run=dry_run, say=terminal.line, show=terminal.progress, pages=pages
        )
    terminal.close()
    for line in publishing.in_lines(report, time.monotonic() - begun):
        click.echo(line)
    failed = webpages.failed(report, place)
    return tell(terminal, failed, project.root) if failed else OK


@click.command("rollback")
@click.argument("feeds", nargs=-1, required=True, shell_complete=words.feeds)
@in_folder
@to_target
def rollback_(feeds: Sequence[str], folder: Path, name: str | None) -> None:
    """Put the FEEDS back that were published before the present ones. Once more undoes it."""
    from production.terminal import Terminal

    terminal = Terminal()
    sys.exit(guarded(terminal, folder, lambda: _rollback(terminal, feeds, folder, name)))


def _rollback(terminal: Terminal, words: Sequence[str], folder: Path, name: str | None) -> int:
    from feeds.publish import rollback
    from production import publishing
    from production.targets import choose_feeds

    project, wanted = choose_feeds(folder, words)
    place = publishing.place_of(project, name)
    with contextlib.closing(publishing.opened(project, place)) as target, publishing.said(place):
        for one in wanted:
            click.echo(f"feeds/{one.slug}.xml is {rollback(target, one.slug, say=terminal.line)} again")
    return OK
