"""Settings of systems that were published on encoders pre-trained for emotion."""

from __future__ import annotations

from ugcl.config.methods.base import MethodSettings

PRETRAINED: tuple[type[MethodSettings], ...] = ()
"""In the order of the table of methods."""
