"""Files that are made again only when what they were made from, or they themselves, changed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from production.remade import as_made, remade


def bring(folder: Path, key: str, *names: str) -> list[str]:
    """The names of the files that were made."""
    made = list[str]()
    with remade(folder / "store" / "note.json") as see_to:
        for name in names:

            def make(name: str = name) -> bytes:
                made.append(name)
                return f"{name} of {key}".encode()

            see_to(folder / "build" / name, key, make)
    return made


def test_a_file_is_made_again_for_another_key_and_when_it_is_not_as_it_was_written(tmp_path: Path) -> None:
    assert bring(tmp_path, "one", "a", "b") == ["a", "b"]
    assert bring(tmp_path, "one", "a", "b") == []
    (tmp_path / "build" / "a").write_bytes(b"by hand")
    assert bring(tmp_path, "one", "a", "b") == ["a"]
    (tmp_path / "build" / "b").unlink()
    assert bring(tmp_path, "one", "a", "b") == ["b"]
    assert bring(tmp_path, "two", "a", "b") == ["a", "b"]
    assert (tmp_path / "build" / "a").read_bytes() == b"a of two"


def test_a_project_that_was_moved_is_not_made_again(tmp_path: Path) -> None:
    bring(tmp_path / "here", "one", "a")
    shutil.move(tmp_path / "here", tmp_path / "there")
    assert bring(tmp_path / "there", "one", "a") == []


@pytest.mark.parametrize("note", [b"", b"[]", b'{"../build/a": 1}', b"\xff"])
def test_a_note_that_says_nothing_makes_all_anew(tmp_path: Path, note: bytes) -> None:
    bring(tmp_path, "one", "a")
    (tmp_path / "store" / "note.json").write_bytes(note)
    assert bring(tmp_path, "one", "a") == ["a"]


def _one_that_fails(folder: Path) -> None:
    def fail() -> bytes:
        raise LookupError

    with remade(folder / "store" / "note.json") as see_to:
        see_to(folder / "build" / "a", "one", lambda: b"a of one")
        see_to(folder / "build" / "b", "one", fail)


def test_what_was_made_before_a_failure_is_not_made_again(tmp_path: Path) -> None:
    with pytest.raises(LookupError):
        _one_that_fails(tmp_path)
    assert bring(tmp_path, "one", "a", "b") == ["b"]


def test_whether_a_file_would_be_made_again_can_be_asked(tmp_path: Path) -> None:
    bring(tmp_path, "one", "a", "b")
    (tmp_path / "build" / "b").write_bytes(b"by hand")
    note = tmp_path / "store" / "note.json"
    is_made = as_made(note)
    assert [is_made(tmp_path / "build" / name, key) for name in ("a", "b", "c") for key in ("one", "two")] == [True] + [False] * 5
    assert not as_made(note.with_name("none.json"))(tmp_path / "build" / "a", "one")
