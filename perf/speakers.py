"""Dev UAR of a system by the number of speakers that it learns from: is the corpus large enough?

    python perf/speakers.py BENCHMARK SYSTEM --speakers 8 12 16

Each fold's training part is cut down to some of its speakers, drawn by the fold's number; its dev part stays.
The benchmark's features and splits must be made. Test clips are not read.
"""

from __future__ import annotations

import argparse
import statistics

import numpy as np
import pandas as pd
import torch

from ugcl import config
from ugcl.config import Config
from ugcl.data.parts import BenchmarkData
from ugcl.training import devices, seeding
from ugcl.training.loop import fit
from ugcl.training.run import assemble


class FewerSpeakers(BenchmarkData):
    """A benchmark whose training parts have so many of their speakers."""

    def __init__(self, parameters: Config, benchmark: str, count: int) -> None:
        super().__init__(parameters, benchmark)
        self.count = count

    def split(self, fold: int) -> pd.DataFrame:
        """Clip and part of a fold; training clips of the speakers that are left out are not in it."""
        table = super().split(fold)
        speaker = table["clip"].map(self.manifest.set_index("clip")["speaker"])
        training = table["part"] == "train"
        speakers = sorted(speaker[training].unique())
        if self.count > len(speakers):
            raise SystemExit(f"fold {fold} has {len(speakers)} training speakers; ask for as many at most")
        kept = np.random.default_rng(fold).permutation(speakers)[: self.count]
        return table[~training | speaker.isin(kept)]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("benchmark")
    parser.add_argument("system")
    parser.add_argument("--speakers", type=int, nargs="+", required=True, help="numbers of training speakers")
    parser.add_argument("--seed", type=int, default=0, help="training seed")
    options = parser.parse_args()
    torch.set_num_threads(1)
    parameters = config.load()
    run = parameters.resolve(options.benchmark, options.system)
    seeding.deterministic()
    fabric = devices.launch(run.train)
    print("speakers  dev UAR  by fold")
    for count in options.speakers:
        data, found = FewerSpeakers(parameters, options.benchmark, count), []
        for fold in parameters.folds(options.benchmark):
            parts, model, loss = assemble(data, run, ["train", "dev"], (options.seed, fold))
            outcome = fit(fabric, model, loss, run.train, parts, (options.seed, fold))
            found.append(outcome.best["dev_uar"])
        print(f"{count:8}  {statistics.mean(found):.3f}    {' '.join(f'{x:.3f}' for x in found)}", flush=True)


if __name__ == "__main__":
    main()
