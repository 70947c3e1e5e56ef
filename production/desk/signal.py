"""A finished file's curves in a byte for each 100 ms, as text: what a page of three hours has room for. Pure."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Singles = NDArray[np.float32]

PEAK_STEP, LOUDNESS_STEP = 0.5, 0.25
"""dB that a byte counts; 255 is 0 dB, and 0 whatever is too low to be told."""
_MOST: Final = 255


def packed(values: Singles, step: float) -> str:
    """Decibels of at most 0, in base64."""
    import numpy as np

    return base64.b64encode(np.clip(np.rint(_MOST + values / np.float32(step)), 0, _MOST).astype("u1").tobytes()).decode()
