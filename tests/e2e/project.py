"""A small show in a temporary folder, and what other programs find in what `produce` makes of it.

Every section is a tone of its own, starting at the first sample of its recording: so the finished file itself says which section is where.
The configs are written as JSON, which is YAML too, so that a test can read one, change it and write it back.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import time
import uuid
import wave
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.float64]

ROOT = Path(__file__).resolve().parent.parent.parent
RATE = 48_000
FRAME = 1_152
EPISODE = "episode-01"
SERIES = "tones"
SHOW = "tone-show"
MARKER = "PRODUCE_TEST_RUN"
"""An environment variable that the programs which a run starts inherit: so they are found among all the others."""

DEFAULTS: dict[str, Any] = {
    # Edges as sharp as they can be: a tone that fades in has no first sample to look for.
    "fades": {"fade_in": 0, "fade_out": 0},
    "trim": {"enabled": False},
    "music": {"intro": "none", "outro": "none", "sting": "none"},
    # A tone is no voice: it would not be lifted.
    "voice": {"chain": "linear", "high_pass": 0},
}


# -- recordings ------------------------------------------------------------------------------------------------------------------

FORMS: dict[str, tuple[str, tuple[str, ...]]] = {
    "wav24": (".wav", ("-c:a", "pcm_s24le")),
    "wav32": (".wav", ("-c:a", "pcm_s32le")),
    "float": (".wav", ("-c:a", "pcm_f32le")),
    "double": (".wav", ("-c:a", "pcm_f64le")),
    "rf64": (".wav", ("-c:a", "pcm_s24le", "-rf64", "always")),
    "w64": (".w64", ("-c:a", "pcm_s24le", "-f", "w64")),
    "aiff": (".aiff", ("-c:a", "pcm_s16be")),
    "flac": (".flac", ("-c:a", "flac")),
    "mp3": (".mp3", ("-c:a", "libmp3lame", "-b:a", "192k")),
    "m4a": (".m4a", ("-c:a", "aac", "-b:a", "160k")),
    "ogg": (".ogg", ("-c:a", "libvorbis", "-q:a", "6")),
    "opus": (".opus", ("-c:a", "libopus", "-b:a", "128k")),
}
"""Suffix and ffmpeg's options; besides these, ``wav16`` and ``extensible`` are written here byte by byte."""


@dataclass(frozen=True)
class Take:
    """A section and its recording: a tone of ``hertz`` with its peak at ``decibels`` (dBFS), on the right 6 dB lower when it stands ``aside``.

    ``gain`` (dB) is what its section says: nothing of it is then corrected when the finished file was heard.
    """

    slug: str
    hertz: int
    seconds: float = 3.0
    decibels: float = -20.0
    form: str = "wav16"
    rate: int = RATE
    channels: int = 1
    aside: bool = False
    gain: float | None = None

    @property
    def file(self) -> str:
        return self.slug + FORMS.get(self.form, (".wav",))[0]


def tone(hertz: float, seconds: float, decibels: float, rate: int = RATE) -> Floats:
    time = np.arange(round(seconds * rate)) / rate
    found: Floats = 10 ** (decibels / 20) * np.sin(2 * np.pi * hertz * time)
    return found


def record(take: Take, folder: Path, ffmpeg: str = "ffmpeg") -> Path:
    """Write the recording of a take into ``folder``."""
    mono = tone(take.hertz, take.seconds, take.decibels, take.rate)
    sides = [mono] * take.channels
    if take.aside:
        sides[1] = mono / 2
    folder.mkdir(parents=True, exist_ok=True)
    return save(np.stack(sides, axis=1), folder / take.file, take.form, take.rate, ffmpeg)


def save(samples: Floats, path: Path, form: str = "wav16", rate: int = RATE, ffmpeg: str = "ffmpeg") -> Path:
    """Write samples of shape (length, channels)."""
    channels = samples.shape[1]
    if form == "wav16":
        with wave.open(str(path), "wb") as file:
            file.setparams((channels, 2, rate, 0, "NONE", ""))
            file.writeframes(np.round(samples * 32767).astype("<i2").tobytes())
    elif form == "extensible":
        path.write_bytes(_extensible(samples, rate))
    else:
        raw = ("-f", "f64le", "-ar", str(rate), "-ac", str(channels), "-i", "pipe:0")
        run(ffmpeg, "-v", "error", "-y", *raw, *FORMS[form][1], path, stdin=samples.astype("<f8").tobytes())
    return path


def _extensible(samples: Floats, rate: int) -> bytes:
    """WAVE_FORMAT_EXTENSIBLE, 32-bit float: what field recorders write, and what readers that know two formats take for noise."""
    channels = samples.shape[1]
    data = samples.astype("<f4").tobytes()
    guid = uuid.UUID("00000003-0000-0010-8000-00aa00389b71").bytes_le
    mask = (1 << channels) - 1 if channels > 1 else 4
    fmt = struct.pack("<HHIIHHHHI", 0xFFFE, channels, rate, rate * channels * 4, channels * 4, 32, 22, 32, mask) + guid
    body = b"WAVE" + b"fmt " + struct.pack("<I", len(fmt)) + fmt + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


# -- projects --------------------------------------------------------------------------------------------------------------------


def make(root: Path, takes: Sequence[Take], *, ffmpeg: str = "ffmpeg", defaults: dict[str, Any] | None = None) -> Path:
    """A project of one episode; `add_episode` adds more."""
    for folder in ("series", "episodes"):
        (root / "configs" / folder).mkdir(parents=True)
    show = {
        "title": "The Tone Show",
        "slug": SHOW,
        "description": "Tones, one after the other.",
        "author": "Ada & Co",
        "owner": {"name": "Ada", "email": "ada@tones.example"},
        "link": "https://tones.example/",
        "media_url": "https://media.tones.example/show/",
        "copyright": "2026 Ada",
        "defaults": {**DEFAULTS, **(defaults or {})},
    }
    _write(root / "configs" / "show.yaml", show)
    series = {"slug": SERIES, "season": 1, "title": "Tones", "description": "The first of them.", "episodes": "1-9"}
    _write(root / "configs" / "series" / f"{SERIES}.yaml", series)
    add_episode(root, 1, takes, ffmpeg=ffmpeg)
    return root


def add_episode(root: Path, number: int, takes: Sequence[Take], *, ffmpeg: str = "ffmpeg") -> str:
    episode_id = f"episode-{number:02d}"
    sections = [
        {
            "slug": take.slug,
            "title": f"{take.hertz} Hz & “{take.slug}” \U0001f3b5",
            "part": "implementation",
            "link": f"https://tones.example/{take.slug}",
            **({} if take.gain is None else {"gain": take.gain}),
        }
        for take in takes
    ]
    config: dict[str, Any] = {
        "number": number,
        "series": SERIES,
        "title": f"Tones $ & “more” {number}",
        "summary": "What a tone is.",
        "sections": sections,
    }
    if number > 1:
        # A finished cover is sooner there than a drawn one.
        Image.new("RGB", (1400, 1400), "#305070").save(root / "cover.png")
        config["artwork"] = {"file": "cover.png"}
    _write(root / "configs" / "episodes" / f"{episode_id}.yaml", {**config, "date": f"2026-01-{number:02d}"})
    for take in takes:
        record(take, recordings(root, episode_id), ffmpeg)
    return episode_id


def recordings(root: Path, episode_id: str = EPISODE) -> Path:
    return root / "recordings" / episode_id


def _write(path: Path, config: dict[str, Any]) -> None:
    path.write_text(json.dumps(config, ensure_ascii=False, indent=2), encoding="utf-8")


@contextlib.contextmanager
def edited(root: Path, episode_id: str = EPISODE) -> Iterator[dict[str, Any]]:
    """An episode's config to change; what it then holds is written back."""
    path = root / "configs" / "episodes" / f"{episode_id}.yaml"
    config = json.loads(path.read_text(encoding="utf-8"))
    yield config
    _write(path, config)


def copied(root: Path, to: Path) -> Path:
    """The whole folder, built state and file times included."""
    return Path(shutil.copytree(root, to, symlinks=True))


def unbuilt(root: Path, to: Path) -> Path:
    """The folder without anything built but drawn pictures: those take longest, and no test here is about drawing."""
    shutil.copytree(root, to, ignore=lambda folder, _names: ["build"] if Path(folder) == root else [])
    for entry in entries(root):
        if entry.read_bytes()[20:22] == b"\xff\xd8":
            target = to / entry.relative_to(root)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(entry, target)
    return to


# -- runs ------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Finished:
    """What a run of `produce` said: stdout, stderr."""

    code: int
    out: str
    said: str


def start(root: Path, *words: str, setup: str = "", log: Path | None = None) -> subprocess.Popen[str]:
    """Start `produce` in the project; ``setup`` is Python that the child runs first, ``log`` a file for what it says on stderr."""
    environment = {**os.environ, MARKER: str(root), "PYTHONPATH": str(ROOT), "COLUMNS": "100"}
    with contextlib.ExitStack() as opened:
        return subprocess.Popen(
            [sys.executable, "-c", f"{setup}\nfrom production.cli import main\nmain()", "-C", str(root), *(words or (EPISODE,))],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=opened.enter_context(log.open("wb")) if log else subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )


def finished(child: subprocess.Popen[str], timeout: float = 90) -> Finished:
    out, said = child.communicate(timeout=timeout)
    return Finished(child.returncode, out, said or "")


def produce(root: Path, *words: str, code: int = 0, setup: str = "") -> Finished:
    """Run `produce` to its end, which is to be ``code``."""
    found = finished(start(root, *words, setup=setup))
    assert found.code == code, f"exit code {found.code}\n{found.said}"
    return found


def programs_of(root: Path) -> list[str]:
    """The command lines of what runs of this project started and is still alive; where there is no /proc, none are found."""
    alive = []
    wanted = f"{MARKER}={root}".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if wanted in (folder / "environ").read_bytes().split(b"\0"):
                alive.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
    return alive


def gone_within(root: Path, seconds: float) -> list[str]:
    """What is still alive after ``seconds``; comes back as soon as nothing is."""
    end = time.monotonic() + seconds
    while (alive := programs_of(root)) and time.monotonic() < end:
        time.sleep(0.05)
    return alive


def stop(child: subprocess.Popen[str], number: signal.Signals) -> Finished:
    child.send_signal(number)
    return finished(child, timeout=30)


def run(*argv: str | Path, stdin: bytes | None = None) -> bytes:
    """A program's stdout; it must end well."""
    done = subprocess.run([str(a) for a in argv], input=stdin if stdin is not None else b"", capture_output=True, timeout=90, check=False)
    assert done.returncode == 0, f"{argv[0]}: {done.stderr.decode('utf-8', 'replace')[-2000:]}"
    return done.stdout


# -- what is there ---------------------------------------------------------------------------------------------------------------


def mp3(root: Path, episode_id: str = EPISODE) -> Path:
    return root / "build" / episode_id / f"{episode_id}.mp3"


def report(root: Path, episode_id: str = EPISODE) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((root / "build" / episode_id / "report.json").read_text(encoding="utf-8"))
    return found


def published(root: Path) -> dict[str, bytes]:
    """Everything under build/ that listeners or producers look at; not the store, and not the receipts, which hold times of files."""
    build = root / "build"
    files = (path for path in build.rglob("*") if path.is_file() and ".store" not in path.relative_to(build).parts)
    return {str(path.relative_to(build)): path.read_bytes() for path in sorted(files) if path.name != ".receipt.json"}


def times(root: Path) -> dict[str, int]:
    """When each file under build/ was last changed, in ns; locks are none of them."""
    build = root / "build"
    return {str(path.relative_to(build)): path.stat().st_mtime_ns for path in build.rglob("*") if path.is_file() and path.suffix != ".lock"}


def entries(root: Path) -> list[Path]:
    return sorted(path for path in (root / "build" / ".store" / "entries").rglob("*") if path.is_file())


def chunks(root: Path) -> dict[str, int]:
    """The store's entries that hold MP3 frames, by name, with the time of their last change. One frame alone is the frame of silence."""
    found = (path for path in entries(root) if path.read_bytes()[20:22] == b"\xff\xfb" and path.stat().st_size > 2000)
    return {path.name: path.stat().st_mtime_ns for path in found}


def without_tag(data: bytes) -> bytes:
    """A file after its ID3v2 tag."""
    assert data[:3] == b"ID3"
    size = sum((byte & 0x7F) << shift for byte, shift in zip(data[6:10], (21, 14, 7, 0), strict=True))
    return data[10 + size :]


# -- listening -------------------------------------------------------------------------------------------------------------------


def decoded(path: Path, ffmpeg: str) -> Floats:
    """The whole file as ffmpeg plays it: shape (samples, channels)."""
    raw = run(ffmpeg, "-v", "error", "-nostdin", "-i", path, "-map", "0:a", "-f", "f32le", "-c:a", "pcm_f32le", "pipe:1")
    return np.frombuffer(raw, "<f4").astype("f8").reshape(-1, 2)


WINDOW = RATE // 100
"""10 ms: whole periods of every multiple of 100 Hz, so that such tones do not disturb each other."""


def goertzel(samples: Floats, hertz: float, window: int = WINDOW) -> Floats:
    """The amplitude of one frequency in each window [i, i + window) of one channel, for every i."""
    turning = samples * np.exp(-2j * np.pi * hertz / RATE * np.arange(len(samples)))
    sums = np.concatenate(([0], np.cumsum(turning)))
    found: Floats = np.abs(sums[window:] - sums[:-window]) * 2 / window
    return found


def onset(samples: Floats, hertz: float, near: int, around: int = RATE // 20) -> int:
    """The sample at which a tone begins, looked for within ``around`` samples of ``near``.

    A window that straddles the beginning holds half of the tone's amplitude when its middle is there.
    """
    return _crossing(samples, hertz, near, around, rising=True)


def ending(samples: Floats, hertz: float, near: int, around: int = RATE // 20) -> int:
    """The sample at which a tone ends."""
    return _crossing(samples, hertz, near, around, rising=False)


def _crossing(samples: Floats, hertz: float, near: int, around: int, *, rising: bool) -> int:
    margin = around + WINDOW
    # Silence beyond the file's own ends.
    padded = np.pad(samples, margin)
    found = goertzel(padded[near : near + 2 * margin], hertz)
    full = float(np.median(found[-WINDOW:] if rising else found[:WINDOW]))
    assert full > 0.01, f"there is no tone of {hertz} Hz at {near / RATE:.3f} s"
    half = np.flatnonzero(found >= full / 2 if rising else found < full / 2)
    assert len(half), f"the tone of {hertz} Hz does not change at {near / RATE:.3f} s"
    return near - margin + int(half[0]) + WINDOW // 2


def loudness(samples: Floats, ffmpeg: str) -> float:
    """Integrated loudness in LUFS, as ffmpeg's meter gives it."""
    raw = ("-f", "f32le", "-ar", str(RATE), "-ac", str(samples.shape[1]), "-i", "pipe:0")
    argv = [ffmpeg, "-hide_banner", "-nostats", *raw, "-af", "ebur128=framelog=verbose", "-f", "null", "-"]
    done = subprocess.run(argv, input=samples.astype("<f4").tobytes(), capture_output=True, timeout=60, check=True)
    summary = done.stderr.decode("utf-8", "replace").rpartition("Integrated loudness:")[2]
    return float(summary.split("I:")[1].split()[0])
