"""Trained systems on another corpus: which classes count, what is scored, and what is refused."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from sklearn.metrics import accuracy_score, recall_score

from tests.fixtures import two_corpora
from ugcl import config as configuration
from ugcl.cli.systems.transfer import _pair
from ugcl.data import tables
from ugcl.data.shards import FeatureInfo, FeatureStore, write_index, write_shard
from ugcl.errors import UgclError
from ugcl.evaluation.schemas import schema
from ugcl.evaluation.schemas.summary import TABLES
from ugcl.evaluation.tables.predictions import stack
from ugcl.evaluation.transfer import tables as transfer
from ugcl.inference import temperature
from ugcl.plan import evaluation as plan
from ugcl.plan import paths
from ugcl.training.state.checkpoint import load_run


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both corpora, with systems that were trained on each."""
    folder = tmp_path_factory.mktemp("corpora")
    two_corpora.finish(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for target in two_corpora.CLASSES:
            transfer.write(configuration.load(), target)
    return folder


@pytest.fixture
def here(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, the working folder."""
    shutil.copytree(made, tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "project"


def change(folder: Path, edit) -> None:
    tree = yaml.safe_load((folder / "params.yaml").read_text())
    edit(tree)
    (folder / "params.yaml").write_text(yaml.safe_dump(tree, sort_keys=False))


def table(target: str, name: str = "transfer") -> pd.DataFrame:
    path = plan.table(target, name)
    return schema.typed(tables.read(path), TABLES[name], path)


def value(frame: pd.DataFrame, metric: str, **where: str) -> pd.Series:
    for column, wanted in where.items():
        frame = frame[frame[column] == wanted]
    found = frame[frame["metric"] == metric]
    assert len(found) == 1
    return found.iloc[0]


def own_probabilities(seed: int, fold: int) -> pd.DataFrame:
    """What one run of acted/plain says of every clip of `played`, computed clip by clip from its weights."""
    store = FeatureStore(paths.features("played", "sound"), {"corpus": "played", "encoder": "sound"})
    manifest = tables.read_manifest(paths.manifest("played"))
    model, _ = load_run(paths.MODELS / paths.run("acted", "plain", seed, fold))
    from ugcl.data.dataset import ClipDataset

    rows = manifest[["clip", "speaker"]].assign(label="angry")
    clips = ClipDataset(rows, {"audio": store}, two_corpora.CLASSES["acted"])
    with torch.inference_mode():
        each = [model(clips.batch([i]))["logits"].double().softmax(1)[0].numpy() for i in range(len(rows))]
    return pd.DataFrame(each, index=manifest["clip"], columns=two_corpora.CLASSES["acted"])


def test_the_runs_of_a_seed_vote_among_the_classes_that_both_have(here):
    scores, counts = table("played"), table("played", "transfer_confusion")
    labels = tables.read_manifest(paths.manifest("played")).set_index("clip")["intended"]
    known = temperature.read("acted", "plain")
    uar, war, ece = [], [], {"ece": [], "ece_scaled": []}
    confused = pd.Series(
        0, index=pd.MultiIndex.from_product([two_corpora.CLASSES[n] for n in ("played", "acted")])
    )
    for seed in (0, 1):
        runs = {fold: own_probabilities(seed, fold) for fold in (1, 2, 3)}
        mean = sum(runs.values()) / 3
        first = mean.idxmax(axis=1)
        for pair, count in pd.crosstab(labels, first).stack().items():
            confused[pair] += count
        kept = labels != "bored"
        truth = labels[kept].replace({"anger": "angry"})
        among = mean.loc[kept, ["angry", "happy", "sad"]]
        said = among.idxmax(axis=1)
        uar.append(recall_score(truth, said, average="macro"))
        war.append(accuracy_score(truth, said))
        for name in ece:
            p = mean
            if name == "ece_scaled":
                logits = {fold: np.log(run) / known[seed, fold] for fold, run in runs.items()}
                p = sum(np.exp(x).div(np.exp(x).sum(axis=1), axis=0) for x in logits.values()) / 3
            p = p.loc[kept, ["angry", "happy", "sad"]]
            p = p.div(p.sum(axis=1), axis=0)
            order = np.argsort(p.max(axis=1).to_numpy(), kind="stable")
            gap = (p.idxmax(axis=1) == truth).to_numpy(float) - p.max(axis=1).to_numpy()
            ece[name].append(sum(abs(gap[bin].sum()) for bin in np.array_split(order, 15)) / len(order))
    of_pair = {"system": "plain", "kind": "ensemble"}
    assert value(scores, "uar", **of_pair)["value"] == pytest.approx(np.mean(uar), abs=1e-6)
    assert value(scores, "war", **of_pair)["value"] == pytest.approx(np.mean(war), abs=1e-6)
    for name, values in ece.items():
        assert value(scores, name, **of_pair)["value"] == pytest.approx(np.mean(values), abs=2e-4)
    found = counts[counts["system"] == "plain"].set_index(["label", "predicted"])["count"]
    pd.testing.assert_series_equal(found, confused, check_names=False, check_dtype=False)
    row = value(scores, "uar", **of_pair)
    assert (row["left_out"], row["left_out_clips"], row["unmatched"]) == ("bored 24", 24, "calm")
    assert (row["clips"], row["speakers"], row["seeds"]) == (72, 6, 2)
    assert row["ci_low"] < row["value"] < row["ci_high"]
    assert row["value"] > 0.5, "the features say the same in both corpora"


def test_the_target_s_own_systems_are_scored_on_the_same_clips_and_classes(here):
    own = stack(configuration.load(), "played", "by-speaker")
    kept = own[own["label"] != "bored"]
    said = kept[["p_anger", "p_happy", "p_sad"]].set_axis(["anger", "happy", "sad"], axis=1).idxmax(axis=1)
    each = [
        recall_score(kept["label"][i], said[i], average="macro") for i in kept.groupby("seed").groups.values()
    ]
    row = value(table("played"), "uar", system="plain", kind="own", scored="by-speaker")
    assert row["value"] == pytest.approx(np.mean(each), abs=1e-6)
    assert row["clips"] == 72


def test_one_run_by_itself_is_the_mean_over_runs(here):
    labels = tables.read_manifest(paths.manifest("played")).set_index("clip")["intended"]
    kept, each = labels != "bored", []
    for seed in (0, 1):
        for fold in (1, 2, 3):
            said = own_probabilities(seed, fold).loc[kept, ["angry", "happy", "sad"]].idxmax(axis=1)
            each.append(recall_score(labels[kept].replace({"anger": "angry"}), said, average="macro"))
    row = value(table("played"), "uar", system="plain", kind="single")
    assert row["value"] == pytest.approx(np.mean(each), abs=1e-6)


def test_a_named_class_counts_and_null_leaves_one_out(here):
    assert value(table("played"), "uar", system="by-speaker", kind="ensemble")["clips"] == 96
    assert value(table("played"), "uar", system="by-speaker", kind="ensemble")["left_out"] == ""
    row = value(table("acted"), "uar", kind="ensemble")
    assert (row["classes"], row["left_out"], row["unmatched"]) == ("sad happy anger", "calm 24", "bored")


def test_several_classes_of_the_target_may_count_as_one():
    frame = pd.DataFrame({"label": ["a", "b", "c"], "predicted": ["b", "c", "c"]})
    frame = frame.assign(p_a=[0.3, 0.3, 0.1], p_b=[0.4, 0.3, 0.1], p_c=[0.3, 0.4, 0.8])
    same = {"a": "low", "b": "low", "c": "high"}
    found = transfer.onto(frame, ["low", "high"], same, same)
    assert found["label"].tolist() == ["low", "low", "high"]
    assert found["predicted"].tolist() == ["low", "low", "high"]
    assert found["p_low"].tolist() == pytest.approx([0.7, 0.6, 0.2])


def test_a_recording_that_both_corpora_have_is_refused(here):
    manifest = tables.read_manifest(paths.manifest("played"))
    own = tables.read_manifest(paths.manifest("acted"))
    manifest.loc[7, "audio_sha256"] = own.loc[3, "audio_sha256"]
    tables.write(manifest, paths.manifest("played"))
    clips = (
        f"clip {manifest.loc[7, 'clip']} of played has the same audio file as {own.loc[3, 'clip']} of acted"
    )
    with pytest.raises(UgclError, match=clips):
        transfer.write(configuration.load(), "played")


def test_speakers_of_one_published_corpus_under_two_names_are_refused(here):
    def same_release(tree):
        for corpus in tree["corpora"].values():
            corpus["adapter"] = "ravdess"

    change(here, same_release)
    manifest = tables.read_manifest(paths.manifest("played"))
    manifest["speaker"] = manifest["speaker"].replace({"played5": "acted5"})
    tables.write(manifest, paths.manifest("played"))
    with pytest.raises(UgclError, match="acted and played are both read as ravdess and share speaker acted5"):
        transfer.write(configuration.load(), "played")


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (
            lambda t: t["transfer"][0].update(target="acted"),
            "transfer.0: acted/plain was trained on clips of acted",
        ),
        (
            lambda t: t["transfer"][0].update(trained="acted/other"),
            "'other' is not in benchmarks.acted.systems",
        ),
        (
            lambda t: t["transfer"][0].update(classes={"rage": "angry"}),
            "'rage' is not in the classes of played",
        ),
        (
            lambda t: t["transfer"][0].update(classes={"anger": "rage"}),
            "'rage' is not in the classes of acted",
        ),
        (lambda t: t["transfer"][0].update(classes={"sad": None, "happy": None}), "say of at least two"),
        (
            lambda t: (
                t["encoders"].update(other=t["encoders"]["sound"] | {"pool": 2}),
                t["benchmarks"]["played"]["features"].update(audio="other"),
            ),
            "benchmarks.played.features.audio: encoder 'other' has pool 2, but acted/plain was trained on"
            " 'sound' with 1; extract played with the same settings",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused_in_one_line(here, edit, message):
    change(here, edit)
    with pytest.raises(UgclError, match=message) as caught:
        configuration.load()
    assert "\n" not in str(caught.value)


def test_a_file_of_features_and_the_encoder_that_gives_the_same_may_be_named(here):
    def two_encoders(tree, encoders):
        tree["encoders"] |= {
            "file": {"kind": "sequences", "path": "x.npz", "rate": 43.06640625, "pool": 4},
            "mel": {"kind": "melspectrogram", "pool": 4},
        }
        tree["benchmarks"]["acted"]["features"]["audio"] = "file"
        tree["benchmarks"]["played"]["features"]["audio"] = "mel"
        tree["transfer"] = [tree["transfer"][0] | {"encoders": encoders}]

    change(here, lambda tree: two_encoders(tree, {}))
    with pytest.raises(UgclError, match="name both in the pair's encoders if their values are equal"):
        configuration.load()
    change(here, lambda tree: two_encoders(tree, {"file": "mell"}))
    with pytest.raises(UgclError, match="'mell' is not in encoders"):
        configuration.load()
    change(here, lambda tree: two_encoders(tree, {"file": "mel"}))
    assert configuration.load().transfer[0].encoders == {"file": "mel"}
    named = _pair(configuration.load(), "acted/plain", "played", ["sad="])
    assert named.encoders == {"file": "mel"} and named.classes["sad"] is None


def test_encoders_that_are_said_to_be_equal_must_have_the_same_shape(here):
    def other(tree):
        tree["encoders"]["thin"] = tree["encoders"]["sound"] | {"rate": 50.0}
        tree["benchmarks"]["played"]["features"]["audio"] = "thin"
        tree["transfer"] = [tree["transfer"][0] | {"encoders": {"sound": "thin"}}]

    change(here, other)
    folder, shape = paths.features("played", "thin"), FeatureInfo("thin", 4, rate=50.0)
    clips = tables.read_manifest(paths.manifest("played"))["clip"]
    write_shard(folder, 1, {c: np.ones((5, 4)) for c in clips}, {}, shape, {}, {"corpus": "played"})
    write_index(folder, 1)
    with pytest.raises(UgclError, match=r"audio features of played: rate is 50\.0 instead of 25\.0"):
        transfer.write(configuration.load(), "played")


def test_a_run_that_was_trained_on_features_of_other_settings_is_refused(here):
    def other(tree):  # of both now: the parameters agree, and the run's card does not
        tree["encoders"]["sound"]["last_fields"] = 2

    change(here, other)
    with pytest.raises(UgclError, match="has last_fields 2, but acted/plain was trained on 'sound' with 0"):
        transfer.write(configuration.load(), "played")


def test_the_command_prints_and_writes_the_same_scores(here):
    command = [sys.executable, "-m", "ugcl", "transfer", "acted/plain", "played"]
    done = subprocess.run([*command, "--out", "scores.csv"], capture_output=True, text=True, check=True)
    written = tables.read(Path("scores.csv"))
    again = tables.read(plan.table("played", "transfer"))
    again = again[again["system"] == "plain"].reset_index(drop=True)
    pd.testing.assert_frame_equal(written[list(again)], again)
    row = value(table("played"), "uar", system="plain", kind="ensemble")
    assert f"{100 * row['value']:.1f} [" in done.stdout
    assert "Left out: 24 clips of classes without a counterpart in acted (bored 24)" in done.stdout
    named = _pair(configuration.load(), "acted/plain", "played", ["bored=calm", "sad="])
    assert named.classes == {"anger": "angry", "bored": "calm", "sad": None}
    wrong = subprocess.run([*command, "--class", "bored:calm"], capture_output=True, text=True, check=False)
    assert (wrong.returncode, wrong.stderr.count("\n")) == (1, 1)
