"""What a podcast app on this machine is offered: the feeds that will be published, with addresses that answer, as they are now."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import http.client
import io
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import feedparser  # type: ignore[import-untyped, unused-ignore]
import pytest
from lxml import etree  # type: ignore[import-untyped, unused-ignore]

from feeds import lock, rss
from feeds.identity import episode_guid, podcast_guid
from feeds.lock import Entry, Lock, Release
from feeds.model import Enclosure
from production import checked, feed, receipts, serve, sheets
from production.errors import ConfigError
from production.receipts import Receipt
from production.web import HOST, Server
from tests.conftest import ROOT, require
from tests.production.serving import serving

MEDIA = "https://media.show.example/"
COVER = b"\xff\xd8 a cover"
SHOW: dict[str, Any] = {
    "title": "Show & Tell",
    "slug": "show",
    "description": "About it.",
    "author": "Us",
    "owner": {"name": "Us", "email": "us@show.example"},
    "link": "https://show.example/",
    "media_url": MEDIA,
    "copyright": "2026 Us",
    "hub": "https://hub.example/",
}
SERIES: dict[str, Any] = {"slug": "basics", "season": 1, "title": "Basics", "description": "It.", "episodes": "1-9"}
PODCAST = "{https://podcastindex.org/namespace/1.0}"
ATOM = "{http://www.w3.org/2005/Atom}"
PSC = "{http://podlove.org/simple-chapters}"


def an_episode(number: int, **changes: Any) -> dict[str, Any]:
    sections = [{"slug": "a", "title": "A", "part": "mathematics"}]
    plain = {"number": number, "series": "basics", "title": f"Number {number}", "summary": "S", "date": f"2126-01-0{number}", "sections": sections}
    return plain | changes


def write(path: Path, said: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(said))


def finish(root: Path, number: int, mp3: bytes, *, scratch: bool = False) -> None:
    """An episode that is built: its files, and the receipt of them."""
    name = f"episode-{number:02}"
    folder = root / "build" / name
    picture = b"\xff\xd8 a chapter"
    address = f"{MEDIA}{name}/images/a-{hashlib.sha256(picture).hexdigest()[:12]}.jpg"
    chapters = {"version": "1.2.0", "chapters": [{"startTime": 0, "title": "Ä", "img": address}, {"startTime": 20.5, "title": "B"}]}
    outputs = {
        f"{name}.mp3": mp3,
        "cover.jpg": b"\xff\xd8 cover",
        "chapters.json": json.dumps(chapters).encode(),
        "images/a.jpg": picture,
        "report.json": b"{}",
    }
    stamps = {}
    for file, data in outputs.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(data)
        stamps[file] = receipts.stamp(folder, file, hashlib.sha256(data).hexdigest())
    receipts.save(folder, Receipt("", scratch, 48_000 * 60, {}, {}, stamps))


def sound(number: int, size: int = 300_000) -> bytes:
    return hashlib.shake_128(bytes([number])).digest(size)


@dataclass
class Running:
    """A project that is served."""

    root: Path
    server: Server
    told: list[str] = field(default_factory=list)

    def ask(self, address: str, method: str = "GET", **fields: str) -> tuple[int, dict[str, str], bytes]:
        """Status, fields (names in lower case) and body of what an address, or a path, gives."""
        parts = urlsplit(address)
        assert parts.netloc in ("", f"{HOST}:{self.server.server_port}")
        with contextlib.closing(http.client.HTTPConnection(HOST, self.server.server_port, timeout=10)) as connection:
            connection.request(method, parts.path, headers={name.replace("_", "-"): value for name, value in fields.items()})
            with connection.getresponse() as response:
                return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()

    def body(self, address: str) -> bytes:
        status, _, body = self.ask(address)
        assert status == 200, (address, status, body)
        return body

    def feed(self, slug: str = "basics") -> Any:
        return feedparser.parse(io.BytesIO(self.body(f"/feeds/{slug}.xml")))

    def titles(self) -> list[str]:
        return [entry.title for entry in self.feed().entries]

    def enclosure(self, at: int = 0) -> Any:
        return self.feed().entries[at].enclosures[0]


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many items each feed had that was rendered. The cover, which takes a second to draw, is of no matter here."""
    render, calls = rss.render, list[int]()
    monkeypatch.setattr(rss, "render", lambda channel, items: calls.append(len(items)) or render(channel, items))
    monkeypatch.setattr(sheets, "feed_cover", lambda *_: COVER)
    return calls


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three episodes: one is built, one is scratch, one is neither."""
    folder = tmp_path / "project"
    write(folder / "configs/show.yaml", SHOW)
    write(folder / "configs/series/basics.yaml", SERIES)
    for number in (1, 2, 3):
        write(folder / f"configs/episodes/episode-0{number}.yaml", an_episode(number))
    finish(folder, 1, sound(1))
    finish(folder, 2, sound(2), scratch=True)
    return folder


@pytest.fixture
def running(root: Path, rendered: list[int]) -> Iterator[Running]:
    assert rendered == []
    with Server(0) as server:
        it = Running(root, server)
        site = serve.Site(root, server.address, it.told.append)
        with serving(server, site.find, it.told.append):
            yield it


# -- what an app sees -------------------------------------------------------------------------------------------------------------


@pytest.mark.process
def test_every_address_in_a_feed_answers_with_what_the_feed_says_of_it(running: Running) -> None:
    entry = running.feed().entries[0]
    enclosure = entry.enclosures[0]
    assert enclosure.href.startswith(f"{running.server.address}episode-01/episode-01-")
    status, fields, _ = running.ask(enclosure.href, "HEAD")
    assert (status, fields["content-length"], fields["content-type"]) == (200, enclosure.length, enclosure.type)
    assert running.body(enclosure.href) == sound(1)
    types = {"mp3": "audio/mpeg", "jpg": "image/jpeg", "json": "application/json+chapters", "xml": "application/rss+xml; charset=utf-8"}
    xml = running.body("/feeds/basics.xml").decode()
    ours = sorted(set(re.findall(rf"{re.escape(running.server.address)}[^\s\"<]+", xml)))
    # feed, its cover, file, its cover, chapters, a chapter's picture
    assert len(ours) == 6
    for address in ours:
        status, fields, _ = running.ask(address)
        assert (status, fields["content-type"]) == (200, types[address.rpartition(".")[2]])
    assert MEDIA not in xml
    assert running.told == []


@pytest.mark.process
@pytest.mark.parametrize("asked", ["bytes=0-0", "bytes=1000-1999", "bytes=-777", "bytes=299999-"])
def test_a_player_may_begin_anywhere(running: Running, asked: str) -> None:
    address, data = running.enclosure().href, sound(1)
    first, last = asked.removeprefix("bytes=").split("-")
    wanted = data[-int(last) :] if not first else data[int(first) : int(last) + 1] if last else data[int(first) :]
    status, fields, body = running.ask(address, Range=asked)
    assert (status, body) == (206, wanted)
    assert fields["etag"] == f'"{hashlib.sha256(data).hexdigest()}"'
    assert running.ask(address, Range=asked, If_Range=fields["etag"])[0] == 206
    assert running.ask(address, If_None_Match=fields["etag"])[0] == 304


@pytest.mark.process
@pytest.mark.parametrize("slug", ["basics", "show"])
def test_a_feed_is_known_for_the_one_that_will_be_published(running: Running, slug: str) -> None:
    channel = etree.fromstring(running.body(f"/feeds/{slug}.xml"))[0]
    assert channel.findtext(f"{PODCAST}guid") == podcast_guid(f"{MEDIA}feeds/{slug}.xml")
    assert [one.text for one in channel.iter("guid")] == [episode_guid("show", 1)]
    links = {one.get("rel"): one.get("href") for one in channel.iter(f"{ATOM}link")}
    # a hub knows nothing of this address
    assert links == {"self": f"{running.server.address}feeds/{slug}.xml"}


@pytest.mark.process
def test_a_feed_that_was_published_keeps_its_guids_whatever_they_are(running: Running) -> None:
    path = running.root / "configs/published/basics.json"
    known = "11111111-2222-5333-8444-555555555555"
    moment = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
    release = Release(Enclosure("https://elsewhere.example/three.mp3", 5000), 60)
    entries = (Entry(1, "first", dt.date(2126, 1, 1), moment, ()), Entry(3, "third", dt.date(2126, 1, 3), moment, (release,)))
    path.parent.mkdir()
    path.write_bytes(lock.text(Lock(known, entries)))
    assert etree.fromstring(running.body("/feeds/basics.xml"))[0].findtext(f"{PODCAST}guid") == known
    addresses = {entry.id: entry.enclosures[0].href for entry in running.feed().entries}
    assert addresses.keys() == {"first", "third"}
    assert running.body(addresses["first"]) == sound(1)
    # published, and not built here: where it was published
    assert addresses["third"] == "https://elsewhere.example/three.mp3"
    assert "the feed has it as it was published" in running.body("/").decode()


@pytest.mark.process
def test_pictures_of_chapters_are_those_that_are_served(running: Running) -> None:
    xml = etree.fromstring(running.body("/feeds/basics.xml"))
    (picture,) = [one.get("image") for one in xml.iter(f"{PSC}chapter") if one.get("image")]
    assert running.body(picture) == b"\xff\xd8 a chapter"
    (address,) = [one.get("url") for one in xml.iter(f"{PODCAST}chapters")]
    status, fields, body = running.ask(address)
    assert (status, fields["access-control-allow-origin"]) == (200, "*")
    chapters = json.loads(body)["chapters"]
    assert [one.get("img") for one in chapters] == [picture, None]
    assert [one["title"] for one in chapters] == ["Ä", "B"]
    assert fields["etag"] == f'"{hashlib.sha256(body).hexdigest()}"'


@pytest.mark.process
def test_web_players_may_read_feeds_and_chapters_and_nothing_else(running: Running) -> None:
    assert running.ask("/feeds/basics.xml")[1]["access-control-allow-origin"] == "*"
    assert "access-control-allow-origin" not in running.ask(running.enclosure().href)[1]
    assert "access-control-allow-origin" not in running.ask("/")[1]


@pytest.mark.process
def test_a_transcript_is_served_as_what_it_is(running: Running) -> None:
    said = "WEBVTT\n\n00:00.000 --> 00:01.000\nÄ\n".encode()
    (running.root / "one.vtt").write_bytes(said)
    write(running.root / "configs/episodes/episode-01.yaml", an_episode(1, transcript="one.vtt"))
    (one,) = etree.fromstring(running.body("/feeds/basics.xml")).iter(f"{PODCAST}transcript")
    status, fields, body = running.ask(one.get("url"))
    assert (status, body, fields["content-type"]) == (200, said, "text/vtt; charset=utf-8")
    assert fields["access-control-allow-origin"] == "*"
    (running.root / "one.vtt").write_bytes(said * 2)
    (again,) = etree.fromstring(running.body("/feeds/basics.xml")).iter(f"{PODCAST}transcript")
    assert again.get("url") != one.get("url")
    assert running.body(again.get("url")) == said * 2


@pytest.mark.process
def test_the_page_says_what_there_is_and_what_there_is_not(running: Running) -> None:
    status, fields, body = running.ask("/")
    page = body.decode()
    assert (status, fields["content-type"]) == (200, "text/html; charset=utf-8")
    assert "Show &amp; Tell" in page
    assert "<script" not in page
    for slug in ("basics", "show"):
        assert f'href="{running.server.address}feeds/{slug}.xml"' in page
    assert running.enclosure().href in page
    lines = {number: next(line for line in page.splitlines() if line.startswith(f"<li>{number}. ")) for number in (1, 2, 3)}
    assert "episode-01.mp3" in lines[1]
    assert "scratch only" in lines[2]
    assert "not built" in lines[3]


@pytest.mark.process
def test_words_on_the_page_are_words(running: Running) -> None:
    write(running.root / "configs/episodes/episode-03.yaml", an_episode(3, title='<script>alert("1")</script>'))
    page = running.body("/").decode()
    assert "<script" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.process
def test_nothing_else_of_the_project_is_served(running: Running) -> None:
    for path in (
        "/episode-01/episode-01.mp3",
        "/build/episode-01/episode-01.mp3",
        "/episode-01/report.json",
        "/episode-01/.receipt.json",
        "/episode-01/",
        "/episode-02/episode-02.mp3",
        f"/episode-02/episode-02-{hashlib.sha256(sound(2)).hexdigest()[:12]}.mp3",
        "/configs/show.yaml",
        "/../configs/show.yaml",
        "/feeds/",
        "/feeds/none.xml",
        "/feeds/basics.json",
        "/feeds/basics-000000000000.jpg",
        f"//{running.root}/configs/show.yaml",
    ):
        assert running.ask(path)[0] == 404, path


# -- what changes meanwhile -------------------------------------------------------------------------------------------------------


@pytest.mark.process
def test_nothing_is_read_again_while_nothing_changes(running: Running, rendered: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    tag = running.ask("/feeds/basics.xml")[1]["etag"]
    assert rendered == [1]
    monkeypatch.setattr(receipts, "read", None)
    monkeypatch.setattr(checked, "load", None)
    monkeypatch.setattr(feed, "made", None)
    for _ in range(3):
        assert running.ask("/feeds/basics.xml", If_None_Match=tag)[0] == 304
        assert running.body("/")
    assert rendered == [1]


@pytest.mark.process
def test_a_build_is_seen_without_a_restart(running: Running) -> None:
    first = running.enclosure()
    finish(running.root, 3, sound(3))
    assert running.titles() == ["Number 3", "Number 1"]
    finish(running.root, 1, sound(9, 400_000))
    second = running.enclosure(1)
    assert second.length == "400000"
    assert running.body(second.href) == sound(9, 400_000)
    # nobody who has the beginning of the old file gets the rest of the new one
    assert running.ask(first.href)[0] == 404
    finish(running.root, 1, sound(9), scratch=True)
    assert running.titles() == ["Number 3"]
    (running.root / "build/episode-03/episode-03.mp3").unlink()
    assert running.titles() == []
    assert running.told == []


@pytest.mark.process
def test_a_config_is_seen_without_a_restart(running: Running) -> None:
    assert running.titles() == ["Number 1"]
    write(running.root / "configs/episodes/episode-01.yaml", an_episode(1, title="Another", notes="notes.md"))
    (running.root / "notes.md").write_text("One.\n")
    assert running.titles() == ["Another"]
    assert "<p>One.</p>" in running.feed().entries[0].content[0].value
    (running.root / "notes.md").write_text("The other.\n")
    assert "<p>The other.</p>" in running.feed().entries[0].content[0].value


@pytest.mark.process
def test_configs_that_are_wrong_leave_what_was_there_and_say_so_once(running: Running) -> None:
    write(running.root / "configs/episodes/episode-01.yaml", an_episode(1, tittle="x"))
    assert running.titles() == ["Number 1"]
    assert running.titles() == ["Number 1"]
    (said,) = running.told
    assert said.startswith("configs/episodes/episode-01.yaml:1:")
    assert "did you mean" in said
    assert "tittle" in running.body("/").decode()
    write(running.root / "configs/episodes/episode-01.yaml", an_episode(1, title="Mended"))
    assert running.titles() == ["Mended"]
    assert "tittle" not in running.body("/").decode()


@pytest.mark.process
def test_a_feed_that_cannot_be_made_says_why_and_its_files_are_there(running: Running) -> None:
    address = running.enclosure().href
    (running.root / "configs/published").mkdir()
    path = running.root / "configs/published/basics.json"
    path.write_text("{")
    for _ in range(2):
        status, _, body = running.ask("/feeds/basics.xml")
        assert status == 503
        assert b"configs/published/basics.json:1:2" in body
    assert len(running.told) == 1
    assert running.body(address) == sound(1)
    assert running.body("/")
    path.unlink()
    assert running.titles() == ["Number 1"]


@pytest.mark.process
def test_a_file_that_is_not_what_was_built_is_not_given_away_as_that(running: Running) -> None:
    address = running.enclosure().href
    path = running.root / "build/episode-01/episode-01.mp3"
    # copied here: another time, the same bytes
    os.utime(path, ns=(1, 1))
    assert running.body(address) == sound(1)
    path.write_bytes(sound(7))
    status, _, body = running.ask(address)
    assert (status, body) == (404, b"episode-01.mp3 is not what was built: build it again\n")


@pytest.mark.process
def test_a_download_goes_on_while_another_file_takes_the_place(running: Running) -> None:
    size = 40_000_000
    finish(running.root, 1, sound(1, size))
    address = urlsplit(running.enclosure().href).path
    with contextlib.closing(http.client.HTTPConnection(HOST, running.server.server_port, timeout=10)) as connection:
        connection.request("GET", address)
        with connection.getresponse() as response:
            begun = response.read(1000)
            new = running.root / "new"
            new.write_bytes(sound(4, size))
            new.replace(running.root / "build/episode-01/episode-01.mp3")
            assert begun + response.read() == sound(1, size)


@pytest.mark.process
def test_clients_at_once_do_not_wait_for_a_feed(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    address = running.enclosure().href
    drawn, may = threading.Event(), threading.Event()

    def slow(*_: object) -> bytes:
        drawn.set()
        assert may.wait(10)
        return COVER

    monkeypatch.setattr(sheets, "feed_cover", slow)
    asking = threading.Thread(target=running.body, args=("/feeds/show.xml",))
    asking.start()
    assert drawn.wait(10)
    assert running.body(address) == sound(1)
    may.set()
    asking.join()


def test_a_folder_that_is_no_project_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        serve.Site(tmp_path, "http://127.0.0.1:1/", print)


# -- other programs ---------------------------------------------------------------------------------------------------------------


@pytest.mark.process
def test_ffprobe_reads_and_seeks(running: Running, ffmpeg: str, tmp_path: Path) -> None:
    ffprobe = require("ffprobe")
    path = tmp_path / "tone.mp3"
    tone = ("-f", "lavfi", "-i", "sine=frequency=440:duration=300", "-c:a", "libmp3lame", "-b:a", "128k")
    subprocess.run([ffmpeg, "-v", "error", *tone, str(path)], check=True, stdin=subprocess.DEVNULL)
    finish(running.root, 1, path.read_bytes())
    asked = ("-v", "error", "-show_entries", "format=duration,size:packet=pts_time", "-of", "json", "-read_intervals", "240%+1")
    done = subprocess.run([ffprobe, *asked, running.enclosure().href], check=True, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.stderr == ""
    said = json.loads(done.stdout)
    assert float(said["format"]["duration"]) == pytest.approx(300, abs=0.2)
    assert int(said["format"]["size"]) == path.stat().st_size
    assert 239 < float(said["packets"][0]["pts_time"]) < 241
    assert running.told == []


@pytest.mark.process
def test_curl_goes_on_where_it_was_cut_off(running: Running, tmp_path: Path) -> None:
    curl = require("curl")
    got = tmp_path / "got.mp3"
    got.write_bytes(sound(1)[:123_456])
    quiet = ("--silent", "--show-error", "--fail", "--noproxy", "*")
    subprocess.run([curl, *quiet, "--continue-at", "-", "--output", str(got), running.enclosure().href], check=True, stdin=subprocess.DEVNULL)
    assert got.read_bytes() == sound(1)


# -- the command ------------------------------------------------------------------------------------------------------------------


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-c", "from production.cli import main; main()", "serve", *arguments]


@pytest.fixture
def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


@pytest.mark.process
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_says_what_to_subscribe_to_and_ends_when_it_is_told_to(root: Path, environment: dict[str, str], number: signal.Signals) -> None:
    run = command("-C", str(root), "--port", "0")
    with subprocess.Popen(run, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stderr
        try:
            addresses = [process.stdout.readline().rstrip("\n") for _ in range(2)]
            assert [urlsplit(address).path for address in addresses] == ["/feeds/basics.xml", "/feeds/show.xml"]
            said = process.stderr.readline()
            port = urlsplit(addresses[0]).port
            assert f"http://127.0.0.1:{port}/; ^C" in said
            with contextlib.closing(http.client.HTTPConnection(HOST, port, timeout=10)) as idle:
                idle.request("GET", "/")
                with idle.getresponse() as response:
                    assert response.status == 200
                    response.read()
                # a client that stays does not keep it from ending
                began = time.monotonic()
                process.send_signal(number)
                assert process.wait(10) == 0
                assert time.monotonic() - began < 5
            assert (process.stdout.read(), process.stderr.read()) == ("", "")
        finally:
            process.kill()


@pytest.mark.process
def test_the_command_says_that_a_port_is_taken(root: Path, environment: dict[str, str], running: Running) -> None:
    port = running.server.server_port
    run = command("-C", str(root), "--port", str(port))
    done = subprocess.run(run, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=30)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"--port {port}: error: serve: port {port} of 127.0.0.1 is taken by another program\n")
    assert "= hint: " in done.stderr


@pytest.mark.process
@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_the_command_refuses_what_is_no_port(root: Path, environment: dict[str, str], port: str) -> None:
    run = command("-C", str(root), "--port", port)
    done = subprocess.run(run, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 2
    assert "--port" in done.stderr
