"""An episode as a plain pydub script makes it, the way people write it: ``with_pydub.py STING OUT SECTION...``"""

from __future__ import annotations

import sys

from pydub import AudioSegment

TARGET_DBFS = -16


def main(sting: str, out: str, *sections: str) -> None:
    announce = AudioSegment.from_file(sting)
    episode = AudioSegment.empty()
    for path in sections:
        section = AudioSegment.from_file(path)
        section = section.apply_gain(TARGET_DBFS - section.dBFS)
        episode += AudioSegment.silent(duration=2000) + announce + AudioSegment.silent(duration=500) + section
    episode.export(out, format="mp3", bitrate="128k")


if __name__ == "__main__":
    main(*sys.argv[1:])
