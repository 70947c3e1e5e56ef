"""Where speech begins and ends: silence is silence, and a soft syllable is worth more than a clean edge."""

from __future__ import annotations

import numpy as np
import pytest

from audio.clips import clip, silent_edges
from audio.leveling import STEP
from audio.units import RATE, Lufs
from tests.audio.sounds import Sound, single, tone

MS = RATE // 1000


def silence(seconds: float, channels: int = 1) -> Sound:
    return np.zeros((round(seconds * RATE), channels))


def edges(*parts: Sound, noise: float = 0.0, kept: float = 20.0) -> tuple[int, int]:
    """The silence that is found around a recording of these parts, of which the first and last ``kept`` seconds are looked at."""
    sound = np.concatenate(parts)
    sound = sound + noise * np.random.default_rng(14).standard_normal(sound.shape)
    edge = round(kept * RATE)
    steps = np.abs(sound[: len(sound) // STEP * STEP]).reshape(-1, STEP * sound.shape[1])
    peaks = 20 * np.log10(np.maximum(steps.max(axis=1), 1e-6))
    return silent_edges(clip(single(sound[:edge])), clip(single(sound[-edge:])[::-1]), single(peaks), Lufs(-20.0))


@pytest.mark.parametrize("channels", [1, 2])
def test_silence_lasts_to_the_first_sound_and_a_word_may_die_away(channels: int) -> None:
    lead, trail = edges(silence(2, channels), tone(1, 400, channels), silence(3, channels))
    assert 2 * RATE - 5 * MS <= lead <= 2 * RATE
    assert 3 * RATE - 105 * MS <= trail <= 3 * RATE - 100 * MS


def test_what_starts_and_ends_at_once_has_no_silence() -> None:
    assert edges(tone(1, 400)) == (0, 0)
    # a tenth of a second may be a word that dies away
    assert edges(silence(0.1), tone(1, 400), silence(0.1))[1] == 0


def test_a_soft_start_before_loud_speech_stays() -> None:
    # 20 dB under the voice, as the s of "so"
    lead, _ = edges(silence(1), tone(0.2, 6000, level=0.014), tone(1, 400, level=0.14))
    assert RATE - 10 * MS <= lead <= RATE


def test_a_noisy_room_is_silence_too() -> None:
    lead, trail = edges(silence(2), tone(1, 400), silence(3), noise=0.0005)
    assert lead == pytest.approx(2 * RATE, abs=10 * MS)
    assert trail == pytest.approx(3 * RATE - 100 * MS, abs=10 * MS)


def test_in_a_room_as_loud_as_the_voice_nothing_is_cut() -> None:
    assert edges(silence(2), tone(1, 400), silence(3), noise=0.05) == (0, 0)


def test_only_one_side_need_sound() -> None:
    sound = tone(1, 400, 2)
    sound[:, 0] = 0
    lead, _ = edges(silence(2, 2), sound)
    assert lead == pytest.approx(2 * RATE, abs=5 * MS)


def test_silence_longer_than_what_is_kept_is_followed_in_the_peaks() -> None:
    lead, trail = edges(silence(2), tone(1, 400), silence(3), kept=0.5)
    assert lead == pytest.approx(2 * RATE, abs=10 * MS)
    assert trail == pytest.approx(3 * RATE - 100 * MS, abs=10 * MS)
