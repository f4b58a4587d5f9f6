"""Settings of the main method as its released code computes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from ugcl.config.methods.base import MethodSettings, Origin, Weights

if TYPE_CHECKING:
    from ugcl.config.root import Run


class ReleasedWeights(Weights):
    """Weights of the terms, as released."""

    contrast: float = Field(0.15, ge=0, description="Weight of the attraction of both modalities.")
    matching: float = Field(0.15, ge=0, description="Weight of the matching head's loss.")


class Released(MethodSettings):
    """The released network; its faults are switches, false repairs one.

    gaoweibit/multi-modal_emotion_recognition at e8efc00, against the abstract of Li, Gao and Li 2026.
    """

    network: ClassVar[str] = "ugcl.methods.released:Released"
    origin: ClassVar[Origin] = Origin(
        "Li, Gao and Li: released code of unified granularity contrastive learning and similar negative"
        " discrimination. Pattern Recognition 176 (2026) 113224",
        grade="A",
        code="gaoweibit/multi-modal_emotion_recognition@e8efc00",
        deviations=("Features are this project's; the ViT before them is off unless trunk is vit_b_16.",),
    )
    invariants: ClassVar[frozenset[str]] = frozenset()  # the faults break them
    in_dialogue: ClassVar[bool] = False

    name: Literal["released"] = "released"
    width: int = Field(50, ge=10, multiple_of=10, description="Width of frames and hidden layers; ten heads.")
    tokens: int = Field(1024, ge=2, description="Codebook entries K.")
    layers: int = Field(5, ge=1, description="Layers of each of the ten transformer stacks.")
    batch_attention: bool = Field(True, description="Auxiliary stacks attend over clips instead of frames.")
    last_step: bool = Field(
        True, description="Pool the last step of the batch's longest clip; shorter clips' padding is read."
    )
    live_dropout: bool = Field(True, description="The matching head drops out in evaluation too.")
    off_by_one: bool = Field(True, description="The trunk's slice keeps the class token, loses a frame.")
    raw_features: bool = Field(True, description="Statistics are computed but features not standardised.")
    trunk: Literal["vit_b_16", "linear"] = Field(
        "linear", description="Video mapper; the released one is vit_b_16 (86 million parameters)."
    )
    weights: ReleasedWeights = ReleasedWeights()

    def check(self, run: Run) -> None:
        """See `MethodSettings.check`."""
        super().check(run)
        if set(run.input.modalities) != {"audio", "video"}:
            raise ValueError(
                "method released reads audio and video, input.modalities names"
                f" {' and '.join(run.input.modalities)}; use both, or another method"
            )
