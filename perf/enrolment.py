"""How many clips of a person a system with speaker normalisation needs, and of which emotions.

    python perf/enrolment.py BENCHMARK SYSTEM [--clips 2 4 8 16 32] [--draws 5]

The trained runs predict their test clips once more, standardised by the moments of some clips of the speaker,
drawn at random: from all of them, or from those of one emotion, drawn too, since a person who is met in real
life has no reason to show all emotions in equal number. Where there are fewer, all of those are taken. No
label is used beside that. The last line has all clips, as in every other table.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
import torch
from audmetric import unweighted_average_recall
from torch import Tensor, nn

from ugcl import config
from ugcl.config import Config, Run
from ugcl.data.dataset import ClipDataset
from ugcl.data.moments import moments, standardised
from ugcl.data.parts import BenchmarkData
from ugcl.data.shards import FeatureStore
from ugcl.data.stores import Held
from ugcl.inference.probabilities import probabilities
from ugcl.plan import paths
from ugcl.training.state.checkpoint import load_run


def enrolled(rows: pd.DataFrame, count: int, one_emotion: bool, random: np.random.Generator) -> pd.DataFrame:
    """Up to `count` clips of each speaker."""
    chosen = []
    for _, own in rows.groupby("speaker"):
        if one_emotion:
            own = own[own["label"] == random.choice(own["label"].unique())]
        chosen.append(own.iloc[random.permutation(len(own))[:count]])
    return pd.concat(chosen)


@dataclass(frozen=True)
class Fold:
    """The test clips of a fold, and seed → the network that is to predict them."""

    rows: pd.DataFrame
    models: dict[int, nn.Module]


def folds(parameters: Config, run: Run, data: BenchmarkData) -> list[Fold]:
    """The trained folds of a system."""
    entry = parameters.benchmark(run.benchmark)
    found = []
    for fold in parameters.folds(run.benchmark):
        rows = data.fold(run, fold, ["test"])["test"].rows
        runs = {seed: paths.run(run.benchmark, run.system, seed, fold) for seed in entry.seeds}
        models = {seed: load_run(paths.MODELS / folder)[0] for seed, folder in runs.items()}
        found.append(Fold(rows, models))
    return found


def uar(
    found: list[Fold], opened: dict[str, FeatureStore], known: list[pd.DataFrame], classes: list[str]
) -> float:
    """Mean UAR over seeds, test clips of all folds together.

    Args:
        found: the folds.
        opened: modality → features.
        known: of each fold, the clips by which a speaker is standardised.
        classes: class names in column order.
    """
    truth: list[int] = []
    predicted: dict[int, list[int]] = defaultdict(list)
    for fold, enrolment in zip(found, known, strict=True):
        held: dict[str, dict[str, Tensor]] = {modality: {} for modality in opened}
        for modality, store in opened.items():
            for speaker, own in enrolment.groupby("speaker"):
                mean, std = moments((store[clip] for clip in own["clip"]), store.info.dim)
                for clip in fold.rows.loc[fold.rows["speaker"] == speaker, "clip"]:
                    held[modality][clip] = standardised(store[clip], mean, std)
        stored = {modality: Held(opened[modality].info, frames) for modality, frames in held.items()}
        clips = ClipDataset(fold.rows, stored, classes)
        truth += clips.labels.tolist()
        for seed, model in fold.models.items():
            predicted[seed] += probabilities(model, clips).argmax(axis=1).tolist()
    return float(np.mean([unweighted_average_recall(truth, numbers) for numbers in predicted.values()]))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("benchmark")
    parser.add_argument("system")
    parser.add_argument("--clips", type=int, nargs="+", default=[2, 4, 8, 16, 32], help="of each speaker")
    parser.add_argument("--draws", type=int, default=5, help="of those clips, of which the mean is shown")
    options = parser.parse_args()
    torch.set_num_threads(1)
    parameters = config.load()
    run = parameters.resolve(options.benchmark, options.system)
    if not run.input.by_speaker:
        raise SystemExit(f"{options.system}: its input.standardise is not speaker; take a system that has it")
    data = BenchmarkData(parameters, options.benchmark)
    found = folds(parameters, run, data)
    every = [fold.rows for fold in found]
    score = partial(uar, found, data.stores(run), classes=run.protocol.classes)
    print("clips of a speaker   of any emotion   of one emotion")
    for count in options.clips:
        random = np.random.default_rng(0)
        each = [
            np.mean(
                [score([enrolled(rows, count, one, random) for rows in every]) for _ in range(options.draws)]
            )
            for one in (False, True)
        ]
        print(f"{count:18}   {each[0]:14.3f}   {each[1]:14.3f}", flush=True)
    print(f"{'all':>18}   {score(every):14.3f}")


if __name__ == "__main__":
    main()
