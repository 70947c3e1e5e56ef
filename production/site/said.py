"""The transcript that a page on the web holds: the very one that was published, from this machine or, where another one built the episode, from the
target. So every machine makes the same page.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from feeds.model import Item
from feeds.targets.base import NAME_DIGITS
from production import releases
from production.feed import Feed
from production.model import Episode, Project
from production.store import Store, digest, disk_errors, write

_FOLDER = "transcripts"


def path_of(project: Project, made: Feed, store: Store, episode: Episode) -> Path | None:
    """The file of the first transcript that the feed names of an episode; None when it names none, or it is not here."""
    url = _url(made, episode)
    if url is None:
        return None
    built, own = made.built.get(episode.number), releases.transcript(project, episode)
    here = {releases.url_of(project, one.path): one.local for one in (*(built.files if built else ()), *([own] if own else []))}
    return here.get(url) or (kept if (kept := _kept(store, url)).is_file() else None)


def fetch(project: Project, made: Feed, store: Store, read: Callable[[str], bytes | None]) -> None:
    """Bring those here that are not; ``read`` gives what stands under a public path. One that is not there, or another, is on no page."""
    base = releases.url_of(project, "")
    numbers = {item.episode for item in made.items}
    for episode in (one for one in project.episodes if one.number in numbers):
        url = _url(made, episode)
        if url is None or not url.startswith(base) or path_of(project, made, store, episode):
            continue
        data = read(url.removeprefix(base))
        # A part of the digest is in its name: what stands there now is what was published, or is not taken.
        if data is not None and PurePosixPath(url).stem.endswith(f"-{hashlib.sha256(data).hexdigest()[:NAME_DIGITS]}"):
            with disk_errors(_kept(store, url)):
                write(_kept(store, url), data)


def _kept(store: Store, url: str) -> Path:
    return store.root / _FOLDER / f"{digest(url)}{PurePosixPath(url).suffix}"


def _url(made: Feed, episode: Episode) -> str | None:
    item: Item | None = next((one for one in made.items if one.episode == episode.number), None)
    return item.transcripts[0].url if item and item.transcripts else None
