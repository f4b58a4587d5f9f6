"""What stops a run says why, and every switch leaves it resumable to the same bits."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch

from tests.unit.training.made_project import make_project
from ugcl import config
from ugcl.data.dataset import ClipDataset
from ugcl.errors import UgclError
from ugcl.methods.concat import Concat
from ugcl.training import loop, selection
from ugcl.training.devices import memory_advice
from ugcl.training.run import train_runs
from ugcl.training.state import resume

FOLDER = Path("results/models/made/ugcl/seed0/fold1")
EVERYTHING = {
    "mixup": {"alpha": 0.4},
    "spec_augment": {"time_masks": 2, "feature_masks": 1, "feature_share": 0.4},
    "sam": {"radius": 0.05},
    "accumulate": 2,
    "ema": {"decay": 0.9},
}


@pytest.fixture
def project(tmp_path, monkeypatch):
    def make(**train):
        make_project(tmp_path, **train)
        monkeypatch.chdir(tmp_path)
        return config.load()

    return make


def broken_clip(monkeypatch, name):
    """Let one training clip have a feature that is not a number."""
    read = ClipDataset.features

    def features(self, modality, index):
        x = read(self, modality, index)
        return x * float("nan") if self.clips[index] == name and modality == "audio" else x

    monkeypatch.setattr(ClipDataset, "features", features)
    monkeypatch.setattr(ClipDataset, "statistics", lambda self: {})


def test_a_loss_that_is_no_number_names_the_batchs_clips_and_the_broken_one(project, monkeypatch):
    parameters = project(batch=8, modality_dropout=None)
    broken_clip(monkeypatch, "s1_sad_2")
    with pytest.raises(UgclError) as caught:
        train_runs(parameters, "made", "concat", [0], [1])
    message = str(caught.value)
    assert "\n" not in message
    assert "epoch 1, step " in message and " of 6: the loss is not finite (classification)" in message
    assert "features of s1_sad_2 again" in message
    clips = message.split("its clips: ")[1].split(", ")
    assert len(clips) == 8 and "s1_sad_2" in clips


def test_a_learning_rate_that_is_too_high_is_named(project):
    parameters = project(lr=1e30, warmup=0, clip=1e30)
    with pytest.raises(loop.Diverged, match=r"epoch \d+, step \d of 3: .* lower train.lr; its clips: s\d_"):
        train_runs(parameters, "made", "concat", [0], [1])


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
            ["train.batch (now 16)", "bf16"],
        ),
        (MemoryError(), ["train.batch (now 16)", "train.cache (now 2048 MiB)"]),
    ],
)
def test_too_little_memory_says_which_setting_to_lower(project, monkeypatch, error, words):
    parameters = project()

    def fail(*_):
        raise error

    monkeypatch.setattr(loop, "objective", fail)
    with pytest.raises(UgclError) as caught:
        train_runs(parameters, "made", "concat", [0], [1])
    for word in ["out of memory", "train.accumulate (now 1)", *words]:
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_real_failure_of_the_cpus_allocator_is_known_and_other_faults_pass(project):
    train = project().train
    with pytest.raises(UgclError, match=r"train\.cache"), memory_advice(train):
        torch.empty(10**16)
    with pytest.raises(RuntimeError, match="shape"), memory_advice(train):
        torch.empty(2).view(3)


def test_the_state_is_saved_when_its_time_has_come(project, monkeypatch):
    parameters = project(epochs=6, save_every=10, patience=6)
    now = [0.0]
    saved = []
    judge = selection.scores

    def three_seconds_each(*arguments):
        now[0] += 1.5  # an epoch is judged on dev and on test
        return judge(*arguments)

    monkeypatch.setattr(loop.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(selection, "scores", three_seconds_each)
    monkeypatch.setattr(resume, "save", lambda folder, state, key: saved.append((state.epoch, now[0])))
    train_runs(parameters, "made", "concat", [0], [1])
    assert saved == [(4, 12.0), (6, 18.0)], "ten seconds after the start, not ten after that, and at the end"


@pytest.mark.parametrize("last", [1, 2, 4])
def test_with_every_switch_on_a_run_goes_on_from_any_saved_epoch_to_the_same_bits(project, monkeypatch, last):
    parameters = project(epochs=5, patience=5, save_every=0, **EVERYTHING)
    train_runs(parameters, "made", "ugcl", [0], [1])
    weights = (FOLDER / "model.safetensors").read_bytes()
    rows = (FOLDER / "history.csv").read_text()

    class Killed(Exception):
        pass

    save = resume.save

    def kill(folder, state, key):
        save(folder, state, key)
        if state.epoch == last:
            raise Killed

    monkeypatch.setattr(resume, "save", kill)
    with pytest.raises(Killed):
        train_runs(parameters, "made", "ugcl", [0], [1])
    monkeypatch.setattr(resume, "save", save)
    epochs = []
    monkeypatch.setattr(loop, "_epoch", _counted(loop._epoch, epochs))
    train_runs(parameters, "made", "ugcl", [0], [1])
    assert epochs == list(range(last + 1, 6))
    assert (FOLDER / "model.safetensors").read_bytes() == weights
    without_seconds = [
        [line.rsplit(",", 1)[0] for line in text.splitlines()]
        for text in (rows, (FOLDER / "history.csv").read_text())
    ]
    assert without_seconds[0] == without_seconds[1]


def _counted(run_epoch, epochs):
    def counted(*arguments):
        epochs.append(next(a for a in arguments if type(a) is int))
        return run_epoch(*arguments)

    return counted


@pytest.mark.parametrize("switch", ["mixup", "spec_augment", "sam"])
def test_each_switch_changes_what_is_learnt(project, switch):
    train_runs(project(epochs=1), "made", "concat", [0], [1])
    folder = Path("results/models/made/concat/seed0/fold1/model.safetensors")
    plain = folder.read_bytes()
    train_runs(project(epochs=1, **{switch: EVERYTHING[switch]}), "made", "concat", [0], [1])
    assert folder.read_bytes() != plain


@pytest.mark.parametrize(("switch", "seen"), [(None, [1, 2, 3]), ({"radius": 0.05}, [1, 3, 5])])
def test_facts_are_of_the_first_look_at_a_batch(project, monkeypatch, switch, seen):
    """With SAM, each of the three batches is seen twice; the second time is not reported."""
    calls = []

    def counted(self, outputs, batch):
        calls.append(len(batch))
        self.record("looks", torch.tensor(float(len(calls))))
        return {}

    monkeypatch.setattr(Concat, "terms", counted)
    (folder,) = train_runs(project(epochs=1, sam=switch), "made", "concat", [0], [1])
    assert calls == [16] * (6 if switch else 3)
    assert pd.read_csv(folder / "history.csv")["looks"].tolist() == [pytest.approx(sum(seen) / 3)]


def test_a_job_of_slurm_uses_all_devices_of_a_run(tmp_path):
    """Slurm's job is one task, which starts a process for each further device itself."""
    code = (
        "from ugcl.config.system.train import Train; from ugcl.training.devices import launch;"
        "fabric = launch(Train(accelerator='cpu', devices=2));"
        "print(f'device {fabric.global_rank} of {fabric.world_size}')"
    )
    # The process for the second device runs the same file.
    script = tmp_path / "devices.py"
    script.write_text(code)
    job = {"SLURM_JOB_ID": "7", "SLURM_JOB_NAME": "run", "SLURM_NTASKS": "1", "SLURM_PROCID": "0"}
    job |= {"SLURM_LOCALID": "0", "SLURM_NODEID": "0"}
    found = subprocess.run(
        [sys.executable, str(script)], env=os.environ | job, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stderr[-3000:]
    assert "device 0 of 2" in found.stdout
