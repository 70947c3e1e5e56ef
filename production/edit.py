"""One value of a config file is changed, and all else stays as it is: comments, order, quotes, blank lines. The only `import ruamel.yaml`. Pure.

Scalars are raw text here as everywhere (see `yamlsource`): nothing is resolved, so nothing is written in another way than it was. What ruamel would
lay out anew elsewhere is taken from the file as it was, line by line.
"""

from __future__ import annotations

import difflib
import io
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from production.model import KeyPath

if TYPE_CHECKING:
    from ruamel.yaml import YAML
    from ruamel.yaml.comments import CommentedMap

_WIDTH = 10_000
_INDENTS = (2, 4)
_DASH = re.compile(r"^( *)- ", re.MULTILINE)


class Unchangeable(ValueError):
    """The text cannot be changed as asked; the message says why."""


def changed(text: str, path: KeyPath, value: str | None, order: Sequence[str] = ()) -> str:
    """``text`` with another value at ``path``, as it is written in YAML; None removes the key. ``order`` is that of the keys there, for a new one.

    Raises Unchangeable.
    """
    returns = "\r\n" if "\r\n" in text else "\n"
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    plain = text.removeprefix(mark).replace("\r\n", "\n")
    yaml, root, before = _laid_out(plain)
    _change(root, path, None if value is None else _valued(yaml, value), order)
    made = _merged(plain, before, _dumped(yaml, root))
    if not _reads_as(yaml, made, root):
        raise Unchangeable("its layout there would not be kept")
    if lost := _remarks(plain) - _remarks(made):
        raise Unchangeable(f"a comment would be lost: {next(iter(lost))}")
    return mark + made.replace("\n", returns)


def _remarks(text: str) -> Counter[str]:
    """The lines that are comments."""
    return Counter(line.strip() for line in text.splitlines() if line.lstrip().startswith("#"))


def difference(name: str, old: str, new: str) -> list[str]:
    """A unified diff, line by line."""
    return list(difflib.unified_diff(old.splitlines(), new.splitlines(), f"{name} (now)", f"{name} (then)", lineterm="", n=1))


def _laid_out(text: str) -> tuple[YAML, CommentedMap, str]:
    """What reads and writes a text, what it read, and what it would write: indented as the text is, as far as that is the same everywhere."""
    offset = next((len(found[1]) for found in _DASH.finditer(text)), 2)
    tried = []
    for mapping in _INDENTS:
        yaml = _yaml(mapping, offset)
        root = _loaded(yaml, text)
        written = _dumped(yaml, root)
        if written == text:
            return yaml, root, written
        tried.append((sum(one != other for one, other in zip(written.splitlines(), text.splitlines(), strict=False)), yaml, root, written))
    return min(tried, key=lambda one: one[0])[1:]


def _yaml(mapping: int, offset: int) -> YAML:
    from ruamel.yaml import YAML
    from ruamel.yaml.nodes import ScalarNode
    from ruamel.yaml.resolver import VersionedResolver

    class AsWritten(VersionedResolver):
        """Takes every scalar for text."""

        def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
            return self.DEFAULT_SCALAR_TAG if kind is ScalarNode else super().resolve(kind, value, implicit)

    yaml = YAML(pure=True)
    yaml.Resolver = AsWritten
    yaml.preserve_quotes = True
    yaml.width = _WIDTH
    yaml.brace_single_entry_mapping_in_flow_sequence = True
    yaml.indent(mapping=mapping, sequence=offset + 2, offset=offset)
    return yaml


def _loaded(yaml: YAML, text: str) -> CommentedMap:
    from ruamel.yaml.comments import CommentedMap
    from ruamel.yaml.error import YAMLError

    try:
        root = yaml.load(text)
    except YAMLError as error:
        raise Unchangeable(f"it is not YAML: {getattr(error, 'problem', None) or error}") from error
    if not isinstance(root, CommentedMap):
        raise Unchangeable("it holds no keys")
    return root


def _reads_as(yaml: YAML, text: str, root: CommentedMap) -> bool:
    try:
        return bool(_loaded(yaml, text) == root)
    except Unchangeable:
        return False


def _dumped(yaml: YAML, root: Any) -> str:
    stream = io.StringIO()
    yaml.dump(root, stream)
    return stream.getvalue()


def _valued(yaml: YAML, value: str) -> Any:
    """A list or a mapping in brackets as such, anything else as text: quoted where YAML wants that."""
    from ruamel.yaml.error import YAMLError

    if value.startswith(("[", "{", '"', "'")):
        try:
            return yaml.load(f"x: {value}\n")["x"]
        except YAMLError as error:
            raise Unchangeable(f"{value} is not YAML: {getattr(error, 'problem', None) or error}") from error
    return value


def _change(root: CommentedMap, path: KeyPath, value: Any, order: Sequence[str]) -> None:
    holder: Any = root
    at = 0
    while at < len(path) - 1 and not (isinstance(holder, Mapping) and path[at] not in holder):
        holder = holder[path[at]]
        at += 1
        if not isinstance(holder, list | dict):
            raise Unchangeable(f"{'.'.join(map(str, path[:at]))} is neither a list nor a mapping")
    key, keys = path[at], list(holder) if isinstance(holder, Mapping) else list(range(len(holder)))
    if key in keys:
        _remove(holder, keys, key) if value is None else _replace(holder, key, value)
    elif value is not None:
        # Groups that are not there yet are made with it, and stand at the end of what holds them.
        for name in reversed(path[at + 1 :]):
            value = type(root)({name: value})
        known = list(order) if at == len(path) - 1 else keys
        earlier = known[: known.index(str(key))] if key in known else known
        _insert(holder, keys, max((place + 1 for place, name in enumerate(keys) if name in earlier), default=0), key, value)


def _replace(holder: Any, key: Any, value: Any) -> None:
    below = _taken(holder, key)
    holder[key] = value
    _put(holder, key, below)


def _remove(holder: Any, keys: Sequence[Any], key: Any) -> None:
    below, at = _taken(holder, key), keys.index(key)
    del holder[key]
    if at:
        _put(holder, keys[at - 1], _taken(holder, keys[at - 1]) + below)


def _insert(holder: Any, keys: Sequence[Any], at: int, key: Any, value: Any) -> None:
    below = _taken(holder, keys[at - 1]) if at else ""
    holder.insert(at, key, value)
    _put(holder, key, below)


# Blank lines and comments stand with ruamel under the value that they follow. When that is no longer the last one, they go to the one that is.


def _taken(holder: Any, key: Any) -> str:
    """The lines under a value, which are no longer there then; what stands behind it on its own last line stays."""
    owner, last, slot = _tail(holder, key)
    comments = owner.ca.items.get(last)
    token = comments[slot] if comments else getattr(owner[last], "comment", None)
    if token is None:
        return ""
    own, _, below = token.value.partition("\n")
    if not own.strip() and comments:
        comments[slot] = None
    token.value = f"{own}\n" if own.strip() else ""
    return str(below)


def _put(holder: Any, key: Any, below: str) -> None:
    """Put lines under a value."""
    from ruamel.yaml.error import CommentMark
    from ruamel.yaml.tokens import CommentToken

    if not below:
        return
    owner, last, slot = _tail(holder, key)
    comments = owner.ca.items.setdefault(last, [None] * 4)
    if comments[slot] is None:
        comments[slot] = CommentToken("\n" + below, CommentMark(0), None)
    else:
        comments[slot].value += below


def _tail(holder: Any, key: Any) -> tuple[Any, Any, int]:
    """The collection and the key in it that stand last in the lines of a value, and which of their comments stands behind it."""
    while isinstance(holder[key], list | dict) and holder[key] and not holder[key].fa.flow_style():
        holder = holder[key]
        key = list(holder)[-1] if isinstance(holder, dict) else len(holder) - 1
    return holder, key, 2 if isinstance(holder, Mapping) else 0


def _merged(text: str, before: str, after: str) -> str:
    """``text`` with what differs between ``before`` and ``after``, of which ``before`` is ``text`` laid out anew. Raises Unchangeable."""
    if text == before:
        return after
    lines, old, new = text.splitlines(), before.splitlines(), after.splitlines()
    place: dict[int, int] = {len(old): len(lines)}
    for tag, first, last, there, to in difflib.SequenceMatcher(None, old, lines, autojunk=False).get_opcodes():
        if tag == "equal" or last - first == to - there:
            place |= {first + step: there + step for step in range(last - first)}
    made: list[str] = []
    at = 0
    for tag, first, last, there, to in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        if first not in place or last not in place:
            raise Unchangeable(f"its layout near line {place.get(first, at) + 1} would not be kept: change it in an editor")
        made += [*lines[at : place[first]], *new[there:to]]
        at = place[last]
    made += lines[at:]
    return "\n".join(made) + ("\n" if text.endswith("\n") else "")
