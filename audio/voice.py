"""Scratch narration: a machine's voice for sections that nobody has recorded yet, so that an episode can be heard whole before it is.

The voice is hibari's default one, which is inside its package: nothing is fetched at run time. It is an extra, imported at first use.
Text is read sentence by sentence, with pauses of fixed length, and written as it is read: memory does not grow with the text.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
import threading
import unicodedata
import wave
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audio.errors import VoiceMissing

VOICE_RATE = 24_000
"""Samples per second of what the voice says: one channel, 16 bit."""
VOICE_NAME = "heart"
READING = "1"
"""Changes whenever the same text is prepared or paced differently."""

SENTENCE_PAUSE = 0.25
PARAGRAPH_PAUSE = 0.6
AIR = 0.06
"""Seconds kept before and after what is audible of a sentence; the voice's own silence varies and is cut."""
AUDIBLE = 0.004
LONGEST_SENTENCE = 300
"""Characters the model is given at once: its memory and its breath both end."""
LONGEST_WORD = 40
NO_WORDS = "There is no text to read."

_ONE_AT_A_TIME = threading.Lock()
_loaded: list[Any] = []


# -- what is said ----------------------------------------------------------------------------------------------------------------


def narration(title: str, summary: str | None, talking_points: Sequence[str], *, number_of: tuple[int, int], opening: bool) -> str:
    """The text of a section's scratch narration, which says that it is one.

    ``number_of`` is the section's place and how many there are, (3, 7) for the third of seven; ``opening`` is true for the
    first section, where the listener is told at more length.
    """
    number, count = number_of
    notice = "Scratch narration."
    if opening:
        notice += " You are hearing a rehearsal, read by a synthetic voice. It stands in for recordings that are still to be made."
    points = [_as_sentence(point) for point in talking_points if point.strip()]
    paragraphs = [notice, f"Section {number} of {count}: {_as_sentence(title)}"]
    if summary and summary.strip():
        paragraphs.append(_as_sentence(summary))
    if points:
        paragraphs += ["Talking points.", *points]
    paragraphs.append(f"End of scratch narration for section {number}.")
    return "\n\n".join(paragraphs)


def _as_sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "!", "?", "\u2026")) else f"{text}."


_MARKUP: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"```.*?(```|\Z)", re.DOTALL), " "),
    (re.compile(r"<[^<>\n]{0,300}>"), " "),
    (re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*(?:\s[^()]*)?\)"), r"\1"),
    (re.compile(r"https?://\S+"), " "),
    (re.compile(r"(?m)^\s{0,3}(?:#{1,6}\s+|>\s?|[-*+]\s+|\d{1,3}[.)]\s+)"), ""),
    (re.compile(r"(?m)^\s*(?:[-*_=]\s*){3,}$"), ""),
    (re.compile(r"[*`~\\|\[\]{}]|(?<!\w)_+|_+(?!\w)"), ""),
)
_MAGNITUDES = {"k": "thousand", "m": "million", "b": "billion", "t": "trillion"}
_ROMAN = {"I": 1, "II": 2, "III": 3, "IV": 4, "V": 5, "VI": 6, "VII": 7, "VIII": 8, "IX": 9, "X": 10}
_WORDS = {
    "k8s": "Kubernetes",
    "w/": "with",
    "vs.": "versus",
    "e.g.": "for example",
    "i.e.": "that is",
    "SQL": "sequel",
    "NoSQL": "no sequel",
}
_MONEY = re.compile(r"\$(\d[\d,]*(?:\.\d+)?)\s?(thousand|million|billion|trillion|[kmbt])\b(?!\w)", re.IGNORECASE)
_LONG_NUMBER = re.compile(r"\d{13,}")
"""Read digit by digit: no scale has a name for them."""
_PART = re.compile(r"\b(part|act|volume|level|phase)\s+([IVX]+)\b(?!['\u2019])", re.IGNORECASE)
_WORD = re.compile("|".join(rf"(?<!\w){re.escape(word)}(?!\w)" for word in _WORDS))
_DASH = re.compile(r"\s+[-\u2013\u2014]+\s+")


def spoken(text: str) -> tuple[str, ...]:
    """``text`` as paragraphs to be read aloud: without Markdown, addresses and signs that have no name, amounts and numerals in words.

    What holds no letter or digit that the voice can read is left out; the result may be empty.
    """
    text = unicodedata.normalize("NFC", text)
    for pattern, replacement in _MARKUP:
        text = pattern.sub(replacement, text)
    paragraphs = (_in_words(_readable(paragraph)) for paragraph in re.split(r"\n\s*\n|\n", text))
    return tuple(paragraph for paragraph in paragraphs if re.search(r"[^\W_]", paragraph))


def _readable(text: str) -> str:
    """Latin letters, digits and the signs that the voice knows; anything else (emoji, other scripts, controls) becomes a blank."""
    return "".join(c if c.isascii() and c.isprintable() else _nearest(c) for c in text)


def _nearest(character: str) -> str:
    if character in "\u2013\u2014\u2019\u2018\u201c\u201d\u2026\u00a3\u20ac\u00b0":
        return character
    if character in "\u200b\u200c\u200d\ufe0f":
        return ""
    plain = "".join(c for c in unicodedata.normalize("NFKD", character) if c.isascii() and c.isprintable())
    return {"\u00d7": " times ", "\u2192": " to ", "\u2260": " is not ", "\u2248": " about ", "\u00df": "ss"}.get(character, plain or " ")


def _in_words(text: str) -> str:
    text = _LONG_NUMBER.sub(lambda m: " ".join(m[0]), text)
    text = _MONEY.sub(lambda m: f"{m[1]} {_MAGNITUDES.get(m[2].lower(), m[2].lower())} dollars", text)
    text = _PART.sub(lambda m: f"{m[1]} {_ROMAN.get(m[2].upper(), m[2])}", text)
    text = _WORD.sub(lambda m: _WORDS[m[0]], text)
    text = _DASH.sub(", ", text.replace("&", " and "))
    text = re.sub(r"\s*\(\s*|\s*\)\s*(?=\w)", ", ", text).replace(")", "")
    return " ".join(re.sub(r"\s+([,.;:!?])", r"\1", text).split()).lstrip(",.;:!? ")


def breaths(sentence: str) -> Iterator[str]:
    """A sentence in stretches of at most ``LONGEST_SENTENCE`` characters, cut between words, and after a comma when one is near."""
    words = [word[i : i + LONGEST_WORD] for word in sentence.split() for i in range(0, len(word), LONGEST_WORD)]
    held = ""
    for word in words:
        full = len(held) + 1 + len(word) > LONGEST_SENTENCE
        if held and (full or (len(held) > 0.7 * LONGEST_SENTENCE and held[-1] in ",;:")):
            yield held
            held = word
        else:
            held = f"{held} {word}".strip()
    if held:
        yield held


# -- saying it -------------------------------------------------------------------------------------------------------------------


def voice_version() -> str:
    """What the sound depends on besides the text: goes into cache keys. Raises VoiceMissing."""
    try:
        versions = [f"{name} {importlib.metadata.version(name)}" for name in ("hibari-tts", "onnxruntime", "numpy")]
    except importlib.metadata.PackageNotFoundError as error:
        raise _missing() from error
    return ", ".join([*versions, f"voice {VOICE_NAME}", f"reading {READING}"])


def speak(text: str, path: Path) -> None:
    """Reads ``text`` into a WAV file: 24 kHz, mono, 16 bit. The same text gives the same bytes.

    A text without a readable word gets a sentence that says so: a file is never empty. The file appears whole or not at all.
    Raises VoiceMissing when the extra is not installed, OSError when the file cannot be written.
    """
    voice = _voice()
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.part")
    try:
        with temporary.open("wb") as file:
            with closing(wave.open(file, "wb")) as wav:
                wav.setnchannels(1)
                wav.setsampwidth(2)
                wav.setframerate(VOICE_RATE)
                for samples in _said(voice, spoken(text) or (NO_WORDS,)):
                    wav.writeframesraw(_pcm16(samples))
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _said(voice: Any, paragraphs: Sequence[str]) -> Iterator[NDArray[np.float32]]:
    """One array a breath, with pauses between. Each starts from the same seed: it does not depend on what went before."""
    pause = _silence(SENTENCE_PAUSE)
    for paragraph in paragraphs:
        for sentence in voice.split_sentences(paragraph):
            for breath in breaths(sentence):
                yield pause
                yield _trimmed(_read(voice, breath))
                pause = _silence(SENTENCE_PAUSE)
        pause = _silence(PARAGRAPH_PAUSE)
    yield _silence(SENTENCE_PAUSE)


def _read(voice: Any, breath: str) -> NDArray[np.float32]:
    """A breath as the voice reads it. Where its number and word rules fail on something odd, the words that it can read remain."""
    try:
        return np.asarray(voice(breath, seed=0), dtype=np.float32)
    except (LookupError, ValueError, TypeError, AttributeError, RecursionError):
        words = breath.split()
        if len(words) < 2:
            return _silence(0.0)
        half = len(words) // 2
        return np.concatenate([_read(voice, " ".join(part)) for part in (words[:half], words[half:])])


def _trimmed(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Without the voice's own silence at both ends; what is kept of it fades to zero, so no cut is heard."""
    audible = np.flatnonzero(np.abs(samples) > AUDIBLE)
    if not audible.size:
        return samples[:0]
    air = round(AIR * VOICE_RATE)
    kept = samples[max(0, audible[0] - air) : audible[-1] + 1 + air].copy()
    ramp = np.linspace(0.0, 1.0, min(air, kept.size), dtype=np.float32)
    kept[: ramp.size] *= ramp
    kept[-ramp.size :] *= ramp[::-1]
    return kept


def _silence(seconds: float) -> NDArray[np.float32]:
    return np.zeros(round(seconds * VOICE_RATE), dtype=np.float32)


def _pcm16(samples: NDArray[np.float32]) -> bytes:
    return np.round(np.clip(samples, -1.0, 1.0) * 32767).astype("<i2").tobytes()


def _voice() -> Any:
    """The model, loaded once (half a second). One thread: whoever renders beside it has the other cores."""
    with _ONE_AT_A_TIME:
        if not _loaded:
            try:
                from hibari import Hibari
            except ImportError as error:
                raise _missing() from error
            _loaded.append(Hibari(voice=VOICE_NAME, threads=1))
        return _loaded[0]


def _missing() -> VoiceMissing:
    return VoiceMissing("scratch narration needs its voice: pip install 'distributed-systems-podcast[scratch]'")
