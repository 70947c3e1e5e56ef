"""Tracks that were recorded apart, mixed: each at its place and its level, the others' bleed turned down, strangers refused."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from audio import ffmpeg, session, sources
from audio.chain import PLAIN, Wishes
from audio.errors import SessionUnusable
from audio.session import Laid, Track
from audio.units import RATE
from tests.audio.talks import Mono, monologues, recorded, turns
from tests.e2e import project

pytestmark = pytest.mark.process

SECONDS, TURN, WAY = 24.0, 4.0, 0.006
BESIDE = {"bleed": {0: -30.0, 1: -30.0, 2: -30.0}, "way": WAY}


@pytest.fixture(scope="module")
def three() -> list[Mono]:
    return turns(monologues(SECONDS, 3), (0, 1, 2), TURN)


@pytest.fixture(scope="module")
def folder(three: list[Mono], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three at a table; the second is quiet, the third was recorded before, with a slow clock, and stopped early; somebody who was not there."""
    folder = tmp_path_factory.mktemp("session")

    def others(who: int) -> dict[int, float]:
        return {other: -30.0 for other in range(3) if other != who}

    sounds = {
        "a": recorded(three, 0, bleed=others(0), way=WAY),
        "b": recorded(three, 1, offset=1.5, drift=80, bleed=others(1), way=WAY, level=-14),
        "c": recorded(three, 2, offset=-2.25, drift=-50, bleed=others(2), way=WAY, seconds=24.0),
        "stranger": recorded(monologues(12.0, 1, seed=77), 0),
    }
    for name, sound in sounds.items():
        project.save(sound[:, None], folder / f"{name}.wav")
    return folder


def track(folder: Path, name: str, **said: float) -> Track:
    source = sources.probe(folder / f"{name}.wav")
    return Track(source, source, **said)


def mixed(tracks: list[Track], path: Path, cores: int = 2, wishes: Wishes = PLAIN, gate: float = 20.0) -> tuple[tuple[Laid, ...], Mono]:
    laid = session.mix(tracks, path, wishes=wishes, gate=gate, cores=cores)
    argv = [ffmpeg.find(), "-v", "error", "-nostdin", "-i", path, "-f", "f32le", "-c:a", "pcm_f32le", "pipe:1"]
    raw = subprocess.run(argv, capture_output=True, check=True, stdin=subprocess.DEVNULL).stdout
    return laid, np.frombuffer(raw, "<f4").astype("f8")


def late(mix: Mono, voice: Mono, begin: float, length: float = 3.0) -> float:
    """By how many seconds a voice comes later in the mix than it was said."""
    at, count, reach = round(begin * RATE), round(length * RATE), RATE // 20
    room, sound = mix[at - reach : at + count + reach], voice[at : at + count]
    size = 1 << (len(room) + count).bit_length()
    alike = np.fft.irfft(np.fft.rfft(room, size) * np.conj(np.fft.rfft(sound, size)), size)[: 2 * reach]
    return (int(alike.argmax()) - reach) / RATE


def test_three_at_a_table_are_heard_each_at_his_time_and_at_one_level(folder: Path, three: list[Mono], tmp_path: Path) -> None:
    laid, mix = mixed([track(folder, name) for name in "abc"], tmp_path / "mix.wav")
    assert [one.how for one in laid] == ["clock", "found", "found"]
    assert [one.offset for one in laid] == pytest.approx([0, 1.5, -2.25], abs=5e-4)
    assert [one.drift * 1e6 for one in laid] == pytest.approx([0, 80, -50], abs=15)
    assert all(one.way_measured and one.way_ms == pytest.approx(6, abs=0.3) for one in laid[1:])
    assert len(mix) == SECONDS * RATE
    # the third recorder was stopped before his second turn
    for who, begin in ((0, 0.5), (0, 12.5), (1, 4.5), (1, 16.5), (2, 8.5)):
        assert abs(late(mix, three[who], begin)) < 0.001
    levels = [project.loudness(np.repeat(mix[round(at * RATE) : round((at + 3.5) * RATE), None], 2, axis=1), ffmpeg.find()) for at in (0.2, 4.2, 8.2)]
    assert max(levels) - min(levels) < 1
    assert all(one.after == pytest.approx(-23, abs=0.2) for one in laid)
    assert laid[0].before - laid[1].before == pytest.approx(14, abs=1)
    assert all(0.2 < one.gated < 0.9 for one in laid)


def test_the_same_bytes_whoever_mixes(folder: Path, tmp_path: Path) -> None:
    tracks = [track(folder, name) for name in "ab"]
    for cores in (1, 3):
        mixed(tracks, tmp_path / f"{cores}.wav", cores)
    assert (tmp_path / "1.wav").read_bytes() == (tmp_path / "3.wav").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1.wav", "3.wav"]


def test_bleed_is_turned_down_by_what_is_asked(folder: Path, tmp_path: Path) -> None:
    """What the second track, which is quiet, adds to a turn of the first speaker."""
    tracks = [track(folder, "a", gain=0.0), track(folder, "b", gain=0.0)]
    first = _read(folder / "a.wav")
    added = []
    for gate in (0.0, 20.0):
        laid, mix = mixed(tracks, tmp_path / "mix.wav", wishes=Wishes(chain="linear", high_pass=0.0), gate=gate)
        added.append(20 * np.log10(np.sqrt(np.mean((mix - first)[RATE * 25 // 2 : RATE * 15] ** 2))))
    assert added[0] - added[1] == pytest.approx(20, abs=0.2)
    assert laid[1].gated > 0.3


def test_chain_none_moves_and_adds_and_does_nothing_else(folder: Path, tmp_path: Path) -> None:
    tracks = [track(folder, "a"), track(folder, "a", offset=1000 / RATE)]
    laid, mix = mixed(tracks, tmp_path / "mix.wav", wishes=Wishes(chain="none"))
    once = _read(folder / "a.wav")
    assert [one.how for one in laid] == ["clock", "said"]
    moved = np.concatenate((np.zeros(1000), once[:-1000]))
    # but for the fades where the second one begins and ends
    assert np.abs(mix - once - moved)[1000 + RATE // 20 : -RATE // 20].max() < 1e-6


def _read(path: Path) -> Mono:
    argv = [ffmpeg.find(), "-v", "error", "-nostdin", "-i", path, "-f", "f64le", "pipe:1"]
    return np.frombuffer(subprocess.run(argv, capture_output=True, check=True, stdin=subprocess.DEVNULL).stdout, "<f8")


def test_every_track_that_does_not_belong_is_refused_with_its_figures(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(SessionUnusable) as caught:
        mixed([track(folder, "a"), track(folder, "stranger"), track(folder, "b"), track(folder, "c", offset=500.0)], tmp_path / "mix.wav")
    stranger, elsewhere = caught.value.errors
    assert caught.value.heard
    assert stranger.path.name == "stranger.wav"
    assert "clear ones agree on a place, where 3 are needed; the best correlation is 0.0" in stranger.why
    assert "offset: SECONDS" in stranger.hint
    assert elsewhere.path.name == "c.wav"
    assert "begins at 500.00 s of the first track" in elsewhere.why
    assert not list(tmp_path.iterdir())
    # who says where it is takes it along
    laid, _ = mixed([track(folder, "a"), track(folder, "stranger", offset=3.0, drift=20.0)], tmp_path / "mix.wav")
    assert (laid[1].how, laid[1].offset, laid[1].drift) == ("said", 3.0, 2e-5)


def test_a_track_may_be_placed_by_another_that_has_its_place(three: list[Mono], tmp_path: Path) -> None:
    """The first and the third hear nothing of each other; the second hears both."""
    sounds = {
        "a": recorded(three, 0),
        "b": recorded(three, 1, offset=0.5, bleed={0: -30, 2: -30}, way=WAY),
        "c": recorded(three, 2, offset=1.0, drift=40),
    }
    for name, sound in sounds.items():
        project.save(sound[:, None], tmp_path / f"{name}.wav")
    laid, mix = mixed([track(tmp_path, "a"), track(tmp_path, "c", apart=2.06), track(tmp_path, "b", apart=2.06)], tmp_path / "mix.wav")
    assert [one.offset for one in laid] == pytest.approx([0, 1.0, 0.5], abs=1e-3)
    assert abs(late(mix, three[2], 20.5)) < 0.001
