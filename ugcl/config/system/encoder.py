"""Parameters of the modality encoder that methods share."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from ugcl.config.base import Section
from ugcl.config.features import Modality
from ugcl.config.system.networks import TrainedNetwork


class Dialogue(Section):
    """Layers over the turns of a dialogue, of each modality."""

    kind: Literal["transformer", "recurrent"] = Field(
        "transformer",
        description="Attention with a code of distance and speaker, or GRUs over all and over own turns.",
    )
    layers: int = Field(2, ge=1, description="Layers over turns.")


class ModalityEncoder(Section):
    """The encoder of each modality, the same in every method that has no encoder of its own."""

    width: int = Field(64, ge=8, description="Width of frames, tokens and hidden layers; the code has 50.")
    heads: int = Field(4, ge=1, description="Attention heads; width is a multiple of it.")
    layers: int = Field(1, ge=0, description="Self-attention layers per modality.")
    positions: Literal["sinusoid", "rotary", "none"] = Field(
        "sinusoid", description="Time of frames: added, turned into queries and keys (RoPE), or left out."
    )
    feed_forward: Literal["gelu", "gated"] = Field(
        "gelu", description="Perceptrons of the layers: GELU, or gated as in GEGLU (Shazeer 2020)."
    )
    kernel: int = Field(5, ge=1, description="Frames the encoder's temporal convolution spans; odd.")
    dropout: float = Field(0.2, ge=0, lt=1, description="Dropout of hidden layers.")
    input_dropout: float = Field(
        0.1,
        ge=0,
        lt=1,
        description="Dropout of standardised feature columns, the same for all frames of a clip.",
    )
    frame_mask: float = Field(0.2, ge=0, le=1, description="Longest masked run of frames, share of the clip.")
    dialogue: Dialogue | None = Field(
        Dialogue(), description="Layers over turns; null in a run whose `input.context` is clip."
    )
    networks: dict[Modality, TrainedNetwork] | None = Field(
        None,
        description="Pretrained networks that the method trains, by modality; null = none.",
    )

    @property
    def gated(self) -> bool:
        """Whether perceptrons are gated."""
        return self.feed_forward == "gated"

    @model_validator(mode="after")
    def heads_divide_the_width(self) -> ModalityEncoder:
        """Each head has as many columns, and rotary positions turn pairs of them."""
        if self.width % self.heads:
            raise ValueError(f"width {self.width} is not a multiple of heads {self.heads}; change one")
        if self.positions == "rotary" and self.width // self.heads % 2:
            raise ValueError(
                f"rotary positions turn pairs of columns, a head has {self.width // self.heads};"
                " change width or heads"
            )
        return self
