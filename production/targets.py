"""What a word on the command line means: an episode's id, the path of its YAML, a series, or everything."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from production.config import load_project, project_root
from production.errors import ConfigError, Problem
from production.model import Episode, Location, Project
from production.problems import did_you_mean

ALL = "all"


def choose(folder: Path, targets: Sequence[str]) -> tuple[Project, tuple[Episode, ...]]:
    """The project and the episodes meant, each once, in the order asked. Raises ConfigError: every problem of the configs, or of the words."""
    files = [path for target in targets if (path := _as_file(folder, target))]
    file = next(iter(files), None)
    root = folder
    if file and not (folder / "configs").is_dir():
        root = project_root(file)
    project = load_project(root, target=_to_load(root, files))
    chosen: dict[str, Episode] = {}
    problems: list[Problem] = []
    for target in targets:
        found = _meant(project, folder, target)
        if not found:
            known = [ALL, *(e.id for e in project.episodes), *(s.slug for s in project.series)]
            hint = (
                did_you_mean(target, known) or f"targets are an episode's id or file, a series ({', '.join(s.slug for s in project.series)}), or all"
            )
            problems.append(Problem(Location(Path(target)), "is no episode, series or config file", hint))
        chosen |= {episode.id: episode for episode in found}
    if problems:
        raise ConfigError(problems)
    return project, tuple(chosen.values())


def _as_file(folder: Path, target: str) -> Path | None:
    if not target.endswith((".yaml", ".yml")):
        return None
    return next((path for path in (Path(target), folder / target) if path.exists()), Path(target))


def _to_load(root: Path, files: Sequence[Path]) -> Path | None:
    """The one file that is not loaded with the project anyhow: a draft that lies elsewhere, or an episode that may be missing."""
    configs = (root / "configs").resolve()
    drafts = {path.resolve(): path for path in files if configs not in path.resolve().parents}
    if len(drafts) > 1:
        raise ConfigError(
            [Problem(Location(path), f"is a second file from outside {configs.name}/", "build one at a time") for path in drafts.values()][1:]
        )
    return next(iter(drafts.values()), None) or next((path for path in files if path.resolve().parent != configs / "series"), None)


def _meant(project: Project, folder: Path, target: str) -> list[Episode]:
    if target == ALL:
        return list(project.episodes)
    file = _as_file(folder, target)
    name = file.stem if file else target
    return [e for e in project.episodes if e.id == name] or [e for e in project.episodes if e.series == name]
