"""Samples to frames, and frames to one stream: each chunk encoded by itself, then joined with silence between the runs.

The stream that comes out is what one encoder would have made, except that at a join the frame before and the frame after come from two encoders that
heard the same samples. `mpeg` says how frames of two encodes follow each other without being encoded again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO

from audio import ffmpeg, graph, mpeg
from audio.errors import StreamBroken
from audio.mpeg import Format
from audio.runs import SETTLED, Chunk, Run
from audio.units import FRAME, RATE, Db, Samples

_SILENT_FRAMES = 24


def encode(pcm: IO[bytes], chunk: Chunk, run: Run, fmt: Format) -> bytes:
    """Encode a chunk's rendered input; gives the frames that are kept, pre-roll included. Raises FfmpegFailed, StreamBroken."""
    frames = ffmpeg.capture(graph.encode(ffmpeg.find(), fmt.bitrate, fmt.channels), stdin=pcm)
    wanted = chunk.kept_frames(run)
    if mpeg.check(frames, fmt) < wanted:
        raise StreamBroken(f"the encoder gave {len(frames) // fmt.frame_bytes} frames where {wanted} were due")
    return frames[: wanted * fmt.frame_bytes]


def silent_frame(fmt: Format, folder: Path) -> bytes:
    """One frame of digital silence as this encoder makes it once it has settled; it reads no main data and leaves its slot free."""
    frames = _encoded(bytes(_SILENT_FRAMES * FRAME * graph.SAMPLE_BYTES * fmt.channels), fmt, folder)
    middle = _SILENT_FRAMES // 2 * fmt.frame_bytes
    return frames[middle : middle + fmt.frame_bytes]


def make_up(fmt: Format, folder: Path) -> Db:
    """What this encoder takes off the level at this bitrate, in dB to a hundredth, measured on a tone.

    LAME scales its input by a factor of its own that depends on the bitrate (0.95 at 128 kb/s) and that ffmpeg cannot set.
    """
    import numpy as np

    time = np.arange(4 * RATE) / RATE
    tone = (0.25 * np.sin(2 * np.pi * 997 * time)).astype("<f4")
    frames = _encoded(np.repeat(tone, fmt.channels).tobytes(), fmt, folder)
    with ffmpeg.spooled(frames, folder) as stdin:
        raw = ffmpeg.capture(graph.decode_frames(ffmpeg.find(), Samples(RATE), Samples(2 * RATE)), stdin=stdin)
    heard = np.frombuffer(raw, "<f4").astype("f8")
    return Db(round(20 * float(np.log10(0.25 / np.sqrt(2) / np.sqrt(np.mean(heard**2)))), 2))


def _encoded(pcm: bytes, fmt: Format, folder: Path) -> bytes:
    with ffmpeg.spooled(pcm, folder) as file:
        frames = ffmpeg.capture(graph.encode(ffmpeg.find(), fmt.bitrate, fmt.channels), stdin=file)
    mpeg.check(frames, fmt)
    return frames


class NoJoin(StreamBroken):
    """No frame was found where this chunk can follow the one before; a wider pre-roll is needed."""

    def __init__(self, run: int, first: int) -> None:
        self.run = run
        self.first = first
        super().__init__(f"run {run}: the chunk from frame {first} on fits nowhere after the one before it")


def find_join(before: bytes | bytearray, earlier: Chunk, after: bytes, later: Chunk, fmt: Format, gone: int = 0) -> tuple[int, int]:
    """Frame indexes (in ``before``, in ``after``) of the best place to change over, within the later chunk's pre-roll.

    ``before`` is the earlier encode without its first ``gone`` frames. Best is the earliest place where both encoders had made the same decisions
    (block types, gains, tables) for the frames on either side of the join; else the earliest that fits. Raises NoJoin when the main data fits
    nowhere.
    """
    shift = later.first - later.before - (earlier.first - earlier.before) - gone
    second_best = None
    for index in range(max(SETTLED, 1 - shift), later.before):
        if not mpeg.fits(before, index + shift, after, index, fmt):
            continue
        if all(mpeg.side_info(before, i + shift, fmt) == mpeg.side_info(after, i, fmt) for i in (index - 1, index)):
            return index + shift, index
        second_best = second_best or (index + shift, index)
    if second_best is None:
        raise NoJoin(later.run, later.first)
    return second_best


def assemble(
    runs: Sequence[Run], chunks: Sequence[Sequence[Chunk]], load: Callable[[Chunk], bytes], silence: bytes, total: int, fmt: Format
) -> Iterator[bytes]:
    """The whole stream of ``total`` frames, a piece at a time; ``chunks`` holds those of each run. One or two chunks are in memory.

    Raises NoJoin for a chunk that cannot follow its predecessor, before anything of it was given out.
    """
    done = 0
    held = bytearray()
    for run, parts in zip(runs, chunks, strict=True):
        gap = run.first - run.kept - done - len(held) // fmt.frame_bytes
        if gap < 0:
            raise StreamBroken("runs overlap")
        held += silence * gap
        body, earlier = load(parts[0]), parts[0]
        at = earlier.before - run.kept
        if run.first - run.kept:
            mpeg.join(held, len(held) // fmt.frame_bytes, body, at, fmt)
        yield bytes(held)
        done += len(held) // fmt.frame_bytes
        held, origin = bytearray(body[at * fmt.frame_bytes :]), at
        for later in parts[1:]:
            following = load(later)
            cut, start = find_join(held, earlier, following, later, fmt, origin)
            mpeg.join(held, cut, following, start, fmt)
            yield bytes(held)
            done += len(held) // fmt.frame_bytes
            held, origin, earlier = bytearray(following[start * fmt.frame_bytes :]), start, later
    held += silence * (total - done - len(held) // fmt.frame_bytes)
    yield bytes(held)
    done += len(held) // fmt.frame_bytes
    if done != total:
        raise StreamBroken(f"{done} frames were assembled where {total} were due")
