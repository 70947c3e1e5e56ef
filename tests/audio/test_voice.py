"""Scratch narration: what is said, and that it is said the same way every time."""

from __future__ import annotations

import importlib.util
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

from audio import voice
from audio.errors import VoiceMissing

speaking = pytest.mark.skipif(importlib.util.find_spec("hibari") is None, reason="the [scratch] extra is not installed")


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("The $100 Billion question & answer", "The 100 billion dollars question and answer"),
        ("It cost $2.1B, not $300M.", "It cost 2.1 billion dollars, not 300 million dollars."),
        ("## **2PC**, `CQRS` and _mTLS_", "2PC, CQRS and mTLS"),
        ("- see [the paper](https://example.org/a_b) now", "see the paper now"),
        ("PART IV: INTEGRATION", "PART 4: INTEGRATION"),
        ("Sagas - Distributed Transactions (That Work)", "Sagas, Distributed Transactions, That Work"),
        ("Caf\u00e9 \U0001f680 na\u00efve", "Cafe naive"),
        ("7" * 13, " ".join("7" * 13)),
        ("snake_case stays", "snake_case stays"),
        ("logs | metrics <br> traces", "logs metrics traces"),
    ],
)
def test_text_is_prepared_for_the_ear(written: str, said: str) -> None:
    assert voice.spoken(written) == (said,)


def test_paragraphs_and_list_items_are_kept_apart_and_code_is_not_read() -> None:
    text = "Why.\n\n1. First\n2. Second\n\n```\nx = 1\n```\n\n---\n\nEnd."
    assert voice.spoken(text) == ("Why.", "First", "Second", "End.")


@pytest.mark.parametrize(
    "text", ["", "  \n ", "\U0001f680\U0001f525", "\u65e5\u672c\u8a9e", "***", "\x00\u202e\ud800", "((( )))", "https://example.org"]
)
def test_text_without_a_readable_word_comes_out_empty(text: str) -> None:
    assert voice.spoken(text) == ()


def test_a_sentence_without_end_is_cut_into_breaths_and_loses_nothing() -> None:
    sentence = "word, " * 400 + "x" * 1000
    cut = list(voice.breaths(sentence))
    assert max(map(len, cut)) <= voice.LONGEST_SENTENCE
    assert "".join(cut).replace(" ", "") == sentence.replace(" ", "")


def test_narration_says_what_it_is_and_where_it_stands() -> None:
    text = voice.narration("CQRS Architecture Mastery", "Reads and writes part.", ["Why", " ", "When not?"], number_of=(3, 7), opening=False)
    assert text.split("\n\n") == [
        "Scratch narration.",
        "Section 3 of 7: CQRS Architecture Mastery.",
        "Reads and writes part.",
        "Talking points.",
        "Why.",
        "When not?",
        "End of scratch narration for section 3.",
    ]


def test_the_opening_narration_explains_the_synthetic_voice() -> None:
    opening = voice.narration("Cold Open", None, (), number_of=(1, 7), opening=True)
    assert "synthetic voice" in opening.split("\n\n")[0]
    assert "Talking points" not in opening


def test_the_silence_around_a_sentence_is_cut_to_a_fixed_length_without_a_step() -> None:
    samples = np.zeros(24_000, dtype=np.float32)
    samples[9_000:12_000] = 0.5
    trimmed = voice._trimmed(samples + np.float32(0.003))
    assert trimmed.size == 3_000 + 2 * round(voice.AIR * voice.VOICE_RATE)
    assert trimmed[0] == trimmed[-1] == 0.0


def test_a_missing_voice_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voice, "_loaded", [])
    monkeypatch.setitem(sys.modules, "hibari", None)
    with pytest.raises(VoiceMissing, match=r"distributed-systems-podcast\[scratch\]"):
        voice.speak("Hello.", tmp_path / "hello.wav")
    assert not list(tmp_path.iterdir())


@speaking
def test_the_same_text_gives_the_same_bytes_and_every_text_gives_sound(tmp_path: Path) -> None:
    for name, text in (
        ("one", "Replicas disagree.\n\nThen they vote."),
        ("two", "Replicas disagree.\n\nThen they vote."),
        ("none", "\U0001f680"),
    ):
        voice.speak(text, tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    for name in ("one", "none"):
        with wave.open(str(tmp_path / name)) as wav:
            assert (wav.getnchannels(), wav.getsampwidth(), wav.getframerate()) == (1, 2, voice.VOICE_RATE)
            samples = np.frombuffer(wav.readframes(wav.getnframes()), "<i2")
        assert samples.size > 1.2 * voice.VOICE_RATE
        assert np.max(np.abs(samples.astype(float))) > 3_000
        assert samples[0] == samples[-1] == 0


def test_what_the_voice_cannot_read_is_left_out_and_the_rest_is_read() -> None:
    def stumbling(text: str, *, seed: int) -> np.ndarray:
        if "bad" in text:
            raise IndexError(text)
        return np.full(len(text.split()), 0.5 + seed, dtype=np.float32)

    assert voice._read(stumbling, "one two bad three four").size == 4
    assert voice._read(stumbling, "bad").size == 0


@speaking
def test_the_version_names_the_voice_and_its_engine() -> None:
    assert {part.split()[0] for part in voice.voice_version().split(", ")} == {"hibari-tts", "onnxruntime", "numpy", "voice", "reading"}
