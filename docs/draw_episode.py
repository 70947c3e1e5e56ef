"""Draw what came out of a build as one picture: cover, waveform by chapter, loudness, and the figures that were measured.

`python docs/draw_episode.py build/episode-14 docs/episode-14.png`

Everything in it is read from the build: the finished file is decoded once, streaming, and the words and figures are those of report.json.
"""

from __future__ import annotations

import io
import json
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from audio import ffmpeg
from audio.units import RATE
from production.artwork import Palette, palette, setable

Floats = NDArray[np.float64]
Rgb = tuple[int, int, int]
Ink = Rgb | tuple[int, int, int, int]

WIDTH, HEIGHT = 1600, 620
FINE = 2
"""Drawn at this many times the size and reduced: Pillow draws edges without anti-aliasing."""
MARGIN = 40
COVER = 420
LEFT, RIGHT = 548, WIDTH - MARGIN
COLUMNS = (RIGHT - LEFT) * FINE
WAVE = (168, 290)
METER = (386, 492)
ABOVE, BELOW = 5.0, 17.0
"""How far the loudness scale reaches over and under the target, in LU."""
SMALL, NORMAL, LARGE, TITLE = 18, 19, 29, 42
COLOURS = 240
"""Palette entries of the picture; those left of 256 are its ground, more and more opaque, for round corners on any page."""
CORNER = 24


# -- what is read ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sound:
    """Of each column: the highest absolute sample (1.0 is full scale), the highest momentary and the mean short-term loudness (LUFS)."""

    peak: Floats
    momentary: Floats
    short_term: Floats


def listen(path: Path, samples: int, channels: int) -> Sound:
    """Decode a finished episode of ``samples`` at 48 kHz once. Raises FfmpegFailed."""
    unwanted = ",".join(f"ametadata=mode=delete:key=lavfi.r128.{key}" for key in ("I", "LRA", "LRA.low", "LRA.high"))
    meter = f"ebur128=metadata=1:framelog=verbose,{unwanted},ametadata=mode=print:file=pipe\\\\:{ffmpeg.METADATA_FD}"
    graph = f"[0:a:0]asplit[a][b];[a]{meter}[loudness];[b]aformat=sample_fmts=flt[samples]"
    quiet = ["-hide_banner", "-nostdin", "-loglevel", "error"]
    outputs = ["-map", "[loudness]", "-f", "null", "-", "-map", "[samples]", "-f", "f32le", "pipe:1"]
    peak = np.zeros(COLUMNS)
    done, rest = 0, b""
    with ffmpeg.Process([ffmpeg.find(), *quiet, "-i", ffmpeg.url(path), "-filter_complex", graph, *outputs], metadata=True) as process:
        for block in process.blocks():
            data = rest + block
            whole = len(data) // (4 * channels) * 4 * channels
            rest = data[whole:]
            heights = np.abs(np.frombuffer(data[:whole], "<f4").reshape(-1, channels)).max(axis=1)
            places = np.minimum((done + np.arange(len(heights))) * COLUMNS // samples, COLUMNS - 1)
            np.maximum.at(peak, places, heights)
            done += len(heights)
        process.finish()
        text = process.text()
    return Sound(peak, _by_column(text, b"M", np.maximum), _by_column(text, b"S", np.add))


def _by_column(text: bytes, key: bytes, fold: np.ufunc) -> Floats:
    """Meter readings, one every 100 ms, brought to one value for each column: their maximum, or their mean when they are added."""
    marker = b"lavfi.r128." + key + b"="
    readings = np.array([float(line[len(marker) :]) for line in text.splitlines() if line.startswith(marker)])
    readings = np.nan_to_num(readings, nan=-120.0, neginf=-120.0).clip(-120.0)
    first = np.arange(COLUMNS) * len(readings) // COLUMNS
    folded: Floats = fold.reduceat(readings, first)
    return folded / np.maximum(np.diff(first, append=len(readings)), 1) if fold is np.add else folded


# -- colours and type ------------------------------------------------------------------------------------------------------------


def colours_of(cover: Image.Image) -> Palette:
    """The palette of the cover's commonest colour, so that the picture and the cover belong together."""
    pixels = np.asarray(cover.convert("RGB").resize((64, 64))).reshape(-1, 3)
    red, green, blue = (int(v) for v in np.median(pixels, axis=0))
    return palette(f"#{red:02x}{green:02x}{blue:02x}")


def wheel(count: int, start: float) -> list[Rgb]:
    """``count`` colours that are equally light and equally strong (Oklch), from hue ``start`` in degrees on."""
    return [_oklch(0.80, 0.125, math.radians(start + 300 * i / max(count, 1))) for i in range(count)]


def _oklch(light: float, chroma: float, hue: float) -> Rgb:
    a, b = chroma * math.cos(hue), chroma * math.sin(hue)
    long, medium, short = (
        (light + 0.3963377774 * a + 0.2158037573 * b) ** 3,
        (light - 0.1055613458 * a - 0.0638541728 * b) ** 3,
        (light - 0.0894841775 * a - 1.2914855480 * b) ** 3,
    )
    return (
        _display(4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short),
        _display(-1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short),
        _display(-0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short),
    )


def _display(linear: float) -> int:
    shown = 12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055
    return round(255 * min(max(shown, 0.0), 1.0))


@lru_cache(maxsize=16)
def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size * FINE)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font


class Sheet:
    """A canvas in the picture's own pixels, drawn finer than it will be."""

    def __init__(self, ground: Rgb) -> None:
        self.image = Image.new("RGB", (WIDTH * FINE, HEIGHT * FINE), ground)
        self._draw = ImageDraw.Draw(self.image, "RGBA")

    def text(self, at: tuple[float, float], words: str, size: int, fill: Ink, *, anchor: str = "ls", bold: bool = False) -> float:
        """Set ``words``, and give their width."""
        place = (at[0] * FINE, at[1] * FINE)
        self._draw.text(place, words, fill=fill, font=_font(size), anchor=anchor, stroke_width=round(0.022 * size * FINE) if bold else 0)
        return width(words, size)

    def box(self, left: float, top: float, right: float, bottom: float, fill: Ink, radius: float = 0) -> None:
        edges = (left * FINE, top * FINE, right * FINE - 1, bottom * FINE - 1)
        self._draw.rounded_rectangle(edges, radius * FINE, fill=fill)

    def column(self, column: int, top: float, bottom: float, fill: Ink) -> None:
        x = LEFT * FINE + column
        self._draw.line((x, round(top * FINE), x, round(bottom * FINE)), fill=fill)

    def curve(self, ys: Floats, first: int, fill: Ink, thickness: float) -> None:
        points = [(LEFT * FINE + first + i, y * FINE) for i, y in enumerate(ys.tolist())]
        self._draw.line(points, fill=fill, width=round(thickness * FINE), joint="curve")

    def dashes(self, y: float, fill: Ink) -> None:
        for x in range(LEFT, RIGHT, 12):
            self.box(x, y - 1, min(x + 7, RIGHT), y + 1, fill)

    def paste(self, picture: Image.Image, left: int, top: int, radius: int) -> None:
        picture = picture.convert("RGB").resize((COVER * FINE, COVER * FINE), Image.Resampling.LANCZOS)
        self.image.paste(picture, (left * FINE, top * FINE), rounded(picture.size, radius * FINE))

    def reduced(self) -> Image.Image:
        return self.image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)


def rounded(size: tuple[int, int], radius: int) -> Image.Image:
    """A mask with round corners, smooth."""
    mask = Image.new("L", (size[0] * 4, size[1] * 4), 0)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, size[0] * 4 - 1, size[1] * 4 - 1), radius * 4, fill=255)
    return mask.resize(size, Image.Resampling.BOX)


def width(words: str, size: int) -> float:
    return float(_font(size).getlength(words)) / FINE


def elided(words: str, size: int, room: float) -> str:
    """``words``, or as many of them as fit into ``room`` pixels and an ellipsis; nothing when not even a few letters do."""
    if width(words, size) <= room:
        return words
    kept = words
    while kept and width(f"{kept}…", size) > room:
        kept = kept[:-1].rstrip(" ,:;-&")
    return f"{kept}…" if len(kept) > 2 else ""


def clock(seconds: float) -> str:
    hours, rest = divmod(int(seconds), 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


def thousands(number: int) -> str:
    return f"{number:,}".replace(",", " ")


def size_of(path: Path) -> str:
    count = float(path.stat().st_size)
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit != "MB" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


# -- the picture -----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Part:
    """A chapter in the picture: its columns [first, last), title, start in words, and colour."""

    first: int
    last: int
    title: str
    start: str
    colour: Rgb


class Picture:
    """One build, drawn."""

    def __init__(self, build: Path) -> None:
        self.build = build
        self.report: dict[str, Any] = json.loads((build / "report.json").read_text("utf-8"))
        self.cover = Image.open(io.BytesIO((build / "cover.jpg").read_bytes()))
        self.colours = colours_of(self.cover)
        self.audio = self.report["audio"]
        self.file = build / self.report["file"]["name"]
        self.parts = self._parts()
        self.sheet = Sheet(self.colours.ground)

    def _parts(self) -> list[Part]:
        chapters, samples = self.report["chapters"], self.audio["samples"]
        red, green, blue = (v / 255 for v in self.colours.spark)
        # hue of the brightest colour on the cover, on the axes of opponent colours: near enough to begin there
        start = math.degrees(math.atan2(0.5 * (red + green) - blue, red - green))
        edges = [chapter["start_samples"] * COLUMNS // samples for chapter in chapters] + [COLUMNS]
        return [
            Part(first, last, setable(chapter["title"]), clock(chapter["start_s"]), colour)
            for chapter, first, last, colour in zip(chapters, edges, edges[1:], wheel(len(chapters), start), strict=False)
        ]

    def faded(self, share: float) -> Rgb:
        """The ink, ``share`` of it, on the ground: type takes no transparency."""
        red, green, blue = (round(g + (i - g) * share) for i, g in zip(self.colours.ink, self.colours.ground, strict=True))
        return red, green, blue

    def draw(self) -> Image.Image:
        sound = listen(self.file, self.audio["samples"], self.audio["channels"])
        self.sheet.paste(self.cover, MARGIN, MARGIN, 14)
        self._files()
        self._heading()
        self._names()
        self._waveform(sound)
        self._loudness(sound)
        self._figures()
        return self.sheet.reduced()

    def _files(self) -> None:
        """What lies in the build folder, under the cover."""
        found = sorted(path for path in self.build.iterdir() if path.is_file() and not path.name.startswith("."))
        column = math.ceil(len(found) / 2)
        top, pitch = MARGIN + COVER + 44, 33
        widest = max(width(p.name, SMALL) + 9 + width(size_of(p), SMALL) for p in found[:column])
        right = MARGIN + COVER - max(width(p.name, SMALL) + 9 + width(size_of(p), SMALL) for p in found[column:])
        for i, path in enumerate(found):
            x = MARGIN if i < column else max(right, MARGIN + widest + 14)
            y = top + pitch * (i % column)
            x += self.sheet.text((x, y), path.name, SMALL, self.faded(0.86))
            self.sheet.text((x + 9, y), size_of(path), SMALL, self.faded(0.5))

    def _heading(self) -> None:
        kind = "scratch narration" if self.report["scratch"] else f"{self.audio['bitrate_kbps']} kb/s"
        label = f"{self.report['episode']}  ·  {kind}"
        self.sheet.text((RIGHT, 76), label, NORMAL, self.faded(0.6), anchor="rs")
        room = RIGHT - LEFT - width(label, NORMAL) - 30
        self.sheet.text((LEFT, 76), elided(setable(self.report["title"]), TITLE, room), TITLE, self.colours.ink, bold=True)

    def _names(self) -> None:
        """Titles by turns above and under the waveform: each has the room of two chapters."""
        for i, part in enumerate(self.parts):
            upper = i % 2 == 0
            x = LEFT + part.first / FINE
            ahead = self.parts[i + 2].first / FINE + LEFT if i + 2 < len(self.parts) else RIGHT + 6
            title, start = elided(part.title, NORMAL, ahead - x - 16), elided(part.start, NORMAL, ahead - x - 16)
            top = WAVE[0] - 54 if upper else WAVE[1]
            self.sheet.box(x, top, x + 2, top + 54, (*part.colour, 200))
            base = WAVE[0] - 38 if upper else WAVE[1] + 26
            self.sheet.text((x + 10, base), start, NORMAL, part.colour, bold=True)
            self.sheet.text((x + 10, base + 26), title, NORMAL, self.faded(0.92))

    def _waveform(self, sound: Sound) -> None:
        middle, half = sum(WAVE) / 2, (WAVE[1] - WAVE[0]) / 2
        scale = half * 0.94 / max(float(sound.peak.max()), 1e-9)
        for part in self.parts:
            left, right = LEFT + part.first / FINE, LEFT + part.last / FINE
            self.sheet.box(left, WAVE[0], right, WAVE[1], (*part.colour, 26))
            for column in range(part.first, part.last):
                height = max(float(sound.peak[column]) * scale, 0.5)
                self.sheet.column(column, middle - height, middle + height, part.colour)

    def _loudness(self, sound: Sound) -> None:
        target = float(self.report["requested"]["integrated_lufs"])
        top, bottom = METER

        def height(lufs: Floats) -> Floats:
            share = (target + ABOVE - lufs) / (ABOVE + BELOW)
            return np.clip(share, 0.0, 1.0) * (bottom - top) + top

        momentary, curve = height(sound.momentary), height(sound.short_term)
        for part in self.parts:
            for column in range(part.first, part.last):
                if momentary[column] < bottom:
                    self.sheet.column(column, float(momentary[column]), bottom, (*part.colour, 80))
        self.sheet.box(LEFT, bottom, RIGHT, bottom + 1, self.faded(0.35))
        caption = "loudness: momentary (fill), short-term (line), asked for (dashes)"
        self.sheet.text((LEFT, top - 9), caption, SMALL, self.faded(0.5))
        for lufs in (target, target - 10):
            y = float(height(np.array([lufs]))[0])
            if lufs == target:
                self.sheet.dashes(y, self.faded(0.95))
            else:
                self.sheet.box(LEFT, y, RIGHT, y + 1, (*self.colours.ink, 40))
            self.sheet.text((LEFT - 10, y), f"{lufs:g}", SMALL, self.faded(1.0 if lufs == target else 0.5), anchor="rm")
        self.sheet.text((LEFT - 10, top - 9), "LUFS", SMALL, self.faded(0.5), anchor="rs")
        for part in self.parts:
            self.sheet.curve(curve[part.first : part.last + 1], part.first, part.colour, 2)

    def _figures(self) -> None:
        measured, chapters = self.report["measured"], self.report["chapters"]
        offsets = [abs(chapter["found_offset_ms"]) for chapter in chapters if chapter["found_offset_ms"] is not None]
        found = f"{max(offsets):.2f} ms" if offsets else "not heard"
        seconds = self.audio["duration_s"]
        figures = (
            (f"{clock(seconds)}.{self.audio['samples'] % RATE * 1000 // RATE:03}", f"{thousands(self.audio['samples'])} samples"),
            (f"{measured['integrated_lufs']:.2f} LUFS", "integrated, decoded"),
            (f"{measured['true_peak_dbtp']:.2f} dBTP", "true peak, decoded"),
            (found, f"off its mark: the worst of {len(offsets)} chapters"),
        )
        self._spread(figures)

    def _spread(self, figures: Sequence[tuple[str, str]]) -> None:
        widths = [max(width(figure, LARGE), width(words, SMALL)) for figure, words in figures]
        gap = (RIGHT - LEFT - sum(widths)) / (len(figures) - 1)
        x = float(LEFT)
        for (figure, words), wide in zip(figures, widths, strict=True):
            self.sheet.text((x, 544), figure, LARGE, self.colours.spark, bold=True)
            self.sheet.text((x, 572), words, SMALL, self.faded(0.7))
            x += wide + gap


def packed(picture: Image.Image, ground: Rgb) -> bytes:
    """The picture as a PNG with a palette, a fraction of the size; its corners, which are ``ground``, are cut round."""
    small = picture.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, kmeans=3, dither=Image.Dither.NONE)
    steps = 256 - COLOURS
    opacity = np.asarray(rounded(picture.size, CORNER)).astype("u2") * steps // 255
    indices = np.where(opacity < steps, COLOURS + opacity, np.asarray(small)).astype("u1")
    entries = (small.getpalette() or [])[: COLOURS * 3]
    entries += [0] * (COLOURS * 3 - len(entries)) + [*ground] * steps
    result = Image.fromarray(indices)
    result.putpalette(entries)
    file = io.BytesIO()
    # not `optimize`, which numbers the palette anew and leaves the opacities where they were
    result.save(file, "PNG", compress_level=9, transparency=bytes([255] * COLOURS + [255 * step // steps for step in range(steps)]))
    return file.getvalue()


def main(arguments: Sequence[str]) -> int:
    if len(arguments) != 2:
        sys.stderr.write(f"{(__doc__ or '').splitlines()[2].strip('`')}\n")
        return 2
    build, target = map(Path, arguments)
    picture = Picture(build)
    target.write_bytes(packed(picture.draw(), picture.colours.ground))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
