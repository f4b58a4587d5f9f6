"""How many clips of a person a system with speaker normalisation needs, and of which emotions.

    python benchmarks/enrolment.py BENCHMARK SYSTEM [--clips 2 4 8 16 32] [--draws 5]

The trained runs predict their test clips once more, standardised by the moments of some clips of the speaker,
drawn at random: from all of them, or from those of one emotion, drawn too, since a person who is met in real
life has no reason to show all emotions in equal number. No label is used beside that. The last line has all
clips, as in every other table.
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd
import torch
from audmetric import unweighted_average_recall

from ugcl import config, paths
from ugcl.config import Config, Run
from ugcl.data import tables
from ugcl.data.dataset import ClipDataset, part_rows
from ugcl.data.moments import moments, standardised
from ugcl.evaluation.predict import probabilities
from ugcl.evaluation.stores import Held
from ugcl.training.checkpoint import load_run
from ugcl.training.run import stores


def enrolled(rows: pd.DataFrame, count: int, one_emotion: bool, random: np.random.Generator) -> pd.DataFrame:
    """Up to `count` clips of each speaker."""
    chosen = []
    for _, own in rows.groupby("speaker"):
        if one_emotion:
            own = own[own["label"] == random.choice(own["label"].unique())]
        chosen.append(own.iloc[random.permutation(len(own))[:count]])
    return pd.concat(chosen)


def uar(
    parameters: Config, run: Run, count: int | None, one_emotion: bool, random: np.random.Generator
) -> float:
    """Mean UAR over seeds, test clips of all folds together."""
    opened, entry = stores(run), parameters.benchmark(run.benchmark)
    manifest = tables.read_manifest(paths.manifest(run.corpus))
    quarantined = tables.read(paths.quarantine(run.benchmark))["clip"].tolist()
    truth: list[int] = []
    predicted: dict[int, list[int]] = {seed: [] for seed in entry.seeds}
    for fold in parameters.folds(run.benchmark):
        split = tables.read_split(paths.split(run.corpus, entry.protocol, fold))
        rows = part_rows(manifest, split, "test", run.protocol, quarantined)
        known = rows if count is None else enrolled(rows, count, one_emotion, random)
        held = {}
        for modality, store in opened.items():
            frames = {}
            for speaker, own in known.groupby("speaker"):
                mean, std = moments((store[clip] for clip in own["clip"]), store.info.dim)
                for clip in rows.loc[rows["speaker"] == speaker, "clip"]:
                    frames[clip] = standardised(store[clip], mean, std)
            held[modality] = Held(store.info, frames)
        clips = ClipDataset(rows, held, run.protocol.classes)
        truth += clips.labels.tolist()
        for seed, numbers in predicted.items():
            model, _ = load_run(paths.MODELS / paths.run(run.benchmark, run.system, seed, fold))
            numbers += probabilities(model, clips).argmax(axis=1).tolist()
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
    if not run.model.speaker_normalisation:
        raise SystemExit(
            f"{options.system}: its model.speaker_normalisation is off; take a system that has it"
        )
    print("clips of a speaker   of any emotion   of one emotion")
    for count in options.clips:
        random = np.random.default_rng(0)
        each = [
            [uar(parameters, run, count, one, random) for _ in range(options.draws)] for one in (False, True)
        ]
        print(f"{count:18}   {np.mean(each[0]):14.3f}   {np.mean(each[1]):14.3f}", flush=True)
    print(f"{'all':>18}   {uar(parameters, run, None, False, np.random.default_rng(0)):14.3f}")


if __name__ == "__main__":
    main()
