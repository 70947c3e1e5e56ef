"""Who is measured: the yardstick, three other ways to make the episode, and `produce` in everything that a producer does with it.

All of them are started as programs, with the same ffmpeg, and write in the same folder.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import re
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from audio import ffmpeg
from benchmarks import material, sounds
from benchmarks.material import EPISODE, FORMS, QUIET, ROOT, WAV, Material, Say
from benchmarks.measure import Failed, Figures, Meter
from benchmarks.state import CHANGES, Change, State

YARDSTICK = "a"
TO_MP3 = ("-c:a", "libmp3lame", "-b:a", "128k")
TARGET, PEAK, RANGE = -16, -1, 11
"""What loudness normalisers are asked for: LUFS, dBTP, LU (more than loudnorm's own 7, so that it has a reason less to compress)."""


class Missing(Exception):
    """A contender is not installed; the message says what to do."""


@dataclass(frozen=True)
class Contender:
    """One row. ``before`` sets the stage and is not measured; ``run`` is, and gives what the program said last.

    ``slow`` ones run in fewer rounds; ``ours`` are those of `produce`.
    """

    key: str
    name: str
    run: Callable[[Meter], str]
    before: Callable[[], None] = lambda: None
    after: Callable[[], None] = lambda: None
    slow: bool = False
    ours: bool = False


class Bench:
    """A folder to work in, the programs, and what the contenders are given."""

    def __init__(self, work: Path, wanted: Material, say: Say) -> None:
        self.work, self.material, self.say = work, wanted, say
        self._show, self._made, self._out = work / "show", work / "made", work / "out"
        self._programme, self._joined, self._sting = self._made / "programme.wav", self._made / "sections.wav", self._made / "sting.wav"
        self._target = self._out / "out.mp3"
        self.state = State(self._show, self._made / "intro.wav")
        self.environment = environment(work)

    def prepare(self, keys: Collection[str]) -> None:
        """Make everything that the rows ``keys`` need. Raises MaterialError, Failed."""
        self._out.mkdir(exist_ok=True)
        sounds.save(sounds.chord(14.0, 196.0), self._made / "intro.wav")
        sounds.save(sounds.chord(2.4, 392.0), self._sting)
        material.project(self._show, self.material, self.say)
        if "e-section" in keys:
            material.another_take(self._show, self.material, self.say)
        self.say("building the episode once: its sound is what the yardstick encodes")
        self.state.empty()
        self.produce(self.meter(), self._show, EPISODE)
        self.state.keep()
        material.command(["-i", ffmpeg.url(self.state.mp3), "-c:a", "pcm_s16le", *WAV], self._programme)
        if "d" in keys and normalizer():
            self.say("joining the sections for ffmpeg-normalize, which takes one file; that is not measured")
            inputs, graph = self._concatenated()
            material.command([*inputs, "-filter_complex", f"{graph}[o]", "-map", "[o]", "-c:a", "pcm_s16le", *WAV], self._joined)

    def meter(self) -> Meter:
        # What was just written is not to reach the disk at the expense of whoever is measured next.
        os.sync()
        return Meter(self.work, self.environment)

    def measure(self, contender: Contender) -> tuple[Figures, str]:
        """Run a contender once. Raises Failed, Missing."""
        for left in self._out.iterdir():
            left.unlink()
        contender.before()
        meter = self.meter()
        said = contender.run(meter)
        figures = meter.figures()
        contender.after()
        return figures, said

    def contenders(self) -> tuple[Contender, ...]:
        """Every row, the yardstick first."""
        return (
            Contender(YARDSTICK, "ffmpeg, one encode of the finished programme", self._yardstick, after=self._delivered),
            Contender("b", "a pydub script: levels, silence, stings", self._with_pydub, after=self._delivered, slow=True),
            Contender("c", "one ffmpeg graph: concat, loudnorm in two passes", self._one_graph, after=self._delivered, slow=True),
            Contender("d", f"ffmpeg-normalize{normalizer()} of the joined sections", self._normalize, after=self._delivered, slow=True),
            *map(self._changed, CHANGES),
        )

    def described(self) -> dict[str, object]:
        """What was measured on."""
        report = json.loads((self.state.mp3.parent / "report.json").read_text("utf-8"))
        sections = material.slugs(EPISODE)
        return {
            "speech": "synthesised speech, looped" if self.material.speech is None else "real speech, looped",
            "programme_s": round(float(report["audio"]["duration_s"]), 3),
            "sections": len(sections),
            "forms": [FORMS[i % len(FORMS)].words for i in range(len(sections))],
        }

    # -- rows -------------------------------------------------------------------------------------------------------------------

    def produce(self, meter: Meter, project: Path, target: str) -> str:
        """Run `produce`, and give its last line."""
        lines = [line for line in meter.run([*console_script(), "-C", str(project), target]).splitlines() if line.strip()]
        return lines[-1] if lines else ""

    def _changed(self, change: Change) -> Contender:
        def before() -> None:
            self.state.restore()
            change.make(self.state)

        def after() -> None:
            self.state.check(same=change.same, written=change.written)

        return Contender(change.key, f"produce: {change.name}", lambda meter: self.produce(meter, self._show, EPISODE), before, after, ours=True)

    def _yardstick(self, meter: Meter) -> str:
        meter.run([ffmpeg.find(), *QUIET, "-i", ffmpeg.url(self._programme), *TO_MP3, ffmpeg.url(self._target)])
        return ""

    def _with_pydub(self, meter: Meter) -> str:
        sections = map(str, material.recordings(self._show))
        # It holds the whole episode in memory, more than once.
        meter.run([sys.executable, "-m", "benchmarks.with_pydub", str(self._sting), str(self._target), *sections], cwd=ROOT, limited=True)
        return ""

    def _one_graph(self, meter: Meter) -> str:
        inputs, graph = self._concatenated()
        asked = f"loudnorm=I={TARGET}:TP={PEAK}:LRA={RANGE}"
        # What it measures is said at the level `info`.
        talkative = [word if word != "error" else "info" for word in QUIET]
        first = f"{graph},{asked}:print_format=json[o]"
        found = meter.run([ffmpeg.find(), *talkative, *inputs, "-filter_complex", first, "-map", "[o]", "-f", "null", "-"])
        second = f"{graph},{asked}:{measured(found)}:linear=true,aresample=48000[o]"
        meter.run([ffmpeg.find(), *QUIET, *inputs, "-filter_complex", second, "-map", "[o]", *TO_MP3, ffmpeg.url(self._target)])
        return ""

    def _normalize(self, meter: Meter) -> str:
        if not normalizer():
            raise Missing("not installed: pip install 'distributed-systems-podcast[bench]'")
        levels = ["-t", str(TARGET), "-tp", str(PEAK), "-lrt", str(RANGE)]
        output = ["-ar", "48000", *TO_MP3, "-f", "-o", str(self._target)]
        meter.run([sys.executable, "-m", "ffmpeg_normalize", str(self._joined), *levels, *output])
        return ""

    def _concatenated(self) -> tuple[list[str], str]:
        """ffmpeg's inputs, and a graph that joins the sections; what it gives has no name yet."""
        paths = material.recordings(self._show)
        shapes = "".join(f"[{i}:a:0]aresample=48000,aformat=sample_fmts=fltp:channel_layouts=stereo[s{i}];" for i in range(len(paths)))
        pads = "".join(f"[s{i}]" for i in range(len(paths)))
        return [word for path in paths for word in ("-i", ffmpeg.url(path))], f"{shapes}{pads}concat=n={len(paths)}:v=0:a=1"

    def _delivered(self) -> None:
        if not self._target.is_file() or not self._target.stat().st_size:
            raise Failed("it ended well, and there is no file")


# -- programs --------------------------------------------------------------------------------------------------------------------


def environment(work: Path) -> Mapping[str, str]:
    """Everybody's: one ffmpeg under its plain name, whichever it is, and temporary files in the folder that is looked at."""
    programs, temporary = work / "bin", work / "tmp"
    for folder in (programs, temporary):
        folder.mkdir(parents=True, exist_ok=True)
    link = programs / "ffmpeg"
    link.unlink(missing_ok=True)
    link.symlink_to(Path(ffmpeg.find()).resolve())
    paths = os.pathsep.join([str(programs), os.environ.get("PATH", os.defpath)])
    return {**os.environ, "PATH": paths, "TMPDIR": str(temporary), "FFMPEG_BINARY": str(link), "FFMPEG_PATH": str(link)}


def console_script() -> list[str]:
    """`produce` of the environment that we run in."""
    script = Path(sys.executable).with_name("produce")
    if not script.is_file():
        raise Failed(f"there is no {script.name} next to {Path(sys.executable).name}: install the project into this environment")
    return [str(script)]


def normalizer() -> str:
    """A blank and the version of ffmpeg-normalize, or nothing when it is not installed."""
    return f" {importlib.metadata.version('ffmpeg-normalize')}" if importlib.util.find_spec("ffmpeg_normalize") else ""


def measured(said: str) -> str:
    """What loudnorm printed in its first pass, as options of its second."""
    found = re.search(r"\{[^{}]*\"input_i\"[^{}]*\}", said)
    if not found:
        raise Failed("loudnorm did not say what it measured")
    values = json.loads(found[0])
    options = {"I": "input_i", "TP": "input_tp", "LRA": "input_lra", "thresh": "input_thresh"}
    return ":".join([*(f"measured_{name}={values[key]}" for name, key in options.items()), f"offset={values['target_offset']}"])
