"""Who speaks when, and how far the others are turned down meanwhile."""

from __future__ import annotations

import numpy as np
import pytest

from audio import turns

FLOOR = -65.0


def level(seconds: float, *spans: tuple[float, float, float], floor: float = FLOOR) -> np.ndarray:
    """A track in steps of 10 ms: ``spans`` are (from, to, LUFS); syllables go up and down by 3 dB."""
    found = np.full(round(seconds * 100), floor)
    for begin, end, loud in spans:
        at = np.arange(round(begin * 100), round(end * 100))
        found[at] = loud + 3 * np.sin(at / 7)
    return found.astype("f4")


def said(*levels: np.ndarray) -> np.ndarray:
    return turns.speaking(levels)


def test_bleed_is_not_taken_for_its_speaker_nor_a_click_for_a_word() -> None:
    mine = level(40, (1, 10, -20), (21, 30, -20))
    theirs = level(40, (11, 20, -32), (31, 39, -32), (1, 10, -50), (21, 30, -50))
    theirs[500:505] = -20
    first, second = said(mine, theirs)
    assert first[10:100].all()
    assert not first[115:205].any()
    assert second[110:200].all()
    assert not second[15:95].any()


def test_a_word_between_is_heard_and_the_room_around_it_is_left_open() -> None:
    mine = level(40, (1, 30, -20))
    theirs = level(40, (31, 39, -32), (1, 30, -52), (12.0, 12.5, -34))
    second = said(mine, theirs)[1]
    assert second[118:128].all()
    assert not second[15:110].any()
    assert not second[135:300].any()


def test_both_at_once_are_both_open() -> None:
    first, second = said(level(20, (1, 12, -20)), level(20, (8, 18, -30), (1, 8, -50)))
    assert first[80:120].all()
    assert second[80:120].all()


def gated(*spans: tuple[int, int], count: int = 100, most: float = 20.0) -> np.ndarray:
    """Curves of two tracks: the first speaks in ``spans`` of 100 ms, the other in the rest but for the last two seconds."""
    talk = np.zeros((2, count), bool)
    talk[1, : count - 20] = True
    for begin, end in spans:
        talk[0, begin:end], talk[1, begin:end] = True, False
    return turns.gate(talk, most, count * 10 + 3)


def test_the_gate_is_open_for_every_word_and_shut_between() -> None:
    first, second = gated((30, 60))
    assert (first[300:600] == 0).all()
    assert (second[:300] == 0).all()
    assert first[:280].max() == pytest.approx(-20, abs=0)
    assert (second[340:580] == -20).all()
    # it comes up before the first word, and goes down after the last one
    assert (np.diff(first[280:301]) >= 0).all()
    assert (np.diff(first[600:640]) <= 0).all()
    assert np.abs(np.diff(np.concatenate((first, second)))[: len(first) - 1]).max() <= 1.0
    assert len(first) == 1003


def test_in_a_pause_every_room_stays_as_it_was() -> None:
    first, second = gated((30, 60))
    assert (first[820:] == -20).all()
    assert (second[820:] == 0).all()


def test_a_moment_is_not_worth_the_way_and_no_gate_is_none() -> None:
    first, second = gated((30, 35))
    assert not second.any()
    assert not gated((30, 60), most=0).any()
    assert first[0] == -20


def test_three_tracks_are_each_turned_down_for_the_other_two() -> None:
    talk = np.repeat(np.eye(3, dtype=bool), 30, axis=1)
    curves = turns.gate(talk, 12.0, 900)
    for one, curve in enumerate(curves):
        assert (curve[300 * one : 300 * one + 300] == 0).all()
        assert curve.min() == -12
        assert (curve < 0).mean() > 0.5


def test_one_who_says_nothing_is_shut_and_a_missing_track_is_no_noise() -> None:
    quiet, missing = level(20), np.full(2000, turns.SILENT, "f4")
    talk = said(level(20, (1, 19, -20)), quiet, missing)
    assert not talk[1:].any()
