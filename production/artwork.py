"""Covers: drawn from number, title and colour, or fitted from a file the producer made. With `pages.painting` the only module that imports Pillow.

Pillow is loaded when a picture is drawn or fitted, not before: most runs find their pictures in the store.

Sizes inside this module are fractions of the cover's side until they reach a drawing call, so that every side gives the same picture.
The bytes depend on the arguments and on Pillow's version alone: no clock, no system font (the type is the Aileron that Pillow carries), no
text shaper that may or may not be installed, no metadata.
"""

from __future__ import annotations

import colorsys
import io
import math
import random
import re
import unicodedata
import zlib
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, combinations, pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from production.errors import ArtworkError

if TYPE_CHECKING:
    from PIL import Image, ImageFont

MIN_SIDE = 1400
"""Pixels: the smallest artwork that the podcast directories accept."""
FEED_MAX_BYTES = 500_000
EMBEDDED_MAX_BYTES = 180_000
EMBEDDED_MAX_SIDE = 2000
MAX_PIXELS = 81_000_000
"""A picture with more pixels than this is refused before it is decoded (243 MB as RGB)."""

MARGIN = 0.075
SUPERSAMPLING = 2
TOP_QUALITY, OPTIMISED_BELOW, BOTTOM_QUALITY = 90, 80, 40

Rgb = tuple[int, int, int]
Point = tuple[float, float]
Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""
Pixels = tuple[int, int, int, int]
"""A box in whole pixels."""


# -- colour ----------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of a cover, as 8-bit sRGB: the ground's darkest and lightest shade, the type, and two colours for the graph."""

    ground: Rgb
    glow: Rgb
    ink: Rgb
    accent: Rgb
    spark: Rgb


def luminance(rgb: Rgb) -> float:
    """Relative luminance of an sRGB colour, 0..1 (WCAG 2.2)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in rgb)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: Rgb, other: Rgb) -> float:
    """Contrast ratio of two colours, 1..21 (WCAG 2.2: 4.5 is enough for text, 7 for small text)."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def palette(colour: str) -> Palette:
    """The colours that belong to ``#rrggbb``. The ground keeps its hue, and is dark enough for white type whatever it was."""
    rgb = (int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16))
    ink = (255, 255, 255)
    glow = _mix(rgb, (110, 120, 135), 0.5) if luminance(rgb) < 0.008 else rgb
    while contrast(ink, glow) < 7.5:
        glow = _mix(glow, (0, 0, 0), 0.04)
    accent = _mix(rgb, ink, 0.25)
    while contrast(accent, glow) < 4.5:
        accent = _mix(accent, ink, 0.06)
    spark = _opposite(rgb)
    while contrast(spark, glow) < 4.5:
        spark = _mix(spark, ink, 0.06)
    return Palette(ground=_mix(glow, (4, 6, 12), 0.78), glow=glow, ink=ink, accent=accent, spark=spark)


def _mix(one: Rgb, other: Rgb, share: float) -> Rgb:
    """``one`` moved towards ``other``; always by at least one step where they differ, so that loops over it end."""
    red, green, blue = (
        b if a == b else round(a + (b - a) * share) if abs(b - a) * share >= 1 else a + (1 if b > a else -1) for a, b in zip(one, other, strict=True)
    )
    return red, green, blue


def _opposite(rgb: Rgb) -> Rgb:
    """A bright colour across the wheel; amber for greys, which have no hue."""
    hue, _, saturation = colorsys.rgb_to_hls(*(v / 255 for v in rgb))
    far = 0.115 if saturation < 0.08 else (hue + 0.48) % 1.0
    red, green, blue = (round(v * 255) for v in colorsys.hls_to_rgb(far, 0.64, 0.9))
    return red, green, blue


# -- the graph -------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes in a unit circle around the origin, and the links between them."""

    nodes: tuple[Point, ...]
    links: tuple[tuple[int, int], ...]


@lru_cache(maxsize=4)
def graph(seed: int) -> Graph:
    """The graph that belongs to a number: always the same one, and neighbouring numbers have different topologies."""
    chance = random.Random(seed)
    layout = _LAYOUTS[seed % len(_LAYOUTS)]
    turn = chance.random() * math.tau
    nodes = tuple(_turned(point, turn) for point in layout(chance))
    return Graph(nodes, tuple(_gabriel_links(nodes)))


def _sunflower(chance: random.Random) -> list[Point]:
    golden = math.pi * (3 - math.sqrt(5))
    return [_polar(math.sqrt((i + 0.5) / 46), i * golden, chance, 0.035) for i in range(46)]


def _rings(chance: random.Random) -> list[Point]:
    sizes = ((1, 0.0), (6, 0.32), (12, 0.64), (20, 0.97))
    return [_polar(radius, math.tau * (i + 0.5 * (count % 4 == 0)) / count, chance, 0.02) for count, radius in sizes for i in range(count)]


def _scatter(chance: random.Random) -> list[Point]:
    kept: list[Point] = []
    for _ in range(4000):
        x, y = chance.random() * 2 - 1, chance.random() * 2 - 1
        if math.hypot(x, y) <= 1 and all(math.dist((x, y), other) > 0.21 for other in kept):
            kept.append((x, y))
    return kept


def _lattice(chance: random.Random) -> list[Point]:
    points = []
    for row in range(-5, 6):
        for column in range(-5, 6):
            x, y = (column + 0.5 * (row % 2)) * 0.27, row * 0.27 * math.sqrt(0.75)
            if math.hypot(x, y) <= 1.02:
                points.append((x + (chance.random() - 0.5) * 0.09, y + (chance.random() - 0.5) * 0.09))
    return points


def _clusters(chance: random.Random) -> list[Point]:
    points: list[Point] = []
    for centre in range(5):
        angle = math.tau * centre / 5
        cx, cy = 0.68 * math.cos(angle), 0.68 * math.sin(angle)
        points.append((cx, cy))
        points.extend((cx + x, cy + y) for x, y in (_polar(0.27, math.tau * i / 7, chance, 0.06) for i in range(7)))
    return [*points, (0.0, 0.0)]


_LAYOUTS: tuple[Callable[[random.Random], list[Point]], ...] = (_scatter, _rings, _clusters, _lattice, _sunflower)


def _polar(radius: float, angle: float, chance: random.Random, jitter: float) -> Point:
    return (
        radius * math.cos(angle) + (chance.random() - 0.5) * 2 * jitter,
        radius * math.sin(angle) + (chance.random() - 0.5) * 2 * jitter,
    )


def _turned(point: Point, angle: float) -> Point:
    x, y = point
    return x * math.cos(angle) - y * math.sin(angle), x * math.sin(angle) + y * math.cos(angle)


def _gabriel_links(nodes: Sequence[Point]) -> Iterator[tuple[int, int]]:
    """Links nodes with no third in the circle between them (Gabriel and Sokal, 1969): planar, connected, even to look at."""
    for a, b in combinations(range(len(nodes)), 2):
        centre = ((nodes[a][0] + nodes[b][0]) / 2, (nodes[a][1] + nodes[b][1]) / 2)
        radius = math.dist(nodes[a], nodes[b]) / 2 - 1e-9
        # The two themselves lie on the circle, and so not in it.
        if not any(math.dist(centre, other) < radius for other in nodes):
            yield a, b


def route(places: Sequence[Point], links: Sequence[tuple[int, int]], window: Box) -> tuple[int, ...]:
    """A message's way across: within ``window``, from its upper left node by the fewest links to the furthest one it reaches."""
    x0, y0, x1, y1 = window
    inside = [i for i, (x, y) in enumerate(places) if x0 <= x <= x1 and y0 <= y <= y1]
    if not inside:
        return ()
    start = min(inside, key=lambda i: (places[i][0] - x0) + (places[i][1] - y0))
    neighbours: dict[int, list[int]] = {i: [] for i in inside}
    for one, other in links:
        if one in neighbours and other in neighbours:
            neighbours[one].append(other)
            neighbours[other].append(one)
    came_from = {start: start}
    queue = deque([start])
    while queue:
        here = queue.popleft()
        for there in neighbours[here]:
            if there not in came_from:
                came_from[there] = here
                queue.append(there)
    way = [max(came_from, key=lambda i: math.dist(places[i], places[start]))]
    while way[-1] != start:
        way.append(came_from[way[-1]])
    return tuple(reversed(way))


# -- type ------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Block:
    """Lines of text and the size they are set in, in pixels."""

    lines: tuple[str, ...]
    size: float

    @property
    def height(self) -> float:
        return len(self.lines) * self.size * LEADING


LEADING = 1.14
TRACKING = 1.3
BOLD = 0.022
"""Stroke of the bold weight, in ems: the font has one weight, and a stroke in the fill's colour makes another."""
SAME_LOOK = str.maketrans(
    {"\u2010": "-", "\u2011": "-", "\u2012": "-", "\u2013": "-", "\u2014": "-", "\u2212": "-", "\u00d7": "x", "\u00e6": "ae", "\u00f8": "o"}
    | {"\u00df": "ss", "\u0142": "l", "\u0141": "L", "\u00d8": "O", "\u2192": ">", "\u20ac": "EUR ", "\u00a3": "GBP ", "\u2032": "\u2019"}
)


REFERENCE = 1000
"""Pixels to the em in which widths are measured: at its design size the font gives them as they were designed, not rounded to whole pixels."""


@lru_cache(maxsize=64)
def _font(size: int) -> ImageFont.FreeTypeFont:
    from PIL import ImageFont

    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise ArtworkError("this Pillow was built without FreeType and cannot set text")
    return font


@lru_cache(maxsize=1024)
def _has_glyph(character: str) -> bool:
    return _glyph(character) != _glyph("\uffff")


@lru_cache(maxsize=1024)
def _glyph(character: str) -> tuple[bytes, float]:
    """How a character looks at 40 px, and how wide it is."""
    font = _font(40)
    return bytes(font.getmask(character)), font.getlength(character)


@lru_cache(maxsize=1024)
def _advance(character: str) -> float:
    """Ems from one character's origin to the next one's. The font has no kerning."""
    return float(_font(REFERENCE).getlength(character)) / REFERENCE


@lru_cache(maxsize=4096)
def _ems(text: str) -> float:
    return sum(map(_advance, text))


def setable(text: str) -> str:
    """``text`` in the glyphs the font has: quotes curled, accents dropped where there is no accented glyph, the rest (emoji) left out."""
    text = re.sub(r"(^|[\s(\[\-])\"", "\\1\u201c", text).replace('"', "\u201d")
    text = re.sub(r"(^|[\s(\[\-])'", "\\1\u2018", text).replace("'", "\u2019")
    kept: list[str] = []
    for character in " ".join(text.split()).translate(SAME_LOOK):
        plain = character if _has_glyph(character) else unicodedata.normalize("NFKD", character)
        kept.extend(c for c in plain if c == " " or (c.isprintable() and not unicodedata.combining(c) and _has_glyph(c)))
    return " ".join("".join(kept).split())


def fitted(text: str, *, width: float, largest: float, smallest: float, lines: int, bold: bool = False) -> Block:
    """``text`` in the largest size, between two in pixels, that needs no more than ``lines`` lines of ``width`` pixels.

    Lines are balanced. What does not fit at the smallest size is cut and ends with an ellipsis.
    """
    stroke = BOLD if bold else 0.0
    size = largest
    while size > smallest:
        wrapped = _wrapped(text, size, width, stroke)
        if len(wrapped) <= lines and all(_length(line, size, stroke) <= width for line in wrapped):
            return Block(_balanced(wrapped, text, size, width, stroke), size)
        size *= 0.965
    wrapped = _wrapped(_broken(text, smallest, width, stroke), smallest, width, stroke)
    if len(wrapped) > lines:
        return Block((*wrapped[: lines - 1], _cut(wrapped[lines - 1], smallest, width, stroke)), smallest)
    return Block(tuple(wrapped), smallest)


def _length(text: str, size: float, stroke: float, tracking: float | None = None) -> float:
    """Pixels. A stroke takes room from both sides of every glyph, so by default most of it is given back between them (tracking, in ems)."""
    between = TRACKING * stroke if tracking is None else tracking
    return _ems(text) * round(size) + between * size * len(text) + stroke * size


def _wrapped(text: str, size: float, width: float, stroke: float) -> list[str]:
    lines: list[str] = []
    for word in text.split():
        if lines and _length(f"{lines[-1]} {word}", size, stroke) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _balanced(wrapped: Sequence[str], text: str, size: float, width: float, stroke: float) -> tuple[str, ...]:
    """The same number of lines in the narrowest column that still takes them: no lonely last word."""
    best = tuple(wrapped)
    for share in range(98, 40, -2):
        narrower = _wrapped(text, size, width * share / 100, stroke)
        if len(narrower) != len(wrapped) or any(_length(line, size, stroke) > width for line in narrower):
            break
        best = tuple(narrower)
    return best


def _broken(text: str, size: float, width: float, stroke: float) -> str:
    """``text`` with a blank put into every word that is wider than a line."""
    words = []
    for word in text.split():
        rest = word
        while _length(rest, size, stroke) > width:
            fits = next((n for n in range(len(rest) - 1, 1, -1) if _length(rest[:n], size, stroke) <= width), 1)
            words.append(rest[:fits])
            rest = rest[fits:]
        words.append(rest)
    return " ".join(words)


def _cut(line: str, size: float, width: float, stroke: float) -> str:
    while line and _length(f"{line}\u2026", size, stroke) > width:
        line = line[:-1]
    return f"{line.rstrip(' ,;:-')}\u2026"


def headline_and_rest(title: str) -> tuple[str, str]:
    """A title split where a reader would breathe: at its first spaced dash, else at a colon, else not at all."""
    parts = re.split(r"\s+[-\u2013\u2014]\s+|\s*:\s+", title, maxsplit=1)
    return (parts[0], parts[1]) if len(parts) == 2 and all(parts) else (title, "")


# -- drawing ---------------------------------------------------------------------------------------------------------------------


def draw_cover(*, number: int | None, title: str, series: str, show: str, colour: str, side: int, scratch: bool = False) -> bytes:
    """A square cover as JPEG (RGB, baseline, no metadata), ``side`` pixels wide.

    ``number`` is the episode's, or None for the series' own cover; ``colour`` is ``#rrggbb``; ``scratch`` puts a band across a corner that
    says so. At most 500 kB for the feed's sizes (over 2000 px) and 180 kB for what is embedded. Same arguments and same Pillow: same bytes.
    """
    colours = palette(colour)
    heading = _heading(setable(title), side, roomy=number is None)
    words = _words(heading, colours, side, series=setable(series if series != title else ""), show=setable(show))
    if number is None:
        shape, centre, radius = graph(zlib.crc32(title.encode())), (0.5, 0.40), 0.46
        window = (0.10, 0.14, 0.90, heading.top / side - 0.06)
    else:
        figure = _figure(number, heading.top, side, colours.ink)
        words.append(figure)
        shape, centre, radius = graph(number), (0.685, 0.335), 0.47
        window = (max(0.42, (figure.left + figure.mask.width) / side + 0.04), 0.12, 0.95, heading.top / side - 0.05)
    if scratch:
        words += _band("SCRATCH NARRATION", colours, side)
    places = [(centre[0] + x * radius, centre[1] + y * radius) for x, y in shape.nodes]
    way = [places[i] for i in route(places, shape.links, window)]
    ground, halo = _ground(colours, side), Soft.enlarged(_halo(way), side, 2)
    fade = Soft.enlarged(_fade(bottom=window[3], clear_left=number is not None), side, 2)

    def painted(top: int, bottom: int) -> Image.Image:
        strip = _Strip(tuple(plane.part((0, top, side, bottom)) for plane in ground), top)
        _draw_graph(strip, places, shape.links, fade, colours.accent)
        _draw_message(strip, way, halo, colours.spark)
        for layer in words:
            strip.lay(layer)
        return strip.picture()

    return _jpeg(_in_strips(painted, side), EMBEDDED_MAX_BYTES if side <= EMBEDDED_MAX_SIDE else FEED_MAX_BYTES)


STRIP = 256
"""Rows that are painted at a time: what they take stays in the processor's cache, and the memory of one strip serves the next."""


def _in_strips(painted: Callable[[int, int], Image.Image], side: int) -> Image.Image:
    """A square picture, asked for by its first row and the one after its last."""
    from PIL import Image

    picture = Image.new("RGB", (side, side), None)
    for top in range(0, side, STRIP):
        picture.paste(painted(top, min(side, top + STRIP)), (0, top))
    return picture


@dataclass(frozen=True, slots=True)
class Layer:
    """A colour, a mask of where it shows, and where the mask's upper left corner lies on the cover, in pixels."""

    colour: Rgb
    mask: Image.Image
    left: int
    top: int


@dataclass(frozen=True, slots=True)
class _Strip:
    """The rows of a picture from ``top`` on, as planes of red, green and blue: on three planes Pillow lays a colour five times as fast as on RGB."""

    planes: tuple[Image.Image, ...]
    top: int

    @property
    def side(self) -> int:
        return self.planes[0].width

    def clipped(self, box: Pixels) -> Pixels:
        """The part of a box of the picture that is in the strip. When there is none, its bottom is not below its top."""
        left, top, right, bottom = box
        return max(0, left), max(self.top, top), min(self.side, right), min(self.top + self.planes[0].height, bottom)

    def lay(self, layer: Layer) -> None:
        for plane, value in zip(self.planes, layer.colour, strict=True):
            plane.paste(value, (layer.left, layer.top - self.top), layer.mask)

    def picture(self) -> Image.Image:
        from PIL import Image

        return Image.merge("RGB", self.planes)


def _ground(colours: Palette, side: int) -> list[Soft]:
    """The dark ground with light behind the graph: its red, green and blue."""
    from PIL import Image, ImageChops

    small = 256
    disc = ImageChops.invert(Image.radial_gradient("L")).resize((round(small * 1.7),) * 2, Image.Resampling.BICUBIC)
    light = Image.new("L", (small, small), 0)
    light.paste(disc, (round(small * 0.66) - disc.width // 2, round(small * 0.32) - disc.height // 2))
    # Over four pixels the light changes by less than one of its 256 steps.
    soft = Soft.enlarged(light, side, 4)
    shades = zip(colours.ground, colours.glow, strict=True)
    return [Soft(soft.mask.point([dark + round((bright - dark) * v / 255) for v in range(256)]), 4) for dark, bright in shades]


@dataclass(frozen=True, slots=True)
class Soft:
    """A mask without edges, kept at one pixel in ``step`` each way. These are repeated where it is used: in what is soft that cannot be seen."""

    mask: Image.Image
    step: int

    @classmethod
    def enlarged(cls, small: Image.Image, side: int, step: int) -> Soft:
        """What is to be ``side`` pixels wide, from a small square."""
        from PIL import Image

        return cls(small.resize((math.ceil(side / step),) * 2, Image.Resampling.BICUBIC), step)

    def part(self, box: Pixels) -> Image.Image:
        """What is in ``box``, at its full size."""
        from PIL import Image

        left, top, right, bottom = box
        step = self.step
        return self.mask.resize((right - left, bottom - top), Image.Resampling.NEAREST, (left / step, top / step, right / step, bottom / step))


def _bounds(places: Sequence[Point], reach: float, side: int) -> Pixels:
    """The box in whole pixels that holds everything within ``reach`` of the places."""
    left, top = (math.floor((min(values) - reach) * side) for values in zip(*places, strict=True))
    right, bottom = (math.ceil((max(values) + reach) * side) for values in zip(*places, strict=True))
    return left, top, right, bottom


def _draw_graph(strip: _Strip, places: Sequence[Point], links: Sequence[tuple[int, int]], fade: Soft, colour: Rgb) -> None:
    """The nodes at their places, in fractions of the side, and the links."""
    from PIL import ImageChops

    degree = Counter(chain.from_iterable(links))

    def draw(pen: _Pen) -> None:
        for one, other in links:
            pen.line(places[one], places[other], 0.0024, 0.55)
        for i, place in enumerate(places):
            pen.dot(place, 0.0042 + 0.0014 * degree[i])

    box = strip.clipped(_bounds(places, 0.02, strip.side))
    if box[1] < box[3]:
        mask = ImageChops.multiply(_supersampled(strip.side, box, draw), fade.part(box))
        strip.lay(Layer(colour, mask, *box[:2]))


def _draw_message(strip: _Strip, way: Sequence[Point], halo: Soft, colour: Rgb) -> None:
    """The message's way through the graph, in its own light."""

    def draw(pen: _Pen) -> None:
        for start, end in pairwise(way):
            pen.line(start, end, 0.0062)
        for place in way:
            pen.dot(place, 0.0135)
        for place in (way[0], way[-1]):
            pen.ring(place, 0.030, 0.0042)

    if not way:
        return
    around, box = (strip.clipped(_bounds(way, reach, strip.side)) for reach in (0.09, 0.035))
    if around[1] < around[3]:
        strip.lay(Layer(colour, halo.part(around), *around[:2]))
    if box[1] < box[3]:
        strip.lay(Layer(colour, _supersampled(strip.side, box, draw), *box[:2]))


class _Pen:
    """Draws on a mask that shows a picture of ``side`` pixels from ``corner`` on. Arguments are fractions of the side.

    Places go to Pillow as whole pixels. It would drop their decimals too, but towards zero: before the corner the other way than after it, and a
    line that crosses it would change its slope.
    """

    def __init__(self, mask: Image.Image, side: int, corner: tuple[int, int] = (0, 0)) -> None:
        from PIL import ImageDraw

        self._draw = ImageDraw.Draw(mask)
        self._side = side
        self._corner = corner
        self._height = mask.height

    def line(self, start: Point, end: Point, width: float, strength: float = 1.0) -> None:
        ends, thickness = (self._pixel(start), self._pixel(end)), max(1, round(width * self._side))
        if self._shows(min(y for _, y in ends) - thickness, max(y for _, y in ends) + thickness):
            self._draw.line(ends, fill=round(255 * strength), width=thickness)

    def dot(self, centre: Point, radius: float) -> None:
        box = self._box(centre, radius)
        if self._shows(box[1], box[3]):
            self._draw.ellipse(box, fill=255)

    def ring(self, centre: Point, radius: float, width: float) -> None:
        box = self._box(centre, radius)
        if self._shows(box[1], box[3]):
            self._draw.ellipse(box, outline=255, width=max(1, round(width * self._side)))

    def _shows(self, top: int, bottom: int) -> bool:
        return bottom >= 0 and top < self._height

    def _pixel(self, point: Point) -> tuple[int, int]:
        return math.floor(point[0] * self._side) - self._corner[0], math.floor(point[1] * self._side) - self._corner[1]

    def _box(self, centre: Point, radius: float) -> Pixels:
        x, y = centre
        return *self._pixel((x - radius, y - radius)), *self._pixel((x + radius, y + radius))


def _supersampled(side: int, box: Pixels, draw: Callable[[_Pen], None]) -> Image.Image:
    """The part in ``box`` of a mask, drawn larger and reduced: Pillow's lines and ellipses have hard edges."""
    from PIL import Image

    left, top, right, bottom = (SUPERSAMPLING * edge for edge in box)
    large = Image.new("L", (right - left, bottom - top), 0)
    draw(_Pen(large, side * SUPERSAMPLING, (left, top)))
    return large.reduce(SUPERSAMPLING)


def _halo(way: Sequence[Point]) -> Image.Image:
    """Light around a route, small."""
    from PIL import Image, ImageFilter

    small = Image.new("L", (375, 375), 0)
    pen = _Pen(small, small.width)
    for start, end in pairwise(way):
        pen.line(start, end, 0.013)
    for place in way:
        pen.dot(place, 0.026)
    return small.filter(ImageFilter.GaussianBlur(7)).point([round(v * 0.5) for v in range(256)])


def _fade(*, bottom: float, clear_left: bool) -> Image.Image:
    """How much of the graph shows, small: less behind the show's name above and the number on the left, next to nothing behind the title."""
    from PIL import Image, ImageChops

    small = 96
    down = [_ramp(y / small, 0.05, 0.17, 0.35) * _ramp(1 - y / small, 1 - bottom - 0.07, 1 - bottom + 0.07, 0.03) for y in range(small)]
    along = [_ramp(x / small, 0.02, 0.62, 0.16) if clear_left else 1.0 for x in range(small)]
    column = Image.frombytes("L", (1, small), bytes(round(255 * share) for share in down))
    row = Image.frombytes("L", (small, 1), bytes(round(255 * share) for share in along))
    return ImageChops.multiply(column.resize((small, small)), row.resize((small, small)))


def _ramp(value: float, start: float, end: float, least: float) -> float:
    share = min(1.0, max(0.0, (value - start) / (end - start)))
    return least + (1 - least) * share * share * (3 - 2 * share)


@dataclass(frozen=True, slots=True)
class Heading:
    """The title, set: its two parts and where it starts and where its rule lies, in pixels from the top."""

    main: Block
    below: Block
    top: float
    below_top: float
    rule: float


def _heading(title: str, side: int, *, roomy: bool) -> Heading:
    """The title standing above the rule. What follows a dash is set smaller: both stay readable."""
    head, rest = headline_and_rest(title)
    width = (1 - 2 * MARGIN) * side
    largest = (0.116 if roomy else 0.096) * side
    main = fitted(head, width=width, largest=largest, smallest=0.074 * side, lines=2, bold=True)
    if _is_cut(main, head):
        main = fitted(head, width=width, largest=0.086 * side, smallest=0.048 * side, lines=3 if rest else 5, bold=True)
    below = fitted(rest, width=width, largest=0.05 * side, smallest=0.034 * side, lines=3)
    rule = (1 - MARGIN - SMALL_CAPS - 0.037) * side
    below_top = rule - 0.026 * side - below.height
    top = below_top - main.height - (0.018 * side if rest else 0.0)
    return Heading(main, below, top, below_top, rule)


def _is_cut(block: Block, text: str) -> bool:
    return " ".join(block.lines) != text


def _figure(number: int, heading_top: float, side: int, colour: Rgb) -> Layer:
    """The number, as tall as the room between the show's name and the title allows."""
    top, bottom = 0.135 * side, heading_top - 0.055 * side
    size = max(0.1 * side, min(bottom - top, 0.31 * side)) / 0.74
    size *= min(1.0, 0.58 * side / _length(str(number), size, BOLD))
    mask = _set([(str(number), (0.2 * size, 0.0))], size, colour, BOLD).mask
    return Layer(colour, mask, round(MARGIN * side), round((top + bottom - mask.height) / 2))


def _words(heading: Heading, colours: Palette, side: int, *, series: str, show: str) -> list[Layer]:
    """All the type but the number, and the rule."""
    from PIL import Image

    left, top = round(MARGIN * side), round(heading.rule)
    rule = Image.new("L", (round(0.11 * side), 1 + round(max(1, 0.0045 * side))), 255)
    return [
        _small_caps(show, 0.092 * side, side, colours.ink),
        _block(heading.main, heading.top, side, colours.ink, BOLD),
        _block(heading.below, heading.below_top, side, _mix(colours.ink, colours.accent, 0.35), 0.0),
        Layer(colours.spark, rule, left, top),
        _small_caps(series, (1 - MARGIN) * side, side, colours.accent),
    ]


def _block(block: Block, top: float, side: int, colour: Rgb, stroke: float) -> Layer:
    step = block.size * LEADING
    lines = [(line, (MARGIN * side, top + (row + 0.86) * step)) for row, line in enumerate(block.lines)]
    return _set(lines, block.size, colour, stroke)


def _set(lines: Sequence[tuple[str, Point]], size: float, colour: Rgb, stroke: float, tracking: float | None = None) -> Layer:
    """Lines, each from the start of its baseline, glyph by glyph: as long as ``_length`` says."""
    from PIL import Image, ImageDraw

    baselines = [start[1] for _, start in lines] or [0.0]
    top, bottom = math.floor(min(baselines) - 1.3 * size), math.ceil(max(baselines) + 0.7 * size)
    right = math.ceil(max((start[0] + _length(text, size, stroke, tracking) for text, start in lines), default=0.0) + size)
    mask = Image.new("L", (right, bottom - top), 0)
    draw = ImageDraw.Draw(mask)
    font, extra = _font(round(size)), (TRACKING * stroke if tracking is None else tracking) * size
    for text, (x, baseline) in lines:
        place = x + stroke * size / 2
        for character in text:
            if character != " ":
                draw.text((place, baseline - top), character, fill=255, font=font, anchor="ls", stroke_width=round(stroke * size))
            place += _advance(character) * round(size) + extra
    ink = mask.getbbox() or (0, 0, 1, 1)
    return Layer(colour, mask.crop(ink), ink[0], top + ink[1])


SMALL_CAPS = 0.0275
"""Size of the show's and the series' name, as a fraction of the side."""
LETTER_SPACE = 0.16


def _small_caps(text: str, baseline: float, side: int, colour: Rgb) -> Layer:
    """One line of letter-spaced capitals; smaller when it would not fit, and cut when it would be too small to read."""
    width, size = (1 - 2 * MARGIN) * side, SMALL_CAPS * side
    text = text.upper()

    def length(size: float) -> float:
        return _length(text, size, 0.0, LETTER_SPACE)

    while length(size) > width and size > 0.75 * SMALL_CAPS * side:
        size *= 0.97
    while length(size) > width:
        text = f"{text[:-2].rstrip()}\u2026"
    return _set([(text, (MARGIN * side, baseline))], size, colour, 0.012, LETTER_SPACE)


def _band(text: str, colours: Palette, side: int) -> list[Layer]:
    """A band across the upper right corner: nobody shall take a rehearsal for the episode."""
    from PIL import Image, ImageDraw

    band = Image.new("L", (round(0.62 * side), round(0.062 * side)), 255)
    words = Image.new("L", band.size, 0)
    size = round(0.031 * side)
    middle = (words.width / 2, words.height / 2)
    ImageDraw.Draw(words).text(middle, text, fill=255, font=_font(size), anchor="mm", stroke_width=round(0.02 * size))
    layers = []
    for colour, mask in ((colours.spark, band), (colours.ground, words)):
        turned = mask.rotate(-45, Image.Resampling.BICUBIC, expand=True)
        layers.append(Layer(colour, turned, round(0.845 * side) - turned.width // 2, round(0.155 * side) - turned.height // 2))
    return layers


# -- files -----------------------------------------------------------------------------------------------------------------------


def fit_cover(data: bytes, *, side: int, max_bytes: int) -> bytes:
    """The producer's own artwork as a square RGB JPEG of ``side`` pixels and at most ``max_bytes``. Raises ArtworkError as ``fit_covers`` does."""
    return fit_covers(data, [(side, max_bytes)])[0]


def fit_covers(data: bytes, sizes: Sequence[tuple[int, int]]) -> list[bytes]:
    """The producer's own artwork as square RGB JPEGs, one for each of some sides in pixels, with the most bytes it may have.

    Takes any still picture that Pillow reads; palette, grey, CMYK and 16-bit ones are converted, transparency is laid on white, an embedded
    colour profile is applied, and metadata is dropped. Raises ArtworkError when it is no picture, not square within 1 px, under
    1400 px, or cannot be made that small.
    """
    import warnings

    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            # Pillow warns of large pictures on stderr; ours are refused by name just below, before a pixel is decoded.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            opened = Image.open(io.BytesIO(data))
        with opened:
            _check_shape(opened.size)
            opened.load()
            ImageOps.exif_transpose(opened, in_place=True)
            picture = _as_rgb(opened)
    except ArtworkError:
        raise
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        # Of a file that it does not know at all, Pillow only says where in memory it is.
        why = "" if isinstance(error, UnidentifiedImageError) else f" ({error})"
        raise ArtworkError(f"is not a picture that can be read{why}") from error
    return [_jpeg(_resized(picture, side), max_bytes) for side, max_bytes in sizes]


def check_shape(path: Path) -> None:
    """Raises ArtworkError as ``fit_covers`` does, as far as the head of the file tells: no pixel is decoded. Raises OSError too."""
    import warnings

    from PIL import Image, UnidentifiedImageError

    with path.open("rb") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        try:
            with Image.open(file) as picture:
                _check_shape(picture.size)
        except ArtworkError:
            raise
        except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            raise ArtworkError("is not a picture that can be read") from error


def measured(data: bytes) -> tuple[int, int, str]:
    """Width and height in pixels, and the mode (RGB, CMYK, ...), of a JPEG or PNG. Raises ArtworkError for anything else."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as picture:
            return *picture.size, picture.mode
    except (UnidentifiedImageError, OSError, ValueError) as error:
        raise ArtworkError("is neither JPEG nor PNG") from error


def _resized(picture: Image.Image, side: int) -> Image.Image:
    from PIL import Image

    if picture.size == (side, side):
        return picture
    # What is twice as wide or more is averaged to less first, which takes half the time.
    return picture.resize((side, side), Image.Resampling.LANCZOS, reducing_gap=1.0)


def _check_shape(size: tuple[int, int]) -> None:
    width, height = size
    if abs(width - height) > 1:
        raise ArtworkError(f"is {width} x {height} pixels, and must be square")
    if min(size) < MIN_SIDE:
        raise ArtworkError(f"is {width} x {height} pixels, and must be at least {MIN_SIDE} x {MIN_SIDE}")
    if width * height > MAX_PIXELS:
        raise ArtworkError(f"is {width} x {height} pixels; {math.isqrt(MAX_PIXELS)} x {math.isqrt(MAX_PIXELS)} are the most")


def _as_rgb(picture: Image.Image) -> Image.Image:
    from PIL import Image

    profile = picture.info.get("icc_profile")
    if picture.mode.startswith("I"):
        picture = picture.convert("I").point(lambda value: value * (1 / 257)).convert("L")
    if picture.has_transparency_data:
        layer = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
    if profile and picture.mode in ("RGB", "CMYK"):
        picture = _in_srgb(picture, profile)
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _in_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    """Colours as the profile means them; a broken profile is ignored, as every viewer does."""
    from PIL import ImageCms

    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):
        return picture
    return converted or picture


def _jpeg(picture: Image.Image, max_bytes: int) -> bytes:
    """At the best quality if that fits ``max_bytes``, else at one that uses 94 % of them where there is one; no metadata of a source."""
    picture.info = {}
    best, fits, fails, quality = b"", BOTTOM_QUALITY - 1, TOP_QUALITY + 1, TOP_QUALITY
    while fits + 1 < fails and len(best) < 0.94 * max_bytes:
        data = _encoded(picture, quality)
        if len(data) <= max_bytes:
            best, fits = data, quality
        else:
            fails = quality
        quality = min(max(fits + 1, _quality_for(0.97 * max_bytes / len(data), quality)), fails - 1)
    if not best:
        raise ArtworkError(f"does not fit in {max_bytes} bytes as a JPEG of {picture.width} pixels")
    return best


def _quality_for(share: float, quality: int) -> int:
    """The quality at which a JPEG may be expected to have that share of the bytes it has at ``quality``.

    Quality stands for a factor of the quantiser's steps (IJG: 200 % less 2 % for each point from 50 on, 5000 % over it below). For most pictures
    bytes go with the power -0.4 of the steps where these are small, and -0.8 where they are large.
    """
    steps: float = (200 - 2 * quality if quality >= 50 else 5000 / quality) * share ** (-1 / 0.6)
    return int((200 - steps) / 2 if steps <= 100 else 5000 / steps)


def _encoded(picture: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    # Huffman tables of its own save an eighth of a picture's bytes, for twice the time and 27 MB more at 3000 px: for those that need it.
    picture.save(out, "JPEG", quality=quality, subsampling=2, optimize=quality < OPTIMISED_BELOW, progressive=False)
    return out.getvalue()
