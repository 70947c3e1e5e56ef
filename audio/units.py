"""The units of the house. A bare number never says what it counts; these names do.

Positions and lengths are integer samples at :data:`RATE` everywhere. Milliseconds and seconds exist only where a file format asks for them
(tags, chapter lists, feeds) and where a person types them (the configs).
"""

from __future__ import annotations

from typing import NewType

Samples = NewType("Samples", int)
"""A count of sample frames (one value per channel) at 48 kHz."""
Ms = NewType("Ms", int)
"""Whole milliseconds: what ID3 and the chapter lists count in."""
Lufs = NewType("Lufs", float)
"""Loudness in LUFS (ITU-R BS.1770-4, gated)."""
Db = NewType("Db", float)
"""A ratio in decibels: a gain, or a level under full scale."""
Dbtp = NewType("Dbtp", float)
"""True peak in dB under full scale (ITU-R BS.1770-4 annex 2)."""

RATE = 48_000
"""Samples per second of everything after the decoder."""
FRAME = 1_152
"""Samples in one MPEG-1 layer III frame: 24 ms at 48 kHz."""


def samples_from_seconds(seconds: float) -> Samples:
    """The nearest whole sample to a time in seconds."""
    return Samples(round(seconds * RATE))


def seconds(samples: int) -> float:
    """A sample count as seconds, for people and for formats that ask for them."""
    return samples / RATE


def ms(samples: int) -> Ms:
    """A sample count as whole milliseconds, rounded to the nearest; exact on every frame edge (24 ms)."""
    return Ms((samples * 1000 + RATE // 2) // RATE)
