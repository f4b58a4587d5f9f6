"""Which epoch's weights a run keeps: selected on dev, before test is evaluated.

The rule: the highest dev score in the protocol's primary metric, which is UAR by default; of epochs with the
same score the least dev loss; of equal losses the earliest. A small dev part gives few different values of
UAR, so that ties are common: the loss decides in more than half of the demo's runs, whose dev parts have 48
clips. `tied_epochs` in runs.csv and `tied_runs` in optimism_by_system.csv count them.
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
    primary: str,
) -> None:
    """Score an epoch's weights on dev, keep them if they are the best so far, and add its row.

    The choice is made from dev scores alone, before test is evaluated. Without dev the last epoch is kept.

    Args:
        primary: the metric that decides; the row gets it as dev_<primary> beside dev_uar, dev_war and
            dev_loss, and as test_<primary>.
    """
    row |= model.facts()
    if "dev" in parts:
        found = _judge(model, weights, parts["dev"], primary)
        row |= {f"dev_{name}": value for name, value in found.items()}
    if "dev" not in parts or better(row, state.best, primary):
        kept = ("epoch", "dev_uar", "dev_war", f"dev_{primary}", "dev_loss")
        state.best = {name: row[name] for name in kept if name in row}
        state.tensors["best"] = {name: value.detach().cpu().clone() for name, value in weights.items()}
    if "test" in parts:
        row[f"test_{primary}"] = _judge(model, weights, parts["test"], primary)[primary]
    state.epoch = int(row["epoch"])
    state.history.append(row)


def log_epoch(state: State, train: Train, primary: str, name: str = "") -> None:
    """Log the last epoch of a run."""
    row, best, judged, column = state.history[-1], state.best, "", f"dev_{primary}"
    if column in row:
        found = f"{row[column]:.3f}, best {best[column]:.3f} (epoch {best['epoch']})"
        judged = f" dev {primary} {found},"
    place = (name, row["epoch"], train.epochs)
    log.info("%sepoch %d/%d: loss %.3f,%s %.1f s", *place, row["loss"], judged, row["seconds"])


def better(row: dict[str, float], best: dict[str, float], primary: str) -> bool:
    """Whether an epoch is preferred: higher dev score, or an equal one and lower dev loss; else the earlier.

    Args:
        row: of the epoch, with dev_<primary> and dev_loss.
        best: of the epoch that is kept so far; empty without.
        primary: the metric that decides.
    """
    if not best:
        return True
    score = f"dev_{primary}"
    return (row[score], -row["dev_loss"]) > (best[score], -best["dev_loss"])


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


def scores(logits: Tensor, labels: Tensor, criterion: Criterion, primary: str) -> dict[str, float]:
    """UAR, WAR, the primary metric where it is another, and classification loss of logits (N, C).

    F1 scores are those of :func:`ugcl.evaluation.statistics.metrics.scores`.
    """
    from audmetric import accuracy, unweighted_average_recall

    truth, predicted = labels.tolist(), logits.argmax(dim=1).tolist()
    found = {"uar": unweighted_average_recall(truth, predicted), "war": accuracy(truth, predicted)}
    if primary not in found:
        from sklearn.metrics import f1_score

        average = primary.removesuffix("_f1")
        found[primary] = f1_score(truth, predicted, average=average, zero_division=0)
    return {name: float(value) for name, value in found.items()} | {"loss": float(criterion(logits, labels))}


def _judge(model: Method, weights: dict[str, Tensor], part: ClipDataset, primary: str) -> dict[str, float]:
    device = next(iter(weights.values())).device
    logits = classify(model, part.batches(JUDGED), device, weights)
    return scores(logits.to(device), part.labels.to(device), model.criterion, primary)
