"""How a programme is cut: runs stand between silences and do not know where they are, chunks cover a run once and hear what comes before."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audio.runs import CHUNK, EDGE, FILLER, LEAD, OPENING, POSTROLL, PREROLL, SHORTEST, WIDE_PREROLL, Chunk, Run, chunks, runs
from audio.timeline import Placed, Programme, Segment, SegmentKind
from audio.units import FRAME, Samples


def programme(*stretches: tuple[int, int], tail: int = 0) -> Programme:
    """Segments named a, b, ... from (start frame, samples), and ``tail`` silent frames."""
    placed = tuple(Placed(Segment(name, "section", Samples(n)), Samples(at * FRAME)) for name, (at, n) in zip("abcdefgh", stretches, strict=False))
    return Programme(placed, Samples((-(-placed[-1].end // FRAME) + tail) * FRAME))


@st.composite
def programmes(draw: st.DrawFn) -> Programme:
    at, stretches = draw(st.integers(0, 20)), []
    for _ in range(draw(st.integers(1, 6))):
        stretches.append((at, draw(st.integers(1, 400 * FRAME))))
        at += -(-stretches[-1][1] // FRAME) + draw(st.integers(0, 20))
    return programme(*stretches, tail=draw(st.integers(0, 20)))


@settings(max_examples=40)
@given(programmes())
def test_runs_hold_every_segment_once_with_free_room_between_them(whole: Programme) -> None:
    found = runs(whole)
    parts = [(part.name, run.first * FRAME + part.offset, part.length) for run in found for part in run.parts]
    assert parts == [(p.segment.name, p.start, p.segment.length) for p in whole.placed]
    for run in found:
        assert run.parts[0].offset < FRAME
        last = run.parts[-1]
        assert (run.frames - 1) * FRAME < last.offset + last.length <= run.frames * FRAME
    for before, after in pairwise(found):
        free = (after.first - after.kept) - (before.first + before.frames + before.after)
        assert free >= FILLER
        assert (before.after, after.kept) == (EDGE, EDGE)
    # a run at the start has no silence before it, one at the end only what the file has
    assert found[0].first - found[0].kept in (0, found[0].first - EDGE)
    assert found[-1].first + found[-1].frames + found[-1].after <= whole.length // FRAME + 1


@pytest.mark.parametrize(("pause", "count"), [(0, 1), (7, 1), (8, 2)])
def test_segments_with_hardly_a_pause_between_them_are_one_run(pause: int, count: int) -> None:
    assert len(runs(programme((0, 100 * FRAME - 3), (100 + pause, 50 * FRAME)))) == count


def test_a_run_is_the_same_wherever_it_stands() -> None:
    here, there = (runs(programme((0, 50 * FRAME), (at, 700 * FRAME - 5), tail=40))[1] for at in (60, 6000))
    assert replace(there, first=here.first) == here


def run_of(frames: int, lead: int = LEAD) -> Run:
    return Run(first=600, frames=frames, parts=(), lead=lead, kept=min(lead, EDGE), after=EDGE)


@settings(max_examples=40)
@given(st.integers(1, 40_000), st.integers(0, LEAD), st.sets(st.integers(1, 8).map(lambda n: n * CHUNK)))
def test_chunks_cover_a_run_once_and_hear_what_comes_before_them(frames: int, lead: int, wide: set[int]) -> None:
    run = run_of(frames, lead)
    found = chunks(3, run, wide=frozenset(wide))
    assert [chunk.first for chunk in found] == [0, *(chunk.last for chunk in found[:-1])]
    assert found[-1].last == frames
    assert [(c.opens, c.closes) for c in found] == [(c is found[0], c is found[-1]) for c in found]
    assert {chunk.run for chunk in found} == {3}
    # short ones cost more pre-roll than they hold
    assert all(SHORTEST <= c.last - c.first < CHUNK + SHORTEST for c in found[1:])
    assert all(c.first % CHUNK == 0 for c in found)
    for chunk in found:
        before = lead if chunk.opens else WIDE_PREROLL if chunk.first in wide else PREROLL
        assert chunk.start_sample == (chunk.first - before) * FRAME
        end = chunk.start_sample + chunk.input_samples
        # the encoder looks ahead: past the end it hears what follows, and for the last one silence to let it run out
        assert end == (chunk.last + (LEAD if chunk.closes else POSTROLL)) * FRAME
        assert chunk.kept_frames(run) == before + chunk.last - chunk.first + (EDGE if chunk.closes else 0)
        assert chunk.kept_frames(run) * FRAME < chunk.input_samples


def test_a_chunk_in_the_middle_never_changes_when_a_run_grows() -> None:
    short, long = chunks(0, run_of(3 * CHUNK)), chunks(0, run_of(5 * CHUNK))
    assert short[:2] == long[:2]


# -- where something stands before a section, or after it ------------------------------------------------------------------------


def close(*segments: tuple[str, SegmentKind, int]) -> Run:
    """The run of segments (name, kind, frames) that stand end to end, after a second of silence."""
    placed, at = [], 42
    for name, kind, frames in segments:
        # the last sample of a section lies somewhere within its last frame
        placed.append(Placed(Segment(name, kind, Samples(frames * FRAME - (5 if kind == "section" else 0))), Samples(at * FRAME)))
        at += frames
    (run,) = runs(Programme(tuple(placed), Samples(at * FRAME)))
    return run


def test_a_section_has_chunks_of_its_own_but_for_its_opening() -> None:
    run = close(("i", "intro", 500), ("a", "section", 4000), ("t", "tone", 80), ("b", "section", CHUNK + 3000), ("o", "outro", 300))
    assert [(part.name, part.own) for part in run.parts] == [("i", False), ("a", True), ("t", False), ("b", True), ("o", False)]
    found = chunks(0, run)
    b = 4580
    assert [chunk.first for chunk in found] == [0, 500 + OPENING, 4500, b + OPENING, b + OPENING + CHUNK, b + CHUNK + 3000]
    # four seconds, which are more than a pre-roll: what stands before the section is not heard in its own chunks
    assert OPENING * FRAME >= 3.9 * 48_000
    assert [list(chunk.heard(run)) for chunk in found] == [["i", "a"], ["a", "t"], ["a", "t", "b"], ["b"], ["b", "o"], ["b", "o"]]
    # of what follows, the last of its own hears as much as the encoder looks ahead
    assert [found[n].start_sample + found[n].input_samples for n in (1, 4)] == [(edge + POSTROLL) * FRAME for edge in (4500, b + CHUNK + 3000)]


def test_a_section_with_nothing_around_it_is_cut_every_six_minutes_only() -> None:
    alone = close(("a", "section", 2 * CHUNK + 1500))
    assert [chunk.first for chunk in chunks(0, alone)] == [0, CHUNK, 2 * CHUNK]
    followed = close(("a", "section", 2 * CHUNK + 1500), ("t", "tone", 10))
    assert [chunk.first for chunk in chunks(0, followed)] == [0, CHUNK, 2 * CHUNK, 2 * CHUNK + 1500]


lengths = st.one_of(st.integers(OPENING + PREROLL, 2000), st.integers(CHUNK - 1200, 2 * CHUNK + 1200))


@settings(max_examples=60)
@given(lengths, lengths, st.integers(1, 400), st.integers(1, 400))
def test_another_gap_moves_the_chunks_of_the_sections_beside_it_and_changes_none(a: int, b: int, gap: int, other: int) -> None:
    def own(gap: int) -> tuple[list[Chunk], list[Chunk]]:
        """The chunks of the section before the gap, and those of the one after it but for its opening, counted from its start."""
        run = close(("a", "section", a), ("t", "tone", gap), ("b", "section", b), ("u", "tone", 60))
        found = chunks(0, run)
        start = a + gap
        later = [replace(one, first=one.first - start, last=one.last - start) for one in found if start + OPENING <= one.first < start + b]
        assert later[0].first == OPENING
        assert later[-1].last == b
        return [one for one in found if one.last <= a], later

    assert own(gap) == own(other)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.sampled_from(["section", "tone", "sting"]), st.integers(1, 500)), min_size=1, max_size=8))
def test_between_the_beginnings_of_two_chunks_there_is_room_for_a_pre_roll(listed: list[tuple[SegmentKind, int]]) -> None:
    # the later one's join lies within it, and there the earlier one must have frames
    run = close(*((f"{n}", kind, frames) for n, (kind, frames) in enumerate(listed)))
    found = chunks(0, run)
    assert [chunk.first for chunk in found] == [0, *(chunk.last for chunk in found[:-1])]
    assert found[-1].last == run.frames
    assert all(after.first - before.first >= PREROLL for before, after in pairwise(found))
