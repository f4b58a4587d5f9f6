"""How the sections of a system are checked."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from ugcl.config.methods import AnyMethod
from ugcl.config.system.encoder import ModalityEncoder
from ugcl.config.system.input import Input
from ugcl.config.system.loss import Loss
from ugcl.config.system.train import Train

ADAPTERS: dict[str, TypeAdapter[Any]] = {
    "input": TypeAdapter(Input),
    "encoder": TypeAdapter(ModalityEncoder),
    "method": TypeAdapter(AnyMethod),
    "loss": TypeAdapter(Loss),
    "train": TypeAdapter(Train),
}
"""Section → its check."""
