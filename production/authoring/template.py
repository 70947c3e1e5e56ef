"""A draft -> the text of its YAML file, with comments for whoever fills it in. Pure.

Texts are written so that every reader of YAML takes them for the same text, not only ours: `no`, `12:30` and `# 1` are put in quotes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from production.authoring.proposals import Draft, Planned

WIDTH = 150
"""Columns of a line, where a text can be broken."""

_PLAIN = re.compile(r"[^\W\d_](?:[^:#\n\t\\]|:(?! |$)|(?<! )#)*[^\s:]")
_WORDS = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null", "none"])


def text_of(draft: Draft, site: str) -> str:
    """The file; ``site`` is the show's web site, under which addresses of pages are suggested."""
    return "\n".join(_lines(draft, site)) + "\n"


def _lines(draft: Draft, site: str) -> Iterator[str]:
    page = f"{site.rstrip('/')}/episodes/{draft.id}"
    yield f"# Episode {draft.number}: {draft.title}. Every section is one recording and one chapter."
    yield f"number: {draft.number}"
    yield f"series: {draft.series}"
    yield f"title: {scalar(draft.title)}"
    yield from _long("summary", draft.summary, "")
    yield f"date: {draft.date.isoformat()} # the day it is published"
    if draft.minutes is not None:
        yield f"minutes: {draft.minutes:g} # the plan for the whole; what is measured stands in report.json"
    yield f"# link: {page} # its page"
    yield "# keywords: [consensus, quorum] # what people look for"
    yield "# notes: notes.md # show notes in Markdown: a file, or the text itself"
    yield "# persons: [{name: Ada, role: guest}] # who is heard besides the show's own"
    yield f"sections: # recordings/{draft.id}/<slug>.wav (or .flac, .mp3, ...), in the order in which they sound"
    for at, section in enumerate(draft.sections):
        if at:
            yield ""
        yield from _section(section, explained=not at)


def _section(section: Planned, *, explained: bool) -> Iterator[str]:
    yield f"  - slug: {scalar(section.slug)}"
    yield f"    title: {scalar(section.title)}"
    yield f"    part: {section.part}" + (f" # {section.remark}" if section.remark else "")
    yield f"    minutes: {section.minutes:g}" if section.minutes is not None else "    # minutes: 10 # the plan; none is said yet"
    if explained:
        yield "    # summary: one sentence for the show notes and the scratch voice"
    if section.points:
        yield "    talking_points:"
        yield from (f"      - {scalar(point)}" for point in section.points)
    elif explained:
        yield "    # talking_points: [what is said first, what is said then]"


def scalar(text: str) -> str:
    """A text on one line as YAML reads it back: as it is, or in quotes."""
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS and not text.endswith(" "):
        return text
    if '"' in text or "\\" in text:
        return "'" + text.replace("'", "''") + "'"
    return f'"{text}"'


def _long(key: str, text: str, indent: str) -> Iterator[str]:
    """A text of several lines is folded, if its blanks are all single: folding gives those back and no others."""
    line = f"{indent}{key}: {scalar(text)}"
    words = text.split(" ")
    if len(line) <= WIDTH or any(not word or word != word.strip() for word in words):
        yield line
        return
    yield f"{indent}{key}: >-"
    line = f"{indent} "
    for word in words:
        if line.strip() and len(line) + 1 + len(word) > WIDTH:
            yield line
            line = f"{indent} "
        line += f" {word}"
    yield line
