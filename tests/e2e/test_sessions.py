"""A section that two people recorded apart, in the finished file: bursts of each where the session had them, and the words for whoever builds it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.audio.talks import Mono, monologues, recorded, turns
from tests.e2e import project
from tests.e2e.project import EPISODE, RATE

pytestmark = pytest.mark.process

SECONDS, OFFSET, DRIFT, WAY = 24.0, -1.25, 90.0, 0.008
BURSTS = {"ada": (3000, (1.8, 9.8, 17.8)), "bea": (5000, (5.8, 13.8, 21.8))}
"""A tone of 100 ms in pauses of each one's own turns: its pitch, and the seconds of the session at which it begins."""


@pytest.fixture(scope="module")
def said() -> list[Mono]:
    found = turns(monologues(SECONDS, 2, seed=3), (0, 1))
    for voice, (hertz, moments) in zip(found, BURSTS.values(), strict=True):
        for moment in moments:
            at = round(moment * RATE)
            voice[at : at + RATE // 10] += project.tone(hertz, 0.1, -10)
    return found


@pytest.fixture(scope="module")
def built(said: list[Mono], tmp_path_factory: pytest.TempPathFactory, ffmpeg: str) -> Path:
    """Ada's recorder is the clock; Bea's was started before, at 44.1 kHz, 20 dB lower and with a clock that is fast. Each hears the other."""
    root = project.make(tmp_path_factory.mktemp("session") / "show", [project.Take("alpha", 700)], ffmpeg=ffmpeg)
    folder = root / "recordings" / EPISODE / "talk"
    folder.mkdir()
    ada = recorded(said, 0, bleed={1: -30}, way=WAY)
    # At another rate, it is as if the clock was slow by that much.
    bea = recorded(said, 1, offset=OFFSET, drift=((1 + DRIFT * 1e-6) * 44_100 / RATE - 1) * 1e6, bleed={0: -30}, way=WAY, level=-20)
    project.save(ada[:, None], folder / "ada.flac", "flac", ffmpeg=ffmpeg)
    project.save(bea[:, None], folder / "bea.wav", rate=44_100)
    with project.edited(root) as config:
        config["sections"].append({"slug": "talk", "title": "Two of them", "part": "case-study"})
    guessed = project.produce(root, "plan", EPISODE)
    assert "talk: 2 tracks, not mixed yet" in guessed.out + guessed.said
    project.produce(root)
    return root


def test_each_burst_is_where_the_session_had_it(built: Path, ffmpeg: str) -> None:
    (chapter,) = [one for one in project.report(built)["chapters"] if one["slug"] == "talk"]
    sound = project.decoded(project.mp3(built), ffmpeg)[:, 0]
    for hertz, moments in BURSTS.values():
        for moment in moments:
            wanted = chapter["section_start_samples"] + round(moment * RATE)
            assert abs(project.onset(sound, hertz, wanted) - wanted) < RATE // 1000
    assert chapter["section_end_samples"] - chapter["section_start_samples"] == SECONDS * RATE


def test_both_are_as_loud_and_the_report_says_how_each_came_there(built: Path, ffmpeg: str) -> None:
    report = project.report(built)
    segment = next(one for one in report["segments"] if one["name"] == "talk")
    assert segment["file"] == "ada.flac + bea.wav"
    ada, bea = segment["tracks"]
    assert (ada["name"], ada["file"], ada["place"], ada["offset_s"], ada["drift_ppm"]) == ("ada", "ada.flac", "clock", 0, 0)
    assert (bea["name"], bea["file"], bea["place"]) == ("bea", "bea.wav", "found")
    assert bea["offset_s"] == pytest.approx(OFFSET, abs=5e-4)
    assert bea["drift_ppm"] == pytest.approx(DRIFT, abs=15)
    assert bea["bleed_measured"]
    assert bea["bleed_late_ms"] == pytest.approx(1000 * WAY, abs=0.3)
    assert bea["windows_agreeing"] == bea["windows"] >= 6
    assert bea["residual_ms"] < 0.1
    assert ada["recorded_lufs"] - bea["recorded_lufs"] == pytest.approx(20, abs=1.5)
    assert all(track["mixed_lufs"] == pytest.approx(-23, abs=0.2) and 0.2 < track["gated_share"] < 0.7 for track in (ada, bea))
    # what was found in both directions leaves nothing to be said
    assert not [words for words in report["warnings"] if "bea" in words]
    start = next(one for one in report["chapters"] if one["slug"] == "talk")["section_start_samples"]
    sound = project.decoded(project.mp3(built), ffmpeg)[start:]
    levels = [
        project.loudness(np.concatenate([sound[round(at * RATE) : round((at + 1.7) * RATE)] for at in begins]), ffmpeg)
        for begins in ((0.1, 8.1, 16.1), (4.1, 12.1, 20.1))
    ]
    assert abs(levels[0] - levels[1]) < 1


def test_a_second_run_does_nothing_and_the_plan_tells_where_each_lies(built: Path) -> None:
    assert "nothing to do" in project.produce(built).said
    told = project.produce(built, "plan", EPISODE)
    assert "talk: bea begins at -1.250 s, drift +9" in told.out + told.said


def test_a_track_that_does_not_belong_is_refused_where_it_is_named(built: Path, tmp_path: Path) -> None:
    root = project.copied(built, tmp_path / "show")
    stranger = recorded(monologues(12.0, 1, seed=90), 0)
    project.save(stranger[:, None], root / "stranger.wav")
    where = {"file": f"recordings/{EPISODE}/talk/ada.flac"}
    with project.edited(root) as config:
        config["sections"][1] |= {"tracks": [where, {"file": "stranger.wav", "name": "Nobody"}]}
    refused = project.produce(root, code=1)
    assert "talk: stranger.wav: has no sound in common with the other tracks: of " in refused.said
    assert "clear ones agree on a place, where 3 are needed" in refused.said
    assert "configs/episodes/episode-01.yaml:" in refused.said
    assert "offset: SECONDS" in refused.said
