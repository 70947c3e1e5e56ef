"""Markers that audio editors write beside a recording: label tracks of Audacity, lists of Reaper and Audition, chapters as Podlove and JSON.

Every reader gives markers in the order of the file, or raises TextUnreadable with the place of what it cannot read. Pure.

Formats: Audacity's label track (manual, "Importing and Exporting Labels": start, end, text between tabs; a line that begins with a backslash holds
the frequencies of the one before), Reaper's Region/Marker Manager (CSV: ``#,Name,Start,End,Length``), Audition's markers (a .csv between tabs:
``Name, Start, Duration, Time Format, Type, Description``), Podlove Simple Chapters 1.2, JSON chapters 1.2 of the podcast namespace.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePath

from audio.errors import TextUnreadable
from audio.marker import MOST_BYTES, Marker, address, numbered, seconds_of, text_of
from audio.textfile import Text, counted, decoded, lists, time
from audio.units import Samples

LABELS, SHEET, JSON, PODLOVE = ".txt", ".csv", ".chapters.json", ".psc.xml"
SUFFIXES = (LABELS, SHEET, JSON, PODLOVE)
"""How a file of markers is called after its recording, in this order of preference."""
_KINDS: Mapping[str, str] = {".txt": LABELS, ".tsv": SHEET, ".csv": SHEET, ".json": JSON, ".xml": PODLOVE, ".psc": PODLOVE}
ENDINGS = tuple(_KINDS)

_LABEL = re.compile(r"\s*[-+]?[0-9]+(?:[.,][0-9]+)?\t")
_COUNT = re.compile(r"[0-9]{1,12}")
_BARS = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+")
_FRAMES = re.compile(r"[0-9]+(?:[:;][0-9]+){3}")
_AS_SECONDS = "let the editor count in minutes and seconds, and export again"


def read(name: str, data: bytes, rate: int | None = None) -> tuple[Marker, ...]:
    """The markers of a file, by the end of its name. ``rate`` is the recording's in Hz, for lists that count samples.

    Raises TextUnreadable; ValueError for a name that is none of a marker file.
    """
    kind = _KINDS.get(PurePath(name).suffix.lower())
    if kind is None:
        raise ValueError(f"no file of markers: {name!r}")
    if kind == PODLOVE:
        # Looked for only here: lxml takes longer to load than a run that has nothing to do.
        from audio import podlove

        found: Iterator[Marker] = podlove.chapters(data)
    else:
        readers: dict[str, Callable[[Text], Iterator[Marker]]] = {LABELS: _labels, JSON: _chapters, SHEET: lambda text: _sheet(text, rate)}
        found = readers[kind](decoded(data, MOST_BYTES))
    return numbered(found)


def looks_like_labels(data: bytes) -> bool:
    """Whether a text file begins as a label track does: a .txt beside a recording may as well be somebody's notes."""
    try:
        lines = decoded(data, MOST_BYTES).lines()
    except TextUnreadable:
        return False
    return _LABEL.match(next((line for line in lines if line.strip()), "")) is not None


# -- Audacity ------------------------------------------------------------------------------------------------------------------------


def _labels(text: Text) -> Iterator[Marker]:
    for number, line in enumerate(text.lines(), 1):
        if not line.strip() or line.startswith("\\"):
            continue
        start, *rest = line.split("\t", 2)
        begins = time(start)
        if begins is None or ":" in start:
            raise TextUnreadable(f"is no label: {_short(start)} is no time", number, 1, "a label is: seconds, tab, seconds, tab, text")
        ends = time(rest[0]) if rest else None
        if rest and ends is None:
            if len(rest) > 1:
                raise TextUnreadable(
                    f"is no label: {_short(rest[0])} is no time", number, len(start) + 2, "a label is: seconds, tab, seconds, tab, text"
                )
            # Audacity 1.2 wrote no ends.
            yield Marker(rest[0], begins, line=number)
            continue
        yield Marker(rest[1] if len(rest) > 1 else "", begins, _end(begins, ends, number, len(start) + 2), line=number)


def _end(begins: Samples, ends: Samples | None, line: int, column: int = 1) -> Samples | None:
    """Where a stretch ends; None for a place. Raises TextUnreadable when that is before its start."""
    if ends is not None and ends < begins:
        raise TextUnreadable("ends before it starts", line, column)
    return None if ends == begins else ends


def _short(text: str) -> str:
    line = " ".join(text.split())
    return f"'{line if len(line) <= 40 else line[:39] + '…'}'"


# -- Reaper and Audition -------------------------------------------------------------------------------------------------------------


def _sheet(text: Text, rate: int | None) -> Iterator[Marker]:
    lines = text.lines()
    first = next((number for number, line in enumerate(lines) if line.strip()), None)
    if first is None:
        return
    import csv

    try:
        # Audition leaves quotes as they are, Reaper puts names with commas between them.
        rows = csv.reader(lines[first:], delimiter="\t", quoting=csv.QUOTE_NONE) if "\t" in lines[first] else csv.reader(lines[first:])
        head = [cell.strip().lower() for cell in next(rows, [])]
        columns: dict[str, int] = {name: head.index(name) for name in ("name", "start", "end", "duration", "length") if name in head}
        if "start" not in columns or "name" not in columns:
            raise TextUnreadable(
                "is no list of markers", first + 1, 1, "its first line should name the columns: Name, Start, ... (Reaper's or Audition's export)"
            )
        for row in rows:
            if any(cell.strip() for cell in row):
                yield _row(row, columns, first + rows.line_num, rate)
    except csv.Error as error:
        raise TextUnreadable(f"is no list of markers: {error}", first + 1, 1, "export it again") from None


def _row(row: list[str], columns: Mapping[str, int], line: int, rate: int | None) -> Marker:
    cells = {name: row[index].strip() for name, index in columns.items() if index < len(row)}
    start = _moment(cells.get("start", ""), line, rate)
    if end := cells.get("end"):
        return Marker(cells["name"], start, _end(start, _moment(end, line, rate), line), line=line)
    if length := cells.get("duration", "" if "end" in cells else cells.get("length", "")):
        end_at = Samples(start + _moment(length, line, rate))
        return Marker(cells["name"], start, _end(start, end_at, line), line=line)
    return Marker(cells["name"], start, line=line)


def _moment(cell: str, line: int, rate: int | None) -> Samples:
    """A time of a list in samples at 48 kHz; a whole number without a point counts the recording's own samples."""
    if _COUNT.fullmatch(cell):
        if rate is None:
            raise TextUnreadable(f"{cell} counts samples of a recording whose rate is not known here", line, 1, _AS_SECONDS)
        found = counted(int(cell), rate)
    elif _BARS.fullmatch(cell) or _FRAMES.fullmatch(cell):
        raise TextUnreadable(f"{_short(cell)} counts bars or frames of a picture", line, 1, _AS_SECONDS)
    else:
        found = time(cell)
    if found is None:
        raise TextUnreadable(f"{_short(cell)} is no time", line, 1, _AS_SECONDS)
    return found


# -- JSON chapters -------------------------------------------------------------------------------------------------------------------


def _chapters(text: Text) -> Iterator[Marker]:
    _, items = lists(text, ("chapters",))
    for item in items:
        said = item.value
        if not isinstance(said, dict):
            text.refuse(item.offset, "is no chapter", "a chapter is {startTime: seconds, title: text}")
        if said.get("toc") is False:
            # For players only, which show its picture.
            continue
        start, end = seconds_of(said.get("startTime")), seconds_of(said.get("endTime"))
        if start is None:
            text.refuse(item.offset, "this chapter says no startTime in seconds")
        line, column = text.place(item.offset)
        yield Marker(text_of(said.get("title")), start, _end(start, end, line, column), address(said.get("url")), line)
