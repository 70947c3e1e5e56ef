"""Whether a file is whole, as far as its container can tell: its promises against its bytes, without decoding anything.

A decoder reads what is there and says nothing of what is not. Chunked files (AIFF, CAF, W64, RF64) promise the bytes of their audio, Ogg marks
the last page of a stream, and MPEG frames follow each other without a hole, as many as the first one says.
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO

from audio.errors import SourceUnreadable

_AGAIN = "copy or export it again"
_OGG_TAIL = 1 << 17
"""Two of the largest Ogg pages."""
_UNTOLD_JUNK = 1 << 16
"""What may follow the last MPEG frame without being a tag that is known."""
_COUNTING = 2
"""Some encoders count the frame that holds the count, some leave the last one out."""


def check(path: Path) -> None:
    """Raises SourceUnreadable when the file is seen to be truncated or damaged. Says nothing of formats that it does not know."""
    with path.open("rb") as file:
        head = file.read(16)
        if head[:4] == b"OggS":
            _check_ogg(path, file)
        elif layout := next((one for one in _LAYOUTS if head.startswith(one.magic)), None):
            _check_chunks(path, file, layout)


# -- files made of chunks ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Layout:
    """How the chunks of a file follow each other: from byte ``first`` on, each with a ``head`` of name and size, ``padded`` to so many bytes.

    ``around``: the size counts the head too. The audio is in the chunk called ``audio``.
    """

    magic: bytes
    first: int
    head: struct.Struct
    padded: int
    around: bool
    audio: bytes


_LAYOUTS = (
    _Layout(b"FORM", 12, struct.Struct(">4sI"), 2, around=False, audio=b"SSND"),
    _Layout(b"caff", 8, struct.Struct(">4sQ"), 1, around=False, audio=b"data"),
    _Layout(b"riff\x2e\x91\xcf\x11", 40, struct.Struct("<4s12xQ"), 8, around=True, audio=b"data"),
    _Layout(b"RF64", 12, struct.Struct("<4sI"), 2, around=False, audio=b"data"),
    _Layout(b"BW64", 12, struct.Struct("<4sI"), 2, around=False, audio=b"data"),
)


def _check_chunks(path: Path, file: IO[bytes], layout: _Layout) -> None:
    size, at, long = path.stat().st_size, layout.first, 0
    while True:
        file.seek(at)
        head = file.read(layout.head.size)
        if len(head) < layout.head.size:
            return
        name, length = layout.head.unpack(head)
        length -= layout.head.size if layout.around else 0
        body = at + layout.head.size
        if name == b"ds64":
            long = int.from_bytes(file.read(16)[8:], "little")
        if name == layout.audio:
            break
        at = body - (-length // layout.padded * layout.padded)
    promised, there = (long if length == 0xFFFFFFFF else length), size - body
    # Half of all sizes and more is how a stream says that it did not know its length.
    if there < promised < 1 << 62:
        raise truncated(path, promised, there)


def truncated(path: Path, promised: int, there: int) -> SourceUnreadable:
    """The complaint about a file that promises more bytes of audio than it holds."""
    missing = 100 * (promised - there) / promised
    share = f"{missing:.0f} %" if missing >= 1 else "under 1 %"
    return SourceUnreadable(path, f"truncated: the header promises {promised:,} bytes of audio, {there:,} are there ({share} missing)", _AGAIN)


# -- Ogg ---------------------------------------------------------------------------------------------------------------------------


def _check_ogg(path: Path, file: IO[bytes]) -> None:
    size = path.stat().st_size
    file.seek(max(0, size - _OGG_TAIL))
    tail = file.read()
    at = tail.rfind(b"OggS\0")
    page = tail[at : at + 27 + 255]
    whole = at >= 0 and len(page) >= 27 and len(tail) - at >= 27 + page[26] + sum(page[27 : 27 + page[26]])
    if not whole:
        raise SourceUnreadable(path, "truncated: its last Ogg page breaks off", _AGAIN)
    if not page[5] & 4:
        raise SourceUnreadable(path, "truncated: its last Ogg page does not end the stream", _AGAIN)


# -- MPEG-1 and 2, layer III -------------------------------------------------------------------------------------------------------

_BITRATES = {
    3: (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}


@cache
def _frames() -> dict[int, tuple[int, float]]:
    """(bytes, seconds) of a frame by the second and third byte of its header; whatever is not here is no header of layer III."""
    found = {}
    for version, rates in _RATES.items():
        slots, samples = (144, 1152) if version == 3 else (72, 576)
        for b, bitrate in enumerate(_BITRATES[version or 2], 1):
            for r, rate in enumerate(rates):
                for rest in range(8):
                    protection, padding, private = rest >> 2, rest >> 1 & 1, rest & 1
                    word = (0xE0 | version << 3 | 1 << 1 | protection) << 8 | b << 4 | r << 2 | padding << 1 | private
                    found[word] = (slots * bitrate * 1000 // rate + padding, samples / rate)
    return found


def check_mp3(path: Path) -> None:
    """Raises SourceUnreadable for a bare MP3 with a hole between its frames, half a frame at its end, or fewer than its header counts.

    Tags are stepped over wherever they stand (ID3v2, ID3v1, APE), junk before the first frame and a little after the last.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        end, frames, seconds = len(data), 0, 0.0
        at = first = _find(data, _past_tags(data, 0))
        if at == end:
            raise SourceUnreadable(path, "not an MP3: no frames follow each other in it", _AGAIN)
        while at < end:
            frame = _frame(data, at)
            if frame:
                if at + frame[0] > end:
                    raise SourceUnreadable(path, f"truncated: it breaks off within a frame, after {seconds:.2f} s", _AGAIN)
                at, seconds, frames = at + frame[0], seconds + frame[1], frames + 1
                continue
            behind = _past_tags(data, at)
            if behind == at:
                behind = _find(data, at)
                if behind < end or end - at > _UNTOLD_JUNK:
                    raise SourceUnreadable(path, f"damaged: after {seconds:.2f} s there are {behind - at:,} bytes that are no audio", _AGAIN)
            at = behind
        promised = _promised_frames(data, first)
        if frames - 1 < promised - _COUNTING:
            raise SourceUnreadable(path, f"truncated: the header promises {promised:,} frames, {frames - 1:,} are there", _AGAIN)


def _frame(data: mmap.mmap, at: int) -> tuple[int, float] | None:
    """(bytes, seconds) of the frame whose header stands at ``at``."""
    head = data[at : at + 3]
    return _frames().get(head[1] << 8 | head[2]) if len(head) == 3 and head[0] == 0xFF else None


def _find(data: mmap.mmap, at: int) -> int:
    """Where the next frame begins that others follow; the end of the file when there is none."""
    while (at := data.find(b"\xff", at)) >= 0:
        after, count = at, 0
        while count < 4 and (frame := _frame(data, after)):
            after, count = after + frame[0], count + 1
        if count == 4 or (count and after == len(data)):
            return at
        at += 1
    return len(data)


def _past_tags(data: mmap.mmap, at: int) -> int:
    """The first byte from ``at`` on that belongs to no tag."""
    while True:
        head = data[at : at + 32]
        if head[:3] == b"ID3" and len(head) >= 10:
            length = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
            at += 10 + length + (10 if head[5] & 0x10 else 0)
        elif head[:8] == b"APETAGEX" and len(head) == 32:
            length, _, flags = struct.unpack_from("<III", head, 12)
            # The size counts the items and the footer; a tag that begins with its footer has nothing more.
            at += 32 + (length if flags & 0x20000000 else 0)
        elif head[:3] == b"TAG" and len(data) - at >= 128:
            at += 128
        else:
            return min(at, len(data))


def _promised_frames(data: mmap.mmap, at: int) -> int:
    """The count in a Xing, Info or VBRI header in the frame at ``at``; 0 without one."""
    head = data[at : at + 60]
    if len(head) < 60:
        return 0
    wide, mono = head[1] & 8, head[3] >> 6 == 3
    xing = 4 + ((17 if mono else 32) if wide else (9 if mono else 17))
    if head[xing : xing + 4] in (b"Xing", b"Info") and head[xing + 7] & 1:
        return int.from_bytes(head[xing + 8 : xing + 12])
    return int.from_bytes(head[36 + 14 : 36 + 18]) if head[36:40] == b"VBRI" else 0
