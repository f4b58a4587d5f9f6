"""Dev UAR of a system by the number of speakers that it learns from: is the corpus large enough?

    python benchmarks/speakers.py BENCHMARK SYSTEM --speakers 8 12 16

Each fold's training part is cut down to some of its speakers, drawn by the fold's number; its dev part stays.
The benchmark's features and splits must be made. Test clips are not read.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path

import numpy as np
import torch

from ugcl import config
from ugcl.data import tables
from ugcl.plan import paths
from ugcl.training import devices, seeding
from ugcl.training.loop import fit
from ugcl.training.run import assemble


def smaller(split: Path, speaker_of: dict[str, str], count: int, seed: int, target: Path) -> None:
    """Write a split table whose training part has so many of its speakers."""
    table = tables.read_split(split)
    speaker, training = table["clip"].map(speaker_of), table["part"] == "train"
    speakers = sorted(speaker[training].unique())
    if count > len(speakers):
        raise SystemExit(f"{split}: its training part has {len(speakers)} speakers; ask for as many at most")
    kept = np.random.default_rng(seed).permutation(speakers)[:count]
    tables.write(table[~training | speaker.isin(kept)], target)


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
    protocol = parameters.benchmark(options.benchmark).protocol
    manifest = tables.read_manifest(paths.manifest(run.corpus))
    speaker_of = dict(zip(manifest["clip"], manifest["speaker"], strict=True))
    seeding.deterministic()
    fabric = devices.launch(run.train)
    print("speakers  dev UAR  by fold")
    for count in options.speakers:
        found = []
        for fold in parameters.folds(options.benchmark):
            with tempfile.TemporaryDirectory() as folder:
                split = Path(folder) / "split.csv"
                smaller(paths.split(run.corpus, protocol, fold), speaker_of, count, fold, split)
                parts, model, loss = assemble(run, split, ["train", "dev"], (options.seed, fold))
            outcome = fit(fabric, model, loss, run.train, parts, (options.seed, fold))
            found.append(outcome.best["dev_uar"])
        print(f"{count:8}  {statistics.mean(found):.3f}    {' '.join(f'{x:.3f}' for x in found)}", flush=True)


if __name__ == "__main__":
    main()
