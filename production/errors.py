"""What the conductor raises, and the exit code each stands for.

ProduceError
|-- ConfigError     2   every problem of the run at once
|-- ChoiceRefused   2   an option or an answer that cannot be meant so
|-- StepFailed      1   a step, where it was asked for, and the cause
|-- StepsFailed     1   recordings that cannot be used, all of them
|-- StoreError      1   the build folder cannot be read or written
`-- ToolMissing     4   a program or an extra is not installed
(anything else is our bug: 3, with a log; ^C: 130)
ArtworkError is no ProduceError: it does not know who asked, and becomes a StepFailed where that is known.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from production.model import Location


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with the input, and what to do about it.

    ``source_line`` is the text of the line at ``location`` (without its newline), or None when there is no line to show
    (a missing file, say). ``message`` says what is wrong, ``hint`` the next thing to do (may be empty).
    """

    location: Location
    message: str
    hint: str = ""
    source_line: str | None = None
    severity: str = "error"


class ProduceError(Exception):
    """Root of everything the conductor raises on purpose."""

    exit_code = 1


class ConfigError(ProduceError):
    """The configs (or the recordings they name) are wrong; carries every problem found, in file and line order."""

    exit_code = 2

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(f"{len(self.problems)} problem(s)")


class ChoiceRefused(ProduceError):
    """An option or an answer that cannot be meant so; ``hint`` says what can."""

    exit_code = 2

    def __init__(self, message: str, hint: str = "") -> None:
        self.hint = hint
        super().__init__(message)


class StepFailed(ProduceError):
    """A step of a build failed. ``where`` is the place in the config that asked for it; ``hint`` the next thing to do."""

    def __init__(self, step: str, cause: str, *, where: Location | None = None, hint: str = "") -> None:
        self.step = step
        self.cause = cause
        self.where = where
        self.hint = hint
        super().__init__(f"{step}: {cause}")


class ArtworkError(ValueError):
    """A picture that cannot be a cover. The message says why, in the words of the person who made it; who asked for it says where."""


class StepsFailed(ProduceError):
    """Several inputs of a step cannot be used; carries a problem for each, with its place."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(f"{len(self.problems)} input(s) cannot be used")


class StoreError(ProduceError):
    """The build folder cannot be read or written: full, read-only, or in use."""

    def __init__(self, message: str, hint: str = "") -> None:
        self.hint = hint
        super().__init__(message)


class ToolMissing(ProduceError):
    """A program or an optional package is missing; the message names the remedy."""

    exit_code = 4
