"""Classification losses against values worked out by hand, by optimisation, and by other people's code."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.stats import entropy

from ugcl.config.system.loss import Loss
from ugcl.losses.classification import class_weights, divergence, focal
from ugcl.models.criterion import Criterion


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
        loss = Criterion(Loss(label_smoothing=0, adjustment=strength))
        loss.count(counts)
        logits = torch.zeros(3, requires_grad=True)
        optimiser = torch.optim.LBFGS([logits], max_iter=100, tolerance_change=1e-12)

        def closure(loss=loss, logits=logits, optimiser=optimiser):
            optimiser.zero_grad()
            value = loss(logits.expand(20, 3), labels)
            value.backward()
            return value

        optimiser.step(closure)
        found = logits.detach() - logits.detach().mean()
        assert found.numpy() == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("kind", ["cross_entropy", "focal"])
def test_a_criterion_weighs_classes_by_their_training_counts(kind):
    torch.manual_seed(0)
    logits, labels, counts = torch.randn(9, 3), torch.arange(9) % 3, torch.tensor([10, 30, 60])
    loss = Criterion(Loss(kind=kind, balance=0.5, label_smoothing=0, gamma=1.5))
    loss.count(counts)
    log_p = logits.log_softmax(dim=1)[torch.arange(9), labels]
    losses = -log_p * ((1 - log_p.exp()) ** 1.5 if kind == "focal" else 1)
    weight = torch.tensor([(100 / 30) ** 0.5, (100 / 90) ** 0.5, (100 / 180) ** 0.5])[labels]
    torch.testing.assert_close(loss(logits, labels), (weight * losses).sum() / weight.sum())
    assert loss.state_dict() == {}, "what counts decide is not a weight of the network"


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


def test_votes_take_the_place_of_labels():
    torch.manual_seed(0)
    logits, labels = torch.randn(4, 3), torch.tensor([0, 1, 2, 0])
    votes = torch.tensor([[0.5, 0.5, 0.0], [0.0, 1.0, 0.0], [0.1, 0.2, 0.7], [1.0, 0.0, 0.0]])
    loss = Criterion(Loss())
    assert loss(logits, labels, votes).item() == pytest.approx(divergence(logits, votes).item())
    smoothed = F.cross_entropy(logits, labels, label_smoothing=0.1)
    assert loss(logits, labels).item() == pytest.approx(smoothed.item())
