"""What an app knows an episode by stays what it was: through edits of the configs, on machines that built nothing, and when a show moves here."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest

from feeds import reader
from feeds.identity import podcast_guid
from production import feed, identities, locks, sheets
from production.errors import ConfigError, StepFailed, StepsFailed
from production.model import Location, Project
from production.store import Store
from tests.production.test_feed import NOW, PROJECT, SERIES, SHOW, an_episode, finish


@pytest.fixture(autouse=True)
def plain_covers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "feed_cover", lambda *_: b"\xff\xd8")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Both episodes are built, and published once."""
    found = replace(PROJECT, root=tmp_path)
    for number in (1, 2):
        finish(tmp_path / "build", number, size=1000 + number)
    publish(found)
    return found


def made(project: Project, now: dt.datetime = NOW) -> feed.Feed:
    return feed.made(project, project.series[0], project.root / "build", Store(project.root / ".store"), now)


def publish(project: Project) -> None:
    for slug, lock in identities.recorded(project, [made(project)], locks.all_of(project)).items():
        locks.save(project, slug, lock)


def known(project: Project) -> list[tuple[str, dt.datetime, str]]:
    """What apps know the items by, and where they download from."""
    return [(item.guid, item.published, item.enclosure.url) for item in made(project).items]


def test_what_is_published_is_remembered(project: Project) -> None:
    held = locks.all_of(project)
    assert set(held) == {"basics"}
    assert [(entry.number, entry.guid, entry.published) for entry in held["basics"].entries] == [
        (item.episode, item.guid, item.published) for item in made(project).items
    ]
    before = (project.root / "configs/published/basics.json").read_bytes()
    publish(project)
    assert (project.root / "configs/published/basics.json").read_bytes() == before


def test_no_name_that_is_changed_changes_an_identity(project: Project) -> None:
    before, channel = known(project), made(project).channel.guid
    renamed = replace(
        project,
        show=replace(SHOW, slug="renamed", title="Renamed", media_url="https://elsewhere.example/"),
        episodes=tuple(replace(one, title="Renamed") for one in project.episodes),
    )
    assert [(guid, published) for guid, published, _ in known(renamed)] == [(guid, published) for guid, published, _ in before]
    assert made(renamed).channel.guid == channel


def test_a_date_that_would_change_is_refused_for_all_at_once(project: Project) -> None:
    moved = replace(project, episodes=tuple(replace(one, date=dt.date(2026, 5, 5)) for one in project.episodes))
    with pytest.raises(StepsFailed) as refused:
        made(moved)
    assert [one.message.split(";")[0] for one in refused.value.problems] == [
        "episode 1 was published with date 2026-01-01",
        "episode 2 was published with date 2026-01-02",
    ]
    assert "produce republish episode-01" in refused.value.problems[0].hint


def test_a_machine_that_built_nothing_writes_the_same_items(project: Project, tmp_path: Path) -> None:
    before = made(project).items
    for number in (1, 2):
        (tmp_path / "build" / f"episode-{number:02}" / ".receipt.json").unlink()
    assert made(project).items == before


def test_a_date_in_the_future_keeps_an_episode_back_until_it_is_out(tmp_path: Path) -> None:
    project = replace(PROJECT, root=tmp_path)
    for number in (1, 2):
        finish(tmp_path / "build", number)
    between = dt.datetime(2026, 1, 2, 11, 59, tzinfo=dt.UTC)
    assert [item.episode for item in made(project, between).items] == [1]
    assert [item.episode for item in made(project, between + dt.timedelta(minutes=1)).items] == [1, 2]


def test_new_audio_has_a_new_address_and_the_guid_that_it_had(project: Project, tmp_path: Path) -> None:
    before = known(project)
    finish(tmp_path / "build", 1, size=2000)
    publish(project)
    after = known(project)
    assert [one[:2] for one in after] == [one[:2] for one in before]
    assert after[0][2] != before[0][2]
    assert after[1] == before[1]
    entry = locks.all_of(project)["basics"].entry(1)
    assert entry is not None
    assert [one.enclosure.url for one in entry.releases] == [before[0][2], after[0][2]]


def test_an_episode_is_published_anew_only_by_saying_so(project: Project) -> None:
    held = locks.all_of(project)
    moved = replace(an_episode(1), date=dt.date(2026, 5, 5))
    slug, lock = identities.republished(moved, held, keep_guid=False)
    old, new = held[slug].entry(1), lock.entry(1)
    assert old
    assert new
    assert (new.date, new.published, new.former) == (moved.date, sheets.published(moved), (old.guid,))
    assert new.guid != old.guid
    _, redated = identities.republished(moved, held, keep_guid=True)
    kept = redated.entry(1)
    assert kept
    assert (kept.guid, kept.date) == (old.guid, moved.date)
    with pytest.raises(StepFailed, match="neither its date nor its guid"):
        identities.republished(an_episode(1), held, keep_guid=True)
    with pytest.raises(StepFailed, match="never published"):
        identities.republished(an_episode(3), held, keep_guid=False)


def test_an_episode_that_moves_to_another_series_keeps_its_entry(project: Project) -> None:
    other = replace(SERIES, slug="more", season=2, episodes="10-19")
    both = replace(project, series=(SERIES, other))
    before = known(project)
    moved = replace(both, episodes=(an_episode(1), replace(an_episode(2), series="more")))
    found = feed.made(moved, other, project.root / "build", Store(project.root / ".store"), NOW)
    assert [(item.guid, item.published, item.enclosure.url) for item in found.items] == before[1:]
    after = identities.recorded(moved, [found], locks.all_of(moved))
    assert [entry.number for entry in after["basics"].entries] == [1, 2]
    assert after["more"].entries == ()


def test_a_damaged_lock_is_reported_with_its_place(project: Project) -> None:
    path = project.root / "configs/published/basics.json"
    path.write_bytes(path.read_bytes().replace(b'"guid":', b'"guid"', 1))
    with pytest.raises(ConfigError) as refused:
        made(project)
    (problem,) = refused.value.problems
    assert (problem.location.path, problem.location.line) == (path, 3)
    assert "version control" in problem.hint


# -- a show that moves here ------------------------------------------------------------------------------------------------------

ELSEWHERE = """\
<rss version="2.0" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd" xmlns:podcast="https://podcastindex.org/namespace/1.0"
 xmlns:atom="http://www.w3.org/2005/Atom"><channel><title>Old</title>
<atom:link href="https://old.example/feed.xml" rel="self"/>
{guid}
<item><title>Episode-02</title><guid>old-2</guid><pubDate>Fri, 02 Jan 2026 06:00:00 +0200</pubDate><itunes:duration>3:00:00</itunes:duration>
<enclosure url="https://old.example/2.mp3" length="172800000" type="audio/mpeg"/></item>
<item><title>Another title</title><guid>old-1</guid><pubDate>Thu, 08 Jan 2026 06:00:00 +0000</pubDate><itunes:episode>1</itunes:episode>
<enclosure url="https://old.example/1.mp3" length="5" type="audio/mpeg"/></item>
</channel></rss>
"""


def adopt(project: Project, text: str) -> identities.Adopted:
    root = reader.parse(text.encode())
    held = locks.all_of(project)
    return identities.adopted(project, project.series[0], reader.channel(root), reader.items(root), held, Location(Path("old.xml")))


def test_a_feed_from_elsewhere_goes_on_without_one_download(tmp_path: Path) -> None:
    project = replace(PROJECT, root=tmp_path)
    found = adopt(project, ELSEWHERE.format(guid="<podcast:guid>917393e3-1b1e-5cef-ace4-edaa54e1f810</podcast:guid>"))
    for slug, lock in found.locks.items():
        locks.save(project, slug, lock)
    assert found.locks["basics"].guid == "917393e3-1b1e-5cef-ace4-edaa54e1f810"
    assert any("its config says 2026-01-01; subscribers go on seeing 2026-01-08" in line for line in found.lines)
    mine = made(project)
    assert mine.channel.guid == "917393e3-1b1e-5cef-ace4-edaa54e1f810"
    assert [(item.guid, item.enclosure.url, item.enclosure.length, item.published.isoformat()) for item in mine.items] == [
        ("old-1", "https://old.example/1.mp3", 5, "2026-01-08T06:00:00+00:00"),
        ("old-2", "https://old.example/2.mp3", 172_800_000, "2026-01-02T06:00:00+02:00"),
    ]
    assert mine.items[1].duration == 10_800
    # once more changes nothing
    assert adopt(project, ELSEWHERE.format(guid="<podcast:guid>917393e3-1b1e-5cef-ace4-edaa54e1f810</podcast:guid>")).locks == found.locks


def test_a_feed_without_a_guid_of_its_own_keeps_the_one_that_follows_from_its_address(tmp_path: Path) -> None:
    found = adopt(replace(PROJECT, root=tmp_path), ELSEWHERE.format(guid=""))
    assert found.locks["basics"].guid == podcast_guid("https://old.example/feed.xml")


@pytest.mark.parametrize(
    ("was", "now", "why"),
    [
        ("<itunes:episode>1</itunes:episode>", "", "no episode has its number or its title"),
        ("<title>Another title</title>", "<title>Episode-02</title>", "a second item is episode-02"),
        ("<guid>old-1</guid>", "", "episode-01 has no guid, date or enclosure"),
        ("Thu, 08 Jan 2026 06:00:00 +0000", "soon", "episode-01 has no guid, date or enclosure"),
        ('length="5"', 'length="0"', "the enclosure of episode-01 has no length"),
    ],
)
def test_an_item_that_cannot_be_taken_over_is_named_with_its_line(was: str, now: str, why: str, tmp_path: Path) -> None:
    text = ELSEWHERE.format(guid="").replace(was, now)
    assert was not in text
    with pytest.raises(StepsFailed) as refused:
        adopt(replace(PROJECT, root=tmp_path), text)
    assert [one.message for one in refused.value.problems if why in one.message]
    assert refused.value.problems[0].location.line in (5, 7)


def test_an_episode_that_was_published_here_is_not_given_another_guid(project: Project) -> None:
    with pytest.raises(StepsFailed, match=r"input\(s\)") as refused:
        adopt(project, ELSEWHERE.format(guid=f"<podcast:guid>{made(project).channel.guid}</podcast:guid>"))
    assert all("is published already, with the guid" in one.message for one in refused.value.problems)
