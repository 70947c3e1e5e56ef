"""The whole of it on an episode of a minute."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import main
from benchmarks.contenders import measured
from benchmarks.measure import Failed
from tests.conftest import ROOT


@pytest.mark.process
@pytest.mark.slow
def test_a_short_run_measures_the_yardstick_and_us_side_by_side(tmp_path: Path) -> None:
    figures, work = tmp_path / "results.json", tmp_path / "work"
    words = ["--minutes", "1", "--rounds", "1", "--only", "a,e-full,e-noop", "--work", str(work), "--results", str(figures), "--date", "2026-04-07"]
    done = subprocess.run([sys.executable, "-m", "benchmarks", *words], cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    text = figures.read_text("utf-8")
    assert str(tmp_path) not in text
    found = json.loads(text)
    rows = {row["key"]: row for row in found["rows"]}
    assert list(rows) == ["a", "e-full", "e-noop"]
    assert rows["a"]["figures"]["ratio"]["median"] == 1
    wall = {key: row["figures"]["wall_s"]["median"] for key, row in rows.items()}
    assert 0 < wall["e-noop"] < wall["e-full"]
    assert rows["e-full"]["figures"]["ratio"]["median"] == pytest.approx(wall["e-full"] / wall["a"], rel=0.01)
    assert rows["e-noop"]["runs"][0]["said"] == "episode-14: nothing to do"
    assert found["date"] == "2026-04-07"
    assert found["material"]["programme_s"] > 60
    # The last row began with a finished build, and left it as it was.
    built = work / "show" / "build" / "episode-14"
    assert (built / "episode-14.mp3").stat().st_size > found["material"]["programme_s"] * 15_500
    assert json.loads((built / "report.json").read_text("utf-8"))["audio"]["duration_s"] == pytest.approx(found["material"]["programme_s"], abs=0.001)
    assert "produce: everything, from nothing" in done.stdout


@pytest.mark.parametrize(
    "words", [["--only", "z"], ["--minutes", "0"], ["--rounds", "0"], ["--fit-hours", "1,2"], ["--hours", "1", "--minutes", "1"]]
)
def test_what_cannot_be_asked_is_refused_before_anything_is_made(words: list[str], tmp_path: Path) -> None:
    try:
        code = main([*words, "--work", str(tmp_path / "work"), "--results", str(tmp_path / "results.json")])
    except SystemExit as error:
        code = int(error.code or 0)
    assert code == 2
    assert not (tmp_path / "work" / "show").exists()
    assert not (tmp_path / "results.json").exists()


def test_what_loudnorm_says_becomes_options_of_its_second_pass() -> None:
    said = """[Parsed_loudnorm_8 @ 0x55] \n{\n\t"input_i" : "-22.31",\n\t"input_tp" : "-3.01",\n\t"input_lra" : "6.20",
\t"input_thresh" : "-32.60",\n\t"output_i" : "-16.02",\n\t"normalization_type" : "dynamic",\n\t"target_offset" : "0.02"\n}\n"""
    assert measured(said) == "measured_I=-22.31:measured_TP=-3.01:measured_LRA=6.20:measured_thresh=-32.60:offset=0.02"
    with pytest.raises(Failed, match="did not say"):
        measured("nothing of it")
