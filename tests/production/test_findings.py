"""Findings in their places: in the report, in a line for people, and as problems for who is strict; and what lengths say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from audio.findings import Finding, Severity, stretches, thinned
from audio.units import RATE, Samples
from production import findings, lengths
from production.beside import Beside, Removal
from production.findings import Noted
from tests.production.test_plan import episode, fact, facts, made, section

KEYS = ["detector", "severity", "where", "section", "file", "start_s", "recording_s", "length_s", "figure", "unit", "words"]


def found(start: float, end: float, *, detector: str = "clipping", severity: Severity = "warning", figure: float = 3.0) -> Finding:
    return Finding(detector, severity, Samples(round(start * RATE)), Samples(round(end * RATE)), figure, "peaks", f"{figure:g} peaks")


def test_a_finding_of_a_recording_has_its_place_in_the_programme() -> None:
    one = episode(section("a"), section("b"))
    trimmed = fact("b", 60, of=one.sections[1], start=Samples(10 * RATE), end=Samples(50 * RATE))
    planned = made(one, (facts(one)[1], trimmed))
    begins = planned.programme.find("b").start / RATE
    (listed,) = findings.items(planned, [Noted(found(12.5, 13), "recording", "b")])
    assert list(listed) == KEYS
    assert (listed["start_s"], listed["recording_s"], listed["length_s"]) == (begins + 2.5, 12.5, 0.5)
    assert (listed["section"], listed["file"], listed["where"]) == ("b", "b.wav", "recording")
    # what begins in the silence that was cut is heard from where the section begins
    (listed,) = findings.items(planned, [Noted(found(5, 13), "recording", "b")])
    assert listed["start_s"] == begins


def test_where_stretches_are_cut_out_a_finding_is_said_where_the_recording_has_it() -> None:
    one = episode(section("b"))
    cut = Removal(Samples(5 * RATE), Samples(8 * RATE), None)
    whole = fact("b", 60, of=one.sections[0], start=Samples(0), end=Samples(57 * RATE))
    planned = made(one, (replace(whole, input=replace(whole.input, beside=Beside(cuts=(cut,)))),))
    before, after = findings.items(planned, [Noted(found(at, at + 1), "recording", "b") for at in (2.0, 6.0)])
    assert (before["recording_s"], after["recording_s"]) == (2.0, 9.0)
    assert after["start_s"] - before["start_s"] == 4.0


@pytest.mark.parametrize(("start", "end"), [(1, 2), (55, 56)])
def test_what_was_trimmed_away_is_a_note_without_a_place(start: float, end: float) -> None:
    one = episode(section("b"))
    planned = made(one, (fact("b", 60, of=one.sections[0], start=Samples(10 * RATE), end=Samples(50 * RATE)),))
    (listed,) = findings.items(planned, [Noted(found(start, end), "recording", "b")])
    assert (listed["start_s"], listed["severity"]) == (None, "note")
    assert list(findings.lines([listed])) == []


def test_a_finding_of_the_programme_is_where_it_is() -> None:
    planned = made(episode())
    (listed,) = findings.items(planned, [Noted(found(70, 71), "programme", None)])
    assert (listed["start_s"], listed["recording_s"], listed["section"], listed["file"]) == (70.0, None, None, "episode-14.mp3")


def test_the_order_is_that_of_the_programme_whatever_was_found_first() -> None:
    planned = made(episode())
    noted = [Noted(found(at, at + 1), "recording", name) for name in ("c", "a") for at in (30, 10)]
    noted.append(Noted(found(1, 2, detector="hum"), "recording", "a"))
    listed = findings.items(planned, noted)
    assert listed == findings.items(planned, noted[::-1])
    assert [(one["section"], one["detector"], one["recording_s"]) for one in listed] == [
        ("a", "clipping", 10),
        ("a", "clipping", 30),
        ("a", "hum", 1),
        ("c", "clipping", 10),
        ("c", "clipping", 30),
    ]


def test_many_findings_are_one_line_with_the_worst_three_places() -> None:
    one = episode(section("a"))
    planned = made(one, (fact("a", 2000, of=one.sections[0]),))
    noted = [Noted(found(10 + 5 * n, 11 + 5 * n, figure=100 if n in (40, 80, 120) else 3), "recording", "a") for n in range(300)]
    (line,) = findings.lines(findings.items(planned, noted))
    assert line == "a: clipping in 300 places, the worst at 0:03:33, 0:06:53 and 0:10:13 (100 peaks)"


def test_a_single_finding_says_its_place_in_the_programme_and_in_the_recording() -> None:
    planned = made(episode())
    begins = planned.programme.find("b").start // RATE
    (line,) = findings.lines(findings.items(planned, [Noted(found(30, 31), "recording", "b")]))
    assert line == f"b: 3 peaks, at 0:0{(begins + 30) // 60}:{(begins + 30) % 60:02}, 0:00:30 in b.wav"


def test_notes_are_not_told() -> None:
    planned = made(episode())
    listed = findings.items(planned, [Noted(found(30, 31, severity="note"), "recording", "b")])
    assert len(listed) == 1
    assert list(findings.lines(listed)) == []
    assert findings.problems(planned, listed, Path("build")) == []


def test_problems_are_one_for_each_kind_and_section() -> None:
    planned = made(episode())
    noted = [Noted(found(at, at + 1), "recording", "b") for at in (10, 20, 30)] + [Noted(found(5, 6, detector="over"), "programme", None)]
    problems = findings.problems(planned, findings.items(planned, noted), Path("build"))
    assert sorted(one.message.split(":")[0] for one in problems) == ["b", "episode-14"]
    assert all("--strict" in one.hint for one in problems)


def test_near_stretches_are_one() -> None:
    assert stretches([(10, 12), (0, 2), (3, 5)], 1) == [(0, 5), (10, 12)]


def test_a_thousand_findings_become_a_hundred_and_none_of_their_places_is_lost() -> None:
    many = [found(at * 2, at * 2 + 0.5, figure=at % 7) for at in range(1000)]
    few = thinned(many)
    assert len(few) <= 100
    for one in many:
        assert any(other.start <= one.start and one.end <= other.end for other in few)
    assert max(one.figure for one in few) == 6


# -- lengths -------------------------------------------------------------------------------------------------------------------------


def said(**minutes: tuple[float, float]) -> list[tuple[str | None, str]]:
    """What is said of sections, by their planned and their recorded minutes."""
    one = episode(*(section(name, minutes=planned) for name, (planned, _) in minutes.items()))
    listed = tuple(fact(part.slug, minutes[part.slug][1] * 60, of=part) for part in one.sections)
    return [(noted.section, noted.finding.detector) for noted in lengths.lengths(made(one, listed))]


def test_a_length_far_from_the_plan_is_told_and_one_near_it_is_not() -> None:
    assert said(a=(20, 26), b=(8, 9.9), c=(4, 5.9)) == []
    assert said(a=(20, 30), b=(8, 4), c=(4, 6.5)) == [("a", "length"), ("b", "length"), ("c", "length")]


def test_two_sections_with_each_others_lengths_are_swapped() -> None:
    assert said(a=(8, 19), b=(20, 8.3), c=(10, 10)) == [("a", "swapped"), ("b", "swapped")]
    # lengths that differ by little say nothing
    assert said(a=(10, 12), b=(12, 10)) == []


def test_what_is_not_recorded_yet_has_no_length() -> None:
    one = episode(section("a", minutes=20))
    listed = fact("a", 60, of=one.sections[0])
    from dataclasses import replace

    scratch = replace(listed, input=replace(listed.input, scratch=True))
    assert list(lengths.lengths(made(one, (scratch,)))) == []
