"""A memory of clips of past batches, so that small batches have many negatives."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn


class ClipQueue(nn.Module):
    """The newest clips' representations and class numbers, first in, first out.

    They are of past weights and get no gradient (Wang et al. 2020, XBM, §3.2; with labels, as negatives of
    another emotion need them). Its buffers belong to the state of a run that is killed and goes on, but not
    to the trained weights.
    """

    def __init__(self, size: int, width: int, modalities: list[str]) -> None:
        """Make an empty queue for `size` clips Q (0 holds none) with representations of `width` W."""
        super().__init__()
        self.modalities = list(modalities)
        self.register_buffer("clips", torch.zeros(len(modalities), size, width), persistent=False)
        self.register_buffer("here", torch.zeros(len(modalities), size, dtype=torch.bool), persistent=False)
        self.register_buffer("labels", torch.zeros(size, dtype=torch.long), persistent=False)

    @torch.no_grad()
    def push(self, tokens: Mapping[str, Tensor], labels: Tensor, present: Mapping[str, Tensor]) -> None:
        """Take in a batch; the oldest clips leave.

        Args:
            tokens: modality → (B, W).
            labels: (B,) class numbers.
            present: modality → (B,), False = the clip lacks it.
        """
        size = len(self.labels)
        if size == 0 or not self.training:
            return
        clips = torch.stack([tokens[m].to(self.clips.dtype) for m in self.modalities])
        here = torch.stack([present[m] for m in self.modalities])
        self.clips = torch.cat([clips, self.clips], dim=1)[:, :size]
        self.here = torch.cat([here, self.here], dim=1)[:, :size]
        self.labels = torch.cat([labels, self.labels])[:size]

    def of(self, modality: str, count: int) -> tuple[Tensor, Tensor]:
        """Those of the newest `count` clips that have a modality: (n, W) and class numbers (n,)."""
        i = self.modalities.index(modality)
        here = self.here[i, :count]
        return self.clips[i, :count][here], self.labels[:count][here]
