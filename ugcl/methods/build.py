"""From a resolved run to its network."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError
from torch import Tensor, nn

from ugcl.errors import UgclError
from ugcl.methods.base import Method

if TYPE_CHECKING:
    from ugcl.config.root import Run
    from ugcl.data.shards import FeatureInfo


def build(
    run: Run,
    infos: Mapping[str, FeatureInfo],
    statistics: Mapping[str, tuple[Tensor, Tensor]] | None = None,
    counts: Tensor | None = None,
) -> Method:
    """Build the network of a run.

    Args:
        run: the resolved parameters.
        infos: modality → what its features are.
        statistics: modality → mean and standard deviation (D,) of the fold's TRAINING frames; without
            them the buffers are 0 and 1, to be filled from a checkpoint.
        counts: (C,) training clips of each class, for `loss.balance` and `loss.adjustment`.

    Raises:
        UgclError: the method cannot be loaded, a modality has no features, or the sizes do not fit.
    """
    where = f"systems.{run.system}"
    for modality in run.input.modalities:
        if modality not in infos:
            raise UgclError(f"{where}: no features of {modality}; add an encoder to the benchmark")
        info = infos[modality]
        if info.dim % info.layers:
            raise UgclError(
                f"features of {modality}: {info.dim} columns are not a multiple of {info.layers} layers;"
                " extract them again"
            )
    network, run = checked(run)
    method = network(run, dict(infos), dict(statistics or {}))
    if counts is not None:
        method.criterion.count(counts)
    return method


def checked(run: Run) -> tuple[type[Method], Run]:
    """The class of a run's method, and the run with the settings that a user's own method brings.

    Raises:
        UgclError: the method cannot be loaded, or its settings are wrong.
    """
    where = f"systems.{run.system}"
    network = method_class(run.method.target, where)
    if network.Settings is not None:
        run = run.model_copy(update={"method": _own_settings(network, run, where)})
    return network, run


def method_class(target: str, where: str) -> type[Method]:
    """The class of `module:Class`; modules of the working folder are found too.

    Raises:
        UgclError: the module or class does not exist, or is not a `Method`.
    """
    module, _, name = target.partition(":")
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.append(here)
    try:
        network = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise UgclError(f"{where}: method {target}: {error}; correct method.name or the module") from None
    except SyntaxError as error:
        raise UgclError(f"{where}: {error.filename}, line {error.lineno}: {error.msg}; fix it") from None
    if not (isinstance(network, type) and issubclass(network, Method)):
        raise UgclError(
            f"{where}: method {target} does not extend ugcl.methods.base.Method; make it a subclass"
        )
    return network


def _own_settings(network: type[Method], run: Run, where: str) -> object:
    """The run's settings as the class of settings that a user's method brings."""
    try:
        return network.Settings.model_validate(run.method.model_dump())
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(("method", *(str(part) for part in fault["loc"])))
        raise UgclError(f"{where}: {place}: {fault['msg']} (got {fault['input']!r})") from None


def parameters(model: nn.Module) -> int:
    """Number of trainable parameters."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
