"""Where the clips of a batch stand in their dialogues."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from ugcl.data.dataset import Batch


class Turns:
    """The clips of a batch as the turns of G dialogues of at most N turns.

    Attributes:
        mask: (G, N), True = a turn, False = padding.
        same: (G, N, N), True = both turns are of one speaker.
        sees: (G, N, N), True = turn i may read turn j: those of its dialogue, and where only the past is
            read, none after it. Padding sees itself, so that no row is empty.
    """

    def __init__(self, group: Tensor, turn: Tensor, speaker: Tensor, past: bool = False) -> None:
        """Find the places.

        Args:
            group: (B,) number of the dialogue.
            turn: (B,) place in it, from 0, each once.
            speaker: (B,) number of the speaker.
            past: no turn reads a later one.
        """
        row = group.unique(return_inverse=True)[1]
        self.past, self._speaker, self._turn = past, speaker, turn
        self.shape = int(row.max()) + 1, int(turn.max()) + 1
        self._place = row * self.shape[1] + turn
        self.mask = self.rows(torch.ones_like(turn, dtype=torch.bool))
        speakers = self.rows(speaker)
        self.same = speakers[:, :, None] == speakers[:, None, :]
        places = torch.arange(self.shape[1], device=turn.device)
        self.distance = places[None, :] - places[:, None]  # (N, N), of the turn read from the reader
        self.sees = (self.mask[:, :, None] & self.mask[:, None, :]) | (self.distance == 0)
        if past:
            self.sees = self.sees & (self.distance <= 0)

    @classmethod
    def of(cls, batch: Batch, past: bool) -> Turns:
        """The turns of a batch."""
        return cls(batch.group, batch.turn, batch.speaker, past)

    def rows(self, x: Tensor) -> Tensor:
        """(B, …) → (G, N, …), 0 where there is no turn."""
        padded = x.new_zeros(self.shape[0] * self.shape[1], *x.shape[1:])
        return padded.index_copy(0, self._place, x).unflatten(0, self.shape)

    def clips(self, x: Tensor) -> Tensor:
        """(G, N, …) → (B, …), in the order of the batch."""
        return x.flatten(0, 1)[self._place]

    def seeing(self, present: Tensor) -> Tensor:
        """`sees` without what a modality lacks: (G, N, N).

        Args:
            present: (B,), False = the clip lacks the modality; only itself reads it then.
        """
        return self.sees & (self.rows(present)[:, None, :] | (self.distance == 0))

    def of_speakers(self) -> Turns:
        """The same clips, as dialogues of each speaker's own turns."""
        earlier = (self.same & self.sees & (self.distance < 0)).sum(dim=2)  # (G, N)
        speakers = int(self._speaker.max()) + 1
        group = self._place // self.shape[1] * speakers + self._speaker
        return Turns(group, self.clips(earlier), self._speaker, self.past)
