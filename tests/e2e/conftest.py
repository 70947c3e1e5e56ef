"""Finished builds that many tests start from: built once, copied for whoever changes them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.e2e import browser, project
from tests.e2e.browser import Page
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


@pytest.fixture(scope="session")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browser.opened(browser.found(), tmp_path_factory.mktemp("browser")) as page:
        yield page


@pytest.fixture
def page(tab: Page) -> Iterator[Page]:
    """The tab, which must have asked nobody but this machine and complained about nothing when the test is over."""
    # Another test's page may look for a server that is gone.
    tab.run("document.readyState === 'complete' || new Promise((done) => { addEventListener('load', done) }).then(() => 0)")
    tab.go("about:blank")
    tab.asked.clear()
    tab.said.clear()
    yield tab
    assert tab.said == []
    foreign = [one for one in tab.asked if urlsplit(one).scheme not in ("file", "data") and urlsplit(one).hostname != "127.0.0.1"]
    assert foreign == []
