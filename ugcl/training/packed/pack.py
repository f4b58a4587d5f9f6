"""Networks of one shape as one: stacked weights, one optimiser, one average.

Small networks leave an accelerator waiting for the next kernel; stacked, each kernel works for all
(`torch.func.stack_module_state` and `vmap`).
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.func import functional_call, stack_module_state, vmap

from ugcl.training import resume
from ugcl.training.optim import Average, adamw

if TYPE_CHECKING:
    from ugcl.config.model import Train
    from ugcl.models.system import System

Groups = Mapping[str, Mapping[str, Tensor]]


class Pack:
    """Several networks in training, each of which learns as it would alone.

    Attributes:
        models: the networks, whose own weights stay as they were made.
        parameters: name → (runs, …), what is learnt.
        buffers: name → (runs, …).
        average: of all weights, (runs, …), where `train.ema` asks for one.
    """

    def __init__(self, models: Sequence[System], train: Train) -> None:
        self.models, self.train = list(models), train
        self.parameters, self.buffers = stack_module_state(self.models)
        self.optimizer = self._optimiser()
        self.average = Average(self.weights(), train.ema) if train.ema else None
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

    def judged(self) -> dict[str, Tensor]:
        """The weights that are judged and kept: the average, or those that are learnt."""
        return self.average.state() if self.average else self.weights()

    def step(self, lr: float) -> None:
        """Learn from the gradients, each network's shortened by itself, and empty them."""
        if self.train.clip is not None:
            self._clip(self.train.clip)
        for slots in self.optimizer.param_groups:
            slots["lr"] = lr
        self.optimizer.step()
        self.optimizer.zero_grad()
        if self.average:
            self.average.update(self.weights())

    def keep(self, places: Sequence[int]) -> None:
        """Go on with some of the networks, named by their places."""
        moments = resume.optimiser_tensors(self.optimizer)
        self.models = [self.models[i] for i in places]
        self.parameters = {
            name: value.detach()[places].requires_grad_(value.requires_grad)
            for name, value in self.parameters.items()
        }
        self.buffers = {name: value[places] for name, value in self.buffers.items()}
        self.optimizer = self._optimiser()
        resume.restore_optimiser(
            self.optimizer, {k: x if _shared(k) else x[places] for k, x in moments.items()}
        )
        if self.average:
            self.average.weights = {name: value[places] for name, value in self.average.weights.items()}

    def share(self, place: int) -> dict[str, dict[str, Tensor]]:
        """One network's weights, moments and average, named as if it were alone (see `resume.State`)."""
        moments = resume.optimiser_tensors(self.optimizer)
        groups = {
            "model": {name: value[place] for name, value in self.weights().items()},
            "optimiser": {k: x if _shared(k) else x[place] for k, x in moments.items()},
        }
        if self.average:
            groups["average"] = {name: value[place] for name, value in self.average.state().items()}
        # Copies: a part of a stack would hold the whole of it in memory.
        return {
            group: {name: value.to("cpu", copy=True) for name, value in values.items()}
            for group, values in groups.items()
        }

    def restore(self, shares: Sequence[Groups], average_step: int) -> None:
        """Take back what `share` gave of each network."""
        with torch.no_grad():
            for name, value in (self.parameters | self.buffers).items():
                value.copy_(torch.stack([share["model"][name] for share in shares]))
        moments = [share["optimiser"] for share in shares]
        resume.restore_optimiser(
            self.optimizer,
            {k: x if _shared(k) else torch.stack([m[k] for m in moments]) for k, x in moments[0].items()},
        )
        if self.average:
            for name, value in self.average.weights.items():
                value.copy_(torch.stack([share["average"][name] for share in shares]))
            self.average.step = average_step

    def _optimiser(self) -> torch.optim.AdamW:
        """One AdamW over all, with decay where a single run has it, in the order of its parameters."""
        learnt = [p for p in self.parameters.values() if p.requires_grad]
        return adamw(learnt, self.train, dimensions=3)

    def _clip(self, largest: float) -> None:
        """Shorten each run's gradient to a norm, as `torch.nn.utils.clip_grad_norm_` does one."""
        gradients = [p.grad for p in self.parameters.values() if p.grad is not None]
        norms = torch.stack([g.reshape(len(g), -1).norm(dim=1) for g in gradients]).norm(dim=0)
        shares = (largest / (norms + 1e-6)).clamp(max=1.0)
        for gradient in gradients:
            gradient.mul_(shares.view(-1, *[1] * (gradient.ndim - 1)))


def _shared(moment: str) -> bool:
    """Is this value of the optimiser the same for all runs? The number of steps is."""
    return moment.endswith(".step")
