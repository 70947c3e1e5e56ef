"""Music on paper: notes and pieces. Who writes one knows nothing of who plays it. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Note:
    """One note: its start and length in beats, its MIDI key (69 = A4 = 440 Hz), its loudness 0..1, and its place from -1 (left) to 1."""

    beat: float
    length: float
    key: int
    loudness: float = 1.0
    pan: float = 0.0


@dataclass(frozen=True, slots=True)
class Piece:
    """A score: parts by instrument, tempo in beats a minute, length and closing fade in seconds."""

    seconds: float
    tempo: float
    fade: float
    parts: tuple[tuple[str, tuple[Note, ...]], ...]
