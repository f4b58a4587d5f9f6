"""The columns of the tables that are computed from predictions; see the functions that make them."""

from __future__ import annotations

from ugcl.evaluation.schema import Columns

SCORES = {
    "metrics": Columns(
        "scope seed fold metric value ci_low ci_high clips speakers lineage",
        text="scope seed fold metric lineage",
    ),
    "confusion": Columns("label predicted count", text="label predicted"),
    "per_class": Columns("class recall precision f1 support", text="class"),
    "subgroups": Columns(
        "attribute group uar ci_low ci_high gap gap_low gap_high clips speakers classes small",
        text="attribute group small",
    ),
    "per_speaker": Columns("speaker uar war clips classes", text="speaker"),
    "calibration": Columns("seed bin clips confidence accuracy ci_low ci_high"),
    "pairs": Columns(
        "first second rate ci_low ci_high first_as_second second_as_first count", text="first second"
    ),
}
"""Stem → columns of the tables in results/scores/<benchmark>/<system>.

Pooled rows of `metrics` have `all` as seed and fold.
"""

ERRORS = Columns(
    "clip speaker fold label predicted probability label_probability wrong_seeds majority votes_label"
    " votes_predicted",
    text="clip speaker label predicted majority",
)
DISAGREEMENT = Columns(
    "channel clips agreement ci_low ci_high label_agreement right_agreed right_disputed followed kl cosine"
    " entropy_correlation",
    text="channel",
)
