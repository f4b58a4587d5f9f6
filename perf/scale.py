"""What a large corpus costs before and beside its networks, computed from a small one and then measured.

    python perf/scale.py [--clips 100000] [--anchor 10000] [--shard 2500] [--frames 25] [--dim 64]

Manifest, folds, shards, index and a training epoch's reading are made for `--anchor` clips and, computed from
them, for `--clips`; then those are made too. The table has both and their ratio. docs/scale.md goes on from
there. Seconds are those of the processor, one thread.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from manifest import CLASSES, made_manifest

from ugcl.config.protocols import Protocol, SpeakerBlocks
from ugcl.data import shards, tables
from ugcl.data.dataset import ClipDataset
from ugcl.data.parts import part_rows
from ugcl.data.splits import build
from ugcl.training.devices import peak_memory

BATCH = 32


class Made(Mapping[str, np.ndarray]):
    """Features of some clips, made when they are asked for."""

    def __init__(self, clips: list[str], frames: int, dim: int) -> None:
        self.clips, self.array = clips, np.random.default_rng(0).normal(size=(frames, dim))

    def __getitem__(self, clip: str) -> np.ndarray:
        return self.array

    def __iter__(self) -> Iterator[str]:
        return iter(self.clips)

    def __len__(self) -> int:
        return len(self.clips)


def measure(folder: Path, clips: int, per_shard: int, frames: int, dim: int) -> dict[str, float]:
    """Make a corpus of so many clips: what → seconds, MB or number of files."""
    found: dict[str, float] = {}

    def timed(what: str, work: Callable[[], object]) -> object:
        start = time.process_time()
        result = work()
        found[f"{what}, s"] = time.process_time() - start
        return result

    number, table = -(-clips // per_shard), folder / "manifest.csv"
    protocol = Protocol(classes=CLASSES, folds=SpeakerBlocks(folds=[200] * 5, dev_speakers=100))
    made_manifest(clips).to_csv(table, index=False)
    manifest = timed("read the manifest", lambda: tables.read_manifest(table))
    fold = timed("make a fold", lambda: build.make_fold(manifest, protocol, Path(), 1))
    tables.write(fold, folder / "fold1.csv")
    names, info = manifest["clip"].tolist(), shards.FeatureInfo("made", dim, rate=10.0)

    def encode() -> None:
        for shard in range(1, number + 1):
            own = shards.shard_clips(names, number, shard)
            shards.write_shard(folder, shard, Made(own, frames, dim), {}, info, {})

    timed("write the shards", encode)
    timed("check them and write the index", lambda: shards.write_index(folder, number))
    store = timed("open the store", lambda: shards.FeatureStore(folder))
    rows = timed("clips of the training part", lambda: part_rows(manifest, fold, "train", protocol))
    data = ClipDataset(rows, {"audio": store}, CLASSES)
    order = np.random.default_rng(0).permutation(len(data))

    def epoch() -> None:
        for start in range(0, len(data), BATCH):
            data.batch(order[start : start + BATCH])

    timed("read an epoch for the first time", epoch)
    timed("read it again", epoch)
    files = [path for path in folder.iterdir() if path.is_file()]
    found["files"] = len(files)
    for name, glob in (("manifest", "manifest.csv"), ("fold", "fold1.csv"), ("index", "index.csv")):
        found[f"{name}, MB"] = (folder / glob).stat().st_size / 1e6
    found["shards, MB"] = sum(path.stat().st_size for path in folder.glob("*.safetensors")) / 1e6
    found["tables of shards, MB"] = sum(path.stat().st_size for path in folder.glob("shard-*.csv")) / 1e6
    found["own memory, MiB"] = peak_memory()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=100_000)
    parser.add_argument("--anchor", type=int, default=10_000)
    parser.add_argument("--shard", type=int, default=2500, help="clips per shard")
    parser.add_argument("--frames", type=int, default=25, help="frames per clip")
    parser.add_argument("--dim", type=int, default=64, help="length of a frame")
    parser.add_argument("--only", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:  # in a process of its own, for its memory
        with tempfile.TemporaryDirectory() as name:
            found = measure(Path(name), options.only, options.shard, options.frames, options.dim)
        print(pd.Series(found).to_json())
        return
    columns = {}
    for clips in (options.anchor, options.clips):
        command = [sys.executable, __file__, "--only", str(clips), "--shard", str(options.shard)]
        command += ["--frames", str(options.frames), "--dim", str(options.dim)]
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
        columns[clips] = pd.Series(json.loads(done.stdout.splitlines()[-1]))
    table = pd.DataFrame(columns)
    table["computed"] = table[options.anchor] * options.clips / options.anchor
    table["measured / computed"] = table[options.clips] / table["computed"]
    print(table.round(2).to_string())


if __name__ == "__main__":
    main()
