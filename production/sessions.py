"""What became of the tracks of a section that several people recorded apart: for the plan, the report, and who has to decide something. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from audio.session import Laid
    from production.inputs import Track
    from production.survey import Fact

_MUCH_DRIFT = 200e-6
"""More than clocks of recorders differ by: a file may be labelled with another rate than it was recorded at."""
_FEW = 5


def lines(fact: Fact) -> Iterator[str]:
    """A line for each track of a section but the first, which is the clock; before the mix is made, a line that says so."""
    session = fact.input.session
    if session and not fact.laid:
        yield f"{fact.input.name}: {len(session.tracks)} tracks, not mixed yet: where each lies is found when they are"
    for track, laid in _tracks(fact):
        if laid.how != "clock":
            yield f"{fact.input.name}: {track.name} begins at {laid.offset:+.3f} s, drift {laid.drift * 1e6:+.1f} ppm ({_known(laid)})"


def _known(laid: Laid) -> str:
    if laid.how == "said":
        return "as the config says"
    return f"{laid.agreeing} of {laid.windows} windows agree within {laid.residual_ms:.2f} ms"


def warnings(fact: Fact) -> Iterator[str]:
    """What somebody should know who publishes this: places that rest on little, or on what was taken for granted."""
    for track, laid in _tracks(fact):
        name = f"{fact.input.name}: {track.name}"
        if laid.how != "clock" and not laid.speech:
            yield f"{name}: nobody seems to speak on this track, so it is not lifted"
        if laid.how != "found":
            continue
        if laid.way_ms and not laid.way_measured and track.apart is None:
            yield (
                f"{name}: only one voice is heard in the other's microphone, so its way cannot be told from the offset ({laid.offset:+.3f} s); "
                f"it is taken for {laid.way_ms:.1f} ms (2 m): say apart: METRES if it is another"
            )
        if not laid.drift_known:
            yield f"{name}: what it has in common with the others is too short to tell its drift, which is taken for none"
        if abs(laid.drift) > _MUCH_DRIFT:
            yield f"{name}: its clock is off by {laid.drift * 1e6:+.0f} ppm, which was corrected; is its sample rate what the file says?"
        if laid.agreeing < _FEW:
            yield f"{name}: only {laid.agreeing} windows say where it lies ({laid.offset:+.3f} s): listen to it"


def report(fact: Fact) -> list[dict[str, Any]]:
    """Every track: where it lies and how that is known, the level of its speaker as recorded and in the mix, and how often it is turned down."""
    return [
        {
            "name": track.name,
            "file": track.path.name,
            "offset_s": round(laid.offset, 6),
            "drift_ppm": round(laid.drift * 1e6, 3),
            "place": laid.how,
            "windows": laid.windows,
            "windows_agreeing": laid.agreeing,
            "residual_ms": laid.residual_ms,
            "correlation": laid.likeness,
            "bleed_late_ms": laid.way_ms,
            "bleed_measured": laid.way_measured,
            "drift_known": laid.drift_known,
            "recorded_lufs": laid.before,
            "mixed_lufs": laid.after,
            "gated_share": laid.gated,
        }
        for track, laid in _tracks(fact)
    ]


def _tracks(fact: Fact) -> Iterator[tuple[Track, Laid]]:
    if fact.input.session and fact.laid:
        yield from zip(fact.input.session.tracks, fact.laid, strict=True)
