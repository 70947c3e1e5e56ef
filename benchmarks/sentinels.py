"""How much the sentinels find, how often they are wrong, and what they cost: ``python -m benchmarks.sentinels FOLDER``, a folder of clean speech.

Every defect is planted into excerpts of that speech, in recordings of several rates and formats, which are decoded and judged as a build does it.
Found is what is told of, as a warning, at its place. The speech itself is judged in each format, and every alarm is listed: whether it is true has to
be looked at. ``--known FILE`` names those that are, and what is no clean speech. An hour of speech takes ten minutes, and 200 MB on the disk.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from audio import ffmpeg, loudness, measure, prints, sentinels, sources, speech
from audio.findings import Finding
from audio.flaws import Flaws, Inspector
from audio.memory import one_thread_each
from audio.pcm import Take
from audio.prints import Print
from audio.profile import Profile
from audio.sentinels import Subject
from audio.units import RATE, Lufs, Samples
from benchmarks.defects import PLANTS, Planted

Floats = NDArray[np.float64]


class Form(NamedTuple):
    suffix: str
    rate: int
    codec: str


KNOWN = Path(__file__).with_name("alarms.txt")
_EXACT = (
    Form("wav", 48_000, "pcm_f32le"),
    Form("wav", 44_100, "pcm_s16le"),
    Form("flac", 16_000, "flac"),
    Form("wav", 48_000, "pcm_s16le"),
)
_MP3 = (Form("mp3", 44_100, "libmp3lame"),)
_FORMS = {"as samples": _EXACT, "in MP3s of 128 kbit/s": _MP3}
_REPEATED = "repeated"
_EXCERPT = 25
_NEAR = 0.25
_SUFFIXES = (".wav", ".flac", ".mp3", ".ogg")
_COST_SECONDS = 600
_SHARED = 25
_SIDES = ((1, "mono"), (2, "two sides that differ"))


class Known(NamedTuple):
    """A line of what is known: ``second`` is None where it is right of all of the recording, ``detector`` where the recording is left out."""

    name: str
    detector: str | None
    second: float | None

    @classmethod
    def read(cls, line: str) -> Known:
        name, detector, second, _ = line.split(maxsplit=3)
        return cls(name, None if detector == "-" else detector, None if second == "-" else float(second))

    def says(self, name: str, found: Finding) -> bool:
        here = self.second is None or abs(found.start / RATE - self.second) < _NEAR
        return here and (name, found.detector) == (self.name, self.detector)


@dataclass
class Row:
    """What came of one detector: ``found`` of ``planted`` were told of, ``noted`` only stand in the report."""

    planted: int = 0
    found: int = 0
    noted: int = 0
    missed: list[str] = field(default_factory=list)


@dataclass
class Alarms:
    """Of one detector, in speech in which nothing was planted."""

    wrong: int = 0
    right: int = 0
    notes: int = 0


def decoded(path: Path, rate: int, start: float = 0.0, length: float | None = None) -> Floats:
    """Mono samples of a recording, or of a stretch of it, at another rate."""
    stretch = [] if length is None else ["-ss", f"{start:.3f}", "-t", f"{length:.3f}"]
    argv = [ffmpeg.find(), "-v", "error", "-nostdin", *stretch, "-i", str(path), "-ac", "1", "-ar", str(rate), "-f", "f32le", "-"]
    raw = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, check=True).stdout
    return np.frombuffer(raw, "<f4").astype("f8")


def saved(sound: Floats, path: Path, form: Form) -> Path:
    raw = ["-f", "f32le", "-ar", str(form.rate), "-ac", str(sound.shape[1]), "-i", "pipe:0"]
    argv = [ffmpeg.find(), "-v", "error", "-y", *raw, "-c:a", form.codec, *(["-b:a", "128k"] if form in _MP3 else []), str(path)]
    subprocess.run(argv, input=sound.astype("<f4").tobytes(), check=True)
    return path


def heard(path: Path, folder: Path) -> tuple[Profile, Flaws]:
    """A recording as a build measures it."""
    take = Take(sources.probe(path), 2)
    found, pcm = measure.measure(take, measure.Cut(trim=False), folder, noting=True)
    pcm.close()
    assert found.flaws is not None
    return found.profile, found.flaws


def subject_of(profile: Profile) -> Subject:
    classes = speech.tell(profile.level, profile.momentary, profile.treble)
    noise = Lufs(speech.floor(profile.level, classes))
    return Subject(Samples(0), Samples(0), profile.length, loudness.integrated(profile.momentary[3:]), noise)


def fits(found: Finding, planted: Planted) -> bool:
    return found.start / RATE < planted.end + _NEAR and found.end / RATE > planted.start - _NEAR


class Trial(NamedTuple):
    detector: str
    form: Form
    seed: tuple[int, ...]
    voices: Sequence[tuple[Path, float]]
    """Recordings to plant into, and their seconds."""


def planted(trial: Trial) -> tuple[str, str]:
    """Plant one defect: how it was judged ("" where it was not found), and what it was."""
    chance = np.random.default_rng(trial.seed)
    voice, length = trial.voices[int(chance.integers(len(trial.voices)))]
    first = float(chance.uniform(0, length - _EXCERPT))
    excerpt = decoded(voice, trial.form.rate, first, _EXCERPT)
    defect = PLANTS[trial.detector](excerpt * 0.5 / float(np.abs(excerpt).max()), trial.form.rate, chance)
    with tempfile.TemporaryDirectory(prefix="produce-sentinels-") as folder:
        profile, flaws = heard(saved(defect.sound, Path(folder) / f"planted.{trial.form.suffix}", trial.form), Path(folder))
    judged = sentinels.judge(profile, flaws, subject_of(profile))
    found = [one.severity for one in judged if one.detector == trial.detector and fits(one, defect)]
    place = f"{defect.start:.3f} s of {voice.name} from {first:.3f} s on, for {defect.end - defect.start:.3f} s"
    return max(
        found, default="", key=lambda one: one == "warning"
    ), f"{trial.detector}: at {place}, {' '.join(map(str, trial.form))}, seed {trial.seed}"


def shared(trial: Trial, known: dict[str, Print]) -> tuple[str, str]:
    """Plant some seconds of one recording in another one, up to 10 dB quieter than that."""
    chance = np.random.default_rng(trial.seed)
    (one, length), (other, whole) = (trial.voices[int(index)] for index in chance.choice(len(trial.voices), 2, replace=False))
    first, at = float(chance.uniform(0, length - _SHARED)), int(chance.uniform(0, whole) * trial.form.rate)
    taken, host = decoded(one, trial.form.rate, first, _SHARED), decoded(other, trial.form.rate)
    level = 10 ** (-chance.uniform(0, 10) / 20) * float(np.sqrt((host**2).mean() / (taken**2).mean()))
    sound = np.concatenate((host[:at], taken * level, host[at:]))[:, None]
    with tempfile.TemporaryDirectory(prefix="produce-sentinels-") as folder:
        profile, _ = heard(saved(sound, Path(folder) / f"shared.{trial.form.suffix}", trial.form), Path(folder))
    others = {name: print_ for name, print_ in known.items() if name != other.name}
    found = prints.same({"planted": prints.print_of(profile)}, others)
    hit = any(match.other == one.name and abs(match.start / RATE - at / trial.form.rate) < _SHARED / 2 for match in found)
    return (
        "warning" if hit else "",
        f"{trial.detector}: {one.name} from {first:.3f} s on in {other.name} at {at / trial.form.rate:.3f} s, {trial.form}",
    )


def clean(form: Form | None, voice: Path) -> tuple[tuple[Finding, ...], Print, float]:
    """Judge speech as it is, or in a form: what is found, its print, and its hours."""
    with tempfile.TemporaryDirectory(prefix="produce-sentinels-") as folder:
        path = voice if form is None else saved(decoded(voice, form.rate)[:, None] * 0.7, Path(folder) / f"clean.{form.suffix}", form)
        profile, flaws = heard(path, Path(folder))
    return sentinels.judge(profile, flaws, subject_of(profile)), prints.print_of(profile), profile.length / RATE / 3600


def cost(voices: Sequence[Path], channels: int) -> tuple[float, float]:
    """CPU seconds an hour of audio: of the sentinels, on top of measuring, and of a bare encode, stereo. 48 kHz, 16 bit."""
    sound = np.resize(np.concatenate([decoded(voice, RATE) for voice in voices]), _COST_SECONDS * RATE)
    sides = np.stack([np.roll(sound, 7 * side) for side in range(channels)], axis=1)
    with tempfile.TemporaryDirectory(prefix="produce-sentinels-") as place:
        folder = Path(place)
        path = saved(sides, folder / "cost.wav", Form("wav", RATE, "pcm_s16le"))
        take = Take(sources.probe(path), 2)
        measured = []
        for with_them in (False, True) * 3:
            begun = time.process_time()
            inspector = Inspector(take.held, take.source.rate)
            # With `also` it is heard here, where its time is taken.
            found, pcm = measure.measure(take, measure.Cut(trim=False), folder, also=inspector.add if with_them else lambda _: None)
            pcm.close()
            if with_them:
                sentinels.judge(found.profile, Flaws.unpacked(inspector.flaws().packed()), subject_of(found.profile))
                prints.same({"one": prints.print_of(found.profile)}, {})
            measured.append(time.process_time() - begun)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        encode = ["-i", str(path), "-ac", "2", "-c:a", "libmp3lame", "-b:a", "128k", str(folder / "cost.mp3")]
        subprocess.run([ffmpeg.find(), "-v", "error", "-nostdin", "-y", *encode], check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    bare = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    hours = _COST_SECONDS / 3600
    return (min(measured[1::2]) - min(measured[::2])) / hours, bare / hours


def table(rows: dict[tuple[str, str], Row], alarms: dict[str, Alarms], hours: float) -> Iterator[str]:
    yield "| | planted | found | noted | missed | recall | in MP3s: planted | found | noted | missed | recall | true alarms | false | an hour |"
    yield "|---|" + "--:|" * 13
    for name, alarm in alarms.items():
        cells: list[object] = []
        for forms in _FORMS:
            row = rows[name, forms]
            cells += [row.planted, row.found, row.noted, row.planted - row.found - row.noted, f"{row.found / max(1, row.planted):.0%}"]
        yield f"| `{name}` | {' | '.join(map(str, [*cells, alarm.right, alarm.wrong]))} | {alarm.wrong / hours:.1f} |"


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser("python -m benchmarks.sentinels", description="How much the sentinels find, and how often they are wrong.")
    parser.add_argument("folder", type=Path, help="clean speech: .wav, .flac, .mp3 or .ogg")
    parser.add_argument("--times", type=int, default=40, help="how often each defect is planted, into samples and into MP3s (40)")
    parser.add_argument("--seed", type=int, default=0, help="another number, other places (0)")
    parser.add_argument("--known", type=Path, default=KNOWN, help=f"alarms that are true, and recordings to leave out ({KNOWN.name})")
    parser.add_argument("--only", action="append", choices=(*PLANTS, _REPEATED), help="plant only what this detector has to find")
    asked = parser.parse_args(arguments)
    known = [Known.read(line) for line in asked.known.read_text("utf-8").splitlines() if line.strip() and not line.startswith("#")]
    left_out = {one.name for one in known if one.detector is None}
    voices = sorted(path for path in asked.folder.iterdir() if path.suffix in _SUFFIXES and path.name not in left_out)
    names = [name for name in (*PLANTS, _REPEATED) if not asked.only or name in asked.only]
    rows = {(name, forms): Row() for name in names for forms in _FORMS}
    alarms = {name: Alarms() for name in names}
    out, hours = sys.stdout.write, 0.0
    # As in a build; whoever is started here begins anew.
    one_thread_each()
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
        for form in (None, *_EXACT[1:3], *_MP3):
            kept: dict[str, Print] = {}
            for voice, (judged, print_, length) in zip(voices, pool.map(partial(clean, form), voices), strict=True):
                kept[voice.name] = print_
                hours += length
                for found in judged:
                    if found.detector not in alarms:
                        continue
                    alarm, right = alarms[found.detector], any(one.says(voice.name, found) for one in known)
                    alarm.notes += found.severity == "note"
                    alarm.wrong += found.severity == "warning" and not right
                    alarm.right += found.severity == "warning" and right
                    if found.severity == "warning":
                        out(f"{'true' if right else 'false'}: {voice.name}, {form or 'as it is'}: {found.words}, at {found.start / RATE:.3f} s\n")
            for match in prints.same(kept, {}) if _REPEATED in alarms else ():
                alarms[_REPEATED].wrong += 1
                out(f"false: {match.one} is in {match.other}\n")
            if form is None:
                originals = kept
        lengths = {voice: len(decoded(voice, 8000)) / 8000 for voice in voices}
        for number, detector in enumerate((*PLANTS, _REPEATED)):
            into = [
                (voice, length)
                for voice, length in lengths.items()
                if length > _EXCERPT and not any((one.name, one.detector, one.second) == (voice.name, detector, None) for one in known)
            ]
            for forms, chosen in _FORMS.items():
                if (detector, forms) not in rows:
                    continue
                trials = [Trial(detector, chosen[turn % len(chosen)], (number, turn, len(chosen), asked.seed), into) for turn in range(asked.times)]
                does = planted if detector in PLANTS else partial(shared, known=originals)
                row = rows[detector, forms]
                for severity, words in pool.map(does, trials):
                    row.planted += 1
                    row.found += severity == "warning"
                    row.noted += severity == "note"
                    if severity != "warning":
                        out(f"{'only noted' if severity else 'missed'}: {words}\n")
            sys.stdout.flush()
        costs = [] if asked.only else [(what, *pool.submit(cost, list(lengths), channels).result()) for channels, what in _SIDES]
    out("\n" + "".join(f"{line}\n" for line in table(rows, alarms, hours)))
    out(f"\n{hours:.2f} h of speech, {len(voices)} recordings in 4 forms; {sum(alarm.notes for alarm in alarms.values())} notes in it.\n")
    for what, ours, bare in costs:
        out(f"All sentinels, {what}: {ours:.2f} s of CPU an hour of audio, {ours / bare:.3f} of a bare encode ({bare:.1f} s).\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
