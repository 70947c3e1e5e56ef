"""Several tracks of one conversation, each recorded by itself, as one recording on the clock of the first of them.

Each track is decoded once and looked at: where it lies on the first one's clock (`audio.align`), who speaks when (`audio.turns`). Each speaker is
then repaired and brought to one level by himself, with the strip that any recording gets; while only others speak his track is turned down; and the
sum is written. It is a recording as any other, as long as the first track: what others hold before and after that is left out.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audio import align, chain, ffmpeg, leveling, loudness, resample, strip, turns, wav
from audio.align import Found, Place, Unrelated
from audio.chain import Measured, Wishes
from audio.errors import SessionUnusable, SourceUnreadable
from audio.leveling import Level
from audio.measure import Cut, measure
from audio.pcm import Pcm, Take
from audio.profile import STEP, Profile
from audio.resample import BLOCK, Paced
from audio.source import Source
from audio.strip import Tape
from audio.units import RATE, Db, Lufs, Samples, seconds
from audio.whiten import Whitened

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Doubles = NDArray[np.float64]

RECIPE = (1, align.RECIPE, turns.RECIPE, resample.RECIPE, chain.RECIPE, strip.RECIPE)
"""Another one when the same tracks would be mixed otherwise."""
LEVEL = Level(Lufs(-23.0), Db(60.0), Db(40.0))
"""Where each speaker is brought to: any level does, for the mix is brought to the episode's like any recording. Nothing is limited here."""
_STRETCH = 120
"""Blocks that one thread mixes: a minute."""
_FRAME = 4


@dataclass(frozen=True, slots=True)
class Track:
    """One speaker's recording. ``heard`` is what is mixed: the recording, or a copy of it without noise. ``gain`` in dB stands in the place of the
    measured one. ``offset`` (seconds on the first track's clock) and ``drift`` (millionths) are where it lies if that is said, else it is found;
    ``apart`` is how many metres its microphone is from whoever bleeds into it.
    """

    recorded: Source
    heard: Source
    gain: float | None = None
    offset: float | None = None
    drift: float | None = None
    apart: float | None = None


@dataclass(frozen=True, slots=True)
class Laid:
    """What became of a track. ``offset`` in seconds and ``drift`` (parts in 1) are its `Place`, ``how`` says how that is known: "clock" (the first
    one), "said" or "found", and then by ``agreeing`` of ``windows`` that are ``residual_ms`` off the line (RMS), and with what correlation
    (``likeness``). ``way_ms`` is how late bleed is, ``way_measured`` whether that is known, ``drift_known`` whether the drift is. ``before`` and
    ``after`` are LUFS of its speaker, ``speech`` the share of the track in which he speaks, ``gated`` the share in which it is turned down.
    """

    offset: float
    drift: float
    how: str
    agreeing: int = 0
    windows: int = 0
    residual_ms: float = 0.0
    likeness: float = 0.0
    way_ms: float = 0.0
    way_measured: bool = False
    drift_known: bool = True
    before: float = 0.0
    after: float = 0.0
    speech: float = 0.0
    gated: float = 0.0


@dataclass(frozen=True, eq=False, slots=True)
class _Listened:
    """A track that was decoded."""

    track: Track
    profile: Profile
    pcm: Pcm
    white: Whitened

    @property
    def compared(self) -> align.Track:
        return align.Track(self.white, self.profile.level)


def mix(
    tracks: Sequence[Track],
    path: Path,
    *,
    wishes: Wishes,
    gate: float,
    channels: int = 2,
    cores: int = 1,
    folder: Path | None = None,
    progress: Callable[[float], None] = lambda _: None,
) -> tuple[Laid, ...]:
    """Write the mix to ``path`` (a WAV of 32-bit floats at 48 kHz, RF64 past 4 GiB) and give what became of each track.

    ``gate`` is by how many dB a track is turned down, ``folder`` where decoded tracks stand meanwhile, ``progress`` is told the share that is done.
    With ``wishes.chain`` "none" tracks are moved to their places and added up, and nothing else. The file appears whole or not at all.
    Raises SessionUnusable for every track that cannot be read or does not belong to the first one, FfmpegFailed, Cancelled, OSError.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.part")
    with ExitStack() as held:
        listened = _listened(tracks, held, channels, cores, folder or path.parent, progress)
        laid = _laid(listened)
        parts, done = _parts(listened, laid, wishes, gate, channels)
        try:
            _write(parts, listened[0].profile.length, temporary, cores, lambda share: progress(0.6 + 0.4 * share))
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    return done


# -- listening -----------------------------------------------------------------------------------------------------------------------


def _listened(
    tracks: Sequence[Track], held: ExitStack, channels: int, cores: int, folder: Path, progress: Callable[[float], None]
) -> list[_Listened]:
    asked = sum(track.recorded.declared or 3600.0 for track in tracks)
    told: dict[int, float] = {}

    def listen(index: int) -> _Listened | SourceUnreadable:
        def heard(done: float) -> None:
            told[index] = done
            progress(min(0.5, 0.5 * sum(list(told.values())) / asked))

        try:
            return _heard(tracks[index], held, channels, folder, heard)
        except SourceUnreadable as error:
            return error

    with ThreadPoolExecutor(max(1, min(cores, len(tracks)))) as threads:
        found = list(threads.map(listen, range(len(tracks))))
    broken = [one for one in found if isinstance(one, SourceUnreadable)]
    if broken:
        raise SessionUnusable(broken)
    return [one for one in found if isinstance(one, _Listened)]


def _heard(track: Track, held: ExitStack, channels: int, folder: Path, progress: Callable[[float], None]) -> _Listened:
    import numpy as np

    white = Whitened(folder)
    held.callback(white.close)
    cut = Cut(trim=False)
    heard, pcm = measure(Take(track.recorded, channels), cut, folder, progress, also=lambda sides: white.add(np.mean(sides, axis=0)))
    white.finish()
    if track.heard != track.recorded:
        # Compared is what was recorded: without its noise, a track may be without the others' voices, too.
        pcm.close()
        heard, pcm = measure(Take(track.heard, channels), cut, folder)
    held.callback(pcm.close)
    return _Listened(track, heard.profile, pcm, white)


# -- where each track lies -----------------------------------------------------------------------------------------------------------


def _laid(listened: Sequence[_Listened]) -> list[Laid]:
    """Each track on the first one's clock: by what is said, by what it has in common with the first one, or with another that has its place."""
    placed: dict[int, Laid] = {0: Laid(0.0, 0.0, "clock")}
    for index, one in enumerate(listened):
        if index and one.track.offset is not None:
            placed[index] = Laid(one.track.offset, (one.track.drift or 0.0) / 1e6, "said")
    refused: dict[int, Unrelated] = {}
    waiting = [index for index in range(len(listened)) if index not in placed]
    tried: set[tuple[int, int]] = set()
    while True:
        pairs = [(index, by) for index in waiting if index not in placed for by in sorted(placed) if (index, by) not in tried]
        if not pairs:
            break
        index, by = pairs[0]
        tried.add((index, by))
        found = align.align(listened[by].compared, listened[index].compared, listened[index].track.apart)
        if isinstance(found, Found):
            placed[index] = _found(found, placed[by])
        elif index not in refused or found.best > refused[index].best:
            refused[index] = found
    errors = [_unrelated(listened[index].track, refused[index]) for index in waiting if index not in placed]
    errors += [_elsewhere(listened[index], one) for index, one in sorted(placed.items()) if not _overlaps(one, listened[index], listened[0])]
    if errors:
        raise SessionUnusable(errors, heard=True)
    return [placed[index] for index in range(len(listened))]


def _found(found: Found, by: Laid) -> Laid:
    place = found.place.after(Place(by.offset, by.drift))
    return Laid(
        round(place.offset, 7),
        round(place.drift, 10),
        "found",
        found.agreeing,
        found.windows,
        round(found.residual * 1000, 4),
        round(found.likeness, 3),
        round(found.way * 1000, 2),
        found.heard,
        found.drifts,
    )


def _unrelated(track: Track, why: Unrelated) -> SourceUnreadable:
    words = (
        f"has no sound in common with the other tracks: of {why.windows} windows {why.agreeing} clear ones agree on a place, where "
        f"{align.FEWEST} are needed; the best correlation is {why.likeness:.2f}, {why.best:.1f} times the rest, and clear are {align.SURE:g} times"
    )
    hint = "is it of this session? Where nobody is heard in another's microphone, say where it begins on the first track: offset: SECONDS"
    return SourceUnreadable(track.recorded.path, words, hint)


def _overlaps(one: Laid, other: _Listened, first: _Listened) -> bool:
    length = seconds(other.profile.length) / (1 + one.drift)
    return one.offset < seconds(first.profile.length) and one.offset + length > 0


def _elsewhere(other: _Listened, one: Laid) -> SourceUnreadable:
    return SourceUnreadable(
        other.track.recorded.path, f"begins at {one.offset:.2f} s of the first track, and none of it sounds beside that", "look at `offset`"
    )


# -- what is done to each ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False, slots=True)
class _Part:
    """A track as it is mixed: ``gate`` is the gain in dB of each 10 ms on the first track's clock."""

    pcm: Pcm
    length: Samples
    place: Place
    done: Measured
    gate: Floats


def _parts(listened: Sequence[_Listened], laid: Sequence[Laid], wishes: Wishes, gate: float, channels: int) -> tuple[list[_Part], tuple[Laid, ...]]:
    steps = -(-listened[0].profile.length // STEP)
    places = [Place(one.offset, one.drift) for one in laid]
    levels = [_on_clock(one.profile.level, place, steps) for one, place in zip(listened, places, strict=True)]
    curves = turns.gate(turns.speaking(levels), 0.0 if wishes.chain == "none" else gate, steps)
    parts, told = [], []
    for one, place, curve, known in zip(listened, places, curves, laid, strict=True):
        # Compression is left to the whole: once is enough.
        asked = replace(wishes, compression=1.0, gain=one.track.gain)
        own = _gated(one.profile, place, curve)
        done = chain.decide(own, Cut(trim=False), LEVEL, asked, voice=True, channels=channels)
        parts.append(_Part(one.pcm, one.profile.length, place, done, curve.astype("f4")))
        after = round(chain.loudness_after(own, done.strip) + done.gain, 2)
        told.append(replace(known, before=round(done.loudness, 2), after=after, speech=done.speech, gated=round(float((curve < 0).mean()), 4)))
    return parts, tuple(told)


def _on_clock(level: Floats, place: Place, steps: int) -> Floats:
    """The loudness of each 10 ms of the first track's clock; silence where the track is not there."""
    import numpy as np

    at = np.floor(place.within((np.arange(steps) + 0.5) * STEP / RATE) * RATE / STEP).astype("i8")
    there = (at >= 0) & (at < len(level))
    found: Floats = np.where(there, level[np.clip(at, 0, len(level) - 1)], np.float32(turns.SILENT)).astype("f4")
    return found


def _gated(profile: Profile, place: Place, curve: Doubles) -> Profile:
    """The profile of a track as its gate leaves it: only then is everything that is decided from it about its own speaker."""
    import numpy as np

    moments = (np.arange(len(profile.level)) + 0.5) * STEP / RATE / (1 + place.drift) + place.offset
    at = np.floor(moments * RATE / STEP).astype("i8")
    gains = np.where((at >= 0) & (at < len(curve)), curve[np.clip(at, 0, len(curve) - 1)], loudness.FLOOR).astype("f4")
    moved = {name: np.maximum(getattr(profile, name) + gains, np.float32(loudness.FLOOR)) for name in ("peak", "level", "treble", "rumble")}
    energy = 10 ** (profile.level.astype("f8") / 10)
    before, after = leveling.windows(energy), leveling.windows(energy * 10 ** (gains.astype("f8") / 10))
    count = min(len(before), len(profile.momentary))
    momentary = profile.momentary.copy()
    momentary[:count] += (10 * np.log10(after[:count] / before[:count])).astype("f4")
    return replace(profile, momentary=np.maximum(momentary, np.float32(loudness.FLOOR)), **moved)


# -- the mix -------------------------------------------------------------------------------------------------------------------------


def _write(parts: Sequence[_Part], length: Samples, path: Path, cores: int, progress: Callable[[float], None]) -> None:
    channels = max(part.pcm.take.held for part in parts)
    blocks = -(-length // BLOCK)
    done: list[int] = []
    with path.open("w+b") as file:
        wav.begin(file, channels, length)
        file.flush()
        begin = file.tell()
        os.truncate(file.fileno(), begin + length * channels * _FRAME)

        def work(first: int) -> None:
            tapes = [_Voice(part) for part in parts]
            for number in range(first, min(first + _STRETCH, blocks)):
                ffmpeg.stop_if_cancelled()
                mixed = _sum(tapes, number, channels)[: length - number * BLOCK]
                _put(file.fileno(), begin + number * BLOCK * channels * _FRAME, mixed)
            done.append(first)
            progress(len(done) * _STRETCH / max(blocks, len(done) * _STRETCH))

        with ThreadPoolExecutor(max(1, cores)) as threads:
            for _ in threads.map(work, range(0, blocks, _STRETCH)):
                pass
        os.fsync(file.fileno())


class _Voice:
    """A track out of its strip, at its place, through its gate. For one thread."""

    def __init__(self, part: _Part) -> None:
        self._gate = part.gate
        tape = Tape(part.pcm, part.length, part.done.strip, part.done.gain)
        self._paced = Paced(tape.read, part.length, part.pcm.take.held, part.place)

    def block(self, number: int) -> Floats:
        samples = self._paced.block(number)
        return strip.times(samples, strip.lines(self._gate, Db(0.0), number * BLOCK, (number + 1) * BLOCK)) if len(self._gate) else samples


def _sum(voices: Sequence[_Voice], number: int, channels: int) -> Floats:
    import numpy as np

    total = np.zeros((BLOCK, channels), "f4")
    for voice in voices:
        # A mono track stands in the middle.
        total += voice.block(number)
    return total


def _put(descriptor: int, at: int, samples: Any) -> None:
    rest = memoryview(samples.tobytes())
    while rest:
        written = os.pwrite(descriptor, rest, at)
        at, rest = at + written, rest[written:]
