"""A drawing as a PNG, and how wide words are: in the type that Pillow carries, so that the same drawing is the same bytes on every machine."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import TYPE_CHECKING

from production.artwork import setable
from production.pages.drawing import THEMES, Area, Box, Drawing, Photo, Point, Shape, Stroke, Words

if TYPE_CHECKING:
    from PIL import Image, ImageDraw, ImageFont

FINE = 2
"""Drawn at this many times the size and reduced: Pillow draws edges without anti-aliasing."""
_DESIGN = 1000
_BOLD = 0.022
"""Of a line around each glyph, in ems: the type has one weight."""
_ANCHORS = {"start": "ls", "middle": "ms", "end": "rs"}


def width(text: str, size: float, *, bold: bool = False) -> float:
    """How wide ``text`` is, in pixels; of type that is like it, most often no wider."""
    return float(_font(_DESIGN).getlength(text)) / _DESIGN * size * (1.04 if bold else 1.0)


def fitting(text: str, size: float, room: float, *, bold: bool = False) -> str:
    """``text``, or as much of it as fits into ``room`` pixels and an ellipsis; nothing when not even a few letters do."""
    if width(text, size, bold=bold) <= room:
        return text
    kept = text
    while kept and width(f"{kept}…", size, bold=bold) > room:
        kept = kept[:-1].rstrip(" ,:;-&")
    return f"{kept}…" if len(kept) > 2 else ""


def png(drawing: Drawing, *, dark: bool = True) -> bytes:
    """The drawing in its own size on its ground, with a palette of 256 colours: a fraction of the bytes."""
    from PIL import Image

    size = round(drawing.width), round(drawing.height)
    large = Image.new("RGB", (size[0] * FINE, size[1] * FINE), THEMES["ground"][dark])
    _Sheet(large, dark).draw(drawing)
    small = large.resize(size, Image.Resampling.BOX).quantize(256, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    file = io.BytesIO()
    small.save(file, "PNG", compress_level=9)
    return file.getvalue()


def thumbnail(jpeg: bytes, side: int) -> bytes:
    """A square picture as a JPEG of ``side`` pixels. Raises OSError when it cannot be read."""
    from PIL import Image

    with Image.open(io.BytesIO(jpeg), formats=("JPEG",)) as picture:
        # The decoder halves it on the way, which takes a tenth of the time.
        picture.draft("RGB", (side * 2, side * 2))
        small = picture.convert("RGB").resize((side, side), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    small.save(file, "JPEG", quality=82)
    return file.getvalue()


@lru_cache(maxsize=32)
def _font(size: int) -> ImageFont.FreeTypeFont:
    from PIL import ImageFont

    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font


class _Sheet:
    """Draws shapes, finer than they will be."""

    def __init__(self, image: Image.Image, dark: bool) -> None:
        from PIL import ImageDraw

        self._image = image
        self._draw: ImageDraw.ImageDraw = ImageDraw.Draw(image)
        self._colours = {name: tones[dark] for name, tones in THEMES.items()}

    def draw(self, drawing: Drawing) -> None:
        for shape in drawing.shapes:
            self._shape(shape)

    def _shape(self, shape: Shape) -> None:
        match shape:
            case Box():
                left, top = shape.left * FINE, shape.top * FINE
                # Its far edges belong to it no more; what is thinner than a pixel is one.
                edges = (left, top, max(left, left + shape.width * FINE - 1), max(top, top + shape.height * FINE - 1))
                self._draw.rounded_rectangle([round(edge) for edge in edges], shape.radius * FINE, fill=self._colours[shape.ink])
            case Stroke():
                points = _fine(shape.points)
                for part in _dashed(points, shape.dashes) if shape.dashes else [points]:
                    self._draw.line(part, fill=self._colours[shape.ink], width=max(1, round(shape.width * FINE)), joint="curve")
            case Area():
                self._draw.polygon(_fine(shape.points), fill=self._colours[shape.ink])
            case Words():
                size = round(shape.size * FINE)
                stroke = _BOLD * size if shape.bold else 0
                place = (shape.left * FINE, shape.base * FINE)
                self._draw.text(
                    place, setable(shape.text), fill=self._colours[shape.ink], font=_font(size), anchor=_ANCHORS[shape.anchor], stroke_width=stroke
                )
            case Photo():
                self._paste(shape)

    def _paste(self, photo: Photo) -> None:
        from PIL import Image

        side = round(photo.side * FINE)
        with Image.open(io.BytesIO(photo.jpeg), formats=("JPEG",)) as picture:
            self._image.paste(
                picture.convert("RGB").resize((side, side), Image.Resampling.LANCZOS), (round(photo.left * FINE), round(photo.top * FINE))
            )


def _fine(points: tuple[Point, ...]) -> list[Point]:
    return [(x * FINE, y * FINE) for x, y in points]


def _dashed(points: list[Point], dashes: tuple[float, float]) -> list[list[Point]]:
    """A level or upright line in dashes."""
    (x0, y0), (x1, y1) = points[0], points[-1]
    length = abs(x1 - x0) + abs(y1 - y0)
    dash, pitch = dashes[0] * FINE, (dashes[0] + dashes[1]) * FINE
    found = []
    for number in range(int(length // pitch) + 1):
        begin, end = number * pitch / length, min(1.0, (number * pitch + dash) / length)
        found.append([(x0 + (x1 - x0) * share, y0 + (y1 - y0) * share) for share in (begin, end)])
    return found
