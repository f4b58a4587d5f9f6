"""Parameters of pretrained networks that a method trains."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from ugcl.config.base import Section


class TrainedNetwork(Section):
    """A pretrained network inside a method: what of it is trained, and how."""

    mode: Literal["frozen", "last", "all", "lora"] = Field(
        "all",
        description="What is trained: nothing, the last `layers`, all, or low-rank additions to the linear"
        " maps of the layers (LoRA, Hu et al. 2022; package peft).",
    )
    layers: int | None = Field(
        None,
        ge=1,
        description="Layers from the top that are trained (mode last), or that LoRA adds to (null = all).",
    )
    lr: float = Field(5e-5, gt=0, description="Peak learning rate of the network; train.lr is of the rest.")
    decay: float = Field(
        1.0, gt=0, le=1, description="Factor of the learning rate from a layer to the one below it."
    )
    dropout: float = Field(0.1, ge=0, lt=1, description="Dropout of the trained part.")
    checkpointing: bool = Field(
        False,
        description="Compute the layers' states again in the backward pass: less memory, a third more time.",
    )
    rank: int = Field(8, ge=1, description="Rank of LoRA.")
    alpha: float = Field(16.0, gt=0, description="α of LoRA: what it adds is scaled by α / rank.")

    @model_validator(mode="after")
    def says_how_many_layers(self) -> TrainedNetwork:
        """`layers` belongs to modes that do not take all of them."""
        if self.mode == "last" and self.layers is None:
            raise ValueError("mode last needs layers; give the number of layers from the top")
        if self.mode in ("frozen", "all") and self.layers is not None:
            raise ValueError(f"mode {self.mode} has no layers to choose; drop layers, or use last or lora")
        return self
