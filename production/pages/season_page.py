"""The report of a season: every episode beside the others, as a page and as one picture. Pure; equal input gives equal bytes."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from urllib.parse import quote

from production.pages import html
from production.pages.drawing import Drawing, Shape, Words, svg, text
from production.pages.painting import fitting
from production.pages.scales import HEAD, NORMAL, SMALL, TITLE, plain
from production.pages.season import LEAST, MEASURES, RULE, Mark, Row, bounds, marks
from production.pages.sheet import figure, sheet

_POSTER, _MARGIN = 1600.0, 40.0
_WIDE = 1160.0


def page(title: str, rows: Sequence[Row], missing: Sequence[str]) -> bytes:
    """The season as HTML; ``missing`` are the episodes that are not built. An episode's own report is linked to where it lies beside this page."""
    return html.page(f"{title} · season report", _body(title, rows, missing))


def _summary(rows: Sequence[Row], missing: Sequence[str]) -> str:
    hours = sum(one.minutes for one in rows) / 60
    gone = f"; not built: {', '.join(missing)}" if missing else ""
    return f"{len(rows)} episode{'s' if len(rows) != 1 else ''}, {hours:.1f} h{gone}"


def _body(title: str, rows: Sequence[Row], missing: Sequence[str]) -> Iterator[str]:
    out = marks(rows)
    yield f'<header><div><p class="soft">season report · measured on the finished files</p><h1>{text(title)}</h1>'
    yield f'<p class="soft">{text(_summary(rows, missing))}</p></div></header>'
    yield html.part(f"Standing out: {len(out)}", _outliers(rows, out))
    label = "Every episode by every measure: its figure, and its place beside the season’s median (line) and what is ordinary (band)."
    drawn = svg(sheet(rows, _WIDE), "all episodes by all measures")
    yield html.part(
        "The season", html.scrolled("the season", f"<figure>{drawn}</figure>"), f'<p class="soft">{label}</p><p class="soft">{text(RULE)}</p>'
    )
    yield html.part("In figures", _table(rows, out))


def _outliers(rows: Sequence[Row], out: dict[str, tuple[Mark, ...]]) -> str:
    if not out:
        few = len([one for one in rows if not one.scratch]) < LEAST
        words = f"Not judged: that takes {LEAST} episodes." if few else "No episode stands out from the others."
        return f'<p class="soft">{words}</p>'
    entries = (f"<li>{_link(one)}: {'; '.join(text(mark.words) for mark in out[one.id])}</li>" for one in rows if one.id in out)
    return f"<ul>{''.join(entries)}</ul>"


def _link(one: Row) -> str:
    return f'<a href="{quote(one.id)}/report.html">{one.number} {text(one.title)}</a>'


def _table(rows: Sequence[Row], out: dict[str, tuple[Mark, ...]]) -> str:
    heads = [("episode", False), ("minutes", True), ("planned", True), *((f"{one.name} {one.unit}".rstrip(), True) for one in MEASURES)]
    lines = []
    for one in rows:
        marked = {mark.measure for mark in out.get(one.id, ())}
        cells = [f"<b>{said}</b>" if measure in marked else said for measure in MEASURES for said in [figure(measure, one.value(measure))]]
        planned = "–" if one.planned is None else f"{one.planned:g}"
        lines.append((f"{_link(one)}{' (placeholders)' if one.scratch else ''}", plain(one.minutes), planned, *cells))
    middles = [bounds(rows, measure) for measure in MEASURES]
    lines.append(("Median", "", "", *(figure(m, b.middle if b else None) for m, b in zip(MEASURES, middles, strict=True))))
    lines.append(("Ordinary within ±", "", "", *(plain(b.reach if b else None, m.digits) for m, b in zip(MEASURES, middles, strict=True))))
    return html.table("every episode in figures", "Bold and red: what stands out.", heads, lines)


def poster(title: str, rows: Sequence[Row], missing: Sequence[str]) -> Drawing:
    """The season on one sheet."""
    out = marks(rows)
    shapes: list[Shape] = [
        Words(_MARGIN, _MARGIN + 22, fitting(title, TITLE, _POSTER - 2 * _MARGIN, bold=True), TITLE, bold=True),
        Words(_MARGIN, _MARGIN + 48, fitting(_summary(rows, missing), NORMAL, _POSTER - 2 * _MARGIN), NORMAL, "muted"),
    ]
    drawn = sheet(rows, _POSTER - 2 * _MARGIN)
    shapes += drawn.at(_MARGIN, _MARGIN + 72)
    top = _MARGIN + 72 + drawn.height + 34
    shapes.append(Words(_MARGIN, top, f"Standing out: {len(out)}", HEAD, bold=True))
    for one in rows:
        if one.id in out:
            top += 24
            words = f"{one.number} {one.title}: {'; '.join(mark.words for mark in out[one.id])}"
            shapes.append(Words(_MARGIN, top, fitting(words, NORMAL, _POSTER - 2 * _MARGIN), NORMAL))
    for line in textwrap.wrap(RULE, 250):
        top += 19
        shapes.append(Words(_MARGIN, top + 12, line, SMALL, "muted"))
    return Drawing(_POSTER, top + 40, tuple(shapes))
