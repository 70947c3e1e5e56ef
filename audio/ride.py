"""The hand on the fader: speakers and passages brought to one level, and what sticks out of a sentence taken back a little. Pure.

The speech of a section falls into passages: stretches of seconds to minutes that keep a level of their own, because somebody else speaks, turns
away, or was recorded on another day. Each gets one gain, so the dynamics within it stay; the fader moves in the pauses between them. What is
no speech is never lifted. Everything is decided with the whole section in view: nothing lags behind.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audio.loudness import ABSOLUTE_GATE, FLOOR, RELATIVE_GATE
from audio.profile import STEPS_PER_BLOCK
from audio.speech import PAUSE, SPEECH

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Singles = NDArray[np.float32]
    Doubles = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]
    Classes = NDArray[np.int8]

_AT_ONCE = 6_000
"""Blocks of 100 ms that are looked at together where every step counts: ten minutes."""

_KNOCK = 8.0
"""dB by which nobody speaks louder than in the loudest tenth of a section."""

# -- passages: durations in blocks of 100 ms --------------------------------------------------------------------------------------

_ATOM = 12
"""What is never taken apart: speech between two pauses, and of longer speech about so much, cut at its quietest places."""
_AROUND = 4
_SHORTEST = 20
"""A passage has this much speech: a shorter one is part of how a sentence is said."""
_CHANGE = 200.0
_ABRUPT = 300.0
"""What another passage must explain, in dB² x blocks: 3 dB for 2.2 s beside a long one, or two who are 3.4 dB apart and take turns of 7 s. The second
is for changes where there is no pause."""
_BREATH = 2
"""Pauses from here on are where speakers change and takes are joined."""
_REACH = 256
"""Atoms that a passage is made of at most: some minutes."""

# -- the fader --------------------------------------------------------------------------------------------------------------------

_DEAD = 0.75
"""dB: a passage that is no more off is left alone, one that is twice as far off is brought all the way."""
_SHORT_PAUSE = 5
"""Shorter ones, between words, sound as the speech around them."""
_AFTER, _BEFORE = 2, 1
"""Blocks after and before speech that keep its gain: the end of a word in the room, the breath before one."""
_PAUSE_RATE = 1.0
"""dB in 100 ms that the fader moves at most where nobody speaks, or under words that are so much quieter than their passage (dB)."""
_SPEECH_RATE = 0.5
_DIP = -14.0

# -- compression ------------------------------------------------------------------------------------------------------------------

_OVER = 4.0
"""dB over the speech level from which it is compressed."""
_MOST = 6.0
_ATTACK = 1.5
"""dB in 10 ms by which it sets in, early enough to be there in time."""
_RELEASE = 12.0
"""Steps of 10 ms after which a third of it is left."""
_LET_GO = 3
"""Blocks after which nothing is held any more in what is no speech."""
_BEHIND, _AHEAD = 200, 5
"""Steps on either side that a step's reduction can come from."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """``levelling``: by how many dB a passage is lifted or lowered at most, 0 for not at all. ``compression``: its ratio, 1 for none."""

    levelling: float = 6.0
    compression: float = 2.0


def ride(level: Singles, momentary: Singles, classes: Classes, wishes: Wishes) -> Singles:
    """Gain in dB for each 10 ms beside the one gain that brings a section to its target, in hundredths.

    ``level`` is the loudness of each 10 ms, ``momentary`` of the 400 ms that end with each 100 ms (LUFS), ``classes`` says what each 100 ms is.
    The gain is not above 0 in pauses and whatever else is no speech, but for the fader's way there and back (10 dB a second), and 0 in music.
    """
    import numpy as np

    count = min(len(level) // STEPS_PER_BLOCK, len(momentary), len(classes))
    classes = classes[:count]
    at = np.flatnonzero(classes == SPEECH)
    if not len(at):
        return np.zeros(len(level), "f4")
    energy = _energies(level, count)[at]
    # A knock on the table is no measure of a voice.
    np.minimum(energy, np.quantile(energy, 0.9) * 10 ** (_KNOCK / 10), out=energy)
    heard = _heard(momentary[:count])[at]
    whole = _loudness(energy, heard, np.zeros(1, "i8"))[0]
    if whole <= ABSOLUTE_GATE:
        return np.zeros(len(level), "f4")
    fader = _fader(at, energy, heard, whole, classes, wishes.levelling) if wishes.levelling > 0 else np.zeros(count)
    fade = _fade(classes)
    curve = np.empty(len(level), "f4")
    for first in range(0, count, _AT_ONCE):
        begin = first * STEPS_PER_BLOCK
        end = begin + _AT_ONCE * STEPS_PER_BLOCK if first + _AT_ONCE < count else len(level)
        low, high = max(0, begin - _BEHIND), min(len(level), end + _AHEAD)
        moved = _in_steps(fader, low, high)
        if wishes.compression > 1:
            # A few steps may be left after the last block: they are as it is.
            talk = classes[np.minimum(np.arange(low, high) // STEPS_PER_BLOCK, count - 1)] == SPEECH
            over = _detected(level[low:high], talk) + moved - np.float32(whole + _OVER)
            moved -= _compression(over, 1 - 1 / wishes.compression) * _in_steps(fade, low, high)
        # No negative zeros: equal curves are equal bytes.
        curve[begin:end] = np.rint(moved[begin - low : end - low] * np.float32(100)) / np.float32(100) + np.float32(0)
    return curve


# -- how loud ---------------------------------------------------------------------------------------------------------------------


def _power(level: Singles) -> Singles:
    import numpy as np

    found: Singles = np.exp(level * np.float32(np.log(10) / 10))
    return found


def _energies(level: Singles, count: int) -> Doubles:
    """Mean energy of each of ``count`` blocks of 100 ms."""
    import numpy as np

    found = np.empty(count)
    for first in range(0, count, _AT_ONCE):
        last = min(first + _AT_ONCE, count)
        found[first:last] = _power(level[first * STEPS_PER_BLOCK : last * STEPS_PER_BLOCK]).reshape(-1, STEPS_PER_BLOCK).mean(axis=1)
    return found


def _heard(momentary: Singles) -> Doubles:
    """For each 100 ms the loudest of the four windows of 400 ms that it is part of: gates look at those."""
    import numpy as np

    found = momentary.astype("f8")
    for ahead in range(1, 4):
        np.maximum(found[:-ahead], momentary[ahead:], out=found[:-ahead])
    return found


def _loudness(energy: Doubles, heard: Doubles, starts: Ints) -> Doubles:
    """Gated loudness of groups of blocks, of which each begins at one of ``starts`` and ends where the next one begins."""
    import numpy as np

    counted = heard > ABSOLUTE_GATE
    sizes = np.diff(starts, append=len(energy))
    for _ in range(2):
        number = np.add.reduceat(counted.astype("i8"), starts)
        mean = np.add.reduceat(np.where(counted, energy, 0.0), starts) / np.maximum(number, 1)
        loudness: Doubles = 10 * np.log10(np.maximum(mean, 1e-12))
        counted = counted & (heard > np.repeat(loudness + RELATIVE_GATE, sizes))
    return loudness


# -- passages ---------------------------------------------------------------------------------------------------------------------


def _fader(at: Ints, energy: Doubles, heard: Doubles, whole: float, classes: Classes, most: float) -> Doubles:
    """The fader's place in dB for each block. ``at`` are the blocks that are speech, of loudness ``whole``."""
    import numpy as np

    starts = _passages(at, energy)
    levels = _loudness(energy, heard, starts)
    sizes = np.diff(starts, append=len(at))
    off = np.where(levels > FLOOR, whole - levels, 0.0)
    # Where the quiet ones need more than they may get, the loud ones come some way towards them.
    wanted = _quietest(off, sizes) - most
    off -= np.where(levels > FLOOR, min(max(wanted, 0.0), most / 2), 0.0)
    size = np.minimum(np.abs(off), 2 * np.maximum(0.0, np.abs(off) - _DEAD))
    gains = np.copysign(np.minimum(size, most), off)
    quiet = 10 * np.log10(np.maximum(energy, 1e-12)) < np.repeat(levels + _DIP, sizes)
    rate = np.full(len(classes), _PAUSE_RATE)
    rate[at[~quiet]] = _SPEECH_RATE
    return _slow(_aims(at, np.repeat(gains, sizes), classes), rate)


def _quietest(off: Doubles, sizes: Ints) -> float:
    """How much the quiet ones are off: a tenth of all speech is as quiet as that, or quieter."""
    import numpy as np

    order = np.argsort(-off, kind="stable")
    return float(off[order][np.searchsorted(np.cumsum(sizes[order]), sizes.sum() / 10)])


def _passages(at: Ints, energy: Doubles) -> Ints:
    """Where passages begin, as indices into ``at``: those that explain most of how the level changes, without being many."""
    import numpy as np

    starts = _atoms(at, energy)
    sizes = np.diff(starts, append=len(at)).astype("f8")
    level = 10 * np.log10(np.maximum(np.add.reduceat(energy, starts) / sizes, 1e-12))
    level -= np.average(level, weights=sizes)
    weight, first, second = (np.concatenate(([0.0], np.cumsum(sizes * level**power))) for power in (0, 1, 2))
    pause = np.concatenate(([_BREATH], np.diff(at)[starts[1:] - 1] - 1))
    price = np.where(pause >= _BREATH, _CHANGE, _ABRUPT)
    # Cheapest way to take everything up to each atom apart, and where its last passage begins (optimal partitioning).
    cost = np.full(len(starts) + 1, np.inf)
    cost[0] = -price[0]
    begun = np.zeros(len(starts) + 1, "i8")
    latest = np.searchsorted(weight, weight - _SHORTEST, "right")
    for end in range(1, len(starts) + 1):
        low = max(0, end - _REACH)
        if not latest[end] and end < len(starts):
            continue
        span = slice(low, max(int(latest[end]), 1))
        drift = first[end] - first[span]
        tried = cost[span] + price[span] + second[end] - second[span] - drift * drift / (weight[end] - weight[span])
        best = int(tried.argmin())
        cost[end], begun[end] = tried[best], low + best
    found = []
    end = len(starts)
    while end > 0:
        end = int(begun[end])
        found.append(end)
    return starts[found[::-1]]


def _atoms(at: Ints, energy: Doubles) -> Ints:
    """Where speech may change its level, as indices into ``at``: after pauses, and now and then in the quietest block of long speech."""
    import numpy as np

    runs = np.flatnonzero(np.diff(at, prepend=-2) > 1)
    sizes = np.diff(runs, append=len(at))
    within = np.arange(len(at)) - np.repeat(runs, sizes)
    left = np.repeat(sizes, sizes) - within
    cuts = np.flatnonzero((within > 0) & (within % _ATOM == 0) & (left > _ATOM // 2))
    near = cuts[:, None] + np.arange(-_AROUND, _AROUND + 1)
    quietest = near[np.arange(len(cuts)), energy[near].argmin(axis=1)] if len(cuts) else cuts
    return np.union1d(runs, quietest)


# -- the fader's way --------------------------------------------------------------------------------------------------------------


def _aims(at: Ints, gains: Doubles, classes: Classes) -> Doubles:
    """Where the fader should be in each block, if it could jump: ``gains`` in speech, its way down and up in pauses, 0 elsewhere."""
    import numpy as np

    count = len(classes)
    place = np.arange(count)
    value = np.zeros(count)
    value[at] = gains
    before, after = _nearest(classes == SPEECH)
    between = (before >= 0) & (after < count)
    short = between & (after - before <= _SHORT_PAUSE)
    left, right = value[np.maximum(before, 0)], value[np.minimum(after, count - 1)]
    aims = np.where(short, np.maximum(left, right), value)
    # A pause lies between two neighbours, each of them speech or something else, which stands at 0.
    near, far = _nearest(classes != PAUSE)
    left = np.where(near >= 0, value[np.maximum(near, 0)], np.inf)
    right = np.where(far < count, value[np.minimum(far, count - 1)], np.inf)
    low = np.minimum(0.0, np.minimum(left, right))
    down = np.where(near >= 0, left - _PAUSE_RATE * np.maximum(0, place - near - _AFTER), low)
    up = np.where(far < count, right - _PAUSE_RATE * np.maximum(0, far - place - _BEFORE), low)
    pause = (classes == PAUSE) & ~short
    aims[pause] = np.maximum(low, np.maximum(down, up))[pause]
    # Something else right beside speech: the fader comes down in it, from no higher than gets it to 0 in time.
    beside = (classes != SPEECH) & (classes != PAUSE) & ~short
    for speech in (before, after):
        there = beside & (speech >= 0) & (speech < count) & (np.abs(place - speech) < _LET_GO)
        room = _PAUSE_RATE * (_LET_GO - np.abs(place - speech)[there])
        aims[there] = np.maximum(aims[there], np.minimum(value[speech[there]], room))
    return aims


def _nearest(chosen: Bools) -> tuple[Ints, Ints]:
    """For each block the last chosen one up to it (-1: none), and the first one from it on (their count: none)."""
    import numpy as np

    count = len(chosen)
    place = np.arange(count)
    before = np.maximum.accumulate(np.where(chosen, place, -1))
    after = np.minimum.accumulate(np.where(chosen, place, count)[::-1])[::-1]
    return before, after


def _slow(aims: Doubles, rate: Doubles) -> Doubles:
    """The highest curve that is nowhere above ``aims`` and nowhere steeper than ``rate`` (dB in a block): rather too quiet than too loud."""
    import numpy as np

    way = np.cumsum(np.concatenate(([0.0], np.maximum(rate[1:], rate[:-1]))))
    onward = way + np.minimum.accumulate(aims - way)
    back = np.minimum.accumulate((aims + way)[::-1])[::-1] - way
    lowest: Doubles = np.minimum(onward, back)
    return lowest


def _in_steps(blocks: Doubles, begin: int, end: int) -> Singles:
    """Values of blocks as values of the steps [begin, end): straight lines between the middles of the blocks."""
    import numpy as np

    low = max(0, begin // STEPS_PER_BLOCK - 1)
    high = min(len(blocks), end // STEPS_PER_BLOCK + 2)
    low = min(low, len(blocks) - 1)
    middles = np.arange(low, high) * STEPS_PER_BLOCK + (STEPS_PER_BLOCK - 1) / 2
    return np.interp(np.arange(begin, end), middles, blocks[low:high]).astype("f4")


# -- compression ------------------------------------------------------------------------------------------------------------------


def _fade(classes: Classes) -> Doubles:
    """1 in speech and pauses; in something else it falls to 0 within some blocks from either edge: what was held is let go of there."""
    import numpy as np

    before, after = _nearest((classes == SPEECH) | (classes == PAUSE))
    place = np.arange(len(classes))
    inside = np.minimum(np.where(before >= 0, place - before, _LET_GO), np.where(after < len(classes), after - place, _LET_GO))
    fade: Doubles = np.maximum(0.0, 1 - inside / _LET_GO)
    return fade


def _detected(level: Singles, talk: Bools) -> Singles:
    """The loudness of what is said in each step and, by half, in its neighbours: a low voice swings slower than 10 ms."""
    import numpy as np

    power = np.pad(_power(level) * talk, 1, mode="edge")
    found: Singles = np.log((power[2:] + power[:-2]) / 4 + power[1:-1] / 2 + np.float32(1e-12)) * np.float32(10 / np.log(10))
    return found


def _compression(over: Singles, share: float) -> Singles:
    """What is taken from each step, in dB: ``share`` of what stands ``over`` the threshold."""
    import numpy as np

    needed = np.clip(over * np.float32(share), 0, np.float32(_MOST))
    for step in range(1, _AHEAD):
        np.maximum(needed[:-step], needed[step:] - np.float32(step * _ATTACK), out=needed[:-step])
    # What is held decays: the largest of all that was needed before, each less what has decayed of it since.
    since = np.arange(len(needed)) / _RELEASE
    with np.errstate(divide="ignore"):
        held = np.maximum.accumulate(np.log(needed) + since)
    held -= since
    taken: Singles = np.exp(held).astype("f4")
    return taken
