"""Values are set in the config that they belong to: the whole project is checked with them before anything is written."""

from __future__ import annotations

import stat
from collections import abc
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from production import edit
from production.config import RULES, load
from production.errors import ConfigError, Problem
from production.files import File, Files, find
from production.model import KeyPath, Location
from production.problems import did_you_mean
from production.schema import Rule
from production.store import disk_errors, write
from production.yamlsource import Mapping, Node, Scalar, read_file
from production.yamlsource import Sequence as List

Fields = abc.Mapping[str, Rule]


@dataclass(frozen=True)
class Change:
    """A config file as it is, and as it would be."""

    path: Path
    before: str
    after: str

    def save(self) -> None:
        """Raises StoreError."""
        with disk_errors(self.path):
            # A link stays one, and who may read the file stays as it is.
            file = self.path.resolve()
            mode = stat.S_IMODE(file.stat().st_mode)
            write(file, self.after.encode())
            file.chmod(mode)


def prepared(root: Path, target: str, assignments: Sequence[str]) -> Change:
    """The file of an episode, of a series or of the show with other values, ``key=value`` each; nothing after ``=`` removes the key.

    Raises ConfigError for what is no key, and with every problem that the project would have then.
    """
    files = find(root)
    kind, file = _file_of(files, target)
    before = text = file.data.decode("utf-8", "strict") if not file.error and _is_utf8(file) else _unreadable(file)
    for assignment in assignments:
        key, equals, value = assignment.partition("=")
        where = Location(file.path)
        if not equals:
            raise ConfigError([Problem(where, f"'{assignment}' sets nothing", "write KEY=VALUE, or KEY= to remove it")])
        path, order = _path_of(read_file(replace(file, data=text.encode())).root, RULES[kind], kind, key.strip(), where)
        try:
            text = edit.changed(text, path, value.strip() or None, order)
        except edit.Unchangeable as error:
            raise ConfigError([Problem(where, f"{key}: {error}", "change it in an editor")]) from error
    load(_with(files, replace(file, data=text.encode())))
    return Change(file.path, before, text)


def _is_utf8(file: File) -> bool:
    return not any("UTF-8" in one.message for one in read_file(file).problems)


def _unreadable(file: File) -> str:
    raise ConfigError(read_file(file).problems)


def _file_of(files: Files, target: str) -> tuple[str, File]:
    """A file by the id of an episode, the slug of a series, ``show``, or its path."""
    kinds = (("show", files.shows), ("series", files.series), ("episode", files.episodes))
    known = {one.path.stem: (kind, one) for kind, group in kinds for one in group}
    if target in known:
        return known[target]
    meant = Path(target)
    for base in (Path(), files.root):
        for found in known.values():
            if (base / meant).resolve() == found[1].path.resolve():
                return found
    hint = did_you_mean(target, known) or "targets are an episode's id, a series, show, or the file of one"
    raise ConfigError([Problem(Location(meant), "is no config file of this project", hint)])


def _with(files: Files, changed: File) -> Files:
    """The files of a project with one of them changed."""

    def group(all_of: tuple[File, ...]) -> tuple[File, ...]:
        return tuple(changed if one.path == changed.path else one for one in all_of)

    return replace(files, shows=group(files.shows), series=group(files.series), episodes=group(files.episodes))


def _path_of(root: Node | None, rules: Fields, label: str, key: str, where: Location) -> tuple[KeyPath, tuple[str, ...]]:
    """A dotted key as a path in the file, and the order of the keys where it ends. Raises ConfigError for what the model does not know."""
    rule, node = Rule(fields=rules, label=label), root
    path: list[str | int] = []
    order: tuple[str, ...] = ()
    for word in key.replace("[", ".").replace("]", "").split("."):
        if rule.item is not None:
            index = _index(node, word)
            if index is None:
                raise ConfigError([Problem(where, f"{key}: there is no '{word}' in {path[-1]}", _items(node))])
            path.append(index)
            rule, node = rule.item, node.items[index] if isinstance(node, List) else None
            continue
        if rule.fields is None or word not in rule.fields:
            known = rule.fields or {}
            hint = did_you_mean(word, known) or (f"known keys: {', '.join(known)}" if known else f"{path[-1]} holds no keys")
            raise ConfigError([Problem(where, f"{rule.label or path[-1]}: unknown key '{word}'", hint)])
        path.append(word)
        order = tuple(rule.fields)
        rule = rule.fields[word]
        node = next((value for name, value in node.entries if name.text == word), None) if isinstance(node, Mapping) else None
    return tuple(path), order


def _index(node: Node | None, word: str) -> int | None:
    """The place of an item, counted from 1 or called by its slug or name."""
    items = node.items if isinstance(node, List) else ()
    if word.isdecimal():
        return int(word) - 1 if 1 <= int(word) <= len(items) else None
    return next((index for index, item in enumerate(items) if word in _called(item)), None)


def _called(item: Node) -> list[str]:
    entries = item.entries if isinstance(item, Mapping) else ()
    return [value.text for name, value in entries if name.text in ("slug", "name") and isinstance(value, Scalar)]


def _items(node: Node | None) -> str:
    items = node.items if isinstance(node, List) else ()
    names = [name for item in items for name in _called(item)]
    return f"there are: {', '.join(names)}" if names else f"there are {len(items)}, counted from 1"
