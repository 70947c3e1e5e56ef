"""What can go wrong with sound.

AudioError
|-- FfmpegMissing        no usable ffmpeg was found
|-- FfmpegFailed         ffmpeg ran and failed; carries the command, the exit code and the end of its stderr
|-- SourceUnreadable     a recording cannot be used; carries its path and why
|-- SessionUnusable      tracks that cannot be mixed; carries a SourceUnreadable for each
|-- StreamBroken         MPEG frames that do not fit together
|-- TagError             a tag that cannot be built or read
|-- TextUnreadable       markers or a transcript that cannot be read; carries line and column
|-- VoiceMissing         scratch narration was asked for and its voice is not installed
|-- DenoiserMissing      noise reduction was asked for and its extra is not installed
`-- TranscriberMissing   a transcript was asked for and its extra is not installed
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path


class AudioError(Exception):
    """Root of everything this package raises on purpose."""


class FfmpegMissing(AudioError):
    """No usable ffmpeg: neither ``$FFMPEG_BINARY``, nor one on PATH, nor the one of the ``[ffmpeg]`` extra."""


class FfmpegFailed(AudioError):
    """ffmpeg ended with an error. ``command`` can be pasted into a shell."""

    def __init__(self, argv: Sequence[str], returncode: int, stderr_tail: str) -> None:
        self.argv = tuple(argv)
        self.returncode = returncode
        self.stderr_tail = stderr_tail.strip()
        ended = f"was killed by signal {-returncode}" if returncode < 0 else f"failed with {returncode}"
        # ffmpeg as a rule, under whatever name; or a Python that works beside us.
        super().__init__(f"{os.path.basename(self.argv[0])} {ended}: {self.last_line}")

    @property
    def command(self) -> str:
        return shlex.join(self.argv)

    @property
    def last_line(self) -> str:
        lines = self.stderr_tail.splitlines()
        return lines[-1] if lines else "it said nothing"


class SourceUnreadable(AudioError):
    """A recording that cannot be used: missing, empty, truncated, not audio, or silent. ``point`` is "in", "out" or "cut" when that is what is wrong,
    and ``number`` then which of the cuts, from 0.
    """

    def __init__(self, path: Path, why: str, hint: str = "", *, point: str = "", number: int = 0) -> None:
        self.path = path
        self.point = point
        self.number = number
        self.why = why
        self.hint = hint
        super().__init__(f"{path}: {why}")


class SessionUnusable(AudioError):
    """Tracks of one session that cannot be used, or do not belong to it; all of them at once. ``heard``: each could be decoded, and the same tracks
    will always be refused.
    """

    def __init__(self, errors: Iterable[SourceUnreadable], *, heard: bool = False) -> None:
        self.errors = tuple(errors)
        self.heard = heard
        super().__init__("; ".join(map(str, self.errors)))


class StreamBroken(AudioError):
    """MPEG frames that cannot be parsed or joined."""


class TagError(AudioError):
    """A tag sheet that cannot be written, or a tag that cannot be read back."""


class TextUnreadable(AudioError):
    """A file of markers or cues that cannot be read: ``why``, at a line and column from 1, and what to do about it."""

    def __init__(self, why: str, line: int, column: int, hint: str = "") -> None:
        self.why = why
        self.line = line
        self.column = column
        self.hint = hint
        super().__init__(f"{line}:{column}: {why}")


class VoiceMissing(AudioError):
    """The scratch voice is an extra and is not installed."""


class TranscriberMissing(AudioError):
    """A draft of a transcript was asked for; what hears it is an extra and is not installed, or does not run here."""


class DenoiserMissing(AudioError):
    """Noise reduction was asked for that is an extra, and it is not installed or does not run here."""
