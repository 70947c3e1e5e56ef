"""A series' colour as it serves on a page, on a light ground and on a dark one: text in it has a contrast of 4.5 at least (WCAG 2.2, 1.4.3). Pure."""

from __future__ import annotations

from colorsys import hls_to_rgb, rgb_to_hls
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from production.artwork import Rgb

LIGHT, DARK = (244, 243, 240), (36, 36, 41)
"""The grounds on which it is hardest to read: fields of a light page, and of a dark one."""
_ENOUGH: Final = 4.5
_STEPS: Final = 20


def rules(colours: frozenset[str]) -> str:
    """The style sheet's rules for the classes of these colours (``#1f4e79``), in order."""
    light = "".join(f".{name(one)}{{--accent:{_on(one, LIGHT, 0)}}}\n" for one in sorted(colours))
    dark = "".join(f".{name(one)}{{--accent:{_on(one, DARK, 1)}}}\n" for one in sorted(colours))
    return f"{light}@media (prefers-color-scheme: dark) {{\n{dark}}}\n"


def name(colour: str) -> str:
    """The class of a colour."""
    return f"c-{colour[1:].lower()}"


def _on(colour: str, ground: Rgb, end: int) -> str:
    """The colour in another lightness, the first towards black (0) or white (1) in which it can be read on a ground."""
    # Loaded when a style sheet is made, and not by a run that finds nothing to do.
    from production.artwork import contrast

    hue, lightness, saturation = rgb_to_hls(*(int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)))
    for step in range(_STEPS + 1):
        red, green, blue = (round(255 * one) for one in hls_to_rgb(hue, lightness + (end - lightness) * step / _STEPS, saturation))
        if contrast((red, green, blue), ground) >= _ENOUGH:
            return f"#{red:02x}{green:02x}{blue:02x}"
    raise AssertionError("black or white can be read")
