"""Hosts who were recorded apart, mixed, against the truth of how the session was made: ``python -m benchmarks.sessions SESSION``.

SESSION is a folder of tracks with a truth.json: where each track begins on the session's clock, its drift, and every turn. An episode of it is built
as anybody builds one. Told is by how much the finished MP3 is off at ten turns of each host: what he says there is cut out of his own track where the
truth has it, and searched for in what ffmpeg decodes. Then how loud each host is in his own turns (ffmpeg's ebur128, pyloudnorm), and how well he is
understood: STOI (pystoi, if it is installed) against his own track, where 1 is no difference. And all of it again for a session of an hour with 60
ppm, made of the voices of the first: turn after turn, with a recorder that was started before the other.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audio import ffmpeg, wav
from audio.units import RATE
from benchmarks import sound
from benchmarks.contenders import console_script
from benchmarks.material import ROOT

Floats = NDArray[np.float64]

Turn = tuple[Floats, Floats]
"""What somebody says at once, and the same at `_FINER` times its rate."""

EPISODE, SECTION = "episode-14", "talk"
HOUR, HOUR_DRIFT, HOUR_OFFSET = 3600.0, 60.0, -4.2
_POINTS = 10
_SHORTEST = 4.0
"""Seconds of a turn that is measured by itself."""
_BLEED_DB, _BLEED_SECONDS = -30.0, 0.009
_FINER = 8
"""A voice is read between its samples from so many times as many: the truth is not to be made with what is measured."""


@dataclass(frozen=True)
class Truth:
    """A track as it was made: it begins at ``offset`` s of the session, its clock is ``drift`` (parts in 1) too fast, and who speaks on it when."""

    file: str
    offset: float
    drift: float
    turns: tuple[tuple[float, float], ...]

    def within(self, at: float) -> float:
        """The moment of the track that belongs to one of the session."""
        return (at - self.offset) * (1 + self.drift)


def truths(folder: Path) -> tuple[Truth, ...]:
    said = json.loads((folder / "truth.json").read_text("utf-8"))
    return tuple(
        Truth(
            track["file"],
            float(track["start_offset"]),
            float(track.get("drift_ppm", 0.0)) / 1e6,
            tuple((one["start"], one["end"]) for one in said["segments"] if one["speaker"] == track["speaker"]),
        )
        for track in said["tracks"]
    )


# -- a build ---------------------------------------------------------------------------------------------------------------------


def build(root: Path, folder: Path, tracks: Sequence[Truth]) -> Mapping[str, Any]:
    """Make a project of one section, build it, and give its report."""
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(ROOT / "configs", root / "configs")
    for path in (root / "configs" / "episodes").glob("*.yaml"):
        path.unlink()
    section: dict[str, Any] = {"slug": SECTION, "title": "A talk", "part": "case-study", "trim": False, "sting": "none"}
    section["tracks"] = [{"file": str((folder / track.file).resolve())} for track in tracks]
    episode = {"number": 14, "series": "pattern-mastery", "title": "A talk", "summary": "A talk.", "date": "2026-01-01", "sections": [section]}
    (root / "configs" / "episodes" / f"{EPISODE}.yaml").write_text(json.dumps(episode), "utf-8")
    subprocess.run([*console_script(), "-C", str(root), EPISODE], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    found: Mapping[str, Any] = json.loads((root / "build" / EPISODE / "report.json").read_text("utf-8"))
    return found


# -- what is told ----------------------------------------------------------------------------------------------------------------


def off(track: Truth, folder: Path, mix: Floats) -> list[float]:
    """By how many ms a host comes late in the finished file, in turns from all over the session."""
    usable = [turn for turn in track.turns if turn[0] >= max(0.5, track.offset + 0.1)]
    chosen = sorted({round(index) for index in np.linspace(0, len(usable) - 1, _POINTS)})
    return [_late(track, folder, mix, *usable[index]) for index in chosen]


def _late(track: Truth, folder: Path, mix: Floats, begin: float, end: float) -> float:
    """Whitened cross-correlation, and a parabola through its peak."""
    own = _own(folder / track.file, track, begin, end)
    assert own is not None
    first, reach = round(begin * RATE), RATE // 20
    room = mix[first - reach : first + len(own) + reach]
    size = 1 << (len(room) + len(own)).bit_length()
    cross = np.fft.rfft(room, size) * np.conj(np.fft.rfft(own, size))
    hertz = np.fft.rfftfreq(size, 1 / RATE)
    alike = np.fft.irfft(np.where((hertz > 200) & (hertz < 6000), cross / (np.abs(cross) + 1e-12), 0), size)[: 2 * reach]
    top = int(alike[1:-1].argmax()) + 1
    left, peak, right = alike[top - 1 : top + 2]
    # The session's moment of the first sample is that of no whole sample of the file.
    return float(top + 0.5 * (left - right) / (left - 2 * peak + right) - reach + first - begin * RATE) * 1000 / RATE


def heard(track: Truth, folder: Path, mix: Floats) -> tuple[float, float, float]:
    """A host in the finished file: LUFS of his turns by ebur128 and by pyloudnorm, and the median STOI of the longer ones (nan without pystoi)."""
    turns = [mix[round(a * RATE) : round(b * RATE)] for a, b in track.turns]
    with tempfile.NamedTemporaryFile(suffix=".f32") as file:
        joined = np.concatenate(turns)
        file.write(np.repeat(joined[:, None], 2, axis=1).astype("<f4").tobytes())
        file.flush()
        loud, _, _ = sound.by_ebur128(Path(file.name), 0, len(joined), ("-f", "f32le", "-ar", str(RATE), "-ac", "2"))
    return loud, sound.by_pyloudnorm(np.repeat(joined[:, None], 2, axis=1)), understood(track, folder, turns)


def understood(track: Truth, folder: Path, turns: Sequence[Floats]) -> float:
    try:
        from pystoi import stoi
    except ImportError:
        return math.nan
    found = []
    long = [index for index, (a, b) in enumerate(track.turns) if b - a >= _SHORTEST]
    for index in long[:: max(1, len(long) // 40)]:
        begin, end = track.turns[index]
        own = _own(folder / track.file, track, begin, end)
        if own is not None:
            count = min(len(own), len(turns[index]))
            found.append(float(stoi(own[:count], turns[index][:count], RATE)))
    return float(np.median(found)) if found else math.nan


def _own(path: Path, track: Truth, begin: float, end: float) -> Floats | None:
    """A turn on the speaker's own track, on the session's clock; within a turn the drift is nothing."""
    first = track.within(begin)
    if first < 0:
        return None
    argv = [ffmpeg.find(), "-v", "error", "-nostdin", "-ss", f"{first:.6f}", "-t", f"{end - begin:.6f}", "-i", ffmpeg.url(path)]
    raw = subprocess.run([*argv, "-ac", "1", "-ar", str(RATE), "-f", "f32le", "-"], capture_output=True, check=True).stdout
    return np.frombuffer(raw, "<f4").astype("f8")


def tell(name: str, root: Path, folder: Path) -> Iterator[str]:
    """One row of the table for each track."""
    tracks = truths(folder)
    report = build(root, folder, tracks)
    (chapter,) = report["chapters"]
    laid = report["segments"][next(i for i, one in enumerate(report["segments"]) if one["name"] == SECTION)]["tracks"]
    start, end = chapter["section_start_samples"], chapter["section_end_samples"]
    mix = sound.decoded(root / "build" / EPISODE / report["file"]["name"], start, end, report["audio"]["channels"]).mean(axis=1)
    levels = []
    for track, one in zip(tracks, laid, strict=True):
        late = off(track, folder, mix)
        ebu, pyloudnorm, likeness = heard(track, folder, mix)
        levels.append(ebu)
        place = "the clock" if one["place"] == "clock" else f"{one['windows_agreeing']} of {one['windows']}, {one['residual_ms']:.3f} ms"
        yield (
            f"| {name} | {track.file} | {track.offset:+.2f} s, {track.drift * 1e6:+.0f} ppm | "
            f"{one['offset_s']:+.4f} s, {one['drift_ppm']:+.2f} ppm | "
            f"{place} | {max(late, key=abs):+.2f} of {len(late)} | {one['recorded_lufs']:.1f} | {ebu:.1f} | {pyloudnorm:.2f} | {likeness:.3f} | "
            f"{100 * one['gated_share']:.0f}% |"
        )
    yield f"| {name} | between hosts | | | | | | {max(levels) - min(levels):.1f} LU | | | |"


# -- an hour ---------------------------------------------------------------------------------------------------------------------


def hour(source: Path, folder: Path, seconds: float = HOUR) -> None:
    """A session of an hour from the voices of another: the first host's track as the clock, and the other one's with `HOUR_DRIFT` ppm, which holds
    the first one's voice `_BLEED_SECONDS` later. Written in stretches: an hour is not held in memory.
    """
    folder.mkdir(parents=True, exist_ok=True)
    first, other = truths(source)
    voices = [_turns(source, track) for track in (first, other)]
    plan = list(_plan([len(voice) for voice in voices], voices, seconds))
    last = round(seconds * RATE)
    segments = [{"speaker": who, "start": at / RATE, "end": (at + len(voices[who][which][0])) / RATE} for who, which, at in plan]
    drift = HOUR_DRIFT / 1e6
    tracks = [
        {"file": "host-a.wav", "speaker": 0, "start_offset": 0.0},
        {"file": "host-b.wav", "speaker": 1, "start_offset": HOUR_OFFSET, "drift_ppm": HOUR_DRIFT},
    ]
    (folder / "truth.json").write_text(json.dumps({"segments": segments, "tracks": tracks}), "utf-8")
    generator = np.random.default_rng(14)
    lengths = [last, round((seconds - HOUR_OFFSET) * (1 + drift) * RATE)]
    for who, name in enumerate(("host-a.wav", "host-b.wav")):
        with (folder / name).open("wb") as file:
            wav.begin(file, 1, lengths[who])
            for begin in range(0, lengths[who], 60 * RATE):
                count = min(60 * RATE, lengths[who] - begin)
                samples = _stretch(voices, plan, who, begin, count, drift)
                file.write((samples + 10 ** (-68 / 20) * generator.standard_normal(count)).astype("<f4").tobytes())


def _turns(source: Path, track: Truth) -> list[Turn]:
    """What a host says in each of his turns."""
    found = (_own(source / track.file, track, a + 0.3, b - 0.1) for a, b in track.turns)
    return [(turn, _finer(turn)) for turn in found if turn is not None]


def _plan(counts: Sequence[int], voices: Sequence[Sequence[Turn]], seconds: float) -> Iterator[tuple[int, int, int]]:
    """Who says which of his turns from which sample on."""
    at, number = RATE, 0
    while True:
        who, which = number % 2, number // 2 % counts[number % 2]
        if at + len(voices[who][which][0]) > (seconds - 1) * RATE:
            return
        yield who, which, at
        at += len(voices[who][which][0]) + RATE * (2 + number * 7 % 9) // 10
        number += 1


def _stretch(voices: Sequence[Sequence[Turn]], plan: Sequence[tuple[int, int, int]], who: int, begin: int, count: int, drift: float) -> Floats:
    """Samples of a recorder: its speaker, and on the second one the first speaker's bleed."""
    out = np.zeros(count)
    samples = np.arange(begin, begin + count)
    moments = samples / RATE if who == 0 else samples / RATE / (1 + drift) + HOUR_OFFSET
    for speaker, which, at in plan:
        voice, fine = voices[speaker][which]
        if (speaker != who and who == 0) or at / RATE > moments[-1] or (at + len(voice)) / RATE + 1 < moments[0]:
            continue
        late = 0.0 if speaker == who else _BLEED_SECONDS
        gain = 1.0 if speaker == who else 10 ** (_BLEED_DB / 20)
        places = (moments - late) * RATE - at
        low, high = np.searchsorted(places, [0, len(voice) - 1])
        if high > low:
            out[low:high] += gain * np.interp(places[low:high] * _FINER, np.arange(len(voice) * _FINER), fine)
    return out


def _finer(voice: Floats) -> Floats:
    """A voice at `_FINER` times its rate."""
    spectrum = np.fft.rfft(voice)
    return np.fft.irfft(spectrum, len(voice) * _FINER) * _FINER


def main(arguments: Sequence[str]) -> int:
    asked = argparse.ArgumentParser("python -m benchmarks.sessions", description=(__doc__ or "").split("\n", 1)[0])
    asked.add_argument("session", type=Path, help="a folder of tracks with a truth.json")
    asked.add_argument("--minutes", type=float, default=HOUR / 60, help="length of the session that is made")
    asked.add_argument("--work", type=Path, help="where to work; the projects stay there")
    found = asked.parse_args(arguments)
    sound.require()
    with tempfile.TemporaryDirectory(prefix="produce-sessions-") as folder:
        work = (found.work or Path(folder)).resolve()
        work.mkdir(parents=True, exist_ok=True)
        _say("| session | track | made with | found | windows that agree | late at most, ms | recorded, LUFS | ebur128 | pyloudnorm | STOI | gated |")
        _say("|---|---|---|---|---|--:|--:|--:|--:|--:|--:|")
        for line in tell(found.session.name, work / "short", found.session):
            _say(line)
        made = work / "hour"
        hour(found.session, made, found.minutes * 60)
        for line in tell(f"{found.minutes:g} min", work / "long", made):
            _say(line)
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
