"""Threads of the libraries that decode and encode."""

from __future__ import annotations

import os


def set_threads(threads: int) -> None:
    """Bound the threads of BLAS, torch and OpenCV; call it before they are imported.

    Args:
        threads: cores that the job was given.
    """
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(threads)
    import cv2
    import torch

    torch.set_num_threads(threads)
    cv2.setNumThreads(threads)
