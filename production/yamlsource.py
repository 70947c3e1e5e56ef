"""YAML text -> nodes that know their line and column, and scalars read by the type that is wanted.

The only `import yaml`. PyYAML is used for its events alone: they carry raw text, style and position, and they arrive one by one, so that
nesting and size are refused before anything is built (composing 100,000 nested brackets ends the interpreter, and a handful of aliases
can stand for a billion nodes). Nothing is guessed from the look of a scalar: it stays raw text until somebody asks for a number, a time or
a date, and so a title may be ``No`` or ``12:30``.

The scalar rules are those of the YAML 1.2 core schema (https://yaml.org/spec/1.2.2/#103-core-schema), narrowed: ``true`` and ``false`` are
the only booleans (``no``, ``yes``, ``on`` and ``off`` are text), ``010`` is ten, hexadecimal and octal numbers are not numbers here.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from production.errors import Problem
from production.files import MAX_BYTES, File
from production.model import Location

MAX_DEPTH = 20
"""Lists and mappings inside each other: the configs need five."""
MAX_NODES = 20_000
"""Nodes in one file: the longest episode needs about 400."""

_Loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)

# -- nodes ---------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Scalar:
    """Raw text at a 1-based line and column; ``plain`` means neither quoted nor a block (`|`, `>`)."""

    line: int
    column: int
    text: str
    plain: bool

    @property
    def is_blank(self) -> bool:
        """Nothing was written."""
        return self.plain and not self.text


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list of nodes."""

    line: int
    column: int
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys and values in file order; every key is text and is there once."""

    line: int
    column: int
    entries: tuple[tuple[Scalar, Node], ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """Something that has been reported already (an alias, say) and has no value."""

    line: int
    column: int


Node = Scalar | Sequence | Mapping | Refused


@dataclass(frozen=True)
class Document:
    """One file: its lines (as an editor counts them), its root node (None when it cannot be used) and what is wrong with it."""

    path: Path
    lines: tuple[str, ...]
    root: Node | None
    problems: tuple[Problem, ...]

    def location(self, node: Node) -> Location:
        return Location(self.path, node.line, node.column)

    def problem(self, at: Node | Location, message: str, hint: str = "") -> Problem:
        """A problem at a node or at a location of this file, with the line to show."""
        where = at if isinstance(at, Location) else self.location(at)
        return Problem(where, message, hint, self.line(where.line))

    def line(self, number: int) -> str | None:
        """The text of a line, counted from 1, or None when there is no such line."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else None


# -- text --> nodes ------------------------------------------------------------------------------------------------------------

_NEWLINE = re.compile(r"\r\n|\r|\n")
# What no text of a config may hold: controls but tab and newline, the line separators that YAML 1.1 counts as lines and no editor does,
# byte order marks inside the text, lone surrogates and non-characters.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]")
_CONTROL_OR_RETURN = re.compile(rf"\r|{_CONTROL.pattern}")
_TABBED = re.compile(r"^ *\t", re.MULTILINE)
_NUMBER = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?")
_PLAIN_NOT_TEXT = re.compile(rf"|~|null|Null|NULL|true|True|TRUE|false|False|FALSE|{_NUMBER.pattern}")
_QUOTE_IT = "if it is text, put it in quotes"

# libyaml's words -> ours; the hint says what it nearly always was.
_SYNTAX = {
    "mapping values are not allowed": ("a second ':' in one value, or a line indented too far", "put text that holds ': ' in quotes"),
    "could not find expected ':'": ("a key without ':'", "write 'key: value', and indent the following lines of a long text"),
    "found character that cannot start any token": ("a value cannot start with this character", "put the text in quotes"),
    "did not find expected key": ("this does not fit what stands above it", "check indentation and quotes, here and in the line above"),
    "did not find expected '-' indicator": ("a line of the list without '-'", "check the indentation"),
    "did not find expected ',' or ']'": ("a '[' without its ']'", "close the list, or put text that holds brackets in quotes"),
    "did not find expected ',' or '}'": ("a '{' without its '}'", "close the braces, or put text that holds braces in quotes"),
    "found unexpected end of stream": ("a quote that is never closed", "double a ' inside '…', write \\\" inside \"…\""),
    "found unknown escape character": ("an unknown escape in a double-quoted text", "use single quotes, or write \\\\ for a backslash"),
    "block sequence entries are not allowed": ("a list cannot start here", "start it on a line of its own"),
}
_TOO_DEEP_FOR_LIBYAML = "exceeded maximum nesting depth"
"""What it says from some version on, before its first event."""
# Where libyaml reports the end of the file, the place where the thing began says more.
_SAY_WHERE_IT_BEGAN = ("could not find expected ':'", "found unexpected end of stream", "did not find expected ',' or")


@dataclass
class _Frame:
    """A collection that is still open."""

    line: int
    column: int
    is_mapping: bool
    items: list[Node] = field(default_factory=list)


class _Unusable(Exception):
    """What has just been reported leaves nothing to read on."""


class _Reader:
    """Builds the nodes of one text and collects what is wrong with it."""

    def __init__(self, path: Path, text: str) -> None:
        self.text = text
        self.document = Document(path, tuple(_NEWLINE.split(text)), None, ())
        self.problems: list[Problem] = []
        self.nodes = 0

    def report(self, at: Node | tuple[int, int], message: str, hint: str = "") -> None:
        where = Location(self.document.path, *at) if isinstance(at, tuple) else at
        self.problems.append(self.document.problem(where, message, hint))

    def read(self) -> Node | None:
        if self._tabs():
            return None
        self._controls()
        try:
            return self._build()
        except yaml.YAMLError as error:
            self._syntax(error)
        except _Unusable:
            pass
        return None

    # checks of the text as a whole

    def _tabs(self) -> bool:
        for line, text in enumerate(self.document.lines, 1):
            found = _TABBED.match(text)
            if found:
                self.report((line, found.end()), "a tab in the indentation", "indent with spaces")
        return bool(self.problems)

    def _controls(self) -> None:
        for line, text in enumerate(self.document.lines, 1):
            found = _CONTROL.search(text)
            if found:
                self.report((line, found.start() + 1), f"control character U+{ord(found.group()):04X}", "remove it")
        if self.problems:
            # Same length, so that every column stays: the rest of the file is still worth checking.
            self.text = _CONTROL.sub("\ufffd", self.text)

    def _syntax(self, error: yaml.YAMLError) -> None:
        said = str(getattr(error, "problem", None) or "")
        mark = getattr(error, "problem_mark", None)
        if said.startswith(_SAY_WHERE_IT_BEGAN):
            mark = getattr(error, "context_mark", None) or mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        if line > len(self.document.lines):
            line, column = len(self.document.lines), len(self.document.lines[-1]) + 1
        if any(p.location.line == line for p in self.problems):
            return  # it follows from what was said about this line
        if said == _TOO_DEEP_FOR_LIBYAML:
            self._too_deep((line, column))
            return
        message, hint = next((words for start, words in _SYNTAX.items() if said.startswith(start)), (said or "not readable", ""))
        self.report((line, column), f"not YAML: {message}", hint)

    # events -> nodes

    def _build(self) -> Node:
        root: Node | None = None
        stack: list[_Frame] = []
        for event in _events(self.text):
            if isinstance(event, yaml.NodeEvent):
                self._limits(event, len(stack))
                if isinstance(event, yaml.CollectionStartEvent):
                    self._plainness(event)
                    stack.append(_Frame(*_at(event), is_mapping=isinstance(event, yaml.MappingStartEvent)))
                    continue
                done = self._leaf(event)
            elif isinstance(event, yaml.CollectionEndEvent):
                done = self._close(stack.pop())
            elif isinstance(event, yaml.DocumentStartEvent) and root is not None:
                self.report(_at(event), "a second document starts here", "keep one document in a file: remove the '---'")
                return root
            else:
                continue
            if stack:
                stack[-1].items.append(done)
            else:
                root = done
        if root is None or (isinstance(root, Scalar) and root.is_blank):
            self.report((1, 1), "the file is empty")
            raise _Unusable
        return root

    def _limits(self, event: Any, depth: int) -> None:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            self.report(_at(event), f"more than {MAX_NODES:,} values in one file", "this is no config of a podcast")
            raise _Unusable
        if depth == MAX_DEPTH and isinstance(event, yaml.CollectionStartEvent):
            self._too_deep(_at(event))
            raise _Unusable

    def _too_deep(self, place: tuple[int, int]) -> None:
        self.report(place, f"nested more than {MAX_DEPTH} deep", "if brackets are meant as text, put them in quotes")

    def _plainness(self, event: Any) -> None:
        if event.anchor is not None:
            self.report(_at(event), f"anchor '&{event.anchor}': anchors are not used here", f"write the value out; {_QUOTE_IT}")
        if event.tag is not None:
            name = event.tag.replace("tag:yaml.org,2002:", "!!")
            self.report(_at(event), f"tag '{name}': tags are not used here", f"leave it out; {_QUOTE_IT}")

    def _leaf(self, event: Any) -> Node:
        line, column = _at(event)
        if isinstance(event, yaml.AliasEvent):
            self.report((line, column), f"alias '*{event.anchor}': aliases are not used here", f"write the value out; {_QUOTE_IT}")
            return Refused(line, column)
        self._plainness(event)
        scalar = Scalar(line, column, event.value, not event.style)
        escaped = None if scalar.plain else _CONTROL_OR_RETURN.search(scalar.text)
        if escaped:
            self.report(scalar, f"the text holds the control character U+{ord(escaped.group()):04X}", "remove the escape")
            return Refused(line, column)
        return scalar

    def _close(self, frame: _Frame) -> Node:
        if not frame.is_mapping:
            return Sequence(frame.line, frame.column, tuple(frame.items))
        seen: dict[str, Scalar] = {}
        entries: list[tuple[Scalar, Node]] = []
        for key, value in zip(frame.items[::2], frame.items[1::2], strict=True):
            if not isinstance(key, Scalar):
                if not isinstance(key, Refused):
                    self.report(key, "a list or a mapping stands where a key should be", "text that holds brackets or braces needs quotes")
            elif key.plain and key.text == "<<":
                self.report(key, "merge key '<<': merge keys are not used here", "write the keys out; show and series hand down defaults")
            elif key.plain and _PLAIN_NOT_TEXT.fullmatch(key.text):
                self.report(key, f"key '{key.text}' is not a word" if key.text else "a value without a key")
            elif key.text in seen:
                self.report(key, f"key '{key.text}' is there twice", f"the first is in line {seen[key.text].line}")
            else:
                seen[key.text] = key
                entries.append((key, value))
        return Mapping(frame.line, frame.column, tuple(entries))


def _events(text: str) -> Iterator[Any]:
    try:
        yield from yaml.parse(text, Loader=_Loader)
    except (ValueError, OverflowError) as error:  # the loader without libyaml lets an escape beyond Unicode through to chr()
        raise yaml.YAMLError(str(error)) from error


def _at(event: Any) -> tuple[int, int]:
    return event.start_mark.line + 1, event.start_mark.column + 1


def read_text(path: Path, data: bytes) -> Document:
    """The nodes of one YAML text (UTF-8, with or without a byte order mark); ``path`` is for the locations only.

    Never raises for what the bytes hold: whatever is wrong is in ``problems``, sorted by place, and ``root`` is None when nothing of the
    file can be used.
    """
    if len(data) > MAX_BYTES:
        return Document(path, (), None, (Problem(Location(path), f"more than {MAX_BYTES // 2**20} MiB: this is no config"),))
    try:
        text = data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        return _not_utf8(path, data, error.start)
    reader = _Reader(path, text)
    root = reader.read()
    return Document(path, reader.document.lines, root, tuple(sorted(reader.problems, key=lambda p: p.location)))


def _not_utf8(path: Path, data: bytes, offset: int) -> Document:
    before = _NEWLINE.split(data[:offset].decode("utf-8").removeprefix("\ufeff"))
    lines = tuple(_NEWLINE.split(data.decode("utf-8", "replace").removeprefix("\ufeff")))
    document = Document(path, lines, None, ())
    where = Location(path, len(before), len(before[-1]) + 1)
    problem = document.problem(where, f"byte 0x{data[offset]:02X} is not UTF-8", "save the file in the encoding UTF-8")
    return Document(path, lines, None, (problem,))


def read_file(file: File) -> Document:
    """:func:`read_text` of a file that was read; that it could not be is a problem too."""
    if file.error:
        return Document(file.path, (), None, (Problem(Location(file.path), f"cannot be read: {file.error}"),))
    return read_text(file.path, file.data)


# -- scalars --> values, by the type that is wanted ----------------------------------------------------------------------------

_WHOLE = re.compile(r"[-+]?[0-9]{1,18}")
_TIME = re.compile(r"(?:([0-9]{1,4}):)?([0-9]{1,4}):([0-9]{1,2})(\.[0-9]*)?")
_WITH_UNIT = re.compile(rf"({_NUMBER.pattern})\s*[A-Za-z%/]+")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TRUTH_WORDS = {"yes": "true", "on": "true", "y": "true", "true": "true", "no": "false", "off": "false", "n": "false", "false": "false"}
_NOTHING_WORDS = frozenset({"", "~", "null", "Null", "NULL", "none"})
_WRITE_A_TIME = "write seconds (90.5), mm:ss (12:30) or h:mm:ss (1:02:30)"
_REMOVE_QUOTES = "remove the quotes"


class Unfit(ValueError):
    """A scalar that is not what was wanted: plain words, and what to write instead (may be empty)."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def shown(text: str) -> str:
    """A value as a message shows it: on one line, in quotes, not longer than 40 characters."""
    line = " ".join(text.split())
    return f"'{line if len(line) <= 40 else line[:39] + '…'}'"


def described(node: Node) -> str:
    """What a node is, for a message that wanted something else."""
    if isinstance(node, Mapping):
        return "a mapping"
    if isinstance(node, Sequence):
        return "a list"
    if isinstance(node, Refused) or not node.text:
        return "nothing"
    return shown(node.text) if node.plain else f"the text {shown(node.text)}"


def is_nothing(scalar: Scalar) -> bool:
    """``null``, ``~``, ``none`` or nothing at all, unquoted."""
    return scalar.plain and scalar.text in _NOTHING_WORDS


def text(scalar: Scalar) -> str:
    """The text as it stands, whatever it looks like."""
    return scalar.text


def truth(scalar: Scalar) -> bool:
    """``true`` or ``false``. Raises Unfit."""
    if scalar.plain and scalar.text in ("true", "false"):
        return scalar.text == "true"
    word = _TRUTH_WORDS.get(scalar.text.lower())
    raise Unfit(f"should be true or false, not {described(scalar)}", f"write {word} (without quotes)" if word else "")


def whole(scalar: Scalar) -> int:
    """A whole number in decimal digits. Raises Unfit."""
    return int(_digits(scalar, _WHOLE, "a whole number"))


def number(scalar: Scalar) -> float:
    """A decimal number; finite. Raises Unfit."""
    return _finite(scalar, "a number")


def seconds(scalar: Scalar) -> float:
    """A time in seconds: a number of seconds, or ``[h:]mm:ss[.fff]``; the second form may be quoted. Raises Unfit.

    ``12:30`` is twelve minutes and a half, ``90:00`` an hour and a half, ``1:30:00`` too.
    """
    if ":" not in scalar.text:
        try:
            return _finite(scalar, "a time")
        except Unfit as unfit:
            raise Unfit(str(unfit), unfit.hint or _WRITE_A_TIME) from None
    wrong = f"should be a time, not {described(scalar)}"
    found = _TIME.fullmatch(scalar.text)
    if not found:
        raise Unfit(wrong, _WRITE_A_TIME)
    hours, minutes, whole_seconds, fraction = found.groups(default="")
    if int(whole_seconds) >= 60 or (hours and int(minutes) >= 60):
        raise Unfit(wrong, f"{'seconds' if int(whole_seconds) >= 60 else 'minutes'} go up to 59 here")
    if len(whole_seconds) < 2 or (hours and len(minutes) < 2):
        # 1:5 may be meant as 1:05 or as 1:50.
        raise Unfit(wrong, "write two digits after each ':'")
    return int(hours or 0) * 3600 + int(minutes) * 60 + float(whole_seconds + fraction)


def day(scalar: Scalar) -> dt.date:
    """A date, ``YYYY-MM-DD``; may be quoted. Raises Unfit."""
    if not _DATE.fullmatch(scalar.text):
        raise Unfit(f"should be a date, not {described(scalar)}", "write YYYY-MM-DD")
    try:
        return dt.date.fromisoformat(scalar.text)
    except ValueError:
        raise Unfit(f"{scalar.text} is not in the calendar") from None


def _finite(scalar: Scalar, wanted: str) -> float:
    value = float(_digits(scalar, _NUMBER, wanted))
    if not math.isfinite(value):
        raise Unfit(f"should be {wanted}, not {described(scalar)}")
    return value


def _digits(scalar: Scalar, pattern: re.Pattern[str], wanted: str) -> str:
    if scalar.plain and pattern.fullmatch(scalar.text):
        return scalar.text
    raise Unfit(f"should be {wanted}, not {described(scalar)}", next(_number_hints(scalar, pattern), ""))


def _number_hints(scalar: Scalar, pattern: re.Pattern[str]) -> Iterator[str]:
    raw = scalar.text.strip()
    if not scalar.plain and pattern.fullmatch(raw):
        yield _REMOVE_QUOTES
    if pattern.fullmatch(raw.replace(",", ".", 1)):
        yield f"write {raw.replace(',', '.', 1)}"
    with_unit = _WITH_UNIT.fullmatch(raw)
    if with_unit and pattern.fullmatch(with_unit[1]) and not raw.lower().startswith(("0x", "0o")):
        yield f"write the number alone: {with_unit[1]}"
