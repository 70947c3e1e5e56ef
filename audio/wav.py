"""WAV files of 32-bit floats (RIFF, or RF64 past 4 GiB: EBU Tech 3306), written as a stream whose length is known."""

from __future__ import annotations

import struct
from typing import IO

from audio.units import RATE

_FLOAT = 3
_BYTES = 4


def begin(file: IO[bytes], channels: int, samples: int) -> None:
    """Write what stands before ``samples`` samples of 48 kHz; the caller writes these next, interleaved, f32le."""
    size = samples * channels * _BYTES
    fmt = b"fmt " + struct.pack("<IHHIIHHH", 18, _FLOAT, channels, RATE, RATE * channels * _BYTES, channels * _BYTES, 8 * _BYTES, 0)
    fact = b"fact" + struct.pack("<II", 4, min(samples, 0xFFFFFFFF))
    whole = 4 + len(fmt) + len(fact) + 8 + size
    if whole < 1 << 32:
        file.write(b"RIFF" + struct.pack("<I", whole) + b"WAVE" + fmt + fact + b"data" + struct.pack("<I", size))
        return
    ds64 = b"ds64" + struct.pack("<IQQQI", 28, whole + 36, size, samples, 0)
    file.write(b"RF64" + struct.pack("<I", 0xFFFFFFFF) + b"WAVE" + ds64 + fmt + fact + b"data" + struct.pack("<I", 0xFFFFFFFF))
