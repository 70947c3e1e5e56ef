"""What a run loads before it knows whether there is work. Loading takes longer than finding out, so libraries wait until something needs them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e import project

pytestmark = pytest.mark.process

LIBRARIES = ("numpy", "PIL", "mutagen", "feedgen", "lxml", "pydub", "ffmpeg", "pydantic", "yaml")
LOADED = "loaded libraries: "
SAY = f"""
import atexit, sys
atexit.register(lambda: print({LOADED!r} + " ".join(name for name in {LIBRARIES} if name in sys.modules), file=sys.stderr))
"""
"""Python for a run's child: at its end it says which of the libraries it has loaded."""


def loaded(said: str) -> list[str]:
    (line,) = (line for line in said.splitlines() if line.startswith(LOADED))
    return line.removeprefix(LOADED).split()


@pytest.mark.parametrize("word", ["--help", "--version"])
def test_saying_what_it_is_loads_nothing(word: str) -> None:
    code = f"{SAY}\nfrom production.cli import main\nmain()"
    environment = {**os.environ, "PYTHONPATH": str(project.ROOT)}
    done = subprocess.run([sys.executable, "-c", code, word], env=environment, capture_output=True, text=True, check=True)
    assert "produce" in done.stdout
    assert loaded(done.stderr) == []


def test_finding_nothing_to_do_loads_nothing(show: Path) -> None:
    with project.edited(show) as config:
        # As loud as the sections: there are seconds of them, and the whole is held to its target.
        config["music"] = {"intro": "builtin", "sting": "builtin", "level": -16}
    busy = project.produce(show, setup=SAY)
    assert "nothing to do" not in busy.said
    # Not all of them: covers and measurements are in the store already.
    assert {"numpy", "mutagen", "feedgen", "ffmpeg", "pydantic", "yaml"} <= set(loaded(busy.said))
    idle = project.produce(show, setup=SAY)
    assert "episode-01: nothing to do\n" in idle.said
    assert loaded(idle.said) == []
