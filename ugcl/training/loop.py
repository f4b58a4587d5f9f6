"""The loop: epochs over the training part, scored on the dev part."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from ugcl.data.dataset import Batch, ClipDataset, filled
from ugcl.errors import UgclError
from ugcl.training import seeding, selection
from ugcl.training.augment import drop_modality, mask_spans, mix_up
from ugcl.training.objective import objective
from ugcl.training.optim import Average, learning_rate, optimiser, set_rate, uphill
from ugcl.training.state import resume

if TYPE_CHECKING:
    from lightning_fabric import Fabric

    from ugcl.config.system.train import Train
    from ugcl.methods.base import Method
    from ugcl.training.single import OneCpu

log = logging.getLogger(__name__)


class Diverged(UgclError):
    """The loss became infinite or NaN."""


@dataclass
class Outcome:
    """What training gives.

    Attributes:
        weights: the model's state at the selected epoch.
        best: `epoch`, `dev_uar`, `dev_war`, `dev_loss` of the selected epoch, and its dev score in the
            primary metric where that is another; `epoch` alone without dev.
        history: one row per epoch.
    """

    weights: dict[str, Tensor]
    best: dict[str, float]
    history: list[dict[str, float]]


def fit(
    fabric: Fabric | OneCpu,
    method: Method,
    train: Train,
    parts: dict[str, ClipDataset],
    seeds: tuple[int, ...],
    folder: Path | None = None,
    fingerprint: str = "",
    watch: Callable[[dict[str, float]], None] | None = None,
    last: int | None = None,
    primary: str = "uar",
) -> Outcome:
    """Train a model and select its epoch on dev, or without dev train to the last one.

    Args:
        method: fresh network; its buffers hold the training statistics.
        train: parameters of the loop.
        parts: `train`; `dev`, unless the epochs are known; `test`, for monitoring only.
        seeds: run seed and fold.
        folder: where the state to resume from is kept until the caller clears it; None keeps no state.
        fingerprint: hash of all that the run depends on; a state with another one is ignored.
        watch: called with each epoch's row of the history, first with those of the state that it resumes
            from; what it raises ends the training.
        last: epoch after which to stop; the learning rate is scheduled for `train.epochs`. None: all.
        primary: the protocol's metric, by which the epoch is selected on dev.

    Returns:
        The weights of the epoch that :func:`ugcl.training.selection.judge` selects.

    Raises:
        Diverged: the loss of a batch is not finite.
    """
    bare = method.to(fabric.device)
    model, optimizer = fabric.setup(bare, optimiser(bare, train))
    average = Average(bare.state_dict(), train.ema.decay) if train.ema else None
    scaler = getattr(fabric.strategy.precision, "scaler", None)

    state = (resume.load(folder, fingerprint) if folder else None) or resume.State(0, {}, [], {})
    if state.epoch:
        _restore(state, bare, optimizer, average, scaler, watch)
    means = mask_values(train, parts["train"])
    resumed, saved = len(state.history), time.monotonic()
    saves = folder is not None and fabric.is_global_zero
    while not selection.ended(state, train, last):
        epoch = state.epoch + 1
        bare.advance((epoch - 1) / max(1, train.epochs - 1))
        began = time.perf_counter()
        row = _epoch(fabric, model, optimizer, train, parts["train"], seeds, epoch, average, means)
        row = {"epoch": epoch} | row
        selection.judge(state, row, bare, average.state() if average else bare.state_dict(), parts, primary)
        row["seconds"] = time.perf_counter() - began
        selection.log_epoch(state, train, primary)
        if watch:
            watch(row)
        if saves and epoch < train.epochs and time.monotonic() - saved >= train.save_every:
            resume.save(folder, _entered(state, bare, optimizer, average, scaler), fingerprint)
            saved = time.monotonic()
    if saves and len(state.history) > resumed:
        resume.save(folder, _entered(state, bare, optimizer, average, scaler), fingerprint)
    return Outcome(state.tensors["best"], state.best, state.history)


def mask_values(train: Train, part: ClipDataset) -> dict[str, Tensor]:
    """Modality → the mean training frame (D,), where SpecAugment needs it."""
    if train.spec_augment is None:
        return {}
    return {modality: mean for modality, (mean, _) in part.statistics().items()}


def _epoch(
    fabric: Fabric | OneCpu,
    model: nn.Module,
    optimizer: Optimizer,
    train: Train,
    part: ClipDataset,
    seeds: tuple[int, ...],
    epoch: int,
    average: Average | None,
    means: dict[str, Tensor],
) -> dict[str, float]:
    """Train on every clip once; returns the last learning rate and the mean of each part of the loss."""
    rank, ranks = fabric.global_rank, fabric.world_size
    seeding.seed(*seeds, epoch, rank)
    batches = plan(part.groups, train.batch, (*seeds, epoch), rank, ranks)
    per_epoch = -(-len(batches) // train.accumulate)  # optimiser steps
    sums: dict[str, list[Tensor]] = {}
    model.train()
    for step, first in enumerate(range(0, len(batches), train.accumulate)):
        # The last step of an epoch may have fewer batches than the others.
        group = batches[first : first + train.accumulate]
        ready = (prepared(part.batch(clips), train, means, fabric.device) for clips in group)
        # The second gradient of SAM is of the same batches.
        ready = list(ready) if train.sam else ready
        place = f"epoch {epoch}, step {step + 1} of {per_epoch}"
        for name, values in _gradients(fabric, model, ready, len(group), place).items():
            sums.setdefault(name, []).extend(values)
        if train.sam:
            with uphill(model.module, train.sam.radius), model.module.silenced():
                _gradients(fabric, model, ready, len(group), place)
        lr = learning_rate(train, (epoch - 1) * per_epoch + step, per_epoch * train.epochs)
        set_rate(optimizer, lr)
        if train.clip is not None:
            fabric.clip_gradients(model, optimizer, max_norm=train.clip, error_if_nonfinite=False)
        optimizer.step()
        optimizer.zero_grad()
        if average:
            average.update(model.module.state_dict())
    return {"lr": lr, **{name: float(torch.stack(values).nanmean()) for name, values in sums.items()}}


def prepared(batch: Batch, train: Train, means: dict[str, Tensor], device: torch.device) -> Batch:
    """A batch after the augmentations of training, on its device."""
    batch = mask_spans(mix_up(batch, train.mixup), train.spec_augment, means).to(device)
    return drop_modality(batch, train.modality_dropout)


def _gradients(
    fabric: Fabric | OneCpu, model: nn.Module, batches: Iterable[Batch], count: int, place: str
) -> dict[str, list[Tensor]]:
    """Add up the gradients of a step's batches; returns each part of their losses."""
    parts: dict[str, list[Tensor]] = {}
    for number, batch in enumerate(batches, start=1):
        with fabric.no_backward_sync(model, enabled=number < count):
            losses = objective(model.module, model(batch), batch)
            if not losses["loss"].isfinite():
                raise diverged(losses, batch, f"{place}, batch {number} of {count}" if count > 1 else place)
            fabric.backward(losses["loss"] / count)
        for name, value in losses.items():
            parts.setdefault(name, []).append(value.detach())
    return parts


def diverged(losses: dict[str, Tensor], batch: Batch, place: str) -> Diverged:
    """The error of a batch whose loss is not finite: which terms, and which clips have broken features."""
    terms = [name for name, value in losses.items() if name != "loss" and not value.isfinite()]
    sound = torch.stack([x.isfinite().flatten(1).all(dim=1) for x in batch.features.values()]).all(dim=0)
    broken = [clip for clip, fine in zip(batch.clips, sound.tolist(), strict=True) if not fine]
    advice = f"extract the features of {', '.join(broken)} again" if broken else "lower train.lr"
    return Diverged(
        f"{place}: the loss is not finite ({', '.join(terms)}); {advice}; its clips: {', '.join(batch.clips)}"
    )


def plan(
    groups: Sequence[Sequence[int]], batch: int, numbers: tuple[int, ...], rank: int = 0, ranks: int = 1
) -> list[list[int]]:
    """One epoch's batches on one of several devices.

    Args:
        groups: clip numbers of each group, a clip or a dialogue; no group is divided.
        batch: clips per batch, over all devices; a larger group is a batch.
        numbers: seed of the permutation of the groups.
        rank: number of this device, from 0.
        ranks: number of devices; what does not divide by it at a batch's end is left to other epochs.

    Returns:
        Clip numbers of each batch; all devices have the same number of batches of as many groups.
    """
    order = seeding.order(len(groups), *numbers)
    batches = []
    for places in filled([len(groups[number]) for number in order], batch, ranks):
        whole = order[places.start : places.stop]
        share = whole[: len(whole) - len(whole) % ranks][rank::ranks]
        if share:
            batches.append([clip for number in share for clip in groups[number]])
    return batches


def _entered(
    state: resume.State, bare: nn.Module, optimizer: Optimizer, average: Average | None, scaler: object
) -> resume.State:
    """The state with everything that :func:`_restore` needs."""
    state.tensors |= {"model": bare.state_dict(), "memory": resume.memory(bare)}
    state.tensors["optimiser"] = resume.optimiser_tensors(optimizer)
    if average:
        state.tensors["average"] = average.state()
        state.extra["average_step"] = average.step
    if scaler is not None:
        state.extra["scaler"] = scaler.state_dict()
    return state


def _restore(
    state: resume.State,
    bare: nn.Module,
    optimizer: Optimizer,
    average: Average | None,
    scaler: object,
    watch: Callable[[dict[str, float]], None] | None,
) -> None:
    log.info("resuming after epoch %d", state.epoch)
    bare.load_state_dict(state.tensors["model"])
    resume.remember(bare, state.tensors.get("memory", {}))
    resume.restore_optimiser(optimizer, state.tensors["optimiser"])
    if average:
        for name, value in state.tensors["average"].items():
            average.weights[name].copy_(value)
        average.step = state.extra["average_step"]
    if scaler is not None:
        scaler.load_state_dict(state.extra["scaler"])
    for row in state.history if watch else ():
        watch(row)
