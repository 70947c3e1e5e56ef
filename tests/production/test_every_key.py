"""Every key of the model misspelt, and every value of the wrong type, is caught where it stands: by us, and by the schemas that editors are given."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from production import json_schema, model
from production.config import load
from production.errors import ConfigError
from production.model import Project
from tests.production.written import WRONG, Node, Path_, files, tree, written

KINDS = ("show", "series", "episode")
TREES = {kind: tree(kind) for kind in KINDS}
EVERY: dict[str, list[Node]] = {kind: [one for node in nodes for one in node.every()] for kind, nodes in TREES.items()}
RIGHT = {kind: written(nodes).text for kind, nodes in TREES.items()}
KEYS = {kind: [one for one in nodes if isinstance(one.path[-1], str)] for kind, nodes in EVERY.items()}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("every-key")
    for name in ("a.wav", "a.vtt"):
        (folder / name).write_text("")
    return folder


def loaded(root: Path, kind: str, text: str) -> Project:
    return load(files(root, {**RIGHT, kind: text})).project


def problems(root: Path, kind: str, text: str) -> list[tuple[int, int, str, str]]:
    try:
        loaded(root, kind, text)
    except ConfigError as error:
        return [(one.location.line, one.location.column, one.message, one.hint) for one in error.problems]
    return []


def test_the_files_say_every_key_there_is_and_are_right(root: Path) -> None:
    project = loaded(root, "show", RIGHT["show"])
    assert project.episodes[0].sections[0].end == 9.0
    # Asked of the classes themselves: nothing that a noun has was left out by whoever wrote the files.
    groups: dict[Path_, set[str | int]] = {}
    for one in (one for kind in KINDS for one in KEYS[kind]):
        groups.setdefault(tuple("*" if isinstance(key, int) else key for key in one.path[:-1]), set()).add(one.path[-1])
    spelt = {"start": "in", "end": "out"}
    for noun in (noun for noun in vars(model).values() if dataclasses.is_dataclass(noun) and noun not in (model.Location, model.Project)):
        names = {spelt.get(one.name, one.name) if noun is model.Section else one.name for one in dataclasses.fields(noun)} - {"id", "settings"}
        assert any(keys >= names for keys in groups.values()), noun


@pytest.mark.parametrize("kind", KINDS)
def test_every_key_is_caught_when_it_is_misspelt(root: Path, kind: str) -> None:
    missed = []
    for one in KEYS[kind]:
        made = written(TREES[kind], one.path, misspelt=True)
        found = problems(root, kind, made.text)
        unknown = [problem for problem in found if "unknown key" in problem[2]]
        word = str(one.path[-1])
        expected = (*made.key, f"'{word}{word[-1]}'", f"did you mean '{word}'?")
        if len(unknown) != 1 or (*unknown[0][:2], unknown[0][2].rpartition(" ")[2], unknown[0][3]) != expected:
            missed.append((one.path, made.key, found))
        elif any("unknown key" not in problem[2] and "missing key" not in problem[2] and "goes with" not in problem[2] for problem in found):
            missed.append((one.path, "more was said", found))
    assert missed == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_value_is_caught_when_it_is_of_the_wrong_type(root: Path, kind: str) -> None:
    missed = []
    for one in EVERY[kind]:
        made = written(TREES[kind], one.path, wrong=True)
        found = problems(root, kind, made.text)
        name = f"{one.path[-2]}, item {one.path[-1] + 1}: " if isinstance(one.path[-1], int) else f"{one.path[-1]}: "
        if len(found) != 1 or found[0][:2] != made.value or not found[0][2].startswith(name):
            missed.append((one.path, made.value, found))
    assert missed == []


def test_so_many_cases_are_behind_this() -> None:
    # The figure that is told of it: it grows with the model, and a generator that loses half of its keys is seen here.
    misspelt, wrong = (sum(map(len, cases.values())) for cases in (KEYS, EVERY))
    assert misspelt >= 230
    assert wrong >= 240


# -- the same in an editor -----------------------------------------------------------------------------------------------------


def validator(kind: str) -> jsonschema.Draft7Validator:
    return jsonschema.Draft7Validator(json_schema.document(kind))


def as_an_editor_reads(text: str) -> Any:
    """What a reader of YAML 1.2 makes of a text, in the types of JSON."""
    from ruamel.yaml import YAML

    return plain(YAML(typ="safe", pure=True).load(text))


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return value.isoformat() if hasattr(value, "isoformat") else value


def changed(value: Any, at: Path_, *, misspelt: bool = False, new: Any = None) -> Any:
    """A document with one key misspelt, or another value there."""
    first, *rest = at
    if not rest and misspelt:
        return {f"{key}{key[-1]}" if key == first else key: inner for key, inner in value.items()}
    made = new if not rest else changed(value[first], tuple(rest), misspelt=misspelt, new=new)
    return [*value[:first], made, *value[first + 1 :]] if isinstance(value, list) else {**value, first: made}


@pytest.mark.parametrize("kind", KINDS)
def test_the_schema_takes_what_is_right_and_nothing_that_is_misspelt_or_of_the_wrong_type(kind: str) -> None:
    valid = validator(kind)
    valid.check_schema(valid.schema)
    right = as_an_editor_reads(RIGHT[kind])
    assert [error.message for error in valid.iter_errors(right)] == []
    taken = [("misspelt", one.path) for one in KEYS[kind] if valid.is_valid(changed(right, one.path, misspelt=True))]
    wrong = {name: yaml.safe_load(text) for name, text in WRONG.items()}
    taken += [("wrong", one.path) for one in EVERY[kind] if valid.is_valid(changed(right, one.path, new=wrong[one.kind]))]
    assert taken == []
