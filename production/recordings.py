"""Where the recordings of an episode are: found by name, or where its config says. Nothing of them is read."""

from __future__ import annotations

import os
from pathlib import Path

from audio.source import AUDIO_SUFFIXES
from production.model import Episode, Project, Section

RECORDINGS = "recordings"


def folder_of(project: Project, episode: Episode) -> Path:
    return project.root / RECORDINGS / episode.id


def recording(project: Project, episode: Episode, section: Section) -> Path | None:
    """The file that the config names, else ``recordings/<episode>/<slug>.<audio extension>``, else the only one in a folder of the section's name;
    None when there is none.
    """
    if section.file:
        path = project.root / section.file
        return path if path.exists() else None
    return next(iter(candidates(folder_of(project, episode), section) or in_folder(project, episode, section)), None)


def in_folder(project: Project, episode: Episode, section: Section) -> list[Path]:
    """The audio files in ``recordings/<episode>/<slug>/``, by name: of several, each is a track."""
    folder = folder_of(project, episode) / section.slug
    if section.file or not folder.is_dir():
        return []
    # Hidden files are what other programs leave behind.
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in AUDIO_SUFFIXES and not path.name.startswith("."))


def candidates(folder: Path, section: Section) -> list[Path]:
    """Every file that is called as a section's recording may be; the first is taken."""
    names = (f"{section.slug}{spelt}" for suffix in AUDIO_SUFFIXES for spelt in (suffix, suffix.upper()))
    # Hundreds of names are tried for a season: as texts that takes a third of the time.
    return [folder / name for name in names if os.path.exists(f"{folder}{os.sep}{name}")]


def recorded(project: Project, episode: Episode) -> dict[str, Path | None]:
    """The recording of each section, by its slug; None where there is none."""
    return {slug: next(iter(paths), None) for slug, paths in takes(project, episode).items()}


def takes(project: Project, episode: Episode) -> dict[str, list[Path]]:
    """The files that each section is made of, by its slug: its recording, or its tracks; none where nothing is recorded."""
    here = folder_of(project, episode).is_dir()
    return {one.slug: _takes(project, episode, one) if here or one.file or one.tracks else [] for one in episode.sections}


def _takes(project: Project, episode: Episode, section: Section) -> list[Path]:
    if section.tracks:
        return [project.root / one.file for one in section.tracks]
    path = recording(project, episode, section)
    tracks = in_folder(project, episode, section)
    return tracks if path in tracks else [path] if path else []


def strays(project: Project, episode: Episode) -> list[Path]:
    """Audio files in an episode's folder that no section takes."""
    try:
        found = sorted(folder_of(project, episode).iterdir())
    except OSError:
        return []
    taken = {path.resolve() for paths in takes(project, episode).values() for path in paths}
    audio = (path for path in found if path.suffix.lower() in AUDIO_SUFFIXES and not path.name.startswith("."))
    return [path for path in audio if path.resolve() not in taken]
