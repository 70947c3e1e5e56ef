"""Covers: what the directories ask of them, and that they can be read."""

from __future__ import annotations

import io
import math
import subprocess
import sys
from itertools import pairwise

import pytest
from PIL import Image, ImageCms, ImageDraw

from production import artwork
from production.artwork import ArtworkError, draw_cover, fit_cover, fit_covers
from tests.conftest import ROOT

LONG = "Spotify's Music Streaming Architecture - 65 Million Songs, ML Personalization, and the Magic of Music at Scale"
WORDS = {"series": "Architecture Deep Dives", "show": "Distributed Systems Podcast", "colour": "#3d2c6b"}


def opened(data: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(data))
    picture.load()
    return picture


def encoded(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


@pytest.mark.parametrize(("side", "most"), [(1400, 180_000), (3000, 500_000)])
def test_a_cover_is_a_plain_square_jpeg_within_its_limit(side: int, most: int) -> None:
    data = draw_cover(number=32, title=LONG, side=side, scratch=True, **WORDS)
    picture = opened(data)
    assert (picture.format, picture.mode, picture.size) == ("JPEG", "RGB", (side, side))
    assert len(data) <= most
    assert not picture.getexif()
    assert not {"exif", "icc_profile", "comment", "progressive"} & set(picture.info)


def test_the_same_arguments_give_the_same_bytes_and_each_argument_shows() -> None:
    asked = {"number": 7, "title": "Speed", "side": 300, **WORDS}
    cover = draw_cover(**asked)
    assert draw_cover(**asked) == cover
    for change in (
        {"number": 8},
        {"number": None},
        {"title": "Sped"},
        {"series": "X"},
        {"show": "X"},
        {"colour": "#123456"},
        {"scratch": True},
    ):
        assert draw_cover(**(asked | change)) != cover, change


@pytest.mark.parametrize("number", [14, None])
def test_a_cover_painted_in_strips_has_no_seams(number: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    # the heights divide neither the side nor the steps at which what is soft is kept
    covers = set()
    for rows in (artwork.STRIP, 99, 10_000):
        monkeypatch.setattr(artwork, "STRIP", rows)
        covers.add(draw_cover(number=number, title=LONG, side=701, scratch=True, **WORDS))
    assert len(covers) == 1


def test_the_same_words_stand_in_the_same_places_at_every_side() -> None:
    def ink(side: int) -> tuple[float, ...]:
        picture = opened(draw_cover(number=14, title=LONG, side=side, **WORDS)).convert("L")
        box = picture.crop((0, side // 2, side, side * 85 // 100)).point([0] * 225 + [255] * 31).getbbox()
        assert box
        return tuple(edge / side for edge in box)

    assert ink(3000) == pytest.approx(ink(1400), abs=0.003)


@pytest.mark.process
def test_pillow_is_not_loaded_before_there_is_something_to_draw() -> None:
    code = "import sys; from production import artwork, sheets; artwork.palette('#123456'); sys.exit('PIL' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


@pytest.mark.parametrize(
    "title",
    [
        "",
        " ",
        "\U0001f680",
        "\u65e5\u672c",
        "W" * 200,
        "word " * 60,
        'The "$100 Billion" Q&A - and \\n <b>100%</b>',
        "- : -",
        "a - ",
        "\x00\ud800x",
    ],
)
def test_no_title_is_too_odd_to_draw(title: str) -> None:
    assert opened(draw_cover(number=1234, title=title, side=200, **WORDS)).size == (200, 200)


@pytest.mark.parametrize("colour", ["#000000", "#ffffff", "#ffff00", "#00ff00", "#0000ff", "#ff0000", "#808080", "#1f4e79", "#010203", "#FEFEFE"])
def test_type_stands_out_on_every_colour(colour: str) -> None:
    colours = artwork.palette(colour)
    for ground in (colours.ground, colours.glow):
        assert artwork.contrast(colours.ink, ground) >= 7
        assert artwork.contrast(colours.accent, ground) >= 4.5
        assert artwork.contrast(colours.spark, ground) >= 4.5


def test_contrast_is_the_one_of_the_web_guidelines() -> None:
    assert artwork.contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21.0)
    assert artwork.contrast((119, 119, 119), (255, 255, 255)) == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("text", [LONG.split(" - ")[1], "A", "Internationalisation " * 4, "x" * 90])
@pytest.mark.parametrize("width", [600, 1200])
def test_set_lines_stay_within_their_column_and_lose_no_word(text: str, width: int) -> None:
    block = artwork.fitted(text, width=width, largest=120, smallest=24, lines=4, bold=True)
    assert len(block.lines) <= 4
    assert all(artwork._length(line, block.size, artwork.BOLD) <= width for line in block.lines)
    assert "".join(block.lines).replace(" ", "") == text.replace(" ", "")


def test_what_cannot_fit_ends_with_an_ellipsis_within_the_column() -> None:
    block = artwork.fitted("consensus " * 50, width=500, largest=80, smallest=40, lines=3)
    assert len(block.lines) == 3
    assert block.lines[-1].endswith("\u2026")
    assert artwork._length(block.lines[-1], block.size, 0.0) <= 500


@pytest.mark.parametrize(
    ("title", "parts"),
    [
        (LONG, ("Spotify's Music Streaming Architecture", "65 Million Songs, ML Personalization, and the Magic of Music at Scale")),
        ("Event-Driven Architecture Mastery", ("Event-Driven Architecture Mastery", "")),
        ("Cold Open: The Bug", ("Cold Open", "The Bug")),
        ("At 12:30", ("At 12:30", "")),
    ],
)
def test_a_title_is_split_where_a_reader_breathes(title: str, parts: tuple[str, str]) -> None:
    assert artwork.headline_and_rest(title) == parts


def test_only_glyphs_of_the_font_are_set() -> None:
    assert artwork.setable('"It\'s" caf\u00e9 \U0001f680 \u2014 $5 & more') == "\u201cIt\u2019s\u201d cafe - $5 & more"


@pytest.mark.parametrize("number", range(1, 36))
def test_every_episodes_graph_hangs_together_and_carries_a_message(number: int) -> None:
    shape = artwork.graph(number)
    assert artwork.graph(number) == shape
    reached = {0}
    while grown := {j for a, b in shape.links for i, j in ((a, b), (b, a)) if i in reached} - reached:
        reached |= grown
    assert reached == set(range(len(shape.nodes)))
    way = artwork.route(shape.nodes, shape.links, (-0.6, -0.6, 0.8, 0.8))
    assert len(way) >= 3
    assert all((a, b) in shape.links or (b, a) in shape.links for a, b in pairwise(way))


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "L", "LA", "CMYK", "I;16", "1"])
def test_artwork_of_every_mode_becomes_rgb(mode: str) -> None:
    source = Image.new("I;16", (1400, 1400), 65_535) if mode == "I;16" else Image.new("RGB", (1400, 1400), "white").convert(mode)
    picture = opened(fit_cover(encoded(source, "TIFF" if mode == "CMYK" else "PNG"), side=1400, max_bytes=180_000))
    assert (picture.format, picture.mode, picture.size) == ("JPEG", "RGB", (1400, 1400))
    assert min(low for low, _ in picture.getextrema()) >= 250


def test_transparency_is_laid_on_white() -> None:
    source = encoded(Image.new("RGBA", (1400, 1400), (200, 0, 0, 0)))
    assert opened(fit_cover(source, side=100, max_bytes=180_000)).getpixel((50, 50)) == (255, 255, 255)


def test_metadata_of_a_file_does_not_come_along() -> None:
    exif = Image.Exif()
    exif[0x010E] = "a secret"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    source = encoded(Image.new("RGB", (1401, 1400), "navy"), "JPEG", exif=exif, comment=b"secret", icc_profile=profile)
    result = fit_cover(source, side=1400, max_bytes=180_000)
    assert b"secret" not in result
    assert not {"exif", "icc_profile", "comment"} & set(opened(result).info)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "not a picture"),
        (b"\x89PNG\r\n\x1a\nbroken", "not a picture"),
        (encoded(Image.new("RGB", (1500, 1400)))[:400], "not a picture|square"),
        (encoded(Image.new("RGB", (1402, 1400))), "1402 x 1400 pixels, and must be square"),
        (encoded(Image.new("RGB", (1399, 1399))), "at least 1400 x 1400"),
        (encoded(Image.new("1", (9_600, 9_600))), "9000 x 9000 are the most"),
    ],
)
def test_artwork_that_cannot_be_a_cover_is_refused_with_the_reason(data: bytes, why: str) -> None:
    with pytest.raises(ArtworkError, match=why):
        fit_cover(data, side=1400, max_bytes=180_000)


def test_quality_gives_way_until_the_file_fits_and_no_further() -> None:
    noise = encoded(Image.effect_noise((1400, 1400), 60), compress_level=1)
    loose, tight = (len(fit_cover(noise, side=700, max_bytes=most)) for most in (10_000_000, 150_000))
    assert tight <= 150_000 < loose
    with pytest.raises(ArtworkError, match="does not fit in 1000 bytes"):
        fit_cover(noise, side=700, max_bytes=1000)


def test_a_file_that_has_to_give_way_uses_what_it_may() -> None:
    flat = ImageDraw.Draw(picture := Image.effect_noise((1400, 1400), 40).convert("RGB"))
    flat.rectangle((0, 0, 1400, 900), fill="navy")
    source = encoded(picture, compress_level=1)
    whole = len(fit_cover(source, side=1400, max_bytes=10_000_000))
    for share in (0.95, 0.8, 0.6, 0.5):
        assert 0.94 * share * whole < len(fit_cover(source, side=1400, max_bytes=int(share * whole))) <= share * whole


def test_what_fits_only_at_the_lowest_quality_is_taken() -> None:
    noise = Image.effect_noise((1400, 1400), 60).convert("RGB")
    least = artwork._encoded(noise, artwork.BOTTOM_QUALITY)
    assert fit_cover(encoded(noise, compress_level=1), side=1400, max_bytes=len(least)) == least


def test_each_size_of_a_file_is_what_it_is_alone() -> None:
    source = encoded(Image.effect_noise((2900, 2900), 60).convert("RGB"), "JPEG", quality=50)
    sizes = [(1400, 2_000_000), (3000, 8_000_000), (300, 20_000)]
    assert fit_covers(source, sizes) == [fit_cover(source, side=side, max_bytes=most) for side, most in sizes]


def test_a_file_is_turned_as_its_camera_said() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = Image.new("RGB", (1400, 1400), "black")
    picture.paste("white", (0, 0, 700, 700))
    turned = opened(fit_cover(encoded(picture, "JPEG", exif=exif), side=1400, max_bytes=180_000))
    assert [turned.getpixel(place) for place in ((350, 350), (1050, 350))] == [(0, 0, 0), (255, 255, 255)]


def test_a_message_takes_the_fewest_links_and_stays_in_its_window() -> None:
    places = [(0.0, 0.0), (0.5, 0.1), (1.0, 1.0), (0.1, 0.6), (0.2, 0.9), (3.0, 3.0)]
    links = [(0, 1), (1, 2), (0, 3), (3, 4), (2, 4), (2, 5)]
    assert artwork.route(places, links, (0, 0, 1, 1)) == (0, 1, 2)
    assert artwork.route(places, links, (7, 7, 8, 8)) == ()
    assert math.dist(places[0], places[2]) > math.dist(places[0], places[4])
