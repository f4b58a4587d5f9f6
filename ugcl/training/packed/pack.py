"""Networks of one shape as one: stacked weights, one optimiser, one average.

A small network does not fill an accelerator; stacked, one kernel computes all of them
(`torch.func.stack_module_state` and `vmap`).
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.func import functional_call, stack_module_state, vmap
from torch.nn.attention import SDPBackend, sdpa_kernel

from ugcl.training.objective import Objective
from ugcl.training.optim import Average, adamw
from ugcl.training.state import resume

if TYPE_CHECKING:
    from ugcl.config.system.train import Train
    from ugcl.data.dataset import Batch
    from ugcl.methods.base import Method, Outputs

INPUTS = ("features", "masks", "present")
"""What of a batch is stacked; a network reads nothing else."""

Groups = Mapping[str, Mapping[str, Tensor]]


class Pack:
    """Several networks in training, each of which learns as it would alone.

    Attributes:
        models: the networks, whose own weights stay as they were made.
        parameters: name → (runs, …), what is learnt.
        buffers: name → (runs, …).
        average: of all weights, (runs, …), where `train.ema` asks for one.
    """

    def __init__(self, models: Sequence[Method], train: Train) -> None:
        self.models, self.train = list(models), train
        self.parameters, self.buffers = self._stacked()
        self.optimizer = self._optimiser()
        self.average = Average(self.weights(), train.ema.decay) if train.ema else None
        self._shape = copy.deepcopy(self.models[0]).to("meta").train()

    def __call__(self, batches: Sequence[Batch]) -> list[Outputs]:
        """The outputs of each network in training, in full precision, from a batch of its own."""

        def one(
            parameters: dict[str, Tensor], buffers: dict[str, Tensor], *inputs: dict[str, Tensor]
        ) -> Outputs:
            batch = replace(batches[0], **dict(zip(INPUTS, inputs, strict=True)))
            return functional_call(self._shape, (parameters, buffers), (batch,))

        # The fused kernels have no rule for stacked networks, which would be computed one by one.
        with sdpa_kernel(SDPBackend.MATH):
            outputs = vmap(one, randomness="different")(self.parameters, self.buffers, *_together(batches))
        return _apart(outputs, len(self.models))

    def losses(self, outputs: Sequence[Outputs], batches: Sequence[Batch]) -> list[dict[str, Tensor]]:
        """The total loss of each network and its parts (see `objective`), one network after the other.

        Terms choose among clips, which stacked networks cannot do together.
        """
        own = {name: value.unbind() for name, value in self.parameters.items()}
        return [
            functional_call(
                Objective(model), {f"method.{name}": value[i] for name, value in own.items()}, (mine, batch)
            )
            for i, (model, mine, batch) in enumerate(zip(self.models, outputs, batches, strict=True))
        ]

    def advance(self, progress: float) -> None:
        """Set what depends on the share of the training that is done (see `Method.advance`)."""
        for model in self.models:
            model.advance(progress)
        _, self.buffers = self._stacked()

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

    def _stacked(self) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Parameters and buffers of all networks, (runs, …); of buffers those that are kept as weights."""
        parameters, buffers = stack_module_state(self.models)
        kept = self.models[0].state_dict().keys()
        return parameters, {name: value for name, value in buffers.items() if name in kept}

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
    # Unbound, not indexed one by one: the gradients then come together in one tensor.
    return list((outputs.float() if outputs.is_floating_point() else outputs).unbind())


def _shared(moment: str) -> bool:
    """Whether a value of the optimiser is the same for all runs, as the number of steps is."""
    return moment.endswith(".step")
