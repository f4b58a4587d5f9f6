"""Batches of whole dialogues change the order in which clips are predicted, and nothing that is written."""

from __future__ import annotations

import pandas as pd
import yaml

from tests.unit.training.made_project import make_project
from ugcl import config
from ugcl.data import tables
from ugcl.data.dataset import ClipDataset
from ugcl.evaluation.networks.predict import predict
from ugcl.evaluation.networks.robustness import robustness
from ugcl.evaluation.networks.tokens import token_tables
from ugcl.plan import paths
from ugcl.plan.evaluation import prediction, score
from ugcl.training.run import train_runs

FILES = [prediction("made", "ugcl", 0, 1)]
FILES += [score("made", name) for name in ("robustness", "hard_negatives")]


def evaluated():
    parameters = config.load()
    predict(parameters, "made", "ugcl")
    robustness(parameters, "made")
    token_tables(parameters, "made")
    return [pd.read_csv(path) for path in FILES]


def test_results_are_those_of_their_clips_in_whatever_order_clips_are_read(tmp_path, monkeypatch):
    make_project(tmp_path, epochs=2)
    monkeypatch.chdir(tmp_path)
    tree = yaml.safe_load((tmp_path / "params.yaml").read_text())
    tree["benchmarks"]["made"] |= {"systems": ["ugcl"], "folds": [1]}
    tree["evaluate"] = {"bootstrap": 100, "permutations": 100, "batch": 5, "robustness": ["drop:alternate"]}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(tree))
    train_runs(config.load(), "made", "ugcl", [0], [1])
    before = evaluated()

    manifest = tables.read_manifest(paths.manifest("made"))
    dialogue = "talk" + manifest["clip"].str[-1]
    turn = 99 - manifest.groupby(dialogue).cumcount()
    tables.write(manifest.assign(dialogue=dialogue, turn=turn), paths.manifest("made"))
    tree["input"] = {"context": "dialogue"}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(tree))
    batch, read = ClipDataset.batch, []
    monkeypatch.setattr(ClipDataset, "batch", lambda self, i: read.append(batch(self, i)) or read[-1])
    for table, other in zip(before, evaluated(), strict=True):
        pd.testing.assert_frame_equal(table, other, atol=2e-5)
    assert read[0].clips == ["s5_sad_0", "s5_happy_0", "s5_angry_0"] and read[0].turn.tolist() == [0, 1, 2]
