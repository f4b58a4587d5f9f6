"""What the other turns of a dialogue add to a clip's vector: a transformer and a recurrent form."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from ugcl.models.attention import Attention, FeedForward
from ugcl.models.layers.pooling import masked_mean
from ugcl.models.layers.recurrent import packed

if TYPE_CHECKING:
    from ugcl.config.system.encoder import ModalityEncoder as Settings
    from ugcl.models.dialogue.turns import Turns

REACH = 8
"""Turns farther apart than this are coded as this far."""

OTHER_SIDE = 3.0
"""What a head's code of turns on the side that it does not begin with is lower by."""


class TurnCode(nn.Module):
    """What attention adds to the score of a turn by its distance and by whose it is (same speaker or other).

    A relative code (Shaw et al. 2018, NAACL, section 3.2, here one number for each head), so that nothing
    depends on how long the dialogue is. It starts as -slope · distance, with slopes 2, 1, ½, … of the heads,
    after ALiBi (Press et al. 2022, ICLR, section 3). Where both sides are read, even heads begin with turns
    before and odd ones with turns after, as attention has a direction in DiSAN (Shen et al. 2018, AAAI). Adam
    moves a number by about the learning rate in each step: in the few steps of a small corpus a code that
    starts at 0 stays near 0, and all turns count alike.
    """

    def __init__(self, heads: int, past: bool) -> None:
        super().__init__()
        self.past = past
        distance, head = torch.arange(-REACH, 1 if past else REACH + 1)[:, None], torch.arange(heads)
        start = -distance.abs() * 2.0 ** (1 - head)
        if not past:
            start -= OTHER_SIDE * torch.where(head % 2 == 0, distance > 0, distance < 0)
        self.distance = nn.Parameter(start)
        self.other = nn.Parameter(torch.zeros(heads))

    def forward(self, turns: Turns, sees: Tensor) -> Tensor:
        """Who may read whom (G, N, N) → what is added to scores (G, H, N, N), −∞ where not."""
        number = turns.distance.clamp(-REACH, 0 if self.past else REACH) + REACH
        added = self.distance[number] + torch.where(turns.same[..., None], 0.0, self.other)
        return rearrange(added, "g i j h -> g h i j").masked_fill(~sees[:, None], -torch.inf)


class TurnLayer(nn.Module):
    """Pre-normalised transformer layer over the turns of a dialogue."""

    def __init__(self, width: int, heads: int, dropout: float, past: bool, gated: bool = False) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.code = TurnCode(heads, past)
        self.dropout = nn.Dropout(dropout)
        self.feed_forward = FeedForward(width, dropout, gated)

    def forward(self, x: Tensor, turns: Turns, sees: Tensor) -> Tensor:
        """(G, N, W), and who may read whom (G, N, N) → (G, N, W)."""
        own, normed = self.attention, self.norm(x)
        q, k, v = (
            rearrange(linear(normed), "g n (h d) -> g h n d", h=own.heads)
            for linear in (own.query, own.key, own.value)
        )
        added = self.code(turns, sees).to(q.dtype)
        read = F.scaled_dot_product_attention(q, k, v, attn_mask=added)
        x = x + self.dropout(own.out(rearrange(read, "g h n d -> g n (h d)")))
        return x + self.feed_forward(x)


class DialogueTransformer(nn.Module):
    """Some :class:`TurnLayer`."""

    def __init__(self, settings: Settings, past: bool) -> None:
        super().__init__()
        own = settings.width, settings.heads, settings.dropout, past, settings.gated
        self.layers = nn.ModuleList(TurnLayer(*own) for _ in range(settings.dialogue.layers))

    def forward(self, x: Tensor, turns: Turns, present: Tensor) -> Tensor:
        """Clips (B, W), of which some lack the modality (B,) → (B, W)."""
        sees, h = turns.seeing(present), turns.rows(x)
        for layer in self.layers:
            h = layer(h, turns, sees)
        return turns.clips(h)


class RecurrentLayer(nn.Module):
    """x + W [GRU over the dialogue; GRU over the speaker's own turns] of the normalised x.

    The two states of DialogueRNN (Majumder et al. 2019, AAAI, section 3.3: global and party), without
    attention between them. Both run in both directions, or forward where only the past is read.
    """

    def __init__(self, width: int, dropout: float, past: bool) -> None:
        super().__init__()
        ways = 1 if past else 2
        self.norm = nn.LayerNorm(width)
        self.all = nn.GRU(width, width // ways, batch_first=True, bidirectional=not past)
        self.own = nn.GRU(width, width // ways, batch_first=True, bidirectional=not past)
        self.out = nn.Linear(2 * (width // ways) * ways, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, turns: Turns) -> Tensor:
        """(B, W) → (B, W)."""
        h = self.norm(x)
        states = [_states(self.all, h, turns), _states(self.own, h, turns.of_speakers())]
        return x + self.dropout(self.out(torch.cat(states, dim=-1)))


def _states(network: nn.GRU, x: Tensor, turns: Turns) -> Tensor:
    """States of a recurrent network at each clip, (B, W) → (B, states)."""
    states, _ = network(packed(turns.rows(x), turns.mask))
    padded, _ = nn.utils.rnn.pad_packed_sequence(states, batch_first=True, total_length=turns.shape[1])
    return turns.clips(padded)


class DialogueRecurrent(nn.Module):
    """Some :class:`RecurrentLayer`; a turn that lacks the modality is read as its learnt frame."""

    def __init__(self, settings: Settings, past: bool) -> None:
        super().__init__()
        count = settings.dialogue.layers
        self.layers = nn.ModuleList(
            RecurrentLayer(settings.width, settings.dropout, past) for _ in range(count)
        )

    def forward(self, x: Tensor, turns: Turns, present: Tensor) -> Tensor:
        """Clips (B, W), of which some lack the modality (B,) → (B, W)."""
        for layer in self.layers:
            x = layer(x, turns)
        return x


KINDS = {"transformer": DialogueTransformer, "recurrent": DialogueRecurrent}


def dialogue_layers(settings: Settings, past: bool) -> nn.Module:
    """New layers over turns, as `encoder.dialogue` says: (B, W), turns, present (B,) → (B, W)."""
    return KINDS[settings.dialogue.kind](settings, past)


class Context(nn.Module):
    """The frames of a modality with what the other turns add: LN(x_t + W context(mean_t x_t))."""

    def __init__(self, settings: Settings, past: bool) -> None:
        super().__init__()
        self.layers = dialogue_layers(settings, past)
        self.out = nn.Linear(settings.width, settings.width)
        self.norm = nn.LayerNorm(settings.width)

    def forward(self, x: Tensor, mask: Tensor, turns: Turns, present: Tensor) -> Tensor:
        """Frames (B, T, W), valid ones (B, T) and the clips that have the modality (B,) → (B, T, W)."""
        context = self.layers(masked_mean(x, mask), turns, present)
        return self.norm(x + self.out(context)[:, None])
