"""What each page says, as plain values that a template writes down: from the feed's items, and from the configs what no feed says. Pure, but for show
notes, which may be a file.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from feeds.model import Channel, Item
from production import sheets
from production.clock import clock
from production.feed import Feed
from production.model import Artwork, Episode, Project, Series, Subscribe
from production.site import colours, structured, subscribe
from production.site.page import Addresses
from production.site.subscribe import Way
from production.store import Store

INDEX = "index.html"
# Not of the locale of the machine that happens to build.
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")


@dataclass(frozen=True, slots=True)
class Link:
    """Words, and where they lead."""

    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Head:
    """What stands at the head of every page. ``root`` leads from the page to the site's own folder."""

    root: str
    language: str
    title: str
    description: str
    kind: str
    image: str
    icon: str
    canonical: str
    feeds: tuple[Link, ...]
    policy: str
    structured: str
    colour: str
    live: bool
    show: str
    author: str
    copyright: str
    licence: Link | None
    funding: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """A chapter: ``start`` in seconds, ``at`` the same for people; ``share`` and ``width`` say where it is in thousandths of the whole."""

    start: str
    at: str
    title: str
    length: str
    summary: str
    url: str
    image: str
    share: float
    width: float


@dataclass(frozen=True, slots=True)
class Row:
    """An episode in a list."""

    number: int
    title: str
    summary: str
    url: str
    cover: str
    date: str
    day: str
    length: str
    colour: str


@dataclass(frozen=True, slots=True)
class EpisodePage:
    head: Head
    guid: str
    number: int
    title: str
    summary: str
    series: Link
    cover: str
    date: str
    day: str
    length: str
    seconds: int
    audio: str
    enclosure: str
    type: str
    downloads: tuple[Link, ...]
    chapters: tuple[Mark, ...]
    notes: str
    persons: tuple[tuple[Link, str], ...]
    explicit: bool
    ways: tuple[Way, ...]
    transcript: Link | None
    before: Link | None
    after: Link | None


@dataclass(frozen=True, slots=True)
class SeriesPage:
    head: Head
    url: str
    title: str
    season: int
    description: str
    cover: str
    ways: tuple[Way, ...]
    episodes: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class ShowPage:
    head: Head
    title: str
    description: str
    cover: str
    ways: tuple[Way, ...]
    series: tuple[SeriesPage, ...]


def episode_path(episode_id: str) -> str:
    return f"episodes/{episode_id}.html"


def series_path(slug: str) -> str:
    return f"series/{slug}.html"


def cover_path(name: str, *, small: bool = False) -> str:
    """Of an episode's cover, or of that of a series or the show."""
    return f"covers/{name}{'-small' if small else ''}.jpg"


class Views:
    """What the pages of a show say. ``made`` is its feed, whose items are the episodes that are out."""

    def __init__(self, project: Project, made: Feed, store: Store, addresses: Addresses) -> None:
        self._project, self._channel, self._store, self._addresses = project, made.channel, store, addresses
        by_number = {one.number: one for one in project.episodes}
        self.out = tuple((by_number[item.episode], item) for item in sorted(made.items, key=lambda item: item.episode))
        self._series_channels = {one.slug: sheets.channel(project, one, guid="", image=made.channel.image) for one in project.series}

    # -- pages

    def show(self) -> ShowPage:
        show = self._project.show
        head = self._head("", INDEX, show.title, show.description, "website", structured.podcast(self._channel, self._addresses), Artwork().colour)
        series = tuple(self.series(one, "") for one in self._project.series)
        cover = cover_path(show.slug)
        return ShowPage(head, show.title, show.description, cover, tuple(self._ways(None)), series)

    def series(self, series: Series, root: str = "../") -> SeriesPage:
        path = series_path(series.slug)
        said = structured.season(self._channel, series.title, series.season, series.description, path, self._addresses)
        title = f"{series.title}: {self._project.show.title}"
        head = self._head(root, path, title, series.description, "website", said, series.settings.artwork.colour, series)
        rows = tuple(self._row(episode, item, root) for episode, item in self._of(series))
        ways, cover = tuple(self._ways(series)), f"{root}{cover_path(series.slug)}"
        return SeriesPage(head, f"{root}{path}", series.title, series.season, series.description, cover, ways, rows)

    def episode(self, episode: Episode, item: Item) -> EpisodePage:
        root, addresses = "../", self._addresses
        series = self._project.series_of(episode)
        path = episode_path(episode.id)
        images = {one.image: addresses.of(one.image, root) for one in item.chapters if one.image}
        audio = addresses.of(item.enclosure.url, root)
        said = structured.episode(item, self._channel, series_path(series.slug), path, addresses)
        head = self._head(
            root, path, item.title, item.description, "article", said, episode.settings.artwork.colour, series, item, (audio, *images.values())
        )
        beside = [one for one, _ in self._of(series)]
        at = beside.index(episode)
        return EpisodePage(
            head,
            guid=item.guid,
            number=item.episode,
            title=item.title,
            summary=item.description,
            series=Link(series.title, f"{root}{series_path(series.slug)}"),
            cover=f"{root}{cover_path(episode.id)}",
            date=_date(item.published),
            day=item.published.date().isoformat(),
            length=_length(item.duration),
            seconds=item.duration,
            audio=audio,
            enclosure=item.enclosure.url,
            type=item.enclosure.type,
            downloads=tuple(self._downloads(item, root)),
            chapters=tuple(_marks(episode, item, images)),
            notes=sheets.notes_of(self._project, episode, self._store) if episode.notes else "",
            persons=tuple((Link(one.name, one.link or ""), one.role) for one in item.persons or self._channel.persons),
            explicit=item.explicit,
            ways=tuple(self._ways(series)),
            transcript=next((Link(one.type, addresses.of(one.url, root)) for one in item.transcripts), None),
            before=self._neighbour(beside, at - 1),
            after=self._neighbour(beside, at + 1),
        )

    # -- parts

    def _of(self, series: Series) -> list[tuple[Episode, Item]]:
        return [one for one in self.out if one[0].series == series.slug]

    def _neighbour(self, beside: Sequence[Episode], at: int) -> Link | None:
        return Link(f"{beside[at].number}. {beside[at].title}", f"{beside[at].id}.html") if 0 <= at < len(beside) else None

    def _row(self, episode: Episode, item: Item, root: str) -> Row:
        return Row(
            item.episode,
            item.title,
            item.description,
            f"{root}{episode_path(episode.id)}",
            f"{root}{cover_path(episode.id, small=True)}",
            _date(item.published),
            item.published.date().isoformat(),
            _length(item.duration),
            colours.name(episode.settings.artwork.colour),
        )

    def _downloads(self, item: Item, root: str) -> list[Link]:
        others = [one for one in item.alternates if not one.default]
        first = Link(f"MP3, {_megabytes(item.enclosure.length)}", self._addresses.of(item.enclosure.url, root))
        return [first, *(Link(f"{one.title}, {_megabytes(one.length)}", self._addresses.of(one.url, root)) for one in others)]

    def _ways(self, series: Series | None) -> list[Way]:
        """Where a series is subscribed to by itself; where it stands nowhere else, the show is what one subscribes to."""
        if series is not None and series.subscribe != Subscribe():
            channel = self._series_channels[series.slug]
            return list(subscribe.ways(series.subscribe, channel.feed_url, channel.title))
        return list(subscribe.ways(self._project.show.subscribe, self._channel.feed_url, self._channel.title))

    def _head(
        self,
        root: str,
        path: str,
        title: str,
        description: str,
        kind: str,
        said: str,
        colour: str,
        series: Series | None = None,
        item: Item | None = None,
        used: Sequence[str] = (),
    ) -> Head:
        show, channel = self._project.show, self._channel
        feeds: list[Channel] = [*([self._series_channels[series.slug]] if series else []), channel]
        link = item.link if item else series.link if series else show.link
        return Head(
            root=root,
            language=show.language,
            title=title,
            description=" ".join(description.split()),
            kind=kind,
            image=(item.image if item else None) or channel.image,
            icon=f"{root}{cover_path(show.slug, small=True)}",
            canonical=self._addresses.page(path) or link or "",
            feeds=tuple(Link(one.title, one.feed_url) for one in feeds),
            policy=self._addresses.policy(used),
            structured=said,
            colour=colours.name(colour),
            live=self._addresses.live,
            show=show.title,
            author=show.author,
            copyright=show.copyright,
            licence=Link(show.license.name, show.license.url or "") if show.license else None,
            funding=tuple(Link(one.text, one.url) for one in show.funding),
        )


def _marks(episode: Episode, item: Item, images: dict[str, str]) -> list[Mark]:
    """The chapters of the finished file, each with what its section's config says of it."""
    summaries = {one.title: one.summary or "" for one in episode.sections}
    whole = max(item.duration * 1000, 1)
    ends = [*(one.start for one in item.chapters[1:]), whole]
    return [
        Mark(
            f"{one.start / 1000:.3f}",
            clock(one.start // 1000),
            one.title,
            _length(round((end - one.start) / 1000)),
            summaries.get(one.title, ""),
            one.link or "",
            images.get(one.image or "", ""),
            round(one.start * 1000 / whole, 2),
            round(max(end - one.start, 0) * 1000 / whole, 2),
        )
        for one, end in zip(item.chapters, ends, strict=False)
    ]


def _date(moment: dt.datetime) -> str:
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}"


def _length(seconds: int) -> str:
    """Hours and minutes; seconds of what is shorter than a minute."""
    if seconds < 60:
        return f"{seconds} s"
    minutes = (seconds + 30) // 60
    return f"{minutes // 60} h {minutes % 60:02} min" if minutes >= 60 else f"{minutes} min"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.0f} MB" if size >= 1e6 else f"{max(round(size / 1e3), 1)} kB"
