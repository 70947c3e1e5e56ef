"""M4A and Opus beside the MP3: the sound that went in comes out at its place, and every program finds the chapters where they are.

What players read is asked of ffprobe, mpv and mutagen, and of readers written here. Nothing here takes our own reading for proof.
"""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import hashlib
import io
import json
import struct
import subprocess
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import mutagen.mp4
import mutagen.oggopus
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from audio import ffmpeg, further, graph, m4a, opus
from audio.errors import FfmpegFailed, FfmpegMissing, StreamBroken, TagError
from audio.further import Kind
from audio.tagsheet import TagSheet
from audio.timeline import Chapter
from audio.units import RATE, Ms, Samples
from tests.audio.test_tags_readers import png
from tests.conftest import require

KINDS: tuple[Kind, ...] = ("m4a", "opus")
GRID = 2 * RATE
TITLES = (
    "Cold Open",
    "Equals = semicolon; # hash \\ backslash [CHAPTER]",
    "日本語の長い題名" * 38,
    "Consensus \U0001f469\u200d\U0001f4bb & the $ of “quorums”",
    "Failure analysis, at length. " * 11,
    "A new\nline",
)
CLEANED = (*TITLES[:4], TITLES[4].strip(), "A new line")
STARTS = tuple(range(0, len(TITLES) * 2000, 2000))
LENGTH = Samples(len(TITLES) * GRID + 1)
"""No whole number of frames of any codec."""
BURST = RATE // 10


def sheet(length: int = LENGTH, **changes: object) -> TagSheet:
    ends = [*(number * GRID for number in range(1, len(TITLES))), length]
    chapters = tuple(
        Chapter(f"part-{n}", title, Samples(n * GRID), Samples(end), f"https://example.org/{n}/é" if n % 2 else None)
        for n, (title, end) in enumerate(zip(TITLES, ends, strict=True))
    )
    made = TagSheet(
        title="CAP & the $ of “consistency”",
        artist="Ada",
        album="Foundational",
        album_artist="The Show",
        season=1,
        track=7,
        track_total=12,
        date=dt.date(2025, 3, 9),
        duration=Samples(length),
        comment="What it is about.\nIn two lines.",
        description="What it is about. " * 20,
        link="https://example.org/cap",
        feed_url="https://example.org/feed.xml",
        guid="urn:uuid:7",
        keywords=("raft", "paxos"),
        category="Technology",
        copyright="CC BY",
        publisher="Ada's",
        encoder="made by hand",
        chapters=chapters,
        # More than a page of Ogg holds.
        cover=png(300),
    )
    return dataclasses.replace(made, **changes)  # type: ignore[arg-type]


def programme(channels: int) -> NDArray[np.float32]:
    """A room with noise, and a burst of another pitch at the start of each chapter; the two sides differ."""
    generator = np.random.default_rng(14)
    sound = 0.01 * generator.standard_normal((LENGTH, channels))
    time = np.arange(BURST) / RATE
    for number in range(len(TITLES)):
        wave = 0.4 * np.sin(2 * np.pi * (400 + 170 * number) * time) * np.exp(-8 * time)
        sound[number * GRID :][:BURST] += wave[:, None] * np.linspace(1.0, 0.5, channels)
    return sound.astype(np.float32)


def blocks(sound: NDArray[np.float32], size: int = RATE) -> Iterator[NDArray[np.float32]]:
    return (sound[at : at + size] for at in range(0, len(sound), size))


def run(*argv: str | Path) -> bytes:
    return subprocess.run([str(a) for a in argv], check=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=60).stdout


def decoded(binary: str, path: Path, channels: int, *options: str) -> NDArray[np.float32]:
    raw = run(binary, "-v", "error", "-nostdin", *options, "-i", path, "-map", "0:a", "-f", "f32le", "-")
    return np.frombuffer(raw, "<f4").reshape(-1, channels)


def lag(heard: NDArray[np.float32], wanted: NDArray[np.float32], around: int) -> int:
    """How many samples after ``around`` of ``heard`` the sound ``wanted`` is found."""
    first = max(0, around - 3000)
    window = heard[first : around + len(wanted) + 3000].mean(axis=1, dtype="f8")
    return int(np.argmax(np.correlate(window, wanted.mean(axis=1, dtype="f8"), "valid"))) + first - around


@dataclass
class Made:
    """A bare sound, and the file that was made of it."""

    kind: Kind
    channels: int
    sound: NDArray[np.float32]
    bare: Path
    finished: Path


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Kind, int], Made]:
    """Each sound is encoded once, by the first test that asks for it: only a marked test may start the encoder."""
    folder = tmp_path_factory.mktemp("further")
    made: dict[tuple[Kind, int], Made] = {}

    def get(kind: Kind, channels: int) -> Made:
        if (kind, channels) not in made:
            bare, finished = folder / f"bare-{channels}{further.SUFFIXES[kind]}", folder / f"finished-{channels}{further.SUFFIXES[kind]}"
            sound = programme(channels)
            further.encode(kind, blocks(sound), channels, further.BITRATES[kind][channels - 1], bare)
            finish(kind, bare, finished, sheet())
            made[kind, channels] = Made(kind, channels, sound, bare, finished)
        return made[kind, channels]

    return get


@pytest.fixture(params=KINDS)
def made(request: pytest.FixtureRequest, kept: Callable[[Kind, int], Made], ffmpeg: str) -> Made:
    assert ffmpeg
    return kept(request.param, 2)


def finish(kind: Kind, bare: Path, path: Path, told: TagSheet) -> bytes:
    with path.open("wb") as file:
        further.finish(kind, bare, file, told)
    return path.read_bytes()


# -- the sound ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.process
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("kind", KINDS)
def test_what_went_in_comes_out_from_its_first_sample_to_its_last(kind: Kind, channels: int, kept: Callable[[Kind, int], Made], ffmpeg: str) -> None:
    made = kept(kind, channels)
    for path in (made.bare, made.finished):
        heard = decoded(ffmpeg, path, channels)
        # ffmpeg before 6 does not leave out what an edit list says is over: less than a frame of AAC, at the very end.
        assert 0 <= len(heard) - LENGTH < (m4a.FRAME if kind == "m4a" else 1)
        for number in range(len(TITLES)):
            assert abs(lag(heard, made.sound[number * GRID :][:BURST], number * GRID)) <= 1
        error = heard[:LENGTH] - made.sound
        assert np.sqrt(np.mean(error**2)) < 0.5 * np.sqrt(np.mean(made.sound**2))


@pytest.mark.process
def test_whoever_seeks_to_a_chapter_hears_its_first_sound_within_a_frame(made: Made, ffmpeg: str) -> None:
    for number, start in enumerate(STARTS):
        early = max(0, start - 500)
        heard = decoded(ffmpeg, made.finished, 2, "-ss", f"{early / 1000}", "-t", "1.5")
        assert abs(lag(heard, made.sound[number * GRID :][:BURST], (start - early) * RATE // 1000)) < further.FRAMES[made.kind]


@pytest.mark.process
def test_ffmpeg_decodes_a_finished_file_without_a_word(made: Made, ffmpeg: str) -> None:
    done = subprocess.run([ffmpeg, "-v", "error", "-xerror", "-nostdin", "-i", made.finished, "-f", "null", "-"], check=True, capture_output=True)
    assert done.stderr == b""


@pytest.mark.process
def test_the_same_samples_give_the_same_bytes_however_they_are_cut(made: Made, tmp_path: Path) -> None:
    again = tmp_path / "again"
    further.encode(made.kind, blocks(made.sound, 7_777), 2, further.BITRATES[made.kind][1], again)
    assert again.read_bytes() == made.bare.read_bytes()
    assert finish(made.kind, again, tmp_path / "finished", sheet()) == made.finished.read_bytes()


@pytest.mark.process
def test_another_title_leaves_the_sound_as_it_is(made: Made, ffmpeg: str, tmp_path: Path) -> None:
    other = tmp_path / f"other{further.SUFFIXES[made.kind]}"
    renamed = tuple(dataclasses.replace(one, title=f"{n}.") for n, one in enumerate(sheet().chapters))
    finish(made.kind, made.bare, other, sheet(title="Another", chapters=renamed, cover=None))
    packets = [run(ffmpeg, "-v", "error", "-i", path, "-map", "0:a", "-c", "copy", "-f", "md5", "-") for path in (made.bare, made.finished, other)]
    assert len(set(packets)) == 1
    assert further.read_back(made.kind, other).title == "Another"


def test_no_date_stands_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = silent("m4a", 48_000, tmp_path, monkeypatch)
    data = finish("m4a", bare, tmp_path / "finished.m4a", sheet(48_000, chapters=()))
    for name in (b"mvhd", b"tkhd", b"mdhd"):
        at = data.index(name)
        assert data[at + 4 : at + 16] == bytes((0, 0, 0, 3 if name == b"tkhd" else 0, *bytes(8)))


# -- the chapters -------------------------------------------------------------------------------------------------------------------


def probed(path: Path) -> list[tuple[int, str]]:
    found = json.loads(run(require("ffprobe"), "-v", "error", "-of", "json", "-show_chapters", path))["chapters"]
    return [(round(float(one["start_time"]) * 1000), one["tags"]["title"]) for one in found]


def nero(data: bytes) -> list[tuple[int, bytes]]:
    """The Nero list, as players read it that know nothing else: start in units of 100 ns, and title."""
    at = data.index(b"chpl") + 4
    # Four bytes of version and flags, one that is reserved, then the count: in four bytes for some, in the last of them for others.
    assert data[at] == 1
    (count,) = struct.unpack_from(">I", data, at + 5)
    assert count == data[at + 8]
    at += 9
    listed = []
    for _ in range(count):
        start, size = struct.unpack_from(">Qb", data, at)
        assert size >= 0
        listed.append((start, data[at + 9 : at + 9 + size]))
        at += 9 + size
    return listed


@pytest.mark.process
def test_ffprobe_lists_every_chapter_at_its_start(made: Made) -> None:
    assert probed(made.finished) == list(zip(STARTS, CLEANED, strict=True))


@pytest.mark.process
def test_mpv_lists_every_chapter_at_its_start(made: Made) -> None:
    fields = "".join(f"${{=chapter-list/{i}/time}}|${{chapter-list/{i}/title}}\\n" for i in range(len(TITLES)))
    message = f"--term-playing-msg=<<<${{chapter-list/count}}\\n{fields}>>>"
    shown = run(require("mpv"), "--no-config", "--vo=null", "--ao=null", "--no-video", "--length=0.1", message, made.finished).decode()
    count, *lines = shown.split("<<<")[1].split("\n>>>")[0].splitlines()
    assert int(count) == len(TITLES)
    times, titles = zip(*(line.split("|") for line in lines), strict=True)
    assert list(titles) == list(CLEANED)
    assert [float(time) for time in times] == pytest.approx([start / 1000 for start in STARTS], abs=0.001)


@pytest.mark.process
def test_both_lists_of_an_m4a_say_the_same(kept: Callable[[Kind, int], Made], ffmpeg: str, tmp_path: Path) -> None:
    assert ffmpeg
    data = kept("m4a", 2).finished.read_bytes()
    short = [m4a.cut(title, 127) for title in CLEANED]
    assert [(start, title.decode()) for start, title in nero(data)] == [(start * 10_000, title) for start, title in zip(STARTS, short, strict=True)]
    # Without the track ffprobe sees the Nero list, and the other way round.
    no_track, no_nero = tmp_path / "no-track.m4a", tmp_path / "no-nero.m4a"
    no_track.write_bytes(data.replace(b"tref", b"free"))
    no_nero.write_bytes(data.replace(b"chpl", b"free"))
    assert probed(no_track) == list(zip(STARTS, short, strict=True))
    assert probed(no_nero) == list(zip(STARTS, CLEANED, strict=True))
    listed = mutagen.mp4.MP4(kept("m4a", 2).finished).chapters
    assert [(round(one.start * 1000), one.title) for one in listed] == list(zip(STARTS, short, strict=True))


@pytest.mark.process
def test_the_chapter_track_is_laid_out_as_ffmpeg_lays_it_out(kept: Callable[[Kind, int], Made], ffmpeg: str, tmp_path: Path) -> None:
    theirs, listed = tmp_path / "theirs.m4a", tmp_path / "chapters.txt"
    made = kept("m4a", 2)
    short = sheet(chapters=tuple(dataclasses.replace(one, title=f"Kapitel {'I' * (n + 1)} é") for n, one in enumerate(sheet().chapters)))
    ours = finish("m4a", made.bare, tmp_path / "ours.m4a", short)
    ends = [*STARTS[1:], further.expected("m4a", short).length * 1000 // RATE]
    text = "".join(
        f"[CHAPTER]\nTIMEBASE=1/1000\nSTART={a}\nEND={b}\ntitle=Kapitel {'I' * (n + 1)} é\n"
        for n, (a, b) in enumerate(zip(STARTS, ends, strict=True))
    )
    listed.write_text(f";FFMETADATA1\n{text}", "utf-8")
    run(ffmpeg, "-v", "error", "-i", made.bare, "-f", "ffmetadata", "-i", listed, "-map", "0:a", "-map_chapters", "1", "-c", "copy", theirs)

    def found(data: bytes, name: bytes) -> bytes:
        at = data.rindex(name, 0, data.rindex(b"chpl") + 4) - 4
        return data[at : at + int.from_bytes(data[at : at + 4], "big")]

    # Not how long each lasts: the track's clock is not the same in all versions.
    for name in (b"gmhd", b"stsd", b"stsc", b"stsz", b"chpl"):
        assert found(ours, name) == found(theirs.read_bytes(), name)
    for data in (ours, theirs.read_bytes()):
        start = int.from_bytes(found(data, b"stco")[16:20], "big")
        assert data[start : start + 26] == b"\0\x0cKapitel I \xc3\xa9" + b"\0\0\0\x0cencd\0\0\1\0"


@pytest.mark.process
def test_in_opus_the_first_page_of_comments_holds_the_chapters_and_the_cover_comes_last(kept: Callable[[Kind, int], Made], ffmpeg: str) -> None:
    assert ffmpeg
    data = kept("opus", 2).finished.read_bytes()
    page = data.index(b"OpusTags")
    assert data.index(b"OggS", page) - page > 65_000
    for number, (start, title) in enumerate(zip(STARTS, CLEANED, strict=True)):
        text = f"CHAPTER{number:03d}=00:00:{start // 1000:02d}.000".encode()
        assert page < data.index(text) < data.index(f"CHAPTER{number:03d}NAME={title}".encode()) < page + 20_000
    assert data.index(b"CHAPTER001URL=https://example.org/1/%C3%A9") < data.index(b"TITLE=") < data.index(b"METADATA_BLOCK_PICTURE=")
    tags = mutagen.oggopus.OggOpus(kept("opus", 2).finished).tags
    assert [key for key, _ in tags][-1].upper() == "METADATA_BLOCK_PICTURE"


def many(length: int) -> TagSheet:
    """As many chapters as there may be, the last one at the very end."""
    step = length // 255 // 48 * 48
    starts = [number * step for number in range(254)] + [length - 48]
    titles = [f"{number} ".ljust(300 if number % 5 == 0 else 20 + number % 7, "x") for number in range(255)]
    chapters = tuple(
        Chapter(f"c{n}", title, Samples(start), Samples(end))
        for n, (title, start, end) in enumerate(zip(titles, starts, [*starts[1:], length], strict=True))
    )
    return sheet(length, chapters=chapters)


@pytest.mark.process
@pytest.mark.parametrize("kind", KINDS)
def test_after_twelve_hours_255_chapters_are_where_they_were(kind: Kind, ffmpeg: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    length = 12 * 3600 * RATE
    bare, finished = silent(kind, length, tmp_path, monkeypatch), tmp_path / f"finished{further.SUFFIXES[kind]}"
    told = many(length)
    finish(kind, bare, finished, told)
    whole = [(one.start * 1000 // RATE, one.title) for one in told.chapters]
    assert probed(finished) == whole
    assert further.read_back(kind, finished) == further.expected(kind, told)
    if kind == "m4a":
        assert [start for start, _ in nero(finished.read_bytes())] == [start * 10_000 for start, _ in whole]
    shown = json.loads(run(require("ffprobe"), "-v", "error", "-of", "json", "-show_format", finished))["format"]["duration"]
    assert float(shown) == pytest.approx(12 * 3600, abs=0.02)
    assert len(decoded(ffmpeg, finished, 2, "-ss", f"{12 * 3600 - 2}")) == pytest.approx(2 * RATE, abs=1024)


# -- tags ---------------------------------------------------------------------------------------------------------------------------


@pytest.mark.process
def test_ffprobe_reads_the_tags_and_sees_the_cover(made: Made) -> None:
    found = json.loads(run(require("ffprobe"), "-v", "error", "-of", "json", "-show_format", "-show_streams", made.finished))
    shown = {**found["format"].get("tags", {}), **found["streams"][0].get("tags", {})}
    tags = {key.lower(): value for key, value in shown.items()}
    told = sheet()
    assert {key: tags[key] for key in ("title", "artist", "album", "album_artist", "genre", "date", "comment", "copyright", "url")} == {
        "title": told.title,
        "artist": "Ada",
        "album": "Foundational",
        "album_artist": "The Show",
        "genre": "Podcast",
        "date": "2025-03-09",
        # in Opus ffmpeg shows the description as this
        "comment": told.comment if made.kind == "m4a" else told.description.strip(),
        "copyright": "CC BY",
        "url": "https://example.org/cap",
    }
    assert tags["language"] == "eng"
    assert tags["track"].split("/")[0] == "7"
    pictures = [one for one in found["streams"] if one["disposition"]["attached_pic"]]
    assert [(one["codec_name"], one["width"]) for one in pictures] == [("png", 300)]


@pytest.mark.process
def test_mutagen_finds_the_podcast_tags_of_an_m4a(kept: Callable[[Kind, int], Made], ffmpeg: str) -> None:
    assert ffmpeg
    file = mutagen.mp4.MP4(kept("m4a", 2).finished)
    # mutagen knows no edit lists, and counts the encoder's delay.
    assert file.info.length == pytest.approx((LENGTH + m4a.PRIMING) / RATE, abs=1e-9)
    assert (file.info.channels, file.info.sample_rate, file.info.codec) == (2, RATE, "mp4a.40.2")
    tags = file.tags
    told = sheet()
    assert tags["trkn"] == [(7, 12)]
    assert tags["disk"] == [(1, 0)]
    assert tags["pcst"] is True
    assert tags["stik"] == [21]
    # These two hold bytes.
    assert [bytes(tags[name][0]) if isinstance(tags[name][0], bytes) else tags[name][0].encode() for name in ("purl", "egid")] == [
        b"https://example.org/feed.xml",
        b"urn:uuid:7",
    ]
    assert [tags[name] for name in ("catg", "keyw", "ldes", "\xa9too")] == [
        ["Technology"],
        ["raft, paxos"],
        [told.description.strip()],
        ["made by hand"],
    ]
    (short,) = tags["desc"]
    assert len(short.encode()) <= 255
    assert short.endswith("…")
    assert [(bytes(cover), cover.imageformat) for cover in tags["covr"]] == [(told.cover, mutagen.mp4.MP4Cover.FORMAT_PNG)]


@pytest.mark.process
def test_mutagen_finds_the_comments_and_the_cover_of_an_opus_file(kept: Callable[[Kind, int], Made], ffmpeg: str) -> None:
    import mutagen.flac

    assert ffmpeg
    file = mutagen.oggopus.OggOpus(kept("opus", 2).finished)
    assert file.info.length == pytest.approx(LENGTH / RATE, abs=1e-9)
    wanted = {
        "tracknumber": "7",
        "tracktotal": "12",
        "discnumber": "1",
        "description": sheet().description.strip(),
        "podcasturl": "https://example.org/feed.xml",
        "podcastid": "urn:uuid:7",
        "podcastkeywords": "raft, paxos",
        "publisher": "Ada's",
        "encoder": "made by hand",
    }
    assert {key: file.tags[key] for key in wanted} == {key: [value] for key, value in wanted.items()}
    (picture,) = (mutagen.flac.Picture(base64.b64decode(data)) for data in file.tags["metadata_block_picture"])
    assert (picture.data, picture.mime, picture.type) == (sheet().cover, "image/png", 3)


# -- reading back -------------------------------------------------------------------------------------------------------------------


@pytest.mark.process
def test_what_is_read_back_is_what_was_meant(made: Made) -> None:
    found = further.read_back(made.kind, made.finished)
    assert found == further.expected(made.kind, sheet())
    assert found.lists[0] == tuple((Ms(start), title) for start, title in zip(STARTS, CLEANED, strict=True))
    assert len(found.lists) == (2 if made.kind == "m4a" else 1)


@pytest.mark.process
def test_a_file_that_was_tampered_with_is_not_what_was_meant(made: Made, tmp_path: Path) -> None:
    path = tmp_path / "tampered"
    data = made.finished.read_bytes()
    changes = [(b"Cold Open", b"Cold oven"), (b"Ada", b"Adb"), (b"Foundational", b"Foundationel"), (b"urn:uuid:7", b"urn:uuid:8")]
    if made.kind == "m4a":
        # one list only, and a start
        first = data.index(b"Cold Open")
        changes += [
            (data[first : first + 10], b"Cold oven" + data[first + 9 : first + 10]),
            (struct.pack(">Q", 20_000_000), struct.pack(">Q", 20_010_000)),
        ]
    else:
        changes += [(b"CHAPTER001=00:00:02.000", b"CHAPTER001=00:00:02.001")]
    for old, new in changes:
        assert old in data
        path.write_bytes(data.replace(old, new))
        assert further.read_back(made.kind, path) != further.expected(made.kind, sheet())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("data", [b"", b"ID3\x03", b"OggS" + bytes(40), struct.pack(">I4s", 24, b"ftyp") + bytes(16), bytes(100)])
def test_what_is_neither_cannot_be_read_back(kind: Kind, data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    with pytest.raises(TagError, match="not an"):
        further.read_back(kind, path)


# -- without an encoder -------------------------------------------------------------------------------------------------------------

SILENT_AAC = bytes.fromhex("21 10 04 60 8c 1c")
SILENT_OPUS = bytes.fromhex("fc ff fe")


def adts(payload: bytes, channels: int = 2) -> bytes:
    size = len(payload) + 7
    return bytes((0xFF, 0xF1, 0x4C, channels << 6 | size >> 11, size >> 3 & 0xFF, (size & 7) << 5 | 0x1F, 0xFC)) + payload


def ogg_crc(data: bytes) -> int:
    """As RFC 3533 says it, bit by bit."""
    register = 0
    for byte in data:
        register ^= byte << 24
        for _ in range(8):
            register = register << 1 ^ (0x104C11DB7 if register & 0x80000000 else 0)
    return register


def ogg_page(number: int, flags: int, ends: int, packets: Iterable[bytes], *, checked: bool = True) -> bytes:
    lacing = b"".join(b"\xff" * (len(packet) // 255) + bytes((len(packet) % 255,)) for packet in packets)
    page = struct.pack("<4sBBqIIIB", b"OggS", 0, flags, ends, 0, number, 0, len(lacing)) + lacing + b"".join(packets)
    return page[:22] + struct.pack("<I", ogg_crc(page) if checked else 0) + page[26:]


def ogg(length: int) -> Iterator[bytes]:
    """Opus as the encoder gives it, silent; its pages are only checked when there are few."""
    yield ogg_page(0, 2, 0, [b"OpusHead" + struct.pack("<BBHIhB", 1, 2, 312, RATE, 0, 0)])
    yield ogg_page(1, 0, 0, [b"OpusTags" + struct.pack("<I6sI", 6, b"vendor", 0)])
    packets = -(-(length + 312) // 960)
    for number, first in enumerate(range(0, packets, 50)):
        count = min(50, packets - first)
        last = first + count == packets
        ends = length + 312 if last else (first + count) * 960
        yield ogg_page(2 + number, 4 * last, ends, [SILENT_OPUS] * count, checked=packets < 1000)


def silent(kind: Kind, length: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Silence as `encode` leaves it, with an encoder played by this test."""

    def through(argv: list[str], pcm: Iterable[memoryview], take: Callable[[bytes], None]) -> int:
        assert argv[0] == "ffmpeg"
        for _ in pcm:
            pass
        if kind == "m4a":
            frames = adts(SILENT_AAC) * (-(-length // 1024) + 1)
            # in pieces that end anywhere
            for at in range(0, len(frames), 99_991):
                take(frames[at : at + 99_991])
        else:
            for page in ogg(length):
                take(page)
        return length * 2 * 4

    with monkeypatch.context() as patch:
        patch.setattr(ffmpeg, "find", lambda: "ffmpeg")
        patch.setattr(ffmpeg, "through", through)
        path = folder / f"silent-{length}{further.SUFFIXES[kind]}"
        further.encode(kind, iter(()), 2, 96, path)
    return path


def test_our_checksum_is_that_of_the_standard() -> None:
    page = ogg_page(7, 0, 48_000, [bytes(range(256)), b"\xff" * 300])
    (read,) = opus._pages(io.BytesIO(page))
    assert read.written(7) == page
    assert read.written(8) == ogg_page(8, 0, 48_000, [bytes(range(256)), b"\xff" * 300])


@pytest.mark.parametrize("cover", [None, png(20), png(300)])
def test_every_page_is_numbered_and_checked_whatever_the_comments_take(cover: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = silent("opus", LENGTH, tmp_path, monkeypatch)
    data = finish("opus", bare, tmp_path / "finished.opus", sheet(cover=cover))
    at, number, packets = 0, 0, 0
    while at < len(data):
        size = 27 + data[at + 26] + sum(data[at + 27 : at + 27 + data[at + 26]])
        page = data[at : at + size]
        assert struct.unpack_from("<II", page, 18) == (number, ogg_crc(page[:22] + bytes(4) + page[26:]))
        packets += sum(value < 255 for value in page[27 : 27 + page[26]])
        at, number = at + size, number + 1
    assert packets == 2 + -(-(LENGTH + 312) // 960)


@pytest.fixture(scope="module")
def short_sounds(tmp_path_factory: pytest.TempPathFactory) -> dict[Kind, Path]:
    with pytest.MonkeyPatch.context() as patch:
        return {kind: silent(kind, LENGTH, tmp_path_factory.mktemp("short"), patch) for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_any_title_is_read_back_as_it_was_meant(
    kind: Kind, short_sounds: dict[Kind, Path], tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    texts = st.text(min_size=1, max_size=400).filter(lambda text: bool(text.strip()) and any(c.isalnum() for c in text))
    chapters = tuple(dataclasses.replace(one, title=data.draw(texts)) for one in sheet().chapters)
    told = sheet(title=data.draw(texts), artist=data.draw(st.text(max_size=40)), chapters=chapters, cover=None, scratch=data.draw(st.booleans()))
    path = tmp_path_factory.getbasetemp() / f"any{further.SUFFIXES[kind]}"
    finish(kind, short_sounds[kind], path, told)
    assert further.read_back(kind, path) == further.expected(kind, told)


@given(st.text(max_size=300), st.integers(min_value=3, max_value=255))
def test_a_cut_title_is_short_enough_and_whole_to_its_last_character(text: str, most: int) -> None:
    short = m4a.cut(text, most)
    assert len(short.encode()) <= most
    assert short == text or text.startswith(short[:-1])
    assert short.endswith("…") or short == text


def test_without_chapters_there_is_no_list(short_sounds: dict[Kind, Path], tmp_path: Path) -> None:
    for kind in KINDS:
        path = tmp_path / kind
        data = finish(kind, short_sounds[kind], path, sheet(chapters=(), cover=None))
        assert further.read_back(kind, path) == further.expected(kind, sheet(chapters=(), cover=None))
        assert [word for word in (b"chpl", b"tref", b"CHAPTER") if word in data] == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"title": " \0"}, "no title"),
        ({"chapters": sheet().chapters[:-1]}, "the last chapter ends at"),
        ({"chapters": sheet().chapters[1:]}, "it must start at 0"),
        ({"duration": Samples(LENGTH + 1)}, "samples long"),
        ({"cover": b"GIF89a"}, "neither JPEG nor PNG"),
        ({"link": "example.org"}, "not a web address"),
    ],
)
def test_a_sheet_that_does_not_fit_is_refused(kind: Kind, wrong: dict[str, object], why: str, short_sounds: dict[Kind, Path]) -> None:
    with pytest.raises(TagError, match=why):
        further.finish(kind, short_sounds[kind], io.BytesIO(), sheet(**wrong))


@pytest.mark.parametrize("kind", KINDS)
def test_a_sound_that_is_damaged_is_not_finished(kind: Kind, short_sounds: dict[Kind, Path], tmp_path: Path) -> None:
    data = short_sounds[kind].read_bytes()
    for number, damaged in enumerate((b"", data[:20], data[: len(data) // 2], data[:-300], b"RIFF" + data)):
        path = tmp_path / f"{number}"
        path.write_bytes(damaged)
        with pytest.raises(StreamBroken):
            further.finish(kind, path, io.BytesIO(), sheet())


def test_more_than_a_day_is_refused(short_sounds: dict[Kind, Path]) -> None:
    track = dataclasses.replace(m4a._read_track(io.BytesIO(short_sounds["m4a"].read_bytes()))[0], length=Samples(25 * 3600 * RATE))
    with pytest.raises(TagError, match="24 hours"):
        m4a._moov(track, 0)


# -- an encoder that fails ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (adts(SILENT_AAC) * 48, "48 AAC frames and 0 bytes where 47 frames were due"),
        (adts(SILENT_AAC) * 46, "46 AAC frames"),
        (adts(SILENT_AAC) * 46 + adts(SILENT_AAC)[:-1], "46 AAC frames and 12 bytes"),
        (adts(SILENT_AAC, 1) * 47, "AAC frame 0: header"),
        (adts(SILENT_AAC) * 3 + bytes(700), "AAC frame 3: header"),
    ],
)
def test_aac_that_is_not_what_was_asked_for_is_not_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, given: bytes, why: str) -> None:
    def through(_: object, __: object, take: Callable[[bytes], None]) -> int:
        take(given)
        return 46 * 1024 * 8

    monkeypatch.setattr(ffmpeg, "find", lambda: "ffmpeg")
    monkeypatch.setattr(ffmpeg, "through", through)
    with pytest.raises(StreamBroken, match=why):
        further.encode("m4a", iter(()), 2, 96, tmp_path / "bare")


@pytest.mark.parametrize(
    ("pieces", "why"), [(2, "without its end"), (1, "without its comments"), (4, "gave 96000 samples of Opus where 95999 were due")]
)
def test_opus_that_is_not_whole_is_not_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pieces: int, why: str) -> None:
    def through(_: object, __: object, take: Callable[[bytes], None]) -> int:
        for page in list(ogg(2 * RATE))[: pieces + (pieces > 2)]:
            take(page)
        return (2 * RATE - 1) * 8

    monkeypatch.setattr(ffmpeg, "find", lambda: "ffmpeg")
    monkeypatch.setattr(ffmpeg, "through", through)
    with pytest.raises(StreamBroken, match=why):
        further.encode("opus", iter(()), 2, 64, tmp_path / "bare")


@pytest.mark.process
@pytest.mark.parametrize("kind", KINDS)
def test_what_fails_on_either_side_of_the_encoder_is_what_is_raised(kind: Kind, ffmpeg: str, tmp_path: Path) -> None:
    assert ffmpeg
    good = np.zeros((RATE, 2), dtype=np.float32)

    def broken() -> Iterator[NDArray[np.float32]]:
        yield good
        raise OSError("the recording is gone")

    with pytest.raises(OSError, match="the recording is gone"):
        further.encode(kind, broken(), 2, 64, tmp_path / "bare")
    with pytest.raises(ValueError, match="2 channels"):
        further.encode(kind, [good[:, :1]], 2, 64, tmp_path / "bare")
    with pytest.raises(FfmpegFailed):
        further.encode(kind, [good] * 20, 2, -1, tmp_path / "bare")
    with pytest.raises(FileNotFoundError):
        further.encode(kind, [good], 2, 64, tmp_path / "nowhere" / "bare")


@pytest.mark.process
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_no_sound(kind: Kind, ffmpeg: str, tmp_path: Path) -> None:
    assert ffmpeg
    with pytest.raises((FfmpegFailed, StreamBroken)):
        further.encode(kind, iter(()), 2, 64, tmp_path / "bare")


@pytest.mark.process
def test_an_ffmpeg_without_the_encoder_is_told_at_once(ffmpeg: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ffmpeg
    for kind in KINDS:
        further.check(kind)
    monkeypatch.setitem(further._ENCODERS, "opus", "libopus_of_another_build")
    with pytest.raises(FfmpegMissing, match=r"cannot make \.opus"):
        further.check("opus")


RECIPES = {1: "9ac6abdd06309dae"}
"""The digest of the commands, by recipe. A change adds a line: where one is changed, old sound is taken for new."""


def test_commands_that_changed_have_another_recipe() -> None:
    commands = [graph.encode_aac("ffmpeg", 96, 2), graph.encode_opus("ffmpeg", 40, 1)]
    assert hashlib.sha256(repr(commands).encode()).hexdigest()[:16] == RECIPES[further.SOUND_RECIPE]
    assert max(RECIPES) == further.SOUND_RECIPE
    for argv in commands:
        assert argv[argv.index("-i") + 1] == "pipe:0"
        assert argv[-1] == "pipe:1"
        assert "-nostdin" in argv
        assert "+bitexact" in argv
