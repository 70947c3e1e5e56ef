"""Cuts at exact samples: what is kept is what was there, and a join is no click."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from audio import cuts, sources
from audio.cuts import HALF, kept
from audio.editmap import Stretch
from audio.errors import SourceUnreadable
from audio.units import RATE, Samples

pytestmark = pytest.mark.process

Floats = NDArray[np.float32]


def stretch(start: float, end: float) -> Stretch:
    return Samples(round(start * RATE)), Samples(round(end * RATE))


def recorded(path: Path, samples: Floats) -> Path:
    data = samples.astype("<f4").tobytes()
    fmt = struct.pack("<HHIIHH", 3, samples.shape[1], RATE, RATE * 4 * samples.shape[1], 4 * samples.shape[1], 32)
    body = b"WAVEfmt " + struct.pack("<I", 16) + fmt + b"data" + struct.pack("<I", len(data)) + data
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    return path


def samples_of(path: Path, channels: int) -> Floats:
    data = path.read_bytes()
    found: Floats = np.frombuffer(data[data.index(b"data") + 8 :], "<f4").reshape(-1, channels)
    return found


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Floats]:
    """Four seconds of noise, another one on either side."""
    noise = (0.1 * np.random.default_rng(5).standard_normal((4 * RATE, 2))).astype("f4")
    return recorded(tmp_path_factory.mktemp("tape") / "tape.wav", noise), noise


@pytest.mark.parametrize(
    "cut",
    [
        [stretch(1, 2)],
        [stretch(0, 0.5), stretch(1, 1.25), stretch(3, 4)],
        # closer together than a crossfade takes, and shorter than one
        [stretch(1, 1.001), stretch(1.004, 1.5)],
        [(Samples(0), Samples(1)), (Samples(4 * RATE - 1), Samples(4 * RATE))],
        [stretch(3.5, 4.01)],
        [stretch(1, 2), stretch(4.01, 4.02)],
        [stretch(3.5, 4.01), stretch(4.02, 4.03)],
    ],
)
def test_what_is_kept_is_what_was_there(tape: tuple[Path, Floats], tmp_path: Path, cut: list[Stretch]) -> None:
    path, noise = tape
    length = cuts.cut(sources.probe(path), cut, tmp_path / "cut.wav")
    found = samples_of(tmp_path / "cut.wav", 2)
    pieces = kept(len(noise), cut)
    wanted = np.concatenate([noise[start:end] for start, end in pieces])
    assert length == len(found) == len(wanted)
    joins = np.cumsum([end - start for start, end in pieces])[:-1]
    faded = np.zeros(len(wanted), bool)
    for join in joins:
        faded[max(0, join - HALF) : join + HALF] = True
    assert np.array_equal(found[~faded], wanted[~faded])
    # Noise is as loud in a join as beside it: powers add up to one.
    for join in joins:
        if HALF < join < len(found) - HALF:
            assert float(np.std(found[join - HALF : join + HALF])) == pytest.approx(0.1, rel=0.15)


def test_a_join_is_no_click(tmp_path: Path) -> None:
    # Cut from a crest to a trough: at a bare cut it would jump by the whole of its height.
    hertz = 100
    wave = 0.5 * np.cos(2 * np.pi * hertz * np.arange(2 * RATE) / RATE)
    path = recorded(tmp_path / "wave.wav", wave[:, None].astype("f4"))
    period = RATE // hertz
    cuts.cut(sources.probe(path), [(Samples(50 * period), Samples(60 * period + period // 2))], tmp_path / "cut.wav")
    found = samples_of(tmp_path / "cut.wav", 1)[:, 0]
    steepest = float(np.abs(np.diff(wave)).max())
    assert float(np.abs(np.diff(found)).max()) < 1.5 * steepest
    bare = np.concatenate((wave[: 50 * period], wave[60 * period + period // 2 :]))
    assert float(np.abs(np.diff(bare)).max()) > 100 * steepest


def test_a_stereo_recording_becomes_as_many_channels_as_are_wanted(tape: tuple[Path, Floats], tmp_path: Path) -> None:
    path, noise = tape
    cuts.cut(sources.probe(path), [stretch(0, 1)], tmp_path / "cut.wav", channels=1)
    again = sources.probe(tmp_path / "cut.wav")
    assert (again.channels, again.rate, again.declared) == (1, RATE, 3.0)
    assert np.allclose(samples_of(tmp_path / "cut.wav", 1)[:, 0], noise[RATE:].mean(axis=1), atol=1e-6)
    assert (tmp_path / "cut.wav").stat().st_size < 3 * RATE * 4 + 100


@pytest.mark.parametrize(
    ("cut", "until", "why", "point"),
    [
        ([stretch(1, 2), stretch(3, 5)], None, "ends after it", ("cut", 1)),
        ([stretch(0, 3.95)], None, "leave nothing", ("cut", 0)),
        ([stretch(0, 2)], 2.05, "leave nothing", ("cut", 0)),
        ([stretch(0, 2)], 4.5, "before the out point", ("out", 0)),
    ],
)
def test_a_cut_that_cannot_be_made_is_named(
    tape: tuple[Path, Floats], tmp_path: Path, cut: list[Stretch], until: float | None, why: str, point: tuple[str, int]
) -> None:
    with pytest.raises(SourceUnreadable, match=why) as caught:
        cuts.cut(sources.probe(tape[0]), cut, tmp_path / "cut.wav", until=None if until is None else Samples(round(until * RATE)))
    assert (caught.value.point, caught.value.number) == point
