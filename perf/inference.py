"""How often the interval of a difference holds the truth, and the tests reject two equal systems.

    python perf/inference.py [--trials 1000] [--out docs/results/inference.csv]

Two systems are compared on made-up speakers of six classes with eight clips each. Speakers differ in how well
each system does on them (sd of the difference 7 points). Every run, one seed on one fold, adds noise of its
own to the UAR of its test speakers (`run`, sd in points), and every seed noise that its runs on all folds
share (`seed`). `level` is the share of trials in which p < .05 although both systems are equal, `coverage`
that of 95 % intervals that hold the true difference, `power` that of p < .05 where one is 3 points better:

- `ours`: the t of interval and p (`ugcl.evaluation.statistics.bootstrap.standard_error`);
- `seeds`: the same without the folds, as it was before;
- `flips`: the sign-flip test, which is given the trained models.
"""

from __future__ import annotations

import argparse
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from ugcl.evaluation.statistics import bootstrap, paired, signflip

CLASSES, CLIPS, DRAWS, BETTER = 6, 8, 400, 0.03
DESIGNS = ((12, 6), (24, 6), (91, 5))
NOISE = ((0.0, 0.0), (0.02, 0.0), (0.04, 0.0), (0.02, 0.01))


def hits(random: np.random.Generator, skill: np.ndarray) -> np.ndarray:
    """Right clips of (seeds, speakers, classes) for a skill of (seeds, speakers, 1)."""
    skill = np.broadcast_to(np.clip(skill, 0, 1), (*skill.shape[:2], CLASSES))
    return random.binomial(CLIPS, skill)


def counts(right: np.ndarray, fold: np.ndarray) -> bootstrap.Counts:
    """The counts of predictions with these hits; a wrong clip is taken for the next class."""
    confusion = np.zeros((*right.shape, CLASSES + 1))
    for c in range(CLASSES):
        confusion[..., c, c], confusion[..., c, (c + 1) % CLASSES] = right[..., c], CLIPS - right[..., c]
    return bootstrap.Counts([str(i) for i in range(right.shape[1])], confusion, {}, folds=fold)


def trial(
    random: np.random.Generator, fold: np.ndarray, seeds: int, run: float, seed: float, better: float
) -> dict[str, bool]:
    """Compare two systems once: whether each test rejects, and each interval holds `better`."""
    speakers, folds = len(fold), fold.max() + 1
    base = 0.55 + random.normal(0, 0.1, (1, speakers, 1))
    values, right = [], []
    for shift in (better, 0.0):
        noise = random.normal(0, 0.05, (1, speakers, 1)) + random.normal(0, seed, (seeds, 1, 1))
        noise = noise + random.normal(0, run, (seeds, folds, 1))[:, fold]
        right.append(hits(random, base + shift + noise))
        own = counts(right[-1], fold)
        parts = bootstrap.once(own), bootstrap.draw(speakers, DRAWS, 0), bootstrap.without_folds(own)
        values.append([bootstrap.evaluate(own, part)["uar"] for part in parts])
    point, drawn, left_out = (one - other for one, other in zip(*values, strict=True))
    found, difference = {}, float(point.mean())
    for name, folds_left in (("ours", left_out), ("seeds", None)):
        error, freedom = bootstrap.standard_error(point[0], drawn, speakers, folds_left)
        low, high = bootstrap.student(difference, error, freedom, 0.95)
        found[f"rejects_{name}"] = paired.student_p(difference, error, freedom) < 0.05
        found[f"holds_{name}"] = low <= better <= high
    support = np.full(CLASSES, CLIPS * speakers)
    flips = signflip.sign_flip((right[0] - right[1]).sum(0), support, 1000, 0)
    return found | {"rejects_flips": flips.p < 0.05}


def row(speakers: int, folds: int, seeds: int, run: float, seed: float, trials: int) -> dict[str, float]:
    """Level, coverage and power of one design under one kind of training noise."""
    random = np.random.default_rng([speakers, folds, seeds, int(1000 * run), int(1000 * seed)])
    fold = np.arange(speakers) * folds // speakers
    equal, apart = (
        pd.DataFrame([trial(random, fold, seeds, run, seed, better) for _ in range(trials)]).mean()
        for better in (0.0, BETTER)
    )
    design = {"speakers": speakers, "folds": folds, "seeds": seeds, "run": 100 * run, "seed": 100 * seed}
    for name in ("ours", "seeds", "flips"):
        design[f"level_{name}"] = equal[f"rejects_{name}"]
        design[f"power_{name}"] = apart[f"rejects_{name}"]
    return design | {f"coverage_{name}": apart[f"holds_{name}"] for name in ("ours", "seeds")}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--out", type=Path, default=Path("docs/results/inference.csv"))
    options = parser.parse_args()
    rows = [
        row(*design, seeds, *noise, options.trials)
        for design, seeds, noise in product(DESIGNS, (1, 3), NOISE)
    ]
    table = pd.DataFrame(rows)
    table.to_csv(options.out, index=False, float_format="%.4g")
    print(table.to_markdown(index=False, floatfmt=".3g"))


if __name__ == "__main__":
    main()
