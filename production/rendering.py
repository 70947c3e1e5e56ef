"""The programme from one end to the other, as float samples: what a window, and files beside the MP3, are made of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from audio import render
from audio.pcm import Pool
from audio.units import RATE, Samples
from production.plan import Plan

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]


def sounds(planned: Plan, pool: Pool, start: Samples, end: Samples) -> Iterator[Floats]:
    """Samples [start, end) of the programme, of shape (n, channels). Recordings leave ``pool`` when they are over. Raises SourceUnreadable."""
    import numpy as np

    channels, at = planned.fmt.channels, int(start)
    last_heard = {name: placed.end for placed in planned.programme.placed for name in planned.materials[placed.segment.name].takes}
    for placed in planned.programme.placed:
        first, last = max(at, placed.start), min(end, placed.end)
        if first >= last:
            continue
        yield from _silence(first - at, channels)
        material = planned.materials[placed.segment.name]
        for block in render.sounding(material, pool.get, first - placed.start, last - placed.start):
            yield np.ascontiguousarray(block)
        at = last
        for name in material.takes:
            if last_heard[name] <= placed.end:
                pool.drop(name)
    yield from _silence(end - at, channels)


def _silence(samples: int, channels: int) -> Iterator[Floats]:
    import numpy as np

    for at in range(0, samples, RATE):
        yield np.zeros((min(RATE, samples - at), channels), dtype="f4")
