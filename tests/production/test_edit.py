"""A value is set in a config: what else stands there stays, byte for byte, and what would not pass is not written."""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest

from production import edit, setting
from production.errors import ConfigError
from production.model import Section
from production.schema import rules
from production.yamlsource import read_text
from tests.conftest import ROOT
from tests.production.asking import ask
from tests.production.test_config import FILES, NAMES, load_project, write

KEPT = """\
# the head
number:   14   # odd blanks
title: 'No'  # a remark
summary: >-
  Folded
  text.

keywords: [ raft,  paxos ]
# before the list
sections:
- slug: a
  title: A
  part: mathematics
  talking_points:
  - one   # first
  - two

  # about b
- {slug: b, title: "B: b", part: mathematics}
layout:
    gap: 0:04
# the end
"""


def lines_of(path: tuple[str | int, ...], value: str | None) -> list[str]:
    """What a change takes away and adds, line by line."""
    made = edit.changed(KEPT, path, value, list(rules(Section)))
    return [line for line in difflib.ndiff(KEPT.splitlines(), made.splitlines()) if line[0] in "+-"]


@pytest.mark.parametrize(
    ("path", "value", "lines"),
    [
        (("title",), "Yes: it is", ["- title: 'No'  # a remark", "+ title: 'Yes: it is' # a remark"]),
        (("number",), "15", ["- number:   14   # odd blanks", "+ number: 15     # odd blanks"]),
        (("keywords",), "[a, b]", ["- keywords: [ raft,  paxos ]", "+ keywords: [a, b]"]),
        (("layout", "gap"), "3", ["-     gap: 0:04", "+   gap: 3"]),
        (("sections", 0, "gap"), "2.5", ["+   gap: 2.5"]),
        (("sections", 0, "minutes"), "12", ["+   minutes: 12"]),
        (("sections", 0, "talking_points", 1), "#2", ["-   - two", "+   - '#2'"]),
        (("sections", 1, "title"), "C", ['- - {slug: b, title: "B: b", part: mathematics}', '+ - {slug: b, title: "C", part: mathematics}']),
        (("fades", "fade_in"), "0.1", ["+ fades:", "+   fade_in: 0.1"]),
        (("title",), None, ["- title: 'No'  # a remark"]),
        (("sections", 0, "talking_points"), None, ["-   talking_points:", "-   - one   # first", "-   - two"]),
        (("fades", "fade_in"), None, []),
    ],
    ids=str,
)
def test_only_what_is_asked_for_changes(path: tuple[str | int, ...], value: str | None, lines: list[str]) -> None:
    assert lines_of(path, value) == lines


def test_a_key_is_put_where_the_model_has_it_and_before_the_blank_line() -> None:
    made = edit.changed(KEPT, ("sections", 0, "link"), "https://a.example", list(rules(Section)))
    assert "  - two\n  link: https://a.example\n\n  # about b\n" in made


def test_a_group_keeps_its_indentation() -> None:
    text = "title: x\nlayout:\n    gap: 0:04 # seconds\n    grid: 3\n"
    assert edit.changed(text, ("layout", "gap"), "3") == text.replace("0:04 #", "3    #")
    with pytest.raises(edit.Unchangeable, match="its layout"):
        edit.changed("a:\n  b: 1\nlayout:\n     gap: 1\n     grid: 3\n", ("layout", "gap"), "4")


@pytest.mark.parametrize("text", ["x: 1\r\ny: 2\r\n", "\ufeffx: 1\ny: 2\n", "x: 1\ny: 2"])
def test_ends_of_lines_and_marks_stay(text: str) -> None:
    assert edit.changed(text, ("x",), "3") == text.replace("1", "3")


@pytest.mark.parametrize(("text", "path", "value", "why"), [
    ("x: [", ("x",), "1", "it is not YAML"),
    ("- x", ("x",), "1", "it holds no keys"),
    ("x: 1", ("x", "y"), "1", "x is neither a list nor a mapping"),
    ("x: 1", ("x",), "[1", "is not YAML"),
    ("x: 1\n# about y\ny: 2", ("x",), None, "a comment would be lost: # about y"),
])  # fmt: skip
def test_what_cannot_be_done_is_refused(text: str, path: tuple[str | int, ...], value: str | None, why: str) -> None:
    with pytest.raises(edit.Unchangeable, match=why):
        edit.changed(text, path, value)


VALUES = ["Yes", "12:30", "no", "a: b", "# x", "- x", "'x'", "x # y", "{a", "20 GB", "2026-01-05", "~", "é 🎙", "a 'b' \"c\"", "true", "1e3", "  x"]


@pytest.mark.parametrize(
    ("name", "values"), [("show.yaml", VALUES[:5]), ("series/foundational.yaml", VALUES), ("episodes/episode-14.yaml", VALUES[:2])]
)
def test_a_real_config_changes_in_one_line_and_reads_back_as_given(name: str, values: list[str]) -> None:
    text = (ROOT / "configs" / name).read_text("utf-8")
    for value in values:
        if value.startswith(("'", "{")):
            continue
        made = edit.changed(text, ("title",), value)
        changes = [line for line in difflib.ndiff(text.splitlines(), made.splitlines()) if line[0] in "+-"]
        assert len(changes) == 2
        assert changes[1].startswith("+ title: ")
        root = read_text(Path("x.yaml"), made.encode()).root
        assert next(node.text for key, node in root.entries if key.text == "title") == value  # type: ignore[union-attr]


# -- the command ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        write(tmp_path / name, text)
    return tmp_path


def test_the_right_file_is_written_and_the_project_is_as_asked(root: Path) -> None:
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    out = ask("set", "-C", root, "episode-14", "title=The Log", "sections.cold-open.gap=0:05", "sections[2].gain=", "loudness.target=spotify").stdout
    assert "-title: No\n+title: The Log\n" in out
    episode = load_project(root).episode("episode-14")
    first, second = episode.sections
    assert (episode.title, first.gap, second.gain, episode.settings.loudness.target) == ("The Log", 5.0, None, -14.0)
    assert [path for path, data in before.items() if path.read_bytes() != data] == [root / NAMES["14"]]
    ask("set", "-C", root, "pattern-mastery", "defaults.layout.gap=5")
    ask("set", "-C", root, "show", "defaults.fades.fade_out=0.4", "persons=[{name: Ada}]")
    project = load_project(root)
    assert project.episode("episode-15").settings.layout.gap == 5.0
    assert (project.show.persons[0].name, project.episode("episode-15").settings.fades.fade_out) == ("Ada", 0.4)
    ask("set", "-C", root, root / NAMES["15"], "title=Off")
    assert load_project(root).episode("episode-15").title == "Off"


@pytest.mark.parametrize(
    ("target", "assignment", "said", "hint"),
    [
        ("episode-14", "minutes=forty", "minutes: should be a number, not 'forty'", ""),
        ("episode-14", "series=foundational", "series: 'foundational' holds 1-12, not 14", "14 is in series 'pattern-mastery'"),
        ("episode-14", "sections.cold-open.image=no.png", "image: there is no file 'no.png'", "paths are relative to the project folder"),
        ("episode-14", "title=", "episode: missing key 'title'", ""),
        ("episode-14", "titel=x", "episode: unknown key 'titel'", "did you mean 'title'?"),
        ("episode-14", "sections.x.gap=1", "sections.x.gap: there is no 'x' in sections", "there are: cold-open, principles"),
        ("episode-14", "sections[3].gap=1", "sections[3].gap: there is no '3' in sections", "there are: cold-open, principles"),
        ("episode-14", "title.x=1", "title: unknown key 'x'", "title holds no keys"),
        ("episode-14", "title", "'title' sets nothing", "write KEY=VALUE, or KEY= to remove it"),
        ("episode-16", "title=x", "is no config file of this project", "did you mean"),
        ("show", "defaults.loudness.target=appel", "target: should be a loudness, not 'appel'", "did you mean 'apple'?"),
    ],
)
def test_what_would_not_pass_is_told_and_not_written(root: Path, target: str, assignment: str, said: str, hint: str) -> None:
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    with pytest.raises(ConfigError) as caught:
        setting.prepared(root, target, [assignment])
    (problem,) = caught.value.problems
    assert problem.message == said
    assert hint in problem.hint
    assert ask("set", "-C", root, target, assignment, code=2).stdout == ""
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == before


def test_a_link_stays_one_and_rights_stay_as_they_are(root: Path) -> None:
    real = root / "elsewhere.yaml"
    (root / NAMES["14"]).rename(real)
    (root / NAMES["14"]).symlink_to(real)
    real.chmod(0o640)
    ask("set", "-C", root, "episode-14", "title=The Log")
    assert (root / NAMES["14"]).is_symlink()
    assert "title: The Log\n" in real.read_text()
    assert real.stat().st_mode & 0o777 == 0o640


def test_a_dry_run_writes_nothing_and_what_is_so_already_is_said(root: Path) -> None:
    before = (root / NAMES["14"]).read_bytes()
    assert "+title: The Log" in ask("set", "-C", root, "episode-14", "title=The Log", "--dry-run").stdout
    assert (root / NAMES["14"]).read_bytes() == before
    found = ask("set", "-C", root, "episode-14", "title=No")
    assert (found.stdout, "that is what it says already" in found.stderr) == ("", True)
