"""Cost: operations as counted by hand, cards as they are, and a table that stays out of results/tables."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import torch
from torch import nn

from tests.fixtures import finished
from ugcl.config import Config
from ugcl.data.dataset import Batch, ClipDataset
from ugcl.data.shards import FeatureInfo
from ugcl.data.stores import Held
from ugcl.evaluation.networks.cost import cost, flops, measured, trained
from ugcl.models.attention import Attention
from ugcl.plan import evaluation as outputs
from ugcl.plan import paths
from ugcl.training.state.records import Card


class Known(nn.Module):
    """A product whose operations can be counted by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.linear, self.attention = nn.Linear(7, 8, bias=False), Attention(8, 2)

    def forward(self, batch):
        x = self.linear(batch.features["audio"])
        return {"logits": self.attention(x, x, batch.masks["audio"]).sum(1)}


def test_operations_are_two_a_multiplication_of_products_and_attention() -> None:
    frames = 5
    x = {"audio": torch.randn(1, frames, 7)}
    masks = {"audio": torch.ones(1, frames, dtype=torch.bool)}
    batch = Batch(x, masks, {"audio": torch.ones(1, dtype=torch.bool)}, torch.zeros(1), ["c"], ["s"])
    projections = 2 * frames * 8 * 8 * 4
    attention = 2 * (frames * frames * 8) * 2
    assert flops(Known().eval(), batch) == 2 * frames * 7 * 8 + projections + attention


def test_a_network_that_reads_dialogues_is_measured_on_whole_ones():
    frames, sizes = 5, [1, 3, 3, 3]  # clips of each dialogue; the middle one has three
    names = [f"c{i}" for i in range(sum(sizes))]
    dialogues = [f"d{d}" for d, size in enumerate(sizes) for _ in range(size)]
    rows = pd.DataFrame({"clip": names, "speaker": "s", "label": "x", "dialogue": dialogues})
    rows = rows.assign(turn=rows.groupby("dialogue").cumcount())
    store = Held(FeatureInfo("made", 7, 1, 25.0), {n: torch.randn(frames, 7).half() for n in names})
    clips, read = ClipDataset(rows, {"audio": store}, ["x", "y"], context="dialogue"), []

    class Watched(Known):
        def forward(self, batch):
            read.append(batch.group.tolist())
            return super().forward(batch)

    found = measured(Watched().eval(), clips, torch.device("cpu"))
    assert {tuple(groups) for groups in read} == {(2, 2, 2), (0, 1, 1, 1, 2, 2, 2, 3, 3, 3)}
    assert found["flops"] == 2 * frames * 7 * 8 + 2 * frames * 8 * 8 * 4 + 2 * (frames * frames * 8) * 2


def test_cards_are_summed() -> None:
    fields = finished.card(finished.history(np.random.default_rng(0)), "b", "s", 0, 1)
    cards = [
        Card.model_validate(fields | {"seconds": s, "parameters": 9, "memory_mib": m, "device": d})
        for s, m, d in ((1.0, 5.0, "cpu x"), (3.0, 7.0, "H200"))
    ]
    row = trained(cards)
    assert (row["train_seconds"], row["train_seconds_total"], row["train_memory_mib"]) == (2.0, 4.0, 7.0)
    assert row["train_device"] == "H200 / cpu x"


def test_every_system_gets_a_row_and_more_work_for_more_modalities(tiny: Config, ugcl) -> None:
    ugcl("evaluate", "cost", "tiny")
    frame = pd.read_csv(outputs.score("tiny", "cost")).set_index("system", drop=False)
    rows = {system: frame.loc[system] for system in ("ugcl", "concat", "audio-only")}
    for system, row in rows.items():
        card = json.loads((paths.MODELS / paths.run("tiny", system, 0, 1) / "card.json").read_text())
        assert row["parameters"] == card["parameters"]
        assert row["train_seconds_total"] == 36.0
        assert row["latency_ms"] > 0 and row["throughput"] > 0
    assert rows["audio-only"]["flops"] < rows["concat"]["flops"] < rows["ugcl"]["flops"]
    before = rows["ugcl"]["flops"]
    cost(tiny, "tiny")
    assert pd.read_csv(outputs.score("tiny", "cost")).set_index("system").loc["ugcl", "flops"] == before


def test_the_table_with_times_lies_outside_the_tables_that_are_equal_on_a_rerun() -> None:
    assert outputs.table("demo", "cost").parent == paths.SCORES / "demo"
    assert "cost" not in (*outputs.TABLES, *outputs.NETWORK_TABLES)
