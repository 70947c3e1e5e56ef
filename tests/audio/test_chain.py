"""What is done to a recording, decided from its profile: what it needs, what is wished for, and nothing to what nobody speaks in."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audio import chain, deess, loudness, ride, speech, tone
from audio.chain import PLAIN, Measured, Wishes, decide
from audio.leveling import Level
from audio.measure import Cut
from audio.pcm import Take
from audio.profile import STEP, Profile, from_curve
from audio.source import Source
from audio.strip import UNTOUCHED, Strip
from audio.units import RATE, Db, Lufs, Samples

LEVEL = Level(Lufs(-16.0), Db(-2.0), Db(40.0))
CUT = Cut()
STEPS = 1000
"""Ten seconds."""


def profile(lufs: float = -23.0, **said: Any) -> Profile:
    """A recording that is as loud throughout, with no rumble and no offset."""
    plain = {
        "length": Samples(STEPS * STEP),
        "peak": np.full(STEPS, lufs + 10, "f4"),
        "level": np.full(STEPS, lufs, "f4"),
        "treble": np.full(STEPS, lufs - 20, "f4"),
        "rumble": np.full(STEPS, -90.0, "f4"),
        "momentary": np.full(STEPS // 10, lufs, "f4"),
        "dc": (0.0, 0.0),
        "rms": (lufs, lufs),
        "lead": Samples(0),
        "trail": Samples(0),
    }
    return Profile(**{**plain, **said})


@pytest.fixture(autouse=True)
def classes(monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """What each 100 ms is taken for: speech throughout, until a test says otherwise. The modules that find out have tests of their own."""
    found = np.full(STEPS // 10, speech.SPEECH, "i1")
    monkeypatch.setattr(speech, "tell", lambda *_: found)
    monkeypatch.setattr(speech, "floor", lambda *_: -61.234)
    monkeypatch.setattr(tone, "find", lambda *_: None)
    monkeypatch.setattr(ride, "ride", lambda level, *_: np.zeros(len(level), "f4"))
    monkeypatch.setattr(deess, "deess", lambda level, *_: np.zeros(len(level), "f4"))
    return found


def decided(recording: Profile, cut: Cut = CUT, **wishes: Any) -> Measured:
    return decide(recording, cut, LEVEL, Wishes(**wishes), voice=True)


# -- edges ------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cut", "lead", "trail", "edges"),
    [
        (CUT, 2.0, 3.0, (1.85, 7.15)),
        # what starts at once is not cut, and the air is not counted twice
        (CUT, 0.1, 0.15, (0, 10)),
        (Cut(air=Samples(0)), 0.1, 0.15, (0.1, 9.85)),
        (Cut(trim=False), 2.0, 3.0, (0, 10)),
        (Cut(start=Samples(5 * RATE)), 2.0, 3.0, (6.85, 12.15)),
        (Cut(start=Samples(5 * RATE), trim=False), 2.0, 3.0, (5, 15)),
        # silence that meets itself is no edge
        (Cut(air=Samples(0)), 5.0, 5.0, (0, 10)),
    ],
)
def test_silence_is_cut_but_for_its_air_and_counted_from_the_start_of_the_recording(
    cut: Cut, lead: float, trail: float, edges: tuple[float, float]
) -> None:
    found = decided(profile(lead=Samples(round(lead * RATE)), trail=Samples(round(trail * RATE))), cut)
    assert (found.start / RATE, found.end / RATE) == pytest.approx(edges)
    assert found.length == STEPS * STEP


def test_what_is_cut_is_not_measured() -> None:
    momentary = np.full(STEPS // 10, -23.0, "f4")
    momentary[:20] = -10.0
    peak = np.full(STEPS, -13.0, "f4")
    peak[:200] = -1.0
    loud = profile(momentary=momentary, peak=peak, lead=Samples(2 * RATE + CUT.air))
    found = decided(loud)
    assert found.start == 2 * RATE
    assert (found.loudness, found.peak, found.gain) == (pytest.approx(-23.0), -13.0, pytest.approx(7.0))
    assert decided(loud, Cut(trim=False)).peak == -1.0


@pytest.mark.parametrize("steps", [10, 35, 39])
def test_what_is_too_short_for_a_whole_window_is_as_loud_as_its_loudest(steps: int) -> None:
    curves = {name: getattr(profile(), name)[:steps] for name in ("peak", "level", "treble", "rumble")}
    short = replace(profile(), length=Samples(steps * STEP), momentary=np.full(steps // 10, -25.0, "f4"), **curves)
    found = decided(short)
    assert (found.loudness, found.gain) == (-25.0, 9.0)


# -- gain -------------------------------------------------------------------------------------------------------------------------


def test_whether_it_ends_in_the_middle_of_a_word_is_seen_where_it_is_cut() -> None:
    dies_away = np.concatenate((np.full(STEPS - 10, -23.0, "f4"), np.linspace(-23, -60, 10, dtype="f4")))
    assert decide(profile(), CUT, LEVEL, PLAIN, voice=True).cut_off
    assert not decide(profile(level=dies_away), CUT, LEVEL, PLAIN, voice=True).cut_off
    # an out point in what was said before it
    ends_later = replace(profile(level=dies_away), trail=Samples(RATE // 2))
    assert decide(ends_later, replace(CUT, air=Samples(0)), LEVEL, PLAIN, voice=True).cut_off


def test_a_section_is_brought_to_its_level() -> None:
    assert (decided(profile()).loudness, decided(profile()).gain) == (pytest.approx(-23.0), 7.0)
    assert decided(profile(-9.0)).gain == -7.0
    assert decided(profile(-63.0)).gain == 40.0


def test_a_gain_may_be_given_and_no_chain_means_no_gain() -> None:
    assert decided(profile(), gain=-2.5).gain == -2.5
    assert decided(profile(), chain="linear", gain=-2.5).gain == -2.5
    assert decided(profile(), chain="none").gain == decided(profile(), chain="none", gain=3.0).gain == 0.0


def test_what_the_curve_lifts_is_lifted_before_the_gain_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ride, "ride", lambda level, *_: np.full(len(level), 3.0, "f4"))
    found = decided(profile())
    assert (found.loudness, found.gain, found.peak) == (pytest.approx(-23.0), 4.0, -10.0)
    assert found.moved == (3.0, 3.0)
    # half of it lifted: the loudness after it is that of what is then heard
    half = np.repeat(np.array([0.0, 6.0], "f4"), STEPS // 2)
    monkeypatch.setattr(ride, "ride", lambda *_: half)
    wanted = -23 + 10 * np.log10((1 + 10**0.6) / 2)
    assert decided(profile()).gain == pytest.approx(-16.0 - wanted, abs=0.15)
    assert decided(profile()).moved == (6.0, 0.0)


def test_what_nobody_speaks_in_is_never_lifted(classes: np.ndarray) -> None:
    classes[:] = speech.OTHER
    found = decided(profile())
    assert (found.voiced, found.speech, found.gain, found.strip) == (False, 0.0, 0.0, UNTOUCHED)
    # but it may be taken down
    assert decided(profile(-10.0)).gain == -6.0
    # and lifted by who says so
    assert (decided(profile(), chain="linear").gain, decided(profile(), gain=4.0).gain) == (7.0, 4.0)
    # a cough is no speech
    classes[50] = speech.SPEECH
    assert decided(profile()).gain == 0.0
    classes[50:54] = speech.SPEECH
    assert (decided(profile()).speech, decided(profile()).gain) == (0.04, 7.0)


def test_music_is_brought_to_its_level_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech, "tell", lambda *_: pytest.fail("nobody asks who speaks in music"))
    rumbling = profile(dc=(0.1, 0.1), rumble=np.full(STEPS, -20.0, "f4"), rms=(-20.0, -100.0))
    found = decide(rumbling, Cut(trim=False), LEVEL, PLAIN, voice=False)
    assert (found.strip, found.gain, found.room) == (UNTOUCHED, 7.0, None)


# -- repair -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("rms", "side"), [((-23.0, -90.0), 0), ((-80.0, -23.0), 1), ((-23.0, -72.0), None), ((-23.0,), None)])
def test_a_dead_channel_gives_way_to_the_other_one(rms: tuple[float, ...], side: int | None) -> None:
    recording = profile(rms=rms, dc=(0.0,) * len(rms))
    assert decided(recording).strip.side == decided(recording, chain="linear").strip.side == side
    assert decided(recording, repair=False).strip.side is None
    assert decided(recording, chain="none").strip == UNTOUCHED


def test_what_then_sounds_from_both_sides_is_twice_as_loud() -> None:
    # measured was one side; two that are alike are 3 dB louder
    assert decided(profile(rms=(-23.0, -90.0))).gain == pytest.approx(7.0 - 3.01, abs=0.02)
    assert decided(profile(rms=(-23.0, -90.0)), repair=False).gain == 7.0


def test_an_offset_is_taken_out_where_it_is_one() -> None:
    assert decided(profile(dc=(0.012345678, -0.0001))).strip == Strip(dc=(0.0123457, -0.0001))
    assert decided(profile(dc=(0.0002, -0.0002))).strip == UNTOUCHED
    assert decided(profile(dc=(0.01, 0.02)), repair=False).strip == UNTOUCHED
    # of a dead channel nothing is heard, its offset neither
    assert decided(profile(dc=(0.5, 0.01), rms=(-90.0, -23.0))).strip == Strip(side=1, dc=(0.01, 0.01))


def test_rumble_is_filtered_out_where_there_is_some_and_takes_an_offset_with_it() -> None:
    level = np.where(np.arange(STEPS) % 10, -23.0, -60.0).astype("f4")
    rumbling = profile(level=level, rumble=np.where(level < -50, -55.0, -90.0).astype("f4"), dc=(0.1, 0.1))
    assert decided(rumbling).strip == decided(rumbling, chain="linear").strip == Strip(high_pass=chain._HIGH_PASS_HZ)
    assert decided(rumbling, high_pass=0.0).strip == Strip(dc=(0.1, 0.1))
    assert decided(rumbling, high_pass=120.0).strip == Strip(high_pass=120.0)
    assert decided(profile(), high_pass=60.0).strip == Strip(high_pass=60.0)
    # a little of it may stay, and what is there while somebody speaks may be the voice
    assert decided(profile(level=level, rumble=np.full(STEPS, -68.0, "f4"))).strip == UNTOUCHED
    assert decided(profile(level=level, rumble=np.where(level < -50, -90.0, -40.0).astype("f4"))).strip == UNTOUCHED


# -- the voice --------------------------------------------------------------------------------------------------------------------


def test_each_curve_is_there_when_it_is_wished_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    down, up = np.zeros(STEPS, "f4"), np.full(STEPS, 1.5, "f4")
    down[100:200] = -4.0
    monkeypatch.setattr(deess, "deess", lambda _level, _treble, _classes, most: asked.append(most) or down)
    monkeypatch.setattr(ride, "ride", lambda _level, _momentary, _classes, wishes: asked.append(wishes) or up)
    both = decided(profile(), deess=3.0, levelling=4.0, compression=1.5)
    assert both.strip == Strip(deess=from_curve(down), ride=from_curve(up))
    assert asked == [3.0, ride.Wishes(4.0, 1.5)]
    assert (both.deessed, both.moved) == (0.1, (1.5, 1.5))
    assert decided(profile(), deess=0.0).strip == Strip(ride=from_curve(up))
    assert decided(profile(), levelling=0.0, compression=1.0).strip == Strip(deess=from_curve(down))
    # either of them is a reason to ride
    assert decided(profile(), levelling=0.0).strip.ride == decided(profile(), compression=1.0).strip.ride == from_curve(up)
    for nothing in ({"chain": "linear"}, {"chain": "none"}, {"deess": 0.0, "levelling": 0.0, "compression": 1.0}):
        assert decided(profile(), **nothing).strip == UNTOUCHED


def test_what_is_taken_from_sibilants_is_made_up_for_as_far_as_it_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deess, "deess", lambda level, *_: np.full(len(level), -6.0, "f4"))
    # nothing but treble, and next to none
    assert decided(profile(treble=np.full(STEPS, -23.0, "f4"))).gain == pytest.approx(13.0, abs=0.02)
    assert decided(profile(treble=np.full(STEPS, -70.0, "f4"))).gain == pytest.approx(7.0, abs=0.02)
    assert decided(profile(treble=np.full(STEPS, -23.0, "f4"))).moved == (0.0, 0.0)


def test_a_curve_that_does_nothing_leaves_the_strip_untouched() -> None:
    assert decided(profile()).strip == UNTOUCHED
    assert (decided(profile()).deessed, decided(profile()).moved) == (0.0, (0.0, 0.0))


def test_a_room_is_known_by_its_place_and_its_noise(monkeypatch: pytest.MonkeyPatch, classes: np.ndarray) -> None:
    monkeypatch.setattr(tone, "find", lambda *_: tone.Stretch(300, 520, Lufs(-60.987)))
    found = decided(profile())
    assert found.room == chain.Room(Samples(300 * STEP), Samples(520 * STEP), Lufs(-60.99))
    assert found.noise == -61.23
    # and by what the fader does where the section begins and where it ends
    monkeypatch.setattr(ride, "ride", lambda *_: np.linspace(2, -4, STEPS).astype("f4"))
    room = decided(profile(lead=Samples(2 * RATE), trail=Samples(RATE)), Cut(air=Samples(0))).room
    assert room
    assert (room.opens, room.closes) == (0.8, -3.41)
    # in music there is no room to be heard
    classes[:] = speech.OTHER
    assert decided(profile()).room is None
    assert decided(profile(), chain="none").room is None


# -- kept, and guessed ------------------------------------------------------------------------------------------------------------


def test_a_voice_is_as_bright_as_its_treble_is_while_it_speaks(classes: np.ndarray) -> None:
    recording = profile()
    recording.treble[: STEPS // 2] -= 30
    # of pauses nothing is asked
    classes[: STEPS // 20] = speech.PAUSE
    assert decided(recording).bright == pytest.approx(-20.0)
    classes[:] = speech.OTHER
    assert decided(recording).bright is None
    assert decided(recording, chain="none").bright is None


@pytest.mark.parametrize("room", [None, chain.Room(Samples(1), Samples(2), Lufs(-60.5), Db(1.5))])
def test_what_was_decided_comes_back_from_json(room: chain.Room | None) -> None:
    found = replace(decided(profile(dc=(0.01, 0.02), rms=(-23.0, -99.0))), room=room, moved=(1.0, -2.5))
    assert found.strip.side == 0
    again = Measured.kept(json.loads(json.dumps(asdict(found))))
    assert again == found
    assert hash(again) == hash(found)


@pytest.mark.parametrize(
    ("source", "size", "seconds"),
    [
        (Source(Path("a.wav"), "pcm_s24le", 44_100, 2, 12.5), 1, 12.5),
        (Source(Path("a.mp3"), "mp3", 44_100, 2, None), 160_000, 10.0),
        (Source(Path("a.flac"), "flac", 48_000, 2, None), 192_000, 1.0),
    ],
)
def test_a_guess_is_as_long_as_the_container_says_or_the_size_lets_expect(source: Source, size: int, seconds: float) -> None:
    found = chain.guess(Take(source, 2), size)
    assert (found.start, found.end, found.length) == (0, round(seconds * RATE), round(seconds * RATE))
    cut = chain.guess(Take(source, 2, Samples(RATE // 2), Samples(9 * RATE)), size)
    assert (cut.start, cut.end) == (RATE // 2, min(9, seconds) * RATE)
    assert cut.length == cut.end - cut.start
    assert chain.guess(Take(source, 2, Samples(99 * RATE)), size).length == 0


def test_silence_has_no_gain_beyond_what_is_allowed() -> None:
    assert decided(profile(loudness.FLOOR)).gain == 40.0
