"""Settings of systems that were published for speech and text."""

from __future__ import annotations

from ugcl.config.methods.base import MethodSettings

TEXT: tuple[type[MethodSettings], ...] = ()
"""In the order of the table of methods."""
