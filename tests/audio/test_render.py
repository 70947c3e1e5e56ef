"""A segment's samples: exactly as many as were asked for, each at its place, at full level; and the inputs of chunks cut from them."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audio import render, runs, sources
from audio.errors import SourceUnreadable
from audio.pcm import Pcm, Take
from audio.render import Edit, Material
from audio.runs import Chunk, Part, Run
from audio.units import FRAME, RATE, Db, Samples
from tests.audio.held import Held
from tests.audio.sounds import Sound, raw, single, sound_of, speech, tone


def edit(start: int, end: int, channels: int, *, gain: float = 0.0, ceiling: float | None = None, fade_in: int = 0, fade_out: int = 0) -> Edit:
    limit = None if ceiling is None else Db(ceiling)
    return Edit(Samples(start), Samples(end), Db(gain), limit, Samples(fade_in), Samples(fade_out), channels)


def sounding(pcm: Pcm, asked: Edit, start: int = 0, end: int | None = None) -> np.ndarray:
    blocks = list(render.sounding(Material(pcm.take, asked), lambda *_: pcm, start, asked.length if end is None else end))
    return np.concatenate(blocks) if blocks else np.zeros((0, asked.channels), dtype="<f4")


# -- from anywhere ----------------------------------------------------------------------------------------------------------------

LENGTH = 9 * RATE + 777
BLOCK = 2 * RATE
"""What the limiter works on at once."""
EDITS = {
    "limited stereo": (2, edit(5000, LENGTH + 5000, 2, gain=14.0, ceiling=-2.0, fade_in=30_000, fade_out=130_001)),
    "limited mono": (1, edit(5000, LENGTH + 5000, 1, gain=14.0, ceiling=-2.0, fade_in=100, fade_out=3)),
    "limited, mono to stereo": (1, edit(5000, LENGTH + 5000, 2, gain=20.0, ceiling=-6.0, fade_in=1, fade_out=0)),
    "fades that are long": (2, edit(5000, LENGTH + 5000, 2, gain=-3.3, fade_in=BLOCK + 77, fade_out=BLOCK + 78)),
    "as it is": (1, edit(5000, LENGTH + 5000, 2)),
}


@pytest.fixture(scope="module")
def wholes() -> dict[str, tuple[Held, np.ndarray]]:
    """The sound of each of `EDITS`, and what becomes of the whole of it."""
    made = {}
    for name, (channels, asked) in EDITS.items():
        # a take that begins later than its recording: the edit counts from the recording's start
        pcm = Held(speech(9.1, channels), start=1234)
        made[name] = pcm, sounding(pcm, asked)
    return made


near_edges = st.builds(lambda block, off: block * BLOCK + off, st.integers(0, 4), st.integers(-600, 600))
positions = st.one_of(st.integers(0, LENGTH), near_edges).map(lambda at: min(max(at, 0), LENGTH))


@pytest.mark.parametrize("name", EDITS)
@settings(max_examples=60)
@given(positions, positions)
def test_any_stretch_is_that_stretch_of_the_whole(wholes: dict[str, tuple[Held, np.ndarray]], name: str, one: int, other: int) -> None:
    pcm, whole = wholes[name]
    start, end = min(one, other), max(one, other)
    assert sounding(pcm, EDITS[name][1], start, end).tobytes() == whole[start:end].tobytes()


@pytest.mark.parametrize("name", EDITS)
def test_the_whole_has_its_gain_and_its_fades_and_stays_under_its_ceiling(wholes: dict[str, tuple[Held, np.ndarray]], name: str) -> None:
    pcm, whole = wholes[name]
    asked = EDITS[name][1]
    rising, falling = np.ones(LENGTH), np.ones(LENGTH)
    rising[: asked.fade_in] = np.sin(np.pi / 2 * np.arange(asked.fade_in) / max(1, asked.fade_in))
    falling[LENGTH - asked.fade_out :] = (1 + np.cos(np.pi * np.arange(asked.fade_out) / max(1, asked.fade_out))) / 2
    wanted = pcm.sound[5000 - 1234 :][:LENGTH] * (rising * falling * 10 ** (asked.gain / 20))[:, None]
    wanted = np.repeat(wanted, asked.channels // wanted.shape[1], axis=1)
    assert whole.shape == (LENGTH, asked.channels)
    if asked.ceiling is None:
        assert np.abs(whole - wanted).max() < 1e-6
        return
    ceiling = 10 ** (asked.ceiling / 20)
    assert np.abs(wanted).max() > 1.5 * ceiling
    assert np.abs(whole).max() <= ceiling * 1.001
    # what is limited is only ever made quieter, by no more than its peaks need, and by a gain that all channels share
    gain = whole / np.where(np.abs(wanted) < 1e-3, np.nan, wanted)
    assert np.nanmax(gain) < 1.001
    assert np.nanmin(gain) > 0.7 * ceiling / np.abs(wanted).max()
    assert np.nanmax(np.abs(np.diff(gain, axis=1)), initial=0.0) < 1e-3


def test_of_the_beginning_there_is_no_more_than_the_segment_has() -> None:
    pcm = Held(speech(1, 2))
    one, longer, nothing = (Material(pcm.take, edit(0, end, 2)) for end in (1000, 40_000, 0))
    assert render.beginning(one, pcm, 5000).tobytes() == single(speech(1, 2))[:1000].tobytes()
    assert render.beginning(longer, pcm, 300).tobytes() == single(speech(1, 2))[:300].tobytes()
    assert render.beginning(nothing, pcm, 300).shape == (0, 2)


def test_an_edit_is_as_long_as_its_stretch() -> None:
    assert edit(4800, 9 * RATE, 2).length == 9 * RATE - 4800


# -- from a recording -------------------------------------------------------------------------------------------------------------


def recorded(folder: Path, ffmpeg: str, sound: Sound, *options: str, rate: int = RATE) -> sources.Source:
    path = folder / "take.wav"
    head = [ffmpeg, "-nostdin", "-y", "-v", "error", "-f", "f32le", "-ar", str(rate), "-ac", str(sound.shape[1]), "-i", "pipe:0"]
    subprocess.run([*head, *options, "-c:a", "pcm_f32le", path], input=raw(sound), check=True)
    return sources.probe(path)


def heard(source: sources.Source, asked: Edit, start: int = 0) -> Sound:
    """The segment, of a take that begins at ``start``."""
    with Pcm.opened(Take(source, asked.channels, Samples(start)), source.path.parent) as pcm:
        return render.beginning(Material(pcm.take, asked), pcm, asked.length + 1000).astype("f8")


@pytest.mark.process
@pytest.mark.parametrize("rate", [44_100, 48_000])
@pytest.mark.parametrize("ceiling", [None, -3.0])
def test_a_stretch_has_exactly_its_samples(tmp_path: Path, ffmpeg: str, rate: int, ceiling: float | None) -> None:
    source = recorded(tmp_path, ffmpeg, speech(3 * rate / RATE), rate=rate)
    assert len(heard(source, edit(12_345, 98_765, 2, gain=12.0, ceiling=ceiling))) == 98_765 - 12_345


@pytest.mark.process
@pytest.mark.parametrize("begins", [0, 700])
@pytest.mark.parametrize("channels", [1, 2])
def test_an_impulse_stays_where_it_is_with_a_limiter_and_without(tmp_path: Path, ffmpeg: str, channels: int, begins: int) -> None:
    sound = np.zeros((RATE, channels))
    sound[20_000] = 0.5
    source = recorded(tmp_path, ffmpeg, sound)
    for ceiling, gain, level in ((None, 0.0, 0.5), (-2.0, 0.0, 0.5), (-6.0, 6.0, 0.5)):
        found = heard(source, edit(1000, RATE, channels, gain=gain, ceiling=ceiling), begins)
        assert np.abs(found).argmax(axis=0).tolist() == [19_000] * channels
        assert np.abs(found).max() == pytest.approx(level, rel=0.05)


@pytest.mark.process
def test_mono_is_heard_from_both_sides_at_full_level(tmp_path: Path, ffmpeg: str) -> None:
    sound = speech(1)
    found = heard(recorded(tmp_path, ffmpeg, sound), edit(0, RATE, 2))
    assert found.shape == (RATE, 2)
    assert np.abs(found - sound).max() < 1e-6


@pytest.mark.process
def test_stereo_becomes_mono_by_its_mean(tmp_path: Path, ffmpeg: str) -> None:
    sound = np.hstack((tone(1, 440), tone(1, 1000)))
    found = heard(recorded(tmp_path, ffmpeg, sound), edit(0, RATE, 1))
    assert np.abs(found[:, 0] - sound.mean(axis=1)).max() < 1e-6


@pytest.mark.process
@pytest.mark.parametrize("layout", ["3.0", "5.1", "6.1"])
def test_surround_is_folded_down_and_not_taken_for_stereo(tmp_path: Path, ffmpeg: str, layout: str) -> None:
    source = recorded(tmp_path, ffmpeg, tone(1, 440), "-af", f"pan={layout}|FL=c0|FR=c0")
    found = heard(source, edit(0, RATE, 2))
    assert len(found) == RATE
    # a 440 Hz tone has 440 periods a second, unless its channels are taken one after the other
    assert np.sum((found[1:, 0] >= 0) & (found[:-1, 0] < 0)) == pytest.approx(440, abs=2)


def test_gain_is_linear_and_fades_reach_zero_at_both_ends() -> None:
    sound = np.full((RATE, 1), 0.1)
    found = sounding(Held(sound), edit(0, RATE, 1, gain=6.0, fade_in=4800, fade_out=9600))[:, 0]
    assert found[4800 : RATE - 9600] == pytest.approx(0.1 * 10 ** (6 / 20), rel=1e-4)
    assert abs(found[0]) < 1e-4
    assert abs(found[-1]) < 1e-4
    assert np.all(np.diff(found[:4800]) >= -1e-7)
    assert np.all(np.diff(found[-9600:]) <= 1e-7)


@pytest.mark.process
def test_a_recording_that_shrank_since_it_was_measured_is_refused(tmp_path: Path, ffmpeg: str) -> None:
    source = recorded(tmp_path, ffmpeg, speech(1))
    with pytest.raises(SourceUnreadable, match="changed while it was read"):
        heard(source, edit(0, RATE + 1, 2))


# -- the inputs of chunks ---------------------------------------------------------------------------------------------------------

RUN = Run(500, 152, (Part("a", Samples(0), Samples(70_000)), Part("b", Samples(75_000), Samples(100_001))), 8, 2, 2)


@pytest.fixture
def short_chunks(monkeypatch: pytest.MonkeyPatch) -> Sequence[Chunk]:
    monkeypatch.setattr(runs, "CHUNK", 60)
    monkeypatch.setattr(runs, "SHORTEST", 20)
    monkeypatch.setattr(runs, "PREROLL", 25)
    chunks = runs.chunks(0, RUN)
    assert len(chunks) == 3
    return chunks


def filled(chunk: Chunk, run: Run, materials: dict[str, Material], decoded: dict[str, Pcm], channels: int, make_up: float = 0.0) -> bytes:
    file = io.BytesIO()
    render.fill(file, chunk, run, materials, lambda samples, _take: decoded[samples], channels, Db(make_up))
    return file.getvalue()


@pytest.fixture
def opened() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.mark.process
def test_chunks_are_cut_from_a_run_and_share_what_they_both_hear(
    tmp_path: Path, ffmpeg: str, short_chunks: Sequence[Chunk], opened: ExitStack
) -> None:
    sound = speech(3)
    take = Take(recorded(tmp_path, ffmpeg, sound), 2)
    pcm = opened.enter_context(Pcm.opened(take, tmp_path))
    materials = {"a": Material(take, edit(0, 70_000, 2), "x"), "b": Material(take, edit(20_000, 120_001, 2), "x")}
    wanted = np.zeros((20 * FRAME + 152 * FRAME + 20 * FRAME, 2))
    wanted[20 * FRAME : 20 * FRAME + 70_000] = sound[:70_000]
    wanted[20 * FRAME + 75_000 : 20 * FRAME + 175_001] = sound[20_000:120_001]
    for chunk in short_chunks[::-1]:
        found = sound_of(filled(chunk, RUN, materials, {"x": pcm}, 2), 2)
        first = 20 * FRAME + chunk.start_sample
        assert len(found) == chunk.input_samples
        assert np.abs(found - wanted[first : first + chunk.input_samples]).max() < 1e-6


@pytest.mark.parametrize("channels", [1, 2])
def test_a_chunk_hears_the_very_bytes_that_the_whole_run_has_there(short_chunks: Sequence[Chunk], channels: int) -> None:
    pcm = Held(speech(5, channels))
    materials = {
        "a": Material(pcm.take, edit(3, 70_003, channels, gain=15.0, ceiling=-2.0, fade_in=480, fade_out=2400), "x"),
        "b": Material(pcm.take, edit(70_003, 170_004, channels, gain=9.0, ceiling=-2.0, fade_out=48_000), "x"),
    }
    decoded: dict[str, Pcm] = {"x": pcm}
    all_of_it = Chunk(run=0, first=0, last=152, before=8, post=8, opens=True, closes=True)
    whole = filled(all_of_it, RUN, materials, decoded, channels, 0.45)
    assert len(whole) == 168 * FRAME * channels * 4
    for chunk in short_chunks:
        first = (chunk.start_sample + 8 * FRAME) * channels * 4
        found = filled(chunk, RUN, materials, decoded, channels, 0.45)
        assert len(found) == chunk.input_samples * channels * 4
        assert found == whole[first : first + len(found)]


def test_before_between_and_after_segments_is_silence() -> None:
    pcm = Held(np.full((4 * RATE, 2), 0.5))
    materials = {"a": Material(pcm.take, edit(0, 70_000, 2), "x"), "b": Material(pcm.take, edit(0, 100_001, 2), "x")}
    (chunk,) = runs.chunks(0, RUN)
    found = sound_of(filled(chunk, RUN, materials, {"x": pcm}, 2), 2)[:, 0]
    assert np.flatnonzero(np.diff(found)).tolist() == [8 * FRAME - 1 + at for at in (0, 70_000, 75_000, 175_001)]
    assert set(found.tolist()) == {0.0, 0.5}


def test_what_the_encoder_will_take_off_the_level_is_added_after_the_limiter() -> None:
    pcm = Held(speech(4, 2))
    materials = {name: Material(pcm.take, edit(0, length, 2, gain=14.0, ceiling=-2.0), "x") for name, length in (("a", 70_000), ("b", 100_001))}
    (chunk,) = runs.chunks(0, RUN)
    plain, louder = (sound_of(filled(chunk, RUN, materials, {"x": pcm}, 2, make_up), 2) for make_up in (0.0, 0.45))
    assert np.abs(louder - plain * 10 ** (0.45 / 20)).max() < 1e-6
    assert 20 * np.log10(np.abs(plain).max()) == pytest.approx(-2.0, abs=0.3)


def test_a_chunk_asks_only_for_the_recordings_that_sound_in_it(short_chunks: Sequence[Chunk]) -> None:
    pcm = Held(speech(4, 2))
    materials = {"a": Material(pcm.take, edit(0, 70_000, 2), "x"), "b": Material(pcm.take, edit(0, 100_001, 2), "y")}
    for chunk in short_chunks:
        asked: list[str] = []

        def decoded(samples: str, take: Take, asked: list[str] = asked) -> Pcm:
            assert take is pcm.take
            asked.append(samples)
            return pcm

        render.fill(io.BytesIO(), chunk, RUN, materials, decoded, 2, Db(0.0))
        # the names by which a recording is kept until its last reader is done
        assert asked == [materials[name].samples for name in chunk.heard(RUN)]
    # the first one's three frames of post-roll still lie before the second segment, and the last begins after the first
    assert [list(chunk.heard(RUN)) for chunk in short_chunks] == [["a"], ["a", "b"], ["b"]]


@pytest.mark.process
def test_nothing_is_left_behind_when_decoding_fails(tmp_path: Path, ffmpeg: str) -> None:
    take = Take(recorded(tmp_path, ffmpeg, speech(1)), 2)
    folder = tmp_path / "scratch"
    folder.mkdir()
    run = Run(500, 152, (Part("a", Samples(0), Samples(152 * FRAME)),), 8, 2, 2)
    with pytest.raises(SourceUnreadable), Pcm.opened(take, folder) as pcm:
        filled(runs.chunks(0, run)[0], run, {"a": Material(take, edit(0, 152 * FRAME, 2), "x")}, {"x": pcm}, 2)
    assert list(folder.iterdir()) == []
