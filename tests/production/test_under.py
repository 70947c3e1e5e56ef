"""What plays under the sections: its place, its rounds, and how far it steps back under a voice. Profiles are made up."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audio import bed, speech
from audio.profile import STEP, Profile, from_curve
from audio.render import Under
from audio.strip import Strip, curve
from audio.units import RATE, Db, Samples
from production import mix
from production.model import Episode, Layout, Music, Settings
from production.store import Store
from production.survey import GUESSED, Fact
from production.under import Beneath, under
from tests.production.test_plan import episode, fact, section

SPOKEN = ((5, 10), (15, 20))
"""Seconds of the section in which somebody speaks."""


def profile(levels: np.ndarray) -> Profile:
    """A recording of these levels (LUFS of each 10 ms)."""
    count = len(levels)
    level = levels.astype("f4")
    quiet = np.full(count, -90.0, "f4")
    length = Samples(count * STEP)
    return Profile(length, level + 6, level, level - 20, quiet, level[9::10], (0.0,), (-20.0,), Samples(0), Samples(0))


def talk(seconds: float = 30, *, level: float = -20.0, after: float = 0.0) -> Profile:
    """A voice in a room, which begins to count ``after`` seconds."""
    at = np.arange(round(seconds * 100)) / 100 - after
    speaks = np.any([(a <= at) & (at < b) for a, b in SPOKEN], axis=0)
    return profile(np.where(speaks, level, -65.0))


def music(seconds: float = 60, level: float = -18.0) -> Profile:
    return profile(np.full(round(seconds * 100), level))


@pytest.fixture(autouse=True)
def tells(monkeypatch: pytest.MonkeyPatch) -> None:
    """A step over -50 LUFS is speech. Who really finds out has tests of its own."""

    def tell(level: np.ndarray, momentary: np.ndarray, _treble: np.ndarray) -> np.ndarray:
        return np.where(level[: len(momentary) * 10].reshape(-1, 10).mean(axis=1) > -50, speech.SPEECH, speech.PAUSE).astype("i1")

    monkeypatch.setattr(speech, "tell", tell)


class Shelf:
    """Profiles by the names of their entries, and who asked for which."""

    def __init__(self, **profiles: Profile) -> None:
        self.profiles = {f"profile of {name.replace('_', ':')}": one for name, one in profiles.items()}
        self.asked: list[str] = []

    def __call__(self, one: Fact) -> Profile:
        self.asked.append(one.input.name)
        return self.profiles[one.profile]


def worked(folder: Path, *, of: dict[str, Any] | None = None, said: Music | None = None, shelf: Shelf | None = None, **voice: Any) -> Beneath | None:
    """What plays under the one section of an episode, which has a bed; the bed is 10 dB quieter than it was recorded."""
    one = section("a", bed="bed.wav", **(of or {}))
    shelf = shelf or Shelf(a=talk(), bed_a=music())
    facts = (voiced(one, shelf, **voice), bedded(one, shelf))
    return under(episode(one, settings=Settings(music=said or Music())), facts, Store(folder), shelf).get("a")


def voiced(one: Any, shelf: Shelf, **voice: Any) -> Fact:
    return fact("a", shelf.profiles["profile of a"].length / RATE, of=one, **voice)


def bedded(one: Any, shelf: Shelf) -> Fact:
    return fact("bed:a", shelf.profiles["profile of bed:a"].length / RATE, kind="bed", of=one, gain=Db(-10.0))


def only(found: Beneath | None) -> Under:
    assert found
    (layer,) = found.layers
    return layer


# -- the curve --------------------------------------------------------------------------------------------------------------------


def test_under_a_voice_a_bed_steps_back_and_elsewhere_it_does_not(tmp_path: Path) -> None:
    found = worked(tmp_path)
    layer = only(found)
    down = curve(layer.duck)
    assert len(down) == 3000
    # the voice is at -16, the bed at -28: 8 dB are missing
    for a, b in SPOKEN:
        assert np.abs(down[a * 100 : b * 100] + 8).max() < 0.6
    assert not down[:300].any()
    assert not down[2400:].any()
    # and it does not jump
    assert np.abs(np.diff(down)).max() < 1.5
    assert found
    # of every second in which somebody speaks it is known how far the voice lies over it
    assert len(found.over) == 30
    assert [second for second, over in enumerate(found.over) if over is not None] == [*range(5, 10), *range(15, 20)]
    assert all(20.0 <= over < 21.0 for over in found.over if over is not None)


def test_it_steps_back_as_far_as_is_asked_from_the_voice_as_it_sounds(tmp_path: Path) -> None:
    def depth(**said: Any) -> float:
        return float(curve(only(worked(tmp_path, **said)).duck)[600:900].mean())

    assert depth() == pytest.approx(-8.0, abs=0.6)
    assert depth(said=Music(over_bed=26)) == pytest.approx(-14.0, abs=0.6)
    # a gain, and what the fader does
    assert depth(gain=Db(10.0)) == pytest.approx(-2.0, abs=0.6)
    assert depth(strip=Strip(ride=from_curve(np.full(3000, 3.0, "f4")))) == pytest.approx(-5.0, abs=0.6)
    assert not only(worked(tmp_path, said=Music(over_bed=10))).duck


def test_where_the_voice_begins_to_count_is_where_its_silence_ends(tmp_path: Path) -> None:
    plain = worked(tmp_path)
    late = worked(tmp_path, shelf=Shelf(a=talk(33, after=3), bed_a=music()), start=Samples(3 * RATE))
    assert late == plain
    # in a take that begins later, too
    one = section("a", bed="bed.wav")
    shelf = Shelf(a=talk(33, after=3), bed_a=music())
    cut = voiced(one, shelf, start=Samples(13 * RATE), end=Samples(43 * RATE))
    cut = replace(cut, take=replace(cut.take, start=Samples(10 * RATE)))
    assert under(episode(one), (cut, bedded(one, shelf)), Store(tmp_path), shelf)["a"] == plain


def test_a_bed_that_comes_later_steps_back_under_the_voice_that_is_there(tmp_path: Path) -> None:
    layer = only(worked(tmp_path, of={"bed_from": 12.0}))
    assert layer.at == 12 * RATE
    down = curve(layer.duck)
    assert len(down) == 1800
    assert np.abs(down[300:800] + 8).max() < 0.6
    assert not down[1200:].any()


# -- its place --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("of", "at", "length", "fade"),
    [
        ({}, 0, 30, 1.5),
        ({"bed_from": 4.0}, 4, 26, 1.5),
        ({"bed_to": 10.5}, 0, 10.5, 1.5),
        ({"bed_from": 4.0, "bed_to": 7.0}, 4, 3, 1.0),
        ({"bed_to": 99.0}, 0, 30, 1.5),
    ],
)
def test_a_bed_is_as_long_as_its_section_or_as_it_is_said(tmp_path: Path, of: dict[str, Any], at: float, length: float, fade: float) -> None:
    layer = only(worked(tmp_path, of=of))
    assert (layer.at, layer.length) == (at * RATE, length * RATE)
    assert layer.fade_in == layer.fade_out == fade * RATE
    assert (layer.samples, layer.gain, layer.first) == ("samples of bed:a", Db(-10.0), 0)


@pytest.mark.parametrize("of", [{"bed_from": 29.6}, {"bed_from": 31.0}, {"bed_from": 4.0, "bed_to": 4.4}])
def test_of_less_than_half_a_second_there_is_none(tmp_path: Path, of: dict[str, Any]) -> None:
    assert worked(tmp_path, of=of) is None


def test_under_a_section_that_overlaps_with_the_next_a_bed_has_gone_before_the_section_ends(tmp_path: Path) -> None:
    a, b = section("a", bed="bed.wav"), section("b")
    shelf = Shelf(a=talk(), bed_a=music())
    one = episode(a, b, settings=Settings(layout=Layout(crossfade=4.0)))
    facts = (voiced(a, shelf), fact("b", of=b), bedded(a, shelf))
    layer = only(under(one, facts, Store(tmp_path), shelf)["a"])
    material = mix.materials(one, facts[:2], 2, {"a": (layer,)}, {})["a"]
    assert material.edit.length < 26 * RATE
    assert layer.at + layer.length == material.edit.length


# -- rounds -----------------------------------------------------------------------------------------------------------------------


def test_music_that_is_long_enough_does_not_go_round(tmp_path: Path) -> None:
    layer = only(worked(tmp_path, shelf=Shelf(a=talk(), bed_a=music(30))))
    assert (layer.start, layer.end, layer.lap) == (0, 30 * RATE, 0)


def test_shorter_music_goes_round_where_it_can(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = (np.arange(1200) % 50 < 25) * 6.0 - 24.0
    shelf = Shelf(a=talk(), bed_a=profile(steps))
    layer = only(worked(tmp_path, shelf=shelf))
    short = shelf.profiles["profile of bed:a"]
    wanted = bed.loop(short.level, short.peak, short.treble)
    assert (layer.start, layer.end, layer.lap) == (wanted.start * STEP, wanted.end * STEP, wanted.lap * STEP)
    assert 0 <= layer.start - layer.lap < layer.start < layer.end <= layer.known == 12 * RATE
    # loud and quiet in turn: where the curve stands is what then sounds
    monkeypatch.setattr(bed, "loop", lambda *_: bed.Loop(300, 500, 10))
    loud = np.full(1200, -40.0)
    loud[:300] = -18.0
    once = worked(tmp_path / "another", shelf=Shelf(a=talk(), bed_a=profile(loud)))
    down = curve(only(once).duck)
    # after three seconds only what is quiet goes round, and there the voice is far enough over it
    assert not down.any()
    assert once
    assert min(over for over in once.over if over is not None) > 30


# -- the intro --------------------------------------------------------------------------------------------------------------------


def introduced(over: float = 20.0, seconds: float = 8.0) -> tuple[Episode, tuple[Fact, ...], Shelf]:
    a = section("a")
    shelf = Shelf(a=talk(), music_intro=music(12, -22.0))
    one = episode(a, settings=Settings(music=Music(intro_under=seconds, over_bed=over)))
    facts = (fact("music:intro", 12.0, kind="intro", gain=Db(2.0)), voiced(a, shelf))
    return one, facts, shelf


def test_the_end_of_the_intro_is_heard_under_the_first_words(tmp_path: Path) -> None:
    one, facts, shelf = introduced(seconds=6.0)
    found = under(one, facts, Store(tmp_path), shelf)["a"]
    layer = only(found)
    lapped = mix.overlaps(one, facts)["a"]
    assert (layer.at, layer.length, layer.fade_out, layer.gain) == (0, lapped.length, lapped.length, Db(2.0))
    # it goes on where the intro was left, to its end
    materials = mix.materials(one, facts, 2, {"a": found.layers}, {})
    assert layer.first == materials["music:intro"].edit.end
    assert layer.first + layer.length == layer.end == 12 * RATE
    # at -20 it is 4 dB under the voice where the first words are
    assert curve(layer.duck)[530:560].mean() == pytest.approx(-16.0, abs=0.6)
    assert not curve(layer.duck)[:300].any()


def test_a_bed_and_the_intro_may_be_under_one_section(tmp_path: Path) -> None:
    one, facts, shelf = introduced(seconds=6.0)
    a = replace(one.sections[0], bed="bed.wav")
    shelf.profiles["profile of bed:a"] = music()
    one = replace(one, sections=(a,))
    facts = (facts[0], replace(facts[1], input=replace(facts[1].input, section=a)), bedded(a, shelf))
    found = under(one, facts, Store(tmp_path), shelf)["a"]
    assert [layer.samples for layer in found.layers] == ["samples of bed:a", "samples of music:intro"]
    # together they are as far under the voice as is asked
    seconds = [over for over in found.over if over is not None]
    assert min(seconds) == pytest.approx(20.0, abs=0.6)
    assert seconds[-1] == pytest.approx(20.0, abs=0.6)


# -- when it is worked out --------------------------------------------------------------------------------------------------------


def test_what_was_worked_out_is_kept_and_worked_out_anew_when_it_would_differ(tmp_path: Path) -> None:
    shelf = Shelf(a=talk(), bed_a=music())
    first = worked(tmp_path, shelf=shelf)
    assert sorted(shelf.asked) == ["a", "bed:a"]
    again = Shelf(a=talk(), bed_a=music())
    assert worked(tmp_path, shelf=again) == first
    assert again.asked == []
    for change in ({"said": Music(over_bed=21)}, {"of": {"bed_to": 29.0}}, {"gain": Db(4.1)}, {"start": Samples(STEP)}):
        asked = Shelf(a=talk(), bed_a=music())
        worked(tmp_path, shelf=asked, **change)
        assert sorted(asked.asked) == ["a", "bed:a"], change


def test_under_what_was_never_measured_nothing_plays(tmp_path: Path) -> None:
    one = section("a", bed="bed.wav")
    shelf = Shelf(a=talk(), bed_a=music())
    voice, played = voiced(one, shelf), bedded(one, shelf)
    for facts in ((replace(voice, samples=GUESSED), played), (voice, replace(played, samples=GUESSED)), (voice,)):
        assert under(episode(one), facts, Store(tmp_path), shelf) == {}
    assert shelf.asked == []


def test_each_section_has_its_own_bed(tmp_path: Path) -> None:
    a, b, c = section("a", bed="bed.wav"), section("b"), section("c", bed="bed.wav", bed_level=-40)
    shelf = Shelf(a=talk(), b=talk(), c=talk(level=-18), bed_a=music(), bed_c=music())
    facts = (*(fact(s.slug, 30.0, of=s) for s in (a, b, c)), bedded(a, shelf), fact("bed:c", 60.0, kind="bed", of=c, gain=Db(-22.0)))
    found = under(episode(a, b, c), facts, Store(tmp_path), shelf)
    assert list(found) == ["a", "c"]
    assert [only(one).gain for one in found.values()] == [-10.0, -22.0]
    assert not only(found["c"]).duck
    assert all(before.at == after.at for before, after in pairwise(only(one) for one in found.values()))
