"""Processor seconds of the scores of one system of a corpus, table by table.

    python perf/scoring.py [--clips 7442] [--speakers 91] [--seeds 3] [--draws 10000]

Every table is made alone and once; the defaults are CREMA-D with three seeds.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import pandas as pd

from ugcl.config.report import Evaluate
from ugcl.evaluation.statistics import calibration, mistakes, paired, subgroups
from ugcl.evaluation.tables import score

CLASSES = ["angry", "disgust", "fear", "happy", "neutral", "sad"]


def made(clips: int, speakers: int, seeds: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Random predictions of all seeds and five folds, and the manifest of their clips."""
    random = np.random.default_rng(0)
    who = np.sort(random.integers(0, speakers, clips))
    manifest = pd.DataFrame(
        {"clip": [f"c{i:07d}" for i in range(clips)], "speaker": [f"s{i:05d}" for i in who]}
    )
    manifest = manifest.assign(
        label=random.choice(CLASSES, clips),
        sex=np.where(who % 2, "female", "male"),
        age=20 + who % 50,
        race=np.array(["a", "b", "c", "d"])[who % 4],
        ethnicity=np.array(["a", "b"])[who // 2 % 2],
        level=random.choice(["LO", "MD", "HI", "XX"], clips),
        sentence=[f"S{i:02d}" for i in random.integers(0, 12, clips)],
    )
    parts = []
    for seed in range(seeds):
        p = random.dirichlet(np.ones(len(CLASSES)), clips)
        frame = manifest[["clip", "speaker", "label"]].assign(seed=seed, fold=who % 5 + 1)
        frame["predicted"] = np.array(CLASSES)[p.argmax(1)]
        parts.append(frame.assign(**{f"p_{name}": p[:, i] for i, name in enumerate(CLASSES)}))
    return pd.concat(parts, ignore_index=True), manifest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=7442)
    parser.add_argument("--speakers", type=int, default=91)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--draws", type=int, default=10000)
    options = parser.parse_args()
    frame, manifest = made(options.clips, options.speakers, options.seeds)
    settings = Evaluate(bootstrap=options.draws)
    side = paired.scored(frame, CLASSES, settings)
    turned = frame.assign(predicted=np.where(frame.index % 50 == 0, frame["label"], frame["predicted"]))
    other = paired.scored(turned, CLASSES, settings)
    work = {
        "metrics with intervals": lambda: score.pooled(frame, CLASSES, settings),
        "subgroups": lambda: subgroups.subgroups(frame, manifest, CLASSES, settings),
        "per_speaker": lambda: subgroups.per_speaker(frame, CLASSES),
        "calibration": lambda: calibration.calibration(frame, CLASSES, settings),
        "band of the ECE": lambda: calibration.calibrated(frame, CLASSES, settings),
        "pairs": lambda: mistakes.pairs(frame, CLASSES, settings),
        "one side of a comparison": lambda: paired.scored(frame, CLASSES, settings),
        "a comparison of two sides": lambda: paired.compare(side, other, settings),
    }
    for name, make in work.items():
        start = time.process_time()
        make()
        print(f"{name:26s}{time.process_time() - start:7.2f} s")


if __name__ == "__main__":
    main()
