"""The finished file and what stands beside it: joined, tagged, proven by decoding, and only then put in the old ones' places."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

from audio import chapters as lists
from audio import encode, mpeg, tags
from audio.mpeg import Format
from audio.runs import Chunk
from production import plan, receipts
from production.errors import StepFailed
from production.job import Job
from production.proof import Proof, Prover
from production.receipts import Receipt
from production.report import report
from production.store import Store, holds, replacing, synced

_BLOCK = 1 << 20


def deliver(
    job: Job,
    before: Receipt | None,
    load: Callable[[Chunk], bytes],
    store: Store,
    prover: Prover,
    show: str,
    *,
    judge: Callable[[Proof], None],
    beside: Callable[[ExitStack], dict[str, Path]],
) -> Proof:
    """Write the file, its sidecars, the files ``beside`` it and the receipt; ``load`` gives the frames of a chunk.

    Everything is on the disk before the first name changes: a full disk leaves the earlier build whole. Raises NoJoin, and what ``judge`` raises of
    the proof, before anything has changed.
    """
    planned = job.plan
    start = tags.render(job.sheet) + mpeg.info_header(planned.fmt, frames=planned.frames, samples=planned.programme.length)
    with ExitStack() as together:
        # Drawn while the sound is written.
        cover = together.enter_context(ThreadPoolExecutor(1)).submit(job.cover)
        file = together.enter_context(replacing(job.target))
        file.write(start)
        whole, audio = _old_frames(job, before, file, len(start)) or _new_frames(job, load, store, file, len(start))
        _read_back(Path(file.name), job)
        with open(file.name, "rb") as finished:
            proof = prover.prove(planned, finished, len(start), audio)
        judge(proof)
        others = {name: _sum(str(part), 0) for name, part in beside(together).items()}
        sidecars = _sidecars(job, proof, show, cover.result(), size=file.tell(), sha256=whole)
        for name, data in sidecars.items():
            if not holds(job.folder / name, data):
                part = together.enter_context(replacing(job.folder / name))
                part.write(data)
                synced(part)
    sums = {job.target.name: whole} | others | {name: hashlib.sha256(data).hexdigest() for name, data in sidecars.items()}
    heard: dict[str, Any] = {"name": job.audio, "offset": len(start), "sha256": audio}
    _receipt(job, before, {name: receipts.stamp(job.folder, name, sha256) for name, sha256 in sums.items()}, heard)
    return proof


def _old_frames(job: Job, before: Receipt | None, file: IO[bytes], offset: int) -> tuple[str, str] | None:
    """Take over the frames of the earlier build when they are the same; None when they are not, or have been damaged since they were proven."""
    if before is None or before.audio.get("name") != job.audio or not _copied(job.target, before.audio, file):
        return None
    whole, audio = _sums(file, offset)
    return (whole, audio) if audio == before.audio["sha256"] else None


def _new_frames(job: Job, load: Callable[[Chunk], bytes], store: Store, file: IO[bytes], offset: int) -> tuple[str, str]:
    file.seek(offset)
    file.truncate()
    for piece in _stream(job, load, store):
        file.write(piece)
    return _sums(file, offset)


def _copied(target: Path, audio: dict[str, Any], to: IO[bytes]) -> bool:
    """Copy the frames of the earlier build behind what was written; whether they were there."""
    try:
        with target.open("rb") as old:
            old.seek(int(audio["offset"]))
            shutil.copyfileobj(old, to, _BLOCK)
    except OSError:
        return False
    return True


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


def _sums(file: IO[bytes], offset: int) -> tuple[str, str]:
    """The SHA-256 of the file and of its frames, while it goes to the disk."""
    file.flush()
    with ThreadPoolExecutor(3) as threads:
        on_disk = threads.submit(os.fsync, file.fileno())
        whole, audio = threads.submit(_sum, file.name, 0), threads.submit(_sum, file.name, offset)
        on_disk.result()
        return whole.result(), audio.result()


def _sum(path: str, offset: int) -> str:
    total = hashlib.sha256()
    with open(path, "rb", buffering=0) as file:
        file.seek(offset)
        while block := file.read(_BLOCK):
            total.update(block)
    return total.hexdigest()


def _read_back(path: Path, job: Job) -> None:
    """Compare the tag as another reader's library parses it with what was meant. Raises StepFailed."""
    if tags.read(path) != tags.expected(job.sheet):
        raise StepFailed(f"{job.plan.episode.id}: tag", "what was written reads back differently", hint="this is a bug: please report it")


def _sidecars(job: Job, proof: Proof, show: str, cover: bytes, *, size: int, sha256: str) -> dict[str, bytes]:
    """What stands beside the MP3, by file name."""
    files = {
        "chapters.json": lists.to_json(job.chapters, title=job.sheet.title, author=job.sheet.artist, podcast=show, image_urls=job.image_urls),
        "chapters.psc.xml": lists.to_psc(job.chapters, image_urls=job.image_urls),
        "description.txt": f"{lists.to_description(job.chapters)}\n".encode(),
        "cover.jpg": cover,
        "report.json": report(job.plan, job.chapters, proof, size=size, sha256=sha256),
    }
    return files | {f"images/{chapter.slug}.jpg": chapter.image for chapter in job.chapters if chapter.image}


def _receipt(job: Job, before: Receipt | None, outputs: dict[str, list[Any]], audio: dict[str, Any]) -> None:
    for name in before.outputs if before else ():
        if name not in outputs:
            (job.folder / name).unlink(missing_ok=True)
    receipts.save(job.folder, Receipt(job.fingerprint, job.plan.scratch, job.plan.programme.length, job.basis, audio, outputs))
