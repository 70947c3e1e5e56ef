"""Problems -> text for people: the place, the words, the line with a caret under the column, and what to do next.

Pure. Whatever a file held, what comes out is printable: one problem can neither move the cursor nor colour the terminal.
"""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from production.errors import Problem

_TAB = "    "
_CUT = "…"
_WIDTH = 110
"""Display columns of a source line that are shown at most."""
_LEAD = 30
"""Display columns kept before the caret when a long line is cut."""
# Joiners and variation selectors hold emoji together; they are harmless and the line reads wrong without them.
_HARMLESS = frozenset("\u200d\u200c\ufe0e\ufe0f")


def visible(text: str) -> str:
    """The text with everything that a terminal would obey (controls, direction marks, lone surrogates) written as an escape."""
    return "".join(_visible(char) for char in text)


def _visible(char: str) -> str:
    if char.isprintable() or char in _HARMLESS:
        return char
    if unicodedata.category(char) == "Zs":
        return " "
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _columns(text: str) -> int:
    """How many columns of a terminal a visible text takes."""
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    bare = sum(unicodedata.combining(char) != 0 or char in _HARMLESS for char in text)
    return len(text) + wide - bare


def _cells(line: str) -> list[str]:
    """One printable string per character of the source line."""
    return [_TAB if char == "\t" else _visible(char) for char in line]


def _cut(cells: list[str], at: int) -> tuple[str, int]:
    """A window of at most `_WIDTH` columns around cell ``at``, and the column of that cell in it."""
    widths = [_columns(cell) for cell in cells]
    first = 0
    if sum(widths) > _WIDTH and sum(widths[:at]) > _WIDTH - _LEAD:
        first, room = at, _LEAD
        while first > 0 and widths[first - 1] <= room:
            first -= 1
            room -= widths[first]
    head = _CUT if first else ""
    used = len(head)
    last = first
    while last < len(cells) and used + widths[last] <= _WIDTH - len(_CUT):
        used += widths[last]
        last += 1
    if last < len(cells) and sum(widths[last:]) <= len(_CUT):
        last = len(cells)
    tail = _CUT if last < len(cells) else ""
    return head + "".join(cells[first:last]) + tail, len(head) + sum(widths[first:at])


def _shown_path(path: Path, relative_to: Path | None) -> str:
    if relative_to is not None and path.is_relative_to(relative_to):
        path = path.relative_to(relative_to)
    return visible(path.as_posix())


def format_problem(problem: Problem, *, relative_to: Path | None) -> str:
    """One problem as text without a final newline.

    ``path:line:column: severity: message``, then (when there is a line to show) the line and a caret, then the hint if there is one.
    Paths under ``relative_to`` are shown relative to it.
    """
    where = problem.location
    place = f":{where.line}:{where.column}" if where.line else ""
    out = [f"{_shown_path(where.path, relative_to)}{place}: {problem.severity}: {visible(problem.message)}"]
    gutter = max(5, len(str(where.line)))
    if where.line and problem.source_line is not None:
        cells = _cells(problem.source_line)
        line, caret = _cut(cells, min(max(where.column - 1, 0), len(cells)))
        out.append(f"{where.line:>{gutter}} | {line}".rstrip())
        out.append(f"{'':>{gutter}} | {' ' * caret}^")
    if problem.hint:
        out.append(f"{'':>{gutter}} = hint: {visible(problem.hint)}")
    return "\n".join(out)


def format_problems(problems: Iterable[Problem], *, relative_to: Path | None) -> str:
    """Several problems, one after another, in the order given."""
    return "\n".join(format_problem(problem, relative_to=relative_to) for problem in problems)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The hint ``did you mean 'x'?`` for a word that is nearly one of ``known``, or an empty text."""
    words = {_folded(name): name for name in known}
    near = difflib.get_close_matches(_folded(word), words, n=1, cutoff=0.6)
    return f"did you mean '{words[near[0]]}'?" if near else ""


def _folded(word: str) -> str:
    return word.casefold().replace("_", "-")
