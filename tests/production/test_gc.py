"""What is removed from the store, in which order, and what is left alone."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from production import gc
from production.errors import StoreError
from production.gc import Entry, Swept, condemned
from production.model import Location, Show
from production.receipts import Receipt, save
from production.schema import check, read_sheet, rules
from production.store import LOCK, Store, digest, locked, recorded
from production.yamlsource import read_text

NOW = 2_000_000_000.0
HOUR, DAY = 3600, 24 * 3600
LATER = NOW + 365 * DAY


# -- which ---------------------------------------------------------------------------------------------------------------------


def test_what_was_not_used_for_longest_goes_until_the_rest_fits() -> None:
    entries = [Entry("b", 10, 3.0), Entry("a", 10, 1.0), Entry("c", 10, 2.0)]
    assert condemned(entries, 30) == []
    assert [one.path for one in condemned(entries, 29)] == ["a"]
    assert [one.path for one in condemned(entries, 20)] == ["a"]
    assert [one.path for one in condemned(entries, 19)] == ["a", "c"]
    assert [one.path for one in condemned(entries, 0)] == ["a", "c", "b"]


def test_what_a_last_build_is_made_of_goes_last_however_old_it_is() -> None:
    entries = [Entry("finished a year ago", 10, 1.0, current=True), Entry("tried today", 10, 9.0), Entry("finished today", 10, 8.0, current=True)]
    assert [one.path for one in condemned(entries, 0)] == ["tried today", "finished a year ago", "finished today"]


def test_entries_of_the_same_moment_go_in_one_order_however_the_disk_lists_them() -> None:
    entries = [Entry(name, 1, 5.0) for name in "dacb"]
    assert condemned(entries, 2) == condemned(entries[::-1], 2)


@given(
    st.lists(st.builds(Entry, st.uuids().map(str), st.integers(1, 1000), st.floats(0, 100), st.booleans()), max_size=30),
    st.integers(0, 20_000),
)
def test_the_rest_fits_and_nothing_goes_in_vain(entries: list[Entry], limit: int) -> None:
    going = condemned(entries, limit)
    left = sum(one.size for one in entries) - sum(one.size for one in going)
    assert left <= limit
    # without the last of them it would still have been too much
    assert not going or left + going[-1].size > limit
    assert len(set(going)) == len(going)
    staying = set(entries) - set(going)
    assert all((gone.current, gone.used) <= (stays.current, stays.used) for gone in going for stays in staying)


# -- a store -------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "build" / ".store")


def put(store: Store, name: str, used: float, size: int = 1000) -> Path:
    """An entry of ``size`` bytes that was last used ``used`` seconds before NOW."""
    store.put(digest(name), bytes(size - 20))
    path = entry(store, name)
    os.utime(path, (NOW - used, NOW - used))
    assert path.stat().st_size == size
    return path


def entry(store: Store, name: str) -> Path:
    key = digest(name)
    return store.root / "entries" / key[:2] / key


def finish(store: Store, episode: str, *names: str, sound: str = "") -> None:
    """A finished build in build/EPISODE that used these entries."""
    store.begin()
    assert all(store.has(digest(name)) for name in names)
    folder = store.root.parent / episode
    folder.mkdir(exist_ok=True)
    save(folder, Receipt("", False, 0, {}, {"name": sound}, {}))
    gc.note(store, folder)


def left(store: Store) -> set[str]:
    return {path.name for path in (store.root / "entries").rglob("*") if path.is_file()}


def keys(*names: str) -> set[str]:
    return {digest(name) for name in names}


def test_a_sweep_removes_says_what_and_leaves_no_empty_folders(store: Store) -> None:
    for age, name in enumerate(("new", "middle", "old"), 1):
        put(store, name, age * HOUR)
    ahead = gc.preview(store.root, 1500, NOW)
    assert left(store) == keys("new", "middle", "old")
    assert gc.sweep(store.root, 1500, NOW) == ahead == Swept(removed=2, removed_bytes=2000, kept=1, kept_bytes=1000)
    assert left(store) == keys("new")
    assert [folder.name for folder in (store.root / "entries").iterdir()] == [digest("new")[:2]]
    assert gc.sweep(store.root, 1500, NOW) == Swept(removed=0, removed_bytes=0, kept=1, kept_bytes=1000)


def test_an_entry_that_is_used_is_a_young_one(store: Store) -> None:
    old = put(store, "old", 30 * DAY)
    put(store, "young", 2 * DAY)
    assert store.get(digest("old")) is not None
    # by the clock of this machine, which the ages here are not made by
    os.utime(old, (old.stat().st_mtime - time.time() + NOW,) * 2)
    gc.sweep(store.root, 1000, NOW)
    assert left(store) == keys("old")


def test_what_the_last_builds_are_made_of_outlives_later_tries(store: Store) -> None:
    for name in ("chunk", "measured"):
        put(store, name, 300 * DAY)
    finish(store, "episode-01", "chunk", "measured")
    for name in ("try", "another"):
        put(store, name, HOUR)
    swept = gc.sweep(store.root, 2000, NOW)
    assert left(store) == keys("chunk", "measured")
    assert swept.current == 0
    # and goes none the less when there is no room for it
    assert gc.sweep(store.root, 1000, NOW).current == 1


def test_a_build_with_other_sound_takes_the_place_of_the_one_before(store: Store) -> None:
    for name in ("first", "second", "both"):
        put(store, name, DAY)
    finish(store, "episode-01", "first", "both", sound="one")
    finish(store, "episode-01", "second", "both", sound="two")
    gc.sweep(store.root, 2000, NOW)
    assert left(store) == keys("second", "both")


def test_a_build_that_takes_its_sound_over_keeps_what_that_was_made_of(store: Store) -> None:
    for name in ("chunk", "heard", "cover", "second cover", "third cover"):
        put(store, name, DAY)
    put(store, "try", HOUR)
    finish(store, "episode-01", "chunk", "heard", "cover", sound="same")
    finish(store, "episode-01", "chunk", "second cover", sound="same")
    finish(store, "episode-01", "chunk", "third cover", sound="same")
    gc.sweep(store.root, 4000, NOW)
    # not every cover there ever was
    assert left(store) == keys("chunk", "heard", "cover", "third cover")


def test_an_episode_whose_folder_is_gone_protects_nothing(store: Store) -> None:
    put(store, "chunk", DAY)
    finish(store, "episode-01", "chunk")
    put(store, "try", HOUR)
    (store.root.parent / "episode-01" / ".receipt.json").unlink()
    gc.sweep(store.root, 1000, NOW)
    assert left(store) == keys("try")
    assert list((store.root / "builds").iterdir()) == []


@pytest.mark.parametrize("text", ["", "[", "[]", "{}", '{"sound": "same", "first": 1, "last": 2}', '{"sound": "same", "first": ["x"]}', "\udcff"])
def test_a_damaged_record_costs_the_order_and_nothing_else(store: Store, text: str) -> None:
    put(store, "chunk", DAY)
    finish(store, "episode-01", "chunk", sound="same")
    (store.root / "builds" / "episode-01.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    put(store, "try", HOUR)
    gc.sweep(store.root, 1000, NOW)
    assert left(store) == keys("try")
    finish(store, "episode-01", "try", sound="same")
    assert recorded(store.root / "builds" / "episode-01.json") == keys("try")


def test_a_generated_file_is_as_young_as_its_last_use(store: Store) -> None:
    path = store.file(digest("voice"), ".wav", lambda to: void(to.write_bytes(bytes(1000))))
    (total,) = left(store)
    size = (store.root / "entries" / total[:2] / total).stat().st_size
    os.utime(path, (1, 1))
    os.utime(store.root / "entries" / total[:2] / total, (NOW, NOW))
    put(store, "chunk", HOUR)
    gc.sweep(store.root, 1000 + size, NOW)
    assert path.exists()
    assert left(store) == {total}
    gc.sweep(store.root, 0, NOW)
    assert not path.exists()
    assert list((store.root / "files").iterdir()) == []


def void(_: object) -> None:
    return None


def test_a_generated_file_belongs_to_the_build_that_used_it(store: Store) -> None:
    def used() -> Path:
        return store.file(digest("voice"), ".wav", lambda to: void(to.write_bytes(bytes(1000))))

    path = used()
    put(store, "try", -HOUR)
    store.begin()
    used()
    folder = store.root.parent / "episode-01"
    folder.mkdir()
    save(folder, Receipt("", False, 0, {}, {}, {}))
    gc.note(store, folder)
    assert gc.sweep(store.root, 1200, LATER).removed == 1
    assert path.exists()


def test_half_written_files_go_after_a_day_and_nothing_else_does(store: Store) -> None:
    chunk = put(store, "chunk", 400 * DAY)
    parts = [folder / ".x.part" for folder in (chunk.parent, store.root, store.root / "tmp")]
    others = [store.root / "seen.json", store.root / "locks" / "episode-01.lock", chunk.parent / ".hidden"]
    (store.root / "locks").mkdir()
    for path in (*parts, *others):
        path.touch()
        os.utime(path, (NOW - 25 * HOUR,) * 2)
    young = chunk.with_name(".y.part")
    young.touch()
    os.utime(young, (NOW - 23 * HOUR,) * 2)
    assert gc.preview(store.root, 10**9, NOW).litter == 3
    assert all(path.exists() for path in parts)
    assert gc.sweep(store.root, 10**9, NOW) == Swept(0, 0, kept=1, kept_bytes=1000, litter=3)
    assert not any(path.exists() for path in parts)
    assert all(path.exists() for path in (chunk, young, *others))


def test_where_there_is_no_store_there_is_nothing_to_do_and_none_is_made(tmp_path: Path) -> None:
    assert gc.preview(tmp_path / "build" / ".store", 0, NOW) == gc.sweep(tmp_path / "build" / ".store", 0, NOW) == Swept(0, 0, 0, 0)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_read_is_a_store_error(store: Store) -> None:
    (store.root / "entries").write_bytes(b"")
    with pytest.raises(StoreError, match="Not a directory"):
        gc.sweep(store.root, 0, NOW)


# -- when ----------------------------------------------------------------------------------------------------------------------


@contextmanager
def in_use(store: Store) -> Iterator[None]:
    """Another process builds: its hold on the lock is another open file, as this one's is."""
    with Store(store.root).using(lambda: pytest.fail("there is nobody to wait for")):
        yield


def test_a_sweep_waits_for_those_who_build_and_they_wait_for_it(store: Store) -> None:
    put(store, "chunk", DAY)
    waits, order = threading.Event(), []

    def sweep() -> None:
        order.append(gc.sweep(store.root, 0, NOW, waits.set).removed)

    other = threading.Thread(target=sweep)
    with in_use(store), in_use(store):
        other.start()
        assert waits.wait(5)
        assert left(store) == keys("chunk")
        order.append("built")
    other.join(5)
    assert order == ["built", 1]
    with locked(store.root / LOCK), pytest.raises(InterruptedError), store.using(_interrupted):
        pytest.fail("it is being swept")


def _interrupted() -> None:
    raise InterruptedError


def test_what_a_run_has_just_used_outlives_the_rest_even_when_it_failed(store: Store) -> None:
    put(store, "old", DAY)
    put(store, "finished", HOUR)
    finish(store, "episode-01", "finished")
    put(store, "young", HOUR)
    run = Store(store.root)
    run.put(digest("made"), bytes(980))
    assert run.get(digest("old"))
    # both are older than what nobody has finished
    for name in ("old", "made"):
        os.utime(entry(run, name), (NOW - 2 * DAY,) * 2)
    swept = gc.after_build(run, 3000, NOW)
    assert swept == Swept(removed=1, removed_bytes=1000, kept=3, kept_bytes=3000)
    assert left(store) == keys("finished", "old", "made")


def test_after_a_build_nobody_is_waited_for(store: Store) -> None:
    put(store, "chunk", DAY)
    with in_use(store):
        assert gc.after_build(store, 0, NOW) is None
        assert left(store) == keys("chunk")
    assert gc.after_build(store, 0, NOW) == Swept(removed=1, removed_bytes=1000, kept=0, kept_bytes=0, current=1)


def test_a_run_that_put_nothing_does_not_look_at_the_store(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    put(store, "chunk", DAY)
    second = Store(store.root)
    assert second.get(digest("chunk"))
    listed: list[object] = []
    monkeypatch.setattr(os, "scandir", listed.append)
    assert gc.after_build(second, 0, NOW) is None
    assert listed == []


def test_a_run_that_ends_under_the_limit_takes_no_lock(store: Store) -> None:
    put(store, "chunk", DAY)
    assert gc.after_build(store, 1000, NOW) is None
    assert not (store.root / LOCK).exists()


# -- in words ------------------------------------------------------------------------------------------------------------------


def test_a_sweep_is_told_in_plain_words() -> None:
    swept = Swept(removed=12, removed_bytes=1_310_000_000, kept=1, kept_bytes=987_654, current=3, litter=1)
    assert gc.in_lines(swept, 20_000_000_000) == [
        "removed: 12 entries, 1.3 GB",
        "3 of them belong to the last build of an episode: what changes in it will take longer to build",
        "removed: 1 half-written file(s) of killed runs",
        "remaining: 1 entry, 988 kB of at most 20 GB",
    ]
    assert gc.in_lines(Swept(0, 0, 5, 5000), 0, done=False) == ["nothing to remove", "would remain: 5 entries, 5 kB of at most 0 bytes"]
    assert gc.in_a_line(Swept(12, 1000, 1, 500), 600) == "store: 12 entries removed (1 kB); remaining 500 bytes of at most 600 bytes"
    assert gc.in_a_line(swept, 10**9).endswith("; the last builds alone need more: raise store.limit in configs/show.yaml")


# -- the limit in the configs --------------------------------------------------------------------------------------------------

SHOW = """\
title: T
slug: t
description: D
author: A
owner: {name: A, email: a@example.org}
link: https://example.org
media_url: https://example.org
copyright: C
"""


def limit(text: str) -> int | list[tuple[str, int, int, str]]:
    """The limit in a show's config, or what is wrong with it: message, line, column, hint."""
    sheet = read_sheet(read_text(Path("show.yaml"), f"{SHOW}{text}\n".encode()), rules(Show), "show")
    show = check(sheet, Show, sheet.values)
    if sheet.problems or show is None:
        return [(one.message, one.location.line, one.location.column, one.hint) for one in sheet.problems]
    assert sheet.where("store", "limit").path == Location(Path("show.yaml")).path
    return show.store.limit


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 20_000_000_000),
        ("store: {}", 20_000_000_000),
        ("store: {limit: 500 MB}", 500_000_000),
        ("store: {limit: 123456789}", 123_456_789),
        ("store:\n  limit: 0", 0),
        ("store: {limit: '1.5 TB'}", 1_500_000_000_000),
    ],
)
def test_the_limit_is_a_size(text: str, expected: int) -> None:
    assert limit(text) == expected


@pytest.mark.parametrize(
    ("text", "column", "message", "hint"),
    [
        ("store: {limit: much}", 16, "limit: should be a size, not 'much'", "write it as 20 GB or 500 MB"),
        ("store: {limit: -5 GB}", 16, "limit: should be a size, not '-5 GB'", "write it as 20 GB or 500 MB"),
        ("store: {limit: 20 apples}", 16, "limit: should be a size, not '20 apples'", "write it as 20 GB or 500 MB"),
        ("store: {limit: 20}", 16, "limit: should be a size, not '20'", "add the unit, as in 20 GB"),
        ("store: {limit: 0x10}", 16, "limit: should be a size, not '0x10'", "write it as 20 GB or 500 MB"),
        ("store: {limit: [5 GB]}", 16, "limit: should be one value, not a list", ""),
        ("store: {limt: 5 GB}", 9, "store: unknown key 'limt'", "did you mean 'limit'?"),
        ("store: 5 GB", 8, "store: should be a mapping, not '5 GB'", "its keys: limit"),
        ("limit: 5 GB", 1, "show: unknown key 'limit'", "it belongs under 'store'"),
    ],
)
def test_what_is_no_limit_is_said_with_its_place(text: str, column: int, message: str, hint: str) -> None:
    assert limit(text) == [(message, 9, column, hint)]
