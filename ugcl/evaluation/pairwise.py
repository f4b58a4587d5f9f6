"""`ugcl compare`: two systems, or two runs of them, side by side on the clips that both were tested on."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from ugcl.config import Config
from ugcl.config.protocols import Protocol
from ugcl.errors import UgclError
from ugcl.evaluation.statistics import paired
from ugcl.evaluation.tables import predictions
from ugcl.plan.evaluation import chosen


@dataclass(frozen=True)
class Tested:
    """What a name such as `demo/ugcl`, `demo/ugcl/seed0` or `demo/ugcl/seed0/fold2` stands for.

    Attributes:
        name: as it was given.
        protocol: classes, primary metric and unit of the intervals.
        frame: its predictions (:func:`ugcl.evaluation.tables.predictions.stack`).
    """

    name: str
    protocol: Protocol
    frame: pd.DataFrame


def tested(config: Config, name: str) -> Tested:
    """Read the predictions that a name stands for.

    Raises:
        UgclError: the name is wrong, or it was not predicted.
    """
    parts = name.strip("/").split("/")
    if not 2 <= len(parts) <= 4:
        raise UgclError(f"{name}: give <benchmark>/<system>, with /seed<s> and /fold<k> for one run")
    benchmark, system, *rest = parts
    entry, folds = config.benchmark(benchmark), config.folds(benchmark)
    chosen(config, benchmark, [system])
    seeds = _one(rest[:1], "seed", entry.seeds, name)
    folds = _one(rest[1:], "fold", folds, name)
    return Tested(
        name, config.protocol(benchmark), predictions.stack(config, benchmark, system, seeds, folds)
    )


def _one(part: list[str], kind: str, known: list[int], name: str) -> list[int]:
    if not part:
        return list(known)
    number = part[0].removeprefix(kind)
    if number == part[0] or not number.isdigit() or int(number) not in known:
        known_names = ", ".join(f"{kind}{k}" for k in known)
        raise UgclError(f"{name}: no {kind} {part[0]!r}; choose from {known_names}")
    return [int(number)]


def compare(config: Config, first: Tested, second: Tested) -> pd.DataFrame:
    """The paired comparison of two on identical clips, by primary metric and unit of the first's protocol.

    Two runs that differ in their seed or fold are paired clip by clip, whatever trained them.

    Returns:
        metric, value (of the first), reference_value (of the second), difference, ci_low, ci_high and what
        else :func:`ugcl.evaluation.statistics.paired.compare` gives.

    Raises:
        UgclError: they have other classes, or were tested on other clips.
    """
    names = f"{first.name} and {second.name}"
    if first.protocol.classes != second.protocol.classes:
        raise UgclError(f"{names}: their protocols have other classes; only scores of one protocol compare")
    judged = first.protocol.primary, first.protocol.intervals
    frames = [one.frame for one in (first, second)]
    clips = [set(frame["clip"]) for frame in frames]
    if clips[0] != clips[1]:
        common = len(clips[0] & clips[1])
        raise UgclError(
            f"{names}: tested on {len(clips[0])} and {len(clips[1])} clips, {common} of them the same;"
            " compare what was tested on the same folds of one benchmark"
        )
    if any(not frames[0][key].equals(frames[1][key]) for key in ("seed", "fold")):
        frames = [_renumbered(one) for one in (first, second)]
    unit = frames[0].set_index("clip")["unit"].groupby(level=0).first()
    frames[1] = frames[1].assign(unit=frames[1]["clip"].map(unit))
    scored = [paired.scored(frame, first.protocol.classes, config.evaluate) for frame in frames]
    return paired.compare(*scored, config.evaluate, names, *judged)  # pyright: ignore[reportCallIssue]


def _renumbered(one: Tested) -> pd.DataFrame:
    """One row per clip with seed and fold made 0; refused where several seeds predict a clip."""
    frame = one.frame.assign(seed=0, fold=0).sort_values("clip", ignore_index=True)
    if frame["clip"].duplicated().any():
        raise UgclError(f"{one.name}: has several predictions of a clip; name one of its seeds, /seed<s>")
    return frame
