"""What a new feed does to those who subscribe to the old one."""

from __future__ import annotations

import datetime as dt
import json
import re
from dataclasses import replace
from typing import Any

import pytest

from feeds.diff import Changes, diff
from feeds.errors import FeedUnreadable
from feeds.model import Enclosure
from feeds.rss import render
from tests.feeds.samples import CHANNEL, FIRST, GOOD, SECOND, SITE, an_item

THIRD = an_item(3, "Clocks That Disagree", dt.datetime(2024, 5, 1, 6, tzinfo=dt.UTC))
ANEW = replace(SECOND, guid="5f0c1b1e-0000-5000-8000-000000000000", enclosure=Enclosure(f"{SITE}/media/02-b.mp3", 121_000_000))


def fields(changes: Changes) -> list[tuple[str, str | None, str | None]]:
    return [(change.field, change.was, change.now) for changed in changes.changed for change in changed.changes]


def test_the_same_feed_changes_nothing() -> None:
    changes = diff(GOOD, GOOD)
    assert not changes
    assert changes.lines() == ["nothing changes"]
    assert (changes.new_bytes, changes.repeated_bytes) == (0, 0)


def test_other_blanks_and_another_order_change_nothing() -> None:
    assert not diff(GOOD, re.sub(rb">\s+<", b"><", GOOD))
    assert not diff(GOOD.replace(b"Fri, 08 Mar 2024 06:00:00 +0000", b"Fri, 08 Mar 2024 07:00:00 +0100"), GOOD)


def test_a_first_feed_is_all_new() -> None:
    changes = diff(None, GOOD)
    assert changes.first
    assert [one.guid for one in changes.added] == [SECOND.guid, FIRST.guid]
    assert changes.new_bytes == 240_000_003
    assert changes.lines()[0] == "the first publication of this feed"


def test_a_new_item_is_downloaded_once() -> None:
    changes = diff(GOOD, render(CHANNEL, (FIRST, SECOND, THIRD)))
    assert [one.guid for one in changes.added] == [THIRD.guid]
    assert (changes.removed, changes.replaced, changes.changed) == ((), (), ())
    assert changes.lines() == [
        "new: episode 3, 'Clocks That Disagree', 120.0 MB",
        "each subscriber downloads 120.0 MB, of that 0.0 MB again",
    ]


def test_a_removed_item_is_told() -> None:
    changes = diff(GOOD, render(CHANNEL, (SECOND,)))
    assert [one.guid for one in changes.removed] == [FIRST.guid]
    assert changes.lines() == ["removed: episode 1, 'The Speed of Light Constraint'; who has downloaded it keeps the file"]


def test_another_guid_for_an_episode_is_downloaded_again_by_everybody() -> None:
    changes = diff(GOOD, render(CHANNEL, (FIRST, ANEW)))
    (replaced,) = changes.replaced
    assert (replaced.was.guid, replaced.now.guid) == (SECOND.guid, ANEW.guid)
    assert (changes.added, changes.removed) == ((), ())
    assert changes.repeated_bytes == 121_000_000
    assert changes.lines()[0].startswith(f"again: episode 2, 'Chaos in Production' has another guid ({SECOND.guid} -> {ANEW.guid}): every subscriber")
    assert changes.lines()[-1] == "each subscriber downloads 121.0 MB, of that 121.0 MB again"


def test_the_number_of_another_season_is_another_episode() -> None:
    changes = diff(GOOD, render(CHANNEL, (FIRST, replace(ANEW, season=2))))
    assert changes.replaced == ()
    assert [one.guid for one in changes.added] == [ANEW.guid]
    assert [one.guid for one in changes.removed] == [SECOND.guid]


def test_without_a_number_the_same_file_is_the_same_episode() -> None:
    bare = re.sub(rb"<(itunes|podcast):episode>.*?>", b"", GOOD)
    changes = diff(bare, bare.replace(SECOND.guid.encode(), b"another"))
    assert [(one.was.guid, one.now.guid) for one in changes.replaced] == [(SECOND.guid, "another")]


def test_an_episode_is_replaced_once_even_if_two_have_its_number() -> None:
    twice = GOOD.replace(FIRST.guid.encode(), b"a").replace(SECOND.guid.encode(), b"b").replace(b"episode>2<", b"episode>1<")
    changes = diff(GOOD, twice)
    assert len(changes.replaced) == 1
    assert len(changes.added) == len(changes.removed) == 1


def test_a_new_file_under_the_same_guid_is_not_downloaded_again() -> None:
    later = replace(SECOND, enclosure=Enclosure(f"{SITE}/media/02-b.mp3", 121_000_000))
    changes = diff(GOOD, render(CHANNEL, (FIRST, later)))
    assert (changes.new_bytes, changes.repeated_bytes) == (0, 0)
    assert fields(changes) == [
        ("enclosure_url", f"{SITE}/media/02.mp3", f"{SITE}/media/02-b.mp3"),
        ("enclosure_length", "120000002", "121000000"),
    ]
    assert "most apps keep the file that they have" in changes.lines()[0]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"title": "Order in Production"}, ("title", "Chaos in Production", "Order in Production")),
        ({"description": "Other notes."}, ("description", "Notes of part 2.", "Other notes.")),
        ({"content": "<p>Notes</p>"}, ("content", None, "<p>Notes</p>")),
        ({"image": None}, ("image", f"{SITE}/covers/02.jpg", None)),
        ({"duration": 10_801}, ("duration", "10800", "10801")),
        ({"chapters": SECOND.chapters[:3]}, ("psc_chapters", "4", "3")),
        ({"published": dt.datetime(2024, 3, 9, 6, tzinfo=dt.UTC)}, ("published", "2024-03-08T06:00:00+00:00", "2024-03-09T06:00:00+00:00")),
    ],
)
def test_what_an_item_says_otherwise_is_told_field_by_field(change: dict[str, Any], expected: tuple[str, str | None, str | None]) -> None:
    assert fields(diff(GOOD, render(CHANNEL, (FIRST, replace(SECOND, **change))))) == [expected]


def test_what_the_channel_says_otherwise_is_told() -> None:
    moved = replace(CHANNEL, title="Distributed", feed_url=f"{SITE}/feeds/moved.xml", guid="9b024349-ccf0-5f69-a609-6b82873eab3c")
    changes = diff(GOOD, render(moved, (FIRST, SECOND)))
    assert [change.field for change in changes.channel] == ["title", "feed_url", "podcast_guid"]
    lines = changes.lines()
    assert lines[0] == "channel: title: Distributed Systems Podcast -> Distributed"
    assert "permanent redirect" in lines[1]
    assert "another podcast" in lines[2]


def test_long_values_are_cut_in_lines_and_whole_as_values() -> None:
    long = "word " * 100
    changes = diff(GOOD, render(CHANNEL, (FIRST, replace(SECOND, description=long))))
    assert all(len(line) < 250 for line in changes.lines())
    assert fields(changes)[0][2] == long.strip()


def test_the_same_as_json() -> None:
    changes = diff(GOOD, render(CHANNEL, (FIRST, ANEW, THIRD)))
    plain = json.loads(json.dumps(changes.as_json()))
    assert [one["guid"] for one in plain["added"]] == [THIRD.guid]
    assert plain["replaced"][0]["now"] == {"guid": ANEW.guid, "title": ANEW.title, "season": 1, "episode": 2, "bytes": 121_000_000}
    assert (plain["new_bytes"], plain["repeated_bytes"], plain["first"]) == (120_000_003, 121_000_000, False)


def test_a_value_that_is_gone_is_told_as_none() -> None:
    changes = diff(GOOD, render(CHANNEL, (FIRST, replace(SECOND, image=None))))
    assert changes.lines() == [f"changed: episode 2, 'Chaos in Production': image: {SITE}/covers/02.jpg -> none"]
    assert changes.as_json()["changed"][0]["changes"] == [{"field": "image", "was": f"{SITE}/covers/02.jpg", "now": None}]


def test_equal_feeds_give_equal_lines() -> None:
    assert diff(GOOD, render(CHANNEL, (THIRD, ANEW, FIRST))).lines() == diff(GOOD, render(CHANNEL, (FIRST, THIRD, ANEW))).lines()


def test_items_that_nobody_could_tell_apart_do_not_matter() -> None:
    feed = b'<rss version="2.0"><channel><item/><item/><item><title>a</title></item></channel></rss>'
    assert not diff(feed, feed)
    assert len(diff(None, feed).added) == 2


@pytest.mark.parametrize(("old", "new"), [(b"", GOOD), (GOOD, b"<rss>")])
def test_a_feed_that_cannot_be_read_is_told(old: bytes, new: bytes) -> None:
    with pytest.raises(FeedUnreadable):
        diff(old, new)
