"""report.json: what was measured on the finished file, and what it was made with. Pure; same input, same bytes."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from typing import Any

from audio import ffmpeg
from audio.timeline import Chapter
from audio.units import RATE
from production import mix, sessions
from production.findings import Item
from production.inside import Inside, Placed
from production.plan import Plan
from production.proof import Proof, offset_ms
from production.transcripts import Spoken
from production.versions import version

PAGES = ("report.html", "report.png")
"""What `produce report` draws beside it. They tell of one build, and go when another takes its place."""
_TOOLS = ("distributed-systems-podcast", "mutagen", "pydub", "ffmpeg-python", "numpy", "pillow")


def report(planned: Plan, inside: Inside, spoken: Spoken, proof: Proof, findings: Sequence[Item], *, size: int, sha256: str) -> bytes:
    """The report as JSON text. Loudness and peaks are of the decoded file; ``requested`` stands apart from ``measured``."""
    episode, programme = planned.episode, planned.programme
    content = {
        "episode": episode.id,
        "title": episode.title,
        "scratch": planned.scratch,
        "file": {"name": f"{episode.id}.mp3", "bytes": size, "sha256": sha256},
        "audio": {
            "sample_rate": RATE,
            "channels": planned.fmt.channels,
            "bitrate_kbps": planned.fmt.bitrate,
            "frames": planned.frames,
            "samples": programme.length,
            "duration_s": programme.length / RATE,
        },
        "requested": {"integrated_lufs": episode.settings.loudness.target, "true_peak_dbtp": episode.settings.loudness.true_peak},
        "measured": {"integrated_lufs": _rounded(proof.loudness), "true_peak_dbtp": _rounded(proof.true_peak), "loudness_range_lu": proof.range},
        "convention": _convention(planned.fmt.channels),
        "chapters": [_chapter(planned, chapter, inside, proof) for chapter in inside.sections],
        "segments": [_segment(planned, placed.segment.name) for placed in programme.placed if placed.segment.kind != "tone"],
        "room_tone": [list(one) for one in _room_tone(planned)],
        "planned_minutes": episode.minutes,
        **({"transcript": _transcript(spoken)} if spoken.cues else {}),
        "warnings": [*proof.warnings(planned), *inside.notes, *spoken.notes],
        "findings": list(findings),
        "tools": {"ffmpeg": ffmpeg.version_number(planned.build), **{name: version(name) for name in _TOOLS}},
    }
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()


def _convention(channels: int) -> str:
    if channels == 2:
        return "ITU-R BS.1770-4; mono recordings are placed at full level in both channels and measured as they sound there"
    return "ITU-R BS.1770-4; a mono file is measured as one channel, 3 LU below the same signal on two loudspeakers"


def _transcript(spoken: Spoken) -> dict[str, Any]:
    return {"cues": len(spoken.cues), "sections": list(spoken.sections), "clipped": spoken.clipped, "dropped": spoken.dropped}


def _marker(marker: Placed) -> dict[str, Any]:
    """A marker inside a section, at its place in the programme."""
    ends = {} if marker.end is None else {"end_samples": marker.end}
    said = {"title": marker.title, "start_samples": marker.start, "start_s": marker.start / RATE, **ends, "source": marker.source}
    return {**said, "chapter": marker.chapter, **({"moved": True} if marker.moved else {})}


def _chapter(planned: Plan, chapter: Chapter, inside: Inside, proof: Proof) -> dict[str, Any]:
    placed = planned.programme.find(chapter.slug)
    landing = proof.landings.get(chapter.slug)
    section = next(s for s in planned.episode.sections if s.slug == chapter.slug)
    return {
        "slug": chapter.slug,
        "title": chapter.title,
        "start_samples": chapter.start,
        "end_samples": chapter.end,
        "start_s": chapter.start / RATE,
        "section_start_samples": placed.start,
        "section_end_samples": placed.end,
        "found_offset_ms": offset_ms(landing),
        "likeness": landing.likeness if landing else None,
        "integrated_lufs": _rounded(proof.sections[chapter.slug]),
        "true_peak_dbtp": _rounded(proof.peaks[chapter.slug]),
        "planned_minutes": section.minutes,
        "minutes": round((placed.end - placed.start) / RATE / 60, 2),
        "scratch": planned.fact(chapter.slug).input.scratch,
        "markers": [_marker(one) for one in inside.markers.get(chapter.slug, ())],
        "markers_outside": inside.outside.get(chapter.slug, 0),
    }


def _segment(planned: Plan, name: str) -> dict[str, Any]:
    fact, placed, edit = planned.fact(name), planned.programme.find(name), planned.materials[name].edit
    found = fact.measured
    return {
        "name": name,
        "kind": fact.input.kind,
        "file": fact.input.label,
        "start_samples": placed.start,
        "samples": placed.segment.length,
        "recording_samples": [edit.start, edit.end],
        "source": {"codec": fact.source.codec, "rate": fact.source.rate, "channels": fact.source.channels},
        "recorded_lufs": _rounded(found.loudness),
        "recorded_peak_dbfs": _rounded(found.peak),
        "trimmed_head_s": round((found.start - fact.input.cut.start) / RATE, 3),
        "trimmed_tail_s": round((fact.input.cut.start + found.length - found.end) / RATE, 3),
        "gain_db": edit.gain,
        "limited_to_dbfs": edit.ceiling,
        **(_voice(planned, name) if fact.input.kind == "section" else {}),
    }


def _voice(planned: Plan, name: str) -> dict[str, Any]:
    """What the voice chain did."""
    fact, strip = planned.fact(name), planned.materials[name].edit.strip
    found, wishes = fact.measured, fact.input.wishes
    return {
        "chain": wishes.chain if found.voiced or wishes.chain == "none" else "linear: nobody speaks in it, so it is not lifted",
        "speech_share": found.speech,
        "speech_tenths": None if found.spoken is None else list(found.spoken),
        "noise_lufs": _rounded(found.noise),
        "brightness_db": found.bright,
        "dead_channel": None if strip.side is None else 1 - strip.side,
        "dc_removed": list(strip.dc),
        "high_pass_hz": strip.high_pass,
        "denoise": fact.input.denoise,
        "deessed_share": found.deessed,
        "levelled_db": list(found.moved),
        "under": [*_overlap(planned, name), *_bed(planned, name)],
        "voice_over_music_db": _over(planned.over.get(name, ()), planned.episode.settings.music.over_bed),
        **({"tracks": sessions.report(fact)} if fact.input.session else {}),
        "room_tone_s": None if found.room is None else round((found.room.end - found.room.start) / RATE, 2),
    }


def _bed(planned: Plan, name: str) -> Iterator[dict[str, Any]]:
    """Where its bed plays, from where the section begins."""
    bed = next((fact for fact in planned.facts if fact.input.name == f"bed:{name}"), None)
    for layer in planned.materials[name].under if bed else ():
        if bed and layer.samples == bed.samples:
            yield {"kind": "bed", "file": bed.input.label, "at_samples": layer.at, "samples": layer.length}


def _overlap(planned: Plan, name: str) -> Iterator[dict[str, Any]]:
    """What sounds on under its beginning: the end of the segment before."""
    heard = [fact for fact in planned.facts if fact.input.kind != "bed"]
    if one := mix.overlaps(planned.episode, heard).get(name):
        before = one.before.input
        yield {"kind": before.kind, "file": before.label, "at_samples": 0, "samples": one.length}


def _room_tone(planned: Plan) -> Iterator[tuple[int, int]]:
    """Where nothing is heard but the tone of a room, in samples of the programme."""
    begins = ends = 0
    for one in planned.programme.placed:
        if one.segment.kind == "tone":
            if one.start != ends and ends > begins:
                yield begins, ends
            begins, ends = (begins if one.start == ends and ends > begins else one.start), one.end
    if ends > begins:
        yield begins, ends


def _over(seconds: Sequence[float | None], asked: float) -> dict[str, Any] | None:
    """By how many dB the voice lies over the music under it: asked, the least, and every second (null: nobody speaks, or there is no music)."""
    heard = [value for value in seconds if value is not None]
    return {"asked": asked, "least": min(heard), "each_second": list(seconds)} if heard else None


def _rounded(value: float) -> float | None:
    return round(value, 2) if math.isfinite(value) else None
