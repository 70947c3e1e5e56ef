"""From a finished episode to a target and back, by the commands that a producer types."""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from production import store
from tests.e2e import project

pytestmark = pytest.mark.process


def configured(show: Path, **changes: Any) -> Path:
    """The show with these keys, and with a folder to publish to; gives that folder."""
    public = show.parent / "public"
    path = show / "configs" / "show.yaml"
    said = json.loads(path.read_text("utf-8"))
    said |= {"category": "Technology", "targets": [{"name": "media", "kind": "folder", "path": str(public)}]} | changes
    path.write_text(json.dumps(said), "utf-8")
    return public


@contextlib.contextmanager
def served(feed: bytes) -> Iterator[str]:
    """A web server of this machine that knows one feed; gives its address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/feed.xml" else 404)
            self.end_headers()
            self.wfile.write(feed)

        def log_message(self, *_: object) -> None:
            """Nothing is said."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")}


def test_an_episode_goes_out_once_and_comes_back(show: Path) -> None:
    public = configured(show)
    checked = project.produce(show, "check").out
    assert "build/feeds/tones.xml:" in checked
    assert ": error:" not in checked
    assert project.produce(show, "check", "--strict", code=1).out == checked
    assert "Spotify" in project.produce(show, "check", "--apps").out
    dry = project.produce(show, "publish", "--dry-run")
    assert "would be sent" in dry.out
    assert "tones: new: episode 1" in dry.said
    assert not (show / "configs" / "published").exists()
    project.produce(show, "publish")
    first = files(public)
    assert sorted(Path(name).suffix for name in first) == [".jpg", ".jpg", ".jpg", ".json", ".mp3", ".xml", ".xml"]
    again = project.produce(show, "publish")
    assert "sent (" not in again.out
    assert files(public) == first
    assert project.produce(show, "diff").out.splitlines() == ["tones: nothing changes", "tone-show: nothing changes"]

    with project.edited(show) as config:
        config["title"] = "Mended"
    project.produce(show)
    found = json.loads(project.produce(show, "diff", "--json", "tones").out)["tones"]
    assert next(change["field"] for change in found["changed"][0]["changes"]) == "title"
    assert (found["added"], found["removed"], found["replaced"]) == ([], [], [])
    project.produce(show, "publish")
    assert files(public)["feeds/tones.xml"] != first["feeds/tones.xml"]
    project.produce(show, "rollback", "tones")
    assert files(public)["feeds/tones.xml"] == first["feeds/tones.xml"]
    assert "Mended" in project.produce(show, "diff", "tones").out


def test_a_published_date_is_held_until_it_is_said_otherwise(show: Path) -> None:
    public = configured(show)
    project.produce(show, "publish")
    before = files(public)
    with project.edited(show) as config:
        config["date"] = "2026-02-02"
    # the episode itself is built, its feeds are not
    refused = project.produce(show, code=1)
    assert "episode 1 was published with date 2026-01-01" in refused.said
    assert "episode-01.yaml:" in refused.said
    assert "produce republish episode-01" in refused.said
    project.produce(show, "publish", code=1)
    assert files(public) == before
    project.produce(show, "republish", "episode-01")
    project.produce(show, "feed", "all")
    assert "every subscriber downloads it once more" in project.produce(show, "diff", "tones").out
    project.produce(show, "publish")
    assert before.items() - files(public).items() == {(name, before[name]) for name in ("feeds/tones.xml", "feeds/tone-show.xml")}


def test_a_show_that_moves_here_keeps_what_apps_know_it_by(show: Path) -> None:
    public = configured(show)
    old = show.parent / "old.xml"
    old.write_text(
        '<rss version="2.0"><channel><title>Old</title><item><title>x</title><guid>old-1</guid>'
        '<pubDate>Thu, 01 Jan 2026 06:00:00 +0000</pubDate><enclosure url="https://old.example/1.mp3" length="5" type="audio/mpeg"/>'
        '<itunes:episode xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd">1</itunes:episode></item></channel></rss>'
    )
    assert "episode-01: old-1" in project.produce(show, "adopt", str(old), "--as", "tones").said
    project.produce(show, "publish")
    assert b">old-1</guid>" in files(public)["feeds/tones.xml"]
    assert project.produce(show, "adopt", "no-such.xml", code=1).said.count("name a saved feed, or its address") == 1
    with served(old.read_bytes()) as address:
        assert "episode-01: old-1, 2026-01-01T06:00:00+00:00 (known)" in project.produce(show, "adopt", f"{address}/feed.xml", "--as", "tones").said
        assert "the server answers 404" in project.produce(show, "adopt", f"{address}/other.xml", code=1).said
    old.write_text("<rss>")
    assert "old.xml:1:" in project.produce(show, "adopt", str(old), "--as", "tones", code=2).said


@pytest.mark.parametrize(
    ("words", "changes", "code", "said"),
    [
        (("publish",), {"targets": []}, 2, "no target to publish to"),
        (("publish", "--to", "elsewhere"), {}, 2, "there is no target 'elsewhere'"),
        (("publish", "tone"), {}, 2, "did you mean 'tones'?"),
        (("publish",), {"category": "Tones"}, 1, "apple-category-name"),
        (("publish",), {"targets": [{"name": "m", "kind": "folder"}]}, 1, "target m: a target of kind folder needs path"),
        (("rollback", "tones"), {}, 1, "keeps no other feed of tones"),
        (("republish", "episode-01"), {}, 1, "it was never published"),
    ],
)
def test_what_cannot_be_done_is_said_with_what_to_do(words: tuple[str, ...], changes: dict[str, Any], code: int, said: str, show: Path) -> None:
    public = configured(show, **changes)
    assert said in project.produce(show, *words, code=code).said
    assert not list(public.rglob("*.xml"))


def test_a_second_publisher_is_told_who_is_at_work(show: Path) -> None:
    public = configured(show)
    public.mkdir()
    with store.locked(public / ".publish.lock"):
        (public / ".publish.lock").write_text(json.dumps({"host": "studio", "pid": 1, "since": "2026-01-01T00:00:00+00:00"}))
        busy = project.produce(show, "publish", code=1)
    assert "target media:" in busy.said
    assert not list(public.rglob("*.xml"))
    project.produce(show, "publish")


def test_the_listeners_pages_go_along(show: Path) -> None:
    place = {"name": "media", "kind": "folder", "path": str(show.parent / "public"), "pages": "."}
    public = configured(show, targets=[place])
    public.mkdir()
    (public / "index.html").write_text("their front page")
    refused = project.produce(show, "publish", code=1)
    assert "target media: pages: " in refused.said
    assert "holds index.html, which produce publish did not put there" in refused.said
    assert "the feeds are published, the pages are not all" in refused.out
    assert len(list(public.rglob("*.xml"))) == 2
    assert [path.name for path in public.rglob("*.html")] == ["index.html"]
    (public / "index.html").unlink()
    assert "pages replaced, 0 as they were" in project.produce(show, "publish").out
    page = (public / "episodes/episode-01.html").read_text("utf-8")
    (sound,) = public.rglob("*.mp3")
    assert f'src="https://media.tones.example/show/{sound.relative_to(public).as_posix()}"' in page


def test_killed_in_the_middle_the_next_run_finishes(show: Path) -> None:
    public = configured(show)
    setup = "from feeds.targets import folder; import time; land = folder.Folder.land\nfolder.Folder.land = lambda s, f: (land(s, f), time.sleep(60))"
    child = project.start(show, "publish", setup=setup)
    deadline = time.monotonic() + 30
    while not list(public.rglob("*.mp3")) and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(child.pid, signal.SIGKILL)
    project.finished(child)
    assert list(public.rglob("*.mp3"))
    assert not list(public.rglob("*.xml"))
    assert not (show / "configs" / "published").exists()
    done = project.produce(show, "publish")
    assert "1 files were there already" in done.out
    assert len(list(public.rglob("*.xml"))) == 2
