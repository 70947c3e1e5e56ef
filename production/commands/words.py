"""What a shell may complete an argument with. Called at every press of a key: nothing heavy is loaded here."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

import click
from click.shell_completion import CompletionItem

from production import names

_ALL = ("all", "everything")


def _folder(context: click.Context) -> str:
    return str(context.params.get("folder") or os.curdir)


def _fitting(words: Iterable[tuple[str, str]], begun: str) -> list[CompletionItem]:
    return [CompletionItem(word, help=told) for word, told in words if word.startswith(begun)]


def _files(begun: str) -> list[CompletionItem]:
    """The shell's own completion of paths, once a word looks like one."""
    return [CompletionItem(begun, type="file")] if os.sep in begun or begun.startswith(".") else []


def targets(context: click.Context, _param: click.Parameter, begun: str) -> list[CompletionItem]:
    """Episodes, series, everything, or a file."""
    root = _folder(context)
    group = context.find_root().command
    verbs = group.list_commands(context) if isinstance(group, click.Group) and context.meta.get("no first word") else []
    return _files(begun) or _fitting((*((verb, "") for verb in verbs), *names.episodes(root), *names.series(root), _ALL), begun)


def episodes(context: click.Context, _param: click.Parameter, begun: str) -> list[CompletionItem]:
    """Episodes, or the file of one."""
    return _files(begun) or _fitting(names.episodes(_folder(context)), begun)


def feeds(context: click.Context, _param: click.Parameter, begun: str) -> list[CompletionItem]:
    """Series, the show, everything."""
    return _fitting((*_feeds(_folder(context)), _ALL), begun)


def feed(context: click.Context, _param: click.Parameter, begun: str) -> list[CompletionItem]:
    """One series, or the show."""
    return _fitting(_feeds(_folder(context)), begun)


def configs(context: click.Context, _param: click.Parameter, begun: str) -> list[CompletionItem]:
    """Whatever has a config file."""
    root = _folder(context)
    return _files(begun) or _fitting((*names.episodes(root), *names.series(root), ("show", "the show")), begun)


def series(context: click.Context, _param: click.Parameter, begun: str) -> list[CompletionItem]:
    """Series."""
    return _fitting(names.series(_folder(context)), begun)


def places(context: click.Context, _param: click.Parameter, begun: str) -> list[CompletionItem]:
    """Targets to publish to."""
    return _fitting(((name, "") for name in names.places(_folder(context))), begun)


def keys(context: click.Context, _param: click.Parameter, begun: str) -> list[CompletionItem]:
    """The keys of the episode that was named, one step at a time: groups first, then what is in them."""
    return _fitting(_steps(_keys(_folder(context), str(context.params.get("episode") or context.params.get("target") or "")), begun), begun)


def assignments(context: click.Context, _param: click.Parameter, begun: str) -> list[CompletionItem]:
    """Keys, ready for a value."""
    target = str(context.params.get("target") or "")
    known = _steps(_keys(_folder(context), target), begun)
    return _fitting(((key if key.endswith(".") else f"{key}=", told) for key, told in known), begun)


def _feeds(root: str) -> Iterator[tuple[str, str]]:
    yield from names.series(root)
    if found := names.show(root):
        yield found


def _keys(root: str, target: str) -> list[str]:
    from production import model

    words = {"start": "in", "end": "out"}
    groups = [f"{group}.{key}" for group in _fields(model.Settings) for key in _fields(getattr(model, group.capitalize()))]
    if target.startswith("episode-"):
        own = [key for key in _fields(model.Episode) if key not in ("id", "sections", "settings")]
        section = [words.get(key, key) for key in _fields(model.Section)]
        return [*own, *groups, *(f"sections.{slug}.{key}" for slug in names.sections(root, target) for key in section)]
    noun = model.Show if target == "show" else model.Series
    return [*(key for key in _fields(noun) if key != "settings"), *(f"defaults.{key}" for key in groups)]


def _fields(noun: type) -> list[str]:
    return list(noun.__dataclass_fields__)  # type: ignore[attr-defined]


def _steps(known: Iterable[str], begun: str) -> list[tuple[str, str]]:
    """Keys as far as the next step after what is begun: ``loudness.`` stands for all that is in it, unless it is the only one."""
    found, known = dict[str, str](), list(known)
    for key in known:
        if key.startswith(begun):
            rest, dot, _ = key[len(begun) :].partition(".")
            found[f"{begun}{rest}{dot}"] = ""
    only = next(iter(found), "")
    # A shell puts a blank after a word that is the only one: there is more to come.
    return _steps(known, only) if len(found) == 1 and only.endswith(".") and only != begun else list(found.items())
