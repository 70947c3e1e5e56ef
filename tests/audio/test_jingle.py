"""The show's own music: its form (length, level, edges), its place in the stereo picture, and the instruments and the room that play it."""

from __future__ import annotations

import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

from audio import jingle, score, synth
from audio.units import RATE
from tests.conftest import ROOT

KEYS = (35, 50, 69, 86)
"""From the lowest bass to the highest bell of the scores, as MIDI keys."""


@pytest.fixture(scope="module")
def sting() -> synth.Sound:
    return jingle.render("sting")


# -- pieces ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "seconds"), [("intro", 12.0), ("outro", 15.0), ("sting", 2.0)])
def test_every_note_of_a_score_starts_within_its_piece(name: jingle.Name, seconds: float) -> None:
    piece = jingle.SCORES[name]()
    starts = [note.beat * 60 / piece.tempo for _, notes in piece.parts for note in notes]
    assert piece.seconds == seconds
    assert starts
    assert max(starts) < seconds - piece.fade / 2


def test_scores_name_only_instruments_that_exist() -> None:
    assert {part for score in jingle.SCORES.values() for part, _ in score().parts} == set(synth.INSTRUMENTS)


def test_a_piece_peaks_at_minus_six_and_starts_and_ends_at_zero(sting: synth.Sound) -> None:
    assert sting.shape == (2, 2 * RATE)
    assert 20 * np.log10(np.max(np.abs(sting))) == pytest.approx(-6.0, abs=0.01)
    assert np.all(sting[:, [0, -1]] == 0.0)


def test_no_peak_between_samples_is_much_higher_than_the_samples(sting: synth.Sound) -> None:
    # eight times as many samples, from a spectrum that is zero above the old half rate
    between = 8 * np.fft.irfft(np.fft.rfft(sting), 8 * sting.shape[1])
    assert -6.01 < 20 * np.log10(np.max(np.abs(between))) < -5.5


def test_a_piece_has_no_clicks_and_no_dc(sting: synth.Sound) -> None:
    # A click is energy above everything the instruments play; a partial of 9 kHz at most can bend the line only so fast.
    spectrum = np.abs(np.fft.rfft(sting)) ** 2
    frequency = np.fft.rfftfreq(sting.shape[1], 1 / RATE)
    assert np.sum(spectrum[:, frequency > 11_000]) < 1e-9 * np.sum(spectrum)
    assert np.max(np.abs(np.diff(sting))) < 0.15
    assert np.max(np.abs(np.mean(sting, axis=1))) < 1e-3


def test_a_piece_is_wide_but_survives_mono(sting: synth.Sound) -> None:
    left, right = sting
    assert 0.2 < np.corrcoef(left, right)[0, 1] < 0.95


def test_a_sting_dies_away(sting: synth.Sound) -> None:
    halves = [np.sqrt(np.mean(part**2)) for part in np.split(sting, 4, axis=1)]
    assert halves == sorted(halves, reverse=True)


def test_a_note_sounds_where_and_how_loud_the_score_says() -> None:
    early, late = score.Note(0.0, 0.5, 69, 0.25, -1.0), score.Note(2.0, 0.5, 69, 1.0, 1.0)
    sound = synth.play(score.Piece(3.0, 60.0, 0.5, (("bass", (early, late)),)))
    first, second = (np.sqrt(np.mean(sound[:, start : start + RATE // 2] ** 2, axis=1)) for start in (0, 2 * RATE))
    # the bass is nearly dry: all of it is on its side
    assert first[0] > 20 * first[1]
    assert second[1] > 20 * second[0]
    # four times, and a little of what the room still holds
    assert second[1] / first[0] == pytest.approx(4.0, rel=0.1)


# -- instruments and room --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, synth.BLOCK, 5000, 10_000])
def test_ringing_is_the_sum_of_its_partials(count: int) -> None:
    rates = np.array([-3 + 2j * np.pi * 440, -11 + 2j * np.pi * 8800])
    strengths = np.array([1.0, 0.4 * np.exp(0.7j)])
    t = np.arange(count) / synth.PLAYED
    wanted = np.exp(-3 * t) * np.sin(2 * np.pi * 440 * t) + 0.4 * np.exp(-11 * t) * np.sin(2 * np.pi * 8800 * t + 0.7)
    assert synth._ringing(rates, strengths, count) == pytest.approx(wanted, abs=2e-6)


def test_a_swell_goes_in_lines_between_the_heads_of_the_blocks() -> None:
    count, rate = 6000, 2j * np.pi * 1000
    heads = np.linspace(0.0, 1.0, synth._rows(count) + 1) ** 2
    swell = np.interp(np.arange(count) / synth.BLOCK, np.arange(len(heads)), heads)
    wanted = swell * np.sin(2 * np.pi * 1000 * np.arange(count) / synth.PLAYED)
    assert synth._ringing(np.array([rate]), np.ones(1), count, heads[:, None]) == pytest.approx(wanted, abs=2e-6)


@pytest.mark.parametrize("name", sorted(synth.INSTRUMENTS))
@pytest.mark.parametrize("key", KEYS)
def test_a_tone_starts_and_ends_at_zero_and_is_in_tune(name: str, key: int) -> None:
    hertz = synth._hertz(key)
    tone = np.atleast_2d(synth.INSTRUMENTS[name].play(hertz, 2.0))
    assert np.all(tone[:, [0, -1]] == 0.0)
    spectrum = np.abs(np.fft.rfft(tone[0]))
    frequency = np.fft.rfftfreq(tone.shape[1], 1 / synth.PLAYED)
    near = np.flatnonzero(np.abs(frequency / hertz - 1) < 0.03)
    # within seven cents: the players of the pad are that far apart
    assert frequency[near[np.argmax(spectrum[near])]] == pytest.approx(hertz, rel=0.004, abs=0.3)
    assert np.sum(spectrum[frequency > 10_500] ** 2) < 1e-9 * np.sum(spectrum**2)


def test_the_room_answers_late_dies_away_and_loses_its_treble_first() -> None:
    room = synth._room()
    assert not room[:, : round(0.014 * synth.PLAYED)].any()
    assert np.sum(room**2, axis=1) == pytest.approx([2.0, 2.0], rel=1e-4)
    early, late = (room[:, round(at * synth.PLAYED) :][:, : synth.PLAYED // 2] for at in (0.1, 1.6))
    assert np.sum(late**2) < 1e-3 * np.sum(early**2)
    frequency = np.fft.rfftfreq(early.shape[1], 1 / synth.PLAYED)
    shares = [np.sum(energy[:, frequency > 3000]) / np.sum(energy) for energy in (np.abs(np.fft.rfft(part)) ** 2 for part in (early, late))]
    assert shares[1] < 0.2 * shares[0]


def test_what_is_played_dry_comes_out_as_it_is_at_48_khz_without_dc() -> None:
    def tone(rate: int) -> synth.Sound:
        t = np.arange(2 * rate) / rate
        return (np.hanning(2 * rate) * np.sin(2 * np.pi * 997 * t)).astype(np.float32)

    dry = np.stack([tone(synth.PLAYED) + np.float32(0.25), np.zeros(2 * synth.PLAYED, np.float32)])
    heard = synth._in_room(dry, np.zeros_like(dry))
    middle = slice(RATE // 2, -RATE // 2)
    assert heard[0, middle] == pytest.approx(tone(RATE)[middle], abs=1e-3)
    assert not heard[1].any()


def test_the_room_answers_what_is_sent_to_it() -> None:
    send = np.zeros((2, 3 * synth.PLAYED), np.float32)
    at = synth.PLAYED // 4
    send[:, at] = 1.0
    heard = synth._in_room(np.zeros_like(send), send)[:, :: RATE // synth.PLAYED]
    wanted = np.zeros_like(heard)
    wanted[:, at : at + synth._room().shape[1]] = synth._room()[:, : heard.shape[1] - at]
    # but for the high-pass, which takes little of a room that hardly sounds below 100 Hz
    assert np.corrcoef(heard[0], wanted[0])[0, 1] > 0.999
    assert np.corrcoef(heard[1], wanted[1])[0, 1] > 0.999


@pytest.mark.parametrize("least", [1000, 4097, 122_401, 362_400, 434_400, 524_289])
def test_transforms_have_a_size_that_divides_well(least: int) -> None:
    size = rest = synth._fast_size(least)
    assert least <= size <= 1.125 * least
    assert size % 2 == 0
    for prime in (2, 3, 5):
        while rest % prime == 0:
            rest //= prime
    assert rest == 1


# -- file ------------------------------------------------------------------------------------------------------------------------


def test_a_written_piece_is_24_bit_stereo_at_48_khz_and_always_the_same(tmp_path: Path) -> None:
    jingle.write("sting", tmp_path / "one.wav")
    jingle.write("sting", tmp_path / "two.wav")
    assert (tmp_path / "one.wav").read_bytes() == (tmp_path / "two.wav").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["one.wav", "two.wav"]
    with wave.open(str(tmp_path / "one.wav")) as wav:
        assert (wav.getnchannels(), wav.getsampwidth(), wav.getframerate(), wav.getnframes()) == (2, 3, 48_000, 96_000)


def test_24_bit_samples_keep_sign_and_order() -> None:
    packed = jingle._pcm24(np.array([[1.0, 0.0], [-1.0, 2.0**-23]], np.float32))
    assert packed == bytes.fromhex("ffff7f 010080 000000 010000")


def test_nothing_is_left_behind_when_a_piece_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: str) -> synth.Sound:
        raise MemoryError

    monkeypatch.setattr(jingle, "render", fail)
    with pytest.raises(MemoryError):
        jingle.write("sting", tmp_path / "sting.wav")
    assert not list(tmp_path.iterdir())


@pytest.mark.process
def test_a_recipe_is_asked_for_without_numpy() -> None:
    # a build with nothing to do reads the recipe's version; numpy would be most of its time
    code = "import sys; from audio import jingle; jingle.SCORES['intro'](); print(sorted({'numpy', 'audio.synth'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.slow
@pytest.mark.parametrize(("name", "seconds"), [("intro", 12), ("outro", 15)])
def test_the_long_pieces_keep_the_same_form(name: jingle.Name, seconds: int) -> None:
    sound = jingle.render(name)
    assert sound.shape == (2, seconds * RATE)
    assert np.max(np.abs(sound)) == pytest.approx(synth.PEAK)
    assert np.all(sound[:, [0, -1]] == 0.0)
    assert np.max(np.abs(np.diff(sound))) < 0.15
