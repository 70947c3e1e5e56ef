"""A segment's samples: exactly as many as were asked for, each at its place, at full level; and the inputs of chunks cut from them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from audio import render, runs, sources
from audio.errors import SourceUnreadable
from audio.graph import Edit
from audio.render import Material
from audio.runs import Part, Run
from audio.units import FRAME, RATE, Db, Samples
from tests.audio.sounds import Sound, raw, sound_of, speech, tone

pytestmark = pytest.mark.process


def recorded(folder: Path, ffmpeg: str, sound: Sound, *options: str, rate: int = RATE) -> sources.Source:
    path = folder / "take.wav"
    head = [ffmpeg, "-nostdin", "-y", "-v", "error", "-f", "f32le", "-ar", str(rate), "-ac", str(sound.shape[1]), "-i", "pipe:0"]
    subprocess.run([*head, *options, "-c:a", "pcm_f32le", path], input=raw(sound), check=True)
    return sources.probe(path)


def edit(start: int, end: int, channels: int, *, gain: float = 0.0, ceiling: float | None = None, fade_in: int = 0, fade_out: int = 0) -> Edit:
    limit = None if ceiling is None else Db(ceiling)
    return Edit(Samples(start), Samples(end), Db(gain), limit, Samples(fade_in), Samples(fade_out), channels)


def heard(source: sources.Source, asked: Edit) -> Sound:
    return sound_of(render.beginning(Material(source, asked), asked.length + 1000), asked.channels)


@pytest.mark.parametrize("rate", [44_100, 48_000])
@pytest.mark.parametrize("ceiling", [None, -3.0])
def test_a_stretch_has_exactly_its_samples(tmp_path: Path, ffmpeg: str, rate: int, ceiling: float | None) -> None:
    source = recorded(tmp_path, ffmpeg, speech(3 * rate / RATE), rate=rate)
    assert len(heard(source, edit(12_345, 98_765, 2, gain=12.0, ceiling=ceiling))) == 98_765 - 12_345


@pytest.mark.parametrize("channels", [1, 2])
def test_an_impulse_stays_where_it_is_with_a_limiter_and_without(tmp_path: Path, ffmpeg: str, channels: int) -> None:
    sound = np.zeros((RATE, channels))
    sound[20_000] = 0.5
    source = recorded(tmp_path, ffmpeg, sound)
    for ceiling, gain, level in ((None, 0.0, 0.5), (-2.0, 0.0, 0.5), (-6.0, 6.0, 0.5)):
        found = heard(source, edit(1000, RATE, channels, gain=gain, ceiling=ceiling))
        assert np.abs(found).argmax(axis=0).tolist() == [19_000] * channels
        assert np.abs(found).max() == pytest.approx(level, rel=0.05)


def test_mono_is_heard_from_both_sides_at_full_level(tmp_path: Path, ffmpeg: str) -> None:
    sound = speech(1)
    found = heard(recorded(tmp_path, ffmpeg, sound), edit(0, RATE, 2))
    assert np.abs(found - sound).max() < 1e-6


def test_stereo_becomes_mono_by_its_mean(tmp_path: Path, ffmpeg: str) -> None:
    sound = np.hstack((tone(1, 440), tone(1, 1000)))
    found = heard(recorded(tmp_path, ffmpeg, sound), edit(0, RATE, 1))
    assert np.abs(found[:, 0] - sound.mean(axis=1)).max() < 1e-6


@pytest.mark.parametrize("layout", ["3.0", "5.1", "6.1"])
def test_surround_is_folded_down_and_not_taken_for_stereo(tmp_path: Path, ffmpeg: str, layout: str) -> None:
    source = recorded(tmp_path, ffmpeg, tone(1, 440), "-af", f"pan={layout}|FL=c0|FR=c0")
    found = heard(source, edit(0, RATE, 2))
    assert len(found) == RATE
    # a 440 Hz tone has 440 periods a second, unless its channels are taken one after the other
    assert np.sum((found[1:, 0] >= 0) & (found[:-1, 0] < 0)) == pytest.approx(440, abs=2)


def test_gain_is_linear_and_fades_reach_zero_at_both_ends(tmp_path: Path, ffmpeg: str) -> None:
    sound = np.full((RATE, 1), 0.1)
    found = heard(recorded(tmp_path, ffmpeg, sound), edit(0, RATE, 1, gain=6.0, fade_in=4800, fade_out=9600))[:, 0]
    assert found[4800 : RATE - 9600] == pytest.approx(0.1 * 10 ** (6 / 20), rel=1e-4)
    assert abs(found[0]) < 1e-4
    assert abs(found[-1]) < 1e-4
    assert np.all(np.diff(found[:4800]) >= -1e-7)
    assert np.all(np.diff(found[-9600:]) <= 1e-7)


def test_a_recording_that_shrank_since_it_was_measured_is_refused(tmp_path: Path, ffmpeg: str) -> None:
    source = recorded(tmp_path, ffmpeg, speech(1))
    with pytest.raises(SourceUnreadable, match="changed while it was read"):
        heard(source, edit(0, RATE + 1, 2))


def test_chunks_are_cut_from_a_run_and_share_what_they_both_hear(tmp_path: Path, ffmpeg: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "CHUNK", 60)
    monkeypatch.setattr(runs, "SHORTEST", 20)
    monkeypatch.setattr(runs, "PREROLL", 25)
    sound = speech(3)
    source = recorded(tmp_path, ffmpeg, sound)
    parts = (Part("a", Samples(0), Samples(70_000)), Part("b", Samples(75_000), Samples(100_001)))
    run = Run(500, 152, parts, 8, 2, 2)
    materials = {"a": Material(source, edit(0, 70_000, 2)), "b": Material(source, edit(20_000, 120_001, 2))}
    wanted = np.zeros((20 * FRAME + 152 * FRAME + 20 * FRAME, 2))
    wanted[20 * FRAME : 20 * FRAME + 70_000] = sound[:70_000]
    wanted[20 * FRAME + 75_000 : 20 * FRAME + 175_001] = sound[20_000:120_001]
    chunks = runs.chunks(0, run)
    assert len(chunks) == 3
    admitted: list[None] = []
    for asked in (chunks, chunks[1:2], chunks[2:]):
        admitted.clear()
        given = list(render.spool(run, asked, materials, 2, tmp_path, lambda: admitted.append(None)))
        assert [chunk for chunk, _ in given] == list(asked)
        assert len(admitted) == len(asked)
        for chunk, file in given:
            with file:
                found = sound_of(file.read(), 2)
            first = 20 * FRAME + chunk.start_sample
            assert len(found) == chunk.input_samples
            assert np.abs(found - wanted[first : first + chunk.input_samples]).max() < 1e-6


def test_spools_leave_nothing_behind_when_decoding_fails(tmp_path: Path, ffmpeg: str) -> None:
    source = recorded(tmp_path, ffmpeg, speech(1))
    run = Run(500, 152, (Part("a", Samples(0), Samples(152 * FRAME)),), 8, 2, 2)
    folder = tmp_path / "scratch"
    folder.mkdir()
    with pytest.raises(SourceUnreadable):
        list(render.spool(run, runs.chunks(0, run), {"a": Material(source, edit(0, 152 * FRAME, 2))}, 2, folder))
    assert list(folder.iterdir()) == []
