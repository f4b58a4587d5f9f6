"""Parameters of evaluation and reports."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ugcl.config.base import Distinct, Section

Condition = Annotated[
    str,
    Field(
        pattern=r"^(missing:(audio|video|text)|noise:-?\d+(\.\d+)?|drop:(alternate|random)|shift:-?\d+(\.\d+)?)$"
    ),
]
"""What is done to test clips: a kind and its level."""

CONDITIONS = ["missing:audio", "missing:video", "noise:20", "noise:10", "noise:0"]
CONDITIONS += ["drop:alternate", "drop:random", "shift:-0.5", "shift:-0.2", "shift:0.2", "shift:0.5"]

NOTEBOOKS = ["01_data", "02_benchmark", "03_ablations", "04_representation", "05_errors", "05b_groups"]
NOTEBOOKS += ["06_calibration", "07_robustness", "08_cost", "09_reproducibility"]


class Evaluate(Section):
    """Scores and their uncertainty."""

    bootstrap: int = Field(10000, ge=100, description="Draws of the speaker bootstrap.")
    confidence: float = Field(0.95, gt=0, lt=1, description="Confidence level of the intervals.")
    permutations: int = Field(
        1_000_000,
        ge=100,
        description="Draws of the sign-flip test where it cannot be exact: more than 40 speakers, or 30 where"
        " the classes' clips have a huge common multiple.",
    )
    seed: int = Field(0, ge=0, description="Seed of resampling.")
    bins: int = Field(15, ge=2, description="Equal-mass bins of the expected calibration error.")
    batch: int = Field(64, ge=1, description="Clips per batch when predicting; changes speed, not scores.")
    accelerator: Literal["auto", "cpu", "cuda"] = Field("auto", description="Device that predicts.")
    robustness: Annotated[list[Condition], Distinct] = Field(
        default=CONDITIONS,
        description="Conditions at test time: missing:<modality>; noise:<SNR, dB> of white noise in the"
        " sound, which is encoded once more per level; drop:alternate|random, half of the feature frames;"
        " shift:<seconds> by which the sound comes late. [] for none.",
    )


class Report(Section):
    """Notebooks, figures and the front page."""

    title: str = Field("UGCL: audio-visual emotion recognition", description="Title of the front page.")
    notebooks: Annotated[list[str], Distinct] = Field(
        default=NOTEBOOKS, description="Notebooks to render, in order."
    )
    dpi: int = Field(150, ge=50, le=600, description="Resolution of PNG figures, dots per inch.")
    show_faces: bool = Field(
        False,
        description="Draw faces of corpora other than the demo, which shows no person, into pictures:"
        " only where a corpus's licence lets you.",
    )
