from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from production.errors import Problem
from production.model import Location
from production.problems import did_you_mean, format_problem, format_problems, visible

FILE = Path("/shows/dsp/configs/episodes/episode-14.yaml")
ROOT = Path("/shows/dsp")


def shown(source: str | None, column: int = 1, line: int = 8, message: str = "wrong", hint: str = "") -> list[str]:
    problem = Problem(Location(FILE, line, column), message, hint, source)
    return format_problem(problem, relative_to=ROOT).split("\n")


def caret_is_under(lines: list[str]) -> str:
    """What stands above the caret."""
    return lines[1][lines[2].index("^")]


def test_a_problem_looks_as_the_design_says() -> None:
    problem = Problem(Location(FILE, 8, 5), "section: unknown key 'fade_inn'", "did you mean 'fade_in'?", "    fade_inn: 0.2")
    assert format_problem(problem, relative_to=ROOT) == (
        "configs/episodes/episode-14.yaml:8:5: error: section: unknown key 'fade_inn'\n"
        "    8 |     fade_inn: 0.2\n"
        "      |     ^\n"
        "      = hint: did you mean 'fade_in'?"
    )


def test_a_problem_without_a_line_shows_no_source() -> None:
    problem = Problem(Location(ROOT / "configs"), "no configs/ here", "use -C DIR", severity="warning")
    assert format_problem(problem, relative_to=ROOT) == "configs: warning: no configs/ here\n      = hint: use -C DIR"


def test_a_path_outside_the_folder_is_shown_whole() -> None:
    assert format_problem(Problem(Location(FILE), "x"), relative_to=Path("/elsewhere")) == f"{FILE}: error: x"
    assert format_problem(Problem(Location(FILE), "x"), relative_to=None) == f"{FILE}: error: x"


def test_several_problems_follow_each_other_in_the_order_given() -> None:
    problems = [Problem(Location(FILE, 9, 1), "b"), Problem(Location(FILE, 8, 1), "a")]
    lines = format_problems(problems, relative_to=ROOT).split("\n")
    assert [line.rsplit(": ", 1)[1] for line in lines] == ["b", "a"]


def test_the_gutter_stays_straight_for_every_line_number() -> None:
    for line in (1, 14, 20_000, 1_234_567):
        _, source, caret = shown("key: value", 6, line)
        assert source.index("|") == caret.index("|")
        assert source[caret.index("^")] == "v"


def test_the_caret_fits_behind_tabs_wide_and_combining_characters() -> None:
    assert caret_is_under(shown("\tkey: X", 7)) == "X"
    # two columns for each of the wide ones, none for the combining accent: a terminal shows them so
    assert shown("日本 X", 4)[2] == "      |      ^"
    assert shown("e\u0301 X", 4)[2] == "      |   ^"


def test_control_characters_are_shown_and_not_obeyed() -> None:
    lines = shown("title: \x1b[31mred\x00 X", 18, message="bad \x07\n", hint="a\u202eb")
    assert lines[0].endswith("bad \\x07\\x0a")
    assert "\\x1b[31mred\\x00" in lines[1]
    assert caret_is_under(lines) == "X"
    assert lines[3].endswith("a\\u202eb")


def test_a_long_line_is_cut_around_the_column() -> None:
    for column in (1, 50, 100, 500, 990, 1000):
        source = "." * (column - 1) + "X" + "." * (1000 - column)
        lines = shown(source, column)
        assert caret_is_under(lines) == "X"
        assert len(lines[1]) < 130
        assert lines[1].startswith("    8 | …") == (column > 80)
        assert lines[1].endswith("…") == (column < 900)


def test_a_column_behind_the_end_of_the_line_is_shown_at_its_end() -> None:
    assert shown("title:", 7)[2] == "      |       ^"
    assert shown("title:", 700)[2] == "      |       ^"


@given(st.text(), st.integers(0, 300))
def test_whatever_a_line_holds_three_printable_lines_come_out(source: str, column: int) -> None:
    lines = shown(source, column)
    assert len(lines) == 3
    assert lines[2].strip(" |") == "^"
    assert all(visible(line) == line for line in lines)


def test_a_near_word_is_offered_and_a_far_one_is_not() -> None:
    assert did_you_mean("fade_inn", ["fade_out", "fade_in"]) == "did you mean 'fade_in'?"
    assert did_you_mean("Cold_Open", ["cold-open"]) == "did you mean 'cold-open'?"
    assert did_you_mean("zebra", ["fade_in"]) == ""
