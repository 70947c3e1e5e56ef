"""What is asked of web servers, good ones and hostile ones, on this machine."""

from __future__ import annotations

import contextlib
import http.server
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from feeds import web
from feeds.errors import NotServed, PublishError, TargetRefused, TargetStalled, TargetUnreachable
from feeds.patience import Patience, bounded
from feeds.publish import publish
from feeds.targets.folder import Folder
from tests.feeds.hostile import answering, endless
from tests.feeds.publishing import HASTY, episode, feed_of

pytestmark = pytest.mark.process
QUICK = Patience(connect=1.0, answer=0.4, stall=0.8, attempts=2, pause=0.001)


class Media(http.server.SimpleHTTPRequestHandler):
    """A web server that gives a folder as apps need it, but for what ``spoil`` does to an answer."""

    protocol_version = "HTTP/1.1"
    # An answer in one piece: in two, the second one waits until the first has been heard of.
    wbufsize = -1
    extensions_map = {  # noqa: RUF012
        "": "application/octet-stream",
        ".mp3": "audio/mpeg",
        ".jpg": "image/jpeg",
        ".json": "application/json+chapters",
        ".vtt": "text/vtt",
        ".xml": "application/rss+xml",
    }
    spoil: Callable[[Any, int, dict[str, str]], tuple[int, dict[str, str]]] = staticmethod(lambda _, status, headers: (status, headers))

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        data = path.read_bytes() if path.is_file() else b""
        status, headers = (200, {"Content-Type": self.guess_type(str(path))}) if path.is_file() else (404, {})
        if status == 200 and self.headers.get("Range") == "bytes=0-0":
            status, headers = 206, {**headers, "Content-Range": f"bytes 0-0/{len(data)}"}
            data = data[:1]
        headers["Content-Length"] = str(len(data))
        status, headers = type(self).spoil(self, status, headers)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(data)

    do_HEAD = do_GET  # noqa: N815

    def do_POST(self) -> None:
        asked.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.send_response(204 if self.path == "/hub" else 500)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


asked: list[str] = []


@contextlib.contextmanager
def serving(folder: Path, spoil: Any = None) -> Iterator[str]:
    class Spoilt(Media):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=str(folder))

    if spoil:
        Spoilt.spoil = staticmethod(spoil)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Spoilt)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def test_what_is_published_is_asked_for_as_apps_ask(tmp_path: Path) -> None:
    asked.clear()
    files = episode(tmp_path / "build", 1)
    with serving(tmp_path / "target") as base:
        feed = feed_of(files, base=base, hub=f"{base}/hub")
        report = publish(Folder(tmp_path / "target", base), files, [feed], patience=HASTY)
        assert report.warnings == ()
        assert asked == [f"hub.mode=publish&hub.url={base.replace(':', '%3A').replace('/', '%2F')}%2Ffeeds%2Ffoundational.xml"]
        deaf = feed_of(files, base=base, title="Another", hub=f"{base}/deaf")
        report = publish(Folder(tmp_path / "target", base), files, [deaf], patience=HASTY)
        assert report.replaced == ("feeds/foundational.xml",)
        assert report.warnings == (f"the hub {base}/deaf answers 500",)


def _no_ranges(_: Any, status: int, headers: dict[str, str]) -> tuple[int, dict[str, str]]:
    headers.pop("Content-Range", None)
    return (200 if status == 206 else status), headers


def _wrong_length(request: Any, status: int, headers: dict[str, str]) -> tuple[int, dict[str, str]]:
    return status, headers | ({"Content-Length": "7"} if request.command == "HEAD" else {})


def _login_page(_: Any, status: int, headers: dict[str, str]) -> tuple[int, dict[str, str]]:
    return status, headers | {"Content-Type": "text/html; charset=utf-8"}


SPOILT = {
    "knows no byte ranges": _no_ranges,
    "says that it is 7 bytes long": _wrong_length,
    "is served as text/html, not as audio/mpeg": _login_page,
    "the server answers 403": lambda _, _status, headers: (403, headers),
    "the server answers 404": lambda _, _status, headers: (404, headers),
    "the server answers 503": lambda _, _status, headers: (503, headers),
    "is 9 bytes long by its byte ranges": lambda _, status, headers: (status, headers | ({"Content-Range": "bytes 0-0/9"} if status == 206 else {})),
}


@pytest.mark.parametrize("said", SPOILT)
def test_what_apps_would_not_get_is_in_no_feed(said: str, tmp_path: Path) -> None:
    files = episode(tmp_path / "build", 1)
    with serving(tmp_path / "target", SPOILT[said]) as base, pytest.raises(NotServed, match=said) as caught:
        publish(Folder(tmp_path / "target", base), files, [feed_of(files, base=base)], patience=HASTY)
    assert str(caught.value).count("http://") == 1
    assert not (tmp_path / "target" / "feeds").exists()


def test_a_type_that_some_apps_stumble_over_is_warned_of(tmp_path: Path) -> None:
    files = episode(tmp_path / "build", 1)

    def untyped(_: Any, status: int, headers: dict[str, str]) -> tuple[int, dict[str, str]]:
        return status, headers | {"Content-Type": "application/octet-stream"}

    with serving(tmp_path / "target", untyped) as base:
        report = publish(Folder(tmp_path / "target", base), files, [feed_of(files, base=base)], patience=HASTY)
    assert len(report.warnings) == 4
    assert "some apps will not play it" in report.warnings[0]


def test_a_cache_that_still_has_the_old_feed_is_warned_of(tmp_path: Path) -> None:
    files = episode(tmp_path / "build", 1)
    with serving(tmp_path / "elsewhere") as base:
        report = publish(Folder(tmp_path / "target"), files, [feed_of(files, base=base)], patience=HASTY)
        assert report.warnings == ()
        report = publish(Folder(tmp_path / "target", base), [], [feed_of(files, base=base, title="x")], patience=HASTY)
    assert report.warnings == (f"{base}/feeds/foundational.xml: the server answers 404",)


# -- hostile ------------------------------------------------------------------------------------------------------------------------


def _drip(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.sendall(b"X")
        time.sleep(0.05)


def test_a_server_that_says_nothing_is_not_waited_for() -> None:
    with answering(lambda _: time.sleep(3)) as base, pytest.raises(TargetUnreachable, match="timed out"):
        web.ask("HEAD", f"{base}/x", QUICK)


def test_a_server_that_drips_is_not_waited_for() -> None:
    begun = time.monotonic()
    with answering(_drip) as base, pytest.raises(TargetStalled):
        bounded("asking", lambda _: web.ask("HEAD", f"{base}/x", QUICK), QUICK)
    assert time.monotonic() - begun < 3


def test_no_more_is_read_than_was_asked_for() -> None:
    with answering(endless) as base:
        assert web.ask("GET", f"{base}/x", QUICK, most=1000).body == b"x" * 1000
        assert web.ask("GET", f"{base}/x", QUICK).body == b""


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1",
        b"SSH-2.0-x\r\n",
        b"HTTP/1.1 999999 x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 300 + b"\r\n",
        b"HTTP/1.1 200 " + b"x" * 99999,
    ],
)
def test_a_server_that_speaks_something_else_is_unreachable(answer: bytes) -> None:
    with answering(lambda connection: connection.sendall(answer)) as base, pytest.raises(TargetUnreachable):
        web.ask("HEAD", f"{base}/x", QUICK)


@pytest.mark.parametrize("to", ["/again", "file:///etc/passwd", "ftp://127.0.0.1/x", "http://[", "//"])
def test_redirections_end_and_lead_nowhere_but_to_the_web(to: str) -> None:
    answer = f"HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n".encode()
    with answering(lambda connection: connection.sendall(answer)) as base, pytest.raises(PublishError):
        web.ask("HEAD", f"{base}/x", QUICK)


def test_nothing_but_the_web_is_asked() -> None:
    for url in ("file:///etc/passwd", "ftp://127.0.0.1/x", "/etc/passwd", "http://"):
        with pytest.raises(TargetRefused, match="no address of a web server"):
            web.ask("HEAD", url, QUICK)
    with pytest.raises(TargetUnreachable):
        web.ask("HEAD", "http://127.0.0.1:1/x\r\nHost: y", QUICK)
    with pytest.raises(TargetUnreachable):
        web.ask("HEAD", "http://127.0.0.1:1/", QUICK)
