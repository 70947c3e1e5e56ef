"""A recording as a value: what is known of it before it is decoded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

AUDIO_SUFFIXES = (
    ".wav",
    ".w64",
    ".rf64",
    ".flac",
    ".aif",
    ".aiff",
    ".caf",
    ".mp3",
    ".m4a",
    ".mp4",
    ".aac",
    ".ogg",
    ".oga",
    ".opus",
    ".wv",
    ".mka",
)
"""Extensions looked for, in this order of preference."""


@dataclass(frozen=True, slots=True)
class Source:
    """A readable recording. ``channels`` is what it holds, ``rate`` in Hz, ``declared`` its length in seconds as the container says it
    (None when it says nothing, or guesses). ``ignore_length``: the WAV's size field is wrong and everything to the end of the file is audio.
    """

    path: Path
    codec: str
    rate: int
    channels: int
    declared: float | None
    ignore_length: bool = False
