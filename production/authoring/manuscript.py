"""The bytes of a script -> its lines, what is said of it between dashes at the very top, and what is odd about it so far."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from production import yamlsource
from production.errors import ConfigError, Problem
from production.files import MAX_BYTES
from production.model import Location

MOST_LINES = 20_000
"""Lines of a script: the longest of the show has four thousand."""

_FRONT_MATTER_LINES = 100
_NEWLINE = re.compile(r"\r\n|\r|\n")


@dataclass
class Manuscript:
    """A script's lines, counted from 1 in every message. ``front`` is what its front matter says, whose lines are blank in ``body``."""

    path: Path
    lines: list[str] = field(default_factory=list)
    front: Mapping[str, str] = field(default_factory=dict)
    body: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def warn(self, line: int, message: str, hint: str, column: int = 1) -> None:
        """Note that something is odd, and was read all the same."""
        source = self.lines[line - 1] if 0 < line <= len(self.lines) else None
        self.problems.append(Problem(Location(self.path, line, column), message, hint, source, "warning"))

    def unusable(self, line: int, message: str, hint: str) -> ConfigError:
        """The error that there is nothing to read on; line 0 is the file as a whole."""
        source = self.lines[line - 1] if 0 < line <= len(self.lines) else None
        return ConfigError([Problem(Location(self.path, line, 1 if line else 0), message, hint, source)])


def opened(path: Path, data: bytes) -> Manuscript:
    """The script of these bytes, UTF-8 or UTF-16, sound or not. Raises ConfigError when it is too large for one."""
    found = Manuscript(path)
    if len(data) > MAX_BYTES:
        raise found.unusable(0, f"more than {MAX_BYTES // 2**20} MiB: this is no script", "name the Markdown file of one episode")
    _decode(found, data)
    if len(found.lines) > MOST_LINES:
        raise found.unusable(0, f"more than {MOST_LINES:,} lines: this is no script of an episode", "name the Markdown file of one episode")
    begins = _read_front_matter(found)
    found.body = ["" if at < begins else line for at, line in enumerate(found.lines)]
    return found


def _decode(found: Manuscript, data: bytes) -> None:
    utf16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    text = data.decode("utf-16" if utf16 else "utf-8", "replace").removeprefix("\ufeff")
    found.lines = _NEWLINE.split(text)
    if utf16:
        found.warn(1, "the file is UTF-16", "save it in the encoding UTF-8")
        return
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = _NEWLINE.split(data[: error.start].decode("utf-8").removeprefix("\ufeff"))
        others = sum(not _is_utf8(line) for line in re.split(rb"\r\n|\r|\n", data)) - 1
        more = f", nor is something in {others} more line{'s' * (others > 1)}" if others else ""
        hint = "save the file in the encoding UTF-8; what cannot be read is shown as \ufffd"
        found.warn(len(before), f"byte 0x{data[error.start]:02X} is not UTF-8{more}", hint, len(before[-1]) + 1)


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _read_front_matter(found: Manuscript) -> int:
    """How many lines it takes."""
    dashes = [at for at, line in enumerate(found.lines[:_FRONT_MATTER_LINES]) if line.rstrip() in ("---", "...")]
    if len(dashes) < 2 or dashes[0] != 0:
        return 0
    # An empty line for the dashes keeps the numbers of the lines.
    document = yamlsource.read_text(found.path, "\n".join(["", *found.lines[1 : dashes[1]]]).encode("utf-8", "replace"))
    if not isinstance(document.root, yamlsource.Mapping):
        return 0
    for problem in document.problems:
        found.warn(problem.location.line, f"front matter: {problem.message}", problem.hint, problem.location.column)
    found.front = {key.text.lower(): value.text for key, value in document.root.entries if isinstance(value, yamlsource.Scalar)}
    return dashes[1] + 1
