"""The listener's pages on a target: old or new at any moment, after the feeds, and nothing of anybody else is touched."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from feeds import web
from feeds.errors import FeedOvertaken, PathRefused, PublishError, TargetBusy, TargetRefused, TargetUnreachable
from feeds.pages import LIST, Site
from feeds.publish import Report, publish
from feeds.targets.base import Found, Needed, Outgoing
from feeds.targets.folder import Folder
from tests.feeds.publishing import HASTY, Killed, Memory, Stepped, episode, feed_of, killed_at, lost_once, page, prove, seen_in, site_of

FEED = "feeds/foundational.xml"
OLD = {"assets/site.css": "a {}", "episodes/one.html": "one", "episodes/two.html": "two", "series/some.html": "both", "index.html": "1, 2"}
NEW = {"assets/site.css": "a { }", "episodes/one.html": "one", "episodes/three.html": "three", "series/some.html": "1 and 3", "index.html": "1, 3"}
THEIRS = {"episodes/theirs.html": b"theirs", "robots.txt": b"theirs too", "listen/index.html": b"another site"}


@pytest.fixture
def first(tmp_path: Path) -> list[Outgoing]:
    return episode(tmp_path / "build", 1)[2:]


def send(target: Any, files: list[Outgoing], pages: Mapping[str, str], folder: str = "", **how: Any) -> Report:
    return publish(target, files, [feed_of(files)], site=site_of(pages, folder), patience=HASTY, **how)


def of_pages(public: Mapping[str, bytes], folder: str = "") -> dict[str, str]:
    """What stands in the folder besides what is named by its content, the feeds, the list, and what is not ours."""
    lead = f"{folder}/" if folder else ""
    inside = {path.removeprefix(lead): data for path, data in public.items() if path.startswith(lead)}
    ours = {path: data for path, data in inside.items() if path not in {*THEIRS, LIST} and not path.startswith(("feeds/", "episode-"))}
    return {path: data.decode() for path, data in ours.items()}


def listed(memory: Memory, folder: str = "") -> dict[str, list[str]]:
    return dict(json.loads(memory.held_by[f"{folder}/{LIST}" if folder else LIST])["pages"])


def outcome(report: Report) -> tuple[list[str], list[str], list[str]]:
    assert report.pages is not None
    assert report.pages.failed is None, report.pages.failed
    return sorted(report.pages.replaced), sorted(report.pages.unchanged), sorted(report.pages.removed)


class Written(Memory):
    """Remembers in which order names were given, and what was read."""

    def __init__(self) -> None:
        super().__init__()
        self.names_given: list[str] = []
        self.names_read: list[str] = []

    def replace(self, path: str, data: bytes, media_type: str, was: Any) -> None:
        super().replace(path, data, media_type, was)
        self.names_given.append(path)

    def remove(self, path: str) -> None:
        super().remove(path)
        self.names_given.append(f"-{path}")

    def read(self, path: str) -> Any:
        self.names_read.append(path)
        return super().read(path)


# -- the way it goes ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", ["", "listen", "a/b.c"])
def test_pages_go_after_the_feeds_in_their_order_and_the_list_of_them_last(folder: str, first: list[Outgoing]) -> None:
    memory = Written()
    memory.held_by |= THEIRS if not folder else {}
    report = send(memory, first, OLD, folder)
    at = [f"{folder}/{path}" if folder else path for path in (LIST, *OLD, LIST)]
    # a list of what is there already is the one before
    assert memory.names_given[:-1] == [FEED, *at[:-1]]
    assert memory.names_given[-1] == "-.publish.lock"
    assert outcome(report) == (sorted(at[1:-1]), [], [])
    memory.names_given.clear()
    report = send(memory, first, NEW, folder)
    changed = [path for path in NEW if path != "episodes/one.html"]
    at = [f"{folder}/{path}" if folder else path for path in (LIST, *changed)]
    two = f"{folder}/episodes/two.html" if folder else "episodes/two.html"
    assert memory.names_given == [*at, f"-{two}", at[0], "-.publish.lock"]
    assert outcome(report) == (sorted(at[1:]), [two.replace("two", "one")], [two])
    assert of_pages(memory.public, folder) == NEW
    assert listed(memory, folder) == {path: [hashlib.sha256(text.encode()).hexdigest()] for path, text in NEW.items()}
    assert {path: memory.held_by[path] for path in THEIRS} == THEIRS if not folder else True


def test_the_second_time_nothing_is_sent_and_no_page_is_read(first: list[Outgoing]) -> None:
    memory = Written()
    send(memory, first, OLD)
    before = dict(memory.held_by)
    memory.names_given.clear()
    memory.names_read.clear()
    report = send(memory, first, OLD)
    assert outcome(report) == ([], sorted(OLD), [])
    assert memory.names_given == ["-.publish.lock"]
    assert not set(memory.names_read) & set(OLD)
    assert memory.held_by == before


def test_a_dry_run_says_what_would_be_replaced_and_removed(first: list[Outgoing]) -> None:
    memory = Memory()
    send(memory, first, OLD)
    before = dict(memory.held_by)
    assert outcome(send(memory, first, NEW, dry_run=True)) == (sorted(set(NEW) - {"episodes/one.html"}), ["episodes/one.html"], ["episodes/two.html"])
    assert memory.held_by == before


def test_a_page_that_was_lost_or_shortened_is_put_there_again(first: list[Outgoing]) -> None:
    memory = Memory()
    send(memory, first, OLD)
    del memory.held_by["index.html"]
    memory.held_by["episodes/one.html"] = b"on"
    assert outcome(send(memory, first, OLD))[0] == ["episodes/one.html", "index.html"]
    assert of_pages(memory.public) == OLD


@pytest.mark.parametrize(
    ("said", "again"),
    [({"type": "text/plain"}, True), ({"type": "Text/HTML;charset=UTF-8"}, False), ({"sha256": "0" * 64}, False), ({"sha256": None}, False)],
)
def test_what_a_target_knows_of_a_page_is_held_against_it(said: dict[str, Any], again: bool, first: list[Outgoing]) -> None:
    memory = Memory()
    send(memory, first, OLD)

    def twist(found: dict[str, Found]) -> dict[str, Found]:
        return {path: Found(one.length, **said) if path == "index.html" else one for path, one in found.items()}

    # another checksum is looked into, and what is there turns out to be right
    assert outcome(send(Stepped(memory, twists={"look": twist}), first, OLD))[0] == (["index.html"] if again else [])


def test_pages_that_name_what_is_not_there_stay_what_they_were(first: list[Outgoing]) -> None:
    memory = Memory()
    send(memory, first, OLD)
    three = page("episodes/three.html", "three", (Needed("episode-03/three-012345678901.mp3", 5),))
    pages = (*site_of(OLD).make(lambda _: None)[:-1], three, page("index.html", "1, 2, 3"))
    report = publish(memory, first, [feed_of(first, title="New")], site=Site("", lambda _: pages), patience=HASTY)
    assert report.replaced == (FEED,)
    assert report.pages is not None
    assert "a page names episode-03/three-012345678901.mp3, which is not on memory" in str(report.pages.failed)
    assert of_pages(memory.public) == OLD
    memory.held_by["episode-03/three-012345678901.mp3"] = b"sound"
    report = publish(memory, first, [feed_of(first, title="New")], site=Site("", lambda _: pages), patience=HASTY)
    assert outcome(report)[0] == ["episodes/three.html", "index.html"]


def test_the_index_is_asked_for_as_the_public_gets_it(first: list[Outgoing], monkeypatch: pytest.MonkeyPatch) -> None:
    memory, asked = Memory(), []
    memory.public_url = "https://media.example.org/show/"

    def answer(_method: str, url: str, *_: Any, **__: Any) -> web.Answer:
        asked.append(url)
        return web.Answer(url, 200, {}, b"1" if url.endswith("index.html") else memory.held_by[FEED])

    monkeypatch.setattr(web, "ask", answer)
    monkeypatch.setattr(web, "served", lambda *_: [])
    report = send(memory, first, OLD, "listen")
    assert asked == ["https://media.example.org/show/feeds/foundational.xml", "https://media.example.org/show/listen/index.html"]
    assert report.warnings == ("https://media.example.org/show/listen/index.html still gives another page: a cache, perhaps",)
    asked.clear()
    assert send(memory, first, OLD, "listen").warnings == ()
    assert asked == []


# -- what is not ours ---------------------------------------------------------------------------------------------------------------


def test_somebody_elses_file_in_the_place_of_a_page_stops_the_pages_and_no_feed(first: list[Outgoing]) -> None:
    memory = Memory()
    memory.held_by |= {"index.html": b"their front page", "series/some.html": OLD["series/some.html"].encode()}
    before = dict(memory.held_by)
    report = send(memory, first, OLD)
    assert report.pages is not None
    assert "memory holds index.html, which produce publish did not put there" in str(report.pages.failed)
    assert "move them away" in report.pages.failed.hint if report.pages.failed else False
    assert {path: data for path, data in memory.public.items() if path in OLD or path == LIST} == before
    assert prove(memory.public)[FEED] == feed_of(first).data
    del memory.held_by["index.html"]
    # what is the same, whoever brought it there, may stay
    assert outcome(send(memory, first, OLD))[1] == ["series/some.html"]
    assert of_pages(memory.public) == OLD


def test_a_page_that_somebody_else_has_changed_is_not_removed(first: list[Outgoing]) -> None:
    memory = Memory()
    send(memory, first, OLD)
    memory.held_by["episodes/two.html"] = b"mine now"
    report = send(memory, first, NEW)
    assert outcome(report)[2] == []
    assert report.warnings == ("episodes/two.html is no page any more, and not what was put there: it is left alone",)
    assert memory.held_by["episodes/two.html"] == b"mine now"
    assert send(memory, first, NEW).warnings == ()


@pytest.mark.parametrize(
    "text",
    [
        b"", b"[]", b"{}", b"\xff", b"[" * 100_000, b'{"by": "me", "pages": {}}', b'{"by": "produce publish", "pages": {"../x": []}}',
        b'{"by": "produce publish", "pages": {"/etc/passwd": []}}', b'{"by": "produce publish", "pages": {".publish.lock": []}}',
        b'{"by": "produce publish", "pages": {"a": ["x"]}}', b'{"by": "produce publish", "pages": {"a": 3}}',
        b'{"by": "produce publish", "pages": {"a": [3]}}', b'{"by": "produce publish", "pages": [1]}',
    ],
    ids=range(13),
)  # fmt: skip
def test_a_list_that_is_none_of_ours_is_not_believed_and_not_replaced(text: bytes, first: list[Outgoing]) -> None:
    memory = Memory()
    memory.held_by[LIST] = text
    report = send(memory, first, OLD)
    assert report.pages is not None
    assert "pages.json on memory is not the list of pages that is kept there" in str(report.pages.failed)
    assert of_pages(memory.public) == {}
    assert memory.held_by[LIST] == text


def test_no_list_lets_a_feed_or_a_file_be_removed(first: list[Outgoing]) -> None:
    memory = Memory()
    send(memory, first, OLD)
    sums = {path: [hashlib.sha256(memory.held_by[path]).hexdigest()] for path in (FEED, *(file.path for file in first))}
    memory.held_by[LIST] = json.dumps({"by": "produce publish", "pages": sums | listed(memory)}).encode()
    assert outcome(send(memory, first, OLD))[2] == []
    assert prove(memory.public)[FEED] == feed_of(first).data


@pytest.mark.parametrize("folder", ["..", "/etc", "a/../b", ".", ".hidden", "a//b", "feeds", "Feeds/x", "a\\b", "a\nb", "-x", "~root"])
def test_a_folder_that_pages_must_not_be_in_is_refused_before_anything_is_sent(folder: str, first: list[Outgoing]) -> None:
    memory = Memory()
    with pytest.raises(PathRefused):
        send(memory, first, OLD, folder)
    assert memory.held_by == {}


@pytest.mark.parametrize("path", ["../x.html", "/x.html", ".x", "a/./b", LIST, "episode-01"])
def test_a_page_with_a_path_that_is_none_is_refused_and_no_other_is_sent(path: str, first: list[Outgoing]) -> None:
    memory = Memory()
    name = first[0].path if path == "episode-01" else path
    report = send(memory, first, {name: "x", **OLD})
    assert report.pages is not None
    assert isinstance(report.pages.failed, PathRefused)
    assert of_pages(memory.public) == {}


# -- whatever happens ---------------------------------------------------------------------------------------------------------------


def _kill_everywhere(fresh: Callable[[], Any], public: Callable[[Any], dict[str, bytes]], files: list[Outgoing], stride: int = 1) -> int:
    """Publish new pages over old ones, killed at each step in turn, or at some; then those without the last episode.

    Gives how many steps there are.
    """
    number = 0
    while True:
        target = fresh()
        for path, data in THEIRS.items():
            target.replace(path, data, "text/html", None)
        send(target, files, OLD)
        stepped = Stepped(target, killed_at(number))
        try:
            send(stepped, files, NEW)
        except Killed:
            target.close()
        else:
            return number
        found = of_pages(public(target))
        assert all(text in (OLD.get(path), NEW.get(path)) for path, text in found.items()), stepped.steps[-1]
        # what the index names is there, whichever it is
        assert f"episodes/{'two' if found['index.html'] == OLD['index.html'] else 'three'}.html" in found, stepped.steps[-1]
        # one kill in three is followed by a run in which what the killed one brought is no page any more
        last = {path: text for path, text in NEW.items() if path != "episodes/three.html"} if number % 3 == 0 else NEW
        send(target, files, last)
        assert of_pages(public(target)) == last, stepped.steps[-1]
        assert outcome(send(target, files, last)) == ([], sorted(last), [])
        assert {path: public(target)[path] for path in THEIRS} == THEIRS
        assert prove(public(target))[FEED] == feed_of(files).data
        target.close()
        number += stride


def test_killed_at_every_step_the_next_run_finishes(first: list[Outgoing]) -> None:
    assert _kill_everywhere(Memory, lambda memory: memory.public, first) > 45


def test_killed_at_many_steps_with_a_folder(tmp_path: Path, first: list[Outgoing], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("feeds.targets.folder.os.fsync", lambda _: None)
    made: list[Path] = []

    def fresh() -> Folder:
        made.append(tmp_path / "targets" / str(len(made)))
        return Folder(made[-1])

    assert _kill_everywhere(fresh, lambda folder: seen_in(folder.root), first, 4) > 45


def test_any_answer_may_be_lost_once(first: list[Outgoing]) -> None:
    number, steps = 0, 1
    while number < steps:
        memory = Memory()
        send(memory, first, OLD)
        stepped = Stepped(memory, lost_once(number))
        send(stepped, first, NEW)
        assert of_pages(memory.public) == NEW
        number, steps = number + 1, len(stepped.steps)
    assert number > 45


@pytest.mark.parametrize(
    "error", [TargetRefused("no space left on device"), TargetUnreachable("the server answers 503"), FeedOvertaken("index.html")]
)
@pytest.mark.parametrize("path", list(NEW))
def test_what_goes_wrong_with_a_page_leaves_the_feed_published_and_the_next_run_finishes(
    path: str, error: PublishError, first: list[Outgoing]
) -> None:
    class Failing(Memory):
        fails = ""

        def replace(self, path: str, data: bytes, media_type: str, was: Any) -> None:
            if path == self.fails:
                raise error
            super().replace(path, data, media_type, was)

    memory = Failing()
    send(memory, first, OLD)
    memory.fails = path
    report = publish(memory, first, [feed_of(first, title="New")], site=site_of(NEW), patience=HASTY)
    assert report.replaced == (FEED,)
    assert report.pages is not None
    assert (report.pages.failed is error) == (path != "episodes/one.html")
    assert ".publish.lock" not in memory.held_by
    memory.fails = ""
    publish(memory, first, [feed_of(first, title="New")], site=site_of(NEW), patience=HASTY)
    assert of_pages(memory.public) == NEW


def test_a_target_that_keeps_something_else_than_was_sent_is_found_out(first: list[Outgoing]) -> None:
    class Damaging(Memory):
        def replace(self, path: str, data: bytes, media_type: str, was: Any) -> None:
            super().replace(path, data.replace(b"three", b"tree"), media_type, was)

    memory = Damaging()
    send(memory, first, OLD)
    report = send(memory, first, NEW)
    assert report.pages is not None
    assert "what can be read from the target is not the" in str(report.pages.failed)


def test_a_second_publisher_waits_for_no_page(first: list[Outgoing]) -> None:
    memory = Memory()
    heard: list[TargetBusy] = []

    def make(read: Callable[[str], bytes | None]) -> Any:
        assert read(FEED) == feed_of(first).data, "the feeds are there before pages are made"
        with pytest.raises(TargetBusy) as busy:
            send(memory, first, NEW)
        heard.append(busy.value)
        return site_of(OLD).make(read)

    publish(memory, first, [feed_of(first)], site=Site("", make), patience=HASTY)
    assert len(heard) == 1
    assert of_pages(memory.public) == OLD


def test_whose_lock_was_taken_away_changes_no_page(first: list[Outgoing]) -> None:
    memory = Memory()

    def make(read: Callable[[str], bytes | None]) -> Any:
        memory.held_by[".publish.lock"] = b"{}"
        return site_of(OLD).make(read)

    report = publish(memory, first, [feed_of(first)], site=Site("", make), patience=HASTY)
    assert report.pages is not None
    assert isinstance(report.pages.failed, TargetBusy)
    assert of_pages(memory.public) == {}
