"""Memory that is given back. Memory use must not grow with the episode; by default glibc lets it."""

from __future__ import annotations

import ctypes
import gc
import os
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_BYTES = 1 << 23
_SPARE_BYTES = 1 << 23
_SWITCH_SECONDS = 0.0005
_ALLOCATED = 100_000
"""Objects that are made, and not freed, before Python looks."""


def switch_often() -> None:
    """Let threads that wait for Python's one lock have it after half a millisecond, instead of five: one draws a cover while another sums a file."""
    sys.setswitchinterval(_SWITCH_SECONDS)


def collect_seldom() -> None:
    """Look for garbage in cycles less often than Python would: in a run of less than a second a tenth went into looking at what was just imported."""
    gc.set_threshold(_ALLOCATED)


def give_back() -> None:
    """Make glibc return every block of 8 MB or more to the system as soon as it is freed. Does nothing elsewhere.

    Its default raises that limit to 32 MB after the first such block, and keeps an arena for every thread: blocks of audio then
    stay in the process after they are freed. A lower limit than this makes every array a new mapping, which doubled the time that the music takes.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _BYTES)
        # Blocks of a second of sound come and go: given back and taken again each time, they cost more than what is done with them.
        mallopt(_TRIM_THRESHOLD, _SPARE_BYTES)
        mallopt(_ARENA_MAX, 2)


def one_thread_each() -> None:
    """Let every matrix product run on the thread that asks for it: the cores are shared out by us, and results do not depend on their number.

    Has to be called before numpy is imported.
    """
    for library in ("OPENBLAS", "MKL", "OMP", "VECLIB_MAXIMUM"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")


def trim() -> None:
    """Give back what the heap holds free: called between the steps of a build, after music and covers were made and before ffmpegs run."""
    malloc_trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform.startswith("linux") else None
    if malloc_trim is not None:
        malloc_trim(0)
