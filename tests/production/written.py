"""Config files that say every key of the model once, with the place of each: written from pydantic's schemas, not by the code under test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from production.files import File, Files
from production.model import Episode, Series, Settings, Show
from production.schema import model_of

URL = "https://example.org/"
VALUES: dict[str, str] = {
    **dict.fromkeys(("link", "url", "media_url", "hub", "endpoint", "public", "site"), URL),
    **dict.fromkeys(("apple", "spotify", "overcast", "pocket_casts", "antennapod"), URL),
    "slug": "some", "series": "some", "email": "a@b.example", "language": "en", "role": "host", "group": "cast", "colour": '"#123456"',
    "part": "mathematics", "date": "2026-01-05", "kind": "folder", "chain": "voice", "denoise": "off", "channels": "mono", "bitrate": "128",
    "m4a": "96", "opus": "64", "episodes": "1-9", "target": "-16", "true_peak": "-1", "level": "-20", "sting_level": "-20", "bed_level": "-30",
    "over_bed": "20", "high_pass": "80", "minutes": "3", "in": "0:01", "out": "0:09", "bed_from": "0.5", "bed_to": "0:02", "limit": "20 GB",
    "port": "22", "length": "0:30", "compression": "2", "sting": "none", "bed": "none", "intro": "builtin", "outro": "builtin", "file": "a.wav",
    "image": "a.wav", "transcript": "a.vtt", "markers": "embedded", "inside": "list", "pages": ".",
}  # fmt: skip
"""A right value of each key whose schema does not say one; of others, 1 for numbers, true, and words."""
RIGHT = {"number": "1", "integer": "1", "boolean": "true", "string": "words"}
WRONG = {"number": "soon", "integer": "soon", "boolean": "maybe", "string": "[x]", "choice": "7", "array": "word", "object": "word"}
SLUGS = {"show": "a-show", "series": "some"}

Path_ = tuple[str | int, ...]


@dataclass
class Node:
    """A key (or an item of a list) of a file: a value on its line, or what is under it."""

    path: Path_
    kind: str
    value: str = ""
    under: list[Node] = field(default_factory=list)

    def every(self) -> Iterator[Node]:
        yield self
        for one in self.under:
            yield from one.every()


def tree(kind: str) -> list[Node]:
    """The keys of a ``show``, ``series`` or ``episode`` file."""
    noun = {"show": Show, "series": Series, "episode": Episode}[kind]
    said, settings = model_of(noun).model_json_schema(), model_of(Settings).model_json_schema()
    definitions = {**settings["$defs"], **said.get("$defs", {})}
    keys = {key: value for key, value in said["properties"].items() if key not in ("id", "settings")}
    found = [_node((key,), value, definitions) for key, value in keys.items()]
    if kind == "episode":
        _with_tracks(next(one for one in found if one.path == ("sections",)), said["properties"]["sections"]["items"], definitions)
        return found + [_node((key,), value, definitions) for key, value in settings["properties"].items()]
    for one in found:
        one.value = SLUGS[kind] if one.path == ("slug",) else one.value
    groups = [_node(("defaults", key), value, definitions) for key, value in settings["properties"].items()]
    return [*found, Node(("defaults",), "object", under=groups)]


def _with_tracks(sections: Node, said: dict[str, Any], definitions: dict[str, Any]) -> None:
    """A section has a file or tracks: a second one has the tracks, of which the first says its file alone."""
    (whole,) = sections.under
    whole.under = [one for one in whole.under if one.path[-1] != "tracks"]
    second = _node(("sections", 1), said, definitions)
    second.under = [one for one in second.under if one.path[-1] in ("slug", "title", "part", "tracks")]
    second.under[0].value = "other"
    (track,) = (tracks := second.under[-1]).under
    clock = Node(track.path, "object", under=[Node((*track.path, "file"), "string", "a.vtt")])
    for one in list(track.every()):
        one.path = (*tracks.path, 1, *one.path[len(track.path) :])
    tracks.under = [clock, track]
    sections.under = [whole, second]


def _node(path: Path_, said: dict[str, Any], definitions: dict[str, Any]) -> Node:
    inner = next((one for one in said.get("anyOf", ()) if one.get("type") != "null"), said)
    if "$ref" in inner:
        inner = definitions[inner["$ref"].rpartition("/")[2]]
    if inner.get("type") == "object":
        return Node(path, "object", under=[_node((*path, key), value, definitions) for key, value in inner["properties"].items()])
    if inner.get("type") == "array" and isinstance(path[-1], int):
        # A list in a list stands in brackets.
        return Node(path, "array", "[0:02, 0:03]")
    if inner.get("type") == "array":
        return Node(path, "array", under=[_node((*path, 0), inner["items"], definitions)])
    kind = "choice" if "enum" in inner else inner["type"]
    # A person has the address of a picture, a section a file.
    value = URL if path[0] == "persons" and path[-1] == "image" else VALUES.get(str(path[-1]), RIGHT.get(kind, ""))
    return Node(path, kind, value)


@dataclass(frozen=True)
class Written:
    """A text, and where in it the key at one path is (line, column) and its value."""

    text: str
    key: tuple[int, int]
    value: tuple[int, int]


def written(nodes: list[Node], at: Path_ = (), *, misspelt: bool = False, wrong: bool = False) -> Written:
    """The file; the key at ``at`` misspelt, or its value of the wrong type."""
    lines: list[str] = []
    places: dict[str, tuple[int, int]] = {}

    def write(node: Node, indent: int, lead: str) -> None:
        item, here = isinstance(node.path[-1], int), node.path == at
        word = "" if item else f"{node.path[-1]}{str(node.path[-1])[-1] if here and misspelt else ''}:"
        if here:
            places["key"] = places["value"] = (len(lines) + 1, indent + 1)
        if (here and wrong) or not node.under:
            value = WRONG[node.kind] if here and wrong else node.value
            if here:
                places["value"] = (len(lines) + 1, indent + 1 + (len(word) + 1 if word else 0))
            lines.append(f"{lead}{word} {value}" if word else f"{lead}{value}")
            return
        if item:
            # The first key of a mapping stands on the line of its dash.
            for number, one in enumerate(node.under):
                write(one, indent, lead if not number else " " * indent)
            return
        lines.append(f"{lead}{word}")
        for one in node.under:
            inside = " " * (indent + 2)
            write(one, indent + 4, f"{inside}- ") if node.kind == "array" else write(one, indent + 2, inside)

    for node in nodes:
        write(node, 0, "")
    return Written("\n".join(lines) + "\n", places.get("key", (0, 0)), places.get("value", (0, 0)))


def files(root: Path, texts: dict[str, str]) -> Files:
    """A project in memory; what its configs name is there."""
    names = {"show": "show.yaml", "series": "series/some.yaml", "episode": "episodes/episode-01.yaml"}
    show, series, episode = (File(root / "configs" / name, texts[kind].encode()) for kind, name in names.items())
    return Files(root, (show,), (series,), (episode,))
