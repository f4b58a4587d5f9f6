"""Systems on another corpus: the page and the figure, which exist only where a pair is active."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import yaml

from tests.fixtures import finished
from ugcl import config as configuration
from ugcl.config import Config
from ugcl.data import tables
from ugcl.evaluation.schemas import schema
from ugcl.evaluation.schemas.summary import TABLES
from ugcl.plan import evaluation as plan
from ugcl.plan import figures, paths, reports, transfer
from ugcl.reports.figures import draw
from ugcl.reports.pages.model_card import cards_of_all
from ugcl.reports.pages.render import render
from ugcl.reports.pages.site import context
from ugcl.reports.tables import transfer as shown
from ugcl.reports.tables.read import read

UAR = {"home": 0.71, "ensemble": 0.52, "single": 0.475, "own": 0.633}
ENCODERS = {"logmel": "whisper-tiny-en"}


@pytest.fixture
def transferred(summarised: Config) -> Config:
    """The audio system of the demo on RAVDESS, with made scores."""
    tree = yaml.safe_load(Path("params.yaml").read_text())
    pair = {"trained": "demo/audio-only", "target": "ravdess", "classes": {"fearful": "fear"}}
    tree["transfer"] = [pair | {"encoders": ENCODERS}]
    Path("params.yaml").write_text(yaml.safe_dump(tree, sort_keys=False))
    same = {"benchmark": "ravdess", "trained": "demo", "system": "audio-only", "marks": "SYNTHETIC"}
    common = "angry disgust fear happy neutral sad"
    rows = []
    for kind, uar in UAR.items():
        of = ("ravdess", "ugcl") if kind == "own" else ("demo", "audio-only")
        values = {"uar": uar, "war": uar - 0.01, "macro_f1": uar - 0.02, "weighted_f1": uar - 0.03}
        values |= {"ece": 0.2, "ece_scaled": 0.1234, "other_class": 0.05}
        for metric, value in values.items():
            ends = {"ci_low": value - 0.1, "ci_high": value + 0.1} if metric == "uar" else {}
            facts = {
                "classes": common,
                "left_out": "calm 24, surprised 24",
                "left_out_clips": 48,
                "unmatched": "",
            }
            counts = {"seeds": 1, "clips": 144, "speakers": 12}
            rows.append(
                {
                    "kind": kind,
                    "of": of[0],
                    "scored": of[1],
                    "metric": metric,
                    "value": value,
                    **ends,
                    **facts,
                    **counts,
                }
            )
    schema.write(pd.DataFrame(rows).assign(**same), TABLES["transfer"], plan.table("ravdess", "transfer"))
    counts = [("calm", "neutral", 3), ("calm", "sad", 1), ("sad", "neutral", 0), ("sad", "sad", 4)]
    frame = pd.DataFrame(counts, columns=["label", "predicted", "count"]).assign(**same)
    schema.write(frame, TABLES["transfer_confusion"], plan.table("ravdess", "transfer_confusion"))
    return configuration.load()


def test_the_page_is_rendered_where_a_pair_is_active_and_only_there(transferred: Config) -> None:
    assert reports.notebooks(transferred)[-1] == transfer.NOTEBOOK
    page = render(transferred, transfer.NOTEBOOK).read_text()
    assert "demo/audio-only on ravdess [SYNTHETIC]" in page
    assert "Left out: 48 clips of classes without a counterpart in demo (calm 24, surprised 24)." in page
    for text in (
        "audio-only, runs vote",
        "audio-only, in demo",
        "ugcl of ravdess",
        "52.0 [42.0, 62.0]",
        "0.123",
    ):
        assert text in page, text
    finished.stand_in_figures(transferred)
    cards_of_all(transferred)
    front = context(transferred, paths.INDEX)
    assert any(link.endswith("11_transfer.html") for _, link in front["notebooks"])
    tables = {own["name"]: own["tables"] for own in front["benchmarks"]}
    assert ("transfer", "tables/ravdess/transfer.csv") in tables["ravdess"]
    assert "transfer" not in dict(tables["demo"])
    alone = transferred.model_copy(update={"active": ["ravdess"]})
    assert transfer.NOTEBOOK not in reports.notebooks(alone)
    assert "transfer" not in [kind.name for kind in figures.kinds(alone, "ravdess")]
    assert transfer.outputs(alone) == []


def test_the_figure_has_a_row_per_kind_with_its_interval(transferred: Config) -> None:
    axes = draw.draw(transferred, "ravdess", "transfer").axes[0]
    rows = ["audio-only, in demo", "audio-only, runs vote", "audio-only, one run", "ugcl of ravdess"]
    assert [text.get_text() for text in axes.get_yticklabels()] == rows
    points = [line.get_xdata()[0] for line in axes.get_lines() if len(line.get_xdata()) == 1]
    assert points == list(UAR.values())
    ends = [line.get_xdata().tolist() for line in axes.get_lines() if len(line.get_xdata()) == 2]
    assert ends == [pytest.approx([value - 0.1, value + 0.1]) for value in UAR.values()]


def test_the_confusion_is_in_per_cent_of_each_label(transferred: Config) -> None:
    cells = shown.confusion(read("transfer_confusion", "ravdess"))
    assert cells.to_numpy().tolist() == [["calm", "75", "25"], ["sad", "0", "100"]]


def test_the_tables_are_read_back_with_their_words(transferred: Config) -> None:
    text = tables.read(plan.table("ravdess", "transfer"))
    assert set(text["marks"]) == {"SYNTHETIC"} and read("transfer", "ravdess")["value"].notna().all()
