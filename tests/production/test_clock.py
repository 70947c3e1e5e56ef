"""Times as people write them."""

from __future__ import annotations

import pytest

from production import clock


@pytest.mark.parametrize(
    ("text", "found"),
    [("90", 90.0), ("1:30", 90.0), ("1:30:00", 5400.0), ("0:03.5", 3.5), ("90:00", 5400.0), (" 12 ", 12.0), ("0.25", 0.25)],
)
def test_a_time_is_read_in_every_form(text: str, found: float) -> None:
    assert clock.seconds(text) == found


@pytest.mark.parametrize("text", ["", ":", "1:", "a", "-1", "1:2:3:4", "1e3", "nan", "٣", "1 2"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write it as"):
        clock.seconds(text)


def test_a_window_has_a_beginning_and_a_length() -> None:
    assert clock.window("1:30:00+60") == (5400.0, 60.0)
    assert clock.window("0+1:00") == (0.0, 60.0)
    for text in ("1:30:00", "+60", "10+", "10+0", "10+-3"):
        with pytest.raises(ValueError, match=r"write|length"):
            clock.window(text)


def test_times_are_said_in_hours_minutes_and_seconds() -> None:
    assert [clock.clock(seconds) for seconds in (0, 59.6, 3725, 360_000)] == ["0:00:00", "0:01:00", "1:02:05", "100:00:00"]
