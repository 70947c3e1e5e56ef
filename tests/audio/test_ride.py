"""The hand on the fader: what it brings together, where and how fast it moves, and what it never touches."""

from __future__ import annotations

import math
import tracemalloc
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from audio import loudness, ride
from audio.meter import Meter
from audio.profile import Profiler, from_curve
from audio.ride import Wishes
from audio.sides import apart
from audio.speech import OTHER, PAUSE, SPEECH
from audio.strip import Strip, Tape
from audio.units import RATE, Db
from tests.audio.held import Held
from tests.audio.sounds import Sound, speech

Array = NDArray[np.float32]
LEVELLED = Wishes(levelling=8.0, compression=1.0)
COMPRESSED = Wishes(levelling=0.0, compression=2.0)
QUIET = -70.0


class Scene:
    """A profile, put together from stretches of (what it is, seconds, LUFS). Speech has syllables: 250 ms, 9 dB from the loudest to the quietest."""

    def __init__(self, *stretches: tuple[int, float, float]) -> None:
        level, classes = [], []
        self.edges = [0]
        for kind, seconds, lufs in stretches:
            steps = round(seconds * 10) * 10
            syllables = 4.5 * np.sin(2 * np.pi * (np.arange(steps) + 0.5) / 25) - 1.2 if kind == SPEECH else np.zeros(steps)
            level.append(lufs + syllables)
            classes.append(np.full(steps // 10, kind, dtype="i1"))
            self.edges.append(self.edges[-1] + steps)
        self.level: Array = np.concatenate(level).astype("f4")
        self.classes = np.concatenate(classes)

    @property
    def momentary(self) -> Array:
        return momentary(self.level)

    def ride(self, wishes: Wishes = LEVELLED) -> Array:
        return ride.ride(self.level, self.momentary, self.classes, wishes)

    def part(self, number: int) -> slice:
        """The steps of a stretch."""
        return slice(self.edges[number], self.edges[number + 1])


def momentary(level: Array) -> Array:
    """Of the 400 ms that end with each 100 ms."""
    energy = np.concatenate((np.zeros(3), (10 ** (level[: len(level) // 10 * 10].astype("f8") / 10)).reshape(-1, 10).mean(axis=1)))
    windows = np.lib.stride_tricks.sliding_window_view(energy, 4).mean(axis=1) if len(energy) > 3 else np.zeros(0)
    return (10 * np.log10(np.maximum(windows, 1e-12))).astype("f4")


def loud(level: Array) -> float:
    return float(10 * np.log10(np.mean(10 ** (level.astype("f8") / 10))))


def steepest(curve: Array) -> float:
    """dB in 10 ms, without what rounding adds."""
    return float(np.abs(np.diff(curve)).max(initial=0.0)) - 0.0101


# -- levelling --------------------------------------------------------------------------------------------------------------------


def talk(*, apart_by: float, pause: float, turns: int = 8, seconds: float = 7.0) -> Scene:
    """Two who take turns: stretches 0, 2, 4, ... are their turns, with ``pause`` seconds between them."""
    return Scene(*(part for turn in range(turns) for part in ((SPEECH, seconds, -20.0 - turn % 2 * apart_by), (PAUSE, pause, QUIET))))


@pytest.mark.parametrize("pause", [0.2, 0.6, 2.0])
@pytest.mark.parametrize("apart_by", [3.6, 5.0, 8.0])
def test_two_who_take_turns_end_at_one_level(apart_by: float, pause: float) -> None:
    scene = talk(apart_by=apart_by, pause=pause)
    levelled = scene.level + scene.ride()
    turns = [loud(levelled[scene.part(turn)]) for turn in range(0, 16, 2)]
    assert max(turns) - min(turns) < 1.5


def test_two_who_change_without_a_pause_come_closer_and_slowly() -> None:
    scene = Scene(*((SPEECH, 9.0, -20.0 - turn % 2 * 8) for turn in range(6)))
    curve = scene.ride()
    turns = [loud((scene.level + curve)[scene.part(turn)]) for turn in range(6)]
    assert max(turns) - min(turns) < 2.5
    assert steepest(curve) <= 0.1
    # 5 dB a second at most where it is no dip between syllables
    inside = np.convolve(scene.level > -31, np.ones(30), "same") >= 30
    assert np.abs(curve[50:] - curve[:-50])[inside[25:-25]].max() < 3.0


def plain(*stretches: tuple[float, float]) -> Scene:
    """Speech without syllables: (seconds, LUFS)."""
    scene = Scene(*((SPEECH, *stretch) for stretch in stretches))
    scene.level[:] = np.repeat([lufs for _, lufs in stretches], np.diff(scene.edges))
    return scene


def test_within_speech_the_fader_moves_at_half_the_pace() -> None:
    curve = plain((20, -20), (20, -28)).ride()
    assert steepest(curve) <= 0.05
    dip = plain((20, -20), (0.8, -45), (20, -28))
    curve = dip.ride()
    assert 0.08 < steepest(curve) <= 0.1
    assert (curve[dip.part(0)][:-10] == curve[0]).all()


def test_a_short_pause_is_used_from_word_to_word() -> None:
    scene = plain((20, -20), (0.4, QUIET), (20, -28))
    scene.classes[200:204] = PAUSE
    curve = scene.ride()
    assert float(curve[scene.edges[2] + 4] - curve[scene.edges[1] - 5]) == pytest.approx(4.95, abs=0.1)


def test_without_a_pause_the_change_is_found_where_speech_is_quietest() -> None:
    scene = plain((10.3, -20), (0.1, -50), (10, -28))
    curve = scene.ride()
    assert np.ptp(curve[:1020]) == 0
    assert float(curve[1100] - curve[0]) > 3.5


def test_low_breathing_between_words_is_no_quiet_speech() -> None:
    scene = Scene((SPEECH, 35, -20), *((SPEECH, seconds, lufs) for _ in range(10) for seconds, lufs in ((2.0, -20), (1.5, -45))))
    assert float(np.abs(scene.ride()).max()) < 1.5


def test_where_there_is_a_pause_the_fader_moves_there() -> None:
    scene = talk(apart_by=8.0, pause=1.2)
    curve = scene.ride()
    for turn in range(0, 16, 2):
        part = curve[scene.part(turn)]
        assert np.ptp(part) == 0, turn
    assert len({float(curve[scene.part(turn)][0]) for turn in range(0, 16, 2)}) == 2


def test_the_dynamics_of_a_sentence_stay() -> None:
    # a shout of a second, a mumble of a second, a quiet end
    scene = Scene((SPEECH, 6, -20), (SPEECH, 1, -12), (SPEECH, 5, -20), (SPEECH, 1, -28), (SPEECH, 6, -20), (SPEECH, 0.8, -26), (PAUSE, 1, QUIET))
    assert np.ptp(scene.ride()[: scene.edges[6]]) == 0


def test_what_is_hardly_off_is_left_alone() -> None:
    for apart_by in (1.0, 1.3):
        scene = Scene((SPEECH, 60, -20), (PAUSE, 1, QUIET), (SPEECH, 60, -20 - apart_by))
        assert not scene.ride().any()
    scene = Scene((SPEECH, 60, -20), (PAUSE, 1, QUIET), (SPEECH, 60, -24))
    assert float(np.ptp(scene.ride())) == pytest.approx(4, abs=0.3)


@pytest.mark.parametrize("most", [2.0, 6.0, 12.0])
def test_nobody_is_moved_by_more_than_was_wished(most: float) -> None:
    curve = talk(apart_by=30.0, pause=1.0).ride(Wishes(most, 1.0))
    assert float(curve.max()) == most
    assert -most <= float(curve.min()) < -0.1  # the loud one comes towards the quiet one who may get no more


def test_a_take_recorded_lower_is_lifted_as_a_whole() -> None:
    scene = Scene((SPEECH, 40, -20), (PAUSE, 0.8, QUIET), (SPEECH, 40, -26), (PAUSE, 0.8, QUIET), (SPEECH, 40, -20))
    curve = scene.ride()
    assert [float(np.ptp(curve[scene.part(take)])) for take in (0, 2, 4)] == [0, 0, 0]
    first, second, third = (loud((scene.level + curve)[scene.part(take)]) for take in (0, 2, 4))
    assert first == pytest.approx(second, abs=0.8)
    assert first == pytest.approx(third, abs=0.1)


def test_somebody_who_leans_back_little_by_little_is_followed() -> None:
    scene = Scene(*(part for at in range(20) for part in ((SPEECH, 3.4, -20.0 - at * 0.5), (PAUSE, 0.6, QUIET))))
    levelled = scene.level + scene.ride()
    turns = [loud(levelled[scene.part(turn)]) for turn in range(0, 40, 2)]
    assert max(turns) - min(turns) < 3.5  # 9.5 dB before


def test_a_knock_on_the_table_moves_nobody() -> None:
    scene = Scene((SPEECH, 20, -20), (SPEECH, 0.1, 15), (SPEECH, 20, -20))
    assert not scene.ride().any()


# -- pauses, music, noise ---------------------------------------------------------------------------------------------------------


def test_between_words_the_fader_stays_and_in_longer_pauses_it_glides_to_nothing() -> None:
    scene = Scene((SPEECH, 20, -20), (PAUSE, 3, QUIET), (SPEECH, 8, -28), (PAUSE, 0.4, QUIET), (SPEECH, 8, -28), (PAUSE, 3, QUIET), (SPEECH, 8, -28))
    curve = scene.ride()
    lift = float(curve[scene.part(2)].max())
    assert lift > 5
    assert np.ptp(curve[scene.edges[2] : scene.edges[5]]) == 0  # the short pause
    pause = curve[scene.part(5)]
    assert pause[150] <= 0
    # up to where the ends of words ring, and from where one takes breath
    assert pause[:20].min() > lift - 0.6
    assert pause[-10:].min() > lift - 0.6
    way = math.ceil(lift * 10)
    assert (pause[25 + way : -15 - way] == 0).all()
    assert steepest(curve) <= 0.1


def test_a_pause_between_loud_ones_stays_as_low_as_they_are() -> None:
    scene = Scene((SPEECH, 20, -28), (SPEECH, 8, -20), (PAUSE, 3, QUIET), (SPEECH, 8, -20), (PAUSE, 3, QUIET), (SPEECH, 20, -28))
    curve = scene.ride()
    low = float(curve[scene.part(1)].min())
    assert low < -1
    assert np.ptp(curve[scene.part(2)]) == 0
    assert float(curve[scene.part(2)][0]) == low
    after = curve[scene.part(4)]
    assert (after[:200] == low).all()  # from there up to the quiet one


@pytest.mark.parametrize("pause", [0.0, 0.3, 2.0])
@pytest.mark.parametrize("around", [-20.0, -30.0])
def test_music_is_left_as_it_is(around: float, pause: float) -> None:
    scene = Scene(
        (SPEECH, 30, -50 - around),
        (PAUSE, 3, QUIET),
        (SPEECH, 30, around),
        (PAUSE, pause, QUIET),
        (OTHER, 9, -22),
        (PAUSE, pause, QUIET),
        (SPEECH, 30, around),
    )
    curve = scene.ride(Wishes(6.0, 2.0))
    music = curve[scene.part(4)]
    assert abs(float(curve[scene.part(2)][0])) > 1
    assert (music[70:-70] == 0).all()
    assert (music[30:-30] <= 0).all()
    assert music.max() < 2.5
    assert steepest(curve) <= 1.5


@pytest.mark.parametrize("seconds", [0.1, 0.2, 0.3, 0.7])
def test_a_short_noise_after_a_quiet_speaker_is_not_lifted_with_him(seconds: float) -> None:
    scene = Scene((SPEECH, 20, -20), (PAUSE, 2, QUIET), (SPEECH, 8, -28), (OTHER, seconds, -30))
    curve = scene.ride()
    assert float(curve[scene.part(2)].max()) > 5
    assert float(curve[scene.part(3)][5:].max()) <= 2.0


def test_noise_without_any_speech_is_not_moved() -> None:
    for kind in (PAUSE, OTHER):
        scene = Scene((kind, 30, -35))
        assert not scene.ride(Wishes()).any()


def test_a_cough_between_words_is_no_reason_to_move() -> None:
    scene = Scene((SPEECH, 8, -20), (PAUSE, 2, QUIET), (SPEECH, 8, -28), (OTHER, 0.3, -30), (SPEECH, 8, -28), (PAUSE, 2, QUIET))
    assert np.ptp(scene.ride()[scene.edges[2] : scene.edges[5]]) == 0


# -- compression ------------------------------------------------------------------------------------------------------------------


def call(over: float, kind: int = SPEECH) -> tuple[Scene, slice]:
    """Even speech at -20 with 400 ms in it that are ``over`` dB louder, and the steps of these."""
    scene = Scene((SPEECH, 20, -20), (kind, 0.4, -20 + over), (SPEECH, 20, -20))
    scene.level[:] = -20
    scene.level[scene.part(1)] += over
    return scene, scene.part(1)


@pytest.mark.parametrize(
    ("over", "ratio", "taken"), [(3.0, 2.0, 0.0), (8.0, 2.0, 1.9), (12.0, 2.0, 3.9), (12.0, 4.0, 5.8), (30.0, 2.0, 6.0), (12.0, 1.0, 0.0)]
)
def test_what_stands_over_the_speech_level_is_reduced_by_the_ratio(over: float, ratio: float, taken: float) -> None:
    scene, part = call(over)
    curve = scene.ride(Wishes(0.0, ratio))
    assert float(curve[part][10:].mean()) == pytest.approx(-taken, abs=0.35)
    assert float(curve.min()) >= -6.0
    assert float(curve.max()) == 0.0


def test_it_is_there_in_time_and_lets_go_slowly() -> None:
    scene, part = call(12.0)
    curve = scene.ride(COMPRESSED)
    held = float(curve[part].min())
    assert float(curve[part.start]) < held * 0.8
    assert (curve[: part.start - 5] == 0).all()
    assert float(curve[part.stop + 12]) == pytest.approx(held / math.e, abs=0.5)
    assert (curve[part.stop + 120 :] == 0).all()


@pytest.mark.parametrize("kind", [OTHER, PAUSE])
def test_what_is_no_speech_is_not_compressed(kind: int) -> None:
    scene, _ = call(12.0, kind)
    assert not scene.ride(COMPRESSED).any()


def test_music_after_a_loud_word_gets_its_level_back_at_once() -> None:
    scene = Scene((SPEECH, 20, -20), (SPEECH, 0.3, -8), (OTHER, 5, -20))
    curve = scene.ride(COMPRESSED)
    assert float(curve[scene.part(1)].min()) < -2
    assert (curve[scene.part(2)][40:] == 0).all()


def test_a_lifted_voice_is_compressed_as_if_it_had_been_as_loud() -> None:
    scene = talk(apart_by=8.0, pause=1.0)
    for turn in range(0, 16, 2):
        scene.level[scene.edges[turn] + 300 : scene.edges[turn] + 312] += 9
    taken = scene.ride(Wishes(8.0, 2.0)) - scene.ride()
    words = [float(taken[scene.part(turn)].min()) for turn in range(0, 16, 2)]
    assert max(words) < -1.5
    assert max(words) - min(words) < 0.5


# -- always -----------------------------------------------------------------------------------------------------------------------


def test_nothing_wished_is_nothing_done() -> None:
    assert not talk(apart_by=8.0, pause=0.6).ride(Wishes(0.0, 1.0)).any()


@pytest.mark.parametrize("kind", [PAUSE, SPEECH, OTHER])
def test_digital_silence_stays_where_it_is_whatever_it_is_called(kind: int) -> None:
    curve = Scene((kind, 5, -120)).ride(Wishes())
    assert not curve.any()
    level = np.full(700, -120.0, "f4")
    assert not ride.ride(level, momentary(level), np.full(70, kind, "i1"), Wishes()).any()


@pytest.mark.parametrize("steps", [0, 1, 9, 10, 11, 39, 107])
def test_every_length_has_its_curve(steps: int) -> None:
    level = np.full(steps, -20.0, "f4")
    curve = ride.ride(level, momentary(level), np.full(steps // 10, SPEECH, "i1"), Wishes())
    assert curve.dtype == np.float32
    assert curve.tolist() == [0.0] * steps


def test_a_long_recording_is_treated_piece_by_piece_as_it_would_be_in_one(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = np.random.default_rng(14)
    scene = talk(apart_by=7.0, pause=0.6)
    scene.level += chance.normal(0, 4, len(scene.level)).astype("f4")
    scene.level = np.append(scene.level, scene.level[:7])
    whole = scene.ride(Wishes())
    monkeypatch.setattr(ride, "_AT_ONCE", 31)
    assert np.abs(scene.ride(Wishes()) - whole).max() <= 0.0101
    assert (scene.ride(Wishes()) != whole).mean() < 1e-3


def test_three_hours_take_few_looks_and_little_memory() -> None:
    scene = talk(apart_by=8.0, pause=0.4, turns=2)
    level, classes = np.tile(scene.level, 730), np.tile(scene.classes, 730)
    assert len(level) > 1_080_000
    at = np.flatnonzero(classes == SPEECH)
    # the one loop that is not over whole arrays: less than one turn for each second
    assert len(ride._atoms(at, ride._energies(level, len(classes))[at])) < len(level) / 100
    tracemalloc.start()
    ride.ride(level, momentary(level), classes, Wishes())
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 24 * len(level)  # bytes; with temporaries of the whole in every step it would be over a hundred


# Runs of (class, blocks of 100 ms, LUFS), and a seed for what the level does within them.
PROFILES = st.tuples(
    st.lists(st.tuples(st.sampled_from([PAUSE, SPEECH, OTHER]), st.integers(1, 60), st.integers(-120, 0)), max_size=14),
    st.integers(0, 9),
    st.integers(0, 1 << 32),
)


def built(runs: list[tuple[int, int, int]], rest: int, seed: int) -> tuple[Array, NDArray[np.int8]]:
    chance = np.random.default_rng(seed)
    level = [np.full(blocks * 10, lufs) + chance.normal(0, chance.choice([0.0, 3.0, 15.0]), blocks * 10) for _, blocks, lufs in runs]
    level.append(np.full(rest, -30.0))
    classes = [np.full(blocks, kind, dtype="i1") for kind, blocks, _ in runs]
    return np.rint(np.clip(np.concatenate(level), -120, 300) * 100).astype("f4") / np.float32(100), np.concatenate([np.zeros(0, "i1"), *classes])


@settings(max_examples=200)
@given(PROFILES, st.sampled_from([0.0, 3.0, 6.0, 12.0]), st.sampled_from([1.0, 2.0, 10.0]))
def test_whatever_comes_the_curve_keeps_its_bounds(profile: tuple[list[tuple[int, int, int]], int, int], levelling: float, ratio: float) -> None:
    level, classes = built(*profile)
    wishes = Wishes(levelling, ratio)
    curve = ride.ride(level, momentary(level), classes, wishes)
    assert curve.shape == level.shape
    assert curve.dtype == np.float32
    assert np.isfinite(curve).all()
    assert curve.max(initial=0.0) <= levelling
    assert curve.min(initial=0.0) >= -levelling - 6
    assert steepest(curve) <= (1.6 if ratio > 1 else 0.1)
    assert np.array_equal(curve, np.rint(curve * 100).astype("f4") / np.float32(100))
    assert not np.signbit(curve[curve == 0]).any()
    assert np.array_equal(curve, ride.ride(level.copy(), momentary(level), classes.copy(), wishes))


@settings(max_examples=200)
@given(PROFILES, st.sampled_from([3.0, 6.0, 12.0]))
def test_whatever_comes_nothing_but_speech_is_lifted(profile: tuple[list[tuple[int, int, int]], int, int], levelling: float) -> None:
    level, classes = built(*profile)
    curve = ride.ride(level, momentary(level), classes, Wishes(levelling, 2.0))[: len(classes) * 10].reshape(-1, 10)
    away = distance(classes == SPEECH)
    # on the way there and back no higher than 10 dB a second allow; and in music not even that far
    allowed = np.maximum(0.0, levelling - np.maximum(0.0, away - 3))
    allowed[classes == OTHER] = np.minimum(allowed[classes == OTHER], 3.0)
    allowed[(classes == OTHER) & (away > 4)] = 0.0
    closed = short_gaps(classes)
    # in the middle of each block: straight lines lead from one to the next
    assert (curve[:, 4:6].max(axis=1, initial=-99.0) <= allowed + 0.06)[~closed].all()


def distance(chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Blocks from each block to the nearest chosen one."""
    at = np.flatnonzero(chosen)
    if not len(at):
        return np.full(len(chosen), 1e9)
    return np.abs(np.arange(len(chosen))[:, None] - at).min(axis=1).astype("f8")


def short_gaps(classes: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Blocks that are no speech, between words: less than half a second from one to the next."""
    found = np.zeros(len(classes), dtype=bool)
    for one, other in pairwise(np.flatnonzero(classes == SPEECH).tolist()):
        if other - one <= 5:
            found[one + 1 : other] = True
    return found


# -- through the strip, as one hears it -------------------------------------------------------------------------------------------


def heard(sound: Sound) -> float:
    meter = Meter(sound.shape[1], dual=True)
    meter.add(apart(sound.astype("f4")))
    return float(loudness.integrated(meter.blocks))


def ridden(sound: Sound, classes: NDArray[np.int8], wishes: Wishes) -> Sound:
    profiler = Profiler(sound.shape[1], 2)
    profiler.add(apart(sound.astype("f4")))
    profile = profiler.profile()
    curve = ride.ride(profile.level, profile.momentary, classes[: len(profile.momentary)], wishes)
    samples: Sound = Tape(Held(sound), len(sound), Strip(ride=from_curve(curve)), Db(0.0)).read(0, len(sound)).astype("f8")
    return samples


def test_two_voices_sound_equally_loud_and_the_music_between_them_as_before() -> None:
    music = 0.05 * np.sin(2 * np.pi * 440 * np.arange(6 * RATE) / RATE)[:, None]
    one, other, hush = speech(16, seed=1, level=0.1), speech(16, seed=2, level=0.04), np.zeros((RATE, 1))
    sound = np.concatenate((one, hush, music, hush, other, hush, speech(16, seed=3, level=0.1)))
    classes = np.repeat(np.array([SPEECH, PAUSE, OTHER, PAUSE, SPEECH, PAUSE, SPEECH], dtype="i1"), [160, 10, 60, 10, 160, 10, 160])
    after = ridden(sound, classes, Wishes(8.0, 1.0))
    parts = [slice(0, 16), slice(18, 23), slice(25, 41), slice(42, 58)]
    before, now = ([heard(heardof[part.start * RATE : part.stop * RATE]) for part in parts] for heardof in (sound, after))
    assert before[0] - before[2] > 7
    assert now[0] == pytest.approx(now[2], abs=1.0)
    assert now[3] == pytest.approx(now[2], abs=1.0)
    assert now[1] == pytest.approx(before[1], abs=0.02)
