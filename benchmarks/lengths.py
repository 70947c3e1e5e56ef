"""How a build grows: episodes of several lengths, and several episodes with one command."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks import material, results
from benchmarks.contenders import Bench
from benchmarks.material import EPISODE, ROOT, MaterialError


def seconds_of(project: Path, episode: str = EPISODE) -> float:
    """How long a built episode is."""
    report = json.loads((project / "build" / episode / "report.json").read_text("utf-8"))
    return float(report["audio"]["duration_s"])


def fit(bench: Bench, hours: Sequence[float]) -> dict[str, Any]:
    """Build an episode of each length from nothing, and put a line through the times. Raises Failed, MaterialError."""
    points: list[dict[str, Any]] = []
    project = bench.work / "length"
    for wanted in sorted(hours):
        material.project(project, replace(bench.material, seconds=wanted * 3600), bench.say)
        shutil.rmtree(project / "build", ignore_errors=True)
        meter = bench.meter()
        bench.produce(meter, project, EPISODE)
        figures = meter.figures()
        points.append({"hours": round(seconds_of(project) / 3600, 5), **figures.as_json()})
        bench.say(f"{wanted:g} h: {results.duration(figures.wall_s)}, {results.megabytes(figures.memory_mb)}")
        shutil.rmtree(project)
    return {"points": points, "line": results.line([(one["hours"], one["wall_s"]) for one in points])}


def season(bench: Bench, count: int, minutes: float) -> dict[str, Any]:
    """Build the first ``count`` episodes of the show, each ``minutes`` long, with one command. Raises Failed, MaterialError."""
    episodes = tuple(path.stem for path in sorted((ROOT / "configs" / "episodes").glob("*.yaml")))[:count]
    if len(episodes) < count:
        raise MaterialError(f"the show has no more than {len(episodes)} episodes")
    project = bench.work / "season"
    material.project(project, replace(bench.material, seconds=minutes * 60, episodes=episodes), bench.say)
    shutil.rmtree(project / "build", ignore_errors=True)
    meter = bench.meter()
    bench.produce(meter, project, "all")
    figures = meter.figures()
    mean = sum(seconds_of(project, episode) for episode in episodes) / count
    bench.say(f"{count} episodes: {results.duration(figures.wall_s)}, the cores busy for {figures.busy:.0%} of it")
    return {"episodes": count, "episode_s": round(mean, 3), **figures.as_json()}
