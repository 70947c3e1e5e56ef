"""What is said about an episode: its tag, its feed item and its channel, made from the configs. Pure, apart from reading cover and chapter images."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from audio.tagsheet import TagSheet, language_code
from audio.timeline import Chapter
from audio.units import RATE
from feeds.identity import episode_guid
from feeds.model import Channel, Enclosure, Item
from production.model import Episode, Project, Series
from production.plan import Plan
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
SCRATCH = "[SCRATCH] "


def guid(project: Project, episode: Episode) -> str:
    """The episode's identity: made of the show and the number, so that no title, slug or file name changes it."""
    return episode_guid(project.show.slug, episode.number)


def cover(project: Project, episode: Episode, store: Store, *, side: int, most: int, scratch: bool) -> bytes:
    """The episode's cover as JPEG: the file that the config names, else drawn. Raises ArtworkError for a file that cannot serve."""
    asked = episode.settings.artwork
    if asked.file:
        return fitted(project.root / asked.file, store, side=side, most=most, along=COVERS)
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


def series_cover(project: Project, series: Series, store: Store) -> bytes:
    colour = series.settings.artwork.colour
    return _drawn(store, number=None, title=series.title, series=series.title, show=project.show.title, colour=colour, side=FEED_SIDE, scratch=False)


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


def media_url(project: Project, *parts: str) -> str:
    """The address of a file under build/ once it is published."""
    return "/".join((project.show.media_url.rstrip("/"), *parts))


def feed_url(project: Project, series: Series) -> str:
    return media_url(project, "feeds", f"{series.slug}.xml")


def channel(project: Project, series: Series) -> Channel:
    show = project.show
    return Channel(
        title=f"{show.title}: {series.title}",
        description=series.description,
        link=series.link or show.link,
        feed_url=feed_url(project, series),
        image=media_url(project, "feeds", f"{series.slug}.jpg"),
        language=show.language,
        author=show.author,
        owner_name=show.owner.name,
        owner_email=show.owner.email,
        copyright=show.copyright,
        category=show.category,
        subcategory=show.subcategory,
        explicit=show.explicit,
        season=series.season,
        season_name=series.title,
    )


def item(project: Project, episode: Episode, *, length: int, samples: int) -> Item:
    """The feed item of a finished episode of ``length`` bytes and ``samples`` samples."""
    return Item(
        guid=guid(project, episode),
        title=episode.title,
        description=episode.summary,
        enclosure=Enclosure(media_url(project, episode.id, f"{episode.id}.mp3"), length),
        # A day has no time of its own: noon UTC is that day nearly everywhere.
        published=dt.datetime.combine(episode.date, dt.time(12), dt.UTC),
        duration=round(samples / RATE),
        season=project.series_of(episode).season,
        episode=episode.number,
        link=episode.link,
        image=media_url(project, episode.id, "cover.jpg"),
        chapters_url=media_url(project, episode.id, "chapters.json"),
        explicit=project.show.explicit if episode.explicit is None else episode.explicit,
        keywords=episode.keywords,
    )
