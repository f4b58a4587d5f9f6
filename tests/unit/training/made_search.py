"""A project whose settings are searched, and made-up dev scores in place of training."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import torch
import yaml

from tests.unit.training.made_project import make_project
from ugcl.data import tables
from ugcl.plan import paths
from ugcl.training.loop import Outcome
from ugcl.training.search import tuning

SPACE = {
    "train.lr": {"low": 1e-4, "high": 0.1, "log": True},
    "train.batch": {"low": 8, "high": 24},
    "encoder.dropout": {"choices": [0, 0.2, 0.4]},
}


def make_search(root, monkeypatch):
    """Two folds, of which the second tests speaker s2 and chooses on s3."""
    make_project(root, epochs=2)
    monkeypatch.chdir(root)
    change(tune={"space": SPACE, "folds": [1, 2], "startup": 2})
    split = tables.read_split(paths.split("made", "intended", 1))
    part = split["clip"].str[:2].map({"s3": "dev", "s2": "test"}).fillna("train")
    tables.write(split.assign(part=part), paths.split("made", "intended", 2))
    return root


def change(**sections):
    tree = yaml.safe_load(Path("params.yaml").read_text())
    for name, keys in sections.items():
        tree[name] = tree.get(name, {}) | keys
    Path("params.yaml").write_text(yaml.safe_dump(tree, sort_keys=False))


def trials(system="concat"):
    return pd.read_csv(paths.study_table("made", system, "trials"))


def synthetic(monkeypatch, curve, epochs=5):
    """Let an epoch's dev UAR follow from the settings, and count the epochs."""
    seen = []

    def fit(fabric, model, train, parts, seeds, watch, primary):
        rows = [{"epoch": e, "dev_uar": curve(train, seeds[1]) * e / epochs} for e in range(1, epochs + 1)]
        for row in rows:
            seen.append((seeds[1], row["epoch"]))
            watch(row)
        return Outcome({}, rows[-1], rows)

    monkeypatch.setattr(tuning, "assemble", lambda *_: (None, None))
    monkeypatch.setattr(tuning, "fit", fit)
    return seen


def peak(train, fold):
    """Best at a learning rate of 0.01; the first fold is the easier one."""
    return max(0.0, 0.9 - abs(torch.log10(torch.tensor(train.lr)).item() + 2) / 3) - 0.1 * (fold == 2)
