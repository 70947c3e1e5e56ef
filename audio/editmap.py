"""Where the samples of a recording sound in the programme: a value made of stretches, through which markers and cues go. Pure, and whole samples
only.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from audio.units import Samples

Stretch = tuple[Samples, Samples]
"""Samples [start, end) of a recording."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Samples [start, end) of a recording, which sound from the programme's sample ``at`` on."""

    start: Samples
    end: Samples
    at: Samples


@dataclass(frozen=True, slots=True)
class EditMap:
    """What sounds of a recording, in its order and in the programme without a pause between the pieces: what lay between them was cut out.

    Raises ValueError for pieces that are not so.
    """

    pieces: tuple[Piece, ...]

    def __post_init__(self) -> None:
        if any(piece.start >= piece.end for piece in self.pieces):
            raise ValueError("a piece holds at least one sample")
        for before, after in pairwise(self.pieces):
            if after.start < before.end or after.at != before.at + before.end - before.start:
                raise ValueError("pieces rise, and follow each other at once")

    @property
    def begins(self) -> Samples:
        """The recording's first sample that sounds; 0 when none does."""
        return self.pieces[0].start if self.pieces else Samples(0)

    def at(self, sample: int) -> Samples | None:
        """The programme's sample where a recording's sample sounds; None when it does not."""
        return next((Samples(one.at + sample - one.start) for one in self.pieces if one.start <= sample < one.end), None)

    def onward(self, sample: int) -> Samples | None:
        """The programme's sample where a recording's sample sounds, or else the next one that does; None after the last."""
        return next((Samples(one.at + max(0, sample - one.start)) for one in self.pieces if sample < one.end), None)

    def stretch(self, start: int, end: int) -> Stretch | None:
        """What is left of a recording's stretch [start, end), in the programme: one, because what lay in it and was cut out leaves no pause."""
        left = [one for one in self.pieces if one.start < end and one.end > start]
        if not left or start >= end:
            return None
        first, last = left[0], left[-1]
        return Samples(first.at + max(0, start - first.start)), Samples(last.at + min(end, last.end) - last.start)


def after_cuts(sample: int, cuts: Iterable[Stretch]) -> Samples:
    """Where a recording's sample is once the ``cuts`` are out of it; what lay in one is where it was."""
    return Samples(sample - sum(min(end, sample) - start for start, end in cuts if start < sample))


def before_cuts(sample: int, cuts: Iterable[Stretch]) -> Samples:
    """Where a sample was while the ``cuts`` (which rise and do not overlap) were not out of the recording; where one was cut, what follows it."""
    for start, end in cuts:
        if sample >= start:
            sample += end - start
    return Samples(sample)


def edited(start: int, end: int, cuts: Iterable[Stretch], at: int) -> EditMap:
    """The map of a recording without its ``cuts`` (which rise and do not overlap), of which then [start, end) is placed ``at`` in the programme."""
    pieces: list[Piece] = []
    kept, gone = 0, 0
    for first, last in (*cuts, (None, None)):
        # This one's samples [kept, first) stand at [kept - gone, first - gone) without the cuts.
        low = max(kept - gone, start)
        high = end if first is None else min(first - gone, end)
        if low < high:
            pieces.append(Piece(Samples(low + gone), Samples(high + gone), Samples(at + low - start)))
        if first is not None and last is not None:
            kept, gone = last, gone + last - first
    return EditMap(tuple(pieces))
