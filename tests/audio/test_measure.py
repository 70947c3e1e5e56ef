"""One pass over a recording: what it finds, and what it refuses. A dropout would be heard, so damage is refused wherever it is met."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from audio import chain, loudness, measure, sources
from audio.errors import SourceUnreadable
from audio.leveling import Level
from audio.pcm import Take
from audio.profile import Profile
from audio.units import RATE, Db, Lufs, Samples
from tests.audio.sounds import Sound, raw, speech, tone

pytestmark = pytest.mark.process
LEVEL = Level(Lufs(-16.0), Db(-2.0), Db(40.0))
LINEAR = chain.Wishes(chain="linear", high_pass=0)


def recorded(folder: Path, ffmpeg: str, sound: Sound, name: str = "take.flac") -> Path:
    head = [ffmpeg, "-nostdin", "-v", "error", "-f", "f32le", "-ar", str(RATE), "-ac", str(sound.shape[1])]
    subprocess.run([*head, "-i", "pipe:0", folder / name], input=raw(sound), check=True)
    return folder / name


def found(path: Path, cut: measure.Cut, channels: int = 2) -> Profile:
    take = Take(sources.probe(path), channels, cut.start, cut.end)
    seen, pcm = measure.measure(take, cut, path.parent)
    try:
        assert len(pcm.read(0, seen.profile.length)) == pcm.samples == seen.profile.length
        return seen.profile
    finally:
        pcm.close()


def test_a_tone_is_as_loud_as_the_standard_says_and_its_silence_is_trimmed(tmp_path: Path, ffmpeg: str) -> None:
    # BS.1770: 997 Hz at 0 dBFS in one channel is -3.01 LUFS; here -23 dBFS in both
    sound = np.concatenate((np.zeros((RATE, 2)), tone(8, 997, 2, level=10 ** (-23 / 20)), np.zeros((2 * RATE, 2))))
    path = recorded(tmp_path, ffmpeg, sound)
    profile = found(path, measure.Cut())
    assert profile.length == 11 * RATE
    assert profile.lead == pytest.approx(RATE, abs=RATE // 100)
    assert profile.trail == pytest.approx(1.9 * RATE, abs=RATE // 100)
    assert profile.peak.max() == pytest.approx(-23.0, abs=0.1)
    # and what follows from it
    seen = chain.decide(profile, measure.Cut(), LEVEL, LINEAR, voice=True)
    assert seen.start == pytest.approx(0.85 * RATE, abs=RATE // 100)
    assert seen.end == pytest.approx(9.25 * RATE, abs=RATE // 100)
    assert seen.loudness == pytest.approx(-23.0, abs=0.1)
    assert seen.gain == pytest.approx(7.0, abs=0.1)
    assert seen.peak == pytest.approx(-23.0, abs=0.1)


def test_positions_are_counted_from_the_start_of_the_recording_and_mono_is_heard_from_both_sides(tmp_path: Path, ffmpeg: str) -> None:
    path = recorded(tmp_path, ffmpeg, tone(8, 997, level=10 ** (-23 / 20)))
    cut = measure.Cut(Samples(2 * RATE), Samples(6 * RATE), trim=False)
    seen = chain.decide(found(path, cut), cut, LEVEL, LINEAR, voice=True)
    assert (seen.length, seen.start, seen.end) == (4 * RATE, 2 * RATE, 6 * RATE)
    assert seen.loudness == pytest.approx(-23.0, abs=0.1)
    assert loudness.integrated(found(path, cut, channels=1).momentary[3:]) == pytest.approx(-26.0, abs=0.1)


def test_damage_before_the_out_point_is_refused_and_after_it_does_not_matter(tmp_path: Path, ffmpeg: str) -> None:
    path = recorded(tmp_path, ffmpeg, speech(12))
    data = bytearray(path.read_bytes())
    data[len(data) * 2 // 3 : len(data) * 2 // 3 + 1500] = bytes(1500)
    path.write_bytes(data)
    for end in (None, Samples(11 * RATE)):
        with pytest.raises(SourceUnreadable, match="damaged"):
            found(path, measure.Cut(end=end))
    assert found(path, measure.Cut(end=Samples(3 * RATE), trim=False)).length == 3 * RATE


@pytest.mark.parametrize(
    ("cut", "why"),
    [
        (measure.Cut(end=Samples(5 * RATE)), r"ends at 3.00 s, before the out point \(5 s\)"),
        (measure.Cut(start=Samples(4 * RATE)), r"ends before the in point \(4 s\)"),
    ],
)
def test_points_beyond_the_end_are_refused(tmp_path: Path, ffmpeg: str, cut: measure.Cut, why: str) -> None:
    with pytest.raises(SourceUnreadable, match=why):
        found(recorded(tmp_path, ffmpeg, speech(3)), cut)


def test_a_recording_that_ends_early_or_is_silent_is_refused(tmp_path: Path, ffmpeg: str) -> None:
    path = recorded(tmp_path, ffmpeg, speech(3))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(SourceUnreadable, match=r"3\.00 s are promised"):
        found(path, measure.Cut())
    with pytest.raises(SourceUnreadable, match="silent"):
        found(recorded(tmp_path, ffmpeg, speech(2, level=1e-5), "silent.flac"), measure.Cut())


def test_what_is_too_short_for_a_whole_window_is_measured_by_what_there_is(tmp_path: Path, ffmpeg: str) -> None:
    profile = found(recorded(tmp_path, ffmpeg, tone(0.35, 997, 2, level=10 ** (-23 / 20))), measure.Cut())
    seen = chain.decide(profile, measure.Cut(), LEVEL, LINEAR, voice=True)
    # three quarters of a window of 400 ms
    assert seen.loudness == pytest.approx(-24.25, abs=0.1)
    assert seen.gain == pytest.approx(8.25, abs=0.1)
    with pytest.raises(SourceUnreadable, match="silent"):
        found(recorded(tmp_path, ffmpeg, tone(0.09, 997, 2), "click.flac"), measure.Cut())


def test_progress_is_told_in_seconds_and_nothing_stays_behind(tmp_path: Path, ffmpeg: str) -> None:
    take = Take(sources.probe(recorded(tmp_path, ffmpeg, speech(5))), 2)
    told: list[float] = []
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    _, pcm = measure.measure(take, measure.Cut(), scratch, told.append)
    assert told == sorted(told)
    assert told[-1] == 5.0
    assert list(scratch.iterdir()) == []
    pcm.close()
