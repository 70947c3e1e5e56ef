"""How much the sentinels find, how often they are wrong, and what they cost: ``python -m benchmarks.sentinels FOLDER``, a folder of clean speech.

Every defect is planted into excerpts of that speech, in recordings of several rates and formats, which are decoded and judged as a build does it.
The speech itself is judged in each format, and every alarm is listed: whether it is true has to be heard. ``--true FILE`` names those that are, one a
line: the name of a recording and a detector. Holds a recording in memory, and needs 200 MB on the disk.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from audio import ffmpeg, loudness, measure, prints, sentinels, sources, speech
from audio.findings import Finding
from audio.flaws import Flaws, Inspector
from audio.pcm import Take
from audio.profile import Profile
from audio.sentinels import Subject
from audio.units import RATE, Lufs, Samples
from benchmarks.defects import PLANTS, Planted

Floats = NDArray[np.float64]
_FORMS = (
    ("wav", 48_000, "pcm_f32le"),
    ("wav", 48_000, "pcm_s16le"),
    ("wav", 44_100, "pcm_s16le"),
    ("flac", 16_000, "flac"),
    ("mp3", 44_100, "libmp3lame"),
)
_EXCERPT = 30
_NEAR = 0.25
_SUFFIXES = (".wav", ".flac", ".mp3", ".ogg")
_COST_SECONDS = 1200
_SHARED = 25


@dataclass
class Row:
    """What came of one detector."""

    planted: int = 0
    found: int = 0
    printed: int = 0
    alarms: int = 0
    true: int = 0
    notes: int = 0
    missed: list[str] = field(default_factory=list)


def decoded(path: Path, rate: int) -> Floats:
    argv = [ffmpeg.find(), "-v", "error", "-nostdin", "-i", str(path), "-ac", "1", "-ar", str(rate), "-f", "f32le", "-"]
    raw = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, check=True).stdout
    return np.frombuffer(raw, "<f4").astype("f8")


def saved(sound: Floats, path: Path, rate: int, codec: str) -> Path:
    raw = ["-f", "f32le", "-ar", str(rate), "-ac", str(sound.shape[1]), "-i", "pipe:0"]
    argv = [ffmpeg.find(), "-v", "error", "-y", *raw, "-c:a", codec, *(["-b:a", "128k"] if codec == "libmp3lame" else []), str(path)]
    subprocess.run(argv, input=sound.astype("<f4").tobytes(), check=True)
    return path


def heard(path: Path) -> tuple[Profile, Flaws]:
    """A recording as a build measures it."""
    take = Take(sources.probe(path), 2)
    inspector = Inspector(take.held, take.source.rate)
    profile, pcm = measure.measure(take, measure.Cut(trim=False), path.parent, also=inspector.add)
    pcm.close()
    return profile, inspector.flaws()


def subject_of(profile: Profile) -> Subject:
    classes = speech.tell(profile.level, profile.momentary, profile.treble)
    noise = Lufs(speech.floor(profile.level, classes))
    return Subject(Samples(0), Samples(0), profile.length, loudness.integrated(profile.momentary[3:]), noise)


def judged(path: Path) -> tuple[Finding, ...]:
    profile, flaws = heard(path)
    return sentinels.judge(profile, flaws, subject_of(profile))


def fits(found: Finding, planted: Planted) -> bool:
    return found.start / RATE < planted.end + _NEAR and found.end / RATE > planted.start - _NEAR


def plant(voices: Sequence[Path], times: int, folder: Path, rows: dict[str, Row]) -> None:
    """Each defect, so many times, in one form after the other."""
    for number, (detector, make) in enumerate(PLANTS.items()):
        chance = np.random.default_rng(number)
        for turn, (suffix, rate, codec) in enumerate(islice(cycle(_FORMS), times)):
            voice = voices[int(chance.integers(len(voices)))]
            sound = decoded(voice, rate)
            start = int(chance.integers(0, len(sound) - _EXCERPT * rate + 1))
            excerpt = sound[start : start + _EXCERPT * rate]
            planted = make(excerpt * 0.5 / float(np.abs(excerpt).max()), rate, chance)
            found = [one for one in judged(saved(planted.sound, folder / f"planted.{suffix}", rate, codec)) if one.detector == detector]
            row = rows[detector]
            row.planted += 1
            row.found += any(fits(one, planted) for one in found)
            row.printed += any(fits(one, planted) and one.severity == "warning" for one in found)
            if not any(fits(one, planted) for one in found):
                row.missed.append(
                    f"{detector}: {voice.name} at {planted.start:.3f} s for {planted.end - planted.start:.3f} s, {suffix} {rate} {codec}, {turn}"
                )


def share(voices: Sequence[Path], times: int, folder: Path, row: Row) -> None:
    """Some seconds of one recording in another one, at another level and in another form."""
    chance = np.random.default_rng(99)
    known = {voice.name: prints.print_of(heard(voice)[0]) for voice in voices}
    for suffix, rate, codec in islice(cycle(_FORMS), times):
        one, other = (voices[int(index)] for index in chance.choice(len(voices), 2, replace=False))
        taken, host = decoded(one, rate), decoded(other, rate)
        first = int(chance.integers(0, len(taken) - _SHARED * rate + 1))
        at = int(chance.integers(0, len(host)))
        sound = np.concatenate((host[:at], taken[first : first + _SHARED * rate] * chance.uniform(0.3, 1), host[at:]))[:, None]
        profile, _ = heard(saved(sound, folder / f"shared.{suffix}", rate, codec))
        others = {name: print_ for name, print_ in known.items() if name != other.name}
        found = prints.same({"planted": prints.print_of(profile)}, others)
        row.planted += 1
        row.found += (hit := any(match.other == one.name and abs(match.start / RATE - at / rate) < _EXCERPT / 2 for match in found))
        row.printed += hit
        if not hit:
            row.missed.append(f"repeated: {one.name} in {other.name}, {suffix} {rate}")


def clean(voices: Sequence[Path], folder: Path, rows: dict[str, Row], true: set[tuple[str, str]]) -> tuple[float, list[str]]:
    """Judge the speech itself in each form; gives its hours and every alarm."""
    hours, alarms = 0.0, []
    for suffix, rate, codec in _FORMS[1:]:
        known = {}
        for voice in voices:
            path = saved(decoded(voice, rate)[:, None] * 0.7, folder / f"clean.{suffix}", rate, codec)
            profile, flaws = heard(path)
            known[voice.name] = prints.print_of(profile)
            hours += profile.length / RATE / 3600
            for found in sentinels.judge(profile, flaws, subject_of(profile)):
                row, is_true = rows[found.detector], (voice.name, found.detector) in true
                row.notes += found.severity == "note" and not is_true
                row.alarms += found.severity == "warning" and not is_true
                row.true += found.severity == "warning" and is_true
                alarms.append(
                    f"{found.severity}: {voice.name}, {suffix} {rate}: {found.words}, at {found.start / RATE:.3f} s{', true' if is_true else ''}"
                )
        for match in prints.same(known, {}):
            rows["repeated"].alarms += 1
            alarms.append(f"warning: {match.one} is in {match.other}")
    return hours, alarms


def cost(voices: Sequence[Path], folder: Path) -> tuple[float, float]:
    """CPU seconds an hour of audio: of the sentinels, on top of measuring, and of a bare encode. 48 kHz, 16 bit, mono, as most voices are."""
    sound = np.concatenate([decoded(voice, RATE) for voice in voices])
    path = saved(np.resize(sound, _COST_SECONDS * RATE)[:, None], folder / "cost.wav", RATE, "pcm_s16le")
    take = Take(sources.probe(path), 2)
    measured = []
    for with_them in (False, True, False, True):
        begun = time.process_time()
        inspector = Inspector(take.held, take.source.rate)
        profile, pcm = measure.measure(take, measure.Cut(trim=False), folder, also=inspector.add if with_them else lambda _: None)
        pcm.close()
        if with_them:
            subject = subject_of(profile)
            sentinels.judge(profile, Flaws.unpacked(inspector.flaws().packed()), subject)
            prints.same({"one": prints.print_of(profile)}, {})
        measured.append(time.process_time() - begun)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    encode = ["-i", str(path), "-ac", "2", "-c:a", "libmp3lame", "-b:a", "128k", str(folder / "cost.mp3")]
    subprocess.run([ffmpeg.find(), "-v", "error", "-nostdin", "-y", *encode], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    bare = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    hours = _COST_SECONDS / 3600
    return (min(measured[1], measured[3]) - min(measured[0], measured[2])) / hours, bare / hours


def table(rows: dict[str, Row], hours: float) -> Iterator[str]:
    yield "| | planted | found | recall | of them printed | true alarms | false alarms an hour | notes an hour |"
    yield "|---|--:|--:|--:|--:|--:|--:|--:|"
    for name, row in rows.items():
        yield (
            f"| {name} | {row.planted} | {row.found} | {row.found / max(1, row.planted):.0%} | {row.printed} | {row.true} "
            f"| {row.alarms / hours:.1f} | {row.notes / hours:.1f} |"
        )


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser("python -m benchmarks.sentinels", description="How much the sentinels find, and how often they are wrong.")
    parser.add_argument("folder", type=Path, help="clean speech: .wav, .flac, .mp3 or .ogg")
    parser.add_argument("--times", type=int, default=40, help="how often each defect is planted (40)")
    parser.add_argument("--true", type=Path, help="alarms that are true: the name of a recording and a detector, one a line")
    asked = parser.parse_args(arguments)
    true = {(line.split()[0], line.split()[1]) for line in asked.true.read_text("utf-8").splitlines() if line.strip()} if asked.true else set()
    voices = sorted(path for path in asked.folder.iterdir() if path.suffix in _SUFFIXES)
    rows = {name: Row() for name in (*PLANTS, "repeated")}
    with tempfile.TemporaryDirectory(prefix="produce-sentinels-") as place:
        folder = Path(place)
        long = [voice for voice in voices if len(decoded(voice, 8000)) >= (_EXCERPT + 1) * 8000]
        hours, alarms = clean(voices, folder, rows, true)
        plant([voice for voice in long if not any(name == voice.name for name, _ in true)], asked.times, folder, rows)
        share(long, asked.times, folder, rows["repeated"])
        ours, bare = cost(long, folder)
    out = sys.stdout.write
    out("".join(f"{line}\n" for line in (*alarms, *(line for row in rows.values() for line in row.missed), "", *table(rows, hours))))
    out(f"\n{hours:.2f} h of clean speech. All sentinels: {ours:.2f} s of CPU an hour of audio, {ours / bare:.3f} of a bare encode ({bare:.1f} s).\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
