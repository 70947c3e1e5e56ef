"""Every file of the site: pages, covers, style sheet and scripts, each made when it is asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Final

from feeds.model import Item
from production import sheets
from production.errors import ArtworkError, StepFailed
from production.feed import Feed
from production.model import Artwork, Episode, Project, Series, Show
from production.site import colours, templates, views
from production.site.page import Addresses, File
from production.site.views import EpisodePage, Views
from production.store import Store, digest, digest_bytes
from production.versions import version

HTML: Final = "text/html; charset=utf-8"
_CSS, _JS, _JPEG, _XML = "text/css; charset=utf-8", "text/javascript; charset=utf-8", "image/jpeg", "application/xml"
STYLE, PLAYER, LIVE = "assets/site.css", "assets/player.js", "assets/live.js"


def files(project: Project, made: Feed, store: Store, addresses: Addresses, spoken: Callable[[Episode], Path | None] | None = None) -> Iterator[File]:
    """The site of a show; ``made`` is the show's feed: what is in no feed is on no page. ``spoken`` gives the transcript of an episode; if it is not
    said, the newest there is. Raises what `sheets.notes_of` raises.
    """
    words = spoken or partial(_spoken, project, made)
    said = Views(project, made, store, addresses)
    yield _file("show.html", views.INDEX, page=said.show())
    for series in project.series:
        yield _file("series.html", views.series_path(series.slug), page=said.series(series))
        yield from _drawn_covers(project, series, store)
    yield from _drawn_covers(project, project.show, store)
    for episode, item in said.out:
        yield _episode(words(episode), episode, item, said.episode(episode, item))
        yield from _covers(project, episode, store)
    yield _style(project)
    yield _asset(PLAYER)
    if addresses.live:
        yield _asset(LIVE)
    if addresses.site:
        paths = (views.INDEX, *(views.series_path(one.slug) for one in project.series), *(views.episode_path(one.id) for one, _ in said.out))
        yield _file("sitemap.xml", "sitemap.xml", _XML, pages=tuple(addresses.page(path) for path in paths))


def published(project: Project, made: Feed, store: Store) -> Feed:
    """The feed as it was published last: the items that subscribers have, with the files that stand there."""
    episodes = {one.number: one for one in project.episodes}
    known = {number: entry for number, entry in made.known.items() if entry.releases}
    items = (sheets.item(project, episodes[one.episode], entry.releases[-1], entry, store) for one in made.items if (entry := known.get(one.episode)))
    return replace(made, items=tuple(items))


def _file(template: str, path: str, kind: str = HTML, **said: object) -> File:
    key = digest(renderer(), template, {name: repr(value) for name, value in said.items()})
    return File(path, kind, key, lambda: templates.rendered(template, version=renderer()[:8], **said))


def _spoken(project: Project, made: Feed, episode: Episode) -> Path | None:
    """The transcript that the feed names, as a file here: what was made of the sections' own, or the one that the config names."""
    built = made.built.get(episode.number)
    own = next((one.local for one in built.files if one.local.name == f"{episode.id}.vtt"), None) if built else None
    return own or (project.root / episode.transcript if episode.transcript else None)


def _episode(path: Path | None, episode: Episode, item: Item, page: EpisodePage) -> File:
    marks = tuple(one.start / 1000 for one in item.chapters)
    plain = _file("episode.html", views.episode_path(episode.id), page=page)
    if page.transcript is None or path is None:
        return replace(plain, make=lambda: templates.rendered("episode.html", version=renderer()[:8], page=page, said=None))

    def make() -> bytes:
        from production.site import transcript

        said = transcript.read(path, path.read_bytes(), marks)
        return templates.rendered("episode.html", version=renderer()[:8], page=page, said=said)

    return replace(plain, key=digest(plain.key, digest_bytes(path.read_bytes())), make=make)


# -- pictures and the rest -------------------------------------------------------------------------------------------------------


def _covers(project: Project, episode: Episode, store: Store) -> Iterator[File]:
    key = digest("page covers", sheets.cover_source(project, episode), sheets.PAGE_COVERS)
    for small, (side, most) in zip((False, True), sheets.PAGE_COVERS, strict=True):
        yield File(views.cover_path(episode.id, small=small), _JPEG, key, partial(_cover, project, episode, store, side, most))


def _cover(project: Project, episode: Episode, store: Store, side: int, most: int) -> bytes:
    try:
        return sheets.cover(project, episode, store, side=side, most=most, scratch=False, along=sheets.PAGE_COVERS)
    except ArtworkError as error:
        where = project.where(episode.id, "artwork", "file")
        raise StepFailed(f"{episode.id}: cover", f"{episode.settings.artwork.file} {error}", where=where) from error


def _drawn_covers(project: Project, of: Series | Show, store: Store) -> Iterator[File]:
    for small, (side, _) in zip((False, True), sheets.PAGE_COVERS, strict=True):
        key = digest("page cover", sheets.artwork_version(), of.title, project.show.title, _colour(of), side)
        yield File(views.cover_path(of.slug, small=small), _JPEG, key, partial(sheets.feed_cover, project, of, store, side=side))


def _colour(of: Series | Show) -> str:
    return (Artwork() if isinstance(of, Show) else of.settings.artwork).colour


def _style(project: Project) -> File:
    of: tuple[Series | Episode, ...] = (*project.series, *project.episodes)
    used = frozenset({*(one.settings.artwork.colour for one in of), _colour(project.show)})
    return File(STYLE, _CSS, digest(renderer(), sorted(used)), lambda: templates.asset("site.css") + colours.rules(used).encode())


def _asset(path: str) -> File:
    return File(path, _JS, renderer(), lambda: templates.asset(Path(path).name))


@cache
def renderer() -> str:
    """What makes the bytes of a page besides what it says: our own code and templates, and the library that fills them in."""
    folder = Path(__file__).parent
    code = [digest_bytes(path.read_bytes()) for path in sorted(folder.rglob("*")) if path.suffix in (".py", ".html", ".xml", ".css", ".js")]
    return hashlib.sha256(digest(code, version("jinja2")).encode()).hexdigest()
