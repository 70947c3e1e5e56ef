"""What the words of a heading say of its section: which of the seven parts of the format it is, or that nobody speaks it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from production.model import FormatPart

PARTS: Mapping[FormatPart, tuple[str, str]] = {
    "cold-open": ("Cold Open", "a real incident: what broke, for whom, and what it cost"),
    "first-principles": ("First Principles", "what must be true of any solution, and why"),
    "mathematics": ("Mathematical Foundations", "the model, its numbers, and what they rule out"),
    "implementation": ("Pattern Implementations", "the patterns, with code that runs"),
    "case-study": ("Production Case Studies", "who runs it, at what scale, and what they would do again"),
    "failure-analysis": ("Failure Analysis and Mitigation", "how it breaks, how that is seen, and what is done then"),
    "exercises": ("Hands-On Exercises", "what the listener builds, measures or asks the week after"),
}
"""The seven parts of the format in their order, each with its name and with what belongs in it."""

METADATA = "metadata"

_SIGNS: tuple[tuple[FormatPart, str], ...] = (
    ("cold-open", r"cold[ -]open|^hook\b|^teaser|^prologue"),
    (
        "exercises",
        r"^(?:\w+ )?conclusion|wrap[ -]?up|^closing|take-?aways|exercise|hands[ -]on|workshop|\blabs?\b|^interactive|action items|homework",
    ),
    ("exercises", r"your .*(?:journey|turn)|questions|checklist|what.?s next|next episode"),
    ("first-principles", r"^executive summary|^learning (?:outcomes|objectives)|^introduction|^episode introduction"),
    ("mathematics", r"math|statistic|probabilit|equation|formula|quantitative|queue?ing theory|\broi\b|econom|metrics|\bproof|\bcalculat|cost"),
    ("failure-analysis", r"failure|outage|incident|meltdown|crisis|pitfall|mitigat|degradation|debugging|war stor|edge cases|technical debt"),
    ("failure-analysis", r"post-?mortem|what (?:broke|went wrong)|breaking"),
    ("case-study", r"case stud|in production|in the wild|lessons|expert|future vision|real[ -]world|^how \w+ (?:does|runs|built)"),
    ("first-principles", r"principle|fundamental|theory|theorem|foundation|physics|\blaws? of\b|mental model|philosophy|mindset|truth"),
    ("first-principles", r"evolution of|architecture story|challenge|genesis|\bwhy\b"),
    ("implementation", r"implement|pattern|\bcode\b|architecture|build|deploy|design|gateway|mesh|framework|strateg|pipeline|\bapi\b|deep dive"),
)
_COMPILED = tuple((part, re.compile(pattern, re.IGNORECASE)) for part, pattern in _SIGNS)
_FAILING = re.compile(r"failure analysis|failure mode", re.IGNORECASE)

_UNSPOKEN: tuple[tuple[str, str], ...] = (
    (METADATA, r"(?:episode |series |show )?(?:metadata|tags|keywords|transcript|table of contents|contents)"),
    (METADATA, r"(?:episode|series|show) (?:overview|information|details|outline|facts)"),
    ("notes for the makers", r"(?:episode )?(?:show|production|recording|editing|editor.?s|producer.?s|sound design) notes?(?: .*)?"),
    (
        "credits",
        r"(?:(?:episode|series|show) )?(?:credits|acknowledge?ments)(?: .*)?|about(?: (?:us|the (?:show|host|author|podcast|series).*|this .*))?",
    ),
    ("written matter", r"appendi(?:x|ces)\b.*|(?:\w+ )?(?:quick reference|cheat ?sheet)\b.*|.*\b(?:templates|configurations)|changelog|licen[cs]e"),
)
_LEFT = tuple((reason, re.compile(pattern, re.IGNORECASE)) for reason, pattern in _UNSPOKEN)
_OF_RESOURCES = frozenset(["resources", "references", "reading", "links", "downloads", "bibliography", "sources"])
_BESIDE_THEM = frozenset(
    re.findall(
        r"\w+",
        "additional and community companion credits engagement episode essential external further key learning list materials more online other "
        "recommended related series show notes technical useful",
    )
)
_SPOKEN_FIRST = re.compile(r"(?:\w+ )?conclusion\b|closing\b|takeaways\b|learning outcomes", re.IGNORECASE)


def part_of(title: str, *, first: bool) -> tuple[FormatPart, bool]:
    """The part that a section is, and whether its words say so. ``first``: nothing is spoken before it."""
    if first and re.match(r"(?:episode )?introduction\b|opening\b|welcome\b", title, re.IGNORECASE):
        return "cold-open", True
    if _FAILING.search(title):
        return "failure-analysis", True
    found = next((part for part, sign in _COMPILED if sign.search(title)), None)
    return (found, True) if found else ("implementation", False)


def why_unspoken(title: str) -> str:
    """Why nobody speaks what stands under a heading of this title; nothing when somebody does."""
    if _SPOKEN_FIRST.match(title):
        return ""
    words = set(re.findall(r"\w+", title.lower()))
    if words & _OF_RESOURCES and words <= _OF_RESOURCES | _BESIDE_THEM:
        return "resources"
    return next((reason for reason, sign in _LEFT if sign.fullmatch(title.strip())), "")
