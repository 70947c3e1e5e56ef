"""When a feed is rendered: when it would come out otherwise, or is not there as it was written, and else not."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from feeds import rss
from production import feed, receipts, sheets
from production.errors import StepFailed
from production.model import Episode, Owner, Project, Section, Series, Show
from production.receipts import Receipt
from production.store import Store
from tests.conftest import ROOT

SHOW = Show(
    title="Show",
    slug="show",
    description="About it.",
    author="Us",
    owner=Owner(name="Us", email="us@show.example"),
    link="https://show.example/",
    media_url="https://media.show.example/",
    copyright="2026 Us",
)
SERIES = Series(slug="basics", season=1, title="Basics", description="It.", episodes="1-9")


def an_episode(number: int) -> Episode:
    sections = (Section(slug="a", title="A", part="mathematics"),)
    name = f"episode-{number:02}"
    return Episode(id=name, number=number, series="basics", title=name, summary="S", date=dt.date(2026, 1, number), sections=sections)


NOW = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
PROJECT = Project(Path("unused"), SHOW, (SERIES,), (an_episode(1), an_episode(2)), {})


def finish(build: Path, number: int, *, size: int = 1000, scratch: bool = False) -> None:
    """An episode that is built: its file, and the receipt of it."""
    folder = build / f"episode-{number:02}"
    folder.mkdir(parents=True, exist_ok=True)
    mp3 = folder / f"{folder.name}.mp3"
    mp3.write_bytes(bytes(size))
    receipts.save(folder, Receipt("", scratch, 48_000 * 60, {}, {}, {mp3.name: receipts.stamp(folder, mp3.name, f"{size:064x}"[::-1])}))


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many items each feed had that was rendered. The cover, which takes a second to draw, is of no matter here."""
    render, calls = rss.render, list[int]()
    monkeypatch.setattr(rss, "render", lambda channel, items: calls.append(len(items)) or render(channel, items))
    monkeypatch.setattr(sheets, "feed_cover", lambda *_: b"\xff\xd8")
    return calls


@pytest.fixture
def build(tmp_path: Path, rendered: list[int]) -> Path:
    """One of two episodes is built, and the feed is written."""
    finish(tmp_path, 1)
    write(tmp_path)
    assert rendered == [1]
    rendered.clear()
    return tmp_path


def write(build: Path, project: Project = PROJECT) -> bytes:
    """What then stands in the feed's file."""
    return feed.write_feed(project, project.series[0], build, Store(build / ".store"), NOW).read_bytes()


def afresh(build: Path, project: Project = PROJECT) -> bytes:
    """The same in a store that knows nothing."""
    return feed.write_feed(project, project.series[0], build, Store(build / "elsewhere"), NOW).read_bytes()


def _damaged(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-9] ^= 1
    path.write_bytes(data)


def test_a_feed_that_would_say_the_same_is_not_rendered(build: Path, rendered: list[int]) -> None:
    before = (build / "feeds/basics.xml").stat().st_mtime_ns
    assert b"episode-01/episode-01-8e3000000000.mp3" in write(build)
    assert (build / "feeds/basics.xml").stat().st_mtime_ns == before
    assert rendered == []


@pytest.mark.parametrize("harm", [Path.unlink, _damaged], ids=["deleted", "changed"])
@pytest.mark.parametrize("name", ["feeds/basics.xml", ".store/feeds/basics.json"])
def test_a_feed_or_its_note_that_was_lost_or_changed_is_made_again(name: str, harm: Callable[[Path], None], build: Path, rendered: list[int]) -> None:
    wanted = (build / "feeds/basics.xml").read_bytes()
    harm(build / name)
    assert write(build) == wanted
    assert rendered == [1]
    assert write(build) == wanted
    assert rendered == [1]


CHANGES: dict[str, Callable[[Path], Project]] = {
    "another episode is finished": lambda build: finish(build, 2) or PROJECT,
    "an episode is finished anew": lambda build: finish(build, 1, size=1001) or PROJECT,
    "an episode became scratch": lambda build: finish(build, 1, scratch=True) or PROJECT,
    "a finished file is gone": lambda build: (build / "episode-01/episode-01.mp3").unlink() or PROJECT,
    "a title": lambda _: replace(PROJECT, episodes=(replace(an_episode(1), title="Mended"), an_episode(2))),
    "a date": lambda _: replace(PROJECT, episodes=(replace(an_episode(1), date=dt.date(2026, 3, 1)), an_episode(2))),
    "the show": lambda _: replace(PROJECT, show=replace(SHOW, author="They")),
    "the series": lambda _: replace(PROJECT, series=(replace(SERIES, description="That."),)),
}


@pytest.mark.parametrize("name", CHANGES)
def test_whatever_the_feed_says_is_seen_to_change(name: str, build: Path, rendered: list[int]) -> None:
    before = (build / "feeds/basics.xml").read_bytes()
    project = CHANGES[name](build)
    found = write(build, project)
    assert len(rendered) == 1
    assert found != before
    assert found == afresh(build, project)


@pytest.mark.parametrize("library", feed.LIBRARIES)
def test_another_library_renders_it_again(library: str, build: Path, rendered: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "version", lambda name: "0.0" if name == library else "1.0")
    write(build)
    assert rendered == [1]


def test_other_code_renders_it_again(build: Path, rendered: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = Path(shutil.copytree(ROOT / "feeds", tmp_path / "code", ignore=shutil.ignore_patterns("__pycache__")))
    monkeypatch.setattr("feeds.__path__", [str(code)])
    write(build)
    assert rendered == []
    with (code / "rss.py").open("a") as file:
        file.write("#")
    write(build)
    assert rendered == [1]


def test_what_no_feed_says_renders_nothing(build: Path, rendered: list[int]) -> None:
    moved = replace(PROJECT, root=Path("elsewhere"), episodes=(an_episode(1), replace(an_episode(2), title="A plan")))
    write(build, moved)
    assert rendered == []


def test_a_feed_that_breaks_a_rule_is_refused_each_time(build: Path) -> None:
    broken = replace(PROJECT, series=(replace(SERIES, title="x" * 200),))
    before = (build / "feeds/basics.xml").read_bytes()
    for _ in range(2):
        with pytest.raises(StepFailed, match="season_name is longer"):
            write(build, broken)
    assert (build / "feeds/basics.xml").read_bytes() == before
