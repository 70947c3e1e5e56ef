"""What a shell completes, asked as click's completion asks it; and what `produce schema` and `produce completion` print."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from production import json_schema, names
from production.cli import _WHERE
from tests.conftest import ROOT
from tests.production.asking import ask, completed
from tests.production.test_config import FILES, SHOW, load_project, write


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("words")
    targets = "targets:\n  - {name: media, kind: folder, path: x}\n  - name: spare\n    kind: folder\n    path: y\nstore: {limit: 20 GB}\n"
    for name, text in {**FILES, "configs/show.yaml": f"{SHOW}{targets}"}.items():
        write(folder / name, text)
    return folder


@pytest.fixture
def here(root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(root)
    return root


EPISODES, SERIES = ["episode-14", "episode-15"], ["foundational", "pattern-mastery"]


@pytest.mark.usefixtures("here")
def test_the_first_word_is_a_command_or_a_target() -> None:
    assert completed([], "") == [*_WHERE, *EPISODES, *SERIES, "all"]
    assert completed([], "e") == ["explain", *EPISODES]
    assert completed([], "pat") == ["pattern-mastery"]
    assert set(completed([], "--")) >= {"--version", "--help", "--scratch", "--replace", "--jobs", "--quiet", "--preview", "--joins"}


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("words", "begun", "offered"),
    [
        (["episode-14"], "epi", EPISODES),
        (["episode-14"], "--sc", ["--scratch"]),
        (["plan"], "f", ["foundational"]),
        (["feed"], "", [*SERIES, "distributed-systems-podcast", "all"]),
        (["check"], "--j", ["--json"]),
        (["republish"], "", EPISODES),
        (["adopt", "--as"], "", [*SERIES, "distributed-systems-podcast"]),
        (["publish", "--to"], "", ["media", "spare"]),
        (["explain"], "", EPISODES),
        (["explain", "episode-14"], "loud", ["loudness.target", "loudness.true_peak", "loudness.max_gain"]),
        (["explain", "episode-14"], "loudness.", ["loudness.target", "loudness.true_peak", "loudness.max_gain"]),
        (["explain", "episode-14"], "sections.", ["sections.cold-open.", "sections.principles."]),
        (["explain", "episode-14"], "sections.cold-open.ou", ["sections.cold-open.out"]),
        (["set", "episode-14"], "tit", ["title="]),
        (["set", "show"], "defaults.fad", ["defaults.fades.fade_in=", "defaults.fades.fade_out="]),
        (["set", "foundational"], "sea", ["season="]),
        (["schema"], "s", ["show", "series"]),
        (["completion"], "", ["bash", "zsh", "fish"]),
    ],
)
def test_what_comes_after_a_command(words: list[str], begun: str, offered: list[str]) -> None:
    assert completed(words, begun) == offered


def test_another_folder_is_completed_from_where_it_is_named(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert completed(["plan"], "") == ["all"]
    assert completed(["plan", "-C", str(root)], "episode-") == EPISODES
    assert completed(["-C", str(root), "plan"], "episode-") == EPISODES
    assert completed(["-C", str(root)], "e") == ["explain", *EPISODES]
    assert completed([], "configs/ep") == ["configs/ep"]


def test_names_are_those_of_the_configs() -> None:
    project = load_project(ROOT)
    assert list(names.episodes(str(ROOT))) == [(one.id, one.title) for one in project.episodes]
    assert set(names.series(str(ROOT))) == {(one.slug, one.title) for one in project.series}
    assert names.show(str(ROOT)) == (project.show.slug, project.show.title)
    for one in project.episodes:
        assert names.sections(str(ROOT), one.id) == [section.slug for section in one.sections]


def test_a_broken_project_is_completed_as_far_as_it_goes(tmp_path: Path) -> None:
    assert (list(names.episodes(str(tmp_path))), names.show(str(tmp_path)), names.places(str(tmp_path))) == ([], None, [])
    write(tmp_path / "configs/episodes/episode-01.yaml", "title: 'x\n\tslug: [")
    write(tmp_path / "configs/episodes/.#episode-02.yaml", "")
    assert [name for name, _ in names.episodes(str(tmp_path))] == ["episode-01"]
    assert names.sections(str(tmp_path), "episode-09") == []


@pytest.mark.parametrize(
    ("shell", "part"),
    [("bash", "*= ]] && compopt -o nospace\n    return 0"), ("zsh", "#compdef produce"), ("fish", "complete --no-files --command produce")],
)
def test_the_script_of_each_shell_asks_produce(shell: str, part: str) -> None:
    script = ask("completion", shell).stdout
    assert part in script
    assert f"_PRODUCE_COMPLETE={shell}_complete" in script


def test_the_schemas_are_printed_or_written(root: Path, tmp_path: Path) -> None:
    assert ask("schema", "series").stdout.encode() == json_schema.text("series")
    assert json.loads(ask("schema").stdout) == {kind: json_schema.document(kind) for kind in json_schema.KINDS}
    written = ask("schema", "--write", "-C", root).stdout.split()
    assert [Path(one).read_bytes() for one in written] == [json_schema.text(kind) for kind in json_schema.KINDS]
    ask("schema", "--write", "-C", tmp_path, code=2)
