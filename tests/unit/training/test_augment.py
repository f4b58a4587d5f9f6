"""Switches of training: clips blended within a class, masked spans, sharpness-aware steps."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ugcl.config.system.train import Mixup, SpecAugment, Train
from ugcl.data.dataset import Batch
from ugcl.training.augment import mask_spans, mix_up
from ugcl.training.optim import uphill


def made(labels, lengths, columns=3, targets=None):
    """Clip i is i + 1 in every cell, so that a blended value tells its partner and its share."""
    n, longest = len(labels), max(lengths)
    mask = torch.arange(longest) < torch.tensor(lengths)[:, None]
    x = (torch.arange(n) + 1.0)[:, None, None] * mask[..., None] * torch.ones(columns)
    features = {"audio": x, "video": 100 * x}
    masks = {name: mask.clone() for name in features}
    present = {name: mask.any(dim=1) for name in features}
    names = [f"c{i}" for i in range(n)]
    return Batch(features, masks, present, torch.tensor(labels), names, names, targets)


@given(st.lists(st.integers(0, 2), min_size=2, max_size=12), st.integers(0, 99), st.floats(0.1, 4))
@settings(max_examples=40, deadline=None)
def test_clips_are_blended_with_their_class_alone_in_equal_shares_of_all_modalities(labels, seed, alpha):
    torch.manual_seed(seed)
    before = made(labels, [4] * len(labels))
    after = mix_up(before, Mixup(alpha=alpha))
    audio, video = after.features["audio"], after.features["video"]
    torch.testing.assert_close(video, 100 * audio)
    for i, label in enumerate(labels):
        members = [j + 1 for j, other in enumerate(labels) if other == label]
        value = audio[i].unique()
        assert value.max() - value.min() < 1e-4, "one share for all frames and columns"
        low, high = (min(members) + i + 1) / 2, (max(members) + i + 1) / 2  # its own share is at least half
        assert low - 1e-4 <= value[0] <= high + 1e-4
        if len(members) == 1:
            assert torch.equal(audio[i], before.features["audio"][i])


def test_a_clip_keeps_its_frames_and_what_its_partner_lacks():
    torch.manual_seed(0)
    before = made([0, 0], [2, 5])
    before.features["video"][0] = 0
    before.masks["video"][0] = before.present["video"][0] = False
    for _ in range(20):
        after = mix_up(before, Mixup(alpha=1.0))
        assert torch.equal(after.masks["audio"], before.masks["audio"])
        assert (after.features["audio"][0, 2:] == 0).all(), "padding stays empty"
        assert (after.features["audio"][1, 2:] == 2).all(), "frames that the shorter partner lacks"
        assert torch.equal(after.features["video"], before.features["video"])


def test_soft_targets_are_blended_by_the_same_shares():
    torch.manual_seed(1)
    targets = torch.tensor([[1.0, 0.0], [0.6, 0.4], [0.0, 1.0]])
    after = mix_up(made([0, 0, 1], [3, 3, 3], targets=targets), Mixup(alpha=1.0))
    share = 2 - after.features["audio"][0, 0, 0]  # of clip 0 in itself: a · 1 + (1 - a) · 2
    assert 0.5 <= share < 1, "the seed pairs clips 0 and 1"
    torch.testing.assert_close(after.targets[0], share * targets[0] + (1 - share) * targets[1])
    assert torch.equal(after.targets[2], targets[2])


COUNTS = st.tuples(st.integers(0, 3), st.integers(0, 3)).filter(any)
"""Masks of frames and of columns, not both none."""


@given(COUNTS, st.floats(0.05, 1), st.floats(0.05, 1), st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_masked_spans_are_the_mean_and_no_longer_than_asked(counts, time_share, feature_share, seed):
    times, bands = counts
    torch.manual_seed(seed)
    before = made([0, 1], [6, 20], columns=16)
    masks = SpecAugment(
        time_masks=times, time_share=time_share, feature_masks=bands, feature_share=feature_share
    )
    means = {name: torch.full((16,), -5.0) for name in before.features}
    after = mask_spans(before, masks, means)
    for name, x in before.features.items():
        changed = after.features[name] != x
        assert (after.features[name][changed] == -5).all()
        assert not changed[~before.masks[name]].any(), "padding is left alone"
        for row, length in enumerate((6, 20)):
            own = changed[row, :length]
            frames, columns = own.all(dim=1), own.all(dim=0)
            assert torch.equal(own, frames[:, None] | columns)
            assert frames.all() or frames.sum() <= times * int(time_share * length)
            assert columns.all() or columns.sum() <= bands * int(feature_share * 16)


def test_masks_reach_every_frame_and_their_longest():
    torch.manual_seed(0)
    before = made([0], [10])
    means = {name: torch.full((3,), -5.0) for name in before.features}
    settings = SpecAugment(time_masks=1, time_share=0.4)
    hidden = torch.stack(
        [(mask_spans(before, settings, means).features["audio"][0] == -5).all(dim=1) for _ in range(400)]
    )
    assert set(hidden.sum(dim=1).tolist()) == {0, 1, 2, 3}, "below four tenths of ten"
    assert hidden.any(dim=0).all()


def test_a_block_that_masks_nothing_is_refused():
    with pytest.raises(ValueError, match="spec_augment null"):
        SpecAugment(time_share=0.4)


def test_switched_off_nothing_changes_and_no_number_is_drawn():
    before = made([0, 0], [3, 4])
    state = torch.get_rng_state()
    assert mask_spans(mix_up(before, None), None, {}) is before
    assert torch.equal(torch.get_rng_state(), state)


def test_uphill_goes_along_the_gradient_and_comes_back_to_the_bit():
    model = torch.nn.Linear(2, 1, bias=False)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[0.1, 0.7]]))
    before = model.weight.detach().clone()
    model.weight.grad = torch.tensor([[3.0, 4.0]])  # norm 5
    with uphill(model, 0.5):
        torch.testing.assert_close(model.weight.detach(), before + torch.tensor([[0.3, 0.4]]))
        assert model.weight.grad is None
        model.weight.square().sum().backward()
    assert torch.equal(model.weight.detach(), before)
    torch.testing.assert_close(model.weight.grad, 2 * (before + torch.tensor([[0.3, 0.4]])))


def test_sam_refuses_scaled_gradients():
    with pytest.raises(ValueError, match="bf16-mixed"):
        Train(sam={"radius": 0.05}, precision="16-mixed")
