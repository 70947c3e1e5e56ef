"""The templates and assets of the site. What a template of it calls safe are show notes, which `feeds.notes` cleaned, and JSON-LD, which `structured`
wrote.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from production import templating

_HERE: Final = Path(__file__).parent
TEMPLATES, ASSETS = _HERE / "templates", _HERE / "assets"


def rendered(name: str, **said: Any) -> bytes:
    """The template of that name, with ``said``."""
    return templating.rendered(TEMPLATES, name, **said)


def asset(name: str) -> bytes:
    """A style sheet or script of the site, as it is."""
    return (ASSETS / name).read_bytes()
