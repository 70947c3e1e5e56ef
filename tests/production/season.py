"""A season of 35 finished episodes without a sound in them: what is published is bytes, whatever they hold."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from production import receipts
from production.model import Episode, Place, Project, Section, Series
from production.receipts import Receipt
from tests.production.test_feed import SHOW

NOW = dt.datetime(2027, 1, 1, tzinfo=dt.UTC)
SERIES = tuple(
    Series(slug=slug, season=season, title=title, description=f"{title}.", episodes=numbers)
    for season, (slug, title, numbers) in enumerate(
        (("foundational", "Foundational", "1-12"), ("pattern-mastery", "Pattern Mastery", "13-21"), ("deep-dives", "Deep Dives", "22-35")), 1
    )
)
TITLES = (
    "Clocks & <Causality>",
    "What ]]> ends",
    "Quorums 👩‍💻🎙",
    "النظم الموزعة",
    "A title with \x07 and \x00 in it",
    'Said "so"',
)


def an_episode(number: int) -> Episode:
    series = next(one for one in SERIES if number in one.numbers)
    return Episode(
        id=f"episode-{number:02}",
        number=number,
        series=series.slug,
        title=f"{TITLES[number % len(TITLES)]}, the {number}th",
        summary="What it is about. " * (number % 7 + 1),
        date=dt.date(2026, 1, 1) + dt.timedelta(weeks=number),
        notes="**Links**: [Raft](https://raft.github.io/?a=1&b=2)\n\n<script>alert(1)</script>",
        sections=(Section(slug="a", title="A", part="mathematics"),),
    )


def project(root: Path, count: int = 35) -> Project:
    """The show; what it publishes goes to the folder ``public`` beside the project."""
    place = Place(name="media", kind="folder", path=str(root.parent / "public"))
    return Project(root, replace(SHOW, targets=(place,)), SERIES, tuple(an_episode(number) for number in range(1, count + 1)), {})


def chapters(number: int) -> list[dict[str, object]]:
    return [{"startTime": 30 * at * number, "title": f"Part {at} & <more>, {number}"} for at in range(number % 5 + 3)]


def finish(root: Path, number: int, sound: bytes = b"sound") -> None:
    """Build an episode, as far as its files are concerned."""
    folder = root / "build" / f"episode-{number:02}"
    folder.mkdir(parents=True, exist_ok=True)
    files = {
        f"{folder.name}.mp3": sound * (1000 + number),
        "chapters.json": json.dumps({"version": "1.2.0", "chapters": chapters(number)}).encode(),
        "cover.jpg": b"\xff\xd8 cover of %d" % number,
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)
    outputs = {name: receipts.stamp(folder, name, hashlib.sha256(data).hexdigest()) for name, data in files.items()}
    receipts.save(folder, Receipt("", False, 48_000 * (10_000 + number), {}, {}, outputs))


class Killed(BaseException):
    """The process ends here."""


def killed_after(number: int, patch: pytest.MonkeyPatch) -> list[int]:
    """From now on, the process ends at the renaming of a file that comes after so many. What is given counts them down."""
    replace_file, left = os.replace, [number]

    def rename(*arguments: object, **said: object) -> None:
        if not left[0]:
            raise Killed
        left[0] -= 1
        replace_file(*arguments, **said)  # type: ignore[arg-type]

    patch.setattr(os, "replace", rename)
    return left
