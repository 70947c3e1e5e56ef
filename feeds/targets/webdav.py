"""A folder on a server that speaks WebDAV. The only import of httpx (the extra ``webdav``).

We are who ``$WEBDAV_USER`` and ``$WEBDAV_PASSWORD`` say, or ``~/.netrc``; with Basic or Digest, as the server asks for it. Files are sent aside, read
back, and moved into their place. A transfer that was cut off begins anew: the protocol knows no other way. Some servers take the old feed away an
instant before the new one has its name. The lock is a folder, which most servers make for one client alone, and with what that client wrote in it.
"""

from __future__ import annotations

import contextlib
import ipaddress
import netrc
import os
import posixpath
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit
from xml.etree import ElementTree

from feeds.errors import CredentialsMissing, ExtraMissing, PublishError, TargetRefused, TargetUnreachable
from feeds.patience import Moved, Patience, bounded
from feeds.targets.base import BLOCK, LOCK, MOST_BYTES, MOST_NAMES, Found, LockedByFile, Outgoing, Text, aside, digest_from, mark_of, whole

USER: Final = "WEBDAV_USER"
PASSWORD: Final = "WEBDAV_PASSWORD"
_MOST_SAID: Final = 1 << 16
"""Bytes of an answer that nobody asked to read."""
_SETTLED_SECONDS: Final = 0.5
_PLAIN: Final = frozenset({200, 201, 204, 206, 207, 301, 404, 405, 409, 412})
"""What each caller judges by itself; the others mean the same wherever they are said."""
_ASKED: Final = b'<?xml version="1.0" encoding="utf-8"?><propfind xmlns="DAV:"><prop><resourcetype/></prop></propfind>'


def connected(url: str, public_url: str | None, patience: Patience) -> WebDav:
    """A target on a server. Raises ExtraMissing, CredentialsMissing, TargetRefused, TargetUnreachable."""
    try:
        import httpx
    except ImportError:
        raise ExtraMissing("webdav", "webdav") from None
    return WebDav(httpx, url, public_url, patience)


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


class WebDav(LockedByFile):
    """A folder on a server."""

    lock: str = f"{LOCK}/holder"

    def __init__(self, library: Any, url: str, public_url: str | None, patience: Patience) -> None:
        self._library = library
        self._base = url.rstrip("/")
        self.where = self._base
        self.public_url = public_url
        self.caveats: list[str] = []
        self._made: set[str] = set()
        self._identified = False
        self._patience = patience
        self._opened: Any = None
        try:
            bounded(f"connecting to {self.where}", lambda _: self._introduce(), patience)
        except BaseException:
            self.close()
            raise

    @property
    def _client(self) -> Any:
        """What asks; another one, to which we are nobody yet, when it was closed."""
        if self._opened is None:
            timeout = self._library.Timeout(self._patience.answer, connect=self._patience.connect)
            # As it is, and not compressed: a small answer may be a large one.
            headers = {"Accept-Encoding": "identity", "User-Agent": "produce"}
            self._opened = self._library.Client(timeout=timeout, follow_redirects=False, headers=headers)
            self._identified = False
        return self._opened

    # -- requests ----------------------------------------------------------------------------------------------------------------------

    def _introduce(self) -> None:
        """Ask for the folder, so that a server that wants to know who we are says so now, and not in the middle of a file."""
        self._ask("PROPFIND", "", headers={"Depth": "0", "Content-Type": "application/xml"}, content=_ASKED)

    def _identify(self, asked: str) -> None:
        """Say who we are from here on, in the way that the server asks for (its WWW-Authenticate)."""
        user, password = self._credentials()
        if "digest" in asked.lower():
            self._client.auth = self._library.DigestAuth(user, password)
        elif "basic" in asked.lower():
            if urlsplit(self._base).scheme == "http" and not _is_loopback(urlsplit(self._base).hostname or ""):
                self.caveats.append(f"{self.where} is asked without encryption: everybody on the way can read the password")
            self._client.auth = self._library.BasicAuth(user, password)
        else:
            raise TargetRefused(f"{self.where}: the server knows neither Basic nor Digest authentication")
        self._identified = True

    def _credentials(self) -> tuple[str, str]:
        user, password = os.environ.get(USER), os.environ.get(PASSWORD)
        if user and password is not None:
            return user, password
        try:
            known = netrc.netrc().authenticators(urlsplit(self._base).hostname or "")
        except FileNotFoundError:
            known = None
        except (OSError, netrc.NetrcParseError) as error:
            raise PublishError(f"~/.netrc cannot be read: {error.msg if isinstance(error, netrc.NetrcParseError) else error.strerror}") from None
        if known is None:
            raise CredentialsMissing(
                f"{self.where}: nothing to identify ourselves with", f"set ${USER} and ${PASSWORD}, or add the server to ~/.netrc"
            )
        return known[0], known[2] or ""

    def _url(self, path: str) -> str:
        return f"{self._base}/{quote(path)}"

    @contextlib.contextmanager
    def _answering(self, method: str, path: str, headers: Mapping[str, str], content: Any) -> Iterator[Any]:
        """An answer whose body is not read yet, and what the library raises as ours."""
        library = self._library
        try:
            with self._client.stream(method, self._url(path), headers=dict(headers), content=content) as response:
                yield response
        except (library.HTTPError, library.StreamError, library.InvalidURL, OSError, RuntimeError) as error:
            message = f"{self.where}: {method} {path}: {error or type(error).__name__}"
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise TargetRefused(message, "the server's certificate is not to be trusted") from error
            raise TargetUnreachable(message) from error

    def _ask(self, method: str, path: str, *, headers: Mapping[str, str] | None = None, content: Any = None, most: int = _MOST_SAID) -> _Answer:
        """The answer to a request, with the beginning of its body. Raises PublishError for what no caller can do anything about."""
        answer = self._once(method, path, headers or {}, content, most)
        if answer.status == 401 and not self._identified:
            self._identify(answer.headers.get("www-authenticate", ""))
            answer = self._once(method, path, headers or {}, content, most)
        self._judge(method, path, answer)
        return answer

    def _once(self, method: str, path: str, headers: Mapping[str, str], content: Any, most: int) -> _Answer:
        with self._answering(method, path, headers, content) as response:
            body = bytearray()
            if method != "HEAD":
                for block in response.iter_raw(BLOCK):
                    body += block
                    if len(body) >= most:
                        break
            return _Answer(int(response.status_code), response.headers, bytes(body[:most]))

    def _judge(self, method: str, path: str, answer: _Answer) -> None:
        if answer.status in _PLAIN:
            return
        message = f"{self.where}: {method} {path}: the server answers {answer.status}"
        if answer.status == 401:
            raise TargetRefused(message, f"check ${USER} and ${PASSWORD}, or ~/.netrc")
        if answer.status in (413, 507):
            raise TargetRefused(message, "there is no room for it")
        if answer.status >= 500 or answer.status in (408, 423, 425, 429):
            raise TargetUnreachable(message)
        raise TargetRefused(message, "is it the right address, and has the user the right to write there?")

    def _want(self, method: str, path: str, wanted: Sequence[int], **more: Any) -> _Answer:
        """The answer to a request, which is one of these. Raises PublishError."""
        answer = self._ask(method, path, **more)
        if answer.status not in wanted:
            raise TargetRefused(f"{self.where}: {method} {path}: the server answers {answer.status}", "is it the address of a WebDAV folder?")
        return answer

    # -- files -----------------------------------------------------------------------------------------------------------------------

    def look(self, paths: Sequence[str], moved: Moved) -> dict[str, Found]:
        found = {}
        for path in paths:
            length = self._length(path)
            if length is not None:
                found[path] = Found(length)
            moved(0)
        return found

    def _length(self, path: str) -> int | None:
        """None when there is nothing. Of a file whose length the server does not say, what can be read of it counts."""
        answer = self._ask("HEAD", path)
        if answer.status != 200:
            return None
        said = answer.headers.get("content-length", "")
        if said.isdecimal() and len(said) < 19:
            return int(said)
        return len(self._ask("GET", path, most=MOST_BYTES).body)

    def send(self, file: Outgoing, moved: Moved) -> None:
        self._make_folders(file.path)
        self._want("PUT", aside(file.path), (200, 201, 204), headers=_described(file.length, file.type), content=_Source(file, moved))

    def proof(self, file: Outgoing, moved: Moved) -> Found:
        path = aside(file.path)
        with self._answering("GET", path, {}, None) as response:
            if response.status_code != 200:
                self._judge("GET", path, _Answer(int(response.status_code), {}, b""))
                return Found(0, None, "")
            return digest_from(_Blocks(response.iter_raw(BLOCK)), moved, file.length)

    def land(self, file: Outgoing) -> None:
        self._move(aside(file.path), file.path)

    def _move(self, source: str, to: str) -> None:
        self._want("MOVE", source, (201, 204), headers={"Destination": self._url(to), "Overwrite": "T"})

    def drop(self, file: Outgoing) -> None:
        self.remove(aside(file.path))

    def _make_folders(self, path: str) -> None:
        folders = []
        folder = posixpath.dirname(path)
        while folder and folder not in self._made:
            folders.append(folder)
            folder = posixpath.dirname(folder)
        for one in reversed(folders):
            self._want("MKCOL", f"{one}/", (200, 201, 301, 405))
            self._made.add(one)

    # -- small files -------------------------------------------------------------------------------------------------------------------

    def read(self, path: str) -> Text | None:
        answer = self._ask("GET", path, most=MOST_BYTES + 1)
        if answer.status != 200:
            return None
        return Text(whole(path, answer.body), answer.headers.get("etag", ""))

    def create(self, path: str, data: bytes) -> bool:
        """As the only file of a folder that is made for it: of two that make it, one is told that it is there already."""
        folder = f"{posixpath.dirname(path)}/"
        made = self._want("MKCOL", folder, (201, 301, 405)).status == 201
        if not made or self.read(path) is not None:
            return False
        headers = {**_described(len(data), "application/json"), "If-None-Match": "*"}
        if self._want("PUT", path, (200, 201, 204, 412), headers=headers, content=data).status == 412:
            return False
        if self._want("MKCOL", folder, (201, 301, 405)).status == 201:
            # This server makes it for everybody: who wrote last has it, once those who came at the same time have written too.
            self.caveats.append(f"{self.where} makes a folder that is there already: two publishers in the same second may both be turned away")
            time.sleep(_SETTLED_SECONDS)
            there = self.read(path)
            return there is not None and there.data == data
        return True

    def replace(self, path: str, data: bytes, media_type: str, was: Text | None) -> None:
        self._make_folders(path)
        fresh = aside(path, mark_of(data))
        self._want("PUT", fresh, (200, 201, 204), headers=_described(len(data), media_type), content=data)
        self.stand_ready(fresh, path, data, was)
        self._move(fresh, path)

    def names(self, folder: str) -> list[str]:
        headers = {"Depth": "1", "Content-Type": "application/xml"}
        answer = self._ask("PROPFIND", f"{folder}/", headers=headers, content=_ASKED, most=MOST_BYTES + 1)
        if answer.status == 404:
            return []
        if answer.status != 207:
            raise TargetRefused(f"{self.where}: PROPFIND {folder}: the server answers {answer.status}", "is it the address of a WebDAV folder?")
        return _names(whole(folder, answer.body), unquote(urlsplit(self._url(folder)).path))

    def remove(self, path: str) -> None:
        if path == self.lock:
            self._want("DELETE", f"{LOCK}/", (200, 204, 404))
        else:
            self._want("DELETE", path, (200, 204, 404))

    def close(self) -> None:
        client, self._opened = self._opened, None
        if client is not None:
            with contextlib.suppress(Exception):
                client.close()


class _Source:
    """The bytes of a file, from the beginning each time that they are asked for."""

    def __init__(self, file: Outgoing, moved: Moved) -> None:
        self._file = file
        self._moved = moved

    def __iter__(self) -> Iterator[bytes]:
        sent = 0
        with self._file.local.open("rb") as source:
            while block := source.read(BLOCK):
                yield block
                sent += len(block)
                self._moved(sent)


class _Blocks:
    """Blocks as a file that can be read; a block may be longer than was asked for."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks

    def read(self, size: int, /) -> bytes:
        del size
        return next(self._blocks, b"")


def _described(length: int, media_type: str) -> dict[str, str]:
    return {"Content-Length": str(length), "Content-Type": media_type}


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _names(body: bytes, folder: str) -> list[str]:
    """The files of a folder's listing. Raises PublishError for what is no listing, or holds more than one."""
    # No listing has a document type, and one can make a small text a large tree.
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise PublishError(f"the listing of {folder} holds what no listing does")
    try:
        tree = ElementTree.fromstring(body)
    except ElementTree.ParseError as error:
        raise TargetUnreachable(f"the listing of {folder} cannot be read: {error}") from error
    found = []
    for one in tree.iter("{DAV:}response"):
        path = unquote(urlsplit(one.findtext("{DAV:}href") or "").path)
        name = posixpath.basename(path)
        if name and posixpath.dirname(path).rstrip("/") == folder.rstrip("/") and one.find(".//{DAV:}collection") is None:
            found.append(name)
        if len(found) >= MOST_NAMES:
            break
    return sorted(found)
