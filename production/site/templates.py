"""Values into HTML: the only import of Jinja. Whatever a value holds stays text, but for what a template calls safe: show notes, which `feeds.notes`
cleaned, and JSON-LD, which `structured` wrote.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from production.clock import clock

if TYPE_CHECKING:
    from jinja2 import Environment

_HERE: Final = Path(__file__).parent
TEMPLATES, ASSETS = _HERE / "templates", _HERE / "assets"


def rendered(name: str, **said: Any) -> bytes:
    """The template of that name, with ``said``."""
    text: str = _environment().get_template(name).render(**said)
    return text.encode()


def asset(name: str) -> bytes:
    """A style sheet or script of the site, as it is."""
    return (ASSETS / name).read_bytes()


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    loader = FileSystemLoader(TEMPLATES)
    found = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)
    found.globals["clock"] = clock
    return found
