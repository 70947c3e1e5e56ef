"""Frames: what passes for one, where its main data begins, how two encodes are joined, and an Info header that other readers understand."""

from __future__ import annotations

import io
import struct
from typing import Any

import pytest
from mutagen.mp3 import MP3, BitrateMode

from audio import mpeg
from audio.errors import StreamBroken
from audio.mpeg import Format
from audio.units import FRAME

STEREO, MONO = Format(128, 2), Format(64, 1)


def frame(fmt: Format, begin: int = 0, fill: int = 0) -> bytes:
    """A frame whose main data begins ``begin`` bytes before its slot, the slot filled with ``fill``."""
    mode = 0x40 if fmt.channels == 2 else 0xC0
    rate = {128: 0x94, 64: 0x54}[fmt.bitrate]
    side = bytes((begin >> 1, (begin & 1) << 7)) + bytes((fill,)) * (fmt.side_bytes - 2)
    return bytes((0xFF, 0xFB, rate, mode)) + side + bytes((fill,)) * fmt.slot_bytes


def slots(frames: bytes | bytearray, fmt: Format) -> bytes:
    """The stream of main data: the slots of all frames, one after another."""
    return b"".join(frames[at + fmt.head_bytes : at + fmt.frame_bytes] for at in range(0, len(frames), fmt.frame_bytes))


@pytest.mark.parametrize(("fmt", "size", "slot"), [(STEREO, 384, 348), (Format(96, 1), 288, 267), (MONO, 192, 171), (Format(320, 2), 960, 924)])
def test_a_format_knows_its_sizes(fmt: Format, size: int, slot: int) -> None:
    assert (fmt.frame_bytes, fmt.slot_bytes) == (size, slot)


def test_frames_of_one_format_are_counted() -> None:
    assert mpeg.check(frame(STEREO) * 5, STEREO) == 5
    assert mpeg.check(frame(MONO) * 3, MONO) == 3
    # joint stereo is the encoder's choice, frame by frame
    joint = bytearray(frame(STEREO))
    joint[3] = 0x61
    assert mpeg.check(frame(STEREO) + joint, STEREO) == 2


@pytest.mark.parametrize(
    ("at", "value"),
    [(0, 0xFE), (1, 0xFA), (1, 0xF3), (2, 0xA4), (2, 0x90), (2, 0x96), (3, 0xC0)],
    ids=["no sync", "with a CRC", "MPEG-2", "160 kb/s", "44.1 kHz", "padded", "mono"],
)
def test_a_frame_of_another_kind_is_refused_by_its_number(at: int, value: int) -> None:
    other = bytearray(frame(STEREO))
    other[at] = value
    with pytest.raises(StreamBroken, match="frame 2: header"):
        mpeg.check(frame(STEREO) * 2 + other, STEREO)


def test_half_a_frame_is_refused() -> None:
    with pytest.raises(StreamBroken, match="not a whole number"):
        mpeg.check(frame(STEREO)[:-1], STEREO)


@pytest.mark.parametrize("begin", [0, 1, 255, 256, 511])
def test_main_data_begin_has_nine_bits(begin: int) -> None:
    frames = frame(MONO) + frame(MONO, begin, fill=0xFF)
    assert mpeg.main_data_begin(frames, 1, MONO) == begin
    assert mpeg.side_info(frames, 1, MONO) == mpeg.side_info(frame(MONO, 0, fill=0xFF), 0, MONO)


@pytest.mark.parametrize(("free", "needed", "fits"), [(400, 400, True), (400, 399, True), (400, 401, False), (0, 0, True)])
def test_a_join_fits_where_enough_room_is_free(free: int, needed: int, fits: bool) -> None:
    before = frame(MONO) * 4 + frame(MONO, free)
    after = frame(MONO) * 3 + frame(MONO, needed)
    assert mpeg.fits(before, 4, after, 3, MONO) is fits


def test_a_join_never_reaches_back_before_the_stream() -> None:
    after = frame(MONO) * 4 + frame(MONO, 400)
    assert mpeg.fits(frame(MONO, 511) * 4, 3, after, 4, MONO)
    # 400 bytes stand in three slots of 171
    assert not mpeg.fits(frame(MONO, 511) * 4, 2, after, 4, MONO)
    with pytest.raises(StreamBroken, match="before the stream does"):
        mpeg.join(bytearray(frame(MONO, 511) * 4), 2, after, 4, MONO)


def test_a_join_gives_the_second_encode_the_main_data_it_reads() -> None:
    before = bytearray(b"".join(frame(MONO, 300, fill) for fill in (1, 2, 3, 4, 5, 6)))
    after = b"".join(frame(MONO, 300, fill) for fill in (0x81, 0x82, 0x83, 0x84))
    untouched = bytes(before)
    mpeg.join(before, 5, after, 3, MONO)
    assert len(before) == 5 * MONO.frame_bytes
    assert slots(before, MONO)[-300:] == slots(after, MONO)[: 3 * MONO.slot_bytes][-300:]
    assert slots(before, MONO)[:-300] == slots(untouched, MONO)[: 5 * MONO.slot_bytes - 300]
    # headers and side information stay
    assert [before[n * 192 : n * 192 + MONO.head_bytes] for n in range(5)] == [untouched[n * 192 : n * 192 + MONO.head_bytes] for n in range(5)]


def test_the_crc_is_the_one_that_is_published_for_its_name() -> None:
    assert mpeg.crc16(b"123456789") == 0xBB3D
    assert mpeg.crc16(b"6789", mpeg.crc16(b"12345")) == 0xBB3D


@pytest.mark.parametrize("fmt", [STEREO, MONO])
def test_an_info_header_says_how_long_the_file_is_to_the_sample(fmt: Format) -> None:
    frames, samples = 2001, 2000 * FRAME
    header = mpeg.info_header(fmt, frames=frames, samples=samples, lowpass_hz=17_000)
    assert mpeg.check(header, fmt) == 1
    info: Any = MP3(io.BytesIO(header + frame(fmt) * frames)).info  # type: ignore[no-untyped-call]
    assert info.length * 48_000 == pytest.approx(samples, abs=0.01)
    assert (info.bitrate_mode, info.bitrate, info.channels) == (BitrateMode.CBR, fmt.bitrate * 1000, fmt.channels)


def test_an_info_header_counts_bytes_and_points_into_the_file() -> None:
    frames = 7501
    header = mpeg.info_header(STEREO, frames=frames, samples=7500 * FRAME)
    at = header.index(b"Info")
    flags, counted, size = struct.unpack_from(">III", header, at + 4)
    assert (flags, counted, size) == (0xF, frames, (frames + 1) * 384)
    for percent, entry in enumerate(header[at + 16 : at + 116]):
        wanted = 384 + frames * 384 * percent / 100
        assert wanted - size / 256 - 384 < entry * size / 256 <= wanted
    delay = int.from_bytes(header[at + 141 : at + 144], "big")
    assert (delay >> 12, delay & 0xFFF) == (576, frames * FRAME - 576 - 7500 * FRAME)
    assert int.from_bytes(header[at + 154 : at + 156], "big") == mpeg.crc16(header[: at + 154])
    assert not any(header[at + 156 :])


@pytest.mark.parametrize("samples", [10 * FRAME, 5 * FRAME], ids=["the last sample is not decoded", "padding over 12 bits"])
def test_an_info_header_that_would_lie_is_refused(samples: int) -> None:
    with pytest.raises(StreamBroken, match="cannot carry"):
        mpeg.info_header(STEREO, frames=10, samples=samples)


def test_an_info_header_needs_a_frame_that_holds_it() -> None:
    with pytest.raises(StreamBroken, match="does not fit"):
        mpeg.info_header(Format(56, 1), frames=11, samples=10 * FRAME)
