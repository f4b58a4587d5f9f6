"""Prediction tables: how they are read, checked and stacked."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from ugcl.config.protocols import Protocol
from ugcl.data import tables
from ugcl.data.labels import vote_shares
from ugcl.errors import UgclError
from ugcl.evaluation.statistics import dimensions
from ugcl.plan.evaluation import prediction

KEYS = ("clip", "speaker", "label", "predicted")
FLOOR = 5e-7
"""Half of the last digit of a written probability: the least one that a file can stand for."""


def read(path: Path, classes: list[str]) -> pd.DataFrame:
    """Read the predictions of one run.

    Probabilities are floored at half of the file's last digit and made to sum to one again, because rounding
    to six digits makes small ones zero.

    Args:
        path: CSV with the columns clip, speaker, label, predicted and one p_<class> per class.
        classes: the protocol's class names in order.

    Returns:
        The same columns, p_<class> as float, and those of estimated dimensions where the file has them.

    Raises:
        UgclError: a column is missing, a clip comes twice, a name is unknown, or a probability is invalid.
    """
    frame = tables.read(path)
    columns = [*KEYS, *(f"p_{name}" for name in classes)]
    missing = [column for column in columns if column not in frame]
    if missing:
        raise UgclError(f"{path}: column {missing[0]!r} is missing; predict again")
    if frame.empty:
        raise UgclError(f"{path}: has no clip; predict again, or correct the split")
    if frame["clip"].duplicated().any():
        twice = frame.loc[frame["clip"].duplicated(), "clip"].iloc[0]
        raise UgclError(f"{path}: clip {twice!r} comes twice; predict again")
    for column in ("label", "predicted"):
        unknown = sorted(set(frame[column]) - set(classes))
        if unknown:
            raise UgclError(f"{path}: {column} {unknown[0]!r} is not a class of the protocol; predict again")
    try:
        values = frame[columns[len(KEYS) :]].astype(float).to_numpy()
    except ValueError as error:
        raise UgclError(f"{path}: a probability is not a number ({error}); predict again") from None
    if not np.isfinite(values).all() or (values < 0).any() or (values.sum(1) < 0.99).any():
        raise UgclError(f"{path}: probabilities are not finite or do not sum to 1; train and predict again")
    values = np.maximum(values, FLOOR)
    frame[columns[len(KEYS) :]] = values / values.sum(1, keepdims=True)
    for column in dimensions.columns(frame):
        frame[column] = pd.to_numeric(frame[column], errors="coerce")
    return frame[[*columns, *dimensions.columns(frame)]]


def with_rater_shares(frame: pd.DataFrame, manifest: pd.DataFrame, protocol: Protocol) -> pd.DataFrame:
    """Predictions with the raters' shares as q_<class>, if the protocol names votes as its soft target."""
    if protocol.soft is None:
        return frame
    shares = vote_shares(manifest, protocol.soft, protocol.classes, protocol.merge)
    own = shares[pd.Index(manifest["clip"]).get_indexer(frame["clip"])]
    return frame.assign(**{f"q_{name}": own[:, i] for i, name in enumerate(protocol.classes)})


def stack(
    benchmark: str, system: str, seeds: Iterable[int], folds: Iterable[int], classes: list[str]
) -> pd.DataFrame:
    """The predictions of all runs of a system, sorted by seed, fold and clip.

    Returns:
        The columns of :func:`read` after seed and fold.

    Raises:
        UgclError: seeds do not have the same clips in every fold.
    """
    parts = []
    for seed in seeds:
        for fold in folds:
            frame = read(prediction(benchmark, system, seed, fold), classes)
            parts.append(frame.assign(seed=seed, fold=fold))
    whole = pd.concat(parts, ignore_index=True).sort_values(["seed", "fold", "clip"], ignore_index=True)
    first = None
    for seed, rows in whole.groupby("seed"):
        keys = rows[["fold", "clip", "label"]].reset_index(drop=True)
        if first is not None and not keys.equals(first):
            raise UgclError(
                f"{benchmark}/{system}: the clips of seed {seed} differ from the first seed's; predict again"
            )
        first = keys
    return whole[["seed", "fold", *[c for c in whole if c not in ("seed", "fold")]]]
