"""A season in figures, one row an episode, and which of them stand out. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from production.pages.facts import Episode, Section
from production.pages.scales import plain

LEAST = 8
"""Episodes that a measure must be known of before any of them can stand out."""
TIMES = 5.0
"""How many deviations from the median an ordinary episode keeps within."""
_DEVIATION = 1.4826
"""The standard deviation of what is distributed normally, in median absolute deviations."""


@dataclass(frozen=True, slots=True)
class Measure:
    """Something that is measured of every episode. ``ordinary`` is a distance from the median that nobody minds, however alike the others are;
    ``upwards``: to have less of it than the others is nothing to be told.
    """

    name: str
    unit: str
    ordinary: float
    digits: int = 1
    above: str = "over"
    below: str = "under"
    upwards: bool = False


MEASURES = (
    Measure("length to plan", "%", 12.0, 0),
    Measure("loudness", "LUFS", 0.5, 1, "louder than", "quieter than"),
    Measure("range", "LU", 2.0),
    Measure("true peak", "dBTP", 1.0, upwards=True),
    Measure("noise floor", "LUFS", 6.0, upwards=True),
    Measure("tone", "dB", 3.0, 1, "brighter than", "duller than"),
    Measure("speech", "%", 10.0, 0),
    Measure("findings", "", 5.0, 0, upwards=True),
)
LENGTH, LOUDNESS, RANGE, PEAK, NOISE, TONE, SPEECH, FINDINGS = MEASURES
RULE = (
    f"An episode stands out where it is further from the season’s median than {TIMES:g} robust standard deviations ({_DEVIATION} times the median "
    f"absolute deviation), and further than nobody minds "
    f"({', '.join(f'{one.name} {one.ordinary:g} {one.unit}'.strip() for one in MEASURES)}). "
    f"Less noise, lower peaks and fewer findings than the others have are nothing to be told. "
    f"A measure is judged once it is known of {LEAST} episodes; episodes of placeholder narration are not counted."
)


@dataclass(frozen=True)
class Row:
    """An episode of the season. ``values`` are in the order of `MEASURES` (None: not known); ``noisiest`` is the section that has the noise."""

    id: str
    number: int
    title: str
    minutes: float
    planned: float | None
    scratch: bool
    values: tuple[float | None, ...]
    noisiest: str = ""

    def value(self, measure: Measure) -> float | None:
        return self.values[MEASURES.index(measure)]


@dataclass(frozen=True)
class Bounds:
    """Of a measure: the median of the season, and how far an ordinary episode is from it at most."""

    middle: float
    reach: float


@dataclass(frozen=True)
class Mark:
    """A measure by which an episode stands out, and why in words."""

    measure: Measure
    words: str


def row(number: int, one: Episode) -> Row:
    """The figures of an episode. Noise is that of its noisiest section, tone and speech are means by how long is spoken, or how long it is."""
    minutes = one.seconds / 60
    noisiest = max((section for section in one.voiced if section.noise is not None), key=lambda section: section.noise or 0.0, default=None)
    speech = _mean([(section.speech, section.minutes) for section in one.sections])
    values = (
        100 * (minutes / one.planned - 1) if one.planned else None,
        one.loudness,
        one.range,
        one.peak,
        noisiest.noise if noisiest else None,
        _mean([(section.bright, _spoken(section)) for section in one.voiced]),
        None if speech is None else 100 * speech,
        float(sum(finding.severity != "note" for finding in one.findings)),
    )
    return Row(one.id, number, one.title, minutes, one.planned, one.scratch, values, noisiest.title if noisiest else "")


def _spoken(section: Section) -> float:
    return section.minutes * (section.speech or 0.0)


def _mean(weighted: Sequence[tuple[float | None, float]]) -> float | None:
    known = [(value, weight) for value, weight in weighted if value is not None and weight > 0]
    return sum(value * weight for value, weight in known) / sum(weight for _, weight in known) if known else None


def bounds(rows: Sequence[Row], measure: Measure) -> Bounds | None:
    """What is ordinary of a measure in this season; None when it is known of too few episodes."""
    known = [value for one in rows if not one.scratch and (value := one.value(measure)) is not None]
    if len(known) < LEAST:
        return None
    middle = median(known)
    deviation = _DEVIATION * median(abs(value - middle) for value in known)
    return Bounds(middle, max(TIMES * deviation, measure.ordinary))


def marks(rows: Sequence[Row]) -> dict[str, tuple[Mark, ...]]:
    """By which measures each episode stands out; only those that do."""
    ordinary = {measure: bounds(rows, measure) for measure in MEASURES}
    found = {one.id: tuple(_marks(one, ordinary)) for one in rows if not one.scratch}
    return {name: said for name, said in found.items() if said}


def _marks(one: Row, ordinary: dict[Measure, Bounds | None]) -> Iterator[Mark]:
    for measure, known in ordinary.items():
        value = one.value(measure)
        if known is None or value is None:
            continue
        apart = value - known.middle
        if abs(apart) > known.reach and not (measure.upwards and apart < 0):
            yield Mark(measure, _why(one, measure, value, apart))


def _why(one: Row, measure: Measure, value: float, apart: float) -> str:
    direction = measure.above if apart > 0 else measure.below
    unit = {"LUFS": "LU" if measure is LOUDNESS else "dB", "dBTP": "dB", "%": "points"}.get(measure.unit, measure.unit)
    where = f" (in “{one.noisiest}”)" if measure is NOISE and one.noisiest else ""
    said = f"{measure.name} {plain(value, measure.digits)} {measure.unit}".rstrip()
    return f"{said}{where}: {plain(abs(apart), measure.digits)} {unit}".rstrip() + f" {direction} the season’s median"
