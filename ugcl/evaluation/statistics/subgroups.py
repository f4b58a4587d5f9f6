"""UAR by sex, age band, race, ethnicity, level and sentence, and by speaker.

It is UAR whatever a protocol's primary metric is: an F1 weighted by clips would show what the classes of a
group are, and not how well the system does on it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ugcl.config.report import Evaluate
from ugcl.evaluation.schemas.scores import SCORES
from ugcl.evaluation.statistics import bootstrap, metrics
from ugcl.plan.names import FEW

ATTRIBUTES = ("sex", "age", "race", "ethnicity", "level", "sentence")
"""Manifest columns whose values are groups, where the manifest has them."""

AGE_BANDS = {"under 30": 30, "30 to 44": 45, "45 to 59": 60, "60 and over": 121}
"""Name of each band and the first age above it."""


@dataclass(frozen=True)
class Hits:
    """Clips and hits of some units (P): hits (P, S, C) by seed and class, support (P, C)."""

    hits: np.ndarray
    support: np.ndarray

    @property
    def clips(self) -> int:
        """Number of clips."""
        return int(self.support.sum())

    @property
    def members(self) -> np.ndarray:
        """Which units have a clip, (P,)."""
        return self.support.any(1)  # pyright: ignore[reportReturnType]

    @property
    def present(self) -> np.ndarray:
        """Which classes have a clip, (C,)."""
        return self.support.any(0)  # pyright: ignore[reportReturnType]

    def uar(self, weights: np.ndarray, classes: np.ndarray) -> np.ndarray:
        """UAR over the given classes (a mask) under weights (B, P): (B, S)."""
        hits = (weights @ self.hits.reshape(len(self.hits), -1)).reshape(len(weights), *self.hits.shape[1:])
        recall = metrics.ratio(hits, np.broadcast_to((weights @ self.support)[:, None], hits.shape))
        return metrics.mean_known(recall[..., classes])


def groups(manifest: pd.DataFrame, attribute: str) -> pd.Series:
    """The group of each clip, indexed by clip: "" where it is unknown, ages as bands."""
    column = manifest.set_index("clip").get(attribute, pd.Series("", index=manifest["clip"]))
    if attribute != "age":
        return column.astype(str)
    edges = [0, *AGE_BANDS.values()]
    bands = pd.cut(column.astype(float), edges, right=False, labels=list(AGE_BANDS))
    return bands.astype(object).fillna("")


def subgroups(
    frame: pd.DataFrame, manifest: pd.DataFrame, classes: list[str], settings: Evaluate
) -> pd.DataFrame:
    """UAR of each group of clips, and how far it is from the other groups of its attribute.

    Args:
        manifest: has clip and some of :data:`ATTRIBUTES`; one with fewer than two groups is left out.

    Returns:
        The columns SCORES["subgroups"]. uar: over the classes that the group has, seeds averaged; gap: UAR of
        the group minus that of all clips of the attribute's other groups, over the classes that both have,
        with its interval; classes: how many the group has; small: why little can be said of the group (few
        speakers, missing classes), "" otherwise.
    """
    rows = []
    first, clips = frame[frame["seed"] == frame["seed"].iloc[0]], Clips.of(frame, classes)
    for attribute in ATTRIBUTES:
        group = first["clip"].map(groups(manifest, attribute)).fillna("").to_numpy()
        names = [*AGE_BANDS] if attribute == "age" else sorted(set(group))
        names = [name for name in names if name and (group == name).any()]
        for name in names if len(names) > 1 else []:
            inside = clips.hits(group == name)
            outside = clips.hits((group != name) & (group != ""))
            speakers = first.loc[group == name, "speaker"].nunique()
            rows.append((attribute, name, *_scores(inside, outside, classes, speakers, settings)))
    return pd.DataFrame(rows, columns=SCORES["subgroups"])


@dataclass(frozen=True)
class Clips:
    """Predictions as arrays, of which every seed has the same N clips.

    Attributes:
        right: (S, N) whether a clip is right.
        cell: (N,) number of the unit times the number of classes, plus the label's.
        shape: number of units and of classes.
    """

    right: np.ndarray
    cell: np.ndarray
    shape: tuple[int, int]

    @classmethod
    def of(cls, frame: pd.DataFrame, classes: list[str], by: str = "") -> Clips:
        """Those of a table; `by` is the column of the units, by default what intervals draw."""
        seeds, column = frame["seed"].nunique(), frame[by or bootstrap.unit_column(frame)]
        truth, predicted = metrics.encode(frame, classes)
        clips, units = len(frame) // seeds, sorted(column.unique())
        who = pd.Index(units, dtype=object).get_indexer(column.iloc[:clips].to_numpy(object))
        cell = who * len(classes) + truth[:clips]
        return cls((truth == predicted).reshape(seeds, -1), cell, (len(units), len(classes)))

    def hits(self, chosen: np.ndarray | slice = slice(None)) -> Hits:
        """Clips and hits of the chosen clips (a mask over N) by unit."""
        cell, size = self.cell[chosen], self.shape[0] * self.shape[1]
        counted = [np.bincount(cell, row[chosen], size).reshape(self.shape) for row in self.right]
        support = np.bincount(cell, minlength=size).reshape(self.shape)
        return Hits(np.stack(counted, axis=1), support.astype(float))


def _scores(inside: Hits, outside: Hits, classes: list[str], speakers: int, settings: Evaluate) -> tuple:
    """The columns SCORES["subgroups"] after the group."""
    units = int(inside.members.sum())
    value, drawn = _uar(inside, inside.members, inside.present, settings)
    low, high = bootstrap.interval(value, drawn, settings.confidence, units, "logit")
    missing = [name for name, there in zip(classes, inside.present, strict=True) if not there]
    few = [f"{speakers} speaker{'s' * (speakers > 1)}"] if speakers < FEW else []
    small = "; ".join(few + ([f"no {', '.join(missing)}"] if missing else []))
    numbers = inside.clips, speakers, int(inside.present.sum())
    return (value.mean(), low, high, *_gap(inside, outside, settings), *numbers, small)


def _gap(inside: Hits, outside: Hits, settings: Evaluate) -> tuple[float, float, float]:
    both = inside.present & outside.present
    if not both.any():
        return float("nan"), float("nan"), float("nan")
    if (inside.members & outside.members).any():
        members = inside.members | outside.members
        sides = [_uar(side, members, both, settings) for side in (inside, outside)]
        value, drawn = (first - second for first, second in zip(*sides, strict=True))
        error, freedom = bootstrap.standard_error(value, drawn, members.sum())
    else:
        # Groups of different units are independent: their variances add up (Welch's t interval).
        sides = [_uar(side, side.members, both, settings) for side in (inside, outside)]
        value = sides[0][0] - sides[1][0]
        numbers = [inside.members.sum(), outside.members.sum()]
        each = zip(sides, numbers, strict=True)
        errors = np.array([bootstrap.standard_error(*side, n) for side, n in each])
        squares = errors[:, 0] ** 2
        error = np.sqrt(squares.sum())
        freedom = squares.sum() ** 2 / (squares**2 / errors[:, 1]).sum() if error > 0 else 1.0
    return float(value.mean()), *bootstrap.student(value.mean(), error, freedom, settings.confidence)


def _uar(
    side: Hits, members: np.ndarray, classes: np.ndarray, settings: Evaluate
) -> tuple[np.ndarray, np.ndarray]:
    """UAR of each seed (S,), and in draws of the member units (B, S)."""
    own = Hits(side.hits[members], side.support[members])
    weights = bootstrap.draw(int(members.sum()), settings.bootstrap, settings.seed)
    return own.uar(np.ones((1, int(members.sum()))), classes)[0], own.uar(weights, classes)


def per_speaker(frame: pd.DataFrame, classes: list[str]) -> pd.DataFrame:
    """Scores of each test speaker, seeds averaged.

    Returns:
        speaker, uar (over the classes that the speaker has), war, clips, classes (how many the speaker has).
    """
    whole = Clips.of(frame, classes, by="speaker").hits()
    uar = whole.uar(np.eye(len(whole.support)), whole.present).mean(1)
    clips = whole.support.sum(1)
    war, classes_of = whole.hits.sum(2).mean(1) / clips, (whole.support > 0).sum(1)
    values = sorted(frame["speaker"].unique()), uar, war, clips.astype(int), classes_of
    return pd.DataFrame(dict(zip(SCORES["per_speaker"], values, strict=True)))
