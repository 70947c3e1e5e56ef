"""Files and pages over HTTP/1.1 (RFC 9110, RFC 9112), to programs on this machine. Knows no show: somebody else says what a path stands for.

It listens on 127.0.0.1 and nowhere else, and answers only whoever calls this machine by a name of its own: a web page from elsewhere that has its own
name resolved to 127.0.0.1 learns nothing. A path is looked up and never becomes the name of a file, so none leads out of a folder.

The standard library's server is right for this: a few clients on one machine, for whom a thread each is no burden, and nothing more to install. What
it lacks is here: ranges, validators, deadlines, and an end to how many threads there are and how much of a request is read. Nothing is printed.
"""

from __future__ import annotations

import contextlib
import errno
import io
import re
import socket
import socketserver
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import unquote_to_bytes

from production.errors import StepFailed
from production.model import Location
from production.problems import visible

HOST: Final = "127.0.0.1"
HTML: Final = "text/html; charset=utf-8"
_TEXT: Final = "text/plain; charset=utf-8"
_OURS: Final = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?", re.IGNORECASE)
"""A Host field that means this machine. The port is not compared: a tunnel has another one at its other end."""
_POLICY: Final = "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'"
"""Content-Security-Policy of pages that say none themselves: whatever stands in one, nothing of it runs."""
_PART: Final = re.compile(r"([0-9]{0,30})-([0-9]{0,30})")
_TAG: Final = re.compile(r'(?:W/)?("[^"]*")')
_HEAD_BYTES: Final = 32 << 10
_PIECE_BYTES: Final = 128 << 10
_DRAINED_BYTES: Final = 1 << 20
_DRAIN_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What clients may take of us. Times are in seconds."""

    threads: int = 64
    turn: float = 1.0
    """How long a client waits for a free thread before it is turned away."""
    head: float = 20.0
    """Until the whole head of the next request is there."""
    stall: float = 60.0
    """Until a client takes more of what it asked for. A player that pauses for longer asks for the rest when it goes on."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a path stands for: ``length`` bytes that ``body`` is open at the beginning of, and their SHA-256 in hexadecimal.

    ``shared`` is what scripts of any web page may read, if a browser on this machine shows it; ``policy`` the Content-Security-Policy of a page.
    """

    type: str
    sha256: str
    length: int
    body: IO[bytes]
    shared: bool = False
    policy: str = _POLICY


class Refused(Exception):
    """There is no content to give; ``status`` says why to programs, and the text to people."""

    def __init__(self, status: HTTPStatus, text: str, fields: Mapping[str, str] | None = None) -> None:
        self.status, self.text, self.fields = status, text, dict(fields or {})
        super().__init__(text)


def missing(text: str) -> Refused:
    """There is nothing of this name, or it is not what it should be."""
    return Refused(HTTPStatus.NOT_FOUND, text)


def failing(text: str) -> Refused:
    """It cannot be made now."""
    return Refused(HTTPStatus.SERVICE_UNAVAILABLE, text)


Find = Callable[[str], Content]
"""Gives the content of a path, which begins with a slash and is decoded. Raises Refused. Is called from many threads."""


def part(asked: str, length: int) -> range | None:
    """The bytes that a Range field asks for of ``length`` (RFC 9110, 14.1.2), empty when there are none such.

    None when the field is to be passed over: it is in another unit or broken, there is nothing to take a part of, or several parts are asked for, and
    who asks for those has to take the whole as well.
    """
    unit, _, parts = asked.partition("=")
    one = [said for each in parts.split(",") if (said := each.strip())]
    found = _PART.fullmatch(one[0]) if len(one) == 1 else None
    if unit.strip().lower() != "bytes" or found is None or not length:
        return None
    first, last = found.groups()
    if not first:
        return range(max(0, length - int(last)), length) if last else None
    if last and int(last) < int(first):
        return None
    return range(int(first), min(int(last) + 1, length) if last else length)


def among(tags: Iterable[str], tag: str) -> bool:
    """Whether the fields of an If-None-Match hold this entity tag, or any (RFC 9110, 13.1.2: a weak one counts as well)."""
    said = ",".join(tags)
    return said.strip() == "*" or tag in _TAG.findall(said)


# -- the server ------------------------------------------------------------------------------------------------------------------


class Server(ThreadingHTTPServer):
    """Holds a port of 127.0.0.1 from when it is made; 0 takes one that is free. Raises StepFailed for one that cannot be had."""

    # A client in the middle of a download does not keep the program from ending.
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, port: int, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.find: Find = _nothing
        self.tell: Callable[[str], None] = _silent
        self._room = threading.BoundedSemaphore(self.limits.threads)
        try:
            super().__init__((HOST, port), _Handler)
        except OSError as error:
            said = "is taken by another program" if error.errno == errno.EADDRINUSE else f"cannot be had ({error.strerror})"
            hint = "name another one, or 0 for one that is free"
            raise StepFailed("serve", f"port {port} of {HOST} {said}", where=Location(Path(f"--port {port}")), hint=hint) from error

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self.server_port}/"

    def serve(self, find: Find, tell: Callable[[str], None]) -> None:
        """Answer until `shutdown` is called in another thread, or something is raised in this one. ``tell`` is given what was our fault, in words."""
        self.find, self.tell = find, tell
        self.serve_forever()

    def server_bind(self) -> None:
        # The one of HTTPServer asks the resolver for the name of this machine, which can take seconds and is of no use here.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._room.acquire(timeout=self.limits.turn):
            _turn_away(request)
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._room.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        error = sys.exc_info()[1]
        # Clients that are gone are none of our faults.
        if not isinstance(error, OSError):
            self.tell(f"a request ended with {error!r}: this is a bug in produce")


def _nothing(_path: str) -> Content:
    raise failing("not yet")


def _silent(_text: str) -> None:
    """Tells nobody."""


def _turn_away(request: socket.socket) -> None:
    with contextlib.suppress(OSError):
        request.settimeout(0)
        # What is unread when a connection is closed takes the answer with it.
        with contextlib.suppress(BlockingIOError):
            request.recv(_HEAD_BYTES)
        request.send(b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


# -- a request -------------------------------------------------------------------------------------------------------------------


class _TooMuch(Exception):
    """The head of a request does not end."""


class _Reader(io.RawIOBase):
    """What a client sends, until the time for the head of a request is over, or the room for it."""

    def __init__(self, connection: socket.socket, seconds: float) -> None:
        self._connection, self._seconds = connection, seconds
        self.begin()

    def begin(self) -> None:
        """The next request has all of both."""
        self._until, self._room = time.monotonic() + self._seconds, _HEAD_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        if self._room <= 0:
            raise _TooMuch
        # Until the end and not anew for every byte: a client that sends one now and then has no more time than others.
        self._connection.settimeout(left)
        count = self._connection.recv_into(buffer)
        self._room -= count
        return count


class _Handler(BaseHTTPRequestHandler):
    """One connection, and the requests on it one after another."""

    server: Server
    protocol_version = "HTTP/1.1"
    # What is answered to something that is no request has a status line too.
    default_request_version = "HTTP/1.0"
    # Head and body go in two pieces, of which the second would wait until the first was acknowledged.
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.rfile.close()
        self._reader = _Reader(self.connection, self.server.limits.head)
        self.rfile = io.BufferedReader(self._reader)
        self._unread = False

    def handle(self) -> None:
        super().handle()
        if self._unread:
            self._drain()

    def handle_one_request(self) -> None:
        self.request_version, self.command, self.requestline = self.default_request_version, "", ""
        self._begun = False
        self._reader.begin()
        try:
            super().handle_one_request()
        except _TooMuch:
            self.send_error(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    def handle_expect_100(self) -> bool:
        # Nobody is told to go on with a body that is not going to be read.
        return True

    def do_GET(self) -> None:
        self._answered(self._give)

    do_HEAD = do_GET  # noqa: N815

    def do_POST(self) -> None:
        self._answered(self._not_allowed)

    do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_TRACE = do_CONNECT = do_POST  # noqa: N815

    def _answered(self, answer: Callable[[], None]) -> None:
        """Give an answer, or the reason why there is none."""
        if self.headers.get("Content-Length", "0").strip() != "0" or "Transfer-Encoding" in self.headers:
            # A body that is not read would be taken for the next request.
            self.close_connection = self._unread = True
        try:
            answer()
        except Refused as refused:
            # Who sends nonsense may mean something else by the next line too.
            self.close_connection |= refused.status is HTTPStatus.BAD_REQUEST
            self._say(refused.status, refused.text, refused.fields)
        except (ConnectionError, TimeoutError):
            raise
        except Exception as error:
            self.server.tell(f"{self.command} {visible(self.path)}: {error!r}: this is a bug in produce")
            self.close_connection = True
            if not self._begun:
                self.send_error(HTTPStatus.INTERNAL_SERVER_ERROR)

    def _not_allowed(self) -> None:
        raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, "there is only something to GET here", {"Allow": "GET, HEAD"})

    def _give(self) -> None:
        self._check_host()
        content = self.server.find(self._decoded())
        with content.body:
            tag = f'"{content.sha256}"'
            fields = {"ETag": tag, "Cache-Control": "no-cache", "Accept-Ranges": "bytes"}
            if content.shared:
                fields["Access-Control-Allow-Origin"] = "*"
            if among(self.headers.get_all("If-None-Match", []), tag):
                self._answer(HTTPStatus.NOT_MODIFIED, fields)
                return
            wanted = self._part(content.length, tag)
            if wanted is not None and not wanted:
                fields["Content-Range"] = f"bytes */{content.length}"
                raise Refused(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, f"there are {content.length} bytes of it", fields)
            status = HTTPStatus.OK if wanted is None else HTTPStatus.PARTIAL_CONTENT
            given = range(content.length) if wanted is None else wanted
            fields |= {"Content-Type": content.type, "Content-Length": str(len(given))}
            if wanted is not None:
                fields["Content-Range"] = f"bytes {wanted.start}-{wanted.stop - 1}/{content.length}"
            if content.type == HTML:
                fields["Content-Security-Policy"] = content.policy
            self._answer(status, fields)
            self._send(content.body, given)

    def _check_host(self) -> None:
        hosts = self.headers.get_all("Host", [])
        if len(hosts) != 1:
            raise Refused(HTTPStatus.BAD_REQUEST, "a request has one Host field")
        if not _OURS.fullmatch(hosts[0].strip()):
            raise Refused(HTTPStatus.MISDIRECTED_REQUEST, f"this is {HOST}, and nobody else")

    def _decoded(self) -> str:
        """The path that is asked for. Raises Refused for what is none; the query says nothing here."""
        path = self.path.partition("?")[0]
        if not path.startswith("/") or not path.isascii():
            raise Refused(HTTPStatus.BAD_REQUEST, "what is asked for is no path")
        try:
            decoded = unquote_to_bytes(path).decode()
        except UnicodeDecodeError:
            raise Refused(HTTPStatus.BAD_REQUEST, "the path is not in UTF-8") from None
        if not decoded.isprintable():
            raise Refused(HTTPStatus.BAD_REQUEST, "the path holds control characters")
        return decoded

    def _part(self, length: int, tag: str) -> range | None:
        """The bytes that are asked for; None for all of them."""
        asked = self.headers.get_all("Range", [])
        # Only a GET has parts, and a part of something else is of no use: a date, or a weak tag, does not say that it is the same.
        if self.command != "GET" or len(asked) != 1 or self.headers.get("If-Range", tag).strip() != tag:
            return None
        return part(asked[0], length)

    # -- answers -----------------------------------------------------------------------------------------------------------------

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        """What the standard library calls when it cannot make sense of a request. Nothing that came from the client is said to it again."""
        self.close_connection = self._unread = True
        self._say(HTTPStatus(code), HTTPStatus(code).phrase)

    def _say(self, status: HTTPStatus, text: str, fields: Mapping[str, str] | None = None) -> None:
        data = f"{text}\n".encode()
        self._answer(status, {**(fields or {}), "Content-Type": _TEXT, "Content-Length": str(len(data))})
        self._send(io.BytesIO(data), range(len(data)))

    def _answer(self, status: HTTPStatus, fields: Mapping[str, str]) -> None:
        self.connection.settimeout(self.server.limits.stall)
        self._begun = True
        self.send_response(status)
        for name, value in {**fields, "X-Content-Type-Options": "nosniff"}.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        elif self.request_version == "HTTP/1.0":
            self.send_header("Connection", "keep-alive")
        self.end_headers()

    def _send(self, body: IO[bytes], given: range) -> None:
        if self.command == "HEAD":
            return
        for start in given[::_PIECE_BYTES]:
            count = min(_PIECE_BYTES, given.stop - start)
            # By the system, without a copy here, where it can: what is no file of its is read and sent.
            if self.connection.sendfile(body, start, count) < count:
                # The file became shorter under our hands. A connection that ends early says so; one that goes on would not.
                self.close_connection = True
                return

    def _drain(self) -> None:
        """Read what is still coming, for a moment: a connection that is closed with something unread takes the answer with it."""
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(_DRAIN_SECONDS)
            until, left = time.monotonic() + _DRAIN_SECONDS, _DRAINED_BYTES
            while left > 0 and time.monotonic() < until and (data := self.connection.recv(_PIECE_BYTES)):
                left -= len(data)

    def version_string(self) -> str:
        return "produce"

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not written down."""
