"""What stands on the desk, as plain values: for its template, and for its script. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from production.curves import Curves
from production.desk import lanes, originals, signal
from production.desk.lanes import Join, Lanes
from production.desk.shown import Apps
from production.model import Episode
from production.pages import facts
from production.pages.facts import Finding, Section
from production.pages.scales import plain, signed

_MATTERS: Final = 0.05
"""LU under which nothing is lowered to be compared."""


@dataclass(frozen=True, slots=True)
class Take:
    """Where a section's recording is heard: its address, and the second of it at which the section begins; or, in words, why it is not."""

    address: str
    at: float
    why: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A section as it is listed. Figures are words already; ``planned`` is what its config says by now, in minutes."""

    number: int
    slug: str
    title: str
    start: float
    minutes: float
    planned: float | None
    apart: str
    share: float
    wide: float
    file: str
    figures: tuple[str, ...]
    chain: tuple[str, ...]
    take: Take
    scratch: bool


@dataclass(frozen=True, slots=True)
class Desk:
    """The whole page; ``data`` is for the script. ``since`` says what the config has said otherwise since this was built."""

    id: str
    title: str
    series: str
    language: str
    cover: str
    scratch: bool
    file: str
    seconds: float
    planned: float | None
    apart: str
    figures: tuple[tuple[str, str, str], ...]
    sections: tuple[Row, ...]
    heads: tuple[str, ...]
    findings: tuple[Finding, ...]
    joins: tuple[Join, ...]
    apps: Apps
    warnings: tuple[str, ...]
    since: tuple[str, ...]
    convention: str
    tools: str
    sha256: str
    data: dict[str, Any]


HEADS: Final = ("as recorded, LUFS", "finished, LUFS", "gain, dB", "room, LUFS", "peak, dBFS", "range, LU", "mark found at, ms")


def desk(
    report: Mapping[str, Any],
    curves: Curves,
    episode: Episode,
    *,
    series: str,
    language: str,
    cover: str,
    apps: Apps,
    takes: Mapping[str, Take],
) -> Desk:
    """The desk of a finished episode. ``episode`` is its config by now, ``takes`` its recordings by section, ``cover`` a picture as a data: address.

    Raises LookupError, TypeError or ValueError when the report is none.
    """
    told = facts.episode(report, curves)
    heard, joins = lanes.lanes(report), lanes.joins(report)
    segments = {one["name"]: one for one in report["segments"]}
    planned = {one.slug: one.minutes for one in episode.sections}
    longest = max((max(one.minutes, planned.get(one.slug) or 0.0) for one in told.sections), default=1.0) or 1.0
    placed = {one.slug: _placed(takes.get(one.slug), segments[one.slug]) for one in told.sections}
    rows = tuple(_row(one, planned.get(one.slug), placed[one.slug], longest) for one in told.sections)
    return Desk(
        id=told.id,
        title=told.title,
        series=series,
        language=language,
        cover=cover,
        scratch=told.scratch,
        file=told.file,
        seconds=told.seconds,
        planned=episode.minutes,
        apart=_apart(told.seconds / 60, episode.minutes),
        figures=tuple(_figures(told)),
        sections=rows,
        heads=HEADS,
        findings=told.findings,
        joins=joins,
        apps=apps,
        warnings=told.warnings,
        since=tuple(_since(told, episode)),
        convention=told.convention,
        tools=", ".join(f"{name} {version}" for name, version in told.tools),
        sha256=told.sha256,
        data=_data(told, heard, joins, placed),
    )


def _placed(take: Take | None, segment: Mapping[str, Any]) -> Take:
    if take is None or not take.address:
        return take or Take("", 0.0, "its recording is not here")
    at = originals.begins(segment)
    return Take("", 0.0, "it is not one stretch of one recording") if at is None else Take(take.address, at)


def _apart(minutes: float, planned: float | None) -> str:
    """How far from the plan, in minutes and in percent."""
    return f"{signed(minutes - planned)} min, {signed(100 * (minutes / planned - 1), 0)} %" if planned else ""


def _row(one: Section, planned: float | None, take: Take, longest: float) -> Row:
    values = (one.before, one.after, one.noise, one.peak, one.range, one.offset_ms)
    before, after, noise, peak, reach, offset = (plain(value, 1) for value in values)
    figures = (before, after, signed(one.gain), noise, peak, reach, offset)
    wide = 100 * (planned or 0) / longest
    apart = _apart(one.minutes, planned)
    share = 100 * one.minutes / longest
    return Row(one.number, one.slug, one.title, one.start, one.minutes, planned, apart, share, wide, one.file, figures, one.chain, take, one.scratch)


def _figures(told: facts.Episode) -> list[tuple[str, str, str]]:
    """Name, value with its unit, and what was asked for."""
    return [
        ("Loudness", f"{plain(told.loudness, 2)} LUFS", f"asked: {plain(told.target, 1)}"),
        ("True peak", f"{plain(told.peak, 2)} dBTP", f"asked: at most {plain(told.ceiling, 1)}"),
        ("Range", f"{plain(told.range, 1)} LU", "EBU Tech 3342"),
        ("File", f"{told.bytes / 1e6:.1f} MB", f"MP3, {told.bitrate} kb/s, {'stereo' if told.channels == 2 else 'mono'}"),
    ]


def _since(told: facts.Episode, episode: Episode) -> list[str]:
    """What the config says and the finished file does not."""
    found = [] if episode.title == told.title else [f"title: “{told.title}” is now “{episode.title}”"]
    built, now = {one.slug: one.title for one in told.sections}, {one.slug: one.title for one in episode.sections}
    found += [f"section {slug} is gone" for slug in built if slug not in now]
    found += [f"section {slug} is new" for slug in now if slug not in built]
    found += [f"chapter: “{built[slug]}” is now “{title}”" for slug, title in now.items() if slug in built and built[slug] != title]
    if list(built) != list(now) and sorted(built) == sorted(now):
        found.append("the sections are in another order")
    asked = episode.settings.loudness
    found += [] if asked.target == told.target else [f"loudness: {told.target:g} LUFS is now {asked.target:g} LUFS"]
    return found + ([] if asked.true_peak == told.ceiling else [f"true peak: {told.ceiling:g} dBTP is now {asked.true_peak:g} dBTP"])


# -- for the script --------------------------------------------------------------------------------------------------------------


def _data(told: facts.Episode, heard: Lanes, joins: tuple[Join, ...], takes: Mapping[str, Take]) -> dict[str, Any]:
    return {
        "length": round(told.seconds, 3),
        "target": told.target,
        "peak": {"step": signal.PEAK_STEP, "values": signal.packed(told.curves.peak, signal.PEAK_STEP)},
        "loudness": {"step": signal.LOUDNESS_STEP, "values": signal.packed(told.curves.momentary, signal.LOUDNESS_STEP)},
        "sections": [_section(one, takes[one.slug]) for one in told.sections],
        "lanes": [[name, spans] for name, spans in _named(heard)],
        "joins": [round(one.at, 3) for one in joins],
        "findings": [
            {"at": round(one.start, 3), "length": one.length, "severity": one.severity, "words": one.words}
            for one in told.findings
            if one.start is not None
        ],
    }


def _named(heard: Lanes) -> list[tuple[str, list[float]]]:
    lanes = (("speech", heard.spoken), ("music", heard.music), ("bed", heard.bed), ("tone", heard.tone), ("gap", heard.gaps))
    return [(name, [edge for span in spans for edge in span]) for name, spans in lanes if spans is not None]


def _section(one: Section, take: Take) -> dict[str, Any]:
    found: dict[str, Any] = {"title": one.title, "start": round(one.start, 3), "begins": round(one.begins, 6), "ends": round(one.ends, 6)}
    if not take.address:
        return {**found, "why": take.why}
    louder = 0.0 if one.before is None or one.after is None else round(one.after - one.before, 2)
    return {**found, "take": take.address, "at": round(take.at, 6), "louder": louder if abs(louder) > _MATTERS else 0.0}
