"""The listener's pages in a browser: what one clicks is what one hears, from `produce serve` and from the files as they are.

Skipped where no Chromium is installed; what axe says of them is asked where AXE_CORE names its axe.min.js, or npm has it for all (npm install -g
axe-core).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.e2e import browser, project
from tests.e2e.browser import Page
from tests.e2e.conftest import TAKES

pytestmark = pytest.mark.process

HOSTILE = "</title><script>document.title='owned'</script><img src=x onerror=document.title='owned'>"
# The strongest frequency that is heard within a third of a second, by the browser's own analyser.
LISTEN = """(async () => {
  const audio = document.querySelector("audio");
  if (!window.heard) {
    const context = new AudioContext({ sampleRate: 48000 });
    window.heard = context.createAnalyser();
    heard.fftSize = 8192; heard.smoothingTimeConstant = 0;
    context.createMediaElementSource(audio).connect(heard);
    heard.connect(context.destination);
    await context.resume();
  }
  await audio.play();
  for (let wait = 0; wait < 60; wait++) {
    await new Promise((done) => setTimeout(done, 50));
    const bins = new Float32Array(heard.frequencyBinCount);
    heard.getFloatFrequencyData(bins);
    const top = bins.indexOf(Math.max(...bins));
    if (wait > 4 && bins[top] > -60) { audio.pause(); return top * 48000 / 8192; }
  }
  audio.pause();
  return 0;
})()"""
# Where a click on a chapter lands; it is held there, and that it would play is told.
JUMP = """new Promise((done) => {
  const audio = document.querySelector("audio");
  let asked = false;
  audio.play = () => { asked = true; };
  audio.addEventListener("seeked", () => { delete audio.play; done(asked ? audio.currentTime : -1); }, { once: true });
  document.querySelectorAll(".chapters a[data-t]")[%d].click();
})"""


@dataclass(frozen=True)
class Site:
    """A built show, and the two addresses of its site."""

    root: Path
    served: str

    def addresses(self, path: str = f"episodes/{project.EPISODE}.html") -> tuple[str, str]:
        return f"{self.served}site/{path}", (self.root / "build/site" / path).as_uri()


@pytest.fixture(scope="module")
def site(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    browser.found()
    root = project.copied(built, tmp_path_factory.mktemp("site") / "show")
    (root / "said.vtt").write_text("WEBVTT\n\n00:00:00.000 --> 00:00:02.000\n<v Ada>One.</v>\n\n00:00:07.500 --> 00:00:09.000\n<v Bo>Two.</v>\n")
    with project.edited(root) as config:
        config |= {"transcript": "said.vtt", "summary": HOSTILE, "notes": HOSTILE}
    project.produce(root)
    child = project.start(root, "serve", "--port", "0")
    try:
        assert child.stdout is not None
        address = child.stdout.readline()
        yield Site(root, address.partition("feeds/")[0])
    finally:
        child.terminate()
        child.communicate(timeout=20)


def starts(root: Path) -> list[float]:
    return [one["startTime"] for one in json.loads((root / "build" / project.EPISODE / "chapters.json").read_bytes())["chapters"]]


@pytest.mark.parametrize("way", [0, 1], ids=["served", "file"])
def test_a_chapter_that_is_clicked_is_the_one_that_is_heard(site: Site, page: Page, way: int) -> None:
    page.go(site.addresses()[way])
    wanted = starts(site.root)
    assert len(wanted) == len(TAKES)
    # from back to front: where one is already, nothing is shown
    for at, (start, take) in reversed(list(enumerate(zip(wanted, TAKES, strict=True)))):
        assert abs(page.run(JUMP % at) - start) < 0.1
        assert abs(page.run(LISTEN) - take.hertz) < 12
        assert page.run("document.querySelector('.chapters [aria-current] .at').textContent") == f"0:00:{int(start):02}"
        assert page.run("location.hash") == f"#t=0:00:{int(start):02}"


@pytest.mark.parametrize("way", [0, 1], ids=["served", "file"])
def test_a_link_to_a_time_lands_there(site: Site, page: Page, way: int) -> None:
    second = starts(site.root)[1]
    page.go("about:blank")
    page.go(f"{site.addresses()[way]}#t=0:00:{second + 0.5:04.1f}")
    page.wait(lambda: page.run("document.querySelector('audio').readyState") >= 2)
    assert abs(page.run("document.querySelector('audio').currentTime") - second - 0.5) < 0.1
    assert abs(page.run(LISTEN) - TAKES[1].hertz) < 12
    page.run("location.hash = '#t=1'")
    page.wait(lambda: abs(page.run("document.querySelector('audio').currentTime") - 1) < 0.1)
    page.run("document.querySelectorAll('.transcript a[data-t]')[1].click(); document.querySelector('audio').pause()")
    assert abs(page.run("document.querySelector('audio').currentTime") - 7.5) < 0.1


def test_keys_do_what_they_say_and_only_where_nothing_else_is_meant(site: Site, page: Page) -> None:
    page.go("about:blank")
    page.go(f"{site.addresses()[0]}#t=0")
    page.wait(lambda: page.run("document.querySelector('audio').readyState") >= 2)
    now = "document.querySelector('audio').currentTime"
    paused = "document.querySelector('audio').paused"
    page.press("]")
    assert page.run(now) == starts(site.root)[1]
    page.press("[")
    assert page.run(now) == 0
    page.press("n")
    page.press("ArrowLeft")
    assert page.run(now) == 0
    page.press(" ")
    page.wait(lambda: not page.run(paused))
    page.press(" ")
    page.wait(lambda: page.run(paused))
    page.press("+")
    assert page.run("document.querySelector('audio').playbackRate") == 1.1
    page.press("-")
    page.run("document.getElementById('keys').click()")
    before = page.run(now)
    page.press("]")
    assert page.run(now) == before
    page.run("document.getElementById('keys').click()")
    # with the keyboard alone: every control is reached, and Enter on a chapter goes there
    page.run("document.querySelectorAll('.chapters a[data-t]')[2].focus()")
    page.press("Enter")
    page.wait(lambda: page.run(now) >= starts(site.root)[2])
    page.run("document.querySelector('audio').pause()")


def test_where_one_stopped_one_goes_on(site: Site, page: Page) -> None:
    page.go("about:blank")
    page.go(f"{site.addresses()[0]}#t=8.5")
    page.wait(lambda: page.run("document.querySelector('audio').readyState") >= 2)
    page.go("about:blank")
    page.go(site.addresses()[0])
    assert abs(page.run("document.querySelector('audio').currentTime") - 8.5) < 0.1


def test_hostile_texts_are_shown_and_do_nothing(site: Site, page: Page) -> None:
    for address in (*site.addresses(), *site.addresses("index.html")):
        page.go(address)
        assert "owned" not in page.run("document.title")
        assert HOSTILE in page.run("document.body.textContent")
    # and if one came through, the policy would stop it; its complaint is what the console then holds
    page.run("document.body.insertAdjacentHTML('beforeend', '<img src=../none.jpg onerror=document.title=`owned`>')")
    page.run("new Promise((done) => { setTimeout(done, 300) })")
    assert "owned" not in page.run("document.title")
    assert [one for one in page.said if "Content Security Policy" in one]
    page.said.clear()


def test_without_scripts_the_page_plays_and_its_chapters_lead_into_the_file(site: Site, page: Page) -> None:
    page.do("Emulation.setScriptExecutionDisabled", value=True)
    try:
        page.go(site.addresses()[0])
        text = page.do("DOM.getOuterHTML", nodeId=page.do("DOM.getDocument")["root"]["nodeId"])["outerHTML"]
    finally:
        page.do("Emulation.setScriptExecutionDisabled", value=False)
    assert re.search(r"<audio [^>]*controls", text)
    assert '<div class="desk" hidden' in text
    assert len(re.findall(r'href="[^"]+\.mp3#t=[0-9.]+"', text)) >= len(TAKES)


def test_a_page_is_there_in_a_second_and_takes_less_than_a_megabyte(site: Site, page: Page) -> None:
    for way in (0, 1):
        page.go("about:blank")
        page.go(site.addresses()[way])
        assert page.run("document.querySelector('.desk').hidden") is False
        assert 0 < page.work() < 1
    page.go(site.addresses()[0])
    sizes = page.run("performance.getEntriesByType('resource').filter((one) => !one.name.includes('.mp3')).map((one) => one.decodedBodySize)")
    whole = sum(sizes) + page.run("performance.getEntriesByType('navigation')[0].decodedBodySize")
    assert 10_000 < whole < 1_000_000


@pytest.mark.parametrize("width", [390, 1440])
def test_nothing_is_wider_than_the_window_and_what_is_touched_is_large(site: Site, page: Page, width: int) -> None:
    page.size(width, 844)
    for path in (f"episodes/{project.EPISODE}.html", f"series/{project.SERIES}.html", "index.html"):
        page.go(site.addresses(path)[0])
        assert page.run("document.documentElement.scrollWidth") <= width
        small = """[...document.querySelectorAll("button, select, .jump, .ways a, .plain a, summary, #position, .home")]
          .filter((one) => one.checkVisibility() && one.getBoundingClientRect().height < 44).map((one) => one.outerHTML.slice(0, 80))"""
        assert page.run(small) == []


def test_axe_finds_nothing_serious(site: Site, page: Page) -> None:
    axe = browser.axe().read_text("utf-8")
    for dark in (False, True):
        page.size(1440, 900, dark=dark)
        for path in (f"episodes/{project.EPISODE}.html", f"series/{project.SERIES}.html", "index.html"):
            page.go(site.addresses(path)[0])
            page.run("document.querySelectorAll('details').forEach((one) => { one.open = true })")
            page.run(f"{axe}; 0")
            found = page.run("axe.run().then((said) => said.violations.map((one) => [one.impact, one.id, one.nodes.map((node) => node.html)]))")
            assert [one for one in found if one[0] in ("serious", "critical")] == []


def test_a_page_that_is_looked_at_is_another_one_when_its_config_changes(site: Site, page: Page) -> None:
    page.go(site.addresses()[0])
    page.wait(lambda: any(urlsplit(one).path.endswith(".html") for one in page.asked[1:]), 5)
    with project.edited(site.root) as config:
        config["title"] = "Seen at once"
    page.wait(lambda: page.run("document.title") == "Seen at once", 10)
