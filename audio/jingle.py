"""The show's own music: an intro, an outro and a sting, played by small synthesised instruments.

Everything is computed: notes -> instruments -> two channels -> a room -> 24-bit samples at 48 kHz. The notes are a score, in beats;
what plays them is :mod:`audio.synth`, which is not imported before there is something to play. The same recipe gives the same music.
"""

from __future__ import annotations

import os
import wave
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from audio.score import Note, Piece
from audio.units import RATE

if TYPE_CHECKING:
    from audio.synth import Sound

RECIPE_VERSION = "2"
"""Goes into cache keys: changes whenever the music does."""

Name = Literal["intro", "outro", "sting"]


# -- score -----------------------------------------------------------------------------------------------------------------------


D, E, F_SHARP, G, A, B = 62, 64, 66, 67, 69, 71
OCTAVE = 12

# Root in the bass, the chord for the pad, and the chord the plucks break.
D_ADD9 = (D - 24, (D - 12, A - 12, D, E, F_SHARP), (D, A, E + 12, F_SHARP + 12))
B_MINOR11 = (B - 36, (B - 24, F_SHARP - 12, A - 12, D, E), (B - 12, F_SHARP, D + 12, E + 12))
G_MAJOR9 = (G - 24, (G - 12, D, F_SHARP, A, B), (G, D + 12, F_SHARP + 12, A + 12))
A_SUS = (A - 36, (A - 24, E - 12, A - 12, D, E), (A - 12, E, D + 12, E + 12))
Chord = tuple[int, tuple[int, ...], tuple[int, ...]]

BROKEN = (0, 1, 2, 3, 1, 2, 3, 2)
"""The order in which the eighths of a bar walk over a chord; each step sounds in another place, as a message between nodes."""
PLACES = (-0.7, 0.35, -0.25, 0.75)


def _bars(chords: tuple[Chord, ...], swell: tuple[float, ...]) -> dict[str, list[Note]]:
    """Accompaniment, four beats a bar: bass, pad and broken chords."""
    parts: dict[str, list[Note]] = {"bass": [], "pad": [], "pluck": []}
    for bar, ((root, pad, broken), loudness) in enumerate(zip(chords, swell, strict=True)):
        start = 4.0 * bar
        parts["bass"] += [Note(start, 2.4, root, loudness), Note(start + 2.5, 1.4, root + OCTAVE, 0.45 * loudness)]
        parts["pad"] += [Note(start, 4.3, key, loudness, pan) for key, pan in zip(pad, (-0.2, 0.6, -0.6, 0.4, -0.4), strict=True)]
        parts["pluck"] += [
            Note(start + step / 2, 1.5, broken[i], loudness * (0.95 if step % 4 == 0 else 0.66), PLACES[i]) for step, i in enumerate(BROKEN)
        ]
    return parts


def _ending(beat: float, chord: Chord, top: tuple[int, ...]) -> dict[str, list[Note]]:
    """The last chord, rolled upwards and left to ring."""
    root, pad, broken = chord
    roll = (*broken, *top)
    return {
        "bass": [Note(beat, 6.0, root, 1.0)],
        "pad": [Note(beat, 5.0, key, 0.95, pan) for key, pan in zip(pad, (-0.2, 0.6, -0.6, 0.4, -0.4), strict=True)],
        "pluck": [Note(beat + 0.11 * i, 4.0, key, 0.9 - 0.05 * i, PLACES[i % 4]) for i, key in enumerate(roll)],
        "bell": [Note(beat + 0.11 * len(roll), 4.0, top[-1], 0.7, 0.15)],
    }


def _piece(seconds: float, tempo: float, fade: float, *layers: dict[str, list[Note]]) -> Piece:
    names = sorted({name for layer in layers for name in layer})
    return Piece(seconds, tempo, fade, tuple((name, tuple(note for layer in layers for note in layer.get(name, []))) for name in names))


def _melody(*notes: tuple[float, float, int]) -> dict[str, list[Note]]:
    return {"bell": [Note(beat, length, key, 0.8, 0.18 * (-1) ** i) for i, (beat, length, key) in enumerate(notes)]}


def _intro() -> Piece:
    melody = _melody(
        (4.0, 1.5, F_SHARP + 12),
        (5.5, 1.5, A + 12),
        (7.0, 1.0, E + 12),
        (8.0, 1.5, F_SHARP + 12),
        (9.5, 1.5, D + 12),
        (11.0, 1.0, B),
        (12.0, 1.5, E + 12),
        (13.5, 1.0, F_SHARP + 12),
        (14.5, 1.5, A + 12),
    )
    bars = _bars((D_ADD9, B_MINOR11, G_MAJOR9, A_SUS), (0.62, 0.78, 0.9, 1.0))
    return _piece(12.0, 104.0, 1.6, bars, melody, _ending(16.0, D_ADD9, (A + 12, D + 24)))


def _outro() -> Piece:
    melody = _melody(
        (0.0, 1.5, B + 12),
        (1.5, 1.5, A + 12),
        (3.0, 1.0, F_SHARP + 12),
        (4.0, 1.5, E + 12),
        (5.5, 2.0, A + 12),
        (8.0, 1.5, F_SHARP + 12),
        (9.5, 1.5, E + 12),
        (11.0, 1.0, D + 12),
        (12.0, 1.5, B),
        (13.5, 1.0, D + 12),
        (14.5, 1.5, E + 12),
    )
    bars = _bars((G_MAJOR9, A_SUS, B_MINOR11, G_MAJOR9), (1.0, 0.92, 0.84, 0.74))
    return _piece(15.0, 92.0, 2.6, bars, melody, _ending(16.0, D_ADD9, (A + 12,)))


def _sting() -> Piece:
    plucks = [Note(0.12 * i, 2.0, key, 0.85, PLACES[i]) for i, key in enumerate((A, D + 12, F_SHARP + 12, A + 12))]
    low = [Note(0.0, 2.0, key, 0.6, pan) for key, pan in ((D - 12, 0.0), (A - 12, -0.5), (D, 0.5))]
    return _piece(2.0, 104.0, 0.9, {"pluck": plucks, "pad": low, "bell": [Note(0.48, 2.0, D + 24, 0.75, 0.1)], "bass": [Note(0.0, 1.2, D - 24, 0.7)]})


SCORES: dict[Name, Callable[[], Piece]] = {"intro": _intro, "outro": _outro, "sting": _sting}


def render(name: Name) -> Sound:
    """The piece as float32 of shape (2, samples) at 48 kHz, peak at -6 dBFS, first and last sample zero."""
    from audio import synth

    return synth.play(SCORES[name]())


# -- file ------------------------------------------------------------------------------------------------------------------------


def write(name: Name, path: Path) -> None:
    """Writes a piece as WAV: 24 bit, stereo, 48 kHz. The file appears whole or not at all. OSError when it cannot be written."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with temporary.open("wb") as file:
            with wave.open(file, "wb") as wav:
                wav.setnchannels(2)
                wav.setsampwidth(3)
                wav.setframerate(RATE)
                wav.writeframes(_pcm24(render(name)))
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _pcm24(sound: Sound) -> bytes:
    """Interleaved little-endian 24-bit samples: the low three bytes of 32-bit ones."""
    import numpy as np

    octets = np.round(sound.T * (2**23 - 1)).astype("<i4", order="C").view(np.uint8).reshape(-1, 4)
    packed = np.empty((len(octets), 3), np.uint8)
    for place in range(3):
        packed[:, place] = octets[:, place]
    return packed.tobytes()
