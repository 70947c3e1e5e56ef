"""Copies of recordings that are decoded in their place: without their noise, mixed of several tracks, without what is cut out. Each is kept in the
store under what it is made of.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from audio.errors import SessionUnusable, SourceUnreadable
from audio.source import Source
from audio.units import RATE, samples_from_seconds, seconds
from production.inputs import Input, Session
from production.store import Store, digest

if TYPE_CHECKING:
    from audio.sides import Sides

SUFFIX = ".wav"
_guard = threading.Lock()
_locks: dict[str, threading.Lock] = {}
Progress = Callable[[float], None]
"""Is told how many seconds are done."""
Content = tuple[str, Source]
"""The name of what is heard, and how it is read."""
Listening = Callable[[str, Source], AbstractContextManager[Callable[["Sides"], None]]]
"""Gives who hears the samples of a recording while its copy is made."""


def nobody(_content: str, _source: Source) -> AbstractContextManager[Callable[[Sides], None]]:
    """Nobody hears them."""
    return nullcontext(lambda _: None)


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy: ``key`` names its entry in the store, ``source`` is what it will be, ``make`` writes it to a path. ``told`` names an entry that is
    written with it, and that it is not complete without.
    """

    key: str
    source: Source
    make: Callable[[Path, Progress], object]
    told: str = ""


@dataclass(frozen=True, slots=True)
class Maker:
    """What all copies are made with; ``listening`` hears recordings that nobody decodes later."""

    store: Store
    channels: int
    build: str
    cores: int
    listening: Listening = nobody

    def copies(self, one: Input, files: Sequence[Content]) -> tuple[Copy, ...]:
        """The copies that are made of an input's files, each of the one before it; none where it is decoded as it is. Raises DenoiserMissing."""
        cleaned = [self._cleaned(one.denoise, *file) for file in files]
        made = (self._mixed(one.session, files, cleaned),) if one.session else cleaned[0]
        content, source = (made[-1].key, made[-1].source) if made else files[0]
        # The cuts last: another one cleans and mixes nothing again.
        return (*made, *self._cut(one, content, source))

    def _described(self, source: Source) -> dict[str, object]:
        return {**asdict(source), "path": ""}

    def _place(self, source: Source, key: str, channels: int, **other: object) -> Source:
        """What a copy is: as many channels as are wanted, at the programme's rate. Its codec stays: an MP3 may be some milliseconds shorter than it
        says, and so is the copy.
        """
        held = min(channels, self.channels)
        said = {"path": self.store.path_of(key, SUFFIX), "rate": RATE, "channels": held, "ignore_length": False, **other}
        return replace(source, **said)  # type: ignore[arg-type]

    def _cleaned(self, kind: str, content: str, source: Source) -> tuple[Copy, ...]:
        if kind == "off":
            return ()
        from audio import denoise

        key = digest("denoised", denoise.version(kind), content, self._described(source), self.channels, self.build)

        def make(path: Path, _: Progress) -> None:
            with self.listening(content, source) as also:
                denoise.clean(kind, source, path, channels=self.channels, cores=self.cores, also=also)

        # As long as the recording: in and out points stay where they are.
        return (Copy(key, self._place(source, key, source.channels), make),)

    def _mixed(self, session: Session, files: Sequence[Content], cleaned: Sequence[tuple[Copy, ...]]) -> Copy:
        """The mix of a session, which is as long as its first track."""
        from audio import session as mixer

        heard = [(made[-1].key, made[-1].source) if made else file for made, file in zip(cleaned, files, strict=True)]
        said = [[track.gain, track.offset, track.drift, track.apart] for track in session.tracks]
        described = [[content, self._described(source), self._described(file[1])] for (content, source), file in zip(heard, files, strict=True)]
        key = digest("session", mixer.RECIPE, described, said, asdict(session.wishes), session.gate, self.channels, self.build)
        length = files[0][1].declared or 0.0

        refused = digest("refused", key)

        def make(path: Path, progress: Progress) -> None:
            if why := self.store.value(refused):
                raise SessionUnusable([SourceUnreadable(session.tracks[number].path, *words) for number, *words in why], heard=True)
            for made in cleaned:
                make_last(made, self.store, lambda _: None)
            asked = [
                mixer.Track(file[1], source, track.gain, track.offset, track.drift, track.apart)
                for track, file, (_, source) in zip(session.tracks, files, heard, strict=True)
            ]
            try:
                laid = mixer.mix(
                    asked,
                    path,
                    wishes=session.wishes,
                    gate=session.gate,
                    channels=self.channels,
                    cores=self.cores,
                    folder=self.store.scratch,
                    progress=lambda share: progress(share * length),
                )
            except SessionUnusable as error:
                if error.heard:
                    # As a mix is kept: hours of tracks are not decoded again to be told the same.
                    paths = [source.path for _, source in files]
                    self.store.put_value(refused, [[paths.index(one.path), one.why, one.hint] for one in error.errors])
                raise
            self.store.put_value(laid_key(key), [asdict(track) for track in laid])

        channels = max(source.channels for _, source in files)
        return Copy(key, self._place(files[0][1], key, channels), make, laid_key(key))

    def _cut(self, one: Input, content: str, source: Source) -> tuple[Copy, ...]:
        cuts = one.beside.stretches
        if not cuts:
            return ()
        from audio import cuts as cutting

        until = None if one.section is None or one.section.end is None else samples_from_seconds(one.section.end)
        key = digest("cut", cutting.RECIPE, content, self._described(source), self.channels, cuts, self.build)
        left = None if source.declared is None else max(0.0, source.declared - seconds(sum(end - start for start, end in cuts)))

        def make(path: Path, progress: Progress) -> None:
            cutting.cut(source, cuts, path, channels=self.channels, until=until, folder=self.store.scratch, progress=progress)

        return (Copy(key, self._place(source, key, source.channels, declared=left), make),)


def laid_key(content: str) -> str:
    """The entry that says what became of the tracks of a mix."""
    return digest("laid", content)


def make_last(made: Sequence[Copy], store: Store, progress: Progress) -> bool:
    """Make the last copy, and first what it is made of, unless it is there; gives whether it was made. Raises what their makers raise."""
    if not made:
        return False
    # Two sections may be made of one recording.
    with _one_at_a_time(made[-1].key):
        if store.kept(made[-1].key, SUFFIX) and (not made[-1].told or store.value(made[-1].told) is not None):
            return False
        make_last(made[:-1], store, progress)
        progress(0.0)
        with store.making(made[-1].key, SUFFIX) as part:
            made[-1].make(part, progress)
        return True


def _one_at_a_time(key: str) -> threading.Lock:
    with _guard:
        return _locks.setdefault(key, threading.Lock())
