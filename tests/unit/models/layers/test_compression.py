"""Compression keeps the frames that are most like the query and merges others into them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist

from ugcl.models.layers.pooling import frames_at, merged, most_similar

LENGTHS = [6, 2, 4]


def clips():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(3, 6, 4, generator=generator, dtype=torch.double)
    query = torch.randn(3, 4, generator=generator, dtype=torch.double)
    return x, torch.arange(6) < torch.tensor(LENGTHS)[:, None], query


def test_scores_and_the_best_frames():
    x, mask, query = clips()
    scores, places = most_similar(x.masked_fill(~mask[..., None], 9.0), mask, query, 3)
    for i, length in enumerate(LENGTHS):
        frames = x[i, :length].numpy()
        cosines = 1 - cdist((frames.mean(axis=0) + query[i].numpy())[None], frames, "cosine")[0]
        expected = np.exp(cosines) / np.exp(cosines).sum()
        np.testing.assert_allclose(scores[i, :length], expected)
        assert (scores[i, length:] == 0).all()
        kept = min(3, length)
        assert places[i, :kept].tolist() == np.argsort(-cosines)[:kept].tolist()
        assert (places[i, kept:] >= length).all(), "padding follows"


def test_more_frames_than_there_are_keep_all():
    x, mask, query = clips()
    places = most_similar(x, mask, query, 50)[1]
    assert places.sort(dim=1).values.tolist() == [list(range(6))] * 3


@pytest.mark.parametrize("threshold", [-1.0, 0.1, 1.0])
def test_dropped_frames_are_merged_into_the_kept_ones_that_they_are_like(threshold):
    x, mask, query = clips()
    places = most_similar(x, mask, query, 2)[1]
    found = merged(x.masked_fill(~mask[..., None], 9.0), mask, places, threshold, 0.7)
    for i, length in enumerate(LENGTHS):
        frames = x[i, :length].numpy()
        dropped = [frames[t] for t in range(length) if t not in places[i].tolist()]
        for place, z in zip(places[i].tolist(), found[i].numpy(), strict=True):
            kept = frames[place]
            cosines = [1 - cdist(kept[None], n[None], "cosine").item() for n in dropped]
            near = [(c, n) for c, n in zip(cosines, dropped, strict=True) if c > threshold]
            if near:
                weights = np.exp([c for c, _ in near])
                mean = weights @ np.stack([n for _, n in near]) / weights.sum()
                np.testing.assert_allclose(z, 0.7 * kept + 0.3 * mean)
            else:
                np.testing.assert_array_equal(z, kept)


def test_frames_at_places():
    x = torch.arange(24.0).reshape(2, 4, 3)
    found = frames_at(x, torch.tensor([[3, 0], [1, 1]]))
    assert torch.equal(found, torch.stack([x[0, [3, 0]], x[1, [1, 1]]]))
