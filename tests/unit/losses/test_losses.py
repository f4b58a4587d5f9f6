"""Losses against values worked out by hand, by loops, and by other people's code."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from made_outputs import outputs, unit
from scipy.stats import entropy

from ugcl.config.model import Loss
from ugcl.losses.classification import class_weights, divergence, focal
from ugcl.losses.codebook import CodebookUse, clip_perplexity, perplexity
from ugcl.losses.matching import matching, similar_negatives
from ugcl.losses.total import PARTS, TotalLoss


@pytest.mark.parametrize(("p", "expected"), [(0.5, 0.17329), (0.9, 0.00105)])
def test_focal_loss_takes_the_softmax_once(p, expected):
    logits = torch.tensor([[p, *[(1 - p) / 3] * 3]]).log() + 1.7  # softmax ignores the shift
    assert focal(logits, torch.tensor([0])).item() == pytest.approx(expected, abs=5e-6)


def test_focal_loss_without_focus_is_cross_entropy():
    logits, labels = torch.randn(9, 5), torch.randint(0, 5, (9,))
    weight = torch.tensor([0.5, 1, 2, 3, 1])
    torch.testing.assert_close(focal(logits, labels, 0.0), F.cross_entropy(logits, labels))
    torch.testing.assert_close(focal(logits, labels, 0.0, weight), F.cross_entropy(logits, labels, weight))


def test_class_weights_make_classes_count_alike():
    counts = torch.tensor([10, 30, 60])
    assert (class_weights(counts, 1.0) * counts).tolist() == pytest.approx([100 / 3] * 3)
    assert class_weights(counts, 0.0).tolist() == [1, 1, 1]


def test_adjusted_logits_learn_balanced_odds_from_imbalanced_clips():
    """With one logit a class and no features, plain logits become log priors, adjusted ones stay equal."""
    counts = torch.tensor([2, 6, 12])
    labels = torch.repeat_interleave(torch.arange(3), counts)
    priors = np.log(counts.numpy() / 20)
    for strength, expected in ((0.0, priors - priors.mean()), (1.0, np.zeros(3))):
        settings = Loss(classification={"label_smoothing": 0, "adjustment": strength})
        loss, logits = TotalLoss(settings, counts), torch.zeros(3, requires_grad=True)
        optimiser = torch.optim.LBFGS([logits], max_iter=100, tolerance_change=1e-12)

        def closure(loss=loss, logits=logits, optimiser=optimiser):
            optimiser.zero_grad()
            value = loss.classification(logits.expand(20, 3), labels)
            value.backward()
            return value

        optimiser.step(closure)
        found = logits.detach() - logits.detach().mean()
        assert found.numpy() == pytest.approx(expected, abs=1e-3)


@given(st.integers(0, 10_000), st.integers(2, 12), st.integers(1, 4), st.sampled_from([None, 0.1]))
@settings(max_examples=60, deadline=None)
def test_negatives_always_have_another_emotion_and_the_hardest_is_the_most_similar(seed, n, classes, tau):
    rng = np.random.default_rng(seed)
    similarity = torch.tensor(rng.normal(size=(n, n)))
    labels = torch.tensor(rng.integers(0, classes, n))
    anchors, negatives = similar_negatives(similarity, labels, tau)
    having = [i for i in range(n) if any(labels[j] != labels[i] for j in range(n))]
    assert anchors.tolist() == having and len(negatives) == len(having)
    assert (labels[anchors] != labels[negatives]).all()
    if tau is None:
        for i, j in zip(anchors.tolist(), negatives.tolist(), strict=True):
            assert similarity[i, j] == max(similarity[i, k] for k in range(n) if labels[k] != labels[i])


def test_drawn_negatives_follow_similarity():
    torch.manual_seed(0)
    similarity = torch.tensor([[9.0, 0.0, math.log(3) * 0.5, 7.0]]).repeat(4, 1)
    labels = torch.tensor([0, 1, 2, 0])
    draws = [similar_negatives(similarity, labels, 0.5)[1][0].item() for _ in range(2000)]
    assert set(draws) == {1, 2}
    assert draws.count(2) / 2000 == pytest.approx(0.75, abs=0.04)


def test_matching_by_hand():
    labels = torch.tensor([0, 0, 1])
    similarity = torch.tensor([[0.9, 0.8, 0.1], [0.2, 0.7, 0.3], [0.5, 0.6, 0.4]])
    matches = torch.tensor([[1.0, 9.0, -1.0], [9.0, 2.0, 0.5], [-2.0, 0.3, 3.0]])
    # rows: 0→2, 1→2, 2→1; columns: 0→2, 1→2, 2→1 (row 1 is more similar than row 0)
    positive = np.mean([math.log1p(math.exp(-x)) for x in (1.0, 2.0, 3.0)])
    negative = np.mean([math.log1p(math.exp(x)) for x in (-1.0, 0.5, 0.3, -2.0, 0.3, 0.5)])
    loss, right = matching(matches, similarity, labels)
    assert loss.item() == pytest.approx((positive + negative) / 2, rel=1e-6)
    assert right.item() == pytest.approx((1 + 2 / 6) / 2)


def test_matching_skips_a_batch_of_one_emotion():
    matches = torch.randn(4, 4, requires_grad=True)
    loss, right = matching(matches, torch.randn(4, 4), torch.zeros(4, dtype=torch.long))
    loss.backward()
    assert loss == 0 and right.isnan() and matches.grad.abs().sum() == 0


def test_perplexity_counts_tokens_in_use():
    assert perplexity(torch.full((3, 8), 1 / 8)).item() == pytest.approx(8)
    assert perplexity(torch.eye(8)[[2, 2]]).item() == pytest.approx(1)
    assert perplexity(torch.eye(8)[[2, 5]]).item() == pytest.approx(2)


def test_clip_perplexity_is_each_clips_own():
    rows = torch.eye(8)[[2, 5]]
    assert clip_perplexity(rows).item() == pytest.approx(1)
    mixed = torch.stack([torch.full((8,), 1 / 8), rows[0]])
    assert clip_perplexity(mixed).item() == pytest.approx((8 + 1) / 2)


def test_dead_tokens_are_those_that_a_whole_epoch_left_out():
    use = CodebookUse()
    assert use.take() == {}
    use.add({"audio": torch.eye(8)[[0, 1]], "video": torch.eye(8)[[1, 2]]})
    use.add({"audio": torch.eye(8)[[3, 3]], "video": torch.eye(8)[[3, 3]]})
    assert use.take() == {"dead_tokens": 4 / 8}
    # A little over and a little under a tenth of an even share of 2 tokens.
    for share, dead in ((0.06, 0.0), (0.04, 0.5)):
        use.add({"audio": torch.tensor([[1 - share, share]])})
        assert use.take() == {"dead_tokens": dead}


def test_total_is_the_weighted_sum_of_its_parts():
    torch.manual_seed(0)
    loss = Loss.model_validate({"snd": {"auxiliary": 0.5}})
    parts = TotalLoss(loss)(outputs(), torch.tensor([0, 1, 2, 0]))
    expected = 0.7 * parts["classification"] + 0.15 * parts["ugcl"]
    expected += 0.15 * (parts["snd"] + 0.5 * parts["auxiliary"])
    torch.testing.assert_close(parts["loss"], expected)
    assert set(parts) == set(PARTS) - {"dead_tokens"}


def test_clips_without_a_modality_take_no_part_in_contrast_and_matching():
    torch.manual_seed(0)
    labels, given_ = torch.tensor([0, 1, 2, 0]), outputs((True, False, True, True))
    before = TotalLoss(Loss())(given_, labels)
    for modality in ("audio", "video"):  # the levels share their memory
        given_["tokens"][modality][1] = unit(1, 3, seed=9).float()
        assert torch.equal(given_["levels"]["clip"][modality][0][1, 0], given_["tokens"][modality][1])
    given_["matches"]["audio", "video"][1] = 50.0
    given_["auxiliary"]["video"][1] = 50.0
    after = TotalLoss(Loss())(given_, labels)
    for name in ("ugcl", "snd", "auxiliary"):
        assert before[name] == after[name]


def test_a_baseline_has_classification_alone():
    parts = TotalLoss(Loss())({"logits": torch.randn(4, 3)}, torch.tensor([0, 1, 2, 0]))
    assert set(parts) == {"loss", "classification"}


def test_released_negatives_may_share_the_emotion():
    """`nearest` takes clip 1 for clip 0 though both are of emotion 0; `hardest` takes clip 2."""
    tokens = {
        "audio": torch.eye(3),
        "video": torch.tensor([[0.6, 0.8, 0.0], [0.8, 0.6, 0.0], [0.0, 0.6, 0.8]]),
    }
    matches = torch.arange(9.0).reshape(3, 3)
    here = {m: torch.ones(3, dtype=torch.bool) for m in tokens}
    out = {
        "logits": torch.zeros(3, 2),
        "tokens": tokens,
        "present": here,
        "matches": {("audio", "video"): matches},
    }
    found = {}
    for kind in ("nearest", "hardest"):
        loss = Loss(ugcl={"weight": 0}, snd={"negatives": kind, "auxiliary": 0})
        found[kind] = TotalLoss(loss)(out, torch.tensor([0, 0, 1]))["snd"].item()
    similarity = tokens["audio"] @ tokens["video"].T
    for kind, labels in (("nearest", [0, 1, 2]), ("hardest", [0, 0, 1])):
        assert found[kind] == pytest.approx(matching(matches, similarity, torch.tensor(labels))[0].item())
    assert found["nearest"] != found["hardest"]


def test_random_negatives_are_any_clip_of_another_emotion():
    torch.manual_seed(0)
    out = outputs()
    loss = TotalLoss(Loss(snd={"negatives": "random", "auxiliary": 0}))
    labels = torch.tensor([0, 1, 2, 0])
    assert len({loss(out, labels)["snd"].item() for _ in range(20)}) > 1
    assert loss(out, torch.zeros(4, dtype=torch.long))["snd"] == 0


def test_divergence_against_scipy_and_its_link_to_cross_entropy():
    rng = np.random.default_rng(0)
    logits, targets = torch.tensor(rng.normal(size=(5, 4))), torch.tensor(rng.dirichlet(np.ones(4), 5))
    p = logits.softmax(dim=1).numpy()
    expected = np.mean([entropy(q, r) for q, r in zip(targets.numpy(), p, strict=True)])
    assert divergence(logits, targets).item() == pytest.approx(expected)
    assert divergence(targets.log(), targets).item() == pytest.approx(0, abs=1e-12)
    hard = F.one_hot(torch.tensor([0, 3, 1, 2, 2]), 4).double()
    weight = torch.tensor([1.0, 2.0, 0.5, 1.0], dtype=torch.double)
    for w in (None, weight):
        same = F.cross_entropy(logits, hard.argmax(dim=1), w)
        torch.testing.assert_close(divergence(logits, hard, w), same)


def test_votes_take_the_place_of_labels_in_classification_alone():
    torch.manual_seed(0)
    out, labels = outputs(), torch.tensor([0, 1, 2, 0])
    votes = torch.tensor([[0.5, 0.5, 0.0], [0.0, 1.0, 0.0], [0.1, 0.2, 0.7], [1.0, 0.0, 0.0]])
    hard, soft = TotalLoss(Loss())(out, labels), TotalLoss(Loss())(out, labels, votes)
    assert soft["classification"].item() == pytest.approx(divergence(out["logits"], votes).item())
    assert soft["auxiliary"] != hard["auxiliary"]
    assert soft["ugcl"] == hard["ugcl"] and soft["snd"] == hard["snd"]
