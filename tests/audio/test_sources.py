"""What a recording is. WAV headers lie in known ways: some are seen through, some mean that audio is missing."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest

from audio import measure, sources
from audio.errors import SourceUnreadable
from audio.pcm import Take
from audio.units import RATE
from tests.audio.sounds import speech

SPEECH = speech(1.0, level=0.2)[:, 0]
COUNT = len(SPEECH)
UNKNOWN = 0xFFFFFFFF
PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE
LISTENED = "  Duration: 00:00:01.00, bitrate: 768 kb/s\n  Stream #0:0: Audio: pcm_s16le ([1][0][0][0] / 0x0001), 48000 Hz, 1 channels, s16\n"


def samples(bits: int, kind: int = PCM) -> bytes:
    if kind == FLOAT:
        return SPEECH.astype("<f4").tobytes()
    whole = np.rint(SPEECH * (2 ** (bits - 1) - 1)).astype("<i4")
    return bytes(whole.view("u1").reshape(-1, 4)[:, : bits // 8].tobytes())


def chunk(name: bytes, body: bytes, size: int | None = None) -> bytes:
    return name + struct.pack("<I", len(body) if size is None else size) + body + b"\0" * (len(body) & 1)


def form(bits: int, kind: int = PCM, *, extensible: bool = False) -> bytes:
    block = bits // 8
    tag = EXTENSIBLE if extensible else kind
    body = struct.pack("<HHIIHH", tag, 1, RATE, RATE * block, block, bits)
    if extensible:
        body += struct.pack("<HHIH", 22, bits, 4, kind) + bytes.fromhex("000000001000800000aa00389b71")
    return chunk(b"fmt ", body)


def wav(*chunks: bytes, riff: bytes = b"RIFF", size: int | None = None) -> bytes:
    body = b"".join(chunks)
    return riff + struct.pack("<I", len(body) + 4 if size is None else size) + b"WAVE" + body


def rf64(bits: int) -> bytes:
    data = samples(bits)
    sizes = chunk(b"ds64", struct.pack("<QQQI", len(data) + 100, len(data), COUNT, 0))
    return wav(sizes, form(bits), chunk(b"data", data, UNKNOWN), riff=b"RF64", size=UNKNOWN)


LIST = chunk(b"LIST", b"INFOISFT\x0e\0\0\0Lavf59.27.100\0")
S16 = samples(16)
READABLE = {
    "16 bit": wav(form(16), chunk(b"data", S16)),
    "24 bit": wav(form(24), chunk(b"data", samples(24))),
    "32 bit": wav(form(32), chunk(b"data", samples(32))),
    "float": wav(form(32, FLOAT), chunk(b"data", samples(32, FLOAT))),
    "float, extensible": wav(form(32, FLOAT, extensible=True), chunk(b"data", samples(32, FLOAT))),
    "RF64": rf64(24),
    "a LIST before": wav(form(16), LIST, chunk(b"data", S16)),
    "a LIST after": wav(form(16), chunk(b"data", S16), LIST),
    "junk of odd size before": wav(chunk(b"JUNK", b"odd"), form(16), chunk(b"data", S16)),
    "a stray byte after": wav(form(16), chunk(b"data", S16)) + b"\0",
}
"""Files whose sizes are right."""
LYING = {
    "size 0": wav(form(16), chunk(b"data", S16, 0), size=0),
    "size unknown": wav(form(16), chunk(b"data", S16, UNKNOWN), size=UNKNOWN),
    "size wrapped": wav(form(16), chunk(b"data", S16, 1000), size=1036),
}
"""Files that are audio to their end, whatever they say."""
UNUSABLE = {
    "truncated": (wav(form(16), chunk(b"data", S16))[: 44 + 24_000], r"promises 96,000 bytes of audio, 24,000 are there \(75 % missing\)"),
    "no data chunk": (wav(form(16), LIST), "there is no data chunk"),
    "nothing after the head": (wav(), "there is no data chunk"),
    "an empty data chunk": (wav(form(16), chunk(b"data", b"")), "its data chunk is empty"),
    "an empty file": (b"", "the file is empty"),
}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Answers in the place of ffmpeg, and what it was asked."""
    commands: list[list[str]] = []

    def answer(argv: list[str]) -> str:
        commands.append(argv)
        return LISTENED

    monkeypatch.setattr("audio.ffmpeg.find", lambda: "ffmpeg")
    monkeypatch.setattr("audio.ffmpeg.complaints", answer)
    return commands


@pytest.mark.parametrize("name", [*READABLE, *LYING])
def test_a_size_is_believed_unless_it_is_known_to_lie(tmp_path: Path, asked: list[list[str]], name: str) -> None:
    path = tmp_path / "take.wav"
    path.write_bytes({**READABLE, **LYING}[name])
    found = sources.probe(path)
    assert found.ignore_length is (name in LYING)
    assert ("-ignore_length" in asked[0]) is (name in LYING)
    assert found.declared == (None if name in LYING else 1.0)


@pytest.mark.parametrize("name", UNUSABLE)
def test_what_is_missing_is_said_before_anything_is_started(tmp_path: Path, asked: list[list[str]], name: str) -> None:
    path = tmp_path / "take.wav"
    data, why = UNUSABLE[name]
    path.write_bytes(data)
    with pytest.raises(SourceUnreadable, match=why) as caught:
        sources.probe(path)
    assert caught.value.path == path
    assert asked == []


def test_a_file_that_is_not_there_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreadable, match="No such file"):
        sources.probe(tmp_path / "none.wav")


@pytest.mark.parametrize(
    ("layout", "channels"),
    [("mono", 1), ("stereo", 2), ("2 channels", 2), ("3.0", 3), ("2.1", 3), ("5.1(side)", 6), ("6.1", 7), ("octagonal", 8), ("16 channels", 16)],
)
def test_channels_are_counted_in_every_layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: str, channels: int) -> None:
    monkeypatch.setattr("audio.ffmpeg.find", lambda: "ffmpeg")
    line = f"  Stream #0:0[0x1](und): Audio: flac, 44100 Hz, {layout}, s16 (default)\n  Stream #0:1: Video: mjpeg, 500x500\n"
    monkeypatch.setattr("audio.ffmpeg.complaints", lambda _: line)
    (tmp_path / "take.wav").write_bytes(READABLE["16 bit"])
    found = sources.probe(tmp_path / "take.wav")
    assert (found.codec, found.rate, found.channels, found.declared) == ("flac", 44_100, channels, None)


# -- with ffmpeg ------------------------------------------------------------------------------------------------------------------


@pytest.mark.process
@pytest.mark.usefixtures("ffmpeg")
@pytest.mark.parametrize("name", ["24 bit", "float, extensible", "RF64", "a LIST after", "size unknown", "size wrapped"])
def test_every_sample_is_read_at_its_level(tmp_path: Path, name: str) -> None:
    path = tmp_path / "100% : take's.wav"
    path.write_bytes({**READABLE, **LYING}[name])
    found, pcm = measure.measure(Take(sources.probe(path), 2), measure.Cut(trim=False), tmp_path)
    pcm.close()
    assert found.profile.length == COUNT
    assert found.profile.peak.max() == pytest.approx(20 * np.log10(np.abs(SPEECH).max()), abs=0.01)


@pytest.mark.process
@pytest.mark.usefixtures("ffmpeg")
@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("take.wav", b"# Notes\n\nnot a recording\n", "it begins like a text file"),
        ("take.wav", bytes(5000), "it begins with zeros"),
        ("take.m4a", bytes.fromhex("0000001c66747970") + b"M4A \0\0\2\0isomiso2mdat" + bytes(64), "index"),
        ("take.wav", bytes(range(1, 128, 3)) * 50, "not audio that ffmpeg can read"),
    ],
)
def test_what_is_no_audio_is_called_what_it_is(tmp_path: Path, name: str, data: bytes, why: str) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(SourceUnreadable, match=why):
        sources.probe(path)


@pytest.mark.process
def test_the_length_of_a_recording_with_many_chapters_and_a_talkative_tag_is_known(tmp_path: Path, ffmpeg: str) -> None:
    marks = "".join(f"[CHAPTER]\nTIMEBASE=1/1000\nSTART={n * 20}\nEND={n * 20 + 20}\ntitle=Part {n}\n" for n in range(50))
    (tmp_path / "marks.txt").write_text(f";FFMETADATA1\ncomment=Duration: 09:59:59.00 Stream #0:0: Audio: none, 8000 Hz, mono\n{marks}")
    (tmp_path / "take.wav").write_bytes(READABLE["16 bit"])
    options = ["-i", "take.wav", "-i", "marks.txt", "-map_metadata", "1", "take.m4a"]
    subprocess.run([ffmpeg, "-nostdin", "-v", "error", *options], cwd=tmp_path, check=True)
    found = sources.probe(tmp_path / "take.m4a")
    assert (found.codec, found.rate, found.channels) == ("aac", RATE, 1)
    assert found.declared == pytest.approx(1.0, abs=0.05)
