"""The server by itself: parts and validators as RFC 9110 has them, and whatever a client can do to it."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import io
import os
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from production.errors import StepFailed
from production.web import HOST, HTML, Content, Limits, Server, among, missing, part
from tests.production.serving import serving

DATA = bytes(range(256)) * 4000
SUM = hashlib.sha256(DATA).hexdigest()
LARGE = 1 << 28
TAG = f'"{SUM}"'

PARTS: dict[str, range | None] = {
    "bytes=0-99": range(100),
    "bytes=0-0": range(1),
    "bytes=10-": range(10, 1000),
    "bytes=-10": range(990, 1000),
    "bytes=-1000": range(1000),
    "bytes=-5000": range(1000),
    "bytes=0-5000": range(1000),
    "bytes=999-999": range(999, 1000),
    "BYTES=0-99": range(100),
    "bytes= 0-99 ": range(100),
    "bytes=0-99,": range(100),
    f"bytes=0-{'9' * 30}": range(1000),
    # there are none such
    "bytes=1000-": range(0),
    "bytes=1000-1001": range(0),
    "bytes=-0": range(0),
    f"bytes={'9' * 30}-": range(0),
    # passed over: the whole does as well
    "bytes=0-1,5-9": None,
    "bytes=": None,
    "bytes=-": None,
    "bytes=9-3": None,
    "bytes=a-b": None,
    "bytes=1": None,
    "bytes=--5": None,
    "bytes=+1-5": None,
    "bytes=1 - 5": None,
    "bytes=0x1-0x5": None,
    "bytes=١-٥": None,
    f"bytes=0-{'9' * 5000}": None,
    "seconds=0-99": None,
    "0-99": None,
    "": None,
}


@pytest.mark.parametrize("asked", PARTS)
def test_the_part_that_is_asked_for(asked: str) -> None:
    found, wanted = part(asked, 1000), PARTS[asked]
    assert (found is None) == (wanted is None)
    assert wanted is None or found == wanted or (not found and not wanted)


def test_of_nothing_there_is_no_part() -> None:
    assert part("bytes=0-", 0) is None
    assert part("bytes=-5", 0) is None


def test_a_tag_is_found_among_others_weak_or_not() -> None:
    for said in ('"a"', 'W/"a"', '"b", "a"', '"b",W/"a"', "*", ' "a" '):
        assert among([said], '"a"'), said
    assert among(['"b"', '"a"'], '"a"')
    for said in ("", "a", '"b"', '"ab"', 'W/"b"', '"a'):
        assert not among([said], '"a"'), said
    assert not among([], '"a"')


# -- a server that has a file, some bytes and a page ------------------------------------------------------------------------------


@pytest.fixture
def limits() -> Limits:
    return Limits()


@pytest.fixture
def told() -> list[str]:
    """What was said to be our fault."""
    return []


@pytest.fixture
def server(limits: Limits, told: list[str], tmp_path: Path) -> Iterator[Server]:
    file = tmp_path / "file"
    file.write_bytes(DATA)
    large = tmp_path / "large"
    large.touch()
    # more than fits between us and a client that takes nothing; the disk holds none of it
    os.truncate(large, LARGE)

    def find(path: str) -> Content:
        match path:
            case "/file":
                return Content("audio/mpeg", SUM, len(DATA), file.open("rb", buffering=0))
            case "/bytes":
                return Content("application/json+chapters", SUM, len(DATA), io.BytesIO(DATA), shared=True)
            case "/large":
                return Content("audio/mpeg", "3", LARGE, large.open("rb", buffering=0))
            case "/empty":
                return Content("audio/mpeg", "0", 0, io.BytesIO(b""))
            case "/page":
                return Content(HTML, "1", 4, io.BytesIO(b"page"))
            case "/longer-than-it-is":
                return Content("audio/mpeg", "2", len(DATA) + 1, file.open("rb", buffering=0))
            case "/bug":
                raise KeyError("a bug")
        raise missing("there is nothing of this name")

    with Server(0, limits) as running, serving(running, find, told.append):
        yield running
    assert threads_end()


def threads_end() -> bool:
    """Whether every thread of a server ends, now that its clients are gone."""
    until = time.monotonic() + 10
    while any("process_request" in one.name for one in threading.enumerate()):
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


Answer = tuple[int, dict[str, str], bytes]


def ask(server: Server, path: str, method: str = "GET", **fields: str) -> Answer:
    """Status, fields (names in lower case) and body; ``If_Range`` is the field If-Range."""
    with contextlib.closing(http.client.HTTPConnection(HOST, server.server_port, timeout=10)) as connection:
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in fields.items()})
        return read(connection)


def read(connection: http.client.HTTPConnection) -> Answer:
    with connection.getresponse() as response:
        return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()


def say(server: Server, data: bytes) -> bytes:
    """Everything that is answered to bytes that no library would send; nothing when the connection was only closed."""
    answer = b""
    with socket.create_connection((HOST, server.server_port), timeout=10) as client, contextlib.suppress(ConnectionError):
        client.sendall(data)
        while more := client.recv(1 << 16):
            answer += more
    return answer


@pytest.mark.process
@pytest.mark.parametrize("path", ["/file", "/bytes"])
def test_the_whole_is_given_with_all_that_a_player_asks_about(server: Server, path: str) -> None:
    status, fields, body = ask(server, path)
    assert (status, body) == (200, DATA)
    assert fields["content-length"] == str(len(DATA))
    assert fields["accept-ranges"] == "bytes"
    assert fields["etag"] == TAG
    assert fields["x-content-type-options"] == "nosniff"
    assert fields.get("access-control-allow-origin") == ("*" if path == "/bytes" else None)
    head = ask(server, path, "HEAD")
    assert head[0] == 200
    assert head[2] == b""
    assert {**head[1], "date": ""} == {**fields, "date": ""}


@pytest.mark.process
def test_a_page_may_run_nothing(server: Server) -> None:
    assert ask(server, "/page")[1]["content-security-policy"].startswith("default-src 'none'")
    assert ask(server, "/page?utm=1#a")[2] == b"page"
    assert ask(server, "/%70age")[2] == b"page"


@pytest.mark.process
@pytest.mark.parametrize("path", ["/file", "/bytes"])
@pytest.mark.parametrize("first", [0, 1, 131_072, 500_000, len(DATA) - 1])
def test_a_part_is_given_as_it_was_asked_for(server: Server, path: str, first: int) -> None:
    for last in (first, first + 300_000, len(DATA) - 1):
        end = min(last, len(DATA) - 1)
        status, fields, body = ask(server, path, Range=f"bytes={first}-{last}")
        assert (status, body) == (206, DATA[first : end + 1])
        assert fields["content-range"] == f"bytes {first}-{end}/{len(DATA)}"
        assert fields["content-length"] == str(end + 1 - first)
        assert fields["etag"] == TAG


@pytest.mark.process
def test_a_part_that_is_not_there_is_refused(server: Server) -> None:
    status, fields, _ = ask(server, "/file", Range=f"bytes={len(DATA)}-")
    assert status == 416
    assert fields["content-range"] == f"bytes */{len(DATA)}"


@pytest.mark.process
def test_what_asks_for_no_part_that_can_be_given_gets_the_whole(server: Server) -> None:
    for fields in ({"Range": "bytes=0-1,4-5"}, {"Range": "bytes=5-1"}, {"Range": "lines=1-2"}):
        status, given, body = ask(server, "/file", **fields)
        assert (status, body) == (200, DATA)
        assert "content-range" not in given
    # RFC 9110 has parts for GET alone
    status, given, _ = ask(server, "/file", "HEAD", Range="bytes=0-1")
    assert (status, given["content-length"]) == (200, str(len(DATA)))
    assert ask(server, "/empty", Range="bytes=0-")[0::2] == (200, b"")


@pytest.mark.process
def test_a_part_is_only_given_of_what_the_client_has_the_rest_of(server: Server) -> None:
    assert ask(server, "/file", Range="bytes=0-9", If_Range=TAG)[0::2] == (206, DATA[:10])
    for other in ('"another"', f"W/{TAG}", "Fri, 27 Nov 2026 22:00:00 GMT", ""):
        assert ask(server, "/file", Range="bytes=0-9", If_Range=other)[0] == 200


@pytest.mark.process
def test_what_the_client_has_is_not_sent_again(server: Server) -> None:
    for method in ("GET", "HEAD"):
        status, fields, body = ask(server, "/bytes", method, If_None_Match=f'"x", {TAG}', Range="bytes=0-9")
        assert (status, body, fields["etag"]) == (304, b"", TAG)
        assert fields["access-control-allow-origin"] == "*"
    assert ask(server, "/bytes", If_None_Match='"x"')[0] == 200


@pytest.mark.process
def test_one_connection_serves_many_requests(server: Server) -> None:
    with contextlib.closing(http.client.HTTPConnection(HOST, server.server_port, timeout=10)) as connection:
        connection.connect()
        port = connection.sock.getsockname()
        for path, status in (("/file", 200), ("/nothing", 404), ("/bytes", 200), ("/page", 200)):
            connection.request("GET", path)
            assert read(connection)[0] == status
            assert connection.sock is not None
            assert connection.sock.getsockname() == port


@pytest.mark.process
def test_requests_that_come_together_are_answered_in_order(server: Server) -> None:
    one = b"GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n"
    last = b"GET /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    answers = say(server, one + one + last)
    assert answers.count(b"HTTP/1.1 200 ") == 2
    assert answers.index(b"HTTP/1.1 404 ") > answers.rindex(b"HTTP/1.1 200 ")


@pytest.mark.process
def test_an_old_client_is_answered_and_may_stay(server: Server) -> None:
    assert b"\r\nConnection: close\r\n" in say(server, b"GET /page HTTP/1.0\r\nHost: localhost\r\n\r\n")
    with socket.create_connection((HOST, server.server_port), timeout=10) as client:
        for _ in range(2):
            client.sendall(b"GET /page HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n")
            answer = b""
            while not answer.endswith(b"page"):
                answer += client.recv(4096)
            assert b"\r\nConnection: keep-alive\r\n" in answer


@pytest.mark.process
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_there_is_only_something_to_get(server: Server, method: str) -> None:
    status, fields, _ = ask(server, "/file", method)
    assert (status, fields["allow"]) == (405, "GET, HEAD")


# -- whoever means no good --------------------------------------------------------------------------------------------------------


def get(target: str, *fields: str, host: str = "localhost") -> bytes:
    return "\r\n".join((f"GET {target} HTTP/1.1", f"Host: {host}", "Connection: close", *fields, "", "")).encode("latin-1")


HOSTILE: dict[str, tuple[bytes, set[int]]] = {
    "traversal": (get("/../../etc/passwd"), {404}),
    "traversal, encoded": (get("/%2e%2e/%2e%2e/etc/passwd"), {404}),
    "traversal, slashes encoded": (get("/..%2f..%2fetc%2fpasswd"), {404}),
    "traversal, encoded twice": (get("/%252e%252e%252fetc%252fpasswd"), {404}),
    "traversal, backslashes": (get("/..\\..\\etc\\passwd"), {404}),
    "traversal, overlong UTF-8": (get("/%c0%ae%c0%ae/etc/passwd"), {400}),
    "traversal from what is there": (get("/file/../../../etc/passwd"), {404}),
    "an absolute path after a slash": (get("//etc/passwd"), {404}),
    "a NUL": (get("/file%00.mp3"), {400}),
    "a bare NUL": (get("/file\0"), {400}),
    "a line feed": (get("/file%0d%0aSet-Cookie:%20a=b"), {400}),
    "an escape": (get("/\x1b[2J"), {400}),
    "no UTF-8": (get("/%ff%fe"), {400}),
    "bare bytes": (get("/\xe9"), {400}),
    "half an escape": (get("/file%"), {404}),
    "an absolute URI": (get("http://evil.example/file"), {400}),
    "an absolute URI of ours": (get("http://localhost/file"), {400}),
    "a scheme": (get("file:///etc/passwd"), {400}),
    "a star": (get("*"), {400}),
    "no path": (get("file"), {400}),
    "a proxy's verb": (b"CONNECT evil.example:443 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", {405}),
    "an unknown verb": (b"STEAL /file HTTP/1.1\r\nHost: localhost\r\n\r\n", {501}),
    "a verb that is a name of ours": (b"_give /file HTTP/1.1\r\nHost: localhost\r\n\r\n", {501}),
    "too many words": (b"GET /file and more HTTP/1.1\r\nHost: localhost\r\n\r\n", {400}),
    "one word": (b"GET\r\n\r\n", {400}),
    "noise": (bytes(range(128, 256)) + b"\r\n\r\n", {400}),
    "the start of TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200) + b"\n\r\n\r\n", {400}),
    "another version": (b"GET /file HTTP/2.0\r\nHost: localhost\r\n\r\n", {505}),
    "no version": (b"GET /file HTTP/x\r\nHost: localhost\r\n\r\n", {400}),
    "an endless version": (b"GET /file HTTP/1." + b"1" * 5000 + b"\r\nHost: localhost\r\n\r\n", {400}),
    "a long line": (get("/" + "a" * 40_000), {431}),
    "a very long line": (get("/" + "a" * 500_000), {414, 431}),
    "a line without an end": (b"GET /" + b"a" * 900_000, {414, 431}),
    "many fields": (get("/file", *(f"X-{n}: a" for n in range(200))), {431}),
    "very many fields": (get("/file", *(f"X-{n}: a" for n in range(50_000))), {431}),
    "a long field": (get("/file", "X: " + "a" * 40_000), {431}),
    "no host": (b"GET /file HTTP/1.1\r\nConnection: close\r\n\r\n", {400}),
    "no host, by an old client": (b"GET /file HTTP/1.0\r\n\r\n", {400}),
    "two hosts": (get("/file", "Host: localhost"), {400}),
    "a host in what is no field": (b"GET /file HTTP/1.1\r\nnonsense\r\nHost: localhost\r\nConnection: close\r\n\r\n", {400}),
    "a field that is not our language": (get("/file", "Range: b\xfftes=0-1"), {200}),
    **{
        f"the host {host!r}": (get("/file", host=host), {421})
        for host in (
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "evil.example:8350",
            "localhost:80:80",
            "localhost:",
            "localhost@evil.example",
            "127.0.0.1@evil.example",
            "127.0.0.2",
            "0.0.0.0",
            "[::]",
            "",
        )
    },
}


@pytest.mark.process
@pytest.mark.parametrize("name", HOSTILE)
def test_what_means_no_good_is_refused_in_few_words(name: str, server: Server, told: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    data, wanted = HOSTILE[name]
    answer = say(server, data)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 ")
    assert int(head.split()[1]) in wanted
    assert answer.count(b"HTTP/1.1") == 1
    if 200 not in wanted:
        # neither what was sent nor how we are made
        assert len(body) < 100
        assert b"Traceback" not in body
        assert b"evil" not in answer
        assert b"Set-Cookie" not in answer
    assert told == []
    assert capfd.readouterr() == ("", "")
    assert ask(server, "/page")[0] == 200


@pytest.mark.process
@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1", "127.0.0.1:8350", "[::1]", "[::1]:80"])
def test_the_names_of_this_machine_are_answered(host: str, server: Server) -> None:
    assert say(server, get("/page", host=host)).endswith(b"page")


@pytest.mark.process
def test_a_body_is_not_taken_for_the_next_request(server: Server) -> None:
    hidden = b"GET /file HTTP/1.1\r\nHost: localhost\r\n\r\n"
    for field in (f"Content-Length: {len(hidden)}", "Transfer-Encoding: chunked", "Content-Length: x"):
        for verb in ("GET /page", "POST /page"):
            answer = say(server, f"{verb} HTTP/1.1\r\nHost: localhost\r\n{field}\r\nExpect: 100-continue\r\n\r\n".encode() + hidden)
            assert answer.count(b"HTTP/1.1") == 1
            assert b"\r\nConnection: close\r\n" in answer


@pytest.mark.process
def test_our_own_fault_is_told_to_who_runs_the_server_and_not_to_the_client(
    server: Server, told: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    status, _, body = ask(server, "/bug")
    assert (status, body) == (500, b"Internal Server Error\n")
    assert told == ["GET /bug: KeyError('a bug'): this is a bug in produce"]
    assert capfd.readouterr() == ("", "")
    assert ask(server, "/page")[0] == 200


@pytest.mark.process
def test_a_file_that_became_shorter_ends_the_connection(server: Server) -> None:
    with pytest.raises(http.client.IncompleteRead):
        ask(server, "/longer-than-it-is")


@pytest.mark.process
def test_a_client_that_goes_away_is_no_fault_of_anybody(server: Server, told: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    for sent in (b"", b"GET /fi", get("/file")):
        with socket.create_connection((HOST, server.server_port), timeout=10) as client:
            client.sendall(sent)
            # reset, with whatever was on the way
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    assert threads_end()
    assert told == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.process
@pytest.mark.parametrize("limits", [Limits(head=0.5)])
def test_who_is_slow_to_ask_is_left(server: Server) -> None:
    with socket.create_connection((HOST, server.server_port), timeout=10) as silent:
        began = time.monotonic()
        assert silent.recv(1) == b""
        assert 0.3 < time.monotonic() - began < 5
    # a byte now and then buys no time
    answer = b""
    with socket.create_connection((HOST, server.server_port), timeout=10) as slow, contextlib.suppress(ConnectionError):
        for byte in get("/page"):
            slow.sendall(bytes([byte]))
            time.sleep(0.05)
        answer = slow.recv(1 << 16)
    assert answer == b""


@pytest.mark.process
@pytest.mark.parametrize("limits", [Limits(stall=0.5)])
def test_who_stops_taking_is_left_and_holds_up_nobody(server: Server) -> None:
    with socket.create_connection((HOST, server.server_port), timeout=10) as stalled:
        stalled.sendall(get("/large"))
        began = time.monotonic()
        assert ask(server, "/file", Range="bytes=5-9")[2] == DATA[5:10]
        assert ask(server, "/file")[2] == DATA
        assert time.monotonic() - began < 5
        # it is still there, and its thread is not
        assert threads_end()


@pytest.mark.process
@pytest.mark.parametrize("limits", [Limits(threads=2, turn=0.1, head=30)])
def test_there_are_no_more_threads_than_there_may_be(server: Server) -> None:
    with contextlib.ExitStack() as together:
        for _ in range(2):
            idle = together.enter_context(socket.create_connection((HOST, server.server_port), timeout=10))
            idle.sendall(b"GET ")
        time.sleep(0.2)
        assert sum("process_request" in one.name for one in threading.enumerate()) == 2
        assert say(server, get("/page")).startswith(b"HTTP/1.1 503 ")
    # they are gone, and there is room again
    until = time.monotonic() + 10
    while not say(server, get("/page")).endswith(b"page"):
        assert time.monotonic() < until


@pytest.mark.process
def test_many_clients_at_once_get_what_each_asked_for(server: Server) -> None:
    def one(number: int) -> bool:
        first = number * 7919
        return ask(server, "/file", Range=f"bytes={first}-{first + 200_000}")[2] == DATA[first : first + 200_001]

    with ThreadPoolExecutor(16) as threads:
        assert all(threads.map(one, range(64)))


@pytest.mark.process
def test_it_listens_to_this_machine_alone(server: Server) -> None:
    assert server.socket.getsockname() == ("127.0.0.1", server.server_port)
    assert server.address == f"http://127.0.0.1:{server.server_port}/"


@pytest.mark.process
def test_a_port_that_is_taken_is_said_to_be(server: Server) -> None:
    with pytest.raises(StepFailed, match=f"port {server.server_port} of 127.0.0.1 is taken") as caught:
        Server(server.server_port)
    assert str(caught.value.where) == f"--port {server.server_port}"
    assert "0 for one that is free" in caught.value.hint
