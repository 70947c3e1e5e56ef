"""The feed as a subscriber's program reads it: what it names is there, as long as it says."""

from __future__ import annotations

import hashlib
import io
import json
import re
import time
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import project
from tests.e2e.project import Take

pytestmark = pytest.mark.process

MEDIA = "https://media.tones.example/show/"


@pytest.fixture(scope="module")
def series(built: Path, tmp_path_factory: pytest.TempPathFactory, ffmpeg: str) -> Path:
    """Two episodes, built by the name of their series; a third one is only a plan."""
    root = project.copied(built, tmp_path_factory.mktemp("series") / "show")
    project.add_episode(root, 2, [Take("echo", 900, 3.0), Take("foxtrot", 1500, 3.0)], ffmpeg=ffmpeg)
    project.produce(root, project.SERIES)
    project.add_episode(root, 3, [], ffmpeg=ffmpeg)
    with project.edited(root, "episode-03") as config:
        config["sections"] = [{"slug": "golf", "title": "Golf", "part": "exercises"}]
    found = project.produce(root, project.SERIES, code=2)
    assert "section 'golf': the recording is missing" in found.said
    return root


def feed(root: Path) -> Any:
    feedparser = pytest.importorskip("feedparser", reason="feedparser is not installed")
    found = feedparser.parse((root / "build" / "feeds" / f"{project.SERIES}.xml").read_bytes())
    assert not found.bozo, found.get("bozo_exception")
    return found


def file_at(root: Path, address: str) -> Path:
    """The file under build/ that an address of the feed stands for; a part of its digest is in the address, but in that of a feed."""
    assert address.startswith(MEDIA)
    path = root / "build" / address.removeprefix(MEDIA)
    if path.suffix == ".xml":
        return path
    name, _, digits = path.stem.rpartition("-")
    found = path.with_name(name + path.suffix)
    assert hashlib.sha256(found.read_bytes()).hexdigest()[:12] == digits
    return found


def test_it_holds_what_is_built_and_newest_first(series: Path) -> None:
    found = feed(series)
    assert [entry.title for entry in found.entries] == ["Tones $ & “more” 2", "Tones $ & “more” 1"]
    assert [time.strftime("%Y-%m-%d", entry.published_parsed) for entry in found.entries] == ["2026-01-02", "2026-01-01"]
    assert len({entry.id for entry in found.entries}) == 2
    assert [(entry.itunes_season, entry.itunes_episode) for entry in found.entries] == [("1", "2"), ("1", "1")]


def test_every_enclosure_is_a_file_of_exactly_that_length(series: Path) -> None:
    for entry in feed(series).entries:
        (enclosure,) = entry.enclosures
        assert int(enclosure.length) == file_at(series, enclosure.href).stat().st_size
        assert enclosure.type == "audio/mpeg"
        name = file_at(series, enclosure.href).stem
        assert int(entry.itunes_duration) == round(project.report(series, name)["audio"]["duration_s"])
        assert file_at(series, entry.image.href).read_bytes()[:2] == b"\xff\xd8"


def test_the_channel_names_itself_and_its_picture(series: Path) -> None:
    channel = feed(series).feed
    assert channel.title == "The Tone Show: Tones"
    assert file_at(series, channel.image.href).is_file()
    assert [file_at(series, link.href).name for link in channel.links if link.rel == "self"] == [f"{project.SERIES}.xml"]
    assert "<itunes:author>Ada &amp; Co</itunes:author>" in (series / "build" / "feeds" / f"{project.SERIES}.xml").read_text("utf-8")


def test_the_chapters_that_it_links_to_are_the_ones_of_the_file(series: Path) -> None:
    text = (series / "build" / "feeds" / f"{project.SERIES}.xml").read_text("utf-8")
    found = re.findall(r'<podcast:chapters url="([^"]+)" type="application/json\+chapters"/>', text)
    assert [file_at(series, address) for address in found] == [series / "build" / f"episode-{number:02d}" / "chapters.json" for number in (2, 1)]


def test_the_chapters_in_the_feed_and_in_the_notes_are_the_ones_of_the_file(series: Path) -> None:
    podcastparser = pytest.importorskip("podcastparser", reason="podcastparser is not installed")
    path = series / "build" / "feeds" / f"{project.SERIES}.xml"
    episodes = podcastparser.parse(f"{MEDIA}feeds/{path.name}", io.BytesIO(path.read_bytes()))["episodes"]
    newest = next(one for one in episodes if one["number"] == 2)
    listed = json.loads((series / "build" / "episode-02" / "chapters.json").read_text("utf-8"))["chapters"]
    assert [(one["start"], one["title"]) for one in newest["chapters"]] == [(int(one["startTime"]), one["title"]) for one in listed]
    assert all(f"<li>00:00:{int(one['startTime']):02} " in newest["description_html"] for one in listed)


def test_the_feed_of_the_whole_show_holds_every_episode_by_the_same_guid(series: Path) -> None:
    feedparser = pytest.importorskip("feedparser", reason="feedparser is not installed")
    whole = feedparser.parse((series / "build" / "feeds" / f"{project.SHOW}.xml").read_bytes())
    assert not whole.bozo, whole.get("bozo_exception")
    assert whole.feed.title == "The Tone Show"
    assert [(entry.id, entry.title, entry.enclosures) for entry in whole.entries] == [(e.id, e.title, e.enclosures) for e in feed(series).entries]
    assert whole.feed.podcast_guid != feed(series).feed.podcast_guid


def test_one_episode_built_again_keeps_the_others_in_the_feed(series: Path, tmp_path: Path) -> None:
    root = project.copied(series, tmp_path / "show")
    for path in (root / "build" / "episode-02").iterdir():
        # As after a copy that keeps no times.
        path.touch()
    before = feed(root)
    with project.edited(root) as config:
        config["title"] = "A title that was mended"
    project.produce(root)
    after = feed(root)
    assert [entry.title for entry in after.entries] == ["Tones $ & “more” 2", "A title that was mended"]
    assert [entry.id for entry in after.entries] == [entry.id for entry in before.entries]
    assert [int(entry.enclosures[0].length) for entry in after.entries] == [
        project.mp3(root, name).stat().st_size for name in ("episode-02", "episode-01")
    ]
