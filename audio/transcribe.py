"""What is said in a recording, heard on this machine and without a network: one interface, and one engine behind it, an extra.

The engine is PocketSphinx, whose package carries a model of American English. It takes about as long as the speech itself, is right about when
something is said, and often wrong about what: its transcript is a draft. Whisper's own files need nothing of this: they are read as they are
(`cues`).
"""

from __future__ import annotations

import importlib
import importlib.metadata
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, Protocol

from audio import ffmpeg, graph
from audio.cues import Cue, Word
from audio.errors import FfmpegFailed, SourceUnreadable, TranscriberMissing
from audio.source import Source
from audio.textfile import in_samples
from audio.units import RATE, Samples

_BLOCK = 1 << 16
_PACKAGE = "pocketsphinx"
_MOST_SECONDS, _MOST_LETTERS = 6, 80
"""Of one cue: what is read in one look."""
_PAUSE = RATE * 7 // 10
"""After so much silence a new cue begins."""
_LONGEST = 60 * 2 * graph.LISTENING_RATE
"""Bytes that are decoded together at most, a minute: over music there is no pause, and a decoder remembers all of what it is decoding."""


class Engine(Protocol):
    """Hears words. ``name`` says what it is, with its version."""

    @property
    def name(self) -> str: ...

    def words(self, sound: Iterable[bytes]) -> Iterator[Word]:
        """The words of sound that comes as 16-bit mono at 16 kHz, in blocks of any size; by time."""


def engine() -> Engine:
    """The engine of this machine. Raises TranscriberMissing."""
    try:
        return _Sphinx(importlib.import_module("pocketsphinx"), importlib.metadata.version(_PACKAGE))
    except (ImportError, OSError) as error:
        raise TranscriberMissing(
            "transcription is an extra: pip install 'distributed-systems-podcast[transcribe]', or put a transcript beside the recording"
        ) from error


def transcribe(source: Source, heard_by: Engine, progress: Callable[[float], None] = lambda _: None) -> tuple[Cue, ...]:
    """The cues of a recording. ``progress`` is told seconds heard. Raises SourceUnreadable, FfmpegMissing, Cancelled."""
    try:
        with ffmpeg.Process(graph.listen(ffmpeg.find(), source)) as process:
            found = tuple(_cues(heard_by.words(_told(iter(partial(process.stdout.read, _BLOCK), b""), progress))))
            process.finish()
    except FfmpegFailed as error:
        raise SourceUnreadable(source.path, f"cannot be decoded: {error.last_line}", "export it again") from error
    return found


def _told(blocks: Iterator[bytes], progress: Callable[[float], None]) -> Iterator[bytes]:
    done = 0
    for block in blocks:
        ffmpeg.stop_if_cancelled()
        yield block
        done += len(block)
        progress(done / 2 / graph.LISTENING_RATE)


def _cues(words: Iterable[Word]) -> Iterator[Cue]:
    """Words in cues that can be read."""
    line: list[Word] = []
    for word in words:
        full = line and (word.end - line[0].start > _MOST_SECONDS * RATE or sum(len(one.text) + 1 for one in line) + len(word.text) > _MOST_LETTERS)
        if line and (full or word.start - line[-1].end > _PAUSE):
            yield _cue(line)
            line = []
        line.append(word)
    if line:
        yield _cue(line)


def _cue(line: Sequence[Word]) -> Cue:
    return Cue(line[0].start, line[-1].end, " ".join(word.text for word in line), "", tuple(line))


class _Sphinx:
    """PocketSphinx: its endpointer finds stretches of speech, its decoder the words of each."""

    def __init__(self, package: Any, version: str) -> None:
        self._package = package
        self._version = version

    @property
    def name(self) -> str:
        return f"{_PACKAGE} {self._version}"

    def words(self, sound: Iterable[bytes]) -> Iterator[Word]:
        endpointer = self._package.Endpointer(sample_rate=graph.LISTENING_RATE)
        decoder = self._package.Decoder(samprate=graph.LISTENING_RATE, loglevel="FATAL")
        spoken, began, speaking = bytearray(), 0.0, False
        for frame, last in _frames(sound, int(endpointer.frame_bytes)):
            said = endpointer.end_stream(frame) if last else endpointer.process(frame)
            if said is not None:
                began = began if speaking else float(endpointer.speech_start)
                speaking = True
                spoken += said
            ends = last or not endpointer.in_speech
            if spoken and (ends or len(spoken) >= _LONGEST):
                yield from _decoded(decoder, bytes(spoken), began)
                began += len(spoken) / 2 / graph.LISTENING_RATE
                spoken.clear()
            speaking = speaking and not ends


def _frames(sound: Iterable[bytes], size: int) -> Iterator[tuple[bytes, bool]]:
    """Frames of ``size`` bytes, the last one filled with silence, each with whether it is that."""
    rest = b""
    for block in sound:
        rest += block
        # One is kept back: it may be the last.
        while len(rest) > size:
            yield rest[:size], False
            rest = rest[size:]
    if rest:
        yield rest.ljust(size, b"\0"), True


def _decoded(decoder: Any, spoken: bytes, began: float) -> Iterator[Word]:
    decoder.start_utt()
    decoder.process_raw(spoken, full_utt=True)
    decoder.end_utt()
    rate = int(decoder.config["frate"])
    for found in decoder.seg() or ():
        # Marks of silence and noise; a word that is said in two ways has a number behind it.
        if not found.word.startswith(("<", "[", "+")):
            start, end = in_samples(began + found.start_frame / rate), in_samples(began + (found.end_frame + 1) / rate)
            yield Word(found.word.partition("(")[0], start or Samples(0), end or Samples(0))
