"""Reference rows: the scores of chance, the majority class, human raters and the script.

They are not systems: nothing is trained, and they depend only on labels.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from ugcl.config.protocols import Protocol
from ugcl.config.report import Evaluate
from ugcl.data.labels import merged, vote_shares
from ugcl.evaluation.statistics import metrics
from ugcl.evaluation.tables.score import pooled
from ugcl.plan.names import ONE_RATER, RATERS

MODALITIES = {"voice": "audio", "face": "video", "multimodal": "audio+video"}
"""What the raters of a channel had: keys are vote channels of the manifest."""

MADE_FROM = {"consensus": "multimodal"}
"""Label target → the channel whose votes it was made from, and which is therefore not scored against it."""


def vote_channels(manifest: pd.DataFrame, label: str) -> list[str]:
    """Channels with a majority-vote column and counted votes, without the one that gave the label target."""
    counted = {column.split("_")[1] for column in manifest if column.startswith("votes_")}
    own = MADE_FROM.get(label, label)
    return [
        channel
        for channel in MODALITIES
        if channel in counted and channel in manifest and channel != own and (manifest[channel] != "").any()
    ]


def reference_rows(
    clips: pd.DataFrame,
    manifest: pd.DataFrame,
    training: dict[int, pd.Series],
    protocol: Protocol,
    settings: Evaluate,
) -> dict[tuple[str, str], pd.DataFrame]:
    """All reference rows of a protocol, pooled over folds.

    Args:
        clips: test clips of all folds, columns fold, clip, speaker, label, and unit where intervals are
            not by speaker.
        training: fold → labels of its training clips.

    Returns:
        (name, modalities) → metric, value, ci_low, ci_high, clips, speakers.
    """
    expected = expectations(clips, manifest, protocol)
    rows = {(name, MODALITIES.get(name.removeprefix(ONE_RATER), "")): row for name, row in expected.items()}
    for name, frame in guesses(clips, manifest, training, protocol).items():
        # Nothing was trained, so folds add no variation.
        row = pooled(frame.drop(columns="fold"), protocol.classes, settings)
        rows[name, MODALITIES.get(name.removeprefix(RATERS), "")] = row
    return rows


def fold_rows(
    clips: pd.DataFrame, manifest: pd.DataFrame, training: dict[int, pd.Series], protocol: Protocol
) -> pd.DataFrame:
    """The reference rows that guess a class, fold by fold.

    Args:
        clips, manifest, training, protocol: as for :func:`reference_rows`.

    Returns:
        system, fold, metric, value, clips, speakers.
    """
    rows = []
    for name, frame in guesses(clips, manifest, training, protocol).items():
        for fold, part in frame.groupby("fold"):
            sizes = (len(part), part["speaker"].nunique())
            scores = metrics.scores(part, protocol.classes)
            rows += [(name, fold, metric, value, *sizes) for metric, value in scores.items()]
    return pd.DataFrame(rows, columns=["system", "fold", "metric", "value", "clips", "speakers"])


def guesses(
    clips: pd.DataFrame, manifest: pd.DataFrame, training: dict[int, pd.Series], protocol: Protocol
) -> dict[str, pd.DataFrame]:
    """Reference rows that name one class per clip, as predictions.

    The majority class of the fold's training part (the first class wins a tie); the raters' majority of each
    channel; and the script, which is the intended label where the target is another one. An empty cell (a
    tie, or no vote) and a name that is not a class count as wrong.

    Returns:
        Name → columns fold, clip, speaker, label, predicted, seed, and unit where the clips have it.
    """
    columns = [name for name in ("fold", "clip", "speaker", "label", "unit") if name in clips]
    frame = clips[columns].assign(seed=0)
    most = {
        fold: labels.value_counts().reindex(protocol.classes, fill_value=0).idxmax()
        for fold, labels in training.items()
    }
    found = {"majority": frame.assign(predicted=frame["fold"].map(most))}
    columns = {RATERS + channel: channel for channel in vote_channels(manifest, protocol.label)}
    if protocol.label != "intended" and (manifest.get("intended", pd.Series(dtype=str)) != "").any():
        columns["script"] = "intended"
    for name, column in columns.items():
        other = merged(manifest.set_index("clip")[column], protocol.merge)
        found[name] = frame.assign(predicted=frame["clip"].map(other))
    return found


def expectations(clips: pd.DataFrame, manifest: pd.DataFrame, protocol: Protocol) -> dict[str, pd.DataFrame]:
    """Reference rows that are drawn, by their expected confusion matrix: exact, so without an interval.

    Chance draws a class uniformly. Where the protocol has a soft target, one rater is drawn from those whose
    votes it counts: what a single person, not a majority, would score.

    Returns:
        Name → metric, value, ci_low, ci_high (empty), clips, speakers.
    """
    count = len(protocol.classes)
    shares = {"chance": np.full((len(clips), count), 1 / count)}
    if protocol.soft:
        voted = manifest.set_index("clip").loc[clips["clip"]]
        votes = vote_shares(voted, protocol.soft, protocol.classes, protocol.merge)
        shares[ONE_RATER + protocol.soft.removeprefix("votes_")] = np.nan_to_num(votes)
    return {name: _expected(clips, share, protocol.classes) for name, share in shares.items()}


def _expected(clips: pd.DataFrame, shares: np.ndarray, classes: list[str]) -> pd.DataFrame:
    """Scores of the confusion matrix that class shares of each clip, (clips, classes), give on average."""
    truth = pd.get_dummies(clips["label"]).reindex(columns=classes, fill_value=0).to_numpy(float)
    confusion = truth.T @ shares
    support, right = truth.sum(axis=0), np.diag(confusion)
    recall = np.divide(right, support, out=np.zeros_like(right), where=support > 0)
    total = support + confusion.sum(axis=0)
    f1 = np.divide(2 * right, total, out=np.zeros_like(right), where=total > 0)
    values = {
        "uar": recall[support > 0].mean(),
        "war": right.sum() / support.sum(),
        "macro_f1": f1.mean(),
        "weighted_f1": (f1 * support).sum() / support.sum(),
    }
    frame = pd.DataFrame({"metric": list(values), "value": list(values.values())})
    return frame.assign(ci_low=np.nan, ci_high=np.nan, clips=len(clips), speakers=clips["speaker"].nunique())
