"""The results as a picture: a bar for each row, as long as its time was to the yardstick's. Drawn with Pillow's own type, on the house's ground."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from benchmarks.results import Results, Row, duration, megabytes, times, why_not
from production.artwork import palette

Rgb = tuple[int, int, int]
Ink = Rgb | tuple[int, int, int, int]

WIDTH = 1600
FINE = 2
"""Drawn at this many times the size and reduced: Pillow draws edges without anti-aliasing."""
MARGIN = 40
TOP, PITCH, BAR, BETWEEN, FOOT = 172, 44, 24, 22, 76
"""Where the rows begin, their distance, the height of a bar, the room between the others and ours, and what is left under them."""
LABELS, LEFT, RIGHT, TIME, MEMORY = MARGIN, 590, 1180, 1420, WIDTH - MARGIN
"""Edges of the columns: labels, bars from and to, and the right edges of two columns of figures."""
SMALL, NORMAL, TITLE = 18, 20, 38
CORNER = 24
_COLOURS = palette("#4a1f5c")
_FAILED = "no figures"


class Sheet:
    """A canvas in the picture's own pixels, drawn finer than it will be."""

    def __init__(self, height: int) -> None:
        self.height = height
        self.image = Image.new("RGB", (WIDTH * FINE, height * FINE), _COLOURS.ground)
        self._draw = ImageDraw.Draw(self.image, "RGBA")

    def text(self, at: tuple[float, float], words: str, size: int, fill: Ink, *, anchor: str = "lm", bold: bool = False) -> None:
        stroke = round(0.022 * size * FINE) if bold else 0
        self._draw.text((at[0] * FINE, at[1] * FINE), words, fill=fill, font=_font(size), anchor=anchor, stroke_width=stroke)

    def box(self, left: float, top: float, right: float, bottom: float, fill: Ink, radius: float = 0) -> None:
        self._draw.rounded_rectangle((left * FINE, top * FINE, max(right * FINE - 1, left * FINE), bottom * FINE - 1), radius * FINE, fill=fill)

    def reduced(self) -> Image.Image:
        """The picture in its own size, its corners cut round."""
        mask = Image.new("L", self.image.size, 0)
        ImageDraw.Draw(mask).rounded_rectangle((0, 0, WIDTH * FINE - 1, self.height * FINE - 1), CORNER * FINE, fill=255)
        self.image.putalpha(mask)
        return self.image.resize((WIDTH, self.height), Image.Resampling.LANCZOS)


@lru_cache(maxsize=8)
def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size * FINE)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font


def width(words: str, size: int) -> float:
    return float(_font(size).getlength(words)) / FINE


def elided(words: str, size: int, room: float) -> str:
    """``words``, or as many of them as fit into ``room`` pixels, and an ellipsis."""
    if width(words, size) <= room:
        return words
    kept = words
    while kept and width(f"{kept}…", size) > room:
        kept = kept[:-1].rstrip(" ,:;")
    return f"{kept}…"


def faded(share: float) -> Rgb:
    """The ink, ``share`` of it, on the ground: type takes no transparency."""
    red, green, blue = (round(g + (i - g) * share) for i, g in zip(_COLOURS.ink, _COLOURS.ground, strict=True))
    return red, green, blue


def draw(results: Results) -> bytes:
    """The picture as a PNG."""
    rows = sorted(results["rows"], key=lambda row: bool(row["ours"]))
    sheet = Sheet(TOP + PITCH * len(rows) + BETWEEN + FOOT)
    _heading(sheet, results)
    longest = max((_ratio(row, "max") for row in rows), default=1.0)
    # The longest bar, with its figures after it, ends where the bars' column does.
    scale = (RIGHT - LEFT) / max(longest, 1.0)
    first = next((i for i, row in enumerate(rows) if row["ours"]), len(rows))
    bottom = _top(len(rows) - 1, first) + BAR + 12
    sheet.box(LEFT + scale - 1, TOP - 12, LEFT + scale + 1, bottom, faded(0.34))
    for i, row in enumerate(rows):
        _row(sheet, row, _top(i, first), scale)
    _foot(sheet, results)
    return _packed(sheet.reduced())


def _top(index: int, first_of_ours: int) -> int:
    return TOP + PITCH * index + (BETWEEN if index >= first_of_ours else 0)


def _ratio(row: Row, which: str) -> float:
    found: dict[str, Any] = row["figures"].get("ratio", {})
    return float(found.get(which, 0.0))


def _heading(sheet: Sheet, results: Results) -> None:
    made = results["material"]
    title = f"An episode of {duration(made['programme_s'])}, and what it costs to make"
    sheet.text((LABELS, 66), title, TITLE, _COLOURS.ink, anchor="lm", bold=True)
    sheet.text((LABELS, 118), "time, as multiples of one bare ffmpeg encode of the finished programme", NORMAL, faded(0.6))
    sheet.text((TIME, 118), "wall time", SMALL, faded(0.5), anchor="rm")
    sheet.text((MEMORY, 118), "peak memory", SMALL, faded(0.5), anchor="rm")


def _row(sheet: Sheet, row: Row, top: float, scale: float) -> None:
    middle, ours = top + BAR / 2, bool(row["ours"])
    ink = _COLOURS.ink if ours else faded(0.72)
    sheet.text((LABELS, middle), elided(row["name"], NORMAL, LEFT - LABELS - 16), NORMAL, ink)
    if not row["figures"]:
        _over(sheet, LEFT, middle, elided(why_not(row) or _FAILED, SMALL, MEMORY - LEFT), SMALL, faded(0.5))
        return
    ratio, figures = _ratio(row, "median"), row["figures"]
    end = LEFT + max(ratio * scale, 2)
    sheet.box(LEFT, top, end, top + BAR, _COLOURS.spark if ours else faded(0.34), min(4, (end - LEFT) / 2))
    if len(row["runs"]) > 1 and row["key"] != "a":
        _whisker(sheet, LEFT + _ratio(row, "min") * scale, LEFT + _ratio(row, "max") * scale, middle)
    after = max(end, LEFT + _ratio(row, "max") * scale) + 12
    _over(sheet, after, middle, "1" if row["key"] == "a" else times(ratio), NORMAL, _COLOURS.spark if ours else ink, bold=ours)
    sheet.text((TIME, middle), duration(figures["wall_s"]["median"]), NORMAL, ink, anchor="rm")
    memory = figures.get("memory_mb", {}).get("median")
    sheet.text((MEMORY, middle), megabytes(memory), NORMAL, ink, anchor="rm")


def _over(sheet: Sheet, left: float, middle: float, words: str, size: int, fill: Ink, *, bold: bool = False) -> None:
    """Set words on a ground of their own: the yardstick's line does not go through them."""
    sheet.box(left - 4, middle - size * 0.7, left + width(words, size) + 5, middle + size * 0.7, _COLOURS.ground)
    sheet.text((left, middle), words, size, fill, bold=bold)


def _whisker(sheet: Sheet, least: float, most: float, middle: float) -> None:
    """From the least to the most; nothing where they are the same to the eye."""
    if most - least >= 2:
        sheet.box(least, middle - 1, most, middle + 1, faded(0.9))
        for x in (least, most):
            sheet.box(x - 1, middle - 5, x + 1, middle + 5, faded(0.9))


def _foot(sheet: Sheet, results: Results) -> None:
    at, rounds = results["machine"], results["rounds"]["all"]
    words: Sequence[str] = (
        f"{at['cores']} cores",
        str(at["cpu"]),
        f"ffmpeg {at['ffmpeg']}",
        f"Python {at['python']}",
        str(results["material"]["speech"]),
        f"medians of {rounds} rounds" if rounds > 1 else "one round",
    )
    sheet.text((LABELS, sheet.height - 40), elided("  ·  ".join(words), SMALL, WIDTH - 2 * MARGIN), SMALL, faded(0.5))


def _packed(picture: Image.Image) -> bytes:
    """With a palette, a fraction of the size: the picture has few colours. This method alone keeps the corners' transparency."""
    file = io.BytesIO()
    picture.quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
    return file.getvalue()
