from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator
from pathlib import Path

import pytest

from production import versions
from production.versions import version


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """What was found for one test is not for the next: the path of modules is another one then."""
    for known in (versions.version, versions._installed):
        known.cache_clear()
    yield
    for known in (versions.version, versions._installed):
        known.cache_clear()


def test_it_says_what_importlib_says_of_everything_that_is_installed() -> None:
    names = {found.metadata["Name"] for found in importlib.metadata.distributions()}
    assert len(names) > 15
    assert {name: version(name) for name in names} == {name: importlib.metadata.version(name) for name in names}


@pytest.mark.parametrize("name", ["Some.Thing", "some-thing", "SOME_thing", "some--thing"])
def test_a_name_is_known_however_it_is_spelt(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "some_thing-1.2.post3.dist-info").mkdir()
    monkeypatch.setattr("sys.path", [str(tmp_path / "nowhere"), str(tmp_path)])
    assert version(name) == "1.2.post3"


def test_the_first_on_the_path_is_the_one_that_is_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in ("2", "1"):
        (tmp_path / number / f"thing-{number}.dist-info").mkdir(parents=True)
    monkeypatch.setattr("sys.path", [str(tmp_path / "2"), str(tmp_path / "1")])
    assert version("thing") == "2"


def test_what_was_installed_in_an_older_way_is_found_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "old.egg-info"
    folder.mkdir()
    (folder / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: old\nVersion: 0.9\n")
    monkeypatch.setattr("sys.path", [str(tmp_path)])
    assert version("old") == "0.9"


def test_what_is_not_there_has_no_version() -> None:
    with pytest.raises(importlib.metadata.PackageNotFoundError):
        version("no-such-distribution")
