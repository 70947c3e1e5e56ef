"""Recursive filters as matrix products, against the plain recursion one sample after the other."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from audio import meter
from audio.blockfilter import STEP, Section, filtered, high_pass
from audio.units import RATE
from tests.audio.sounds import single, speech, tone

Doubles = NDArray[np.float64]
K_WEIGHTING = (meter._SHELF, meter._HIGH_PASS)
CASCADES: dict[str, tuple[Section, ...]] = {
    "K-weighting": K_WEIGHTING,
    "one shelf": (meter._SHELF,),
    "high-pass 40": high_pass(40),
    "high-pass 80": high_pass(80),
    "high-pass 300": high_pass(300),
    "four in a row": (*high_pass(60), meter._SHELF, meter._HIGH_PASS),
}


def recursion(samples: NDArray[np.floating], sections: tuple[Section, ...]) -> Doubles:
    """The difference equation in double precision: y[n] = b0 x[n] + b1 x[n-1] + b2 x[n-2] - a1 y[n-1] - a2 y[n-2], filter after filter."""
    values = samples.astype("f8").tolist()
    for (b0, b1, b2), (_, a1, a2) in sections:
        x1 = x2 = y1 = y2 = 0.0
        for at, x in enumerate(values):
            y = b0 * x + b1 * x1 + b2 * x2 - a1 * y1 - a2 * y2
            x1, x2, y1, y2 = x, x1, y, y1
            values[at] = y
    return np.array(values)


def run(samples: NDArray[np.floating], sections: tuple[Section, ...], *lengths: int) -> NDArray[np.float32]:
    """The filter's output, in stretches of so many steps, one handing its state to the next."""
    state, at, found = None, 0, []
    for steps in lengths or (len(samples) // STEP,):
        out, state = filtered(samples[at * STEP : (at + steps) * STEP].astype("f4"), sections, state)
        found.append(out.reshape(-1))
        at += steps
    assert at * STEP == len(samples)
    return np.concatenate(found)


SOUNDS = {
    "a voice": single(speech(1.5))[:, 0],
    "on an offset": single(speech(1.5, level=0.01) + 0.4)[:, 0],
    "rumble": single(0.01 * speech(1.5) + tone(1.5, 12, level=0.7))[:, 0],
    "clicks": np.where(np.arange(15 * STEP) % 7001 == 5, np.float32(0.9), np.float32(0)),
}


@pytest.mark.parametrize("sound", SOUNDS)
@pytest.mark.parametrize("name", CASCADES)
def test_what_comes_out_is_what_the_recursion_gives(name: str, sound: str) -> None:
    wanted = recursion(SOUNDS[sound], CASCADES[name])
    found = run(SOUNDS[sound], CASCADES[name])
    assert found.dtype == np.float32
    # single precision, against full scale: what differs is 110 dB down
    assert np.abs(found - wanted).max() < 3e-6


@pytest.mark.parametrize("lengths", [(1,) * 15, (14, 1), (3, 0, 12)], ids=str)
@pytest.mark.parametrize("name", CASCADES)
def test_in_stretches_it_is_the_same_filter(name: str, lengths: tuple[int, ...]) -> None:
    samples = SOUNDS["on an offset"]
    assert np.abs(run(samples, CASCADES[name], *lengths) - run(samples, CASCADES[name])).max() < 1e-6


def test_without_samples_the_state_stays_what_it_was() -> None:
    _, state = filtered(SOUNDS["a voice"][:STEP], K_WEIGHTING)
    out, after = filtered(np.zeros(0, "f4"), K_WEIGHTING, state)
    assert out.size == 0
    assert after.tolist() == state.tolist()


@pytest.mark.parametrize("name", CASCADES)
def test_a_filter_has_forgotten_what_it_heard_300_ms_ago(name: str) -> None:
    # what `filtered` relies on: a step's first state needs the three steps before it, and no other
    click = np.zeros(5 * STEP, "f4")
    click[100] = 1.0
    after = np.abs(recursion(click, CASCADES[name])[3 * STEP + 100 :]).max()
    assert after < 10 ** (-200 / 20)


@pytest.mark.parametrize("corner", [40, 60, 80, 120, 300])
def test_a_high_pass_is_a_butterworth_of_fourth_order(corner: float) -> None:
    pitches = np.array([10.0, corner / 2, corner, 2 * corner, 1000.0, 10_000.0])
    z = np.exp(-2j * np.pi * pitches / RATE)
    response = np.ones(len(z))
    for b, a in high_pass(corner):
        response *= np.abs((b[0] + b[1] * z + b[2] * z**2) / (a[0] + a[1] * z + a[2] * z**2))
        # nothing is left of an offset
        assert sum(b) == pytest.approx(0.0, abs=1e-12)
    # the bilinear transform moves frequencies by tan, and the corner not at all
    way = np.tan(np.pi * pitches / RATE) / math.tan(math.pi * corner / RATE)
    assert response == pytest.approx(way**4 / np.sqrt(1 + way**8), rel=1e-6)
    assert 20 * np.log10(response[2]) == pytest.approx(-3.01, abs=0.01)
