"""Settings of systems that were published for sound and faces."""

from __future__ import annotations

from ugcl.config.methods.audiovisual.jmt import Jmt
from ugcl.config.methods.base import MethodSettings

AUDIOVISUAL: tuple[type[MethodSettings], ...] = (Jmt,)
"""In the order of the table of methods."""
