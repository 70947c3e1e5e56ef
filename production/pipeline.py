"""Runs a plan; the only module that acts: survey, render and encode what is missing, join, tag, prove, write, feed."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from audio import encode, memory
from audio.errors import SourceUnreadable
from audio.mpeg import Format
from audio.pcm import Pool
from audio.runs import Chunk
from audio.units import FRAME, RATE, Db, Samples, samples_from_seconds, seconds
from production import feed, inputs, plan, receipts, survey, under
from production.clock import clock
from production.errors import Problem, StepFailed, StepsFailed
from production.job import Job, job
from production.mix import Trim
from production.model import Episode, Location, Project, Series, Show
from production.pace import Stopwatch
from production.plan import Plan
from production.receipts import Receipt
from production.store import Store, disk_errors, locked
from production.survey import Fact, Seen, Surveyor, Unreadable
from production.watch import Watch

if TYPE_CHECKING:
    from production.findings import Item
    from production.outlook import Outlook
    from production.proof import Proof
    from production.sentinels import Watched

BUILD = "build"
STORE = ".store"
_MOST_KEPT = 12 << 30
"""Bytes of decoded sound that wait from measuring to rendering, at most: nine hours of stereo."""


@dataclass(frozen=True)
class Options:
    """How to build. ``jobs`` is the number of cores to use; ``strict`` takes what sentinels warn of for errors."""

    jobs: int
    scratch: bool = False
    replace: bool = False
    strict: bool = False


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
        self.stopwatch = Stopwatch()
        self.encoded = 0
        """Chunks encoded for the episode that is being built."""
        self.pool = Pool(self.store.scratch, _kept_bytes(self.store.scratch))

    def episode(self, episode: Episode) -> Result:
        """Bring one episode up to date. Raises ConfigError, StepFailed, StoreError, ToolMissing by way of AudioError."""
        folder = self.build / episode.id
        with (
            disk_errors(self.build),
            locked(
                self.build / STORE / "locks" / f"{episode.id}.lock",
                partial(self._waiting, episode),
            ),
        ):
            _clean(folder)
            try:
                return self._episode(episode, folder)
            finally:
                self.pool.clear()

    def _episode(self, episode: Episode, folder: Path) -> Result:
        self.watch.begin(episode.id)
        # The encoder is asked while the music is made, and what the sentinels know is looked through while the first chunks are encoded.
        with ThreadPoolExecutor(1) as thread:
            encoder = thread.submit(self._encoder, plan.format_of(episode))
            asked = self._inputs(episode)
            build = encoder.result()
        memory.trim()
        surveyor = self._surveyor(episode, build)
        with self.stopwatch.step("measure", surveyor.decoded):
            facts = self._facts(episode, surveyor.survey(asked))
        before = receipts.read(folder)
        planned = self._planned(episode, facts, build)
        wanted = job(self.project, planned, self.store, folder)
        if before and before.fingerprint == wanted.fingerprint and before.intact(folder):
            if self.options.strict:
                self._hold(planned, _reported(folder))
            return Result(wanted.target, "nothing to do", ())
        self._refuse_to_lose(before, planned, folder)
        with ThreadPoolExecutor(1) as thread:
            watched = thread.submit(self._watched, planned, surveyor)
            if self.options.strict:
                watched.result()
            return self._make(wanted, before, watched.result)

    def _encoder(self, fmt: Format) -> str:
        """The build of the encoder in use; what it takes off the level is known then, too."""
        build = survey.encoder_build(self.seen)
        self._make_up(fmt, build)
        return build

    def _watched(self, planned: Plan, surveyor: Surveyor) -> Watched:
        """What the sentinels say of the recordings. Raises StepsFailed for it when that is wished for."""
        from production import findings, sentinels

        try:
            watched = sentinels.of_recordings(self.project, planned, self.store, surveyor)
        except SourceUnreadable as error:
            raise StepFailed(f"{planned.episode.id}: measure", str(error), hint=error.hint) from error
        if self.options.strict:
            self._hold(planned, findings.items(planned, watched.noted))
        return watched

    def _hold(self, planned: Plan, found: Sequence[Item]) -> None:
        from production import findings

        if problems := findings.problems(planned, found, self.build):
            raise StepsFailed(problems)

    def feed(self, of: Series | Show, now: dt.datetime) -> Path:
        """Write the feed of a series, or of the whole show, from what is built."""
        # One at a time: who comes last has seen every receipt, and no feed loses what another run has just finished.
        with locked(self.build / STORE / "locks" / f"feed-{of.slug}.lock"):
            _clean(self.build / "feeds", f"{of.slug}.")
            return feed.write_feed(self.project, of, self.build, self.store, now)

    def site(self, now: dt.datetime, *, public: bool = False) -> dict[str, Path]:
        """Bring the listener's pages up to date; gives each file by its path in the site. Raises what `shelf.write_site` raises."""
        from production.site import shelf

        folder = self.build / (shelf.PUBLIC if public else shelf.SITE)
        with disk_errors(folder), locked(self.build / STORE / "locks" / f"{folder.name}.lock"):
            _clean(folder)
            return shelf.write_site(self.project, folder, self.store, now, public=public)

    def desk(self, episode: Episode) -> Path | None:
        """Bring an episode's review desk up to date; None when it is not built. Raises StepFailed, AudioError."""
        from production.desk.shelf import Desks

        folder = self.build / episode.id
        with disk_errors(folder), locked(self.build / STORE / "locks" / f"{episode.id}.lock", partial(self._waiting, episode)):
            found = Desks(self.project, self.build, self.store, self.seen, self.options.jobs).write(episode)
        self.seen.save()
        return found

    def look(self, episode: Episode) -> Outlook:
        """What `episode` would do, without doing it. Raises ConfigError, StepFailed."""
        from production import outlook

        folder = self.build / episode.id
        with disk_errors(self.build):
            wanted = job(self.project, self.planned(episode), self.store, folder)
            return outlook.outlook(wanted, receipts.read(folder), self.store)

    def preview(self, episode: Episode, start: float, length: float) -> Path:
        """Render a window of the programme (seconds) to build/<episode>/preview.wav, as a build would encode it. Raises ConfigError, StepFailed."""
        from production import listen

        folder = self.build / episode.id
        with disk_errors(folder), locked(self.build / STORE / "locks" / f"{episode.id}.lock", partial(self._waiting, episode)):
            build = survey.encoder_build(self.seen)
            facts = self._facts(episode, self._surveyor(episode, build).survey(self._inputs(episode)))
            planned = self._planned(episode, facts, build)
            first, last = samples_from_seconds(start), samples_from_seconds(start + length)
            if first >= planned.programme.length:
                raise StepFailed(
                    f"{episode.id}: preview", f"begins at {clock(start)}, the programme ends at {clock(seconds(planned.programme.length))}"
                )
            path = folder / "preview.wav"
            try:
                listen.window(planned, self.pool, first, Samples(min(last, planned.programme.length)), path)
            except SourceUnreadable as error:
                raise StepFailed(f"{episode.id}: preview", str(error), hint=error.hint) from error
            finally:
                self.pool.clear()
            return path

    def joins(self, episode: Episode) -> tuple[Path, tuple[tuple[float, float], ...]]:
        """Cut the seconds around every join out of the finished file, to build/<episode>/joins.wav; gives where each begins there, and in the
        programme. Raises StepFailed when the episode is not built, or not up to date.
        """
        from production import listen

        folder = self.build / episode.id
        with disk_errors(folder), locked(self.build / STORE / "locks" / f"{episode.id}.lock", partial(self._waiting, episode)):
            wanted = job(self.project, self.planned(episode), self.store, folder)
            before = receipts.read(folder)
            if before is None or not before.sounds_as(wanted.audio, wanted.target):
                raise StepFailed(
                    f"{episode.id}: joins", "the finished file is not there, or is not up to date", hint=f"build it first: produce {episode.id}"
                )
            path, programme = folder / "joins.wav", wanted.plan.programme
            begins = listen.reel(programme, wanted.plan.fmt, wanted.target, int(before.audio["offset"]), path, self.store.scratch)
            return path, tuple((seconds(at), seconds(start)) for at, (start, _) in zip(begins, listen.joins(programme), strict=True))

    def _waiting(self, episode: Episode) -> None:
        self.watch.say(f"{episode.id}: another produce is at work; waiting")

    def planned(self, episode: Episode) -> Plan:
        """The plan as far as it is known without decoding anything: what was never measured is guessed. Raises ConfigError, StepsFailed."""
        build = survey.encoder_build(self.seen)
        facts = self._facts(episode, self._surveyor(episode, build).glance(self._inputs(episode)))
        return self._planned(episode, facts, build)

    # -- what there is ----------------------------------------------------------------------------------------------------------

    def _inputs(self, episode: Episode) -> tuple[inputs.Input, ...]:
        return inputs.inputs(self.project, episode, self.store, scratch=self.options.scratch)

    def _surveyor(self, episode: Episode, build: str) -> Surveyor:
        channels = plan.format_of(episode).channels
        level = partial(plan.level_of, episode)
        return Surveyor(self.store, self.seen, self.pool, channels, level, build, self.options.jobs, self.watch.measuring)

    def _facts(self, episode: Episode, found: tuple[tuple[Fact, ...], tuple[Unreadable, ...]]) -> tuple[Fact, ...]:
        facts, unreadable = found
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
        """The plan, with what is known to be needed: levels corrected, and the long pre-roll. That is known of sounds, not of an earlier build."""
        trims: dict[str, Trim] = {}
        rounds = 0
        while True:
            planned = self._joinable(episode, facts, build, trims, rounds)
            more = self.store.value(plan.trim_key(planned))
            asked = {name: Trim(**said) for name, said in (more or {}).items()}
            # Where what was asked for changes nothing, it is asked for again.
            if not more or asked == trims:
                return planned
            rounds += 1
            # The file of this plan was heard before, and missed.
            trims = asked

    def _joinable(self, episode: Episode, facts: tuple[Fact, ...], build: str, trims: dict[str, Trim], rounds: int) -> Plan:
        make_up = self._make_up(plan.format_of(episode), build)
        wide: frozenset[tuple[int, int]] = frozenset()
        while True:
            planned = plan.make(
                episode,
                facts,
                build,
                make_up,
                wide,
                under=under.under(episode, facts, self.store, self._surveyor(episode, build).profile),
                trims=trims,
                rounds=rounds,
            )
            pairs = ((before, after) for parts in planned.chunks for before, after in pairwise(parts) if (after.run, after.first) not in wide)
            # One by one and in order, as the joins were found to fail.
            after = next((after for before, after in pairs if self.store.has(plan.no_join_key(planned, before, after))), None)
            if after is None:
                return planned
            wide |= {(after.run, after.first)}

    def _make_up(self, fmt: Format, build: str) -> Db:
        key = plan.encoder_key("make-up", fmt, build)
        found = self.store.value(key)
        if found is None:
            found = encode.make_up(fmt, self.store.scratch)
            self.store.put_value(key, found)
        return Db(found)

    # -- making it --------------------------------------------------------------------------------------------------------------

    def _make(self, wanted: Job, before: Receipt | None, watched: Callable[[], Watched]) -> Result:
        """Encode what is missing and deliver. A chunk whose join is not found is encoded again with more pre-roll."""
        reasons = plan.reasons(before.basis if before else None, wanted.basis) or ["an output is missing or was changed"]
        self.watch.reasons(reasons)
        self.encoded = 0
        while True:
            planned = wanted.plan
            # The frames of an earlier build of the same sound are taken as they are: then no chunk is asked for.
            missing = [] if before and before.sounds_as(wanted.audio, wanted.target) else self._missing(planned)
            self.watch.begin_encoding(missing, planned)
            memory.trim()
            self._encode(planned, missing)
            memory.trim()
            try:
                with self.stopwatch.step("prove", _seconds(missing)):
                    proof, found = self._deliver(wanted, before, watched)
            except encode.NoJoin as nowhere:
                wanted = self._wider(wanted, nowhere)
                continue
            except _Missed as missed:
                wanted = self._corrected(wanted, missed.proof)
                continue
            self.stopwatch.keep(self.store)
            done = f"{self.encoded} chunk(s) encoded" if self.encoded else "joined and tagged again, nothing encoded"
            warnings = (*proof.warnings(planned), *found, *wanted.inside.notes, *wanted.spoken.notes)
            return Result(wanted.target, done, tuple(reasons), warnings)

    def _judge(self, planned: Plan, proof: Proof) -> None:
        """Raises _Missed when the file can be made better, StepsFailed when it misses and was corrected often enough."""
        from production import verdict

        if verdict.corrections(planned, proof) and planned.round < verdict.ROUNDS:
            raise _Missed(proof)
        if misses := list(verdict.misses(planned, proof)):
            raise StepsFailed(
                Problem(
                    Location(self.build),
                    f"{planned.episode.id}: loudness: {words}",
                    verdict.remedy(planned, proof),
                )
                for words in misses
            )

    def _found(self, planned: Plan, watched: Watched, proof: Proof) -> Sequence[Item]:
        """What the sentinels say of everything. Raises StepsFailed for it when that is wished for."""
        from production import findings, sentinels

        found = findings.items(planned, (*watched.noted, *sentinels.of_the_file(planned, proof, watched)))
        if self.options.strict:
            self._hold(planned, found)
        return found

    def _corrected(self, failed: Job, proof: Proof) -> Job:
        from production import verdict

        planned = failed.plan
        more = verdict.corrections(planned, proof)
        for name, trim in more.items():
            self.watch.say(f"{planned.episode.id}: {name}: {trim.gain:+.2f} dB, ceiling {trim.ceiling:+.2f} dB: so the finished file asks")
        trims = verdict.added(planned.trims, more)
        self.store.put_value(plan.trim_key(planned), {name: asdict(trim) for name, trim in trims.items()})
        again = self._planned(planned.episode, planned.facts, planned.build)
        return job(self.project, again, self.store, failed.folder)

    def _wider(self, failed: Job, nowhere: encode.NoJoin) -> Job:
        planned = failed.plan
        if (nowhere.run, nowhere.first) in planned.wide:
            raise StepFailed(f"{planned.episode.id}: join", str(nowhere)) from nowhere
        before, after = next(pair for pair in pairwise(planned.chunks[nowhere.run]) if pair[1].first == nowhere.first)
        self.store.put_value(plan.no_join_key(planned, before, after), True)
        again = self._planned(planned.episode, planned.facts, planned.build)
        return job(self.project, again, self.store, failed.folder)

    def _missing(self, planned: Plan) -> list[Chunk]:
        return [chunk for parts in planned.chunks for chunk in parts if not self.store.has(planned.keys[chunk])]

    def _encode(self, planned: Plan, missing: list[Chunk]) -> None:
        # What makes something is loaded when there is something to make: most of a run that has nothing to do would be the loading.
        from production.encoding import encode_chunks

        with self.stopwatch.step("encode", _seconds(missing)):
            encode_chunks(planned, missing, self.store, self.pool, self.options.jobs, self.watch)
        self.encoded += len(missing)

    def _deliver(self, wanted: Job, before: Receipt | None, watched: Callable[[], Watched]) -> tuple[Proof, tuple[str, ...]]:
        """Gives what was proven, and the findings in words."""
        from production import findings
        from production.deliver import deliver
        from production.proof import Prover

        found: Sequence[Item] = ()

        def judge(proof: Proof) -> Sequence[Item]:
            nonlocal found
            self._judge(wanted.plan, proof)
            found = self._found(wanted.plan, watched(), proof)
            return found

        with disk_errors(wanted.folder):
            wanted.folder.mkdir(parents=True, exist_ok=True)
            prover = Prover(self.store, self.options.jobs, self.watch)
            load, beside = partial(self._load, wanted.plan), partial(self._beside, wanted)
            proof = deliver(wanted, before, load, self.store, prover, self.project.show.title, judge=judge, beside=beside)
            return proof, tuple(findings.lines(found))

    def _beside(self, wanted: Job, together: contextlib.ExitStack) -> dict[str, Path]:
        """Files beside the MP3, of the same samples."""
        from production import formats

        asked = formats.wanted(wanted.plan.episode)
        if not asked:
            return {}
        self.watch.say(f"{wanted.plan.episode.id}: {' and '.join(asked)} beside it")
        try:
            return formats.write(wanted.plan, wanted.sheet, self.store, self.pool, wanted.folder, together)
        except SourceUnreadable as error:
            raise StepFailed(f"{wanted.plan.episode.id}: render", str(error), hint=error.hint) from error

    def _load(self, planned: Plan, chunk: Chunk) -> bytes:
        frames = self.store.get(planned.keys[chunk])
        if frames is None:
            # It was there when the plan was made: the entry is damaged, or somebody cleaned up. Make it again, and others that are gone with it.
            self._encode(planned, self._missing(planned))
            frames = self.store.get(planned.keys[chunk])
        if frames is None:
            raise StepFailed(f"{planned.episode.id}: store", "an entry vanished twice", hint="is another program cleaning the build folder?")
        return frames


class _Missed(Exception):
    """The finished file is not as loud as it should be, and can be made so."""

    def __init__(self, proof: Proof) -> None:
        self.proof = proof
        super().__init__("loudness")


def _reported(folder: Path) -> Sequence[Item]:
    """The findings of the last build."""
    try:
        found: list[Item] = json.loads((folder / "report.json").read_text("utf-8"))["findings"]
    except (OSError, ValueError, LookupError) as error:
        raise StepFailed(f"{folder.name}: report.json", "does not say what sentinels found", hint="remove it, and build again") from error
    return found


def _seconds(chunks: Sequence[Chunk]) -> list[float]:
    return [(chunk.last - chunk.first) * FRAME / RATE for chunk in chunks]


def _kept_bytes(folder: Path) -> int:
    """How much decoded sound is kept between measuring and rendering: what is over is decoded twice."""
    return min(_MOST_KEPT, shutil.disk_usage(folder).free // 4)


def _clean(folder: Path, prefix: str = "") -> None:
    """Remove what a killed run left half-written. Only for who holds the folder's lock: nobody else is writing there."""
    for left in folder.glob(f"**/.{prefix}*.part"):
        with contextlib.suppress(OSError):
            left.unlink()


def _unreadable(project: Project, episode: Episode, one: Unreadable) -> Problem:
    where = one.input.where or Location(one.input.path)
    if one.error.point == "cut":
        where = one.input.beside.cuts[one.error.number].where or where
    elif one.error.point and one.input.section:
        where = project.where(episode.id, "sections", episode.sections.index(one.input.section), one.error.point) or where
    tracks = one.input.session.tracks if one.input.session else ()
    # A copy that was made of a recording is no file that anybody knows.
    path = one.error.path if one.error.path in [track.path for track in tracks] else one.input.path
    if not one.error.point:
        where = next((track.where for track in tracks if track.path == path and track.where), where)
    shown = path.relative_to(project.root) if path.is_relative_to(project.root) else path
    return Problem(where, f"{one.input.name}: {shown}: {one.error.why}", one.error.hint, inputs.source_line(where))
