"""The minutes that an episode plans, against those of its sections. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from production.model import Episode


@dataclass(frozen=True, slots=True)
class Minutes:
    """``whole`` is what the episode says of itself (None: nothing), ``parts`` the sum of its sections, ``silent`` those that say nothing."""

    whole: float | None
    parts: float
    silent: tuple[str, ...]

    @classmethod
    def of(cls, episode: Episode) -> Minutes:
        said = [one.minutes for one in episode.sections if one.minutes is not None]
        return cls(episode.minutes, sum(said), tuple(one.slug for one in episode.sections if one.minutes is None))

    @property
    def planned(self) -> float | None:
        """How long the episode is to be, by itself or by all of its sections."""
        return self.whole if self.whole is not None else self.parts if not self.silent else None

    @property
    def agree(self) -> bool:
        return self.whole is None or self.whole == self.parts

    def told(self) -> str:
        """``its sections plan 135 of 180 min; nothing is said of executive-summary``, or nothing when the two agree."""
        if self.agree:
            return ""
        if len(self.silent) > 1 and not self.parts:
            return f"{self.whole:g} min are planned, and no section says how many are its own"
        silent = f"; nothing is said of {_listed(self.silent)}" if self.silent else ""
        return f"its sections plan {self.parts:g} of {self.whole:g} min{silent}"

    def as_json(self) -> dict[str, Any]:
        return {"episode": self.whole, "sections": self.parts, "without": list(self.silent)}


def _listed(slugs: tuple[str, ...]) -> str:
    return ", ".join(slugs) if len(slugs) <= 3 else f"{len(slugs)} sections"
