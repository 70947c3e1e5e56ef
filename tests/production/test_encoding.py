"""Chunks into the store on many cores: whichever core takes one, and whatever goes wrong in another."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO

import numpy as np
import pytest

from audio import encode, ffmpeg, runs
from audio.errors import FfmpegFailed, SourceUnreadable
from audio.mpeg import Format
from audio.pcm import Pcm, Pool, Take
from audio.runs import Chunk, Run
from production.encoding import encode_chunks
from production.errors import StepFailed
from production.plan import Plan
from production.store import Store
from production.watch import Watch
from tests.production import test_plan
from tests.production.test_plan import episode, fact, section

Encoder = Callable[[IO[bytes], Chunk, Run, Format], bytes]


class Held(Pcm):
    """A recording that nobody has to decode: a ramp of its own, the same at every look."""

    def __init__(self, name: str, take: Take) -> None:
        self.name, self.take = name, take

    def read(self, start: int, end: int) -> np.ndarray:
        first = int.from_bytes(hashlib.sha256(self.name.encode()).digest()[:2], "big")
        return ((np.arange(start, end, dtype="f8") + first) % 1000 / 2000).astype("<f4").reshape(-1, 1)


class Shelf(Pool):
    """A pool that says what was asked of it; ``events`` holds ("get" or "drop", name)."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str]] = []

    def get(self, name: str, take: Take) -> Pcm:
        self.events.append(("get", name))
        return Held(name, take)

    def drop(self, name: str) -> None:
        self.events.append(("drop", name))

    def dropped(self) -> list[str]:
        return [name for what, name in self.events if what == "drop"]


def digest(pcm: IO[bytes], *_: object) -> bytes:
    return hashlib.sha256(pcm.read()).digest()


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> Plan:
    """Three sections, each a run of three or four chunks."""
    for name, value in {"CHUNK": 40, "SHORTEST": 10, "PREROLL": 5}.items():
        monkeypatch.setattr(runs, name, value)
    one = episode(section("a"), section("b"), section("c"))
    listed = tuple(fact(s.slug, seconds, of=s, peak=-9.0) for s, seconds in zip(one.sections, (3.2, 3.5, 2.9), strict=True))
    made = test_plan.made(one, listed)
    assert [len(parts) for parts in made.chunks] == [4, 4, 3]
    return made


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    shelf = Shelf()
    yield shelf
    # whatever came of it, nothing stays decoded
    assert sorted(shelf.dropped()) == sorted(set(shelf.dropped()))
    assert {name for what, name in shelf.events if what == "get"} <= set(shelf.dropped())


def everything(planned: Plan) -> list[Chunk]:
    return [chunk for parts in planned.chunks for chunk in parts]


def work(planned: Plan, wanted: list[Chunk], store: Store, shelf: Shelf, encoder: Encoder, jobs: int = 2) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encode, "encode", encoder)
        encode_chunks(planned, wanted, store, shelf, jobs, Watch())


def kept(planned: Plan, store: Store) -> dict[Chunk, bytes | None]:
    return {chunk: store.get(planned.keys[chunk]) for chunk in everything(planned)}


@pytest.mark.parametrize("jobs", [2, 7])
def test_every_chunk_gets_its_own_entry_whatever_the_number_of_cores(planned: Plan, store: Store, shelf: Shelf, tmp_path: Path, jobs: int) -> None:
    work(planned, everything(planned), store, shelf, digest, jobs)
    alone, other = Store(tmp_path / "alone"), Shelf()
    work(planned, everything(planned)[::-1], alone, other, digest, 1)
    found = kept(planned, store)
    assert found == kept(planned, alone)
    # each is a stretch of its own
    assert None not in found.values()
    assert len(set(found.values())) == len(everything(planned)) > 9


def test_what_is_not_wanted_is_neither_made_nor_kept_decoded(planned: Plan, store: Store, shelf: Shelf) -> None:
    wanted = list(planned.chunks[1][1:2])
    work(planned, wanted, store, shelf, digest)
    assert [chunk for chunk, frames in kept(planned, store).items() if frames] == wanted
    assert {name for what, name in shelf.events if what == "get"} == {"samples of b"}
    # the others first: their room is needed
    assert sorted(shelf.events[:2]) == [("drop", "samples of a"), ("drop", "samples of c")]


@pytest.mark.parametrize("jobs", [1, 3])
def test_a_recording_is_let_go_with_its_last_reader_and_not_before(planned: Plan, store: Store, shelf: Shelf, jobs: int) -> None:
    finished: list[int] = []
    at_drop: dict[str, int] = {}
    drop = shelf.drop

    def watched(name: str) -> None:
        at_drop[name] = finished.count(ord(name[-1]) - ord("a"))
        drop(name)

    shelf.drop = watched  # type: ignore[method-assign]

    def encoder(pcm: IO[bytes], chunk: Chunk, *_: object) -> bytes:
        finished.append(chunk.run)
        return digest(pcm)

    work(planned, everything(planned), store, shelf, encoder, jobs)
    assert at_drop == {f"samples of {name}": len(parts) for name, parts in zip("abc", planned.chunks, strict=True)}
    if jobs == 1:
        # and at once: before the next recording is begun
        assert list(dict.fromkeys(shelf.events)) == [(what, f"samples of {name}") for name in "abc" for what in ("get", "drop")]


def test_a_recording_that_sounds_twice_is_kept_for_both(store: Store, shelf: Shelf) -> None:
    one = episode(section("a"), section("b"))
    again = test_plan.made(one, tuple(replace(fact(s.slug, 2.0, of=s), samples="samples of same") for s in one.sections))
    assert len(again.runs) == 2
    work(again, everything(again), store, shelf, digest, 1)
    assert shelf.dropped() == ["samples of same"]
    assert shelf.events[-1] == ("drop", "samples of same")


# -- when something goes wrong ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_after_a_failure_no_other_chunk_is_begun_and_the_failure_is_what_is_raised(planned: Plan, store: Store, shelf: Shelf, jobs: int) -> None:
    begun: list[Chunk] = []
    failed = threading.Event()
    bad = everything(planned)[0]

    def encoder(pcm: IO[bytes], chunk: Chunk, *_: object) -> bytes:
        begun.append(chunk)
        if chunk == bad:
            failed.set()
            raise FfmpegFailed(["ffmpeg"], 1, "no space left")
        # those that run beside it end well, but not before it has failed
        assert failed.wait(20)
        time.sleep(0.1)
        return digest(pcm)

    with pytest.raises(FfmpegFailed, match="no space left"):
        work(planned, everything(planned), store, shelf, encoder, jobs)
    assert bad in begun
    assert len(begun) <= 2 * jobs < len(everything(planned))
    found = kept(planned, store)
    assert found[bad] is None
    assert {chunk for chunk, frames in found.items() if frames} == set(begun) - {bad}


def test_a_chunk_that_was_only_cancelled_does_not_hide_why(planned: Plan, store: Store, shelf: Shelf) -> None:
    first, second = everything(planned)[:2]
    together = threading.Barrier(2)

    def encoder(_: IO[bytes], chunk: Chunk, *__: object) -> bytes:
        together.wait(20)
        raise ffmpeg.Cancelled("interrupted") if chunk == first else OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        work(planned, [first, second], store, shelf, encoder)


def test_an_interrupt_is_an_interrupt(planned: Plan, store: Store, shelf: Shelf) -> None:
    def encoder(*_: object) -> bytes:
        raise ffmpeg.Cancelled("interrupted")

    with pytest.raises(ffmpeg.Cancelled, match="interrupted"):
        work(planned, everything(planned), store, shelf, encoder)


def test_a_recording_that_cannot_be_read_any_more_is_named_with_what_helps(planned: Plan, store: Store, shelf: Shelf) -> None:
    def gone(name: str, take: Take) -> Pcm:
        shelf.events.append(("get", name))
        raise SourceUnreadable(take.source.path, "changed while it was read", "run again")

    shelf.get = gone  # type: ignore[method-assign]
    with pytest.raises(StepFailed, match=r"a\.wav: changed while it was read") as caught:
        work(planned, list(planned.chunks[0]), store, shelf, digest)
    assert "episode-14: render" in str(caught.value)
    assert caught.value.hint == "run again"
    assert isinstance(caught.value.__cause__, SourceUnreadable)


def test_nothing_is_left_in_the_scratch_folder(planned: Plan, store: Store, shelf: Shelf) -> None:
    def encoder(pcm: IO[bytes], chunk: Chunk, *_: object) -> bytes:
        if chunk.closes:
            raise MemoryError
        return digest(pcm)

    with pytest.raises(MemoryError):
        work(planned, everything(planned), store, shelf, encoder)
    assert list(store.scratch.iterdir()) == []


def test_progress_is_told_of_every_chunk(planned: Plan, store: Store, shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[float] = []
    watch = Watch(lambda _label, done, _total: told.append(done))
    watch.begin_encoding(everything(planned), planned)
    monkeypatch.setattr(encode, "encode", digest)
    encode_chunks(planned, everything(planned), store, shelf, 2, watch)
    assert len(told) == len(everything(planned))
    assert told == sorted(told)
    assert told[0] > 0
