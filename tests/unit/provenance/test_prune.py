"""Prune finds what no active benchmark asks for, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from ugcl.config import parse, read
from ugcl.plan import paths
from ugcl.provenance import kept as kept_tables
from ugcl.provenance import lineage, prune


def place(path: Path, size: int = 10) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    return path


def test_only_unwanted_results_are_listed_and_removed(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    tree = read(project / "params.yaml")
    tree["benchmarks"]["demo"]["label_noise"] = {"ugcl": [0.1]}
    config = parse(tree)
    kept = [
        place(paths.MODELS / paths.run("demo", "ugcl+labels0.1", 0, 1) / "model.safetensors"),
        place(paths.PREDICTIONS / "demo/ugcl+labels0.1/temperature.csv"),
        place(paths.MODELS / paths.run("demo", "ugcl", 0, 1) / "model.safetensors"),
        place(paths.PREDICTIONS / paths.run("demo", "ugcl", 0, 1).with_suffix(".csv")),
        place(paths.SCORES / "demo/metrics.csv"),
        place(paths.TABLES / "summary.csv"),
        place(paths.TABLES / "old/summary.csv"),
        place(paths.REPORTS / "old/index.html"),
        place(paths.MODELS / paths.run("ravdess", "ugcl", 0, 1) / "model.safetensors"),
        place(paths.SCORES / "ravdess/metrics.csv"),
        place(paths.TABLES / "ravdess/summary.csv"),
    ]
    place(paths.MODELS / paths.run("demo", "ugcl+labels0.3", 0, 1) / "model.safetensors")
    place(paths.MODELS / paths.run("demo", "removed", 0, 1) / "model.safetensors", 1000)
    place(paths.MODELS / paths.run("demo", "ugcl", 7, 1) / "model.safetensors")
    place(paths.MODELS / paths.run("demo", "ugcl", 0, 99) / "model.safetensors")
    place(paths.PREDICTIONS / paths.run("demo", "ugcl", 0, 99).with_suffix(".csv"))
    place(paths.SCORES / "old/metrics.csv")
    place(paths.SCORES / "demo/ugcl/metrics.csv")
    # Not active, but current: its report shows these runs.
    kept_tables.record("ravdess", lineage.tables(config, "ravdess"))
    place(paths.MODELS / paths.run("ravdess", "removed", 0, 1) / "model.safetensors")
    place(paths.TABLES / "demo_ablations/summary.csv")  # not current: nobody knows what they were made from
    place(paths.SCORES / "demo_ablations/metrics.csv")
    copy = place(Path(".ledger/train/files/results/models/demo/removed/seed0/fold1/model.safetensors"))
    found = prune.unwanted(config)
    assert [path.as_posix() for path in found] == [
        "results/models/demo/removed",
        "results/models/demo/ugcl/seed0/fold99",
        "results/models/demo/ugcl/seed7",
        "results/models/demo/ugcl+labels0.3",
        "results/models/ravdess/removed",
        "results/predictions/demo/ugcl/seed0/fold99.csv",
        "results/scores/demo/ugcl",
        "results/scores/demo_ablations",
        "results/scores/old",
    ]
    assert prune.size(found[0]) == 1000
    prune.remove(found)
    assert not any(path.exists() for path in [*found, copy])
    assert all(path.exists() for path in kept)
    assert prune.unwanted(config) == []
