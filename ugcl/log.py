"""Logging to the terminal and to a job's log file."""

from __future__ import annotations

import logging
import os

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def configure(level: str | None = None) -> None:
    """Send log records to standard error as plain lines.

    Args:
        level: a logging level name; default the environment variable ``UGCL_LOG`` or ``INFO``.
    """
    logging.basicConfig(level=level or os.environ.get("UGCL_LOG", "INFO"), format=FORMAT, datefmt="%H:%M:%S")
    for noisy in ("httpx", "httpx2", "matplotlib", "fontTools", "papermill", "numba"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
