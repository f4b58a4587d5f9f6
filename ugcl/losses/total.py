"""The total loss of a run: classification, alignment and matching, weighted."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ugcl.losses.alignment import attraction, contrast, perplexity, similarities
from ugcl.losses.classification import class_weights, divergence, double_softmax_focal, focal
from ugcl.losses.matching import matching

if TYPE_CHECKING:
    from ugcl.config.model import Loss

PARTS = ("loss", "classification", "ugcl", "snd", "auxiliary", "match_accuracy", "token_perplexity")
"""Keys that :class:`TotalLoss` may return, in the order of the history's columns."""


class TotalLoss(nn.Module):
    """L = w_c · L_classification + w_u · L_ugcl + w_s · (L_matching + a · L_auxiliary).

    Terms that the model's outputs have nothing for are left out, so that baselines use the same class.
    """

    def __init__(self, loss: Loss, counts: Tensor | None = None) -> None:
        """Make the loss.

        Args:
            loss: weights and settings.
            counts: (C,) training clips of each class, for `classification.balance`.
        """
        super().__init__()
        self.settings = loss
        weight = None
        if counts is not None and loss.classification.balance > 0:
            weight = class_weights(counts, loss.classification.balance)
        self.register_buffer("weight", weight)

    def classification(self, logits: Tensor, labels: Tensor, targets: Tensor | None = None) -> Tensor:
        """The classification loss alone; (B, C) and (B,) or shares of votes (B, C) → scalar."""
        settings = self.settings.classification
        if targets is not None:
            return divergence(logits, targets, self.weight)
        if settings.kind == "focal":
            return focal(logits, labels, settings.gamma, self.weight)
        if settings.kind == "double_softmax_focal":
            return double_softmax_focal(logits, labels, settings.gamma)
        return F.cross_entropy(logits, labels, self.weight, label_smoothing=settings.label_smoothing)

    def forward(
        self, outputs: Mapping[str, Any], labels: Tensor, targets: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Sum the terms.

        Args:
            outputs: what a model's forward returns; `losses` are terms that the model computed itself.
            labels: (B,) class numbers; they choose positives and negatives.
            targets: (B, C) shares of votes, which take the labels' place in classification.

        Returns:
            `loss`, to be minimised, and its unweighted parts (see `PARTS`), scalars.
        """
        settings = self.settings
        parts = {"classification": self.classification(outputs["logits"], labels, targets)}
        total = settings.classification.weight * parts["classification"]
        for name, value in outputs.get("losses", {}).items():
            weight = getattr(settings, name).weight
            if weight > 0:
                parts[name] = value
                total = total + weight * value
        if "scale" in outputs:
            parts["ugcl"] = self._alignment(outputs, labels)
            total = total + settings.ugcl.weight * parts["ugcl"]
        if "matches" in outputs:
            losses, rights = [], []
            for (a, b), logits in outputs["matches"].items():
                both = _both(outputs, a, b)
                similarity = outputs["tokens"][a][both] @ outputs["tokens"][b][both].T
                loss, right = self._matching(logits[both][:, both], similarity, labels[both])
                losses.append(loss)
                rights.append(right)
            parts["snd"] = torch.stack(losses).mean()
            parts["match_accuracy"] = torch.stack(rights).nanmean()
            total = total + settings.snd.weight * parts["snd"]
        if "auxiliary" in outputs:
            losses = [
                self.classification(logits[here], labels[here], None if targets is None else targets[here])
                for modality, logits in outputs["auxiliary"].items()
                if (here := outputs["present"][modality]).any()
            ]
            parts["auxiliary"] = torch.stack(losses).mean()
            total = total + settings.snd.weight * settings.snd.auxiliary * parts["auxiliary"]
        if "assignments" in outputs:
            used = [perplexity(weights.detach()) for weights in outputs["assignments"].values()]
            parts["token_perplexity"] = torch.stack(used).mean()
        return {"loss": total, **parts}

    def _alignment(self, outputs: Mapping[str, Any], labels: Tensor) -> Tensor:
        """Mean over granularities and pairs of modalities."""
        kind, losses = self.settings.ugcl.kind, []
        for level in outputs["levels"].values():
            for a, b in itertools.combinations(level, 2):
                both = _both(outputs, a, b)
                (u, u_here), (v, v_here) = ([part[both] for part in level[m]] for m in (a, b))
                if kind == "attraction":
                    losses.append((1 - attraction(_middle(u, u_here), _middle(v, v_here))) / 2)
                    continue
                there, back = similarities(u, v, u_here, v_here, outputs["scale"])
                losses.append(contrast(there, back, labels[both] if kind == "supervised" else None))
        return torch.stack(losses).mean()

    def _matching(self, logits: Tensor, similarity: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        settings = self.settings.snd
        temperature = settings.temperature if settings.negatives == "sample" else None
        if settings.negatives == "random":
            similarity, temperature = torch.zeros_like(similarity), 1.0
        elif settings.negatives == "nearest":
            labels = torch.arange(len(labels), device=labels.device)  # every clip a class of its own
        return matching(logits, similarity, labels, temperature)


def _middle(parts: Tensor, here: Tensor) -> Tensor:
    """(N, S, d) → mean of the parts that are there, (N, 1, d)."""
    return (parts * here[..., None]).sum(dim=1, keepdim=True) / here.sum(dim=1)[:, None, None]


def _both(outputs: Mapping[str, Any], a: str, b: str) -> Tensor:
    return outputs["present"][a] & outputs["present"][b]
