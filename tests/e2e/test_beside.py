"""M4A and Opus beside the MP3: the same sound, the same marks, read by programs that are not ours."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.conftest import require
from tests.e2e import project
from tests.e2e.conftest import TAKES

pytestmark = pytest.mark.process

FORMATS = {"m4a": 96, "opus": 64}
NAMES = tuple(f"{project.EPISODE}.{kind}" for kind in FORMATS)
_CODEC_FRAMES = {"m4a": 1024, "opus": 960}
"""Samples: no mark may be further off."""


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory, built: Path) -> Path:
    """A finished episode that asks for both."""
    root = project.copied(built, tmp_path_factory.mktemp("beside") / "show")
    with project.edited(root) as config:
        config["formats"] = FORMATS
    said = project.produce(root).said
    # The sound of the MP3 is what it was.
    assert "0 of 3 chunks to encode" in said
    return root


def file(root: Path, kind: str) -> Path:
    return project.mp3(root).with_suffix(f".{kind}")


def starts(root: Path) -> list[float]:
    return [chapter["start_s"] for chapter in project.report(root)["chapters"]]


@pytest.mark.parametrize("kind", FORMATS)
def test_the_marks_are_those_of_the_mp3(kind: str, beside: Path) -> None:
    said = json.loads(project.run(require("ffprobe"), "-v", "error", "-show_chapters", "-of", "json", file(beside, kind)))["chapters"]
    assert [float(one["start_time"]) for one in said] == pytest.approx(starts(beside), abs=0.001)
    assert [one["tags"]["title"] for one in said] == [chapter["title"] for chapter in project.report(beside)["chapters"]]


@pytest.mark.parametrize("kind", FORMATS)
def test_each_section_sounds_at_its_mark(kind: str, beside: Path, ffmpeg: str) -> None:
    left = project.decoded(file(beside, kind), ffmpeg)[:, 0]
    for chapter, take in zip(project.report(beside)["chapters"], TAKES, strict=True):
        mark = chapter["section_start_samples"]
        assert abs(project.onset(left, take.hertz, mark) - mark) <= _CODEC_FRAMES[kind]


@pytest.mark.parametrize("kind", FORMATS)
def test_it_is_as_long_and_as_loud_as_the_mp3(kind: str, beside: Path, ffmpeg: str) -> None:
    plain, other = (project.decoded(path, ffmpeg) for path in (project.mp3(beside), file(beside, kind)))
    assert abs(len(plain) - len(other)) <= 2 * _CODEC_FRAMES[kind]
    assert project.loudness(other, ffmpeg) == pytest.approx(project.loudness(plain, ffmpeg), abs=0.3)


@pytest.mark.parametrize("kind", FORMATS)
def test_it_carries_the_cover_and_the_title(kind: str, beside: Path) -> None:
    said = json.loads(project.run(require("ffprobe"), "-v", "error", "-show_streams", "-show_format", "-of", "json", file(beside, kind)))
    assert [one["codec_name"] for one in said["streams"]].count("mjpeg") == 1
    tags = {name.lower(): value for where in (said["format"], *said["streams"]) for name, value in where.get("tags", {}).items()}
    assert tags["title"]


def test_another_title_encodes_nothing_and_changes_both(beside: Path, tmp_path: Path) -> None:
    root = project.copied(beside, tmp_path / "show")
    entries = {path: path.stat().st_mtime_ns for path in (root / "build" / ".store" / "files").rglob("*") if path.suffix in (".m4a", ".opus")}
    before = project.published(root)
    with project.edited(root) as config:
        config["sections"][0]["title"] = "Another Beginning"
    project.produce(root)
    after = project.published(root)
    assert all(before[name] != after[name] for name in before if name.endswith(NAMES))
    kept = {path: path.stat().st_mtime_ns for path in (root / "build" / ".store" / "files").rglob("*") if path.suffix in (".m4a", ".opus")}
    assert kept.keys() == entries.keys()


def test_made_elsewhere_from_nothing_they_are_the_same_bytes(beside: Path, tmp_path: Path) -> None:
    root = project.unbuilt(beside, tmp_path / "elsewhere" / "show")
    project.produce(root, project.EPISODE, "--jobs", "1")
    assert project.published(root) == project.published(beside)


def test_the_feed_names_the_mp3(beside: Path) -> None:
    feed = (beside / "build" / "feeds" / f"{project.SERIES}.xml").read_text("utf-8")
    (enclosure,) = re.findall(r"<enclosure [^>]*>", feed)
    assert f"/{project.EPISODE}-" in enclosure
    assert 'type="audio/mpeg"' in enclosure


def test_the_feed_offers_the_others_with_what_proves_them(beside: Path) -> None:
    root = ET.fromstring((beside / "build" / "feeds" / f"{project.SERIES}.xml").read_bytes())
    space = "{https://podcastindex.org/namespace/1.0}"
    found = {one.get("type"): one for one in root.iter(f"{space}alternateEnclosure")}
    assert list(found) == ["audio/mpeg", "audio/mp4", "audio/ogg"]
    for name, kind in ((f"{project.EPISODE}.m4a", "audio/mp4"), (f"{project.EPISODE}.opus", "audio/ogg")):
        data = (beside / "build" / project.EPISODE / name).read_bytes()
        integrity = found[kind].find(f"{space}integrity")
        assert integrity is not None
        assert integrity.get("value") == f"sha256-{base64.b64encode(hashlib.sha256(data).digest()).decode()}"
        assert found[kind].get("length") == str(len(data))
