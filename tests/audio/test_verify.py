"""Proof by decoding: loudness measured in slices is that of the whole, and a section that lands late is reported late, to the sample."""

from __future__ import annotations

import io
import re
import subprocess
import tempfile
from array import array
from collections.abc import Sequence
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import IO

import numpy as np
import pytest

from audio import graph, loudness, runs, verify
from audio.mpeg import Format
from audio.runs import Part, Run
from audio.units import FRAME, RATE, Db, Samples
from audio.verify import Heard, Slice
from tests.audio.sounds import Sound, decoded, raw, single, speech, tone

STEREO = Format(128, 2)


def test_slices_cover_the_programme_once_from_its_first_frame_to_its_last() -> None:
    listed = [Run(6, 90, (), 6, 2, 2), Run(125, 18_000, (), 8, 2, 2)]
    parts = verify.slices(listed, [runs.chunks(n, run) for n, run in enumerate(listed)], Samples(18_200 * FRAME))
    assert parts == (Slice(0, 125), Slice(125, 125 + runs.CHUNK), Slice(125 + runs.CHUNK, 18_200))


def test_a_slice_is_read_with_what_its_decoder_needs() -> None:
    file = io.BytesIO(b"head" + b"".join(bytes((n % 256,)) * 384 for n in range(2000)))
    assert verify.read(file, 4, Slice(0, 10), STEREO) == file.getvalue()[4 : 4 + 11 * 384]
    assert verify.read(file, 4, Slice(1000, 1010), STEREO) == file.getvalue()[4 + 865 * 384 : 4 + 1011 * 384]


def test_a_section_has_the_blocks_that_lie_wholly_within_it() -> None:
    parts = (Slice(0, 125), Slice(125, 250))
    # the first 400 ms block of a file ends at 0.4 s; after that there is one every 100 ms
    heard = tuple(Heard(array("d", range(*blocks)), Db(0), array("d")) for blocks in ((4, 31), (31, 61)))
    # in tenths of a second, a block is named by its end here
    for start, end in ((0, 60), (0, 4), (10, 20), (25, 40), (30, 34), (30, 33)):
        wanted = [float(n) for n in range(start + 4, end + 1)]
        assert list(verify.section_blocks(parts, heard, Samples(start * RATE // 10), Samples(end * RATE // 10))) == wanted


def test_the_highest_peak_near_a_segment_is_that_of_the_slices_it_lies_in() -> None:
    parts, heard = (Slice(0, 100), Slice(100, 200), Slice(200, 300)), tuple(Heard(array("d"), Db(peak), array("d")) for peak in (-3.0, -1.0, -2.0))
    wanted = {(0, 100): -3.0, (0, 101): -1.0, (99, 100): -3.0, (150, 200): -1.0, (199, 201): -1.0, (200, 300): -2.0, (250, 250): -2.0}
    for (first, last), peak in wanted.items():
        assert verify.highest(parts, heard, Samples(first * FRAME), Samples(last * FRAME)) == peak
    assert verify.highest(parts, heard, Samples(300 * FRAME), Samples(310 * FRAME)) == -np.inf


# -- with the decoder -------------------------------------------------------------------------------------------------------------


def encoded(ffmpeg: str, sound: Sound, fmt: Format = STEREO) -> bytes:
    argv = graph.encode(ffmpeg, fmt.bitrate, fmt.channels)
    return subprocess.run(argv, input=raw(sound), check=True, capture_output=True).stdout


def second_opinion(ffmpeg: str, sound: Sound) -> tuple[float, float]:
    """Integrated loudness and true peak as ffmpeg's own summary states them."""
    head = [ffmpeg, "-nostdin", "-hide_banner", "-f", "f32le", "-ar", str(RATE), "-ac", "2", "-i", "pipe:0"]
    said = subprocess.run([*head, "-af", "ebur128=peak=true:framelog=verbose", "-f", "null", "-"], input=raw(sound), check=True, capture_output=True)
    summary = said.stderr.decode().split("Summary:")[1]
    found = [re.search(pattern, summary) for pattern in (r"I: +(-?[\d.]+) LUFS", r"Peak: +(-?[\d.]+) dBFS")]
    assert found[0]
    assert found[1]
    return float(found[0][1]), float(found[1][1])


def listened(file: IO[bytes], offset: int, parts: Sequence[Slice]) -> list[Heard]:
    """What is heard of neighbouring slices that are decoded at once."""
    with tempfile.TemporaryFile() as frames:
        verify.copy(file, offset, parts, STEREO, frames)
        frames.seek(0)
        return list(verify.hear(frames, parts, STEREO))


@pytest.mark.process
def test_what_is_heard_of_a_slice_does_not_depend_on_what_is_decoded_with_it(ffmpeg: str) -> None:
    # slices longer and shorter than the warm-up of the meter, and some within the warm-up of the first
    edges = [0, 20, 90, 400, 410, 450, 700, 830]
    parts = [Slice(first, last) for first, last in pairwise(edges)]
    file = io.BytesIO(b"tag" + encoded(ffmpeg, np.concatenate([speech(7, 2, level=0.02), speech(7, 2, seed=3, level=0.3), speech(7, 2, seed=5)])))
    alone = [listened(file, 3, [part])[0] for part in parts]
    assert [len(one.blocks) for one in alone[3:]] == [(part.last - part.first) * FRAME // 4800 for part in parts[3:]]
    for size in (1, 100, 420, 10_000):
        groups = list(verify.together(parts, size))
        assert len(groups) == {1: 7, 100: 3, 420: 2, 10_000: 1}[size]
        found = [one for group in groups for one in listened(file, 3, group)]
        assert [asdict(one) for one in found] == [asdict(one) for one in alone]


def test_slices_that_do_not_touch_are_not_decoded_at_once() -> None:
    first, second, third = Slice(0, 100), Slice(100, 300), Slice(400, 500)
    assert list(verify.together([first, second, third], 1000)) == [(first, second), (third,)]
    assert list(verify.together([first, second, third], 100)) == [(first,), (second,), (third,)]
    assert list(verify.together([], 1000)) == []


@pytest.mark.process
def test_slices_together_are_as_loud_as_the_whole(tmp_path: Path, ffmpeg: str) -> None:
    # a short intro, a quiet section, a loud one: the first slice is shorter than what the meter hears before the others
    sound = np.concatenate((speech(2.4, 2, level=0.05), np.zeros((RATE * 6 // 10, 2)), speech(6, 2, level=0.02), speech(4.2, 2, seed=3, level=0.1)))
    frames, last = encoded(ffmpeg, sound), len(sound) // FRAME
    listed = [Run(0, 100, (), 0, 0, 2), Run(125, last - 125, (Part("a", Samples(0), Samples(9)),), 8, 2, 1)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "CHUNK", 150)
        patch.setattr(runs, "SHORTEST", 50)
        parts = verify.slices(listed, [runs.chunks(n, run) for n, run in enumerate(listed)], Samples(len(sound)))
    assert [part.first for part in parts] == [0, 125, 275, 425]
    file = io.BytesIO(b"tag" + frames)
    heard = listened(file, 3, parts)
    blocks = [block for one in heard for block in one.blocks]
    # one block every 100 ms, the first at 400 ms
    assert len(blocks) == len(sound) // (RATE // 10) - 3
    (whole,) = listened(file, 3, [Slice(0, last)])
    assert blocks == pytest.approx(whole.blocks, abs=0.3)
    integrated, peak = second_opinion(ffmpeg, decoded(frames, 2, tmp_path)[: len(sound)])
    assert loudness.integrated(blocks) == pytest.approx(integrated, abs=0.1)
    assert max(one.true_peak for one in heard) == pytest.approx(peak, abs=0.1)
    quiet = loudness.integrated(verify.section_blocks(parts, heard, Samples(3 * RATE), Samples(9 * RATE)))
    assert quiet == pytest.approx(second_opinion(ffmpeg, decoded(frames, 2, tmp_path)[3 * RATE : 9 * RATE])[0], abs=0.2)


@pytest.mark.process
@pytest.mark.parametrize("part", [Slice(0, 300), Slice(25, 300), Slice(150, 300)])
def test_blocks_stand_where_the_sound_is(ffmpeg: str, part: Slice) -> None:
    # a tone from 5 s on: the 400 ms that end at 5.1 s hold a quarter of its energy, those that end at 5.4 s all of it
    file = io.BytesIO(encoded(ffmpeg, np.concatenate((np.zeros((5 * RATE, 2)), tone(3, 997, 2)))))
    (found,) = listened(file, 0, [part])
    ends = (3 if part.first == 0 else part.first * 12 // 50) + 1 + np.arange(len(found.blocks))
    blocks = dict(zip(ends.tolist(), found.blocks, strict=True))
    assert [blocks[n] - blocks[60] for n in range(51, 55)] == pytest.approx([-6.02, -3.01, -1.25, 0.0], abs=0.2)
    assert blocks[50] < -60


@pytest.mark.process
@pytest.mark.parametrize("part", [Slice(0, 300), Slice(25, 300), Slice(150, 277)])
def test_peaks_stand_where_the_sound_is(ffmpeg: str, part: Slice) -> None:
    # louder on the right, from 5 s on
    wave = tone(3, 997, 2, level=0.5) * (0.5, 1.0)
    file = io.BytesIO(encoded(ffmpeg, np.concatenate((np.zeros((5 * RATE, 2)), wave))))
    (found,) = listened(file, 0, [part])
    assert len(found.peaks) == -(-(part.last - part.first) * FRAME // 4800)
    begins = [(part.first * FRAME + number * 4800) / RATE for number in range(len(found.peaks))]
    assert max(peak for at, peak in zip(begins, found.peaks, strict=True) if at < 4.85) < -60
    assert [peak for at, peak in zip(begins, found.peaks, strict=True) if at >= 5] == pytest.approx([-6.02] * sum(at >= 5 for at in begins), abs=0.7)


@pytest.mark.process
@pytest.mark.parametrize(("mark", "late"), [(0, 777), (5 * RATE, 0), (5 * RATE, 1), (5 * RATE, -500)])
def test_a_section_is_found_where_it_sounds_to_the_sample(tmp_path: Path, ffmpeg: str, mark: int, late: int) -> None:
    section = speech(3, 2)
    sound = np.zeros((9 * RATE, 2))
    sound[mark + late : mark + late + len(section)] = section
    file = io.BytesIO(b"a tag" + encoded(ffmpeg, sound))
    frames, first = verify.around(file, 5, Samples(mark), Samples(2 * RATE), STEREO)
    assert len(frames) < 120 * STEREO.frame_bytes
    found = verify.landing(frames, first, Samples(mark), single(section[: 2 * RATE]), STEREO, tmp_path)
    assert found
    assert found.offset == late
    assert found.likeness > 0.95


@pytest.mark.process
def test_another_sound_is_not_alike_and_silence_is_not_looked_for(tmp_path: Path, ffmpeg: str) -> None:
    file = io.BytesIO(encoded(ffmpeg, speech(6, 2)))
    frames, first = verify.around(file, 0, Samples(2 * RATE), Samples(RATE), STEREO)
    other = verify.landing(frames, first, Samples(2 * RATE), single(speech(1, 2, seed=99)), STEREO, tmp_path)
    assert other
    assert other.likeness < 0.5
    assert verify.landing(frames, first, Samples(2 * RATE), single(np.zeros((RATE, 2))), STEREO, tmp_path) is None
