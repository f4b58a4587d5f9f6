"""Settings that no benchmark has, and the terms, of systems with transformer layers of their own."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.unit.models.made_systems import CONFIG, FRAMES, INFOS, awake, make_batch, take, without
from ugcl.methods.build import build
from ugcl.training.objective import objective

VECTORS = {m: info.__class__("made", info.dim, info.layers, 0.0) for m, info in FRAMES.items()}
METHODS = [
    {"name": "hicmae", "layers": 1, "fusion_layers": 1, "weights": {"contrast": 0.0025}},
    {"name": "avf_mae", "regions": 3, "stages": 1},
    {"name": "mma_dfer", "layers": 1},
    {"name": "mma_dfer", "layers": 3, "prompts": 2},
    {"name": "vaemo", "layers": 1, "weights": {"contrast": 0}},
    {"name": "jmt", "last": "linear"},
]


def resolve(method, order=("audio", "video"), **changes):
    made = type(CONFIG.systems["concat"])(method=method, input={"modalities": list(order)}, **changes)
    systems = {**CONFIG.systems, "made": made}
    return CONFIG.model_copy(update={"systems": systems}).resolve("demo_peers", "made")


def network(run, infos):
    torch.manual_seed(0)
    return build(run, infos)


@pytest.mark.parametrize("order", [("audio", "video"), ("video", "audio")], ids="-".join)
@pytest.mark.parametrize("infos", [*INFOS.values(), VECTORS], ids=[*INFOS, "vectors"])
@pytest.mark.parametrize("method", METHODS, ids=lambda method: "-".join(map(str, list(method.values())[:2])))
def test_every_parameter_gets_a_gradient(method, infos, order):
    run = resolve(method, order)
    model, batch = awake(network(run, infos)).train(), make_batch(run, infos, clips=16)
    for i, modality in enumerate(order):
        batch = without(batch, modality, [i])
    objective(model, model(batch), batch)["loss"].backward()
    learnt = {name: p.grad for name, p in model.named_parameters() if p.requires_grad}
    assert [name for name, g in learnt.items() if g is None or not g.abs().max() > 0] == []


@pytest.mark.parametrize("name", ["hicmae", "vaemo"])
def test_the_contrast_is_of_clips_that_have_both_modalities(name):
    run = resolve(
        {"name": name, "weights": {"contrast": 0.0025}}, encoder={"dropout": 0.0, "input_dropout": 0.0}
    )
    model, batch = network(run, FRAMES).train(), make_batch(run, FRAMES, clips=5)
    for encoder in model.encoders.values():
        encoder.frame_mask = 0.0
    gone = without(without(batch, "audio", [1]), "video", [3])
    outputs = model(gone)
    levels = outputs["layers"]["audio"].shape[2] if name == "hicmae" else 1
    expected = 0.0
    for level in range(levels):
        unit = {}
        for m in ("audio", "video"):
            tokens = outputs["alone"][m] if name == "vaemo" else outputs["layers"][m][:, :, level]
            middle = [x[here].mean(dim=0) for x, here in zip(tokens.detach(), gone.masks[m], strict=True)]
            unit[m] = np.stack([(middle[i] / middle[i].norm()).numpy() for i in (0, 2, 4)])
        s = np.exp(unit["audio"] @ unit["video"].T / 0.07)
        expected -= (
            np.log(np.diag(s) / s.sum(axis=1)).mean() / 2 + np.log(np.diag(s) / s.sum(axis=0)).mean() / 2
        )
    assert model.terms(outputs, gone)["contrast"].item() == pytest.approx(expected, rel=1e-4)

    nobody = without(without(batch, "audio", [0, 1, 2]), "video", [3, 4])
    assert model.terms(model(nobody), nobody)["contrast"].item() == 0


def test_a_clip_without_a_modality_takes_the_path_of_the_other_alone():
    run = resolve({"name": "vaemo"})
    model, batch = network(run, FRAMES).eval(), make_batch(run, FRAMES)
    found = model(without(batch, "video", list(range(6))))["logits"]
    frames, masks = model.encode(batch)
    z, mask = model.core({"audio": frames["audio"]}, masks)
    middle = torch.stack([x[here].mean(dim=0) for x, here in zip(z, mask, strict=True)])
    torch.testing.assert_close(found, model.head(middle))
    nothing = without(without(take(batch, [0, 1]), "video", [0, 1]), "audio", [0])
    assert model(nothing)["logits"].isfinite().all()


@pytest.mark.parametrize(
    ("name", "count"),
    [("hicmae", "2 or more"), ("vaemo", "2 or more"), ("avf_mae", "2"), ("mma_dfer", "2"), ("jmt", "2")],
)
def test_one_modality_cannot_be_fused(name, count):
    with pytest.raises(
        ValueError, match=rf"method {name} reads {count} modalities, input\.modalities names 1"
    ):
        resolve({"name": name}, ["audio"])


def test_running_statistics_are_not_trained_in_step():
    with pytest.raises(ValueError, match=r"method avf_mae cannot be trained in step; set train\.pack 1"):
        resolve({"name": "avf_mae"}, train={"pack": 2})
