"""What people see: a moving line on a terminal, plain lines in a log, and nothing that moves when nobody looks."""

from __future__ import annotations

import io
import itertools

import pytest

from production.terminal import Terminal


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every look at the clock is a second after the last; the screen is 60 columns wide."""
    monkeypatch.setattr("time.monotonic", itertools.count(100.0).__next__)
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "xterm")


def test_in_a_log_stand_lines_and_no_progress() -> None:
    log = io.StringIO()
    shown = Terminal(log)
    shown.progress("encoding", 1.0, 2.0)
    shown.line("episode-14: built")
    shown.error("it broke")
    shown.close()
    assert log.getvalue() == "episode-14: built\nit broke\n"


def test_a_dumb_terminal_is_a_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    screen = Screen()
    shown = Terminal(screen)
    shown.progress("encoding", 1.0, 2.0)
    shown.line("episode-14: built")
    shown.close()
    assert screen.getvalue() == "episode-14: built\n"


@pytest.mark.parametrize("stream", [io.StringIO, Screen])
def test_quiet_leaves_only_errors(stream: type[io.StringIO]) -> None:
    out = stream()
    shown = Terminal(out, quiet=True)
    shown.progress("encoding", 1.0, 2.0)
    shown.line("episode-14: built")
    shown.error("it broke")
    shown.close()
    assert out.getvalue() == "it broke\n"


def test_on_a_screen_one_line_is_drawn_over_and_wiped_before_a_lasting_one() -> None:
    screen = Screen()
    shown = Terminal(screen)
    shown.progress("measuring", 0.0, 0.0)
    shown.progress("encoding", 1.0, 4.0)
    shown.line("done")
    shown.close()
    wipe = "\r\x1b[K"
    assert screen.getvalue() == f"{wipe}measuring{wipe}[######..................]  25%  encoding  {wipe}done\n"


def test_a_long_line_does_not_wrap() -> None:
    screen = Screen()
    Terminal(screen).progress("x" * 200, 1.0, 4.0)
    assert len(screen.getvalue().removeprefix("\r\x1b[K")) == 59


def test_the_time_that_is_left_is_told_once_it_can_be_known() -> None:
    screen = Screen()
    shown = Terminal(screen)
    shown.progress("e", 0.0, 100.0)
    said = []
    for done in (1.0, 10.0, 20.0, 50.0):
        shown.progress("e", done, 100.0)
        said.append(screen.getvalue().rpartition("\r")[2].rpartition("e  ")[2])
    # 1 % after a second tells nothing; half after four seconds leaves four
    assert said == ["", "0:18 left", "0:12 left", "0:04 left"]


def test_redrawing_is_not_hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    shown = Terminal(screen)
    monkeypatch.setattr("time.monotonic", lambda: 1000.0)
    for _ in range(100):
        shown.progress("encoding", 1.0, 4.0)
    assert screen.getvalue().count("\r") == 1
