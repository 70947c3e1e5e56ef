"""The map of an edit: against a list of every sample, put together as an editor does it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio.editmap import EditMap, Piece, Stretch, after_cuts, before_cuts, edited
from audio.units import Samples


def s(*values: int) -> tuple[Samples, ...]:
    return tuple(map(Samples, values))


@st.composite
def edits(draw: st.DrawFn) -> tuple[int, list[Stretch], int, int, int]:
    """A recording's length, its cuts, what of the rest is placed, and where."""
    length = draw(st.integers(1, 60))
    edges = sorted(draw(st.sets(st.integers(0, length), max_size=8)))
    cuts = [(Samples(a), Samples(b)) for a, b in zip(edges[::2], edges[1::2], strict=False)]
    left = length - sum(b - a for a, b in cuts)
    start = draw(st.integers(0, left))
    return length, cuts, start, draw(st.integers(start, left)), draw(st.integers(0, 1000))


@given(edits())
def test_every_sample_is_where_the_edit_puts_it(edit: tuple[int, list[Stretch], int, int, int]) -> None:
    length, cuts, start, end, at = edit
    rest = [sample for sample in range(length) if not any(a <= sample < b for a, b in cuts)]
    place = {sample: at + number for number, sample in enumerate(rest[start:end])}
    found = edited(start, end, cuts, at)
    assert [found.at(sample) for sample in range(length)] == [place.get(sample) for sample in range(length)]
    for sample in range(length):
        later = [place[one] for one in range(sample, length) if one in place]
        assert found.onward(sample) == (later[0] if later else None)
        # what was cut out is where it was
        assert after_cuts(sample, cuts) == len([one for one in rest if one < sample])
    assert [before_cuts(number, cuts) for number in range(len(rest))] == rest


@given(edits(), st.integers(0, 70), st.integers(0, 70))
def test_a_stretch_is_what_is_left_of_it(edit: tuple[int, list[Stretch], int, int, int], first: int, last: int) -> None:
    _, cuts, start, end, at = edit
    found = edited(start, end, cuts, at)
    left = [place for sample in range(first, last) if (place := found.at(sample)) is not None]
    assert found.stretch(first, last) == ((left[0], left[-1] + 1) if left else None)


def test_nothing_is_a_map_of_which_nothing_sounds() -> None:
    nothing = edited(5, 5, [], 100)
    assert (nothing.pieces, nothing.begins, nothing.at(5), nothing.onward(0), nothing.stretch(0, 9)) == ((), 0, None, None, None)


@pytest.mark.parametrize("pieces", [((0, 0, 0),), ((0, 5, 0), (4, 9, 5)), ((0, 5, 0), (6, 9, 6)), ((5, 9, 0), (0, 5, 4))])
def test_pieces_that_are_no_edit_are_refused(pieces: tuple[tuple[int, int, int], ...]) -> None:
    with pytest.raises(ValueError, match="piece"):
        EditMap(tuple(Piece(*s(*one)) for one in pieces))
