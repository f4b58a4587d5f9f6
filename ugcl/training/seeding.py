"""Seeds: everything random in an epoch follows from run seed, fold and epoch number alone.

That is why a resumed run equals an undisturbed one without saving any generator's state.
"""

from __future__ import annotations

import os

import numpy as np


def derive(*numbers: int) -> int:
    """One well-mixed 63-bit seed from several small numbers (NumPy's SeedSequence)."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> np.uint64(1))


def seed(*numbers: int) -> None:
    """Seed torch on every device."""
    import torch

    torch.manual_seed(derive(*numbers))


def deterministic() -> None:
    """Ask torch for the same bits in every run on the same machine; where it cannot, it warns."""
    import torch

    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    # use_deterministic_algorithms() does the same and imports the whole compiler, seconds in every job.
    torch.set_deterministic_debug_mode("warn")
    # Every kernel here writes all of its output; filling it before costs a tenth of the time.
    torch.utils.deterministic.fill_uninitialized_memory = False
    torch.backends.cudnn.benchmark = False
    # CUDA's fused attention kernels add gradients in any order; the plain one, and those of a CPU, do not.
    # The switch is one for all devices: a CPU alone keeps its kernel, which takes a tenth less of a training.
    if torch.cuda.is_available():
        torch.backends.cuda.enable_flash_sdp(False)
        torch.backends.cuda.enable_mem_efficient_sdp(False)


def order(clips: int, *numbers: int) -> list[int]:
    """A permutation of clip numbers for one epoch."""
    return np.random.default_rng(np.random.SeedSequence(numbers)).permutation(clips).tolist()
