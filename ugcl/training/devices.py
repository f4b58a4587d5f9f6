"""Accelerators and what is known about them."""

from __future__ import annotations

import platform
import resource
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lightning_fabric import Fabric

    from ugcl.config.model import Train


def launch(train: Train) -> Fabric:
    """Start Fabric on the devices of a run.

    Args:
        train: accelerator, devices and precision.
    """
    from lightning_fabric import Fabric

    fabric = Fabric(accelerator=train.accelerator, devices=train.devices, precision=train.precision)
    fabric.launch()
    return fabric


def describe(device: object) -> str:
    """A device in words, such as `NVIDIA H200` or `cpu x86_64`."""
    import torch

    device = torch.device(str(device))
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"cpu {platform.machine()}"


def peak_memory() -> float:
    """Largest resident memory of this process so far, MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)
