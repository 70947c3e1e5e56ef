"""A picture as a list of shapes in pixels, for more than one kind of paper: here as SVG for a page, in `painting` as PNG. Pure.

Colours are names; what they look like is `THEMES`' to say, once for light rooms and once for dark ones. So a page can follow the reader's choice.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Literal

Point = tuple[float, float]
Anchor = Literal["start", "middle", "end"]

THEMES: dict[str, tuple[str, str]] = {
    # on which everything stands
    "ground": ("#f4f6f8", "#0d1117"),
    "panel": ("#ffffff", "#151b23"),
    "tint": ("#eef2f6", "#1b232d"),
    "grid": ("#dde3ea", "#28323e"),
    # words
    "ink": ("#16202b", "#e8edf3"),
    "muted": ("#566372", "#93a1b1"),
    # sound: two tones, by turns for chapter after chapter
    "wave": ("#1769aa", "#58b2f4"),
    "wave-soft": ("#a9cdea", "#24527a"),
    "other": ("#0c747b", "#3fc8c4"),
    "other-soft": ("#a3d8d8", "#1d5a5e"),
    "momentary": ("#c9d6e3", "#2b3b4d"),
    "short": ("#0b6e4f", "#5fe0ae"),
    "short-soft": ("#9fd4bf", "#2c6b56"),
    "before": ("#8895a3", "#7b8a9b"),
    "music": ("#7a4fc4", "#b79af5"),
    # what was asked for
    "target": ("#a84a06", "#f5b83d"),
    "band": ("#fbeed3", "#3a3018"),
    "ordinary": ("#e3ebf2", "#212c38"),
    "band-deep": ("#dfcfae", "#5a4a24"),
    # what was found
    "note": ("#2563a8", "#7db8f0"),
    "warning": ("#a84a06", "#f5a524"),
    "error": ("#c62828", "#ff7b72"),
}
"""What each name stands for: on paper and by daylight, and in the dark."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle. ``note`` is what is told when it is pointed at."""

    left: float
    top: float
    width: float
    height: float
    ink: str
    radius: float = 0.0
    note: str = ""


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line through points; ``dashes`` are the lengths of a dash and of the room after it."""

    points: tuple[Point, ...]
    ink: str
    width: float = 1.0
    dashes: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Area:
    """What lies within points."""

    points: tuple[Point, ...]
    ink: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Words:
    """A line of text whose baseline begins, is halved or ends at a point."""

    left: float
    base: float
    text: str
    size: float
    ink: str = "ink"
    anchor: Anchor = "start"
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Photo:
    """A square JPEG."""

    left: float
    top: float
    side: float
    jpeg: bytes


Shape = Box | Stroke | Area | Words | Photo


@dataclass(frozen=True, slots=True)
class Drawing:
    """Shapes on a sheet of some width and height; those that come later lie on top."""

    width: float
    height: float
    shapes: tuple[Shape, ...]

    def at(self, left: float, top: float) -> Iterator[Shape]:
        """The shapes, as parts of a larger sheet on which this one begins at a point."""
        for shape in self.shapes:
            match shape:
                case Box() | Photo():
                    yield replace(shape, left=shape.left + left, top=shape.top + top)
                case Words():
                    yield replace(shape, left=shape.left + left, base=shape.base + top)
                case Stroke() | Area():
                    yield replace(shape, points=tuple((x + left, y + top) for x, y in shape.points))


def ring(left: float, top: float, radius: float, ink: str, note: str = "") -> Box:
    """A disc around a point."""
    return Box(left - radius, top - radius, 2 * radius, 2 * radius, ink, radius, note)


def rule(left: float, top: float, right: float, ink: str = "grid", width: float = 1.0) -> Stroke:
    """A level line."""
    return Stroke(((left, top), (right, top)), ink, width)


def svg(drawing: Drawing, label: str, kind: str = "") -> str:
    """The drawing as an element for a page that holds `variables`. ``label`` is what it shows, for who does not see it; ``kind`` its classes."""
    size = f'viewBox="0 0 {_number(drawing.width)} {_number(drawing.height)}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" class="{kind}" {size} role="img" aria-label="{text(label)}">'
    return head + "".join(map(_element, drawing.shapes)) + "</svg>"


def variables(dark: bool) -> str:
    """The colours as custom properties of CSS."""
    return "".join(f"--{name}:{tones[dark]};" for name, tones in THEMES.items())


def classes() -> str:
    """What `svg` asks a page's style sheet for."""
    return "".join(f".f-{name}{{fill:var(--{name})}}.s-{name}{{fill:none;stroke:var(--{name})}}" for name in THEMES)


def text(said: str) -> str:
    """Text as it is put into a page: nothing in it is markup, and characters that no page may hold are left out."""
    return escape("".join(c for c in said if c in "\t\n" or (c >= " " and not "\x7f" <= c <= "\x9f" and not "\ud800" <= c <= "\udfff")))


def _element(shape: Shape) -> str:
    match shape:
        case Box():
            corners = f' rx="{_number(shape.radius)}"' if shape.radius else ""
            place = f'x="{_number(shape.left)}" y="{_number(shape.top)}" width="{_number(shape.width)}" height="{_number(shape.height)}"'
            return f'<rect class="f-{shape.ink}" {place}{corners}{_noted("rect", shape.note)}'
        case Stroke():
            dashes = f' stroke-dasharray="{_number(shape.dashes[0])} {_number(shape.dashes[1])}"' if shape.dashes else ""
            return f'<polyline class="s-{shape.ink}" stroke-width="{_number(shape.width)}"{dashes} points="{_points(shape.points)}"/>'
        case Area():
            return f'<polygon class="f-{shape.ink}" points="{_points(shape.points)}"{_noted("polygon", shape.note)}'
        case Words():
            look = (f' text-anchor="{shape.anchor}"' if shape.anchor != "start" else "") + (' font-weight="600"' if shape.bold else "")
            place = f'x="{_number(shape.left)}" y="{_number(shape.base)}" font-size="{_number(shape.size)}"'
            return f'<text class="f-{shape.ink}" {place}{look}>{text(shape.text)}</text>'
        case Photo():
            place = f'x="{_number(shape.left)}" y="{_number(shape.top)}" width="{_number(shape.side)}" height="{_number(shape.side)}"'
            return f'<image {place} href="{data_url(shape.jpeg)}"/>'


def _noted(tag: str, note: str) -> str:
    return f"><title>{text(note)}</title></{tag}>" if note else "/>"


def data_url(jpeg: bytes) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"


def _points(points: Sequence[Point]) -> str:
    return " ".join(f"{_number(x)},{_number(y)}" for x, y in points)


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
