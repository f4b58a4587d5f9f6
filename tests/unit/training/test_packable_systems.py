"""Every system of the parameters that says so can be trained in step, and has the outputs it has alone."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from tests.unit.models.made_systems import INFOS, NETWORKS, make_batch, resolve
from ugcl.methods.build import build
from ugcl.training.objective import objective
from ugcl.training.packed.pack import Pack

DRAWS = {"cberl", "drkf"}
"""Methods that draw numbers in training whatever the dropout; in step they draw others."""


def packable():
    """Networks of all benchmarks whose method can be packed, and which read clips by themselves."""
    runs = {names: resolve(*names) for names in NETWORKS}
    return [
        pytest.param(*names, id=names[1])
        for names, run in runs.items()
        if run.method.packable and run.input.context == "clip" and run.method.name != "released"
    ]


@pytest.mark.parametrize("infos", INFOS.values(), ids=INFOS.keys())
@pytest.mark.parametrize(("benchmark", "system"), packable())
def test_outputs_in_step_are_those_alone(benchmark, system, infos, monkeypatch):
    attention = F.scaled_dot_product_attention

    def plain(q, k, v, attn_mask=None, dropout_p=0.0, is_causal=False):
        return attention(q, k, v, attn_mask, 0.0, is_causal)

    monkeypatch.setattr(F, "scaled_dot_product_attention", plain)
    monkeypatch.setattr(F, "dropout", lambda x, *_, **__: x)
    run = resolve(benchmark, system)
    run = run.model_copy(update={"encoder": run.encoder.model_copy(update={"frame_mask": 0.0})})
    models = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        models.append(build(run, infos).train())
    batches = [make_batch(run, infos, clips=6, seed=seed) for seed in (2, 3)]
    pack = Pack(models, run.train)
    outputs = pack(batches)
    losses = pack.losses(outputs, batches)
    assert all(value.isfinite() for found in losses for value in found.values())
    sum(found["loss"] for found in losses).backward()
    if run.method.name not in DRAWS:
        for model, batch, mine, found in zip(models, batches, outputs, losses, strict=True):
            alone = model(batch)
            torch.testing.assert_close(mine["logits"], alone["logits"], rtol=1e-4, atol=1e-5)
            expected = objective(model, alone, batch)["classification"]
            torch.testing.assert_close(found["classification"], expected, rtol=1e-4, atol=1e-5)
