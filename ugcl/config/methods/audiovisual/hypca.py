"""Settings of HyPCA-Net."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from ugcl.config.methods.base import MethodSettings, Origin, one_of

if TYPE_CHECKING:
    from ugcl.config.root import Run


class Hypca(MethodSettings):
    """Hybrid parallel attention: gates of columns and frames, mutual gates, frequencies of short windows."""

    network: ClassVar[str] = "ugcl.methods.audiovisual.hypca:HyPCA"
    origin: ClassVar[Origin] = Origin(
        "HyPCA-Net, a system of medical imaging. arXiv 2602.16245 (2026)",
        grade="B",
        code="misti1203/HyPCA-Net@69070c2",
        deviations=(
            "Published for medical pictures: here transforms and convolutions run over frames.",
            "Sums over frames are divided by the root of their number, so that long clips do not saturate.",
            "Dropout is off at test time, and modules that reach no output in the notebook do not exist.",
            "Both streams belong to the same clip; the notebook pairs two data sets at random.",
        ),
    )

    name: Literal["hypca"] = "hypca"
    window: int = Field(8, ge=2, description="Frames of a window of the cosine transform.")
    kernels: list[int] = Field(
        default=[3, 5, 7], min_length=1, description="Odd kernels of the depthwise convolutions."
    )

    def check(self, run: Run) -> None:
        """See `MethodSettings.check`."""
        super().check(run)
        one_of(run, 2, 2)
        if any(kernel % 2 == 0 for kernel in self.kernels):
            raise ValueError(f"method.kernels {self.kernels}: one is even; make all odd")
