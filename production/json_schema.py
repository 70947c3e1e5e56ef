"""JSON Schemas of the config files, for editors: what `model` says, with the forms in which a value may be written. Pure.

Draft 7 (https://json-schema.org/draft-07), which the language servers for YAML know. An editor reads YAML its own way (1.2, core schema): what is a
number to it may be a text to us, and so a text may look like a number or a truth there. What no JSON Schema can say (one value against another,
the range of a time that is written as 12:30) `produce check` says alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from production import schema, yamlsource
from production.config import RULES
from production.files import CONFIGS
from production.model import Episode, Series, Settings, Show
from production.schema import PLATFORMS, Rule, model_of

KINDS = tuple(RULES)
_NOUNS: Mapping[str, type] = {"show": Show, "series": Series, "episode": Episode}
_NOTHING: tuple[str | None, ...] = (None, "none")
_TIME = r"^([0-9]{1,4}:[0-5][0-9]|[0-9]{1,4}):[0-5][0-9](\.[0-9]*)?$"
_SIZE = r"^\s*([0-9]{1,18}(\.[0-9]{1,9})?\s*[kKmMgGtT][iI]?[bB]|[0-9]{4,18}(\s*[bB]([yY][tT][eE][sS]?)?)?)\s*$"
_URL = r"^https?://[^/\s][^\s]*$"


def path_of(root: Path, kind: str) -> Path:
    """Where a project keeps the schema of a kind of file."""
    return root / CONFIGS / "schema" / f"{kind}.json"


def text(kind: str) -> bytes:
    """The schema of a kind of file as it is kept: same model, same bytes."""
    return (json.dumps(document(kind), indent=2, ensure_ascii=False) + "\n").encode()


def document(kind: str) -> dict[str, Any]:
    """The schema of ``show``, ``series`` or ``episode`` files. Raises KeyError for any other word."""
    noun = _NOUNS[kind]
    said, settings = (model_of(one).model_json_schema() for one in (noun, Settings))
    writer = _Writer({**settings["$defs"], **said.get("$defs", {})})
    keys = {**settings["properties"], **said["properties"], "defaults": {"$ref": "#/$defs/defaults"}}
    writer.said["defaults"] = {"properties": settings["properties"], "description": "What episodes inherit, key by key."}
    body = writer.mapping(RULES[kind], {"properties": keys, "description": noun.__doc__})
    return {"$schema": "http://json-schema.org/draft-07/schema#", "title": kind, **body, "definitions": dict(sorted(writer.made.items()))}


class _Writer:
    """Turns rules and what pydantic says of the same keys into one schema; ``made`` are the mappings that it refers to, by name."""

    def __init__(self, said: Mapping[str, Any]) -> None:
        self.said = dict(said)
        self.made: dict[str, Any] = {}

    def mapping(self, rules: Mapping[str, Rule], said: Mapping[str, Any]) -> dict[str, Any]:
        needed = [key for key, rule in rules.items() if rule.required]
        found: dict[str, Any] = {"description": said["description"], "type": "object", "additionalProperties": False}
        if needed:
            found["required"] = needed
        return {**found, "properties": {key: self._key(rule, said["properties"][key]) for key, rule in rules.items()}}

    def _key(self, rule: Rule, said: Mapping[str, Any]) -> dict[str, Any]:
        # pydantic says of what may be missing that it is something or null; what it is, and what is said beside that, is said at once here.
        inner: dict[str, Any] = next((one for one in said.get("anyOf", ()) if one.get("type") != "null"), {})
        told = {**inner, **{key: value for key, value in said.items() if key != "anyOf"}}
        kept = {key: told[key] for key in ("description", "default") if told.get(key) is not None and not isinstance(told[key], dict)}
        form = self._form(rule, told)
        return form if "$ref" in form else {**kept, **form}

    def _form(self, rule: Rule, said: Mapping[str, Any]) -> dict[str, Any]:
        if rule.fields is not None:
            name = said["$ref"].rpartition("/")[2]
            if name not in self.made:
                self.made[name] = {}
                self.made[name] = self.mapping(rule.fields, self.said[name])
            form: dict[str, Any] = {"$ref": f"#/definitions/{name}"}
        elif rule.item is not None:
            form = {"type": "array", **_taken(said, "minItems", "maxItems"), "items": self._key(rule.item, said["items"])}
        else:
            form = _SCALARS.get(rule.scalar, _plain)(said)
        return _or_nothing(form) if rule.optional else form


def _or_nothing(form: dict[str, Any]) -> dict[str, Any]:
    if "enum" in form:
        return {**form, "enum": [*form["enum"], *(word for word in _NOTHING if word not in form["enum"])]}
    return {"anyOf": [form, {"enum": list(_NOTHING)}]}


def _taken(said: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {key: said[key] for key in keys if key in said}


def _number(said: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": said["type"], **_taken(said, "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")}


def _plain(said: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers, truths and choices are written as JSON knows them."""
    return {"enum": said["enum"]} if "enum" in said else _number(said)


def _text(said: Mapping[str, Any]) -> dict[str, Any]:
    if "enum" in said:
        return {"enum": said["enum"]}
    # An empty text, and one of nothing but blanks, is none.
    pattern = _URL if said.get("format") == "uri" else said.get("pattern", r"\S")
    # 2001 may be a title, and to an editor it is a number.
    types = ["string", *(name for name, example in (("number", "14"), ("boolean", "true")) if re.search(pattern, example))]
    return {"type": types if len(types) > 1 else "string", **_taken(said, "format", "maxLength"), "pattern": pattern}


def _day(_said: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}


def _seconds(said: Mapping[str, Any]) -> dict[str, Any]:
    return {"anyOf": [_number(said), {"type": "string", "pattern": _TIME, "description": "mm:ss or h:mm:ss"}]}


def _size(_said: Mapping[str, Any]) -> dict[str, Any]:
    return {"anyOf": [{"type": "string", "pattern": _SIZE, "description": "20 GB"}, {"type": "integer", "minimum": 1000}, {"const": 0}]}


def _target(said: Mapping[str, Any]) -> dict[str, Any]:
    words = "|".join("".join(f"[{one.upper()}{one}]" if one.isalpha() else one for one in name) for name in PLATFORMS)
    return {"anyOf": [_number(said), {"enum": list(PLATFORMS)}, {"type": "string", "pattern": rf"^\s*({words})\s*$"}]}


_SCALARS: Mapping[Callable[..., Any] | None, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    yamlsource.text: _text,
    yamlsource.day: _day,
    yamlsource.seconds: _seconds,
    schema.size: _size,
    schema.target: _target,
}
"""How values are written whose reading is ours."""
