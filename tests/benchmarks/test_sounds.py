"""What stands for speech behaves like speech where an encoder and a loudness meter listen."""

from __future__ import annotations

import numpy as np

from benchmarks import sounds
from benchmarks.material import FORMS, SHARES, Material


def levels(sound: sounds.Floats) -> sounds.Floats:
    """dBFS in steps of 20 ms."""
    blocks = sound[: len(sound) // 960 * 960].reshape(-1, 960)
    found: sounds.Floats = 10 * np.log10(np.mean(blocks**2, axis=1) + 1e-12)
    return found


def test_a_voice_speaks_and_pauses_under_full_scale() -> None:
    sound = sounds.Speaker(3).speech(20)
    assert len(sound) == 20 * sounds.RATE
    assert 0.2 < np.abs(sound).max() < 1
    found = levels(sound)
    speaking = found > -40
    assert 0.5 < speaking.mean() < 0.95
    # Pauses are room noise, and there is one every few seconds.
    assert np.percentile(found, 3) < -60
    assert np.count_nonzero(np.diff(speaking.astype(int)) == 1) > 10
    # Most of it lies where voices are, some of it where consonants are.
    power = np.abs(np.fft.rfft(sound)) ** 2
    hertz = np.fft.rfftfreq(len(sound), 1 / sounds.RATE)
    assert power[hertz < 4000].sum() > 0.8 * power.sum()
    assert power[hertz > 4000].sum() > 1e-4 * power.sum()


def test_a_seed_is_a_voice_and_each_another() -> None:
    one, same, other = (sounds.Speaker(seed).speech(2) for seed in (5, 5, 6))
    assert (one == same).all()
    assert not np.allclose(one, other)


def test_a_chord_dies_away_on_both_sides() -> None:
    sound = sounds.chord(2.4, 392.0)
    assert sound.shape == (round(2.4 * sounds.RATE), 2)
    assert np.abs(sound[-10:]).max() < 0.001 < np.abs(sound).max() <= 0.3
    assert not np.allclose(sound[:, 0], sound[:, 1])


def test_the_sections_together_are_as_long_as_was_asked() -> None:
    lengths = Material(10_800).lengths(7)
    assert abs(sum(lengths) - 10_800) < 1e-6
    assert [round(length / lengths[0], 3) for length in lengths] == [round(share / SHARES[0], 3) for share in SHARES]
    assert {form.suffix for form in FORMS} == {".wav", ".flac", ".mp3"}
    assert min(form.lufs for form in FORMS) == -30
    assert max(form.lufs for form in FORMS) == -12
