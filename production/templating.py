"""Values into HTML: the only import of Jinja. Whatever a value holds stays text, but for what a template calls safe."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from production.clock import clock

if TYPE_CHECKING:
    from jinja2 import Environment


def rendered(folder: Path, name: str, **said: Any) -> bytes:
    """The template of that name in a folder, with ``said``."""
    text: str = _environment(folder).get_template(name).render(**said)
    return text.encode()


@cache
def _environment(folder: Path) -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    loader = FileSystemLoader(folder)
    found = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)
    found.globals["clock"] = clock
    return found
