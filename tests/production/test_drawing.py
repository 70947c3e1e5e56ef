"""A drawing is the same picture as SVG and as PNG; nothing in it is markup, and the same drawing is the same bytes."""

from __future__ import annotations

import io

import pytest
from lxml import etree
from PIL import Image

from production.artwork import contrast
from production.pages import painting
from production.pages.drawing import THEMES, Area, Box, Drawing, Photo, Stroke, Words, classes, svg, text, variables

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "<script>alert(1)</script> \" ' & ]]> النظم 👩‍💻"


def rgb(name: str, dark: bool = True) -> tuple[int, int, int]:
    colour = THEMES[name][dark]
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def jpeg(colour: str, side: int = 40) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (side, side), colour).save(file, "JPEG")
    return file.getvalue()


SHEET = Drawing(
    200,
    100,
    (
        Box(10, 10, 40, 20, "wave"),
        Box(60, 10, 20, 20, "error", 10, "a note"),
        Stroke(((0, 50), (200, 50)), "target", 4),
        Stroke(((0, 60), (200, 60)), "short", 4, (10, 10)),
        Area(((100, 70), (140, 70), (120, 90)), "music"),
        Words(10, 90, "MMMM", 14, "ink", bold=True),
        Photo(150, 10, 20, jpeg("#ff0000")),
    ),
)


def pixels(drawing: Drawing, *, dark: bool = True) -> Image.Image:
    return Image.open(io.BytesIO(painting.png(drawing, dark=dark))).convert("RGB")


@pytest.mark.parametrize("dark", [True, False])
def test_a_png_has_each_shape_at_its_place_in_its_colour(dark: bool) -> None:
    found = pixels(SHEET, dark=dark)
    assert found.size == (200, 100)
    wanted = {
        (10, 10): "wave",
        (49, 29): "wave",
        (50, 30): "ground",
        (70, 20): "error",
        (60, 10): "ground",
        (100, 50): "target",
        (105, 60): "short",
        (115, 60): "ground",
        (120, 75): "music",
        (105, 88): "ground",
    }
    for place, name in wanted.items():
        assert found.getpixel(place) == pytest.approx(rgb(name, dark), abs=6), f"{name} at {place}"
    assert found.getpixel((160, 20)) == pytest.approx((254, 0, 0), abs=12)
    words = found.crop((10, 78, 60, 92))
    assert rgb("ink", dark) in [colour for _, colour in words.getcolors(1000) or ()]


def test_an_svg_has_the_same_shapes_in_the_same_places() -> None:
    root = etree.fromstring(svg(SHEET, 'what "it" shows', "wide"))
    assert root.get("viewBox") == "0 0 200 100"
    assert (root.get("role"), root.get("aria-label"), root.get("class")) == ("img", 'what "it" shows', "wide")
    assert [one.tag.removeprefix(SVG) for one in root] == ["rect", "rect", "polyline", "polyline", "polygon", "text", "image"]
    box, disc, line, dashes, area, words, photo = root
    assert dict(box.attrib) == {"class": "f-wave", "x": "10", "y": "10", "width": "40", "height": "20"}
    assert disc.get("rx") == "10"
    assert disc.findtext(f"{SVG}title") == "a note"
    assert (line.get("class"), line.get("points"), dashes.get("stroke-dasharray")) == ("s-target", "0,50 200,50", "10 10")
    assert (area.get("points"), words.text, words.get("font-weight")) == ("100,70 140,70 120,90", "MMMM", "600")
    assert (photo.get("href") or "").startswith("data:image/jpeg;base64,")


def test_words_are_never_markup() -> None:
    drawing = Drawing(100, 20, (Words(0, 10, HOSTILE, 12), Box(0, 0, 5, 5, "note", 0, HOSTILE)))
    root = etree.fromstring(svg(drawing, HOSTILE))
    assert root[0].text == HOSTILE
    assert text("a\x00\x07\x9f\ud800b <i>") == "ab &lt;i&gt;"
    assert root[1].findtext(f"{SVG}title") == HOSTILE
    assert root.get("aria-label") == HOSTILE
    # and what the type has no glyphs for does no harm
    assert painting.png(drawing)


def test_the_same_drawing_is_the_same_bytes() -> None:
    assert painting.png(SHEET) == painting.png(SHEET)
    assert svg(SHEET, "x") == svg(SHEET, "x")
    assert painting.png(SHEET) != painting.png(SHEET, dark=False)


def test_a_part_of_a_larger_sheet_moves_as_a_whole() -> None:
    moved = Drawing(300, 200, tuple(SHEET.at(37, 41)))
    assert pixels(moved).crop((37, 41, 237, 141)).tobytes() == pixels(Drawing(200, 100, SHEET.shapes)).tobytes()


def test_every_colour_has_its_variable_and_its_classes() -> None:
    for name, tones in THEMES.items():
        assert f"--{name}:{tones[0]};" in variables(dark=False)
        assert f"--{name}:{tones[1]};" in variables(dark=True)
        assert f".f-{name}{{fill:var(--{name})}}" in classes()


@pytest.mark.parametrize("dark", [True, False])
def test_words_can_be_read_on_what_they_stand_on(dark: bool) -> None:
    for ground in ("ground", "panel", "tint"):
        assert contrast(rgb("ink", dark), rgb(ground, dark)) > 12
        for name in ("muted", "target", "error", "warning", "note", "wave"):
            assert contrast(rgb(name, dark), rgb(ground, dark)) > 4.5, f"{name} on {ground}"
    for name in ("wave", "other", "error", "warning", "note"):
        assert contrast(rgb("ground", dark), rgb(name, dark)) > 4.5, f"ground on {name}"


def test_words_are_cut_to_the_room_there_is() -> None:
    long = "Event-Driven Architecture, and what comes of it"
    assert painting.fitting(long, 13, 1000) == long
    cut = painting.fitting(long, 13, 120)
    assert cut.endswith("…")
    assert long.startswith(cut[:-1])
    assert painting.width(cut, 13) <= 120 < painting.width(cut[:-1] + "Archi", 13)
    assert painting.fitting(long, 13, 8) == ""
    assert painting.width("abc", 26) == pytest.approx(2 * painting.width("abc", 13))


def test_a_thumbnail_is_small_and_what_is_no_picture_is_refused() -> None:
    small = Image.open(io.BytesIO(painting.thumbnail(jpeg("#305070", 1400), 224)))
    assert small.size == (224, 224)
    assert small.getpixel((100, 100)) == pytest.approx((0x30, 0x50, 0x70), abs=4)
    with pytest.raises(OSError, match="cannot identify"):
        painting.thumbnail(b"no picture", 224)
