"""Curves of a finished file: put together from slices at their places, kept, and made again when they are gone."""

from __future__ import annotations

from array import array
from pathlib import Path

import numpy as np
import pytest

from audio import verify
from audio.mpeg import Format
from audio.units import FRAME, RATE, Db, Samples
from audio.verify import Heard, Slice
from production import curves
from production.curves import Curves
from production.receipts import Receipt
from production.store import Store

STEREO = Format(128, 2)


def heard(part: Slice, momentary: float, peak: float) -> Heard:
    """A slice that is as loud throughout."""
    count = (part.last - part.first) * FRAME
    blocks = count // curves.STEP - (0 if part.first else 3)
    return Heard(array("d", [momentary] * blocks), Db(peak), array("d", [peak] * -(-count // curves.STEP)))


def test_every_slice_stands_at_its_place() -> None:
    parts = (Slice(0, 125), Slice(125, 375))
    found = curves.assembled(parts, [heard(parts[0], -20.123, -3.0), heard(parts[1], -30.0, -9.5)], Samples(9 * RATE))
    assert len(found.momentary) == len(found.peak) == 90
    # the first 400 ms end with the fourth step
    assert found.momentary[:3].tolist() == [-120.0] * 3
    assert found.momentary[3:30] == pytest.approx(-20.12)
    assert found.momentary[30:] == pytest.approx(-30.0)
    assert found.peak[:30] == pytest.approx(-3.0)
    assert found.peak[30:] == pytest.approx(-9.5)
    assert Curves.unpacked(found.packed()).momentary.tobytes() == found.momentary.tobytes()


def test_a_slice_that_begins_between_two_steps_leaves_no_hole() -> None:
    # 20 frames are 4.8 steps, 37 are 8.88
    parts = (Slice(0, 20), Slice(20, 37), Slice(37, 125))
    found = curves.assembled(parts, [heard(part, level, level) for part, level in zip(parts, (-20.0, -30.0, -40.0), strict=True)], Samples(3 * RATE))
    assert found.momentary[3:].tolist() == [-20.0] * 2 + [-30.0] * 4 + [-40.0] * 21
    assert found.peak.tolist() == [-20.0] * 5 + [-30.0] * 4 + [-40.0] * 21


def test_the_end_of_a_programme_is_no_whole_step() -> None:
    (part,) = parts = (Slice(0, 47),)
    found = curves.assembled(parts, [heard(part, -20.0, -1.0)], Samples(47 * FRAME))
    assert len(found.momentary) == len(found.peak) == 12
    assert found.momentary[3:].tolist() == [-20.0] * 9
    assert curves.assembled((), (), Samples(0)).peak.tolist() == []


def test_what_is_packed_comes_back_to_the_last_bit() -> None:
    chance = np.random.default_rng(14)
    found = Curves(*(chance.integers(-12000, 400, (2, 5000)).astype("f4") / np.float32(100)))
    again = Curves.unpacked(found.packed())
    assert again.momentary.tobytes() == found.momentary.tobytes()
    assert again.peak.tobytes() == found.peak.tobytes()
    assert Curves.unpacked(again.packed()).packed() == found.packed()


@pytest.fixture
def decodings(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Slice, ...]]:
    """What is decoded, instead of decoding it."""
    found: list[tuple[Slice, ...]] = []

    def hear(_frames: object, parts: tuple[Slice, ...], _fmt: Format) -> list[Heard]:
        found.append(tuple(parts))
        return [heard(part, -16.0 - part.first / 100, -2.0) for part in parts]

    monkeypatch.setattr(verify, "hear", hear)
    return found


def receipt(frames: int, **said: object) -> Receipt:
    return Receipt("", False, frames * FRAME, {}, {"offset": 4, "sha256": "ab", **said}, {})


def test_curves_are_kept_and_heard_again_as_they_were_heard(tmp_path: Path, decodings: list[tuple[Slice, ...]]) -> None:
    finished = tmp_path / "a.mp3"
    finished.write_bytes(b"tag:" + b"".join(bytes([n % 256]) * STEREO.frame_bytes for n in range(501)))
    store, made = Store(tmp_path / "store"), receipt(500, slices=[0, 125, 375])
    first = curves.of(store, finished, made, STEREO, "ffmpeg 5", 2)
    whole = [Slice(0, 125), Slice(125, 375), Slice(375, 500)]
    assert [part for group in decodings for part in group] == whole
    decodings.clear()
    assert curves.of(store, finished, made, STEREO, "ffmpeg 5", 2).packed() == first.packed()
    assert decodings == []
    # without them, but with what was heard of the slices; and without anything
    name = curves.key("ab", [0, 125, 375], "ffmpeg 5")
    (tmp_path / "store" / "entries" / name[:2] / name).unlink()
    assert curves.of(store, finished, made, STEREO, "ffmpeg 5", 2).packed() == first.packed()
    assert decodings == []
    assert curves.of(Store(tmp_path / "other"), finished, made, STEREO, "ffmpeg 5", 1).packed() == first.packed()
    assert [part for group in decodings for part in group] == whole


def test_a_build_that_did_not_write_down_its_slices_is_heard_in_slices_of_six_minutes(tmp_path: Path, decodings: list[tuple[Slice, ...]]) -> None:
    finished = tmp_path / "a.mp3"
    finished.write_bytes(b"tag:" + bytes(STEREO.frame_bytes) * 15_102)
    found = curves.of(Store(tmp_path / "store"), finished, receipt(15_100), STEREO, "ffmpeg 5", 1)
    assert decodings == [(Slice(0, 15_000), Slice(15_000, 15_100))]
    assert len(found.peak) == 15_100 * FRAME // curves.STEP
