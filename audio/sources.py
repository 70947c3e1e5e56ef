"""What a recording is, before it is decoded: container, codec, rate, channels, and how to make ffmpeg read all of it.

Nothing is believed that can be checked: a WAV's size fields are compared with the file, and a declared length with what was decoded (that
second check is made by whoever decodes).
"""

from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import IO

from audio import containers, ffmpeg, graph
from audio.errors import SourceUnreadable
from audio.source import Source

_STREAM = re.compile(r"^ +Stream #0:(\d+)[^:]*: Audio: (\S+).*?, (\d+) Hz, ([^,\n]+)", re.MULTILINE)
_DURATION = re.compile(r"^ +Duration: (\d+):(\d\d):(\d\d(?:\.\d+)?)", re.MULTILINE)
_ESTIMATED = "Estimating duration from bitrate"
_MOVING = re.compile(r"Stream #0:\d+[^:]*: Video: (?!.*attached pic)")
_RAW_MP3 = "Input #0, mp3, "
_UNTOLD_SIZES = (0x7FFFF000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
"""What programs write into a WAV that goes to a pipe; some round it down to whole samples."""
_KNOWN_CHUNKS = frozenset(
    (b"LIST", b"id3 ", b"ID3 ", b"bext", b"iXML", b"cue ", b"smpl", b"inst", b"PEAK", b"afsp", b"JUNK", b"PAD ", b"FLLR", b"_PMX")
)
_TEXT = re.compile(rb"[\t\n\r\x20-\x7e\x80-\xff]+")
_LOOKS_LIKE = (
    (b"PK\3\4", "a ZIP archive"),
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"\x1f\x8b", "a gzip file"),
)


def _seen(path: Path) -> tuple[bytes, bool]:
    """The first bytes of a recording, and whether it is a WAV whose size field is wrong. Raises SourceUnreadable for what is seen to be no audio."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(256)
    except OSError as error:
        raise SourceUnreadable(path, error.strerror or str(error)) from error
    if size == 0:
        raise SourceUnreadable(path, "the file is empty", "record or export it again")
    # Before ffmpeg is asked: it follows playlists, and takes a web page for an MP3 when it is called so.
    if plainly := _plainly_not_audio(head):
        raise SourceUnreadable(path, *plainly)
    return head, head[:4] == b"RIFF" and head[8:12] == b"WAVE" and _wav_length_is_wrong(path, size)


def check(path: Path) -> None:
    """Raises SourceUnreadable for what is seen to be no audio, empty, truncated or damaged, without decoding it and without asking ffmpeg."""
    head, _ = _seen(path)
    if path.suffix.lower() == ".mp3" and (head == b"ID3" or (head[:1] == b"\xff" and head[1] >= 0xE0)):
        containers.check_mp3(path)
    else:
        containers.check(path)


def probe(path: Path) -> Source:
    """Describe a recording. Raises SourceUnreadable for anything that is not audio, and says what it is instead."""
    head, ignore_length = _seen(path)
    text = ffmpeg.complaints(graph.describe(ffmpeg.find(), path, ignore_length))
    stream = _STREAM.search(text)
    if not stream:
        raise SourceUnreadable(path, *_why_not(head, text))
    codec = stream[2].rstrip(",")
    if codec == "mp3" and _RAW_MP3 in text:
        containers.check_mp3(path)
    else:
        containers.check(path)
    duration = _DURATION.search(text)
    declared = None
    # A raw MP3's duration is a guess from its first frames, a wrong WAV header's is worth nothing, and a film's may be that of its picture.
    if duration and _ESTIMATED not in text and not ignore_length and not _MOVING.search(text):
        hours, minutes, secs = duration.groups()
        declared = int(hours) * 3600 + int(minutes) * 60 + float(secs)
    return Source(path, codec, int(stream[3]), _channels(stream[4]), declared, ignore_length)


def _channels(layout: str) -> int:
    layout = layout.strip()
    known = {"mono": 1, "stereo": 2, "downmix": 2, "quad": 4, "hexagonal": 6, "octagonal": 8, "hexadecagonal": 16}
    if counted := re.match(r"(\d+) channels", layout):
        return int(counted[1])
    if named := re.match(r"(\d+)\.(\d+)", layout):
        return int(named[1]) + int(named[2])
    # A name that is not known is surround: only then is it folded down, whatever it holds.
    return known.get(layout.split("(")[0], 3)


def _plainly_not_audio(head: bytes) -> tuple[str, str] | None:
    """What a file is that is seen to be something else, and what to do about it."""
    if head.lstrip()[:5].lower() in (b"<!doc", b"<html"):
        return "not audio: it is a web page", "download it again, while you are logged in where it comes from"
    for start, name in _LOOKS_LIKE:
        if head.startswith(start):
            return f"not audio: it is {name}", "put the recording itself here"
    if _TEXT.fullmatch(head):
        return "not audio: it begins like a text file", "put the recording itself here"
    return None


def _why_not(head: bytes, text: str) -> tuple[str, str]:
    """Why ffmpeg, which said ``text``, heard nothing in a file, and what to do about it."""
    if "Video:" in text:
        return "holds pictures only: there is no sound in it", "export its sound"
    if "moov atom not found" in text or head[4:8] == b"ftyp":
        return "truncated: the M4A's index (its end) is missing or incomplete", "copy or export it again"
    if not any(head):
        return "not audio: it begins with zeros", "copy or export it again"
    return "not audio that ffmpeg can read", "is it an audio file that another program plays?"


def _wav_length_is_wrong(path: Path, size: int) -> bool:
    """Whether the data chunk's size field must not be believed; raises SourceUnreadable for a truncated file.

    0 and a few large numbers stand there when a recorder streamed or crashed; past 4 GiB the field has wrapped. Any other field that says more
    than the file holds is a truncated file, which is another thing: audio is missing.
    """
    with path.open("rb") as file:
        at = 12
        while True:
            file.seek(at)
            head = file.read(8)
            if len(head) < 8:
                raise SourceUnreadable(path, "the WAV holds no audio: there is no data chunk", "export it again")
            name, length = struct.unpack("<4sI", head)
            if name == b"data":
                break
            at += 8 + length + (length & 1)
        there = size - at - 8
        if there == 0:
            raise SourceUnreadable(path, "the WAV holds no audio: its data chunk is empty", "record or export it again")
        if length == 0 or there - length >= 1 << 32:
            return True
        if length > there:
            if any(untold - 64 <= length <= untold for untold in _UNTOLD_SIZES):
                return True
            raise containers.truncated(path, length, there)
        end = at + 8 + length
        # Some writers leave out the byte that pads an odd length.
        return not any(_chunks_end_cleanly(file, start, size) for start in {end, end + (length & 1)})


def _chunks_end_cleanly(file: IO[bytes], at: int, size: int) -> bool:
    """Whether a chain of chunks leads from ``at`` to the end of the file, or to a tag or zeros. Audio past a wrong size does not look like one."""
    while at + 8 <= size:
        file.seek(at)
        head = file.read(8)
        name, length = struct.unpack("<4sI", head)
        if (name[:3] == b"TAG" and size - at == 128) or head == b"APETAGEX" or (head == bytes(8) and not any(file.read(1 << 20))):
            return True
        if name not in _KNOWN_CHUNKS and not name.strip(b" \0").isalnum():
            return False
        at += 8 + length + (length & 1)
        if at > size and name in _KNOWN_CHUNKS:
            return True
    # Some writers leave a stray pad byte, some leave the last one out.
    return size - 8 < at <= size + 1
