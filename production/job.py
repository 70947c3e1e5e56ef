"""A plan with everything that is said about it: chapters, tag sheet, covers, and the fingerprint that tells whether anything is left to do."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any

from audio import ffmpeg, recipes, tagsheet
from audio.tagsheet import TagSheet
from audio.timeline import Chapter
from production import inside, plan, releases, sheets, transcripts
from production.errors import ArtworkError, StepFailed
from production.inside import Inside
from production.model import Episode, Project
from production.plan import Plan
from production.store import Store, digest, digest_bytes
from production.transcripts import Spoken
from production.versions import version


@dataclass(frozen=True)
class Job:
    """What is to be made. ``audio`` names the frames of the finished file, ``fingerprint`` everything that is asked of the folder.

    ``cover`` draws the large cover, which takes a while and is first needed when the sound is written.
    """

    plan: Plan
    folder: Path
    chapters: tuple[Chapter, ...]
    inside: Inside
    spoken: Spoken
    sheet: TagSheet
    cover: Callable[[], bytes]
    image_urls: dict[str, str]
    basis: dict[str, Any]
    audio: str
    fingerprint: str

    @property
    def target(self) -> Path:
        return self.folder / f"{self.plan.episode.id}.mp3"


def job(project: Project, planned: Plan, store: Store, folder: Path) -> Job:
    """Raises StepFailed for a picture that cannot serve."""
    episode = planned.episode
    with _artwork(project, episode, episode.settings.artwork.file, "artwork", "file"):
        source = sheets.cover_source(project, episode)
    embedded = _cover(project, episode, store, sheets.EMBEDDED_SIDE, sheets.EMBEDDED_BYTES, planned.scratch)
    large = partial(_cover, project, episode, store, sheets.FEED_SIDE, sheets.FEED_BYTES, planned.scratch)
    images = _chapter_images(project, episode, store)
    found = inside.inside(planned, plan.chapters(planned, images))
    marks, spoken = found.chapters, transcripts.spoken(planned)
    sheet = sheets.tag_sheet(project, planned, marks, embedded, f"ffmpeg {ffmpeg.version_number(planned.build)} libmp3lame")
    basis = {**plan.basis(planned), "tags": _tag_basis(sheet)}
    urls = {slug: releases.url_of(project, releases.address(episode.id, f"images/{slug}.jpg", _sha256(image))) for slug, image in images.items()}
    audio = plan.sound(planned)
    tools = [version(name) for name in ("distributed-systems-podcast", "mutagen")]
    said = [
        tagsheet.RECIPE,
        tools,
        _beside(episode),
        basis["tags"],
        source,
        urls,
        [recipes.FLAWS, recipes.SENTINELS, recipes.PRINTS],
        planned.scratch,
        episode.minutes,
        [s.minutes for s in episode.sections],
        *_said_inside(found, spoken),
    ]
    return Job(planned, folder, marks, found, spoken, sheet, large, urls, basis, audio, digest("job", audio, said, plan.basis(planned)))


def _said_inside(found: Inside, spoken: Spoken) -> list[object]:
    """What is said of markers and transcripts, if anything is."""
    markers = [[one.title, one.start, one.end, one.source, one.chapter] for marks in found.markers.values() for one in marks]
    return (
        [[markers, found.notes], [transcripts.RECIPE, spoken.notes, [[cue.start, cue.end, cue.text, cue.speaker] for cue in spoken.cues]]]
        if (markers or found.notes or spoken.cues)
        else []
    )


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _beside(episode: Episode) -> object:
    """What is asked for beside the MP3, if anything is."""
    if not any(asdict(episode.settings.formats).values()):
        return []
    from production import formats

    return formats.asked_of(episode)


def _cover(project: Project, episode: Episode, store: Store, side: int, most: int, scratch: bool) -> bytes:
    with _artwork(project, episode, episode.settings.artwork.file, "artwork", "file"):
        return sheets.cover(project, episode, store, side=side, most=most, scratch=scratch)


def _chapter_images(project: Project, episode: Episode, store: Store) -> dict[str, bytes]:
    images: dict[str, bytes] = {}
    for index, section in enumerate(episode.sections):
        if section.image:
            with _artwork(project, episode, section.image, "sections", index, "image"):
                images[section.slug] = sheets.chapter_image(project, section.image, store)
    return images


@contextlib.contextmanager
def _artwork(project: Project, episode: Episode, name: str | None, *keys: str | int) -> Iterator[None]:
    """Say which picture cannot serve, and where it was asked for."""
    try:
        yield
    except (ArtworkError, OSError) as error:
        said = f"cannot be read ({error.strerror})" if isinstance(error, OSError) else error
        where = project.where(episode.id, *keys)
        hint = "give a square JPEG or PNG of 1400 px or more"
        raise StepFailed(f"{episode.id}: artwork", f"{name} {said}", where=where, hint=hint) from error


def _tag_basis(sheet: TagSheet) -> dict[str, Any]:
    values = {
        name: value
        for name, value in {f.name: getattr(sheet, f.name) for f in fields(sheet)}.items()
        if name not in ("chapters", "cover", "duration", "scratch")
    }
    values |= {name: str(value) for name, value in values.items() if not isinstance(value, (str, int, type(None)))}
    values["cover"] = digest_bytes(sheet.cover or b"")[:12]
    values["chapters"] = digest([[c.title, c.link, digest_bytes(c.image or b"")] for c in sheet.chapters])[:12]
    return values
