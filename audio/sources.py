"""What a recording is, before it is decoded: container, codec, rate, channels, and how to make ffmpeg read all of it.

Nothing is believed that can be checked: a WAV's size fields are compared with the file, and a declared length with what was decoded (that
second check is made by whoever decodes).
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from pathlib import Path

from audio import ffmpeg, graph
from audio.errors import SourceUnreadable

AUDIO_SUFFIXES = (
    ".wav",
    ".w64",
    ".rf64",
    ".flac",
    ".aif",
    ".aiff",
    ".caf",
    ".mp3",
    ".m4a",
    ".mp4",
    ".aac",
    ".ogg",
    ".oga",
    ".opus",
    ".wv",
    ".mka",
)
"""Extensions looked for, in this order of preference."""

_STREAM = re.compile(r"Stream #0:(\d+)[^:]*: Audio: (\S+).*?, (\d+) Hz, ([^,\n]+)")
_DURATION = re.compile(r"Duration: (\d+):(\d\d):(\d\d(?:\.\d+)?)")
_ESTIMATED = "Estimating duration from bitrate"
_UNKNOWN_SIZE = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Source:
    """A readable recording. ``channels`` is what it holds, ``rate`` in Hz, ``declared`` its length in seconds as the container says it
    (None when it says nothing, or guesses). ``ignore_length``: the WAV's size field is wrong and everything to the end of the file is audio.
    """

    path: Path
    codec: str
    rate: int
    channels: int
    declared: float | None
    ignore_length: bool = False


def probe(path: Path) -> Source:
    """Describe a recording. Raises SourceUnreadable for anything that is not audio, and says what it is instead."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(16)
    except OSError as error:
        raise SourceUnreadable(path, error.strerror or str(error)) from error
    if size == 0:
        raise SourceUnreadable(path, "the file is empty", "record or export it again")
    ignore_length = head[:4] == b"RIFF" and head[8:12] == b"WAVE" and _wav_length_is_wrong(path, size)
    text = ffmpeg.complaints(graph.describe(ffmpeg.find(), path, ignore_length))
    stream = _STREAM.search(text)
    if not stream:
        raise SourceUnreadable(path, _what_it_is(head, text), "is it an audio file that another program plays?")
    duration = _DURATION.search(text)
    declared = None
    # A raw MP3's duration is a guess from its first frames, and a wrong WAV header's is worth nothing.
    if duration and _ESTIMATED not in text and not ignore_length:
        hours, minutes, secs = duration.groups()
        declared = int(hours) * 3600 + int(minutes) * 60 + float(secs)
    return Source(path, stream[2].rstrip(","), int(stream[3]), _channels(stream[4]), declared, ignore_length)


def _channels(layout: str) -> int:
    layout = layout.strip()
    known = {"mono": 1, "stereo": 2, "2.1": 3, "quad": 4, "4.0": 4, "5.0": 5, "5.1": 6, "7.1": 8}
    counted = re.match(r"(\d+) channels", layout)
    return int(counted[1]) if counted else known.get(layout.split("(")[0], 2)


def _what_it_is(head: bytes, text: str) -> str:
    if head.lstrip()[:1] in (b"{", b"<", b"#") or (head.isascii() and head.decode("ascii").isprintable()):
        return "not audio: it begins like a text file"
    if "moov atom not found" in text:
        return "truncated: the M4A's index (its end) is missing"
    if not any(head):
        return "not audio: it begins with zeros"
    return "not audio that ffmpeg can read"


def _wav_length_is_wrong(path: Path, size: int) -> bool:
    """Whether the data chunk's size field must not be believed; raises SourceUnreadable for a truncated file.

    0 and 0xFFFFFFFF stand there when a recorder streamed or crashed; past 4 GiB the field has wrapped. A field that says more than the
    file holds is a truncated file, which is another thing: audio is missing.
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
        if length in (0, _UNKNOWN_SIZE):
            return True
        if length > there:
            missing = 100 * (length - there) / length
            raise SourceUnreadable(
                path,
                f"truncated: the header promises {length:,} bytes of audio, {there:,} are there ({missing:.0f} % missing)",
                "copy it again",
            )
        return not _chunks_end_cleanly(file, at + 8 + length + (length & 1), size)


def _chunks_end_cleanly(file: object, at: int, size: int) -> bool:
    """Whether a chain of chunks leads from ``at`` to the end of the file. Audio past a wrapped size field does not look like one."""
    while at + 8 <= size:
        file.seek(at)  # type: ignore[attr-defined]
        name, length = struct.unpack("<4sI", file.read(8))  # type: ignore[attr-defined]
        if not name.strip(b" \0").isalnum() and name != b"_PMX":
            return False
        at += 8 + length + (length & 1)
    # Some writers leave a stray pad byte, some leave the last one out.
    return size - 8 < at <= size + 1
