"""Report pages: of every episode that is built, and of a season beside itself. They tell of the finished files, whatever the configs say by now."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from audio.mpeg import Format
from production import curves, receipts, survey
from production.errors import ConfigError, StepFailed, StepsFailed
from production.job import job
from production.model import Episode, Project
from production.pages import episode as report_page
from production.pages import facts, season_page
from production.pages.painting import png, thumbnail
from production.pages.season import Row, marks, row
from production.pipeline import STORE, Builder
from production.receipts import Receipt
from production.report import PAGES
from production.store import disk_errors, locked, write


@dataclass(frozen=True)
class Sheet:
    """Episodes that are shown beside each other, and the name of the files that show it."""

    name: str
    title: str
    episodes: tuple[Episode, ...]


def sheets(project: Project, words: Sequence[str], everything: str) -> tuple[Sheet, ...]:
    """The sheets that words on the command line ask for: one for each series named, and one for ``everything``."""
    found = []
    names = {Path(word).stem if word.endswith((".yaml", ".yml")) else word for word in words}
    if everything in names:
        found.append(Sheet("season", project.show.title, project.episodes))
    for series in project.series:
        own = tuple(one for one in project.episodes if one.series == series.slug)
        if series.slug in names and own:
            found.append(Sheet(f"season-{series.slug}", f"{project.show.title}: {series.title}", own))
    return tuple(found)


class Reporter:
    """Writes the reports of one project. ``say`` is told what a producer should know of them."""

    def __init__(self, builder: Builder, say: Callable[[str], None]) -> None:
        self.builder, self.say = builder, say
        self.store, self.build = builder.store, builder.build

    def episode(self, episode: Episode) -> tuple[Path, Path, Row]:
        """Write the page and the picture of an episode; gives where they are, and its row in a sheet. Raises StepFailed when it is not built."""
        folder = self.build / episode.id
        waiting = f"{episode.id}: another produce is at work; waiting"
        with disk_errors(folder), locked(self.build / STORE / "locks" / f"{episode.id}.lock", lambda: self.say(waiting)):
            receipt = self._receipt(episode, folder)
            one = self._facts(episode, folder, receipt)
            cover = None
            with contextlib.suppress(OSError):
                cover = thumbnail((folder / "cover.jpg").read_bytes(), report_page.THUMB)
            page, picture = (folder / name for name in PAGES)
            write(page, report_page.page(one, cover))
            write(picture, png(report_page.poster(one, cover)))
            self._warn(episode, folder, receipt)
        return page, picture, row(episode.number, one)

    def built(self, episode: Episode) -> bool:
        return receipts.read(self.build / episode.id) is not None

    def sheet(self, of: Sheet, rows: Sequence[Row]) -> Iterator[Path]:
        """Write a season's page and picture; gives where they are."""
        there = {one.id for one in rows}
        own = [one for one in rows if one.id in {episode.id for episode in of.episodes}]
        missing = [episode.id for episode in of.episodes if episode.id not in there]
        with disk_errors(self.build):
            write(self.build / f"{of.name}.html", season_page.page(of.title, own, missing))
            write(self.build / f"{of.name}.png", png(season_page.poster(of.title, own, missing)))
        for name, said in marks(own).items():
            self.say(f"{name}: stands out: {'; '.join(mark.words for mark in said)}")
        yield from (self.build / f"{of.name}{suffix}" for suffix in (".html", ".png"))

    def _receipt(self, episode: Episode, folder: Path) -> Receipt:
        receipt, hint = receipts.read(folder), f"build it first: produce {episode.id}"
        if receipt is None:
            raise StepFailed(f"{episode.id}: report", "it is not built", hint=hint)
        for name in (f"{episode.id}.mp3", "report.json"):
            if name not in receipt.outputs or not receipt.kept(folder, name):
                raise StepFailed(f"{episode.id}: report", f"{name} is gone, or is not the file that was built", hint=hint)
        return receipt

    def _facts(self, episode: Episode, folder: Path, receipt: Receipt) -> facts.Episode:
        build, jobs = survey.encoder_build(self.builder.seen), self.builder.options.jobs
        try:
            report = json.loads((folder / "report.json").read_text("utf-8"))
            fmt = Format(report["audio"]["bitrate_kbps"], report["audio"]["channels"])
            found = curves.of(self.store, folder / f"{episode.id}.mp3", receipt, fmt, build, jobs)
            return facts.episode(report, found)
        except (LookupError, TypeError, ValueError) as error:
            cause = f"the build is of a version whose report.json cannot be read ({error!r})"
            raise StepFailed(f"{episode.id}: report", cause, hint=f"build it again: produce {episode.id}") from error

    def _warn(self, episode: Episode, folder: Path, receipt: Receipt) -> None:
        """Say whether the finished file is what the configs and recordings ask for by now. Placeholders are not spoken for that."""
        if receipt.scratch:
            return
        try:
            current = job(self.builder.project, self.builder.planned(episode), self.store, folder).fingerprint == receipt.fingerprint
        except (ConfigError, StepFailed, StepsFailed):
            self.say(
                f"{episode.id}: warning: its recordings are not all there: whether it is up to date cannot be told; the report is of what was built"
            )
            return
        if not current:
            self.say(f"{episode.id}: warning: not up to date; the report is of what was built")
