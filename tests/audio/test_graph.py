"""Command lines, word by word: a change in one is a change in what is heard, and renews every key by way of `graph.RECIPE`.

The golden files are renewed with ``UPDATE_GOLDEN=1 pytest tests/audio/test_graph.py``; read the difference before keeping it.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import pytest

from audio import graph
from audio.source import Source
from audio.units import RATE, Samples

GOLDEN = Path(__file__).parent / "golden"
MONO = Source(Path("/show/a: b.wav"), "pcm_s24le", 44_100, 1, 60.0)
STEREO = Source(Path("/show/voice.flac"), "flac", RATE, 2, 60.0)
SURROUND = Source(Path("/show/room.wav"), "pcm_f32le", RATE, 6, 60.0)
STREAMED = Source(Path("/show/endless.wav"), "pcm_s16le", RATE, 1, None, ignore_length=True)
ALL, STRETCH = (Samples(0), None), (Samples(RATE), Samples(5 * RATE))

COMMANDS = {
    "describe": graph.describe("ffmpeg", MONO.path, False),
    "describe-streamed": graph.describe("ffmpeg", STREAMED.path, True),
    "decode-mono": graph.decode("ffmpeg", MONO, 2, *ALL),
    "decode-stretch-of-flac": graph.decode("ffmpeg", STEREO, 2, *STRETCH),
    "decode-to-mono": graph.decode("ffmpeg", STEREO, 1, *ALL),
    "decode-surround": graph.decode("ffmpeg", SURROUND, 2, *ALL),
    "decode-surround-to-mono": graph.decode("ffmpeg", SURROUND, 1, *STRETCH),
    "decode-streamed": graph.decode("ffmpeg", STREAMED, 1, Samples(RATE), None),
    "decode-frames": graph.decode_frames("ffmpeg", Samples(12_625), Samples(48_000)),
    "encode": graph.encode("ffmpeg", 128, 2),
    "encode-mono": graph.encode("ffmpeg", 64, 1),
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


RECIPES = {1: "6a141774be8fc6ed", 2: "8d6add175c99fcbd"}
"""The digest of the commands whose results are kept, by recipe. A change adds a line: where one is changed, old sound is taken for new."""


def test_commands_that_changed_have_another_recipe() -> None:
    kept = [(name, argv) for name, argv in sorted(COMMANDS.items()) if not name.startswith("describe")]
    assert hashlib.sha256(repr(kept).encode()).hexdigest()[:16] == RECIPES[graph.RECIPE]
    assert max(RECIPES) == graph.RECIPE


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_asks_nothing_and_takes_a_colon_for_a_colon(name: str) -> None:
    argv = COMMANDS[name]
    assert argv[0] == "ffmpeg"
    assert "-nostdin" in argv
    assert argv[argv.index("-i") + 1].startswith(("file:", "pipe:"))


def test_a_command_depends_on_the_take_and_not_on_where_it_lies() -> None:
    # the path is the one thing that is not in the key of the decoded samples
    here, there = (graph.decode("", replace(MONO, path=path), 2, *STRETCH) for path in (Path(), Path("/else/where.wav")))
    assert [word for word in here if word not in there] == ["file:."]
    for other in (graph.decode("", MONO, 2, *ALL), graph.decode("", STEREO, 2, *STRETCH), graph.decode("", replace(MONO, channels=6), 2, *STRETCH)):
        assert [word for word in other if not word.startswith("file:")] != [word for word in here if not word.startswith("file:")]
