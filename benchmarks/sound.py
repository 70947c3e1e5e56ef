"""What meters that are not ours say of a built episode: ``python -m benchmarks.sound PROJECT EPISODE``.

The finished MP3 is measured by ffmpeg's ebur128 and, section by section, by pyloudnorm (the extra `bench` brings it; its filters
are made by formulas, which takes it some hundredths of an LU from the standard's coefficients), its true peak also by scipy's resampler at eight
times the rate. Where sections lie is taken from the report, and nothing else. Holds a section in memory (2 GB for half an hour).
"""

from __future__ import annotations

import importlib.util
import json
import math
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from audio import ffmpeg
from audio.units import RATE

Floats = NDArray[np.float64]

_AT_ONCE = 20 * RATE


@dataclass(frozen=True)
class Heard:
    """LUFS and dBTP of one stretch: by ebur128, by pyloudnorm, by resampling."""

    name: str
    seconds: float
    ebur128: float
    pyloudnorm: float
    peak: float
    peak_8x: float
    range_lu: float

    def line(self) -> str:
        return (
            f"{self.name:<24} {self.seconds / 60:6.1f} min  {self.ebur128:7.2f} {self.pyloudnorm:7.2f} LUFS  "
            f"{self.peak:6.2f} {self.peak_8x:6.2f} dBTP  {self.range_lu:5.1f} LU"
        )


def heard(project: Path, episode: str) -> Iterator[Heard]:
    """The whole, and then every section."""
    folder = project / "build" / episode
    report = json.loads((folder / "report.json").read_text("utf-8"))
    path = folder / report["file"]["name"]
    channels = report["audio"]["channels"]
    yield _measured("the whole", path, 0, report["audio"]["samples"], channels, loud=False)
    for chapter in report["chapters"]:
        yield _measured(chapter["slug"], path, chapter["section_start_samples"], chapter["section_end_samples"], channels, loud=True)


def _measured(name: str, path: Path, start: int, end: int, channels: int, *, loud: bool) -> Heard:
    ebu, peak, width = by_ebur128(path, start, end)
    sound = decoded(path, start, end, channels) if loud else None
    return Heard(
        name,
        (end - start) / RATE,
        ebu,
        by_pyloudnorm(sound) if sound is not None else math.nan,
        peak,
        peak_of(sound) if sound is not None else math.nan,
        width,
    )


def by_ebur128(path: Path, start: int, end: int, form: Sequence[str] = ()) -> tuple[float, float, float]:
    """Integrated LUFS, dBTP and loudness range in LU, as ffmpeg says it; ``form`` are its options for a file that does not say what it is."""
    asked = f"atrim=start_sample={start}:end_sample={end},ebur128=peak=true:framelog=verbose"
    argv = [ffmpeg.find(), "-nostdin", "-nostats", "-hide_banner", *form, "-i", ffmpeg.url(path), "-af", asked, "-f", "null", "-"]
    said = subprocess.run(argv, capture_output=True, check=True).stderr.decode("utf-8", "replace")
    summary = said[said.rindex("Summary:") :]
    figures = (re.search(rf"{label}:\s+(-?[\d.]+|-inf)", summary) for label in ("I", "Peak", "LRA"))
    loudness, peak, width = (float(found[1]) if found else math.nan for found in figures)
    return loudness, peak, width


def decoded(path: Path, start: int, end: int, channels: int) -> Floats:
    asked = f"atrim=start_sample={start}:end_sample={end}"
    argv = [ffmpeg.find(), "-v", "error", "-nostdin", "-i", ffmpeg.url(path), "-af", asked, "-f", "f32le", "-"]
    raw = subprocess.run(argv, capture_output=True, check=True).stdout
    return np.frombuffer(raw, "<f4").reshape(-1, channels).astype("f8")


def require() -> None:
    """See that the other meters are installed before anything is built to be measured. Raises SystemExit."""
    lacking = [name for name in ("pyloudnorm", "scipy") if importlib.util.find_spec(name) is None]
    if lacking:
        raise SystemExit(f"{' and '.join(lacking)} not installed: python -m pip install -e '.[bench]'")


def by_pyloudnorm(sound: Floats) -> float:
    import pyloudnorm

    return float(pyloudnorm.Meter(RATE).integrated_loudness(sound))


def peak_of(sound: Floats) -> float:
    """dBTP by a polyphase resampler at eight times the rate."""
    from scipy.signal import resample_poly

    highest = 0.0
    for at in range(0, len(sound), _AT_ONCE):
        part = sound[max(0, at - 1000) : at + _AT_ONCE + 1000]
        highest = max(highest, float(np.abs(resample_poly(part, 8, 1, axis=0)).max()))
    return 20 * math.log10(highest) if highest else -math.inf


if __name__ == "__main__":
    require()
    sys.stdout.write(f"{'':<24} {'':>10}  ebur128  pyloudnorm    ebur128    8x        range\n")
    for one in heard(Path(sys.argv[1]), sys.argv[2]):
        sys.stdout.write(f"{one.line()}\n")
        sys.stdout.flush()
