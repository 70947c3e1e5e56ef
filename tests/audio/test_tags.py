from __future__ import annotations

import dataclasses
import datetime as dt
import io
import struct
from itertools import pairwise
from pathlib import Path
from typing import Any

import mutagen.id3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audio.chapters import clean
from audio.errors import TagError
from audio.tags import expected, read, render, split, tag_size
from audio.tagsheet import TagSheet, language_code
from audio.timeline import Chapter
from audio.units import FRAME, Samples, ms

id3: Any = mutagen.id3

GRID = 125 * FRAME
JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 4
PNG = b"\x89PNG\r\n\x1a\n" + bytes(300)
TITLES = st.text(st.characters(exclude_categories=()), max_size=60).filter(clean)
IN_ONE_FOLDER = [HealthCheck.function_scoped_fixture]


def chapters_of(titles: list[str], *, image: bytes | None = None, link: str | None = None) -> tuple[Chapter, ...]:
    """Chapters of three seconds each."""
    return tuple(Chapter(f"part-{i}", title, Samples(i * GRID), Samples((i + 1) * GRID), link, image) for i, title in enumerate(titles))


def sheet_of(chapters: tuple[Chapter, ...] = (), **changes: Any) -> TagSheet:
    sheet = TagSheet(
        title="CAP & the $ of consistency",
        artist="Ada",
        album="Foundational",
        season=1,
        track=7,
        date=dt.date(2025, 3, 9),
        duration=chapters[-1].end if chapters else Samples(48_000),
        chapters=chapters,
    )
    return dataclasses.replace(sheet, **changes)


FULL = sheet_of(
    chapters_of(["A long first title " * 15, "B", "A title of middle length"], image=JPEG, link="https://example.org/é"),
    album_artist="The Show",
    track_total=12,
    comment="Line one\r\nline two\x00",
    description="<p>About & around</p>",
    link="https://example.org/7",
    feed_url="https://example.org/feed.xml",
    guid="urn:uuid:7",
    keywords=("raft", " ", "paxos"),
    category="Technology",
    copyright="2025 Ada",
    publisher="House",
    owner="Ada",
    encoder="LAME 3.100, 128 kb/s CBR",
    cover=PNG,
    scratch=True,
)


def frames_of(data: bytes) -> list[tuple[str, bytes]]:
    """The frames of a v2.3 body, read by hand: plain 32-bit sizes, no flags, zeros after the last."""
    found = []
    while data.strip(b"\0"):
        name, size, flags = struct.unpack(">4sIH", data[:10])
        assert flags == 0
        assert size <= len(data) - 10
        found.append((name.decode("ascii"), data[10 : 10 + size]))
        data = data[10 + size :]
    return found


def parsed(tag: bytes) -> Any:
    return id3.ID3(io.BytesIO(tag), translate=False, load_v1=False)


def file_of(folder: Path, tag: bytes) -> Path:
    path = folder / "tagged.mp3"
    path.write_bytes(tag + b"\xff\xfb\x94\xc4" + bytes(380))
    return path


def test_frames_stand_in_the_order_that_players_list_them() -> None:
    names = [name for name, _ in frames_of(render(FULL)[10:])]
    assert " ".join(names) == (
        "TIT2 TPE1 TPE2 TALB TRCK TPOS TYER TDAT TCON TLAN TLEN TCOP TPUB TOWN TSSE TXXX WOAF PCST TGID WFED TDES TKWD TCAT "
        "COMM CTOC CHAP CHAP CHAP APIC"
    )
    ids = [body.split(b"\0")[0] for name, body in frames_of(render(FULL)[10:]) if name == "CHAP"]
    assert ids == [b"part-0", b"part-1", b"part-2"]


def test_the_header_is_version_2_3_without_flags_and_the_whole_is_in_blocks_with_padding() -> None:
    for padding in (0, 8192, 100_000):
        tag = render(FULL, padding=padding)
        used = 10 + sum(10 + len(body) for _, body in frames_of(tag[10:]))
        assert tag[:6] == b"ID3\x03\x00\x00"
        assert tag_size(tag[:10]) == len(tag)
        assert len(tag) % 4096 == 0
        assert padding <= len(tag) - used < padding + 4096
        assert tag[used:] == bytes(len(tag) - used)


def test_the_smallest_sheet_gives_these_very_bytes() -> None:
    def text(name: bytes, value: str) -> bytes:
        body = b"\x01\xff\xfe" + value.encode("utf-16-le") + b"\0\0"
        return name + struct.pack(">IH", len(body), 0) + body

    sheet = TagSheet(title="T", artist="", album="", season=3, track=22, date=dt.date(2026, 1, 5), duration=Samples(72_000))
    frames = b"".join(
        text(name, value)
        for name, value in [
            (b"TIT2", "T"),
            (b"TRCK", "22"),
            (b"TPOS", "3"),
            (b"TYER", "2026"),
            (b"TDAT", "0501"),
            (b"TCON", "Podcast"),
            (b"TLAN", "eng"),
            (b"TLEN", "1500"),
        ]
    )
    frames += b"PCST\0\0\0\x04\0\0\0\0\0\0"
    assert render(sheet) == (b"ID3\x03\0\0\0\0\x5f\x76" + frames).ljust(12_288, b"\0")


def test_a_chapter_is_laid_out_as_the_addendum_says() -> None:
    bodies = [body for name, body in frames_of(render(FULL)[10:]) if name == "CHAP"]
    head = b"part-1\0" + struct.pack(">IIII", 3000, 6000, 0xFFFFFFFF, 0xFFFFFFFF)
    assert bodies[1].startswith(head)
    inner = dict(frames_of(bodies[1][len(head) :]))
    assert inner == {
        "TIT2": b"\x01\xff\xfeB\0\0\0",
        "WXXX": b"\0\0https://example.org/%C3%A9",
        "APIC": b"\0image/jpeg\0\0\0" + JPEG,
    }
    long_title = dict(frames_of(bodies[0][len(head) :]))["TIT2"]
    assert len(long_title) > 127 * 4


def test_the_table_of_contents_is_top_level_and_ordered() -> None:
    (body,) = [body for name, body in frames_of(render(FULL)[10:]) if name == "CTOC"]
    assert body == b"TOC\0\x03\x03part-0\0part-1\0part-2\0"


def test_podcast_frames_and_the_rest_say_what_the_sheet_says() -> None:
    tag = parsed(render(FULL))
    assert {name: str(tag[name]) for name in ("TRCK", "TPOS", "TCON", "TGID", "TDES", "TKWD", "TCAT", "TLEN", "TXXX:SCRATCH")} == {
        "TRCK": "7/12",
        "TPOS": "1",
        "TCON": "Podcast",
        "TGID": "urn:uuid:7",
        "TDES": "<p>About & around</p>",
        "TKWD": "raft, paxos",
        "TCAT": "Technology",
        "TLEN": "9000",
        "TXXX:SCRATCH": "1",
    }
    assert str(tag["COMM::eng"]) == "Line one\nline two"
    assert tag["WOAF"].url == "https://example.org/7"
    assert (tag["APIC:"].type, tag["APIC:"].mime, tag["APIC:"].data) == (id3.PictureType.COVER_FRONT, "image/png", PNG)
    # Apple's feed frame is named like a link and laid out like a text.
    assert dict(frames_of(render(FULL)[10:]))["WFED"] == b"\x01" + "\ufeffhttps://example.org/feed.xml\0".encode("utf-16-le")


def test_a_sheet_without_chapters_has_no_table_of_contents() -> None:
    names = {name for name, _ in frames_of(render(sheet_of())[10:])}
    assert not names & {"CTOC", "CHAP", "APIC", "COMM", "TXXX"}


def test_what_was_written_reads_back(tmp_path: Path) -> None:
    path = file_of(tmp_path, render(FULL))
    assert read(path) == expected(FULL)
    assert split(path) == (render(FULL), len(render(FULL)))
    assert expected(FULL).chapters[2].start == 6000
    assert expected(FULL).duration == 9000


@settings(max_examples=40, deadline=None, suppress_health_check=IN_ONE_FOLDER)
@given(title=TITLES, titles=st.lists(TITLES, min_size=1, max_size=12))
def test_any_title_reads_back_cleaned(tmp_path: Path, title: str, titles: list[str]) -> None:
    sheet = sheet_of(chapters_of(titles, link="https://example.org"), title=title, artist=title, album=titles[0])
    found = read(file_of(tmp_path, render(sheet)))
    assert found == expected(sheet)
    assert (found.title, [c.title for c in found.chapters]) == (clean(title), [clean(t) for t in titles])


@settings(max_examples=12, deadline=None, suppress_health_check=IN_ONE_FOLDER)
@given(lengths=st.lists(st.integers(1, 60), min_size=1, max_size=255))
def test_chapters_of_any_count_and_size_stay_in_time_order(tmp_path: Path, lengths: list[int]) -> None:
    sheet = sheet_of(chapters_of(["x" * n for n in lengths]))
    found = read(file_of(tmp_path, render(sheet)))
    assert found.toc == tuple(c.id for c in found.chapters) == tuple(f"part-{i}" for i in range(len(lengths)))
    assert [(c.start, c.end, len(c.title)) for c in found.chapters] == [(i * 3000, i * 3000 + 3000, n) for i, n in enumerate(lengths)]


def test_255_chapters_fit_and_256_do_not() -> None:
    full = sheet_of(chapters_of(["Same"] * 255))
    assert len(parsed(render(full)).getall("CHAP")) == 255
    with pytest.raises(TagError, match="256 chapters"):
        render(sheet_of(chapters_of(["Same"] * 256)))


def test_off_grid_starts_are_the_nearest_millisecond_and_leave_no_hole() -> None:
    cuts = [0, 100_001, 200_030, 300_007]
    chapters = tuple(Chapter(f"c{i}", "T", Samples(a), Samples(b)) for i, (a, b) in enumerate(pairwise(cuts)))
    found = expected(sheet_of(chapters)).chapters
    assert [(c.start, c.end) for c in found] == [(0, 2083), (2083, 4167), (4167, ms(300_007))]


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"title": " \x00"}, "the episode has no title"),
        ({"cover": b"GIF89a......"}, "the cover is neither JPEG nor PNG.*47 49 46 38"),
        ({"cover": b""}, "the cover is neither JPEG nor PNG.*nothing"),
        ({"chapters": chapters_of(["A"], image=b"<svg/>")}, "the image of chapter part-0 is neither"),
        ({"chapters": chapters_of(["A"], image=b"")}, "the image of chapter part-0 is neither"),
        ({"chapters": chapters_of(["A"], link="example.org")}, "not a web address"),
        ({"chapters": (Chapter("é", "A", Samples(0), Samples(144_000)),)}, "'é' cannot be the id"),
        ({"chapters": (Chapter("TOC", "A", Samples(0), Samples(144_000)),)}, "'TOC' cannot be the id"),
        ({"duration": Samples(144_048)}, "last chapter ends at 00:00:03.000, the episode at 00:00:03.001"),
        ({"duration": Samples(0), "chapters": ()}, "no length"),
        ({"season": 0}, "season 0"),
        ({"track": 13, "track_total": 12}, "track 13 of 12"),
        ({"language": "en"}, "'en' is not an ISO 639-2 code"),
    ],
)
def test_a_sheet_that_cannot_be_written_is_refused_with_the_reason(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(TagError, match=complaint):
        render(dataclasses.replace(sheet_of(chapters_of(["A"])), **changes))


def test_language_tags_become_three_letters() -> None:
    assert [language_code(tag) for tag in ("en", "en-GB", "de", "pt-BR", "eng", "ZH")] == ["eng", "eng", "deu", "por", "eng", "zho"]
    with pytest.raises(TagError, match="unknown language 'xx'"):
        language_code("xx")


@pytest.mark.parametrize(
    ("header", "size"),
    [
        (b"ID3\x03\x00\x00\x00\x00\x02\x01", 10 + 257),
        (b"ID3\x04\x00\x10\x00\x00\x02\x01", 20 + 257),
        (b"ID3\x03\x00\x00\x7f\x7f\x7f\x7f", 10 + 2**28 - 1),
        (b"\xff\xfb\x94\xc4\x00\x00\x00\x00\x00\x00", 0),
        (b"", 0),
    ],
)
def test_the_header_says_where_the_audio_starts(header: bytes, size: int) -> None:
    assert tag_size(header) == size


@pytest.mark.parametrize("header", [b"ID3\x03", b"ID3\x03\x00\x00\x80\x00\x00\x00", b"ID3\x07\x00\x00\x00\x00\x00\x00"])
def test_a_broken_header_is_refused(header: bytes) -> None:
    with pytest.raises(TagError, match="ID3 header"):
        tag_size(header)


def test_reading_refuses_a_file_without_a_tag_and_one_that_was_cut(tmp_path: Path) -> None:
    bare = file_of(tmp_path, b"")
    assert split(bare) == (b"", 0)
    with pytest.raises(TagError, match="no ID3v2 tag"):
        read(bare)
    bare.write_bytes(render(FULL)[:5000])
    with pytest.raises(TagError, match="the file holds 5000"):
        read(bare)
