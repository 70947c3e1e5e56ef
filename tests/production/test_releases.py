"""What is published of a built episode: which files, under which addresses, and what the feed says of them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from feeds.model import Alternate, Chapter, Enclosure, Transcript
from production import receipts, releases
from production.model import Formats, Settings
from production.receipts import Receipt
from tests.production.test_feed import PROJECT, an_episode

MEDIA = "https://media.show.example"
CHAPTERS = [
    {"startTime": 0, "title": "One"},
    {"startTime": 3723.004, "title": "Two", "url": "https://a.example/", "img": "https://b.example/2.jpg"},
]
CONTENT = {
    "episode-01.mp3": b"sound",
    "chapters.json": json.dumps({"version": "1.2.0", "chapters": CHAPTERS}).encode(),
    "chapters.psc.xml": b"<x/>",
    "description.txt": b"text",
    "cover.jpg": b"picture",
    "images/two.jpg": b"another picture",
    "report.json": b"{}",
}


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def finish(build: Path, content: dict[str, bytes], *, scratch: bool = False) -> None:
    folder = build / "episode-01"
    for name, data in content.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    outputs = {name: receipts.stamp(folder, name, sha(data)) for name, data in content.items()}
    receipts.save(folder, Receipt("", scratch, 48_000 * 60, {}, {}, outputs))


def test_every_file_is_published_under_a_name_that_its_bytes_are_in(tmp_path: Path) -> None:
    finish(tmp_path, CONTENT)
    found = releases.built(PROJECT, tmp_path, an_episode(1))
    assert found is not None
    assert {one.path: (one.type, one.length, one.sha256) for one in found.files} == {
        f"episode-01/episode-01-{sha(b'sound')[:12]}.mp3": ("audio/mpeg", 5, sha(b"sound")),
        f"episode-01/chapters-{sha(CONTENT['chapters.json'])[:12]}.json": (
            "application/json+chapters",
            len(CONTENT["chapters.json"]),
            sha(CONTENT["chapters.json"]),
        ),
        f"episode-01/cover-{sha(b'picture')[:12]}.jpg": ("image/jpeg", 7, sha(b"picture")),
        f"episode-01/images/two-{sha(b'another picture')[:12]}.jpg": ("image/jpeg", 15, sha(b"another picture")),
    }
    assert found.files[0].type == "audio/mpeg"
    assert all(hashlib.sha256(one.local.read_bytes()).hexdigest() == one.sha256 for one in found.files)


def test_the_release_says_what_stands_in_the_feed(tmp_path: Path) -> None:
    finish(tmp_path, CONTENT)
    found = releases.built(PROJECT, tmp_path, an_episode(1))
    assert found is not None
    release = found.release
    assert release.enclosure == Enclosure(f"{MEDIA}/episode-01/episode-01-{sha(b'sound')[:12]}.mp3", 5)
    assert (release.duration, release.sha256) == (60, sha(b"sound"))
    assert release.chapters == (Chapter(0, "One"), Chapter(3_723_004, "Two", "https://a.example/", "https://b.example/2.jpg"))
    assert release.chapters_url == f"{MEDIA}/episode-01/chapters-{sha(CONTENT['chapters.json'])[:12]}.json"
    assert release.image == f"{MEDIA}/episode-01/cover-{sha(b'picture')[:12]}.jpg"
    assert (release.alternates, release.transcripts) == ((), ())


def test_files_of_other_formats_stand_beside_the_mp3_with_their_digests(tmp_path: Path) -> None:
    finish(tmp_path, CONTENT | {"episode-01.m4a": b"aac", "episode-01.opus": b"opus"})
    episode = replace(an_episode(1), settings=Settings(formats=Formats(m4a=96, opus=64)))
    found = releases.built(PROJECT, tmp_path, episode)
    assert found is not None
    mp3, m4a, opus = found.release.alternates
    assert mp3 == Alternate(found.release.enclosure.url, 5, "audio/mpeg", 128_000, sha(b"sound"), "MP3", default=True)
    assert m4a == Alternate(f"{MEDIA}/episode-01/episode-01-{sha(b'aac')[:12]}.m4a", 3, "audio/mp4", 96_000, sha(b"aac"), "AAC")
    assert (opus.type, opus.bitrate, opus.default) == ("audio/ogg", 64_000, False)
    assert {one.path for one in found.files} >= {
        mp3.url.removeprefix(f"{MEDIA}/"),
        m4a.url.removeprefix(f"{MEDIA}/"),
        opus.url.removeprefix(f"{MEDIA}/"),
    }


@pytest.mark.parametrize(("suffix", "kind"), [(".vtt", "text/vtt"), (".SRT", "application/x-subrip"), (".txt", "text/plain")])
def test_a_transcript_is_published_as_what_it_is(suffix: str, kind: str, tmp_path: Path) -> None:
    finish(tmp_path, CONTENT)
    (tmp_path / f"said{suffix}").write_bytes(b"words")
    project = replace(PROJECT, root=tmp_path)
    found = releases.built(project, tmp_path, replace(an_episode(1), transcript=f"said{suffix}"))
    assert found is not None
    path = f"episode-01/transcript-{sha(b'words')[:12]}{suffix.lower()}"
    assert found.release.transcripts == (Transcript(f"{MEDIA}/{path}", kind, "en"),)
    assert (found.files[-1].path, found.files[-1].local) == (path, tmp_path / f"said{suffix}")


def test_transcripts_that_were_made_of_the_sections_come_before_the_one_that_is_said(tmp_path: Path) -> None:
    made = {"episode-01.vtt": b"WEBVTT", "episode-01.srt": b"1", "episode-01.transcript.json": b"{}"}
    finish(tmp_path, CONTENT | dict(reversed(made.items())))
    (tmp_path / "said.vtt").write_bytes(b"words")
    found = releases.built(replace(PROJECT, root=tmp_path), tmp_path, replace(an_episode(1), transcript="said.vtt"))
    assert found is not None
    stems = ("episode-01", "episode-01", "episode-01.transcript")
    paths = [f"episode-01/{stem}-{sha(data)[:12]}{Path(name).suffix}" for stem, (name, data) in zip(stems, made.items(), strict=True)]
    kinds = ["text/vtt", "application/x-subrip", "application/json"]
    assert found.release.transcripts == tuple(Transcript(f"{MEDIA}/{path}", kind, "en") for path, kind in zip(paths, kinds, strict=True))
    assert {one.path: one.type for one in found.files if one.path in paths} == dict(zip(paths, kinds, strict=True))
    assert "said.vtt" not in [one.local.name for one in found.files]


def test_what_is_no_finished_episode_is_not_published(tmp_path: Path) -> None:
    assert releases.built(PROJECT, tmp_path, an_episode(1)) is None
    finish(tmp_path, CONTENT, scratch=True)
    assert releases.built(PROJECT, tmp_path, an_episode(1)) is None
    finish(tmp_path, CONTENT)
    (tmp_path / "episode-01" / "episode-01.mp3").write_bytes(b"cut")
    assert releases.built(PROJECT, tmp_path, an_episode(1)) is None


def test_an_episode_stays_in_its_feed_when_a_picture_beside_it_is_lost(tmp_path: Path) -> None:
    finish(tmp_path, CONTENT)
    for name in ("cover.jpg", "chapters.json"):
        (tmp_path / "episode-01" / name).unlink()
    found = releases.built(PROJECT, tmp_path, an_episode(1))
    assert found is not None
    assert (found.release.image, found.release.chapters_url, found.release.chapters) == (None, None, ())
