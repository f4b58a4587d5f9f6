"""What training does to a batch."""

from __future__ import annotations

from dataclasses import replace

import torch

from ugcl.data.dataset import Batch


def drop_modality(batch: Batch, chance: float, together: bool = False) -> Batch:
    """Take one modality from some clips, so that systems learn to do without; no clip loses its last.

    Args:
        batch: clips with one or more modalities.
        chance: share of clips that lose one.
        together: one draw for the whole batch, as the released code has it.

    Returns:
        The batch with other `present` and `masks`.
    """
    if chance == 0 or len(batch.present) < 2:
        return batch
    names = list(batch.present)
    here = torch.stack([batch.present[name] for name in names])  # (M, B)
    device = here.device
    draws = 1 if together else here.shape[1]
    order = torch.rand(len(names), draws, device=device)
    victim = (order + here.float()).argmax(dim=0)  # a modality that is there
    hit = (torch.rand(draws, device=device) < chance) & (here.sum(dim=0) > 1)
    present = {name: here[i] & ~(hit & (victim == i)) for i, name in enumerate(names)}
    masks = {name: batch.masks[name] & present[name][:, None] for name in names}
    return replace(batch, present=present, masks=masks)
