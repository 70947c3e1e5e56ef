"""Names that never change: what makes an app recognise a feed and an episode after everything else about them was edited.

Both are UUIDv5 (RFC 9562) under the podcast namespace's own UUID, so anyone can compute them again. A changed episode GUID makes every
subscriber download the episode again.
"""

from __future__ import annotations

import re
from typing import Final
from uuid import UUID, uuid5

PODCAST_NAMESPACE: Final = UUID("ead4c236-bf58-58c6-a2c6-a6b28d128cb6")
"""The namespace the podcast namespace's ``podcast:guid`` prescribes."""

_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


def podcast_guid(feed_url: str) -> str:
    """The ``podcast:guid`` of a feed: UUIDv5 of its URL without the scheme and without trailing slashes.

    Computed once, from the first URL of the feed; when the feed moves, the old value moves with it.
    Raises ValueError when nothing is left to name.
    """
    return str(_uuid(feed_url))


def episode_guid(show: str, number: int) -> str:
    """The GUID of an episode: UUIDv5 of its number under the UUID of its show. Title, slug and file name play no part.

    ``show`` is the show's slug or a feed URL (scheme and trailing slashes are ignored). The slug is the better choice: it survives a
    new host, and numbers count through all series of a show. Raises ValueError for an empty show or a negative number.
    """
    if number < 0:
        raise ValueError(f"an episode number is not negative, but this one is {number}")
    return str(uuid5(_uuid(show), f"episode/{number}"))


def next_guid(guid: str) -> str:
    """The GUID of an episode that is published anew, made of the one that it had: another one each time, and the same one whoever asks."""
    return str(uuid5(PODCAST_NAMESPACE, f"after {guid}"))


def _uuid(name: str) -> UUID:
    bare = _SCHEME.sub("", name, count=1) if _SCHEME.match(name) else name
    bare = bare.rstrip("/")
    if not bare:
        raise ValueError("a feed or show without a name has no identity")
    return uuid5(PODCAST_NAMESPACE, bare)
