"""The review desk in a browser: what one clicks is what one hears, before and after, from `produce serve` and from the file as it is.

Skipped where no Chromium is installed; what axe says of it is asked where there is an axe-core (see `browser.axe`).
"""

from __future__ import annotations

import hashlib
import json
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.e2e import browser, project
from tests.e2e.browser import Page
from tests.e2e.conftest import TAKES

pytestmark = pytest.mark.process

HOSTILE = "</script><script>document.title='owned'</script><img src=x onerror=document.title='owned'>"
IN = 0.5
"""Where the second section begins in its recording, in seconds."""
# The strongest frequency of an audio element.
LISTEN = """(async (id) => {
  const audio = document.getElementById(id);
  window.heard = window.heard || {};
  if (!heard[id]) {
    window.sound = window.sound || new AudioContext({ sampleRate: 48000 });
    heard[id] = sound.createAnalyser();
    heard[id].fftSize = 8192; heard[id].smoothingTimeConstant = 0;
    sound.createMediaElementSource(audio).connect(heard[id]);
    heard[id].connect(sound.destination);
    await sound.resume();
  }
  await audio.play();
  for (let wait = 0; wait < 60; wait++) {
    await new Promise((done) => setTimeout(done, 50));
    const bins = new Float32Array(heard[id].frequencyBinCount);
    heard[id].getFloatFrequencyData(bins);
    const top = bins.indexOf(Math.max(...bins));
    if (wait > 4 && bins[top] > -70) { audio.pause(); return top * 48000 / 8192; }
  }
  audio.pause();
  return 0;
})("%s")"""
# Where a click lands; it is held there, and that it would play is told.
JUMP = """new Promise((done) => {
  const audio = document.getElementById("finished");
  let asked = false;
  audio.play = () => { asked = true; };
  audio.addEventListener("seeked", () => { delete audio.play; done(asked ? audio.currentTime : -1); }, { once: true });
  document.querySelectorAll("%s")[%d].click();
})"""
NOW = "document.getElementById('finished').currentTime"
RECORDED = "document.getElementById('recorded')"


@dataclass(frozen=True)
class Desk:
    """A built show, and the two addresses of its desk."""

    root: Path
    addresses: tuple[str, str]


@pytest.fixture(scope="module")
def desk(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    browser.found()
    root = project.copied(built, tmp_path_factory.mktemp("desk") / "show")
    with project.edited(root) as config:
        config["sections"][1] |= {"title": f"Bravo {HOSTILE}", "in": IN}
        config["minutes"] = 2
    project.produce(root)
    plant(root)
    said = project.produce(root, "page", project.EPISODE)
    path = root / "build" / project.EPISODE / "desk.html"
    assert str(path) in said.out.splitlines()
    child = project.start(root, "serve", "--port", "0")
    try:
        assert child.stdout is not None
        address = child.stdout.readline().partition("feeds/")[0]
        yield Desk(root, (f"{address}desk/{project.EPISODE}/desk.html", path.as_uri()))
    finally:
        child.terminate()
        child.communicate(timeout=20)


def plant(root: Path) -> None:
    """Flag two moments in the report of what was built."""
    folder = root / "build" / project.EPISODE
    one = {"detector": "click", "severity": "warning", "section": "bravo", "file": "bravo.wav", "start_s": 6.5, "recording_s": 1.0, "length_s": 0.1}
    data = json.dumps(
        project.report(root) | {"findings": [one | {"words": HOSTILE}, one | {"start_s": 10.0, "severity": "error", "words": "a click"}]}
    ).encode()
    (folder / "report.json").write_bytes(data)
    receipt = json.loads((folder / ".receipt.json").read_text())
    receipt["outputs"]["report.json"] = [len(data), (folder / "report.json").stat().st_mtime_ns, hashlib.sha256(data).hexdigest()]
    (folder / ".receipt.json").write_text(json.dumps(receipt))


def marks(root: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = project.report(root)["chapters"]
    return found


def opened(page: Page, address: str, at: str = "") -> None:
    page.go("about:blank")
    page.go(address + at)
    page.wait(lambda: page.run("document.getElementById('finished').readyState") >= 2)


@pytest.mark.parametrize("way", [0, 1], ids=["served", "file"])
def test_a_chapter_that_is_clicked_is_the_one_that_is_heard(desk: Desk, page: Page, way: int) -> None:
    opened(page, desk.addresses[way])
    for at, (mark, take) in reversed(list(enumerate(zip(marks(desk.root), TAKES, strict=True)))):
        assert abs(page.run(JUMP % (".chapters button", at)) - mark["start_s"]) < 0.1
        assert abs(page.run(LISTEN % "finished") - take.hertz) < 12
        assert page.run("document.querySelector('.chapters [aria-current] b').textContent") == str(at + 1)
        assert page.run("location.hash") == f"#t=0:00:{mark['start_s']:02.0f}"


@pytest.mark.parametrize("way", [0, 1], ids=["served", "file"])
def test_before_and_after_are_the_same_moment_as_loud_as_each_other(desk: Desk, page: Page, way: int) -> None:
    opened(page, desk.addresses[way])
    mark = marks(desk.root)[1]
    begins = mark["section_start_samples"] / project.RATE
    page.run(JUMP % (".chapters button", 1))
    page.press("a")
    page.wait(lambda: page.run(f"{RECORDED}.readyState") >= 2)
    assert abs(page.run(f"{RECORDED}.currentTime") - (mark["start_s"] - begins + IN)) < 0.05
    segment = next(one for one in project.report(desk.root)["segments"] if one["name"] == "bravo")
    lowered = 10 ** ((segment["recorded_lufs"] - mark["integrated_lufs"]) / 20)
    assert lowered == pytest.approx(10 ** (-(TAKES[1].gain or 0) / 20), rel=0.02)
    assert page.run("[document.getElementById('finished').volume, document.getElementById('recorded').volume]") == pytest.approx(
        [lowered, 1], abs=0.001
    )
    assert "is lowered by 9." in page.run("document.getElementById('said').textContent")
    assert abs(page.run(LISTEN % "recorded") - TAKES[1].hertz) < 12
    # back, at the moment that was reached meanwhile
    reached = page.run(f"{RECORDED}.currentTime")
    page.press("a")
    assert abs(page.run(NOW) - (reached + begins - IN)) < 0.05
    assert page.run("document.getElementById('ab').getAttribute('aria-pressed')") == "false"
    # and what is no part of the section ends it
    page.press("]")
    assert page.run("document.getElementById('finished').volume") == 1


@pytest.mark.parametrize("way", [0, 1], ids=["served", "file"])
def test_a_link_to_a_moment_lands_there(desk: Desk, page: Page, way: int) -> None:
    opened(page, desk.addresses[way], "#t=0:00:07.5")
    assert abs(page.run(NOW) - 7.5) < 0.1
    assert abs(page.run(LISTEN % "finished") - TAKES[1].hertz) < 12
    page.run("location.hash = '#t=1'")
    page.wait(lambda: abs(page.run(NOW) - 1) < 0.1)


def test_keys_and_pointers_do_what_they_say(desk: Desk, page: Page) -> None:
    page.size(1440, 900)
    opened(page, desk.addresses[1], "#t=5")
    starts, paused = [one["start_s"] for one in marks(desk.root)], "document.getElementById('finished').paused"
    steps: list[tuple[str, float]] = [("[", 0), ("]", starts[1]), ("m", 6.5), ("m", 10), ("M", 6.5), ("ArrowRight", 11.5), ("ArrowLeft", 6.5)]
    for key, lands in steps:
        page.press(key)
        assert page.run(NOW) == pytest.approx(lands, abs=0.05), key
    page.press("[")
    page.press("j")
    assert page.run(NOW) in [
        pytest.approx(float(one), abs=0.05) for one in page.run("[...document.querySelectorAll('.joins button')].map((b) => b.dataset.t)")
    ]
    page.press(" ")
    page.wait(lambda: not page.run(paused))
    page.press(" ")
    page.wait(lambda: page.run(paused))
    wide = "document.getElementById('window').getBoundingClientRect().width"
    whole = page.run(wide)
    page.press("+")
    page.wait(lambda: page.run(wide) < 0.6 * whole)
    page.press("0")
    page.wait(lambda: page.run(wide) > 0.99 * whole)
    page.press("?")
    assert page.run("document.getElementById('help').open")
    page.press("]")
    page.run("document.querySelector('dialog button').click()")
    # a click goes to where it is made, a drag does not
    box = page.run("(({ left, top, width }) => [left, top, width])(document.getElementById('wave').getBoundingClientRect())")
    x, y = box[0] + box[2] * 0.75, box[1] + 90
    for kind in ("mousePressed", "mouseReleased"):
        page.do("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)
    length = page.run("document.getElementById('finished').duration")
    assert page.run(NOW) == pytest.approx((x - box[0] - 68) / (box[2] - 68) * length, abs=0.1)
    # with Tab and Enter alone
    page.run("document.querySelectorAll('.moments button')[1].focus()")
    page.press("Enter")
    page.wait(lambda: page.run(NOW) >= 10)
    page.run("document.getElementById('finished').pause()")


def test_hostile_texts_are_shown_and_do_nothing(desk: Desk, page: Page) -> None:
    for address in desk.addresses:
        opened(page, address)
        assert "owned" not in page.run("document.title")
        assert page.run("document.body.textContent").count(HOSTILE) > 3
        # and if one came through, the policy would stop it
        page.run("document.body.insertAdjacentHTML('beforeend', '<img src=data:, onerror=document.title=`owned`>')")
        page.run("new Promise((done) => { setTimeout(done, 200) })")
        assert "owned" not in page.run("document.title")
        assert [one for one in page.said if "Content Security Policy" in one]
        page.said.clear()


def test_three_hours_are_there_in_a_second_and_move_without_a_stop(desk: Desk, page: Page, tmp_path: Path) -> None:
    long = tmp_path / "desk.html"
    long.write_text(stretched((desk.root / "build" / project.EPISODE / "desk.html").read_text("utf-8")), "utf-8")
    (tmp_path / f"{project.EPISODE}.mp3").hardlink_to(project.mp3(desk.root))
    page.size(1440, 900)
    page.go("about:blank")
    page.go(long.as_uri())
    assert 300_000 < long.stat().st_size < 1_000_000
    assert int(page.run("document.documentElement.dataset.ready")) > 0
    made = page.work()
    assert made < 1
    page.run("""(async () => {
      const wave = document.getElementById("wave");
      const { left, top } = wave.getBoundingClientRect();
      for (let at = 0; at < 30; at++) {
        const deltaY = at < 15 ? -200 : 200;
        wave.dispatchEvent(new WheelEvent("wheel", { deltaY, clientX: left + 700, clientY: top + 90, cancelable: true, bubbles: true }));
        await new Promise(requestAnimationFrame);
        await new Promise((done) => setTimeout(done));
      }
    })()""")
    assert 0 < page.work() - made < 30 * 0.1


def stretched(text: str) -> str:
    """The desk as if the episode lasted for three hours. Its policy knows scripts, and lets data be what they are."""
    before, tag, rest = text.partition('<script type="application/json" id="data">')
    held, end, after = rest.partition("</script>")
    found = json.loads(held)
    factor = 10_800 / found["length"]
    found["length"] = 10_800
    for name in ("peak", "loudness"):
        found[name]["values"] = (found[name]["values"].rstrip("=") * 1200)[: 108_000 * 4 // 3]
    for one in found["sections"]:
        one |= {name: one[name] * factor for name in ("start", "begins", "ends")}
    return before + tag + json.dumps(found).replace("<", "\\u003c") + end + after


@pytest.mark.parametrize("width", [390, 1440])
def test_nothing_is_wider_than_the_window_and_axe_finds_nothing_serious(desk: Desk, page: Page, width: int) -> None:
    page.size(width, 844)
    opened(page, desk.addresses[0])
    assert page.run("document.documentElement.scrollWidth") <= width
    if width == 390:
        tall = "(one) => one.checkVisibility() && one.getBoundingClientRect().height < 44"
        small = f"[...document.querySelectorAll('button, select')].filter({tall}).length"
        assert page.run(small) == 0
    axe = browser.axe().read_text("utf-8")
    page.run(f"{axe}; 0")
    for dark in (False, True):
        page.size(width, 844, dark=dark)
        found = page.run("axe.run().then((said) => said.violations.map((one) => [one.impact, one.id, one.nodes.map((node) => node.html)]))")
        assert [one for one in found if one[0] in ("serious", "critical")] == []


def test_a_desk_follows_its_config_and_a_build_with_nothing_to_do_leaves_it(desk: Desk, page: Page) -> None:
    with urllib.request.urlopen(desk.addresses[0].partition("desk/")[0], timeout=10) as index:
        assert f'href="desk/{project.EPISODE}/desk.html"' in index.read().decode()
    before = project.times(desk.root)
    project.produce(desk.root)
    assert project.times(desk.root) == before
    opened(page, desk.addresses[0])
    page.wait(lambda: sum(urlsplit(one).path.endswith("desk.html") for one in page.asked) > 1, 5)
    with project.edited(desk.root) as config:
        config["title"] = "Seen at once"
    page.wait(lambda: "is now “Seen at once”" in (page.run("document.body && document.body.textContent") or ""), 10)
