"""Listening before publishing: a window of the programme as it will sound, and a reel of the seconds around its joins.

The window is rendered, sample for sample what the encoder will be given. The reel is decoded from the finished file: what subscribers will hear.
"""

from __future__ import annotations

from pathlib import Path
from typing import IO

from audio import ffmpeg, graph, mpeg, wav
from audio.mpeg import Format
from audio.pcm import Pool
from audio.timeline import Programme
from audio.units import FRAME, RATE, Samples
from production import rendering
from production.plan import Plan
from production.store import replacing, synced

_AROUND = 3 * RATE
"""Samples heard on either side of a join."""
_PAUSE = RATE // 2
_SETTLE = 20
"""Frames decoded and dropped: the first few lack the main data that stands before them."""


def window(planned: Plan, pool: Pool, start: Samples, end: Samples, path: Path) -> None:
    """Write samples [start, end) of the programme to ``path`` as a WAV of 32-bit floats. Raises SourceUnreadable."""
    with replacing(path) as file:
        wav.begin(file, planned.fmt.channels, end - start)
        for block in rendering.sounds(planned, pool, start, end):
            file.write(block.data)
        synced(file)


def joins(programme: Programme) -> tuple[tuple[Samples, Samples], ...]:
    """The stretches around the joins: where a segment begins or ends, three seconds on either side; those that overlap are one."""
    edges = sorted({edge for one in programme.placed if one.segment.kind != "tone" for edge in (one.start, one.end) if 0 < edge < programme.length})
    found: list[tuple[int, int]] = []
    for edge in edges:
        start, end = max(0, edge - _AROUND), min(programme.length, edge + _AROUND)
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return tuple((Samples(start), Samples(end)) for start, end in found)


def reel(programme: Programme, fmt: Format, finished: Path, offset: int, path: Path, folder: Path) -> tuple[Samples, ...]:
    """Write the seconds around every join of a finished file, whose frames begin at byte ``offset``, to ``path``; half a second apart.

    Gives where each stretch of `joins` begins in it.
    """
    stretches = joins(programme)
    begins: list[Samples] = []
    at = 0
    length = sum(end - start for start, end in stretches) + _PAUSE * max(0, len(stretches) - 1)
    with replacing(path) as file, finished.open("rb") as frames:
        wav.begin(file, fmt.channels, length)
        for number, (start, end) in enumerate(stretches):
            if number:
                file.write(bytes(_PAUSE * fmt.channels * graph.SAMPLE_BYTES))
            file.write(_decoded(frames, offset, start, end, fmt, folder))
            begins.append(Samples(at))
            at += end - start + _PAUSE
        synced(file)
    return tuple(begins)


def _decoded(frames: IO[bytes], offset: int, start: Samples, end: Samples, fmt: Format, folder: Path) -> bytes:
    first = max(0, start // FRAME - _SETTLE)
    last = (end + mpeg.DELAY) // FRAME + 2
    frames.seek(offset + first * fmt.frame_bytes)
    data = frames.read((last - first) * fmt.frame_bytes)
    skip = Samples(start - first * FRAME + mpeg.DELAY)
    with ffmpeg.spooled(data, folder) as stdin:
        return ffmpeg.capture(graph.decode_frames(ffmpeg.find(), skip, Samples(end - start)), stdin=stdin)
