"""Music under speech: where a piece of it can go round, and how far it steps back while somebody speaks. Pure, in steps of 10 ms."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from audio.speech import SPEECH

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Singles = NDArray[np.float32]
    Doubles = NDArray[np.float64]
    Whole = NDArray[np.int64]

# -- where a piece of music can go round ------------------------------------------------------------------------------------------

_SHORTEST = 150
"""Of less than 1.5 s nothing is chosen: all of it goes round."""
_REACH = 2_000
"""How far from the beginning of a piece and from its end the seam is looked for: 20 s."""
_CONTEXT = 400
"""What must be alike before the seam and before the start: four seconds at most."""
_COARSE = 2
_ROW = 5
_DEEP = 24.0
"""dB under the loud passages from where on it does not matter how quiet something is."""
_FADED = 4.0
_LONGER = 8.0
"""A stretch as long as the piece may be this many dB less alike than one of no length."""
_IN_BARS = 3.0
_SHOWS = 0.2
"""From this autocorrelation on there is a beat."""
_SHORTEST_BEAT = 20
_LONGEST_BAR = 800
_TRACKED = 60_000
_ATTACK = 3.0
"""dB by which a note or a drum stands out from the 100 ms before it."""
_BEFORE, _AFTER = 10, 4
_MOVED = 100
_SHORT_LAP, _MIDDLE_LAP, _LONG_LAP = 5, 50, 150


@dataclass(frozen=True, slots=True)
class Loop:
    """The stretch [start, end) of a piece that goes round, in steps of 10 ms.

    [start - lap, start) fades in over [end - lap, end), which fades out: then the music goes on at ``start``.
    """

    start: int
    end: int
    lap: int


def loop(level: Singles, peak: Singles, treble: Singles) -> Loop:
    """Where a piece can go round so that it goes on in its beat: as long a stretch as there is, in whole bars if it has any.

    Fades and silence at either end are left out. What a seam is judged by is how much the seconds before it are like those before the start.
    It is moved to just before a note or a drum, which hides it; where there is none, as in a drone, the crossfade is a long one.
    A piece that is too short to choose from, or does nothing but fade, goes round as a whole.
    """
    first, last, faded = _body(level)
    begin, end = _heard(peak)
    if last - first >= _SHORTEST:
        curves = _Curves(level, treble, first, last)
        bar = _bar(curves.between(first, min(last, first + _TRACKED)))
        found = _placed(curves, *_alike(curves, faded, bar), bar)
        if found.end - found.start >= (end - begin) // 4:
            return found
    # With some of the silence after it, or a click would become a buzz.
    end = max(end, min(begin + _SHORTEST, len(peak)))
    lap = min((end - begin) // 4, _SHORT_LAP if end - begin < _SHORTEST else _LONG_LAP)
    return Loop(begin + lap, end, lap)


def _heard(peak: Singles) -> tuple[int, int]:
    """From the first step that is no silence to the last."""
    if not len(peak):
        return 0, 0
    heard = peak > peak.max() - 2 * _DEEP
    return int(heard.argmax()), len(peak) - int(heard[::-1].argmax())


def _body(level: Singles) -> tuple[int, int, Singles]:
    """The first and the last step between the fades; and how many dB the two seconds around each 50 ms lie under what is usual."""
    import numpy as np

    count = len(level)
    if not count:
        return 0, 0, np.zeros(0, "f4")
    starts = np.arange(0, count, _ROW)
    lasts = np.minimum(starts + _ROW, count) - starts
    total = np.concatenate(([0.0], np.cumsum(np.add.reduceat(np.power(np.float32(10), level / np.float32(10)), starts), dtype="f8")))
    time = np.concatenate(([0], np.cumsum(lasts)))
    half = max(1, min(20, count // 8 // _ROW // 2))
    at = np.arange(len(starts))
    begin, end = np.maximum(at - half, 0), np.minimum(at + half + 1, len(at))
    around = (10 * np.log10(np.maximum(total[end] - total[begin], 1e-13) / (time[end] - time[begin]))).astype("f4")
    usual = float(np.median(around[around > 10 * math.log10(max(total[-1] / count, 1e-13)) - 10]))
    full, heard = around > usual - _FADED, level > usual - _DEEP
    first = max(int(full.argmax()) * _ROW, int(heard.argmax()))
    last = min((len(full) - int(full[::-1].argmax())) * _ROW, count - int(heard[::-1].argmax()))
    return first, last, usual - around


class _Curves:
    """What is compared of a piece between its fades: level and treble, in dB under what is loud in either, and not under silence."""

    def __init__(self, level: Singles, treble: Singles, first: int, last: int) -> None:
        import numpy as np

        self.first, self.last = first, last
        self._both = (level, treble)
        sparse = 1 + (last - first) // _TRACKED
        # Where most of the energy lies: between drums most of the time is not.
        self._loud = [10 * math.log10(max(float(np.mean(10 ** (curve[first:last:sparse] / 10))), 1e-13)) for curve in self._both]

    def between(self, begin: int, end: int) -> Singles:
        """Shape (steps, 2)."""
        import numpy as np

        parts = [np.maximum(curve[begin:end] - np.float32(loud), -_DEEP) for curve, loud in zip(self._both, self._loud, strict=True)]
        return np.stack(parts, axis=1)


class _Bar(NamedTuple):
    """After how many steps the beat repeats itself, how clearly (0 to 1), and over how many steps it was followed."""

    length: float
    clear: float
    followed: float

    def off(self, period: Whole) -> Doubles:
        """For how much a period counts as no whole number of bars, from 0 to 1."""
        import numpy as np

        off = np.abs(period - self.length * np.rint(period / self.length))
        # Half a step is what is not known of the length that was followed.
        doubt = _COARSE + 0.5 * period / self.followed
        counts: Doubles = self.clear * np.clip((off - doubt) / 4, 0, 1)
        return counts


def _bar(curves: Singles) -> _Bar | None:
    """The shortest of the periods that show best, followed through its multiples for as long as they show; None where there is no beat."""
    import numpy as np

    smooth = (curves[2:] + curves[1:-1] + curves[:-2]) / 3
    rises = np.maximum(smooth[3:] - smooth[:-3], 0)
    if np.percentile(rises, 99, axis=0).max() < _ATTACK:
        return None
    # Made wider, as a beat hardly ever is a whole number of steps.
    onsets = np.convolve((rises / (rises.std(axis=0) + 0.1)).sum(axis=1).astype("f8"), np.array([1, 2, 3, 2, 1]) / 9)
    onsets -= onsets.mean()
    count = len(onsets)
    spectrum = np.fft.rfft(onsets, 1 << (2 * count - 1).bit_length())
    both = np.fft.irfft(np.abs(spectrum) ** 2)[: count // 2]
    again = both / both[0] * count / (count - np.arange(len(both)))
    tops = 1 + np.flatnonzero((again[1:-1] > again[:-2]) & (again[1:-1] >= again[2:]))
    tops = tops[(tops >= _SHORTEST_BEAT) & (tops < _LONGEST_BAR)]
    if not len(tops) or again[tops].max() < _SHOWS:
        return None
    found = int(tops[again[tops] >= 0.93 * again[tops].max()][0])
    clear = float(again[found])
    bar, times = found + _vertex(again[found - 1 : found + 2]), 1
    while (centre := round(2 * times * bar)) + 4 < len(again):
        near = again[centre - 3 : centre + 4]
        top = int(near.argmax())
        if near[top] < clear / 2 or top in (0, 6):
            break
        times *= 2
        bar = (centre - 3 + top + _vertex(near[top - 1 : top + 2])) / times
    return _Bar(bar, min(clear, 1.0), times * bar)


def _vertex(three: Doubles) -> float:
    """Where between -1/2 and 1/2 the parabola through three values has its top, the middle one being the highest."""
    bend = float(three[0] - 2 * three[1] + three[2])
    return 0.5 * float(three[0] - three[2]) / bend if bend < 0 else 0.0


def _alike(curves: _Curves, faded: Singles, bar: _Bar | None) -> tuple[int, int]:
    """The start and the end whose seconds before are most alike, for how long the stretch between them is."""
    import numpy as np

    length = curves.last - curves.first
    context = 1 << int(math.log2(max(8, min(_CONTEXT, length // 6) // _COARSE)))
    reach = min(_REACH, length // 3) // _COARSE
    begin = max(-(-curves.first // _COARSE), context) * _COARSE
    before = _rows(curves.between(begin - context * _COARSE, begin + reach * _COARSE))
    starts = begin + _COARSE * np.arange(reach + 1)
    found = []
    for finish in range(curves.last - reach * _COARSE - _COARSE + 1, curves.last - reach * _COARSE + 1):
        behind = _rows(curves.between(finish - context * _COARSE, finish + reach * _COARSE))
        ends = finish + _COARSE * np.arange(reach + 1)
        apart = (before**2).sum(axis=1)[:, None] + (behind**2).sum(axis=1)[None] - 2 * before @ behind.T
        # Sums along the diagonals: each round doubles how far they reach.
        summed = 1
        while summed < context:
            apart = apart[:-summed, :-summed] + apart[summed:, summed:]
            summed *= 2
        apart = np.sqrt(np.maximum(apart, 0, out=apart) / np.float32(2 * context))
        # What depends on the period alone is the same along each diagonal.
        period = np.arange(ends[0] - starts[-1], ends[-1] - starts[0] + 1, _COARSE)
        worth = np.where(period < length // 4, np.inf, -_LONGER / length * period)
        if bar:
            worth += _IN_BARS * bar.off(period)
        apart += np.lib.stride_tricks.sliding_window_view(worth.astype("f4"), len(ends))[::-1]
        early, late = (np.maximum(faded[(at - 1) // _ROW] - 1, 0) / 2 for at in (starts, ends))
        apart += early[:, None]
        apart += late[None]
        row, column = np.unravel_index(int(np.argmin(apart)), apart.shape)
        found.append((float(apart[row, column]), int(starts[row]), int(ends[column])))
    return min(found)[1:]


def _rows(curves: Singles) -> Singles:
    """One row for two steps, and smooth: a beat that begins in the middle of a step is like one that begins at its edge."""
    import numpy as np

    rows = curves.reshape(-1, _COARSE, 2).mean(axis=1)
    wide = np.concatenate((rows[:1], rows, rows[-1:]))
    smooth: Singles = (wide[:-2] + 2 * wide[1:-1] + wide[2:]) / 4
    return smooth


def _placed(curves: _Curves, start: int, end: int, bar: _Bar | None) -> Loop:
    """The same period to the step, moved to just before a beat, where little is heard of the crossfade."""
    import numpy as np

    context = min(start, _CONTEXT)
    before, behind = curves.between(start - context, start), curves.between(end - context - _COARSE - 1, min(end + _COARSE + 1, curves.last))
    errors = [float(np.mean((before - behind[at : at + context]) ** 2)) for at in range(len(behind) - context + 1)]
    period = end - start + int(np.argmin(errors)) - _COARSE - 1
    lowest, highest = max(curves.first, start - _MOVED, _BEFORE), min(start + _MOVED, curves.last - period - _AFTER)
    if lowest <= highest:
        rises = [_rise(curves.between(at - _BEFORE, highest - lowest + at + _AFTER)) for at in (lowest, lowest + period)]
        rise = np.minimum(*rises)
        best = int(rise.argmax())
        if rise[best] >= _ATTACK:
            return Loop(lowest + best, lowest + best + period, _SHORT_LAP)
    start = min(start, curves.last - period)
    lap = min(_MIDDLE_LAP if bar else _LONG_LAP, period // 4, start)
    return Loop(start, start + period, lap)


def _rise(curves: Singles) -> Doubles:
    """dB that 30 ms, from the step after each place on, lie over the 100 ms before it; the first place is the eleventh step."""
    import numpy as np

    means = curves.mean(axis=1)
    before = np.convolve(means, np.full(_BEFORE, 1 / _BEFORE), "valid")[: len(means) - _BEFORE - _AFTER + 1]
    after = np.convolve(means, np.full(_AFTER - 1, 1 / (_AFTER - 1)), "valid")[_BEFORE + 1 :]
    rise: Doubles = after - before
    return rise


# -- how far the bed steps back ---------------------------------------------------------------------------------------------------

OVER = 20.0
"""A voice is followed without effort over a background that lies 20 dB lower (WCAG 2.2, 1.4.7)."""
HOLD = 1.2
RISE = 1.3
_PER_BLOCK = 10
_PER_SECOND = 100
_QUIETEST = -70.0
"""A voice below the absolute gate of BS.1770 is none."""
_LEAD = 20
"""The bed is down 200 ms before the first word: as far as the 400 ms around it reach."""
_FALL = 40
_STEEPEST = 1.2
"""dB in 10 ms that the bed moves at most: a deep fall takes longer than a shallow one."""
_AT_ONCE = 60_000


def duck(voice: Singles, classes: NDArray[np.int8], bed: Singles, over: float = OVER, *, hold: float = HOLD, rise: float = RISE) -> Singles:
    """Gain in dB, never more than 0, for each step of the bed, with which the voice lies ``over`` dB above it in every second with speech.

    ``voice`` and ``bed`` are the loudness of the same steps in LUFS, each as it sounds with its own gain; ``classes`` say of each 100 ms what it is.
    The bed is down before the first word, stays down for ``hold`` seconds after the last one, and comes up within ``rise`` seconds: wholly
    or, if the pause is too short for that, not at all. How far it goes down follows the voice over several seconds, not its syllables.
    """
    import numpy as np

    count = len(bed)
    gains = np.zeros(count, "f4")
    above = _above(voice, classes, bed)
    least = _per_second(above)
    missing = np.where(np.isnan(least), 0.0, np.maximum(over - least, 0.0))
    if not missing.any():
        return gains
    depth = _slow(missing, ~np.isnan(least))
    knots = np.arange(len(depth)) * _PER_SECOND + (_PER_SECOND - 1) / 2
    for at in range(0, count, _AT_ONCE):
        steps = np.arange(at, min(at + _AT_ONCE, count))
        gains[at : at + _AT_ONCE] = np.interp(steps, knots, depth)
    gains *= _down(np.flatnonzero(~np.isnan(above)), depth, count, max(round(hold * 100), _LEAD), round(rise * 100))
    # Rounded away from 0, so that nothing is lost of what is asked for.
    np.ceil(gains * np.float32(100) - np.float32(1e-3), out=gains)
    gains /= np.float32(-100)
    gains += np.float32(0)  # no -0
    return gains


def over_per_second(voice: Singles, classes: NDArray[np.int8], bed_after: Singles) -> Doubles:
    """How many dB the voice lies over the bed in each second, as both sound; NaN for a second in which nobody speaks.

    It is the least that is found in the second around any 100 ms of speech in it, of what is speech there; so it does not matter where seconds begin.
    """
    import numpy as np

    found: Doubles = np.round(_per_second(_above(voice, classes, bed_after)), 2)
    return found


def _per_second(above: Doubles) -> Doubles:
    import numpy as np

    least: Doubles = np.fmin.reduce(above.reshape(-1, 10), axis=1)
    return least


def _above(voice: Singles, classes: NDArray[np.int8], bed: Singles) -> Doubles:
    """dB of the voice over the bed in the second around each 100 ms of speech that can be heard, NaN for any other; for whole seconds.

    Of the second counts what is speech, and of that the 400 ms around each 100 ms: as far as a momentary value reaches.
    """
    import numpy as np

    seconds = -(-len(voice) // _PER_SECOND)
    speech = np.zeros(10 * seconds, bool)
    within = classes[: len(speech)]
    speech[: len(within)] = within == SPEECH
    if not speech.any():
        return np.full(len(speech), np.nan)
    own, other = (_momentary(curve, len(speech)) for curve in (voice, bed))
    second = np.concatenate(([0.5], np.ones(9), [0.5]))

    def sums(values: Doubles | NDArray[np.bool_]) -> Doubles:
        found: Doubles = np.convolve(np.pad(values * speech, 5), second, "valid")
        return found

    with np.errstate(divide="ignore", invalid="ignore"):
        speech &= 10 * np.log10(sums(own) / sums(speech)) > _QUIETEST
        above: Doubles = np.where(speech, 10 * np.log10(sums(own) / sums(other)), np.nan)
    return above


def _momentary(curve: Singles, blocks: int) -> Doubles:
    """Energy of the 400 ms around each 100 ms."""
    import numpy as np

    each = np.zeros(blocks)
    for at in range(0, len(curve), _AT_ONCE):
        energy = np.power(np.float32(10), curve[at : at + _AT_ONCE] * np.float32(0.1))
        starts = np.arange(0, len(energy), _PER_BLOCK)
        # A last block that is not full counts as it lasts.
        each[at // _PER_BLOCK : at // _PER_BLOCK + len(starts)] = np.add.reduceat(energy, starts) / _PER_BLOCK
    wide = np.pad(each, 2)
    around: Doubles = (wide[:-4] / 2 + wide[1:-3] + wide[2:-2] + wide[3:-1] + wide[4:] / 2) / 4
    return around


def _slow(missing: Doubles, spoken: NDArray[np.bool_]) -> Doubles:
    """dB for the middle of each second, changing slowly, between which a straight line is nowhere less than any second asks for.

    The most that is asked for within four seconds, averaged over two: so each value holds for the two seconds on either side, into which the
    second around a word reaches.
    """
    import numpy as np

    at = np.arange(len(missing))
    last = np.maximum.accumulate(np.where(spoken, at, 0))
    coming = np.minimum.accumulate(np.where(spoken, at, len(at) - 1)[::-1])[::-1]
    held = np.where(spoken, missing, np.maximum(missing[last], missing[coming]))
    most = np.lib.stride_tricks.sliding_window_view(np.pad(held, 6, mode="edge"), 9).max(axis=1)
    slow: Doubles = np.convolve(most, np.array([1, 2, 3, 2, 1]) / 9, mode="valid")
    return slow


def _down(blocks: Whole, depth: Doubles, count: int, hold: int, rise: int) -> Singles:
    """1 where the bed is down, 0 where it plays at its own level, and the ways between; ``blocks`` are the 100 ms of speech."""
    import numpy as np

    first, last = (blocks * _PER_BLOCK - _LEAD), (blocks + 1) * _PER_BLOCK + hold
    way = np.maximum(np.ceil(depth[np.minimum(blocks // 10, len(depth) - 1)] * (math.pi / 2 / _STEEPEST)), _FALL).astype("i8")
    # A pause in which it could not come up and go down again is held through.
    apart = np.flatnonzero(first[1:] - way[1:] >= last[:-1] + np.maximum(way[:-1], rise))
    begins, ends = np.concatenate(([0], apart + 1)), np.concatenate((apart, [len(blocks) - 1]))
    down = np.zeros(count, "f4")
    for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
        fall, lift = int(way[begin]), max(int(way[end]), rise)
        a, z = int(first[begin]), int(last[end])
        down[max(a, 0) : z] = 1
        _lay(down, a - fall, _half(fall))
        _lay(down, z, _half(lift)[::-1])
    return down


def _half(length: int) -> Singles:
    """Half a cosine from 0 to 1."""
    import numpy as np

    return (0.5 - 0.5 * np.cos(np.pi * (np.arange(length) + 0.5) / length)).astype("f4")


def _lay(onto: Singles, at: int, curve: Singles) -> None:
    """Put ``curve`` at a place that may lie partly outside."""
    begin, end = max(at, 0), min(at + len(curve), len(onto))
    if begin < end:
        onto[begin:end] = curve[begin - at : end - at]
