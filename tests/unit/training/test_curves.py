"""Curves while training: what files hold, that a resumed run continues them, that no result changes."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import logging
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tests.unit.training.made_project import make_project
from ugcl import config
from ugcl.plan import paths
from ugcl.training import selection
from ugcl.training.curves import files
from ugcl.training.curves.progress import shown
from ugcl.training.run import train_runs

RUN = Path("made/ugcl/seed0/fold1")
HISTORY = {
    "loss/train": "loss",
    "loss/dev": "dev_loss",
    "dev/uar": "dev_uar",
    "dev/war": "dev_war",
    "lr": "lr",
    "train/classification": "classification",
    "train/contrast": "contrast",
    "train/matching": "matching",
    "train/auxiliary": "auxiliary",
}


class Killed(BaseException):
    """What ends a run in the middle."""


@pytest.fixture
def project(tmp_path):
    root = make_project(tmp_path / "project", ema={"decay": 0.9}, epochs=5, save_every=0)
    with contextlib.chdir(root):
        yield root


def events(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Tag → step and value of each point, as TensorBoard itself reads them."""
    found = EventAccumulator(str(folder))
    found.Reload()
    return {tag: [(e.step, e.value) for e in found.Scalars(tag)] for tag in found.Tags()["scalars"]}


def tsv(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Metric → step and value of each point, of a folder as DVCLive writes it."""
    found, metrics = {}, folder / "plots" / "metrics"
    for path in metrics.rglob("*.tsv"):
        with path.open(newline="") as file:
            rows = [(int(r["step"]), float(r[path.stem])) for r in csv.DictReader(file, delimiter="\t")]
        found[path.relative_to(metrics).with_suffix("").as_posix()] = rows
    return found


def agrees(found: dict[str, list[tuple[int, float]]], history: pd.DataFrame) -> None:
    for tag, column in HISTORY.items():
        assert [step for step, _ in found[tag]] == history["epoch"].tolist(), tag
        # The history is written with six digits, event files hold 32 bits.
        assert [value for _, value in found[tag]] == pytest.approx(history[column].tolist(), abs=2e-6)
    assert not any("test" in tag for tag in found)


def observers(folder: Path) -> list:
    return [files.tensorboard(folder / "tb"), files.dvclive(folder / "live")]


def test_both_kinds_of_files_hold_what_the_history_holds(project):
    train_runs(config.load(), "made", "ugcl", [0], [1], observe=observers(project))
    history = pd.read_csv(paths.MODELS / RUN / "history.csv")
    assert len(history) == 5
    agrees(events(project / "tb" / RUN), history)
    agrees(tsv(project / "live" / RUN), history)
    latest = json.loads((project / "live" / RUN / "metrics.json").read_text())
    assert latest["step"] == 5 and latest["dev"]["uar"] == pytest.approx(
        history["dev_uar"].iloc[-1], abs=2e-6
    )


def test_points_are_there_while_the_run_is_trained(project):
    seen = []

    def look(run, epochs):
        return lambda row: seen.append((epochs, events(project / "tb" / RUN)["loss/train"][-1][0]))

    train_runs(config.load(), "made", "ugcl", [0], [1], observe=[files.tensorboard(project / "tb"), look])
    assert seen == [(5, epoch) for epoch in range(1, 6)]


@pytest.mark.parametrize("pack", [1, 2])
def test_a_killed_run_goes_on_in_the_same_curves(tmp_path, monkeypatch, pack):
    """Killed after epoch 4, whose state was not kept: epochs 3 and 4 are trained again, once in the curve."""
    root = make_project(tmp_path / "project", epochs=6, save_every=0, pack=pack)
    monkeypatch.chdir(root)
    seeds = list(range(pack))

    def kill(run, epochs):
        def take(row):
            if row["epoch"] == 2:
                monkeypatch.setattr("ugcl.training.state.resume.save", lambda *a: None)
            if row["epoch"] == 4:
                raise Killed

        return take

    from ugcl.training.state import resume

    save = resume.save
    with pytest.raises(Killed):
        train_runs(config.load(), "made", "concat", seeds, [1], observe=[*observers(root), kill])
    run = Path("made/concat/seed0/fold1")
    assert [step for step, _ in events(root / "tb" / run)["loss/train"]] == [1, 2, 3, 4]
    monkeypatch.setattr("ugcl.training.state.resume.save", save)
    firsts = []

    def first(run, epochs):
        return lambda row: firsts.append(row["epoch"])

    train_runs(config.load(), "made", "concat", seeds, [1], observe=[*observers(root), first])
    for seed in seeds:
        run = Path(f"made/concat/seed{seed}/fold1")
        history = pd.read_csv(paths.MODELS / run / "history.csv")
        for found in (events(root / "tb" / run), tsv(root / "live" / run)):
            assert [step for step, _ in found["loss/train"]] == [1, 2, 3, 4, 5, 6]
            values = [value for _, value in found["loss/dev"]]
            assert values == pytest.approx(history["dev_loss"].tolist(), abs=2e-6)
    assert firsts.count(1) == pack, "the epochs of the state are given first"


def test_curves_change_no_result(project):
    train_runs(config.load(), "made", "ugcl", [0], [1], "abc")
    folder = paths.MODELS / RUN
    plain = [(folder / "model.safetensors").read_bytes(), pd.read_csv(folder / "history.csv")]
    train_runs(config.load(), "made", "ugcl", [0], [1], "abc", observe=observers(project))
    again = [(folder / "model.safetensors").read_bytes(), pd.read_csv(folder / "history.csv")]
    assert plain[0] == again[0]
    pd.testing.assert_frame_equal(plain[1].drop(columns="seconds"), again[1].drop(columns="seconds"))


def test_a_second_training_replaces_the_curves_of_the_first(project):
    for _ in range(2):
        train_runs(config.load(), "made", "ugcl", [0], [1], observe=observers(project))
    assert [step for step, _ in events(project / "tb" / RUN)["lr"]] == [1, 2, 3, 4, 5]
    assert [step for step, _ in tsv(project / "live" / RUN)["lr"]] == [1, 2, 3, 4, 5]


def test_dvc_shows_the_curves(project):
    train_runs(config.load(), "made", "ugcl", [0], [1], observe=[files.dvclive(project / "live")])
    for command in (["git", "init", "-q"], [sys.executable, "-m", "dvc", "init", "-q"]):
        subprocess.run(command, check=True, capture_output=True)

    def dvc(*command: str) -> dict:
        done = subprocess.run(
            [sys.executable, "-m", "dvc", *command], capture_output=True, text=True, check=True
        )
        return json.loads(done.stdout)

    history = pd.read_csv(paths.MODELS / RUN / "history.csv")
    (shown_now,) = dvc("metrics", "show", "--json").values()
    metrics = shown_now["data"][f"live/{RUN}/metrics.json"]["data"]
    assert metrics["loss"]["dev"] == pytest.approx(history["dev_loss"].iloc[-1], abs=2e-6)
    plots = json.dumps(dvc("plots", "show", "--json"))
    for name in ("loss/train.tsv", "loss/dev.tsv", "dev/uar.tsv", "lr.tsv"):
        assert name in plots


def test_the_command_takes_folders_from_options_and_the_environment(project):
    command = [sys.executable, "-m", "ugcl", "train", "made", "concat", "--progress", "--tensorboard", "tb"]
    environment = {
        "UGCL_DVCLIVE": "live",
        "PATH": "",
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": ":".join(sys.path),
    }
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    run = Path("made/concat/seed0/fold1")
    assert [step for step, _ in events(Path("tb") / run)["loss/train"]] == [1, 2, 3, 4, 5]
    assert len(tsv(Path("live") / run)["loss/train"]) == 5
    assert "epoch 5/5" in done.stderr, "without a terminal the log is as it was"
    assert "made/concat/seed0/fold1" in done.stderr and "5/5 loss" in done.stderr


def test_on_a_terminal_a_run_is_one_line_with_its_scores_and_the_log_stands_above():
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=120, color_system=None)
    log, handler = logging.getLogger("ugcl.training.selection"), logging.StreamHandler(io.StringIO())
    logging.getLogger().addHandler(handler)
    train = type("Train", (), {"epochs": 3})
    try:
        with shown("uar", console) as begin:
            take = begin(paths.MODELS / RUN, 3)
            row = {
                "epoch": 1,
                "loss": 1.25,
                "dev_loss": 1.5,
                "dev_uar": 0.625,
                "dev_war": 0.5,
                "seconds": 1.0,
            }
            take(row)
            state = type("State", (), {"history": [row], "best": row})
            selection.log_epoch(state, train, "uar")
            logging.getLogger("ugcl.training.run").warning("a line of the log")
            begin(paths.MODELS / "made/ugcl/seed0/fold2", 3)
    finally:
        logging.getLogger().removeHandler(handler)
    assert log.level == logging.NOTSET
    text = screen.getvalue()
    assert f"{RUN.as_posix()}" in text and "loss 1.250, dev loss 1.500, dev uar 0.625" in text
    assert "epoch 1/3" not in text + handler.stream.getvalue()
    assert "a line of the log" in text
    assert "1/1" in text, "a run that stopped early has nothing left"
