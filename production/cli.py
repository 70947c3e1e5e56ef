"""The command line: argv -> pipeline -> exit code. Click only; everything heavy is imported when it is needed."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from production.model import Episode, Project
    from production.pipeline import Builder
    from production.store import Store
    from production.terminal import Terminal

OK, FAILED, CONFIG, BUG, MISSING, INTERRUPTED = 0, 1, 2, 3, 4, 130
_TAKE_A_VALUE = ("-C", "-j", "--jobs", "--limit", "--preview", "--port", "--to", "--against", "--as")
_PORT = 8350


class Verbs(click.Group):
    """A first word that is no command is a target: `produce episode-14` means `produce build episode-14`."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.commands:
            args = ["build", *args]
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        # `produce --scratch episode-14` and `produce -C show gc`: options may stand before the target and before the verb, which is the first
        # word that is neither an option nor the value of one.
        if args and args[0].startswith("-") and args[0] not in ("--help", "--version", "-h"):
            words = (i for i, word in enumerate(args) if not word.startswith("-") and args[max(0, i - 1)] not in _TAKE_A_VALUE)
            first = next(words, 0)
            args = [args[first], *args[:first], *args[first + 1 :]] if args[first] in self.commands else ["build", *args]
        return super().parse_args(ctx, args)


def _say_version(context: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        # click's own option loads importlib.metadata, which takes longer than everything else that this needs.
        from production.versions import version

        click.echo(f"produce, version {version('distributed-systems-podcast')}")
        context.exit()


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_say_version, help="Show the version and exit.")
def produce() -> None:
    """Turn recorded sections and a YAML file into a finished, navigable podcast episode.

    \b
    produce episode-14                 build one episode
    produce episode-14 --scratch       speak placeholders for missing recordings
    produce pattern-mastery            build every episode of a series
    produce all                        build the whole show
    produce plan episode-14            say what a build would do, and why
    produce serve                      let podcast apps on this machine subscribe to what is built
    produce feed all                   write the feeds of what is built
    produce check                      configs and feeds against the rules of apps and directories
    produce diff                       what subscribers will see once this is published
    produce publish                    send files and feeds to a target
    produce gc                         make room: remove what has not been used for long
    """


@produce.command()
@click.argument("targets", nargs=-1, required=True)
@click.option("-C", "folder", type=click.Path(path_type=Path), default=Path(), help="Work in this project folder (it holds configs/).")
@click.option("--scratch", is_flag=True, help="Speak a placeholder for each missing recording.")
@click.option("--replace", is_flag=True, help="Let a scratch build take the place of one made from recordings.")
@click.option("-j", "--jobs", type=click.IntRange(1, 64), default=None, help="Cores to use (all of them).")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors and results.")
@click.option("--preview", metavar="START+LENGTH", callback=lambda *said: _as_window(said[-1]), help="Only render a window, as 1:30:00+60.")
@click.option("--joins", is_flag=True, help="Only cut the seconds around all joins out of the finished file.")
def build(
    targets: Sequence[str],
    folder: Path,
    scratch: bool,
    replace: bool,
    jobs: int | None,
    quiet: bool,
    preview: tuple[float, float] | None,
    joins: bool,
) -> None:
    """Build TARGETS: episode ids, paths of their YAML files, series, or 'all'."""
    from production.terminal import Terminal

    terminal = Terminal(quiet=quiet)
    if preview or joins:
        sys.exit(_guarded(terminal, folder, lambda: _listen(terminal, targets, folder, scratch, jobs or _cores(), preview)))
    sys.exit(_guarded(terminal, folder, lambda: _build(terminal, targets, folder, scratch, replace, jobs or _cores())))


def _as_window(text: str | None) -> tuple[float, float] | None:
    from production.clock import window

    try:
        return None if text is None else window(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r}: {error}") from None


def _listen(terminal: Terminal, targets: Sequence[str], folder: Path, scratch: bool, jobs: int, preview: tuple[float, float] | None) -> int:
    from production import memory
    from production.clock import clock
    from production.pipeline import Builder, Options
    from production.targets import choose
    from production.watch import Watch

    memory.give_back()
    memory.one_thread_each()
    project, episodes = choose(folder, targets)
    builder = Builder(project, Options(jobs, scratch), Watch(terminal.progress, terminal.line))
    with builder.store.using(lambda: terminal.line("waiting: produce gc is removing entries")):
        for episode in episodes:
            if preview:
                click.echo(str(builder.preview(episode, *preview)))
                continue
            path, begins = builder.joins(episode)
            click.echo(str(path))
            for at, start in begins:
                terminal.line(f"{clock(at)}  is {clock(start)} of {episode.id}")
    return OK


@produce.command("plan")
@click.argument("targets", nargs=-1, required=True)
@click.option("-C", "folder", type=click.Path(path_type=Path), default=Path(), help="Work in this project folder (it holds configs/).")
@click.option("--scratch", is_flag=True, help="Count on a placeholder for each missing recording.")
@click.option("-j", "--jobs", type=click.IntRange(1, 64), default=None, help="Cores to use (all of them).")
def plan_(targets: Sequence[str], folder: Path, scratch: bool, jobs: int | None) -> None:
    """Say what building TARGETS would do, and why, how large the files will be and how long it takes. Nothing is built."""
    from production.terminal import Terminal

    terminal = Terminal(quiet=False)
    sys.exit(_guarded(terminal, folder, lambda: _plan(terminal, targets, folder, scratch, jobs or _cores())))


def _plan(terminal: Terminal, targets: Sequence[str], folder: Path, scratch: bool, jobs: int) -> int:
    from production import memory
    from production.errors import ConfigError, StepFailed, StepsFailed
    from production.pipeline import Builder, Options
    from production.targets import choose
    from production.watch import Watch

    memory.one_thread_each()
    project, episodes = choose(folder, targets)
    builder = Builder(project, Options(jobs, scratch), Watch(terminal.progress, terminal.line))
    code = OK
    for episode in episodes:
        try:
            with builder.store.using(lambda: terminal.line("waiting: produce gc is removing entries")):
                found = builder.look(episode)
            for line in found.lines():
                click.echo(line)
        except (ConfigError, StepsFailed, StepFailed) as error:
            code = max(code, _tell(terminal, error, project.root))
    return code


@produce.command("feed")
@click.argument("feeds", nargs=-1, required=True)
@click.option("-C", "folder", type=click.Path(path_type=Path), default=Path(), help="Work in this project folder (it holds configs/).")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors and results.")
def feed_(feeds: Sequence[str], folder: Path, quiet: bool) -> None:
    """Write the FEEDS: a series, the show, or 'all', from what is built and what was published. Nothing is sent anywhere."""
    from production.terminal import Terminal

    terminal = Terminal(quiet=quiet)
    sys.exit(_guarded(terminal, folder, lambda: _feed(terminal, feeds, folder)))


def _feed(terminal: Terminal, words: Sequence[str], folder: Path) -> int:
    from production.errors import ProduceError
    from production.pipeline import Builder, Options
    from production.targets import choose_feeds
    from production.watch import Watch

    project, feeds = choose_feeds(folder, words)
    builder = Builder(project, Options(_cores()), Watch(terminal.progress, terminal.line))
    code = OK
    with builder.store.using(lambda: terminal.line("waiting: produce gc is removing entries")):
        for one in feeds:
            try:
                click.echo(str(builder.feed(one, _now())))
            except ProduceError as error:
                code = max(code, _tell(terminal, error, project.root))
    return code


@produce.command("publish")
@click.argument("feeds", nargs=-1)
@click.option("-C", "folder", type=click.Path(path_type=Path), default=Path(), help="Work in this project folder (it holds configs/).")
@click.option("--to", "name", metavar="TARGET", default=None, help="Which of the targets in configs/show.yaml; the only one if not said.")
@click.option("--dry-run", is_flag=True, help="Only say what would be sent, and what subscribers would see.")
@click.option("--allow-removal", is_flag=True, help="Let published episodes leave their feed.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors and results.")
def publish_(feeds: Sequence[str], folder: Path, name: str | None, dry_run: bool, allow_removal: bool, quiet: bool) -> None:
    """Send the FEEDS (all of them if none is named) and what they name to a target: files first, each read back, the feeds last."""
    from production.terminal import Terminal

    terminal = Terminal(quiet=quiet)
    sys.exit(_guarded(terminal, folder, lambda: _publish(terminal, feeds, folder, name, dry_run, allow_removal)))


def _publish(terminal: Terminal, words: Sequence[str], folder: Path, name: str | None, dry_run: bool, removing: bool) -> int:
    from production import publishing
    from production.pipeline import BUILD
    from production.store import FOLDER, Store
    from production.targets import ALL, choose_feeds

    project, wanted = choose_feeds(folder, words or [ALL])
    place = publishing.place_of(project, name)
    store, now, begun = Store(project.root / FOLDER), _now(), time.monotonic()
    with store.using(lambda: terminal.line("waiting: produce gc is removing entries")):
        made = publishing.ready(project, wanted, project.root / BUILD, store, now)
    with contextlib.closing(publishing.opened(project, place)) as target:
        report = publishing.send(made, target, place, now=now, removing=removing, dry_run=dry_run, say=terminal.line, show=terminal.progress)
    terminal.close()
    for line in publishing.in_lines(report, time.monotonic() - begun):
        click.echo(line)
    return OK


@produce.command("diff")
@click.argument("feeds", nargs=-1)
@click.option("-C", "folder", type=click.Path(path_type=Path), default=Path(), help="Work in this project folder (it holds configs/).")
@click.option("--to", "name", metavar="TARGET", default=None, help="Against what is published there; the only target if not said.")
@click.option("--against", type=click.Path(path_type=Path, exists=True, dir_okay=False), default=None, help="Against a saved feed instead.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
def diff_(feeds: Sequence[str], folder: Path, name: str | None, against: Path | None, as_json: bool) -> None:
    """Say what subscribers of the FEEDS will see once they are published: new, changed and removed episodes, and what is downloaded again."""
    from production.terminal import Terminal

    terminal = Terminal()
    sys.exit(_guarded(terminal, folder, lambda: _diff(terminal, feeds, folder, name, against, as_json)))


def _diff(terminal: Terminal, words: Sequence[str], folder: Path, name: str | None, against: Path | None, as_json: bool) -> int:
    import json

    from production import publishing
    from production.pipeline import BUILD
    from production.store import FOLDER, Store
    from production.targets import ALL, choose_feeds

    project, wanted = choose_feeds(folder, words or [ALL])
    if against and len(wanted) != 1:
        raise click.UsageError("a saved feed is one feed: name which one it is to be compared with")
    store = Store(project.root / FOLDER)
    with store.using(lambda: terminal.line("waiting: produce gc is removing entries")):
        made = publishing.ready(project, wanted, project.root / BUILD, store, _now())
    before = {wanted[0].slug: against.read_bytes()} if against else publishing.published(project, publishing.place_of(project, name), made)
    found = {slug: publishing.changes(made, slug, before.get(slug)) for slug in made.texts}
    if as_json:
        click.echo(json.dumps({slug: one.as_json() for slug, one in found.items()}, indent=1, ensure_ascii=False))
    else:
        for slug, one in found.items():
            for line in one.lines():
                click.echo(f"{slug}: {line}")
    return OK


@produce.command("rollback")
@click.argument("feeds", nargs=-1, required=True)
@click.option("-C", "folder", type=click.Path(path_type=Path), default=Path(), help="Work in this project folder (it holds configs/).")
@click.option("--to", "name", metavar="TARGET", default=None, help="Which of the targets in configs/show.yaml; the only one if not said.")
def rollback_(feeds: Sequence[str], folder: Path, name: str | None) -> None:
    """Put the FEEDS back that were published before the present ones. Once more undoes it."""
    from production.terminal import Terminal

    terminal = Terminal()
    sys.exit(_guarded(terminal, folder, lambda: _rollback(terminal, feeds, folder, name)))


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


@produce.command("check")
@click.argument("feeds", nargs=-1)
@click.option("-C", "folder", type=click.Path(path_type=Path), default=Path(), help="Work in this project folder (it holds configs/).")
@click.option("--strict", is_flag=True, help="Fail for warnings too.")
@click.option("--apps", is_flag=True, help="Also say what each app will show of every episode.")
def check_(feeds: Sequence[str], folder: Path, strict: bool, apps: bool) -> None:
    """Check the configs, and the FEEDS (all of them if none is named) against the rules of directories and apps. Nothing is sent anywhere."""
    from production.terminal import Terminal

    terminal = Terminal()
    sys.exit(_guarded(terminal, folder, lambda: _check(terminal, feeds, folder, strict, apps)))


def _check(terminal: Terminal, words: Sequence[str], folder: Path, strict: bool, apps: bool) -> int:
    from production import publishing
    from production.pipeline import BUILD
    from production.problems import format_problems
    from production.store import FOLDER, Store
    from production.targets import ALL, choose_feeds

    project, wanted = choose_feeds(folder, words or [ALL])
    store, now = Store(project.root / FOLDER), _now()
    with store.using(lambda: terminal.line("waiting: produce gc is removing entries")):
        made = publishing.ready(project, wanted, project.root / BUILD, store, now)
    publishing.save(made, project.root / BUILD)
    problems = publishing.problems_of(made, now)
    if problems:
        click.echo(format_problems(problems, relative_to=project.root))
    if apps:
        for line in publishing.shown(made):
            click.echo(line)
    errors = sum(one.severity == "error" for one in problems)
    terminal.line(f"{errors} kind(s) of error, {len(problems) - errors} of warning, in {len(made.texts)} feed(s)")
    return FAILED if errors or (strict and problems) else OK


@produce.command()
@click.argument("episode")
@click.option("-C", "folder", type=click.Path(path_type=Path), default=Path(), help="Work in this project folder (it holds configs/).")
@click.option("--keep-guid", is_flag=True, help="Only take over the date of its config; hardly anybody downloads it again.")
def republish(episode: str, folder: Path, keep_guid: bool) -> None:
    """Let a published EPISODE appear as a new one: with another guid, and the date that its config says now.

    Every subscriber downloads it again once the feed is published. What is written is its series' file under configs/published/.
    """
    from production.terminal import Terminal

    terminal = Terminal()
    sys.exit(_guarded(terminal, folder, lambda: _republish(terminal, episode, folder, keep_guid)))


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


@produce.command()
@click.argument("source", metavar="FEED")
@click.option("-C", "folder", type=click.Path(path_type=Path), default=Path(), help="Work in this project folder (it holds configs/).")
@click.option("--as", "name", metavar="SERIES", default=None, help="The feed that it goes on as; the show's own if not said.")
def adopt(source: str, folder: Path, name: str | None) -> None:
    """Take over guids, dates and addresses from a FEED, a file or an address, so that a show can move here and nobody downloads anything again."""
    from production.terminal import Terminal

    terminal = Terminal()
    sys.exit(_guarded(terminal, folder, lambda: _adopt(terminal, source, folder, name)))


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


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _build(terminal: Terminal, targets: Sequence[str], folder: Path, scratch: bool, replace: bool, jobs: int) -> int:
    from production import memory
    from production.pipeline import Builder, Options
    from production.targets import choose
    from production.watch import Watch

    memory.give_back()
    memory.one_thread_each()
    project, episodes = choose(folder, targets)
    builder = Builder(project, Options(jobs, scratch, replace), Watch(terminal.progress, terminal.line))
    with builder.store.using(lambda: terminal.line("waiting: produce gc is removing entries")):
        code = _build_each(terminal, builder, project, episodes)
    terminal.close()
    if builder.store.grown:
        _keep_to_limit(terminal, builder.store, project.show.store.limit)
    return code


def _build_each(terminal: Terminal, builder: Builder, project: Project, episodes: Sequence[Episode]) -> int:
    from production.errors import ConfigError, StepFailed, StepsFailed, StoreError
    from production.feed import feeds_of

    code = OK
    for episode in episodes:
        builder.store.begin()
        try:
            result = builder.episode(episode)
        except (ConfigError, StepsFailed, StepFailed) as error:
            # The other episodes are none the worse for it.
            code = max(code, _tell(terminal, error, project.root))
            continue
        if result.reasons:
            from production import gc

            gc.note(builder.store, result.path.parent)
        for warning in result.warnings:
            terminal.line(f"{episode.id}: warning: {warning}")
        terminal.line(f"{episode.id}: {result.done}")
        click.echo(str(result.path))
    changed = {episode.series for episode in episodes}
    for one in feeds_of(project):
        if one.slug in changed or one is project.show:
            try:
                builder.feed(one, _now())
            except (ConfigError, StepFailed, StepsFailed, StoreError) as error:
                code = max(code, _tell(terminal, error, project.root))
    return code


def _now() -> dt.datetime:
    return dt.datetime.fromtimestamp(time.time(), dt.UTC)


def _keep_to_limit(terminal: Terminal, store: Store, limit: int) -> None:
    from production import gc
    from production.errors import StoreError

    try:
        swept = gc.after_build(store, limit, time.time())
    except StoreError as error:
        # What was asked for is built: this is no reason to call it failed.
        terminal.line(f"store: no room was made: {error}")
    else:
        if swept and swept.removed:
            terminal.line(gc.in_a_line(swept, limit))


@produce.command()
@click.option("-C", "folder", type=click.Path(path_type=Path), default=Path(), help="Work in this project folder (it holds configs/).")
@click.option("--limit", metavar="SIZE", callback=lambda *said: _as_size(said[-1]), help="Keep no more than this, as 20 GB, 500 MB or 0.")
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
def gc(folder: Path, limit: int | None, dry_run: bool) -> None:
    """Keep the store within its limit: remove what was not used for longest.

    The store holds what builds made on the way (chunks, measurements, pictures); whatever is removed is made again when it is needed. Finished
    episodes are not touched. The limit is store.limit in configs/show.yaml, 20 GB if it says nothing; a build that ends above it does this by itself.
    """
    from production.terminal import Terminal

    terminal = Terminal()
    sys.exit(_guarded(terminal, folder, lambda: _gc(terminal, folder, limit, dry_run)))


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
    wanted, store, now = project.show.store.limit if limit is None else limit, project.root / FOLDER, time.time()
    if dry_run:
        click.echo("\n".join(gc.in_lines(gc.preview(store, wanted, now), wanted, done=False)))
    else:
        swept = gc.sweep(store, wanted, now, lambda: terminal.line("waiting: another produce is at work"))
        click.echo("\n".join(gc.in_lines(swept, wanted)))
    return OK


@produce.command()
@click.option("-C", "folder", type=click.Path(path_type=Path), default=Path(), help="Work in this project folder (it holds configs/).")
@click.option("--port", type=click.IntRange(0, 65535), default=_PORT, help=f"The port of 127.0.0.1 to listen on ({_PORT}); 0 takes one that is free.")
def serve(folder: Path, port: int) -> None:
    """Let podcast apps on this machine subscribe to the show as it will be published, until ^C.

    Every feed holds whatever is built, whenever its date is; a new build, config or lock is seen at once. Nobody on another machine is answered.
    """
    from production.terminal import Terminal

    terminal = Terminal()
    sys.exit(_guarded(terminal, folder, lambda: _serve(terminal, folder, port)))


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


def _guarded(terminal: Terminal, folder: Path, work: Any) -> int:
    """Run ``work`` and turn what it raises into words and an exit code."""
    from audio import ffmpeg
    from audio.errors import AudioError, DenoiserMissing, FfmpegMissing, VoiceMissing
    from production.errors import ProduceError

    signal.signal(signal.SIGINT, _interrupt)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return int(work())
    except (KeyboardInterrupt, ffmpeg.Cancelled):
        ffmpeg.cancel()
        terminal.error("interrupted; what was finished is kept, and the next run goes on from there")
        return INTERRUPTED
    except (DenoiserMissing, FfmpegMissing, VoiceMissing) as error:
        terminal.error(f"error: {error}")
        return MISSING
    except ProduceError as error:
        # A folder that is no project is named: `configs` alone would not say whose.
        return _tell(terminal, error, folder if (folder / "configs").is_dir() else None)
    except AudioError as error:
        terminal.error(f"error: {error}")
        command = getattr(error, "command", None)
        if command:
            terminal.error(f"  = the command was: {command}\n  = it said: {error.stderr_tail}")  # type: ignore[attr-defined]
        return FAILED
    except Exception:
        terminal.error(f"this is a bug in produce; its log is in {_log(folder)}")
        return BUG
    finally:
        terminal.close()


def _interrupt(_number: int, _frame: object) -> None:
    from audio import ffmpeg

    # Children die first: the threads that wait for them then end by themselves.
    ffmpeg.cancel()
    if "feeds.programs" in sys.modules:
        from feeds import programs

        programs.cancel()
    raise KeyboardInterrupt


def _log(folder: Path) -> str:
    import traceback

    text = traceback.format_exc()
    path = folder / "build" / "produce-bug.log"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError:
        sys.stderr.write(text)
        return "the lines above"
    return str(path)


def _tell(terminal: Terminal, error: Any, root: Path | None) -> int:
    from production.errors import Problem
    from production.inputs import source_line
    from production.problems import format_problem, format_problems

    problems = getattr(error, "problems", None)
    if problems is not None:
        terminal.error(format_problems(problems, relative_to=root))
        terminal.error(f"{len(problems)} problem{'s' if len(problems) != 1 else ''}")
    elif getattr(error, "where", None):
        terminal.error(format_problem(Problem(error.where, str(error), error.hint, source_line(error.where)), relative_to=root))
    else:
        hint = getattr(error, "hint", "")
        terminal.error(f"error: {error}" + (f"\n  = hint: {hint}" if hint else ""))
    return int(error.exit_code)


def main() -> None:
    """The entry point of `produce`."""
    for number in (signal.SIGINT, signal.SIGTERM):
        # Until a command takes over, nothing runs that would have to be ended; click by itself would end with 1.
        signal.signal(number, lambda *_: sys.exit(INTERRUPTED))
    from production import memory

    memory.collect_seldom()
    memory.switch_often()
    produce(prog_name="produce")
