from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from feeds import holder
from feeds.errors import (
    FeedOvertaken,
    NotAsSent,
    PathRefused,
    PublishError,
    TargetBusy,
    TargetRefused,
    TargetStalled,
    TargetUnreachable,
)
from feeds.patience import Patience
from feeds.publish import KEPT, publish, rollback, unlock
from feeds.targets.base import BLOCK, LOCK, Found, Needed, Outgoing, OutgoingFeed, Text, checked
from feeds.targets.folder import Folder
from feeds.turn import Progress
from tests.feeds.publishing import HASTY, MEDIA, Killed, Memory, Stepped, episode, feed_of, killed_at, lost_once, outgoing, prove, seen_in

FEED = "feeds/foundational.xml"


@pytest.fixture
def first(tmp_path: Path) -> list[Outgoing]:
    return episode(tmp_path / "build", 1)


@pytest.fixture
def second(tmp_path: Path, first: list[Outgoing]) -> list[Outgoing]:
    return [*first, *episode(tmp_path / "build", 2)]


def nothing_left_to_do(target: Any, files: list[Outgoing], feed: OutgoingFeed) -> None:
    """A run finishes, and the one after it sends nothing."""
    publish(target, files, [feed], patience=HASTY)
    report = publish(target, files, [feed], patience=HASTY)
    assert (report.sent, report.replaced) == ((), ())
    assert report.unchanged == (feed.path,)


# -- the way it goes ----------------------------------------------------------------------------------------------------------------


def test_files_go_before_what_is_saved_and_feeds_last(first: list[Outgoing]) -> None:
    target = Stepped(Memory())
    said: list[str] = []
    report = publish(target, first, [feed_of(first)], before_feeds=lambda: target.steps.append("saved"), say=said.append, patience=HASTY)
    kinds = [path.rsplit(".", 1)[1] for path in report.sent]
    assert kinds == ["mp3", "json", "vtt", "jpg"]
    assert report.replaced == (FEED,)
    assert report.sent_bytes == sum(file.length for file in first)
    saved = target.steps.index("saved")
    assert "before land" in target.steps[:saved]
    assert "before replace" not in target.steps[:saved]
    assert "before send" not in target.steps[saved:]
    assert target.steps[-2:] == ["before release", "after release"]
    assert said == [f"sent {path}" for path in report.sent] + [f"published {FEED}"]


def test_the_second_time_nothing_is_sent(first: list[Outgoing]) -> None:
    memory = Memory()
    publish(memory, first, [feed_of(first)], patience=HASTY)
    target = Stepped(memory)
    report = publish(target, first, [feed_of(first)], patience=HASTY)
    assert report.sent == report.replaced == ()
    assert set(report.already) == {file.path for file in first}
    assert not {"before send", "before replace", "before land"} & set(target.steps)


def test_a_dry_run_only_looks(first: list[Outgoing]) -> None:
    memory = Memory()
    saved: list[str] = []
    report = publish(memory, first, [feed_of(first)], dry_run=True, before_feeds=lambda: saved.append("x"), patience=HASTY)
    assert report.dry_run
    assert len(report.sent) == 4
    assert report.replaced == (FEED,)
    assert memory.held_by == {}
    assert saved == []


def test_progress_counts_every_byte_once_and_never_back(first: list[Outgoing]) -> None:
    states: list[Progress] = []
    publish(Memory(), first, [], progress=states.append, patience=HASTY)
    total = sum(file.length for file in first)
    assert {state.total for state in states} == {total}
    assert states[-1].done == total
    assert [state.done for state in states] == sorted(state.done for state in states)


def test_the_old_feed_is_kept_and_can_be_brought_back(first: list[Outgoing], second: list[Outgoing]) -> None:
    memory = Memory()
    old, new = feed_of(first), feed_of(second)
    publish(memory, first, [old], patience=HASTY)
    publish(memory, second, [new], patience=HASTY)
    digits = hashlib.sha256(old.data).hexdigest()[:12]
    assert memory.names("feeds/previous") == [f"foundational-0001-{digits}.xml"]
    said: list[str] = []
    assert rollback(memory, "foundational", say=said.append, patience=HASTY) == f"feeds/previous/foundational-0001-{digits}.xml"
    assert memory.public[FEED] == old.data
    prove(memory.public)
    rollback(memory, "foundational", patience=HASTY)
    assert memory.public[FEED] == new.data
    rollback(memory, "foundational", to=1, patience=HASTY)
    assert memory.public[FEED] == old.data
    with pytest.raises(PublishError, match="no other feed of foundational with the number 99"):
        rollback(memory, "foundational", to=99, patience=HASTY)


def test_a_kept_feed_that_is_damaged_is_not_brought_back(first: list[Outgoing], second: list[Outgoing]) -> None:
    memory = Memory()
    publish(memory, first, [feed_of(first)], patience=HASTY)
    publish(memory, second, [feed_of(second)], patience=HASTY)
    (name,) = memory.names("feeds/previous")
    memory.held_by[f"feeds/previous/{name}"] = b"<rss"
    with pytest.raises(PublishError, match="no other feed"):
        rollback(memory, "foundational", patience=HASTY)
    assert memory.public[FEED] == feed_of(second).data


def test_no_more_than_some_old_feeds_are_kept(first: list[Outgoing]) -> None:
    memory = Memory()
    for number in range(KEPT + 5):
        publish(memory, first, [feed_of(first, title=f"Title {number}")], patience=HASTY)
    names = memory.names("feeds/previous")
    assert len(names) == KEPT
    assert names[-1].startswith("foundational-0024-")


def test_what_a_feed_needs_must_be_there_though_somebody_else_sent_it(first: list[Outgoing], second: list[Outgoing]) -> None:
    memory = Memory()
    needs = tuple(Needed(file.path, file.length) for file in first)
    feed = feed_of(second, needs=needs)
    with pytest.raises(PublishError, match="a feed names episode-01"):
        publish(memory, second[4:], [feed], patience=HASTY)
    assert FEED not in memory.public
    publish(memory, first, [], patience=HASTY)
    memory.held_by[first[0].path] += b"x"
    with pytest.raises(NotAsSent, match="the feed says"):
        publish(memory, second[4:], [feed], patience=HASTY)
    memory.held_by[first[0].path] = memory.held_by[first[0].path][:-1]
    publish(memory, second[4:], [feed], patience=HASTY)
    prove(memory.public)


def test_a_file_that_changed_since_it_was_built_is_not_sent(first: list[Outgoing]) -> None:
    first[0].local.write_bytes(b"x" * first[0].length)
    memory = Memory()
    with pytest.raises(PublishError, match="no longer what it was"):
        publish(memory, first, [feed_of(first)], patience=HASTY)
    assert memory.public == {}


@pytest.mark.parametrize(
    "path",
    [
        "", "/etc/passwd", "../x", "a/../b", "a//b", "a/./b", "a/", ".hidden", "a/.publish.lock", "a\x00b", "a\nb", "a\\b", "C:x", "~root/x", "-rf",
        "a/-x", "a?b", "a#b", "a%2e", "a\u202eb", "a ", "x" * 300, "\ud800", "a/b.", "*", "\x7f",
    ],
)  # fmt: skip
def test_a_path_that_could_leave_the_target_is_refused(path: str) -> None:
    with pytest.raises(PathRefused):
        checked(path)


def test_files_that_are_not_named_by_their_content_are_refused(first: list[Outgoing]) -> None:
    with pytest.raises(PathRefused, match="does not carry the first 12 digits"):
        publish(Memory(), [replace(first[0], path="episode-01/episode-01.mp3")], [], patience=HASTY)
    with pytest.raises(PathRefused, match="in the place of a feed"):
        publish(Memory(), [replace(first[0], path=f"feeds/a-{first[0].sha256}.xml")], [], patience=HASTY)
    with pytest.raises(PathRefused, match="empty"):
        publish(Memory(), [replace(first[0], length=0)], [], patience=HASTY)
    with pytest.raises(PathRefused, match="is no name of a feed"):
        publish(Memory(), [], [OutgoingFeed("../x", b"<rss/>")], patience=HASTY)
    with pytest.raises(PathRefused, match="two feeds have the same name"):
        publish(Memory(), [], [feed_of([]), feed_of([])], patience=HASTY)
    with pytest.raises(PublishError, match="0 bytes long"):
        publish(Memory(), [], [OutgoingFeed("x", b"")], patience=HASTY)


# -- killed at every step -----------------------------------------------------------------------------------------------------------


def _kill_everywhere(fresh: Callable[[], Any], public: Callable[[Any], dict[str, bytes]], before: list[Outgoing], after: list[Outgoing]) -> int:
    """Publish ``after`` over ``before``, killed at each step in turn; gives how many steps there are."""
    new = feed_of(after)
    number = 0
    while True:
        target = fresh()
        allowed = {new.data, None}
        if before:
            publish(target, before, [feed_of(before)], patience=HASTY)
            allowed = {new.data, feed_of(before).data}
        stepped = Stepped(target, killed_at(number))
        try:
            publish(stepped, after, [new], patience=HASTY)
        except Killed:
            # What the system closes when a process ends.
            target.close()
        else:
            return number
        assert prove(public(target)).get(FEED) in allowed, stepped.steps[-1]
        nothing_left_to_do(target, after, new)
        assert prove(public(target))[FEED] == new.data
        target.close()
        number += 1


def test_killed_at_every_step_of_the_first_publishing(first: list[Outgoing]) -> None:
    assert _kill_everywhere(Memory, lambda memory: memory.public, [], first[2:]) > 30


def test_killed_at_every_step_of_a_further_publishing(first: list[Outgoing], second: list[Outgoing]) -> None:
    assert _kill_everywhere(Memory, lambda memory: memory.public, first[2:], second[2:6]) > 50


def test_killed_at_every_step_with_a_folder(tmp_path: Path, first: list[Outgoing], second: list[Outgoing], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("feeds.targets.folder.os.fsync", lambda _: None)
    made: list[Path] = []

    def fresh() -> Folder:
        made.append(tmp_path / "targets" / str(len(made)))
        return Folder(made[-1])

    assert _kill_everywhere(fresh, lambda folder: seen_in(folder.root), first[2:], second[2:6]) > 50
    # No half of anything is left over when all is done.
    assert [path.name for path in made[0].rglob(".*") if path.is_file()] == [LOCK]


# -- whatever a network does --------------------------------------------------------------------------------------------------------


def _once(label: str, error: BaseException, times: int = 1) -> Callable[[int, str], None]:
    """The first few times that a step of this name comes, something goes wrong."""
    left = [times]

    def plan(_: int, name: str) -> None:
        if name == label and left[0]:
            left[0] -= 1
            raise error

    return plan


def test_any_answer_may_be_lost_once(first: list[Outgoing], second: list[Outgoing]) -> None:
    number, steps = 0, 1
    while number < steps:
        memory = Memory()
        publish(memory, first[3:], [feed_of(first[3:])], patience=HASTY)
        stepped = Stepped(memory, lost_once(number))
        report = publish(stepped, second[6:], [feed_of(second[6:])], patience=HASTY)
        assert report.replaced == (FEED,)
        assert prove(memory.public)[FEED] == feed_of(second[6:]).data
        assert memory.took.count(second[-1].path) <= 4, "an upload goes on where it was cut off"
        number, steps = number + 1, len(stepped.steps)
    assert number > 50


OUTAGES = [
    *((f"{when} {name}", TargetUnreachable("the server answers 503")) for when in ("before", "after") for name in ("look", "send", "proof", "take")),
    ("before land", TargetUnreachable("the server answers 503")),
    *((f"{when} {name}", TargetRefused("no space left on device")) for when in ("before", "within", "after") for name in ("send",)),
    ("before land", TargetRefused("no space left on device")),
    ("before replace", TargetRefused("no space left on device")),
    ("before replace", TargetUnreachable("the server answers 500")),
    ("before read", TargetUnreachable("connection reset")),
    ("before names", TargetUnreachable("connection reset")),
    ("before held", TargetUnreachable("connection reset")),
    ("within send", TargetUnreachable("connection lost in the middle")),
    ("within proof", TargetUnreachable("connection lost in the middle")),
    ("before look", RuntimeError("a bug in a library")),
]


@pytest.mark.parametrize(("label", "error"), OUTAGES, ids=[f"{label}: {error}" for label, error in OUTAGES])
def test_an_outage_leaves_the_old_feed_and_the_next_run_finishes(label: str, error: Exception, first: list[Outgoing], second: list[Outgoing]) -> None:
    memory = Memory()
    publish(memory, first, [feed_of(first)], patience=HASTY)
    saved: list[str] = []
    with pytest.raises(type(error)):
        publish(Stepped(memory, _once(label, error, 1000)), second, [feed_of(second)], before_feeds=lambda: saved.append("x"), patience=HASTY)
    assert prove(memory.public)[FEED] == feed_of(first).data
    assert LOCK not in memory.held_by or "take" in label
    nothing_left_to_do(memory, second, feed_of(second))
    assert prove(memory.public)[FEED] == feed_of(second).data


def _shorter(found: Any) -> Any:
    return replace(found, length=found.length - 1)


LIES: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "a wrong length is echoed": ("proof", _shorter),
    "a wrong checksum is echoed": ("proof", lambda found: replace(found, sha256="0" * 64)),
    "no checksum is given": ("proof", lambda found: replace(found, sha256=None)),
    "what is read back is truncated": ("proof", lambda found: Found(found.length // 2, None, "1" * 64)),
    "nothing is there after it was sent": ("look", lambda _: {}),
    "another length is there after it was sent": ("look", lambda found: {path: _shorter(one) for path, one in found.items()}),
    "another type is there after it was sent": ("look", lambda found: {path: replace(one, type="text/html") for path, one in found.items()}),
}


@pytest.mark.parametrize("lie", LIES)
def test_what_is_not_proven_is_in_no_feed(lie: str, first: list[Outgoing], second: list[Outgoing]) -> None:
    memory = Memory()
    publish(memory, first, [feed_of(first)], patience=HASTY)
    with pytest.raises(NotAsSent):
        publish(Stepped(memory, twists=dict([LIES[lie]])), second, [feed_of(second)], patience=HASTY)
    assert prove(memory.public)[FEED] == feed_of(first).data
    nothing_left_to_do(memory, second, feed_of(second))
    prove(memory.public)


def test_a_file_that_was_damaged_on_the_way_is_sent_again(first: list[Outgoing]) -> None:
    memory = Memory()
    wrong = [True]

    def once(found: Found) -> Found:
        return replace(found, sha256="0" * 64) if wrong and wrong.pop() else found

    said: list[str] = []
    publish(Stepped(memory, twists={"proof": once}), first, [feed_of(first)], say=said.append, patience=HASTY)
    assert "checksum differs; sending it again" in said[0]
    prove(memory.public)


def test_a_feed_that_arrives_cut_off_is_put_back(first: list[Outgoing], second: list[Outgoing]) -> None:
    class Cutting(Memory):
        def replace(self, path: str, data: bytes, media_type: str, was: Text | None) -> None:
            super().replace(path, data[:50] if data == feed_of(second).data else data, media_type, was)

    target = Cutting()
    publish(target, first, [feed_of(first)], patience=HASTY)
    with pytest.raises(NotAsSent, match="is not the feed that was sent"):
        publish(target, second, [feed_of(second)], patience=HASTY)
    assert prove(target.public)[FEED] == feed_of(first).data


@pytest.mark.parametrize("label", ["before take", "before look", "within send", "before proof", "before replace", "before held"])
def test_what_hangs_is_left_behind(label: str, first: list[Outgoing], second: list[Outgoing]) -> None:
    memory = Memory()
    publish(memory, first, [feed_of(first)], patience=HASTY)
    ended = threading.Event()

    def hang(_: int, name: str) -> None:
        if name == label:
            ended.wait(20)
            raise TargetUnreachable("closed")

    begun = time.monotonic()
    with pytest.raises(TargetStalled, match=r"nothing moved for 0\.2 s"):
        publish(Stepped(memory, hang), second, [feed_of(second)], patience=replace(HASTY, stall=0.2))
    assert time.monotonic() - begun < 3
    ended.set()
    assert prove(memory.public)[FEED] == feed_of(first).data
    nothing_left_to_do(memory, second, feed_of(second))


def test_what_drips_is_left_behind_too(first: list[Outgoing]) -> None:
    ended = threading.Event()

    class Dripping(Memory):
        def proof(self, file: Outgoing, moved: Any) -> Found:
            while not ended.wait(0.01):
                moved(1)
            return super().proof(file, moved)

    patience = Patience(stall=0.15, slowest=10**9, attempts=1)
    with pytest.raises(TargetStalled, match="not done after"):
        publish(Dripping(), first, [feed_of(first)], patience=patience)
    ended.set()


def test_an_interrupted_run_ends_what_is_under_way_and_lets_go(first: list[Outgoing]) -> None:
    class Closable(Memory):
        closed = 0

        def close(self) -> None:
            self.closed += 1

    def interrupt(_: Progress) -> None:
        raise KeyboardInterrupt

    target = Closable()
    with pytest.raises(KeyboardInterrupt):
        publish(target, first, [feed_of(first)], progress=interrupt, patience=HASTY)
    assert target.closed == 1
    assert LOCK not in target.held_by
    nothing_left_to_do(target, first, feed_of(first))


def test_attempts_are_counted_and_the_pauses_grow(monkeypatch: pytest.MonkeyPatch, first: list[Outgoing]) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("feeds.patience.time.sleep", pauses.append)
    said: list[str] = []
    with pytest.raises(TargetUnreachable):
        publish(Stepped(Memory(), _once("before look", TargetUnreachable("503"), 1000)), first, [], say=said.append)
    assert pauses == [1.0, 2.0, 4.0]
    assert said[0] == "503; trying again in 1 s"


# -- two publishers -----------------------------------------------------------------------------------------------------------------


def test_of_two_publishers_one_wins_and_the_other_hears_who(first: list[Outgoing]) -> None:
    memory = Memory()
    heard: list[TargetBusy] = []

    def meanwhile() -> None:
        with pytest.raises(TargetBusy) as caught:
            publish(memory, first, [feed_of(first, title="Mine")], patience=HASTY)
        heard.append(caught.value)

    publish(memory, first, [feed_of(first)], before_feeds=meanwhile, patience=HASTY)
    assert "process" in heard[0].holder
    assert not heard[0].stale
    assert LOCK in heard[0].hint
    assert memory.public[FEED] == feed_of(first).data


def test_of_two_publishers_to_a_folder_one_wins(tmp_path: Path, first: list[Outgoing]) -> None:
    heard: list[TargetBusy] = []

    def meanwhile() -> None:
        with pytest.raises(TargetBusy) as caught:
            publish(Folder(tmp_path / "target"), first, [], patience=HASTY)
        heard.append(caught.value)

    publish(Folder(tmp_path / "target"), first, [feed_of(first)], before_feeds=meanwhile, patience=HASTY)
    assert "process" in heard[0].holder


def test_a_lock_of_another_machine_is_respected_and_called_stale_by_its_age(first: list[Outgoing]) -> None:
    memory = Memory()
    memory.held_by[LOCK] = b'{"host": "studio", "pid": 7, "since": "2020-01-01T10:00:00+00:00", "machine": "another"}'
    with pytest.raises(TargetBusy, match="studio, process 7, since 2020-01-01 10:00 UTC") as caught:
        publish(memory, first, [], patience=HASTY)
    assert caught.value.stale
    assert "cut off" in caught.value.hint
    assert unlock(memory, patience=HASTY) == "studio, process 7, since 2020-01-01 10:00 UTC"
    assert unlock(memory, patience=HASTY) == ""
    publish(memory, first, [], patience=HASTY)


def test_a_lock_that_nobody_finished_writing_is_taken_over(first: list[Outgoing]) -> None:
    memory = Memory()
    memory.held_by[LOCK] = b""
    publish(memory, first, [feed_of(first)], patience=HASTY)
    assert LOCK not in memory.held_by


def test_a_publisher_whose_lock_was_taken_changes_no_feed(first: list[Outgoing], second: list[Outgoing]) -> None:
    memory = Memory()
    publish(memory, first, [feed_of(first)], patience=HASTY)

    def steal() -> None:
        memory.held_by[LOCK] = holder.ourselves()

    with pytest.raises(TargetBusy, match="taken away meanwhile"):
        publish(memory, second, [feed_of(second)], before_feeds=steal, patience=HASTY)
    assert memory.public[FEED] == feed_of(first).data
    assert LOCK in memory.held_by, "the lock of the other one stays"


def test_a_feed_that_somebody_else_replaced_meanwhile_is_not_overwritten(first: list[Outgoing], second: list[Outgoing]) -> None:
    for target in (Memory(),):
        publish(target, first, [feed_of(first)], patience=HASTY)
        theirs = feed_of(first, title="Theirs").data

        def meanwhile(target: Memory = target, theirs: bytes = theirs) -> None:
            target.held_by[FEED] = theirs

        with pytest.raises(FeedOvertaken, match="replaced by somebody else"):
            publish(target, second, [feed_of(second)], before_feeds=meanwhile, patience=HASTY)
        assert target.public[FEED] == theirs
        publish(target, second, [feed_of(second)], patience=HASTY)
        assert prove(target.public)[FEED] == feed_of(second).data


# -- a folder -----------------------------------------------------------------------------------------------------------------------


def test_a_folder_goes_on_where_a_transfer_was_cut_off(tmp_path: Path) -> None:
    file = outgoing(tmp_path / "build", "a/long.mp3", bytes(range(256)) * 20_000, "audio/mpeg")
    folder = Folder(tmp_path / "target")
    stepped = Stepped(folder)

    def plan(_: int, name: str) -> None:
        if stepped.steps.count("within send") > 7:
            raise Killed(name)

    stepped._plan = plan
    with pytest.raises(Killed):
        publish(stepped, [file], [], patience=HASTY)
    folder.close()
    begun: list[int] = []
    folder.send(file, begun.append)
    assert begun[0] == 7 * BLOCK
    folder.close()
    publish(folder, [file], [], patience=HASTY)
    assert seen_in(tmp_path / "target") == {file.path: file.local.read_bytes()}


def test_a_transfer_that_was_cut_off_and_then_damaged_begins_anew(tmp_path: Path) -> None:
    file = outgoing(tmp_path / "build", "a/long.mp3", b"sound" * 1000, "audio/mpeg")
    part = tmp_path / "target" / "a" / f".{Path(file.path).name}.part"
    part.parent.mkdir(parents=True)
    for damaged in (b"x" * 100, b"x" * 9000):
        part.write_bytes(damaged)
        publish(Folder(tmp_path / "target"), [file], [], patience=HASTY)
        assert seen_in(tmp_path / "target") == {file.path: file.local.read_bytes()}
        (tmp_path / "target" / file.path).unlink()


def test_a_folder_is_not_left_through_a_symbolic_link(tmp_path: Path, first: list[Outgoing]) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "episode-01").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PathRefused, match="leads out of"):
        publish(Folder(tmp_path / "target"), first, [feed_of(first)], patience=HASTY)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_link_in_the_place_of_what_is_under_way_is_not_written_through(tmp_path: Path, first: list[Outgoing]) -> None:
    (tmp_path / "precious").write_bytes(b"precious")
    part = tmp_path / "target" / "episode-01" / f".{Path(first[3].path).name}.part"
    part.parent.mkdir(parents=True)
    part.symlink_to(tmp_path / "precious")
    with pytest.raises(TargetRefused):
        publish(Folder(tmp_path / "target"), first, [], patience=HASTY)
    assert (tmp_path / "precious").read_bytes() == b"precious"


def test_a_full_disk_says_so(tmp_path: Path, first: list[Outgoing], monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("feeds.targets.folder.os.fsync", full)
    with pytest.raises(TargetRefused, match="No space left on device") as caught:
        publish(Folder(tmp_path / "target"), first, [feed_of(first)], patience=HASTY)
    assert "free some room" in caught.value.hint
    assert seen_in(tmp_path / "target") == {}


def test_a_folder_that_cannot_be_written_says_so(tmp_path: Path, first: list[Outgoing]) -> None:
    (tmp_path / "target").write_bytes(b"a file")
    with pytest.raises(TargetRefused):
        publish(Folder(tmp_path / "target"), first, [], patience=HASTY)


def test_addresses_are_the_public_url_and_the_path() -> None:
    from feeds.web import address

    assert address(f"{MEDIA}/", "a/ö b.mp3") == f"{MEDIA}/a/%C3%B6%20b.mp3"
