"""Decoded recordings: any stretch of one, while it is still being decoded, by many readers; and what is left when something goes wrong."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from audio import ffmpeg as programs
from audio import graph, sources
from audio.errors import FfmpegFailed, SourceUnreadable
from audio.pcm import Pcm, Pool, Take
from audio.source import Source
from audio.units import RATE, Samples

pytestmark = pytest.mark.process

# -- a decoder that does as it is told --------------------------------------------------------------------------------------------

TOLD = """
import array, os, sys, time
def say(first, last):
    sys.stdout.buffer.write(array.array("f", range(first, last)).tobytes())
    sys.stdout.buffer.flush()
def wait(gate):
    while not os.path.exists(gate):
        time.sleep(0.01)
"""
"""Samples that count upwards from 0: each says where it stands."""
MONO = Take(Source(Path("/show/told.wav"), "pcm_s16le", RATE, 1, None), 1)
BLOCK = 2 * RATE
"""Mono samples that are taken over at once."""


class Decoder:
    """Stands in for ffmpeg: runs ``script``; ``starts`` counts how often."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.script = f"say(0, {3 * BLOCK})"
        self.starts = 0

    def argv(self, *_: object) -> list[str]:
        self.starts += 1
        return [sys.executable, "-c", TOLD + self.script]

    @property
    def gate(self) -> str:
        """What the script waits for with ``wait``."""
        return str(self.folder / "gate")

    def open(self) -> None:
        Path(self.gate).touch()


@pytest.fixture
def decoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Decoder:
    told = Decoder(tmp_path)
    monkeypatch.setattr(programs, "find", lambda: "ffmpeg")
    monkeypatch.setattr(graph, "decode", told.argv)
    return told


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


@pytest.fixture
def pcm(scratch: Path) -> Iterator[Pcm]:
    one = Pcm(MONO, scratch)
    yield one
    one.close()


def counted(first: int, last: int) -> np.ndarray:
    return np.arange(first, last, dtype="<f4")[:, None]


def soon(true: Callable[[], bool]) -> bool:
    """Whether it comes true within a few seconds."""
    end = time.monotonic() + 20
    while not true() and time.monotonic() < end:
        time.sleep(0.01)
    return true()


# -- reading while it grows -------------------------------------------------------------------------------------------------------


def test_any_stretch_is_read_by_many_threads_while_decoding_goes_on(decoder: Decoder, pcm: Pcm) -> None:
    total = 9 * BLOCK + 321
    decoder.script = f"for at in range(0, {total}, 50_000): say(at, min(at + 50_000, {total})); time.sleep(0.005)"
    pcm.start()

    def look(seed: int) -> int:
        generator = np.random.default_rng(seed)
        early = 0
        for _ in range(40):
            first, last = sorted(generator.integers(0, total + 1, 2).tolist())
            assert (pcm.read(first, last) == counted(first, last)).all()
            early += pcm.samples < total
        return early

    with ThreadPoolExecutor(6) as threads:
        assert sum(threads.map(look, range(6))) > 0, "all of it was there before the first look: this test shows nothing"
    assert pcm.samples == total
    assert pcm.bytes == 4 * total
    assert decoder.starts == 1


def test_what_is_there_can_be_read_and_what_is_not_yet_there_is_waited_for(decoder: Decoder, pcm: Pcm) -> None:
    decoder.script = f"say(0, {BLOCK}); wait({decoder.gate!r}); say({BLOCK}, {2 * BLOCK})"
    pcm.start()
    assert (pcm.read(100, BLOCK) == counted(100, BLOCK)).all()
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(pcm.read, BLOCK - 1, BLOCK + 1)
        with pytest.raises(TimeoutError):
            waiting.result(0.2)
        decoder.open()
        assert (waiting.result(20) == counted(BLOCK - 1, BLOCK + 1)).all()


def test_what_was_read_cannot_be_written_over(decoder: Decoder, pcm: Pcm) -> None:
    assert decoder.starts == 0
    pcm.decode()
    mine = pcm.read(5, 9)
    before = mine.copy()
    with pytest.raises(ValueError, match="read-only"):
        mine *= 0
    assert np.array_equal(pcm.read(5, 9), before)
    assert pcm.read(7, 7).shape == (0, 1)


def test_the_listener_hears_everything_once_and_in_order(decoder: Decoder, pcm: Pcm) -> None:
    decoder.script = f"say(0, {BLOCK + 5}); time.sleep(0.05); say({BLOCK + 5}, {2 * BLOCK + 7}); print('a complaint', file=sys.stderr)"
    heard: list[np.ndarray] = []
    assert pcm.decode(lambda samples: heard.append(samples.copy())) == ["a complaint"]
    assert (np.concatenate(heard) == counted(0, 2 * BLOCK + 7)).all()


def test_half_a_sample_at_the_end_is_none(decoder: Decoder, scratch: Path) -> None:
    decoder.script = "say(0, 1001); sys.stdout.buffer.write(bytes(3))"
    stereo = Pcm(Take(Source(MONO.source.path, "pcm_s16le", RATE, 2, None), 2), scratch)
    stereo.decode()
    assert stereo.samples == 500
    assert (stereo.read(0, 500) == counted(0, 1000).reshape(-1, 2)).all()
    stereo.close()


def test_nothing_of_it_has_a_name(decoder: Decoder, pcm: Pcm, scratch: Path) -> None:
    assert decoder.starts == 0
    pcm.decode()
    assert pcm.bytes > 500_000
    assert list(scratch.iterdir()) == []


# -- when something goes wrong ----------------------------------------------------------------------------------------------------


def test_a_recording_that_is_shorter_than_what_is_asked_of_it_is_refused(decoder: Decoder, pcm: Pcm) -> None:
    decoder.script = "say(0, 1000)"
    pcm.start()
    with pytest.raises(SourceUnreadable, match="changed while it was read") as caught:
        pcm.read(900, 1001)
    assert caught.value.path == MONO.source.path
    assert (pcm.read(900, 1000) == counted(900, 1000)).all()


def test_an_error_of_the_decoder_reaches_whoever_waits(decoder: Decoder, pcm: Pcm) -> None:
    decoder.script = f"say(0, {BLOCK}); wait({decoder.gate!r}); print('no such codec', file=sys.stderr); sys.exit(3)"
    with ThreadPoolExecutor(4) as threads:
        waiting = [threads.submit(pcm.read, at, BLOCK + 1) for at in range(3)]
        decoding = threads.submit(pcm.decode)
        assert soon(lambda: pcm.samples == BLOCK)
        assert not any(one.done() for one in waiting)
        decoder.open()
        for one in (decoding, *waiting):
            with pytest.raises(SourceUnreadable, match="cannot be decoded: no such codec"):
                one.result(20)
    assert (pcm.read(0, 10) == counted(0, 10)).all()


def test_a_decoder_that_was_killed_is_not_held_against_the_recording(decoder: Decoder, pcm: Pcm) -> None:
    decoder.script = "say(0, 10); os.kill(os.getpid(), 9)"
    with pytest.raises(FfmpegFailed, match="killed by signal 9"):
        pcm.decode()
    with pytest.raises(FfmpegFailed, match="killed by signal 9"):
        pcm.read(0, 11)


def test_an_error_of_the_listener_ends_the_decoder_and_reaches_whoever_waits(decoder: Decoder, pcm: Pcm) -> None:
    decoder.script = f"while True: say(0, {BLOCK})"

    def fail(_: np.ndarray) -> None:
        raise MemoryError("full")

    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(pcm.read, 0, 1 << 30)
        with pytest.raises(MemoryError):
            pcm.decode(fail)
        with pytest.raises(MemoryError):
            waiting.result(20)
    assert not programs._running


def test_an_interrupt_reaches_whoever_waits(decoder: Decoder, pcm: Pcm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "_cancelled", threading.Event())
    decoder.script = f"say(0, {BLOCK}); wait({decoder.gate!r})"
    pcm.start()
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(pcm.read, 0, BLOCK + 1)
        assert soon(lambda: pcm.samples == BLOCK)
        programs.cancel()
        with pytest.raises(programs.Cancelled):
            waiting.result(20)


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_closing_ends_a_decoder_that_is_still_at_work(decoder: Decoder, scratch: Path) -> None:
    decoder.script = f"say(os.getpid(), os.getpid() + 1)\nwhile True: say(0, {BLOCK})"
    with Pcm.opened(MONO, scratch) as pcm:
        (process,) = pcm.read(0, 1)[0].astype(int).tolist()
        assert alive(process)
    assert not alive(process)
    assert not programs._running


def test_what_is_closed_without_having_been_decoded_starts_nothing(decoder: Decoder, scratch: Path) -> None:
    Pcm(MONO, scratch).close()
    assert decoder.starts == 0


# -- the pool ---------------------------------------------------------------------------------------------------------------------


def filled(scratch: Path) -> Pcm:
    pcm = Pcm(MONO, scratch)
    pcm.decode()
    return pcm


def closed(pcm: Pcm) -> bool:
    return pcm._file.closed


def test_what_was_decoded_is_kept_up_to_the_budget_and_closed_beyond_it(decoder: Decoder, scratch: Path) -> None:
    assert decoder.starts == 0
    one, two, three, small = (filled(scratch) for _ in range(4))
    pool = Pool(scratch, one.bytes * 5 // 2)
    for name, pcm in (("one", one), ("two", two), ("three", three)):
        pool.keep(name, pcm)
    assert [closed(pcm) for pcm in (one, two, three)] == [False, False, True]
    assert pool.get("two", MONO) is two
    pool.drop("one")
    assert closed(one)
    pool.keep("small", small)
    assert not closed(small)
    pool.clear()
    assert closed(two)
    assert closed(small)


def test_a_name_that_is_kept_already_is_not_kept_twice(decoder: Decoder, scratch: Path) -> None:
    assert decoder.starts == 0
    one, same = filled(scratch), filled(scratch)
    pool = Pool(scratch, 1 << 40)
    pool.keep("one", one)
    pool.keep("one", same)
    assert pool.get("one", MONO) is one
    assert not closed(one)
    assert closed(same)
    pool.clear()


def test_readers_of_one_take_decode_it_once_and_after_the_last_it_is_gone(decoder: Decoder, scratch: Path) -> None:
    decoder.script = f"for at in range(0, {3 * BLOCK}, {BLOCK // 2}): say(at, at + {BLOCK // 2}); time.sleep(0.01)"
    # what has to be decoded again is kept whatever the budget says: somebody is waiting for it
    pool = Pool(scratch, 0)
    together = threading.Barrier(4)

    def look(reader: int) -> None:
        together.wait()
        assert (pool.get("one", MONO).read(reader, 3 * BLOCK) == counted(reader, 3 * BLOCK)).all()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(look, range(4)))
    assert decoder.starts == 1
    kept = pool.get("one", MONO)
    pool.drop("one")
    pool.drop("one")
    assert closed(kept)
    assert (pool.get("one", MONO).read(0, 5) == counted(0, 5)).all()
    assert decoder.starts == 2
    pool.clear()


# -- with the decoder -------------------------------------------------------------------------------------------------------------


def recorded(path: Path, ffmpeg: str, data: bytes, form: str, channels: int, codec: str) -> Source:
    head = [ffmpeg, "-nostdin", "-y", "-v", "error", "-f", form, "-ar", str(RATE), "-ac", str(channels), "-i", "pipe:0"]
    subprocess.run([*head, "-c:a", codec, path], input=data, check=True)
    return sources.probe(path)


def all_of(take: Take, scratch: Path) -> np.ndarray:
    pcm = Pcm(take, scratch)
    try:
        assert pcm.decode() == []
        return pcm.read(0, pcm.samples)
    finally:
        pcm.close()


@pytest.mark.parametrize("name", ["take.wav", "take.flac"])
@pytest.mark.parametrize("channels", [1, 2])
def test_24_bits_come_through_exactly(tmp_path: Path, scratch: Path, ffmpeg: str, name: str, channels: int) -> None:
    whole = np.random.default_rng(24).integers(-(1 << 23), 1 << 23, (3 * RATE + 7, channels))
    whole[:4, 0] = (-(1 << 23), (1 << 23) - 1, 1, -1)
    data = (whole << 8).astype("<i4").tobytes()
    source = recorded(tmp_path / name, ffmpeg, data, "s32le", channels, "pcm_s24le" if name.endswith("wav") else "flac")
    found = all_of(Take(source, 2), scratch)
    assert found.dtype == np.dtype("<f4")
    assert (found.astype("f8") * (1 << 23) == whole).all()


def test_floats_come_through_exactly_even_over_full_scale(tmp_path: Path, scratch: Path, ffmpeg: str) -> None:
    sound = (3 * np.random.default_rng(32).standard_normal((RATE, 2))).astype("<f4")
    found = all_of(Take(recorded(tmp_path / "take.wav", ffmpeg, sound.tobytes(), "f32le", 2, "pcm_f32le"), 2), scratch)
    assert found.tobytes() == sound.tobytes()


@pytest.mark.parametrize(("start", "end"), [(0, 1), (0, 48_000), (1, 100_000), (12_345, 98_765), (143_999, 144_000), (12_345, None)])
def test_a_take_is_exactly_its_stretch(tmp_path: Path, scratch: Path, ffmpeg: str, start: int, end: int | None) -> None:
    sound = np.random.default_rng(3).standard_normal((3 * RATE, 2)).astype("<f4")
    source = recorded(tmp_path / "take.wav", ffmpeg, sound.tobytes(), "f32le", 2, "pcm_f32le")
    found = all_of(Take(source, 2, Samples(start), None if end is None else Samples(end)), scratch)
    assert found.tobytes() == sound[start:end].tobytes()


def test_a_take_holds_no_more_channels_than_the_programme() -> None:
    held = {(there, asked): Take(Source(Path("a"), "flac", RATE, there, None), asked).held for there in (1, 2, 6) for asked in (1, 2)}
    assert held == {(1, 1): 1, (1, 2): 1, (2, 1): 1, (2, 2): 2, (6, 1): 1, (6, 2): 2}


def test_what_no_decoder_knows_is_refused(tmp_path: Path, scratch: Path, ffmpeg: str) -> None:
    assert ffmpeg
    (tmp_path / "notes.wav").write_bytes(b"RIFF of nothing" * 100)
    pcm = Pcm(Take(Source(tmp_path / "notes.wav", "pcm_s16le", RATE, 1, None), 1), scratch)
    pcm.start()
    with pytest.raises(SourceUnreadable, match="cannot be decoded"):
        pcm.read(0, 1)
    pcm.close()
