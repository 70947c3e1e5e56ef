"""What is done to a recording so that it sounds beside the others: decided from its profile and from what is wished for. Pure.

Speech gets the voice chain: repair, high-pass, de-essing, levelling and compression, and then one linear gain that is right after the limiter.
What holds no speech is never lifted: a room, or music that somebody recorded as a section, stays as quiet as it was made.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from audio import deess, leveling, loudness, ride, speech, tone
from audio.leveling import Level
from audio.measure import Cut
from audio.pcm import Take
from audio.profile import STEP, STEPS_PER_BLOCK, Profile, from_curve, to_curve
from audio.strip import UNTOUCHED, Strip
from audio.units import Db, Lufs, Samples, samples_from_seconds

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

RECIPE = 5
"""Raised when the same profile would be treated, or described, otherwise."""
ChainKind = Literal["voice", "linear", "none"]
_BLOCK = STEP * STEPS_PER_BLOCK
_LITTLE_SPEECH = 0.02
"""Share of a section below which what looks like speech is taken for chance."""
_DEAD_DB = 50.0
"""A channel this far under the other one is dead; crosstalk in a recorder is weaker."""
_BOTH = Db(round(10 * math.log10(2), 2))
_DIGITAL_SILENCE = -95.0
_DC = 3e-4
"""A mean under this (-70 dBFS) is left alone."""
_RUMBLE_DB = 40.0
"""Rumble less than this under the voice is filtered out: clean recordings have theirs 43 to 57 dB under it, those that rumble 10 to 38."""
_HIGH_PASS_HZ = 70.0
_QUIET_DB = 22.0
"""Rumble is listened for in what is this far under the voice: a deep voice has some of it, too."""
_FEW_STEPS = 20
_LAST_STEPS = 5
_STILL_SPEAKING_DB = 20.0
"""What is less than this under the voice is part of a word, however soft its end."""
_ONE_SIDE_DB = 3.01
_TREBLE_SHARE_DB = 6.3
"""What the treble of a step adds to its loudness, beside the treble's own level: K-weighting there, two sides, and the meter's offset."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is wished for. ``chain``: "voice" decides and does everything, "linear" only repairs and sets one gain, "none" touches no sample.

    ``high_pass`` in Hz (0: none, None: as the recording needs it), ``deess`` the most dB that are taken from a sibilant, ``levelling`` the most dB
    by which a speaker or a passage is moved, ``compression`` a ratio (1: none). ``gain`` in dB stands in the place of the measured one.
    """

    chain: ChainKind = "voice"
    repair: bool = True
    high_pass: float | None = None
    deess: float = 6.0
    levelling: float = 6.0
    compression: float = 2.0
    gain: float | None = None


PLAIN = Wishes()
"""The wishes of who wishes for nothing."""


@dataclass(frozen=True, slots=True)
class Room:
    """Samples [start, end) of a recording, counted from the take's in point, that can go round as the tone of its room; ``level`` in LUFS.

    ``opens`` and ``closes`` are the dB by which levelling moves the room where the section begins and where it ends.
    """

    start: Samples
    end: Samples
    level: Lufs
    opens: Db = Db(0.0)
    closes: Db = Db(0.0)


@dataclass(frozen=True, slots=True)
class Measured:
    """What is known of a recording, and what is done to it. Positions are samples at 48 kHz from the start of the recording.

    [start, end) is what sounds after trimming; ``length`` all that was decoded between the in and out points. ``loudness`` is integrated LUFS of
    [start, end) as it was recorded, ``peak`` the highest sample in dBFS after the strip, ``gain`` what brings it to the level asked for, in dB.
    ``speech`` is the share of it in which somebody speaks, ``noise`` the level of its room in LUFS, ``deessed`` the share of it with sibilance
    taken down, ``moved`` the most lift and the most reduction of levelling and compression in dB. ``cut_off``: it ends in the middle of a sound.
    ``bright`` is the treble of its speech as it was recorded, in dB to the loudness of the same 10 ms, in the median: a dull voice has less (None:
    nobody speaks). ``spoken`` is when somebody speaks in [start, end), in runs of tenths of a second: silent, speaking, silent, and so on (None:
    nobody asked).
    """

    length: Samples
    start: Samples
    end: Samples
    loudness: Lufs
    peak: Db
    gain: Db
    strip: Strip = UNTOUCHED
    speech: float = 1.0
    noise: Lufs = Lufs(-120.0)
    room: Room | None = None
    deessed: float = 0.0
    moved: tuple[float, float] = (0.0, 0.0)
    cut_off: bool = False
    bright: Db | None = None
    spoken: tuple[int, ...] | None = None

    @classmethod
    def kept(cls, values: dict[str, Any]) -> Measured:
        """What `dataclasses.asdict` made of one, and JSON of that."""
        strip, room = values["strip"], values["room"]
        return cls(
            **{
                **values,
                "strip": Strip(**{**strip, "dc": tuple(strip["dc"])}),
                "room": Room(**room) if room else None,
                "moved": tuple(values["moved"]),
                "spoken": None if values["spoken"] is None else tuple(values["spoken"]),
            }
        )

    @property
    def voiced(self) -> bool:
        """Whether anybody speaks in it."""
        return self.speech >= _LITTLE_SPEECH


def guess(take: Take, size: int) -> Measured:
    """What a take of a file of ``size`` bytes will most likely measure, from what its container says: its length, and nothing else to rely on."""
    # Where no length is declared: as long as a 128 kb/s MP3 of that size, or as 16-bit samples.
    coded = take.source.codec.startswith(("mp3", "aac", "opus", "vorbis"))
    bytes_per_second = 16_000 if coded else take.source.rate * take.source.channels * 2
    whole = samples_from_seconds(take.source.declared or size / bytes_per_second)
    end = Samples(min(whole, whole if take.end is None else take.end))
    start = Samples(min(take.start, end))
    return Measured(Samples(end - start), start, end, Lufs(-23.0), Db(-3.0), Db(0.0))


def decide(profile: Profile, cut: Cut, level: Level, wishes: Wishes, *, voice: bool, channels: int = 2) -> Measured:
    """Decide what is done to a recording for a programme of ``channels``. ``voice``: it is a section; music is brought to its level as it is."""
    start, end = _trimmed(profile, cut)
    # Whole blocks of 100 ms; their steps lie on the same edges.
    first, last = -(-start // _BLOCK), end // _BLOCK
    touched = voice and wishes.chain != "none"
    classes = speech.tell(profile.level, profile.momentary, profile.treble) if touched else None
    share = 1.0 if classes is None or last <= first + 3 else float((classes[first:last] == speech.SPEECH).mean())
    recorded = _integrated(profile.momentary, first, last)
    strip = _repaired(profile, wishes, recorded) if touched else UNTOUCHED
    if strip.side is not None:
        # What one side held is now heard from both.
        profile = replace(profile, level=profile.level + _BOTH, momentary=profile.momentary + _BOTH)
    curves = _no_curves()
    if classes is not None and wishes.chain == "voice" and share >= _LITTLE_SPEECH:
        curves = _curves(profile, classes, wishes, channels)
        strip = replace(strip, deess=from_curve(curves.deess), ride=from_curve(curves.ride))
    peak, momentary = _after(profile, curves)
    found = Measured(
        length=profile.length,
        start=Samples(cut.start + start),
        end=Samples(cut.start + end),
        loudness=recorded,
        peak=Db(round(float(peak[start // STEP : -(-end // STEP)].max(initial=loudness.FLOOR)), 2)),
        gain=_gain(momentary, peak, first, last, level),
        strip=strip,
        speech=round(share, 4),
        deessed=_share(curves.deess < 0),
        moved=_range(curves.ride),
        cut_off=bool(profile.level[max(0, end // STEP - _LAST_STEPS) : end // STEP].max(initial=loudness.FLOOR) > recorded - _STILL_SPEAKING_DB),
    )
    if classes is not None:
        found = replace(found, bright=_bright(profile, classes), spoken=speech.spoken(classes[start // _BLOCK : -(-end // _BLOCK)]))
        found = replace(found, noise=_noise(profile, classes), room=_room(profile, classes, curves.ride, (start, end)) if found.voiced else None)
    if wishes.chain == "none":
        return replace(found, gain=Db(0.0))
    if wishes.gain is not None:
        return replace(found, gain=Db(wishes.gain))
    # What nobody speaks in is never lifted, unless somebody said that it should be.
    return found if found.voiced or wishes.chain == "linear" else replace(found, gain=Db(min(found.gain, 0.0)))


def loudness_after(profile: Profile, strip: Strip) -> Lufs:
    """Integrated loudness of a recording, all of it, as it comes out of its strip, before any gain."""
    if strip.side is not None:
        profile = replace(profile, level=profile.level + _BOTH, momentary=profile.momentary + _BOTH)
    _, momentary = _after(profile, _Curves(to_curve(strip.deess), to_curve(strip.ride)))
    return _integrated(momentary, 0, len(momentary))


class _Curves(NamedTuple):
    """dB per 10 ms; empty where nothing is done."""

    deess: Floats
    ride: Floats


def _no_curves() -> _Curves:
    import numpy as np

    return _Curves(np.zeros(0, "f4"), np.zeros(0, "f4"))


def _curves(profile: Profile, classes: NDArray[np.int8], wishes: Wishes, channels: int) -> _Curves:
    import numpy as np

    # How sharp a sound is was found with voices that are heard from two sides.
    heard = profile.level if channels == 2 else profile.level + np.float32(_ONE_SIDE_DB)
    nothing = _no_curves()
    moves = wishes.levelling or wishes.compression > 1
    return _Curves(
        deess.deess(heard, profile.treble, classes, wishes.deess) if wishes.deess else nothing.deess,
        ride.ride(profile.level, profile.momentary, classes, ride.Wishes(wishes.levelling, wishes.compression)) if moves else nothing.ride,
    )


def _repaired(profile: Profile, wishes: Wishes, recorded: Lufs) -> Strip:
    """What has nothing to do with speech: a dead channel, DC, rumble."""
    import numpy as np

    side: int | None = None
    dc: tuple[float, ...] = ()
    if wishes.repair:
        if len(profile.rms) == 2 and abs(profile.rms[0] - profile.rms[1]) > _DEAD_DB:
            side = int(profile.rms[1] > profile.rms[0])
        heard = profile.dc if side is None else (profile.dc[side],) * 2
        dc = tuple(round(mean, 7) for mean in heard) if max(map(abs, heard)) > _DC else ()
    corner = wishes.high_pass
    if corner is None:
        quiet = profile.rumble[(profile.level < recorded - _QUIET_DB) & (profile.level > _DIGITAL_SILENCE)]
        rumble = 10 * math.log10(float(np.mean(10 ** (quiet / 10))) + 1e-12) if len(quiet) > _FEW_STEPS else loudness.FLOOR
        corner = _HIGH_PASS_HZ if rumble > recorded - _RUMBLE_DB else 0.0
    # A high-pass takes DC with it.
    return Strip(side, () if corner else dc, corner)


def _trimmed(profile: Profile, cut: Cut) -> tuple[int, int]:
    if not cut.trim:
        return 0, profile.length
    lead, trail = max(0, profile.lead - cut.air), max(0, profile.trail - cut.air)
    return (lead, profile.length - trail) if lead + trail < profile.length else (0, profile.length)


def _integrated(momentary: Floats, first: int, last: int) -> Lufs:
    """Integrated loudness of blocks [first, last), the first three of which reach back before them and are not counted.

    Under 400 ms no block is whole: the highest of the momentary values is the best there is.
    """
    found = loudness.integrated(momentary[first + 3 : last]) if last > first + 3 else loudness.SILENCE
    return found if found != loudness.SILENCE else Lufs(float(momentary.max(initial=loudness.FLOOR)))


def _after(profile: Profile, curves: _Curves) -> tuple[Floats, Floats]:
    """Peaks (dBFS, every 10 ms) and momentary loudness (LUFS, every 100 ms) after the curves."""
    import numpy as np

    moves = curves.ride
    if len(curves.deess) and curves.deess.any():
        share = np.minimum(1, 10 ** ((profile.treble + np.float32(_TREBLE_SHARE_DB) - profile.level) / 10))
        lost = 10 * np.log10(1 - share * (1 - 10 ** (curves.deess / 10)))
        moves = moves + lost if len(moves) else lost
    if not len(moves):
        return profile.peak, profile.momentary
    energy = 10 ** (profile.level / 10)
    before, after = leveling.windows(energy), leveling.windows(energy * 10 ** (moves / 10))
    count = len(profile.momentary)
    return profile.peak + moves, profile.momentary + (10 * np.log10(after / before))[:count].astype("f4")


def _gain(momentary: Floats, peak: Floats, first: int, last: int, level: Level) -> Db:
    import numpy as np

    there = _integrated(momentary, first, last)
    if last <= first + 3 or loudness.integrated(momentary[first + 3 : last]) == loudness.SILENCE:
        return Db(round(min(level.target - there, level.max_gain), 2))
    blocks = np.concatenate((np.full(3, loudness.FLOOR), momentary[first + 3 : last]))
    peaks: Floats = 10 ** (peak[first * STEPS_PER_BLOCK : last * STEPS_PER_BLOCK] / np.float32(20))
    return leveling.gain(blocks, peaks, level)


def _noise(profile: Profile, classes: NDArray[np.int8]) -> Lufs:
    return Lufs(round(max(loudness.FLOOR, float(speech.floor(profile.level, classes))), 2))


def _bright(profile: Profile, classes: NDArray[np.int8]) -> Db | None:
    import numpy as np

    spoken = np.flatnonzero(np.repeat(classes == speech.SPEECH, STEPS_PER_BLOCK)[: len(profile.level)])
    return Db(round(float(np.median(profile.treble[spoken] - profile.level[spoken])), 2)) if len(spoken) else None


def _room(profile: Profile, classes: NDArray[np.int8], moves: Floats, edges: tuple[int, int]) -> Room | None:
    found = tone.find(profile.level, profile.peak, profile.treble, classes)
    if found is None:
        return None
    opens, closes = (Db(round(float(moves[min(at // STEP, len(moves) - 1)]), 2) if len(moves) else 0.0) for at in edges)
    return Room(Samples(found.start * STEP), Samples(found.end * STEP), Lufs(round(float(found.level), 2)), opens, closes)


def _share(marks: NDArray[np.bool_]) -> float:
    return round(float(marks.mean()), 4) if len(marks) else 0.0


def _range(moves: Floats) -> tuple[float, float]:
    return (round(float(moves.max()), 2), round(float(moves.min()), 2)) if len(moves) else (0.0, 0.0)
