"""What directories and players ask of the finished files themselves, each rule with where it is written; read from the files as they are.

Most of it holds by construction. It is looked at all the same before an episode is published: files are copied, tagged by other programs, cut short.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from audio import tags
from audio.errors import TagError
from audio.mpeg import Format
from feeds.rules import Broken, Rule
from production import artwork, plan, receipts
from production.errors import ArtworkError
from production.model import Episode
from production.releases import Built

_RSS = "https://www.rssboard.org/rss-specification"
_APPLE_ART = "https://podcasters.apple.com/support/896-artwork-requirements"
_APPLE_CHAPTERS = "https://podcasters.apple.com/support/5482-using-chapters-on-apple-podcasts"
_MEDIA3 = "https://developer.android.com/media/media3/exoplayer/troubleshooting"
_ID3 = "https://id3.org/id3v2-chapters-1.0"
_ALL: Final = (
    Rule(
        "file-same",
        "rss",
        "error",
        _RSS,
        "The file is the one that was built: its length and digest are in the feed.",
    ),
    Rule("file-tag", "apple", "error", _APPLE_CHAPTERS, "The MP3 begins with an ID3v2.3 tag that can be read."),
    Rule("file-chapters", "apple", "error", _ID3, "The chapters in the file are those of the JSON, with the same starts."),
    Rule("file-info", "rss", "error", _MEDIA3, "An Info header with exact counts follows the tag: players compute positions from it."),
    Rule("file-tail", "rss", "error", _MEDIA3, "Nothing follows the last frame: an ID3v1 or APE tag there makes positions wrong."),
    Rule("file-cover", "apple", "error", _APPLE_ART, "The cover is square, 1400 to 3000 pixels wide, JPEG or PNG, in RGB."),
    Rule("file-cover-size", "apple", "warning", _APPLE_ART, "The cover takes 512 kB at most."),
)
RULES: Final = {rule.id: rule for rule in _ALL}
_COVER_BYTES: Final = 512 << 10
_AGAIN: Final = "build the episode again"


def broken(episode: Episode, found: Built) -> Iterator[Broken]:
    """Every rule that the files of a built episode break. ``Broken.item`` is the episode's id."""
    mp3 = found.files[0].local
    receipt = receipts.read(mp3.parent)
    assert receipt is not None
    names = (file.local.relative_to(mp3.parent).as_posix() for file in found.files if file.local.is_relative_to(mp3.parent))
    changed = [name for name in names if name in receipt.outputs and not receipt.kept(mp3.parent, name)]
    for name in changed:
        yield _broken("file-same", episode, f"{name} is not what was built: it was changed or damaged since", _AGAIN)
    if mp3.name not in changed:
        yield from _sound(episode, mp3, [mark.start for mark in found.release.chapters])
    cover = next((file.local for file in found.files if file.local.name == "cover.jpg"), None)
    if cover is not None:
        yield from _cover(episode, cover)


def _broken(rule: str, episode: Episode, message: str, hint: str) -> Broken:
    return Broken(RULES[rule], episode.id, message, 0, hint)


def _sound(episode: Episode, path: Path, listed: list[int]) -> Iterator[Broken]:
    try:
        tag = tags.read(path)
    except TagError as error:
        yield _broken("file-tag", episode, str(error), _AGAIN)
        return
    if tag.version != (2, 3):
        yield _broken("file-tag", episode, f"its tag is ID3v2.{tag.version[1]}", "with any other version some players show no chapters")
    if [mark.start for mark in tag.chapters] != listed:
        yield _broken("file-chapters", episode, f"{len(tag.chapters)} chapters stand in the file, {len(listed)} in its JSON, or elsewhere", _AGAIN)
    yield from _stream(episode, path, plan.format_of(episode))


def _stream(episode: Episode, path: Path, fmt: Format) -> Iterator[Broken]:
    size = path.stat().st_size
    with path.open("rb") as file:
        begins = tags.tag_size(file.read(10))
        file.seek(begins)
        head = file.read(fmt.frame_bytes)
        file.seek(max(0, size - 128))
        tail = file.read(128)
    frames, rest = divmod(size - begins, fmt.frame_bytes)
    at = 4 + fmt.side_bytes
    if head[at : at + 4] != b"Info" or int.from_bytes(head[at + 8 : at + 12], "big") != frames - 1:
        yield _broken("file-info", episode, f"its first frame does not say that {frames - 1} follow", _AGAIN)
    if rest or tail[:3] == b"TAG" or tail[-32:-24] == b"APETAGEX":
        yield _broken("file-tail", episode, "something stands after its last frame", "another program has tagged it: " + _AGAIN)


def _cover(episode: Episode, path: Path) -> Iterator[Broken]:
    data = path.read_bytes()
    try:
        width, height, mode = artwork.measured(data)
    except ArtworkError as error:
        yield _broken("file-cover", episode, f"its cover {error}", _AGAIN)
        return
    if width != height or not 1400 <= width <= 3000 or mode != "RGB":
        yield _broken("file-cover", episode, f"its cover is {width} x {height} pixels in {mode}", "give artwork.file a square picture, in RGB")
    if len(data) > _COVER_BYTES:
        yield _broken("file-cover-size", episode, f"its cover takes {len(data) // 1024} kB", "fewer details, or a lower quality")
