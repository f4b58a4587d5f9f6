"""Attention whose keys are one frame, as those of a modality with one vector in each clip are."""

from __future__ import annotations

from torch import nn

from ugcl.models.attention import Attention, CrossAttentionLayer
from ugcl.models.layers.blocks import CrossRead


def freeze_scores(module: nn.Module) -> None:
    """Freeze what decides where attention looks: the softmax of one score is 1, so this moves nothing.

    Values, and what comes after, go on learning.
    """
    for layer in module.modules():
        if isinstance(layer, Attention):
            layer.query.requires_grad_(False)
            layer.key.requires_grad_(False)
        if isinstance(layer, CrossAttentionLayer | CrossRead):
            layer.norm.requires_grad_(False)  # of the queries alone
