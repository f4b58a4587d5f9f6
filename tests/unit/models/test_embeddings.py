"""Every network can embed clips: the vector that it classifies a clip by depends on the clip alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from tests.unit.models.made_systems import FRAMES, NETWORKS, resolve
from ugcl.data.dataset import ClipDataset
from ugcl.data.stores import Held
from ugcl.inference.api.embedding import embed
from ugcl.methods.build import build


def clips(run, infos, count: int) -> ClipDataset:
    """Clips of unequal length; the same number has the same features in every dataset."""
    stores = {}
    for m in run.input.modalities:
        draw = torch.Generator().manual_seed(len(m))
        lengths = [5 + 2 * i for i in range(count)]
        x = {str(i): torch.randn(n, infos[m].dim, generator=draw).half() for i, n in enumerate(lengths)}
        stores[m] = Held(infos[m], x)
    names = [str(i) for i in range(count)]
    rows = pd.DataFrame({"clip": names, "speaker": "s", "label": run.protocol.classes[0]})
    return ClipDataset(rows, stores, run.protocol.classes)


@pytest.mark.parametrize(("benchmark", "system"), NETWORKS)
def test_a_clip_has_a_vector_of_its_own(benchmark: str, system: str) -> None:
    run, infos = resolve(benchmark, system), dict(FRAMES)
    infos["text"] = FRAMES["audio"]
    torch.manual_seed(0)
    network = build(run, infos)
    found = embed(network, clips(run, infos, 4))
    assert found.shape[0] == 4 and found.shape[1] >= 8 and np.isfinite(found).all()
    np.testing.assert_array_equal(found[:2], embed(network, clips(run, infos, 2)))
    assert np.ptp(found, axis=0).max() > 1e-4
