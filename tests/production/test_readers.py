"""35 published episodes as four readers that are not ours see them: the same titles, guids, enclosures and chapters.

Two of the readers are npm packages, podcast-partytime and feedsmith: they are asked when $FEED_READERS names a folder that they are installed in.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import feedparser  # type: ignore[import-untyped, unused-ignore]
import podcastparser  # type: ignore[import-untyped, unused-ignore]
import pytest
from lxml import etree  # type: ignore[import-untyped, unused-ignore]

from production import feed, sheets
from production.store import Store
from tests.conftest import require
from tests.production import season

READ = """
import fs from 'fs';
import { createRequire } from 'module';
import { pathToFileURL } from 'url';
const need = createRequire(process.argv[2] + '/');
const xml = fs.readFileSync(process.argv[3], 'utf8');
const party = need('podcast-partytime');
const smith = await import(pathToFileURL(need.resolve('feedsmith')).href);
const a = party.parseFeed(xml).items.map(i => [i.title, i.guid, i.enclosure.url, i.enclosure.length]);
const b = smith.parseFeed(xml).feed.items.map(i => [i.title, i.guid.value, i.enclosures[0].url, i.enclosures[0].length,
  i.psc.chapters.map(c => [c.start, c.title])]);
console.log(JSON.stringify({ partytime: a, feedsmith: b }));
"""


@pytest.fixture
def whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> feed.Feed:
    """The feed of the whole show."""
    monkeypatch.setattr(sheets, "feed_cover", lambda *_: b"\xff\xd8")
    project = season.project(tmp_path / "show")
    for number in range(1, 36):
        season.finish(project.root, number)
    return feed.made(project, project.show, project.root / "build", Store(tmp_path / "store"), season.NOW)


@pytest.fixture
def xml(whole: feed.Feed, tmp_path: Path) -> bytes:
    return feed.rendered(season.project(tmp_path / "show"), whole)


def _title(text: str) -> str:
    return text.replace("\x00", "").replace("\x07", "").replace("  ", " ")


def meant(whole: feed.Feed) -> list[tuple[str, str, str, int]]:
    newest_first = sorted(whole.items, key=lambda item: item.episode, reverse=True)
    return [(_title(one.title), one.guid, one.enclosure.url, one.enclosure.length) for one in newest_first]


def by_feedparser(xml: bytes) -> list[tuple[Any, ...]]:
    found = feedparser.parse(BytesIO(xml), sanitize_html=False)
    assert not found.bozo, found.get("bozo_exception")
    return [(one.title, one.id, one.enclosures[0].href, int(one.enclosures[0].length)) for one in found.entries]


def by_podcastparser(xml: bytes) -> list[tuple[Any, ...]]:
    found = podcastparser.parse("https://a.example/feed.xml", BytesIO(xml))["episodes"]
    read = [(one["title"], one["guid"], one["enclosures"][0]["url"], one["enclosures"][0]["file_size"]) for one in found]
    return sorted(read, key=lambda one: [item[1] for item in by_feedparser(xml)].index(one[1]))


@pytest.mark.parametrize("reader", [by_feedparser, by_podcastparser])
def test_every_item_is_read_as_it_was_meant(reader: Callable[[bytes], list[tuple[Any, ...]]], whole: feed.Feed, xml: bytes) -> None:
    assert len(whole.items) == 35
    assert reader(xml) == meant(whole)


def test_the_chapters_are_those_of_the_files(whole: feed.Feed, xml: bytes) -> None:
    found = {one["guid"]: one["chapters"] for one in podcastparser.parse("https://a.example/feed.xml", BytesIO(xml))["episodes"]}
    for item in whole.items:
        wanted = [(one["startTime"], one["title"]) for one in season.chapters(item.episode)]
        assert [(one["start"], one["title"]) for one in found[item.guid]] == wanted


def test_it_is_well_formed_and_holds_no_script(xml: bytes) -> None:
    root = etree.fromstring(xml, etree.XMLParser(resolve_entities=False, no_network=True))
    notes = [one.text for one in root.iter("{http://purl.org/rss/1.0/modules/content/}encoded")]
    assert len(notes) == 35
    assert not [text for text in notes if "<script" in text]


@pytest.mark.process
def test_two_readers_of_another_language_see_the_same(whole: feed.Feed, xml: bytes, tmp_path: Path) -> None:
    node, folder = require("node"), os.environ.get("FEED_READERS")
    if not folder:
        pytest.skip("$FEED_READERS names no folder with podcast-partytime and feedsmith (npm install podcast-partytime feedsmith)")
    (tmp_path / "read.mjs").write_text(READ)
    (tmp_path / "feed.xml").write_bytes(xml)
    run = subprocess.run([node, "read.mjs", folder, "feed.xml"], cwd=tmp_path, check=True, capture_output=True)
    found = json.loads(run.stdout)
    assert [tuple(one) for one in found["partytime"]] == meant(whole)
    assert [tuple(one[:4]) for one in found["feedsmith"]] == meant(whole)
    by_guid = {item.guid: item for item in whole.items}
    for _, guid, _, _, listed in found["feedsmith"]:
        assert [title for _, title in listed] == [one.title for one in by_guid[guid].chapters]
