"""Command lines, word by word: a change in one is a change in what is heard, and renews every key.

The golden files are renewed with ``UPDATE_GOLDEN=1 pytest tests/audio/test_graph.py``; read the difference before keeping it.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from audio import graph
from audio.graph import Edit
from audio.source import Source
from audio.units import RATE, Db, Samples

GOLDEN = Path(__file__).parent / "golden"
MONO = Source(Path("/show/a: b.wav"), "pcm_s24le", 44_100, 1, 60.0)
STEREO = Source(Path("/show/voice.flac"), "flac", RATE, 2, 60.0)
SURROUND = Source(Path("/show/room.wav"), "pcm_f32le", RATE, 6, 60.0)
STREAMED = Source(Path("/show/endless.wav"), "pcm_s16le", RATE, 1, None, ignore_length=True)
PLAIN = Edit(Samples(0), Samples(10 * RATE), Db(0.0), None, Samples(0), Samples(0), 2)
WHOLE = Edit(Samples(4800), Samples(9 * RATE), Db(-3.456), Db(-2.0), Samples(480), Samples(2400), 2)
TO_MONO = Edit(Samples(0), Samples(RATE), Db(6.0), None, Samples(0), Samples(0), 1)

COMMANDS = {
    "describe": graph.describe("ffmpeg", MONO.path, False),
    "describe-streamed": graph.describe("ffmpeg", STREAMED.path, True),
    "measure-dual-mono": graph.measure("ffmpeg", MONO, 2, Samples(0), None),
    "measure-stretch-of-surround": graph.measure("ffmpeg", SURROUND, 1, Samples(RATE), Samples(5 * RATE)),
    "render-plain": graph.render("ffmpeg", STEREO, PLAIN),
    "render-whole": graph.render("ffmpeg", MONO, WHOLE),
    "render-to-mono": graph.render("ffmpeg", STEREO, TO_MONO),
    "render-surround": graph.render("ffmpeg", SURROUND, PLAIN),
    "render-streamed": graph.render("ffmpeg", STREAMED, PLAIN),
    "encode": graph.encode("ffmpeg", 128, 2, Db(0.45)),
    "encode-mono": graph.encode("ffmpeg", 64, 1, Db(0.0)),
    "verify": graph.verify("ffmpeg", Samples(1105), Samples(144_000)),
    "decode": graph.decode_frames("ffmpeg", Samples(12_625), Samples(48_000)),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_the_golden_one_word_for_word(name: str) -> None:
    golden = GOLDEN / f"{name}.txt"
    text = "\n".join(COMMANDS[name]) + "\n"
    if os.environ.get("UPDATE_GOLDEN") == "1":
        golden.write_text(text)
    assert text == golden.read_text()


def test_no_command_stays_in_the_goldens_after_it_is_gone() -> None:
    assert {path.stem for path in GOLDEN.glob("*.txt")} == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_asks_nothing_and_takes_a_colon_for_a_colon(name: str) -> None:
    argv = COMMANDS[name]
    assert argv[0] == "ffmpeg"
    assert "-nostdin" in argv
    assert argv[argv.index("-i") + 1].startswith(("file:", "pipe:"))


def test_an_edit_is_as_long_as_its_stretch() -> None:
    assert WHOLE.length == 9 * RATE - 4800
