"""Augmentations of a training batch."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ugcl.data.dataset import Batch
from ugcl.models.encoders import span

if TYPE_CHECKING:
    from ugcl.config.system.train import Mixup, ModalityDropout, SpecAugment


def mix_up(batch: Batch, settings: Mixup | None) -> Batch:
    """Blend each clip with another of its emotion (mixup, Zhang et al. 2018, kept within a class).

    All modalities of a clip are blended with the same clip in the same shares, so that they still belong
    together. A clip keeps its length: what its partner lacks, frames or a modality, stays as it was.

    Args:
        batch: clips; labels choose the partners.
        settings: α of the Beta(α, α) that shares are drawn from; None leaves the batch alone.

    Returns:
        The batch with other features and soft targets.
    """
    if settings is None:
        return batch
    partner = torch.arange(len(batch))
    for label in batch.labels.unique():
        members = (batch.labels == label).nonzero().flatten()
        partner[members] = members[torch.randperm(len(members))]
    share = torch.distributions.Beta(settings.alpha, settings.alpha).sample((len(batch),))
    share = torch.maximum(share, 1 - share)  # the clip whose length is kept is the larger part
    features = {}
    for modality, x in batch.features.items():
        both = batch.masks[modality] & batch.masks[modality][partner]
        features[modality] = torch.where(both[..., None], x.lerp(x[partner], 1 - share[:, None, None]), x)
    targets = batch.targets
    if targets is not None:
        targets = targets.lerp(targets[partner], 1 - share[:, None])
    return replace(batch, features=features, targets=targets)


def mask_spans(batch: Batch, settings: SpecAugment | None, means: dict[str, Tensor]) -> Batch:
    """Mask runs of frames and bands of feature columns (SpecAugment, Park et al. 2019, §2), clip by clip.

    Args:
        batch: clips.
        settings: how many masks, and how long; None leaves the batch alone.
        means: modality → (D,) mean training frame, which masked values become.

    Returns:
        The batch with other features.
    """
    if settings is None:
        return batch
    features = {}
    for modality, x in batch.features.items():
        mask = batch.masks[modality]
        columns = torch.full((len(x),), x.shape[-1])
        times = _spans(mask.sum(dim=1), x.shape[1], settings.time_masks, settings.time_share)
        bands = _spans(columns, x.shape[-1], settings.feature_masks, settings.feature_share)
        hidden = times[..., None] | bands[:, None]
        features[modality] = torch.where(hidden & mask[..., None], means[modality], x)
    return replace(batch, features=features)


def _spans(lengths: Tensor, size: int, count: int, share: float) -> Tensor:
    """(B, size) bool, True in some random runs of each row, each of at most a share of the row's length."""
    hidden = torch.zeros(len(lengths), size, dtype=torch.bool)
    for _ in range(count):
        hidden |= span(lengths, size, share)
    return hidden


def drop_modality(batch: Batch, settings: ModalityDropout | None) -> Batch:
    """Remove one modality from some clips, so that systems learn without it; no clip loses its last.

    Args:
        batch: clips with one or more modalities.
        settings: share of clips that lose one, each by a draw of its own or, as the released code has it, all
            by one draw; None leaves the batch alone.

    Returns:
        The batch with other `present` and `masks`.
    """
    if settings is None or len(batch.present) < 2:
        return batch
    names = list(batch.present)
    here = torch.stack([batch.present[name] for name in names])  # (M, B)
    device = here.device
    draws = 1 if settings.unit == "batch" else here.shape[1]
    order = torch.rand(len(names), draws, device=device)
    victim = (order + here.float()).argmax(dim=0)  # a modality that is there
    hit = (torch.rand(draws, device=device) < settings.rate) & (here.sum(dim=0) > 1)
    present = {name: here[i] & ~(hit & (victim == i)) for i, name in enumerate(names)}
    masks = {name: batch.masks[name] & present[name][:, None] for name in names}
    return replace(batch, present=present, masks=masks)
