"""Whatever a recording comes in, it comes out at its place, at its length, at its level; and trimming leaves what was said."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.e2e import project
from tests.e2e.project import RATE, Floats, Take

pytestmark = pytest.mark.process

MILLISECOND = RATE // 1000
LOSSY = frozenset({"mp3", "m4a", "ogg", "opus"})

TAKES = (
    Take("wav-16", 600),
    Take("wav-24-96k-stereo", 800, form="wav24", rate=96_000, channels=2, aside=True),
    Take("wav-32-44k", 1000, form="wav32", rate=44_100),
    Take("float-22k", 1200, form="float", rate=22_050),
    Take("double-11k", 1400, form="double", rate=11_025, channels=2),
    Take("extensible-float-dual-mono", 1600, form="extensible", channels=2),
    Take("rf64-stereo", 2000, form="rf64", channels=2),
    Take("w64-32k", 2200, form="w64", rate=32_000),
    Take("aiff-8k", 2400, form="aiff", rate=8_000),
    Take("flac-88k-stereo", 2600, form="flac", rate=88_200, channels=2, aside=True),
    Take("surround", 2800, form="wav24", channels=6),
    Take("mp3-44k-stereo", 3000, form="mp3", rate=44_100, channels=2),
    Take("m4a", 3200, form="m4a", channels=2),
    Take("ogg-44k", 3400, form="ogg", rate=44_100),
    Take("opus", 3600, form="opus"),
    Take("quiet", 700, decibels=-40),
    Take("loud", 900, decibels=-0.2),
)
BY_NAME = {take.slug: take for take in TAKES}


@dataclass(frozen=True)
class Episode:
    """A finished episode, decoded, and where its report says that sections lie."""

    root: Path
    sound: Floats

    def chapter(self, slug: str) -> dict[str, int]:
        found: dict[str, int] = next(c for c in project.report(self.root)["chapters"] if c["slug"] == slug)
        return found

    def section(self, slug: str) -> Floats:
        chapter = self.chapter(slug)
        return self.sound[chapter["section_start_samples"] : chapter["section_end_samples"]]


@pytest.fixture(scope="module")
def episode(tmp_path_factory: pytest.TempPathFactory, ffmpeg: str) -> Episode:
    root = project.make(tmp_path_factory.mktemp("formats") / "show", TAKES, ffmpeg=ffmpeg, defaults={"layout": {"gap": 0.5, "grid": 0}})
    project.produce(root)
    return Episode(root, project.decoded(project.mp3(root), ffmpeg))


@pytest.fixture(scope="module")
def levels(episode: Episode, ffmpeg: str) -> dict[str, float]:
    """The integrated loudness of each section (LUFS), cut out of the finished file."""
    return {slug: project.loudness(episode.section(slug), ffmpeg) for slug in BY_NAME}


@pytest.mark.parametrize("slug", BY_NAME)
def test_a_recording_sounds_from_its_mark_to_its_end_at_the_level_of_all_others(slug: str, episode: Episode, levels: dict[str, float]) -> None:
    take, chapter = BY_NAME[slug], episode.chapter(slug)
    begins, ends = chapter["section_start_samples"], chapter["section_end_samples"]
    wanted = round(take.seconds * RATE)
    # Lossy codecs work in blocks, and not every container says where in the last one the sound ends.
    assert abs(ends - begins - wanted) <= (30 * MILLISECOND if take.form in LOSSY else 1)
    for side in (0, 1):
        channel = episode.sound[:, side]
        # An encoder of theirs may smear the first sample: what is under our mark is then the first of theirs.
        assert abs(project.onset(channel, take.hertz, begins) - begins) <= (3 if take.form in LOSSY else 1) * MILLISECOND
        assert abs(project.ending(channel, take.hertz, begins + wanted) - begins - wanted) <= (3 if take.form in LOSSY else 1) * MILLISECOND
    assert levels[slug] == pytest.approx(-16, abs=0.5)


def test_no_tone_sounds_where_another_section_is(episode: Episode) -> None:
    for take in TAKES:
        inside = episode.section(take.slug)[RATE // 2 : -RATE // 2, 0]
        heard = {other.slug: float(np.median(project.goertzel(inside, other.hertz))) for other in TAKES}
        assert max(heard, key=lambda slug: heard[slug]) == take.slug
        assert all(level < 0.02 * heard[take.slug] for slug, level in heard.items() if slug != take.slug)


def test_sides_keep_their_balance_and_mono_is_as_loud_on_both(episode: Episode) -> None:
    for take in TAKES:
        left, right = (float(np.sqrt(np.mean(episode.section(take.slug)[:, side] ** 2))) for side in (0, 1))
        assert 20 * np.log10(left / right) == pytest.approx(6.02 if take.aside else 0, abs=0.2), take.slug


def test_twenty_decibels_less_on_the_recording_is_not_heard_in_the_episode(levels: dict[str, float]) -> None:
    assert abs(levels["quiet"] - levels["wav-16"]) < 1
    assert abs(levels["loud"] - levels["wav-16"]) < 1


def test_the_report_measures_what_another_meter_measures(episode: Episode, levels: dict[str, float], ffmpeg: str) -> None:
    for chapter in project.report(episode.root)["chapters"]:
        assert chapter["integrated_lufs"] == pytest.approx(levels[chapter["slug"]], abs=0.15)
    measured = project.report(episode.root)["measured"]
    # Sections of three seconds: the blocks at their edges count for more than they will ever do.
    assert measured["integrated_lufs"] == pytest.approx(project.loudness(episode.sound, ffmpeg), abs=0.21)
    assert project.report(episode.root)["warnings"] == []


# -- trimming --------------------------------------------------------------------------------------------------------------------

HEAD, SPOKEN, TAIL = 1.3, 4.0, 2.1
CONSONANT = 0.06
AIR = 0.15


@pytest.fixture(scope="module")
def trimmed(tmp_path_factory: pytest.TempPathFactory, ffmpeg: str) -> Episode:
    """Two sections that begin and end with the noise of a room; what is spoken begins with a soft consonant and dies away."""
    takes = (Take("studio", 1000), Take("kitchen", 1500))
    root = project.make(tmp_path_factory.mktemp("trimmed") / "show", takes, ffmpeg=ffmpeg, defaults={"trim": {"enabled": True, "air": AIR}})
    for take, noise in zip(takes, (-75, -52), strict=True):
        project.save(_spoken(take.hertz, noise).reshape(-1, 1), project.recordings(root) / take.file, "wav24", ffmpeg=ffmpeg)
    project.produce(root)
    return Episode(root, project.decoded(project.mp3(root), ffmpeg))


def _spoken(hertz: int, noise: float) -> Floats:
    """Head, a consonant of hiss 16 dB under the voice, a voice of syllables at -20 dBFS, tail; over all of it noise (dBFS)."""
    random = np.random.default_rng(hertz)
    room = random.standard_normal(round((HEAD + SPOKEN + TAIL) * RATE)) * 10 ** (noise / 20)
    voice = project.tone(hertz, SPOKEN, -20)
    syllables = 0.65 + 0.35 * np.cos(2 * np.pi * 4 * np.arange(len(voice)) / RATE)
    hiss = random.standard_normal(round(CONSONANT * RATE)) * 10 ** (-36 / 20) / np.sqrt(2)
    begins = round(HEAD * RATE)
    room[begins : begins + len(voice)] += voice * syllables
    room[begins - len(hiss) : begins] += hiss
    return room


@pytest.mark.parametrize("slug", ["studio", "kitchen"])
def test_trimming_leaves_the_first_sound_the_last_one_and_the_air_around_them(slug: str, trimmed: Episode) -> None:
    hertz = {"studio": 1000, "kitchen": 1500}[slug]
    chapter, sound = trimmed.chapter(slug), trimmed.sound[:, 0]
    begins, ends = chapter["section_start_samples"], chapter["section_end_samples"]
    voice = round((AIR + CONSONANT) * RATE)
    found = project.onset(sound, hertz, begins + voice) - begins
    # The consonant is there as well, and before it the air: 150 ms, less the 5 ms of a step, or more where the room is loud.
    assert voice - 6 * MILLISECOND <= found <= voice + 11 * MILLISECOND
    after = ends - project.ending(sound, hertz, begins + found + round(SPOKEN * RATE))
    assert (AIR - 0.006) * RATE <= after <= (AIR + 0.13) * RATE
    consonant = sound[begins + found - round((CONSONANT - 0.005) * RATE) : begins + found - 5 * MILLISECOND]
    air = sound[begins + 10 * MILLISECOND : begins + found - round((CONSONANT + 0.02) * RATE)]
    assert np.sqrt(np.mean(consonant**2)) > 2 * np.sqrt(np.mean(air**2))


def test_the_report_says_what_was_trimmed(trimmed: Episode) -> None:
    for segment in project.report(trimmed.root)["segments"]:
        assert segment["trimmed_head_s"] == pytest.approx(HEAD - CONSONANT - AIR, abs=0.011)
        assert segment["trimmed_tail_s"] == pytest.approx(TAIL - AIR - 0.1, abs=0.031)


def test_in_and_out_points_are_kept_to_the_sample(built: Path, tmp_path: Path, ffmpeg: str) -> None:
    root = project.unbuilt(built, tmp_path / "show")
    first = np.concatenate([project.tone(900, 1.25, -20), project.tone(1900, 2.5, -20), project.tone(2900, 1.0, -20)])
    with project.edited(root) as config:
        config["sections"] = [{**config["sections"][0], "in": "0:01.25", "out": 3.75}]
    project.save(first.reshape(-1, 1), project.recordings(root) / "alpha.wav")
    project.produce(root)
    episode = Episode(root, project.decoded(project.mp3(root), ffmpeg))
    assert len(episode.section("alpha")) == round(2.5 * RATE)
    begins = episode.chapter("alpha")["section_start_samples"]
    assert abs(project.onset(episode.sound[:, 0], 1900, begins) - begins) <= MILLISECOND
    for other in (900, 2900):
        assert project.goertzel(episode.section("alpha")[:, 0], other).max() < 0.05
