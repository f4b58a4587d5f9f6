"""Accelerators and what is known about them."""

from __future__ import annotations

import platform
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ugcl.devices import choose_device
from ugcl.errors import UgclError

if TYPE_CHECKING:
    from lightning_fabric import Fabric

    from ugcl.config.system.train import Train


def launch(train: Train) -> Fabric:
    """Start Fabric with the accelerator, devices and precision of a run.

    Raises:
        UgclError: the accelerator is not here.
    """
    from lightning_fabric import Fabric
    from lightning_fabric.plugins.environments import LightningEnvironment  # pyright: ignore[reportPrivateImportUsage]

    choose_device(train.accelerator, "train")
    # Else a job of Slurm, which is one task, is taken for one device, and `devices` is ignored.
    starts = LightningEnvironment()
    own = {"accelerator": train.accelerator, "devices": train.devices, "precision": train.precision}
    fabric = Fabric(**own, plugins=starts)
    fabric.launch()
    return fabric


@contextmanager
def memory_advice(train: Train) -> Iterator[None]:
    """Turn running out of memory into one line that names the settings to lower.

    Raises:
        UgclError: the block ran out of the device's or the machine's memory.
    """
    import torch

    try:
        yield
    except torch.OutOfMemoryError:
        raise UgclError(
            f"out of memory on the accelerator: lower train.batch (now {train.batch}) and raise"
            f" train.accumulate (now {train.accumulate}) by the same factor,"
            " or set train.precision to bf16-mixed"
        ) from None
    except (MemoryError, RuntimeError) as error:
        # torch has no class of its own for this on the CPU.
        if isinstance(error, RuntimeError) and "DefaultCPUAllocator" not in str(error):
            raise
        raise UgclError(
            f"out of memory: lower train.batch (now {train.batch}) and raise train.accumulate"
            f" (now {train.accumulate}) by the same factor, or lower train.cache (now {train.cache} MiB)"
        ) from None


def describe(device: object) -> str:
    """The name of a device, such as `NVIDIA H200` or `cpu x86_64`."""
    import torch

    device = torch.device(str(device))
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"cpu {platform.machine()}"


def peak_memory() -> float:
    """Largest resident memory of this process so far, MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)
