"""What sounds under a segment: at its place, as long as it was asked for, round after round, and the same bytes wherever reading began."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from audio import render, runs
from audio.pcm import Pcm, Take
from audio.profile import STEP, from_curve
from audio.render import Edit, Material, Under
from audio.runs import Part, Run
from audio.strip import Strip
from audio.units import FRAME, RATE, Db, Samples
from tests.audio.held import Held
from tests.audio.sounds import Sound, sound_of, speech, tone

LENGTH = 7 * RATE + 555


@cache
def shelf() -> dict[str, Held]:
    """The decoded recordings, by the name of their samples."""
    chance = np.random.default_rng(5)
    return {
        "voice": Held(speech(7.1, 1), start=600),
        "both sides": Held(speech(7.1, 2), start=600),
        "music": Held(0.1 * chance.standard_normal((3 * RATE + 77, 2))),
        "hum": Held(tone(3, 210, level=0.05) + 0.01 * chance.standard_normal((3 * RATE, 1)) + 0.05),
    }


def decoded(name: str, take: Take) -> Pcm:
    assert take is shelf()[name].take
    return shelf()[name]


def edit(length: int = LENGTH, channels: int = 2, *, gain: float = 0.0, ceiling: float | None = None, fade: int = 0) -> Edit:
    ends = Samples(600), Samples(600 + length)
    return Edit(*ends, Db(gain), None if ceiling is None else Db(ceiling), Samples(fade), Samples(fade), channels)


def layer(name: str = "music", **said: Any) -> Under:
    """The whole recording from the segment's first sample on, if nothing else is said."""
    pcm = shelf()[name]
    known = len(pcm.sound)
    plain = {"first": 0, "start": 0, "end": known, "lap": 0, "at": 0, "length": known, "gain": 0.0}
    return Under(samples=name, take=pcm.take, known=Samples(known), **{**plain, **said})


def material(*under: Under, voice: str | None = "voice", **said: Any) -> Material:
    return Material(shelf()[voice].take if voice else None, edit(**said), voice or "", under)


def sounding(one: Material, start: int = 0, end: int | None = None) -> np.ndarray:
    blocks = list(render.sounding(one, decoded, start, one.edit.length if end is None else end))
    return np.concatenate(blocks) if blocks else np.zeros((0, one.edit.channels), dtype="<f4")


def alone(one: Under, **said: Any) -> np.ndarray:
    """What is under a segment, without the segment."""
    return sounding(material(one, voice=None, **said))


def expected(one: Under) -> Sound:
    """A layer's sound over its life: the plain words of its description, in double precision, one sample after the other."""
    sound = shelf()[one.samples].sound.astype("f8")
    found = np.zeros((one.length, sound.shape[1]))
    at = one.first
    for n in range(one.length):
        if at == one.end:
            at = one.start
        found[n] = sound[at]
        into = at - (one.end - one.lap)
        if into >= 0 and one.lap:
            turn = math.pi / 2 * into / one.lap
            found[n] = math.cos(turn) * found[n] + math.sin(turn) * sound[one.start - one.lap + into]
        at += 1
    for length, way in ((one.fade_in, np.arange(one.length)), (one.fade_out, np.arange(one.length)[::-1])):
        if length:
            found *= np.sin(np.pi / 2 * np.minimum(way / length, 1))[:, None]
    return found * 10 ** (one.gain / 20)


# -- its place --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("voice", ["voice", "both sides"])
@pytest.mark.parametrize("name", ["music", "hum"])
def test_it_is_added_at_its_place_and_nothing_else_changes(voice: str, name: str) -> None:
    one = layer(name, at=100_001, first=30_000, length=50_000, gain=-6.0)
    plain, found = sounding(material(voice=voice)), sounding(material(one, voice=voice))
    assert found.shape == (LENGTH, 2)
    assert np.abs(found[100_001:150_001] - plain[100_001:150_001] - expected(one)).max() < 1e-6
    assert found[:100_001].tobytes() == plain[:100_001].tobytes()
    assert found[150_001:].tobytes() == plain[150_001:].tobytes()


def test_it_may_have_begun_before_the_segment_and_may_go_on_after_it() -> None:
    one = layer("hum", at=-RATE, length=3 * RATE, fade_in=2 * RATE)
    assert np.abs(alone(one, length=RATE) - expected(one)[RATE : 2 * RATE]).max() < 1e-6
    # wherever it is looked at, it is one sound
    assert alone(one, length=3 * RATE)[: 2 * RATE - 1].tobytes() == alone(replace(one, at=Samples(0)), length=3 * RATE)[RATE:-1].tobytes()


def test_what_is_only_under_is_heard_for_the_length_of_the_segment() -> None:
    one = layer(at=RATE, length=RATE)
    found = alone(one, length=3 * RATE)
    assert found.shape == (3 * RATE, 2)
    assert not found[:RATE].any()
    assert not found[2 * RATE :].any()
    assert found[RATE : 2 * RATE].tobytes() == shelf()["music"].sound[:RATE].tobytes()


def test_of_many_each_is_heard() -> None:
    several = (layer(at=5), layer("hum", at=RATE, gain=-3.0), layer("hum", at=2 * RATE, gain=-9.0, length=RATE))
    together = sounding(material(*several))
    apart = sounding(material()).astype("f8") + sum(alone(one) for one in several)
    assert np.abs(together - apart).max() < 1e-6


def test_its_gain_is_its_own_and_so_are_its_fades_and_its_strip() -> None:
    one = layer("hum", length=2 * RATE, gain=-4.0, fade_in=RATE // 3, fade_out=RATE // 2, strip=Strip(dc=(0.05,), high_pass=80.0))
    loud = material(one, gain=9.0, fade=RATE)
    found = sounding(loud) - sounding(replace(loud, under=()))
    assert np.abs(found - alone(one)).max() < 1e-6
    # 210 Hz stays, the offset does not
    assert abs(alone(one)[RATE // 3 :].mean()) < 1e-3
    assert np.abs(alone(one) - alone(replace(one, strip=Strip())))[RATE // 2 :].max() > 0.02


# -- rounds -----------------------------------------------------------------------------------------------------------------------

ROUNDS = {
    "from the start, without a seam": {"first": 0, "start": 0, "end": 40_000, "lap": 0, "length": 130_000},
    "an introduction, then round": {"first": 0, "start": 50_000, "end": 90_001, "lap": 4000, "length": 250_000},
    "from within, odd": {"first": 70_003, "start": 20_001, "end": 80_808, "lap": 20_000, "length": 200_002},
    "a seam as long as the round": {"first": 15_000, "start": 15_000, "end": 30_000, "lap": 15_000, "length": 100_000},
    "no round at all": {"first": 1000, "start": 500, "end": 90_000, "lap": 400, "length": 80_000},
    "ends within the seam": {"first": 1000, "start": 5000, "end": 90_000, "lap": 4000, "length": 87_000},
}


@pytest.mark.parametrize("name", ROUNDS)
def test_it_goes_round_as_it_is_described(name: str) -> None:
    one = layer(**ROUNDS[name], fade_in=2000, fade_out=30_000, gain=2.0)
    assert np.abs(alone(one)[: one.length] - expected(one)).max() < 1e-6


def test_over_the_seam_noise_is_as_loud_as_elsewhere() -> None:
    one = layer(first=RATE, start=RATE, end=3 * RATE, lap=RATE // 2, length=6 * RATE)
    power = np.square(alone(one)[: 6 * RATE], dtype="f8").sum(axis=1).reshape(-1, RATE // 10).mean(axis=1)
    assert np.abs(10 * np.log10(power / power.mean())).max() < 0.4


def test_over_the_seam_a_tone_that_fits_has_no_click() -> None:
    # 210 Hz: whole periods in a round
    once = Held(tone(2, 210, level=0.5))
    one = Under("x", once.take, Samples(2 * RATE), *(Samples(n) for n in (RATE, RATE // 2, RATE + RATE // 2, 4800, 0, 2 * RATE)), gain=Db(0.0))
    found = np.concatenate(list(render.sounding(Material(None, edit(2 * RATE, 1), "", (one,)), lambda *_: once, 0, 2 * RATE)))[:, 0]
    # no sample is further from the one before than the steepest place of two of them in phase
    assert np.abs(np.diff(found)).max() < 0.5 * math.sqrt(2) * 2 * math.pi * 210 / RATE * 1.01


# -- stepping back ----------------------------------------------------------------------------------------------------------------


def test_a_curve_is_followed_from_the_layers_own_beginning() -> None:
    values = np.linspace(-20, 0, 300).astype("f4")
    one = layer(at=12_345, length=3 * RATE)
    plain = alone(one).astype("f8")[12_345:][: 3 * RATE]
    gain = 10 ** (np.rint(values * 100) / 100 / 20)
    wanted = plain * np.interp(np.arange(3 * RATE), np.arange(300) * STEP + STEP // 2, gain)[:, None]
    found = alone(replace(one, duck=from_curve(values)))[12_345:][: 3 * RATE]
    assert np.abs(found - wanted).max() < 1e-5


# -- from anywhere ----------------------------------------------------------------------------------------------------------------


def _busy(voice: str | None, channels: int, ceiling: float | None) -> Material:
    wander = from_curve(np.random.default_rng(8).uniform(-18, 0, 700).astype("f4"))
    names = ("music", "hum") if channels == 2 else ("hum", "hum")
    under = (
        layer(
            names[0],
            first=1111,
            start=60_000,
            end=130_007,
            lap=9600,
            at=50_003,
            length=5 * RATE,
            fade_in=30_000,
            fade_out=72_001,
            duck=wander,
            gain=-3.0,
        ),
        layer(names[1], start=48_000, end=100_000, lap=9600, first=48_000, at=-7000, length=4 * RATE, strip=Strip(high_pass=80.0), fade_out=RATE),
        layer(names[1], at=6 * RATE, gain=-9.5, fade_in=3 * RATE),
    )
    return material(*under, voice=voice, channels=channels, gain=14.0 if ceiling else -3.0, ceiling=ceiling, fade=9000)


BUSY = {
    "mono under stereo, limited": _busy("both sides", 2, -2.0),
    "mono voice, stereo music, limited": _busy("voice", 2, -2.0),
    "mono voice, stereo music": _busy("voice", 2, None),
    "all mono": _busy("voice", 1, -2.0),
    "only under": _busy(None, 2, None),
}


@cache
def whole(name: str) -> np.ndarray:
    return sounding(BUSY[name])


SEAM = 50_003 + 130_007 - 9600 - 1111
"""Where the first round of the first layer begins to give way to the second."""
edges = st.sampled_from([0, 7000, 9000, 50_003, SEAM, SEAM + 9600, 2 * RATE, 4 * RATE, 4 * RATE - 7000, 6 * RATE, 50_003 + 5 * RATE, LENGTH])
near_edges = st.builds(lambda edge, off: edge + off, edges, st.integers(-400, 400))
positions = st.one_of(st.integers(0, LENGTH), near_edges).map(lambda at: min(max(at, 0), LENGTH))


@pytest.mark.parametrize("name", BUSY)
@settings(max_examples=12)
@given(positions, positions)
@example(SEAM - 1000, SEAM + 200)
def test_any_stretch_is_that_stretch_of_the_whole(name: str, one: int, other: int) -> None:
    start, end = min(one, other), max(one, other)
    assert sounding(BUSY[name], start, end).tobytes() == whole(name)[start:end].tobytes()


@pytest.mark.parametrize("name", BUSY)
def test_the_limiter_holds_what_they_make_together(name: str) -> None:
    ceiling = BUSY[name].edit.ceiling
    free = np.abs(sounding(replace(BUSY[name], edit=replace(BUSY[name].edit, ceiling=None)))).max()
    if ceiling is None:
        assert np.abs(whole(name)).max() == free
        return
    assert free > 1.3 * 10 ** (ceiling / 20)
    assert np.abs(whole(name)).max() <= 10 ** (ceiling / 20) * 1.001


@pytest.mark.parametrize("name", ["mono voice, stereo music, limited", "all mono"])
def test_a_chunk_hears_the_very_bytes_that_the_whole_run_has_there(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "CHUNK", 90)
    monkeypatch.setattr(runs, "SHORTEST", 20)
    monkeypatch.setattr(runs, "PREROLL", 25)
    voiced = BUSY[name]
    quiet = replace(voiced, take=None, edit=replace(voiced.edit, ceiling=None), under=(replace(voiced.under[1], at=Samples(-100_000)),))
    materials = {"a": voiced, "tone": replace(quiet, edit=edit(50_000, voiced.edit.channels)), "b": replace(voiced, under=voiced.under[1:])}
    run = Run(
        600,
        -(-(2 * LENGTH + 50_000) // FRAME),
        (
            Part("a", Samples(0), Samples(LENGTH), own=True),
            Part("tone", Samples(LENGTH), Samples(50_000)),
            Part("b", Samples(LENGTH + 50_000), Samples(LENGTH), own=True),
        ),
        8,
        2,
        2,
    )

    def filled(chunk: runs.Chunk) -> bytes:
        file = io.BytesIO()
        render.fill(file, chunk, run, materials, decoded, voiced.edit.channels, Db(0.45))
        return file.getvalue()

    frame = FRAME * voiced.edit.channels * 4
    chunks = runs.chunks(0, run)
    assert len(chunks) > 5
    all_of_it = filled(runs.Chunk(run=0, first=0, last=run.frames, before=8, post=8, opens=True, closes=True))
    heard = sound_of(all_of_it, voiced.edit.channels)[8 * FRAME :]
    # in the gap only the room sounds
    assert 0.01 < np.abs(heard[LENGTH : LENGTH + 50_000]).max() < 0.2
    for chunk in chunks:
        first = (chunk.first - chunk.before + 8) * frame
        assert filled(chunk) == all_of_it[first : first + chunk.input_samples * voiced.edit.channels * 4]


# -- what has to be decoded -------------------------------------------------------------------------------------------------------


def asked(of: Callable[[render.Decoded], object]) -> list[str]:
    """The names of the samples that are asked for."""
    names: list[str] = []

    def watched(name: str, take: Take) -> Pcm:
        names.append(name)
        return decoded(name, take)

    of(watched)
    return names


def test_a_recording_is_opened_when_it_is_first_heard_and_once() -> None:
    one = material(layer(at=2 * RATE, length=3 * RATE), layer("hum", at=6 * RATE, length=RATE))
    assert asked(lambda watched: list(render.sounding(one, watched, 0, 2 * RATE))) == ["voice"]
    assert asked(lambda watched: list(render.sounding(one, watched, RATE, 6 * RATE))) == ["voice", "music"]
    assert asked(lambda watched: list(render.sounding(one, watched, 0, LENGTH))) == ["voice", "music", "hum"]
    assert asked(lambda watched: list(render.sounding(replace(one, take=None), watched, 5 * RATE, LENGTH))) == ["hum"]


def test_a_material_names_every_take_that_it_is_made_of() -> None:
    one = material(layer(), layer("hum"), layer("hum", at=RATE))
    assert one.takes == {name: shelf()[name].take for name in ("voice", "music", "hum")}
    assert replace(one, take=None, samples="").takes == {name: shelf()[name].take for name in ("music", "hum")}


def test_the_beginning_of_a_segment_is_that_of_its_own_recording() -> None:
    # a section is looked for in the finished file by its own sound
    one, plain = material(layer(), gain=3.0), material(gain=3.0)
    assert render.beginning(one, shelf()["voice"], 5000).tobytes() == sounding(plain, 0, 5000).tobytes()
