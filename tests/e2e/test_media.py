"""What is asked of finished files is held by those that are built, and missed by those that something was done to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from production import media, receipts, releases
from production.config import load_project
from tests.e2e import project

pytestmark = pytest.mark.process


def broken(root: Path) -> list[str]:
    found = load_project(root)
    episode = found.episode(project.EPISODE)
    built = releases.built(found, root / "build", episode)
    assert built is not None
    return [one.rule.id for one in media.broken(episode, built)]


def stamped(root: Path) -> None:
    """Take whatever the files are now for what was built: then only what they hold can be wrong."""
    folder = root / "build" / project.EPISODE
    receipt = receipts.read(folder)
    assert receipt is not None
    for name in receipt.outputs:
        data = (folder / name).read_bytes()
        receipt.outputs[name] = receipts.stamp(folder, name, hashlib.sha256(data).hexdigest())
    receipts.save(folder, receipt)


def test_what_is_built_breaks_no_rule(built: Path) -> None:
    assert broken(built) == []


def _mp3(change: Callable[[bytes], bytes]) -> Callable[[Path], object]:
    return lambda folder: (folder / "episode-01.mp3").write_bytes(change((folder / "episode-01.mp3").read_bytes()))


def _without_tag(data: bytes) -> bytes:
    return data[data.index(b"Info") - 36 :]


def _later_json(folder: Path) -> None:
    said: dict[str, Any] = json.loads((folder / "chapters.json").read_text("utf-8"))
    said["chapters"][-1]["startTime"] += 1
    (folder / "chapters.json").write_text(json.dumps(said), "utf-8")


def _picture(side: tuple[int, int], mode: str) -> Callable[[Path], None]:
    def save(folder: Path) -> None:
        pillow = pytest.importorskip("PIL.Image")
        pillow.new(mode, side).save(folder / "cover.jpg", "JPEG")

    return save


HARM: dict[str, tuple[Callable[[Path], object], list[str]]] = {
    "a tag at its end": (_mp3(lambda data: data + b"TAG" + bytes(125)), ["file-tail"]),
    "cut short by a frame": (_mp3(lambda data: data[:-384]), ["file-info"]),
    "another version of the tag": (_mp3(lambda data: data[:3] + b"\x04" + data[4:]), ["file-tag"]),
    "no tag": (_mp3(_without_tag), ["file-tag"]),
    "chapters that differ": (_later_json, ["file-chapters"]),
    "a small cover": (_picture((1000, 1000), "RGB"), ["file-cover"]),
    "a cover that is not square": (_picture((1500, 1400), "RGB"), ["file-cover"]),
    "a cover for print": (_picture((1500, 1500), "CMYK"), ["file-cover"]),
    "no picture": (lambda folder: (folder / "cover.jpg").write_bytes(b"GIF89a"), ["file-cover"]),
    "a heavy cover": (lambda folder: (folder / "cover.jpg").write_bytes((folder / "cover.jpg").read_bytes() + bytes(600_000)), ["file-cover-size"]),
}


@pytest.mark.parametrize("name", HARM)
def test_what_was_done_to_a_file_is_found(name: str, built: Path, tmp_path: Path) -> None:
    harm, wanted = HARM[name]
    root = project.copied(built, tmp_path / "show")
    harm(root / "build" / project.EPISODE)
    stamped(root)
    assert broken(root)[: len(wanted)] == wanted


def test_a_file_that_is_not_what_was_built_is_found_by_its_digest(built: Path, tmp_path: Path) -> None:
    root = project.copied(built, tmp_path / "show")
    path = project.mp3(root, project.EPISODE)
    data = bytearray(path.read_bytes())
    data[-200] ^= 1
    path.write_bytes(data)
    assert broken(root) == ["file-same"]


def test_every_rule_has_a_file_that_breaks_it() -> None:
    assert {one for _, wanted in HARM.values() for one in wanted} | {"file-same"} == set(media.RULES)
