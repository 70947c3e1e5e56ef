"""The nouns of the show: what the configs say, checked and frozen.

The annotations are the schema: they say what a file may hold, and `schema` makes pydantic models of them when there is a file to check. The
classes themselves are plain, so that a run whose configs have been checked before need not load pydantic: that would be a third of a run that finds
nothing to do. Times in the YAML are seconds or ``[h:]mm:ss[.fff]`` (``12:30`` is twelve minutes and a half) and are seconds (float) here; `audio`
turns them into samples. Nothing here opens a file.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

if TYPE_CHECKING:
    # For the annotations, which `schema` alone evaluates.
    from pydantic import Field, StringConstraints

    from production.kinds import ChainKind, Colour, Corner, Denoise, Inside, PublicFolder, Seconds, Size, Slug, Target, Text, Url


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A place in a text file: 1-based line and column; line 0 means the file as a whole."""

    path: Path
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}" if self.line else str(self.path)


KeyPath = tuple[str | int, ...]
"""Keys and list indices from the root of a file, as in ``("sections", 2, "file")``."""

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


# -- what an episode inherits: show -> series -> episode, key by key ----------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Loudness:
    """Where each section's level ends."""

    target: Annotated[Target, Field(description="integrated loudness in LUFS (BS.1770-4), or apple, spotify, ebu-r128")] = -16.0
    true_peak: Annotated[float, Field(ge=-20, le=0, description="ceiling in dBTP, held on the delivered file")] = -1.0
    max_gain: Annotated[float, Field(ge=0, le=60, description="no section is lifted by more than this, in dB")] = 40.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """The MP3. The rate is 48 kHz and constant: 24 ms frames are what makes positions exact."""

    bitrate: Annotated[Literal[64, 80, 96, 112, 128, 160, 192, 224, 256, 320], Field(description="kb/s, constant")] = 128
    channels: Literal["stereo", "mono"] = "stereo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Room between segments."""

    gap: Annotated[Seconds, Field(le=30, description="nominal silence before a section (or its sting)")] = 2.0
    grid: Annotated[Seconds, Field(le=60, description="sections start on multiples of this; 0 means the next frame (24 ms)")] = 3.0
    sting_lead: Annotated[Seconds, Field(le=10, description="silence between a sting and the section it announces")] = 0.5
    tail: Annotated[Seconds, Field(le=30, description="silence after the last segment")] = 1.0
    crossfade: Annotated[Seconds, Field(le=10, description="sections without a sting between them overlap by this; 0: they do not")] = 0.0
    room_tone: Annotated[bool, Field(description="gaps hold the tone of the sections' rooms where they offer one, instead of silence")] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Trim:
    """Silence cut from heads and tails of recordings."""

    enabled: bool = True
    air: Annotated[Seconds, Field(le=10, description="silence that always stays around the voice")] = 0.15


@dataclass(frozen=True, slots=True, kw_only=True)
class Fades:
    """Fades at the edges of each section. One that ends in the middle of a word fades in 5 ms, unless it says how long itself."""

    fade_in: Annotated[Seconds, Field(le=10)] = 0.002
    fade_out: Annotated[Seconds, Field(le=10)] = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Music:
    """Intro, outro and sting: `builtin` (synthesised by the project), `none`, or a file (relative to the project folder)."""

    intro: Text = "builtin"
    outro: Text = "builtin"
    sting: Text = "builtin"
    level: Annotated[float, Field(ge=-60, le=-5, description="LUFS of intro, outro and stings")] = -18.0
    sting_level: Annotated[float | None, Field(ge=-60, le=-5, description="LUFS of stings; as music.level if not said")] = None
    intro_under: Annotated[Seconds, Field(le=60, description="the intro goes on for this long under the first words, and fades")] = 0.0
    bed: Annotated[Text, Field(description="music under every section: a file (relative to the project folder) or none")] = "none"
    bed_level: Annotated[float, Field(ge=-60, le=-5, description="LUFS of beds where nobody speaks")] = -28.0
    over_bed: Annotated[float, Field(ge=6, le=40, description="speech is at least this many dB over what plays under it")] = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """The voice chain of every section. Sections may say each key themselves."""

    chain: Annotated[ChainKind, Field(description="voice: all of it; linear: repair and one gain; none: no sample is touched")] = "voice"
    repair: Annotated[bool, Field(description="DC and a dead channel")] = True
    high_pass: Annotated[Corner | None, Field(description="Hz; 0 for none; as the recording needs it if not said")] = None
    denoise: Annotated[Denoise, Field(description="ffmpeg: gentle, always there; deepfilter: the [denoise] extra")] = "off"
    gate: Annotated[float, Field(ge=0, le=60, description="dB by which a track is turned down while only others speak; 0: none")] = 20.0
    deess: Annotated[float, Field(ge=0, le=12, description="most dB that are taken from an s; 0: none")] = 6.0
    levelling: Annotated[float, Field(ge=0, le=12, description="most dB by which a speaker or a passage is moved; 0: none")] = 6.0
    compression: Annotated[float, Field(ge=1, le=4, description="ratio; 1: none")] = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Formats:
    """Files beside the MP3, made of the same samples, with the same chapters. 0: not made."""

    m4a: Annotated[Literal[0, 64, 80, 96, 112, 128, 160, 192], Field(description="AAC, kb/s")] = 0
    opus: Annotated[Literal[0, 24, 32, 48, 64, 80, 96, 128], Field(description="Opus, kb/s")] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapters:
    """What becomes of the markers inside recordings."""

    inside: Annotated[Inside, Field(description="report: they stand in report.json; list: they are chapters too, in every form")] = "report"


@dataclass(frozen=True, slots=True, kw_only=True)
class Artwork:
    """The cover: a square RGB file of 1400 px or more, or drawn from number, title and colour."""

    file: Text | None = None
    colour: Colour = "#1f4e79"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that show and series hand down and an episode may override."""

    loudness: Loudness = Loudness()
    encoding: Encoding = Encoding()
    layout: Layout = Layout()
    trim: Trim = Trim()
    fades: Fades = Fades()
    voice: Voice = Voice()
    music: Music = Music()
    formats: Formats = Formats()
    chapters: Chapters = Chapters()
    artwork: Artwork = Artwork()


# -- the documents -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Whom the directories may write to."""

    name: Text
    email: Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who is heard, or was at work; role and group are words of the podcast taxonomy."""

    name: Annotated[Text, Field(max_length=128)]
    role: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z ]*$", max_length=128)] = "host"
    group: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z ]*$", max_length=128)] = "cast"
    link: Url | None = None
    image: Annotated[Url | None, Field(description="the address of a picture")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Funding:
    """Where listeners can give money."""

    url: Url
    text: Annotated[Text, Field(max_length=128)]


@dataclass(frozen=True, slots=True, kw_only=True)
class License:
    """What may be done with the episodes: an SPDX identifier in lower case (cc-by-4.0), or a name and the address of its text."""

    name: Annotated[Text, Field(max_length=128)]
    url: Url | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Soundbite:
    """A passage of the finished episode that makes somebody want to hear the rest."""

    start: Seconds
    length: Annotated[Seconds, Field(ge=1, le=300)]
    title: Annotated[Text | None, Field(max_length=128)] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribe:
    """Where listeners find a feed in directories and apps, besides the feed itself; what is left out and can be made of the others is."""

    apple: Url | None = None
    spotify: Url | None = None
    overcast: Annotated[Url | None, Field(description="made of the number in apple's")] = None
    pocket_casts: Annotated[Url | None, Field(description="made of the number in apple's")] = None
    antennapod: Annotated[Url | None, Field(description="made of the feed's")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where files and feeds are published to. Who we are there, the environment and the standard files of each kind say, and never a config."""

    name: Slug
    kind: Literal["folder", "s3", "sftp", "webdav", "rsync"]
    path: Annotated[Text | None, Field(description="of the folder: relative to the project folder, or on the host")] = None
    host: Text | None = None
    user: Text | None = None
    port: Annotated[int | None, Field(ge=1, le=65535)] = None
    url: Annotated[Url | None, Field(description="webdav: of the folder")] = None
    bucket: Text | None = None
    prefix: Text | None = None
    endpoint: Annotated[Url | None, Field(description="s3: of another service than Amazon's")] = None
    region: Text | None = None
    public: Annotated[Url | None, Field(description="where listeners get what is here; if said, it is asked there as apps ask")] = None
    pages: Annotated[
        PublicFolder | None, Field(description="the folder here that the listener's pages are kept in, . for the root; none if not said")
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """What is kept under build/ so that the next build is quick."""

    limit: Annotated[Size, Field(description="more is removed at the end of a build, what was not used for longest first")] = 20_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Show:
    """configs/show.yaml."""

    title: Text
    slug: Slug
    description: Text
    author: Text
    owner: Owner
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[A-Za-z]{2,4})?$")] = "en"
    link: Annotated[Url, Field(description="the show's web site")]
    media_url: Annotated[Url, Field(description="the folder that files are published under: every address in a feed starts with it")]
    copyright: Text
    category: Text = "Technology"
    subcategory: Text | None = None
    explicit: bool = False
    persons: Annotated[tuple[Person, ...], Field(description="who is heard in every episode")] = ()
    funding: tuple[Funding, ...] = ()
    license: License | None = None
    hub: Annotated[Url | None, Field(description="the WebSub hub that is told when a feed has changed")] = None
    site: Annotated[Url | None, Field(description="the folder on the web that the listener's pages are put into")] = None
    subscribe: Subscribe = Subscribe()
    targets: Annotated[tuple[Place, ...], Field(description="where produce publish can send files and feeds")] = ()
    store: Store = Store()


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """configs/series/<slug>.yaml: one season of the show, with a feed of its own, and the settings that it hands down already filled in."""

    slug: Slug
    season: Annotated[int, Field(ge=1)]
    title: Text
    description: Text
    episodes: Annotated[str, StringConstraints(pattern=r"^\d+-\d+$"), Field(description="the numbers it holds, as 1-12")]
    link: Url | None = None
    subscribe: Annotated[Subscribe, Field(description="where the series stands by itself; the show's if nothing is said")] = Subscribe()
    settings: Settings = Settings()

    @property
    def numbers(self) -> range:
        first, last = map(int, self.episodes.split("-"))
        return range(first, last + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """One speaker's own recording of a section; the first track of a section is the clock of all of them."""

    file: Annotated[Text, Field(description="relative to the project folder")]
    name: Annotated[Text | None, Field(max_length=128, description="who speaks; as the file is called if not said")] = None
    gain: Annotated[float | None, Field(ge=-60, le=60, description="dB; replaces the measured gain of this track")] = None
    offset: Annotated[
        float | None,
        Field(ge=-86400, le=86400, allow_inf_nan=False, description="seconds of the first track at which this one begins; found if not said"),
    ] = None
    drift: Annotated[float | None, Field(ge=-1000, le=1000, description="millionths by which its clock is faster, with offset")] = None
    apart: Annotated[float | None, Field(ge=0, le=30, description="metres from its microphone to who is heard in it besides; 2 if not said")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A content part: one recording, or one for each speaker; one chapter."""

    slug: Slug
    title: Text
    part: FormatPart
    minutes: Annotated[float | None, Field(gt=0, le=600, description="planned length; chapters come from recordings, never from this")] = None
    summary: Text | None = None
    talking_points: tuple[Text, ...] = ()
    link: Annotated[Url | None, Field(description="what this chapter links to")] = None
    image: Annotated[Text | None, Field(description="chapter image, relative to the project folder")] = None
    file: Annotated[Text | None, Field(description="the recording, relative to the project folder")] = None
    tracks: Annotated[tuple[Track, ...], Field(max_length=16, description="a recording for each speaker, in the place of file")] = ()
    start: Annotated[Seconds, Field(alias="in", description="in point within the recording")] = 0.0
    end: Annotated[Seconds | None, Field(alias="out", description="out point within the recording")] = None
    cut: Annotated[
        tuple[tuple[Seconds, ...], ...], Field(max_length=1000, description="stretches that are left out, [from, to] within the recording")
    ] = ()
    markers: Annotated[
        Text | None, Field(description="of the recording: .txt, .csv, .json or .psc.xml, relative to the project folder; embedded or none")
    ] = None
    inside: Annotated[Inside | None, Field(description="overrides chapters.inside for the markers of this section")] = None
    transcript: Annotated[
        Text | None, Field(description="of the recording: .vtt, .srt or .json (Whisper's too), relative to the project folder; or none")
    ] = None
    speaker: Annotated[Text | None, Field(max_length=128, description="who speaks, where the transcript does not say")] = None
    sting: Annotated[Text | None, Field(description="overrides the episode's sting for this section: a file, builtin or none")] = None
    gap: Annotated[Seconds | None, Field(le=30, description="overrides layout.gap before this section")] = None
    trim: bool | None = None
    fade_in: Annotated[Seconds | None, Field(le=10)] = None
    fade_out: Annotated[Seconds | None, Field(le=10)] = None
    gain: Annotated[float | None, Field(ge=-60, le=60, description="dB; replaces the measured gain")] = None
    crossfade: Annotated[Seconds | None, Field(le=10, description="overrides layout.crossfade before this section")] = None
    chain: Annotated[ChainKind | None, Field(description="overrides voice.chain, and so on")] = None
    high_pass: Annotated[Corner | None, Field(description="Hz; 0 for none")] = None
    denoise: Denoise | None = None
    gate: Annotated[float | None, Field(ge=0, le=60)] = None
    deess: Annotated[float | None, Field(ge=0, le=12)] = None
    levelling: Annotated[float | None, Field(ge=0, le=12)] = None
    compression: Annotated[float | None, Field(ge=1, le=4)] = None
    bed: Annotated[Text | None, Field(description="overrides music.bed: a file or none")] = None
    bed_level: Annotated[float | None, Field(ge=-60, le=-5)] = None
    bed_from: Annotated[Seconds, Field(description="where the bed begins, from the start of the section as it sounds")] = 0.0
    bed_to: Annotated[Seconds | None, Field(description="where it ends")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """configs/episodes/episode-NN.yaml, with the settings it inherits already filled in."""

    id: Slug
    number: Annotated[int, Field(ge=1)]
    series: Slug
    title: Text
    summary: Text
    date: dt.date
    keywords: tuple[Text, ...] = ()
    link: Url | None = None
    explicit: bool | None = None
    notes: Annotated[
        Text | None, Field(description="show notes in Markdown: the text, or a file that ends in .md (relative to the project folder)")
    ] = None
    persons: Annotated[tuple[Person, ...], Field(description="who is heard besides the show's own: guests")] = ()
    soundbites: tuple[Soundbite, ...] = ()
    transcript: Annotated[
        Text | None, Field(description="of the finished episode: .vtt, .srt, .json, .html or .txt, relative to the project folder")
    ] = None
    minutes: Annotated[float | None, Field(gt=0, le=600, description="planned length of the whole")] = None
    sections: Annotated[tuple[Section, ...], Field(min_length=1, max_length=255)]
    settings: Settings = Settings()


@dataclass(frozen=True)
class Project:
    """A whole project folder, read and checked.

    ``locations`` says where the configs say what: by the id of an episode (or ``show``, or the slug of a series), and then by key path.
    """

    root: Path
    show: Show
    series: tuple[Series, ...]
    episodes: tuple[Episode, ...]
    locations: Mapping[str, Mapping[KeyPath, Location]]

    def episode(self, episode_id: str) -> Episode:
        return next(e for e in self.episodes if e.id == episode_id)

    def series_of(self, episode: Episode) -> Series:
        return next(s for s in self.series if s.slug == episode.series)

    def where(self, episode_id: str, *keys: str | int) -> Location | None:
        """Where the config says a key, or the nearest parent that it does say."""
        said = self.locations.get(episode_id, {})
        return next((said[keys[:depth]] for depth in range(len(keys), -1, -1) if keys[:depth] in said), None)
