"""Samples of a run, streamed: its segments decoded one after the other with silence between, cut into the inputs of its chunks.

A chunk's input is spooled to an anonymous temporary file (it has no name, so nothing is left behind however we end) and handed on as soon as it is
complete. Not more than a few spools exist at a time: the caller's handling of one holds back the next.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from audio import ffmpeg, graph
from audio.errors import FfmpegFailed, SourceUnreadable
from audio.limiter import limited

if TYPE_CHECKING:
    from audio.graph import Edit
    from audio.runs import Chunk, Run
    from audio.source import Source

_SILENCE = bytes(1 << 16)


@dataclass(frozen=True, slots=True)
class Material:
    """What a segment is made of: a recording and what is done to it."""

    source: Source
    edit: Edit


@dataclass
class _Spool:
    chunk: Chunk
    start: int
    end: int
    file: IO[bytes]


def spool(
    run: Run, chunks: Sequence[Chunk], materials: dict[str, Material], channels: int, folder: Path, admit: Callable[[], None] = lambda: None
) -> Iterator[tuple[Chunk, IO[bytes]]]:
    """Give (chunk, open file at its start with the f32le input) for each of ``chunks``, in order; the receiver closes the file.

    ``admit`` is called before each new spool and may block. Only what the chunks need is decoded. Raises SourceUnreadable.
    """
    frame = graph.SAMPLE_BYTES * channels
    waiting = sorted(chunks, key=lambda c: c.start_sample)
    opened: list[_Spool] = []
    at = waiting[0].start_sample if waiting else 0
    last = max((c.start_sample + c.input_samples for c in waiting), default=0)
    try:
        for block in _samples(run, materials, at, last, frame):
            end = at + len(block) // frame
            while waiting and waiting[0].start_sample < end:
                admit()
                chunk = waiting.pop(0)
                file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  handed on open
                opened.append(_Spool(chunk, chunk.start_sample, chunk.start_sample + chunk.input_samples, file))
            for one in list(opened):
                piece = block[max(0, one.start - at) * frame : (one.end - at) * frame]
                one.file.write(piece)
                if end >= one.end:
                    opened.remove(one)
                    one.file.seek(0)
                    yield one.chunk, one.file
            at = end
    finally:
        for one in opened:
            one.file.close()


def _samples(run: Run, materials: dict[str, Material], start: int, end: int, frame: int) -> Iterator[bytes]:
    """The run's samples [start, end), counted from its first; silence before, between and after its parts."""
    at = start
    for part in run.parts:
        if part.offset + part.length <= at:
            continue
        if part.offset >= end:
            break
        yield from _zeros(min(part.offset, end) - at, frame)
        at = max(at, part.offset)
        skip = at - part.offset
        for block in _sounding(materials[part.name], skip, frame):
            yield block[: (end - at) * frame]
            at += len(block) // frame
            if at >= end:
                return
    yield from _zeros(end - at, frame)


def _zeros(samples: int, frame: int) -> Iterator[bytes]:
    left = samples * frame
    while left > 0:
        size = min(left, len(_SILENCE) // frame * frame)
        yield _SILENCE[:size]
        left -= size


def _sounding(material: Material, skip: int, frame: int) -> Iterator[bytes]:
    """A segment as it sounds, less its first ``skip`` samples: exactly the edit's length, whole frames per block."""
    blocks = _decoded(material, frame)
    if material.edit.ceiling is not None:
        blocks = limited(blocks, material.edit.channels, material.edit.ceiling)
    unwanted = skip * frame
    for block in blocks:
        fresh = block[unwanted:]
        unwanted = max(0, unwanted - len(block))
        if fresh:
            yield fresh


def _decoded(material: Material, frame: int) -> Iterator[bytes]:
    wanted = material.edit.length * frame
    seen = 0
    rest = b""
    try:
        with ffmpeg.Process(graph.render(ffmpeg.find(), material.source, material.edit)) as process:
            for block in process.blocks():
                block = (rest + block)[: wanted - seen]
                whole = len(block) // frame * frame
                rest = block[whole:]
                seen += whole
                yield block[:whole]
            process.finish()
    except FfmpegFailed as error:
        raise SourceUnreadable(material.source.path, f"cannot be decoded: {error.last_line}", "export it again") from error
    if seen < wanted:
        raise SourceUnreadable(material.source.path, "changed while it was read: it is shorter than when it was measured", "run again")


def beginning(material: Material, samples: int) -> bytes:
    """The first samples of a segment as they sound in the programme, f32le."""
    frame = graph.SAMPLE_BYTES * material.edit.channels
    out = b""
    for block in _sounding(material, 0, frame):
        out += block
        if len(out) >= samples * frame:
            break
    return out[: samples * frame]
