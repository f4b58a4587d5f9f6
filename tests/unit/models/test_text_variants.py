"""Settings of systems for speech and text that no benchmark has: every parameter is learnt all the same."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from tests.unit.models.made_systems import (
    CONFIG,
    FRAMES,
    INFOS,
    TEXTUAL,
    awake,
    make_batch,
    resolve,
    with_changes,
    without,
)
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


def idle(run, infos):
    """Parameters that get no gradient in any of two networks; in one, a small layer may be so by chance."""
    batch, found = make_batch(run, infos, clips=16), []
    for i, modality in enumerate(run.input.modalities):
        batch = without(batch, modality, [i])
    for seed in (0, 1):
        torch.manual_seed(seed)
        model = awake(build(run, infos)).train()
        objective(model, model(batch), batch)["loss"].backward()
        learnt = {name: p.grad for name, p in model.named_parameters() if p.requires_grad}
        found.append({name for name, g in learnt.items() if g is None or not g.abs().max() > 0})
    return found[0] & found[1]


@pytest.mark.parametrize("system", TEXTUAL)
def test_every_parameter_gets_a_gradient_where_each_modality_is_one_vector(system):
    infos = {m: replace(info, rate=0.0) for m, info in FRAMES.items()}
    assert not idle(resolve("demo_peers", system), infos)


OF_THREE = [
    *({"name": "gban", "fusion": kind} for kind in ("concat", "concat_attention", "concat_all")),
    {"name": "m2fnet", "weights": {"triplet": 0, "covariance": 0, "variance": 0}, "leader": "video"},
    {"name": "mcn_cl", "weights": {"contrast": 0}, "layers": 2},
    {"name": "cberl", "aggregation": "mean", "layers": 1, "window": 2},
    {"name": "cberl", "weights": {"nodes": 0, "made": 0, "adversarial": 0}},
    {"name": "drkf", "weights": {"pairs": 0}},
]


@pytest.mark.parametrize("context", ["clip", "dialogue", "past"])
@pytest.mark.parametrize("infos", INFOS.values(), ids=INFOS.keys())
@pytest.mark.parametrize("method", OF_THREE, ids=lambda method: "-".join(map(str, list(method.values())[:2])))
def test_every_parameter_gets_a_gradient_of_three_modalities(method, infos, context):
    inputs = {"modalities": ["audio", "video", "text"], "context": context}
    assert not idle(with_changes("demo_peers", method=method, input=inputs), infos)
