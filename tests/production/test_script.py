"""Scripts in Markdown: headings and their minutes in the seven ways in which they are written, what is spoken, and that no bytes break the reader."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from production.authoring import markdown, minutes, parts, script, titles
from production.authoring.manuscript import MOST_LINES
from production.authoring.script import Outline
from production.errors import ConfigError
from production.files import MAX_BYTES

FILE = Path("script.md")


def read(text: str | bytes) -> Outline:
    return script.read(FILE, text.encode() if isinstance(text, str) else text)


def listed(outline: Outline) -> list[tuple[str, float | None]]:
    return [(section.title, section.minutes) for section in outline.sections]


def told(outline: Outline) -> list[str]:
    return [f"{problem.location.line} {problem.severity}: {problem.message}" for problem in outline.problems]


def refused(data: str | bytes) -> str:
    with pytest.raises(ConfigError) as caught:
        read(data)
    (problem,) = caught.value.problems
    return f"{problem.location}: {problem.message}"


# -- minutes ---------------------------------------------------------------------------------------------------------------------

WAYS = {
    "none": ("## Quorums\n\nTwo thirds of the clocks.", None),
    "estimated, under the heading": ("## Quorums\n*Estimated Duration: 45 minutes*\n", 45),
    "under the heading": ("## Quorums\n*Duration: 40 minutes*\n", 40),
    "in the heading": ("## Quorums (35 minutes)\n", 35),
    "hours in the heading": ("## Quorums (1 hour)\n", 60),
    "duration in brackets": ("## Quorums\n*[Duration: 8 minutes] - the night nobody agreed*\n", 8),
    "an amount in brackets": ("## Quorums\n\n*[60 minutes of votes and counting]*\n", 60),
    "from when to when": ("## Quorums (165:00-180:00)\n", 15),
}


@pytest.mark.parametrize(("text", "expected"), WAYS.values(), ids=WAYS)
def test_minutes_are_read_in_each_way_that_scripts_write_them(text: str, expected: float | None) -> None:
    outline = read(f"# Episode 9: Agreement\n\n## Before\n\nSome words.\n\n{text}\n\n## After\n")
    assert listed(outline) == [("Before", None), ("Quorums", expected), ("After", None)]
    assert outline.problems == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.5 hours", 90),
        ("90 min", 90),
        ("1 hour 15 minutes", 75),
        ("2 hours and 35 minutes", 155),
        ("1h30", 90),
        ("1h30m", 90),
        ("30 sec", 0.5),
        ("about 10 minutes", 10),
        ("10-15 minutes", 15),
        ("45-minute", 45),
        ("3-7 years experience", None),
        ("200 ms", None),
        ("2010-2012", None),
        ("0 minutes", None),
        ("Level 4", None),
    ],
)
def test_a_length_is_one_however_it_is_put_and_nothing_else_is(text: str, expected: float | None) -> None:
    assert minutes.amount(text) == expected
    assert minutes.in_heading(f"The Vote ({text})") == (("The Vote", expected) if expected else (f"The Vote ({text})", None))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("**Duration**: 3 hours (180 minutes)", 180),
        ("- Duration: 10 minutes", 10),
        ("**Total Episode Duration: 2 hours 35 minutes**", 155),
        ("*Runtime: 3 hours 15 minutes*", 195),
        ("*[12 minutes exploring the log]*", 12),
        ("[5 minutes later, the pager rings]", None),
        ("**Duration**: weeks to months", None),
        ("We spent the time: 5 minutes of silence", None),
        ("[Sound: 5 minutes of rain]", None),
    ],
)
def test_a_line_under_a_heading_says_a_length_when_that_is_what_it_is_for(line: str, expected: float | None) -> None:
    assert minutes.under(line) == expected


def test_the_heading_counts_and_not_the_line_under_it() -> None:
    outline = read("# T\n## A (10 minutes)\nDuration: 12 minutes\n## B\n")
    assert listed(outline)[0] == ("A", 10)
    assert told(outline) == ["2 warning: the heading says 10 minutes, the line under it 12"]


def test_times_that_overlap_or_run_backwards_are_told_with_their_line() -> None:
    outline = read("# T\n## A (0:00-8:00)\n## B (8:00-33:00)\n## C (30:00-40:00)\n## D (50:00-45:00)\n## E (1:05:00-1:20:00)\n")
    assert listed(outline) == [("A", 8), ("B", 25), ("C", 10), ("D", None), ("E", 15)]
    assert told(outline) == ["4 warning: 30:00 is before the end of a section above", "5 warning: 50:00-45:00 ends before it begins"]


@pytest.mark.parametrize(("length", "expected"), [("3 hours", 65.0), ("3 minutes", 1 + 5 / 60)])
def test_two_fields_are_hours_when_only_so_the_script_is_as_long_as_it_says(length: str, expected: float) -> None:
    outline = read(f"# T\n**Duration**: {length}\n\n## A (0:00-1:05)\n## B (1:05–3:00)\n")
    assert outline.sections[0].minutes == pytest.approx(expected, abs=0.01)


def test_no_section_is_longer_than_a_config_allows() -> None:
    outline = read("# T\n## The Outage (24 hours)\n## B\n")
    assert listed(outline)[0] == ("The Outage", None)
    assert told(outline) == ["2 warning: 1440 minutes are no length of a section"]


# -- headings --------------------------------------------------------------------------------------------------------------------


def test_what_looks_like_a_heading_inside_of_code_is_none() -> None:
    text = """# T
## Code
```python
# not a heading
## neither
```
~~~
## nor this
~~~
    ## an indented block
<!--
## a comment
-->
- a list
  ```sh
  # in a list
  ```
- ## a heading of a list
> ## a heading of somebody else
## More <!-- said to nobody --> *Code* `x` [here](https://a.example) ##
"""
    assert [title for title, _ in listed(read(text))] == ["Code", "More Code x here"]


def test_a_fence_of_markdown_may_hold_fences() -> None:
    outline = read("# T\n## A\n```markdown\n## inside\n```mermaid\ngraph\n```\n## still inside\n```bash\n# x\n```\n```\n## B\n")
    assert [title for title, _ in listed(outline)] == ["A", "B"]
    assert outline.problems == ()


def test_a_fence_that_nothing_closes_is_told_where_it_opens() -> None:
    outline = read("# T\n## A\n\n```python\n## hidden\n")
    assert [title for title, _ in listed(outline)] == ["A"]
    assert told(outline) == ["4 warning: this code fence is never closed: no heading after it is seen"]


def test_lines_of_dashes_make_headings_under_one_line_and_rules_under_more() -> None:
    outline = read("Title\n=====\n\nFirst\n-----\n\nSecond\n------\n**Audience: all**\n**Level: any**\n---\n\nwords\n")
    assert outline.title == "Title"
    assert [title for title, _ in listed(outline)] == ["First", "Second"]


def test_sections_are_the_uppermost_level_that_has_several_headings() -> None:
    assert [title for title, _ in listed(read("# T\n### A\n#### a\n### B\n"))] == ["A", "B"]
    assert [title for title, _ in listed(read("# One\n## a\n# Two\n## b\n# Three\n"))] == ["Two", "Three"]
    assert [title for title, _ in listed(read("## A\n## B\n"))] == ["A", "B"]
    assert [title for title, _ in listed(read("# Alone\n"))] == ["Alone"]


def test_a_heading_says_more_than_its_title() -> None:
    text = """# PODCAST EPISODE 14: Event-Driven Mastery
## Pattern Mastery Series - Deep Dive
**Series**: Pattern Mastery Series
**Duration**: 3 hours (180 minutes)
**Date**: 2027-03-04

---
## 🎯 EXECUTIVE SUMMARY
This episode explores what an event is, what it buys, and what it costs.
## 🎬 COLD OPEN: "LINKEDIN'S REAL-TIME MIRACLE" (8 minutes)
It began at LinkedIn with a log, and CQRS came later.
## 📚 PART II: CQRS ARCHITECTURE AND THE LOG (35 minutes)
### Theory (8 minutes)
### 2. Practice
### Further Reading
## 📚 PART IV: CONCLUSION & RESOURCES (17 minutes)
"""
    outline = read(text)
    assert (outline.title, outline.number, outline.minutes, outline.date) == ("Event-Driven Mastery", 14, 180, dt.date(2027, 3, 4))
    assert "Pattern Mastery Series" in outline.series
    assert outline.summary == "This episode explores what an event is, what it buys, and what it costs."
    assert listed(outline) == [
        ("Executive Summary", None),
        ("Cold Open: LinkedIn's Real-Time Miracle", 8),
        ("CQRS Architecture and the Log", 35),
        ("Conclusion", 17),
    ]
    assert outline.sections[2].points == ("Theory", "Practice")
    assert outline.planned == 60
    assert [(one.title, one.reason, one.line) for one in outline.left] == [("Pattern Mastery Series - Deep Dive", "a line under the title", 2)]


UNSPOKEN = [
    "Resources",
    "EPISODE RESOURCES",
    "Additional Resources & Further Reading",
    "Resources and References",
    "Show Notes & Resources",
    "Community Engagement and Resources",
    "Episode Metadata",
    "Episode Overview",
    "Episode Credits and References",
    "Production Notes",
    "Appendix: Complete Code Examples",
    "Quick Reference: The Cheat Sheet",
    "Tags",
    "Transcript",
    "About the Host",
    "Acknowledgements",
]
SPOKEN = ["Sharing Resources", "The Sources of Truth", "About Time", "Learning Outcomes", "Notes on Consensus", "Links That Fail", "Key Takeaways"]


@pytest.mark.parametrize("heading", UNSPOKEN)
def test_resources_and_metadata_are_left_out_and_said(heading: str) -> None:
    outline = read(f"# T\n## A\n## {heading}\n**Total Runtime**: 180 minutes\n")
    expected = [] if parts.why_unspoken(titles.whole_title(heading)) == parts.METADATA else [(heading, 3)]
    # whoever plans minutes for it means to speak it, but among metadata stand those of the whole
    assert [(one.title, one.line) for one in read(f"# T\n## A\n## {heading}\n").left] == [(heading, 3)]
    assert len(outline.sections) == 1 + len(expected)


@pytest.mark.parametrize("heading", SPOKEN)
def test_what_only_sounds_like_resources_is_spoken(heading: str) -> None:
    assert [title for title, _ in listed(read(f"# T\n## A\n## {heading}\n"))] == ["A", heading]


@pytest.mark.parametrize(
    ("title", "part"),
    [
        ("Cold Open: The Night the Clocks Ran Backwards", "cold-open"),
        ("The Law of Cognitive Load", "first-principles"),
        ("The Mathematics of Retries", "mathematics"),
        ("API Gateway Pattern", "implementation"),
        ("Production Case Studies", "case-study"),
        ("Failure Analysis and Mitigation", "failure-analysis"),
        ("Hands-On Workshop", "exercises"),
        ("Conclusion: What Remains", "exercises"),
    ],
)
def test_words_say_which_part_of_the_format_a_section_is(title: str, part: str) -> None:
    assert parts.part_of(title, first=False) == (part, True)


def test_a_part_that_no_word_says_is_marked_as_a_guess() -> None:
    assert parts.part_of("Kafka", first=False) == ("implementation", False)
    assert [parts.part_of("Introduction", first=first)[0] for first in (True, False)] == ["cold-open", "first-principles"]


def test_front_matter_is_read_and_is_no_heading() -> None:
    outline = read('---\ntitle: "Clocks: a history"\nepisode: 36\nseries: foundational\ndate: 2027-01-05\nminutes: 150\n---\n## A\n## B\n')
    assert (outline.title, outline.number, outline.series, outline.minutes) == ("Clocks: a history", 36, "foundational", 150)
    assert outline.date == dt.date(2027, 1, 5)
    assert [section.line for section in outline.sections] == [8, 9]
    assert [title for title, _ in listed(read("---\n\nwords\n\n---\n## A\n## B\n"))] == ["A", "B"]


def test_a_script_that_is_not_utf8_is_read_and_told_where() -> None:
    outline = read(b"# T\n## A (10 minutes)\n\n**>\xe0 x**\n## B\xff\n")
    assert listed(outline) == [("A", 10), ("B", None)]
    (problem,) = outline.problems
    assert (problem.location.line, problem.location.column, problem.severity) == (4, 4, "warning")
    assert problem.message == "byte 0xE0 is not UTF-8, nor is something in 1 more line"
    assert [title for title, _ in listed(read("# T\r\n## Ä\r\n## B\r\n".encode("utf-16")))] == ["Ä", "B"]
    assert [title for title, _ in listed(read("\ufeff## A\r## B\r"))] == ["A", "B"]


def test_what_is_no_script_is_refused_with_its_place() -> None:
    assert refused("") == "script.md:1:1: no heading in this script"
    assert refused("words\n\n## Resources\n") == "script.md:3:1: no heading in this script is spoken"
    assert refused(b"x" * (MAX_BYTES + 1)) == "script.md: more than 4 MiB: this is no script"
    assert refused("\n" * (MOST_LINES + 1)) == f"script.md: more than {MOST_LINES:,} lines: this is no script of an episode"
    assert refused("# T\n" + "## A\n" * 300) == "script.md:257:1: more than 255 sections"


# -- titles ----------------------------------------------------------------------------------------------------------------------


def test_what_a_script_shouts_is_written_as_it_writes_it_elsewhere() -> None:
    usage = titles.usage_of(["The API at LinkedIn is OPEN, or open, or wide open; gRPC and the api of it. API and API and API."])
    assert titles.section_title("PART 3: gRPC AND THE OPEN API AT LINKEDIN", usage) == "gRPC and the Open API at LinkedIn"
    assert titles.section_title("EPISODE INTRODUCTION: The $440 Million Lesson", usage) == "Episode Introduction: The $440 Million Lesson"
    assert titles.section_title("TAO - The Social Graph", usage) == "TAO - The Social Graph"


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Cold Open: The Day It Broke", "cold-open"),
        ("The Intelligence Paradox - When Learning Goes Wrong", "intelligence-paradox"),
        ("Kafka: The Log", "kafka-log"),
        ("What's Next?", "whats-next"),
        ("Über Straßen", "uber-strassen"),
        ("النظم", "section"),
    ],
)
def test_slugs_are_short_and_plain(title: str, slug: str) -> None:
    assert titles.slug(title, ()) == slug
    assert titles.slug(title, {slug}) == f"{slug}-2"
    assert titles.slug(title, {slug, f"{slug}-2"}) == f"{slug}-3"


# -- whatever the bytes ----------------------------------------------------------------------------------------------------------

MARKS = [
    "# ",
    "## ",
    "### ",
    "\n",
    "\n\n",
    "\r",
    "```",
    "```markdown\n",
    "~~~",
    "---\n",
    "===\n",
    "> ",
    "- ",
    "    ",
    "<!--",
    "-->",
    "**",
    "`",
    ")",
    "]",
    "[",
]
CHARACTERS = ["&amp;", "🎬", "\ufffd", "\x00", "\u2028", "\u202e"]
LENGTHS = ["(45 minutes)", "(165:00-180:00)", "(9:00-1:00)", "[60 minutes of x]", "*Duration: 8 minutes*", "(99999999 hours)", "(1h"]
WORDS = ["Part I: ", "Resources", 'COLD OPEN: "X"', "Episode 9: ", "title: x\n", "Series", "Summary: "]
PIECES = st.sampled_from([*MARKS, *CHARACTERS, *LENGTHS, *WORDS])
SCRIPTS = st.lists(PIECES | st.text(max_size=8), max_size=40).map("".join)


@settings(max_examples=200)
@given(SCRIPTS.map(lambda text: text.encode("utf-8", "surrogatepass")) | st.binary(max_size=200))
@example(b"---\n---\n# \n## ")
@example(b"\xff\xfe")
@example(b"# (1 hour)\n## [m]")
def test_any_bytes_give_an_outline_or_a_located_error(data: bytes) -> None:
    lines = len(data) + 1
    try:
        outline = script.read(FILE, data)
    except ConfigError as error:
        problems = error.problems
        assert problems
    else:
        problems = outline.problems
        assert outline.sections
        for section in outline.sections:
            assert section.title
            assert section.title == titles.one_line(section.title)
            assert len(section.title) <= titles.MOST
            assert 0 < section.line <= lines
            assert section.minutes is None or 0 < section.minutes <= script.MOST_MINUTES
        assert outline.minutes is None or 0 < outline.minutes <= script.MOST_MINUTES
    for problem in problems:
        assert problem.message
        assert problem.location.path == FILE
        assert 0 <= problem.location.line <= lines


@settings(max_examples=100)
@given(st.text(max_size=60))
def test_no_line_breaks_what_reads_minutes(text: str) -> None:
    assert minutes.under(text) is None or minutes.under(text)
    assert minutes.in_heading(text)[0] == text or minutes.in_heading(text)[1] is not None


def test_hostile_scripts_are_read_in_no_time() -> None:
    for text in (
        ">" * 100_000,
        "- " * 50_000,
        "## " + "*a " * 20_000,
        "## " + "(" * 20_000,
        "## " + "1h" * 20_000,
        "## " + "[1 m" * 5_000,
        "`" * 50_000,
    ):
        with_section = f"# T\n## A\n{text}\n"
        assert read(with_section).sections[0].title == "A"


def test_a_page_knows_its_lines() -> None:
    page = markdown.read(["# T", "", "para", "## A #", "x", "y"])
    assert [(heading.level, heading.text, heading.line, heading.texts) for heading in page.headings] == [(1, "T", 1, ["para"]), (2, "A", 4, ["x\ny"])]
