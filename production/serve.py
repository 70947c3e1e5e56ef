"""The show as it will be published, for podcast apps and browsers on this machine: every feed, all that is built of it, the listener's pages, and a
page that lists it all.

A feed is the one that will be published, rendered for another address: guids and dates, and the podcast:guid, are its own, so that an app knows it
for the same. Episodes that are not out yet are in it; what was published and is not built here is where it was published; a scratch build is in no
feed here either. No hub is named: it knows nothing of this address.

Files stand under the names that they will have, with a part of their digest in them. Nothing else does but the review desks: under desk/, with the
file of the episode (a scratch build's too) and the recordings of its sections. What was changed since it was built is not given away as what was
built.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import html
import io
import json
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, Final

from feeds.model import Chapter
from feeds.targets.base import Outgoing
from production import checked, feed, locks, receipts, releases, sheets
from production.desk import originals
from production.desk import shelf as desk
from production.desk.originals import Original
from production.desk.shelf import Desks
from production.errors import Problem, ProduceError, StepFailed
from production.feed import feeds_of
from production.files import CONFIGS, is_notes_file
from production.inputs import source_line
from production.model import Episode, Project, Series, Show
from production.problems import format_problems
from production.receipts import Receipt
from production.releases import JPEG, JSON_CHAPTERS, MP3, Built
from production.site import pages
from production.site.page import Addresses, File
from production.site.views import INDEX, episode_path
from production.store import FOLDER, Store
from production.survey import Seen
from production.web import HTML, Content, failing, missing

RSS: Final = "application/rss+xml; charset=utf-8"
EVER: Final = dt.datetime.max.replace(tzinfo=dt.UTC)
"""A moment at which every episode is out."""
_BUILD: Final = FOLDER.parent
_SITE: Final = "site/"
"""Where the listener's pages are."""
_DESK: Final = "desk/"
"""Where the review desks are, each in a folder with the name of its episode."""

Stamp = tuple[int, int, int]
"""Time of change in ns, size in bytes and number of a file: another one, another file."""


class Site:
    """What the project in a folder offers under ``address``, as it is now: it is read again when something has changed that it is made of.

    Thread-safe. Raises what `checked.load` raises; configs that are wrong later on leave what was there before, and ``tell`` is given the reason.
    """

    def __init__(self, root: Path, address: str, tell: Callable[[str], None]) -> None:
        self._root, self._address, self._tell = root, address, tell
        self._guard = threading.Lock()
        self._told = ""
        places = _places(root)
        found = checked.load(root)
        found.keep()
        self._store = Store(root / FOLDER)
        self._seen = Seen(self._store)
        self._shelf = _Shelf(found.project, address, self._store, self._seen, places)

    def feeds(self) -> tuple[str, ...]:
        """The addresses to subscribe to."""
        project = self._now().project
        return tuple(sheets.feed_url(project, of) for of in feeds_of(project))

    def find(self, path: str) -> Content:
        """What stands under a path. Raises Refused when there is nothing, or when it cannot be made; ``tell`` is given the reason then."""
        shelf = self._now()
        try:
            return shelf.find(path.removeprefix("/"))
        except (ProduceError, OSError) as error:
            words = _words(error, self._root)
            self._say(f"{path}: {words}")
            raise failing(words) from error

    def _now(self) -> _Shelf:
        with self._guard:
            places = _places(self._root)
            if places != self._shelf.places or any(_stamp(path) != seen for path, seen in self._shelf.named.items()):
                self._shelf = self._read(places)
            return self._shelf

    def _read(self, places: dict[str, Stamp]) -> _Shelf:
        # The places were looked at before what is in them: what changes meanwhile is seen to be another the next time.
        try:
            project, trouble = checked.load(self._root).project, ""
            self._told = ""
        except (ProduceError, OSError) as error:
            project, trouble = self._shelf.published, _words(error, self._root)
            self._say(f"{trouble}\nuntil this is mended, everything is as it was before")
        return _Shelf(project, self._address, self._store, self._seen, places, trouble)

    def _say(self, text: str) -> None:
        # Apps ask again and again.
        if text != self._told:
            self._told = text
            self._tell(text)


def _words(error: ProduceError | OSError, root: Path) -> str:
    problems = getattr(error, "problems", None)
    if isinstance(error, StepFailed) and error.where:
        problems = [Problem(error.where, str(error), error.hint, source_line(error.where))]
    return format_problems(problems, relative_to=root) if problems else str(error)


# -- what changes ----------------------------------------------------------------------------------------------------------------


def _stamp(path: str | Path) -> Stamp | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def _places(root: Path) -> dict[str, Stamp]:
    """The configs, the locks and the receipts of a project, each with its stamp."""
    configs = root / CONFIGS
    names = [name for folder in (configs, configs / "series", configs / "episodes", configs / locks.FOLDER) for name in _listed(folder)]
    names += [os.path.join(name, receipts.NAME) for name in _listed(root / _BUILD)]
    return {name: stamp for name in names if (stamp := _stamp(name))}


def _listed(folder: Path) -> list[str]:
    try:
        return [os.path.join(folder, name) for name in sorted(os.listdir(folder))]
    except OSError:
        return []


# -- what there is ---------------------------------------------------------------------------------------------------------------


class _Shelf:
    """What there was to offer at one moment. Feeds are made when they are first asked for: to draw a cover takes a second.

    ``project`` is the project for the address that it is served under, ``published`` the same for the world. ``places`` and ``named`` are the
    stamps of what it was made from.
    """

    def __init__(self, published: Project, address: str, store: Store, seen: Seen, places: dict[str, Stamp], trouble: str = "") -> None:
        self.published, self.places, self.trouble = published, places, trouble
        self.project = replace(published, show=replace(published.show, media_url=address, hub=None))
        self._build, self._store = published.root / _BUILD, store
        self._receipts = {one.id: found for one in published.episodes if (found := receipts.read(self._build / one.id))}
        self.named = {path: _stamp(path) for path in self._paths()}
        self._built: dict[str, Built] = {}
        self._lost: dict[str, str] = {}
        for episode in published.episodes:
            self._take(episode)
        files = [file for built in self._built.values() for file in built.files]
        self._files = {file.path: file for file in files}
        self._here = {releases.url_of(published, file.path): releases.url_of(self.project, file.path) for file in files}
        self._sums = {key: sha256 for one in published.episodes for key, sha256 in self._said(one)}
        self._making = threading.Lock()
        self._feeds: dict[str, tuple[bytes, str, bytes]] = {}
        self._desks = Desks(published, self._build, store, seen, os.cpu_count() or 1)
        self._seen, self._hearing = seen, threading.Lock()
        self._site: dict[str, File] = {}
        self._pages: dict[str, bytes] = {}

    def _paths(self) -> Iterator[Path]:
        """The files besides configs and receipts that something depends on: what was built, show notes and transcripts."""
        for episode in self.published.episodes:
            receipt = self._receipts.get(episode.id)
            yield from (self._build / episode.id / name for name in (receipt.outputs if receipt else ()))
            if episode.notes and is_notes_file(episode.notes):
                yield self.published.root / episode.notes
            if episode.transcript:
                yield self.published.root / episode.transcript
            if episode.settings.artwork.file:
                yield self.published.root / episode.settings.artwork.file

    def _take(self, episode: Episode) -> None:
        try:
            built = releases.built(self.project, self._build, episode)
        except OSError as error:
            self._lost[episode.id] = str(error)
        else:
            if built:
                self._built[episode.id] = built

    def _said(self, episode: Episode) -> Iterator[tuple[tuple[Path, int, int], str]]:
        """What a receipt says of the digests of its files, by path, size and time of change."""
        receipt = self._receipts.get(episode.id)
        for name, (size, mtime, sha256) in (receipt.outputs if receipt else {}).items():
            yield (self._build / episode.id / name, int(size), int(mtime)), sha256

    def find(self, path: str) -> Content:
        """Raises Refused; ProduceError and OSError for a feed that cannot be made."""
        if not path:
            return _page(HTML, self._index().encode())
        if path in self._files:
            return self._file(self._files[path])
        if path.startswith(_SITE):
            return self._page(path.removeprefix(_SITE) or INDEX)
        if path.startswith(_DESK):
            return self._desk(*path.removeprefix(_DESK).partition("/")[::2])
        for of in feeds_of(self.project):
            if path == f"feeds/{of.slug}.xml":
                return _page(RSS, self._feed(of)[0], shared=True)
            if path.startswith(f"feeds/{of.slug}-") and path == self._feed(of)[1]:
                return _page(JPEG, self._feed(of)[2])
        raise missing("there is nothing of this name")

    # files

    def _file(self, file: Outgoing) -> Content:
        if file.type == JSON_CHAPTERS and (moved := self._chapters(file)):
            return _page(file.type, moved, shared=True)
        kind = f"{file.type}; charset=utf-8" if file.type.startswith("text/") else file.type
        # What players read by script, and not by way of a browser's own means for sound and pictures.
        shared = not file.type.startswith(("audio/", "image/"))
        return Content(kind, file.sha256, file.length, self._opened(file), shared)

    def _opened(self, file: Outgoing) -> IO[bytes]:
        """The file as it was built, however long it is read, and whatever takes its place meanwhile. Raises Refused when it is another one."""
        try:
            stream = file.local.open("rb", buffering=0)
        except OSError as error:
            raise missing(f"{file.local.name} is not there any more: build it again") from error
        try:
            status = os.fstat(stream.fileno())
            key = (file.local, status.st_size, status.st_mtime_ns)
            if key not in self._sums:
                # Copied or checked out: another time, and most often the same bytes.
                self._sums[key] = hashlib.file_digest(stream, "sha256").hexdigest()
                stream.seek(0)
            if self._sums[key] != file.sha256:
                raise missing(f"{file.local.name} is not what was built: build it again")
        except BaseException:
            stream.close()
            raise
        return stream

    def _chapters(self, file: Outgoing) -> bytes:
        """A list of chapters whose pictures are those that are served here; nothing when it has none."""
        try:
            said = json.loads(file.local.read_bytes())
            pictures = [one for one in said["chapters"] if one.get("img") in self._here]
        except (OSError, ValueError, AttributeError, LookupError, TypeError):
            return b""
        for one in pictures:
            one["img"] = self._here[one["img"]]
        return json.dumps(said, ensure_ascii=False, indent=2).encode() if pictures else b""

    # feeds

    def _feed(self, of: Series | Show) -> tuple[bytes, str, bytes]:
        """A feed as XML, and the path of its cover, and that. Raises what `feed.made` and `feed.rendered` raise."""
        with self._making:
            if of.slug not in self._feeds:
                with self._store.using():
                    self._feeds[of.slug] = self._made(of)
            return self._feeds[of.slug]

    def _made(self, of: Series | Show) -> tuple[bytes, str, bytes]:
        found = feed.made(self.project, of, self._build, self._store, EVER)
        held = locks.read(self.published, of.slug)
        # One that was never published has the guid of the address that it will have.
        guid = sheets.channel(self.published, of, guid=held.guid if held else None, image="").guid
        items = tuple(replace(item, chapters=tuple(map(self._moved, item.chapters))) for item in found.items)
        image = found.channel.image.removeprefix(releases.url_of(self.project, ""))
        return feed.rendered(self.project, replace(found, channel=replace(found.channel, guid=guid), items=items)), image, found.cover

    def _moved(self, chapter: Chapter) -> Chapter:
        return replace(chapter, image=self._here.get(chapter.image or "", chapter.image))

    # the listener's pages

    def _page(self, path: str) -> Content:
        """A page as it will be written, but for where its sound is, and that it looks for a newer one of itself."""
        with self._making, self._store.using():
            if not self._site:
                self._site = {one.path: one for one in self._listed()}
            if path not in self._site:
                raise missing("there is no page of this name")
            if path not in self._pages:
                self._pages[path] = self._site[path].make()
            # What may run there, the page itself says.
            return replace(_page(self._site[path].type, self._pages[path]), policy="frame-ancestors 'none'")

    def _listed(self) -> Iterator[File]:
        made = feed.made(self.project, self.project.show, self._build, self._store, EVER)
        beside = {releases.url_of(project, path): path for path in self._files for project in (self.published, self.project)}
        return pages.files(self.project, made, self._store, Addresses(beside, self.published.show.site or "", live=True))

    # the review desks

    def _desk(self, name: str, path: str) -> Content:
        """What stands in the folder of an episode's desk: the desk, the finished file, and the recordings."""
        episode, receipt = next((one for one in self.published.episodes if one.id == name), None), self._receipts.get(name)
        if episode is None or receipt is None:
            raise missing("there is no finished episode of this name")
        if path == desk.NAME:
            # Apart from the site: a file of which nothing is known any more is heard again, and nobody else has to wait for that.
            with self._hearing, self._store.using():
                if f"{_DESK}{name}" not in self._pages:
                    takes = self._originals(episode, receipt)
                    heard, addresses = {slug: one for slug, (_, one) in takes.items()}, {slug: address for slug, (address, _) in takes.items()}
                    self._pages[f"{_DESK}{name}"] = self._desks.served(episode, receipt, heard, addresses)
                return replace(_page(HTML, self._pages[f"{_DESK}{name}"]), policy="frame-ancestors 'none'")
        if path == f"{name}.mp3":
            size, _, sha256 = receipt.outputs[path]
            return self._file(Outgoing(self._build / name / path, path, int(size), MP3, sha256))
        for address, one in self._originals(episode, receipt).values():
            if path == address and one.path is not None:
                stream = one.path.open("rb", buffering=0)
                return Content(originals.TYPES[one.path.suffix.lower()], one.sha256, os.fstat(stream.fileno()).st_size, stream)
        raise missing("there is nothing of this name at this desk")

    def _originals(self, episode: Episode, receipt: Receipt) -> dict[str, tuple[str | None, Original]]:
        """The recordings of an episode, each with its path in the folder of the desk."""
        found = originals.originals(self.published, episode, receipt, self._seen)
        return {slug: (None if one.path is None else f"recordings/{slug}{one.path.suffix}", one) for slug, one in found.items()}

    # the page that lists everything

    def _index(self) -> str:
        show = self.project.show
        lines = [f"<h1>{_text(show.title)}</h1>", f"<p>{_link(f'{_SITE}{INDEX}', 'The pages for listeners')}</p>"]
        if self.trouble:
            lines += ["<p>The configs are wrong; this is how they were before.</p>", f"<pre>{_text(self.trouble)}</pre>"]
        lines += ["<h2>Feeds</h2>", "<ul>"]
        lines += [f"<li>{_text(of.title)}: {_link(sheets.feed_url(self.project, of))}</li>" for of in feeds_of(self.project)]
        lines.append("</ul>")
        published = self._known()
        for series in self.project.series:
            lines += [f"<h2>{_text(series.title)}</h2>", "<ul>"]
            lines += [self._line(one, one.number in published) for one in self.project.episodes if one.series == series.slug]
            lines.append("</ul>")
        body = "\n".join(lines)
        return f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{_text(show.title)}</title>\n{body}\n</html>\n'

    def _known(self) -> frozenset[int]:
        try:
            return frozenset(entry.number for entry in locks.entries(self.published) if entry.releases)
        except ProduceError:
            # Whoever asks for the feed is told.
            return frozenset()

    def _line(self, episode: Episode, published: bool) -> str:
        title = f"{episode.number}. {_text(episode.title)} ({episode.date.isoformat()}): "
        built, receipt = self._built.get(episode.id), self._receipts.get(episode.id)
        review = _link(f"{_DESK}{episode.id}/{desk.NAME}", "review desk") if receipt else ""
        if built:
            names = (_link(releases.url_of(self.project, file.path), file.local.name) for file in built.files)
            return f"<li>{title}{review}, {_link(_SITE + episode_path(episode.id), 'page')}, {', '.join(names)}</li>"
        elsewhere = "; the feed has it as it was published" if published else ""
        if lost := self._lost.get(episode.id):
            return f"<li>{title}{_text(lost)}{elsewhere}</li>"
        state = f"scratch only, in no feed; {review}" if _is_scratch(receipt) else "not built"
        return f"<li>{title}{state}{elsewhere}</li>"


def _is_scratch(receipt: Receipt | None) -> bool:
    return receipt is not None and receipt.scratch


def _page(kind: str, data: bytes, *, shared: bool = False) -> Content:
    """What was made for this and is small."""
    return Content(kind, hashlib.sha256(data).hexdigest(), len(data), io.BytesIO(data), shared)


def _text(text: str) -> str:
    return html.escape(text)


def _link(address: str, text: str = "") -> str:
    return f'<a href="{_text(address)}">{_text(text or address)}</a>'
