"""Measure `produce` next to other ways to make the same episode: ``python -m benchmarks``, and ``python -m benchmarks --render`` for the README.

It makes its own material, about 4 GB for each hour of the episode, in a folder that is removed afterwards (or stays, with ``--work``).
Progress goes to stderr, the table to stdout, the figures to results.json after every run.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from audio.errors import FfmpegMissing
from benchmarks import chart, lengths, results
from benchmarks.contenders import YARDSTICK, Bench, Contender, Missing
from benchmarks.material import ROOT, Material, MaterialError
from benchmarks.measure import Failed
from benchmarks.results import Results, Row
from production.store import write

RESULTS = ROOT / "benchmarks" / "results.json"
_GB_PER_HOUR, _GB_PER_HOUR_OF_FIT = 4.0, 0.8
"""Room on the disk: for all contenders together, and for a project that is only built."""


def say(words: str) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {words}", file=sys.stderr, flush=True)


def _keys(text: str) -> list[str]:
    return [key.strip() for key in text.split(",") if key.strip()]


def _hours(text: str) -> list[float]:
    found = [float(word) for word in text.split(",")]
    if len(found) < 3 or min(found) <= 0:
        raise ValueError(text)
    return found


def parser() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser("python -m benchmarks", description="Measure produce next to other ways to make the same episode.")
    length = found.add_mutually_exclusive_group()
    length.add_argument("--hours", type=float, default=3.0, help="length of the episode (3)")
    length.add_argument("--minutes", type=float, help="the same in minutes")
    found.add_argument("--rounds", type=int, default=3, help="how often the yardstick and produce are measured (3)")
    found.add_argument("--slow-rounds", type=int, default=1, help="how often the others are (1)")
    found.add_argument("--only", type=_keys, help="rows to measure, as in a,b,e-full; the yardstick always is")
    found.add_argument("--fit", action="store_true", help="also build episodes of several lengths, and put a line through them")
    found.add_argument("--fit-hours", type=_hours, default=[1.0, 3.0, 10.0], help="their lengths, three or more (1,3,10)")
    found.add_argument("--season", type=int, default=0, metavar="N", help="also build N shorter episodes with one command")
    found.add_argument("--season-minutes", type=float, default=20.0, help="their length (20)")
    found.add_argument("--speech", type=Path, help="a folder of recordings to loop, instead of synthesised voices")
    found.add_argument("--work", type=Path, help="where to work; the material stays there for the next time")
    found.add_argument("--date", help="the day, for the results; left out when it is not given")
    found.add_argument("--results", type=Path, default=RESULTS, help="the figures (benchmarks/results.json)")
    found.add_argument(
        "--render", action="store_true", help="measure nothing: put the table into the README, if it has the markers, and draw the chart"
    )
    found.add_argument("--readme", type=Path, default=ROOT / "README.md")
    found.add_argument("--chart", type=Path, default=ROOT / "docs" / "benchmarks.png")
    return found


def main(arguments: Sequence[str]) -> int:
    """Give 0, 1 when something of ours failed, 2 for what cannot be asked, 4 when ffmpeg is missing, 130 when interrupted."""
    asked = parser().parse_args(arguments)
    if asked.render:
        return render(asked)
    try:
        if asked.work:
            asked.work.mkdir(parents=True, exist_ok=True)
            return measure(asked, asked.work.resolve())
        with tempfile.TemporaryDirectory(prefix="produce-benchmarks-") as folder:
            return measure(asked, Path(folder).resolve())
    except FfmpegMissing as error:
        say(f"error: {error}")
        return 4
    except (MaterialError, Failed) as error:
        say("\n".join((f"error: {error}", *getattr(error, "said", ()))))
        return 1
    except KeyboardInterrupt:
        say("interrupted")
        return 130


def render(asked: argparse.Namespace) -> int:
    try:
        found: Results = json.loads(asked.results.read_text("utf-8"))
    except (OSError, ValueError) as error:
        say(f"error: {asked.results.name} cannot be read: {error}")
        return 2
    write(asked.chart, chart.draw(found))
    if asked.readme.is_file():
        text = asked.readme.read_text("utf-8")
        written = write(asked.readme, results.placed(text, results.table(found)).encode())
        say(f"{asked.readme.name}: {'renewed' if written else 'nothing changed' if results.BEGIN in text else 'it has no markers'}")
    say(f"{asked.chart.name}: drawn")
    return 0


def measure(asked: argparse.Namespace, work: Path) -> int:
    seconds = asked.minutes * 60 if asked.minutes is not None else asked.hours * 3600
    wanted = Material(seconds, speech=asked.speech.resolve() if asked.speech else None)
    bench = Bench(work, wanted, say)
    known = {contender.key: contender for contender in bench.contenders()}
    keys = list(known) if asked.only is None else [key for key in known if key == YARDSTICK or key in asked.only]
    strangers = set(asked.only or ()) - set(known)
    if strangers or seconds <= 0 or asked.rounds < 1 or asked.slow_rounds < 0 or asked.season < 0 or asked.season_minutes <= 0:
        say(f"error: rows are {', '.join(known)}; lengths and rounds are more than nothing")
        return 2
    needed = seconds / 3600 * _GB_PER_HOUR + (max(asked.fit_hours) * _GB_PER_HOUR_OF_FIT if asked.fit else 0)
    free = shutil.disk_usage(work).free / 1e9
    if free < needed:
        say(f"error: about {needed:.0f} GB are needed and {free:.0f} GB are free; name another folder with --work")
        return 2
    bench.prepare(keys)
    found = _begun(asked, bench, [known[key] for key in keys])
    _rounds(asked, bench, [known[key] for key in keys], found)
    if asked.fit:
        found["fit"] = lengths.fit(bench, asked.fit_hours)
        _save(asked, found)
    if asked.season:
        found["season"] = lengths.season(bench, asked.season, asked.season_minutes)
        _save(asked, found)
    print(results.table(found))
    return int(any(row["ours"] and results.why_not(row) for row in found["rows"]))


def _begun(asked: argparse.Namespace, bench: Bench, chosen: Sequence[Contender]) -> Results:
    found: Results = {
        "machine": results.machine(),
        "material": bench.described(),
        "rounds": {"all": asked.rounds, "slow": asked.slow_rounds},
        "rows": [{"key": one.key, "name": one.name, "ours": one.ours, "runs": [], "figures": {}} for one in chosen],
    }
    return {"date": asked.date, **found} if asked.date else found


def _rounds(asked: argparse.Namespace, bench: Bench, chosen: Sequence[Contender], found: Results) -> None:
    """Measure everybody in turn, and that as often as was asked; what failed once is not tried again. Raises Failed for the yardstick."""
    rows: dict[str, Row] = {row["key"]: row for row in found["rows"]}
    for number in range(1, asked.rounds + 1):
        yardstick = 0.0
        for contender in chosen:
            row = rows[contender.key]
            if results.why_not(row) or (contender.slow and number > asked.slow_rounds):
                continue
            where = f"round {number} of {asked.rounds}  {contender.name}"
            try:
                figures, said = bench.measure(contender)
            except (Missing, Failed) as error:
                if contender.key == YARDSTICK:
                    raise
                row["missing" if isinstance(error, Missing) else "failed"] = str(error)
                row["figures"] = {}
                say("\n".join((f"{where}: {error}", *getattr(error, "said", ()))))
            else:
                yardstick = yardstick or figures.wall_s
                ratio = round(figures.wall_s / yardstick, 5)
                row["runs"].append({"round": number, **figures.as_json(), "ratio": ratio, **({"said": said} if said else {})})
                row["figures"] = results.summarised(row["runs"])
                say(f"{where}: {results.duration(figures.wall_s)}, {results.times(ratio)} of the yardstick")
            _save(asked, found)


def _save(asked: argparse.Namespace, found: Results) -> None:
    write(asked.results, (json.dumps(found, ensure_ascii=False, indent=1) + "\n").encode())


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    # Whoever is being measured is ended with us, and the folder is cleared away.
    signal.signal(signal.SIGTERM, _interrupt)
    sys.exit(main(sys.argv[1:]))
