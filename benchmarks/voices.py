"""Every recording of a folder as a section of its own, and what meters that are not ours say of the episode: ``python -m benchmarks.voices SPEECH``.

The recordings come as they are: other rates, rooms, microphones, levels. To them come a section of noise and, with ``--music FOLDER``, music, which
nobody is to lift. Three things are told. What the finished MP3 measures, section by section. Whether words survived the trimming; for that there is
a build with ``chain: linear``, whose one gain lets a word's energy be compared with the recording's. And what each stage of the voice chain is there
for: the sections as they are rendered with all of it, and with one stage left out.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audio import ffmpeg, render, sources
from audio.source import AUDIO_SUFFIXES
from audio.units import RATE
from benchmarks import material, sound
from benchmarks.contenders import console_script
from benchmarks.material import ROOT
from production.model import Episode, Voice
from production.pipeline import Builder, Options
from production.targets import choose
from production.watch import Watch

Floats = NDArray[np.float64]

CHAINED, PLAIN = "episode-14", "episode-15"
"""The same sections with the whole chain, and with repair and one gain."""
WORD = RATE // 5
"""Samples at either end of speech that are compared: 200 ms."""
_STEP = RATE // 100
_SOUNDING_DB = 26.0
"""So far under its loud moments a voice is still speaking: an unvoiced consonant lies 15 to 20 dB under the vowels."""
_OVER_ROOM_DB = 10.0
_NOISE_SECONDS, _NOISE_DB = 20.0, -25.0

STAGES: Mapping[str, Mapping[str, Any]] = {
    "the whole chain": {},
    "no repair": {"repair": False},
    "no high-pass": {"high_pass": 0.0},
    "no de-essing": {"deess": 0.0},
    "no levelling": {"levelling": 0.0},
    "no compression": {"compression": 1.0},
    "one gain (linear)": {"chain": "linear"},
    "no sample touched": {"chain": "none"},
    "all, and denoise": {"denoise": "ffmpeg"},
}


# -- the project -----------------------------------------------------------------------------------------------------------------


def project(root: Path, speech: Sequence[Path], others: Sequence[Path]) -> list[str]:
    """Make a project of two episodes of the same sections; gives the slugs of those in which nobody speaks. Raises MaterialError."""
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(ROOT / "configs", root / "configs")
    takes = root / "takes"
    takes.mkdir()
    noise = takes / "noise.wav"
    asked = f"anoisesrc=color=pink:seed=14:r={RATE}:d={_NOISE_SECONDS},volume={_NOISE_DB}dB"
    material.command(["-f", "lavfi", "-i", asked, "-c:a", "pcm_s24le"], noise)
    sections = [
        {"slug": slug_of(path), "title": path.stem, "part": "case-study", "file": str(path.resolve()), "sting": "none", "gap": 2}
        for path in (*speech, *others, noise)
    ]
    for path in (root / "configs" / "episodes").iterdir():
        if path.stem not in (CHAINED, PLAIN):
            path.unlink()
    for name in (CHAINED, PLAIN):
        path = root / "configs" / "episodes" / f"{name}.yaml"
        config = material.read_config(path)
        config |= {"sections": [dict(one) for one in sections], "music": {"intro": "none", "outro": "none", "sting": "none"}}
        config.pop("minutes", None)
        if name == PLAIN:
            # So quiet that no limiter is needed, and filtered by nothing: what is left is where the recording was cut, its fades and one gain.
            config |= {"voice": {"chain": "linear", "repair": False, "high_pass": 0}, "loudness": {"target": -32, "true_peak": 0}}
            for section in config["sections"][len(speech) :]:
                # One gain lifts whatever it is asked to: here that is asked of speech only.
                section["gain"] = 0
        material.write_config(path, config)
    return [slug_of(path) for path in (*others, noise)]


def slug_of(path: Path) -> str:
    return re.sub(r"[^a-z0-9]+", "-", path.stem.lower()).strip("-")


def recordings(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in AUDIO_SUFFIXES)


def build(root: Path, episode: str) -> dict[str, Any]:
    """Build it, and give its report."""
    subprocess.run([*console_script(), "-C", str(root), "--quiet", episode], check=True, stdout=subprocess.DEVNULL)
    found: dict[str, Any] = json.loads((root / "build" / episode / "report.json").read_text("utf-8"))
    return found


# -- words at the edges ----------------------------------------------------------------------------------------------------------


def spoken(samples: Floats) -> tuple[int, int]:
    """Where speech begins and ends in a recording of one channel (samples): what stands out of its room, and is not far under its loud moments."""
    steps = samples[: len(samples) // _STEP * _STEP].reshape(-1, _STEP)
    levels = 10 * np.log10(np.mean(steps**2, axis=1) + 1e-12)
    heard = levels[levels > -90]
    loud, room = np.percentile(heard, 95), np.percentile(heard, 5)
    threshold = max(loud - _SOUNDING_DB, min(room + _OVER_ROOM_DB, loud - _OVER_ROOM_DB))
    # Three of five steps: a click is no word.
    speaks = np.flatnonzero(np.convolve(levels > threshold, np.ones(5), "valid") >= 3)
    return int(speaks[0]) * _STEP, int(speaks[-1] + 5) * _STEP


def energy(samples: Floats, start: int) -> float:
    """dB of the 200 ms from ``start`` on; what lies outside counts as silence."""
    part = samples[max(0, start) : max(0, start + WORD)]
    return 10 * math.log10(float(np.sum(part**2)) / WORD + 1e-12)


@dataclass(frozen=True)
class Edges:
    """dB by which the first and the last 200 ms of speech differ from the recording, its gain undone."""

    name: str
    first: float
    last: float


def edges(root: Path, report: Mapping[str, Any], takes: Mapping[str, Path]) -> Iterator[Edges]:
    """For every section in which somebody speaks, in the finished file of a build that set one gain; ``takes`` are the recordings by slug."""
    finished = sound.decoded(root / "build" / PLAIN / report["file"]["name"], 0, report["audio"]["samples"], 2)[:, 0]
    for one in report["segments"]:
        if one["name"] not in takes:
            continue
        source = _recorded(takes[one["name"]])
        begins, ends = spoken(source)
        # A sample of the recording lies here in the finished file.
        moved = one["start_samples"] - round(one["trimmed_head_s"] * RATE)
        start, end = one["start_samples"], one["start_samples"] + one["samples"]
        kept = np.zeros(len(finished))
        kept[start:end] = finished[start:end]
        gain = one["gain_db"]
        first, last = (energy(kept, at + moved) - gain - energy(source, at) for at in (begins, ends - WORD))
        yield Edges(one["name"], first, last)


def _recorded(path: Path) -> Floats:
    """The left channel at 48 kHz."""
    asked = ["-i", ffmpeg.url(path), "-af", f"aresample={RATE}:resampler=swr", "-f", "f32le", "-c:a", "pcm_f32le", "-"]
    raw = subprocess.run([ffmpeg.find(), "-v", "error", "-nostdin", *asked], capture_output=True, check=True).stdout
    channels = sources.probe(path).channels
    return np.frombuffer(raw, "<f4").reshape(-1, channels)[:, 0].astype("f8")


# -- stages ----------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Stage:
    """The voiced sections of a programme as they are rendered with a stage left out or added, before the limiter.

    Medians of the sections: ``wanders``, the loudness range (LU, EBU Tech 3342); ``crest``, true peak over integrated loudness (dB), of which a
    limiter has to take what is over 13.5; in dB over the section's loudness ``rumble``, what lies under 60 Hz, and ``pauses``, the quietest tenth of
    all 400 ms. Of the section in which it is most: ``hiss``, what the sharpest hundredth of all 10 ms holds above 5 kHz (dB over its loudness), and
    ``dc`` (dBFS).
    """

    name: str
    wanders: float
    crest: float
    rumble: float
    pauses: float
    hiss: float
    dc: float

    def line(self) -> str:
        figures = (self.wanders, self.crest, self.rumble, self.pauses, self.hiss, self.dc)
        return f"{self.name:<20}" + "".join(f"{value:9.1f}" for value in figures)


def stages(root: Path, silent: Sequence[str]) -> Iterator[Stage]:
    shown, (episode,) = choose(root, [CHAINED])
    builder = Builder(shown, Options(jobs=2), Watch())
    with builder.store.using(lambda: None):
        for name, change in STAGES.items():
            yield _stage(builder, _asking(episode, change), name, set(silent))


def _asking(episode: Episode, change: Mapping[str, Any]) -> Episode:
    voice: Voice = replace(episode.settings.voice, **change)
    return replace(episode, settings=replace(episode.settings, voice=voice))


def _stage(builder: Builder, episode: Episode, name: str, silent: set[str]) -> Stage:
    # A window of next to nothing: what is not known of the recordings yet is then found, and copies without noise are made.
    builder.preview(episode, 0.0, 0.1)
    planned = builder.planned(episode)
    found = []
    for fact in planned.facts:
        if fact.input.kind != "section" or fact.input.name in silent or not fact.measured.voiced:
            continue
        one = planned.materials[fact.input.name]
        plain = replace(one, under=(), edit=replace(one.edit, ceiling=None))
        found.append(_heard(np.concatenate(list(render.sounding(plain, builder.pool.get, 0, one.edit.length)))))
        builder.pool.clear()
    columns = np.array(found)
    return Stage(name, *map(float, np.median(columns[:, :4], axis=0)), *map(float, columns[:, 4:].max(axis=0)))


def _heard(samples: NDArray[np.float32]) -> tuple[float, ...]:
    with tempfile.NamedTemporaryFile(suffix=".f32") as file:
        file.write(np.ascontiguousarray(samples).data)
        file.flush()
        loudness, peak, width = sound.by_ebur128(Path(file.name), 0, len(samples), ("-f", "f32le", "-ar", str(RATE), "-ac", "2"))
    left = samples[:, 0].astype("f8")
    steps = left[: len(left) // _STEP * _STEP].reshape(-1, _STEP)
    spectrum = np.abs(np.fft.rfft(steps * np.hanning(_STEP), axis=1)) ** 2 * (16 / 3 / _STEP**2)
    sharp = spectrum[:, 5000 * _STEP // RATE :].sum(axis=1)
    windows = left[: len(left) // (40 * _STEP) * 40 * _STEP].reshape(-1, 40 * _STEP)
    quiet = np.percentile(np.mean(windows**2, axis=1), 10)
    whole = np.abs(np.fft.rfft(left)) ** 2
    low = whole[1 : 60 * len(left) // RATE].sum() * 2 / len(left) ** 2

    def over(power: float) -> float:
        return _decibels(power) - loudness

    figures = (width, peak - loudness, over(float(low)), over(float(quiet)), over(float(np.percentile(sharp, 99))))
    return *figures, _decibels(float(left.mean()) ** 2)


def _decibels(power: float) -> float:
    return 10 * math.log10(power + 1e-14)


# -- telling ---------------------------------------------------------------------------------------------------------------------


def main(arguments: Sequence[str]) -> int:
    asked = argparse.ArgumentParser("python -m benchmarks.voices", description=(__doc__ or "").split("\n", 1)[0])
    asked.add_argument("speech", type=Path, help="a folder of recordings of speech")
    asked.add_argument("--music", type=Path, help="a folder of music, of which the longest files become sections")
    asked.add_argument("--no-voice", action="append", default=[], metavar="NAME", help="a file of the first folder in which nobody speaks")
    asked.add_argument("--work", type=Path, help="where to work; the project stays there")
    found = asked.parse_args(arguments)
    sound.require()
    if found.work:
        found.work.mkdir(parents=True, exist_ok=True)
        return _tell(found.work.resolve() / "voices", found)
    with tempfile.TemporaryDirectory(prefix="produce-voices-") as folder:
        return _tell(Path(folder).resolve() / "voices", found)


def _tell(root: Path, asked: argparse.Namespace) -> int:
    others = [path for path in recordings(asked.music) if (sources.probe(path).declared or 0) > 20] if asked.music else []
    heard = recordings(asked.speech)
    others += [path for path in heard if path.name in asked.no_voice]
    takes = {slug_of(path): path for path in heard if path.name not in asked.no_voice}
    silent = project(root, list(takes.values()), others)
    chained, plain = (build(root, episode) for episode in (CHAINED, PLAIN))
    segments = {one["name"]: one for one in chained["segments"]}
    _say(f"The finished file, by other meters\n{'':<24} {'':>10}  ebur128  pyloudnorm    ebur128    8x        range    recorded  gain")
    for one in sound.heard(root, CHAINED):
        recorded = f"  {segments[one.name]['recorded_lufs']:9.2f} {segments[one.name]['gain_db']:+6.2f}" if one.name in segments else ""
        _say(one.line() + recorded + ("  nobody speaks" if one.name in silent else ""))
    _say("\nThe first and the last 200 ms of speech against the recording, in dB (chain: linear)")
    worst = 0.0
    for word in edges(root, plain, takes):
        worst = max(worst, abs(word.first), abs(word.last))
        _say(f"{word.name:<36} {word.first:+6.2f} {word.last:+6.2f}")
    _say(f"{'at most':<36} {worst:6.2f}")
    _say(f"\nWith a stage left out or added (see Stage)\n{'':<20}{'wanders':>9}{'crest':>9}{'rumble':>9}{'pauses':>9}{'hiss':>9}{'dc':>9}")
    for stage in stages(root, silent):
        _say(stage.line())
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
