"""The plan: what a chunk's key depends on (its sound) and what not (its place, its name), and why there is work."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from audio import runs
from audio.chain import PLAIN, Measured, Wishes
from audio.measure import Cut
from audio.pcm import Take
from audio.render import Edit, Under
from audio.source import Source
from audio.strip import Strip
from audio.timeline import SegmentKind
from audio.units import FRAME, RATE, Db, Lufs, Samples
from production import mix, plan
from production.inputs import Input
from production.model import Artwork, Encoding, Episode, Fades, Layout, Music, Section, Settings
from production.survey import Fact
from production.under import Beneath

BUILD = "ffmpeg version 5.1.9 Copyright\nconfiguration: --enable-libmp3lame"


def section(slug: str, **keys: Any) -> Section:
    return Section(**{"slug": slug, "title": slug.title(), "part": "cold-open", **keys})


def episode(*sections: Section, settings: Settings | None = None, **keys: Any) -> Episode:
    listed = sections or tuple(section(slug) for slug in ("a", "b", "c"))
    said = {"id": "episode-14", "number": 14, "series": "patterns", "title": "T", "summary": "S", "date": dt.date(2026, 1, 14), **keys}
    return Episode(**said, sections=listed, settings=settings or Settings())


def fact(
    name: str,
    seconds: float = 60.0,
    *,
    kind: SegmentKind = "section",
    of: Section | None = None,
    gap: float = 2.0,
    peak: float = -9.0,
    wishes: Wishes = PLAIN,
    **found: Any,
) -> Fact:
    """What is known of a recording; ``found`` is said of its `Measured`."""
    path = Path("recordings") / f"{name}.wav"
    length = Samples(round(seconds * RATE))
    one = Input(name, kind, path, path.name, None, Cut(), Samples(round(gap * RATE)), section=of, wishes=wishes)
    measured = replace(Measured(length, Samples(0), length, Lufs(-20.0), Db(peak), Db(4.0)), **found)
    take = Take(Source(path, "pcm_s24le", RATE, 1, seconds), 2)
    return Fact(one, f"digest of {name}", take, f"samples of {name}", measured, f"profile of {name}")


def facts(one: Episode, intro: bool = True, **seconds: float) -> tuple[Fact, ...]:
    listed = [fact(s.slug, seconds.get(s.slug, 60.0), of=s, gap=2.0 if s.gap is None else s.gap) for s in one.sections]
    return (fact("music:intro", 12.0, kind="intro", gap=0.0), *listed) if intro else tuple(listed)


def made(one: Episode, listed: tuple[Fact, ...] | None = None, **keys: Any) -> plan.Plan:
    return plan.make(one, listed or facts(one), **{"build": BUILD, "make_up": Db(0.45), **keys})


def keys_of(planned: plan.Plan) -> dict[str, list[str]]:
    """The keys of each segment's chunks (every segment here is a run of its own)."""
    return {run.parts[0].name: [planned.keys[chunk] for chunk in parts] for run, parts in zip(planned.runs, planned.chunks, strict=True)}


BEFORE = keys_of(made(episode()))


def changed(planned: plan.Plan, before: dict[str, list[str]] = BEFORE) -> set[str]:
    """The segments of which any chunk must be made again."""
    now = keys_of(planned)
    return {name for name in now if now[name] != before.get(name)}


def test_every_segment_is_a_run_with_keys_of_its_own() -> None:
    assert list(BEFORE) == ["music:intro", "a", "b", "c"]
    assert max(Counter(key for keys in BEFORE.values() for key in keys).values()) == 1


def test_a_section_has_the_same_keys_wherever_it_lies() -> None:
    one = episode(*(section(slug) for slug in ("c", "x", "a", "b")))
    assert changed(made(one)) == {"x"}
    # an intro that takes longer moves everything
    longer = (fact("music:intro", 33.3, kind="intro", gap=0.0), *facts(episode(), intro=False))
    assert changed(made(episode(), longer)) == {"music:intro"}


def test_words_are_in_no_key() -> None:
    sections = [section(slug, title="Another", summary="More", link="https://x.example", minutes=9) for slug in ("a", "b", "c")]
    one = episode(*sections, title="Another", summary="More", number=15, id="episode-15", keywords=("k",), explicit=True)
    assert changed(made(one)) == set()


def test_neither_a_path_nor_the_cover_nor_the_tail_is_in_a_key() -> None:
    settings = Settings(artwork=Artwork(colour="#000000"), layout=Layout(tail=9, grid=0))
    moved = tuple(
        replace(
            one,
            input=replace(one.input, path=Path("/else/where.wav"), label="x"),
            take=replace(one.take, source=replace(one.source, path=Path("/x"))),
        )
        for one in facts(episode())
    )
    assert changed(made(episode(settings=settings), moved)) == set()


def test_a_gap_moves_sections_and_makes_nothing_again() -> None:
    one = episode(section("a"), section("b", gap=9.0), section("c"))
    planned = made(one)
    assert planned.programme.find("b").start > made(episode()).programme.find("b").start
    assert changed(planned) == set()


@pytest.mark.parametrize(
    "change",
    [
        # the file's bytes and how they are decoded
        lambda one: replace(one, samples="samples of another take"),
        lambda one: replace(one, measured=replace(one.measured, gain=Db(4.1))),
        lambda one: replace(one, measured=replace(one.measured, start=Samples(480))),
        lambda one: replace(one, measured=replace(one.measured, peak=Db(-5.0))),
        lambda one: replace(one, input=replace(one.input, section=section("b", fade_in=1.0))),
        lambda one: replace(one, take=replace(one.take, start=Samples(480))),
        lambda one: replace(one, measured=replace(one.measured, strip=Strip(high_pass=80.0))),
        lambda one: replace(one, measured=replace(one.measured, strip=Strip(ride="another curve"))),
        # the end of what is known may be heard by a filter
        lambda one: replace(one, measured=replace(one.measured, length=Samples(61 * RATE))),
    ],
    ids=["content", "gain", "cut", "limiter", "fade", "where decoding begins", "high-pass", "curve", "length"],
)
def test_what_is_heard_of_a_section_changes_its_keys_and_no_others(change: Any) -> None:
    listed = tuple(change(one) if one.input.name == "b" else one for one in facts(episode()))
    assert changed(made(episode(), listed)) == {"b"}


@pytest.mark.parametrize(
    "said",
    [{"loudness": Lufs(-30.0)}, {"speech": 0.5}, {"noise": Lufs(-50.0)}, {"deessed": 0.5}, {"moved": (1.0, -1.0)}],
    ids=lambda said: next(iter(said)),
)
def test_what_is_only_said_of_a_section_is_in_no_key(said: dict[str, Any]) -> None:
    listed = tuple(replace(one, measured=replace(one.measured, **said)) for one in facts(episode()))
    assert changed(made(episode(), listed)) == set()


def test_what_plays_under_a_section_is_in_its_keys_and_what_corrects_it_too() -> None:
    listed = facts(episode())
    plays = Under("samples of music", listed[0].take, *(Samples(n) for n in (RATE, 0, 0, RATE, 0, 0, RATE)), gain=Db(-9.0))
    usual = keys_of(made(episode(), listed, under={"b": Beneath((plays,), ())}))
    assert changed(made(episode(), listed, under={"b": Beneath((plays,), ())})) == {"b"}
    for change in ({"gain": Db(-9.5)}, {"at": Samples(1)}, {"duck": "curve"}, {"samples": "of another"}, {"lap": Samples(5)}):
        assert changed(made(episode(), listed, under={"b": Beneath((replace(plays, **change),), ())}), usual) == {"b"}
    # how far the voice lies over it is only said
    assert changed(made(episode(), listed, under={"b": Beneath((plays,), (20.0, None))}), usual) == set()
    moved = replace(plays, take=replace(plays.take, source=replace(plays.take.source, path=Path("/elsewhere"))))
    assert changed(made(episode(), listed, under={"b": Beneath((moved,), ())}), usual) == set()
    assert changed(made(episode(), listed, trims={"a": mix.Trim(Db(0.5))})) == {"a"}
    # the ceiling of what is not limited is of no matter
    assert changed(made(episode(), listed, trims={"a": mix.Trim(ceiling=Db(-0.5))})) == set()


@pytest.mark.parametrize(
    "planned",
    [
        made(episode(), build=BUILD + " --another"),
        made(episode(), make_up=Db(0.44)),
        made(episode(settings=Settings(encoding=Encoding(bitrate=96)))),
        made(episode(settings=Settings(encoding=Encoding(channels="mono")))),
    ],
    ids=["encoder", "make-up", "bitrate", "channels"],
)
def test_another_encoder_makes_everything_again(planned: plan.Plan) -> None:
    assert changed(planned) == set(BEFORE)


def test_a_wide_pre_roll_makes_one_chunk_again() -> None:
    one = episode(section("a"))
    listed = facts(one, a=3.6 * runs.CHUNK * FRAME / RATE)
    usual, wide = (keys_of(made(one, listed, wide=frozenset(pairs)))["a"] for pairs in ((), ((1, runs.CHUNK),)))
    assert [a == b for a, b in zip(usual, wide, strict=True)] == [True, False, True, True]


def test_a_limiter_is_there_only_where_it_is_needed() -> None:
    quiet, loud = section("a"), section("b")
    one = episode(quiet, loud, settings=Settings(fades=Fades(fade_in=0.01, fade_out=0.05)))
    planned = made(one, (fact("a", of=quiet, peak=-7.6), fact("b", of=loud, peak=-7.4)))
    # true peak -1, a margin of 1.5, and nothing is limited that stays 1 dB under that
    assert mix.ceiling_of(one) == -2.5
    edits = {name: material.edit for name, material in planned.materials.items()}
    assert {name: (edit.gain, edit.ceiling) for name, edit in edits.items()} == {"a": (4.0, None), "b": (4.0, -2.5)}
    assert edits["a"] == Edit(Samples(0), Samples(60 * RATE), Db(4.0), None, Samples(480), Samples(2400), 2, known=Samples(60 * RATE))


def test_fades_of_a_short_section_do_not_meet() -> None:
    short = section("a", fade_in=5.0, fade_out=5.0)
    edit = made(episode(short), (fact("a", 2.0, of=short),)).materials["a"].edit
    assert (edit.fade_in, edit.fade_out) == (RATE, RATE)


def test_music_is_levelled_by_its_own_target() -> None:
    one = episode()
    intro, first, *_ = (fact.input for fact in facts(one))
    assert (plan.level_of(one, intro).target, plan.level_of(one, first).target) == (-18.0, -16.0)
    sting, bed, own = (
        fact(kind, kind=kind, of=of).input for kind, of in (("sting", None), ("bed", section("a")), ("bed", section("a", bed_level=-33)))
    )
    assert [plan.level_of(one, each).target for each in (sting, bed, own)] == [-18.0, -28.0, -33.0]
    louder = episode(settings=Settings(music=Music(level=-20, sting_level=-17, bed_level=-25)))
    assert [plan.level_of(louder, each).target for each in (intro, sting, bed, own)] == [-20.0, -17.0, -25.0, -33.0]


def test_a_plan_ends_after_its_tail_with_a_frame_for_the_decoder() -> None:
    planned = made(episode())
    last = planned.programme.find("c")
    assert last.end + RATE <= planned.programme.length < last.end + RATE + FRAME
    assert planned.frames == planned.programme.length // FRAME + 1
    marks = plan.chapters(planned, {"b": b"jpeg"})
    assert [(mark.slug, mark.title, mark.image) for mark in marks] == [("a", "A", None), ("b", "B", b"jpeg"), ("c", "C", None)]
    assert all(mark.start % (3 * RATE) == 0 for mark in marks)


# -- reasons ----------------------------------------------------------------------------------------------------------------------


def basis(planned: plan.Plan, **tags: str) -> dict[str, Any]:
    return {**plan.basis(planned), "tags": {"title": "T", **tags}}


NOW = basis(made(episode()))


def test_without_a_build_there_is_one_reason_and_without_a_change_none() -> None:
    assert plan.reasons(None, NOW) == ["not built before"]
    assert plan.reasons(NOW, NOW) == []


def swapped(**changes: Any) -> tuple[Fact, ...]:
    return tuple(replace(one, **changes) if one.input.name == "b" else one for one in facts(episode()))


B = facts(episode())[2]


@pytest.mark.parametrize(
    ("planned", "expected"),
    [
        (made(episode(), swapped(digest="new")), ["b: b.wav changed"]),
        (made(episode(), swapped(digest="new", input=replace(B.input, label="b2.wav"))), ["b: b.wav -> b2.wav"]),
        (made(episode(), swapped(input=replace(B.input, gap=Samples(3 * RATE)))), ["b: gap 2.0 -> 3.0"]),
        (made(episode(), swapped(measured=replace(B.measured, gain=Db(5.5)))), ["b: gain 4.0 -> 5.5"]),
        (
            made(episode(), swapped(measured=replace(B.measured, strip=Strip(1, (0.01,), 70.0)))),
            ["b: high-pass 0.0 -> 70.0", "b: repair [None, []] -> [1, [0.01]]"],
        ),
        (made(episode(settings=Settings(layout=Layout(tail=2.5)))), ["tail: 1.0 -> 2.5"]),
        (made(episode(settings=Settings(layout=Layout(room_tone=False)))), ["room_tone: True -> False"]),
        (made(episode(settings=Settings(encoding=Encoding(bitrate=96)))), ["bitrate: 128 -> 96"]),
        (made(episode(section("a"), section("c"), section("d"))), ["b is gone", "d is new"]),
        (
            made(episode(), build=BUILD.replace("5.1.9", "6.0")),
            ["encoder: ffmpeg version 5.1.9 Copyright -> ffmpeg version 6.0 Copyright"],
        ),
    ],
    ids=["recording", "another file", "gap", "gain", "strip", "layout", "room tone", "encoding", "sections", "encoder"],
)
def test_a_reason_says_what_was_and_what_is(planned: plan.Plan, expected: list[str]) -> None:
    assert plan.reasons(NOW, basis(planned)) == expected


def test_a_long_value_is_cut_in_a_reason() -> None:
    assert plan.reasons(NOW, basis(made(episode()), title="x" * 50)) == [f"title: T -> {'x' * 37}..."]
    # a receipt of an older version may lack anything
    assert plan.reasons({}, NOW)[-4:] == ["music:intro is new", "a is new", "b is new", "c is new"]
