"""A new episode's YAML file: by questions, by options without any, or from a script."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from production.commands import words
from production.commands.command import CONFIG, OK, guarded, in_folder

if TYPE_CHECKING:
    from production.authoring.proposals import Draft, Planned
    from production.authoring.script import Outline
    from production.model import Project, Series
    from production.terminal import Terminal

V = TypeVar("V")


@dataclass(frozen=True)
class Wishes:
    """What was said on the command line; None where nothing was."""

    series: str | None
    number: str | None
    title: str | None
    date: str | None
    minutes: str | None
    summary: str | None
    script: Path | None
    dry_run: bool
    yes: bool


@click.command()
@in_folder
@click.option("--from", "script", metavar="SCRIPT.md", type=click.Path(path_type=Path), default=None, help="Take sections and minutes from a script.")
@click.option("--series", metavar="SLUG", default=None, shell_complete=words.series, help="The series that it belongs to.")
@click.option("--number", metavar="N", default=None, help="Its number; the next free one of the series if not said.")
@click.option("--title", metavar="TEXT", default=None, help="Its title; the script's if not said.")
@click.option("--date", metavar="YYYY-MM-DD", default=None, help="When it is published; a week after the last of the series if not said.")
@click.option("--minutes", metavar="N", default=None, help="How long it is planned, as 180 or '3 hours'; as most of the series if not said.")
@click.option("--summary", metavar="TEXT", default=None, help="What it is about; the script's first sentences if not said.")
@click.option("-n", "--dry-run", is_flag=True, help="Only show the file, on stdout.")
@click.option("-y", "--yes", is_flag=True, help="Ask nothing: take what is proposed, and write.")
def new(
    folder: Path,
    script: Path | None,
    series: str | None,
    number: str | None,
    title: str | None,
    date: str | None,
    minutes: str | None,
    summary: str | None,
    dry_run: bool,
    yes: bool,
) -> None:
    """Begin an episode: write configs/episodes/episode-NN.yaml, with comments, for you to fill in.

    What no option says is asked, with a proposal that Enter takes. Sections follow the seven parts of the format, with minutes that suit the length;
    or the headings of a script. The file is shown before it is written, and no file that is there is touched.
    """
    from production.terminal import Terminal

    terminal = Terminal()
    wishes = Wishes(series, number, title, date, minutes, summary, script, dry_run, yes)
    sys.exit(guarded(terminal, folder, lambda: _new(terminal, folder, wishes), interrupted="no file was written"))


def _new(terminal: Terminal, folder: Path, wishes: Wishes) -> int:
    from production import config
    from production.authoring import adding, template
    from production.problems import visible

    project = config.load_project(folder)
    outline = _outline(terminal, wishes.script)
    questions = _Questions(terminal, live=sys.stdin.isatty() and sys.stderr.isatty() and not wishes.yes)
    draft = _Author(terminal, questions, project, wishes, outline).draft()
    if draft is None:
        return CONFIG
    text = template.text_of(draft, project.show.link)
    adding.proven(project.root, draft, text)
    if wishes.dry_run:
        click.echo(text, nl=False)
        return OK
    path = adding.path_of(project.root, draft)
    terminal.line(f"{path}:\n")
    terminal.line("\n".join(visible(line) for line in text.splitlines()) + "\n")
    if questions.live and not questions.agreed(f"Write {path.name}?"):
        terminal.line("nothing was written")
        return OK
    click.echo(str(adding.write(project.root, draft, text)))
    terminal.line(f"{draft.id}: record its sections under recordings/{draft.id}/, or hear it first: produce {draft.id} --scratch")
    return OK


def _outline(terminal: Terminal, source: Path | None) -> Outline | None:
    """What the script says, if there is one, with everything about it that is to be told."""
    from production.authoring import script
    from production.errors import ConfigError, Problem
    from production.files import read, sibling_hint
    from production.model import Location
    from production.problems import format_problems, visible

    if source is None:
        return None
    if not source.is_file():
        raise ConfigError([Problem(Location(source), "there is no such file", sibling_hint(source))])
    found = read(source)
    if found.error:
        raise ConfigError([Problem(Location(source), f"cannot be read: {found.error}")])
    outline = script.read(source, found.data)
    if outline.problems:
        terminal.line(format_problems(outline.problems, relative_to=None))
    for one in outline.left:
        terminal.line(visible(f"{source}:{one.line}: left out: {one.title} ({one.reason})"))
    timed = sum(section.minutes is not None for section in outline.sections)
    said = f", {timed} with minutes: {outline.planned:g} in all" if timed else ", none with minutes"
    terminal.line(f"{len(outline.sections)} sections{said}" + (f"; the script says {outline.minutes:g} for the whole" if outline.minutes else ""))
    return outline


class _Questions:
    """Asks on stderr, where all talk goes, and reads answers from the terminal. Whoever ends the input ends the command."""

    def __init__(self, terminal: Terminal, *, live: bool) -> None:
        self.live = live
        self._terminal = terminal

    def ask(self, what: str, proposal: str, check: Callable[[str], V]) -> V:
        """The answer, as ``check`` makes it; a bad one is told why and asked for again."""
        from production.errors import ChoiceRefused
        from production.problems import visible

        if len(proposal) > 60:
            self._terminal.line(f"  {visible(proposal)}")
        shown = f" [{visible(proposal)}]" if 0 < len(proposal) <= 60 else " [the text above]" if proposal else ""
        while True:
            try:
                return check(self._answer(f"{what}{shown}: ") or proposal)
            except ChoiceRefused as refused:
                self._terminal.line(f"  {visible(str(refused))}" + (f" ({visible(refused.hint)})" if refused.hint else ""))

    def agreed(self, what: str) -> bool:
        return self.ask(f"{what} [Y/n]", "", _yes_or_no)

    def _answer(self, prompt: str) -> str:
        from production.errors import ChoiceRefused

        print(prompt, end="", file=sys.stderr, flush=True)
        try:
            line = sys.stdin.buffer.readline()
            if not line.endswith(b"\n"):
                raise KeyboardInterrupt
        except KeyboardInterrupt:
            # What is told of it begins a line of its own.
            self._terminal.line("")
            raise
        try:
            return line.decode("utf-8").strip()
        except UnicodeDecodeError:
            raise ChoiceRefused("that is not UTF-8", "type it again") from None


class _Author:
    """Settles one thing after the other: what was said, else what is answered, else what is proposed."""

    def __init__(self, terminal: Terminal, questions: _Questions, project: Project, wishes: Wishes, outline: Outline | None) -> None:
        self.terminal, self.questions, self.project, self.wishes, self.outline = terminal, questions, project, wishes, outline

    def draft(self) -> Draft | None:
        """The episode that is meant; None, and told what is missing, when that can be neither asked nor proposed."""
        from production.authoring import choices
        from production.authoring.proposals import Draft

        wishes, project, outline = self.wishes, self.project, self.outline
        if wishes.series is None and wishes.number is None:
            choices.need_room(project)
        title = outline.title if outline else ""
        summary = outline.summary if outline else ""
        likely = choices.likely_series(project, wishes.number, outline.series if outline else "")
        if not self.questions.live and (missing := self._missing(likely, title, summary)):
            self.terminal.error(f"error: nobody is asked here, and these are not said: {', '.join(missing)}")
            return None
        if wishes.series is None and self.questions.live:
            self.terminal.line("\n".join(choices.series_lines(project)))
        series = self._settle("Series", wishes.series, likely, lambda text: choices.series(project, text, wishes.number))
        number = self._settle("Number", wishes.number, self._number(series), lambda text: choices.number(project, series, text))
        return Draft(
            number=number,
            series=series.slug,
            title=self._settle("Title", wishes.title, title, lambda text: choices.text(text, "title")),
            date=self._settle("Date", wishes.date, self._date(series), choices.date),
            minutes=(minutes := self._settle("Minutes", wishes.minutes, self._minutes(series), choices.minutes)),
            summary=self._settle("Summary", wishes.summary, summary, lambda text: choices.text(text, "summary")),
            sections=self._sections(minutes),
        )

    def _settle(self, what: str, said: str | None, proposal: str, check: Callable[[str], V]) -> V:
        if said is None and self.questions.live:
            return self.questions.ask(what, proposal, check)
        return check(proposal if said is None else said)

    def _missing(self, likely: str, title: str, summary: str) -> list[str]:
        wishes = self.wishes
        needed = {"--series": wishes.series or likely, "--title": wishes.title or title, "--summary": wishes.summary or summary}
        if not any(episode.date for episode in self.project.episodes):
            needed["--date"] = wishes.date or (self.outline.date.isoformat() if self.outline and self.outline.date else "")
        missing = [name for name, value in needed.items() if not value]
        if not wishes.yes and not wishes.dry_run:
            missing.append("--yes (or --dry-run)")
        return missing

    def _number(self, series: Series) -> str:
        from production.authoring import proposals
        from production.errors import ConfigError

        free = proposals.next_number(self.project, series)
        said = self.outline.number if self.outline else None
        if said is not None and self.wishes.number is None:
            refused = proposals.why_not(self.project, series, said)
            if not any(refused):
                return str(said)
            self.terminal.line(f"the script says episode {said}, but {refused[0]}")
        if free is None and self.wishes.number is None:
            raise ConfigError([proposals.full(self.project, series)])
        return str(free or "")

    def _date(self, series: Series) -> str:
        from production.authoring import proposals

        said = (self.outline.date if self.outline else None) or proposals.next_date(self.project, series)
        return said.isoformat() if said else ""

    def _minutes(self, series: Series) -> str:
        from production.authoring import proposals

        said = (self.outline.minutes or self.outline.planned) if self.outline else None
        return f"{said or proposals.usual_minutes(self.project, series):g}"

    def _sections(self, minutes: float) -> tuple[Planned, ...]:
        from production.authoring import adding, proposals
        from production.problems import visible

        outlined = adding.from_script(self.outline) if self.outline else proposals.sections(minutes, proposals.shares(self.project))
        if not self.questions.live:
            return outlined
        for one in outlined:
            self.terminal.line(visible(f"  {'' if one.minutes is None else f'{one.minutes:g} min':>8}  {one.title} ({one.part})"))
        return outlined if self.questions.agreed("Keep these sections?") else self._changed(outlined)

    def _changed(self, proposed: Sequence[Planned]) -> tuple[Planned, ...]:
        """The sections as they are answered, one by one."""
        from production.authoring import choices, titles

        while True:
            self.terminal.line("  Enter keeps what is proposed, - leaves the section out")
            kept: list[Planned] = []
            for one in proposed:
                title = self.questions.ask(f"  {one.part}", one.title, lambda text: text if text == "-" else choices.text(text, "title"))
                if title == "-":
                    continue
                minutes = self.questions.ask("    minutes", "" if one.minutes is None else f"{one.minutes:g}", choices.minutes_or_none)
                slug = one.slug if title == one.title else titles.slug(title, {other.slug for other in (*kept, *proposed)})
                kept.append(replace(one, slug=slug, title=title, minutes=minutes))
            if kept:
                return tuple(kept)
            self.terminal.line("  an episode has a section at least")


def _yes_or_no(answer: str) -> bool:
    from production.errors import ChoiceRefused

    if answer.lower() in ("", "y", "yes"):
        return True
    if answer.lower() in ("n", "no"):
        return False
    raise ChoiceRefused("that is neither yes nor no", "type y or n")
