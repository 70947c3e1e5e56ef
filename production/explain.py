"""Every value of an episode as it will be used, and the place it comes from: its own file, its series, the show, or what is built in. Pure."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from production.model import Episode, KeyPath, Location, Project, Section
from production.problems import did_you_mean
from production.schema import rules

BUILTIN = "default"
FROM_ELSEWHERE: Mapping[str, str] = {
    "gap": "layout.gap",
    "crossfade": "layout.crossfade",
    "sting": "music.sting",
    "bed": "music.bed",
    "bed_level": "music.bed_level",
    "trim": "trim.enabled",
    "fade_in": "fades.fade_in",
    "fade_out": "fades.fade_out",
    **{key: f"voice.{key}" for key in ("chain", "high_pass", "denoise", "deess", "levelling", "compression", "gate")},
    "inside": "chapters.inside",
}
"""Keys of a section that leave to the episode what they do not say."""
_STEP = re.compile(r"(?:^|\.)([^.\[\]]+)|\[([0-9]+)\]")


@dataclass(frozen=True, slots=True)
class Explained:
    """A value. ``source`` is ``episode``, ``series``, ``show`` or ``default``; ``via`` is the key that said it, where that is another one.

    ``said`` is in words what no file and no default says: a recording's length, a gain that is measured.
    """

    key: str
    value: Any
    source: str
    where: Location | None
    via: str = ""
    said: str = ""


class UnknownKey(ValueError):
    """No key of an episode; ``hint`` says which was meant, perhaps."""

    def __init__(self, key: str, hint: str) -> None:
        self.hint = hint
        super().__init__(f"an episode has no key '{key}'")


def explained(project: Project, episode: Episode, recordings: Mapping[str, str | None]) -> tuple[Explained, ...]:
    """All values in the order of the model. ``recordings`` gives the file that was found for each section, or None."""
    return tuple(_Reader(project, episode, recordings).all())


def below(every: Sequence[Explained], key: str) -> tuple[Explained, ...]:
    """The values at a key and under it, as ``loudness.target``, ``loudness``, ``sections.cold-open.gap`` or ``sections[3]``, counted from 1.

    Raises UnknownKey.
    """
    wanted = _steps(key)
    slugs = list(dict.fromkeys(_steps(one.key)[1] for one in every if one.key.startswith("sections.")))
    if len(wanted) > 1 and wanted[0] == "sections" and wanted[1].isdecimal():
        number = int(wanted[1])
        if not 1 <= number <= len(slugs):
            raise UnknownKey(key, f"there are {len(slugs)} sections, and the first is sections[1]")
        wanted[1] = slugs[number - 1]
    found = tuple(one for one in every if _steps(one.key)[: len(wanted)] == wanted)
    if not wanted or not found:
        raise UnknownKey(key, _meant(every, key, wanted))
    return found


def as_json(one: Explained, project: Project) -> dict[str, Any]:
    """For programs: ``path``, ``line`` and ``column`` are null where nothing in a file says the value."""
    path = None if one.where is None else one.where.path
    if path is not None and path.is_relative_to(project.root):
        path = path.relative_to(project.root)
    return {
        "key": one.key,
        "value": _plain(one.value),
        "source": one.source,
        "via": one.via or None,
        "note": one.said or None,
        "path": None if path is None else path.as_posix(),
        "line": one.where.line if one.where else None,
        "column": one.where.column if one.where else None,
    }


def in_lines(every: Sequence[Explained], project: Project, width: int) -> Iterator[str]:
    """A table for people, as wide as ``width`` columns where the places leave room for the values."""
    rows = [(one.key, _shown(one), _place(one, project)) for one in every]
    keys = max(len(key) for key, _, _ in rows)
    places = max(len(place) for _, _, place in rows)
    room = max(20, width - keys - places - 4)
    values = min(room, max(len(value) for _, value, _ in rows))
    for key, value, place in rows:
        yield f"{key:{keys}}  {value if len(value) <= values else value[: values - 1] + '…':{values}}  {place}"


class _Reader:
    def __init__(self, project: Project, episode: Episode, recordings: Mapping[str, str | None]) -> None:
        self.project, self.episode, self.recordings = project, episode, recordings
        self.places, self.show = project.locations[episode.id], project.locations["show"]
        self.files = {self.show[()].path: "show", project.locations[episode.series][()].path: "series"}

    def all(self) -> Iterator[Explained]:
        show = self.project.show
        for name, key in _keys(Episode):
            value = getattr(self.episode, name)
            if name == "settings":
                for group, _ in _keys(type(value)):
                    yield from self._noun(getattr(value, group), (group,), group)
            elif name == "sections":
                for index, section in enumerate(value):
                    yield from self._section(section, index)
            elif name == "explicit" and value is None:
                yield self._placed(key, show.explicit, self.show, (key,))
            elif name == "persons" and (show.persons or value):
                # Who is in every episode is named before the guests.
                said = [(one, self.show, at) for at, one in enumerate(show.persons)] + [(one, self.places, at) for at, one in enumerate(value)]
                for number, (person, places, at) in enumerate(said, 1):
                    for inner, word in _keys(type(person)):
                        yield self._placed(f"{key}[{number}].{word}", getattr(person, inner), places, (key, at, word))
            elif name == "id":
                yield Explained(key, value, "episode", self.places.get(()), said="the name of its file")
            else:
                yield from self._value(value, (key,), key)

    def _noun(self, noun: Any, path: KeyPath, shown: str) -> Iterator[Explained]:
        for name, key in _keys(type(noun)):
            yield from self._value(getattr(noun, name), (*path, key), f"{shown}.{key}")

    def _value(self, value: Any, path: KeyPath, shown: str) -> Iterator[Explained]:
        if isinstance(value, tuple) and value and is_dataclass(value[0]):
            for index, one in enumerate(value):
                yield from self._noun(one, (*path, index), f"{shown}[{index + 1}]")
        elif path == ("music", "sting_level") and value is None:
            yield self._placed(shown, self.episode.settings.music.level, self.places, ("music", "level"), "music.level")
        else:
            yield self._placed(shown, value, self.places, path)

    def _section(self, section: Section, index: int) -> Iterator[Explained]:
        path: KeyPath = ("sections", index)
        for name, key in _keys(Section):
            value, shown, at = getattr(section, name), f"sections.{section.slug}.{key}", (*path, key)
            if value is not None or at in self.places:
                yield from self._value(value, at, shown)
            elif key == "sting" and index == 0:
                yield Explained(shown, "none", BUILTIN, None, said="the intro announces the first section")
            elif key in FROM_ELSEWHERE:
                group, _, other = FROM_ELSEWHERE[key].partition(".")
                handed = getattr(getattr(self.episode.settings, group), other)
                yield self._placed(shown, handed, self.places, (group, other), FROM_ELSEWHERE[key])
            elif key == "file":
                found = self.recordings[section.slug]
                yield Explained(shown, found, BUILTIN, None, said="found by its name" if found else "not recorded")
            else:
                yield Explained(shown, None, BUILTIN, None, said="as measured" if key == "gain" else "")

    def _placed(self, shown: str, value: Any, places: Mapping[KeyPath, Location], path: KeyPath, via: str = "") -> Explained:
        where = places.get(path)
        said = "as the recording needs it" if value is None and path[-1] == "high_pass" else ""
        return Explained(shown, value, BUILTIN if where is None else self.files.get(where.path, "episode"), where, via, said)


def _keys(noun: type) -> Iterator[tuple[str, str]]:
    """Each field of a noun, and the key that a file has for it."""
    return zip((one.name for one in fields(noun)), rules(noun), strict=True)


def _steps(key: str) -> list[str]:
    """``sections[3].gap`` as its parts; nothing for what is no key."""
    found = [first or second for first, second in _STEP.findall(key)]
    return found if _STEP.sub("", key) == "" else []


def _meant(every: Sequence[Explained], key: str, wanted: Sequence[str]) -> str:
    """The key that is nearest to one that is not there: right as far as it is right, and then the next word of it."""
    deep = 0
    known = [_steps(one.key) for one in every]
    while deep < len(wanted) and any(one[: deep + 1] == list(wanted[: deep + 1]) for one in known):
        deep += 1
    right = list(wanted[:deep])
    words = list(dict.fromkeys(one[deep] for one in known if one[:deep] == right and len(one) > deep))
    if near := did_you_mean(wanted[deep] if deep < len(wanted) else key, words):
        word = near.split("'")[1]
        return f"did you mean '{'.'.join([*right, word, *wanted[deep + 1 :]])}'?"
    last = wanted[-1] if wanted else key
    if fitting := [one.key for one in every if _steps(one.key)[-1] == last and not one.key.startswith("sections.")]:
        return f"did you mean '{fitting[0]}'?"
    return f"known keys{' there' if right else ''}: {', '.join(words)}" if words else "it holds no other keys"


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    return value.isoformat() if isinstance(value, dt.date) else value


def _shown(one: Explained) -> str:
    value = one.value
    if value is None:
        return one.said or "-"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return format(value, "g")
    if isinstance(value, tuple):
        return ", ".join(one.name if hasattr(one, "name") else str(one) for one in value) or "-"
    return " ".join(str(value).split())


def _place(one: Explained, project: Project) -> str:
    if one.where is None:
        return BUILTIN if not one.said or one.value is None else f"{BUILTIN}: {one.said}"
    path = one.where.path
    if path.is_relative_to(project.root):
        path = path.relative_to(project.root)
    via = f" ({one.via})" if one.via else ""
    return f"{path.as_posix()}:{one.where.line}:{one.where.column}{via}"
