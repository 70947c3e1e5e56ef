"""Facts about the inputs, found once: digest, container, length, loudness. Cached by what the file is, not by what it is called."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from audio import chain, ffmpeg, graph, measure, memory, profile, recipes, sources
from audio.chain import Measured
from audio.errors import SessionUnusable, SourceUnreadable
from audio.leveling import Level
from audio.pcm import Pcm, Pool, Take
from audio.profile import Profile
from audio.sides import Sides, apart
from audio.source import Source
from audio.units import RATE, seconds
from production import copies
from production.copies import Copy
from production.inputs import Input
from production.store import Store, digest, write

if TYPE_CHECKING:
    from audio.flaws import Flaws, Inspector
    from audio.session import Laid

_BLOCK = 1 << 18
_RECIPE = 4
"""Raised when a measurement would come out otherwise for a reason that its command line does not show."""
_RESAMPLED = 1.2
"""How much longer it takes to measure a recording at another rate."""
GUESSED = ""


@dataclass(frozen=True, slots=True)
class Fact:
    """An input and what is known of it. ``digest`` is that of the file's bytes, ``samples`` names its decoded samples (`GUESSED`: never decoded),
    ``profile`` the entry of its profile, ``flaws`` that of what was noted of the recording before its noise was reduced. ``laid`` says of each track
    of a session where it lies and what was done to it.
    """

    input: Input
    digest: str
    take: Take
    samples: str
    measured: Measured
    profile: str = GUESSED
    flaws: str = GUESSED
    recorded: Take | None = None
    """What the notes are of, where it is not the take."""
    laid: tuple[Laid, ...] = ()

    @property
    def source(self) -> Source:
        return self.take.source


class Seen:
    """Digests of files that have not changed since: same path, size, times and inode. Also remembers the encoder's build."""

    def __init__(self, store: Store) -> None:
        self._path = store.root / "seen.json"
        self._guard = threading.Lock()
        try:
            self._known: dict[str, list[object]] = json.loads(self._path.read_text())
        except (OSError, ValueError):
            self._known = {}
        self._fresh = False

    def of(self, path: Path, kind: str, make: Callable[[Path], str]) -> str:
        """``make(path)``, or what it gave when the file last looked like this."""
        status = path.stat()
        stamp: list[object] = [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]
        name = f"{kind}:{path.resolve()}"
        with self._guard:
            known = self._known.get(name)
        if known and known[:-1] == stamp:
            return str(known[-1])
        value = make(path)
        with self._guard:
            self._known[name] = [*stamp, value]
            self._fresh = True
        return value

    def save(self) -> None:
        if self._fresh:
            write(self._path, json.dumps(self._known, sort_keys=True, indent=0).encode())


def encoder_build(seen: Seen) -> str:
    """The full build text of the ffmpeg in use, without starting it when it has not changed."""
    binary = Path(os.path.realpath(ffmpeg.find()))
    return seen.of(binary, "build", lambda path: ffmpeg.version(str(path)))


def digest_file(path: Path) -> str:
    """The SHA-256 of a recording, which takes long enough to be cancelled meanwhile. Raises OSError, Cancelled."""
    total = hashlib.sha256()
    buffer = memoryview(bytearray(_BLOCK))
    with path.open("rb", buffering=0) as file:
        while size := file.readinto(buffer):
            ffmpeg.stop_if_cancelled()
            total.update(buffer[:size])
    return total.hexdigest()


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An input that cannot be used, and why: kept, so that all of them are reported at once."""

    input: Input
    error: SourceUnreadable


Progress = Callable[[Input, float, float | None], None]


@dataclass(frozen=True)
class Surveyor:
    """Finds facts. What it has to decode is left in ``pool``; ``progress`` is told seconds measured, of how many."""

    store: Store
    seen: Seen
    pool: Pool
    channels: int
    level: Callable[[Input], Level]
    build: str
    jobs: int
    progress: Progress = lambda _input, _seconds, _of: None
    decoded: list[float] = field(default_factory=list)
    """Seconds of sound that had to be decoded."""

    def survey(self, inputs: Sequence[Input]) -> tuple[tuple[Fact, ...], tuple[Unreadable, ...]]:
        """Facts about every input, in order, and those that have none because they cannot be read."""
        return self._each(inputs, self._known_or_measured)

    def glance(self, inputs: Sequence[Input]) -> tuple[tuple[Fact, ...], tuple[Unreadable, ...]]:
        """The same without decoding anything: what was never measured is a guess from what its container says, and has no name for its samples."""
        return self._each(inputs, self._known_or_guessed)

    def _each(self, inputs: Sequence[Input], find: Callable[[Input, _Probed], Fact]) -> tuple[tuple[Fact, ...], tuple[Unreadable, ...]]:
        first: dict[object, Input] = {}
        for one in inputs:
            first.setdefault(self._asked(one), one)
        with ThreadPoolExecutor(self.jobs) as threads:
            probes = {key: threads.submit(self._probe, one) for key, one in first.items()}
            probed = {key: probe.result() for key, probe in probes.items()}
            # The longest work first: the last to end then keeps the others waiting for the least time.
            longest = sorted(probed, key=lambda key: _work(probed[key]), reverse=True)
            tasks = {key: threads.submit(_unless_unreadable, find, first[key], probed[key]) for key in longest}
            found = {key: task.result() for key, task in tasks.items()}
        self.seen.save()
        every = [(one, found[self._asked(one)]) for one in inputs]
        return (
            tuple(replace(fact, input=one) for one, fact in every if isinstance(fact, Fact)),
            tuple(Unreadable(one, error) for one, why in every if not isinstance(why, Fact) for error in _errors(why)),
        )

    def _asked(self, one: Input) -> object:
        return one.path, one.cut, one.beside.stretches, self.level(one), one.wishes, one.kind == "section", one.denoise, one.session

    def _probe(self, one: Input) -> _Probed | SourceUnreadable | SessionUnusable:
        try:
            files = self._files(one)
            made = self._maker(one).copies(one, files)
        except (SourceUnreadable, SessionUnusable) as error:
            return error
        # A mix is named as what it is made of; whatever else becomes of a recording, its name stays.
        content = made[0].key if one.session else files[0][0]
        decoded, source = (made[-1].key, made[-1].source) if made else files[0]
        take = Take(source, self.channels, one.cut.start, one.cut.end)
        samples = digest("samples", decoded, _command(take), self.build)
        described = digest("profile", samples, take.channels, measure.EDGE_SECONDS, profile.RECIPE, _RECIPE)
        asked = [self.channels, asdict(one.cut), asdict(self.level(one)), asdict(one.wishes), one.kind == "section"]
        noted = self._noted(*files[0]) if _listened_before(one) else (take, digest("flaws", samples, recipes.FLAWS))
        return _Probed(content, take, samples, described, digest("measure", described, asked, chain.RECIPE), *noted, files, made)

    def _files(self, one: Input) -> tuple[copies.Content, ...]:
        """Every file of an input. Raises SourceUnreadable, SessionUnusable with all tracks that cannot be read."""
        if one.session is None:
            return (self._file(one.path),)
        found, broken = [], []
        for track in one.session.tracks:
            try:
                found.append(self._file(track.path))
            except SourceUnreadable as error:
                broken.append(error)
        if broken:
            raise SessionUnusable(broken)
        return tuple(found)

    def _file(self, path: Path) -> copies.Content:
        """The name of a file's content, and how it is read. Raises SourceUnreadable."""
        if path.exists() and not path.is_file():
            # A pipe would be waited for, and nothing would ever come.
            raise SourceUnreadable(path, "a folder, or something else that is no file, has this name", "put the recording in its place")
        try:
            content = self.seen.of(path, "file", digest_file)
        except OSError as error:
            raise SourceUnreadable(path, error.strerror or str(error), "make it a readable file") from error
        return content, _probed(path, content, self.store, self.build)

    def _maker(self, one: Input) -> copies.Maker:
        listening = self._noting if _listened_before(one) else copies.nobody
        return copies.Maker(self.store, self.channels, self.build, self.jobs, listening)

    def _noted(self, content: str, source: Source) -> tuple[Take, str]:
        """The whole of a recording, and the entry of what is noted of it."""
        whole = Take(source, self.channels)
        return whole, digest("flaws", digest("samples", content, _command(whole), self.build), recipes.FLAWS)

    @contextmanager
    def _noting(self, content: str, source: Source) -> Iterator[Callable[[Sides], None]]:
        """Hears a recording that is decoded only to make a copy of it."""
        whole, name = self._noted(content, source)
        inspector = _inspector(whole)
        yield inspector.add
        self.store.put(name, inspector.flaws().packed())

    def _known(self, one: Input, probed: _Probed) -> Fact | None:
        kept = self.store.value(probed.key)
        if kept is not None:
            return self._fact(one, probed, Measured.kept(kept))
        data = self.store.get(probed.profile)
        return None if data is None else self._decided(one, probed, Profile.unpacked(data))

    def _known_or_measured(self, one: Input, probed: _Probed) -> Fact:
        length = probed.take.source.declared
        if copies.make_last(probed.copies, self.store, lambda done: self.progress(one, done, length)):
            self.decoded.append(sum(source.declared or length or 0.0 for _, source in probed.files))
        if known := self._known(one, probed):
            return known
        take, noting = probed.take, one.kind == "section" and not one.scratch and not _listened_before(one)
        heard, pcm = measure.measure(take, one.cut, self.pool.folder, lambda done: self.progress(one, done, take.source.declared), noting=noting)
        self.pool.keep(probed.samples, pcm)
        if heard.flaws is not None:
            self.store.put(probed.flaws, heard.flaws.packed())
        packed = heard.profile.packed()
        self.store.put(probed.profile, packed)
        self.decoded.append(seconds(heard.profile.length))
        # What is decided is decided from what is kept: the next time gives the same to the last digit.
        found = self._decided(one, probed, Profile.unpacked(packed))
        memory.trim()
        return found

    def profile(self, fact: Fact) -> Profile:
        """The profile of a recording that was measured; measured again when it is gone. Raises SourceUnreadable."""
        data = self.store.get(fact.profile)
        if data is None:
            heard, pcm = measure.measure(fact.take, fact.input.cut, self.pool.folder)
            self.pool.keep(fact.samples, pcm)
            data = heard.profile.packed()
            self.store.put(fact.profile, data)
        return Profile.unpacked(data)

    def flaws(self, fact: Fact) -> Flaws:
        """What was noted of a recording's samples; heard again when that is gone. Raises SourceUnreadable."""
        from audio.flaws import Flaws

        data = self.store.get(fact.flaws)
        if data is None:
            take = fact.recorded or fact.take
            inspector, pcm = _inspector(take), Pcm(take, self.pool.folder)
            try:
                pcm.decode(lambda block: inspector.add(apart(block)))
            except BaseException:
                pcm.close()
                raise
            if fact.recorded is None:
                self.pool.keep(fact.samples, pcm)
            else:
                pcm.close()
            data = inspector.flaws().packed()
            self.store.put(fact.flaws, data)
        return Flaws.unpacked(data)

    def _decided(self, one: Input, probed: _Probed, described: Profile) -> Fact:
        found = chain.decide(described, one.cut, self.level(one), one.wishes, voice=one.kind == "section", channels=self.channels)
        self.store.put_value(probed.key, asdict(found))
        return self._fact(one, probed, found)

    def _fact(self, one: Input, probed: _Probed, found: Measured) -> Fact:
        recorded = None if probed.recorded == probed.take else probed.recorded
        return Fact(one, probed.content, probed.take, probed.samples, found, probed.profile, probed.flaws, recorded, self._laid(one, probed))

    def _laid(self, one: Input, probed: _Probed) -> tuple[Laid, ...]:
        """What became of the tracks of a session; nothing where it was not mixed yet."""
        kept = self.store.value(copies.laid_key(probed.content)) if one.session else None
        if not kept:
            return ()
        from audio.session import Laid

        return tuple(Laid(**track) for track in kept)

    def _known_or_guessed(self, one: Input, probed: _Probed) -> Fact:
        return self._known(one, probed) or Fact(one, probed.content, probed.take, GUESSED, chain.guess(probed.take, one.path.stat().st_size))


@dataclass(frozen=True, slots=True)
class _Probed:
    """What is to be decoded, the name of its samples, and the entries of its profile and of what was decided from it."""

    content: str
    take: Take
    samples: str
    profile: str
    key: str
    recorded: Take
    """What is decoded, before its noise was reduced; then the whole of it."""
    flaws: str
    files: tuple[copies.Content, ...]
    copies: tuple[Copy, ...]
    """What is decoded instead of the files: the last of them, if there are any."""


def _command(take: Take) -> list[object]:
    """How a take is decoded. What the command is asked says it, the path says nothing."""
    return [graph.RECIPE, {**asdict(take.source), "path": ""}, take.channels, take.start, take.end]


def _inspector(take: Take) -> Inspector:
    from audio.flaws import Inspector

    return Inspector(take.held, take.source.rate, take.start)


def _listened_before(one: Input) -> bool:
    """Whether a recording is heard while its copy is made, and not the copy: where both are as long. Of a session it is the mix that is heard."""
    return one.denoise != "off" and one.session is None and not one.beside.stretches


def _errors(why: SourceUnreadable | SessionUnusable) -> tuple[SourceUnreadable, ...]:
    return why.errors if isinstance(why, SessionUnusable) else (why,)


def _unless_unreadable(
    find: Callable[[Input, _Probed], Fact], one: Input, probed: _Probed | SourceUnreadable | SessionUnusable
) -> Fact | SourceUnreadable | SessionUnusable:
    if not isinstance(probed, _Probed):
        return probed
    try:
        return find(one, probed)
    except (SourceUnreadable, SessionUnusable) as error:
        return error


def _work(probed: _Probed | SourceUnreadable | SessionUnusable) -> float:
    """What it takes to measure a recording, in seconds of one channel at the programme's rate."""
    if not isinstance(probed, _Probed):
        return 0.0
    held = probed.take.held
    return sum((source.declared or 3600.0) * held * (1.0 if source.rate == RATE else _RESAMPLED) for _, source in probed.files)


def _probed(path: Path, content: str, store: Store, build: str) -> Source:
    key = digest("probe", 2, content, build)
    kept = store.value(key)
    if kept is None:
        source = sources.probe(path)
        store.put_value(key, {**asdict(source), "path": ""})
        return source
    return Source(**{**kept, "path": path})
