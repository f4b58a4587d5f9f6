"""Where networks run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ugcl.errors import UgclError

if TYPE_CHECKING:
    import torch


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
