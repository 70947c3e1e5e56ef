"""A new episode: what is proposed for it, the text of its file and what is read back of it, and that it takes nobody's place."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from production.authoring import adding, choices, proposals, script, template, titles
from production.authoring.parts import PARTS
from production.authoring.proposals import Draft, Planned
from production.config import load_project
from production.errors import ChoiceRefused, ConfigError
from production.model import Project
from tests.conftest import ROOT

SECTIONS = (Planned("cold-open", "Cold Open", "cold-open", 8.0), Planned("end", "The End", "exercises"))
DRAFT = Draft(36, "architecture-deep-dives", "Quorums", "Why two thirds.", dt.date(2027, 1, 5), 180.0, SECTIONS)


@pytest.fixture(scope="module")
def show() -> Project:
    """The show of this repository."""
    return load_project(ROOT)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small project whose series has room. Not to be changed."""
    return a_project(tmp_path_factory.mktemp("show"))


def a_project(root: Path) -> Path:
    for name in ("show.yaml", "series/architecture-deep-dives.yaml", "episodes/episode-35.yaml"):
        to = root / "configs" / name
        to.parent.mkdir(parents=True, exist_ok=True)
        text = (ROOT / "configs" / name).read_text("utf-8")
        to.write_text(text.replace("episodes: 22-35", "episodes: 22-60"), encoding="utf-8")
    return root


# -- what is proposed ------------------------------------------------------------------------------------------------------------


def roomy(show: Project) -> Project:
    *others, last = show.series
    return replace(show, series=(*others, replace(last, episodes="22-60")))


def test_the_next_number_is_free_and_a_full_series_says_where_it_could_grow(show: Project) -> None:
    assert [proposals.next_number(show, one) for one in show.series] == [None, None, None]
    assert proposals.next_number(roomy(show), roomy(show).series[-1]) == 36
    without = replace(show, episodes=tuple(one for one in show.episodes if one.number not in (14, 21)))
    assert proposals.next_number(without, show.series[1]) == 21
    problem = proposals.full(show, show.series[-1])
    assert problem.location == show.where("architecture-deep-dives", "episodes")
    assert problem.hint == "write 22-36"
    assert proposals.full(show, show.series[0]).hint == "13 is in another series: take that one, or begin a new series"


@pytest.mark.parametrize(
    ("number", "message", "hint"),
    [
        (36, "", ""),
        (22, "there is an episode 22 already: Netflix Streaming Empire", "36 is the next free one"),
        (14, "architecture-deep-dives holds 22-60, not 14", "14 is in series pattern-mastery; 36 is the next free one"),
        (99, "architecture-deep-dives holds 22-60, not 99", "36 is the next free one"),
    ],
)
def test_a_number_that_is_taken_or_out_of_range_is_refused(show: Project, number: int, message: str, hint: str) -> None:
    found = proposals.why_not(roomy(show), roomy(show).series[-1], number)
    assert found[0].startswith(message)
    assert bool(message) == bool(found[0])
    assert found[1] == hint


def test_an_episode_follows_the_last_of_its_series_by_a_week(show: Project) -> None:
    assert proposals.next_date(show, show.series[0]) == dt.date(2026, 3, 31)
    assert proposals.next_date(show, replace(show.series[0], slug="new")) == dt.date(2026, 9, 8)
    assert proposals.next_date(replace(show, episodes=()), show.series[0]) is None


def test_an_episode_is_as_long_as_most_of_its_series(show: Project) -> None:
    assert [proposals.usual_minutes(show, one) for one in show.series] == [150, 180, 180]
    assert proposals.usual_minutes(show, replace(show.series[0], slug="new")) == 180
    assert proposals.usual_minutes(replace(show, episodes=()), show.series[0]) == proposals.USUAL_MINUTES


def test_minutes_are_spread_as_the_show_spreads_them(show: Project) -> None:
    found = proposals.shares(show)
    planned = {part: sum(s.minutes or 0 for e in show.episodes for s in e.sections if s.part == part) for part in PARTS}
    assert found == planned
    # what is said where nothing is planned yet is what these thirty-five came to
    assert {part: round(100 * minutes / sum(planned.values()), 1) for part, minutes in planned.items()} == dict(proposals.SHARES)
    assert proposals.shares(replace(show, episodes=show.episodes[:1])) == proposals.SHARES


@given(st.floats(min_value=proposals.LEAST_MINUTES, max_value=600, allow_nan=False))
@example(180.0)
@example(7.0)
def test_the_seven_parts_fill_the_length_in_whole_minutes(length: float) -> None:
    found = proposals.sections(length, proposals.SHARES)
    minutes = [section.minutes or 0 for section in found]
    assert [section.part for section in found] == list(PARTS)
    assert sum(minutes) == max(round(length), 7)
    assert all(one >= 1 and one == int(one) for one in minutes)
    if length > 60:
        # none is further from its share than rounding, and the minute that each has at least, take it
        assert all(abs(one - length * share / 100) < 2 for one, share in zip(minutes, proposals.SHARES.values(), strict=True))


# -- answers ---------------------------------------------------------------------------------------------------------------------


def test_answers_are_understood(show: Project) -> None:
    assert choices.minutes("3 hours") == choices.minutes("180") == 180
    assert choices.minutes_or_none("") is None
    assert choices.minutes_or_none("8") == 8
    assert choices.date("2027-01-05") == dt.date(2027, 1, 5)
    assert choices.text("  No:   #1 ", "title") == "No: #1"
    assert choices.number(roomy(show), roomy(show).series[-1], "36") == 36
    assert choices.series(roomy(show), "architecture-deep-dives").season == 3


REFUSED: list[tuple[Callable[[Project], object], str, str]] = [
    (lambda show: choices.series(show, "founational"), "there is no series 'founational'", "did you mean 'foundational'?"),
    (lambda show: choices.series(show, ""), "a series is needed", "there is foundational, pattern-mastery, architecture-deep-dives"),
    (
        lambda show: choices.series(show, "foundational"),
        "series foundational is full: all of 1-12 are taken",
        "foundational.yaml:10: 13 is in another series",
    ),
    (lambda show: choices.number(show, show.series[0], "one"), "'one' is no number", "foundational holds 1-12"),
    (
        lambda show: choices.number(show, show.series[0], "3"),
        "there is an episode 3 already: The Human Factor",
        "every number of foundational is taken",
    ),
    (lambda _: choices.date("5.1.2027"), "'5.1.2027' is no date", "write YYYY-MM-DD"),
    (lambda _: choices.date("2027-02-30"), "2027-02-30 is not in the calendar", ""),
    (lambda _: choices.minutes("long"), "'long' is no length", "write minutes, as 180, or 3 hours"),
    (lambda _: choices.minutes("5"), "5 minutes are no length of an episode", "it is 7 to 600"),
    (lambda _: choices.minutes_or_none("0"), "'0' is no length of a section", "write minutes, up to 600"),
    (lambda _: choices.text(" ", "title"), "a title is needed", ""),
    (lambda _: choices.text("a\x1b[2Jb", "title"), "the title holds a control character", "type it without"),
    (lambda _: choices.text("x" * 5000, "summary"), "5000 characters are no summary", "4000 are the most"),
]


@pytest.mark.parametrize(("answer", "message", "hint"), REFUSED)
def test_answers_that_cannot_be_meant_say_why_and_what_can(show: Project, answer: Callable[[Project], object], message: str, hint: str) -> None:
    with pytest.raises(ChoiceRefused) as caught:
        answer(show)
    assert str(caught.value) == message
    assert caught.value.hint.startswith(hint)
    assert caught.value.exit_code == 2


def test_the_series_is_known_by_a_number_by_its_name_or_because_it_is_the_only_one(show: Project) -> None:
    assert choices.likely_series(show, "14", "") == "pattern-mastery"
    assert choices.likely_series(show, None, "Pattern Mastery Series - Deep Dive") == "pattern-mastery"
    assert choices.likely_series(show, None, "") == ""
    assert choices.likely_series(replace(show, series=show.series[:1]), None, "") == "foundational"


def test_a_show_without_room_says_so_of_each_series(show: Project) -> None:
    choices.need_room(roomy(show))
    with pytest.raises(ConfigError) as caught:
        choices.need_room(show)
    assert [problem.location.path.stem for problem in caught.value.problems] == ["foundational", "pattern-mastery", "architecture-deep-dives"]
    with pytest.raises(ConfigError) as caught:
        choices.need_room(replace(show, series=()))
    assert caught.value.problems[0].message == "there is no series in this show"


# -- the file --------------------------------------------------------------------------------------------------------------------

HOSTILE = [
    "no",
    "12:30",
    "# 1",
    "a: b",
    "a #b",
    "a#b",
    "- x",
    "'quoted'",
    '"quoted"',
    'it\'s "both"',
    "\\n",
    "$HOME `id`",
    "{a: b}",
    "[a]",
    "*a",
    "&a",
    "!a",
    "%a",
    "@a",
    "| a",
    "> a",
    "?",
    "~",
    "null",
    "0x1F",
    "1e3",
    "2026-01-01",
    "🎬 Ünïcödé \u200d",
    "النظم",
    "a:",
    "...",
    "---",
    "<<",
    "=",
    "a\u00a0b",
]
TITLES = (
    st.one_of(st.sampled_from(HOSTILE), st.text(max_size=40), st.text(alphabet=":#'\"\\ -{}[]&*!|>%@`,?~a1", max_size=12))
    .map(titles.one_line)
    .filter(bool)
)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_text_is_a_text_to_every_reader_of_yaml(text: str) -> None:
    # PyYAML's own loader guesses by the rules of YAML 1.1, which know the most words that are no text
    assert yaml.safe_load(f"- {template.scalar(text)}") == [text]
    assert yaml.safe_load(f"key: {template.scalar(text)}") == {"key": text}


@settings(max_examples=60)
@given(TITLES, st.lists(TITLES, min_size=1, max_size=8).map(" ".join), st.lists(TITLES, max_size=3), st.floats(1, 600).map(lambda x: round(x, 2)))
def test_what_is_written_is_read_as_it_was_meant(folder: Path, title: str, summary: str, points: list[str], minutes: float) -> None:
    sections = (Planned("a", title, "mathematics", minutes, tuple(points), "a remark"), *SECTIONS)
    draft = replace(DRAFT, title=title, summary=titles.one_line(summary * 7), sections=sections, minutes=minutes)
    text = template.text_of(draft, "https://a.example/")
    adding.proven(folder, draft, text)
    plain: Any = yaml.safe_load(text)
    assert (plain["title"], plain["summary"], plain["sections"][0].get("talking_points", [])) == (draft.title, draft.summary, points)
    assert str(plain["date"]) == "2027-01-05"


def test_the_file_looks_like_those_that_are_there() -> None:
    summary = (
        "Two thirds of the clocks have to agree before anybody may say what time it is, and this is the story of the night on which they did not. "
        * 2
    )
    draft = replace(
        DRAFT,
        summary=summary.strip(),
        sections=(replace(SECTIONS[0], title="Cold Open: X", remark="a real incident", points=("No: one",)), SECTIONS[1]),
    )
    text = template.text_of(draft, "https://a.example/")
    assert max(map(len, text.splitlines())) <= template.WIDTH
    assert text.startswith("# Episode 36: Quorums. Every section is one recording and one chapter.\nnumber: 36\nseries: architecture-deep-dives\n")
    assert "\nsummary: >-\n  Two thirds" in text
    assert text.endswith(
        """sections: # recordings/episode-36/<slug>.wav (or .flac, .mp3, ...), in the order in which they sound
  - slug: cold-open
    title: "Cold Open: X"
    part: cold-open # a real incident
    minutes: 8
    # summary: one sentence for the show notes and the scratch voice
    talking_points:
      - "No: one"

  - slug: end
    title: The End
    part: exercises
    # minutes: 10 # the plan; none is said yet
"""
    )


def test_the_commented_keys_are_keys(folder: Path, tmp_path: Path) -> None:
    root = shutil.copytree(folder, tmp_path / "show")
    text = template.text_of(DRAFT, "https://a.example/")
    path = adding.path_of(root, DRAFT)
    said = [line.split("# ", 1) for line in text.splitlines() if line.strip().startswith("# ") and not line.startswith("# Episode")]
    assert len(said) > 5
    path.write_text("\n".join([*text.splitlines(), ""]).replace("# notes: notes.md", "# notes: text"), encoding="utf-8")
    lines = path.read_text("utf-8").splitlines()
    path.write_text(
        "\n".join(line.replace("# ", "", 1) if line.strip().startswith("# ") and not line.startswith("# Episode") else line for line in lines),
        "utf-8",
    )
    episode = load_project(root).episode("episode-36")
    assert (episode.keywords, episode.persons[0].name, episode.sections[1].minutes) == (("consensus", "quorum"), "Ada", 10)
    assert episode.sections[0].summary
    assert episode.link == "https://a.example/episodes/episode-36"


def test_a_script_becomes_sections_with_names_for_their_recordings(folder: Path) -> None:
    outline = script.read(Path("s.md"), b"# T\n## Cold Open: A (8 minutes)\n## Kafka\n### One\n## Kafka\n## \xd9\x86\n")
    found = adding.from_script(outline)
    assert [(one.slug, one.part, one.minutes, one.points, one.remark) for one in found] == [
        ("cold-open", "cold-open", 8, (), ""),
        ("kafka", "implementation", None, ("One",), "a guess: its words do not say"),
        ("kafka-2", "implementation", None, (), "a guess: its words do not say"),
        ("section", "implementation", None, (), "a guess: its words do not say"),
    ]
    draft = replace(DRAFT, sections=found)
    adding.proven(folder, draft, template.text_of(draft, "https://a.example/"))


def test_a_file_that_would_be_wrong_or_not_what_was_meant_is_never_written(folder: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        adding.proven(folder, replace(DRAFT, series="nowhere"), template.text_of(replace(DRAFT, series="nowhere"), "https://a.example/"))
    assert [str(problem.location) for problem in caught.value.problems] == [f"{folder}/configs/episodes/episode-36.yaml:3:9"]
    with pytest.raises(AssertionError, match="was meant"):
        adding.proven(folder, DRAFT, template.text_of(replace(DRAFT, title="Another"), "https://a.example/"))
    with pytest.raises(ConfigError, match="1 problem"):
        adding.proven(folder, replace(DRAFT, number=35), "")
    assert not adding.path_of(folder, DRAFT).exists()


def test_a_file_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    root = a_project(tmp_path)
    assert adding.write(root, DRAFT, "mine\n").read_text("utf-8") == "mine\n"
    with pytest.raises(ConfigError) as caught:
        adding.write(root, DRAFT, "yours\n")
    assert caught.value.problems[0].message == "there is such a file already, and it is left as it is"
    assert sorted(path.name for path in (root / "configs" / "episodes").iterdir()) == ["episode-35.yaml", "episode-36.yaml"]
    assert adding.path_of(root, DRAFT).read_text("utf-8") == "mine\n"
