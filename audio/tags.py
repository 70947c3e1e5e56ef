"""The tag of the deliverable: ID3v2.3 with chapters, built in memory, and read back to check what was written.

The only module that knows mutagen. Why the tag looks as it does:

- Version 2.3, because its frame sizes are plain integers: in 2.4 they are synchsafe, and a chapter whose sub-frame is longer than 127 bytes
  then shows no chapters at all in players that get nested sizes wrong.
- Frames in an order of our own, because players list chapters in the order of the file.
- Text as UTF-16 with a byte order mark, the one encoding of 2.3 that holds every title.

Standards followed: id3v2.3.0, ID3v2 Chapter Frame Addendum 1.0, and the frames Apple added for podcasts (PCST, TGID, WFED, TDES, TKWD,
TCAT).
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mutagen.id3
from mutagen.id3 import Frame

from audio.chapters import Mark, ascii_url, clean, clock, marks
from audio.errors import TagError
from audio.tagsheet import TagSheet
from audio.units import Ms, ms

# mutagen says that it is typed, yet leaves its frames without types: under strict checking only Any can call them.
id3: Any = mutagen.id3

HEADER_BYTES = 10
BLOCK_BYTES = 4096
"""Tags are a multiple of this: the audio starts on a page of the file system, and stays there when a new tag fits the padding."""
PADDING_BYTES = 8192
TOC_ID = "TOC"
"""Element id of the table of contents; chapters have their slugs, which are lower case."""

_UTF16 = id3.Encoding.UTF16
_LATIN1 = id3.Encoding.LATIN1
_NO_OFFSET = 0xFFFFFFFF
_MAX_BODY_BYTES = 2**28 - 1


class WFED(id3.TextFrame):  # type: ignore[misc]
    """Podcast feed. Named like a link frame, but Apple writes it as a text frame with an encoding byte, and readers expect that."""


class WXXX(id3.BinaryFrame):  # type: ignore[misc]
    """A chapter's link: encoding, empty description, address.

    Without the zero that mutagen puts at its end: the standard makes it optional, and eyeD3 takes it for a part of the address.
    """


class WOAF(id3.BinaryFrame):  # type: ignore[misc]
    """The episode's page; without a zero at its end, for the same reason."""


@dataclass(frozen=True, slots=True)
class ReadChapter:
    """A chapter as a file holds it; ``id`` is its element id, times in ms."""

    id: str
    start: Ms
    end: Ms
    title: str
    link: str | None
    has_image: bool


@dataclass(frozen=True, slots=True)
class ReadTag:
    """What a file's tag says. ``chapters`` in the order of the file, ``toc`` the ids in the order of the table of contents.

    ``duration`` is what the tag claims (TLEN), None when it claims nothing. Compare with :func:`expected`.
    """

    version: tuple[int, int]
    title: str
    artist: str
    album: str
    guid: str
    duration: Ms | None
    chapters: tuple[ReadChapter, ...]
    toc: tuple[str, ...]
    has_cover: bool
    scratch: bool


def image_mime(image: bytes) -> str:
    """``image/jpeg`` or ``image/png``, from the first bytes. Raises `TagError` for anything else, empty data included."""
    if image.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if image.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    raise TagError(f"neither JPEG nor PNG: an image that starts with {image[:8].hex(' ') or 'nothing'}")


# -- writing ------------------------------------------------------------------------------------------------------------------


def render(sheet: TagSheet, *, padding: int = PADDING_BYTES) -> bytes:
    """The complete tag, header and padding included: what stands before the first MPEG frame.

    Text, podcast frames, comment, table of contents, chapters by time, cover. At least ``padding`` bytes of zeros, then as many as make
    the whole a multiple of 4096. The same sheet gives the same bytes. Raises `TagError` for a sheet that cannot be written.
    """
    frames = b"".join(_encode(frame) for frame in _frames(sheet))
    total = -(-(HEADER_BYTES + len(frames) + max(0, padding)) // BLOCK_BYTES) * BLOCK_BYTES
    body = total - HEADER_BYTES
    if body > _MAX_BODY_BYTES:
        raise TagError(f"the tag would be {total} bytes long; ID3v2 holds at most {_MAX_BODY_BYTES}: make the images smaller")
    synchsafe = bytes(body >> shift & 0x7F for shift in (21, 14, 7, 0))
    return (b"ID3\x03\x00\x00" + synchsafe + frames).ljust(total, b"\0")


def expected(sheet: TagSheet) -> ReadTag:
    """What :func:`read` must give back for a file that begins with this sheet's tag."""
    listed = _marks(sheet)
    return ReadTag(
        version=(2, 3),
        title=clean(sheet.title),
        artist=clean(sheet.artist),
        album=clean(sheet.album),
        guid=clean(sheet.guid),
        duration=ms(sheet.duration),
        chapters=tuple(ReadChapter(m.slug, m.start, m.end, m.title, m.link, m.image is not None) for m in listed),
        toc=tuple(m.slug for m in listed),
        has_cover=sheet.cover is not None,
        scratch=sheet.scratch,
    )


def _encode(frame: Frame) -> bytes:
    # A whole tag sorts its frames by size; a tag of one frame has nothing to sort, and two frames cannot overwrite each other.
    buffer = io.BytesIO()
    tag = id3.ID3()
    tag.add(frame)
    tag.save(buffer, v1=id3.ID3v1SaveOptions.REMOVE, v2_version=3, padding=lambda _: 0)
    return buffer.getvalue()[HEADER_BYTES:]


def _frames(sheet: TagSheet) -> Iterator[Frame]:
    if not clean(sheet.title):
        raise TagError("the episode has no title")
    yield from _text_frames(sheet)
    yield from _podcast_frames(sheet)
    if comment := clean(sheet.comment, lines=True):
        yield id3.COMM(encoding=_UTF16, lang=_language(sheet), desc="", text=comment)
    yield from _chapter_frames(_marks(sheet))
    if sheet.cover is not None:
        yield _picture(sheet.cover, id3.PictureType.COVER_FRONT, "the cover")


def _text_frames(sheet: TagSheet) -> Iterator[Frame]:
    if sheet.season < 1 or sheet.track < 1 or (sheet.track_total is not None and sheet.track_total < sheet.track):
        raise TagError(f"season {sheet.season}, track {sheet.track} of {sheet.track_total}: they count from 1, up to the total")
    total = f"/{sheet.track_total}" if sheet.track_total else ""
    texts = {
        "TIT2": sheet.title,
        "TPE1": sheet.artist,
        "TPE2": sheet.album_artist,
        "TALB": sheet.album,
        "TRCK": f"{sheet.track}{total}",
        "TPOS": str(sheet.season),
        "TYER": f"{sheet.date.year:04d}",
        "TDAT": f"{sheet.date.day:02d}{sheet.date.month:02d}",
        "TCON": sheet.genre,
        "TLAN": _language(sheet),
        "TLEN": str(ms(sheet.duration)),
        "TCOP": sheet.copyright,
        "TPUB": sheet.publisher,
        "TOWN": sheet.owner,
        "TSSE": sheet.encoder,
    }
    for name, text in texts.items():
        if cleaned := clean(text):
            yield _text(name, cleaned)
    if sheet.scratch:
        yield id3.TXXX(encoding=_UTF16, desc="SCRATCH", text="1")
    if sheet.link:
        yield WOAF(data=ascii_url(sheet.link).encode("ascii"))


def _podcast_frames(sheet: TagSheet) -> Iterator[Frame]:
    yield id3.PCST(value=0)
    if guid := clean(sheet.guid):
        yield _text("TGID", guid)
    if sheet.feed_url:
        yield WFED(encoding=_UTF16, text=ascii_url(sheet.feed_url))
    if description := clean(sheet.description, lines=True):
        yield _text("TDES", description)
    if keywords := ", ".join(filter(None, map(clean, sheet.keywords))):
        yield _text("TKWD", keywords)
    if category := clean(sheet.category):
        yield _text("TCAT", category)


def _text(name: str, text: str) -> Frame:
    frame: Frame = id3.Frames[name](encoding=_UTF16, text=text)
    return frame


def _language(sheet: TagSheet) -> str:
    if len(sheet.language) != 3 or not (sheet.language.isascii() and sheet.language.isalpha()):
        raise TagError(f"language {sheet.language!r} is not an ISO 639-2 code of three letters")
    return sheet.language.lower()


def _marks(sheet: TagSheet) -> tuple[Mark, ...]:
    listed = marks(sheet.chapters)
    if sheet.duration <= 0:
        raise TagError("the episode has no length")
    if listed and listed[-1].end != ms(sheet.duration):
        raise TagError(f"the last chapter ends at {clock(listed[-1].end)}, the episode at {clock(ms(sheet.duration))}")
    for mark in listed:
        if not (mark.slug.isascii() and mark.slug.isprintable()) or mark.slug == TOC_ID:
            raise TagError(f"{mark.slug!r} cannot be the id of a chapter: use ASCII letters, digits and hyphens")
    return listed


def _chapter_frames(listed: tuple[Mark, ...]) -> Iterator[Frame]:
    if not listed:
        return
    flags = id3.CTOCFlags.TOP_LEVEL | id3.CTOCFlags.ORDERED
    yield id3.CTOC(element_id=TOC_ID, flags=flags, child_element_ids=[mark.slug for mark in listed], sub_frames=[])
    for mark in listed:
        yield id3.CHAP(
            element_id=mark.slug,
            start_time=mark.start,
            end_time=mark.end,
            start_offset=_NO_OFFSET,
            end_offset=_NO_OFFSET,
            sub_frames=list(_sub_frames(mark)),
        )


def _sub_frames(mark: Mark) -> Iterator[Frame]:
    yield _text("TIT2", mark.title)
    if mark.link:
        yield WXXX(data=b"\0\0" + mark.link.encode("ascii"))
    if mark.image is not None:
        yield _picture(mark.image, id3.PictureType.OTHER, f"the image of chapter {mark.slug}")


def _picture(image: bytes, kind: int, what: str) -> Frame:
    try:
        mime = image_mime(image)
    except TagError as error:
        raise TagError(f"{what} is {error}") from error
    frame: Frame = id3.APIC(encoding=_LATIN1, mime=mime, type=kind, desc="", data=image)
    return frame


# -- reading ------------------------------------------------------------------------------------------------------------------


def tag_size(header: bytes) -> int:
    """How many bytes the ID3v2 tag takes whose first 10 bytes are ``header``, padding and footer included: where the audio starts.

    0 when there is no tag. Raises `TagError` for a header that is broken or cut short. Pure.
    """
    if not header.startswith(b"ID3"):
        return 0
    if len(header) < HEADER_BYTES:
        raise TagError("the ID3 header is cut short")
    version, flags, size = header[3], header[5], header[6:10]
    if version not in (2, 3, 4) or any(byte > 0x7F for byte in size):
        raise TagError(f"the ID3 header is broken: {header[:HEADER_BYTES].hex(' ')}")
    footer = HEADER_BYTES if version == 4 and flags & 0x10 else 0
    return HEADER_BYTES + sum(byte << shift for byte, shift in zip(size, (21, 14, 7, 0), strict=True)) + footer


def split(path: Path) -> tuple[bytes, int]:
    """A file's tag as it stands (empty when there is none) and the offset where its audio starts.

    Raises `TagError` when the tag is broken or longer than the file, `OSError` when the file cannot be read.
    """
    with path.open("rb") as file:
        size = tag_size(file.read(HEADER_BYTES))
        file.seek(0)
        tag = file.read(size)
    if len(tag) < size:
        raise TagError(f"{path}: the tag says {size} bytes, the file holds {len(tag)}")
    return tag, size


def read(path: Path) -> ReadTag:
    """What a file's tag says. Raises `TagError` when there is none or it cannot be read, `OSError` when the file cannot be opened."""
    raw, size = split(path)
    if not size:
        raise TagError(f"{path}: no ID3v2 tag")
    try:
        tag = id3.ID3(io.BytesIO(raw), translate=False, load_v1=False)
    except mutagen.MutagenError as error:
        raise TagError(f"{path}: the tag cannot be read: {error}") from error
    length = _first(tag, "TLEN")
    return ReadTag(
        version=tag.version[:2],
        title=_first(tag, "TIT2"),
        artist=_first(tag, "TPE1"),
        album=_first(tag, "TALB"),
        guid=_first(tag, "TGID"),
        duration=Ms(int(length)) if length.isdecimal() else None,
        chapters=tuple(map(_read_chapter, tag.getall("CHAP"))),
        toc=tuple(child for toc in tag.getall("CTOC") for child in toc.child_element_ids),
        has_cover=any(picture.type == id3.PictureType.COVER_FRONT for picture in tag.getall("APIC")),
        scratch=_first(tag, "TXXX:SCRATCH") == "1",
    )


def chapters(raw: bytes) -> tuple[ReadChapter, ...]:
    """The chapters of a whole tag that some program wrote, in its order; none of a tag that cannot be read."""
    try:
        tag = id3.ID3(io.BytesIO(raw), translate=False, load_v1=False)
        return tuple(map(_read_chapter, tag.getall("CHAP")))
    except Exception:
        # mutagen lets whatever its parsing stumbles over through: struct.error, IndexError, ValueError, zlib.error.
        return ()


def _read_chapter(frame: Any) -> ReadChapter:
    inner = frame.sub_frames
    links = inner.getall("WXXX")
    return ReadChapter(
        id=frame.element_id,
        start=Ms(frame.start_time),
        end=Ms(frame.end_time),
        title=_first(inner, "TIT2"),
        link=links[0].url if links else None,
        has_image=bool(inner.getall("APIC")),
    )


def _first(tags: Any, name: str) -> str:
    frame = tags.get(name)
    return str(frame.text[0]) if frame and frame.text else ""
