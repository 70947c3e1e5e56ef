"""Encoded in chunks and joined, a stream is one that a single encoder could have made: as many samples, as good at the joins as elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from audio import encode, ffmpeg, graph, mpeg, runs
from audio.errors import StreamBroken
from audio.mpeg import Format
from audio.runs import Chunk, Run
from audio.timeline import Placed, Programme, Segment
from audio.units import FRAME, RATE, Samples
from tests.audio.sounds import Sound, decoded, raw, single, speech
from tests.audio.test_mpeg import MONO, frame

# -- where two encodes are joined -------------------------------------------------------------------------------------------------

EARLIER = Chunk(run=0, first=0, last=300, before=0, post=3, opens=True, closes=False)
LATER = Chunk(run=0, first=300, last=600, before=100, post=3, opens=False, closes=False)


def frames(count: int, begins: dict[int, int], fills: dict[int, int], otherwise: int) -> bytes:
    return b"".join(frame(MONO, begins.get(n, 0), fills.get(n, otherwise)) for n in range(count))


def test_the_join_is_where_both_encoders_decided_alike() -> None:
    # room for it at 240 and at 250 (40 and 50 in the later one); at 249 and 250 the frames are alike
    before = frames(300, {240: 100, 250: 100}, {249: 7, 250: 8}, 1)
    after = frames(400, dict.fromkeys(range(400), 50), {49: 7, 50: 8}, 2)
    assert encode.find_join(before, EARLIER, after, LATER, MONO) == (250, 50)


def test_without_a_like_place_the_first_that_fits_will_do_but_not_before_the_encoder_has_settled() -> None:
    before = frames(300, dict.fromkeys((210, 229, 244, 260), 100), {}, 1)
    after = frames(400, dict.fromkeys(range(400), 50), {}, 2)
    assert encode.find_join(before, EARLIER, after, LATER, MONO) == (244, 44)


def test_a_chunk_that_fits_nowhere_is_named() -> None:
    after = frames(400, dict.fromkeys(range(400), 50), {}, 2)
    with pytest.raises(encode.NoJoin) as caught:
        encode.find_join(frames(300, {}, {}, 1), EARLIER, after, LATER, MONO)
    assert (caught.value.run, caught.value.first) == (0, 300)


def test_of_an_encode_that_was_given_out_as_far_as_its_join_the_rest_is_looked_at() -> None:
    before = frames(300, {210: 100, 240: 100, 250: 100}, {249: 7, 250: 8}, 1)
    after = frames(400, dict.fromkeys(range(400), 50), {49: 7, 50: 8}, 2)
    rest = bytearray(before[100 * MONO.frame_bytes :])
    assert encode.find_join(rest, EARLIER, after, LATER, MONO, 100) == (150, 50)


@pytest.mark.parametrize("needed", [0, 50])
def test_a_join_lies_in_no_frame_that_was_given_out(needed: int) -> None:
    # the earlier chunk is short, and 90 frames of it are gone: of the wide pre-roll only the last 215 frames have something beside them
    earlier, later = (Chunk(run=0, first=n, last=n + 205, before=pre, post=3, opens=False, closes=False) for n, pre in ((300, 100), (505, 1000)))
    before, after = frames(215, {}, {}, 1), frames(1200, dict.fromkeys(range(1200), needed), {}, 2)
    if needed:
        with pytest.raises(encode.NoJoin):
            encode.find_join(before, earlier, after, later, MONO, 90)
        return
    at, index = encode.find_join(before, earlier, after, later, MONO, 90)
    assert at > 0
    # frame 391 of the run is the first of the rest but one
    assert (later.first - later.before + index, at) == (300 - 100 + 90 + at, 1)


def test_runs_that_overlap_are_not_assembled() -> None:
    listed = [Run(0, 10, (), 0, 0, 2), Run(9, 10, (), 8, 2, 2)]
    chunks = [runs.chunks(n, run) for n, run in enumerate(listed)]
    pieces = encode.assemble(listed, chunks, lambda chunk: frame(MONO) * (chunk.before + 12), frame(MONO), 40, MONO)
    with pytest.raises(StreamBroken, match="overlap"):
        list(pieces)


@pytest.mark.parametrize(("given", "why"), [(frame(MONO) * 309, "gave 309 frames where 310 were due"), (bytes(192 * 400), "frame 0: header")])
def test_an_encode_that_is_too_short_or_damaged_is_not_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, given: bytes, why: str) -> None:
    monkeypatch.setattr(ffmpeg, "find", lambda: "ffmpeg")
    monkeypatch.setattr(ffmpeg, "capture", lambda *_, **__: given)
    run = Run(600, 300, (), 8, 2, 2)
    (tmp_path / "pcm").touch()
    with (tmp_path / "pcm").open("rb") as pcm, pytest.raises(StreamBroken, match=why):
        encode.encode(pcm, runs.chunks(0, run)[0], run, MONO)


# -- with the encoder -------------------------------------------------------------------------------------------------------------

SPEECH_FRAMES, LATER_START, ALL_FRAMES = 520, 600, 720
"""The first run is 12.48 s of speech from the start on; the second one starts at 14.4 s, after silence."""
FORMATS = {"128 stereo": Format(128, 2), "96 mono": Format(96, 1), "64 mono": Format(64, 1)}


@dataclass
class Made:
    """The same sound encoded in chunks and at once; ``joins`` are the frames before which the encoder changes."""

    fmt: Format
    programme: Programme
    source: Sound
    silence: bytes
    joined: bytes
    sequential: bytes
    joins: list[int]

    def frame(self, stream: bytes, index: int) -> bytes:
        return stream[index * self.fmt.frame_bytes : (index + 1) * self.fmt.frame_bytes]


def encoded(folder: Path, sound: Sound, encoder: Callable[..., bytes], *arguments: object) -> bytes:
    path = folder / "pcm"
    path.write_bytes(raw(sound))
    with path.open("rb") as pcm:
        return encoder(pcm, *arguments)


def make(fmt: Format, folder: Path) -> Made:
    """Encode a programme in chunks of 4.8 s, with the pre-roll that the real ones have."""
    placed = (
        Placed(Segment("a", "section", Samples(SPEECH_FRAMES * FRAME)), Samples(0)),
        Placed(Segment("b", "section", Samples(100 * FRAME - 7)), Samples(LATER_START * FRAME)),
    )
    programme = Programme(placed, Samples((ALL_FRAMES - 1) * FRAME))
    source = np.zeros((ALL_FRAMES * FRAME, fmt.channels))
    for one in placed:
        # a voice with which encoders of several versions find their way back to what they did before
        source[one.start : one.end] = speech(one.segment.length / RATE, fmt.channels, seed=one.start + 4)
    # what goes in is as loud as what `render.fill` writes
    loud = single(source) * np.float32(10 ** (encode.make_up(fmt, folder) / 20))
    whole = encoded(folder, loud, lambda pcm: ffmpeg.capture(graph.encode(ffmpeg.find(), fmt.bitrate, fmt.channels), stdin=pcm))
    joins: list[int] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "CHUNK", 200)
        patch.setattr(runs, "SHORTEST", 100)
        cut = runs.runs(programme)
        chunks = [runs.chunks(n, run) for n, run in enumerate(cut)]
        find = encode.find_join

        def found(before: bytes, earlier: Chunk, after: bytes, later: Chunk, fmt: Format, gone: int) -> tuple[int, int]:
            places = find(before, earlier, after, later, fmt, gone)
            joins.append(cut[later.run].first + later.first - later.before + places[1])
            return places

        patch.setattr(encode, "find_join", found)

        def load(chunk: Chunk) -> bytes:
            run = cut[chunk.run]
            wanted = np.arange(chunk.input_samples) + run.first * FRAME + chunk.start_sample
            heard = loud[np.clip(wanted, 0, len(loud) - 1)] * (wanted >= 0)[:, None]
            return encoded(folder, heard, encode.encode, chunk, run, fmt)

        silence = encode.silent_frame(fmt, folder)
        joined = b"".join(encode.assemble(cut, chunks, load, silence, ALL_FRAMES, fmt))
    return Made(fmt, programme, source, silence, joined, whole[: ALL_FRAMES * fmt.frame_bytes], joins)


@pytest.fixture(scope="module")
def kept() -> dict[str, Made]:
    """Each format is encoded once, by the first test that asks for it: only a marked test may start the encoder."""
    return {}


@pytest.fixture(params=FORMATS)
def made(request: pytest.FixtureRequest, kept: dict[str, Made], tmp_path: Path, ffmpeg: str) -> Made:
    assert ffmpeg
    if request.param not in kept:
        kept[request.param] = make(FORMATS[request.param], tmp_path)
    return kept[request.param]


@pytest.mark.process
def test_a_joined_stream_is_whole(made: Made, tmp_path: Path) -> None:
    assert mpeg.check(made.joined, made.fmt) == mpeg.check(made.sequential, made.fmt) == ALL_FRAMES
    assert len(made.joins) == 2
    heard = decoded(made.joined, made.fmt.channels, tmp_path)
    assert len(heard) == len(decoded(made.sequential, made.fmt.channels, tmp_path)) == ALL_FRAMES * FRAME - mpeg.DELAY
    assert len(heard) >= made.programme.length


@pytest.mark.process
def test_at_a_join_nothing_is_heard_that_is_not_heard_elsewhere(made: Made, tmp_path: Path) -> None:
    heard = decoded(made.joined, made.fmt.channels, tmp_path)
    error = heard - made.source[: len(heard)]
    window = RATE // 20
    loud = np.sqrt(np.mean(error[: SPEECH_FRAMES * FRAME // window * window].reshape(-1, window * made.fmt.channels) ** 2, axis=1))
    at = {(join * FRAME - mpeg.DELAY) // window + near for join in made.joins for near in (-1, 0, 1)}
    elsewhere = [value for n, value in enumerate(loud) if n not in at]
    assert max(loud[n] for n in at) <= np.percentile(elsewhere, 99)
    # and the whole is the source: no join is off by a sample
    assert np.sqrt(np.mean(error**2)) < 0.2 * np.sqrt(np.mean(made.source**2))


@pytest.mark.process
def test_away_from_joins_the_frames_are_those_of_one_encoder(made: Made) -> None:
    alike = [made.frame(made.joined, n) == made.frame(made.sequential, n) for n in range(ALL_FRAMES)]
    # what the next chunk needs is written into the free room of up to three frames before a join
    edges = [0, *made.joins, SPEECH_FRAMES]
    assert all(alike[: edges[1] - 4])
    converged = 0
    for first, last in pairwise(edges[1:]):
        same = alike[first : last - 4]
        settled = next((n for n in range(len(same) - 10) if all(same[n : n + 10])), None)
        if settled is not None:
            # once it agrees for good, it never differs again
            converged += 1
            assert all(same[settled:])
    # 96 kb/s for one channel leaves so much room that this sound never fills it
    assert converged or made.fmt == FORMATS["96 mono"]


@pytest.mark.process
def test_between_runs_stands_silence_and_the_next_run_has_its_main_data(made: Made, tmp_path: Path) -> None:
    first, last = SPEECH_FRAMES + runs.EDGE, LATER_START - runs.EDGE
    assert {made.frame(made.joined, n) for n in range(first, last - runs.FILLER)} == {made.silence}
    heard = decoded(made.joined, made.fmt.channels, tmp_path)
    assert np.abs(heard[first * FRAME : (last - 1) * FRAME]).max() < 1e-5
    start = LATER_START * FRAME
    for stretch in (slice(start, start + FRAME), slice(start, start + 100 * FRAME)):
        wanted = made.source[stretch]
        assert np.sqrt(np.mean((heard[stretch] - wanted) ** 2)) < 0.35 * np.sqrt(np.mean(wanted**2))


@pytest.mark.process
def test_the_level_that_goes_in_comes_out(made: Made, tmp_path: Path) -> None:
    heard = decoded(made.joined, made.fmt.channels, tmp_path)
    source = made.source[: len(heard)]
    assert 20 * np.log10(np.sum(heard * source) / np.sum(source**2)) == pytest.approx(0.0, abs=0.1)
