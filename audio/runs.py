"""How a programme is cut for encoding: runs between silences, chunks within runs. Pure.

A *run* is a stretch of segments with hardly a pause between them. Around a run lies digital silence, so its frames do not depend on what comes
before or after: wherever a run stands, its bytes are the same. A *chunk* is a few minutes of a run, encoded at once, with pre-roll frames that
are dropped again when it is joined to the chunk before.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from audio.timeline import Placed, Programme
from audio.units import FRAME, Samples

CHUNK = 15_000
"""Frames in a chunk: six minutes, a multiple of the 3 s grid. Shorter ones cost more starts of the encoder (a tenth of a second each)."""
SHORTEST = 1_000
"""A last chunk shorter than this is added to the one before: pre-roll would be most of its cost."""
PREROLL = 100
"""Frames of pre-roll. After 30 a fresh encoder has settled; the remaining 70 are where a fitting join is looked for (measured: in 1300 trials over
five formats, four found none and needed the wide pre-roll)."""
WIDE_PREROLL = 1_000
SETTLED = 30
OPENING = 165
"""Frames (4 s) of a section that are encoded with what stands before it: so another gap or sting leaves the rest of the section's chunks alone."""
POSTROLL = 3
"""Frames encoded past the end of a chunk, because the encoder looks ahead; they are dropped."""
LEAD = 8
"""Silent frames encoded before a run."""
EDGE = 2
"""Silent frames kept on either side of a run: the transform spreads a sound that far."""
FILLER = 4
"""Silent frames between runs, at least: enough free room for any main data that reaches back 511 bytes."""


@dataclass(frozen=True, slots=True)
class Part:
    """A segment within a run: its first sample lies ``offset`` samples after the run's start. ``own`` chunks hold nothing else but its opening."""

    name: str
    offset: Samples
    length: Samples
    own: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """Programme frames [first, first + frames), holding ``parts``; ``lead`` and ``kept`` silent frames are encoded and kept before it."""

    first: int
    frames: int
    parts: tuple[Part, ...]
    lead: int
    kept: int
    after: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """Frames [first, last) of a run. Encoded are [first - before, last + post), where frames outside the run are silence."""

    run: int
    first: int
    last: int
    before: int
    post: int
    opens: bool
    closes: bool

    @property
    def start_sample(self) -> int:
        """Where its input begins, in samples from the run's start; negative within the lead."""
        return (self.first - self.before) * FRAME

    @property
    def input_samples(self) -> int:
        return (self.last + self.post - self.first + self.before) * FRAME

    def heard(self, run: Run) -> Iterator[str]:
        """Names of the segments that sound in its input."""
        start, end = self.start_sample, self.start_sample + self.input_samples
        return (part.name for part in run.parts if part.offset < end and part.offset + part.length > start)

    def kept_frames(self, run: Run) -> int:
        """Frames of the encode that are stored: pre-roll, its own, and for the last one the silent edge."""
        return self.before + self.last - self.first + (run.after if self.closes else 0)


def runs(programme: Programme) -> tuple[Run, ...]:
    """Group the segments of a programme into runs."""
    groups: list[list[Placed]] = []
    for placed in programme.placed:
        if groups and placed.start // FRAME - _frames(groups[-1][-1].end) < 2 * EDGE + FILLER:
            groups[-1].append(placed)
        else:
            groups.append([placed])
    total = programme.length // FRAME + 1
    return tuple(_run(group, total) for group in groups)


def _frames(samples: int) -> int:
    return -(-samples // FRAME)


def _run(group: list[Placed], total: int) -> Run:
    first = group[0].start // FRAME
    frames = _frames(group[-1].end) - first
    parts = tuple(Part(one.segment.name, Samples(one.start - first * FRAME), one.segment.length, own=one.segment.kind == "section") for one in group)
    if first < EDGE + FILLER:
        # At the start of the file there is no room for a silent lead: the encode begins where the file does.
        return Run(first, frames, parts, first, first, min(EDGE, total - first - frames))
    return Run(first, frames, parts, LEAD, EDGE, min(EDGE, total - first - frames))


def chunks(index: int, run: Run, *, wide: frozenset[int] = frozenset()) -> tuple[Chunk, ...]:
    """The chunks of a run. Those whose first frame is in ``wide`` get the long pre-roll: their join was not found in the short one."""
    firsts = _firsts(run)
    lasts = [*firsts[1:], run.frames]
    return tuple(
        Chunk(
            run=index,
            first=first,
            last=last,
            before=run.lead if first == 0 else (WIDE_PREROLL if first in wide else PREROLL),
            post=LEAD if last == run.frames else POSTROLL,
            opens=first == 0,
            closes=last == run.frames,
        )
        for first, last in zip(firsts, lasts, strict=True)
    )


def _firsts(run: Run) -> list[int]:
    """The first frames of a run's chunks: where it begins, after the opening of each section that something stands before, where each section ends,
    and every six minutes from there. Of those that short sections bring too close together, the first: a join is looked for in the frames of the
    chunk before.
    """
    forced = set[int]()
    for part in run.parts:
        if part.own:
            begins, ends = part.offset // FRAME + OPENING, _frames(part.offset + part.length)
            forced |= {first for first, wanted in ((begins, part.offset > 0), (ends, True)) if wanted and 0 < first < run.frames}
    edges = [0]
    for first in sorted(forced):
        if first - edges[-1] >= PREROLL:
            edges.append(first)
    edges.append(max(run.frames, 1))
    firsts: list[int] = []
    for start, end in pairwise(edges):
        own = list(range(start, end, CHUNK))
        if len(own) > 1 and end - own[-1] < SHORTEST:
            own.pop()
        firsts += own
    return firsts
