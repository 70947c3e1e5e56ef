"""What a site is made of: files by their paths, and where a page finds what it shows. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlsplit

_HOST: Final = re.compile(r"[\w.\-]+(:[0-9]+)?|\[[0-9a-fA-F:]+\](:[0-9]+)?", re.ASCII)


@dataclass(frozen=True)
class File:
    """A file of the site: its path there, and how its bytes are made. Equal keys are equal bytes, so that what is there already is not made again.

    ``make`` may raise ProduceError.
    """

    path: str
    type: str
    key: str
    make: Callable[[], bytes]


@dataclass(frozen=True)
class Addresses:
    """Where pages find sound and pictures. ``beside`` are paths from the folder that the site's own folder stands in, by public address; whatever
    is not among them is where it was published.

    ``site`` is the address that the site will have, "" when nobody said it; ``live`` whether pages look for a newer one of themselves.
    """

    beside: Mapping[str, str]
    site: str = ""
    live: bool = False

    def of(self, url: str, root: str) -> str:
        """What a page links to; ``root`` leads from the page to the site's own folder."""
        path = self.beside.get(url)
        return url if path is None else f"{root}../{quote(path)}"

    def page(self, path: str) -> str:
        """The address that a page will have; "" when nobody said where."""
        return f"{self.site.rstrip('/')}/{path.removesuffix('index.html')}" if self.site else ""

    def policy(self, used: Iterable[str]) -> str:
        """The Content-Security-Policy of a page that uses sound and pictures from these addresses: no script but the site's own, nothing inline."""
        media = " ".join(["'self'", *sorted({host for one in used if (host := _host(one))})])
        rules = ["default-src 'none'", "script-src 'self'", "style-src 'self'", f"img-src {media}", f"media-src {media}"]
        live = ["connect-src 'self'"] if self.live else []
        return "; ".join([*rules, *live, "base-uri 'none'", "form-action 'none'"])


def _host(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in ("http", "https") and _HOST.fullmatch(parts.netloc) else ""
