"""Every value of an episode, and where it comes from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from production.explain import FROM_ELSEWHERE, below, explained
from production.model import Section
from production.recordings import recorded
from production.schema import rules
from tests.production.asking import ask, told
from tests.production.test_config import FILES, SHOW, changed, holding, load_project, write


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("explained")
    for name, text in FILES.items():
        write(folder / name, text)
    write(folder / "recordings/episode-14/principles.flac", "x")
    return folder


def said(root: Path, key: str) -> dict[str, Any]:
    (one,) = told("explain", "-C", root, "episode-14", key)["episode-14"]
    found: dict[str, Any] = one
    return found


def place(one: dict[str, Any]) -> str:
    return f"{one['path']}:{one['line']}:{one['column']}"


@pytest.mark.parametrize(
    ("key", "value", "source", "where", "via"),
    [
        ("title", "No", "episode", "configs/episodes/episode-14.yaml:3:8", None),
        ("layout.gap", 4.0, "episode", "configs/episodes/episode-14.yaml:9:8", None),
        ("fades.fade_in", 0.3, "series", "configs/series/pattern-mastery.yml:7:20", None),
        ("loudness.max_gain", 30.0, "show", "configs/show.yaml:11:37", None),
        ("voice.chain", "voice", "default", "None:None:None", None),
        ("music.sting_level", -18.0, "default", "None:None:None", "music.level"),
        ("explicit", False, "default", "None:None:None", None),
        ("date", "2025-01-07", "episode", "configs/episodes/episode-14.yaml:5:7", None),
        ("keywords", ["raft", "paxos"], "episode", "configs/episodes/episode-14.yaml:7:11", None),
        ("sections.cold-open.in", 5.0, "episode", "configs/episodes/episode-14.yaml:14:9", None),
        ("sections[1].in", 5.0, "episode", "configs/episodes/episode-14.yaml:14:9", None),
        ("sections.cold-open.gap", 4.0, "episode", "configs/episodes/episode-14.yaml:9:8", "layout.gap"),
        ("sections.cold-open.fade_out", 0.2, "show", "configs/show.yaml:14:15", "fades.fade_out"),
        ("sections.cold-open.sting", "none", "default", "None:None:None", None),
        ("sections.principles.sting", "none", "episode", "configs/episodes/episode-14.yaml:21:12", None),
        ("sections.principles.file", "recordings/episode-14/principles.flac", "default", "None:None:None", None),
        ("sections.cold-open.file", "recordings/open.wav", "episode", "configs/episodes/episode-14.yaml:16:11", None),
    ],
)
def test_a_value_is_told_with_its_place(root: Path, key: str, value: object, source: str, where: str, via: str | None) -> None:
    one = said(root, key)
    assert (one["value"], one["source"], place(one), one["via"]) == (value, source, where, via)


def test_every_value_of_the_model_is_there_and_is_what_a_build_uses(root: Path) -> None:
    project = load_project(root)
    episode = project.episode("episode-14")
    files = {slug: str(path) if path else None for slug, path in recorded(project, episode).items()}
    every = {one.key: one for one in explained(project, episode, files)}
    for section in episode.sections:
        assert [key for key in every if key.startswith(f"sections.{section.slug}.")] == [f"sections.{section.slug}.{key}" for key in rules(Section)]
    groups = {key.split(".")[0] for key in FROM_ELSEWHERE.values()}
    assert all(f"{group}." in "".join(f"{key} " for key in every) for group in groups)
    for key, one in every.items():
        group, _, name = key.partition(".")
        if hasattr(episode.settings, group) and key != "music.sting_level":
            assert one.value == getattr(getattr(episode.settings, group), name)


def test_a_key_may_be_a_group_or_a_section(root: Path) -> None:
    project = load_project(root)
    episode = project.episode("episode-14")
    every = explained(project, episode, dict.fromkeys((one.slug for one in episode.sections), None))
    assert [one.key for one in below(every, "loudness")] == ["loudness.target", "loudness.true_peak", "loudness.max_gain"]
    assert below(every, "sections[2]") == below(every, "sections.principles")
    assert len(below(every, "sections")) == 2 * len(rules(Section))


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("loudnes.target", "did you mean 'loudness.target'?"),
        ("loudness.tarket", "did you mean 'loudness.target'?"),
        ("gap", "did you mean 'layout.gap'?"),
        ("sections.cold-opn.gap", "did you mean 'sections.cold-open.gap'?"),
        ("sections[3]", "there are 2 sections, and the first is sections[1]"),
        ("sections[0]", "there are 2 sections, and the first is sections[1]"),
        ("loudness.zebra", "known keys there: target, true_peak, max_gain"),
        ("title.x", "it holds no other keys"),
    ],
)
def test_an_unknown_key_is_an_error_with_a_suggestion(root: Path, key: str, hint: str) -> None:
    found = ask("explain", "-C", root, "episode-14", key, code=2)
    assert found.stdout == ""
    assert found.stderr == f"error: an episode has no key '{key}'\n  = hint: {hint}\n"


def test_the_table_names_the_place(root: Path) -> None:
    lines = ask("explain", "-C", root, "episode-14", "fades").stdout.splitlines()
    assert [line.split() for line in lines] == [
        ["fades.fade_in", "0.3", "configs/series/pattern-mastery.yml:7:20"],
        ["fades.fade_out", "0.2", "configs/show.yaml:14:15"],
    ]


def test_who_is_in_every_episode_comes_before_the_guests(root: Path) -> None:
    with holding(root, "show", changed(SHOW, "subcategory: none", "subcategory: none\npersons: [{name: Ada}]")):
        project = load_project(root)
        episode = project.episode("episode-15")
        every = {one.key: one for one in explained(project, episode, {"all": None})}
    assert (every["persons[1].name"].value, every["persons[1].name"].source) == ("Ada", "show")
    assert (every["persons[1].role"].value, every["persons[1].role"].source) == ("host", "default")
