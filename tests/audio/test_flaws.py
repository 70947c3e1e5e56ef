"""Notes on samples: the same however they come, kept as bytes, and what is noted of a waveform that is known."""

from __future__ import annotations

import numpy as np
import pytest

from audio import gaps
from audio.flaws import Flaws, Inspector
from audio.units import RATE
from benchmarks.sounds import Speaker
from tests.audio.sounds import Sound, speech

TABLES = ("tops", "holes", "clicks", "sides", "hum")


def noted(sound: Sound, block: int, rate: int = RATE) -> Flaws:
    inspector = Inspector(sound.shape[1], rate)
    for at in range(0, len(sound), block):
        sides = [np.ascontiguousarray(side, "f4") for side in sound[at : at + block].T]
        inspector.add(sides[:1] if len(sides) == 2 and np.array_equal(*sides) else sides)
    return inspector.flaws()


def faulty() -> Sound:
    """A voice of both sides, clipped for two seconds, with a hole and a click on the left."""
    sound = np.repeat(Speaker(1).speech(24)[:, None], 2, axis=1)
    sound[5 * RATE : 7 * RATE] = np.clip(sound[5 * RATE : 7 * RATE], -0.1, 0.1)
    loud = int(np.argmax(np.abs(sound[12 * RATE : 13 * RATE, 0]))) + 12 * RATE
    sound[loud : loud + RATE // 100, 0] = 0
    sound[18 * RATE + 33, 0] += 0.5
    return sound


def test_what_is_noted_does_not_depend_on_how_samples_come() -> None:
    sound = faulty()
    one, other = noted(sound, 96_000), noted(sound, 7_777)
    assert one.length == other.length == len(sound)
    for name in TABLES:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), name)
        assert len(getattr(one, name)), name


def test_what_is_kept_is_what_was_noted() -> None:
    flaws = noted(faulty(), 96_000)
    again = Flaws.unpacked(flaws.packed())
    assert (again.origin, again.length) == (flaws.origin, flaws.length)
    for name in TABLES:
        np.testing.assert_array_equal(getattr(again, name), getattr(flaws, name))
    # some hundred kilobytes an hour
    assert len(flaws.packed()) < 24 * 500


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"", "unpack"), (b"12\nnothing", "Expecting value"), (b'29\n{"origin": 0, "length": 4800}x', "no notes"), (b"2\n{}", "no notes")],
)
def test_anything_else_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Flaws.unpacked(data)


def test_sides_that_never_differ_are_one() -> None:
    sound = np.repeat(speech(3), 2, axis=1)
    assert len(noted(sound, RATE).sides) == 0
    sound[:, 1] *= -1
    left, right, both = noted(sound, RATE).sides.T
    assert (left == right).all()
    assert (both < left - 4000).all()


def test_a_hole_is_found_to_the_millisecond_and_a_word_that_ends_is_none() -> None:
    level = np.full(400, -20.0, "f4")
    level[100:130] = -90.0
    # a voice that dies away by 2 dB in a millisecond, and sets in again at once
    level[200:240] = -20 - 2 * np.arange(40)
    ((at, length, *said),) = gaps.holes(level, level - 20)
    assert (at, length) == (99, 31)
    assert said == [-20, -90, -20, 70, 70]


def test_a_hole_that_an_encoder_filled_is_told_by_its_edges_and_its_depth() -> None:
    moving, level = np.full(600, -25.0, "f4"), np.full(600, -20.0, "f4")
    # 14 ms with the encoder's noise in them, 2 ms between two pulses of a throat, 14 and 60 ms that are quieter but nothing else
    for start, end, there in ((100, 114, -65), (200, 202, -65), (300, 314, -43), (400, 460, -48)):
        moving[start:end] = there
    ((at, length, before, inside, after, edge, depth),) = gaps.filled(moving, level)
    assert (at, length) == (99, 15)
    # how loud it is there is another curve's
    assert (before, inside, after, edge, depth) == (-20, -65, -20, 40, 40)


def test_a_click_stands_alone_and_the_pulses_of_a_throat_do_not() -> None:
    level, edge = np.full(400, -20.0, "f4"), np.full(400, -80.0, "f4")
    edge[100] = -50.0
    edge[200:300:8] = -50.0
    (found,) = gaps.clicks(level, edge)
    assert found == (100, 30.0, -20.0, -20.0)
    # where the voice sets in it is a plosive
    level[:100] = -60.0
    assert gaps.clicks(level, edge) == []


def test_a_click_that_an_encoder_smeared_falls_off_to_both_sides() -> None:
    level, edge = np.full(400, -20.0, "f4"), np.full(400, -80.0, "f4")
    smear = -38 - 5 * np.arange(1, 9, dtype="f4")
    edge[100] = edge[200] = edge[300] = -30.0
    edge[101:109], edge[99:91:-1] = smear, smear
    # a plosive: as loud as that before it, but what follows it goes on
    edge[201:230], edge[199:191:-1] = -50, smear
    # the burst of another one is as loud for 7 ms
    edge[339:346], edge[342], edge[346:354] = -31, -30, -45 - 5 * np.arange(8)
    # a puff of breath: it falls off, but not far
    edge[301:320] = edge[281:300] = -43
    ((at, by, *_),) = [found for found in gaps.clicks(level, edge) if found[1] > 22]
    # 50 dB over what is 8 ms away, less 12
    assert (at, by) == (100, 34)


def test_a_hum_is_in_the_quiet_part_of_the_spectrum() -> None:
    time = np.arange(21 * RATE) / RATE
    sound = np.random.default_rng(3).standard_normal(len(time)) * 1e-4 + 0.01 * np.sin(2 * np.pi * 100 * time)
    hum = noted(sound[:, None], RATE).hum[0] / 100
    # each hertz is a line; 0.01 of full scale has a mean square of -43 dB
    assert np.argmax(hum) == 100
    assert hum[100] == pytest.approx(-43, abs=0.5)
    assert np.median(hum) < -100


def test_a_hole_whose_end_is_not_known_yet_waits_for_it() -> None:
    level = np.full(400, -20.0, "f4")
    level[360:399] = -90.0
    assert gaps.holes(level, level) == []
    # more of the recording has come
    assert [hole[:2] for hole in gaps.holes(np.append(level, level[:20]), np.append(level, level[:20]))] == [(359, 40)]


@pytest.mark.parametrize(("seconds", "stretches"), [(6, 1), (25, 1), (39, 1), (41, 2), (70, 3)])
def test_a_rest_that_is_short_is_heard_for_hum_with_what_is_before_it(seconds: int, stretches: int) -> None:
    assert len(noted(np.zeros((seconds * RATE, 1)), RATE).hum) == stretches
