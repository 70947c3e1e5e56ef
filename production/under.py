"""What plays under the sections: beds, and the intro that goes on under the first words. How far music steps back is decided from both profiles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from audio import bed, speech, strip
from audio.profile import RECIPE as PROFILE
from audio.profile import STEP, STEPS_PER_BLOCK, Profile, from_curve
from audio.render import Under
from audio.units import RATE, Samples, samples_from_seconds
from production import mix
from production.model import Episode, Section
from production.store import Store, digest
from production.survey import GUESSED, Fact

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

RECIPE = 3
"""Raised when the same music would be put under the same voice otherwise."""
_FADE = RATE * 3 // 2
"""Samples over which a bed comes and goes."""
_SHORTEST = RATE // 2
_NOTHING_UNDER = 60.0
"""dB over what plays under it from which there is nothing to be said of it."""


ProfileOf = Callable[[Fact], Profile]
"""Gives the profile of a recording that was measured."""


@dataclass(frozen=True, slots=True)
class Beneath:
    """What plays under a section, and by how many dB the voice lies over it in each second (None: nobody speaks)."""

    layers: tuple[Under, ...]
    over: tuple[float | None, ...]


def under(episode: Episode, facts: Sequence[Fact], store: Store, profile_of: ProfileOf) -> dict[str, Beneath]:
    """What plays under each section, by its name. What was worked out before is taken from the store; guessed recordings have nothing under them."""
    heard = [fact for fact in facts if fact.input.kind != "bed"]
    known = {fact.input.name: fact for fact in facts if fact.samples != GUESSED}
    lapped = mix.overlaps(episode, heard)
    shortened = {one.before.input.name: one.length for one in lapped.values()}
    work = _Work(episode, store, profile_of)
    found: dict[str, Beneath] = {}
    for fact in heard:
        name, section = fact.input.name, fact.input.section
        if section is None or name not in known:
            continue
        layers: list[tuple[Under, Fact, bool]] = []
        if (music := known.get(f"bed:{name}")) and (layer := _bed(section, Samples(mix.length(fact) - shortened.get(name, 0)), music)):
            layers.append((layer, music, True))
        if (one := lapped.get(name)) and one.before.input.kind == "intro" and one.before.input.name in known:
            layers.append((mix.tail(one, one.before.measured.gain, one.before.measured.strip), one.before, False))
        if layers:
            found[name] = work.ducked(fact, layers)
    return found


def _bed(section: Section, size: Samples, music: Fact) -> Under | None:
    """The bed's place under its section of ``size`` samples; where it goes round is not known yet."""
    begins = samples_from_seconds(section.bed_from)
    ends = min(size, size if section.bed_to is None else samples_from_seconds(section.bed_to))
    if ends - begins < _SHORTEST:
        return None
    known = music.measured.length
    fade = Samples(min(_FADE, (ends - begins) // 3))
    return Under(
        samples=music.samples,
        take=music.take,
        known=known,
        first=Samples(0),
        start=Samples(0),
        end=known,
        lap=Samples(0),
        at=begins,
        length=Samples(ends - begins),
        gain=music.measured.gain,
        fade_in=fade,
        fade_out=fade,
    )


@dataclass(frozen=True)
class _Work:
    episode: Episode
    store: Store
    profile_of: ProfileOf

    def ducked(self, voice: Fact, layers: Sequence[tuple[Under, Fact, bool]]) -> Beneath:
        """The layers with their rounds, and with the curves that keep them under the voice."""
        over = self.episode.settings.music.over_bed
        asked = [[{**asdict(layer), "take": ""}, music.profile, looped] for layer, music, looped in layers]
        key = digest("under", RECIPE, PROFILE, strip.RECIPE, asked, asdict(voice.measured), voice.profile, over)
        kept = self.store.value(key)
        if kept is None:
            kept = self._worked_out(voice, layers, over)
            self.store.put_value(key, kept)
        made = (replace(layer, **said) for (layer, _, _), said in zip(layers, kept["layers"], strict=True))
        return Beneath(tuple(made), tuple(kept["over"]))

    def _worked_out(self, voice: Fact, layers: Sequence[tuple[Under, Fact, bool]], over: float) -> dict[str, Any]:
        import numpy as np

        spoken = self.profile_of(voice)
        classes = speech.tell(spoken.level, spoken.momentary, spoken.treble)
        rode = strip.curve(voice.measured.strip.ride)
        level = spoken.level + (rode[: len(spoken.level)] if len(rode) else np.float32(0)) + np.float32(voice.measured.gain)
        # Where the voice's own step lies beside the music's is right within 10 ms, and the curves look further around than that. Everything is
        # counted from a whole block of 100 ms, a little before the section begins.
        origin = (voice.measured.start - voice.take.start) // STEP
        block = origin // STEPS_PER_BLOCK
        lead = origin - block * STEPS_PER_BLOCK
        heard = level[block * STEPS_PER_BLOCK : origin + -(-mix.length(voice) // STEP)]
        said = classes[block : block + -(-len(heard) // STEPS_PER_BLOCK)]
        together = np.zeros(len(heard))
        placed: list[tuple[int, int]] = []
        rounds: list[dict[str, Any]] = []
        for layer, music, looped in layers:
            played = self.profile_of(music)
            rounds.append(_rounds(layer, played) if looped and layer.first + layer.length > played.length else {})
            first = lead + layer.at // STEP
            last = min(first + -(-layer.length // STEP), len(heard))
            sound = played.level[_steps_heard(replace(layer, **rounds[-1]), last - first, len(played.level))]
            together[first:last] += 10 ** ((sound + layer.gain) / 10)
            placed.append((first, last))
        # One curve for all of them: each by itself would leave their sum louder than it may be.
        beneath = (10 * np.log10(together + 1e-12)).astype("f4")
        curve = bed.duck(heard, said, beneath, over)
        seconds = bed.over_per_second(heard, said, beneath + curve)
        return {
            "layers": [{**said_of, "duck": from_curve(curve[first:last])} for said_of, (first, last) in zip(rounds, placed, strict=True)],
            "over": [round(float(value), 1) if value < _NOTHING_UNDER else None for value in seconds],
        }


def _rounds(layer: Under, played: Profile) -> dict[str, Any]:
    """Where music goes round that is shorter than what it plays under."""
    loop = bed.loop(played.level, played.peak, played.treble)
    return {name: Samples(min(value * STEP, layer.known)) for name, value in (("start", loop.start), ("end", loop.end), ("lap", loop.lap))}


def _steps_heard(layer: Under, count: int, known: int) -> NDArray[np.int64]:
    """The step of the music that sounds in each step of the layer's life."""
    import numpy as np

    at = np.arange(count) + layer.first // STEP
    start, end = layer.start // STEP, max(layer.start // STEP + 1, layer.end // STEP)
    return np.minimum(np.where(at >= end, start + (at - end) % (end - start), at), known - 1)
