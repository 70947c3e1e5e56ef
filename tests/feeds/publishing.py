"""What the tests of publishing share: a small show, a target in memory, one that fails at any step, and the proof that nothing broken is seen."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

from feeds.errors import FeedOvertaken, TargetUnreachable
from feeds.pages import OutgoingPage, Site
from feeds.patience import Moved, Patience
from feeds.targets.base import Found, LockedByFile, Needed, Outgoing, OutgoingFeed, Text, aside

MEDIA = "https://media.example.org/show"
HASTY = Patience(connect=2.0, answer=5.0, stall=10.0, attempts=3, pause=0.001)
"""For what ends by itself: repeats at once."""


class Killed(BaseException):
    """The process ends here: nothing in it goes on, and nothing is tidied up."""


def outgoing(folder: Path, name: str, data: bytes, media_type: str) -> Outgoing:
    """A file on this machine, to be published under a name that comes from its content."""
    sha256 = hashlib.sha256(data).hexdigest()
    whole = PurePosixPath(name)
    local = folder / sha256
    folder.mkdir(parents=True, exist_ok=True)
    if not local.exists():
        local.write_bytes(data)
    return Outgoing(local, str(whole.with_name(f"{whole.stem}-{sha256[:12]}{whole.suffix}")), len(data), media_type, sha256)


def episode(folder: Path, number: int, *, size: int = 30_000, word: str = "") -> list[Outgoing]:
    """Its files, in an order that is not the one they are published in."""
    sound = hashlib.sha256(f"{number}{word}".encode()).digest() * (size // 32 + 1)
    name = f"episode-{number:02}"
    return [
        outgoing(folder, f"{name}/cover.jpg", b"\xff\xd8picture" + sound[:500], "image/jpeg"),
        outgoing(folder, f"{name}/transcript.vtt", b"WEBVTT\n" + sound[:100].hex().encode(), "text/vtt"),
        outgoing(folder, f"{name}/chapters.json", b'{"chapters": []}' + sound[:20].hex().encode(), "application/json+chapters"),
        outgoing(folder, f"{name}/{name}.mp3", sound[:size], "audio/mpeg"),
    ]


def feed_of(files: list[Outgoing], slug: str = "foundational", title: str = "Foundational", base: str = MEDIA, **more: Any) -> OutgoingFeed:
    """A feed that names every one of these files."""
    items = []
    for file in files:
        url = f"{base}/{file.path}"
        if file.type == "audio/mpeg":
            items.append(f'<item><guid>{file.sha256}</guid><enclosure url="{url}" length="{file.length}" type="{file.type}"/></item>')
        else:
            items.append(f"<item><guid>{file.sha256}</guid><link>{url}</link></item>")
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0"><channel><title>{title}</title>{"".join(items)}</channel></rss>\n'
    return OutgoingFeed(slug, text.encode(), f"{base}/feeds/{slug}.xml", **more)


def prove(public: Mapping[str, bytes], base: str = MEDIA) -> dict[str, bytes]:
    """Every feed is a feed, and everything that it names is there, whole. Gives the feeds."""
    feeds = {path: data for path, data in public.items() if path.endswith(".xml")}
    for path, data in feeds.items():
        tree = ElementTree.fromstring(data)
        assert tree.tag == "rss", path
        named = [(one.get("url", ""), one.get("length")) for one in tree.iter("enclosure")] + [(one.text or "", None) for one in tree.iter("link")]
        for url, length in named:
            name = unquote(url.removeprefix(f"{base}/"))
            assert name in public, f"{path} names {name}, which is not there"
            assert hashlib.sha256(public[name]).hexdigest()[:12] in name, f"{name} is not whole"
            assert length is None or int(length) == len(public[name])
    return feeds


def seen_in(root: Path) -> dict[str, bytes]:
    """What a web server would give of a folder: no name that begins with a dot is anybody's."""
    files = (path for path in sorted(root.rglob("*")) if path.is_file())
    listed = ((path.relative_to(root), path) for path in files)
    return {relative.as_posix(): path.read_bytes() for relative, path in listed if not any(part.startswith(".") for part in relative.parts)}


class Memory(LockedByFile):
    """A target in memory that does everything right, a block at a time."""

    def __init__(self) -> None:
        self.where = "memory"
        self.public_url: str | None = None
        self.caveats: list[str] = []
        self.held_by: dict[str, bytes] = {}
        self.took: list[str] = []

    @property
    def public(self) -> dict[str, bytes]:
        return {path: data for path, data in self.held_by.items() if not PurePosixPath(path).name.startswith(".")}

    def look(self, paths: list[str], moved: Moved) -> dict[str, Found]:
        moved(0)
        return {path: Found(len(self.held_by[path])) for path in paths if path in self.held_by}

    def send(self, file: Outgoing, moved: Moved) -> None:
        data = file.local.read_bytes()
        part = self.held_by.get(aside(file.path), b"")
        if len(part) > len(data):
            part = b""
        while len(part) < len(data):
            self.took.append(file.path)
            part += data[len(part) : len(part) + 10_000]
            self.held_by[aside(file.path)] = part
            moved(len(part))

    def proof(self, file: Outgoing, moved: Moved) -> Found:
        data = self.held_by.get(aside(file.path), b"")
        moved(len(data))
        return Found(len(data), None, hashlib.sha256(data).hexdigest())

    def land(self, file: Outgoing) -> None:
        self.held_by[file.path] = self.held_by.pop(aside(file.path))

    def drop(self, file: Outgoing) -> None:
        self.held_by.pop(aside(file.path), None)

    def create(self, path: str, data: bytes) -> bool:
        return self.held_by.setdefault(path, data) is data

    def read(self, path: str) -> Text | None:
        return Text(self.held_by[path]) if path in self.held_by else None

    def replace(self, path: str, data: bytes, media_type: str, was: Text | None) -> None:  # noqa: ARG002
        there = self.held_by.get(path)
        if there is not None and (was is None or was.data != there):
            raise FeedOvertaken(path)
        self.held_by[path] = data

    def names(self, folder: str) -> list[str]:
        return sorted(path.removeprefix(f"{folder}/") for path in self.held_by if str(PurePosixPath(path).parent) == folder)

    def remove(self, path: str) -> None:
        self.held_by.pop(path, None)

    def close(self) -> None:
        pass


class Stepped:
    """A target on the way to which something happens: ``plan`` is called before, within and after everything that is asked of it, with the number of
    the step and its name, and may raise; ``twists`` change what is answered.
    """

    def __init__(
        self, target: Any, plan: Callable[[int, str], None] = lambda _number, _name: None, twists: Mapping[str, Callable[[Any], Any]] | None = None
    ) -> None:
        self._target = target
        self._plan = plan
        self._twists = dict(twists or {})
        self.steps: list[str] = []

    def _step(self, name: str) -> None:
        self.steps.append(name)
        self._plan(len(self.steps) - 1, name)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._target, name)
        if not callable(found):
            return found

        def within(moved: Moved) -> Moved:
            def watched(done: int) -> None:
                moved(done)
                self._step(f"within {name}")

            return watched

        def stepped(*arguments: Any) -> Any:
            self._step(f"before {name}")
            answer = found(*(within(one) if callable(one) else one for one in arguments))
            self._step(f"after {name}")
            return self._twists.get(name, lambda same: same)(answer)

        return stepped


def killed_at(number: int) -> Callable[[int, str], None]:
    """The process ends at this step; whatever would tidy up comes no further either."""

    def plan(step: int, name: str) -> None:
        if step >= number:
            raise Killed(name)

    return plan


def lost_once(number: int) -> Callable[[int, str], None]:
    """The answer of this step, or of the first one after it that may be lost, is; nothing else goes wrong."""
    pending = [number]

    def plan(step: int, name: str) -> None:
        if pending and step >= pending[0] and "release" not in name:
            pending.clear()
            raise TargetUnreachable(f"connection lost {name}")

    return plan


def page(path: str, text: str, needs: tuple[Needed, ...] = ()) -> OutgoingPage:
    data = text.encode()
    kind = "text/css" if path.endswith(".css") else "text/html; charset=utf-8"
    return OutgoingPage(path, len(data), hashlib.sha256(data).hexdigest(), kind, lambda: data, needs)


def site_of(pages: Mapping[str, str], folder: str = "") -> Site:
    """Pages of these texts, in this order."""
    return Site(folder, lambda _: tuple(page(path, text) for path, text in pages.items()))
