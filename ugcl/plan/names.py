"""Names of metrics, columns and reference rows; light, because reports need them and no scikit-learn."""

from __future__ import annotations

from ugcl.config.system.overrides import REFERENCE_ROWS

COUNTED = ("uar", "war", "macro_f1", "weighted_f1")
"""Metrics of predicted classes alone."""

PROBABILISTIC = ("top2", "auroc", "log_loss", "brier", "ece")
"""Metrics that need class probabilities."""

SOFT = ("kl", "cosine")
"""Metrics that need class probabilities and the raters' shares of the classes."""

METRICS = (*COUNTED, *PROBABILISTIC, *SOFT)

DIMENSIONS = ("valence", "arousal", "dominance")
DIMENSION_SCORES = {"ccc": "CCC", "pearson": "Pearson", "rmse": "RMSE"}

TITLES = {
    **dict(uar="UAR", war="WAR", macro_f1="macro-F1", weighted_f1="weighted-F1", top2="top-2", auroc="AUROC"),
    **dict(log_loss="log-loss", brier="Brier", ece="ECE", ece_calibrated="ECE if calibrated"),
    **dict(ece_scaled="ECE after scaling", kl="KL to raters", cosine="cosine to raters"),
    **{f"{d}_{score}": f"{d} {title}" for d in DIMENSIONS for score, title in DIMENSION_SCORES.items()},
}
LOWER_IS_BETTER = frozenset({"log_loss", "brier", "ece", "kl", *(f"{d}_rmse" for d in DIMENSIONS)})
POSITIVE = frozenset({"log_loss", "brier", "kl"})
"""Metrics that are positive without an upper bound of one; the others that have intervals are in 0..1."""

LONG_TITLES = TITLES | {"uar": "unweighted average recall"}
"""Metric → its name in the title of a figure."""

FEW = 5
"""Groups of fewer speakers are flagged as small."""

BLANK = "\u00a0"
"""The blank inside a name in a list of names with blanks between."""

RATERS = "raters:"
ONE_RATER = "one rater:"


def is_reference_row(system: str) -> bool:
    """Whether a name in a table is a reference row and no trained system."""
    return system in REFERENCE_ROWS or system.startswith((RATERS, ONE_RATER))
