"""One run: a system × seed × fold of a benchmark, from its tables to its files."""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ugcl.config import Config, Run
from ugcl.data import label_noise
from ugcl.data.dataset import ClipDataset
from ugcl.data.parts import BenchmarkData
from ugcl.errors import UgclError
from ugcl.methods.build import build, parameters
from ugcl.plan import paths
from ugcl.training import devices, seeding
from ugcl.training.loop import Outcome, fit
from ugcl.training.packed.together import Member, fit_together
from ugcl.training.state import checkpoint, records, resume

if TYPE_CHECKING:
    from lightning_fabric import Fabric

    from ugcl.config.system.train import Train
    from ugcl.methods.base import Method
    from ugcl.training.single import OneCpu

log = logging.getLogger(__name__)
Observe = Callable[[Path, int], Callable[[dict[str, float]], None]]
"""Asked once per run, with its folder and the most epochs that it can have; gives what takes each epoch's row
of the history, first those of the state that a killed run resumes from."""


def train_runs(
    config: Config,
    benchmark: str,
    system: str,
    seeds: Sequence[int],
    folds: Sequence[int],
    lineage: str = "",
    observe: Sequence[Observe] = (),
) -> list[Path]:
    """Train a system with some seeds on some folds; each run writes its weights, card and history.

    Runs are trained one after the other, or some in step (`train.pack`, see `together`). After a kill, a run
    resumes from the last saved epoch and, with as many threads, gives the same bits; one that had ended
    writes its files again without training, since Snakemake removes those of a killed job.

    Args:
        system: key of `systems`, or such a key with a share of wrong labels (`benchmarks.….label_noise`).
        seeds: training seeds.
        folds: numbers of the folds, from 1.
        lineage: hash of the code and parameters upstream, for the cards.
        observe: what shows curves of the training; no result depends on it.

    Returns:
        The runs' folders, seed by seed.

    Raises:
        UgclError: a name is unknown, an input is missing, or a part lacks a class.
    """
    run = _resolve(config, benchmark, system, folds)
    seeding.deterministic()
    fabric = devices.launch(run.train)
    data = BenchmarkData(config, benchmark)
    common = {"benchmark": benchmark, "system": system, "lineage": lineage}
    common |= {"synthetic": config.corpus(run.corpus).synthetic}
    pairs = [(seed, fold) for seed in seeds for fold in folds]
    observe = observe if fabric.is_global_zero else ()
    for first in range(0, len(pairs), run.train.pack):
        names = [
            common | {"seed": seed, "fold": fold} for seed, fold in pairs[first : first + run.train.pack]
        ]
        _train(fabric, data, run, names, observe)
    folders = [paths.MODELS / paths.run(benchmark, system, *pair) for pair in pairs]
    for folder in folders:
        resume.clear(folder)
    return folders


@dataclass
class Ready:
    """A run that is about to be trained, with the known fields of its card."""

    card: dict[str, Any]
    parts: dict[str, ClipDataset]
    model: Method
    primary: str

    @property
    def seeds(self) -> tuple[int, int]:
        """Run seed and fold."""
        return self.card["seed"], self.card["fold"]

    @property
    def folder(self) -> Path:
        """Where the run's files go."""
        return paths.MODELS / paths.run(self.card["benchmark"], self.card["system"], *self.seeds)

    @property
    def fingerprint(self) -> str:
        """Hash of all that the run depends on."""
        return resume.fingerprint(self.card)


def _train(
    fabric: Fabric | OneCpu,
    data: BenchmarkData,
    run: Run,
    names: list[dict[str, Any]],
    observe: Sequence[Observe],
) -> None:
    """Train the runs of some names together and write them; nothing of them stays in memory."""
    with devices.memory_advice(run.train):
        group = [_prepare(data, run, own) for own in names]
        outcomes = _fit(fabric, run.train, group, observe)
        again = [
            _refit(fabric, data, run, ready, outcome, observe) if run.train.refit else None
            for ready, outcome in zip(group, outcomes, strict=True)
        ]
    if fabric.is_global_zero:
        for ready, outcome, refitted in zip(group, outcomes, again, strict=True):
            _write(ready, outcome, refitted, fabric.device)


def _prepare(data: BenchmarkData, run: Run, names: dict[str, Any]) -> Ready:
    wanted = ["train", "dev", *(["test"] if run.train.monitor_test else [])]
    parts, model = assemble(data, run, wanted, (names["seed"], names["fold"]))
    card = names | {
        "classes": run.protocol.classes,
        "run": run.model_dump(),
        "features": {m: store.info.to_dict() for m, store in parts["train"].stores.items()},
        "data": data.hashes(run, names["fold"]),
        "versions": checkpoint.versions(),
        "parameters": parameters(model),
        "clips": {name: len(part) for name, part in parts.items()},
    }
    return Ready(card, parts, model, run.protocol.primary)


def _fit(
    fabric: Fabric | OneCpu, train: Train, group: list[Ready], observe: Sequence[Observe]
) -> list[Outcome]:
    """Train some runs: in step where they can be, else one after the other."""
    outcomes, watches = None, [_watch(observe, ready.folder, train.epochs) for ready in group]
    if len({len(ready.parts["train"]) for ready in group}) == 1 and len(group) > 1:
        members = [
            Member(r.model, r.parts, r.seeds, r.folder, r.fingerprint, primary=r.primary, watch=watch)
            for r, watch in zip(group, watches, strict=True)
        ]
        outcomes = fit_together(fabric, members, train)
    return outcomes or [
        fit(fabric, r.model, train, r.parts, r.seeds, r.folder, r.fingerprint, watch, primary=r.primary)
        for r, watch in zip(group, watches, strict=True)
    ]


def _refit(
    fabric: Fabric | OneCpu,
    data: BenchmarkData,
    run: Run,
    ready: Ready,
    outcome: Outcome,
    observe: Sequence[Observe],
) -> Outcome:
    """The run once more, on training and dev clips, for as many epochs as dev selected."""
    parts, model = assemble(data, run, ["train"], ready.seeds, dev_is_train=True)
    folder = ready.folder / resume.FOLDER / "refit"
    last = int(outcome.best["epoch"])
    watch = _watch(observe, ready.folder / "refit", last)
    return fit(fabric, model, run.train, parts, ready.seeds, folder, ready.fingerprint, watch, last=last)


def _watch(
    observe: Sequence[Observe], folder: Path, epochs: int
) -> Callable[[dict[str, float]], None] | None:
    """One function that gives a run's epochs to all that show its curves."""
    takes = [begin(folder, epochs) for begin in observe]

    def watch(row: dict[str, float]) -> None:
        for take in takes:
            take(row)

    return watch if takes else None


def _write(ready: Ready, outcome: Outcome, refitted: Outcome | None, device: torch.device) -> None:
    kept, rows = outcome, outcome.history
    if refitted:
        kept, rows = refitted, rows + refitted.history
    card = ready.card | {
        "selected": outcome.best,
        "epochs": len(outcome.history),
        "commit": commit(),
        "device": devices.describe(device),
        "threads": torch.get_num_threads(),
        "seconds": round(sum(row["seconds"] for row in rows), 3),
        "memory_mib": round(devices.peak_memory(), 1),
    }
    selected, clips = None, card["clips"]
    if refitted:
        selected = outcome.weights
        card["refit"] = {"clips": clips["train"] + clips["dev"], "epochs": len(refitted.history)}
    records.write_history(outcome.history, ready.folder / records.HISTORY)
    checkpoint.save_run(ready.folder, kept.weights, card, selected)
    found = ready.primary, outcome.best[f"dev_{ready.primary}"]
    log.info("%s: epoch %d, dev %s %.3f", ready.folder, outcome.best["epoch"], *found)


def assemble(
    data: BenchmarkData, run: Run, names: Sequence[str], seeds: tuple[int, int], dev_is_train: bool = False
) -> tuple[dict[str, ClipDataset], Method]:
    """What the loop needs: the parts of a fold by name, and a fresh network.

    Args:
        data: the benchmark's clips.
        names: the parts to load; `train` is one of them, and no other part is read.
        seeds: run seed and fold; of the network's first weights, and of wrong labels where the run has some.
        dev_is_train: dev clips are among those of `train`.
    """
    parts = data.fold(run, seeds[1], names, cache=run.train.cache, dev_is_train=dev_is_train)
    if run.train.label_noise:
        label_noise.flip(parts["train"], run.train.label_noise.share, seeds)
    seeding.seed(*seeds)
    infos = {modality: store.info for modality, store in parts["train"].stores.items()}
    return parts, build(run, infos, parts["train"].statistics(), parts["train"].counts())


def commit() -> str:
    """The commit of the working folder, "" where git or a repository is missing."""
    command = ["git", "rev-parse", "HEAD"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _resolve(config: Config, benchmark: str, system: str, folds: Sequence[int]) -> Run:
    numbers = config.protocol(benchmark).fold_numbers
    unknown = [fold for fold in folds if fold not in numbers]
    if unknown:
        known = f"{numbers[0]}..{numbers[-1]}"
        raise UgclError(f"fold {unknown[0]} does not exist in {benchmark}; choose from {known}")
    try:
        return config.resolve(benchmark, system)
    except ValueError as error:
        raise UgclError(str(error)) from None
