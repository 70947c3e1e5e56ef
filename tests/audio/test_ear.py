"""A process of its own hears what we would have heard; and whatever becomes of it, of ffmpeg or of us, is said and leaves nothing running."""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audio import aside, ear, ffmpeg, measure, sources
from audio.errors import FfmpegFailed, SourceUnreadable
from audio.pcm import Pcm, Take
from audio.units import RATE, Samples
from tests.audio.sounds import Sound, raw, speech

pytestmark = [pytest.mark.process, pytest.mark.usefixtures("ffmpeg")]


@pytest.fixture
def always_aside(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(aside, "LONG_SECONDS", 0.0)
    monkeypatch.setattr(ear, "_HERE", held())
    before = len(os.listdir("/dev/fd"))
    yield
    assert not ffmpeg._running
    assert len(os.listdir("/dev/fd")) == before


def held() -> threading.Lock:
    """As while another recording is heard here."""
    lock = threading.Lock()
    lock.acquire()
    return lock


def recorded(folder: Path, sound: Sound, rate: int = RATE, name: str = "take.flac") -> Path:
    head = [ffmpeg.find(), "-nostdin", "-y", "-v", "error", "-f", "f32le", "-ar", str(RATE), "-ac", str(sound.shape[1]), "-i", "pipe:0"]
    subprocess.run([*head, "-ar", str(rate), folder / name], input=raw(sound), check=True)
    return folder / name


def two_sides(seconds: float) -> Sound:
    voice = speech(seconds)
    sides = np.concatenate((voice, np.roll(voice, 30)), axis=1)
    # a hole and a click, so that there is something to be noted
    sides[4 * RATE : 4 * RATE + 900] = 0
    sides[6 * RATE, 0] = 0.9
    return sides


@pytest.mark.parametrize(("sides", "rate", "start"), [(1, RATE, 0), (2, 44_100, 0), (2, RATE, 100_001)])
def test_both_hear_the_same_and_write_the_same_samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sides: int, rate: int, start: int) -> None:
    sound = two_sides(19.3)
    path = recorded(tmp_path, sound[:, :sides], rate)
    take = Take(sources.probe(path), 2, Samples(start))
    found = []
    monkeypatch.setattr(aside, "LONG_SECONDS", 0.0)
    for lock in (held(), threading.Lock()):
        monkeypatch.setattr(ear, "_HERE", lock)
        told: list[float] = []
        heard, pcm = measure.measure(take, measure.Cut(Samples(start)), tmp_path, told.append, noting=True)
        assert heard.flaws is not None
        assert told == sorted(told)
        assert told[-1] == pcm.samples / RATE
        found.append((heard.profile.packed(), heard.flaws.packed(), pcm.samples, pcm.read(0, pcm.samples).tobytes()))
        assert len(heard.flaws.holes)
        pcm.close()
    assert found[0] == found[1]
    assert found[0][2] == pytest.approx(len(sound) - start, abs=2)


def test_one_is_heard_here_and_those_that_come_meanwhile_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aside, "LONG_SECONDS", 10.0)
    take = Take(sources.probe(recorded(tmp_path, two_sides(20))), 2)
    short = Take(sources.probe(recorded(tmp_path, speech(3), name="short.flac")), 2)
    started: list[str] = []
    begin = ffmpeg.Process.__init__

    def watched(process: ffmpeg.Process, argv: list[str], **said: Any) -> None:
        started.append(argv[0])
        begin(process, argv, **said)

    monkeypatch.setattr(ffmpeg.Process, "__init__", watched)

    def measured(one: Take) -> bytes:
        heard, pcm = measure.measure(one, measure.Cut(), tmp_path)
        pcm.close()
        return heard.profile.packed()

    alone = measured(take)
    assert sys.executable not in started
    with ear._HERE:
        assert measured(take) == alone
        assert started.count(sys.executable) == 1
        assert measured(short)
        # What is very long is known by two processes only with much memory.
        monkeypatch.setattr(aside, "LONGEST_SECONDS", 15.0)
        assert measured(take) == alone
        monkeypatch.setattr(aside, "LONGEST_SECONDS", 1800.0)
        assert started.count(sys.executable) == 1
    # And it is free again, also after something went wrong.
    with pytest.raises(SourceUnreadable):
        measure.measure(Take(replace(take.source, declared=60.0), 2), measure.Cut(), tmp_path)
    assert measured(take) == alone
    assert started.count(sys.executable) == 1


@pytest.mark.usefixtures("always_aside")
def test_flaws_are_noted_where_that_is_wished_for(tmp_path: Path) -> None:
    heard, pcm = measure.measure(Take(sources.probe(recorded(tmp_path, speech(3))), 2), measure.Cut(), tmp_path)
    pcm.close()
    assert heard.flaws is None
    assert heard.profile.length == 3 * RATE


@pytest.mark.usefixtures("always_aside")
def test_damage_and_silence_are_the_recordings_fault(tmp_path: Path) -> None:
    path = recorded(tmp_path, speech(12))
    take = Take(sources.probe(path), 2)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SourceUnreadable, match="truncated or damaged"):
        measure.measure(take, measure.Cut(), tmp_path)
    path.write_bytes(b"fLaC" + bytes(4000))
    with pytest.raises(SourceUnreadable, match="cannot be decoded"):
        measure.measure(take, measure.Cut(), tmp_path)
    with pytest.raises(SourceUnreadable, match="silent"):
        measure.measure(Take(sources.probe(recorded(tmp_path, speech(2, level=1e-5))), 2), measure.Cut(), tmp_path)


@pytest.mark.usefixtures("always_aside")
def test_a_disk_that_is_full_there_is_full_here(tmp_path: Path) -> None:
    pcm = Pcm(Take(sources.probe(recorded(tmp_path, speech(12))), 2), tmp_path)
    full = os.open("/dev/full", os.O_RDWR)
    os.dup2(full, pcm._file.fileno())
    os.close(full)
    with pytest.raises(OSError, match="No space left") as error:
        ear.hear(pcm, ear.Asked.of(pcm.take, noting=False), lambda: None)
    assert error.value.errno == errno.ENOSPC
    pcm.close()


@pytest.mark.usefixtures("always_aside")
def test_a_fault_of_its_own_is_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    take = Take(sources.probe(recorded(tmp_path, speech(12))), 2)
    monkeypatch.setattr(aside, "_BEGIN", "raise KeyError('lost')")
    with pytest.raises(RuntimeError, match="KeyError: 'lost'"):
        measure.measure(take, measure.Cut(), tmp_path)
    monkeypatch.setattr(aside, "_BEGIN", "pass")
    with pytest.raises(RuntimeError, match="without an answer"):
        measure.measure(take, measure.Cut(), tmp_path)


@pytest.mark.usefixtures("always_aside")
def test_killed_by_somebody_it_is_not_the_recordings_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aside, "_BEGIN", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    with pytest.raises(FfmpegFailed, match="killed by signal 9"):
        measure.measure(Take(sources.probe(recorded(tmp_path, speech(12))), 2), measure.Cut(), tmp_path)


@pytest.mark.usefixtures("always_aside")
def test_whoever_no_longer_wants_the_samples_ends_both(tmp_path: Path) -> None:
    pcm = Pcm(Take(sources.probe(recorded(tmp_path, np.tile(two_sides(10), (8, 1)))), 2), tmp_path)
    with pytest.raises(IndexError):
        ear.hear(pcm, ear.Asked.of(pcm.take, noting=True), lambda: setattr(pcm, "_unwanted", True))
    assert pcm.samples < 40 * RATE
    pcm.close()


_HEARS = """
import sys
from dataclasses import replace
from pathlib import Path
from audio import aside, ear, measure, sources
from audio.pcm import Take
whole, endless = map(Path, sys.argv[1:])
aside.LONG_SECONDS = 0
ear._HERE.acquire()
measure.measure(Take(replace(sources.probe(whole), path=endless), 2), measure.Cut(), whole.parent, lambda _: print("heard", flush=True), noting=True)
"""


def test_when_we_are_killed_nothing_goes_on(tmp_path: Path) -> None:
    whole, endless = recorded(tmp_path, two_sides(20), name="take.wav"), tmp_path / "endless.wav"
    os.mkfifo(endless)
    process = subprocess.Popen([sys.executable, "-c", _HEARS, whole, endless], stdout=subprocess.PIPE, env={**os.environ, "MARKER": str(tmp_path)})
    assert process.stdout is not None
    data = bytearray(whole.read_bytes())
    at = data.index(b"data") + 4
    data[at : at + 4] = (1 << 31).to_bytes(4, "little")
    # It goes on for as long as somebody hears it.
    with endless.open("wb", buffering=0) as file:
        file.write(data)
        assert process.stdout.readline() == b"heard\n"
        assert len(alive(tmp_path)) == (3 if Path("/proc").exists() else 0)
        process.kill()
        process.wait()
        process.stdout.close()
        with pytest.raises(BrokenPipeError):
            file.writelines([bytes(data[at + 4 :])] * 1000)
    deadline = time.monotonic() + 20
    while (left := alive(tmp_path)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left == []


def alive(marker: Path) -> list[str]:
    """What runs of all that was started with this marker; none where there is no /proc."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if f"MARKER={marker}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                found.append((folder / "cmdline").read_text())
    return found
