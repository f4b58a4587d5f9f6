"""From a resolved run to its network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from torch import Tensor, nn

from ugcl.errors import UgclError
from ugcl.models.concat import Concat
from ugcl.models.released import Released
from ugcl.models.system import System
from ugcl.models.ugcl import UGCL
from ugcl.models.unimodal import Unimodal

if TYPE_CHECKING:
    from ugcl.config.root import Run
    from ugcl.data.shards import FeatureInfo

ARCHITECTURES: dict[str, Callable[..., System]] = {
    "ugcl": UGCL,
    "concat": Concat,
    "unimodal": Unimodal,
    "released": Released,
}
"""`model.architecture` → constructor. A new system is one file and one line here."""


def build(
    run: Run,
    infos: Mapping[str, FeatureInfo],
    statistics: Mapping[str, tuple[Tensor, Tensor]] | None = None,
) -> System:
    """Build the network of a run.

    Args:
        run: the resolved parameters.
        infos: modality → what its features are.
        statistics: modality → mean and standard deviation (D,) of the fold's TRAINING frames; without
            them the buffers are 0 and 1, to be filled from a checkpoint.

    Raises:
        UgclError: the architecture is unknown, a modality has no features, or the sizes do not fit.
    """
    model = run.model
    where = f"systems.{run.system}"
    if model.architecture not in ARCHITECTURES:
        raise UgclError(
            f"{where}: model.architecture {model.architecture!r} is unknown;"
            f" choose from {', '.join(ARCHITECTURES)}"
        )
    if model.architecture != "released" and model.width % model.heads:
        raise UgclError(
            f"{where}: model.width {model.width} is no multiple of model.heads {model.heads}; change one"
        )
    if model.positions == "rotary" and model.width // model.heads % 2:
        raise UgclError(
            f"{where}: rotary positions turn pairs of columns, a head has {model.width // model.heads};"
            " change model.width or model.heads"
        )
    for modality in model.modalities:
        if modality not in infos:
            raise UgclError(f"{where}: no features of {modality}; add an encoder to the benchmark")
        info = infos[modality]
        if info.dim % info.layers:
            raise UgclError(
                f"features of {modality}: {info.dim} columns are no multiple of {info.layers} layers;"
                " extract them again"
            )
    if model.architecture == "ugcl" and len(model.modalities) < 2:
        raise UgclError(f"{where}: architecture ugcl needs two modalities; use unimodal for one")
    return ARCHITECTURES[model.architecture](run, dict(infos), dict(statistics or {}))


def parameters(model: nn.Module) -> int:
    """Number of trainable parameters."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
