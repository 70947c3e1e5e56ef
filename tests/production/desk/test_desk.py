"""The review desk: what was heard is in it, hostile texts are texts, nothing in it is fetched, and equal input gives equal bytes."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lxml import html as reader  # type: ignore[import-untyped, unused-ignore]

from audio.units import RATE
from production import checked
from production.desk import lanes, originals, page, signal, views
from production.desk.originals import Original
from production.desk.shown import App, Apps
from production.desk.views import Take
from production.model import Episode, Project
from production.receipts import Receipt
from production.store import Store
from production.survey import Seen
from tests.production.reports import curves, finding, report
from tests.production.test_drawing import HOSTILE

NAMES = [f"section-{number}" for number in range(1, 6)]


def placed(**said: Any) -> dict[str, Any]:
    """A report that says where everything is: each section begins at its mark, cut half a second into its recording, after a sting."""
    found = report(**said)
    marks = {one["slug"]: one for one in found["chapters"]}
    for one in found["segments"]:
        mark = marks[one["name"]]
        start, size = mark["section_start_samples"], mark["section_end_samples"] - mark["section_start_samples"] - 5 * RATE
        one |= {"start_samples": start, "samples": size, "recording_samples": [RATE // 2, RATE // 2 + size]}
        one |= {"speech_tenths": [5, 100, 20, 50, 3], "under": [{"kind": "bed", "file": "bed.wav", "at_samples": RATE, "samples": 60 * RATE}]}
    sting = {"name": "sting:section-2", "kind": "sting", "file": "builtin", "start_samples": marks["section-2"]["section_start_samples"] - 3 * RATE}
    found["segments"].insert(1, {**sting, "samples": 2 * RATE, "recording_samples": [0, 2 * RATE]})
    found["room_tone"] = [[RATE, 2 * RATE]]
    return found


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    root = tmp_path_factory.mktemp("desk")
    for folder in ("series", "episodes"):
        (root / "configs" / folder).mkdir(parents=True)
    show = {"title": "Show", "slug": "show", "description": "One.", "author": "Ada", "owner": {"name": "Ada", "email": "ada@show.example"}}
    show |= {"link": "https://show.example/", "media_url": "https://media.show.example/", "copyright": "2026 Ada"}
    series = {"slug": "basics", "season": 1, "title": "Basics", "description": "First.", "episodes": "1-20"}
    sections = [{"slug": name, "title": f"Section {name[-1]}", "part": "implementation", "minutes": 30} for name in NAMES]
    episode = {"number": 14, "series": "basics", "title": "Event-Driven Architecture", "summary": "S.", "date": "2026-01-01", "sections": sections}
    for name, said in (("show", show), ("series/basics", series), ("episodes/episode-14", {**episode, "minutes": 180})):
        (root / "configs" / f"{name}.yaml").write_text(json.dumps(said))
    for name in NAMES:
        (root / "recordings" / "episode-14").mkdir(parents=True, exist_ok=True)
        (root / "recordings" / "episode-14" / f"{name}.wav").write_bytes(name.encode())
    return checked.load(root).project


@pytest.fixture
def episode(project: Project) -> Episode:
    return project.episodes[0]


def desk(episode: Episode, found: dict[str, Any] | None = None, **said: Any) -> views.Desk:
    found = placed() if found is None else found
    apps = Apps((App("An app", "https://app.example/", "Title", True, "the file", "to the millisecond", ((0.0, "One"),), 0, ("a remark",)),), "notes")
    takes = {name: Take(f"../../recordings/{name}.wav", 0.0) for name in NAMES}
    given = {"series": "Basics", "language": "en", "cover": "", "apps": apps, "takes": takes, **said}
    return views.desk(found, curves(found["audio"]["duration_s"]), episode, **given)


def parsed(data: bytes) -> Any:
    return reader.document_fromstring(data.decode("utf-8"))


def data_of(tree: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(tree.xpath("//script[@id='data']")[0].text)
    return found


# -- what was heard ---------------------------------------------------------------------------------------------------------------


def test_lanes_hold_what_is_heard_when() -> None:
    found = lanes.lanes(placed())
    assert found.spoken is not None
    # section 2 begins at 480 s: silent for 0.5 s, then spoken for 10 s, silent for 2 s, spoken for 5 s
    assert [one for one in found.spoken if 480 <= one[0] < 600] == [(480.5, 490.5), (492.5, 497.5)]
    assert found.music == ((477.0, 479.0),)
    assert (481.0, 541.0) in found.bed
    assert found.tone == ((1.0, 2.0),)
    # between a section and what is next there are five seconds, in which a sting may sound
    assert found.gaps[:3] == ((475.0, 477.0), (479.0, 480.0), (2875.0, 2880.0))


def test_joins_are_where_one_thing_ends_and_the_next_begins() -> None:
    first, second, third, *_ = lanes.joins(placed())
    assert (first.at, first.pause, first.before, first.after) == (477.0, 2.0, "Section 1", "sting")
    assert (second.at, second.pause, second.after) == (480.0, 1.0, "Section 2")
    assert (third.before, third.after) == ("Section 2", "Section 3")


def test_a_report_of_an_earlier_version_has_a_desk(episode: Episode) -> None:
    tree = parsed(page.page(desk(episode, report())))
    assert [name for name, edges in data_of(tree)["lanes"] if edges] == []
    assert all("why" in one for one in data_of(tree)["sections"])
    assert len(tree.xpath("//ol[@class='chapters']/li")) == 5


def test_curves_are_told_to_a_quarter_of_a_decibel() -> None:
    values = np.array([0.0, -0.2, -16.1, -63.5, -80.0, -120.0], dtype="f4")
    found = np.frombuffer(base64.b64decode(signal.packed(values, 0.25)), "u1").astype("f8")
    assert np.abs((found[:4] - 255) * 0.25 - values[:4]).max() <= 0.125
    assert found[4:].tolist() == [0, 0]


# -- before and after -------------------------------------------------------------------------------------------------------------


def test_a_recording_is_heard_from_the_same_moment_and_the_louder_one_is_lowered(episode: Episode) -> None:
    second = data_of(parsed(page.page(desk(episode))))["sections"][1]
    # recorded at -22, finished at -16.2
    assert (second["begins"], second["at"], second["louder"], second["take"]) == (480.0, 0.5, 5.8, "../../recordings/section-2.wav")


@pytest.mark.parametrize("stretch", [[0, 5], None])
def test_what_is_not_one_stretch_of_one_recording_is_not_compared(episode: Episode, stretch: list[int] | None) -> None:
    found = placed()
    found["segments"][0]["recording_samples"] = stretch
    first = data_of(parsed(page.page(desk(episode, found))))["sections"][0]
    assert first["why"] == "it is not one stretch of one recording"
    assert "take" not in first


def test_a_recording_is_at_hand_only_when_it_is_what_was_built(project: Project, episode: Episode, tmp_path: Path) -> None:
    basis: dict[str, Any] = {name: {"file": f"{name}.wav", "content": hashlib.sha256(name.encode()).hexdigest()} for name in NAMES}
    basis["section-2"]["content"] = "another"
    basis["section-3"]["cut"] = [[1.0, 2.5]]
    basis["section-4"]["file"] = "two.wav and another.wav"
    del basis["section-5"]
    receipt = Receipt("", False, 1, {"segments": basis}, {}, {})
    found = originals.originals(project, episode, receipt, Seen(Store(tmp_path)))
    folder = project.root / "build" / "episode-14"
    assert originals.beside(project, folder, found["section-1"]) == "../../recordings/episode-14/section-1.wav"
    assert found["section-2"].why == "it was recorded again since"
    assert found["section-3"].why == "stretches of its recording are cut out"
    assert found["section-4"].why == found["section-5"].why == "what was built is not made of this one recording"
    # where it lies elsewhere, its path is another one on every machine
    assert originals.beside(project, folder, Original(project.root / ".." / "elsewhere.wav", "")) is None


# -- the page ---------------------------------------------------------------------------------------------------------------------


def test_hostile_texts_are_texts(episode: Episode) -> None:
    found = placed(title=HOSTILE, warnings=[HOSTILE], findings=[finding(words=f"{HOSTILE}<!--<script>")])
    for one in found["chapters"]:
        one["title"] = f"</script>{HOSTILE}"
    apps = Apps((App(HOSTILE, "", HOSTILE, False, "the file", "", ((0.0, HOSTILE),), 0, (HOSTILE,)),), HOSTILE)
    text = page.page(desk(episode, found, apps=apps, series=HOSTILE)).decode()
    tree = parsed(text.encode())
    assert data_of(tree)["sections"][0]["title"] == f"</script>{HOSTILE}"
    assert tree.findtext(".//h1") == HOSTILE
    assert len(tree.xpath("//script")) == 2
    assert tree.xpath("//*[@*[starts-with(name(), 'on')]] | //*[@style] | //img[not(starts-with(@src, 'data:'))]") == []
    assert HOSTILE not in text


@pytest.mark.parametrize("live", [False, True])
def test_only_what_the_page_brings_along_runs_and_nothing_is_fetched(episode: Episode, live: bool) -> None:
    tree = parsed(page.page(desk(episode, placed(findings=[finding()])), live=live))
    policy = dict(rule.split(" ", 1) for rule in tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")[0].split("; "))
    run = tree.xpath("//script[not(@type)]")
    sums = [f"'sha256-{base64.b64encode(hashlib.sha256(one.text.encode()).digest()).decode()}'" for one in (*run, tree.find(".//style"))]
    assert policy["default-src"] == "'none'"
    assert [*policy["script-src"].split(), policy["style-src"]] == sums
    assert ("connect-src" in policy) is live
    assert not any("unsafe" in rule for rule in policy.values())
    loaded = tree.xpath("//@src | //link/@href")
    assert set(loaded) == {"data:,", "episode-14.mp3"}


def test_three_hours_take_less_than_half_a_megabyte_and_the_same_bytes_each_time(episode: Episode) -> None:
    found = placed(minutes=(36.0,) * 5, findings=[finding(start_s=float(at)) for at in range(0, 10_000, 100)])
    first, second = (page.page(desk(episode, json.loads(json.dumps(found)))) for _ in range(2))
    assert first == second
    assert len(first) < 500_000
    assert b"/tmp" not in first
    assert len(base64.b64decode(data_of(parsed(first))["peak"]["values"])) == 108_000


def test_the_plan_is_that_of_the_config_and_what_it_says_otherwise_is_said(episode: Episode) -> None:
    found = placed(title="As it was built")
    found["chapters"][0]["title"] = "Before"
    text = " ".join(parsed(page.page(desk(episode, found))).text_content().split())
    assert "title: “As it was built” is now “Event-Driven Architecture”" in text
    assert "chapter: “Before” is now “Section 1”" in text
    assert "8.0 min of 30.0 (−22.0 min, −73 %)" in text
    assert "135.0 min of 180.0 planned (−45.0 min, −25 %)" in text
    assert desk(episode).since == ()


def test_moments_and_joins_are_played_from(episode: Episode) -> None:
    tree = parsed(page.page(desk(episode, placed(findings=[finding(), finding(start_s=None, words="nowhere")]))))
    assert tree.xpath("//ol[@class='moments']//button/@data-t") == ["600.000"]
    assert tree.xpath("//ol[@class='joins']//button/@data-t")[:2] == ["474.000", "477.000"]
    assert tree.xpath("//ol[@class='chapters']//button/@data-t")[:2] == ["0.000", "480.000"]
    # without a script the sound is still there
    assert re.search(r'<noscript>.*href="episode-14.mp3"', reader.tostring(tree).decode(), re.DOTALL)
