"""What people see: progress on one line of stderr while it is a terminal, plain lines otherwise, results on stdout. Prints, with `cli`, alone."""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from typing import TextIO

_REDRAW_SECONDS = 0.1
_BAR = 24


class Terminal:
    """Keeps the progress line and the lasting lines out of each other's way. Thread-safe."""

    def __init__(self, stream: TextIO | None = None, *, quiet: bool = False) -> None:
        self._stream = stream or sys.stderr
        self._quiet = quiet
        # A dumb terminal (an editor's shell, say) knows no way to clear a line.
        self._live = self._stream.isatty() and os.environ.get("TERM") != "dumb" and not quiet
        self._guard = threading.Lock()
        self._drawn = False
        self._last = 0.0
        self._started = time.monotonic()

    def line(self, text: str) -> None:
        """A line that stays."""
        if self._quiet:
            return
        with self._guard:
            self._wipe()
            print(text, file=self._stream, flush=True)

    def error(self, text: str) -> None:
        """A line that stays, also when quiet."""
        with self._guard:
            self._wipe()
            print(text, file=self._stream, flush=True)

    def progress(self, label: str, done: float, total: float) -> None:
        """Redraw the progress line; ``total`` 0 means that the end is not known yet."""
        if not self._live:
            return
        now = time.monotonic()
        with self._guard:
            if not total or done <= 0:
                self._started = now if done <= 0 else self._started
            if now - self._last < _REDRAW_SECONDS:
                return
            self._last = now
            text = f"{label}" if not total else f"{_bar(done / total)} {done / total:4.0%}  {label}  {self._left(now, done / total)}"
            self._stream.write("\r\x1b[K" + text[: shutil.get_terminal_size().columns - 1])
            self._stream.flush()
            self._drawn = True

    def _left(self, now: float, share: float) -> str:
        spent = now - self._started
        if share < 0.03 or spent < 2:
            return ""
        left = round(spent * (1 - share) / share)
        return f"{left // 60}:{left % 60:02} left"

    def _wipe(self) -> None:
        if self._drawn:
            self._stream.write("\r\x1b[K")
            self._drawn = False

    def close(self) -> None:
        with self._guard:
            self._wipe()


def _bar(share: float) -> str:
    full = round(_BAR * min(1.0, share))
    return "[" + "#" * full + "." * (_BAR - full) + "]"
