"""What is said about a recording besides its sound: the markers and the transcript that lie beside it or in it, and which stretches are cut out of
it.

Files beside a recording have its name: ``alpha.wav`` has ``alpha.txt`` (Audacity's labels), ``alpha.csv`` (Reaper's or Audition's),
``alpha.chapters.json`` or ``alpha.psc.xml``, and ``alpha.vtt``, ``alpha.srt`` or ``alpha.json``. A label called ``cut``, or ``cut: ...``, that is a
stretch is a cut and no marker.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from audio import cues, embedded, markers
from audio.cues import Cue, Word
from audio.editmap import Stretch
from audio.errors import TextUnreadable
from audio.marker import MOST_BYTES, Marker
from audio.units import Samples, samples_from_seconds
from production.errors import ConfigError, Problem
from production.model import Episode, Location, Project, Section
from production.store import Store, digest, digest_bytes

EMBEDDED, NONE = "embedded", "none"
_ID3 = 1
"""Raised when the same tag gives other markers."""
_CUT = "cut"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Removal:
    """A stretch that is cut out of a recording, and where that is said."""

    start: Samples
    end: Samples
    where: Location | None

    @property
    def stretch(self) -> Stretch:
        return self.start, self.end


@dataclass(frozen=True, slots=True)
class Beside:
    """Markers by time and cues, in the recording's own time; and what is cut out of it, by time. ``source`` names where the markers are from, for
    people.
    """

    markers: tuple[Marker, ...] = ()
    source: str = ""
    cues: tuple[Cue, ...] = ()
    transcript: str = ""
    cuts: tuple[Removal, ...] = ()

    @property
    def stretches(self) -> tuple[Stretch, ...]:
        return tuple(one.stretch for one in self.cuts)


NOTHING = Beside()


def beside(project: Project, episode: Episode, index: int, recording: Path, store: Store) -> Beside:
    """What is said about the recording of an episode's section. Raises ConfigError with the place of what cannot be read, or cuts twice."""
    section = episode.sections[index]
    rate, inside = _inside(recording, store) if section.markers != NONE else (None, ())
    source, found = _marked(project, section.markers, recording, rate, inside)
    spoken = _transcript(project, section.transcript, recording)
    heard = _read(spoken, lambda data: _cues(spoken, data, store), "" if section.transcript else "transcript") if spoken else ()
    said = [
        Removal(samples_from_seconds(start), samples_from_seconds(end), project.where(episode.id, "sections", index, "cut", number))
        for number, (start, end) in enumerate(section.cut)
    ]
    labelled = [
        Removal(one.start, one.end, Location(source or recording, one.line, 1 if one.line else 0)) for one in found if one.end and _is_cut(one)
    ]
    cuts = sorted((*said, *labelled), key=lambda one: (one.start, one.end))
    _refuse_overlaps(project, cuts)
    kept = sorted((one for one in found if not (one.end and _is_cut(one))), key=lambda one: one.start)
    return Beside(tuple(kept), (source.name if source else EMBEDDED) if kept else "", heard, spoken.name if spoken and heard else "", tuple(cuts))


def wrong(project: Project, section: Section, recording: Path) -> Iterator[Problem]:
    """What cannot be read of the texts that are taken along with a recording, which itself is not looked into."""
    spoken = _transcript(project, section.transcript, recording)
    for look in (
        lambda: _marked(project, section.markers, recording, None, ()),
        lambda: spoken and _read(spoken, lambda data: cues.read(spoken.name, data), "" if section.transcript else "transcript"),
    ):
        try:
            look()
        except ConfigError as error:
            yield from error.problems


def _is_cut(marker: Marker) -> bool:
    head, colon, _ = marker.title.partition(":")
    return head.strip().casefold() == _CUT and (bool(colon) or head.strip() == marker.title)


def _refuse_overlaps(project: Project, cuts: list[Removal]) -> None:
    last: Removal | None = None
    problems = []
    for one in cuts:
        if last is not None and one.start < last.end:
            where = one.where or Location(project.root)
            hint = f"the other is {_shown(project, last.where)}" if last.where else ""
            problems.append(Problem(where, "cut: overlaps with another cut of this recording", hint, _line(where)))
        last = one if last is None or one.end > last.end else last
    if problems:
        raise ConfigError(problems)


def _shown(project: Project, where: Location) -> str:
    path = where.path.relative_to(project.root) if where.path.is_relative_to(project.root) else where.path
    return f"{path.as_posix()}:{where.line}"


# -- markers -------------------------------------------------------------------------------------------------------------------------


def _inside(recording: Path, store: Store) -> tuple[int | None, tuple[Marker, ...]]:
    """The rate of a WAV, and the markers in a recording. One that cannot be read has none: who measures it says so."""
    if not recording.is_file():
        # A pipe would be waited for, and nothing would ever come.
        return None, ()
    try:
        rate, found = embedded.wav(recording)
        raw = b"" if rate else embedded.tag(recording)
    except OSError:
        return None, ()
    if not raw:
        return rate, found
    key = digest("chapters of a tag", _ID3, digest_bytes(raw))
    kept = store.value(key)
    if kept is None:
        # Kept, because to load what reads tags takes longer than all else that a run does which finds nothing to do.
        kept = [[one.title, one.start, one.link] for one in embedded.chapters(raw)]
        store.put_value(key, kept)
    return None, tuple(Marker(title, start, None, link) for title, start, link in kept)


def _marked(
    project: Project, said: str | None, recording: Path, rate: int | None, inside: tuple[Marker, ...]
) -> tuple[Path | None, tuple[Marker, ...]]:
    """The file that holds a recording's markers, None for the recording itself, and the markers."""
    if said in (EMBEDDED, NONE):
        return None, inside
    path = project.root / said if said else next(_files_of_markers(recording), None)
    if path is None:
        return None, inside
    return path, _read(path, lambda data: markers.read(path.name, data, rate), "" if said else "markers")


def _files_of_markers(recording: Path) -> Iterator[Path]:
    for suffix in markers.SUFFIXES:
        path = recording.with_name(f"{recording.stem}{suffix}")
        # A .txt may as well be somebody's notes.
        if path.is_file() and (suffix != markers.LABELS or _begins_with_a_label(path)):
            yield path


def _begins_with_a_label(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            # As much as is certain to hold a whole line; a character that is cut in two at its end is none of the first line.
            return markers.looks_like_labels(file.read(4096).rpartition(b"\n")[0] or path.read_bytes()[:4096])
    except OSError:
        return False


# -- transcripts ---------------------------------------------------------------------------------------------------------------------


def _transcript(project: Project, said: str | None, recording: Path) -> Path | None:
    if said == NONE:
        return None
    if said:
        return project.root / said
    paths = (recording.with_name(f"{recording.stem}{suffix}") for suffix in cues.SUFFIXES)
    return next((path for path in paths if path.is_file()), None)


def _cues(path: Path, data: bytes, store: Store) -> tuple[Cue, ...]:
    """The cues of a transcript, or what they were when it was last read: hours of speech take a moment. Raises TextUnreadable."""
    key = digest("cues", cues.RECIPE, path.suffix.lower(), digest_bytes(data))
    kept = store.value(key)
    if kept is None:
        found = cues.read(path.name, data)
        store.put_value(key, [[one.start, one.end, one.text, one.speaker, [[w.text, w.start, w.end] for w in one.words]] for one in found])
        return found
    return tuple(Cue(start, end, text, speaker, tuple(Word(*word) for word in words)) for start, end, text, speaker, words in kept)


def _read(path: Path, read: Callable[[bytes], T], key: str) -> T:
    """What ``read`` makes of a file. Raises ConfigError with the place in it that cannot be read; ``key`` is what
    says that a file that was only found is not meant.
    """
    try:
        with path.open("rb") as file:
            return read(file.read(max(MOST_BYTES, cues.MOST_BYTES) + 1))
    except OSError as error:
        raise ConfigError([Problem(Location(path), f"cannot be read: {error.strerror or error}")]) from error
    except TextUnreadable as error:
        where = Location(path, error.line, error.column)
        other = f"if it is something else, say {key}: none in its section" if key else ""
        raise ConfigError([Problem(where, error.why, "; ".join(filter(None, (error.hint, other))), _line(where))]) from error


def _line(where: Location) -> str | None:
    """The line of a text that a place is in."""
    try:
        return where.path.read_text("utf-8", "replace").splitlines()[where.line - 1] if where.line else None
    except (OSError, IndexError):
        return None
