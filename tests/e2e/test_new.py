"""`produce new`, typed in a real terminal, and by options without one."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from production.config import load_project
from tests.e2e.project import Finished, produce

ROOT = Path(__file__).resolve().parent.parent.parent
SERIES = "architecture-deep-dives"
THERE = ("episode-01.yaml", "episode-35.yaml")
PATIENCE = 20
SAID = ("--series", SERIES, "--title", "Clocks: a #1 history", "--summary", "Who says what time it is.", "--yes")
SCRIPT = """# Episode 36: Agreement
**Series**: Architecture Deep Dives Series

## COLD OPEN: THE NIGHT NOBODY AGREED (8 minutes)
At three in the morning five machines said five different things, and each of them was sure.
## Part I: The Mathematics of Quorums
*Duration: 1 hour*
### Majorities
```python
# not a heading
```
## Episode Resources
"""

pytestmark = pytest.mark.process


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The show with two of its episodes: its first series is full, its last has room."""
    for name in (
        "show.yaml",
        *(f"series/{path.name}" for path in sorted((ROOT / "configs/series").iterdir())),
        *(f"episodes/{name}" for name in THERE),
    ):
        to = tmp_path / "show" / "configs" / name
        to.parent.mkdir(parents=True, exist_ok=True)
        text = (ROOT / "configs" / name).read_text("utf-8")
        to.write_text(text.replace("episodes: 22-35", "episodes: 22-60").replace("episodes: 1-12", "episodes: 1-1"), encoding="utf-8")
    return tmp_path / "show"


def written(root: Path) -> list[str]:
    """What is in the folder of episodes besides what was there, hidden files too."""
    return sorted(path.name for path in (root / "configs" / "episodes").iterdir() if path.name not in THERE)


# -- in a terminal ---------------------------------------------------------------------------------------------------------------


@dataclass
class Session:
    """A run whose stdin and stderr are a terminal of its own; stdout is read apart."""

    child: subprocess.Popen[bytes]
    keyboard: int
    screen: str = ""

    def sees(self, text: str) -> None:
        """Wait until the screen shows the text, after whatever was seen before."""
        end = time.monotonic() + PATIENCE
        while text not in self.screen:
            assert time.monotonic() < end, f"no {text!r} in {self.screen!r}"
            if select.select([self.keyboard], [], [], 0.5)[0]:
                self.screen += os.read(self.keyboard, 65536).decode("utf-8", "replace").replace("\r\n", "\n")
        self.screen = self.screen.partition(text)[2]

    def types(self, keys: str) -> None:
        os.write(self.keyboard, keys.encode())

    def answers(self, *pairs: tuple[str, str]) -> None:
        for question, answer in pairs:
            self.sees(question)
            self.types(f"{answer}\n")

    def ends(self) -> Finished:
        out = self.child.communicate(timeout=PATIENCE)[0].decode()
        # Linux ends a terminal that nobody holds any more with an error
        with contextlib.suppress(OSError):
            while select.select([self.keyboard], [], [], 0)[0] and (data := os.read(self.keyboard, 65536)):
                self.screen += data.decode("utf-8", "replace").replace("\r\n", "\n")
        return Finished(self.child.returncode, out, self.screen)


@contextlib.contextmanager
def session(root: Path, *words: str) -> Iterator[Session]:
    keyboard, terminal = pty.openpty()

    def at_it() -> None:
        # So that ^C is what the terminal makes of it: a signal to whoever works in it.
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    child = subprocess.Popen(
        [sys.executable, "-c", "from production.cli import main\nmain()", "-C", str(root), "new", *words],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=terminal,
        start_new_session=True,
        preexec_fn=at_it,
    )
    os.close(terminal)
    try:
        yield Session(child, keyboard)
    finally:
        child.kill()
        child.wait()
        os.close(keyboard)
        assert child.stdout is not None
        child.stdout.close()


def test_an_episode_is_begun_by_questions(root: Path) -> None:
    with session(root) as typed:
        typed.sees("architecture-deep-dives: Architecture Deep Dives, 22-60, next is 36\n")
        typed.answers(
            ("Series: ", "foundational"),
            ("series foundational is full: all of 1-1 are taken (foundational.yaml:10: write 1-2)", ""),
            ("a series is needed", SERIES),
            ("Number [36]: ", "14"),
            ("architecture-deep-dives holds 22-60, not 14 (14 is in series pattern-mastery; 36 is the next free one)", "37"),
            ("Title: ", ""),
            ("a title is needed", "No: #1 “Clocks” 🎬"),
            ("Date [2026-09-08]: ", "tomorrow"),
            ("'tomorrow' is no date (write YYYY-MM-DD)\nDate [2026-09-08]: ", ""),
            ("Minutes [180]: ", "2.5 hours"),
            ("Summary: ", "Who says what time it is."),
            ("48 min  Pattern Implementations (implementation)", ""),
        )
        typed.sees('title: "No: #1 “Clocks” 🎬"\n')
        typed.answers(("Write episode-37.yaml? [Y/n]: ", "maybe"), ("that is neither yes nor no (type y or n)", "y"))
        found = typed.ends()
    assert found.code == 0
    # the result and nothing else, so that another program can take it
    assert found.out == f"{root}/configs/episodes/episode-37.yaml\n"
    assert written(root) == ["episode-37.yaml"]
    episode = load_project(root).episode("episode-37")
    assert (episode.title, episode.minutes, str(episode.date)) == ("No: #1 “Clocks” 🎬", 150, "2026-09-08")
    assert len(episode.sections) == 7
    assert sum(section.minutes or 0 for section in episode.sections) == 150
    text = (root / "configs" / "episodes" / "episode-37.yaml").read_text("utf-8")
    assert yaml.safe_load(text)["title"] == "No: #1 “Clocks” 🎬"
    assert "# a real incident" in text


def test_sections_are_changed_one_by_one(root: Path) -> None:
    others = [(f"{part} [", "-") for part in ("mathematics", "implementation", "case-study", "failure-analysis", "exercises")]
    with session(root, *SAID[:-1]) as typed:
        typed.answers(("Number [36]: ", ""), ("Date [", ""), ("Minutes [", ""), ("Keep these sections? [Y/n]: ", "n"))
        typed.answers(("cold-open [Cold Open]: ", "Cold Open: It's Five O'Clock"), ("minutes [6]: ", "0"), ("'0' is no length of a section", "12"))
        typed.answers(("first-principles [First Principles]: ", ""), ("minutes [33]: ", ""), *others, ("Write episode-36.yaml? [Y/n]: ", ""))
        assert typed.ends().code == 0
    sections = load_project(root).episode("episode-36").sections
    assert [(one.slug, one.title, one.minutes) for one in sections] == [
        ("cold-open-2", "Cold Open: It's Five O'Clock", 12),
        ("first-principles", "First Principles", 33),
    ]


@pytest.mark.parametrize(("key", "at"), [("\x04", "Summary: "), ("\x03", "Write episode-36.yaml? [Y/n]: ")], ids=["^D", "^C"])
def test_whoever_stops_leaves_nothing(root: Path, key: str, at: str) -> None:
    answers = [
        ("Series: ", SERIES),
        ("Number [36]: ", ""),
        ("Title: ", "T"),
        ("Date [", ""),
        ("Minutes [", ""),
        ("Summary: ", "S"),
        ("sections? [Y/n]: ", ""),
    ]
    with session(root) as typed:
        typed.answers(*answers[: next((index for index, (question, _) in enumerate(answers) if question == at), len(answers))])
        typed.sees(at)
        typed.types(key)
        found = typed.ends()
    assert (found.code, found.out) == (130, "")
    assert "interrupted; no file was written" in found.said
    assert written(root) == []
    assert not (root / "build").exists()


def test_no_is_an_answer_and_a_file_that_appears_meanwhile_stays(root: Path) -> None:
    with session(root, *SAID[:-1], "--number", "36", "--date", "2027-01-05", "--minutes", "60") as typed:
        typed.answers(("sections? [Y/n]: ", ""), ("Write episode-36.yaml? [Y/n]: ", "n"))
        found = typed.ends()
    assert (found.code, found.out, written(root)) == (0, "", [])
    with session(root, *SAID[:-1], "--number", "36", "--date", "2027-01-05", "--minutes", "60") as typed:
        typed.answers(("sections? [Y/n]: ", ""))
        typed.sees("Write episode-36.yaml? [Y/n]: ")
        (root / "configs" / "episodes" / "episode-36.yaml").write_text("somebody else's", encoding="utf-8")
        typed.types("y\n")
        found = typed.ends()
    assert (found.code, found.out) == (2, "")
    assert "configs/episodes/episode-36.yaml: error: there is such a file already, and it is left as it is" in found.said
    assert (root / "configs" / "episodes" / "episode-36.yaml").read_text("utf-8") == "somebody else's"


# -- without one -----------------------------------------------------------------------------------------------------------------


def test_the_same_is_said_by_options(root: Path) -> None:
    dry = produce(root, "new", *SAID[:-1], "--dry-run")
    assert written(root) == []
    done = produce(root, "new", *SAID)
    assert done.out == f"{root}/configs/episodes/episode-36.yaml\n"
    text = (root / "configs" / "episodes" / "episode-36.yaml").read_text("utf-8")
    # what is shown on stdout without being written, and on stderr before it is, is the file
    assert dry.out == text
    assert text in done.said
    produce(root, "new", *SAID)
    assert written(root) == ["episode-36.yaml", "episode-37.yaml"]
    assert (root / "configs" / "episodes" / "episode-36.yaml").read_text("utf-8") == text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "error: nobody is asked here, and these are not said: --series, --title, --summary, --yes (or --dry-run)\n"),
        (
            (*SAID[2:], "--number", "1"),
            "error: there is an episode 1 already: The Speed of Light Constraint\n  = hint: every number of foundational is taken\n",
        ),
    ],
)
def test_what_is_missing_or_wrong_is_said_and_nothing_is_waited_for(root: Path, words: Sequence[str], said: str) -> None:
    assert produce(root, "new", *words, code=2).said == said
    assert written(root) == []


def test_a_script_becomes_an_episode(root: Path, tmp_path: Path) -> None:
    source = tmp_path / "script.md"
    source.write_bytes(SCRIPT.encode() + b"\n\xff\n")
    done = produce(root, "new", "--from", str(source), "--yes")
    assert done.said.startswith(f"{source}:14:1: warning: byte 0xFF is not UTF-8\n")
    assert f"{source}:12: left out: Episode Resources (resources)\n2 sections, 2 with minutes: 68 in all\n" in done.said
    episode = load_project(root).episode("episode-36")
    assert (episode.title, episode.series, episode.minutes) == ("Agreement", SERIES, 68)
    assert episode.summary.startswith("At three in the morning five machines")
    assert [(one.slug, one.title, one.part, one.minutes, one.talking_points) for one in episode.sections] == [
        ("cold-open", "Cold Open: The Night Nobody Agreed", "cold-open", 8, ()),
        ("mathematics-quorums", "The Mathematics of Quorums", "mathematics", 60, ("Majorities",)),
    ]
    assert (
        produce(root, "new", "--from", str(source), "--yes", code=0).said.count("the script says episode 36, but there is an episode 36 already") == 1
    )
    missing = produce(root, "new", "--from", str(tmp_path / "scrip.md"), "--yes", code=2)
    assert missing.said == f"{tmp_path}/scrip.md: error: there is no such file\n      = hint: did you mean 'script.md'?\n1 problem\n"
