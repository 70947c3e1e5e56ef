"""What is kept of checked configs: it is what checking them again would give, and it is not used once anything that it was made from has changed."""

from __future__ import annotations

import ast
import datetime as dt
import shutil
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest

from production import checked, config, model
from production.errors import ConfigError
from production.model import Episode, Project
from production.store import FOLDER
from production.versions import version
from tests.conftest import ROOT
from tests.test_architecture import imported

SHOW = """\
title: Show “of” things
slug: show
description: "About\\tit. \\U0001F399"
author: Us
owner: {name: Us, email: us@show.example}
language: en-GB
link: https://show.example/
media_url: https://media.show.example/
copyright: 2026 Us
category: Arts
subcategory: Design
explicit: true
persons: [{name: Ann, role: host, group: cast, link: "https://show.example/ann", image: "https://show.example/ann.jpg"}]
funding: [{url: "https://show.example/give", text: Give}]
license: {name: cc-by-4.0, url: "https://show.example/license"}
hub: https://hub.example/
site: https://show.example/listen/
subscribe: {apple: "https://podcasts.apple.com/podcast/id1", spotify: "https://open.spotify.com/show/x", antennapod: "https://antennapod.org/x"}
targets: [{name: media, kind: sftp, path: podcast, host: media.example, user: us, port: 22, public: "https://media.show.example/"}]
store: {limit: 3 GB}
defaults:
  loudness: {target: -18.25, true_peak: -2, max_gain: 12}
  music: {intro: theme.wav, outro: none, level: -20}
"""
SERIES = """\
slug: basics
season: 1
title: Basics
description: It.
episodes: 1-9
link: https://show.example/basics
subscribe: {overcast: "https://overcast.fm/itunes1", pocket_casts: "https://pca.st/itunes/1"}
defaults:
  layout: {gap: 3.5, grid: 0, sting_lead: 0.25, tail: 2}
  trim: {enabled: false, air: 0.3}
"""
FULL = """\
number: 1
series: basics
title: One
summary: First.
date: 2026-01-31
keywords: [a, b]
link: https://show.example/1
explicit: false
notes: "**More** there."
persons: [{name: Bob, role: guest}]
soundbites: [{start: 0:10, length: 30, title: Here}]
transcript: one.vtt
minutes: 20.5
encoding: {bitrate: 96, channels: mono}
fades: {fade_in: 0.125, fade_out: 1}
artwork: {file: cover.png, colour: '#123456'}
sections:
  - {slug: a, title: A, part: mathematics, minutes: 3, summary: x, talking_points: [x, y], link: "https://show.example/a", image: cover.png,
     tracks: [{file: theme.wav, name: Ada}, {file: one.vtt, gain: -1, offset: -2.5, drift: 20, apart: 1.5}], gate: 8,
     in: 0:01.5, out: 0:03, cut: [[0:01.75, 0:02], [2.5, 2.75]], markers: embedded, inside: list, transcript: none, speaker: Ann,
     sting: builtin, gap: 2, trim: true, fade_in: 0.1, fade_out: 0.2, gain: -1.5, crossfade: 0.5,
     chain: linear, high_pass: 60, denoise: ffmpeg, deess: 2, levelling: 3, compression: 1.5, bed: theme.wav, bed_level: -31, bed_from: 0:00.5,
     bed_to: 0:02}
  - {slug: b, title: B, part: exercises}
"""
BARE = "number: 2\nseries: basics\ntitle: Two\nsummary: Second.\ndate: 2026-02-07\nsections:\n- {slug: a, title: A, part: cold-open}\n"
ONE = "configs/episodes/episode-01.yaml"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project that says everything that can be said, and has been checked."""
    root = tmp_path / "project"
    for folder in ("series", "episodes"):
        (root / "configs" / folder).mkdir(parents=True)
    for name, text in {"show.yaml": SHOW, "series/basics.yaml": SERIES, "episodes/episode-01.yaml": FULL, "episodes/episode-02.yaml": BARE}.items():
        (root / "configs" / name).write_text(text, "utf-8")
    for name in ("theme.wav", "cover.png", "one.vtt"):
        (root / name).touch()
    checked.load(root).keep()
    return root


@pytest.fixture
def forbidden(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From its call on, reading a config as YAML is an error."""

    def refuse(_files: object) -> None:
        raise AssertionError("the configs were checked again")

    return lambda: monkeypatch.setattr(config, "load", refuse)


def was_checked_again(root: Path, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether the configs are read anew, which gives the project that they then say."""
    load, calls = config.load, []
    monkeypatch.setattr(config, "load", lambda files: calls.append(files) or load(files))
    found = checked.load(root).project
    assert found == config.load_project(root)
    return len(calls) > 1


def nouns(value: Any) -> set[type]:
    """The classes of a value and of everything in it."""
    if isinstance(value, tuple):
        return {kind for one in value for kind in nouns(one)}
    return {type(value)}.union(*(nouns(getattr(value, one.name)) for one in fields(value))) if is_dataclass(value) else {type(value)}


def test_what_was_kept_is_what_checking_gives_to_the_last_value_and_place(root: Path, forbidden: Callable[[], None]) -> None:
    wanted = config.load_project(root)
    forbidden()
    found = checked.load(root).project
    assert found == wanted
    assert found.locations == wanted.locations
    assert found.where("episode-01", "sections", 0, "talking_points", 1) == wanted.where("episode-01", "sections", 0, "talking_points", 1)
    assert found.where("no-such-episode", "title") is None


def test_the_project_of_these_tests_holds_every_noun_and_no_default(root: Path) -> None:
    project = config.load_project(root)
    said = nouns((project.show, project.series, project.episodes))
    assert {kind for kind in vars(model).values() if is_dataclass(kind)} - said == {Project, model.Location}
    assert {str, int, float, bool, type(None), dt.date} <= said
    full = project.episode("episode-01")
    for one in (project.show, *project.series, full, full.sections[0]):
        assert [key.name for key in fields(one) if key.default is not None and getattr(one, key.name) == key.default] == []


def test_kept_configs_know_their_types(root: Path, forbidden: Callable[[], None]) -> None:
    forbidden()
    episode = checked.load(root).project.episode("episode-01")
    assert type(episode.date) is dt.date
    assert type(episode.minutes) is float
    assert type(episode.keywords) is tuple
    assert type(episode.sections[0].talking_points) is tuple
    assert isinstance(hash(episode), int)


def test_a_project_that_was_moved_is_not_checked_again(root: Path, tmp_path: Path, forbidden: Callable[[], None]) -> None:
    moved = Path(shutil.copytree(root, tmp_path / "elsewhere"))
    forbidden()
    project = checked.load(moved).project
    assert project.root == moved
    where = project.where("episode-01", "title")
    assert where is not None
    assert where.path == moved / ONE


def test_a_draft_is_kept_in_the_place_of_its_elder(root: Path, tmp_path: Path, forbidden: Callable[[], None]) -> None:
    draft = tmp_path / "episode-02.yaml"
    draft.write_text(BARE.replace("Two", "Draft"))
    assert checked.load(root).project.episode("episode-02").title == "Two"
    checked.load(root, target=draft).keep()
    forbidden()
    project = checked.load(root, target=draft).project
    assert project.episode("episode-02").title == "Draft"
    where = project.where("episode-02", "title")
    assert where is not None
    assert where.path == draft


# -- what makes it be checked again ----------------------------------------------------------------------------------------------


def _edit(name: str, old: str, new: str) -> Callable[[Path], object]:
    def edit(root: Path) -> None:
        path = root / "configs" / name
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new), "utf-8")

    return edit


def _renamed(root: Path) -> None:
    (root / "configs/series/basics.yaml").rename(root / "configs/series/basics.yml")


CHANGES: dict[str, Callable[[Path], object]] = {
    "a comment": _edit("show.yaml", "slug: show", "slug: show # "),
    "a title": _edit("episodes/episode-02.yaml", "title: Two", "title: Too"),
    "a default": _edit("series/basics.yaml", "gap: 3.5", "gap: 3.0"),
    "an episode more": lambda root: (root / "configs/episodes/episode-03.yaml").write_text(BARE.replace("number: 2", "number: 3")),
    "an episode less": lambda root: (root / "configs/episodes/episode-02.yaml").unlink(),
    "another suffix": _renamed,
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_of_any_file_is_seen(name: str, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    CHANGES[name](root)
    assert was_checked_again(root, monkeypatch)


def test_the_same_bytes_at_another_time_are_no_change(root: Path, forbidden: Callable[[], None]) -> None:
    for path in root.rglob("*.yaml"):
        path.touch()
    forbidden()
    assert checked.load(root).text == b""


@pytest.mark.parametrize("name", checked.CODE)
def test_other_code_checks_again(name: str, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = Path(shutil.copytree(ROOT / "production", tmp_path / "production", ignore=shutil.ignore_patterns("__pycache__")))
    monkeypatch.setattr(checked, "__file__", str(code / "checked.py"))
    assert not was_checked_again(root, monkeypatch)
    with (code / f"{name}.py").open("a") as file:
        file.write("#")
    assert was_checked_again(root, monkeypatch)


@pytest.mark.parametrize("name", checked.LIBRARIES)
def test_another_library_checks_again(name: str, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checked, "version", lambda asked: "0.0" if asked == name else version(asked))
    assert was_checked_again(root, monkeypatch)


def test_every_module_that_has_a_say_is_named() -> None:
    names, found = ["checked"], set()
    while names:
        name = names.pop()
        found.add(name)
        for module, _ in imported(ast.parse((ROOT / "production" / f"{name}.py").read_text("utf-8"))):
            package, *inner = module.split(".")
            # The store keeps, and the versions tell one library from another: neither decides what a config means.
            if package == "production" and inner and inner[0] not in (*found, "store", "versions"):
                names.append(inner[0])
    assert found == set(checked.CODE)


# -- mistakes --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["theme.wav", "cover.png"])
def test_a_file_that_the_configs_name_is_looked_for_each_time(name: str, root: Path) -> None:
    (root / name).unlink()
    with pytest.raises(ConfigError) as caught:
        checked.load(root)
    assert {f"there is no file '{name}'" in problem.message for problem in caught.value.problems} == {True}


def test_a_mistake_is_told_each_time(root: Path) -> None:
    _edit("episodes/episode-01.yaml", "title: One", "titel: One")(root)
    for _ in range(2):
        with pytest.raises(ConfigError):
            checked.load(root)


def test_a_folder_that_cannot_be_listed_is_not_taken_for_an_empty_one(root: Path) -> None:
    for path in (root / "configs/episodes").iterdir():
        path.unlink()
    (root / "configs/episodes").rmdir()
    assert checked.load(root).project.episodes == ()
    checked.load(root).keep()
    (root / "configs/episodes").touch()
    with pytest.raises(ConfigError):
        checked.load(root)


@pytest.mark.parametrize("damage", [lambda text: text[:-40], lambda text: text.replace(b"Two", b"Too"), lambda _: b"", lambda _: b"\xff\n{"])
def test_what_was_damaged_is_not_used(damage: Callable[[bytes], bytes], root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = root / FOLDER / checked.NAME
    path.write_bytes(damage(path.read_bytes()))
    assert was_checked_again(root, monkeypatch)


def test_a_build_folder_that_cannot_be_written_is_no_matter_here(root: Path) -> None:
    shutil.rmtree(root / "build")
    (root / "build").touch()
    found = checked.load(root)
    found.keep()
    assert isinstance(found.project.episode("episode-01"), Episode)
