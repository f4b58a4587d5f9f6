"""The released video mapper: a vision transformer whose patches are the frames of a clip."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

PATCHES = 196
"""Patches of a 224 × 224 image in ViT-B/16 (Dosovitskiy et al. 2021); clips are padded or cut to as many."""


class FrameTrunk(nn.Module):
    """Frame vectors → mapped frame vectors.

    `vit_b_16` is Linear – ViT-B/16 encoder – Linear on 196 frames, zeros where the clip is shorter. `linear`
    is one Linear: what the golden numbers and small machines use.
    """

    def __init__(self, dim: int, width: int, trunk: str, off_by_one: bool) -> None:
        """Make the mapper of frame vectors (dim,) to (width,).

        `off_by_one` is the released slice, which keeps the class token and loses the last frame.
        """
        super().__init__()
        self.encoder, self.off_by_one = None, off_by_one
        if trunk == "vit_b_16":
            from torchvision.models.vision_transformer import Encoder

            self.mapper_in = nn.Linear(dim, 768)
            self.class_token = nn.Parameter(torch.zeros(1, 1, 768))
            self.encoder = Encoder(PATCHES + 1, 12, 12, 768, 3072, dropout=0.0, attention_dropout=0.0)
            dim = 768
        self.mapper_out = nn.Linear(dim, width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, D) → (B, min(T, 196), W); with `linear`, (B, T, W)."""
        if self.encoder is None:
            return self.mapper_out(x)
        frames = min(x.shape[1], PATCHES)
        x = self.mapper_in(F.pad(x[:, :PATCHES], (0, 0, 0, PATCHES - frames)))
        x = self.encoder(torch.cat([self.class_token.expand(len(x), -1, -1), x], dim=1))
        first = 0 if self.off_by_one else 1
        return self.mapper_out(x[:, first : first + frames])
