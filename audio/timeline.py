"""Where everything lands: segments placed on one line of integer samples, and the chapters that follow from it.

Pure. No clock, no file, no float: a position that was computed twice is the same position.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from audio.units import FRAME, Samples

SegmentKind = Literal["intro", "section", "sting", "outro", "tone", "bed"]


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of the programme made of one recording, or of a room's tone in a gap. ``name`` is unique in the programme.

    ``gap`` is the nominal silence before it, in samples. ``on_grid`` makes that silence flex so that the segment starts on the grid.
    ``attached`` segments (stings) keep their distance to the segment that follows instead: the flexing silence goes before them.
    """

    name: str
    kind: SegmentKind
    length: Samples
    gap: Samples = Samples(0)
    on_grid: bool = False
    attached: bool = False


@dataclass(frozen=True, slots=True)
class Placed:
    """A segment at its place: ``start`` is the programme sample where its first sample sounds."""

    segment: Segment
    start: Samples

    @property
    def end(self) -> Samples:
        return Samples(self.start + self.segment.length)


@dataclass(frozen=True, slots=True)
class Programme:
    """All segments placed, in time order; ``length`` is a whole number of frames."""

    placed: tuple[Placed, ...]
    length: Samples

    def __post_init__(self) -> None:
        if self.length % FRAME:
            raise ValueError("a programme is a whole number of frames long")
        for before, after in pairwise(self.placed):
            if after.start < before.end:
                raise ValueError(f"{after.segment.name} starts before {before.segment.name} ends")

    def find(self, name: str) -> Placed:
        return next(p for p in self.placed if p.segment.name == name)


@dataclass(frozen=True, slots=True)
class Chapter:
    """One mark: the half-open stretch [start, end) in samples, and what apps show for it. ``image`` is JPEG or PNG data, or None."""

    slug: str
    title: str
    start: Samples
    end: Samples
    link: str | None = None
    image: bytes | None = None


def _round_up(position: int, step: int) -> int:
    return -(-position // step) * step


def place(segments: Sequence[Segment], *, grid: Samples, tail: Samples = Samples(0)) -> Programme:
    """Put segments one after another.

    A segment that is ``on_grid`` starts on a multiple of ``grid`` (rounded up to whole frames); every other one on a frame edge. The silence
    before a group (a segment and the stings attached before it) flexes around its nominal length to the nearest grid point, and is never
    shorter than half of it. ``tail`` is silence after the last one; the end is rounded up to a whole frame.
    """
    step = max(FRAME, _round_up(grid, FRAME)) if grid else FRAME
    placed: list[Placed] = []
    end = 0
    group: list[Segment] = []
    for segment in segments:
        group.append(segment)
        if segment.attached:
            continue
        inner = 0
        for left, right in pairwise(group):
            inner += _round_up(left.length + right.gap, FRAME)
        nominal = group[0].gap
        wanted = end + nominal + inner
        if segment.on_grid and placed:
            start = (wanted + step // 2) // step * step
            if start - inner - end < nominal // 2:
                start += step
        else:
            start = _round_up(wanted, step if segment.on_grid else FRAME)
        at = start - inner
        for index, member in enumerate(group):
            placed.append(Placed(member, Samples(at)))
            if index + 1 < len(group):
                at += _round_up(member.length + group[index + 1].gap, FRAME)
        end = placed[-1].end
        group = []
    if group:
        raise ValueError(f"{group[-1].name} is attached to nothing")
    return Programme(tuple(placed), Samples(_round_up(end + tail, FRAME)))


def chapters(programme: Programme, titles: dict[str, tuple[str, str | None, bytes | None]]) -> tuple[Chapter, ...]:
    """One chapter per section, back to back: each ends where the next starts, the last at the programme's end.

    ``titles`` maps a section's segment name to title, link and image. The first chapter starts at 0 and so holds the intro: apps force it
    there anyway, and a list whose first start differs between forms is two lists.
    """
    sections = [p for p in programme.placed if p.segment.kind == "section"]
    starts = [0, *(p.start for p in sections[1:])]
    ends = [*starts[1:], programme.length]
    return tuple(
        Chapter(p.segment.name, titles[p.segment.name][0], Samples(start), Samples(end), titles[p.segment.name][1], titles[p.segment.name][2])
        for p, start, end in zip(sections, starts, ends, strict=True)
    )
