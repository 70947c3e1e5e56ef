"""The schemas for editors: kept as they are made, and of one mind with `config` about real files and about every form of a value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from production import json_schema
from tests.conftest import ROOT
from tests.production.test_every_key import RIGHT, TREES, as_an_editor_reads, changed, problems, validator
from tests.production.written import Node, written

CONFIGS = ROOT / "configs"
REAL = {
    "show": [CONFIGS / "show.yaml"],
    "series": sorted((CONFIGS / "series").iterdir()),
    "episode": sorted((CONFIGS / "episodes").iterdir()),
}


@pytest.mark.parametrize("kind", json_schema.KINDS)
def test_what_is_kept_is_what_the_model_says(kind: str) -> None:
    assert json_schema.path_of(ROOT, kind).read_bytes() == json_schema.text(kind), "renew them with: produce schema --write"


@pytest.mark.parametrize("kind", json_schema.KINDS)
def test_the_real_configs_are_valid_and_name_their_schema(kind: str) -> None:
    valid = validator(kind)
    assert len(REAL["episode"]) == 35
    for path in REAL[kind]:
        text = path.read_text("utf-8")
        assert [f"{path.name}: {error.json_path}: {error.message}" for error in valid.iter_errors(as_an_editor_reads(text))] == []
        first = text.split("\n")[0]
        assert first.startswith("# yaml-language-server: $schema=")
        assert (path.parent / first.rpartition("=")[2]).resolve() == json_schema.path_of(ROOT, kind)


FORMS = [
    ("episode", ("sections", 0, "in"), ["12:30", "1:02:30.5", "90", "0.5", "90:00", "'0:05'"], ["'90'", "1:5", "1:75", "-1", "soon", "1:99:00", "~"]),
    ("episode", ("sections", 0, "out"), ["12:30", "none", "~"], ["later"]),
    ("episode", ("layout", "gap"), ["0:04", "30"], ["31", "2 s", "none"]),
    ("show", ("store", "limit"), ["20 GB", "1.5TB", "512 MiB", "0", "20000000000", "500mb"], ["5", "20 GX", "much", "-1", "1.5", "~"]),
    ("show", ("defaults", "loudness", "target"), ["apple", "Spotify", "EBU-R128", "-19.5"], ["aple", "'-16'", "-4", "-41", "loud"]),
    ("show", ("title",), ["No", "12:30", "2001", "true", "'#5'", "on"], ["''", "' '", "{a: b}"]),
    ("show", ("explicit",), ["true", "false"], ["no", "yes", "'true'", "1"]),
    ("show", ("link",), ["http://a.example"], ["a.example", "ftp://a.example", "https:///x", "~"]),
    ("show", ("hub",), ["none", "~", "https://a.example/hub"], ["a.example"]),
    ("episode", ("sections", 0, "slug"), ["a-b", "14"], ["A b", "-a", "a--b"]),
    ("episode", ("sections", 0, "chain"), ["none", "linear"], ["voce"]),
    ("episode", ("sections", 0, "denoise"), ["off", "none", "~"], ["on"]),
    ("episode", ("sections", 0, "high_pass"), ["0", "80", "~"], ["301"]),
    ("episode", ("date",), ["2026-01-05", "'2026-01-05'"], ["2026-1-5", "5 January", "20260105"]),
    ("episode", ("encoding", "bitrate"), ["64", "320"], ["65", "'128'"]),
    ("episode", ("keywords",), ["[]", "[a, 1]"], ["a", "[[a]]"]),
    ("episode", ("minutes",), ["180", "0.5", "none"], ["0", "601", "3:00", "'180'"]),
    ("series", ("season",), ["3"], ["0", "1.5", "two"]),
    ("series", ("episodes",), ["1-12"], ["12", "1 to 12"]),
]


@pytest.fixture(scope="module")
def read() -> dict[str, Any]:
    """The right files as an editor reads them."""
    return {kind: as_an_editor_reads(text) for kind, text in RIGHT.items()}


def put(nodes: list[Node], at: tuple[str | int, ...], value: str) -> list[Node]:
    """The same keys with another value at one."""
    return [Node(one.path, one.kind, value if one.path == at else one.value, [] if one.path == at else put(one.under, at, value)) for one in nodes]


@pytest.mark.parametrize(("kind", "at", "good", "bad"), FORMS, ids=[f"{form[0]}-{form[1][-1]}" for form in FORMS])
def test_each_form_of_a_value_is_taken_by_both_or_by_none(
    tmp_path: Path,
    kind: str,
    at: tuple[str | int, ...],
    good: list[str],
    bad: list[str],
    read: dict[str, Any],
) -> None:
    for name in ("a.wav", "a.vtt"):
        (tmp_path / name).write_text("")
    valid = validator(kind)
    for value in (*good, *bad):
        text = written(put(TREES[kind], at, value)).text
        # The order of two values is nothing that a type says.
        ours = [one for one in problems(tmp_path, kind, text) if "leaves nothing" not in one[2]]
        document = changed(read[kind], at, new=as_an_editor_reads(f"x: {value}")["x"])
        theirs = [error.message for error in valid.iter_errors(document)]
        assert (ours == [], theirs == []) == (value in good, value in good), (value, ours, theirs)
