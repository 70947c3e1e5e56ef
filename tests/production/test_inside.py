"""Markers become chapters where that is asked for, and cues one transcript: what is left out is said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from audio.chapters import check_list
from audio.cues import Cue
from audio.marker import Marker
from audio.units import RATE, Samples
from production import inside, plan, transcripts
from production.beside import Beside, Removal
from production.inside import Inside
from production.model import Chapters, Episode, Layout, Section, Settings
from production.plan import Plan
from tests.production.test_plan import episode, fact, made, section

GAPS = Layout(grid=0, room_tone=False)


def marker(at: float, title: str, end: float | None = None) -> Marker:
    return Marker(title, Samples(round(at * RATE)), None if end is None else Samples(round(end * RATE)))


def cut(start: float, end: float) -> Removal:
    return Removal(Samples(round(start * RATE)), Samples(round(end * RATE)), None)


def an_episode(*sections: Section, inside: str = "list", **keys: Any) -> Episode:
    return episode(*sections, settings=Settings(chapters=Chapters(inside=inside), layout=GAPS), **keys)  # type: ignore[arg-type]


def planned(one: Episode, said: dict[str, Beside], **found: Any) -> Plan:
    """The plan of an episode without music, whose recordings take 60 seconds as they are decoded: without what was cut out."""
    facts = [fact(each.slug, of=each, gap=0.0 if index == 0 else 2.0, **found) for index, each in enumerate(one.sections)]
    return made(one, tuple(replace(each, input=replace(each.input, beside=said.get(each.input.name, Beside()))) for each in facts))


def placed(one: Episode, said: dict[str, Beside], **found: Any) -> tuple[Plan, Inside]:
    what = planned(one, said, **found)
    listed = inside.inside(what, plan.chapters(what, {}))
    check_list(listed.chapters)
    return what, listed


def chapters(found: Inside) -> list[tuple[str, float]]:
    return [(one.slug, one.start / RATE) for one in found.chapters]


def test_a_marker_goes_where_its_sound_went() -> None:
    one = an_episode(section("a"), section("b"))
    said = {
        "a": Beside((marker(12.5, "One"), marker(30, "Two", 41)), "a.txt", cuts=(cut(20, 25), cut(40, 42))),
        "b": Beside((marker(5.0001, "Three"),), "embedded"),
    }
    what, found = placed(one, said)
    b = what.programme.find("b").start
    assert chapters(found) == [("a", 0), ("a.1", 12.5), ("a.2", 25), ("b", b / RATE), ("b.1", (b + 240_005) / RATE)]
    assert [(m.title, m.start, m.end, m.source) for m in found.markers["a"]] == [
        ("One", 12.5 * RATE, None, "a.txt"),
        # it ends where the cut begins
        ("Two", 25 * RATE, 35 * RATE, "a.txt"),
    ]
    assert (found.notes, [one.slug for one in found.sections]) == ((), ["a", "b"])
    assert found.chapters[2].end == found.chapters[3].start
    assert [one.end for one in found.sections] == [found.sections[1].start, what.programme.length]


def test_what_lies_in_what_is_not_heard_is_moved_or_left_out_and_that_is_said() -> None:
    one = an_episode(section("a", start=2.0), inside="report")
    listed = (marker(1, "before in"), marker(2.5, "trimmed"), marker(21, "cut"), marker(23, "cut too"), marker(80, "after"))
    # Five seconds were cut out; of what is left, 3 to 50 is heard: the map counts from before the cut.
    found = placed(one, {"a": Beside(listed, "a.txt", cuts=(cut(20, 25),))}, start=Samples(3 * RATE), end=Samples(50 * RATE))[1]
    assert [(m.title, m.start / RATE, m.moved, m.chapter) for m in found.markers["a"]] == [("trimmed", 0, True, False), ("cut too", 17, True, False)]
    assert found.outside == {"a": 1}
    assert [note.split("; ")[0] for note in found.notes] == [
        "a: marker 'cut' lies in a cut before 'cut too'",
        "a: marker 'after' lies in what is not heard of the recording",
    ]
    assert len(found.chapters) == 1


def test_chapters_are_a_second_apart_at_least() -> None:
    one = an_episode(section("a"), section("b"))
    close = (marker(0, "Start"), marker(1, "One"), marker(1.999, "Too"), marker(2, "Two"), marker(59.5, "Nearly b"), marker(61.5, "Past"))
    what, found = placed(one, {"a": Beside(close, "a.txt"), "b": Beside((marker(0.5, "Soon"),), "b.txt")})
    assert [m.title for m in found.markers["a"] if m.chapter] == ["One", "Two", "Nearly b"]
    assert what.programme.find("b").start > 61.4 * RATE
    assert [note for note in found.notes if "less than a second" in note] == [
        f"{name}: marker '{title}' is less than a second from another chapter; it is none itself"
        for name, title in (("a", "Start"), ("a", "Too"), ("b", "Soon"))
    ]
    # silence after a section is none of its recording
    assert any("'Past' lies in what is not heard" in note for note in found.notes)


def test_no_list_holds_more_than_255() -> None:
    one = an_episode(*(section(f"s{n}") for n in range(5)))
    many = tuple(marker(1 + at * 0.1, f"M{at}") for at in range(580) if at % 11 == 0)
    found = placed(one, {each.slug: Beside(many, "x.txt") for each in one.sections})[1]
    assert len(found.chapters) == 255
    assert [one.slug for one in found.sections] == [each.slug for each in one.sections]
    assert len([note for note in found.notes if "more than chapter 255" in note]) == 5 * len(many) + 5 - 255


@pytest.mark.parametrize(
    ("shown", "own", "listed"), [("report", None, False), ("report", "list", True), ("list", "report", False), ("list", None, True)]
)
def test_a_section_says_itself_what_becomes_of_its_markers(shown: str, own: Any, listed: bool) -> None:
    found = placed(an_episode(section("a", inside=own), inside=shown), {"a": Beside((marker(5, "x"),), "a.txt")})[1]
    assert (len(found.chapters) == 2) is listed
    assert [m.chapter for m in found.markers["a"]] == [listed]


def test_a_tail_that_sounds_on_under_the_next_section_keeps_its_place() -> None:
    one = episode(section("a"), section("b"), settings=Settings(layout=replace(GAPS, crossfade=5.0), chapters=Chapters(inside="list")))
    cues = (Cue(Samples(58 * RATE), Samples(59 * RATE), "in the tail"),)
    what = planned(one, {"a": Beside((marker(58, "Tail"),), "a.txt", cues, "a.vtt")})
    assert what.programme.find("b").start < 58 * RATE
    # the words are heard there; the mark is in the next chapter, and so is none
    assert [cue.start for cue in transcripts.spoken(what).cues] == [58 * RATE]
    found = inside.inside(what, plan.chapters(what, {}))
    assert (found.markers, len(found.notes)) == ({}, 1)


# -- transcripts -------------------------------------------------------------------------------------------------------------------------


def cue(start: float, end: float, text: str, speaker: str = "") -> Cue:
    return Cue(Samples(round(start * RATE)), Samples(round(end * RATE)), text, speaker)


def test_transcripts_are_joined_and_what_is_lacking_is_said() -> None:
    one = an_episode(section("a", speaker="Ann"), section("b"), section("c"), transcript="said.vtt")
    said = {
        "a": Beside(cues=(cue(1, 2, "x"), cue(19, 21, "y", "Bob"), cue(21, 22, "gone")), cuts=(cut(20, 25),)),
        "c": Beside(cues=(cue(0, 1, "z"),)),
    }
    what = planned(one, said)
    found = transcripts.spoken(what)
    c = what.programme.find("c").start
    assert found.cues == (cue(1, 2, "x", "Ann"), cue(19, 20, "y", "Bob"), Cue(c, Samples(c + RATE), "z"))
    assert (found.sections, found.clipped, found.dropped) == (("a", "c"), 1, 1)
    assert found.notes == (
        "there is no transcript of b: that of the episode is silent there",
        "transcript: said.vtt is not used: the sections have their own",
    )
    assert list(transcripts.files(one, found)) == ["episode-14.vtt", "episode-14.srt", "episode-14.transcript.json"]


def test_without_a_word_there_is_no_transcript() -> None:
    one = an_episode(section("a"), transcript="said.vtt")
    found = transcripts.spoken(planned(one, {"a": Beside(cues=(cue(90, 91, "after the end"),))}))
    assert (found.cues, found.notes, transcripts.files(one, found)) == ((), (), {})


def test_what_is_said_about_a_recording_is_in_no_key_of_its_sound() -> None:
    one = an_episode(section("a"))
    silent, said = planned(one, {}), planned(one, {"a": Beside((marker(5, "x"),), "a.txt", (cue(1, 2, "x"),), "a.vtt")})
    assert plan.sound(said) == plan.sound(silent)
    before, now = plan.basis(silent), plan.basis(said)
    assert [reason.split(" None -> ")[0] for reason in plan.reasons(before, now)] == ["a: markers", "a: transcript"]
    assert all(reason.endswith("-> None") for reason in plan.reasons(now, before))
