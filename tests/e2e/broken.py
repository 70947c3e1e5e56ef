"""Small projects with a mistake in them: made, built once while they are good, broken, and given to the real `produce`."""

from __future__ import annotations

import hashlib
import os
import shutil
import struct
import subprocess
import sys
import wave
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent.parent
RATE = 48_000
EPISODE = "configs/episodes/episode-01.yaml"
RECORDINGS = "recordings/episode-01"
LONG_ENOUGH_SECONDS = 100

SHOW = """\
title: Small Show
slug: small-show
description: A show for tests.
author: Somebody
owner:
  name: Somebody
  email: some@body.example
link: https://small.example/
media_url: https://media.small.example/
copyright: 2026 Somebody
defaults:
  music: {intro: none, outro: none, sting: none}
  trim: {enabled: false}
  voice: {chain: linear, high_pass: 0}
"""
SERIES = """\
slug: small
season: 1
title: Small Series
description: A series for tests.
episodes: 1-9
"""
FIRST = """\
number: 1
series: small
title: The First
summary: About nothing much.
date: 2026-01-05
sections:
  - slug: one
    title: One
    part: cold-open
  - slug: two
    title: Two
    part: implementation
  - slug: three
    title: Three
    part: exercises
"""


@dataclass(frozen=True)
class Outcome:
    """What a run of `produce` gave, and the fingerprints of the results before and after it."""

    code: int
    out: str
    err: str
    before: Mapping[str, tuple[str, int]]
    after: Mapping[str, tuple[str, int]]


@dataclass
class Broken:
    """A project folder that a case breaks. ``media`` holds a good recording in many formats; ``prefix`` goes before the command line."""

    root: Path
    media: Path
    env: dict[str, str]
    prefix: tuple[str, ...] = ()
    results: str = "build"

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace the one place where a file says ``old``."""
        text = (self.root / name).read_text()
        assert text.count(old) == 1, (name, old)
        self.write(name, text.replace(old, new))

    def record(self, name: str, content: bytes) -> None:
        """Put a recording in the place of those of its section: ``two.mp3`` replaces ``two.wav``."""
        for path in (self.root / RECORDINGS).glob(f"{Path(name).stem}.*"):
            path.unlink()
        self.write(f"{RECORDINGS}/{name}", content)

    def good(self, name: str) -> bytes:
        return (self.media / name).read_bytes()

    def program(self, text: str) -> str:
        """A shell script as a program; gives its path."""
        path = self.write("programs/ffmpeg", f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return str(path)

    def at_start(self, text: str) -> None:
        """Python that runs in `produce` before anything of it is imported."""
        self.write("python/sitecustomize.py", text)
        self.env["PYTHONPATH"] = f"{self.root / 'python'}{os.pathsep}{ROOT}"

    def produce(self, arguments: Sequence[str]) -> Outcome:
        """Run the real `produce` in a process of its own; relative paths in ``arguments`` start at the folder above the project."""
        before = fingerprints(self.root / "build")
        command = [*self.prefix, *produce_command(), *arguments]
        done = subprocess.run(
            command,
            cwd=self.root.parent,
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=LONG_ENOUGH_SECONDS,
        )
        return Outcome(done.returncode, done.stdout, done.stderr, before, fingerprints(self.root / self.results))


def produce_command() -> list[str]:
    """`produce` as installed beside the interpreter that runs the tests, else by its entry point."""
    script = Path(sys.executable).parent / "produce"
    return [str(script)] if script.is_file() else [sys.executable, "-c", "from production.cli import main; main()"]


def environment() -> dict[str, str]:
    """The environment for children: this one's, without what would colour a result."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_", "PYTHON"))}
    return {**env, "PYTHONPATH": str(ROOT), "COLUMNS": "200"}


def fingerprints(build: Path) -> dict[str, tuple[str, int]]:
    """Every file of a build folder that somebody may use (all but the store and a log): its digest and its time in ns."""
    if not build.is_dir():
        return {}
    paths = (path for folder in build.iterdir() if folder.is_dir() and folder.name != ".store" for path in folder.rglob("*"))
    return {
        path.relative_to(build).as_posix(): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for path in paths
        if path.is_file()
    }


# -- sounds ------------------------------------------------------------------------------------------------------------------------


def voice(seconds: float, seed: int, rate: int = RATE) -> bytes:
    """Something between a tone and noise that swells like speech: 16-bit mono samples."""
    chance = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    tone = 0.1 * np.sin(2 * np.pi * (200 + 70 * seed) * time) + 0.02 * chance.standard_normal(len(time))
    return (tone * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * time)) * 32767).astype("<i2").tobytes()


def wav(data: bytes, *, size: int | None = None, tail: bytes = b"", before: bytes = b"") -> bytes:
    """A 48 kHz 16-bit mono WAV. ``size`` is what its data chunk claims; ``before`` and ``tail`` are bytes around that chunk."""
    claimed = len(data) if size is None else size
    head = b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, RATE, RATE * 2, 2, 16) + before + b"data" + struct.pack("<I", claimed)
    return b"RIFF" + struct.pack("<I", (len(head) + claimed) & 0xFFFFFFFF) + head + data + tail


def make_project(root: Path) -> None:
    """A good project: one episode of three sections of two seconds."""
    for name, text in (("configs/show.yaml", SHOW), ("configs/series/small.yaml", SERIES), (EPISODE, FIRST)):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / RECORDINGS).mkdir(parents=True)
    for seed, slug in enumerate(("one", "two", "three"), 1):
        (root / RECORDINGS / f"{slug}.wav").write_bytes(wav(voice(2.0, seed)))


_QUIET = ("-hide_banner", "-nostdin", "-loglevel", "error", "-y")
_PLAIN = ("-map_metadata", "-1")
FORMATS: dict[str, tuple[str, ...]] = {
    "good.flac": (),
    "good.m4a": (),
    "fast.m4a": ("-movflags", "+faststart"),
    "info.mp3": ("-b:a", "128k"),
    "xing.mp3": ("-q:a", "5"),
    "vbr.mp3": ("-q:a", "5", "-write_xing", "0", "-id3v2_version", "0"),
    "cbr.mp3": ("-b:a", "128k", "-write_xing", "0", "-id3v2_version", "0"),
    "vorbis.ogg": ("-c:a", "libvorbis"),
    "good.opus": ("-c:a", "libopus"),
    "good.aiff": (),
    "good.caf": (),
    "good.w64": (),
    "good.wv": (),
    "good.mka": ("-c:a", "flac"),
    "rf64.wav": ("-rf64", "always"),
    "wide.wav": ("-c:a", "pcm_f32le", "-ac", "2", "-ar", "44100"),
}
"""What the media folder holds: three seconds of the same sound each."""
SOUND_SECONDS = 3.0


def make_media(folder: Path, ffmpeg: str) -> None:
    """The same sound in every format, and a film without sound. Needs an ffmpeg with the usual encoders."""
    folder.mkdir()
    with wave.open(str(folder / "good.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(voice(SOUND_SECONDS, 4))
    outputs = [word for name, options in FORMATS.items() for word in (*_PLAIN, *options, str(folder / name))]
    subprocess.run([ffmpeg, *_QUIET, "-i", str(folder / "good.wav"), *outputs], check=True)
    film = ("-f", "lavfi", "-i", "testsrc=duration=1:size=64x64:rate=5")
    subprocess.run([ffmpeg, *_QUIET, *film, "-c:v", "mpeg4", str(folder / "silent-film.mp4")], check=True)
    long_film = ("-f", "lavfi", "-i", "testsrc=duration=9:size=64x64:rate=5", "-i", str(folder / "good.wav"))
    subprocess.run([ffmpeg, *_QUIET, *long_film, "-c:v", "mpeg4", str(folder / "film.mp4")], check=True)


def copy_of(project: Path, to: Path) -> None:
    """A project with its build; times are kept to the nanosecond."""
    shutil.copytree(project, to, symlinks=True)
