"""MPEG-1 layer III frames: their headers, how two encodes are joined, and the ``Info`` header.

Pure: bytes in, bytes out. ISO/IEC 11172-3 for the frames; the Xing/LAME tag as documented by LAME for the header. Only what the render plan
makes is spoken here: 48 kHz, constant bitrate, no CRC, so that every frame is 1152 samples (24 ms) and the same number of bytes.

**The join.** A frame's main data may begin up to 511 bytes before the frame (the bit reservoir), in the room that earlier frames left. So
frames of two encodes do not simply follow each other: the second's first frame reads bytes that stand in *its* predecessors. Two encodes of the
same samples can be joined before frame *j* when the first leaves at least as many free bytes there as the second needs: its bytes
are then written into that free room. Nothing is decoded or encoded again, and every later frame stays as it is.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from audio.errors import StreamBroken
from audio.units import FRAME, RATE

_BITRATES = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
MAX_RESERVOIR = 511
"""Bytes that a frame's main data can reach back: main_data_begin has 9 bits."""
DECODER_DELAY = 529
ENCODER_DELAY = 576
DELAY = ENCODER_DELAY + DECODER_DELAY
"""Samples by which a plain decode of the frames is late: LAME's 576 and the decoder's 529. Frame *i* decodes to samples
[1152 i - 1105, 1152 i + 47) of what was encoded."""


@dataclass(frozen=True, slots=True)
class Format:
    """The one constant format of a stream: ``bitrate`` in kb/s, 1 or 2 ``channels``."""

    bitrate: int
    channels: int

    @property
    def frame_bytes(self) -> int:
        return FRAME // 8 * self.bitrate * 1000 // RATE

    @property
    def side_bytes(self) -> int:
        return 32 if self.channels == 2 else 17

    @property
    def head_bytes(self) -> int:
        """Header and side information: what stands before a frame's share of main data."""
        return 4 + self.side_bytes

    @property
    def slot_bytes(self) -> int:
        """A frame's share of the main data stream."""
        return self.frame_bytes - self.head_bytes


def check(frames: bytes, fmt: Format) -> int:
    """The number of frames in ``frames``; raises StreamBroken unless every one is of exactly this format."""
    size = fmt.frame_bytes
    if len(frames) % size:
        raise StreamBroken(f"{len(frames)} bytes are not a whole number of {size}-byte frames")
    wanted = 0xFFFB0000 | _BITRATES.index(fmt.bitrate) << 12 | 1 << 10
    for at in range(0, len(frames), size):
        (header,) = struct.unpack_from(">I", frames, at)
        mono = header >> 6 & 3 == 3
        if header & 0xFFFFFE00 != wanted or mono != (fmt.channels == 1):
            raise StreamBroken(f"frame {at // size}: header {header:08x} is not 48 kHz, {fmt.bitrate} kb/s, {fmt.channels} channel(s)")
    return len(frames) // size


def main_data_begin(frames: bytes | bytearray, index: int, fmt: Format) -> int:
    """How many bytes before frame ``index``'s own slot its main data begins."""
    at = index * fmt.frame_bytes + 4
    return frames[at] << 1 | frames[at + 1] >> 7


def _tail_of_main_data(index: int, count: int, fmt: Format) -> Iterator[tuple[int, int]]:
    """(offset, length) pieces, last first, of the ``count`` bytes of main data that stand just before frame ``index``."""
    while count:
        index -= 1
        if index < 0:
            raise StreamBroken("main data begins before the stream does")
        length = min(count, fmt.slot_bytes)
        yield (index + 1) * fmt.frame_bytes - length, length
        count -= length


def fits(before: bytes | bytearray, at_before: int, after: bytes, at_after: int, fmt: Format) -> bool:
    """Whether ``after`` from frame ``at_after`` on can follow ``before`` up to frame ``at_before``."""
    needed = main_data_begin(after, at_after, fmt)
    return needed <= main_data_begin(before, at_before, fmt) and -(-needed // fmt.slot_bytes) <= min(at_before, at_after)


def join(before: bytearray, at_before: int, after: bytes, at_after: int, fmt: Format) -> None:
    """Cut ``before`` at frame ``at_before`` and write into its free tail the main data that frame ``at_after`` of ``after`` needs.

    The caller appends ``after`` from ``at_after`` on. Call only where :func:`fits` says so, or where ``before`` is known to hold no main data.
    """
    needed = main_data_begin(after, at_after, fmt)
    del before[at_before * fmt.frame_bytes :]
    source = _tail_of_main_data(at_after, needed, fmt)
    for (to, length), (start, _) in zip(_tail_of_main_data(at_before, needed, fmt), source, strict=True):
        before[to : to + length] = after[start : start + length]


def side_info(frames: bytes | bytearray, index: int, fmt: Format) -> bytes:
    """The side information of a frame without main_data_begin: block types, gains, table choices, lengths."""
    at = index * fmt.frame_bytes + 4
    return bytes((frames[at + 1] & 0x7F,)) + bytes(frames[at + 2 : at + fmt.side_bytes])


def crc16(data: bytes, crc: int = 0) -> int:
    """CRC-16 with polynomial 0x8005, reflected, as the LAME tag uses it."""
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return crc


def info_header(fmt: Format, *, frames: int, samples: int, lowpass_hz: int = 0, music_crc: int = 0) -> bytes:
    """The ``Info`` frame that stands first in the file: exact counts, a TOC, encoder delay and padding.

    ``frames`` counts the audio frames that follow; ``samples`` is what a gapless decoder must yield. The byte count includes this frame, as
    players expect. Raises StreamBroken when the padding does not fit its 12 bits, or the last sample would not be decoded.
    """
    padding = frames * FRAME - ENCODER_DELAY - samples
    if not DECODER_DELAY <= padding < 4096:
        raise StreamBroken(f"{frames} frames cannot carry {samples} samples: padding {padding}")
    size = fmt.frame_bytes
    total = (frames + 1) * size
    mode = 3 if fmt.channels == 1 else 1
    head = struct.pack(">I", 0xFFFB0000 | _BITRATES.index(fmt.bitrate) << 12 | 1 << 10 | mode << 6 | 4)
    # A stream of one size: the share of the bytes is the share of the time.
    toc = bytes(min(255, (size + percent * frames * size // 100) * 256 // total) for percent in range(100))
    xing = b"Info" + struct.pack(">III", 0xF, frames, total) + toc + struct.pack(">I", 0)
    lame = bytearray(b"LAME3.100")
    lame += bytes((0x01, min(255, lowpass_hz // 100)))  # tag revision 0, constant bitrate
    lame += bytes(8)  # no replay gain is claimed
    lame += bytes((0, min(255, fmt.bitrate)))
    lame += bytes((ENCODER_DELAY >> 4, (ENCODER_DELAY & 15) << 4 | padding >> 8, padding & 255))
    lame += bytes((0x80, 0, 0, 0))  # 48 kHz source; no gain, no preset
    lame += struct.pack(">IH", total, music_crc)
    body = head + bytes(fmt.side_bytes) + xing + bytes(lame)
    if len(body) + 2 > size:
        # Below 64 kb/s the LAME extension does not fit; the formats on offer start there.
        raise StreamBroken(f"an Info header does not fit a {size}-byte frame")
    body += struct.pack(">H", crc16(body))
    return body + bytes(size - len(body))
