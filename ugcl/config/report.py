"""Parameters of evaluation and reports."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ugcl.config.base import Section


class Evaluate(Section):
    """Scores and their uncertainty."""

    bootstrap: int = Field(10000, ge=100, description="Draws of the speaker bootstrap.")
    confidence: float = Field(0.95, gt=0, lt=1, description="Confidence level of the intervals.")
    permutations: int = Field(
        10000,
        ge=100,
        description="Draws of the paired permutation test; exact with few speakers.",
    )
    seed: int = Field(0, ge=0, description="Seed of resampling.")
    bins: int = Field(15, ge=2, description="Equal-mass bins of the expected calibration error.")
    batch: int = Field(64, ge=1, description="Clips a batch when predicting; changes speed, not scores.")
    accelerator: Literal["auto", "cpu", "cuda"] = Field("auto", description="Device that predicts.")


class Report(Section):
    """Notebooks, figures and the front page."""

    title: str = Field("UGCL: audio-visual emotion recognition", description="Title of the front page.")
    notebooks: list[str] = Field(
        default=["01_data", "02_benchmark", "03_ablations"], description="Notebooks to render, in order."
    )
    dpi: int = Field(150, ge=50, le=600, description="Resolution of PNG figures, dots per inch.")
