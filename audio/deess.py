"""Sibilants that stand out: by how much the band above some 4.5 kHz is turned down in each 10 ms. Pure.

An s is made of hardly anything but treble. How loud it may be is told by the voice around it: in recordings of ordinary voices (over 20 speakers) the
treble of their sharpest sounds stays 6 dB or more under the level at which they speak; what goes beyond is a microphone or an equaliser, and is
taken back by most of the excess.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audio.loudness import ABSOLUTE_GATE
from audio.profile import STEPS_PER_BLOCK
from audio.speech import SPEECH

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Singles = NDArray[np.float32]
    Doubles = NDArray[np.float64]
    Classes = NDArray[np.int8]

MOST = 6.0
"""dB that are taken at most: more than that makes a lisp of it."""
_SHARP = -6.0
"""dB over the level of the voice from which treble is too much: an ordinary s of an ordinary voice stays under it."""
_SHARE = 0.75
"""How much of the excess is taken: a sharp voice stays sharper than a dull one."""
_BRIGHTER = 10.0
"""dB by which a sibilant is brighter (its treble to its level) than the voice is in the middle of its steps."""
_DULLEST, _BRIGHTEST = -18.0, -12.0
"""Limits, in dB, to the brightness from which something is a sibilant: for voices under a blanket, and for those in hiss."""
_AROUND = 20
"""Blocks of 100 ms on either side that tell how loud the voice is."""
_SLOPE = 1.5
"""dB in 10 ms that the band moves at most, before and after a sibilant."""
_AT_ONCE = 6_000
"""Blocks that are looked at together: ten minutes."""


def deess(level: Singles, treble: Singles, classes: Classes, most: float = MOST) -> Singles:
    """Gain in dB, never above 0 nor under -``most``, for the band above 4.5 kHz in each 10 ms, in hundredths.

    ``level`` is the loudness of each 10 ms (LUFS, as of a voice that comes from two sides), ``treble`` the level of what is high in it (dBFS),
    ``classes`` says what each 100 ms is. Outside of speech nothing is turned down, but for the way back after a last sibilant (1.5 dB in 10 ms).
    """
    import numpy as np

    curve = np.zeros(len(level), "f4")
    count = min(min(len(level), len(treble)) // STEPS_PER_BLOCK, len(classes))
    speech = classes[:count] == SPEECH
    if most <= 0 or not speech.any():
        return curve
    voice = _voice(level, speech)
    audible = speech & (voice > ABSOLUTE_GATE)
    typical = _typical(level, treble, speech)
    bright = min(max(typical + _BRIGHTER, _DULLEST), _BRIGHTEST)
    reach = int(most / _SLOPE) + 3
    end = count * STEPS_PER_BLOCK
    for first in range(0, end, _AT_ONCE * STEPS_PER_BLOCK):
        last = min(first + _AT_ONCE * STEPS_PER_BLOCK, end)
        # Whole blocks on either side, of which the nearest steps matter.
        low = max(0, first - -(-reach // STEPS_PER_BLOCK) * STEPS_PER_BLOCK)
        high = min(end, last + -(-reach // STEPS_PER_BLOCK) * STEPS_PER_BLOCK)
        blocks = slice(low // STEPS_PER_BLOCK, high // STEPS_PER_BLOCK)
        limit = np.repeat(np.where(audible[blocks], voice[blocks] + _SHARP, np.inf).astype("f4"), STEPS_PER_BLOCK)
        excess = (treble[low:high] - limit) * np.float32(_SHARE)
        np.minimum(excess, treble[low:high] - level[low:high] - np.float32(bright), out=excess)
        taken = _smooth(np.clip(excess, 0, np.float32(most)))[first - low : last - low]
        # No negative zeros: equal curves are equal bytes.
        curve[first:last] = np.rint(taken * np.float32(-100)) / np.float32(100) + np.float32(0)
    return curve


def _voice(level: Singles, speech: NDArray[np.bool_]) -> Doubles:
    """Loudness of the speech around each block; what is no speech is left out."""
    import numpy as np

    count = len(speech)
    energy = np.empty(count)
    for first in range(0, count, _AT_ONCE):
        last = min(first + _AT_ONCE, count)
        steps = level[first * STEPS_PER_BLOCK : last * STEPS_PER_BLOCK]
        energy[first:last] = np.exp(steps * np.float32(np.log(10) / 10)).reshape(-1, STEPS_PER_BLOCK).mean(axis=1)
    begin = np.maximum(np.arange(count) - _AROUND, 0)
    end = np.minimum(np.arange(count) + _AROUND + 1, count)
    totals = (np.concatenate(([0.0], np.cumsum(values))) for values in (np.where(speech, energy, 0.0), speech))
    sums, numbers = (total[end] - total[begin] for total in totals)
    found: Doubles = 10 * np.log10(np.maximum(sums / np.maximum(numbers, 1), 1e-12))
    return found


def _typical(level: Singles, treble: Singles, speech: NDArray[np.bool_]) -> float:
    """How bright this voice is in the middle of its steps: treble to level in dB. One step in each block is enough to tell."""
    import numpy as np

    steps = np.flatnonzero(speech) * STEPS_PER_BLOCK + STEPS_PER_BLOCK // 2
    return float(np.median(treble[steps] - level[steps]))


def _smooth(needed: Singles) -> Singles:
    """What is needed for two steps or more, with a slope on either side: a click, or the tip of a t, passes."""
    import numpy as np

    both = np.minimum(needed[1:], needed[:-1])
    lasting = np.zeros(len(needed))
    lasting[1:] = both
    np.maximum(lasting[:-1], both, out=lasting[:-1])
    slope = np.arange(len(lasting)) * _SLOPE
    onward = np.maximum.accumulate(lasting + slope) - slope
    back = np.maximum.accumulate((lasting - slope)[::-1])[::-1] + slope
    smooth: Singles = np.maximum(onward, back).astype("f4")
    return smooth
