"""Headings of scripts -> titles of sections and chapters, and slugs. Pure.

A heading says more than its title: `## 📚 PART I: CQRS ARCHITECTURE MASTERY` is the section `CQRS Architecture Mastery`.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Sequence

Usage = Callable[[str], str]
"""How a script writes a word where it does not shout."""
MOST = 200
"""Characters of a title: players show some sixty."""

_COUNTED = re.compile(
    r"(?:\d{1,2}[.)]\s+(?=\S))|(?:part|chapter|hour|section|segment|act)\s+(?:\d{1,3}|[ivxlc]{1,7})\s*(?:[:.)]|[-–—]\s)\s*(?=\S)", re.IGNORECASE
)
_EPISODE = re.compile(r"(?:podcast\s+)?ep(?:isode|\.)?\s*#?\s*(\d{1,6})\s*(?:(?:[:.)]|[-–—])\s*|$)", re.IGNORECASE)
_AND_RESOURCES = re.compile(r"\s*(?:&|\+|and)\s+(?:\w+\s+)?resources$", re.IGNORECASE)
_QUOTED = re.compile(r"^((?:[^\"“”]*: )?)[\"“]([^\"“”]+)[\"”]$")
_PIECES = re.compile(r"(: | [-–—] )")
_NEARLY_ALWAYS = 0.8
_WORD = re.compile(r"[^\W\d_]+")
_AFTER_APOSTROPHE = frozenset({"s", "t", "d", "m", "ll", "re", "ve"})
_SMALL = frozenset(re.findall(r"\w+", "a an and as at but by for from in into is nor of on or over than the to vs with without"))
_TURNS = frozenset({"LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI"})
_SLUG_WORDS = 4
_SLUG_MOST = 60
_GENERIC = ("cold-open", "introduction", "conclusion", "closing", "executive-summary", "learning-outcomes", "key-takeaways", "transition")


def one_line(text: str) -> str:
    """The text on one line, without what no config may hold and what turns the direction of a line."""
    return " ".join("".join(" " if _acts(char) else char for char in text).split())


def _acts(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") or unicodedata.bidirectional(char) in _TURNS or char in "\ufeff\ufffe\uffff"


def episode_title(heading: str) -> tuple[str, int | None]:
    """The title of an episode and its number, of ``PODCAST EPISODE 14: Title``; the title may be missing."""
    text = _undressed(heading)
    found = _EPISODE.match(text)
    return (text[found.end() :].strip(), int(found[1])) if found else (text, None)


def section_title(heading: str, usage: Usage) -> str:
    """A heading as a title: without pictures before it, its number, and ``& Resources`` after it; what it shouts is written as ``usage`` says."""
    text = _AND_RESOURCES.sub("", whole_title(heading)) or whole_title(heading)
    text = _QUOTED.sub(r"\1\2", text)
    text = "".join(_lowered(piece, usage) if _shouts(piece) else piece for piece in _PIECES.split(text))
    return text if len(text) <= MOST else text[: MOST - 1].rstrip() + "…"


def whole_title(heading: str) -> str:
    """A heading without pictures before it and without its number."""
    text = _undressed(heading)
    return _COUNTED.sub("", text, count=1)


def usage_of(texts: Sequence[str]) -> Usage:
    """How a script's prose writes a word; capitalised when it never does. Only what is nearly always in capitals keeps them."""
    seen: dict[str, Counter[str]] = {}
    for text in texts:
        for word in _WORD.findall(text):
            seen.setdefault(word.casefold(), Counter())[word] += 1

    def usage(word: str) -> str:
        found = seen.get(word.casefold(), Counter())
        if found.total() and found[word.upper()] >= _NEARLY_ALWAYS * found.total():
            return word.upper()
        written = [one for one in found if one != word.upper()]
        return min(written, key=lambda one: (-found[one], one)) if written else word.capitalize()

    return usage


def slug(title: str, taken: Collection[str]) -> str:
    """A short name for a section: the first words of its title in ASCII, and a number behind it when it is taken."""
    head = re.split(r":| [-–—] ", title)[0]
    name = "-".join(_ascii(head))
    if name not in _GENERIC:
        telling = [[word for word in _ascii(text) if word not in _SMALL] for text in (head, title)]
        words = telling[0] if len(telling[0]) > 1 else telling[1]
        name = "-".join(words[:_SLUG_WORDS])[:_SLUG_MOST].strip("-") or "section"
    names = (name if number == 1 else f"{name}-{number}" for number in range(1, len(taken) + 2))
    return next(one for one in names if one not in taken)


def _ascii(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", re.sub(r"['’]", "", text).casefold()).encode("ascii", "ignore").decode()
    return re.findall(r"[a-z0-9]+", plain)


def _undressed(heading: str) -> str:
    text = one_line(heading).replace("\ufffd", " ").strip()
    while text and (unicodedata.category(text[0]) in ("So", "Sk", "Cf", "Mn", "Me", "Zs")):
        text = text[1:]
    return " ".join(text.split())


def _shouts(text: str) -> bool:
    letters = [char for char in text if char.isalpha()]
    return len(letters) > 6 and sum(char.isupper() for char in letters) >= 0.85 * len(letters)


def _lowered(text: str, usage: Usage) -> str:
    def word(found: re.Match[str]) -> str:
        shouted = found[0]
        if not shouted.isupper():
            return shouted
        before = text[: found.start()][-1:]
        if (shouted.lower() in _SMALL and before) or (before in ("'", "’") and shouted.lower() in _AFTER_APOSTROPHE):
            return shouted.lower()
        if before.isdigit():
            return shouted
        written = usage(shouted)
        return written[0].upper() + written[1:] if written.islower() else written

    return _WORD.sub(word, text)
