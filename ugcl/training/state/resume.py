"""The state from which a killed run continues with the same results."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from ugcl.files import whole

log = logging.getLogger(__name__)
FOLDER = "resume"
FILE = "state.safetensors"
HEADER = "ugcl"


@dataclass
class State:
    """Where a run stands after an epoch.

    Attributes:
        epoch: epochs done.
        tensors: group → name → tensor; groups are `model`, `memory`, `optimiser`, `average`, `best`.
        history: one row per epoch.
        best: scores of the best epoch so far.
        extra: other JSON values (the gradient scaler's state, steps of the average).
    """

    epoch: int
    tensors: dict[str, dict[str, Tensor]]
    history: list[dict[str, float]]
    best: dict[str, float]
    extra: dict[str, Any] = field(default_factory=dict)


def fingerprint(parts: Any) -> str:
    """Hash of everything a run depends on, as JSON."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def save(folder: Path, state: State, key: str) -> None:
    """Write the state of the run with fingerprint `key` atomically: a kill leaves the old file or the new.

    Raises:
        UgclError: the disk is full.
    """
    target = folder / FOLDER / FILE
    # Weights that share memory (an average that is the best) are written twice.
    tensors = {
        f"{group}/{name}": value.detach().cpu().clone().contiguous()
        for group, values in state.tensors.items()
        for name, value in values.items()
    }
    header = {"fingerprint": key, "epoch": state.epoch, "history": state.history}
    header |= {"best": state.best, "extra": state.extra}
    with whole(target) as partial:
        save_file(tensors, partial, {HEADER: json.dumps(header)})


def load(folder: Path, key: str) -> State | None:
    """Read the state of a killed run, or None where there is none of the same fingerprint."""
    path = folder / FOLDER / FILE
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads(file.metadata()[HEADER])
            if header["fingerprint"] != key:
                log.info("%s: belongs to other parameters or data; starting again", path)
                return None
            tensors: dict[str, dict[str, Tensor]] = {}
            for key in file.keys():  # noqa: SIM118 (no mapping)
                group, name = key.split("/", 1)
                tensors.setdefault(group, {})[name] = file.get_tensor(key)
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        log.warning("%s: cannot be read (%s); starting again", path, error)
        return None
    return State(header["epoch"], tensors, header["history"], header["best"], header["extra"])


def clear(folder: Path) -> None:
    """Remove the state of a run that is done."""
    shutil.rmtree(folder / FOLDER, ignore_errors=True)


def memory(model: nn.Module) -> dict[str, Tensor]:
    """Buffers that a run needs to go on but that are not part of its weights, such as past clips."""
    kept = model.state_dict().keys()
    return {name: value for name, value in model.named_buffers() if name not in kept}


def remember(model: nn.Module, tensors: dict[str, Tensor]) -> None:
    """Put back what :func:`memory` gave."""
    buffers = dict(model.named_buffers())
    for name, value in tensors.items():
        buffers[name].copy_(value)


def optimiser_tensors(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The moments of an optimiser: `<parameter number>.<name>` → tensor."""
    state = optimiser.state_dict()["state"]
    return {f"{i}.{name}": torch.as_tensor(x) for i, slots in state.items() for name, x in slots.items()}


def restore_optimiser(optimiser: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Put the moments back; learning rate and decay come from the parameters."""
    tree = optimiser.state_dict()
    slots: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        index, name = key.split(".", 1)
        slots.setdefault(int(index), {})[name] = value
    tree["state"] = slots
    optimiser.load_state_dict(tree)
