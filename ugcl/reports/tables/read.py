"""The summary's tables as reports use them: numbers as numbers, one benchmark at a time."""

from __future__ import annotations

import pandas as pd

from ugcl.data import tables
from ugcl.plan.evaluation import table

NUMBERS = frozenset(
    {
        "value",
        "reference_value",
        "difference",
        "ci_low",
        "ci_high",
        "p_permutation",
        "p_mcnemar",
        "p_holm",
        "p",
    }
    | {"statistic", "systems", "rank", "other_rank", "recall", "precision", "f1", "support", "count", "clips"}
    | {"speakers", "seconds", "duration", "folds", "seeds", "seed", "fold", "uar", "best_uar", "best_epoch"}
    | {"difference_low", "difference_high", "temperature", "log_loss", "log_loss_scaled", "share", "first"}
    | {"token", "tokens", "entropy", "perplexity", "clip_perplexity", "dead", "never_first", "similarity"}
    | {"own_similarity", "recall_at_1", "recall_at_5", "mean_rank", "chance_at_1", "chance_at_5"}
    | {"chance_rank", "same_label_at_1", "x", "y", "frame", "time", "weight", "flops", "latency_ms"}
    | {"throughput", "train_seconds", "train_seconds_total", "train_memory_mib", "runs"}
    | {"epoch", "epochs", "dev_uar", "parameters", "optimism", "ties", "agreement", "agreement_untied"}
    | {"detectable", "effect", "effect_low", "effect_high", "critical_difference", "runs", "year", "spread"}
    | {"gap", "gap_low", "gap_high", "classes", "war", "bin", "confidence", "accuracy", "rate", "followed"}
    | {"first_as_second", "second_as_first", "probability", "label_probability", "wrong_seeds", "votes_label"}
    | {"votes_predicted", "label_agreement", "right_agreed", "right_disputed", "kl", "cosine"}
    | {"entropy_correlation", "family_size", "p_error", "p_smallest", "tied_epochs", "tied_runs"}
)
"""Columns read as numbers, unless a cell is a word; others stay text though they may look like numbers, as
speaker 01 does."""


def read(name: str, benchmark: str | None = None) -> pd.DataFrame:
    """Read one of the summary's tables.

    Args:
        name: a stem of :data:`ugcl.plan.evaluation.TABLES`.
        benchmark: keep its rows alone.

    Returns:
        The table; number columns as numbers, empty cells of them as NaN.
    """
    frame = tables.read(table(name))
    if benchmark is not None:
        frame = frame[frame["benchmark"] == benchmark].reset_index(drop=True)
    for column in frame:
        if column in NUMBERS or (
            name == "learning_curves" and column not in ("benchmark", "system", "marks")
        ):
            numbers = pd.to_numeric(frame[column], errors="coerce")
            if not (numbers.isna() & (frame[column] != "")).any():
                frame[column] = numbers
    return frame
