"""The memory of past clips: what it holds, and when."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ugcl.models.queue import ClipQueue

WIDTH = 8


def clips(seed: int, count: int, absent: tuple[int, ...] = ()) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Representations of some clips, and which modalities they have."""
    generator = torch.Generator().manual_seed(seed)
    tokens = {
        m: F.normalize(torch.randn(count, WIDTH, generator=generator), dim=1) for m in ("audio", "video")
    }
    present = {m: torch.ones(count, dtype=torch.bool) for m in tokens}
    present["video"][list(absent)] = False
    return tokens, present


def test_first_in_first_out_and_a_missing_modality_is_not_there() -> None:
    queue = ClipQueue(5, WIDTH, ["audio", "video"])
    assert [len(part) for part in queue.of("audio", 5)] == [0, 0]
    (first, here), (second, both) = clips(0, 3, absent=(1,)), clips(1, 4)
    queue.push(first, torch.tensor([0, 1, 2]), here)
    found, labels = queue.of("video", 5)
    assert torch.equal(found, first["video"][[0, 2]]) and labels.tolist() == [0, 2]
    queue.push(second, torch.tensor([3, 4, 5, 6]), both)
    found, labels = queue.of("audio", 5)
    assert labels.tolist() == [3, 4, 5, 6, 0]
    assert torch.equal(found, torch.cat([second["audio"], first["audio"][:1]]))
    assert queue.of("audio", 2)[1].tolist() == [3, 4]
    assert queue.state_dict() == {}, "past clips are not part of the weights"


def test_evaluation_leaves_the_queue_alone() -> None:
    queue = ClipQueue(5, WIDTH, ["audio", "video"]).eval()
    tokens, present = clips(0, 3)
    queue.push(tokens, torch.tensor([0, 1, 2]), present)
    assert len(queue.of("audio", 5)[0]) == 0
