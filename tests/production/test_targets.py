"""What a word on the command line means."""

from __future__ import annotations

from pathlib import Path

import pytest

from production.errors import ConfigError
from production.targets import choose

SHOW = """\
title: Show
slug: show
description: About it.
author: Us
owner: {name: Us, email: us@show.example}
link: https://show.example/
media_url: https://media.show.example/
copyright: 2026 Us
"""
SERIES = "slug: {slug}\nseason: {season}\ntitle: {slug}\ndescription: It.\nepisodes: {numbers}\n"
EPISODE = "number: {number}\nseries: {series}\ntitle: T\nsummary: S\ndate: 2026-01-{number:02}\nsections:\n- {{slug: a, title: A, part: cold-open}}\n"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of two series and three episodes; the tests run elsewhere."""
    root, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    for folder in ("configs/series", "configs/episodes"):
        (root / folder).mkdir(parents=True)
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    (root / "configs/show.yaml").write_text(SHOW)
    (root / "configs/series/basics.yaml").write_text(SERIES.format(slug="basics", season=1, numbers="1-2"))
    (root / "configs/series/patterns.yaml").write_text(SERIES.format(slug="patterns", season=2, numbers="3-9"))
    for number, series in ((1, "basics"), (2, "basics"), (3, "patterns")):
        (root / f"configs/episodes/episode-{number:02}.yaml").write_text(EPISODE.format(number=number, series=series))
    return root


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["episode-02"], [2]),
        (["basics"], [1, 2]),
        (["all"], [1, 2, 3]),
        (["configs/episodes/episode-03.yaml"], [3]),
        (["configs/series/basics.yaml"], [1, 2]),
        (["configs/show.yaml"], [1, 2, 3]),
        (["configs/series/patterns.yaml", "configs/episodes/episode-01.yaml"], [3, 1]),
        (["episode-03", "basics", "episode-01", "all"], [3, 1, 2]),
        ([], []),
    ],
)
def test_words_mean_episodes_each_once_in_the_order_asked(root: Path, words: list[str], meant: list[int]) -> None:
    project, episodes = choose(root, words)
    assert [episode.number for episode in episodes] == meant
    assert len(project.episodes) == 3


def test_the_path_of_an_episode_names_its_project_wherever_one_stands(root: Path) -> None:
    project, episodes = choose(Path(), [str(root / "configs/episodes/episode-02.yaml")])
    assert project.root == root
    assert [episode.id for episode in episodes] == ["episode-02"]


def test_a_draft_takes_the_place_of_the_episode_of_its_name(root: Path) -> None:
    draft = Path("episode-02.yaml")
    draft.write_text(EPISODE.format(number=2, series="basics").replace("title: T", "title: Draft"))
    project, episodes = choose(root, [str(draft)])
    assert [episode.title for episode in episodes] == ["Draft"]
    assert [episode.title for episode in project.episodes] == ["T", "Draft", "T"]


def test_a_draft_is_not_overlooked_beside_another_file(root: Path) -> None:
    drafts = [Path(f"episode-0{number}.yaml") for number in (1, 2)]
    for number, draft in enumerate(drafts, 1):
        draft.write_text(EPISODE.format(number=number, series="basics").replace("title: T", "title: Draft"))
    _, episodes = choose(root, ["configs/episodes/episode-03.yaml", str(drafts[0])])
    assert [episode.title for episode in episodes] == ["T", "Draft"]
    with pytest.raises(ConfigError) as caught:
        choose(root, [str(draft) for draft in drafts])
    assert [str(problem.location) for problem in caught.value.problems] == ["episode-02.yaml"]


def test_every_word_that_means_nothing_is_named_with_a_hint(root: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        choose(root, ["episode-2", "basics", "qwertyuiop"])
    first, second = caught.value.problems
    assert str(first.location) == "episode-2"
    assert "episode-0" in first.hint
    assert str(second.location) == "qwertyuiop"
    assert "a series (basics, patterns), or all" in second.hint


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("all", "the show has no episode yet"),
        ("basics", "series basics has no episode yet"),
        ("configs/series/basics.yaml", "series basics has no episode yet"),
    ],
)
def test_a_show_or_a_series_that_was_just_begun_is_told_how_to_go_on(root: Path, word: str, said: str) -> None:
    for path in (root / "configs/episodes").iterdir():
        path.unlink()
    with pytest.raises(ConfigError) as raised:
        choose(root, [word])
    assert [(problem.message, problem.hint) for problem in raised.value.problems] == [(said, "begin one: produce new")]
