"""What the joins cost: a built section's chunks, joined, beside one sequential encode of the same samples.

``python -m benchmarks.joins PROJECT EPISODE [SECTION ...]`` for an episode that is built. Holds a section in memory (0.6 GB for half an hour).
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from audio import encode, ffmpeg, graph, mpeg, render
from audio.pcm import Pcm
from audio.runs import Chunk
from audio.units import FRAME, RATE, Samples
from production.pipeline import Builder, Options
from production.plan import Plan
from production.store import Store
from production.targets import choose
from production.watch import Watch

Floats = NDArray[np.float32]

_SEGMENT = RATE // 50
"""Segmental figures are means over 20 ms."""
_AUDIBLE = 1e-4
_NEAR = 3
"""Segments on either side of a join that count as near it."""


@dataclass(frozen=True)
class Joined:
    """Segmental SNR against the rendered samples in dB; noise near the joins beside the sequential encode's at the same places, in dB."""

    section: str
    minutes: float
    joins: int
    sequential_db: float
    joined_db: float
    identical: float
    median_db: float
    worst_db: float

    def line(self) -> str:
        return (
            f"{self.section}: {self.minutes:.1f} min, {self.joins} joins, {100 * self.identical:.2f} % of the frames identical; "
            f"segmental SNR {self.sequential_db:.3f} dB sequential, {self.joined_db:.3f} dB joined; "
            f"noise at joins {self.median_db:+.2f} dB (median), {self.worst_db:+.2f} dB (most)"
        )


def compare(planned: Plan, store: Store, number: int) -> Joined:
    """Run ``number`` of a built plan."""
    run, fmt, chunks = planned.runs[number], planned.fmt, planned.chunks[number]
    with tempfile.TemporaryFile(dir=store.scratch) as file:
        opened = {samples: Pcm(take, store.scratch) for part in run.parts for samples, take in planned.materials[part.name].takes.items()}
        whole = Chunk(number, 0, run.frames, chunks[0].before, chunks[-1].post, opens=True, closes=True)
        for pcm in opened.values():
            pcm.start()
        render.fill(file, whole, run, planned.materials, lambda samples, _take: opened[samples], fmt.channels, planned.make_up)
        for pcm in opened.values():
            pcm.close()
        file.seek(0)
        source = np.fromfile(file, "<f4").reshape(-1, fmt.channels)[:, 0]
        file.seek(0)
        sequential = encode.encode(file, whole, run, fmt)
    joined, places = _joined(planned, store, number)
    count = min(len(joined), len(sequential)) // fmt.frame_bytes
    rows = [np.frombuffer(data[: count * fmt.frame_bytes], "u1").reshape(count, -1) for data in (sequential, joined)]
    identical = float(np.mean((rows[0] == rows[1]).all(axis=1)))
    audible, before = _noise(source, _decoded(sequential, fmt, store.scratch))
    _, after = _noise(source, _decoded(joined, fmt, store.scratch))
    near = np.unique([place * FRAME // _SEGMENT + step for place in places for step in range(-_NEAR, _NEAR + 1)])
    change = 10 * np.log10(after[near] / np.maximum(before[near], 1e-20)) if len(near) else np.zeros(1)
    levels = [_signal(source, len(noise))[audible] / np.maximum(noise[audible], 1e-20) for noise in (before, after)]
    alone, together = (float(np.mean(10 * np.log10(level))) for level in levels)
    name = "+".join(part.name for part in run.parts)
    return Joined(name, run.frames * FRAME / RATE / 60, len(places), alone, together, identical, float(np.median(change)), float(change.max()))


def _joined(planned: Plan, store: Store, number: int) -> tuple[bytes, list[int]]:
    """The chunks of a run as the finished file holds them, and the frames at which one goes over into the next."""
    fmt, places = planned.fmt, []
    out, earlier = bytearray(), None
    for chunk in planned.chunks[number]:
        body = store.get(planned.keys[chunk])
        if body is None:
            raise SystemExit("build the episode first")
        if earlier is None:
            out, origin = bytearray(body), 0
        else:
            held = bytes(out[origin * fmt.frame_bytes :])
            cut, start = encode.find_join(held, earlier, body, chunk, fmt)
            del out[(origin + cut) * fmt.frame_bytes :]
            mpeg.join(out, origin + cut, body, start, fmt)
            places.append(origin + cut)
            # Indexes of the next join count from the start of this encode.
            origin = origin + cut - start
            out += body[start * fmt.frame_bytes :]
        earlier = chunk
    return bytes(out), places


def _decoded(frames: bytes, fmt: mpeg.Format, folder: Path) -> Floats:
    count = len(frames) // fmt.frame_bytes
    with ffmpeg.spooled(frames, folder) as stdin:
        raw = ffmpeg.capture(graph.decode_frames(ffmpeg.find(), Samples(mpeg.DELAY), Samples(count * FRAME)), stdin=stdin)
    return np.frombuffer(raw, "<f4").reshape(-1, fmt.channels)[:, 0]


def _signal(samples: Floats, segments: int) -> NDArray[np.float64]:
    rows = samples[: segments * _SEGMENT].reshape(segments, _SEGMENT)
    energy: NDArray[np.float64] = np.einsum("ij,ij->i", rows, rows, dtype="f8")
    return energy


def _noise(source: Floats, heard: Floats) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Which segments are sound, and the energy of what the codec added to each."""
    segments = min(len(source), len(heard)) // _SEGMENT
    return _signal(source, segments) > _AUDIBLE * _SEGMENT, _signal(heard[: segments * _SEGMENT] - source[: segments * _SEGMENT], segments)


def main(arguments: Sequence[str]) -> int:
    if len(arguments) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    project, (episode, *_) = choose(Path(arguments[0]), arguments[1:2])
    builder = Builder(project, Options(jobs=1), Watch())
    planned = builder.planned(episode)
    for number, run in enumerate(planned.runs):
        wanted = not arguments[2:] or any(part.name in arguments[2:] for part in run.parts)
        if wanted and len(planned.chunks[number]) > 1:
            print(compare(planned, builder.store, number).line(), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
