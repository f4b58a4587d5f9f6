"""Several runs of one system in step, in one pack.

Every run learns from batches of its own, and gradients, their clipping, the average, the choice of the epoch
and the early stop are each run's own too, so that its result equals that of a
run alone up to rounding. Random draws inside the network (dropout, masks) differ from those of a run alone.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ugcl.data.dataset import ClipDataset
from ugcl.training import seeding, selection
from ugcl.training.loop import Outcome, diverged, mask_values, plan, prepared
from ugcl.training.optim import learning_rate
from ugcl.training.packed.pack import Pack
from ugcl.training.state import resume

if TYPE_CHECKING:
    from lightning_fabric import Fabric

    from ugcl.config.system.train import Train
    from ugcl.methods.base import Method
    from ugcl.training.single import OneCpu

log = logging.getLogger(__name__)


@dataclass
class Member:
    """One of the runs; see `loop.fit` for what each of these is to a run alone.

    Attributes:
        model: fresh network.
        parts: its parts of the split.
        seeds: run seed and fold.
        folder: where its state is kept.
        fingerprint: hash of all that it depends on.
        state: where it stands.
        means: what SpecAugment masks with.
        primary: the metric by which its epoch is selected.
        watch: takes each epoch's row.
    """

    model: Method
    parts: dict[str, ClipDataset]
    seeds: tuple[int, int]
    folder: Path
    fingerprint: str
    state: resume.State = field(default_factory=lambda: resume.State(0, {}, [], {}))
    means: dict[str, Tensor] = field(default_factory=dict)
    primary: str = "uar"
    watch: Callable[[dict[str, float]], None] | None = None

    def __str__(self) -> str:
        return f"seed {self.seeds[0]}, fold {self.seeds[1]}"


def fit_together(fabric: Fabric | OneCpu, members: Sequence[Member], train: Train) -> list[Outcome] | None:
    """Train several runs of one system; a run that has ended leaves the pack.

    Args:
        members: runs with networks of one shape and as many training clips.

    Returns:
        Each run's outcome; None if runs were killed at different epochs, and so are no longer in step.

    Raises:
        Diverged: the loss of a batch is not finite.
    """
    for member in members:
        member.state = resume.load(member.folder, member.fingerprint) or member.state
        member.model.to(fabric.device).train()
        member.means = mask_values(train, member.parts["train"])
    running = [member for member in members if not selection.ended(member.state, train)]
    if len({member.state.epoch for member in running}) > 1:
        return None
    for member in members:
        for row in member.state.history if member.watch else ():
            member.watch(row)
    pack = _packed(running, train) if running else None
    saved, unsaved = time.monotonic(), []
    while running:
        epoch = running[0].state.epoch + 1
        began = time.perf_counter()
        pack.advance((epoch - 1) / max(1, train.epochs - 1))
        rows = _epoch(fabric, pack, running, train, epoch)
        judged = pack.judged()
        for i, (member, row) in enumerate(zip(running, rows, strict=True)):
            own = {name: value[i] for name, value in judged.items()}
            row = row | {"epoch": epoch}
            selection.judge(member.state, row, member.model, own, member.parts, member.primary)
            member.model.train()
        for member in running:
            member.state.history[-1]["seconds"] = (time.perf_counter() - began) / len(running)
            selection.log_epoch(member.state, train, member.primary, f"{member}: ")
            if member.watch:
                member.watch(member.state.history[-1])
        going = [i for i, member in enumerate(running) if not selection.ended(member.state, train)]
        due = not going or time.monotonic() - saved >= train.save_every
        # Those that ended are kept with the next state of the others: a resumed pack is what it was then.
        for i, member in enumerate(running):
            if due or i not in going:
                _enter(member, pack, i)
                unsaved.append(member)
        if due:
            for member in unsaved:
                resume.save(member.folder, member.state, member.fingerprint)
            saved, unsaved = time.monotonic(), []
        if len(going) < len(running):
            running = [running[i] for i in going]
            if running:
                pack.keep(going)
    return [Outcome(m.state.tensors["best"], m.state.best, m.state.history) for m in members]


def _packed(members: Sequence[Member], train: Train) -> Pack:
    """The pack of some runs, as it was after the last epoch that was kept."""
    pack, states = Pack([member.model for member in members], train), [member.state for member in members]
    if states[0].epoch:
        log.info("resuming %d runs after epoch %d", len(members), states[0].epoch)
        pack.restore([state.tensors for state in states], states[0].extra.get("average_step", 0))
    return pack


def _enter(member: Member, pack: Pack, place: int) -> None:
    """Put what a run needs to go on, together or alone, into its state."""
    member.state.tensors |= pack.share(place)
    if pack.average:
        member.state.extra["average_step"] = pack.average.step


def _epoch(
    fabric: Fabric | OneCpu, pack: Pack, members: Sequence[Member], train: Train, epoch: int
) -> list[dict[str, float]]:
    """Train every run on every clip once; returns what `loop._epoch` does, for each."""
    seeding.seed(*(number for member in members for number in member.seeds), epoch)
    orders = [plan(m.parts["train"].groups, train.batch, (*m.seeds, epoch)) for m in members]
    steps = range(0, len(orders[0]), train.accumulate)
    sums: list[dict[str, list[Tensor]]] = [{} for _ in members]
    for step, first in enumerate(steps):
        group = range(first, min(first + train.accumulate, len(orders[0])))
        for number in group:
            batches = [
                prepared(m.parts["train"].batch(order[number]), train, m.means, fabric.device)
                for m, order in zip(members, orders, strict=True)
            ]
            with fabric.autocast():
                outputs = pack(batches)
            terms = pack.losses(outputs, batches)
            totals = torch.stack([values["loss"] for values in terms])
            if not totals.isfinite().all():
                i = int((~totals.isfinite()).nonzero()[0])
                place = f"{members[i]}, epoch {epoch}, step {step + 1} of {len(steps)}"
                raise diverged(terms[i], batches[i], place)
            fabric.backward(totals.sum() / len(group))
            for kept, values in zip(sums, terms, strict=True):
                for name, value in values.items():
                    kept.setdefault(name, []).append(value.detach())
        lr = learning_rate(train, (epoch - 1) * len(steps) + step, len(steps) * train.epochs)
        pack.step(lr)
    return [
        {"lr": lr, **{name: float(torch.stack(values).nanmean()) for name, values in kept.items()}}
        for kept in sums
    ]
