"""The report of one episode: as a page, and as one picture of the same. Pure; equal input gives equal bytes."""

from __future__ import annotations

from collections.abc import Iterator

from production.pages import charts, html, levels
from production.pages.drawing import Box, Drawing, Photo, Shape, Words, data_url, text
from production.pages.facts import SEVERITIES, Episode, Finding
from production.pages.painting import fitting, width
from production.pages.scales import HEAD, NORMAL, SMALL, TITLE, clock, plain, signed
from production.sizes import said as size

_POSTER, _MARGIN = 1600.0, 40.0
_CARD = 78.0
THUMB = 224
"""Pixels of the cover that a report carries."""


def page(one: Episode, cover: bytes | None) -> bytes:
    """The report as HTML. ``cover`` is a small JPEG."""
    return html.page(f"{one.title} · report", _body(one, cover))


def key_figures(one: Episode) -> tuple[tuple[str, str, str, str], ...]:
    """What is said first: name, value, unit, and what it is to be compared with."""
    planned = f"planned {one.planned:g} min, {signed(100 * (one.seconds / 60 / one.planned - 1), 0)} %" if one.planned else "no length planned"
    flagged = ", ".join(
        f"{count} {severity}{'s' if count > 1 else ''}" for severity in SEVERITIES if (count := sum(f.severity == severity for f in one.findings))
    )
    return (
        ("Length", clock(one.seconds), "", planned),
        ("Loudness", plain(one.loudness, 2), "LUFS", f"asked {plain(one.target)}"),
        ("True peak", plain(one.peak, 2), "dBTP", f"at most {plain(one.ceiling)}"),
        ("Loudness range", plain(one.range), "LU", "EBU Tech 3342"),
        ("Flagged moments", str(len(one.findings)), "", flagged or "none"),
        ("File", size(one.bytes), "", f"{one.bitrate} kb/s, {'stereo' if one.channels == 2 else 'mono'}"),
    )


def _body(one: Episode, cover: bytes | None) -> Iterator[str]:
    picture = f'<img src="{data_url(cover)}" alt="" width="112" height="112">' if cover else ""
    kind = "placeholder narration, not for publication" if one.scratch else "measured on the finished file"
    yield f'<header>{picture}<div><p class="soft">{text(one.id)} · {kind}</p><h1>{text(one.title)}</h1></div></header>'
    yield html.figures(key_figures(one))
    if one.warnings:
        yield html.part("Before publishing", "<ul>", *(f"<li>{text(words)}</li>" for words in one.warnings), "</ul>")
    flags = "; marks under it are flagged moments" if one.findings else ""
    yield html.part(
        "Waveform and chapters",
        html.chart(
            lambda wide: charts.waveform(one, wide),
            "waveform",
            f"Peaks over time in dBFS: the highest softly, their mean strongly, by chapter{flags}.",
        ),
    )
    figures = f"{plain(one.loudness, 2)} LUFS, its range is {plain(one.range)} LU"
    label = f"Loudness over time in LUFS; the target is {plain(one.target)}, the programme is at {figures}."
    yield html.part("Loudness over time", html.chart(lambda wide: charts.loudness(one, wide), "loudness over time", label))
    label = "Integrated loudness of each section as recorded (grey) and finished (blue), and its length beside the plan."
    yield html.part(
        "Sections, before and after", html.chart(lambda wide: levels.sections(one, wide), "levels before and after", label), _sections(one)
    )
    if charts.over_music(one, html.WIDE) is not None:
        label = "How many dB the voice lies over the music under it, wherever both sound."
        yield html.part("Voice over music", html.chart(lambda wide: charts.over_music(one, wide) or Drawing(wide, 1, ()), "voice over music", label))
    yield html.part("Flagged moments", _findings(one) if one.findings else "<p class=soft>Nothing was flagged.</p>")
    yield html.part("What was done", _chain(one))
    yield _footer(one)


def _sections(one: Episode) -> str:
    heads = [("section", False), ("starts", True), ("recorded LUFS", True), ("finished LUFS", True), ("gain dB", True), ("noise LUFS", True)]
    heads += [("peak dBFS", True), ("range LU", True), ("tone dB", True), ("speech", True), ("minutes", True), ("planned", True)]
    rows = [
        (
            f"{section.number} {text(section.title)}{' (placeholder)' if section.scratch else ''}",
            clock(section.start),
            plain(section.before),
            plain(section.after),
            *levels.figures_of(section),
            "–" if section.speech is None else f"{100 * section.speech:.0f} %",
            plain(section.minutes),
            "–" if section.planned is None else f"{section.planned:g}",
        )
        for section in one.sections
    ]
    caption = (
        "Noise is the level of the pauses after the gain. Tone is the treble (around 6.5 kHz) of the speech as recorded to the loudness of the same "
        "10 ms, in the median: lower is duller."
    )
    return html.table("figures of each section", caption, heads, rows)


def _findings(one: Episode) -> str:
    heads = [("time", False), ("what", False), ("kind", False), ("length", True), ("figure", True), ("section", False), ("in the recording", False)]
    return html.table("flagged moments", "In the order of the programme.", heads, [_finding(finding) for finding in one.findings], "moments")


def _finding(one: Finding) -> tuple[str, ...]:
    recorded = f"{text(one.file)} {clock(one.recorded)}" if one.recorded is not None else text(one.file)
    return (
        clock(one.start) if one.start is not None else "–",
        f'<span class="tag {one.severity}">{one.severity}</span> {text(one.words)}',
        text(one.detector),
        _length(one.length),
        "–" if one.figure is None else f"{plain(one.figure)} {text(one.unit)}".rstrip(),
        text(one.section or "–"),
        recorded or "–",
    )


def _length(seconds: float) -> str:
    if not seconds:
        return "–"
    if seconds >= 60:
        return clock(seconds)
    return f"{plain(1000 * seconds, 0)} ms" if seconds < 0.1 else f"{plain(seconds)} s"


def _chain(one: Episode) -> str:
    rows = [
        (
            f"{section.number} {text(section.title)}",
            text(section.file),
            "; ".join(map(text, section.chain)) or "one gain",
            "–" if section.offset_ms is None else f"{plain(section.offset_ms, 2)} ms",
        )
        for section in one.sections
    ]
    heads = [("section", False), ("recording", False), ("what was done besides the gain", False), ("found off its mark", True)]
    caption = "The last column: where the section’s own first sounds were found in the finished file, from its chapter mark."
    return html.table("what was done to each section", caption, heads, rows)


def _footer(one: Episode) -> str:
    tools = ", ".join(f"{text(name)} {text(version)}" for name, version in one.tools)
    return (
        f'<footer><p>{text(one.file)}, sha256 <span class="mono">{text(one.sha256)}</span></p><p>{text(one.convention)}. '
        f"Short-term loudness is over 3 s, momentary over 400 ms.</p><p>Made with {tools}.</p></footer>"
    )


# -- the picture -----------------------------------------------------------------------------------------------------------------


def poster(one: Episode, cover: bytes | None) -> Drawing:
    """All charts of the report on one sheet."""
    wide = _POSTER - 2 * _MARGIN
    shapes = list(_heading(one, cover))
    top = _MARGIN + 138 + _CARD
    parts = (
        ("Waveform and chapters", charts.waveform(one, wide)),
        ("Loudness over time, LUFS", charts.loudness(one, wide)),
        ("Sections, before and after", levels.sections(one, wide)),
        ("Voice over music, dB", charts.over_music(one, wide)),
    )
    for title, drawn in parts:
        if drawn is not None:
            shapes.append(Words(_MARGIN, top + 16, title, HEAD, "ink", bold=True))
            shapes += drawn.at(_MARGIN, top + 26)
            top += 26 + drawn.height + 26
    if one.findings:
        shapes += _flagged(one, top)
        top += 44 + 22 * min(len(one.findings), _FLAGGED)
    tools = " · ".join(f"{name} {version}" for name, version in one.tools[:2])
    shapes.append(Words(_MARGIN, top + 10, f"{one.file}   sha256 {one.sha256}   {tools}", SMALL, "muted"))
    return Drawing(_POSTER, top + 34, tuple(shapes))


def _heading(one: Episode, cover: bytes | None) -> Iterator[Shape]:
    left, side = _MARGIN, 96.0
    if cover:
        yield Photo(left, _MARGIN, side, cover)
        left += side + 24
    kind = "placeholder narration" if one.scratch else "measured on the finished file"
    yield Words(left, _MARGIN + 34, f"{one.id} · {kind}", NORMAL, "muted")
    yield Words(left, _MARGIN + 68, fitting(one.title, TITLE, _POSTER - _MARGIN - left, bold=True), TITLE, bold=True)
    entries = key_figures(one)
    gap = 14.0
    room = (_POSTER - 2 * _MARGIN - gap * (len(entries) - 1)) / len(entries)
    for number, (name, value, unit, aside) in enumerate(entries):
        x, y = _MARGIN + number * (room + gap), _MARGIN + 112
        yield Box(x, y, room, _CARD, "panel", 8)
        yield Words(x + 14, y + 20, name, SMALL, "muted")
        yield Words(x + 14, y + 46, value, 22.0, bold=True)
        yield Words(x + 20 + width(value, 22.0, bold=True), y + 46, unit, NORMAL, "muted")
        yield Words(x + 14, y + 66, fitting(aside, SMALL, room - 28), SMALL, "muted")


_FLAGGED = 12
"""Flagged moments that a picture lists."""


def _flagged(one: Episode, top: float) -> Iterator[Shape]:
    """The gravest of them, in the order of the programme."""
    gravest = sorted(one.findings, key=lambda finding: SEVERITIES.index(finding.severity))[:_FLAGGED]
    more = f", the gravest {_FLAGGED} of {len(one.findings)}" if len(one.findings) > _FLAGGED else ""
    yield Words(_MARGIN, top + 16, f"Flagged moments{more}", HEAD, bold=True)
    for number, finding in enumerate(found for found in one.findings if found in gravest):
        base = top + 42 + 22 * number
        yield Box(_MARGIN, base - 10, 10, 10, finding.severity, 2)
        yield Words(_MARGIN + 20, base, clock(finding.start) if finding.start is not None else "–", NORMAL, "muted")
        words = f"{finding.words}{f' ({finding.section})' if finding.section else ''}"
        yield Words(_MARGIN + 90, base, fitting(words, NORMAL, _POSTER - 2 * _MARGIN - 90), NORMAL)
