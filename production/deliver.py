"""The finished file and what stands beside it: joined, tagged, proven by decoding, and only then put in the old ones' places."""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any, Protocol

from audio import chapters as lists
from audio import encode, memory, mpeg, tags, verify
from audio.mpeg import Format
from audio.runs import Chunk
from production import plan, receipts, transcripts
from production.errors import StepFailed
from production.findings import Item
from production.job import Job
from production.proof import Proof, Prover
from production.receipts import Receipt
from production.report import PAGES, report
from production.store import Store, holds, replacing, sha256_of, synced

_BLOCK = 1 << 20


class _Sum(Protocol):
    """A digest on the way."""

    def update(self, data: bytes, /) -> None: ...


def deliver(
    job: Job,
    before: Receipt | None,
    load: Callable[[Chunk], bytes],
    store: Store,
    prover: Prover,
    show: str,
    *,
    judge: Callable[[Proof], Sequence[Item]],
    beside: Callable[[ExitStack], dict[str, Path]],
) -> Proof:
    """Write the file, its sidecars, the files ``beside`` it and the receipt; ``load`` gives the frames of a chunk.

    Everything is on the disk before the first name changes: a full disk leaves the earlier build whole. ``judge`` gives the findings for the report.
    Raises NoJoin, and what ``judge`` raises of the proof, before anything has changed.
    """
    planned = job.plan
    start = tags.render(job.sheet) + mpeg.info_header(planned.fmt, frames=planned.frames, samples=planned.programme.length)
    with ExitStack() as together:
        file = together.enter_context(replacing(job.target))
        threads = together.enter_context(ThreadPoolExecutor(2))
        # Drawn while the sound is written.
        cover = threads.submit(job.cover)
        frames = _old_frames(job, before, file, start) or _new_frames(job, load, store, file, start)
        file.flush()
        on_disk = threads.submit(os.fsync, file.fileno())
        _read_back(Path(file.name), job)
        memory.trim()
        with open(file.name, "rb") as finished:
            proof = prover.prove(planned, finished, len(start), frames.audio)
        findings = judge(proof)
        others = {name: sha256_of(part) for name, part in beside(together).items()}
        sidecars = _sidecars(job, proof, findings, show, cover.result(), size=file.tell(), sha256=frames.whole)
        for name, data in sidecars.items():
            if not holds(job.folder / name, data):
                part = together.enter_context(replacing(job.folder / name))
                part.write(data)
                synced(part)
        on_disk.result()
    sums = {job.target.name: frames.whole} | others | {name: hashlib.sha256(data).hexdigest() for name, data in sidecars.items()}
    slices = [part.first for part in verify.slices(planned.runs, planned.chunks, planned.programme.length)]
    heard: dict[str, Any] = {"name": job.audio, "offset": len(start), "sha256": frames.audio, "crc32": frames.check, "slices": slices}
    _receipt(job, before, {name: receipts.stamp(job.folder, name, sha256) for name, sha256 in sums.items()}, heard)
    return proof


@dataclass(frozen=True, slots=True)
class _Written:
    """The SHA-256 of the file and of its frames, and the frames' CRC-32, which is made in a third of the time."""

    whole: str
    audio: str
    check: int


def _old_frames(job: Job, before: Receipt | None, file: IO[bytes], start: bytes) -> _Written | None:
    """Take over the frames of the earlier build when they are the same; None when they are not, or have been damaged since they were proven."""
    if before is None or before.audio.get("name") != job.audio:
        return None
    whole = hashlib.sha256(start)
    file.write(start)
    try:
        with job.target.open("rb") as old:
            old.seek(int(before.audio["offset"]))
            check = _write(iter(partial(old.read, _BLOCK), b""), file, whole)
    except OSError:
        return None
    return _Written(whole.hexdigest(), before.audio["sha256"], check) if check == before.audio.get("crc32") else None


def _new_frames(job: Job, load: Callable[[Chunk], bytes], store: Store, file: IO[bytes], start: bytes) -> _Written:
    whole, audio = hashlib.sha256(start), hashlib.sha256()
    file.seek(0)
    file.truncate()
    file.write(start)
    check = _write(_stream(job, load, store), file, whole, audio)
    return _Written(whole.hexdigest(), audio.hexdigest(), check)


def _write(pieces: Iterable[bytes], file: IO[bytes], *sums: _Sum) -> int:
    """Write pieces, which every one of ``sums`` takes in meanwhile; gives their CRC-32."""
    check = 0
    with ThreadPoolExecutor(len(sums)) as threads:
        for piece in pieces:
            taken = [threads.submit(one.update, piece) for one in sums]
            file.write(piece)
            check = zlib.crc32(piece, check)
            for one in taken:
                one.result()
    return check


def _stream(job: Job, load: Callable[[Chunk], bytes], store: Store) -> Iterator[bytes]:
    planned = job.plan
    silence = _silence(planned.fmt, planned.build, store)
    yield from encode.assemble(planned.runs, planned.chunks, load, silence, planned.frames, planned.fmt)


def _silence(fmt: Format, build: str, store: Store) -> bytes:
    key = plan.encoder_key("silence", fmt, build)
    frame = store.get(key)
    if frame is None:
        frame = encode.silent_frame(fmt, store.scratch)
        store.put(key, frame)
    return frame


def _read_back(path: Path, job: Job) -> None:
    """Compare the tag as another reader's library parses it with what was meant. Raises StepFailed."""
    if tags.read(path) != tags.expected(job.sheet):
        raise StepFailed(f"{job.plan.episode.id}: tag", "what was written reads back differently", hint="this is a bug: please report it")


def _sidecars(job: Job, proof: Proof, findings: Sequence[Item], show: str, cover: bytes, *, size: int, sha256: str) -> dict[str, bytes]:
    """What stands beside the MP3, by file name."""
    files = {
        "chapters.json": lists.to_json(job.chapters, title=job.sheet.title, author=job.sheet.artist, podcast=show, image_urls=job.image_urls),
        "chapters.psc.xml": lists.to_psc(job.chapters, image_urls=job.image_urls),
        "description.txt": f"{lists.to_description(job.chapters)}\n".encode(),
        "cover.jpg": cover,
        "report.json": report(job.plan, job.inside, job.spoken, proof, findings, size=size, sha256=sha256),
        **transcripts.files(job.plan.episode, job.spoken),
    }
    return files | {f"images/{chapter.slug}.jpg": chapter.image for chapter in job.chapters if chapter.image}


def _receipt(job: Job, before: Receipt | None, outputs: dict[str, list[Any]], audio: dict[str, Any]) -> None:
    for name in (*(before.outputs if before else ()), *PAGES):
        if name not in outputs:
            (job.folder / name).unlink(missing_ok=True)
    receipts.save(job.folder, Receipt(job.fingerprint, job.plan.scratch, job.plan.programme.length, job.basis, audio, outputs))
