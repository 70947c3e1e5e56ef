"""The config files of a project -> a Project, or every problem of all files at once.

    configs/show.yaml                    the keys of Show; ``defaults:`` holds groups of Settings
    configs/series/<slug>.yaml           the keys of Series; ``defaults:`` likewise
    configs/episodes/episode-NN.yaml     the keys of Episode, and the groups of Settings at the top level

Settings are handed down key by key: show, then series, then episode. A group is checked in the file that holds it, even where every
key of it is overridden later. ``.yml`` does as well as ``.yaml``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

from production.errors import ConfigError, Problem
from production.files import CONFIGS, MARKERS, SPOKEN, TRANSCRIPTS, Files, find, is_notes_file, sibling_hint
from production.model import Episode, KeyPath, Location, Project, Series, Settings, Show
from production.problems import did_you_mean
from production.schema import Rule, Sheet, check, made, mapping_of, read_sheet, rules
from production.yamlsource import read_file, shown

_STEM = re.compile(r"episode-([0-9]{2,6})")
_A_NUMBER = re.compile(r"[0-9]{1,6}")
_SETTINGS = rules(Settings)
_DEFAULTS = {"defaults": mapping_of(_SETTINGS, "defaults")}
RULES: Mapping[str, Mapping[str, Rule]] = {
    "show": {**rules(Show), **_DEFAULTS},
    "series": {**{key: rule for key, rule in rules(Series).items() if key != "settings"}, **_DEFAULTS},
    "episode": {**{key: rule for key, rule in rules(Episode).items() if key not in ("id", "settings")}, **_SETTINGS},
}
"""What the three kinds of files may hold, by the word that messages call them."""

_GROUPS_ON_TOP = f"write its groups at the top level: {', '.join(_SETTINGS)}"
_ELSEWHERE = {
    **{(label, group): "it belongs under 'defaults'" for label in ("show", "series") for group in _SETTINGS},
    ("episode", "id"): "the id of an episode is the name of its file",
    ("episode", "settings"): _GROUPS_ON_TOP,
    ("episode", "defaults"): _GROUPS_ON_TOP,
    ("section", "start"): "did you mean 'in'?",
    ("section", "end"): "did you mean 'out'?",
}

_FILES = ("file", "image")
_MUSIC = ("intro", "outro", "sting")
_MUSIC_WORDS = ("builtin", "none")
_BED_WORDS = ("none",)
_MARKER_WORDS = ("embedded", "none")
_TRANSCRIPT_WORDS = ("none",)


# -- loading -------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Loaded:
    """A project without a mistake. ``named`` are the files that its configs name, as they name them: they were there."""

    project: Project
    named: tuple[str, ...]


def load(files: Files) -> Loaded:
    """Check everything that was read. Raises ConfigError with every problem of all files, sorted by path and line."""
    return _Loader(files).load()


def load_project(root: Path, *, target: Path | None = None) -> Project:
    """`load` of everything under ``root/configs``, and of ``target`` as `files.find` says."""
    return load(find(root, target)).project


class _Loader:
    def __init__(self, files: Files) -> None:
        self.root = files.root
        self.problems = list(files.problems)
        self.show = self._show(files)
        self.series = [read_sheet(read_file(file), RULES["series"], "series", elsewhere=_ELSEWHERE) for file in files.series]
        self.episodes = [read_sheet(read_file(file), RULES["episode"], "episode", elsewhere=_ELSEWHERE) for file in files.episodes]
        self._looked_for: dict[str, str] = {}

    def load(self) -> Loaded:
        show = self._check_show()
        series = [self._check_series(sheet) for sheet in self.series]
        episodes = [self._check_episode(sheet) for sheet in self.episodes]
        self._check_each_other()
        for sheet in self._sheets():
            self._check_files(sheet)
        problems = [*self.problems, *(problem for sheet in self._sheets() for problem in sheet.problems)]
        if problems or show is None:
            raise ConfigError(sorted(problems, key=lambda p: (str(p.location.path), p.location.line, p.location.column)))
        project = Project(
            root=self.root,
            show=show,
            series=tuple(sorted((one for one in series if one), key=lambda one: one.season)),
            episodes=tuple(sorted((one for one in episodes if one), key=lambda one: one.number)),
            locations=self._locations(),
        )
        return Loaded(project, tuple(self._looked_for))

    def _sheets(self) -> Iterator[Sheet]:
        if self.show:
            yield self.show
        yield from self.series
        yield from self.episodes

    def _show(self, files: Files) -> Sheet | None:
        if not files.shows:
            missing = Location(self.root / CONFIGS / "show.yaml")
            self.problems.append(Problem(missing, "there is no such file", "use -C DIR to name the project folder"))
            return None
        first, *others = files.shows
        for extra in others:
            self.problems.append(Problem(Location(extra.path), f"there is a {first.path.name} too", "keep one of them"))
        return read_sheet(read_file(first), RULES["show"], "show", elsewhere=_ELSEWHERE)

    # each file by itself

    def _check_show(self) -> Show | None:
        if self.show is None:
            return None
        check(self.show, Settings, _mapping(self.show.values.get("defaults")), ("defaults",))
        return check(self.show, Show, _without(self.show.values, _DEFAULTS))

    def _check_series(self, sheet: Sheet) -> Series | None:
        check(sheet, Settings, _mapping(sheet.values.get("defaults")), ("defaults",))
        model = check(sheet, Series, _without(sheet.values, _DEFAULTS))
        stem = sheet.document.path.stem
        slug = sheet.get("slug")
        if slug is not None and slug != stem:
            hint = f"write {stem}, or rename the file to {slug}.yaml"
            sheet.report(("slug",), f"slug: is {shown(slug)}, but the file is {sheet.document.path.name}", hint)
        elif slug == "show" or (slug is not None and _STEM.fullmatch(slug)):
            sheet.report(("slug",), f"slug: {shown(slug)} is the name of something else", "choose another name for the series")
        if sheet.get("episodes") is not None and not _numbers(sheet):
            sheet.report(("episodes",), f"episodes: {sheet.get('episodes')} holds no number", "write the first and the last, as 1-12")
        return None if model is None else replace(model, settings=made(Settings, self._handed_down(self._parents(sheet))))

    def _check_episode(self, sheet: Sheet) -> Episode | None:
        path = sheet.document.path
        check(sheet, Settings, _only(sheet.values, _SETTINGS))
        # The id is not in the file: a stand-in keeps pydantic quiet about it, its own check follows.
        model = check(sheet, Episode, {**_without(sheet.values, _SETTINGS), "id": "episode"})
        named = _STEM.fullmatch(path.stem)
        number = sheet.get("number")
        if not named:
            wanted = f"episode-{number:02d}" if number is not None else "episode-NN"
            self.problems.append(Problem(Location(path), "the name of an episode's file is episode-NN", f"rename it to {wanted}.yaml"))
        elif number is not None and path.stem != f"episode-{number:02d}":
            hint = f"write {int(named[1])}, or rename the file to episode-{number:02d}.yaml"
            sheet.report(sheet.where("number"), f"number: is {number}, but the file is {path.name}", hint)
        self._check_sections(sheet)
        transcript = sheet.get("transcript")
        if transcript is not None and not str(transcript).strip().lower().endswith(tuple(TRANSCRIPTS)):
            sheet.report(("transcript",), f"transcript: {shown(transcript)} is no transcript", f"name a file that ends in {', '.join(TRANSCRIPTS)}")
        if model is None:
            return None
        return replace(model, id=path.stem, settings=made(Settings, self._handed_down(self._lineage(sheet))))

    def _check_sections(self, sheet: Sheet) -> None:
        first_at: dict[str, Location] = {}
        for index in range(len(sheet.get("sections") or ())):
            key = ("sections", index)
            slug = sheet.get(*key, "slug")
            if slug in first_at:
                hint = f"the first is in line {first_at[slug].line}"
                sheet.report((*key, "slug"), f"slug: there is a section {shown(slug)} already", hint)
            elif slug is not None:
                first_at[slug] = sheet.where(*key, "slug")
            start, end = sheet.get(*key, "in") or 0.0, sheet.get(*key, "out")
            if end is not None and end <= start:
                after = f" after in: {sheet.raw[(*key, 'in')]}" if start else ""
                sheet.report((*key, "out"), f"out: {sheet.raw[(*key, 'out')]} leaves nothing{after}", "out comes after in")
            self._check_tracks(sheet, key)
            under, until = sheet.get(*key, "bed_from") or 0.0, sheet.get(*key, "bed_to")
            if until is not None and until <= under:
                sheet.report((*key, "bed_to"), f"bed_to: {sheet.raw[(*key, 'bed_to')]} leaves nothing of the bed", "bed_to comes after bed_from")

            self._check_cuts(sheet, key)
            for name, words, endings in (("markers", _MARKER_WORDS, MARKERS), ("transcript", _TRANSCRIPT_WORDS, SPOKEN)):
                said = str(sheet.get(*key, name) or words[0]).strip()
                if said not in words and not said.lower().endswith(endings):
                    hint = did_you_mean(said, words) or f"name a file that ends in {', '.join(endings)}, or write {' or '.join(words)}"
                    sheet.report((*key, name), f"{name}: {shown(said)} is no such file", hint)

    def _check_tracks(self, sheet: Sheet, section: KeyPath) -> None:
        tracks = sheet.get(*section, "tracks")
        if not tracks:
            return
        if sheet.get(*section, "file"):
            sheet.report((*section, "tracks"), "tracks: the section names a file, too", "keep one of them")
        elif len(tracks) == 1:
            sheet.report((*section, "tracks"), "tracks: there is one only", "name a recording with 'file:', or add the other speakers' tracks")
        first_at: dict[str, Location] = {}
        for index in range(len(tracks)):
            key = (*section, "tracks", index)
            name = sheet.get(*key, "file")
            if name in first_at:
                sheet.report((*key, "file"), f"file: {shown(name)} is a track already", f"the first is in line {first_at[name].line}")
            elif name is not None:
                first_at[name] = sheet.where(*key, "file")
            said = [word for word in ("offset", "drift", "apart") if sheet.get(*key, word) is not None]
            if index == 0 and said:
                sheet.report(
                    (*key, said[0]), f"{said[0]}: the first track is the clock of the others", "say it of another track, or put that one first"
                )
            elif "drift" in said and "offset" not in said and not sheet.has_broken((*key, "offset")):
                sheet.report((*key, "drift"), "drift: goes with an offset", "say offset, too, or leave both to be found")

    def _check_cuts(self, sheet: Sheet, key: KeyPath) -> None:
        """Each cut is two times, the second later, and none overlaps with another: they are said in any order."""
        sound: list[tuple[float, float, KeyPath]] = []
        for index, pair in enumerate(sheet.get(*key, "cut") or ()):
            at = (*key, "cut", index)
            if sheet.has_broken(at) or any((*at, side) in sheet.broken for side in range(len(pair or ()))):
                continue
            if len(pair) != 2:
                sheet.report(at, f"cut, item {index + 1}: is not two times", "write [from, to]")
            elif pair[0] < 0 or pair[1] <= pair[0]:
                sheet.report(at, f"cut, item {index + 1}: cuts nothing out", "write [from, to], the later one second")
            else:
                sound.append((pair[0], pair[1], at))
        for before, after in pairwise(sorted(sound, key=lambda one: one[:2])):
            if after[0] < before[1]:
                hint = f"the other is in line {sheet.where(*before[2]).line}"
                sheet.report(after[2], f"cut, item {int(after[2][-1]) + 1}: overlaps with item {int(before[2][-1]) + 1}", hint)

    # the files against each other

    def _check_each_other(self) -> None:
        if self.show is not None:
            for sheet in self.series:
                self._same(self.show, sheet, "slug", "{} is the show's own, whose feed has that name")
        for first, second in combinations(self.series, 2):
            self._same(first, second, "slug", "there is a series {} already")
            self._same(first, second, "season", "season {} is taken")
            mine, other = _numbers(second), _numbers(first)
            if mine and other and mine[0] <= other[-1] and other[0] <= mine[-1]:
                words = f"episodes: {second.get('episodes')} overlaps with {first.get('episodes')} of series {shown(_slug(first))}"
                second.report(second.where("episodes"), words, f"the other is {_at(first.where('episodes'), self.root)}")
        first_with: dict[int, Sheet] = {}
        for sheet in self.episodes:
            number = sheet.get("number")
            if number in first_with:
                self._same(first_with[number], sheet, "number", "there is an episode {} already")
            elif number is not None:
                first_with[number] = sheet
            self._check_series_of(sheet)

    def _same(self, first: Sheet, second: Sheet, key: str, words: str) -> None:
        value = first.get(key)
        if value is not None and value == second.get(key):
            shown_value = shown(value) if isinstance(value, str) else str(value)
            second.report(second.where(key), f"{key}: {words.format(shown_value)}", f"the first is {_at(first.where(key), self.root)}")

    def _check_series_of(self, sheet: Sheet) -> None:
        wanted, number = sheet.get("series"), sheet.get("number")
        if wanted is None:
            return
        owner = self._series_sheet(sheet)
        if owner is None:
            known = sorted(_slug(one) for one in self.series)
            others = f"known series: {', '.join(known)}" if known else f"there is no file in {CONFIGS}/series"
            sheet.report(("series",), f"series: there is no series {shown(wanted)}", did_you_mean(wanted, known) or others)
            return
        holds = _numbers(owner)
        if number is None or not holds or number in holds:
            return
        fitting = [_slug(one) for one in self.series if number in (_numbers(one) or ())]
        hint = f"{number} is in series {shown(fitting[0])}" if fitting else f"its numbers are in {_at(owner.where('episodes'), self.root)}"
        sheet.report(sheet.where("series"), f"series: {shown(wanted)} holds {owner.get('episodes')}, not {number}", hint)

    def _series_sheet(self, episode: Sheet) -> Sheet | None:
        wanted = episode.get("series")
        # A series whose slug is broken is known by its file: one mistake is not to be reported 35 times.
        return next((sheet for sheet in self.series if wanted in (sheet.get("slug"), sheet.document.path.stem)), None)

    # files that the configs name

    def _check_files(self, sheet: Sheet) -> None:
        for path, words in _named_files(sheet):
            name = str(sheet.get(*path) or "").strip()
            if not name or name in words or sheet.has_broken(path):
                continue
            found = self._look_for(name)
            if found == "folder":
                sheet.report(path, f"{path[-1]}: {shown(name)} is a folder", "name a file in it")
            elif not found:
                hint = did_you_mean(name, words) or sibling_hint(self.root / name)
                sheet.report(path, f"{path[-1]}: there is no file {shown(name)}", hint)

    def _look_for(self, name: str) -> str:
        """``file``, ``folder`` or nothing."""
        if name not in self._looked_for:
            full = os.path.join(self.root, name)
            # os.path answers False where Path raises: names too long, or with characters that no file name holds.
            self._looked_for[name] = "file" if os.path.isfile(full) else "folder" if os.path.isdir(full) else ""
        return self._looked_for[name]

    # settings from show, series and episode

    def _lineage(self, episode: Sheet) -> Iterator[tuple[Sheet, KeyPath]]:
        """The sheets an episode inherits from, most general first, each with the key its groups stand under; the episode last."""
        yield from self._parents(self._series_sheet(episode))
        yield episode, ()

    def _parents(self, series: Sheet | None) -> Iterator[tuple[Sheet, KeyPath]]:
        for sheet in (self.show, series):
            if sheet is not None:
                yield sheet, ("defaults",)

    def _handed_down(self, lineage: Iterable[tuple[Sheet, KeyPath]]) -> dict[str, dict[str, Any]]:
        merged: dict[str, dict[str, Any]] = {}
        for sheet, prefix in lineage:
            groups = _mapping(sheet.get(*prefix)) if prefix else sheet.values
            for group in _SETTINGS:
                # Broken values are left out: they have been reported where they stand, and nothing is built from them.
                kept = {key: value for key, value in _mapping(groups.get(group)).items() if not sheet.has_broken((*prefix, group, key))}
                merged.setdefault(group, {}).update(kept)
        return merged

    def _locations(self) -> dict[str, dict[KeyPath, Location]]:
        found = {_slug(sheet): {(): sheet.start, **sheet.places} for sheet in self.series}
        if self.show is not None:
            found["show"] = {(): self.show.start, **self.show.places}
        return found | {sheet.document.path.stem: self._episode_locations(sheet) for sheet in self.episodes}

    def _episode_locations(self, episode: Sheet) -> dict[KeyPath, Location]:
        found: dict[KeyPath, Location] = {(): episode.start}
        for source, prefix in self._lineage(episode):
            for path, place in source.places.items():
                key = path[len(prefix) :]
                if path[: len(prefix)] == prefix and key and (not prefix or key[0] in _SETTINGS):
                    found[key] = place
                    if key[0] in _SETTINGS:
                        # The model has the groups under `settings`, the file at its top level: both are answered.
                        found["settings", *key] = place
        return found


# -- small things --------------------------------------------------------------------------------------------------------------


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _without(values: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key not in set(keys)}


def _only(values: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    return {key: values[key] for key in keys if key in values}


def _slug(series: Sheet) -> str:
    return str(series.get("slug") or series.document.path.stem)


def _numbers(series: Sheet) -> range | None:
    """The numbers a series holds; empty when the range runs backwards, None when it was not given or is broken."""
    text = series.get("episodes")
    if text is None:
        return None
    first, _, last = text.partition("-")
    if not (_A_NUMBER.fullmatch(first) and _A_NUMBER.fullmatch(last)):
        return range(0)
    return range(int(first), int(last) + 1)


def _at(location: Location, root: Path) -> str:
    path = location.path.relative_to(root) if location.path.is_relative_to(root) else location.path
    return f"{path.as_posix()}:{location.line}"


def _named_files(sheet: Sheet) -> Iterator[tuple[KeyPath, tuple[str, ...]]]:
    """The key paths of a sheet that may name a file, each with the words that are no file there."""
    prefix: KeyPath = () if sheet.label == "episode" else ("defaults",)
    yield (*prefix, "artwork", "file"), ()
    for key in _MUSIC:
        yield (*prefix, "music", key), _MUSIC_WORDS
    yield (*prefix, "music", "bed"), _BED_WORDS
    if sheet.label == "episode":
        yield ("transcript",), ()
        if is_notes_file(str(sheet.get("notes") or "")):
            yield ("notes",), ()
    for index in range(len(sheet.get("sections") or ())):
        for key in _FILES:
            yield ("sections", index, key), ()
        for track in range(len(sheet.get("sections", index, "tracks") or ())):
            yield ("sections", index, "tracks", track, "file"), ()
        yield ("sections", index, "sting"), _MUSIC_WORDS
        yield ("sections", index, "bed"), _BED_WORDS
        yield ("sections", index, "markers"), _MARKER_WORDS
        yield ("sections", index, "transcript"), _TRANSCRIPT_WORDS
