"""Frames at the times of another modality, by hand."""

from __future__ import annotations

import torch

from ugcl.models.layers.grid import on_grid


def frames(*values: float) -> torch.Tensor:
    return torch.tensor(values)[None, :, None]


def valid(count: int, frames: int) -> torch.Tensor:
    return (torch.arange(frames) < count)[None]


def test_the_nearest_frame_is_read() -> None:
    """10 Hz from 0.06 s, read at 0, 0.04 … 0.28 s."""
    found = on_grid(frames(0.0, 1.0, 2.0), valid(3, 3), 10.0, 0.06, valid(8, 8), 25.0, 0.0)
    assert found[0, :, 0].tolist() == [0, 0, 0, 1, 1, 1, 2, 2]


def test_a_slower_grid_skips_frames() -> None:
    found = on_grid(frames(0, 1, 2, 3, 4, 5), valid(6, 6), 50.0, 0.0, valid(3, 3), 25.0, 0.02)
    assert found[0, :, 0].tolist() == [1, 3, 5]


def test_a_clip_is_read_within_its_own_length_and_padding_is_0() -> None:
    x = frames(1.0, 2.0, 9.0, 9.0).repeat(2, 1, 1)
    mask = torch.cat([valid(2, 4), valid(4, 4)])
    to_mask = torch.cat([valid(3, 5), valid(5, 5)])
    found = on_grid(x, mask, 10.0, 0.0, to_mask, 10.0, 0.0)
    assert found[0, :, 0].tolist() == [1, 2, 2, 0, 0]
    assert found[1, :, 0].tolist() == [1, 2, 9, 9, 9]


def test_a_vector_is_repeated_and_a_sequence_read_by_a_vector_is_its_mean() -> None:
    assert on_grid(frames(3.0, 9.0), valid(1, 2), 0.0, 0.0, valid(3, 3), 25.0, 0.0)[0, :, 0].tolist() == [
        3,
        3,
        3,
    ]
    assert on_grid(frames(1.0, 2.0, 9.0), valid(2, 3), 25.0, 0.0, valid(1, 1), 0.0, 0.0).tolist() == [[[1.5]]]


def test_a_clip_whose_other_modality_is_missing_is_read_as_a_whole() -> None:
    """Its only frame on the grid is the learnt one of the modality that it lacks."""
    found = on_grid(frames(1.0, 2.0, 6.0), valid(3, 3), 10.0, 0.0, valid(1, 4), 10.0, 0.0)
    assert found[0, :, 0].tolist() == [3, 0, 0, 0]
