"""The commands that tell: in a real shell, with real tools, and with nothing but JSON on stdout where that was asked for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import require
from tests.e2e import project
from tests.e2e.broken import environment
from tests.e2e.test_start import LIBRARIES, LOADED, SAY, loaded

pytestmark = pytest.mark.process
needs_dev_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")


def run(root: Path, *words: str, env: dict[str, str] | None = None, code: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", f"{code}\nfrom production.cli import main\nmain()", *words]
    return subprocess.run(
        command, cwd=root, env={**environment(), **(env or {})}, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )


def raw(root: Path, *words: str, env: dict[str, str]) -> bytes:
    """Stdout as it is, of a run that ends well."""
    command = [sys.executable, "-c", "from production.cli import main\nmain()", *words]
    return subprocess.run(command, cwd=root, env={**environment(), **env}, capture_output=True, check=True, stdin=subprocess.DEVNULL).stdout


def as_json(root: Path, *words: str, code: int = 0) -> Any:
    done = run(root, *words, "--json")
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


def test_every_command_that_tells_gives_json_and_nothing_else(show: Path) -> None:
    (plan,) = as_json(show, "plan", project.EPISODE)["episodes"]
    assert (plan["done"], plan["size_bytes"]) == (True, project.mp3(show).stat().st_size)
    (standing,) = as_json(show, "list")["episodes"]
    assert (standing["state"], standing["recorded"], standing["length_s"]) == ("built", 3, plan["length_s"])
    assert as_json(show, "explain", project.EPISODE, "trim.enabled")[project.EPISODE][0]["value"] is False
    assert as_json(show, "doctor")["ok"] is True
    assert {one["name"] for one in as_json(show, "doctor")["findings"]} >= {"encoder libmp3lame", "encoder aac", "filters"}
    found = as_json(show, "check")
    assert (found["errors"], found["episodes"][0]["missing"]) == (0, [])


def test_a_plan_says_what_is_planned_and_what_is_recorded(show: Path) -> None:
    with project.edited(show) as config:
        config["minutes"] = 1
        config["sections"][0]["minutes"] = 0.5
        config["title"] = "Another"
    said = run(show, "plan", project.EPISODE).stdout
    assert "plan: its sections plan 0.5 of 1 min; nothing is said of bravo, charlie\n" in said
    assert "steps: copy the frames of the finished file, tag, prove, chapters, cover and report, feeds\n" in said
    (row,) = (line.split() for line in said.splitlines() if line.strip().startswith("alpha"))
    assert row[3:6] == ["0.5", "min", "-0:26"]
    (plan,) = as_json(show, "plan", project.EPISODE)["episodes"]
    assert plan["planned_minutes"] == {"episode": 1.0, "sections": 0.5, "without": ["bravo", "charlie"]}
    assert plan["segments"][0]["over_s"] == pytest.approx(-26, abs=0.1)
    (project.recordings(show) / "alpha.wav").unlink()
    done = run(show, "plan", project.EPISODE)
    assert done.returncode == 2
    assert done.stdout == f"{project.EPISODE}: its sections plan 0.5 of 1 min; nothing is said of bravo, charlie\n"
    (plan,) = as_json(show, "plan", project.EPISODE, code=2)["episodes"]
    assert "recording is missing" in plan["problems"][0]["message"]


def test_a_tool_that_is_missing_ends_the_doctor_with_4(show: Path) -> None:
    done = run(show, "doctor", env={"FFMPEG_BINARY": "/bin/true"})
    assert done.returncode == 4
    assert "missing   ffmpeg" in done.stdout


@pytest.mark.parametrize(
    ("redirected", "code", "said"),
    [
        ("| true", 1, ""),
        ("2>&1 | true", 1, ""),
        (">&-", 0, "builds work here\n"),
        pytest.param("> /dev/full", 1, "error: stdout: No space left on device\n  = hint: free some space\n", marks=needs_dev_full),
    ],
)
def test_a_stdout_that_takes_nothing_is_no_bug(show: Path, redirected: str, code: int, said: str) -> None:
    script = f"set -o pipefail; \"$0\" -c 'from production.cli import main; main()' doctor {redirected}"
    done = subprocess.run(
        ["bash", "-c", script, sys.executable], cwd=show, env=environment(), capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    assert (done.returncode, done.stdout, done.stderr) == (code, "", said)


@pytest.mark.skipif(sys.platform == "darwin", reason="its file systems take no name that is no text")
@pytest.mark.parametrize(("encoding", "title"), [("latin-1", b"\xdcber \\U0001f399 \\u2014"), ("utf-8", "Über 🎙 —".encode())])
def test_what_an_encoding_lacks_is_written_in_escapes(show: Path, encoding: str, title: bytes) -> None:
    with project.edited(show) as config:
        config["title"] = "Über 🎙 —"
    stray = project.recordings(show) / os.fsdecode(b"gr\xfcn.wav")
    stray.write_bytes(b"")
    env = {"PYTHONIOENCODING": encoding}
    assert title in raw(show, "list", env=env)
    assert json.loads(raw(show, "list", "--json", env=env).decode("utf-8"))["episodes"][0]["title"] == "Über 🎙 —"
    found = json.loads(raw(show, "check", "--json", env=env).decode("utf-8"))["problems"]
    assert stray.relative_to(show).as_posix() in {one["path"] for one in found}


@pytest.mark.parametrize("words", ["produce ", "produce episode-0", "produce explain episode-01 sections.", "produce set episode-01 loud"])
def test_completing_loads_nothing(show: Path, words: str) -> None:
    asked = {"_PRODUCE_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split(" ")) - 1)}
    done = run(show, env=asked, code=SAY)
    assert done.stdout.startswith("plain,")
    assert loaded(done.stderr) == []


def test_listing_what_was_checked_before_loads_nothing(show: Path) -> None:
    run(show, "list")
    done = run(show, "list", code=SAY)
    assert loaded(done.stderr) == []
    assert LOADED in done.stderr
    assert len(LIBRARIES) > 5


def test_a_real_bash_completes(show: Path, tmp_path: Path) -> None:
    bash = require("bash")
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "produce").write_text(f'#!/bin/sh\nexec {sys.executable} -c "from production.cli import main; main()" "$@"\n')
    (programs / "produce").chmod(0o755)
    script = """
        eval "$(produce completion bash)"
        for line in "produce epi" "produce plan to" "produce explain episode-01 sections.alpha.fade" "produce set tones seas"; do
            COMP_WORDS=($line); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); COMPREPLY=()
            _produce_completion produce
            echo "${COMPREPLY[*]}"
        done
    """
    env = {**environment(), "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run([bash, "--norc", "-c", script], cwd=show, env=env, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["episode-01", "tones", "sections.alpha.fade_in sections.alpha.fade_out", "season="]
