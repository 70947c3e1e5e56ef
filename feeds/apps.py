"""What each app will show of an item: pure, and only what an app or its listeners say. Each has the source of what is said of it.

Apps change without saying so; a line here is a forecast, and worth a look at the app before it is trusted. Nothing documents where a title is cut on
a screen: `VISIBLE_CHARACTERS` is an assumption, two lines of a telephone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal

from feeds.reader import Seen, timestamps

Mark = tuple[int, str, bool]
"""A chapter: start in milliseconds, title, and whether it has an image."""
Form = Literal["the file", "JSON", "Simple Chapters", "the description"]
"""Where chapters stand: in the file itself, behind podcast:chapters, in the feed, or as times in the description's lines."""

VISIBLE_CHARACTERS: Final = 60
"""How much of a title is assumed to be seen in a list of episodes; guides to YouTube name 50 to 70, and no other app says."""
FEWEST_IN_DESCRIPTION: Final = 3
"""Apple, Spotify and YouTube take fewer times in a description for no chapters."""


@dataclass(frozen=True, slots=True)
class App:
    """What is known of an app. ``forms`` in the order of its preference, unless it takes the ``longest``; ``fewest`` chapters that it shows;
    ``shortest`` ms that a chapter of a description lasts; ``title`` characters that it keeps; ``bytes`` that it takes, None for no cap that is known.
    """

    name: str
    source: str
    forms: tuple[Form, ...]
    longest: bool = False
    fewest: int = 1
    shortest: int = 0
    images: bool = True
    title: int | None = None
    bytes: int | None = None
    remark: str = ""


APPS: Final[tuple[App, ...]] = (
    App(
        "Apple Podcasts",
        "https://podcasters.apple.com/support/5482-using-chapters-on-apple-podcasts",
        ("the file", "JSON", "the description"),
        # https://pacific-content.com/how-long-should-my-podcast-episode-titles-be-95136ffff82b/
        title=253,
        remark="which form it prefers is not documented; without any it makes chapters itself",
    ),
    App(
        "Spotify",
        "https://support.spotify.com/us/creators/article/creating-and-managing-chapters/",
        ("Simple Chapters", "the description"),
        fewest=3,
        images=False,
        # reported by many, and in no document of Spotify's that is public
        bytes=200_000_000,
    ),
    # of Overcast and Castro this is what listeners report: neither says where it takes chapters from
    App("Overcast", "https://overcast.fm/podcasterinfo", ("the file",)),
    App("Pocket Casts", "https://github.com/Automattic/pocket-casts-android/pull/2098", ("the file", "Simple Chapters", "JSON")),
    App(
        "AntennaPod",
        "https://github.com/AntennaPod/AntennaPod/pull/5630",
        ("Simple Chapters", "the file", "JSON"),
        longest=True,
        remark="starts of JSON are cut to whole seconds",
    ),
    App("Castro", "https://github.com/ttlequals0/MinusPod/issues/523", ("the file",)),
    App(
        "YouTube",
        "https://support.google.com/youtube/answer/13525207",
        ("the description",),
        shortest=10_000,
        images=False,
        # https://developers.google.com/youtube/v3/docs/videos
        title=100,
        remark="a still picture with the sound; a file that is replaced later is not fetched again",
    ),
    App("Podcast Index apps", "https://github.com/Podcastindex-org/podcast-namespace/blob/main/docs/tags/chapters.md", ("JSON", "the file")),
)
"""The order in which they are told."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What an app shows of an item. ``form`` is where it takes the chapters from, None when it shows none; ``title`` is what it keeps of it,
    ``visible`` what is assumed to be seen in a list.
    """

    app: App
    title: str
    visible: str
    form: Form | None
    chapters: int
    images: int
    remarks: tuple[str, ...]

    def line(self) -> str:
        """For people, one line."""
        chapters = f"{self.chapters} chapters from {self.form}" if self.form else "no chapters"
        images = f", {self.images} with an image" if self.images else ""
        remarks = "".join(f"; {one}" for one in self.remarks)
        return f"{self.app.name}: {self.visible!r}, {chapters}{images}{remarks}"


def shown(item: Seen, chapters: Sequence[Mark], size: int | None = None, *, embedded: bool = True) -> tuple[Shown, ...]:
    """What each app of `APPS` shows of an item.

    ``chapters`` is the list that the item's file holds (unless it is not ``embedded``) and that its podcast:chapters leads to, if it has one; how
    many stand in the feed and in the description is read there. ``size`` is that of the file in bytes; None: what the enclosure says.
    """
    return tuple(_shown(app, item, chapters, item.enclosure_length if size is None else size, embedded) for app in APPS)


def _shown(app: App, item: Seen, chapters: Sequence[Mark], size: int | None, embedded: bool) -> Shown:
    there = {form: starts for form, starts in _forms(item, chapters, embedded).items() if form in app.forms and _enough(app, form, starts)}
    order: list[Form] = [form for form in app.forms if form in there]
    if app.longest:
        # of equally long ones the first; AntennaPod joins them
        order.sort(key=lambda one: -len(there[one]))
    form = next(iter(order), None)
    images = sum(image for _, _, image in chapters) if app.images and form not in (None, "the description") else 0
    remarks = [app.remark] if app.remark else []
    if app.title is not None and len(item.title) > app.title:
        remarks.append(f"the title is cut after {app.title} characters")
    if app.bytes is not None and size is not None and size > app.bytes:
        remarks.append(f"the file of {size / 1e6:.1f} MB is likely refused: {app.bytes // 1_000_000} MB are the most")
    return Shown(
        app=app,
        title=item.title if app.title is None else item.title[: app.title],
        visible=_cut(item.title),
        form=form,
        chapters=0 if form is None else len(there[form]),
        images=images,
        remarks=tuple(remarks),
    )


def _forms(item: Seen, chapters: Sequence[Mark], embedded: bool) -> dict[Form, Sequence[int]]:
    """The starts of each form that has any. Of Simple Chapters only the number is known; it is the list's where both are equally long."""
    starts = [start for start, _, _ in chapters]
    forms: dict[Form, Sequence[int]] = {
        "the file": starts if embedded else (),
        "JSON": starts if item.chapters_url else (),
        "Simple Chapters": starts if item.psc_chapters == len(starts) else range(item.psc_chapters),
        # not of content:encoded: nobody documents that its times are read
        "the description": [start for start, _ in timestamps(item.description)],
    }
    return {form: found for form, found in forms.items() if found}


def _enough(app: App, form: Form, starts: Sequence[int]) -> bool:
    if form != "the description":
        return len(starts) >= app.fewest
    ascending = all(later - former >= max(app.shortest, 1) for former, later in pairwise(starts))
    return len(starts) >= max(app.fewest, FEWEST_IN_DESCRIPTION) and starts[0] == 0 and ascending


def _cut(title: str) -> str:
    return title if len(title) <= VISIBLE_CHARACTERS else f"{title[: VISIBLE_CHARACTERS - 1].rstrip()}…"
