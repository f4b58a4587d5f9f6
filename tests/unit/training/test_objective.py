"""The total loss takes the terms that have a weight, and no others."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from ugcl.config.methods.base import Weights
from ugcl.config.system.loss import Loss
from ugcl.data.dataset import Batch
from ugcl.errors import UgclError
from ugcl.models.criterion import Criterion
from ugcl.training.objective import objective

LOGITS = torch.tensor([[2.0, 0.0], [0.0, 1.0]])
BATCH = Batch({}, {}, {}, torch.tensor([0, 0]), ["a", "b"], ["s", "s"])


class TwoWeights(Weights):
    """Weights of two terms."""

    near: float = 0.5
    far: float = 0.25


def total(terms, **weights):
    """The total loss with such terms and weights."""
    method = SimpleNamespace(
        criterion=Criterion(Loss(weight=0.7, label_smoothing=0)),
        settings=SimpleNamespace(name="made", weights=TwoWeights(**weights)),
        terms=lambda outputs, batch: {name: torch.tensor(value) for name, value in terms.items()},
    )
    return objective(method, {"logits": LOGITS}, BATCH)


def test_terms_are_added_by_their_weights():
    found = {name: value.item() for name, value in total({"far": 8.0, "near": 4.0}).items()}
    classification = -(LOGITS.log_softmax(dim=1)[:, 0]).mean().item()
    expected = 0.7 * classification + 0.5 * 4 + 0.25 * 8
    assert found == pytest.approx(
        {"loss": expected, "classification": classification, "near": 4.0, "far": 8.0}
    )
    alone = total({}, near=0, far=0)
    assert list(alone) == ["loss", "classification"]
    assert alone["loss"].item() == pytest.approx(0.7 * classification)


@pytest.mark.parametrize(
    ("terms", "weights", "said"),
    [
        ({"near": 1.0}, {}, r"terms near, but method\.weights has near, far above 0"),
        ({"near": 1.0, "far": 1.0}, {"far": 0}, r"terms near, far, but method\.weights has near above 0"),
        ({}, {"far": 0}, r"terms none, but method\.weights has near above 0"),
        ({"near": 1.0}, {"near": 0, "far": 0}, r"terms near, but method\.weights has none above 0"),
    ],
)
def test_terms_that_are_not_those_with_a_weight_are_refused_in_one_line(terms, weights, said):
    with pytest.raises(UgclError, match=rf"method made: gives the {said}; use the same names") as caught:
        total(terms, **weights)
    assert "\n" not in str(caught.value)
