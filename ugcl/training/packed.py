"""Several runs of one system in step: one network over their stacked weights.

Small networks leave an accelerator waiting for the next kernel; stacked, each kernel works for all runs
(`torch.func.stack_module_state` and `vmap`). Every run learns from batches of its own, and gradients, their
clipping, the average, the choice of the epoch and the early stop are each run's own too, so that it ends as
it would alone but for rounding. Random draws inside the network (dropout, masks) are others than alone.
"""

from __future__ import annotations

import copy
import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.func import functional_call, stack_module_state, vmap

from ugcl.data.dataset import Batch, ClipDataset
from ugcl.losses.total import TotalLoss
from ugcl.training import resume, seeding, selection
from ugcl.training.loop import Outcome, diverged, mask_values, plan, prepared
from ugcl.training.optim import Average, adamw, learning_rate

if TYPE_CHECKING:
    from lightning_fabric import Fabric

    from ugcl.config.model import Train
    from ugcl.models.system import System

log = logging.getLogger(__name__)
Parts = dict[str, ClipDataset]


class Pack:
    """Networks of one shape as one.

    Attributes:
        models: the networks, whose own weights stay as they were made.
        parameters: name → (runs, …), what is learnt.
        buffers: name → (runs, …).
    """

    def __init__(self, models: Sequence[System]) -> None:
        self.models = list(models)
        self.parameters, self.buffers = stack_module_state(self.models)
        self._shape = copy.deepcopy(self.models[0]).to("meta").train()

    def __call__(self, batch: tuple[dict[str, Tensor], ...]) -> dict[str, Any]:
        """Outputs of all networks in training, (runs, …), from features, masks and presence, (runs, B, …)."""

        def one(parameters: dict[str, Tensor], buffers: dict[str, Tensor], *inputs: Any) -> dict[str, Any]:
            return functional_call(self._shape, (parameters, buffers), inputs)

        return vmap(one, randomness="different")(self.parameters, self.buffers, *batch)

    def advance(self, progress: float) -> None:
        """Tell the networks how much of the training is done (see `System.advance`)."""
        for model in self.models:
            model.advance(progress)
        _, self.buffers = stack_module_state(self.models)

    def weights(self) -> dict[str, Tensor]:
        """Parameters and buffers by name, (runs, …)."""
        return {name: value.detach() for name, value in (self.parameters | self.buffers).items()}

    def load(self, states: Sequence[dict[str, Tensor]]) -> None:
        """Take the weights of each run, by name."""
        with torch.no_grad():
            for name, value in (self.parameters | self.buffers).items():
                value.copy_(torch.stack([state[name] for state in states]))

    def optimiser(self, train: Train) -> torch.optim.AdamW:
        """One AdamW over all, with decay where a single run has it, in the order of its parameters."""
        learnt = [p for p in self.parameters.values() if p.requires_grad]
        return adamw(learnt, train, dimensions=3)

    def clip(self, largest: float) -> None:
        """Shorten each run's gradient to a norm, as `torch.nn.utils.clip_grad_norm_` does one."""
        gradients = [p.grad for p in self.parameters.values() if p.grad is not None]
        norms = torch.stack([g.reshape(len(g), -1).norm(dim=1) for g in gradients]).norm(dim=0)
        shares = (largest / (norms + 1e-6)).clamp(max=1.0)
        for gradient in gradients:
            gradient.mul_(shares.view(-1, *[1] * (gradient.ndim - 1)))


def fit_together(
    fabric: Fabric,
    models: Sequence[System],
    losses: Sequence[TotalLoss],
    train: Train,
    parts: Sequence[Parts],
    seeds: Sequence[tuple[int, ...]],
    folders: Sequence[Path],
    marks: Sequence[str],
) -> list[Outcome] | None:
    """Train several runs of one system; see `loop.fit` for what each of the arguments is to one run.

    Args:
        fabric: launched Fabric, of one device.
        models: fresh networks of one shape.
        losses: each run's loss.
        train: parameters of the loop, which all runs share.
        parts: each run's parts; those of training have the same number of clips.
        seeds: run seed and fold of each run.
        folders: where each run keeps its state.
        marks: the runs' fingerprints.

    Returns:
        Each run's outcome; None if runs were killed at different epochs, and so are no longer in step.

    Raises:
        Diverged: the loss of a batch is not finite.
    """
    states = [resume.load(folder, mark) for folder, mark in zip(folders, marks, strict=True)]
    if len({state.epoch if state else 0 for state in states}) > 1:
        return None
    models = [model.to(fabric.device) for model in models]
    losses = [loss.to(fabric.device).train() for loss in losses]
    pack = Pack(models)
    optimizer = pack.optimiser(train)
    average = Average(pack.weights(), train.ema) if train.ema else None
    if states[0] is None:
        states = [resume.State(0, {}, [], {}) for _ in models]
    else:
        log.info("resuming %d runs after epoch %d", len(models), states[0].epoch)
        _restore(states, pack, optimizer, average, losses)
    means = [mask_values(train, part["train"]) for part in parts]
    epoch, saved = states[0].epoch, time.monotonic()
    active = [not selection.ended(state, train) for state in states]

    while any(active):
        epoch += 1
        pack.advance((epoch - 1) / max(1, train.epochs - 1))
        began = time.perf_counter()
        rows = _epoch(fabric, pack, optimizer, losses, train, parts, seeds, epoch, average, means)
        weights = average.state() if average else pack.weights()
        for i, state in enumerate(states):
            if not active[i]:
                losses[i].health()
                state.epoch = epoch  # it goes along, and is not judged any more
                continue
            own = {name: value[i] for name, value in weights.items()}
            selection.examine(state, rows[i] | {"epoch": epoch}, models[i], own, losses[i], parts[i])
            active[i] = not selection.ended(state, train)
        for i, state in enumerate(states):
            if state.history[-1]["epoch"] == epoch:
                state.history[-1]["seconds"] = (time.perf_counter() - began) / len(states)
                selection.tell(state, train, f"seed {seeds[i][0]}, fold {seeds[i][1]}: ")
        if not any(active) or time.monotonic() - saved >= train.save_every:
            _keep(states, pack, optimizer, average, losses, folders, marks)
            saved = time.monotonic()
    return [Outcome(state.tensors["best"], state.best, state.history) for state in states]


def _epoch(
    fabric: Fabric,
    pack: Pack,
    optimizer: torch.optim.Optimizer,
    losses: Sequence[TotalLoss],
    train: Train,
    parts: Sequence[Parts],
    seeds: Sequence[tuple[int, ...]],
    epoch: int,
    average: Average | None,
    means: Sequence[dict[str, Tensor]],
) -> list[dict[str, float]]:
    """Train every run on every clip once; returns what `loop._epoch` does, for each."""
    seeding.seed(*(number for pair in seeds for number in pair), epoch)
    batches = [plan(len(p["train"]), train.batch, (*s, epoch)) for p, s in zip(parts, seeds, strict=True)]
    steps = range(0, len(batches[0]), train.accumulate)
    sums: list[dict[str, list[Tensor]]] = [{} for _ in parts]
    for step, first in enumerate(steps):
        group = range(first, min(first + train.accumulate, len(batches[0])))
        for number in group:
            found = [
                prepared(part["train"].batch(clips[number]), train, mean, fabric.device)
                for part, clips, mean in zip(parts, batches, means, strict=True)
            ]
            with fabric.autocast():
                outputs = pack(_together(found))
            terms = [
                loss(own, batch.labels, batch.targets)
                for loss, own, batch in zip(losses, _apart(outputs, len(found)), found, strict=True)
            ]
            totals = torch.stack([values["loss"] for values in terms])
            if not totals.isfinite().all():
                i = int((~totals.isfinite()).nonzero()[0])
                place = f"seed {seeds[i][0]}, fold {seeds[i][1]}, epoch {epoch}, step {step + 1}"
                raise diverged(terms[i], found[i], f"{place} of {len(steps)}")
            fabric.backward(totals.sum() / len(group))
            for kept, values in zip(sums, terms, strict=True):
                for name, value in values.items():
                    kept.setdefault(name, []).append(value.detach())
        lr = learning_rate(train, (epoch - 1) * len(steps) + step, len(steps) * train.epochs)
        for slots in optimizer.param_groups:
            slots["lr"] = lr
        if train.clip is not None:
            pack.clip(train.clip)
        optimizer.step()
        optimizer.zero_grad()
        if average:
            average.update(pack.weights())
    return [
        {"lr": lr, **{name: float(torch.stack(values).nanmean()) for name, values in kept.items()}}
        for kept in sums
    ]


def _together(batches: Sequence[Batch]) -> tuple[dict[str, Tensor], ...]:
    """Features, masks and presence of the runs' batches, (runs, B, …), padded to the longest of all."""
    features, masks = {}, {}
    for m in batches[0].features:
        frames = max(batch.masks[m].shape[1] for batch in batches)
        more = [frames - batch.masks[m].shape[1] for batch in batches]
        features[m] = torch.stack(
            [F.pad(b.features[m], (0, 0, 0, k)) for b, k in zip(batches, more, strict=True)]
        )
        masks[m] = torch.stack([F.pad(b.masks[m], (0, k)) for b, k in zip(batches, more, strict=True)])
    present = {m: torch.stack([batch.present[m] for batch in batches]) for m in batches[0].present}
    return features, masks, present


def _apart(outputs: Any, runs: int) -> list[Any]:
    """Each run's share of nested outputs, in full precision."""
    if isinstance(outputs, dict):
        shares = {key: _apart(value, runs) for key, value in outputs.items()}
        return [{key: share[i] for key, share in shares.items()} for i in range(runs)]
    if isinstance(outputs, tuple):
        return list(zip(*(_apart(value, runs) for value in outputs), strict=True))
    # Unbound, not indexed one by one: the gradients then come together in one tensor.
    return list((outputs.float() if outputs.is_floating_point() else outputs).unbind())


def _keep(
    states: Sequence[resume.State],
    pack: Pack,
    optimizer: torch.optim.Optimizer,
    average: Average | None,
    losses: Sequence[TotalLoss],
    folders: Sequence[Path],
    marks: Sequence[str],
) -> None:
    """Write each run's state into its own folder, as a run alone would."""
    weights, moments = pack.weights(), resume.optimiser_tensors(optimizer)
    for i, state in enumerate(states):
        state.tensors |= {"model": {name: value[i] for name, value in weights.items()}}
        state.tensors["optimiser"] = {k: x if _shared(k) else x[i] for k, x in moments.items()}
        state.tensors["loss"] = losses[i].state_dict()
        if average:
            state.tensors["average"] = {name: value[i] for name, value in average.state().items()}
            state.extra["average_step"] = average.step
        resume.save(folders[i], state, marks[i])


def _shared(moment: str) -> bool:
    """Is this value of the optimiser the same for all runs? The number of steps is."""
    return moment.endswith(".step")


def _restore(
    states: Sequence[resume.State],
    pack: Pack,
    optimizer: torch.optim.Optimizer,
    average: Average | None,
    losses: Sequence[TotalLoss],
) -> None:
    pack.load([state.tensors["model"] for state in states])
    moments = [state.tensors["optimiser"] for state in states]
    resume.restore_optimiser(
        optimizer,
        {k: x if _shared(k) else torch.stack([m[k] for m in moments]) for k, x in moments[0].items()},
    )
    if average:
        for name, value in average.weights.items():
            value.copy_(torch.stack([state.tensors["average"][name] for state in states]))
        average.step = states[0].extra["average_step"]
    for loss, state in zip(losses, states, strict=True):
        loss.load_state_dict(state.tensors.get("loss", {}))
