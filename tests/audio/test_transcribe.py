"""Drafts of transcripts: what an engine hears of a decoded recording, in cues that can be read. Most engines here are toys."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from audio import cues, sources, subtitles, transcribe
from audio.cues import Word
from audio.errors import TranscriberMissing
from audio.transcribe import Engine
from audio.units import RATE, Samples
from production import transcribing
from production.model import Project
from production.store import Store
from tests.audio import cued
from tests.production.test_feed import SHOW
from tests.production.test_inputs import SERIES, of
from tests.production.test_plan import section


class Ear:
    """Says ``x`` wherever it hears a loud block of 10 ms, in 16-bit mono at 16 kHz."""

    name = "ear 1"

    def words(self, sound: Iterable[bytes]) -> Iterator[Word]:
        heard = np.abs(np.frombuffer(b"".join(sound), "<i2")[: 160 * 10_000].astype("i4"))
        loud = heard[: len(heard) // 160 * 160].reshape(-1, 160).max(axis=1) > 8000
        for step in np.flatnonzero(loud & ~np.concatenate(([False], loud[:-1]))):
            yield Word("x", Samples(int(step) * RATE // 100), Samples((int(step) + 10) * RATE // 100))


def recorded(path: Path, rate: int, *beats: float) -> Path:
    sound = np.zeros(round(rate * 14))
    for beat in beats:
        sound[round(beat * rate) :][: rate // 10] = 0.5 * np.sin(np.arange(rate // 10) * 0.1)
    path.write_bytes(cued.wav(sound, rate, []))
    return path


BEATS = (0.5, 1.0, 3.0, 3.5, 4.5, 5.0, 5.5, 6.0, 6.5, 7.0, 7.5, 8.0, 8.5, 9.0, 9.5, 10.0, 10.5)


@pytest.mark.process
@pytest.mark.parametrize("rate", [44_100, 16_000])
def test_cues_end_at_pauses_and_before_they_are_too_long(tmp_path: Path, rate: int) -> None:
    heard = list[float]()
    ear: Engine = Ear()
    found = transcribe.transcribe(sources.probe(recorded(tmp_path / "a.wav", rate, *BEATS)), ear, heard.append)
    assert [(round(one.start / RATE, 2), round(one.end / RATE, 2)) for one in found] == [(0.5, 1.1), (3.0, 3.6), (4.5, 10.1), (10.5, 10.6)]
    assert found[0].text == "x x"
    assert [word.start for word in found[1].words] == [3 * RATE, 3.5 * RATE]
    assert heard[-1] == pytest.approx(14, abs=0.01)


@pytest.mark.process
def test_a_draft_lies_beside_each_recording_that_has_no_transcript_and_nothing_is_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "recordings" / "episode-14"
    folder.mkdir(parents=True)
    for slug in "abc":
        recorded(folder / f"{slug}.wav", 16_000, 1.0)
    (folder / "b.srt").write_text("00:00:01,000 --> 00:00:02,000\nBy hand\n")
    (folder / "c.vtt").write_text("WEBVTT\n")
    one = of(section("a"), section("b"), section("c"), section("missing"))
    monkeypatch.setattr(transcribe, "engine", Ear)
    asked = Project(tmp_path, SHOW, (SERIES,), (one,), {}), one, Store(tmp_path / "store"), lambda *_: None
    assert list(transcribing.drafts(*asked)) == [folder / "a.vtt"]
    assert (folder / "a.vtt").read_text() == "WEBVTT\n\nNOTE A draft by ear 1: to be read over\n\n00:00:01.000 --> 00:00:01.100\nx\n"
    assert [cue.text for cue in cues.read("a.vtt", (folder / "a.vtt").read_bytes())] == ["x"]
    assert list(transcribing.drafts(*asked)) == []


def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: str) -> Any:
        raise ImportError

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(TranscriberMissing, match=r"pip install .*\[transcribe\]"):
        transcribe.engine()


class Endpointer:
    """Speech is what is not zero, a frame of 4 bytes at a time; a second is 16,000 samples."""

    frame_bytes = 4

    def __init__(self, sample_rate: int) -> None:
        self.rate, self.at, self.in_speech, self.speech_start = sample_rate, 0, False, 0.0

    def process(self, frame: bytes) -> bytes | None:
        before, self.in_speech = self.in_speech, any(frame)
        if self.in_speech and not before:
            self.speech_start = self.at / self.rate
        self.at += 2
        return frame if self.in_speech or before else None

    def end_stream(self, frame: bytes) -> bytes | None:
        return self.process(frame)


class Decoder:
    """Hears one word in all that is said: its length."""

    config = MappingProxyType({"frate": 100})

    def __init__(self, samprate: int, loglevel: str) -> None:
        assert (samprate, loglevel) == (16_000, "FATAL")

    def start_utt(self) -> None: ...
    def end_utt(self) -> None: ...

    def process_raw(self, spoken: bytes, *, full_utt: bool) -> None:
        assert full_utt
        self.said = str(len(spoken.rstrip(b"\0")))

    def seg(self) -> list[Any]:
        return [SimpleNamespace(word=word, start_frame=0, end_frame=9) for word in ("<s>", f"{self.said}(2)", "[NOISE]")]


def test_stretches_of_speech_are_decoded_one_by_one_to_the_end() -> None:
    sound = bytes(320_000) + b"\1\1" * 16_000 + bytes(64_000) + b"\1\1" * 3
    ear = transcribe._Sphinx(SimpleNamespace(Endpointer=Endpointer, Decoder=Decoder), "5")
    blocks = [sound[at : at + 999] for at in range(0, len(sound), 999)]
    found = [(word.text, word.start / RATE, word.end / RATE) for word in ear.words(blocks)]
    assert found == [("32000", 10, 10.1), ("6", 13, 13.1)]
    assert ear.name == "pocketsphinx 5"


def test_speech_without_a_pause_is_decoded_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transcribe, "_LONGEST", 16_000)
    sound = bytes(32_000) + b"\1\1" * 20_000 + bytes(32_000) + b"\1\1" * 4_000
    ear = transcribe._Sphinx(SimpleNamespace(Endpointer=Endpointer, Decoder=Decoder), "5")
    found = [(word.text, word.start / RATE) for word in ear.words([sound])]
    assert found == [("16000", 1), ("16000", 1.5), ("8000", 2), ("8000", 3.25)]


@pytest.mark.process
def test_the_engine_itself_hears_words_where_they_are(tmp_path: Path) -> None:
    pytest.importorskip("pocketsphinx", reason="the [transcribe] extra is not installed")
    path = recorded(tmp_path / "a.wav", 16_000, 1.0)
    found = transcribe.transcribe(sources.probe(path), transcribe.engine())
    assert all(0 <= one.start <= one.end <= 14 * RATE for one in found)
    assert subtitles.to_vtt(found).startswith(b"WEBVTT")
