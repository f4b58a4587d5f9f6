"""Settings of published systems that no benchmark has, and a third modality: every parameter is learnt."""

from __future__ import annotations

import pytest
import torch

from tests.unit.models.made_systems import CONFIG, FRAMES, INFOS, make_batch, without
from ugcl.config.methods import METHODS
from ugcl.data.shards import FeatureInfo
from ugcl.methods.build import build
from ugcl.training.objective import objective


def unweighted(name, **others):
    """A method with no term, or with some."""
    kind = METHODS[name].model_fields["weights"].annotation
    return {"name": name, "weights": {key: others.get(key, 0) for key in kind.model_fields}}


SAMPLE = {"name": "hct_dmg", "primary": "sample"}
TWO = [
    unweighted("wavfusion"),
    {"name": "wavfusion", "leader": "video"},
    SAMPLE | {"layers": 1},
    unweighted("cberl"),
    unweighted("cberl", adversarial=0.1),
    unweighted("cberl", made=0.1),
    unweighted("drkf"),
    unweighted("drkf", alignment=0.2),
    unweighted("drkf", reconstruction=0.2),
    unweighted("unimod"),
    unweighted("gap_penalty", unimodal=0.5),
]
THREE = [
    *(unweighted(name) for name in ("wavfusion", "deepmsi", "gia_mic", "mcihn", "hct_dmg")),
    {"name": "wavfusion", "leader": "text"},
    SAMPLE | {"layers": 3, "weights": {"contrast": 0.1}},
    *({"name": name} for name in ("cberl", "drkf", "unimod", "ogm_ge", "gap_penalty")),
]
TEXT = {"vector": FeatureInfo("made", dim=7, layers=1, rate=0.0), "words": FeatureInfo("made", 7, rate=3.0)}


def learnt(method, infos, modalities):
    made = type(CONFIG.systems["concat"])(method=method, input={"modalities": modalities})
    benchmark = CONFIG.benchmarks["demo_peers"].model_copy(
        update={"features": {m: "logmel" for m in modalities}}
    )
    config = CONFIG.model_copy(
        update={
            "systems": {**CONFIG.systems, "made": made},
            "benchmarks": {**CONFIG.benchmarks, "demo_peers": benchmark},
        }
    )
    run = config.resolve("demo_peers", "made")
    torch.manual_seed(0)
    model = build(run, infos).train()
    batch = make_batch(run, infos, clips=16)
    for i, modality in enumerate(modalities):
        batch = without(batch, modality, [i])
    losses = objective(model, model(batch), batch)
    assert all(value.isfinite() for value in losses.values())
    losses["loss"].backward()
    gradients = {name: p.grad for name, p in model.named_parameters() if p.requires_grad}
    return [name for name, g in gradients.items() if g is None or not g.abs().max() > 0]


@pytest.mark.parametrize("order", [["audio", "video"], ["video", "audio"]], ids="-".join)
@pytest.mark.parametrize("infos", INFOS.values(), ids=INFOS.keys())
@pytest.mark.parametrize("method", TWO, ids=str)
def test_every_parameter_gets_a_gradient(method, infos, order):
    assert learnt(method, infos, order) == []


@pytest.mark.parametrize("text", TEXT.values(), ids=TEXT.keys())
@pytest.mark.parametrize("order", [["audio", "video", "text"], ["text", "audio", "video"]], ids="-".join)
@pytest.mark.parametrize("method", THREE, ids=str)
def test_a_third_modality_is_learnt(method, text, order):
    assert learnt(method, {**FRAMES, "text": text}, order) == []


@pytest.mark.parametrize(
    ("method", "words"),
    [
        ({"name": "hct_dmg", "weights": {"contrast": 0.1}}, r"weights\.contrast.*method\.primary sample"),
        ({"name": "ogm_ge", "start": 0.5, "end": 0.2}, r"method\.end 0\.2 lies before method\.start 0\.5"),
    ],
)
def test_settings_that_do_not_fit_are_refused(method, words):
    with pytest.raises(ValueError, match=words):
        learnt(method, FRAMES, ["audio", "video"])


@pytest.mark.parametrize("name", ["wavfusion", "hct_dmg", "cberl", "drkf", "ogm_ge", "gap_penalty"])
def test_one_modality_cannot_be_fused(name):
    with pytest.raises(ValueError, match=rf"method {name} reads 2.* modalities, input\.modalities names 1"):
        learnt({"name": name}, FRAMES, ["audio"])
