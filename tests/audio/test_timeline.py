"""Where segments land: nothing overlaps, sections stand on the grid, silence flexes but never vanishes."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audio.timeline import Placed, Programme, Segment, SegmentKind, chapters, place
from audio.units import FRAME, RATE, Samples

GRID = Samples(3 * RATE)
LENGTHS = st.integers(1, 40 * RATE)
GAPS = st.integers(0, 6 * RATE)


@st.composite
def groups(draw: st.DrawFn) -> list[list[Segment]]:
    """Groups of a segment and up to two stings that announce it; sections are on the grid, the others are not."""
    found = []
    for index in range(draw(st.integers(1, 7))):
        stings = [
            Segment(f"sting-{index}-{n}", "sting", Samples(draw(LENGTHS)), Samples(draw(GAPS)), attached=True) for n in range(draw(st.integers(0, 2)))
        ]
        section = draw(st.booleans())
        kind: SegmentKind = "section" if section else "outro"
        found.append([*stings, Segment(f"{kind}-{index}", kind, Samples(draw(LENGTHS)), Samples(draw(GAPS)), on_grid=section)])
    return found


@settings(max_examples=40)
@given(groups(), st.sampled_from([0, 1, FRAME, RATE, 3 * RATE, 20 * RATE]), st.integers(0, 3 * RATE))
def test_a_placed_programme_keeps_every_promise(listed: list[list[Segment]], grid: int, tail: int) -> None:
    programme = place([segment for group in listed for segment in group], grid=Samples(grid), tail=Samples(tail))
    placed = programme.placed
    step = max(FRAME, -(-grid // FRAME) * FRAME)
    assert [p.segment for p in placed] == [segment for group in listed for segment in group]
    assert all(p.start % FRAME == 0 for p in placed)
    assert all(p.start % step == 0 for p in placed if p.segment.on_grid)
    silences = {b.segment.name: b.start - a.end for a, b in pairwise(placed)}
    for group in listed:
        for inner in group[1:]:
            # a sting keeps its distance, to the frame
            assert inner.gap <= silences[inner.name] < inner.gap + FRAME
        if group is not listed[0]:
            # the silence before a group flexes by half a step, or by a whole one where half of it would not be left
            assert group[0].gap // 2 <= silences[group[0].name] < group[0].gap + step + FRAME
    assert min(silences.values(), default=0) >= 0
    assert programme.length % FRAME == 0
    assert placed[-1].end + tail <= programme.length < placed[-1].end + tail + FRAME


def test_a_section_starts_on_the_nearest_point_of_the_grid() -> None:
    intro = Segment("intro", "intro", Samples(12 * RATE))
    near, far = (Segment("a", "section", Samples(RATE), Samples(gap), on_grid=True) for gap in (RATE * 14 // 10, RATE * 16 // 10))
    # 13.4 s goes back to 12 s only if half the gap were left; 13.6 s goes on to 15 s anyhow
    assert place([intro, near], grid=GRID).find("a").start == 15 * RATE
    assert place([intro, far], grid=GRID).find("a").start == 15 * RATE
    assert place([Segment("intro", "intro", Samples(11 * RATE)), near], grid=GRID).find("a").start == 12 * RATE


def test_a_sting_moves_with_the_section_it_announces() -> None:
    listed = [
        Segment("intro", "intro", Samples(12 * RATE)),
        Segment("sting", "sting", Samples(2 * RATE), Samples(2 * RATE), attached=True),
        Segment("a", "section", Samples(RATE), Samples(FRAME * 20), on_grid=True),
    ]
    programme = place(listed, grid=GRID)
    assert programme.find("a").start == 18 * RATE
    assert programme.find("sting").start == 18 * RATE - 20 * FRAME - (2 * RATE + FRAME - 1) // FRAME * FRAME


def test_a_sting_that_announces_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="sting is attached to nothing"):
        place([Segment("sting", "sting", Samples(9), attached=True)], grid=GRID)


def test_a_programme_that_overlaps_or_ends_within_a_frame_cannot_be_made() -> None:
    a, b = (Segment(name, "section", Samples(2 * FRAME)) for name in "ab")
    with pytest.raises(ValueError, match="b starts before a ends"):
        Programme((Placed(a, Samples(0)), Placed(b, Samples(FRAME))), Samples(4 * FRAME))
    with pytest.raises(ValueError, match="whole number of frames"):
        Programme((Placed(a, Samples(0)),), Samples(2 * FRAME + 1))


def test_chapters_stand_back_to_back_from_zero_to_the_end() -> None:
    listed = [
        Segment("intro", "intro", Samples(12 * RATE)),
        *(Segment(name, "section", Samples(20 * RATE), Samples(2 * RATE), on_grid=True) for name in "abc"),
        Segment("outro", "outro", Samples(5 * RATE), Samples(2 * RATE)),
    ]
    programme = place(listed, grid=GRID, tail=Samples(RATE))
    found = chapters(programme, {"a": ("Cold open", None, None), "b": ("Proof", "https://x.example", b"jpeg"), "c": ("End", None, None)})
    assert [(c.slug, c.title, c.link, c.image) for c in found] == [
        ("a", "Cold open", None, None),
        ("b", "Proof", "https://x.example", b"jpeg"),
        ("c", "End", None, None),
    ]
    assert [c.start for c in found] == [0, programme.find("b").start, programme.find("c").start]
    assert [c.end for c in found] == [*(c.start for c in found[1:]), programme.length]
