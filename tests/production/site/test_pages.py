"""The pages of a season: what is on them, what is on none, and what of hostile texts comes through."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from lxml import etree, html  # type: ignore[import-untyped, unused-ignore]

from feeds.identity import episode_guid
from feeds.lock import Entry, Lock, Release
from feeds.model import Enclosure
from production import feed, locks, receipts
from production.artwork import contrast
from production.errors import ConfigError, StepsFailed
from production.model import License, Person, Project, Subscribe
from production.site import colours, pages, shelf, subscribe, views
from production.site.page import Addresses, File
from production.store import Store
from tests.production.season import NOW, finish, project

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'><svg/onload=alert(3)>{{ 7 * 7 }}"
HERE = Addresses({}, "https://show.example/listen/")
NUMBERS = (1, 2, 14)


@pytest.fixture(scope="module")
def season(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Three episodes are built, of which none is published."""
    root = tmp_path_factory.mktemp("season") / "show"
    for number in NUMBERS:
        finish(root, number)
    return project(root)


def files_of(season: Project, addresses: Addresses = HERE, now: dt.datetime = NOW, *, public: bool = False) -> dict[str, File]:
    store = Store(season.root / "build/.store")
    made = feed.made(season, season.show, season.root / "build", store, now)
    made = pages.published(season, made, store) if public else made
    return {one.path: one for one in pages.files(season, made, store, addresses)}


def page(season: Project, path: str = "episodes/episode-14.html", **how: Any) -> Any:
    return html.document_fromstring(files_of(season, **how)[path].make().decode())


def meta(tree: Any, name: str) -> str:
    (found,) = tree.xpath(f"//meta[@property='{name}' or @name='{name}']/@content")
    return str(found)


def ld(tree: Any) -> dict[str, Any]:
    (found,) = tree.xpath("//script[@type='application/ld+json']/text()")
    return dict(json.loads(found))


def changed(season: Project, number: int = 14, **changes: Any) -> Project:
    return replace(season, episodes=tuple(replace(one, **changes) if one.number == number else one for one in season.episodes))


def test_a_page_says_what_the_feed_says(season: Project) -> None:
    tree = page(season)
    assert tree.xpath("//h1")[0].text == season.episode("episode-14").title
    assert [one.text for one in tree.xpath("//ol[@class='chapters']//span[@class='name']")] == [f"Part {at} & <more>, 14" for at in range(7)]
    assert tree.xpath("//a[@data-t]/@data-t") == [f"{420 * at}.000" for at in range(7)]
    (audio,) = tree.xpath("//audio")
    assert audio.get("controls") is not None
    assert audio.get("preload") == "metadata"
    # without a script, a chapter's link is the file from there on
    assert tree.xpath("//a[@data-t]/@href")[1] == f"{audio.get('src')}#t=420.000"
    feeds = tree.xpath("//link[@rel='alternate'][@type='application/rss+xml']/@href")
    assert [one.rpartition("/")[2] for one in feeds] == ["pattern-mastery.xml", f"{season.show.slug}.xml"]
    assert tree.xpath("//link[@rel='canonical']/@href") == [meta(tree, "og:url")] == ["https://show.example/listen/episodes/episode-14.html"]
    assert meta(tree, "og:image").startswith(season.show.media_url)
    assert meta(tree, "og:audio") == audio.get("src")


def test_machines_are_told_the_same(season: Project) -> None:
    found = ld(page(season))
    assert (found["@type"], found["episodeNumber"], found["duration"]) == ("PodcastEpisode", 14, "PT2H46M54S")
    assert found["identifier"] == episode_guid(season.show.slug, 14)
    assert found["associatedMedia"][0]["contentUrl"].startswith(season.show.media_url)
    assert [(one["startOffset"], one["endOffset"]) for one in found["hasPart"]][-2:] == [(2100.0, 2520.0), (2520.0, 10014.0)]
    assert found["hasPart"][1]["url"].endswith("episode-14.html#t=420")
    assert found["partOfSeries"]["webFeed"].endswith(f"feeds/{season.show.slug}.xml")


def test_the_show_lists_its_series_and_a_series_its_episodes_the_newest_first(season: Project) -> None:
    found = files_of(season)
    show = html.document_fromstring(found["index.html"].make().decode())
    assert show.xpath("//section[contains(@class, 'series')]//h2/a/@href") == [f"series/{one.slug}.html" for one in season.series]
    assert show.xpath("//h3/a/@href") == ["episodes/episode-02.html", "episodes/episode-01.html", "episodes/episode-14.html"]
    assert "No episode is out yet." in show.text_content()
    series = html.document_fromstring(found["series/foundational.html"].make().decode())
    assert series.xpath("//h3/a/@href") == ["../episodes/episode-02.html", "../episodes/episode-01.html"]
    one = html.document_fromstring(found["episodes/episode-01.html"].make().decode())
    assert one.xpath("//nav[@class='beside']/a/@href") == ["episode-02.html"]
    sitemap = etree.fromstring(found["sitemap.xml"].make())
    assert [loc.text.removeprefix("https://show.example/listen/") for loc in sitemap.iter("{*}loc")] == [
        "", *(f"series/{one.slug}.html" for one in season.series), *(f"episodes/episode-{number:02}.html" for number in NUMBERS)
    ]  # fmt: skip
    assert "sitemap.xml" not in files_of(season, Addresses({}))


def test_every_link_within_the_site_leads_somewhere(season: Project) -> None:
    found = files_of(season)
    for path, file in found.items():
        if path.endswith(".html"):
            tree = html.document_fromstring(file.make().decode())
            used = [*tree.xpath("//a/@href"), *tree.xpath("//img/@src"), *tree.xpath("//script/@src"), *tree.xpath("//link[@rel='stylesheet']/@href")]
            inside = [one.partition("?")[0] for one in used if "://" not in one and not one.startswith("#")]
            assert len(inside) >= 3
            for one in inside:
                assert str(Path("/", path).parent.joinpath(one).resolve()).removeprefix("/") in found, (path, one)


# -- what is on no page ----------------------------------------------------------------------------------------------------------


def test_an_episode_is_nowhere_before_its_time(season: Project) -> None:
    before = dt.datetime.combine(season.episode("episode-14").date, dt.time(11), dt.UTC)
    found = files_of(season, now=before)
    assert not [path for path in found if "episode-14" in path]
    for path, file in found.items():
        if path.endswith((".html", ".xml")):
            assert b"episode-14" not in file.make(), path
            assert season.episode("episode-14").title.encode() not in file.make(), path
    assert "episodes/episode-14.html" in files_of(season, now=before + dt.timedelta(hours=1))


def test_public_pages_hold_what_was_published_where_it_was_published(season: Project, tmp_path: Path) -> None:
    root = tmp_path / "show"
    finish(root, 1)
    finish(root, 2)
    there = replace(season, root=root)
    one = there.episode("episode-01")
    release = Release(Enclosure("https://old.example/one.mp3", 5000), 60)
    (root / "configs/published").mkdir(parents=True)
    locks.save(there, "foundational", Lock("g", (Entry(1, "one", one.date, NOW, (release,)),)))
    # built and not sent yet: listeners on the web would be led to nothing
    assert page(there, "episodes/episode-01.html").xpath("//audio/@src")[0].startswith(there.show.media_url)
    assert page(there, "episodes/episode-01.html", public=True).xpath("//audio/@src") == ["https://old.example/one.mp3"]
    assert "episodes/episode-02.html" not in files_of(there, public=True)
    policy = page(there, "episodes/episode-01.html", public=True).xpath("//meta[@http-equiv]/@content")[0]
    assert "media-src 'self' https://old.example;" in policy


# -- what comes through ----------------------------------------------------------------------------------------------------------


def test_hostile_texts_stay_texts(season: Project) -> None:
    texts = {"title": HOSTILE, "summary": HOSTILE, "keywords": (HOSTILE,), "persons": (Person(name=HOSTILE),)}
    hostile = changed(season, **texts, notes=f"{HOSTILE}\n\n[x](javascript:alert(4))\n\n<iframe src=//evil.example>")
    sections = tuple(replace(one, title="Part 1 & <more>, 14", summary=HOSTILE) for one in hostile.episode("episode-14").sections)
    hostile = changed(hostile, sections=sections)
    hostile = replace(hostile, show=replace(hostile.show, description=HOSTILE, copyright=HOSTILE, license=License(name=HOSTILE)))
    for path in ("episodes/episode-14.html", "series/pattern-mastery.html", "index.html"):
        tree = page(hostile, path)
        assert {one.get("src") or one.get("type") for one in tree.iter("script")} <= {
            f"../assets/player.js?{pages.renderer()[:8]}", "application/ld+json",
        }  # fmt: skip
        assert not list(tree.iter("iframe", "object", "embed", "form", "base", "style"))
        assert not [name for one in tree.iter() for name in one.attrib if name.startswith("on") or name == "style"]
        assert not [one for one in tree.xpath("//@href | //@src") if one.strip().lower().startswith(("javascript:", "data:", "//"))]
        assert not tree.xpath("//img[@src='x']")
        assert ld(tree)
    tree = page(hostile)
    assert tree.xpath("//h1")[0].text == HOSTILE
    assert ld(tree)["name"] == HOSTILE
    policy = tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")[0]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https://media.show.example; media-src")
    assert "unsafe" not in policy


def test_an_address_says_nothing_to_the_policy(season: Project) -> None:
    policy = Addresses({}).policy(["https://a.example/x;script-src *", "https://b;script-src *;/x", "data:x", "https://[::1]:80/x", "../x"])
    assert "img-src 'self' https://[::1]:80 https://a.example; media-src" in policy
    assert policy.count("script-src") == 1
    assert season.show.title not in policy


def test_equal_input_is_equal_bytes(season: Project) -> None:
    first, second = files_of(season), files_of(season)
    assert [(one.path, one.key) for one in first.values()] == [(one.path, one.key) for one in second.values()]
    texts = [path for path in first if not path.endswith(".jpg")]
    assert {path: first[path].make() for path in texts} == {path: second[path].make() for path in texts}
    other = files_of(changed(season, title="Another"))
    assert {path for path in first if other[path].key != first[path].key} == {
        "index.html", "series/pattern-mastery.html", "episodes/episode-14.html", "covers/episode-14.jpg", "covers/episode-14-small.jpg",
    }  # fmt: skip


def test_a_transcript_is_on_the_page_with_its_times(season: Project) -> None:
    (season.root / "said.vtt").write_text("WEBVTT\n\n00:07:01.500 --> 00:08:00.000\n<v Ada>Hello &lt;b&gt;\n\n00:07:30.000 --> 00:07:31.000\nBye.\n")
    tree = page(changed(season, transcript="said.vtt"))
    assert tree.xpath("//div[@class='said']/a/@data-t") == ["421.500"]
    assert [one.text_content().strip() for one in tree.xpath("//div[@class='said']/p")] == ["Ada Hello <b> Bye."]
    (season.root / "said.vtt").write_text("WEBVTT\n\nHello\n")
    with pytest.raises(ConfigError):
        page(changed(season, transcript="said.vtt"))


# -- subscribing, colours --------------------------------------------------------------------------------------------------------


def test_addresses_of_apps_are_made_of_what_is_known_and_of_nothing_else() -> None:
    feed_url = "https://media.example/feeds/a.xml?b&c"
    assert [one.name for one in subscribe.ways(Subscribe(), feed_url, "A & B")] == ["AntennaPod", "RSS"]
    said = Subscribe(apple="https://podcasts.apple.com/us/podcast/a/id123?mt=2", pocket_casts="https://pca.st/own")
    found = {one.name: one.url for one in subscribe.ways(said, feed_url, "A & B")}
    assert found == {
        "Apple Podcasts": said.apple,
        "Overcast": "https://overcast.fm/itunes123",
        "Pocket Casts": "https://pca.st/own",
        "AntennaPod": "https://antennapod.org/deeplink/subscribe?url=https%3A%2F%2Fmedia.example%2Ffeeds%2Fa.xml%3Fb%26c&title=A%20%26%20B",
        "RSS": feed_url,
    }
    assert [one.name for one in subscribe.ways(Subscribe(), "http://127.0.0.1:8350/feeds/a.xml", "A")] == ["RSS"]


def test_a_series_that_stands_somewhere_by_itself_is_subscribed_to_there(season: Project) -> None:
    own = Subscribe(spotify="https://open.spotify.com/show/x")
    there = replace(season, series=tuple(replace(one, subscribe=own) if one.slug == "pattern-mastery" else one for one in season.series))
    assert page(there).xpath("//ul[@class='ways']/li[last()]/a/@href")[0].endswith("/pattern-mastery.xml")
    assert page(season).xpath("//ul[@class='ways']/li[last()]/a/@href")[0].endswith(f"/{season.show.slug}.xml")


@pytest.mark.parametrize("colour", ["#1f4e79", "#ffffff", "#000000", "#ffff00", "#4a1f5c", "#808080"])
def test_every_colour_can_be_read_on_both_grounds(colour: str) -> None:
    rgb = [tuple(int(one[at : at + 2], 16) for at in (0, 2, 4)) for one in re.findall(r"--accent:#(\w{6})", colours.rules(frozenset({colour})))]
    for found, grounds in zip(rgb, (((0xF4, 0xF3, 0xF0), (0xFD, 0xFC, 0xFA)), ((0x20, 0x20, 0x24), (0x13, 0x13, 0x16))), strict=True):
        for ground in grounds:
            assert contrast((found[0], found[1], found[2]), ground) >= 4.5


# -- under build/ ----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A season of two episodes whose covers are drawn in no time."""
    monkeypatch.setattr(pages.sheets, "cover", lambda *_, side, **__: b"%d" % side)
    monkeypatch.setattr(pages.sheets, "feed_cover", lambda *_, **__: b"c")
    root = tmp_path / "show"
    finish(root, 1)
    finish(root, 13)
    return project(root, 13)


def write(season: Project, now: dt.datetime = NOW) -> dict[str, Path]:
    return shelf.write_site(season, season.root / "build/site", Store(season.root / "build/.store"), now)


def test_the_sound_is_beside_the_site_and_a_second_run_makes_nothing(own: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    found = write(own)
    path = found["episodes/episode-01.html"]
    (source,) = html.document_fromstring(path.read_text("utf-8")).xpath("//audio/@src")
    assert source == "../../episode-01/episode-01.mp3"
    assert (path.parent / source).is_file()
    times = {one: one.stat().st_mtime_ns for one in found.values()}
    monkeypatch.setattr(pages.templates, "rendered", None)
    assert write(own) == found
    assert {one: one.stat().st_mtime_ns for one in found.values()} == times


def test_what_was_changed_or_lost_is_made_again_and_what_is_not_out_any_more_goes(own: Project) -> None:
    found = write(own)
    before = {path: one.read_bytes() for path, one in found.items()}
    found["index.html"].write_text("mine")
    found["covers/episode-01.jpg"].unlink()
    assert {path: one.read_bytes() for path, one in write(own).items()} == before
    early = dt.datetime.combine(own.episode("episode-13").date, dt.time(1), dt.UTC)
    left = write(own, early)
    assert set(found) - set(left) == {"episodes/episode-13.html", "covers/episode-13.jpg", "covers/episode-13-small.jpg"}
    assert sorted(one.relative_to(own.root / "build/site").as_posix() for one in (own.root / "build/site").rglob("*.*")) == sorted(left)
    with pytest.raises(StepsFailed) as raised:
        shelf.pages_of(own, left, ["episode-13"], [own.episode("episode-13")], whole=False)
    assert "not out yet (2026-04-02)" in str(raised.value.problems[0].message)
    assert shelf.pages_of(own, left, ["foundational"], [own.episode("episode-01")], whole=False) == [left[views.series_path("foundational")]]


def test_what_was_made_of_the_sections_own_transcripts_comes_before_the_one_that_is_said(own: Project) -> None:
    folder, said = own.root / "build" / "episode-01", b"WEBVTT\n\n00:01.000 --> 00:02.000\n<v Ada>Of the sections\n"
    (folder / "episode-01.vtt").write_bytes(said)
    (own.root / "said.vtt").write_text("WEBVTT\n\n00:01.000 --> 00:02.000\nOf the config\n")
    receipt = receipts.read(folder)
    assert receipt is not None
    stamp = receipts.stamp(folder, "episode-01.vtt", hashlib.sha256(said).hexdigest())
    receipts.save(folder, replace(receipt, outputs=receipt.outputs | {"episode-01.vtt": stamp}))
    for each in (own, changed(own, 1, transcript="said.vtt")):
        tree = page(each, "episodes/episode-01.html")
        assert [one.text_content().strip() for one in tree.xpath("//div[@class='said']/p")] == ["Ada Of the sections"]


def test_a_transcript_that_cannot_be_read_costs_its_own_page_only(own: Project) -> None:
    (own.root / "said.vtt").write_text("WEBVTT\n\nHello\n")
    broken = changed(own, 1, transcript="said.vtt")
    with pytest.raises(StepsFailed) as raised:
        write(broken)
    assert [str(one.location) for one in raised.value.problems] == [f"{own.root / 'said.vtt'}:3:1"]
    site = own.root / "build/site/episodes"
    assert [one.name for one in site.iterdir()] == ["episode-13.html"]
