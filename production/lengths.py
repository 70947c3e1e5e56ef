"""Sections whose recorded length is far from the planned one, and two that have each other's. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from audio.findings import Finding
from audio.units import RATE, Samples
from production.findings import Noted
from production.plan import Plan

_SHARE, _MINUTES = 0.35, 2.0
"""A section is far from its plan when it is more than a third and more than two minutes off: plans of talks are met within a quarter, mostly, and a
short section is off by a share of its own before anybody minds.
"""
_OWN, _OTHER = 0.25, 0.15
"""Two sections are taken for swapped when each is a quarter or more off its own plan and within 15 % of the other's."""


def lengths(planned: Plan) -> Iterator[Noted]:
    """What there is to say about lengths; nothing of sections that are not recorded yet."""
    planned_minutes: dict[str, tuple[float, float]] = {}
    for fact in planned.facts:
        section = fact.input.section
        if fact.input.kind == "section" and section and section.minutes and not fact.input.scratch:
            planned_minutes[fact.input.name] = (section.minutes, (fact.measured.end - fact.measured.start) / RATE / 60)
    swapped: set[str] = set()
    for (one, (wanted, there)), (other, (its_wanted, its_there)) in combinations(planned_minutes.items(), 2):
        if one in swapped or other in swapped or not _exchanged(wanted, there, its_wanted, its_there):
            continue
        swapped |= {one, other}
        for name, beside, plan, length in ((one, other, wanted, there), (other, one, its_wanted, its_there)):
            words = f"swapped with {beside}? {length:.1f} min are recorded, {plan:g} planned; each has the length of the other one"
            yield _noted(planned, name, "swapped", length - plan, words)
    for name, (wanted, there) in planned_minutes.items():
        if name not in swapped and abs(there - wanted) > max(_MINUTES, _SHARE * wanted):
            yield _noted(planned, name, "length", there - wanted, f"{there:.1f} min are recorded, {wanted:g} were planned")


def _exchanged(wanted: float, there: float, its_wanted: float, its_there: float) -> bool:
    off = abs(there - wanted) > _OWN * wanted and abs(its_there - its_wanted) > _OWN * its_wanted
    fits = abs(there - its_wanted) < _OTHER * its_wanted and abs(its_there - wanted) < _OTHER * wanted
    return off and fits and abs(wanted - its_wanted) >= _MINUTES


def _noted(planned: Plan, name: str, detector: str, minutes: float, words: str) -> Noted:
    measured = planned.fact(name).measured
    found = Finding(detector, "warning", Samples(measured.start), Samples(measured.end), round(minutes, 2), "min", words)
    return Noted(found, "recording", name)
