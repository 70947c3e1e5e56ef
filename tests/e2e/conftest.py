"""Finished builds that many tests start from: built once, copied for whoever changes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e import project
from tests.e2e.project import Take

# Their gains are given: of an episode of seconds the edges of its sections would be heard, and it would be encoded twice.
TAKES = (
    Take("alpha", 700, 4.0, gain=4.5),
    Take("bravo", 1100, 5.3, decibels=-26, gain=9.75),
    Take("charlie", 1700, 3.1, channels=2, gain=2.25),
)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, ffmpeg: str) -> Path:
    """One finished episode of three tones. Not to be changed: copy it."""
    root = project.make(tmp_path_factory.mktemp("built") / "show", TAKES, ffmpeg=ffmpeg)
    project.produce(root)
    return root


@pytest.fixture
def show(built: Path, tmp_path: Path) -> Path:
    """A copy of `built` to change."""
    return project.copied(built, tmp_path / "show")
