"""Settings of methods that train a pretrained network."""

from __future__ import annotations

from ugcl.config.methods.base import MethodSettings
from ugcl.config.methods.finetuned.text_classifier import TextClassifier

FINETUNED: tuple[type[MethodSettings], ...] = (TextClassifier,)
"""In the order of the table of methods."""
