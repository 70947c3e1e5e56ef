"""Cues in the forms that apps read, and cues as they are in the programme once their recording was edited. Pure; the same cues give the same bytes.

Standards followed: WebVTT (W3C), SRT and JSON as the podcast namespace's transcripts 1.0 describe them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from audio.chapters import clock
from audio.cues import Cue
from audio.editmap import EditMap
from audio.units import Ms, Samples, ms

FORMS = (".vtt", ".srt", ".transcript.json")
"""How the files are called after the episode; WebVTT first, which most apps read."""


@dataclass(frozen=True, slots=True)
class Retimed:
    """Cues at their places in the programme, and how many were shortened at an edge, or lie where nothing sounds."""

    cues: tuple[Cue, ...]
    clipped: int
    dropped: int


def retimed(cues: Sequence[Cue], edit: EditMap, speaker: str = "") -> Retimed:
    """Cues of a recording as they are in the programme. ``speaker`` is who says what nobody is said to say.

    A cue across a cut goes on over it; one that reaches into what does not sound ends at the edge, with the words that are left where they are known.
    """
    found: list[Cue] = []
    clipped = 0
    for cue in cues:
        left = edit.stretch(cue.start, cue.end)
        if left is None or ms(left[0]) == ms(left[1]):
            continue
        whole = left[1] - left[0] == cue.end - cue.start
        text = cue.text if whole or not cue.words else _heard(cue, edit)
        if not text:
            continue
        clipped += not whole
        found.append(Cue(left[0], left[1], text, cue.speaker or speaker))
    return Retimed(tuple(found), clipped, len(cues) - len(found))


def _heard(cue: Cue, edit: EditMap) -> str:
    """The words whose middle sounds."""
    words = [one.text for one in cue.words if edit.at((one.start + one.end) // 2) is not None]
    spaced = any(one[:1].isspace() for one in words[1:])
    return " ".join(("" if spaced else " ").join(words).split())


def joined(parts: Sequence[Sequence[Cue]]) -> tuple[Cue, ...]:
    """The cues of all sections in the order of time; of those that start together, in the order of the sections."""
    return tuple(sorted((cue for part in parts for cue in part), key=lambda cue: (cue.start, cue.end)))


def files(cues: Sequence[Cue]) -> dict[str, bytes]:
    """Each of `FORMS` with the bytes of its file."""
    return dict(zip(FORMS, (to_vtt(cues), to_srt(cues), to_json(cues)), strict=True))


def to_vtt(cues: Sequence[Cue], *, note: str = "") -> bytes:
    """WebVTT; a speaker is a voice span. ``note`` is a line for whoever opens the file."""
    head = ("WEBVTT", f"NOTE {note}") if note else ("WEBVTT",)
    return "\n\n".join((*head, *(f"{_from_to(cue)}\n{_voice(cue)}" for cue in cues), "")).rstrip("\n").encode() + b"\n"


def _voice(cue: Cue) -> str:
    text = _escaped(cue.text)
    return f"<v {_escaped(cue.speaker)}>{text}" if cue.speaker else text


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def to_srt(cues: Sequence[Cue]) -> bytes:
    """SRT; a speaker is named where it is another one than before."""
    return "\n\n".join(_numbered(cues)).encode() + b"\n"


def _numbered(cues: Sequence[Cue]) -> Iterator[str]:
    before = ""
    for number, cue in enumerate(cues, 1):
        who = f"{cue.speaker}: " if cue.speaker and cue.speaker != before else ""
        before = cue.speaker or before
        # An arrow would be taken for the next cue's time.
        text = re.sub(r"-->", "->", cue.text)
        yield f"{number}\n{_from_to(cue).replace('.', ',')}\n{who}{text}"


def _from_to(cue: Cue) -> str:
    return f"{clock(ms(cue.start))} --> {clock(ms(cue.end))}"


def to_json(cues: Sequence[Cue]) -> bytes:
    """JSON of the podcast namespace, version 1.0.0; times are seconds with three decimals at most."""
    segments = [
        {**({"speaker": cue.speaker} if cue.speaker else {}), "startTime": _seconds(cue.start), "endTime": _seconds(cue.end), "body": cue.text}
        for cue in cues
    ]
    return (json.dumps({"version": "1.0.0", "segments": segments}, ensure_ascii=False, indent=1) + "\n").encode()


def _seconds(sample: Samples) -> int | float:
    time: Ms = ms(sample)
    return time // 1000 if time % 1000 == 0 else time / 1000
