"""Classification losses."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def focal(logits: Tensor, labels: Tensor, gamma: float = 2.0, weight: Tensor | None = None) -> Tensor:
    """Focal loss, FL = −(1 − p_t)^γ log p_t with p = softmax(logits) once (Lin et al. 2017, eq. 4).

    Args:
        logits: (B, C), not yet softmaxed.
        labels: (B,) class numbers.
        gamma: focusing exponent; 0 gives cross-entropy.
        weight: (C,) class weights; the mean is over the weights, as in cross-entropy.

    Returns:
        Scalar mean over clips.
    """
    log_p = F.log_softmax(logits, dim=-1).gather(1, labels[:, None]).squeeze(1)
    losses = -((1 - log_p.exp()) ** gamma) * log_p
    if weight is None:
        return losses.mean()
    of_clip = weight[labels]
    return (of_clip * losses).sum() / of_clip.sum()


def double_softmax_focal(logits: Tensor, labels: Tensor, gamma: float = 2.0) -> Tensor:
    """Focal loss on p = softmax(softmax(logits)), as the released code has it.

    The inner softmax bounds the outer one's input to 0..1, so p_t never approaches 1 and the loss never
    approaches 0: correct clips keep a gradient and wrong clips have a weak one.

    Args:
        logits: (B, C).
        labels: (B,) class numbers.
        gamma: focusing exponent.

    Returns:
        Scalar mean over clips.
    """
    p = logits.softmax(dim=-1).softmax(dim=-1).gather(1, labels[:, None]).squeeze(1)
    return (-((1 - p) ** gamma) * (p + 1e-7).log()).mean()


def divergence(logits: Tensor, targets: Tensor, weight: Tensor | None = None) -> Tensor:
    """Kullback–Leibler divergence of predictions from raters' votes, KL(q ‖ p) = Σ_c q_c (log q_c − log p_c).

    Args:
        logits: (B, C).
        targets: (B, C) shares of votes q, rows sum to 1.
        weight: (C,) class weights; the mean is over the weight of each clip's votes.

    Returns:
        Scalar mean over clips.
    """
    losses = F.kl_div(logits.log_softmax(dim=-1), targets, reduction="none")
    if weight is None:
        return losses.sum(dim=1).mean()
    return (weight * losses).sum() / (weight * targets).sum()


def class_weights(counts: Tensor, balance: float) -> Tensor:
    """Class weights from training counts, w_c = (N / (C · n_c))^balance.

    Args:
        counts: (C,) training clips of each class, all positive.
        balance: 0 = equal weights, 1 = every class counts the same in the loss.
    """
    counts = counts.to(torch.float32)
    return (counts.sum() / (len(counts) * counts)) ** balance


def log_priors(counts: Tensor, strength: float) -> Tensor:
    """What logit adjustment adds to the logits in the loss alone, τ log π_c with π_c = n_c / N.

    Rare classes then need a margin, and the logits without it estimate balanced odds (Menon et al. 2021,
    eq. 10), which is what UAR asks for.

    Args:
        counts: (C,) training clips of each class, all positive.
        strength: τ; 1 is the consistent choice.
    """
    return strength * (counts / counts.sum()).log()
