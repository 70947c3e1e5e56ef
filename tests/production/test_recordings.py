"""What is there of a season, looked at without decoding: recordings, pictures, texts, and how far each episode is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from production import season
from production.minutes import Minutes
from production.stock import stock
from tests.conftest import ROOT
from tests.production.asking import ask, told
from tests.production.season import finish
from tests.production.test_config import FILES, NAMES, change, load_project, write

WAV = b"RIFF\x34\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x80\xbb\0\0\0\x77\1\0\2\0\x10\0data\x10\0\0\0" + b"\1\0" * 8


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two episodes whose three sections are recorded."""
    folder = tmp_path / "show"
    for name, text in FILES.items():
        write(folder / name, text)
    for name in ("music/theme.wav", "recordings/open.wav", "recordings/episode-14/principles.wav", "recordings/episode-15/all.wav"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(WAV)
    return folder


def problems(root: Path) -> list[str]:
    project = load_project(root)
    found = stock(project, project.episodes, lambda _where: None).problems
    return [f"{one.severity} {one.location.path.relative_to(root).as_posix()}:{one.location.line} {one.message}" for one in found]


def test_what_is_right_is_no_problem(root: Path) -> None:
    assert problems(root) == []


def picture(width: int, height: int) -> bytes:
    """The head of a PNG: that is all that is looked at."""
    import io

    from PIL import Image

    held = io.BytesIO()
    Image.new("1", (width, height)).save(held, "PNG")
    return held.getvalue()


EPISODE = NAMES["14"]
HARM: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty": (
        lambda root: (root / "recordings/episode-14/principles.wav").write_bytes(b""),
        f"error {EPISODE}:17 principles: recordings/episode-14/principles.wav: the file is empty",
    ),
    "no audio": (
        lambda root: (root / "recordings/open.wav").write_text("<html>no"),
        f"error {EPISODE}:16 cold-open: recordings/open.wav: not audio: it is a web page",
    ),
    "truncated": (
        lambda root: (root / "recordings/episode-14/principles.wav").write_bytes(WAV[:-4]),
        f"error {EPISODE}:17 principles: recordings/episode-14/principles.wav: truncated",
    ),
    "a folder": (
        lambda root: ((root / "recordings/episode-14/principles.wav").unlink(), (root / "recordings/episode-14/principles.wav").mkdir()),
        f"error {EPISODE}:17 principles: recordings/episode-14/principles.wav: a folder",
    ),
    "a track": (
        lambda root: (
            (root / "a.wav").write_bytes(WAV),
            (root / "b.wav").write_bytes(b""),
            (root / "recordings/episode-14/principles.wav").unlink(),
            change(root, "14", "    gain: -3", "    tracks:\n      - file: a.wav\n      - file: b.wav"),
        ),
        f"error {EPISODE}:22 principles: b.wav: the file is empty",
    ),
    "a track in a folder": (
        lambda root: (
            (root / "recordings/episode-14/principles").mkdir(),
            (root / "recordings/episode-14/principles.wav").rename(root / "recordings/episode-14/principles/ada.wav"),
            (root / "recordings/episode-14/principles/bob.wav").write_bytes(b""),
        ),
        f"error {EPISODE}:17 principles: recordings/episode-14/principles/bob.wav: the file is empty",
    ),
    "music": (lambda root: (root / "music/theme.wav").write_bytes(b""), "error configs/show.yaml:16 music:intro: music/theme.wav: the file is empty"),
    "a transcript beside it": (
        lambda root: (root / "recordings/episode-14/principles.vtt").write_text("1\n00:00"),
        "error recordings/episode-14/principles.vtt:1 is no WebVTT",
    ),
    "markers beside it": (
        lambda root: (root / "recordings/episode-14/principles.chapters.json").write_text("{"),
        "error recordings/episode-14/principles.chapters.json:1 ",
    ),
    "two of one": (
        lambda root: (root / "recordings/episode-14/principles.mp3").write_bytes(b"x"),
        f"warning {EPISODE}:17 principles: principles.wav is taken, and principles.mp3 is there too",
    ),
    "a stray": (
        lambda root: (root / "recordings/episode-15/al.wav").write_bytes(WAV),
        "warning recordings/episode-15/al.wav:0 no section takes this recording",
    ),
    "a folder of nothing": (lambda root: (root / "recordings/episode-1").mkdir(), "warning recordings/episode-1:0 there is no such episode"),
    "a small cover": (
        lambda root: (
            (root / "c.png").write_bytes(picture(1000, 1000)),
            change(root, "patterns", "  layout: {gap: 3}", "  artwork: {file: c.png}"),
        ),
        "error configs/series/pattern-mastery.yml:8 c.png is 1000 x 1000 pixels",
    ),
    "an image that is none": (
        lambda root: ((root / "i.png").write_bytes(b"GIF"), change(root, "14", "image: none", "image: i.png")),
        f"error {EPISODE}:22 i.png is not a picture that can be read",
    ),
    "an image that is not square": (
        lambda root: ((root / "i.png").write_bytes(picture(1500, 1400)), change(root, "14", "image: none", "image: i.png")),
        f"error {EPISODE}:22 i.png is 1500 x 1400 pixels, and must be square",
    ),
    "an empty transcript": (
        lambda root: ((root / "t.vtt").write_bytes(b""), change(root, "14", "minutes: 180", "transcript: t.vtt")),
        f"error {EPISODE}:6 transcript: t.vtt is empty",
    ),
    "no WebVTT": (
        lambda root: ((root / "t.vtt").write_text("1\n00:00"), change(root, "14", "minutes: 180", "transcript: t.vtt")),
        f"error {EPISODE}:6 transcript: t.vtt is no WebVTT",
    ),
    "no JSON": (
        lambda root: ((root / "t.json").write_text("{"), change(root, "14", "minutes: 180", "transcript: t.json")),
        f"error {EPISODE}:6 transcript: t.json is no JSON",
    ),
    "notes in another encoding": (
        lambda root: ((root / "n.md").write_bytes(b"caf\xe9"), change(root, "14", "minutes: 180", "notes: n.md")),
        f"error {EPISODE}:6 notes: n.md is not UTF-8",
    ),
}


@pytest.mark.parametrize("name", HARM)
def test_what_cannot_be_used_is_told_where_it_was_asked_for_and_once(root: Path, name: str) -> None:
    harm, wanted = HARM[name]
    harm(root)
    (found,) = problems(root)
    assert found.startswith(wanted)


def test_check_lists_what_is_not_recorded_and_says_the_same_as_json(root: Path) -> None:
    (root / "recordings/episode-14/principles.wav").unlink()
    (root / "recordings/episode-15/all.wav").unlink()
    change(root, "14", "slug: principles\n", "slug: principles\n    minutes: 100\n")
    found = ask("check", "-C", root)
    assert "episode-14: 1 of 2 sections are recorded; not yet: principles\n" in found.stdout
    assert "planned, and nothing recorded yet: episode-15\n" in found.stdout
    assert "episode-14: its sections plan 100 of 180 min; nothing is said of cold-open\n" in found.stdout
    assert ask("check", "-C", root, "--strict", code=1).stdout == found.stdout
    # Those of another feed are not looked at.
    assert told("check", "-C", root, "foundational")["episodes"] == []
    (root / "recordings/open.wav").write_bytes(b"")
    as_json = told("check", "-C", root, code=1)
    assert as_json["errors"] == 1
    assert as_json["problems"][0] == {
        "severity": "error", "path": EPISODE, "line": 16, "column": 11, "message": "cold-open: recordings/open.wav: the file is empty",
        "hint": "record or export it again",
    }  # fmt: skip
    assert [(one["id"], one["recorded"], one["missing"]) for one in as_json["episodes"]] == [
        ("episode-14", ["cold-open"], ["principles"]),
        ("episode-15", [], ["all"]),
    ]
    change(root, "14", "minutes: 180", "minutes: forty")
    broken = told("check", "-C", root, code=2)
    assert [(one["line"], one["message"]) for one in broken["problems"]] == [(6, "minutes: should be a number, not 'forty'")]


def test_the_real_episodes_are_without_a_mistake() -> None:
    project = load_project(ROOT)
    found = stock(project, project.episodes, lambda _where: None)
    assert len(found.takes) == 35
    assert [one.message for one in found.problems if one.severity == "error"] == []
    assert "episode-14: its sections plan 135 of 180 min; nothing is said of executive-summary, final-takeaways" in list(found.lines())


# -- how far each episode is ---------------------------------------------------------------------------------------------------


def test_the_list_says_how_far_each_episode_is(root: Path) -> None:
    def states() -> list[tuple[str, int, float | None]]:
        return [(one["state"], one["recorded"], one["length_s"]) for one in told("list", "-C", root)["episodes"]]

    assert states() == [("recorded", 2, None), ("recorded", 1, None)]
    (root / "recordings/episode-15/all.wav").unlink()
    finish(root, 14)
    assert states() == [("built", 2, 10_014.0), ("planned", 0, None)]
    receipt = root / "build/episode-14/.receipt.json"
    receipt.write_text(json.dumps({**json.loads(receipt.read_text()), "scratch": True}))
    assert states()[0] == ("scratch", 2, 10_014.0)
    (root / "build/episode-14/episode-14.mp3").unlink()
    assert states()[0] == ("recorded", 2, None)
    found = [one.state for one in season.standings(load_project(root), root / "build", {15})]
    assert found == ["recorded", "published"]


def test_the_list_is_a_table_by_series(root: Path) -> None:
    finish(root, 14)
    assert ask("list", "-C", root).stdout.splitlines() == [
        "Pattern Mastery (season 2): 1 recorded, 1 built",
        "  episode-14   built       2 of 2  2:46:54  2025-01-07  No",
        "  episode-15   recorded    1 of 1           2025-01-14  on",
    ]
    assert [one["id"] for one in told("list", "-C", root, "episode-15")["episodes"]] == ["episode-15"]


def test_minutes_that_agree_are_not_told(root: Path) -> None:
    episode = load_project(root).episode("episode-14")
    assert Minutes.of(episode).told() == "180 min are planned, and no section says how many are its own"
    assert Minutes(180, 135, ("a", "b")).told() == "its sections plan 135 of 180 min; nothing is said of a, b"
    assert Minutes(180, 215, ()).told() == "its sections plan 215 of 180 min"
    assert Minutes(180, 180, ("a",)).told() == ""
    assert (Minutes(None, 30, ()).planned, Minutes(None, 30, ("a",)).planned, Minutes(None, 30, ()).told()) == (30, None, "")
