"""DeepMSI-MER's parts and losses give the numbers of the released code."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from ugcl.losses.negatives import cross_supervised
from ugcl.methods.text.deepmsi import CompressedFusion
from ugcl.models.layers.pooling import frames_at, last_valid, masked_mean, most_similar

if TYPE_CHECKING:
    from tests.golden.conftest import Golden

CLOSE = {"rtol": 0, "atol": 1e-5}
OTHERS = ("text", "audio")


@pytest.fixture(scope="module")
def golden(peer: Callable[[str], Golden]) -> Golden:
    return peer("deepmsi_mer")


def ours(name: str) -> str:
    """Our name of a released weight; its perceptrons count linear, norm, activation and dropout."""
    if match := re.fullmatch(r"(processor|classifier)\.mlp\.(\d+)\.(.+)", name):
        part, place, kind = match.groups()
        layers = "norms" if int(place) % 4 else "linears"
        return f"{part.replace('processor', 'query')}.{layers}.{int(place) // 4}.{kind}"
    return re.sub(r"(video|text|audio)_projection\.", r"projections.\1.", name)


@pytest.fixture(scope="module")
def network(golden: Golden) -> CompressedFusion:
    arguments = golden.arguments
    projection, classifier = arguments["projection"], arguments["classifier"]
    made = CompressedFusion(
        arguments["vsc"]["embed_dim"],
        {m: projection[m] for m in OTHERS},
        query=arguments["processor"]["hidden_dims"],
        channels=arguments["tcn"]["num_channels"],
        projection=projection["projection_dim"],
        classifier=[*classifier["hidden_dims"], classifier["output_dim"]],
        kernel=arguments["tcn"]["kernel_size"],
        taught=False,
    )
    found = made.load_state_dict({ours(name): x for name, x in golden.part("weight.").items()}, strict=False)
    assert found.unexpected_keys == []
    assert {name.rpartition(".")[2] for name in found.missing_keys} <= {"num_batches_tracked"}
    return made.eval()


@pytest.fixture(scope="module")
def found(golden: Golden, network: CompressedFusion) -> dict[str, Tensor]:
    """All stages; the released TCN runs over pictures, whose kept patches are averaged."""
    given = golden.part("input.")
    patches, vectors = given["frame_tokens"], {m: given[m] for m in OTHERS}
    with torch.no_grad():
        query = network.query(torch.cat(list(vectors.values()), dim=-1))
        tokens = patches.flatten(0, 1)  # (B · pictures, patches, D)
        mask = torch.ones(tokens.shape[:2], dtype=torch.bool)
        per_picture = query.repeat_interleave(patches.shape[1], dim=0)
        scores, places = most_similar(tokens, mask, per_picture, golden.arguments["vsc"]["keep_number"])
        kept = frames_at(tokens, places)
        pictures = masked_mean(kept, mask.gather(1, places)).unflatten(0, patches.shape[:2])
        here = torch.ones(pictures.shape[:2], dtype=torch.bool)
        coded = network.tcn(pictures)
        heads = network.projections
        projections = {"video": heads["video"](last_valid(coded, here))}
        projections |= {m: heads[m](x) for m, x in vectors.items()}
        logits = network.classifier(torch.cat(list(projections.values()), dim=-1))
    first = {"scores": scores, "top_indices": places, "kept": kept}
    first = {f"vsc_{k}_frame0": x.unflatten(0, patches.shape[:2])[:, 0] for k, x in first.items()}
    stages = {"t_cls": query, "tcn_in": pictures.mT, "tcn_out": coded.mT, "logits": logits}
    return first | stages | {f"{m}_projection": x for m, x in projections.items()}


def test_activations_and_outputs(golden: Golden, found: dict[str, Tensor]) -> None:
    expected = golden.part("activation.") | golden.part("output.")
    expected = {name: x for name, x in expected.items() if not name.startswith("loss_")}
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, **CLOSE, msg=name)


def test_losses(golden: Golden, found: dict[str, Tensor]) -> None:
    given, settings = golden.part("input."), golden.arguments["loss"]
    video, *others = (found[f"{m}_projection"] for m in ("video", *OTHERS))
    for suffix in ("", "_all_same", "_all_different"):
        labels = given[f"labels{suffix}"]
        losses = [cross_supervised(video, v, labels, settings["temperature"], False) for v in others]
        contrast = torch.stack(losses).mean()
        torch.testing.assert_close(contrast, golden.tensors[f"output.loss_contrastive{suffix}"], **CLOSE)
        if not suffix:
            classification = F.cross_entropy(found["logits"], labels)
            torch.testing.assert_close(classification, golden.tensors["output.loss_ce"], **CLOSE)
            total = settings["alpha"] * contrast + settings["beta"] * classification
            torch.testing.assert_close(total, golden.tensors["output.loss_total"], **CLOSE)
