"""The total loss of a run: classification, alignment and matching, weighted."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ugcl.errors import UgclError
from ugcl.losses.alignment import attraction, contrast, similarities
from ugcl.losses.classification import class_weights, divergence, double_softmax_focal, focal, log_priors
from ugcl.losses.codebook import CodebookUse, clip_perplexity, perplexity
from ugcl.losses.matching import discriminate
from ugcl.losses.queue import ClipQueue

if TYPE_CHECKING:
    from ugcl.config.model import Loss, Model

TERMS = ("loss", "classification", "ugcl", "snd", "auxiliary", "match_accuracy")
"""Parts of the loss and what belongs to them."""
CODEBOOK = ("token_perplexity", "clip_perplexity", "dead_tokens")
"""The codebook's health: tokens in use by a batch and by a clip; share of tokens dead in an epoch."""
PARTS = (*TERMS, *CODEBOOK)
"""What :class:`TotalLoss` may say, of a batch or in `health`, in the order of the history's columns."""


class TotalLoss(nn.Module):
    """L = w_c · L_classification + w_u · L_ugcl + w_s · (L_matching + a · L_auxiliary).

    Terms that the model's outputs have nothing for are left out, so that baselines use the same class.
    """

    def __init__(self, loss: Loss, counts: Tensor | None = None, model: Model | None = None) -> None:
        """Make the loss.

        Args:
            loss: weights and settings.
            counts: (C,) training clips of each class, for `classification.balance` and `adjustment`.
            model: the network's parameters; a queue needs its width and modalities.

        Raises:
            UgclError: there is a queue, but `model` is not given.
        """
        super().__init__()
        self.settings = loss
        weight = None
        if counts is not None and loss.classification.balance > 0:
            weight = class_weights(counts, loss.classification.balance)
        self.register_buffer("weight", weight)
        shift = None
        if counts is not None and loss.classification.adjustment > 0:
            shift = log_priors(counts, loss.classification.adjustment)
        self.register_buffer("shift", shift)
        self.use = CodebookUse()
        self.queue = None
        size = max(term.queue if term.weight > 0 else 0 for term in (loss.ugcl, loss.snd))
        if size > 0:
            if model is None:
                raise UgclError("loss: a queue needs the network's parameters; give TotalLoss its model")
            self.queue = ClipQueue(size, model.width, model.modalities)

    def classification(self, logits: Tensor, labels: Tensor, targets: Tensor | None = None) -> Tensor:
        """The classification loss alone; (B, C) and (B,) or shares of votes (B, C) → scalar."""
        settings = self.settings.classification
        if self.shift is not None:
            logits = logits + self.shift
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
            found = [self._matching(outputs, labels, pair) for pair in outputs["matches"]]
            parts["snd"] = torch.stack([loss for loss, _ in found]).mean()
            parts["match_accuracy"] = torch.stack([right for _, right in found]).nanmean()
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
            self.use.add(outputs["assignments"])
            weights = [w.detach() for w in outputs["assignments"].values()]
            parts["token_perplexity"] = torch.stack([perplexity(w) for w in weights]).mean()
            parts["clip_perplexity"] = torch.stack([clip_perplexity(w) for w in weights]).mean()
        if self.queue is not None and self.training and "tokens" in outputs:
            self.queue.push(outputs["tokens"], labels, outputs["present"])
        return {"loss": total, **parts}

    def health(self) -> dict[str, float]:
        """The codebook's health since the last call: `dead_tokens`, for systems with tokens."""
        return self.use.take()

    def _alignment(self, outputs: Mapping[str, Any], labels: Tensor) -> Tensor:
        """Mean over granularities and pairs of modalities; clips of the queue join at the clip's."""
        kind, losses = self.settings.ugcl.kind, []
        for name, level in outputs["levels"].items():
            for a, b in itertools.combinations(level, 2):
                both = _both(outputs, a, b)
                (u, u_here), (v, v_here) = ([part[both] for part in level[m]] for m in (a, b))
                if kind == "attraction":
                    losses.append((1 - attraction(u, v, u_here, v_here)) / 2)
                    continue
                scores, classes = list(similarities(u, v, u_here, v_here, outputs["scale"])), []
                for side, (x, other) in enumerate(((u, b), (v, a))):
                    past, emotions = self._past(other, self.settings.ugcl.queue * (name == "clip"), x)
                    more = outputs["scale"] * x[:, 0] @ past.T
                    scores[side] = torch.cat([scores[side], more], dim=1)
                    classes.append(torch.cat([labels[both], emotions]))
                losses.append(contrast(*scores, *(classes if kind == "supervised" else ())))
        return torch.stack(losses).mean()

    def _matching(
        self, outputs: Mapping[str, Any], labels: Tensor, pair: tuple[str, str]
    ) -> tuple[Tensor, Tensor]:
        """The matching loss of a pair of modalities, and the share of its pairs judged rightly."""
        settings, (a, b) = self.settings.snd, pair
        both = _both(outputs, a, b)
        u, v, labels = outputs["tokens"][a][both], outputs["tokens"][b][both], labels[both]
        matches, similarity = outputs["matches"][pair][both][:, both], u @ v.T
        temperature, top = settings.temperature if settings.negatives == "sample" else None, settings.top
        if settings.negatives == "random":
            similarity, temperature, top = torch.zeros_like(similarity), 1.0, 0
        sides = []
        for x, other, own, alike in ((u, b, matches, similarity), (v, a, matches.T, similarity.T)):
            past, emotions = self._past(other, settings.queue, x)
            if len(past) and len(x):
                judge = outputs["judges"][pair]
                own = torch.cat([own, judge(x, past) if other == b else judge(past, x).T], dim=1)
                more = x @ past.T * (settings.negatives != "random")
                alike = torch.cat([alike, more], dim=1)
            candidates = torch.cat([labels, emotions])
            if settings.negatives == "nearest":  # every clip an emotion of its own
                candidates = torch.arange(own.shape[1], device=own.device)
            sides.append((own, alike, candidates))
        anchors = sides[0][2][: len(labels)]
        return discriminate(sides[0], sides[1], anchors, temperature, top)

    def _past(self, modality: str, count: int, like: Tensor) -> tuple[Tensor, Tensor]:
        """Up to `count` clips of the queue that have a modality, (n, W) as `like`, and their classes (n,)."""
        if self.queue is None or count == 0:
            return like.new_zeros(0, like.shape[-1]), like.new_zeros(0, dtype=torch.long)
        clips, labels = self.queue.of(modality, count)
        return clips.to(like.dtype), labels


def _both(outputs: Mapping[str, Any], a: str, b: str) -> Tensor:
    return outputs["present"][a] & outputs["present"][b]
