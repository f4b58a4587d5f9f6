"""Settings of JMT."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from ugcl.config.methods.base import MethodSettings, Origin, one_of

if TYPE_CHECKING:
    from ugcl.config.root import Run


class Jmt(MethodSettings):
    """Joint multimodal transformer (Waligora et al. 2024)."""

    network: ClassVar[str] = "ugcl.methods.audiovisual.jmt:Jmt"
    origin: ClassVar[Origin] = Origin(
        "Waligora et al.: Joint multimodal transformer for emotion recognition in the wild. CVPR Workshops"
        " 2024, arXiv 2403.10488",
        grade="B",
        code="PoloWlg/Joint-Multimodal-Transformer-6th-ABAW@691e278",
        deviations=(
            "Classes and cross-entropy of the mean frame, in place of valence and arousal of each frame.",
            "The heads of the shared encoder instead of one head.",
            "Keys have no bias, which softmax cancels.",
        ),
    )

    name: Literal["jmt"] = "jmt"
    last: Literal["attention", "linear"] = Field(
        "attention",
        description="What joins the six reads: a layer and attention among them, or one linear map.",
    )

    def check(self, run: Run) -> None:
        """See `MethodSettings.check`."""
        super().check(run)
        one_of(run, 2, 2)
