"""The show's own music: an intro, an outro and a sting, played by small synthesised instruments.

Everything is computed: notes -> instruments -> two channels -> a room -> 24-bit samples at 48 kHz. The notes are a score, in beats;
the instruments are sums of decaying partials. There is no chance in it but the room's reflections, which come from a fixed seed: the same
recipe gives the same music. Memory stays under 150 MB.
"""

from __future__ import annotations

import math
import os
import wave
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from audio.units import RATE

RECIPE_VERSION = "1"
"""Goes into cache keys: changes whenever the music does."""

Name = Literal["intro", "outro", "sting"]
Sound = NDArray[np.float64]

PEAK = 10 ** (-6 / 20)
"""Sample peak of every piece: -6 dBFS leaves room for what a resampler or an encoder adds."""
TAU = 2 * math.pi


# -- score -----------------------------------------------------------------------------------------------------------------------


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


# -- instruments -----------------------------------------------------------------------------------------------------------------


def _hertz(key: int) -> float:
    return float(440.0 * 2.0 ** ((key - 69) / 12))


def _time(seconds: float) -> Sound:
    return np.arange(round(seconds * RATE), dtype=np.float64) / RATE


def _edge(count: int) -> Sound:
    """Half a raised cosine from 0 up to 1: its slope is zero at both ends, so nothing clicks."""
    return 0.5 - 0.5 * np.cos(np.linspace(0.0, math.pi, count))


def _shaped(sound: Sound, attack: float, release: float) -> Sound:
    rising, falling = (min(sound.shape[-1], max(2, round(seconds * RATE))) for seconds in (attack, release))
    sound[..., :rising] *= _edge(rising)
    sound[..., -falling:] *= _edge(falling)[::-1]
    return sound


def _partials(hertz: float, most: int, ceiling: float = 9000.0) -> range:
    return range(1, 1 + max(1, min(most, int(ceiling / hertz))))


def _pluck(hertz: float, seconds: float) -> Sound:
    """A soft string, picked at a fifth of its length: high partials die first, and lie a little sharp as on stiff strings."""
    t = _time(seconds + 0.6)
    sound = np.zeros_like(t)
    for n in _partials(hertz, 14):
        strength = abs(math.sin(math.pi * n / 5.1)) / n**1.45
        frequency = n * hertz * math.sqrt(1 + 0.00012 * n * n)
        sound += strength * np.exp(-t * (1.5 + 0.0022 * hertz + 0.95 * (n - 1))) * np.sin(TAU * frequency * t)
    return _shaped(sound, 0.003, 0.5)


def _bell(hertz: float, seconds: float) -> Sound:
    """A celesta: a struck bar. Its second partial is almost three times the first, and gone soon."""
    t = _time(seconds + 1.4)
    sound = np.zeros_like(t)
    for ratio, strength, decay in ((1.0, 1.0, 1.9), (2.0, 0.22, 2.8), (2.76, 0.16, 6.0), (4.0, 0.10, 5.0), (5.4, 0.07, 13.0)):
        if ratio * hertz < 12_000:
            sound += strength * np.exp(-decay * t) * np.sin(TAU * ratio * hertz * t)
    return _shaped(sound, 0.004, 0.9)


def _bass(hertz: float, seconds: float) -> Sound:
    t = _time(seconds + 0.25)
    sound = np.zeros_like(t)
    for n in _partials(hertz, 5, 700.0):
        sound += np.exp(-t * (0.7 + 0.9 * (n - 1))) * np.sin(TAU * n * hertz * t) / n**1.6
    return _shaped(sound, 0.012, 0.22)


def _pad(hertz: float, seconds: float) -> Sound:
    """Strings, as two channels: three players each, a few cents apart, different ones left and right; the tone opens slowly."""
    t = _time(seconds + 1.1)
    sound = np.zeros((2, t.size))
    opening = (0.45 + 0.55 * np.sin(np.pi * np.minimum(t / (seconds + 1.1), 1.0))) ** 0.35
    for channel, players in enumerate(((-5.5, 0.7, 3.9), (-3.6, -0.9, 5.8))):
        for player, cents in enumerate(players):
            # The n-th power of the first partial is the n-th partial: one multiplication instead of one sine.
            first = np.exp(TAU * 1j * hertz * 2 ** (cents / 1200) * t) * opening
            partial = np.full(t.size, np.exp(1j * (2.4 * player + 0.9 * channel)))
            for n in _partials(hertz, 8, 3600.0):
                partial *= first * np.exp(1.7j)
                sound[channel] += partial.imag / n**1.9
    return _shaped(sound, 0.38, 1.0)


@dataclass(frozen=True, slots=True)
class Instrument:
    play: Callable[[float, float], Sound]
    level: float
    room: float
    """How much of it the room hears: 0 is dry."""


INSTRUMENTS = {
    "bass": Instrument(_bass, 0.29, 0.04),
    "pad": Instrument(_pad, 0.030, 0.50),
    "pluck": Instrument(_pluck, 0.26, 0.34),
    "bell": Instrument(_bell, 0.17, 0.55),
}


# -- room and master -------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _room() -> Sound:
    """The answer of a medium hall, as two channels of unit energy: noise from a fixed seed that decays faster the higher it is."""
    seconds, bands = 2.6, ((120.0, 500.0, 2.1), (500.0, 1600.0, 1.8), (1600.0, 4500.0, 1.2), (4500.0, 11_000.0, 0.6))
    t = _time(seconds)
    noise = np.random.default_rng(20_240_517).standard_normal((2, t.size))
    spectrum = np.fft.rfft(noise)
    frequency = np.fft.rfftfreq(t.size, 1 / RATE)
    room = np.zeros_like(noise)
    for low, high, decay in bands:
        inside = np.exp(-0.5 * (np.log2(np.maximum(frequency, 1.0) / math.sqrt(low * high)) / (0.5 * math.log2(high / low))) ** 2)
        room += np.fft.irfft(spectrum * inside, t.size) * 10 ** (-3 * t / decay)
    before = round(0.014 * RATE)
    room = np.concatenate([np.zeros((2, before)), room[:, :-before]], axis=1)
    room[:, before : before + round(0.02 * RATE)] *= _edge(round(0.02 * RATE))
    scaled: Sound = room / np.sqrt(np.sum(room**2, axis=1, keepdims=True))
    return scaled


def _in_room(sound: Sound) -> Sound:
    room = _room()
    size = 1 << (sound.shape[1] + room.shape[1]).bit_length()
    answer: Sound = np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(room, size), size)[:, : sound.shape[1]]
    return answer


def _without_rumble(sound: Sound) -> Sound:
    """Nothing below about 30 Hz, and no DC: a smooth high-pass, in the spectrum, on a padded copy."""
    size = 1 << (sound.shape[1] + RATE).bit_length()
    frequency = np.fft.rfftfreq(size, 1 / RATE)
    keep = 1 / (1 + (30.0 / np.maximum(frequency, 1e-9)) ** 6)
    clean: Sound = np.fft.irfft(np.fft.rfft(sound, size) * keep, size)[:, : sound.shape[1]]
    return clean


def _placed(tone: Sound, pan: float) -> Sound:
    """Two channels of constant power; what is stereo already is tilted."""
    angle = (pan + 1) * math.pi / 4
    gains = math.sqrt(2) * np.array([[math.cos(angle)], [math.sin(angle)]])
    return np.broadcast_to(tone, (2, tone.shape[-1])) * gains


def render(name: Name) -> Sound:
    """The piece as float64 of shape (2, samples) at 48 kHz, peak at -6 dBFS, first and last sample zero."""
    piece = SCORES[name]()
    length = round(piece.seconds * RATE)
    dry, send = np.zeros((2, length)), np.zeros((2, length))
    beat = 60.0 / piece.tempo
    for part, notes in piece.parts:
        instrument = INSTRUMENTS[part]
        tones: dict[tuple[int, float], Sound] = {}
        for note in notes:
            if (note.key, note.length) not in tones:
                tones[note.key, note.length] = instrument.play(_hertz(note.key), note.length * beat)
            start = round(note.beat * beat * RATE)
            tone = _placed(tones[note.key, note.length], note.pan)[:, : length - start] * (instrument.level * note.loudness)
            dry[:, start : start + tone.shape[1]] += tone
            send[:, start : start + tone.shape[1]] += tone * instrument.room
    sound = _without_rumble(dry + _in_room(send))
    return _shaped(sound * (PEAK / np.max(np.abs(sound))), 0.01, piece.fade)


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
    whole = np.round(sound.T * (2**23 - 1)).astype("<i4")
    return whole.reshape(-1, 1).view(np.uint8).reshape(-1, 4)[:, :3].tobytes()
