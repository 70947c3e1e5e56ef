"""Numbers of what hears and judges recordings: what a build that has nothing to do compares, without loading anything that listens.

Each is raised when the same recording would be noted or judged otherwise.
"""

from __future__ import annotations

FLAWS = 3
"""Notes on samples."""
SENTINELS = 3
"""What is told from notes and profile."""
PRINTS = 2
"""Prints, and which of them match."""
