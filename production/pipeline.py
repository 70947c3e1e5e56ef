"""Runs a plan; the only module that acts: survey, render and encode what is missing, join, tag, prove, write, feed."""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import dataclass, fields
from itertools import pairwise
from pathlib import Path
from typing import IO, Any

from audio import chapters as lists
from audio import encode, ffmpeg, mpeg, render, tags
from audio.errors import SourceUnreadable
from audio.mpeg import Format
from audio.runs import Chunk
from audio.tags import TagSheet
from audio.timeline import Chapter
from audio.units import Db
from production import feed, inputs, memory, plan, receipts, sheets, survey
from production.artwork import ArtworkError
from production.errors import Problem, StepFailed, StepsFailed
from production.model import Episode, Location, Project, Series
from production.plan import Plan
from production.proof import Proof, prove
from production.receipts import Receipt
from production.report import report
from production.store import Store, digest, digest_bytes, disk_errors, holds, locked, replacing, synced
from production.survey import Fact, Seen, Unreadable
from production.watch import Watch

BUILD = "build"
STORE = ".store"


@dataclass(frozen=True)
class Options:
    """How to build. ``jobs`` is the number of cores to use."""

    jobs: int
    scratch: bool = False
    replace: bool = False


@dataclass(frozen=True)
class Result:
    """What came of one episode: the finished file, whether anything was done, and why."""

    path: Path
    done: str
    reasons: tuple[str, ...]
    warnings: tuple[str, ...] = ()


class Builder:
    """Builds episodes of one project. Use from one thread; the work inside goes on all cores."""

    def __init__(self, project: Project, options: Options, watch: Watch) -> None:
        self.project = project
        self.options = options
        self.watch = watch
        self.build = project.root / BUILD
        self.store = Store(self.build / STORE)
        self.seen = Seen(self.store)

    def episode(self, episode: Episode) -> Result:
        """Bring one episode up to date. Raises ConfigError, StepFailed, StoreError, ToolMissing by way of AudioError."""
        folder = self.build / episode.id
        with (
            disk_errors(self.build),
            locked(
                self.build / STORE / "locks" / f"{episode.id}.lock",
                lambda: self.watch.say(f"{episode.id}: another produce is at work; waiting"),
            ),
        ):
            _clean(folder)
            return self._episode(episode, folder)

    def _episode(self, episode: Episode, folder: Path) -> Result:
        self.watch.begin(episode.id)
        build = survey.encoder_build(self.seen)
        asked = self._inputs(episode)
        memory.trim()
        facts = self._survey(episode, asked, build)
        before = receipts.read(folder)
        planned = self._planned(episode, facts, build)
        job = self._job(planned, folder)
        if before and before.fingerprint == job.fingerprint and before.intact(folder):
            return Result(job.target, "nothing to do", ())
        self._refuse_to_lose(before, planned, folder)
        reasons = plan.reasons(before.basis if before else None, job.basis) or ["an output is missing or was changed"]
        return self._make(job, reasons)

    def feed(self, series: Series) -> Path:
        """Write the feed of a series from what is built."""
        # One at a time: who comes last has seen every receipt, and no feed loses what another run has just finished.
        with locked(self.build / STORE / "locks" / f"feed-{series.slug}.lock"):
            _clean(self.build / "feeds", f"{series.slug}.")
            return feed.write_feed(self.project, series, self.build, self.store)

    # -- what there is ----------------------------------------------------------------------------------------------------------

    def _inputs(self, episode: Episode) -> tuple[inputs.Input, ...]:
        return inputs.inputs(self.project, episode, self.store, scratch=self.options.scratch)

    def _survey(self, episode: Episode, asked: tuple[inputs.Input, ...], build: str) -> tuple[Fact, ...]:
        channels = plan.format_of(episode).channels
        facts, unreadable = survey.survey(
            asked, self.store, self.seen, channels, lambda one: plan.level_of(episode, one), build, self.options.jobs, self.watch.measuring
        )
        if unreadable:
            raise StepsFailed(_unreadable(self.project, episode, one) for one in unreadable)
        return facts

    def _refuse_to_lose(self, before: Receipt | None, planned: Plan, folder: Path) -> None:
        if planned.scratch and before and not before.scratch and not self.options.replace:
            raise StepFailed(
                f"{planned.episode.id}: scratch build",
                f"{folder.name}/ holds an episode made from recordings, and some of those are gone; placeholder narration would take its place",
                hint="bring the recordings back, move the folder away, or add --replace",
            )

    # -- what is to be made -----------------------------------------------------------------------------------------------------

    def _planned(self, episode: Episode, facts: tuple[Fact, ...], build: str) -> Plan:
        """The plan, with the long pre-roll for every chunk that is known to need it: known of its sounds, not of an earlier build's places."""
        make_up = self._make_up(plan.format_of(episode), build)
        wide: frozenset[tuple[int, int]] = frozenset()
        while True:
            planned = plan.make(episode, facts, build, make_up, wide)
            pairs = ((before, after) for parts in planned.chunks for before, after in pairwise(parts) if (after.run, after.first) not in wide)
            # One by one and in order, as the joins were found to fail.
            after = next((after for before, after in pairs if self.store.has(plan.no_join_key(planned, before, after))), None)
            if after is None:
                return planned
            wide |= {(after.run, after.first)}

    def _job(self, planned: Plan, folder: Path) -> Job:
        episode = planned.episode
        with self._artwork(episode, episode.settings.artwork.file, "artwork", "file"):
            embedded = sheets.cover(self.project, episode, self.store, side=sheets.EMBEDDED_SIDE, most=sheets.EMBEDDED_BYTES, scratch=planned.scratch)
            large = sheets.cover(self.project, episode, self.store, side=sheets.FEED_SIDE, most=sheets.FEED_BYTES, scratch=planned.scratch)
        marks = plan.chapters(planned, self._chapter_images(episode))
        encoder = f"ffmpeg {ffmpeg.version_number(planned.build)} libmp3lame"
        sheet = sheets.tag_sheet(self.project, planned, marks, embedded, encoder)
        tag = tags.render(sheet)
        basis = {**plan.basis(planned), "tags": _tag_basis(sheet)}
        keys = [planned.keys[chunk] for parts in planned.chunks for chunk in parts]
        placed = [(p.segment.name, p.start) for p in planned.programme.placed]
        fingerprint = digest(keys, placed, planned.programme.length, digest_bytes(tag), digest_bytes(large), self._image_urls(episode))
        return Job(planned, folder, marks, sheet, tag, large, basis, fingerprint)

    def _chapter_images(self, episode: Episode) -> dict[str, bytes]:
        images: dict[str, bytes] = {}
        for index, section in enumerate(episode.sections):
            if section.image:
                with self._artwork(episode, section.image, "sections", index, "image"):
                    images[section.slug] = sheets.chapter_image(self.project, section.image, self.store)
        return images

    @contextlib.contextmanager
    def _artwork(self, episode: Episode, name: str | None, *keys: str | int) -> Iterator[None]:
        """Say which picture cannot serve, and where it was asked for."""
        try:
            yield
        except (ArtworkError, OSError) as error:
            said = f"cannot be read ({error.strerror})" if isinstance(error, OSError) else error
            where = self.project.where(episode.id, *keys)
            hint = "give a square JPEG or PNG of 1400 px or more"
            raise StepFailed(f"{episode.id}: artwork", f"{name} {said}", where=where, hint=hint) from error

    def _image_urls(self, episode: Episode) -> dict[str, str]:
        return {s.slug: sheets.media_url(self.project, episode.id, "images", f"{s.slug}.jpg") for s in episode.sections if s.image}

    # -- making it --------------------------------------------------------------------------------------------------------------

    def _make(self, job: Job, reasons: list[str]) -> Result:
        planned = job.plan
        missing = [chunk for parts in planned.chunks for chunk in parts if not self.store.has(planned.keys[chunk])]
        self.watch.reasons(reasons, missing, planned)
        memory.trim()
        self._encode(planned, missing)
        memory.trim()
        with disk_errors(job.folder):
            job.folder.mkdir(parents=True, exist_ok=True)
            try:
                proof = self._write(job)
            except encode.NoJoin as nowhere:
                return self._wider(job, nowhere, reasons)
        done = f"{len(missing)} chunk(s) encoded" if missing else "joined and tagged again, nothing encoded"
        return Result(job.target, done, tuple(reasons), tuple(proof.warnings(planned)))

    def _wider(self, job: Job, nowhere: encode.NoJoin, reasons: list[str]) -> Result:
        """Encode one chunk again with more pre-roll, so that its join is found; then go on."""
        planned = job.plan
        if (nowhere.run, nowhere.first) in planned.wide:
            raise StepFailed(f"{planned.episode.id}: join", str(nowhere)) from nowhere
        before, after = next(pair for pair in pairwise(planned.chunks[nowhere.run]) if pair[1].first == nowhere.first)
        self.store.put_value(plan.no_join_key(planned, before, after), True)
        again = self._planned(planned.episode, planned.facts, planned.build)
        return self._make(self._job(again, job.folder), reasons)

    def _encode(self, planned: Plan, missing: list[Chunk]) -> None:
        """Render and encode the chunks that the store lacks; several at a time, in no fixed order: a chunk's bytes depend on its input alone."""
        rooms = threading.BoundedSemaphore(self.options.jobs + 2)
        failed = threading.Event()
        with ThreadPoolExecutor(self.options.jobs) as encoders, ThreadPoolExecutor(max(1, self.options.jobs // 2)) as renderers:

            def one(chunk: Chunk, file: IO[bytes]) -> None:
                try:
                    with file:
                        if not failed.is_set():
                            frames = encode.encode(file, chunk, planned.runs[chunk.run], planned.fmt, planned.make_up)
                            self.store.put(planned.keys[chunk], frames)
                            self.watch.encoded(planned, chunk)
                except BaseException:
                    failed.set()
                    raise
                finally:
                    rooms.release()

            def whole_run(wanted: list[Chunk]) -> list[Future[None]]:
                run = planned.runs[wanted[0].run]
                started: list[Future[None]] = []
                spools = render.spool(run, wanted, planned.materials, planned.fmt.channels, self.store.scratch, admit)
                for chunk, file in spools:
                    started.append(encoders.submit(one, chunk, file))
                return started

            def admit() -> None:
                rooms.acquire()
                if failed.is_set():
                    rooms.release()
                    raise ffmpeg.Cancelled("another chunk failed")

            tasks = [renderers.submit(whole_run, list(group)) for group in _by_run(missing)]
            self._gather(planned, tasks, failed)

    def _gather(self, planned: Plan, tasks: list[Future[list[Future[None]]]], failed: threading.Event) -> None:
        """Wait for everything; the first real failure is raised, those that only followed from it are not."""
        errors: list[BaseException] = []
        started: list[Future[None]] = []
        for task in as_completed(tasks):
            try:
                started += task.result()
            except BaseException as error:
                failed.set()
                errors.append(error)
        errors += [failure for chunk in as_completed(started) if (failure := chunk.exception())]
        for first in [*(e for e in errors if not isinstance(e, ffmpeg.Cancelled)), *errors][:1]:
            if isinstance(first, SourceUnreadable):
                raise StepFailed(f"{planned.episode.id}: render", str(first), hint=first.hint) from first
            raise first

    def _write(self, job: Job) -> Proof:
        """Join and tag into a temporary, prove what it holds by decoding it, and only then put it and what is said of it in the old ones' places.

        Everything is on the disk before the first name changes: a full disk leaves the earlier build whole.
        """
        planned, total = job.plan, hashlib.sha256()
        header = mpeg.info_header(planned.fmt, frames=planned.frames, samples=planned.programme.length)
        with ExitStack() as together:
            file = together.enter_context(replacing(job.target))
            for piece in self._stream(planned, job.tag + header):
                total.update(piece)
                file.write(piece)
            synced(file)
            _read_back(Path(file.name), job)
            with open(file.name, "rb") as finished:
                proof = prove(planned, finished, len(job.tag) + len(header), self.store, self.options.jobs, self.watch)
            sidecars = self._sidecars(job, proof, size=file.tell(), sha256=total.hexdigest())
            for name, data in sidecars.items():
                if not holds(job.folder / name, data):
                    part = together.enter_context(replacing(job.folder / name))
                    part.write(data)
                    synced(part)
        sums = {job.target.name: total.hexdigest()} | {name: hashlib.sha256(data).hexdigest() for name, data in sidecars.items()}
        self._receipt(job, {name: receipts.stamp(job.folder, name, sha256) for name, sha256 in sums.items()})
        return proof

    def _stream(self, planned: Plan, start: bytes) -> Iterator[bytes]:
        yield start
        yield from encode.assemble(
            planned.runs, planned.chunks, lambda chunk: self._load(planned, chunk), self._silence(planned), planned.frames, planned.fmt
        )

    def _load(self, planned: Plan, chunk: Chunk) -> bytes:
        frames = self.store.get(planned.keys[chunk])
        if frames is None:
            # It was there when the plan was made: the entry is damaged, or somebody cleaned up. Make it again.
            self._encode(planned, [chunk])
            frames = self.store.get(planned.keys[chunk])
        if frames is None:
            raise StepFailed(f"{planned.episode.id}: store", "an entry vanished twice", hint="is another program cleaning the build folder?")
        return frames

    def _make_up(self, fmt: Format, build: str) -> Db:
        key = plan.encoder_key("make-up", fmt, build)
        found = self.store.value(key)
        if found is None:
            found = encode.make_up(fmt, self.store.scratch)
            self.store.put_value(key, found)
        return Db(found)

    def _silence(self, planned: Plan) -> bytes:
        key = plan.encoder_key("silence", planned.fmt, planned.build)
        frame = self.store.get(key)
        if frame is None:
            frame = encode.silent_frame(planned.fmt, self.store.scratch)
            self.store.put(key, frame)
        return frame

    # -- writing it down --------------------------------------------------------------------------------------------------------

    def _sidecars(self, job: Job, proof: Proof, *, size: int, sha256: str) -> dict[str, bytes]:
        """What stands beside the MP3, by file name."""
        urls = self._image_urls(job.plan.episode)
        files = {
            "chapters.json": lists.to_json(
                job.chapters, title=job.sheet.title, author=job.sheet.artist, podcast=self.project.show.title, image_urls=urls
            ),
            "chapters.psc.xml": lists.to_psc(job.chapters, image_urls=urls),
            "description.txt": f"{lists.to_description(job.chapters)}\n".encode(),
            "cover.jpg": job.cover,
            "report.json": report(job.plan, job.chapters, proof, size=size, sha256=sha256),
        }
        return files | {f"images/{chapter.slug}.jpg": chapter.image for chapter in job.chapters if chapter.image}

    def _receipt(self, job: Job, outputs: dict[str, list[Any]]) -> None:
        before = receipts.read(job.folder)
        for name in before.outputs if before else ():
            if name not in outputs:
                (job.folder / name).unlink(missing_ok=True)
        receipts.save(job.folder, Receipt(job.fingerprint, job.plan.scratch, job.plan.programme.length, job.basis, outputs))


@dataclass(frozen=True)
class Job:
    """A plan with everything that is said about it: ready to be made."""

    plan: Plan
    folder: Path
    chapters: tuple[Chapter, ...]
    sheet: TagSheet
    tag: bytes
    cover: bytes
    basis: dict[str, Any]
    fingerprint: str

    @property
    def target(self) -> Path:
        return self.folder / f"{self.plan.episode.id}.mp3"


def _clean(folder: Path, prefix: str = "") -> None:
    """Remove what a killed run left half-written. Only for who holds the folder's lock: nobody else is writing there."""
    for left in folder.glob(f"**/.{prefix}*.part"):
        with contextlib.suppress(OSError):
            left.unlink()


def _by_run(chunks: Iterable[Chunk]) -> Iterator[list[Chunk]]:
    runs: dict[int, list[Chunk]] = {}
    for chunk in chunks:
        runs.setdefault(chunk.run, []).append(chunk)
    yield from runs.values()


def _unreadable(project: Project, episode: Episode, one: Unreadable) -> Problem:
    where = one.input.where or Location(one.error.path)
    if one.error.point and one.input.section:
        where = project.where(episode.id, "sections", episode.sections.index(one.input.section), one.error.point) or where
    path = one.error.path
    shown = path.relative_to(project.root) if path.is_relative_to(project.root) else path
    return Problem(where, f"{one.input.name}: {shown}: {one.error.why}", one.error.hint, inputs.source_line(where))


def _tag_basis(sheet: TagSheet) -> dict[str, Any]:
    values = {
        name: value
        for name, value in {f.name: getattr(sheet, f.name) for f in fields(sheet)}.items()
        if name not in ("chapters", "cover", "duration", "scratch")
    }
    values |= {name: str(value) for name, value in values.items() if not isinstance(value, (str, int, type(None)))}
    values["cover"] = digest_bytes(sheet.cover or b"")[:12]
    values["chapters"] = digest([[c.title, c.link, digest_bytes(c.image or b"")] for c in sheet.chapters])[:12]
    return values


def _read_back(path: Path, job: Job) -> None:
    """Compare the tag as another reader's library parses it with what was meant. Raises StepFailed."""
    if tags.read(path) != tags.expected(job.sheet):
        raise StepFailed(f"{job.plan.episode.id}: tag", "what was written reads back differently", hint="this is a bug: please report it")
