"""Markdown text -> its headings, each with the first of what stands under it. With `feeds.notes`, the only import of markdown-it.

CommonMark says what a heading is: `#` inside of a code fence, an indented block or a comment is none, a line of dashes under a line of text
makes one. Two things are read as they were meant, and not as CommonMark has it: a fence of Markdown may hold other fences, and dashes right under
a paragraph of several lines are a rule across the page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

MOST_TEXTS = 8
"""Paragraphs (or items of lists) that are kept of what stands under a heading."""

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})[ \t]*(.*?)[ \t]*")
_NESTING = frozenset({"md", "markdown", "mdx"})


@dataclass(slots=True)
class Heading:
    """A heading as it is read; ``texts`` are the first texts under it, before the next heading, with their markup."""

    level: int
    text: str
    line: int
    texts: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Page:
    """All headings in order, and all texts besides them. ``unclosed`` is the line of a code fence that nothing closes, which hides whatever stands
    after it; 0 for none."""

    headings: tuple[Heading, ...]
    texts: tuple[str, ...]
    unclosed: int = 0


def read(lines: Sequence[str]) -> Page:
    """The headings of a text, given as its lines; lines are counted from 1. Never raises."""
    shown, unclosed = _without_nested(lines)
    headings: list[Heading] = []
    texts: list[str] = []
    tokens = iter(_parser().parse("\n".join(shown)))
    for token in tokens:
        if token.type == "heading_open" and token.map and not token.level:
            content = next(tokens).content
            if token.markup in "-=" and "\n" in content:
                texts.append(content)
                _add(headings, content)
            else:
                headings.append(Heading(int(token.tag[1]), plain(content), token.map[0] + 1))
        elif token.type == "inline":
            texts.append(token.content)
            _add(headings, token.content)
    return Page(tuple(headings), tuple(texts), unclosed)


def _add(headings: list[Heading], text: str) -> None:
    if headings and text.strip() and len(headings[-1].texts) < MOST_TEXTS:
        headings[-1].texts.append(text)


def plain(text: str) -> str:
    """The words of a text without its markup, on one line."""
    return " ".join("".join(_words(_inline().parseInline(text))).split())


def _words(tokens: Sequence[Token]) -> Iterator[str]:
    for token in tokens:
        if token.children:
            yield from _words(token.children)
        elif token.type in ("text", "code_inline"):
            yield token.content
        elif token.type in ("softbreak", "hardbreak"):
            yield " "


def _without_nested(lines: Sequence[str]) -> tuple[list[str], int]:
    """The lines with fences of Markdown left blank, and the line of the fence that is still open at the end."""
    shown = list(lines)
    fences: list[tuple[str, bool]] = []
    began = 0
    for at, line in enumerate(lines):
        found = _FENCE.fullmatch(line)
        mark, info = found.groups() if found else ("", "")
        inside = bool(fences) and fences[0][1]
        if not fences:
            if mark and not (mark[0] == "`" and "`" in info):
                fences.append((mark, info.split(" ")[0].lower() in _NESTING))
                began = at + 1
                inside = fences[0][1]
        elif mark and mark.startswith(fences[-1][0]) and not info:
            fences.pop()
        elif mark and info and fences[0][1] and "`" not in info:
            fences.append((mark, True))
        if inside:
            shown[at] = ""
    return shown, began if fences else 0


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark")
    # What stands inside of paragraphs is asked for where it matters: of a hundred pages, that is a few lines.
    parser.core.ruler.enableOnly(["normalize", "block"])
    return parser


@cache
def _inline() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark")
