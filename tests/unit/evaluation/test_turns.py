"""Scores by turn, after an emotion shift, and what context adds, on a dialogue that is counted by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

from tests.fixtures import talked
from ugcl import config as configuration
from ugcl.config import Config
from ugcl.config.protocols import Protocol
from ugcl.config.report import Evaluate
from ugcl.errors import UgclError
from ugcl.evaluation.dialogues import turns, view
from ugcl.plan import evaluation as outputs

PROTOCOL = Protocol(classes=["a", "b"], primary="war", intervals="dialogue")
SETTINGS = Evaluate(bootstrap=200, permutations=100)

# clip, dialogue, turn, speaker, label, prediction; out of order, and turn numbers have gaps
ROWS = [
    ("c3", "d1", 7, "x", "b", "b"),
    ("c1", "d1", 0, "x", "a", "a"),
    ("c2", "d1", 4, "y", "a", "b"),
    ("c4", "d1", 9, "x", "b", "a"),
    ("c5", "d1", 12, "y", "b", "a"),
    ("c6", "d2", 1, "x", "a", "a"),
    ("c7", "d2", 2, "x", "b", "a"),
    ("c8", "", np.nan, "x", "a", "b"),
]


def frame(**change: object) -> pd.DataFrame:
    columns = ["clip", "dialogue", "turn", "speaker", "label", "predicted"]
    table = pd.DataFrame(ROWS, columns=columns).assign(seed=0, fold=1, **change)
    unit = table["dialogue"].where(table["dialogue"] != "", table["clip"])
    return table.assign(unit=unit).sort_values("clip", ignore_index=True)


def test_places_and_labels_before_are_those_of_the_dialogue() -> None:
    places = turns.placed(frame()).set_axis(frame()["clip"])
    assert places["position"].tolist()[:7] == [0, 1, 2, 3, 4, 0, 1] and np.isnan(places["position"]["c8"])
    before = {"c1": "", "c2": "", "c3": "a", "c4": "b", "c5": "a", "c6": "", "c7": "a", "c8": ""}
    assert places["previous"].to_dict() == before


def test_the_rows_of_the_table_are_counted_by_hand() -> None:
    table = turns.turns({"one": frame()}, {}, PROTOCOL, SETTINGS)
    found = table.set_index(["attribute", "group"])
    counts = found[["clips", "dialogues", "value"]].round(6).apply(tuple, axis=1).to_dict()
    assert counts == {
        ("turn", "0"): (2, 2, 1.0),
        ("turn", "1"): (2, 2, 0.0),
        ("turn", "2"): (1, 1, 1.0),
        ("turn", "3–5"): (2, 1, 0.0),
        ("shift", "changed"): (3, 2, round(1 / 3, 6)),  # c3 right; c5 and c7 wrong
        ("shift", "same"): (1, 1, 0.0),  # c4
        ("shift", "first"): (3, 2, round(2 / 3, 6)),  # c1, c6 right; c2 wrong; c8 is in no dialogue
    }
    assert found.loc[("shift", "changed"), "kept"] == pytest.approx(2 / 3), "c5 and c7 get the label before"
    assert found.loc[("shift", "same"), "kept"] == 0 and found.loc["turn", "kept"].isna().all()
    assert found["ci_low"].isna().all(), "two dialogues are too few for an interval"


def test_without_an_order_no_clip_has_a_place() -> None:
    for table in (frame().drop(columns="turn"), frame(turn=np.nan), frame().drop(columns="dialogue")):
        assert turns.placed(table)["position"].isna().all()
        assert turns.turns({"one": table}, {}, PROTOCOL, SETTINGS).empty
    by_start = frame().rename(columns={"turn": "start"})
    assert turns.placed(by_start).equals(turns.placed(frame()))


def test_confusion_after_a_shift_counts_labels_and_predictions() -> None:
    table = turns.shifts({"one": frame()}, PROTOCOL.classes).set_index(["group", "label", "predicted"])[
        "count"
    ]
    changed, same = ("changed", "b", "a"), ("same", "b", "a")
    assert table[changed] == 2 and table["changed", "b", "b"] == 1 and table[same] == 1 and table.sum() == 4


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory, project) -> Config:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("talk"))
        yield talked.summarised(project)


def test_the_gain_is_the_difference_from_the_same_system_without_context(talk: Config) -> None:
    assert turns.counterparts(talk, "talk") == {"text-past": "text-alone", "text-context": "text-alone"}
    table = pd.read_csv(outputs.table("talk", "turns"), keep_default_na=False)
    rows = table[(table["attribute"] == "turn") & (table["group"] == "3–5")].set_index("system")
    value = rows["value"].astype(float)
    gain = float(rows.loc["text-context", "gain"])
    assert gain == pytest.approx(value["text-context"] - value["text-alone"], abs=2e-6)
    low, high = (float(rows.loc["text-context", f"gain_{end}"]) for end in ("low", "high"))
    assert low < gain < high and rows.loc["text-alone", "gain"] == ""
    files = [outputs.prediction("talk", "text-context", seed, 1) for seed in (0, 1)]
    expected = []
    for file in files:
        frame = pd.read_csv(file)
        place = frame["clip"].str.extract(r"utt(\d+)$")[0].astype(int)
        chosen = frame[place.between(3, 5)]
        expected.append(sk.f1_score(chosen["label"], chosen["predicted"], average="weighted"))
    assert value["text-context"] == pytest.approx(np.mean(expected), abs=2e-6)


def test_a_system_of_other_settings_is_no_counterpart(talk: Config) -> None:
    tree = configuration.read(Path("params.yaml"))
    own = {"method": {"name": "concat"}, "input": {"modalities": ["text"], "context": "dialogue"}}
    other = {"extends": "text-context", "input": {"context": "past"}, "train": {"lr": 0.5}}
    tree["systems"] |= {"text-context": own, "text-past": other}
    assert turns.counterparts(configuration.parse(tree), "talk") == {"text-context": "text-alone"}


def test_what_the_dialogues_are_is_counted(talk: Config) -> None:
    (row,) = pd.read_csv(outputs.table("talk", "dialogues")).to_dict("records")
    clips = talked.manifest(talk.protocol("talk").classes).query("part == 'test'")
    sizes = clips.groupby("dialogue").size()
    expected = {"intervals": "dialogue", "units": len(sizes), "dialogues": len(sizes), "turns": len(clips)}
    expected |= {"longest": sizes.max(), "speakers": 7, "recurring": 7}
    assert {key: row[key] for key in expected} == expected


def test_the_view_has_every_turn_in_order(talk: Config) -> None:
    found = view.view(talk, "talk", "text-context", "test_dia4")
    rows = talked.manifest(talk.protocol("talk").classes).query("dialogue == 'test_dia4'").sort_values("turn")
    assert found["clip"].tolist() == rows["clip"].tolist() and found["turn"].tolist() == list(
        range(len(rows))
    )
    assert found["text"].tolist() == rows["transcript"].tolist()
    frames = [
        pd.read_csv(outputs.prediction("talk", "text-context", seed, 1)).set_index("clip") for seed in (0, 1)
    ]
    p = sum(f.filter(like="p_") for f in frames).loc[found["clip"]] / 2
    assert found["confidence"].to_numpy() == pytest.approx(p.max(axis=1).to_numpy(), abs=1e-5)
    assert found["predicted"].tolist() == [name.removeprefix("p_") for name in p.idxmax(axis=1)]
    assert ((found["label"] == found["predicted"]) == (found["right"] == "yes")).all()


def test_turns_that_are_not_tested_are_shown_without_a_prediction(talk: Config) -> None:
    found = view.view(talk, "talk", "text-alone", "train_dia0")
    assert (
        (found["predicted"] == "").all() and found["confidence"].isna().all() and (found["label"] != "").all()
    )


def test_an_unknown_dialogue_is_one_line_with_names_like_it(talk: Config) -> None:
    with pytest.raises(UgclError, match="no dialogue 'test_dia' in the corpus of talk; like it: test_dia"):
        view.view(talk, "talk", "text-alone", "test_dia")
    with pytest.raises(UgclError, match="has no system 'other'"):
        view.view(talk, "talk", "other", "test_dia4")


def test_the_most_wrong_dialogues_come_first(talk: Config) -> None:
    names = view.most_wrong(talk, "talk", "text-alone", 24)
    wrong = [(view.view(talk, "talk", "text-alone", name)["right"] == "no").sum() for name in names]
    assert wrong == sorted(wrong, reverse=True) and wrong[0] > 0 and len(set(names)) == len(names)
