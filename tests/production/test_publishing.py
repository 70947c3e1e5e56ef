"""A season is published to a folder: what is sent, what subscribers see, and what is refused; and a run that is cut off loses nothing."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree  # type: ignore[import-untyped, unused-ignore]

from feeds import reader
from feeds.publish import Report, rollback
from production import identities, locks, media, publishing, sheets
from production.errors import ConfigError, StepFailed, StepsFailed, ToolMissing
from production.feed import feeds_of
from production.model import Place, Project
from production.store import Store
from tests.production import season
from tests.production.season import NOW, Killed, killed_after


@pytest.fixture(autouse=True)
def plain_covers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "feed_cover", lambda _project, of, _store: f"cover of {of.slug}".encode())
    # these files hold no sound and no picture: what is asked of real ones is tested with real ones
    monkeypatch.setattr(media, "broken", lambda *_: iter(()))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """35 finished episodes, of which none is published."""
    found = season.project(tmp_path / "show")
    for number in range(1, 36):
        season.finish(found.root, number)
    return found


def send(project: Project, *slugs: str, dry_run: bool = False, removing: bool = False, now: dt.datetime = NOW) -> tuple[Report, list[str]]:
    """Publish; gives what was sent, and what was said."""
    lines: list[str] = []
    wanted = [one for one in feeds_of(project) if not slugs or one.slug in slugs]
    made = publishing.ready(project, wanted, project.root / "build", Store(project.root / ".store"), now)
    place = publishing.place_of(project, None)
    target = publishing.opened(project, place)
    try:
        report = publishing.send(
            made, target, place, now=now, removing=removing, dry_run=dry_run, say=lines.append, show=lambda _label, _done, _total: None
        )
    finally:
        target.close()
    return report, lines


def public(project: Project) -> Path:
    return project.root.parent / "public"


def everything(project: Project) -> dict[str, bytes]:
    root = public(project)
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file() and not path.name.startswith(".")}


def named(project: Project) -> Iterator[tuple[str, str, int]]:
    """Every enclosure of every feed on the target: feed, path and length."""
    for path in sorted((public(project) / "feeds").glob("*.xml")):
        for item in reader.items(reader.parse(path.read_bytes())):
            assert item.enclosure_url
            assert item.enclosure_length
            yield path.stem, item.enclosure_url.removeprefix("https://media.show.example/"), item.enclosure_length


def assert_whole(project: Project) -> None:
    """Every feed there is valid, and all that it names is there."""
    for path in (public(project) / "feeds").glob("*.xml"):
        etree.fromstring(path.read_bytes(), etree.XMLParser(resolve_entities=False, no_network=True))
    for _, path, length in named(project):
        data = (public(project) / path).read_bytes()
        assert len(data) == length
        assert hashlib.sha256(data).hexdigest()[:12] in path


def test_a_season_is_published_and_a_second_time_nothing_is_sent(project: Project) -> None:
    report, lines = send(project)
    assert len([path for path in report.sent if path.endswith(".mp3")]) == 35
    assert sorted(report.replaced) == ["feeds/deep-dives.xml", "feeds/foundational.xml", "feeds/pattern-mastery.xml", "feeds/show.xml"]
    assert_whole(project)
    assert len(list(named(project))) == 70
    assert "foundational: the first publication of this feed" in lines
    before, written = everything(project), {path: path.read_bytes() for path in (project.root / "configs/published").iterdir()}
    report, lines = send(project)
    assert (report.sent, report.replaced) == ((), ())
    assert [line for line in lines if "nothing changes" not in line] == []
    assert everything(project) == before
    assert {path: path.read_bytes() for path in (project.root / "configs/published").iterdir()} == written


def test_one_of_35_built_again_is_one_item_one_audio_file_and_its_feeds(project: Project) -> None:
    send(project)
    before = everything(project)
    season.finish(project.root, 14, b"other")
    made = publishing.ready(project, feeds_of(project), project.root / "build", Store(project.root / ".store"), NOW)
    found = publishing.changes(made, "show", (public(project) / "feeds/show.xml").read_bytes())
    assert [(one.item.episode, [change.field for change in one.changes]) for one in found.changed] == [(14, ["enclosure_url"])]
    assert (found.added, found.removed, found.replaced, found.repeated_bytes) == ((), (), (), 0)
    report, _ = send(project, "pattern-mastery")
    assert [path.split("-")[1][:2] for path in report.sent] == ["14/episode"[:2]]
    assert report.replaced == ("feeds/pattern-mastery.xml",)
    after = everything(project)
    # the old file stays: whoever has the old feed still gets it whole
    assert {name: after[name] for name in before if name != "feeds/pattern-mastery.xml"} == {
        name: data for name, data in before.items() if name != "feeds/pattern-mastery.xml"
    }
    assert_whole(project)


def test_a_dry_run_sends_nothing_and_says_what_would_be_sent(project: Project) -> None:
    report, lines = send(project, dry_run=True)
    assert report.dry_run
    assert len([path for path in report.sent if path.endswith(".mp3")]) == 35
    assert not (project.root / "configs/published").exists()
    assert everything(project) == {} if public(project).exists() else True
    assert any(line.startswith("deep-dives: new: episode 22") for line in lines)


def test_an_episode_that_would_leave_its_feed_is_refused_until_it_is_meant(project: Project) -> None:
    send(project)
    before = everything(project)
    fewer = replace(project, episodes=project.episodes[:-1])
    with pytest.raises(StepsFailed) as refused:
        send(fewer)
    assert {one.hint for one in refused.value.problems} == {"bring its config back, or say --allow-removal"}
    assert everything(project) == before
    send(fewer, removing=True)
    assert len(list(named(project))) == 68


def test_a_feed_that_knows_our_episodes_by_other_guids_is_not_overwritten(project: Project) -> None:
    send(project)
    for path in (project.root / "configs/published").iterdir():
        path.unlink()
    elsewhere = replace(project, show=replace(project.show, slug="another-show"))
    with pytest.raises(StepsFailed) as refused:
        send(elsewhere, "foundational")
    assert len(refused.value.problems) == 12
    assert "produce adopt" in refused.value.problems[0].hint


def test_what_was_published_anew_may_have_another_guid(project: Project) -> None:
    send(project)
    moved = replace(season.an_episode(14), date=dt.date(2026, 11, 1))
    slug, lock = identities.republished(moved, locks.all_of(project), keep_guid=False)
    locks.save(project, slug, lock)
    again = replace(project, episodes=tuple(moved if one.number == 14 else one for one in project.episodes))
    _, lines = send(again, "pattern-mastery", "show")
    assert [line for line in lines if "every subscriber downloads it once more" in line]
    assert_whole(again)


def test_a_feed_that_apps_would_refuse_is_not_published(project: Project) -> None:
    with pytest.raises(StepsFailed) as refused:
        send(replace(project, show=replace(project.show, category="Distributed Systems")))
    assert any("category" in one.message for one in refused.value.problems)
    assert not public(project).exists() or everything(project) == {}


def test_the_feed_before_comes_back_and_goes_again(project: Project) -> None:
    send(project)
    first = (public(project) / "feeds/foundational.xml").read_bytes()
    season.finish(project.root, 3, b"other")
    send(project)
    second = (public(project) / "feeds/foundational.xml").read_bytes()
    assert second != first
    place = publishing.place_of(project, None)
    for wanted in (first, second, first):
        target = publishing.opened(project, place)
        rollback(target, "foundational")
        target.close()
        assert (public(project) / "feeds/foundational.xml").read_bytes() == wanted
        assert_whole(project)


def test_the_locks_are_written_before_any_feed_changes(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(locks, "save", fails)
        with pytest.raises(OSError, match="No space left"):
            send(project)
    assert not list((public(project) / "feeds").glob("*.xml"))
    report, _ = send(project)
    assert len([path for path in report.already if path.endswith(".mp3")]) == 35
    assert_whole(project)


@pytest.mark.parametrize("after", range(0, 36, 2))
def test_a_run_that_is_cut_off_anywhere_leaves_every_feed_whole_and_the_next_one_finishes(
    after: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = season.project(tmp_path / "show", count=5)
    for number in range(1, 6):
        season.finish(project.root, number)
    with monkeypatch.context() as patch:
        left = killed_after(after, patch)
        with contextlib.suppress(Killed):
            send(project)
    assert_whole(project)
    send(project)
    assert len(list(named(project))) == 10
    assert_whole(project)
    assert send(project)[0].sent == ()
    # so far every point was one at which something was still to be done, but for the last ones
    assert not left[0] or after > 28


def test_what_is_the_same_of_many_items_is_said_once(project: Project) -> None:
    made = publishing.ready(project, feeds_of(project), project.root / "build", Store(project.root / ".store"), NOW)
    found = [one.message for one in publishing.problems_of(made, NOW)]
    assert sorted(one for one in found if one.startswith("psp-transcript")) == [
        f"psp-transcript: the item has no podcast:transcript (and {count} more like it)" for count in (11, 13, 8)
    ]
    assert sum(1 for _ in made.broken(NOW)) > 140


@pytest.mark.parametrize(
    ("targets", "name", "why"),
    [
        ((), None, "no target to publish to"),
        ((Place(name="a", kind="folder", path="x"), Place(name="b", kind="folder", path="y")), None, "there are several targets: a, b"),
        ((Place(name="a", kind="folder", path="x"),), "b", "there is no target 'b'"),
    ],
)
def test_a_target_that_is_not_said_is_asked_for(targets: tuple[Place, ...], name: str | None, why: str, project: Project) -> None:
    with pytest.raises(ConfigError) as refused:
        publishing.place_of(replace(project, show=replace(project.show, targets=targets)), name)
    assert [why in one.message for one in refused.value.problems] == [True]


def test_a_target_that_lacks_something_is_a_failed_step_that_names_it(project: Project) -> None:
    with pytest.raises(StepFailed, match="target media: a target of kind s3 needs bucket"):
        publishing.opened(project, Place(name="media", kind="s3"))


def test_a_library_that_is_not_installed_is_a_missing_tool_with_what_to_install(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(ToolMissing, match=r"pip install 'distributed-systems-podcast\[s3\]'") as missing:
        publishing.opened(project, Place(name="media", kind="s3", bucket="podcast"))
    assert missing.value.exit_code == 4
