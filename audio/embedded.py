"""Markers inside a recording: cue points of a WAV with their labels, and chapters in the tag of an MP3.

WAV: the chunks ``cue ``, and ``labl``, ``note`` and ``ltxt`` in a list ``adtl`` (Microsoft and IBM, Multimedia Programming Interface 1.0);
stretches also as loops in ``smpl``, as Reaper writes them; RF64 and BW64 (EBU Tech 3306) too. What is damaged in them is left out: the sound is
what a recording is for.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from audio.marker import MOST, Marker, address, numbered
from audio.textfile import counted
from audio.units import RATE, Samples

_WHOLE = (b"RIFF", b"RF64", b"BW64")
_MOST_CHUNKS = 10_000
_MOST_BYTES = 8 << 20
"""Of one chunk of markers."""
_MOST_TAG = 64 << 20
_CUE = struct.Struct("<II4sIII")
_LOOP = struct.Struct("<IIIIII")
_SMPL_HEAD = 36
_HEAD = 10
_PER_MS = RATE // 1000


@dataclass
class _Chunks:
    """What the chunks of a WAV say, in the recording's own samples."""

    rate: int = 0
    cues: dict[int, int] = field(default_factory=dict)
    labels: dict[int, bytes] = field(default_factory=dict)
    notes: dict[int, bytes] = field(default_factory=dict)
    lengths: dict[int, int] = field(default_factory=dict)


def wav(path: Path) -> tuple[int | None, tuple[Marker, ...]]:
    """A WAV's rate in Hz, and its cue points by time; None and none of any other file. Raises OSError."""
    found = _Chunks()
    with path.open("rb") as file:
        for name, size in _chunks(file):
            if name == b"fmt " and size >= 8:
                found.rate = int.from_bytes(file.read(8)[4:], "little")
            elif name == b"cue ":
                _read_cues(file.read(min(size, _MOST_BYTES)), found)
            elif name == b"smpl":
                _read_loops(file.read(min(size, _MOST_BYTES)), found)
            elif name == b"LIST" and file.read(4) == b"adtl":
                _read_list(file.read(min(size, _MOST_BYTES)), found)
    return found.rate or None, numbered(_markers(found)) if found.rate else ()


def _chunks(file: IO[bytes]) -> Iterator[tuple[bytes, int]]:
    """Names and sizes of a WAV's chunks; the file stands at the body of each."""
    head, size = file.read(12), os.fstat(file.fileno()).st_size
    if head[:4] not in _WHOLE or head[8:] != b"WAVE":
        return
    at, long = 12, 0
    for _ in range(_MOST_CHUNKS):
        file.seek(at)
        head = file.read(8)
        if len(head) < 8:
            return
        name, length = head[:4], int.from_bytes(head[4:], "little")
        if name == b"ds64":
            long = int.from_bytes(file.read(16)[8:], "little")
            file.seek(at + 8)
        if name == b"data" and length == 0xFFFFFFFF:
            length = long
        yield name, length
        at += 8 + length + (length & 1)
        if at > size:
            return


def _read_cues(body: bytes, found: _Chunks) -> None:
    for number, _, _, _, _, offset in _records(_CUE, body[4:], int.from_bytes(body[:4], "little")):
        found.cues.setdefault(number, offset)


def _read_loops(body: bytes, found: _Chunks) -> None:
    for number, _, start, end, _, _ in _records(_LOOP, body[_SMPL_HEAD:], int.from_bytes(body[28:32], "little")):
        if end > start and found.cues.get(number, start) == start:
            found.lengths.setdefault(number, end - start)


def _records(kind: struct.Struct, body: bytes, count: int) -> Iterator[tuple[int, ...]]:
    whole = min(count, len(body) // kind.size, MOST)
    return kind.iter_unpack(body[: whole * kind.size])


def _read_list(body: bytes, found: _Chunks) -> None:
    at = 0
    while at + 12 <= len(body):
        name, length, number = struct.unpack_from("<4sII", body, at)
        said = body[at + 12 : at + 8 + length]
        if name == b"labl":
            found.labels.setdefault(number, said)
        elif name == b"note":
            found.notes.setdefault(number, said)
        elif name == b"ltxt" and len(said) >= 4:
            found.lengths[number] = int.from_bytes(said[:4], "little")
            if len(said) > 16:
                found.notes.setdefault(number, said[16:])
        at += 8 + length + (length & 1)


def _markers(found: _Chunks) -> Iterator[Marker]:
    for number, offset in sorted(found.cues.items(), key=lambda one: (one[1], one[0])):
        start = counted(offset, found.rate)
        end = counted(offset + found.lengths.get(number, 0), found.rate)
        if start is not None:
            yield Marker(_text(found.labels.get(number, b"")) or _text(found.notes.get(number, b"")), start, end if end != start else None)


def _text(said: bytes) -> str:
    """A label's text: no program says in which encoding it is."""
    said = said.partition(b"\0")[0]
    try:
        return said.decode("utf-8").strip()
    except UnicodeDecodeError:
        return said.decode("cp1252", "replace").strip()


# -- MP3 -----------------------------------------------------------------------------------------------------------------------------


def tag(path: Path) -> bytes:
    """The ID3v2 tag at the beginning of a file, if it holds chapters; nothing otherwise. Raises OSError."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
        if head[:3] != b"ID3" or len(head) < _HEAD or any(byte > 0x7F for byte in head[6:]):
            return b""
        size = sum(byte << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True))
        body = file.read(min(size, _MOST_TAG))
    return head + body if len(body) == size and b"CHAP" in body else b""


def chapters(raw: bytes) -> tuple[Marker, ...]:
    """The chapters of a tag by time. A tag that cannot be read has none."""
    from audio import tags

    found = sorted(tags.chapters(raw), key=lambda one: one.start)
    return numbered(Marker(one.title, Samples(one.start * _PER_MS), None, address(one.link)) for one in found)
