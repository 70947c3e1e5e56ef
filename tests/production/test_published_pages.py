"""The listener's pages go where the feeds go: what was published, nothing before it is, and the same from every machine."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from lxml import html  # type: ignore[import-untyped, unused-ignore]

from feeds.publish import Report
from production import locks, media, publishing, receipts, sheets, webpages
from production.errors import StepFailed, StepsFailed
from production.feed import feeds_of
from production.model import Project
from production.site import sending, shelf, templates
from production.store import Store
from tests.production import season
from tests.production.season import NOW, Killed, killed_after

WORDS = b"WEBVTT\n\n00:01.000 --> 00:02.000\n<v Ada>Of the sections\n"


@pytest.fixture(autouse=True)
def plain_covers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "feed_cover", lambda _project, of, *_, **__: f"cover of {of.slug}".encode())
    monkeypatch.setattr(sheets, "cover", lambda *_, side, **__: b"%d" % side)
    # these files hold no sound and no picture
    monkeypatch.setattr(media, "broken", lambda *_: iter(()))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Episodes 1 and 13 are finished, the first with what is said in it; none is published."""
    found = season.project(tmp_path / "show", 14)
    season.finish(found.root, 1)
    season.finish(found.root, 13)
    folder = found.root / "build/episode-01"
    (folder / "episode-01.vtt").write_bytes(WORDS)
    receipt = receipts.read(folder)
    assert receipt is not None
    stamp = receipts.stamp(folder, "episode-01.vtt", hashlib.sha256(WORDS).hexdigest())
    receipts.save(folder, replace(receipt, outputs=receipt.outputs | {"episode-01.vtt": stamp}))
    return keeping(found)


def keeping(project: Project, folder: str = "listen", **changes: object) -> Project:
    """The project whose target keeps pages in a folder."""
    place = replace(project.show.targets[0], pages=folder)
    return replace(project, show=replace(project.show, targets=(place,), **changes))  # type: ignore[arg-type]


def send(project: Project, *slugs: str, dry_run: bool = False, removing: bool = False) -> tuple[Report, list[str]]:
    """Publish; gives what was done, and the lines that are told of it."""
    build, store = project.root / "build", Store(project.root / "build/.store")
    made = publishing.ready(project, [one for one in feeds_of(project) if not slugs or one.slug in slugs], build, store, NOW)
    place = publishing.place_of(project, None)
    target = publishing.opened(project, place)
    pages = partial(sending.pages, project, build, store, NOW, dry_run=dry_run)
    try:
        report = publishing.send(
            made, target, place, now=NOW, removing=removing, dry_run=dry_run, say=lambda _: None, show=lambda *_: None, pages=pages
        )
    finally:
        target.close()
    return report, publishing.in_lines(report, 0)


def there(project: Project) -> dict[str, bytes]:
    """What a web server would give."""
    root = project.root.parent / "public"
    files = {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    return {path: data for path, data in files.items() if not path.startswith(".")}


def pages_there(project: Project, folder: str = "listen") -> set[str]:
    return {path.removeprefix(f"{folder}/") for path in there(project) if path.startswith(f"{folder}/") and path.endswith((".html", ".xml"))}


def test_the_pages_are_those_that_are_made_for_the_web_and_each_link_leads_somewhere(project: Project) -> None:
    project = keeping(project, site="https://show.example/listen/")
    report, lines = send(project)
    found = there(project)
    assert pages_there(project) == {
        "index.html", "sitemap.xml", "episodes/episode-01.html", "episodes/episode-13.html", *(f"series/{one.slug}.html" for one in project.series)
    }  # fmt: skip
    for path, data in found.items():
        if not path.endswith(".html"):
            continue
        tree = html.document_fromstring(data.decode())
        used = [*tree.xpath("//a/@href"), *tree.xpath("//img/@src"), *tree.xpath("//script/@src"), *tree.xpath("//link[@rel='stylesheet']/@href")]
        for one in (one.partition("?")[0] for one in used if "://" not in one and not one.startswith("#")):
            assert str(Path("/", path).parent.joinpath(one).resolve()).removeprefix("/") in found, (path, one)
        for url in tree.xpath("//audio/@src"):
            assert url.removeprefix(project.show.media_url) in found
    local = project.root / "build" / shelf.PUBLIC
    assert {path.relative_to(local).as_posix(): path.read_bytes() for path in local.rglob("*") if path.is_file()} == {
        path.removeprefix("listen/"): data for path, data in found.items() if path.startswith("listen/") and path != "listen/pages.json"
    }
    assert report.pages is not None
    # pages after what they are made with, and what leads to them after them
    kinds = [path.split("/")[1] for path in report.pages.replaced]
    assert list(dict.fromkeys(kinds)) == ["assets", "covers", "episodes", "series", "sitemap.xml", "index.html"]
    assert lines[-1] == f"{len(kinds)} pages replaced, 0 as they were"
    again, lines = send(project)
    assert lines[-1] == f"0 pages replaced, {len(kinds)} as they were"
    assert there(project) == found
    assert again.sent == again.replaced == ()


def test_without_the_key_no_page_is_made_or_sent(project: Project) -> None:
    plain = replace(project, show=replace(project.show, targets=(replace(project.show.targets[0], pages=None),)))
    report, lines = send(plain)
    assert report.pages is None
    assert "pages" not in "".join(lines)
    assert pages_there(plain) == set()
    assert not (plain.root / "build" / shelf.PUBLIC).exists()


def test_of_one_series_the_pages_are_of_what_is_published_by_then(project: Project) -> None:
    send(project, "foundational")
    assert {path for path in pages_there(project) if path.startswith("episodes/")} == {"episodes/episode-01.html"}
    report, _ = send(project, "pattern-mastery")
    assert report.pages is not None
    assert [path for path in report.pages.replaced if path.endswith(".html")] == [
        "listen/episodes/episode-13.html", "listen/series/pattern-mastery.html", "listen/index.html"
    ]  # fmt: skip


def test_a_dry_run_says_what_this_publishing_would_change_and_changes_nothing(project: Project) -> None:
    send(project, "foundational")
    before, local = there(project), project.root / "build" / shelf.PUBLIC
    ours = {path: path.read_bytes() for path in local.rglob("*.*")}
    _, lines = send(project, dry_run=True)
    assert "page listen/episodes/episode-13.html would be replaced" in lines
    assert "page listen/episodes/episode-01.html would be replaced" not in lines
    assert lines[-1].startswith("5 pages would be replaced, ")
    assert there(project) == before
    assert {path: path.read_bytes() for path in local.rglob("*.*")} == ours
    report, _ = send(project)
    assert report.pages is not None
    assert len(report.pages.replaced) == 5


def test_an_episode_that_is_withdrawn_takes_its_page_along_and_nothing_else(project: Project) -> None:
    project = keeping(project, ".")
    theirs = project.root.parent / "public/episodes/theirs.html"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("theirs")
    send(project)
    before = set(there(project))
    fewer = replace(project, episodes=tuple(one for one in project.episodes if one.number != 13))
    _, lines = send(fewer, removing=True)
    gone = before - set(there(project))
    assert gone == {"episodes/episode-13.html", "covers/episode-13.jpg", "covers/episode-13-small.jpg"}
    assert theirs.read_text() == "theirs"
    assert [line for line in lines if "removed" in line] == [f"page {path} removed" for path in sorted(gone)]


def test_a_page_that_cannot_be_made_leaves_the_feeds_published(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> bytes:
        raise StepFailed("cover", "is no picture")

    with monkeypatch.context() as patch:
        patch.setattr(sheets, "cover", broken)
        report, lines = send(project)
    assert len(report.replaced) == 4
    assert lines[-1] == "the feeds are published, the pages are not all: the next run finishes them"
    error = webpages.failed(report, publishing.place_of(project, None))
    assert isinstance(error, StepsFailed)
    assert [one.message for one in error.problems] == ["cover: is no picture"] * 4
    assert pages_there(project) == set()
    report, lines = send(project)
    assert webpages.failed(report, publishing.place_of(project, None)) is None
    assert lines[-1].endswith("pages replaced, 0 as they were")


def test_what_the_target_refuses_is_a_failed_step_that_names_it(project: Project) -> None:
    index = project.root.parent / "public/listen/index.html"
    index.parent.mkdir(parents=True)
    index.write_text("theirs")
    report, _ = send(project)
    error = webpages.failed(report, publishing.place_of(project, None))
    assert isinstance(error, StepFailed)
    assert str(error).startswith("target media: pages: ")
    assert "which produce publish did not put there" in str(error)
    assert index.read_text() == "theirs"


@pytest.mark.parametrize("after", range(3, 50, 11))
def test_a_run_that_is_cut_off_anywhere_is_finished_by_the_next(after: int, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        killed_after(after, patch)
        with pytest.raises(Killed):
            send(project)
    assert not pages_there(project) or len([path for path in there(project) if path.startswith("feeds/") and path.endswith(".xml")]) == 4
    send(project)
    assert {path for path in pages_there(project) if path.startswith("episodes/")} == {"episodes/episode-01.html", "episodes/episode-13.html"}
    assert send(project)[1][-1].startswith("0 pages replaced, ")


def test_another_machine_that_built_nothing_makes_the_same_pages(project: Project, tmp_path: Path) -> None:
    send(project)
    before = there(project)
    assert b"Of the sections" in before["listen/episodes/episode-01.html"]
    other = replace(project, root=tmp_path / "other" / "show", show=replace(project.show, targets=(replace(project.show.targets[0]),)))
    for slug, lock in locks.all_of(project).items():
        locks.save(other, slug, lock)
    report, lines = send(other)
    assert webpages.failed(report, publishing.place_of(other, None)) is None
    assert lines[-1].startswith("0 pages replaced, ")
    assert there(project) == before
    # where it is no longer what it was, it is on no page
    path = next(path for path in before if path.endswith(".vtt"))
    (project.root.parent / "public" / path).write_bytes(WORDS.replace(b"Of", b"on"))
    for kept in (other.root / "build/.store/transcripts").iterdir():
        kept.unlink()
    assert send(other)[1][-1].startswith("1 pages replaced, ")
    assert b"sections" not in there(project)["listen/episodes/episode-01.html"]


def test_what_is_built_anew_and_not_published_yet_is_on_no_public_page(project: Project) -> None:
    send(project)
    before = there(project)["listen/episodes/episode-01.html"]
    (project.root / "build/episode-01/episode-01.vtt").write_bytes(WORDS.replace(b"Of the", b"Of other"))
    season.finish(project.root, 1, b"other sound")
    send(project, "pattern-mastery")
    assert there(project)["listen/episodes/episode-01.html"] == before


def test_no_page_is_rendered_a_second_time(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    send(project)
    monkeypatch.setattr(templates, "rendered", None)
    send(project)
    send(project, dry_run=True)
