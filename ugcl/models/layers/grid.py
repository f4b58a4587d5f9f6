"""Frames of one modality at the times of another's."""

from __future__ import annotations

import torch
from torch import Tensor


def on_grid(
    x: Tensor, mask: Tensor, rate: float, offset: float, to_mask: Tensor, to_rate: float, to_offset: float
) -> Tensor:
    """Read frames of a modality at the times of another modality's frames.

    Frame j of the other is at t_j = to_offset + j / to_rate and reads the nearest valid frame of x, which are
    at offset + i / rate. A modality of rate 0 covers its clip, so it is repeated. A clip with a single frame
    to read at (the other has rate 0, or lacks the clip) reads the mean of its valid frames.

    Args:
        x: (B, T, W).
        mask: (B, T), True = valid frame, which are the first of each clip, at least one.
        rate: frames per second of x.
        offset: seconds of its first frame.
        to_mask: (B, S), valid frames of the other modality.
        to_rate: its frames per second.
        to_offset: seconds of its first frame.

    Returns:
        (B, S, W), 0 where `to_mask` is False.
    """
    valid = mask.sum(dim=1, keepdim=True)  # (B, 1)
    place = torch.arange(to_mask.shape[1], device=x.device)
    seconds = to_offset + place / to_rate if to_rate else torch.zeros_like(place)
    nearest = ((seconds - offset) * rate + 0.5).floor().long().clamp_min(0)  # (S,)
    index = torch.minimum(nearest[None], valid - 1)  # (B, S)
    read = torch.gather(x, 1, index[..., None].expand(-1, -1, x.shape[-1]))
    mean = x.masked_fill(~mask[..., None], 0.0).sum(dim=1, keepdim=True) / valid[..., None]
    single = to_mask.sum(dim=1) == 1
    read = torch.where(single[:, None, None], mean, read)
    return read.masked_fill(~to_mask[..., None], 0.0)


def on_first_grid(
    frames: dict[str, Tensor], masks: dict[str, Tensor], clocks: dict[str, tuple[float, float]]
) -> tuple[list[Tensor], Tensor]:
    """All modalities at the times of the first one's frames.

    Args:
        frames: modality → (B, T_m, W).
        masks: modality → (B, T_m).
        clocks: modality → rate and offset of its frames.

    Returns:
        The streams (B, T, W), in order, and the mask (B, T) of the first modality.
    """
    (first, *others) = frames
    here = masks[first]
    read = [on_grid(frames[m], masks[m], *clocks[m], here, *clocks[first]) for m in others]
    return [frames[first], *read], here
