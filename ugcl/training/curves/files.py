"""Curves as files: TensorBoard's event files, and the folders of DVCLive.

A run is written anew when its training starts or goes on: the loop gives the epochs of the saved state first,
so that no epoch is twice in a curve, and none is there that was trained again after a kill.
"""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ugcl import files
from ugcl.errors import UgclError
from ugcl.plan import paths

Take = Callable[[dict[str, float]], None]
"""Takes an epoch's row of a run's history."""

EVENTS = "events.out.tfevents.*"
NAMES = {"loss": "loss/train", "dev_loss": "loss/dev", "lr": "lr", "seconds": "seconds"}


def scalars(row: Mapping[str, float]) -> dict[str, float]:
    """An epoch's row of the history by the names of its curves.

    Test scores are left out: a curve of them, seen while training, would invite choosing by it.

    Returns:
        `loss/train`, `loss/dev`, `dev/<metric>`, `lr`, `seconds`, and `train/<name>` for the classification
        loss, each term and each fact of the method.
    """
    found = {}
    for name, value in row.items():
        if name == "epoch" or name.startswith("test_"):
            continue
        if name not in NAMES and name.startswith("dev_"):
            found[f"dev/{name.removeprefix('dev_')}"] = float(value)
        else:
            found[NAMES.get(name, f"train/{name}")] = float(value)
    return found


def place(root: Path, run: Path) -> Path:
    """The folder of a run's curves: root/<benchmark>/<system>/seed<s>/fold<k>."""
    return root / run.relative_to(paths.MODELS)


def tensorboard(root: Path) -> Callable[[Path, int], Take]:
    """What writes event files below a folder, for `tensorboard --logdir`; an epoch is a step.

    Raises:
        UgclError: TensorBoard is not installed.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise UgclError("--tensorboard: not installed; pip install -e '.[tensorboard]'") from None

    def begin(run: Path, epochs: int) -> Take:
        folder = place(root, run)
        for old in folder.glob(EVENTS):
            old.unlink()
        writer = SummaryWriter(folder)

        def take(row: dict[str, float]) -> None:
            for name, value in scalars(row).items():
                writer.add_scalar(name, value, int(row["epoch"]))
            writer.flush()

        return take

    return begin


def dvclive(root: Path) -> Callable[[Path, int], Take]:
    """What writes folders as DVCLive does, for `dvc plots` and DVC's extension of VS Code.

    A run's folder has metrics.json (the last epoch), plots/metrics/<name>.tsv (step and value) and a dvc.yaml
    that names both.

    Source: DVCLive 3, "How it works" and `Live.log_metric`.
    """

    def begin(run: Path, epochs: int) -> Take:
        folder = place(root, run)
        shutil.rmtree(folder / "plots", ignore_errors=True)
        text = "metrics:\n- metrics.json\nplots:\n- plots/metrics:\n    x: step\n"
        files.write(folder / "dvc.yaml", text)

        def take(row: dict[str, float]) -> None:
            step = int(row["epoch"])
            latest: dict[str, Any] = {"step": step}
            for name, value in scalars(row).items():
                _append(folder / "plots" / "metrics" / f"{name}.tsv", step, value)
                *above, own = name.split("/")
                inner = latest
                for key in above:
                    inner = inner.setdefault(key, {})
                inner[own] = value
            files.write(folder / "metrics.json", json.dumps(latest, indent=4) + "\n")

        return take

    return begin


def _append(path: Path, step: int, value: float) -> None:
    new = not path.exists()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        if new:
            writer.writerow(["step", path.stem])
        writer.writerow([step, value])
