"""A search sees dev clips alone, goes on after a kill as if there were none, and prints what it found."""

from __future__ import annotations

import json

import pandas as pd
import pytest
import yaml
from filelock import FileLock
from typer.testing import CliRunner

from tests.unit.training.made_search import SPACE, change, make_search, peak, synthetic, trials
from ugcl import config
from ugcl.cli.main import app
from ugcl.data import tables
from ugcl.data.shards import FeatureStore
from ugcl.errors import UgclError
from ugcl.plan import paths
from ugcl.provenance import code
from ugcl.training.loop import Diverged
from ugcl.training.run import train_runs
from ugcl.training.search import tuning


@pytest.fixture
def project(tmp_path, monkeypatch):
    return make_search(tmp_path, monkeypatch)


def test_a_search_reads_training_and_dev_clips_and_no_test_clip(project, monkeypatch):
    train_and_dev, test = set(), set()
    for fold in (1, 2):
        split = tables.read_split(paths.split("made", "intended", fold))
        here = {part: set(split.loc[split["part"] == part, "clip"]) for part in ("train", "dev", "test")}
        train_and_dev |= here["train"] | here["dev"] if fold == 1 else set()
        test |= here["test"] if fold == 1 else set()
        # Were a test row looked up, an unknown clip would stop the search.
        unknown = split["clip"].where(split["part"] != "test", "no-such-clip-" + split["clip"])
        tables.write(split.assign(clip=unknown), paths.split("made", "intended", fold))
    read = set()
    get = FeatureStore.__getitem__
    monkeypatch.setattr(FeatureStore, "__getitem__", lambda self, clip: (read.add(clip), get(self, clip))[1])
    change(tune={"space": SPACE, "folds": [1]})
    tuning.tune(config.load(), "made", "concat", 2)
    assert len(test) == 12 and not read & test
    assert read == train_and_dev


def test_a_trials_value_is_the_dev_score_of_real_runs_with_the_printed_settings(project):
    done = CliRunner().invoke(app, ["tune", "made", "concat", "--trials", "3"], catch_exceptions=False)
    assert done.exit_code == 0
    printed = yaml.safe_load(done.stdout)
    assert set(printed["systems"]) == {"concat-tuned"}
    assert printed["systems"]["concat-tuned"]["extends"] == "concat"
    change(systems=printed["systems"])
    folders = train_runs(config.load(), "made", "concat-tuned", [0], [1, 2])
    scores = [json.loads((folder / "card.json").read_text())["selected"]["dev_uar"] for folder in folders]
    assert trials()["dev_uar"].max() == pytest.approx(sum(scores) / 2, abs=1e-6)
    assert f"dev UAR {sum(scores) / 2:.3f}" in done.stdout


def test_a_search_finds_the_peak_and_cuts_the_hopeless_short(project, monkeypatch):
    seen = synthetic(monkeypatch, peak)
    study = tuning.tune(config.load(), "made", "concat", 25)
    table = trials()
    assert len(table) == 25 and set(table["state"]) == {"complete", "pruned"}
    assert study.best_value > 0.8 and 0.005 < tuning.found(study, "concat")["train"]["lr"] < 0.02
    pruned, complete = (table[table["state"] == state] for state in ("pruned", "complete"))
    assert (complete["epochs"] == 10).all() and (pruned["epochs"] < 10).all()
    assert (pruned["epochs"] >= 5).all(), "the first fold comes to its end"
    assert len(seen) == table["epochs"].sum()
    assert (table["state"][:2] == "complete").all(), "nothing is cut short before the search has begun"
    for row in complete.itertuples():
        train = config.load().train.model_copy(
            update={"lr": float(f"{row[table.columns.get_loc('train.lr') + 1]:.4g}")}
        )
        assert row.dev_uar == pytest.approx((peak(train, 1) + peak(train, 2)) / 2, abs=1e-3)
    importances = pd.read_csv(paths.study_table("made", "concat", "importances"))
    assert importances["parameter"][0] == "train.lr"
    assert importances["importance"].sum() == pytest.approx(1, abs=1e-5)


def test_values_are_of_the_space_and_whole_where_the_parameter_is(project, monkeypatch):
    runs = []
    synthetic(monkeypatch, lambda train, fold: (runs.append(train), 0.5)[1])
    tuning.tune(config.load(), "made", "concat", 6)
    assert all(8 <= train.batch <= 24 and isinstance(train.batch, int) for train in runs)
    assert all(1e-4 <= train.lr <= 0.1 for train in runs)
    assert set(trials()["encoder.dropout"]) <= {0, 0.2, 0.4}
    assert len({train.lr for train in runs}) == 6


def test_the_first_trial_is_the_system_as_it_is_where_the_space_holds_it(project, monkeypatch):
    own = config.load().resolve("made", "concat")
    assert own.encoder.dropout not in (0, 0.4) and 1e-4 <= own.train.lr <= 0.1
    without = SPACE | {"encoder.dropout": {"choices": [0, 0.4]}}
    change(tune={"space": without | {"train.batch": {"low": own.train.batch, "high": own.train.batch + 8}}})
    synthetic(monkeypatch, peak)
    tuning.tune(config.load(), "made", "concat", 2)
    first, second = trials().to_dict("records")
    assert (first["train.lr"], first["train.batch"]) == (own.train.lr, own.train.batch)
    assert first["encoder.dropout"] in (0, 0.4)
    assert second["train.lr"] != own.train.lr


class Killed(BaseException):
    """Nothing in the project may catch it."""


def test_a_killed_search_goes_on_to_the_same_trials(project, monkeypatch):
    synthetic(monkeypatch, peak)
    tuning.tune(config.load(), "made", "concat", 12)
    undisturbed = trials().drop(columns="seconds")
    for path in paths.STUDIES.rglob("concat*"):
        path.unlink()
    for after in (7, 33):
        seen = []

        def interrupted(train, fold, seen=seen, after=after):
            seen.append(fold)  # an epoch
            if len(seen) > after:
                raise Killed
            return peak(train, fold)

        synthetic(monkeypatch, interrupted)
        with pytest.raises(Killed):
            tuning.tune(config.load(), "made", "concat", 12)
    assert 0 < len(trials()) < 12
    synthetic(monkeypatch, peak)
    tuning.tune(config.load(), "made", "concat", 12)
    pd.testing.assert_frame_equal(trials().drop(columns="seconds"), undisturbed)


def test_a_search_that_is_long_enough_trains_nothing(project, monkeypatch):
    seen = synthetic(monkeypatch, peak)
    tuning.tune(config.load(), "made", "concat", 3)
    before = len(seen)
    tuning.tune(config.load(), "made", "concat", 3)
    assert len(seen) == before
    tuning.tune(config.load(), "made", "concat", 4)
    assert len(trials()) == 4


def test_a_trial_that_diverges_counts_and_the_search_goes_on(project, monkeypatch):
    def curve(train, fold):
        if train.lr > 0.003:
            raise Diverged("the loss is not finite")
        return peak(train, fold)

    synthetic(monkeypatch, curve)
    tuning.tune(config.load(), "made", "concat", 12)
    table = trials()
    assert len(table) == 12
    assert (table.loc[table["train.lr"] > 0.0031, "state"] == "pruned").all()
    assert (table["train.lr"] > 0.0031).any() and (table["state"] == "complete").any()


def test_trials_that_cannot_be_compared_are_refused(project, monkeypatch):
    synthetic(monkeypatch, peak)
    tuning.tune(config.load(), "made", "concat", 1, "lineage")
    with pytest.raises(UgclError, match=r"other code, parameters or tune\.space; move it away") as caught:
        tuning.tune(config.load(), "made", "concat", 2, "another")
    assert "\n" not in str(caught.value)
    change(train={"epochs": 3})
    with pytest.raises(UgclError, match="move it away"):
        tuning.tune(config.load(), "made", "concat", 2, "lineage")


def test_two_searches_do_not_share_a_study(project, monkeypatch):
    synthetic(monkeypatch, peak)
    tuning.tune(config.load(), "made", "concat", 1)
    with FileLock(f"{paths.study('made', 'concat')}.lock"), pytest.raises(UgclError, match="another search"):
        tuning.tune(config.load(), "made", "concat", 2)


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        ({"tune": {"space": {}}}, "tune.space of params.yaml is empty"),
        ({"tune": {"folds": [9]}}, "tune.folds: made has no fold 9"),
        ({"train": {"devices": 2}}, "one device"),
    ],
)
def test_what_cannot_be_searched_is_said_in_one_line(project, sections, words):
    change(**sections)
    with pytest.raises(UgclError, match=words) as caught:
        tuning.tune(config.load(), "made", "concat", 1)
    assert "\n" not in str(caught.value)


def test_the_search_is_no_code_of_a_run():
    reached = code.reachable(["ugcl.training.run"])
    assert "ugcl.training.loop" in reached and "ugcl.training.search.tuning" not in reached
