"""The show's own music: its form (length, level, edges) and its place in the stereo picture."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from audio import jingle
from audio.units import RATE


@pytest.fixture(scope="module")
def sting() -> jingle.Sound:
    return jingle.render("sting")


@pytest.mark.parametrize(("name", "seconds"), [("intro", 12.0), ("outro", 15.0), ("sting", 2.0)])
def test_every_note_of_a_score_starts_within_its_piece(name: jingle.Name, seconds: float) -> None:
    piece = jingle.SCORES[name]()
    starts = [note.beat * 60 / piece.tempo for _, notes in piece.parts for note in notes]
    assert piece.seconds == seconds
    assert starts
    assert max(starts) < seconds - piece.fade / 2


def test_scores_name_only_instruments_that_exist() -> None:
    assert {part for score in jingle.SCORES.values() for part, _ in score().parts} == set(jingle.INSTRUMENTS)


def test_a_piece_peaks_at_minus_six_and_starts_and_ends_at_zero(sting: jingle.Sound) -> None:
    assert sting.shape == (2, 2 * RATE)
    assert 20 * np.log10(np.max(np.abs(sting))) == pytest.approx(-6.0, abs=0.01)
    assert np.all(sting[:, [0, -1]] == 0.0)


def test_a_piece_has_no_clicks_and_no_dc(sting: jingle.Sound) -> None:
    # A click is energy above everything the instruments play; a partial of 9 kHz at most can bend the line only so fast.
    spectrum = np.abs(np.fft.rfft(sting)) ** 2
    frequency = np.fft.rfftfreq(sting.shape[1], 1 / RATE)
    assert np.sum(spectrum[:, frequency > 14_000]) < 1e-7 * np.sum(spectrum)
    assert np.max(np.abs(np.diff(sting))) < 0.15
    assert np.max(np.abs(np.mean(sting, axis=1))) < 1e-3


def test_a_piece_is_wide_but_survives_mono(sting: jingle.Sound) -> None:
    left, right = sting
    assert 0.2 < np.corrcoef(left, right)[0, 1] < 0.95


def test_a_sting_dies_away(sting: jingle.Sound) -> None:
    halves = [np.sqrt(np.mean(part**2)) for part in np.split(sting, 4, axis=1)]
    assert halves == sorted(halves, reverse=True)


def test_a_written_piece_is_24_bit_stereo_at_48_khz_and_always_the_same(tmp_path: Path) -> None:
    jingle.write("sting", tmp_path / "one.wav")
    jingle.write("sting", tmp_path / "two.wav")
    assert (tmp_path / "one.wav").read_bytes() == (tmp_path / "two.wav").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["one.wav", "two.wav"]
    with wave.open(str(tmp_path / "one.wav")) as wav:
        assert (wav.getnchannels(), wav.getsampwidth(), wav.getframerate(), wav.getnframes()) == (2, 3, 48_000, 96_000)


def test_24_bit_samples_keep_sign_and_order() -> None:
    packed = jingle._pcm24(np.array([[1.0, 0.0], [-1.0, 2.0**-23]]))
    assert packed == bytes.fromhex("ffff7f 010080 000000 010000")


def test_nothing_is_left_behind_when_a_piece_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: str) -> jingle.Sound:
        raise MemoryError

    monkeypatch.setattr(jingle, "render", fail)
    with pytest.raises(MemoryError):
        jingle.write("sting", tmp_path / "sting.wav")
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize(("name", "seconds"), [("intro", 12), ("outro", 15)])
def test_the_long_pieces_keep_the_same_form(name: jingle.Name, seconds: int) -> None:
    sound = jingle.render(name)
    assert sound.shape == (2, seconds * RATE)
    assert np.max(np.abs(sound)) == pytest.approx(jingle.PEAK)
    assert np.all(sound[:, [0, -1]] == 0.0)
    assert np.max(np.abs(np.diff(sound))) < 0.15
