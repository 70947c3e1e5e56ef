"""What a producer does to a finished episode, and the way back: each change is made to a fresh copy of the same finished build."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import material
from benchmarks.material import EPISODE, REPLACED, ROOT
from benchmarks.measure import Failed

_GAP_SECONDS = 8
"""So far from the nominal 2 s that it comes out otherwise wherever the grid lies: a gap gives way by a second and a half."""
_GAP_BEFORE = 4
_COLOUR = "#7a2a10"


class State:
    """A project, and the build of it that it goes back to. ``intro`` is a file that can take the builtin intro's place."""

    def __init__(self, root: Path, intro: Path) -> None:
        self.root, self._intro = root, intro
        self._build, self._kept = root / "build", root / "kept"
        self._config = root / "configs" / "episodes" / f"{EPISODE}.yaml"
        self.mp3 = self._build / EPISODE / f"{EPISODE}.mp3"
        self._before = self._whole = ""
        self._written = 0

    def empty(self) -> None:
        """Nothing is built, nothing is changed."""
        shutil.rmtree(self._build, ignore_errors=True)
        shutil.copyfile(ROOT / "configs" / "episodes" / self._config.name, self._config)
        self._music().unlink(missing_ok=True)
        self._point_at(self._first_take())
        self._before, self._written = "", 0

    def keep(self) -> None:
        """What is built now is what `restore` goes back to."""
        shutil.rmtree(self._kept, ignore_errors=True)
        # With their times: `produce` looks at those first.
        shutil.copytree(self._build, self._kept, symlinks=True)
        self._whole = _sha256(self.mp3)

    def restore(self) -> None:
        """The finished build, and nothing changed."""
        self.empty()
        shutil.copytree(self._kept, self._build, symlinks=True)
        self._before, self._written = self._whole, self.mp3.stat().st_mtime_ns

    def check(self, *, same: bool, written: bool) -> None:
        """Raises Failed unless the episode has, or has not, the bytes of the kept build, and was, or was not, written since `restore`."""
        if not self.mp3.is_file():
            raise Failed("there is no episode")
        if (_sha256(self.mp3) == self._whole) != same:
            raise Failed("the episode is not what a build from nothing makes" if same else "the episode did not change")
        if (self.mp3.stat().st_mtime_ns != self._written) != written:
            raise Failed("the episode was not written" if written else "the episode was written again")

    # -- changes ----------------------------------------------------------------------------------------------------------------

    def nothing(self) -> None:
        """No change at all."""

    def chapter_title(self) -> None:
        def change(config: dict[str, Any]) -> None:
            config["sections"][1]["title"] += ", Again"

        self._edit(change)

    def title(self) -> None:
        def change(config: dict[str, Any]) -> None:
            config["title"] += ", Again"

        self._edit(change)

    def artwork(self) -> None:
        self._edit(lambda config: config.update(artwork={"colour": _COLOUR}))

    def gap(self) -> None:
        def change(config: dict[str, Any]) -> None:
            config["sections"][_GAP_BEFORE]["gap"] = _GAP_SECONDS

        self._edit(change)

    def intro(self) -> None:
        self._music().parent.mkdir(exist_ok=True)
        shutil.copyfile(self._intro, self._music())
        self._edit(lambda config: config.update(music={"intro": "music/intro.wav"}))

    def section(self) -> None:
        first = self._first_take()
        self._point_at(first.with_name(f"{first.stem}-again{first.suffix}"))

    def _edit(self, change: Callable[[dict[str, Any]], object]) -> None:
        config = material.read_config(self._config)
        change(config)
        material.write_config(self._config, config)

    def _music(self) -> Path:
        return self.root / "music" / "intro.wav"

    def _first_take(self) -> Path:
        slug = material.slugs(EPISODE)[REPLACED]
        return next((self.root / "takes" / EPISODE).glob(f"{slug}.*"))

    def _point_at(self, take: Path) -> None:
        link = self.root / "recordings" / EPISODE / self._first_take().name
        link.unlink()
        link.symlink_to(take)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True)
class Change:
    """A row of `produce`. Afterwards the episode has the ``same`` bytes as the kept build or others, and was ``written`` or left alone."""

    key: str
    name: str
    make: Callable[[State], None]
    same: bool = False
    written: bool = True


CHANGES = (
    Change("e-full", "everything, from nothing", State.empty, same=True),
    Change("e-noop", "nothing changed", State.nothing, same=True, written=False),
    Change("e-tags", "a chapter's title changed", State.chapter_title),
    Change("e-title", "the episode's title changed, its cover too", State.title),
    Change("e-artwork", "the artwork's colour changed", State.artwork),
    Change("e-intro", "another intro", State.intro),
    Change("e-gap", "another gap before one section", State.gap),
    Change("e-section", "one section recorded again", State.section),
)
