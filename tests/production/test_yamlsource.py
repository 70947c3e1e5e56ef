from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from production import yamlsource
from production.files import MAX_BYTES
from production.files import read as read_bytes
from production.yamlsource import Document, Mapping, Refused, Scalar, Sequence, Unfit, read_file, read_text

FILE = Path("episode-14.yaml")
LOADERS = [pytest.param(getattr(yaml, "CBaseLoader", yaml.BaseLoader), id="libyaml"), pytest.param(yaml.BaseLoader, id="python")]


@pytest.fixture(params=LOADERS)
def loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Both parsers of PyYAML: the fast one is not in every wheel."""
    monkeypatch.setattr(yamlsource, "_Loader", request.param)
    return request.param


def read(text: str | bytes) -> Document:
    return read_text(FILE, text.encode() if isinstance(text, str) else text)


def said(document: Document) -> list[str]:
    return [f"{p.location.line}:{p.location.column} {p.message}" for p in document.problems]


def scalar(text: str) -> Scalar:
    """The value of a key, as the reader hands it out."""
    root = read(f"key: {text}").root
    assert isinstance(root, Mapping)
    value = root.entries[0][1]
    assert isinstance(value, Scalar)
    return value


# -- nodes ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_every_node_knows_its_line_and_column(newline: str, mark: str) -> None:
    document = read(mark + newline.join(["title: Ünïcödé 🎙", "# note", "sections:", "  - {slug: 'a', in: 0:05}", "  - >", "    folded", "    text"]))
    root = document.root
    assert isinstance(root, Mapping)
    assert not document.problems
    (title, title_value), (sections, listed) = root.entries
    assert (title.text, title.line, title.column) == ("title", 1, 1)
    assert title_value == Scalar(1, 8, "Ünïcödé 🎙", plain=True)
    assert (sections.line, sections.column) == (3, 1)
    assert isinstance(listed, Sequence)
    assert (listed.line, listed.column) == (4, 3)
    first, second = listed.items
    assert isinstance(first, Mapping)
    assert (first.line, first.column) == (4, 5)
    assert first.entries[0][1] == Scalar(4, 12, "a", plain=False)
    assert first.entries[1][1] == Scalar(4, 21, "0:05", plain=True)
    assert second == Scalar(5, 5, "folded text", plain=False)


@pytest.mark.parametrize("text", ["No", "12:30", "010", "1e3", "null", "~", "2025-01-07", "0x1F", "on", "1_000", ".inf"])
def test_scalars_stay_the_text_that_was_written(text: str) -> None:
    assert scalar(text).text == text
    assert scalar(text).plain


# -- what is refused -----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["1:1 the file is empty"]),
        ("# only a comment\n", ["1:1 the file is empty"]),
        ("---\n...\n", ["1:1 the file is empty"]),
        ("a: 1\nb: 2\na: 3\n", ["3:1 key 'a' is there twice"]),
        ("a: 1\n'a': 3\n", ["2:1 key 'a' is there twice"]),
        ("a:\n  <<: {b: 1}\n", ["2:3 merge key '<<': merge keys are not used here"]),
        ("a: &x 1\n", ["1:4 anchor '&x': anchors are not used here"]),
        ("a: 1\nb: &x [1]\n", ["2:4 anchor '&x': anchors are not used here"]),
        ("a: *x\n", ["1:4 alias '*x': aliases are not used here"]),
        ("a: !!str 1\n", ["1:4 tag '!!str': tags are not used here"]),
        ("a: !python/object:os.system {}\n", ["1:4 tag '!python/object:os.system': tags are not used here"]),
        ("1: a\n", ["1:1 key '1' is not a word"]),
        ("a:\n  true: 1\n", ["2:3 key 'true' is not a word"]),
        ("a: 1\n~: 2\n", ["2:1 key '~' is not a word"]),
        ("? [a]\n: b\n", ["1:3 a list or a mapping stands where a key should be"]),
        ("{{a: b}: c}\n", ["1:2 a list or a mapping stands where a key should be"]),
        ("a: 1\n---\nb: 2\n", ["2:1 a second document starts here"]),
        ("a: 1\n\tb: 2\n", ["2:1 a tab in the indentation"]),
        ("a:\n  \tb: 2\n\tc: 1\n", ["2:3 a tab in the indentation", "3:1 a tab in the indentation"]),
        ("a: 1\nb: x\x07y\n", ["2:5 control character U+0007"]),
        ("a: x\u2028y\nb: \x85\n", ["1:5 control character U+2028", "2:4 control character U+0085"]),
        ("a: x\ufeff\n", ["1:5 control character U+FEFF"]),
        ('a: 1\nb: "x\\0y"\n', ["2:4 the text holds the control character U+0000"]),
        ('a: "x\\u2029y"\n', ["1:4 the text holds the control character U+2029"]),
        ('a: "x\\ry"\n', ["1:4 the text holds the control character U+000D"]),
        (b"a: 1\nb: caf\xe9\n", ["2:7 byte 0xE9 is not UTF-8"]),
        (b"\xef\xbb\xbfa: \xff\n", ["1:4 byte 0xFF is not UTF-8"]),
        ("a: 1\n".encode("utf-16"), ["1:1 byte 0xFF is not UTF-8"]),
    ],
)
def test_what_configs_may_not_hold_is_reported_where_it_stands(text: str | bytes, expected: list[str]) -> None:
    assert said(read(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected", "hint"),
    [
        ("a: 1\ntitle: Raft: a log\n", "2:12 not YAML: a second ':' in one value, or a line indented too far", "quotes"),
        ("a: 1\nb: 'never\nc: 2\n", "2:4 not YAML: a quote that is never closed", "double"),
        ("a: 1\nb: [x, y\nc: 2\n", "2:4 not YAML: a '[' without its ']'", "close the list"),
        ("a: @x\n", "1:4 not YAML: a value cannot start with this character", "quotes"),
        ("a:\n  b: 1\n c: 2\n", "3:2 not YAML: this does not fit what stands above it", "indentation"),
        ('a: "\\d"\n', "1:5 not YAML: an unknown escape in a double-quoted text", "single quotes"),
        ("a: 1\nword\nb: 2\n", "2:1 not YAML: a key without ':'", "key: value"),
    ],
)
def test_a_syntax_error_is_said_in_plain_words_where_it_began(text: str, expected: str, hint: str) -> None:
    document = read(text)
    assert document.root is None
    assert said(document) == [expected]
    assert hint in document.problems[0].hint


def test_what_can_be_refused_by_itself_leaves_the_rest_readable() -> None:
    document = read("a: *x\nb: &y text\nc: \x07\nb: again\nd: 5\n")
    root = document.root
    assert isinstance(root, Mapping)
    assert [key.text for key, _ in root.entries] == ["a", "b", "c", "d"]
    assert isinstance(root.entries[0][1], Refused)
    assert [p.location.line for p in document.problems] == [1, 2, 3, 4]


@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize("text", ["[" * 100_000, "{" * 20_000, "- " * 20_000, "? " * 20_000, "a: [\n" * 20_000, "[" * 21 + "]" * 21])
def test_deep_nesting_is_a_problem_and_not_a_crash(text: str) -> None:
    document = read(text)
    assert document.root is None
    assert [p.message for p in document.problems] == ["nested more than 20 deep"]


def test_twenty_levels_are_allowed() -> None:
    assert not read("[" * 20 + "]" * 20).problems


def test_brackets_in_a_text_are_no_nesting() -> None:
    assert scalar("'" + "[" * 100 + "'").text == "[" * 100


def test_too_many_values_are_refused_where_the_first_too_many_stands() -> None:
    assert said(read("- x\n" * 25_000)) == ["20000:3 more than 20,000 values in one file"]
    assert not read("- x\n" * 19_999).problems


def test_a_recording_with_the_wrong_name_is_refused_before_it_is_parsed() -> None:
    assert said(read(b"a" * (MAX_BYTES + 1))) == ["0:0 more than 4 MiB: this is no config"]


def test_a_file_that_cannot_be_opened_is_a_problem(tmp_path: Path) -> None:
    assert "cannot be read" in read_file(read_bytes(tmp_path)).problems[0].message
    assert read_file(read_bytes(tmp_path / "missing.yaml")).problems[0].location.path == tmp_path / "missing.yaml"


def test_a_problem_carries_the_line_it_stands_in() -> None:
    assert read("a: 1\nb: *x # why\n").problems[0].source_line == "b: *x # why"


PIECES = [
    *("a", "b: ", ": ", "- ", "? ", "[", "]", "{", "}", ",", "'", '"', "|", ">", "#", "&x ", "*x", "!!str ", "!", "@", "`", "~", "<<"),
    *("\n", "\n  ", "\n    ", "\r", "\t", "---", "...", "%YAML 1.1\n", "12:30", "0x", "\\", "\\x00", "\\U0011FFFF"),
    *("\x00", "\x85", "\u2028", "\ufeff", "é", "🎙"),
]


@pytest.mark.parametrize("which", LOADERS)
@given(text=st.lists(st.sampled_from(PIECES), max_size=30).map("".join) | st.text(max_size=60))
@example(text='a: "\\UFFFFFFFF"')
@example(text="%YAML " + "9" * 5000 + ".1\n--- a")
def test_no_text_crashes_the_reader_and_every_problem_has_a_place_in_it(which: Any, text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yamlsource, "_Loader", which)
        document = read_text(FILE, text.encode("utf-8", "surrogatepass"))
    assert document.root is not None or document.problems
    for problem in document.problems:
        assert problem.location.line >= 1
        assert problem.location.column >= 1


@given(st.binary(max_size=200))
def test_no_bytes_crash_the_reader(data: bytes) -> None:
    document = read(data)
    assert document.root is not None or document.problems


# -- scalars -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (yamlsource.seconds, "12:30", 750.0),
        (yamlsource.seconds, "1:30:00", 5400.0),
        (yamlsource.seconds, "01:30:00", 5400.0),
        (yamlsource.seconds, "0:05", 5.0),
        (yamlsource.seconds, "12:41.5", 761.5),
        (yamlsource.seconds, "90:00", 5400.0),
        (yamlsource.seconds, "3:00:00.123", 10800.123),
        (yamlsource.seconds, "90.5", 90.5),
        (yamlsource.seconds, "0", 0.0),
        (yamlsource.seconds, "'12:30'", 750.0),
        (yamlsource.number, "-16", -16.0),
        (yamlsource.number, "+.5", 0.5),
        (yamlsource.number, "1.", 1.0),
        (yamlsource.number, "2e1", 20.0),
        (yamlsource.whole, "010", 10),
        (yamlsource.whole, "08", 8),
        (yamlsource.whole, "-3", -3),
        (yamlsource.truth, "true", True),
        (yamlsource.truth, "false", False),
        (yamlsource.text, "no", "no"),
        (yamlsource.text, "12:30", "12:30"),
        (yamlsource.text, "010", "010"),
        (yamlsource.day, "2025-01-07", dt.date(2025, 1, 7)),
        (yamlsource.day, "'2024-02-29'", dt.date(2024, 2, 29)),
    ],
)
def test_a_scalar_is_read_as_what_is_wanted(kind: Callable[[Scalar], object], text: str, value: object) -> None:
    read_as = kind(scalar(text))
    assert read_as == value
    assert type(read_as) is type(value)


@pytest.mark.parametrize(
    ("kind", "text", "message", "hint"),
    [
        (yamlsource.number, "forty", "should be a number, not 'forty'", ""),
        (yamlsource.number, "'40'", "should be a number, not the text '40'", "remove the quotes"),
        (yamlsource.number, "0,2", "should be a number, not '0,2'", "write 0.2"),
        (yamlsource.number, "-16 LUFS", "should be a number, not '-16 LUFS'", "write the number alone: -16"),
        (yamlsource.number, "0x10", "should be a number, not '0x10'", ""),
        (yamlsource.number, "1_000", "should be a number, not '1_000'", ""),
        (yamlsource.number, ".inf", "should be a number, not '.inf'", ""),
        (yamlsource.number, "1e999", "should be a number, not '1e999'", ""),
        (yamlsource.number, "12:30", "should be a number, not '12:30'", ""),
        (yamlsource.number, "١٢", "should be a number, not '١٢'", ""),
        (yamlsource.whole, "1.0", "should be a whole number, not '1.0'", ""),
        (yamlsource.whole, "9" * 5000, f"should be a whole number, not '{'9' * 39}…'", ""),
        (yamlsource.whole, "128k", "should be a whole number, not '128k'", "write the number alone: 128"),
        (yamlsource.seconds, "soon", "should be a time, not 'soon'", "write seconds (90.5), mm:ss (12:30) or h:mm:ss (1:02:30)"),
        (yamlsource.seconds, "12:75", "should be a time, not '12:75'", "seconds go up to 59 here"),
        (yamlsource.seconds, "1:75:00", "should be a time, not '1:75:00'", "minutes go up to 59 here"),
        (yamlsource.seconds, "12:5", "should be a time, not '12:5'", "write two digits after each ':'"),
        (yamlsource.seconds, "1:5:00", "should be a time, not '1:5:00'", "write two digits after each ':'"),
        (yamlsource.seconds, "1:2:3:4", "should be a time, not '1:2:3:4'", "write seconds (90.5), mm:ss (12:30) or h:mm:ss (1:02:30)"),
        (yamlsource.seconds, "-1:00", "should be a time, not '-1:00'", "write seconds (90.5), mm:ss (12:30) or h:mm:ss (1:02:30)"),
        (yamlsource.seconds, "'90'", "should be a time, not the text '90'", "remove the quotes"),
        (yamlsource.seconds, "2s", "should be a time, not '2s'", "write the number alone: 2"),
        (yamlsource.truth, "yes", "should be true or false, not 'yes'", "write true (without quotes)"),
        (yamlsource.truth, "Off", "should be true or false, not 'Off'", "write false (without quotes)"),
        (yamlsource.truth, "'true'", "should be true or false, not the text 'true'", "write true (without quotes)"),
        (yamlsource.truth, "1", "should be true or false, not '1'", ""),
        (yamlsource.day, "7.1.2025", "should be a date, not '7.1.2025'", "write YYYY-MM-DD"),
        (yamlsource.day, "2025-02-29", "2025-02-29 is not in the calendar", ""),
        (yamlsource.day, "2025-01-07T10:00:00Z", "should be a date, not '2025-01-07T10:00:00Z'", "write YYYY-MM-DD"),
    ],
)
def test_a_scalar_that_is_something_else_says_what_to_write(kind: Callable[[Scalar], object], text: str, message: str, hint: str) -> None:
    with pytest.raises(Unfit) as caught:
        kind(scalar(text))
    assert (str(caught.value), caught.value.hint) == (message, hint)


@given(st.text(max_size=30) | st.from_regex(r"[0-9:.eE+-]{1,12}", fullmatch=True), st.booleans())
def test_any_text_is_a_value_or_unfit(text: str, plain: bool) -> None:
    for kind in (yamlsource.number, yamlsource.whole, yamlsource.seconds, yamlsource.truth, yamlsource.day):
        with contextlib.suppress(Unfit):
            kind(Scalar(1, 1, text, plain))
