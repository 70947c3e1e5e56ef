"""The names that a shell completes, read at a glance: names of files and a few lines of them, no YAML and nothing checked.

A shell asks at every press of a key, and a config that is being written may be broken: what is not found at once is not offered.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

_CONFIGS = "configs"
_EPISODE = re.compile(r"(episode-[0-9]{2,6})\.ya?ml")
_SERIES = re.compile(r"([a-z0-9][a-z0-9-]*)\.ya?ml")
# A file may be JSON too: then keys are quoted, and stand after a comma.
_SLUG = re.compile(r"""(?:^|[{,])[ ]*-?[ ]*\{?[ ]*["']?slug["']?:[ ]*["']?([a-z0-9-]+)""", re.MULTILINE)
_TITLE = re.compile(r"""^title:[ ]*["']?(.*?)["']?[ ]*$""", re.MULTILINE)
_TARGETS = re.compile(r"^targets:.*\n((?:[ -].*\n|\n)*)", re.MULTILINE)
_NAME = re.compile(r"""\bname:[ ]*["']?([a-z0-9-]+)""")
_HEAD = 2000
"""Bytes in which a file's own title and slug stand."""


def episodes(root: str) -> Iterator[tuple[str, str]]:
    """The id of each episode, and its title."""
    return _listed(os.path.join(root, _CONFIGS, "episodes"), _EPISODE)


def series(root: str) -> Iterator[tuple[str, str]]:
    """The slug of each series, and its title: a series' file is called by its slug."""
    return _listed(os.path.join(root, _CONFIGS, "series"), _SERIES)


def show(root: str) -> tuple[str, str] | None:
    """The slug of the show, and its title."""
    text = _read(os.path.join(root, _CONFIGS, "show.yaml"), _HEAD)
    slug, title = _SLUG.search(text), _TITLE.search(text)
    return (slug[1], title[1] if title else "") if slug else None


def places(root: str) -> list[str]:
    """What the targets are called that the show publishes to."""
    found = _TARGETS.search(_read(os.path.join(root, _CONFIGS, "show.yaml")))
    return _NAME.findall(found[0]) if found else []


def sections(root: str, episode: str) -> list[str]:
    """The slugs of an episode's sections."""
    return _SLUG.findall(_read(os.path.join(root, _CONFIGS, "episodes", f"{episode}.yaml")))


def _listed(folder: str, pattern: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return
    for name in names:
        if found := pattern.fullmatch(name):
            title = _TITLE.search(_read(os.path.join(folder, name), _HEAD))
            yield found[1], title[1] if title else ""


def _read(path: str, most: int = -1) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(most)
    except OSError:
        return ""
