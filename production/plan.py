"""What is to be done, as a value: where every segment lands, how each is rendered, and the key of every chunk. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from audio import editmap, graph, limiter, render, runs, strip, timeline
from audio.editmap import EditMap
from audio.leveling import Level
from audio.mpeg import Format
from audio.render import Edit, Material
from audio.runs import Chunk, Run
from audio.timeline import Chapter, Programme, Segment
from audio.units import FRAME, RATE, Db, Lufs, Samples, samples_from_seconds, seconds
from production import mix
from production.inputs import Input
from production.mix import Trim
from production.model import Episode
from production.store import digest
from production.survey import Fact
from production.under import Beneath

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
    trims: Mapping[str, Trim]
    round: int
    """How often what it sounds like was corrected after it was heard."""
    over: Mapping[str, tuple[float | None, ...]]
    """By how many dB each section's voice lies over what plays under it, in each second; None where nobody speaks."""

    @property
    def frames(self) -> int:
        """Audio frames in the file: one more than the samples fill, because the decoder is late by most of a frame."""
        return self.programme.length // FRAME + 1

    @property
    def scratch(self) -> bool:
        return any(fact.input.scratch for fact in self.facts)

    def fact(self, name: str) -> Fact:
        return next(fact for fact in self.facts if fact.input.name == name)


def level_of(episode: Episode, one: Input) -> Level:
    """The level that a segment is brought to."""
    settings = episode.settings
    music, section = settings.music, one.section
    target = music.level
    if one.kind == "section":
        target = settings.loudness.target
    elif one.kind == "sting" and music.sting_level is not None:
        target = music.sting_level
    elif one.kind == "bed":
        target = section.bed_level if section and section.bed_level is not None else music.bed_level
    return Level(Lufs(target), mix.ceiling_of(episode), Db(settings.loudness.max_gain))


def make(
    episode: Episode,
    facts: Sequence[Fact],
    build: str,
    make_up: Db,
    wide: frozenset[tuple[int, int]] = frozenset(),
    *,
    under: Mapping[str, Beneath] | None = None,
    trims: Mapping[str, Trim] | None = None,
    rounds: int = 0,
) -> Plan:
    """Place the segments and cut the programme. ``make_up`` is what the encoder takes off the level, in dB.

    ``wide`` holds (run, first frame) of chunks that need the long pre-roll, ``under`` what plays under sections, ``trims`` what was found missing.
    """
    settings = episode.settings
    fmt = format_of(episode)
    heard = [fact for fact in facts if fact.input.kind != "bed"]
    materials = mix.materials(episode, heard, fmt.channels, {name: one.layers for name, one in (under or {}).items()}, trims or {})
    lapped = mix.overlaps(episode, heard)
    segments = [_segment(fact, materials[fact.input.name].edit, lapped=fact.input.name in lapped) for fact in heard]
    programme = timeline.place(segments, grid=samples_from_seconds(settings.layout.grid), tail=samples_from_seconds(settings.layout.tail))
    if settings.layout.room_tone:
        programme, materials = mix.toned(programme, materials, heard)
    cut = runs.runs(programme)
    chunks = tuple(runs.chunks(i, run, wide=frozenset(first for of, first in wide if of == i)) for i, run in enumerate(cut))
    contents = {name: _render_key(material) for name, material in materials.items()}
    keys = {chunk: _chunk_key(chunk, run, contents, fmt, make_up, build) for run, parts in zip(cut, chunks, strict=True) for chunk in parts}
    return Plan(
        episode,
        programme,
        fmt,
        tuple(facts),
        materials,
        cut,
        chunks,
        contents,
        keys,
        build,
        make_up,
        wide,
        trims or {},
        rounds,
        {name: one.over for name, one in (under or {}).items()},
    )


def chapters(plan: Plan, images: dict[str, bytes]) -> tuple[Chapter, ...]:
    """The one chapter list that every form is made from."""
    titles = {s.slug: (s.title, s.link, images.get(s.slug)) for s in plan.episode.sections}
    return timeline.chapters(plan.programme, titles)


def edit_map(plan: Plan, name: str) -> EditMap:
    """Where the samples of a section's recording sound in the programme: what was cut out and trimmed away does not, and its tail may sound on under
    the next section.
    """
    fact = plan.fact(name)
    return editmap.edited(fact.measured.start, fact.measured.end, fact.input.beside.stretches, plan.programme.find(name).start)


def _segment(fact: Fact, edit: Edit, *, lapped: bool) -> Segment:
    one = fact.input
    # What overlaps with the one before follows it at once.
    gap = Samples(0) if lapped else one.gap
    return Segment(one.name, one.kind, edit.length, gap, on_grid=one.kind == "section" and not lapped, attached=one.kind == "sting")


def _render_key(material: Material) -> str:
    """The decoded samples of a segment, what is done to them, and what is under them."""
    start = material.take.start if material.take else 0
    under = [{**asdict(one), "take": one.take.start} for one in material.under]
    return digest("render", render.RECIPE, strip.RECIPE, limiter.RECIPE, material.samples, start, asdict(material.edit), under)


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


def sound(plan: Plan) -> str:
    """Names the frames of the finished file."""
    keys = [plan.keys[chunk] for parts in plan.chunks for chunk in parts]
    placed = [(p.segment.name, p.start) for p in plan.programme.placed]
    return digest("audio", keys, placed, plan.programme.length, [plan.fmt.bitrate, plan.fmt.channels])


def trim_key(plan: Plan) -> str:
    """The entry that says what has to change because of how the frames of this plan sound."""
    return digest("trims", RECIPE, sound(plan), asdict(plan.episode.settings.loudness))


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
        "segments": {fact.input.name: _segment_basis(fact, plan.materials.get(fact.input.name)) for fact in plan.facts},
        "layout": asdict(settings.layout),
        "encoding": asdict(settings.encoding),
        "formats": asdict(settings.formats),
        "encoder": plan.build.split("\n")[0],
        # Raised with a release that makes other sound of the same files.
        "recipes": {"chunks": RECIPE, "rendering": render.RECIPE, "strip": strip.RECIPE, "limiter": limiter.RECIPE},
    }


def _segment_basis(fact: Fact, material: Material | None) -> dict[str, Any]:
    if material is None:
        # A bed: what it does to the section it plays under is said there.
        return {"file": fact.input.label, "content": fact.digest, "gain": fact.measured.gain}
    edit = material.edit
    done = edit.strip
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
        "high-pass": done.high_pass,
        "repair": [done.side, list(done.dc)],
        "de-essing": digest(done.deess)[:8] if done.deess else "none",
        "levelling": digest(done.ride)[:8] if done.ride else "none",
        "under it": [digest(one.samples, one.gain, one.duck, one.at, one.length)[:8] for one in material.under],
        "denoise": fact.input.denoise,
        **_said(fact.input),
    }


def _said(one: Input) -> dict[str, Any]:
    """What is said about a recording, if anything is."""
    said = one.beside
    named = {
        "markers": [[m.title, m.start, m.end, m.link] for m in said.markers],
        "transcript": [[cue.start, cue.end, cue.text, cue.speaker] for cue in said.cues],
    }
    return {
        **({"cut": [[seconds(start), seconds(end)] for start, end in said.stretches]} if said.cuts else {}),
        **{name: digest(values)[:8] for name, values in named.items() if values},
    }


def reasons(before: dict[str, Any] | None, now: dict[str, Any]) -> list[str]:
    """Why there is work: what differs between the last build's basis and this plan's."""
    if before is None:
        return ["not built before"]
    found: list[str] = []
    for group in ("layout", "encoding", "formats", "recipes", "tags"):
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
    keys = [*new, *(key for key in old if key not in new)]
    return [f"{name}: {key} {_short(old.get(key))} -> {_short(new.get(key))}" for key in keys if old.get(key) != new.get(key) and key != "file"]


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
