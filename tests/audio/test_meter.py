"""The loudness meter, against ffmpeg's own and against the signals of EBU Tech 3341 whose loudness is known."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Sequence
from functools import cache

import numpy as np
import pytest

from audio import loudness
from audio.loudness import FLOOR
from audio.meter import STEP, Meter
from audio.sides import apart
from audio.units import RATE
from tests.audio.sounds import Sound, raw, single, speech, tone


def measured(sound: Sound, sizes: int | Sequence[int] = 1 << 40, *, dual: bool = False) -> list[float]:
    """Momentary loudness of a sound that is handed over in blocks of these sizes, one after the other."""
    meter = Meter(sound.shape[1], dual=dual)
    for block in cut(single(sound), sizes):
        meter.add(apart(block))
    return meter.blocks.tolist()


def cut(samples: np.ndarray, sizes: int | Sequence[int]) -> Iterator[np.ndarray]:
    at, turn = 0, 0
    while at < len(samples):
        size = sizes if isinstance(sizes, int) else sizes[turn % len(sizes)]
        yield samples[at : at + size]
        at, turn = at + size, turn + 1


def levels(*stretches: tuple[float, float], pitch: float = 997) -> Sound:
    """A stereo tone in stretches of (dBFS, seconds)."""
    return np.concatenate([tone(seconds, pitch, 2, level=10 ** (level / 20)) for level, seconds in stretches])


def changing(seconds: float) -> Sound:
    """Alike on both sides, then not, then alike again; the changes lie on no edge of a block."""
    sound = speech(seconds, 2).copy()
    third = len(sound) // 3 + 1234
    sound[:third, 1] = sound[:third, 0]
    sound[2 * third :, 1] = sound[2 * third :, 0]
    return sound


def uneven(seconds: float) -> Sound:
    """Rumble on the right only, and after its sudden end the same quiet voice on both sides: all that rings on is on one of them."""
    sound = np.repeat(speech(seconds, level=0.003), 2, axis=1)
    sound[: 2 * RATE, 1] = 0.5 * np.cos(2 * np.pi * 30 * np.arange(2 * RATE) / RATE)
    return sound


# -- against the standards --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sound",
    [
        levels((-23, 20)),
        levels((-36, 10), (-23, 60), (-36, 10)),
        levels((-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)),
        levels((-26, 20), (-20, 20.1), (-26, 20)),
    ],
    ids=["case 1", "case 3", "case 4", "case 5"],
)
def test_the_signals_of_tech_3341_are_at_minus_23(sound: Sound) -> None:
    assert loudness.integrated(measured(sound)[3:]) == pytest.approx(-23.0, abs=0.1)


def test_the_second_signal_of_tech_3341_is_at_minus_33() -> None:
    assert loudness.integrated(measured(levels((-33, 20)))[3:]) == pytest.approx(-33.0, abs=0.1)


def test_momentary_loudness_stands_still_over_a_level_that_changes_within_its_window() -> None:
    # The standard's twelfth signal: every window of 400 ms holds one whole period.
    blocks = measured(levels(*[(-20, 0.18), (-30, 0.22)] * 25))
    assert blocks[3:] == pytest.approx([-23.0] * len(blocks[3:]), abs=0.1)


@pytest.mark.parametrize(
    ("pitch", "level"),
    # Responses of the K-weighting, worked out from the coefficients of BS.1770-4 (tables 1 and 2), in dB over that at 997 Hz.
    [(25, -11.08), (50, -4.62), (100, -1.82), (500, -0.65), (2000, 2.38), (10_000, 3.35), (20_000, 3.35)],
)
def test_every_pitch_weighs_what_the_standard_says(pitch: float, level: float) -> None:
    assert measured(levels((-23, 4), pitch=pitch))[-1] == pytest.approx(-23.0 + level, abs=0.05)


# -- against ffmpeg ---------------------------------------------------------------------------------------------------------------


def second_opinion(ffmpeg: str, sound: Sound, *, dual: bool = False) -> list[float]:
    """Momentary loudness as ffmpeg's meter prints it."""
    head = [ffmpeg, "-nostdin", "-v", "error", "-f", "f32le", "-ar", str(RATE), "-ac", str(sound.shape[1]), "-i", "pipe:0"]
    meter = f"ebur128=metadata=1:framelog=verbose:dualmono={int(dual)},ametadata=mode=print:key=lavfi.r128.M:file=-"
    said = subprocess.run([*head, "-af", meter, "-f", "null", "-"], input=raw(sound), check=True, capture_output=True).stdout
    marker = b"lavfi.r128.M="
    return [float(line[len(marker) :]) for line in said.splitlines() if line.startswith(marker)]


SOUNDS: dict[str, Callable[[], Sound]] = {
    "stereo": lambda: speech(6, 2),
    "alike on both sides": lambda: np.repeat(speech(6), 2, axis=1),
    "first alike, then not": lambda: changing(6),
    "loud on one side, then alike": lambda: uneven(6),
    "one side": lambda: np.hstack((speech(6), np.zeros((6 * RATE, 1)))),
    "mono": lambda: speech(6, level=0.02),
    "very loud": lambda: speech(4, 2, level=2.0),
    "very quiet": lambda: speech(6, 2, level=0.0008),
    "on an offset": lambda: speech(6, level=0.05) + 0.4,
    "quiet on an offset": lambda: speech(6, level=0.001) + 0.4,
    "rumble": lambda: np.repeat(speech(6), 2, axis=1) * 0.05 + tone(6, 12, 2, level=0.5),
    "whistle": lambda: tone(4, 19_000, 2) + 0.01 * speech(4, 2),
    "an odd length": lambda: speech(3.777, 2),
}


@cache
def heard(name: str) -> Sound:
    return SOUNDS[name]()


@pytest.mark.process
@pytest.mark.parametrize("name", SOUNDS)
@pytest.mark.parametrize("dual", [False, True])
def test_momentary_values_are_those_of_another_meter(name: str, dual: bool, ffmpeg: str) -> None:
    sound = heard(name)
    if dual and sound.shape[1] == 2:
        sound = sound[:, :1]
    wanted, found = np.array(second_opinion(ffmpeg, sound, dual=dual)), np.array(measured(sound, 65_536, dual=dual))
    assert len(found) == len(sound) // STEP
    # three are not whole at the start, and of what is left at the end ffmpeg says something too
    wanted, found = wanted[3 : len(found)], found[3:]
    assert (wanted > -70).mean() > 0.3
    assert np.abs(found - wanted)[wanted > -70].max() < 0.005
    assert found[wanted < -70.1].max(initial=FLOOR) < -70


# -- however the samples come -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sizes", [1, 480, 4799, 4801, 48_000, (7, 100_000), (1, 4799, 3), (4800, 1, 9599)], ids=str)
@pytest.mark.parametrize("name", ["mono", "first alike, then not", "quiet on an offset"])
def test_how_the_samples_come_changes_nothing(name: str, sizes: int | Sequence[int]) -> None:
    # one by one they take long
    sound = heard(name) if sizes != 1 else heard(name)[2 * RATE - 11_000 :][:25_000]
    assert measured(sound, sizes) == pytest.approx(measured(sound), abs=1e-3)


@pytest.mark.parametrize("sizes", [1 << 40, RATE, 12_345, 999])
@pytest.mark.parametrize("name", ["alike on both sides", "first alike, then not", "loud on one side, then alike", "stereo"])
def test_sides_that_are_alike_are_as_loud_as_if_each_were_heard_by_itself(name: str, sizes: int) -> None:
    plain = Meter(2)
    for block in cut(single(heard(name)), sizes):
        plain.add([np.ascontiguousarray(block[:, 0]), np.ascontiguousarray(block[:, 1])])
    assert measured(heard(name), sizes) == pytest.approx(plain.blocks, abs=1e-3)


def test_alike_sides_are_heard_once_until_they_differ() -> None:
    # what makes it quick: of two sides that are the same only one is handed on
    assert [len(apart(block)) for block in cut(single(changing(3)), RATE)] == [1, 2, 2]


def test_the_meter_keeps_nothing_of_the_samples_it_was_given() -> None:
    meter, buffer = Meter(1), np.empty(1000, dtype="<f4")
    for block in cut(single(heard("mono"))[:90_000], 1000):
        buffer[:] = block[:, 0]
        meter.add([buffer])
    assert meter.blocks == pytest.approx(measured(heard("mono")[:90_000]), abs=1e-3)


def test_it_may_be_asked_before_the_end() -> None:
    meter, sound = Meter(2), single(heard("stereo"))
    meter.add(apart(sound[: 3 * RATE + 17]))
    half = meter.blocks.tolist()
    meter.add(apart(sound[3 * RATE + 17 :]))
    assert len(half) == 30
    assert meter.blocks[:30].tolist() == half


# -- ends and oddities ------------------------------------------------------------------------------------------------------------


def test_one_channel_heard_from_both_sides_is_twice_as_loud_and_two_are_what_they_are() -> None:
    once, both = (np.array(measured(heard("mono"), dual=dual)) for dual in (False, True))
    assert both - once == pytest.approx(10 * np.log10(2))
    assert measured(heard("mono"), dual=True) == pytest.approx(measured(np.repeat(heard("mono"), 2, axis=1)), abs=1e-6)
    assert measured(heard("stereo"), dual=True) == measured(heard("stereo"))


def test_before_the_start_there_was_silence() -> None:
    first = measured(levels((-23, 1)))
    # a quarter of the window, a half, three quarters, all of it
    assert first[:4] == pytest.approx([-29.0, -26.0, -24.25, -23.0], abs=0.05)


@pytest.mark.parametrize("count", [0, 1, STEP - 1])
def test_under_100_ms_there_is_nothing_to_say(count: int) -> None:
    assert measured(np.full((count, 1), 0.5)) == []


def test_silence_is_at_the_floor_and_nothing_is_under_it() -> None:
    blocks = measured(np.concatenate((np.zeros((RATE, 2)), levels((-23, 1)), np.zeros((2 * RATE, 2)), levels((-150, 1)))))
    assert blocks[:10] == [FLOOR] * 10
    assert blocks[19] == pytest.approx(-23.0, abs=0.1)
    assert blocks[35:] == [FLOOR] * (len(blocks) - 35)


def test_samples_that_are_no_numbers_have_no_loudness() -> None:
    sound = levels((-23, 4))
    sound[2 * RATE, 0] = np.nan
    blocks = measured(sound)
    assert blocks[3:20] == pytest.approx([-23.0] * 17, abs=0.1)
    assert blocks[20:24] == [FLOOR] * 4
    # and the filter does not hold on to them
    assert blocks[30:] == pytest.approx([-23.0] * 10, abs=0.1)
