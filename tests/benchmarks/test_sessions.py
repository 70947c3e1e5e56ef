"""The session that is made to be measured is what its truth says."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from audio.units import RATE
from benchmarks import sessions


def test_a_recorder_holds_each_voice_where_the_truth_has_it() -> None:
    click = np.zeros(RATE // 2)
    click[1000] = 1.0
    voices = [[(click, sessions._finer(click))] for _ in range(2)]
    plan = [(0, 0, 10 * RATE), (1, 0, 12 * RATE)]
    drift = sessions.HOUR_DRIFT / 1e6
    track = sessions.Truth("b", sessions.HOUR_OFFSET, drift, ())
    first = sessions._stretch(voices, plan, 0, 0, 13 * RATE, drift)
    other = sessions._stretch(voices, plan, 1, 0, 20 * RATE, drift)
    assert np.flatnonzero(np.abs(first) > 0.5).tolist() == [10 * RATE + 1000]
    own, bleed = (round(track.within(at + 1000 / RATE) * RATE) for at in (12.0, 10.0 + sessions._BLEED_SECONDS))
    assert abs(int(np.abs(other).argmax()) - own) <= 1
    near = np.abs(other[bleed - 50 : bleed + 51])
    assert abs(int(near.argmax()) - 50) <= 1
    assert 0.015 < near.max() < 0.033


def test_the_truth_is_read_as_it_is_written(tmp_path: Path) -> None:
    said = {
        "segments": [{"speaker": 1, "start": 1.5, "end": 8.0}, {"speaker": 0, "start": 9, "end": 10}],
        "tracks": [{"file": "a.wav", "speaker": 0, "start_offset": 0}, {"file": "b.wav", "speaker": 1, "start_offset": 1.37, "drift_ppm": 40}],
    }
    (tmp_path / "truth.json").write_text(json.dumps(said), "utf-8")
    first, other = sessions.truths(tmp_path)
    assert (first.within(5.0), first.turns) == (5.0, ((9, 10),))
    assert (other.offset, other.drift, other.turns) == (1.37, 40e-6, ((1.5, 8.0),))
