"""What there is to say of one finished episode: its report.json, and its curves. Pure.

Reports of earlier versions lack some of it: what is not known is None, and is shown as a dash.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from audio import loudness
from audio.units import RATE
from production.curves import STEP, Curves
from production.pages.scales import plain, signed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Doubles = NDArray[np.float64]

Severity = Literal["note", "warning", "error"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
_VOICED = 0.02
"""Share of a section below which nobody is taken to speak in it."""


@dataclass(frozen=True)
class Section:
    """A section. Times are seconds of the programme: ``start`` of its chapter, ``begins`` and ``ends`` of its own sound.

    ``before`` and ``after`` are integrated LUFS as recorded and in the finished file, ``noise`` the level of its room there (LUFS), ``peak`` the
    highest sample there (dBFS), ``range`` LU, ``gain`` and ``bright`` dB. ``over`` is by how many dB the voice lies over music in each second.
    ``chain`` says in words what was done to it.
    """

    number: int
    slug: str
    title: str
    start: float
    begins: float
    ends: float
    minutes: float
    planned: float | None
    file: str
    before: float | None
    after: float | None
    gain: float | None
    noise: float | None
    peak: float | None
    range: float | None
    bright: float | None
    speech: float | None
    over: tuple[float | None, ...]
    asked_over: float | None
    offset_ms: float | None
    scratch: bool
    chain: tuple[str, ...]


@dataclass(frozen=True)
class Finding:
    """Something that was noticed, in words. ``start`` is seconds of the programme (None: it is not heard there), ``recorded`` of the recording."""

    severity: Severity
    detector: str
    section: str | None
    file: str
    start: float | None
    recorded: float | None
    length: float
    figure: float | None
    unit: str
    words: str


@dataclass(frozen=True)
class Episode:
    """A finished episode. ``target`` is LUFS, ``ceiling`` dBTP, both as asked for; ``loudness``, ``peak`` (dBTP) and ``range`` (LU) as measured."""

    id: str
    title: str
    scratch: bool
    file: str
    bytes: int
    sha256: str
    seconds: float
    planned: float | None
    bitrate: int
    channels: int
    target: float
    ceiling: float
    loudness: float | None
    peak: float | None
    range: float | None
    convention: str
    sections: tuple[Section, ...]
    findings: tuple[Finding, ...]
    warnings: tuple[str, ...]
    tools: tuple[tuple[str, str], ...]
    curves: Curves
    short: Doubles

    @property
    def voiced(self) -> tuple[Section, ...]:
        """The sections in which somebody speaks."""
        return tuple(one for one in self.sections if one.speech is not None and one.speech >= _VOICED)


def episode(report: Mapping[str, Any], curves: Curves) -> Episode:
    """What a report and curves say. Raises LookupError, TypeError or ValueError when it is no report."""
    audio, file, asked, measured = report["audio"], report["file"], report["requested"], report["measured"]
    short = curves.short_term
    segments = {one["name"]: one for one in report["segments"]}
    seconds = float(audio["duration_s"])
    return Episode(
        id=str(report["episode"]),
        title=str(report["title"]),
        scratch=bool(report["scratch"]),
        file=str(file["name"]),
        bytes=int(file["bytes"]),
        sha256=str(file["sha256"]),
        seconds=seconds,
        planned=report.get("planned_minutes"),
        bitrate=int(audio["bitrate_kbps"]),
        channels=int(audio["channels"]),
        target=float(asked["integrated_lufs"]),
        ceiling=float(asked["true_peak_dbtp"]),
        loudness=measured["integrated_lufs"],
        peak=measured["true_peak_dbtp"],
        # Of a build of an earlier version: found now, by the same rule.
        range=measured.get("loudness_range_lu", loudness.loudness_range(short)),
        convention=str(report["convention"]),
        sections=tuple(_section(number, one, segments[one["slug"]], curves, short) for number, one in enumerate(report["chapters"], 1)),
        findings=_findings(report.get("findings", ())),
        warnings=tuple(map(str, report.get("warnings", ()))),
        tools=tuple((str(name), str(version)) for name, version in report["tools"].items()),
        curves=curves,
        short=short,
    )


def _section(number: int, chapter: Mapping[str, Any], segment: Mapping[str, Any], curves: Curves, short: Doubles) -> Section:
    begins, ends = chapter["section_start_samples"], chapter["section_end_samples"]
    # The steps that lie wholly within it; of short-term loudness, those whose whole window does.
    first, last = -(-begins // STEP), ends // STEP
    peaks, windows = curves.peak[first:last], short[first + loudness.SHORT_TERM - 1 : last]
    over = segment.get("voice_over_music_db") or {}
    return Section(
        number=number,
        slug=str(chapter["slug"]),
        title=str(chapter["title"]),
        start=chapter["start_samples"] / RATE,
        begins=begins / RATE,
        ends=ends / RATE,
        minutes=float(chapter["minutes"]),
        planned=chapter["planned_minutes"],
        file=str(segment["file"]),
        before=segment["recorded_lufs"],
        after=chapter["integrated_lufs"],
        gain=segment["gain_db"],
        noise=_after_gain(segment),
        peak=round(float(peaks.max()), 2) if len(peaks) else None,
        range=loudness.loudness_range(windows),
        bright=segment.get("brightness_db"),
        speech=segment.get("speech_share"),
        over=tuple(over.get("each_second", ())),
        asked_over=over.get("asked"),
        offset_ms=chapter.get("found_offset_ms"),
        scratch=bool(chapter.get("scratch")),
        chain=tuple(_chain(segment)),
    )


def _after_gain(segment: Mapping[str, Any]) -> float | None:
    noise = segment.get("noise_lufs")
    # Digital silence stays what it is.
    return None if noise is None or noise <= loudness.FLOOR else round(noise + segment["gain_db"], 2)


def _chain(segment: Mapping[str, Any]) -> list[str]:
    """What was done to a section, in words."""
    up, down = segment.get("levelled_db") or (0.0, 0.0)
    share = segment.get("deessed_share") or 0.0
    said = (
        (str(segment.get("chain", "")), segment.get("chain") not in (None, "voice")),
        (f"channel {1 + (segment.get('dead_channel') or 0)} was dead, the other is heard on both", segment.get("dead_channel") is not None),
        ("DC removed", segment.get("dc_removed")),
        (f"high-pass at {segment.get('high_pass_hz') or 0:g} Hz", segment.get("high_pass_hz")),
        (f"noise reduced: {segment.get('denoise')}", segment.get("denoise") not in (None, "off")),
        (f"sibilants lowered in {100 * share:.1f}% of it", share >= 0.0005),
        (f"levelled and compressed, {signed(up)} to {signed(down)} dB", up or down),
        (f"limited at {plain(segment.get('limited_to_dbfs'))} dBFS", segment.get("limited_to_dbfs") is not None),
        (f"{segment.get('room_tone_s') or 0:g} s of room tone found", segment.get("room_tone_s")),
    )
    return [words for words, done in said if done]


def _findings(said: Sequence[Mapping[str, Any]]) -> tuple[Finding, ...]:
    """In the order of the programme; what is not heard there comes last."""
    found = [
        Finding(
            one["severity"] if one["severity"] in SEVERITIES else "note",
            str(one["detector"]),
            one.get("section"),
            str(one.get("file") or ""),
            one.get("start_s"),
            one.get("recording_s"),
            float(one.get("length_s") or 0.0),
            one.get("figure"),
            str(one.get("unit") or ""),
            str(one["words"]),
        )
        for one in said
    ]
    return tuple(sorted(found, key=lambda one: (one.start is None, one.start or 0.0, one.recorded or 0.0, one.detector, one.words)))
