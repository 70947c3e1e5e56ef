"""What is said in a recording and when, as other programs wrote it: WebVTT, SRT, the podcast namespace's JSON, Whisper's JSON. Pure.

Every reader gives cues in the order of the file, or raises TextUnreadable with the place of what it cannot read. Marks of style are dropped: no app
shows them. Standards followed: WebVTT (W3C), podcast namespace transcripts 1.0 (JSON, SRT); Whisper's and whisper.cpp's JSON as they write it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from audio.chapters import clean
from audio.errors import TextUnreadable
from audio.marker import seconds_of, text_of
from audio.textfile import Item, Text, decoded, lists, time
from audio.units import RATE, Samples

RECIPE = 1
"""Raised when the same file gives other cues."""
MOST_BYTES = 64 << 20
"""Whisper's JSON with a time for each word takes some 5 MB an hour."""
MOST = 100_000
"""Cues of one recording: nine in each second of three hours."""
MOST_SPEAKER = 128
SUFFIXES = (".vtt", ".srt", ".json")
"""How a transcript is called after its recording, in this order of preference."""

_PER_MS = RATE // 1000
_TIMING = re.compile(r"\s*([0-9:.,]+)\s*-->\s*([0-9:.,]+)(?:\s.*)?")
_NUMBER = re.compile(r"\s*[0-9]+\s*")
_VOICE = re.compile(r"<v(?:\.[^\s>]*)?[ \t\n]+([^>]*)>")
_TAG = re.compile(r"</?[A-Za-z0-9][^<>]*>|</?>")
_OVERRIDE = re.compile(r"\{\\[^{}]*\}")
_SKIPPED = ("NOTE", "STYLE", "REGION")


@dataclass(frozen=True, slots=True)
class Word:
    """A word and when it is said, in samples at 48 kHz; with the space before it, where there is one."""

    text: str
    start: Samples
    end: Samples


@dataclass(frozen=True, slots=True)
class Cue:
    """Words, said by ``speaker`` ("": nobody says who) in [start, end), in samples at 48 kHz. ``words`` where each of them is known."""

    start: Samples
    end: Samples
    text: str
    speaker: str = ""
    words: tuple[Word, ...] = ()


def read(name: str, data: bytes) -> tuple[Cue, ...]:
    """The cues of a file, by the end of its name; those without a word are left out. Raises TextUnreadable; ValueError for another name."""
    reader = _READERS.get(PurePath(name).suffix.lower())
    if reader is None:
        raise ValueError(f"no transcript: {name!r}")
    found: list[Cue] = []
    text = decoded(data, MOST_BYTES)
    for cue in reader(text):
        if len(found) == MOST:
            raise TextUnreadable(f"holds more than {MOST:,} cues", 1, 1, "is it the right file?")
        said = "\n".join(line for line in map(str.strip, clean(cue.text, lines=True).split("\n")) if line)
        if said:
            found.append(Cue(cue.start, cue.end, said, clean(cue.speaker)[:MOST_SPEAKER], cue.words))
    return tuple(found)


# -- WebVTT and SRT --------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Timed:
    """A timing line and what follows it."""

    line: int
    start: Samples
    end: Samples
    text: str


def _vtt(text: Text) -> Iterator[Cue]:
    import html

    lines = text.lines()
    if not re.match(r"WEBVTT(?:[ \t]|$)", lines[0]):
        raise TextUnreadable("is no WebVTT", 1, 1, "its first line should be WEBVTT")
    for timed in _timed(lines, 1, vtt=True):
        parts = _VOICE.split(timed.text)
        # What stands before the first voice has none; then voices and their words alternate.
        for speaker, said in zip(["", *parts[1::2]], parts[::2], strict=True):
            yield Cue(timed.start, timed.end, html.unescape(_TAG.sub("", said)), html.unescape(speaker))


def _srt(text: Text) -> Iterator[Cue]:
    for timed in _timed(text.lines(), 0, vtt=False):
        yield Cue(timed.start, timed.end, _OVERRIDE.sub("", _TAG.sub("", timed.text)))


def _timed(lines: Sequence[str], first: int, *, vtt: bool) -> Iterator[_Timed]:
    """The blocks of a file that have times. A block ends with an empty line; in SRT that may be missing, and the number of the next is its end."""
    at = first
    while at < len(lines):
        begins = at
        while at < len(lines) and lines[at].strip():
            at += 1
        block = lines[begins:at]
        at += 1
        if vtt and block and block[0].split(maxsplit=1)[0] in _SKIPPED and not any(map(_TIMING.fullmatch, block[:2])):
            continue
        timings = [offset for offset, line in enumerate(block) if "-->" in line]
        if block and not timings:
            if vtt and begins == first:
                continue  # what stands under the first line of a WebVTT says things about the file
            if vtt or not all(map(_NUMBER.fullmatch, block)):
                raise TextUnreadable("a time was expected: from --> to", begins + 1, 1, "an empty line ends a cue")
            continue
        for number, offset in enumerate(timings):
            if number == 0 and offset > 1:
                raise TextUnreadable("a time was expected: from --> to", begins + 1, 1, "an empty line ends a cue")
            until = timings[number + 1] if number + 1 < len(timings) else len(block)
            if number + 1 < len(timings) and until - 1 > offset and _NUMBER.fullmatch(block[until - 1]):
                until -= 1
            yield _cue(block[offset], begins + offset + 1, "\n".join(block[offset + 1 : until]))


def _cue(line: str, number: int, said: str) -> _Timed:
    found = _TIMING.fullmatch(line)
    start, end = (time(found[1]), time(found[2])) if found else (None, None)
    if start is None or end is None:
        raise TextUnreadable("is no time of a cue", number, 1, "write it as 00:01:30.500 --> 00:01:32.000")
    if end < start:
        raise TextUnreadable("this cue ends before it starts", number, 1)
    return _Timed(number, start, end, said)


# -- JSON ------------------------------------------------------------------------------------------------------------------------------


def _json(text: Text) -> Iterator[Cue]:
    name, items = lists(text, ("segments", "transcription"))
    for item in items:
        if not isinstance(item.value, dict):
            text.refuse(item.offset, "is no segment of a transcript")
        yield _whisper_cpp(text, item) if name == "transcription" else _segment(text, item)


def _segment(text: Text, item: Item) -> Cue:
    """The namespace says startTime, endTime and body, Whisper start, end and text, with words where it was asked for them."""
    said: Mapping[str, Any] = item.value
    start, end = seconds_of(said.get("startTime", said.get("start"))), seconds_of(said.get("endTime", said.get("end")))
    words = said.get("words")
    return _sound(text, item, start, end, text_of(said.get("body", said.get("text"))), text_of(said.get("speaker")), _words(words))


def _words(listed: object) -> tuple[Word, ...]:
    """The words of a segment; none when one of them has no time, for then the text is not to be made of them."""
    found: list[Word] = []
    for said in listed if isinstance(listed, list) else ():
        start, end = (seconds_of(said.get("start")), seconds_of(said.get("end"))) if isinstance(said, dict) else (None, None)
        if start is None or end is None or end < start:
            return ()
        found.append(Word(text_of(said.get("word", said.get("text"))), start, end))
    return tuple(found)


def _whisper_cpp(text: Text, item: Item) -> Cue:
    offsets = item.value.get("offsets")
    times = [offsets.get("from"), offsets.get("to")] if isinstance(offsets, dict) else [None, None]
    start, end = (Samples(one * _PER_MS) if isinstance(one, int) and 0 <= one < 1 << 40 else None for one in times)
    return _sound(text, item, start, end, text_of(item.value.get("text")), "", ())


def _sound(text: Text, item: Item, start: Samples | None, end: Samples | None, said: str, speaker: str, words: tuple[Word, ...]) -> Cue:
    if start is None or end is None:
        text.refuse(item.offset, "this segment does not say from when to when it is, in seconds")
    if end < start:
        text.refuse(item.offset, "this segment ends before it starts")
    return Cue(start, end, said, speaker, words)


_READERS: Mapping[str, Callable[[Text], Iterator[Cue]]] = {".vtt": _vtt, ".srt": _srt, ".json": _json}
