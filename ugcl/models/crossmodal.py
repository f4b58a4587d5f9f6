"""The crossmodal transformer of Tsai et al. 2019 (MulT, ACL), as the released UGCL code uses it.

Sequences come first, (T, B, W), and parameters have the names of that code, so that its states load.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def positions(frames: int, width: int, device: torch.device | None = None) -> Tensor:
    """Sinusoidal code of frame numbers 1 … T, sines before cosines, (T, W) (Vaswani et al. 2017, §3.5)."""
    half = width // 2
    rates = torch.exp(torch.arange(half, device=device) * -(math.log(10000.0) / (half - 1)))
    angle = torch.arange(1, frames + 1, device=device)[:, None] * rates
    return F.pad(torch.cat([angle.sin(), angle.cos()], dim=1), (0, width - 2 * half))


def hidden_keys(queries: int, keys: int, device: torch.device | None = None) -> Tensor:
    """Which keys each query may not see, (T, S), True = hidden: query i sees keys 0 … i + |S − T|."""
    return torch.ones(queries, keys, dtype=torch.bool, device=device).triu(1 + abs(keys - queries))


def hidden_keys_of_clips(queries: Tensor, keys: Tensor, frames: int, key_frames: int) -> Tensor:
    """The same by each clip's own lengths, so that padding changes nothing; padded keys are hidden.

    Args:
        queries: (B,) valid frames of the queries; B may be 1 for all.
        keys: (B,) valid frames of the keys.
        frames: padded length T of the queries.
        key_frames: padded length S of the keys.

    Returns:
        (B, T, S), True = hidden; the first key is seen by all.
    """
    i = torch.arange(frames, device=queries.device)[None, :, None]
    j = torch.arange(key_frames, device=queries.device)[None, None, :]
    ahead = (keys - queries).abs()[:, None, None]
    return (j > i + ahead) | (j >= keys[:, None, None])


class CrossmodalLayer(nn.Module):
    """Pre-normalised attention and feed-forward; with `mixed` the residuals are weighted by a learnt α.

    h ← r + f(r), or with `mixed`  h ← α·r + (1 − α)·f(r), one α per layer for both parts.
    """

    def __init__(
        self, width: int, heads: int, dropouts: tuple[float, float, float], mixed: bool = False
    ) -> None:
        """Make a layer; dropouts are of attention weights, the hidden layer, and the residual branch."""
        super().__init__()
        attention, hidden, self.residual = dropouts
        self.self_attn = nn.MultiheadAttention(width, heads, dropout=attention)
        self.fc1, self.fc2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.layer_norms = nn.ModuleList([nn.LayerNorm(width), nn.LayerNorm(width)])
        self.hidden = hidden
        self.alpha = nn.Parameter(torch.rand(1)) if mixed else None

    def forward(self, x: Tensor, keys: Tensor | None, hidden: Tensor) -> Tensor:
        """(T, B, W) on keys (S, B, W), or on itself; `hidden` (T, S) or (B · heads, T, S) → (T, B, W)."""
        q = self.layer_norms[0](x)
        k = q if keys is None else self.layer_norms[0](keys)
        x = self._add(x, self.self_attn(q, k, k, attn_mask=hidden, need_weights=False)[0])
        h = F.dropout(self.fc1(self.layer_norms[1](x)).relu(), self.hidden, self.training)
        return self._add(x, self.fc2(h))

    def _add(self, residual: Tensor, new: Tensor) -> Tensor:
        new = F.dropout(new, self.residual, self.training)
        return residual + new if self.alpha is None else self.alpha * residual + (1 - self.alpha) * new


class CrossmodalStack(nn.Module):
    """Several layers on √W-scaled frames; a query never sees keys of its future."""

    def __init__(
        self,
        width: int,
        heads: int,
        layers: int,
        *,
        attention_dropout: float = 0.1,
        positional: bool = False,
        mixed: bool = False,
    ) -> None:
        """Make a stack with the released dropouts; `positional` adds the code of frame numbers."""
        super().__init__()
        dropouts = (attention_dropout, 0.1, 0.1)
        self.layers = nn.ModuleList(CrossmodalLayer(width, heads, dropouts, mixed) for _ in range(layers))
        self.layer_norm = nn.LayerNorm(width)
        self.heads, self.positional = heads, positional

    def forward(self, x: Tensor, keys: Tensor | None = None, hidden: Tensor | None = None) -> Tensor:
        """Attend.

        Args:
            x: (T, B, W) queries.
            keys: (S, B, W), also the values; None attends on x itself.
            hidden: (T, S), (1, T, S) or (B, T, S), True = not seen; default :func:`hidden_keys`.

        Returns:
            (T, B, W).
        """
        if hidden is None:
            hidden = hidden_keys(len(x), len(x if keys is None else keys), x.device)
        if hidden.dim() == 3:
            hidden = hidden[0] if len(hidden) == 1 else hidden.repeat_interleave(self.heads, dim=0)
        h, c = self._embed(x), None if keys is None else self._embed(keys)
        for layer in self.layers:
            h = layer(h, c, hidden)
        return self.layer_norm(h)

    def _embed(self, x: Tensor) -> Tensor:
        h = x * math.sqrt(x.shape[-1])
        if self.positional:
            h = h + positions(len(x), x.shape[-1], x.device)[:, None]
        return F.dropout(h, 0.25, self.training)
