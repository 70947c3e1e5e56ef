"""The desk as one file of HTML: style and script stand in it, and its policy lets nothing else run. Pure; equal input gives equal bytes."""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Final

from production import templating
from production.desk.views import Desk
from production.pages.drawing import variables
from production.site import templates

_ASSETS: Final = Path(__file__).parent / "assets"
_SCRIPTS: Final = ("signal.js", "wave.js", "sound.js", "desk.js")
"""In the order in which each needs those before it."""


def page(desk: Desk, *, live: bool = False) -> bytes:
    """The page. ``live``: it is served, and looks for a newer one of itself."""
    scripts = [_script(), *([templates.asset("live.js").decode()] if live else [])]
    return templating.rendered(_ASSETS, "desk.html", desk=desk, data=_json(desk.data), style=_style(), scripts=scripts, policy=_policy(scripts, live))


def _json(data: object) -> str:
    """JSON that ends no script element and begins no comment, whatever its texts are."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c").replace("&", "\\u0026")


@cache
def _script() -> str:
    parts = "".join((_ASSETS / name).read_text("utf-8") for name in _SCRIPTS)
    return f'"use strict";\n(() => {{\n{parts}}})();\n'


@cache
def _style() -> str:
    dark = f"@media (prefers-color-scheme: dark) {{ :root {{ {variables(dark=True)} }} }}"
    return f":root {{ {variables(dark=False)} }}\n{dark}\n{(_ASSETS / 'desk.css').read_text('utf-8')}"


def _policy(scripts: list[str], live: bool) -> str:
    """The Content-Security-Policy: nothing runs but these scripts, and nothing is loaded but sound from where the page is."""
    rules = [
        "default-src 'none'",
        f"script-src {' '.join(map(_sum, scripts))}",
        f"style-src {_sum(_style())}",
        "img-src data:",
        "media-src 'self'" if live else "media-src 'self' file:",
        *(["connect-src 'self'"] if live else []),
        "base-uri 'none'",
        "form-action 'none'",
    ]
    return "; ".join(rules)


def _sum(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
