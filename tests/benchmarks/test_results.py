"""What is made of figures: medians, a line, a table, a picture."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from benchmarks import __main__ as command
from benchmarks import chart, results
from production.artwork import palette


def run(wall: float, ratio: float, **more: Any) -> dict[str, Any]:
    return {
        "wall_s": wall,
        "cpu_s": wall * 1.5,
        "busy": 0.75,
        "memory_mb": 250.0,
        "disk_mb": 70.0,
        "left_mb": 20.0,
        "elsewhere": 0.02,
        "ratio": ratio,
        **more,
    }


def row(key: str, name: str, *runs: dict[str, Any], ours: bool = False, **more: Any) -> dict[str, Any]:
    return {"key": key, "name": name, "ours": ours, "runs": list(runs), "figures": results.summarised(runs) if runs else {}, **more}


@pytest.fixture
def found() -> dict[str, Any]:
    return {
        "machine": {"system": "Linux", "cores": 2, "cpu": "A CPU", "memory_gb": 8.0, "ffmpeg": "5.1", "python": "3.11.7"},
        "material": {"speech": "synthesised speech, looped", "programme_s": 10_984.2, "sections": 7, "forms": []},
        "rounds": {"all": 3, "slow": 1},
        "rows": [
            row("a", "one encode", run(100.0, 1.0), run(120.0, 1.0), run(101.0, 1.0)),
            row("b", "a script", failed="exit code 1: struct.error"),
            row("c", "a graph", run(620.0, 6.2)),
            row("e-full", "produce: everything", run(250.0, 2.5), run(230.0, 1.92), run(240.0, 2.38), ours=True),
            row("e-noop", "produce: nothing", run(0.2, 0.002), run(0.22, 0.0018), run(0.21, 0.0021), ours=True),
        ],
    }


# -- figures ---------------------------------------------------------------------------------------------------------------------


def test_the_median_is_the_middle_run_and_not_the_mean() -> None:
    found = results.summarised([run(1.0, 0.1), run(100.0, 9.0), run(2.0, 0.2)])
    assert found["wall_s"] == {"median": 2.0, "min": 1.0, "max": 100.0}
    assert found["ratio"] == {"median": 0.2, "min": 0.1, "max": 9.0}
    assert results.summarised([run(1.0, 0.1), run(2.0, 0.3)])["ratio"]["median"] == 0.2


def test_a_figure_that_a_system_does_not_give_is_left_out() -> None:
    assert "memory_mb" not in results.summarised([run(1.0, 0.1, memory_mb=None), run(2.0, 0.2, memory_mb=None)])


def test_points_on_a_line_give_that_line() -> None:
    assert results.line([(1.0, 95.0), (3.0, 265.0), (10.0, 860.0)]) == {
        "s_per_hour": 85.0,
        "s_at_zero": 10.0,
        "r2": 1.0,
        "largest_residual_s": pytest.approx(0.0, abs=1e-3),
        "largest_residual_share": pytest.approx(0.0, abs=1e-4),
    }


def test_a_point_off_the_line_is_what_the_residual_says() -> None:
    x = np.array([1.0, 2.0, 3.0, 4.0])
    y = 10 * x + np.array([1.0, -3.0, 3.0, -1.0])
    found = results.line(list(zip(x.tolist(), y.tolist(), strict=True)))
    # The residuals are at right angles to a constant and to x: the line stays what it was.
    assert found["s_per_hour"] == pytest.approx(10, abs=0.2)
    assert abs(found["largest_residual_s"]) == pytest.approx(3, abs=0.2)
    assert found["r2"] == pytest.approx(1 - 20 / (500 + 20), abs=0.01)


# -- words -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2134, "0.21 s"), (9.994, "9.99 s"), (12.34, "12.3 s"), (59.94, "59.9 s"), (59.96, "1:00 min"), (312.4, "5:12 min"), (10984.2, "3:03:04 h")],
)
def test_a_duration_reads_as_people_say_it(seconds: float, words: str) -> None:
    assert results.duration(seconds) == words


def test_the_table_has_a_line_for_each_row_with_its_figures_or_the_reason_why_not(found: dict[str, Any]) -> None:
    lines = results.table(found).splitlines()
    body = [line for line in lines if line.startswith("|")][2:]
    assert len(body) == 5
    assert {line.count("|") for line in body} == {7}
    assert "| a: one encode | 1:41 min | 1 |" in body[0]
    assert "exit code 1: struct.error" in body[1]
    assert "| 6.20 |" in body[2]
    assert "| **produce: everything** | 4:00 min | 2.38 (1.92 to 2.50) | 6:00 min | 250 MB | 70 MB |" in body
    assert "0.0020 (0.0018 to 0.0021)" in body[4]
    assert "an episode of 3:03:04 h from 7 recordings of synthesised speech" in lines[0]
    assert "Medians of 3 rounds (b, c, d: one)" in lines[0]


def test_the_table_says_what_else_ran_and_what_the_system_does_not_say(found: dict[str, Any]) -> None:
    assert "Other programs" not in results.table(found)
    assert "/proc" not in results.table(found)
    found["rows"][3] = row("e-full", "produce: everything", run(250.0, 2.5, elsewhere=0.4, memory_mb=None), ours=True)
    assert "Other programs had up to 40% of the cores meanwhile." in results.table(found)
    assert "This system has no /proc" in results.table(found)


def test_the_table_goes_between_the_markers_and_nowhere_else() -> None:
    text = f"before\n{results.BEGIN}\nold\n{results.END}\nafter\n"
    once = results.placed(text, "new")
    assert once == f"before\n{results.BEGIN}\nnew\n{results.END}\nafter\n"
    assert results.placed(once, "new") == once
    for unmarked in ("no markers\n", f"only {results.BEGIN} one\n", ""):
        assert results.placed(unmarked, "new") == unmarked


# -- the picture -----------------------------------------------------------------------------------------------------------------


def test_the_picture_has_bars_as_long_as_the_ratios(found: dict[str, Any]) -> None:
    picture = Image.open(io.BytesIO(chart.draw(found)))
    assert (picture.format, picture.width) == ("PNG", chart.WIDTH)
    picture.load()
    pixels = np.asarray(picture.convert("RGBA")).astype(int)[:, :, :3]
    spark = np.array(palette("#4a1f5c").spark)
    bright = (np.abs(pixels - spark).max(axis=2) < 40)[:, chart.LEFT : chart.RIGHT]
    # Rows as they are drawn: the others, then ours. The upper edge of the bar, over the whisker in its middle.
    full, nothing = (int(bright[chart.TOP + chart.PITCH * i + chart.BETWEEN + 4].sum()) for i in (3, 4))
    longest = chart.RIGHT - chart.LEFT
    assert full == pytest.approx(2.38 / 6.2 * longest, abs=6)
    assert 1 <= nothing <= 4


def test_the_picture_can_be_drawn_when_nobody_was_measured(found: dict[str, Any]) -> None:
    found["rows"] = [row("d", "not there", missing="not installed")]
    assert Image.open(io.BytesIO(chart.draw(found))).size[0] == chart.WIDTH


def test_render_renews_the_readme_and_draws_the_chart(found: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figures, readme, picture = tmp_path / "results.json", tmp_path / "README.md", tmp_path / "docs" / "chart.png"
    figures.write_text(json.dumps(found), "utf-8")
    readme.write_text(f"# Us\n{results.BEGIN}\n{results.END}\n", "utf-8")
    words = ["--render", "--results", str(figures), "--readme", str(readme), "--chart", str(picture)]
    assert command.main(words) == 0
    assert readme.read_text("utf-8") == f"# Us\n{results.BEGIN}\n{results.table(found)}\n{results.END}\n"
    assert picture.read_bytes() == chart.draw(found)
    figures.write_text("{", "utf-8")
    assert command.main(words) == 2
    assert "results.json cannot be read" in capsys.readouterr().err
