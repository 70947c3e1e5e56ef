"""What is wrong with a recording: judged from its profile and from what was noted of its samples. Pure.

Every sentinel gives findings whose places are samples at 48 kHz from the recording's first one. A note is hardly heard, a warning is heard by who
listens for it; nothing here is an error by itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from audio.findings import Finding, Severity, stretches, thinned
from audio.flaws import HUM_HZ, HUM_SECONDS, Flaws
from audio.gaps import by_encoder
from audio.profile import STEP, STEPS_PER_BLOCK, Profile
from audio.recipes import SENTINELS
from audio.units import RATE, Lufs, Samples

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Singles = NDArray[np.float32]
    Marks = NDArray[np.bool_]
    Counts = NDArray[np.int32]

RECIPE = SENTINELS
_BLOCK = STEP * STEPS_PER_BLOCK
_MS = RATE // 1000

# -- clipping --------------------------------------------------------------------------------------------------------------------------

_NEAR_DB, _SWING_DB, _FAR_DB, _FORGOTTEN = 1.0, 2.5, 6.0, 92
"""What is cut off is nearly as high as anything within a second on either side of it, but for what swings over between the recorded samples; hiss
does so far. What was higher before is forgotten by so many hundredths of a dB a second.
"""
_FLAT_TOPS, _FULL_SCALE, _FLAT_AT_FULL_SCALE, _FLAT_FAR = 3, -0.3, 2, 12
"""Flat tops within two seconds that are no chance: in clean speech there are up to five in a minute, hardly two together; further down, more."""
_BROAD, _BROAD_TOPS = 54, 8
_BROADER, _WORN_DB, _WORN_TOPS, _WORN_SHARE = 60, 4.0, 16, 0.21
"""Lossy encoders round the corners of flat tops and let some stand out. So many peaks tell, whose median breadth near the top is over that (percent);
or more of them, from further down, of which a share is that broad: in clean speech 0.18 at most.
"""
_OFTEN = 5.0

# -- holes and clicks ------------------------------------------------------------------------------------------------------------------

_DEEP, _UNDER_ROOM, _NOTHING, _SHORT_MS = 40.0, 12.0, -90.0, 8
"""A hole lies 40 dB under what is beside it, and even the room is gone in it, or all is (dBFS), or it is shorter than a mouth closes."""
_AUDIBLE, _LOUD = 25.0, 15.0
"""dB under the voice down to which something is heard beside it, and down to which it is loud."""
_CLICK_NOTE, _CLICK, _CLICK_FAR, _CLICK_ALONE = 18.0, 22.0, 28.0, 30.0
_CLICK_LOUD = 18.0
"""dB by which a click stands out: in speech, in speech that is loud (so many dB under the voice), in any speech, and where nobody speaks:
a mouth makes some of up to 27 there.
"""
_BESIDE_MS, _SAME_MS = 15, 5
_GONE = -95.0

# -- sides -----------------------------------------------------------------------------------------------------------------------------

_DEAD_DB = 50.0
_AWAY_DB, _AWAY_BLOCKS = 40.0, 20
_LOST_DB = -6.0
_PHASE_BLOCKS = 50

# -- hum -------------------------------------------------------------------------------------------------------------------------------

_MAINS = (50, 60)
_HARMONICS = 6
_MOST, _TOGETHER, _LEAST = 25.0, 21.0, 4.0
"""dB by which its lines stand out, together, of each at most so much (clean speech: up to 16); those that hardly do are not hum."""
_EARS = {50: -30.3, 60: -26.2, 100: -19.1, 120: -16.2, 150: -13.2, 180: -11.7, 200: -10.8, 240: -9.0, 250: -8.7, 300: -7.1, 360: -5.8}
"""How much weaker these frequencies are heard than 1 kHz, in dB (A-weighting, IEC 61672)."""
_HUM_NOTE, _HUM = 65.0, 55.0
"""dB under the voice, as heard."""

# -- silence ---------------------------------------------------------------------------------------------------------------------------

_SILENCE_NOTE, _SILENCE = 4.0, 10.0
_OVER_NOISE = 0.35
"""How far up from the room's noise to the voice silence reaches."""
_BLIP_BLOCKS = 3
_ROOM_PART, _FEWEST_PAUSES = 30, 10


@dataclass(frozen=True, slots=True)
class Subject:
    """What is judged: samples [start, end) of a recording whose decoded samples begin at ``origin``, in which a voice of ``voice`` LUFS speaks
    (``voiced``) over the ``noise`` of its room. ``repaired``: a dead channel is replaced before anybody hears it.
    """

    origin: Samples
    start: Samples
    end: Samples
    voice: Lufs
    noise: Lufs
    voiced: bool = True
    repaired: bool = True


def judge(profile: Profile, flaws: Flaws, subject: Subject) -> tuple[Finding, ...]:
    """Everything that is wrong, in order of detectors and then of time."""
    found = (
        _clipping(flaws),
        _dropouts(flaws, subject),
        _clicks(flaws, subject),
        _channels(profile, flaws, subject),
        _phase(flaws, subject),
        _hum(flaws, subject),
        _silence(profile, subject),
    )
    return tuple(one for group in found for one in thinned(list(group)))


def _clipping(flaws: Flaws) -> Iterator[Finding]:
    import numpy as np

    if not len(flaws.tops):
        return
    step, height, flat, broad = flaws.tops[np.argsort(flaws.tops[:, 0], kind="stable")].T
    seconds = step // 100
    highest = np.full(int(seconds[-1]) + 3, -20_000)
    np.maximum.at(highest, seconds + 1, height)
    under = np.maximum(np.maximum(highest[seconds], highest[seconds + 1]), highest[seconds + 2]) - height
    near, flat = under <= 100 * _NEAR_DB, (flat > 0) & (under <= 100 * _FAR_DB)
    lately = np.maximum.accumulate(highest[1:] + _FORGOTTEN * np.arange(len(highest) - 1)) - _FORGOTTEN * np.arange(len(highest) - 1)
    high_lately = height >= lately[seconds] - 100 * _SWING_DB
    high = high_lately & (under <= 100 * _WORN_DB)
    marks: list[tuple[int, int]] = []
    # Two seconds, by each second: what lies around an edge is seen whole by one of them.
    first_seconds = np.unique(seconds[near | high | flat])
    for first, last in np.searchsorted(step, first_seconds[:, None] * 100 + (0, 200)).tolist():
        here = slice(first, last)
        far, highest_here, nearest = flat[here], high[here], near[here]
        tops = far if far.sum() >= _FLAT_FAR else far & high_lately[here]
        worn = highest_here & (broad[here] >= _BROADER)
        needed = _FLAT_AT_FULL_SCALE if tops.any() and height[here][tops].max() >= 100 * _FULL_SCALE else _FLAT_TOPS
        broadly = nearest.sum() >= _BROAD_TOPS and np.median(broad[here][nearest]) >= _BROAD
        widely = highest_here.sum() >= _WORN_TOPS and worn.sum() >= _WORN_SHARE * highest_here.sum()
        if tops.sum() >= needed or broadly or widely:
            which = step[here][tops if tops.sum() >= needed else nearest & (broad[here] >= _BROAD) if broadly else worn]
            marks += [(at, at + 1) for at in which.tolist()]
    at = np.unique(np.array([first for first, _ in marks], "i8"))
    for start, end in stretches(marks, 200):
        count = int(((at >= start) & (at < end)).sum())
        often = count / max(1.0, (end - start) / 100)
        severity: Severity = "warning" if often >= _OFTEN or count >= _FLAT_TOPS else "note"
        words = f"clipped: {count} peaks cut off within {(end - start) / 100:.1f} s"
        yield _finding(flaws, "clipping", severity, start * STEP, end * STEP, count, "peaks", words)


def _dropouts(flaws: Flaws, subject: Subject) -> Iterator[Finding]:
    heard = 0
    for (at, length), (before, inside, after, edge, depth) in zip(flaws.holes[:, :2].tolist(), (flaws.holes[:, 2:] / 10).tolist(), strict=True):
        quieter, louder = sorted((before, after))
        nothing = inside <= max(_NOTHING, subject.noise - _UNDER_ROOM) or length <= _SHORT_MS
        filled = by_encoder(length, edge, depth)
        # A hole may have been noted by its level and by what moves, and of both sides.
        if at >= heard and (filled or (nothing and depth >= _DEEP)) and quieter >= subject.voice - _AUDIBLE:
            heard = at + length
            severity: Severity = "warning" if louder >= subject.voice - _LOUD else "note"
            yield _finding(flaws, "dropout", severity, at * _MS, (at + length) * _MS, length, "ms", f"dropout: nothing for {length} ms within speech")


def _clicks(flaws: Flaws, subject: Subject) -> Iterator[Finding]:
    beside_holes = [(one.start - flaws.origin - _BESIDE_MS * _MS, one.end - flaws.origin + _BESIDE_MS * _MS) for one in _dropouts(flaws, subject)]
    found: dict[int, tuple[float, Severity]] = {}
    for at, *said in flaws.clicks.tolist():
        by, beside, own = (value / 10 for value in said)
        heard = beside >= subject.voice - _AUDIBLE and by >= _CLICK_NOTE
        alone = own >= subject.voice - _AUDIBLE and by >= _CLICK_ALONE
        if not (heard or alone) or any(start <= at * _MS < end for start, end in beside_holes):
            continue
        loud = by >= _CLICK and (beside >= subject.voice - _CLICK_LOUD or by >= _CLICK_FAR)
        # Both sides of a recording click at once.
        place = next((near for near in range(at - _SAME_MS, at + 1) if near in found), at)
        found[place] = max(found.get(place, (0.0, "note")), (by, "warning" if loud or alone else "note"))
    for at, (by, severity) in found.items():
        words = f"click: the waveform jumps, {by:.0f} dB over what is around it"
        yield _finding(flaws, "click", severity, at * _MS, (at + 1) * _MS, by, "dB", words)


def _channels(profile: Profile, flaws: Flaws, subject: Subject) -> Iterator[Finding]:
    import numpy as np

    if len(profile.rms) != 2 or not len(flaws.sides):
        return
    difference = profile.rms[0] - profile.rms[1]
    if abs(difference) > _DEAD_DB:
        words = f"the {'right' if difference > 0 else 'left'} channel is dead" + ("; the other one is heard from both" if subject.repaired else "")
        yield _finding(flaws, "channel", "note" if subject.repaired else "warning", 0, flaws.length, round(abs(difference), 1), "dB", words)
        return
    left, right, _ = flaws.sides.T / 100
    talk = np.maximum(left, right) > subject.voice - _AUDIBLE
    for side, apart in (("left", right - left), ("right", left - right)):
        marks = [(start, end) for start, end in runs(talk & (apart > _AWAY_DB))]
        for start, end in stretches(marks, _AWAY_BLOCKS):
            gone = int((talk & (apart > _AWAY_DB))[start:end].sum())
            # A host who has a side to himself leaves the other one empty, but for his own room: that is no fault of a cable.
            if end - start >= _AWAY_BLOCKS and gone * 2 >= int(talk[start:end].sum()):
                figure = round(float(np.median(apart[start:end][talk[start:end]])), 1)
                words = f"the {side} channel is gone for {(end - start) / 10:.1f} s"
                yield _finding(flaws, "channel", "warning", start * _BLOCK, end * _BLOCK, figure, "dB", words)


def _phase(flaws: Flaws, subject: Subject) -> Iterator[Finding]:
    import numpy as np

    if not len(flaws.sides):
        return
    left, right, both = 10 ** (flaws.sides.T / 1000)
    talk = 10 * np.log10((left + right) / 2) > subject.voice - _AUDIBLE
    marks: list[tuple[int, int]] = []
    for start in range(0, len(talk), _PHASE_BLOCKS):
        here = slice(start, start + _PHASE_BLOCKS)
        if talk[here].sum() >= _PHASE_BLOCKS // 5 and _mono_loss(left[here], right[here], both[here], talk[here]) < _LOST_DB:
            marks.append((start, min(start + _PHASE_BLOCKS, len(talk))))
    for start, end in stretches(marks, 2 * _PHASE_BLOCKS):
        here = slice(start, end)
        loss = _mono_loss(left[here], right[here], both[here], talk[here])
        words = f"out of phase: on one loudspeaker {-loss:.0f} dB are lost for {(end - start) / 10:.0f} s"
        yield _finding(flaws, "phase", "warning", start * _BLOCK, end * _BLOCK, round(float(loss), 1), "dB", words)


def _mono_loss(left: Singles, right: Singles, both: Singles, talk: Marks) -> float:
    """What the mean of both sides has less than they have, in dB, where somebody speaks."""
    there = float((left[talk] + right[talk]).sum()) / 2
    return max(-99.0, 10 * math.log10(max(float(both[talk].sum()), 1e-20) / max(there, 1e-20)))


def _hum(flaws: Flaws, subject: Subject) -> Iterator[Finding]:
    import numpy as np

    if not len(flaws.hum):
        return
    spectra = flaws.hum / 100
    heard = np.full((len(_MAINS), len(spectra)), -200.0)
    for row, mains in enumerate(_MAINS):
        power, together = np.zeros(len(spectra)), np.zeros(len(spectra))
        for hertz in (mains * n for n in range(1, _HARMONICS + 1)):
            line = hertz // HUM_HZ
            peak = spectra[:, line - 1 : line + 2].max(axis=1)
            beside = np.concatenate((spectra[:, line - 17 : line - 4], spectra[:, line + 5 : line + 18]), axis=1)
            over = peak - np.percentile(beside, 75, axis=1)
            power += np.where(over >= _LEAST, 10 ** ((peak + _EARS[hertz]) / 10), 0)
            together += np.clip(over, 0, _MOST)
        heard[row] = np.where(together >= _TOGETHER, 10 * np.log10(power + 1e-20), -200)
    row = int(np.argmax(heard.max(axis=1)))
    marks = [(start, end) for start, end in runs(heard[row] > subject.voice - _HUM_NOTE) if end - start >= min(2, len(spectra))]
    for start, end in stretches(marks, 2):
        level = float(np.median(heard[row, start:end]))
        under = round(subject.voice - level, 1)
        words = f"hum of {_MAINS[row]} Hz and its harmonics, as heard {under:.0f} dB under the voice"
        last = flaws.length if end == len(spectra) else end * HUM_SECONDS * RATE
        yield _finding(flaws, "hum", "warning" if under < _HUM else "note", start * HUM_SECONDS * RATE, last, under, "dB", words)


def _silence(profile: Profile, subject: Subject) -> Iterator[Finding]:
    if not subject.voiced:
        return
    first, last = (max(0, (at - subject.origin) // _BLOCK) for at in (subject.start, subject.end))
    blocks = _blocks(profile.level)[first:last]
    threshold = subject.noise + _OVER_NOISE * max(0.0, subject.voice - subject.noise)
    quiet = blocks < threshold
    for start, end in stretches([(a, b) for a, b in runs(quiet) if b - a >= STEPS_PER_BLOCK // 2], _BLIP_BLOCKS):
        seconds = (end - start) / 10
        if seconds > _SILENCE_NOTE:
            at, until = (Samples(subject.origin + (first + edge) * _BLOCK) for edge in (start, end))
            words = f"nobody speaks for {seconds:.1f} s"
            yield Finding("silence", "warning" if seconds > _SILENCE else "note", at, until, round(seconds, 1), "s", words)


def room(level: Singles, subject: Subject) -> float | None:
    """The noise of the room in a stretch of steps, in LUFS: what its pauses are like. None where there are hardly any, or nothing is in them."""
    import numpy as np

    blocks = _blocks(level)
    pauses = blocks[(blocks > _GONE) & (blocks < subject.noise + _OVER_NOISE * max(0.0, subject.voice - subject.noise))]
    return round(float(np.percentile(pauses, _ROOM_PART)), 2) if len(pauses) >= _FEWEST_PAUSES else None


def _blocks(level: Singles) -> Singles:
    """Loudness of each 100 ms."""
    import numpy as np

    rows = level[: len(level) // STEPS_PER_BLOCK * STEPS_PER_BLOCK].reshape(-1, STEPS_PER_BLOCK)
    found: Singles = 10 * np.log10((10 ** (rows / np.float32(10))).mean(axis=1))
    return found


def _finding(flaws: Flaws, detector: str, severity: Severity, start: int, end: int, figure: float, unit: str, words: str) -> Finding:
    """Places are given as samples from the first that was decoded."""
    return Finding(detector, severity, Samples(flaws.origin + start), Samples(flaws.origin + min(end, flaws.length)), float(figure), unit, words)


def runs(marks: Marks | Sequence[bool]) -> list[tuple[int, int]]:
    """Stretches [start, end) of marks."""
    import numpy as np

    edges = np.flatnonzero(np.diff(np.concatenate(([False], marks, [False])).astype("i1")))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]
