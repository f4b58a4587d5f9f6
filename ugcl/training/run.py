"""One run: a system × seed × fold of a benchmark, from its tables to its files."""

from __future__ import annotations

import logging
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ugcl import paths
from ugcl.config import Config, Run
from ugcl.data import label_noise, sources, tables
from ugcl.data.dataset import ClipDataset, part_rows
from ugcl.data.shards import INDEX, FeatureStore
from ugcl.errors import UgclError
from ugcl.losses.total import TotalLoss
from ugcl.models.build import build, parameters
from ugcl.training import checkpoint, devices, history, resume, seeding
from ugcl.training.loop import fit

log = logging.getLogger(__name__)


def load_part(
    run: Run, split: Path, part: str, stores: dict[str, FeatureStore], cache: int = 2048
) -> ClipDataset:
    """One part of a fold, without the benchmark's quarantined clips.

    Args:
        run: the resolved parameters.
        split: the fold's split table.
        part: `train`, `dev` or `test`.
        stores: modality → features.
        cache: most features to keep in memory, MiB.
    """
    rows = part_rows(
        tables.read_manifest(paths.manifest(run.corpus)),
        tables.read_split(split),
        part,
        run.protocol,
        tables.read(paths.quarantine(run.benchmark))["clip"].tolist(),
    )
    return ClipDataset(rows, stores, run.protocol.classes, cache)


def stores(run: Run) -> dict[str, FeatureStore]:
    """The feature stores of the modalities that a run reads."""
    return {m: FeatureStore(paths.features(run.corpus, run.features[m])) for m in run.model.modalities}


def train_run(config: Config, benchmark: str, system: str, seed: int, fold: int, lineage: str = "") -> Path:
    """Train one run and write model.safetensors, card.json and history.csv.

    A run that was killed goes on from its last whole epoch and, with as many threads, ends in the same bits.

    Args:
        config: the parameters.
        benchmark: key of `benchmarks`.
        system: key of `systems`, or such a key with a share of wrong labels (`benchmarks.….label_noise`).
        seed: training seed.
        fold: number of the fold, from 1.
        lineage: hash of the code and parameters upstream, for the card.

    Returns:
        The run's folder.

    Raises:
        UgclError: a name is unknown, an input is missing, or a part lacks a class.
    """
    began = time.perf_counter()
    run = _resolve(config, benchmark, system, fold)
    folder = paths.MODELS / paths.run(benchmark, system, seed, fold)
    seeding.deterministic()
    fabric = devices.launch(run.train)
    split = paths.split(run.corpus, config.benchmarks[benchmark].protocol, fold)
    names = ["train", "dev", *(["test"] if run.train.monitor_test else [])]
    with devices.memory_advice(run.train):
        parts, model, loss = assemble(run, split, names, (seed, fold))
    hashes = data_hashes(run, split)
    books: dict[str, Any] = {
        "benchmark": benchmark,
        "system": system,
        "seed": seed,
        "fold": fold,
        "classes": run.protocol.classes,
        "lineage": lineage,
        "run": run.model_dump(),
        "features": {m: store.info.to_dict() for m, store in parts["train"].stores.items()},
        "data": hashes,
        "versions": checkpoint.versions(),
        "parameters": parameters(model),
        "clips": {name: len(part) for name, part in parts.items()},
    }
    with devices.memory_advice(run.train):
        mark = resume.fingerprint(books)
        outcome = fit(fabric, model, loss, run.train, parts, (seed, fold), folder, mark)
    if not fabric.is_global_zero:
        return folder
    card = books | {
        "selected": outcome.best,
        "epochs": len(outcome.history),
        "commit": commit(),
        "device": devices.describe(fabric.device),
        "threads": torch.get_num_threads(),
        "seconds": round(sum(row["seconds"] for row in outcome.history), 3),
        "start_up_seconds": round(time.perf_counter() - began, 3),
        "memory_mib": round(devices.peak_memory(), 1),
    }
    history.write(outcome.history, folder / checkpoint.HISTORY)
    checkpoint.save_run(folder, outcome.weights, card)
    resume.clear(folder)
    log.info("%s: epoch %d, dev uar %.3f", folder, outcome.best["epoch"], outcome.best["dev_uar"])
    return folder


def assemble(
    run: Run, split: Path, names: Sequence[str], seeds: tuple[int, ...]
) -> tuple[dict[str, ClipDataset], nn.Module, TotalLoss]:
    """What the loop needs: the parts of a fold by name, a fresh network and the loss.

    Args:
        run: the resolved parameters.
        split: the fold's split table.
        names: the parts to load; `train` is one of them, and no other part is read.
        seeds: of the network's first weights, and of wrong labels where the run has some.
    """
    opened = stores(run)
    parts = {name: load_part(run, split, name, opened, run.train.cache) for name in names}
    label_noise.flip(parts["train"], run.train.label_noise, seeds)
    seeding.seed(*seeds)
    infos = {modality: store.info for modality, store in opened.items()}
    model = build(run, infos, parts["train"].statistics())
    return parts, model, TotalLoss(run.loss, parts["train"].counts(), run.model)


def data_hashes(run: Run, split: Path) -> dict[str, str]:
    """SHA-256 of the tables that decide what a run sees: split, quarantine, feature indexes."""
    files = [split, paths.quarantine(run.benchmark)]
    files += [paths.features(run.corpus, run.features[m]) / INDEX for m in run.model.modalities]
    return {path.as_posix(): sources.sha256(path) for path in files}


def commit() -> str:
    """The commit of the working folder, "" where git or a repository is missing."""
    try:
        done = subprocess.run(
            ["git", "rev-parse", "HEAD"], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _resolve(config: Config, benchmark: str, system: str, fold: int) -> Run:
    numbers = config.protocol(benchmark).fold_numbers
    if fold not in numbers:
        raise UgclError(f"fold {fold} does not exist in {benchmark}; choose from {numbers[0]}..{numbers[-1]}")
    try:
        return config.resolve(benchmark, system)
    except ValueError as error:
        raise UgclError(str(error)) from None
