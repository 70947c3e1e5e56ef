"""The config files of a project: which there are, and their bytes. What stands in them is not looked at here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from production.errors import ConfigError, Problem
from production.model import Location

CONFIGS = "configs"
MAX_BYTES = 4 * 1024 * 1024
"""Size of one file: a recording that was renamed to .yaml is not worth reading."""
TRANSCRIPTS = {
    ".vtt": "text/vtt",
    ".srt": "application/x-subrip",
    ".json": "application/json",
    ".html": "text/html",
    ".txt": "text/plain",
}
"""How the name of a transcript may end, and its MIME type."""
SPOKEN = (".vtt", ".srt", ".json")
"""How the name of a section's transcript may end: one that has times."""
MARKERS = (".txt", ".tsv", ".csv", ".json", ".xml", ".psc")
"""How the name of a file of markers may end."""
_SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class File:
    """A file as it was read: its first MAX_BYTES + 1 bytes, or why it could not be."""

    path: Path
    data: bytes = b""
    error: str = ""


@dataclass(frozen=True)
class Files:
    """Everything that a project is read from. One ``show`` is right; ``problems`` are of folders that could not be listed."""

    root: Path
    shows: tuple[File, ...]
    series: tuple[File, ...]
    episodes: tuple[File, ...]
    problems: tuple[Problem, ...] = ()


def read(path: Path) -> File:
    """A file's bytes, all from one moment: what is made of them may be kept under their digest."""
    try:
        with path.open("rb") as stream:
            return File(path, stream.read(MAX_BYTES + 1))
    except OSError as error:
        return File(path, error=error.strerror or str(error))


def find(root: Path, target: Path | None = None) -> Files:
    """Read the files under ``root/configs``.

    ``target`` is the file of one episode that may lie outside ``configs/episodes`` (a draft, say): it is read too, in the place of the
    episode of that name if there is one. Raises ConfigError when this is no project folder.
    """
    configs = root / CONFIGS
    if not configs.is_dir():
        raise ConfigError([Problem(Location(configs), f"no {CONFIGS}/ here", "use -C DIR to name the project folder")])
    problems: list[Problem] = []
    shows = [path for suffix in _SUFFIXES if (path := configs / f"show{suffix}").exists()]
    series = _listed(configs / "series", problems)
    episodes = _listed(configs / "episodes", problems)
    if target is not None and target.resolve() not in [path.resolve() for path in episodes]:
        episodes = sorted([*(path for path in episodes if path.stem != target.stem), target])
    return Files(root, tuple(map(read, shows)), tuple(map(read, series)), tuple(map(read, episodes)), tuple(problems))


def _listed(folder: Path, problems: list[Problem]) -> list[Path]:
    try:
        paths = sorted(folder.iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        problems.append(Problem(Location(folder), f"cannot be read: {error.strerror}"))
        return []
    # Hidden files are what editors leave behind: locks, swap files.
    return [path for path in paths if path.suffix in _SUFFIXES and not path.name.startswith(".")]


def is_notes_file(notes: str) -> bool:
    """Whether show notes are the name of a Markdown file, and not the notes themselves."""
    return "\n" not in notes.strip() and notes.strip().endswith(".md")


def project_root(target: Path) -> Path:
    """The project folder that a config file belongs to: the nearest folder above it that holds ``configs/``.

    Raises ConfigError when there is no such file or no such folder.
    """
    if not target.is_file():
        raise ConfigError([Problem(Location(target), "there is no such file", sibling_hint(target))])
    for folder in target.absolute().parents:
        if (folder / CONFIGS).is_dir():
            return folder
    raise ConfigError([Problem(Location(target), f"belongs to no project: no folder above it holds {CONFIGS}/", "use -C DIR")])


def sibling_hint(path: Path) -> str:
    """The file of nearly that name in the same folder, or what to do."""
    from production.problems import did_you_mean

    try:
        near = did_you_mean(path.name, (entry.name for entry in path.parent.iterdir()))
    except (OSError, ValueError):
        return "paths are relative to the project folder"
    return near or "paths are relative to the project folder"
