"""What listeners' apps see: the plain HTTP requests that we make ourselves, to the public addresses and to the hub. The only import of http.client.

Every request has a timeout for connecting and for each answer, follows few redirections and none to less security, and reads no more than it was told
to. Proxies of the environment are not used: what is asked is what the public is given.
"""

from __future__ import annotations

import contextlib
import http.client
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, quote, urlencode, urljoin, urlsplit

from feeds.errors import NotServed, TargetRefused, TargetUnreachable
from feeds.patience import Patience

MOST_REDIRECTIONS: Final = 5
_REDIRECTIONS: Final = frozenset({301, 302, 303, 307, 308})
_NOT_YET: Final = frozenset({404, 408, 425, 429})
"""What a server may say of a file that it is about to have, or to somebody who asks too often."""
_PLAIN_TYPES: Final = {"audio/mp3": "audio/mpeg", "audio/x-m4a": "audio/mp4", "audio/m4a": "audio/mp4", "audio/opus": "audio/ogg"}
_UNTYPED: Final = frozenset({"", "application/octet-stream", "binary/octet-stream"})
_RANGE: Final = re.compile(r"bytes 0-0/(\d{1,18})")


@dataclass(frozen=True, slots=True)
class Answer:
    """``headers`` by their names in lower case; ``body`` is cut to what was asked for."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def length(self) -> int | None:
        said = self.headers.get("content-length", "")
        return int(said) if said.isdecimal() and len(said) < 19 else None

    @property
    def media_type(self) -> str:
        bare = self.headers.get("content-type", "").split(";")[0].strip().lower()
        return _PLAIN_TYPES.get(bare, bare)


def ask(method: str, url: str, patience: Patience, *, headers: Mapping[str, str] | None = None, body: bytes = b"", most: int = 0) -> Answer:
    """The answer to a request, ``most`` bytes of its body at most. Raises TargetUnreachable, TargetRefused."""
    for _ in range(MOST_REDIRECTIONS + 1):
        answer = _ask(method, url, patience, {"Accept-Encoding": "identity", "User-Agent": "produce", **(headers or {})}, body, most)
        to = answer.headers.get("location", "")
        if answer.status not in _REDIRECTIONS or not to or method == "POST":
            return answer
        there = _joined(url, to)
        if _parts(url).scheme == "https" and _parts(there).scheme != "https":
            raise TargetRefused(f"{url} leads from https to {_parts(there).scheme}")
        url = there
    raise TargetRefused(f"{url}: more than {MOST_REDIRECTIONS} redirections")


def _ask(method: str, url: str, patience: Patience, headers: Mapping[str, str], body: bytes, most: int) -> Answer:
    parts = _parts(url)
    kinds: dict[str, type[http.client.HTTPConnection]] = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
    try:
        connection = kinds[parts.scheme](parts.hostname or "", parts.port, timeout=patience.connect)
        try:
            connection.connect()
            connection.sock.settimeout(patience.answer)
            connection.request(method, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), body or None, dict(headers))
            response = connection.getresponse()
            said = {name.lower(): value for name, value in response.getheaders()}
            return Answer(url, response.status, said, response.read(most) if most else b"")
        finally:
            connection.close()
    except ssl.SSLCertVerificationError as error:
        raise TargetRefused(f"{url}: its certificate is not to be trusted: {error.verify_message}") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise TargetUnreachable(f"{url}: {str(error) or type(error).__name__}") from error


def _joined(url: str, to: str) -> str:
    try:
        return urljoin(url, to)
    except ValueError:
        raise TargetRefused(f"{url} leads nowhere") from None


def _parts(url: str) -> SplitResult:
    """Raises TargetRefused for what is no address of a web server."""
    with contextlib.suppress(ValueError):
        parts = urlsplit(url)
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
            return parts
    raise TargetRefused(f"{url} is no address of a web server")


def address(base: str, path: str) -> str:
    """The public address of a public path."""
    return f"{base.rstrip('/')}/{quote(path)}"


def served(url: str, length: int, media_type: str, patience: Patience) -> list[str]:
    """What is not quite right about how a file is served; nothing when apps get it as they need it. For audio: its length by HEAD, and byte ranges.

    Raises NotServed when subscribers would not get it, TargetUnreachable when that may change by itself.
    """
    answer = ask("HEAD", url, patience)
    _require_success(url, answer)
    if answer.length not in (None, length):
        raise NotServed(url, f"says that it is {answer.length} bytes long, not {length}")
    if not media_type.startswith(("audio/", "video/")):
        return [] if answer.media_type == media_type else [f"{url} is served as {answer.media_type or 'no type'}, not as {media_type}"]
    _require_ranges(url, length, patience)
    if answer.media_type == _PLAIN_TYPES.get(media_type, media_type):
        return []
    if answer.media_type in _UNTYPED:
        return [f"{url} is served as {answer.media_type or 'no type'}, not as {media_type}: some apps will not play it"]
    raise NotServed(url, f"is served as {answer.media_type}, not as {media_type}", "tell the web server the type of such files")


def _require_success(url: str, answer: Answer) -> None:
    if answer.status >= 500 or answer.status in _NOT_YET:
        raise TargetUnreachable(f"{url}: the server answers {answer.status}")
    if answer.status != 200:
        raise NotServed(url, f"the server answers {answer.status}", "is the target's public address the right one, and open to everybody?")


def _require_ranges(url: str, length: int, patience: Patience) -> None:
    answer = ask("GET", url, patience, headers={"Range": "bytes=0-0"})
    if answer.status >= 500 or answer.status in _NOT_YET:
        raise TargetUnreachable(f"{url}: the server answers {answer.status}")
    found = _RANGE.fullmatch(answer.headers.get("content-range", ""))
    if answer.status != 206 or found is None:
        raise NotServed(url, "the server knows no byte ranges", "apps cannot seek without them, and directories refuse the feed: use another server")
    if int(found[1]) != length:
        raise NotServed(url, f"is {found[1]} bytes long by its byte ranges, not {length}")


def announce(hub: str, feed: str, patience: Patience) -> None:
    """Tell a WebSub hub that there is news in a feed. Raises PublishError."""
    body = urlencode({"hub.mode": "publish", "hub.url": feed}).encode()
    answer = ask("POST", hub, patience, headers={"Content-Type": "application/x-www-form-urlencoded"}, body=body)
    if not 200 <= answer.status < 300:
        raise TargetRefused(f"the hub {hub} answers {answer.status}")
