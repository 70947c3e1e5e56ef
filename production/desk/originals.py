"""The recordings of a finished episode's sections, where they are still what was built: to be heard beside what became of them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audio.units import RATE
from production import recordings, survey
from production.model import Episode, Project, Section
from production.receipts import Receipt
from production.survey import Seen

TYPES = {".wav": "audio/wav", ".flac": "audio/flac", ".mp3": "audio/mpeg", ".m4a": "audio/mp4", ".ogg": "audio/ogg", ".opus": "audio/ogg"}
"""What browsers play, by suffix."""


@dataclass(frozen=True, slots=True)
class Original:
    """A section's recording and its SHA-256; or, in words, why it cannot be heard."""

    path: Path | None
    sha256: str
    why: str = ""


def originals(project: Project, episode: Episode, receipt: Receipt, seen: Seen) -> dict[str, Original]:
    """By the name of the section. A file is read only when it is another one than was seen last. Raises OSError."""
    built = receipt.basis.get("segments", {})
    return {one.slug: _original(project, episode, one, built.get(one.slug), seen) for one in episode.sections}


def _original(project: Project, episode: Episode, section: Section, built: Mapping[str, Any] | None, seen: Seen) -> Original:
    path = recordings.recording(project, episode, section)
    if path is None or not path.is_file():
        return _none("its recording is not here")
    if built is None or built.get("file") != path.name:
        return _none("what was built is not made of this one recording")
    if built.get("cut"):
        return _none("stretches of its recording are cut out")
    if path.suffix.lower() not in TYPES:
        return _none(f"browsers do not play {path.suffix} files")
    sha256 = seen.of(path, "file", survey.digest_file)
    if built.get("content") != sha256:
        return _none("it was recorded again since")
    return Original(path, sha256)


def _none(why: str) -> Original:
    return Original(None, "", why)


def beside(project: Project, folder: Path, found: Original) -> str | None:
    """A recording's path as seen from a folder of the project; None when it lies elsewhere, which is another place on every machine."""
    if found.path is None or os.path.relpath(found.path, project.root).startswith(os.pardir):
        return None
    return os.path.relpath(found.path, folder)


def begins(segment: Mapping[str, Any]) -> float | None:
    """The second of its recording at which a section begins; None when it is not one stretch of one recording, or its report does not say."""
    start, end = segment.get("recording_samples") or (0, -1)
    return start / RATE if end - start == segment.get("samples") else None
