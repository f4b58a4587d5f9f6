"""Parameters of evaluation and reports."""

from __future__ import annotations

from pydantic import Field

from ugcl.config.base import Section


class Evaluate(Section):
    """Scores and their uncertainty."""

    bootstrap: int = Field(2000, ge=100, description="Draws of the speaker bootstrap.")
    confidence: float = Field(0.95, gt=0, lt=1, description="Confidence level of the intervals.")
    permutations: int = Field(10000, ge=100, description="Draws of the paired permutation test.")
    seed: int = Field(0, description="Seed of resampling.")


class Report(Section):
    """Notebooks, figures and the front page."""

    title: str = Field("UGCL: audio-visual emotion recognition", description="Title of the front page.")
    notebooks: list[str] = Field(
        default=["01_data", "02_benchmark", "03_ablations"], description="Notebooks to render, in order."
    )
