"""Accelerators and what is known about them."""

from __future__ import annotations

import platform
import re
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ugcl.devices import choose_device
from ugcl.errors import UgclError

if TYPE_CHECKING:
    from lightning_fabric import Fabric

    from ugcl.config.system.train import Train
    from ugcl.training.single import OneCpu


def launch(train: Train) -> Fabric | OneCpu:
    """Start Fabric with the accelerator, devices and precision of a run, or what stands for it on one CPU.

    Raises:
        UgclError: the accelerator is not here.
    """
    choose_device(train.accelerator, "train")
    if _is_plain(train):
        from ugcl.training.single import OneCpu

        return OneCpu()
    from lightning_fabric import Fabric
    from lightning_fabric.plugins.environments import LightningEnvironment  # pyright: ignore[reportPrivateImportUsage]

    # Else a job of Slurm, which is one task, is taken for one device, and `devices` is ignored.
    starts = LightningEnvironment()
    own = {"accelerator": train.accelerator, "devices": train.devices, "precision": train.precision}
    fabric = Fabric(**own, plugins=starts)
    fabric.launch()
    return fabric


def _is_plain(train: Train) -> bool:
    """Whether a run is on one CPU in single precision."""
    import torch

    cpu = train.accelerator == "cpu" or not torch.accelerator.is_available()
    return cpu and train.devices == 1 and train.precision == "32-true"


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
    """Most memory of its own that this process had so far, MiB; an estimate where mappings come and go.

    Of the resident memory, what is mapped from files (the libraries) does not count: other processes share
    it, and the kernel takes it back when memory is short. Features are read and not mapped, so they
    count. The system keeps the peak of all resident memory alone, so what is mapped now is taken from it.
    Where the system does not say how much is mapped, the whole resident memory.
    """
    status = Path("/proc/self/status")
    text = status.read_text() if status.is_file() else ""
    found = {name: int(kib) / 2**10 for name, kib in re.findall(r"^(\w+):\s+(\d+) kB$", text, re.M)}
    if "VmHWM" not in found:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / (2**20 if sys.platform == "darwin" else 2**10)
    # Not ru_maxrss, which begins with the memory of the process that started this one.
    return found["VmHWM"] - found.get("RssFile", 0)
