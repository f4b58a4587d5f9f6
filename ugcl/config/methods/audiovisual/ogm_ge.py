"""Settings of on-the-fly gradient modulation."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from ugcl.config.methods.base import MethodSettings, Origin, one_of

if TYPE_CHECKING:
    from ugcl.config.root import Run


class OgmGe(MethodSettings):
    """Concatenation whose gradients are weaker for the modality that leads.

    It changes gradients, which runs in step share: cannot be trained in step.
    """

    network: ClassVar[str] = "ugcl.methods.audiovisual.ogm_ge:OgmGe"
    origin: ClassVar[Origin] = Origin(
        "Peng, Wei, Deng, Wang and Hu: Balanced multimodal learning via on-the-fly gradient modulation."
        " CVPR 2022, arXiv 2203.15332",
        grade="B",
        code="GeWu-Lab/OGM-GE_CVPR2022@0f64793f96e5afa0dc1bb1dcf30b10f97392d9a9",
        deviations=(
            "All parameters of a modality's encoder are modulated, as in the paper; the released code"
            " modulates those of convolutions.",
            "The optimiser is AdamW and not SGD: it divides by the size of recent gradients, which weakens"
            " the modulation.",
            "With more than two modalities each is compared with the mean of the others.",
            "α is ours; the released code asks for it.",
        ),
    )
    packable: ClassVar[bool] = False

    name: Literal["ogm_ge"] = "ogm_ge"
    alpha: float = Field(0.5, gt=0, description="Strength α of the modulation.")
    enhance: bool = Field(True, description="Add noise of the gradients' deviation (GE).")
    start: float = Field(0.0, ge=0, le=1, description="Share of the training after which it begins.")
    end: float = Field(0.5, ge=0, le=1, description="Share of the training after which it ends.")

    def check(self, run: Run) -> None:
        """See `MethodSettings.check`."""
        super().check(run)
        one_of(run, 2)
        if self.end < self.start:
            raise ValueError(f"method.end {self.end} lies before method.start {self.start}; exchange them")
