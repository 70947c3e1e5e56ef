"""One page of HTML that stands by itself: no script, nothing that is fetched from anywhere, light and dark as the reader has it. Pure."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable, Sequence

from production.pages.drawing import Drawing, classes, svg, text, variables

WIDE, NARROW = 1120.0, 400.0
"""Pixels of a chart on a desk, and in the hand."""

_STYLE = (
    """
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.5 "Helvetica Neue",Helvetica,Arial,"Liberation Sans",sans-serif}
main{max-width:1200px;margin:0 auto;padding:28px 20px 48px}
header{display:flex;gap:24px;align-items:center;margin-bottom:22px}
header img{width:112px;height:112px;border-radius:10px;flex:none}
h1{font-size:30px;line-height:1.2;margin:2px 0;overflow-wrap:anywhere}
h2{font-size:17px;margin:0 0 2px}
p{margin:4px 0}
a{color:var(--wave)}
.soft,figcaption{color:var(--muted);font-size:13px}
.mono{font-family:ui-monospace,Menlo,Consolas,"Liberation Mono",monospace;overflow-wrap:anywhere}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;margin:0 0 18px;padding:0}
.figures div{background:var(--panel);border:1px solid var(--grid);border-radius:10px;padding:12px 14px}
.figures dt{color:var(--muted);font-size:12.5px}
.figures dd{margin:2px 0 0;font-size:22px;font-weight:600;line-height:1.25}
.figures dd small{font-size:13px;font-weight:400;color:var(--muted)}
.figures .aside{font-size:12.5px;font-weight:400;color:var(--muted)}
section{background:var(--panel);border:1px solid var(--grid);border-radius:12px;padding:18px 20px;margin:0 0 18px}
figure{margin:10px 0 0}
svg{display:block;width:100%;height:auto;font-family:inherit}
svg text{font-variant-numeric:tabular-nums}
.narrow{display:none}
.scroll{overflow-x:auto;margin-top:10px}
.scroll svg{min-width:1000px}
table{border-collapse:collapse;width:100%;font-size:13.5px;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:6px 10px 6px 0;border-bottom:1px solid var(--grid);vertical-align:top}
th{font-weight:600;color:var(--muted);font-size:12.5px}
tbody th{color:var(--ink);font-size:13.5px;min-width:150px;overflow-wrap:anywhere}
td.n,th.n{text-align:right;white-space:nowrap;padding-left:8px}
.moments tbody th{min-width:64px}.moments td:nth-child(2){min-width:230px}
td.out{color:var(--error);font-weight:600}
details{margin-top:12px}
summary{cursor:pointer;color:var(--muted);font-size:13.5px}
.tag{display:inline-block;border-radius:5px;padding:0 7px;font-size:12px;font-weight:600;color:var(--ground)}
.tag.error{background:var(--error)}.tag.warning{background:var(--warning)}.tag.note{background:var(--note)}
ul{margin:6px 0;padding-left:20px}
footer{color:var(--muted);font-size:12.5px}
"""
    "@media(max-width:760px){main{padding:16px 12px 32px}section{padding:14px 12px}h1{font-size:22px}header{gap:14px;align-items:flex-start}"
    "header img{width:72px;height:72px}.wide{display:none}.narrow{display:block;max-width:640px}.figures{grid-template-columns:repeat(2,1fr);gap:8px}"
    ".figures dd{font-size:18px}.figures div{padding:9px 11px}}"
    "@media print{body{background:#fff}section{break-inside:avoid}}"
)


def page(title: str, body: Iterable[str]) -> bytes:
    """The whole page; ``body`` is HTML. Its own policy lets nothing act or be fetched."""
    style = f":root{{color-scheme:light dark;{variables(False)}}}@media(prefers-color-scheme:dark){{:root{{{variables(True)}}}}}{classes()}{_STYLE}"
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    head = (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="referrer" content="no-referrer">'
        f"<title>{text(title)}</title><style>{style}</style></head><body><main>\n"
    )
    return (head + "\n".join(body) + "\n</main></body></html>\n").encode()


def chart(draw: Callable[[float], Drawing], name: str, caption: str) -> str:
    """A drawing for the desk and one for the hand, of which a reader sees one. ``name`` is heard in its place, ``caption`` says what it shows."""
    pictures = svg(draw(WIDE), name, "wide") + svg(draw(NARROW), name, "narrow")
    return f"<figure>{pictures}<figcaption>{text(caption)}</figcaption></figure>"


def table(name: str, caption: str, heads: Sequence[tuple[str, bool]], rows: Iterable[Sequence[str]], kind: str = "") -> str:
    """A table; ``heads`` are its columns' names and whether they hold numbers. Cells are HTML, and the first of a row is its name."""
    head = "".join(f'<th scope="col"{" class=n" if number else ""}>{text(title)}</th>' for title, number in heads)
    lines = []
    for row in rows:
        cells = [_cell(cell, number) for cell, (_, number) in zip(row[1:], heads[1:], strict=True)]
        lines.append(f'<tr><th scope="row">{row[0]}</th>{"".join(cells)}</tr>')
    inside = f'<table aria-label="{text(name)}"><thead><tr>{head}</tr></thead><tbody>{"".join(lines)}</tbody></table>'
    return f'<p class="soft">{text(caption)}</p>{scrolled(name, inside, kind)}'


def scrolled(name: str, inside: str, kind: str = "") -> str:
    """What may be wider than a screen is moved by finger or by key, and the page around it stays."""
    return f'<div class="scroll {kind}" tabindex="0" role="region" aria-label="{text(name)}">{inside}</div>'


def _cell(cell: str, number: bool) -> str:
    kinds = " ".join((["n"] if number else []) + (["out"] if cell.startswith("<b>") else []))
    return f'<td class="{kinds}">{cell}</td>' if kinds else f"<td>{cell}</td>"


def figures(entries: Iterable[tuple[str, str, str, str]]) -> str:
    """The key figures: name, value, unit, and something beside it."""
    parts = (
        f'<div><dt>{text(name)}</dt><dd>{text(value)} <small>{text(unit)}</small></dd><dd class="aside">{text(aside)}</dd></div>'
        for name, value, unit, aside in entries
    )
    return f'<dl class="figures">{"".join(parts)}</dl>'


def part(title: str, *inside: str) -> str:
    """A section of the page under its heading."""
    return f"<section><h2>{text(title)}</h2>{''.join(inside)}</section>"
