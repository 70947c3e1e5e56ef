"""The store: an entry is whole or it is not there, whoever writes at the same time and however writing ends."""

from __future__ import annotations

import errno
import math
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from production.errors import StoreError
from production.store import Store, create, digest, locked, recorded, replacing, sum_key, write
from tests.conftest import ROOT

KEY = digest("entry")


def entry(root: Path, key: str = KEY) -> Path:
    return root / "entries" / key[:2] / key


def left_over(folder: Path) -> list[Path]:
    return list(folder.rglob("*.part"))


def test_a_key_depends_on_the_data_and_on_nothing_else() -> None:
    assert digest("a", {"x": 1, "y": [2.5, None]}) == digest("a", {"y": [2.5, None], "x": 1})
    # recorded once: a key that changes makes everything again
    assert digest("a", 1) == "0c42fe5620f6a7a29020d8ee56909bf33ff89c21"
    assert len({digest("ab"), digest("a", "b"), digest(["a", "b"]), digest("a", 1), digest("a", "1"), digest("a", 1.5), digest("a", None)}) == 7


def test_what_was_put_is_given_back(tmp_path: Path) -> None:
    one = Store(tmp_path)
    assert one.get(KEY) is None
    assert not one.has(KEY)
    one.put(KEY, b"frames")
    assert Store(tmp_path).get(KEY) == b"frames"
    one.put_value(KEY, {"loudness": -math.inf, "blocks": [1.5]})
    assert one.value(KEY) == {"loudness": -math.inf, "blocks": [1.5]}
    assert one.value(digest("other")) is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-1] + bytes((data[-1] ^ 1,)),
        lambda data: data[:30],
        lambda data: data + b"\0",
        lambda data: b"DSP2" + data[4:],
        lambda data: data[:6] + bytes((data[6] ^ 128,)) + data[7:],
        lambda data: bytes(len(data)),
        lambda _: b"",
    ],
    ids=["a flipped bit", "cut off", "longer", "another format", "a flipped bit of the sum", "zeros", "empty"],
)
def test_a_damaged_entry_is_a_miss_and_can_be_put_again(tmp_path: Path, damage: object) -> None:
    assert callable(damage)
    one = Store(tmp_path)
    one.put(KEY, b"frames" * 50)
    entry(tmp_path).write_bytes(damage(entry(tmp_path).read_bytes()))
    assert one.get(KEY) is None
    # so that a plan counts it as missing
    assert not one.has(KEY)
    one.put(KEY, b"frames")
    assert one.get(KEY) == b"frames"


def test_writing_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "episode.mp3"
    path.write_bytes(b"old")

    def interrupted() -> None:
        with replacing(path) as file:
            file.write(b"half of the new")
            file.flush()
            assert path.read_bytes() == b"old"
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["episode.mp3"]


def test_a_full_disk_is_said_with_what_to_do_and_the_old_entry_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = Store(tmp_path)
    one.put(KEY, b"old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="No space left") as caught:
        one.put(KEY, b"new")
    assert "free some room" in caught.value.hint
    assert one.get(KEY) == b"old"
    assert left_over(tmp_path) == []


def test_a_file_is_synced_before_it_takes_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    sync, rename = os.fsync, os.replace

    def syncing(descriptor: int) -> None:
        done.append("sync")
        sync(descriptor)

    def renaming(old: str, new: str) -> None:
        done.append("rename")
        rename(old, new)

    monkeypatch.setattr(os, "fsync", syncing)
    monkeypatch.setattr(os, "replace", renaming)
    Store(tmp_path).put(KEY, b"frames")
    assert done == ["sync", "rename"]


def test_writing_the_same_again_does_not_touch_the_file(tmp_path: Path) -> None:
    path = tmp_path / "feed.xml"
    assert write(path, b"<rss/>")
    os.utime(path, ns=(1, 1))
    assert not write(path, b"<rss/>")
    assert path.stat().st_mtime_ns == 1
    assert write(path, b"<rss />")


def test_files_have_the_rights_that_the_user_gives_and_threads_leave_the_mask_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "ours", b"1")
    (tmp_path / "plain").touch()
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "plain").stat().st_mode
    # setting it back and forth is not safe among threads: whoever comes between gets, and keeps, another's
    monkeypatch.setattr(os, "umask", lambda _: pytest.fail("the mask was changed"))
    write(tmp_path / "ours", b"2")


def test_readers_among_many_writers_see_whole_entries_only(tmp_path: Path) -> None:
    one, bodies = Store(tmp_path), [bytes((n,)) * 50_000 for n in range(8)]
    one.put(KEY, bodies[0])

    def work(body: bytes) -> set[bytes | None]:
        seen = set()
        for _ in range(5):
            one.put(KEY, body)
            seen.add(one.get(KEY))
        return seen

    with ThreadPoolExecutor(8) as pool:
        seen = set().union(*pool.map(work, bodies))
    assert seen <= set(bodies)
    assert left_over(tmp_path) == []


def test_a_file_is_made_once_and_a_failed_one_is_not_kept(tmp_path: Path) -> None:
    one, made = Store(tmp_path), []

    def make(path: Path) -> None:
        made.append(path)
        path.write_bytes(b"half")
        if len(made) == 1:
            raise RuntimeError
        path.write_bytes(b"whole")

    with pytest.raises(RuntimeError):
        one.file(KEY, ".wav", make)
    path = one.file(KEY, ".wav", make)
    assert path.read_bytes() == b"whole"
    assert path.suffix == ".wav"
    assert one.file(KEY, ".wav", make) == path
    assert len(made) == 2


def test_a_file_that_two_runs_make_otherwise_at_once_is_never_taken_for_what_it_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def slowly(path: Path) -> None:
        path.write_bytes(b"one")
        # meanwhile another run begins and ends, and its voice breathes elsewhere
        monkeypatch.setattr(os, "getpid", lambda: 1)
        assert Store(tmp_path).file(KEY, ".wav", lambda other: _write(other, b"two")).read_bytes() == b"two"
        monkeypatch.undo()

    assert Store(tmp_path).file(KEY, ".wav", slowly).read_bytes() == b"one"
    assert Store(tmp_path).file(KEY, ".wav", lambda _: pytest.fail("it is sound")).read_bytes() == b"one"
    assert left_over(tmp_path) == []


def _write(path: Path, data: bytes = b"a voice") -> None:
    path.write_bytes(data)


# -- what was used, and when -----------------------------------------------------------------------------------------------------


def aged(path: Path, seconds: float) -> float:
    """Give a file a time of change that lies this long ago; the time it then has."""
    then = time.time() - seconds
    os.utime(path, (then, then))
    return path.stat().st_mtime


def test_a_hit_is_remembered_once_an_hour(tmp_path: Path) -> None:
    one = Store(tmp_path)
    one.put(KEY, b"frames")
    young = aged(entry(tmp_path), 3500)
    assert one.get(KEY) == b"frames"
    assert entry(tmp_path).stat().st_mtime == young
    aged(entry(tmp_path), 3700)
    assert one.get(KEY) == b"frames"
    assert abs(entry(tmp_path).stat().st_mtime - time.time()) < 60
    # a clock that was wrong once would keep it for ever
    aged(entry(tmp_path), -1e9)
    assert one.get(KEY) == b"frames"
    assert abs(entry(tmp_path).stat().st_mtime - time.time()) < 60


def test_a_miss_and_a_look_change_no_time(tmp_path: Path) -> None:
    one = Store(tmp_path)
    one.put(KEY, b"frames")
    old = aged(entry(tmp_path), 1e6)
    assert one.has(KEY)
    assert one.get(digest("other")) is None
    assert entry(tmp_path).stat().st_mtime == old
    assert not entry(tmp_path, digest("other")).exists()


def test_a_store_that_cannot_be_touched_can_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, asked = Store(tmp_path), []
    one.put(KEY, b"frames")
    aged(entry(tmp_path), 1e6)

    def refused(path: Path) -> None:
        asked.append(path)
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(os, "utime", refused)
    assert one.get(KEY) == b"frames"
    assert asked == [entry(tmp_path)]


def test_a_generated_file_stays_the_file_it_was_when_it_is_used(tmp_path: Path) -> None:
    path = Store(tmp_path).file(KEY, ".wav", _write)
    before = path.stat()
    aged(entry(tmp_path, sum_key(KEY)), 1e6)
    assert Store(tmp_path).file(KEY, ".wav", lambda _: pytest.fail("it is there")) == path
    after = path.stat()
    # the digest of an input is remembered by these
    assert (after.st_mtime_ns, after.st_ctime_ns, after.st_ino) == (before.st_mtime_ns, before.st_ctime_ns, before.st_ino)
    assert abs(entry(tmp_path, sum_key(KEY)).stat().st_mtime - time.time()) < 60


def test_a_build_is_made_of_what_it_put_got_looked_for_and_generated(tmp_path: Path) -> None:
    one = Store(tmp_path)
    for name in ("got", "looked for", "earlier"):
        one.put(digest(name), b"x")
    one.begin()
    one.put(digest("put"), b"x")
    one.get(digest("got"))
    one.has(digest("looked for"))
    one.get(digest("missing"))
    one.has(digest("missing"))
    path = one.file(KEY, ".wav", _write)
    one.remember("episode-14")
    generated = {path.name, sum_key(KEY)}
    assert made_of(tmp_path, "episode-14") == {digest("put"), digest("got"), digest("looked for"), *generated}
    # the file is known to be sound by now: the next episode uses it none the less
    one.begin()
    one.file(KEY, ".wav", _write)
    one.remember("episode-15")
    assert made_of(tmp_path, "episode-15") == generated


def made_of(root: Path, build: str) -> set[str]:
    return recorded(root / "builds" / f"{build}.json")


def test_a_store_grows_by_what_is_put_only(tmp_path: Path) -> None:
    one = Store(tmp_path)
    one.get(KEY)
    one.has(KEY)
    assert not one.grown
    one.put(KEY, b"frames")
    assert one.grown
    assert not Store(tmp_path).grown


def test_opening_a_store_does_not_look_through_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Store(tmp_path).put(KEY, b"frames")
    looked: list[object] = []
    monkeypatch.setattr(os, "scandir", looked.append)
    monkeypatch.setattr(os, "listdir", looked.append)
    Store(tmp_path)
    assert looked == []


# -- several at once -------------------------------------------------------------------------------------------------------------

PUTTING = """
import sys, time
from pathlib import Path
from production.store import Store, digest
root, letter = Path(sys.argv[1]), sys.argv[2]
store, wrong = Store(root), 0
(root / letter).touch()
# nobody begins before all are there
while len(list(root.glob("[abc]"))) < 3:
    time.sleep(0.001)
for turn in range(60):
    store.put(digest(turn), letter.encode() * 300_000)
    body = store.get(digest(turn))
    wrong += body is None or len(body) != 300_000 or len(set(body)) != 1
sys.exit(wrong)
"""


@pytest.mark.process
def test_processes_that_put_the_same_entries_at_once_all_succeed_and_leave_whole_ones(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    writers = [subprocess.Popen([sys.executable, "-c", PUTTING, str(tmp_path), letter], env=environment) for letter in "abc"]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    bodies = {Store(tmp_path).get(digest(turn)) for turn in range(60)}
    assert bodies <= {letter * 300_000 for letter in (b"a", b"b", b"c")}
    assert len([path for path in (tmp_path / "entries").rglob("*") if path.is_file()]) == 60
    assert left_over(tmp_path) == []


def test_any_number_hold_a_lock_together_and_one_holds_it_alone(tmp_path: Path) -> None:
    path = tmp_path / "lock"

    def busy() -> None:
        raise InterruptedError

    with locked(path, shared=True), locked(path, busy, shared=True), pytest.raises(InterruptedError), locked(path, busy):
        pytest.fail("it is held by two")
    with locked(path), pytest.raises(InterruptedError), locked(path, busy, shared=True):
        pytest.fail("it is held alone")
    with locked(path, busy):
        pass


def test_a_second_one_waits_until_the_first_is_done(tmp_path: Path) -> None:
    path, waits, order = tmp_path / "locks" / "episode-14.lock", threading.Event(), []

    def second() -> None:
        with locked(path, waits.set):
            order.append("second")

    other = threading.Thread(target=second)
    with locked(path, lambda: pytest.fail("there is nobody to wait for")):
        other.start()
        assert waits.wait(5)
        order.append("first")
    other.join(5)
    assert order == ["first", "second"]


def test_a_lock_is_free_again_after_a_failure(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with pytest.raises(RuntimeError), locked(path):
        raise RuntimeError
    with locked(path, lambda: pytest.fail("it is still held")):
        pass


def test_a_folder_that_cannot_be_made_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="Not a directory"):
        Store(tmp_path / "file" / "store")


@pytest.mark.parametrize("links", [True, False])
def test_what_is_created_is_whole_and_takes_nobodys_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool) -> None:
    if not links:

        def none(*_: object) -> None:
            raise OSError(errno.EPERM, "one name for each file here")

        monkeypatch.setattr(os, "link", none)
    path = tmp_path / "new" / "a.yaml"
    with ThreadPoolExecutor(8) as pool:
        created = list(pool.map(lambda number: create(path, b"%d" % number * 1000), range(8)))
    assert created.count(True) == 1
    assert path.read_bytes() == b"%d" % created.index(True) * 1000
    (tmp_path / "plain").touch()
    assert path.stat().st_mode == (tmp_path / "plain").stat().st_mode
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    assert not create(tmp_path / "dangling", b"x")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "no room")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no room"):
        create(tmp_path / "new" / "b.yaml", b"x")
    assert [one.name for one in path.parent.iterdir()] == ["a.yaml"]
