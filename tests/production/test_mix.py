"""What sounds together: overlaps that end on a frame, and rooms that fill the gaps to the sample and leave the sections beside them alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from audio import render
from audio.chain import Room, Wishes
from audio.pcm import Pcm, Take
from audio.profile import STEP
from audio.render import Material, Under
from audio.runs import OPENING
from audio.strip import Strip
from audio.timeline import Placed
from audio.units import FRAME, RATE, Db, Lufs, Samples
from production import mix
from production.mix import Trim
from production.model import Episode, Fades, Layout, Music, Section, Settings
from production.plan import Plan
from production.survey import Fact
from tests.audio.held import Held
from tests.production.test_plan import episode, fact, made, section

ROOM = Room(Samples(10_000), Samples(100_000), Lufs(-64.0))
"""Of a section whose gain is 4 dB: at -60 LUFS it is heard."""
LAP = RATE // 5


def of(*sections: Section, **layout: Any) -> Episode:
    return episode(*sections, settings=Settings(layout=Layout(**layout), fades=Fades(fade_in=0.01, fade_out=0.05)))


def named(planned: Plan, kind: str) -> list[Placed]:
    return [one for one in planned.programme.placed if one.segment.kind == kind]


# -- what overlaps ----------------------------------------------------------------------------------------------------------------


@examples(max_examples=50)
@given(st.floats(0.5, 20), st.floats(0.5, 20), st.floats(0.5, 20), st.floats(0, 10), st.sampled_from([None, 0.0, 0.7, 4.0]))
def test_sections_that_overlap_do_so_in_whole_frames(a: float, b: float, c: float, crossfade: float, own: float | None) -> None:
    sections = (section("a"), section("b"), section("c", crossfade=own))
    facts = [fact(s.slug, seconds, of=s) for s, seconds in zip(sections, (a, b, c), strict=True)]
    planned = made(of(*sections, crossfade=crossfade, grid=0), tuple(facts))
    placed = {one.segment.name: one for one in planned.programme.placed}
    found = mix.overlaps(planned.episode, facts)
    for (before, after), wanted in zip(pairwise(facts), (crossfade, crossfade if own is None else own), strict=True):
        first, second = placed[before.input.name], placed[after.input.name]
        assert second.start % FRAME == 0
        if round(wanted * RATE) == 0:
            assert after.input.name not in found
            assert second.start - first.end >= 2 * RATE - FRAME
            continue
        one = found[after.input.name]
        # as long as asked for, or half of the shorter one, and less than a frame more
        size = min(round(wanted * RATE), mix.length(before) // 2, mix.length(after) // 2)
        assert size <= one.length < size + FRAME
        assert second.start == first.end
        assert first.segment.length == mix.length(before) - one.length
        (tail,) = planned.materials[after.input.name].under
        assert (tail.at, tail.length, tail.fade_out) == (0, one.length, one.length)
        # it goes on where the section before was left
        assert tail.first == planned.materials[before.input.name].edit.end
        assert (tail.samples, tail.gain, tail.strip) == (before.samples, Db(4.0), before.measured.strip)
        assert planned.materials[after.input.name].edit.fade_in == one.length
        assert planned.materials[before.input.name].edit.fade_out == 0


def test_two_that_overlap_are_one_sound_of_even_power() -> None:
    chance = np.random.default_rng(3)
    held = {f"samples of {name}": Held(0.1 * chance.standard_normal((6 * RATE, 1))) for name in "ab"}
    sections = (section("a"), section("b"))
    planned = made(of(*sections, crossfade=1.0), tuple(fact(s.slug, 6.0, of=s, peak=-30.0) for s in sections))
    a, b = (
        replace(planned.materials[name], edit=replace(planned.materials[name].edit, ceiling=None, fade_in=length)) for name, length in SEAM(planned)
    )
    sound = np.concatenate([block for one in (a, b) for block in render.sounding(one, lambda name, _take: held[name], 0, one.edit.length)])
    assert len(sound) == a.edit.length + b.edit.length
    power = np.square(sound[RATE : 10 * RATE, 0], dtype="f8").reshape(-1, RATE // 10).mean(axis=1)
    assert np.abs(10 * np.log10(power / power.mean())).max() < 0.4
    # before the overlap and after it there is one of them alone, to the sample
    whole, gain = held["samples of a"].sound[:, 0].astype("f8"), 10 ** (4 / 20)
    assert np.abs(sound[RATE : a.edit.length, 0] - gain * whole[RATE : a.edit.length]).max() < 1e-6
    later = held["samples of b"].sound[:, 0].astype("f8")
    assert np.abs(sound[a.edit.length + 2 * RATE : 9 * RATE, 0] - gain * later[2 * RATE : 9 * RATE - a.edit.length]).max() < 1e-6


def SEAM(planned: Plan) -> list[tuple[str, Samples]]:  # noqa: N802
    """The fades into either section."""
    return [(name, planned.materials[name].edit.fade_in) for name in "ab"]


def test_with_a_sting_between_them_sections_do_not_overlap() -> None:
    a, b = section("a"), section("b")
    facts = (fact("a", of=a), fact("sting:b", 2.0, kind="sting"), fact("b", of=b, gap=0.5))
    planned = made(of(a, b, crossfade=3.0), facts)
    assert mix.overlaps(planned.episode, facts) == {}
    assert planned.materials["b"].under == ()


def test_the_intro_goes_on_under_the_first_section_only_when_it_is_asked_to() -> None:
    a = section("a")
    facts = (fact("music:intro", 12.0, kind="intro"), fact("a", of=a))
    plain = made(episode(a), facts)
    assert plain.programme.find("music:intro").segment.length == 12 * RATE
    planned = made(episode(a, settings=Settings(music=Music(intro_under=5.0))), facts)
    intro, first = (planned.programme.find(name) for name in ("music:intro", "a"))
    assert first.start == intro.end
    assert 7 * RATE - FRAME < intro.segment.length <= 7 * RATE
    # nothing is faded in: what is under the first words is given by who knows both profiles
    assert planned.materials["a"].edit.fade_in == plain.materials["a"].edit.fade_in


def test_what_has_something_under_it_is_held_under_the_ceiling() -> None:
    a = section("a")
    quiet = (fact("a", of=a, peak=-40.0),)
    layer = Under("m", quiet[0].take, *(Samples(n) for n in (RATE, 0, 0, RATE, 0, 0, RATE)), gain=Db(0.0))
    assert mix.materials(episode(a), quiet, 2, {}, {})["a"].edit.ceiling is None
    assert mix.materials(episode(a), quiet, 2, {"a": (layer,)}, {})["a"].edit.ceiling == -2.5
    assert mix.materials(episode(a), quiet, 2, {"a": (layer,)}, {"a": Trim(ceiling=Db(-0.4))})["a"].edit.ceiling == -2.9


# -- one segment ------------------------------------------------------------------------------------------------------------------


def test_a_correction_is_added_to_the_gain_and_to_the_ceiling() -> None:
    a, b = section("a"), section("b")
    facts = (fact("a", of=a, peak=-5.0), fact("b", of=b, peak=-20.0))
    found = mix.materials(episode(a, b), facts, 2, {}, {"a": Trim(Db(-0.55), Db(-0.3)), "b": Trim(Db(0.4), Db(-0.3))})
    assert (found["a"].edit.gain, found["a"].edit.ceiling) == (3.45, -2.8)
    assert (found["b"].edit.gain, found["b"].edit.ceiling) == (4.4, None)


def test_of_a_section_without_a_chain_no_sample_is_touched() -> None:
    a, b = section("a"), section("b", fade_out=1.0)
    facts = tuple(fact(s.slug, of=s, peak=0.0, wishes=Wishes(chain="none"), gain=Db(0.0)) for s in (a, b))
    found = mix.materials(of(a, b), facts, 2, {}, {})
    assert (found["a"].edit.ceiling, found["a"].edit.fade_in, found["a"].edit.fade_out) == (None, 0, 0)
    # unless it is said of this one
    assert (found["b"].edit.fade_in, found["b"].edit.fade_out) == (0, RATE)


def test_a_recording_that_ends_within_a_word_fades_for_no_longer_than_a_click_takes() -> None:
    a, b = section("a"), section("b", fade_out=1.0)
    facts = tuple(replace(one, measured=replace(one.measured, cut_off=True)) for one in (fact(s.slug, of=s) for s in (a, b)))
    found = mix.materials(of(a, b), facts, 2, {}, {})
    assert found["a"].edit.fade_out == RATE * 5 // 1000
    # unless it is said of this one
    assert found["b"].edit.fade_out == RATE


# -- the tone of a room -----------------------------------------------------------------------------------------------------------


def roomy(gap: float, *, rooms: str = "ab", sting: float | None = None, intro: bool = False, outro: bool = False, **layout: Any) -> Plan:
    """Two sections with a gap between them, in rooms that are heard."""
    a, b = section("a"), section("b", gap=gap)
    listed: list[Fact] = [fact("music:intro", 3.0, kind="intro")] if intro else []
    listed.append(fact("a", 20.0, of=a, gap=2.0 if intro else 0.0, room=ROOM if "a" in rooms else None))
    if sting is not None:
        listed += [fact("sting:b", sting, kind="sting", gap=gap), fact("b", 20.5, of=b, gap=0.5, room=ROOM if "b" in rooms else None)]
    else:
        listed.append(fact("b", 20.5, of=b, gap=gap, room=ROOM if "b" in rooms else None))
    if outro:
        listed.append(fact("music:outro", 3.0, kind="outro"))
    return made(of(a, b, **{"grid": 0, **layout}), tuple(listed))


def cover(planned: Plan, start: int, end: int) -> list[tuple[int, int]]:
    """The stretches of the gap [start, end) in which a room or a sting sounds."""
    return [(one.start, one.end) for one in planned.programme.placed if one.start >= start and one.end <= end and one.segment.kind != "section"]


gaps = st.one_of(st.floats(0.03, 1.2), st.floats(1.2, 30))


@examples(max_examples=60)
@given(gaps, st.sampled_from(["ab", "a", "b"]), st.sampled_from([None, 0.2, 1.7]))
def test_rooms_fill_a_gap_to_the_sample_and_never_twice(gap: float, rooms: str, sting: float | None) -> None:
    planned = roomy(gap, rooms=rooms, sting=sting)
    start, end = planned.programme.find("a").end, planned.programme.find("b").start
    found = cover(planned, start, end)
    assert all(before[1] <= after[0] for before, after in pairwise(found))
    if rooms == "ab" and end - start >= FRAME:
        assert [at for stretch in found for at in stretch] == sorted([start, *(2 * [at for _, at in found[:-1]]), end])
    # a room alone is heard next to its section, and then no more
    if rooms != "ab" and end - start >= FRAME:
        tones = [(one.start, one.end) for one in named(planned, "tone") if start <= one.start < end]
        if rooms == "a":
            assert found[0][0] == start
            assert tones[-1][1] <= start + RATE + RATE // 4
        else:
            assert found[-1][1] == end
            assert tones[0][0] >= end - RATE - RATE // 4
    for one in named(planned, "tone"):
        material = planned.materials[one.segment.name]
        assert (material.take, material.edit.length) == (None, one.segment.length)
        assert material.under
        assert planned.contents[one.segment.name]


def sounds(planned: Plan, start: int, end: int, held: Mapping[str, Pcm]) -> np.ndarray:
    """Samples of the programme, as they are rendered."""
    out = np.zeros((end - start, 2))
    for one in planned.programme.placed:
        first, last = max(start, one.start), min(end, one.end)
        if first < last:
            blocks = list(render.sounding(planned.materials[one.segment.name], partial(_held, held), first - one.start, last - one.start))
            out[first - start : last - start] = np.concatenate(blocks)
    return out


def _held(held: Mapping[str, Pcm], name: str, _take: Take) -> Pcm:
    return held[name]


ROOMS = {
    f"samples of {name}": Held(np.repeat(level * np.random.default_rng(seed).standard_normal((21 * RATE, 1)), 2, axis=1))
    for name, level, seed in (("a", 0.01, 1), ("b", 0.01, 2), ("sting:b", 0.0, 3), ("music:intro", 0.0, 4), ("music:outro", 0.0, 5))
}


def levels(sound: np.ndarray, width: int = RATE // 20) -> np.ndarray:
    """dB of each 50 ms, over that of the rooms."""
    power = np.square(sound[: len(sound) // width * width], dtype="f8").reshape(-1, width * 2).mean(axis=1)
    with np.errstate(divide="ignore"):
        return 10 * np.log10(power / (0.01 * 10 ** (4 / 20)) ** 2)


@pytest.mark.parametrize("gap", [0.1, 0.4, 0.53, 0.6, 1.0, 1.49, 1.6, 2.0, 7.77])
@pytest.mark.parametrize("sting", [None, 0.3])
def test_between_two_rooms_there_is_no_hole_and_no_step(gap: float, sting: float | None) -> None:
    planned = roomy(gap, sting=sting)
    start, end = planned.programme.find("a").end, planned.programme.find("b").start
    # the sections here are nothing but room: where the gap begins and where it ends nothing is heard of it, though sections fade
    found = levels(sounds(planned, start - RATE, end + RATE, ROOMS))
    assert found.min() > -1.2
    assert found.max() < 1.2


def test_a_room_alone_fades_within_a_second_and_the_rest_is_silence() -> None:
    planned = roomy(10.0, rooms="a")
    start, end = planned.programme.find("a").end, planned.programme.find("b").start
    found = sounds(planned, start, end, ROOMS)
    assert np.abs(levels(found[: RATE // 4])).max() < 1.2
    assert not found[RATE // 4 + RATE :].any()
    assert levels(found[RATE : RATE // 4 + RATE])[-1] < -10
    planned = roomy(10.0, rooms="b")
    found = sounds(planned, end - 10 * RATE, end, ROOMS)
    assert not found[: len(found) - RATE - RATE // 4].any()
    assert np.abs(levels(found[len(found) - RATE // 4 :])).max() < 1.2


@pytest.mark.parametrize(("kind", "gap"), [("intro", 0.53), ("intro", 4.0), ("outro", 0.53), ("outro", 4.0)])
def test_beside_music_a_room_begins_and_ends_at_its_own_section(kind: str, gap: float) -> None:
    planned = roomy(2.0, **{kind: True}) if kind == "outro" else made_with_intro(gap)
    tones = named(planned, "tone")
    music = planned.programme.find(f"music:{kind}")
    beside = planned.programme.find("b" if kind == "outro" else "a")
    near = [one for one in tones if one.start >= beside.end or one.end <= beside.start]
    between = [one for one in near if (beside.end <= one.start < music.start) or (music.end <= one.start < beside.start)]
    assert between
    assert {one.samples for tone in between for one in planned.materials[tone.segment.name].under} == {f"samples of {beside.segment.name}"}
    # before the intro and after the outro there is none
    assert not [one for one in tones if one.start >= music.end and kind == "outro"]
    assert not [one for one in tones if one.end <= music.start and kind == "intro"]


def made_with_intro(gap: float) -> Plan:
    a = section("a")
    return made(of(a, grid=0), (fact("music:intro", 3.0, kind="intro"), fact("a", 20.0, of=a, gap=gap, room=ROOM)))


def test_after_the_last_section_its_room_fades_before_the_end() -> None:
    planned = roomy(2.0, tail=3.0)
    start = planned.programme.find("b").end
    found = sounds(planned, start, planned.programme.length, ROOMS)
    assert np.abs(levels(found[: RATE // 4])).max() < 1.2
    assert not found[RATE // 4 + RATE :].any()


@pytest.mark.parametrize("gap", [0.6, 2.0])
def test_a_sting_sounds_in_the_room(gap: float) -> None:
    planned = roomy(gap, sting=1.5)
    sting = planned.programme.find("sting:b")
    under = planned.materials["sting:b"].under
    assert {one.samples for one in under} <= {"samples of a", "samples of b"}
    assert under
    # the rooms go on in it: their layers begin and end where they do in the pieces around it
    start, end = planned.programme.find("a").end, planned.programme.find("b").start
    around = [one for one in named(planned, "tone") if start < one.start < end]
    assert around[0].start < sting.start < around[-1].start
    lives = {(one.start + layer.at, layer.length, layer.samples) for one in (sting, *around) for layer in planned.materials[one.segment.name].under}
    assert len(lives) == 2


# -- what another gap leaves alone ------------------------------------------------------------------------------------------------


def own_keys(planned: Plan, name: str) -> list[str]:
    """The keys of a section's chunks, but for the one that holds its opening and what stands before it."""
    (number, run) = next((number, run) for number, run in enumerate(planned.runs) if name in {part.name for part in run.parts})
    part = next(part for part in run.parts if part.name == name)
    opening = part.offset // FRAME + (OPENING if part.offset else 0)
    ends = -(-(part.offset + part.length) // FRAME)
    found = [planned.keys[chunk] for chunk in planned.chunks[number] if opening <= chunk.first < ends]
    assert found
    return found


@pytest.mark.parametrize("sting", [None, 1.3])
@pytest.mark.parametrize("gap", [0.6, 1.0, 1.7, 3.0, 9.01])
def test_another_gap_changes_the_keys_of_neither_section(gap: float, sting: float | None) -> None:
    usual, other = roomy(2.0, sting=sting), roomy(gap, sting=sting)
    assert len(usual.runs) == 1
    for name in "ab":
        assert own_keys(usual, name) == own_keys(other, name)
    # but of what stands between them, and of the first four seconds of the later one
    changed = set(usual.keys.values()) - set(other.keys.values())
    assert len(changed) == 1


def test_another_sting_or_another_section_after_it_changes_nothing_of_a_section() -> None:
    usual = roomy(2.0, sting=1.3)
    assert own_keys(roomy(2.0, sting=2.2), "a") == own_keys(roomy(2.0), "a") == own_keys(usual, "a")
    assert own_keys(roomy(2.0, sting=2.2), "b") == own_keys(roomy(2.0), "b") == own_keys(usual, "b")
    assert own_keys(roomy(2.0, outro=True), "a") == own_keys(usual, "a")


@pytest.mark.parametrize("gap", [0.6, 1.3, 5.0])
def test_for_a_quarter_of_a_second_the_room_is_the_same_however_long_the_gap(gap: float) -> None:
    usual, other = roomy(2.0), roomy(gap)
    ends = [planned.programme.find("a").end for planned in (usual, other)]
    first, second = (sounds(planned, end - RATE, end + RATE // 4, ROOMS) for planned, end in zip((usual, other), ends, strict=True))
    assert first.tobytes() == second.tobytes()
    # it is a segment of its own
    assert [one.segment.length for planned in (usual, other) for one in named(planned, "tone")[:1]] == [RATE // 4] * 2


def test_a_gap_without_rooms_is_silence_and_takes_its_sections_apart() -> None:
    for planned in (roomy(2.0, rooms=""), roomy(2.0, room_tone=False)):
        assert named(planned, "tone") == []
        assert len(planned.runs) == 2
        assert all(not one.under for one in planned.materials.values())


# -- which rooms are heard --------------------------------------------------------------------------------------------------------


def _with(**found: Any) -> Plan:
    """Two sections, of the first of which this is known."""
    a, b = section("a"), section("b")
    return made(of(a, b), (fact("a", of=a, gap=0.0, **{"room": ROOM, **found}), fact("b", of=b)))


@pytest.mark.parametrize(
    ("found", "heard"),
    [
        ({}, True),
        ({"room": None}, False),
        # as loud as it is after its gain: noise that is a fault is not spread, and what is as good as silence is none
        ({"room": replace(ROOM, level=Lufs(-45.5))}, False),
        ({"room": replace(ROOM, level=Lufs(-46.5))}, True),
        ({"gain": Db(23.0)}, False),
        ({"room": replace(ROOM, level=Lufs(-94.5))}, False),
        ({"room": replace(ROOM, level=Lufs(-93.5))}, True),
        ({"wishes": Wishes(chain="none"), "gain": Db(0.0)}, False),
        # what the fader does to it at the edges counts
        ({"room": replace(ROOM, closes=Db(20.0))}, False),
        ({"room": replace(ROOM, opens=Db(20.0))}, False),
        ({"room": replace(ROOM, opens=Db(-20.0), closes=Db(10.0))}, True),
    ],
)
def test_a_room_is_heard_when_it_is_neither_a_fault_nor_nothing(found: dict[str, Any], heard: bool) -> None:
    assert bool(named(_with(**found), "tone")) == heard


def test_a_room_is_as_loud_as_the_pauses_beside_the_gap_and_goes_round() -> None:
    room = replace(ROOM, opens=Db(-1.5), closes=Db(-3.0))
    strip = Strip(high_pass=80.0, ride="a curve", deess="another")
    a, b = section("a"), section("b")
    planned = made(of(a, b), tuple(fact(s.slug, 20.0, of=s, gap=gap, room=room, strip=strip) for s, gap in ((a, 0.0), (b, 2.0))))
    end = planned.programme.find("b").start
    inside = [planned.materials[one.segment.name].under for one in named(planned, "tone") if one.start < end]
    after, before = inside[0], inside[-1]
    for layer, gain in ((after[0], 1.0), (before[-1], 2.5)):
        assert layer.gain == gain
        # the fader follows a voice, and there is none
        assert layer.strip == Strip(high_pass=80.0)
        assert (layer.first, layer.start, layer.end, layer.lap) == (ROOM.start + LAP, ROOM.start + LAP, ROOM.end, LAP)
    assert (after[0].samples, before[-1].samples) == ("samples of a", "samples of b")


def test_a_short_room_has_a_short_lap() -> None:
    planned = _with(room=Room(Samples(STEP), Samples(40 * STEP), Lufs(-64.0)))
    layer = planned.materials[named(planned, "tone")[0].segment.name].under[0]
    assert layer.lap == 13 * STEP
    assert layer.start - layer.lap == STEP
    assert layer.end == 40 * STEP


def test_a_room_is_found_in_a_take_that_begins_later() -> None:
    a, b = section("a"), section("b")
    late = fact("a", 20.0, of=a, gap=0.0, room=ROOM, start=Samples(5 * RATE), end=Samples(25 * RATE))
    late = replace(late, take=replace(late.take, start=Samples(5 * RATE)))
    planned = made(of(a, b, grid=0), (late, fact("b", 20.0, of=b, gap=2.0)))
    layer = planned.materials[named(planned, "tone")[0].segment.name].under[0]
    # its place is counted from the in point
    assert (layer.start, layer.end) == (ROOM.start + LAP, ROOM.end)
    material: Material = planned.materials["a"]
    assert material.under[-1].at + material.under[-1].length == material.edit.length + RATE // 4
