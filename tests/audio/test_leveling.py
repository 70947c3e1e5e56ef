"""One gain, foreseen: right after the limiter though nothing was rendered to find it."""

from __future__ import annotations

import tracemalloc
import wave
from pathlib import Path

import numpy as np
import pytest

from audio import chain, leveling, loudness, measure, render, sources
from audio.leveling import Level
from audio.pcm import Pcm, Take
from audio.render import Edit, Material
from audio.units import RATE, Db, Lufs, Samples
from tests.audio.sounds import Sound, speech

LEVEL = Level(Lufs(-16.0), Db(-2.0), Db(40.0))


def envelope(count: int, peak: float, every: int = 0, high: float = 0.0) -> leveling.Floats:
    """Peaks in steps of 10 ms; every so often a high one."""
    peaks = np.full(count, peak)
    if every:
        peaks[::every] = high
    return peaks


def test_without_a_peak_near_the_ceiling_the_gain_is_the_distance_to_the_target() -> None:
    assert leveling.gain(np.full(100, -23.456), envelope(1000, 0.2), LEVEL) == 7.46
    assert leveling.gain(np.full(100, -10.0), envelope(1000, 0.9), LEVEL) == -6.0


def test_nothing_is_lifted_by_more_than_is_allowed() -> None:
    assert leveling.gain(np.full(100, -62.0), envelope(1000, 0.001), LEVEL) == 40.0
    assert leveling.gain(np.full(100, -120.0), envelope(1000, 0.0), LEVEL) == 40.0


def test_what_the_limiter_takes_is_made_up_for_but_not_without_end() -> None:
    blocks = np.full(100, -22.0)
    some = leveling.gain(blocks, envelope(1000, 0.2, 40, 0.9), LEVEL)
    much = leveling.gain(blocks, envelope(1000, 0.9), LEVEL)
    assert 6.1 < some < 9.0
    assert much == 9.0


def test_limiting_only_ever_takes_loudness_away() -> None:
    blocks, peaks = np.full(100, -22.0), envelope(1000, 0.3, 40, 0.8)
    free, held = (leveling.limited_loudness(blocks, peaks, 6.0, Db(ceiling)) for ceiling in (6.0, -3.0))
    assert free == pytest.approx(-16.0)
    assert -18.0 < held < -16.05


def test_a_long_recording_is_foreseen_piece_by_piece_as_it_would_be_in_one(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = np.random.default_rng(7)
    blocks, peaks = chance.normal(-22, 3, 500), chance.uniform(0.1, 0.6, 5000).astype("f4")
    whole = leveling.limited_loudness(blocks, peaks, 6.0, Db(-3.0))
    monkeypatch.setattr(leveling, "_AT_ONCE", 37)
    assert leveling.limited_loudness(blocks, peaks, 6.0, Db(-3.0)) == pytest.approx(whole, abs=1e-9)


def test_ten_hours_in_one_recording_take_no_more_memory_than_one() -> None:
    blocks, peaks = np.full(360_000, -22.0), envelope(3_600_000, 0.3, 40, 0.8).astype("f4")
    tracemalloc.start()
    leveling.limited_loudness(blocks, peaks, 6.0, Db(-3.0))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 25_000_000  # six times what the blocks themselves take; with all steps at once it was 104 MB


def test_a_recording_too_short_for_a_block_does_not_divide_by_nothing() -> None:
    assert leveling.limited_loudness(np.array([-20.0]), envelope(3, 0.9), 6.0, Db(-2.0)) == -np.inf
    assert leveling.limited_loudness(np.array([-20.0]), envelope(0, 0), 6.0, Db(-2.0)) == pytest.approx(-14.0)


def wav(path: Path, sound: Sound) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setparams((sound.shape[1], 2, RATE, 0, "NONE", ""))
        file.writeframes(np.rint(np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())
    return path


def decided(path: Path) -> tuple[chain.Measured, Pcm]:
    """What one linear gain is to do to a recording, and its samples."""
    heard, pcm = measure.measure(Take(sources.probe(path), 2), cut := measure.Cut(trim=False), path.parent)
    return chain.decide(heard.profile, cut, LEVEL, chain.Wishes(chain="linear", high_pass=0), voice=True), pcm


@pytest.mark.process
@pytest.mark.usefixtures("ffmpeg")
@pytest.mark.parametrize(("level", "knocks"), [(0.01, 0.0), (0.03, 0.9)], ids=["quiet", "with loud knocks"])
def test_a_rendered_recording_has_the_loudness_that_was_foreseen(tmp_path: Path, level: float, knocks: float) -> None:
    sound = speech(9, level=level).copy()
    # a knock on the table in every second: 20 ms far over the voice
    sound[np.arange(len(sound)) % RATE < 960] += knocks * np.sign(sound[np.arange(len(sound)) % RATE < 960])
    found, pcm = decided(wav(tmp_path / "voice.wav", sound))
    edit = Edit(found.start, found.end, found.gain, LEVEL.ceiling, Samples(0), Samples(0), 2, found.strip, found.length)
    heard = render.beginning(Material(pcm.take, edit), pcm, edit.length).astype("f8")
    pcm.close()
    # between the limiter's samples a peak may be a little higher
    assert loudness.decibels(np.abs(heard).max()) < LEVEL.ceiling + 0.5
    again, pcm = decided(wav(tmp_path / "rendered.wav", heard))
    pcm.close()
    assert again.loudness == pytest.approx(LEVEL.target, abs=0.3)
