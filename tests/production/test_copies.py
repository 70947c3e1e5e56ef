"""Copies of recordings: each is made of the one before, once, and only what another cut changes is made again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from audio import session
from audio.chain import PLAIN
from audio.errors import SessionUnusable, SourceUnreadable
from audio.pcm import Pool
from audio.session import LEVEL
from audio.source import Source
from audio.units import RATE, Samples
from production import copies
from production.beside import Beside, Removal
from production.copies import Copy
from production.inputs import Input, Session, Track
from production.store import Store
from production.survey import Seen, Surveyor
from tests.production.test_plan import fact, section

RECORDED = Source(Path("a.mp3"), "mp3", 44_100, 6, 60.0, True)


def removal(start: float, end: float) -> Removal:
    return Removal(Samples(round(start * RATE)), Samples(round(end * RATE)), None)


def asked(*cuts: Removal, denoise: str = "off", end: float | None = None) -> Input:
    return replace(fact("a", of=section("a", end=end)).input, denoise=denoise, beside=Beside(cuts=cuts))


def made(store: Store, one: Input) -> tuple[Copy, ...]:
    return copies.Maker(store, 2, "build", 1).copies(one, [("content", RECORDED)])


def test_a_recording_that_nothing_is_done_to_is_decoded_itself(tmp_path: Path) -> None:
    assert made(Store(tmp_path), asked()) == ()


def test_a_copy_is_what_it_will_be(tmp_path: Path) -> None:
    store = Store(tmp_path)
    cleaned, cut = made(store, asked(removal(1, 3), removal(10, 10.5), denoise="ffmpeg"))
    assert cleaned.source == Source(store.path_of(cleaned.key, ".wav"), "mp3", RATE, 2, 60.0)
    assert cut.source == Source(store.path_of(cut.key, ".wav"), "mp3", RATE, 2, 57.5)


def test_another_cut_cleans_nothing_again(tmp_path: Path) -> None:
    store = Store(tmp_path)
    one, other = (made(store, asked(removal(1, end), denoise="ffmpeg")) for end in (2, 3))
    assert one[0].key == other[0].key
    assert one[1].key != other[1].key
    # and the same cut of what was not cleaned is another copy
    assert made(store, asked(removal(1, 2)))[0].key != one[1].key
    assert made(store, asked(removal(1, 2), end=9.0)) != ()


def test_a_recording_is_listened_to_while_it_is_cleaned_only_where_that_is_asked_for_later(tmp_path: Path) -> None:
    store = Store(tmp_path)
    surveyor = Surveyor(store, Seen(store), Pool(tmp_path, 0), 2, lambda _: LEVEL, "build", 1)
    cleaned, together = asked(denoise="ffmpeg"), Session((Track("a", Path("a.mp3"), None),), PLAIN, 20.0)
    inputs = (cleaned, asked(), asked(removal(1, 2), denoise="ffmpeg"), replace(cleaned, session=together))
    listening = [surveyor._maker(one).listening for one in inputs]
    assert listening == [surveyor._noting, *[copies.nobody] * 3]


def test_only_what_is_not_there_is_made(tmp_path: Path) -> None:
    store, done = Store(tmp_path), list[str]()

    def make(name: str) -> Callable[[Path, copies.Progress], object]:
        def write(path: Path, _: copies.Progress) -> None:
            done.append(name)
            path.write_bytes(name.encode())

        return write

    first, second, third = (Copy(name * 64, RECORDED, make(name)) for name in "abc")
    copies.make_last((), store, done.append)  # type: ignore[arg-type]
    copies.make_last((first, second), store, lambda _: None)
    assert done == ["a", "b"]
    assert store.path_of(second.key, ".wav").read_bytes() == b"b"
    copies.make_last((first, second), store, lambda _: None)
    copies.make_last((first, third), store, lambda _: None)
    # the last one is enough, whatever became of what it was made of
    store.path_of(first.key, ".wav").unlink()
    copies.make_last((first, third), store, lambda _: None)
    assert done == ["a", "b", "c"]


def test_two_sections_of_one_recording_have_one_copy_made(tmp_path: Path) -> None:
    store, done, meet = Store(tmp_path), list[str](), threading.Barrier(2)

    def write(path: Path, _: copies.Progress) -> None:
        done.append("made")
        path.write_bytes(b"x")

    def work() -> None:
        meet.wait(5)
        copies.make_last((Copy("d" * 64, RECORDED, write),), store, lambda _: None)

    with ThreadPoolExecutor(2) as threads:
        for one in [threads.submit(work) for _ in range(2)]:
            one.result()
    assert done == ["made"]


@pytest.mark.parametrize(("heard", "searched"), [(True, 1), (False, 2)])
def test_tracks_that_do_not_belong_together_are_searched_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, heard: bool, searched: int) -> None:
    calls: list[list[str]] = []

    def mix(tracks: list[session.Track], _path: Path, **_: object) -> None:
        calls.append([one.recorded.path.name for one in tracks])
        raise SessionUnusable([SourceUnreadable(tracks[1].recorded.path, "has nothing in common", "look at it")], heard=heard)

    monkeypatch.setattr(session, "mix", mix)

    def refused(folder: str, gate: float = 20.0) -> SourceUnreadable:
        store = Store(tmp_path)
        paths = [Path(folder, name) for name in ("a.mp3", "b.mp3")]
        tracks = tuple(Track(path.stem, path, None) for path in paths)
        one = replace(asked(), session=Session(tracks, PLAIN, gate))
        files = [(path.name, replace(RECORDED, path=path)) for path in paths]
        with pytest.raises(SessionUnusable) as caught:
            copies.make_last(copies.Maker(store, 2, "build", 1).copies(one, files), store, lambda _: None)
        (error,) = caught.value.errors
        return error

    # The second time it is of a project that was moved.
    for folder in ("here", "there"):
        error = refused(folder)
        assert (error.path, error.why, error.hint) == (Path(folder, "b.mp3"), "has nothing in common", "look at it")
    assert len(calls) == searched
    refused("there", gate=10.0)
    assert len(calls) == searched + 1
