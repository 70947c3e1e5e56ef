"""AAC-LC in an MP4 file, with its chapters in both forms that players look for, and its tags. The encoder makes frames; the file is made here.

- A QuickTime chapter track (a text track that the audio refers to) for Apple's players and everything built on ffmpeg; a Nero list (``chpl``)
  for players that know no tracks. A title in the Nero list takes at most 127 bytes, because some readers take its length for a signed byte and
  lose the list from there on; it is cut between two characters, and the track has all of it.
  Links and images of chapters have no place in either.
- Everything that describes the sound stands before it, so that a player may begin before the file is there.
- The encoder is late by one frame (1024 samples), and its last frame is filled up. An edit list says so, in samples: the film's clock ticks at
  48 kHz, and the sound starts at its first sample and ends after its last. It holds 24 hours.
- No date and no random number: the same frames and the same sheet give the same bytes.

Standards followed: ISO/IEC 14496-12 (the boxes), -14 (AAC in them), -3 (ADTS, AudioSpecificConfig); QuickTime File Format for the chapter
track, laid out as ffmpeg lays it out; iTunes' metadata list.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import IO, TYPE_CHECKING

from audio import ffmpeg, graph
from audio.chapters import Mark, ascii_url, clean
from audio.errors import StreamBroken, TagError
from audio.tagsheet import TagSheet
from audio.units import RATE, Ms, Samples

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Sizes = NDArray[np.uint32]

FRAME = 1024
"""Samples in one frame of AAC-LC."""
PRIMING = 1024
"""Samples that the encoder is late by."""
NERO_BYTES = 127
"""How long a title may be in the Nero list."""

_SHORT_DESCRIPTION_BYTES = 255
_CHUNK = 47
"""Frames of which the file says where they stand: about a second."""
_LONGEST = 2**32 - 1
_FTYP = struct.pack(">I4s4sI4s4s4s", 28, b"ftyp", b"M4A ", 0x200, b"M4A ", b"isom", b"iso2")
_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_UTF8 = struct.pack(">I4sI", 12, b"encd", 0x100)
"""Stands after the title in a sample of the chapter track: how it is encoded."""


@dataclass(frozen=True, slots=True)
class Track:
    """What is known of the encoded sound: the bytes of each frame, the channels, and how many samples sound."""

    sizes: Sizes
    channels: int
    length: Samples


@dataclass(frozen=True, slots=True)
class Found:
    """What a file says. ``texts`` by the name of their box, free ones by their own; ``track`` and ``nero`` are its two lists of chapters."""

    texts: dict[str, str]
    length: Samples
    track: tuple[tuple[Ms, str], ...]
    nero: tuple[tuple[Ms, str], ...]
    has_cover: bool


# -- encoding -----------------------------------------------------------------------------------------------------------------------


class _Frames:
    """Takes what the encoder gives as it comes, ADTS, and writes the bare frames to ``file``; keeps how long each is."""

    def __init__(self, file: IO[bytes], channels: int) -> None:
        self.sizes = array("I")
        self._file = file
        self._rest = b""
        # MPEG-4, no checksum; AAC-LC at 48 kHz with so many channels
        self._fixed = bytes((0xFF, 0xF1, 0x4C, channels << 6))

    def take(self, block: bytes) -> None:
        data = self._rest + block
        at, frames = 0, []
        while len(data) - at >= 7:
            if data[at : at + 3] != self._fixed[:3] or data[at + 3] & 0xC0 != self._fixed[3] or data[at + 6] & 3:
                raise StreamBroken(f"AAC frame {len(self.sizes)}: header {data[at : at + 7].hex(' ')}")
            end = at + ((data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5)
            if end > len(data):
                break
            frames.append(data[at + 7 : end])
            self.sizes.append(end - at - 7)
            at = end
        self._file.write(b"".join(frames))
        self._rest = data[at:]

    def track(self, channels: int, length: Samples) -> Track:
        import numpy as np

        wanted = -(-length // FRAME) + PRIMING // FRAME
        # Another count: an encoder with another delay, or one that lost something.
        if self._rest or len(self.sizes) != wanted:
            raise StreamBroken(f"the encoder gave {len(self.sizes)} AAC frames and {len(self._rest)} bytes where {wanted} frames were due")
        return Track(np.frombuffer(self.sizes, dtype=np.uint32), channels, length)


def encode(pcm: Iterable[memoryview], channels: int, bitrate: int, path: Path) -> None:
    """Encode f32le at 48 kHz, as it comes, to a file without tags and chapters: what `finish` takes. ``bitrate`` in kb/s.

    Raises FfmpegFailed, StreamBroken, OSError, and whatever ``pcm`` raises; ``path`` is then not whole.
    """
    with path.open("wb") as file:
        file.write(_FTYP + bytes(16))
        frames = _Frames(file, channels)
        taken = ffmpeg.through(graph.encode_aac(ffmpeg.find(), bitrate, channels), pcm, frames.take)
        track = frames.track(channels, Samples(taken // (channels * graph.SAMPLE_BYTES)))
        file.write(_moov(track, len(_FTYP) + 16))
        file.seek(len(_FTYP))
        # Its length is only known now, so that it has room for any.
        file.write(struct.pack(">I4sQ", 1, b"mdat", 16 + int(track.sizes.sum(dtype="u8"))))


def finish(audio: Path, target: IO[bytes], sheet: TagSheet, listed: Sequence[Mark]) -> None:
    """Write the finished file: the frames of ``audio`` as `encode` made it, described anew.

    Raises TagError for a sheet that does not fit, StreamBroken when ``audio`` is not what `encode` makes.
    """
    with audio.open("rb") as file:
        track, start = _read_track(file)
        if track.length != sheet.duration:
            raise TagError(f"the sound is {track.length} samples long, the episode {sheet.duration}")
        user = _user(sheet, listed)
        titles = b"".join(map(_sample, listed))
        size = 8 + len(titles) + int(track.sizes.sum(dtype="u8"))
        # How long it is does not depend on what it says.
        at = len(_FTYP) + len(_moov(track, 0, sheet.language, listed, user)) + 8
        if at + size > _LONGEST:
            raise TagError(f"the M4A would be {at + size} bytes long; it holds at most {_LONGEST}: lower its bitrate")
        target.write(_FTYP)
        target.write(_moov(track, at, sheet.language, listed, user))
        target.write(struct.pack(">I4s", size, b"mdat") + titles)
        file.seek(start)
        _copy(file, target, size - 8 - len(titles))


def _copy(file: IO[bytes], target: IO[bytes], size: int) -> None:
    while piece := file.read(min(size, 1 << 20)):
        target.write(piece)
        size -= len(piece)
    if size:
        raise StreamBroken(f"{size} bytes of the sound are missing")


# -- boxes --------------------------------------------------------------------------------------------------------------------------


def _box(name: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), name) + body


def _full(name: bytes, *parts: bytes, version: int = 0, flags: int = 0) -> bytes:
    return _box(name, struct.pack(">I", version << 24 | flags), *parts)


def _table(name: bytes, *entries: tuple[int, ...]) -> bytes:
    return _full(name, struct.pack(">I", len(entries)), *(struct.pack(f">{len(entry)}I", *entry) for entry in entries))


def _moov(track: Track, at: int, language: str = "und", listed: Sequence[Mark] = (), user: bytes = b"") -> bytes:
    """The description of all; ``at`` is where in the file the titles of the chapters stand, and the frames after them."""
    if PRIMING + track.length > _LONGEST:
        raise TagError("an M4A holds at most 24 hours")
    tracks = [_audio_track(track, at + sum(len(_sample(mark)) for mark in listed), language, chaptered=bool(listed))]
    if listed:
        tracks.append(_text_track(track, at, language, listed))
    header = struct.pack(">IIIIIH10x36s24xI", 0, 0, RATE, track.length, 0x10000, 0x100, _MATRIX, len(tracks) + 1)
    return _box(b"moov", _full(b"mvhd", header), *tracks, user)


def _track(number: int, track: Track, skip: int, *parts: bytes, sounds: bool) -> bytes:
    """A track of the film's length whose first ``skip`` units are left out. What does not sound is not enabled: it is only referred to."""
    head = struct.pack(">III4xI8xHHH2x36s8x", 0, 0, number, track.length, 0, int(sounds), 0x100 * sounds, _MATRIX)
    edit = _table(b"elst", (track.length, skip, 0x10000))
    return _box(b"trak", _full(b"tkhd", head, flags=3 if sounds else 2), _box(b"edts", edit), *parts)


def _media(scale: int, length: int, language: str, kind: bytes, name: bytes, about: bytes, samples: bytes) -> bytes:
    packed = sum((ord(letter) - 0x60) << shift for letter, shift in zip(language, (10, 5, 0), strict=True))
    here = _full(b"dref", struct.pack(">I", 1), _full(b"url ", flags=1))
    return _box(
        b"mdia",
        _full(b"mdhd", struct.pack(">IIIIHH", 0, 0, scale, length, packed, 0)),
        _full(b"hdlr", struct.pack(">I4s12x", 0, kind), name + b"\0"),
        _box(b"minf", about, _box(b"dinf", here), samples),
    )


def _audio_track(track: Track, at: int, language: str, *, chaptered: bool) -> bytes:
    count = len(track.sizes)
    whole, rest = divmod(count, _CHUNK)
    runs = [(1, _CHUNK, 1)] * bool(whole) + [(whole + 1, rest, 1)] * bool(rest)
    samples = _box(
        b"stbl",
        _full(b"stsd", struct.pack(">I", 1), _aac(track)),
        _table(b"stts", *_durations(track)),
        _table(b"stsc", *runs),
        _full(b"stsz", struct.pack(">II", 0, count), track.sizes.astype(">u4").tobytes()),
        _offsets(track, at),
        # A frame needs the one before it to sound as it should.
        _full(b"sgpd", struct.pack(">4sIIh", b"roll", 2, 1, -1), version=1),
        _full(b"sbgp", struct.pack(">4sIII", b"roll", 1, count, 1)),
    )
    refers = [_box(b"tref", _box(b"chap", struct.pack(">I", 2)))] * chaptered
    media = _media(RATE, PRIMING + track.length, language, b"soun", b"SoundHandler", _full(b"smhd", bytes(4)), samples)
    return _track(1, track, PRIMING, *refers, media, sounds=True)


def _durations(track: Track) -> Iterator[tuple[int, int]]:
    """Runs of frames and how long each lasts: the last one only as long as it is heard, for players that know no edit lists."""
    last = PRIMING + track.length - (len(track.sizes) - 1) * FRAME
    yield len(track.sizes) - 1, FRAME
    yield 1, last


def _offsets(track: Track, at: int) -> bytes:
    import numpy as np

    starts = np.concatenate(([0], np.cumsum(track.sizes, dtype="u8")))[: len(track.sizes) : _CHUNK] + np.uint64(at)
    # Over 4 GiB they would be wrong; `finish` says so, and what is bare is only ever read by it.
    return _full(b"stco", struct.pack(">I", len(starts)), starts.astype(">u4").tobytes())


def _aac(track: Track) -> bytes:
    import numpy as np

    ends = np.concatenate(([0], np.cumsum(track.sizes, dtype="u8")))
    second = min(_CHUNK, len(track.sizes))
    most = int((ends[second:] - ends[:-second]).max(initial=0)) * 8 * RATE // (FRAME * max(1, second))
    mean = int(ends[-1]) * 8 * RATE // (FRAME * max(1, len(track.sizes)))
    # AAC-LC at 48 kHz; and, for those who ask, no SBR on top of it.
    config = struct.pack(">HHB", 2 << 11 | 3 << 7 | track.channels << 3, 0x56E5, 0)
    decoder = struct.pack(">BBHBII", 0x40, 0x15, 0, 0, most, mean) + _descriptor(5, config)
    stream = struct.pack(">HB", 1, 0) + _descriptor(4, decoder) + _descriptor(6, b"\2")
    entry = struct.pack(">6xH8xHHHHI", 1, track.channels, 16, 0, 0, RATE << 16)
    return _box(b"mp4a", entry, _full(b"esds", _descriptor(3, stream)))


def _descriptor(tag: int, body: bytes) -> bytes:
    return struct.pack(">B4B", tag, 0x80, 0x80, 0x80, len(body)) + body


def _sample(mark: Mark) -> bytes:
    """A chapter's title as a sample of the chapter track."""
    title = cut(mark.title, 0xFFFF).encode()
    return struct.pack(">H", len(title)) + title + _UTF8


def _text_track(track: Track, at: int, language: str, listed: Sequence[Mark]) -> bytes:
    lengths = [mark.end - mark.start for mark in listed]
    sizes = b"".join(struct.pack(">I", len(_sample(mark))) for mark in listed)
    # Never drawn: where it would be, and in which type.
    look = struct.pack(">6xH", 1) + bytes((0, 0, 0, 1)) + bytes(18) + struct.pack(">H", 1) + bytes(6) + _box(b"ftab", struct.pack(">HHB", 1, 1, 0))
    samples = _box(
        b"stbl",
        _full(b"stsd", struct.pack(">I", 1), _box(b"text", look)),
        _table(b"stts", *((len(list(run)), length) for length, run in groupby(lengths))),
        _table(b"stsc", (1, len(listed), 1)),
        _full(b"stsz", struct.pack(">II", 0, len(listed)), sizes),
        _table(b"stco", (at,)),
    )
    about = _box(b"gmhd", _full(b"gmin", struct.pack(">6H", 0x40, 0x8000, 0x8000, 0x8000, 0, 0)), _box(b"text", _MATRIX))
    media = _media(1000, sum(lengths), language, b"text", b"ChapterHandler", about, samples)
    return _track(2, track, 0, media, sounds=False)


def _user(sheet: TagSheet, listed: Sequence[Mark]) -> bytes:
    parts = [_box(b"meta", struct.pack(">I", 0), _full(b"hdlr", struct.pack(">I4s4s9x", 0, b"mdir", b"appl")), _box(b"ilst", *_items(sheet)))]
    if listed:
        starts = (struct.pack(">Q", mark.start * 10_000) + _short(mark.title, NERO_BYTES) for mark in listed)
        parts.append(_full(b"chpl", struct.pack(">IB", 0, len(listed)), *starts, version=1))
    return _box(b"udta", *parts)


def _short(title: str, most: int) -> bytes:
    text = cut(title, most).encode()
    return bytes((len(text),)) + text


def cut(text: str, most: int) -> str:
    """A text that is too long, up to ``most`` bytes of UTF-8, with an ellipsis at its end; never within a character."""
    if len(text.encode()) <= most:
        return text
    return text.encode()[: most - 3].decode(errors="ignore").rstrip() + "…"


# -- iTunes' metadata list ----------------------------------------------------------------------------------------------------------

_TEXT, _JPEG, _PNG, _NUMBER = 1, 13, 14, 21
_PODCAST = 21
"""The kind of media, in the one byte that iTunes keeps it in."""


def _item(name: bytes, kind: int, value: bytes) -> bytes:
    return _box(name, _full(b"data", bytes(4), value, flags=kind))


def _items(sheet: TagSheet) -> Iterator[bytes]:
    for kind, text in _texts(sheet):
        if text:
            yield _item(kind.encode("latin-1"), _TEXT, text.encode())
    yield _item(b"trkn", 0, struct.pack(">4H", 0, sheet.track, sheet.track_total or 0, 0))
    yield _item(b"disk", 0, struct.pack(">3H", 0, sheet.season, 0))
    yield _item(b"pcst", _NUMBER, b"\1")
    yield _item(b"stik", _NUMBER, bytes((_PODCAST,)))
    if sheet.scratch:
        mean, name = _full(b"mean", b"com.apple.iTunes"), _full(b"name", b"SCRATCH")
        yield _box(b"----", mean, name, _full(b"data", bytes(4), b"1", flags=_TEXT))
    if sheet.cover is not None:
        from audio.tags import image_mime

        yield _item(b"covr", _PNG if image_mime(sheet.cover) == "image/png" else _JPEG, sheet.cover)


def _texts(sheet: TagSheet) -> Iterator[tuple[str, str]]:
    yield "©nam", clean(sheet.title)
    yield "©ART", clean(sheet.artist)
    yield "aART", clean(sheet.album_artist)
    yield "©alb", clean(sheet.album)
    yield "©day", sheet.date.isoformat()
    yield "©gen", clean(sheet.genre)
    yield "©cmt", clean(sheet.comment, lines=True)
    description = clean(sheet.description, lines=True)
    yield "desc", cut(description, _SHORT_DESCRIPTION_BYTES)
    yield "ldes", description
    yield "©url", ascii_url(sheet.link) if sheet.link else ""
    yield "purl", ascii_url(sheet.feed_url) if sheet.feed_url else ""
    yield "egid", clean(sheet.guid)
    yield "catg", clean(sheet.category)
    yield "keyw", ", ".join(filter(None, map(clean, sheet.keywords)))
    yield "cprt", clean(sheet.copyright)
    yield "©pub", clean(sheet.publisher)
    yield "©too", clean(sheet.encoder)


# -- reading ------------------------------------------------------------------------------------------------------------------------


def read(path: Path) -> Found:
    """What a file says. Raises TagError when it is no M4A of ours, OSError when it cannot be opened."""
    with path.open("rb") as file:
        try:
            return _read(file)
        except (LookupError, ValueError, struct.error) as error:
            raise TagError(f"{path}: not an M4A that can be read: {error}") from error


def _read(file: IO[bytes]) -> Found:
    moov, _ = _moov_and_data(file)
    tracks = [body for name, body in _inside(moov) if name == b"trak"]
    (sound,) = (body for body in tracks if _find(body, b"mdia", b"hdlr")[8:12] == b"soun")
    (length,) = struct.unpack_from(">I", _find(sound, b"edts", b"elst"), 8)
    user = dict(_inside(_find(moov, b"udta")))
    items = dict(_inside(_find(user[b"meta"][4:], b"ilst")))
    texts = {name.decode("latin-1"): _find(body, b"data")[8:].decode() for name, body in items.items() if _is_text(name, body)}
    if b"----" in items:
        free = items[b"----"]
        texts[_find(free, b"name")[4:].decode()] = _find(free, b"data")[8:].decode()
    return Found(texts, Samples(length), tuple(_read_track_chapters(file, sound, tracks)), tuple(_read_nero(user)), b"covr" in items)


def _is_text(name: bytes, body: bytes) -> bool:
    return name != b"----" and _find(body, b"data")[:4] == struct.pack(">I", _TEXT)


def _read_track_chapters(file: IO[bytes], sound: bytes, tracks: Sequence[bytes]) -> Iterator[tuple[Ms, str]]:
    refers = dict(_inside(sound)).get(b"tref")
    if refers is None:
        return
    (number,) = struct.unpack(">I", _find(refers, b"chap"))
    (text,) = (body for body in tracks if struct.unpack_from(">I", _find(body, b"tkhd"), 12) == (number,))
    (scale,) = struct.unpack_from(">I", _find(text, b"mdia", b"mdhd"), 12)
    table = dict(_inside(_find(text, b"mdia", b"minf", b"stbl")))
    sizes = _numbers(table[b"stsz"][12:], 1)
    if _numbers(table[b"stsc"][8:], 3) != [(1, len(sizes), 1)]:
        raise ValueError("the chapters' titles do not stand together")
    file.seek(struct.unpack_from(">I", table[b"stco"], 8)[0])
    at = 0
    lengths = [length for count, length in _numbers(table[b"stts"][8:], 2) for _ in range(count)]
    for (size,), length in zip(sizes, lengths, strict=True):
        sample = file.read(size)
        yield Ms(at * 1000 // scale), sample[2 : 2 + int.from_bytes(sample[:2], "big")].decode()
        at += length


def _numbers(data: bytes, width: int) -> list[tuple[int, ...]]:
    return list(struct.iter_unpack(f">{width}I", data))


def _read_nero(user: dict[bytes, bytes]) -> Iterator[tuple[Ms, str]]:
    data = user.get(b"chpl", bytes(9))
    at = 9
    for _ in range(data[8]):
        (start,) = struct.unpack_from(">Q", data, at)
        end = at + 9 + data[at + 8]
        yield Ms(start // 10_000), data[at + 9 : end].decode()
        at = end


def _read_track(file: IO[bytes]) -> tuple[Track, int]:
    """The encoded sound of a file that `encode` made, and where its frames stand."""
    import numpy as np

    try:
        moov, start = _moov_and_data(file)
        sound = _find(moov, b"trak")
        (length,) = struct.unpack_from(">I", _find(sound, b"edts", b"elst"), 8)
        table = dict(_inside(_find(sound, b"mdia", b"minf", b"stbl")))
        (channels,) = struct.unpack_from(">H", _find(table[b"stsd"][8:], b"mp4a"), 16)
        return Track(np.frombuffer(table[b"stsz"][12:], dtype=">u4").astype("u4"), channels, Samples(length)), start
    except (LookupError, ValueError, struct.error) as error:
        raise StreamBroken(f"not the sound that was encoded: {error}") from error


def _moov_and_data(file: IO[bytes]) -> tuple[bytes, int]:
    """The description, and where the media data begins."""
    at, moov, data = 0, b"", 0
    while len(head := file.read(16)) >= 8:
        size, name = struct.unpack_from(">I4s", head)
        inner = 8
        if size == 1:
            size, inner = int.from_bytes(head[8:], "big"), 16
        if size < inner:
            raise ValueError(f"a box of {size} bytes at {at}")
        if name == b"mdat":
            data = at + inner
        elif name == b"moov":
            file.seek(at + inner)
            moov = file.read(size - inner)
        at += size
        file.seek(at)
    if not moov or not data:
        raise ValueError("it is not whole")
    return moov, data


def _inside(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at < len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        if size < 8 or at + size > len(data):
            raise ValueError(f"a box of {size} bytes where {len(data) - at} are left")
        yield name, data[at + 8 : at + size]
        at += size


def _find(data: bytes, *names: bytes) -> bytes:
    """The content of the first box of each name within the one before."""
    for name in names:
        found = next((body for each, body in _inside(data) if each == name), None)
        if found is None:
            raise ValueError(f"no {name.decode('latin-1')} in it")
        data = found
    return data
