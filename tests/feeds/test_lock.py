"""What was published is kept, read back as it was, and not changed by accident."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds import lock
from feeds.errors import IdentityChanged, LockDamaged
from feeds.lock import Entry, Lock, Release
from feeds.model import Alternate, Chapter, Enclosure, Transcript

GUID = "917393e3-1b1e-5cef-ace4-edaa54e1f810"
MP3 = Enclosure("https://a.example/episode-14-0123456789ab.mp3", 172_800_000)
RELEASE = Release(MP3, 10_800, "0" * 64)
FULL = Release(
    MP3,
    10_800,
    "1" * 64,
    "https://a.example/cover.jpg",
    "https://a.example/chapters.json",
    (Chapter(0, "Cold Open 👩‍💻"), Chapter(3_000, "Zwei", "https://a.example/2", "https://a.example/2.jpg")),
    (Transcript("https://a.example/t.vtt", "text/vtt", "en"),),
    (Alternate(MP3.url, 1, "audio/mpeg", 128_000, "1" * 64, "MP3", default=True), Alternate(MP3.url, 1, "audio/mp4", 96_000, "2" * 64, "AAC")),
)
ENTRY = Entry(14, "guid-14", dt.date(2026, 4, 7), dt.datetime(2026, 4, 7, 12, tzinfo=dt.UTC), (RELEASE,))


def test_a_lock_is_read_back_as_it_was_and_equal_locks_are_equal_bytes() -> None:
    offset = dt.timezone(dt.timedelta(hours=-7))
    other = Entry(2, "x", dt.date(2020, 1, 1), dt.datetime(2020, 1, 1, 6, 30, tzinfo=offset), (RELEASE, FULL), ("older", "oldest"))
    held = Lock(GUID).having(ENTRY).having(other)
    assert [one.number for one in held.entries] == [2, 14]
    assert lock.parse(lock.text(held)) == held
    assert lock.text(Lock(GUID).having(other).having(ENTRY)) == lock.text(held)
    assert lock.text(held).isascii() is False
    assert held.entry(2) == other
    assert held.entry(3) is None


def test_what_is_not_there_takes_no_line() -> None:
    said = json.loads(lock.text(Lock(GUID, (ENTRY,))))["episodes"][0]
    assert said["releases"] == [{"enclosure": {"url": MP3.url, "length": MP3.length, "type": "audio/mpeg"}, "duration": 10_800, "sha256": "0" * 64}]
    assert "former" not in said


def test_a_published_date_is_held() -> None:
    assert lock.identified([ENTRY], 14, dt.date(2026, 4, 7)) == ENTRY
    assert lock.identified([ENTRY], 15, dt.date(2026, 4, 7)) is None
    with pytest.raises(IdentityChanged, match="episode 14 was published with date 2026-04-07; with 2026-04-08") as changed:
        lock.identified([ENTRY], 14, dt.date(2026, 4, 8))
    assert (changed.value.number, changed.value.what) == (14, "date")


def test_publishing_anew_is_another_identity_that_remembers_the_one_before() -> None:
    day, moment = dt.date(2026, 6, 1), dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)
    again = lock.republished(ENTRY, day, moment)
    assert (again.former, again.releases, again.published) == (("guid-14",), ENTRY.releases, moment)
    assert lock.identified([again], 14, day) == again
    twice = lock.republished(again, day, moment)
    assert twice.former == ("guid-14", again.guid)
    assert len({ENTRY.guid, again.guid, twice.guid}) == 3
    assert lock.republished(ENTRY, day, moment) == again


def test_another_date_alone_keeps_the_guid() -> None:
    moved = lock.redated(ENTRY, dt.date(2026, 6, 1), dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC))
    assert (moved.guid, moved.former) == (ENTRY.guid, ())
    assert lock.identified([moved], 14, dt.date(2026, 6, 1)) == moved


def test_a_new_file_is_a_new_release_and_the_same_file_is_not() -> None:
    new = replace(RELEASE, enclosure=replace(MP3, url="https://a.example/episode-14-ba9876543210.mp3"), sha256="2" * 64)
    assert ENTRY.released(RELEASE) is ENTRY
    assert ENTRY.released(new).releases == (RELEASE, new)
    # another picture beside the same sound
    prettier = replace(RELEASE, image="https://a.example/other.jpg")
    assert ENTRY.released(prettier).releases == (prettier,)
    assert ENTRY.released(new).released(new).releases == (RELEASE, new)


@pytest.mark.parametrize(
    ("data", "why", "place"),
    [
        (b"", "Expecting value", (1, 1)),
        (b'{\n "version": 1,\n "guid" "x"}', "Expecting ':' delimiter", (3, 9)),
        (b"\xff\xfe", "no UTF-8", (1, 1)),
        (b"[]", "no lock of version 1", (1, 1)),
        (b'{"version": 2}', "no lock of version 1", (1, 1)),
        (b'{"version": 1}', "does not hold", (1, 1)),
        (b'{"version": 1, "guid": "g", "episodes": [1]}', "does not hold", (1, 1)),
        (lock.text(Lock(GUID, (ENTRY, ENTRY))), "twice", (1, 1)),
        (lock.text(Lock(GUID, (ENTRY,))).replace(b"+00:00", b""), "without a time zone", (1, 1)),
        (lock.text(Lock(GUID, (ENTRY,))).replace(b'"duration"', b'"dauer"'), "does not hold", (1, 1)),
        (lock.text(Lock(GUID, (ENTRY,))).replace(b' "guid"', b'<<<<<<< HEAD\n "guid"', 1), "Expecting property name", (3, 1)),
        (b"[" * 200_000, "nested too deeply", (1, 1)),
    ],
)
def test_a_lock_that_cannot_be_read_is_not_guessed_at(data: bytes, why: str, place: tuple[int, int]) -> None:
    with pytest.raises(LockDamaged, match=why) as damaged:
        lock.parse(data)
    assert (damaged.value.line, damaged.value.column) == place


def _json() -> st.SearchStrategy[Any]:
    return st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x), max_leaves=12)


@given(st.binary(max_size=200) | _json().map(lambda x: json.dumps({"version": 1, "guid": "g", "episodes": x}).encode()))
def test_whatever_stands_there_is_a_lock_or_is_refused(data: bytes) -> None:
    with contextlib.suppress(LockDamaged):
        lock.parse(data)
