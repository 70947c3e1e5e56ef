"""What is said about an episode: its tag, its feed item and its channel, made from the configs. Pure, apart from reading cover and chapter images."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from audio.tagsheet import TagSheet, language_code
from audio.timeline import Chapter
from feeds import model as rss
from feeds import notes
from feeds.identity import episode_guid, podcast_guid
from feeds.lock import Entry, Release
from feeds.model import Channel, Item
from production.files import is_notes_file
from production.model import Artwork, Episode, Person, Project, Series, Show
from production.plan import Plan
from production.releases import url_of
from production.store import Store, digest, digest_bytes
from production.versions import version

FEED_SIDE = 3000
EMBEDDED_SIDE = 1400
CHAPTER_SIDE = 1400
FEED_BYTES = 500_000
EMBEDDED_BYTES = 200_000
CHAPTER_BYTES = 150_000
COVERS = ((EMBEDDED_SIDE, EMBEDDED_BYTES), (FEED_SIDE, FEED_BYTES))
"""Side in pixels and most bytes of what is made of one episode's cover."""
PAGE_COVERS = ((640, 80_000), (176, 12_000))
"""The same of what a web page shows of it: large, and in a list."""
SCRATCH = "[SCRATCH] "


def guid(project: Project, episode: Episode) -> str:
    """The episode's identity: made of the show and the number, so that no title, slug or file name changes it."""
    return episode_guid(project.show.slug, episode.number)


def cover(
    project: Project, episode: Episode, store: Store, *, side: int, most: int, scratch: bool, along: Sequence[tuple[int, int]] = COVERS
) -> bytes:
    """The episode's cover as JPEG: the file that the config names, else drawn. Raises ArtworkError for a file that cannot serve."""
    asked = episode.settings.artwork
    if asked.file:
        return fitted(project.root / asked.file, store, side=side, most=most, along=along)
    series = project.series_of(episode)
    return _drawn(
        store,
        number=episode.number,
        title=episode.title,
        series=series.title,
        show=project.show.title,
        colour=asked.colour,
        side=side,
        scratch=scratch,
    )


def cover_source(project: Project, episode: Episode) -> str:
    """What the episode's covers are made from, digested: another one, other covers. Raises OSError for a file that cannot be read."""
    asked = episode.settings.artwork
    made_from = digest_bytes((project.root / asked.file).read_bytes()) if asked.file else [episode.title, episode.number, asked.colour]
    return digest("covers", artwork_version(), COVERS, made_from, project.show.title, project.series_of(episode).title)


def feed_cover(project: Project, feed: Series | Show, store: Store, *, side: int = FEED_SIDE) -> bytes:
    """The cover of a feed, drawn from the title and colour of its series, or from those of the show."""
    colour = (Artwork() if isinstance(feed, Show) else feed.settings.artwork).colour
    return _drawn(store, number=None, title=feed.title, series=feed.title, show=project.show.title, colour=colour, side=side, scratch=False)


def _drawn(store: Store, *, number: int | None, title: str, series: str, show: str, colour: str, side: int, scratch: bool) -> bytes:
    asked = [number, title, series, show, colour, side, scratch]
    key = digest("cover", artwork_version(), asked)
    kept = store.get(key)
    if kept is None:
        from production import artwork

        kept = artwork.draw_cover(number=number, title=title, series=series, show=show, colour=colour, side=side, scratch=scratch)
        store.put(key, kept)
    return kept


@cache
def artwork_version() -> str:
    """The drawing and what draws it: its source is part of the key, so a changed design is drawn anew."""
    return f"{version('pillow')} {digest_bytes(Path(__file__).with_name('artwork.py').read_bytes())}"


def fitted(path: Path, store: Store, *, side: int, most: int, along: Sequence[tuple[int, int]] = ()) -> bytes:
    """An image file as a square JPEG of ``side`` pixels and at most ``most`` bytes. Raises ArtworkError.

    When it has to be made, so are those of the other sizes that will be asked for ``along`` with it: decoding the file is most of the work.
    """
    data = path.read_bytes()
    source = digest_bytes(data)
    keys = {size: digest("fitted", artwork_version(), source, *size) for size in dict.fromkeys(((side, most), *along))}
    kept = store.get(keys[side, most])
    if kept is None:
        from production import artwork

        made = dict(zip(keys, artwork.fit_covers(data, list(keys)), strict=True))
        for size, picture in made.items():
            store.put(keys[size], picture)
        kept = made[side, most]
    return kept


def chapter_image(project: Project, name: str, store: Store) -> bytes:
    """A chapter's image as JPEG of 1400 px and at most 150 kB; ``name`` is relative to the project folder. Raises ArtworkError."""
    return fitted(project.root / name, store, side=CHAPTER_SIDE, most=CHAPTER_BYTES)


def tag_sheet(project: Project, plan: Plan, chapters: tuple[Chapter, ...], embedded: bytes | None, encoder: str) -> TagSheet:
    """The finished file's tag."""
    show, episode = project.show, plan.episode
    series = project.series_of(episode)
    note = "Scratch build: placeholder narration by a synthetic voice. Not for publication. " if plan.scratch else ""
    return TagSheet(
        title=f"{SCRATCH if plan.scratch else ''}{episode.title}",
        artist=show.author,
        album=f"{show.title}: {series.title}",
        season=series.season,
        track=episode.number,
        date=episode.date,
        duration=plan.programme.length,
        language=language_code(show.language),
        album_artist=show.author,
        comment=f"{note}{episode.summary}",
        description=f"{note}{episode.summary}",
        link=episode.link,
        feed_url=feed_url(project, series),
        guid=guid(project, episode),
        keywords=episode.keywords,
        category=show.category,
        copyright=show.copyright,
        publisher=show.owner.name,
        encoder=encoder,
        chapters=chapters,
        cover=embedded,
        scratch=plan.scratch,
    )


def feed_url(project: Project, feed: Series | Show) -> str:
    """Where a series' feed is published, or the feed of the whole show."""
    return url_of(project, f"feeds/{feed.slug}.xml")


def channel(project: Project, feed: Series | Show, *, guid: str | None, image: str) -> Channel:
    """The channel of a series, or of the whole show. ``guid`` is the podcast:guid that was published; None for a feed that never was. ``image`` is
    the public path of its cover.
    """
    show, address = project.show, feed_url(project, feed)
    return Channel(
        title=show.title if isinstance(feed, Show) else f"{show.title}: {feed.title}",
        description=feed.description,
        link=feed.link or show.link,
        feed_url=address,
        guid=guid or podcast_guid(address),
        image=url_of(project, image),
        language=show.language,
        author=show.author,
        owner_name=show.owner.name,
        owner_email=show.owner.email,
        copyright=show.copyright,
        category=show.category,
        subcategory=show.subcategory,
        explicit=show.explicit,
        season=None if isinstance(feed, Show) else feed.season,
        hub=show.hub,
        persons=_persons(show.persons),
        funding=tuple(rss.Funding(one.url, one.text) for one in show.funding),
        license=rss.License(show.license.name, show.license.url) if show.license else None,
    )


def item(project: Project, episode: Episode, release: Release, entry: Entry | None, store: Store) -> Item:
    """The feed item of an episode. ``entry`` is what was published of it before; None for a new one. Raises what `notes_of` raises."""
    show, series = project.show, project.series_of(episode)
    return Item(
        guid=entry.guid if entry else guid(project, episode),
        title=episode.title,
        description=episode.summary,
        enclosure=release.enclosure,
        published=entry.published if entry else published(episode),
        duration=release.duration,
        season=series.season,
        season_name=series.title,
        episode=episode.number,
        link=episode.link,
        image=release.image,
        chapters_url=release.chapters_url,
        explicit=show.explicit if episode.explicit is None else episode.explicit,
        keywords=episode.keywords,
        content=notes.with_chapters(notes_of(project, episode, store), release.chapters),
        # A feed's readers take an item's persons for all of its persons.
        persons=_persons((*show.persons, *episode.persons)) if episode.persons else (),
        chapters=release.chapters,
        transcripts=release.transcripts,
        soundbites=tuple(rss.Soundbite(one.start, one.length, one.title or "") for one in episode.soundbites),
        alternates=release.alternates,
    )


def published(episode: Episode) -> dt.datetime:
    """The moment that an episode's date stands for: a day has no time of its own, and noon UTC is that day nearly everywhere."""
    return dt.datetime.combine(episode.date, dt.time(12), dt.UTC)


def notes_of(project: Project, episode: Episode, store: Store) -> str:
    """The show notes as HTML; the summary where there are none. Raises NotesTooLong, OSError, UnicodeDecodeError."""
    if episode.notes is None:
        return notes.paragraph(episode.summary)
    text = (project.root / episode.notes).read_text("utf-8") if is_notes_file(episode.notes) else episode.notes
    key = digest("notes", notes_version(), text)
    kept = store.get(key)
    if kept is None:
        # Kept, because to load the parser takes longer than all else that a run does which finds nothing to do.
        kept = notes.rendered(text).encode()
        store.put(key, kept)
    return kept.decode() or notes.paragraph(episode.summary)


@cache
def notes_version() -> str:
    """What makes HTML of show notes."""
    return f"{version('markdown-it-py')} {version('nh3')} {digest_bytes(Path(notes.__file__).read_bytes())}"


def _persons(persons: Sequence[Person]) -> tuple[rss.Person, ...]:
    return tuple(rss.Person(one.name, one.role, one.group, one.link, one.image) for one in persons)
