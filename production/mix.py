"""What sounds together: sections that overlap, music under the first words, and the tone of a room in the gaps. Pure.

By rule, whatever sounds across an edge belongs to the segment after it: the one before ends early, and its tail sounds under the beginning of the
next. A room's tone in a gap is a segment of its own; its first quarter of a second is one that does not depend on how long the gap is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from audio.render import Edit, Material, Under
from audio.strip import Strip
from audio.timeline import Placed, Programme, Segment
from audio.units import FRAME, RATE, Db, Lufs, Samples, samples_from_seconds
from production.model import Episode
from production.survey import Fact

PEAK_MARGIN = Db(1.5)
"""The limiter's ceiling lies this far under the true-peak ceiling: the encoder moves peaks, and some lie between samples."""
_HOLD = RATE // 4
"""Samples for which a room's tone stays as it is after a section; they are encoded with the section's last chunk."""
_CROSS = RATE
"""Over so many samples one room becomes the next, or silence."""
_LOUDEST_TONE, _QUIETEST_TONE = Lufs(-42.0), Lufs(-90.0)
"""Over it, a gap filled with noise would be heard as a fault; under it, silence is as good."""
_LAP = RATE // 5
_CUT_SECONDS = 0.005
"""What a recording ends in the middle of is faded for so long: enough against a click, and the word keeps its end."""


@dataclass(frozen=True, slots=True)
class Trim:
    """What the finished file showed to be missing, in dB: on a segment's gain, and on its limiter's ceiling."""

    gain: Db = Db(0.0)
    ceiling: Db = Db(0.0)


def ceiling_of(episode: Episode) -> Db:
    """The limiter's ceiling in dBFS."""
    return Db(round(episode.settings.loudness.true_peak - PEAK_MARGIN, 2))


@dataclass(frozen=True, slots=True)
class Overlap:
    """A segment (``before``) ends ``length`` samples early, and sounds on under the beginning of the next one (``after``)."""

    before: Fact
    after: Fact
    length: Samples


def overlaps(episode: Episode, facts: Sequence[Fact]) -> dict[str, Overlap]:
    """Where segments overlap, by the name of the later one."""
    layout, music = episode.settings.layout, episode.settings.music
    found: dict[str, Overlap] = {}
    for before, after in pairwise(facts):
        section = after.input.section
        if after.input.kind != "section" or section is None:
            continue
        wanted = 0.0
        if before.input.kind == "section":
            wanted = layout.crossfade if section.crossfade is None else section.crossfade
        elif before.input.kind == "intro":
            wanted = music.intro_under
        # Half of a section at most: it may overlap at both its ends.
        room = min(length(before) // 2, length(after) // 2)
        size = min(samples_from_seconds(wanted), room)
        if size > 0:
            # What remains of the one before is a whole number of frames: the next one starts on a frame's edge without a pause.
            found[after.input.name] = Overlap(before, after, Samples(size + (length(before) - size) % FRAME))
    return found


def length(fact: Fact) -> Samples:
    return Samples(fact.measured.end - fact.measured.start)


def materials(
    episode: Episode, facts: Sequence[Fact], channels: int, under: Mapping[str, tuple[Under, ...]], trims: Mapping[str, Trim]
) -> dict[str, Material]:
    """What each segment is made of. ``under`` is what plays under sections (beds), ``trims`` what was found to be missing."""
    lapped = overlaps(episode, facts)
    shortened = {one.before.input.name: one for one in lapped.values()}
    found: dict[str, Material] = {}
    for fact in facts:
        name = fact.input.name
        layers = under.get(name, ())
        edit = _edit(episode, fact, channels, trims.get(name, Trim()))
        if name in shortened:
            edit = replace(edit, end=Samples(edit.end - shortened[name].length), fade_out=Samples(0))
        if name in lapped:
            one = lapped[name]
            if one.before.input.kind == "section":
                edit = replace(edit, fade_in=one.length)
                before = found[one.before.input.name].edit
                layers = (*layers, tail(one, before.gain, before.strip))
        if layers:
            # Together they may reach what neither does alone.
            edit = replace(edit, ceiling=_ceiling(episode, trims.get(name, Trim())))
        found[name] = Material(fact.take, edit, fact.samples, layers)
    return found


def tail(overlap: Overlap, gain: Db, strip: Strip) -> Under:
    """The end of the segment before, as it sounds under the beginning of the next: at ``gain`` dB, through ``strip``."""
    fact = overlap.before
    end = Samples(fact.measured.end - fact.take.start)
    first = Samples(end - overlap.length)
    return Under(
        samples=fact.samples,
        take=fact.take,
        known=fact.measured.length,
        first=first,
        start=first,
        end=end,
        lap=Samples(0),
        at=Samples(0),
        length=overlap.length,
        gain=gain,
        fade_out=overlap.length,
        strip=strip,
    )


def _edit(episode: Episode, fact: Fact, channels: int, trim: Trim) -> Edit:
    settings, found, section = episode.settings, fact.measured, fact.input.section
    untouched = fact.input.wishes.chain == "none"
    gain = Db(round(found.gain + trim.gain, 2))
    ceiling = _ceiling(episode, trim)
    size = found.end - found.start
    fade_in = fade_out = 0.0
    if section:
        fade_in = (0.0 if untouched else settings.fades.fade_in) if section.fade_in is None else section.fade_in
        usual = min(settings.fades.fade_out, _CUT_SECONDS) if found.cut_off else settings.fades.fade_out
        fade_out = (0.0 if untouched else usual) if section.fade_out is None else section.fade_out
    return Edit(
        start=found.start,
        end=found.end,
        gain=gain,
        ceiling=ceiling if reaches(fact, gain, ceiling) and not untouched else None,
        fade_in=Samples(min(samples_from_seconds(fade_in), size // 2)),
        fade_out=Samples(min(samples_from_seconds(fade_out), size // 2)),
        channels=channels,
        strip=found.strip,
        known=found.length,
    )


def _ceiling(episode: Episode, trim: Trim) -> Db:
    return Db(round(ceiling_of(episode) + trim.ceiling, 2))


def reaches(fact: Fact, gain: Db, ceiling: Db) -> bool:
    """Whether a segment comes near a ceiling: one that never does is not touched by a limiter at all."""
    return fact.measured.peak + gain > ceiling - 1.0


# -- the gaps --------------------------------------------------------------------------------------------------------------------


def toned(programme: Programme, made: dict[str, Material], facts: Sequence[Fact]) -> tuple[Programme, dict[str, Material]]:
    """The programme with the tone of the sections' rooms in the gaps beside them, and what everything is then made of."""
    rooms = {fact.input.name: tone for fact in facts if fact.input.kind == "section" and (tone := _tone(fact, made[fact.input.name]))}
    made, added = dict(made), list[Placed]()
    sections = [placed for placed in programme.placed if placed.segment.kind == "section"]
    ends = [Samples(0), *(placed.end for placed in sections)]
    for index, gap_end in enumerate([*(placed.start for placed in sections), programme.length]):
        before, after = sections[index - 1] if index else None, sections[index] if index < len(sections) else None
        others = [one for one in programme.placed if one.start < gap_end and one.end > ends[index] and one.segment.kind != "section"]
        # Music that is no sting ends what comes before it, and begins what comes after.
        walls = [one for one in others if one.segment.kind != "sting"]
        start = max([ends[index], *(one.end for one in walls if not before)])
        end = min([gap_end, *(one.start for one in walls if before)])
        gap = _Gap(start, Samples(end), before, after if not (walls and before) else None)
        for one, under in gap.filled(rooms, [one for one in others if one.segment.kind == "sting"]):
            if one.segment.kind == "tone":
                made[one.segment.name] = Material(None, _only_under(one.segment.length, next(iter(made.values())).edit.channels), "", under)
                added.append(one)
            else:
                made[one.segment.name] = replace(made[one.segment.name], under=(*made[one.segment.name].under, *under))
    return Programme(tuple(sorted((*programme.placed, *added), key=lambda one: one.start)), programme.length), made


def _only_under(size: int, channels: int) -> Edit:
    return Edit(Samples(0), Samples(size), Db(0.0), None, Samples(0), Samples(0), channels)


@dataclass(frozen=True, slots=True)
class _Tone:
    """A room's tone, and how loud it has to be after its section and before it: as the section's own pauses are there."""

    layer: Under
    after: Db
    before: Db
    fade: Samples


def _tone(fact: Fact, material: Material) -> _Tone | None:
    room, edit = fact.measured.room, material.edit
    if room is None or fact.input.wishes.chain == "none":
        return None
    if not all(_QUIETEST_TONE < room.level + edit.gain + more < _LOUDEST_TONE for more in (room.opens, room.closes)):
        return None
    lap = Samples(min(_LAP, (room.end - room.start) // 3))
    start = Samples(room.start + lap)
    layer = Under(
        samples=fact.samples,
        take=fact.take,
        known=fact.measured.length,
        first=start,
        start=start,
        end=room.end,
        lap=lap,
        at=Samples(0),
        length=Samples(0),
        gain=edit.gain,
        strip=edit.strip.room,
    )
    return _Tone(layer, Db(round(edit.gain + room.closes, 2)), Db(round(edit.gain + room.opens, 2)), edit.fade_out)


@dataclass(frozen=True, slots=True)
class _Gap:
    """Samples [start, end) of the programme between two sections, or beside one."""

    start: Samples
    end: Samples
    before: Placed | None
    after: Placed | None

    def filled(self, rooms: Mapping[str, _Tone], stings: Sequence[Placed]) -> Iterator[tuple[Placed, tuple[Under, ...]]]:
        """What sounds in it: new segments of tone, and what sounds under the stings and under the end of the section before."""
        size = self.end - self.start
        earlier = rooms.get(self.before.segment.name) if self.before else None
        later = rooms.get(self.after.segment.name) if self.after else None
        if size < FRAME or not (earlier or later):
            return
        hold = _HOLD if size > 2 * _HOLD + FRAME else 0
        cross = min(_CROSS, size - 2 * hold)
        layers: list[tuple[int, Under]] = []
        cuts = {int(self.start), int(self.end), *(edge for one in stings for edge in (one.start, one.end))}
        if earlier and self.before:
            ends = self.start + (size + cross) // 2 if later else min(self.end, self.start + hold + cross)
            layer = replace(earlier.layer, gain=earlier.after, fade_in=earlier.fade)
            begins = self.start - layer.fade_in
            # What is encoded with the section's last chunk is the same however long the gap is, unless it is a very short one.
            yield self.before, (replace(layer, at=Samples(self.before.segment.length - layer.fade_in), length=Samples(layer.fade_in + _HOLD)),)
            cuts.add(self.start + hold)
            layers.append((begins, replace(layer, length=Samples(ends - begins), fade_out=Samples(cross))))
            cuts.add(ends)
        if later and self.after:
            begins = self.start + (size - cross) // 2 if earlier else max(self.start, self.end - hold - cross)
            layers.append((begins, replace(later.layer, gain=later.before, length=Samples(self.end - begins), fade_in=Samples(cross))))
            cuts.add(begins)
        yield from self._pieces(sorted(cuts), layers, stings, hold)

    def _pieces(
        self, cuts: Sequence[int], layers: Sequence[tuple[int, Under]], stings: Sequence[Placed], hold: int
    ) -> Iterator[tuple[Placed, tuple[Under, ...]]]:
        beside = (self.after or self.before or stings[0]).segment.name
        side = "before" if self.after else "after"
        for number, (first, last) in enumerate(pairwise(cuts)):
            sting = next((one for one in stings if one.start <= first and last <= one.end), None)
            if sting is not None:
                if first == sting.start and (under := _heard_in(layers, sting.start, sting.end)):
                    yield sting, under
                continue
            under = _heard_in(layers, first, last)
            if hold and first == self.start and last == self.start + hold:
                under = tuple(replace(one, length=Samples(hold - one.at), fade_out=Samples(0)) for one in under)
            if under:
                yield Placed(Segment(f"tone:{side}:{beside}:{number}", "tone", Samples(last - first)), Samples(first)), under


def _heard_in(layers: Sequence[tuple[int, Under]], first: int, last: int) -> tuple[Under, ...]:
    return tuple(replace(one, at=Samples(begins - first)) for begins, one in layers if begins < last and begins + one.length > first)
