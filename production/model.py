"""The nouns of the show: what the configs say, checked and frozen.

The classes are pydantic models because they are the schema too: unknown keys are refused, every error of a file comes at once, and an
editor's JSON Schema can be made from them. Times in the YAML are seconds or ``[h:]mm:ss[.fff]`` (``12:30`` is twelve minutes and a half) and are
seconds (float) here; `audio` turns them into samples. Nothing here opens a file.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A place in a text file: 1-based line and column; line 0 means the file as a whole."""

    path: Path
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}" if self.line else str(self.path)


def _web_address(text: str) -> str:
    if not text.startswith(("https://", "http://")) or any(c.isspace() for c in text) or len(text.split("/", 3)[2]) == 0:
        raise ValueError("is not a web address; it should start with https://")
    return text


Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
"""A time or a length in seconds."""
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)]
"""Lower-case words joined by hyphens: names of folders, files and chapter ids."""
Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Url = Annotated[str, AfterValidator(_web_address)]
Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9a-fA-F]{6}$")]

FormatPart = Literal[
    "cold-open",
    "first-principles",
    "mathematics",
    "implementation",
    "case-study",
    "failure-analysis",
    "exercises",
]
"""The seven parts of the episode format."""


class Frozen(BaseModel):
    """Every noun: immutable, hashable, and strict about unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


# -- what an episode inherits: show -> series -> episode, key by key ----------------------------------------------------------


class Loudness(Frozen):
    """Where each section's level ends."""

    target: float = Field(default=-16.0, ge=-40, le=-5, description="integrated loudness in LUFS (BS.1770-4)")
    true_peak: float = Field(default=-1.0, ge=-20, le=0, description="ceiling in dBTP, held on the delivered file")
    max_gain: float = Field(default=40.0, ge=0, le=60, description="no section is lifted by more than this, in dB")


class Encoding(Frozen):
    """The MP3. The rate is 48 kHz and constant: 24 ms frames are what makes positions exact."""

    bitrate: Literal[64, 80, 96, 112, 128, 160, 192, 224, 256, 320] = Field(default=128, description="kb/s, constant")
    channels: Literal["stereo", "mono"] = "stereo"


class Layout(Frozen):
    """Room between segments."""

    gap: Seconds = Field(default=2.0, le=30, description="nominal silence before a section (or its sting)")
    grid: Seconds = Field(default=3.0, le=60, description="sections start on multiples of this; 0 means the next frame (24 ms)")
    sting_lead: Seconds = Field(default=0.5, le=10, description="silence between a sting and the section it announces")
    tail: Seconds = Field(default=1.0, le=30, description="silence after the last segment")


class Trim(Frozen):
    """Silence cut from heads and tails of recordings."""

    enabled: bool = True
    air: Seconds = Field(default=0.15, le=10, description="silence that always stays around the voice")


class Fades(Frozen):
    """Fades at the edges of each section."""

    fade_in: Seconds = Field(default=0.002, le=10)
    fade_out: Seconds = Field(default=0.05, le=10)


class Music(Frozen):
    """Intro, outro and sting: `builtin` (synthesised by the project), `none`, or a file (relative to the project folder)."""

    intro: Text = "builtin"
    outro: Text = "builtin"
    sting: Text = "builtin"
    level: float = Field(default=-18.0, ge=-60, le=-5, description="LUFS of intro, outro and stings")


class Artwork(Frozen):
    """The cover: a square RGB file of 1400 px or more, or drawn from number, title and colour."""

    file: Text | None = None
    colour: Colour = "#1f4e79"


class Settings(Frozen):
    """Everything that show and series hand down and an episode may override."""

    loudness: Loudness = Loudness()
    encoding: Encoding = Encoding()
    layout: Layout = Layout()
    trim: Trim = Trim()
    fades: Fades = Fades()
    music: Music = Music()
    artwork: Artwork = Artwork()


# -- the documents -------------------------------------------------------------------------------------------------------------


class Owner(Frozen):
    name: Text
    email: Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]


class Show(Frozen):
    """configs/show.yaml."""

    title: Text
    slug: Slug
    description: Text
    author: Text
    owner: Owner
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[A-Za-z]{2,4})?$")] = "en"
    link: Url = Field(description="the show's web site")
    media_url: Url = Field(description="the folder that build/ is published under: enclosure addresses start with it")
    copyright: Text
    category: Text = "Technology"
    subcategory: Text | None = None
    explicit: bool = False


class Series(Frozen):
    """configs/series/<slug>.yaml: one season of the show, with a feed of its own."""

    slug: Slug
    season: int = Field(ge=1)
    title: Text
    description: Text
    episodes: Annotated[str, StringConstraints(pattern=r"^\d+-\d+$")] = Field(description="the numbers it holds, as 1-12")
    link: Url | None = None

    @property
    def numbers(self) -> range:
        first, last = map(int, self.episodes.split("-"))
        return range(first, last + 1)


class Section(Frozen):
    """A content part: one recording, one chapter."""

    slug: Slug
    title: Text
    part: FormatPart
    minutes: float | None = Field(default=None, gt=0, le=600, description="planned length; chapters come from recordings, never from this")
    summary: Text | None = None
    talking_points: tuple[Text, ...] = ()
    link: Url | None = Field(default=None, description="what this chapter links to")
    image: Text | None = Field(default=None, description="chapter image, relative to the project folder")
    file: Text | None = Field(default=None, description="the recording, relative to the project folder")
    start: Seconds = Field(default=0.0, alias="in", description="in point within the recording")
    end: Seconds | None = Field(default=None, alias="out", description="out point within the recording")
    sting: Text | None = Field(default=None, description="overrides the episode's sting for this section: a file, builtin or none")
    gap: Seconds | None = Field(default=None, le=30, description="overrides layout.gap before this section")
    trim: bool | None = None
    fade_in: Seconds | None = Field(default=None, le=10)
    fade_out: Seconds | None = Field(default=None, le=10)
    gain: float | None = Field(default=None, ge=-60, le=60, description="dB; replaces the measured gain")


class Episode(Frozen):
    """configs/episodes/episode-NN.yaml, with the settings it inherits already filled in."""

    id: Slug
    number: int = Field(ge=1)
    series: Slug
    title: Text
    summary: Text
    date: dt.date
    keywords: tuple[Text, ...] = ()
    link: Url | None = None
    explicit: bool | None = None
    minutes: float | None = Field(default=None, gt=0, le=600, description="planned length of the whole")
    sections: Annotated[tuple[Section, ...], Field(min_length=1, max_length=255)]
    settings: Settings = Settings()


@dataclass(frozen=True)
class Project:
    """A whole project folder, read and checked. ``locations`` maps an episode's id and a key path to where the config says it.

    A key path is a tuple as in ``("sections", 2, "file")``; a key the file does not hold is found at its nearest parent.
    """

    root: Path
    show: Show
    series: tuple[Series, ...]
    episodes: tuple[Episode, ...]
    locations: dict[tuple[str, tuple[str | int, ...]], Location]

    def episode(self, episode_id: str) -> Episode:
        return next(e for e in self.episodes if e.id == episode_id)

    def series_of(self, episode: Episode) -> Series:
        return next(s for s in self.series if s.slug == episode.series)

    def where(self, episode_id: str, *keys: str | int) -> Location | None:
        """Where the config says a key, or the nearest parent that it does say."""
        for depth in range(len(keys), -1, -1):
            found = self.locations.get((episode_id, keys[:depth]))
            if found:
                return found
        return None
