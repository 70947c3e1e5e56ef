"""Text and JSON that other programs wrote, read without trusting it: every complaint says at which line and column. Pure."""

from __future__ import annotations

import codecs
import json
import re
from bisect import bisect
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NoReturn

from audio.errors import TextUnreadable
from audio.units import RATE, Samples

_BREAK = re.compile(r"\r\n|\r|\n")
_BLANK = re.compile(r"[ \t\r\n]*")
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_TIME = re.compile(r"(?:(?:([0-9]{1,5}):)?([0-9]{1,5}):)?([0-9]{1,9})(?:[.,]([0-9]{0,12}))?")
MOST_SAMPLES = 400 * 3600 * RATE
"""A time beyond it is none of a recording; and it would be no number of milliseconds that a tag can hold."""


@dataclass(frozen=True)
class Text:
    """A file's text, which knows the line and the column of every character."""

    text: str

    def lines(self) -> list[str]:
        """Lines as an editor counts them, without their ends."""
        return _BREAK.split(self.text)

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column of a character, both from 1."""
        line = bisect(self._begins, offset)
        return line, offset - self._begins[line - 1] + 1

    @cached_property
    def _begins(self) -> list[int]:
        """Where each line begins: looked for once, for a list of chapters asks for the place of each of them."""
        return [0, *(found.end() for found in _BREAK.finditer(self.text))]

    def refuse(self, offset: int, why: str, hint: str = "") -> NoReturn:
        line, column = self.place(offset)
        raise TextUnreadable(why, line, column, hint)


def decoded(data: bytes, most: int) -> Text:
    """Bytes as text: UTF-8, or UTF-16 where a byte order mark says so. Raises TextUnreadable for another encoding, and past ``most`` bytes."""
    if len(data) > most:
        raise TextUnreadable(f"is larger than {most:,} bytes", 1, 1, "is it the right file?")
    # Python's own "utf-8-sig" counts the bytes of an error from behind the mark.
    data, encoding = data.removeprefix(codecs.BOM_UTF8), "utf-16" if data.startswith(_UTF16) else "utf-8"
    try:
        return Text(data.decode(encoding))
    except UnicodeDecodeError as error:
        sound = Text(data[: error.start].decode(encoding, "replace"))
        line, column = sound.place(len(sound.text))
        raise TextUnreadable(f"is no text in UTF-8: byte 0x{data[error.start]:02x}", line, column, "save it again as UTF-8") from None


def time(text: str) -> Samples | None:
    """A time as programs write it (``5.25``, ``5,25``, ``1:02.5``, ``1:02:03.5``) in the nearest sample; None for anything else."""
    found = _TIME.fullmatch(text.strip())
    if not found:
        return None
    hours, minutes, whole, parts = found.groups(default="")
    # In whole numbers: a transcript has thousands of times.
    rest = (2 * int(parts) * RATE // 10 ** len(parts) + 1) // 2 if parts else 0
    at = (int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(whole)) * RATE + rest
    return Samples(at) if at <= MOST_SAMPLES else None


def in_samples(seconds: float) -> Samples | None:
    """Seconds in the nearest sample; None when they are negative, no number, or beyond every recording."""
    return Samples(round(seconds * RATE)) if 0 <= seconds <= MOST_SAMPLES // RATE else None


def counted(count: int, rate: int) -> Samples | None:
    """Samples at another rate (Hz) in the nearest sample; None when they are beyond every recording."""
    found = (2 * count * RATE + rate) // (2 * rate)
    return Samples(found) if found <= MOST_SAMPLES else None


# -- JSON ----------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Item:
    """A value of a list in a JSON document, and where it begins."""

    value: Any
    offset: int


def lists(text: Text, wanted: tuple[str, ...]) -> tuple[str, tuple[Item, ...]]:
    """The first list of the document's object that is called one of ``wanted``: its name, and its items with their places.

    Raises TextUnreadable for what is no JSON, and when there is no such list.
    """
    try:
        return _lists(text, wanted)
    except json.JSONDecodeError as error:
        raise TextUnreadable(f"is no JSON: {error.msg}", error.lineno, error.colno) from None
    except RecursionError:
        raise TextUnreadable("is nested too deep", 1, 1) from None
    except ValueError:
        # A number of thousands of digits.
        raise TextUnreadable("holds a number that is too long", 1, 1) from None


def _lists(text: Text, wanted: tuple[str, ...]) -> tuple[str, tuple[Item, ...]]:
    said, decoder = text.text, json.JSONDecoder()
    at = _past(said, 0)
    if not said.startswith("{", at):
        text.refuse(at, "is no JSON object", "it should begin with '{'")
    found: tuple[str, tuple[Item, ...]] | None = None
    at = _past(said, at + 1)
    while not said.startswith("}", at):
        if not said.startswith('"', at):
            text.refuse(at, "is no JSON: a key in quotes was expected")
        name, at = decoder.raw_decode(said, at)
        at = _past(said, at)
        if not said.startswith(":", at):
            text.refuse(at, "is no JSON: ':' was expected")
        at = _past(said, at + 1)
        if found is None and name in wanted and said.startswith("[", at):
            items, at = _items(text, decoder, at)
            found = name, items
        else:
            _, at = decoder.raw_decode(said, at)
        at = _past(said, at)
        if said.startswith(",", at):
            at = _past(said, at + 1)
        elif not said.startswith("}", at):
            text.refuse(at, "is no JSON: ',' or '}' was expected")
    if (rest := _past(said, at + 1)) < len(said):
        text.refuse(rest, "is no JSON: something follows its end")
    if found is None:
        text.refuse(0, f"holds no list called {' or '.join(wanted)}")
    return found


def _items(text: Text, decoder: json.JSONDecoder, at: int) -> tuple[tuple[Item, ...], int]:
    """The items of the list that begins at ``at``, and where it ends."""
    said, items = text.text, list[Item]()
    at = _past(said, at + 1)
    while not said.startswith("]", at):
        if items:
            if not said.startswith(",", at):
                text.refuse(at, "is no JSON: ',' or ']' was expected")
            at = _past(said, at + 1)
        value, end = decoder.raw_decode(said, at)
        items.append(Item(value, at))
        at = _past(said, end)
    return tuple(items), at + 1


def _past(said: str, at: int) -> int:
    found = _BLANK.match(said, at)
    return found.end() if found else at
