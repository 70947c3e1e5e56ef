"""The desk beside its episode under build/: written when something that it shows has changed. It tells of the finished file and the config by now."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from audio.mpeg import Format
from production import receipts, survey
from production.desk import originals, shown
from production.desk.originals import Original
from production.desk.shown import Asked
from production.errors import StepFailed
from production.model import Episode, Project
from production.receipts import Receipt
from production.remade import remade
from production.store import Store, digest, digest_bytes
from production.survey import Seen
from production.versions import version

NAME = "desk.html"
_COVER_SIDE = 192


@dataclass(frozen=True)
class Desks:
    """The desks of a project. ``jobs`` is the number of cores to use when a finished file has to be heard again."""

    project: Project
    build: Path
    store: Store
    seen: Seen
    jobs: int

    def write(self, episode: Episode) -> Path | None:
        """Bring an episode's desk up to date; None when it is not built. Only for who holds the episode's lock. Raises StepFailed, AudioError."""
        folder = self.build / episode.id
        receipt = receipts.read(folder)
        if receipt is None:
            return None
        takes = originals.originals(self.project, episode, receipt, self.seen)
        addresses = {slug: originals.beside(self.project, folder, one) for slug, one in takes.items()}
        said = shown.asked(self.project, episode, self.build, self.store)
        key = self._key(episode, receipt, takes, addresses, said)
        path, note = folder / NAME, self.store.root / "desks" / f"{episode.id}.json"
        with remade(note) as bring:
            bring(path, key, lambda: self._made(episode, receipt, takes, addresses, said, live=False))
        return path

    def served(self, episode: Episode, receipt: Receipt, takes: Mapping[str, Original], addresses: Mapping[str, str | None]) -> bytes:
        """The desk for `produce serve`, where recordings have these addresses. Raises StepFailed, AudioError, OSError."""
        said = shown.asked(self.project, episode, self.build, self.store)
        return self._made(episode, receipt, takes, addresses, said, live=True)

    def _key(self, episode: Episode, receipt: Receipt, takes: Mapping[str, Original], addresses: Mapping[str, str | None], said: Asked) -> str:
        """Everything that the bytes of a desk depend on."""
        sums = [receipt.outputs.get(name, [None])[-1] for name in (f"{episode.id}.mp3", "report.json", "cover.jpg")]
        names = [self.project.series_of(episode).title, self.project.show.language]
        sections = [[one.slug, one.title, one.minutes] for one in episode.sections]
        config = [episode.title, episode.minutes, sections, asdict(episode.settings.loudness)]
        heard = [[slug, addresses[slug], one.why] for slug, one in takes.items()]
        return digest("desk", _renderer(), sums, names, config, heard, repr(said))

    def _made(
        self,
        episode: Episode,
        receipt: Receipt,
        takes: Mapping[str, Original],
        addresses: Mapping[str, str | None],
        said: Asked,
        *,
        live: bool,
    ) -> bytes:
        # What makes a page is loaded when there is one to make.
        from production import curves
        from production.desk import page, views

        folder = self.build / episode.id
        told = _report(episode, folder, receipt)
        try:
            fmt = Format(told["audio"]["bitrate_kbps"], told["audio"]["channels"])
            found = curves.of(self.store, folder / f"{episode.id}.mp3", receipt, fmt, survey.encoder_build(self.seen), self.jobs)
            desk = views.desk(
                told,
                found,
                episode,
                series=self.project.series_of(episode).title,
                language=self.project.show.language,
                cover=self._cover(folder, receipt),
                apps=shown.apps(self.project, episode, said),
                takes={
                    slug: views.Take(addresses[slug] or "", 0.0, one.why or "its recording lies outside of the project")
                    for slug, one in takes.items()
                },
            )
        except (LookupError, TypeError, ValueError) as error:
            cause = f"the build is of a version whose report.json cannot be read ({error!r})"
            raise StepFailed(f"{episode.id}: desk", cause, hint=f"build it again: produce {episode.id}") from error
        return page.page(desk, live=live)

    def _cover(self, folder: Path, receipt: Receipt) -> str:
        """The cover as a data: address; nothing when it is gone."""
        if "cover.jpg" not in receipt.outputs:
            return ""
        key = digest("desk cover", receipt.outputs["cover.jpg"][-1], _COVER_SIDE, version("pillow"))
        small = self.store.get(key)
        if small is None:
            from production.pages.painting import thumbnail

            try:
                small = thumbnail((folder / "cover.jpg").read_bytes(), _COVER_SIDE)
            except OSError:
                return ""
            self.store.put(key, small)
        return f"data:image/jpeg;base64,{base64.b64encode(small).decode()}"


def _report(episode: Episode, folder: Path, receipt: Receipt) -> dict[str, Any]:
    for name in (f"{episode.id}.mp3", "report.json"):
        if name not in receipt.outputs or not receipt.kept(folder, name):
            hint = f"build it again: produce {episode.id}"
            raise StepFailed(f"{episode.id}: desk", f"{name} is gone, or is not the file that was built", hint=hint)
    try:
        found: dict[str, Any] = json.loads((folder / "report.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise StepFailed(f"{episode.id}: desk", f"report.json cannot be read ({error})") from error
    return found


@cache
def _renderer() -> str:
    """What makes the bytes of a desk besides what it says: our own code and templates, and the library that fills them in."""
    here = Path(__file__).parent
    others = (
        here.parent / "pages" / "facts.py",
        here.parent / "pages" / "drawing.py",
        here.parent / "pages" / "scales.py",
        here.parent / "templating.py",
    )
    files = [*sorted(path for path in here.rglob("*") if path.suffix in (".py", ".html", ".css", ".js")), *others]
    return digest([digest_bytes(path.read_bytes()) for path in files], version("jinja2"))
