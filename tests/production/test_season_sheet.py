"""A season beside itself: whoever is unlike the others is found and told why, and nobody else."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from lxml import html as reader
from PIL import Image

from production.pages import facts, season_page
from production.pages.painting import png
from production.pages.season import FINDINGS, LEAST, LENGTH, LOUDNESS, MEASURES, NOISE, PEAK, RANGE, SPEECH, TONE, Measure, Row, bounds, marks, row
from tests.production.reports import curves, finding, report
from tests.production.test_drawing import HOSTILE

SPREAD = {LENGTH: 5.0, LOUDNESS: 0.08, RANGE: 0.6, PEAK: 0.25, NOISE: 2.5, TONE: 1.0, SPEECH: 3.0}
"""How far episodes of one season are apart, as a standard deviation: a wide one, as of a show with guests."""


def ordinary(seed: int, count: int = 35) -> list[facts.Episode]:
    """A season of episodes that are alike as episodes are."""
    chance = random.Random(seed)

    def near(middle: float, measure: Measure) -> float:
        return round(chance.gauss(middle, SPREAD[measure]), 2)

    found = []
    for number in range(1, count + 1):
        said = report(f"episode-{number:02}", title=f"Episode {number}", minutes=(5.0, 5.0), planned_minutes=10 / (1 + near(0, LENGTH) / 100))
        said["measured"] = {"integrated_lufs": near(-16.0, LOUDNESS), "true_peak_dbtp": near(-1.8, PEAK), "loudness_range_lu": near(5.0, RANGE)}
        noise, bright, spoken = near(-60, NOISE), near(-22, TONE), near(80, SPEECH) / 100
        for one in said["segments"]:
            one |= {"noise_lufs": noise, "brightness_db": bright, "speech_share": spoken, "gain_db": 6.0}
        said["findings"] = [finding() for _ in range(chance.randint(0, 4))]
        found.append(facts.episode(said, CURVES))
    return found


CURVES = curves(600)
MANY = facts.episode(report(minutes=(10.0,), findings=[finding()] * 30), CURVES).findings


def rows_of(episodes: list[facts.Episode]) -> list[Row]:
    return [row(number, one) for number, one in enumerate(episodes, 1)]


def in_sections(one: facts.Episode, **changed: float) -> facts.Episode:
    return replace(one, sections=tuple(replace(section, **changed) for section in one.sections))


PLANTED: list[tuple[Measure, Callable[[facts.Episode], facts.Episode], str]] = [
    (LENGTH, lambda one: replace(one, seconds=one.seconds * 0.6), "points under the season’s median"),
    (LOUDNESS, lambda one: replace(one, loudness=-14.9), "LU louder than the season’s median"),
    (RANGE, lambda one: replace(one, range=10.5), "LU over the season’s median"),
    (PEAK, lambda one: replace(one, peak=0.4), "dB over the season’s median"),
    (NOISE, lambda one: replace(one, sections=(one.sections[0], replace(one.sections[1], noise=-28.0))), "dB over the season’s median"),
    (TONE, lambda one: in_sections(one, bright=-30.0), "dB duller than the season’s median"),
    (SPEECH, lambda one: in_sections(one, speech=0.4), "points under the season’s median"),
    (FINDINGS, lambda one: replace(one, findings=MANY), "30"),
]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("measure", "plant", "why"), PLANTED, ids=[measure.name for measure, *_ in PLANTED])
def test_a_planted_outlier_is_found_among_35_and_nobody_else(
    measure: Measure, plant: Callable[[facts.Episode], facts.Episode], why: str, seed: int
) -> None:
    episodes = SEASONS[seed].copy()
    at = 7 * seed
    episodes[at] = plant(episodes[at])
    found = marks(rows_of(episodes))
    assert list(found) == [f"episode-{at + 1:02}"]
    (mark,) = found[f"episode-{at + 1:02}"]
    assert mark.measure is measure
    assert why in mark.words


SEASONS = [ordinary(seed) for seed in range(5)]


def test_among_ordinary_ones_nobody_stands_out() -> None:
    assert [marks(rows_of(season)) for season in SEASONS] == [{}] * 5


def test_the_figures_of_an_episode_are_those_of_its_sections() -> None:
    said = report(minutes=(10.0, 30.0), planned_minutes=50.0, findings=[finding("note"), finding(), finding("error")])
    said["segments"][0] |= {"speech_share": 0.9, "brightness_db": -20.0, "noise_lufs": -70.0}
    said["segments"][1] |= {"speech_share": 0.3, "brightness_db": -26.0, "noise_lufs": -40.0}
    found = row(3, facts.episode(said, curves(2400)))
    assert (found.number, found.minutes, found.noisiest) == (3, 40.0, "Section 2")
    values = {measure: found.value(measure) for measure in MEASURES}
    assert values[LENGTH] == pytest.approx(-20)
    assert values[NOISE] == -34.0
    assert values[TONE] == pytest.approx(-23)
    assert values[SPEECH] == pytest.approx(45)
    # notes are no findings that anybody counts
    assert values[FINDINGS] == 2


def test_music_has_neither_noise_nor_tone() -> None:
    said = report(minutes=(10.0,), planned_minutes=None)
    said["segments"][0] |= {"speech_share": 0.0, "brightness_db": None, "noise_lufs": -20.0}
    found = row(1, facts.episode(said, curves(600)))
    assert [found.value(measure) for measure in (LENGTH, NOISE, TONE)] == [None, None, None]


def test_of_a_few_episodes_nobody_stands_out() -> None:
    rows = rows_of(SEASONS[0])[:LEAST]
    odd = replace(rows[0], values=(*rows[0].values[:1], -9.0, *rows[0].values[2:]))
    assert list(marks([odd, *rows[1:]])) == [odd.id]
    assert marks([odd, *rows[1:-1]]) == {}
    assert bounds(rows[1:], LOUDNESS) is None


def test_placeholders_are_not_counted_and_not_judged() -> None:
    rows = rows_of(SEASONS[0])
    spoken = [replace(one, scratch=True, values=(0.0, -40.0, *one.values[2:])) for one in rows[:20]]
    assert marks([*spoken, *rows[20:]]) == {}
    ordinary_of_the_others = bounds(rows[20:], LOUDNESS)
    assert bounds([*spoken, *rows[20:]], LOUDNESS) == ordinary_of_the_others


def test_what_is_the_same_in_all_but_one_is_held_to_what_nobody_minds() -> None:
    rows = [replace(one, values=(*one.values[:1], -16.0, *one.values[2:])) for one in rows_of(SEASONS[0])]
    near = replace(rows[3], values=(*rows[3].values[:1], -15.6, *rows[3].values[2:]))
    far = replace(rows[4], values=(*rows[4].values[:1], -15.4, *rows[4].values[2:]))
    assert list(marks([*rows[:3], near, far, *rows[5:]])) == ["episode-05"]


def test_fewer_findings_than_others_have_are_nothing_to_be_told() -> None:
    rows = [replace(one, values=(*one.values[:-1], 40.0)) for one in rows_of(SEASONS[0])]
    none = replace(rows[0], values=(*rows[0].values[:-1], 0.0))
    assert marks([none, *rows[1:]]) == {}


def test_the_sheet_names_who_stands_out_and_links_to_every_report() -> None:
    episodes = SEASONS[1].copy()
    episodes[16] = replace(episodes[16], title=HOSTILE, loudness=-13.0)
    rows = rows_of(episodes)
    data = season_page.page(f"A show & {HOSTILE}", rows, ("episode-36",))
    assert data == season_page.page(f"A show & {HOSTILE}", rows, ("episode-36",))
    page = reader.document_fromstring(data.decode())
    assert [link.get("href") for link in page.xpath("//table//a")] == [f"episode-{number:02}/report.html" for number in range(1, 36)]
    (item,) = page.xpath("//li")
    assert item.text_content().startswith(f"17 {HOSTILE}: loudness −13.0 LUFS: 3.0 LU louder than the season’s median")
    assert [cell.text_content() for cell in page.xpath("//td[contains(@class,'out')]")] == ["−13.0"]
    assert "not built: episode-36" in page.text_content()
    assert "5 robust standard deviations" in page.text_content()
    assert not page.xpath("//script")
    assert len(data) < 300_000


def test_the_picture_of_a_season_has_a_red_dot_for_who_stands_out() -> None:
    def reds(rows: list[Row]) -> int:
        data = png(season_page.poster("A show", rows, ()))
        picture = Image.open(io.BytesIO(data)).convert("RGB")
        assert picture.width == 1600
        return sum(count for count, (red, green, blue) in picture.getcolors(100_000) or () if red > 230 and 90 < green < 150 and 90 < blue < 150)

    rows = rows_of(SEASONS[2])
    odd = replace(rows[9], values=(*rows[9].values[:1], -12.0, *rows[9].values[2:]))
    assert reds(rows) == 0
    assert reds([*rows[:9], odd, *rows[10:]]) > 50
