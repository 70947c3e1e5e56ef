"""The material of the benchmarks: projects with recordings in the formats that producers really have, for as many hours as are asked for.

A voice (synthesised, or a recording of real speech) is looped to the length of a section, brought to a level, and for a stereo recording put
into a small room. The loops are no multiple of anything: no stretch of a section is encoded from the same samples as another.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from audio import ffmpeg, sources
from audio.errors import AudioError
from audio.source import AUDIO_SUFFIXES
from benchmarks import sounds

ROOT = Path(__file__).resolve().parent.parent
EPISODE = "episode-14"
REPLACED = 3
"""Which section is recorded again."""
QUIET = ("-nostdin", "-nostats", "-hide_banner", "-loglevel", "error", "-y")
WAV = ("-rf64", "auto")
"""RF64 past 4 GiB."""
_LONGEST_VOICE = 190.0
"""Seconds of a synthesised voice before it is looped."""
_TWICE = 3.4
"""dB by which a voice is louder from both sides of a room than as one channel."""
_STAMP = ".material.json"

Say = Callable[[str], None]
"""Takes a line of progress."""


@dataclass(frozen=True)
class Form:
    """How a section is recorded: a suffix, ffmpeg's options, and about how loud (LUFS)."""

    suffix: str
    options: tuple[str, ...]
    rate: int
    channels: int
    lufs: float

    @property
    def words(self) -> str:
        kind = {"pcm_s16le": "16-bit WAV", "pcm_s24le": "24-bit WAV", "pcm_f32le": "float WAV"}.get(self.options[1], self.suffix[1:].upper())
        return f"{self.rate / 1000:g} kHz {'stereo' if self.channels == 2 else 'mono'} {kind}, {self.lufs:g} LUFS"


FORMS = (
    Form(".wav", ("-c:a", "pcm_s24le", *WAV), 48_000, 2, -21),
    Form(".wav", ("-c:a", "pcm_s16le", *WAV), 44_100, 1, -27),
    Form(".flac", ("-c:a", "flac"), 48_000, 1, -23),
    Form(".wav", ("-c:a", "pcm_s16le", *WAV), 44_100, 2, -18),
    Form(".mp3", ("-c:a", "libmp3lame", "-b:a", "192k"), 44_100, 2, -19),
    Form(".wav", ("-c:a", "pcm_s16le", *WAV), 48_000, 1, -30),
    Form(".wav", ("-c:a", "pcm_f32le", *WAV), 48_000, 1, -12),
)
"""One for each section in turn. Those of 16 and 24 bits are limited under full scale, as a recorder's input is; the float one goes over it."""

SHARES = (0.95, 1.02, 1.07, 0.98, 1.04, 0.97, 0.97)
"""Lengths of the sections, relative to their mean."""


@dataclass(frozen=True)
class Voice:
    """A recording to loop, its length in seconds, and how loud it is (LUFS)."""

    path: Path
    seconds: float
    lufs: float


class MaterialError(Exception):
    """No material can be made, and why."""


# -- voices ----------------------------------------------------------------------------------------------------------------------


def voices(folder: Path, count: int, longest: float, speech: Path | None, say: Say) -> tuple[Voice, ...]:
    """``count`` voices: the longest recordings of real speech, or synthesised ones of no more than ``longest`` seconds, kept in ``folder``."""
    if speech is None:
        say(f"synthesising {count} voices")
        return tuple(_measured(_synthesised(folder, i, min(longest, _LONGEST_VOICE - 7.3 * i))) for i in range(count))
    found: list[tuple[float, Path]] = []
    for path in sorted(p for p in speech.rglob("*") if p.suffix.lower() in AUDIO_SUFFIXES):
        try:
            found.append((sources.probe(path).declared or 0.0, path))
        except AudioError:
            continue
    if not found:
        raise MaterialError(f"{speech}: there is no recording in this folder")
    chosen = [path for _, path in sorted(found, key=lambda one: -one[0])[:count]]
    return tuple(_measured(chosen[i % len(chosen)]) for i in range(count))


def _synthesised(folder: Path, seed: int, seconds: float) -> Path:
    path = folder / f"voice-{seed}-{seconds:.1f}s.wav"
    if not path.is_file():
        part = path.with_suffix(".part")
        sounds.save(sounds.Speaker(seed).speech(seconds), part)
        part.rename(path)
    return path


def _measured(path: Path) -> Voice:
    found = sources.probe(path)
    argv = [ffmpeg.find(), "-nostdin", "-nostats", "-hide_banner", "-i", ffmpeg.url(path), "-af", "ebur128=framelog=verbose", "-f", "null", "-"]
    said = subprocess.run(argv, capture_output=True, check=True).stderr.decode("utf-8", "replace")
    loudness = re.findall(r"^\s+I:\s+(-?[\d.]+) LUFS", said, re.MULTILINE)
    if not loudness or float(loudness[-1]) <= -70:
        raise MaterialError(f"{path.name}: there is nothing to hear in it")
    return Voice(path, found.declared or 0.0, float(loudness[-1]))


# -- recordings ------------------------------------------------------------------------------------------------------------------


def record(voice: Voice, form: Form, seconds: float, start: float, target: Path) -> None:
    """Make a recording of ``seconds`` from a voice that is looped, beginning ``start`` seconds into it."""
    wanted = f"aresample=48000,aformat=channel_layouts=mono,atrim=start={start:.3f}:end={start + seconds:.3f},asetpts=N/SR/TB"
    level = f"volume={form.lufs - voice.lufs - (_TWICE if form.channels == 2 else 0):.2f}dB"
    guard = "anull" if "pcm_f32le" in form.options else "alimiter=level=disabled:limit=0.95"
    room = (
        "asplit[a][b];[a]aecho=1:1:11|29|47:0.20|0.12|0.07[l];[b]adelay=17S,aecho=1:1:13|23|53:0.22|0.11|0.08[r];"
        "[l][r]join=inputs=2:channel_layout=stereo"
    )
    graph = f"[0:a:0]{wanted},{level},{room if form.channels == 2 else 'anull'},{guard},aresample={form.rate}[o]"
    target.parent.mkdir(parents=True, exist_ok=True)
    command(
        ["-stream_loop", "-1", "-i", ffmpeg.url(voice.path), "-filter_complex", graph, "-map", "[o]", "-ar", str(form.rate), *form.options], target
    )


def command(words: Sequence[str], target: Path) -> None:
    """Run ffmpeg, not measured, to make one file. Raises MaterialError."""
    done = subprocess.run([ffmpeg.find(), *QUIET, *words, ffmpeg.url(target)], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode:
        raise MaterialError(f"{target.name}: {done.stderr.decode('utf-8', 'replace').strip()}")


def slugs(episode: str, configs: Path = ROOT / "configs") -> list[str]:
    return [section["slug"] for section in read_config(configs / "episodes" / f"{episode}.yaml")["sections"]]


def read_config(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    return found


def write_config(path: Path, config: dict[str, Any]) -> None:
    """As JSON, which is YAML too; dates as they are written."""
    path.write_text(json.dumps(config, ensure_ascii=False, indent=2, default=str), encoding="utf-8")


# -- projects --------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Material:
    """What a project is made of. ``speech`` is a folder of recordings, None for synthesised voices."""

    seconds: float
    episodes: tuple[str, ...] = (EPISODE,)
    speech: Path | None = None

    @property
    def stamp(self) -> str:
        sections = {episode: slugs(episode) for episode in self.episodes}
        return json.dumps([3, self.seconds, sections, str(self.speech), [form.words for form in FORMS], SHARES])

    def lengths(self, sections: int) -> list[float]:
        """Seconds of each section of an episode."""
        shares = [SHARES[i % len(SHARES)] for i in range(sections)]
        return [self.seconds * share / sum(shares) for share in shares]


def project(root: Path, material: Material, say: Say) -> None:
    """Make a project in ``root``: configs and, unless they are there, ``takes/`` with links to them under the names that are looked for.

    A recording is replaced by pointing its link at another take: the times of the files stay what they were.
    """
    stamp = root / _STAMP
    made = stamp.is_file() and stamp.read_text("utf-8") == material.stamp
    shutil.rmtree(root / "configs" if made else root, ignore_errors=True)
    shutil.copytree(ROOT / "configs", root / "configs")
    for path in sorted((root / "configs" / "episodes").iterdir()):
        if path.stem not in material.episodes:
            path.unlink()
    if made:
        say(f"{root.name}: the recordings are there")
        return
    most = max(len(slugs(episode)) for episode in material.episodes)
    spoken = voices(root.parent / "voices", most, max(material.lengths(1)[0] / most + 3, 5.0), material.speech, say)
    for number, episode in enumerate(material.episodes):
        named = slugs(episode)
        say(f"{root.name}: recording {episode}, {material.seconds / 60:.1f} minutes in {len(named)} sections")
        for i, (slug, seconds) in enumerate(zip(named, material.lengths(len(named)), strict=True)):
            _take(root, episode, slug, spoken, (i + number) % most, i, seconds, 17.9 * number)
    stamp.write_text(material.stamp, "utf-8")


def _take(root: Path, episode: str, slug: str, spoken: Sequence[Voice], voice: int, section: int, seconds: float, start: float) -> None:
    form = FORMS[section % len(FORMS)]
    path = root / "takes" / episode / f"{slug}{form.suffix}"
    record(spoken[voice], form, seconds, start, path)
    link = root / "recordings" / episode / path.name
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(path)


def another_take(root: Path, material: Material, say: Say) -> Path:
    """Record one section again: another voice, a little longer, in the same format."""
    slug = slugs(EPISODE)[REPLACED]
    form = FORMS[REPLACED % len(FORMS)]
    path = root / "takes" / EPISODE / f"{slug}-again{form.suffix}"
    if not path.is_file():
        say(f"{root.name}: recording {slug} again")
        sections = len(slugs(EPISODE))
        seconds = material.lengths(sections)[REPLACED]
        spoken = voices(root.parent / "voices", sections, max(material.lengths(1)[0] / sections + 3, 5.0), material.speech, lambda _: None)
        part = path.with_name(f"part-{path.name}")
        record(spoken[(REPLACED + 1) % sections], form, seconds * 1.01, min(29.3, seconds), part)
        part.rename(path)
    return path


def recordings(root: Path, episode: str = EPISODE) -> list[Path]:
    """The recordings of an episode in the order of its sections."""
    folder = root / "recordings" / episode
    return [next(folder.glob(f"{slug}.*")) for slug in slugs(episode)]
