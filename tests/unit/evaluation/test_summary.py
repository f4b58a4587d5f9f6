"""From prediction files to tables: what the tables hold, and what they refuse."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from tests.fixtures import examined, finished
from ugcl import config as configuration
from ugcl.config import Config
from ugcl.data import tables
from ugcl.errors import UgclError
from ugcl.evaluation.schemas.summary import SUMMARY
from ugcl.evaluation.tables import benchmark as of_benchmark
from ugcl.evaluation.tables.score import score
from ugcl.evaluation.tables.summary import summarise
from ugcl.plan import evaluation as outputs
from ugcl.plan import paths
from ugcl.reports.tables.read import read


def scored(config: Config, lineage: str = "f00d") -> Config:
    for benchmark in config.active:
        score(config, benchmark, dict.fromkeys(config.benchmarks[benchmark].systems, lineage))
    return config


def table(name: str) -> pd.DataFrame:
    path = outputs.table("demo", name)
    return pd.read_csv(path, keep_default_na=False, dtype={"speaker": str, "lineage": str})


def test_summary_has_the_public_columns_and_every_system(summarised: Config) -> None:
    frame = table("summary")
    assert tuple(frame.columns) == SUMMARY
    systems = [*finished.SKILL, "chance", "majority", "raters:voice", "raters:face", "raters:multimodal"]
    assert list(dict.fromkeys(frame["system"])) == systems
    trained = frame[frame["system"].isin(list(finished.SKILL))]
    assert set(trained["lineage"]) == {"f00d"} and set(trained["seeds"]) == {2} and set(frame["folds"]) == {6}
    assert set(frame["label_target"]) == {"intended [SYNTHETIC]"}
    assert set(frame.loc[frame["system"] == "audio-only", "modalities"]) == {"audio"}
    assert all(path.is_file() for path in (*outputs.tables(summarised), *outputs.summary_outputs()))
    assert outputs.summary().read_bytes() == outputs.table("demo", "summary").read_bytes()


def test_values_are_those_of_the_predictions_pooled_and_averaged_over_seeds(summarised: Config) -> None:
    per_seed = []
    for seed in (0, 1):
        files = [outputs.prediction("demo", "ugcl", seed, fold) for fold in range(1, 7)]
        frame = pd.concat([pd.read_csv(file) for file in files])
        right = frame["label"] == frame["predicted"]
        per_seed.append(right.groupby(frame["label"]).mean().mean())
    rows = table("summary").query("system == 'ugcl' and metric == 'uar'").iloc[0]
    assert float(rows["value"]) == pytest.approx(np.mean(per_seed), abs=1e-6)
    assert float(rows["ci_low"]) < float(rows["value"]) < float(rows["ci_high"])
    assert rows["clips"] == len(frame) and rows["speakers"] == 12


def test_reference_rows_are_what_counting_gives(summarised: Config) -> None:
    frame = table("summary").set_index(["system", "metric"])["value"].astype(float)
    assert frame["chance", "uar"] == pytest.approx(1 / 6, abs=1e-6)
    manifest = tables.read_manifest(paths.manifest("demo"))
    bad = set(tables.read(paths.quarantine("demo"))["clip"])
    good = manifest[~manifest["clip"].isin(bad)]
    right = good["voice"] == good["intended"]
    assert (good["voice"] == "").any()
    assert frame["raters:voice", "war"] == pytest.approx(right.mean(), abs=1e-6)
    assert frame["raters:voice", "uar"] == pytest.approx(
        right.groupby(good["intended"]).mean().mean(), abs=1e-6
    )


def test_the_ledger_s_scores_are_the_summary_s(summarised: Config) -> None:
    tree = json.loads(outputs.metrics_json().read_text())
    frame = table("summary").set_index(["system", "metric"])["value"].astype(float)
    assert set(tree) == {"demo"} and set(tree["demo"]) == set(finished.SKILL)
    assert tree["demo"]["concat"] == {
        m: pytest.approx(frame["concat", m]) for m in ("uar", "war", "macro_f1")
    }


def test_ablations_name_what_they_change_and_leave_baselines_out(summarised: Config) -> None:
    frame = table("ablations").drop_duplicates("system").set_index("system")
    assert list(frame.index) == ["ugcl-no-ugcl", "ugcl-no-snd", "ugcl-neither"]
    assert frame.loc["ugcl-no-ugcl", "changes"] == "method.weights.contrast: 0.15 → 0"
    assert frame.loc["ugcl-no-snd", "changes"].split("; ") == [
        "method.weights.auxiliary: 0.15 → 0",
        "method.weights.matching: 0.15 → 0",
    ]
    compared = table("comparisons").query("metric == 'uar'").set_index("system")
    assert set(compared.index) == set(finished.SKILL) - {"ugcl"}
    assert (compared["p_holm"].astype(float) >= compared["p"].astype(float)).all()


def test_planned_and_exploratory_comparisons_are_corrected_apart(summarised: Config) -> None:
    tree = yaml.safe_load(Path("params.yaml").read_text())
    planned = ["ugcl-no-ugcl", "concat", "ugcl-no-snd"]
    tree["benchmarks"]["demo"]["planned"] = planned
    of_benchmark.write(configuration.parse(tree), "demo")
    for metric, rows in table("comparisons").groupby("metric"):
        for family, own in rows.groupby("family"):
            assert (family == "planned") == set(own["system"]).issubset(planned), metric
            assert (own["family_size"] == 3).all()
            p = own["p"].astype(float).sort_values()
            # Holm by hand: the k-th smallest of three times 3, 2, 1, never below the one before.
            expected = (p * [3, 2, 1]).cummax().clip(upper=1)
            assert own["p_holm"].astype(float).loc[p.index].tolist() == pytest.approx(
                expected.tolist(), abs=4e-6
            )
    ablations = table("ablations").query("metric == 'uar'").set_index("system")
    assert ablations.loc["ugcl-neither", "family"] == "exploratory"


def test_without_a_plan_every_comparison_is_exploratory(summarised: Config) -> None:
    tree = yaml.safe_load(Path("params.yaml").read_text())
    tree["benchmarks"]["demo"].pop("planned", None)
    of_benchmark.write(configuration.parse(tree), "demo")
    assert set(table("comparisons")["family"]) == {"exploratory"}


def test_a_plan_of_an_unknown_system_is_refused(summarised: Config) -> None:
    tree = yaml.safe_load(Path("params.yaml").read_text())
    tree["benchmarks"]["demo"]["planned"] = ["conkat"]
    with pytest.raises(UgclError, match=r"demo\.planned.*conkat"):
        configuration.parse(tree)


def test_optimism_is_the_best_test_epoch_minus_the_chosen_one(summarised: Config) -> None:
    row = table("optimism").query("system == 'concat' and seed == 1 and fold == 4").iloc[0]
    folder = paths.MODELS / paths.run("demo", "concat", 1, 4)
    history = pd.read_csv(folder / "history.csv").set_index("epoch")
    chosen = json.loads((folder / "card.json").read_text())["selected"]["epoch"]
    assert row["epoch"] == chosen
    assert row["optimism"] == pytest.approx(history["test_uar"].max() - history["test_uar"][chosen], abs=2e-6)
    assert (table("optimism")["optimism"] >= 0).all()


def test_ties_of_the_highest_dev_uar_are_counted_run_by_run(summarised: Config) -> None:
    files = {fold: paths.MODELS / paths.run("demo", "concat", 1, fold) / "history.csv" for fold in (1, 2)}
    for fold, path in files.items():
        history = tables.read(path)
        dev = ["0.500000"] * len(history)
        dev[: fold + 1] = ["0.750000"] * (fold + 1)
        tables.write(history.assign(dev_uar=dev), path)
        finished.enter_history(path.parent)
    of_benchmark.write(summarised, "demo")
    rows = table("runs").query("system == 'concat' and seed == 1").set_index("fold")
    assert (rows.loc[1, "tied_epochs"], rows.loc[2, "tied_epochs"]) == (2, 3)
    runs = table("runs").query("system == 'concat'")
    whole = table("optimism_by_system").set_index("system")
    assert whole.loc["concat", "tied_runs"] == (runs["tied_epochs"] > 1).sum() >= 2


def test_optimism_of_a_system_is_the_mean_of_its_runs(summarised: Config) -> None:
    runs = table("optimism").groupby("system")["optimism"]
    whole = table("optimism_by_system").set_index("system")
    assert (whole["runs"] == 12).all()
    for system, mean in runs.mean().items():
        row = whole.loc[system]
        assert row["optimism"] == pytest.approx(mean, abs=2e-6)
        assert 0 <= row["ci_low"] <= row["optimism"] <= row["ci_high"]


def test_tables_of_systems_have_every_system_and_mistakes_are_the_reference_s(summarised: Config) -> None:
    for name in ("subgroups", "per_speaker", "calibration", "pairs", "disagreement", "optimism_by_system"):
        assert list(dict.fromkeys(table(name)["system"])) == list(finished.SKILL), name
        assert table(name).columns[[0, -1]].tolist() == ["benchmark", "marks"], name
    assert set(table("errors")["system"]) == {"ugcl"}
    assert set(table("subgroups")["attribute"]) == {"sex", "age", "level", "sentence"}
    assert set(table("disagreement")["channel"]) == {"voice", "face", "multimodal"}
    assert table("published").empty


def test_number_columns_of_the_new_tables_are_read_as_numbers(summarised: Config) -> None:
    words = {"benchmark", "system", "marks", "speaker", "clip", "label", "predicted", "majority", "small"}
    words |= {
        "attribute",
        "group",
        "channel",
        "first",
        "second",
        "reference",
        "metric",
        "other",
        "family",
        "covers",
    }
    for name in ("subgroups", "per_speaker", "calibration", "pairs", "errors", "disagreement", "comparisons"):
        frame = read(name, "demo")
        for column in set(frame) - words:
            assert pd.api.types.is_numeric_dtype(frame[column]), (name, column)


def test_the_leak_audit_is_clean_and_counts_what_is_left(summarised: Config) -> None:
    parts = table("parts")
    assert (parts["shared"] == "").all()
    clips = table("clips")
    assert (clips["failure"] != "").sum() == 2
    assert parts.loc[parts["part"] == "test", "clips"].sum() == (clips["failure"] == "").sum()


def test_tables_are_the_same_bytes_when_made_again(summarised: Config) -> None:
    files = [*outputs.score_outputs("demo"), *outputs.tables(summarised), *outputs.summary_outputs()]
    before = {path: path.read_bytes() for path in files}
    scored(summarised)
    of_benchmark.write(summarised, "demo")
    summarise(summarised, ["demo"])
    assert {path: path.read_bytes() for path in before} == before


def test_a_system_that_was_taken_out_leaves_every_table(summarised: Config) -> None:
    tree = yaml.safe_load(Path("params.yaml").read_text())
    tree["benchmarks"]["demo"]["systems"].remove("concat")
    of_benchmark.write(configuration.parse(tree), "demo")
    assert "concat" in set(pd.read_csv(outputs.score("demo", "metrics"))["system"]), "scored before"
    for name in ("summary", "per_fold", "comparisons", "confusion", "learning_curves", "runs"):
        assert "concat" not in set(table(name)["system"]), name


def test_a_split_kept_with_its_leak_is_marked_in_every_row(finished_project: Config) -> None:
    tree = yaml.safe_load(Path("params.yaml").read_text())
    folds = {"scheme": "files", "files": [f"fold{k}.csv" for k in range(1, 7)], "allow_leak": True}
    tree["corpora"]["demo"]["protocols"]["intended"]["folds"] = folds
    first = paths.split("demo", "intended", 1)
    split = tables.read(first)
    test = split.index[split["part"] == "test"]
    moved = split.loc[test[:3], "clip"].tolist()
    split.loc[test[:3], "part"] = "train"
    tables.write(split, first)
    for system in ("ugcl", "concat"):
        for seed in (0, 1):
            path = outputs.prediction("demo", system, seed, 1)
            frame = tables.read(path)
            tables.write(frame[~frame["clip"].isin(moved)], path)
        examined.seal("demo", system)
    tree["benchmarks"]["demo"]["systems"] = ["ugcl", "concat"]
    of_benchmark.write(scored(configuration.parse(tree)), "demo")
    assert set(table("summary")["label_target"]) == {"intended [SYNTHETIC] [LEAKY]"}
    assert set(table("comparisons")["marks"]) == {"SYNTHETIC LEAKY"}
    shared = table("parts").query("fold == 1").set_index("part")["shared"]
    assert shared["train"] == shared["test"] != ""


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda f: f.drop(columns="p_sad"), "p_sad"),
        (lambda f: f.assign(predicted="joy"), "joy"),
        (lambda f: pd.concat([f, f.iloc[:1]]), "twice"),
        (lambda f: f.assign(p_sad="nan"), "finite"),
        (lambda f: f.iloc[1:], "lacks 1 of 24 of the test clips of fold 3, first 05_ANG_S0"),
        (lambda f: f.assign(clip=f["clip"].replace("05_ANG_S0", "01_ANG_S0")), "lacks 1"),
        (lambda f: pd.concat([f, f.iloc[:1].assign(clip="01_ANG_S0")]), "has 1 clips that are not"),
        (lambda f: f.assign(label=f["label"].replace("angry", "happy")), "label is happy instead of angry"),
        (lambda f: f.assign(speaker="99"), "05_ANG_S0: speaker is 99 instead of 05"),
        (lambda f: f.assign(p_sad="0.999999"), "the file was changed; predict again"),
        (lambda f: f.iloc[:0], "no clip"),
    ],
)
def test_broken_predictions_are_refused_by_name(finished_project: Config, harm, message: str) -> None:
    path = outputs.prediction("demo", "ugcl", 1, 3)
    tables.write(harm(tables.read(path)), path)
    with pytest.raises(UgclError, match=message):
        scored(finished_project)


@pytest.mark.parametrize("reader", ["score", "summary"])
@pytest.mark.parametrize("source", ["ugcl/seed1/fold2", "ugcl/seed0/fold3", "concat/seed1/fold3"])
def test_predictions_of_another_run_are_refused(summarised: Config, source: str, reader: str) -> None:
    """Another fold's, seed's or system's file; also where the clips and labels fit."""
    path = outputs.prediction("demo", "ugcl", 1, 3)
    path.write_bytes((paths.PREDICTIONS / "demo" / source).with_suffix(".csv").read_bytes())
    with pytest.raises(UgclError, match=r"ugcl/seed1/fold3\.csv: .*; predict again"):
        scored(summarised) if reader == "score" else of_benchmark.write(summarised, "demo")


def test_temperatures_and_histories_of_other_runs_are_refused(summarised: Config) -> None:
    ours, theirs = (outputs.temperature("demo", system) for system in ("ugcl", "concat"))
    before = ours.read_bytes()
    ours.write_bytes(theirs.read_bytes())
    with pytest.raises(UgclError, match=r"ugcl/temperature\.csv: system is concat instead of ugcl"):
        scored(summarised)
    ours.write_bytes(before)
    folder = paths.MODELS / paths.run("demo", "ugcl", 1, 3)
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps(card | {"files": {"model.safetensors": "a" * 64}}))
    with pytest.raises(UgclError, match=r"temperature\.csv: seed 1, fold 3: weights is .* instead of a{12}…"):
        scored(summarised)
    (folder / "card.json").write_text(json.dumps(card))
    (folder / "history.csv").write_bytes((folder / "../fold2/history.csv").read_bytes())
    with pytest.raises(UgclError, match=r"fold3/history\.csv: sha256 is .*; train this run again"):
        of_benchmark.write(summarised, "demo")


def test_a_split_or_label_that_changed_after_the_prediction_is_refused(summarised: Config) -> None:
    """As where the table of a corpus is corrected and only `score` is run again."""
    path = paths.split("demo", "intended", 3)
    split = path.read_text()
    path.write_text(split.replace("05_ANG_S0,test", "05_ANG_S0,train"))
    with pytest.raises(UgclError, match="has 1 clips that are not the test clips of fold 3, first 05_ANG_S0"):
        scored(summarised)
    path.write_text(split)
    manifest = tables.read(paths.manifest("demo"))
    wrong = manifest["clip"] == "05_ANG_S0"
    tables.write(manifest.assign(intended=manifest["intended"].mask(wrong, "sad")), paths.manifest("demo"))
    with pytest.raises(UgclError, match="05_ANG_S0: label is angry instead of sad; the manifest says so"):
        scored(summarised)


def test_an_unknown_benchmark_and_a_missing_score_are_named(finished_project: Config) -> None:
    with pytest.raises(UgclError, match="nowhere"):
        of_benchmark.write(finished_project, "nowhere")
    with pytest.raises(UgclError, match=r"metrics\.csv"):
        of_benchmark.write(finished_project, "demo")
