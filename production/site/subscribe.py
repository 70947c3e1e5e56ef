"""Where listeners subscribe: the feed, what the config says, and the addresses that apps make of those two. Pure.

Overcast (overcast.fm/podcasterinfo) and Pocket Casts know a show by the number that Apple gave it, AntennaPod
(antennapod.org/documentation/podcasters-hosters/add-on-antennapod) by its feed. No other address is made up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlsplit

from production.model import Subscribe

_APPLE_ID: Final = re.compile(r"/id([0-9]+)(?:[/?#]|$)")


@dataclass(frozen=True, slots=True)
class Way:
    """A way to subscribe: the name of the app or directory, and the address."""

    name: str
    url: str


def ways(said: Subscribe, feed_url: str, title: str) -> Iterator[Way]:
    """Every way there is, the feed last. ``title`` is the feed's."""
    number = _APPLE_ID.search(said.apple or "")
    found = (
        ("Apple Podcasts", said.apple),
        ("Spotify", said.spotify),
        ("Overcast", said.overcast or (number and f"https://overcast.fm/itunes{number[1]}")),
        ("Pocket Casts", said.pocket_casts or (number and f"https://pca.st/itunes/{number[1]}")),
        ("AntennaPod", said.antennapod or _antennapod(feed_url, title)),
        ("RSS", feed_url),
    )
    yield from (Way(name, url) for name, url in found if url)


def _antennapod(feed_url: str, title: str) -> str:
    """Its page hands the feed over to the app on a telephone, which does not reach a server on this machine."""
    if urlsplit(feed_url).hostname in ("127.0.0.1", "localhost", "::1"):
        return ""
    return f"https://antennapod.org/deeplink/subscribe?url={quote(feed_url, safe='')}&title={quote(title, safe='')}"
