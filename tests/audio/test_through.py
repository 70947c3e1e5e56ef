"""A program that is fed as it works: whatever goes wrong on either side of it is raised, and nothing of it is left running."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import pytest

from audio import ffmpeg
from audio.errors import FfmpegFailed

pytestmark = pytest.mark.process

MANY = [bytes((number,)) * 1_000_003 for number in range(12)]
"""More than the pipes hold, in pieces that are no multiple of anything."""


def nothing(_: bytes) -> None:
    pass


def open_descriptors() -> int:
    return len(os.listdir("/dev/fd"))


def test_all_that_goes_in_comes_out_while_it_goes_in() -> None:
    taken = bytearray()
    before = open_descriptors()
    assert ffmpeg.through(["cat"], [*MANY, b"", memoryview(MANY[3])], taken.extend) == 13 * len(MANY[0])
    assert taken == b"".join(MANY) + MANY[3]
    assert open_descriptors() == before
    assert not ffmpeg._running


def test_no_more_is_asked_for_than_the_pipe_holds() -> None:
    asked = 0

    def blocks() -> Iterator[bytes]:
        nonlocal asked
        for block in MANY * 5:
            asked += 1
            yield block

    with pytest.raises(FfmpegFailed, match="failed with 3"):
        ffmpeg.through(["sh", "-c", "head -c 1000 >/dev/null; exit 3"], blocks(), nothing)
    assert asked <= 1 + ffmpeg.PIPE_BYTES // len(MANY[0]) + 1


def test_what_the_taker_raises_is_raised_and_ends_the_program() -> None:
    def full(_: bytes) -> None:
        raise OSError("no space left")

    before = open_descriptors()
    with pytest.raises(OSError, match="no space left"):
        ffmpeg.through(["cat"], iter(MANY), full)
    assert not ffmpeg._running
    assert open_descriptors() == before


def test_what_the_giver_raises_is_raised_and_ends_the_program() -> None:
    def broken() -> Iterator[bytes]:
        yield MANY[0]
        raise KeyError("gone")

    threads = threading.active_count()
    with pytest.raises(KeyError, match="gone"):
        ffmpeg.through(["cat"], broken(), nothing)
    assert not ffmpeg._running
    assert threading.active_count() == threads


def test_a_program_that_fails_says_why() -> None:
    with pytest.raises(FfmpegFailed, match="failed with 3: it does not like this"):
        ffmpeg.through(["sh", "-c", "echo it does not like this >&2; exit 3"], MANY, nothing)


def test_a_program_that_ends_early_and_calls_it_good_has_failed() -> None:
    with pytest.raises(FfmpegFailed, match="before it had heard everything"):
        ffmpeg.through(["true"], MANY, nothing)


def test_one_that_cannot_start_leaves_no_pipe_behind() -> None:
    before = open_descriptors()
    with pytest.raises(ffmpeg.FfmpegMissing, match="cannot be started"):
        ffmpeg.through(["/nowhere/ffmpeg"], MANY, nothing)
    assert open_descriptors() == before


def test_it_stops_when_everything_is_cancelled() -> None:
    def blocks() -> Iterator[bytes]:
        yield MANY[0]
        ffmpeg.cancel()
        yield from MANY

    try:
        with pytest.raises(ffmpeg.Cancelled):
            ffmpeg.through(["cat"], blocks(), nothing)
    finally:
        ffmpeg._cancelled.clear()
