"""What apps are expected to show; each expectation is one line of what is known of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from feeds import reader
from feeds.apps import APPS, VISIBLE_CHARACTERS, Shown, shown
from tests.feeds.samples import GOOD, SECOND

ITEM = reader.items(reader.parse(GOOD))[0]
MARKS = [(one.start, one.title, index < 2) for index, one in enumerate(SECOND.chapters)]
LINES = "0:00 a\n10:00 b\n1:00:00 c\n2:00:00 d\n2:30:00 e"


def by_app(
    item: reader.Seen = ITEM, marks: list[tuple[int, str, bool]] = MARKS, size: int | None = None, *, embedded: bool = True
) -> dict[str, Shown]:
    return {one.app.name: one for one in shown(item, marks, size, embedded=embedded)}


def forms(found: dict[str, Shown]) -> dict[str, tuple[str | None, int]]:
    return {name: (one.form, one.chapters) for name, one in found.items()}


def test_where_each_app_takes_the_chapters_of_a_complete_item_from() -> None:
    assert forms(by_app()) == {
        "Apple Podcasts": ("the file", 4),
        "Spotify": ("Simple Chapters", 4),
        "Overcast": ("the file", 4),
        "Pocket Casts": ("the file", 4),
        "AntennaPod": ("Simple Chapters", 4),
        "Castro": ("the file", 4),
        "YouTube": (None, 0),
        "Podcast Index apps": ("JSON", 4),
    }


def test_without_chapters_in_the_file_some_apps_show_none() -> None:
    found = forms(by_app(embedded=False))
    assert found["Overcast"] == found["Castro"] == (None, 0)
    assert found["Apple Podcasts"] == ("JSON", 4)
    assert found["Pocket Casts"] == ("Simple Chapters", 4)


def test_times_in_the_description_are_what_youtube_takes() -> None:
    found = forms(by_app(replace(ITEM, description=LINES, psc_chapters=0, chapters_url=None), embedded=False))
    assert found["YouTube"] == found["Spotify"] == found["Apple Podcasts"] == ("the description", 5)
    assert found["AntennaPod"] == found["Podcast Index apps"] == (None, 0)


@pytest.mark.parametrize("lines", ["0:00 a\n9:00 b", "0:01 a\n9:00 b\n12:00 c", "0:00 a\n9:00 b\n8:00 c", "0:00 a\n0:05 b\n8:00 c"])
def test_times_that_youtube_does_not_take(lines: str) -> None:
    assert by_app(replace(ITEM, description=lines))["YouTube"].form is None


def test_antennapod_takes_the_longest_list() -> None:
    assert forms(by_app(replace(ITEM, psc_chapters=3)))["AntennaPod"] == ("the file", 4)
    assert forms(by_app(replace(ITEM, psc_chapters=9)))["AntennaPod"] == ("Simple Chapters", 9)


def test_spotify_shows_no_fewer_than_three() -> None:
    assert forms(by_app(replace(ITEM, psc_chapters=2)))["Spotify"] == (None, 0)


def test_images_show_where_an_app_shows_any() -> None:
    images = {name: one.images for name, one in by_app().items()}
    assert images == {
        "Apple Podcasts": 2,
        "Spotify": 0,
        "Overcast": 2,
        "Pocket Casts": 2,
        "AntennaPod": 2,
        "Castro": 2,
        "YouTube": 0,
        "Podcast Index apps": 2,
    }


def test_titles_are_cut_where_an_app_cuts_them() -> None:
    found = by_app(replace(ITEM, title="word " * 60))
    assert len(found["YouTube"].title) == 100
    assert len(found["Apple Podcasts"].title) == 253
    assert found["Overcast"].title == "word " * 60
    assert all(len(one.visible) <= VISIBLE_CHARACTERS and one.visible.endswith("…") for one in found.values())
    assert "the title is cut after 100 characters" in found["YouTube"].remarks
    assert by_app()["YouTube"].visible == ITEM.title


def test_a_file_that_is_too_large_is_remarked() -> None:
    assert any("likely refused" in one for one in by_app(size=200_000_001)["Spotify"].remarks)
    assert not any("refused" in one for name in ("Spotify", "Overcast") for one in by_app(size=172_800_000)[name].remarks)
    assert any("likely refused" in one for one in by_app(replace(ITEM, enclosure_length=300_000_000))["Spotify"].remarks)


def test_each_app_is_one_line_with_a_source() -> None:
    assert all(app.source.startswith("https://") for app in APPS)
    assert by_app()["Overcast"].line() == "Overcast: 'Chaos in Production', 4 chapters from the file, 2 with an image"
    assert by_app(embedded=False)["Castro"].line() == "Castro: 'Chaos in Production', no chapters"


def test_an_item_that_says_nothing_is_shown_as_nothing() -> None:
    (bare,) = reader.items(reader.parse(b'<rss version="2.0"><channel><item/></channel></rss>'))
    assert {one.form for one in shown(bare, [])} == {None}
