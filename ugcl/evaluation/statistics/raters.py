"""Where systems and raters disagree: systems against the raters' majority and against their votes."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from ugcl.config.protocols import Protocol
from ugcl.config.report import Evaluate
from ugcl.data.labels import merged, vote_column, vote_shares
from ugcl.evaluation.schemas.scores import DISAGREEMENT
from ugcl.evaluation.statistics import bootstrap, metrics
from ugcl.evaluation.statistics.baselines import MADE_FROM, MODALITIES, vote_channels


def shares(manifest: pd.DataFrame, channel: str, protocol: Protocol) -> np.ndarray | None:
    """Shares of a channel's votes, (manifest rows, classes), or None where a class has no count."""
    prefix = f"votes_{channel}"
    if not all(vote_column(manifest, prefix, name) for name in protocol.classes):
        return None
    return vote_shares(manifest, prefix, protocol.classes, protocol.merge)


def richest_channel(manifest: pd.DataFrame, label: str) -> str | None:
    """The channel with most information for its raters: sound and pictures, else pictures, else sound."""
    own = MADE_FROM.get(label, label)
    channels = [*vote_channels(manifest, label), *([own] if own in MODALITIES else [])]
    return max(channels, key=list(MODALITIES).index, default=None)


def disagreement(
    frame: pd.DataFrame, manifest: pd.DataFrame, protocol: Protocol, settings: Evaluate
) -> pd.DataFrame:
    """A system beside the raters of each channel that is not the label target itself; seeds averaged.

    Args:
        frame: predictions of all seeds and folds, with p_<class>.
        manifest: has clip, the channels' majorities and their votes.

    Returns:
        The columns DISAGREEMENT, one row per channel. clips: with a majority that is a class; of those,
        agreement: the system gives the majority (with interval), label_agreement: the label is the majority,
        right_agreed, right_disputed: WAR where majority and label agree, and where they do not, followed:
        share of the disputed clips where the system gives the majority. Of all clips with votes: kl
        and cosine of the system's probabilities to the votes, entropy_correlation (Spearman's).
    """
    rows = []
    for channel in vote_channels(manifest, protocol.label):
        column = merged(manifest.set_index("clip")[channel], protocol.merge)
        known = frame[["seed", bootstrap.unit_column(frame), "label", "predicted"]]
        table = known.assign(majority=frame["clip"].map(column))
        table = table[table["majority"].isin(protocol.classes)]
        if len(table):
            row = {"channel": channel, **_majority(table, protocol.classes, settings)}
            rows.append(row | _votes(frame, manifest, channel, protocol))
    return pd.DataFrame(rows, columns=DISAGREEMENT)


def _majority(table: pd.DataFrame, classes: list[str], settings: Evaluate) -> dict[str, float]:
    counts = bootstrap.count(table.assign(label=table["majority"]).drop(columns="majority"), classes)
    units = len(counts.units)
    weights = bootstrap.draw(units, settings.bootstrap, settings.seed)
    hits = np.einsum("spcc->ps", counts.confusion[..., :-1])
    support = counts.confusion.sum((2, 3)).T
    value, drawn = hits.sum(0) / support.sum(0), metrics.ratio(weights @ hits, weights @ support)
    low, high = bootstrap.interval(value, drawn, settings.confidence, units, "logit")
    agreed = table["label"] == table["majority"]
    right = table["label"] == table["predicted"]
    followed = (table["predicted"] == table["majority"])[~agreed].mean()
    clips = len(table) // table["seed"].nunique()
    shares = agreed.mean(), right[agreed].mean(), right[~agreed].mean(), followed
    return dict(zip(DISAGREEMENT[1:9], (clips, value.mean(), low, high, *shares), strict=True))


def _votes(frame: pd.DataFrame, manifest: pd.DataFrame, channel: str, protocol: Protocol) -> dict[str, float]:
    whole = shares(manifest, channel, protocol)
    if whole is None:
        return {}
    q = whole[pd.Index(manifest["clip"]).get_indexer(frame["clip"])]
    known = ~np.isnan(q).any(1)
    if not known.any():
        return {}
    q, p = q[known], metrics.probabilities(frame, protocol.classes)[known]  # pyright: ignore[reportOptionalSubscript]
    spread = [stats.entropy(each, axis=1) for each in (q, p)]
    varied = all(np.ptp(each) > 0 for each in spread)
    return {
        "kl": metrics.divergence(q, p).mean(),
        "cosine": metrics.cosine(q, p).mean(),
        "entropy_correlation": float(stats.spearmanr(*spread).statistic) if varied else float("nan"),
    }
