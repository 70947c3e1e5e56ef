"""Reports of finished episodes that nobody built: as report.json has them, and the curves that go with them."""

from __future__ import annotations

from typing import Any

import numpy as np

from audio.units import RATE
from production.curves import Curves
from production.pages import facts

MINUTES = (8.0, 40.0, 35.0, 35.0, 17.0)
"""Of the sections that a report has if nothing else is said."""


def report(
    episode: str = "episode-14", *, title: str = "Event-Driven Architecture", minutes: tuple[float, ...] = MINUTES, **said: Any
) -> dict[str, Any]:
    """A report of sections of these minutes, one after the other."""
    edges = np.cumsum([0, *(round(one * 60) * RATE for one in minutes)]).tolist()
    names = [f"section-{number}" for number in range(1, len(minutes) + 1)]
    return {
        "episode": episode,
        "title": title,
        "scratch": False,
        "file": {"name": f"{episode}.mp3", "bytes": edges[-1] // 3, "sha256": "ab" * 32},
        "audio": {"sample_rate": RATE, "channels": 2, "bitrate_kbps": 128, "frames": 1, "samples": edges[-1], "duration_s": edges[-1] / RATE},
        "requested": {"integrated_lufs": -16.0, "true_peak_dbtp": -1.0},
        "measured": {"integrated_lufs": -16.08, "true_peak_dbtp": -1.86, "loudness_range_lu": 4.7},
        "convention": "ITU-R BS.1770-4",
        "chapters": [
            {
                "slug": name,
                "title": f"Section {number}",
                "start_samples": start,
                "end_samples": end,
                "start_s": start / RATE,
                "section_start_samples": start,
                "section_end_samples": end,
                "found_offset_ms": 0.0,
                "likeness": 1.0,
                "integrated_lufs": -16.0 - number / 10,
                "true_peak_dbtp": -2.0,
                "planned_minutes": 30.0,
                "minutes": (end - start) / RATE / 60,
                "scratch": False,
            }
            for number, (name, start, end) in enumerate(zip(names, edges, edges[1:], strict=False), 1)
        ],
        "segments": [
            {
                "name": name,
                "kind": "section",
                "file": f"{name}.wav",
                "recorded_lufs": -24.0 + number,
                "recorded_peak_dbfs": -3.0,
                "gain_db": 8.0 - number,
                "limited_to_dbfs": -2.5,
                "chain": "voice",
                "speech_share": 0.8,
                "noise_lufs": -60.0,
                "brightness_db": -22.0,
                "dead_channel": None,
                "dc_removed": [],
                "high_pass_hz": 70.0,
                "denoise": "off",
                "deessed_share": 0.01,
                "levelled_db": [2.0, -3.0],
                "voice_over_music_db": None,
                "room_tone_s": None,
            }
            for number, name in enumerate(names, 1)
        ],
        "planned_minutes": 180.0,
        "warnings": [],
        "tools": {"ffmpeg": "5.1", "distributed-systems-podcast": "0.1.0"},
        **said,
    }


def finding(severity: str = "warning", **said: Any) -> dict[str, Any]:
    return {
        "detector": "plosive",
        "severity": severity,
        "where": "recording",
        "section": "section-2",
        "file": "section-2.wav",
        "start_s": 600.0,
        "recording_s": 120.0,
        "length_s": 0.2,
        "figure": 12.0,
        "unit": "dB",
        "words": "a thump 12 dB over the voice",
        **said,
    }


def curves(seconds: float, *, momentary: float = -16.0, peak: float = -4.0) -> Curves:
    """A file that is as loud throughout, but for a second of silence every ten."""
    steps = int(seconds * 10)
    still = np.arange(steps) % 100 < 10
    return Curves(*(np.where(still, -120.0, level).astype("f4") for level in (momentary, peak)))


def episode(**said: Any) -> facts.Episode:
    found = report(**said)
    return facts.episode(found, curves(found["audio"]["duration_s"]))
