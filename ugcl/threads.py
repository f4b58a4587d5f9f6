"""Threads of the numerical libraries."""

from __future__ import annotations

import os

VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OPENCV_FOR_THREADS_NUM")
"""What torch, BLAS and OpenCV read when they are imported."""


def set_threads(threads: int) -> int:
    """Bound the threads of torch, BLAS and OpenCV; call it before they are imported.

    Args:
        threads: cores that the job was given.

    Returns:
        The same number.
    """
    for name in VARIABLES:
        os.environ[name] = str(threads)
    return threads
