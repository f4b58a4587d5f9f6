"""Recurrent layers over padded sequences. They cannot be vectorised over runs (`packable = False`)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence


def packed(x: Tensor, mask: Tensor) -> PackedSequence:
    """The valid frames of (B, T, W); valid ones come first in each clip, (B, T) True = valid."""
    return pack_padded_sequence(x, mask.sum(dim=1).cpu(), batch_first=True, enforce_sorted=False)


class BiLSTM(nn.LSTM):
    """LSTM in both directions; the backward one starts at the clip's own last valid frame."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__(width, hidden, batch_first=True, bidirectional=True)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """(B, T, W), valid frames (B, T) → (B, T, 2 · hidden), the forward half first; padding is 0."""
        states, _ = super().forward(packed(x, mask))
        return pad_packed_sequence(states, batch_first=True, total_length=x.shape[1])[0]


class GRU(nn.GRU):
    """Gated recurrent unit, forward in time."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__(width, hidden, batch_first=True)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """(B, T, W) with valid frames (B, T) → (B, T, hidden); 0 in the padding."""
        states = super().forward(x)[0]  # what follows the last valid frame moves none before it
        return torch.where(mask[..., None], states, 0.0)
