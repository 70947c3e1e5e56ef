"""Planted mistakes: what `produce` says of each, its exit code, and that the results of an earlier good build stay as they are.

Every case is a run of the real program on a copy of a small project that was built before. The cases run side by side, before the first test
looks at its own.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from audio import ffmpeg as programs
from audio import measure, sources
from audio.errors import SourceUnreadable
from audio.pcm import Take
from tests.e2e.broken import (
    EPISODE,
    FIRST,
    RECORDINGS,
    SOUND_SECONDS,
    Broken,
    Outcome,
    copy_of,
    environment,
    make_media,
    make_project,
    voice,
    wav,
)

OK, FAILED, CONFIG, BUG, MISSING, INTERRUPTED = 0, 1, 2, 3, 4, 130
TWO = f"{EPISODE}:10:11: error: two: {RECORDINGS}/two"
"""How a complaint about the recording of section `two` begins: at the line that asks for it."""
AGAIN = "copy or export it again"
DROPOUT = "export it again"


@dataclass(frozen=True)
class Case:
    """A mistake. ``at`` begins a line of stderr, ``says`` and ``hint`` are found after it; {root} stands for the project folder."""

    name: str
    plant: Callable[[Broken], object]
    code: int
    at: str
    says: tuple[str, ...]
    hint: str
    arguments: tuple[str, ...] = ("episode-01", "-C", "{root}")
    skip: Callable[[], str] = lambda: ""


CASES: list[Case] = []


def case(
    name: str,
    code: int,
    at: str,
    *says: str,
    hint: str,
    arguments: tuple[str, ...] = ("episode-01", "-C", "{root}"),
    skip: Callable[[], str] = lambda: "",
) -> Callable[[Callable[[Broken], object]], Callable[[Broken], object]]:
    """Add a case whose mistake the decorated function plants."""

    def add(plant: Callable[[Broken], object]) -> Callable[[Broken], object]:
        CASES.append(Case(name, plant, code, at, says, hint, arguments, skip))
        return plant

    return add


# -- configs -----------------------------------------------------------------------------------------------------------------------


def config(name: str, line: str, *says: str, hint: str, old: str, new: str, file: str = EPISODE) -> None:
    """A case where a config says ``new`` instead of ``old``; ``line`` is line:column."""
    case(name, CONFIG, f"{file}:{line}: error: ", *says, hint=hint)(lambda broken: broken.edit(file, old, new))


config(
    "an unknown key", "10:5", "unknown key 'fade_inn'", hint="did you mean 'fade_in'?", old="  - slug: two\n", new="  - fade_inn: 1\n    slug: two\n"
)
config(
    "a duplicate key",
    "4:1",
    "key 'title' is there twice",
    hint="the first is in line 3",
    old="summary: About nothing much.\n",
    new="title: Again\nsummary: x\n",
)
config("a word where a number belongs", "1:9", "number", "one", hint="", old="number: 1\n", new="number: one\n")
config("a list where text belongs", "3:8", "title", hint="", old="title: The First", new="title: [The, First]")
config("broken YAML", "3:8", "quot", hint="", old="title: The First", new='title: "The First')
config("a tab for indentation", "9:1", "tab", hint="", old="    part: cold-open", new="\tpart: cold-open")
config("a number outside the series", "2:9", "'small' holds 1-9, not 10", hint="its numbers are in", old="number: 1\n", new="number: 10\n")
config("an unknown series", "2:9", "there is no series 'smal'", hint="did you mean 'small'?", old="series: small", new="series: smal")
config("an out point before the in point", "11:10", "leaves nothing", hint="out comes after in", old="two\n", new="two\n    out: 1\n    in: 2\n")
config("a gap that is far too long", "6:15", "gap", "30", hint="", old="sections:\n", new="layout: {gap: 300}\nsections:\n")
config(
    "a picture that is not there",
    "6:17",
    "there is no file 'cover.png'",
    hint="relative to",
    old="sections:",
    new="artwork: {file: cover.png}\nsections:",
)
config(
    "music that is not there", "12:18", "no file 'theme.wav'", hint="relative", old="{intro: none", new="{intro: theme.wav", file="configs/show.yaml"
)
config("two sections of one name", "10:11", "there is a section 'one' already", hint="the first is in line 7", old="slug: two", new="slug: one")


@case(
    "two episodes with one number", CONFIG, "configs/episodes/episode-02.yaml:1:9: error: ", "episode 1 already", hint="the first is configs/episodes"
)
def _(broken: Broken) -> None:
    broken.write("configs/episodes/episode-02.yaml", (broken.root / EPISODE).read_text())


@case(
    "mistakes in three files",
    CONFIG,
    "configs/show.yaml:1:1: error: ",
    "unknown key 'titel'",
    f"{EPISODE}:4:1",
    "small.yaml:2:9",
    "problems",
    hint="'title'",
)
def _(broken: Broken) -> None:
    broken.edit("configs/show.yaml", "title:", "titel:")
    broken.edit("configs/series/small.yaml", "season: 1", "season: first")
    broken.edit(EPISODE, "summary", "sumary")


@case(
    "an unknown target",
    CONFIG,
    "episode-1: error: ",
    "no episode, series or config file",
    hint="did you mean 'episode-01'?",
    arguments=("episode-1", "-C", "{root}"),
)
@case("no configs", CONFIG, "{root}/recordings/configs: error: ", "no configs/ here", hint="use -C DIR", arguments=("all", "-C", "{root}/recordings"))
@case("a project folder that is not there", CONFIG, "{root}x/configs: error: ", "no configs/", hint="use -C DIR", arguments=("all", "-C", "{root}x"))
@case("no cores", CONFIG, "Error: ", "'--jobs'", "0 is not in the range", hint="", arguments=("episode-01", "-C", "{root}", "--jobs", "0"))
@case("an unknown option", CONFIG, "Error: ", "--scrach", hint="'--scratch'", arguments=("episode-01", "-C", "{root}", "--scrach"))
def _(broken: Broken) -> None:
    broken.write("notes.txt", "nothing is wrong with the project")


def png(width: int, height: int) -> bytes:
    """A grey picture."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes((width + 1) * height))) + chunk(b"IEND", b"")


SQUARE = "give a square JPEG or PNG of 1400 px or more"
for words, content in (
    ("not a picture that can be read\n", b"GIF89 but not really"),
    ("2000 x 1400 pixels, and must be square", png(2000, 1400)),
    ("600 x 600 pixels", png(600, 600)),
):

    @case(f"artwork: {words.strip()}", FAILED, f"{EPISODE}:6:17: error: ", "episode-01: artwork: art/cover.png is", words, hint=SQUARE)
    def _(broken: Broken, content: bytes = content) -> None:
        broken.write("art/cover.png", content)
        broken.edit(EPISODE, "sections:", "artwork: {file: art/cover.png}\nsections:")


@case("a chapter image that is too small", FAILED, f"{EPISODE}:11:12: error: ", "artwork: two.png is 64 x 64", hint=SQUARE)
def _(broken: Broken) -> None:
    broken.write("two.png", png(64, 64))
    broken.edit(EPISODE, "slug: two\n", "slug: two\n    image: two.png\n")


# -- recordings --------------------------------------------------------------------------------------------------------------------


@case(
    "missing recordings",
    CONFIG,
    f"{EPISODE}:7:11: error: section 'one': the recording is missing: {RECORDINGS}/one.wav",
    f"{EPISODE}:10:11: error: section 'two'",
    f"{EPISODE}:13:11: error: section 'three'",
    "3 problems",
    hint="or build a placeholder with: produce episode-01 --scratch",
)
def _(broken: Broken) -> None:
    shutil.rmtree(broken.root / RECORDINGS)


def recording(name: str, file: str, *says: str, hint: str, content: Callable[[Broken], bytes]) -> None:
    """A case where the recording of section `two` is ``file`` and holds ``content``."""
    case(name, FAILED, f"{TWO}{Path(file).suffix}: ", *says, hint=hint)(lambda broken: broken.record(file, content(broken)))


def fixed(content: bytes) -> Callable[[Broken], bytes]:
    return lambda _broken: content


def part_of(name: str, share: float) -> Callable[[Broken], bytes]:
    """The first ``share`` of a good file."""

    def content(broken: Broken) -> bytes:
        whole = broken.good(name)
        return whole[: int(len(whole) * share)]

    return content


def changed(name: str, count: int, *, by: int = 0x5A) -> Callable[[Broken], bytes]:
    """A good file with some bytes in its middle flipped."""

    def content(broken: Broken) -> bytes:
        whole = bytearray(broken.good(name))
        for at in range(len(whole) // 2, len(whole) // 2 + count):
            whole[at] ^= by
        return bytes(whole)

    return content


SOUND = voice(1.0, 2)
NOISE = random.Random(14).randbytes(40_000)
PAGE = b"\r\n<!DOCTYPE html>\n<html><body>" + b"<p>Please log in.</p>" * 500 + b"</body></html>\n"
HISS = struct.pack("<48000h", *(random.Random(1).choice((-1, 0, 1)) for _ in range(48_000)))

recording("an empty file", "two.wav", "the file is empty", hint="record or export it again", content=fixed(b""))
recording(
    "text named .wav", "two.wav", "not audio: it begins like a text file", hint="put the recording", content=fixed(b"To do: record this\nsoon.\n")
)
recording("a web page named .mp3", "two.mp3", "not audio: it is a web page", hint="download it again", content=fixed(PAGE))
recording("a ZIP archive named .wav", "two.wav", "not audio: it is a ZIP archive", hint="put the recording itself", content=fixed(b"PK\3\4" + NOISE))
recording("noise named .flac", "two.flac", "not audio that ffmpeg can read", hint="another program", content=fixed(NOISE))
recording("zeros named .wav", "two.wav", "not audio: it begins with zeros", hint=AGAIN, content=fixed(bytes(9000)))
recording("a WAV without a data chunk", "two.wav", "there is no data chunk", hint="export it again", content=fixed(wav(b"")[:36]))
recording("a WAV of no length", "two.wav", "its data chunk is empty", hint="export it again", content=fixed(wav(b"")))
recording(
    "digital silence", "two.wav", "silent: nothing in it is louder than -60 LUFS", hint="the right channel?", content=fixed(wav(bytes(200_000)))
)
recording("nothing but hiss", "two.wav", "silent: nothing in it is louder", hint="is it the right file", content=fixed(wav(HISS)))
recording("a film without sound", "two.mp4", "holds pictures only", hint="export its sound", content=lambda broken: broken.good("silent-film.mp4"))
recording(
    "half a WAV", "two.wav", "truncated", "96,000 bytes of audio, 48,000 are there (50 % missing)", hint=AGAIN, content=fixed(wav(SOUND)[:48_044])
)
recording("a WAV less a breath", "two.wav", "truncated", "95,000 are there", hint=AGAIN, content=fixed(wav(SOUND)[:95_044]))
recording("half an AIFF", "two.aiff", "truncated", "50 % missing", hint=AGAIN, content=part_of("good.aiff", 0.5))
recording("half a CAF", "two.caf", "truncated", "bytes of audio", hint=AGAIN, content=part_of("good.caf", 0.5))
recording("half a W64", "two.w64", "truncated", "50 % missing", hint=AGAIN, content=part_of("good.w64", 0.5))
recording("half an RF64", "two.wav", "truncated", "50 % missing", hint=AGAIN, content=part_of("rf64.wav", 0.5))
recording("half a FLAC", "two.flac", "truncated", "3.00 s are promised", hint=AGAIN, content=part_of("good.flac", 0.5))
recording("nearly a whole FLAC", "two.flac", "truncated", "3.00 s are promised", hint=AGAIN, content=part_of("good.flac", 0.96))
recording("half a WavPack", "two.wv", "truncated", hint=AGAIN, content=part_of("good.wv", 0.5))
recording("half an M4A whose index comes last", "two.m4a", "truncated", "index", hint=AGAIN, content=part_of("good.m4a", 0.5))
recording("half an M4A whose index comes first", "two.m4a", "truncated", "3.00 s are promised", hint=AGAIN, content=part_of("fast.m4a", 0.5))
recording("half an MP3 with a Xing header", "two.mp3", "truncated", hint=AGAIN, content=part_of("xing.mp3", 0.5))
recording(
    "an MP3 cut between frames", "two.mp3", "truncated", "126 frames, 106 are there", hint=AGAIN, content=lambda b: b.good("info.mp3")[: -20 * 384]
)
recording(
    "an MP3 that breaks off within a frame",
    "two.mp3",
    "breaks off within a frame, after 3.00 s",
    hint=AGAIN,
    content=lambda b: b.good("cbr.mp3")[:-100],
)
recording("half an Ogg Vorbis", "two.ogg", "truncated", "Ogg page", hint=AGAIN, content=part_of("vorbis.ogg", 0.5))
recording(
    "an Ogg Opus without its last page",
    "two.opus",
    "does not end the stream",
    hint=AGAIN,
    content=lambda b: b.good("good.opus").rpartition(b"OggS")[0],
)
recording("three bad bytes in a FLAC", "two.flac", "damaged", hint=DROPOUT, content=changed("good.flac", 3))
recording("three bad bytes in a FLAC in Matroska", "two.mka", "damaged", hint=DROPOUT, content=changed("good.mka", 3))
recording("a bad stretch in an Ogg", "two.ogg", "damaged", hint=AGAIN, content=changed("vorbis.ogg", 300))
recording("a bad stretch in an MP3", "two.mp3", "damaged: after 1.5", "bytes that are no audio", hint=AGAIN, content=changed("cbr.mp3", 1000))
recording("a bad stretch in an M4A", "two.m4a", "damaged", hint="again", content=changed("fast.m4a", 300))


@case("an in point after the end", FAILED, f"{EPISODE}:11:9: error: two: {RECORDINGS}/two.wav: ", "ends before the in point (75 s)", hint="move `in`")
def _(broken: Broken) -> None:
    broken.edit(EPISODE, "slug: two\n", "slug: two\n    in: '1:15'\n")


@case(
    "an out point past the end",
    FAILED,
    f"{EPISODE}:12:10: error: two: {RECORDINGS}/two.wav: ",
    "ends at 2.00 s, before the out point (9 s)",
    hint="move `out`",
)
def _(broken: Broken) -> None:
    broken.edit(EPISODE, "slug: two\n", "slug: two\n    in: 1\n    out: 9\n")


@case(
    "a recording that the config names",
    FAILED,
    f"{EPISODE}:11:11: error: two: takes/a take.wav: ",
    "the file is empty",
    hint="record or export it again",
)
def _(broken: Broken) -> None:
    broken.write("takes/a take.wav", b"")
    broken.edit(EPISODE, "slug: two\n", "slug: two\n    file: takes/a take.wav\n")


@case("a folder in the place of a recording", FAILED, f"{TWO}.wav: ", "a folder", hint="put the recording in its place")
def _(broken: Broken) -> None:
    (broken.root / RECORDINGS / "two.wav").unlink()
    (broken.root / RECORDINGS / "two.wav").mkdir()


@case("a pipe in the place of a recording", FAILED, f"{TWO}.wav: ", "no file", hint="put the recording in its place")
def _(broken: Broken) -> None:
    (broken.root / RECORDINGS / "two.wav").unlink()
    os.mkfifo(broken.root / RECORDINGS / "two.wav")


OBEDIENT = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search") if os.geteuid() == 0 else ()
"""A command prefix that makes root obey the modes of files, as everybody does."""


def _no_modes() -> str:
    """Why the modes of files do not count here, or nothing."""
    if not OBEDIENT or (shutil.which("setpriv") and subprocess.run((*OBEDIENT, "true"), capture_output=True, check=False).returncode == 0):
        return ""
    return "root may read and write every file"


@case("a recording that may not be read", FAILED, f"{TWO}.wav: ", "Permission denied", hint="make it a readable file", skip=_no_modes)
def _(broken: Broken) -> None:
    (broken.root / RECORDINGS / "two.wav").chmod(0)
    broken.prefix = OBEDIENT


@case(
    "three bad recordings in one run",
    FAILED,
    f"{EPISODE}:7:11: error: one: {RECORDINGS}/one.wav: the file is empty",
    f"{TWO}.flac: truncated",
    f"{EPISODE}:13:11: error: three: {RECORDINGS}/three.mp3: not audio",
    "3 problems",
    hint="record or export it again",
)
def _(broken: Broken) -> None:
    broken.record("one.wav", b"")
    broken.record("two.flac", part_of("good.flac", 0.5)(broken))
    broken.record("three.mp3", PAGE)


@case("music that is no audio", FAILED, f"{EPISODE}:6:16: error: music:intro: theme.mp3: ", "not audio: it is a web page", hint="download it again")
def _(broken: Broken) -> None:
    broken.write("theme.mp3", PAGE)
    broken.edit(EPISODE, "sections:", "music: {intro: theme.mp3}\nsections:")


# -- what is around ----------------------------------------------------------------------------------------------------------------


def touch(broken: Broken) -> None:
    """Give `produce` something to do: another recording."""
    broken.record("two.wav", wav(voice(2.0, 9)))


def say_more(broken: Broken) -> None:
    """Give `produce` something to do that needs no encoding: another tag, and so another file."""
    broken.edit(EPISODE, "About nothing much.", "About something after all.")


def in_namespace(*lines: str) -> tuple[str, ...]:
    """A command prefix that runs shell ``lines`` first, in a mount namespace of its own."""
    script = "\n".join(("set -e", *lines, '"$@"'))
    return ("unshare", "--mount", "sh", "-c", script, "sh")


def _no_mounts() -> str:
    """Why file systems cannot be mounted here, or nothing."""
    if os.geteuid() != 0 or not shutil.which("unshare"):
        return "only root may mount a file system"
    tried = subprocess.run((*in_namespace("mount -t tmpfs -o size=64k tmpfs /mnt"), "true"), capture_output=True, check=False)
    return "" if tried.returncode == 0 else "no file system can be mounted here"


for work, what in ((touch, "a recording is new"), (say_more, "a summary is new")):

    @case(
        f"a build folder that is read-only when {what}",
        FAILED,
        "error: {root}/build",
        "Read-only file system",
        hint="make the file system writable",
        skip=_no_mounts,
    )
    def _(broken: Broken, work: Callable[[Broken], None] = work) -> None:
        work(broken)
        build = broken.root / "build"
        broken.prefix = in_namespace(f"mount --bind '{build}' '{build}'", f"mount -o remount,ro,bind '{build}'")


@case("a build folder that may not be written", FAILED, "error: {root}/build", "Permission denied", hint="make the folder writable", skip=_no_modes)
def _(broken: Broken) -> None:
    touch(broken)
    for path in (broken.root / "build", *(broken.root / "build").rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    broken.prefix = OBEDIENT


def _full(broken: Broken, spare: int) -> None:
    """Leave ``spare`` kilobytes of room in the build folder: a file system that is just large enough. It is copied out again afterwards."""
    build, kept, after = (broken.root / name for name in ("build", "kept", "after/build"))
    used = sum(-(-path.stat().st_size // 4096) * 4 for path in build.rglob("*") if path.is_file())
    mount = f"mount -t tmpfs -o size={used + spare}k,nr_inodes=0 tmpfs '{build}'"
    back = f"trap \"mkdir -p '{after}'; cp -a '{build}/.' '{after}'\" EXIT"
    broken.prefix = in_namespace(f"cp -a '{build}' '{kept}'", mount, f"cp -a '{kept}/.' '{build}'", back)
    broken.results = "after/build"


@case(
    "a disk that is full when a recording is new",
    FAILED,
    "error: {root}/build",
    "No space left on device",
    hint="free some room and run again",
    skip=_no_mounts,
)
def _(broken: Broken) -> None:
    touch(broken)
    _full(broken, 300)


@case(
    "a disk that is full when a summary is new",
    FAILED,
    "error: {root}/build",
    "No space left on device",
    hint="free some room and run again",
    skip=_no_mounts,
)
def _(broken: Broken) -> None:
    say_more(broken)
    _full(broken, 100)


LIMITED = "import os, resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)); os.execv(sys.argv[1], sys.argv[1:])"
for work, what in ((touch, "a recording is new"), (say_more, "a summary is new")):

    @case(f"a limit for files when {what}", FAILED, "error: {root}/build", "File too large", hint="ulimit -f")
    def _(broken: Broken, work: Callable[[Broken], None] = work) -> None:
        work(broken)
        broken.prefix = (sys.executable, "-c", LIMITED)


@case(
    "a file in the place of the store", FAILED, "error: {root}/build/.store", "hint", hint="something that is no folder is in its place: move it away"
)
def _(broken: Broken) -> None:
    shutil.rmtree(broken.root / "build" / ".store")
    broken.write("build/.store", "a file")


@case(
    "a folder in the place of the finished file",
    FAILED,
    "error: {root}/build/episode-01/episode-01.mp3",
    hint="a folder is in the place of a file: move it away",
)
def _(broken: Broken) -> None:
    (broken.root / "build/episode-01/episode-01.mp3").unlink()
    (broken.root / "build/episode-01/episode-01.mp3/inside").mkdir(parents=True)


def ffmpeg_case(name: str, code: int, *says: str, hint: str, script: str | None = None, named: str = "no-such-ffmpeg", at: str = "error: ") -> None:
    """A case whose ffmpeg is a script, or a name."""

    @case(name, code, at, *says, hint=hint)
    def _(broken: Broken) -> None:
        touch(broken)
        broken.env["REAL_FFMPEG"] = broken.env.get("FFMPEG_BINARY") or programs.find()
        broken.env["FFMPEG_BINARY"] = broken.program(script) if script else named


ffmpeg_case(
    "an ffmpeg that is not there", MISSING, "$FFMPEG_BINARY is 'no-such-ffmpeg', which is not a program", hint="name one that is, or unset it"
)
ffmpeg_case("an ffmpeg that fails", MISSING, "is no ffmpeg", hint="name another in $FFMPEG_BINARY", script="exit 1")
ffmpeg_case("an ffmpeg that is another program", MISSING, "is no ffmpeg", hint="pip install", named=sys.executable)
ffmpeg_case(
    "an ffmpeg without MP3", MISSING, "without libmp3lame", hint="name another", script='case "$*" in *-version*) echo ffmpeg version 0;; esac'
)
ffmpeg_case(
    "an ffmpeg that is killed",
    FAILED,
    "ffmpeg was killed by signal 9",
    "the command was:",
    hint="",
    script='case "$*" in *aresample*) kill -9 $$;; *) exec "$REAL_FFMPEG" "$@";; esac',
)
ffmpeg_case(
    "an encoder that is killed",
    FAILED,
    "ffmpeg was killed by signal 9",
    "the command was:",
    hint="",
    script='case "$*" in *write_xing*) kill -9 $$;; *) exec "$REAL_FFMPEG" "$@";; esac',
)
ffmpeg_case(
    "^C",
    INTERRUPTED,
    hint="what was finished is kept, and the next run goes on from there",
    at="interrupted; ",
    script='case "$*" in *aresample*) kill -INT $PPID; exec sleep 20;; *) exec "$REAL_FFMPEG" "$@";; esac',
)

BLOCKED = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {names!r} or name in {names!r}:
            raise {error}(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Blocked())
"""


@case("no ffmpeg at all", MISSING, "error: ", "no ffmpeg", hint="pip install 'distributed-systems-podcast[ffmpeg]'")
def _(broken: Broken) -> None:
    broken.env.pop("FFMPEG_BINARY", None)
    broken.env["PATH"] = str(broken.root / "programs")
    broken.at_start(BLOCKED.format(names=("imageio_ffmpeg",), error="ModuleNotFoundError"))


@case("scratch without a voice", MISSING, "error: ", "voice", hint="pip install", arguments=("episode-01", "--scratch", "-C", "{root}"))
def _(broken: Broken) -> None:
    (broken.root / RECORDINGS / "two.wav").unlink()
    broken.at_start(BLOCKED.format(names=("hibari",), error="ModuleNotFoundError"))


@case(
    "a placeholder for what was recorded",
    FAILED,
    "error: episode-01: scratch build: ",
    "placeholder narration would",
    hint="--replace",
    arguments=("episode-01", "--scratch", "-C", "{root}"),
)
def _(broken: Broken) -> None:
    pytest.importorskip("hibari")
    (broken.root / RECORDINGS / "two.wav").unlink()
    # The voice needs seconds to load, and what it says is of no matter here.
    broken.at_start(
        "import audio.voice, shutil\naudio.voice.speak = lambda text, path: shutil.copy('recordings/one.wav', path)\n".replace(
            "recordings", str(broken.root / RECORDINGS)
        )
    )


@case("a mistake of ours", BUG, "this is a bug in produce; its log is in {root}/build/produce-bug.log", hint="")
def _(broken: Broken) -> None:
    touch(broken)
    broken.at_start("import production.watch\ndel production.watch.Watch.begin\n")


# -- the runs ----------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory, ffmpeg: str) -> Path:
    folder = tmp_path_factory.mktemp("media") / "sounds"
    make_media(folder, ffmpeg)
    return folder


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory, media: Path) -> Path:
    """A project without a mistake, built."""
    root = tmp_path_factory.mktemp("good") / "show"
    make_project(root)
    first = Broken(root, media, environment()).produce(("episode-01", "-C", str(root)))
    assert first.code == OK, first.err
    assert {"episode-01/episode-01.mp3", "episode-01/report.json", "feeds/small.xml"} <= set(first.after)
    return root


Runs = dict[str, tuple[Path, Outcome] | Exception]


@pytest.fixture(scope="module")
def outcomes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, good: Path, media: Path) -> Runs:
    """What came of every case that was asked for: run side by side, because most of a run is one core reading Python."""
    asked = [item.callspec.params.get("case") for item in request.session.items if hasattr(item, "callspec")]
    wanted = {one.name: one for one in asked if isinstance(one, Case) and not one.skip()}
    folder = tmp_path_factory.mktemp("broken")

    def run(number: int, one: Case) -> tuple[Path, Outcome] | Exception:
        root = folder / str(number) / "show"
        copy_of(good, root)
        broken = Broken(root, media, environment())
        try:
            one.plant(broken)
            return root, broken.produce([word.format(root=root) for word in one.arguments])
        except Exception as error:
            return error
        finally:
            shutil.rmtree(root, ignore_errors=True)

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return dict(zip(wanted, pool.map(run, range(len(wanted)), wanted.values()), strict=True))


@pytest.mark.process
@pytest.mark.parametrize("case", CASES, ids=lambda one: one.name)
def test_a_mistake_is_told_with_its_place_and_its_remedy_and_spoils_nothing(case: Case, outcomes: Runs) -> None:
    if reason := case.skip():
        pytest.skip(reason)
    came = outcomes[case.name]
    if isinstance(came, Exception):
        raise came
    root, outcome = came
    said = outcome.err
    assert outcome.code == case.code, said
    assert "Traceback" not in said
    assert outcome.out == ""
    at = case.at.format(root=root)
    assert any(line.startswith(at) for line in said.splitlines()), said
    for words in (*case.says, case.hint):
        assert words in said
    assert outcome.before
    assert outcome.after == outcome.before


def test_there_are_many_mistakes_and_no_two_of_one_name() -> None:
    assert len({one.name for one in CASES}) == len(CASES) > 30


# -- good files that look bad ------------------------------------------------------------------------------------------------------

LIST = b"LIST" + struct.pack("<I", 4) + b"INFO"
ID3V1 = b"TAG" + b"A title that is sung".ljust(125)
JUNK = random.Random(7).randbytes(1500)


def _ape() -> bytes:
    item = struct.pack("<II", 9, 0) + b"Title\0The First"[:15]
    both = [b"APETAGEX" + struct.pack("<IIII", 2000, len(item) + 32, 1, flags) + bytes(8) for flags in (0xA0000000, 0x80000000)]
    return both[0] + item + both[1]


ODD: dict[str, tuple[Callable[[Broken], bytes], float]] = {
    "size-nought.wav": (fixed(wav(SOUND, size=0)), 1.0),
    "size-unknown.wav": (fixed(wav(SOUND, size=0xFFFFFFFF)), 1.0),
    "size-of-sox.wav": (fixed(wav(SOUND, size=0x7FFFF000)), 1.0),
    "size-of-arecord.wav": (fixed(wav(SOUND, size=0x80000000)), 1.0),
    "size-from-before-a-crash.wav": (fixed(wav(SOUND, size=20_000)), 1.0),
    "list-behind.wav": (fixed(wav(SOUND, tail=LIST)), 1.0),
    "list-before.wav": (fixed(wav(SOUND, before=LIST)), 1.0),
    "odd-chunk-behind.wav": (fixed(wav(SOUND, tail=b"weir" + struct.pack("<I", 5) + b"chunk\0")), 1.0),
    "chunk-that-lies.wav": (fixed(wav(SOUND, tail=b"LIST" + struct.pack("<I", 4000) + b"INFO")), 1.0),
    "odd-and-not-padded.wav": (fixed(wav(SOUND + b"\0", tail=LIST)), 1.0),
    "mp3-tag-behind.wav": (fixed(wav(SOUND, tail=ID3V1)), 1.0),
    "zeros-behind.wav": (fixed(wav(SOUND, tail=bytes(9000))), 1.0),
    "float-stereo.wav": (lambda b: b.good("wide.wav"), SOUND_SECONDS),
    "rf.wav": (lambda b: b.good("rf64.wav"), SOUND_SECONDS),
    "id3v1.mp3": (lambda b: b.good("info.mp3") + ID3V1, SOUND_SECONDS),
    "ape.mp3": (lambda b: b.good("cbr.mp3") + _ape(), SOUND_SECONDS),
    "ape-and-id3v1.mp3": (lambda b: b.good("xing.mp3") + _ape() + ID3V1, SOUND_SECONDS),
    "junk-before.mp3": (lambda b: JUNK + b.good("cbr.mp3"), SOUND_SECONDS),
    "junk-behind.mp3": (lambda b: b.good("info.mp3") + JUNK, SOUND_SECONDS),
    "zeros-around.mp3": (lambda b: bytes(900) + b.good("cbr.mp3") + bytes(5000), SOUND_SECONDS),
    "vbr-without-header.mp3": (lambda b: b.good("vbr.mp3"), SOUND_SECONDS),
    "begins-in-the-middle.mp3": (lambda b: b.good("cbr.mp3")[384 * 40 + 100 :], SOUND_SECONDS - 41 * 0.024),
    "two-in-one.mp3": (lambda b: b.good("info.mp3") * 2, 2 * SOUND_SECONDS),
    "film.mp4": (lambda b: b.good("film.mp4"), SOUND_SECONDS),
    "whole.flac": (lambda b: b.good("good.flac"), SOUND_SECONDS),
    "whole.ogg": (lambda b: b.good("vorbis.ogg"), SOUND_SECONDS),
    "whole.opus": (lambda b: b.good("good.opus"), SOUND_SECONDS),
    "whole.caf": (lambda b: b.good("good.caf"), SOUND_SECONDS),
    "whole.w64": (lambda b: b.good("good.w64"), SOUND_SECONDS),
    "whole.aiff": (lambda b: b.good("good.aiff"), SOUND_SECONDS),
    "whole.wv": (lambda b: b.good("good.wv"), SOUND_SECONDS),
    "whole.mka": (lambda b: b.good("good.mka"), SOUND_SECONDS),
}
"""Recordings that are whole whatever they look like, with the seconds in each."""

NAMES = {
    "two words.wav": "size-nought.wav",
    "Überführung – 東京 🎙.wav": "odd-and-not-padded.wav",
    "take 10:30.mp3": "ape-and-id3v1.mp3",
    "%03d 100%.mp3": "junk-before.mp3",
    "-y.mp3": "vbr-without-header.mp3",
    'it\'s "quoted" [a], b;c=d.wav': "chunk-that-lies.wav",
    "back\\slash.OGG": "whole.ogg",
}
"""Names that a shell or a filter would misread, and which of the odd recordings has it."""


def _off(name: str, seconds: float) -> bool:
    """Whether a recording came out longer or shorter than it is; encoders of lossy formats add up to a tenth of a second."""
    return abs(seconds - ODD[name][1]) > (0.1 if "mp" in name else 0.02)


@pytest.mark.process
def test_good_recordings_are_taken_whole_however_odd_they_look(media: Path, tmp_path: Path) -> None:
    broken = Broken(tmp_path, media, {})

    def seconds(name: str) -> float | SourceUnreadable:
        path = broken.write(name, ODD[name][0](broken))
        try:
            take = Take(sources.probe(path), 2)
            found, pcm = measure.measure(take, measure.Cut(trim=False), tmp_path)
            pcm.close()
        except SourceUnreadable as error:
            return error
        return found.profile.length / 48_000

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        found = dict(zip(ODD, pool.map(seconds, ODD), strict=True))
    assert {name: what for name, what in found.items() if isinstance(what, SourceUnreadable) or _off(name, what)} == {}


@pytest.mark.process
def test_odd_recordings_of_odd_names_become_an_episode(good: Path, media: Path, tmp_path: Path) -> None:
    broken = Broken(tmp_path / "show", media, environment())
    copy_of(good, broken.root)
    sections = [{"slug": f"s{number}", "title": name, "part": "exercises", "file": f"odd/{name}"} for number, name in enumerate(NAMES)]
    broken.write(EPISODE, FIRST.partition("sections:")[0] + f"sections: {json.dumps(sections, ensure_ascii=False)}\n")
    for name, odd in NAMES.items():
        broken.write(f"odd/{name}", ODD[odd][0](broken))
    outcome = broken.produce(("episode-01", "-C", "show"))
    assert outcome.code == OK, outcome.err
    report = json.loads((broken.root / "build/episode-01/report.json").read_text())
    found = {one["file"]: one["samples"] / 48_000 for one in report["segments"]}
    assert {name: found[name] for name, odd in NAMES.items() if _off(odd, found[name])} == {}


def test_past_4_gib_a_wav_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    length = (1 << 32) + 50_000_000
    with path.open("wb") as file:
        file.write(wav(b"", size=length & 0xFFFFFFFF))
        file.truncate(44 + length)  # a hole: it takes no room on the disk
    assert sources._wav_length_is_wrong(path, path.stat().st_size)
    assert not sources._wav_length_is_wrong(_plain(tmp_path), len(wav(SOUND)))


def _plain(folder: Path) -> Path:
    (folder / "plain.wav").write_bytes(wav(SOUND))
    return folder / "plain.wav"
