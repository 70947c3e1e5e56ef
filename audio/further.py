"""Deliverables beside the MP3, of the same samples: M4A (AAC) and Opus.

In two steps, so that another title encodes nothing: `encode` makes the sound, without a word in it, once for each sound; `finish` copies it and
says what the episode is called and where its chapters start. The list of chapters is the MP3's: as many, the same titles, the same milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal

from audio import ffmpeg, graph, m4a, opus
from audio.chapters import Mark, clean, clock, marks
from audio.errors import FfmpegMissing, TagError
from audio.tagsheet import TagSheet
from audio.units import Ms, Samples, ms

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

Kind = Literal["m4a", "opus"]
SUFFIXES: dict[Kind, str] = {"m4a": ".m4a", "opus": ".opus"}
BITRATES: dict[Kind, tuple[int, int]] = {"m4a": (64, 96), "opus": (40, 64)}
"""What is asked for in kb/s unless somebody says otherwise, for one channel and for two.

ffmpeg's AAC encoder needs its 96: at 80 it loses much of what lies above 6 kHz. At 128 it has about as little noise as LAME at 128.
"""
_ENCODERS: dict[Kind, str] = {"m4a": "aac", "opus": "libopus"}
FRAMES: dict[Kind, int] = {"m4a": m4a.FRAME, "opus": opus.FRAME}
"""Samples in one frame of the codec."""
SOUND_RECIPE = 1
"""Raised when the same samples give another sound. The keys of sounds hold this, the kind, channels, bitrate and the encoder's build."""
RECIPE = 1
"""Raised when the same sound and the same sheet give another file."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a file says of itself. Compare with `expected`.

    ``lists`` are the lists of chapters that it holds, start and title of each: an M4A has two, the QuickTime track and the Nero list.
    """

    title: str
    artist: str
    album: str
    guid: str
    length: Samples
    lists: tuple[tuple[tuple[Ms, str], ...], ...]
    has_cover: bool
    scratch: bool


def check(kind: Kind) -> None:
    """Raises FfmpegMissing when this ffmpeg cannot make it."""
    binary, name = ffmpeg.find(), _ENCODERS[kind]
    said = ffmpeg.capture(graph.about_encoder(binary, name)).decode("utf-8", "replace")
    if f"Encoder {name}" not in said:
        raise FfmpegMissing(f"{binary} was built without {name} and cannot make {SUFFIXES[kind]}; name another in $FFMPEG_BINARY, or unset it")


def encode(kind: Kind, blocks: Iterable[Floats], channels: int, bitrate: int, path: Path) -> None:
    """Encode a programme to ``path``: bare sound, which players play; ``bitrate`` in kb/s.

    ``blocks`` have the shape (n, channels) and are handed to one encoder as they come. The same samples give the same bytes. Raises FfmpegFailed,
    StreamBroken, OSError, Cancelled, and whatever ``blocks`` raises: what is at ``path`` is then not whole.
    """
    (m4a if kind == "m4a" else opus).encode(_raw(blocks, channels), channels, bitrate, path)


def _raw(blocks: Iterable[Floats], channels: int) -> Iterator[memoryview]:
    import numpy as np

    for block in blocks:
        if block.shape[1:] != (channels,):
            raise ValueError(f"a block of the shape {block.shape} for {channels} channels")
        if len(block):
            yield np.ascontiguousarray(block, dtype="<f4").data.cast("B")


def finish(kind: Kind, audio: Path, target: IO[bytes], sheet: TagSheet) -> None:
    """Write the finished file to ``target``: the sound at ``audio``, which `encode` made, with the sheet's tags, cover and chapters.

    Nothing is encoded, and the same sound and sheet give the same bytes. Raises TagError for a sheet that cannot be written or is not this sound's,
    StreamBroken when the sound is damaged, OSError.
    """
    (m4a if kind == "m4a" else opus).finish(audio, target, sheet, _listed(sheet))


def _listed(sheet: TagSheet) -> tuple[Mark, ...]:
    if not clean(sheet.title):
        raise TagError("the episode has no title")
    listed = marks(sheet.chapters)
    if listed and listed[-1].end != ms(sheet.duration):
        raise TagError(f"the last chapter ends at {clock(listed[-1].end)}, the episode at {clock(ms(sheet.duration))}")
    return listed


def expected(kind: Kind, sheet: TagSheet) -> Told:
    """What `read_back` must find in a file that was finished with this sheet. Raises TagError as `finish` does."""
    whole = tuple((mark.start, mark.title) for mark in _listed(sheet))
    short = tuple((start, m4a.cut(title, m4a.NERO_BYTES)) for start, title in whole)
    return Told(
        title=clean(sheet.title),
        artist=clean(sheet.artist),
        album=clean(sheet.album),
        guid=clean(sheet.guid),
        length=sheet.duration,
        lists=(whole, short) if kind == "m4a" else (whole,),
        has_cover=sheet.cover is not None,
        scratch=sheet.scratch,
    )


def read_back(kind: Kind, path: Path) -> Told:
    """What a finished file says. Raises TagError when it cannot be read, OSError when it cannot be opened."""
    if kind == "m4a":
        held = m4a.read(path)
        names, texts, lists = ("©nam", "©ART", "©alb", "egid"), held.texts, (held.track, held.nero)
        return _told(names, texts, held.length, lists, held.has_cover)
    found = opus.read(path)
    return _told(("TITLE", "ARTIST", "ALBUM", "PODCASTID"), found.texts, found.length, (found.chapters,), found.has_cover)


def _told(
    names: tuple[str, str, str, str], texts: dict[str, str], length: Samples, lists: tuple[tuple[tuple[Ms, str], ...], ...], has_cover: bool
) -> Told:
    title, artist, album, guid = (texts.get(name, "") for name in names)
    return Told(title, artist, album, guid, length, lists, has_cover, texts.get("SCRATCH") == "1")
