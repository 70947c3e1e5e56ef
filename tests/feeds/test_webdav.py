"""The WebDAV target against a small server in memory that asks for Digest, makes a folder once, and can be told to lie."""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from feeds.errors import CredentialsMissing, NotAsSent, PublishError, TargetBusy, TargetRefused, TargetStalled, TargetUnreachable
from feeds.patience import Patience
from feeds.publish import publish, rollback
from feeds.targets import Where, open_target
from feeds.targets.base import MOST_BYTES, Outgoing
from tests.feeds.publishing import HASTY, episode, feed_of, prove

httpx = pytest.importorskip("httpx")
pytestmark = pytest.mark.process
FEED = "feeds/foundational.xml"
NONCE = "0123456789abcdef"


class Dav:
    """What is stored, what was asked, and what is said instead: ``lie`` is given each request, and True means that it has answered."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.folders = {""}
        self.asked: list[tuple[str, str]] = []
        self.lie: Callable[[Any, str, str], bool] = lambda _request, _method, _path: False
        self.digest = True
        self.base = ""

    @property
    def public(self) -> dict[str, bytes]:
        return {path: data for path, data in self.files.items() if "/." not in f"/{path}"}


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # An answer in one piece: in two, the second one waits until the first has been heard of.
    wbufsize = -1
    dav: Dav

    def say(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", headers.pop("length", str(len(body))))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _known(self) -> bool:
        said = dict(re.findall(r'(\w+)="?([^",]*)"?', self.headers.get("Authorization", "")))
        secret = _md5("jo:show:right")
        answer = _md5(f"{secret}:{said.get('nonce')}:{said.get('nc')}:{said.get('cnonce')}:auth:{_md5(f'{self.command}:{self.path}')}")
        return said.get("nonce") == NONCE and said.get("response") == answer

    def _any(self) -> None:
        dav = self.dav
        path = unquote(urlsplit(self.path).path).strip("/")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        dav.asked.append((self.command, path))
        if dav.digest and not self._known():
            self.say(401, WWW_Authenticate=f'Digest realm="show", nonce="{NONCE}", qop="auth", algorithm=MD5')
        elif not dav.lie(self, self.command, path):
            getattr(self, f"on_{self.command.lower()}")(path, body)

    do_GET = do_HEAD = do_PUT = do_DELETE = do_MKCOL = do_MOVE = do_PROPFIND = _any  # noqa: N815

    def on_get(self, path: str, _: bytes) -> None:
        self.say(200, self.dav.files[path]) if path in self.dav.files else self.say(404)

    on_head = on_get

    def on_put(self, path: str, body: bytes) -> None:
        if self.headers.get("If-None-Match") == "*" and path in self.dav.files:
            return self.say(412)
        self.dav.files[path] = body
        return self.say(201)

    def on_delete(self, path: str, _: bytes) -> None:
        gone = [name for name in self.dav.files if name == path or name.startswith(f"{path}/")]
        there = bool(gone) or path in self.dav.folders
        self.dav.folders.discard(path)
        for name in gone:
            del self.dav.files[name]
        self.say(204 if there else 404)

    def on_mkcol(self, path: str, _: bytes) -> None:
        made = path not in self.dav.folders
        self.dav.folders.add(path)
        self.say(201 if made else 405)

    def on_move(self, path: str, _: bytes) -> None:
        to = unquote(urlsplit(self.headers["Destination"]).path).strip("/")
        if path not in self.dav.files:
            return self.say(404)
        self.dav.files[to] = self.dav.files.pop(path)
        return self.say(204)

    def on_propfind(self, path: str, _: bytes) -> None:
        if path not in self.dav.folders:
            return self.say(404)
        names = [name for name in self.dav.files if name.rpartition("/")[0] == path]
        hrefs = "".join(f"<response><href>/{name}</href></response>" for name in names)
        return self.say(207, f'<multistatus xmlns="DAV:">{hrefs}</multistatus>'.encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def dav(monkeypatch: pytest.MonkeyPatch, certificates_once: None) -> Iterator[Dav]:  # noqa: ARG001
    monkeypatch.setenv("WEBDAV_USER", "jo")
    monkeypatch.setenv("WEBDAV_PASSWORD", "right")
    found = Dav()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("Its", (Handler,), {"dav": found}))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    found.base = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()


@contextlib.contextmanager
def opened(dav: Dav, patience: Patience = HASTY) -> Iterator[Any]:
    target = open_target(Where("webdav", url=dav.base), patience)
    try:
        yield target
    finally:
        target.close()


@pytest.fixture
def files(tmp_path: Path) -> list[Outgoing]:
    return episode(tmp_path, 1)


def test_a_server_that_asks_for_digest_is_told_who_we_are(dav: Dav, files: list[Outgoing]) -> None:
    with opened(dav) as target:
        assert publish(target, files, [feed_of(files)], patience=HASTY).warnings == ()
        assert prove(dav.public)[FEED] == feed_of(files).data
        publish(target, files, [feed_of(files, title="Another")], patience=HASTY)
        rollback(target, "foundational", patience=HASTY)
        assert prove(dav.public)[FEED] == feed_of(files).data
        assert not [path for path in dav.files if "/." in f"/{path}"]


def test_a_wrong_password_is_refused(dav: Dav, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBDAV_PASSWORD", "WR0NG")
    with pytest.raises(TargetRefused, match="answers 401") as caught, opened(dav):
        pass
    assert "WR0NG" not in str(caught.value)
    monkeypatch.delenv("WEBDAV_PASSWORD")
    with pytest.raises(CredentialsMissing), opened(dav):
        pass


def test_a_server_that_only_asks_writers_is_told_who_we_are(dav: Dav, files: list[Outgoing]) -> None:
    def lie(request: Any, method: str, _: str) -> bool:
        if method in ("GET", "HEAD", "PROPFIND") or request._known():
            return False
        request.say(401, WWW_Authenticate=f'Digest realm="show", nonce="{NONCE}", qop="auth", algorithm=MD5')
        return True

    dav.digest, dav.lie = False, lie
    with opened(dav) as target:
        publish(target, files, [feed_of(files)], patience=HASTY)
    prove(dav.public)


def test_a_folder_that_is_made_once_is_a_lock(dav: Dav, files: list[Outgoing]) -> None:
    def meanwhile() -> None:
        with opened(dav) as other, pytest.raises(TargetBusy):
            publish(other, files, [], patience=HASTY)

    with opened(dav) as target:
        publish(target, files, [feed_of(files)], before_feeds=meanwhile, patience=HASTY)
        # Cut off before it could say who it is.
        dav.folders.add(".publish.lock")
        publish(target, files, [feed_of(files, title="Another")], patience=HASTY)
    assert ".publish.lock" not in dav.folders


STATUSES = {507: TargetRefused, 413: TargetRefused, 403: TargetRefused, 400: TargetRefused, 500: TargetUnreachable, 503: TargetUnreachable}


@pytest.mark.parametrize("method", ["PUT", "MOVE", "MKCOL"])
@pytest.mark.parametrize("status", STATUSES)
def test_what_a_server_answers_is_told_apart_and_leaves_the_old_feed(status: int, method: str, dav: Dav, files: list[Outgoing]) -> None:
    with opened(dav) as target:
        publish(target, files, [feed_of(files)], patience=HASTY)

        def lie(request: Any, asked: str, _: str) -> bool:
            if asked == method:
                request.say(status)
            return asked == method

        dav.lie = lie
        with pytest.raises(STATUSES[status]):
            publish(target, files, [feed_of(files, title="Another")], patience=HASTY)
        assert prove(dav.public)[FEED] == feed_of(files).data


def test_what_is_given_back_for_ever_is_not_read_for_ever(dav: Dav, files: list[Outgoing]) -> None:
    def endless(request: Any, method: str, path: str) -> bool:
        if method != "GET" or "mp3" not in path:
            return False
        request.say(200, length=str(10**12))
        with contextlib.suppress(OSError):
            while True:
                request.wfile.write(b"x" * 65536)
        request.close_connection = True
        return True

    dav.lie = endless
    with opened(dav) as target, pytest.raises(NotAsSent, match="bytes long on the target"):
        publish(target, files, [feed_of(files)], patience=HASTY)
    assert FEED not in dav.public


def test_a_feed_without_an_end_is_none(dav: Dav, files: list[Outgoing]) -> None:
    dav.files[FEED] = b"x" * (MOST_BYTES + 5)
    with opened(dav) as target, pytest.raises(PublishError, match="is larger than"):
        publish(target, files, [feed_of(files)], patience=HASTY)


def test_a_server_that_drips_is_left_behind(dav: Dav, files: list[Outgoing]) -> None:
    ended = threading.Event()

    def dripping(request: Any, method: str, path: str) -> bool:
        if method != "GET" or "mp3" not in path:
            return False
        request.send_response(200)
        with contextlib.suppress(OSError):
            while not ended.wait(0.05):
                request.wfile.write(b"X")
                request.wfile.flush()
        request.close_connection = True
        return True

    dav.lie = dripping
    begun = time.monotonic()
    with opened(dav) as target, pytest.raises(TargetStalled):
        publish(target, files, [feed_of(files)], patience=Patience(connect=1, answer=1, stall=0.5, attempts=2, pause=0.001))
    assert time.monotonic() - begun < 5
    ended.set()


def test_a_redirection_is_not_followed_with_our_password(dav: Dav, files: list[Outgoing]) -> None:
    def elsewhere(request: Any, method: str, _: str) -> bool:
        if method == "PUT":
            request.say(307, Location="http://127.0.0.1:1/")
        return method == "PUT"

    dav.lie = elsewhere
    with opened(dav) as target, pytest.raises(TargetRefused, match="answers 307"):
        publish(target, files, [feed_of(files)], patience=HASTY)
