"""Settings of the main method."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from ugcl.config.base import Section
from ugcl.config.features import Modality
from ugcl.config.methods.base import MethodSettings, Origin, Weights, one_of

if TYPE_CHECKING:
    from ugcl.config.root import Run


class UgclWeights(Weights):
    """Weights of the terms; the released code has 0.15 for both losses."""

    contrast: float = Field(0.15, ge=0, description="Weight of the contrast of granularities (UGCL).")
    matching: float = Field(0.15, ge=0, description="Weight of the matching head's loss (SND).")
    auxiliary: float = Field(0.15, ge=0, description="Weight of the auxiliary classifier's loss (SND).")


class Contrast(Section):
    """Unified granularity contrastive learning."""

    temperature: float = Field(0.1, gt=0, description="Temperature of the symmetric InfoNCE (its start).")
    learnable: bool = Field(True, description="Learn the temperature (CLIP, Radford et al. 2021, §2.5).")
    kind: Literal["info_nce", "supervised", "attraction"] = Field(
        "info_nce",
        description="Contrast of clips (InfoNCE), of emotions (SupCon), or the released attraction alone.",
    )
    queue: int = Field(0, ge=0, description="Past clips in the contrast at granularity clip; 0 = none.")


class Matching(Section):
    """Similar negative discrimination."""

    negatives: Literal["hardest", "sample", "random", "nearest"] = Field(
        "hardest",
        description="Clip of another emotion: the most similar, drawn by similarity, or any; or, as released,"
        " the nearest clip whatever its emotion.",
    )
    temperature: float = Field(
        0.1, gt=0, description="Temperature of the draw by similarity (ALBEF, Li et al. 2021, §3.2)."
    )
    top: int = Field(0, ge=0, description="Draw from the k most similar (negatives sample); 0 = from all.")
    queue: int = Field(0, ge=0, description="Past clips that may be negatives; 0 = the batch alone.")


class Ugcl(MethodSettings):
    """Unified granularity contrastive learning and similar negative discrimination (Li, Gao, Li 2026)."""

    network: ClassVar[str] = "ugcl.methods.ugcl:UGCL"
    origin: ClassVar[Origin] = Origin(
        "Li, Gao and Li: Multimodal emotion recognition via unified granularity contrastive learning and"
        " similar negative discrimination. Pattern Recognition 176 (2026) 113224",
        grade="C",
        deviations=(
            "The abstract is the specification; the released code departs from it, see the method released.",
            "Encoders are frozen and shared with all other systems.",
        ),
    )

    name: Literal["ugcl"] = "ugcl"
    cross_layers: int = Field(1, ge=0, description="Cross-attention layers per direction.")
    readers: list[Modality] | None = Field(
        None, min_length=1, description="Modalities that read the others by cross-attention; null = all."
    )
    vote: float = Field(0.5, ge=0, description="Weight of the auxiliary logits at inference.")
    tokens: int = Field(128, ge=2, description="Unified granularity tokens (codebook entries K).")
    assignment: Literal["softmax", "sparsemax", "none"] = Field(
        "softmax", description="Weights over the tokens; FDT has sparsemax; none does without tokens."
    )
    token_pool: Literal["max", "mean"] = Field(
        "max", description="Pooling of token scores over frames; FDT (Chen et al. 2023) has max."
    )
    token_temperature: float = Field(1.0, gt=0, description="Temperature of the token scores.")
    token_temperature_end: float | None = Field(
        None,
        gt=0,
        description="Temperature of the last epoch, on a geometric path as FDT cools; null = constant.",
    )
    granularities: list[Literal["frame", "segment", "clip"]] = Field(
        default=["clip"], min_length=1, description="What UGCL contrasts, all in the same tokens; their mean."
    )
    segments: int = Field(4, ge=2, description="Segments of a clip, for granularity segment.")
    contrast: Contrast = Contrast()
    matching: Matching = Matching()
    weights: UgclWeights = UgclWeights()

    @property
    def has_tokens(self) -> bool:
        """Clips are expressed in tokens; without a codebook, in vectors that can be looked into as well."""
        return True

    @property
    def queue(self) -> int:
        """Past clips that a term asks for."""
        weights = self.weights
        asked = (self.contrast.queue, weights.contrast), (self.matching.queue, weights.matching)
        return max(queue if weight > 0 else 0 for queue, weight in asked)

    def check(self, run: Run) -> None:
        """See `MethodSettings.check`."""
        super().check(run)
        one_of(run, 2)
        strange = [m for m in self.readers or () if m not in run.input.modalities]
        if strange:
            raise ValueError(f"method.readers: {strange[0]} is not in input.modalities; add or drop it")
        if not self.queue:
            return
        remedy = "method.contrast.queue and method.matching.queue 0"
        if run.train.devices > 1:
            raise ValueError(f"each device would have a queue of its own; set train.devices 1, or {remedy}")
        if run.train.pack > 1:
            raise ValueError(f"runs in step cannot have queues; set train.pack 1, or {remedy}")
        if run.train.sam:
            raise ValueError(
                "train.sam sees a batch twice, so the queue would set it against itself; set train.sam null,"
                f" or {remedy}"
            )
