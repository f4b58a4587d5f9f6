"""Settings of systems for speech and text that no benchmark has: every parameter is learnt all the same."""

from __future__ import annotations

import pytest
import torch
from made_systems import CONFIG, INFOS, make_batch, without

from ugcl.methods.build import build
from ugcl.training.objective import objective

METHODS = [
    *({"name": "gban", "fusion": kind} for kind in ("concat", "concat_attention", "concat_all")),
    {"name": "m2fnet", "weights": {"triplet": 0, "covariance": 0, "variance": 0}, "layers": 2, "fusions": 1},
    {"name": "mcn_cl", "weights": {"contrast": 0}, "layers": 2},
    {"name": "mcihn", "weights": {"reconstruction": 0, "adversarial": 0, "discrepancy": 0}},
    {"name": "gia_mic", "weights": {"invariance": 0}},
    {"name": "deepmsi", "weights": {"contrast": 0}},
]


@pytest.mark.parametrize("order", [["audio", "video"], ["video", "audio"]], ids="-".join)
@pytest.mark.parametrize("infos", INFOS.values(), ids=INFOS.keys())
@pytest.mark.parametrize("method", METHODS, ids=lambda method: "-".join(map(str, list(method.values())[:2])))
def test_every_parameter_gets_a_gradient(method, infos, order):
    made = type(CONFIG.systems["concat"])(method=method, input={"modalities": order})
    systems = {**CONFIG.systems, "made": made}
    run = CONFIG.model_copy(update={"systems": systems}).resolve("demo_peers", "made")
    torch.manual_seed(0)
    model = build(run, infos).train()
    batch = make_batch(run, infos, clips=16)
    for i, modality in enumerate(order):
        batch = without(batch, modality, [i])
    objective(model, model(batch), batch)["loss"].backward()
    learnt = {name: p.grad for name, p in model.named_parameters() if p.requires_grad}
    assert [name for name, g in learnt.items() if g is None or not g.abs().max() > 0] == []
