"""Rows beside the systems: what chance, the majority class, human raters and the script would score.

They are reference rows, not systems: nothing was trained.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from ugcl.config.report import Evaluate
from ugcl.evaluation.score import pooled

RATERS = "raters:"
MODALITIES = {"voice": "audio", "face": "video", "multimodal": "audio+video"}
"""What the raters of a channel had: keys are vote channels of the manifest."""


def is_reference_row(system: str) -> bool:
    """Whether a name in a table is a reference row and no trained system."""
    return system in ("chance", "majority", "script") or system.startswith(RATERS)


def vote_channels(manifest: pd.DataFrame, label: str) -> list[str]:
    """Channels with a majority-vote column and counted votes, without the label target itself."""
    counted = {column.split("_")[1] for column in manifest if column.startswith("votes_")}
    return [
        channel
        for channel in MODALITIES
        if channel in counted and channel in manifest and channel != label and (manifest[channel] != "").any()
    ]


def chance(clips: pd.DataFrame, classes: list[str]) -> pd.DataFrame:
    """Expected scores of guessing a class uniformly.

    Recall of every class and accuracy are 1/C; F1 is that of the expected confusion matrix,
    2·π_c/(C·π_c + 1) with π_c the share of class c.

    Args:
        clips: test clips of all folds, column label.
        classes: class names in order.

    Returns:
        metric, value, ci_low, ci_high (empty: the value is exact), clips, speakers.
    """
    share = clips["label"].value_counts(normalize=True).reindex(classes, fill_value=0).to_numpy()
    f1 = 2 * share / (len(classes) * share + 1)
    values = {
        "uar": 1 / len(classes),
        "war": 1 / len(classes),
        "macro_f1": f1.mean(),
        "weighted_f1": (f1 * share).sum(),
    }
    frame = pd.DataFrame({"metric": list(values), "value": list(values.values())})
    return frame.assign(ci_low=np.nan, ci_high=np.nan, clips=len(clips), speakers=clips["speaker"].nunique())


def majority(
    clips: pd.DataFrame, training: dict[int, pd.Series], classes: list[str], settings: Evaluate
) -> pd.DataFrame:
    """Scores of always saying the most frequent class of the fold's training part.

    Args:
        clips: test clips, columns fold, clip, speaker, label.
        training: fold → labels of its training clips.
        classes: class names in order; the first wins a tie.
        settings: draws and level of the interval.
    """
    most = {
        fold: labels.value_counts().reindex(classes, fill_value=0).idxmax()
        for fold, labels in training.items()
    }
    frame = clips[["fold", "clip", "speaker", "label"]].assign(predicted=clips["fold"].map(most), seed=0)
    return pooled(frame, classes, settings)


def labels_as_predictions(
    clips: pd.DataFrame, manifest: pd.DataFrame, column: str, classes: list[str], settings: Evaluate
) -> pd.DataFrame:
    """Scores of another label column against the target: raters' majority, or the script's intention.

    An empty cell (a tie, or no vote) and a name that is no class count as wrong.

    Args:
        clips: test clips, columns fold, clip, speaker, label.
        manifest: has the columns clip and `column`.
        column: the label column that stands in for predictions.
        classes: class names in order.
        settings: draws and level of the interval.
    """
    other = manifest.set_index("clip")[column]
    frame = clips[["fold", "clip", "speaker", "label"]].assign(predicted=clips["clip"].map(other), seed=0)
    return pooled(frame, classes, settings)


def reference_rows(
    clips: pd.DataFrame,
    manifest: pd.DataFrame,
    training: dict[int, pd.Series],
    label: str,
    classes: list[str],
    settings: Evaluate,
) -> dict[tuple[str, str], pd.DataFrame]:
    """All reference rows of a benchmark: (name, modalities) → table of metrics."""
    rows = {
        ("chance", ""): chance(clips, classes),
        ("majority", ""): majority(clips, training, classes, settings),
    }
    for channel in vote_channels(manifest, label):
        rows[(RATERS + channel, MODALITIES[channel])] = labels_as_predictions(
            clips, manifest, channel, classes, settings
        )
    if label != "intended" and (manifest.get("intended", pd.Series(dtype=str)) != "").any():
        rows[("script", "")] = labels_as_predictions(clips, manifest, "intended", classes, settings)
    return rows
