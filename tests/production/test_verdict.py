"""What the finished file is held to: what is corrected and by how much, what is given up, and what was never ours to decide."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from audio.chain import Wishes
from audio.units import Db, Lufs
from production import pipeline, plan, verdict
from production.errors import StepsFailed
from production.mix import Trim
from production.model import Loudness, Settings
from production.plan import Plan
from production.proof import Proof
from production.verdict import added, correctable, corrections, misses
from tests.production.test_mix import ROOM
from tests.production.test_plan import episode, fact, made, section

LINEAR, UNTOUCHED, GIVEN = Wishes(chain="linear"), Wishes(chain="none"), Wishes(gain=-2.5)


def planned(trims: dict[str, Trim] | None = None, rounds: int = 0, **known: dict[str, Any]) -> Plan:
    """An intro and three sections; ``known`` says of a section what its fact says."""
    sections = tuple(section(slug) for slug in "abc")
    listed = [fact(one.slug, of=one, **{"peak": -5.0, **known.get(one.slug, {})}) for one in sections]
    return made(episode(*sections), (fact("music:intro", 12.0, kind="intro", gap=0.0), *listed), trims=trims or {}, rounds=rounds)


def heard(whole: float = -16.0, *, peaks: dict[str, float] | None = None, **sections: float) -> Proof:
    """What was measured: sections at their target and peaks under the ceiling, unless something else is said."""
    levels = {name: Lufs(sections.get(name, -16.0)) for name in "abc"}
    highest = {name: Db((peaks or {}).get(name, -1.5)) for name in ("music:intro", *"abc")}
    return Proof(Lufs(whole), max(highest.values()), levels, {}, highest)


# -- what is corrected ------------------------------------------------------------------------------------------------------------


def test_a_file_that_is_as_it_should_be_is_left_alone() -> None:
    assert corrections(planned(), heard()) == {}
    assert list(misses(planned(), heard())) == []
    # within tolerance
    near = heard(-16.2, a=-16.39, b=-15.61, c=-16.3, peaks={"a": -1.0})
    assert corrections(planned(), near) == {}
    assert list(misses(planned(), near)) == []


def test_a_section_that_is_off_is_moved_by_what_is_missing() -> None:
    assert corrections(planned(), heard(-16.4, a=-17.234, b=-16.39, c=-15.59)) == {"a": Trim(Db(1.23)), "c": Trim(Db(-0.41))}


def test_where_the_whole_is_right_a_section_is_moved_to_the_others() -> None:
    # they are as loud as the music beside them asks for
    assert corrections(planned(), heard(-16.1, a=-15.2, b=-15.3, c=-16.0)) == {"c": Trim(Db(0.7))}
    assert corrections(planned(), heard(-16.1, a=-15.2, b=-15.3, c=-15.4)) == {}


def test_when_the_whole_is_off_and_no_section_stands_out_all_of_them_move() -> None:
    assert corrections(planned(), heard(-16.3)) == {name: Trim(Db(0.3)) for name in "abc"}
    assert corrections(planned(), heard(-16.8, b=-15.7)) == {name: Trim(Db(0.8)) for name in "abc"}
    assert corrections(planned(), heard(-15.0)) == {name: Trim(Db(-1.0)) for name in "abc"}
    # what was moved is moved on, and not back
    assert corrections(planned(), heard(-16.4, a=-15.2, b=-15.2, c=-15.2)) == {name: Trim(Db(0.4)) for name in "abc"}
    # as far as it is still the same voice
    assert corrections(planned(), heard(-19.0)) == {name: Trim(Db(2.0)) for name in "abc"}
    assert corrections(planned(), heard(-17.0, a=-14.0, b=-14.0, c=-14.0)) == {}
    # next to nothing is not worth another encode
    assert corrections(planned(), heard(-16.25)) == {}
    assert corrections(planned(), heard(-17.0, a=-14.2, b=-14.2, c=-14.2)) == {}


def test_a_peak_over_the_ceiling_is_taken_down_a_little_further() -> None:
    assert corrections(planned(), heard(peaks={"a": -0.8, "c": -0.99})) == {"a": Trim(ceiling=Db(-0.3)), "c": Trim(ceiling=Db(-0.11))}
    # of what was never near its ceiling, nothing is left to take down
    assert corrections(planned(), heard(peaks={"a": -0.8, "music:intro": -0.8})) == {"a": Trim(ceiling=Db(-0.3))}
    loud = {"b": {"peak": -3.0}}
    assert corrections(planned(**loud), heard(b=-17.0, peaks={"b": -0.5})) == {"b": Trim(Db(1.0), Db(-0.6))}


def test_two_corrections_are_one() -> None:
    before, more = {"a": Trim(Db(0.5), Db(-0.2)), "b": Trim(Db(-1.0))}, {"a": Trim(Db(0.25), Db(-0.1)), "c": Trim(ceiling=Db(-0.3))}
    assert added(before, more) == {"a": Trim(Db(0.75), Db(-0.3)), "b": Trim(Db(-1.0)), "c": Trim(ceiling=Db(-0.3))}
    assert added({}, {}) == {}


# -- what is not ours to decide ---------------------------------------------------------------------------------------------------

EXEMPT: dict[str, dict[str, Any]] = {
    "untouched": {"wishes": UNTOUCHED, "gain": Db(0.0)},
    "gain given": {"wishes": GIVEN, "gain": Db(-2.5)},
    "nobody speaks": {"speech": 0.0, "gain": Db(0.0)},
    "lifted by all that is allowed": {"gain": Db(40.0), "peak": -45.0},
}


@pytest.mark.parametrize("why", EXEMPT)
def test_the_level_of_a_section_that_is_exempt_is_neither_corrected_nor_a_miss(why: str) -> None:
    made = planned(b=EXEMPT[why])
    assert correctable(made) == {"a", "c"}
    quiet = heard(-18.5, b=-30.0)
    assert "b" not in corrections(made, quiet)
    # and the whole is then what it is
    assert list(misses(made, quiet)) == []
    # the others are still held to each other
    assert len(list(misses(made, heard(-18.5, a=-17.1, b=-30.0)))) == 1


def test_a_section_that_is_linear_is_ours_though_nobody_speaks_in_it() -> None:
    assert correctable(planned(b={"wishes": LINEAR, "speech": 0.0})) == {"a", "b", "c"}
    assert correctable(planned(b={"speech": 0.03})) == {"a", "b", "c"}


def test_of_an_untouched_section_a_peak_is_no_matter() -> None:
    made = planned(b=EXEMPT["untouched"])
    hot = heard(b=-14.0, peaks={"b": 0.9})
    assert corrections(made, hot) == {}
    assert list(misses(made, hot)) == []


def test_a_section_too_short_to_be_measured_is_neither_corrected_nor_a_miss() -> None:
    # under 400 ms there is no block to measure
    nothing = heard(b=-math.inf)
    assert corrections(planned(), nothing) == {}
    assert list(misses(planned(), nothing)) == []


# -- what would not help ----------------------------------------------------------------------------------------------------------


def beside(peak: float = 0.0) -> Plan:
    """A section in a room, a sting, and a section that nobody is to touch: what sounds before its fifth second shares a chunk with it."""
    a, b = section("a"), section("b")
    facts = (
        fact("a", of=a, gap=0.0, room=ROOM, peak=-5.0),
        fact("sting:b", 2.0, kind="sting", peak=-5.0 if peak else -30.0),
        fact("b", of=b, gap=0.1, wishes=UNTOUCHED, gain=Db(0.0), peak=0.0),
    )
    return made(episode(a, b), facts)


@pytest.mark.parametrize("peak", [0.0, 1.0], ids=["quiet sting", "loud sting"])
def test_what_shares_a_chunk_with_an_untouched_section_is_not_taken_to_task_for_its_peaks(peak: float) -> None:
    made = beside(peak)
    assert any({"sting:b", "b"} <= set(chunk.heard(run)) for run, parts in zip(made.runs, made.chunks, strict=True) for chunk in parts)
    hot = Proof(Lufs(-16.0), Db(0.8), {"a": Lufs(-16.0), "b": Lufs(-12.0)}, {}, {"a": Db(-1.4), "sting:b": Db(0.7), "b": Db(0.8)})
    assert corrections(made, hot) == {}
    assert list(misses(made, hot)) == []


@pytest.mark.parametrize("name", ["a", "sting:b"])
def test_a_peak_higher_than_those_of_the_untouched_section_is_its_own(name: str) -> None:
    hot = Proof(Lufs(-16.0), Db(-0.3), {"a": Lufs(-16.0), "b": Lufs(-12.0)}, {}, {"a": Db(-1.4), "sting:b": Db(-1.4), "b": Db(-0.5), name: Db(-0.3)})
    assert list(corrections(beside(1.0), hot)) == [name]
    assert len(list(misses(beside(1.0), hot))) == 1


@pytest.mark.parametrize(
    "proof",
    [
        heard(a=-17.0),
        heard(-16.3),
        heard(peaks={"music:intro": -0.5}),
        heard(peaks={"music:intro": -0.5, "a": -0.5}),
        heard(peaks=dict.fromkeys("abc", 0.5)),
    ],
    ids=["section", "whole", "quiet intro", "quiet intro beside a loud section", "peaks"],
)
def test_every_correction_changes_what_is_heard(proof: Proof) -> None:
    # what changes nothing would be asked for again and again
    before = planned()
    for name, trim in corrections(before, proof).items():
        assert plan.sound(planned({name: trim})) != plan.sound(before), name


# -- when it is given up ----------------------------------------------------------------------------------------------------------


def test_what_misses_is_said_in_plain_words() -> None:
    assert list(misses(planned(), heard(-16.4))) == ["the programme is at -16.40 LUFS, asked were -16 within 0.3"]
    assert list(misses(planned(), heard(a=-16.6, c=-15.4))) == ["c is 1.20 LU louder than a; 1 are allowed"]
    assert list(misses(planned(), heard(peaks={"b": -0.91}))) == ["b: true peak is -0.91 dBTP, asked were at most -1"]
    assert len(list(misses(planned(), heard(-17.0, a=-19.0, peaks={"b": 0.0, "music:intro": 0.0})))) == 4


def test_where_music_pulls_the_whole_away_the_hint_is_about_music() -> None:
    by_hand = "say a section's gain, or chain: linear, if it is no voice"
    of_music = f"its music is at -18 LUFS: say a music.level nearer to -16; or {by_hand}"
    assert verdict.remedy(planned(), heard(-18.0)) == of_music
    # too loud: not of quiet music; a section off: not of music at all
    assert verdict.remedy(planned(), heard(-15.0)) == by_hand
    assert verdict.remedy(planned(), heard(a=-18.0)) == by_hand
    quieter = episode(section("a"), settings=Settings(loudness=Loudness(target=-23.0)))
    with_intro = made(quieter, (fact("music:intro", 12.0, kind="intro", gap=0.0), fact("a", of=quieter.sections[0])))
    assert verdict.remedy(with_intro, heard(-22.0)) == f"its music is at -18 LUFS: say a music.level nearer to -23; or {by_hand}"
    assert verdict.remedy(made(quieter, (fact("a", of=quieter.sections[0]),)), heard(-22.0)) == by_hand


@pytest.mark.parametrize(
    ("proof", "good"), [(heard(-16.29), True), (heard(-16.31), False), (heard(a=-16.5, b=-15.5), True), (heard(a=-16.51, b=-15.5), False)]
)
def test_what_is_allowed_is_no_miss(proof: Proof, good: bool) -> None:
    assert (list(misses(planned(), proof)) == []) == good


def test_the_target_and_the_ceiling_are_the_episodes_own() -> None:
    one = episode(section("a"), settings=Settings(loudness=Loudness(target=-19.0, true_peak=-2.0)))
    made_so = made(one, (fact("a", of=one.sections[0], peak=-5.0),))
    proof = Proof(Lufs(-16.0), Db(-1.5), {"a": Lufs(-16.0)}, {}, {"a": Db(-1.5)})
    assert corrections(made_so, proof) == {"a": Trim(Db(-3.0), Db(-0.6))}
    assert len(list(misses(made_so, proof))) == 2


def test_a_correction_that_changes_nothing_is_made_once() -> None:
    asked: list[int] = []

    def joinable(_episode: object, _facts: object, _build: object, trims: dict[str, Trim], rounds: int) -> Plan:
        asked.append(rounds)
        return planned(trims, rounds)

    # of the quiet intro there is nothing to take down: its plan is the plan of before
    store = SimpleNamespace(value=lambda _key: {"music:intro": {"gain": 0.0, "ceiling": -0.3}})
    builder: Any = SimpleNamespace(_joinable=joinable, store=store)
    found = pipeline.Builder._planned(builder, planned().episode, planned().facts, "build")
    assert (found.round, asked) == (1, [0, 1])


def judged(rounds: int, proof: Proof) -> None:
    builder: Any = SimpleNamespace(build=Path("build"))
    pipeline.Builder._judge(builder, planned(rounds=rounds), proof)


def test_a_file_is_corrected_three_times_at_most_and_then_refused() -> None:
    assert verdict.ROUNDS == 3
    for rounds in range(3):
        with pytest.raises(pipeline._Missed):
            judged(rounds, heard(a=-18.0))
    with pytest.raises(StepsFailed) as caught:
        judged(3, heard(a=-18.0))
    (problem,) = caught.value.problems
    assert problem.message == "episode-14: loudness: b is 2.00 LU louder than a; 1 are allowed"
    assert problem.hint
    # off, but as far as is allowed
    judged(3, heard(a=-16.45))
    judged(0, heard())
