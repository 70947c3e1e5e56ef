"""Nodes + a noun of `model` -> plain values that know their place, and every way in which they do not fit, in plain words.

The noun's annotations say what is wanted and so how raw text is read; pydantic then checks what types cannot say (ranges, patterns, choices).
Unknown and missing keys, wrong types and broken rules of one file are all found in one go.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import types
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from functools import cache
from typing import Annotated, Any, ClassVar, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

# No package that happens to be installed has a say in what a config means; and to look for one takes a fiftieth of a second.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from production import kinds, sizes, yamlsource
from production.errors import Problem
from production.model import KeyPath, Location
from production.problems import did_you_mean
from production.yamlsource import Document, Node, Refused, Scalar, Sequence, described, shown

N = TypeVar("N")


# -- what a noun wants ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rule:
    """How the value of one key is read: by ``scalar``, or as a list of ``item``, or as a mapping of ``fields`` called ``label``."""

    scalar: Callable[[Scalar], Any] | None = None
    item: Rule | None = None
    fields: Mapping[str, Rule] | None = None
    label: str = ""
    required: bool = False
    optional: bool = False
    """None is a value of it."""


# `none` at these keys is a value with a meaning of its own (no sting here), not the absence of one.
_NONE_IS_A_WORD = frozenset({"sting", "bed", "chain", "markers", "section.transcript"})

_SCALARS: dict[Any, Callable[[Scalar], Any]] = {
    str: yamlsource.text,
    bool: yamlsource.truth,
    int: yamlsource.whole,
    float: yamlsource.number,
    dt.date: yamlsource.day,
}


@cache
def rules(noun: type) -> dict[str, Rule]:
    """The rules of a noun's keys as a file spells them (by alias), in the noun's order."""
    hints = _hints(noun)
    return {
        info.alias or name: _rule(
            hints[name], required=info.is_required(), none_is_a_word=bool(_NONE_IS_A_WORD & {name, f"{noun.__name__.lower()}.{name}"})
        )
        for name, info in model_of(noun).model_fields.items()
    }


class NounModel(BaseModel):
    """The pydantic model of a noun: it refuses unknown keys, finds every error at once, and knows its JSON Schema."""

    model_config = ConfigDict(extra="forbid")
    noun: ClassVar[type]


@cache
def model_of(noun: type) -> type[NounModel]:
    """The model that checks what is to become a noun."""
    hints = _hints(noun)
    said: dict[str, Any] = {one.name: (_of_models(hints[one.name]), _as_model(one.default)) for one in fields(noun)}
    model = create_model(noun.__name__, __base__=NounModel, __doc__=noun.__doc__, **said)
    model.noun = noun
    return model


@cache
def _hints(noun: type) -> dict[str, Any]:
    return get_type_hints(noun, localns=vars(kinds), include_extras=True)


def _of_models(hint: Any) -> Any:
    """A type with the models of the nouns in the nouns' places."""
    if isinstance(hint, type) and is_dataclass(hint):
        return model_of(hint)
    if get_origin(hint) is tuple:
        item: Any = _of_models(get_args(hint)[0])
        return tuple[item, ...]
    if get_origin(hint) is Annotated:
        inner, *said = get_args(hint)
        return Annotated[(_of_models(inner), *said)]
    if get_origin(hint) in (Union, types.UnionType):
        return Union[tuple(map(_of_models, get_args(hint)))]  # noqa: UP007  of values, not of words
    return hint


def _as_model(default: Any) -> Any:
    """A default with the models of the nouns in it; pydantic has its own word for none."""
    if is_dataclass(default) and not isinstance(default, type):
        return model_of(type(default)).model_construct(**{one.name: _as_model(getattr(default, one.name)) for one in fields(default)})
    return ... if default is MISSING else default


def made(noun: type[N], values: Mapping[str, Any]) -> N:
    """The noun made of the values of a file. Raises pydantic's ValidationError."""
    model: type[NounModel] = model_of(cast(type, noun))
    found: N = _as_noun(model.model_validate(values))
    return found


def _as_noun(checked: Any) -> Any:
    if isinstance(checked, NounModel):
        return checked.noun(**{name: _as_noun(value) for name, value in vars(checked).items()})
    # A list holds nouns or texts, and never both.
    return tuple(map(_as_noun, checked)) if isinstance(checked, tuple) and isinstance(next(iter(checked), None), NounModel) else checked


def mapping_of(fields: Mapping[str, Rule], label: str) -> Rule:
    """The rule of an optional mapping."""
    return Rule(fields=fields, label=label)


def size(scalar: Scalar) -> int:
    try:
        return sizes.size(scalar.text)
    except ValueError as error:
        raise yamlsource.Unfit(f"should be a size, not {described(scalar)}", str(error)) from None


PLATFORMS = {"apple": -16.0, "spotify": -14.0, "ebu-r128": -23.0}
"""LUFS that a platform asks for: Apple Podcasts (-16 +-1), Spotify (-14), EBU R 128 for broadcast (-23)."""


def target(scalar: Scalar) -> float:
    if scalar.text.strip().lower() in PLATFORMS:
        return PLATFORMS[scalar.text.strip().lower()]
    try:
        return float(yamlsource.number(scalar))
    except yamlsource.Unfit:
        known = list(PLATFORMS)
        hint = did_you_mean(scalar.text, known) or f"write LUFS, as -16, or one of {', '.join(known)}"
        raise yamlsource.Unfit(f"should be a loudness, not {described(scalar)}", hint) from None


# Numbers that people write in other ways too, known by what is said of them.
_WRITTEN = ((get_args(kinds.Seconds)[1], yamlsource.seconds), (get_args(kinds.Size)[1], size), (get_args(kinds.Target)[1], target))


def _rule(hint: Any, *, required: bool = False, none_is_a_word: bool = False) -> Rule:
    said: list[Any] = []
    optional = False
    while get_origin(hint) in (Annotated, Union, types.UnionType):
        if get_origin(hint) is Annotated:
            hint, *more = get_args(hint)
            said += more
        else:
            (hint,) = (arg for arg in get_args(hint) if arg is not type(None))
            optional = not none_is_a_word
    for mark, read in _WRITTEN:
        if any(one is mark for one in said):
            return Rule(scalar=read, required=required, optional=optional)
    if get_origin(hint) is tuple:
        return Rule(item=_rule(get_args(hint)[0]), required=required, optional=optional)
    if get_origin(hint) is Literal:
        hint = type(get_args(hint)[0])
    if isinstance(hint, type) and is_dataclass(hint):
        return Rule(fields=rules(hint), label=hint.__name__.lower(), required=required, optional=optional)
    return Rule(scalar=_SCALARS[hint], required=required, optional=optional)


# -- one file ------------------------------------------------------------------------------------------------------------------


@dataclass
class Sheet:
    """One file read by the rules of its kind: values, where each stands, and what is wrong."""

    document: Document
    label: str
    values: dict[str, Any] = field(default_factory=dict)
    places: dict[KeyPath, Location] = field(default_factory=dict)
    raw: dict[KeyPath, str] = field(default_factory=dict)
    """The scalars as they were written, for messages."""
    problems: list[Problem] = field(default_factory=list)
    broken: set[KeyPath] = field(default_factory=set)
    """Where a value is that has been reported: what follows from it is not."""

    @property
    def start(self) -> Location:
        return Location(self.document.path, 1, 1)

    def where(self, *keys: str | int) -> Location:
        """The place of a key's value, or of its nearest parent that is there."""
        for depth in range(len(keys), 0, -1):
            if keys[:depth] in self.places:
                return self.places[keys[:depth]]
        return self.start

    def get(self, *keys: str | int) -> Any:
        """A value that is sound as far as it was looked at, or None."""
        value: Any = self.values
        for depth, key in enumerate(keys, 1):
            if keys[:depth] in self.broken:
                return None
            try:
                value = value[key]
            except (KeyError, IndexError, TypeError):
                return None
        return value

    def has_broken(self, keys: KeyPath) -> bool:
        """Whether something was reported at this value or at one that holds it."""
        return any(keys[:depth] in self.broken for depth in range(len(keys) + 1))

    def report(self, at: Node | Location | KeyPath, message: str, hint: str = "") -> None:
        """Add a problem; one that is given by its key path marks the value there as broken."""
        if isinstance(at, tuple):
            self.broken.add(at)
            at = self.where(*at)
        self.problems.append(self.document.problem(at, message, hint))


Elsewhere = Mapping[tuple[str, str], str]
"""Keys that people expect in a mapping, as (label of the mapping, key) -> a hint where they belong."""


def read_sheet(document: Document, fields: Mapping[str, Rule], label: str, *, elsewhere: Elsewhere | None = None) -> Sheet:
    """Read a file whose root is a mapping of ``fields``. Never raises for what the file holds."""
    sheet = Sheet(document, label, problems=list(document.problems))
    root = document.root
    if isinstance(root, yamlsource.Mapping):
        _Walk(sheet, elsewhere or {}).mapping(root, Rule(fields=fields, label=label), ())
        return sheet
    sheet.broken.add(())
    if root is not None and not isinstance(root, Refused):
        sheet.report(root, f"{label}: should be a mapping, not {described(root)}", "write one 'key: value' on a line")
    return sheet


# A key (or the place of a list's item), and then nothing but a comment.
_COMMENT = re.compile(r"""(?:["'\w-]+\s*:)?\s*#""")


class _Walk:
    """Reads nodes into a sheet; the nesting was limited when the nodes were made."""

    def __init__(self, sheet: Sheet, elsewhere: Elsewhere) -> None:
        self.sheet = sheet
        self.elsewhere = elsewhere

    def mapping(self, node: yamlsource.Mapping, rule: Rule, path: KeyPath) -> dict[str, Any]:
        fields = rule.fields or {}
        values: dict[str, Any] = self.sheet.values if not path else {}
        for key, value in node.entries:
            wanted = fields.get(key.text)
            if wanted is None:
                self.sheet.report(key, f"{rule.label}: unknown key {shown(key.text)}", self._belongs(key.text, rule.label, fields))
                continue
            at = (*path, key.text)
            blank = isinstance(value, Scalar) and value.is_blank
            self.sheet.places[at] = self.sheet.document.location(key if blank else value)
            values[key.text] = self.value(value, wanted, at)
        written = {key.text for key, _ in node.entries}
        for name, wanted in fields.items():
            if wanted.required and name not in written:
                self.sheet.report(node, f"{rule.label}: missing key '{name}'")
        return values

    def _belongs(self, key: str, label: str, fields: Mapping[str, Rule]) -> str:
        if (label, key) in self.elsewhere:
            return self.elsewhere[label, key]
        groups = [name for name, rule in fields.items() if rule.fields and key in rule.fields]
        if groups:
            return f"it belongs under '{groups[0]}'"
        return did_you_mean(key, fields) or f"known keys: {', '.join(fields)}"

    def value(self, node: Node, rule: Rule, path: KeyPath) -> Any:
        if isinstance(node, Refused):
            self.sheet.broken.add(path)
            return None
        if isinstance(node, Scalar):
            self.sheet.raw[path] = node.text
            if rule.optional and yamlsource.is_nothing(node):
                return None
            if node.is_blank:
                return self._unfit(path, "is empty", self._why_blank(path))
        if rule.fields is not None:
            if isinstance(node, yamlsource.Mapping):
                return self.mapping(node, rule, path)
            return self._unfit(path, f"should be a mapping, not {described(node)}", f"its keys: {', '.join(rule.fields)}")
        if rule.item is not None:
            if isinstance(node, Sequence):
                return self._list(node, rule.item, path)
            inner = isinstance(path[-1], int)
            hint = "write it in brackets of its own, in those of the list" if inner else "write each item on a line of its own, after '- '"
            return self._unfit(path, f"should be a list, not {described(node)}", hint)
        return self._scalar(node, rule, path)

    def _list(self, node: Sequence, item: Rule, path: KeyPath) -> list[Any]:
        values = []
        for index, entry in enumerate(node.items):
            at = (*path, index)
            self.sheet.places[at] = self.sheet.document.location(entry)
            values.append(self.value(entry, item, at))
        return values

    def _scalar(self, node: Node, rule: Rule, path: KeyPath) -> Any:
        assert rule.scalar is not None
        if not isinstance(node, Scalar):
            if rule.scalar is yamlsource.text:
                return self._unfit(path, f"should be text, not {described(node)}", "put text that holds brackets or ': ' in quotes")
            return self._unfit(path, f"should be one value, not {described(node)}", "")
        try:
            return rule.scalar(node)
        except yamlsource.Unfit as unfit:
            return self._unfit(path, str(unfit), unfit.hint)

    def _why_blank(self, path: KeyPath) -> str:
        at = self.sheet.places[path]
        if _COMMENT.match(self.sheet.document.line(at.line) or "", at.column - 1):
            return "'#' starts a comment: put the value in quotes"
        return "give it a value, or remove the key"

    def _unfit(self, path: KeyPath, message: str, hint: str) -> None:
        self.sheet.report(path, f"{name_of(path)}: {message}", hint)


def name_of(path: KeyPath) -> str:
    """What a message calls a value: its key; an item of a list by its number from 1, and one of a list in a list by both."""
    if not path:
        return "file"
    named = max((index for index, key in enumerate(path) if isinstance(key, str)), default=-1)
    return ", ".join([str(path[named]) if named >= 0 else "list", *(f"item {int(number) + 1}" for number in path[named + 1 :])])


# -- what types cannot say -----------------------------------------------------------------------------------------------------


def check(sheet: Sheet, noun: type[N], values: Mapping[str, Any], prefix: KeyPath = ()) -> N | None:
    """The noun made of ``values``, or None; what is wrong is reported to the sheet at ``prefix`` + pydantic's ``loc``."""
    try:
        return made(noun, values)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            path = (*prefix, *detail["loc"])
            if detail["type"] == "missing" or sheet.has_broken(path):
                continue  # both were said when the file was read
            if detail["type"] == "too_short" and sheet.get(*path):
                continue  # pydantic counts the sound items only; the others have been reported
            message, hint = _words(detail, path, sheet.raw.get(path, ""))
            sheet.report(path, f"{name_of(path)}: {message}", hint)
        return None


_LIMITS = {
    "greater_than_equal": ("ge", "should be {} or more"),
    "less_than_equal": ("le", "should be {} or less"),
    "greater_than": ("gt", "should be more than {}"),
    "less_than": ("lt", "should be less than {}"),
}

# A pattern is for the machine; these are its words, by key.
_PATTERN_WORDS = {
    "colour": ("a colour", "write it as '#1f4e79', in quotes: '#' starts a comment"),
    "email": ("an e-mail address", ""),
    "language": ("a language code", "write en or en-GB"),
    "pages": ("a folder of the target", "write . for its root, or a path from there on with / between names, as listen/podcast"),
    "episodes": ("the first and the last number", "write 1-12"),
}
_SLUG_WORDS = "lower-case words joined by hyphens"


def _words(detail: Any, path: KeyPath, raw: str) -> tuple[str, str]:
    """One of pydantic's errors as message and hint."""
    kind = detail["type"]
    context = detail.get("ctx", {})
    if kind in _LIMITS:
        name, words = _LIMITS[kind]
        return f"{words.format(format(context[name], 'g'))}, not {raw}", ""
    if kind == "string_too_short":
        return "is empty", "give it a value, or remove the key"
    if kind == "string_too_long":
        return f"is longer than {context['max_length']} characters", ""
    if kind == "too_short":
        return "is empty: at least one is needed", ""
    if kind == "too_long":
        return f"holds more than {context['max_length']}", ""
    if kind == "literal_error":
        model_choices = _choices(context["expected"])
        return f"{shown(raw)} is none of {', '.join(model_choices)}", _nearest(raw, model_choices)
    if kind == "string_pattern_mismatch":
        wanted, hint = _PATTERN_WORDS.get(str(path[-1]), (_SLUG_WORDS, ""))
        return f"should be {wanted}, not {shown(raw)}", hint or (_slug_hint(raw) if wanted == _SLUG_WORDS else "")
    if kind == "value_error":
        message, _, hint = str(context["error"]).partition("; ")
        return f"{shown(raw)} {message}", hint
    message = str(detail["msg"])
    return f"{message[:1].lower()}{message[1:]}", ""


def _choices(expected: str) -> list[str]:
    """pydantic's ``'a', 'b' or 'c'`` as a list."""
    return [word.strip().strip("'") for word in expected.replace(" or ", ", ").split(",")]


def _nearest(raw: str, choices: Iterable[str]) -> str:
    choices = list(choices)
    if raw.isdecimal() and all(choice.isdecimal() for choice in choices):
        return f"the nearest is {min(choices, key=lambda choice: abs(int(choice) - int(raw)))}"
    return did_you_mean(raw, choices)


def _slug_hint(raw: str) -> str:
    kept = "".join(char if char.isascii() and char.isalnum() else " " for char in raw.lower())
    slug = "-".join(kept.split())
    return f"write {slug}" if slug else ""
