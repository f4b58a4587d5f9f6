"""The total loss: classification and the terms of the method, weighted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn

from ugcl.errors import UgclError

if TYPE_CHECKING:
    from ugcl.data.dataset import Batch
    from ugcl.methods.base import Method, Outputs


def objective(method: Method, outputs: Outputs, batch: Batch) -> dict[str, Tensor]:
    """L = w · L_classification + Σ_k w_k · L_k over the terms k of the method with a positive weight.

    Args:
        method: in training mode.
        outputs: what its forward pass gave of the batch.
        batch: the clips, with labels.

    Returns:
        `loss`, to be minimised, and its unweighted parts: `classification` and the terms by name, scalars.

    Raises:
        UgclError: the method gives other terms than its weights name.
    """
    classification = method.criterion(outputs["logits"], batch.labels, batch.targets)
    total = method.criterion.settings.weight * classification
    terms, weights = method.terms(outputs, batch), method.settings.weights.positive()
    if terms.keys() != weights.keys():
        raise UgclError(
            f"method {method.settings.name}: gives the terms {', '.join(terms) or 'none'}, but method.weights"
            f" has {', '.join(weights) or 'none'} above 0; use the same names"
        )
    for name, weight in weights.items():
        total = total + weight * terms[name]
    return {"loss": total, "classification": classification, **{name: terms[name] for name in weights}}


class Objective(nn.Module):
    """The total loss as a module, for networks whose weights lie elsewhere (`torch.func.functional_call`)."""

    def __init__(self, method: Method) -> None:
        super().__init__()
        self.method = method

    def forward(self, outputs: Outputs, batch: Batch) -> dict[str, Tensor]:
        """See :func:`objective`."""
        return objective(self.method, outputs, batch)
