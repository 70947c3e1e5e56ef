"""`produce report`: a page and a picture of what is built, read with programs that are not ours."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lxml import html as reader
from PIL import Image

from tests.e2e import project
from tests.e2e.conftest import TAKES

pytestmark = pytest.mark.process

NAMES = ("report.html", "report.png")


def folder(root: Path) -> Path:
    return root / "build" / project.EPISODE


def pages(root: Path) -> list[bytes]:
    return [(folder(root) / name).read_bytes() for name in NAMES]


def page(path: Path) -> Any:
    return reader.document_fromstring(path.read_text("utf-8"))


@pytest.fixture(scope="module")
def reported(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished episode with its report. Not to be changed: copy it."""
    root = project.copied(built, tmp_path_factory.mktemp("reported") / "show")
    said = project.produce(root, "report", project.EPISODE)
    assert said.out.splitlines() == [str(folder(root) / name) for name in NAMES]
    assert said.said == ""
    return root


def test_the_page_says_what_the_report_says_and_the_picture_shows_it(reported: Path, ffmpeg: str) -> None:
    found, said = page(folder(reported) / "report.html"), project.report(reported)
    text = " ".join(found.text_content().split())
    assert found.findtext(".//h1") == said["title"]
    assert f"{said['measured']['integrated_lufs']:.2f} LUFS".replace("-", "−") in text
    assert said["file"]["sha256"] in text
    rows = found.xpath("//table[@aria-label='figures of each section']/tbody/tr")
    assert [row.findtext("th") for row in rows] == [f"{number} {one['title']}" for number, one in enumerate(said["chapters"], 1)]
    # the peaks are those of the samples that come out of the file
    sound = project.decoded(project.mp3(reported), ffmpeg)
    for row, one in zip(rows, said["chapters"], strict=True):
        heard = np.abs(sound[one["section_start_samples"] : one["section_end_samples"]]).max()
        assert float(row.xpath("td[6]")[0].text.replace("−", "-")) == pytest.approx(20 * np.log10(heard), abs=0.2)
    with Image.open(folder(reported) / "report.png") as picture:
        assert picture.format == "PNG"
        assert picture.width == 1600
        assert len(picture.convert("RGB").getcolors(100_000)) > 20


def test_the_same_build_has_the_same_report_wherever_its_sound_is_heard(reported: Path, tmp_path: Path) -> None:
    root = project.copied(reported, tmp_path / "elsewhere")
    for name in NAMES:
        (folder(root) / name).unlink()
    # decoded again, on one core, and then taken from the store
    shutil.rmtree(root / "build" / ".store")
    project.produce(root, "report", project.EPISODE, "-j", "1")
    assert pages(root) == pages(reported)
    before, kept = project.times(root), project.entries(root)
    project.produce(root, "report", project.EPISODE)
    assert project.entries(root) == kept
    assert {name: time for name, time in project.times(root).items() if name in before} == before


def test_a_build_of_an_earlier_version_is_decoded_once(reported: Path, tmp_path: Path) -> None:
    root = project.copied(reported, tmp_path / "show")
    path = folder(root) / ".receipt.json"
    receipt = json.loads(path.read_text())
    del receipt["audio"]["slices"]
    path.write_text(json.dumps(receipt))
    shutil.rmtree(root / "build" / ".store")
    project.produce(root, "report", project.EPISODE)
    assert len(page(folder(root) / "report.html").xpath("//figure")) == 3


def test_what_is_not_up_to_date_is_told_as_it_was_built(reported: Path, tmp_path: Path) -> None:
    root = project.copied(reported, tmp_path / "show")
    with project.edited(root) as config:
        config["title"] = "Another"
    said = project.produce(root, "report", project.EPISODE).said
    assert said.splitlines() == ["episode-01: warning: not up to date; the report is of what was built"]
    assert pages(root) == pages(reported)
    shutil.rmtree(project.recordings(root))
    assert "whether it is up to date cannot be told" in project.produce(root, "report", project.EPISODE).said
    assert pages(root) == pages(reported)
    # and with what it told of, it goes
    for take in TAKES:
        project.record(take, project.recordings(root))
    project.produce(root)
    assert not any((folder(root) / name).exists() for name in NAMES)


def test_what_is_not_built_has_no_report(built: Path, tmp_path: Path) -> None:
    root = project.unbuilt(built, tmp_path / "show")
    for words in (("report", project.EPISODE), ("report", "all")):
        found = project.produce(root, *words, code=1)
        assert "build it first: produce" in found.said
        assert found.out == ""
    assert list((root / "build").glob("**/report.*")) == []


def test_what_was_changed_since_has_no_report(reported: Path, tmp_path: Path) -> None:
    root = project.copied(reported, tmp_path / "show")
    with project.mp3(root).open("ab") as file:
        file.write(b"TAG")
    assert "is not the file that was built" in project.produce(root, "report", project.EPISODE, code=1).said
    assert pages(root) == pages(reported)


def test_a_season_is_told_of_beside_its_episodes(reported: Path, tmp_path: Path) -> None:
    root = project.copied(reported, tmp_path / "show")
    project.add_episode(root, 2, TAKES)
    said = project.produce(root, "report", "all", project.SERIES)
    sheets = [str(root / "build" / name) for name in ("season.html", "season.png", "season-tones.html", "season-tones.png")]
    assert said.out.splitlines() == [*(str(folder(root) / name) for name in NAMES), *sheets]
    found = page(root / "build" / "season.html")
    assert "not built: episode-02" in found.text_content()
    assert [link.get("href") for link in found.xpath("//table//a")] == ["episode-01/report.html"]
    assert (root / "build" / found.xpath("//table//a/@href")[0]).is_file()
    with Image.open(root / "build" / "season.png") as picture:
        assert picture.width == 1600
    # named by itself, what is not built is a failure
    assert project.produce(root, "report", project.EPISODE, "episode-02", code=1).out.splitlines() == [str(folder(root) / name) for name in NAMES]


def test_a_browser_draws_it(reported: Path, tmp_path: Path) -> None:
    browser = shutil.which("chromium")
    if browser is None:
        pytest.skip("chromium is not installed")
    quiet = (
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--hide-scrollbars",
    )
    argv = [browser, "--headless", "--no-sandbox", "--disable-gpu", *quiet, f"--user-data-dir={tmp_path / 'profile'}", "--window-size=1440,1600"]
    target = tmp_path / "page.png"
    subprocess.run([*argv, f"--screenshot={target}", f"file://{folder(reported) / NAMES[0]}"], check=True, capture_output=True, timeout=60)
    with Image.open(target) as picture:
        shown = {colour for _, colour in picture.convert("RGB").getcolors(1_000_000) or ()}
    # its own style was let through, and its charts are there: panels, the waveform's two tones, the target
    assert {(255, 255, 255), (0x17, 0x69, 0xAA), (0x0C, 0x74, 0x7B), (0xF4, 0xF6, 0xF8)} <= shown
