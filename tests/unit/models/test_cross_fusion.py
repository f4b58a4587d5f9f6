"""Which modality reads which, and what that does to its frames."""

from __future__ import annotations

import pytest
import torch

from ugcl.config.system.encoder import ModalityEncoder
from ugcl.models.cross_fusion import CrossFusion


def fused(readers, video):
    """Frames of both modalities after fusion; those of sound are always the same."""
    torch.manual_seed(0)
    settings = ModalityEncoder(width=8, heads=2, dropout=0)
    streams = {"audio": torch.arange(48.0).sin().reshape(1, 6, 8), "video": video}
    masks = {m: torch.ones(x.shape[:2], dtype=torch.bool) for m, x in streams.items()}
    tokens = {m: x.mean(dim=1) for m, x in streams.items()}
    given = dict(streams)
    found = CrossFusion(list(streams), readers, 2, settings).eval()(
        streams, masks, tokens, dict.fromkeys(streams)
    )
    assert streams == given, "what was given has changed"
    return found


ONE, OTHER = torch.linspace(-1, 1, 32).reshape(1, 4, 8), torch.linspace(0, 2, 32).cos().reshape(1, 4, 8)


@pytest.mark.parametrize("readers", [None, ["audio"], ["video", "audio"]])
def test_a_reader_sees_the_other_modality(readers) -> None:
    assert (fused(readers, ONE)["audio"] - fused(readers, OTHER)["audio"]).abs().max() > 1e-3


def test_who_does_not_read_stays_as_it_was() -> None:
    result = fused(["audio"], ONE)
    assert list(result) == ["audio", "video"] and torch.equal(result["video"], ONE)
    assert torch.equal(fused(["video"], ONE)["audio"], fused(["video"], OTHER)["audio"])


def test_both_directions_are_the_default() -> None:
    both = fused(None, ONE)
    torch.testing.assert_close(fused(["audio", "video"], ONE), both)
    assert not torch.equal(both["video"], ONE)
