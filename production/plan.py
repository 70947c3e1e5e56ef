"""What is to be done, as a value: where every segment lands, how each is rendered, and the key of every chunk. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from audio import graph, limiter, render, runs, timeline
from audio.leveling import Level
from audio.mpeg import Format
from audio.render import Edit, Material
from audio.runs import Chunk, Run
from audio.timeline import Chapter, Programme, Segment
from audio.units import FRAME, RATE, Db, Lufs, Samples, samples_from_seconds, seconds
from production.inputs import Input
from production.model import Episode
from production.store import digest
from production.survey import Fact

PEAK_MARGIN = Db(1.0)
"""The limiter's ceiling lies this far under the true-peak ceiling: the encoder moves peaks, and some lie between samples."""
RECIPE = 2
"""Raised when the same plan would give other bytes for a reason that no command line shows."""


@dataclass(frozen=True)
class Plan:
    """An episode's programme and everything that is needed to make it.

    ``contents`` digests what each segment sounds like, ``keys`` names the store entry of each chunk.
    """

    episode: Episode
    programme: Programme
    fmt: Format
    facts: tuple[Fact, ...]
    materials: dict[str, Material]
    runs: tuple[Run, ...]
    chunks: tuple[tuple[Chunk, ...], ...]
    contents: dict[str, str]
    keys: dict[Chunk, str]
    build: str
    make_up: Db
    wide: frozenset[tuple[int, int]]

    @property
    def frames(self) -> int:
        """Audio frames in the file: one more than the samples fill, because the decoder is late by most of a frame."""
        return self.programme.length // FRAME + 1

    @property
    def scratch(self) -> bool:
        return any(fact.input.scratch for fact in self.facts)

    def fact(self, name: str) -> Fact:
        return next(fact for fact in self.facts if fact.input.name == name)


def ceiling_of(episode: Episode) -> Db:
    """The limiter's ceiling in dBFS."""
    return Db(round(episode.settings.loudness.true_peak - PEAK_MARGIN, 2))


def level_of(episode: Episode, one: Input) -> Level:
    """The level that a segment is brought to."""
    settings = episode.settings
    target = settings.loudness.target if one.kind == "section" else settings.music.level
    return Level(Lufs(target), ceiling_of(episode), Db(settings.loudness.max_gain))


def make(episode: Episode, facts: Sequence[Fact], build: str, make_up: Db, wide: frozenset[tuple[int, int]] = frozenset()) -> Plan:
    """Place the segments and cut the programme. ``make_up`` is what the encoder takes off the level, in dB.

    ``wide`` holds (run, first frame) of chunks that need the long pre-roll.
    """
    settings = episode.settings
    fmt = format_of(episode)
    materials = {fact.input.name: Material(fact.take, _edit(episode, fact, fmt.channels)) for fact in facts}
    segments = [_segment(fact, materials[fact.input.name].edit) for fact in facts]
    programme = timeline.place(segments, grid=samples_from_seconds(settings.layout.grid), tail=samples_from_seconds(settings.layout.tail))
    cut = runs.runs(programme)
    chunks = tuple(runs.chunks(i, run, wide=frozenset(first for of, first in wide if of == i)) for i, run in enumerate(cut))
    contents = {fact.input.name: _render_key(fact, materials[fact.input.name]) for fact in facts}
    keys = {chunk: _chunk_key(chunk, run, contents, fmt, make_up, build) for run, parts in zip(cut, chunks, strict=True) for chunk in parts}
    return Plan(episode, programme, fmt, tuple(facts), materials, cut, chunks, contents, keys, build, make_up, wide)


def chapters(plan: Plan, images: dict[str, bytes]) -> tuple[Chapter, ...]:
    """The one chapter list that every form is made from."""
    titles = {s.slug: (s.title, s.link, images.get(s.slug)) for s in plan.episode.sections}
    return timeline.chapters(plan.programme, titles)


def _segment(fact: Fact, edit: Edit) -> Segment:
    one = fact.input
    return Segment(one.name, one.kind, edit.length, one.gap, on_grid=one.kind == "section", attached=one.kind == "sting")


def _edit(episode: Episode, fact: Fact, channels: int) -> Edit:
    settings, found, section = episode.settings, fact.measured, fact.input.section
    gain = Db(section.gain) if section and section.gain is not None else found.gain
    ceiling = ceiling_of(episode)
    length = found.end - found.start
    fade_in = fade_out = 0.0
    if section:
        fade_in = settings.fades.fade_in if section.fade_in is None else section.fade_in
        fade_out = settings.fades.fade_out if section.fade_out is None else section.fade_out
    return Edit(
        start=found.start,
        end=found.end,
        gain=gain,
        # A section that never comes near the ceiling is not touched by a limiter at all.
        ceiling=ceiling if found.peak + gain > ceiling - 1.0 else None,
        fade_in=Samples(min(samples_from_seconds(fade_in), length // 2)),
        fade_out=Samples(min(samples_from_seconds(fade_out), length // 2)),
        channels=channels,
    )


def _render_key(fact: Fact, material: Material) -> str:
    """The decoded samples of a segment, and what is done to them."""
    return digest("render", render.RECIPE, limiter.RECIPE, fact.samples, material.take.start, asdict(material.edit))


def _chunk_key(chunk: Chunk, run: Run, contents: dict[str, str], fmt: Format, make_up: Db, build: str) -> str:
    """Everything that a chunk's bytes depend on, and nothing else: not where in the programme it lies."""
    start, end = chunk.start_sample, chunk.start_sample + chunk.input_samples
    heard = [
        (
            contents[part.name],
            max(start, part.offset) - part.offset,
            min(end, part.offset + part.length) - part.offset,
            max(start, part.offset) - start,
        )
        for part in run.parts
        if part.offset < end and part.offset + part.length > start
    ]
    command = [graph.RECIPE, fmt.bitrate, fmt.channels]
    return digest("chunk", RECIPE, heard, end - start, chunk.kept_frames(run), command, make_up, build)


def no_join_key(plan: Plan, before: Chunk, after: Chunk) -> str:
    """The entry that says that of these two encodes the second cannot follow the first."""
    return digest("no join", RECIPE, plan.keys[before], plan.keys[after])


def format_of(episode: Episode) -> Format:
    encoding = episode.settings.encoding
    return Format(encoding.bitrate, 2 if encoding.channels == "stereo" else 1)


def encoder_key(what: str, fmt: Format, build: str) -> str:
    """The entry of something that only depends on the encoder and its format."""
    return digest(what, RECIPE, asdict(fmt), build)


def basis(plan: Plan) -> dict[str, Any]:
    """What a build was made from, in words that a reason can be made of: kept in the receipt and compared with the next plan's."""
    settings = plan.episode.settings
    return {
        "segments": {fact.input.name: _segment_basis(fact, plan.materials[fact.input.name].edit) for fact in plan.facts},
        "layout": asdict(settings.layout),
        "encoding": asdict(settings.encoding),
        "encoder": plan.build.split("\n")[0],
        # Raised with a release that makes other sound of the same files.
        "recipes": {"chunks": RECIPE, "rendering": render.RECIPE, "limiter": limiter.RECIPE},
    }


def _segment_basis(fact: Fact, edit: Edit) -> dict[str, Any]:
    return {
        "file": fact.input.label,
        "content": fact.digest,
        "in": round(seconds(edit.start), 3),
        "out": round(seconds(edit.end), 3),
        "gain": edit.gain,
        "limiter": edit.ceiling,
        "fade in": round(edit.fade_in / RATE, 3),
        "fade out": round(edit.fade_out / RATE, 3),
        "gap": round(fact.input.gap / RATE, 3),
    }


def reasons(before: dict[str, Any] | None, now: dict[str, Any]) -> list[str]:
    """Why there is work: what differs between the last build's basis and this plan's."""
    if before is None:
        return ["not built before"]
    found: list[str] = []
    for group in ("layout", "encoding", "recipes", "tags"):
        old, new = before.get(group, {}), now.get(group, {})
        found += [f"{key}: {_short(old.get(key))} -> {_short(new.get(key))}" for key in new if old.get(key) != new.get(key)]
    if before.get("encoder") != now.get("encoder"):
        found.append(f"encoder: {before.get('encoder')} -> {now.get('encoder')}")
    old, new = before.get("segments", {}), now["segments"]
    found += [f"{name} is gone" for name in old if name not in new]
    found += [f"{name} is new" for name in new if name not in old]
    for name in new:
        if name in old and old[name] != new[name]:
            found += segment_reasons(name, old[name], new[name])
    return found


def segment_reasons(name: str, old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    if old.get("content") != new["content"]:
        return [f"{name}: {new['file']} changed" if old.get("file") == new["file"] else f"{name}: {old.get('file')} -> {new['file']}"]
    return [f"{name}: {key} {_short(old.get(key))} -> {_short(new[key])}" for key in new if old.get(key) != new[key] and key != "file"]


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
