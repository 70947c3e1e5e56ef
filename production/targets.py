"""What a word on the command line means: an episode's id, the path of its YAML, a series, or everything."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from production import checked
from production.errors import ConfigError, Problem
from production.files import CONFIGS, project_root
from production.model import Episode, Location, Project, Series, Show

ALL = "all"


def choose(folder: Path, targets: Sequence[str]) -> tuple[Project, tuple[Episode, ...]]:
    """The project and the episodes meant, each once, in the order asked. Raises ConfigError: every problem of the configs, or of the words."""
    files = [path for target in targets if (path := _as_file(folder, target))]
    file = next(iter(files), None)
    root = folder
    if file and not (folder / CONFIGS).is_dir():
        root = project_root(file)
    found = checked.load(root, target=_to_load(root, files))
    project = found.project
    chosen: dict[str, Episode] = {}
    problems: list[Problem] = []
    for target in targets:
        meant = _meant(project, folder, target)
        if not meant:
            problems.append(_means_nothing(project, target))
        chosen |= {episode.id: episode for episode in meant}
    if problems:
        raise ConfigError(problems)
    found.keep()
    return project, tuple(chosen.values())


def choose_feeds(folder: Path, targets: Sequence[str]) -> tuple[Project, tuple[Series | Show, ...]]:
    """The project and the feeds meant: series, the show itself, or all of them. Raises ConfigError."""
    found = checked.load(folder)
    project = found.project
    feeds: tuple[Series | Show, ...] = (*project.series, project.show)
    known = {one.slug: one for one in feeds}
    problems = [Problem(Location(Path(word)), "is no feed", _feed_hint(word, list(known))) for word in targets if word != ALL and word not in known]
    if problems:
        raise ConfigError(problems)
    found.keep()
    return project, feeds if ALL in targets else tuple(one for one in feeds if one.slug in targets)


def _feed_hint(word: str, known: list[str]) -> str:
    from production.problems import did_you_mean

    return did_you_mean(word, [ALL, *known]) or f"feeds are {', '.join(known)}, or all"


def _means_nothing(project: Project, target: str) -> Problem:
    """A show or a series that was begun and has no episode yet is known all the same."""
    empty = {ALL: "the show", **{word: f"series {one.slug}" for one in project.series for word in (one.slug, f"{one.slug}.yaml", f"{one.slug}.yml")}}
    word = target if target == ALL else Path(target).name
    if word in empty:
        return Problem(Location(Path(target)), f"{empty[word]} has no episode yet", "begin one: produce new")
    return Problem(Location(Path(target)), "is no episode, series or config file", _hint(project, target))


def _hint(project: Project, target: str) -> str:
    from production.problems import did_you_mean

    slugs = [series.slug for series in project.series]
    known = [ALL, *(episode.id for episode in project.episodes), *slugs]
    return did_you_mean(target, known) or f"targets are an episode's id or file, a series ({', '.join(slugs)}), or all"


def _as_file(folder: Path, target: str) -> Path | None:
    if not target.endswith((".yaml", ".yml")):
        return None
    return next((path for path in (Path(target), folder / target) if path.exists()), Path(target))


def _to_load(root: Path, files: Sequence[Path]) -> Path | None:
    """The one file that is not loaded with the project anyhow: a draft that lies elsewhere, or an episode that may be missing."""
    configs = (root / CONFIGS).resolve()
    drafts = {path.resolve(): path for path in files if configs not in path.resolve().parents}
    if len(drafts) > 1:
        raise ConfigError(
            [Problem(Location(path), f"is a second file from outside {configs.name}/", "build one at a time") for path in drafts.values()][1:]
        )
    of_others = (configs, configs / "series")
    return next(iter(drafts.values()), None) or next((path for path in files if path.resolve().parent not in of_others), None)


def _of_the_show(project: Project) -> list[Path]:
    return [(project.root / CONFIGS / f"show{suffix}").resolve() for suffix in (".yaml", ".yml")]


def _meant(project: Project, folder: Path, target: str) -> list[Episode]:
    file = _as_file(folder, target)
    if target == ALL or (file and file.resolve() in _of_the_show(project)):
        return list(project.episodes)
    name = file.stem if file else target
    return [e for e in project.episodes if e.id == name] or [e for e in project.episodes if e.series == name]
