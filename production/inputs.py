"""Which file each segment of an episode is made from: recordings found by name, music, stings, and scratch narration for what is missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from audio.chain import PLAIN, Wishes
from audio.editmap import after_cuts
from audio.measure import Cut
from audio.timeline import SegmentKind
from audio.units import Samples, samples_from_seconds
from production.beside import NOTHING, Beside, beside
from production.errors import ConfigError, Problem
from production.model import Episode, Location, Project, Section
from production.recordings import RECORDINGS, in_folder, recording
from production.store import Store, digest


@dataclass(frozen=True, slots=True)
class Track:
    """One speaker's recording, where the config names it, and what it says of it: see `model.Track`."""

    name: str
    path: Path
    where: Location | None
    gain: float | None = None
    offset: float | None = None
    drift: float | None = None
    apart: float | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """Tracks that are mixed, the first of which is the clock: what is wished for each, and by how many dB it is turned down while others speak."""

    tracks: tuple[Track, ...]
    wishes: Wishes
    gate: float


@dataclass(frozen=True, slots=True)
class Input:
    """One segment and the file it is made from. ``label`` names the file for people, ``where`` the place in the config that asks for it.

    A ``session`` is mixed of several files, of which ``path`` is the first; cut and wishes are for the mix.
    """

    name: str
    kind: SegmentKind
    path: Path
    label: str
    where: Location | None
    cut: Cut
    gap: Samples
    scratch: bool = False
    section: Section | None = None
    wishes: Wishes = PLAIN
    denoise: str = "off"
    session: Session | None = None
    beside: Beside = NOTHING
    """What is said about the recording. ``cut`` is in its time after these cuts, and everything that is found in it too."""


def inputs(project: Project, episode: Episode, store: Store, *, scratch: bool) -> tuple[Input, ...]:
    """The segments of an episode in programme order, and after them the beds that play under sections (kind "bed").

    Missing recordings are spoken when ``scratch`` is set; otherwise ConfigError names every one of them. It names, too, what cannot be read of the
    files beside recordings.
    """
    sessions = {section.slug: tracks(project, episode, section) for section in episode.sections}
    found = {slug: session[0].path if session else None for slug, session in sessions.items()}
    found |= {section.slug: recording(project, episode, section) for section in episode.sections if not sessions[section.slug]}
    missing = [section for section in episode.sections if found[section.slug] is None]
    if missing and not scratch:
        raise ConfigError(_missing(project, episode, section) for section in missing)
    said = _said(project, episode, store, found)
    layout, music = episode.settings.layout, episode.settings.music
    gap = samples_from_seconds(layout.gap)
    listed: list[Input] = []
    if music.intro != "none":
        listed.append(_music(project, episode, store, "intro", music.intro, "music:intro", Samples(0)))
    for index, section in enumerate(episode.sections):
        # Nothing stands before the first segment: the file begins with it.
        before = Samples(0) if not listed else samples_from_seconds(section.gap) if section.gap is not None else gap
        # The first section is announced by the intro, or by nothing: a sting goes before it only when it asks for one itself.
        sting = section.sting or ("none" if index == 0 else music.sting)
        if sting != "none":
            listed.append(_music(project, episode, store, "sting", sting, f"sting:{section.slug}", before))
            before = samples_from_seconds(layout.sting_lead)
        beside = said.get(section.slug, NOTHING)
        listed.append(_section(project, episode, store, index, found[section.slug], sessions[section.slug], before, beside))
    if music.outro != "none":
        listed.append(_music(project, episode, store, "outro", music.outro, "music:outro", gap))
    return (*listed, *_beds(project, episode))


def _said(project: Project, episode: Episode, store: Store, found: Mapping[str, Path | None]) -> dict[str, Beside]:
    problems: list[Problem] = []
    said: dict[str, Beside] = {}
    for index, section in enumerate(episode.sections):
        if (path := found[section.slug]) is not None:
            try:
                said[section.slug] = beside(project, episode, index, path, store)
            except ConfigError as error:
                problems += error.problems
    if problems:
        raise ConfigError(problems)
    return said


def _beds(project: Project, episode: Episode) -> Iterator[Input]:
    for index, section in enumerate(episode.sections):
        bed = section.bed or episode.settings.music.bed
        if bed != "none":
            where = project.where(episode.id, *(("sections", index, "bed") if section.bed else ("music", "bed")))
            path = project.root / bed
            yield Input(f"bed:{section.slug}", "bed", path, path.name, where, Cut(trim=False), Samples(0), section=section)


def wishes(episode: Episode, section: Section) -> Wishes:
    """What is wished for a section: its own words, or the episode's."""
    voice = episode.settings.voice

    def said(name: str) -> Any:
        own = getattr(section, name)
        return getattr(voice, name) if own is None else own

    names = ("chain", "high_pass", "deess", "levelling", "compression")
    return Wishes(repair=voice.repair, gain=section.gain, **{name: said(name) for name in names})


def tracks(project: Project, episode: Episode, section: Section) -> tuple[Track, ...]:
    """The tracks that the config names, else the audio files in ``recordings/<episode>/<slug>/`` by name, if there are two or more; the first one is
    the clock. None where there is a recording of the whole section.
    """
    index = episode.sections.index(section)
    if section.tracks:
        return tuple(
            Track(
                one.name or Path(one.file).stem,
                project.root / one.file,
                project.where(episode.id, "sections", index, "tracks", at, "file"),
                one.gain,
                one.offset,
                one.drift,
                one.apart,
            )
            for at, one in enumerate(section.tracks)
        )
    files = in_folder(project, episode, section)
    if section.file or len(files) < 2 or recording(project, episode, section) not in files:
        return ()
    where = project.where(episode.id, "sections", index, "slug")
    return tuple(Track(path.stem, path, where) for path in files)


def _missing(project: Project, episode: Episode, section: Section) -> Problem:
    index = episode.sections.index(section)
    where = project.where(episode.id, "sections", index, "slug") or Location(project.root)
    wanted = (
        section.file
        or f"{RECORDINGS}/{episode.id}/{section.slug}.wav (or .flac, .mp3, .m4a, ..., or a folder {section.slug}/ with a track for each speaker)"
    )
    hint = f"record it, or name a file with 'file:', or build a placeholder with: produce {episode.id} --scratch"
    return Problem(where, f"section '{section.slug}': the recording is missing: {wanted}", hint, source_line(where))


def source_line(where: Location) -> str | None:
    """The line of the config that a place is in."""
    try:
        return where.path.read_text("utf-8", "replace").splitlines()[where.line - 1]
    except (OSError, IndexError):
        return None


def _section(
    project: Project, episode: Episode, store: Store, index: int, path: Path | None, session: tuple[Track, ...], gap: Samples, said: Beside
) -> Input:
    section, settings = episode.sections[index], episode.settings
    where = project.where(episode.id, "sections", index, "file" if section.file else "slug")
    trim = settings.trim.enabled if section.trim is None else section.trim
    air = samples_from_seconds(settings.trim.air)
    if path is None:
        spoken = _narration(episode, section, index, store)
        cut = Cut(trim=True, air=air)
        return Input(section.slug, "section", spoken, "scratch narration", where, cut, gap, True, section, wishes(episode, section))
    cuts = said.stretches
    end = None if section.end is None else after_cuts(samples_from_seconds(section.end), cuts)
    cut = Cut(after_cuts(samples_from_seconds(section.start), cuts), end, trim, air)
    denoise = settings.voice.denoise if section.denoise is None else section.denoise
    asked = wishes(episode, section)
    if not session:
        return Input(section.slug, "section", path, path.name, where, cut, gap, False, section, asked, denoise, beside=said)
    gate = settings.voice.gate if section.gate is None else section.gate
    mixed = Session(session, replace(asked, gain=None), gate)
    # What each track was rid of, the mix is not asked to be rid of again.
    whole = replace(asked, deess=0.0, high_pass=None if asked.high_pass is None else 0.0)
    label = " + ".join(track.path.name for track in session)
    return Input(section.slug, "section", path, label, session[0].where, cut, gap, False, section, whole, denoise, mixed, said)


def _narration(episode: Episode, section: Section, index: int, store: Store) -> Path:
    from audio import voice

    place = (index + 1, len(episode.sections))
    text = voice.narration(section.title, section.summary, section.talking_points, number_of=place, opening=index == 0)
    return store.file(digest("voice", voice.voice_version(), text), ".wav", lambda path: voice.speak(text, path))


def _music(project: Project, episode: Episode, store: Store, kind: SegmentKind, what: str, name: str, gap: Samples) -> Input:
    where = project.where(episode.id, "music", kind)
    if what == "builtin":
        from audio import jingle

        assert kind in ("intro", "outro", "sting")
        path = store.file(digest("jingle", jingle.RECIPE_VERSION, kind), ".wav", lambda path: jingle.write(kind, path))
        label = f"builtin {kind}"
    else:
        path = project.root / what
        label = path.name
    return Input(name, kind, path, label, where, Cut(trim=False), gap)
