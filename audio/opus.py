"""Opus in Ogg, with its chapters and tags as comments. The encoder makes the pages; the comments are put in here.

- Chapters as ``CHAPTER000=00:00:00.000`` and ``CHAPTER000NAME=...``, before everything else, and the cover last: there are readers that know
  nothing of pages, and the first page holds the chapters.
- The encoder's delay (pre-skip) stands in the first header, and the last page says after how many samples the sound ends: players start with its
  first sample and end with its last.
- No date and no random number: the same pages and the same sheet give the same bytes.

Standards followed: RFC 3533 (Ogg), RFC 7845 (Opus in it), Vorbis comments with the Chapter Extension of xiph.org, the picture block of RFC 9639.
"""

from __future__ import annotations

import base64
import re
import shutil
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from audio import ffmpeg, graph
from audio.chapters import Mark, ascii_url, clean, clock
from audio.errors import StreamBroken, TagError
from audio.tagsheet import TagSheet
from audio.units import Ms, Samples

FRAME = 960
"""Samples in one frame: 20 ms."""

_HEAD = struct.Struct("<4sBBqIII")
_HEAD_BYTES = 27
_MOST = 255
"""Lacing values in a page, and the bytes that one of them stands for at most."""
_CONTINUED, _LAST = 1, 4
_NOTHING_ENDS = -1
_FRONT_COVER = 3
_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


@dataclass(frozen=True, slots=True)
class Found:
    """What a file says: its comments, by name in capitals; how long it sounds; its chapters."""

    texts: dict[str, str]
    length: Samples
    chapters: tuple[tuple[Ms, str], ...]
    has_cover: bool


# -- pages --------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Page:
    """``ends`` is the granule position: which sample the last packet that ends here ends with; ``lacing`` says how its packets lie in ``body``."""

    flags: int
    ends: int
    serial: int
    number: int
    lacing: bytes
    body: bytes

    def written(self, number: int) -> bytes:
        """The page as bytes, with another number."""
        head = _HEAD.pack(b"OggS", 0, self.flags, self.ends, self.serial, number, 0)
        rest = bytes((len(self.lacing),)) + self.lacing + self.body
        return head[:22] + struct.pack("<I", _checksum(head + rest)) + rest


def _checksum(data: bytes) -> int:
    # Ogg's CRC is the usual one with the bits of each byte, and of the result, in the other order, and without the two inversions.
    mirrored = zlib.crc32(data.translate(_MIRRORED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int.from_bytes(mirrored.to_bytes(4, "little").translate(_MIRRORED), "big")


def _pages(file: IO[bytes]) -> Iterator[_Page]:
    """From where the file stands on. Raises StreamBroken."""
    while head := file.read(_HEAD_BYTES):
        if len(head) < _HEAD_BYTES or head[:5] != b"OggS\0":
            raise StreamBroken(f"no Ogg page where one was due: {head[:8].hex(' ')}")
        _, _, flags, ends, serial, number, _ = _HEAD.unpack(head[:26])
        lacing = file.read(head[26])
        body = file.read(sum(lacing))
        if len(body) < sum(lacing):
            raise StreamBroken("the last Ogg page breaks off")
        yield _Page(flags, ends, serial, number, lacing, body)


def _packed(packet: bytes, serial: int) -> list[_Page]:
    """A header packet in pages of its own, numbered from 1 on."""
    lacing = bytes((_MOST,)) * (len(packet) // _MOST) + bytes((len(packet) % _MOST,))
    pages = []
    for number, first in enumerate(range(0, len(lacing), _MOST)):
        last = first + _MOST >= len(lacing)
        body = packet[first * _MOST : (first + _MOST) * _MOST]
        pages.append(_Page(_CONTINUED * bool(first), 0 if last else _NOTHING_ENDS, serial, number + 1, lacing[first : first + _MOST], body))
    return pages


def _headers(file: IO[bytes]) -> tuple[_Page, bytes, int]:
    """The first page, the packet of comments, and how many pages that takes; the file then stands before the first page of sound."""
    pages = _pages(file)
    first = next(pages, None)
    if first is None or not first.body.startswith(b"OpusHead"):
        raise StreamBroken("not Opus in Ogg")
    packet, count = b"", 0
    for page in pages:
        packet += page.body
        count += 1
        if page.lacing[-1] < _MOST:
            break
    if not packet.startswith(b"OpusTags"):
        raise StreamBroken("Opus without its comments")
    return first, packet, count


def _length(file: IO[bytes], first: _Page) -> Samples:
    """How long it sounds. Raises StreamBroken when the last page is not the end."""
    size = file.seek(0, 2)
    # Two of the largest pages there are.
    file.seek(max(0, size - (1 << 17)))
    tail = file.read()
    at = tail.rfind(b"OggS\0")
    _, _, flags, ends, *_ = _HEAD.unpack(tail[at : at + _HEAD.size]) if at >= 0 else (b"", 0, 0, 0)
    if not flags & _LAST:
        raise StreamBroken("Opus without its end")
    return Samples(ends - int.from_bytes(first.body[10:12], "little"))


# -- writing ------------------------------------------------------------------------------------------------------------------------


def encode(pcm: Iterable[memoryview], channels: int, bitrate: int, path: Path) -> None:
    """Encode f32le at 48 kHz, as it comes, to a file without tags and chapters: what `finish` takes. ``bitrate`` in kb/s.

    Raises FfmpegFailed, StreamBroken, OSError, and whatever ``pcm`` raises; ``path`` is then not whole.
    """
    with path.open("w+b") as file:

        def take(block: bytes) -> None:
            file.write(block)

        taken = ffmpeg.through(graph.encode_opus(ffmpeg.find(), bitrate, channels), pcm, take)
        file.seek(0)
        first, _, _ = _headers(file)
        due, there = taken // (channels * graph.SAMPLE_BYTES), _length(file, first)
        if there != due:
            raise StreamBroken(f"the encoder gave {there} samples of Opus where {due} were due")


def finish(audio: Path, target: IO[bytes], sheet: TagSheet, listed: Sequence[Mark]) -> None:
    """Write the finished file: the pages of ``audio`` as `encode` made it, with other comments.

    Raises TagError for a sheet that does not fit, StreamBroken when ``audio`` is not what `encode` makes.
    """
    with audio.open("rb") as file:
        first, packet, count = _headers(file)
        start = file.tell()
        if (length := _length(file, first)) != sheet.duration:
            raise TagError(f"the sound is {length} samples long, the episode {sheet.duration}")
        file.seek(start)
        (vendor,) = struct.unpack_from("<I", packet, 8)
        comments = _packed(packet[: 12 + vendor] + _written(_comments(sheet, listed)), first.serial)
        target.write(first.written(0))
        for page in comments:
            target.write(page.written(page.number))
        if len(comments) == count:
            shutil.copyfileobj(file, target, 1 << 20)
        else:
            for page in _pages(file):
                target.write(page.written(page.number - count + len(comments)))


def _written(comments: Iterable[tuple[str, str]]) -> bytes:
    texts = [f"{name}={text}".encode() for name, text in comments]
    return struct.pack("<I", len(texts)) + b"".join(struct.pack("<I", len(text)) + text for text in texts)


def _comments(sheet: TagSheet, listed: Sequence[Mark]) -> Iterator[tuple[str, str]]:
    for number, mark in enumerate(listed):
        yield f"CHAPTER{number:03d}", clock(mark.start)
        yield f"CHAPTER{number:03d}NAME", mark.title
        if mark.link:
            yield f"CHAPTER{number:03d}URL", mark.link
    yield from ((name, text) for name, text in _texts(sheet) if text)
    if sheet.cover is not None:
        yield "METADATA_BLOCK_PICTURE", base64.b64encode(_picture(sheet.cover)).decode("ascii")


def _texts(sheet: TagSheet) -> Iterator[tuple[str, str]]:
    yield "TITLE", clean(sheet.title)
    yield "ARTIST", clean(sheet.artist)
    yield "ALBUM", clean(sheet.album)
    yield "ALBUMARTIST", clean(sheet.album_artist)
    yield "TRACKNUMBER", str(sheet.track)
    yield "TRACKTOTAL", str(sheet.track_total or "")
    yield "DISCNUMBER", str(sheet.season)
    yield "DATE", sheet.date.isoformat()
    yield "GENRE", clean(sheet.genre)
    yield "LANGUAGE", sheet.language
    yield "COMMENT", clean(sheet.comment, lines=True)
    yield "DESCRIPTION", clean(sheet.description, lines=True)
    yield "URL", ascii_url(sheet.link) if sheet.link else ""
    yield "COPYRIGHT", clean(sheet.copyright)
    yield "PUBLISHER", clean(sheet.publisher)
    yield "ENCODER", clean(sheet.encoder)
    yield "PODCAST", "1"
    yield "PODCASTURL", ascii_url(sheet.feed_url) if sheet.feed_url else ""
    yield "PODCASTID", clean(sheet.guid)
    yield "PODCASTCATEGORY", clean(sheet.category)
    yield "PODCASTKEYWORDS", ", ".join(filter(None, map(clean, sheet.keywords)))
    yield "SCRATCH", "1" if sheet.scratch else ""


def _picture(image: bytes) -> bytes:
    from audio.tags import image_mime

    mime = image_mime(image).encode("ascii")
    # No description; sides and colours are not told: the image says so itself.
    return struct.pack(">II", _FRONT_COVER, len(mime)) + mime + struct.pack(">6I", 0, 0, 0, 0, 0, len(image)) + image


# -- reading ------------------------------------------------------------------------------------------------------------------------


def read(path: Path) -> Found:
    """What a file says. Raises TagError when it is no Opus that can be read, OSError when it cannot be opened."""
    try:
        with path.open("rb") as file:
            first, packet, _ = _headers(file)
            length = _length(file, first)
        comments = list(_read_comments(packet))
        texts = {name: text for name, text in comments if not name.startswith(("CHAPTER", "METADATA_BLOCK_PICTURE"))}
        return Found(texts, length, tuple(_read_chapters(dict(comments))), any(name == "METADATA_BLOCK_PICTURE" for name, _ in comments))
    except (StreamBroken, LookupError, ValueError, struct.error) as error:
        raise TagError(f"{path}: not an Opus file that can be read: {error}") from error


def _read_comments(packet: bytes) -> Iterator[tuple[str, str]]:
    (vendor,) = struct.unpack_from("<I", packet, 8)
    (count,) = struct.unpack_from("<I", packet, 12 + vendor)
    at = 16 + vendor
    for _ in range(count):
        (size,) = struct.unpack_from("<I", packet, at)
        if at + 4 + size > len(packet):
            raise ValueError("the comments break off")
        name, _, text = packet[at + 4 : at + 4 + size].decode().partition("=")
        yield name.upper(), text
        at += 4 + size


def _read_chapters(comments: dict[str, str]) -> Iterator[tuple[Ms, str]]:
    for name, text in comments.items():
        if re.fullmatch(r"CHAPTER\d{3}", name):
            hours, minutes, seconds, thousandths = map(int, re.split("[:.]", text))
            yield Ms(((hours * 60 + minutes) * 60 + seconds) * 1000 + thousandths), comments.get(f"{name}NAME", "")
