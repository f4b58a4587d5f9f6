"""Settings of M2FNet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from ugcl.config.features import Modality
from ugcl.config.methods.base import MethodSettings, Origin, Weights, one_of

if TYPE_CHECKING:
    from ugcl.config.root import Run


class M2FNetWeights(Weights):
    """Weights of the terms: 20, 5 and 1 as published, a hundredth of them beside the classification."""

    triplet: float = Field(0.2, ge=0, description="Weight of the triplets with adaptive margin.")
    covariance: float = Field(0.05, ge=0, description="Weight of the covariance of columns.")
    variance: float = Field(0.01, ge=0, description="Weight of the columns' lack of variance.")


class M2FNet(MethodSettings):
    """Transformer stacks over the turns of each modality, fusion in which text is query and value.

    In dialogues one modality is enough; then there is nothing to fuse.
    """

    network: ClassVar[str] = "ugcl.methods.text.m2fnet:M2FNet"
    origin: ClassVar[Origin] = Origin(
        "Chudasama, Kar, Gudmalwar, Shah, Wasnik and Onoe: M2FNet: Multi-modal fusion network for emotion"
        " recognition in conversation. CVPR Workshops 2022, arXiv 2206.02187",
        grade="C",
        deviations=(
            "The fusion follows re-implementations that agree with one another, not the paper's text.",
            "Without text the first modality leads.",
            "A code of the turns' places is added, and a turn is not read in a modality that it lacks.",
            "Without dialogues the sequence is that of a clip's frames, at the times of the leader's.",
            "The terms of the feature extractors are trained together with the classification.",
            "Triplets are of vectors of length 1; the margin has no gradient, and losses stop at 0.",
        ),
    )

    name: Literal["m2fnet"] = "m2fnet"
    layers: int = Field(1, ge=1, description="Transformer layers of each modality.")
    fusions: int = Field(2, ge=1, description="Fusion attention modules.")
    leader: Modality | None = Field(
        None, description="Modality that is query and value; null = text, or the first where it is not read."
    )
    weights: M2FNetWeights = M2FNetWeights()

    def leads(self, modalities: Sequence[Modality]) -> Modality:
        """The leader of these modalities."""
        return self.leader or ("text" if "text" in modalities else modalities[0])

    def check(self, run: Run) -> None:
        """See `MethodSettings.check`."""
        super().check(run)
        one_of(run, 2 if run.input.context == "clip" else 1)
        if self.leader is not None and self.leader not in run.input.modalities:
            raise ValueError(
                f"method m2fnet is led by {self.leader}, input.modalities lacks it; add it or change"
                " method.leader"
            )
