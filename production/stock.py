"""What the configs are made from, as far as it can be told without decoding: recordings, music, pictures, transcripts and notes.

What is not recorded yet is no mistake. What is there and cannot be used is one, and is told where the config asks for it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from audio import sources
from audio.errors import SourceUnreadable
from production import beside
from production.errors import ArtworkError, Problem
from production.files import is_notes_file
from production.minutes import Minutes
from production.model import Episode, KeyPath, Location, Project
from production.problems import did_you_mean
from production.recordings import RECORDINGS, candidates, folder_of, strays, takes

_MUSIC = ("intro", "outro", "sting", "bed")
_WORDS = ("builtin", "none")
_AGAIN = "put the file back, or write it again"
_ART = "give a square JPEG or PNG of 1400 px or more"


@dataclass(frozen=True, slots=True)
class Take:
    """What there is of an episode: which sections are recorded, and which are not yet."""

    episode: Episode
    recorded: tuple[str, ...]
    missing: tuple[str, ...]


@dataclass
class Stock:
    """What there is of some episodes, and what is wrong with it."""

    takes: list[Take] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def missing(self) -> int:
        return sum(len(one.missing) for one in self.takes)

    def lines(self) -> Iterator[str]:
        """What is not recorded yet, and where minutes disagree."""
        begun = [one for one in self.takes if one.recorded and one.missing]
        for one in begun:
            sections = len(one.recorded) + len(one.missing)
            yield f"{one.episode.id}: {len(one.recorded)} of {sections} sections are recorded; not yet: {', '.join(one.missing)}"
        planned = [one.episode.id for one in self.takes if not one.recorded]
        if planned:
            yield f"planned, and nothing recorded yet: {_ranges(planned)}"
        for one in self.takes:
            if told := Minutes.of(one.episode).told():
                yield f"{one.episode.id}: {told}"


def stock(project: Project, episodes: Sequence[Episode], source_line: Callable[[Location], str | None]) -> Stock:
    """Look at everything that the episodes name, each file once for each place that names it."""
    found = Stock()
    looker = _Looker(project, found, source_line)
    for episode in episodes:
        looker.recordings(episode)
        looker.music(episode)
        looker.pictures(episode)
        looker.texts(episode)
        looker.beside(episode)
    looker.folders()
    found.problems.sort(key=lambda one: (one.severity != "error", str(one.location.path), one.location.line))
    return found


class _Looker:
    def __init__(self, project: Project, found: Stock, source_line: Callable[[Location], str | None]) -> None:
        self.project, self.found, self.source_line = project, found, source_line
        self.said = set[tuple[Location | None, Path]]()

    def recordings(self, episode: Episode) -> None:
        there = takes(self.project, episode)
        missing = tuple(slug for slug, paths in there.items() if not paths)
        self.found.takes.append(Take(episode, tuple(slug for slug in there if slug not in missing), missing))
        folder = folder_of(self.project, episode)
        for index, section in enumerate(episode.sections):
            for number, path in enumerate(there[section.slug]):
                said: KeyPath = ("tracks", number, "file") if section.tracks else ("file" if section.file else "slug",)
                self._sound(episode, ("sections", index, *said), path, section.slug)
            key, path = ("sections", index, "slug"), next(iter(there[section.slug]), folder)
            others = [] if section.file or section.tracks else candidates(folder, section)[1:]
            # Where a file system takes upper and lower case for the same, one file has both names.
            for other in (one for one in others if not one.samefile(path)):
                self._report(episode, key, f"{section.slug}: {path.name} is taken, and {other.name} is there too", "keep one of them", "warning")
        for path in strays(self.project, episode):
            if not any(path.stem == section.slug for section in episode.sections):
                hint = did_you_mean(path.stem, missing or there) or f"sections: {', '.join(there)}"
                self.found.problems.append(Problem(Location(path), "no section takes this recording", hint, severity="warning"))

    def music(self, episode: Episode) -> None:
        music = episode.settings.music
        named: list[tuple[KeyPath, str | None, str]] = [(("music", key), getattr(music, key), f"music:{key}") for key in _MUSIC]
        for index, section in enumerate(episode.sections):
            named += [(("sections", index, key), getattr(section, key), f"{key}:{section.slug}") for key in ("sting", "bed")]
        for key, name, label in named:
            if name and name not in _WORDS:
                self._sound(episode, key, self.project.root / name, label)

    def pictures(self, episode: Episode) -> None:
        named: list[tuple[KeyPath, str | None]] = [(("artwork", "file"), episode.settings.artwork.file)]
        named += [(("sections", index, "image"), section.image) for index, section in enumerate(episode.sections)]
        for key, name in named:
            path = self.project.root / name if name else None
            if path and self._first(episode, key, path):
                from production import artwork

                try:
                    artwork.check_shape(path)
                except (ArtworkError, OSError) as error:
                    said = f"cannot be read: {error.strerror}" if isinstance(error, OSError) else str(error)
                    self._report(episode, key, f"{name} {said}", _ART)

    def texts(self, episode: Episode) -> None:
        if episode.transcript:
            self._text(episode, "transcript", episode.transcript, _wrong_transcript)
        if episode.notes and is_notes_file(episode.notes):
            self._text(episode, "notes", episode.notes, lambda _path, _text: "")

    def beside(self, episode: Episode) -> None:
        """Markers and transcripts of its recordings."""
        there = takes(self.project, episode)
        for section in episode.sections:
            if paths := there[section.slug]:
                self.found.problems += beside.wrong(self.project, section, paths[0])

    def folders(self) -> None:
        """Folders of recordings that belong to no episode."""
        known = {one.id for one in self.project.episodes}
        root = self.project.root / RECORDINGS
        for path in sorted(root.iterdir()) if root.is_dir() else ():
            if path.is_dir() and path.name not in known and not path.name.startswith("."):
                hint = did_you_mean(path.name, known) or "an episode's recordings are in a folder of its id"
                self.found.problems.append(Problem(Location(path), "there is no such episode", hint, severity="warning"))

    def _sound(self, episode: Episode, key: KeyPath, path: Path, label: str) -> None:
        if not self._first(episode, key, path):
            return
        try:
            if not path.is_file():
                raise SourceUnreadable(path, "a folder, or something else that is no file, has this name", "put the recording in its place")
            sources.check(path)
        except SourceUnreadable as error:
            shown = path.relative_to(self.project.root) if path.is_relative_to(self.project.root) else path
            self._report(episode, key, f"{label}: {shown.as_posix()}: {error.why}", error.hint)

    def _text(self, episode: Episode, key: str, name: str, wrong: Callable[[Path, str], str]) -> None:
        path = self.project.root / name
        try:
            text = path.read_bytes().decode("utf-8-sig")
            why = wrong(path, text) if text.strip() else "is empty"
        except OSError as error:
            why = f"cannot be read: {error.strerror}"
        except UnicodeDecodeError:
            why = "is not UTF-8"
        if why:
            self._report(episode, (key,), f"{key}: {name} {why}", _AGAIN)

    def _first(self, episode: Episode, key: KeyPath, path: Path) -> bool:
        """Whether this place names this file for the first time: what is handed down is looked at once."""
        asked = (self.project.where(episode.id, *key), path)
        if asked in self.said:
            return False
        self.said.add(asked)
        return True

    def _report(self, episode: Episode, key: KeyPath, message: str, hint: str, severity: str = "error") -> None:
        where = self.project.where(episode.id, *key) or Location(self.project.root)
        self.found.problems.append(Problem(where, message, hint, self.source_line(where), severity))


def _wrong_transcript(path: Path, text: str) -> str:
    """Why a text is not what the name of its file says, or nothing."""
    suffix = path.suffix.lower()
    if suffix == ".vtt" and not text.startswith("WEBVTT"):
        return "is no WebVTT: it does not begin with WEBVTT"
    if suffix == ".srt" and "-->" not in text:
        return "is no SRT: there is no time in it (00:00:01,000 --> 00:00:02,000)"
    if suffix == ".json":
        try:
            json.loads(text)
        except ValueError as error:
            return f"is no JSON: {error}"
    return ""


def _ranges(ids: Sequence[str]) -> str:
    """``episode-01 to episode-12, episode-14``: of ids in order, with numbers that follow each other put together."""
    runs: list[list[str]] = []
    for one in ids:
        if runs and int(one.rpartition("-")[2]) == int(runs[-1][-1].rpartition("-")[2]) + 1:
            runs[-1].append(one)
        else:
            runs.append([one])
    return ", ".join(f"{run[0]} to {run[-1]}" if len(run) > 2 else ", ".join(run) for run in runs)
