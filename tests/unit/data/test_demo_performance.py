"""What demo clips show: each channel fails at times, both seldom; raters follow what is shown."""

from __future__ import annotations

import numpy as np
import pytest

from ugcl.demo import votes
from ugcl.demo.actors import actor
from ugcl.demo.performance import Channel, Performance, performance
from ugcl.plan import demo as names

CLIPS = names.clip_names(12)


def shown(channel: Channel) -> str:
    return names.EMOTIONS[int(channel.seen().argmax())]


def test_a_performance_depends_on_seed_and_name_alone() -> None:
    forward = [performance(clip, 7) for clip in CLIPS[:20]]
    backward = [performance(clip, 7) for clip in reversed(CLIPS[:20])]
    assert forward == backward[::-1]
    assert forward != [performance(clip, 8) for clip in CLIPS[:20]]


def test_shares_sum_to_one() -> None:
    for clip in CLIPS:
        act = performance(clip, 2026)
        for channel in (act.voice, act.face):
            assert sum(channel.mix.values()) == pytest.approx(1)
            assert channel.seen().sum() == pytest.approx(1)
            assert 0 < channel.strength < 1.5


def test_either_channel_misleads_at_times_but_both_seldom() -> None:
    acts = [performance(clip, 2026) for clip in CLIPS]
    voice = np.array([shown(act.voice) == act.emotion for act in acts])
    face = np.array([shown(act.face) == act.emotion for act in acts])
    assert 0.55 < voice.mean() < 0.9
    assert 0.55 < face.mean() < 0.9
    assert (voice | face).mean() > 0.9
    assert (~voice & ~face).any()


def test_faint_channels_read_as_neutral() -> None:
    clear, faint = Channel({"ANG": 1.0}, 0.9), Channel({"ANG": 1.0}, 0.1)
    assert clear.seen()[names.EMOTIONS.index("ANG")] == 1
    assert faint.seen()[names.EMOTIONS.index("NEU")] == pytest.approx(1 - 0.1 / 0.8)


def test_ten_votes_a_channel_and_the_multimodal_raters_do_best() -> None:
    right = dict.fromkeys(votes.CHANNELS, 0)
    for clip in CLIPS:
        act = performance(clip, 2026)
        counts = votes.votes(act, 2026)
        for channel in votes.CHANNELS:
            assert counts[channel].shape == (6,)
            assert counts[channel].sum() == 10
            right[channel] += votes.majority(counts[channel]) == act.emotion
    assert right["multimodal"] > max(right["voice"], right["face"])
    assert right["multimodal"] < len(CLIPS)


def test_beliefs_are_probabilities() -> None:
    act = Performance("x", "TBL", "HAP", "XX", Channel({"HAP": 1.0}, 1.0), Channel({"NEU": 1.0}, 1.0))
    for chances in votes.beliefs(act).values():
        assert chances.sum() == pytest.approx(1)
        assert (chances >= 0).all()
    assert names.EMOTIONS[votes.beliefs(act)["multimodal"].argmax()] == "HAP"


@pytest.mark.parametrize(
    ("counts", "code"), [((0, 7, 1, 0, 2, 0), "DIS"), ((5, 5, 0, 0, 0, 0), ""), ((0, 0, 0, 0, 4, 6), "SAD")]
)
def test_majority_is_empty_on_ties(counts: tuple[int, ...], code: str) -> None:
    assert votes.majority(np.array(counts)) == code


def test_consecutive_actors_are_a_woman_and_a_man() -> None:
    cast = [actor(number, 2026) for number in range(1, 13)]
    assert [who.sex for who in cast] == ["female", "male"] * 6
    assert all(18 <= who.age <= 75 for who in cast)
    assert len({who.age for who in cast}) > 6
    women = [who.pitch for who in cast if who.sex == "female"]
    men = [who.pitch for who in cast if who.sex == "male"]
    assert min(women) > max(men)
    assert sum(
        weight for name, weight in cast[0].targets.items() if name.startswith("macro-")
    ) == pytest.approx(1)
