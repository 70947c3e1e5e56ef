"""Which file each segment is made from, and what is wished for it: its own words before the episode's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from audio.chain import PLAIN, Wishes
from audio.measure import Cut
from audio.units import RATE, Samples
from production import inputs
from production.errors import ConfigError
from production.inputs import Input, Session
from production.model import Episode, Layout, Music, Project, Section, Series, Settings, Track, Trim, Voice
from production.store import Store
from tests.production.test_feed import SHOW
from tests.production.test_plan import episode, section

SERIES = Series(slug="patterns", season=1, title="Patterns", description="It.", episodes="1-99")
PLAYED = Music(intro="theme.wav", outro="theme.wav", sting="sting.wav")


def found(root: Path, one: Episode, recorded: str = "abc") -> tuple[Input, ...]:
    folder = root / "recordings" / one.id
    folder.mkdir(parents=True, exist_ok=True)
    for slug in recorded:
        (folder / f"{slug}.wav").touch()
    return inputs.inputs(Project(root, SHOW, (SERIES,), (one,), {}), one, Store(root / "store"), scratch=False)


def of(*sections: Section, **settings: Any) -> Episode:
    return episode(*sections, settings=Settings(**{"music": Music(intro="none", outro="none", sting="none"), **settings}))


def test_segments_come_in_the_order_of_the_programme_and_beds_after_them(tmp_path: Path) -> None:
    one = of(section("a"), section("b"), section("c", sting="none"), music=replace(PLAYED, bed="bed.wav"))
    listed = found(tmp_path, one)
    assert [(each.name, each.kind) for each in listed] == [
        ("music:intro", "intro"),
        ("a", "section"),
        ("sting:b", "sting"),
        ("b", "section"),
        ("c", "section"),
        ("music:outro", "outro"),
        *((f"bed:{slug}", "bed") for slug in "abc"),
    ]
    assert [each.path.relative_to(tmp_path).as_posix() for each in listed if each.kind != "section"] == [
        "theme.wav", "sting.wav", "theme.wav", "bed.wav", "bed.wav", "bed.wav",
    ]  # fmt: skip
    # music is taken as it is
    assert all((each.cut, each.wishes) == (Cut(trim=False), PLAIN) for each in listed if each.kind != "section")


def test_a_section_has_its_own_bed_or_none(tmp_path: Path) -> None:
    quiet, loud = section("a", bed="none"), section("b", bed="other.wav", bed_level=-22)
    beds = [each for each in found(tmp_path, of(quiet, loud, section("c"), music=replace(PLAYED, bed="bed.wav"))) if each.kind == "bed"]
    assert [(each.name, each.path.name) for each in beds] == [("bed:b", "other.wav"), ("bed:c", "bed.wav")]
    # how loud it is said to be stands with its section
    assert beds[0].section == loud
    assert not [each for each in found(tmp_path, of(quiet, section("b"), section("c"))) if each.kind == "bed"]


def test_gaps_stand_before_stings_and_the_file_begins_with_its_first_segment(tmp_path: Path) -> None:
    one = of(section("a"), section("b", gap=5.0), section("c", sting="none"), music=PLAYED, layout=Layout(gap=2.0, sting_lead=0.5))
    gaps = {each.name: each.gap / RATE for each in found(tmp_path, one)}
    assert gaps == {"music:intro": 0, "a": 2.0, "sting:b": 5.0, "b": 0.5, "c": 2.0, "music:outro": 2.0}
    assert found(tmp_path, of(section("a")))[0].gap == 0


def test_a_section_is_cut_as_it_is_said(tmp_path: Path) -> None:
    said = of(section("a", start=1.5, end=9.0), section("b", trim=False), section("c"), trim=Trim(air=0.25))
    air = Samples(RATE // 4)
    assert [each.cut for each in found(tmp_path, said)] == [
        Cut(Samples(RATE * 3 // 2), Samples(9 * RATE), True, air),
        Cut(trim=False, air=air),
        Cut(trim=True, air=air),
    ]


@pytest.mark.parametrize(
    ("voice", "own", "wished"),
    [
        (Voice(), {}, PLAIN),
        (Voice(repair=False, deess=3, levelling=4, compression=3, high_pass=100), {}, Wishes("voice", False, 100, 3, 4, 3)),
        (Voice(deess=3, high_pass=100), {"deess": 1, "high_pass": 0}, Wishes(deess=1, high_pass=0)),
        (Voice(deess=3), {"deess": 0, "levelling": 0, "compression": 1}, Wishes(deess=0, levelling=0, compression=1)),
        (Voice(chain="linear"), {}, Wishes(chain="linear")),
        (Voice(chain="linear"), {"chain": "voice"}, Wishes()),
        (Voice(), {"chain": "none"}, Wishes(chain="none")),
        (Voice(), {"gain": -2.5}, Wishes(gain=-2.5)),
    ],
)
def test_a_section_wishes_for_itself_or_as_its_episode_does(tmp_path: Path, voice: Voice, own: dict[str, Any], wished: Wishes) -> None:
    (one,) = found(tmp_path, of(section("a", **own), voice=voice))
    assert one.wishes == wished


def test_denoising_is_for_who_asks_for_it(tmp_path: Path) -> None:
    listed = found(tmp_path, of(section("a"), section("b", denoise="off"), section("c", denoise="deepfilter"), voice=Voice(denoise="ffmpeg")))
    assert [each.denoise for each in listed] == ["ffmpeg", "off", "deepfilter"]


def test_tracks_are_those_that_are_named_and_the_first_is_the_clock(tmp_path: Path) -> None:
    named = (Track(file="host.wav", gain=-2), Track(file="far/guest.flac", name="Bea", offset=-1.5, drift=20, apart=3))
    (one,) = found(tmp_path, of(section("a", tracks=named, start=2.0, gate=8, gain=1, high_pass=90), voice=Voice(deess=3)))
    assert one.path == tmp_path / "host.wav"
    assert one.label == "host.wav + guest.flac"
    assert one.session == Session(
        (inputs.Track("host", tmp_path / "host.wav", None, -2), inputs.Track("Bea", tmp_path / "far/guest.flac", None, None, -1.5, 20, 3)),
        Wishes(high_pass=90, deess=3),
        8,
    )
    # in and out points and the gain are for the mix, which is not rid again of what its tracks were rid of
    assert one.cut.start == 2 * RATE
    assert one.wishes == Wishes(high_pass=0, deess=0, gain=1)


def test_a_folder_of_the_sections_name_holds_its_tracks_or_its_recording(tmp_path: Path) -> None:
    folder = tmp_path / "recordings" / "episode-14"
    for name in ("a/zoe.wav", "a/ada.flac", "a/._ada.flac", "a/notes.txt", "b/only.MP3", "c/one.wav", "c/two.wav"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    talk, single, whole = found(tmp_path, of(section("a"), section("b"), section("c"), voice=Voice(gate=12)), recorded="c")
    assert talk.session is not None
    assert [(track.name, track.path) for track in talk.session.tracks] == [("ada", folder / "a/ada.flac"), ("zoe", folder / "a/zoe.wav")]
    assert talk.session.gate == 12
    assert (single.path, single.session) == (folder / "b/only.MP3", None)
    # a recording of the whole section goes before its tracks
    assert (whole.path, whole.session) == (folder / "c.wav", None)


def test_every_recording_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        found(tmp_path, of(section("a"), section("b"), section("c")), recorded="b")
    assert [problem.message.split(":")[0] for problem in caught.value.problems] == ["section 'a'", "section 'c'"]
