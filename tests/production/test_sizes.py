from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from production.sizes import said, size


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0),
        ("1000", 1000),
        ("20000000000", 20 * 10**9),
        ("20 GB", 20 * 10**9),
        ("20GB", 20 * 10**9),
        (" 20 gb ", 20 * 10**9),
        ("500 MB", 500 * 10**6),
        ("64 kB", 64_000),
        ("0.5 TB", 5 * 10**11),
        ("1.5 GB", 1_500_000_000),
        ("2 GiB", 2 << 30),
        ("7 bytes", 7),
        ("0 GB", 0),
    ],
)
def test_a_size_is_read_as_people_write_it(text: str, expected: int) -> None:
    assert size(text) == expected


@pytest.mark.parametrize(
    "text", ["", " ", "GB", "-1", "-1 GB", "1,5 GB", "1.", "1.5", "1.5 bytes", "1e9", "20 G B", "20 PB", "nan", "\u0662 GB", "9" * 5000]
)
def test_what_is_no_size_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match="write it as 20 GB or 500 MB"):
        size(text)


@pytest.mark.parametrize("text", ["20", "1", "999"])
def test_a_handful_of_bytes_is_a_forgotten_unit(text: str) -> None:
    with pytest.raises(ValueError, match=f"add the unit, as in {text} GB"):
        size(text)


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1 kB"),
        (99_949, "99.9 kB"),
        (99_950, "100 kB"),
        (999_499, "999 kB"),
        (999_500, "1 MB"),
        (12_345_678, "12.3 MB"),
        (20 * 10**9, "20 GB"),
        (5 * 10**15, "5000 TB"),
    ],
)
def test_a_size_is_said_in_three_digits(amount: int, expected: str) -> None:
    assert said(amount) == expected


@given(st.integers(1000, 10**15))
def test_what_is_said_can_be_written_and_is_nearly_the_same(amount: int) -> None:
    assert abs(size(said(amount)) - amount) <= amount * 0.051
