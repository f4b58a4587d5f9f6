"""Settings of systems that were published on encoders pre-trained for emotion."""

from __future__ import annotations

from ugcl.config.methods.base import MethodSettings
from ugcl.config.methods.pretrained.avf_mae import AvfMae
from ugcl.config.methods.pretrained.hicmae import Hicmae
from ugcl.config.methods.pretrained.mma_dfer import MmaDfer
from ugcl.config.methods.pretrained.vaemo import Vaemo

PRETRAINED: tuple[type[MethodSettings], ...] = (Hicmae, Vaemo, AvfMae, MmaDfer)
"""In the order of the table of methods."""
