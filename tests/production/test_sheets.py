"""What is kept of the pictures of an episode, and when it is made anew."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from production import artwork, sheets
from production.artwork import ArtworkError
from production.store import Store


def asked(root: Path, store: Store, file: str | None = None, **change: Any) -> list[bytes]:
    """Both covers of an episode, as a build asks for them."""
    settings = SimpleNamespace(artwork=SimpleNamespace(file=file, colour="#3d2c6b"))
    episode: Any = SimpleNamespace(**({"number": 14, "title": "Speed", "settings": settings} | change))
    project: Any = SimpleNamespace(root=root, show=SimpleNamespace(title="Show"), series_of=lambda _: SimpleNamespace(title="Series"))
    return [sheets.cover(project, episode, store, side=side, most=most, scratch=False) for side, most in sheets.COVERS]


def picture(path: Path, colour: str) -> None:
    Image.new("RGB", (1400, 1400), colour).save(path)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was drawn or fitted, in order."""
    seen: list[str] = []

    def watched(name: str, made: Any) -> Any:
        def call(*given: Any, **named: Any) -> Any:
            seen.append(name)
            return made(*given, **named)

        return call

    for name in ("draw_cover", "fit_covers"):
        monkeypatch.setattr(artwork, name, watched(name, getattr(artwork, name)))
    return seen


def sides(covers: list[bytes]) -> list[int]:
    return [Image.open(io.BytesIO(data)).width for data in covers]


def test_a_drawn_cover_is_drawn_once_for_each_title_and_design(tmp_path: Path, calls: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    first = asked(tmp_path, store)
    assert sides(first) == [1400, 3000]
    assert asked(tmp_path, store) == first
    assert calls == ["draw_cover"] * 2
    assert asked(tmp_path, store, title="Sped") != first
    assert calls == ["draw_cover"] * 4
    monkeypatch.setattr(sheets, "artwork_version", lambda: "another")
    assert asked(tmp_path, store) == first
    assert calls == ["draw_cover"] * 6


def test_a_file_is_decoded_once_for_both_covers_and_again_when_it_changes(tmp_path: Path, calls: list[str]) -> None:
    store = Store(tmp_path)
    picture(tmp_path / "cover.png", "navy")
    first = asked(tmp_path, store, "cover.png")
    assert sides(first) == [1400, 3000]
    assert asked(tmp_path, store, "cover.png", title="Another") == first
    assert calls == ["fit_covers"]
    picture(tmp_path / "cover.png", "maroon")
    assert asked(tmp_path, store, "cover.png") != first
    assert calls == ["fit_covers"] * 2


def test_a_chapter_image_is_made_once(tmp_path: Path, calls: list[str]) -> None:
    store = Store(tmp_path)
    picture(tmp_path / "two.png", "navy")
    project: Any = SimpleNamespace(root=tmp_path)
    made = sheets.chapter_image(project, "two.png", store)
    assert sides([made]) == [sheets.CHAPTER_SIDE]
    assert sheets.chapter_image(project, "two.png", store) == made
    assert calls == ["fit_covers"]


def test_nothing_is_kept_of_a_file_that_cannot_serve(tmp_path: Path, calls: list[str]) -> None:
    store = Store(tmp_path)
    Image.new("RGB", (64, 64)).save(tmp_path / "cover.png")
    for _ in range(2):
        with pytest.raises(ArtworkError, match="64 x 64"):
            asked(tmp_path, store, "cover.png")
    assert calls == ["fit_covers"] * 2


def test_the_version_names_pillow_and_follows_the_source(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = sheets.artwork_version.__wrapped__()
    assert before.startswith(f"{Image.__version__} ")
    (tmp_path / "artwork.py").write_text("another design")
    monkeypatch.setattr(sheets, "__file__", str(tmp_path / "sheets.py"))
    assert sheets.artwork_version.__wrapped__() != before
