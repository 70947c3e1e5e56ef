"""The report of an episode: everything that was measured is in it, nothing in it is fetched or acts, and equal input gives equal bytes."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from lxml import etree
from lxml import html as reader
from PIL import Image

from production.pages import charts, episode, facts, levels
from production.pages.drawing import Area, Box, Stroke, Words
from production.pages.painting import png, thumbnail
from production.pages.scales import Scale, clock, edges, folded, plain, signed, spans
from tests.production.reports import curves, finding, report
from tests.production.reports import episode as told
from tests.production.test_drawing import HOSTILE, jpeg, rgb


def parsed(data: bytes) -> Any:
    return reader.document_fromstring(data.decode("utf-8"))


def words(data: bytes) -> str:
    return " ".join(parsed(data).text_content().split())


# -- what is known ----------------------------------------------------------------------------------------------------------------


def test_what_a_section_is_comes_from_both_its_records() -> None:
    first, second, *_ = told().sections
    assert (first.number, first.title, first.start, first.begins, first.ends, first.planned) == (1, "Section 1", 0.0, 0.0, 480.0, 30.0)
    assert (second.before, second.after, second.gain, second.noise, second.peak, second.bright) == (-22.0, -16.2, 6.0, -54.0, -4.0, -22.0)
    assert second.chain == (
        "high-pass at 70 Hz",
        "sibilants lowered in 1.0% of it",
        "levelled and compressed, +2.0 to −3.0 dB",
        "limited at −2.5 dBFS",
    )
    assert [one.slug for one in told().voiced] == [f"section-{number}" for number in range(1, 6)]


def test_a_report_of_an_earlier_version_is_one_too() -> None:
    old = report()
    del old["measured"]["loudness_range_lu"]
    for one in old["segments"]:
        del one["brightness_db"]
    # of music there are no figures of a voice
    for name in ("speech_share", "noise_lufs", "chain", "levelled_db", "voice_over_music_db"):
        old["segments"][0].pop(name)
    found = facts.episode(old, curves(old["audio"]["duration_s"]))
    assert found.range == 0.0 or found.range
    assert found.sections[1].bright is None
    assert found.sections[0].noise is None
    assert len(found.voiced) == 4
    assert "–" in words(episode.page(found, None))


def test_findings_stand_in_the_order_of_the_programme() -> None:
    said = [finding(start_s=None, words="hum"), finding(start_s=900.0), finding("error", start_s=3.0), finding("of another kind", start_s=5.0)]
    assert [(one.severity, one.start) for one in told(findings=said).findings] == [
        ("error", 3.0),
        ("note", 5.0),
        ("warning", 900.0),
        ("warning", None),
    ]


# -- scales ---------------------------------------------------------------------------------------------------------------------------


def test_scales_and_figures() -> None:
    assert Scale(-30, -10, 100, 0)(-20) == 50
    assert Scale(-30, -10, 100, 0)(0) == 0
    assert Scale(0, 10, 5, 25).of(np.array([-1.0, 5.0, 11.0])).tolist() == [5, 15, 25]
    assert [clock(seconds) for seconds in (0, 59.99, 61, 3600, 10877.6)] == ["0:00", "0:59", "1:01", "1:00:00", "3:01:17"]
    assert (signed(1.25), signed(-3), signed(-0.01), signed(None), plain(-16.08, 2), plain(-0.04), plain(None)) == (
        "+1.2",
        "−3.0",
        "+0.0",
        "–",
        "−16.08",
        "0.0",
        "–",
    )


def test_a_curve_is_folded_without_an_empty_column() -> None:
    assert edges(5, 100) == [0, 1, 2, 3, 4, 5]
    assert edges(10, 3) == [0, 3, 6, 10]
    values = np.arange(10.0)
    assert folded(values, 3, np.maximum).tolist() == [2, 5, 9]
    assert folded(values, 3, np.minimum).tolist() == [0, 3, 6]
    assert folded(values, 3, np.add).tolist() == [1, 4, 7.5]
    assert folded(np.zeros(0), 3, np.maximum).tolist() == []
    assert spans(np.array([True, True, False, True])) == [(0, 2), (3, 4)]
    assert spans(np.zeros(3, dtype=bool)) == []


# -- charts ---------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wide", [400.0, 1120.0])
def test_nothing_is_drawn_outside_its_sheet(wide: float) -> None:
    over = [None, 25.0, 19.0] * 400
    said = report(title=HOSTILE, findings=[finding(), finding("error", start_s=8099.9, length_s=100.0)])
    said["segments"][1]["voice_over_music_db"] = {"asked": 20.0, "least": 19.0, "each_second": over}
    said["chapters"][2]["title"] = "A name that is far too long for any column of any chart " * 3
    one = facts.episode(said, curves(8100))
    drawings = [draw(one, wide) for draw in (charts.waveform, charts.loudness, levels.sections, charts.over_music)]
    for drawn in drawings:
        assert drawn is not None
        for shape in drawn.shapes:
            match shape:
                case Box():
                    points = ((shape.left, shape.top), (shape.left + shape.width, shape.top + shape.height))
                case Stroke() | Area():
                    points = shape.points  # type: ignore[assignment]
                case Words():
                    points = ((shape.left, shape.base), (shape.left, shape.base))
                case _:
                    pytest.fail(f"{shape}")
            assert all(-0.01 <= x <= wide + 6 and -0.01 <= y <= drawn.height + 0.01 for x, y in points), shape


def test_a_waveform_is_as_high_as_its_peaks_and_chapters_have_their_numbers() -> None:
    one = told()
    drawn = charts.waveform(one, 1120.0)
    soft = [shape for shape in drawn.shapes if isinstance(shape, Area) and shape.ink.endswith("-soft")]
    assert len(soft) == len(one.sections)
    middle = 26.0 + 140.0 / 2
    assert max(middle - y for shape in soft for _, y in shape.points) == pytest.approx(10 ** (-4 / 20) * 70, abs=0.1)
    numbers = [shape.text for shape in drawn.shapes if isinstance(shape, Words) and shape.bold and shape.base < 26]
    assert numbers == ["1", "2", "3", "4", "5"]
    texts = {shape.text for shape in drawn.shapes if isinstance(shape, Words)}
    assert {"Section 1", "Section 5", "8:00"} <= texts


def test_chapters_of_a_few_seconds_do_not_write_over_each_other() -> None:
    drawn = charts.waveform(told(minutes=(30.0, *[0.1] * 12, 30.0)), 400.0)
    tags = sorted((shape.left, shape.width) for shape in drawn.shapes if isinstance(shape, Box) and shape.height == 17)
    assert 2 <= len(tags) < 14
    assert all(left + wide <= following for (left, wide), (following, _) in pairwise(tags))


def test_what_is_flagged_for_long_leaves_the_sound_to_be_seen() -> None:
    said = [finding(start_s=480.0, length_s=2400.0, detector="hum"), finding(start_s=60.0, length_s=0.001)]
    drawn = charts.waveform(told(findings=said), 1120.0)
    marks = [shape for shape in drawn.shapes if isinstance(shape, Box | Area) and shape.ink == "warning"]
    over_the_sound = [mark for mark in marks if isinstance(mark, Box) and mark.top < 26 + 140]
    assert [mark.width for mark in over_the_sound] == [1.0, 1.0]
    (bar,) = [mark for mark in marks if isinstance(mark, Box) and mark not in over_the_sound]
    assert bar.width == pytest.approx(2400 / 8100 * (1118 - 40))
    assert len([mark for mark in marks if isinstance(mark, Area)]) == 1
    page = parsed(episode.page(told(findings=said), None))
    assert [cell.text for cell in page.xpath("//table[@aria-label='flagged moments']//td[3]")] == ["1 ms", "40:00"]


def test_the_loudness_lies_on_its_target() -> None:
    one = replace(told(), curves=curves(8100))
    drawn = charts.loudness(one, 1120.0)
    (target,) = [shape for shape in drawn.shapes if isinstance(shape, Stroke) and shape.dashes]
    momentary = next(shape for shape in drawn.shapes if isinstance(shape, Area) and shape.ink == "momentary")
    assert min(y for _, y in momentary.points) == pytest.approx(target.points[0][1])


def test_a_voice_that_music_comes_too_near_to_is_red() -> None:
    said = report()
    assert charts.over_music(told(), 1120.0) is None
    said["segments"][1]["voice_over_music_db"] = {"asked": 20.0, "least": 12.0, "each_second": [None] * 60 + [25.0] * 60 + [12.0] + [25.0] * 60}
    drawn = charts.over_music(facts.episode(said, curves(8100)), 1120.0)
    assert drawn
    bars = [shape for shape in drawn.shapes if isinstance(shape, Box) and shape.ink in ("music", "error") and shape.height != 10]
    (low,) = [bar for bar in bars if bar.ink == "error"]
    assert len(bars) > 10
    # section 2 begins at 8 minutes, and that second is 120 later
    assert low.left == pytest.approx(40 + (480 + 120) / 8100 * (1118 - 40), abs=2)
    assert low.height / max(bar.height for bar in bars) == pytest.approx(12 / 25, abs=0.01)


# -- the page and the picture ----------------------------------------------------------------------------------------------------------


def test_the_page_says_everything_that_was_measured() -> None:
    said = words(episode.page(told(findings=[finding()], warnings=["sagas: too long"]), None))
    for figure in ("2:15:00", "−16.08 LUFS", "−1.86 dBTP", "4.7 LU", "1 warning", "planned 180 min, −25 %", "ab" * 32, "sagas: too long"):
        assert figure in said
    for figure in ("a thump 12 dB over the voice", "10:00", "section-2.wav 2:00", "12.0 dB", "high-pass at 70 Hz", "ffmpeg 5.1"):
        assert figure in said


def test_nothing_in_a_page_is_fetched_or_acts() -> None:
    data = episode.page(
        told(title=HOSTILE, findings=[finding(words=HOSTILE, section=HOSTILE, file=HOSTILE)], warnings=[HOSTILE]),
        thumbnail(jpeg("#305070", 1400), 224),
    )
    page = parsed(data)
    assert page.findtext(".//title").startswith("<script>alert(1)</script> ")
    assert HOSTILE in page.findtext(".//h1")
    tags = {one.tag for one in page.iter() if isinstance(one.tag, str)}
    assert tags.isdisjoint({"script", "link", "iframe", "object", "embed", "base", "form", "foreignobject"})
    for one in page.iter():
        for name, value in one.attrib.items():
            assert not name.startswith("on")
            assert name != "style"
            if name in ("src", "href", "xlink:href"):
                assert value.startswith("data:image/jpeg;base64,")
    assert b"url(" not in data
    assert b"@import" not in data
    (policy,) = page.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'sha256-")


def test_a_policy_lets_its_own_style_through() -> None:
    import base64
    import hashlib

    data = episode.page(told(), None)
    (style,) = re.findall(rb"<style>(.*?)</style>", data, re.DOTALL)
    assert base64.b64encode(hashlib.sha256(style).digest()) in data


def test_every_chart_is_told_to_who_does_not_see_it() -> None:
    page = parsed(episode.page(told(findings=[finding()]), None))
    for picture in page.xpath("//*[local-name()='svg']"):
        assert picture.get("role") == "img"
        assert picture.get("aria-label")
    assert len(page.xpath("//figure/figcaption")) == len(page.xpath("//figure")) == 3
    assert all(table.get("aria-label") for table in page.xpath("//table"))
    # behind the picture of the sections there is the table of its figures
    assert len(page.xpath("//table[@aria-label='figures of each section']/tbody/tr")) == 5


def test_each_svg_is_well_formed_by_itself() -> None:
    data = episode.page(told(findings=[finding()]), None).decode()
    found = re.findall(r"<svg.*?</svg>", data, re.DOTALL)
    # for the desk and for the hand
    assert len(found) == 6
    for one in found:
        etree.fromstring(one)


def test_three_hours_are_a_page_of_less_than_a_megabyte() -> None:
    said = report(minutes=(25.0,) * 7)
    noise = np.random.default_rng(14).normal(0, 4, (2, 105_000)).astype("f4")
    one = facts.episode(said, facts.Curves(noise[0] - 18, np.minimum(noise[1] - 8, 0)))
    data = episode.page(one, thumbnail(jpeg("#305070", 1400), 224))
    assert 100_000 < len(data) < 400_000
    assert data == episode.page(facts.episode(said, one.curves), thumbnail(jpeg("#305070", 1400), 224))


def test_the_picture_is_the_page_on_one_sheet() -> None:
    one = told(findings=[finding()])
    data = png(episode.poster(one, thumbnail(jpeg("#c02020", 1400), 224)))
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    assert picture.width == 1600
    assert 900 < picture.height < 1400
    assert len(data) < 200_000
    assert picture.getpixel((80, 80)) == pytest.approx((0xC0, 0x20, 0x20), abs=12)
    assert picture.getpixel((1590, 10)) == pytest.approx(rgb("ground"), abs=3)
    colours = {colour for _, colour in picture.getcolors(100_000) or ()}
    # the waveform's two tones and the flagged moment
    for name in ("wave", "other", "warning", "target", "short"):
        assert any(all(abs(a - b) <= 6 for a, b in zip(colour, rgb(name), strict=True)) for colour in colours), name


def test_an_episode_of_silence_has_a_report_too() -> None:
    said = report(minutes=(0.02,))
    said["measured"] = {"integrated_lufs": None, "true_peak_dbtp": None, "loudness_range_lu": None}
    said["chapters"][0]["integrated_lufs"] = said["segments"][0]["recorded_lufs"] = None
    one = facts.episode(said, curves(1.2, momentary=-120.0, peak=-120.0))
    assert "silent" in words(episode.page(one, None))
    assert episode.poster(one, None).shapes
