"""Do the programs that listeners use find in our tag what we put there? Each reads a short MP3 with the tag in front."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import shutil
import struct
import subprocess
import zlib
from pathlib import Path

import pytest

from audio.tags import read, render, tag_size
from audio.tagsheet import TagSheet
from audio.timeline import Chapter
from audio.units import FRAME, Samples

pytestmark = pytest.mark.process

GRID = 125 * FRAME
TITLES = (
    "Cold Open",
    "Failure analysis, at length. " * 11,
    "日本語の長い題名" * 38,
    "Same length, one",
    "Same length, two",
    "שלום: " + "right to left " * 20,
    "Consensus \U0001f469\u200d\U0001f4bb & the $ of quorums",
    "End",
)


def tool(name: str) -> str:
    found = shutil.which(name)
    if not found:
        pytest.skip(f"{name} is not on PATH")
    return found


def run(*argv: str | Path) -> bytes:
    return subprocess.run([str(a) for a in argv], check=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=60).stdout


def png(side: int) -> bytes:
    """A grey square that no program can refuse."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + bytes((x * 7 + 31) & 0xFF for x in range(side))) * side
    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 0)) + chunk(b"IEND", b"")


def sheet() -> TagSheet:
    starts = [i * GRID for i in range(len(TITLES))]
    chapters = tuple(
        # Images and links on some only: the frames differ in size, and so would be out of order if size decided.
        Chapter(
            f"part-{i}",
            title.strip(),
            Samples(start),
            Samples(start + GRID),
            f"https://example.org/{i}/é" if i % 2 else None,
            png(40 + 20 * (len(TITLES) - i)) if i % 3 == 0 else None,
        )
        for i, (title, start) in enumerate(zip(TITLES, starts, strict=True))
    )
    return TagSheet(
        title="CAP & the $ of “consistency”",
        artist="Ada",
        album="Foundational",
        album_artist="The Show",
        season=1,
        track=7,
        track_total=12,
        date=dt.date(2025, 3, 9),
        duration=Samples(len(TITLES) * GRID),
        comment="What it is about.",
        description="What it is about, at length.",
        feed_url="https://example.org/feed.xml",
        guid="urn:uuid:7",
        keywords=("raft", "paxos"),
        category="Technology",
        cover=png(200),
        chapters=chapters,
    )


SHEET = sheet()
STARTS = [3 * i for i in range(len(TITLES))]
CLEANED = [title.strip() for title in TITLES]


@pytest.fixture(scope="module")
def episode(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tagged")
    bare = folder / "bare.mp3"
    seconds = len(TITLES) * 3
    run(
        *(tool("ffmpeg"), "-v", "error", "-nostdin", "-f", "lavfi", "-i", f"sine=frequency=300:sample_rate=48000:duration={seconds}"),
        *("-c:a", "libmp3lame", "-b:a", "64k", "-id3v2_version", "0", "-write_id3v1", "0", bare),
    )
    audio = bare.read_bytes()
    assert tag_size(audio[:10]) == 0
    path = folder / "episode.mp3"
    path.write_bytes(render(SHEET) + audio)
    return path


def test_ffprobe_lists_every_chapter_in_time_order(episode: Path) -> None:
    found = json.loads(run(tool("ffprobe"), "-v", "error", "-of", "json", "-show_chapters", "-show_format", "-show_streams", episode))
    chapters = found["chapters"]
    assert [c["tags"]["title"] for c in chapters] == CLEANED
    assert [(float(c["start_time"]), float(c["end_time"])) for c in chapters] == [(s, s + 3) for s in STARTS]
    tags = {key.lower(): value for key, value in found["format"]["tags"].items()}
    assert {key: tags[key] for key in ("title", "artist", "album", "album_artist", "track", "disc", "genre", "language", "tgid")} == {
        "title": SHEET.title,
        "artist": "Ada",
        "album": "Foundational",
        "album_artist": "The Show",
        "track": "7/12",
        "disc": "1",
        "genre": "Podcast",
        "language": "eng",
        "tgid": "urn:uuid:7",
    }
    assert tags["comment"] == "What it is about."
    assert [(s["codec_name"], s.get("width")) for s in found["streams"]] == [("mp3", None), ("png", 200)]


def test_ffprobe_lists_255_chapters_with_images_and_long_titles(episode: Path, tmp_path: Path) -> None:
    lengths = [300 if i % 5 == 0 else 20 + i % 7 for i in range(255)]
    chapters = tuple(
        Chapter(f"c{i}", f"{i} ".ljust(n, "x"), Samples(i * FRAME), Samples((i + 1) * FRAME), "https://example.org", png(20 + i % 11))
        for i, n in enumerate(lengths)
    )
    tagged = tmp_path / "many.mp3"
    audio = episode.read_bytes()
    tagged.write_bytes(render(dataclasses.replace(SHEET, chapters=chapters, duration=Samples(255 * FRAME))) + audio[tag_size(audio[:10]) :])
    found = json.loads(run(tool("ffprobe"), "-v", "error", "-of", "json", "-show_chapters", tagged))["chapters"]
    assert [c["tags"]["title"] for c in found] == [c.title for c in chapters]
    assert [round(float(c["start_time"]) * 1000) for c in found] == [24 * i for i in range(255)]


def test_ffmpeg_decodes_the_audio_behind_the_tag_without_a_word(episode: Path) -> None:
    argv = [tool("ffmpeg"), "-v", "warning", "-nostdin", "-i", str(episode), "-map", "0:a", "-f", "s16le", "-ac", "1", "-"]
    done = subprocess.run(argv, check=True, capture_output=True, timeout=60)
    assert done.stderr == b""
    assert len(done.stdout) == len(TITLES) * GRID * 2


def test_mpv_lists_every_chapter_in_time_order(episode: Path) -> None:
    fields = "".join(f"${{=chapter-list/{i}/time}}|${{chapter-list/{i}/title}}\\n" for i in range(len(TITLES)))
    message = f"--term-playing-msg=<<<${{chapter-list/count}}\\n{fields}>>>"
    shown = run(tool("mpv"), "--no-config", "--vo=null", "--ao=null", "--no-video", "--length=0.1", message, episode).decode()
    count, *lines = shown.split("<<<")[1].split("\n>>>")[0].splitlines()
    assert int(count) == len(TITLES)
    times, titles = zip(*(line.split("|") for line in lines), strict=True)
    assert list(titles) == CLEANED
    # mpv's zero is the first sample after the encoder's delay (1105 samples here), where ffmpeg's, and the tag's, is before it.
    assert [float(time) for time in times] == pytest.approx([start - 1105 / 48_000 for start in STARTS], abs=0.001)


# eyeD3 takes TDAT (day and month) for a whole date, which Python 3.13 warns about.
@pytest.mark.filterwarnings("ignore:(?s).*day of month:DeprecationWarning")
def test_eyed3_finds_ids_times_titles_links_and_the_podcast_frames(episode: Path) -> None:
    eyed3 = pytest.importorskip("eyed3", reason="eyeD3 is not installed")
    tag = eyed3.load(episode).tag
    assert tag.version == (2, 3, 0)
    assert tag.title == SHEET.title
    (toc,) = list(tag.table_of_contents)
    assert toc.toplevel
    assert toc.ordered
    assert toc.child_ids == [f"part-{i}".encode() for i in range(len(TITLES))]
    frames = tag.frame_set[b"CHAP"]
    assert [f.element_id for f in frames] == toc.child_ids
    assert [(f.times.start, f.times.end) for f in frames] == [(s * 1000, s * 1000 + 3000) for s in STARTS]
    assert [f.title for f in frames] == CLEANED
    assert [f.user_url for f in frames] == [f"https://example.org/{i}/%C3%A9" if i % 2 else None for i in range(len(TITLES))]
    assert [b"APIC" in f.sub_frames for f in frames] == [i % 3 == 0 for i in range(len(TITLES))]
    assert b"PCST" in tag.frame_set
    assert [tag.frame_set[fid][0].text for fid in (b"WFED", b"TGID", b"TDES", b"TKWD", b"TCAT")] == [
        "https://example.org/feed.xml",
        "urn:uuid:7",
        "What it is about, at length.",
        "raft, paxos",
        "Technology",
    ]
    assert tag.comments.get("", b"eng").text == "What it is about."


def test_our_own_reading_agrees_with_what_the_players_saw(episode: Path) -> None:
    found = read(episode)
    assert [(c.start, c.title) for c in found.chapters] == [(s * 1000, title) for s, title in zip(STARTS, CLEANED, strict=True)]
    assert [c.has_image for c in found.chapters] == [i % 3 == 0 for i in range(len(TITLES))]
