"""Repeats over episodes: what the store remembers of them, and what it does not hold any more."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from audio import prints
from audio.prints import Print
from production.model import Project, Show
from production.prints import repeats
from production.store import ENTRIES, Store, digest
from tests.production.test_plan import episode, fact, made, section


def printed() -> bytes:
    """The print of a minute of somebody's speech, as an entry."""
    chance = np.random.default_rng(1)
    peaks = np.cumsum(chance.integers(15, 200, 50)).astype("i8")
    return Print(peaks, chance.integers(-60, -15, 600)).packed().encode()


def key(name: str) -> str:
    return digest("print", prints.RECIPE, f"profile of {name}")


def test_a_print_that_is_gone_for_a_while_is_compared_when_it_is_there_again(tmp_path: Path) -> None:
    one, other = episode(section("a")), episode(section("b"), id="episode-15", number=15, date=dt.date(2026, 1, 21))
    project = Project(tmp_path, cast(Show, SimpleNamespace()), (), (one, other), {})
    store = Store(tmp_path / "store")
    for name in ("a", "b"):
        store.put(key(name), printed())

    def found(of: Any) -> list[str]:
        planned = made(of, tuple(fact(part.slug, of=part) for part in of.sections))
        return [noted.finding.words for noted in repeats(project, planned, store, cast(Any, None))]

    assert found(other) == []
    (store.root / ENTRIES / key("b")[:2] / key("b")).unlink()
    assert found(one) == []
    store.put(key("b"), printed())
    assert found(one) == ["all of it is the recording of episode-15 b"]
    # and that is remembered
    (store.root / ENTRIES / key("b")[:2] / key("b")).unlink()
    assert found(one) == ["all of it is the recording of episode-15 b"]
