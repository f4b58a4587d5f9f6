"""A small network of the main method, and outputs as its forward pass might give them."""

from __future__ import annotations

import math
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from ugcl import config
from ugcl.config import Run
from ugcl.config.methods.ugcl import UgclWeights
from ugcl.config.system.overrides import merge
from ugcl.data.dataset import Batch
from ugcl.data.shards import FeatureInfo
from ugcl.methods.build import build
from ugcl.methods.ugcl import UGCL

CONFIG = config.load(Path(__file__).resolve().parents[3] / "params.yaml")
INFOS = {"audio": FeatureInfo("made", 6, rate=25.0), "video": FeatureInfo("made", 5, rate=12.5)}
ONLY = {
    name: {"weights": {other: float(other == name) for other in UgclWeights.model_fields}}
    for name in UgclWeights.model_fields
}
"""Term → settings that leave it alone."""

WIDTH, TOKENS, FRAMES, CLASSES = 8, 5, 6, ["angry", "happy", "sad"]


def run(**method: object) -> Run:
    """The main system, small and without dropout, for three classes; some settings of its method changed."""
    made = CONFIG.resolve("demo", "ugcl")
    settings = merge(made.method.model_dump() | {"tokens": TOKENS}, method)
    return made.model_copy(
        update={
            "encoder": made.encoder.model_copy(update={"width": WIDTH, "heads": 2, "dropout": 0.0}),
            "method": type(made.method).model_validate(settings),
            "protocol": made.protocol.model_copy(update={"classes": CLASSES}),
        }
    )


def network(**method: object) -> UGCL:
    """Its network in training mode; the same weights whatever is changed, where the same are needed."""
    torch.manual_seed(0)
    return build(run(**method), INFOS).train()


def unit(count: int, seed: int) -> Tensor:
    """Vectors (count, WIDTH) of length 1."""
    return F.normalize(torch.randn(count, WIDTH, generator=torch.Generator().manual_seed(seed)), dim=-1)


def outputs(clips: int = 4, seed: int = 0) -> dict:
    """What the forward pass gives of some clips, of which the second is short."""
    generator = torch.Generator().manual_seed(seed + 500)
    tokens = {"audio": unit(clips, seed), "video": unit(clips, seed + 100)}
    valid = torch.ones(clips, FRAMES, dtype=torch.bool)
    valid[1:2, 2:] = False
    return {
        "logits": torch.randn(clips, len(CLASSES), generator=generator),
        "tokens": tokens,
        "clips": {m: z * math.sqrt(WIDTH) for m, z in tokens.items()},
        "assignments": {m: torch.full((clips, TOKENS), 1 / TOKENS) for m in tokens},
        "scores": {m: torch.randn(clips, FRAMES, TOKENS, generator=generator) for m in tokens},
        "valid": {m: valid for m in tokens},
    }


def batch(labels: list[int], absent: tuple[int, ...] = (), targets: Tensor | None = None) -> Batch:
    """Clips with such labels, some of them without video."""
    present = {m: torch.ones(len(labels), dtype=torch.bool) for m in INFOS}
    present["video"][list(absent)] = False
    names = [f"c{i}" for i in range(len(labels))]
    return Batch({}, {}, present, torch.tensor(labels), names, names, targets)
