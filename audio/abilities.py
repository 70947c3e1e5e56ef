"""What a build of ffmpeg can do, asked of it: its encoders and its filters by name."""

from __future__ import annotations

import re

from audio import ffmpeg, graph
from audio.errors import FfmpegFailed

ENCODERS = ("libmp3lame", "aac", "libopus")
"""The MP3's, and those of the M4A and the Opus file beside it."""
_LISTED = {"encoders": re.compile(r"^ A[A-Z.]{5} (\S+)", re.MULTILINE), "filters": re.compile(r"^ [A-Z.|]{2,3} (\S+) +\S+->\S+", re.MULTILINE)}


def encoders(binary: str) -> frozenset[str]:
    """The audio encoders of a build. Raises FfmpegMissing when it cannot be started."""
    return _named(binary, "encoders")


def filters(binary: str) -> frozenset[str]:
    """The filters of a build. Raises FfmpegMissing when it cannot be started."""
    return _named(binary, "filters")


def _named(binary: str, what: str) -> frozenset[str]:
    try:
        text = ffmpeg.capture(graph.about_all(binary, what)).decode("utf-8", "replace")
    except FfmpegFailed:
        return frozenset()
    return frozenset(_LISTED[what].findall(text))
