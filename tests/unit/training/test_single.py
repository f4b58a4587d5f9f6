"""Training on one CPU needs neither Fabric nor torch's compiler, and gives the same numbers without them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.unit.training.made_project import make_project
from ugcl import config
from ugcl.training import devices
from ugcl.training.run import train_runs

RUN = Path("results/models/made/ugcl/seed0/fold1/model.safetensors")
SWITCHES = {"sam": {"radius": 0.05}, "accumulate": 2, "clip": 0.05, "batch": 8}


@pytest.mark.parametrize("train", [SWITCHES, {"pack": 2, "clip": 0.05}], ids=["alone", "in step"])
def test_weights_are_those_of_fabric_to_the_bit(tmp_path, monkeypatch, train):
    make_project(tmp_path, **train)
    monkeypatch.chdir(tmp_path)
    train_runs(config.load(), "made", "ugcl", [0, 1], [1])
    own = load_file(RUN)
    monkeypatch.setattr(devices, "_is_plain", lambda train: False)
    train_runs(config.load(), "made", "ugcl", [0, 1], [1])
    theirs = load_file(RUN)
    assert own.keys() == theirs.keys()
    for name in own:
        assert torch.equal(own[name], theirs[name]), name


def test_a_training_starts_without_what_it_does_not_use(tmp_path):
    make_project(tmp_path)
    code = """if True:
    import sys
    from ugcl import config
    from ugcl.training.run import train_runs
    train_runs(config.load(), "made", "ugcl", [0], [1])
    slow = {"lightning_fabric", "torch._dynamo", "sympy", "scipy", "sklearn", "transformers"}
    assert not slow & set(sys.modules), slow & set(sys.modules)
    """
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True)


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="the system does not say what is mapped")
def test_a_run_s_memory_is_its_own_and_not_that_of_files(tmp_path):
    (tmp_path / "large").write_bytes(bytes(200 * 2**20))
    code = """if True:
    import mmap
    import numpy as np
    from ugcl.training.devices import peak_memory
    before = peak_memory()
    with open("large", "rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    assert sum(mapped[:: 4096]) == 0
    assert peak_memory() - before < 20, (before, peak_memory())
    own = np.ones(100 * 2**20, dtype=np.uint8)
    del own
    print(peak_memory() - before)
    """
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True, capture_output=True
    )
    assert float(done.stdout) >= 90
