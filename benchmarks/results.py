"""What was measured: medians, a line through points, and all of it as JSON and as a Markdown table. Pure but for what the machine is asked."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from audio import ffmpeg
from benchmarks.measure import cores

Results = dict[str, Any]
Row = dict[str, Any]

BEGIN, END = "<!-- benchmarks -->", "<!-- /benchmarks -->"
_QUIET = 0.1
"""The share of the cores that may be busy with something else before the results say so."""
FIGURES = ("wall_s", "cpu_s", "busy", "memory_mb", "disk_mb", "left_mb", "elsewhere", "ratio")


# -- figures ---------------------------------------------------------------------------------------------------------------------


def summarised(runs: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """Median, least and most of each figure that every run has."""
    found = {}
    for name in FIGURES:
        values = [run[name] for run in runs if run.get(name) is not None]
        if values and len(values) == len(runs):
            found[name] = {"median": round(statistics.median(values), 4), "min": min(values), "max": max(values)}
    return found


def line(points: Sequence[tuple[float, float]]) -> dict[str, float]:
    """The line of least squares through (hours, seconds): slope, seconds at zero, R², and the largest residual in seconds and of its own value."""
    x, y = np.array(points, dtype="f8").T
    slope, start = np.polyfit(x, y, 1)
    residuals = y - (slope * x + start)
    spread = float(((y - y.mean()) ** 2).sum())
    worst = int(np.abs(residuals).argmax())
    return {
        "s_per_hour": round(float(slope), 3),
        "s_at_zero": round(float(start), 3),
        "r2": round(1 - float((residuals**2).sum()) / spread, 6) if spread else 1.0,
        "largest_residual_s": round(float(residuals[worst]), 3),
        "largest_residual_share": round(float(residuals[worst] / y[worst]), 5),
    }


def machine() -> dict[str, Any]:
    """What it was measured on, without a name or a place."""
    return {
        "system": platform.system(),
        "cores": cores(),
        "cpu": _cpu(),
        "memory_gb": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9, 1),
        "ffmpeg": ffmpeg.version_number(ffmpeg.version(ffmpeg.find())),
        "python": platform.python_version(),
    }


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((words.partition(":")[2].strip() for words in lines if words.startswith("model name")), platform.machine())


# -- words -----------------------------------------------------------------------------------------------------------------------


def duration(seconds: float) -> str:
    """``0.21 s``, ``12.3 s``, ``5:12 min``, ``1:05:12 h``."""
    if seconds < 59.95:
        return f"{seconds:.2f} s" if seconds < 9.995 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02} h" if hours else f"{minutes}:{rest:02} min"


def megabytes(value: float | None) -> str:
    if value is None:
        return "not known"
    if value < 0.95:
        return "under 1 MB"
    return f"{value / 1000:.1f} GB" if value >= 999.5 else f"{value:.0f} MB"


def times(ratio: float) -> str:
    """A ratio with as many digits as mean something."""
    return f"{ratio:.2f}" if ratio >= 0.0995 else f"{ratio:.3f}" if ratio >= 0.00995 else f"{ratio:.4f}"


def why_not(row: Row) -> str:
    """Why a row has no figures, or nothing."""
    return str(row.get("missing") or row.get("failed") or "")


def conditions(results: Results) -> str:
    """What was measured, where and how often, in one sentence or two."""
    at, made, rounds = results["machine"], results["material"], results["rounds"]
    date = f" on {results['date']}" if results.get("date") else ""
    often = f"{rounds['all']} rounds" if rounds["all"] > 1 else "one round"
    others = max((row["figures"]["elsewhere"]["max"] for row in results["rows"] if "elsewhere" in row["figures"]), default=0.0)
    disturbed = f" Other programs had up to {others:.0%} of the cores meanwhile." if others > _QUIET else ""
    slow = "" if rounds["slow"] >= rounds["all"] else f" (b, c, d: {'one' if rounds['slow'] == 1 else rounds['slow']})"
    return (
        f"Measured{date} with {at['cores']} cores ({at['cpu']}), ffmpeg {at['ffmpeg']} and Python {at['python']}: an episode of "
        f"{duration(made['programme_s'])} from {made['sections']} recordings of {made['speech']}. "
        f"Medians of {often}{slow}, one contender after the other; ratios are to the yardstick of the same round.{disturbed}"
    )


def table(results: Results) -> str:
    """The Markdown of all results."""
    lines = [conditions(results), "", "| | wall | to the yardstick | CPU | peak memory | disk, at most |", "|---|--:|--:|--:|--:|--:|"]
    lines += [_line(row) for row in results["rows"]]
    if any(row["figures"] and "memory_mb" not in row["figures"] for row in results["rows"]):
        lines += ["", "This system has no /proc, so nobody says what memory a tree of processes takes."]
    for section in (_fit, _season):
        words = section(results)
        lines += ["", words] if words else []
    return "\n".join(lines)


def _line(row: Row) -> str:
    label = f"**{row['name']}**" if row["ours"] else f"{row['key']}: {row['name']}"
    figures = row["figures"]
    if not figures:
        return f"| {label} | {why_not(row)} | | | | |"
    ratio = figures.get("ratio")
    if ratio is None:
        compared = ""
    elif row["key"] == "a":
        compared = "1"
    else:
        spread = f" ({times(ratio['min'])} to {times(ratio['max'])})" if len(row["runs"]) > 1 else ""
        compared = f"{times(ratio['median'])}{spread}"
    memory = figures.get("memory_mb", {}).get("median")
    cells = [duration(figures["wall_s"]["median"]), compared, duration(figures["cpu_s"]["median"]), megabytes(memory)]
    return f"| {' | '.join([label, *cells, megabytes(figures['disk_mb']['median'])])} |"


def _fit(results: Results) -> str:
    fit = results.get("fit")
    if not fit:
        return ""
    points = "; ".join(f"{one['hours']:.2f} h in {duration(one['wall_s'])} with {megabytes(one['memory_mb'])}" for one in fit["points"])
    found = fit["line"]
    return (
        f"Full builds by length: {points}. The line through them: {found['s_per_hour']:.1f} s for each hour and {found['s_at_zero']:.1f} s, "
        f"R² {found['r2']:.5f}, no point further from it than {abs(found['largest_residual_s']):.1f} s ({abs(found['largest_residual_share']):.1%})."
    )


def _season(results: Results) -> str:
    season = results.get("season")
    if not season:
        return ""
    return (
        f"`produce all`, {season['episodes']} episodes of {duration(season['episode_s'])}: {duration(season['wall_s'])}, "
        f"the cores busy for {season['busy']:.0%} of it, {megabytes(season['memory_mb'])}."
    )


def placed(readme: str, words: str) -> str:
    """The README with ``words`` between its markers; as it was when it has none."""
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    return f"{before}{begin}\n{words}\n{end}{after}" if begin and end else readme
