"""Where networks run."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path
from typing import TYPE_CHECKING

from ugcl.errors import UgclError

if TYPE_CHECKING:
    import torch


def gpu_is_here() -> bool:
    """Whether this process may use a GPU; the driver knows, and torch takes seconds to load.

    An empty CUDA_VISIBLE_DEVICES or HIP_VISIBLE_DEVICES hides all of them.
    """
    if Path("/dev/kfd").exists():  # torch calls AMD's GPUs cuda as well
        return os.environ.get("HIP_VISIBLE_DEVICES") != ""
    if os.environ.get("CUDA_VISIBLE_DEVICES") == "":
        return False
    try:
        driver, count = ctypes.CDLL("libcuda.so.1"), ctypes.c_int()
    except OSError:
        return False
    return driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0 and count.value > 0


def choose_device(accelerator: str, section: str) -> torch.device:
    """The device that an `accelerator` of params.yaml names.

    Args:
        accelerator: cpu, cuda, or auto: a GPU if there is one.
        section: where the parameter stands, for the message.

    Raises:
        UgclError: it is not here.
    """
    import torch

    if accelerator == "cuda" and not torch.cuda.is_available():
        raise UgclError(f"{section}.accelerator: cuda is not available here; set it to auto or cpu")
    chosen = "cuda" if accelerator != "cpu" and torch.cuda.is_available() else "cpu"
    return torch.device(chosen)
