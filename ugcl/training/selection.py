"""Which epoch's weights a run keeps: selected on dev, before test is evaluated.

The rule: the highest dev UAR; of epochs with the same dev UAR the least dev loss; of equal losses the
earliest. A small dev part gives few different values of UAR, so that ties are common: the loss decides in
more than half of the demo's runs, whose dev parts have 48 clips. `tied_epochs` in runs.csv and `tied_runs` in
optimism_by_system.csv count them.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.func import functional_call

from ugcl.data.dataset import Batch, ClipDataset
from ugcl.training.state.resume import State

if TYPE_CHECKING:
    from ugcl.config.system.train import Train
    from ugcl.methods.base import Method
    from ugcl.models.criterion import Criterion

log = logging.getLogger(__name__)
JUDGED = 64
"""Clips per batch where nothing is learnt; no result depends on it."""


def ended(state: State, train: Train, last: int | None = None) -> bool:
    """Whether a run has done its last epoch, or its patience has run out."""
    waited = state.epoch - state.best["epoch"] if state.best else 0
    return state.epoch >= (last or train.epochs) or waited >= train.patience


def judge(
    state: State,
    row: dict[str, float],
    model: Method,
    weights: dict[str, Tensor],
    parts: dict[str, ClipDataset],
) -> None:
    """Score an epoch's weights on dev, keep them if they are the best so far, and add its row.

    The choice is made from dev scores alone, before test is evaluated. Without dev the last epoch is kept.
    """
    row |= model.facts()
    if "dev" in parts:
        row |= {f"dev_{name}": value for name, value in _judge(model, weights, parts["dev"]).items()}
    if "dev" not in parts or better(row, state.best):
        state.best = {k: row[k] for k in ("epoch", "dev_uar", "dev_war", "dev_loss") if k in row}
        state.tensors["best"] = {name: value.detach().cpu().clone() for name, value in weights.items()}
    if "test" in parts:
        row["test_uar"] = _judge(model, weights, parts["test"])["uar"]
    state.epoch = int(row["epoch"])
    state.history.append(row)


def log_epoch(state: State, train: Train, name: str = "") -> None:
    """Log the last epoch of a run."""
    row, best, judged = state.history[-1], state.best, ""
    if "dev_uar" in row:
        judged = f" dev uar {row['dev_uar']:.3f}, best {best['dev_uar']:.3f} (epoch {best['epoch']}),"
    place = (name, row["epoch"], train.epochs)
    log.info("%sepoch %d/%d: loss %.3f,%s %.1f s", *place, row["loss"], judged, row["seconds"])


def better(row: dict[str, float], best: dict[str, float]) -> bool:
    """Whether an epoch is preferred: higher dev UAR, or equal UAR and lower dev loss; else the earlier."""
    if not best:
        return True
    return (row["dev_uar"], -row["dev_loss"]) > (best["dev_uar"], -best["dev_loss"])


@torch.no_grad()
def classify(
    model: Method,
    batches: Iterable[Batch],
    device: torch.device | str = "cpu",
    weights: dict[str, Tensor] | None = None,
) -> Tensor:
    """Logits of all clips, (N, C) float32 on the CPU, with other weights if some are given.

    The model is left in eval mode, with its own weights.
    """
    model.eval()
    logits = []
    for batch in batches:
        batch = batch.to(device)
        outputs = functional_call(model, weights or {}, (batch,))
        logits.append(outputs["logits"].float().cpu())
    return torch.cat(logits)


def scores(logits: Tensor, labels: Tensor, criterion: Criterion) -> dict[str, float]:
    """UAR, WAR and classification loss of logits (N, C)."""
    from audmetric import accuracy, unweighted_average_recall

    truth, predicted = labels.tolist(), logits.argmax(dim=1).tolist()
    uar, war = unweighted_average_recall(truth, predicted), accuracy(truth, predicted)
    return {"uar": float(uar), "war": float(war), "loss": float(criterion(logits, labels))}


def _judge(model: Method, weights: dict[str, Tensor], part: ClipDataset) -> dict[str, float]:
    device = next(iter(weights.values())).device
    logits = classify(model, part.batches(JUDGED), device, weights)
    return scores(logits.to(device), part.labels.to(device), model.criterion)
