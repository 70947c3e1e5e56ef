from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from production.config import load_project
from production.errors import ConfigError, Problem
from production.files import project_root
from production.model import Episode, Location, Project, Section, Series, Settings, Show
from production.schema import check, model_of, read_sheet, rules
from production.yamlsource import read_text

SHOW = """\
title: Distributed Systems Podcast
slug: distributed-systems-podcast
description: How machines agree.
author: The Host
owner: {name: The Host, email: host@example.org}
link: https://example.org
media_url: https://media.example.org/dsp
copyright: © The Host
subcategory: none
defaults:
  loudness: {target: -16, max_gain: 30}
  fades:
    fade_in: 0.1
    fade_out: 0.2
  music:
    intro: music/theme.wav
"""
FOUNDATIONAL = """\
slug: foundational
season: 1
title: Foundational
description: The ground.
episodes: 1-12
"""
PATTERNS = """\
slug: pattern-mastery
season: 2
title: Pattern Mastery
description: What returns.
episodes: 13-21
defaults:
  fades: {fade_in: 0.3}
  layout: {gap: 3}
"""
FOURTEEN = """\
number: 14
series: pattern-mastery
title: No
summary: What a log is.
date: 2025-01-07
minutes: 180
keywords: [raft, paxos]
layout:
  gap: 0:04
sections:
  - slug: cold-open
    title: 12:30
    part: cold-open
    in: 0:05
    out: 12:41.5
    file: recordings/open.wav
  - slug: principles
    title: "First: principles"
    part: first-principles
    gain: -3
    sting: none
    image: none
    talking_points:
      - one
      - two
"""
FIFTEEN = """\
number: 15
series: pattern-mastery
title: on
summary: yes
date: 2025-01-14
sections:
  - {slug: all, title: "010", part: mathematics}
"""
FILES = {
    "configs/show.yaml": SHOW,
    "configs/series/foundational.yaml": FOUNDATIONAL,
    "configs/series/pattern-mastery.yml": PATTERNS,
    "configs/episodes/episode-14.yaml": FOURTEEN,
    "configs/episodes/episode-15.yaml": FIFTEEN,
    "music/theme.wav": "",
    "recordings/open.wav": "",
}
NAMES = {
    "show": "configs/show.yaml",
    "foundational": "configs/series/foundational.yaml",
    "patterns": "configs/series/pattern-mastery.yml",
    "14": "configs/episodes/episode-14.yaml",
    "15": "configs/episodes/episode-15.yaml",
}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project without a mistake; who changes it does so by `holding`."""
    root = tmp_path_factory.mktemp("project")
    for name, text in FILES.items():
        write(root / name, text)
    return root


@pytest.fixture
def project(tmp_path: Path, sound: Path) -> Path:
    """A copy to be changed at will."""
    return Path(shutil.copytree(sound, tmp_path / "project"))


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def changed(text: str, old: str, new: str) -> str:
    assert text.count(old) == 1, f"{old!r} is there {text.count(old)} times"
    return text.replace(old, new)


def change(root: Path, name: str, old: str, new: str) -> None:
    path = root / NAMES[name]
    write(path, changed(path.read_text(encoding="utf-8"), old, new))


@contextmanager
def holding(root: Path, name: str, text: str) -> Iterator[None]:
    """A file of the shared project with another text, for a moment."""
    path = root / NAMES[name]
    write(path, text)
    try:
        yield
    finally:
        write(path, FILES[NAMES[name]])


def problems_of(root: Path, target: Path | None = None) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as caught:
        load_project(root, target=target)
    return caught.value.problems


def said(problems: tuple[Problem, ...], root: Path) -> list[str]:
    return [f"{p.location.path.relative_to(root).as_posix()}:{p.location.line}:{p.location.column} {p.message}" for p in problems]


# -- what is right -------------------------------------------------------------------------------------------------------------


def test_a_project_is_read_whole(sound: Path) -> None:
    project = load_project(sound)
    assert project.show.slug == "distributed-systems-podcast"
    assert project.show.subcategory is None
    assert [series.slug for series in project.series] == ["foundational", "pattern-mastery"]
    assert [episode.id for episode in project.episodes] == ["episode-14", "episode-15"]
    episode = project.episode("episode-14")
    assert episode.date == dt.date(2025, 1, 7)
    assert episode.keywords == ("raft", "paxos")
    first, second = episode.sections
    assert (first.start, first.end) == (5.0, 761.5)
    assert (second.gain, second.talking_points) == (-3.0, ("one", "two"))


def test_text_stays_text_whatever_it_looks_like(sound: Path) -> None:
    project = load_project(sound)
    fourteen, fifteen = project.episodes
    assert (fourteen.title, fourteen.sections[0].title) == ("No", "12:30")
    assert (fifteen.title, fifteen.summary, fifteen.sections[0].title) == ("on", "yes", "010")


def test_no_sting_is_a_choice_and_no_image_is_none(sound: Path) -> None:
    section = load_project(sound).episode("episode-14").sections[1]
    assert section.sting == "none"
    assert section.image is None


def test_settings_are_handed_down_key_by_key(sound: Path) -> None:
    project = load_project(sound)
    settings = project.episode("episode-14").settings
    assert (settings.fades.fade_in, settings.fades.fade_out) == (0.3, 0.2)  # series, show
    assert settings.layout.gap == 4.0  # episode
    assert settings.layout.grid == Settings().layout.grid
    assert (settings.loudness.target, settings.loudness.max_gain) == (-16.0, 30.0)
    assert settings.music.intro == "music/theme.wav"
    assert project.episode("episode-15").settings.layout.gap == 3.0  # series


def test_a_series_has_the_settings_that_it_hands_down(sound: Path) -> None:
    foundational, patterns = load_project(sound).series
    assert (patterns.settings.fades.fade_in, patterns.settings.fades.fade_out) == (0.3, 0.2)  # series, show
    assert (patterns.settings.layout.gap, foundational.settings.layout.gap) == (3.0, Settings().layout.gap)
    assert foundational.settings.loudness.max_gain == 30.0
    # what an episode says is its own
    assert load_project(sound).episode("episode-14").settings.layout.gap == 4.0


@pytest.mark.parametrize(("said", "lufs"), [("apple", -16.0), ("Spotify", -14.0), ("EBU-R128", -23.0), ("-19.5", -19.5)])
def test_a_target_may_be_said_by_the_name_of_a_platform(sound: Path, said: str, lufs: float) -> None:
    with holding(sound, "show", changed(SHOW, "target: -16", f"target: {said}")):
        assert load_project(sound).episode("episode-14").settings.loudness.target == lufs


def test_no_bed_and_no_chain_are_choices(sound: Path) -> None:
    with holding(sound, "14", changed(FOURTEEN, "gain: -3", "bed: none\n    chain: none")):
        first, second = load_project(sound).episode("episode-14").sections
    assert (first.bed, first.chain) == (None, None)
    assert (second.bed, second.chain) == ("none", "none")


def test_every_key_is_found_where_it_was_said(sound: Path) -> None:
    project = load_project(sound)

    def at(episode_id: str, *keys: str | int) -> str:
        where = project.where(episode_id, *keys)
        assert where is not None
        return f"{where.path.relative_to(sound / 'configs').as_posix()}:{where.line}:{where.column}"

    assert at("episode-14") == "episodes/episode-14.yaml:1:1"
    assert at("episode-14", "sections", 0, "file") == "episodes/episode-14.yaml:16:11"
    assert at("episode-14", "sections", 0, "out") == "episodes/episode-14.yaml:15:10"
    assert at("episode-14", "sections", 1) == "episodes/episode-14.yaml:17:5"
    assert at("episode-14", "sections", 1, "file") == "episodes/episode-14.yaml:17:5"
    assert at("episode-14", "sections", 1, "talking_points", 1) == "episodes/episode-14.yaml:25:9"
    assert at("episode-14", "layout", "gap") == "episodes/episode-14.yaml:9:8"
    assert at("episode-15", "layout", "gap") == "series/pattern-mastery.yml:8:17"
    assert at("episode-14", "fades", "fade_in") == "series/pattern-mastery.yml:7:20"
    assert at("episode-14", "fades", "fade_out") == "show.yaml:14:15"
    assert at("episode-14", "settings", "fades", "fade_out") == "show.yaml:14:15"
    assert at("episode-14", "artwork", "colour") == "episodes/episode-14.yaml:1:1"
    assert at("show", "media_url") == "show.yaml:7:12"
    assert at("show", "defaults", "music", "intro") == "show.yaml:16:12"
    assert at("pattern-mastery", "season") == "series/pattern-mastery.yml:2:9"


def test_a_file_that_is_named_may_be_anywhere(project: Path, tmp_path: Path) -> None:
    write(tmp_path / "elsewhere.wav", "")
    change(project, "14", "file: recordings/open.wav", "file: ../elsewhere.wav")
    change(project, "show", "intro: music/theme.wav", f"intro: {tmp_path / 'elsewhere.wav'}")
    assert load_project(project).episode("episode-14").sections[0].file == "../elsewhere.wav"


def test_what_editors_leave_behind_is_not_read(project: Path) -> None:
    write(project / "configs/episodes/.#episode-14.yaml", "}")
    write(project / "configs/episodes/episode-14.yaml~", "}")
    write(project / "configs/episodes/notes.md", "}")
    assert len(load_project(project).episodes) == 2


# -- planted mistakes: file, what is replaced, by what, where it is found and what is said -------------------------------------

BOTH = "{file: music/theme.wav}, {file: recordings/open.wav}"
PARTS = "cold-open, first-principles, mathematics, implementation, case-study, failure-analysis, exercises"
MISTAKES = [
    # keys
    ("14", "    gain: -3", "    fade_inn: 0.2", "20:5 section: unknown key 'fade_inn'", "did you mean 'fade_in'?"),
    ("14", "    gain: -3", "    start: 0:02", "20:5 section: unknown key 'start'", "did you mean 'in'?"),
    ("14", "    gain: -3", "    zebra: 1", "20:5 section: unknown key 'zebra'", "known keys: slug, title, part"),
    ("14", "minutes: 180", "colour: '#123456'", "6:1 episode: unknown key 'colour'", "it belongs under 'artwork'"),
    ("14", "minutes: 180", "id: episode-14", "6:1 episode: unknown key 'id'", "the name of its file"),
    ("14", "minutes: 180", "defaults: {}", "6:1 episode: unknown key 'defaults'", "at the top level"),
    ("14", "  gap: 0:04", "  gaps: 4", "9:3 layout: unknown key 'gaps'", "did you mean 'gap'?"),
    ("show", "author:", "auther: x\nauthor:", "4:1 show: unknown key 'auther'", "did you mean 'author'?"),
    ("show", "    fade_in: 0.1", "    fadein: 0.1", "13:5 fades: unknown key 'fadein'", "did you mean 'fade_in'?"),
    ("show", "  fades:", "  fade:", "12:3 defaults: unknown key 'fade'", "did you mean 'fades'?"),
    ("show", "author:", "fades: {}\nauthor:", "4:1 show: unknown key 'fades'", "it belongs under 'defaults'"),
    ("show", "{name: The Host, email", "{name: The Host, mail: x, email", "5:25 owner: unknown key 'mail'", "did you mean 'email'?"),
    ("patterns", "season: 2", "season: 2\nseason_name: x", "3:1 series: unknown key 'season_name'", "did you mean 'season'?"),
    ("14", "summary: What a log is.\n", "", "1:1 episode: missing key 'summary'", ""),
    ("14", "    part: first-principles\n", "", "17:5 section: missing key 'part'", ""),
    ("show", "name: The Host, ", "", "5:8 owner: missing key 'name'", ""),
    ("foundational", "title: Foundational\n", "", "1:1 series: missing key 'title'", ""),
    ("14", "title: No", "title: No\ntitle: Yes", "4:1 key 'title' is there twice", "the first is in line 3"),
    # types
    ("14", "minutes: 180", "minutes: forty", "6:10 minutes: should be a number, not 'forty'", ""),
    ("14", "minutes: 180", "minutes: '180'", "6:10 minutes: should be a number, not the text '180'", "remove the quotes"),
    ("14", "minutes: 180", "minutes: 3:00", "6:10 minutes: should be a number, not '3:00'", ""),
    ("14", "minutes: 180", "minutes: [180]", "6:10 minutes: should be one value, not a list", ""),
    ("14", "minutes: 180", "explicit: no", "6:11 explicit: should be true or false, not 'no'", "write false"),
    ("14", "in: 0:05", "in: soon", "14:9 in: should be a time, not 'soon'", "mm:ss"),
    ("14", "date: 2025-01-07", "date: 7 January", "5:7 date: should be a date, not '7 January'", "write YYYY-MM-DD"),
    ("14", "date: 2025-01-07", "date: 2025-02-30", "5:7 date: 2025-02-30 is not in the calendar", ""),
    ("14", "keywords: [raft, paxos]", "keywords: raft", "7:11 keywords: should be a list, not 'raft'", "after '- '"),
    ("14", "      - two", "      - {two: 2}", "25:9 talking_points, item 2: should be text, not a mapping", "in quotes"),
    ("14", "      - two", "      -", "25:8 talking_points, item 2: is empty", "give it a value"),
    ("14", "title: No", "title: [Raft] a log", "3:15 not YAML", "check indentation"),
    ("14", "title: No", "title:", "3:1 title: is empty", "give it a value"),
    ("14", "title: No", "title: ''", "3:8 title: is empty", "give it a value"),
    ("14", "minutes: 180", "artwork: {colour: #123456\n}", "6:11 colour: is empty", "'#' starts a comment"),
    ("14", "layout:\n  gap: 0:04", "layout: 4", "8:9 layout: should be a mapping, not '4'", "its keys: gap, grid"),
    ("show", "  loudness: {target: -16, max_gain: 30}", "  loudness:", "11:3 loudness: is empty", "give it a value"),
    ("show", "target: -16", "target: -16 LUFS", "11:22 target: should be a loudness, not '-16 LUFS'", "write LUFS, as -16, or one of apple, spotify"),
    ("show", "target: -16", "target: aple", "11:22 target: should be a loudness, not 'aple'", "did you mean 'apple'?"),
    ("show", "target: -16", "target: [apple]", "11:22 target: should be one value, not a list", ""),
    ("patterns", "season: 2", "season: two", "2:9 season: should be a whole number, not 'two'", ""),
    # rules
    ("14", "gain: -3", "gain: -90", "20:11 gain: should be -60 or more, not -90", ""),
    ("show", "target: -16", "target: -50", "11:22 target: should be -40 or more, not -50", ""),
    ("14", "minutes: 180", "voice: {high_pass: 20}", "6:20 high_pass: '20' is no corner of a high-pass for a voice", "it should be 40 to 300 Hz"),
    ("14", "gain: -3", "high_pass: 301", "20:16 high_pass: '301' is no corner of a high-pass for a voice", "40 to 300 Hz, or 0 for none"),
    ("14", "gain: -3", "compression: 0.5", "20:18 compression: should be 1 or more, not 0.5", ""),
    ("14", "gain: -3", "chain: voce", "20:12 chain: 'voce' is none of voice, linear, none", "did you mean 'voice'?"),
    ("14", "gain: -3", "denoise: on", "20:14 denoise: 'on' is none of off, ffmpeg, deepfilter", ""),
    ("14", "gain: -3", "gate: 90", "20:11 gate: should be 60 or less, not 90", ""),
    # tracks
    ("14", "gain: -3", "tracks: [{file: music/theme.wav}]", "20:13 tracks: there is one only", "name a recording with 'file:'"),
    ("14", "gain: -3", f"tracks: [{BOTH}, {{file: music/theme.wav}}]", "20:75 file: 'music/theme.wav' is a track already", "the first is in line 20"),
    ("14", "gain: -3", f"tracks: [{BOTH.replace('}, ', ', offset: 1}, ')}]", "20:46 offset: the first track is the clock", "of another track"),
    ("14", "gain: -3", f"tracks: [{BOTH[:-1]}, drift: 20}}]", "20:74 drift: goes with an offset", "leave both"),
    ("14", "gain: -3", f"tracks: [{BOTH.replace('open', 'opn')}]", "20:46 file: there is no file 'recordings/opn.wav'", "'open.wav'"),
    ("14", "gain: -3", "tracks: [{file: music/theme.wav}, {name: Ada}]", "20:39 track: missing key 'file'", ""),
    ("14", "gain: -3", f"tracks: [{BOTH.replace('}, ', ', apart: -1}, ')}]", "20:45 apart: should be 0 or more, not -1", ""),
    (
        "14",
        "file: recordings/open.wav",
        f"file: recordings/open.wav\n    tracks: [{BOTH}]",
        "17:13 tracks: the section names a file, too",
        "keep one",
    ),
    ("14", "minutes: 180", "formats: {opus: 33}", "6:17 opus: '33' is none of 0, 24, 32, 48", "the nearest is 32"),
    ("14", "gap: 0:04", "gap: 1:00", "9:8 gap: should be 30 or less, not 1:00", ""),
    ("14", "minutes: 180", "minutes: 0", "6:10 minutes: should be more than 0, not 0", ""),
    (
        "14",
        "slug: principles",
        "slug: First Principles",
        "17:11 slug: should be lower-case words joined by hyphens",
        "write first-principles",
    ),
    ("14", "part: cold-open", "part: cold_open", f"13:11 part: 'cold_open' is none of {PARTS}", "did you mean 'cold-open'?"),
    ("14", "minutes: 180", "encoding: {bitrate: 130}", "6:21 bitrate: '130' is none of 64, 80, 96", "the nearest is 128"),
    ("14", "minutes: 180", "link: example.org", "6:7 link: 'example.org' is not a web address", "it should start with https://"),
    ("14", "minutes: 180", "artwork: {colour: blue}", "6:19 colour: should be a colour, not 'blue'", "#1f4e79"),
    ("15", '  - {slug: all, title: "010", part: mathematics}', "  []", "7:3 sections: is empty: at least one is needed", ""),
    ("show", "max_gain: 30", "max_gain: 99", "11:37 max_gain: should be 60 or less, not 99", ""),
    ("show", "host@example.org", "host", "5:32 email: should be an e-mail address, not 'host'", ""),
    ("patterns", "episodes: 13-21", "episodes: 13 to 21", "5:11 episodes: should be the first and the last number", "write 1-12"),
    ("patterns", "episodes: 13-21", "episodes: 21-13", "5:11 episodes: 21-13 holds no number", "as 1-12"),
    ("foundational", "episodes: 1-12", f"episodes: 1-{'9' * 5000}", "5:11 episodes: 1-999", "as 1-12"),
    # one thing against another
    ("14", "number: 14", "number: 16", "1:9 number: is 16, but the file is episode-14.yaml", "rename the file to episode-16.yaml"),
    (
        "14",
        "series: pattern-mastery",
        "series: pattern-mastary",
        "2:9 series: there is no series 'pattern-mastary'",
        "did you mean 'pattern-mastery'?",
    ),
    (
        "14",
        "series: pattern-mastery",
        "series: foundational",
        "2:9 series: 'foundational' holds 1-12, not 14",
        "14 is in series 'pattern-mastery'",
    ),
    ("14", "slug: principles", "slug: cold-open", "17:11 slug: there is a section 'cold-open' already", "line 11"),
    ("14", "in: 0:05", "in: 12:45", "15:10 out: 12:41.5 leaves nothing after in: 12:45", "out comes after in"),
    ("14", "in: 0:05", "in: 12:41.5", "15:10 out: 12:41.5 leaves nothing after in: 12:41.5", "out comes after in"),
    ("14", "gain: -3", "cut: [[1, 2], [3]]", "20:19 cut, item 2: is not two times", "write [from, to]"),
    ("14", "gain: -3", "cut: [[2, 1]]", "20:11 cut, item 1: cuts nothing out", "the later one second"),
    ("14", "gain: -3", "cut: [[1, 2]]\n    gap: 1\n    speaker: ''", "22:14 speaker: is empty", "give it a value"),
    ("14", "gain: -3", "cut:\n    - [0:30, 0:40]\n    - [0:10, 0:31]", "21:7 cut, item 1: overlaps with item 2", "the other is in line 22"),
    ("14", "gain: -3", "cut: [[1, soon]]", "20:15 cut, item 1, item 2: should be a time, not 'soon'", "write seconds"),
    ("14", "gain: -3", "cut: [[1, -2]]", "20:15 cut, item 1, item 2: should be 0 or more, not -2", ""),
    ("14", "gain: -3", "cut: [1]", "20:11 cut, item 1: should be a list, not '1'", "in brackets of its own"),
    ("14", "gain: -3", "markers: embeded", "20:14 markers: 'embeded' is no such file", "did you mean 'embedded'?"),
    ("14", "gain: -3", "markers: recordings/open.wav", "20:14 markers: 'recordings/open.wav' is no such file", "ends in .txt, .tsv, .csv"),
    ("14", "gain: -3", "markers: marks.txt", "20:14 markers: there is no file 'marks.txt'", "relative to the project folder"),
    ("14", "gain: -3", "transcript: said.doc", "20:17 transcript: 'said.doc' is no such file", "ends in .vtt, .srt, .json"),
    ("14", "gain: -3", "transcript: said.vtt", "20:17 transcript: there is no file 'said.vtt'", "relative to the project folder"),
    ("14", "gain: -3", "inside: lists", "20:13 inside: 'lists' is none of report, list", "did you mean 'list'?"),
    ("14", "gain: -3", "bed_to: 0:00", "20:13 bed_to: 0:00 leaves nothing of the bed", "bed_to comes after bed_from"),
    ("14", "gain: -3", "bed_from: 0:09\n    bed_to: 0:08", "21:13 bed_to: 0:08 leaves nothing of the bed", "bed_to comes after bed_from"),
    ("patterns", "season: 2", "season: 1", "2:9 season: season 1 is taken", "configs/series/foundational.yaml:2"),
    (
        "patterns",
        "episodes: 13-21",
        "episodes: 12-21",
        "5:11 episodes: 12-21 overlaps with 1-12 of series 'foundational'",
        "foundational.yaml:5",
    ),
    (
        "foundational",
        "slug: foundational",
        "slug: foundation",
        "1:7 slug: is 'foundation', but the file is foundational.yaml",
        "write foundational",
    ),
    # files
    (
        "14",
        "file: recordings/open.wav",
        "file: recordings/opn.wav",
        "16:11 file: there is no file 'recordings/opn.wav'",
        "did you mean 'open.wav'?",
    ),
    ("14", "file: recordings/open.wav", "file: recordings", "16:11 file: 'recordings' is a folder", "name a file in it"),
    ("14", "image: none", "image: art/a.png", "22:12 image: there is no file 'art/a.png'", "relative to the project"),
    ("14", "sting: none", "sting: non", "21:12 sting: there is no file 'non'", "did you mean 'none'?"),
    ("14", "gain: -3", "bed: non", "20:10 bed: there is no file 'non'", "did you mean 'none'?"),
    ("14", "gain: -3", "bed: builtin", "20:10 bed: there is no file 'builtin'", "relative to the project folder"),
    ("14", "minutes: 180", "music: {bed: art/bed.wav}", "6:14 bed: there is no file 'art/bed.wav'", "relative to the project folder"),
    ("14", "minutes: 180", "music: {outro: x.wav}", "6:16 outro: there is no file 'x.wav'", "relative to the project folder"),
    ("14", "minutes: 180", f"artwork: {{file: {'x' * 5000}}}", "6:17 file: there is no file 'xxx", "relative to the project folder"),
    ("show", "intro: music/theme.wav", "intro: Builtin", "16:12 intro: there is no file 'Builtin'", "did you mean 'builtin'?"),
    (
        "patterns",
        "  layout: {gap: 3}",
        "  artwork: {file: cover.jpg}",
        "8:19 file: there is no file 'cover.jpg'",
        "relative to the project folder",
    ),
    # where pages are kept
    *(
        (
            "show",
            "author:",
            f"targets: [{{name: m, kind: folder, path: x, pages: {folder}}}]\nauthor:",
            f"4:51 pages: should be a folder of the target, not '{folder}'",
            "write . for its root",
        )
        for folder in ("../x", "/srv", "a/../b", "a//b", "a/", ".hidden", "-x", "~x", "a b")
    ),
    *(
        (
            "show",
            "author:",
            f"targets: [{{name: m, kind: folder, path: x, pages: {folder}}}]\nauthor:",
            f"4:51 pages: '{folder}' is where the feeds stand",
            "write . or another folder",
        )
        for folder in ("feeds", "Feeds/listen")
    ),
]


@pytest.mark.parametrize(("name", "old", "new", "expected", "hint"), MISTAKES, ids=[f"{m[0]}-{m[3][:50]}" for m in MISTAKES])
def test_a_planted_mistake_is_the_one_problem_and_is_found_in_its_place(sound: Path, name: str, old: str, new: str, expected: str, hint: str) -> None:
    with holding(sound, name, changed(FILES[NAMES[name]], old, new)):
        found = problems_of(sound)
    (line,) = said(found, sound)
    assert line.startswith(f"{NAMES[name]}:{expected}")
    assert hint in found[0].hint if hint else not found[0].hint
    assert found[0].source_line is not None


# -- every key, from the models ------------------------------------------------------------------------------------------------

SECTION_VALUES = {
    "slug": "a", "title": "A", "part": "mathematics", "minutes": "3", "summary": "x", "talking_points": "[x]", "link": "https://example.org",
    "image": "music/theme.wav", "file": "music/theme.wav", "tracks": "[]", "in": "1", "out": "0:02",
    "cut": "[[0:01, 0:01.5]]", "markers": "embedded", "inside": "list", "transcript": "none", "speaker": "Ann", "sting": "none",
    "gap": "2", "trim": "true",
    "fade_in": "0.1", "fade_out": "0.1", "gain": "1", "crossfade": "0.5", "chain": "linear", "high_pass": "80", "denoise": "off", "gate": "12",
    "deess": "3", "levelling": "4", "compression": "1.5", "bed": "music/theme.wav", "bed_level": "-30", "bed_from": "0.5", "bed_to": "0:01",
}  # fmt: skip
GROUPS: dict[str, type] = {group.name: type(group.default) for group in fields(Settings)}
WRONG = {
    "string": ("[x]", "should be text"),
    "number": ("soon", "should be a"),
    "boolean": ("maybe", "should be true or false"),
    "array": ("word", "should be a list"),
}
TIMES = {"in", "out", "gap", "grid", "sting_lead", "tail", "air", "fade_in", "fade_out", "crossfade", "intro_under", "bed_from", "bed_to"}


def kinds(noun: type) -> dict[str, str]:
    """The JSON types of a noun's keys, and `choice` for keys with a list of values: asked of pydantic, not of the code under test."""

    def kind(schema: dict[str, Any]) -> str:
        if "enum" in schema:
            return "choice"
        return str(schema["type"]) if "type" in schema else kind(schema["anyOf"][0])

    return {key: kind(schema) for key, schema in model_of(noun).model_json_schema()["properties"].items()}


def wrong_value(kind: str) -> tuple[str, str]:
    return WRONG.get(kind, ("7", "is none of"))


def with_section(lines: list[str]) -> str:
    head, _, _ = FIFTEEN.partition("  - {")
    return head + "".join(f"{'  - ' if index == 0 else '    '}{line}\n" for index, line in enumerate(lines))


EVERY_SETTING = [(group, key, kind) for group, noun in GROUPS.items() for key, kind in kinds(noun).items()]


def test_the_samples_name_every_key_of_a_section(sound: Path) -> None:
    assert list(SECTION_VALUES) == list(kinds(Section))
    with holding(sound, "15", with_section([f"{key}: {value}" for key, value in SECTION_VALUES.items()])):
        assert load_project(sound).episode("episode-15").sections[0].gain == 1.0


@pytest.mark.parametrize("key", kinds(Section))
def test_every_key_of_a_section_is_caught_when_it_is_misspelt(key: str) -> None:
    misspelt = f"{key}{key[-1]}"
    lines = [f"{misspelt if name == key else name}: {value}" for name, value in SECTION_VALUES.items()]
    (problem,) = [p for p in read_episode(with_section(lines)) if "unknown" in p.message]
    assert problem.message == f"section: unknown key '{misspelt}'"
    assert (problem.location.line, problem.location.column) == (7 + list(SECTION_VALUES).index(key), 5)
    assert problem.hint == f"did you mean '{key}'?"


@pytest.mark.parametrize(("key", "kind"), kinds(Section).items())
def test_every_value_of_a_section_is_caught_when_it_is_of_the_wrong_type(sound: Path, key: str, kind: str) -> None:
    value, words = wrong_value(kind)
    lines = [f"{name}: {value if name == key else right}" for name, right in SECTION_VALUES.items()]
    with holding(sound, "15", with_section(lines)):
        (problem,) = problems_of(sound)
    assert problem.message.startswith(f"{key}: ")
    assert words in problem.message
    assert (problem.location.line, problem.location.column) == (7 + list(SECTION_VALUES).index(key), 7 + len(key))


def read_episode(text: str) -> list[Problem]:
    """Only what is wrong with the keys and the types of one text."""
    fields = {**rules(Episode), **rules(Settings)}
    return [p for p in read_sheet(read_text(Path("x.yaml"), text.encode()), fields, "episode").problems if "'id'" not in p.message]


@pytest.mark.parametrize(("group", "key", "kind"), EVERY_SETTING)
def test_every_setting_is_caught_when_it_is_misspelt_or_of_the_wrong_type(sound: Path, group: str, key: str, kind: str) -> None:
    value, words = wrong_value(kind)
    for name, text, first_line, indent in (
        ("15", f"{FIFTEEN}{group}:\n", 9, 2),
        ("foundational", f"{FOUNDATIONAL}defaults:\n  {group}:\n", 8, 4),
    ):
        pad = " " * indent
        with holding(sound, name, f"{text}{pad}{key}{key[-1]}: {value}\n{pad}{key}: {value}\n"):
            unknown, wrong = problems_of(sound)
        assert unknown.message == f"{group}: unknown key '{key}{key[-1]}'"
        assert unknown.location == Location(sound / NAMES[name], first_line, indent + 1)
        assert unknown.hint == f"did you mean '{key}'?"
        assert wrong.message.startswith(f"{key}: ")
        assert words in wrong.message
        assert wrong.location == Location(sound / NAMES[name], first_line + 1, indent + len(key) + 3)


def test_times_may_be_written_as_times_and_nothing_else_may() -> None:
    for noun in (Section, *GROUPS.values()):
        for key, kind in kinds(noun).items():
            if kind == "number":
                document = read_text(Path("x.yaml"), f"{key}: 0:02".encode())
                refused = [p for p in read_sheet(document, rules(noun), "x").problems if p.message.startswith(f"{key}: ")]
                assert bool(refused) == (key not in TIMES), key


@pytest.mark.parametrize("noun", [Show, Series, Episode, Section, *GROUPS.values()])
def test_every_pattern_has_plain_words(sound: Path, noun: type) -> None:
    for key, schema in model_of(noun).model_json_schema()["properties"].items():
        if "pattern" in str(schema):
            sheet = read_sheet(read_text(sound / "x.yaml", f"{key}: '?!'\n".encode()), rules(noun), "x")
            check(sheet, noun, sheet.values)
            (message,) = [p.message for p in sheet.problems if p.message.startswith(f"{key}: ")]
            assert message.startswith(f"{key}: should be ")
            assert "pattern" not in message


# -- the project as a whole ----------------------------------------------------------------------------------------------------


def test_every_problem_of_every_file_comes_at_once_in_order(project: Path) -> None:
    change(project, "show", "author: The Host\n", "")
    change(project, "foundational", "season: 1", "season: one")
    change(project, "14", "minutes: 180", "minutes: forty")
    change(project, "14", "    gain: -3", "    gian: -3")
    change(project, "14", "number: 14", "number: 0")
    write(project / NAMES["15"], "title: 'open\n")
    assert said(problems_of(project), project) == [
        "configs/episodes/episode-14.yaml:1:9 number: should be 1 or more, not 0",
        "configs/episodes/episode-14.yaml:6:10 minutes: should be a number, not 'forty'",
        "configs/episodes/episode-14.yaml:20:5 section: unknown key 'gian'",
        "configs/episodes/episode-15.yaml:1:8 not YAML: a quote that is never closed",
        "configs/series/foundational.yaml:2:9 season: should be a whole number, not 'one'",
        "configs/show.yaml:1:1 show: missing key 'author'",
    ]


def test_a_default_is_checked_where_it_stands_even_when_everybody_overrides_it(project: Path) -> None:
    change(project, "show", "  fades:\n    fade_in: 0.1", "  fades:\n    fade_in: 99")
    assert said(problems_of(project), project) == ["configs/show.yaml:13:14 fade_in: should be 10 or less, not 99"]


def test_a_broken_series_is_not_held_against_its_episodes(project: Path) -> None:
    write(project / NAMES["patterns"], "slug: [\n")
    (problem,) = problems_of(project)
    assert problem.location.path == project / NAMES["patterns"]


def test_a_copied_episode_is_told_from_the_first(project: Path) -> None:
    write(project / "configs/episodes/episode-16.yaml", FIFTEEN)
    problems = problems_of(project)
    assert said(problems, project) == [
        "configs/episodes/episode-16.yaml:1:9 number: is 15, but the file is episode-16.yaml",
        "configs/episodes/episode-16.yaml:1:9 number: there is an episode 15 already",
    ]
    assert problems[1].hint == "the first is configs/episodes/episode-15.yaml:1"


def test_one_episode_or_series_in_two_files_is_a_problem(project: Path) -> None:
    write(project / "configs/episodes/episode-15.yml", FIFTEEN)
    write(project / "configs/series/foundational.yml", FOUNDATIONAL.replace("season: 1", "season: 9").replace("1-12", "90-99"))
    write(project / "configs/show.yml", SHOW)
    assert said(problems_of(project), project) == [
        "configs/episodes/episode-15.yml:1:9 number: there is an episode 15 already",
        "configs/series/foundational.yml:1:7 slug: there is a series 'foundational' already",
        "configs/show.yml:0:0 there is a show.yaml too",
    ]


@pytest.mark.parametrize("name", ["episode-5.yaml", "ep15.yaml", "Episode-15.yaml", "episode-015.yaml"])
def test_an_episode_lives_in_a_file_of_its_name(project: Path, name: str) -> None:
    (project / NAMES["15"]).rename(project / "configs/episodes" / name)
    (problem,) = problems_of(project)
    assert problem.location.path.name == name
    assert "episode-15.yaml" in problem.hint


@pytest.mark.parametrize("slug", ["show", "episode-14"])
def test_a_series_may_not_take_the_name_of_something_else(project: Path, slug: str) -> None:
    write(
        project / f"configs/series/{slug}.yaml",
        FOUNDATIONAL.replace("slug: foundational", f"slug: {slug}").replace("1-12", "50-60").replace("season: 1", "season: 5"),
    )
    assert said(problems_of(project), project) == [f"configs/series/{slug}.yaml:1:7 slug: '{slug}' is the name of something else"]


def test_an_empty_folder_says_how_to_name_the_project(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path)
    assert (problem.message, problem.hint) == ("no configs/ here", "use -C DIR to name the project folder")
    (tmp_path / "configs").mkdir()
    (problem,) = problems_of(tmp_path)
    assert problem.location == Location(tmp_path / "configs/show.yaml")
    assert "use -C DIR" in problem.hint


def test_a_project_without_episodes_is_a_project(project: Path) -> None:
    shutil.rmtree(project / "configs/episodes")
    assert load_project(project).episodes == ()


def test_a_file_in_the_place_of_a_folder_is_a_problem(project: Path) -> None:
    shutil.rmtree(project / "configs/episodes")
    write(project / "configs/episodes", "")
    (problem,) = problems_of(project)
    assert problem.location == Location(project / "configs/episodes")
    assert problem.message.startswith("cannot be read")


# -- a config as the target ----------------------------------------------------------------------------------------------------


def test_the_project_of_a_config_is_the_folder_that_holds_configs(project: Path) -> None:
    assert project_root(project / NAMES["14"]) == project
    write(project / "drafts/episode-16.yaml", "")
    assert project_root(project / "drafts/episode-16.yaml") == project
    with pytest.raises(ConfigError) as caught:
        project_root(project / "configs/episodes/episode-14.yml")
    assert caught.value.problems[0].hint == "did you mean 'episode-14.yaml'?"


def test_a_draft_is_loaded_with_the_project_and_in_the_place_of_its_elder(project: Path) -> None:
    draft = write(project / "drafts/episode-16.yaml", FIFTEEN.replace("number: 15", "number: 16"))
    loaded = load_project(project, target=draft)
    assert [episode.id for episode in loaded.episodes] == ["episode-14", "episode-15", "episode-16"]
    assert loaded.where("episode-16", "title") == Location(draft, 3, 8)
    newer = write(project / "drafts/episode-15.yaml", FIFTEEN.replace("title: on", "title: off"))
    loaded = load_project(project, target=newer)
    assert [episode.title for episode in loaded.episodes] == ["No", "off"]


def test_a_target_among_the_episodes_changes_nothing(project: Path) -> None:
    assert load_project(project, target=project / "configs/episodes/../episodes/episode-15.yaml") == load_project(project)


def test_a_target_that_is_not_there_is_a_problem(project: Path) -> None:
    (problem,) = problems_of(project, target=project / "drafts/episode-16.yaml")
    assert problem.message.startswith("cannot be read")


# -- whatever a file holds -----------------------------------------------------------------------------------------------------

VALUES = st.sampled_from(
    [
        "",
        "~",
        "x",
        "'7'",
        "7",
        "-1",
        "0:05",
        "[",
        "[]",
        "{}",
        "[a, {b: c}]",
        "{a: b}",
        "*x",
        "&x y",
        "#",
        "true",
        "none",
        "cold-open",
        "1-12",
        "'",
        '"\\0"',
        "|\n        x",
        "!!int 3",
        "9" * 30,
    ]
)


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(st.sampled_from([*rules(Episode), *GROUPS, *SECTION_VALUES]), VALUES, st.sampled_from(["", "  ", "  - ", "    "])),
        max_size=12,
    )
)
def test_no_episode_crashes_the_loader(sound: Path, pieces: list[tuple[str, str, str]]) -> None:
    text = "".join(f"{indent}{key}: {value}\n" for key, value, indent in pieces)
    with holding(sound, "15", text):
        problems = problems_of(sound)
    assert {p.location.path for p in problems} == {sound / NAMES["15"]}
    assert all(p.location.line for p in problems)


@settings(max_examples=25)
@given(st.lists(st.sampled_from(FOURTEEN.splitlines()), max_size=25))
def test_no_shuffled_episode_crashes_the_loader(sound: Path, lines: list[str]) -> None:
    with holding(sound, "14", "\n".join(lines)):
        outcome = loaded_or_refused(sound)
    if isinstance(outcome, Project):
        assert outcome.episode("episode-14").sections
    else:
        assert all(p.location.line for p in outcome)


def loaded_or_refused(root: Path) -> Project | tuple[Problem, ...]:
    try:
        return load_project(root)
    except ConfigError as error:
        return error.problems
