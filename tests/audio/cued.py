"""WAVs with cue points, put together byte by byte; and where a complaint about a file has to be."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from audio.errors import TextUnreadable


def chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) & 1)


def markers(cues: Sequence[tuple[int, str, int]]) -> bytes:
    """The chunks of cue points: (sample, label, length in samples; 0: a point)."""
    points = b"".join(struct.pack("<II4sIII", n, at, b"data", 0, 0, at) for n, (at, _, _) in enumerate(cues, 1))
    labels = b"".join(chunk(b"labl", struct.pack("<I", n) + text.encode() + b"\0") for n, (_, text, _) in enumerate(cues, 1))
    lengths = b"".join(chunk(b"ltxt", struct.pack("<II4sHHHH", n, size, b"rgn ", 0, 0, 0, 0)) for n, (_, _, size) in enumerate(cues, 1) if size)
    return chunk(b"cue ", struct.pack("<I", len(cues)) + points) + chunk(b"LIST", b"adtl" + labels + lengths)


def wav(samples: NDArray[np.float64], rate: int, cues: Sequence[tuple[int, str, int]], *, rf64: bool = False) -> bytes:
    """Mono samples as 16-bit PCM, and their cue points behind them."""
    data = np.round(samples * 32767).astype("<i2").tobytes()
    fmt = chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, rate, rate * 2, 2, 16))
    if not rf64:
        body = b"WAVE" + fmt + chunk(b"data", data) + markers(cues)
        return b"RIFF" + struct.pack("<I", len(body)) + body
    long = chunk(b"ds64", struct.pack("<QQQI", 0, len(data), len(samples), 0))
    return b"RF64" + b"\xff" * 4 + b"WAVE" + long + fmt + b"data" + b"\xff" * 4 + data + markers(cues)


def is_in(error: TextUnreadable, data: bytes) -> None:
    """The complaint says a place in the file, and what is wrong there."""
    # One in UTF-16 has no fewer bytes that look like the end of a line than it has lines.
    assert 1 <= error.line <= len(data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n"))
    assert error.column >= 1
    assert error.why
