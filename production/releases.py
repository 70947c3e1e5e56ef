"""What of a finished episode is published: its files, the addresses they get, and what a feed says of them.

What is published under an address never changes: a part of its digest is in the name of every file, and only the feeds themselves are replaced. So
an app that is in the middle of a download never gets the rest of another file.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from audio import subtitles
from audio.units import RATE
from feeds.lock import Release
from feeds.model import Alternate, Chapter, Enclosure, Transcript
from feeds.targets.base import Outgoing
from production import receipts
from production.files import TRANSCRIPTS
from production.model import Episode, Project

_DIGITS = 12
MP3, JSON_CHAPTERS, JPEG = "audio/mpeg", "application/json+chapters", "image/jpeg"
_ALTERNATES = {"m4a": ("audio/mp4", "AAC"), "opus": ("audio/ogg", "Opus")}


@dataclass(frozen=True, slots=True)
class Built:
    """An episode that is built: what is published of it, the enclosure first, and what the feed says of that."""

    files: tuple[Outgoing, ...]
    release: Release


def address(folder: str, name: str, sha256: str) -> str:
    """The public path of a file of these bytes: ``episode-14/cover-0123456789ab.jpg``."""
    path = PurePosixPath(folder, name)
    return str(path.with_name(f"{path.stem}-{sha256[:_DIGITS]}{path.suffix}"))


def url_of(project: Project, path: str) -> str:
    """The address of what is published under a path."""
    return f"{project.show.media_url.rstrip('/')}/{path}"


def built(project: Project, build: Path, episode: Episode) -> Built | None:
    """What is published of an episode; None when it is not built, or by a placeholder voice, or its files are no longer what was built."""
    folder = build / episode.id
    receipt = receipts.read(folder)
    if receipt is None or receipt.scratch:
        return None
    # Only the file that subscribers download must be there: an episode does not leave its feed because a picture beside it was lost.
    if receipt.size_of(folder, f"{episode.id}.mp3") is None:
        return None
    files = {
        name: Outgoing(folder / name, address(episode.id, name, sha256), int(length), kind, sha256)
        for name, (length, _, sha256) in receipt.outputs.items()
        if (kind := _type(episode, name)) and (folder / name).is_file()
    }
    mp3 = files.pop(f"{episode.id}.mp3")
    made = [one for suffix in subtitles.FORMS if (one := files.get(f"{episode.id}{suffix}"))]
    # What was made of the sections' own is of this very sound.
    said = None if made else transcript(project, episode)
    transcripts = [*made, *([said] if said else [])]
    urls = {name: url_of(project, one.path) for name, one in files.items()}
    release = Release(
        Enclosure(url_of(project, mp3.path), mp3.length, mp3.type),
        duration=round(receipt.samples / RATE),
        sha256=mp3.sha256,
        image=urls.get("cover.jpg"),
        chapters_url=urls.get("chapters.json"),
        chapters=_chapters(folder),
        transcripts=tuple(Transcript(url_of(project, one.path), one.type, project.show.language) for one in transcripts),
        alternates=_alternates(project, episode, mp3, files),
    )
    return Built((mp3, *files.values(), *([said] if said else [])), release)


def _type(episode: Episode, name: str) -> str:
    """The MIME type of an output that is published; "" for those that are the producer's own."""
    if name == f"{episode.id}.mp3":
        return MP3
    if name == "chapters.json":
        return JSON_CHAPTERS
    if name in {f"{episode.id}{suffix}" for suffix in subtitles.FORMS}:
        return TRANSCRIPTS[PurePosixPath(name).suffix]
    kind, _ = _ALTERNATES.get(PurePosixPath(name).suffix[1:], ("", ""))
    return JPEG if name.endswith(".jpg") else kind


def transcript(project: Project, episode: Episode) -> Outgoing | None:
    """The transcript that the config of an episode names; None when it names none."""
    if episode.transcript is None:
        return None
    path = project.root / episode.transcript
    data = path.read_bytes()
    sha256 = hashlib.sha256(data).hexdigest()
    return Outgoing(path, address(episode.id, f"transcript{path.suffix.lower()}", sha256), len(data), TRANSCRIPTS[path.suffix.lower()], sha256)


def _alternates(project: Project, episode: Episode, mp3: Outgoing, files: dict[str, Outgoing]) -> tuple[Alternate, ...]:
    """The files of other formats, and the enclosure before them; nothing when there are none."""
    formats = episode.settings.formats
    rates = {"m4a": formats.m4a, "opus": formats.opus}
    others = [
        Alternate(url_of(project, one.path), one.length, one.type, rates[suffix] * 1000, one.sha256, title)
        for suffix, (_, title) in _ALTERNATES.items()
        if (one := files.get(f"{episode.id}.{suffix}")) and rates[suffix]
    ]
    if not others:
        return ()
    rate = episode.settings.encoding.bitrate * 1000
    return (Alternate(url_of(project, mp3.path), mp3.length, mp3.type, rate, mp3.sha256, "MP3", default=True), *others)


def _chapters(folder: Path) -> tuple[Chapter, ...]:
    """The list that stands in the finished file, from its JSON form."""
    try:
        listed = json.loads((folder / "chapters.json").read_text("utf-8"))["chapters"]
        return tuple(Chapter(round(one["startTime"] * 1000), one["title"], one.get("url"), one.get("img")) for one in listed)
    except (OSError, ValueError, KeyError, TypeError):
        return ()
