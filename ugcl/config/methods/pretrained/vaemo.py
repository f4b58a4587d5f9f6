"""Settings of the reconstruction of VAEmo."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from ugcl.config.methods.base import MethodSettings, Origin, Weights, one_of

if TYPE_CHECKING:
    from ugcl.config.root import Run


class VaemoWeights(Weights):
    """Weights of the terms; VAEmo's are not known, so this is HiCMAE's."""

    contrast: float = Field(0.0025, ge=0, description="Weight of the contrast of clips across modalities.")


class Vaemo(MethodSettings):
    """One encoder for all modalities (Cheng et al. 2025), reconstructed from the abstract, from scratch."""

    network: ClassVar[str] = "ugcl.methods.pretrained.vaemo:Vaemo"
    origin: ClassVar[Origin] = Origin(
        "Cheng et al.: VAEmo: Efficient representation learning for visual-audio emotion with knowledge"
        " injection. ACM Multimedia 2025, arXiv 2505.02331",
        grade="C",
        deviations=(
            "From scratch: neither masked reconstruction nor pre-training.",
            "No knowledge is injected: the descriptions that a language model wrote are not available.",
            "Layers, weight (HiCMAE's), temperature and the mean as summary of a clip are choices of this"
            " project.",
        ),
    )

    name: Literal["vaemo"] = "vaemo"
    layers: int = Field(3, ge=1, description="Transformer layers of the one encoder.")
    temperature: float = Field(0.07, gt=0, description="Temperature of the contrast.")
    weights: VaemoWeights = VaemoWeights()

    def check(self, run: Run) -> None:
        """See `MethodSettings.check`."""
        super().check(run)
        one_of(run, 2)
