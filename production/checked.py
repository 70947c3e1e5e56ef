"""What the configs say, kept from when they were last checked: while no byte of them changes, no YAML is read and pydantic is not loaded.

What is kept goes by a digest of everything that it was made from: the names and bytes of all config files, the code that understands them, the
libraries it uses. So it is right or it is not used; nothing about it can be out of date. Only a project without a mistake is kept, and whether
the files that its configs name are still there is asked each time.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

from production import files, model
from production.errors import StoreError
from production.files import Files
from production.model import KeyPath, Location, Project
from production.store import FOLDER, digest, digest_bytes, write
from production.versions import version

NAME = "configs.json"
CODE = ("checked", "config", "errors", "files", "kinds", "model", "problems", "schema", "sizes", "yamlsource")
"""The modules of this package that have a say in what comes of a config."""
LIBRARIES = ("pydantic", "pydantic-core", "pyyaml")

_NOUNS = {name: noun for name, noun in vars(model).items() if is_dataclass(noun)}
# Marks of what JSON has no form for. With blanks, so that no key of a noun looks like one.
_NOUN, _DAY = "is a", "is the day"


@dataclass(frozen=True)
class Checked:
    """A project, and the text to keep of it; none when it is kept already."""

    project: Project
    text: bytes = b""

    def keep(self) -> None:
        """Remember it for the next run. A disk that does not let us is no matter here: whoever has something to build will say so."""
        if self.text:
            with contextlib.suppress(OSError, StoreError):
                write(self.project.root / FOLDER / NAME, self.text)


def load(root: Path, *, target: Path | None = None) -> Checked:
    """The project under ``root``; ``target`` as `files.find` says. Raises ConfigError with every problem of all files."""
    found = files.find(root, target)
    key = _key(found)
    kept = _kept(found, key)
    if kept is not None:
        return Checked(kept)
    from production import config

    loaded = config.load(found)
    body = _text(loaded.project, loaded.named, found)
    return Checked(loaded.project, f"{key} {digest_bytes(body)}\n".encode() + body)


def _key(found: Files) -> str:
    here = Path(__file__)
    code = [digest_bytes(here.with_name(f"{name}.py").read_bytes()) for name in CODE]
    said = [[[file.path.name, digest_bytes(file.data), file.error] for file in group] for group in (found.shows, found.series, found.episodes)]
    return digest("configs", code, sys.version, [version(name) for name in LIBRARIES], said, len(found.problems))


def _kept(found: Files, key: str) -> Project | None:
    try:
        head, _, body = (found.root / FOLDER / NAME).read_bytes().partition(b"\n")
    except OSError:
        return None
    if head.decode("ascii", "replace") != f"{key} {digest_bytes(body)}":
        return None
    said = json.loads(body, object_hook=_revived)
    if not all(os.path.isfile(os.path.join(found.root, name)) for name in said["named"]):
        return None
    return Project(found.root, said["show"], tuple(said["series"]), tuple(said["episodes"]), _Locations(said["locations"], _paths(found)))


def _text(project: Project, named: Sequence[str], found: Files) -> bytes:
    number = {path: number for number, path in enumerate(_paths(found))}
    locations = {
        # As text, so that only what is asked for is taken apart.
        name: json.dumps([[key, number[at.path], at.line, at.column] for key, at in places.items()], separators=(",", ":"))
        for name, places in project.locations.items()
    }
    said = {"show": project.show, "series": project.series, "episodes": project.episodes, "named": named, "locations": locations}
    return json.dumps(said, default=_plain, separators=(",", ":")).encode()


def _paths(found: Files) -> list[Path]:
    return [file.path for group in (found.shows, found.series, found.episodes) for file in group]


def _plain(value: Any) -> dict[str, Any]:
    if isinstance(value, dt.date):
        return {_DAY: value.isoformat()}
    return {_NOUN: type(value).__name__, **{one.name: getattr(value, one.name) for one in fields(value)}}


def _revived(found: dict[str, Any]) -> Any:
    if _DAY in found:
        return dt.date.fromisoformat(found[_DAY])
    noun: Any = _NOUNS.get(found.pop(_NOUN, ""))
    return noun(**{name: _frozen(value) for name, value in found.items()}) if noun else found


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


class _Locations(Mapping[str, Mapping[KeyPath, Location]]):
    """The places of a project, taken apart when they are asked for."""

    def __init__(self, written: dict[str, str], paths: list[Path]) -> None:
        self._written, self._paths = written, paths
        self._read: dict[str, dict[KeyPath, Location]] = {}

    def __getitem__(self, name: str) -> Mapping[KeyPath, Location]:
        if name not in self._read:
            said = json.loads(self._written[name])
            self._read[name] = {tuple(key): Location(self._paths[number], line, column) for key, number, line, column in said}
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._written)

    def __len__(self) -> int:
        return len(self._written)
