"""A browser without a window, told what to do in its own protocol (DevTools) over a socket of this machine.

Chromium alone: it is what CI installs. It is given a profile of its own, and reaches nothing but this machine.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-default-apps", "--disable-extensions", "--disable-dev-shm-usage",
    "--mute-audio", "--autoplay-policy=no-user-gesture-required", "--remote-debugging-port=0",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    # So that a page of file:// may be heard by the script that measures it.
    "--allow-file-access-from-files",
)  # fmt: skip


def found() -> str:
    """The path of a Chromium, or a skip that says so."""
    program = next((path for name in NAMES if (path := shutil.which(name))), None)
    if program is None:
        if os.environ.get("REQUIRE_TOOLS") == "1":
            pytest.fail("no Chromium is installed, and REQUIRE_TOOLS=1 says that one must be", pytrace=False)
        pytest.skip("no Chromium is installed: the pages are not looked at in a browser")
    return program


@dataclass
class Page:
    """A tab. ``asked`` are the addresses it requested, ``said`` the errors in its console."""

    socket: ClientConnection
    asked: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    _number: int = 0
    _loaded: int = 0

    def do(self, method: str, **params: Any) -> dict[str, Any]:
        """Call a method of the protocol and wait for its answer."""
        self._number += 1
        self.socket.send(json.dumps({"id": self._number, "method": method, "params": params}))
        while True:
            answer = json.loads(self.socket.recv(timeout=20))
            if answer.get("id") == self._number:
                assert "error" not in answer, answer["error"]
                result: dict[str, Any] = answer["result"]
                return result
            self._hear(answer)

    def _hear(self, event: dict[str, Any]) -> None:
        method, params = event.get("method"), event.get("params", {})
        if method == "Network.requestWillBeSent":
            self.asked.append(params["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.said.append(params["exceptionDetails"].get("exception", {}).get("description") or params["exceptionDetails"]["text"])
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.said.append(f"{params['entry']['text']} {params['entry'].get('url', '')}".strip())
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "assert", "warning"):
            self.said.append(str([one.get("value") for one in params["args"]]))
        elif method == "Page.loadEventFired":
            self._loaded += 1

    def go(self, url: str) -> None:
        """Open an address and wait until everything of it is there."""
        before = self._loaded
        self.do("Page.navigate", url=url)
        self.wait(lambda: self._loaded > before)

    def wait(self, until: Any, seconds: float = 15) -> None:
        """Listen until something holds."""
        end = time.monotonic() + seconds
        while not until():
            assert time.monotonic() < end, "it did not come about"
            with contextlib.suppress(TimeoutError):
                self._hear(json.loads(self.socket.recv(timeout=0.05)))

    def run(self, script: str) -> Any:
        """The value of an expression in the page, when it has come about. Raises AssertionError for what it throws."""
        answer = self.do("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True, userGesture=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def work(self) -> float:
        """Seconds of CPU that the page has taken since it was navigated to: what else is at work on the machine does not count."""
        found = {one["name"]: one["value"] for one in self.do("Performance.getMetrics")["metrics"]}
        return float(found["TaskDuration"])

    def press(self, key: str) -> None:
        text = {"text": key} if len(key) == 1 else {"text": "\r"} if key == "Enter" else {}
        self.do("Input.dispatchKeyEvent", type="keyDown", key=key, **text)
        self.do("Input.dispatchKeyEvent", type="keyUp", key=key)

    def size(self, width: int, height: int, *, dark: bool = False) -> None:
        self.do("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        self.do("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def picture(self, *, whole: bool = False) -> bytes:
        return base64.b64decode(self.do("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"])


@contextlib.contextmanager
def opened(program: str, profile: Path) -> Iterator[Page]:
    """A tab of a new browser, whose profile is in an empty folder."""
    child = subprocess.Popen(
        [program, *FLAGS, f"--user-data-dir={profile}", "about:blank"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        with connect(_address(child, profile), max_size=None, ping_interval=None) as socket:
            browser = Page(socket)
            target = browser.do("Target.createTarget", url="about:blank")["targetId"]
        base = _address(child, profile).split("/devtools/")[0]
        with connect(f"{base}/devtools/page/{target}", max_size=None, ping_interval=None) as socket:
            page = Page(socket)
            for domain in ("Page", "Network", "Runtime", "Log"):
                page.do(f"{domain}.enable")
            page.do("Performance.enable", timeDomain="threadTicks")
            yield page
    finally:
        child.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(10)
        if child.poll() is None:
            child.kill()
            child.wait()


def _address(child: subprocess.Popen[bytes], profile: Path) -> str:
    """Where the browser listens: it writes it down in its profile."""
    end = time.monotonic() + 30
    while time.monotonic() < end and child.poll() is None:
        with contextlib.suppress(OSError, ValueError):
            port, path = (profile / "DevToolsActivePort").read_text().split("\n")[:2]
            return f"ws://127.0.0.1:{int(port)}{path}"
        time.sleep(0.02)
    raise AssertionError("the browser did not come up")


def axe() -> Path:
    """axe.min.js, or a skip that says how to get it."""
    named = os.environ.get("AXE_CORE")
    npm = None if named else shutil.which("npm")
    where = named or (
        npm and f"{subprocess.run([npm, 'root', '-g'], capture_output=True, text=True, check=False).stdout.strip()}/axe-core/axe.min.js"
    )
    if not where or not Path(where).is_file():
        pytest.skip("axe-core is not installed: AXE_CORE names no axe.min.js, and npm has none (npm install -g axe-core)")
    return Path(where)
