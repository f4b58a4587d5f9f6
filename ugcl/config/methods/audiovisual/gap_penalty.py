"""Settings of the gap penalty that a Gaussian mixture guides."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from ugcl.config.methods.base import MethodSettings, Origin, Weights, one_of

if TYPE_CHECKING:
    from ugcl.config.root import Run


class GapPenaltyWeights(Weights):
    """Weights of the terms; the paper's are not in its abstract."""

    unimodal: float = Field(0.5, gt=0, description="Weight of the classifiers of one modality each.")
    gap: float = Field(0.1, ge=0, description="Weight of the modality gap, larger for imbalanced clips.")
    alignment: float = Field(0.1, ge=0, description="Weight of imbalanced clips' distance from balanced.")
    fusion: float = Field(0.3, ge=0, description="Weight of the fused classification of balanced clips.")


class GapPenalty(MethodSettings):
    """Concatenation, with a penalty on clips whose modalities disagree on the class.

    The mixture is a running estimate, which runs in step cannot have: cannot be trained in step.
    """

    network: ClassVar[str] = "ugcl.methods.audiovisual.gap_penalty:GapPenalty"
    origin: ClassVar[Origin] = Origin(
        "Liu, Yu and Liu: Quantifying multimodal imbalance: A GMM-guided adaptive loss for audio-visual"
        " learning. arXiv 2510.21797 (2025)",
        grade="C",
        deviations=(
            "The form of each term, the weights and the length of the warm-up are ours.",
            "The mixture is estimated as training goes (online EM) and not fitted once after the warm-up.",
            "Encoders are frozen features and the shared encoders.",
        ),
    )
    packable: ClassVar[bool] = False

    name: Literal["gap_penalty"] = "gap_penalty"
    warmup: float = Field(0.3, ge=0, le=1, description="Share of the training before gaps are penalised.")
    decay: float = Field(0.95, gt=0, lt=1, description="Decay of the mixture's statistics by batch.")
    weights: GapPenaltyWeights = GapPenaltyWeights()

    def check(self, run: Run) -> None:
        """See `MethodSettings.check`."""
        super().check(run)
        one_of(run, 2)
