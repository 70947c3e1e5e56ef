"""The command line: argv -> a command -> exit code. A command's module is imported when it is asked for, and everything heavy later still."""

from __future__ import annotations

import importlib
import io
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from production.commands.command import INTERRUPTED, on_interruption

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_OF_NEW = ("--from", "--series", "--number", "--title", "--date", "--minutes", "--summary")
_TAKE_A_VALUE = ("-C", "-j", "--jobs", "--limit", "--preview", "--port", "--to", "--against", "--as", *_OF_NEW)
_WHERE: Mapping[str, str] = {
    "build": "build:build",
    "plan": "build:plan_",
    "list": "season:list_",
    "explain": "configs:explain_",
    "set": "configs:set_",
    "feed": "publish:feed_",
    "page": "page:page",
    "check": "publish:check_",
    "diff": "publish:diff_",
    "publish": "publish:publish_",
    "rollback": "publish:rollback_",
    "republish": "identity:republish",
    "adopt": "identity:adopt",
    "new": "new:new",
    "report": "report:report_",
    "serve": "serve:serve",
    "gc": "upkeep:gc",
    "transcribe": "transcribe:transcribe",
    "doctor": "upkeep:doctor_",
    "schema": "configs:schema_",
    "completion": "completion:completion_",
}
"""Each command: its module under production/commands, and its name there."""


class Verbs(click.Group):
    """A first word that is no command is a target: `produce episode-14` means `produce build episode-14`."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(_WHERE)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _WHERE:
            return None
        module, name = _WHERE[cmd_name].split(":")
        found: click.Command = getattr(importlib.import_module(f"production.commands.{module}"), name)
        return found

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The first word is a command or a target of `build`, and options of both may stand here."""
        from production.commands import words
        from production.commands.build import build

        found = super().shell_complete(ctx, incomplete)
        if incomplete.startswith("-"):
            return [*found, *build.shell_complete(build.make_context("build", [], resilient_parsing=True), incomplete)]
        return [*found, *words.targets(ctx, build.params[0], incomplete)]

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in _WHERE:
            args = ["build", *args]
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        # `produce --scratch episode-14` and `produce -C show gc`: options may stand before the target and before the verb, which is the first
        # word that is neither an option nor the value of one.
        if args and args[0].startswith("-") and args[0] not in ("--help", "--version", "-h"):
            words = (i for i, word in enumerate(args) if not word.startswith("-") and args[max(0, i - 1)] not in _TAKE_A_VALUE)
            first = next(words, None)
            # While a shell completes, there may be none yet: it can still become a command.
            ctx.meta["no first word"] = first is None
            first = first or 0
            args = [args[first], *args[:first], *args[first + 1 :]] if args[first] in _WHERE else ["build", *args]
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
    produce new                        begin an episode: its YAML file, by questions or from a script
    produce plan episode-14            say what a build would do, and why
    produce list                       say how far each episode is
    produce explain episode-14         say each value that is used, and the line it comes from
    produce set episode-14 title=...   change a value in its config; comments stay
    produce report episode-14          a page and a picture of what is built; of a series or all also its season
    produce serve                      let podcast apps on this machine subscribe to what is built
    produce feed all                   write the feeds of what is built
    produce page all                   write the listener's pages of what is out
    produce check                      configs, recordings, artwork and feeds against what is asked of them
    produce diff                       what subscribers will see once this is published
    produce publish                    send files and feeds to a target
    produce transcribe episode-14      write a draft of a transcript beside each recording that has none
    produce gc                         make room: remove what has not been used for long
    produce doctor                     what builds need of this machine, and what is missing
    """


def main() -> None:
    """The entry point of `produce`."""
    # Until a command takes over, nothing runs that would have to be ended; click by itself would end with 1.
    on_interruption(lambda *_: sys.exit(INTERRUPTED))
    if isinstance(sys.stdout, io.TextIOWrapper):
        # As stderr does it: a title that the terminal's encoding lacks, or a file name that is no text, is written in escapes.
        sys.stdout.reconfigure(errors="backslashreplace")
    from audio import memory

    memory.collect_seldom()
    memory.switch_often()
    produce(prog_name="produce")
