"""Settings of systems that were published on encoders pre-trained for emotion."""

from __future__ import annotations

from ugcl.config.methods.base import MethodSettings
from ugcl.config.methods.pretrained.hicmae import Hicmae

PRETRAINED: tuple[type[MethodSettings], ...] = (Hicmae,)
"""In the order of the table of methods."""
